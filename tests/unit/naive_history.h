/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_history.h -- histories for tests: scripts of changes made from a seed, told to
 * a store and to plain arrays, and every question asked of both.
 *
 * A script is deterministic, so that another process can make it again.  The arrays
 * know nothing of blocks, summaries or files: what they say is right because it is
 * simple.  Texts are interned in one order by all, so that their numbers are known. */
#ifndef TESTS_UNIT_NAIVE_HISTORY_H
#define TESTS_UNIT_NAIVE_HISTORY_H

#include "base/mem.h"
#include "store/store.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

/* --- failing ------------------------------------------------------------------- */

/* What is being tested, for the message. */
static char naive_where[256];
static pid_t naive_main; /* the test program; a failed child just ends, */
static _Thread_local bool naive_thread; /* a failed thread ends all */

__attribute__((noreturn)) static inline void naive_fail(const char *file, int line,
                                                        const char *what, int64_t a, int64_t b)
{
    fprintf(stderr, "%s:%d: %s (%" PRId64 ", %" PRId64 ") in %s\n", file, line, what, a, b,
            naive_where);
    if (naive_main && getpid() != naive_main)
        _exit(99);
    if (!naive_thread)
        fail();
    abort();
}

#define must(cond) ((cond) ? (void)0 : naive_fail(__FILE__, __LINE__, #cond, 0, 0))
#define must_equal(a, b) naive_equal(__FILE__, __LINE__, #a " == " #b, (int64_t)(a), (int64_t)(b))

static inline void naive_equal(const char *file, int line, const char *what, int64_t a, int64_t b)
{
    if (a != b)
        naive_fail(file, line, what, a, b);
}

/* --- chance -------------------------------------------------------------------- */

static _Thread_local uint64_t rng;

static inline uint64_t any64(void)
{
    uint64_t z = (rng += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static inline uint32_t any(uint32_t n)
{
    return (uint32_t)(any64() >> 32) % n;
}

/* Of any magnitude below 2^bits. */
static inline ns_t any_ns(unsigned bits)
{
    unsigned use = any(bits + 1);

    return use ? (ns_t)(any64() >> (64 - use)) : 0;
}

/* --- families ------------------------------------------------------------------ */

enum { NAIVE_TEXTS = 100, NAIVE_BAD = 3, NAIVE_FAMILIES = 4 };

static const struct store_value naive_values[] = { { "zero", "#000000", false },
                                                   { "one", "#000001", false },
                                                   { "two", "#000002", false },
                                                   { "bad", "#000003", true },
                                                   { "four", "#000004", false } };
static const struct store_value naive_many[STORE_MAX_VALUES] = {
    [0 ... STORE_MAX_VALUES - 2] = { "one of many", "#000000", false },
    [STORE_MAX_VALUES - 1] = { "last", "#ff0000", true },
};
static const struct store_family naive_families[NAIVE_FAMILIES] = {
    { "things/{thing}/state", "State", STORE_STATE, "", naive_values, ARRAY_SIZE(naive_values) },
    { "things/{thing}/size", "Size", STORE_INT, "MB", NULL, 0 },
    { "things/{thing}/name", "Name", STORE_STR, "", NULL, 0 },
    { "things/{thing}/many", "Many", STORE_STATE, "", naive_many, STORE_MAX_VALUES },
};

static inline const struct store_family *naive_family(uint32_t attr)
{
    return &naive_families[attr % NAIVE_FAMILIES];
}

static inline bool naive_is_bad(const struct store_family *f, cell_t v)
{
    return f->type == STORE_STATE && v >= 0 && v < f->nvalues && f->values[v].bad;
}

static inline struct str naive_path(uint32_t attr, char out[static 64])
{
    static const char *const ends[] = { "state", "size", "name", "many" };

    return (struct str){ out, (size_t)snprintf(out, 64, "things/%u/%s", attr,
                                               ends[attr % NAIVE_FAMILIES]) };
}

static inline struct str naive_text(uint32_t i, char out[static 64])
{
    return (struct str){ out, (size_t)snprintf(out, 64, "text %u of a test%.*s", i,
                                               (int)(i % 40), "................................"
                                                              "........") };
}

/* Texts, then attributes, all in order: text i has number i + 1. */
static inline void naive_declare(struct store *s, uint32_t nattrs)
{
    char name[64];

    for (uint32_t i = 0; i < NAIVE_TEXTS; i++)
        must_equal(store_intern(s, naive_text(i, name)), i + 1);
    for (uint32_t i = 0; i < nattrs; i++)
        must_equal(store_attr(s, naive_family(i), naive_path(i, name)), i);
}

/* --- scripts ------------------------------------------------------------------- */

enum op_kind { OP_SET, OP_RANGE, OP_COMMIT };

struct op {
    enum op_kind kind;
    uint32_t attr;
    ns_t t0, t1; /* a set and a commit have only t0 */
    cell_t value;
};

struct script {
    VEC(struct op) ops;
    uint32_t nattrs;
    ns_t t0, t1; /* what it covers */
};

/* How changes come. */
struct profile {
    const char *name;
    uint32_t nattrs, nops;
    ns_t t0;
    unsigned bits;     /* of the longest time between changes */
    uint32_t burst;    /* of 16 changes come within 3 ns of the one before */
    uint32_t late;     /* of 64 come late                     */
    uint32_t commits;  /* one in as many, 0 = none            */
    uint32_t skew;     /* of 4 are on the first attribute     */
};

static inline cell_t any_value(const struct store_family *f)
{
    if (any(6) == 0)
        return STORE_NULL;
    if (f->type == STORE_STATE)
        return (cell_t)any(any(2) ? f->nvalues : 3);
    if (f->type == STORE_STR)
        return 1 + (cell_t)any(any(4) ? 5 : NAIVE_TEXTS);
    if (any(3))
        return (cell_t)any(100) - 50;
    cell_t v = (cell_t)any64();
    return v == STORE_NULL ? INT64_MAX : v;
}

static inline void script_make(struct script *s, const struct profile *p, uint64_t seed)
{
    ns_t now = p->t0;

    *s = (struct script){ .nattrs = p->nattrs, .t0 = p->t0 };
    rng = seed;
    for (uint32_t i = 0; i < p->nops; i++) {
        struct op *op = vec_push(&s->ops);

        now += any(16) < p->burst ? (ns_t)any(4) : any_ns(p->bits);
        *op = (struct op){ .attr = any(4) < p->skew ? 0 : any(p->nattrs), .t0 = now };
        op->value = any_value(naive_family(op->attr));
        if (p->commits && any(p->commits) == 0) {
            op->kind = OP_COMMIT;
        } else if (any(6) == 0 && op->value != STORE_NULL) {
            op->kind = OP_RANGE;
            now += any(16) < p->burst ? (ns_t)any(4) : any_ns(p->bits);
            op->t1 = now;
        } else if (any(64) < p->late) {
            ns_t back = any_ns(any(2) ? 4 : p->bits);

            op->t0 = back > now - p->t0 ? p->t0 : now - back;
        }
    }
    s->t1 = now + 1 + any(3);
}

static inline void script_free(struct script *s)
{
    vec_free(&s->ops);
}

static inline int script_tell_op(struct store *s, const struct op *op, struct err *err)
{
    switch (op->kind) {
    case OP_SET: store_set(s, op->attr, op->t0, op->value); break;
    case OP_RANGE: store_range(s, op->attr, op->t0, op->t1, op->value); break;
    case OP_COMMIT: return store_commit(s, op->t0, err);
    }
    return 0;
}

/* --- plain arrays -------------------------------------------------------------- */

struct naive_attr {
    VEC(struct interval) list; /* by t0; the last may be open */
};

struct naive {
    struct naive_attr *at;
    uint32_t nattrs;
    ns_t t0, t1;
    uint64_t late;
};

static inline void naive_set(struct naive *n, uint32_t attr, ns_t t, cell_t value)
{
    struct naive_attr *a = &n->at[attr];
    struct interval *last = a->list.n ? &a->list.at[a->list.n - 1] : NULL;

    if (last) {
        ns_t least = last->open ? last->t0 : last->t1;

        if (t < least) {
            n->late++;
            t = least;
        }
        if (last->open && last->value == value)
            return;
        if (last->open) {
            last->open = false;
            last->t1 = t;
            if (last->t0 == t) /* it lasted no time: replaced */
                a->list.n--;
        }
    }
    if (value != STORE_NULL)
        *vec_push(&a->list) = (struct interval){ .t0 = t, .t1 = NS_MAX, .value = value,
                                                 .open = true };
}

static inline void naive_make(struct naive *n, const struct script *s)
{
    *n = (struct naive){ xcalloc(s->nattrs, sizeof *n->at), s->nattrs, s->t0, s->t1, 0 };
    for (size_t i = 0; i < s->ops.n; i++) {
        const struct op *op = &s->ops.at[i];

        if (op->kind == OP_COMMIT || (op->kind == OP_RANGE && op->t0 == op->t1))
            continue;
        naive_set(n, op->attr, op->t0, op->value);
        if (op->kind == OP_RANGE)
            naive_set(n, op->attr, op->t1, STORE_NULL);
    }
    for (uint32_t i = 0; i < n->nattrs; i++) {
        struct naive_attr *a = &n->at[i];

        if (a->list.n && a->list.at[a->list.n - 1].open)
            a->list.at[a->list.n - 1].t1 = n->t1;
    }
}

static inline void naive_free(struct naive *n)
{
    for (uint32_t i = 0; i < n->nattrs; i++)
        vec_free(&n->at[i].list);
    free(n->at);
}

/* Position of the first interval that ends after 't'. */
static inline size_t naive_find(const struct naive_attr *a, ns_t t)
{
    size_t lo = 0, hi = a->list.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (a->list.at[mid].t1 > t)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* The interval or gap around 't', which is covered. */
static inline struct interval naive_at(const struct naive *n, uint32_t attr, ns_t t)
{
    const struct naive_attr *a = &n->at[attr];
    size_t i = naive_find(a, t);

    if (i < a->list.n && a->list.at[i].t0 <= t)
        return a->list.at[i];
    return (struct interval){ .t0 = i > 0 ? a->list.at[i - 1].t1 : n->t0,
                              .t1 = i < a->list.n ? a->list.at[i].t0 : n->t1,
                              .value = STORE_NULL };
}

static inline uint64_t naive_changes(const struct naive *n)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < n->nattrs; i++)
        sum += n->at[i].list.n;
    return sum;
}

/* --- where to look ------------------------------------------------------------- */

static inline ns_t naive_within(const struct naive *n, ns_t t)
{
    return t < n->t0 ? n->t0 : t >= n->t1 ? n->t1 - 1 : t;
}

/* A covered instant, often at the edge of an interval, or of a bucket of summaries. */
static inline ns_t any_instant(const struct naive *n)
{
    const struct naive_attr *a = &n->at[any(3) ? any(n->nattrs) : 0];
    ns_t t = n->t0 + (ns_t)(any64() % (uint64_t)(n->t1 - n->t0));

    if (a->list.n && any(3)) {
        const struct interval *v = &a->list.at[any((uint32_t)a->list.n)];

        t = (any(2) ? v->t0 : v->t1) + (ns_t)any(3) - 1;
    } else if (any(3) == 0) {
        t = (ns_t)((uint64_t)t & ~UINT64_C(0) << 2 * any(16)) + (ns_t)any(3) - 1;
    }
    return naive_within(n, t);
}

static inline struct span any_window(const struct naive *n)
{
    ns_t a = any_instant(n), b = any_instant(n), most = n->t1 - a;

    if (any(8) == 0)
        return (struct span){ n->t0, n->t1 };
    if (any(2)) /* a narrow one */
        b = a + 1 + any_ns(any(30)) % most;
    if (a == b)
        b++;
    return a < b ? (struct span){ a, b } : (struct span){ b, a };
}

#endif
