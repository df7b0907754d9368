/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_progs.c -- what the threads of services, batch work and the tracer do.
 *
 * All threads but the tracer's sleep when tracing begins, in a call whose
 * entry nobody saw; their first event is its exit.  See PROG_BEGIN for how
 * these functions are to be read. */
#include "sim/kern_io.h"

#include <stdio.h>

/* A process that is to end makes its threads end, where they may. */
#define PROG_MAY_STOP(k, c, t)     \
    do {                           \
        if ((t)->proc->stopping) { \
            kern_exit_now(t);      \
            return;                \
        }                          \
    } while (0)

static ns_t next_due(struct kern *k, double per_s, ns_t before)
{
    ns_t gap = kern_spread(k, 1e9 / per_s);
    ns_t at = before + gap;

    return at > k->now - NS_PER_S ? at : k->now;
}

/* Calls that a service makes while it works: short ones that do not sleep. */
static enum sys small_call(struct kern *k)
{
    static const enum sys calls[] = { SYS_READ,    SYS_WRITE, SYS_OPENAT, SYS_CLOSE, SYS_MMAP,
                                      SYS_RECVMSG, SYS_BRK,   SYS_MUNMAP, SYS_READ,  SYS_SENDMSG };

    return calls[rng_below(&k->rng, ARRAY_SIZE(calls))];
}

enum sys kern_sleep_call(const struct kc_proc *conf)
{
    for (int i = 1; i < SYS_COUNT; i++)
        if (strcmp(sys_names[i], conf->sleep_in) == 0)
            return (enum sys)i;
    return SYS_EPOLL_WAIT;
}

/* Threads of a process share its load of disk and net. */
static double rate_of(const struct ktask *t, enum block_op op)
{
    const struct kc_disk_load *d = &t->proc->conf->disk;
    double rate = op == OP_READ    ? d->reads_per_s
                  : op == OP_WRITE ? d->writes_per_s
                                   : d->flushes_per_s;

    return d->device ? rate / t->proc->conf->threads : 0;
}

/* The operation that is due, or OP_KINDS. */
static enum block_op due_op(struct kern *k, struct ktask *t)
{
    for (unsigned op = 0; op <= OP_FLUSH; op++) {
        double rate = rate_of(t, (enum block_op)op);

        if (rate <= 0)
            continue;
        if (t->due[op] == 0)
            t->due[op] = next_due(k, rate, k->now);
        if (t->due[op] > k->now)
            continue;
        t->due[op] = next_due(k, rate, t->due[op]);
        return (enum block_op)op;
    }
    return OP_KINDS;
}

static ns_t sleep_of(struct kern *k, struct ktask *t)
{
    ns_t ns = kern_spread(k, (double)t->proc->conf->sleep_ns);

    for (unsigned op = 0; op <= OP_FLUSH; op++)
        if (rate_of(t, (enum block_op)op) > 0 && t->due[op] - k->now < ns)
            ns = t->due[op] - k->now;
    if (t->send_at && t->send_at - k->now < ns)
        ns = t->send_at - k->now;
    ns_t asks = kern_wire_next(k, t);

    if (asks != KERN_NEVER && asks - k->now < ns)
        ns = asks - k->now;
    return ns > 2000 ? ns : 2000;
}

static void send_due(struct kern *k, struct kcpu *c, struct ktask *t)
{
    const struct kc_net_load *n = &t->proc->conf->net;
    double rate = n->interface ? n->tx_per_s / t->proc->conf->threads : 0;

    if (rate <= 0)
        return;
    if (t->send_at == 0)
        t->send_at = next_due(k, rate, k->now);
    for (int i = 0; i < 16 && t->send_at <= k->now; i++) {
        sys_enter(k, c, t, SYS_SENDMSG, n->bytes);
        kern_transmit(k, c, NULL, t->proc->nic, n->bytes);
        sys_exit(k, c, t, SYS_SENDMSG, n->bytes);
        t->send_at = next_due(k, rate, t->send_at);
    }
}

static void receive_due(struct kern *k, struct kcpu *c, struct ktask *t)
{
    for (; t->proc->rx_pending && t == t->proc->tasks.at[0]; t->proc->rx_pending--) {
        sys_enter(k, c, t, SYS_RECVMSG, 7);
        sys_exit(k, c, t, SYS_RECVMSG, t->proc->conf->net.bytes);
    }
}

void prog_service(struct kern *k, struct kcpu *c, struct ktask *t)
{
    const struct kc_proc *conf = t->proc->conf;

    PROG_BEGIN(t);
    for (;;) {
        sys_exit(k, c, t, t->sleeps_in, 1);
        receive_due(k, c, t);
        t->n = 1 + (unsigned)rng_below(&k->rng, 4);
        for (t->i = 0; t->i < t->n; t->i++) {
            PROG_RUN(t, kern_spread(k, (double)conf->work_ns / t->n));
            t->call = small_call(k);
            sys_enter(k, c, t, t->call, 4096);
            PROG_RUN(t, kern_spread(k, 2500));
            sys_exit(k, c, t, t->call, t->call == SYS_OPENAT ? 17 : 0);
        }
        kern_memory(k, c, t);
        send_due(k, c, t);
        kern_wire_due(k, c, t);
        while ((t->job.op = due_op(k, t)) != OP_KINDS) {
            t->call = t->job.op == OP_READ    ? SYS_PREAD64
                      : t->job.op == OP_WRITE ? SYS_PWRITE64
                                              : SYS_FDATASYNC;
            sys_enter(k, c, t, t->call, conf->disk.kib * 1024);
            PROG_RUN(t, kern_spread(k, 3000));
            kern_submit_job(k, c, t);
            PROG_SLEEP(t, SLEEP_DISK);
            sys_exit(k, c, t, t->call, t->job.op == OP_FLUSH ? 0 : conf->disk.kib * 1024);
        }
        PROG_MAY_STOP(k, c, t);
        sys_enter(k, c, t, t->sleeps_in, t->sleeps_in == SYS_FUTEX ? 128 : 512);
        if (!t->kicked && conf->sleep_ns) {
            kern_alarm(k, c, t, sleep_of(k, t));
            PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
        }
        t->kicked = false;
    }
    PROG_END(t);
}

void prog_hog(struct kern *k, struct kcpu *c, struct ktask *t)
{
    const struct kc_proc *conf = t->proc->conf;

    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_NANOSLEEP, 0);
    for (;;) {
        PROG_RUN(t, kern_spread(k, (double)conf->work_ns));
        kern_memory(k, c, t);
        PROG_MAY_STOP(k, c, t);
        if (conf->sleep_ns == 0)
            continue;
        sys_enter(k, c, t, SYS_NANOSLEEP, 0);
        kern_alarm(k, c, t, kern_spread(k, (double)conf->sleep_ns));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
        sys_exit(k, c, t, SYS_NANOSLEEP, 0);
    }
    PROG_END(t);
}

void prog_extra(struct kern *k, struct kcpu *c, struct ktask *t)
{
    const struct kc_proc *conf = t->proc->conf;

    PROG_BEGIN(t);
    for (;;) {
        sys_exit(k, c, t, SYS_FUTEX, -110);
        PROG_RUN(t, kern_spread(k, (double)conf->work_ns));
        sys_enter(k, c, t, SYS_FUTEX, 137);
        kern_alarm(k, c, t, kern_spread(k, (double)conf->sleep_ns));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
    }
    PROG_END(t);
}

/* A kernel thread that a timer of the timer wheel wakes. */
void prog_kworker(struct kern *k, struct kcpu *c, struct ktask *t)
{
    (void)c;
    PROG_BEGIN(t);
    t->mode = MODE_KERNEL;
    for (;;) {
        PROG_RUN(t, kern_spread(k, 6000));
        kern_timer(k, k->now + kern_spread(k, 40e6), TM_WHEEL, t, t->token);
        PROG_SLEEP(t, SLEEP_IDLE);
    }
    PROG_END(t);
}

void kern_exit_now(struct ktask *t)
{
    t->step = prog_exit;
    t->pc = 0;
    t->left = 0;
}

void prog_exit(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    if (!t->proc->kernel)
        sys_enter(k, c, t, t->proc->alive == 1 ? SYS_EXIT_GROUP : SYS_EXIT, 0);
    PROG_RUN(t, kern_spread(k, 20000));
    t->sleep_state = t->tid == t->proc->pid && !t->proc->kernel ? DEAD_ZOMBIE : DEAD_REAPED;
    if (t->proc->alive == 1)
        kern_memory_over(k, c, t->proc);
    kern_emit(k, c, EV_EXIT, (struct ctfw_val[]){ kern_comm(t), ctfw_i(t->tid), ctfw_i(t->prio) });
    t->going = GO_DEAD;
    PROG_END(t);
}

/* --- Creating and reaping ----------------------------------------------------------- */

static void emit_fork(struct kern *k, struct kcpu *c, const struct ktask *t,
                      const struct ktask *child)
{
    int32_t vtids[2] = { child->tid, child->vtid };
    bool nested = child->proc->ns_inum != t->proc->ns_inum || child->vtid != child->tid;

    kern_emit(k, c, EV_FORK,
              (struct ctfw_val[]){ kern_comm(t), ctfw_i(t->tid), ctfw_i(t->proc->pid),
                                   ctfw_u(t->proc->ns_inum), kern_comm(child), ctfw_i(child->tid),
                                   (struct ctfw_val){ .p = vtids, .n = nested ? 2 : 1 },
                                   ctfw_i(child->proc->pid), ctfw_u(child->proc->ns_inum) });
}

/* Thread 't' makes the new thread 'child' and lets it run. */
void kern_clone(struct kern *k, struct kcpu *c, struct ktask *t, struct ktask *child)
{
    enum { CLONE_THREAD_FLAGS = 0x3d0f00, CLONE_FORK_FLAGS = 0x1200011 };

    sys_enter(k, c, t, SYS_CLONE, child->proc == t->proc ? CLONE_THREAD_FLAGS : CLONE_FORK_FLAGS);
    child->cpu = c;
    child->unborn = false;
    emit_fork(k, c, t, child);
    kern_wake_new(k, c, child);
    sys_exit(k, c, t, SYS_CLONE, child->tid);
}

/* A new process becomes the program that it is to be: its comm changes. */
static void become(struct kern *k, struct kcpu *c, struct ktask *t)
{
    memcpy(t->comm, t->proc->comm, COMM_SIZE);
    kern_emit(k, c, EV_EXEC,
              (struct ctfw_val[]){ kern_z(t->proc->program), ctfw_i(t->tid), ctfw_i(t->tid) });
    sys_exit(k, c, t, SYS_EXECVE, 0);
}

/* The first thread of a process that starts while tracing: it runs its program
 * and makes the other threads. */
void prog_boot(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_CLONE, 0); /* of its parent's call: no entry here */
    sys_enter(k, c, t, SYS_EXECVE, 0);
    PROG_RUN(t, kern_spread(k, 300000));
    become(k, c, t);
    PROG_RUN(t, kern_spread(k, 2000000));
    sys_enter(k, c, t, SYS_OPENAT, 0);
    PROG_RUN(t, kern_spread(k, 9000));
    sys_exit(k, c, t, SYS_OPENAT, 14);
    kern_populate(k, t->proc);
    for (t->i = 1; t->i < t->proc->tasks.n; t->i++) {
        kern_clone(k, c, t, t->proc->tasks.at[t->i]);
        PROG_RUN(t, kern_spread(k, 30000));
    }
    if (t->proc->vhost)
        kern_clone(k, c, t, t->proc->vhost);
    t->proc->ready = true;
    kern_settle(k, c, t);
    PROG_END(t);
}

static void stop(struct kern *k, struct kcpu *c, struct kproc *p)
{
    p->stopping = true;
    for (size_t i = 0; i < p->tasks.n; i++)
        kern_kick(k, c, p->tasks.at[i]);
    if (p->vhost)
        kern_kick(k, c, p->vhost);
}

/* A further thread of a process that starts while tracing. */
void prog_thread(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_CLONE, 0);
    PROG_RUN(t, kern_spread(k, 12000));
    kern_settle(k, c, t);
    PROG_END(t);
}

/* The parent of what starts while tracing; it also tells processes to end. */
void prog_spawner(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    for (;;) {
        sys_exit(k, c, t, SYS_EPOLL_WAIT, 1);
        PROG_RUN(t, kern_spread(k, 9000));
        while (k->starting.n) {
            PROG_RUN(t, kern_spread(k, 80000));
            kern_clone(k, c, t,
                       kern_new_task(k, k->starting.at[--k->starting.n], t->comm, prog_boot));
        }
        while (k->stopping.n) {
            PROG_RUN(t, kern_spread(k, 20000));
            stop(k, c, k->stopping.at[--k->stopping.n]);
        }
        while (t->proc->zombies.n) {
            sys_enter(k, c, t, SYS_WAIT4, 0);
            PROG_RUN(t, kern_spread(k, 4000));
            sys_exit(k, c, t, SYS_WAIT4, kern_reap(k, c, t->proc));
        }
        sys_enter(k, c, t, SYS_EPOLL_WAIT, 0);
        kern_alarm(k, c, t, kern_spread(k, 100e6));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
    }
    PROG_END(t);
}

/* Makes children at some rate, and reaps them. */
void prog_churn(struct kern *k, struct kcpu *c, struct ktask *t)
{
    const struct kc_proc *conf = t->proc->conf;

    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_NANOSLEEP, 0);
    for (;;) {
        PROG_RUN(t, kern_spread(k, 60000));
        if (k->tids.n < (size_t)k->conf->pid_max / 2 && k->tids.n < KERN_LIMIT_THREADS)
            kern_clone(k, c, t, kern_new_child(k, t));
        while (t->proc->zombies.n) {
            sys_enter(k, c, t, SYS_WAIT4, 0);
            PROG_RUN(t, kern_spread(k, 3000));
            sys_exit(k, c, t, SYS_WAIT4, kern_reap(k, c, t->proc));
        }
        PROG_MAY_STOP(k, c, t);
        sys_enter(k, c, t, SYS_NANOSLEEP, 0);
        kern_alarm(k, c, t, kern_spread(k, 1e9 / conf->per_s));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
        sys_exit(k, c, t, SYS_NANOSLEEP, 0);
    }
    PROG_END(t);
}

/* A child of the above: a process with a program of its own, or a thread. */
void prog_child(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_CLONE, 0);
    if (t->proc->conf->exec) {
        sys_enter(k, c, t, SYS_EXECVE, 0);
        PROG_RUN(t, kern_spread(k, 200000));
        become(k, c, t);
    }
    PROG_RUN(t, kern_spread(k, (double)t->proc->conf->work_ns));
    kern_exit_now(t);
    PROG_END(t);
}
