/* SPDX-License-Identifier: Apache-2.0
 *
 * arrows.c -- what led from one row of a scope to another: who woke or pre-empted whom, who called
 * whom; see rows.h. */
#include "serve/rows.h"

#include "model/schema.h"

#include <stdlib.h>

enum { LOOKED_MOST = 2000000 }; /* waits, before one is told to look closer */

struct arrows {
    struct serve *s;
    struct scope *c;
    struct span win;
    size_t limit, n, looked;
    bool cut;
    arrow_fn *fn;
    void *ctx;
};

static void put_arrow(struct arrows *a, const struct row *from, const struct row *to, ns_t t0,
                      ns_t t1, ns_t bound_ns, const char *kind)
{
    struct arrow arrow = { from, to, t0, t1, bound_ns, kind };

    if (a->n == a->limit) {
        a->cut = true;
        return;
    }
    a->n++;
    a->fn(a->ctx, &arrow);
}

static const struct row *thread_row(const struct arrows *a, const struct store *st, int64_t tid)
{
    char room[SCHEMA_PATH], id[SCHEMA_PATH + 300];
    uint32_t no;

    snprintf(id, sizeof id, "%.255s/" STR_FMT, store_host(st),
             STR_ARG(schema_path_nr(ATTR_THREAD_STATE, tid, room)));
    return strtab_find(&a->c->ids, str_of(id), &no) && no ? &a->c->rows.at[no - 1] : NULL;
}

/* Who woke or pre-empted whom, among the scope's threads of one host. */
static void host_arrows(struct arrows *a, const struct store *st)
{
    const cell_t *w;
    table_t t;

    if (!store_table_find(st, schema_tables[TABLE_cpu_wait].name, &t))
        return;
    struct store_rows rows = store_rows(st, t, a->win);
    while ((w = store_rows_next(&rows))) {
        if (a->cut || ++a->looked > LOOKED_MOST) {
            a->cut = true;
            store_rows_end(&rows);
            return;
        }
        if (w[C_cpu_wait_by] <= 0 || w[0] == STORE_NULL || w[C_cpu_wait_kind] == WAIT_PUT_OFF)
            continue;
        const struct row *to = thread_row(a, st, w[C_cpu_wait_tid]);
        const struct row *from = to ? thread_row(a, st, w[C_cpu_wait_by]) : NULL;
        if (from && from != to)
            put_arrow(a, from, to, w[0], w[0], 0,
                      w[C_cpu_wait_kind] == WAIT_PREEMPTED ? "pre-empted" : "woken");
    }
}

/* The row of a kind that has an item around 't', of another host or service than 'not'. */
static const struct row *served_by(const struct arrows *a, const struct row * not, ns_t t0, ns_t t1,
                                   struct str label)
{
    for (size_t i = 0; i < a->c->rows.n; i++) {
        const struct row *r = &a->c->rows.at[i];

        if (!r->track || r == not || strcmp(r->kind, "step") != 0)
            continue;
        for (size_t k = 0; k < r->track->items.n; k++) {
            const struct item *it = &r->track->items.at[k];

            if (it->t0 >= t0 && it->t0 < t1 && str_eq(it->label, label))
                return r;
        }
    }
    return NULL;
}

/* Calls from service to service: an rpc, and the same one served within its time. */
static void call_arrows(struct arrows *a)
{
    for (size_t i = 0; i < a->c->rows.n; i++) {
        const struct row *r = &a->c->rows.at[i];

        if (!r->track || strcmp(r->kind, "step") != 0)
            continue;
        for (size_t k = 0; k < r->track->items.n; k++) {
            const struct item *it = &r->track->items.at[k];
            struct str name = it->label;
            struct sbuf served = { 0 };

            if (!str_starts(name, STR("rpc ")) || it->t1 <= a->win.t0 || it->t0 >= a->win.t1)
                continue;
            sbuf_fmt(&served, "rpc-served " STR_FMT, STR_ARG(str_from(name, 4)));
            const struct row *to = served_by(a, r, it->t0, it->t1, sbuf_view(&served));
            sbuf_free(&served);
            if (to)
                put_arrow(a, r, to, it->t0, it->t0, STORE_NULL, "call");
        }
    }
}

bool arrows_find(struct serve *s, struct scope *c, struct span win, size_t limit, arrow_fn *fn,
                 void *ctx)
{
    struct arrows a = { .s = s, .c = c, .win = win, .limit = limit, .fn = fn, .ctx = ctx };

    call_arrows(&a);
    for (uint32_t i = 0; i < s->src.nhosts && win.t0 < win.t1; i++)
        host_arrows(&a, s->src.hosts[i]);
    return !a.cut;
}
