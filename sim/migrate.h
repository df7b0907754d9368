/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate.h -- live migrations of QEMU, page by page, and what QEMU would trace of them.
 *
 * Section "migrations" of a scenario says which (docs/neph-sim.1.scd).  They are played before
 * all else, since the kernels need to know which process is where; OUT/HOST/ust/uid/64055 has
 * what both ends wrote, with the host's clock.  The truth comes from the pages, not from the
 * events. */
#ifndef SIM_MIGRATE_H
#define SIM_MIGRATE_H

#include "base/json.h"
#include "sim/cloud.h"

/* A process of QEMU, in true time. */
struct qemu_proc {
    const char *vm;
    const struct host *host;
    int pid;
    ns_t from, to; /* 0: it was there before; never */
};

/* A thread that sends a guest away. */
struct qemu_sender {
    const struct qemu_proc *proc;
    const struct sc_migration *sc;
    int tid;
    ns_t from, to;
};

/* Plays all migrations of the scenario.  Returns 0 or -E_*. */
int migrate_play(struct sim *s);
/* Writes their traces.  Returns 0 or -E_*. */
int migrate_write(struct sim *s);
/* Writes member "migrations" of truth.json. */
void migrate_truth(const struct sim *s, struct json *j);
/* Writes member "qemu" of a host there. */
void migrate_truth_host(const struct host *h, struct json *j);
struct ctfw_counts migrate_counts(const struct host *h);
/* The processes of one VM on one host, from 'i' on; NULL: no more. */
const struct qemu_proc *migrate_process(const struct sim *s, const struct host *h, const char *vm,
                                        size_t *i);
const struct qemu_sender *migrate_sender(const struct sim *s, const struct qemu_proc *p, size_t *i);
void migrate_free(struct sim *s);

#endif
