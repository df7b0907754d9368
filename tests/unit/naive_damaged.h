/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_damaged.h -- histories that go on or are damaged, against plain arrays: what
 * is there is right, and what is missing is said to be. */
#ifndef TESTS_UNIT_NAIVE_DAMAGED_H
#define TESTS_UNIT_NAIVE_DAMAGED_H

#include "tests/unit/naive_check.h"

static bool naive_no_memory; /* what can't be answered need not be remembered as lost */

/* What was committed is right up to where it is complete; what lasts until there may
 * last longer. */
static inline void check_prefix(const struct naive *n, const struct store *s, int times)
{
    struct store_coverage cov;
    struct interval got;

    store_coverage(s, &cov);
    must_equal(cov.finished, false);
    must_equal(cov.bad_blocks, 0);
    for (int i = 0; i < times && cov.complete_until > n->t0; i++) {
        ns_t t = i % 4 ? any_instant(n) : cov.complete_until - 1 - any_ns(10);
        uint32_t a = any(n->nattrs);

        t = naive_within(n, t < cov.complete_until ? t : cov.complete_until - 1);
        struct interval want = naive_at(n, a, t);
        must_equal(store_at(s, a, t, &got), want.value != STORE_NULL);
        must_equal(got.lost, false);
        must_equal(got.value, want.value);
        if (want.value != STORE_NULL || want.t0 != n->t0)
            must_equal(got.t0, want.t0);
        if (want.t1 < cov.complete_until)
            must_equal(got.t1, want.t1);
        else
            must(got.t1 >= cov.complete_until);
    }
}

static inline void check_or_lost(const struct interval *want, const struct interval *got, ns_t t)
{
    if (got->lost) {
        must_equal(got->value, STORE_NULL);
        must(got->t0 <= t && t < got->t1);
    } else {
        check_interval(want, got);
    }
}

static inline void check_damaged_at(const struct naive *n, const struct store *s)
{
    ns_t t = any_instant(n);
    attr_t a = any(n->nattrs);
    struct interval got, want = naive_at(n, a, t);
    bool has = store_at(s, a, t, &got);

    must(has == (want.value != STORE_NULL && !got.lost));
    check_or_lost(&want, &got, t);
    store_at_all(s, &a, 1, t, &got);
    check_or_lost(&want, &got, t);
}

static inline void check_damaged_sample(const struct naive *n, const struct store *s)
{
    enum { MOST = 20 };
    struct interval got[MOST], want;
    struct span w = any_window(n);
    attr_t a = any(n->nattrs);
    ns_t at[MOST];

    for (int k = 0; k < MOST; k++)
        at[k] = w.t0 + (ns_t)((__int128)(w.t1 - w.t0) * k / MOST);
    size_t many = store_sample(s, a, at, MOST, got), k = 0;
    must(many > 0);
    for (int j = 0; j < MOST; j++) {
        while (k + 1 < many && got[k].t1 <= at[j])
            k++;
        want = naive_at(n, a, at[j]);
        check_or_lost(&want, &got[k], at[j]);
    }
}

static inline void check_damaged_pixels(const struct naive *n, const struct store *s,
                                        naive_parts *parts)
{
    enum { MOST = 20 };
    struct store_point points[MOST];
    struct store_pixel px[MOST];
    struct span w = any_window(n);
    attr_t a = any(n->nattrs);
    bool number = naive_family(a)->type == STORE_INT;

    if (number)
        store_series(s, a, w, points, MOST);
    store_strip(s, a, w, px, MOST);
    for (size_t p = 0; p < MOST; p++) {
        ns_t t0 = store_edge(w, MOST, p), t1 = store_edge(w, MOST, p + 1);

        if (number && !points[p].lost)
            check_point(&n->at[a], t0, t1, &points[p]);
        if (number && !px[p].lost)
            check_number_pixel(&n->at[a], t0, t1, &px[p], parts);
        if (!number && !px[p].lost)
            check_pixel(n, a, t0, t1, &px[p], parts);
    }
}

/* All intervals of an attribute: those that are missing lie in what is lost. */
static inline void check_damaged_ranges(const struct naive *n, const struct store *s, attr_t a,
                                        bool *ret_lost)
{
    struct store_ranges r = store_ranges(s, a, (struct span){ n->t0, n->t1 });
    const struct naive_attr *at = &n->at[a];
    ns_t lost_until = NS_MIN;
    struct interval got;
    size_t i = 0;

    while (store_ranges_next(&r, &got)) {
        if (got.lost) {
            lost_until = got.t1;
            *ret_lost = true;
            continue;
        }
        while (i < at->list.n && at->list.at[i].t0 < got.t0)
            must(at->list.at[i++].t0 < lost_until);
        must(i < at->list.n);
        check_interval(&at->list.at[i++], &got);
    }
    for (; i < at->list.n; i++)
        must(at->list.at[i].t0 < lost_until);
}

static inline void check_damaged_totals(const struct naive *n, const struct store *s, attr_t a,
                                        bool *ret_lost)
{
    struct span w = { n->t0, n->t1 };
    struct store_totals totals;
    ns_t sum = 0;

    store_totals(s, &a, 1, w, &totals);
    for (size_t k = 0; k < totals.n; k++) {
        ns_t want = naive_total(n, &a, 1, w, totals.at[k].value);

        if (totals.at[k].value == STORE_NULL)
            continue;
        must(totals.at[k].ns <= want);
        must(totals.lost || totals.at[k].ns == want);
        sum += totals.at[k].ns;
    }
    must(totals.lost || sum == (ns_t)naive_covered(n, &a, 1, w));
    must(totals.lost || totals.changes == naive_begins(&n->at[a], w.t0, w.t1));
    must(sum + totals.lost >= (ns_t)naive_covered(n, &a, 1, w));
    *ret_lost |= totals.lost != 0;
    free(totals.at);
}

static inline void check_damaged_longest(const struct naive *n, const struct store *s, attr_t a)
{
    struct store_found got[3];
    ns_t lost = 0, most = 0;
    size_t has = store_longest(s, &a, 1, 1, (struct span){ n->t0, n->t1 }, 3, got, &lost);

    for (size_t i = 0; i < n->at[a].list.n; i++) {
        const struct interval *v = &n->at[a].list.at[i];

        most = v->value == 1 && v->t1 - v->t0 > most ? v->t1 - v->t0 : most;
    }
    must(lost || (has > 0) == (most > 0));
    for (size_t k = 0; k < has; k++) {
        struct interval want = naive_at(n, a, got[k].v.t0);

        check_interval(&want, &got[k].v);
        must(k || lost || want.t1 - want.t0 == most);
    }
}

/* Of a finished history: what is not said to be lost is right. */
static inline void check_damaged(const struct naive *n, const struct store *s, int times)
{
    naive_parts parts = { 0 };
    struct store_coverage cov;
    bool lost = false;

    must_equal(store_attr_count(s), n->nattrs);
    for (int i = 0; i < times; i++) {
        check_damaged_at(n, s);
        check_damaged_sample(n, s);
        check_damaged_pixels(n, s, &parts);
    }
    for (attr_t a = 0; a < n->nattrs; a++) {
        check_damaged_ranges(n, s, a, &lost);
        check_damaged_totals(n, s, a, &lost);
        check_damaged_longest(n, s, a);
    }
    store_coverage(s, &cov);
    must(!lost || cov.bad_blocks > 0 || naive_no_memory);
    vec_free(&parts);
}

#endif
