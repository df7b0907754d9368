/* SPDX-License-Identifier: Apache-2.0
 *
 * who.h -- from a thread's number to whom it belongs.
 *
 * The kernel layer speaks of tids. What a reader wants to know is which instance or
 * service that was: the owner, as table mapping says, or else the process by its name. A
 * kernel thread that works for one process (vhost-1234) counts to that one. */
#ifndef REPORT_WHO_H
#define REPORT_WHO_H

#include "report/source.h"

enum who_kind { WHO_VM, WHO_SERVICE, WHO_PROCESS };

/* An instance or a service on a host, or all processes of one name there. */
struct who_owner {
    enum who_kind kind;
    const char *host;
    struct str name;
    struct str uuid; /* of an instance, if known */
};

struct who_process {
    uint32_t host;
    int64_t pid;
    ns_t t0, t1; /* of its life, t1 is STORE_NULL if it goes on */
    struct str comm;
    uint32_t owner;
    uint32_t threads;
};

struct who_thread {
    uint32_t host;
    int64_t tid, pid; /* pid: the process's; its own number if that is not known */
    ns_t t0, t1;
    struct str comm;
    bool is_kernel;
    uint32_t process;
};

struct whos {
    const struct report_src *src;
    VEC(struct who_thread) threads; /* by host, tid and begin */
    VEC(struct who_process) processes;
    VEC(struct who_owner) owners;
    struct strtab keys; /* of owners: their position is one less */
};

/* Reads the tables thread and mapping. Texts live as long as the histories. */
void whos_make(const struct report_src *src, struct whos *ret);
void whos_free(struct whos *w);
/* The thread 'tid' of the host at 't', NULL if nothing is known of it. */
const struct who_thread *whos_at(const struct whos *w, uint32_t host, int64_t tid, ns_t t);
static inline const char *whos_host(const struct whos *w, uint32_t host)
{
    return store_host(w->src->hosts[host]);
}
/* Position of the host whose history this is. */
uint32_t src_host_no(const struct report_src *src, const struct store *s);

static inline const struct who_process *who_process(const struct whos *w,
                                                    const struct who_thread *th)
{
    return &w->processes.at[th->process];
}
static inline const struct who_owner *who_owner(const struct whos *w, const struct who_thread *th)
{
    return &w->owners.at[w->processes.at[th->process].owner];
}
/* Who had a CPU in a span of time, one after the other, without holes:
 *     struct who_cpus cpus = { .s = history };
 *     struct who_had *h = who_cpus_had(&cpus, cpu, span);
 *     while (who_had_next(h))
 *         ... h->tid had it from h->t0 to h->t1 ...
 *     who_cpus_free(&cpus);
 * tid 0: it was idle; -1: that is not known.  Fast for many spans that come in the order of time;
 * 'h' is valid until the next question. */
struct who_had {
    struct store_ranges ranges;
    int64_t cpu;
    bool known, any,
        pending; /* known: the history has the CPU; pending: 'next' comes after a hole */
    struct interval next;
    ns_t end, t0, t1;
    int64_t tid;
};
struct who_cpus {
    const struct store *s;
    struct who_had *at[256]; /* by the CPU's number, modulo */
};
struct who_had *who_cpus_had(struct who_cpus *c, int64_t cpu, struct span span);
bool who_had_next(struct who_had *h);
void who_cpus_free(struct who_cpus *c);
const char *who_kind_name(enum who_kind k);
/* The name of a block device of the host whose history 's' is; "254:0" if no dump told. */
struct str who_device(const struct report_src *src, const struct store *s, int64_t dev);

#endif
