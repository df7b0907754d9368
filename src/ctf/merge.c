/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.c -- see merge.h.  The times that the matches compare lie side by side,
 * apart from the cursors, which are large. */
#include "ctf/merge.h"

#include <stdlib.h>

void ctf_merge_init(struct ctf_merge *m, struct ctf_trace *t, struct notes *notes)
{
    *m = (struct ctf_merge){ .n = (uint32_t)t->streams.n };
    m->cursors = xcalloc(m->n, sizeof *m->cursors);
    m->times = xcalloc(m->n, sizeof *m->times);
    m->tree = xcalloc(m->n + 1, sizeof *m->tree);
    for (uint32_t i = 0; i < m->n; i++)
        ctf_cursor_init(&m->cursors[i], t, t->streams.at[i], notes);
}

void ctf_merge_free(struct ctf_merge *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        ctf_cursor_free(&m->cursors[i]);
    free(m->cursors);
    free(m->times);
    free(m->tree);
    *m = (struct ctf_merge){ 0 };
}

/* A time that does not fit in int64 was clamped to NS_MAX: it still comes before
 * the end. */
static ns_t time_of(const struct ctf_cursor *c, bool more)
{
    return !more ? NS_MAX : c->ev.t == NS_MAX ? NS_MAX - 1 : c->ev.t;
}

/* Does cursor 'a' come before 'b'?  Which one wins can't be predicted, so there is
 * no branch in it, nor in the loops below. */
static inline bool before(const ns_t *times, uint32_t a, uint32_t b)
{
    return (times[a] < times[b]) | ((times[a] == times[b]) & (a < b));
}

/* The best of those that the winner has beaten: until its time nothing needs
 * to be played again. */
static void find_limit(struct ctf_merge *m)
{
    uint32_t node = (m->tree[0] + m->n) / 2, best = m->n;

    if (node > 0)
        best = m->tree[node];
    while ((node /= 2) > 0) {
        uint32_t other = m->tree[node];

        best = before(m->times, other, best) ? other : best;
    }
    m->second = best;
    m->limit = best == m->n ? NS_MAX : m->times[best];
}

/* Plays the matches from cursor 'w' up to the root. */
static void replay(struct ctf_merge *m, uint32_t w)
{
    for (uint32_t node = (w + m->n) / 2; node > 0; node /= 2) {
        uint32_t other = m->tree[node];
        bool lost = before(m->times, other, w);

        m->tree[node] = lost ? w : other;
        w = lost ? other : w;
    }
    m->tree[0] = w;
    find_limit(m);
}

static void build(struct ctf_merge *m)
{
    uint32_t *win = xcalloc(2 * m->n + 2, sizeof *win);

    for (uint32_t i = 0; i < m->n; i++)
        win[m->n + i] = i;
    for (uint32_t node = m->n - 1; node > 0; node--) {
        uint32_t a = win[2 * node], b = win[2 * node + 1];
        bool first = before(m->times, a, b);

        win[node] = first ? a : b;
        m->tree[node] = first ? b : a;
    }
    m->tree[0] = m->n == 1 ? 0 : win[1];
    free(win);
    find_limit(m);
    m->primed = true;
}

static const struct ctf_event *top(const struct ctf_merge *m)
{
    uint32_t w = m->tree[0];

    return m->times[w] == NS_MAX ? NULL : &m->cursors[w].ev;
}

const struct ctf_event *ctf_merge_next(struct ctf_merge *m)
{
    if (m->n == 0)
        return NULL;
    if (!m->primed) {
        for (uint32_t i = 0; i < m->n; i++)
            m->times[i] = time_of(&m->cursors[i], ctf_cursor_next(&m->cursors[i]));
        build(m);
        return top(m);
    }
    uint32_t w = m->tree[0];
    struct ctf_cursor *c = &m->cursors[w];

    if (m->times[w] == NS_MAX)
        return NULL;
    ns_t t = time_of(c, ctf_cursor_short(c) || ctf_cursor_next(c));
    m->times[w] = t;
    if (t < m->limit || (t == m->limit && t != NS_MAX && w < m->second))
        return &c->ev;
    replay(m, w);
    return top(m);
}

const struct ctf_event *ctf_merge_seek(struct ctf_merge *m, ns_t t)
{
    if (m->n == 0)
        return NULL;
    for (uint32_t i = 0; i < m->n; i++)
        m->times[i] = time_of(&m->cursors[i], ctf_cursor_seek(&m->cursors[i], t));
    build(m);
    return top(m);
}
