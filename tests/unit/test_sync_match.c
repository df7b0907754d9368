/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sync_match.c -- which observations of packets are messages, and which are not. */
#include "base/mem.h"
#include "sync/match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define MS INT64_C(1000000)
#define HOUR (3600 * NS_PER_S)

struct expected {
    uint64_t matched, copies, unsent, unreceived, looped, ambiguous, pairs;
};

struct match_case {
    const char *name;
    struct match_point points[10];
    struct expected want;
};

/* clang-format off */
static const struct match_case cases[] = {
    { "a message", { { 1, 2, 0, false, 10 }, { 1, 2, 1, true, 20 } }, { .matched = 1, .pairs = 1 } },
    { "received before it is sent, hours away", { { 1, 2, 1, true, 5 * HOUR }, { 1, 2, 0, false, 10 } },
      { .matched = 1, .pairs = 1 } },
    { "keys differ in the upper half", { { 1, 2, 0, false, 10 }, { 1, 3, 1, true, 20 } }, { .unsent = 1, .unreceived = 1 } },
    { "through a bridge and a bond", { { 1, 2, 0, false, 10 }, { 1, 2, 0, false, 11 }, { 1, 2, 1, true, 20 }, { 1, 2, 1, true, 21 } },
      { .matched = 1, .copies = 2, .pairs = 1 } },
    { "only the first copy came late", { { 1, 2, 1, true, 21 }, { 1, 2, 1, true, 20 }, { 1, 2, 0, false, 10 } },
      { .matched = 1, .copies = 1, .pairs = 1 } },
    { "the same key again, long after", { { 1, 2, 0, false, 10 }, { 1, 2, 0, false, HOUR }, { 1, 2, 1, true, 20 } },
      { .copies = 1, .ambiguous = 1 } },
    { "loopback", { { 1, 2, 0, false, 10 }, { 1, 2, 0, true, 20 } }, { .looped = 1 } },
    { "reflected to its sender, and received", { { 1, 2, 0, false, 10 }, { 1, 2, 0, true, 20 }, { 1, 2, 1, true, 20 } },
      { .matched = 1, .pairs = 1 } },
    { "forwarded", { { 1, 2, 0, false, 10 }, { 1, 2, 1, true, 20 }, { 1, 2, 1, false, 30 }, { 1, 2, 2, true, 40 } },
      { .matched = 2, .pairs = 2 } },
    { "two receivers", { { 1, 2, 0, false, 10 }, { 1, 2, 1, true, 20 }, { 1, 2, 2, true, 20 } }, { .matched = 2, .pairs = 2 } },
    { "two origins", { { 1, 2, 0, false, 10 }, { 1, 2, 1, false, 20 }, { 1, 2, 2, true, 20 } }, { .ambiguous = 1 } },
    { "more hosts than are remembered",
      { { 1, 2, 0, false, 10 }, { 1, 2, 1, true, 20 }, { 1, 2, 2, true, 20 }, { 1, 2, 3, true, 20 }, { 1, 2, 4, true, 20 } },
      { .ambiguous = 1 } },
    { "a host that there is not", { { 1, 2, 9, false, 10 }, { 1, 2, 1, true, 20 } }, { .unsent = 1 } },
};
/* clang-format on */

static void check(const struct match_case *c)
{
    struct sync *s = sync_new(5, NULL);
    struct match *m = match_new(5, NULL, s);
    struct match_counts n;

    for (size_t i = 0; i < ARRAY_SIZE(c->points) && c->points[i].key_lo; i++)
        match_add(m, &c->points[i]);
    n = match_end(m);
    print_message("%s\n", c->name);
    assert_int_equal(n.matched, c->want.matched);
    assert_int_equal(n.copies, c->want.copies);
    assert_int_equal(n.unsent, c->want.unsent);
    assert_int_equal(n.unreceived, c->want.unreceived);
    assert_int_equal(n.looped, c->want.looped);
    assert_int_equal(n.ambiguous, c->want.ambiguous);
    assert_int_equal(sync_npairs(s), c->want.pairs);
    match_free(m);
    sync_free(s);
}

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        check(&cases[i]);
}

/* A million messages, and a packet lost each hundred: only what waits takes memory. */
static void test_memory(void **state)
{
    struct match_options o = match_defaults();
    struct sync *s = sync_new(2, NULL);
    struct match_counts n;
    struct match *m;

    (void)state;
    o.window_ns = 20 * NS_PER_S;
    m = match_new(2, &o, s);
    for (uint64_t i = 0; i < 1000000; i++) {
        ns_t t = (ns_t)i * MS;

        match_add(m, &(struct match_point){ i, 7, 0, false, t });
        if (i % 100)
            match_add(m, &(struct match_point){ i, 7, 1, true, t + MS / 2 });
    }
    assert_true(match_bytes(m) < 4u << 20);
    n = match_end(m);
    assert_int_equal(n.matched, 990000);
    assert_int_equal(n.unreceived, 10000);
    assert_int_equal(sync_pair(s, 0)->matched, 990000);
    assert_true(sync_bytes(s) < 1u << 20);
    match_free(m);
    sync_free(s);
}

/* A key that comes again when its first packet is long told is another packet. */
static void test_keys_come_again(void **state)
{
    struct match *m = match_new(2, NULL, NULL);
    struct match_counts n;

    (void)state;
    for (uint64_t i = 0; i < 200000; i++) {
        ns_t t = (ns_t)i * MS;

        match_add(m, &(struct match_point){ 1 + i % 50000, 0, 0, false, t });
        match_add(m, &(struct match_point){ 1 + i % 50000, 0, 1, true, t + 1 });
    }
    n = match_end(m);
    assert_true(n.matched + n.ambiguous * 2 <= 200000);
    assert_true(n.matched > 100000);
    match_free(m);
}

static void test_any_times(void **state)
{
    struct sync *s = sync_new(3, NULL);
    struct match *m = match_new(3, &(struct match_options){ 1000, 5000 }, s);
    uint64_t x = 1;

    (void)state;
    for (int i = 0; i < 100000; i++) {
        uint64_t r[2];

        for (int k = 0; k < 2; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            r[k] = x;
        }
        match_add(m, &(struct match_point){ r[0] % 3000, 0, (uint32_t)(r[0] >> 40) % 4,
                                            (r[0] >> 60) & 1, (ns_t)r[1] });
    }
    match_end(m);
    sync_solve(s, SYNC_ANY);
    match_free(m);
    sync_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_memory),
        cmocka_unit_test(test_keys_come_again),
        cmocka_unit_test(test_any_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
