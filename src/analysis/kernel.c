/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel.c -- the kernel layer: hands each event to what keeps the state of threads and
 * CPUs, and says at the end what did not fit together. */
#include "analysis/kernel.h"

#include "analysis/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void start(void *state, struct pass *p)
{
    struct kernel *k = state;

    k->p = p;
    k->s = p->store;
    p->kernel = k;
    k->t0 = NS_MAX;
    k->t1 = NS_MIN;
}

/* Did another tracer of the host lose them?  They say nothing of the kernel. */
static bool is_others_loss(kernel_fn *fn, const void *evp)
{
    const struct ev_lost_events *ev = evp;

    return fn == kernel_lost && ev->domain.n && !str_is(ev->domain, "kernel");
}

/* While the tracer loses events of a CPU. */
static void on_losing(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_losing_events *ev = evp;
    struct kernel *k = state;

    (void)p;
    if (ev->domain.n && !str_is(ev->domain, "kernel"))
        return;
    if (ev->begins) {
        *vec_push(&k->gaps) = (struct gap){ h->t, NS_MAX, h->cpu };
        k->losing++;
        return;
    }
    for (size_t i = k->gaps.n; i-- > 0;)
        if (k->gaps.at[i].t1 == NS_MAX && k->gaps.at[i].cpu == h->cpu) {
            k->gaps.at[i].t1 = h->t;
            k->losing--;
            return;
        }
}

/* Between two traces of the host nothing is known, not even whether who slept still does. */
static void on_untraced(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_untraced *ev = evp;
    struct kernel *k = state;
    cell_t cells[untraced_columns] = { [C_untraced_t0] = ev->since, [C_untraced_t1] = h->t };

    for (uint32_t i = 0; i < k->ncpus; i++)
        if (k->cpus[i]) {
            ns_t last = k->cpus[i]->last_t;

            kernel_cpu_unknown(k, k->cpus[i], last > ev->since ? last : ev->since);
            kernel_irqs_forget(k->cpus[i]);
        }
    *vec_push(&k->gaps) = (struct gap){ ev->since, h->t, UINT32_MAX };
    pass_record(p, TABLE_untraced, cells);
}

/* An event's context names the thread that ran: the only hint where sched_switch is missing,
 * and the process of threads that no dump and no fork told of. */
static void event(struct kernel *k, const struct ev_head *h, const void *ev, kernel_fn *fn)
{
    struct kcpu *c;

    if (is_others_loss(fn, ev))
        return;
    if (fn == kernel_lost && h->cpu == UINT32_MAX) {
        fn(k, NULL, h, ev);
        return;
    }
    if (!(c = kernel_cpu(k, h->cpu, h->t)))
        return;
    if (h->tid >= 0 && h->tid != (c->thread ? c->thread->tid : c->known ? 0 : -1))
        kernel_runs(k, c, kernel_thread(k, h->tid, h->t), h->t);
    if (h->pid > 0 && c->thread && c->thread->pid < 0 && c->thread->tid == h->tid)
        c->thread->pid = (int32_t)h->pid;
    fn(k, c, h, ev);
    c->last_t = h->t;
    k->t0 = h->t < k->t0 ? h->t : k->t0;
    k->t1 = h->t > k->t1 ? h->t : k->t1;
}

/*  H(event, function)  */
#define HANDLERS(H)                                \
    H(EV_LOST_EVENTS, kernel_lost)                 \
    H(EV_SCHED_SWITCH, kernel_switch)              \
    H(EV_SCHED_WAKING, kernel_waking)              \
    H(EV_SCHED_WAKEUP, kernel_wakeup)              \
    H(EV_SCHED_WAKEUP_NEW, kernel_wakeup_new)      \
    H(EV_SCHED_FORK, kernel_fork)                  \
    H(EV_SCHED_EXEC, kernel_exec)                  \
    H(EV_SCHED_EXIT, kernel_exit)                  \
    H(EV_SCHED_FREE, kernel_free)                  \
    H(EV_TASK_RENAME, kernel_rename)               \
    H(EV_CGROUP_ATTACH, kernel_cgroup)             \
    H(EV_IRQ_ENTRY, kernel_irq_entry)              \
    H(EV_IRQ_EXIT, kernel_irq_exit)                \
    H(EV_VECTOR_ENTRY, kernel_vector_entry)        \
    H(EV_VECTOR_EXIT, kernel_vector_exit)          \
    H(EV_SOFTIRQ_ENTRY, kernel_softirq_entry)      \
    H(EV_SOFTIRQ_EXIT, kernel_softirq_exit)        \
    H(EV_SOFTIRQ_RAISE, kernel_softirq_raise)      \
    H(EV_TIMER_ENTRY, kernel_timer_entry)          \
    H(EV_TIMER_EXIT, kernel_timer_exit)            \
    H(EV_SYSCALL_ENTRY, kernel_call_entry)         \
    H(EV_SYSCALL_EXIT, kernel_call_exit)           \
    H(EV_SYSCALL_NR_ENTRY, kernel_nr_entry)        \
    H(EV_SYSCALL_NR_EXIT, kernel_nr_exit)          \
    H(EV_KVM_ENTRY, kernel_guest_entry)            \
    H(EV_KVM_EXIT, kernel_guest_exit)              \
    H(EV_KVM_USERSPACE_EXIT, kernel_guest_to_user) \
    H(EV_DUMP_PROCESS, kernel_dump_process)        \
    H(EV_DUMP_PID_NS, kernel_dump_ns)              \
    H(EV_DUMP_IRQ, kernel_dump_irq)                \
    H(EV_DUMP_FD, kernel_dump_fd)

#define H(type, fn)                                                                       \
    static void on_##fn(void *k, struct pass *p, const struct ev_head *h, const void *ev) \
    {                                                                                     \
        (void)p;                                                                          \
        event(k, h, ev, fn);                                                              \
    }
HANDLERS(H)
#undef H

static const struct handler handlers[] = {
    { EV_LOSING_EVENTS, on_losing },
    { EV_UNTRACED, on_untraced },
#define H(type, fn) { type, on_##fn },
    HANDLERS(H)
#undef H
        { EV_OTHER, NULL },
};

static void say_odd(struct kernel *k)
{
    const struct {
        uint64_t n;
        const char *what;
    } odd[] = {
        { k->odd.irq_exits,
          "exits of interrupts have no entry: they began before the trace, or it was lost" },
        { k->odd.irq_entries,
          "entries of interrupts have no exit: how long they took is not known" },
        { k->odd.call_exits,
          "exits of system calls have no entry: they began before the trace, or it was lost" },
        { k->odd.call_entries, "system calls have no exit: how long they took is not known" },
        { k->odd.switches,
          "times another thread was on a CPU than the last sched_switch said: what "
          "the threads did before is taken for unknown (sched_switch not recorded, or lost events "
          "that nobody counted)" },
        { k->odd.bad_tids, "events name a thread whose number can't be one: left out" },
        { k->odd.bad_cpus, "events have no CPU, or one beyond the limit: left out" },
        { k->odd.unwoken,
          "times a thread ran again without a wake-up: how long it waited for a CPU is not known "
          "(sched_wakeup or sched_waking not recorded)" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
        if (odd[i].n)
            note_add(k->p->notes, NOTE_INFO, k->p->host, "kernel: %" PRIu64 " %s", odd[i].n,
                     odd[i].what);
}

static void tell(struct kernel *k, const char *fact, ns_t t)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, t);
    store_set_fact(k->s, fact, str_of(text));
}

/* Other layers of the host may begin earlier, and go on when the kernel's trace is over: nothing
 * is known then.  Sums end with the last event, whose own nanosecond counts to nobody. */
static void ends(struct kernel *k)
{
    k->t1 = k->p->kernel_t1 > k->t1 ? k->p->kernel_t1 : k->t1;
    tell(k, "kernel.begin", k->t0);
    tell(k, "kernel.end", k->t1);
    if (k->t1 >= k->p->t1)
        return;
    for (uint32_t i = 0; i < k->ncpus; i++)
        if (k->cpus[i]) {
            store_set(k->s, k->cpus[i]->state_attr, k->t1 + 1, STORE_NULL);
            store_set(k->s, k->cpus[i]->thread_attr, k->t1 + 1, STORE_NULL);
        }
}

static void finish(void *state, struct pass *p)
{
    struct kernel *k = state;

    (void)p;
    if (k->t1 > NS_MIN)
        ends(k);
    kernel_waits_finish(k);
    kernel_threads_finish(k);
    say_odd(k);
    vec_free(&k->gaps);
    vec_free(&k->calls);
    map64_free(&k->call_of);
    map64_free(&k->irq_names);
    map64_free(&k->files);
    map64_free(&k->tables);
}

const struct analysis an_kernel = {
    .name = "kernel",
    .title = "Threads, CPUs, interrupts, system calls and guests of a host's kernel",
    .layer = "kernel",
    .doc = "Keeps what each thread and each CPU does, at every instant: in user space, in a system "
           "call, in a guest, interrupted, waiting for a CPU, pre-empted and by whom, blocked and "
           "why. Each wait, system call, interrupt and exit of a guest is a record; what "
           "goes on when the trace ends has no end, and an interrupt then no record. Where events "
           "were lost, what they could have changed is unknown.",
    .handlers = handlers,
    .state_size = sizeof(struct kernel),
    .start = start,
    .finish = finish,
};
