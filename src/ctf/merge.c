/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.c -- see merge.h.  An ended cursor has the time NS_MAX and never wins
 * against one that has an event. */
#include "ctf/merge.h"

#include <stdlib.h>

void ctf_merge_init(struct ctf_merge *m, struct ctf_trace *t, struct notes *notes)
{
    *m = (struct ctf_merge){ .n = (uint32_t)t->streams.n };
    m->cursors = xcalloc(m->n, sizeof *m->cursors);
    m->tree = xcalloc(m->n + 1, sizeof *m->tree);
    for (uint32_t i = 0; i < m->n; i++)
        ctf_cursor_init(&m->cursors[i], t, t->streams.at[i], notes);
}

void ctf_merge_free(struct ctf_merge *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        ctf_cursor_free(&m->cursors[i]);
    free(m->cursors);
    free(m->tree);
    *m = (struct ctf_merge){ 0 };
}

static bool ended(const struct ctf_cursor *c)
{
    return c->packet == c->stream->packets.n && c->run.end == 0;
}

/* Does cursor 'a' come before 'b'? */
static bool before(const struct ctf_merge *m, uint32_t a, uint32_t b)
{
    bool ea = ended(&m->cursors[a]), eb = ended(&m->cursors[b]);
    ns_t ta = m->cursors[a].ev.t, tb = m->cursors[b].ev.t;

    if (ea || eb)
        return ea == eb ? a < b : eb;
    return ta != tb ? ta < tb : a < b;
}

/* Plays the matches from cursor 'w' up to the root. */
static void replay(struct ctf_merge *m, uint32_t w)
{
    for (uint32_t node = (w + m->n) / 2; node > 0; node /= 2)
        if (before(m, m->tree[node], w)) {
            uint32_t loser = w;

            w = m->tree[node];
            m->tree[node] = loser;
        }
    m->tree[0] = w;
}

/* The best of those that the winner has beaten: until its time nothing needs
 * to be played again. */
static void find_limit(struct ctf_merge *m)
{
    uint32_t w = m->tree[0], best = UINT32_MAX;

    for (uint32_t node = (w + m->n) / 2; node > 0; node /= 2)
        if (best == UINT32_MAX || before(m, m->tree[node], best))
            best = m->tree[node];
    m->second = best;
    m->limit = best == UINT32_MAX || ended(&m->cursors[best]) ? NS_MAX : m->cursors[best].ev.t;
}

static void build(struct ctf_merge *m)
{
    uint32_t *win = xcalloc(2 * m->n + 2, sizeof *win);

    for (uint32_t i = 0; i < m->n; i++)
        win[m->n + i] = i;
    for (uint32_t node = m->n - 1; node > 0; node--) {
        uint32_t a = win[2 * node], b = win[2 * node + 1];
        bool first = before(m, a, b);

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
    const struct ctf_cursor *c = &m->cursors[m->tree[0]];

    return ended(c) ? NULL : &c->ev;
}

const struct ctf_event *ctf_merge_next(struct ctf_merge *m)
{
    if (m->n == 0)
        return NULL;
    if (!m->primed) {
        for (uint32_t i = 0; i < m->n; i++)
            ctf_cursor_next(&m->cursors[i]);
        build(m);
        return top(m);
    }
    uint32_t w = m->tree[0];
    struct ctf_cursor *c = &m->cursors[w];

    if (ended(c))
        return NULL;
    bool more = ctf_cursor_next(c);
    if (more && (c->ev.t < m->limit || (c->ev.t == m->limit && w < m->second)))
        return &c->ev;
    replay(m, w);
    find_limit(m);
    return top(m);
}

const struct ctf_event *ctf_merge_seek(struct ctf_merge *m, ns_t t)
{
    if (m->n == 0)
        return NULL;
    for (uint32_t i = 0; i < m->n; i++)
        ctf_cursor_seek(&m->cursors[i], t);
    build(m);
    return top(m);
}
