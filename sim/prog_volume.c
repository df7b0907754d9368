/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_volume.c -- volumes: Cinder's API, its scheduler with its task flows,
 * the volume service, and nova-compute for what touches a VM. */
#include "sim/prog.h"

#define MANAGER "nova.compute.manager"
#define SCHED "cinder.scheduler.manager"
#define VOLUME "cinder.volume.manager"
#define ZED_MANAGER "nova.compute.manager.ComputeManager"

/* clang-format off */
#define FLOW(state, from) \
    LOG(10, SCHED, "_flow_receiver", 140, "Flow 'volume_create_scheduler' ({vol}) transitioned " \
        "into state '" state "' from state '" from "'")
#define FLOW_TASK(name, state, from) \
    LOG(10, SCHED, "_task_receiver", 189, "Task 'cinder.scheduler.flows.create_volume." name \
        ";volume:create' ({vol}) transitioned into state '" state "' from state '" from "'")
#define API_LINE(verb, path, code) \
    LOG(20, "eventlet.wsgi.server", "handle_one_response", 661, \
        "{ctl_ip} \"" verb " /v2/{project_id}" path " HTTP/1.1\" status: " code "  len: 712 time: " \
        "{took_7}")
/* clang-format on */

static void set_status(struct thread *t, const char *status)
{
    t->req->vol->status = status;
}

static void do_creating(struct thread *t)
{
    set_status(t, "creating");
}

static void do_available(struct thread *t)
{
    set_status(t, "available");
}

static void do_reserved(struct thread *t)
{
    set_status(t, "reserved");
}

static void do_attached(struct thread *t)
{
    set_status(t, "in-use");
    t->req->vol->vm = t->req->vm;
}

static void do_detaching(struct thread *t)
{
    set_status(t, "detaching");
}

static void do_detached(struct thread *t)
{
    set_status(t, "available");
    t->req->vol->vm = NULL;
}

static void do_extending(struct thread *t)
{
    set_status(t, "extending");
}

static void do_extended(struct thread *t)
{
    t->req->vol->size_gb = t->req->root->op->size_gb;
    set_status(t, "available");
}

static void do_deleting(struct thread *t)
{
    set_status(t, "deleting");
}

static void do_deleted(struct thread *t)
{
    set_status(t, "deleted");
}

/* --- create --------------------------------------------------------------- */

static const struct row volume_create[] = {
    TASK(T_VOL_CREATE),
    OLD(20, "cinder.volume.flows.manager.create_volume", "execute", 668,
        "Volume {vol}: being created as raw with specification: {{'status': u'creating', "
        "'volume_size': {vol_gb}, 'volume_name': u'volume-{vol}'}"),
    ZED(20, "cinder.volume.flows.manager.create_volume", "execute", 1119,
        "Volume {vol}: being created as raw with specification: {{'status': 'creating', "
        "'volume_size': {vol_gb}, 'volume_name': 'volume-{vol}'}"),
    CMD("sudo cinder-rootwrap /etc/cinder/rootwrap.conf env LC_ALL=C lvcreate -n volume-{vol} "
        "stack-volumes-lvmdriver-1 -L {vol_gb}g",
        190),
    DO(do_available),
    LOG(20, VOLUME, "create_volume", 583, "Created volume successfully."),
    TASK_END,
    { 0 },
};

static const struct row volume_schedule[] = {
    TASK(T_VOL_SCHEDULE),
    FLOW("RUNNING", "PENDING"),
    FLOW_TASK("ExtractSchedulerSpecTask", "RUNNING", "PENDING"),
    FLOW_TASK("ExtractSchedulerSpecTask", "SUCCESS", "RUNNING"),
    FLOW_TASK("ScheduleCreateVolumeTask", "RUNNING", "PENDING"),
    LOG(10, "cinder.openstack.common.scheduler.base_filter", "get_filtered_objects", 61,
        "Starting with 1 host(s)"),
    LOG(10, "cinder.openstack.common.scheduler.base_filter", "get_filtered_objects", 94,
        "Filter AvailabilityZoneFilter returned 1 host(s)"),
    LOG(10, "cinder.scheduler.filters.capacity_filter", "host_passes", 122,
        "Space information for volume creation on host {backend} (requested / avail): "
        "{vol_gb}/9.01"),
    LOG(10, "cinder.openstack.common.scheduler.base_filter", "get_filtered_objects", 94,
        "Filter CapacityFilter returned 1 host(s)"),
    LOG(10, "cinder.scheduler.filter_scheduler", "_get_weighted_candidates", 310,
        "Filtered [host '{backend}': free_capacity_gb: 9.01, pools: None]"),
    LOG(10, "cinder.scheduler.filter_scheduler", "_choose_top_host", 422, "Choosing {backend}"),
    WORK("volume schedule", 38),
    CAST(SVC_CINDER_VOLUME, ON_STORAGE, "create_volume", volume_create),
    FLOW_TASK("ScheduleCreateVolumeTask", "SUCCESS", "RUNNING"),
    FLOW("SUCCESS", "RUNNING"),
    TASK_END,
    { 0 },
};

const struct row api_volume_create[] = {
    RUN(api_auth),
    DO(do_creating),
    LOG(20, "cinder.api.v2.volumes", "create", 379, "Create volume of {vol_gb} GB"),
    WORK("volume quotas", 50),
    CAST(SVC_CINDER_SCHED, ON_CONTROLLER, "create_volume", volume_schedule),
    API_LINE("POST", "/volumes", "202"),
    { 0 },
};

/* --- attach, detach -------------------------------------------------------- */

static const struct row cinder_initialize[] = {
    WORK("initialize connection", 140),
    { 0 },
};

static const struct row volume_attach[] = {
    TASK(T_VOL_ATTACH),
    WORK("export volume", 120),
    DO(do_attached),
    LOG(20, VOLUME, "attach_volume", 944, "Attach volume completed successfully."),
    TASK_END,
    { 0 },
};

static const struct row cinder_attach[] = {
    CALL(SVC_CINDER_VOLUME, ON_STORAGE, "attach_volume", volume_attach),
    { 0 },
};

static const struct row compute_attach_in[] = {
    OLD(20, MANAGER, "_attach_volume", 4725, "Attaching volume {vol} to /dev/vdb"),
    ZED(20, MANAGER, "_attach_volume", 7306, "Attaching volume {vol} to /dev/vdb"),
    TASK(T_VOLUME_ATTACH_VM),
    HTTP(SVC_CINDER_API, "POST", "/v2/{project_id}/volumes/{vol}/action", 200, cinder_initialize,
         "{{\"connection_info\": {{\"driver_volume_type\": \"iscsi\", \"data\": "
         "{{\"target_iqn\": \"iqn.2010-10.org.openstack:volume-{vol}\", \"target_lun\": 1}}}"),
    CMD("sudo nova-rootwrap /etc/nova/rootwrap.conf iscsiadm -m node -T "
        "iqn.2010-10.org.openstack:volume-{vol} -p {ctl_ip}:3260 --login",
        230),
    WORK("libvirt attach device", 180),
    HTTP(SVC_CINDER_API, "POST", "/v2/{project_id}/volumes/{vol}/action?os-attach", 202,
         cinder_attach, NULL),
    TASK_END,
    { 0 },
};

static const struct row compute_attach[] = {
    LOCK("{uuid}", MANAGER ".do_attach_volume",
         ZED_MANAGER ".attach_volume.<locals>.do_attach_volume"),
    RUN(compute_attach_in),
    UNLOCK,
    { 0 },
};

const struct row api_volume_attach[] = {
    CATCH(api_refused),
    RUN(api_auth),
    DO(do_check),
    DO(do_reserved),
    LOG(20, "nova.api.openstack.compute.volumes", "create", 337,
        "Attach volume {vol} to instance {uuid} at None"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "attach_volume", compute_attach),
    LOG(20, "nova.osapi_compute.wsgi.server", "handle", 867,
        "{ctl_ip} \"POST /v2.1/{project_id}/servers/{uuid}/os-volume_attachments HTTP/1.1\" "
        "status: 200 len: 442 time: {took_7}"),
    { 0 },
};

static const struct row volume_detach[] = {
    TASK(T_VOL_DETACH),
    WORK("remove export", 110),
    DO(do_detached),
    LOG(20, VOLUME, "detach_volume", 1045, "Detach volume completed successfully."),
    TASK_END,
    { 0 },
};

static const struct row cinder_detach[] = {
    CALL(SVC_CINDER_VOLUME, ON_STORAGE, "detach_volume", volume_detach),
    { 0 },
};

static const struct row compute_detach_in[] = {
    OLD(20, MANAGER, "_driver_detach_volume", 4785, "Detach volume {vol} from mountpoint /dev/vdb"),
    ZED(20, "nova.virt.block_device", "driver_detach", 391,
        "Attempting to driver detach volume {vol} from mountpoint /dev/vdb"),
    TASK(T_VOLUME_DETACH_VM),
    WORK("libvirt detach device", 260),
    CMD("sudo nova-rootwrap /etc/nova/rootwrap.conf iscsiadm -m node -T "
        "iqn.2010-10.org.openstack:volume-{vol} -p {ctl_ip}:3260 --logout",
        120),
    HTTP(SVC_CINDER_API, "POST", "/v2/{project_id}/volumes/{vol}/action?os-detach", 202,
         cinder_detach, NULL),
    TASK_END,
    { 0 },
};

static const struct row compute_detach[] = {
    LOCK("{uuid}", MANAGER ".do_detach_volume",
         ZED_MANAGER ".detach_volume.<locals>.do_detach_volume"),
    RUN(compute_detach_in),
    UNLOCK,
    { 0 },
};

const struct row api_volume_detach[] = {
    CATCH(api_refused),
    RUN(api_auth),
    DO(do_check),
    DO(do_detaching),
    LOG(20, "nova.api.openstack.compute.volumes", "delete", 424, "Detach volume {vol}"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "detach_volume", compute_detach),
    LOG(20, "nova.osapi_compute.wsgi.server", "handle", 867,
        "{ctl_ip} \"DELETE "
        "/v2.1/{project_id}/servers/{uuid}/os-volume_attachments/{vol} HTTP/1.1\" status: 202 "
        "len: 211 time: {took_7}"),
    { 0 },
};

/* --- snapshot, extend, delete ---------------------------------------------- */

static const struct row snapshot_create[] = {
    TASK(T_SNAP_CREATE),
    CMD("sudo cinder-rootwrap /etc/cinder/rootwrap.conf env LC_ALL=C lvcreate --name "
        "_snapshot-{snap} --snapshot stack-volumes-lvmdriver-1/volume-{vol} -L {vol_gb}.00g",
        240),
    LOG(20, VOLUME, "create_snapshot", 762, "Create snapshot completed successfully"),
    TASK_END,
    { 0 },
};

const struct row api_volume_snapshot[] = {
    CATCH(api_refused),
    RUN(api_auth),
    DO(do_check),
    LOG(20, "cinder.api.v2.snapshots", "create", 158, "Create snapshot from volume {vol}"),
    CAST(SVC_CINDER_VOLUME, ON_STORAGE, "create_snapshot", snapshot_create),
    API_LINE("POST", "/snapshots", "202"),
    { 0 },
};

static const struct row volume_extend[] = {
    TASK(T_VOL_EXTEND),
    CMD("sudo cinder-rootwrap /etc/cinder/rootwrap.conf env LC_ALL=C lvextend -L {vol_gb}g "
        "stack-volumes-lvmdriver-1/volume-{vol}",
        160),
    DO(do_extended),
    LOG(20, VOLUME, "extend_volume", 1972, "Extend volume completed successfully."),
    TASK_END,
    { 0 },
};

const struct row api_volume_extend[] = {
    CATCH(api_refused),
    RUN(api_auth),
    DO(do_check),
    DO(do_extending),
    CAST(SVC_CINDER_VOLUME, ON_STORAGE, "extend_volume", volume_extend),
    API_LINE("POST", "/volumes/{vol}/action", "202"),
    { 0 },
};

static const struct row volume_delete[] = {
    TASK(T_VOL_DELETE),
    CMD("sudo cinder-rootwrap /etc/cinder/rootwrap.conf dd if=/dev/zero "
        "of=/dev/mapper/stack--volumes--lvmdriver--1-volume--{vol} count={vol_gb}k bs=1M "
        "conv=fdatasync",
        1500),
    CMD("sudo cinder-rootwrap /etc/cinder/rootwrap.conf lvremove -f "
        "stack-volumes-lvmdriver-1/volume-{vol}",
        170),
    DO(do_deleted),
    LOG(20, VOLUME, "delete_volume", 678, "Deleted volume successfully."),
    TASK_END,
    { 0 },
};

const struct row api_volume_delete[] = {
    CATCH(api_refused),
    RUN(api_auth),
    DO(do_check),
    DO(do_deleting),
    LOG(20, "cinder.api.v2.volumes", "delete", 179, "Delete volume with id: {vol}"),
    CAST(SVC_CINDER_VOLUME, ON_STORAGE, "delete_volume", volume_delete),
    API_LINE("DELETE", "/volumes/{vol}", "202"),
    { 0 },
};
