/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_openstack.c -- faults of services and of what users ask of them. */
#include "sim/faults_priv.h"

/* Boots with which one is compared, and that one; returns its operation. */
static json_t *boot_among(struct draw *d, const char **ret_vm, const char **ret_name)
{
    unsigned peers = draw_int(d, 4, 7), odd = draw_int(d, 0, peers);
    json_t *it = NULL;

    for (unsigned i = 0; i <= peers; i++) {
        const char *vm = draw_vm_name(d);
        json_t *o = add_boot(d, draw_real(d, 0.5, d->length_s - 2), vm);

        if (i != odd)
            continue;
        it = o;
        *ret_vm = vm;
        *ret_name = draw_text(d, "boot %s", vm);
    }
    return it;
}

/* The finding on an operation: its request, and when that was, the simulation tells. */
static json_t *on_operation(struct draw *d, const char *fault, const char *rule, const char *vm,
                            const char *operation)
{
    json_t *f = add_finding(d, fault, rule, NULL, 0, d->length_s);

    json_object_set_new(f, "operation", json_string(operation));
    if (vm)
        SUBJECT(f, "vm", vm);
    return f;
}

static void slow_boot(struct draw *d, const char *fault, const char *rule, const char *step,
                      double usual_s, double least_s, double most_s)
{
    const char *vm, *name;
    json_t *o = boot_among(d, &vm, &name);
    double factor = draw_log(d, least_s, most_s) / usual_s;

    json_object_set_new(
        o, "fault", json_pack("{s:s, s:s, s:f}", "kind", "slow", "step", step, "factor", factor));
    on_operation(d, fault, rule, vm, name);
}

void fault_slow_command(struct draw *d)
{
    /* a boot's commands together: two with Zed, more than a dozen with 2016's bridges */
    slow_boot(d, "slow-command", "request-slow", "cmd", d->old ? 0.9 : 0.11, 6, 30);
}

void fault_slow_http(struct draw *d)
{
    slow_boot(d, "slow-http", "request-slow", "port create", 0.21, 6, 30);
}

void fault_slow_disk_copy(struct draw *d)
{
    slow_boot(d, "slow-disk-copy", "request-slow", "image copy", 0.06, 6, 40);
}

void fault_slow_hypervisor(struct draw *d)
{
    slow_boot(d, "slow-hypervisor", "request-slow", "libvirt define", 0.32, 9, 40);
}

void fault_external_wait(struct draw *d)
{
    slow_boot(d, "external-wait", "external-wait", "vif wiring", 2.4, 10, 90);
}

void fault_slow_lock(struct draw *d)
{
    struct draw_host *h = draw_compute(d);
    const char *vm, *name;
    json_t *o = boot_among(d, &vm, &name);
    double at = json_number_value(json_object_get(o, "at_s"));

    json_object_set_new(o, "host", json_string(h->name));
    json_array_append_new(d->faults,
                          json_pack("{s:s, s:s, s:s, s:f, s:f}", "kind", "lock_hog", "host",
                                    h->name, "lock", "compute_resources", "at_s",
                                    at > 0.3 ? at - 0.3 : 0, "for_s", draw_log(d, 8, 30)));
    on_operation(d, "slow-lock", "request-slow", vm, name);
}

void fault_worker_overloaded(struct draw *d)
{
    static const char *const names[] = { "nova-conductor", "neutron-server" };
    const char *service = DRAW_OF(d, names);
    unsigned n = draw_int(d, 25, 60);
    double at = draw_real(d, 0.5, 3);
    json_t *f =
        add_finding(d, "worker-overloaded", "worker-overloaded", d->host[0].name, at, d->length_s);

    json_object_set_new(d->services, service, json_pack("{s:i, s:i}", "workers", 1, "threads", 1));
    SUBJECT(f, "service", service);
    /* A request has it work for some 50 ms: they come at more than twice that rate. */
    for (unsigned i = 0; i < n; i++)
        add_boot(d, at + draw_real(d, 0, 0.02 * n), draw_vm_name(d));
}

void fault_worker_idle(struct draw *d)
{
    static const char *const names[] = { "nova-conductor", "neutron-server" };
    const char *service = DRAW_OF(d, names);
    unsigned workers = draw_int(d, 2, 4), n = workers * draw_int(d, 10, 16);
    json_t *f = add_finding(d, "worker-idle", "worker-idle", d->host[0].name, 0, d->length_s);

    json_object_set_new(d->services, service, json_pack("{s:i}", "workers", (int)workers));
    json_array_append_new(d->faults, json_pack("{s:s, s:s, s:s, s:i}", "kind", "idle_worker",
                                               "service", service, "host", d->host[0].name,
                                               "worker", (int)draw_int(d, 0, workers - 1)));
    SUBJECT(f, "service", service);
    for (unsigned i = 0; i < n; i++)
        add_boot(d, draw_real(d, 0.5, d->length_s * 0.7), draw_vm_name(d));
}

void fault_no_valid_host(struct draw *d)
{
    static const char *const filters[] = {
        "RamFilter",
        "DiskFilter",
        "ComputeFilter",
        "ImagePropertiesFilter",
        "NUMATopologyFilter",
        "ServerGroupAntiAffinityFilter",
        "PciPassthroughFilter",
        "AggregateInstanceExtraSpecsFilter",
    };
    const char *vm = draw_vm_name(d);

    json_object_set_new(
        add_boot(d, draw_real(d, 0.5, d->length_s - 1), vm), "fault",
        json_pack("{s:s, s:s}", "kind", "no_valid_host", "message", DRAW_OF(d, filters)));
    on_operation(d, "no-valid-host", "no-valid-host", vm, draw_text(d, "boot %s", vm));
}

void fault_operation_failed(struct draw *d)
{
    static const char *const messages[] = {
        "internal error: process exited while connecting to monitor: Could not open "
        "'/var/lib/nova/instances/disk': Permission denied",
        "internal error: unable to execute QEMU command 'cont': Resource temporarily unavailable",
        "Requested operation is not valid: domain is already running",
        "Timed out during operation: cannot acquire state change lock (held by "
        "monitor=remoteDispatchDomainCreateWithFlags)",
        "Cannot access storage file '/var/lib/nova/instances/disk': No such file or directory",
    };
    const char *vm = draw_vm_name(d), *name = draw_text(d, "boot %s", vm);
    json_t *o = add_boot(d, draw_real(d, 0.5, d->length_s * 0.5), vm);
    bool later = draw_chance(d, 40);

    if (later) {
        o = json_pack("{s:s, s:f, s:s, s:s}", "after", name, "delay_s", draw_real(d, 0.3, 3), "do",
                      "reboot", "vm", vm);
        json_array_append_new(d->operations, o);
        name = draw_text(d, "reboot %s", vm);
    }
    json_object_set_new(
        o, "fault",
        json_pack("{s:s, s:s}", "kind", "libvirt_error", "message", DRAW_OF(d, messages)));
    on_operation(d, "operation-failed", "operation-failed", vm, name);
}

void fault_vm_stuck(struct draw *d)
{
    static const char *const what[][2] = {
        { "reboot", "guest reboot" },
        { "stop", "guest shutdown" },
        { "suspend", "libvirt save" },
        { "delete", "delete records" },
    };
    unsigned which = draw_int(d, 0, 3);
    const char *vm = draw_vm_name(d);

    d->watched_s = draw_log(d, 340, 1500); /* what takes less may be slow */
    add_boot(d, draw_real(d, 0.5, d->length_s * 0.5), vm);
    json_array_append_new(d->operations,
                          json_pack("{s:s, s:f, s:s, s:s, s:{s:s, s:s}}", "after",
                                    draw_text(d, "boot %s", vm), "delay_s", draw_real(d, 0.3, 2),
                                    "do", what[which][0], "vm", vm, "fault", "kind", "hang", "step",
                                    what[which][1]));
    on_operation(d, "vm-stuck", "vm-state", vm, draw_text(d, "%s %s", what[which][0], vm));
}

void fault_migration_rolled_back(struct draw *d)
{
    const char *vm = draw_vm_name(d), *name = draw_text(d, "live_migrate %s", vm);

    add_boot(d, draw_real(d, 0.5, 3), vm);
    json_array_append_new(d->operations,
                          json_pack("{s:s, s:f, s:s, s:s, s:{s:s}}", "after",
                                    draw_text(d, "boot %s", vm), "delay_s", draw_real(d, 0.5, 3),
                                    "do", "live_migrate", "vm", vm, "fault", "kind", "rollback"));
    or_found(on_operation(d, "migration-rolled-back", "migration-failed", vm, name),
             "migration-never-ends");
}
