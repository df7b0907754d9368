/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_io.c -- faults of disks, interfaces, interrupts and memory. */
#include "sim/faults_priv.h"

void fault_disk_contended(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    double service_us = draw_log(d, 400, 6000), from, to;
    unsigned parallel = draw_int(d, 1, 2);
    double capacity = 1e6 / service_us * parallel;
    const char *taker = draw_vm_name(d), *disk = "sdb";
    unsigned victims = draw_int(d, 1, 3);

    draw_when(d, 0.5, &from, &to);
    json_t *f = add_finding(d, "disk-contended", "disk-contended", h->name, from, to);

    add_disk(h, disk, service_us, parallel, parallel * draw_int(d, 1, 4));
    json_t *vm = add_vm(h, taker, draw_int(d, 1, 2), 1, draw_real(d, 4, 12));

    disk_load(vm, disk, 0, capacity * draw_real(d, 0.75, 1.3), draw_chance(d, 50) ? 4 : 8);
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

void fault_memory_growth(struct draw *d)
{
    static const char *const services[][2] = { { "nova-compute", "nova-compute" },
                                               { "neutron-openvswitch-agent", "neutron-openvsw" },
                                               { "libvirtd", "libvirtd" } };
    struct draw_host *h = draw_compute(d);
    double per_s = draw_log(d, 300, 6000);
    json_t *f = add_finding(d, "memory-growth", "memory-growth", h->name, 0, d->length_s), *p;

    d->paged = true;
    if (draw_chance(d, 50)) {
        unsigned which = draw_int(d, 0, 2);

        p = add_service(h, services[which][0], services[which][1], 1, draw_real(d, 5, 20));
        SUBJECT(f, "service", services[which][0]);
    } else {
        const char *name = draw_vm_name(d);

        p = add_vm(h, name, draw_int(d, 1, 2), 2, draw_real(d, 5, 20));
        SUBJECT(f, "vm", name);
    }
    json_object_set_new(p, "leak_pages_per_s", json_real(per_s));
}
