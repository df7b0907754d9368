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

static const struct kc_host *kernel_of(const struct sim *s, const char *host)
{
    const struct kc_kernel *k = s->sc->kernel;

    for (size_t i = 0; k && i < k->n_hosts; i++)
        if (strcmp(k->hosts[i].name, host) == 0)
            return &k->hosts[i];
    return NULL;
}

static bool is_there(const struct kc_proc *p, ns_t at)
{
    return at >= p->start_ns && (!p->stop_ns || at < p->stop_ns);
}

/* Of a link of limited capacity, in proportion to what all want to send. */
static double of_link(const struct kc_host *h, ns_t at, double wanted)
{
    const struct kc_interface *link = kern_limited_link(h);
    double others = 0;

    if (!link)
        return wanted;
    for (size_t i = 0; i < h->n_procs; i++) {
        const struct kc_proc *p = &h->procs[i];

        if (p->net.interface && strcmp(p->net.interface, link->name) == 0 && is_there(p, at))
            others += p->net.tx_per_s * p->net.bytes * p->processes;
    }
    double all = others + wanted, capacity = link->mbit_s * 1e6 / 8;

    return all <= capacity ? wanted : wanted / all * capacity;
}

static unsigned count(const struct kc_cpus *c, const struct kc_cpus *with)
{
    unsigned n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(c->bits); i++)
        n += (unsigned)__builtin_popcountll(c->bits[i] & with->bits[i]);
    return n;
}

/* The share of a CPU that those with a better priority leave, where a guest's threads may run. */
static double left_of_cpus(const struct kc_host *h, const struct kc_proc *guest, ns_t at)
{
    unsigned n = count(&guest->cpus, &guest->cpus);
    double left = n;

    if (n == 0)
        return 1; /* it may run anywhere: some CPU is free */
    for (size_t i = 0; i < h->n_procs; i++) {
        const struct kc_proc *p = &h->procs[i];
        unsigned there = count(&p->cpus, &guest->cpus);
        double busy = (double)p->work_ns / (double)(p->work_ns + p->sleep_ns);

        if (p != guest && there && p->nice < guest->nice && is_there(p, at))
            left -= busy * p->processes * p->threads * there / count(&p->cpus, &p->cpus);
    }
    return left < 0.02 ? 0.02 : left > 1 ? 1 : left;
}

double migrate_rate(const struct sim *s, const struct sc_migration *m, ns_t at)
{
    const struct kc_host *h = kernel_of(s, m->from);
    double wanted = m->bandwidth_mb_s * (1 << 20), needs = m->cpu_percent / 100;

    if (!h)
        return wanted;
    for (size_t i = 0; i < h->n_procs; i++) {
        const struct kc_proc *p = &h->procs[i];

        if (p->kind != KC_INSTANCE || strcmp(p->name, m->vm) != 0)
            continue;
        double left = left_of_cpus(h, p, at);

        wanted *= left < needs ? left / needs : 1;
    }
    return of_link(h, at, wanted);
}
