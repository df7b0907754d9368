/* SPDX-License-Identifier: Apache-2.0
 *
 * bound.c -- where y's clock certainly was, for each stretch of x's time, also when changes
 * hide; steady.c is for when they don't.
 *
 * A change of a clock that latency hides can't be seen, so it may be anywhere; but there is
 * only one in a calm time.  Take an instant t.  If the change comes later, what was
 * received before t bounds the clock at t; if it came earlier, what comes after t does.
 * So the truth is in the union of two bounds: one of the past alone, one of the future alone.
 * Each is the range of all straight lines through a corridor, so the bound over the stretch
 * of a few messages, which are left out, is straight.
 *
 * The past is forgotten after a calm time (or some stretches, if they last longer), by two
 * corridors that begin one after the other.  One that becomes impossible has a change in it for
 * sure; it is void, and the other side is then clean.  Where both are void there were two changes
 * or the rate wanders more than was promised: more wander is then granted until that is not so.
 *
 * At both ends of the messages, where one side has too few, the first or last few are
 * taken to be free of changes, and bound each instant among them from both sides.
 *
 * With a doubt of n, the messages are dealt into n + 1 groups, and the union is over
 * the bounds of each: one of them has no wrong message. */
#include "sync/sync_priv.h"

#include <math.h>
#include <stdlib.h>

enum { ENOUGH = 2, ENOUGH_CALM = 6 }; /* points of each direction */

/* What one group of messages, walked from one side, tells of each stretch. */
struct side {
    struct stretch *at;
    bool *is_void;
    size_t edge; /* stretches before this one bound each other */
};

/* Of the directions that there are at all; going backward, they change places. */
static bool enough(const struct bounding *b, bool backward, const struct corridor *c, unsigned n)
{
    return (c->nlower >= n || !b->has[backward]) && (c->nupper >= n || !b->has[!backward]);
}

static void find_directions(struct bounding *b)
{
    b->has[0] = b->has[1] = false;
    for (size_t i = 0; i < b->p->points.n; i++)
        if (in_group(b, &b->p->points.at[i]))
            b->has[b->p->points.at[i].upper] = true;
}

static void add_stretch(const struct bounding *b, size_t which, bool backward, struct corridor *c)
{
    size_t from = b->begin[which], n = b->begin[which + 1] - from;

    for (size_t i = 0; i < n; i++) {
        const struct point *q = &b->p->points.at[backward ? from + n - 1 - i : from + i];
        struct point m = *q;

        if (!in_group(b, q))
            continue;
        if (backward)
            m = (struct point){ -q->x, -q->d, !q->upper, false, q->group };
        corridor_add(c, &m);
    }
}

static struct stretch mirror_stretch(struct stretch s)
{
    return (struct stretch){ -s.x1, -s.x0, -s.hi1, -s.hi0, -s.lo1, -s.lo0 };
}

/* The stretches that hold the first few messages from 'backward's side. */
static size_t find_edge(const struct bounding *b, bool backward)
{
    struct corridor c = { 0 };
    size_t i = 0;

    corridor_reset(&c);
    while (i < b->n && (!enough(b, backward, &c, ENOUGH) || i < b->n / 64))
        add_stretch(b, backward ? b->n - 1 - i++ : i++, backward, &c);
    corridor_free(&c);
    return i;
}

void bound_wedge(const struct bounding *b, size_t from, size_t to, const struct corridor *c,
                 struct stretch *s)
{
    double up = fmin(c->greatest + 2 * b->wander, b->drift);
    double down = fmax(c->least - 2 * b->wander, -b->drift);

    s->lo0 = s->lo1 = -HUGE_VAL;
    s->hi0 = s->hi1 = HUGE_VAL;
    if (up < down) {
        up = b->drift;
        down = -b->drift;
    }
    for (size_t i = from; i < to; i++) {
        const struct point *q = &b->p->points.at[i];
        double d0 = (double)(s->x0 - q->x), d1 = (double)(s->x1 - q->x), d = (double)q->d;

        if (!in_group(b, q))
            continue;
        double hi0 = d + d0 * (d0 < 0 ? down : up), hi1 = d + d1 * (d1 < 0 ? down : up);
        double lo0 = d + d0 * (d0 < 0 ? up : down), lo1 = d + d1 * (d1 < 0 ? up : down);
        if (q->upper && hi0 + hi1 < s->hi0 + s->hi1) {
            s->hi0 = hi0;
            s->hi1 = hi1;
        } else if (!q->upper && lo0 + lo1 > s->lo0 + s->lo1) {
            s->lo0 = lo0;
            s->lo1 = lo1;
        }
    }
}

static void bound_edge(const struct bounding *b, struct side *side, bool backward)
{
    struct corridor c = { 0 };
    size_t n = side->edge;

    corridor_reset(&c);
    for (size_t i = 0; i < n; i++)
        add_stretch(b, backward ? b->n - n + i : i, false, &c);
    for (size_t i = 0; i < n; i++)
        bound_wedge(b, b->begin[backward ? b->n - n : 0], b->begin[backward ? b->n : n], &c,
                    &side->at[backward ? b->n - 1 - i : i]);
    corridor_free(&c);
}

/* What lately came, of a side: one corridor that is used and one that will take its place. */
struct memory {
    struct corridor old, young;
    size_t old_n, young_n; /* stretches in them */
};

static bool is_ripe(const struct bounding *b, bool backward, const struct corridor *c, size_t n)
{
    return enough(b, backward, c, ENOUGH_CALM) && n >= 2 && c->last - c->first >= b->calm / 4;
}

static void memory_clear(struct memory *m)
{
    corridor_reset(&m->old);
    corridor_reset(&m->young);
    m->old_n = m->young_n = 0;
}

static void memory_add(const struct bounding *b, struct memory *m, size_t which, bool backward)
{
    if (is_ripe(b, backward, &m->old, m->old_n)) {
        add_stretch(b, which, backward, &m->young);
        m->young_n++;
    }
    add_stretch(b, which, backward, &m->old);
    m->old_n++;
    if (is_ripe(b, backward, &m->young, m->young_n)) {
        struct corridor t = m->old;

        m->old = m->young;
        m->old_n = m->young_n;
        m->young = t;
        m->young_n = 0;
        corridor_reset(&m->young);
    }
    if (corridor_ok(&m->old, b->wander, b->drift))
        return;
    memory_clear(m);
    add_stretch(b, which, backward, &m->old);
    m->old_n = 1;
    if (!corridor_ok(&m->old, b->wander, b->drift))
        memory_clear(m);
}

static void bound_side(const struct bounding *b, struct side *side, bool backward)
{
    struct memory m = { 0 };

    memory_clear(&m);
    side->edge = find_edge(b, backward);
    bound_edge(b, side, backward);
    for (size_t i = 0; i < b->n; i++) {
        size_t which = backward ? b->n - 1 - i : i;

        if (i >= side->edge) {
            struct stretch s = side->at[which];

            s = backward ? mirror_stretch(s) : s;
            corridor_at(&m.old, b->wander, b->drift, &s);
            side->at[which] = backward ? mirror_stretch(s) : s;
            side->is_void[which] = !enough(b, backward, &m.old, ENOUGH);
        }
        memory_add(b, &m, which, backward);
    }
    corridor_free(&m.old);
    corridor_free(&m.young);
}

void bound_unite(struct stretch *s, const struct stretch *o)
{
    s->lo0 = fmin(s->lo0, o->lo0);
    s->lo1 = fmin(s->lo1, o->lo1);
    s->hi0 = fmax(s->hi0, o->hi0);
    s->hi1 = fmax(s->hi1, o->hi1);
}

/* Adds the bounds of one group to 'ret'; false if both sides are void somewhere. */
static bool bound_group(const struct bounding *b, struct stretch *ret, const struct stretch *empty)
{
    struct side past = { 0 }, future = { 0 };
    bool complete = true;

    past.at = xmalloc(b->n * sizeof *past.at);
    future.at = xmalloc(b->n * sizeof *future.at);
    past.is_void = xcalloc(b->n, 1);
    future.is_void = xcalloc(b->n, 1);
    memcpy(past.at, empty, b->n * sizeof *empty);
    memcpy(future.at, empty, b->n * sizeof *empty);
    bound_side(b, &past, false);
    bound_side(b, &future, true);
    for (size_t i = 0; i < b->n; i++) {
        if (!past.is_void[i])
            bound_unite(&ret[i], &past.at[i]);
        if (!future.is_void[i])
            bound_unite(&ret[i], &future.at[i]);
        if (past.is_void[i] && future.is_void[i]) {
            ret[i].lo0 = ret[i].lo1 = -HUGE_VAL;
            ret[i].hi0 = ret[i].hi1 = HUGE_VAL;
            complete = false;
        }
    }
    free(past.at);
    free(future.at);
    free(past.is_void);
    free(future.is_void);
    return complete;
}

/* Cuts the points into stretches of about equally many, without bounds yet; 'begin' is
 * where the points of each begin. */
static size_t cut_stretches(const struct pair *p, struct stretch *ret, size_t *begin)
{
    size_t n = 0, per = (p->points.n + CELLS - 1) / CELLS;

    for (size_t i = 0; i < p->points.n; n++) {
        size_t end = i + per < p->points.n ? i + per : p->points.n;

        while (end < p->points.n && p->points.at[end].x == p->points.at[end - 1].x)
            end++;
        begin[n] = i;
        ret[n] =
            (struct stretch){ p->points.at[i].x, p->points.at[end < p->points.n ? end : end - 1].x,
                              HUGE_VAL,          HUGE_VAL,
                              -HUGE_VAL,         -HUGE_VAL };
        i = end;
    }
    begin[n] = p->points.n;
    return n;
}

static int by_value(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

    return (x > y) - (x < y);
}

static ns_t width_of(double w)
{
    return w >= 0x1p62 ? NS_MAX : w <= 0 ? 0 : (ns_t)ceil(w);
}

/* What the bound would be if both clocks were linear, in each piece. */
static double linear_width(const struct pair *p, int64_t x)
{
    double up = HUGE_VAL, down = -HUGE_VAL;
    const struct piece *s = p->pieces.at;

    for (size_t i = 1; i < p->pieces.n && p->pieces.at[i].x0 <= x; i++)
        s++;
    if (!s || !s->fitted)
        return HUGE_VAL;
    for (size_t i = 0; i < p->points.n; i++) {
        const struct point *q = &p->points.at[i];
        double dx = (double)(x - q->x);
        double a = dx * (double)s->least.slope, b = dx * (double)s->greatest.slope;

        if (q->wrong || q->x < s->x0 || q->x > s->x1)
            continue;
        if (q->upper)
            up = fmin(up, (double)q->d + fmax(a, b));
        else
            down = fmax(down, (double)q->d + fmin(a, b));
    }
    return up - down;
}

static void tell_widths(struct pair *p)
{
    size_t n = p->stretches.n, m = n < 9 ? n : 9;
    ns_t *w = xmalloc((n + 9) * sizeof *w);

    for (size_t i = 0; i < n; i++) {
        const struct stretch *s = &p->stretches.at[i];

        w[i] = width_of((s->hi0 - s->lo0 + s->hi1 - s->lo1) / 2);
    }
    qsort(w, n, sizeof *w, by_value);
    p->info.bound_min = w[0];
    p->info.bound_median = w[n / 2];
    p->info.bound_max = w[n - 1];
    for (size_t i = 0; i < m; i++)
        w[i] = width_of(linear_width(p, p->stretches.at[i * (n - 1) / (m > 1 ? m - 1 : 1)].x0));
    qsort(w, m, sizeof *w, by_value);
    p->info.linear_min = w[0];
    p->info.linear_median = w[m / 2];
    p->info.linear_max = w[m - 1];
    free(w);
}

/* Are there no more than some wrong messages in each direction? */
static bool few_rejected(const struct pair *p)
{
    size_t n[2] = { 0 }, wrong[2] = { 0 };

    for (size_t i = 0; i < p->points.n; i++) {
        n[p->points.at[i].upper]++;
        wrong[p->points.at[i].upper] += p->points.at[i].wrong;
    }
    return wrong[0] <= n[0] / 8 && wrong[1] <= n[1] / 8;
}

static bool bound_all_steady(struct bounding *b, struct pair *p, const struct stretch *empty)
{
    /* That many wrong messages there are not: clocks that step back and forth mix theirs up. */
    bool ok = few_rejected(p);

    memcpy(p->stretches.at, empty, b->n * sizeof *empty);
    for (b->group = 0; b->group < b->groups && ok; b->group++) {
        find_directions(b);
        ok = b->has[0] && b->has[1]; /* messages in one direction fit to any step in the other */
        ok = ok && bound_steady(b, p, p->stretches.at, empty);
    }
    for (int i = 0; i < 2 && (!ok || b->groups > 1); i++) { /* rates of one group are not all */
        p->outside[i][0] = -b->drift;
        p->outside[i][1] = b->drift;
    }
    return ok;
}

void pair_bound(struct pair *p, const struct sync_options *o, unsigned doubt)
{
    size_t *begin = xmalloc((CELLS + 1) * sizeof *begin);
    struct stretch *empty = xmalloc(CELLS * sizeof *empty);
    size_t n = cut_stretches(p, empty, begin);
    struct bounding b = { .p = p, .drift = o->drift_ppm * 1e-6, .calm = o->calm_ns, .n = n };
    bool complete = false;

    b.wander = o->wander_ppm * 1e-6;
    b.groups = 1 + doubt;
    b.begin = begin;
    vec_reserve(&p->stretches, n);
    p->stretches.n = n;
    for (int i = 0; i < 2; i++) {
        p->outside[i][0] = -b.drift;
        p->outside[i][1] = b.drift;
    }
    if (n && !o->hidden)
        complete = bound_all_steady(&b, p, empty);
    while (n && !complete) {
        memcpy(p->stretches.at, empty, n * sizeof *empty);
        complete = true;
        for (b.group = 0; b.group < b.groups; b.group++) {
            find_directions(&b);
            complete &= bound_group(&b, p->stretches.at, empty);
        }
        if (b.wander >= b.drift)
            break;
        b.wander = b.wander > 0 ? fmin(2 * b.wander, b.drift) : 1e-9;
    }
    if (n)
        tell_widths(p);
    free(empty);
    free(begin);
}
