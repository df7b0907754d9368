/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_cloud.c -- the cloud around a fault: hosts, their daemons, instances that do benign work,
 * users that ask for things. */
#include "sim/faults_priv.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

/* --- parts of a host ------------------------------------------------------------------------- */

json_t *add_to(struct draw_host *h, const char *list, json_t *object)
{
    json_t *all = json_object_get(h->kernel, list);

    if (!all) {
        all = json_array();
        json_object_set_new(h->kernel, list, all);
    }
    json_array_append_new(all, object);
    return object;
}

json_t *add_vm(struct draw_host *h, const char *name, unsigned vcpus, double work_ms,
               double sleep_ms)
{
    return add_to(h, "instances",
                  json_pack("{s:s, s:i, s:f, s:f}", "name", name, "vcpus", (int)vcpus, "work_ms",
                            work_ms, "sleep_ms", sleep_ms));
}

json_t *add_service(struct draw_host *h, const char *name, const char *comm, double work_ms,
                    double sleep_ms)
{
    return add_to(h, "services",
                  json_pack("{s:s, s:s, s:f, s:f}", "name", name, "comm", comm, "work_ms", work_ms,
                            "sleep_ms", sleep_ms));
}

void pin(json_t *proc, unsigned first, unsigned n)
{
    json_t *cpus = json_array();

    for (unsigned i = 0; i < n; i++)
        json_array_append_new(cpus, json_integer(first + i));
    json_object_set_new(proc, "cpus", cpus);
}

void add_times(json_t *proc, const struct draw *d, double from, double to)
{
    if (from > 0.02)
        json_object_set_new(proc, "start_s", json_real(from));
    if (to < d->length_s - 0.02)
        json_object_set_new(proc, "stop_s", json_real(to));
}

unsigned new_irq(struct draw_host *h)
{
    return ++h->irq;
}

json_t *add_disk(struct draw_host *h, const char *name, double service_us, unsigned parallel,
                 unsigned depth)
{
    size_t before = json_array_size(json_object_get(h->kernel, "disks"));

    return add_to(h, "disks",
                  json_pack("{s:s, s:i, s:i, s:i, s:f, s:i, s:i}", "name", name, "major", 8,
                            "minor", (int)before * 16, "irq", (int)new_irq(h), "service_us",
                            service_us, "parallel", (int)parallel, "queue_depth", (int)depth));
}

void disk_load(json_t *proc, const char *device, double reads, double writes, unsigned kib)
{
    json_object_set_new(proc, "disk",
                        json_pack("{s:s, s:f, s:f, s:i}", "device", device, "reads_per_s", reads,
                                  "writes_per_s", writes, "kib", (int)kib));
}

/* --- names ----------------------------------------------------------------------------------- */

const char *draw_vm_name(struct draw *d)
{
    static const char *const web[] = { "web", "db", "cache", "api", "ci", "etl", "mail", "dns" };
    unsigned n = d->vms++;

    switch (d->style) {
    case 0: return draw_text(d, "vm-%u", 1000 + n);
    case 1: return draw_text(d, "%s-%u", web[n % 8], 1 + n / 8);
    case 2: return draw_text(d, "inst%03u", 7 + n * 3);
    default: return draw_text(d, "%c%s%u", 'a' + (char)(n % 26), web[(n * 5 + 3) % 8], n);
    }
}

static const char *host_name(struct draw *d, unsigned n)
{
    switch (d->style) {
    case 0: return n ? draw_text(d, "compute%u", n) : "controller";
    case 1: return n ? draw_text(d, "cmp-%02u.example", n) : "ctl-01.example";
    case 2: return n ? draw_text(d, "rack3-node%u", 10 + n) : "rack1-ctl";
    default: return n ? draw_text(d, "kvm%c", 'a' + (char)n) : "openstack";
    }
}

/* --- hosts ------------------------------------------------------------------------------------ */

static double drift(struct draw *d)
{
    double most = d->w->drift_ppm >= 0 ? d->w->drift_ppm : draw_chance(d, 30) ? 60 : 12;

    return draw_real(d, 0, most) * (draw_chance(d, 50) ? 1 : -1);
}

static void add_host(struct draw *d, bool controller, bool compute)
{
    static const char *const nics[] = { "eth0", "ens3", "eno1", "enp3s0f0" };
    struct draw_host *h = &d->host[d->n++];
    json_t *roles = json_array();

    *h = (struct draw_host){ .name = host_name(d, d->n - 1),
                             .compute = compute,
                             .nic = DRAW_OF(d, nics),
                             .cpus = compute ? draw_int(d, 2, 8) : draw_int(d, 2, 4),
                             .irq = draw_int(d, 20, 40) };
    if (controller)
        json_array_extend(roles, json_pack("[s, s, s]", "controller", "network", "storage"));
    if (compute)
        json_array_append_new(roles, json_string("compute"));
    h->conf = json_pack("{s:s, s:o, s:i, s:i, s:i, s:f, s:f}", "name", h->name, "roles", roles,
                        "cpus", (int)h->cpus, "ram_mb", 65536, "vcpus", 64, "clock_offset_ms",
                        draw_chance(d, 70) ? draw_real(d, -40, 40) : draw_real(d, -9000, 9000),
                        "clock_drift_ppm", drift(d));
    h->kernel = json_pack("{s:s, s:[{s:s, s:i, s:f}]}", "host", h->name, "interfaces", "name",
                          h->nic, "irq", (int)new_irq(h), "rx_per_s", draw_real(d, 10, 80));
}

static bool has_service(const struct draw_host *h, const char *name)
{
    const json_t *v;
    size_t i;

    json_array_foreach(json_object_get(h->kernel, "services"), i, v)
    {
        if (strcmp(json_string_value(json_object_get(v, "name")), name) == 0)
            return true;
    }
    return false;
}

/* As many processes as the service has workers. */
static unsigned workers_of(const struct draw *d, const char *service, unsigned usual)
{
    const json_t *workers = json_object_get(json_object_get(d->services, service), "workers");

    return workers ? (unsigned)json_integer_value(workers) : usual;
}

/* The daemons that every host of that role has, but for those that a fault has added already. */
static void add_daemons(struct draw *d, struct draw_host *h)
{
    static const struct {
        const char *name, *comm, *sleep_in;
        double work_ms, sleep_ms;
        unsigned processes, threads;
        bool of_compute;
    } list[] = {
        { "rabbitmq", "beam.smp", "epoll_wait", 0.2, 30, 1, 3, false },
        { "nova-api", "nova-api", "epoll_wait", 0.4, 60, 2, 1, false },
        { "nova-conductor", "nova-conductor", "epoll_wait", 0.4, 60, 2, 1, false },
        { "nova-scheduler", "nova-scheduler", "epoll_wait", 0.4, 90, 1, 1, false },
        { "neutron-server", "neutron-server", "epoll_wait", 0.5, 60, 2, 1, false },
        { "mysqld", "mysqld", "futex", 0.1, 20, 1, 4, false },
        { "nova-compute", "nova-compute", "epoll_wait", 1, 60, 1, 1, true },
        { "neutron-openvswitch-agent", "neutron-openvsw", "epoll_wait", 1, 80, 1, 1, true },
        { "libvirtd", "libvirtd", "ppoll", 0.3, 80, 1, 1, true },
        { "ovs-vswitchd", "ovs-vswitchd", "ppoll", 0.15, 25, 1, 2, true },
    };

    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if ((list[i].of_compute ? !h->compute : h != &d->host[0]) || has_service(h, list[i].name))
            continue;
        json_t *s =
            add_service(h, list[i].name, list[i].comm, list[i].work_ms * draw_real(d, 0.5, 1.5),
                        list[i].sleep_ms * draw_real(d, 0.7, 1.5));

        json_object_set_new(s, "sleep_in", json_string(list[i].sleep_in));
        json_object_set_new(s, "processes",
                            json_integer(workers_of(d, list[i].name, list[i].processes)));
        json_object_set_new(s, "threads", json_integer(list[i].threads));
    }
}

/* A disk that copes with what benign work asks for. */
static void add_usual_disk(struct draw *d, struct draw_host *h)
{
    static const char *const fast[] = { "nvme0n1", "vda", "sda" };

    h->disk = DRAW_OF(d, fast);
    json_t *disk = add_disk(h, h->disk, draw_log(d, 70, 300), draw_int(d, 2, 8), 32);

    json_object_set_new(disk, "per_kib_us", json_real(draw_log(d, 0.2, 1.5)));
    if (strcmp(h->disk, "nvme0n1") == 0) {
        json_object_set_new(disk, "major", json_integer(259));
        json_object_set_new(disk, "scheduler", json_string("none"));
        json_object_set_new(disk, "completion", json_string("irq"));
    }
}

/* Instances that take 'load' of the host's CPUs, all together. */
static void add_benign(struct draw *d, struct draw_host *h)
{
    double left = d->load * h->cpus;

    for (unsigned i = 0; i < 8 && left > 0.02; i++) {
        unsigned vcpus = draw_int(d, 1, h->cpus > 4 ? 4 : h->cpus > 2 ? 2 : 1);
        double share = draw_real(d, 0.03, 0.5);

        if (share * vcpus > left)
            share = left / vcpus;
        left -= share * vcpus;
        double work = draw_log(d, 0.5, 8);
        json_t *vm = add_vm(h, draw_vm_name(d), vcpus, work, work * (1 - share) / share);

        if (draw_chance(d, 50))
            disk_load(vm, h->disk, draw_real(d, 0, 40), draw_real(d, 0, 25),
                      draw_chance(d, 50) ? 4 : 16);
        if (draw_chance(d, 50))
            json_object_set_new(vm, "net",
                                json_pack("{s:s, s:f, s:f}", "interface", h->nic, "rx_per_s",
                                          draw_real(d, 5, 80), "tx_per_s", draw_real(d, 5, 80)));
    }
}

void draw_cloud(struct draw *d)
{
    unsigned computes = draw_int(d, 1, 3);
    bool single = draw_chance(d, 12);

    for (size_t i = 0; i < sizeof d->w->list / sizeof *d->w->list && d->w->list[i]; i++)
        if (d->w->list[i]->computes) {
            computes = computes < d->w->list[i]->computes ? d->w->list[i]->computes : computes;
            single = false;
        }
    add_host(d, true, single);
    for (unsigned i = 0; i < computes && !single; i++)
        add_host(d, false, true);
    for (unsigned i = 0; i < d->n; i++) {
        add_usual_disk(d, &d->host[i]);
        if (d->host[i].compute)
            add_benign(d, &d->host[i]);
    }
}

struct draw_host *draw_other_compute(struct draw *d, const struct draw_host *than)
{
    unsigned first = draw_int(d, 0, d->n - 1);
    struct draw_host *best = NULL;

    for (unsigned i = 0; i < d->n; i++) {
        struct draw_host *h = &d->host[(first + i) % d->n];

        if (h->compute && h != than && (!best || (best->taken && !h->taken)))
            best = h;
    }
    assert(best); /* faults that need two say so */
    best->taken = true;
    return best;
}

struct draw_host *draw_compute(struct draw *d)
{
    return draw_other_compute(d, NULL);
}

struct draw_host *draw_host(struct draw *d)
{
    return &d->host[draw_int(d, 0, d->n - 1)];
}

/* --- users -------------------------------------------------------------------------------------
 */

json_t *add_operation(struct draw *d, double at_s, const char *what, const char *vm)
{
    json_t *o = json_pack("{s:f, s:s, s:s}", "at_s", at_s, "do", what, "vm", vm);

    json_array_append_new(d->operations, o);
    return o;
}

json_t *add_boot(struct draw *d, double at_s, const char *vm)
{
    static const char *const flavors[] = { "m1.nano", "m1.tiny", "m1.small" };
    json_t *o = add_operation(d, at_s, "boot", vm);

    json_object_set_new(o, "flavor", json_string(DRAW_OF(d, flavors)));
    d->boots++;
    return o;
}

/* What users do while the cloud is watched: boots, then something with what was booted. */
static void add_users(struct draw *d)
{
    static const char *const then[] = { "stop", "reboot", "pause", "delete", "suspend" };
    unsigned n = draw_int(d, 2, 5);

    for (unsigned i = 0; i < n; i++) {
        const char *vm = draw_vm_name(d);

        add_boot(d, draw_real(d, 0.5, d->length_s * 0.6), vm);
        if (draw_chance(d, 50)) {
            json_t *o =
                json_pack("{s:s, s:f, s:s, s:s}", "after", draw_text(d, "boot %s", vm), "delay_s",
                          draw_real(d, 0.5, 4), "do", DRAW_OF(d, then), "vm", vm);

            json_array_append_new(d->operations, o);
        }
    }
}

/* --- the rest ----------------------------------------------------------------------------------
 */

/* nova-compute speaks with RabbitMQ. */
static void connect_hosts(struct draw *d)
{
    for (unsigned i = 1; i < d->n && !d->bare; i++)
        json_array_append_new(d->connections,
                              json_pack("{s:s, s:s, s:s, s:s, s:f, s:f}", "client", d->host[i].name,
                                        "client_service", "nova-compute", "server", d->host[0].name,
                                        "server_service", "rabbitmq", "per_s", draw_real(d, 5, 20),
                                        "latency_us", draw_log(d, 30, 300)));
}

static void add_noise(struct draw *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        struct draw_host *h = &d->host[i];

        add_to(h, "interrupts",
               json_pack("{s:s, s:i, s:f, s:f}", "name", "ahci[0000:00:17.0]", "irq",
                         (int)new_irq(h), "per_s", draw_log(d, 20, 400), "took_us",
                         draw_real(d, 3, 15)));
        json_object_set_new(h->kernel, "threads_churn",
                            json_pack("{s:s, s:f, s:f}", "comm", "sh", "per_s", draw_real(d, 2, 20),
                                      "work_ms", draw_real(d, 0.5, 3)));
        json_object_set_new(
            h->kernel, "threads_extra",
            json_pack("{s:s, s:i}", "comm", "java", "count", (int)draw_int(d, 5, 40)));
    }
}

/* A short gap on one CPU of one host: nothing that changes what is wrong. */
static void lose_some(struct draw *d)
{
    struct draw_host *h = draw_host(d);

    if (json_object_get(h->kernel, "lost"))
        return; /* that is its fault */
    add_to(h, "lost",
           json_pack("{s:i, s:f, s:f}", "cpu", (int)draw_int(d, 0, h->cpus - 1), "at_s",
                     draw_real(d, 1, d->length_s - 1), "for_s", draw_log(d, 0.005, 0.08)));
}

static json_t *not_recorded(struct draw *d)
{
    json_t *names = json_pack("[s, s, s]", "timer_*", "power_*", "sched_waking");

    if (draw_chance(d, 60) && !d->all_calls)
        json_array_append_new(names, json_string("syscall_*"));
    if (!d->paged && draw_chance(d, 70))
        json_array_append_new(names, json_string("kmem_*"));
    return names;
}

static void put_kernel(struct draw *d)
{
    json_t *hosts = json_array();

    for (unsigned i = 0; i < d->n; i++)
        json_array_append_new(hosts, d->host[i].kernel);
    json_object_set_new(d->root, "kernel",
                        json_pack("{s:o, s:b, s:f, s:o, s:o}", "hosts", hosts, "fair", 1,
                                  "duration_s", d->length_s, "not_recorded", not_recorded(d),
                                  "connections", d->connections));
}

void draw_rest(struct draw *d)
{
    json_t *hosts = json_array(), *without = json_array();

    add_users(d);
    for (unsigned i = 0; i < d->n; i++)
        add_daemons(d, &d->host[i]);
    connect_hosts(d);
    if (d->w->noise)
        add_noise(d);
    if (d->w->lost_events)
        lose_some(d);
    for (unsigned i = 0; i < d->n; i++)
        json_array_append_new(hosts, d->host[i].conf);
    for (size_t i = 0; i < d->w->n_without; i++)
        json_array_append_new(without, json_string(d->w->without[i]));
    json_object_update_missing_new(
        d->root,
        json_pack("{s:s, s:I, s:s, s:f, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "dialect",
                  d->old ? "2016" : "zed", "seed", (json_int_t)(d->w->seed & 0xffffffffffff),
                  "start", "2026-05-04 12:00:00", "duration_s",
                  d->watched_s > d->length_s ? d->watched_s : d->length_s, "periodic",
                  draw_chance(d, 70) || d->watched_s > 0, "rpc_lines", !d->bare, "hosts", hosts,
                  "services", d->services, "operations", d->operations, "faults", d->faults,
                  "migrations", d->migrations, "findings", d->findings, "without", without));
    put_kernel(d);
}
