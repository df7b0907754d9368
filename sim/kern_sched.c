/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_sched.c -- run queues: who runs where, see kern_priv.h.
 *
 * Every CPU has a queue per priority and takes the first of the best.  Equals
 * take turns by time slices; a better one that wakes up takes the CPU at once.
 * A thread that wakes goes to its last CPU if that is idle, else to any idle
 * one, else to the one with the shortest queue; idle and under-loaded CPUs
 * take waiting threads from the busiest. */
#include "sim/kern_priv.h"

#include <assert.h>
#include <stdlib.h>

/* --- Timers ----------------------------------------------------------------- */

static bool earlier(const struct ktimer *a, const struct ktimer *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void kern_timer(struct kern *k, ns_t at, enum ktimer_kind kind, void *what, uint32_t token)
{
    struct ktimer t = { .at = at, .seq = k->seq++, .kind = kind, .token = token, .what = what };
    size_t i = k->heap.n;

    vec_push(&k->heap);
    while (i > 0 && earlier(&t, &k->heap.at[(i - 1) / 2])) {
        k->heap.at[i] = k->heap.at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    k->heap.at[i] = t;
}

bool kern_timer_pop(struct kern *k, struct ktimer *ret)
{
    if (k->heap.n == 0)
        return false;
    *ret = k->heap.at[0];
    struct ktimer last = k->heap.at[--k->heap.n];
    size_t i = 0;

    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= k->heap.n)
            break;
        if (child + 1 < k->heap.n && earlier(&k->heap.at[child + 1], &k->heap.at[child]))
            child++;
        if (!earlier(&k->heap.at[child], &last))
            break;
        k->heap.at[i] = k->heap.at[child];
        i = child;
    }
    if (k->heap.n)
        k->heap.at[i] = last;
    return true;
}

/* Winners of a tree of CPUs: 'winner[1]' is the CPU that wants to be first. */
void kern_rearm(struct kern *k, struct kcpu *c)
{
    k->next_at[c->id] = c->end_at < c->tick_at ? c->end_at : c->tick_at;
    for (unsigned i = (k->leaves + c->id) / 2; i >= 1; i /= 2) {
        uint32_t a = 2 * i < k->leaves ? k->winner[2 * i] : 2 * i - k->leaves;
        uint32_t b = 2 * i + 1 < k->leaves ? k->winner[2 * i + 1] : 2 * i + 1 - k->leaves;

        k->winner[i] = k->next_at[a] <= k->next_at[b] ? a : b;
    }
}

/* --- Run queues -------------------------------------------------------------- */

static unsigned level_of(const struct ktask *t)
{
    return (unsigned)(t->prio + PRIO_SHIFT);
}

static bool is_idle(const struct kcpu *c)
{
    return c->curr == &c->idle && c->waiting == 0;
}

static void note_idle(struct kern *k, const struct kcpu *c)
{
    uint64_t bit = UINT64_C(1) << (c->id % 64);

    if (is_idle(c))
        k->idle_mask[c->id / 64] |= bit;
    else
        k->idle_mask[c->id / 64] &= ~bit;
}

static void enqueue(struct kern *k, struct kcpu *c, struct ktask *t, bool first)
{
    unsigned level = level_of(t);

    assert(!t->queued && !t->running);
    t->cpu = c;
    t->queued = true;
    if (!c->head[level]) {
        t->next = NULL;
        c->head[level] = c->tail[level] = t;
        c->some[level / 64] |= UINT64_C(1) << (level % 64);
    } else if (first) {
        t->next = c->head[level];
        c->head[level] = t;
    } else {
        t->next = NULL;
        c->tail[level]->next = t;
        c->tail[level] = t;
    }
    c->waiting++;
    note_idle(k, c);
}

static unsigned best_level(const struct kcpu *c)
{
    for (unsigned i = 0; i < ARRAY_SIZE(c->some); i++)
        if (c->some[i])
            return i * 64 + (unsigned)__builtin_ctzll(c->some[i]);
    return KERN_LEVELS;
}

static bool may_run(const struct ktask *t, const struct kcpu *c)
{
    return (t->allowed.bits[c->id / 64] >> (c->id % 64)) & 1;
}

/* Takes the first thread of the queue of 'c' that may run on 'on', or NULL. */
static struct ktask *dequeue(struct kern *k, struct kcpu *c, const struct kcpu *on)
{
    for (unsigned level = best_level(c); level < KERN_LEVELS; level++) {
        struct ktask **at = &c->head[level], *before = NULL;

        while (*at && !may_run(*at, on)) {
            before = *at;
            at = &(*at)->next;
        }
        if (!*at)
            continue;
        struct ktask *t = *at;

        *at = t->next;
        if (c->tail[level] == t)
            c->tail[level] = before;
        if (!c->head[level])
            c->some[level / 64] &= ~(UINT64_C(1) << (level % 64));
        t->next = NULL;
        t->queued = false;
        c->waiting--;
        note_idle(k, c);
        return t;
    }
    return NULL;
}

static void emit_migrate(struct kern *k, struct kcpu *c, struct ktask *t, const struct kcpu *to)
{
    t->migrations++;
    kern_emit(k, c, EV_MIGRATE,
              (struct ctfw_val[]){ kern_comm(t), ctfw_i(t->tid), ctfw_i(t->prio),
                                   ctfw_i(t->cpu->id), ctfw_i(to->id) });
}

bool kern_pull(struct kern *k, struct kcpu *c, unsigned at_least)
{
    struct kcpu *busiest = NULL;

    for (unsigned i = 0; i < k->n_cpus; i++) {
        struct kcpu *o = &k->cpus[i];

        if (o != c && o->waiting >= at_least && (!busiest || o->waiting > busiest->waiting))
            busiest = o;
    }
    struct ktask *t = busiest ? dequeue(k, busiest, c) : NULL;

    if (!t)
        return false;
    emit_migrate(k, c, t, c);
    enqueue(k, c, t, false);
    return true;
}

/* --- Switching ---------------------------------------------------------------- */

static void nap(struct kern *k, struct kcpu *c, bool begin)
{
    if (c->napping == begin)
        return;
    c->napping = begin;
    kern_emit(k, c, EV_CPU_IDLE,
              (struct ctfw_val[]){ ctfw_u(begin ? 2 : UINT32_MAX), ctfw_u(c->id) });
}

/* The CPU leaves its thread, which goes to sleep or has ended ('going'), or is
 * still runnable, for the best that waits. */
static void switch_to_best(struct kern *k, struct kcpu *c)
{
    struct ktask *prev = c->curr, *next;
    bool involuntary = prev->going == GO_ON;
    int64_t state =
        involuntary ? (prev->mode == MODE_USER || prev == &c->idle ? 0 : 256) : prev->sleep_state;

    if (prev == &c->idle)
        nap(k, c, false);
    if (prev->mode == MODE_GUEST && prev->vcpu->in_guest) {
        prev->left = prev->left > 0 ? prev->left : 1;
        kern_guest_leave(k, c, prev, KX_EXTERNAL_INTERRUPT);
    }
    next = dequeue(k, c, c);
    prev->running = false;
    if (involuntary && prev != &c->idle)
        enqueue(k, c, prev, !c->slice_over);
    if (!next && kern_pull(k, c, 1))
        next = dequeue(k, c, c);
    next = next ? next : &c->idle;
    ns_t ts = kern_emit(k, c, EV_SWITCH,
                        (struct ctfw_val[]){ kern_comm(prev), ctfw_i(prev->tid), ctfw_i(prev->prio),
                                             ctfw_i(state), kern_comm(next), ctfw_i(next->tid),
                                             ctfw_i(next->prio) });

    account_switch(k, c, prev, next, involuntary, ts);
    c->curr = next;
    next->running = true;
    next->cpu = c;
    c->slice_over = false;
    c->slice_end = ts + k->conf->slice_ns;
    if (next == &c->idle) {
        c->tick_at = KERN_NEVER;
    } else if (c->tick_at == KERN_NEVER) {
        ns_t tick = k->conf->tick_ns;
        ns_t phase = (ts - k->begin + (ns_t)c->id * 31000) % tick;

        c->tick_at = ts + tick - phase;
    }
    note_idle(k, c);
    if (prev->going == GO_DEAD)
        kern_task_over(k, prev);
    else
        prev->going = GO_ON;
}

static bool must_switch(const struct kcpu *c)
{
    unsigned best = best_level(c);

    if (best == KERN_LEVELS)
        return false;
    if (c->curr == &c->idle)
        return true;
    return best < level_of(c->curr) || (c->slice_over && best == level_of(c->curr));
}

void kern_continue(struct kern *k, struct kcpu *c)
{
    assert(c->level == LEVEL_BASE && !c->soft_active);
    for (;;) {
        struct ktask *t = c->curr;

        if (t->going != GO_ON || must_switch(c)) {
            switch_to_best(k, c);
            continue;
        }
        c->slice_over = false;
        if (t == &c->idle) {
            nap(k, c, true);
            c->end_at = KERN_NEVER;
            break;
        }
        if (t->left > 0) {
            if (t->mode == MODE_GUEST && !t->vcpu->in_guest)
                kern_guest_enter(k, c, t);
            c->end_at = k->now + t->left;
            break;
        }
        t->step(k, c, t);
    }
    kern_rearm(k, c);
}

void kern_pause(struct kern *k, struct kcpu *c)
{
    struct ktask *t = c->curr;

    if (t == &c->idle) {
        nap(k, c, false);
        return;
    }
    t->left = c->end_at > k->now ? c->end_at - k->now : 1;
    if (t->mode == MODE_GUEST && t->vcpu->in_guest)
        kern_guest_leave(k, c, t, KX_EXTERNAL_INTERRUPT);
}

/* --- Waking -------------------------------------------------------------------- */

static struct kcpu *place(struct kern *k, const struct ktask *t)
{
    struct kcpu *best = NULL;

    if (is_idle(t->cpu) && may_run(t, t->cpu))
        return t->cpu;
    for (unsigned i = 0; i < ARRAY_SIZE(k->idle_mask); i++) {
        uint64_t free_here = k->idle_mask[i] & t->allowed.bits[i];

        if (free_here)
            return &k->cpus[i * 64 + (unsigned)__builtin_ctzll(free_here)];
    }
    if (may_run(t, t->cpu))
        best = t->cpu;
    for (unsigned i = 0; i < k->n_cpus; i++)
        if (may_run(t, &k->cpus[i]) && (!best || k->cpus[i].waiting < best->waiting))
            best = &k->cpus[i];
    assert(best);
    return best;
}

/* The thread was put into the queue of its CPU by code on 'c'. */
static void ask_to_switch(struct kern *k, struct kcpu *c, struct kcpu *target)
{
    if (target == c || target->ipi || !must_switch(target))
        return; /* 'c' looks when it is back at its base */
    target->ipi = true;
    kern_timer(k, k->now + 900 + (ns_t)rng_below(&k->rng, 1200), TM_RESCHED, target, 0);
}

/* What woke a thread: the innermost context of the CPU, else its call. */
static enum block_cause cause_of(const struct kcpu *c, const struct ktask *t)
{
    if (c->level == LEVEL_HARD) {
        if (c->hard.kind == IRQ_DISK)
            return BY_DISK;
        if (c->hard.kind == IRQ_NIC)
            return BY_NETWORK;
        if (c->hard.kind == IRQ_HRTIMER)
            return BY_TIMER;
    } else if (c->level == LEVEL_SOFT) {
        if (c->soft_vec == SOFT_BLOCK)
            return BY_DISK;
        if (c->soft_vec == SOFT_NET_RX || c->soft_vec == SOFT_NET_TX)
            return BY_NETWORK;
        if (c->soft_vec == SOFT_TIMER)
            return BY_TIMER;
    }
    if (t->sys_known && t->sys == SYS_FUTEX)
        return BY_FUTEX;
    if (t->sys_known && t->sys == SYS_NANOSLEEP)
        return BY_TIMER;
    return BY_OTHER;
}

static ns_t emit_wake(struct kern *k, struct kcpu *c, enum kev e, const struct ktask *t,
                      const struct kcpu *target)
{
    return kern_emit(
        k, c, e,
        (struct ctfw_val[]){ kern_comm(t), ctfw_i(t->tid), ctfw_i(t->prio), ctfw_i(target->id) });
}

static double usage_of(const struct ktask *t)
{
    double all = (double)(t->run_ns + t->woken_ns + t->preempted_ns + t->blocked_sum);

    return all > 0 ? (double)t->run_ns / all : 0;
}

/* Of equals, one that has slept most of the time takes the CPU from one that has not, as a fair
 * scheduler has it: its share is far from used. */
static bool is_owed(const struct kern *k, const struct ktask *t, const struct kcpu *target)
{
    const struct ktask *curr = target->curr;

    return k->conf->fair && curr != &target->idle && level_of(curr) == level_of(t) &&
           usage_of(t) < 0.5 * usage_of(curr);
}

void kern_wake(struct kern *k, struct kcpu *c, struct ktask *t)
{
    assert(!t->running && !t->queued && !t->unborn);
    enum block_cause cause = cause_of(c, t);

    t->token++;
    if (t->timer_armed) {
        t->timer_armed = false;
        if (!(c->level == LEVEL_HARD && c->hard.kind == IRQ_HRTIMER && c->hard.what == t))
            kern_emit(k, c, EV_HRTIMER_CANCEL, (struct ctfw_val[]){ ctfw_u(kern_address(t)) });
    }
    emit_wake(k, c, EV_WAKING, t, t->cpu);
    struct kcpu *target = place(k, t);

    if (target != t->cpu)
        emit_migrate(k, c, t, target);
    ns_t ts = emit_wake(k, c, EV_WAKEUP, t, target);

    account_wakeup(t, cause, ts);
    bool owed = is_owed(k, t, target);

    enqueue(k, target, t, owed);
    target->slice_over |= owed;
    ask_to_switch(k, c, target);
}

void kern_wake_new(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kcpu *target = place(k, t);
    ns_t ts = emit_wake(k, c, EV_WAKEUP_NEW, t, target);

    account_wakeup(t, BY_OTHER, ts);
    enqueue(k, target, t, false);
    ask_to_switch(k, c, target);
}

void kern_kick(struct kern *k, struct kcpu *c, struct ktask *t)
{
    if (t->dead)
        return;
    if (!t->running && !t->queued && !t->unborn && t->sleep_state != SLEEP_DISK) {
        kern_wake(k, c, t);
        return;
    }
    /* It sees that when it wants to sleep.  If it was about to, the kernel
     * writes the events of a wake-up, though nothing changes. */
    t->kicked = true;
    if ((t->running || t->queued) && t->mode == MODE_KERNEL && rng_below(&k->rng, 4) == 0) {
        emit_wake(k, c, EV_WAKING, t, t->cpu);
        emit_wake(k, c, EV_WAKEUP, t, t->cpu);
    }
}
