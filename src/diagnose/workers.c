/* SPDX-License-Identifier: Apache-2.0
 *
 * workers.c -- see workers.h.
 *
 * A process works while it serves a call or runs a task; several at a time count once.  How long a
 * call waited needs both ends: what it took for who made it, less what it took for who served
 * it, which no clock spoils. */
#include "diagnose/workers.h"

#include "report/clocks.h"

#include <stdlib.h>

static struct crew *crew_of(struct crews *c, struct str service)
{
    uint32_t id = strtab_id(&c->names, service);

    if (id > c->at.n)
        *vec_push(&c->at) =
            (struct crew){ .service = str_dup(c->mem, service), .seen = { NS_MAX, NS_MIN } };
    return &c->at.at[id - 1];
}

static struct worker *worker_of(struct crew *c, const char *host, int64_t pid)
{
    struct sbuf key = { 0 };

    sbuf_fmt(&key, "%lld %s", (long long)pid, host);
    uint32_t id = strtab_id(&c->processes, sbuf_view(&key));
    sbuf_free(&key);
    if (id > c->workers.n)
        *vec_push(&c->workers) = (struct worker){ .host = host, .pid = pid };
    return &c->workers.at[id - 1];
}

static bool is_served(struct str kind)
{
    return str_is(kind, "served") || str_is(kind, "rpc-served");
}

static void work(struct crews *to, struct str service, const char *host, int64_t pid,
                 const cell_t *row, struct str kind)
{
    if (service.n == 0 || pid < 0 || row[0] == STORE_NULL || row[1] == STORE_NULL)
        return;
    struct crew *c = crew_of(to, service);
    struct worker *w = worker_of(c, host, pid);

    w->http |= str_is(kind, "served");
    w->rpc |= str_is(kind, "rpc-served");
    *vec_push(&w->at) = (struct span){ row[0], row[1] };
    c->seen.t0 = row[0] < c->seen.t0 ? row[0] : c->seen.t0;
    c->seen.t1 = row[1] > c->seen.t1 ? row[1] : c->seen.t1;
}

/* Makes the spans of a worker disjoint. */
static void merge(struct worker *w)
{
    w->works = w->at.n;
    w->at.n = spans_join(w->at.at, w->at.n);
    for (size_t i = 0; i < w->at.n; i++)
        w->busy += w->at.at[i].t1 - w->at.at[i].t0;
}

static bool is_call(struct str kind)
{
    return str_is(kind, "rpc") || str_is(kind, "http") || str_is(kind, "http-call");
}

/* By how much the time between two hosts' instants may be wrong. */
static ns_t bound_between(const struct diagnosis *d, const struct src_row *a,
                          const struct src_row *b)
{
    uint32_t x = src_host_named(d->src, a->host), y = src_host_named(d->src, b->host);

    if (x == y)
        return 0;
    if (!d->src->clocks)
        return NS_MAX / 4;
    struct clock_error e = clocks_error(d->src->clocks, x, row_begin(a->row));
    struct clock_error f = clocks_error(d->src->clocks, y, row_begin(b->row));
    ns_t ex = e.before > e.after ? e.before : e.after, fy = f.before > f.after ? f.before : f.after;

    return ex > NS_MAX / 8 || fy > NS_MAX / 8 ? NS_MAX / 4 : ex + fy;
}

static void call(const struct diagnosis *d, struct crews *to, const struct src_row *client,
                 const struct src_row *server)
{
    ns_t took = row_length(client->row), served = row_length(server->row);
    struct str service = row_text(server, C_step_service);

    if (took == STORE_NULL || served == STORE_NULL || service.n == 0)
        return;
    /* Who casts does not wait: then it is from sending to the beginning of the work. */
    ns_t waited = took >= served ? took - served
                                 : server->row[0] - client->row[0] -
                                       bound_between(d, client, server); /* at least */
    ns_t t1 = took >= served ? client->row[1] : server->row[0];
    *vec_push(&crew_of(to, service)->calls) =
        (struct served){ row_text(client, C_step_request), client->row[0], t1,
                         waited > 0 ? waited : 0, served };
}

static void add_calls(const struct diagnosis *d, struct crews *ret)
{
    struct src_index by_child;

    src_index_make(d->src, TABLE_step, false, C_step_child, &by_child);
    for (size_t g = 0; g < by_child.groups.n; g++) {
        const struct src_group *group = &by_child.groups.at[g];
        const struct src_row *client = NULL, *server = NULL;

        if (group->rows.n == 0 || row_text(&group->rows.at[0], C_step_child).n == 0)
            continue;
        for (size_t i = 0; i < group->rows.n; i++) {
            const struct src_row *r = &group->rows.at[i];

            client = is_call(row_text(r, C_step_kind)) && !client ? r : client;
            server = is_served(row_text(r, C_step_kind)) && !server ? r : server;
        }
        if (client && server)
            call(d, ret, client, server);
    }
    src_index_free(&by_child);
}

/* The service whose process that is, or an empty name. */
static struct str service_of(const struct diagnosis *d, uint32_t host, int64_t tid, ns_t t)
{
    const struct who_thread *th = tid > 1 ? whos_at(d->w, host, tid, t) : NULL;

    return th && who_owner(d->w, th)->kind == WHO_SERVICE ? who_owner(d->w, th)->name : STR("");
}

/* Processes of a service that the kernel saw: they count even if they wrote no line.  One whose
 * children are of the service too hands out the work, and is no worker. */
static void add_forked(const struct diagnosis *d, struct crews *to)
{
    struct map64 parents = { 0 };
    const cell_t *row;

    for (int pass = 0; pass < 2; pass++) {
        struct src_rows r = src_rows(d->src, TABLE_thread);

        while ((row = src_next(&r))) {
            uint32_t host = src_host_no(d->src, r.store), seen;
            int64_t pid = row[C_thread_pid], up = row[C_thread_ppid];
            struct str name =
                row[C_thread_tid] == pid ? service_of(d, host, pid, row[C_thread_t0]) : STR("");

            if (name.n == 0)
                continue;
            if (pass == 0 && str_eq(name, service_of(d, host, up, row[C_thread_t0])))
                map64_set(&parents, (uint64_t)host << 32 | (uint32_t)up, 1);
            if (pass == 1 && !map64_get(&parents, (uint64_t)host << 32 | (uint32_t)pid, &seen))
                worker_of(crew_of(to, name), r.host, pid);
        }
    }
    map64_free(&parents);
}

void crews_make(const struct diagnosis *d, struct crews *ret)
{
    struct src_rows steps = src_rows(d->src, TABLE_step), tasks = src_rows(d->src, TABLE_task);
    const cell_t *row;

    *ret = (struct crews){ .mem = d->src->mem };
    while ((row = src_next(&steps)))
        if (is_served(src_text(&steps, row, C_step_kind)))
            work(ret, src_text(&steps, row, C_step_service), steps.host, row[C_step_pid], row,
                 src_text(&steps, row, C_step_kind));
    while ((row = src_next(&tasks)))
        if (row[C_task_depth] == 0)
            work(ret, src_text(&tasks, row, C_task_service), tasks.host, row[C_task_pid], row,
                 STR("task"));
    for (size_t i = 0; i < ret->at.n; i++)
        for (size_t k = 0; k < ret->at.at[i].workers.n; k++)
            merge(&ret->at.at[i].workers.at[k]);
    /* A process that was only seen to live has nothing to do. */
    struct src_rows seen = src_rows(d->src, TABLE_service_seen);
    while ((row = src_next(&seen))) {
        struct str service = src_text(&seen, row, C_service_seen_service);

        if (service.n && row[C_service_seen_pid] >= 0)
            worker_of(crew_of(ret, service), seen.host, row[C_service_seen_pid]);
    }
    add_forked(d, ret);
    add_calls(d, ret);
}

void crews_free(struct crews *c)
{
    for (size_t i = 0; i < c->at.n; i++) {
        for (size_t k = 0; k < c->at.at[i].workers.n; k++)
            vec_free(&c->at.at[i].workers.at[k].at);
        vec_free(&c->at.at[i].workers);
        strtab_free(&c->at.at[i].processes);
        vec_free(&c->at.at[i].calls);
    }
    vec_free(&c->at);
    strtab_free(&c->names);
}

double crew_load(const struct crew *c, struct span win)
{
    double busy = 0, n = 0;

    for (size_t i = 0; i < c->workers.n; i++) {
        n += c->workers.at[i].works > 0;
        for (size_t k = 0; k < c->workers.at[i].at.n; k++) {
            struct span s = c->workers.at[i].at.at[k];
            ns_t t0 = s.t0 > win.t0 ? s.t0 : win.t0, t1 = s.t1 < win.t1 ? s.t1 : win.t1;

            busy += t1 > t0 ? (double)(t1 - t0) : 0;
        }
    }
    return n > 0 && win.t1 > win.t0 ? busy / ((double)(win.t1 - win.t0) * n) : 0;
}
