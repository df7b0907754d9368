/* SPDX-License-Identifier: Apache-2.0
 *
 * critical.h -- wait analysis: where a thread's time went, through whatever it waited for.
 *
 * From the window's end backward: while the thread ran, the time is its own; while it could
 * run and did not, it is a wait for a CPU, shared out among those who had that CPU; while
 * it slept, it is what the thread that woke it did meanwhile, found in the same way, or
 * the disk, the network, a timer.  (F. Giraldeau, M. Dagenais: Wait analysis of distributed
 * systems using kernel tracing, IEEE TPDS 27(8), 2016.)  Each nanosecond of the window is in
 * exactly one leaf; what cannot be known is a leaf of its own. */
#ifndef REPORT_CRITICAL_H
#define REPORT_CRITICAL_H

#include "report/table.h"
#include "report/who.h"

/* Kinds of nodes: id, name.  The first is the only one that has children. */
#define CRIT_WHATS(X)                               \
    X(CRIT_WOKEN, "woken by")                       \
    X(CRIT_RUNNING, "running")                      \
    X(CRIT_INTERRUPT, "interrupt")                  \
    X(CRIT_CPU, "waiting for CPU")                  \
    X(CRIT_DISK_BEFORE, "disk: before the request") \
    X(CRIT_DISK_QUEUE, "disk: in the queue")        \
    X(CRIT_DISK_DEVICE, "disk: in the device")      \
    X(CRIT_DISK_AFTER, "disk: after completion")    \
    X(CRIT_DISK, "disk")                            \
    X(CRIT_NETWORK, "network")                      \
    X(CRIT_TIMER, "timer")                          \
    X(CRIT_BLOCKED, "blocked, cause not known")     \
    X(CRIT_STOPPED, "stopped")                      \
    X(CRIT_WAKEUP, "wake-up on its way")            \
    X(CRIT_DEEP, "deeper than followed")            \
    X(CRIT_MANY, "too many parts, not followed")    \
    X(CRIT_UNKNOWN, "unknown")

enum crit_what {
#define X(id, name) id,
    CRIT_WHATS(X)
#undef X
        CRIT_WHATS_N
};
const char *crit_what_name(enum crit_what w);

enum {
    CRIT_DEPTH = 32,         /* wake-ups behind each other that are followed */
    CRIT_NODES = 1000 * 1000 /* nodes that are kept */
};
#define CRIT_NONE UINT32_MAX

struct crit_node {
    uint8_t what;         /* enum crit_what */
    uint32_t host;        /* of the thread  */
    uint32_t first, next; /* earliest child, later sibling; CRIT_NONE */
    int64_t tid;          /* whose time it is */
    int64_t by;           /* CRIT_CPU: the thread that had the CPU; 0 = it was idle, -1 = not
                             known; else STORE_NULL */
    ns_t t0, t1;
    struct str detail; /* may be empty; lives as long as the report */
};

struct critical {
    const struct store *store;
    uint32_t host;
    int64_t tid;
    struct span win;
    VEC(struct crit_node) nodes; /* the first is the whole */
    bool no_wakeups;             /* a sleep has no wake-up */
    bool no_interrupts;          /* an idle CPU woke somebody, and no interrupt says why */
};

/* 'win' must lie within the history's coverage.  Free with critical_free(). */
void critical_walk(const struct report_src *src, const struct whos *w, uint32_t host, int64_t tid,
                   struct span win, struct critical *ret);
void critical_free(struct critical *c);

/* --- what it says: critical_show.c ------------------------------------------------------ */

extern const struct column critical_columns[];
extern const size_t ncritical_columns;
/* The parts added up by kind, thread and detail: the longest first. */
void critical_flat(const struct report_src *src, const struct whos *w, const struct critical *c,
                   struct table *t);
/* The point in a sentence, and the tree of what takes at least a hundredth. */
void critical_text(const struct whos *w, const struct critical *c, struct sbuf *out);
/* Members of an object that was opened: the tree in order of time. */
void critical_json(const struct whos *w, const struct critical *c, struct json *j);
/* What was not recorded and would tell more. */
void critical_notes(const struct report_src *src, const struct critical *c, struct notes *notes);

#endif
