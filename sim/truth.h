/* SPDX-License-Identifier: Apache-2.0
 *
 * truth.h -- writes down what really happened.
 *
 * OUT/truth.json.  "true_ns" (and "start_ns", "end_ns" of requests and tasks)
 * is true time; "host_ns", "host_start_ns", "host_end_ns" is the clock of the
 * host where it was written, and equals the trace's timestamp to the
 * nanosecond where a line announces it.
 *
 *  format, version, scenario, description, dialect, seed, start_ns, end_ns
 *  totals      events, discarded, dropped, bytes, tasks, requests, vms
 *  hosts[]     name, ip, roles[], trace (folder), uid, clock_offset_ns,
 *              clock_drift_ppm, clock[] (its pieces), events, discarded, dropped, streams[] (file,
 *              cpu, events, discarded, dropped, packets, packets_dropped,
 *              bytes), services[] (service, worker, pid, procname, requests,
 *              idle), kernel (docs/neph-sim.1.scd says what it counts)
 *  users[]     name, id, project, project_id
 *  networks[], routers[], ports[], volumes[]   names and ids
 *  vms[]       name, uuid, libvirt_name, user, flavor, ids of its port;
 *              states[]: every change, with the host whose clock host_ns is;
 *              announced[]: what each task's start and end told
 *  requests[]  number, id, operation, name, user, project, things, source and
 *              destination, start_ns, end_ns (its last thread), outcome: ok,
 *              error, conflict, not_found, rolled_back; error, error_text
 *  tasks[]     task, announced_as[], host, service, worker, pid, thread,
 *              entity_kind, entity, entity_id, request_id, request (number),
 *              start_ns .. host_end_ns, outcome: ok, error, aborted,
 *              unfinished; start_told, end_told: is there a line for it;
 *              start_lost, end_lost: is that line missing from the trace;
 *              longest_step, longest_step_ns
 *  faults[]    kind, what it was about, applied, extra_ns
 *  findings[]  what a diagnosis should find: fault, rule, or[], root,
 *              subjects[] and culprits[] (kind, name), hosts[], t0_ns, t1_ns (true time)
 *  without[]   layers whose traces were taken away
 *  migrations[]  docs/neph-sim.1.scd says what they have */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include "sim/cloud.h"

/* Writes 'path', which must not exist.  Returns 0 or -E_IO. */
int truth_write(const struct sim *s, const char *path);

#endif
