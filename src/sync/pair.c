/* SPDX-License-Identifier: Apache-2.0
 *
 * pair.c -- keeps those messages of two hosts that say something.
 *
 * Messages lie in cells of about equally many, in order of time.  Of a cell only the
 * outermost layers of the convex hull are kept, for each direction: an inner point
 * limits no line, unless the outer ones turn out to be wrong.  Three disjoint groups are
 * peeled apart, so that bounds can be asked of messages that share no error.  When there
 * are CELLS cells, neighbours are merged and peeled again.  So memory is bounded, and
 * a message costs a search among cells and its share of peeling. */
#include "sync/sync_priv.h"

#include <stdlib.h>

enum { LAYERS = 2, PEEL_AT = 64 };

static int by_x(const void *a, const void *b)
{
    const struct point *p = a, *q = b;

    if (p->x != q->x)
        return p->x < q->x ? -1 : 1;
    if (p->upper != q->upper)
        return p->upper ? -1 : 1;
    return p->d < q->d ? -1 : p->d > q->d;
}

/* > 0 if b lies to the left of the way from o to a. */
static wide_t turn(const struct point *o, const struct point *a, const struct point *b)
{
    return (wide_t)(a->x - o->x) * (b->d - o->d) - (wide_t)(a->d - o->d) * (b->x - o->x);
}

/* Moves one layer of the points of a direction and group from 'in' to 'out'; 'taken'
 * marks what has gone.  Both are by x. */
static void peel_layer(const struct point *in, size_t n, bool *taken, bool upper, unsigned group,
                       size_t *stack)
{
    size_t top = 0;

    for (size_t i = 0; i < n; i++) {
        if (taken[i] || in[i].upper != upper || in[i].group != group)
            continue;
        while (top >= 1 && in[stack[top - 1]].x == in[i].x &&
               (upper ? in[stack[top - 1]].d > in[i].d : in[stack[top - 1]].d <= in[i].d))
            top--;
        if (top >= 1 && in[stack[top - 1]].x == in[i].x)
            continue;
        while (top >= 2) {
            wide_t t = turn(&in[stack[top - 2]], &in[stack[top - 1]], &in[i]);

            if (upper ? t > 0 : t < 0)
                break;
            top--;
        }
        stack[top++] = i;
    }
    for (size_t i = 0; i < top; i++)
        taken[stack[i]] = true;
}

static void cell_peel(struct cell *c)
{
    size_t n = c->points.n, kept = 0;
    bool *taken = xcalloc(n, sizeof *taken);
    size_t *stack = xmalloc(n * sizeof *stack);

    qsort(c->points.at, n, sizeof *c->points.at, by_x);
    for (unsigned g = 0; g < SYNC_GROUPS; g++)
        for (int layer = 0; layer < LAYERS; layer++) {
            peel_layer(c->points.at, n, taken, true, g, stack);
            peel_layer(c->points.at, n, taken, false, g, stack);
        }
    for (size_t i = 0; i < n; i++)
        if (taken[i])
            c->points.at[kept++] = c->points.at[i];
    c->points.n = kept;
    c->peel_at = 2 * kept > PEEL_AT ? 2 * kept : PEEL_AT;
    free(taken);
    free(stack);
}

/* Two cells become one, twice as many messages fit into the next. */
static void merge_cells(struct pair *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->cells.n; i += 2) {
        struct cell c = p->cells.at[i];

        if (i + 1 < p->cells.n) {
            struct cell *o = &p->cells.at[i + 1];

            vec_reserve(&c.points, c.points.n + o->points.n);
            for (size_t k = 0; k < o->points.n; k++)
                c.points.at[c.points.n++] = o->points.at[k];
            c.x1 = o->x1 > c.x1 ? o->x1 : c.x1;
            c.count += o->count;
            vec_free(&o->points);
            cell_peel(&c);
        }
        p->cells.at[n++] = c;
    }
    p->cells.n = n;
    p->quota *= 2;
}

/* The cell for a message at 'x': the one that it lies in or next to, if there is room,
 * else a new one. */
static struct cell *cell_of(struct pair *p, int64_t x)
{
    size_t lo = 0, hi = p->cells.n;

    if (hi && p->cells.at[hi - 1].x0 <= x)
        lo = hi; /* mostly */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (p->cells.at[mid].x0 <= x)
            lo = mid + 1;
        else
            hi = mid;
    }
    struct cell *before = lo > 0 ? &p->cells.at[lo - 1] : NULL;
    struct cell *after = lo < p->cells.n ? &p->cells.at[lo] : NULL;
    if (before && (x <= before->x1 || before->count < p->quota))
        return before;
    if (after && after->count < p->quota) {
        after->x0 = x;
        return after;
    }
    (void)vec_push(&p->cells);
    for (size_t i = p->cells.n - 1; i > lo; i--)
        p->cells.at[i] = p->cells.at[i - 1];
    p->cells.at[lo] = (struct cell){ .x0 = x, .x1 = x, .peel_at = PEEL_AT };
    return &p->cells.at[lo];
}

void pair_add(struct pair *p, bool upper, ns_t a, ns_t b)
{
    int64_t x, y;

    if (p->info.matched++ == 0) {
        p->a0 = a;
        p->b0 = b;
        p->quota = 1;
    }
    if (__builtin_sub_overflow(a, p->a0, &x) || __builtin_sub_overflow(b, p->b0, &y) ||
        x <= -POINT_LIMIT || x >= POINT_LIMIT || y <= -POINT_LIMIT || y >= POINT_LIMIT) {
        p->far++;
        return;
    }
    if (p->cells.n == CELLS)
        merge_cells(p);
    struct cell *c = cell_of(p, x);
    uint8_t group = (uint8_t)(p->directed[upper]++ % SYNC_GROUPS);
    *vec_push(&c->points) = (struct point){ x, y - x, upper, false, group };
    c->x1 = x > c->x1 ? x : c->x1;
    c->count++;
    if (c->points.n >= c->peel_at)
        cell_peel(c);
}

void pair_free(struct pair *p)
{
    for (size_t i = 0; i < p->cells.n; i++)
        vec_free(&p->cells.at[i].points);
    vec_free(&p->cells);
    vec_free(&p->points);
    vec_free(&p->pieces);
    vec_free(&p->stretches);
}

size_t pair_bytes(const struct pair *p)
{
    size_t n = p->cells.cap * sizeof *p->cells.at + p->points.cap * sizeof *p->points.at;

    for (size_t i = 0; i < p->cells.n; i++)
        n += p->cells.at[i].points.cap * sizeof *p->cells.at[i].points.at;
    return n;
}

void pair_collect(struct pair *p, bool turned)
{
    p->points.n = 0;
    p->turned = turned;
    p->x_host = turned ? p->info.b : p->info.a;
    p->y_host = turned ? p->info.a : p->info.b;
    p->x0 = turned ? p->b0 : p->a0;
    p->y0 = turned ? p->a0 : p->b0;
    for (size_t i = 0; i < p->cells.n; i++) {
        const struct cell *c = &p->cells.at[i];

        vec_reserve(&p->points, p->points.n + c->points.n);
        for (size_t k = 0; k < c->points.n; k++) {
            struct point q = c->points.at[k];

            if (turned)
                q = (struct point){ q.x + q.d, -q.d, !q.upper, false, q.group };
            p->points.at[p->points.n++] = q;
        }
    }
    if (p->points.n)
        qsort(p->points.at, p->points.n, sizeof *p->points.at, by_x);
}
