/* SPDX-License-Identifier: Apache-2.0
 *
 * arrows_calls.c -- arrows of calls from service to service, between the rows where they were made
 * and served; see rows.h.
 *
 * An end of a call is in the row of its host and service that has an item of the same request at
 * that time: the call's own step where there are steps, else the task, else the stage of a
 * migration, in which it was made, or which it began. */
#include "serve/rows.h"

#include "report/clocks.h"

#include <stdlib.h>

void scope_arrow(struct serve *s, struct scope *c, const struct scope_arrow *a, uint32_t host_from,
                 uint32_t host_to)
{
    const struct clocks *k = s->src.clocks;
    struct scope_arrow *x = vec_push(&c->arrows);

    *x = *a;
    x->bound_ns = clocks_bound(k, host_from, a->t0, host_to, a->t1);
    x->order_known =
        host_from == host_to || (k && clocks_order_known(k, host_from, a->t0, host_to, a->t1));
}

/* Rows by the requests of their items. */
struct by_request {
    struct strtab requests;
    VEC(struct { VEC(uint32_t) rows; }) at;
};

static void find_requests(const struct scope *c, struct by_request *ret)
{
    for (uint32_t i = 0; i < c->rows.n; i++) {
        const struct track *t = c->rows.at[i].track;

        for (size_t k = 0; t && k < t->items.n; k++) {
            struct str request = t->items.at[k].request;
            uint32_t id = request.n ? strtab_id(&ret->requests, request) : 0;

            while (ret->at.n <= id)
                memset(vec_push(&ret->at), 0, sizeof *ret->at.at);
            size_t n = ret->at.at[id].rows.n;
            if (id && (n == 0 || ret->at.at[id].rows.at[n - 1] != i))
                *vec_push(&ret->at.at[id].rows) = i;
        }
    }
}

struct end {
    const char *host;
    struct str service, request;
    struct span at;
    bool served;
};

/* How well an item fits to an end of a call; 0: not at all. */
static int fit_of(const struct row *r, const struct item *it, const struct end *e)
{
    /* What is served while a task goes on is not what began it. */
    bool fits = e->served ? it->t0 >= e->at.t0 && (e->at.t1 == STORE_NULL || it->t0 <= e->at.t1)
                          : it->t0 <= e->at.t0 && it->t1 > e->at.t0;

    if (!str_eq(it->request, e->request))
        return 0;
    if (strcmp(r->kind, "step") == 0)
        return it->t0 == e->at.t0 ? 3 : 0;
    if (strcmp(r->kind, "task") == 0)
        return fits ? 2 : 0;
    return fits && strcmp(r->kind, "stage") == 0;
}

/* Of a track's items the first that begins after 't'. */
static size_t first_after(const struct track *track, ns_t t)
{
    size_t lo = 0, hi = track->items.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (track->items.at[mid].t0 <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static int row_fit(const struct row *r, const struct end *e)
{
    size_t after = first_after(r->track, e->at.t0);
    int best = 0;

    if (strcmp(r->host, e->host) != 0 || (r->service.n && !str_eq(r->service, e->service)))
        return 0;
    for (size_t i = after ? after - 1 : 0; i <= after && i < r->track->items.n; i++) {
        int fit = fit_of(r, &r->track->items.at[i], e);

        best = fit > best ? fit : best;
    }
    return best;
}

/* The row that the end of a call is in; UINT32_MAX: none. */
static uint32_t row_of(const struct scope *c, const struct by_request *by, const struct end *e)
{
    uint32_t best = UINT32_MAX, id;
    int best_fit = 0;

    if (e->request.n == 0 || !strtab_find(&by->requests, e->request, &id) || id >= by->at.n)
        return best;
    for (size_t i = 0; i < by->at.at[id].rows.n; i++) {
        uint32_t row = by->at.at[id].rows.at[i];
        int fit = row_fit(&c->rows.at[row], e);

        if (fit > best_fit) {
            best_fit = fit;
            best = row;
        }
    }
    return best;
}

/* The answer; false: there can't be one, it would have come before it was sent. */
static bool reply_of(const struct serve *s, const struct serve_call *x, struct scope_arrow *ret)
{
    ns_t sent = x->served.t1, came = x->made.t1;

    if (x->cast || sent == STORE_NULL || came == STORE_NULL)
        return false;
    ns_t bound = clocks_bound(s->src.clocks, x->server_host, sent, x->host, came);
    *ret = (struct scope_arrow){ .t0 = sent, .t1 = came, .kind = "reply", .label = x->name };
    return bound == STORE_NULL || came - sent >= -bound;
}

static void put_call(struct serve *s, struct scope *c, const struct by_request *by,
                     const struct serve_call *x)
{
    struct end from = { store_host(s->src.hosts[x->host]), x->service, x->request, x->made, false };
    struct end to = { store_host(s->src.hosts[x->server_host]), x->server,
                      x->served_request.n ? x->served_request : x->request, x->served, true };
    struct scope_arrow reply, call = { .t0 = x->made.t0, .t1 = x->served.t0, .label = x->name };
    bool answered = reply_of(s, x, &reply);

    if (call.t0 == STORE_NULL || call.t1 == STORE_NULL)
        return;
    reply.to = call.from = row_of(c, by, &from);
    if (call.from == UINT32_MAX)
        return;
    reply.from = call.to = row_of(c, by, &to);
    if (call.to == UINT32_MAX || call.to == call.from)
        return;
    call.kind = answered ? "call" : "cast";
    scope_arrow(s, c, &call, x->host, x->server_host);
    if (answered)
        scope_arrow(s, c, &reply, x->server_host, x->host);
}

static int by_time(const void *a, const void *b)
{
    const struct scope_arrow *x = a, *y = b;

    return x->t0 != y->t0 ? (x->t0 < y->t0 ? -1 : 1) : (x->t1 > y->t1) - (x->t1 < y->t1);
}

void scope_calls(struct serve *s, struct scope *c)
{
    struct by_request by = { 0 };

    find_requests(c, &by);
    if (by.requests.strs.n) {
        const struct serve_calls *calls = serve_calls(s);

        for (size_t i = 0; i < calls->list.n; i++)
            put_call(s, c, &by, &calls->list.at[i]);
    }
    if (c->arrows.n)
        qsort(c->arrows.at, c->arrows.n, sizeof *c->arrows.at, by_time);
    for (size_t i = 0; i < by.at.n; i++)
        vec_free(&by.at.at[i].rows);
    vec_free(&by.at);
    strtab_free(&by.requests);
}
