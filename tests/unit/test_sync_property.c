/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sync_property.c -- is the truth always within the bounds?
 *
 * usage: test_sync_property [FIRST_SEED COUNT]
 *
 * Thousands of random clouds (sync_made.h): at random instants of each host the true time of
 * the reference lies within the bounds; maps grow and can be turned round; no message is
 * received before it is sent.  With arguments, other seeds, and figures. */
#include "tests/unit/sync_made.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

enum { INSTANTS = 20 };

struct tally {
    uint64_t runs, asked, bad, open, reversed, messages, rejected, back, trips, bounded, changes;
    uint64_t wrong;
    uint64_t plain, plain_reversed; /* messages of clouds without changes and wrong ones */
    uint64_t two_reversed;          /* of those, with two hosts                          */
    double log_width;
};

static struct tally all;

static void add_messages(struct made_cloud *c, struct sync *s)
{
    size_t n = c->messages.n;
    uint64_t order = made_next(c) % 4;

    if (order == 0) { /* anyhow */
        for (size_t i = n; i > 1; i--) {
            size_t k = made_next(c) % i;
            struct made_message t = c->messages.at[k];

            c->messages.at[k] = c->messages.at[i - 1];
            c->messages.at[i - 1] = t;
        }
    }
    for (uint32_t h = 0; h < (order == 1 ? c->n : 1); h++) /* host after host */
        for (size_t i = 0; i < n; i++)
            if (order != 1 || c->messages.at[i].m.from == h)
                sync_add(s, &c->messages.at[order == 2 ? n - 1 - i : i].m);
}

static bool check_truth(struct made_cloud *c, const struct sync *s, uint32_t ref, uint64_t seed)
{
    bool ok = true;

    for (uint32_t h = 0; h < c->n; h++)
        for (int i = 0; i < INSTANTS; i++) {
            double t = made_range(c, 0, c->span_s);
            ns_t local = made_clock(c, h, t), truth = made_clock(c, ref, t);
            struct clock_bounds b = clock_bounds(sync_clock(s, h), local);

            all.asked++;
            all.open += b.lo == NS_MIN || b.hi == NS_MAX;
            if (b.lo != NS_MIN && b.hi != NS_MAX && h != ref) {
                all.bounded++;
                all.log_width += log10((double)b.hi - (double)b.lo + 1);
            }
            if (b.lo - (b.lo > NS_MIN) <= truth && truth <= b.hi + (b.hi < NS_MAX))
                continue;
            all.bad++;
            if (ok)
                printf("seed %" PRIu64 ": host %u of %u at %.6f s of %.3f: truth %" PRId64
                       " not in [%+" PRId64 ", %+" PRId64 "], %zu changes, doubt %u\n",
                       seed, h, c->n, t, c->span_s, truth, b.lo == NS_MIN ? b.lo : b.lo - truth,
                       b.hi == NS_MAX ? b.hi : b.hi - truth, c->nchanges, c->o.doubt);
            ok = false;
        }
    return ok;
}

static bool check_maps(struct made_cloud *c, const struct sync *s)
{
    bool ok = true;

    for (uint32_t h = 0; h < c->n; h++) {
        const struct sync_clock *k = sync_clock(s, h);
        ns_t at = made_clock(c, h, -1), last = clock_to_ref(k, at);
        struct clock_bounds b = clock_bounds(k, at);

        for (int i = 0; i < 50; i++) {
            at += (ns_t)(made_range(c, 0, c->span_s / 24) * 1e9);
            ns_t now = clock_to_ref(k, at), back = clock_from_ref(k, now);
            struct clock_bounds n = clock_bounds(k, at);

            ok &= now >= last && n.lo >= b.lo && n.hi >= b.hi && n.lo <= n.hi;
            all.back += now < last || n.lo < b.lo || n.hi < b.hi;
            if (clock_to_ref(k, back) - now > 1 || now - clock_to_ref(k, back) > 1)
                all.trips++;
            last = now;
            b = n;
        }
    }
    return ok;
}

static bool run(uint64_t seed)
{
    struct made_cloud c = made_cloud(seed);
    struct sync *s = sync_new(c.n, &c.o);
    uint32_t ref;
    bool ok;

    add_messages(&c, s);
    ref = sync_solve(s, made_chance(&c, 0.5) ? SYNC_ANY : (uint32_t)(made_next(&c) % c.n));
    ok = check_truth(&c, s, ref, seed);
    ok &= check_maps(&c, s);
    bool plain = c.nchanges == 0 && !c.wrong;
    for (size_t i = 0; i < c.messages.n; i++) {
        const struct made_message *m = &c.messages.at[i];
        bool reversed;

        all.messages++;
        all.wrong += m->wrong;
        if (m->wrong || sync_clock(s, m->m.from)->quality == SYNC_NONE)
            continue;
        reversed = clock_to_ref(sync_clock(s, m->m.from), m->m.sent) >
                   clock_to_ref(sync_clock(s, m->m.to), m->m.received) + 2;
        all.reversed += reversed;
        all.plain += plain;
        all.plain_reversed += plain && reversed;
        all.two_reversed += plain && reversed && c.n == 2;
    }
    for (size_t i = 0; i < sync_npairs(s); i++)
        all.rejected += sync_pair(s, i)->rejected;
    all.runs++;
    all.changes += c.nchanges;
    sync_free(s);
    vec_free(&c.messages);
    return ok;
}

#ifdef __SANITIZE_ADDRESS__
enum { RUNS = 500 };
#else
enum { RUNS = 10000 };
#endif

static void test_truth(void **state)
{
    bool ok = true;

    (void)state;
    for (uint64_t seed = 1; seed <= RUNS; seed++)
        ok &= run(seed);
    assert_true(ok);
    assert_int_equal(all.back, 0);
    assert_int_equal(all.trips, 0);
    assert_int_equal(all.two_reversed, 0);
    /* With more hosts, those that were rejected since no shift contents all. */
    assert_true(all.plain_reversed * 1000 <= all.plain);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_truth) };

    if (argc == 3) {
        uint64_t first = strtoull(argv[1], NULL, 10), n = strtoull(argv[2], NULL, 10), bad = 0;

        for (uint64_t i = 0; i < n; i++)
            bad += !run(first + i);
        printf("runs %" PRIu64 ", bad %" PRIu64 ", instants %" PRIu64 ", bad %" PRIu64
               ", open %" PRIu64 ", typical width %.3g us, changes %" PRIu64 "\nmessages %" PRIu64
               ", reversed %" PRIu64 ", wrong %" PRIu64 ", rejected %" PRIu64 ", back %" PRIu64
               ", trips %" PRIu64 "\nplain %" PRIu64 ", reversed %" PRIu64 ", of two hosts %" PRIu64
               "\n",
               all.runs, bad, all.asked, all.bad, all.open,
               pow(10, all.log_width / (double)all.bounded) / 1e3, all.changes, all.messages,
               all.reversed, all.wrong, all.rejected, all.back, all.trips, all.plain,
               all.plain_reversed, all.two_reversed);
        return bad != 0;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
