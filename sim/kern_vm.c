/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_vm.c -- the threads of a virtual machine.
 *
 * A virtual CPU runs guest code between kvm_x86_entry and kvm_x86_exit, all in
 * one ioctl (KVM_RUN) unless QEMU itself has something to do.  A guest's disk
 * request goes from the virtual CPU to QEMU's main thread, to a worker, which
 * sleeps for the disk, and back; its packets go through the kernel thread
 * vhost-PID.  So every wake-up has the cause that it has in reality. */
#include "sim/kern_io.h"
#include "sim/migrate_priv.h"

static const struct {
    uint32_t number;
    ns_t takes;
} exits[KX_COUNT] = {
#define X(id, name, number, ns) [id] = { number, ns },
    KERN_EXITS(X)
#undef X
};

enum { ISA_VMX = 1, KVM_EXIT_IO = 2 };

static uint64_t guest_rip(const struct ktask *t)
{
    return UINT64_C(0xffffffff81000000) + (uint64_t)t->tid * 0x1000 + t->vcpu->entries % 0x1000;
}

void kern_guest_enter(struct kern *k, struct kcpu *c, struct ktask *t)
{
    ns_t ts = kern_emit(k, c, EV_KVM_ENTRY,
                        (struct ctfw_val[]){ ctfw_u(t->vcpu->id), ctfw_u(guest_rip(t)) });

    t->vcpu->in_guest = true;
    account_guest(t, true, KX_EXTERNAL_INTERRUPT, ts);
}

void kern_guest_leave(struct kern *k, struct kcpu *c, struct ktask *t, enum kern_exit reason)
{
    ns_t ts = kern_emit(k, c, EV_KVM_EXIT,
                        (struct ctfw_val[]){ ctfw_u(exits[reason].number), ctfw_u(guest_rip(t)),
                                             ctfw_u(ISA_VMX), ctfw_u(0), ctfw_u(0), ctfw_u(0),
                                             ctfw_u(0), ctfw_u(t->vcpu->id) });

    t->vcpu->in_guest = false;
    account_guest(t, false, reason, ts);
}

/* --- The virtual CPU ------------------------------------------------------------------ */

static ns_t gap(struct kern *k, double per_s, ns_t from)
{
    return per_s > 0 ? from + kern_spread(k, 1e9 / per_s) : KERN_NEVER;
}

static double disk_rate(const struct kproc *p)
{
    const struct kc_disk_load *d = &p->conf->disk;

    return d->device ? (d->reads_per_s + d->writes_per_s + d->flushes_per_s) / p->conf->threads : 0;
}

static double tx_rate(const struct kproc *p)
{
    return p->conf->net.interface ? p->conf->net.tx_per_s / p->conf->threads : 0;
}

/* How long the guest runs until it leaves. */
static ns_t guest_stretch(struct kern *k, struct ktask *t)
{
    double rate = 0;

    for (int i = 0; i < KX_COUNT; i++)
        rate += t->proc->conf->exits_per_s[i];
    ns_t until = rate > 0 ? kern_spread(k, 1e9 / rate) : KERN_NEVER;

    return until < t->vcpu->burst_left ? until : t->vcpu->burst_left;
}

static enum kern_exit pick_exit(struct kern *k, const struct ktask *t)
{
    const struct kc_proc *conf = t->proc->conf;
    struct kvcpu *v = t->vcpu;
    double rate = 0;

    if (v->next_disk <= k->now || v->next_tx <= k->now)
        return KX_EPT_MISCONFIG;
    if (v->burst_left <= 0 && conf->sleep_ns > 0)
        return KX_HLT;
    for (int i = 0; i < KX_COUNT; i++)
        rate += conf->exits_per_s[i];
    double at = rng_unit(&k->rng) * rate;

    for (int i = 0; i < KX_COUNT; i++) {
        at -= conf->exits_per_s[i];
        if (at < 0)
            return (enum kern_exit)i;
    }
    return KX_PREEMPTION_TIMER; /* the guest's own timer */
}

static enum block_op pick_op(struct kern *k, const struct kc_disk_load *d)
{
    double at = rng_unit(&k->rng) * (d->reads_per_s + d->writes_per_s + d->flushes_per_s);

    return at < d->reads_per_s                     ? OP_READ
           : at < d->reads_per_s + d->writes_per_s ? OP_WRITE
                                                   : OP_FLUSH;
}

/* The guest rang: its requests and packets are for others to handle. */
static void ring(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kproc *p = t->proc;
    struct kvcpu *v = t->vcpu;

    if (v->next_disk <= k->now) {
        v->next_disk = gap(k, disk_rate(p), k->now);
        if (p->jobs.n < 1024) {
            *vec_push(&p->jobs) = (struct kjob){ .op = pick_op(k, &p->conf->disk), .vcpu = t };
            kern_kick(k, c, p->main);
        }
    }
    if (v->next_tx <= k->now) {
        v->next_tx = gap(k, tx_rate(p), k->now);
        p->tx_pending++;
        kern_kick(k, c, p->vhost);
    }
}

static ns_t halt_time(struct kern *k, struct ktask *t)
{
    const struct kvcpu *v = t->vcpu;
    ns_t at = k->now + kern_spread(k, (double)t->proc->conf->sleep_ns);

    at = v->next_disk < at ? v->next_disk : at;
    at = v->next_tx < at ? v->next_tx : at;
    return at - k->now > 2000 ? at - k->now : 2000;
}

void prog_vcpu(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kvcpu *v = t->vcpu;

    PROG_BEGIN(t);
    v->next_disk = gap(k, disk_rate(t->proc), k->now);
    v->next_tx = gap(k, tx_rate(t->proc), k->now);
    for (;;) {
        t->kicked = false;
        v->burst_left = kern_spread(k, (double)t->proc->conf->work_ns);
        while (v->burst_left > 0) {
            t->at = guest_stretch(k, t);
            t->mode = MODE_GUEST;
            PROG_RUN(t, t->at);
            v->burst_left -= t->at;
            t->reason = pick_exit(k, t);
            kern_guest_leave(k, c, t, t->reason);
            t->mode = MODE_KERNEL;
            PROG_RUN(t, kern_spread(k, (double)exits[t->reason].takes));
            if (t->reason == KX_EPT_VIOLATION)
                kern_memory(k, c, t);
            if (t->reason == KX_EPT_MISCONFIG) {
                ring(k, c, t);
                v->burst_left += v->burst_left > 0 ? 0 : 15000; /* it goes on before it halts */
            }
            if (t->reason == KX_IO_INSTRUCTION || t->proc->stopping) {
                kern_emit(k, c, EV_KVM_USERSPACE,
                          (struct ctfw_val[]){ ctfw_u(KVM_EXIT_IO), ctfw_i(0) });
                sys_exit(k, c, t, SYS_IOCTL, 0);
                PROG_RUN(t, kern_spread(k, 5000));
                if (t->proc->stopping) {
                    kern_exit_now(t);
                    return;
                }
                sys_enter(k, c, t, SYS_IOCTL, IOCTL_KVM_RUN);
            }
        }
        if (t->reason == KX_HLT && !t->kicked) {
            kern_alarm(k, c, t, halt_time(k, t));
            PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
        }
    }
    PROG_END(t);
}

/* --- QEMU ------------------------------------------------------------------------------- */

static bool has_work(const struct kproc *p)
{
    return p->done.n || (p->jobs.n && p->idle_workers.n);
}

/* One thing that QEMU's main thread does: gives a request to a worker, or tells
 * the guest that one is done. */
static void handle_one(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kproc *p = t->proc;

    if (p->done.n) {
        struct ktask *vcpu = p->done.at[--p->done.n].vcpu;

        sys_enter(k, c, t, SYS_IOCTL, IOCTL_KVM_IRQ_LINE);
        kern_kick(k, c, vcpu);
        sys_exit(k, c, t, SYS_IOCTL, 0);
        return;
    }
    struct ktask *worker = p->idle_workers.at[--p->idle_workers.n];

    worker->job = p->jobs.at[0];
    worker->has_job = true;
    memmove(p->jobs.at, p->jobs.at + 1, --p->jobs.n * sizeof *p->jobs.at);
    sys_enter(k, c, t, SYS_FUTEX, 129);
    kern_kick(k, c, worker);
    sys_exit(k, c, t, SYS_FUTEX, 1);
}

static bool sender_is_due(const struct kern *k, const struct kproc *p)
{
    return p->sent_away < p->senders.n && p->senders.at[p->sent_away].at <= k->now;
}

/* What one write of a migration puts into a packet. */
enum { TSO_MOST = 65160 };

static const struct sc_migration *migration_of(const struct ktask *t)
{
    return t->proc->senders.at[t->proc->sent_away - 1].sc;
}

/* A quarter of what a migration sends in a window, where the link's capacity is known. */
static void send_memory(struct kern *k, struct kcpu *c, const struct ktask *t)
{
    const struct kc_interface *conf = kern_limited_link(k->hc);
    struct kinterface *link = conf ? kern_interface_named(k, conf->name) : NULL;
    double rate =
        link ? migrate_rate(k->s, migration_of(t), host_true(k->host, k->now) - k->s->begin) / 40
             : 0;
    unsigned part;

    for (uint64_t left = (uint64_t)rate; left > 0; left -= part) {
        part = left < TSO_MOST ? (unsigned)left : TSO_MOST;
        kern_transmit(k, c, NULL, link, part + 66);
    }
}

/* The thread live_migration: in each window it sends what it may and sleeps until the next. */
void prog_sender(struct kern *k, struct kcpu *c, struct ktask *t)
{
    double cpu = migration_of(t)->cpu_percent;

    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_CLONE, 0);
    while (k->now < t->at && !t->proc->stopping) {
        for (t->i = 0; t->i < 4; t->i++) {
            PROG_RUN(t, kern_spread(k, 187500 * cpu));
            sys_enter(k, c, t, SYS_SENDMSG, 1 << 18);
            PROG_RUN(t, kern_spread(k, 50000 * cpu));
            send_memory(k, c, t);
            sys_exit(k, c, t, SYS_SENDMSG, 1 << 18);
        }
        sys_enter(k, c, t, SYS_FUTEX, 128);
        kern_alarm(k, c, t, kern_spread(k, 1e6 * (93 - cpu)));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
        sys_exit(k, c, t, SYS_FUTEX, -110);
    }
    kern_exit_now(t);
    PROG_END(t);
}

void prog_qemu(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    for (;;) {
        sys_exit(k, c, t, SYS_PPOLL, 1);
        t->kicked = false;
        PROG_RUN(t, kern_spread(k, 6000));
        while (has_work(t->proc) && !t->proc->stopping) {
            handle_one(k, c, t);
            PROG_RUN(t, kern_spread(k, 3000));
        }
        if (t->proc->stopping) {
            kern_exit_now(t);
            return;
        }
        while (sender_is_due(k, t->proc)) {
            kern_clone(k, c, t, kern_new_sender(k, t->proc));
            PROG_RUN(t, kern_spread(k, 30000));
        }
        sys_enter(k, c, t, SYS_PPOLL, 0);
        if (t->kicked)
            continue;
        kern_alarm(k, c, t, kern_spread(k, 250e6));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
    }
    PROG_END(t);
}

void prog_worker(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kproc *p = t->proc;

    PROG_BEGIN(t);
    for (;;) {
        sys_exit(k, c, t, SYS_FUTEX, 0);
        t->kicked = false;
        while (t->has_job) {
            t->call = t->job.op == OP_READ    ? SYS_PREAD64
                      : t->job.op == OP_WRITE ? SYS_PWRITE64
                                              : SYS_FDATASYNC;
            sys_enter(k, c, t, t->call, p->conf->disk.kib * 1024);
            PROG_RUN(t, kern_spread(k, 4000));
            kern_submit_job(k, c, t);
            PROG_SLEEP(t, SLEEP_DISK);
            sys_exit(k, c, t, t->call, t->job.op == OP_FLUSH ? 0 : p->conf->disk.kib * 1024);
            *vec_push(&p->done) = t->job;
            t->has_job = false;
            PROG_RUN(t, kern_spread(k, 2000));
            sys_enter(k, c, t, SYS_WRITE, 8);
            kern_kick(k, c, p->main);
            sys_exit(k, c, t, SYS_WRITE, 8);
        }
        if (p->stopping) {
            kern_exit_now(t);
            return;
        }
        *vec_push(&p->idle_workers) = t;
        sys_enter(k, c, t, SYS_FUTEX, 128);
        if (!t->kicked)
            PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
    }
    PROG_END(t);
}

/* The iothread of QEMU's monitor: it has little to do. */
void prog_iothread(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    for (;;) {
        sys_exit(k, c, t, SYS_PPOLL, 0);
        PROG_RUN(t, kern_spread(k, 15000));
        if (t->proc->stopping) {
            kern_exit_now(t);
            return;
        }
        sys_enter(k, c, t, SYS_PPOLL, 0);
        kern_alarm(k, c, t, kern_spread(k, 2e9));
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
    }
    PROG_END(t);
}

void prog_vhost(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kproc *p = t->proc->of;

    PROG_BEGIN(t);
    t->mode = MODE_KERNEL;
    for (;;) {
        t->kicked = false;
        while (p->rx_pending || p->tx_pending) {
            PROG_RUN(t, kern_spread(k, 2500));
            if (p->rx_pending) {
                p->rx_pending--;
                if (!p->stopping)
                    kern_kick(k, c, p->vcpus.at[0]);
            } else {
                p->tx_pending--;
                kern_transmit(k, c, p->tap, p->nic, p->conf->net.bytes);
            }
        }
        if (p->stopping) {
            kern_exit_now(t);
            return;
        }
        if (!t->kicked)
            PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
    }
    PROG_END(t);
}
