/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sync.c -- clocks of a few hosts, where the answer is known.
 *
 * Random clouds are in test_sync_property.c. */
#include "base/mem.h"
#include "sync/sync.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define MINUTE (60 * NS_PER_S)
#define HOUR (60 * MINUTE)
#define ANY (-1.0)
/* Some day in 2016: as far from 0 as real times are. */
#define BASE INT64_C(1470187241710873143)

static uint64_t seed;

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static ns_t below(ns_t n)
{
    return (ns_t)(next() % (uint64_t)n);
}

static void say(struct sync *s, uint32_t from, ns_t sent, ns_t received)
{
    sync_add(s, &(struct sync_message){ from, 1 - from, sent, received });
}

/* --- small sequences ------------------------------------------------------------- */

struct step {
    uint32_t from; /* sent at 'sent' of its clock, received at 'received' of the other */
    ns_t sent, received;
    enum sync_quality quality;
    double slope, offset; /* of host 1's clock over host 0's; ANY: not looked at */
};

/* These clocks tick a few times: rates differ by almost anything. */
static const struct sync_options wild = { 0, 2e6, 600 * NS_PER_S, true, 0 };

static void check_steps(const struct step *steps, size_t n)
{
    struct sync *s = sync_new(2, &wild);

    for (size_t i = 0; i < n; i++) {
        const struct step *t = &steps[i];

        say(s, t->from, t->sent, t->received);
        sync_solve(s, 0);
        const struct sync_pair *p = sync_pair(s, 0);
        assert_int_equal(sync_npairs(s), 1);
        assert_int_equal(p->quality, t->quality);
        if (t->slope == ANY)
            continue;
        const struct sync_clock *c = sync_clock(s, 1);
        /* corrected = (t1 - offset) / slope */
        assert_true(fabs(c->slope - 1 / t->slope) < 1e-9);
        assert_true(fabs(c->offset + t->offset / t->slope) < 1e-6);
    }
    sync_free(s);
}

/* The sequence of Trace Compass's test of its convex hull, with its lines where it calls
 * them accurate.  Before that, with messages in both directions but no limit to the slope
 * on one side, we put a line of slope 1 in the middle of what is possible, it takes another
 * one (offset 0.5 after the third).  The last two drop below all others: Trace Compass bends
 * its line (0.375) and then fails for good; here that is a change of the clock. */
static void test_sequence(void **state)
{
    static const struct step steps[] = {
        { 1, 1, 1, SYNC_ONE_WAY, 1, 0 },      { 0, 1, 3, SYNC_EXACT, 1, 1 },
        { 1, 2, 3, SYNC_EXACT, 1, 1 },        { 0, 3, 5, SYNC_EXACT, .75, 1.25 },
        { 0, 4, 8, SYNC_EXACT, .75, 1.25 },   { 1, 4, 5, SYNC_EXACT, 1.125, .875 },
        { 1, 4, 6, SYNC_EXACT, 1.125, .875 }, { 0, 6, 7, SYNC_EXACT, .725, 1.275 },
        { 0, 7, 4, SYNC_EXACT, ANY, 0 },      { 1, 7, 3, SYNC_EXACT, ANY, 0 },
    };

    (void)state;
    check_steps(steps, ARRAY_SIZE(steps));
}

static void test_one_direction(void **state)
{
    static const struct step steps[] = {
        { 0, 1, 3, SYNC_ONE_WAY, 1, 2 },
        { 0, 2, 5, SYNC_ONE_WAY, 1, 2 },
        { 0, 3, 5, SYNC_ONE_WAY, 1, 2 },
        { 0, 4, 7, SYNC_ONE_WAY, 1, 2 },
    };
    struct sync *s = sync_new(2, NULL);
    struct clock_bounds b;

    (void)state;
    check_steps(steps, ARRAY_SIZE(steps));
    say(s, 0, 1000, 1500);
    sync_solve(s, 0);
    assert_int_equal(sync_clock(s, 1)->quality, SYNC_ONE_WAY);
    b = clock_bounds(sync_clock(s, 1), 1500);
    assert_true(b.lo >= 990 && b.lo <= 1000);
    assert_true(b.hi == NS_MAX);
    sync_free(s);
}

/* Where Trace Compass throws: the slope is exactly 1 and the offset is not whole. */
static void test_half_a_nanosecond(void **state)
{
    static const struct step steps[] = {
        { 0, 1, 3, SYNC_ONE_WAY, 1, 2 },  { 0, 2, 5, SYNC_ONE_WAY, 1, 2 },
        { 0, 3, 5, SYNC_ONE_WAY, 1, 2 },  { 0, 4, 7, SYNC_ONE_WAY, 1, 2 },
        { 1, 7, 6, SYNC_EXACT, 1, 1.5 },  { 1, 8, 6, SYNC_EXACT, ANY, 0 },
        { 1, 10, 8, SYNC_EXACT, ANY, 0 },
    };

    (void)state;
    check_steps(steps, ARRAY_SIZE(steps));
}

/* --- a real trace ---------------------------------------------------------------- */

/* The 46 TCP packets of the published trace of an scp between two hosts: who sent (1 is
 * the destination's host), ns after 1361214092000000000 in each clock. */
static const struct {
    uint32_t from;
    ns_t sent, received;
} scp[] = {
    /* clang-format off */
    { 0, 855371810, 775785329 }, { 1, 775802289, 856561187 }, { 0, 856577904, 776222686 },
    { 1, 781812504, 862617071 }, { 0, 862680363, 782337338 }, { 0, 862858682, 782447545 },
    { 1, 782505225, 863231817 }, { 0, 863834616, 783447493 }, { 1, 783286074, 863997002 },
    { 0, 901352756, 821047458 }, { 1, 820800104, 901617636 }, { 0, 901631861, 821215267 },
    { 1, 821221057, 901994851 }, { 1, 822651573, 903434235 }, { 0, 903441283, 823089338 },
    { 0, 905278237, 824919565 }, { 1, 864121572, 944935604 }, { 0, 944950636, 864602811 },
    { 1, 864615776, 945392646 }, { 1, 864805585, 945509169 }, { 0, 945628960, 865285377 },
    { 1, 868942723, 949727230 }, { 0, 949839024, 869495281 }, { 1, 869939898, 950727523 },
    { 0, 954700585, 874657662 }, { 1, 876054388, 956843923 }, { 0, 957026128, 876655640 },
    { 1, 881304114, 962096689 }, { 0, 962223594, 881868119 }, { 1, 882193622, 962974907 },
    { 1, 885414347, 966204385 }, { 0, 966273597, 885957576 }, { 0, 966504926, 886180397 },
    { 1, 886353515, 967135739 }, { 0, 968568361, 888198141 }, { 1, 888351997, 969130237 },
    { 0, 969261494, 888942329 }, { 1, 889158162, 969940370 }, { 1, 889347899, 970052689 },
    { 0, 970125796, 889806346 }, { 0, 970284788, 889854105 }, { 0, 970400227, 889999872 },
    { 0, 970514053, 890108606 }, { 1, 890193453, 970918476 }, { 1, 893266359, 974103667 },
    { 0, 974114899, 893736184 },
    /* clang-format on */
};

static void test_scp(void **state)
{
    const ns_t base = INT64_C(1361214092000000000);
    struct sync *s = sync_new(2, NULL);
    const struct sync_clock *c;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(scp); i++)
        say(s, scp[i].from, base + scp[i].sent, base + scp[i].received);
    sync_solve(s, 1);
    c = sync_clock(s, 0);
    assert_true(fabsl(1 + (long double)c->skew - 0.9999413783703139011055831168394L) < 1e-19L);
    assert_true(fabs(c->offset - 79796507913179.333) < 0.01);
    assert_int_equal(c->quality, SYNC_EXACT);
    assert_int_equal(sync_pair(s, 0)->used, 46);
    for (size_t i = 0; i < ARRAY_SIZE(scp); i++) {
        ns_t src = base + (scp[i].from ? scp[i].received : scp[i].sent);
        ns_t dst = base + (scp[i].from ? scp[i].sent : scp[i].received);
        ns_t at = clock_to_ref(c, src);
        long double line = (long double)src * 0.9999413783703139011055831168394L;

        assert_true(scp[i].from ? at + 1 >= dst : at <= dst + 1);
        line += 79796507913179.33347660124688L;
        assert_true(fabsl(line - (long double)at) <= 1.5L);
    }
    sync_free(s);
}

/* --- long traces ----------------------------------------------------------------- */

/* Host 1's clock runs 'ppm' faster and shows 'ahead' more at BASE. */
static ns_t clock_of_1(ns_t t, int64_t ppm, ns_t ahead)
{
    return t + ahead + (ns_t)((__int128)(t - BASE) * ppm / 1000000);
}

static void say_at(struct sync *s, uint32_t from, ns_t t, ns_t latency, int64_t ppm, ns_t ahead)
{
    if (from == 0)
        say(s, 0, t, clock_of_1(t + latency, ppm, ahead));
    else
        say(s, 1, clock_of_1(t, ppm, ahead), t + latency);
}

/* 20000 messages each way; what a 64-bit cross product spoils after 10 minutes. */
static void check_long(ns_t span, ns_t latency, ns_t ahead)
{
    struct sync *s = sync_new(2, NULL);
    const struct sync_clock *c;

    seed = UINT64_C(88172645463325252);
    for (int i = 0; i < 20000; i++)
        for (uint32_t from = 0; from < 2; from++)
            say_at(s, from, BASE + below(span), 30 * US + below(latency - 30 * US), 50, ahead);
    sync_solve(s, 0);
    c = sync_clock(s, 1);
    for (int i = 0; i <= 100; i++) {
        ns_t t = BASE + span / 100 * i, local = clock_of_1(t, 50, ahead);
        ns_t error = clock_to_ref(c, local) - t;
        struct clock_bounds b = clock_bounds(c, local);

        /* 20000 messages fill the range of latencies: one in each 20000th part. */
        assert_true(llabs(error) <= 2 * US + latency / 1000);
        assert_true(b.lo <= t && t <= b.hi);
        assert_true(b.hi - b.lo < 3 * latency + 30 * MS);
    }
    assert_int_equal(sync_pair(s, 0)->rejected, 0);
    assert_int_equal(sync_pair(s, 0)->pieces, 1);
    assert_true(sync_pair(s, 0)->linear_max < 100 * US + latency / 100);
    /* 40000 messages are kept as some hundred. */
    assert_true(sync_bytes(s) < 4u << 20);
    sync_free(s);
}

static void test_long(void **state)
{
    static const ns_t spans[] = { 6 * MINUTE, HOUR, 5 * HOUR, 24 * HOUR };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(spans); i++) {
        check_long(spans[i], 20 * MS, 5 * HOUR);
        check_long(spans[i], MS / 2, -HOUR);
    }
    check_long(HOUR, 20 * MS, INT64_C(1000000000000000000)); /* 32 years */
    check_long(HOUR, 20 * MS, -INT64_C(1000000000000000000));
}

/* One wrong match among many, of any size and sign, at any place. */
static void test_one_wrong(void **state)
{
    static const ns_t errors[] = { -50 * US, -MS, -100 * MS, -10 * NS_PER_S, -HOUR, MS, HOUR };

    (void)state;
    for (size_t e = 0; e < ARRAY_SIZE(errors); e++)
        for (int where = 0; where < 10; where++) {
            struct sync_options o = sync_defaults();
            struct sync *s;

            o.doubt = 1;
            s = sync_new(2, &o);
            seed = 4711 + (uint64_t)where;
            for (int i = 0; i < 4000; i++)
                say_at(s, (uint32_t)i & 1, BASE + i * 10 * MS, 30 * US + below(300 * US), 20, HOUR);
            ns_t t = BASE + where * 4 * NS_PER_S + 2 * NS_PER_S;
            say_at(s, (uint32_t)where & 1, t, errors[e], 20, HOUR);
            sync_solve(s, 0);
            assert_int_equal(sync_pair(s, 0)->pieces, 1);
            if (errors[e] < 0)
                assert_int_equal(sync_pair(s, 0)->rejected, 1);
            for (int i = 0; i <= 40; i++) {
                ns_t at = BASE + i * NS_PER_S, local = clock_of_1(at, 20, HOUR);
                struct clock_bounds b = clock_bounds(sync_clock(s, 1), local);

                assert_true(b.lo <= at && at <= b.hi);
                assert_true(llabs(clock_to_ref(sync_clock(s, 1), local) - at) < 6 * US);
            }
            sync_free(s);
        }
}

/* A step of the clock, back or forward, is no wrong match: it is followed. */
static void test_step(void **state)
{
    static const ns_t steps[] = { -5 * NS_PER_S, -10 * MS, 10 * MS, 5 * NS_PER_S };

    (void)state;
    for (size_t k = 0; k < ARRAY_SIZE(steps); k++) {
        struct sync *s = sync_new(2, NULL);

        seed = 99;
        for (int i = 0; i < 4000; i++)
            say_at(s, (uint32_t)i & 1, BASE + i * 10 * MS, 30 * US + below(300 * US), 20,
                   i < 2000 ? 0 : steps[k]);
        sync_solve(s, 0);
        assert_int_equal(sync_pair(s, 0)->pieces, 2);
        /* Of a time that a clock shows twice, messages can't all be in order. */
        assert_true(sync_pair(s, 0)->rejected <= (steps[k] < -NS_PER_S ? 2000 : 20));
        for (int i = 0; i <= 39; i++) {
            ns_t at = BASE + i * NS_PER_S + 1, local = clock_of_1(at, 20, i < 20 ? 0 : steps[k]);
            struct clock_bounds b = clock_bounds(sync_clock(s, 1), local);

            assert_true(b.lo <= at && at <= b.hi);
            if (i < 13 || i > 27)
                assert_true(llabs(clock_to_ref(sync_clock(s, 1), local) - at) < 40 * US);
        }
        sync_free(s);
    }
}

/* --- several hosts --------------------------------------------------------------- */

static void test_graph(void **state)
{
    struct sync *s = sync_new(6, NULL);
    static const ns_t ahead[] = { 0, HOUR, -HOUR, 3 * HOUR, 0, 7 };

    (void)state;
    seed = 7;
    /* A chain 0 - 1 - 2 - 3, 4 speaks with nobody, 5 with itself only. */
    for (int i = 0; i < 3000; i++)
        for (uint32_t h = 0; h < 3; h++) {
            ns_t t = BASE + i * MS, latency = 20 * US + below(100 * US);
            uint32_t from = h + (i & 1), to = 2 * h + 1 - from;

            sync_add(s,
                     &(struct sync_message){ from, to, t + ahead[from], t + latency + ahead[to] });
            sync_add(s, &(struct sync_message){ 5, 5, t, t });
            sync_add(s, &(struct sync_message){ 5, 77, t, t });
        }
    uint32_t ref = sync_solve(s, SYNC_ANY);
    assert_int_equal(ref, 1);
    assert_int_equal(sync_npairs(s), 3);
    assert_int_equal(sync_clock(s, 1)->quality, SYNC_REFERENCE);
    assert_int_equal(sync_clock(s, 4)->quality, SYNC_NONE);
    assert_int_equal(sync_clock(s, 5)->quality, SYNC_NONE);
    assert_int_equal(clock_to_ref(sync_clock(s, 1), 12345), 12345);
    assert_int_equal(clock_to_ref(sync_clock(s, 4), 12345), 12345);
    assert_true(clock_bounds(sync_clock(s, 4), 0).lo == NS_MIN);
    for (uint32_t h = 0; h < 4; h++) {
        ns_t t = BASE + 1500 * MS + HOUR; /* of host 1 */
        ns_t local = t - HOUR + ahead[h];
        struct clock_bounds b = clock_bounds(sync_clock(s, h), local);

        assert_true(b.lo <= t && t <= b.hi);
        assert_true(llabs(clock_to_ref(sync_clock(s, h), local) - t) < 30 * US);
    }
    sync_free(s);
}

/* --- between knots ----------------------------------------------------------------- */

/* The last knot at or before 't', one by one; the first when there is none. */
static uint32_t naive_knot(const struct sync_clock *c, ns_t t)
{
    uint32_t k = 0;

    while (k + 1 < c->nknots && c->knots[k + 1].local <= t)
        k++;
    return k;
}

/* A line's nearest instant, with numbers that are wide enough for all of these. */
static ns_t naive_line(const struct sync_knot *k, ns_t t)
{
    __int128 dx = (__int128)k[1].local - k->local, dy = (__int128)k[1].corrected - k->corrected;
    __int128 sum = dy * ((__int128)t - k->local) + dx / 2;

    return (ns_t)(k->corrected + sum / dx - (sum % dx < 0));
}

/* From clocks that are nearly the same to such that have nothing in common; asked in the order of
 * time, and anyhow. */
static void test_lines(void **state)
{
    enum { KNOTS = 9 };
    struct sync_knot knots[KNOTS];
    struct sync_clock c = { .quality = SYNC_EXACT, .nknots = KNOTS, .knots = knots, .slope = 1 };

    (void)state;
    seed = 77;
    for (int run = 0; run < 4000; run++) {
        ns_t length = INT64_C(1) << (1 + run % 57), t = 0;
        ns_t local = BASE - length * 2, corrected = BASE + below(length);

        for (uint32_t i = 0; i < KNOTS; i++) {
            knots[i] = (struct sync_knot){ local, corrected, corrected, corrected };
            ns_t step = 1 + below(length);
            local += step;
            corrected += run % 3 == 0 ? below(length) : step + below(step / 5000 + 2);
        }
        for (int i = 0; i < 40; i++) {
            ns_t all = knots[KNOTS - 1].local - knots[0].local;

            t = i < 20 ? knots[0].local + all / 20 * i : knots[0].local + below(all + 1);
            uint32_t k = naive_knot(&c, t);
            if (k + 1 < KNOTS)
                assert_int_equal(clock_to_ref(&c, t), naive_line(&knots[k], t));
        }
    }
}

/* --- hostile times --------------------------------------------------------------- */

static void test_any_times(void **state)
{
    (void)state;
    seed = 12345;
    for (int run = 0; run < 60; run++) {
        struct sync *s = sync_new(4, NULL);
        int shift = run % 64;

        for (int i = 0; i < 1500; i++)
            sync_add(s, &(struct sync_message){ (uint32_t)next() % 5, (uint32_t)next() % 5,
                                                (ns_t)next() >> shift, (ns_t)next() >> shift });
        sync_solve(s, run % 2 ? SYNC_ANY : 3);
        for (uint32_t h = 0; h < 4; h++)
            for (int i = 0; i < 200; i++) {
                ns_t t = i == 0 ? NS_MIN : i == 1 ? NS_MAX : (ns_t)next() >> shift;
                struct clock_bounds b = clock_bounds(sync_clock(s, h), t);

                clock_from_ref(sync_clock(s, h), clock_to_ref(sync_clock(s, h), t));
                assert_true(b.lo <= b.hi);
            }
        sync_free(s);
    }
}

static void test_memory(void **state)
{
    struct sync *s = sync_new(2, NULL);

    (void)state;
    seed = 3;
    for (int i = 0; i < 1000000; i++)
        say_at(s, (uint32_t)i & 1, BASE + i * MS, 30 * US + below(MS), 0, 0);
    assert_true(sync_bytes(s) < 4u << 20);
    sync_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_one_direction),
        cmocka_unit_test(test_half_a_nanosecond),
        cmocka_unit_test(test_scp),
        cmocka_unit_test(test_long),
        cmocka_unit_test(test_one_wrong),
        cmocka_unit_test(test_step),
        cmocka_unit_test(test_graph),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_any_times),
        cmocka_unit_test(test_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
