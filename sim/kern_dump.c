/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_dump.c -- the state dump that LTTng makes when tracing begins: all
 * threads with their state and namespaces, files, disks, interfaces,
 * interrupts.  A thread of lttng-sessiond does it, in its own time. */
#include "sim/kern_io.h"

#include <stdio.h>

enum { /* as lttng-statedump-impl.c numbers them */
       DUMP_USER_THREAD = 0,
       DUMP_KERNEL_THREAD = 1,
       DUMP_MODE_UNKNOWN = 5,
       DUMP_STATUS_RUNNABLE = 1,
       DUMP_STATUS_WAIT = 5,
};

enum { NS_TIME = 0, NS_CGROUP, NS_PID, NS_USER, NS_UTS, NS_IPC, NS_NET };

static uint32_t ns_inum(unsigned which)
{
    return 4026531834u + which;
}

static uint64_t files_of(const struct kproc *p)
{
    return UINT64_C(0xffff888110000000) + (uint64_t)p->index * 0x280;
}

static void dump_ns(struct kern *k, struct kcpu *c, const struct ktask *t)
{
    static const struct {
        enum kev e;
        unsigned which;
    } plain[] = { { EV_DUMP_CGROUP_NS, NS_CGROUP },
                  { EV_DUMP_IPC_NS, NS_IPC },
                  { EV_DUMP_NET_NS, NS_NET },
                  { EV_DUMP_UTS_NS, NS_UTS },
                  { EV_DUMP_TIME_NS, NS_TIME } };
    const struct kproc *p = t->proc;

    /* from the innermost namespace outwards */
    if (p->conf && p->conf->container)
        kern_emit(k, c, EV_DUMP_PID_NS,
                  (struct ctfw_val[]){ ctfw_i(t->tid), ctfw_i(t->vtid), ctfw_i(p->vpid), ctfw_i(0),
                                       ctfw_i(1), ctfw_u(p->ns_inum) });
    kern_emit(k, c, EV_DUMP_PID_NS,
              (struct ctfw_val[]){ ctfw_i(t->tid), ctfw_i(t->tid), ctfw_i(p->pid),
                                   ctfw_i(p->parent ? p->parent->pid : 0), ctfw_i(0),
                                   ctfw_u(ns_inum(NS_PID)) });
    kern_emit(k, c, EV_DUMP_USER_NS,
              (struct ctfw_val[]){ ctfw_i(t->tid), ctfw_u(0), ctfw_u(0), ctfw_i(0),
                                   ctfw_u(ns_inum(NS_USER)) });
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++)
        kern_emit(k, c, plain[i].e,
                  (struct ctfw_val[]){ ctfw_i(t->tid), ctfw_u(ns_inum(plain[i].which)) });
}

static void dump_file(struct kern *k, struct kcpu *c, const struct kproc *p, int fd,
                      const char *name)
{
    kern_emit(k, c, EV_DUMP_FD,
              (struct ctfw_val[]){ ctfw_u(files_of(p)), ctfw_i(fd), ctfw_u(02), ctfw_u(0xe0003),
                                   kern_z(name) });
}

static void dump_files(struct kern *k, struct kcpu *c, const struct kproc *p)
{
    char vcpu[40];

    dump_file(k, c, p, 0, "/dev/null");
    if (p->file)
        dump_file(k, c, p, 14, p->file);
    if (!p->instance)
        return;
    dump_file(k, c, p, 11, "/dev/kvm");
    dump_file(k, c, p, 12, "anon_inode:kvm-vm");
    for (unsigned i = 0; i < p->vcpus.n; i++) {
        snprintf(vcpu, sizeof vcpu, "anon_inode:kvm-vcpu:%u", i);
        dump_file(k, c, p, 20 + (int)i, vcpu);
    }
    if (p->vhost)
        dump_file(k, c, p, 15, "/dev/vhost-net");
}

static void dump_thread(struct kern *k, struct kcpu *c, struct ktask *t)
{
    const struct kproc *p = t->proc;
    bool sleeps = !t->running && !t->queued;
    ns_t ts = kern_emit(k, c, EV_DUMP_PROCESS,
                        (struct ctfw_val[]){
                            ctfw_i(t->tid), ctfw_i(p->pid), ctfw_i(p->parent ? p->parent->pid : 0),
                            kern_comm(t), ctfw_i(p->kernel ? DUMP_KERNEL_THREAD : DUMP_USER_THREAD),
                            ctfw_i(DUMP_MODE_UNKNOWN), ctfw_i(0),
                            ctfw_i(sleeps ? DUMP_STATUS_WAIT : DUMP_STATUS_RUNNABLE),
                            ctfw_u(t->cpu->id), ctfw_u(files_of(p)) });

    account_dump(t, ts);
    dump_ns(k, c, t);
    if (t->tid == p->pid && !p->kernel)
        dump_files(k, c, p);
}

static void dump_devices(struct kern *k, struct kcpu *c)
{
    for (unsigned i = 0; i < k->n_cpus; i++)
        kern_emit(k, c, EV_DUMP_CPU,
                  (struct ctfw_val[]){ kern_z("x86"), ctfw_u(i), kern_z("GenuineIntel"), ctfw_u(6),
                                       ctfw_u(85), kern_z("Intel(R) Xeon(R) Gold 6130 CPU"),
                                       ctfw_u(0), ctfw_u(i), ctfw_u(k->n_cpus) });
    for (size_t i = 0; i < k->hc->n_disks; i++) {
        kern_emit(k, c, EV_DUMP_DISK,
                  (struct ctfw_val[]){ ctfw_u(k->disks[i].dev), kern_z(k->disks[i].conf->name) });
        kern_emit(k, c, EV_DUMP_INTERRUPT,
                  (struct ctfw_val[]){ ctfw_u(k->disks[i].conf->irq), kern_z("PCI-MSI"),
                                       kern_z(k->disks[i].irq_name), ctfw_i(0) });
    }
    for (size_t i = 0; i < k->n_interfaces; i++) {
        const struct kinterface *f = &k->interfaces[i];

        kern_emit(k, c, EV_DUMP_INTERFACE,
                  (struct ctfw_val[]){ kern_z(f->name), ctfw_u(f->address) });
        if (f->irq)
            kern_emit(k, c, EV_DUMP_INTERRUPT,
                      (struct ctfw_val[]){ ctfw_u(f->irq), kern_z("PCI-MSI"), kern_z(f->irq_name),
                                           ctfw_i(0) });
    }
    for (size_t i = 0; i < k->hc->n_interrupts; i++)
        kern_emit(k, c, EV_DUMP_INTERRUPT,
                  (struct ctfw_val[]){ ctfw_u(k->hc->interrupts[i].irq), kern_z("IO-APIC"),
                                       kern_z(k->hc->interrupts[i].name), ctfw_i(0) });
}

void prog_dump(struct kern *k, struct kcpu *c, struct ktask *t)
{
    PROG_BEGIN(t);
    sys_exit(k, c, t, SYS_EPOLL_WAIT, 1);
    sys_enter(k, c, t, SYS_IOCTL, IOCTL_LTTNG_START);
    PROG_RUN(t, 20000);
    kern_emit(k, c, EV_DUMP_START, NULL);
    t->n = (unsigned)k->tasks.n;
    for (t->i = 0; t->i < t->n; t->i++) {
        if (!k->tasks.at[t->i]->dead)
            dump_thread(k, c, k->tasks.at[t->i]);
        PROG_RUN(t, 1500);
    }
    dump_devices(k, c);
    PROG_RUN(t, 30000);
    kern_emit(k, c, EV_DUMP_END, NULL);
    sys_exit(k, c, t, SYS_IOCTL, 0);
    PROG_RUN(t, 15000);
    if (k->conf->dump == KC_DUMP_FIRST)
        kern_go(k);
    for (;;) { /* nothing wakes it again */
        sys_enter(k, c, t, SYS_EPOLL_WAIT, 0);
        PROG_SLEEP(t, SLEEP_INTERRUPTIBLE);
        sys_exit(k, c, t, SYS_EPOLL_WAIT, 0);
    }
    PROG_END(t);
}
