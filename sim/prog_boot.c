/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_boot.c -- making and deleting a VM.
 *
 * The thread that builds waits twice: for the network (a greenlet of its own
 * asks neutron-server for a port) and for network-vif-plugged, which comes by
 * way of the Open vSwitch agent, neutron-server and nova-api.  The second wait
 * is most of a boot's time in real clouds, and here too. */
#include "sim/prog.h"

#define MANAGER "nova.compute.manager"
#define DRIVER "nova.virt.libvirt.driver"
#define BACKEND "nova.virt.libvirt.imagebackend"
#define TRACKER "nova.compute.resource_tracker"
#define ZED_MANAGER "nova.compute.manager.ComputeManager"
#define ZED_TRACKER "nova.compute.resource_tracker.ResourceTracker"
#define ZED_EVENTS "nova.compute.manager.InstanceEvents"

/* --- Network ------------------------------------------------------------- */

static const struct row allocate_network[] = {
    OLD(10, MANAGER, "_allocate_network_async", 1550,
        "Allocating IP information in the background."),
    ZED(10, MANAGER, "_allocate_network_async", 1864,
        "Allocating IP information in the background."),
    SEM("neutron_admin_auth_token_lock"),
    UNSEM,
    TASK(T_ALLOCATE),
    OLD(10, "nova.network.neutronv2.api", "allocate_for_instance", 640, "allocate_for_instance()"),
    ZED(10, "nova.network.neutron", "allocate_for_instance", 1143, "allocate_for_instance()"),
    HTTP(SVC_NEUTRON, "GET", "/v2.0/networks.json?tenant_id={project_id}&shared=False", 200,
         neutron_get, "{networks_body}"),
    HTTP(SVC_NEUTRON, "GET", "/v2.0/security-groups.json?tenant_id={project_id}", 200, neutron_get,
         "{groups_body}"),
    HTTP(SVC_NEUTRON, "POST", "/v2.0/ports.json", 201, neutron_port_create, "{port_body}"),
    OLD(10, "nova.network.neutronv2.api", "_create_port", 361, "Successfully created port: {port}"),
    ZED(10, "nova.network.neutron", "_create_port_minimal", 548,
        "Successfully created port: {port}"),
    RUN(refresh_network),
    TASK_END,
    OLD(10, MANAGER, "_allocate_network_async", 1568, "Instance network_info: |{network_info}|"),
    ZED(10, MANAGER, "_allocate_network_async", 1879, "Instance network_info: |{network_info}|"),
    { 0 },
};

/* nova-compute takes the event that neutron-server sent through nova-api. */
static const struct row compute_event[] = {
    OLD(10, MANAGER, "external_instance_event", 6512, "Received event network-vif-plugged-{port}"),
    ZED(10, MANAGER, "external_instance_event", 10878, "Received event network-vif-plugged-{port}"),
    LOCK("{uuid}-events", MANAGER "._pop_event",
         ZED_EVENTS ".pop_instance_event.<locals>._pop_event"),
    SIGNAL("network-vif-plugged-{port}"),
    UNLOCK,
    OLD(10, MANAGER, "_process_instance_event", 6471,
        "Processing event network-vif-plugged-{port}"),
    { .op = OP_LOG,
      .in = DIALECT_ZED,
      .when = if_unexpected,
      .level = 30,
      .logger = MANAGER,
      .func = "_process_instance_event",
      .line = 10659,
      .text = "Received unexpected event network-vif-plugged-{port} for instance with vm_state "
              "{vm_state} and task_state {vm_task}." },
    { 0 },
};

static const struct row nova_api_event[] = {
    LOG(20, "nova.api.openstack.compute.server_external_events", "create", 134,
        "Creating event network-vif-plugged:{port} for instance {uuid}"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "external_instance_event", compute_event),
    { 0 },
};

static const struct row notify_nova[] = {
    LOG(10, "neutron.notifiers.nova", "send_events", 237,
        "Sending events: [{{'status': 'completed', 'tag': u'{port}', 'name': "
        "'network-vif-plugged', 'server_uuid': u'{uuid}'}]"),
    HTTP(SVC_NOVA_API, "POST", "/v2.1/{project_id}/os-server-external-events", 200, nova_api_event,
         "{{\"events\": [{{\"status\": \"completed\", \"tag\": \"{port}\", "
         "\"name\": \"network-vif-plugged\", \"server_uuid\": \"{uuid}\"}]}"),
    { 0 },
};

static const struct row neutron_device_up[] = {
    WORK("neutron device up", 90),
    LOG(10, "neutron.plugins.ml2.rpc", "update_device_up", 246,
        "Device {port} up at agent ovs-agent-{host}"),
    FORK(notify_nova),
    { 0 },
};

static const struct row ovs_report[] = {
    CALL(SVC_NEUTRON, ON_CONTROLLER, "update_device_list", neutron_device_up),
    { 0 },
};

/* The Open vSwitch agent finds the tap device and wires it. */
static const struct row ovs_wire[] = {
    WORK("ovs agent poll", 900),
    OLD(10, "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent", "rpc_loop", 1754,
        "Agent rpc_loop - starting polling"),
    ZED(20, "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent", "rpc_loop", 2740,
        "Agent rpc_loop - starting polling"),
    TASK(T_OVS_PORTS),
    TASK(T_OVS_BOUND),
    LOG(20, "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent",
        "treat_devices_added_or_updated", 1420,
        "Port {port} updated. Details: {{u'profile': {{}, u'network_qos_policy_id': None, "
        "u'admin_state_up': True, u'network_id': u'{net}', u'segmentation_id': 10{net_n}, "
        "u'device_owner': u'compute:None', u'mac_address': u'{mac}', u'device': u'{port}', "
        "u'port_id': u'{port}', u'fixed_ips': [{{u'subnet_id': u'{subnet}', u'ip_address': "
        "u'{ip}'}], u'network_type': u'vxlan'}"),
    WORK("vif wiring", 2400),
    TASK_END,
    RUN_IF(if_plugged, ovs_report),
    { .op = OP_LOG,
      .when = if_not_plugged,
      .level = 30,
      .logger = "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent",
      .func = "treat_devices_added_or_updated",
      .line = 1447,
      .text = "Device {port} not defined on plugin or binding failed" },
    TASK_END,
    { 0 },
};

void do_tap_appears(struct thread *t)
{
    struct proc *p = engine_worker(t->sim, SVC_OVS, t->proc->host);

    if (has_fault(t, FAULT_VIF_TIMEOUT))
        t->req->root->fault_applied = true;
    engine_spawn(t->sim, p, ovs_wire, t->req, MODE_CAST, NULL, 5 * MS_NS);
}

/* --- Spawning ------------------------------------------------------------ */

static const struct row create_image[] = {
    TASK(T_IMAGE),
    OLD(20, DRIVER, "_create_image", 2893, "Creating image"),
    ZED(20, DRIVER, "_create_image", 4675, "Creating image(s)"),
    LOCK("{instances}/{uuid}/disk.info", BACKEND ".write_to_disk_info_file",
         BACKEND ".Image.resolve_driver_format.<locals>.write_to_disk_info_file"),
    UNLOCK,
    LOCK("{image_hash}", BACKEND ".copy_qcow2_image",
         BACKEND ".Qcow2.create_image.<locals>.create_qcow2_image"),
    CMD("env LC_ALL=C LANG=C qemu-img info {instances}/_base/{image_hash}", 16),
    CMD("qemu-img create -f qcow2 -o backing_file={instances}/_base/{image_hash} "
        "{instances}/{uuid}/disk",
        95),
    WORK("image copy", 60),
    UNLOCK,
    OLD(20, DRIVER, "_create_image", 3022, "Using config drive"),
    OLD(20, DRIVER, "_create_image", 3032,
        "Creating config drive at {instances}/{uuid}/disk.config"),
    { .op = OP_CMD,
      .in = DIALECT_2016,
      .ns = 14 * MS_NS,
      .text = "genisoimage -o {instances}/{uuid}/disk.config -ldots -allow-lowercase "
              "-allow-multidot -l -publisher OpenStack Nova 12.0.5 -quiet -J -r -V config-2 "
              "/tmp/tmp{port11}" },
    ZED(10, DRIVER, "_create_image", 4806, "Created local disks"),
    TASK_END,
    { 0 },
};

static const struct row vif_timeout[] = {
    OLD(30, DRIVER, "_create_domain_and_network", 4581,
        "Timeout waiting for vif plugging callback for instance {uuid}"),
    ZED(30, DRIVER, "_create_guest_with_network", 7733,
        "Timeout waiting for [('network-vif-plugged', '{port}')] for instance with vm_state "
        "{vm_state} and task_state {vm_task}."),
    FAIL(FAULT_NONE, "VirtualInterfaceCreateException", "Virtual Interface creation failed"),
    { 0 },
};

static const struct row wait_for_boot[] = {
    OLD(20, DRIVER, "_wait_for_boot", 2544, "Instance spawned successfully."),
    ZED(20, DRIVER, "_wait_for_boot", 4373, "Instance spawned successfully."),
    { 0 },
};

static const struct row spawn[] = {
    TASK(T_SPAWN),
    RUN(create_image),
    JOIN,
    RUN(guest_xml),
    PREPARE("network-vif-plugged-{port}"),
    OLD(10, MANAGER, "prepare_for_instance_event", 509,
        "Preparing to wait for external event network-vif-plugged-{port}"),
    ZED(10, MANAGER, "prepare_for_instance_event", 509,
        "Preparing to wait for external event network-vif-plugged-{port}"),
    LOCK("{uuid}-events", MANAGER "._create_or_get_event",
         ZED_EVENTS ".prepare_for_instance_event.<locals>._create_or_get_event"),
    UNLOCK,
    RUN(plug_vif),
    FAIL(FAULT_LIBVIRT, "libvirtError",
         "internal error: process exited while connecting to monitor: Cannot set up guest memory "
         "'pc.ram': Cannot allocate memory"),
    DO(do_tap_appears),
    WORK("libvirt define", 320),
    DO(do_started),
    DO(do_paused),
    AWAIT("network-vif-plugged-{port}"),
    RUN_IF(if_timed_out, vif_timeout),
    DO(do_resumed),
    WORK("libvirt resume", 12),
    OLD(10, DRIVER, "spawn", 2536, "Instance is running"),
    ZED(10, DRIVER, "spawn", 4366, "Guest created on hypervisor"),
    FORK(wait_for_boot),
    JOIN,
    TASK_END,
    { 0 },
};

static const struct row build_failed[] = {
    OLD(40, MANAGER, "_build_resources", 2155, "Instance failed to spawn\n{traceback}"),
    ZED(40, MANAGER, "_build_resources", 2774,
        "Instance failed to spawn: {exc}: {exc_text}\n{traceback}"),
    OLD(20, MANAGER, "_build_resources", 2165, "Terminating instance"),
    RUN(unplug_vif),
    HTTP(SVC_NEUTRON, "DELETE", "/v2.0/ports/{port}.json", 204, neutron_port_delete, NULL),
    OLD(40, MANAGER, "_do_build_and_run_instance", 1952,
        "Build of instance {uuid} aborted: {exc_text}"),
    ZED(40, MANAGER, "_do_build_and_run_instance", 2392,
        "Build of instance {uuid} aborted: {exc_text}"),
    DO(task_exception),
    DO(do_unclaim),
    DO(do_power_off),
    STATE("error", NULL),
    DO(do_fail_request),
    { 0 },
};

static const struct row build_inner[] = {
    CATCH(build_failed),
    TASK(T_CREATE),
    LOCK("compute_resources", TRACKER ".instance_claim", ZED_TRACKER ".instance_claim"),
    DO(do_claim),
    RUN(claim_rows),
    UNLOCK,
    STATE("building", "networking"),
    WORK("load flavor", 90),
    LOCK("compute_resources", TRACKER ".update_usage", ZED_TRACKER ".update_usage"),
    WORK("update usage", 44),
    UNLOCK,
    FORK(allocate_network),
    TASK(T_RESOURCES),
    TASK_END,
    STATE("building", "block_device_mapping"),
    WORK("block devices", 45),
    OLD(10, "nova.block_device", "volume_in_mapping", 584, "block_device_list []"),
    STATE("building", "spawning"),
    ZED(10, MANAGER, "_build_and_run_instance", 2518,
        "Start spawning the instance on the hypervisor."),
    RUN(spawn),
    OLD(10, MANAGER, "_get_power_state", 1333, "Checking state"),
    ZED(10, MANAGER, "_get_power_state", 1674, "Checking state"),
    STATE("active", NULL),
    WORK("save instance", 60),
    TASK_END,
    ZED(20, MANAGER, "_do_build_and_run_instance", 2342,
        "Took {took_s} seconds to build instance."),
    { 0 },
};

static const struct row build[] = {
    LOCK("{uuid}", MANAGER "._locked_do_build_and_run_instance",
         ZED_MANAGER ".build_and_run_instance.<locals>._locked_do_build_and_run_instance"),
    WORK("load instance", 45),
    OLD(20, MANAGER, "_do_build_and_run_instance", 1880, "Starting instance..."),
    ZED(10, MANAGER, "_do_build_and_run_instance", 2314, "Starting instance..."),
    WORK("image metadata", 180),
    STATE(NULL, NULL),
    RUN(build_inner),
    UNLOCK,
    { 0 },
};

static const struct row conductor_failed[] = {
    ZED(40, "nova.conductor.manager", "schedule_and_build_instances", 1590,
        "Failed to schedule instances: {exc}_Remote: {exc_text}\n{traceback}"),
    LOG(30, "nova.scheduler.utils", "set_vm_state_and_notify", 127,
        "Failed to compute_task_build_instances: {exc_text}\n{traceback}"),
    LOG(30, "nova.scheduler.utils", "set_vm_state_and_notify", 140,
        "Setting instance to ERROR state."),
    DO(task_exception),
    STATE("error", NULL),
    DO(do_fail_request),
    { 0 },
};

static const struct row conductor_build[] = {
    CATCH(conductor_failed),
    TASK(T_BUILD),
    WORK("conductor load", 15),
    CALL(SVC_SCHEDULER, ON_CONTROLLER, "select_destinations", schedule),
    WORK("conductor block devices", 20),
    CAST(SVC_COMPUTE, ON_DST, "build_and_run_instance", build),
    TASK_END,
    { 0 },
};

static void do_make_vm(struct thread *t)
{
    t->req->vm->exists = true;
    t->req->vm->made_ns = t->sim->now;
}

const struct row api_boot[] = {
    RUN(api_auth),
    OLD(10, "nova.api.openstack.wsgi", "_process_stack", 789,
        "Action: 'create', calling method: <bound method ServersController.create of "
        "<nova.api.openstack.compute.servers.ServersController object at 0x7f4c{hex8}>>, body: "
        "{{\"server\": {{\"name\": \"{vm_json}\", \"imageRef\": \"{image}\", \"flavorRef\": "
        "\"{flavor}\", \"max_count\": 1, \"min_count\": 1, \"networks\": [{{\"uuid\": "
        "\"{net}\"}]}}"),
    ZED(10, "nova.api.openstack.wsgi", "_process_stack", 511,
        "Action: 'create', calling method: <function ServersController.create at 0x7f4c{hex8}>, "
        "body: {{\"server\": {{\"name\": \"{vm_json}\", \"imageRef\": \"{image}\", \"flavorRef\": "
        "\"{flavor}\", \"networks\": [{{\"uuid\": \"{net}\"}]}}"),
    WORK("api quotas", 60),
    DO(do_make_vm),
    STATE("building", "scheduling"),
    { .op = OP_CAST,
      .in = DIALECT_2016,
      .svc = SVC_CONDUCTOR,
      .where = ON_CONTROLLER,
      .text = "build_instances",
      .prog = conductor_build },
    { .op = OP_CAST,
      .in = DIALECT_ZED,
      .svc = SVC_CONDUCTOR,
      .where = ON_CONTROLLER,
      .text = "schedule_and_build_instances",
      .prog = conductor_build },
    LOG(20, "nova.osapi_compute.wsgi.server", "handle", 867,
        "{ctl_ip} \"POST /v2.1/{project_id}/servers HTTP/1.1\" status: 202 len: 744 time: "
        "{took_7}"),
    { 0 },
};

/* --- Deleting ------------------------------------------------------------ */

static const struct row wait_for_destroy[] = {
    WORK("libvirt destroy", 190),
    OLD(20, DRIVER, "_wait_for_destroy", 786, "Instance destroyed successfully."),
    ZED(20, DRIVER, "_wait_for_destroy", 1203, "Instance destroyed successfully."),
    { 0 },
};

static const struct row shutdown[] = {
    OLD(20, MANAGER, "_shutdown_instance", 2252, "Terminating instance"),
    ZED(20, MANAGER, "terminate_instance", 3155, "Terminating instance"),
    TASK(T_SHUTDOWN),
    FORK(wait_for_destroy),
    JOIN,
    DO(do_power_off),
    RUN(unplug_vif),
    CMD("mv {instances}/{uuid} {instances}/{uuid}_del", 18),
    OLD(20, DRIVER, "delete_instance_files", 7337,
        "Deleting instance files {instances}/{uuid}_del"),
    OLD(20, DRIVER, "delete_instance_files", 7353, "Deletion of {instances}/{uuid}_del complete"),
    ZED(20, DRIVER, "delete_instance_files", 11903,
        "Deleting instance files {instances}/{uuid}_del"),
    ZED(20, DRIVER, "delete_instance_files", 11917, "Deletion of {instances}/{uuid}_del complete"),
    TASK(T_DEALLOCATE),
    OLD(10, MANAGER, "_deallocate_network", 1811, "Deallocating network for instance"),
    OLD(10, "nova.network.neutronv2.api", "deallocate_for_instance", 832,
        "deallocate_for_instance()"),
    ZED(10, "nova.network.neutron", "deallocate_for_instance", 1804, "deallocate_for_instance()"),
    HTTP(SVC_NEUTRON, "GET", "/v2.0/ports.json?device_id={uuid}", 200, neutron_get, "{ports_body}"),
    HTTP(SVC_NEUTRON, "DELETE", "/v2.0/ports/{port}.json", 204, neutron_port_delete, NULL),
    OLD(10, "nova.network.base_api", "update_instance_cache_with_nw_info", 43,
        "Updating instance_info_cache with network_info: []"),
    TASK_END,
    TASK_END,
    { 0 },
};

static void do_detach_all(struct thread *t)
{
    struct sim *s = t->sim;

    for (size_t i = 0; i < s->volumes.n; i++)
        if (s->volumes.at[i]->vm == t->req->vm) {
            s->volumes.at[i]->vm = NULL;
            s->volumes.at[i]->status = "available";
        }
}

static void do_gone(struct thread *t)
{
    t->req->vm->exists = false;
}

static const struct row delete_inner[] = {
    TASK(T_DELETE),
    RUN(shutdown),
    OLD(10, MANAGER, "_cleanup_volumes", 2326, "terminating bdm {bdm}"),
    DO(do_detach_all),
    LOCK("compute_resources", TRACKER ".update_usage", ZED_TRACKER ".update_usage"),
    WORK("update usage", 48),
    DO(do_unclaim),
    UNLOCK,
    WORK("delete records", 120),
    STATE("deleted", NULL),
    DO(do_gone),
    TASK_END,
    { 0 },
};

static bool if_exists(const struct thread *t)
{
    return t->req->vm->exists && t->req->vm->host;
}

static const struct row terminate[] = {
    LOCK("{uuid}", MANAGER ".do_terminate_instance",
         ZED_MANAGER ".terminate_instance.<locals>.do_terminate_instance"),
    LOCK("{uuid}-events", MANAGER "._clear_events",
         ZED_EVENTS ".clear_events_for_instance.<locals>._clear_events"),
    UNLOCK,
    /* somebody else may have deleted it while we waited for the lock */
    RUN_IF(if_exists, delete_inner),
    UNLOCK,
    { 0 },
};

static const struct row delete_at_api[] = {
    LOG(20, "nova.compute.api", "_local_delete", 1720,
        "instance's host None is down, deleting from database"),
    STATE("deleted", NULL),
    DO(do_gone),
    { 0 },
};

static const struct row delete_at_host[] = {
    STATE(NULL, "deleting"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "terminate_instance", terminate),
    { 0 },
};

const struct row api_delete[] = {
    CATCH(api_refused),
    RUN(api_auth),
    DO(do_check),
    OLD(10, "nova.compute.api", "_delete", 1586, "Going to try to terminate instance"),
    ZED(10, "nova.compute.api", "_delete", 2461, "Going to try to terminate instance"),
    RUN_IF(if_not_hosted, delete_at_api),
    RUN_IF(if_hosted, delete_at_host),
    LOG(20, "nova.osapi_compute.wsgi.server", "handle", 867,
        "{ctl_ip} \"DELETE /v2.1/{project_id}/servers/{uuid} HTTP/1.1\" status: 204 len: 203 "
        "time: {took_7}"),
    { 0 },
};
