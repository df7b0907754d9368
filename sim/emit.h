/* SPDX-License-Identifier: Apache-2.0
 *
 * emit.h -- writes log lines into the traces of the hosts where they happen. */
#ifndef SIM_EMIT_H
#define SIM_EMIT_H

#include "sim/engine.h"

/* Opens the trace of 'h' (and the empty one, if the scenario wants it). */
int emit_open(struct sim *s, struct host *h);
/* Ends it at true time 'end'. */
int emit_close(struct sim *s, struct host *h, ns_t end);
/* Does a full buffer refuse what is traced on this host and CPU at true time 't'? */
bool emit_refuses(const struct sim *s, const struct host *h, unsigned cpu, ns_t t);
/* Writes one line now, on the clock and CPU of its thread. */
void emit_record(struct thread *t, struct record *r);

#endif
