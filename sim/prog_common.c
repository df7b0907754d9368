/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_common.c -- what many operations share: the API's front door, the
 * scheduler, claims, plugging of network interfaces, lifecycle events. */
#include "sim/prog.h"
#include "sim/text.h"

#include <stdio.h>
#include <string.h>

#define MANAGER "nova.compute.manager"
#define DRIVER "nova.virt.libvirt.driver"
#define FILTERS "nova.filters"
#define CLAIMS "nova.compute.claims"

bool if_picked(const struct thread *t)
{
    return t->req->root->dst != NULL;
}

bool if_not_picked(const struct thread *t)
{
    return t->req->root->dst == NULL;
}

bool if_timed_out(const struct thread *t)
{
    return t->timed_out;
}

bool if_unexpected(const struct thread *t)
{
    return t->unexpected;
}

bool if_secrets(const struct thread *t)
{
    return has_fault(t, FAULT_SECRETS);
}

bool if_hosted(const struct thread *t)
{
    return t->req->vm->host != NULL;
}

bool if_not_hosted(const struct thread *t)
{
    return t->req->vm->host == NULL;
}

bool if_plugged(const struct thread *t)
{
    return !has_fault(t, FAULT_VIF_TIMEOUT);
}

bool if_not_plugged(const struct thread *t)
{
    return has_fault(t, FAULT_VIF_TIMEOUT);
}

/* --- The API ------------------------------------------------------------- */

static void do_secret_used(struct thread *t)
{
    t->req->root->fault_applied = true;
}

static const struct row keystone_validate[] = {
    OLD(10, "keystone.middleware.core", "process_request", 314,
        "RBAC: auth_context: {{'is_delegated_auth': False, 'access_token_id': None, 'user_id': "
        "u'{user_id}', 'roles': [u'admin'], 'trustee_id': None, 'trustor_id': None, "
        "'consumer_id': None, 'token': <KeystoneToken (audit_id=AZ3ElI8PTKCQYS6jlZHd5Q, "
        "audit_chain_id=AZ3ElI8PTKCQYS6jlZHd5Q) at 0x7f71{hex8}>, 'project_id': "
        "u'{project_id}', 'trust_id': None}"),
    OLD(20, "keystone.common.wsgi", "__call__", 242, "GET http://{ctl_ip}:35357/v3/auth/tokens"),
    OLD(10, "keystone.common.controller", "_build_policy_check_credentials", 62,
        "RBAC: Authorizing identity:validate_token()"),
    OLD(10, "keystone.common.controller", "inner", 162, "RBAC: Authorization granted"),
    ZED(10, "keystone.server.flask.request_processing.req_logging", "log_request_info", 27,
        "REQUEST_METHOD: `GET`"),
    ZED(10, "keystone.server.flask.request_processing.req_logging", "log_request_info", 29,
        "PATH_INFO: `/v3/auth/tokens`"),
    WORK("keystone validate", 4),
    { 0 },
};

const struct row api_auth[] = {
    HTTP(SVC_KEYSTONE, "GET", "/v3/auth/tokens", 200, keystone_validate, NULL),
    { .op = OP_LOG,
      .in = DIALECT_2016,
      .when = if_secrets,
      .level = 10,
      .logger = "keystonemiddleware.auth_token",
      .func = "__call__",
      .line = 434,
      .text = "Authenticating user token {secret_token} password=EXAMPLE-s3cr3t" },
    { .op = OP_LOG,
      .in = DIALECT_ZED,
      .when = if_secrets,
      .level = 10,
      .logger = "keystonemiddleware.auth_token",
      .func = "__call__",
      .line = 434,
      .text = "Authenticating user token X-Auth-Token: {secret_token} password=EXAMPLE-s3cr3t" },
    { .op = OP_DO, .when = if_secrets, .fn = do_secret_used },
    { 0 },
};

/* States in which the API accepts an operation; NULL: any. */
static const char *const accepted[DO_COUNT][2] = {
    [DO_STOP] = { "active" },
    [DO_START] = { "stopped" },
    [DO_REBOOT] = { "active" },
    [DO_PAUSE] = { "active" },
    [DO_UNPAUSE] = { "paused" },
    [DO_SUSPEND] = { "active" },
    [DO_RESUME] = { "suspended" },
    [DO_RESIZE] = { "active", "stopped" },
    [DO_CONFIRM_RESIZE] = { "resized" },
    [DO_LIVE_MIGRATE] = { "active" },
    [DO_VOLUME_ATTACH] = { "active", "stopped" },
    [DO_VOLUME_DETACH] = { "active", "stopped" },
};

/* Is the volume in the state that the operation needs?  NULL if so. */
static const char *volume_state_wrong(const struct req *r)
{
    const char *status = r->vol ? r->vol->status : NULL;
    const char *need = NULL;

    if (!status)
        return NULL;
    switch ((int)r->op->what) {
    case DO_VOLUME_ATTACH:
    case DO_VOLUME_SNAPSHOT:
    case DO_VOLUME_EXTEND:
    case DO_VOLUME_DELETE: need = "available"; break;
    case DO_VOLUME_DETACH: need = "in-use"; break;
    default: return NULL;
    }
    return strcmp(status, need) == 0 ? NULL : status;
}

void do_check(struct thread *t)
{
    struct req *r = t->req->root;
    const struct vm *vm = r->vm;
    const char *const *states = accepted[r->op->what];
    const char *name = operation_names[r->op->what];
    const char *bad = volume_state_wrong(r);

    if ((vm && !vm->exists) || (r->vol && strcmp(r->vol->status, "deleted") == 0)) {
        engine_throw(t, "NotFound",
                     arena_printf(&t->sim->mem, "%s could not be found.",
                                  vm && !vm->exists ? vm->uuid : r->vol->id));
        return;
    }
    if (vm && r->op->what == DO_DELETE && !vm->host && strcmp(vm->vm_state, "building") == 0) {
        engine_throw(t, "Conflict",
                     arena_printf(&t->sim->mem,
                                  "Cannot 'delete' instance %s while it is being scheduled",
                                  vm->uuid));
        return;
    }
    if (vm && r->op->what != DO_DELETE &&
        (vm->task_state || (states[0] && strcmp(vm->vm_state, states[0]) != 0 &&
                            (!states[1] || strcmp(vm->vm_state, states[1]) != 0)))) {
        engine_throw(t, "Conflict",
                     arena_printf(&t->sim->mem, "Cannot '%s' instance %s while it is in %s %s",
                                  name, vm->uuid, vm->task_state ? "task_state" : "vm_state",
                                  vm->task_state ? vm->task_state : vm->vm_state));
        return;
    }
    if (bad)
        engine_throw(
            t, "Conflict",
            arena_printf(&t->sim->mem, "Invalid volume: volume %s status is %s.", r->vol->id, bad));
}

static void do_refuse(struct thread *t)
{
    struct req *root = t->req->root;

    root->outcome = strcmp(t->exc, "NotFound") == 0 ? "not_found" : "conflict";
    root->error = t->exc;
    root->error_text = t->exc_text;
}

const struct row api_refused[] = {
    LOG(20, "nova.api.openstack.wsgi", "_process_stack", 979, "HTTP exception thrown: {exc_text}"),
    DO(do_refuse),
    { 0 },
};

void do_fail_request(struct thread *t)
{
    struct req *root = t->req->root;

    if (root->error)
        return;
    root->outcome = "error";
    root->error = t->exc;
    root->error_text = t->exc_text;
}

const struct row neutron_get[] = {
    WORK("neutron query", 8),
    { 0 },
};

/* --- The scheduler ------------------------------------------------------- */

static const struct sc_flavor *wanted(const struct req *r)
{
    return r->flavor ? r->flavor : r->vm->flavor;
}

void do_pick_host(struct thread *t)
{
    struct sim *s = t->sim;
    struct req *r = t->req->root;
    const struct sc_flavor *f = wanted(r);
    struct host *best = NULL;

    r->dst = NULL;
    if (r->fault.kind == FAULT_NO_VALID_HOST) {
        r->fault_applied = true;
        return;
    }
    for (size_t i = 0; i < s->hosts.n; i++) {
        struct host *h = &s->hosts.at[i];
        bool forced = r->op->host && strcmp(r->op->host, h->sc->name) == 0;

        if (!(h->sc->roles & ROLE_COMPUTE) || (r->op->host && !forced) || h == r->src)
            continue;
        if (h->used_ram_mb + f->ram_mb + 512 > h->sc->ram_mb * 3 / 2)
            continue;
        if (!best || h->used_ram_mb * best->sc->ram_mb < best->used_ram_mb * h->sc->ram_mb)
            best = h;
    }
    /* the last resort of a resize is its own host */
    if (!best && r->op->what == DO_RESIZE)
        best = r->src;
    r->dst = best;
}

/* clang-format off */
#define PASSED(name) \
    { .op = OP_LOG, .when = if_picked, .level = 10, .logger = FILTERS, \
      .func = "get_filtered_objects", .line = 104, .text = "Filter " name " returned {hosts} host(s)" }
/* clang-format on */

/* The filters one after another, down to the one that leaves no host: the fault's message. */
static void do_filter_all(struct thread *t)
{
    static const char *const filters[] = {
        "RamFilter",
        "DiskFilter",
        "ComputeFilter",
        "ComputeCapabilitiesFilter",
        "ImagePropertiesFilter",
        "ServerGroupAntiAffinityFilter",
        "ServerGroupAffinityFilter",
        "NUMATopologyFilter",
        "PciPassthroughFilter",
        "AggregateInstanceExtraSpecsFilter",
    };
    const struct sc_fault *f = &t->req->root->fault;
    const char *last = f->kind == FAULT_NO_VALID_HOST && f->message ? f->message : filters[0];
    char text[256];

    for (size_t i = 0; i < ARRAY_SIZE(filters) && strcmp(filters[i], last) != 0; i++) {
        struct sbuf b = { 0 };

        snprintf(text, sizeof text, "Filter %s returned {hosts} host(s)", filters[i]);
        text_fill(&b, t, text);
        say(t, 10, FILTERS, "get_filtered_objects", 104, sbuf_view(&b));
        sbuf_free(&b);
    }
    snprintf(text, sizeof text, "Filter %s returned 0 hosts", last);
    say(t, 20, FILTERS, "get_filtered_objects", 107, str_of(text));
}

static const struct row schedule_none[] = {
    DO(do_filter_all),
    OLD(10, "nova.scheduler.filter_scheduler", "_schedule", 146,
        "There are 0 hosts available but 1 instances requested to build."),
    ZED(10, "nova.scheduler.manager", "_get_all_host_states", 410,
        "There are 0 hosts available but 1 instances requested to build."),
    FAIL(FAULT_NONE, "NoValidHost",
         "No valid host was found. There are not enough hosts available."),
    { 0 },
};

static const struct row schedule_failed[] = {
    LOG(40, "oslo_messaging.rpc.dispatcher", "_dispatch_and_reply", 142,
        "Exception during message handling: {exc_text}\n{traceback}"),
    THROW,
    { 0 },
};

const struct row schedule[] = {
    CATCH(schedule_failed),
    TASK(T_SELECT),
    DO(do_pick_host),
    WORK("scheduler placement", 5),
    TASK(T_FILTER),
    LOG(10, FILTERS, "get_filtered_objects", 70, "Starting with {hosts} host(s)"),
    OLD(10, FILTERS, "get_filtered_objects", 104, "Filter RetryFilter returned {hosts} host(s)"),
    LOG(10, FILTERS, "get_filtered_objects", 104,
        "Filter AvailabilityZoneFilter returned {hosts} host(s)"),
    RUN_IF(if_not_picked, schedule_none),
    PASSED("RamFilter"),
    PASSED("DiskFilter"),
    PASSED("ComputeFilter"),
    PASSED("ComputeCapabilitiesFilter"),
    PASSED("ImagePropertiesFilter"),
    PASSED("ServerGroupAntiAffinityFilter"),
    PASSED("ServerGroupAffinityFilter"),
    OLD(10, "nova.scheduler.filter_scheduler", "_schedule", 152, "Filtered [{host_states}]"),
    OLD(10, "nova.scheduler.filter_scheduler", "_schedule", 157, "Weighed [{weighed}]"),
    OLD(10, "nova.scheduler.filter_scheduler", "_schedule", 167, "Selected host: {weighed}"),
    ZED(10, "nova.scheduler.manager", "_get_sorted_hosts", 611, "Filtered [{host_states}]"),
    ZED(10, "nova.scheduler.manager", "_get_sorted_hosts", 631, "Weighed [{weighed}]"),
    ZED(10, "nova.scheduler.utils", "claim_resources", 1253,
        "Attempting to claim resources in the placement API for instance {uuid}"),
    ZED(10, "nova.scheduler.manager", "_consume_selected_host", 513, "Selected host: {weighed}"),
    TASK_END,
    TASK_END,
    { 0 },
};

/* --- Claims -------------------------------------------------------------- */

void do_claim(struct thread *t)
{
    struct vm *vm = t->req->vm;
    struct host *h = t->proc->host;

    if (vm->claimed)
        do_unclaim(t);
    vm->claimed = true;
    vm->host = h;
    h->used_ram_mb += vm->flavor->ram_mb;
    h->used_disk_gb += vm->flavor->disk_gb;
    h->used_vcpus += vm->flavor->vcpus;
    h->vms++;
}

void do_unclaim(struct thread *t)
{
    struct vm *vm = t->req->vm;
    struct host *h = vm->host;

    if (!vm->claimed || !h)
        return;
    vm->claimed = false;
    h->used_ram_mb -= vm->flavor->ram_mb;
    h->used_disk_gb -= vm->flavor->disk_gb;
    h->used_vcpus -= vm->flavor->vcpus;
    h->vms--;
}

const struct row claim_rows[] = {
    OLD(10, "nova.compute.resource_tracker", "instance_claim", 170,
        "Memory overhead for {ram} MB instance; 0 MB"),
    OLD(20, CLAIMS, "_claim_test", 137, "Attempting claim: memory {ram} MB, disk {disk} GB"),
    OLD(20, CLAIMS, "_test", 221, "Total memory: {phys_ram} MB, used: {used_ram}.00 MB"),
    OLD(20, CLAIMS, "_test", 235, "memory limit: {ram_limit} MB"),
    OLD(20, CLAIMS, "_test", 221, "Total disk: {phys_disk} GB, used: {used_disk}.00 GB"),
    OLD(20, CLAIMS, "_test", 235, "disk limit: {phys_disk}.00 GB, free: {phys_disk}.00 GB"),
    OLD(10, "nova.compute.resources.vcpu", "test", 52,
        "Total CPUs: {total_vcpus} VCPUs, used: {used_vcpus}.00 VCPUs"),
    OLD(10, "nova.compute.resources.vcpu", "test", 56,
        "CPUs limit not specified, defaulting to unlimited"),
    OLD(20, CLAIMS, "_claim_test", 149, "Claim successful"),
    ZED(10, "nova.virt.hardware", "numa_fit_instance_to_host", 2321,
        "Require both a host and instance NUMA topology to fit instance on host."),
    ZED(20, CLAIMS, "_claim_test", 120, "Claim successful on node {host}"),
    WORK("claim", 120),
    ZED(10, "nova.compute.provider_tree", "update_inventory", 180,
        "Inventory has not changed in ProviderTree for provider: {new_uuid}"),
    { 0 },
};

/* --- Network interfaces -------------------------------------------------- */

#define ROOTWRAP "sudo nova-rootwrap /etc/nova/rootwrap.conf "

static const struct row plug_old[] = {
    LOG(10, "nova.virt.libvirt.vif", "plug", 730, "vif_type=ovs instance={instance}"),
    CMD(ROOTWRAP "brctl addbr qbr{port11}", 62),
    CMD(ROOTWRAP "brctl setfd qbr{port11} 0", 63),
    CMD(ROOTWRAP "brctl stp qbr{port11} off", 66),
    CMD(ROOTWRAP "tee /sys/class/net/qbr{port11}/bridge/multicast_snooping", 80),
    CMD(ROOTWRAP "ip link add qvb{port11} type veth peer name qvo{port11}", 70),
    CMD(ROOTWRAP "ip link set qvb{port11} up", 80),
    CMD(ROOTWRAP "ip link set qvb{port11} promisc on", 70),
    CMD(ROOTWRAP "ip link set qvb{port11} mtu 1450", 60),
    CMD(ROOTWRAP "ip link set qvo{port11} up", 58),
    CMD(ROOTWRAP "brctl addif qbr{port11} qvb{port11}", 70),
    CMD(ROOTWRAP "ovs-vsctl --timeout=120 -- --if-exists del-port qvo{port11} -- add-port br-int "
                 "qvo{port11} -- set Interface qvo{port11} external-ids:iface-id={port} "
                 "external-ids:iface-status=active external-ids:attached-mac={mac} "
                 "external-ids:vm-uuid={uuid}",
        90),
    { 0 },
};

static const struct row plug_zed[] = {
    LOG(10, "nova.virt.libvirt.vif", "plug", 710, "vif_type=ovs instance={instance}"),
    LOG(10, "nova.network.os_vif_util", "nova_to_osvif_vif", 511, "Converting VIF {network_info}"),
    LOG(10, "os_vif", "plug", 76,
        "Plugging vif VIFOpenVSwitch(active=False,address={mac},bridge_name='br-int',"
        "has_traffic_filtering=True,id={port},network=Network({net}),plugin='ovs',"
        "preserve_on_delete=False,vif_name='tap{port11}')"),
    LOG(10, "ovsdbapp.backend.ovs_idl.transaction", "do_commit", 90,
        "Running txn n=1 command(idx=0): AddPortCommand(bridge=br-int, port=tap{port11}, "
        "may_exist=True)"),
    WORK("ovsdb transaction", 45),
    LOG(20, "os_vif", "plug", 78,
        "Successfully plugged vif VIFOpenVSwitch(active=False,address={mac},bridge_name='br-int',"
        "has_traffic_filtering=True,id={port},network=Network({net}),plugin='ovs',"
        "preserve_on_delete=False,vif_name='tap{port11}')"),
    { 0 },
};

const struct row plug_vif[] = {
    { .op = OP_RUN, .in = DIALECT_2016, .prog = plug_old },
    { .op = OP_RUN, .in = DIALECT_ZED, .prog = plug_zed },
    { 0 },
};

static const struct row unplug_old[] = {
    LOG(10, "nova.virt.libvirt.vif", "unplug", 932, "vif_type=ovs instance={instance}"),
    CMD(ROOTWRAP "brctl delif qbr{port11} qvb{port11}", 58),
    CMD(ROOTWRAP "ip link set qbr{port11} down", 66),
    CMD(ROOTWRAP "brctl delbr qbr{port11}", 90),
    CMD(ROOTWRAP "ovs-vsctl --timeout=120 -- --if-exists del-port br-int qvo{port11}", 75),
    CMD(ROOTWRAP "ip link delete qvo{port11}", 100),
    LOG(10, "nova.network.linux_net", "delete_net_dev", 1441, "Net device removed: 'qvo{port11}'"),
    { 0 },
};

static const struct row unplug_zed[] = {
    LOG(10, "nova.virt.libvirt.vif", "unplug", 828, "vif_type=ovs instance={instance}"),
    WORK("ovsdb transaction", 40),
    LOG(20, "os_vif", "unplug", 109,
        "Successfully unplugged vif VIFOpenVSwitch(active=True,address={mac},"
        "bridge_name='br-int',id={port},network=Network({net}),vif_name='tap{port11}')"),
    { 0 },
};

const struct row unplug_vif[] = {
    { .op = OP_RUN, .in = DIALECT_2016, .prog = unplug_old },
    { .op = OP_RUN, .in = DIALECT_ZED, .prog = unplug_zed },
    { 0 },
};

const struct row guest_xml[] = {
    OLD(10, DRIVER, "_get_guest_xml", 4425,
        "Start _get_guest_xml network_info={network_info} disk_info={{'disk_bus': 'virtio', "
        "'cdrom_bus': 'ide', 'mapping': {{'disk': {{'bus': 'virtio', 'type': 'disk', 'dev': "
        "u'vda'}}} rescue=None block_device_info=None"),
    OLD(10, "nova.virt.hardware", "_get_possible_cpu_topologies", 430,
        "Build topologies for {vcpus} vcpu(s) {vcpus}:1:1"),
    OLD(10, "nova.virt.libvirt.config", "to_xml", 82, "Generated XML ('{xml_repr}',) "),
    OLD(10, DRIVER, "_get_guest_xml", 4437, "End _get_guest_xml xml={xml}"),
    ZED(10, DRIVER, "_get_guest_xml", 7489,
        "Start _get_guest_xml network_info={network_info} disk_info={{'disk_bus': 'virtio'} "
        "rescue=None block_device_info=None"),
    ZED(10, DRIVER, "_get_guest_xml", 7501, "End _get_guest_xml xml={xml}"),
    { 0 },
};

const struct row refresh_network[] = {
    SEM("refresh_cache-{uuid}"),
    OLD(10, "nova.network.neutronv2.api", "_get_instance_nw_info", 939, "_get_instance_nw_info()"),
    ZED(10, "nova.network.neutron", "_get_instance_nw_info", 1996,
        "Building network info cache for instance"),
    HTTP(SVC_NEUTRON, "GET", "/v2.0/ports.json?tenant_id={project_id}&device_id={uuid}", 200,
         neutron_get, "{ports_body}"),
    HTTP(SVC_NEUTRON, "GET", "/v2.0/subnets.json?id={subnet}", 200, neutron_get, "{subnets_body}"),
    OLD(10, "nova.network.base_api", "update_instance_cache_with_nw_info", 43,
        "Updating instance_info_cache with network_info: {network_info}"),
    ZED(10, "nova.network.neutron", "update_instance_cache_with_nw_info", 116,
        "Updating instance_info_cache with network_info: {network_info}"),
    UNSEM,
    { 0 },
};

/* --- Lifecycle events ---------------------------------------------------- */

/* clang-format off */
#define LIFECYCLE(event) { \
    OLD(10, "nova.virt.driver", "emit_event", 1303, \
        "Emitting event <LifecycleEvent: {seconds}, {uuid} => " event ">"), \
    ZED(10, "nova.virt.driver", "emit_event", 1647, \
        "Emitting event <LifecycleEvent: {seconds}, {uuid} => " event ">"), \
    OLD(20, MANAGER, "handle_lifecycle_event", 1228, "VM " event " (Lifecycle Event)"), \
    ZED(20, MANAGER, "handle_lifecycle_event", 1352, "VM " event " (Lifecycle Event)"), \
    WORK("lifecycle event", 22), \
    OLD(10, MANAGER, "_get_power_state", 1333, "Checking state"), \
    ZED(10, MANAGER, "_get_power_state", 1674, "Checking state"), \
    OLD(10, MANAGER, "handle_lifecycle_event", 1262, \
        "Synchronizing instance power state after lifecycle event \"" event "\"; current " \
        "vm_state: {vm_state}, current task_state: {vm_task}, current DB power_state: 0, " \
        "VM power_state: {power}"), \
    ZED(10, MANAGER, "handle_lifecycle_event", 1394, \
        "Synchronizing instance power state after lifecycle event \"" event "\"; current " \
        "vm_state: {vm_state}, current task_state: {vm_task}, current DB power_state: 0, " \
        "VM power_state: {power}"), \
    WORK("lifecycle event", 24), \
    { .op = OP_LOG, .in = DIALECT_2016, .when = if_busy, .level = 20, .logger = MANAGER, \
      .func = "_sync_instance_power_state", .line = 6090, .text = PENDING }, \
    { .op = OP_LOG, .in = DIALECT_ZED, .when = if_busy, .level = 20, .logger = MANAGER, \
      .func = "_sync_instance_power_state", .line = 10209, .text = PENDING }, \
    { 0 }, \
}
#define PENDING "During sync_power_state the instance has a pending task ({vm_task}). Skip."
/* clang-format on */

static bool if_busy(const struct thread *t)
{
    return t->req->vm->task_state != NULL;
}

const struct row lifecycle_started[] = LIFECYCLE("Started");
const struct row lifecycle_paused[] = LIFECYCLE("Paused");
const struct row lifecycle_resumed[] = LIFECYCLE("Resumed");
const struct row lifecycle_stopped[] = LIFECYCLE("Stopped");
const struct row lifecycle_suspended[] = LIFECYCLE("Suspended");

/* libvirt's event reaches the process on a greenlet of its own. */
static void lifecycle(struct thread *t, const struct row *prog, int power)
{
    t->req->vm->power_state = power;
    engine_spawn(t->sim, t->proc, prog, t->req, MODE_FORK, NULL,
                 rng_around(&t->sim->rng, 3 * MS_NS));
}

void do_started(struct thread *t)
{
    lifecycle(t, lifecycle_started, 3);
}

void do_paused(struct thread *t)
{
    lifecycle(t, lifecycle_paused, 3);
}

void do_resumed(struct thread *t)
{
    lifecycle(t, lifecycle_resumed, 1);
}

void do_stopped(struct thread *t)
{
    lifecycle(t, lifecycle_stopped, 4);
}

void do_suspended(struct thread *t)
{
    lifecycle(t, lifecycle_suspended, 7);
}

void do_power_on(struct thread *t)
{
    t->req->vm->power_state = 1;
}

void do_power_off(struct thread *t)
{
    t->req->vm->power_state = 4;
}
