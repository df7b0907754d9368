/* SPDX-License-Identifier: Apache-2.0
 *
 * app_entities.c -- who is who, and in which state: names that belong together,
 * states of instances, volumes, networks, ports; resources of nodes; the
 * scheduler's choices. */
#include "analysis/app.h"

#include "analysis/cloud.h"

#include <stdio.h>

void app_ident(struct app *a, ns_t t, const char *akind, struct str x, const char *bkind,
               struct str y, const char *evidence)
{
    uint32_t parts[4] = { app_text(a, str_of(akind)), app_text(a, x), app_text(a, str_of(bkind)),
                          app_text(a, y) };
    uint64_t key = hash_bytes(parts, sizeof parts, 4);
    uint32_t seen;

    if (x.n == 0 || y.n == 0 || str_eq(x, y) || map64_get(&a->idents, key, &seen))
        return;
    map64_set(&a->idents, key, 0);
    cell_t c[ident_columns] = {
        [C_ident_t0] = t,
        [C_ident_t1] = t,
        [C_ident_akind] = pass_text(a->pass, str_of(akind)),
        [C_ident_a] = pass_text(a->pass, x),
        [C_ident_bkind] = pass_text(a->pass, str_of(bkind)),
        [C_ident_b] = pass_text(a->pass, y),
        [C_ident_evidence] = pass_text(a->pass, str_of(evidence)),
    };
    pass_record(a->pass, TABLE_ident, c);
}

/* Where records of each kind keep the id; the first that is there counts. */
static const struct {
    const char *kind;
    const char *ids[4];
} id_fields[] = {
    { "volume", { "volume_id", "volume", NULL } },
    { "snapshot", { "snapshot_id", "snapshot", NULL } },
    { "network", { "network.id", "network_id", "network", NULL } },
    { "subnet", { "subnet.id", "subnet_id", "subnet", "network" } }, /* agents of 2016 */
    { "port", { "port.id", "port_id", "port", NULL } },
    { "router", { "router.id", "router_id", "router", NULL } },
    { "floatingip", { "floatingip.id", "floatingip_id", "floatingip", NULL } },
    { "security_group", { "security_group.id", "security_group_id", NULL } },
    { "security_group_rule", { "security_group_rule.id", "security_group_rule_id", NULL } },
    { "image", { "image_id", "id", "image", NULL } },
    { "backup", { "backup_id", NULL } },
};

static bool looks_like_text(struct str s)
{
    return s.n && s.p[0] != '{' && s.p[0] != '[';
}

void app_entity_of(const struct app_line *l, struct app_entity *ret)
{
    const struct payload *r = l->record;
    const char *kind = l->type.def ? l->type.def->kind : "";

    *ret = (struct app_entity){ .kind = kind, .id = STR(""), .name = STR("") };
    if (!kind[0] || !strcmp(kind, "instance")) {
        struct str uuid = payload_get(r, "instance");

        ret->id = uuid.n ? uuid : payload_get(r, "instance_id");
        ret->name = payload_get(r, "vmname");
        if (ret->name.n == 0)
            ret->name = payload_get(r, "display_name");
        if (ret->name.n == 0)
            ret->name = payload_get(r, "hostname");
        if (ret->id.n || ret->name.n)
            ret->kind = "instance";
        if (kind[0])
            return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(id_fields); i++) {
        if (kind[0] && strcmp(kind, id_fields[i].kind) != 0)
            continue;
        for (size_t k = 0; k < ARRAY_SIZE(id_fields[i].ids) && id_fields[i].ids[k]; k++) {
            struct str id = payload_get(r, id_fields[i].ids[k]);

            if (!looks_like_text(id))
                continue;
            if (!ret->kind[0])
                ret->kind = id_fields[i].kind;
            if (ret->id.n == 0)
                ret->id = id;
        }
        if (kind[0] && ret->name.n == 0)
            ret->name = STR("");
    }
}

/* A span's object is as old as the span: what it says counts at its start. */
static bool is_stale(const struct app_line *l)
{
    return str_is(l->source, "span") && l->type.phase != PHASE_START;
}

static enum vm_word word_of(const struct app_line *l)
{
    if (str_is(l->type.base, "compute.instance.update") || str_is(l->type.base, "instance.update"))
        return WORD_UPDATE;
    return str_is(l->source, "span") ? WORD_SPAN : WORD_ACTION;
}

/* Nova's words for states in old and new notifications. */
static void vm_record(struct app *a, const struct app_line *l, const struct app_entity *e)
{
    const struct payload *r = l->record;
    struct str state = payload_get(r, "vm_state"), task, host = payload_get(r, "host");

    if (state.n == 0)
        state = payload_get(r, "state");
    task = payload_get(r, "vm_task");
    if (task.n == 0)
        task = payload_get(r, "new_task_state");
    if (task.n == 0)
        task = payload_get(r, "task_state");
    if (state.n == 0 || is_stale(l))
        return;
    /* Old notifications of actions have no task state: not "none", but not told. */
    bool task_told = !str_is(l->source, "notification") || word_of(l) == WORD_UPDATE;
    cell_t c[vm_seen_columns] = {
        [C_vm_seen_t0] = l->head->t,
        [C_vm_seen_t1] = l->head->t,
        [C_vm_seen_vm] = pass_text(a->pass, e->name),
        [C_vm_seen_uuid] = pass_text(a->pass, e->id),
        [C_vm_seen_state] = pass_text(a->pass, state),
        [C_vm_seen_task_state] = task_told ? pass_text(a->pass, task) : STORE_NULL,
        [C_vm_seen_node] = pass_text(a->pass, host),
        [C_vm_seen_power] = STORE_NULL,
        [C_vm_seen_source] = pass_text(a->pass, l->type.base),
        [C_vm_seen_request] = pass_text(a->pass, payload_get(r, "request_id")),
        [C_vm_seen_project] = pass_text(a->pass, payload_get(r, "project_id")),
        [C_vm_seen_user] = pass_text(a->pass, payload_get(r, "user_id")),
        [C_vm_seen_firm] = word_of(l),
    };
    pass_record(a->pass, TABLE_vm_seen, c);

    struct ev_vm_state ev = { .vm = e->name.n ? e->name : e->id,
                              .state = schema_value_of(&vm_state_values, state, VM_OTHER),
                              .task_state = task.n || !task_told ? task : STR("none"),
                              .host = host };
    if (str_is(task, "migrating") && ev.state == VM_ACTIVE)
        ev.state = VM_MIGRATING;
    pass_emit(a->pass, EV_VM_STATE, l->head, &ev);
    app_ident(a, l->head->t, "uuid", e->id, "vm", e->name, "record of Nova");
    app_ident(a, l->head->t, "uuid", e->id, "project", payload_get(r, "project_id"),
              "record of Nova");
}

static void volume_state(struct app *a, const struct app_line *l, struct str id, struct str state)
{
    struct ev_volume_state ev = { .volume = id,
                                  .state =
                                      schema_value_of(&volume_state_values, state, VOLUME_OTHER) };

    if (state.n)
        pass_emit(a->pass, EV_VOLUME_STATE, l->head, &ev);
}

/* Something that is seen at an instant. */
static void mark(struct app *a, const struct app_line *l, const char *kind, struct str subject,
                 struct str name, struct str text, int64_t n1, int64_t n2, int64_t n3)
{
    const struct lane *lane = &a->lanes.at[l->lane];
    const struct task *now = app_task_now(a, l->lane);
    cell_t c[mark_columns] = {
        [C_mark_t0] = l->head->t,
        [C_mark_t1] = l->head->t,
        [C_mark_kind] = pass_text(a->pass, str_of(kind)),
        [C_mark_subject] = pass_text(a->pass, subject),
        [C_mark_name] = pass_text(a->pass, name),
        [C_mark_text] = pass_text(a->pass, text),
        [C_mark_n1] = n1,
        [C_mark_n2] = n2,
        [C_mark_n3] = n3,
        [C_mark_request] = app_cell(a, now && now->request ? now->request : lane->request),
        [C_mark_logger] = pass_text(a->pass, l->log->logger),
        [C_mark_pid] = lane->pid,
        [C_mark_thread] = lane->thread,
    };
    pass_record(a->pass, TABLE_mark, c);
}

/* Two instances at once write to one volume: unless its file system is made for
 * that, it will be damaged. */
static void attached_twice(struct app *a, const struct app_line *l, struct str volume,
                           struct str one, struct str other)
{
    uint32_t parts[] = { app_text(a, volume), app_text(a, one), app_text(a, other) };
    uint64_t key = hash_bytes(parts, sizeof parts, 8);
    uint32_t seen;

    if (str_eq(one, other) || map64_get(&a->idents, key, &seen))
        return;
    map64_set(&a->idents, key, 0);
    mark(a, l, "attached-twice", volume, one, other, STORE_NULL, STORE_NULL, STORE_NULL);
}

/* Cinder tells a volume's attachments as objects. */
static void attachments(struct app *a, const struct app_line *l, struct str volume)
{
    struct str first = STR("");

    for (unsigned i = 0; i < 16; i++) {
        char key[48];

        snprintf(key, sizeof key, "volume_attachment.%u.instance_uuid", i);
        struct str uuid = payload_get(l->record, key);
        if (uuid.n == 0)
            return;
        app_ident(a, l->head->t, "uuid", uuid, "volume", volume, "attachment in Cinder's record");
        if (i == 0)
            first = uuid;
        else
            attached_twice(a, l, volume, first, uuid);
    }
}

/* The service that owns the thing says that it is gone (the record still shows
 * the state it had); an agent only clears away its part. */
static bool says_deleted(const struct app_line *l)
{
    return l->type.phase == PHASE_END && str_ends(l->type.name, STR(".delete")) &&
           (str_is(l->source, "notification") || str_is(l->source, "versioned"));
}

static void thing_record(struct app *a, const struct app_line *l, const struct app_entity *e)
{
    const struct payload *r = l->record;
    char key[64];
    struct str field[5];
    static const char *const subs[] = { "status", "network_id", "device_id", "mac_address",
                                        "name" };
    int64_t size = STORE_NULL;

    for (size_t i = 0; i < ARRAY_SIZE(subs); i++) {
        snprintf(key, sizeof key, "%s.%s", e->kind, subs[i]);
        field[i] = payload_get(r, key);
    }
    payload_i64(r, "size", &size);
    struct str state = field[0].n ? field[0] : payload_get(r, "status");
    if (is_stale(l))
        state = STR("");
    else if (says_deleted(l))
        state = STR("deleted");
    struct str name = field[4].n ? field[4] : payload_get(r, "display_name");
    struct str project = payload_get(r, "project_id");
    snprintf(key, sizeof key, "%s.tenant_id", e->kind);
    if (project.n == 0)
        project = payload_get(r, key);
    cell_t c[thing_seen_columns] = {
        [C_thing_seen_t0] = l->head->t,
        [C_thing_seen_t1] = l->head->t,
        [C_thing_seen_kind] = pass_text(a->pass, str_of(e->kind)),
        [C_thing_seen_id] = pass_text(a->pass, e->id),
        [C_thing_seen_name] = pass_text(a->pass, name),
        [C_thing_seen_state] = pass_text(a->pass, state),
        [C_thing_seen_network] = pass_text(a->pass, field[1]),
        [C_thing_seen_device] = pass_text(a->pass, field[2]),
        [C_thing_seen_mac] = pass_text(a->pass, field[3]),
        [C_thing_seen_project] = pass_text(a->pass, project),
        [C_thing_seen_user] = pass_text(a->pass, payload_get(r, "user_id")),
        [C_thing_seen_segmentation] = STORE_NULL,
        [C_thing_seen_source] = pass_text(a->pass, l->type.base),
        [C_thing_seen_request] = pass_text(a->pass, payload_get(r, "request_id")),
        [C_thing_seen_size_gb] = size,
    };
    pass_record(a->pass, TABLE_thing_seen, c);
    if (!strcmp(e->kind, "volume")) {
        volume_state(a, l, e->id, state);
        attachments(a, l, e->id);
        app_ident(a, l->head->t, "volume", e->id, "volume_name", name, "record of Cinder");
    }
    if (!strcmp(e->kind, "port") && str_is_uuid(field[2]))
        app_ident(a, l->head->t, "uuid", field[2], "port", e->id, "device of the port");
}

void app_entity_record(struct app *a, const struct app_line *l)
{
    struct app_entity e;

    app_entity_of(l, &e);
    if (!strcmp(e.kind, "instance"))
        vm_record(a, l, &e);
    else if (e.kind[0] && e.id.n && !str_is(e.id, e.kind)) /* "volume" is no volume's id */
        thing_record(a, l, &e);
}

/* --- facts ---------------------------------------------------------------- */

static void domain_fact(struct app *a, ns_t t, const struct fact_domain *d)
{
    static const char evidence[] = "libvirt domain XML in the log";

    app_ident(a, t, "uuid", d->uuid, "vm", d->vm_name, evidence);
    app_ident(a, t, "uuid", d->uuid, "libvirt", d->libvirt_name, evidence);
    app_ident(a, t, "uuid", d->uuid, "user", d->user_id, evidence);
    app_ident(a, t, "uuid", d->uuid, "user_name", d->user_name, evidence);
    app_ident(a, t, "uuid", d->uuid, "project", d->project_id, evidence);
    app_ident(a, t, "uuid", d->uuid, "project_name", d->project_name, evidence);
    app_ident(a, t, "uuid", d->uuid, "flavor", d->flavor, evidence);
    app_ident(a, t, "uuid", d->uuid, "image", d->image, evidence);
    for (size_t i = 0; i < d->n_taps; i++)
        app_ident(a, t, "uuid", d->uuid, "tap", d->taps[i], evidence);
    for (size_t i = 0; i < d->n_macs; i++)
        app_ident(a, t, "uuid", d->uuid, "mac", d->macs[i], evidence);
    for (size_t i = 0; i < d->n_disks; i++)
        app_ident(a, t, "uuid", d->uuid, "disk", d->disks[i], evidence);
    for (size_t i = 0; i < d->n_ports; i++)
        app_ident(a, t, "uuid", d->uuid, "port", d->ports[i], evidence);
}

static void object_fact(struct app *a, const struct app_line *l, const struct fact_object *o)
{
    static const char *const kinds[] = {
        [API_NETWORK] = "network",   [API_SUBNET] = "subnet",
        [API_PORT] = "port",         [API_SECURITY_GROUP] = "security_group",
        [API_ROUTER] = "router",     [API_FLOATING_IP] = "floatingip",
        [API_SERVER] = "instance",   [API_VOLUME] = "volume",
        [API_SNAPSHOT] = "snapshot", [API_ATTACHMENT] = "attachment",
        [API_EVENT] = "event",
    };
    ns_t t = l->head->t;

    if (o->kind == API_EVENT || o->id.n == 0)
        return;
    if (o->kind == API_SERVER) {
        app_ident(a, t, "uuid", o->id, "vm", o->name, "API object in the log");
        return;
    }
    if (o->kind == API_ATTACHMENT) {
        app_ident(a, t, "uuid", o->device_id, "volume", o->volume_id, "attachment in the log");
        return;
    }
    struct sbuf ips = { 0 };
    for (size_t i = 0; i < o->n_ips; i++) {
        if (i)
            sbuf_z(&ips, ", ");
        sbuf_str(&ips, o->ips[i]);
    }
    cell_t c[thing_seen_columns] = {
        [C_thing_seen_t0] = t,
        [C_thing_seen_t1] = t,
        [C_thing_seen_kind] = pass_text(a->pass, str_of(kinds[o->kind])),
        [C_thing_seen_id] = pass_text(a->pass, o->id),
        [C_thing_seen_name] = pass_text(a->pass, o->name),
        [C_thing_seen_state] = pass_text(a->pass, o->status),
        [C_thing_seen_network] = pass_text(a->pass, o->network_id),
        [C_thing_seen_device] = pass_text(a->pass, o->device_id),
        [C_thing_seen_mac] = pass_text(a->pass, o->mac),
        [C_thing_seen_addresses] = pass_text(a->pass, o->cidr.n ? o->cidr : sbuf_view(&ips)),
        [C_thing_seen_project] = pass_text(a->pass, o->tenant_id),
        [C_thing_seen_segmentation] =
            o->segmentation_id == OSLOG_NO_I64 ? STORE_NULL : o->segmentation_id,
        [C_thing_seen_source] = pass_text(a->pass, STR("API object in the log")),
        [C_thing_seen_size_gb] = STORE_NULL,
        [C_thing_seen_tap] = pass_text(a->pass, o->tap),
    };
    sbuf_free(&ips);
    pass_record(a->pass, TABLE_thing_seen, c);
    if (o->kind == API_VOLUME)
        volume_state(a, l, o->id, o->status);
    if (o->kind == API_PORT && str_starts(o->device_owner, STR("compute:")))
        app_ident(a, t, "uuid", o->device_id, "port", o->id, "device of the port");
}

static void resource_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_resource *r = &f->resource;
    bool final = f->kind == FACT_RESOURCE_FINAL;
    cell_t c[resource_columns] = {
        [C_resource_t0] = l->head->t,
        [C_resource_t1] = l->head->t,
        [C_resource_node] = pass_text(a->pass, r->node),
        [C_resource_kind] = pass_text(a->pass, final ? STR("final") : STR("free")),
        [C_resource_ram_total_mb] = r->phys_ram_mb,
        [C_resource_ram_used_mb] = r->used_ram_mb,
        [C_resource_disk_total_gb] = r->phys_disk_gb,
        [C_resource_disk_used_gb] = r->used_disk_gb,
        [C_resource_vcpus_total] = r->total_vcpus,
        [C_resource_vcpus_used] = r->used_vcpus,
        [C_resource_ram_free_mb] = r->free_ram_mb,
        [C_resource_vcpus_free] = r->free_vcpus,
    };
    pass_record(a->pass, TABLE_resource, c);
    if (final) {
        struct ev_node_resources ev = { .node = r->node,
                                        .ram_used_mb = r->used_ram_mb,
                                        .ram_total_mb = r->phys_ram_mb,
                                        .vcpus_used = r->used_vcpus,
                                        .vcpus_total = r->total_vcpus,
                                        .disk_used_gb = r->used_disk_gb };
        pass_emit(a->pass, EV_NODE_RESOURCES, l->head, &ev);
    }
}

static void sched_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_sched *s = &f->sched;
    const struct sched_host *h = f->kind == FACT_SCHED_SELECTED && s->n > 0 ? s->hosts : NULL;
    const struct task *now = app_task_now(a, l->lane);
    char weight[32] = "";

    if (h && h->weighed)
        snprintf(weight, sizeof weight, "%.6g", h->weight);
    cell_t c[sched_columns] = {
        [C_sched_t0] = l->head->t,
        [C_sched_t1] = l->head->t,
        [C_sched_kind] = pass_text(a->pass, str_of(log_fact_name(f->kind))),
        [C_sched_filter] = pass_text(a->pass, s->filter),
        [C_sched_hosts] = s->n,
        [C_sched_host] = pass_text(a->pass, h ? h->host : STR("")),
        [C_sched_node] = pass_text(a->pass, h ? h->node : STR("")),
        [C_sched_ram_mb] = h ? h->ram_mb : STORE_NULL,
        [C_sched_disk_mb] = h ? h->disk_mb : STORE_NULL,
        [C_sched_io_ops] = h ? h->io_ops : STORE_NULL,
        [C_sched_instances] = h ? h->instances : STORE_NULL,
        [C_sched_weight] = pass_text(a->pass, str_of(weight)),
        [C_sched_request] =
            app_cell(a, now && now->request ? now->request : a->lanes.at[l->lane].request),
        [C_sched_service] = pass_text(a->pass, s->volume ? STR("cinder-scheduler") : l->service),
        [C_sched_thread] = a->lanes.at[l->lane].thread,
        [C_sched_text] = pass_text(a->pass, s->reason),
    };
    pass_record(a->pass, TABLE_sched, c);
}

/* "During lifecycle event: current vm_state building, task_state spawning, VM
 * power_state 3": an observation, not a change that Nova announces. */
static void power_fact(struct app *a, const struct app_line *l, const struct fact_power *p)
{
    struct str uuid = p->uuid.n ? p->uuid : app_str(a, a->lanes.at[l->lane].uuid);

    cell_t c[vm_seen_columns] = {
        [C_vm_seen_t0] = l->head->t,
        [C_vm_seen_t1] = l->head->t,
        [C_vm_seen_uuid] = pass_text(a->pass, uuid),
        [C_vm_seen_state] = pass_text(a->pass, p->vm_state),
        [C_vm_seen_task_state] = pass_text(a->pass, p->task_state),
        [C_vm_seen_power] = p->vm == OSLOG_NO_I64 ? STORE_NULL : p->vm,
        [C_vm_seen_source] = pass_text(a->pass, p->event),
    };
    pass_record(a->pass, TABLE_vm_seen, c);
}

static void claim_fact(struct app *a, const struct app_line *l, const struct fact_claim *c)
{
    static const char *const stages[] = { [CLAIM_TRY] = "try",
                                          [CLAIM_OK] = "successful",
                                          [CLAIM_FAILED] = "failed",
                                          [CLAIM_ABORTED] = "aborted",
                                          [CLAIM_PLACEMENT] = "placement" };

    mark(a, l, "claim", c->node, str_of(stages[c->stage]), c->instance, c->memory_mb, c->disk_gb,
         c->vcpus);
}

static void migration_fact(struct app *a, const struct app_line *l, const struct fact_migration *m)
{
    static const char *const stages[] = {
        [MIGRATION_REQUESTED] = "requested", [MIGRATION_CHECKING] = "checking",
        [MIGRATION_PREPARING] = "preparing", [MIGRATION_MONITOR] = "monitor",
        [MIGRATION_INVOKED] = "invoked",     [MIGRATION_PROGRESS] = "progress",
        [MIGRATION_DOWNTIME] = "downtime",   [MIGRATION_API_DONE] = "api-done",
        [MIGRATION_COMPLETED] = "completed", [MIGRATION_MONITORED] = "monitored",
        [MIGRATION_POST] = "post",           [MIGRATION_FINISHED] = "finished",
        [MIGRATION_FAILED] = "failed",       [MIGRATION_ABORTED] = "aborted",
        [MIGRATION_ROLLBACK] = "rollback",   [MIGRATION_TIMEOUT] = "timeout",
    };

    mark(a, l, "migration", app_str(a, a->lanes.at[l->lane].uuid), str_of(stages[m->stage]),
         m->reason, m->memory_pct, m->memory_left_bytes, m->downtime_ms);
}

void app_entity_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    ns_t t = l->head->t;

    switch ((int)f->kind) {
    case FACT_DOMAIN: domain_fact(a, t, &f->domain); break;
    case FACT_API_OBJECT: object_fact(a, l, &f->object); break;
    case FACT_INSTANCE:
        app_ident(a, t, "uuid", f->instance.uuid, "vm", f->instance.name,
                  "Instance(...) in a line");
        app_ident(a, t, "uuid", f->instance.uuid, "project", f->instance.project_id,
                  "Instance(...) in a line");
        app_ident(a, t, "uuid", f->instance.uuid, "user", f->instance.user_id,
                  "Instance(...) in a line");
        break;
    case FACT_DEVICE:
        if (f->device.is_disk && f->device.action == DEVICE_ATTACH)
            app_ident(a, t, "uuid", app_str(a, a->lanes.at[l->lane].uuid), "volume",
                      f->device.serial, "disk attached to the domain");
        break;
    case FACT_RESOURCE_FINAL:
    case FACT_RESOURCE_FREE: resource_fact(a, l, f); break;
    case FACT_SCHED_REQUEST:
    case FACT_SCHED_START:
    case FACT_SCHED_FILTER:
    case FACT_SCHED_FILTERED:
    case FACT_SCHED_WEIGHED:
    case FACT_SCHED_SELECTED:
    case FACT_SCHED_NONE: sched_fact(a, l, f); break;
    case FACT_LIFECYCLE:
        mark(a, l, "lifecycle", f->power.uuid, f->power.event, STR(""), STORE_NULL, STORE_NULL,
             STORE_NULL);
        break;
    case FACT_POWER_SYNC: power_fact(a, l, &f->power); break;
    case FACT_CLAIM: claim_fact(a, l, &f->claim); break;
    case FACT_MIGRATION: migration_fact(a, l, &f->migration); break;
    case FACT_VOLUME_SPACE:
        mark(a, l, "volume-space", f->space.host, STR(""), STR(""), (int64_t)f->space.requested_gb,
             (int64_t)(f->space.available_gb * 1000), STORE_NULL);
        break;
    case FACT_VOLUME_POOL:
        mark(a, l, "volume-pool", f->space.host, STR(""), STR(""), STORE_NULL, STORE_NULL,
             STORE_NULL);
        break;
    case FACT_PORT:
        mark(a, l, "port", f->port.port, f->port.ip, f->port.tap, (int64_t)f->port.step, STORE_NULL,
             STORE_NULL);
        break;
    case FACT_AMQP:
        mark(a, l, "amqp", f->amqp.server, STR(""), STR(""), (int64_t)f->amqp.stage, f->amqp.port,
             STORE_NULL);
        break;
    default: break;
    }
}
