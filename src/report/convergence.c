/* SPDX-License-Identifier: Apache-2.0
 *
 * convergence.c -- see convergence.h. */
#include "report/convergence.h"

#include <math.h>
#include <stddef.h>

static const double DEFAULT_DOWNTIME_S = 0.3; /* QEMU since 2.10: migration/options.c */
static const double NOISE = 0.03;             /* of what a round is seen to dirty          */

enum {
    ROUNDS = 1000, /* a migration that needs more does not end */
    STEPS = 200,   /* of a search by halves                    */
};

/* A guest that is throttled by 't' writes that much less. */
static double unthrottled(double rate, double t)
{
    return rate / (1 - (t < 0.99 ? t : 0.99));
}

/* --- measuring ------------------------------------------------------------------------- */

/* Of the rounds that say how much they sent, the latest weigh most: a link is as fast as it is
 * now. */
static double bandwidth_of(const struct conv_round *r, size_t n)
{
    double sent = 0, took = 0;

    for (size_t i = 0; i < n; i++) {
        if (r[i].sent_bytes < 0 || r[i].took_s <= 0)
            continue;
        sent = sent / 2 + r[i].sent_bytes;
        took = took / 2 + r[i].took_s;
    }
    return took > 0 ? sent / took : 0;
}

static double dirty(double rate, double set, double t)
{
    return set > 0 ? set * -expm1(-rate * t / set) : rate * t;
}

/* The rate with which a round dirtied that much of a working set. */
static double rate_of(const struct conv_round *r, double set)
{
    double share = set > 0 ? r->dirtied_bytes / set : 0;

    if (set <= 0)
        return r->dirtied_bytes / r->took_s;
    if (share >= 1)
        share = 1 - 1e-9;
    return -set / r->took_s * log1p(-share);
}

/* How much worse than exact this working set explains the rounds, each with the rate that the
 * shortest of them has: it is the least saturated. */
static double misfit(const struct conv_round *r, size_t n, size_t shortest, double set)
{
    double rate = unthrottled(rate_of(&r[shortest], set), r[shortest].throttle), sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (r[i].dirtied_bytes < 0 || r[i].took_s <= 0)
            continue;
        double d = dirty(rate * (1 - r[i].throttle), set, r[i].took_s) - r[i].dirtied_bytes;

        sum += d * d;
    }
    return sum;
}

static bool is_measured(const struct conv_round *r)
{
    return r->dirtied_bytes >= 0 && r->took_s > 0;
}

/* Rate and working set that explain the rounds.  Rounds of about one length can't tell how large
 * the set is: then it is what they dirtied.  A migration whose rounds do not get shorter may have
 * met the end of the working set, and one that is about to end has rounds that do. */
static void measure(const struct conv_round *r, size_t n, const struct conv_limits *l,
                    struct conv_verdict *v)
{
    double most = 0, best = 0, at = 0, all = 0;
    size_t shortest = n;

    for (size_t i = 0; i < n; i++) {
        if (!is_measured(&r[i]))
            continue;
        most = r[i].dirtied_bytes > most ? r[i].dirtied_bytes : most;
        all += r[i].dirtied_bytes * r[i].dirtied_bytes;
        if (shortest == n || r[i].took_s < r[shortest].took_s)
            shortest = i;
    }
    if (shortest == n)
        return;
    v->dirty_rate = unthrottled(rate_of(&r[shortest], 0), r[shortest].throttle);
    if (most <= 0)
        return;
    /* The smallest that explains as much as such measurements can be trusted to. */
    best = all * NOISE * NOISE;
    for (int i = 0; i <= STEPS && at <= 0;
         i++) { /* from what was seen to a thousand times as much */
        double set = most * (1 + 1e-6) * pow(1000, (double)i / STEPS);

        if (l->memory_bytes > 0 && set > l->memory_bytes * 1.01)
            break;
        if (misfit(r, n, shortest, set) <= best && n > 1)
            at = set;
    }
    if (at > 0) {
        v->working_set = at;
        v->dirty_rate = unthrottled(rate_of(&r[shortest], at), r[shortest].throttle);
    } else if (l->memory_bytes > 0) {
        v->working_set = l->memory_bytes;
    }
}

/* --- looking ahead ----------------------------------------------------------------------- */

/* QEMU throttles by 20 %, then by 10 more each time (migration parameters cpu-throttle-initial,
 * -increment), up to 99 %. */
static double next_throttle(double t)
{
    t = t < 0.2 ? 0.2 : t + 0.1;
    return t > 0.99 ? 0.99 : t;
}

/* Plays the rounds from 'rest' bytes on. */
static bool ends(struct conv_verdict *v, double rest, double bandwidth, double limit,
                 double throttle, bool throttles)
{
    double s = 0;

    for (uint32_t i = 0; i < ROUNDS; i++) {
        if (rest <= limit) {
            v->after_s = s + rest / bandwidth;
            v->rounds = i;
            v->rest_bytes = rest;
            return true;
        }
        double t = rest / bandwidth;
        double next = dirty(v->dirty_rate * (1 - throttle), v->working_set, t);

        /* It comes to rest; auto-converge slows the guest where half as much is dirtied as sent. */
        if (!throttles && fabs(next - rest) <= rest * 1e-6)
            break;
        if (throttles && next > rest / 2)
            throttle = next_throttle(throttle);
        s += t;
        rest = next;
    }
    v->rest_bytes = rest;
    return false;
}

/* The least x in [lo, hi] for which it ends; 0: not even for 'hi'. */
static double least(struct conv_verdict v, double rest, const struct conv_limits *l, double lo,
                    double hi, int what)
{
    double downtime = l->downtime_s > 0 ? l->downtime_s : DEFAULT_DOWNTIME_S;

    for (int i = 0; i <= 60; i++) {
        double x = i == 0 ? hi : (lo + hi) / 2;
        double b = what == 0 ? x : v.bandwidth, d = what == 1 ? x : downtime;

        if (ends(&v, rest, b, b * d, what == 2 ? x : 0, false))
            hi = x;
        else if (i == 0)
            return 0;
        else
            lo = x;
    }
    return hi;
}

void convergence(const struct conv_round *r, size_t n, const struct conv_limits *l,
                 struct conv_verdict *ret)
{
    double downtime = l->downtime_s > 0 ? l->downtime_s : DEFAULT_DOWNTIME_S;
    const struct conv_round *last = n ? &r[n - 1] : NULL;

    *ret = (struct conv_verdict){ .ends = CONV_UNKNOWN };
    ret->bandwidth = bandwidth_of(r, n);
    if (ret->bandwidth <= 0)
        ret->bandwidth = l->bandwidth_cap;
    measure(r, n, l, ret);
    if (!last || !is_measured(last) || ret->bandwidth <= 0)
        return;
    ret->limit_bytes = ret->bandwidth * downtime;
    if (ends(ret, last->dirtied_bytes, ret->bandwidth, ret->limit_bytes, last->throttle,
             l->throttles)) {
        ret->ends = CONV_ENDS;
        return;
    }
    ret->ends = CONV_NEVER;
    ret->need_bandwidth = least(*ret, last->dirtied_bytes, l, ret->bandwidth,
                                64 * (ret->bandwidth + ret->dirty_rate), 0);
    ret->need_downtime_s = least(*ret, last->dirtied_bytes, l, downtime, 3600, 1);
    ret->need_throttle = least(*ret, last->dirtied_bytes, l, 0, 0.99, 2);
}
