/* SPDX-License-Identifier: Apache-2.0
 *
 * sync_made.h -- hosts with clocks that do what clocks do, and messages between them.
 *
 * Everything follows from a seed; odd ones have changes that latency may hide.  What
 * src/sync/sync.h promises bounds for is kept, and nothing more: any latency, any topology, changes
 * anywhere and of any size, seen or not, as long as they are 'calm_ns' (and the longest silence)
 * apart with messages before and after them. */
#ifndef TESTS_SYNC_MADE_H
#define TESTS_SYNC_MADE_H

#include "base/mem.h"
#include "sync/sync.h"

#include <math.h>
#include <stdlib.h>

enum { MADE_HOSTS = 6, MADE_CHANGES = 8 };
#define MADE_SEEN 0.5 /* s; a larger step no latency and no drift hides */

struct made_change {
    double at, step, rate; /* s, s, relative */
    uint32_t host;
};

struct made_host {
    double offset_s, rate, sine, period_s;
};

struct made_message {
    struct sync_message m;
    double sent;
    bool wrong;
};

struct made_cloud {
    uint64_t x;
    uint32_t n;
    double span_s;
    struct made_host hosts[MADE_HOSTS];
    struct made_change changes[MADE_CHANGES];
    size_t nchanges;
    VEC(struct made_message) messages;
    struct sync_options o;
    bool wrong;
};

static uint64_t made_next(struct made_cloud *c)
{
    uint64_t z = (c->x += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static double made_unit(struct made_cloud *c)
{
    return (double)(made_next(c) >> 11) * 0x1p-53;
}

static double made_range(struct made_cloud *c, double lo, double hi)
{
    return lo + (hi - lo) * made_unit(c);
}

/* As often in each decade. */
static double made_log(struct made_cloud *c, double lo, double hi)
{
    return lo * pow(hi / lo, made_unit(c));
}

static bool made_chance(struct made_cloud *c, double p)
{
    return made_unit(c) < p;
}

/* What the host's clock shows at the true time 't'. */
static ns_t made_clock(const struct made_cloud *c, uint32_t host, double t)
{
    const struct made_host *h = &c->hosts[host];
    long double local = (long double)t * (1 + (long double)h->rate), w;

    w = 2 * 3.14159265358979323846L / (long double)h->period_s;
    local += (long double)h->sine / w * (1 - cosl(w * (long double)t));
    for (size_t i = 0; i < c->nchanges; i++)
        if (c->changes[i].host == host && t >= c->changes[i].at)
            local +=
                (long double)c->changes[i].step +
                (long double)c->changes[i].rate * ((long double)t - (long double)c->changes[i].at);
    return (ns_t)llroundl((local + (long double)h->offset_s) * 1e9L);
}

static void made_clocks(struct made_cloud *c)
{
    for (uint32_t h = 0; h < c->n; h++) {
        struct made_host *m = &c->hosts[h];
        double far = made_chance(c, 0.3) ? made_range(c, -8e8, 8e8) : made_range(c, -2e4, 2e4);

        m->offset_s = made_chance(c, 0.2) ? 0 : 1.4e9 + far;
        m->rate = made_chance(c, 0.1) ? 0 : made_range(c, -2e-4, 2e-4);
        m->period_s = made_log(c, c->span_s / 50, c->span_s * 4);
        /* Of a pair: the wander that was promised. */
        m->sine = made_chance(c, 0.5) ? c->o.wander_ppm * 0.49e-6 * made_unit(c) : 0;
    }
}

enum made_latency { LAT_CONSTANT, LAT_UNIFORM, LAT_EXPONENTIAL, LAT_HEAVY, LAT_KINDS };

static double made_delay(struct made_cloud *c, enum made_latency kind, double floor_s, double scale)
{
    double u = made_unit(c);

    switch (kind) {
    case LAT_CONSTANT: return floor_s;
    case LAT_UNIFORM: return floor_s + scale * u;
    case LAT_EXPONENTIAL: return floor_s - scale * log1p(-u);
    case LAT_HEAVY: return floor_s + scale * (pow(1 - u, -0.8) - 1);
    case LAT_KINDS: break;
    }
    return floor_s;
}

/* One direction of a pair: 'sent' true times; clocks are asked when changes are known. */
static void made_direction(struct made_cloud *c, uint32_t from, uint32_t to, size_t n, int pattern)
{
    /* Only what mostly is shorter than MADE_SEEN, if changes must show. */
    enum made_latency kind =
        (enum made_latency)(made_next(c) % (c->o.hidden ? LAT_KINDS : LAT_HEAVY));
    double scale = made_log(c, 1e-5, 5e-2), low = made_log(c, 1e-6, 1e-3), gap;
    double centre[12];
    size_t bursts = (size_t)(made_next(c) % ARRAY_SIZE(centre)) + 1;

    for (size_t i = 0; i < bursts; i++)
        centre[i] = made_range(c, 0, c->span_s);
    gap = c->span_s / (double)n;
    for (size_t i = 0, burst = 0; i < n; i++, burst = burst + 1 < bursts ? burst + 1 : 0) {
        double t = made_range(c, 0, c->span_s);

        if (pattern == 1)
            t = gap * (double)i + made_range(c, 0, gap * 0.1);
        if (pattern == 2)
            t = centre[burst] + made_range(c, 0, c->span_s / 40);
        t = t < 0 ? 0 : t > c->span_s ? c->span_s : t;
        *vec_push(&c->messages) = (struct made_message){
            .m = { from, to, 0, (ns_t)(1e9 * made_delay(c, kind, low, scale)) }, .sent = t
        };
    }
}

static int made_by_time(const void *a, const void *b)
{
    double x = ((const struct made_message *)a)->sent, y = ((const struct made_message *)b)->sent;

    return (x > y) - (x < y);
}

static void made_messages(struct made_cloud *c)
{
    double density = made_unit(c);
    size_t most = (size_t)made_log(c, 3, made_chance(c, 0.1) ? 4000 : 500);

    for (uint32_t a = 0; a < c->n; a++)
        for (uint32_t b = a + 1; b < c->n; b++) {
            int pattern = (int)(made_next(c) % 3), way = (int)(made_next(c) % 12);

            if (c->n > 2 && !made_chance(c, 0.2 + 0.8 * density))
                continue;
            if (way != 0)
                made_direction(c, a, b, 1 + made_next(c) % most, pattern);
            if (way != 1)
                made_direction(c, b, a, 1 + made_next(c) % most, pattern);
        }
    if (c->messages.n)
        qsort(c->messages.at, c->messages.n, sizeof *c->messages.at, made_by_time);
}

/* Whether each direction of each pair has enough messages between 't0' and 't1', and
 * the longest silence of any. */
static bool made_spoken(const struct made_cloud *c, double t0, double t1, bool end,
                        double *ret_silence)
{
    size_t count[MADE_HOSTS][MADE_HOSTS] = { { 0 } }, all[MADE_HOSTS][MADE_HOSTS] = { { 0 } };
    double last[MADE_HOSTS][MADE_HOSTS] = { { 0 } };
    size_t groups = 1 + c->o.doubt + (c->wrong && c->o.doubt == 0);

    *ret_silence = 0;
    for (size_t i = 0; i < c->messages.n; i++) {
        const struct made_message *m = &c->messages.at[i];
        uint32_t f = m->m.from, t = m->m.to;
        double silence = m->sent - last[f][t];

        if (silence > *ret_silence && all[f][t])
            *ret_silence = silence;
        last[f][t] = m->sent;
        all[f][t]++;
        count[f][t] += m->sent > t0 && m->sent < t1;
    }
    for (uint32_t f = 0; f < c->n; f++)
        for (uint32_t t = 0; t < c->n; t++)
            if (all[f][t] &&
                count[f][t] < (end ? 6 * groups + all[f][t] / 24 : 40 * groups + all[f][t] / 14))
                return false;
    return true;
}

/* Whether a host is in a pair with messages in one direction only. */
static bool made_one_way(const struct made_cloud *c, uint32_t host)
{
    unsigned ways[MADE_HOSTS] = { 0 };

    for (size_t i = 0; i < c->messages.n; i++) {
        const struct sync_message *m = &c->messages.at[i].m;

        if (m->from == host)
            ways[m->to] |= 1;
        if (m->to == host)
            ways[m->from] |= 2;
    }
    for (uint32_t h = 0; h < c->n; h++)
        if (ways[h] == 1 || ways[h] == 2)
            return true;
    return false;
}

/* Adds changes where the promises allow them. */
static void made_changes(struct made_cloud *c)
{
    double calm = (double)c->o.calm_ns / 1e9, silence, at = 0;
    double rates[MADE_HOSTS];
    size_t want = made_next(c) % MADE_CHANGES;

    for (uint32_t h = 0; h < c->n; h++)
        rates[h] = c->hosts[h].rate;
    for (size_t i = 0; i < want; i++) {
        struct made_change n = { .host = (uint32_t)(made_next(c) % c->n) };
        double before = at;

        made_spoken(c, 0, 0, true, &silence);
        at = before + (i ? calm * 1.01 + 2 * silence : 0) +
             made_range(c, 0, c->span_s / (double)want);
        if (!made_spoken(c, before, at, c->nchanges == 0, &silence) ||
            !made_spoken(c, at, c->span_s, true, &silence))
            continue;
        double sign = made_chance(c, 0.5) ? 1 : -1;
        if (sign < 0 && made_one_way(c, n.host))
            sign = 1;
        if (!c->o.hidden)
            n.step = sign * (MADE_SEEN + c->span_s * 4e-3) * made_log(c, 1, 20);
        else if (made_chance(c, 0.5))
            n.step = sign * made_log(c, 1e-6, 30);
        else
            n.rate = sign * made_log(c, 1e-6, 5e-4);
        if (fabs(rates[n.host] + n.rate) > 4.9e-4)
            n.rate = 0;
        if (fabs(n.step) > c->span_s / 20)
            continue;
        rates[n.host] += n.rate;
        n.at = at;
        c->changes[c->nchanges++] = n;
    }
}

/* Whether messages the other way, close enough for the error not to be drift, come both
 * before and after. */
static bool made_answered(const struct made_cloud *c, const struct made_message *m, double error)
{
    unsigned before = 0, after = 0;

    for (size_t i = 0; i < c->messages.n; i++) {
        const struct made_message *o = &c->messages.at[i];

        if (o->m.from != m->m.to || o->m.to != m->m.from || fabs(o->sent - m->sent) > 300 * error)
            continue;
        before += o->sent < m->sent;
        after += o->sent > m->sent;
    }
    return before >= 8 && after >= 8;
}

/* Key collisions: received much earlier or later than is possible.  And up to 'doubt' of
 * any error for each pair, which nothing may tell. */
static void made_wrong(struct made_cloud *c)
{
    double share = made_range(c, 0, 0.05);
    unsigned spent[MADE_HOSTS][MADE_HOSTS] = { { 0 } };

    for (size_t i = 0; i < c->messages.n; i++) {
        struct made_message *m = &c->messages.at[i];
        uint32_t a = m->m.from < m->m.to ? m->m.from : m->m.to, b = m->m.from + m->m.to - a;
        double e = 0;

        if (!made_chance(c, share))
            continue;
        if (spent[a][b] < c->o.doubt) {
            spent[a][b]++;
            m->wrong = true;
            e = made_log(c, 1e-6, c->span_s);
        } else if (c->o.doubt == 0)
            continue;
        else
            e = made_log(c, 1 + c->span_s * 2e-3, 10 + c->span_s);
        if (!m->wrong && !made_answered(c, m, e))
            continue;
        m->wrong = true;
        m->m.received += (ns_t)(1e9 * (made_chance(c, 0.7) ? -e : e));
    }
}

static struct made_cloud made_cloud(uint64_t seed)
{
    struct made_cloud c = { .x = seed * UINT64_C(0x2545f4914f6cdd1d) };

    made_next(&c);
    c.o = sync_defaults();
    c.o.hidden = seed % 2;
    c.n = 2 + (uint32_t)(made_next(&c) % (MADE_HOSTS - 1));
    c.span_s = made_log(&c, 1, 40000);
    if (made_chance(&c, 0.3))
        c.o.wander_ppm = 5;
    if (made_chance(&c, 0.7))
        c.o.calm_ns = (ns_t)(1e9 * c.span_s / made_range(&c, 2, 12));
    c.wrong = made_chance(&c, 0.3);
    if (c.wrong)
        c.o.doubt = 1 + (unsigned)(made_next(&c) % 2);
    made_clocks(&c);
    made_messages(&c);
    made_changes(&c);
    for (size_t i = 0; i < c.messages.n; i++) {
        struct made_message *m = &c.messages.at[i];
        double delay = (double)m->m.received / 1e9;

        m->m.sent = made_clock(&c, m->m.from, m->sent);
        m->m.received = made_clock(&c, m->m.to, m->sent + delay);
    }
    if (c.wrong)
        made_wrong(&c);
    return c;
}

#endif
