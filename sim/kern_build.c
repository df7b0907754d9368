/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_build.c -- processes and threads: those that exist when tracing begins,
 * those that come and go later. */
#include "sim/kern_io.h"

#include "sim/engine.h"
#include "sim/migrate.h"

#include <stdio.h>
#include <stdlib.h>

enum { NS_INUM_HOST = 4026531836u, WORKERS = 4 };

/* --- Identifiers ----------------------------------------------------------------------- */

static bool take_tid(struct kern *k, int32_t tid, const struct ktask *t)
{
    uint32_t index;

    if (map64_get(&k->tids, (uint64_t)tid, &index))
        return false;
    map64_set(&k->tids, (uint64_t)tid, (uint32_t)t->index);
    return true;
}

/* As the kernel: the next free one, from 300 on again after the largest. */
static int32_t new_tid(struct kern *k, const struct ktask *t)
{
    for (;;) {
        if (++k->next_tid >= k->conf->pid_max)
            k->next_tid = 300;
        if (take_tid(k, k->next_tid, t))
            return k->next_tid;
    }
}

static void set_comm(char out[static COMM_SIZE], const char *name)
{
    memset(out, 0, COMM_SIZE);
    memcpy(out, name, strnlen(name, COMM_SIZE - 1));
}

/* --- Processes and threads --------------------------------------------------------------- */

static struct kproc *new_proc(struct kern *k, const struct kc_proc *conf, const char *name,
                              const char *comm)
{
    struct kproc *p = arena_new(&k->mem, struct kproc);

    p->conf = conf;
    p->index = k->procs.n;
    p->name = name;
    p->name_id = strtab_id(&k->names, str_of(name));
    p->ns_inum = NS_INUM_HOST;
    p->memory_since = k->now;
    set_comm(p->comm, comm);
    p->program = arena_printf(&k->mem, "/usr/bin/%s", comm);
    p->file = "/proc/meminfo";
    if (conf && conf->container)
        p->ns_inum += 400 + (uint32_t)p->index;
    if (conf && conf->disk.device)
        p->disk = kern_disk_named(k, conf->disk.device);
    if (conf && conf->net.interface)
        p->nic = kern_interface_named(k, conf->net.interface);
    *vec_push(&k->procs) = p;
    return p;
}

static void set_rights(struct kern *k, struct ktask *t)
{
    const struct kc_proc *conf = t->proc->conf;

    t->prio = PRIO_USUAL;
    if (conf)
        t->prio = conf->realtime ? -1 - (int)conf->realtime : PRIO_USUAL + (int)conf->nice;
    for (size_t i = 0; i < ARRAY_SIZE(t->allowed.bits); i++)
        t->allowed.bits[i] =
            conf && (conf->cpus.bits[0] || conf->cpus.bits[1]) ? conf->cpus.bits[i] : UINT64_MAX;
    for (unsigned i = 0; i < KERN_LIMIT_CPUS; i++)
        if (i >= k->n_cpus)
            t->allowed.bits[i / 64] &= ~(UINT64_C(1) << (i % 64));
    t->cpu = &k->cpus[t->index % k->n_cpus];
    while (!((t->allowed.bits[t->cpu->id / 64] >> (t->cpu->id % 64)) & 1))
        t->cpu = &k->cpus[(t->cpu->id + 1) % k->n_cpus];
}

struct ktask *kern_new_task(struct kern *k, struct kproc *p, const char *comm, kern_step *step)
{
    struct ktask *t = arena_new(&k->mem, struct ktask);

    t->index = k->tasks.n;
    *vec_push(&k->tasks) = t;
    t->proc = p;
    set_comm(t->comm, comm);
    int32_t wanted = p->pid ? p->wanted_tid : p->wanted_pid;

    t->tid = wanted && take_tid(k, wanted, t) ? wanted : new_tid(k, t);
    p->wanted_tid = 0;
    if (!p->pid) {
        p->pid = t->tid;
        p->vpid = p->conf && p->conf->container ? 1 : p->pid;
        p->next_vtid = p->vpid;
        p->started_ns = k->now;
    }
    t->vtid = p->conf && p->conf->container ? p->next_vtid++ : t->tid;
    t->step = t->main_step = step;
    t->unborn = k->built;
    t->sleep_state = step == prog_kworker ? SLEEP_IDLE : SLEEP_INTERRUPTIBLE;
    if (p->conf)
        t->sleeps_in = kern_sleep_call(p->conf);
    set_rights(k, t);
    *vec_push(&p->tasks) = t;
    p->alive++;
    return t;
}

static struct ktask *add_thread(struct kern *k, struct kproc *p, const char *comm, kern_step *step,
                                enum sys sleeps_in)
{
    struct ktask *t;

    if (p->boots && p->tasks.n == 1 && !p->booted) {
        t = p->tasks.at[0]; /* the one that runs, and calls this */
        p->booted = true;
        set_comm(t->comm, comm);
        t->main_step = step;
    } else {
        t = kern_new_task(k, p, comm, p->boots && !p->kernel ? prog_thread : step);
        t->main_step = step;
    }
    t->sleeps_in = sleeps_in;
    return t;
}

static void populate_instance(struct kern *k, struct kproc *p)
{
    char comm[32];

    p->main = add_thread(k, p, p->comm, prog_qemu, SYS_PPOLL);
    for (unsigned i = 0; i < p->conf->threads; i++) {
        snprintf(comm, sizeof comm, "CPU %u/KVM", i);
        struct ktask *t = add_thread(k, p, comm, prog_vcpu, SYS_IOCTL);

        t->vcpu = arena_new(&k->mem, struct kvcpu);
        t->vcpu->id = i;
        *vec_push(&p->vcpus) = t;
    }
    add_thread(k, p, "IO mon_iothread", prog_iothread, SYS_PPOLL);
    for (int i = 0; p->disk && i < WORKERS; i++) {
        struct ktask *t = add_thread(k, p, "worker", prog_worker, SYS_FUTEX);

        if (!p->boots)
            *vec_push(&p->idle_workers) = t;
    }
    if (!p->tap)
        return;
    struct kproc *v = new_proc(k, NULL, p->name, "vhost");

    v->kernel = true;
    v->of = p;
    v->instance = p->instance;
    v->parent = k->kthreadd;
    v->boots = p->boots;
    snprintf(comm, sizeof comm, "vhost-%d", p->pid);
    set_comm(v->comm, comm);
    p->vhost = kern_new_task(k, v, comm, prog_vhost);
}

void kern_populate(struct kern *k, struct kproc *p)
{
    static kern_step *const steps[] = { [KC_SERVICE] = prog_service,
                                        [KC_HOG] = prog_hog,
                                        [KC_EXTRA] = prog_extra,
                                        [KC_CHURN] = prog_churn };
    static const enum sys calls[] = { [KC_SERVICE] = SYS_EPOLL_WAIT,
                                      [KC_HOG] = SYS_NANOSLEEP,
                                      [KC_EXTRA] = SYS_FUTEX,
                                      [KC_CHURN] = SYS_NANOSLEEP };
    enum kc_kind kind = p->conf->kind;

    if (kind == KC_INSTANCE) {
        populate_instance(k, p);
        return;
    }
    for (unsigned i = 0; i < p->conf->threads; i++)
        add_thread(k, p, p->comm, steps[kind],
                   kind == KC_SERVICE ? kern_sleep_call(p->conf) : calls[kind]);
}

struct ktask *kern_new_sender(struct kern *k, struct kproc *p)
{
    const struct ksender *x = &p->senders.at[p->sent_away++];

    p->wanted_tid = x->tid;
    struct ktask *t = kern_new_task(k, p, "live_migration", prog_sender);

    t->at = x->until;
    return t;
}

struct ktask *kern_new_child(struct kern *k, struct ktask *t)
{
    struct kproc *p = t->proc;

    if (p->conf->exec) {
        p = new_proc(k, p->conf, p->name, p->comm);
        p->parent = t->proc;
    }
    return kern_new_task(k, p, t->comm, prog_child);
}

void kern_settle(struct kern *k, struct kcpu *c, struct ktask *t)
{
    t->step = t->main_step;
    t->pc = 0;
    if (t->vcpu) {
        sys_enter(k, c, t, SYS_IOCTL, IOCTL_KVM_RUN);
        return;
    }
    if (t->step == prog_worker)
        *vec_push(&t->proc->idle_workers) = t;
    sys_enter(k, c, t, t->sleeps_in, 0);
    if (t->kicked)
        return;
    if (t->step != prog_worker)
        kern_alarm(k, c, t, kern_spread(k, 3e6));
    t->sleep_state = SLEEP_INTERRUPTIBLE;
    t->going = GO_SLEEP;
}

/* --- The end ------------------------------------------------------------------------------ */

void kern_task_over(struct kern *k, struct ktask *t)
{
    struct kproc *p = t->proc;
    size_t i = 0;

    t->dead = true;
    t->token++;
    if (t->sys_known)
        account_call(t, false, SYS_NONE, k->now);
    while (p->tasks.at[i] != t)
        i++;
    p->tasks.at[i] = p->tasks.at[--p->tasks.n];
    p->alive--;
    if (t->tid == p->pid && !p->kernel)
        p->leader = t;
    else
        *vec_push(&k->dead) = t; /* nobody waits for it */
    if (p->alive)
        return;
    p->over = true;
    p->over_ns = k->now;
    if (p->parent && p->leader)
        *vec_push(&p->parent->zombies) = p->leader;
}

int32_t kern_reap(struct kern *k, struct kcpu *c, struct kproc *parent)
{
    struct ktask *t = parent->zombies.at[--parent->zombies.n];

    kern_emit(k, c, EV_WAIT, (struct ctfw_val[]){ kern_comm(t), ctfw_i(t->tid), ctfw_i(t->prio) });
    *vec_push(&k->dead) = t;
    return t->tid;
}

void kern_bury(struct kern *k, struct kcpu *c)
{
    for (size_t i = 0; i < k->dead.n; i++) {
        struct ktask *t = k->dead.at[i];

        kern_emit(k, c, EV_FREE,
                  (struct ctfw_val[]){ kern_comm(t), ctfw_i(t->tid), ctfw_i(t->prio) });
        map64_del(&k->tids, (uint64_t)t->tid);
    }
    k->dead.n = 0;
}

/* --- Building ------------------------------------------------------------------------------- */

static const struct vm *vm_named(const struct kern *k, const char *name)
{
    for (size_t i = 0; i < k->s->vms.n; i++)
        if (strcmp(k->s->vms.at[i]->name, name) == 0)
            return k->s->vms.at[i];
    return NULL;
}

/* When the application layer spawned and stopped the VM on this host. */
static void times_of_vm(const struct kern *k, const struct vm *vm, struct kproc *p)
{
    for (size_t i = 0; i < vm->changes.n; i++) {
        const struct vm_change *ch = &vm->changes.at[i];
        bool spawns = ch->task_state && strcmp(ch->task_state, "spawning") == 0;
        bool ends = ch->vm_state &&
                    (strcmp(ch->vm_state, "deleted") == 0 || strcmp(ch->vm_state, "stopped") == 0);

        if (spawns && ch->host == k->host && !p->start_at)
            p->start_at = host_time(k->s, k->host, ch->true_ns);
        if (ends && p->start_at && !p->stop_at)
            p->stop_at = host_time(k->s, k->host, ch->true_ns);
    }
}

/* The threads that send the guest away while it is traced. */
static void add_senders(struct kern *k, const struct qemu_proc *q, struct kproc *p)
{
    const struct qemu_sender *x;

    for (size_t i = 0; (x = migrate_sender(k->s, q, &i));)
        *vec_push(&p->senders) =
            (struct ksender){ .sc = x->sc,
                              .tid = x->tid,
                              .at = host_time(k->s, k->host, x->from),
                              .until = x->to ? host_time(k->s, k->host, x->to) : KERN_NEVER };
}

/* 'q': the process of a VM that migrates; NULL: it does not. */
static void build_instance(struct kern *k, const struct kc_proc *conf, const struct qemu_proc *q)
{
    const struct vm *vm = vm_named(k, conf->name);
    const char *comm = conf->comm ? conf->comm : arena_printf(&k->mem, "qemu:%s", conf->name);
    struct kproc *p = new_proc(k, conf, conf->name, comm);
    char hex[40];

    p->instance = conf->name;
    p->program = "/usr/bin/qemu-system-x86_64";
    if (conf->uuid)
        snprintf(p->uuid, sizeof p->uuid, "%s", conf->uuid);
    else if (vm)
        snprintf(p->uuid, sizeof p->uuid, "%s", vm->uuid);
    else
        make_uuid(&k->rng, p->uuid);
    p->file = arena_printf(&k->mem, "/var/lib/nova/instances/%s/disk", p->uuid);
    p->start_at = conf->start_ns ? k->begin + conf->start_ns : 0;
    p->stop_at = conf->stop_ns ? k->begin + conf->stop_ns : 0;
    if (vm && !conf->start_ns && !q)
        times_of_vm(k, vm, p);
    if (q) {
        p->wanted_pid = q->pid;
        p->start_at = q->from ? host_time(k->s, k->host, q->from) : p->start_at;
        p->stop_at = q->to ? host_time(k->s, k->host, q->to) : p->stop_at;
        add_senders(k, q, p);
    }
    if (p->nic) {
        make_uuid(&k->rng, hex);
        p->tap = kern_new_tap(k, arena_printf(&k->mem, "tap%.11s", vm ? vm->port.id : hex));
    }
}

/* One process, or one for each stay of a VM that migrates. */
static void build_instances(struct kern *k, const struct kc_proc *conf)
{
    size_t i = 0;
    const struct qemu_proc *q = migrate_process(k->s, k->host, conf->name, &i);

    do
        build_instance(k, conf, q);
    while (q && (q = migrate_process(k->s, k->host, conf->name, &i)));
}

/* The pid that the application layer has for a service's worker, or 0. */
static int32_t pid_of_service(const struct kern *k, const struct kc_proc *conf, unsigned worker)
{
    for (int i = 0; i < SVC_COUNT; i++) {
        const char *name = conf->name ? conf->name : conf->comm;

        if ((strcmp(services[i].name, name) == 0 || strcmp(services[i].comm, name) == 0) &&
            worker < k->host->procs[i].n)
            return k->host->procs[i].at[worker]->pid;
    }
    return 0;
}

static void build_kernel_threads(struct kern *k)
{
    char comm[24];
    struct kproc *systemd = new_proc(k, NULL, "systemd", "systemd");

    systemd->wanted_pid = 1;
    k->spawner = kern_new_task(k, systemd, "systemd", prog_spawner);
    k->kthreadd = new_proc(k, NULL, "kthreadd", "kthreadd");
    k->kthreadd->wanted_pid = 2;
    k->kthreadd->kernel = true;
    kern_new_task(k, k->kthreadd, "kthreadd", prog_kworker);
    for (unsigned i = 0; i < k->n_cpus; i++) {
        snprintf(comm, sizeof comm, "kworker/%u:1", i);
        struct kproc *p = new_proc(k, NULL, arena_printf(&k->mem, "%s", comm), comm);

        p->kernel = true;
        p->parent = k->kthreadd;
        p->wanted_pid = 20 + (int32_t)i;
        struct ktask *t = kern_new_task(k, p, comm, prog_kworker);

        memset(&t->allowed, 0, sizeof t->allowed);
        t->allowed.bits[i / 64] = UINT64_C(1) << (i % 64);
        t->cpu = &k->cpus[i];
    }
}

static void build_dumper(struct kern *k)
{
    struct kproc *p = new_proc(k, NULL, "lttng-sessiond", "lttng-sessiond");

    p->parent = k->spawner->proc;
    kern_new_task(k, p, "lttng-sessiond", prog_spawner); /* sleeps all the time */
    k->dumper = kern_new_task(k, p, "Client management", prog_dump);
}

int kern_build(struct kern *k)
{
    size_t threads = 0;

    k->next_tid = 700;
    kern_disks_build(k);
    kern_net_build(k);
    build_kernel_threads(k);
    build_dumper(k);
    for (size_t i = 0; i < k->hc->n_procs; i++) {
        const struct kc_proc *conf = &k->hc->procs[i];

        threads += (size_t)conf->processes * (conf->threads + 8);
        if (threads > KERN_LIMIT_THREADS || threads > (size_t)k->conf->pid_max / 2)
            return err_set(k->err, E_LIMIT,
                           "kernel: host %s: too many threads for pid_max, or "
                           "more than %d",
                           k->hc->name, KERN_LIMIT_THREADS);
        if (conf->kind == KC_INSTANCE) {
            build_instances(k, conf);
            continue;
        }
        for (unsigned n = 0; n < conf->processes; n++) {
            struct kproc *p = new_proc(k, conf, conf->name ? conf->name : conf->comm, conf->comm);

            p->worker = n;
            p->wanted_pid = pid_of_service(k, conf, n);
            p->start_at = conf->start_ns ? k->begin + conf->start_ns : 0;
            p->stop_at = conf->stop_ns ? k->begin + conf->stop_ns : 0;
        }
    }
    for (size_t i = 0, n = k->procs.n; i < n; i++) {
        struct kproc *p = k->procs.at[i];

        if (!p->conf)
            continue;
        p->parent = k->spawner->proc;
        p->boots = p->start_at != 0;
        if (!p->boots)
            kern_populate(k, p);
    }
    k->built = true;
    return 0;
}

/* --- The start ---------------------------------------------------------------------------------
 */

static void first_wake(struct kern *k, struct ktask *t)
{
    double mean = 2e6;

    if (t->step == prog_worker || t->step == prog_vhost || t->step == prog_dump ||
        (t->step == prog_spawner && t != k->spawner))
        return; /* somebody else wakes them, or nobody */
    if (t->proc->conf && t->proc->conf->sleep_ns)
        mean = (double)t->proc->conf->sleep_ns;
    ns_t at = k->now + (ns_t)(mean * rng_unit(&k->rng)) + 1000;

    kern_timer(k, at, t->step == prog_kworker ? TM_WHEEL : TM_WAKE, t, t->token);
}

void kern_go(struct kern *k)
{
    for (size_t i = 0, n = k->tasks.n; i < n; i++)
        first_wake(k, k->tasks.at[i]);
    for (size_t i = 0; i < k->procs.n; i++) {
        struct kproc *p = k->procs.at[i];

        if (p->boots)
            kern_timer(k, p->start_at > k->now ? p->start_at : k->now, TM_START, p, 0);
        if (p->stop_at)
            kern_timer(k, p->stop_at > k->now ? p->stop_at : k->now, TM_STOP, p, 0);
        for (size_t n = 0; n < p->senders.n; n++)
            kern_timer(k, p->senders.at[n].at, TM_SENDER, p, 0);
        if (p->nic && p->conf->net.rx_per_s > 0)
            kern_stream_start(k, p->nic, p, p->conf->net.rx_per_s, p->conf->net.bytes);
    }
    for (size_t i = 0; i < k->hc->n_interfaces; i++)
        if (k->hc->interfaces[i].rx_per_s > 0)
            kern_stream_start(k, &k->interfaces[i], NULL, k->hc->interfaces[i].rx_per_s,
                              k->hc->interfaces[i].bytes);
    for (size_t i = 0; i < k->hc->n_interrupts; i++)
        kern_timer(k, k->now + kern_spread(k, 1e9 / k->hc->interrupts[i].per_s), TM_IRQ,
                   &k->hc->interrupts[i], 0);
}
