/* SPDX-License-Identifier: Apache-2.0
 *
 * arrows.c -- what led from one row of a scope to another: who woke or pre-empted whom, who called
 * whom; see rows.h. */
#include "serve/rows.h"

#include "model/schema.h"
#include "report/clocks.h"

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

static void put_arrow(struct arrows *a, const struct arrow *arrow)
{
    if (a->n == a->limit) {
        a->cut = true;
        return;
    }
    a->n++;
    a->fn(a->ctx, arrow);
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
            put_arrow(
                a, &(struct arrow){ from, to, w[0], w[0], 0, true,
                                    w[C_cpu_wait_kind] == WAIT_PREEMPTED ? "pre-empted" : "woken",
                                    STR("") });
    }
}

/* What was kept, in the window. */
static void kept_arrows(struct arrows *a)
{
    for (size_t i = 0; i < a->c->arrows.n && !a->cut; i++) {
        const struct scope_arrow *x = &a->c->arrows.at[i];
        ns_t first = x->t0 < x->t1 ? x->t0 : x->t1, last = x->t0 < x->t1 ? x->t1 : x->t0;

        if (last >= a->win.t0 && first < a->win.t1)
            put_arrow(a, &(struct arrow){ &a->c->rows.at[x->from], &a->c->rows.at[x->to], x->t0,
                                          x->t1, x->bound_ns, x->order_known, x->kind, x->label });
    }
}

static bool has_threads(const struct scope *c)
{
    for (size_t i = 0; i < c->rows.n; i++)
        if (c->rows.at[i].tid)
            return true;
    return false;
}

bool arrows_find(struct serve *s, struct scope *c, struct span win, size_t limit, arrow_fn *fn,
                 void *ctx)
{
    struct arrows a = { .s = s, .c = c, .win = win, .limit = limit, .fn = fn, .ctx = ctx };

    kept_arrows(&a);
    for (uint32_t i = 0; i < s->src.nhosts && win.t0 < win.t1 && has_threads(c); i++)
        host_arrows(&a, s->src.hosts[i]);
    return !a.cut;
}
