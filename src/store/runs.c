/* SPDX-License-Identifier: Apache-2.0
 *
 * runs.c -- runs of intervals, and blocks of runs.
 *
 * Payload of a block of intervals or summaries:
 *
 *   i64 base          what the starts of its runs count from
 *   runs              varint  attribute
 *                     varint  level: 0 intervals, n buckets of 4^n ns
 *                     varint  start - base, zigzag
 *                     body    intervals: below; buckets: summary.c
 *
 * Body of a run of intervals of one attribute, the next beginning where one ends:
 *
 *   varint n, varint span            intervals, ns from the first start to the last end
 *   column n values                  STORE_NULL: the attribute has none (code_priv.h)
 *   steps  n ends, from the start
 *
 * What has to be read to know where everything is comes first, in one line of memory.
 *
 * A block has runs of one family whose intervals last about equally long, in the
 * order of time: so its own span says well whether a window meets it. */
#include "store/store_priv.h"

#include <assert.h>

static bool begin_block(struct writer *w, struct filling *f, const struct run_head *h)
{
    if (f->bytes.n)
        return true;
    if (!w_reserve(w, &f->bytes, 2 * BLOCK_TARGET))
        return false;
    f->kind = h->level ? KIND_SUMMARIES : KIND_INTERVALS;
    f->owner = h->family;
    f->klass = h->klass;
    f->base = f->t0 = h->t0;
    f->t1 = h->t1;
    put64(f->bytes.at, (uint64_t)f->base);
    f->bytes.n = 8;
    return true;
}

void w_run(struct writer *w, const struct run_head *h, const struct out *body)
{
    struct w_family *fam = &w->families.at[h->family];
    struct filling *f = h->level ? &fam->summaries : &fam->intervals[h->klass];

    if (f->bytes.n && f->bytes.n + body->n + 3 * VARINT_MAX > BLOCK_TARGET)
        w_close_filling(w, f);
    if (w->failed || !begin_block(w, f, h) || !w_reserve(w, &f->bytes, body->n + 3 * VARINT_MAX))
        return;
    if (!io_reserve(&f->runs, f->runs.n + 1) || !io_reserve(&w->runs, w->runs.n + 1)) {
        w_no_memory(w);
        return;
    }
    f->runs.at[f->runs.n++] = w->runs.n;
    w->runs.at[w->runs.n++] =
        (struct new_run){ { .t0 = h->t0, .pos = (uint16_t)f->bytes.n, .level = h->level },
                          h->attr };
    size_t before = f->bytes.n;
    put_varint(&f->bytes, h->attr);
    put_varint(&f->bytes, h->level);
    put_varint(&f->bytes, zigzag((int64_t)((uint64_t)h->t0 - (uint64_t)f->base)));
    memcpy(f->bytes.at + f->bytes.n, body->at, body->n);
    f->bytes.n += body->n;
    f->t0 = h->t0 < f->t0 ? h->t0 : f->t0;
    f->t1 = h->t1 > f->t1 ? h->t1 : f->t1;
    *(h->level ? &w->summary_bytes : &w->interval_bytes) += f->bytes.n - before;
}

void w_close_filling(struct writer *w, struct filling *f)
{
    struct block_head h = {
        .kind = f->kind, .owner = f->owner, .klass = f->klass, .t0 = f->t0, .t1 = f->t1
    };
    uint32_t number = (uint32_t)w->blocks.n;

    if (f->bytes.n == 0)
        return;
    bool attempt = f->zstd_pause == 0;
    if (w_data_block(w, &h, f->bytes.at, f->bytes.n, attempt)) {
        for (size_t i = 0; i < f->runs.n; i++)
            w->runs.at[f->runs.at[i]].ref.block = number;
        f->zstd_pause = attempt && h.codec == CODEC_RAW ? 15 : f->zstd_pause - !attempt;
    }
    f->bytes.n = 0;
    f->runs.n = 0;
}

void w_close_all(struct writer *w)
{
    for (size_t i = 0; i < w->families.n; i++) {
        for (int k = 0; k < CLASSES; k++)
            w_close_filling(w, &w->families.at[i].intervals[k]);
        w_close_filling(w, &w->families.at[i].summaries);
    }
}

/* Puts the first 'n' intervals of an attribute, of n + 1 changes, into a run. */
static void put_run(struct writer *w, attr_t attr, size_t n)
{
    const struct w_attr *a = &w->attrs.at[attr];
    uint64_t t0 = (uint64_t)a->at[0].t, span = (uint64_t)a->at[n].t - t0;
    uint64_t steps[RUN_MAX];
    cell_t values[RUN_MAX];
    struct run_head h = { a->family, attr, 0, 0, a->at[0].t, a->at[n].t };

    assert(n > 0 && n <= RUN_MAX);
    w->scratch.n = 0;
    if (!w_reserve(w, &w->scratch, 2 * VARINT_MAX + 2 * code_room(n)))
        return;
    for (size_t i = 0; i < n; i++) {
        steps[i] = (uint64_t)a->at[i + 1].t - t0;
        values[i] = a->at[i].v;
    }
    put_varint(&w->scratch, n);
    put_varint(&w->scratch, span);
    put_column(&w->scratch, values, n);
    put_steps(&w->scratch, steps, n);
    h.klass = (uint16_t)((63 - __builtin_clzll(span / n | 1)) / 4);
    w_run(w, &h, &w->scratch);
    if (!w->failed)
        w_sum(w, attr, a->at, n);
}

void w_intervals(struct writer *w, attr_t attr, bool finished)
{
    struct w_attr *a = &w->attrs.at[attr];
    size_t n = a->n ? a->n - 1u : 0;

    if (n && !finished && a->at[n - 1].v == STORE_NULL)
        n--;
    if (n == 0)
        return;
    put_run(w, attr, n);
    memmove(a->at, a->at + n, (a->n - n) * sizeof *a->at);
    a->n = (uint16_t)(a->n - n);
}

int run_order(const void *a, const void *b)
{
    const struct new_run *x = a, *y = b;

    if (x->attr != y->attr)
        return x->attr < y->attr ? -1 : 1;
    if (x->ref.level != y->ref.level)
        return x->ref.level < y->ref.level ? -1 : 1;
    return x->ref.t0 < y->ref.t0 ? -1 : x->ref.t0 > y->ref.t0;
}
