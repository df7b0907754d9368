/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c -- see clock.h.
 *
 * Everything is integers: products of two instants need 128 bits, and rounding to
 * the nearest keeps order, because a monotone function of integers is rounded. */
#include "sync/clock.h"

#include <math.h>

static ns_t saturate(__int128 t)
{
    return t < NS_MIN ? NS_MIN : t > NS_MAX ? NS_MAX : (ns_t)t;
}

static __int128 floor_div(__int128 a, __int128 b)
{
    return a / b - (a % b < 0);
}

static ns_t on_any_line(ns_t x0, ns_t y0, ns_t x1, ns_t y1, ns_t x)
{
    __int128 dx = (__int128)x1 - x0, dy = (__int128)y1 - y0, at = (__int128)x - x0;
    __int128 whole = floor_div(dy, dx), rest = dy - whole * dx;

    /* The whole part apart: |at| and 'rest' below 2^64 then fit, whatever the slope. */
    if (whole > INT64_MAX || whole < INT64_MIN)
        return at < dx ? y0 : y1;
    __int128 y = y0 + floor_div(rest * (at / 2) * 2 + rest * (at % 2) + dx / 2, dx);
    __int128 step;
    if (__builtin_mul_overflow(whole, at, &step) || __builtin_add_overflow(y, step, &y))
        return (whole < 0) == (at < 0) ? NS_MAX : NS_MIN;
    return saturate(y);
}

/* y at x on the line through two points, to the nearest; x0 < x1.  All instants of a history go
 * through here.  Clocks are about as fast as each other: 64 bits are enough for the difference. */
static ns_t on_line(ns_t x0, ns_t y0, ns_t x1, ns_t y1, ns_t x)
{
    ns_t dx, dy, at, more, y;

    if (__builtin_sub_overflow(x1, x0, &dx) || __builtin_sub_overflow(y1, y0, &dy) ||
        __builtin_sub_overflow(x, x0, &at) || __builtin_sub_overflow(dy, dx, &more) ||
        __builtin_mul_overflow(more, at, &more) || __builtin_add_overflow(more, dx / 2, &more) ||
        __builtin_add_overflow(y0, at, &y) ||
        __builtin_add_overflow(y, more / dx - (more % dx < 0), &y))
        return on_any_line(x0, y0, x1, y1, x);
    return y;
}

/* The last knot at or before 'local'; the first when there is none. */
static uint32_t knot_before(const struct sync_clock *c, ns_t local)
{
    /* Who reads a history asks for one instant after the other: it is mostly the same knot. */
    static _Thread_local uint32_t last;
    uint32_t lo = 0, hi = c->nknots;

    if (last + 1 < hi && c->knots[last].local <= local && local < c->knots[last + 1].local)
        return last;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (c->knots[mid].local <= local)
            lo = mid;
        else
            hi = mid;
    }
    return last = lo;
}

/* Outside of the knots: as fast as inside, unless that is no rate of a clock. */
static double rate_of(const struct sync_clock *c)
{
    return c->slope > 0.5 && c->slope < 2 ? c->slope : 1;
}

static ns_t go_on(ns_t from, __int128 d, double rate)
{
    __int128 more = (__int128)floorl((long double)d * ((long double)rate - 1) + 0.5L);

    return saturate(from + d + more);
}

ns_t clock_to_ref(const struct sync_clock *c, ns_t local)
{
    if (c->nknots == 0)
        return local;
    const struct sync_knot *k = &c->knots[knot_before(c, local)];
    const struct sync_knot *last = &c->knots[c->nknots - 1];

    if (k == last || local < k->local)
        return go_on(k->corrected, (__int128)local - k->local, rate_of(c));
    return on_line(k->local, k->corrected, k[1].local, k[1].corrected, local);
}

ns_t clock_from_ref(const struct sync_clock *c, ns_t ref)
{
    uint32_t lo = 0, hi = c->nknots;

    if (hi == 0)
        return ref;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (c->knots[mid].corrected < ref)
            lo = mid;
        else
            hi = mid;
    }
    const struct sync_knot *k = &c->knots[lo];
    if (lo == c->nknots - 1 || ref < k->corrected)
        return go_on(k->local, (__int128)ref - k->corrected, 1 / rate_of(c));
    if (k[1].corrected == k->corrected)
        return k->local;
    return on_line(k->corrected, k->local, k[1].corrected, k[1].local, ref);
}

/* What the bound may have moved in 'd' ns after or before all knots. */
static __int128 drifted(const struct sync_clock *c, __int128 d)
{
    return d * (__int128)(c->drift_ppm * 1000 + 1) / 1000000000 + 1;
}

struct clock_bounds clock_bounds(const struct sync_clock *c, ns_t local)
{
    if (c->quality == SYNC_REFERENCE)
        return (struct clock_bounds){ local, local };
    if (c->nknots == 0)
        return (struct clock_bounds){ NS_MIN, NS_MAX };
    const struct sync_knot *k = &c->knots[knot_before(c, local)];
    struct clock_bounds b = { k->lo, k->hi };

    if (local < k->local || k == &c->knots[c->nknots - 1]) {
        __int128 d = (__int128)local - k->local, open = drifted(c, d < 0 ? -d : d);

        b.lo = k->lo == NS_MIN ? NS_MIN : saturate((__int128)go_on(k->lo, d, rate_of(c)) - open);
        b.hi = k->hi == NS_MAX ? NS_MAX : saturate((__int128)go_on(k->hi, d, rate_of(c)) + open);
        return b;
    }
    if (local != k->local) {
        bool lo_open = k->lo == NS_MIN || k[1].lo == NS_MIN;
        bool hi_open = k->hi == NS_MAX || k[1].hi == NS_MAX;

        b.lo = lo_open ? NS_MIN : on_line(k->local, k->lo, k[1].local, k[1].lo, local);
        b.hi = hi_open ? NS_MAX : on_line(k->local, k->hi, k[1].local, k[1].hi, local);
    }
    return b;
}
