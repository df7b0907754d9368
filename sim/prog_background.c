/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_background.c -- what services do when nobody asks: periodic tasks and
 * heart-beats; and the table of what users' operations call. */
#include "sim/prog.h"

#define TRACKER "nova.compute.resource_tracker"
#define ZED_TRACKER "nova.compute.resource_tracker.ResourceTracker"
#define S(seconds) ((ns_t)((seconds)*1e9))

/* clang-format off */
#define PERIODIC_TASK(name) \
    OLD(10, "oslo_service.periodic_task", "run_periodic_tasks", 213, "Running periodic task " name), \
    ZED(10, "oslo_service.periodic_task", "run_periodic_tasks", 210, "Running periodic task " name)
#define LOOPING_CALL(name, seconds) \
    LOG(5, "oslo.service.loopingcall", "trace", 93, \
        "Fixed interval looping call '" name "' sleeping for " seconds " seconds")
/* clang-format on */

static const struct row report_state_served[] = {
    WORK("report state", 9),
    { 0 },
};

static const struct row cinder_report[] = {
    LOOPING_CALL("cinder.service.Service.report_state", "9.98"),
    { 0 },
};

static const struct row dhcp_report[] = {
    CALL(SVC_NEUTRON, ON_CONTROLLER, "report_state", report_state_served),
    OLD(5, "oslo.service.loopingcall", "trace", 93,
        "Fixed interval looping call "
        "'neutron.agent.dhcp.agent.DhcpAgentWithStateReport._report_state' sleeping for 29.98 "
        "seconds"),
    { 0 },
};

static const struct row l3_report[] = {
    CALL(SVC_NEUTRON, ON_CONTROLLER, "report_state", report_state_served),
    OLD(5, "oslo.service.loopingcall", "trace", 93,
        "Fixed interval looping call "
        "'neutron.agent.l3.agent.L3NATAgentWithStateReport._report_state' sleeping for 29.99 "
        "seconds"),
    { 0 },
};

static const struct row l3_sync[] = {
    PERIODIC_TASK("L3NATAgentWithStateReport.periodic_sync_routers_task"),
    { 0 },
};

static const struct row ovs_report[] = {
    CALL(SVC_NEUTRON, ON_CONTROLLER, "report_state", report_state_served),
    { 0 },
};

static const struct row ovs_loop[] = {
    ZED(20, "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent", "rpc_loop", 2701,
        "Agent rpc_loop - iteration:{n} started"),
    ZED(20, "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent",
        "loop_count_and_wait", 2486,
        "Agent rpc_loop - iteration:{n} completed. Processed ports statistics: {{'regular': "
        "{{'added': 0, 'updated': 0, 'removed': 0}}. Elapsed:0.012"),
    { 0 },
};

static const struct row conductor_report[] = {
    OLD(5, "oslo.service.loopingcall", "trace", 93,
        "Fixed interval looping call 'nova.servicegroup.drivers.db.DbDriver._report_state' "
        "sleeping for 9.99 seconds"),
    { 0 },
};

static const struct row scheduler_periodic[] = {
    PERIODIC_TASK("SchedulerManager._run_periodic_tasks"),
    { 0 },
};

static const struct row neutron_periodic[] = {
    OLD(5, "oslo.service.loopingcall", "trace", 93,
        "Fixed interval looping call 'neutron.service.Service.periodic_tasks' sleeping for 40.00 "
        "seconds"),
    { 0 },
};

static const struct row compute_polls[] = {
    PERIODIC_TASK("ComputeManager._poll_rescued_instances"),
    PERIODIC_TASK("ComputeManager._poll_rebooting_instances"),
    PERIODIC_TASK("ComputeManager._instance_usage_audit"),
    PERIODIC_TASK("ComputeManager._poll_volume_usage"),
    PERIODIC_TASK("ComputeManager._reclaim_queued_deletes"),
    OLD(10, "nova.compute.manager", "_reclaim_queued_deletes", 6220,
        "CONF.reclaim_instance_interval <= 0, skipping..."),
    ZED(10, "nova.compute.manager", "_reclaim_queued_deletes", 10315,
        "CONF.reclaim_instance_interval <= 0, skipping..."),
    { 0 },
};

static const struct row compute_heal[] = {
    PERIODIC_TASK("ComputeManager._heal_instance_info_cache"),
    OLD(10, "nova.compute.manager", "_heal_instance_info_cache", 5548,
        "Starting heal instance info cache"),
    ZED(10, "nova.compute.manager", "_heal_instance_info_cache", 9698,
        "Starting heal instance info cache"),
    { 0 },
};

static const struct row compute_audit[] = {
    PERIODIC_TASK("ComputeManager.update_available_resource"),
    OLD(20, TRACKER, "update_available_resource", 462,
        "Auditing locally available compute resources for node {host}"),
    ZED(10, TRACKER, "update_available_resource", 881,
        "Auditing locally available compute resources for {host} (node: {host})"),
    WORK("audit", 120),
    OLD(10, TRACKER, "_report_hypervisor_resource_view", 602,
        "Hypervisor/Node resource view: name={host} free_ram={free_ram}MB free_disk={phys_disk}GB "
        "free_vcpus={total_vcpus} pci_devices=[]"),
    ZED(10, TRACKER, "_report_hypervisor_resource_view", 1049,
        "Hypervisor/Node resource view: name={host} free_ram={free_ram}MB free_disk={phys_disk}GB "
        "free_vcpus={total_vcpus} pci_devices=None"),
    LOCK("compute_resources", TRACKER "._update_available_resource",
         ZED_TRACKER "._update_available_resource"),
    WORK("update available resource", 45),
    OLD(20, TRACKER, "_report_final_resource_view", 617,
        "Total usable vcpus: {total_vcpus}, total allocated vcpus: {used_vcpus}"),
    OLD(20, TRACKER, "_report_final_resource_view", 638,
        "Final resource view: name={host} phys_ram={phys_ram}MB used_ram={used_ram}MB "
        "phys_disk={phys_disk}GB used_disk={used_disk}GB total_vcpus={total_vcpus} "
        "used_vcpus={used_vcpus} pci_stats=None"),
    ZED(10, TRACKER, "_report_final_resource_view", 1072,
        "Total usable vcpus: {total_vcpus}, total allocated vcpus: {used_vcpus}"),
    ZED(20, TRACKER, "_report_final_resource_view", 1081,
        "Final resource view: name={host} phys_ram={phys_ram}MB used_ram={used_ram}MB "
        "phys_disk={phys_disk}GB used_disk={used_disk}GB total_vcpus={total_vcpus} "
        "used_vcpus={used_vcpus} pci_stats=[]"),
    OLD(20, TRACKER, "_update_available_resource", 548,
        "Compute_service record updated for {host}:{host}"),
    ZED(10, TRACKER, "_update_available_resource", 1009,
        "Compute_service record updated for {host}:{host}"),
    UNLOCK,
    { 0 },
};

static const struct row volume_capabilities[] = {
    TASK(T_VOL_UPDATE),
    LOG(10, "cinder.scheduler.host_manager", "update_service_capabilities", 452,
        "Received volume service update from {backend}: {{u'filter_function': None, "
        "u'volume_backend_name': u'lvmdriver-1', u'free_capacity_gb': 10.01, "
        "u'allocated_capacity_gb': 0}"),
    TASK_END,
    { 0 },
};

/* clang-format off */
const struct periodic periodic_tasks[] = {
    { SVC_CONDUCTOR, 0, S(10), conductor_report },
    { SVC_SCHEDULER, 0, S(60), scheduler_periodic },
    { SVC_COMPUTE, 0, S(60), compute_audit },
    { SVC_COMPUTE, 0, S(20), compute_polls },
    { SVC_COMPUTE, 0, S(60), compute_heal },
    { SVC_NEUTRON, 0, S(40), neutron_periodic },
    { SVC_DHCP, 0, S(30), dhcp_report },
    { SVC_L3, 0, S(30), l3_report },
    { SVC_L3, 0, S(40), l3_sync },
    { SVC_OVS, 0, S(30), ovs_report },
    { SVC_OVS, DIALECT_ZED, S(4), ovs_loop },
    { SVC_CINDER_SCHED, DIALECT_2016, S(10), cinder_report },
    { SVC_CINDER_SCHED, 0, S(60), volume_capabilities },
    { SVC_CINDER_VOLUME, DIALECT_2016, S(10), cinder_report },
};
/* clang-format on */
const size_t n_periodic_tasks = ARRAY_SIZE(periodic_tasks);

const struct row lock_hog_prog[] = {
    LOCK("{exc_text}", TRACKER "._update_available_resource",
         ZED_TRACKER "._update_available_resource"),
    { .op = OP_WORK, .text = "lock hog" },
    UNLOCK,
    { 0 },
};

const struct user_call user_calls[DO_COUNT] = {
    [DO_BOOT] = { SVC_NOVA_API, api_boot },
    [DO_DELETE] = { SVC_NOVA_API, api_delete },
    [DO_STOP] = { SVC_NOVA_API, api_stop },
    [DO_START] = { SVC_NOVA_API, api_start },
    [DO_REBOOT] = { SVC_NOVA_API, api_reboot },
    [DO_PAUSE] = { SVC_NOVA_API, api_pause },
    [DO_UNPAUSE] = { SVC_NOVA_API, api_unpause },
    [DO_SUSPEND] = { SVC_NOVA_API, api_suspend },
    [DO_RESUME] = { SVC_NOVA_API, api_resume },
    [DO_RESIZE] = { SVC_NOVA_API, api_resize },
    [DO_CONFIRM_RESIZE] = { SVC_NOVA_API, api_confirm_resize },
    [DO_LIVE_MIGRATE] = { SVC_NOVA_API, api_live_migrate },
    [DO_VOLUME_CREATE] = { SVC_CINDER_API, api_volume_create },
    [DO_VOLUME_ATTACH] = { SVC_NOVA_API, api_volume_attach },
    [DO_VOLUME_DETACH] = { SVC_NOVA_API, api_volume_detach },
    [DO_VOLUME_SNAPSHOT] = { SVC_CINDER_API, api_volume_snapshot },
    [DO_VOLUME_EXTEND] = { SVC_CINDER_API, api_volume_extend },
    [DO_VOLUME_DELETE] = { SVC_CINDER_API, api_volume_delete },
    [DO_NETWORK_CREATE] = { SVC_NEUTRON, api_network_create },
    [DO_NETWORK_UPDATE] = { SVC_NEUTRON, api_network_update },
    [DO_NETWORK_DELETE] = { SVC_NEUTRON, api_network_delete },
    [DO_SUBNET_CREATE] = { SVC_NEUTRON, api_subnet_create },
    [DO_SUBNET_UPDATE] = { SVC_NEUTRON, api_subnet_update },
    [DO_SUBNET_DELETE] = { SVC_NEUTRON, api_subnet_delete },
    [DO_PORT_CREATE] = { SVC_NEUTRON, api_port_create },
    [DO_PORT_UPDATE] = { SVC_NEUTRON, api_port_update },
    [DO_PORT_DELETE] = { SVC_NEUTRON, api_port_delete },
    [DO_ROUTER_CREATE] = { SVC_NEUTRON, api_router_create },
    [DO_ROUTER_UPDATE] = { SVC_NEUTRON, api_router_update },
    [DO_ROUTER_DELETE] = { SVC_NEUTRON, api_router_delete },
};
