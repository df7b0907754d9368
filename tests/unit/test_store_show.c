/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_show.c -- a history that is asked in another time, against lists of the same
 * intervals and records in that time.
 *
 * The clock runs at half the rate of what is shown, and is set forward in the middle: so every
 * place where a time was forgotten shows.  The map's way back is exact, so all answers are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/naive_files.h"

enum { SEEDS = 40, ATTRS = 8, TICKS = 5000, CHANGES = 300, ROWS = 120, PIXELS = 64 };

/* Shown is 2 * own + 'ahead', and 'gap' more from 'from' on. */
struct show {
    ns_t ahead, from, gap;
};

static ns_t shown_of(const void *ctx, ns_t own)
{
    const struct show *m = ctx;

    if (own == NS_MIN || own == NS_MAX)
        return own;
    return 2 * own + m->ahead + (own >= m->from ? m->gap : 0);
}

/* The last instant that is shown as 't' or earlier. */
static ns_t own_of(const void *ctx, ns_t t)
{
    const struct show *m = ctx;
    ns_t step = 2 * m->from + m->ahead;

    if (t == NS_MIN || t == NS_MAX)
        return t;
    if (t >= step && t < step + m->gap)
        return m->from - 1;
    t -= m->ahead + (t >= step ? m->gap : 0);
    return (t - (t & 1)) / 2;
}

/* --- the lists --------------------------------------------------------------------- */

struct made {
    ns_t own0, own1; /* as it was told */
    cell_t value;
};
struct list {
    struct made at[CHANGES];
    size_t n;
};

static const struct store_column columns[] = { { "t0", CELL_TIME },
                                               { "t1", CELL_TIME },
                                               { "id", CELL_INT },
                                               { "seen", CELL_TIME },
                                               { "took", CELL_SPAN_NS } };
static const struct store_table table_def = { "rows", columns, ARRAY_SIZE(columns) };

/* Every attribute has values that end and begin, from the first tick to the last. */
static void tell(struct store *s, struct list *lists)
{
    for (uint32_t a = 0; a < ATTRS; a++) {
        ns_t t = 0;

        lists[a].n = 0;
        while (t < TICKS && lists[a].n < CHANGES - 1) {
            ns_t end = t + 1 + any(60);
            uint32_t what = naive_family(a)->type == STORE_STR ? 1 + any(NAIVE_TEXTS) : any(5);
            cell_t value = any(4) == 0 ? STORE_NULL : what;
            struct made *before = lists[a].n ? &lists[a].at[lists[a].n - 1] : NULL;

            end = end > TICKS || lists[a].n + 2 == CHANGES ? TICKS : end;
            if (before && before->value == value)
                before->own1 = end;
            else
                lists[a].at[lists[a].n++] = (struct made){ t, end, value };
            store_set(s, a, t, value);
            t = end;
        }
    }
}

static const struct made *made_at(const struct list *l, const struct show *m, ns_t t)
{
    for (size_t i = 0; i < l->n; i++)
        if (shown_of(m, l->at[i].own0) <= t && t < shown_of(m, l->at[i].own1))
            return &l->at[i];
    return NULL;
}

static ns_t any_time(const struct show *m)
{
    return shown_of(m, 0) + (ns_t)any((uint32_t)(shown_of(m, TICKS) - shown_of(m, 0)));
}

static struct span shown_window(const struct show *m)
{
    ns_t a = any_time(m), b = any_time(m);

    return (struct span){ a < b ? a : b, (a < b ? b : a) + 2 };
}

/* --- the questions ----------------------------------------------------------------- */

static void expect_interval(const struct interval *v, const struct made *made, const struct show *m)
{
    must_equal(v->value, made->value);
    must_equal(v->t0, shown_of(m, made->own0));
    must_equal(v->t1, shown_of(m, made->own1));
    must(!v->lost);
}

static void check_instants(const struct store *s, const struct list *lists, const struct show *m)
{
    attr_t attrs[ATTRS];
    struct interval all[ATTRS], v;

    for (attr_t a = 0; a < ATTRS; a++)
        attrs[a] = a;
    for (int i = 0; i < 200; i++) {
        ns_t t = any_time(m);

        store_at_all(s, attrs, ATTRS, t, all);
        for (attr_t a = 0; a < ATTRS; a++) {
            const struct made *made = made_at(&lists[a], m, t);

            must(made != NULL);
            must_equal(store_at(s, a, t, &v), made->value != STORE_NULL);
            expect_interval(&v, made, m);
            expect_interval(&all[a], made, m);
        }
    }
}

static void check_samples(const struct store *s, const struct list *l, attr_t a,
                          const struct show *m)
{
    ns_t times[PIXELS];
    struct interval got[PIXELS];
    struct span w = shown_window(m);
    const struct made *last = NULL;
    size_t want = 0;

    for (size_t i = 0; i < PIXELS; i++)
        times[i] = w.t0 + (w.t1 - 1 - w.t0) * (ns_t)i / PIXELS;
    size_t n = store_sample(s, a, times, PIXELS, got);
    for (size_t i = 0; i < PIXELS; i++) {
        const struct made *made = made_at(l, m, times[i]);

        if (!made || made == last)
            continue;
        must(want < n);
        expect_interval(&got[want++], made, m);
        last = made;
    }
    must_equal(want, n);
}

/* Intervals that meet the window, and time of each value within it (in the host's own time: it is
 * what its clock measured). */
static void expect_ranges(const struct store *s, const struct list *l, attr_t a,
                          const struct show *m)
{
    struct span w = shown_window(m), own = { own_of(m, w.t0), own_of(m, w.t1) };
    struct store_ranges r = store_ranges(s, a, w);
    struct store_totals totals;
    struct interval v;
    ns_t sum = 0, told = 0;

    for (size_t i = 0; i < l->n; i++) {
        const struct made *made = &l->at[i];

        if (made->value == STORE_NULL || made->own0 >= own.t1 || made->own1 <= own.t0)
            continue;
        must(store_ranges_next(&r, &v));
        expect_interval(&v, made, m);
        sum += (made->own1 < own.t1 ? made->own1 : own.t1) -
               (made->own0 > own.t0 ? made->own0 : own.t0);
    }
    must(!store_ranges_next(&r, &v));
    store_totals(s, &a, 1, w, &totals);
    for (size_t i = 0; i < totals.n; i++)
        told += totals.at[i].value == STORE_NULL ? 0 : totals.at[i].ns;
    must_equal(told, sum);
    must_equal(totals.lost, 0);
    free(totals.at);
}

/* Windows one after the other, and anywhere, read with the same memory as if it were new. */
static void expect_again(const struct store *s, attr_t a, const struct show *m)
{
    enum { WINDOWS = 40 };
    struct span w = shown_window(m);
    struct store_ranges r = store_ranges(s, a, w);

    for (uint32_t i = 0; i < WINDOWS; i++) {
        uint32_t wide = (uint32_t)(w.t1 - w.t0);
        ns_t t0 = w.t0 + (i % 2 ? any(wide) : wide / WINDOWS * i);
        struct span win = { t0, t0 + 1 + any(i % 3 ? wide / 20 + 1 : wide) };
        struct store_ranges fresh = store_ranges(s, a, win);
        struct interval v, u;
        bool more = true;

        store_ranges_again(&r, win);
        /* Not always to the end. */
        for (uint32_t n = any(4) ? CHANGES : any(3); more && n > 0; n--) {
            more = store_ranges_next(&fresh, &u);
            must_equal(store_ranges_next(&r, &v), more);
            must(!more || (v.t0 == u.t0 && v.t1 == u.t1 && v.value == u.value && v.open == u.open &&
                           v.lost == u.lost));
        }
    }
}

/* Pixels are those of the window in the host's own time. */
static void check_pixels(struct store *s, attr_t a, const struct time_map *map)
{
    struct store_pixel got[PIXELS], want[PIXELS];
    struct store_point points[PIXELS], wanted[PIXELS];
    struct span w = shown_window(map->ctx),
                own = { own_of(map->ctx, w.t0), own_of(map->ctx, w.t1) };
    bool number = store_attr_family(s, a)->type == STORE_INT;

    if (own.t0 >= own.t1)
        return;
    store_strip(s, a, w, got, PIXELS);
    if (number)
        store_series(s, a, w, points, PIXELS);
    store_show(s, NULL);
    store_strip(s, a, own, want, PIXELS);
    if (number)
        store_series(s, a, own, wanted, PIXELS);
    store_show(s, map);
    for (size_t i = 0; i < PIXELS; i++) {
        must_equal(got[i].value, want[i].value);
        must_equal(got[i].ns, want[i].ns);
        must_equal(got[i].changes, want[i].changes);
        if (!number)
            continue;
        must_equal(points[i].min, wanted[i].min);
        must_equal(points[i].max, wanted[i].max);
        must_equal(points[i].last, wanted[i].last);
        must_equal(points[i].ns, wanted[i].ns);
    }
}

static int by_length(const void *a, const void *b)
{
    const struct store_found *x = a, *y = b;
    ns_t one = x->v.t1 - x->v.t0, other = y->v.t1 - y->v.t0;

    if (one != other)
        return one > other ? -1 : 1;
    return x->v.t0 < y->v.t0 ? -1 : x->v.t0 > y->v.t0 ? 1 : (int)x->a - (int)y->a;
}

/* The longest as they are shown, of all attributes of states. */
static void expect_longest(const struct store *s, const struct list *lists, const struct show *m)
{
    static struct store_found want[(size_t)ATTRS * CHANGES];
    struct store_found got[9];
    struct span w = shown_window(m);
    const attr_t attrs[] = { 0, 4 };
    size_t n = 0;
    ns_t lost;

    for (size_t k = 0; k < ARRAY_SIZE(attrs); k++) {
        const struct list *l = &lists[attrs[k]];

        for (size_t i = 0; i < l->n; i++) {
            struct interval v = { .t0 = shown_of(m, l->at[i].own0),
                                  .t1 = shown_of(m, l->at[i].own1),
                                  .value = l->at[i].value };

            if (v.value == 2 && l->at[i].own0 < own_of(m, w.t1) && l->at[i].own1 > own_of(m, w.t0))
                want[n++] = (struct store_found){ attrs[k], v };
        }
    }
    qsort(want, n, sizeof *want, by_length);
    n = n < ARRAY_SIZE(got) ? n : ARRAY_SIZE(got);
    must_equal(store_longest(s, attrs, ARRAY_SIZE(attrs), 2, w, ARRAY_SIZE(got), got, &lost), n);
    for (size_t i = 0; i < n; i++)
        must_equal(got[i].v.t1 - got[i].v.t0, want[i].v.t1 - want[i].v.t0);
    must_equal(lost, 0);
}

/* --- records ----------------------------------------------------------------------- */

struct row {
    ns_t t0, t1, seen;
};

static void tell_rows(struct store *s, struct row *rows)
{
    table_t t = store_table(s, &table_def);

    for (cell_t i = 0; i < ROWS; i++) {
        struct row *r = &rows[i];

        r->t0 = any(TICKS);
        r->t1 = any(5) == 0 ? STORE_NULL : r->t0 + any(100);
        r->seen = any(4) == 0 ? STORE_NULL : (ns_t)any(TICKS);
        store_record(s, t, (const cell_t[]){ r->t0, r->t1, i, r->seen, 1000 + i });
    }
}

static ns_t shown_or_null(const struct show *m, ns_t t)
{
    return t == STORE_NULL ? t : shown_of(m, t);
}

static void check_rows(const struct store *s, const struct row *rows, const struct show *m)
{
    struct span w = shown_window(m), own = { own_of(m, w.t0), own_of(m, w.t1) };
    bool given[ROWS] = { false };
    ns_t before = NS_MIN;
    const cell_t *row;
    table_t t;

    must(store_table_find(s, "rows", &t));
    struct store_rows r = store_rows(s, t, w);
    while ((row = store_rows_next(&r))) {
        const struct row *mine = &rows[row[2]];

        given[row[2]] = true;
        must(row[0] >= before);
        before = row[0];
        must_equal(row[0], shown_of(m, mine->t0));
        must_equal(row[1], shown_or_null(m, mine->t1));
        must_equal(row[3], shown_or_null(m, mine->seen));
        must_equal(row[4], 1000 + row[2]); /* how long is no instant */
    }
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *o = &rows[i];
        bool meets = o->t0 < own.t1 && (o->t1 == STORE_NULL || o->t1 > own.t0);

        if (o->t0 == o->t1)
            meets = own.t0 <= o->t0 && o->t0 < own.t1;
        must_equal(given[i], meets);
    }
}

static void check_coverage(const struct store *s, const struct show *m)
{
    struct store_coverage cov;

    store_coverage(s, &cov);
    must_equal(cov.t0, shown_of(m, 0));
    must_equal(cov.t1, shown_of(m, TICKS));
    must_equal(cov.complete_until, shown_of(m, TICKS));
    must_equal(store_shown(s, 17), shown_of(m, 17));
    must(str_is(store_fact(s, "fact"), "17")); /* facts are texts: who reads them shows them */
}

/* --- all --------------------------------------------------------------------------- */

static void expect_all(struct store *s, const struct list *lists, const struct row *rows)
{
    struct show m = { (ns_t)any(1000000) - 500000, 1 + any(TICKS - 2), any(2) ? any(3000) : 0 };
    struct time_map map = { shown_of, own_of, &m };

    store_show(s, &map);
    check_coverage(s, &m);
    check_instants(s, lists, &m);
    for (attr_t a = 0; a < ATTRS; a++) {
        check_samples(s, &lists[a], a, &m);
        expect_ranges(s, &lists[a], a, &m);
        expect_again(s, a, &m);
        check_pixels(s, a, &map);
    }
    expect_longest(s, lists, &m);
    check_rows(s, rows, &m);
    store_show(s, NULL);
    must_equal(store_shown(s, 17), 17);
}

static void test_all_questions(void **state)
{
    static struct list lists[ATTRS];
    const char *path = naive_file("show");
    struct row rows[ROWS];
    struct err err = { 0 };
    struct store *s;

    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        bool in_file = seed % 2;

        snprintf(naive_where, sizeof naive_where, "seed %u", seed);
        rng = seed;
        if (in_file)
            works(store_create(path, "host", NULL, &s, &err), &err);
        else
            s = store_new("host");
        naive_declare(s, ATTRS);
        tell(s, lists);
        tell_rows(s, rows);
        store_set_fact(s, "fact", STR("17"));
        works(store_finish(s, 0, TICKS, &err), &err);
        if (in_file) {
            store_free(s);
            works(store_open(path, &s, &err), &err);
        }
        for (int i = 0; i < 5; i++)
            expect_all(s, lists, rows);
        store_free(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_all_questions) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
