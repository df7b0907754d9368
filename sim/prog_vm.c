/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_vm.c -- what users do to a VM that runs: power, pause, suspend, resize.
 * Each operation is three programs: the API's (checks, sets the task state),
 * the compute node's (takes the instance's lock) and the work itself. */
#include "sim/prog.h"

#define MANAGER "nova.compute.manager"
#define DRIVER "nova.virt.libvirt.driver"
#define TRACKER "nova.compute.resource_tracker"
#define ZED_MANAGER "nova.compute.manager.ComputeManager"
#define ZED_TRACKER "nova.compute.resource_tracker.ResourceTracker"

/* clang-format off */
/* The API's answer to POST .../action. */
#define ACTION_LINE \
    LOG(20, "nova.osapi_compute.wsgi.server", "handle", 867, \
        "{ctl_ip} \"POST /v2.1/{project_id}/servers/{uuid}/action HTTP/1.1\" status: 202 len: " \
        "209 time: {took_7}")
#define ACTION_BODY(name) \
    LOG(10, "nova.api.openstack.wsgi", "_process_stack", 789, \
        "Action: 'action', calling method: <bound method ServersController.action>, body: " \
        "{{\"" name "\": null}")
#define POWER_STATE_LINE \
    OLD(10, MANAGER, "_get_power_state", 1333, "Checking state"), \
    ZED(10, MANAGER, "_get_power_state", 1674, "Checking state")
/* clang-format on */

/* An operation that libvirt refused. */
static const struct row action_failed[] = {
    LOG(40, MANAGER, "decorated_function", 6680, "Setting instance vm_state to ERROR\n{traceback}"),
    DO(task_exception),
    STATE("error", NULL),
    DO(do_fail_request),
    { 0 },
};

/* --- stop, start --------------------------------------------------------- */

static const struct row stop_inner[] = {
    POWER_STATE_LINE,
    OLD(10, MANAGER, "do_stop_instance", 2389,
        "Stopping instance; current vm_state: {vm_state}, current task_state: {vm_task}, current "
        "DB power_state: 1, current VM power_state: 1"),
    ZED(10, MANAGER, "do_stop_instance", 3248,
        "Stopping instance; current vm_state: {vm_state}, current task_state: {vm_task}, current "
        "DB power_state: 1, current VM power_state: 1"),
    TASK(T_POWER_OFF),
    OLD(10, DRIVER, "_clean_shutdown", 2372, "Shutting down instance from state 1"),
    ZED(10, DRIVER, "_clean_shutdown", 3927, "Shutting down instance from state 1"),
    WORK("guest shutdown", 1800),
    OLD(20, DRIVER, "_clean_shutdown", 2410, "Instance shutdown successfully after 2 seconds."),
    ZED(20, DRIVER, "_clean_shutdown", 3965, "Instance shutdown successfully after 2 seconds."),
    DO(do_stopped),
    STATE("stopped", NULL),
    WORK("save instance", 40),
    TASK_END,
    { 0 },
};

static const struct row stop[] = {
    LOCK("{uuid}", MANAGER ".do_stop_instance",
         ZED_MANAGER ".stop_instance.<locals>.do_stop_instance"),
    RUN(stop_inner),
    UNLOCK,
    { 0 },
};

const struct row api_stop[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("os-stop"),
    DO(do_check),
    LOG(10, "nova.compute.api", "force_stop", 1966, "Going to try to stop instance"),
    STATE(NULL, "powering-off"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "stop_instance", stop),
    ACTION_LINE,
    { 0 },
};

static const struct row start_inner[] = {
    CATCH(action_failed),
    TASK(T_POWER_ON),
    RUN(refresh_network),
    RUN(guest_xml),
    FAIL(FAULT_LIBVIRT, "libvirtError",
         "Cannot access storage file '/opt/stack/data/instances/_base/a19cac03920cd5': No such "
         "file or directory"),
    RUN(plug_vif),
    WORK("libvirt create", 500),
    DO(do_resumed),
    OLD(20, DRIVER, "_hard_reboot", 2259, "Instance rebooted successfully."),
    POWER_STATE_LINE,
    STATE("active", NULL),
    WORK("save instance", 40),
    TASK_END,
    { 0 },
};

static const struct row start[] = {
    RUN(start_inner),
    { 0 },
};

const struct row api_start[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("os-start"),
    DO(do_check),
    LOG(10, "nova.compute.api", "start", 2004, "Going to try to start instance"),
    STATE(NULL, "powering-on"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "start_instance", start),
    ACTION_LINE,
    { 0 },
};

/* --- reboot -------------------------------------------------------------- */

static const struct row reboot_inner[] = {
    CATCH(action_failed),
    OLD(20, MANAGER, "_reboot_instance", 3065, "Rebooting instance"),
    ZED(20, MANAGER, "_reboot_instance", 4083, "Rebooting instance"),
    RUN(refresh_network),
    TASK(T_REBOOT),
    POWER_STATE_LINE,
    STATE(NULL, "reboot_started"),
    FAIL(FAULT_LIBVIRT, "libvirtError", "Requested operation is not valid: domain is not running"),
    WORK("guest reboot", 1400),
    DO(do_resumed),
    OLD(20, DRIVER, "_soft_reboot", 2182, "Instance shutdown successfully."),
    ZED(20, DRIVER, "_soft_reboot", 3811, "Instance shutdown successfully."),
    STATE("active", NULL),
    WORK("save instance", 40),
    TASK_END,
    { 0 },
};

static const struct row reboot[] = {
    LOCK("{uuid}", MANAGER ".do_reboot_instance",
         ZED_MANAGER ".reboot_instance.<locals>.do_reboot_instance"),
    RUN(reboot_inner),
    UNLOCK,
    { 0 },
};

const struct row api_reboot[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("reboot"),
    DO(do_check),
    STATE(NULL, "rebooting"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "reboot_instance", reboot),
    ACTION_LINE,
    { 0 },
};

/* --- pause, unpause, suspend, resume ------------------------------------- */

static const struct row pause[] = {
    OLD(20, MANAGER, "pause_instance", 4221, "Pausing"),
    ZED(20, MANAGER, "pause_instance", 6443, "Pausing"),
    TASK(T_PAUSE),
    WORK("libvirt suspend", 60),
    DO(do_paused),
    POWER_STATE_LINE,
    STATE("paused", NULL),
    WORK("save instance", 30),
    TASK_END,
    { 0 },
};

const struct row api_pause[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("pause"),
    DO(do_check),
    STATE(NULL, "pausing"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "pause_instance", pause),
    ACTION_LINE,
    { 0 },
};

static const struct row unpause[] = {
    OLD(20, MANAGER, "unpause_instance", 4241, "Unpausing"),
    ZED(20, MANAGER, "unpause_instance", 6465, "Unpausing"),
    TASK(T_UNPAUSE),
    WORK("libvirt resume", 45),
    DO(do_resumed),
    POWER_STATE_LINE,
    STATE("active", NULL),
    WORK("save instance", 30),
    TASK_END,
    { 0 },
};

const struct row api_unpause[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("unpause"),
    DO(do_check),
    STATE(NULL, "unpausing"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "unpause_instance", unpause),
    ACTION_LINE,
    { 0 },
};

static const struct row suspend[] = {
    TASK(T_SUSPEND),          WORK("libvirt save", 900), DO(do_suspended), POWER_STATE_LINE,
    STATE("suspended", NULL), WORK("save instance", 30), TASK_END,         { 0 },
};

const struct row api_suspend[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("suspend"),
    DO(do_check),
    STATE(NULL, "suspending"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "suspend_instance", suspend),
    ACTION_LINE,
    { 0 },
};

static const struct row resume[] = {
    CATCH(action_failed),
    OLD(20, MANAGER, "resume_instance", 4312, "Resuming"),
    ZED(20, MANAGER, "resume_instance", 6611, "Resuming"),
    TASK(T_RESUME),
    RUN(refresh_network),
    RUN(guest_xml),
    FAIL(FAULT_LIBVIRT, "libvirtError",
         "internal error: unable to execute QEMU command 'cont': Resetting the Virtual Machine is "
         "required"),
    RUN(plug_vif),
    WORK("libvirt restore", 700),
    DO(do_resumed),
    STATE("active", NULL),
    WORK("save instance", 30),
    TASK_END,
    { 0 },
};

const struct row api_resume[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("resume"),
    DO(do_check),
    STATE(NULL, "resuming"),
    CAST(SVC_COMPUTE, ON_VM_HOST, "resume_instance", resume),
    ACTION_LINE,
    { 0 },
};

/* --- resize -------------------------------------------------------------- */

static void do_move(struct thread *t)
{
    struct req *r = t->req->root;
    struct vm *vm = r->vm;
    const struct sc_flavor *bigger = r->flavor ? r->flavor : vm->flavor;

    do_unclaim(t);
    vm->old_host = r->src;
    vm->flavor = bigger;
    do_claim(t);
}

static const struct row finish_resize[] = {
    TASK(T_RESIZE_FINISH),
    DO(do_move),
    STATE("active", "resize_finish"),
    RUN(refresh_network),
    CMD("qemu-img resize {instances}/{uuid}/disk {disk}G", 40),
    RUN(guest_xml),
    RUN(plug_vif),
    WORK("libvirt create", 520),
    DO(do_resumed),
    STATE("resized", NULL),
    WORK("save instance", 50),
    TASK_END,
    { 0 },
};

static const struct row resize_source[] = {
    TASK(T_RESIZE),
    STATE(NULL, "resize_migrating"),
    RUN(refresh_network),
    OLD(10, DRIVER, "migrate_disk_and_power_off", 7039, "Starting migrate_disk_and_power_off"),
    WORK("guest shutdown", 1300),
    RUN(unplug_vif),
    CMD("mv {instances}/{uuid} {instances}/{uuid}_resize", 16),
    CMD("rsync --sparse --compress {instances}/{uuid}_resize/disk {dst}:{instances}/{uuid}/disk",
        900),
    STATE(NULL, "resize_migrated"),
    CAST(SVC_COMPUTE, ON_DST, "finish_resize", finish_resize),
    TASK_END,
    { 0 },
};

static const struct row prep_resize[] = {
    TASK(T_RESIZE_PREP),
    LOCK("compute_resources", TRACKER ".resize_claim", ZED_TRACKER ".resize_claim"),
    RUN(claim_rows),
    UNLOCK,
    OLD(20, MANAGER, "_prep_resize", 3760, "Migrating"),
    ZED(20, MANAGER, "_prep_resize", 5450, "Migrating"),
    CAST(SVC_COMPUTE, ON_SRC, "resize_instance", resize_source),
    TASK_END,
    { 0 },
};

static const struct row resize_failed[] = {
    LOG(30, "nova.scheduler.utils", "set_vm_state_and_notify", 127,
        "Failed to compute_task_migrate_server: {exc_text}\n{traceback}"),
    LOG(30, "nova.scheduler.utils", "set_vm_state_and_notify", 140,
        "Setting instance to {vm_state} state."),
    STATE(NULL, NULL),
    DO(do_fail_request),
    { 0 },
};

static const struct row conductor_resize[] = {
    CATCH(resize_failed),
    CALL(SVC_SCHEDULER, ON_CONTROLLER, "select_destinations", schedule),
    CAST(SVC_COMPUTE, ON_DST, "prep_resize", prep_resize),
    { 0 },
};

const struct row api_resize[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("resize"),
    DO(do_check),
    STATE(NULL, "resize_prep"),
    CAST(SVC_CONDUCTOR, ON_CONTROLLER, "migrate_server", conductor_resize),
    ACTION_LINE,
    { 0 },
};

static const struct row confirm_inner[] = {
    OLD(10, MANAGER, "do_confirm_resize", 3541, "Going to confirm migration"),
    ZED(10, MANAGER, "do_confirm_resize", 4575, "Going to confirm migration"),
    TASK(T_RESIZE_CONFIRM),
    CMD("rm -rf {instances}/{uuid}_resize", 22),
    RUN(refresh_network),
    LOCK("compute_resources", TRACKER ".drop_move_claim", ZED_TRACKER ".drop_move_claim_at_source"),
    WORK("drop claim", 90),
    UNLOCK,
    STATE("active", NULL),
    WORK("save instance", 40),
    TASK_END,
    { 0 },
};

static const struct row confirm_resize[] = {
    LOCK("{uuid}", MANAGER ".do_confirm_resize",
         ZED_MANAGER ".confirm_resize.<locals>.do_confirm_resize"),
    RUN(confirm_inner),
    UNLOCK,
    { 0 },
};

const struct row api_confirm_resize[] = {
    CATCH(api_refused),
    RUN(api_auth),
    ACTION_BODY("confirmResize"),
    DO(do_check),
    CAST(SVC_COMPUTE, ON_SRC, "confirm_resize", confirm_resize),
    ACTION_LINE,
    { 0 },
};
