/* SPDX-License-Identifier: Apache-2.0
 *
 * history_work.h -- a history to measure and to check with: who changes when, what
 * is asked, and the right answers.
 *
 * A generator makes steps: half of them on 16 attributes, most others on 184, the rest
 * anywhere; an eighth of them ends a value.  W1 has 1000 attributes, W2 has 50,000.
 * Four kinds of questions are asked at random times, and the intervals that come
 * back, gaps included, are summed up, so that whoever answers can be compared: a
 * store, another database, a plain array of all changes.  For ten million steps
 * the sums are known; a state history tree and plain arrays agree on them. */
#ifndef BENCH_HISTORY_WORK_H
#define BENCH_HISTORY_WORK_H

#include "base/mem.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>

enum { WORK_HOT = 16, WORK_TEXTS = 64, WORK_ROWS = 50, WORK_PIXELS = 1000, WORK_PATH = 16 };

/* --- the steps ----------------------------------------------------------------- */

struct work_step {
    ns_t t;
    uint32_t attr;
    cell_t value;
};

struct work_gen {
    uint64_t rng;
    ns_t t;
    uint32_t nattrs;
    const cell_t *texts; /* by number; NULL = the number itself */
};

static inline uint64_t work_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline struct work_gen work_start(uint32_t nattrs, const cell_t *texts)
{
    return (struct work_gen){ 42, 0, nattrs, texts };
}

static inline enum store_type work_type(uint32_t attr)
{
    return attr % 8 < 5 ? STORE_STATE : attr % 8 == 5 ? STORE_INT : STORE_STR;
}

static inline struct work_step work_next(struct work_gen *g)
{
    uint64_t r = work_random(&g->rng), number = r >> 44;
    uint32_t where = (uint32_t)(r >> 8 & 0xffff) % 100, x = (uint32_t)(r >> 24 & 0xffff);
    struct work_step s;

    s.t = g->t += 1 + (ns_t)((r & 0xff) % 199);
    s.attr = where < 50   ? x % WORK_HOT
             : where < 95 ? WORK_HOT + x % 184
                          : 200 + x % (g->nattrs - 200);
    if ((r >> 40 & 15) < 2)
        s.value = STORE_NULL;
    else if (work_type(s.attr) == STORE_STATE)
        s.value = (cell_t)(number % 10);
    else if (work_type(s.attr) == STORE_INT)
        s.value = (cell_t)(number * 4096 + 7);
    else
        s.value = g->texts ? g->texts[number % WORK_TEXTS] : (cell_t)(number % WORK_TEXTS);
    return s;
}

/* --- the attributes ------------------------------------------------------------ */

static const struct store_value work_values[] = {
    { "0", "#000000", false }, { "1", "#111111", false }, { "2", "#222222", false },
    { "3", "#333333", false }, { "4", "#444444", false }, { "5", "#555555", false },
    { "6", "#666666", false }, { "7", "#777777", false }, { "8", "#888888", false },
    { "9", "#ff0000", true },
};
static const struct store_family work_families[] = {
    [STORE_STATE] = { "states/{id}", "State", STORE_STATE, "", work_values,
                      ARRAY_SIZE(work_values) },
    [STORE_INT] = { "numbers/{id}", "Number", STORE_INT, "B", NULL, 0 },
    [STORE_STR] = { "calls/{id}", "Call", STORE_STR, "", NULL, 0 },
};

static inline struct str work_path(uint32_t attr, char out[static WORK_PATH])
{
    static const char *const folders[] = { "states", "numbers", "calls" };

    return (struct str){ out, (size_t)snprintf(out, WORK_PATH, "%s/%05u", folders[work_type(attr)],
                                               attr % 100000) };
}

/* Makes all attributes, and the texts that are their values. */
static inline void work_attrs(struct store *s, uint32_t nattrs, attr_t *ret_attrs,
                              cell_t ret_texts[static WORK_TEXTS])
{
    char text[WORK_PATH];

    for (uint32_t i = 0; i < WORK_TEXTS; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "sys_%02u_call", i);

        ret_texts[i] = store_intern(s, (struct str){ text, n });
    }
    for (uint32_t i = 0; i < nattrs; i++)
        ret_attrs[i] = store_attr(s, &work_families[work_type(i)], work_path(i, text));
}

/* --- the questions ------------------------------------------------------------- */

struct work_sum {
    uint64_t sum, intervals;
};

/* The interval [t0, t1), or gap, was an answer. */
static inline void work_add(struct work_sum *s, ns_t t0, ns_t t1)
{
    s->sum += (uint64_t)t0 * 31 + (uint64_t)(t1 - 1);
    s->intervals++;
}

/* Who answers: each adds all that it found. */
struct work_asker {
    void *ctx;
    /* What all attributes have at 't'. */
    void (*full)(void *ctx, ns_t t, struct work_sum *sum);
    /* What one has. */
    void (*single)(void *ctx, uint32_t attr, ns_t t, struct work_sum *sum);
    /* What it has at 'n' times, each interval once. */
    void (*sample)(void *ctx, uint32_t attr, const ns_t *times, size_t n, struct work_sum *sum);
    /* All in a window. */
    void (*range)(void *ctx, uint32_t attr, struct span win, struct work_sum *sum);
};

enum work_kind {
    WORK_FULL,
    WORK_SINGLE,
    WORK_SINGLE_HOT,
    WORK_SAMPLE,
    WORK_SAMPLE_COLD,
    WORK_RANGE
};

struct work_question {
    const char *name;
    enum work_kind kind;
    uint32_t times; /* asked */
    uint64_t seed;
    double part;             /* of the history that a window is */
    uint64_t sum_w1, sum_w2; /* of the answers, for WORK_STEPS */
};

enum { WORK_STEPS = 10000000, WORK_QUESTIONS = 12 };

/* clang-format off */
static const struct work_question work_questions[WORK_QUESTIONS] = {
    { "all attributes",            WORK_FULL,         500,  7, 0,
      UINT64_C(6864598130522827), UINT64_C(278037291731782440) },
    { "one attribute",             WORK_SINGLE,      5000,  8, 0,
      UINT64_C(66842473596578), UINT64_C(53671289614586) },
    { "one of the busiest",        WORK_SINGLE_HOT,  5000,  9, 0,
      UINT64_C(67446381016092), UINT64_C(67446381016092) },
    { "50 busy, 1000 px, all",     WORK_SAMPLE,         5, 10, 1.0,
      UINT64_C(3369009510584655), UINT64_C(3369009510584655) },
    { "50 busy, 1000 px, 10 %",    WORK_SAMPLE,        10, 10, 0.1,
      UINT64_C(7513220244580073), UINT64_C(7513220244580073) },
    { "50 busy, 1000 px, 1 %",     WORK_SAMPLE,        10, 10, 0.01,
      UINT64_C(2859801426580174), UINT64_C(2859801426580174) },
    { "50 busy, 1000 px, 0.01 %",  WORK_SAMPLE,        10, 10, 0.0001,
      UINT64_C(70182997241609), UINT64_C(70182997241609) },
    { "50 quiet, 1000 px, all",    WORK_SAMPLE_COLD,    5, 10, 1.0,
      UINT64_C(1469521349645520), UINT64_C(49285244533945) },
    { "50 quiet, 1000 px, 10 %",   WORK_SAMPLE_COLD,   10, 10, 0.1,
      UINT64_C(457185985427882), UINT64_C(18588854848936) },
    { "50 quiet, 1000 px, 1 %",    WORK_SAMPLE_COLD,   10, 10, 0.01,
      UINT64_C(44061099464122), UINT64_C(6518661641669) },
    { "50 quiet, 1000 px, 0.01 %", WORK_SAMPLE_COLD,   10, 10, 0.0001,
      UINT64_C(6045795563268), UINT64_C(4944624583029) },
    { "50 busy, every change, 1 %", WORK_RANGE,        10, 11, 0.01,
      UINT64_C(5617126736305389), UINT64_C(5617126736305389) },
};
/* clang-format on */

/* Where the next window of a question begins; '*ret_size' of it. */
static inline ns_t work_window(const struct work_question *q, ns_t end, uint64_t *rng,
                               ns_t *ret_size)
{
    *ret_size = q->kind == WORK_RANGE ? end / 100 : (ns_t)((double)end * q->part);
    return *ret_size >= end ? 0 : (ns_t)(work_random(rng) % (uint64_t)(end - *ret_size));
}

static inline void work_ask_window(const struct work_question *q, ns_t end, uint64_t *rng,
                                   const struct work_asker *a, struct work_sum *sum)
{
    ns_t size, from = work_window(q, end, rng, &size), times[WORK_PIXELS];

    for (int i = 0; i < WORK_PIXELS; i++)
        times[i] = from + (ns_t)((double)size * (i / (WORK_PIXELS - 1.0)));
    for (uint32_t row = 0; row < WORK_ROWS; row++) {
        if (q->kind == WORK_RANGE)
            a->range(a->ctx, row, (struct span){ from, from + size + 1 }, sum);
        else
            a->sample(a->ctx, q->kind == WORK_SAMPLE ? row : 200 + row * 16, times, WORK_PIXELS,
                      sum);
    }
}

/* Asks the first 'times' of a question about a history in [0, end]. */
static inline struct work_sum work_ask(const struct work_question *q, uint32_t times,
                                       uint32_t nattrs, ns_t end, const struct work_asker *a)
{
    struct work_sum sum = { 0 };
    uint64_t rng = q->seed;

    for (uint32_t i = 0; i < times; i++) {
        if (q->kind >= WORK_SAMPLE) {
            work_ask_window(q, end, &rng, a, &sum);
            continue;
        }
        ns_t t = (ns_t)(work_random(&rng) % (uint64_t)(end + 1));
        if (q->kind == WORK_FULL)
            a->full(a->ctx, t, &sum);
        else
            a->single(a->ctx,
                      (uint32_t)(work_random(&rng) %
                                 (q->kind == WORK_SINGLE ? nattrs : (uint32_t)WORK_HOT)),
                      t, &sum);
    }
    return sum;
}

/* --- plain arrays answer ------------------------------------------------------- */

struct work_array {
    VEC(ns_t) starts; /* each ends where the next begins */
    cell_t value;
};

struct work_arrays {
    struct work_array *at;
    uint32_t nattrs;
    ns_t end;         /* inclusive */
    uint64_t changes; /* steps that changed something */
};

static inline void work_arrays_make(struct work_arrays *w, uint32_t nattrs, uint64_t steps)
{
    struct work_gen g = work_start(nattrs, NULL);

    *w = (struct work_arrays){ .at = xcalloc(nattrs, sizeof *w->at), .nattrs = nattrs };
    for (uint32_t i = 0; i < nattrs; i++) {
        *vec_push(&w->at[i].starts) = 0;
        w->at[i].value = STORE_NULL;
    }
    for (uint64_t i = 0; i < steps; i++) {
        struct work_step s = work_next(&g);
        struct work_array *a = &w->at[s.attr];

        if (a->value != s.value) {
            *vec_push(&a->starts) = s.t;
            a->value = s.value;
            w->changes++;
        }
    }
    w->end = g.t + 1;
}

static inline void work_arrays_free(struct work_arrays *w)
{
    for (uint32_t i = 0; i < w->nattrs; i++)
        vec_free(&w->at[i].starts);
    free(w->at);
}

static inline size_t work_arrays_find(const struct work_array *a, ns_t t)
{
    size_t lo = 0, hi = a->starts.n;

    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;

        if (a->starts.at[mid] <= t)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

static inline void work_arrays_add(const struct work_arrays *w, const struct work_array *a,
                                   size_t i, struct work_sum *sum)
{
    work_add(sum, a->starts.at[i], i + 1 < a->starts.n ? a->starts.at[i + 1] : w->end + 1);
}

static inline void work_arrays_single(void *ctx, uint32_t attr, ns_t t, struct work_sum *sum)
{
    const struct work_arrays *w = ctx;
    const struct work_array *a = &w->at[attr];

    work_arrays_add(w, a, work_arrays_find(a, t), sum);
}

static inline void work_arrays_full(void *ctx, ns_t t, struct work_sum *sum)
{
    const struct work_arrays *w = ctx;

    for (uint32_t i = 0; i < w->nattrs; i++)
        work_arrays_single(ctx, i, t, sum);
}

static inline void work_arrays_sample(void *ctx, uint32_t attr, const ns_t *times, size_t n,
                                      struct work_sum *sum)
{
    const struct work_arrays *w = ctx;
    const struct work_array *a = &w->at[attr];
    size_t before = SIZE_MAX;

    for (size_t i = 0; i < n; i++) {
        size_t at = work_arrays_find(a, times[i]);

        if (at != before)
            work_arrays_add(w, a, at, sum);
        before = at;
    }
}

static inline void work_arrays_range(void *ctx, uint32_t attr, struct span win,
                                     struct work_sum *sum)
{
    const struct work_arrays *w = ctx;
    const struct work_array *a = &w->at[attr];

    for (size_t i = work_arrays_find(a, win.t0); i < a->starts.n && a->starts.at[i] < win.t1; i++)
        work_arrays_add(w, a, i, sum);
}

static inline struct work_asker work_arrays_asker(struct work_arrays *w)
{
    return (struct work_asker){ w, work_arrays_full, work_arrays_single, work_arrays_sample,
                                work_arrays_range };
}

/* --- a store answers ----------------------------------------------------------- */

struct work_store {
    const struct store *s;
    attr_t *attrs;
    struct interval *room; /* for all attributes or WORK_PIXELS times */
    uint32_t nattrs;
    bool lost; /* something can't be read: the sums mean nothing */
};

/* False if the store has not all attributes. */
static inline bool work_store_open(struct work_store *w, const struct store *s, uint32_t nattrs)
{
    char path[WORK_PATH];

    *w = (struct work_store){ s, xcalloc(nattrs, sizeof *w->attrs),
                              xcalloc(nattrs + WORK_PIXELS, sizeof *w->room), nattrs, false };
    for (uint32_t i = 0; i < nattrs; i++)
        if (!store_attr_find(s, work_path(i, path), &w->attrs[i]))
            return false;
    return true;
}

static inline void work_store_close(struct work_store *w)
{
    free(w->attrs);
    free(w->room);
}

static inline void work_store_add(struct work_store *w, const struct interval *v,
                                  struct work_sum *sum)
{
    work_add(sum, v->t0, v->t1);
    w->lost |= v->lost;
}

static inline void work_store_single(void *ctx, uint32_t attr, ns_t t, struct work_sum *sum)
{
    struct work_store *w = ctx;
    struct interval v;

    store_at(w->s, w->attrs[attr], t, &v);
    work_store_add(w, &v, sum);
}

static inline void work_store_full(void *ctx, ns_t t, struct work_sum *sum)
{
    struct work_store *w = ctx;

    store_at_all(w->s, w->attrs, w->nattrs, t, w->room);
    for (uint32_t i = 0; i < w->nattrs; i++)
        work_store_add(w, &w->room[i], sum);
}

static inline void work_store_sample(void *ctx, uint32_t attr, const ns_t *times, size_t n,
                                     struct work_sum *sum)
{
    struct work_store *w = ctx;

    n = store_sample(w->s, w->attrs[attr], times, n, w->room);
    for (size_t i = 0; i < n; i++)
        work_store_add(w, &w->room[i], sum);
}

/* Gaps lie between the intervals; those at both ends of the window reach beyond it. */
static inline void work_store_range(void *ctx, uint32_t attr, struct span win, struct work_sum *sum)
{
    struct work_store *w = ctx;
    struct store_ranges r = store_ranges(w->s, w->attrs[attr], win);
    struct interval v;
    ns_t at;

    store_at(w->s, w->attrs[attr], win.t0, &v);
    at = v.t0;
    while (store_ranges_next(&r, &v)) {
        if (v.t0 > at)
            work_add(sum, at, v.t0);
        work_store_add(w, &v, sum);
        at = v.t1;
    }
    if (at < win.t1) {
        store_at(w->s, w->attrs[attr], win.t1 - 1, &v);
        work_add(sum, at, v.t1);
    }
}

static inline struct work_asker work_store_asker(struct work_store *w)
{
    return (struct work_asker){ w, work_store_full, work_store_single, work_store_sample,
                                work_store_range };
}

#endif
