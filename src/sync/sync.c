/* SPDX-License-Identifier: Apache-2.0
 *
 * sync.c -- see sync.h.  Pairs are fitted one by one; a tree of the tightest leads from the
 * reference to each host and gives the estimate; all pairs give the bounds (close.c). */
#include "sync/sync_priv.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

struct sync_options sync_defaults(void)
{
    return (struct sync_options){
        .wander_ppm = 1, .drift_ppm = 1000, .calm_ns = 600 * NS_PER_S, .doubt = 0
    };
}

struct sync *sync_new(uint32_t nhosts, const struct sync_options *o)
{
    struct sync *s = xcalloc(1, sizeof *s);

    s->o = o ? *o : sync_defaults();
    if (s->o.doubt > SYNC_GROUPS - 1)
        s->o.doubt = SYNC_GROUPS - 1;
    s->nhosts = nhosts;
    s->clocks = xcalloc(nhosts, sizeof *s->clocks);
    return s;
}

static void free_clocks(struct sync *s)
{
    for (uint32_t h = 0; h < s->nhosts; h++)
        free(s->clocks[h].knots);
}

void sync_free(struct sync *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->pairs.n; i++)
        pair_free(&s->pairs.at[i]);
    vec_free(&s->pairs);
    map64_free(&s->index);
    free_clocks(s);
    free(s->clocks);
    free(s);
}

static struct pair *pair_of(struct sync *s, uint32_t a, uint32_t b)
{
    uint32_t i = s->last_pair;
    uint64_t key = (uint64_t)a << 32 | b;

    if (i < s->pairs.n && s->pairs.at[i].info.a == a && s->pairs.at[i].info.b == b)
        return &s->pairs.at[i];
    if (!map64_get(&s->index, key, &i)) {
        i = (uint32_t)s->pairs.n;
        *vec_push(&s->pairs) = (struct pair){ .info = { .a = a, .b = b }, .quota = 1 };
        map64_set(&s->index, key, i);
    }
    s->last_pair = i;
    return &s->pairs.at[i];
}

void sync_add(struct sync *s, const struct sync_message *m)
{
    if (m->from == m->to || m->from >= s->nhosts || m->to >= s->nhosts)
        return;
    if (m->from < m->to)
        pair_add(pair_of(s, m->from, m->to), true, m->sent, m->received);
    else
        pair_add(pair_of(s, m->to, m->from), false, m->received, m->sent);
}

/* --- the tree -------------------------------------------------------------------- */

/* Components by the smallest number of their hosts. */
static uint32_t root_of(uint32_t *up, uint32_t h)
{
    while (up[h] != h)
        h = up[h] = up[up[h]];
    return h;
}

static uint32_t choose_reference(const struct sync *s)
{
    uint32_t *up = xmalloc(s->nhosts * sizeof *up), *size = xcalloc(s->nhosts, sizeof *size);
    uint64_t *used = xcalloc(s->nhosts, sizeof *used);
    uint32_t best = 0;

    for (uint32_t h = 0; h < s->nhosts; h++)
        up[h] = h;
    for (size_t i = 0; i < s->pairs.n; i++) {
        const struct sync_pair *p = &s->pairs.at[i].info;

        used[p->a] += p->used;
        used[p->b] += p->used;
        if (p->used)
            up[root_of(up, p->a)] = root_of(up, p->b);
    }
    for (uint32_t h = 0; h < s->nhosts; h++)
        size[root_of(up, h)]++;
    for (uint32_t h = 1; h < s->nhosts; h++) {
        uint32_t mine = size[root_of(up, h)], most = size[root_of(up, best)];

        if (mine > most || (mine == most && used[h] > used[best]))
            best = h;
    }
    free(up);
    free(size);
    free(used);
    return best;
}

/* What a pair costs on the way to the reference: the width of its bound; a pair with
 * messages in one direction is worth any detour. */
static double cost_of(const struct sync_pair *p)
{
    if (p->used == 0 || p->dropped)
        return HUGE_VAL;
    if (p->quality != SYNC_EXACT)
        return 0x1p100;
    return (double)p->bound_median + 1;
}

struct way {
    double cost;
    uint32_t pair, from;
    bool done;
};

struct edges {
    uint32_t *first; /* of a host, in 'pair' */
    uint32_t *pair;
};

static struct edges list_edges(const struct sync *s)
{
    struct edges e = { xcalloc((size_t)s->nhosts + 2, sizeof *e.first),
                       xmalloc(2 * s->pairs.n * sizeof *e.pair) };

    for (size_t i = 0; i < s->pairs.n; i++) {
        e.first[s->pairs.at[i].info.a + 2]++;
        e.first[s->pairs.at[i].info.b + 2]++;
    }
    for (uint32_t h = 2; h < s->nhosts + 2; h++)
        e.first[h] += e.first[h - 1];
    for (uint32_t i = 0; i < s->pairs.n; i++) {
        e.pair[e.first[s->pairs.at[i].info.a + 1]++] = i;
        e.pair[e.first[s->pairs.at[i].info.b + 1]++] = i;
    }
    return e;
}

/* The line of a host that speaks with the reference itself, exactly. */
static void tell_line(struct sync_clock *c, const struct pair *p, bool from_x)
{
    const struct piece *s = &p->pieces.at[0];
    long double slope = piece_slope(s, from_x);
    long double offset = (long double)p->y0 - (long double)p->x0 + piece_at(s, 0, from_x) -
                         slope * (long double)p->x0;

    c->skew = (double)(from_x ? slope : -slope / (1 + slope));
    c->slope = 1 + c->skew;
    c->offset = (double)(from_x ? offset : -offset / (1 + slope));
}

static void tell_polygon(struct sync_clock *c, const struct poly *p)
{
    const struct poly_knot *a = &p->knots.at[0], *b = &p->knots.at[p->knots.n - 1];
    long double dx = (long double)b->x - (long double)a->x;
    long double skew = dx > 0 ? ((b->y - a->y) - dx) / dx : 0;

    c->skew = (double)skew;
    c->slope = 1 + c->skew;
    c->offset = (double)(a->y - (long double)a->x - skew * (long double)a->x);
}

static void reach(struct sync *s, uint32_t host, const struct way *w, struct poly *polys)
{
    struct pair *p = &s->pairs.at[w->pair];
    struct poly own = { 0 };
    bool from_x = p->x_host == host;

    p->in_tree = true;
    pair_poly(p, from_x, &own);
    if (w->from == s->reference) {
        polys[host] = own;
        if (p->pieces.n == 1) {
            tell_line(&s->clocks[host], p, from_x);
            return;
        }
    } else {
        poly_compose(&own, &polys[w->from], &polys[host]);
        vec_free(&own.knots);
    }
    tell_polygon(&s->clocks[host], &polys[host]);
}

/* By how much a clock's rate outside of the messages may differ from what is told. */
static double outside_ppm(const struct sync *s, const struct way *w)
{
    const struct pair *p = &s->pairs.at[w->pair];
    double range = fmax(p->outside[0][1] - p->outside[0][0], p->outside[1][1] - p->outside[1][0]);
    double ppm = s->clocks[w->from].drift_ppm + range * 1e6;

    return p->pieces.n != 1 || ppm > s->o.drift_ppm ? s->o.drift_ppm : ppm;
}

/* Dijkstra's shortest paths from the reference. */
static void grow_tree(struct sync *s, struct poly *polys, bool *reached)
{
    struct way *ways = xcalloc(s->nhosts, sizeof *ways);
    struct edges e = list_edges(s);

    for (uint32_t h = 0; h < s->nhosts; h++)
        ways[h].cost = HUGE_VAL;
    ways[s->reference].cost = 0;
    for (;;) {
        uint32_t best = SYNC_ANY;
        double least = HUGE_VAL;

        for (uint32_t h = 0; h < s->nhosts; h++)
            if (!ways[h].done && ways[h].cost < least)
                least = ways[best = h].cost;
        if (best == SYNC_ANY)
            break;
        ways[best].done = true;
        if (best != s->reference) {
            reach(s, best, &ways[best], polys);
            s->clocks[best].drift_ppm = outside_ppm(s, &ways[best]);
        }
        reached[best] = true;
        for (uint32_t i = e.first[best]; i < e.first[best + 1]; i++) {
            const struct sync_pair *p = &s->pairs.at[e.pair[i]].info;
            uint32_t to = p->a == best ? p->b : p->a;
            double cost = ways[best].cost + cost_of(p);

            if (!ways[to].done && cost < ways[to].cost)
                ways[to] = (struct way){ cost, e.pair[i], best, false };
        }
    }
    free(e.first);
    free(e.pair);
    free(ways);
}

static void fit_pairs(struct sync *s)
{
    unsigned doubt = s->o.doubt;

    for (size_t i = 0; i < s->pairs.n; i++) {
        struct pair *p = &s->pairs.at[i];

        p->info.dropped = p->in_tree = false;
        pair_fit(p, &s->o);
        if (p->info.rejected && doubt == 0)
            doubt = 1;
    }
    for (size_t i = 0; i < s->pairs.n; i++)
        pair_bound(&s->pairs.at[i], &s->o, doubt);
}

/* What is told of a pair that doesn't need its pieces. */
static void tell_pair(struct pair *p)
{
    if (p->pieces.n == 0)
        return;
    const struct piece *s = &p->pieces.at[0];
    long double slope = piece_slope(s, p->turned);
    double offset = (double)((long double)p->y0 - (long double)p->x0 + piece_at(s, 0, p->turned));

    p->info.slope_ppm = (double)(1e6L * (p->turned ? -slope / (1 + slope) : slope));
    p->info.offset = p->turned ? -offset : offset;
}

uint32_t sync_solve(struct sync *s, uint32_t reference)
{
    struct poly *polys = xcalloc(s->nhosts, sizeof *polys);
    bool *reached = xcalloc(s->nhosts, sizeof *reached);

    assert(s->nhosts > 0 && (reference == SYNC_ANY || reference < s->nhosts));
    free_clocks(s);
    fit_pairs(s);
    s->reference = reference == SYNC_ANY ? choose_reference(s) : reference;
    for (uint32_t h = 0; h < s->nhosts; h++)
        s->clocks[h] = (struct sync_clock){
            .quality = h == s->reference ? SYNC_REFERENCE : SYNC_NONE,
            .slope = 1,
            .drift_ppm = h == s->reference ? 0 : s->o.drift_ppm,
        };
    grow_tree(s, polys, reached);
    sync_close(s, polys, reached);
    for (size_t i = 0; i < s->pairs.n; i++)
        tell_pair(&s->pairs.at[i]);
    for (uint32_t h = 0; h < s->nhosts; h++)
        vec_free(&polys[h].knots);
    free(polys);
    free(reached);
    return s->reference;
}

const struct sync_clock *sync_clock(const struct sync *s, uint32_t host)
{
    return &s->clocks[host];
}

size_t sync_npairs(const struct sync *s)
{
    return s->pairs.n;
}

const struct sync_pair *sync_pair(const struct sync *s, size_t i)
{
    return &s->pairs.at[i].info;
}

size_t sync_bytes(const struct sync *s)
{
    size_t n = sizeof *s + s->nhosts * sizeof *s->clocks + s->pairs.cap * sizeof *s->pairs.at;

    for (size_t i = 0; i < s->pairs.n; i++)
        n += pair_bytes(&s->pairs.at[i]);
    return n;
}
