/* SPDX-License-Identifier: Apache-2.0
 *
 * hops.h -- where the time of a request went, in parts that can be compared with those of other
 * requests.
 *
 * Each instant belongs to the innermost of what went on: a lock that a task waits for inside of a
 * call counts as the lock, and neither as the task nor as the call.  Parts of one kind and name are
 * one hop; in names, what differs from request to request (ids, numbers) is '*'. */
#ifndef REPORT_HOPS_H
#define REPORT_HOPS_H

#include "report/source.h"

struct hop {
    struct str kind, name; /* as of breakdown.h; "task": the task's own work */
    ns_t ns;
    ns_t t0, t1;        /* its longest piece                              */
    ns_t piece_ns;      /* how much of that is its own                    */
    struct str whole;   /* the name of that piece, as it is               */
    struct str service; /* whose piece                                    */
    struct str child;   /* the id of the message or request that it made  */
    const char *host;
    int64_t pid;
};

struct hops {
    VEC(struct hop) at;
    ns_t total, explained;
};

/* Of the request, from its tasks ('tasks': TABLE_task by its column request).  Texts live as long
 * as the report.  Free with hops_free(). */
void hops_of(const struct report_src *src, const struct src_index *tasks, struct str request,
             struct hops *ret);
/* Of one task ('task': a row of TABLE_task). */
void hops_of_task(const struct report_src *src, const struct src_row *task, struct hops *ret);
void hops_free(struct hops *h);
const struct hop *hops_find(const struct hops *h, struct str kind, struct str name);
/* The name with '*' for what differs from one time to the next, in the report's memory. */
struct str hops_name(const struct report_src *src, struct str name);

#endif
