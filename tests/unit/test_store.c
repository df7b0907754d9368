/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store.c -- a history against a naive one: one value per tick, asked tick
 * by tick.  Random work with fixed seeds, every query. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "store/store.h"

#include <stdlib.h>

enum { TICKS = 360, VALUES = 5, BAD = 3, SEEDS = 60, ROWS = 80, MANY = 6000 };

static const struct store_value values[VALUES] = { { "zero", "#000000", false },
                                                   { "one", "#000001", false },
                                                   { "two", "#000002", false },
                                                   { "bad", "#000003", true },
                                                   { "four", "#000004", false } };
static const struct store_family family = {
    "things/{thing}/state", "State", STORE_STATE, "", values, VALUES
};
static const struct store_column columns[] = { { "t0", CELL_TIME },
                                               { "t1", CELL_TIME },
                                               { "id", CELL_INT } };
static const struct store_table table_def = { "rows", columns, ARRAY_SIZE(columns) };

static uint64_t rng;

static uint32_t any(uint32_t n)
{
    rng = rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(rng >> 33) % n;
}

/* --- the naive history ------------------------------------------------------- */

struct naive {
    cell_t at[TICKS];
    bool start[TICKS]; /* an interval begins here */
    uint64_t late;
    bool open;
};

static void naive_init(struct naive *n)
{
    *n = (struct naive){ 0 };
    for (int i = 0; i < TICKS; i++)
        n->at[i] = STORE_NULL;
}

/* The last change: where the open value began, else where the last one ended. */
static ns_t naive_last(const struct naive *n)
{
    if (n->open)
        for (int i = TICKS; i-- > 0;)
            if (n->start[i])
                return i;
    for (int i = TICKS; i-- > 0;)
        if (n->at[i] != STORE_NULL)
            return i + 1;
    return NS_MIN;
}

static void naive_set(struct naive *n, ns_t t, cell_t value)
{
    ns_t last = naive_last(n);

    if (t < last) {
        n->late++;
        t = last;
    }
    if (n->open && n->at[TICKS - 1] == value)
        return;
    for (ns_t i = t; i < TICKS; i++) {
        n->at[i] = value;
        n->start[i] = i == t && value != STORE_NULL;
    }
    n->open = value != STORE_NULL;
}

static ns_t naive_begin(const struct naive *n, ns_t t)
{
    while (!n->start[t])
        t--;
    return t;
}

static ns_t naive_end(const struct naive *n, ns_t t)
{
    for (t++; t < TICKS && !n->start[t] && n->at[t] != STORE_NULL; t++)
        ;
    return t;
}

/* --- attributes ---------------------------------------------------------------- */

static void check_interval(const struct naive *n, ns_t t, const struct interval *v)
{
    assert_int_equal(v->value, n->at[t]);
    assert_int_equal(v->t0, naive_begin(n, t));
    assert_int_equal(v->t1, naive_end(n, t));
    assert_int_equal(v->open, n->open && v->t1 == TICKS);
}

static void check_at(const struct naive *n, const struct store *s, attr_t a)
{
    struct interval v;

    assert_false(store_at(s, a, -1, &v));
    assert_false(store_at(s, a, TICKS, &v));
    for (ns_t t = 0; t < TICKS; t++) {
        assert_int_equal(store_at(s, a, t, &v), n->at[t] != STORE_NULL);
        if (n->at[t] != STORE_NULL)
            check_interval(n, t, &v);
    }
}

static void check_ranges(const struct naive *n, const struct store *s, attr_t a)
{
    for (int i = 0; i < 30; i++) {
        ns_t t0 = any(TICKS), t1 = t0 + 1 + any(TICKS), t = t0;
        struct store_ranges r = store_ranges(s, a, (struct span){ t0, t1 });
        struct interval v;

        while (store_ranges_next(&r, &v)) {
            while (t < TICKS && n->at[t] == STORE_NULL)
                t++;
            assert_true(t < TICKS);
            check_interval(n, t, &v);
            t = v.t1;
        }
        for (; t < t1 && t < TICKS; t++)
            assert_int_equal(n->at[t], STORE_NULL);
    }
}

static void check_pixel(const struct naive *n, ns_t t0, ns_t t1, const struct store_pixel *px)
{
    int64_t sums[VALUES] = { 0 }, best = 0, none = 0;
    uint32_t changes = 0;

    for (ns_t t = t0; t < t1; t++) {
        cell_t v = t < TICKS ? n->at[t] : STORE_NULL;

        if (v == STORE_NULL)
            none++;
        else if (++sums[v] > best)
            best = sums[v];
        changes += t < TICKS && n->start[t];
    }
    assert_int_equal(px->bad, sums[BAD] > 0);
    assert_int_equal(px->changes, changes);
    if (best == 0 || none > best)
        assert_int_equal(px->value, STORE_NULL);
    else
        assert_int_equal(sums[px->value], best);
}

static void check_strip(const struct naive *n, const struct store *s, attr_t a)
{
    struct store_pixel px[40];

    for (int i = 0; i < 30; i++) {
        uint32_t npx = 1 + any(ARRAY_SIZE(px)), width = 1 + any(12);
        ns_t t0 = any(TICKS);

        store_strip(s, a, (struct span){ t0, t0 + (ns_t)npx * width }, px, npx);
        for (uint32_t p = 0; p < npx; p++)
            check_pixel(n, t0 + (ns_t)p * width, t0 + (ns_t)(p + 1) * width, &px[p]);
    }
}

static void test_attributes(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct store *s = store_new("host");
        struct store_coverage cov;
        struct naive n;
        ns_t now = 0;

        rng = seed;
        naive_init(&n);
        attr_t a = store_attr(s, &family, STR("things/one/state"));
        assert_int_equal(store_attr(s, &family, STR("things/one/state")), a);
        for (uint32_t i = any(70); i > 0 && now < TICKS - 20; i--) {
            cell_t v = any(4) ? (cell_t)any(VALUES) : STORE_NULL;
            ns_t t = any(5) ? now + any(12) : now - any(6); /* some come late */
            ns_t end = t + any(8);

            if (any(5) == 0 && t >= now && t >= naive_last(&n) && v != STORE_NULL) {
                store_range(s, a, t, end, v);
                if (t < end) {
                    naive_set(&n, t, v);
                    naive_set(&n, end, STORE_NULL);
                }
                t = end;
            } else {
                t = t < 0 ? 0 : t;
                store_set(s, a, t, v);
                naive_set(&n, t, v);
            }
            now = t > now ? t : now;
        }
        store_finish(s, 0, TICKS);
        store_coverage(s, &cov);
        assert_int_equal(cov.late, n.late);
        check_at(&n, s, a);
        check_ranges(&n, s, a);
        check_strip(&n, s, a);
        store_free(s);
    }
}

/* --- records -------------------------------------------------------------------- */

struct row {
    ns_t t0, t1;
    bool given;
};

static ns_t begin_of(const struct row *r)
{
    return r->t0 != STORE_NULL ? r->t0 : r->t1;
}

/* Does it meet the window?  Unknown starts count as their ends, and what has no
 * end goes on. */
static bool meets(const struct row *r, struct span w)
{
    ns_t t0 = begin_of(r), t1 = r->t1;

    if (t1 == STORE_NULL)
        return t0 < w.t1;
    if (t0 == t1)
        return w.t0 <= t0 && t0 < w.t1;
    return t0 < w.t1 && w.t0 < t1;
}

static void check_window(const struct store *s, table_t t, struct row *rows, size_t n,
                         struct span w)
{
    struct store_rows r = store_rows(s, t, w);
    const cell_t *row;
    ns_t before = NS_MIN;
    cell_t id = -1;

    for (size_t i = 0; i < n; i++)
        rows[i].given = false;
    while ((row = store_rows_next(&r))) {
        struct row *mine = &rows[row[2]];

        assert_false(mine->given);
        assert_true(meets(mine, w));
        assert_int_equal(row[0], mine->t0);
        assert_int_equal(row[1], mine->t1);
        assert_true(begin_of(mine) > before || (begin_of(mine) == before && row[2] > id));
        before = begin_of(mine);
        id = row[2];
        mine->given = true;
    }
    for (size_t i = 0; i < n; i++)
        assert_int_equal(rows[i].given, meets(&rows[i], w));
}

static void test_records(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct store *s = store_new("host");
        table_t t = store_table(s, &table_def);
        bool big = seed % 10 == 0; /* enough for groups of groups */
        uint32_t ticks = big ? 50000 : TICKS;
        struct row *rows = xcalloc(MANY, sizeof *rows);
        size_t n;

        rng = seed;
        n = big ? MANY - any(ROWS) : any(ROWS);
        for (size_t i = 0; i < n; i++) {
            ns_t t0 = any(ticks), t1 = t0 + (any(4) ? any(30) : 0);
            uint32_t unknown = any(big ? 500 : 8);

            rows[i] = (struct row){ unknown == 0 ? STORE_NULL : t0, unknown == 1 ? STORE_NULL : t1,
                                    false };
            cell_t cells[] = { rows[i].t0, rows[i].t1, (cell_t)i };
            store_record(s, t, cells);
        }
        store_finish(s, 0, ticks);
        check_window(s, t, rows, n, SPAN_ALL);
        for (int i = 0; i < 40; i++) {
            ns_t t0 = any(ticks);

            check_window(s, t, rows, n, (struct span){ t0, t0 + 1 + any(60) });
        }
        store_free(s);
        free(rows);
    }
}

/* --- the rest ---------------------------------------------------------------------- */

static void test_names(void **state)
{
    struct store *s = store_new("compute1");
    attr_t a = store_attr(s, &family, STR("things/a/state"));
    attr_t b = store_attr(s, &family, STR("things/b/state")), found, it = 0;
    cell_t text = store_intern(s, STR("text"));
    table_t t = store_table(s, &table_def), t2;

    (void)state;
    assert_string_equal(store_host(s), "compute1");
    assert_int_equal(store_attr_count(s), 2);
    assert_true(store_attr_find(s, STR("things/b/state"), &found));
    assert_int_equal(found, b);
    assert_false(store_attr_find(s, STR("things/c/state"), &found));
    assert_true(store_attr_match(s, STR("things/*/state"), &it, &found));
    assert_int_equal(found, a);
    assert_true(store_attr_match(s, STR("things/*/state"), &it, &found));
    assert_int_equal(found, b);
    assert_false(store_attr_match(s, STR("things/*/state"), &it, &found));
    assert_true(store_attr_family(s, a) == &family);
    assert_int_equal(store_intern(s, STR("text")), text);
    assert_int_equal(store_intern(s, STR("")), 0);
    assert_true(str_is(store_text(s, text), "text"));
    assert_int_equal(store_text(s, STORE_NULL).n, 0);
    assert_true(store_table_find(s, "rows", &t2));
    assert_int_equal(t, t2);
    assert_false(store_table_find(s, "columns", &t2));
    assert_int_equal(store_column(&table_def, "id"), 2);
    assert_int_equal(store_column(&table_def, "none"), -1);
    store_free(s);
}

static void test_nothing(void **state)
{
    struct store *s = store_new("");
    table_t t = store_table(s, &table_def);
    attr_t a = store_attr(s, &family, STR("x"));
    struct store_coverage cov;
    struct store_pixel px[3];
    struct interval v;

    (void)state;
    store_finish(s, 0, 0);
    store_coverage(s, &cov);
    assert_int_equal(cov.changes, 0);
    assert_int_equal(cov.records, 0);
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    assert_null(store_rows_next(&r));
    struct store_ranges ranges = store_ranges(s, a, SPAN_ALL);
    assert_false(store_ranges_next(&ranges, &v));
    store_strip(s, a, (struct span){ 0, 3 }, px, 3);
    assert_int_equal(px[2].value, STORE_NULL);
    store_free(s);
    store_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attributes),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
