/* SPDX-License-Identifier: Apache-2.0
 *
 * workers.h -- what the processes of a service were given to do, and how long that waited for them.
 */
#ifndef DIAGNOSE_WORKERS_H
#define DIAGNOSE_WORKERS_H

#include "diagnose/rule.h"

/* A process of a service. */
struct worker {
    const char *host;
    int64_t pid;
    uint64_t works;
    bool http, rpc; /* it served such calls */
    ns_t busy;      /* time in which it worked on at least one thing */
    VEC(struct span) at;
};

/* A call that the service answered. */
struct served {
    struct str request; /* for which it was made; may be empty */
    ns_t t0, t1;        /* when it was made, when it was answered, or begun if nobody waited */
    ns_t waited, ns;    /* until it was begun and while the answer came; while it was worked on */
};

struct crew {
    struct str service;
    struct strtab processes;    /* pid and host */
    VEC(struct worker) workers; /* a process's position is its id less one */
    VEC(struct served) calls;   /* those whose other end was traced */
    struct span seen;           /* from the first work to the last */
};

struct crews {
    struct arena *mem; /* of the report */
    struct strtab names;
    VEC(struct crew) at; /* a name's position is its id less one */
};

void crews_make(const struct diagnosis *d, struct crews *ret);
void crews_free(struct crews *c);
/* The share of 'win' in which those of its processes that get work had some: 1 if each always did.
 */
double crew_load(const struct crew *c, struct span win);

#endif
