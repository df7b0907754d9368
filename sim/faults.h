/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.h -- a library of faults: clouds that a seed draws, with what a diagnosis should find.
 *
 * A fault is a mechanism (who runs where with which priority, how fast a disk is, who keeps a
 * lock), put into a drawn scenario with the same keys that a scenario file has; nothing of it is
 * known to the simulation.  What follows from it is the simulation's business.  The scenario also
 * gets the findings that are expected (scenario.h, "findings"), which go into truth.json. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct draw;

struct fault {
    const char *name, *rule; /* the rule that should find it; NULL: nothing should be found */
    const char *about;       /* what happens, in a sentence */
    void (*add)(struct draw *d);
    double least_s;    /* how long the cloud must be watched, at least */
    unsigned computes; /* compute hosts that it needs, at least */
};

/* Ends with one without a name. */
extern const struct fault faults[];
const struct fault *fault_find(const char *name);

struct faults_wanted {
    const struct fault *list[4]; /* NULL: no more */
    uint64_t seed;
    double load;      /* share of the CPUs that benign work takes; below 0: drawn */
    bool noise;       /* more of what is harmless: interrupts, processes that come and go */
    bool lost_events; /* full buffers, a little */
    double drift_ppm; /* of hosts' clocks, at most; below 0: drawn */
    const char *const *without; /* layers that are not traced: kernel, qemu, openstack */
    size_t n_without;
};

/* Draws a scenario, as a file would have it; the caller gives it back with json_decref(). */
json_t *faults_draw(const struct faults_wanted *w);

#endif
