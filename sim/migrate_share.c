/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate_share.c -- how much of its bandwidth a migration gets, when it shares its host's link and
 * its CPUs with others.
 *
 * Rates, not packets: a migration is played before the kernels are simulated, which need to know
 * where its processes are.  Both follow from the same keys of the scenario. */
#include "sim/kern.h"
#include "sim/migrate_priv.h"

#include <string.h>

/* Of a link of limited capacity, in proportion to what all want to send. */
static double of_link(const struct kc_host *h, ns_t at, double wanted)
{
    const struct kc_interface *link = kern_limited_link(h);
    double others = 0;

    if (!link)
        return wanted;
    for (size_t i = 0; i < h->n_procs; i++) {
        const struct kc_proc *p = &h->procs[i];

        if (p->net.interface && strcmp(p->net.interface, link->name) == 0 &&
            kern_proc_is_there(p, at))
            others += p->net.tx_per_s * p->net.bytes * p->processes;
    }
    double all = others + wanted, capacity = link->mbit_s * 1e6 / 8;

    return all <= capacity ? wanted : wanted / all * capacity;
}

double migrate_rate(const struct sim *s, const struct sc_migration *m, ns_t at)
{
    const struct kc_host *h = kern_conf_of(s->sc->kernel, m->from);
    double wanted = m->bandwidth_mb_s * (1 << 20), needs = m->cpu_percent / 100;

    if (!h)
        return wanted;
    double left = kern_cpu_left(h, m->vm, at);

    return of_link(h, at, left < needs ? wanted * left / needs : wanted);
}
