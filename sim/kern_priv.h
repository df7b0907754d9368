/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_priv.h -- the model of one host's kernel, shared by kern_*.c.
 *
 * Time is 'now', the host's clock in ns since 1970.  Every event takes some ns
 * of the whole host, so that no two events of a host share an instant and the
 * order of events is the order of what happened.  A CPU is at one of three levels: a
 * thread (or idle), a softirq above it, a hard interrupt above both; what is
 * below waits and keeps what is left of its work.  Threads are programs that
 * run when nothing of their last burst is left (kern_progs.c). */
#ifndef SIM_KERN_PRIV_H
#define SIM_KERN_PRIV_H

#include "base/str.h"
#include "sim/cloud.h"
#include "sim/ctfw.h"
#include "sim/kern.h"
#include "sim/rng.h"

#define KERN_NEVER INT64_MAX

enum { KERN_LEVELS = 140, PRIO_SHIFT = 100, PRIO_USUAL = 20, COMM_SIZE = 16 };

enum softirq_vec {
    SOFT_TIMER = 1,
    SOFT_NET_TX,
    SOFT_NET_RX,
    SOFT_BLOCK,
    SOFT_SCHED = 7,
    SOFT_RCU = 9,
    SOFT_VECS
};

/* Why a thread did not run; what woke it decides (see kern_wake). */
enum block_cause { BY_DISK, BY_NETWORK, BY_TIMER, BY_FUTEX, BY_OTHER, BY_COUNT };
extern const char *const block_causes[BY_COUNT];

/* id, name without "syscall_entry_", fields of entry and exit (kern_events.c) */
#define KERN_SYSCALLS(X)                                        \
    X(SYS_READ, "read", in_read, out_read)                      \
    X(SYS_WRITE, "write", in_write, out_ret)                    \
    X(SYS_PREAD64, "pread64", in_pread64, out_read)             \
    X(SYS_PWRITE64, "pwrite64", in_pwrite64, out_ret)           \
    X(SYS_FDATASYNC, "fdatasync", in_fd, out_ret)               \
    X(SYS_FUTEX, "futex", in_futex, out_futex)                  \
    X(SYS_NANOSLEEP, "clock_nanosleep", in_nanosleep, out_rmtp) \
    X(SYS_PPOLL, "ppoll", in_ppoll, out_ppoll)                  \
    X(SYS_EPOLL_WAIT, "epoll_wait", in_epoll, out_epoll)        \
    X(SYS_IOCTL, "ioctl", in_ioctl, out_ioctl)                  \
    X(SYS_SENDMSG, "sendmsg", in_msg, out_ret)                  \
    X(SYS_RECVMSG, "recvmsg", in_msg, out_recvmsg)              \
    X(SYS_MMAP, "mmap", in_mmap, out_address)                   \
    X(SYS_MUNMAP, "munmap", in_munmap, out_ret)                 \
    X(SYS_BRK, "brk", in_brk, out_ret)                          \
    X(SYS_OPENAT, "openat", in_openat, out_ret)                 \
    X(SYS_CLOSE, "close", in_fd, out_ret)                       \
    X(SYS_CLONE, "clone", in_clone, out_ret)                    \
    X(SYS_EXECVE, "execve", in_execve, out_ret)                 \
    X(SYS_WAIT4, "wait4", in_wait4, out_wait4)                  \
    X(SYS_EXIT, "exit", in_exit, out_ret)                       \
    X(SYS_EXIT_GROUP, "exit_group", in_exit, out_ret)

enum sys {
    SYS_NONE,
#define X(id, name, in, out) id,
    KERN_SYSCALLS(X)
#undef X
        SYS_COUNT
};
extern const char *const sys_names[SYS_COUNT];

/* id, name, its fields (kern_events.c) */
#define KERN_EVENTS(X)                                                          \
    X(EV_SWITCH, "sched_switch", f_switch)                                      \
    X(EV_WAKING, "sched_waking", f_wakeup)                                      \
    X(EV_WAKEUP, "sched_wakeup", f_wakeup)                                      \
    X(EV_WAKEUP_NEW, "sched_wakeup_new", f_wakeup)                              \
    X(EV_MIGRATE, "sched_migrate_task", f_migrate)                              \
    X(EV_FORK, "sched_process_fork", f_fork)                                    \
    X(EV_EXEC, "sched_process_exec", f_exec)                                    \
    X(EV_EXIT, "sched_process_exit", f_task)                                    \
    X(EV_FREE, "sched_process_free", f_task)                                    \
    X(EV_WAIT, "sched_process_wait", f_task)                                    \
    X(EV_IRQ_ENTRY, "irq_handler_entry", f_irq_entry)                           \
    X(EV_IRQ_EXIT, "irq_handler_exit", f_irq_exit)                              \
    X(EV_SOFT_RAISE, "irq_softirq_raise", f_soft)                               \
    X(EV_SOFT_ENTRY, "irq_softirq_entry", f_soft)                               \
    X(EV_SOFT_EXIT, "irq_softirq_exit", f_soft)                                 \
    X(EV_HRTIMER_START, "timer_hrtimer_start", f_hr_start)                      \
    X(EV_HRTIMER_CANCEL, "timer_hrtimer_cancel", f_hr)                          \
    X(EV_HRTIMER_ENTRY, "timer_hrtimer_expire_entry", f_hr_entry)               \
    X(EV_HRTIMER_EXIT, "timer_hrtimer_expire_exit", f_hr)                       \
    X(EV_CPU_IDLE, "power_cpu_idle", f_cpu_idle)                                \
    X(EV_KVM_ENTRY, "kvm_x86_entry", f_kvm_entry)                               \
    X(EV_KVM_EXIT, "kvm_x86_exit", f_kvm_exit)                                  \
    X(EV_KVM_USERSPACE, "kvm_userspace_exit", f_kvm_userspace)                  \
    X(EV_BIO_QUEUE, "block_bio_queue", f_bio)                                   \
    X(EV_BIO_BACKMERGE, "block_bio_backmerge", f_bio)                           \
    X(EV_GETRQ, "block_getrq", f_bio)                                           \
    X(EV_RQ_INSERT, "block_rq_insert", f_rq)                                    \
    X(EV_RQ_ISSUE, "block_rq_issue", f_rq)                                      \
    X(EV_RQ_MERGE, "block_rq_merge", f_rq)                                      \
    X(EV_RQ_COMPLETE, "block_rq_complete", f_complete)                          \
    X(EV_NET_QUEUE, "net_dev_queue", f_packet)                                  \
    X(EV_NET_XMIT, "net_dev_xmit", f_xmit)                                      \
    X(EV_NET_RECEIVE, "net_if_receive_skb", f_packet)                           \
    X(EV_SKB_KFREE, "skb_kfree", f_kfree)                                       \
    X(EV_SKB_CONSUME, "skb_consume", f_consume)                                 \
    X(EV_PAGE_ALLOC, "kmem_mm_page_alloc", f_page_alloc)                        \
    X(EV_PAGE_FREE, "kmem_mm_page_free", f_page_free)                           \
    X(EV_DUMP_START, "lttng_statedump_start", f_none)                           \
    X(EV_DUMP_END, "lttng_statedump_end", f_none)                               \
    X(EV_DUMP_PROCESS, "lttng_statedump_process_state", f_dump_process)         \
    X(EV_DUMP_PID_NS, "lttng_statedump_process_pid_ns", f_dump_pid_ns)          \
    X(EV_DUMP_USER_NS, "lttng_statedump_process_user_ns", f_dump_user_ns)       \
    X(EV_DUMP_CGROUP_NS, "lttng_statedump_process_cgroup_ns", f_dump_ns)        \
    X(EV_DUMP_IPC_NS, "lttng_statedump_process_ipc_ns", f_dump_ns)              \
    X(EV_DUMP_NET_NS, "lttng_statedump_process_net_ns", f_dump_ns)              \
    X(EV_DUMP_UTS_NS, "lttng_statedump_process_uts_ns", f_dump_ns)              \
    X(EV_DUMP_TIME_NS, "lttng_statedump_process_time_ns", f_dump_ns)            \
    X(EV_DUMP_FD, "lttng_statedump_file_descriptor", f_dump_fd)                 \
    X(EV_DUMP_DISK, "lttng_statedump_block_device", f_dump_disk)                \
    X(EV_DUMP_INTERFACE, "lttng_statedump_network_interface", f_dump_interface) \
    X(EV_DUMP_INTERRUPT, "lttng_statedump_interrupt", f_dump_interrupt)         \
    X(EV_DUMP_CPU, "lttng_statedump_cpu_topology", f_dump_cpu)                  \
    X(EV_NET_GRO, "net_napi_gro_receive_entry", f_gro)                          \
    X(EV_OOM_VICTIM, "oom_mark_victim", f_pid)

enum kev {
#define X(id, name, fields) id,
    KERN_EVENTS(X)
#undef X
        EV_COUNT
};

/* count, sum, extremes of durations */
struct span_sum {
    uint64_t count;
    ns_t total, longest;
};

/* All values of a distribution, for exact percentiles. */
struct samples {
    VEC(uint64_t) v;
};

struct kdisk;
struct kinterface;
struct kcpu;
struct ktask;
typedef void kern_step(struct kern *k, struct kcpu *c, struct ktask *t);

/* What is known of a thread so far; kern_account.c. */
enum account_state { ACC_UNKNOWN, ACC_RUN, ACC_WOKEN, ACC_PREEMPTED, ACC_BLOCKED, ACC_OVER };

struct sys_sum {
    enum sys sys;
    uint64_t count, no_entry, no_exit;
    ns_t total;
};

struct exit_sum {
    uint64_t count; /* pairs of an exit and the next entry */
    ns_t total, blocked, woken, preempted;
};

/* A virtual CPU: its truth, and where it is. */
struct kvcpu {
    unsigned id;
    bool in_guest, exited;
    ns_t since; /* the last entry, or the last exit */
    enum kern_exit reason;
    ns_t blocked, woken, preempted; /* of the thread, at the last exit */
    ns_t guest_ns, halted_ns;
    uint64_t entries, exits;
    struct exit_sum by_reason[KX_COUNT];
    ns_t burst_left, next_disk, next_tx;
};

/* One request of a guest to its disk. */
struct kjob {
    unsigned op; /* enum block_op */
    struct ktask *vcpu;
};

enum block_op { OP_READ, OP_WRITE, OP_FLUSH, OP_DISCARD, OP_KINDS };
extern const char *const block_ops[OP_KINDS];

/* A thread that sends a guest away, by the clock of its host. */
struct ksender {
    const struct sc_migration *sc;
    int32_t tid;
    ns_t at, until;
};

struct kproc {
    const struct kc_proc *conf;
    size_t index;
    const char *name;     /* in figures by name: of the instance, the service, or comm */
    const char *instance; /* or NULL */
    char uuid[40];
    char comm[COMM_SIZE];
    uint32_t name_id;
    int32_t pid, vpid, wanted_pid, wanted_tid; /* wanted_tid: of the next thread; or 0 */
    unsigned worker;
    uint32_t ns_inum;
    int32_t next_vtid;
    const char *file, *program; /* that it opens, that it runs */
    bool kernel;                /* a kernel thread */
    bool boots, booted, ready;  /* it starts while tracing; has its threads; all run */
    bool stopping, over;
    ns_t start_at, stop_at; /* 0: before tracing, never */
    ns_t started_ns, over_ns;
    VEC(struct ktask *) tasks; /* alive */
    unsigned alive;
    struct kproc *parent, *of;   /* of: the instance's process of a vhost thread */
    struct ktask *leader;        /* dead, until the others are */
    VEC(struct ktask *) zombies; /* children */
    /* memory */
    uint64_t allocated, freed; /* pages, in the trace */
    ns_t memory_since;
    double pages_due, leak_due;
    VEC(uint64_t) held, leaked; /* frames: that it will free, that it will not */
    size_t held_at;
    /* disk */
    struct kdisk *disk;
    uint64_t region, at_sector, jumps, skipped_sector;
    /* an instance */
    struct ktask *main, *vhost;
    VEC(struct ktask *) vcpus, idle_workers;
    VEC(struct kjob) jobs, done;
    unsigned tx_pending, rx_pending;
    struct kinterface *tap, *nic;
    VEC(struct ksender) senders; /* by time */
    size_t sent_away;            /* so many were made */
};

enum going { GO_ON, GO_SLEEP, GO_DEAD };
enum kmode { MODE_USER, MODE_KERNEL, MODE_GUEST };

struct ktask {
    struct kproc *proc;
    size_t index; /* in the truth */
    int32_t tid, vtid;
    char comm[COMM_SIZE];
    int prio; /* as LTTng writes it: nice + 20, negative if realtime */
    struct kc_cpus allowed;
    struct kcpu *cpu;   /* where it runs, waits, or ran last */
    struct ktask *next; /* in a run queue */
    bool queued, running;
    uint32_t token; /* a timer with another token was cancelled */
    bool timer_armed;
    /* the program */
    kern_step *step;
    int pc;
    ns_t left; /* of the burst */
    enum kmode mode;
    enum going going;
    int64_t sleep_state; /* prev_state of the switch, or of death */
    bool kicked;         /* woken while it ran: it must not sleep now */
    enum sys sys;        /* it is in this call */
    bool sys_known;      /* whose entry it made while it was traced */
    ns_t sys_since;
    unsigned i, n;
    ns_t at, due[3], send_at;
    enum sys call, sleeps_in;
    enum kern_exit reason;
    struct kjob job;
    bool has_job, dead;
    bool unborn; /* made, but its parent has not called clone() yet */
    struct kvcpu *vcpu;
    kern_step *main_step;
    /* the truth */
    enum account_state state;
    ns_t known_ns, since, over_ns;
    struct ktask *culprit;
    ns_t run_ns, woken_ns, preempted_ns, blocked_ns[BY_COUNT], blocked_sum;
    ns_t open_ns;
    uint64_t switches, preempted, migrations;
    struct span_sum latency;
    struct samples latencies;
    VEC(struct sys_sum) calls;
};

enum kirq_kind { IRQ_TICK, IRQ_HRTIMER, IRQ_WHEEL, IRQ_TCP, IRQ_DISK, IRQ_NIC, IRQ_OTHER };

struct kirq {
    enum kirq_kind kind;
    void *what; /* task, request, interface, interrupt, end of a connection */
    uint32_t token;
};

struct irq_sum {
    unsigned irq;
    const char *name;
    struct span_sum sum;
};

/* Of a connection between two hosts. */
struct ksegment {
    uint32_t seq, ack;
    uint16_t len, id;
};

struct kpacket {
    struct kproc *proc; /* that gets it; NULL: nobody here */
    struct kend *end;   /* of a connection, which gets 'segment'; or NULL */
    struct ksegment segment;
    struct kinterface *interface;
    unsigned bytes;
};

struct krq;

enum klevel { LEVEL_BASE, LEVEL_SOFT, LEVEL_HARD };

struct kcpu {
    unsigned id;
    struct ktask idle, *curr;
    /* run queue: lists of each priority, the best has the lowest level */
    struct ktask *head[KERN_LEVELS], *tail[KERN_LEVELS];
    uint64_t some[(KERN_LEVELS + 63) / 64];
    unsigned waiting;
    bool slice_over, ipi;
    ns_t slice_end, tick_at;
    uint64_t ticks;
    bool napping;
    /* levels */
    enum klevel level;
    bool soft_active;
    ns_t end_at, soft_left;
    ns_t hard_since, soft_since;
    struct kirq hard;
    unsigned soft_vec;
    uint32_t soft_pending;
    VEC(struct kirq) pending;
    size_t pending_at;
    VEC(struct kirq) wheel;      /* threads whose timer-wheel timer is due */
    VEC(struct krq *) completed; /* for softirq BLOCK */
    VEC(struct kpacket) packets; /* for softirq NET_RX */
    VEC(struct kend *) expired;  /* whose timers softirq TIMER looks at */
    /* the truth */
    bool known;
    ns_t known_ns, since, run_ns, idle_ns;
    /* lost events */
    size_t lost_at; /* in the scenario's list */
    size_t loss;    /* + 1: in kern.losses, while events are lost */
    ns_t lost_from, lost_to;
};

struct kern_loss {
    unsigned cpu;
    ns_t from, to; /* first and last event lost */
    uint64_t events;
};

enum ktimer_kind {
    TM_WAKE,
    TM_WHEEL,
    TM_DISK,
    TM_NIC,
    TM_IRQ,
    TM_RESCHED,
    TM_START,
    TM_STOP,
    TM_ARRIVE,
    TM_TCP,
    TM_SENDER,
    TM_SENT
};

struct ktimer {
    ns_t at;
    uint64_t seq;
    enum ktimer_kind kind;
    uint32_t token;
    void *what;
};

struct pair_sum {
    uint32_t victim, culprit;
    struct span_sum sum;
    uint64_t open;
};

struct pairs {
    struct map64 map;
    VEC(struct pair_sum) v;
};

struct io_sum {
    struct kdisk *disk;
    struct kproc *proc;
    enum block_op op;
    uint64_t count, bytes;
    struct samples latency, driver;
};

/* A packet that waits to be sent. */
struct kxmit {
    uint64_t skb;
    unsigned bytes;
};

struct kinterface {
    const struct kc_interface *conf;
    char name[COMM_SIZE];
    uint64_t rx_packets, rx_bytes, tx_packets, tx_bytes, drops;
    VEC(struct kpacket) ring; /* arrived, the interrupt has not come yet */
    bool raised;
    VEC(struct kxmit) queue; /* the queueing discipline's */
    size_t queue_at;
    ns_t sent_at;     /* all that the card has is sent then */
    bool timed;       /* it will tell */
    uint32_t address; /* IPv4 */
    struct kcpu *cpu; /* of its interrupt */
    unsigned irq;     /* 0: none */
    char irq_name[COMM_SIZE + 4];
};

struct kern {
    struct arena mem;
    struct sim *s;
    const struct kc_kernel *conf;
    const struct kc_host *hc;
    struct host *host;
    const char *dir;
    struct rng rng;
    struct err *err;
    bool failed;
    uint64_t pages;           /* allocated now */
    struct kproc *oom_victim; /* is to end, since there was no memory; NULL: none */
    ns_t now, begin, end, end_ns, clock_offset, event_ns;
    struct ctfw_trace *trace;
    struct ctfw_channel *channel;
    struct ctfw_event *ev[EV_COUNT], *sys_in[SYS_COUNT], *sys_out[SYS_COUNT];
    struct kcpu *cpus;
    unsigned n_cpus;
    uint64_t idle_mask[KERN_LIMIT_CPUS / 64];
    unsigned leaves; /* of the tree of next instants */
    ns_t *next_at;
    uint32_t *winner;
    VEC(struct ktimer) heap;
    uint64_t seq;
    VEC(struct ktask *) tasks; /* all that ever were */
    VEC(struct kproc *) procs;
    struct map64 tids;
    int32_t next_tid;
    ns_t last_ts;                           /* of the last event, recorded or not */
    VEC(struct kproc *) starting, stopping; /* what the spawner is to do */
    VEC(struct ktask *) dead;               /* to be freed */
    bool built;                             /* what exists when tracing begins does */
    struct ktask *spawner, *dumper;
    struct kproc *kthreadd;
    uint64_t next_pfn;
    struct strtab names;
    struct kdisk *disks;
    VEC(struct krq *) requests; /* all that ever were */
    struct kinterface *interfaces;
    size_t n_interfaces;
    VEC(struct kend *) ends; /* of connections to other hosts */
    /* the truth */
    struct pairs preempt, preempt_names;
    VEC(struct io_sum) io;
    VEC(struct irq_sum) irqs;
    struct span_sum softs[SOFT_VECS];
    uint64_t n_samples;
    bool samples_full;
    VEC(struct kern_loss) losses;
    uint64_t next_skb;
};

/* --- kern_events.c: writing -------------------------------------------------- */

/* Declares the classes that are recorded. */
void kern_declare(struct kern *k);
const struct ctfw_field *kern_context(struct kern *k, size_t *n);
/* Writes an event of 'c' in the context of what runs there; returns its instant. */
ns_t kern_emit(struct kern *k, struct kcpu *c, enum kev e, const struct ctfw_val *v);
/* Finds the next stretch in which this CPU loses events. */
void kern_next_loss(struct kern *k, struct kcpu *c);
ns_t kern_emit_sys(struct kern *k, struct kcpu *c, enum sys sys, bool entry,
                   const struct ctfw_val *v);
static inline struct ctfw_val kern_comm(const struct ktask *t)
{
    return (struct ctfw_val){ .p = t->comm, .n = COMM_SIZE };
}
static inline struct ctfw_val kern_z(const char *z)
{
    return (struct ctfw_val){ .p = z, .n = strlen(z) };
}

/* Where the kernel would have this: for the fields with addresses. */
static inline uint64_t kern_address(const struct ktask *t)
{
    return UINT64_C(0xffff888100000000) + (uint64_t)t->index * 0x2640;
}

/* --- kern_sched.c: threads on CPUs ------------------------------------------- */

void kern_timer(struct kern *k, ns_t at, enum ktimer_kind kind, void *what, uint32_t token);
bool kern_timer_pop(struct kern *k, struct ktimer *ret);
/* Tells the main loop when this CPU wants to be looked at next. */
void kern_rearm(struct kern *k, struct kcpu *c);
/* Lets what is at the base of 'c' go on; the CPU is at LEVEL_BASE. */
void kern_continue(struct kern *k, struct kcpu *c);
/* Stops the burst at the base: an interrupt comes. */
void kern_pause(struct kern *k, struct kcpu *c);
/* Code that runs on 'c' wakes 't', which must sleep. */
void kern_wake(struct kern *k, struct kcpu *c, struct ktask *t);
/* The same for a new thread. */
void kern_wake_new(struct kern *k, struct kcpu *c, struct ktask *t);
/* Wakes 't' if it sleeps, or sees to it that it does not sleep next. */
void kern_kick(struct kern *k, struct kcpu *c, struct ktask *t);
/* Takes a waiting thread of the busiest CPU, if 'at_least' wait there.  True if
 * it got one. */
bool kern_pull(struct kern *k, struct kcpu *c, unsigned at_least);

/* --- kern_irq.c --------------------------------------------------------------- */

void kern_irq(struct kern *k, struct kcpu *c, struct kirq irq);
/* The hard interrupt or softirq of 'c' is over. */
void kern_level_over(struct kern *k, struct kcpu *c);
void kern_raise(struct kern *k, struct kcpu *c, unsigned vec);

/* --- kern_account.c: the truth ------------------------------------------------- */

void account_switch(struct kern *k, struct kcpu *c, struct ktask *prev, struct ktask *next,
                    bool involuntary, ns_t ts);
void account_wakeup(struct ktask *t, enum block_cause cause, ns_t ts);
void account_dump(struct ktask *t, ns_t ts);
void account_end(struct kern *k, ns_t ts);
void account_guest(struct ktask *t, bool entry, enum kern_exit reason, ns_t ts);
void account_call(struct ktask *t, bool entry, enum sys sys, ns_t ts);
void account_io(struct kern *k, struct kdisk *d, struct kproc *p, enum block_op op, uint64_t bytes,
                ns_t latency, ns_t driver);
void account_irq(struct kern *k, unsigned irq, const char *name, ns_t took);
void span_add(struct span_sum *s, ns_t took);
/* Nearest rank; sorts.  -1 without values. */
int64_t samples_rank(struct samples *s, unsigned percent);

/* --- kern_build.c: processes and threads --------------------------------------- */

int kern_build(struct kern *k);
/* Lets everything begin: first wake-ups, packets, interrupts. */
void kern_go(struct kern *k);
struct ktask *kern_new_task(struct kern *k, struct kproc *p, const char *comm, kern_step *step);
/* A child of a process that makes many, see KC_CHURN. */
struct ktask *kern_new_child(struct kern *k, struct ktask *t);
/* The next thread that sends the guest of this process away. */
struct ktask *kern_new_sender(struct kern *k, struct kproc *p);
/* Makes the threads of a process, but for its first one if that exists. */
void kern_populate(struct kern *k, struct kproc *p);
/* The thread, which runs, takes up its duty: it waits in its usual call. */
void kern_settle(struct kern *k, struct kcpu *c, struct ktask *t);
/* The thread has left its CPU for the last time. */
void kern_task_over(struct kern *k, struct ktask *t);
/* A parent collects a dead child; returns its pid. */
int32_t kern_reap(struct kern *k, struct kcpu *c, struct kproc *parent);
/* Dead threads are freed, in softirq RCU. */
void kern_bury(struct kern *k, struct kcpu *c);

/* --- kern_calls.c: system calls and memory ---------------------------------------- */

enum { IOCTL_KVM_RUN = 0xae80, IOCTL_KVM_IRQ_LINE = 0x4008ae61, IOCTL_LTTNG_START = 0xf650 };
void sys_enter(struct kern *k, struct kcpu *c, struct ktask *t, enum sys sys, uint64_t arg);
void sys_exit(struct kern *k, struct kcpu *c, struct ktask *t, enum sys sys, int64_t ret);
/* Allocates and frees the pages that are due. */
void kern_memory(struct kern *k, struct kcpu *c, struct ktask *t);
void kern_memory_over(struct kern *k, struct kcpu *c, struct kproc *p);

/* --- kern_progs.c, kern_vm.c, kern_dump.c: programs -------------------------------- */

kern_step prog_dump, prog_hog, prog_service, prog_extra, prog_kworker, prog_spawner, prog_churn;
kern_step prog_vcpu, prog_qemu, prog_worker, prog_iothread, prog_vhost;
kern_step prog_sender;
kern_step prog_boot, prog_child, prog_thread, prog_exit;
enum sys kern_sleep_call(const struct kc_proc *conf);
void kern_clone(struct kern *k, struct kcpu *c, struct ktask *t, struct ktask *child);
void kern_exit_now(struct ktask *t);
void kern_guest_enter(struct kern *k, struct kcpu *c, struct ktask *t);
void kern_guest_leave(struct kern *k, struct kcpu *c, struct ktask *t, enum kern_exit reason);
/* Wakes the thread after 'ns' by an hrtimer of this CPU; kern_irq.c. */
void kern_alarm(struct kern *k, struct kcpu *c, struct ktask *t, ns_t ns);

/* A program is a function with a place to go on, t->pc: it returns to let time
 * pass and is called again when the burst is over or the thread was woken.
 * Its variables are members of the thread. */
#define PROG_BEGIN(t)  \
    switch ((t)->pc) { \
    case 0:
#define PROG_END(t) }
/* Runs for 'ns' on the CPU. */
#define PROG_RUN(t, ns)                  \
    do {                                 \
        (t)->left = (ns) > 1 ? (ns) : 1; \
        (t)->pc = __LINE__;              \
        return;                          \
    case __LINE__:;                      \
    } while (0)
/* Sleeps until somebody wakes it. */
#define PROG_SLEEP(t, prev_state)        \
    do {                                 \
        (t)->sleep_state = (prev_state); \
        (t)->going = GO_SLEEP;           \
        (t)->pc = __LINE__;              \
        return;                          \
    case __LINE__:;                      \
    } while (0)

enum {
    SLEEP_INTERRUPTIBLE = 1,
    SLEEP_DISK = 2,
    DEAD_REAPED = 16,
    DEAD_ZOMBIE = 32,
    SLEEP_IDLE = 128
};

/* Half to one and a half times the mean; what is rarer than once in 30 years never comes. */
static inline ns_t kern_spread(struct kern *k, double mean_ns)
{
    return (ns_t)((mean_ns < 1e18 ? mean_ns : 1e18) * (0.5 + rng_unit(&k->rng)));
}

#endif
