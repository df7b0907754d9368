/* SPDX-License-Identifier: Apache-2.0
 *
 * summary.c -- buckets: what an attribute did in each 4^level ns, while it is
 * written.
 *
 * Body of a run of buckets (the head is in runs.c; its start is the first
 * bucket's), for states and texts:
 *
 *   varint n                buckets
 *   column n                number of the bucket, from the first
 *   column n                intervals that begin in it
 *   column n                ns of values that are not listed: over STORE_MAX_VALUES texts
 *   column n                values that are listed
 *   varint m, column m      the values, those that last longest first
 *   column m                ns of each
 *
 * and for numbers:
 *
 *   varint n, column n      number of the bucket, from the first
 *   6 columns of n          intervals that begin in it, ns with a value, least, most, last,
 *   2 columns of n          sum of value * ns: lower and upper 64 bits
 *
 * A bucket is kept when at least BUCKET_MIN intervals begin in it, and half
 * as many again as in any bucket within it that is kept: else what is below it
 * is read as fast.  So a bucket's time is either in one that was kept, or in
 * finer ones, or in intervals, and no reader needs to know why.
 *
 * Changes are counted in buckets of the level where a run has about 64 of them
 * in each; complete buckets are added up to those of the level above.  When the
 * changes come faster or slower, the finest level moves; a bucket that was not
 * counted from its beginning is added to those above it, but not kept. */
#include "store/store_priv.h"

enum {
    PENDING_BUCKETS = 64,
    PENDING_SHARES = 512,
    SLOTS_SMALL = 16,
    SLOTS = 128,
    NUMBER_CELLS = 8,
};

struct share {
    cell_t v; /* STORE_NULL: a free slot */
    ns_t ns;
};

/* A bucket that is being counted. */
struct acc {
    int64_t bucket;
    ns_t from; /* counted since */
    bool live;
    uint32_t changes;
    uint32_t kept_below; /* changes of the largest kept bucket within it */
    uint16_t n, cap;     /* shares */
    struct share *shares;
    ns_t others;
    ns_t ns; /* numbers: from here */
    cell_t least, most, last;
    __int128 sum;
};

/* A bucket to be written; of shares, 4 cells are used. */
struct row {
    cell_t cells[NUMBER_CELLS];
};
struct pending {
    LIST(struct row) rows;
    LIST(struct share) shares;
};

struct level {
    struct acc acc;
    struct pending *out;
};

struct sums {
    uint8_t base; /* the finest level */
    bool number;
    bool first_known; /* the attribute had no value before 'first' */
    ns_t first;
    attr_t attr;
    uint32_t family;
    LIST(struct level) levels; /* from 'base' on */
};

static unsigned shift_of(const struct sums *s, size_t i)
{
    return 2u * (s->base + (unsigned)i);
}

/* --- one bucket -------------------------------------------------------------------- */

static bool share_room(struct writer *w, struct acc *a)
{
    uint16_t cap = a->cap ? SLOTS : SLOTS_SMALL;
    struct share *old = a->shares, *fresh;

    if (!(fresh = io_alloc(cap * sizeof *fresh))) {
        w_no_memory(w);
        return false;
    }
    for (uint16_t i = 0; i < cap; i++)
        fresh[i] = (struct share){ STORE_NULL, 0 };
    for (uint16_t i = 0; i < a->cap; i++)
        if (old[i].v != STORE_NULL) {
            uint64_t k = (uint64_t)old[i].v & (cap - 1u);

            while (fresh[k].v != STORE_NULL)
                k = (k + 1) & (cap - 1u);
            fresh[k] = old[i];
        }
    free(old);
    a->shares = fresh;
    a->cap = cap;
    return true;
}

static inline void share_add(struct writer *w, struct acc *a, cell_t v, ns_t ns)
{
    if (a->cap == 0 && !share_room(w, a))
        return;
    for (uint64_t k = (uint64_t)v;; k++) {
        struct share *s = &a->shares[k & (a->cap - 1u)];

        if (s->v == v) {
            s->ns += ns;
            return;
        }
        if (s->v == STORE_NULL) {
            if (a->n >= STORE_MAX_VALUES) {
                a->others += ns;
            } else if (a->n + 4 > a->cap && a->cap < SLOTS) {
                if (share_room(w, a))
                    share_add(w, a, v, ns);
            } else {
                *s = (struct share){ v, ns };
                a->n++;
            }
            return;
        }
    }
}

static inline void count(struct writer *w, const struct sums *s, struct acc *a, cell_t v, ns_t ns)
{
    if (v == STORE_NULL)
        return;
    if (!s->number) {
        share_add(w, a, v, ns);
        return;
    }
    a->least = a->ns == 0 || v < a->least ? v : a->least;
    a->most = a->ns == 0 || v > a->most ? v : a->most;
    a->last = v;
    a->sum += (__int128)v * ns;
    a->ns += ns;
}

static void add_bucket(struct writer *w, const struct sums *s, struct acc *to,
                       const struct acc *from)
{
    uint32_t kept = from->kept_below;

    to->changes += from->changes;
    to->kept_below = kept > to->kept_below ? kept : to->kept_below;
    if (s->number && from->ns) {
        to->least = to->ns == 0 || from->least < to->least ? from->least : to->least;
        to->most = to->ns == 0 || from->most > to->most ? from->most : to->most;
        to->last = from->last;
        to->sum += from->sum;
        to->ns += from->ns;
    }
    to->others += from->others;
    for (uint16_t i = 0; i < from->cap; i++)
        if (from->shares[i].v != STORE_NULL)
            share_add(w, to, from->shares[i].v, from->shares[i].ns);
}

static void clear(struct acc *a)
{
    struct share *shares = a->shares;
    uint16_t cap = a->cap;

    for (uint16_t i = 0; i < cap; i++)
        shares[i] = (struct share){ STORE_NULL, 0 };
    *a = (struct acc){ .shares = shares, .cap = cap };
}

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    io_free(&p->rows);
    io_free(&p->shares);
    free(p);
}

/* --- buckets that are kept --------------------------------------------------------- */

static void put_cells(struct writer *w, const struct pending *p, int cell)
{
    cell_t v[PENDING_BUCKETS];

    for (size_t i = 0; i < p->rows.n; i++)
        v[i] = p->rows.at[i].cells[cell];
    if (cell == 0)
        for (size_t i = p->rows.n; i-- > 0;)
            v[i] -= v[0];
    put_column(&w->scratch, v, p->rows.n);
}

static void put_shares(struct writer *w, const struct pending *p)
{
    cell_t v[PENDING_SHARES + STORE_MAX_VALUES];
    size_t n = p->shares.n;

    put_varint(&w->scratch, n);
    if (n == 0)
        return;
    for (size_t i = 0; i < n; i++)
        v[i] = p->shares.at[i].v;
    put_column(&w->scratch, v, n);
    for (size_t i = 0; i < n; i++)
        v[i] = p->shares.at[i].ns;
    put_column(&w->scratch, v, n);
}

static void flush_level(struct writer *w, const struct sums *s, size_t i)
{
    struct pending *p = s->levels.at[i].out;
    unsigned shift = shift_of(s, i);

    if (!p || p->rows.n == 0)
        return;
    size_t n = p->rows.n;
    struct run_head h = { .family = s->family,
                          .attr = s->attr,
                          .level = (uint8_t)(s->base + i),
                          .t0 = (ns_t)((uint64_t)p->rows.at[0].cells[0] << shift),
                          .t1 = (ns_t)((uint64_t)(p->rows.at[n - 1].cells[0] + 1) << shift) };
    w->scratch.n = 0;
    if (!w_reserve(w, &w->scratch,
                   2 * VARINT_MAX + NUMBER_CELLS * code_room(n) + 2 * code_room(p->shares.n)))
        return;
    put_varint(&w->scratch, n);
    for (int cell = 0; cell < (s->number ? NUMBER_CELLS : 4); cell++)
        put_cells(w, p, cell);
    if (!s->number)
        put_shares(w, p);
    w_run(w, &h, &w->scratch);
    p->rows.n = 0;
    p->shares.n = 0;
}

/* Appends the shares of 'a', the longest first, the smaller of equals first. */
static bool take_shares(struct pending *p, const struct acc *a)
{
    if (!io_reserve(&p->shares, p->shares.n + a->n))
        return false;
    struct share *to = p->shares.at + p->shares.n;
    size_t n = 0;

    for (uint16_t i = 0; i < a->cap; i++) {
        struct share s = a->shares[i];
        size_t k = n;

        if (s.v == STORE_NULL)
            continue;
        for (; k > 0 && (to[k - 1].ns < s.ns || (to[k - 1].ns == s.ns && to[k - 1].v > s.v)); k--)
            to[k] = to[k - 1];
        to[k] = s;
        n++;
    }
    p->shares.n += n;
    return true;
}

static void keep(struct writer *w, struct sums *s, size_t i)
{
    struct level *l = &s->levels.at[i];
    const struct acc *a = &l->acc;

    if (!l->out && !(l->out = io_calloc(1, sizeof *l->out))) {
        w_no_memory(w);
        return;
    }
    struct pending *p = l->out;
    if (!io_reserve(&p->rows, p->rows.n + 1)) {
        w_no_memory(w);
        return;
    }
    cell_t *row = p->rows.at[p->rows.n].cells;
    memset(row, 0, sizeof p->rows.at->cells);
    row[0] = a->bucket;
    row[1] = a->changes;
    if (s->number) {
        row[2] = a->ns;
        row[3] = a->ns ? a->least : STORE_NULL;
        row[4] = a->ns ? a->most : STORE_NULL;
        row[5] = a->ns ? a->last : STORE_NULL;
        row[6] = (cell_t)(uint64_t)a->sum;
        row[7] = (cell_t)(a->sum >> 64);
    } else {
        row[2] = a->others;
        row[3] = a->n;
        if (!take_shares(p, a)) {
            w_no_memory(w);
            return;
        }
    }
    p->rows.n++;
    if (p->rows.n == PENDING_BUCKETS || p->shares.n >= PENDING_SHARES)
        flush_level(w, s, i);
}

/* --- levels ------------------------------------------------------------------------ */

static struct level *level_at(struct writer *w, struct sums *s, size_t i)
{
    if (i >= s->levels.n) {
        if (i >= s->levels.cap) { /* there are many attributes, and a level is large */
            struct level *more = io_realloc(s->levels.at, (i + 2) * sizeof *more);

            if (!more) {
                w_no_memory(w);
                return NULL;
            }
            s->levels.at = more;
            s->levels.cap = i + 2;
        }
        memset(s->levels.at + s->levels.n, 0, (i + 1 - s->levels.n) * sizeof *s->levels.at);
        s->levels.n = i + 1;
    }
    return &s->levels.at[i];
}

static void complete(struct writer *w, struct sums *s, size_t i, bool may_keep);

/* The bucket of level 'i' that has 'x', from where on it is counted. */
static struct acc *bucket_at(struct writer *w, struct sums *s, size_t i, ns_t x)
{
    struct level *l = level_at(w, s, i);
    int64_t b = x >> shift_of(s, i);

    if (!l)
        return NULL;
    if (l->acc.live && l->acc.bucket != b) {
        complete(w, s, i, true);
        l = &s->levels.at[i];
    }
    if (!l->acc.live) {
        l->acc.live = true;
        l->acc.bucket = b;
        l->acc.from = x;
    }
    return &l->acc;
}

static bool worth_it(const struct writer *w, const struct sums *s, const struct acc *a,
                     unsigned shift)
{
    ns_t start = (ns_t)((uint64_t)a->bucket << shift);
    bool whole = a->from == start || (s->first_known && a->from == s->first);

    return whole && a->changes >= BUCKET_MIN &&
           2 * (uint64_t)a->changes >= 3 * (uint64_t)a->kept_below &&
           3 * w->summary_bytes <= w->interval_bytes;
}

/* The bucket of level 'i' is over: kept, perhaps, and added to the one above. */
static void complete(struct writer *w, struct sums *s, size_t i, bool may_keep)
{
    struct acc *a = &s->levels.at[i].acc;

    if (may_keep && worth_it(w, s, a, shift_of(s, i))) {
        keep(w, s, i);
        a->kept_below = a->changes;
    }
    if (s->base + i < LEVEL_MAX) {
        struct acc *up = bucket_at(w, s, i + 1, a->from);

        if (!up)
            return;
        a = &s->levels.at[i].acc; /* the array may have moved */
        add_bucket(w, s, up, a);
    }
    clear(a);
}

/* 'v' in [x, y), counted at level 'i' and, where whole buckets have nothing else, above. */
static void span_add(struct writer *w, struct sums *s, size_t i, cell_t v, ns_t x, ns_t y)
{
    unsigned shift = shift_of(s, i);
    bool top = s->base + i >= LEVEL_MAX;
    struct acc *a = bucket_at(w, s, i, x);

    if (!a)
        return;
    if (top || (y - 1) >> shift == a->bucket) {
        count(w, s, a, v, y - x);
        return;
    }
    ns_t end = (ns_t)((uint64_t)(a->bucket + 1) << shift);
    ns_t mid = (ns_t)((uint64_t)(y >> shift) << shift);

    count(w, s, a, v, end - x);
    complete(w, s, i, true);
    if (mid > end)
        span_add(w, s, i + 1, v, end, mid);
    if (y > mid && (a = bucket_at(w, s, i, mid)))
        count(w, s, a, v, y - mid);
}

/* Lets 'base' be the finest level. */
static void move_base(struct writer *w, struct sums *s, uint8_t base)
{
    while (s->base < base && s->levels.n) { /* the finest is added to the next */
        struct level gone;

        if (s->levels.at[0].acc.live)
            complete(w, s, 0, false);
        flush_level(w, s, 0);
        gone = s->levels.at[0];
        pending_free(gone.out);
        free(gone.acc.shares);
        s->levels.n--;
        memmove(s->levels.at, s->levels.at + 1, s->levels.n * sizeof *s->levels.at);
        s->base++;
    }
    if (s->levels.n == 0)
        s->base = base;
    size_t more = s->base > base ? s->base - base : 0;
    if (more == 0)
        return;
    if (!io_reserve(&s->levels, s->levels.n + more)) {
        w_no_memory(w);
        return;
    }
    memmove(s->levels.at + more, s->levels.at, s->levels.n * sizeof *s->levels.at);
    memset(s->levels.at, 0, more * sizeof *s->levels.at);
    s->levels.n += more;
    s->base = base;
}

/* The level whose buckets have about 64 changes each. */
static uint8_t level_for(uint64_t span, size_t n)
{
    uint8_t level = LEVEL_MIN;

    while (level < LEVEL_MAX &&
           (unsigned __int128)n << (2 * level) < (unsigned __int128)span * BUCKET_AIM)
        level++;
    return level;
}

static struct sums *sums_new(struct writer *w, attr_t attr, ns_t first, uint8_t base)
{
    struct w_attr *a = &w->attrs.at[attr];
    struct sums *s = io_calloc(1, sizeof *s);

    if (!s) {
        w_no_memory(w);
        return NULL;
    }
    s->base = base;
    s->attr = attr;
    s->family = a->family;
    s->number = w->families.at[a->family].def->type == STORE_INT;
    s->first = first;
    s->first_known = !a->told;
    a->sums = s;
    return s;
}

void w_sum(struct writer *w, attr_t attr, const struct change *c, size_t n)
{
    struct sums *s = w->attrs.at[attr].sums;
    uint64_t span = (uint64_t)c[n].t - (uint64_t)c[0].t;
    uint8_t level = level_for(span, n);

    if (!s && n < BUCKET_AIM) { /* too few to be summed up: there may never be more */
        w->attrs.at[attr].told = true;
        return;
    }
    if (!s && !(s = sums_new(w, attr, c[0].t, level)))
        return;
    if (n >= BUCKET_MIN && (level < s->base || level > s->base + 1))
        move_base(w, s, level);
    w->attrs.at[attr].told = true;
    for (size_t i = 0; i < n && !w->failed; i++) {
        struct acc *a = bucket_at(w, s, 0, c[i].t);

        if (!a)
            return;
        a->changes += c[i].v != STORE_NULL;
        if ((c[i + 1].t - 1) >> shift_of(s, 0) == a->bucket)
            count(w, s, a, c[i].v, c[i + 1].t - c[i].t);
        else
            span_add(w, s, 0, c[i].v, c[i].t, c[i + 1].t);
    }
}

void w_sums_flush(struct writer *w, attr_t attr)
{
    struct sums *s = w->attrs.at[attr].sums;

    for (size_t i = 0; s && i < s->levels.n; i++) {
        flush_level(w, s, i);
        pending_free(s->levels.at[i].out);
        s->levels.at[i].out = NULL;
    }
}

void sums_free(struct sums *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->levels.n; i++) {
        pending_free(s->levels.at[i].out);
        free(s->levels.at[i].acc.shares);
    }
    io_free(&s->levels);
    free(s);
}
