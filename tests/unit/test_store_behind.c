/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_behind.c -- a history that was written on a thread of its own is the one that
 * the calling thread would have written. */
#include "base/err.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ATTRS = 300, STEPS = 200000, LONG = 100000 };

static const struct store_value values[] = { { "a", "#000000", false },
                                             { "b", "#111111", true },
                                             { "c", "#222222", false } };
static const struct store_family family = {
    "things/{n}/state", "State", STORE_STATE, "", values, 3
};
static const struct store_column columns[] = {
    { "t0", CELL_TIME }, { "t1", CELL_TIME }, { "n", CELL_INT }, { "name", CELL_TEXT }
};
static const struct store_table table = { "rows", columns, 4 };

static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

/* Everything that can be written, at random, also texts that no buffer holds. */
static struct store *fill(bool behind)
{
    struct store *s = store_new("host");
    uint64_t seed = 7;
    struct err err;
    char text[64];
    char *much = calloc(1, LONG);
    ns_t t = 1000;

    memset(much, 'x', LONG);
    if (behind)
        store_write_behind(s);
    table_t rows = store_table(s, &table);
    for (int i = 0; i < STEPS; i++) {
        uint64_t r = next(&seed);
        int n = snprintf(text, sizeof text, "things/%d/state", (int)(r % ATTRS));
        attr_t a = store_attr(s, &family, (struct str){ text, (size_t)n });

        t += (ns_t)(r >> 40 & 63);
        store_set(s, a, t, r >> 20 & 3 ? (cell_t)(r >> 20 & 3) - 1 : 0);
        if ((r >> 30 & 15) == 0)
            store_revise(s, a, (cell_t)(r >> 34 & 1));
        n = snprintf(text, sizeof text, "text %d", (int)(r >> 8 & 1023));
        cell_t cells[] = { t - (ns_t)(r >> 48 & 255), t, i,
                           store_intern(s, (struct str){ text, (size_t)n }) };
        store_record(s, rows, cells);
        if (i % 50000 == 49999) {
            store_set_fact(s, "step", (struct str){ text, (size_t)n });
            store_intern(s, (struct str){ much, LONG - (size_t)i / 50000 });
            assert_int_equal(store_commit(s, t, &err), 0);
        }
    }
    free(much);
    assert_int_equal(store_finish(s, 1000, t + 1, &err), 0);
    return s;
}

static void compare_rows(const struct store *x, const struct store *y)
{
    table_t t;

    assert_true(store_table_find(x, "rows", &t));
    struct store_rows a = store_rows(x, t, SPAN_ALL), b = store_rows(y, t, SPAN_ALL);
    const cell_t *p, *q;
    size_t n = 0;
    while ((p = store_rows_next(&a))) {
        assert_non_null(q = store_rows_next(&b));
        assert_memory_equal(p, q, 4 * sizeof *p);
        assert_true(str_eq(store_text(x, p[3]), store_text(y, q[3])));
        n++;
    }
    assert_null(store_rows_next(&b));
    assert_int_equal(n, STEPS);
}

static void same_history(void **state)
{
    struct store *x = fill(false), *y = fill(true);
    size_t n = 0;

    (void)state;
    assert_int_equal(store_attr_count(x), ATTRS);
    assert_int_equal(store_attr_count(y), ATTRS);
    for (attr_t a = 0; a < ATTRS; a++) {
        struct store_ranges p = store_ranges(x, a, SPAN_ALL), q = store_ranges(y, a, SPAN_ALL);
        struct interval v, u;

        assert_true(str_eq(store_attr_path(x, a), store_attr_path(y, a)));
        while (store_ranges_next(&p, &v)) {
            assert_true(store_ranges_next(&q, &u));
            assert_true(v.t0 == u.t0 && v.t1 == u.t1 && v.value == u.value && v.open == u.open);
            n++;
        }
        assert_false(store_ranges_next(&q, &u));
    }
    assert_true(n > STEPS / 4);
    compare_rows(x, y);
    assert_true(str_eq(store_fact(x, "step"), store_fact(y, "step")));
    store_free(x);
    store_free(y);
}

/* A writer that is given up leaves nothing behind. */
static void freed_early(void **state)
{
    struct store *s = store_new("host");

    (void)state;
    store_write_behind(s);
    attr_t a = store_attr(s, &family, STR("things/1/state"));
    for (int i = 0; i < 100000; i++)
        store_set(s, a, i, i % 3);
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(same_history),
                                        cmocka_unit_test(freed_early) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
