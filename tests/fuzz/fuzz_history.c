/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_history.c -- arbitrary bytes as a history file, opened, asked every question
 * and looked at as a whole.
 *
 * The first byte of the input chooses: odd, and checksums of what follows are made right or
 * not compared, so that nonsense gets behind them; bit 1, and the cache is small. */
#define _GNU_SOURCE
#include "base/mem.h"
#include "store/format_priv.h"
#include "store/io_priv.h"
#include "store/store.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { ATTRS = 12, PIXELS = 37, TIMES = 23, RANGES = 3000, ROWS = 3000 };

/* Adds up what was answered, so that all of it is read. */
static uint64_t seen;

static void see(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        seen += (uint8_t)s.p[i];
}

static void see_interval(const struct interval *v)
{
    assert(v->t0 <= v->t1);
    assert(!v->lost || v->value == STORE_NULL);
    seen += (uint64_t)v->t0 ^ (uint64_t)v->t1 ^ (uint64_t)v->value;
}

static void ask_instants(const struct store *s, attr_t a, struct span w)
{
    struct interval got[TIMES];
    ns_t times[TIMES];

    for (int i = 0; i < TIMES; i++)
        times[i] = w.t0 + (w.t1 - w.t0) / TIMES * i;
    for (int i = 0; i < TIMES; i++) {
        store_at(s, a, times[i], got);
        see_interval(got);
    }
    size_t found = store_sample(s, a, times, TIMES, got);
    assert(found <= TIMES);
    for (size_t i = 0; i < found; i++)
        see_interval(&got[i]);
    store_at(s, a, NS_MIN, got);
    store_at(s, a, NS_MAX, got);
}

static void ask_window(const struct store *s, attr_t a, struct span w)
{
    struct store_ranges r = store_ranges(s, a, w);
    struct store_point points[PIXELS];
    struct store_pixel px[PIXELS];
    struct interval v;

    for (int i = 0; i < RANGES && store_ranges_next(&r, &v); i++) {
        see_interval(&v);
        assert(v.t1 > w.t0 && v.t0 < w.t1);
        if (store_attr_family(s, a)->type == STORE_STR)
            see(store_text(s, v.value));
    }
    store_strip(s, a, w, px, PIXELS);
    store_series(s, a, w, points, PIXELS);
    for (int i = 0; i < PIXELS; i++)
        seen += (uint64_t)px[i].value + px[i].changes + (uint64_t)points[i].max + points[i].changes;
}

static void ask_sums(const struct store *s, uint32_t attrs, struct span w)
{
    attr_t list[ATTRS];
    struct store_found found[5];
    struct store_totals totals;
    struct interval all[ATTRS];
    ns_t lost;

    for (uint32_t i = 0; i < attrs; i++)
        list[i] = i;
    store_at_all(s, list, attrs, w.t0, all);
    store_totals(s, list, attrs, w, &totals);
    for (size_t i = 0; i < totals.n; i++)
        seen += (uint64_t)totals.at[i].ns;
    free(totals.at);
    size_t n = store_longest(s, list, attrs, 1, w, ARRAY_SIZE(found), found, &lost);
    for (size_t i = 0; i < n; i++)
        see_interval(&found[i].v);
}

static void ask_rows(const struct store *s, struct span w)
{
    for (table_t t = 0; t < store_table_count(s) && t < 8; t++) {
        const struct store_table *def = store_table_def(s, t);
        struct store_rows r = store_rows(s, t, w);
        const cell_t *row;

        see(str_of(def->name));
        assert(store_column(def, "none of these") < 0 || def->ncolumns > 0);
        for (int i = 0; i < ROWS && (row = store_rows_next(&r)); i++)
            for (uint32_t c = 0; c < def->ncolumns; c++)
                seen += (uint64_t)row[c];
        store_rows_end(&r);
    }
}

static void ask_names(const struct store *s, uint32_t attrs)
{
    attr_t a, it = 0;

    for (uint32_t i = 0; i < attrs; i++) {
        const struct store_family *f = store_attr_family(s, i);

        see(store_attr_path(s, i));
        see(str_of(f->pattern));
        see(str_of(f->title));
        see(str_of(f->unit));
        for (uint32_t k = 0; k < f->nvalues; k++)
            see(str_of(f->values[k].label));
        store_attr_find(s, store_attr_path(s, i), &a);
    }
    store_attr_match(s, STR("*a*"), &it, &a);
    for (cell_t i = -2; i < 40; i++)
        see(store_text(s, i));
    see(store_fact(s, "host"));
    see(store_fact(s, "kernel"));
    see(str_of(store_host(s)));
}

/* A window that is not wider than half of all time. */
static struct span window(ns_t t0, ns_t t1)
{
    ns_t most = NS_MAX / 4;

    t0 = t0 < -most ? -most : t0 > most ? most : t0;
    t1 = t1 < -most ? -most : t1 > most ? most : t1;
    return t0 < t1 ? (struct span){ t0, t1 } : (struct span){ t1, t0 + 1 };
}

static void ask_all(struct store *s)
{
    uint32_t attrs = store_attr_count(s) < ATTRS ? store_attr_count(s) : ATTRS;
    struct notes notes = { 0 };
    struct store_coverage cov;
    struct store_file file;
    struct err err;

    store_coverage(s, &cov);
    struct span all = window(cov.t0, cov.t1);
    struct span part = { all.t0 + (all.t1 - all.t0) / 3, all.t0 + (all.t1 - all.t0) / 3 + 41 };
    ask_names(s, attrs);
    for (attr_t a = 0; a < attrs; a++) {
        ask_instants(s, a, all);
        ask_window(s, a, all);
        ask_window(s, a, part);
    }
    ask_sums(s, attrs, all);
    ask_rows(s, SPAN_ALL);
    ask_rows(s, part);
    store_refresh(s, &err);
    store_file(s, &file);
    store_notes(s, &notes);
    notes_free(&notes);
}

static void see_problem(void *ctx, const char *sentence)
{
    (void)ctx;
    see(str_of(sentence));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    uint8_t how = n ? data[0] : 0, *file = xmalloc(n + 1);
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    struct store *s;
    char path[64];
    struct err err;

    n -= n > 0;
    if (n)
        memcpy(file, data + 1, n);
    if (how & 1)
        history_reseal(file, n);
    io_faults.any_sum = how & 1;
    if (fd < 0 || write(fd, file, n) != (ssize_t)n)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    store_set_cache(how & 2 ? 0 : (size_t)8 << 20);
    if (store_open(path, &s, &err) == 0) {
        ask_all(s);
        store_free(s);
    }
    store_verify(path, see_problem, NULL, &err);
    close(fd);
    free(file);
    return 0;
}
