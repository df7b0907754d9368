/* SPDX-License-Identifier: Apache-2.0
 *
 * demand.h -- how much CPU instances, services and processes want, and how much they get.
 *
 * A thread runs, waits for a CPU, or sleeps.  What it would use of a CPU that is free is the time
 * that it ran, of that in which it ran or slept.  One that never sleeps takes whatever there
 * is. */
#ifndef DIAGNOSE_DEMAND_H
#define DIAGNOSE_DEMAND_H

#include "diagnose/finding.h"

struct demand {
    ns_t ran, waited; /* of the vCPUs of an instance, of all threads of others */
    ns_t longest;     /* waited by one of these threads */
    double cpus;      /* that it would use if it never had to wait: all its threads */
    uint32_t endless; /* threads that never sleep */
    uint32_t host;
    ns_t seen; /* how long the host's kernel was traced */
};

/* Of each owner (who.h), made when first asked for; lives as long as the diagnosis. */
const struct demand *demands_of(struct diagnosis *d);
/* The same within a window; the caller frees it. */
struct demand *demands_within(const struct diagnosis *d, struct span win);

#endif
