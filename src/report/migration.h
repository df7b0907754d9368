/* SPDX-License-Identifier: Apache-2.0
 *
 * migration.h -- live and other migrations, put together from what all layers of all hosts tell.
 *
 * QEMU's side: rows of TABLE_qemu and TABLE_qmp_info of the source and of the destination, by
 * process; attempts are cut at their states.  Nova's side: tasks of one request.  Both are one
 * migration when they are of the same instance (or of the only one that migrates) at the same
 * time.  What one layer does not tell stays unknown and is named in 'unknown'. */
#ifndef REPORT_MIGRATION_H
#define REPORT_MIGRATION_H

#include "report/convergence.h"
#include "report/who.h"

enum mig_outcome { MIG_UNKNOWN, MIG_COMPLETED, MIG_FAILED, MIG_CANCELLED, MIG_RUNNING };
enum mig_kind { MIG_PRECOPY, MIG_POSTCOPY, MIG_COLD, MIG_RESIZE, MIG_EVACUATE, MIG_LIVE };

/* One pass over what the guest has written (the first: over all of its memory). */
struct mig_round {
    uint32_t n; /* from 1 */
    ns_t t0, t1;
    int64_t dirty_pages;   /* to be sent when it began; STORE_NULL: not known */
    int64_t dirtied_pages; /* written while it went on, to be sent by the next */
    int64_t sent_bytes;
    double dirty_rate, transfer_rate; /* bytes/s; NAN: not known */
    int64_t throttle;                 /* percent of its time that the guest was not let run */
    bool stopped;                     /* the guest did not run: stop-and-copy */
    struct conv_verdict verdict;      /* what could be foreseen when it ended */
    enum conv_ends foreseen;          /* the same, which changes its mind once only */
};

struct mig_stage {
    struct str name, layer, host; /* layer: "nova", "qemu"; empty: not known */
    ns_t t0, t1;                  /* t1 STORE_NULL: it has no end */
    struct str status, evidence;
};

/* Who had the CPUs that the migration's threads and the guest's vCPUs waited for. */
struct mig_culprit {
    struct str name, kind; /* "vm", "service", "process" */
    bool itself;           /* its own threads, or nobody: a wake-up took so long */
    ns_t wait_ns;          /* of both */
    ns_t thread_ns;        /* of the migration's threads */
    double share;          /* of all that they waited */
};

/* Who moved bytes over a link or a disk of the source that the migration used as well. */
struct mig_sharer {
    const char *resource;    /* "network", "disk" */
    struct str device, name; /* "(not known)": in interrupts, or nobody that was seen */
    struct str kind;         /* "vm", "service", "process"; empty: not known, or itself */
    bool itself;
    int64_t bytes; /* while it went on; network: sent */
    double share;  /* of all that the device moved meanwhile */
};

/* What stopped means for whom: source "qemu": as QEMU counts it; "states": from the stop of the
 * guest at the source to its start at the destination; "vcpus": as the kernels saw its vCPUs run;
 * "network": as others heard of it. */
struct mig_downtime {
    struct str source;
    ns_t t0, t1, ns, bound_ns; /* bound: how much it may be wrong by; STORE_NULL: not known */
    struct str why;            /* what this definition counts */
};

/* What left the source and came to the destination, as both told: by cause in that order. */
struct mig_crossing {
    const char *what;
    ns_t sent, received;
};

struct migration {
    struct str id; /* "vm-1000/1" */
    struct str vm, uuid, request;
    struct str source, destination;         /* hosts; empty: not known */
    uint32_t source_host, destination_host; /* UINT32_MAX: not known */
    int64_t source_pid, destination_pid;    /* -1: not known       */
    enum mig_kind kind;
    enum mig_outcome outcome;
    struct str error;             /* why it failed, as somebody said */
    ns_t start, end;              /* end STORE_NULL: not seen */
    VEC(struct mig_stage) stages; /* by time */
    VEC(struct mig_round) rounds;
    VEC(struct mig_downtime) downtimes; /* the best first */
    VEC(struct mig_culprit) culprits;   /* most wait first */
    VEC(struct mig_culprit) victims;    /* other instances that waited for CPUs which it had; share:
                                         * of all that they waited */
    VEC(struct mig_sharer) sharers;     /* by device, who moved most first */
    VEC(struct mig_stage) parts;        /* of the downtime, by time */
    VEC(struct mig_crossing) crossings;
    ns_t cpu_wait_ns, cpu_run_ns; /* of its threads and vCPUs at the source */
    int64_t qmp_total_ms, qmp_downtime_ms, qmp_setup_ms; /* STORE_NULL: not asked   */
    int64_t bandwidth_cap, downtime_limit_ms, page_bytes, memory_bytes; /* 0: not known */
    bool auto_converge;
    struct sbuf unknown; /* sentences: what can't be known, and what would tell */
};

struct migrations {
    VEC(struct migration) list; /* by start */
};
void migrations_make(const struct report_src *src, const struct whos *w, struct migrations *ret);
void migrations_free(struct migrations *m);
/* By id, or the only one of an instance (name, uuid); NULL, and how many fit. */
const struct migration *migrations_find(const struct migrations *m, struct str id, size_t *ret_n);

const char *mig_outcome_name(enum mig_outcome o);
const char *mig_kind_name(enum mig_kind k);

#endif
