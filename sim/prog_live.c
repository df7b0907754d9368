/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_live.c -- live migration, with all of Nova's stages: select the
 * destination, check both ends, prepare the destination, copy (one greenlet
 * waits in libvirt, the thread polls), then finish on both ends, or roll back
 * when the copy does not converge in time. */
#include "sim/prog.h"

#define MANAGER "nova.compute.manager"
#define DRIVER "nova.virt.libvirt.driver"
#define MIGRATION "nova.virt.libvirt.migration"

enum { ROLLBACK_ROUNDS = 24 }; /* of 500 ms: then the monitor gives up */

/* --- Checks and preparation ---------------------------------------------- */

static const struct row check_source[] = {
    TASK(T_CAN_SOURCE),
    WORK("check source", 110),
    OLD(10, DRIVER, "_check_shared_storage_test_file", 5443,
        "Check if temp file {instances}/tmp{hex8} exists to indicate shared storage is being used "
        "for migration. Exists? False"),
    ZED(10, DRIVER, "_check_shared_storage_test_file", 10006,
        "Check if temp file {instances}/tmp{hex8} exists to indicate shared storage is being used "
        "for migration. Exists? False"),
    TASK_END,
    { 0 },
};

static const struct row check_dest[] = {
    TASK(T_CAN_DEST),
    WORK("check destination", 180),
    ZED(10, MANAGER, "check_can_live_migrate_destination", 8323,
        "destination check data is LibvirtLiveMigrateData(bdms=<?>,block_migration=<?>,"
        "disk_available_mb=64512)"),
    CALL(SVC_COMPUTE, ON_SRC, "check_can_live_migrate_source", check_source),
    TASK_END,
    { 0 },
};

static const struct row pre_live[] = {
    ZED(10, MANAGER, "pre_live_migration", 8451,
        "pre_live_migration data is LibvirtLiveMigrateData(bdms=<?>,block_migration=True,"
        "disk_available_mb=64512)"),
    TASK(T_LIVE_PRE),
    RUN(refresh_network),
    WORK("pre live migration", 330),
    ZED(10, DRIVER, "_pre_live_migration_plug_vifs", 10725,
        "Plugging VIFs using destination host port bindings before live migration."),
    RUN(plug_vif),
    TASK_END,
    { 0 },
};

/* --- Copying -------------------------------------------------------------- */

/* How long the copy takes: 10 GB of memory per 100 seconds, at least 3. */
static void do_copy_time(struct thread *t)
{
    struct req *root = t->req->root;

    t->number = (uint64_t)(3 * NS_PER_S) + root->vm->flavor->ram_mb * (uint64_t)(10 * MS_NS);
    if (root->fault.kind == FAULT_ROLLBACK)
        root->fault_applied = true;
}

static void do_copied(struct thread *t)
{
    t->req->root->percent = 0;
}

static bool if_rolling_back(const struct thread *t)
{
    return has_fault(t, FAULT_ROLLBACK);
}

static bool if_migrated(const struct thread *t)
{
    return !has_fault(t, FAULT_ROLLBACK);
}

static const struct row operation_failed[] = {
    LOG(40, DRIVER, "_live_migration_operation", 5799, "Live Migration failure: {exc_text}"),
    { 0 },
};

/* The greenlet that calls libvirt.  A rollback cancels the job under it. */
static const struct row operation[] = {
    CATCH(operation_failed),
    TASK(T_LIVE_OPERATION),
    DO(do_copy_time),
    ZED(10, DRIVER, "_live_migration_operation", 10213, "About to invoke the migrate API"),
    OLD(10, DRIVER, "_live_migration_operation", 5758, "About to invoke the migrate API"),
    { .op = OP_PREPARE, .when = if_rolling_back, .text = "abort-{uuid}" },
    { .op = OP_AWAIT, .when = if_rolling_back, .text = "abort-{uuid}" },
    { .op = OP_WORK, .when = if_migrated, .text = "live copy" },
    FAIL(FAULT_ROLLBACK, "libvirtError", "operation aborted: migration job: canceled by client"),
    DO(do_copied),
    DO(do_paused),
    OLD(10, DRIVER, "_live_migration_operation", 5763, "Migrate API has completed"),
    ZED(10, DRIVER, "_live_migration_operation", 10220, "Migrate API has completed"),
    TASK_END,
    { 0 },
};

static bool if_copying(const struct thread *t)
{
    const struct req *root = t->req->root;

    return root->percent > 0 &&
           (root->fault.kind != FAULT_ROLLBACK || root->round < ROLLBACK_ROUNDS);
}

static bool if_tenth(const struct thread *t)
{
    return t->req->root->round % 10 == 1;
}

/* One look at the job: how much is left?  A guest that dirties its memory
 * faster than it is copied stays near the top. */
static void do_poll(struct thread *t)
{
    struct req *root = t->req->root;
    int total = (int)(6 + root->vm->flavor->ram_mb / 50);

    if (root->percent == 0)
        return;
    root->round++;
    if (root->fault.kind == FAULT_ROLLBACK)
        root->percent = 60 + (int)rng_below(&t->sim->rng, 35);
    else
        root->percent = root->round >= total ? 1 : 100 - 99 * root->round / total;
    t->number = (uint64_t)root->round / 2;
}

static const struct row report_progress[] = {
    TASK(T_MIN_DATA),
    OLD(20, DRIVER, "_live_migration_monitor", 5994,
        "Migration running for {n} secs, memory {percent}% remaining; (bytes processed=0, "
        "remaining=0, total=0)"),
    ZED(20, DRIVER, "_live_migration_monitor", 10472,
        "Migration running for {n} secs, memory {percent}% remaining (bytes processed=0, "
        "remaining=0, total=0); disk 100% remaining (bytes processed=0, remaining=0, total=0)."),
    { .op = OP_DO, .in = DIALECT_ZED, .fn = task_migration_stats },
    TASK_END,
    { 0 },
};

static const struct row poll[] = {
    WORK("migration poll", 430),
    DO(do_poll),
    RUN_IF(if_tenth, report_progress),
    ZED(10, MIGRATION, "update_downtime", 525, "Downtime does not need to change"),
    { 0 },
};

/* --- The end on both sides ------------------------------------------------ */

static void do_arrive(struct thread *t)
{
    do_unclaim(t);
    do_claim(t); /* on this thread's host, the destination */
}

static const struct row post_dest[] = {
    OLD(20, MANAGER, "post_live_migration_at_destination", 5374,
        "Post operation of migration started"),
    TASK(T_LIVE_POST_DEST),
    ZED(20, MANAGER, "post_live_migration_at_destination", 9272,
        "Post operation of migration started"),
    RUN(refresh_network),
    RUN(guest_xml),
    WORK("post live migration at destination", 60),
    DO(do_arrive),
    DO(do_resumed),
    STATE("active", NULL),
    WORK("save instance", 40),
    TASK_END,
    { 0 },
};

static const struct row post_source[] = {
    OLD(20, DRIVER, "_live_migration_monitor", 6036, "Migration operation has completed"),
    ZED(20, DRIVER, "_live_migration_monitor", 10493, "Migration operation has completed"),
    OLD(20, MANAGER, "_post_live_migration", 5286, "_post_live_migration() is started.."),
    ZED(20, MANAGER, "_post_live_migration", 9115, "_post_live_migration() is started.."),
    TASK(T_LIVE_POST),
    WORK("post live migration", 30),
    RUN(unplug_vif),
    CALL(SVC_COMPUTE, ON_DST, "post_live_migration_at_destination", post_dest),
    TASK_END,
    OLD(20, MANAGER, "_post_live_migration", 5356,
        "Migrating instance to {dst} finished successfully."),
    ZED(20, MANAGER, "_post_live_migration", 9225,
        "Migrating instance to {dst} finished successfully."),
    { 0 },
};

static const struct row rollback_dest[] = {
    WORK("rollback at destination", 90),
    RUN(unplug_vif),
    OLD(10, DRIVER, "rollback_live_migration_at_destination", 6102,
        "Rolling back live migration at the destination"),
    { 0 },
};

static void do_rolled_back(struct thread *t)
{
    struct req *root = t->req->root;

    root->outcome = "rolled_back";
    root->error = "MigrationTimeout";
    root->error_text = "the copy did not converge in time";
}

static const struct row rollback[] = {
    OLD(30, DRIVER, "_live_migration_monitor", 5956, "Live migration not completed after {n} sec"),
    ZED(30, DRIVER, "_live_migration_monitor", 10447, "Live migration not completed after {n} sec"),
    SIGNAL("abort-{uuid}"),
    JOIN,
    OLD(30, DRIVER, "_live_migration_monitor", 6046, "Migration operation was cancelled"),
    ZED(30, DRIVER, "_live_migration_monitor", 10508, "Migration operation was cancelled"),
    TASK(T_LIVE_ROLLBACK),
    CALL(SVC_COMPUTE, ON_DST, "rollback_live_migration_at_destination", rollback_dest),
    STATE("active", NULL),
    DO(do_rolled_back),
    TASK_END,
    { 0 },
};

static const struct row monitor[] = {
    ZED(10, DRIVER, "_live_migration", 10580, "Starting monitoring of live migration"),
    TASK(T_LIVE_MONITOR),
    OLD(10, DRIVER, "_live_migration_monitor", 5921, "Operation thread is still running"),
    ZED(10, DRIVER, "_live_migration_monitor", 10381, "Operation thread is still running"),
    LOOP(if_copying, poll),
    RUN_IF(if_rolling_back, rollback),
    RUN_IF(if_migrated, post_source),
    TASK_END,
    OLD(10, DRIVER, "_live_migration", 6091, "Live migration monitoring is all done"),
    ZED(10, DRIVER, "_live_migration", 10603, "Live migration monitoring is all done"),
    { 0 },
};

static void do_copy_starts(struct thread *t)
{
    t->req->root->percent = 100;
    t->req->root->round = 0;
}

static const struct row live_migration[] = {
    TASK(T_LIVE_DO),
    CALL(SVC_COMPUTE, ON_DST, "pre_live_migration", pre_live),
    ZED(20, MANAGER, "_do_pre_live_migration_from_source", 8688,
        "Took {took_s} seconds for pre_live_migration on destination host {dst}."),
    DO(do_copy_starts),
    FORK(operation),
    RUN(monitor),
    JOIN,
    TASK_END,
    { 0 },
};

/* --- Controller ------------------------------------------------------------ */

static const struct row migrate_failed[] = {
    LOG(30, "nova.scheduler.utils", "set_vm_state_and_notify", 127,
        "Failed to compute_task_migrate_server: {exc_text}\n{traceback}"),
    STATE(NULL, NULL),
    DO(do_fail_request),
    { 0 },
};

static const struct row conductor_live[] = {
    CATCH(migrate_failed),
    TASK(T_MIGRATE_SERVER),
    CALL(SVC_SCHEDULER, ON_CONTROLLER, "select_destinations", schedule),
    CALL(SVC_COMPUTE, ON_DST, "check_can_live_migrate_destination", check_dest),
    CAST(SVC_COMPUTE, ON_SRC, "live_migration", live_migration),
    TASK_END,
    { 0 },
};

const struct row api_live_migrate[] = {
    CATCH(api_refused),
    RUN(api_auth),
    LOG(10, "nova.api.openstack.wsgi", "_process_stack", 789,
        "Action: 'action', calling method: <bound method AdminActionsController._migrate_live>, "
        "body: {{\"os-migrateLive\": {{\"disk_over_commit\": false, \"block_migration\": true, "
        "\"host\": null}}"),
    DO(do_check),
    LOG(10, "nova.compute.api", "live_migrate", 3314,
        "Going to try to live migrate instance to another host"),
    STATE(NULL, "migrating"),
    CAST(SVC_CONDUCTOR, ON_CONTROLLER, "migrate_server", conductor_live),
    LOG(20, "nova.osapi_compute.wsgi.server", "handle", 867,
        "{ctl_ip} \"POST /v2.1/{project_id}/servers/{uuid}/action HTTP/1.1\" status: 202 len: 209 "
        "time: {took_7}"),
    { 0 },
};
