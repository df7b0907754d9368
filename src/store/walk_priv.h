/* SPDX-License-Identifier: Apache-2.0
 *
 * walk_priv.h -- one attribute through a window; see walk.c. */
#ifndef STORE_WALK_PRIV_H
#define STORE_WALK_PRIV_H

#include "store/read_priv.h"

/* Columns of a run of buckets (summary.c). */
enum {
    BUCKET_NUMBER,
    BUCKET_CHANGES,
    BUCKET_OTHERS,
    BUCKET_SHARES,
    BUCKET_NS = 2, /* those of numbers */
    BUCKET_LEAST,
    BUCKET_MOST,
    BUCKET_LAST,
    BUCKET_SUM_LOW,
    BUCKET_SUM_HIGH,
    BUCKET_COLUMNS,
};

/* Times may be as far apart as all of time is long: what would be longer is NS_MAX. */
static inline ns_t ns_sum(ns_t a, ns_t b)
{
    ns_t sum;

    return __builtin_add_overflow(a, b, &sum) ? NS_MAX : sum;
}
static inline ns_t ns_between(ns_t t0, ns_t t1)
{
    ns_t ns;

    return __builtin_sub_overflow(t1, t0, &ns) ? NS_MAX : ns;
}

struct walk;

struct bucket_run {
    uint32_t serial; /* of the walk */
    uint32_t n, shares;
    struct column columns[BUCKET_COLUMNS];
    struct column values, ns; /* of shares */
};

struct bucket {
    const struct bucket_run *run;
    ns_t t0, t1;
    uint32_t i;                   /* in the run       */
    uint32_t first_share, shares; /* in its columns   */
};

static inline cell_t bucket_cell(const struct bucket *b, int column)
{
    return column_at(&b->run->columns[column], b->i);
}

/* Pieces come in the order of time, each part of the window once. */
struct walk {
    const struct store *s;
    attr_t a;
    void *ctx; /* of those below */
    /* Does a bucket tell what is asked?  If not, what is below it is read. */
    bool (*takes)(struct walk *w, const struct bucket *b);
    void (*bucket)(struct walk *w, const struct bucket *b);
    /* 'n' intervals from t[i] to t[i + 1] with the values of 'v' (NULL: they are lost),
     * as far as they are in [x, y), which at least one of them meets. */
    void (*run)(struct walk *w, const ns_t *t, uint32_t n, const struct column *v, ns_t x, ns_t y);
    bool number;
    uint32_t serial;
    struct run_list lists[LEVEL_MAX + 1];
};
void walk(struct walk *w, int level, struct span win);

/* The level of the widest buckets that are at most 'ns' wide; 0: none is. */
int level_within(uint64_t ns);

#endif
