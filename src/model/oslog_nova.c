/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_nova.c -- what nova-compute counts and waits for.
 *
 * Claims and resource views (nova.compute.claims, resource_tracker), power
 * states (nova.virt.driver, nova.compute.manager) and external events, by
 * which Neutron tells Nova that a port is ready: often the longest wait in the
 * making of a virtual machine. */
#include "model/oslog_priv.h"

/* Attempting claim[ on node N]: memory 64 MB, disk 0 GB[, vcpus 1 CPU] */
static bool claim_try(struct oslog *o, struct str s, int arg)
{
    struct fact_claim c = { .stage = CLAIM_TRY, .disk_gb = OSLOG_NO_I64, .vcpus = OSLOG_NO_I64 };
    struct str ignored;

    (void)arg;
    if (take(&s, " on node ") && !take_to(&s, ": ", &c.node))
        return false;
    if (!take_to(&s, "memory ", &ignored) || !take_i64(&s, &c.memory_mb))
        return false;
    if (take_to(&s, "disk ", &ignored))
        take_i64(&s, &c.disk_gb);
    if (take_to(&s, "vcpus ", &ignored))
        take_i64(&s, &c.vcpus);
    struct log_fact *f = oslog_add(o, FACT_CLAIM);
    if (f)
        f->claim = c;
    return true;
}

/* Claim successful[ on node N]; Claim unsuccessful..; Aborting claim: .. */
static bool claim_end(struct oslog *o, struct str s, int arg)
{
    struct str node = STR("");

    if (take(&s, " on node "))
        take_word(&s, &node);
    if (str_ends(node, STR(":")))
        node.n--;
    struct log_fact *f = oslog_add(o, FACT_CLAIM);
    if (f)
        f->claim = (struct fact_claim){ .stage = (enum claim_stage)arg,
                                        .node = node,
                                        .memory_mb = OSLOG_NO_I64,
                                        .disk_gb = OSLOG_NO_I64,
                                        .vcpus = OSLOG_NO_I64 };
    return true;
}

/* Attempting to claim resources in the placement API for instance X */
static bool claim_placement(struct oslog *o, struct str s, int arg)
{
    struct str uuid;

    if (!take_uuid(&s, &uuid) || !claim_end(o, STR(""), arg))
        return false;
    if (o->out->n)
        o->out->at[0].claim.instance = uuid;
    return true;
}

/* Puts a number and its unit into '*v' and the fact's unit. */
static bool amount(struct str *s, double *v, struct str *unit)
{
    struct str u;

    if (!take_num(s, v))
        return false;
    if (take(s, " ") && take_word(s, &u))
        *unit = u;
    return true;
}

/* Total memory: 32047 MB, used: 704.00 MB
 * memory limit: 48070.50 MB, free: 47366.50 MB
 * memory limit not specified, defaulting to unlimited */
static bool claim_resource(struct oslog *o, struct str s, int limit)
{
    struct fact_claim_resource r = { .total = -1, .used = -1, .limit = -1, .free = -1 };
    struct str ignored;

    if (limit) {
        if (take_to(&s, " limit not specified", &r.resource))
            r.unlimited = true;
        else if (!take_to(&s, " limit: ", &r.resource) || !amount(&s, &r.limit, &r.unit))
            return false;
        if (!r.unlimited && take_to(&s, "free: ", &ignored))
            amount(&s, &r.free, &r.unit);
    } else if (!take_to(&s, ": ", &r.resource) || !amount(&s, &r.total, &r.unit) ||
               !take_to(&s, "used: ", &ignored) || !amount(&s, &r.used, &r.unit)) {
        return false;
    }
    struct log_fact *f = oslog_add(o, FACT_CLAIM_RESOURCE);
    if (f)
        f->claim_resource = r;
    return true;
}

/* The integer behind 'key' in "name=compute1 phys_ram=24105MB ..." */
static int64_t key_value(struct str s, const char *key)
{
    struct str ignored;
    int64_t v;

    return take_to(&s, key, &ignored) && take_i64(&s, &v) ? v : OSLOG_NO_I64;
}

/* Final resource view: name=.. phys_ram=..MB used_ram=..MB ..
 * Hypervisor/Node resource view: name=.. free_ram=..MB free_disk=..GB .. */
static bool resource_view(struct oslog *o, struct str s, int arg)
{
    struct str node = STR(""), ignored, r = s;
    double free_disk = -1;

    if (!take(&s, "name=") || !take_word(&s, &node))
        return false;
    if (take_to(&r, " free_disk=", &ignored))
        take_num(&r, &free_disk);
    struct log_fact *f = oslog_add(o, (enum log_fact_kind)arg);
    if (f)
        f->resource = (struct fact_resource){
            .node = node,
            .phys_ram_mb = key_value(s, " phys_ram="),
            .used_ram_mb = key_value(s, " used_ram="),
            .phys_disk_gb = key_value(s, " phys_disk="),
            .used_disk_gb = key_value(s, " used_disk="),
            .total_vcpus = key_value(s, " total_vcpus="),
            .used_vcpus = key_value(s, " used_vcpus="),
            .free_ram_mb = key_value(s, " free_ram="),
            .free_vcpus = key_value(s, " free_vcpus="),
            .free_disk_gb = free_disk,
        };
    return true;
}

static struct log_fact *add_power(struct oslog *o, enum log_fact_kind kind)
{
    struct log_fact *f = oslog_add(o, kind);

    if (f)
        f->power = (struct fact_power){ .event_time = OSLOG_NO_NS,
                                        .db = OSLOG_NO_I64,
                                        .vm = OSLOG_NO_I64 };
    return f;
}

/* Emitting event <LifecycleEvent: 1470668624.56, uuid => Started> */
static bool lifecycle(struct oslog *o, struct str s, int arg)
{
    struct str uuid, event;
    ns_t t;

    (void)arg;
    if (!take_seconds(&s, &t) || !take(&s, ", ") || !take_uuid(&s, &uuid) || !take(&s, " => ") ||
        !take_to(&s, ">", &event))
        return false;
    struct log_fact *f = add_power(o, FACT_LIFECYCLE);
    if (f) {
        f->power.event_time = t;
        f->power.uuid = uuid;
        f->power.event = event;
    }
    return true;
}

/* VM Started (Lifecycle Event) */
static bool lifecycle_seen(struct oslog *o, struct str s, int arg)
{
    struct str event;

    (void)arg;
    if (!take_to(&s, " (Lifecycle Event)", &event))
        return false;
    struct log_fact *f = add_power(o, FACT_LIFECYCLE_SEEN);
    if (f) {
        f->power.event = event;
        f->power.uuid = oslog_line_instance(o);
    }
    return true;
}

/* Synchronizing instance power state after lifecycle event "Paused"; current
 * vm_state: building, current task_state: spawning, current DB power_state: 0,
 * VM power_state: 3 -- and Stopping instance; current vm_state: .. */
static bool power_sync(struct oslog *o, struct str s, int arg)
{
    struct str event = STR(""), vm_state, task_state, ignored;
    int64_t db, vm;

    if (arg && !take_to(&s, "\"; current vm_state: ", &event))
        return false;
    if (!take_to(&s, ", current task_state: ", &vm_state) ||
        !take_to(&s, ", current DB power_state: ", &task_state) || !take_i64(&s, &db) ||
        !take_to(&s, "VM power_state: ", &ignored) || !take_i64(&s, &vm))
        return false;
    struct log_fact *f = add_power(o, FACT_POWER_SYNC);
    if (f) {
        f->power.event = event;
        f->power.vm_state = unless_none(vm_state);
        f->power.task_state = unless_none(task_state);
        f->power.db = db;
        f->power.vm = vm;
    }
    return true;
}

/* Splits "network-vif-plugged-<uuid>"; events without a tag have no uuid. */
static void split_event(struct fact_external *e, struct str event)
{
    e->event = event;
    e->name = event;
    if (event.n > 37 && str_is_uuid(str_from(event, event.n - 36))) {
        e->name = str_first(event, event.n - 37);
        e->tag = str_from(event, event.n - 36);
    }
}

/* The states in ".. for instance with vm_state V and task_state T." */
static void event_states(struct fact_external *e, struct str s)
{
    struct str ignored;

    if (take_to(&s, "vm_state ", &ignored)) {
        take_word(&s, &e->vm_state);
        e->vm_state = unless_none(e->vm_state);
    }
    if (take_to(&s, "task_state ", &ignored)) {
        take_word(&s, &e->task_state);
        while (str_ends(e->task_state, STR(".")) || str_ends(e->task_state, STR(":")))
            e->task_state.n--;
        e->task_state = unless_none(e->task_state);
    }
}

static void add_external(struct oslog *o, struct fact_external e)
{
    struct log_fact *f;

    if (!e.instance.n)
        e.instance = oslog_line_instance(o);
    if (e.tag.n && !str_ends(e.event, e.tag))
        e.event = str_of(arena_printf(o->a, STR_FMT "-" STR_FMT, STR_ARG(e.name), STR_ARG(e.tag)));
    f = oslog_add(o, FACT_EXTERNAL_EVENT);
    if (f)
        f->external = e;
}

/* Preparing to wait for external event E; Received [unexpected] event E[ for
 * instance ..]; Processing event E; No waiting events found dispatching E; No
 * event matching E in .. */
static bool external(struct oslog *o, struct str s, int arg)
{
    struct fact_external e = { .stage = (enum external_stage)arg, .ns = OSLOG_NO_NS };
    struct str event;

    if (!take_word(&s, &event))
        return false;
    if (str_ends(event, STR(".")))
        event.n--;
    split_event(&e, event);
    event_states(&e, s);
    if (take(&s, " for instance "))
        take_uuid(&s, &e.instance);
    add_external(o, e);
    return true;
}

/* Creating event network-changed:<port> for instance X on H (nova-api) */
static bool external_created(struct oslog *o, struct str s, int arg)
{
    struct fact_external e = { .stage = EXTERNAL_SENT, .ns = OSLOG_NO_NS };

    (void)arg;
    if (!take_to(&s, " for instance ", &e.event) || !take_uuid(&s, &e.instance))
        return false;
    size_t colon = str_chr(e.event, ':', 0);
    e.name = colon == STR_NONE ? e.event : str_first(e.event, colon);
    e.tag = colon == STR_NONE ? STR("") : unless_none(str_from(e.event, colon + 1));
    e.event = e.name;
    if (take(&s, " on "))
        take_word(&s, &e.host);
    add_external(o, e);
    return true;
}

/* Instance event wait completed in 0 seconds for E, E */
static bool external_waited(struct oslog *o, struct str s, int arg)
{
    struct fact_external e = { .stage = EXTERNAL_WAIT_DONE };
    struct str event;

    (void)arg;
    if (!take_seconds(&s, &e.ns) || !take(&s, " seconds for "))
        return false;
    do {
        event = STR("");
        take_word(&s, &event);
        split_event(&e, event);
        add_external(o, e);
    } while (take(&s, ", "));
    return true;
}

/* Timeout waiting for [('network-vif-plugged', 'uuid')] for instance with
 * vm_state V and task_state T.: .. ; in 2016 "vif plugging callback" */
static bool external_timeout(struct oslog *o, struct str s, int arg)
{
    struct fact_external e = { .stage = EXTERNAL_TIMEOUT, .ns = OSLOG_NO_NS };
    struct str list;
    struct tree *root = NULL;
    size_t at = 0;

    (void)arg;
    if (!take_to(&s, " for instance", &list))
        return false;
    event_states(&e, s);
    if (list.n && list.p[0] == '[')
        tree_read(list, &at, o->a, &root);
    for (const struct tree *c = root ? root->child : NULL; c; c = c->next) {
        if (c->kind == TREE_LIST) {
            e.event = e.name = tree_get(c, "0");
            e.tag = tree_get(c, "1");
        } else {
            split_event(&e, c->text);
        }
        add_external(o, e);
    }
    if (!o->out->n)
        add_external(o, e);
    return true;
}

/* Sending events: [{'name': .., 'server_uuid': .., 'tag': ..}] and Nova event
 * [matching ['req-..'] ]response: {..}  (neutron.notifiers.nova) */
static bool external_notifier(struct oslog *o, struct str s, int arg)
{
    struct tree *root;
    size_t at = 0;
    struct str ignored;

    if (arg == EXTERNAL_ANSWERED && !take_to(&s, "response: ", &ignored))
        return false;
    tree_read(s, &at, o->a, &root);
    if (!root)
        return false;
    for (const struct tree *c = root->kind == TREE_LIST ? root->child : root; c; c = c->next) {
        struct fact_external e = { .stage = (enum external_stage)arg, .ns = OSLOG_NO_NS };

        if (c->kind != TREE_OBJECT || !tree_member(c, "name").n)
            continue;
        e.event = e.name = tree_member(c, "name");
        e.tag = tree_member(c, "tag");
        e.instance = tree_member(c, "server_uuid");
        e.status = tree_member(c, "status");
        add_external(o, e);
    }
    return o->out->n > 0;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("Attempting claim"), .parse = claim_try },
    { .starts = STR("Claim successful"), .parse = claim_end, .arg = CLAIM_OK },
    { .starts = STR("Claim unsuccessful"), .parse = claim_end, .arg = CLAIM_FAILED },
    { .starts = STR("Aborting claim"), .parse = claim_end, .arg = CLAIM_ABORTED },
    { .starts = STR("Attempting to claim resources in the placement API for instance "), .parse = claim_placement, .arg = CLAIM_PLACEMENT },
    { .starts = STR("Total "), .has = STR(", used: "), .parse = claim_resource, .arg = 0 },
    { .first = "mdvC", .has = STR(" limit: "), .logger = "nova.compute.*", .parse = claim_resource, .arg = 1 },
    { .first = "mdvC", .has = STR(" limit not specified"), .logger = "nova.compute.*", .parse = claim_resource, .arg = 1 },
    { .starts = STR("Final resource view: "), .parse = resource_view, .arg = FACT_RESOURCE_FINAL },
    { .starts = STR("Hypervisor/Node resource view: "), .parse = resource_view, .arg = FACT_RESOURCE_FREE },

    { .starts = STR("Emitting event <LifecycleEvent: "), .parse = lifecycle },
    { .starts = STR("VM "), .has = STR(" (Lifecycle Event)"), .parse = lifecycle_seen },
    { .starts = STR("Synchronizing instance power state after lifecycle event \""), .parse = power_sync, .arg = 1 },
    { .starts = STR("Stopping instance; current vm_state: "), .parse = power_sync, .arg = 0 },

    { .starts = STR("Preparing to wait for external event "), .parse = external, .arg = EXTERNAL_PREPARE },
    { .starts = STR("Received event "), .parse = external, .arg = EXTERNAL_RECEIVED },
    { .starts = STR("Received unexpected event "), .parse = external, .arg = EXTERNAL_UNEXPECTED },
    { .starts = STR("Processing event "), .parse = external, .arg = EXTERNAL_PROCESSING },
    { .starts = STR("No waiting events found dispatching "), .parse = external, .arg = EXTERNAL_NO_WAITER },
    { .starts = STR("No event matching "), .parse = external, .arg = EXTERNAL_NO_WAITER },
    { .starts = STR("Creating event "), .parse = external_created },
    { .starts = STR("Instance event wait completed in "), .parse = external_waited },
    { .starts = STR("Timeout waiting for "), .parse = external_timeout },
    { .starts = STR("Sending events: "), .parse = external_notifier, .arg = EXTERNAL_SENT },
    { .starts = STR("Nova event "), .has = STR("response: "), .parse = external_notifier, .arg = EXTERNAL_ANSWERED },
};
/* clang-format on */

const struct oslog_table oslog_nova_forms = FORMS(rows);
