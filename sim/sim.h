/* SPDX-License-Identifier: Apache-2.0
 *
 * sim.h -- simulated clouds that write real traces.
 *
 * A scenario file says which hosts, users, operations and faults there are
 * (sim/scenario.h lists the keys).  The simulation is a discrete-event model
 * of OpenStack's services; what they would log goes through the CTF writer
 * into OUT/<host>/ust/uid/<uid>/64-bit, in LTTng's layout; what their kernels
 * would have traced goes into OUT/<host>/kernel (sim/kern.h).  OUT/truth.json
 * says what really happened (sim/truth.h lists its keys), so that every answer
 * of an analysis can be checked.  The same seed gives the same bytes. */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/err.h"
#include "sim/faults.h"

#include <stdbool.h>
#include <stdint.h>

struct sim_options {
    bool has_seed; /* use 'seed' instead of the scenario's */
    uint64_t seed;
    double scale; /* of the scenario's workload; 0 or 1 changes nothing */
};

struct sim_result {
    uint64_t hosts, requests, requests_failed, tasks, vms, faults;
    uint64_t events;   /* in the traces */
    uint64_t lost;     /* discarded by full buffers, or in packets that vanished */
    uint64_t bytes;    /* of stream files */
    int64_t length_ns; /* of simulated time */
};

/* Simulates 'scenario_path' into 'out_dir', which must not exist or be empty.
 * 'opt' may be NULL.  Returns 0 or -E_*; on failure what was written so far is
 * left for inspection. */
int sim_run(const char *scenario_path, const char *out_dir, const struct sim_options *opt,
            struct sim_result *ret, struct err *err);
/* Simulates a scenario that is drawn with these faults; OUT/scenario.json is that scenario. */
int sim_run_faults(const struct faults_wanted *w, const char *out_dir, struct sim_result *ret,
                   struct err *err);

#endif
