/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_baseline.c -- any bytes as a baseline, and as a file of limits.
 *
 * The first byte of the input chooses: 'L', and the rest is a file of limits.  Else all of it is a
 * baseline: what can be read is added to another, compared, written, and read again. */
#include "diagnose/rule.h"
#include "report/baseline.h"

#include "fuzz_dir.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void take_limits(const char *path)
{
    struct limits_set limits = { 0 };
    struct err err;

    if (limits_read(&limits, path, &err) < 0)
        assert(err.text[0]);
    for (size_t i = 0; i < limits.at.n; i++)
        assert(limits.at.at[i].limit < limits.at.at[i].rule->nlimits && limits.at.at[i].value >= 0);
    vec_free(&limits.at);
}

static void compare(const struct baseline *was, const struct baseline *now)
{
    unlike_vec all = { 0 };
    struct sbuf text = { 0 };
    struct table t;

    baseline_compare(was, now, &all);
    table_init(&t, unlike_columns, nunlike_columns);
    unlike_rows(&all, &t);
    table_free(&t);
    table_init(&t, baseline_columns, nbaseline_columns);
    baseline_rows(now, &t);
    table_free(&t);
    for (size_t i = 0; i < now->figures.n; i++)
        figure_value(&now->figures.at[i], figure_max(&now->figures.at[i]), &text);
    sbuf_free(&text);
    vec_free(&all);
}

static void read_baseline(const char *path)
{
    struct baseline b, sum = { 0 }, again;
    struct err err;

    if (baseline_read(path, &b, &err) < 0) {
        assert(err.text[0] && b.figures.n == 0);
        return;
    }
    if (baseline_add(&sum, &b, &err) < 0)
        abort();
    compare(&b, &sum);
    if (baseline_write(&sum, path, &err) < 0 || baseline_read(path, &again, &err) < 0)
        abort();
    assert(again.figures.n == sum.figures.n && again.runs.n == sum.runs.n);
    baseline_free(&again);
    baseline_free(&sum);
    baseline_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    bool limits = n && data[0] == 'L';

    fuzz_make_dir();
    fuzz_write("in", limits ? data + 1 : data, limits ? n - 1 : n);
    if (limits)
        take_limits(fuzz_path("in"));
    else
        read_baseline(fuzz_path("in"));
    return 0;
}
