/* SPDX-License-Identifier: Apache-2.0
 *
 * close.c -- what all pairs together say of each host, as a table.
 *
 * The span of all messages is cut into equal intervals.  Let A(t) be the estimate, from the
 * composed lines of a tree of pairs, of the reference time at which host a's clock shows t,
 * and e_a what it is wrong by.  The bounds of a pair, lo <= f(t) <= hi, say that
 *
 *     B(lo) - A(t) <= e_a - e_b <= B(hi) - A(t).
 *
 * So the errors obey difference constraints, e_reference = 0, and shortest paths over
 * all pairs give the tightest bounds that follow from them: several paths intersect.
 *
 * The estimate itself must turn no message round.  A message from a to b asks for
 * r_a - r_b <= v, where r is what is added to A and B, and v what lies between sent and
 * received as A and B see it.  Mostly r = 0 does: two hosts keep their straight line.  Where it
 * doesn't, r is made of straight parts between knots, and each message that is not
 * content moves the knots around it as little as it must.  The truth contents all of them with
 * their latencies to spare, so that these projections come to an end. */
#include "sync/sync_priv.h"

#include <math.h>
#include <stdlib.h>

enum {
    FINE = 256,
    COARSE = 40,
    MANY_HOSTS = 100,
    ROUNDS = 64,
    WIDENINGS = 6,
    MOST_DROPS = 64,
    MOVE_ROUNDS = 50,
    MOST_MOVES = 4000000
};

/* Of e_a - e_b of a pair in an interval, or r_a - r_b at a knot. */
struct limits {
    double lo, hi; /* -HUGE_VAL, HUGE_VAL: none */
};

/* What a message asks of shifts, r_from - r_to <= v, at places counted in intervals. */
struct ask {
    uint32_t from, to, pair;
    double from_at, to_at, v;
    double moved; /* how much it has asked for */
};

struct closing {
    struct sync *s;
    const struct poly *polys;
    const bool *reached;
    size_t n;             /* intervals; knots are n + 1           */
    long double t0, step; /* of the reference                     */
    struct limits *pairs; /* [pair * (n + 1) + interval]          */
    struct limits *hosts; /* [host * (n + 1) + interval]          */
    double *shifts;       /* r: [host * (n + 1) + knot]           */
    size_t drops;         /* pairs                                               */
    size_t work;          /* messages that were asked */
    size_t parts;         /* straight parts of r, not more than n        */
    VEC(struct ask) asks;
};

static bool in_closing(const struct closing *c, const struct pair *p)
{
    return c->reached[p->x_host] && c->reached[p->y_host] && !p->info.dropped && p->stretches.n;
}

static size_t interval_of(const struct closing *c, long double t)
{
    long double k = floorl((t - c->t0) / c->step);

    return k < 0 ? 0 : k >= (long double)c->n ? c->n - 1 : (size_t)k;
}

/* --- spans ----------------------------------------------------------------------- */

static void find_span(struct closing *c)
{
    long double lo = HUGE_VALL, hi = -HUGE_VALL;

    for (size_t i = 0; i < c->s->pairs.n; i++) {
        const struct pair *p = &c->s->pairs.at[i];

        if (!in_closing(c, p))
            continue;
        int64_t x0 = p->stretches.at[0].x0, x1 = p->stretches.at[p->stretches.n - 1].x1;
        const struct poly *a = &c->polys[p->x_host];

        lo = fminl(lo, poly_at(a, (long double)p->x0 + (long double)x0));
        hi = fmaxl(hi, poly_at(a, (long double)p->x0 + (long double)x1));
    }
    c->t0 = lo;
    c->step = (hi - lo) / (long double)c->n;
    if (c->step < 1)
        c->step = 1;
}

/* --- bounds ---------------------------------------------------------------------- */

static double interpolate(double y0, double y1, long double f)
{
    return isinf(y0) || isinf(y1) ? y0 + y1 : y0 + (double)f * (y1 - y0);
}

/* What the bounds say at one instant of a. */
static struct limits say_at(const struct closing *c, const struct pair *p, const struct stretch *s,
                            long double x)
{
    long double f = s->x1 > s->x0 ? (x - (long double)s->x0) / (long double)(s->x1 - s->x0) : 0;
    long double t = poly_at(&c->polys[p->x_host], (long double)p->x0 + x);
    long double b = (long double)p->y0 + x;
    double lo = interpolate(s->lo0, s->lo1, f), hi = interpolate(s->hi0, s->hi1, f);
    struct limits r = { -HUGE_VAL, HUGE_VAL };

    if (!isinf(lo))
        r.lo = (double)(poly_at(&c->polys[p->y_host], b + (long double)lo) - t) - 1;
    if (!isinf(hi))
        r.hi = (double)(poly_at(&c->polys[p->y_host], b + (long double)hi) - t) + 1;
    return r;
}

static void loosen(struct limits *l, struct limits by)
{
    l->lo = fmin(l->lo, by.lo);
    l->hi = fmax(l->hi, by.hi);
}

/* Between its ends a stretch is straight as long as both estimates are: their knots
 * are looked at as well. */
static struct limits say_stretch(const struct closing *c, const struct pair *p,
                                 const struct stretch *s)
{
    const struct poly *a = &c->polys[p->x_host], *b = &c->polys[p->y_host];
    struct limits r = say_at(c, p, s, (long double)s->x0);

    loosen(&r, say_at(c, p, s, (long double)s->x1));
    for (size_t i = 0; i < a->knots.n; i++) {
        long double x = (long double)a->knots.at[i].x - (long double)p->x0;

        if (x > (long double)s->x0 && x < (long double)s->x1)
            loosen(&r, say_at(c, p, s, x));
    }
    for (size_t i = 0; i < b->knots.n; i++)
        for (int side = 0; side < 2; side++) {
            double d0 = side ? s->hi0 : s->lo0, d1 = side ? s->hi1 : s->lo1;
            long double y = (long double)b->knots.at[i].x - (long double)p->y0 - (long double)s->x0;
            long double len = (long double)(s->x1 - s->x0), rate;

            if (isinf(d0) || isinf(d1) || len <= 0)
                continue;
            rate = 1 + (long double)(d1 - d0) / len;
            long double x = (y - (long double)d0) / (rate > 0 ? rate : 1);
            if (x > 0 && x < len)
                loosen(&r, say_at(c, p, s, (long double)s->x0 + x));
        }
    return r;
}

/* Puts a stretch into all intervals in which it may have been, if estimates are
 * wrong by up to 'wrong'. */
static void put_stretch(const struct closing *c, const struct pair *p, const struct stretch *s,
                        long double wrong, struct limits *ret)
{
    const struct poly *a = &c->polys[p->x_host];
    long double from = poly_at(a, (long double)p->x0 + (long double)s->x0);
    long double to = poly_at(a, (long double)p->x0 + (long double)s->x1);
    struct limits said = say_stretch(c, p, s);
    size_t last = interval_of(c, to + wrong);

    for (size_t k = interval_of(c, from - wrong); k <= last; k++)
        loosen(&ret[k], said);
}

/* Bounds of the time before and after all messages of a pair: as far as clocks drift. */
static void put_ends(const struct closing *c, const struct pair *p, long double wrong,
                     struct limits *ret)
{
    const struct poly *a = &c->polys[p->x_host];
    const struct stretch *first = &p->stretches.at[0], *last = &p->stretches.at[p->stretches.n - 1];
    long double from = poly_from(a, c->t0 - wrong) - (long double)p->x0;
    long double to = poly_from(a, c->t0 + c->step * (long double)c->n + wrong) - (long double)p->x0;
    struct stretch s;

    if (from < (long double)first->x0) {
        double d = (double)((long double)first->x0 - from);

        s = (struct stretch){ (int64_t)fmaxl(from, -0x1p61L),    first->x0,
                              first->lo0 - d * p->outside[0][1], first->lo0,
                              first->hi0 - d * p->outside[0][0], first->hi0 };
        put_stretch(c, p, &s, wrong, ret);
    }
    if (to > (long double)last->x1) {
        double d = (double)(to - (long double)last->x1);

        s = (struct stretch){ last->x1,  (int64_t)fminl(to, 0x1p61L),
                              last->lo1, last->lo1 + d * p->outside[1][0],
                              last->hi1, last->hi1 + d * p->outside[1][1] };
        put_stretch(c, p, &s, wrong, ret);
    }
}

static void say_pairs(struct closing *c, long double wrong)
{
    for (size_t i = 0; i < c->s->pairs.n; i++) {
        const struct pair *p = &c->s->pairs.at[i];
        struct limits *l = &c->pairs[i * (c->n + 1)];

        if (!in_closing(c, p))
            continue;
        for (size_t k = 0; k <= c->n; k++)
            l[k] = (struct limits){ HUGE_VAL, -HUGE_VAL };
        for (size_t k = 0; k < p->stretches.n; k++)
            put_stretch(c, p, &p->stretches.at[k], wrong, l);
        put_ends(c, p, wrong, l);
    }
}

/* --- closure --------------------------------------------------------------------- */

static bool lower(double *d, double to)
{
    if (to >= *d)
        return false;
    *d = to;
    return true;
}

static bool raise(double *d, double to)
{
    if (to <= *d)
        return false;
    *d = to;
    return true;
}

/* Shortest paths at interval or knot 'k'; false if the pairs contradict each other. */
static bool close_at(struct closing *c, size_t k)
{
    struct limits *hosts = c->hosts;
    size_t w = c->n + 1;
    bool again = true;

    for (size_t h = 0; h < c->s->nhosts; h++)
        hosts[h * w + k] = (struct limits){ -HUGE_VAL, HUGE_VAL };
    hosts[c->s->reference * w + k] = (struct limits){ 0, 0 };
    for (int round = 0; again && round < ROUNDS; round++) {
        again = false;
        for (size_t i = 0; i < c->s->pairs.n; i++) {
            const struct pair *p = &c->s->pairs.at[i];
            const struct limits *l = &c->pairs[i * w + k];

            if (!in_closing(c, p) || l->lo > l->hi)
                continue;
            struct limits *a = &hosts[p->x_host * w + k], *b = &hosts[p->y_host * w + k];
            again |= lower(&a->hi, b->hi + l->hi);
            again |= raise(&a->lo, b->lo + l->lo);
            again |= lower(&b->hi, a->hi - l->lo);
            again |= raise(&b->lo, a->lo - l->hi);
        }
    }
    for (size_t h = 0; h < c->s->nhosts; h++)
        if (hosts[h * w + k].lo > hosts[h * w + k].hi)
            return false;
    return true;
}

/* Of the pairs that keep nothing together, the one with the fewest messages. */
static bool drop_a_pair(struct closing *c, size_t k)
{
    struct pair *worst = NULL;

    for (size_t i = 0; i < c->s->pairs.n; i++) {
        struct pair *p = &c->s->pairs.at[i];
        size_t w = c->n + 1;

        if (!in_closing(c, p))
            continue;
        const struct limits *a = &c->hosts[p->x_host * w + k], *b = &c->hosts[p->y_host * w + k];
        if (a->lo <= a->hi && b->lo <= b->hi)
            continue;
        if (!worst || p->info.used < worst->info.used)
            worst = p;
    }
    if (worst)
        worst->info.dropped = true;
    return worst != NULL;
}

/* Where pairs still contradict each other, nothing is certain. */
static void open_contradictions(struct closing *c, size_t k)
{
    for (size_t h = 0; h < c->s->nhosts; h++) {
        struct limits *l = &c->hosts[h * (c->n + 1) + k];

        if (l->lo > l->hi && h != c->s->reference)
            *l = (struct limits){ -HUGE_VAL, HUGE_VAL };
    }
}

static void close_bounds(struct closing *c, long double wrong)
{
    say_pairs(c, wrong);
    for (size_t k = 0; k < c->n; k++) {
        while (!close_at(c, k) && c->drops < MOST_DROPS && drop_a_pair(c, k)) {
            c->drops++;
            k = 0;
        }
        open_contradictions(c, k);
    }
}

/* The most that any estimate is wrong by. */
static long double most_wrong(const struct closing *c)
{
    double most = 0;

    for (size_t h = 0; h < c->s->nhosts; h++)
        for (size_t k = 0; k < c->n; k++) {
            const struct limits *l = &c->hosts[h * (c->n + 1) + k];

            most = isinf(l->lo) ? most : fmax(most, fabs(l->lo));
            most = isinf(l->hi) ? most : fmax(most, fabs(l->hi));
        }
    return (long double)most + 1;
}

/* --- the estimate ---------------------------------------------------------------- */

/* Where an instant lies, in intervals. */
static double place(const struct closing *c, long double t)
{
    return (double)fminl(fmaxl((t - c->t0) / c->step, 0), (long double)c->n);
}

/* The part of r that holds a place, and how far it is through it. */
static double *part_of(const struct closing *c, uint32_t host, double at, double *ret_through)
{
    double x = at * (double)c->parts / (double)c->n;
    size_t k = (size_t)x < c->parts ? (size_t)x : c->parts - 1;

    *ret_through = x - (double)k;
    return &c->shifts[host * (c->n + 1) + k];
}

/* True if some message is not content without shifts. */
static bool ask_all(struct closing *c)
{
    double most = c->s->o.drift_ppm * 1e-6 * (double)c->step;
    bool reversed = false;

    for (size_t i = 0; i < c->s->pairs.n; i++) {
        struct pair *p = &c->s->pairs.at[i];

        if (!in_closing(c, p))
            continue;
        vec_reserve(&c->asks, c->asks.n + p->points.n);
        for (size_t m = 0; m < p->points.n; m++) {
            const struct point *q = &p->points.at[m];
            long double x = (long double)p->x0 + (long double)q->x;
            long double y = (long double)p->y0 + (long double)q->x + (long double)q->d;
            uint32_t from = q->upper ? p->x_host : p->y_host, to = p->x_host + p->y_host - from;
            struct ask k = { .from = from, .to = to, .pair = (uint32_t)i };

            if (q->wrong)
                continue;
            x = poly_at(&c->polys[p->x_host], x);
            y = poly_at(&c->polys[p->y_host], y);
            k.v = (double)(q->upper ? y - x : x - y);
            if (p->in_tree && p->pieces.n > 1 && k.v < -most) {
                /* Of a time that a clock shows twice, the polygon knows one. */
                p->info.rejected++;
                p->info.used--;
                continue;
            }
            k.from_at = place(c, q->upper ? x : y);
            k.to_at = place(c, q->upper ? y : x);
            reversed |= k.v < -1;
            c->asks.at[c->asks.n++] = k;
        }
    }
    return reversed;
}

static double square(double x)
{
    return x * x;
}

/* True if the message had to move something.  The reference doesn't move. */
static bool content(struct closing *c, struct ask *k)
{
    double f1, t1, over, norm = 0, move;
    double *f = part_of(c, k->from, k->from_at, &f1), *t = part_of(c, k->to, k->to_at, &t1);
    bool from = k->from != c->s->reference, to = k->to != c->s->reference;

    over = (1 - f1) * f[0] + f1 * f[1] - (1 - t1) * t[0] - t1 * t[1] - k->v;
    if (over <= 0.5)
        return false;
    k->moved += over;
    norm += from ? square(1 - f1) + square(f1) : 0;
    norm += to ? square(1 - t1) + square(t1) : 0;
    move = (1.25 * over + 1) / norm;
    if (from) {
        f[0] -= move * (1 - f1);
        f[1] -= move * f1;
    }
    if (to) {
        t[0] += move * (1 - t1);
        t[1] += move * t1;
    }
    return true;
}

static bool move_all(struct closing *c, size_t rounds)
{
    bool again = true;

    for (size_t round = 0; again && round < rounds; round++, c->work += c->asks.n) {
        again = false;
        for (size_t i = 0; i < c->asks.n; i++)
            again |= content(c, &c->asks.at[i]);
    }
    return !again;
}

/* Where messages contradict each other in a circle, a wrong one asks for as much as all
 * those together that undo it. */
static void reject_loudest(struct closing *c)
{
    double most = 0;
    size_t n = 0;

    for (size_t i = 0; i < c->asks.n; i++)
        most = fmax(most, c->asks.at[i].moved);
    for (size_t i = 0; i < c->asks.n; i++) {
        struct ask *k = &c->asks.at[i];

        if (k->moved > most / 2) {
            c->s->pairs.at[k->pair].info.rejected++;
            c->s->pairs.at[k->pair].info.used--;
            continue;
        }
        c->asks.at[n] = *k;
        c->asks.at[n++].moved = 0;
    }
    c->asks.n = n;
}

/* Makes 'parts' parts of what are fewer. */
static void refine(struct closing *c, size_t parts)
{
    for (uint32_t h = 0; h < c->s->nhosts; h++) {
        double *r = &c->shifts[h * (c->n + 1)], fine[FINE + 1];

        for (size_t k = 0; k <= parts; k++) {
            double through, *part = part_of(c, h, (double)(k * c->n) / (double)parts, &through);

            fine[k] = part[0] + through * (part[1] - part[0]);
        }
        memcpy(r, fine, (parts + 1) * sizeof *r);
    }
    c->parts = parts;
}

/* Few long parts first: they come to an end soon, and mostly leave little to do. */
static bool move_parts(struct closing *c, size_t rounds)
{
    memset(c->shifts, 0, c->s->nhosts * (c->n + 1) * sizeof *c->shifts);
    c->parts = 1;
    while (!move_all(c, c->parts == c->n ? rounds : 40)) {
        if (c->parts == c->n)
            return false;
        refine(c, c->parts * 4 < c->n ? c->parts * 4 : c->n);
    }
    refine(c, c->n);
    return true;
}

static void shift_all(struct closing *c)
{
    size_t rounds = MOST_MOVES / (c->asks.n + 1);

    /* It may take long where there is little room; a contradiction takes for ever. */
    rounds = rounds < 40 ? 40 : rounds > 800 ? 800 : rounds;
    while (!move_parts(c, rounds)) {
        if (c->work > MOST_MOVES) {
            memset(c->shifts, 0, c->s->nhosts * (c->n + 1) * sizeof *c->shifts);
            break;
        }
        reject_loudest(c);
        rounds = rounds / 4 > 40 ? rounds / 4 : 40;
    }
}

/* --- tables ---------------------------------------------------------------------- */

/* The bounds of interval 'k' of the estimate: the truth may lie in another interval. */
static struct limits error_in(const struct closing *c, uint32_t host, size_t k, long double wrong)
{
    const struct limits *l = &c->hosts[host * (c->n + 1)];
    long double from = c->t0 + c->step * (long double)k;
    size_t last = interval_of(c, from + c->step + wrong);
    struct limits r = l[k];

    for (size_t j = interval_of(c, from - wrong); j <= last; j++)
        loosen(&r, l[j]);
    return r;
}

static ns_t bound_ns(long double t, double error)
{
    if (isinf(error))
        return error < 0 ? NS_MIN : NS_MAX;
    return ns_of(error < 0 ? floorl(t + (long double)error) - 1
                           : ceill(t + (long double)error) + 1);
}

static double shift_at(const struct closing *c, uint32_t host, long double t)
{
    double through;
    const double *r = part_of(c, host, place(c, t), &through);

    return r[0] + through * (r[1] - r[0]);
}

static void add_knot(struct closing *c, uint32_t host, ns_t local, struct limits e)
{
    struct sync_clock *clock = &c->s->clocks[host];
    long double t = poly_at(&c->polys[host], (long double)local);
    struct sync_knot *last = clock->nknots ? &clock->knots[clock->nknots - 1] : NULL;
    struct sync_knot n = { local, ns_of(t + (long double)shift_at(c, host, t)), bound_ns(t, e.lo),
                           bound_ns(t, e.hi) };

    if (last && n.local <= last->local) {
        /* Two instants of the reference in one of this clock. */
        last->lo = n.lo < last->lo ? n.lo : last->lo;
        last->hi = n.hi > last->hi ? n.hi : last->hi;
        return;
    }
    if (last && n.corrected < last->corrected)
        n.corrected = last->corrected;
    clock->knots[clock->nknots++] = n;
}

/* What is certain stays so when it is made to grow. */
static void make_growing(struct sync_clock *c)
{
    for (uint32_t i = 1; i < c->nknots; i++)
        if (c->knots[i].hi < c->knots[i - 1].hi)
            c->knots[i].hi = c->knots[i - 1].hi;
    for (uint32_t i = c->nknots; i-- > 1;)
        if (c->knots[i - 1].lo > c->knots[i].lo)
            c->knots[i - 1].lo = c->knots[i].lo;
}

static ns_t knot_local(const struct closing *c, uint32_t host, size_t k)
{
    return ns_of(poly_from(&c->polys[host], c->t0 + c->step * (long double)k));
}

/* Knots at the ends of intervals, where bounds change, and of the estimate. */
static void make_clock(struct closing *c, uint32_t host, long double wrong)
{
    struct sync_clock *clock = &c->s->clocks[host];
    const struct poly *p = &c->polys[host];
    struct limits before = { HUGE_VAL, -HUGE_VAL };
    bool lo_open = true, hi_open = true;
    size_t next = 0;

    clock->knots = xmalloc((c->n + 1 + p->knots.n) * sizeof *clock->knots);
    while (next < p->knots.n && p->knots.at[next].x <= knot_local(c, host, 0))
        next++;
    for (size_t k = 0; k < c->n; k++) {
        struct limits e = error_in(c, host, k, wrong), both = e;
        ns_t end = knot_local(c, host, k + 1);

        lo_open &= isinf(e.lo);
        hi_open &= isinf(e.hi);
        loosen(&both, before);
        before = e;
        add_knot(c, host, knot_local(c, host, k), both);
        for (; next < p->knots.n && p->knots.at[next].x < end; next++)
            add_knot(c, host, p->knots.at[next].x, e);
    }
    add_knot(c, host, knot_local(c, host, c->n), before);
    make_growing(clock);
    clock->quality = lo_open && hi_open   ? SYNC_NONE
                     : lo_open || hi_open ? SYNC_ONE_WAY
                                          : SYNC_EXACT;
}

void sync_close(struct sync *s, const struct poly *polys, const bool *reached)
{
    struct closing c = { .s = s, .polys = polys, .reached = reached };
    size_t cells;
    long double wrong = 0;

    c.n = c.parts = s->nhosts > MANY_HOSTS ? COARSE : FINE;
    find_span(&c);
    if (isinf(c.t0))
        return;
    cells = c.n + 1;
    c.pairs = xmalloc(s->pairs.n * cells * sizeof *c.pairs);
    c.hosts = xmalloc(s->nhosts * cells * sizeof *c.hosts);
    c.shifts = xcalloc(s->nhosts * cells, sizeof *c.shifts);
    for (int i = 0; i < WIDENINGS; i++) {
        long double now;

        close_bounds(&c, wrong);
        now = most_wrong(&c);
        if (now <= wrong)
            break;
        wrong = i + 2 < WIDENINGS ? now * 1.25L : now * 16;
    }
    if (ask_all(&c))
        shift_all(&c);
    for (uint32_t h = 0; h < s->nhosts; h++)
        if (reached[h] && h != s->reference)
            make_clock(&c, h, wrong);
    free(c.pairs);
    free(c.hosts);
    free(c.shifts);
    vec_free(&c.asks);
}
