/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store.c -- a history's names, and its records against a list of them, in memory
 * and in a file that grew commit by commit.  What attributes had when is in
 * test_history.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/naive_files.h"

enum { TICKS = 360, SEEDS = 60, ROWS = 80, MANY = 6000 };

static const struct store_column columns[] = { { "t0", CELL_TIME },
                                               { "t1", CELL_TIME },
                                               { "id", CELL_INT },
                                               { "span", CELL_SPAN_NS },
                                               { "text", CELL_TEXT } };
static const struct store_column other_columns[] = { { "t0", CELL_TIME }, { "t1", CELL_TIME } };
static const struct store_table table_def = { "rows", columns, ARRAY_SIZE(columns) };
static const struct store_table other_def = { "others", other_columns, 2 };

/* --- records ------------------------------------------------------------------- */

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
static bool meets(const struct row *r, struct span w, bool skip_open)
{
    ns_t t0 = begin_of(r), t1 = r->t1;

    if (t1 == STORE_NULL)
        return t0 < w.t1 && !(skip_open && t0 < w.t0);
    if (t0 == t1)
        return w.t0 <= t0 && t0 < w.t1;
    return t0 < w.t1 && w.t0 < t1;
}

/* Something else for each row. */
static cell_t span_of(cell_t id)
{
    return id % 3 == 0 ? STORE_NULL : id % 3 == 1 ? INT64_MAX - id : id * 1000;
}

static void check_window(const struct store *s, table_t t, struct row *rows, size_t n,
                         struct span w, bool skip_open)
{
    struct store_rows r = store_rows(s, t, w);
    const cell_t *row;
    ns_t before = NS_MIN;
    cell_t id = -1;

    if (skip_open)
        store_rows_skip_open(&r);
    for (size_t i = 0; i < n; i++)
        rows[i].given = false;
    while ((row = store_rows_next(&r))) {
        must(row[2] >= 0 && (size_t)row[2] < n);
        struct row *mine = &rows[row[2]];

        must(!mine->given);
        must(meets(mine, w, skip_open));
        must_equal(row[0], mine->t0);
        must_equal(row[1], mine->t1);
        must_equal(row[3], span_of(row[2]));
        must_equal(row[4], 1 + row[2] % NAIVE_TEXTS);
        must(begin_of(mine) > before || (begin_of(mine) == before && row[2] > id));
        before = begin_of(mine);
        id = row[2];
        mine->given = true;
    }
    for (size_t i = 0; i < n; i++)
        must_equal(rows[i].given, meets(&rows[i], w, skip_open));
}

static void check_records(const struct store *s, struct row *rows, size_t n, uint32_t ticks)
{
    struct store_coverage cov;
    table_t t, other;

    store_coverage(s, &cov);
    must_equal(cov.records, n + 1);
    must(store_table_find(s, "rows", &t));
    must(store_table_find(s, "others", &other));
    must_equal(store_table_count(s), 2);
    check_window(s, t, rows, n, SPAN_ALL, false);
    check_window(s, t, rows, n, SPAN_ALL, true);
    for (int i = 0; i < 40; i++) {
        ns_t t0 = any(ticks);

        check_window(s, t, rows, n, (struct span){ t0, t0 + 1 + any(60) }, i % 4 == 0);
    }
    struct store_rows r = store_rows(s, other, SPAN_ALL);
    if (n > 0) { /* not to its end */
        must(store_rows_next(&r));
        struct store_rows many = store_rows(s, t, SPAN_ALL);
        must(store_rows_next(&many));
        store_rows_end(&many);
    }
    store_rows_end(&r);
}

static size_t tell_records(struct store *s, struct row *rows, size_t n, uint32_t ticks,
                           uint32_t commits)
{
    struct err err = { 0 };
    table_t t, other;

    naive_declare(s, 0);
    t = store_table(s, &table_def);
    other = store_table(s, &other_def);
    store_record(s, other, (const cell_t[]){ 3, 5 });
    for (size_t i = 0; i < n; i++) {
        ns_t t0 = any(ticks), t1 = t0 + (any(4) ? any(30) : 0);
        uint32_t unknown = any(ticks > TICKS ? 500 : 8);
        cell_t id = (cell_t)i;

        rows[i] =
            (struct row){ unknown == 0 ? STORE_NULL : t0, unknown == 1 ? STORE_NULL : t1, false };
        cell_t cells[] = { rows[i].t0, rows[i].t1, id, span_of(id), 1 + id % NAIVE_TEXTS };
        store_record(s, t, cells);
        if (commits && any(commits) == 0)
            works(store_commit(s, NS_MIN, &err), &err);
    }
    works(store_finish(s, 0, ticks, &err), &err);
    return n;
}

static void test_records(void **state)
{
    struct row *rows = xcalloc(MANY, sizeof *rows);
    const char *path = naive_file("records");
    struct err err = { 0 };
    struct store *s;

    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        bool big = seed % 10 == 0; /* enough for many blocks */
        uint32_t ticks = big ? 50000 : TICKS;

        snprintf(naive_where, sizeof naive_where, "records, seed %u", seed);
        rng = seed;
        size_t n = big ? MANY - any(ROWS) : any(ROWS);
        if (seed % 2) {
            s = store_new("host");
            tell_records(s, rows, n, ticks, seed % 3 ? 0 : 10);
        } else {
            works(store_create(path, "host", NULL, &s, &err), &err);
            tell_records(s, rows, n, ticks, seed % 3 ? 0 : big ? 500 : 10);
            check_records(s, rows, n, ticks);
            store_free(s);
            works(store_open(path, &s, &err), &err);
        }
        check_records(s, rows, n, ticks);
        store_free(s);
    }
    free(rows);
}

/* --- the rest ------------------------------------------------------------------ */

static void test_names(void **state)
{
    const struct store_family *family = &naive_families[0];
    struct store *s = store_new("compute1");
    struct err err = { 0 };
    attr_t a = store_attr(s, family, STR("things/a/state"));
    attr_t b = store_attr(s, family, STR("things/b/state")), found, it = 0;
    cell_t text = store_intern(s, STR("text"));
    table_t t = store_table(s, &table_def), t2;

    (void)state;
    assert_int_equal(store_attr(s, family, STR("things/a/state")), a);
    assert_int_equal(store_intern(s, STR("text")), text);
    assert_int_equal(store_intern(s, STR("")), 0);
    works(store_finish(s, 0, 1, &err), &err);
    assert_string_equal(store_host(s), "compute1");
    assert_int_equal(store_attr_count(s), 2);
    assert_true(store_attr_find(s, STR("things/b/state"), &found));
    assert_int_equal(found, b);
    assert_false(store_attr_find(s, STR("things/c/state"), &found));
    assert_false(store_attr_find(s, STR(""), &found));
    assert_true(str_is(store_attr_path(s, a), "things/a/state"));
    assert_true(store_attr_match(s, STR("things/*/state"), &it, &found));
    assert_int_equal(found, a);
    assert_true(store_attr_match(s, STR("things/*/state"), &it, &found));
    assert_int_equal(found, b);
    assert_false(store_attr_match(s, STR("things/*/state"), &it, &found));
    assert_string_equal(store_attr_family(s, a)->pattern, family->pattern);
    assert_true(str_is(store_text(s, text), "text"));
    assert_int_equal(store_text(s, STORE_NULL).n, 0);
    assert_true(store_table_find(s, "rows", &t2));
    assert_int_equal(t, t2);
    assert_false(store_table_find(s, "columns", &t2));
    assert_int_equal(store_column(&table_def, "id"), 2);
    assert_int_equal(store_column(&table_def, "none"), -1);
    const struct store_table *def = store_table_def(s, t);
    assert_string_equal(def->name, "rows");
    assert_int_equal(def->ncolumns, ARRAY_SIZE(columns));
    for (uint32_t i = 0; i < def->ncolumns; i++) {
        assert_string_equal(def->columns[i].name, columns[i].name);
        assert_int_equal(def->columns[i].type, columns[i].type);
    }
    store_free(s);
}

static void test_nothing(void **state)
{
    struct store *s = store_new("");
    struct err err = { 0 };
    table_t t = store_table(s, &table_def);
    attr_t a = store_attr(s, &naive_families[0], STR("x"));
    attr_t b = store_attr(s, &naive_families[1], STR("y"));
    struct store_coverage cov;
    struct store_totals totals;
    struct store_point points[3];
    struct store_pixel px[3];
    struct interval v;

    (void)state;
    works(store_finish(s, 0, 0, &err), &err);
    store_coverage(s, &cov);
    assert_int_equal(cov.changes, 0);
    assert_int_equal(cov.records, 0);
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    assert_null(store_rows_next(&r));
    struct store_ranges ranges = store_ranges(s, a, SPAN_ALL);
    assert_false(store_ranges_next(&ranges, &v));
    assert_false(store_at(s, a, 0, &v));
    assert_int_equal(v.value, STORE_NULL);
    store_strip(s, a, (struct span){ 0, 3 }, px, 3);
    assert_int_equal(px[2].value, STORE_NULL);
    store_series(s, b, (struct span){ 0, 3 }, points, 3);
    assert_int_equal(points[2].max, STORE_NULL);
    store_totals(s, &a, 1, SPAN_ALL, &totals);
    free(totals.at);
    store_totals(s, &a, 0, (struct span){ 0, 3 }, &totals);
    assert_int_equal(totals.n, 0);
    free(totals.at);
    store_free(s);
    store_free(NULL);
}

/* A history that was never asked for, nor finished. */
static void test_thrown_away(void **state)
{
    struct err err = { 0 };
    struct store *s = store_new("host");

    (void)state;
    store_set(s, store_attr(s, &naive_families[0], STR("x")), 1, 1);
    store_record(s, store_table(s, &table_def), (const cell_t[]){ 1, 2, 3, 4, 0 });
    store_free(s);
    works(store_create(naive_file("thrown"), "host", NULL, &s, &err), &err);
    store_set(s, store_attr(s, &naive_families[0], STR("x")), 1, 1);
    store_free(s);
    assert_true(store_create(naive_file("no/such/folder"), "host", NULL, &s, &err) < 0);
    assert_non_null(strstr(err.text, "no/such/folder"));
    assert_true(store_open(naive_file("no-such-file"), &s, &err) < 0);
    assert_non_null(strstr(err.text, "no-such-file"));
    assert_true(store_open(naive_file("."), &s, &err) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_thrown_away),
    };

    return cmocka_run_group_tests(tests, naive_setup, naive_teardown);
}
