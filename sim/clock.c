/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.c -- the clocks of hosts: straight pieces, between which a clock was set forward or its
 * rate changed.
 *
 * A tracer's clock never goes back, so a step leaps over times that the host never sees; all
 * that was due in them is due at once afterwards. */
#include "sim/cloud.h"

#include <math.h>

static ns_t at_piece(const struct clock_piece *p, ns_t t)
{
    __int128 ahead = (__int128)(t - p->from) * p->drift_ppb / NS_PER_S;

    return p->local + (t - p->from) + (ns_t)ahead;
}

void clock_build(const struct sim *s, struct host *h)
{
    const struct sc_host *sc = h->sc;

    h->clock = arena_array((struct arena *)(uintptr_t)&s->mem, struct clock_piece,
                           sc->n_clock_changes + 1);
    h->n_clock = 1;
    h->clock[0] = (struct clock_piece){ .from = s->begin,
                                        .local = s->begin + sc->clock_offset_ns,
                                        .drift_ppb = llround(sc->clock_drift_ppm * 1000) };
    for (size_t i = 0; i < sc->n_clock_changes; i++) {
        const struct sc_clock_change *c = &sc->clock_changes[i];
        const struct clock_piece *before = &h->clock[h->n_clock - 1];
        ns_t from = s->begin + c->at_ns;

        h->clock[h->n_clock++] = (struct clock_piece){
            .from = from,
            .local = at_piece(before, from) + c->step_ns,
            .drift_ppb = isnan(c->drift_ppm) ? before->drift_ppb : llround(c->drift_ppm * 1000),
        };
    }
}

ns_t host_time(const struct sim *s, const struct host *h, ns_t t)
{
    size_t i = h->n_clock - 1;

    (void)s;
    while (i > 0 && h->clock[i].from > t)
        i--;
    return at_piece(&h->clock[i], t);
}

ns_t host_true(const struct host *h, ns_t local)
{
    size_t i = h->n_clock - 1;

    while (i > 0 && h->clock[i].local > local)
        i--;
    const struct clock_piece *p = &h->clock[i];
    __int128 since = (__int128)(local - p->local) * NS_PER_S / (NS_PER_S + p->drift_ppb);
    ns_t t = p->from + (ns_t)since;

    while (at_piece(p, t) >= local)
        t--;
    while (at_piece(p, t) < local)
        t++;
    return i + 1 < h->n_clock && t > h->clock[i + 1].from ? h->clock[i + 1].from : t;
}

ns_t host_leap(const struct host *h, ns_t local)
{
    for (size_t i = 1; i < h->n_clock; i++)
        if (local < h->clock[i].local && local >= at_piece(&h->clock[i - 1], h->clock[i].from))
            return h->clock[i].local;
    return local;
}
