/* SPDX-License-Identifier: Apache-2.0
 *
 * strip.c -- a window cut into pixels. */
#include "store/walk_priv.h"

#include <assert.h>

enum { FINE = 512 }; /* parts of a window that edges may be rounded to, at least */

/* Edges between pixels, one by one: begin + i * width / npx, rounded to buckets. */
struct edges {
    uint64_t at, step, rest, per, left; /* exact: at + left / per */
    unsigned shift;                     /* 0 = not rounded         */
    struct span win;
    size_t i, n;
};

static struct edges edges_of(struct span win, size_t npx)
{
    uint64_t wide = (uint64_t)win.t1 - (uint64_t)win.t0;
    int level = level_within(wide / (npx < FINE ? FINE : npx));

    return (struct edges){ .at = (uint64_t)win.t0,
                           .step = wide / npx,
                           .rest = wide % npx,
                           .per = npx,
                           .shift = 2u * (unsigned)level,
                           .win = win,
                           .n = npx };
}

static ns_t rounded(uint64_t at, unsigned shift)
{
    if (shift == 0)
        return (ns_t)at;
    uint64_t half = UINT64_C(1) << (shift - 1);

    if ((ns_t)at > (ns_t)(INT64_MAX - half)) /* the last bucket of all time has no end */
        return (ns_t)((at >> shift) << shift);
    return (ns_t)(((at + half) >> shift) << shift);
}

/* The next edge: the end of pixel i, then i is one more. */
static ns_t edges_next(struct edges *e)
{
    e->at += e->step;
    e->left += e->rest;
    if (e->left >= e->per) {
        e->left -= e->per;
        e->at++;
    }
    return ++e->i >= e->n ? e->win.t1 : rounded(e->at, e->shift);
}

ns_t store_edge(struct span win, size_t npx, size_t i)
{
    struct edges e = edges_of(win, npx);

    if (i == 0 || i >= npx)
        return i == 0 ? win.t0 : win.t1;
    unsigned __int128 part = (unsigned __int128)e.rest * i / npx;
    return rounded((uint64_t)win.t0 + e.step * i + (uint64_t)part, e.shift);
}

/* A window in the host's own time; where its clock stood still, of one ns. */
static struct span own_strip(const struct store *s, struct span shown)
{
    struct span win = own_span(s, shown);

    if (win.t0 >= win.t1)
        win = win.t0 == NS_MAX ? (struct span){ NS_MAX - 1, NS_MAX }
                               : (struct span){ win.t0, win.t0 + 1 };
    return win;
}

/* --- states and texts ----------------------------------------------------------------------
 *
 * Values get small numbers, slots, as they come, and keep them from pixel to pixel; slot
 * 0 is "no value".  Times are added up without a branch on the value, since which one
 * comes next is what nobody can foresee. */

enum { SLOTS = 128, HASHED = 256, MAP_BITS = 7 };

/* The slots of a run's codes. */
struct slot_map {
    const struct column *v; /* NULL = of none                   */
    uint64_t least;         /* what its codes mean, as in 'v'   */
    uint8_t shift;
    bool nulls, words;
    uint32_t drops;            /* the slots are those of this time */
    uint8_t of[1 << MAP_BITS]; /* SLOTS = not known yet            */
};

struct strip {
    struct walk w;
    struct edges edges;
    ns_t edge; /* end of the pixel */
    struct store_pixel *px;
    const struct store_family *family;
    struct slot_map map;  /* of the last run of intervals                 */
    struct slot_map sums; /* of the run of buckets that has this serial   */
    uint32_t serial;
    /* values so far */
    struct value_slot {
        cell_t v;
        uint32_t bad;
    } slots[SLOTS];
    uint8_t hashed[HASHED]; /* slot + 1 */
    uint32_t nslots, drops;
    /* of the pixel */
    ns_t ns[SLOTS];
    uint32_t used[SLOTS + 1]; /* slots whose ns is not 0 */
    uint32_t nused;
    ns_t begin, others;
};

static inline uint32_t hash_of(cell_t v)
{
    return (uint32_t)((uint64_t)v * UINT64_C(0x9E3779B97F4A7C15) >> 56);
}

static uint32_t set_slot(struct strip *p, cell_t v)
{
    uint32_t h = hash_of(v), slot = p->nslots++;
    const struct store_family *f = p->family;

    while (p->hashed[h])
        h = (h + 1) % HASHED;
    p->hashed[h] = (uint8_t)(slot + 1);
    p->slots[slot].v = v;
    p->ns[slot] = 0;
    p->slots[slot].bad =
        f->type == STORE_STATE && v >= 0 && (uint64_t)v < f->nvalues && f->values[v].bad;
    return slot;
}

/* Keeps the values that the pixel has; false if those are all that there is room for. */
static bool drop_slots(struct strip *p)
{
    cell_t keys[SLOTS];
    ns_t ns[SLOTS];
    uint32_t n = p->nused;

    if (n + 2 >= SLOTS)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        keys[i] = p->slots[p->used[i]].v;
        ns[i] = p->ns[p->used[i]];
    }
    memset(p->hashed, 0, sizeof p->hashed);
    p->drops++;
    p->nslots = 0;
    set_slot(p, STORE_NULL);
    for (uint32_t i = 0; i < n; i++) {
        p->used[i] = keys[i] == STORE_NULL ? 0 : set_slot(p, keys[i]);
        p->ns[p->used[i]] = ns[i];
    }
    return true;
}

/* The value's slot; SLOTS: there is none left. */
static uint32_t slot_of(struct strip *p, cell_t v)
{
    for (uint32_t h = hash_of(v); p->hashed[h]; h = (h + 1) % HASHED)
        if (p->slots[p->hashed[h] - 1].v == v)
            return p->hashed[h] - 1u;
    return p->nslots < SLOTS || drop_slots(p) ? set_slot(p, v) : SLOTS;
}

static inline void slot_add(struct strip *p, uint32_t slot, ns_t ns)
{
    if (slot == SLOTS) {
        p->others = ns_sum(p->others, ns);
        return;
    }
    p->used[p->nused] = slot;
    p->nused += p->ns[slot] == 0;
    p->ns[slot] = ns_sum(p->ns[slot], ns);
}

static inline void strip_add(struct strip *p, cell_t v, ns_t ns)
{
    slot_add(p, slot_of(p, v), ns);
}

/* Lets 'm' be of the codes of 'v'; often they mean the same as those before. */
static void map_begin(const struct strip *p, struct slot_map *m, const struct column *v)
{
    bool same = m->v && !m->words && !v->words && m->least == v->least && m->shift == v->shift &&
                m->nulls == v->nulls && m->drops == p->drops;

    m->v = v;
    m->least = v->least;
    m->shift = v->shift;
    m->nulls = v->nulls;
    m->words = v->words != NULL;
    if (same)
        return;
    m->drops = p->drops;
    memset(m->of, SLOTS, sizeof m->of);
}

static uint32_t map_slot(struct strip *p, struct slot_map *m, uint64_t code)
{
    uint32_t slot = slot_of(p, column_value(m->v, code));

    if (m->drops != p->drops) {
        memset(m->of, SLOTS, sizeof m->of);
        m->drops = p->drops;
    }
    m->of[code] = (uint8_t)slot;
    return slot;
}

/* Could another value have lasted longest, if it was all that is in 'others'? */
static bool unsure(const struct strip *p)
{
    ns_t most = 0, second = 0;

    for (uint32_t i = 0; i < p->nused; i++) {
        ns_t ns = p->used[i] ? p->ns[p->used[i]] : 0;

        second = ns > most ? most : ns > second ? ns : second;
        most = ns > most ? ns : most;
    }
    return p->others >= most - second;
}

/* The value that lasted 'most' where several did: the smallest. */
static cell_t smallest(const struct strip *p, ns_t most)
{
    cell_t value = STORE_NULL;

    for (uint32_t i = 0; i < p->nused; i++) {
        uint32_t k = p->used[i];

        if (p->ns[k] == most && (value == STORE_NULL || p->slots[k].v < value))
            value = p->slots[k].v;
    }
    return value;
}

static void pixel_end(struct strip *p)
{
    struct store_pixel *px = p->px;
    const uint32_t *used = p->used, n = p->nused;
    uint64_t all = (uint64_t)p->others, most = 0, best = 0, equal = 0;
    uint32_t bad = 0;

    px->inexact = p->others > 0 && unsure(p);
    p->ns[0] = 0; /* time without a value is what the others leave */
    for (uint32_t i = 0; i < n; i++) {
        uint64_t k = used[i], ns = (uint64_t)p->ns[k], more = 0 - (uint64_t)(ns > most);

        equal |= (ns == most) & (k > 0);
        bad |= p->slots[k].bad;
        all += ns;
        best ^= (best ^ k) & more; /* no branch: which one is more is chance */
        most ^= (most ^ ns) & more;
    }
    cell_t value = p->slots[best].v;
    if (equal && most)
        value = smallest(p, (ns_t)most);
    for (uint32_t i = 0; i < n; i++)
        p->ns[used[i]] = 0;
    uint64_t wide = (uint64_t)p->edge - (uint64_t)p->begin, none = wide > all ? wide - all : 0;
    bool has = most > 0 && (px->lost || none <= most);
    px->value = has ? value : STORE_NULL;
    px->ns = has ? (ns_t)most : none > INT64_MAX ? NS_MAX : (ns_t)none;
    px->bad = bad;
    p->nused = 0;
    p->others = 0;
    p->begin = p->edge;
}

static inline void next_pixel(struct strip *p)
{
    pixel_end(p);
    p->px++;
    p->edge = edges_next(&p->edges);
}

/* Moves on to the pixel that has 't', which is in the window. */
static inline void pixel_of(struct strip *p, ns_t t)
{
    while (t >= p->edge)
        next_pixel(p);
}

/* Pixels that one value fills from edge to edge, up to the one that 'y' is in; nothing of the first
 * is told yet. */
static void whole_pixels(struct strip *p, uint32_t slot, ns_t y)
{
    const struct value_slot *v = &p->slots[slot];

    for (; y > p->edge && p->begin < p->edge; p->px++, p->edge = edges_next(&p->edges)) {
        uint64_t wide = (uint64_t)p->edge - (uint64_t)p->begin;

        p->px->value = v->v;
        p->px->ns = wide > INT64_MAX ? NS_MAX : (ns_t)wide;
        p->px->bad = v->bad;
        p->begin = p->edge;
    }
}

/* A pixel can have no width, if there are more pixels than ns. */
static void strip_span(struct strip *p, uint32_t slot, ns_t x, ns_t y)
{
    while (y > p->edge) {
        if (x < p->edge)
            slot_add(p, slot, ns_between(x, p->edge));
        next_pixel(p);
        if (slot < SLOTS)
            whole_pixels(p, slot, y);
        x = p->begin;
    }
    slot_add(p, slot, ns_between(x, y));
}

static void strip_lost(struct strip *p, ns_t x, ns_t y)
{
    pixel_of(p, x);
    for (; y > p->edge; x = p->edge, next_pixel(p))
        p->px->lost |= x < p->edge;
    p->px->lost = true;
}

/* Intervals i, i + 1, ..., as long as they end in this pixel; returns the first one that
 * does not.  This is where a strip spends its time; what a hostile file says may wrap
 * around, and does no harm. */
static uint32_t strip_fast(struct strip *p, struct slot_map *m, const ns_t *t, uint32_t i,
                           uint32_t n, ns_t y)
{
    const ns_t end = p->edge < y ? p->edge : y;
    const uint8_t *const codes = m->v->codes;
    const unsigned width = m->v->width;
    const uint64_t mask = (UINT64_C(1) << width) - 1;
    uint64_t bit = (uint64_t)i * width;
    uint32_t nulls = 0, first = i, nused = p->nused;

    for (ns_t t0 = t[i], t1; i < n && (t1 = t[i + 1]) <= end; i++, bit += width, t0 = t1) {
        uint64_t code = get64(codes + (bit >> 3)) >> (bit & 7) & mask;
        uint32_t slot = m->of[code];

        if (slot == SLOTS) {
            p->nused = nused;
            slot = map_slot(p, m, code);
            slot_add(p, slot, ns_between(t0, t1));
            nused = p->nused;
        } else {
            uint64_t ns = (uint64_t)p->ns[slot];

            p->used[nused] = slot;
            nused += ns == 0;
            p->ns[slot] = (ns_t)(ns + (uint64_t)t1 - (uint64_t)t0);
        }
        nulls += slot == 0;
    }
    p->nused = nused;
    p->px->changes += i - first - nulls;
    return i;
}

/* The same for values with wider codes. */
static uint32_t strip_slow(struct strip *p, const struct column *v, const ns_t *t, uint32_t i,
                           uint32_t n, ns_t y)
{
    ns_t end = p->edge < y ? p->edge : y;

    for (; i < n && t[i + 1] <= end; i++) {
        cell_t value = column_at(v, i);

        p->px->changes += value != STORE_NULL;
        strip_add(p, value, ns_between(t[i], t[i + 1]));
    }
    return i;
}

static void strip_run(struct walk *w, const ns_t *t, uint32_t n, const struct column *v, ns_t x,
                      ns_t y)
{
    struct strip *p = w->ctx;
    uint32_t i = 0, slot;

    if (!v) {
        strip_lost(p, t[0] > x ? t[0] : x, t[1] < y ? t[1] : y);
        return;
    }
    map_begin(p, &p->map, v);
    while (i < n && t[i + 1] <= x)
        i++;
    for (; i < n && t[i] < y; i++) {
        bool begins = t[i] >= x;

        pixel_of(p, begins ? t[i] : x);
        if (begins) {
            i = v->width <= MAP_BITS ? strip_fast(p, &p->map, t, i, n, y)
                                     : strip_slow(p, v, t, i, n, y);
            if (i >= n || t[i] >= y)
                return;
            pixel_of(p, t[i]);
        }
        /* This one ends in another pixel, or began before 'x'. */
        slot = slot_of(p, column_at(v, i));
        p->px->changes += begins && slot != 0;
        strip_span(p, slot, begins ? t[i] : x, t[i + 1] < y ? t[i + 1] : y);
    }
}

static bool takes_all(struct walk *w, const struct bucket *b)
{
    (void)w;
    (void)b;
    return true;
}

static void strip_shares(struct strip *p, const struct bucket_run *run, uint32_t first, uint32_t n)
{
    struct slot_map *m = &p->sums;
    unsigned width = run->values.width;
    uint64_t bit = (uint64_t)first * width;

    if (p->serial != run->serial) {
        p->serial = run->serial;
        map_begin(p, m, &run->values);
    }
    for (uint32_t i = first; i < first + n; i++, bit += width) {
        uint64_t code = get_bits(run->values.codes, bit, width);
        uint32_t slot = m->of[code];

        slot_add(p, slot == SLOTS ? map_slot(p, m, code) : slot, column_at(&run->ns, i));
    }
}

static void strip_bucket(struct walk *w, const struct bucket *b)
{
    struct strip *p = w->ctx;
    const struct bucket_run *run = b->run;
    uint32_t first = b->first_share, behind = first + b->shares;

    pixel_of(p, b->t0);
    p->px->changes += (uint32_t)bucket_cell(b, BUCKET_CHANGES);
    p->others = ns_sum(p->others, bucket_cell(b, BUCKET_OTHERS));
    if (run->shares && run->values.width <= MAP_BITS)
        strip_shares(p, run, first, b->shares);
    else
        for (uint32_t i = first; i < behind; i++)
            strip_add(p, column_at(&run->values, i), column_at(&run->ns, i));
}

static void number_strip(const struct store *s, attr_t a, struct span win, struct store_pixel *ret,
                         size_t npx);

void store_strip(const struct store *s, attr_t a, struct span shown, struct store_pixel *ret,
                 size_t npx)
{
    struct span win = own_strip(s, shown);
    struct strip p = { .w = { .ctx = &p,
                              .s = s,
                              .a = a,
                              .takes = takes_all,
                              .bucket = strip_bucket,
                              .run = strip_run },
                       .edges = edges_of(win, npx),
                       .px = ret,
                       .family = store_attr_family(s, a),
                       .begin = win.t0 };

    assert(shown.t0 < shown.t1 && npx > 0);
    memset(ret, 0, npx * sizeof *ret);
    if (p.family->type == STORE_INT) {
        number_strip(s, a, win, ret, npx);
        return;
    }
    set_slot(&p, STORE_NULL);
    p.edge = edges_next(&p.edges);
    walk(&p.w, (int)p.edges.shift / 2, win);
    for (;; p.px++, p.edge = edges_next(&p.edges)) {
        pixel_end(&p);
        if (p.edges.i >= npx)
            return;
    }
}

/* --- numbers ----------------------------------------------------------------------- */

struct series {
    struct walk w;
    struct edges edges;
    ns_t edge;
    struct store_point now;
    __int128 sum;
    /* one of them */
    struct store_point *points;
    struct store_pixel *pixels;
};

/* The nearest whole number to sum / ns. */
static cell_t mean_of(__int128 sum, ns_t ns)
{
    __int128 half = ns / 2;

    return (cell_t)((sum >= 0 ? sum + half : sum - half) / ns);
}

static void point_end(struct series *p)
{
    struct store_point *now = &p->now;

    if (now->ns)
        now->mean = (double)p->sum / (double)now->ns;
    else
        now->min = now->max = now->last = STORE_NULL;
    if (p->points)
        *p->points++ = *now;
    else
        *p->pixels++ = (struct store_pixel){
            .value = now->ns ? mean_of(p->sum, now->ns) : STORE_NULL,
            .ns = now->ns,
            .changes = now->changes,
            .lost = now->lost,
        };
    *now = (struct store_point){ 0 };
    p->sum = 0;
}

static void point_of(struct series *p, ns_t t)
{
    while (t >= p->edge && p->edges.i < p->edges.n) {
        point_end(p);
        p->edge = edges_next(&p->edges);
    }
}

static void point_add(struct series *p, cell_t least, cell_t most, cell_t last, __int128 sum,
                      ns_t ns)
{
    struct store_point *now = &p->now;

    if (ns == 0)
        return;
    now->min = now->ns == 0 || least < now->min ? least : now->min;
    now->max = now->ns == 0 || most > now->max ? most : now->max;
    now->last = last;
    now->ns = ns_sum(now->ns, ns);
    p->sum = (__int128)((unsigned __int128)p->sum + (unsigned __int128)sum);
}

static void series_run(struct walk *w, const ns_t *t, uint32_t n, const struct column *v, ns_t x,
                       ns_t y)
{
    struct series *p = w->ctx;
    cell_t values[RUN_MAX];

    if (v)
        column_all(v, values);
    else
        values[0] = 0; /* lost: any but STORE_NULL */
    for (uint32_t i = 0; i < n && t[i] < y; i++) {
        ns_t t0 = t[i] > x ? t[i] : x, t1 = t[i + 1] < y ? t[i + 1] : y;
        cell_t value = values[i];

        if (t1 <= t0 || value == STORE_NULL)
            continue;
        point_of(p, t0);
        p->now.changes += v && t[i] >= x;
        for (; t0 < t1; t0 = p->edge) {
            point_of(p, t0);
            ns_t ns = ns_between(t0, t1 < p->edge ? t1 : p->edge);

            if (!v)
                p->now.lost = true;
            else
                point_add(p, value, value, value, (__int128)value * ns, ns);
        }
    }
}

static void series_bucket(struct walk *w, const struct bucket *b)
{
    struct series *p = w->ctx;
    __int128 high = (__int128)bucket_cell(b, BUCKET_SUM_HIGH);
    uint64_t low = (uint64_t)bucket_cell(b, BUCKET_SUM_LOW);

    point_of(p, b->t0);
    p->now.changes += (uint32_t)bucket_cell(b, BUCKET_CHANGES);
    point_add(p, bucket_cell(b, BUCKET_LEAST), bucket_cell(b, BUCKET_MOST),
              bucket_cell(b, BUCKET_LAST), (__int128)((unsigned __int128)high << 64 | low),
              bucket_cell(b, BUCKET_NS));
}

static void series(const struct store *s, attr_t a, struct span win, struct store_point *points,
                   struct store_pixel *pixels, size_t npx)
{
    bool number = store_attr_family(s, a)->type == STORE_INT;
    struct series p = { .w = { .ctx = &p,
                               .s = s,
                               .a = a,
                               .takes = takes_all,
                               .bucket = series_bucket,
                               .run = series_run },
                        .edges = edges_of(win, npx),
                        .points = points,
                        .pixels = pixels };

    p.edge = edges_next(&p.edges);
    walk(&p.w, number ? (int)p.edges.shift / 2 : 0, win);
    for (;; p.edge = edges_next(&p.edges)) {
        point_end(&p);
        if (p.edges.i >= npx)
            return;
    }
}

void store_series(const struct store *s, attr_t a, struct span win, struct store_point *ret,
                  size_t npx)
{
    assert(win.t0 < win.t1 && npx > 0);
    series(s, a, own_strip(s, win), ret, NULL, npx);
}

static void number_strip(const struct store *s, attr_t a, struct span win, struct store_pixel *ret,
                         size_t npx)
{
    series(s, a, win, NULL, ret, npx);
}
