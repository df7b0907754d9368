/* SPDX-License-Identifier: Apache-2.0
 *
 * test_store_behind.c -- a history that was written on a thread of its own is the one that
 * the calling thread would have written; what fails there is told, once and for all, by the next
 * commit, and nobody waits for ever. */
#include "store/io_priv.h"
#include "store/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ATTRS = 300, STEPS = 200000, LONG = 100000, PART = 8000, COMMITS = 5 };

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

/* What is written, step by step. */
struct teller {
    struct store *s;
    table_t rows;
    uint64_t seed;
    ns_t t;
    char *much; /* LONG bytes */
    int step;
};

static struct teller teller_make(struct store *s)
{
    struct teller k = { .s = s, .seed = 7, .t = 1000, .much = calloc(1, LONG) };

    memset(k.much, 'x', LONG);
    k.rows = store_table(s, &table);
    return k;
}

static void tell_change(struct teller *k, uint64_t r)
{
    char path[64];
    int n = snprintf(path, sizeof path, "things/%d/state", (int)(r % ATTRS));
    attr_t a = store_attr(k->s, &family, (struct str){ path, (size_t)n });

    store_set(k->s, a, k->t, r >> 20 & 3 ? (cell_t)(r >> 20 & 3) - 1 : 0);
    if ((r >> 30 & 15) == 0)
        store_revise(k->s, a, (cell_t)(r >> 34 & 1));
}

/* Everything that can be written, at random. */
static void tell_step(struct teller *k)
{
    uint64_t r = next(&k->seed);
    char text[64];

    k->t += (ns_t)(r >> 40 & 63);
    tell_change(k, r);
    int n = snprintf(text, sizeof text, "text %d", (int)(r >> 8 & 1023));
    cell_t cells[] = { k->t - (ns_t)(r >> 48 & 255), k->t, k->step++,
                       store_intern(k->s, (struct str){ text, (size_t)n }) };
    store_record(k->s, k->rows, cells);
}

/* 'n' steps, a fact, a text that no buffer holds, and a commit. */
static int tell_commit(struct teller *k, int n, struct err *err)
{
    char text[64];

    for (int i = 0; i < n; i++)
        tell_step(k);
    int len = snprintf(text, sizeof text, "%d", k->step);
    store_set_fact(k->s, "step", (struct str){ text, (size_t)len });
    store_intern(k->s, (struct str){ k->much, LONG - (size_t)(k->step / PART) });
    return store_commit(k->s, k->t, err);
}

static void finish(struct teller *k)
{
    struct err err;

    for (int i = 0; i < 4; i++)
        assert_int_equal(tell_commit(k, STEPS / 4, &err), 0);
    assert_int_equal(store_finish(k->s, 1000, k->t + 1, &err), 0);
    free(k->much);
}

static struct store *fill(bool behind)
{
    struct store *s = store_new("host");

    if (behind)
        store_write_behind(s);
    struct teller k = teller_make(s);
    finish(&k);
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

static void compare(const struct store *x, const struct store *y)
{
    size_t n = 0;

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
}

static void same_history(void **state)
{
    struct store *x = fill(false), *y = fill(true);

    (void)state;
    compare(x, y);
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

/* --- what fails -------------------------------------------------------------------------- */

static void no_faults(void)
{
    io_faults = (struct io_faults){ -1, -1, -1, false };
}

/* Where there is no memory for the thread's buffers the calling thread writes. */
static void no_thread(void **state)
{
    struct store *x = fill(false);

    (void)state;
    for (int i = 0; i < 12; i++) {
        struct store *y = store_new("host");

        io_faults.allocs = i;
        store_write_behind(y);
        no_faults();
        struct teller k = teller_make(y);
        finish(&k);
        compare(x, y);
        store_free(y);
    }
    store_free(x);
}

static char path[256];

static int make_path(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(path, sizeof path, "%s/neph-behind-%d", tmp && *tmp ? tmp : "/tmp", (int)getpid());
    alarm(300); /* nobody waits for ever */
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    unlink(path);
    alarm(0);
    return 0;
}

/* The file has what was committed before it failed, no more and no less. */
static void check_file(int committed)
{
    struct err err = { 0 };
    struct store *s;
    table_t t;
    int n = 0;

    if (store_open(path, &s, &err) < 0) {
        assert_int_equal(committed, 0);
        assert_non_null(strstr(err.text, path));
        return;
    }
    if (store_table_find(s, "rows", &t)) {
        struct store_rows r = store_rows(s, t, SPAN_ALL);
        bool *seen = calloc(COMMITS * PART, sizeof *seen);

        for (const cell_t *row; (row = store_rows_next(&r)); n++) {
            assert_true(row[2] >= 0 && row[2] < committed && !seen[row[2]]);
            seen[row[2]] = true;
        }
        free(seen);
    }
    assert_int_equal(n, committed);
    store_free(s);
}

/* Tells it all, whatever fails; every answer after the first error is that error.  Returns 0 or
 * the error. */
static int tell_all(struct store *s, int *ret_committed)
{
    struct err first = { 0 }, err = { 0 };
    struct teller k = teller_make(s);
    int rc = 0;

    *ret_committed = 0;
    for (int i = 0; i <= COMMITS; i++) {
        int now = i < COMMITS ? tell_commit(&k, PART, &err) : store_finish(s, 1000, k.t + 1, &err);

        if (now == 0) {
            assert_int_equal(rc, 0);
            *ret_committed = k.step;
        } else if (rc == 0) {
            rc = now;
            first = err;
        } else {
            assert_int_equal(now, rc);
            assert_string_equal(err.text, first.text);
        }
        if (rc && i < COMMITS)
            assert_true(store_failed(s));
    }
    if (rc)
        assert_non_null(strstr(first.text, path));
    free(k.much);
    return rc;
}

/* The disk is full from the n-th write on, for every n. */
static void full_disk(void **state)
{
    int rc = -1;
    unsigned n;

    (void)state;
    for (n = 0; rc < 0; n++) {
        struct err err;
        struct store *s;
        int committed;

        assert_int_equal(store_create(path, "host", NULL, &s, &err), 0);
        store_write_behind(s);
        io_faults.writes = n;
        rc = tell_all(s, &committed);
        bool used_up = io_faults.writes == 0;
        no_faults();
        assert_true(rc == 0 || (rc == -E_IO && used_up));
        store_free(s);
        check_file(committed);
    }
    assert_true(n > 2 * COMMITS); /* each commit needs some */
}

/* There is no memory from the n-th allocation of the thread on. */
static void no_memory(void **state)
{
    int failed = 0;

    (void)state;
    for (int n = 0; n < 40; n++) {
        struct store *s;
        struct err err;

        assert_int_equal(store_create(path, "host", NULL, &s, &err), 0);
        store_write_behind(s);
        struct teller k = teller_make(s);
        assert_int_equal(tell_commit(&k, PART, &err), 0);
        io_faults.allocs = n; /* only the thread allocates: all names are known to it */
        for (int i = 0; i < PART; i++)
            for (attr_t a = 0; a < 40; a++)
                store_set(s, a, k.t + i, (i + (int)a) % 3);
        int rc = store_commit(s, k.t, &err);
        no_faults();
        if (rc < 0) {
            assert_int_equal(rc, -E_LIMIT);
            assert_non_null(strstr(err.text, "no memory"));
            assert_true(store_failed(s));
            assert_int_equal(store_finish(s, 1000, k.t + PART, &err), -E_LIMIT);
            failed++;
        }
        free(k.much);
        store_free(s);
        if (rc < 0)
            check_file(PART);
    }
    assert_true(failed > 20);
}

/* It failed, nobody asks, and it is given up with something in its buffers. */
static void freed_after_failure(void **state)
{
    struct err err;
    struct store *s;

    (void)state;
    assert_int_equal(store_create(path, "host", NULL, &s, &err), 0);
    store_write_behind(s);
    io_faults.writes = 0;
    struct teller k = teller_make(s);
    for (int i = 0; i < 500 * PART && !store_failed(s); i++) /* until it writes by itself */
        tell_step(&k);
    assert_true(store_failed(s));
    for (int i = 0; i < PART; i++)
        tell_step(&k);
    store_free(s);
    no_faults();
    free(k.much);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_history),
        cmocka_unit_test(freed_early),
        cmocka_unit_test(no_thread),
        cmocka_unit_test_setup_teardown(full_disk, make_path, remove_path),
        cmocka_unit_test_setup_teardown(no_memory, make_path, remove_path),
        cmocka_unit_test_setup_teardown(freed_after_failure, make_path, remove_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
