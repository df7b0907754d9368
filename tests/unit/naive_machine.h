/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_machine.h -- a small machine that runs at random, a nanosecond at a time.
 *
 * Its threads sleep, wake each other, are interrupted, pre-empted and forked; some of that is not
 * recorded.  What each thread did in each nanosecond is in plain arrays, and what a tracer
 * would have told of it in lists. */
#ifndef TESTS_UNIT_NAIVE_MACHINE_H
#define TESTS_UNIT_NAIVE_MACHINE_H

#include "base/mem.h"
#include "model/schema.h"
#include "store/store.h"

#include <stdlib.h>

#define NONE STORE_NULL
enum { CPUS = 3, MOST_THREADS = 40, TID = 10, NOBODY = 99 }; /* tids: TID on; NOBODY is none */

static uint64_t rng;

static inline unsigned any(unsigned n)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return (unsigned)(rng >> 33) % n;
}

static inline bool chance(unsigned percent)
{
    return any(100) < percent;
}

/* --- what happened ------------------------------------------------------------------------ */

/* A wait, call, interrupt or block request; not all members are used by each.  Times are since
 * the beginning; t1 < 0: no end was seen. */
struct happening {
    int t0, t1, issued;
    int64_t tid, cpu, kind, by, why;
    const char *name;
};
typedef VEC(struct happening) happenings;

struct world {
    int threads, len;
    cell_t *state[MOST_THREADS]; /* of thread TID + i, in each nanosecond */
    cell_t *on[CPUS];            /* the tid that a CPU had                */
    happenings waits, calls, irqs, requests;
};

static inline struct world world_new(int threads, int len)
{
    struct world w = { .threads = threads, .len = len };

    for (int i = 0; i < threads; i++) {
        w.state[i] = xcalloc((size_t)len, sizeof(cell_t));
        for (int x = 0; x < len; x++)
            w.state[i][x] = NONE;
    }
    for (int c = 0; c < CPUS; c++)
        w.on[c] = xcalloc((size_t)len, sizeof(cell_t));
    return w;
}

static inline void world_free(struct world *w)
{
    for (int i = 0; i < w->threads; i++)
        free(w->state[i]);
    for (int c = 0; c < CPUS; c++)
        free(w->on[c]);
    vec_free(&w->waits);
    vec_free(&w->calls);
    vec_free(&w->irqs);
    vec_free(&w->requests);
}

static inline void lasts(struct world *w, int i, int t0, int t1, cell_t state)
{
    for (int x = t0; x < t1; x++)
        w->state[i][x] = state;
}

static inline int64_t pid_of(int64_t tid)
{
    return TID + (tid - TID) / 2 * 2;
}

/* --- a machine that runs at random -------------------------------------------------------- */

enum life { UNBORN, RUNS, READY, SLEEPS, SLEEPS_ON }; /* the last: its wake-up is not recorded */

struct task {
    enum life life;
    int cpu;
    cell_t state; /* while it runs outside of interrupts, or does not run */
    int wait;     /* position of its wait and of its call, or -1          */
    int call, call_t0;
};

struct machine {
    struct world *w;
    int x; /* now */
    struct task tasks[MOST_THREADS];
    int on[CPUS];    /* the task, or -1 */
    int nirqs[CPUS]; /* a softirq, and in it an interrupt */
    struct happening irqs[CPUS][2];
    int blind[CPUS]; /* until then it is not known who is on the CPU */
};

static const char *const call_names[] = { "read", "futex", "poll" };

static inline void begin_wait(struct machine *m, int i, cell_t state, enum wait_kind kind,
                              int64_t by, enum wake_why why)
{
    struct task *k = &m->tasks[i];

    k->life = READY;
    k->state = state;
    k->wait = (int)m->w->waits.n;
    *vec_push(&m->w->waits) = (struct happening){
        .t0 = m->x, .t1 = -1, .tid = TID + i, .cpu = -1, .kind = kind, .by = by, .why = why
    };
}

static inline void run_on(struct machine *m, int c, int i)
{
    struct task *k = &m->tasks[i];

    if (k->wait >= 0) {
        m->w->waits.at[k->wait].t1 = m->x;
        m->w->waits.at[k->wait].cpu = chance(95) ? c : -1;
    }
    k->wait = -1;
    k->life = RUNS;
    k->cpu = c;
    k->state = k->call >= 0 ? TS_SYSCALL : TS_USER;
    m->on[c] = i;
}

/* A thread that could be on a CPU, or -1. */
static inline int pick(const struct machine *m)
{
    int first = (int)any((unsigned)m->w->threads);

    for (int k = 0; k < m->w->threads; k++) {
        int i = (first + k) % m->w->threads;
        enum life l = m->tasks[i].life;

        if (l == READY || (l == SLEEPS_ON && chance(20)))
            return i;
    }
    return -1;
}

static inline void sleeps(struct machine *m, int c)
{
    static const cell_t kinds[] = { TS_BLOCKED_DISK,  TS_BLOCKED_NET,   TS_BLOCKED_TIMER,
                                    TS_BLOCKED_FUTEX, TS_BLOCKED_OTHER, TS_BLOCKED_FUTEX,
                                    TS_BLOCKED_DISK,  TS_STOPPED,       TS_UNKNOWN };
    struct task *k = &m->tasks[m->on[c]];

    k->life = chance(8) ? SLEEPS_ON : SLEEPS;
    k->state = kinds[any(ARRAY_SIZE(kinds))];
    m->on[c] = -1;
}

static inline void toggle_call(struct machine *m, int i)
{
    struct task *k = &m->tasks[i];

    if (k->call < 0) {
        k->call = (int)any(ARRAY_SIZE(call_names));
        k->call_t0 = m->x;
    } else {
        if (chance(95)) /* or it is not recorded */
            *vec_push(&m->w->calls) = (struct happening){
                .t0 = k->call_t0, .t1 = m->x, .tid = TID + i, .name = call_names[k->call]
            };
        k->call = -1;
    }
    k->state = k->call >= 0 ? TS_SYSCALL : TS_USER;
}

/* One interrupt may follow another at once, and some are not recorded. */
static inline bool interrupts(struct machine *m, int c)
{
    static const char *const names[] = { "eth0", "ahci", "net_rx", "block" };
    int before = m->nirqs[c], n = before;

    if (n && chance(30)) {
        struct happening *h = &m->irqs[c][--n];

        h->t1 = m->x;
        if (h->by)
            *vec_push(&m->w->irqs) = *h;
    }
    if (n < 2 && chance(6) && (n == 0 || m->irqs[c][0].kind == IRQ_SOFT)) {
        bool soft = n == 0 && chance(50);

        m->irqs[c][n] = (struct happening){ .t0 = m->x,
                                            .kind = soft ? IRQ_SOFT : IRQ_HARD,
                                            .by = chance(90),
                                            .cpu = c,
                                            .tid = m->on[c] < 0 ? 0 : TID + m->on[c],
                                            .name = names[2 * soft + any(2)] };
        n++;
    }
    m->nirqs[c] = n;
    return before || n;
}

static inline void step_cpu(struct machine *m, int c)
{
    int i = m->on[c], next;

    if (interrupts(m, c))
        return;
    if (i < 0) {
        if (chance(40) && (next = pick(m)) >= 0)
            run_on(m, c, next);
    } else if (chance(6)) {
        sleeps(m, c);
    } else if (chance(5) && (next = pick(m)) >= 0) {
        bool off = chance(10); /* put off for nobody */

        begin_wait(m, i, TS_PREEMPTED, off ? WAIT_PUT_OFF : WAIT_PREEMPTED, off ? -1 : TID + next,
                   WAKE_UNKNOWN);
        run_on(m, c, next);
    } else if (chance(8)) {
        toggle_call(m, i);
    }
}

/* By a thread that runs, by one that did a moment ago, by an interrupt, or nobody knows. */
static inline void wake(struct machine *m, int i)
{
    int c = (int)any(CPUS);
    int64_t tid = m->on[c] < 0 ? 0 : TID + m->on[c];

    if (m->nirqs[c])
        begin_wait(m, i, TS_WAIT, WAIT_WOKEN, tid,
                   m->irqs[c][m->nirqs[c] - 1].kind == IRQ_SOFT ? WAKE_SOFTIRQ : WAKE_IRQ);
    else if (tid)
        begin_wait(m, i, TS_WAIT, WAIT_WOKEN, tid, chance(95) ? WAKE_THREAD : WAKE_FORK);
    else if (chance(40))
        begin_wait(m, i, TS_WAIT, WAIT_WOKEN, TID + any((unsigned)m->w->threads + 1), WAKE_THREAD);
    else if (chance(20))
        begin_wait(m, i, TS_WAIT, WAIT_WOKEN, chance(50) ? NOBODY : -1,
                   chance(50) ? WAKE_UNKNOWN : WAKE_THREAD);
}

static inline void step_thread(struct machine *m, int i)
{
    struct task *k = &m->tasks[i];
    int c = (int)any(CPUS), parent = m->on[c];

    if (k->life == SLEEPS && chance(5)) {
        wake(m, i);
        if (k->life == READY && m->on[c] < 0 && m->nirqs[c] == 0 && chance(30))
            run_on(m, c, i); /* at once */
    } else if (k->life == UNBORN && chance(2) && parent >= 0 && m->nirqs[c] == 0) {
        begin_wait(m, i, TS_WAIT, WAIT_WOKEN, TID + parent, chance(90) ? WAKE_FORK : WAKE_THREAD);
    } else if (k->life == UNBORN && chance(1)) {
        k->life = SLEEPS;
        k->state = TS_BLOCKED_OTHER;
    }
}

static inline void record(const struct machine *m)
{
    for (int i = 0; i < m->w->threads; i++) {
        const struct task *k = &m->tasks[i];
        bool in = k->life == RUNS && m->nirqs[k->cpu];

        m->w->state[i][m->x] = k->life == UNBORN                                        ? NONE
                               : !in                                                    ? k->state
                               : m->irqs[k->cpu][m->nirqs[k->cpu] - 1].kind == IRQ_SOFT ? TS_SOFTIRQ
                                                                                        : TS_IRQ;
    }
    for (int c = 0; c < CPUS; c++)
        m->w->on[c][m->x] = m->x < m->blind[c] ? NONE : m->on[c] < 0 ? 0 : TID + m->on[c];
}

/* Requests have nothing to do with who sleeps for a disk: any that fits must be found. */
static inline void request(struct world *w, int x)
{
    int t0 = x - (int)any(60);

    if (t0 >= 0)
        *vec_push(&w->requests) = (struct happening){ .t0 = t0,
                                                      .t1 = x,
                                                      .issued = chance(90) ? t0 + (x - t0) / 2 : -1,
                                                      .tid = TID + any((unsigned)w->threads) };
}

static inline struct world run_world(uint64_t seed)
{
    rng = seed * 2654435761u + 88172645463325252u;
    struct world w = world_new(2 + (int)any(7), 100 + (int)any(500));
    struct machine m = { .w = &w };

    for (int i = 0; i < w.threads; i++) {
        m.tasks[i] = (struct task){ .wait = -1, .call = -1, .state = TS_BLOCKED_FUTEX };
        m.tasks[i].life = chance(70) ? SLEEPS : UNBORN;
    }
    for (int c = 0; c < CPUS; c++)
        m.on[c] = -1;
    for (m.x = 0; m.x < w.len; m.x++) {
        for (int c = 0; c < CPUS; c++) {
            step_cpu(&m, c);
            if (chance(1) && chance(30))
                m.blind[c] = m.x + (int)any(40);
        }
        for (int i = 0; i < w.threads; i++)
            step_thread(&m, i);
        if (chance(4))
            request(&w, m.x);
        record(&m);
    }
    for (int i = 0; i < w.threads; i++)
        if (m.tasks[i].call >= 0)
            *vec_push(&w.calls) = (struct happening){ .t0 = m.tasks[i].call_t0,
                                                      .t1 = -1,
                                                      .tid = TID + i,
                                                      .name = call_names[m.tasks[i].call] };
    return w;
}

#endif
