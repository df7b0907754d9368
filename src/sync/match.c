/* SPDX-License-Identifier: Apache-2.0
 *
 * match.c -- see match.h.
 *
 * An open-addressing table from keys to what was seen of them.  When it is half full it is
 * swept: what can no longer change is told or counted and left out of the new table, which
 * is twice as large if more than a quarter would be full.  So a point costs a probe and its
 * share of sweeping, and the table is as large as what waits.
 *
 * Who received a packet did so after its origin sent it, over whichever hosts it came:
 * that alone is certain when a key was seen on more than two hosts, and is what is told. */
#include "sync/match.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN = 4, FIRST_SLOTS = 1 << 12 };

struct entry {
    uint64_t lo, hi;
    ns_t t[SEEN];
    uint32_t who[SEEN]; /* host * 2 + receive */
    uint8_t n;          /* 0: a free slot     */
    bool ambiguous;
};

struct match {
    struct match_options o;
    struct sync *sync;
    struct match_counts counts;
    uint32_t nhosts;
    ns_t *now; /* of each host */
    struct entry *slots;
    size_t nslots, n;
};

struct match_options match_defaults(void)
{
    return (struct match_options){ .again_ns = NS_PER_S, .window_ns = NS_MAX };
}

struct match *match_new(uint32_t nhosts, const struct match_options *o, struct sync *sync)
{
    struct match *m = xcalloc(1, sizeof *m);

    m->o = o ? *o : match_defaults();
    m->sync = sync;
    m->nhosts = nhosts;
    m->now = xmalloc(nhosts * sizeof *m->now);
    for (uint32_t h = 0; h < nhosts; h++)
        m->now[h] = NS_MIN;
    m->nslots = FIRST_SLOTS;
    m->slots = xcalloc(m->nslots, sizeof *m->slots);
    return m;
}

void match_free(struct match *m)
{
    if (!m)
        return;
    free(m->now);
    free(m->slots);
    free(m);
}

size_t match_bytes(const struct match *m)
{
    return m->nslots * sizeof *m->slots;
}

static size_t slot_of(uint64_t lo, uint64_t hi, size_t nslots)
{
    uint64_t h = (lo ^ (hi << 32 | hi >> 32)) * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(h ^ h >> 32) & (nslots - 1);
}

/* More than 'd' later, for any two instants. */
static bool later_by(ns_t t, ns_t than, ns_t d)
{
    return t > than && (uint64_t)t - (uint64_t)than > (uint64_t)d;
}

/* --- what became of a key -------------------------------------------------------- */

/* Position of a host's first send or receive, or 'n'. */
static uint8_t find(const struct entry *e, uint32_t who)
{
    uint8_t i = 0;

    while (i < e->n && e->who[i] != who)
        i++;
    return i;
}

/* A host that sent what it hadn't received before. */
static bool is_origin(const struct entry *e, uint8_t i)
{
    uint8_t received;

    if (e->who[i] & 1)
        return false;
    received = find(e, e->who[i] | 1);
    return received == e->n || e->t[i] <= e->t[received];
}

static void tell(struct match *m, const struct entry *e, uint8_t origin)
{
    uint32_t from = e->who[origin] >> 1;
    bool any = false, looped = false;

    for (uint8_t i = 0; i < e->n; i++) {
        if (!(e->who[i] & 1))
            continue;
        if (e->who[i] >> 1 == from) {
            looped = true;
            continue;
        }
        any = true;
        m->counts.matched++;
        if (m->sync)
            sync_add(m->sync,
                     &(struct sync_message){ from, e->who[i] >> 1, e->t[origin], e->t[i] });
    }
    if (!any)
        *(looped ? &m->counts.looped : &m->counts.unreceived) += 1;
}

static void settle(struct match *m, const struct entry *e)
{
    uint8_t origin = 0;
    unsigned origins = 0, sends = 0;

    for (uint8_t i = 0; i < e->n; i++) {
        sends += !(e->who[i] & 1);
        if (is_origin(e, i)) {
            origin = i;
            origins++;
        }
    }
    if (e->ambiguous || origins > 1)
        m->counts.ambiguous++;
    else if (origins == 1)
        tell(m, e, origin);
    else
        m->counts.unsent += e->n - sends;
}

/* Whether all that may come of it has come: a match, after copies; or, alone, nothing. */
static bool is_settled(const struct match *m, const struct entry *e)
{
    bool several = false;

    for (uint8_t i = 1; i < e->n; i++)
        several |= e->who[i] >> 1 != e->who[0] >> 1;
    for (uint8_t i = 0; i < e->n; i++) {
        ns_t wait = several && !e->ambiguous && m->o.again_ns < m->o.window_ns ? m->o.again_ns
                                                                               : m->o.window_ns;

        if (!later_by(m->now[e->who[i] >> 1], e->t[i], wait))
            return false;
    }
    return true;
}

/* --- the table ------------------------------------------------------------------- */

static struct entry *find_slot(struct entry *slots, size_t nslots, uint64_t lo, uint64_t hi)
{
    size_t i = slot_of(lo, hi, nslots);

    while (slots[i].n && (slots[i].lo != lo || slots[i].hi != hi))
        i = (i + 1) & (nslots - 1);
    return &slots[i];
}

static void sweep(struct match *m)
{
    size_t kept = 0, nslots = m->nslots;

    for (size_t i = 0; i < m->nslots; i++) {
        struct entry *e = &m->slots[i];

        if (e->n && is_settled(m, e)) {
            settle(m, e);
            e->n = 0;
        }
        kept += e->n > 0;
    }
    if (kept > nslots / 4)
        nslots *= 2;
    struct entry *slots = xcalloc(nslots, sizeof *slots);
    for (size_t i = 0; i < m->nslots; i++)
        if (m->slots[i].n)
            *find_slot(slots, nslots, m->slots[i].lo, m->slots[i].hi) = m->slots[i];
    free(m->slots);
    m->slots = slots;
    m->nslots = nslots;
    m->n = kept;
}

void match_add(struct match *m, const struct match_point *p)
{
    uint32_t who = p->host * 2 + p->receive;

    if (p->host >= m->nhosts || p->host >= UINT32_MAX / 2)
        return;
    if (m->n >= m->nslots / 2)
        sweep(m);
    struct entry *e = find_slot(m->slots, m->nslots, p->key_lo, p->key_hi);
    m->counts.points++;
    m->now[p->host] = p->t > m->now[p->host] ? p->t : m->now[p->host];
    if (e->n == 0) {
        *e = (struct entry){ .lo = p->key_lo, .hi = p->key_hi };
        m->n++;
    }
    uint8_t i = find(e, who);
    if (i < e->n) {
        m->counts.copies++;
        e->ambiguous |=
            later_by(p->t, e->t[i], m->o.again_ns) || later_by(e->t[i], p->t, m->o.again_ns);
        e->t[i] = p->t < e->t[i] ? p->t : e->t[i];
    } else if (e->n < SEEN) {
        e->t[e->n] = p->t;
        e->who[e->n++] = who;
    } else {
        e->ambiguous = true;
    }
}

struct match_counts match_end(struct match *m)
{
    for (size_t i = 0; i < m->nslots; i++)
        if (m->slots[i].n) {
            settle(m, &m->slots[i]);
            m->slots[i].n = 0;
        }
    m->n = 0;
    return m->counts;
}
