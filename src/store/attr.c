/* SPDX-License-Identifier: Apache-2.0
 *
 * attr.c -- one attribute of a history: its runs and what is behind them.
 *
 * An attribute is its runs, each beginning where the one before ends, and the
 * tail, which begins where the last run ends.  What does not meet is lost. */
#include "store/read_priv.h"

struct run_list runs_of(const struct reader *r, attr_t a, uint8_t level)
{
    const struct run_ref *at = r->runs + r->first_run[a];
    uint32_t lo = r->leaf_runs[a], hi, end = r->first_run[a + 1] - r->first_run[a];

    if (level == 0)
        return (struct run_list){ at, lo };
    for (hi = end; lo < hi;) { /* the first of this level */
        uint32_t mid = lo + (hi - lo) / 2;

        if (at[mid].level < level)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (hi = lo; hi < end;) { /* the first of a higher one */
        uint32_t mid = hi + (end - hi) / 2;

        if (at[mid].level <= level)
            hi = mid + 1;
        else
            end = mid;
    }
    return (struct run_list){ at + lo, hi - lo };
}

uint8_t top_level(const struct reader *r, attr_t a)
{
    uint32_t end = r->first_run[a + 1];

    return end == r->first_run[a] ? 0 : r->runs[end - 1].level;
}

uint32_t run_before(const struct run_list *l, ns_t t)
{
    const struct run_ref *at = l->at;
    uint32_t lo = 0;

    for (uint32_t n = l->n; n > 1;) { /* without branches on the times */
        uint32_t half = n / 2;

        lo += at[lo + half].t0 <= t ? half : 0;
        n -= half;
    }
    return lo;
}

bool run_open(const struct run_ref *ref, attr_t a, struct frame *f, struct in *ret)
{
    struct in in = { f->data, f->data + f->n, false };

    if (f->n < 8 || ref->pos < 8 || ref->pos >= f->n)
        return false;
    uint64_t base = get64(in.p);
    in.p += ref->pos;
    uint64_t attr = get_varint(&in), level = get_varint(&in);
    uint64_t t0 = base + (uint64_t)unzigzag(get_varint(&in));
    *ret = in;
    return !in.bad && attr == a && level == ref->level && t0 == (uint64_t)ref->t0;
}

bool leaf_open(struct reader *r, const struct run_ref *ref, attr_t a, struct leaf *ret)
{
    struct in in;

    if (!(ret->frame = block_pin(r, ref->block)))
        return false;
    if (run_open(ref, a, ret->frame, &in)) {
        uint64_t n = get_varint(&in), span = get_varint(&in);

        ret->t0 = ref->t0;
        ret->t1 = (ns_t)((uint64_t)ref->t0 + span);
        if (n <= RUN_MAX && ret->t1 > ret->t0 && get_column(&in, (size_t)n, &ret->values) &&
            get_steps(&in, (size_t)n, span, &ret->steps))
            return true;
    }
    block_unpin(ret->frame);
    struct err err;
    err_set(&err, E_CORRUPT, "a run of %.*s in it makes no sense",
            (int)(r->path_ends.at[a] - (a ? r->path_ends.at[a - 1] : 0)),
            (const char *)r->path_text.at + (a ? r->path_ends.at[a - 1] : 0));
    reader_lost(r, ref->block, &err);
    return false;
}

ns_t cover_end(const struct reader *r)
{
    return r->c.finished ? r->c.t1 : r->c.until;
}

ns_t cover_begin(const struct reader *r)
{
    return r->c.finished ? r->c.t0 : NS_MIN;
}

ns_t run_end(const struct store *s, attr_t a, const struct run_list *l, uint32_t i)
{
    const struct tail *tail = &s->r->tails[a];
    ns_t t0 = l->at[i].t0, end = cover_end(s->r) > t0 ? cover_end(s->r) : NS_MAX;

    if (i + 1 < l->n)
        end = l->at[i + 1].t0;
    else if (tail->n)
        end = tail->t[0];
    return end > t0 ? end : t0; /* what is out of order has no length */
}

bool tail_at(const struct store *s, attr_t a, ns_t t, struct interval *ret)
{
    const struct tail *tail = &s->r->tails[a];
    uint32_t i = tail->n == 2 && t >= tail->t[1];
    bool last = i + 1 == tail->n;
    ns_t end = cover_end(s->r);

    *ret = (struct interval){ .t0 = tail->t[i],
                              .t1 = last ? end : tail->t[1],
                              .value = tail->v[i],
                              .open = last && tail->v[i] != STORE_NULL };
    if (last && t >= end) /* what is not known yet */
        *ret = (struct interval){ .t0 = end, .t1 = NS_MAX, .value = STORE_NULL };
    return ret->value != STORE_NULL;
}
