/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_io.c -- faults of disks, interfaces, interrupts and memory. */
#include "sim/faults_priv.h"

void fault_disk_contended(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    double service_us = draw_log(d, 2000, 12000), from, to;
    unsigned parallel = draw_int(d, 1, 2);
    double capacity = 1e6 / service_us * parallel;
    const char *taker = draw_vm_name(d), *disk = "sdb";
    unsigned victims = draw_int(d, 1, 3);

    draw_when(d, 0.5, &from, &to);
    json_t *f = add_finding(d, "disk-contended", "disk-contended", h->name, from, to);

    add_disk(h, disk, service_us, parallel, parallel * draw_int(d, 1, 4));
    json_t *vm = add_vm(h, taker, draw_int(d, 1, 2), 1, draw_real(d, 4, 12));

    disk_load(vm, disk, 0, capacity * draw_real(d, 1.2, 2.5), draw_chance(d, 50) ? 4 : 8);
    add_times(vm, d, from, to);
    CULPRIT(f, "vm", taker);
    for (unsigned i = 0; i < victims; i++) {
        const char *name = draw_vm_name(d);

        disk_load(add_vm(h, name, 1, 1, draw_real(d, 8, 15)), disk,
                  capacity * draw_real(d, 0.05, 0.15), 0, 4);
        SUBJECT(f, "vm", name);
    }
}

void fault_disk_slow(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    double latency_ms = draw_log(d, 25, 300), usual_us = draw_log(d, 100, 2000), from, to;
    unsigned parallel = draw_int(d, 1, 4), users = draw_int(d, 1, 3);
    const char *disk = draw_chance(d, 50) ? "sdb" : "vdb";

    draw_when(d, 0.4, &from, &to);
    json_t *f = add_finding(d, "disk-slow", "disk-slow", h->name, from, to);
    json_t *device = add_disk(h, disk, usual_us, parallel, 16);

    json_object_set_new(device, "slow_factor", json_real(latency_ms * 1000 / usual_us));
    json_object_set_new(device, "slow_at_s", json_real(from));
    json_object_set_new(device, "slow_for_s", json_real(to - from));
    SUBJECT(f, "disk", disk);
    for (unsigned i = 0; i < users; i++) {
        double per_s = draw_real(d, 0.15, 0.35) * parallel * 1000 / latency_ms / users;

        disk_load(add_vm(h, draw_vm_name(d), 1, 1, draw_real(d, 8, 20)), disk, per_s * 0.7,
                  per_s * 0.3, 4);
    }
}

void limit_link(struct draw_host *h, double mbit_s)
{
    json_t *nic = json_array_get(json_object_get(h->kernel, "interfaces"), 0);

    json_object_set_new(nic, "mbit_s", json_real(mbit_s));
}

/* Something that sends so many bytes in packets as large as offloads make them. */
static void send(struct draw *d, struct draw_host *h, json_t *vm, double bytes_s)
{
    double per_s = draw_log(d, 150, 900), bytes = bytes_s / per_s;

    bytes = bytes < 90 ? 90 : bytes > 65000 ? 65000 : bytes;
    json_object_set_new(vm, "net",
                        json_pack("{s:s, s:f, s:f, s:i}", "interface", h->nic, "rx_per_s",
                                  draw_real(d, 5, 50), "tx_per_s", bytes_s / bytes, "bytes",
                                  (int)bytes));
}

void add_talker(struct draw *d, struct draw_host *h, json_t *finding, double bytes_s, double from,
                double to)
{
    const char *name = draw_vm_name(d);
    json_t *vm = add_vm(h, name, draw_int(d, 2, h->cpus < 4 ? 2 : 4), 0.3, draw_real(d, 1, 3));

    send(d, h, vm, bytes_s);
    add_times(vm, d, from, to);
    CULPRIT(finding, "vm", name);
}

void fault_link_saturated(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    double mbit_s = draw_log(d, 50, 400), bytes_s = mbit_s * 1e6 / 8, from, to;
    unsigned talkers = draw_int(d, 1, 2), others = draw_int(d, 1, 3);

    draw_when(d, 0.5, &from, &to);
    json_t *f = add_finding(d, "link-saturated", "link-saturated", h->name, from, to);

    limit_link(h, mbit_s);
    SUBJECT(f, "interface", h->nic);
    for (unsigned i = 0; i < talkers; i++)
        add_talker(d, h, f, bytes_s * draw_real(d, 1.5, 2.5) / talkers, from, to);
    SUBJECT(f, "host", h->name);
    for (unsigned i = 0; i < others; i++) {
        const char *name = draw_vm_name(d);

        send(d, h, add_vm(h, name, 1, 0.5, draw_real(d, 3, 8)), bytes_s * draw_real(d, 0.01, 0.08));
        SUBJECT(f, "vm", name);
    }
}

void fault_interrupt_storm(struct draw *d)
{
    static const char *const names[] = { "mlx5_comp3@pci:0000:3b:00.0",
                                         "nvme0q2",
                                         "xhci_hcd",
                                         "i915",
                                         "eth1-TxRx-0",
                                         "megasas0-msix2" };
    struct draw_host *h = draw_host(d);
    const char *name = DRAW_OF(d, names);
    double share = draw_real(d, 0.3, 0.85), took_us = draw_log(d, 15, 120), from, to;

    draw_when(d, 0.5, &from, &to);
    json_t *f = add_finding(d, "interrupt-storm", "interrupt-storm", h->name, from, to);

    add_to(h, "interrupts",
           json_pack("{s:s, s:i, s:f, s:f}", "name", name, "irq", (int)new_irq(h), "per_s",
                     share * 1e6 / took_us, "took_us", took_us));
    SUBJECT(f, "host", h->name);
}

/* An instance that allocates so many pages: it touches them a few at a time. */
static json_t *add_grower(struct draw *d, struct draw_host *h, const char *name, double pages_s)
{
    double sleep = draw_real(d, 5, 20), share = 2 / (2 + sleep);
    json_t *vm = add_vm(h, name, 1, 2, sleep);

    json_object_set_new(vm, "leak_pages_per_s", json_real(pages_s));
    json_object_set_new(vm, "exits_per_s",
                        json_pack("{s:f}", "EPT_VIOLATION", pages_s / 16 / share));
    return vm;
}

void fault_memory_growth(struct draw *d)
{
    static const char *const services[][2] = { { "nova-compute", "nova-compute" },
                                               { "neutron-openvswitch-agent", "neutron-openvsw" },
                                               { "libvirtd", "libvirtd" } };
    struct draw_host *h = draw_compute(d);
    double per_s = draw_log(d, 300, 6000);
    json_t *f = add_finding(d, "memory-growth", "memory-growth", h->name, 0, d->length_s);

    d->paged = true;
    if (draw_chance(d, 50)) {
        unsigned which = draw_int(d, 0, 2);

        json_t *p = add_service(h, services[which][0], services[which][1], 0.5, draw_real(d, 2, 6));
        json_object_set_new(p, "leak_pages_per_s", json_real(per_s));
        SUBJECT(f, "service", services[which][0]);
    } else {
        const char *name = draw_vm_name(d);

        add_grower(d, h, name, per_s);
        SUBJECT(f, "vm", name);
    }
}

/* A process grows until the host has no memory left. */
void fault_out_of_memory(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    double per_s = draw_log(d, 1000, 8000), at = d->length_s * draw_real(d, 0.35, 0.8);
    const char *name = draw_vm_name(d);
    json_t *f = add_finding(d, "out-of-memory", "out-of-memory", h->name, at, d->length_s);

    d->paged = true;
    add_grower(d, h, name, per_s);
    json_object_set_new(h->kernel, "memory_mb", json_integer((json_int_t)(per_s * at / 256) + 1));
    SUBJECT(f, "vm", name);
}
