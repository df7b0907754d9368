/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_scenario.c -- reads section "kernel" of a scenario, see kern.h.
 *
 * Names are resolved here (hosts, disks, interfaces), so that the simulation
 * never meets one that does not exist. */
#include "sim/kern.h"
#include "sim/scenario_priv.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const kern_exit_names[KX_COUNT] = {
#define X(id, name, number, ns) [id] = name,
    KERN_EXITS(X)
#undef X
};

/* Where the parts of a host are gathered until their number is known. */
struct parts {
    struct reader *r;
    const struct kc_kernel *kernel;
    const struct kc_host *host;
    unsigned cpus;
    VEC(struct kc_proc) procs;
};

/* Length of the list o[key], or 0; -E_ARG when it is none. */
static int list_of(struct reader *r, const char *path, const json_t *o, const char *key,
                   const json_t **ret)
{
    *ret = json_object_get(o, key);
    if (*ret && !json_is_array(*ret))
        return sc_wrong(r, path, key, "must be a list");
    if (*ret && json_array_size(*ret) > 10000)
        return sc_wrong(r, path, key, "more than 10000 entries");
    return 0;
}

static int read_cpus(struct parts *p, const char *path, const json_t *o, struct kc_cpus *ret)
{
    const json_t *list;
    size_t i;
    json_t *v;

    if (list_of(p->r, path, o, "cpus", &list) < 0)
        return -E_ARG;
    json_array_foreach(list, i, v)
    {
        json_int_t cpu = json_is_integer(v) ? json_integer_value(v) : -1;

        if (cpu < 0 || cpu >= (json_int_t)p->cpus)
            return sc_wrong(p->r, path, "cpus", "must hold numbers of CPUs of this host");
        ret->bits[cpu / 64] |= UINT64_C(1) << (cpu % 64);
    }
    return 0;
}

static int read_disk_load(struct parts *p, const char *path, const json_t *o,
                          struct kc_disk_load *d)
{
    static const struct key keys[] = {
        { "device", KEY_TEXT, AT(kc_disk_load, device), 0, 0, true },
        { "reads_per_s", KEY_REAL, AT(kc_disk_load, reads_per_s), 0, 1e6, false },
        { "writes_per_s", KEY_REAL, AT(kc_disk_load, writes_per_s), 0, 1e6, false },
        { "flushes_per_s", KEY_REAL, AT(kc_disk_load, flushes_per_s), 0, 1e4, false },
        { "kib", KEY_UNSIGNED, AT(kc_disk_load, kib), 4, 1024, false },
        { "sequential", KEY_BOOL, AT(kc_disk_load, sequential), 0, 0, false },
    };
    const char *inner;
    const json_t *v = json_object_get(o, "disk");

    if (!v)
        return 0;
    inner = arena_printf(&p->r->s->mem, "%s.disk", path);
    d->kib = 16;
    if (sc_read_object(p->r, inner, v, keys, ARRAY_SIZE(keys), d) < 0)
        return -E_ARG;
    for (size_t i = 0; i < p->host->n_disks; i++)
        if (strcmp(p->host->disks[i].name, d->device) == 0)
            return 0;
    return sc_wrong(p->r, inner, "device", "no disk of this host has this name");
}

static int read_net_load(struct parts *p, const char *path, const json_t *o, struct kc_net_load *n)
{
    static const struct key keys[] = {
        { "interface", KEY_TEXT, AT(kc_net_load, interface), 0, 0, true },
        { "tx_per_s", KEY_REAL, AT(kc_net_load, tx_per_s), 0, 1e6, false },
        { "rx_per_s", KEY_REAL, AT(kc_net_load, rx_per_s), 0, 1e6, false },
        { "bytes", KEY_UNSIGNED, AT(kc_net_load, bytes), 60, 65535, false },
    };
    const char *inner;
    const json_t *v = json_object_get(o, "net");

    if (!v)
        return 0;
    inner = arena_printf(&p->r->s->mem, "%s.net", path);
    n->bytes = 600;
    if (sc_read_object(p->r, inner, v, keys, ARRAY_SIZE(keys), n) < 0)
        return -E_ARG;
    for (size_t i = 0; i < p->host->n_interfaces; i++)
        if (p->host->interfaces[i].irq && strcmp(p->host->interfaces[i].name, n->interface) == 0)
            return 0;
    return sc_wrong(p->r, inner, "interface",
                    "no interface of this host with an interrupt has this name");
}

static int read_exits(struct parts *p, const char *path, const json_t *o, struct kc_proc *proc)
{
    struct key keys[KX_COUNT];
    const char *inner;

    if (!json_object_get(o, "exits_per_s"))
        return 0;
    for (size_t i = 0; i < KX_COUNT; i++)
        keys[i] = (struct key){
            kern_exit_names[i], KEY_REAL, i * sizeof(double), 0, 1e6, false,
        };
    inner = arena_printf(&p->r->s->mem, "%s.exits_per_s", path);
    return sc_read_object(p->r, inner, json_object_get(o, "exits_per_s"), keys, KX_COUNT,
                          proc->exits_per_s);
}

static const struct key proc_keys[] = {
    { "name", KEY_TEXT, AT(kc_proc, name), 0, 0, false },
    { "comm", KEY_TEXT, AT(kc_proc, comm), 0, 0, false },
    { "uuid", KEY_TEXT, AT(kc_proc, uuid), 0, 0, false },
    { "vcpus", KEY_UNSIGNED, AT(kc_proc, threads), 1, 128, false },
    { "processes", KEY_UNSIGNED, AT(kc_proc, processes), 1, 1000, false },
    { "threads", KEY_UNSIGNED, AT(kc_proc, threads), 1, 100000, false },
    { "count", KEY_UNSIGNED, AT(kc_proc, threads), 1, 100000, false },
    { "nice", KEY_INT, AT(kc_proc, nice), -20, 19, false },
    { "realtime", KEY_INT, AT(kc_proc, realtime), 1, 99, false },
    { "cpus", KEY_OTHER, 0, 0, 0, false },
    { "start_s", KEY_SECONDS, AT(kc_proc, start_ns), 0, SIM_LIMIT_SECONDS, false },
    { "stop_s", KEY_SECONDS, AT(kc_proc, stop_ns), 0, SIM_LIMIT_SECONDS, false },
    { "work_ms", KEY_MILLIS, AT(kc_proc, work_ns), 0.001, 1e6, false },
    { "sleep_ms", KEY_MILLIS, AT(kc_proc, sleep_ns), 0, 1e7, false },
    { "sleep_in", KEY_TEXT, AT(kc_proc, sleep_in), 0, 0, false },
    { "pages_per_s", KEY_REAL, AT(kc_proc, pages_per_s), 0, 1e6, false },
    { "leak_pages_per_s", KEY_REAL, AT(kc_proc, leak_per_s), 0, 1e6, false },
    { "exits_per_s", KEY_OTHER, 0, 0, 0, false },
    { "disk", KEY_OTHER, 0, 0, 0, false },
    { "net", KEY_OTHER, 0, 0, 0, false },
    { "container", KEY_BOOL, AT(kc_proc, container), 0, 0, false },
    { "exec", KEY_BOOL, AT(kc_proc, exec), 0, 0, false },
    { "per_s", KEY_REAL, AT(kc_proc, per_s), 0.01, 2000, false },
};

/* id, key of the host, and which keys of a process it may have */
static const struct {
    const char *list, *keys;
} kinds[] = {
    [KC_INSTANCE] = { "instances", " name comm uuid vcpus nice cpus start_s stop_s work_ms sleep_ms"
                                   " pages_per_s leak_pages_per_s exits_per_s disk net " },
    [KC_SERVICE] = { "services",
                     " name comm processes threads nice realtime cpus start_s stop_s work_ms"
                     " sleep_ms sleep_in pages_per_s leak_pages_per_s disk net container " },
    [KC_HOG] = { "hogs", " name comm processes threads nice realtime cpus start_s stop_s work_ms"
                         " sleep_ms pages_per_s leak_pages_per_s " },
    [KC_EXTRA] = { "threads_extra", " name comm count processes nice cpus work_ms sleep_ms " },
    [KC_CHURN] = { "threads_churn", " name comm per_s nice cpus work_ms exec start_s stop_s " },
};

static bool key_fits(enum kc_kind kind, const char *key)
{
    char word[40];

    snprintf(word, sizeof word, " %s ", key);
    return strstr(kinds[kind].keys, word) != NULL;
}

static struct kc_proc usual(enum kc_kind kind)
{
    struct kc_proc p = { .kind = kind,
                         .processes = 1,
                         .threads = 1,
                         .work_ns = 2000000,
                         .sleep_ns = 10000000,
                         .sleep_in = "epoll_wait",
                         .per_s = 50 };

    if (kind == KC_HOG) {
        p.work_ns = 50000000;
        p.sleep_ns = 0;
        p.comm = "stress-ng";
    } else if (kind == KC_EXTRA) {
        p.work_ns = 50000;
        p.sleep_ns = NS_PER_S;
        p.comm = "java";
        p.sleep_in = "futex";
    } else if (kind == KC_CHURN) {
        p.comm = "sh";
        p.exec = true;
    } else if (kind == KC_INSTANCE) {
        p.exits_per_s[KX_MSR_WRITE] = 400;
        p.exits_per_s[KX_IO_INSTRUCTION] = 20;
        p.exits_per_s[KX_EPT_VIOLATION] = 15;
        p.exits_per_s[KX_CPUID] = 5;
    }
    return p;
}

static int check_proc(struct parts *p, const char *path, const struct kc_proc *proc)
{
    static const char *const sleeps[] = { "epoll_wait", "ppoll", "futex", "clock_nanosleep",
                                          "read" };

    if (proc->kind == KC_INSTANCE && !proc->name)
        return sc_wrong(p->r, path, "name", "is missing");
    if (proc->kind == KC_SERVICE && !proc->comm)
        return sc_wrong(p->r, path, "comm", "is missing: the process's name as the kernel sees it");
    if (sc_one_of(proc->sleep_in, sleeps, ARRAY_SIZE(sleeps)) < 0)
        return sc_wrong(p->r, path, "sleep_in",
                        "must be epoll_wait, ppoll, futex, clock_nanosleep or read");
    if (proc->uuid && !str_is_uuid(str_of(proc->uuid)))
        return sc_wrong(p->r, path, "uuid", "must be a UUID");
    if (proc->stop_ns && proc->stop_ns <= proc->start_ns)
        return sc_wrong(p->r, path, "stop_s", "must be later than start_s");
    if ((uint64_t)proc->processes * proc->threads > KERN_LIMIT_THREADS)
        return sc_wrong(p->r, path, "threads", "more than 200000 threads");
    return 0;
}

static int read_proc(struct parts *p, const char *path, const json_t *o, enum kc_kind kind)
{
    struct kc_proc proc = usual(kind);
    const char *key;
    json_t *v;

    if (json_is_object(o))
        json_object_foreach((json_t *)(uintptr_t)o, key,
                            v) if (!key_fits(kind, key)) return sc_wrong(p->r, path, key,
                                                                         "unknown key");
    if (sc_read_object(p->r, path, o, proc_keys, ARRAY_SIZE(proc_keys), &proc) < 0 ||
        read_cpus(p, path, o, &proc.cpus) < 0 || read_disk_load(p, path, o, &proc.disk) < 0 ||
        read_net_load(p, path, o, &proc.net) < 0 || read_exits(p, path, o, &proc) < 0 ||
        check_proc(p, path, &proc) < 0)
        return -E_ARG;
    *vec_push(&p->procs) = proc;
    return 0;
}

static int read_procs(struct parts *p, const char *path, const json_t *o)
{
    const char *inner;

    for (int kind = 0; kind < (int)ARRAY_SIZE(kinds); kind++) {
        const json_t *v = json_object_get(o, kinds[kind].list);
        const json_t *list = v;
        size_t i;

        if (!v)
            continue;
        if (json_is_object(v) && kind >= KC_EXTRA) { /* usually one */
            inner = arena_printf(&p->r->s->mem, "%s.%s", path, kinds[kind].list);
            if (read_proc(p, inner, v, (enum kc_kind)kind) < 0)
                return -E_ARG;
            continue;
        }
        if (list_of(p->r, path, o, kinds[kind].list, &list) < 0)
            return -E_ARG;
        json_t *one;

        json_array_foreach(list, i, one)
        {
            inner = arena_printf(&p->r->s->mem, "%s.%s[%zu]", path, kinds[kind].list, i);
            if (read_proc(p, inner, one, (enum kc_kind)kind) < 0)
                return -E_ARG;
        }
    }
    return 0;
}

/* Reads the list o[key] of structs of 'size' bytes that start as 'usual'. */
static int read_structs(struct reader *r, const char *path, const json_t *o, const char *list_key,
                        const struct key *keys, size_t n_keys, const void *usual_value, size_t size,
                        void **ret, size_t *ret_n)
{
    const json_t *list;
    const char *inner;
    size_t i;
    json_t *v;

    if (list_of(r, path, o, list_key, &list) < 0)
        return -E_ARG;
    size_t n = json_array_size(list);
    char *at = arena_alloc(&r->s->mem, n ? n * size : 1);

    json_array_foreach(list, i, v)
    {
        inner = arena_printf(&r->s->mem, "%s.%s[%zu]", path, list_key, i);
        memcpy(at + i * size, usual_value, size);
        if (sc_read_object(r, inner, v, keys, n_keys, at + i * size) < 0)
            return -E_ARG;
    }
    *ret = at;
    *ret_n = n;
    return 0;
}

static int read_disks(struct reader *r, const char *path, const json_t *o, struct kc_host *h)
{
    static const struct key keys[] = {
        { "name", KEY_TEXT, AT(kc_disk, name), 0, 0, true },
        { "major", KEY_UNSIGNED, AT(kc_disk, major), 1, 4095, false },
        { "minor", KEY_UNSIGNED, AT(kc_disk, minor), 0, 1048575, false },
        { "irq", KEY_UNSIGNED, AT(kc_disk, irq), 1, 1023, true },
        { "service_us", KEY_REAL, AT(kc_disk, service_us), 1, 1e7, false },
        { "per_kib_us", KEY_REAL, AT(kc_disk, per_kib_us), 0, 1e5, false },
        { "parallel", KEY_UNSIGNED, AT(kc_disk, parallel), 1, 1024, false },
        { "queue_depth", KEY_UNSIGNED, AT(kc_disk, queue_depth), 1, 1024, false },
        { "scheduler", KEY_TEXT, AT(kc_disk, scheduler), 0, 0, false },
        { "completion", KEY_TEXT, AT(kc_disk, completion), 0, 0, false },
        { "partial_percent", KEY_UNSIGNED, AT(kc_disk, partial_percent), 0, 100, false },
        { "slow_at_s", KEY_SECONDS, AT(kc_disk, slow_at_ns), 0, SIM_LIMIT_SECONDS, false },
        { "slow_for_s", KEY_SECONDS, AT(kc_disk, slow_for_ns), 0, SIM_LIMIT_SECONDS, false },
        { "slow_factor", KEY_REAL, AT(kc_disk, slow_factor), 0.01, 10000, false },
    };
    static const char *const schedulers[] = { "none", "mq-deadline" };
    static const char *const completions[] = { "irq", "softirq" };
    const struct kc_disk as_usual = { .major = 254,
                                      .service_us = 120,
                                      .per_kib_us = 1,
                                      .parallel = 1,
                                      .queue_depth = 1,
                                      .scheduler = "mq-deadline",
                                      .completion = "softirq",
                                      .slow_factor = 1 };
    const char *inner;
    void *at;

    if (read_structs(r, path, o, "disks", keys, ARRAY_SIZE(keys), &as_usual, sizeof as_usual, &at,
                     &h->n_disks) < 0)
        return -E_ARG;
    h->disks = at;
    for (size_t i = 0; i < h->n_disks; i++) {
        struct kc_disk *d = &h->disks[i];

        inner = arena_printf(&r->s->mem, "%s.disks[%zu]", path, i);
        if (sc_one_of(d->scheduler, schedulers, 2) < 0)
            return sc_wrong(r, inner, "scheduler", "must be \"none\" or \"mq-deadline\"");
        if (sc_one_of(d->completion, completions, 2) < 0)
            return sc_wrong(r, inner, "completion", "must be \"irq\" or \"softirq\"");
        for (size_t k = 0; k < i; k++)
            if (strcmp(h->disks[k].name, d->name) == 0 ||
                (h->disks[k].major == d->major && h->disks[k].minor == d->minor))
                return sc_wrong(r, inner, "name", "another disk has this name or number");
    }
    return 0;
}

static int read_interfaces(struct reader *r, const char *path, const json_t *o, struct kc_host *h)
{
    static const struct key keys[] = {
        { "name", KEY_TEXT, AT(kc_interface, name), 0, 0, true },
        { "address", KEY_TEXT, AT(kc_interface, address), 0, 0, false },
        { "irq", KEY_UNSIGNED, AT(kc_interface, irq), 1, 1023, false },
        { "rx_per_s", KEY_REAL, AT(kc_interface, rx_per_s), 0, 1e6, false },
        { "mbit_s", KEY_REAL, AT(kc_interface, mbit_s), 0.1, 1e6, false },
        { "bytes", KEY_UNSIGNED, AT(kc_interface, bytes), 60, 65535, false },
        { "drop_percent", KEY_UNSIGNED, AT(kc_interface, drop_percent), 0, 100, false },
        { "no_gro", KEY_BOOL, AT(kc_interface, no_gro), 0, 0, false },
        { "tso", KEY_BOOL, AT(kc_interface, tso), 0, 0, false },
    };
    const struct kc_interface as_usual = { .bytes = 600 };
    const char *inner;
    void *at;

    if (read_structs(r, path, o, "interfaces", keys, ARRAY_SIZE(keys), &as_usual, sizeof as_usual,
                     &at, &h->n_interfaces) < 0)
        return -E_ARG;
    h->interfaces = at;
    for (size_t i = 0; i < h->n_interfaces; i++) {
        const struct kc_interface *f = &h->interfaces[i];
        unsigned byte[4];

        inner = arena_printf(&r->s->mem, "%s.interfaces[%zu]", path, i);
        if (strlen(f->name) > 15)
            return sc_wrong(r, inner, "name", "must have at most 15 bytes");
        if ((f->rx_per_s > 0 || f->mbit_s > 0) && !f->irq)
            return sc_wrong(r, inner, "irq", "is missing: packets come and go by interrupts");
        if (f->address &&
            (sscanf(f->address, "%u.%u.%u.%u", &byte[0], &byte[1], &byte[2], &byte[3]) != 4 ||
             byte[0] > 255 || byte[1] > 255 || byte[2] > 255 || byte[3] > 255))
            return sc_wrong(r, inner, "address", "must be an IPv4 address");
    }
    return 0;
}

static int read_interrupts(struct reader *r, const char *path, const json_t *o, struct kc_host *h)
{
    static const struct key keys[] = {
        { "name", KEY_TEXT, AT(kc_interrupt, name), 0, 0, true },
        { "irq", KEY_UNSIGNED, AT(kc_interrupt, irq), 1, 1023, true },
        { "per_s", KEY_REAL, AT(kc_interrupt, per_s), 0.01, 1e6, true },
        { "took_us", KEY_OTHER, 0, 0, 0, false },
    };
    const struct kc_interrupt as_usual = { .took_ns = 5000 };
    const json_t *v;
    void *at;

    if (read_structs(r, path, o, "interrupts", keys, ARRAY_SIZE(keys), &as_usual, sizeof as_usual,
                     &at, &h->n_interrupts) < 0)
        return -E_ARG;
    h->interrupts = at;
    for (size_t i = 0; i < h->n_interrupts; i++) {
        v = json_object_get(json_array_get(json_object_get(o, "interrupts"), i), "took_us");
        if (!v)
            continue;
        if (!json_is_number(v) || !(json_number_value(v) > 0 && json_number_value(v) <= 1e5))
            return sc_wrong(r, path, "interrupts", "took_us must be between 0 and 100000");
        h->interrupts[i].took_ns = (ns_t)llround(json_number_value(v) * 1000);
    }
    return 0;
}

static int read_lost(struct parts *p, const char *path, const json_t *o, struct kc_host *h)
{
    static const struct key keys[] = {
        { "cpu", KEY_UNSIGNED, AT(kc_lost, cpu), 0, KERN_LIMIT_CPUS - 1, true },
        { "at_s", KEY_SECONDS, AT(kc_lost, at_ns), 0, SIM_LIMIT_SECONDS, true },
        { "for_s", KEY_SECONDS, AT(kc_lost, for_ns), 1e-6, SIM_LIMIT_SECONDS, true },
    };
    const char *inner;
    void *at;

    if (read_structs(p->r, path, o, "lost", keys, ARRAY_SIZE(keys), &(struct kc_lost){ 0 },
                     sizeof(struct kc_lost), &at, &h->n_lost) < 0)
        return -E_ARG;
    h->lost = at;
    for (size_t i = 0; i < h->n_lost; i++) {
        inner = arena_printf(&p->r->s->mem, "%s.lost[%zu]", path, i);
        if (h->lost[i].cpu >= p->cpus)
            return sc_wrong(p->r, inner, "cpu", "this host has no such CPU");
        for (size_t k = 0; k < i; k++)
            if (h->lost[k].cpu == h->lost[i].cpu && h->lost[k].at_ns >= h->lost[i].at_ns)
                return sc_wrong(p->r, inner, "at_s", "must be later than the one before");
    }
    return 0;
}

/* The list "not_recorded". */
static int read_names(struct reader *r, const char *path, const json_t *o, const char ***ret,
                      size_t *ret_n)
{
    const json_t *names;
    size_t i;
    json_t *v;

    if (list_of(r, path, o, "not_recorded", &names) < 0)
        return -E_ARG;
    *ret = arena_array(&r->s->mem, const char *, json_array_size(names) + 1);
    json_array_foreach(names, i, v)
    {
        if (!json_is_string(v))
            return sc_wrong(r, path, "not_recorded", "must hold names of events");
        (*ret)[(*ret_n)++] = arena_strdup(&r->s->mem, json_string_value(v), json_string_length(v));
    }
    return 0;
}

static int read_kernel_host(struct reader *r, const char *path, const json_t *o,
                            struct kc_kernel *kernel, struct kc_host *h)
{
    static const struct key keys[] = {
        { "host", KEY_TEXT, AT(kc_host, name), 0, 0, true },
        { "instances", KEY_OTHER, 0, 0, 0, false },
        { "services", KEY_OTHER, 0, 0, 0, false },
        { "hogs", KEY_OTHER, 0, 0, 0, false },
        { "threads_extra", KEY_OTHER, 0, 0, 0, false },
        { "threads_churn", KEY_OTHER, 0, 0, 0, false },
        { "disks", KEY_OTHER, 0, 0, 0, false },
        { "interfaces", KEY_OTHER, 0, 0, 0, false },
        { "interrupts", KEY_OTHER, 0, 0, 0, false },
        { "lost", KEY_OTHER, 0, 0, 0, false },
        { "not_recorded", KEY_OTHER, 0, 0, 0, false },
        { "memory_mb", KEY_UINT, AT(kc_host, memory_mb), 1, 1e7, false },
    };
    struct parts p = { .r = r, .kernel = kernel, .host = h };
    size_t i = 0;

    if (sc_read_object(r, path, o, keys, ARRAY_SIZE(keys), h) < 0)
        return -E_ARG;
    while (i < r->s->hosts.n && strcmp(r->s->hosts.at[i].name, h->name) != 0)
        i++;
    if (i == r->s->hosts.n)
        return sc_wrong(r, path, "host", "no such host");
    for (const struct kc_host *other = kernel->hosts; other < h; other++)
        if (strcmp(other->name, h->name) == 0)
            return sc_wrong(r, path, "host", "this host is described already");
    p.cpus = r->s->hosts.at[i].cpus;
    if (read_disks(r, path, o, h) < 0 || read_interfaces(r, path, o, h) < 0 ||
        read_interrupts(r, path, o, h) < 0 || read_lost(&p, path, o, h) < 0 ||
        read_names(r, path, o, &h->not_recorded, &h->n_not_recorded) < 0)
        return -E_ARG;
    int rc = read_procs(&p, path, o);

    h->n_procs = p.procs.n;
    h->procs = arena_array(&r->s->mem, struct kc_proc, p.procs.n ? p.procs.n : 1);
    if (p.procs.n)
        memcpy(h->procs, p.procs.at, p.procs.n * sizeof *h->procs);
    vec_free(&p.procs);
    return rc;
}

static int read_context(struct reader *r, const json_t *o, struct kc_kernel *k)
{
    static const char *const names[KC_CONTEXTS] = {
        [KC_PID] = "pid",   [KC_TID] = "tid",   [KC_PROCNAME] = "procname",
        [KC_VPID] = "vpid", [KC_VTID] = "vtid",
    };
    const json_t *list;
    size_t i;
    json_t *v;

    if (list_of(r, "kernel", o, "context", &list) < 0)
        return -E_ARG;
    k->context = list ? 0 : 1u << KC_PID | 1u << KC_TID | 1u << KC_PROCNAME;
    json_array_foreach(list, i, v)
    {
        int which = json_is_string(v) ? sc_one_of(json_string_value(v), names, KC_CONTEXTS) : -1;

        if (which < 0)
            return sc_wrong(r, "kernel", "context", "must hold pid, tid, procname, vpid or vtid");
        k->context |= 1u << which;
    }
    return 0;
}

static int read_switches(struct reader *r, const json_t *o, struct kc_kernel *k)
{
    static const char *const dumps[] = { "first", "during", "none" };
    const json_t *dump = json_object_get(o, "state_dump");

    if (dump) {
        int which = json_is_string(dump) ? sc_one_of(json_string_value(dump), dumps, 3) : -1;

        if (which < 0)
            return sc_wrong(r, "kernel", "state_dump", "must be first, during or none");
        k->dump = (enum kc_dump)which;
    }
    if (read_context(r, o, k) < 0)
        return -E_ARG;
    return read_names(r, "kernel", o, &k->not_recorded, &k->n_not_recorded);
}

/* Both ends of a connection must be there, from the beginning to the end. */
static int check_end(struct reader *r, const char *path, const char *key, const struct kc_kernel *k,
                     const char *host, const char *service)
{
    const struct kc_host *h = NULL;
    bool found = false, card = false;

    for (size_t i = 0; i < k->n_hosts; i++)
        h = strcmp(k->hosts[i].name, host) == 0 ? &k->hosts[i] : h;
    for (size_t i = 0; h && i < h->n_interfaces; i++)
        card |= h->interfaces[i].irq != 0;
    if (!card)
        return sc_wrong(r, path, key,
                        "must be a host of \"kernel\" that has an interface with an "
                        "interrupt");
    for (size_t i = 0; i < h->n_procs; i++) {
        const struct kc_proc *p = &h->procs[i];

        found |= p->kind == KC_SERVICE && strcmp(p->name ? p->name : p->comm, service) == 0 &&
                 !p->start_ns && !p->stop_ns;
    }
    if (!found)
        return sc_wrong(r, path, key, "has no service of that name that is there all the time");
    return 0;
}

static int read_connections(struct reader *r, const json_t *o, struct kc_kernel *k)
{
    static const struct key keys[] = {
        { "client", KEY_TEXT, AT(kc_connection, client), 0, 0, true },
        { "client_service", KEY_TEXT, AT(kc_connection, client_service), 0, 0, true },
        { "client_port", KEY_UNSIGNED, AT(kc_connection, client_port), 1, 65535, false },
        { "server", KEY_TEXT, AT(kc_connection, server), 0, 0, true },
        { "server_service", KEY_TEXT, AT(kc_connection, server_service), 0, 0, true },
        { "server_port", KEY_UNSIGNED, AT(kc_connection, server_port), 1, 65535, false },
        { "per_s", KEY_REAL, AT(kc_connection, per_s), 0.001, 1e5, false },
        { "request_bytes", KEY_UNSIGNED, AT(kc_connection, request_bytes), 1, 60000, false },
        { "reply_bytes", KEY_UNSIGNED, AT(kc_connection, reply_bytes), 1, 60000, false },
        { "latency_us", KEY_REAL, AT(kc_connection, latency_us), 1, 1e6, false },
        { "back_us", KEY_REAL, AT(kc_connection, back_us), 1, 1e6, false },
        { "spread_us", KEY_REAL, AT(kc_connection, spread_us), 0, 1e6, false },
        { "loss_percent", KEY_REAL, AT(kc_connection, loss_percent), 0, 50, false },
        { "start_s", KEY_SECONDS, AT(kc_connection, start_ns), 0, SIM_LIMIT_SECONDS, false },
        { "stop_s", KEY_SECONDS, AT(kc_connection, stop_ns), 0, SIM_LIMIT_SECONDS, false },
    };
    const struct kc_connection as_usual = { .server_port = 5672,
                                            .per_s = 20,
                                            .request_bytes = 400,
                                            .reply_bytes = 900,
                                            .latency_us = 40,
                                            .spread_us = 15 };
    void *at;

    if (read_structs(r, "kernel", o, "connections", keys, ARRAY_SIZE(keys), &as_usual,
                     sizeof as_usual, &at, &k->n_connections) < 0)
        return -E_ARG;
    k->connections = at;
    for (size_t i = 0; i < k->n_connections; i++) {
        struct kc_connection *c = &k->connections[i];
        const char *path = arena_printf(&r->s->mem, "kernel.connections[%zu]", i);

        c->back_us = c->back_us > 0 ? c->back_us : c->latency_us;
        if (check_end(r, path, "client", k, c->client, c->client_service) < 0 ||
            check_end(r, path, "server", k, c->server, c->server_service) < 0)
            return -E_ARG;
        if (strcmp(c->client, c->server) == 0)
            return sc_wrong(r, path, "server", "must be another host");
    }
    return 0;
}

int sc_read_kernel(struct reader *r, const json_t *root, double scale)
{
    struct whole {
        struct kc_kernel k;
        uint64_t hz, packet_kib, pid_max;
        ns_t slice;
    };
    static const struct key keys[] = {
        { "only", KEY_BOOL, AT(whole, k.only), 0, 0, false },
        { "fair", KEY_BOOL, AT(whole, k.fair), 0, 0, false },
        { "duration_s", KEY_SECONDS, AT(whole, k.duration_ns), 0.001, SIM_LIMIT_SECONDS, false },
        { "hz", KEY_UINT, AT(whole, hz), 24, 1000, false },
        { "slice_ms", KEY_MILLIS, AT(whole, k.slice_ns), 0.1, 1000, false },
        { "packet_kib", KEY_UINT, AT(whole, packet_kib), 4, 65536, false },
        { "compact_headers", KEY_BOOL, AT(whole, k.compact), 0, 0, false },
        { "context", KEY_OTHER, 0, 0, 0, false },
        { "pid_max", KEY_UINT, AT(whole, pid_max), 1000, 4194304, false },
        { "state_dump", KEY_OTHER, 0, 0, 0, false },
        { "not_recorded", KEY_OTHER, 0, 0, 0, false },
        { "hosts", KEY_OTHER, 0, 0, 0, true },
        { "connections", KEY_OTHER, 0, 0, 0, false },
    };
    const json_t *o = json_object_get(root, "kernel");
    struct whole w = { .hz = 250, .packet_kib = 256, .pid_max = 4194304 };
    const char *path;
    const json_t *list;

    if (!o)
        return 0;
    w.k.duration_ns = r->s->duration_ns;
    w.k.slice_ns = 4000000;
    if (sc_read_object(r, "kernel", o, keys, ARRAY_SIZE(keys), &w) < 0 ||
        read_switches(r, o, &w.k) < 0 || list_of(r, "kernel", o, "hosts", &list) < 0)
        return -E_ARG;
    struct kc_kernel *k = arena_new(&r->s->mem, struct kc_kernel);

    *k = w.k;
    k->tick_ns = NS_PER_S / (ns_t)w.hz;
    k->packet_bytes = (uint32_t)w.packet_kib * 1024;
    k->pid_max = (int32_t)w.pid_max;
    if (scale > 0)
        k->duration_ns = (ns_t)fmin((double)k->duration_ns * scale, SIM_LIMIT_SECONDS * 1e9);
    k->n_hosts = json_array_size(list);
    k->hosts = arena_array(&r->s->mem, struct kc_host, k->n_hosts + 1);
    for (size_t i = 0; i < k->n_hosts; i++) {
        path = arena_printf(&r->s->mem, "kernel.hosts[%zu]", i);
        if (read_kernel_host(r, path, json_array_get(list, i), k, &k->hosts[i]) < 0)
            return -E_ARG;
    }
    if (read_connections(r, o, k) < 0)
        return -E_ARG;
    r->s->kernel = k;
    return 0;
}
