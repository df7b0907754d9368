/* SPDX-License-Identifier: Apache-2.0
 *
 * demand.c -- see demand.h. */
#include "diagnose/demand.h"

#include "model/qemu.h"
#include "report/measure.h"

#include <stdlib.h>

/* Of the time in which it had a CPU or slept: the rest are locks, and what the tracer adds. */
#define NEVER_SLEEPS 0.8
#define LONG_ENOUGH 0.5 /* of the window: who was seen for less may sleep later */

static void add(const struct report_src *src, const struct whos *w, const struct who_thread *th,
                struct demand *to)
{
    struct usage u = { 0 };

    usage_add(src, th, &u);
    ns_t ran = usage_sum(&u, TS_USER, TS_SOFTIRQ), waited = usage_sum(&u, TS_WAIT, TS_PREEMPTED);
    ns_t asleep = usage_sum(&u, TS_BLOCKED_DISK, TS_STOPPED), known = ran + waited + asleep;

    to->host = th->host;
    to->seen = measure_traced(src, th->host, src->span);
    if (known == 0 || to->seen == 0)
        return;
    if (ran + asleep > 0)
        to->cpus += (double)ran / (double)(ran + asleep) * (double)known / (double)to->seen;
    to->endless += (double)ran >= NEVER_SLEEPS * (double)(ran + asleep) &&
                   (double)known >= LONG_ENOUGH * (double)to->seen && !th->is_kernel;
    if (who_owner(w, th)->kind == WHO_VM && !qemu_is_vcpu(th->comm))
        return;
    to->ran = time_add(to->ran, ran);
    to->waited = time_add(to->waited, waited);
    to->longest = waited > to->longest ? waited : to->longest;
}

struct demand *demands_within(const struct diagnosis *d, struct span win)
{
    const struct whos *w = d->w;
    struct demand *of = xcalloc(w->owners.n + 1, sizeof *of);
    struct report_src src = *d->src;

    src.span = win;
    for (size_t i = 0; i < w->threads.n; i++)
        if (measure_had(src.hosts[w->threads.at[i].host], EV_SCHED_SWITCH))
            add(&src, w, &w->threads.at[i], &of[who_process(w, &w->threads.at[i])->owner]);
    return of;
}

const struct demand *demands_of(struct diagnosis *d)
{
    if (!d->demands)
        d->demands = demands_within(d, d->src->span);
    return d->demands;
}
