/* SPDX-License-Identifier: Apache-2.0
 *
 * poly.c -- the estimate of a pair of clocks as a polygon, and polygons of polygons.
 *
 * A step lies somewhere between two messages: the polygon has a ramp there.  Where a
 * clock stepped back, its polygon stays level until the clock has come to where it
 * was before: so all polygons grow, and can be turned round. */
#include "sync/sync_priv.h"

#include <math.h>
#include <stdlib.h>

/* How far ends go beyond the messages: 13 days, more than a trace. */
#define POLY_BEYOND (INT64_C(1) << 50)

static long double between(const struct poly_knot *k, long double x)
{
    long double dx = (long double)k[1].x - (long double)k[0].x;

    return dx <= 0 ? k[0].y : k[0].y + (k[1].y - k[0].y) * ((x - (long double)k[0].x) / dx);
}

long double poly_at(const struct poly *p, long double x)
{
    size_t lo = 0, hi = p->knots.n;

    if (hi == 0)
        return x;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if ((long double)p->knots.at[mid].x <= x)
            lo = mid;
        else
            hi = mid;
    }
    const struct poly_knot *k = &p->knots.at[lo];
    if (lo + 1 == p->knots.n || x < (long double)k->x)
        return k->y + (x - (long double)k->x);
    return between(k, x);
}

long double poly_from(const struct poly *p, long double y)
{
    size_t lo = 0, hi = p->knots.n;

    if (hi == 0)
        return y;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (p->knots.at[mid].y < y)
            lo = mid;
        else
            hi = mid;
    }
    const struct poly_knot *k = &p->knots.at[lo];
    if (lo + 1 == p->knots.n || y < k->y)
        return (long double)k->x + (y - k->y);
    if (k[1].y <= k->y)
        return (long double)k->x;
    return (long double)k->x +
           ((long double)k[1].x - (long double)k->x) * ((y - k->y) / (k[1].y - k->y));
}

ns_t ns_of(long double t)
{
    return t >= 0x1p63L ? NS_MAX : t <= -0x1p63L ? NS_MIN : (ns_t)floorl(t + 0.5L);
}

static void push(struct poly *p, long double x, long double y)
{
    ns_t at = ns_of(x);

    if (p->knots.n && at <= p->knots.at[p->knots.n - 1].x)
        return;
    *vec_push(&p->knots) = (struct poly_knot){ at, y };
}

/* Makes 'in', whose x grow, never go back. */
static void push_growing(struct poly *ret, const struct poly_knot *in, size_t n, bool turned)
{
    long double top = -HUGE_VALL;

    for (size_t i = 0; i < n; i++) {
        long double x = (long double)in[i].x, y = in[i].y;

        if (i && y > top && in[i - 1].y < top) {
            long double cut =
                (long double)in[i - 1].x +
                (x - (long double)in[i - 1].x) * ((top - in[i - 1].y) / (y - in[i - 1].y));

            turned ? push(ret, top + 1, cut) : push(ret, cut, top);
        }
        if (y > top) {
            turned ? push(ret, y, x) : push(ret, x, y);
            top = y;
        }
    }
    if (n && !turned)
        push(ret, (long double)in[n - 1].x, top);
}

static long double line_at(const struct line *l, long double x)
{
    return (long double)l->d + l->slope * (x - (long double)l->x);
}

/* The mean of the extreme lines: of x's clock over y's, if 'over_y', which is another line.
 * There a line is x = (y - d(0)) / (1 + slope). */
long double piece_slope(const struct piece *s, bool over_y)
{
    long double a = s->least.slope, b = s->greatest.slope;

    if (!over_y || a <= -1 || b <= -1)
        return (a + b) / 2;
    long double skew = (a / (1 + a) + b / (1 + b)) / 2;
    return skew / (1 - skew);
}

long double piece_at(const struct piece *s, long double x, bool over_y)
{
    long double a = s->least.slope, b = s->greatest.slope;

    if (!over_y || a <= -1 || b <= -1)
        return (line_at(&s->least, x) + line_at(&s->greatest, x)) / 2;
    long double skew = (a / (1 + a) + b / (1 + b)) / 2;
    long double d = (line_at(&s->least, 0) / (1 + a) + line_at(&s->greatest, 0) / (1 + b)) / 2;
    return (x * skew + d) / (1 - skew);
}

void pair_poly(const struct pair *p, bool from_x, struct poly *ret)
{
    VEC(struct poly_knot) in = { 0 };

    for (size_t i = 0; i < p->pieces.n; i++) {
        const struct piece *s = &p->pieces.at[i];
        int64_t x0 = i ? s->x0 : s->x0 - POLY_BEYOND;
        int64_t x1 = i + 1 < p->pieces.n ? s->x1 : s->x1 + POLY_BEYOND;
        int64_t ends[2] = { x0, x1 };

        for (int k = 0; k < 2; k++)
            *vec_push(&in) = (struct poly_knot){ ns_of((long double)p->x0 + (long double)ends[k]),
                                                 (long double)p->y0 + (long double)ends[k] +
                                                     piece_at(s, (long double)ends[k], from_x) };
    }
    ret->knots.n = 0;
    push_growing(ret, in.at, in.n, !from_x);
    vec_free(&in);
}

void poly_compose(const struct poly *first, const struct poly *then, struct poly *ret)
{
    size_t k = 0;

    ret->knots.n = 0;
    for (size_t i = 0; i < first->knots.n; i++) {
        const struct poly_knot *f = &first->knots.at[i];

        for (; k < then->knots.n && (long double)then->knots.at[k].x < f->y; k++)
            if (i) {
                long double x = poly_from(first, (long double)then->knots.at[k].x);

                push(ret, x, poly_at(then, poly_at(first, (long double)ns_of(x))));
            }
        push(ret, (long double)f->x, poly_at(then, f->y));
    }
}
