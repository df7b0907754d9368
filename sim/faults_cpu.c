/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_cpu.c -- faults of CPUs: who may run where, and who goes first. */
#include "sim/faults_priv.h"

/* Work that takes 'share' of a CPU in bursts. */
struct bursts {
    double work_ms, sleep_ms;
};

static struct bursts bursts(struct draw *d, double share, double lo_ms, double hi_ms)
{
    double work = draw_log(d, lo_ms, hi_ms);

    return (struct bursts){ work, work * (1 - share) / share };
}

void add_takers(struct draw *d, struct draw_host *h, json_t *f, unsigned first, unsigned n,
                double share, double from, double to)
{
    static const char *const comms[] = { "backup", "stress-ng", "rsync", "gzip" };
    struct bursts b = bursts(d, share, 5, 60);
    int nice = -(int)draw_int(d, 5, 20);
    json_t *p;

    if (draw_chance(d, 25)) {
        const char *comm = DRAW_OF(d, comms);

        p = add_to(h, "hogs",
                   json_pack("{s:s, s:i, s:f, s:f, s:i}", "comm", comm, "threads", (int)n,
                             "work_ms", b.work_ms, "sleep_ms", b.sleep_ms, "nice", nice));
        CULPRIT(f, "process", comm);
        pin(p, first, n);
        add_times(p, d, from, to);
        return;
    }
    for (unsigned done = 0; done < n;) {
        const char *name = draw_vm_name(d);
        unsigned vcpus = draw_int(d, 1, n - done);

        p = add_vm(h, name, vcpus, b.work_ms, b.sleep_ms);
        json_object_set_new(p, "nice", json_integer(nice));
        pin(p, first + done, vcpus);
        add_times(p, d, from, to);
        CULPRIT(f, "vm", name);
        done += vcpus;
    }
}

void fault_vm_starved(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    unsigned vcpus = draw_int(d, 1, h->cpus > 2 ? h->cpus / 2 : 1);
    unsigned first = draw_int(d, 0, h->cpus - vcpus);
    struct bursts b = bursts(d, draw_real(d, 0.4, 0.95), 1, 20);
    const char *name = draw_vm_name(d);
    double from, to;

    draw_when(d, 0.5, &from, &to);
    json_t *f = add_finding(d, "vm-starved", "vm-starved", h->name, from, to);

    SUBJECT(f, "vm", name);
    pin(add_vm(h, name, vcpus, b.work_ms, b.sleep_ms), first, vcpus);
    add_takers(d, h, f, first, vcpus, draw_real(d, 0.62, 0.97), from, to);
}

void fault_service_starved(struct draw *d)
{
    static const char *const names[][2] = { { "ovs-vswitchd", "ovs-vswitchd" },
                                            { "libvirtd", "libvirtd" },
                                            { "nova-compute", "nova-compute" },
                                            { "rabbitmq", "beam.smp" } };
    unsigned which = draw_int(d, 0, 3);
    struct draw_host *h = which == 3 ? &d->host[0] : draw_compute(d);
    unsigned n = draw_int(d, 1, h->cpus > 2 ? 2 : 1), first = draw_int(d, 0, h->cpus - n);
    struct bursts b = bursts(d, draw_real(d, 0.08, 0.35), 0.3, 4);
    double from, to;

    draw_when(d, 0.5, &from, &to);
    json_t *f = add_finding(d, "service-starved", "service-starved", h->name, from, to);
    json_t *s = add_service(h, names[which][0], names[which][1], b.work_ms, b.sleep_ms);

    json_object_set_new(s, "threads", json_integer(n));
    pin(s, first, n);
    SUBJECT(f, "service", names[which][0]);
    add_takers(d, h, f, first, n, draw_real(d, 0.65, 0.97), from, to);
}

void fault_host_overcommitted(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    double times = draw_real(d, 1.8, 4), share = draw_real(d, 0.75, 1);
    unsigned vcpus = draw_int(d, 1, h->cpus > 4 ? 2 : 1);
    unsigned n = (unsigned)(times * h->cpus / share / vcpus) + 1;
    json_t *f = add_finding(d, "host-overcommitted", "host-overcommitted", h->name, 0, d->length_s);

    SUBJECT(f, "host", h->name);
    for (unsigned i = 0; i < n; i++) {
        struct bursts b = bursts(d, share, 4, 40);
        const char *name = draw_vm_name(d);

        add_vm(h, name, vcpus, b.work_ms, b.sleep_ms);
    }
}

/* Neighbours have the CPU of nova-compute, so all that it is asked for takes long. */
void fault_starved_requests(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    unsigned cpu = draw_int(d, 0, h->cpus - 1), boots = draw_int(d, 4, 7);
    struct bursts b = bursts(d, draw_real(d, 0.2, 0.4), 0.5, 4);
    double from = d->length_s * draw_real(d, 0.35, 0.5);
    json_t *f = add_finding(d, "starved-requests", "service-starved", h->name, from, d->length_s);

    pin(add_service(h, "nova-compute", "nova-compute", b.work_ms, b.sleep_ms), cpu, 1);
    SUBJECT(f, "service", "nova-compute");
    add_takers(d, h, f, cpu, 1, draw_real(d, 0.8, 0.93), from, d->length_s);
    for (unsigned i = 0; i < 2 * boots; i++) { /* half of them before, as one knows them */
        const char *vm = draw_vm_name(d);
        double at =
            i < boots ? draw_real(d, 0.2, from * 0.4) : draw_real(d, from + 0.5, d->length_s * 0.7);
        json_t *o = add_boot(d, at, vm);

        json_object_set_new(o, "host", json_string(h->name));
        if (i < boots)
            continue;
        f = add_finding(d, "starved-requests", "request-slow", NULL, at, d->length_s);
        json_object_set_new(f, "root", json_false());
        json_object_set_new(f, "operation", json_string(draw_text(d, "boot %s", vm)));
        SUBJECT(f, "vm", vm);
    }
}
