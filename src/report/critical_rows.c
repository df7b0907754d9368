/* SPDX-License-Identifier: Apache-2.0
 *
 * critical_rows.c -- see critical_rows.h. */
#include "report/critical_rows.h"

#include <stdlib.h>

enum {
    STRETCH_NS = 50 * 1000 * 1000, /* at first */
    FEW = 4000,                    /* rows: the next stretch is longer  */
    MANY = 400 * 1000,             /* the next one is shorter           */
    LOOKED_AT = 256,               /* rows before an instant, for the one that contains it */
};
#define STRETCH_MAX_NS (3600 * NS_PER_S)
#define STRETCH_MIN_NS 1000

void crit_rows_init(struct crit_rows *r, const struct store *s)
{
    *r = (struct crit_rows){ .s = s, .here = { NS_MAX, NS_MIN }, .stretch = STRETCH_NS };
}

void crit_rows_free(struct crit_rows *r)
{
    vec_free(&r->waits);
    vec_free(&r->ends);
    vec_free(&r->calls);
    vec_free(&r->irqs);
}

static int by_begin(const void *a, const void *b)
{
    const struct crit_row *x = a, *y = b;

    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    if (x->t0 != y->t0)
        return x->t0 < y->t0 ? -1 : 1;
    return (x->t1 > y->t1) - (x->t1 < y->t1);
}

static int by_end(const void *a, const void *b)
{
    const struct crit_row *x = a, *y = b;

    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    if (x->t1 != y->t1)
        return x->t1 < y->t1 ? -1 : 1;
    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static struct crit_row of_wait(const cell_t *row)
{
    return (struct crit_row){ .tid = row[C_cpu_wait_tid],
                              .t0 = row[0],
                              .t1 = row[1],
                              .kind = row[C_cpu_wait_kind],
                              .by = row[C_cpu_wait_by],
                              .nr = row[C_cpu_wait_why],
                              .cpu = row[C_cpu_wait_cpu] };
}

static struct crit_row of_call(const cell_t *row)
{
    return (struct crit_row){ .tid = row[C_syscall_tid],
                              .t0 = row[0],
                              .t1 = row[1] == STORE_NULL ? NS_MAX : row[1],
                              .name = row[C_syscall_name] };
}

static struct crit_row of_irq(const cell_t *row)
{
    return (struct crit_row){ .tid = row[C_irq_tid],
                              .t0 = row[0],
                              .t1 = row[1],
                              .kind = row[C_irq_kind],
                              .nr = row[C_irq_nr],
                              .name = row[C_irq_name] };
}

/* Rows of a table in 'win'; false: they would be more than MANY. */
static bool read_table(const struct store *s, enum schema_table table, struct span win, bool all,
                       struct crit_row (*make)(const cell_t *row), struct crit_row_vec *ret)
{
    const cell_t *row;
    table_t t;

    ret->n = 0;
    if (!store_table_find(s, schema_tables[table].name, &t))
        return true;
    struct store_rows r = store_rows(s, t, win);
    while ((row = store_rows_next(&r))) {
        if (ret->n >= MANY && !all) {
            store_rows_end(&r);
            return false;
        }
        *vec_push(ret) = make(row);
    }
    if (ret->n)
        qsort(ret->at, ret->n, sizeof *ret->at, by_begin);
    return true;
}

static void copy_ends(struct crit_rows *r)
{
    r->ends.n = 0;
    vec_reserve(&r->ends, r->waits.n);
    if (r->waits.n == 0)
        return;
    memcpy(r->ends.at, r->waits.at, r->waits.n * sizeof *r->ends.at);
    r->ends.n = r->waits.n;
    qsort(r->ends.at, r->ends.n, sizeof *r->ends.at, by_end);
}

/* Makes what is known just before and at 't' be here. */
static void come_to(struct crit_rows *r, ns_t t)
{
    if (t - 1 >= r->here.t0 && t < r->here.t1)
        return;
    for (;;) {
        struct span win = { t - r->stretch < t ? t - r->stretch : NS_MIN, t + 1 };
        bool all = r->stretch <= STRETCH_MIN_NS;

        r->here = win;
        if (read_table(r->s, TABLE_cpu_wait, win, all, of_wait, &r->waits) &&
            read_table(r->s, TABLE_syscall, win, all, of_call, &r->calls) &&
            read_table(r->s, TABLE_irq, win, all, of_irq, &r->irqs))
            break;
        r->stretch /= 4;
    }
    copy_ends(r);
    size_t n = r->waits.n + r->calls.n + r->irqs.n;
    if (n < FEW && r->stretch < STRETCH_MAX_NS)
        r->stretch *= 2;
}

/* Position of the first row that is not before 'want'. */
static size_t first_from(const struct crit_row *at, size_t n, const struct crit_row *want,
                         int (*order)(const void *, const void *))
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (order(&at[mid], want) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct crit_row *crit_woken(struct crit_rows *r, int64_t tid, ns_t t)
{
    const struct crit_row want = { .tid = tid, .t0 = t, .t1 = NS_MIN };

    come_to(r, t);
    for (size_t i = first_from(r->waits.at, r->waits.n, &want, by_begin); i < r->waits.n; i++) {
        const struct crit_row *w = &r->waits.at[i];

        if (w->tid != tid || w->t0 != t)
            break;
        if (w->kind == WAIT_WOKEN)
            return w;
    }
    return NULL;
}

const struct crit_row *crit_wait_end(struct crit_rows *r, int64_t tid, ns_t t)
{
    const struct crit_row want = { .tid = tid, .t0 = NS_MIN, .t1 = t };

    come_to(r, t);
    size_t i = first_from(r->ends.at, r->ends.n, &want, by_end);
    return i < r->ends.n && r->ends.at[i].tid == tid && r->ends.at[i].t1 == t ? &r->ends.at[i]
                                                                              : NULL;
}

/* A timer is no interrupt of its own: it expires in one. */
static bool is_kind(const struct crit_row *irq, bool soft)
{
    return irq->kind != IRQ_TIMER && (irq->kind == IRQ_SOFT) == soft;
}

static const struct crit_row *inside(const struct crit_row *at, size_t n, int64_t tid, ns_t t,
                                     bool irq, bool soft)
{
    const struct crit_row want = { .tid = tid, .t0 = t, .t1 = NS_MIN };
    size_t i = first_from(at, n, &want, by_begin);

    for (size_t looked = 0; i-- > 0 && at[i].tid == tid && looked < LOOKED_AT; looked++)
        if (at[i].t1 >= t && (!irq || is_kind(&at[i], soft)))
            return &at[i];
    return NULL;
}

const struct crit_row *crit_call(struct crit_rows *r, int64_t tid, ns_t t)
{
    come_to(r, t);
    return inside(r->calls.at, r->calls.n, tid, t, false, false);
}

const struct crit_row *crit_irq(struct crit_rows *r, int64_t tid, ns_t t, bool soft)
{
    come_to(r, t);
    return inside(r->irqs.at, r->irqs.n, tid, t, true, soft);
}

ns_t crit_irq_before(struct crit_rows *r, int64_t tid, ns_t t, bool soft)
{
    const struct crit_row want = { .tid = tid, .t0 = t, .t1 = NS_MIN };
    ns_t end = NS_MIN;

    come_to(r, t);
    const struct crit_row *at = r->irqs.at;
    size_t i = first_from(at, r->irqs.n, &want, by_begin);
    for (size_t looked = 0; i-- > 0 && at[i].tid == tid && looked < LOOKED_AT; looked++)
        if (is_kind(&at[i], soft) && at[i].t1 < t && at[i].t1 > end)
            end = at[i].t1;
    return end;
}
