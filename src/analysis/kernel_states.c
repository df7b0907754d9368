/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_states.c -- what threads and CPUs do, as states in the history, also where
 * events were lost.
 *
 * LTTng loses events when the ring buffer of a CPU is full: the last packet that was
 * written before counts them, and ends when there is room again.  So they were lost after
 * the last event that the CPU wrote, and before that end.  In such a gap the CPU's
 * state is unknown, that of the thread that was on it, and that of all threads that were on no CPU:
 * the lossy one may have woken or run any of them.  A thread that ran elsewhere meanwhile is
 * certain.  Where the trace tells only at the end of a gap that there was one (ftrace), what was
 * said of threads in it that were on no CPU stands until then. */
#include "analysis/kernel.h"

/* Where the state of a thread that is on no CPU is unknown within [since, t); false: nowhere. */
static bool unknown_part(struct kernel *k, struct kthread *th, ns_t t, struct span *ret)
{
    *ret = (struct span){ NS_MAX, NS_MIN };
    for (; th->gaps < k->gaps.n; th->gaps++) {
        const struct gap *g = &k->gaps.at[th->gaps];
        ns_t t0 = g->t0 > th->since ? g->t0 : th->since, t1 = g->t1 < t ? g->t1 : t;

        if (t0 >= t1)
            continue;
        ret->t0 = t0 < ret->t0 ? t0 : ret->t0;
        ret->t1 = t1 > ret->t1 ? t1 : ret->t1;
    }
    return ret->t0 < ret->t1;
}

/* What a thread did since the last gap, if the event that comes now begins 'next': a
 * thread that is put on a CPU had been waiting for it, one that is woken had slept. */
static enum thread_state before(const struct kernel *k, const struct kthread *th,
                                enum thread_state next)
{
    bool waited = th->state == TS_WAIT || th->state == TS_PREEMPTED;
    bool slept = th->state >= TS_BLOCKED_DISK && th->state <= TS_BLOCKED_OTHER;

    if (next == TS_WAIT)
        return slept ? th->state : TS_BLOCKED_OTHER;
    if (next < TS_WAIT && next != TS_UNKNOWN && k->wakeups)
        return waited ? th->state : TS_WAIT;
    return TS_UNKNOWN;
}

static void across_gaps(struct kernel *k, struct kthread *th, ns_t t, enum thread_state next)
{
    enum thread_state then = before(k, th, next);
    struct span s;

    if (th->cpu || th->state == TS_UNKNOWN || !unknown_part(k, th, t, &s)) {
        th->gaps = (uint32_t)k->gaps.n;
        return;
    }
    store_set(k->s, th->attr, s.t0, TS_UNKNOWN);
    th->since = s.t0;
    th->state = TS_UNKNOWN;
    th->ready = th->waking.t = NS_MIN; /* it may have run since */
    if (then == TS_UNKNOWN || s.t1 >= t)
        return;
    store_set(k->s, th->attr, s.t1, then);
    th->since = s.t1;
    th->state = (uint8_t)then;
}

void kernel_gaps(struct kernel *k, struct kthread *th, ns_t t, enum thread_state next)
{
    if (th->gaps != k->gaps.n)
        across_gaps(k, th, t, next);
}

void kernel_set(struct kernel *k, struct kthread *th, ns_t t, enum thread_state state)
{
    kernel_gaps(k, th, t, state);
    if (k->losing && state >= TS_WAIT && state <= TS_STOPPED) {
        state = TS_UNKNOWN; /* the CPU that loses may have run it a moment later */
        th->ready = NS_MIN;
    }
    if (th->state == state)
        return;
    store_set(k->s, th->attr, t, state);
    th->state = (uint8_t)state;
    th->since = t;
}

void kernel_was(struct kernel *k, struct kthread *th, enum thread_state state)
{
    if (th->state == state)
        return;
    store_revise(k->s, th->attr, state);
    th->state = (uint8_t)state;
}

static enum cpu_state cpu_state_of(enum thread_state s)
{
    static const uint8_t states[] = {
        [TS_USER] = CS_USER,       [TS_SYSCALL] = CS_SYSCALL, [TS_KERNEL] = CS_KERNEL,
        [TS_RUNNING] = CS_RUNNING, [TS_GUEST] = CS_GUEST,     [TS_HYPERVISOR] = CS_HYPERVISOR,
        [TS_IRQ] = CS_IRQ,         [TS_SOFTIRQ] = CS_SOFTIRQ,
    };

    return s < ARRAY_SIZE(states) ? (enum cpu_state)states[s] : CS_UNKNOWN;
}

/* TS_IRQ, TS_SOFTIRQ, or TS_UNKNOWN if the CPU is in neither. */
static enum thread_state interrupt(const struct kcpu *c)
{
    for (uint32_t i = c->nest; i-- > 0;)
        if (c->frames[i].kind != IRQ_TIMER)
            return c->frames[i].kind == IRQ_SOFT ? TS_SOFTIRQ : TS_IRQ;
    return c->nest ? TS_IRQ : TS_UNKNOWN;
}

static void set_cpu(struct kernel *k, struct kcpu *c, ns_t t, enum cpu_state state, int64_t thread)
{
    if (c->state != state) {
        store_set(k->s, c->state_attr, t, state);
        c->state = (uint8_t)state;
    }
    if (c->told_thread != thread) {
        store_set(k->s, c->thread_attr, t, thread);
        c->told_thread = thread;
    }
}

void kernel_show(struct kernel *k, struct kcpu *c, ns_t t)
{
    enum thread_state irq = c->nest ? interrupt(c) : TS_UNKNOWN;
    struct kthread *th = c->thread;

    if (!c->known) {
        set_cpu(k, c, t, cpu_state_of(irq), STORE_NULL);
        return;
    }
    if (!th) {
        set_cpu(k, c, t, irq != TS_UNKNOWN ? cpu_state_of(irq) : CS_IDLE, 0);
        return;
    }
    enum thread_state s = irq != TS_UNKNOWN ? irq : (enum thread_state)th->mode;
    kernel_set(k, th, t, s);
    set_cpu(k, c, t, cpu_state_of(s), th->tid);
}

void kernel_cpu_unknown(struct kernel *k, struct kcpu *c, ns_t t)
{
    if (c->thread) {
        struct kthread *th = c->thread;

        th->cpu = NULL;
        th->ready = th->waking.t = NS_MIN;
        kernel_set(k, th, t > th->since ? t : th->since, TS_UNKNOWN);
        th->gaps = (uint32_t)k->gaps.n;
        th->call = 0;
    }
    c->thread = NULL;
    c->known = false;
    c->nest = 0;
    set_cpu(k, c, t, CS_UNKNOWN, STORE_NULL);
}

void kernel_runs(struct kernel *k, struct kcpu *c, struct kthread *th, ns_t t)
{
    ns_t from = c->lost_until;

    if (c->known && c->thread == th)
        return;
    if (c->known) { /* something is missing that nobody counted */
        k->odd.switches++;
        if (c->thread) {
            c->thread->cpu = NULL;
            kernel_was(k, c->thread, TS_UNKNOWN);
        }
        from = NS_MIN;
    }
    if (th && th->cpu) { /* it left the other CPU unseen */
        th->cpu->thread = NULL;
        th->cpu->known = false;
        kernel_was(k, th, TS_UNKNOWN);
    }
    /* Since the end of the gap nothing else came onto this CPU. */
    if (from > NS_MIN && from < t) {
        if (th && th->since <= from) {
            kernel_set(k, th, from, TS_RUNNING);
            th->gaps = (uint32_t)k->gaps.n;
        }
        set_cpu(k, c, from, th ? CS_RUNNING : CS_IDLE, th ? th->tid : 0);
    }
    c->known = true;
    c->thread = th;
    if (th) {
        th->cpu = c;
        th->last_cpu = (int32_t)c->no;
    }
    kernel_show(k, c, t);
}

static ns_t gap_begin(const struct kernel *k, const struct kcpu *c)
{
    return c->last_t > NS_MIN ? c->last_t : k->p->t0;
}

static void lost_on(struct kernel *k, struct kcpu *c, ns_t t)
{
    struct gap g = { gap_begin(k, c), t, c->no };

    if (g.t0 >= g.t1)
        g.t0 = g.t1; /* it still is a point behind which nothing is known */
    kernel_cpu_unknown(k, c, g.t0);
    *vec_push(&k->gaps) = g;
    c->lost_until = g.t1;
    kernel_irqs_forget(c);
}

void kernel_lost(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_lost_events *ev = evp;
    cell_t cells[gap_columns] = { [C_gap_t0] = c ? gap_begin(k, c) : k->p->t0,
                                  [C_gap_t1] = h->t,
                                  [C_gap_cpu] = c ? c->no : STORE_NULL,
                                  [C_gap_events] = ev->events };

    if (c) {
        lost_on(k, c, h->t);
    } else { /* whose they were is not known: it can have been any CPU's */
        for (uint32_t i = 0; i < k->ncpus; i++)
            if (k->cpus[i])
                lost_on(k, k->cpus[i], h->t);
    }
    pass_record(k->p, TABLE_gap, cells);
}
