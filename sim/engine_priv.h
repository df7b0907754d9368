/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_priv.h -- what engine.c and engine_rows.c share. */
#ifndef SIM_ENGINE_PRIV_H
#define SIM_ENGINE_PRIV_H

#include "sim/engine.h"

struct timer {
    ns_t at;
    uint64_t seq; /* equal times keep their order */
    struct thread *thread;
    uint32_t token;
    void (*fn)(struct sim *, void *);
    void *arg;
};

/* An external event (network-vif-plugged-...) that somebody prepared for. */
struct awaited {
    char *key;
    struct thread *thread; /* waits now, or NULL */
    bool came;
};

struct engine {
    VEC(struct timer) heap;
    uint64_t seq;
    VEC(struct thread *) all, spare;
    VEC(struct awaited) events;
};

/* The thread sleeps until 'at', or until it is woken earlier. */
void engine_wake(struct thread *t, ns_t at);
void engine_wake_now(struct thread *t, ns_t delay);
void engine_push(struct thread *t, const struct row *prog);
/* Takes the lock, or queues and blocks the thread. */
bool engine_lock(struct thread *t, const char *name);
void engine_unlock(struct thread *t, const char *name);
/* The driver's line about the reply, if the scenario wants it; was there one? */
bool engine_rpc_replies(struct thread *t);
/* Does one row of the thread's program, or a phase of it. */
void engine_row(struct thread *t);

#endif
