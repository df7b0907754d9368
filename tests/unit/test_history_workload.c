/* SPDX-License-Identifier: Apache-2.0
 *
 * test_history_workload.c -- the workloads of the benchmark, smaller: a store answers
 * all of its questions as plain arrays do.  Pixels are compared with what the
 * intervals in them say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bench/history_work.h"

#include <unistd.h>

enum { STEPS = 200000 };

static void tell(const char *path, uint32_t nattrs)
{
    attr_t *attrs = xcalloc(nattrs, sizeof *attrs);
    cell_t texts[WORK_TEXTS];
    struct work_gen g = work_start(nattrs, texts);
    struct store *s;
    struct err err;

    assert_int_equal(store_create(path, "host", NULL, &s, &err), 0);
    work_attrs(s, nattrs, attrs, texts);
    for (uint32_t i = 0; i < STEPS; i++) {
        struct work_step step = work_next(&g);

        store_set(s, attrs[step.attr], step.t, step.value);
    }
    assert_int_equal(store_finish(s, 0, g.t + 2, &err), 0);
    store_free(s);
    free(attrs);
}

/* The pixels of a strip from all intervals in it. */
static void check_strip(struct work_store *w, uint32_t attr, struct span win, size_t npx)
{
    struct store_pixel px[200];

    assert_true(npx <= ARRAY_SIZE(px));
    store_strip(w->s, w->attrs[attr], win, px, npx);
    for (size_t p = 0; p < npx; p++) {
        struct span at = { store_edge(win, npx, p), store_edge(win, npx, p + 1) };
        struct store_ranges r = store_ranges(w->s, w->attrs[attr], at);
        ns_t sums[WORK_TEXTS + 2] = { 0 }, none = at.t1 - at.t0;
        uint32_t changes = 0;
        struct interval v;

        while (store_ranges_next(&r, &v)) {
            ns_t ns = (v.t1 < at.t1 ? v.t1 : at.t1) - (v.t0 > at.t0 ? v.t0 : at.t0);

            sums[v.value] += ns;
            none -= ns;
            changes += v.t0 >= at.t0;
        }
        assert_int_equal(px[p].changes, changes);
        if (work_type(attr) == STORE_STATE)
            assert_int_equal(px[p].bad, sums[9] > 0);
        assert_int_equal(px[p].ns, px[p].value == STORE_NULL ? none : sums[px[p].value]);
        assert_true(px[p].ns >= none);
        for (size_t k = 0; k < ARRAY_SIZE(sums) && !px[p].inexact; k++)
            assert_true(px[p].ns >= sums[k]);
    }
}

static void check_workload(uint32_t nattrs)
{
    const char *tmp = getenv("TMPDIR");
    struct work_arrays arrays;
    struct work_store w;
    struct store *s;
    struct err err;
    char path[256];
    int fd;

    snprintf(path, sizeof path, "%s/neph-workload-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    tell(path, nattrs);
    work_arrays_make(&arrays, nattrs, STEPS);
    assert_int_equal(store_open(path, &s, &err), 0);
    assert_true(work_store_open(&w, s, nattrs));
    struct work_asker right = work_arrays_asker(&arrays), ours = work_store_asker(&w);
    for (int i = 0; i < WORK_QUESTIONS; i++) {
        const struct work_question *q = &work_questions[i];
        uint32_t times = q->kind == WORK_FULL ? 20 : q->times > 500 ? 500 : q->times;
        struct work_sum a = work_ask(q, times, nattrs, arrays.end, &right);
        struct work_sum b = work_ask(q, times, nattrs, arrays.end, &ours);

        assert_int_equal(a.intervals, b.intervals);
        assert_int_equal(a.sum, b.sum);
    }
    for (uint32_t attr = 0; attr < 40; attr++)
        if (work_type(attr) != STORE_INT) {
            check_strip(&w, attr, (struct span){ 0, arrays.end + 1 }, 200);
            check_strip(&w, attr, (struct span){ arrays.end / 3, arrays.end / 2 }, 77);
        }
    assert_false(w.lost);
    work_store_close(&w);
    store_free(s);
    work_arrays_free(&arrays);
    unlink(path);
}

static void test_w1(void **state)
{
    (void)state;
    check_workload(1000);
}

static void test_w2(void **state)
{
    (void)state;
    check_workload(50000);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_w1), cmocka_unit_test(test_w2) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
