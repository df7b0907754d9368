/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_vm.c -- steps in the life of a virtual machine or volume.
 *
 * Short lines of nova.compute.manager, nova.compute.api, nova.virt.libvirt and
 * cinder.volume that say what is being done now, how long it took, and how far
 * a live migration is.  A step is a row: the words of the line and the name
 * that the rest of the program knows it by. */
#include "model/oslog_priv.h"

static const struct {
    const char *line, *step; /* the line starts so; the name of the step */
    enum log_fact_kind kind;
} steps[] = {
    { "Starting instance...", "building", FACT_VM_STEP },
    { "Allocating IP information", "allocating-network", FACT_VM_STEP },
    { "Creating image", "creating-image", FACT_VM_STEP },
    { "Start spawning the instance", "spawning", FACT_VM_STEP },
    { "Guest created on hypervisor", "guest-created", FACT_VM_STEP },
    { "Instance is running", "running", FACT_VM_STEP },
    { "Instance spawned successfully", "spawned", FACT_VM_STEP },
    { "Terminating instance", "terminating", FACT_VM_STEP },
    { "Start destroying the instance", "destroying", FACT_VM_STEP },
    { "Instance destroyed successfully", "destroyed", FACT_VM_STEP },
    { "Deallocating network for instance", "deallocating-network", FACT_VM_STEP },
    { "Deleting instance files ", "deleting-files", FACT_VM_STEP },
    { "Shutting down instance from state", "shutting-down", FACT_VM_STEP },
    { "Instance failed to shutdown in ", "shutdown-timeout", FACT_VM_STEP },
    { "Instance shutdown successfully after ", "shut-down", FACT_VM_STEP },
    { "Rebooting instance", "rebooting", FACT_VM_STEP },
    { "Instance rebooted successfully", "rebooted", FACT_VM_STEP },
    { "Pausing", "pausing", FACT_VM_STEP },
    { "Unpausing", "unpausing", FACT_VM_STEP },
    { "Instance suspended successfully", "suspended", FACT_VM_STEP },
    { "Resuming", "resuming", FACT_VM_STEP },
    { "Rescuing", "rescuing", FACT_VM_STEP },
    { "Migrating", "resizing", FACT_VM_STEP }, /* "Migrating instance to" is a live one */
    { "Setting instance to ERROR state", "error", FACT_VM_STEP },
    { "Setting instance vm_state to ERROR", "error", FACT_VM_STEP },
    { "Build of instance ", "build-failed", FACT_VM_STEP },
    { "Instance failed to spawn", "spawn-failed", FACT_VM_STEP },
    { "Attaching volume ", "attaching-volume", FACT_VM_STEP },
    { "Detaching volume ", "detaching-volume", FACT_VM_STEP },
    { "Detach volume ", "detaching-volume", FACT_VM_STEP },
    { "Attempting to driver detach volume ", "detaching-volume", FACT_VM_STEP },
    { "Guest refused to detach volume ", "detach-refused", FACT_VM_STEP },
    { "Going to try to terminate", "terminate-requested", FACT_VM_STEP },
    { "Going to try to stop", "stop-requested", FACT_VM_STEP },
    { "Going to try to start", "start-requested", FACT_VM_STEP },
    { "Going to run ", "build-requested", FACT_VM_STEP },

    { "Create volume of ", "create-requested", FACT_VOLUME_STEP },
    { "Created volume successfully", "created", FACT_VOLUME_STEP },
    { "Delete volume with id: ", "delete-requested", FACT_VOLUME_STEP },
    { "Deleted volume successfully", "deleted", FACT_VOLUME_STEP },
    { "Delete volume request issued", "delete-issued", FACT_VOLUME_STEP },
    { "Extend volume completed", "extended", FACT_VOLUME_STEP },
    { "Extend volume request issued", "extend-issued", FACT_VOLUME_STEP },
    { "Create snapshot from volume ", "snapshot-requested", FACT_VOLUME_STEP },
    { "Create snapshot completed", "snapshot-created", FACT_VOLUME_STEP },
    { "Delete snapshot completed", "snapshot-deleted", FACT_VOLUME_STEP },
    { "Begin detaching volume completed", "detaching", FACT_VOLUME_STEP },
    { "Roll detaching of volume", "detach-rolled-back", FACT_VOLUME_STEP },
    { "attachment_update completed", "attachment-updated", FACT_VOLUME_STEP },
    { "Attach volume completed", "attached", FACT_VOLUME_STEP },
    { "Detach volume completed", "detached", FACT_VOLUME_STEP },
    { "Migrate volume completed", "migrated", FACT_VOLUME_STEP },
    { "Terminate volume connection completed", "disconnected", FACT_VOLUME_STEP },
};

static struct log_fact *add_step(struct oslog *o, enum log_fact_kind kind, const char *step)
{
    struct log_fact *f = oslog_add(o, kind);

    if (f)
        f->step = (struct fact_step){ .step = step, .ns = OSLOG_NO_NS };
    return f;
}

/* A uuid, a device and a duration behind the words of a step. */
static void step_details(struct fact_step *t, struct str s)
{
    struct str ignored, r = s;

    if (take_uuid(&r, &t->volume)) {
        if (take(&r, " to ") || take(&r, " from mountpoint ") || take_to(&r, " at ", &ignored))
            take_word(&r, &t->device);
        if (t->device.n && t->device.p[0] != '/')
            t->device = STR("");
    } else if (take_seconds(&r, &t->ns) && !str_starts(r, STR(" second"))) {
        t->ns = OSLOG_NO_NS;
    }
}

/* Any of the steps above. */
static bool step(struct oslog *o, struct str s, int arg)
{
    bool nova = str_starts(o->logger, STR("nova.")) || !o->logger.n;
    bool cinder = str_starts(o->logger, STR("cinder.")) || !o->logger.n;

    (void)arg, (void)s;
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct str line = str_of(steps[i].line);

        if (o->line.p[0] != line.p[0] || !str_starts(o->line, line))
            continue;
        if (steps[i].kind == FACT_VM_STEP ? !nova : !cinder)
            continue;
        if (strcmp(steps[i].step, "resizing") == 0 && o->line.n != line.n)
            continue;
        struct log_fact *f = add_step(o, steps[i].kind, steps[i].step);
        if (f)
            step_details(&f->step, str_from(o->line, line.n));
        return true;
    }
    return false;
}

/* Volume X: being created as raw with ..; Volume volume-X (X): created
 * successfully (cinder.volume.flows.manager) */
static bool volume_line(struct oslog *o, struct str s, int arg)
{
    struct str ignored, uuid, r = s;

    (void)arg;
    if (!take_uuid(&r, &uuid)) {
        r = s;
        if (!take_to(&r, "(", &ignored) || !take_uuid(&r, &uuid) || !take(&r, ")"))
            return false;
    }
    const char *name = take(&r, ": being created as ")       ? "creating"
                       : take(&r, ": created successfully")  ? "created"
                       : take(&r, ": attached successfully") ? "attached"
                       : take(&r, ": detached successfully") ? "detached"
                       : take(&r, ": deleted successfully")  ? "deleted"
                                                             : NULL;
    if (!name)
        return false;
    struct log_fact *f = add_step(o, FACT_VOLUME_STEP, name);
    if (f)
        f->step.volume = uuid;
    return true;
}

/* Took 5.81 seconds to spawn the instance on the hypervisor. */
static bool took(struct oslog *o, struct str s, int arg)
{
    ns_t ns;
    struct str ignored;

    (void)arg;
    if (!take_seconds(&s, &ns) || !take(&s, " seconds "))
        return false;
    if (!take(&s, "to "))
        take(&s, "for ");
    size_t end = str_find(s, STR(". "), 0);
    if (end != STR_NONE)
        s = str_first(s, end);
    if (str_ends(s, STR(".")))
        s.n--;
    struct log_fact *f = add_step(o, FACT_TOOK, "");
    if (!f)
        return true;
    f->step.ns = ns;
    f->step.what = s;
    if (take_to(&s, "destination host ", &ignored))
        take_word(&s, &f->step.host);
    return true;
}

/* Request filter 'accelerators_filter' took 0.0 seconds */
static bool filter_took(struct oslog *o, struct str s, int arg)
{
    struct str name;
    ns_t ns;

    (void)arg;
    if (!take_to(&s, "' took ", &name) || !take_seconds(&s, &ns))
        return false;
    struct log_fact *f = add_step(o, FACT_TOOK, "");
    if (f) {
        f->step.ns = ns;
        f->step.what = name;
    }
    return true;
}

/* <== get_connector_properties: return (2360ms) {..}  (tracing of os-brick and
 * Cinder) */
static bool trace_took(struct oslog *o, struct str s, int arg)
{
    struct str name;
    int64_t ms;

    (void)arg;
    if (!take_to(&s, ": ", &name) || !(take(&s, "return (") || take(&s, "exception (")) ||
        !take_i64(&s, &ms) || !take(&s, "ms)") || ms < 0 || ms > INT64_MAX / 1000000)
        return false;
    struct log_fact *f = add_step(o, FACT_TOOK, "");
    if (f) {
        f->step.ns = ms * 1000000;
        f->step.what = name;
    }
    return true;
}

static struct fact_migration *add_migration(struct oslog *o, enum migration_stage stage)
{
    struct log_fact *f = oslog_add(o, FACT_MIGRATION);
    int64_t no = OSLOG_NO_I64;

    if (!f)
        return NULL;
    f->migration = (struct fact_migration){
        .stage = stage,
        .elapsed_s = no,
        .memory_pct = no,
        .memory_done_bytes = no,
        .memory_left_bytes = no,
        .memory_total_bytes = no,
        .disk_pct = no,
        .disk_done_bytes = no,
        .disk_left_bytes = no,
        .disk_total_bytes = no,
        .downtime_ms = no,
    };
    return &f->migration;
}

/* "80% remaining (bytes processed=1, remaining=2, total=3)" */
static void remaining(struct str s, int64_t *pct, int64_t *done, int64_t *left, int64_t *total)
{
    if (!take_i64(&s, pct) || !take(&s, "% remaining (bytes processed=") || !take_i64(&s, done))
        return;
    if (take(&s, ", remaining=") && take_i64(&s, left) && take(&s, ", total="))
        take_i64(&s, total);
}

/* Migration running for 5 secs, memory 80% remaining (bytes processed=..,
 * remaining=.., total=..)[; disk 0% remaining (..)]. */
static bool migration_progress(struct oslog *o, struct str s, int arg)
{
    struct str ignored, disk;
    int64_t elapsed;

    (void)arg;
    if (!take_i64(&s, &elapsed) || !take(&s, " sec") || !take_to(&s, "memory ", &ignored))
        return false;
    struct fact_migration *m = add_migration(o, MIGRATION_PROGRESS);
    if (!m)
        return true;
    m->elapsed_s = elapsed;
    remaining(s, &m->memory_pct, &m->memory_done_bytes, &m->memory_left_bytes,
              &m->memory_total_bytes);
    disk = s;
    if (take_to(&disk, "; disk ", &ignored))
        remaining(disk, &m->disk_pct, &m->disk_done_bytes, &m->disk_left_bytes,
                  &m->disk_total_bytes);
    return true;
}

/* Increasing downtime to 166 ms after 12 sec elapsed time */
static bool migration_downtime(struct oslog *o, struct str s, int arg)
{
    int64_t ms, elapsed;

    (void)arg;
    if (!take_i64(&s, &ms) || !take(&s, " ms after ") || !take_i64(&s, &elapsed))
        return false;
    struct fact_migration *m = add_migration(o, MIGRATION_DOWNTIME);
    if (m) {
        m->downtime_ms = ms;
        m->elapsed_s = elapsed;
    }
    return true;
}

/* Live migration not completed after 800 sec; Live migration stuck for 150 sec */
static bool migration_timeout(struct oslog *o, struct str s, int arg)
{
    int64_t elapsed;

    (void)arg;
    if (!take_i64(&s, &elapsed))
        return false;
    struct fact_migration *m = add_migration(o, MIGRATION_TIMEOUT);
    if (m) {
        m->elapsed_s = elapsed;
        m->reason = o->line;
    }
    return true;
}

/* A line that says the stage 'arg'; a host or reason may follow. */
static bool migration(struct oslog *o, struct str s, int arg)
{
    struct fact_migration *m = add_migration(o, (enum migration_stage)arg);
    struct str host;

    if (!m)
        return true;
    if (arg == MIGRATION_FAILED || arg == MIGRATION_ABORTED || arg == MIGRATION_ROLLBACK) {
        take(&s, ": ");
        size_t end = str_chr(s, '\n', 0); /* a traceback may follow */

        m->reason = str_trim(end == STR_NONE ? s : str_first(s, end));
        if (str_is(m->reason, "."))
            m->reason = STR("");
    } else if (take(&s, " ") && take_word(&s, &host)) {
        m->host = host;
    }
    return true;
}

/* Migrating instance to H finished successfully. */
static bool migration_finished(struct oslog *o, struct str s, int arg)
{
    struct str host;

    return take_to(&s, " finished successfully", &host) && host.n && migration(o, STR(""), arg) &&
           (o->out->at[0].migration.host = host, true);
}

/* The value of member 'key' in a repr "Name(a=1,key='text',b=None)". */
static struct str repr_member(struct str s, const char *key)
{
    struct str ignored, v;

    if (!take_to(&s, key, &ignored))
        return STR("");
    if (take(&s, "u'") || take(&s, "'"))
        return take_to(&s, "'", &v) ? v : STR("");
    if (!take_word(&s, &v) || (v.n && v.p[0] == '<'))
        return STR("");
    return unless_none(v);
}

static int64_t repr_i64(struct str s, const char *key)
{
    int64_t v;

    return str_i64(repr_member(s, key), &v) ? v : OSLOG_NO_I64;
}

/* vif_type=ovs instance=Instance(..): the one line that ties uuid, display name
 * and libvirt number of a machine that is being deleted. */
static bool instance_repr(struct oslog *o, struct str s, int arg)
{
    struct str ignored;

    (void)arg;
    if (!take_to(&s, "nstance=Instance(", &ignored))
        return false;
    struct fact_instance v = {
        .uuid = repr_member(s, ",uuid="),
        .name = repr_member(s, ",display_name="),
        .hostname = repr_member(s, ",hostname="),
        .host = repr_member(s, ",host="),
        .node = repr_member(s, ",node="),
        .project_id = repr_member(s, ",project_id="),
        .user_id = repr_member(s, ",user_id="),
        .image = repr_member(s, ",image_ref="),
        .vm_state = repr_member(s, ",vm_state="),
        .task_state = repr_member(s, ",task_state="),
        .memory_mb = repr_i64(s, ",memory_mb="),
        .vcpus = repr_i64(s, ",vcpus="),
        .number = repr_i64(s, ",id="),
    };
    if (!str_is_uuid(v.uuid))
        return false;
    struct log_fact *f = oslog_add(o, FACT_INSTANCE);
    if (f)
        f->instance = v;
    return true;
}

/* Lazy-loading `flavor' on Instance uuid X; Triggering sync for uuid X */
static bool instance_mention(struct oslog *o, struct str s, int arg)
{
    struct str uuid = oslog_line_instance(o);

    (void)arg;
    if (!uuid.n && !take_uuid(&s, &uuid))
        return false;
    struct log_fact *f = oslog_add(o, FACT_INSTANCE);
    if (f)
        f->instance = (struct fact_instance){
            .uuid = uuid, .memory_mb = OSLOG_NO_I64, .vcpus = OSLOG_NO_I64, .number = OSLOG_NO_I64
        };
    return true;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("Took "), .parse = took },
    { .starts = STR("Request filter '"), .has = STR("' took "), .parse = filter_took },
    { .starts = STR("<== "), .parse = trace_took },
    { .starts = STR("vif_type="), .parse = instance_repr },
    { .starts = STR("Lazy-loading "), .parse = instance_mention },
    { .starts = STR("Triggering sync for uuid "), .parse = instance_mention },

    { .starts = STR("Migration running for "), .parse = migration_progress },
    { .starts = STR("Increasing downtime to "), .parse = migration_downtime },
    { .starts = STR("Live migration not completed after "), .parse = migration_timeout },
    { .starts = STR("Live migration stuck for "), .parse = migration_timeout },
    { .starts = STR("Going to try to live migrate instance to"), .parse = migration, .arg = MIGRATION_REQUESTED },
    { .starts = STR("destination check data is "), .parse = migration, .arg = MIGRATION_CHECKING },
    { .starts = STR("source check data is "), .parse = migration, .arg = MIGRATION_CHECKING },
    { .starts = STR("Start binding ports on destination host:"), .parse = migration, .arg = MIGRATION_PREPARING },
    { .starts = STR("Plugging VIFs "), .has = STR("before live migration"), .parse = migration, .arg = MIGRATION_PREPARING },
    { .starts = STR("Starting monitoring of live migration"), .parse = migration, .arg = MIGRATION_MONITOR },
    { .starts = STR("About to invoke the migrate API"), .parse = migration, .arg = MIGRATION_INVOKED },
    { .starts = STR("Migrate API has completed"), .parse = migration, .arg = MIGRATION_API_DONE },
    { .starts = STR("Migration operation has completed"), .parse = migration, .arg = MIGRATION_COMPLETED },
    { .starts = STR("Migration operation has aborted"), .parse = migration, .arg = MIGRATION_ABORTED },
    { .starts = STR("Migration operation was cancelled"), .parse = migration, .arg = MIGRATION_ABORTED },
    { .starts = STR("Live migration monitoring is all done"), .parse = migration, .arg = MIGRATION_MONITORED },
    { .starts = STR("_post_live_migration() is started"), .parse = migration, .arg = MIGRATION_POST },
    { .starts = STR("Post operation of migration started"), .parse = migration, .arg = MIGRATION_POST },
    { .starts = STR("Migrating instance to "), .parse = migration_finished, .arg = MIGRATION_FINISHED },
    { .starts = STR("Live migration failed"), .parse = migration, .arg = MIGRATION_FAILED },
    { .starts = STR("Live Migration failure"), .parse = migration, .arg = MIGRATION_FAILED },
    { .starts = STR("Pre live migration failed"), .parse = migration, .arg = MIGRATION_FAILED },
    { .starts = STR("Error monitoring migration"), .parse = migration, .arg = MIGRATION_FAILED },
    { .first = "rRSL_", .has = STR("ollback"), .logger = "nova.*", .parse = migration, .arg = MIGRATION_ROLLBACK },
    { .first = "R", .has = STR("olling back live migration"), .logger = "nova.*", .parse = migration, .arg = MIGRATION_ROLLBACK },

    { .starts = STR("Volume "), .parse = volume_line },
    /* one row for the many steps: their first letters */
    { .first = "SAIGTDRPUMBCEa", .parse = step },
};
/* clang-format on */

const struct oslog_table oslog_vm_forms = FORMS(rows);
