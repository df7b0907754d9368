/* SPDX-License-Identifier: Apache-2.0
 *
 * test_disk_shares.c -- the sweep over a disk's requests against one that looks at every instant,
 * and slices of time against sums by hand. */
#include "diagnose/disk_shares.h"
#include "diagnose/slices.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

enum { RUNS = 200, REQUESTS = 40, LAST = 120, OWNERS = 5 };

static uint64_t state;

static uint32_t below(uint32_t n)
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static void make(struct disk *disk)
{
    *disk = (struct disk){ 0 };
    for (size_t i = 0; i < 1 + below(REQUESTS); i++) {
        ns_t t0 = below(LAST - 1);
        struct disk_request q = { .t0 = t0,
                                  .t1 = t0 + 1 + below((uint32_t)(LAST - t0 - 1) + 1) / 4,
                                  .bytes = below(5) * 65536,
                                  .owner = below(OWNERS) };
        *vec_push(&disk->at) = q;
    }
}

static bool in_flight(const struct disk_request *q, ns_t t)
{
    return q->t0 <= t && t < q->t1;
}

/* The share that 'owner' has of what is in flight in [t, t + 1). */
static double share_at(const struct disk *disk, uint32_t owner, ns_t t)
{
    double own = 0, all = 0;

    for (size_t i = 0; i < disk->at.n; i++)
        if (in_flight(&disk->at.at[i], t)) {
            all += disk_weight(&disk->at.at[i]);
            own += disk->at.at[i].owner == owner ? disk_weight(&disk->at.at[i]) : 0;
        }
    return all > 0 ? own / all : 0;
}

static bool busy_at(const struct disk *disk, uint32_t owner, ns_t t)
{
    for (size_t i = 0; i < disk->at.n; i++)
        if (disk->at.at[i].owner == owner && in_flight(&disk->at.at[i], t))
            return true;
    return false;
}

static void same(double a, double b)
{
    assert_true(fabs(a - b) < 1e-6 * (1 + fabs(b)));
}

static void check_user(const struct disk *disk, const struct disk_shares *s, size_t v)
{
    ns_t busy = 0;

    for (ns_t t = 0; t < LAST; t++)
        busy += busy_at(disk, s->users[v].owner, t);
    assert_int_equal(s->users[v].busy, busy);
    for (size_t o = 0; o < s->n; o++) {
        double of = 0;

        for (ns_t t = 0; t < LAST; t++)
            if (busy_at(disk, s->users[v].owner, t))
                of += share_at(disk, s->users[o].owner, t);
        same(s->users[v].of[o], of);
    }
}

static void test_shares(void **unused)
{
    (void)unused;
    for (state = 1; state < RUNS; state++) {
        struct disk_shares *s = xcalloc(1, sizeof *s);
        struct disk disk;

        make(&disk);
        disk_shares_make(&disk, s);
        for (size_t v = 0; v < s->n; v++)
            check_user(&disk, s, v);
        for (size_t i = 0; i < disk.at.n; i++) {
            const struct disk_request *q = &disk.at.at[i];
            double others = 0;

            for (ns_t t = q->t0; t < q->t1; t++)
                others += 1 - share_at(&disk, q->owner, t);
            same(s->others[i], others);
        }
        disk_shares_free(s);
        free(s);
        vec_free(&disk.at);
    }
}

/* More owners than are told apart: nothing is lost, and the last is nobody's. */
static void test_many_owners(void **unused)
{
    struct disk_shares *s = xcalloc(1, sizeof *s);
    struct disk disk = { 0 };
    double sum = 0;

    (void)unused;
    for (uint32_t i = 0; i < 3 * DISK_USERS; i++)
        *vec_push(&disk.at) = (struct disk_request){ .t0 = 0, .t1 = 300, .owner = i };
    disk_shares_make(&disk, s);
    assert_int_equal(s->n, DISK_USERS);
    assert_int_equal(s->users[DISK_USERS - 1].owner, DISK_NOBODY);
    for (size_t o = 0; o < s->n; o++)
        sum += s->users[0].of[o];
    same(sum, 300);
    same(s->users[0].of[0], 300.0 / (3 * DISK_USERS));
    disk_shares_free(s);
    free(s);
    vec_free(&disk.at);
}

static void test_slices(void **unused)
{
    struct slices s = { .t0 = 1000, .t1 = 1950, .len = 100, .n = 10 };
    ns_t ns[10];

    (void)unused;
    assert_int_equal(slice_length(&s, 0), 100);
    assert_int_equal(slice_length(&s, 9), 50);
    assert_int_equal(slice_at(&s, 0), 0);
    assert_int_equal(slice_at(&s, 1099), 0);
    assert_int_equal(slice_at(&s, 1100), 1);
    assert_int_equal(slice_at(&s, 5000), 9);
    for (state = 1; state < RUNS; state++) {
        ns_t t0 = 900 + below(1200), t1 = t0 + below(1200);

        memset(ns, 0, sizeof ns);
        slices_add(&s, ns, t0, t1);
        for (size_t i = 0; i < s.n; i++) {
            ns_t a = 1000 + (ns_t)i * 100, b = a + slice_length(&s, i), want = 0;

            for (ns_t t = a; t < b; t++)
                want += t0 <= t && t < t1;
            assert_int_equal(ns[i], want);
        }
    }
}

static void test_runs(void **unused)
{
    static const struct {
        const char *holds; /* '1', '0', '.': not known */
        size_t n;
        ns_t t0, t1;
    } cases[] = {
        { "0000000000", 0, 0, 0 },     { "0001110000", 3, 300, 600 }, { "1010101010", 1, 0, 100 },
        { "0111101111", 4, 100, 500 }, { "1111101111", 5, 0, 500 },   { "011.11.010", 4, 100, 600 },
        { "..........", 0, 0, 0 },     { "1111111111", 10, 0, 1000 },
    };
    struct slices s = { .t0 = 0, .t1 = 1000, .len = 100, .n = 10 };

    (void)unused;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool holds[10], known[10];

        for (size_t k = 0; k < 10; k++) {
            holds[k] = cases[i].holds[k] == '1';
            known[k] = cases[i].holds[k] != '.';
        }
        struct slices_found f = slices_run(&s, holds, known);
        assert_int_equal(f.n, cases[i].n);
        assert_int_equal(f.ns, (ns_t)cases[i].n * 100);
        if (f.n) {
            assert_int_equal(f.t0, cases[i].t0);
            assert_int_equal(f.t1, cases[i].t1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_many_owners),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_runs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
