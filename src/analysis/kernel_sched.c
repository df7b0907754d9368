/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_sched.c -- the scheduler: who gets a CPU, who waits for one, and why.
 *
 * sched_switch gives prev's state in a form that differs between kernels.  Runnable: 0; since
 * Linux 4.14, when it was pre-empted, TASK_REPORT_MAX alone (256); before, that bit was one
 * above all states (512 to 4096).  So it is runnable if none of the low eight bits is set
 * (include/trace/events/sched.h, include/linux/sched.h).  A kernel before 4.14 can pre-empt a
 * thread that was about to sleep, with a low bit set as well: it counts as asleep.
 *
 * sched_wakeup says that a thread can run from now on; sched_waking, earlier and on the
 * CPU of the waker, who wants that. */
#include "analysis/kernel.h"

enum {
    STATE_LOW = 0xff,
    STATE_STOPPED = 0x0c, /* TASK_STOPPED, TASK_TRACED */
    STATE_DEAD = 0x30,    /* EXIT_DEAD, EXIT_ZOMBIE    */
    STATE_PARKED = 0x40,  /* since 4.14; before, TASK_DEAD */
    VEC_TIMER = 1,        /* softirqs, include/linux/interrupt.h */
    VEC_NET_TX = 2,
    VEC_NET_RX = 3,
    VEC_BLOCK = 4,
    VEC_HRTIMER = 8,
};

/* --- waking ---------------------------------------------------------------------- */

/* What a sleep waited for, by what ended it. */
static enum thread_state cause_of(const struct kcpu *c, const struct waking *w,
                                  const struct kthread *th)
{
    if (w->why == WAKE_IRQ || w->why == WAKE_SOFTIRQ) {
        if (c && c->nest && c->disk_t >= c->frames[0].t0)
            return TS_BLOCKED_DISK;
    }
    if (w->why == WAKE_SOFTIRQ) {
        if (w->nr == VEC_BLOCK)
            return TS_BLOCKED_DISK;
        if (w->nr == VEC_NET_RX || w->nr == VEC_NET_TX)
            return TS_BLOCKED_NET;
        if (w->nr == VEC_TIMER || w->nr == VEC_HRTIMER)
            return TS_BLOCKED_TIMER;
    }
    if (w->why == WAKE_TIMER)
        return TS_BLOCKED_TIMER;
    if (th->call && th->call_kind == CALL_FUTEX)
        return TS_BLOCKED_FUTEX;
    if (th->call && th->call_kind == CALL_SLEEP)
        return TS_BLOCKED_TIMER;
    return TS_BLOCKED_OTHER;
}

static bool is_blocked(const struct kthread *th)
{
    return th->state >= TS_BLOCKED_DISK && th->state <= TS_STOPPED;
}

void kernel_waking(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_waking *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    if (!th)
        return;
    kernel_name(th, ev->comm);
    if (th->state == TS_WAIT || th->state == TS_PREEMPTED)
        return; /* it can run already: who made it wait is what counts */
    kernel_waker(k, c, &th->waking);
    th->waking.t = h->t;
    th->waking.cause = (uint8_t)cause_of(c, &th->waking, th);
}

/* What the thread was in the middle of took so much longer. */
static void was_off(struct kthread *th, ns_t ns, bool blocked)
{
    *(blocked ? &th->call_blocked : &th->call_waited) += ns;
    kernel_guest_off(th, ns, blocked);
}

/* The thread can run from 't' on. */
static void becomes_ready(struct kernel *k, struct kthread *th, ns_t t)
{
    if (is_blocked(th) && th->state != TS_STOPPED && th->waking.t >= th->since)
        kernel_was(k, th, (enum thread_state)th->waking.cause);
    if (is_blocked(th))
        was_off(th, t - th->since, true);
    th->ready = t;
    th->wait_kind = WAIT_WOKEN;
    kernel_set(k, th, t, TS_WAIT);
}

static void wake(struct kernel *k, struct kcpu *c, const struct ev_head *h,
                 const struct ev_sched_wakeup *ev)
{
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    k->wakeups = true;
    if (!th)
        return;
    kernel_name(th, ev->comm);
    kernel_gaps(k, th, h->t, TS_WAIT);
    if (th->cpu || th->state == TS_WAIT || th->state == TS_PREEMPTED)
        return;                     /* it runs, or can already */
    if (th->waking.t < th->since) { /* kernels before 4.3, or it is not recorded */
        kernel_waker(k, c, &th->waking);
        th->waking.t = h->t;
        th->waking.cause = (uint8_t)cause_of(c, &th->waking, th);
    }
    becomes_ready(k, th, h->t);
}

void kernel_wakeup(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *ev)
{
    wake(k, c, h, ev);
}

void kernel_wakeup_new(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_wakeup_new *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    k->wakeups = true;
    if (!th || th->cpu)
        return;
    kernel_name(th, ev->comm);
    kernel_waker(k, c, &th->waking);
    th->waking.t = h->t;
    th->waking.why = WAKE_FORK;
    th->ready = h->t;
    th->wait_kind = WAIT_WOKEN;
    kernel_set(k, th, h->t, TS_WAIT);
}

/* --- off and on a CPU ---------------------------------------------------------------- */

static void goes_off(struct kernel *k, struct kthread *th, const struct ev_sched_switch *ev, ns_t t)
{
    bool runnable = (ev->prev_state & STATE_LOW) == 0;

    bool dead = ev->prev_state & STATE_DEAD ||
                (ev->prev_state & STATE_PARKED && (th->ends || th->is_kernel != 1));

    th->cpu = NULL;
    if (dead) {
        kernel_thread_ends(k, th, t);
    } else if (runnable) {
        th->wait_kind = ev->next_tid ? WAIT_PREEMPTED : WAIT_PUT_OFF;
        th->waking = (struct waking){ t, (int32_t)ev->next_tid, 0, WAKE_UNKNOWN, 0 };
        th->ready = t;
        kernel_set(k, th, t, ev->next_tid ? TS_PREEMPTED : TS_WAIT);
    } else if (ev->prev_state & STATE_STOPPED) {
        kernel_set(k, th, t, TS_STOPPED);
    } else {
        bool futex = th->call && th->call_kind == CALL_FUTEX;
        bool sleep = th->call && th->call_kind == CALL_SLEEP;

        kernel_set(k, th, t,
                   futex   ? TS_BLOCKED_FUTEX
                   : sleep ? TS_BLOCKED_TIMER
                           : TS_BLOCKED_OTHER);
    }
}

static void wait_ended(struct kernel *k, struct kthread *th, const struct kcpu *c, ns_t t)
{
    cell_t cells[cpu_wait_columns] = {
        [C_cpu_wait_t0] = th->ready,       [C_cpu_wait_t1] = t,
        [C_cpu_wait_tid] = th->tid,        [C_cpu_wait_cpu] = c ? c->no : STORE_NULL,
        [C_cpu_wait_kind] = th->wait_kind, [C_cpu_wait_by] = th->waking.by,
        [C_cpu_wait_why] = th->waking.why, [C_cpu_wait_nr] = th->waking.nr,
        [C_cpu_wait_prio] = th->prio
    };

    if (!c)
        cells[C_cpu_wait_t1] = STORE_NULL; /* it still waits at the end */
    pass_record(k->p, TABLE_cpu_wait, cells);
}

static void goes_on(struct kernel *k, struct kcpu *c, struct kthread *th, ns_t t)
{
    if (th->state == TS_NONE) { /* forked, and sched_wakeup_new is not recorded */
        kernel_waker(k, NULL, &th->waking);
        th->waking.why = WAKE_FORK;
        kernel_set(k, th, th->ready, TS_WAIT);
    }
    if (is_blocked(th)) { /* its wake-up was not written */
        if (th->waking.t >= th->since)
            becomes_ready(k, th, th->waking.t);
        else
            k->odd.unwoken++;
    }
    kernel_gaps(k, th, t, TS_RUNNING);
    if ((th->state == TS_WAIT || th->state == TS_PREEMPTED) && th->ready > NS_MIN) {
        wait_ended(k, th, c, t);
        was_off(th, t - th->ready, false);
    }
    th->ready = th->waking.t = NS_MIN;
}

void kernel_switch(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_switch *ev = evp;
    struct kthread *prev = kernel_thread(k, ev->prev_tid, h->t);
    struct kthread *next = kernel_thread(k, ev->next_tid, h->t);

    if (c->nest) { /* no CPU leaves its thread from within an interrupt */
        k->odd.irq_entries += c->nest;
        kernel_irqs_forget(c);
    }
    if (!c->known || c->thread != prev)
        kernel_runs(k, c, prev, h->t);
    c->lost_until = NS_MIN;
    if (prev) {
        kernel_name(prev, ev->prev_comm);
        if (prev != next)
            goes_off(k, prev, ev, h->t);
    }
    c->thread = NULL;
    if (next && next->cpu && next->cpu != c) { /* it left that one unseen */
        struct kcpu *other = next->cpu;

        k->odd.switches++;
        kernel_was(k, next, TS_UNKNOWN);
        kernel_cpu_unknown(k, other, h->t);
    }
    if (next) {
        kernel_name(next, ev->next_comm);
        goes_on(k, c, next, h->t);
        next->prio = (int32_t)ev->next_prio;
        next->cpu = c;
        next->last_cpu = (int32_t)c->no;
    }
    c->known = true;
    c->thread = next;
    kernel_show(k, c, h->t);
}

void kernel_waits_finish(struct kernel *k)
{
    for (size_t i = 0; i < ARRAY_SIZE(k->pages); i++)
        for (size_t j = 0; k->pages[i] && j < TID_PAGE; j++) {
            struct kthread *th = k->pages[i][j];

            if (th && !th->dead && !th->cpu && th->ready > NS_MIN &&
                (th->state == TS_WAIT || th->state == TS_PREEMPTED))
                wait_ended(k, th, NULL, k->t1);
        }
}
