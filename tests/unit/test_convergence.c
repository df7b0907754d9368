/* SPDX-License-Identifier: Apache-2.0
 *
 * test_convergence.c -- does the forecast of a migration's end come true?
 *
 * Migrations are played page by page, in a way that the forecast knows nothing of: a guest writes
 * to pages at random, some of them more often, at a rate that wavers, over a link that wavers too.
 * Whether it ended within 150 rounds is compared with what was foreseen after each round. */
#include "report/convergence.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

enum { RUNS = 200, MOST_ROUNDS = 150, LOOKED_AT = 12, PAGE = 4096 };

static uint64_t state;

static double unit(void)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double log_unit(double lo, double hi)
{
    return lo * pow(hi / lo, unit());
}

struct guest {
    uint8_t *dirty;
    size_t pages, set, hot; /* hot ones get half of the writes */
    double rate;            /* pages written a second          */
};

/* Lets it write for 't' seconds; how many pages are dirty then. */
static size_t write_for(struct guest *g, double t)
{
    double writes = g->rate * t * (0.95 + 0.1 * unit());
    size_t n = 0;

    if (writes > 20 * (double)g->set) /* all of them, for sure */
        writes = 20 * (double)g->set;
    for (size_t i = 0; i < g->set; i++)
        g->dirty[i] = 0;
    size_t times = (size_t)ceil(writes);
    for (size_t i = 0; i < times; i++) {
        size_t within = unit() < 0.5 ? g->hot : g->set;

        g->dirty[(size_t)(unit() * (double)within)] = 1;
    }
    for (size_t i = 0; i < g->set; i++)
        n += g->dirty[i];
    return n;
}

struct played {
    enum conv_ends truth, said[LOOKED_AT];
    size_t n; /* rounds that were looked at */
};

static void play(uint64_t seed, struct played *ret)
{
    struct conv_round r[LOOKED_AT];
    struct guest g;

    state = seed * 77777;
    g.pages = (size_t)log_unit(1000, 8000);
    g.set = (size_t)((double)g.pages * (0.02 + 0.9 * unit()));
    g.hot = (size_t)((double)g.set * (0.1 + 0.8 * unit())) + 1;
    g.dirty = calloc(g.pages, 1);
    double bandwidth = log_unit(250, 4000); /* pages a second */
    g.rate = bandwidth * log_unit(0.05, 8);
    struct conv_limits l = { .memory_bytes = (double)(g.pages * PAGE), .downtime_s = 0.3 };
    double rest = (double)g.pages;
    *ret = (struct played){ .truth = CONV_NEVER };
    for (int i = 0; i < MOST_ROUNDS; i++) {
        double b = bandwidth * (0.97 + 0.06 * unit()), t = rest / b;
        size_t dirtied = write_for(&g, t);

        if (ret->n < LOOKED_AT) {
            struct conv_verdict v;

            r[ret->n] = (struct conv_round){ t, rest * PAGE, (double)(dirtied * PAGE), 0 };
            convergence(r, ret->n + 1, &l, &v);
            ret->said[ret->n++] = v.ends;
        }
        rest = (double)dirtied;
        if (rest <= b * l.downtime_s) {
            ret->truth = CONV_ENDS;
            break;
        }
    }
    free(g.dirty);
}

static void test_forecast(void **unused)
{
    int right = 0;

    (void)unused;
    for (uint64_t seed = 1; seed <= RUNS; seed++) {
        struct played p;

        play(seed, &p);
        size_t third = p.n < 3 ? p.n - 1 : 2;
        right += p.said[third] == p.truth;
    }
    assert_true(right >= RUNS * 95 / 100);
}

/* A guest of 96 MiB that writes 48 MiB over and over, over a link of 8 MB/s (QEMU 7.2, measured).
 */
static void test_measured(void **unused)
{
    static const struct conv_round r[] = {
        { 6.388, 50436421, 12289.0 * PAGE, 0 },
        { 6.187, 48705297, 11749.0 * PAGE, 0 },
    };
    const struct conv_limits l = { .memory_bytes = 101195776, .downtime_s = 0.3 };
    struct conv_verdict v;

    (void)unused;
    convergence(r, 2, &l, &v);
    assert_int_equal(v.ends, CONV_NEVER);
    assert_true(v.bandwidth > 7.7e6 && v.bandwidth < 8e6);
    assert_true(v.working_set > 48e6 && v.working_set < 60e6);
    /* What it says would help does, and a little less does not. */
    assert_true(v.need_downtime_s > 5 && v.need_downtime_s < 7);
    assert_true(v.need_throttle > 0.3 && v.need_throttle < 0.95);
    assert_true(v.need_bandwidth > v.bandwidth);
}

static void test_corners(void **unused)
{
    static const struct conv_round idle[] = { { 10, 1e9, 0, 0 } };
    static const struct conv_round unmeasured[] = { { 10, 1e9, -1, 0 } };
    static const struct conv_round mute[] = { { 10, -1, 1e9, 0 } };
    static const struct conv_round hot[] = { { 10, 1e9, 2e9, 0 }, { 20, 2e9, 2e9, 0 } };
    const struct conv_limits l = { .memory_bytes = 4e9 };
    struct conv_limits throttled = { .memory_bytes = 4e9, .throttles = true };
    struct conv_verdict v;

    (void)unused;
    convergence(NULL, 0, &l, &v);
    assert_int_equal(v.ends, CONV_UNKNOWN);
    convergence(unmeasured, 1, &l, &v);
    assert_int_equal(v.ends, CONV_UNKNOWN);
    convergence(mute, 1, &l, &v); /* no bandwidth, no forecast */
    assert_int_equal(v.ends, CONV_UNKNOWN);
    convergence(idle, 1, &l, &v);
    assert_int_equal(v.ends, CONV_ENDS);
    assert_int_equal(v.rounds, 0);
    convergence(hot, 2, &l, &v);
    assert_int_equal(v.ends, CONV_NEVER);
    convergence(hot, 2, &throttled, &v); /* auto-converge gets it down in the end */
    assert_int_equal(v.ends, CONV_ENDS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forecast),
        cmocka_unit_test(test_measured),
        cmocka_unit_test(test_corners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
