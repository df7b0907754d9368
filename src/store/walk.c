/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.c -- one attribute through a window, by the coarsest buckets that fit, and
 * by finer ones and intervals where there are none. */
#include "store/walk_priv.h"

enum { RUN_BYTES = 1024 }; /* that most runs have */

/* Lets the processor fetch run 'i', and find out where the one after it is. */
static inline void prefetch(const struct walk *w, const struct run_list *l, uint32_t i)
{
    _Atomic(struct frame *) const *frames = w->s->r->frames;

    if (i < l->n)
        block_prefetch(&frames[l->at[i].block], l->at[i].pos, RUN_BYTES);
    if (i + 1 < l->n)
        __builtin_prefetch(atomic_load_explicit(&frames[l->at[i + 1].block], memory_order_relaxed));
}

static bool open_buckets(const struct run_ref *ref, attr_t a, bool number, struct bucket_run *ret,
                         struct frame *f)
{
    struct in in;
    uint64_t n, m;

    if (!run_open(ref, a, f, &in) || (n = get_varint(&in)) == 0 || n > BLOCK_MAX)
        return false;
    ret->n = (uint32_t)n;
    for (int i = 0; i < (number ? BUCKET_COLUMNS : 4); i++)
        if (!get_column(&in, (size_t)n, &ret->columns[i]))
            return false;
    if (number)
        return true;
    m = get_varint(&in);
    if (in.bad || m > BLOCK_MAX)
        return false;
    ret->shares = (uint32_t)m;
    return m == 0 ||
           (get_column(&in, (size_t)m, &ret->values) && get_column(&in, (size_t)m, &ret->ns));
}

static void walk_down(struct walk *w, int level, ns_t x, ns_t y);

/* Goes through the buckets of one run from 'x' on; returns up to where it came. */
static ns_t walk_run(struct walk *w, int level, const struct run_ref *ref, ns_t x, ns_t y)
{
    struct reader *r = w->s->r;
    struct bucket_run run = { .serial = ++w->serial };
    struct frame *f = block_pin(r, ref->block);
    uint64_t wide = UINT64_C(1) << 2 * level;
    struct bucket b = { .run = &run };

    if (!f) /* the intervals are still there */
        return x;
    if (!open_buckets(ref, w->a, w->number, &run, f)) {
        struct err err;

        err_set(&err, E_CORRUPT, "buckets in it make no sense");
        reader_lost(r, ref->block, &err);
        run.n = 0;
    }
    for (uint32_t i = 0; i < run.n; i++, b.first_share += b.shares) {
        b.i = i;
        b.shares = w->number ? 0 : (uint32_t)column_at(&run.columns[BUCKET_SHARES], i);
        b.t0 =
            (ns_t)((uint64_t)ref->t0 + (uint64_t)column_at(&run.columns[BUCKET_NUMBER], i) * wide);
        b.t1 = (ns_t)((uint64_t)b.t0 + wide);
        if (b.first_share > run.shares || b.shares > run.shares - b.first_share || b.t0 >= y ||
            b.t1 < b.t0)
            break;
        if (b.t0 < x || b.t1 > y || !w->takes(w, &b))
            continue;
        if (b.t0 > x)
            walk_down(w, level - 1, x, b.t0);
        w->bucket(w, &b);
        x = b.t1;
    }
    block_unpin(f);
    return x;
}

/* The intervals that are in no run. */
static void walk_tail(struct walk *w, ns_t x, ns_t y)
{
    static const uint8_t no_codes[8]; /* of no bits: there is one value */
    const struct tail *tail = &w->s->r->tails[w->a];
    ns_t end = cover_end(w->s->r);

    for (uint32_t i = 0; i < tail->n; i++) {
        ns_t t[2] = { tail->t[i], i + 1 < tail->n ? tail->t[i + 1] : end };
        struct column v = { .codes = no_codes, .least = (uint64_t)tail->v[i], .n = 1 };

        if (t[0] < y && t[1] > x && t[0] < t[1])
            w->run(w, t, 1, &v, x, y);
    }
}

static void walk_intervals(struct walk *w, ns_t x, ns_t y)
{
    const struct run_list *l = &w->lists[0];
    ns_t t[RUN_MAX + 1 + STEPS_SLACK];
    struct leaf leaf;

    for (uint32_t i = l->n ? run_before(l, x) : 0; i < l->n && l->at[i].t0 < y; i++) {
        ns_t end = run_end(w->s, w->a, l, i);
        bool ok = false;

        if (end <= x)
            continue;
        prefetch(w, l, i + 1);
        t[0] = l->at[i].t0;
        if (leaf_open(w->s->r, &l->at[i], w->a, &leaf)) {
            if ((ok = leaf.t1 == end && steps_all(&leaf.steps, leaf.t0, t + 1)))
                w->run(w, t, leaf.steps.n, &leaf.values, x, y);
            block_unpin(leaf.frame);
        }
        t[1] = ok ? t[1] : end;
        if (!ok)
            w->run(w, t, 1, NULL, x, y);
    }
    walk_tail(w, x, y);
}

static void walk_down(struct walk *w, int level, ns_t x, ns_t y)
{
    while (level > 0 && w->lists[level].n == 0)
        level--;
    if (level == 0) {
        walk_intervals(w, x, y);
        return;
    }
    const struct run_list *l = &w->lists[level];
    for (uint32_t i = run_before(l, x); i < l->n && l->at[i].t0 < y && x < y; i++) {
        prefetch(w, l, i + 1);
        x = walk_run(w, level, &l->at[i], x, y);
    }
    if (x < y)
        walk_down(w, level - 1, x, y);
}

void walk(struct walk *w, int level, struct span win)
{
    int top = top_level(w->s->r, w->a);

    w->number = store_attr_family(w->s, w->a)->type == STORE_INT;
    level = level < top ? level : top;
    for (int i = 0; i <= level; i++)
        w->lists[i] = runs_of(w->s->r, w->a, (uint8_t)i);
    walk_down(w, level, win.t0, win.t1);
}

int level_within(uint64_t ns)
{
    int level = 0;

    for (int l = LEVEL_MIN; l <= LEVEL_MAX && UINT64_C(1) << 2 * l <= ns; l++)
        level = l;
    return level;
}
