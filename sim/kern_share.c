/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_share.c -- what a process gets of its CPUs, by the scenario alone.
 *
 * Services and migrations are played before the kernels are simulated, which need to know what
 * there is and when.  Where a scenario gives a process's CPUs to others, all follow from the same
 * keys: the kernel's threads wait, and what the process does takes longer. */
#include "sim/kern.h"

#include "base/mem.h"

#include <string.h>

const struct kc_host *kern_conf_of(const struct kc_kernel *k, const char *host)
{
    for (size_t i = 0; k && i < k->n_hosts; i++)
        if (strcmp(k->hosts[i].name, host) == 0)
            return &k->hosts[i];
    return NULL;
}

bool kern_proc_is_there(const struct kc_proc *p, ns_t at)
{
    return at >= p->start_ns && (!p->stop_ns || at < p->stop_ns);
}

static unsigned count(const struct kc_cpus *c, const struct kc_cpus *with)
{
    unsigned n = 0;

    for (size_t i = 0; i < sizeof c->bits / sizeof *c->bits; i++)
        n += (unsigned)__builtin_popcountll(c->bits[i] & with->bits[i]);
    return n;
}

static double left_for(const struct kc_host *h, const struct kc_proc *it, ns_t at)
{
    unsigned n = count(&it->cpus, &it->cpus);
    double left = n;

    if (n == 0)
        return 1; /* it may run anywhere: some CPU is free */
    for (size_t i = 0; i < h->n_procs; i++) {
        const struct kc_proc *p = &h->procs[i];
        unsigned there = count(&p->cpus, &it->cpus);
        double busy = (double)p->work_ns / (double)(p->work_ns + p->sleep_ns);

        if (p != it && there && p->nice < it->nice && kern_proc_is_there(p, at))
            left -= busy * p->processes * p->threads * there / count(&p->cpus, &p->cpus);
    }
    return left < 0.02 ? 0.02 : left > 1 ? 1 : left;
}

double kern_cpu_left(const struct kc_host *h, const char *name, ns_t at)
{
    for (size_t i = 0; h && i < h->n_procs; i++) {
        const char *its = h->procs[i].name ? h->procs[i].name : h->procs[i].comm;

        if (its && strcmp(its, name) == 0)
            return left_for(h, &h->procs[i], at);
    }
    return 1;
}
