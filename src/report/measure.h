/* SPDX-License-Identifier: Apache-2.0
 *
 * measure.h -- what the kernel layer measures, in four views.
 *
 * A measure (cpu, preempt, wait, sched, io, net, irq, syscall, exits) is a row of
 * 'measures': how to get its samples out of the histories, by what they are grouped, and the
 * columns of each view.  A sample is something that took time, or bytes, on behalf of a
 * thread:
 *
 *   log     every sample, in order of time
 *   stats   samples of a group: how many, sum, least, mean, percentiles, most
 *   top     the same, by cost: what costs most comes first
 *   freq    how many samples took how long
 *
 * A sample counts if it begins in the user's window, and then as a whole; only `top cpu` cuts at
 * its edges.  What has no end in the trace is at least as long as was seen of it: that is in
 * count, total and longest, while least, mean and percentiles are of the others.  Percentiles
 * are nearest ranks.  Rates are per time that the kernel was traced in the window. */
#ifndef REPORT_MEASURE_H
#define REPORT_MEASURE_H

#include "model/events.h"
#include "report/table.h"
#include "report/who.h"

enum measure_view { VIEW_TOP, VIEW_STATS, VIEW_LOG, VIEW_FREQ };
enum measure_by { BY_DEFAULT, BY_OWNER, BY_PROCESS, BY_THREAD };
/* "owner", "process", "thread"; BY_DEFAULT for anything else. */
enum measure_by measure_by_of(struct str name);

struct measure_opts {
    enum measure_view view;
    enum measure_by by;
    struct str service; /* only of this service; empty = all               */
    struct str thread;  /* tid, or a pattern of the thread's name; empty = all */
};

struct measure;
extern const struct measure *const measures[]; /* ends with NULL */
const struct measure *measure_find(const char *name);
const char *measure_name(const struct measure *m);
/* Memory has no samples, and so only VIEW_TOP. */
bool measure_has(const struct measure *m, enum measure_view view);

/* The columns of a view, in 'mem' of 'src'. */
const struct column *measure_columns(const struct measure *m, const struct measure_opts *o,
                                     struct arena *mem, size_t *ret_n);
/* Fills a table that has these columns.  Returns how many of the samples have no end. */
uint64_t measure_fill(const struct measure *m, const struct measure_opts *o,
                      const struct report_src *src, struct table *t);
/* Notes what the measure can't know, for each host: which events are missing, and what
 * that means. */
void measure_notes(const struct measure *m, const struct report_src *src, struct notes *notes);

/* The part of 'win' in which the host's kernel was traced; empty, if there is none. */
struct span measure_within(const struct report_src *src, uint32_t host, struct span win);
/* How long that is, without the holes between two traces. */
ns_t measure_traced(const struct report_src *src, uint32_t host, struct span win);
/* How long these holes are. */
ns_t measure_holes(const struct report_src *src, uint32_t host, struct span win);
/* How many CPUs the host's kernel trace has events of. */
size_t measure_cpus(const struct store *s);
/* Is there an instance, a service, a thread that the user's filters name, at any time?  0, or
 * -E_ARG when there is none. */
int measure_check(const struct report_src *src, const struct measure_opts *o, struct err *err);

/* Time of a thread, a process, an owner in each state. */
enum { STATES = TS_STOPPED + 1 };
struct usage {
    ns_t in[STATES]; /* by enum thread_state */
    bool seen;
};
/* Adds what the thread did in its life within the user's window. */
void usage_add(const struct report_src *src, const struct who_thread *th, struct usage *u);
ns_t usage_sum(const struct usage *u, enum thread_state first, enum thread_state last);
/* Were there events of this type? */
bool measure_had(const struct store *s, enum ev_type type);

#endif
