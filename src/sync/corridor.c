/* SPDX-License-Identifier: Apache-2.0
 *
 * corridor.c -- the straight lines that pass below all upper and above all lower points.
 *
 * A slope s is possible iff for each upper point u and lower point l
 *
 *     s <= (u.d - l.d) / (u.x - l.x)   where u is later,
 *     s >= (l.d - u.d) / (l.x - u.x)   where l is later.
 *
 * So a new point asks for the tangent to the hull of the opposite ones, a binary search
 * with exact integers, and the extreme slopes only ever move towards each other.
 *
 * A clock whose rate wanders by w around a constant deviates from its line by at most
 * w * distance, which makes each quotient w less strict: what is possible is the range
 * of straight lines, w wider at both ends. */
#include "sync/sync_priv.h"

#include <math.h>
#include <stdlib.h>

static wide_t turn(const struct point *o, const struct point *a, const struct point *b)
{
    return (wide_t)(a->x - o->x) * (b->d - o->d) - (wide_t)(a->d - o->d) * (b->x - o->x);
}

static double slope_of(const struct point *a, const struct point *b)
{
    return (double)(b->d - a->d) / (double)(b->x - a->x);
}

void corridor_reset(struct corridor *c)
{
    c->lower.n = c->upper.n = 0;
    c->nlower = c->nupper = 0;
    c->least = -HUGE_VAL;
    c->greatest = HUGE_VAL;
}

void corridor_free(struct corridor *c)
{
    vec_free(&c->lower);
    vec_free(&c->upper);
}

/* The slope that 'p' allows at most (upper) or at least (lower), and the point on the
 * opposite hull that the line touches. */
static double limit(const struct corridor *c, const struct point *p, const struct point **ret)
{
    const struct point *h = p->upper ? c->lower.at : c->upper.at;
    size_t n = p->upper ? c->lower.n : c->upper.n, lo = 0;

    *ret = NULL;
    if (n && h[n - 1].x == p->x) {
        /* At the same instant there is no slope, only an order. */
        if (p->upper ? p->d < h[n - 1].d : p->d > h[n - 1].d) {
            *ret = &h[n - 1];
            return p->upper ? -HUGE_VAL : HUGE_VAL;
        }
        n--;
    }
    if (n == 0)
        return p->upper ? HUGE_VAL : -HUGE_VAL;
    size_t hi = n - 1;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        wide_t t = turn(&h[mid], &h[mid + 1], p);

        if (p->upper ? t > 0 : t < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    *ret = &h[lo];
    return slope_of(&h[lo], p);
}

static bool possible(double least, double greatest, double wander, double drift)
{
    return least - wander <= greatest + wander && least - wander <= drift &&
           greatest + wander >= -drift;
}

bool corridor_ok(const struct corridor *c, double wander, double drift)
{
    return possible(c->least, c->greatest, wander, drift);
}

bool corridor_fits(const struct corridor *c, const struct point *p, double wander, double drift)
{
    const struct point *at;
    double s = limit(c, p, &at), least = c->least, greatest = c->greatest;

    if (p->upper)
        greatest = s < greatest ? s : greatest;
    else
        least = s > least ? s : least;
    return possible(least, greatest, wander, drift);
}

void corridor_add(struct corridor *c, const struct point *p)
{
    const struct point *at;
    double s = limit(c, p, &at);
    bool upper = p->upper;

    if (c->nlower + c->nupper == 0)
        c->first = p->x;
    c->last = p->x;
    if (upper && s < c->greatest) {
        c->greatest = s;
        c->greatest_at[0] = *at;
        c->greatest_at[1] = *p;
    } else if (!upper && s > c->least) {
        c->least = s;
        c->least_at[0] = *at;
        c->least_at[1] = *p;
    }
    struct point *h = upper ? c->upper.at : c->lower.at;
    size_t n = upper ? c->upper.n : c->lower.n;
    *(upper ? &c->nupper : &c->nlower) += 1;
    if (n && h[n - 1].x == p->x) {
        if (upper ? h[n - 1].d <= p->d : h[n - 1].d >= p->d)
            return;
        n--;
    }
    while (n >= 2) {
        wide_t t = turn(&h[n - 2], &h[n - 1], p);

        if (upper ? t > 0 : t < 0)
            break;
        n--;
    }
    if (upper) {
        c->upper.n = n;
        *vec_push(&c->upper) = *p;
    } else {
        c->lower.n = n;
        *vec_push(&c->lower) = *p;
    }
}

/* All points are earlier, so the bound is steepest where the slope is, and the same
 * point of the hull is best everywhere: the bound is straight. */
void corridor_at(const struct corridor *c, double wander, double drift, struct stretch *ret)
{
    double up = fmin(c->greatest + 2 * wander, drift), down = fmax(c->least - 2 * wander, -drift);

    ret->lo0 = ret->lo1 = -HUGE_VAL;
    ret->hi0 = ret->hi1 = HUGE_VAL;
    for (size_t i = 0; i < c->upper.n; i++) {
        const struct point *u = &c->upper.at[i];
        double at0 = (double)u->d + up * (double)(ret->x0 - u->x);

        if (at0 < ret->hi0) {
            ret->hi0 = at0;
            ret->hi1 = (double)u->d + up * (double)(ret->x1 - u->x);
        }
    }
    for (size_t i = 0; i < c->lower.n; i++) {
        const struct point *l = &c->lower.at[i];
        double at0 = (double)l->d + down * (double)(ret->x0 - l->x);

        if (at0 > ret->lo0) {
            ret->lo0 = at0;
            ret->lo1 = (double)l->d + down * (double)(ret->x1 - l->x);
        }
    }
}
