/* SPDX-License-Identifier: Apache-2.0
 *
 * breakdown.h -- where the time of a task went. */
#ifndef REPORT_BREAKDOWN_H
#define REPORT_BREAKDOWN_H

#include "report/source.h"

struct part {
    struct str kind; /* "external-event", "http", "command", "lock-wait", "task", ... */
    struct str name;
    ns_t t0, t1;               /* cut to the task                                       */
    bool wait;                 /* the task did nothing meanwhile but wait for another   */
    struct str service, child; /* whose it is; the id of the message or request that it made */
    const char *host;
    int64_t pid;
};

struct breakdown {
    struct part *parts; /* longest first; in the report's memory */
    size_t nparts;
    ns_t total;     /* length of the task                                          */
    ns_t explained; /* time in which at least one part ran                         */
};

/* Finds what happened inside of the task of 'task' (a row of TABLE_task with both
 * ends): waits, calls, commands, tasks inside of it, on its thread, for its
 * request or its instance.  Holding a lock is not counted: it explains others'
 * time, not this one's. */
void breakdown_of(const struct report_src *src, const struct src_row *task, struct breakdown *ret);

/* "waits 4.754 s of 5.876 s (80 %) for external-event network-vif-plugged-9e66..." */
struct str breakdown_sentence(const struct report_src *src, const struct breakdown *b);

#endif
