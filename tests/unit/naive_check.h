/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_check.h -- every question that a history answers about attributes, asked at
 * random and answered from plain arrays too (naive_history.h). */
#ifndef TESTS_UNIT_NAIVE_CHECK_H
#define TESTS_UNIT_NAIVE_CHECK_H

#include "tests/unit/naive_history.h"

/* --- instants ------------------------------------------------------------------ */

static inline void check_interval(const struct interval *want, const struct interval *got)
{
    must_equal(got->lost, false);
    must_equal(got->value, want->value);
    must_equal(got->t0, want->t0);
    must_equal(got->t1, want->t1);
    must_equal(got->open, want->open);
}

static inline void check_at(const struct naive *n, const struct store *s, int times)
{
    struct interval got, want;

    for (int i = 0; i < times; i++) {
        ns_t t = any_instant(n);
        uint32_t a = any(3) ? any(n->nattrs) : 0;

        want = naive_at(n, a, t);
        must_equal(store_at(s, a, t, &got), want.value != STORE_NULL);
        check_interval(&want, &got);
    }
    if (n->t0 > NS_MIN)
        must(!store_at(s, 0, n->t0 - 1, &got));
    must(!store_at(s, 0, n->t1, &got));
}

static inline void check_at_all(const struct naive *n, const struct store *s, int times)
{
    struct interval *got = xcalloc(n->nattrs, sizeof *got);
    attr_t *attrs = xcalloc(n->nattrs, sizeof *attrs);

    for (int i = 0; i < times; i++) {
        ns_t t = any_instant(n);
        uint32_t many = i % 2 ? n->nattrs : any(n->nattrs + 1), first = any(n->nattrs);

        for (uint32_t k = 0; k < many; k++) /* in order, or not */
            attrs[k] = i % 3 ? (first + k) % n->nattrs : any(n->nattrs);
        store_at_all(s, attrs, many, t, got);
        for (uint32_t k = 0; k < many; k++) {
            struct interval want = naive_at(n, attrs[k], t);

            check_interval(&want, &got[k]);
        }
    }
    free(got);
    free(attrs);
}

static inline int naive_by_time(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

    return (x > y) - (x < y);
}

static inline void check_sample(const struct naive *n, const struct store *s, int times)
{
    enum { MOST = 200 };
    struct interval got[MOST];
    ns_t at[MOST];

    for (int i = 0; i < times; i++) {
        uint32_t a = any(3) ? any(n->nattrs) : 0, many = any(MOST + 1), found = 0;
        struct span w = any_window(n);

        for (uint32_t k = 0; k < many; k++)
            at[k] = i % 2 ? any_instant(n)
                          : w.t0 + (ns_t)((__int128)(w.t1 - w.t0) * k / (__int128)many);
        qsort(at, many, sizeof *at, naive_by_time);
        size_t has = store_sample(s, a, at, many, got);
        for (uint32_t k = 0; k < many; k++) {
            struct interval want = naive_at(n, a, at[k]);

            if (k > 0 && at[k - 1] >= want.t0)
                continue; /* the same */
            must(found < has);
            check_interval(&want, &got[found++]);
        }
        must_equal(has, found);
    }
}

/* --- windows ------------------------------------------------------------------- */

static inline void check_ranges(const struct naive *n, const struct store *s, int times)
{
    for (int i = 0; i < times; i++) {
        uint32_t a = any(3) ? any(n->nattrs) : 0;
        struct span w = i ? any_window(n) : SPAN_ALL;
        const struct naive_attr *at = &n->at[a];
        struct store_ranges r = store_ranges(s, a, w);
        size_t k = i ? naive_find(at, w.t0) : 0;
        struct interval got;

        for (; k < at->list.n && at->list.at[k].t0 < w.t1; k++) {
            must(store_ranges_next(&r, &got));
            check_interval(&at->list.at[k], &got);
        }
        must(!store_ranges_next(&r, &got));
        must(!store_ranges_next(&r, &got));
    }
}

struct naive_part {
    cell_t value;
    ns_t ns;
};
typedef VEC(struct naive_part) naive_parts;

static inline int naive_by_value(const void *a, const void *b)
{
    cell_t x = ((const struct naive_part *)a)->value, y = ((const struct naive_part *)b)->value;

    return (x > y) - (x < y);
}

/* Sums of time by value in [t0, t1), gaps not included, in order of the values. */
static inline void naive_sums(const struct naive_attr *a, ns_t t0, ns_t t1, naive_parts *ret)
{
    size_t n = 0;

    ret->n = 0;
    for (size_t i = naive_find(a, t0); i < a->list.n && a->list.at[i].t0 < t1; i++) {
        const struct interval *v = &a->list.at[i];
        ns_t from = v->t0 > t0 ? v->t0 : t0, to = v->t1 < t1 ? v->t1 : t1;

        if (from < to)
            *vec_push(ret) = (struct naive_part){ v->value, to - from };
    }
    if (ret->n)
        qsort(ret->at, ret->n, sizeof *ret->at, naive_by_value);
    for (size_t i = 0; i < ret->n; i++)
        if (n && ret->at[n - 1].value == ret->at[i].value)
            ret->at[n - 1].ns += ret->at[i].ns;
        else
            ret->at[n++] = ret->at[i];
    ret->n = n;
}

/* How many intervals begin in [t0, t1). */
static inline uint32_t naive_begins(const struct naive_attr *a, ns_t t0, ns_t t1)
{
    uint32_t sum = 0;

    for (size_t i = naive_find(a, t0); i < a->list.n && a->list.at[i].t0 < t1; i++)
        sum += a->list.at[i].t0 >= t0;
    return sum;
}

static inline void check_pixel(const struct naive *n, uint32_t attr, ns_t t0, ns_t t1,
                               const struct store_pixel *px, naive_parts *parts)
{
    const struct naive_attr *a = &n->at[attr];
    struct naive_part best = { STORE_NULL, t1 - t0 };
    bool bad = false;

    naive_sums(a, t0, t1, parts);
    for (size_t i = 0; i < parts->n; i++) {
        best.ns -= parts->at[i].ns; /* what is left has no value */
        bad |= naive_is_bad(naive_family(attr), parts->at[i].value);
    }
    for (size_t i = 0; i < parts->n; i++) /* equals: the smaller value, none last */
        if (parts->at[i].ns > best.ns ||
            (parts->at[i].ns == best.ns && best.value == STORE_NULL && best.ns > 0))
            best = parts->at[i];
    must_equal(px->lost, false);
    must_equal(px->bad, bad);
    must_equal(px->changes, naive_begins(a, t0, t1));
    if (px->inexact) { /* right or not, it was there for as long as is said or longer */
        must(naive_family(attr)->type == STORE_STR && parts->n > STORE_MAX_VALUES);
        must(px->ns <= best.ns);
        return;
    }
    must_equal(px->value, best.value);
    must_equal(px->ns, best.ns);
}

/* Of a number: the mean, rounded. */
static inline void check_number_pixel(const struct naive_attr *a, ns_t t0, ns_t t1,
                                      const struct store_pixel *px, naive_parts *parts)
{
    __int128 sum = 0, off;
    ns_t ns = 0;

    naive_sums(a, t0, t1, parts);
    for (size_t i = 0; i < parts->n; i++) {
        sum += (__int128)parts->at[i].value * parts->at[i].ns;
        ns += parts->at[i].ns;
    }
    must_equal(px->lost, false);
    must_equal(px->bad, false);
    must_equal(px->inexact, false);
    must_equal(px->changes, naive_begins(a, t0, t1));
    must_equal(px->ns, ns);
    must_equal(px->value == STORE_NULL, ns == 0);
    off = ns ? (__int128)px->value * ns - sum : 0;
    must(2 * (off < 0 ? -off : off) <= ns);
}

static inline void check_strip(const struct naive *n, const struct store *s, int times)
{
    enum { MOST = 300 };
    struct store_pixel px[MOST];
    naive_parts parts = { 0 };

    for (int i = 0; i < times; i++) {
        uint32_t a = any(3) ? any(n->nattrs) : 0, npx = 1 + any(any(8) ? 40 : MOST);
        struct span w = any_window(n);

        store_strip(s, a, w, px, npx);
        must_equal(store_edge(w, npx, 0), w.t0);
        must_equal(store_edge(w, npx, npx), w.t1);
        for (uint32_t p = 0; p < npx; p++) {
            ns_t t0 = store_edge(w, npx, p), t1 = store_edge(w, npx, p + 1);

            must(t0 <= t1);
            if (naive_family(a)->type == STORE_INT)
                check_number_pixel(&n->at[a], t0, t1, &px[p], &parts);
            else
                check_pixel(n, a, t0, t1, &px[p], &parts);
        }
    }
    vec_free(&parts);
}

static inline void check_point(const struct naive_attr *a, ns_t t0, ns_t t1,
                               const struct store_point *p)
{
    cell_t min = STORE_NULL, max = STORE_NULL, last = STORE_NULL;
    double most = 0;
    __int128 sum = 0;
    ns_t ns = 0;

    for (size_t i = naive_find(a, t0); i < a->list.n && a->list.at[i].t0 < t1; i++) {
        const struct interval *v = &a->list.at[i];
        ns_t from = v->t0 > t0 ? v->t0 : t0, to = v->t1 < t1 ? v->t1 : t1;

        if (from == to) /* a pixel without width */
            continue;
        min = ns == 0 || v->value < min ? v->value : min;
        max = ns == 0 || v->value > max ? v->value : max;
        most = fmax(most, fabs((double)v->value));
        last = v->value;
        sum += (__int128)v->value * (to - from);
        ns += to - from;
    }
    must_equal(p->lost, false);
    must_equal(p->ns, ns);
    must_equal(p->changes, naive_begins(a, t0, t1));
    must_equal(p->min, min);
    must_equal(p->max, max);
    must_equal(p->last, last);
    if (ns)
        must(fabs(p->mean - (double)sum / (double)ns) <= 1e-9 * most);
}

static inline void check_series(const struct naive *n, const struct store *s, int times)
{
    enum { MOST = 300 };
    struct store_point points[MOST];

    for (int i = 0; i < times; i++) {
        uint32_t a = any(n->nattrs), npx = 1 + any(any(8) ? 40 : MOST);
        struct span w = any_window(n);

        if (naive_family(a)->type != STORE_INT)
            continue;
        store_series(s, a, w, points, npx);
        for (uint32_t p = 0; p < npx; p++)
            check_point(&n->at[a], store_edge(w, npx, p), store_edge(w, npx, p + 1), &points[p]);
    }
}

/* --- sums ---------------------------------------------------------------------- */

/* Random attributes, each once and of one family: numbers of texts and of states are
 * not the same. */
static inline uint32_t any_attrs(const struct naive *n, attr_t *ret)
{
    uint32_t family = any(NAIVE_FAMILIES), many = 0;

    for (uint32_t a = 0; a < n->nattrs; a++)
        if (a % NAIVE_FAMILIES == family && any(3))
            ret[many++] = a;
    return many;
}

static inline ns_t naive_total(const struct naive *n, const attr_t *attrs, uint32_t many,
                               struct span w, cell_t value)
{
    ns_t sum = 0;

    for (uint32_t k = 0; k < many; k++) {
        const struct naive_attr *a = &n->at[attrs[k]];

        for (size_t i = naive_find(a, w.t0); i < a->list.n && a->list.at[i].t0 < w.t1; i++) {
            const struct interval *v = &a->list.at[i];

            if (v->value == value)
                sum += (v->t1 < w.t1 ? v->t1 : w.t1) - (v->t0 > w.t0 ? v->t0 : w.t0);
        }
    }
    return sum;
}

/* Time with a value, whichever it is. */
static inline __int128 naive_covered(const struct naive *n, const attr_t *attrs, uint32_t many,
                                     struct span w)
{
    naive_parts parts = { 0 };
    __int128 sum = 0;

    for (uint32_t k = 0; k < many; k++) {
        naive_sums(&n->at[attrs[k]], w.t0, w.t1, &parts);
        for (size_t i = 0; i < parts.n; i++)
            sum += parts.at[i].ns;
    }
    vec_free(&parts);
    return sum;
}

static inline void check_totals(const struct naive *n, const struct store *s, int times)
{
    attr_t *attrs = xcalloc(n->nattrs, sizeof *attrs);

    for (int i = 0; i < times; i++) {
        uint32_t many = i % 4 ? any_attrs(n, attrs) : 1;
        struct span w = any_window(n);
        struct store_totals got;
        uint64_t changes = 0;
        __int128 sum = 0;

        attrs[0] = many == 1 ? any(n->nattrs) : attrs[0];
        if (many > 1 && (__int128)(w.t1 - w.t0) * many > NS_MAX)
            many = 1;
        store_totals(s, attrs, many, w, &got);
        must_equal(got.lost, 0);
        for (size_t k = 0; k < got.n; k++) {
            sum += got.at[k].value == STORE_NULL ? 0 : got.at[k].ns;
            must(k == 0 || got.at[k].ns <= got.at[k - 1].ns);
            if (got.at[k].value == STORE_NULL || k > 200)
                continue;
            must_equal(got.at[k].ns, naive_total(n, attrs, many, w, got.at[k].value));
        }
        must(sum == naive_covered(n, attrs, many, w));
        for (uint32_t k = 0; k < many; k++)
            changes += naive_begins(&n->at[attrs[k]], w.t0, w.t1);
        must_equal(got.changes, changes);
        free(got.at);
    }
    free(attrs);
}

struct naive_found {
    ns_t ns, t0;
};

static inline int naive_by_length(const void *a, const void *b)
{
    const struct naive_found *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns < y->ns ? 1 : -1;
    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static inline void check_longest(const struct naive *n, const struct store *s, int times)
{
    enum { MOST = 40 };
    struct store_found got[MOST];
    attr_t *attrs = xcalloc(n->nattrs, sizeof *attrs);
    VEC(struct naive_found) all = { 0 };

    for (int i = 0; i < times; i++) {
        struct span w = any_window(n);
        uint32_t many = any_attrs(n, attrs), most = 1 + any(MOST);
        cell_t value = (cell_t)any(6);
        ns_t lost = -1;

        all.n = 0;
        for (uint32_t k = 0; k < many; k++) {
            const struct naive_attr *a = &n->at[attrs[k]];

            for (size_t j = naive_find(a, w.t0); j < a->list.n && a->list.at[j].t0 < w.t1; j++)
                if (a->list.at[j].value == value)
                    *vec_push(&all) = (struct naive_found){ a->list.at[j].t1 - a->list.at[j].t0,
                                                            a->list.at[j].t0 };
        }
        if (all.n)
            qsort(all.at, all.n, sizeof *all.at, naive_by_length);
        size_t has = store_longest(s, attrs, many, value, w, most, got, &lost);
        must_equal(has, all.n < most ? all.n : most);
        must_equal(lost, 0);
        for (size_t k = 0; k < has; k++) {
            struct interval want = naive_at(n, got[k].a, got[k].v.t0);

            check_interval(&want, &got[k].v);
            must_equal(got[k].v.value, value);
            must_equal(got[k].v.t1 - got[k].v.t0, all.at[k].ns);
            must_equal(got[k].v.t0, all.at[k].t0);
        }
    }
    vec_free(&all);
    free(attrs);
}

/* --- all of it ----------------------------------------------------------------- */

static inline void check_all(const struct naive *n, const struct store *s, int times)
{
    struct store_coverage cov;

    store_coverage(s, &cov);
    must_equal(cov.finished, true);
    must_equal(cov.t0, n->t0);
    must_equal(cov.t1, n->t1);
    must_equal(cov.complete_until, n->t1);
    must_equal(cov.late, n->late);
    must_equal(cov.changes, naive_changes(n));
    must_equal(cov.bad_blocks, 0);
    must_equal(store_attr_count(s), n->nattrs);
    if (n->t0 == n->t1)
        return;
    check_at(n, s, times * 4);
    check_at_all(n, s, times / 4 + 1);
    check_sample(n, s, times);
    check_ranges(n, s, times / 4 + 2);
    check_strip(n, s, times);
    check_series(n, s, times);
    check_totals(n, s, times / 4 + 1);
    check_longest(n, s, times / 4 + 1);
}

#endif
