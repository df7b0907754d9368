/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.c -- see merge.h.
 *
 * An array that a child has handed out stays as it is until all of it was taken,
 * so a parent may hand on a piece of it without copying. */
#include "ctf/merge.h"

#include "ctf/ahead.h"

#include <stdlib.h>

/* Events in an array.  A thousand are worth the calls and stay in the cache with those of
 * a few levels; where there are very many streams, all of them together have a limit. */
enum { RECS_MIN = 32, RECS_MAX = 1024, RECS_ALL = 1 << 18, AHEAD_FACTOR = 4 };

static uint32_t recs_for(uint32_t nstreams)
{
    uint32_t n = RECS_ALL / nstreams;

    return n < RECS_MIN ? RECS_MIN : n > RECS_MAX ? RECS_MAX : n;
}

struct merge_node {
    const struct ctf_rec *at, *end; /* ready to be taken */
    struct merge_node *a, *b;       /* children; NULL in a leaf */
    struct ctf_rec *buf;            /* of a node */
    struct merge_leaf *leaf;
    bool ended;
};

/* Nodes of the streams [lo, hi), the earlier streams to the left.  Recursion is as
 * deep as the logarithm of the number of streams. */
static struct merge_node *build(struct ctf_merge *m, uint32_t *used, uint32_t lo, uint32_t hi)
{
    struct merge_node *n = &m->nodes[(*used)++];

    if (hi - lo == 1) {
        n->leaf = &m->leaves[lo];
        return n;
    }
    uint32_t mid = lo + (hi - lo) / 2;
    n->buf = xcalloc(m->recs + 1, sizeof *n->buf); /* see merge_step() */
    n->a = build(m, used, lo, mid);
    n->b = build(m, used, mid, hi);
    return n;
}

void ctf_merge_init(struct ctf_merge *m, struct ctf_trace *t, struct notes *notes, unsigned helpers)
{
    uint32_t used = 0;

    *m = (struct ctf_merge){ .trace = t, .notes = notes, .nleaves = (uint32_t)t->streams.n };
    ctf_view_init(&m->view, t);
    if (m->nleaves == 0)
        return;
    m->recs = recs_for(m->nleaves);
    m->leaves = xcalloc(m->nleaves, sizeof *m->leaves);
    m->nodes = xcalloc(2 * (size_t)m->nleaves - 1, sizeof *m->nodes);
    for (uint32_t i = 0; i < m->nleaves; i++)
        leaf_init(&m->leaves[i], t, i, helpers ? m->recs * AHEAD_FACTOR : m->recs);
    build(m, &used, 0, m->nleaves);
    if (helpers)
        m->helpers = helpers_start(helpers, m->leaves, m->nleaves);
}

void ctf_merge_free(struct ctf_merge *m)
{
    helpers_stop(m->helpers);
    for (uint32_t i = 0; i < m->nleaves; i++)
        leaf_free(&m->leaves[i]);
    for (uint32_t i = 0; m->nodes && i < 2 * m->nleaves - 1; i++)
        free(m->nodes[i].buf);
    free(m->leaves);
    free(m->nodes);
    ctf_view_free(&m->view);
    *m = (struct ctf_merge){ 0 };
}

static void refill(struct ctf_merge *m, struct merge_node *n);

/* Has the node an event ready, or can it get one? */
static inline bool ready(struct ctf_merge *m, struct merge_node *n)
{
    if (n->at == n->end && !n->ended)
        refill(m, n);
    return n->at < n->end;
}

/* A number of events in a row that make it worth to pass them on in one piece, and how
 * many are merged one by one before the next try. */
enum { RUN = 8, STEP = 64 };

/* How many events at the front of 'n', at most 'max', come before 'limit'; events at
 * 'limit' too if 'ties'.  Looks at each: a stream's clock can have been set back. */
static inline size_t leading(const struct merge_node *n, ns_t limit, bool ties, size_t max)
{
    size_t have = (size_t)(n->end - n->at), k = 0;

    have = have < max ? have : max;
    if (ties)
        while (k < have && n->at[k].t <= limit)
            k++;
    else
        while (k < have && n->at[k].t < limit)
            k++;
    return k;
}

/* Moves the first 'k' events of 'from' to 'n': as they lie if nothing is before them. */
static struct ctf_rec *take(struct merge_node *n, struct ctf_rec *out, const struct ctf_rec *full,
                            struct merge_node *from, size_t k)
{
    if (out == n->buf && k >= RUN) {
        n->at = from->at;
        n->end = from->at + k;
    } else {
        size_t room = (size_t)(full - out);

        k = k < room ? k : room;
        memcpy(out, from->at, k * sizeof *out);
        out += k;
    }
    from->at += k;
    return out;
}

/* Merges 'n' events; both children have as many ready.  Times of the events after the
 * next are loaded before it is known which of them is needed, so that what an event
 * waits for is one comparison.  They can lie one behind the end of an array. */
static void merge_step(struct merge_node *restrict a, struct merge_node *restrict b,
                       struct ctf_rec *restrict out, size_t n)
{
    const struct ctf_rec *x = a->at, *y = b->at;
    ns_t tx = x->t, ty = y->t;

    for (size_t i = 0; i < n; i++) {
        ns_t x1 = x[1].t, y1 = y[1].t;
        size_t second = ty < tx;
        uintptr_t mask = 0 - second; /* a conditional move, whatever the compiler thinks */

        memcpy(&out[i], (const void *)((uintptr_t)x ^ (((uintptr_t)x ^ (uintptr_t)y) & mask)),
               sizeof out[i]);
        tx = x1 ^ ((tx ^ x1) & (ns_t)mask);
        ty = ty ^ ((y1 ^ ty) & (ns_t)mask);
        x += !second;
        y += second;
    }
    a->at = x;
    b->at = y;
}

/* How many events can be merged without running out of events or room. */
static size_t step_size(const struct merge_node *n, size_t room)
{
    size_t a = (size_t)(n->a->end - n->a->at), b = (size_t)(n->b->end - n->b->at);
    size_t least = a < b ? a : b;

    least = least < room ? least : room;
    return least < STEP ? least : STEP;
}

static void refill_node(struct ctf_merge *m, struct merge_node *n)
{
    struct ctf_rec *out = n->buf, *full = n->buf + m->recs;

    n->at = n->end = n->buf;
    while (out < full && n->at == n->buf) {
        bool a = ready(m, n->a), b = ready(m, n->b);
        size_t k, most = out == n->buf ? SIZE_MAX : (size_t)(full - out);

        if (!a || !b) {
            struct merge_node *rest = a ? n->a : n->b;

            if (!a && !b)
                break;
            out = take(n, out, full, rest, (size_t)(rest->end - rest->at));
        } else if ((k = leading(n->a, n->b->at->t, true, most)) >= RUN) {
            out = take(n, out, full, n->a, k);
        } else if (k == 0 && (k = leading(n->b, n->a->at->t, false, most)) >= RUN) {
            out = take(n, out, full, n->b, k);
        } else {
            k = step_size(n, (size_t)(full - out));
            merge_step(n->a, n->b, out, k);
            out += k;
        }
    }
    if (out > n->buf)
        n->end = out;
    n->ended = n->at == n->end;
}

static void refill(struct ctf_merge *m, struct merge_node *n)
{
    if (!n->leaf) {
        refill_node(m, n);
        return;
    }
    size_t k = leaf_take(n->leaf, m->helpers, m->notes, &n->at);

    n->end = n->at + k;
    n->ended = k == 0;
}

const struct ctf_rec *ctf_merge_batch(struct ctf_merge *m, size_t *ret_n)
{
    struct merge_node *root = m->nodes;

    if (!root || !ready(m, root))
        return NULL;
    const struct ctf_rec *r = root->at;
    *ret_n = (size_t)(root->end - r);
    root->at = root->end;
    return r;
}

const struct ctf_event *ctf_merge_next(struct ctf_merge *m)
{
    const struct ctf_event *ev = NULL;
    size_t n;

    while (!ev) {
        if (m->at == m->end) {
            m->at = ctf_merge_batch(m, &n);
            if (!m->at) {
                m->end = NULL;
                return NULL;
            }
            m->end = m->at + n;
        }
        ev = ctf_view_event(&m->view, m->at++);
    }
    return ev;
}

void ctf_merge_seek(struct ctf_merge *m, ns_t t)
{
    helpers_pause(m->helpers);
    for (uint32_t i = 0; i < m->nleaves; i++)
        leaf_seek(&m->leaves[i], t);
    for (uint32_t i = 0; i + 1 < 2 * m->nleaves; i++) {
        m->nodes[i].at = m->nodes[i].end = NULL;
        m->nodes[i].ended = false;
    }
    m->at = m->end = NULL;
    helpers_resume(m->helpers);
}

struct ctf_counts ctf_merge_counts(const struct ctf_merge *m)
{
    struct ctf_counts sum = { 0 };

    for (uint32_t i = 0; i < m->nleaves; i++) {
        struct ctf_counts c = leaf_counts(&m->leaves[i]);

        sum.events += c.events;
        sum.bad_packets += c.bad_packets;
        sum.backwards += c.backwards;
    }
    return sum;
}
