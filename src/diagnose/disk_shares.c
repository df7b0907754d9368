/* SPDX-License-Identifier: Apache-2.0
 *
 * disk_shares.c -- see disk_shares.h. */
#include "diagnose/disk_shares.h"

#include <stdlib.h>

struct edge {
    ns_t t;
    uint32_t request;
    bool ends;
};

static uint32_t user_at(struct disk_shares *s, uint32_t owner)
{
    for (uint32_t i = 0; i < s->n; i++)
        if (s->users[i].owner == owner)
            return i;
    if (s->n == DISK_USERS) {
        s->users[DISK_USERS - 1].owner = DISK_NOBODY;
        return DISK_USERS - 1;
    }
    s->users[s->n] = (struct disk_user){ .owner = owner };
    return (uint32_t)s->n++;
}

/* At one instant ends come first: whose request ends there does not meet one that begins. */
static int by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    if (x->ends != y->ends)
        return x->ends ? -1 : 1;
    return (x->request > y->request) - (x->request < y->request);
}

static void begin(struct disk_shares *s, const struct disk_request *q, const struct edge *e)
{
    struct disk_user *u = &s->users[s->user_of[e->request]];

    if (u->in_flight++ == 0) {
        u->since = e->t;
        for (size_t i = 0; i < s->n; i++)
            u->snap[i] = s->users[i].s;
    }
    u->weight += disk_weight(q);
    s->others[e->request] = u->s; /* until it ends */
}

static void end(struct disk_shares *s, const struct disk_request *q, const struct edge *e)
{
    struct disk_user *u = &s->users[s->user_of[e->request]];
    double others = (double)(q->t1 - q->t0) - (u->s - s->others[e->request]);

    s->others[e->request] = others > 0 ? others : 0;
    u->weight -= disk_weight(q);
    if (--u->in_flight > 0)
        return;
    u->weight = 0; /* what rounding left */
    u->busy += e->t - u->since;
    for (size_t i = 0; i < s->n; i++)
        u->of[i] += s->users[i].s - u->snap[i];
}

/* From one edge to the next. */
static void pass(struct disk_shares *s, ns_t ns)
{
    double all = 0;

    for (size_t k = 0; k < s->n; k++)
        all += s->users[k].in_flight ? s->users[k].weight : 0;
    for (size_t k = 0; k < s->n; k++)
        if (s->users[k].in_flight)
            s->users[k].s += (double)ns * s->users[k].weight / all;
}

void disk_shares_make(const struct disk *disk, struct disk_shares *ret)
{
    size_t n = disk->at.n;
    struct edge *edges = xcalloc(2 * n + 1, sizeof *edges);

    *ret = (struct disk_shares){ .user_of = xcalloc(n + 1, sizeof *ret->user_of),
                                 .others = xcalloc(n + 1, sizeof *ret->others) };
    for (size_t i = 0; i < n; i++) {
        const struct disk_request *q = &disk->at.at[i];

        ret->user_of[i] = user_at(ret, q->owner);
        ret->users[ret->user_of[i]].is_kernel = q->is_kernel;
        edges[2 * i] = (struct edge){ q->t0, (uint32_t)i, false };
        edges[2 * i + 1] = (struct edge){ q->t1, (uint32_t)i, true };
    }
    qsort(edges, 2 * n, sizeof *edges, by_time);
    for (size_t i = 0; i < 2 * n; i++) {
        if (i > 0 && edges[i].t > edges[i - 1].t)
            pass(ret, edges[i].t - edges[i - 1].t);
        (edges[i].ends ? end : begin)(ret, &disk->at.at[edges[i].request], &edges[i]);
    }
    free(edges);
}

void disk_shares_free(struct disk_shares *s)
{
    free(s->user_of);
    free(s->others);
}
