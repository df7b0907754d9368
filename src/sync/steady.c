/* SPDX-License-Identifier: Apache-2.0
 *
 * steady.c -- bounds of a pair of clocks that shows no change.
 *
 * Where one line, but for the wander, fits to all messages, all of them bound each instant: the
 * bound is what the feasible slopes make of each message's distance.  A pair that shows a
 * change may have others that hide, and one with messages in one direction shows none: those
 * are for bound.c. */
#include "sync/sync_priv.h"

#include <math.h>

/* The line goes on outside of the messages. */
static void tell_outside(const struct bounding *b, const struct corridor *c, double ret[2][2])
{
    double least = fmax(c->least - 2 * b->wander, -b->drift);
    double greatest = fmin(c->greatest + 2 * b->wander, b->drift);

    for (int i = 0; i < 2 && least <= greatest; i++) {
        ret[i][0] = least;
        ret[i][1] = greatest;
    }
}

bool bound_steady(const struct bounding *b, struct pair *p, struct stretch *ret,
                  const struct stretch *empty)
{
    struct corridor c = { 0 };

    corridor_reset(&c);
    for (size_t i = 0; i < p->points.n; i++)
        if (in_group(b, &p->points.at[i]))
            corridor_add(&c, &p->points.at[i]);
    bool ok = corridor_ok(&c, b->wander, b->drift);
    for (size_t i = 0; i < b->n && ok; i++) {
        struct stretch s = empty[i];

        bound_wedge(b, 0, p->points.n, &c, &s);
        bound_unite(&ret[i], &s);
    }
    if (ok)
        tell_outside(b, &c, p->outside);
    corridor_free(&c);
    return ok;
}
