/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel.h -- a host's kernel at one instant: what its CPUs and threads do.
 *
 * kernel.c hands the events of threads, CPUs, interrupts, system calls and guests to
 * the functions below, which keep these structs and write states and records.
 * Analyses of other subjects (kernel_block.c, ...) find the same structs in
 * pass.kernel, brought up to date for each event before they see it; they follow
 * an_kernel in analysis/list.c for that.
 *
 * Times are ns of the host's clock.  Everything lives as long as the pass; a thread
 * that ended is forgotten when its tid is used again. */
#ifndef ANALYSIS_KERNEL_H
#define ANALYSIS_KERNEL_H

#include "engine/engine.h"

enum {
    COMM_LEN = 16,       /* of a thread's name, with its NUL (TASK_COMM_LEN)          */
    TID_LIMIT = 1 << 22, /* PID_MAX_LIMIT of 64-bit Linux                             */
    TID_PAGE = 1024,     /* threads are found by tid in pages                         */
    CPU_LIMIT = 8192,    /* NR_CPUS at most, CONFIG_MAXSMP                            */
    TS_NONE = 255,       /* it has no state yet                                       */
    SOFTIRQS = 10,       /* include/linux/interrupt.h                                 */
    NEST_LIMIT = 8,      /* interrupts in interrupts: NMI, hard, soft, their timers   */
};

/* What a CPU does beside its thread. */
struct irq_frame {
    ns_t t0, raised;
    int64_t nr;
    cell_t name;
    uint8_t kind;
};

struct waking {
    ns_t t;     /* NS_MIN = none since it last ran */
    int32_t by; /* the thread that was on the CPU; 0 = none, -1 = not known */
    int32_t nr; /* of the interrupt                                          */
    uint8_t why;
    uint8_t cause; /* enum thread_state that its sleep had been in          */
};

/* How a thread was first seen, or began. */
enum thread_how { THREAD_SEEN, THREAD_DUMPED, THREAD_FORKED };

struct kcpu;

struct kthread {
    int32_t tid, pid, ppid; /* -1 = not known; pid: the process (tgid) */
    attr_t attr;
    ns_t born;     /* begin of its life, as far as it was seen */
    ns_t since;    /* of 'state'                               */
    uint8_t state; /* enum thread_state, or TS_NONE: what the history has */
    uint8_t mode;  /* what it does when it runs: TS_USER, TS_SYSCALL, ... */
    uint8_t how;
    int8_t is_kernel; /* -1 = not known */
    bool dead;
    bool ends;        /* it has called exit */
    bool call_ends;   /* ... and never leaves the system call that it is in     */
    bool fresh;       /* forked: it leaves its first system call without having entered it */
    uint32_t gaps;    /* kernel.gaps that it has been told of */
    struct kcpu *cpu; /* on which it runs; NULL: it does not */
    int32_t last_cpu; /* where it ran last; -1 = not known   */
    struct waking waking;
    ns_t ready; /* could run from here on, if it waits     */
    uint8_t wait_kind;
    int32_t prio;

    /* The system call that it is in; 0 = none. */
    cell_t call, call_file;
    ns_t call_t0;
    int64_t call_fd, call_len;
    ns_t call_blocked, call_waited; /* off the CPU since its entry */
    uint8_t call_kind;              /* enum call_kind */

    struct guest *guest; /* of a vCPU's thread, else NULL */

    int32_t vtid, vpid; /* in its own namespace; -1 = not known */
    int64_t ns;
    cell_t exe, cgroup;
    char comm[COMM_LEN];
    char *names; /* that it had before, with commas; NULL = none */
};

/* What kind of thing a system call does; it tells what a sleep in it waits for. */
enum call_kind {
    CALL_OTHER,
    CALL_FUTEX,
    CALL_SLEEP,
    CALL_OPEN,
    CALL_CLOSE,
    CALL_MMAP,
    CALL_MUNMAP,
    CALL_IOCTL,
};

/* A vCPU, of the thread that runs it. */
struct guest {
    int64_t vcpu;
    ns_t exit_t0; /* it left the guest; NS_MIN = it is in the guest, or was never seen */
    bool told;    /* entries and exits are recorded */
    cell_t reason;
    ns_t blocked_ns, waited_ns; /* since then */
};

struct kcpu {
    uint32_t no;
    bool known; /* is it known what runs: 'thread', or nothing */
    struct kthread *thread;
    ns_t lost_until; /* end of the last gap, while nothing came onto it since; else NS_MIN */
    attr_t state_attr, thread_attr;
    uint8_t state; /* enum cpu_state: what the history has */
    int64_t told_thread;
    ns_t last_t; /* of its latest event; NS_MIN = none */
    ns_t disk_t; /* when a request completed in the interrupt that it is in; NS_MIN = none */
    uint32_t nest;
    struct irq_frame frames[NEST_LIMIT];
    ns_t raised[SOFTIRQS]; /* that wait; NS_MIN = not raised */
};

/* Events of a CPU that were lost.  Nobody knows what ran on it in between. */
struct gap {
    ns_t t0, t1;
    uint32_t cpu;
};

/* What did not fit together; said in notes at the end. */
struct kernel_odd {
    uint64_t irq_exits, irq_entries; /* without the other */
    uint64_t call_exits, call_entries;
    uint64_t switches; /* another thread left a CPU than had come      */
    uint64_t bad_tids, bad_cpus;
    uint64_t unwoken; /* ran without having been woken, though wake-ups are recorded */
};

struct call {
    cell_t name;
    uint8_t kind; /* enum call_kind */
};

struct kernel {
    struct pass *p;
    struct store *s;
    struct kthread **pages[TID_LIMIT / TID_PAGE];
    struct kcpu *cpus[CPU_LIMIT];
    uint32_t ncpus; /* highest number + 1 */
    VEC(struct gap) gaps;
    uint32_t losing; /* CPUs of which events are being lost now */
    ns_t t0, t1;     /* of the first and the latest event of the kernel; t1 is NS_MIN: none */
    struct kernel_odd odd;
    bool wakeups; /* such events were seen */

    struct map64 call_of; /* address of an event's name -> calls */
    VEC(struct call) calls;
    struct map64 irq_names; /* number -> text            */
    struct map64 files;     /* process, fd -> text       */
    struct map64 tables;    /* of open files -> process  */
};

/* --- kernel_threads.c: who there is ------------------------------------------------ */

/* The thread 'tid' in its present life, made if it is new; NULL for 0 (idle) and what can
 * be no tid. */
struct kthread *kernel_thread(struct kernel *k, int64_t tid, ns_t t);
/* The same, or NULL if nothing was seen of it. */
struct kthread *kernel_find(const struct kernel *k, int64_t tid);
/* The CPU of the event, made if it is new; NULL if there can be none. */
struct kcpu *kernel_cpu(struct kernel *k, uint32_t no, ns_t t);
/* It has, or had, the name 'comm'. */
void kernel_name(struct kthread *th, struct str comm);
/* The life of 'th' is over: it is written. */
void kernel_thread_ends(struct kernel *k, struct kthread *th, ns_t t);
/* At the end: writes those who still live, and waits that go on. */
void kernel_threads_finish(struct kernel *k);
void kernel_waits_finish(struct kernel *k);

/* --- kernel_states.c: what they do -------------------------------------------------- */

/* From 't' on the thread is in 'state'.  What may have happened in gaps before is
 * unknown. */
void kernel_set(struct kernel *k, struct kthread *th, ns_t t, enum thread_state state);
/* The state that it is in turns out to have been another one. */
void kernel_was(struct kernel *k, struct kthread *th, enum thread_state state);
/* Accounts for gaps until 't', when an event comes that begins state 'next'; TS_UNKNOWN:
 * there is no such event. */
void kernel_gaps(struct kernel *k, struct kthread *th, ns_t t, enum thread_state next);
/* What a CPU and its thread do is shown anew: 'thread', its mode or an interrupt
 * changed. */
void kernel_show(struct kernel *k, struct kcpu *c, ns_t t);
/* An event says that 'th' (NULL: nothing) is on the CPU. */
void kernel_runs(struct kernel *k, struct kcpu *c, struct kthread *th, ns_t t);
/* What the CPU does is not known any more, from 't' on. */
void kernel_cpu_unknown(struct kernel *k, struct kcpu *c, ns_t t);

/* --- handlers; 'c' is the event's CPU, of kernel_lost() NULL if not known ---------------- */

typedef void kernel_fn(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *ev);

kernel_fn kernel_switch, kernel_waking, kernel_wakeup, kernel_wakeup_new; /* kernel_sched.c */
kernel_fn kernel_fork, kernel_exec, kernel_exit, kernel_free, kernel_rename, kernel_cgroup;
kernel_fn kernel_irq_entry, kernel_irq_exit, kernel_vector_entry,
    kernel_vector_exit; /* kernel_irq.c */
kernel_fn kernel_softirq_entry, kernel_softirq_exit, kernel_softirq_raise;
kernel_fn kernel_timer_entry, kernel_timer_exit, kernel_dump_irq;
kernel_fn kernel_call_entry, kernel_call_exit, kernel_nr_entry, kernel_nr_exit; /* kernel_calls.c */
kernel_fn kernel_dump_fd;
kernel_fn kernel_guest_entry, kernel_guest_exit, kernel_guest_to_user; /* kernel_kvm.c */
kernel_fn kernel_dump_process, kernel_dump_ns;                         /* kernel_dump.c */
kernel_fn kernel_lost;                                                 /* kernel_states.c */

/* The trace ends: is the thread still in a system call, or its guest left?  It has now been off
 * the CPU for 'blocked' or 'waited'. */
void kernel_call_open(struct kernel *k, const struct kthread *th, ns_t blocked, ns_t waited);
void kernel_guest_open(struct kernel *k, const struct kthread *th, ns_t blocked, ns_t waited);
/* The thread was off its CPU for 'ns' while its guest was left: kernel_kvm.c. */
void kernel_guest_off(struct kthread *th, ns_t ns, bool blocked);
/* The thread calls ioctl(KVM_RUN). */
void kernel_guest_run(struct kernel *k, struct kthread *th, ns_t t);
/* Whatever the CPU was interrupted by, it is over: kernel_irq.c. */
void kernel_irqs_forget(struct kcpu *c);
/* What the waking of a thread at this instant comes from: the interrupt that the CPU is
 * in, or its thread. */
void kernel_waker(const struct kernel *k, const struct kcpu *c, struct waking *ret);

/* Were events lost after 't'?  Gaps are in order of their ends. */
static inline bool kernel_lost_since(const struct kernel *k, ns_t t)
{
    return k->gaps.n > 0 && k->gaps.at[k->gaps.n - 1].t1 > t;
}

/* The thread on the event's CPU, or NULL. */
static inline struct kthread *kernel_current(const struct kcpu *c)
{
    return c && c->known ? c->thread : NULL;
}

#endif
