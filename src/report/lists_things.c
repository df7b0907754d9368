/* SPDX-License-Identifier: Apache-2.0
 *
 * lists_things.c -- instances, volumes, networks: things with states. */
#include "report/lists.h"

#include <stdlib.h>

/* --- instances ------------------------------------------------------------------ */

static const struct column vm_cols[] = {
    { "vm", "INSTANCE", COL_STR, 0, 0, 0 },
    { "uuid", "UUID", COL_STR, 0, 0, 0 },
    { "libvirt_name", "LIBVIRT NAME", COL_STR, 0, 0, 0 },
    { "state", "STATE", COL_STR, 0, 0, 0 },
    { "hosts", "HOSTS", COL_LIST, 0, 0, 0 },
    { "project", "PROJECT", COL_STR, 0, COL_WIDE, 0 },
    { "project_name", "PROJECT NAME", COL_STR, 0, COL_WIDE, 0 },
    { "user", "USER", COL_STR, 0, COL_WIDE, 0 },
    { "user_name", "USER NAME", COL_STR, 0, COL_WIDE, 0 },
    { "flavor", "FLAVOR", COL_STR, 0, COL_WIDE, 0 },
    { "image", "IMAGE", COL_STR, 0, COL_WIDE, 0 },
    { "ports", "PORTS", COL_LIST, 0, COL_WIDE, 0 },
    { "taps", "TAPS", COL_LIST, 0, 0, 0 },
    { "macs", "MACS", COL_LIST, 0, COL_WIDE, 0 },
    { "disks", "DISKS", COL_LIST, 0, COL_WIDE, 0 },
    { "volumes", "VOLUMES", COL_LIST, 0, COL_WIDE, 0 },
    { "start_ns", "FIRST STATE", COL_INSTANT, 0, COL_WIDE, 0 },
    { "end_ns", "LAST STATE", COL_INSTANT, 0, COL_WIDE, 0 },
    { "states", "STATES", COL_NESTED, 0, COL_JSON, 0 },
    { "tasks", "TASKS", COL_COUNT, 0, 0, 0 },
    { "violations", "VIOLATIONS", COL_COUNT, 0, 0, 0 },
    { "evidence", "EVIDENCE", COL_LIST, 0, COL_WIDE, 0 },
    { "doubt", "DOUBT", COL_STR, 0, COL_WIDE, 0 },
};

/* The states of one instance, kept for the nested cell. */
struct vm_arg {
    struct src_row *states;
    size_t nstates;
};

static void emit_vm_states(struct json *j, const void *p)
{
    const struct vm_arg *a = p;

    json_open(j, '[');
    for (size_t i = 0; i < a->nstates; i++) {
        const struct src_row *r = &a->states[i];

        json_open(j, '{');
        emit_str(j, "state", row_text(r, C_vm_state_state));
        emit_str(j, "task_state", row_text(r, C_vm_state_task_state));
        emit_str(j, "host", row_text(r, C_vm_state_host));
        emit_ns(j, "start_ns", r->row[C_vm_state_t0]);
        emit_ns(j, "end_ns", r->row[C_vm_state_t1]);
        emit_str(j, "source", row_text(r, C_vm_state_source));
        emit_str(j, "request_id", row_text(r, C_vm_state_request));
        emit_str(j, "violation", row_text(r, C_vm_state_violation));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static struct vm_arg *keep_states(const struct report_src *src, const struct src_group *g)
{
    struct vm_arg *a = arena_new(src->mem, struct vm_arg);

    a->nstates = g->rows.n;
    a->states = arena_array(src->mem, struct src_row, g->rows.n);
    if (g->rows.n)
        memcpy(a->states, g->rows.at, g->rows.n * sizeof *a->states);
    return a;
}

/* Tasks on an instance: by its uuid; those that know only the name count for it
 * too. */
static uint64_t tasks_on(const struct src_index *by_uuid, const struct src_index *by_name,
                         struct str uuid, struct str name)
{
    const struct src_group *named = src_index_find(by_name, name);
    uint64_t n = uuid.n ? src_index_find(by_uuid, uuid)->rows.n : 0;

    for (size_t i = 0; name.n && i < named->rows.n; i++)
        n += row_text(&named->rows.at[i], C_task_uuid).n == 0 ||
             (uuid.n == 0 && str_is(row_text(&named->rows.at[i], C_task_kind), "instance"));
    return n;
}

static void vm_row(const struct report_src *src, struct table *t, const struct src_rows *r,
                   const cell_t *row, const struct vm_arg *states, uint64_t tasks)
{
    struct str state = STR("");
    uint64_t violations = 0;

    for (size_t i = 0; i < states->nstates; i++) {
        state = row_text(&states->states[i], C_vm_state_state);
        violations += row_text(&states->states[i], C_vm_state_violation).n > 0;
    }
    table_row(t);
    cell_str(t, src_text(r, row, C_vm_vm));
    cell_str(t, src_text(r, row, C_vm_uuid));
    cell_str(t, src_text(r, row, C_vm_libvirt_name));
    cell_str(t, state);
    cell_list(src, t, src_text(r, row, C_vm_hosts));
    cell_str(t, src_text(r, row, C_vm_project));
    cell_str(t, src_text(r, row, C_vm_project_name));
    cell_str(t, src_text(r, row, C_vm_user));
    cell_str(t, src_text(r, row, C_vm_user_name));
    cell_str(t, src_text(r, row, C_vm_flavor));
    cell_str(t, src_text(r, row, C_vm_image));
    cell_list(src, t, src_text(r, row, C_vm_ports));
    cell_list(src, t, src_text(r, row, C_vm_taps));
    cell_list(src, t, src_text(r, row, C_vm_macs));
    cell_list(src, t, src_text(r, row, C_vm_disks));
    cell_list(src, t, src_text(r, row, C_vm_volumes));
    cell_ns(t, row[C_vm_t0]);
    cell_ns(t, row[C_vm_t1]);
    table_nested(t, emit_vm_states, states);
    table_count(t, tasks);
    table_count(t, violations);
    cell_list(src, t, src_text(r, row, C_vm_evidence));
    cell_str(t, src_text(r, row, C_vm_doubt));
}

static void fill_vms(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows_global(src, TABLE_vm);
    struct src_index states, by_uuid, by_name;
    bool window = src->span.t0 != NS_MIN || src->span.t1 != NS_MAX;
    const cell_t *row;

    src_index_make(src, TABLE_vm_state, true, C_vm_state_key, &states);
    src_index_make(src, TABLE_task, false, C_task_uuid, &by_uuid);
    src_index_make(src, TABLE_task, false, C_task_entity, &by_name);
    while ((row = src_next(&r))) {
        struct str uuid = src_text(&r, row, C_vm_uuid), name = src_text(&r, row, C_vm_vm);

        const struct src_group *mine = src_index_find(&states, src_text(&r, row, C_vm_key));
        uint64_t tasks = tasks_on(&by_uuid, &by_name, uuid, name);

        if (report_vm_fits(src, uuid, name) && (!window || mine->rows.n || tasks))
            vm_row(src, t, &r, row, keep_states(src, mine), tasks);
    }
    src_index_free(&states);
    src_index_free(&by_uuid);
    src_index_free(&by_name);
}

const struct report_list list_vms = { "vms", "Instances, their names and states", vm_cols,
                                      ARRAY_SIZE(vm_cols), fill_vms };

/* --- volumes, networks: what records, API objects and tasks tell of a thing ------- */

struct thing {
    struct str kind, id, name, project, network, device, mac, addresses, tap, last_state;
    int64_t size_gb, segmentation;
    VEC(struct src_row) states; /* rows of thing_seen with a state */
    VEC(struct src_row) tasks;  /* rows of task */
    VEC(struct str) attached;   /* instances that use it, ever */
    const struct report_src *src;
};

struct things {
    VEC(struct thing *) list;
    struct strtab ids;
};

static struct thing *thing_at(struct things *th, const struct report_src *src, struct str kind,
                              struct str id)
{
    uint32_t at = strtab_id(&th->ids, id);

    if (at > th->list.n) {
        struct thing *t = arena_new(src->mem, struct thing);

        t->kind = kind;
        t->id = id;
        t->src = src;
        t->size_gb = t->segmentation = STORE_NULL;
        *vec_push(&th->list) = t;
    }
    return th->list.at[at - 1];
}

static bool is_one_of(struct str kind, const char *const *kinds)
{
    for (size_t i = 0; kinds[i]; i++)
        if (str_is(kind, kinds[i]))
            return true;
    return false;
}

static void keep(struct str *to, struct str s)
{
    if (s.n)
        *to = s;
}

static void things_seen(struct things *th, const struct report_src *src, const char *const *kinds)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_thing_seen, &n);

    for (size_t i = 0; i < n; i++) {
        const struct src_row *r = &rows[i];
        struct str kind = row_text(r, C_thing_seen_kind), state = row_text(r, C_thing_seen_state);

        if (!is_one_of(kind, kinds))
            continue;
        struct thing *t = thing_at(th, src, kind, row_text(r, C_thing_seen_id));
        keep(&t->name, row_text(r, C_thing_seen_name));
        keep(&t->project, row_text(r, C_thing_seen_project));
        keep(&t->network, row_text(r, C_thing_seen_network));
        keep(&t->device, row_text(r, C_thing_seen_device));
        keep(&t->mac, row_text(r, C_thing_seen_mac));
        keep(&t->addresses, row_text(r, C_thing_seen_addresses));
        keep(&t->tap, row_text(r, C_thing_seen_tap));
        if (r->row[C_thing_seen_size_gb] != STORE_NULL)
            t->size_gb = r->row[C_thing_seen_size_gb];
        if (r->row[C_thing_seen_segmentation] != STORE_NULL)
            t->segmentation = r->row[C_thing_seen_segmentation];
        if (state.n && !str_eq(state, t->last_state)) {
            t->last_state = state;
            *vec_push(&t->states) = *r;
        }
    }
}

static void things_tasks(struct things *th, const struct report_src *src, const char *const *kinds)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_task, &n);

    for (size_t i = 0; i < n; i++) {
        struct str kind = row_text(&rows[i], C_task_kind), id = row_text(&rows[i], C_task_uuid);

        /* An agent that names no id but the word "volume" tells of no volume. */
        if (is_one_of(kind, kinds) && id.n && !str_eq(id, kind))
            *vec_push(&thing_at(th, src, kind, id)->tasks) = rows[i];
    }
}

static void things_attached(struct things *th, const struct report_src *src)
{
    struct src_rows r = src_rows(src, TABLE_ident);
    const cell_t *row;

    while ((row = src_next(&r))) {
        uint32_t at;

        if (!str_is(src_text(&r, row, C_ident_akind), "uuid") ||
            !strtab_find(&th->ids, src_text(&r, row, C_ident_b), &at) || at == 0)
            continue;
        struct thing *t = th->list.at[at - 1];
        struct str vm = src_text(&r, row, C_ident_a);
        bool new = true;
        for (size_t i = 0; i < t->attached.n; i++)
            new &= !str_eq(t->attached.at[i], vm);
        if (new)
            *vec_push(&t->attached) = vm;
    }
}

static void emit_thing_states(struct json *j, const void *p)
{
    const struct thing *t = p;

    json_open(j, '[');
    for (size_t i = 0; i < t->states.n; i++) {
        const struct src_row *r = &t->states.at[i];

        json_open(j, '{');
        emit_str(j, "state", row_text(r, C_thing_seen_state));
        emit_str(j, "host", str_of(r->host));
        emit_ns(j, "start_ns", r->row[0]);
        emit_ns(j, "end_ns", i + 1 < t->states.n ? t->states.at[i + 1].row[0] : STORE_NULL);
        emit_str(j, "source", row_text(r, C_thing_seen_source));
        emit_str(j, "request_id", row_text(r, C_thing_seen_request));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void emit_thing_tasks(struct json *j, const void *p)
{
    const struct thing *t = p;

    json_open(j, '[');
    for (size_t i = 0; i < t->tasks.n; i++) {
        const struct src_row *r = &t->tasks.at[i];

        json_open(j, '{');
        emit_str(j, "task", row_text(r, C_task_task));
        emit_str(j, "status", row_text(r, C_task_status));
        emit_str(j, "service", row_text(r, C_task_service));
        emit_str(j, "host", str_of(r->host));
        emit_str(j, "request_id", row_text(r, C_task_request));
        emit_ns(j, "start_ns", r->row[0]);
        emit_ns(j, "end_ns", r->row[1]);
        emit_ns(j, "duration_ns", row_length(r->row));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void collect(struct things *th, const struct report_src *src, const char *const *kinds)
{
    *th = (struct things){ 0 };
    strtab_id(&th->ids, STR(""));
    things_seen(th, src, kinds);
    things_tasks(th, src, kinds);
    things_attached(th, src);
}

static const struct column volume_cols[] = {
    { "volume", "VOLUME", COL_STR, 0, 0, 0 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "name", "NAME", COL_STR, 0, 0, 0 },
    { "state", "STATE", COL_STR, 0, 0, 0 },
    { "size_gb", "SIZE GB", COL_INT, 0, 0, 0 },
    { "project", "PROJECT", COL_STR, 0, COL_WIDE, 0 },
    { "attached_to", "ATTACHED TO", COL_LIST, 0, 0, 0 },
    { "task_count", "TASKS", COL_COUNT, 0, 0, 0 },
    { "states", "STATES", COL_NESTED, 0, COL_JSON, 0 },
    { "tasks", "TASKS", COL_NESTED, 0, COL_JSON, 0 },
};

/* The nested cells are written when the table is printed, so the vectors of the
 * things move to the report's memory. */
static void settle(struct things *th, const struct report_src *src)
{
    for (size_t i = 0; i < th->list.n; i++) {
        struct thing *t = th->list.at[i];
        struct src_row *states = arena_array(src->mem, struct src_row, t->states.n);
        struct src_row *tasks = arena_array(src->mem, struct src_row, t->tasks.n);

        if (t->states.n)
            memcpy(states, t->states.at, t->states.n * sizeof *states);
        if (t->tasks.n)
            memcpy(tasks, t->tasks.at, t->tasks.n * sizeof *tasks);
        free(t->states.at);
        free(t->tasks.at);
        t->states.at = states;
        t->tasks.at = tasks;
    }
}

static void things_free(struct things *th)
{
    for (size_t i = 0; i < th->list.n; i++)
        vec_free(&th->list.at[i]->attached);
    vec_free(&th->list);
    strtab_free(&th->ids);
}

static void fill_volumes(const struct report_src *src, struct table *t)
{
    static const char *const kinds[] = { "volume", "snapshot", "backup", NULL };
    struct things th;

    collect(&th, src, kinds);
    settle(&th, src);
    for (size_t i = 0; i < th.list.n; i++) {
        struct thing *v = th.list.at[i];

        table_row(t);
        table_str(t, v->id);
        table_str(t, v->kind);
        cell_str(t, v->name);
        cell_str(t, v->last_state);
        cell_int(t, v->size_gb, STORE_NULL);
        cell_str(t, v->project);
        table_list(t, v->attached.at, v->attached.n);
        table_count(t, v->tasks.n);
        table_nested(t, emit_thing_states, v);
        table_nested(t, emit_thing_tasks, v);
    }
    things_free(&th);
}

const struct report_list list_volumes = { "volumes", "Volumes and snapshots", volume_cols,
                                          ARRAY_SIZE(volume_cols), fill_volumes };

static const struct column network_cols[] = {
    { "id", "ID", COL_STR, 0, 0, 0 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "name", "NAME", COL_STR, 0, 0, 0 },
    { "state", "STATE", COL_STR, 0, 0, 0 },
    { "network", "NETWORK", COL_STR, 0, COL_WIDE, 0 },
    { "segmentation_id", "SEGMENT", COL_INT, 0, 0, 0 },
    { "addresses", "ADDRESSES", COL_STR, 0, 0, 0 },
    { "mac", "MAC", COL_STR, 0, COL_WIDE, 0 },
    { "tap", "TAP", COL_STR, 0, COL_WIDE, 0 },
    { "device", "DEVICE", COL_STR, 0, COL_WIDE, 0 },
    { "project", "PROJECT", COL_STR, 0, COL_WIDE, 0 },
    { "task_count", "TASKS", COL_COUNT, 0, 0, 0 },
    { "states", "STATES", COL_NESTED, 0, COL_JSON, 0 },
    { "tasks", "TASKS", COL_NESTED, 0, COL_JSON, 0 },
};

/* Old DHCP agents put a subnet's id into the field "network" of one record and
 * the network's into another: what the API says the id is counts. */
static void fill_networks(const struct report_src *src, struct table *t)
{
    static const char *const kinds[] = { "network",
                                         "subnet",
                                         "port",
                                         "router",
                                         "floatingip",
                                         "security_group",
                                         "security_group_rule",
                                         NULL };
    struct things th;

    collect(&th, src, kinds);
    settle(&th, src);
    for (size_t i = 0; i < th.list.n; i++) {
        struct thing *v = th.list.at[i];

        table_row(t);
        table_str(t, v->id);
        table_str(t, v->kind);
        cell_str(t, v->name);
        cell_str(t, v->last_state);
        cell_str(t, v->network);
        cell_int(t, v->segmentation, STORE_NULL);
        cell_str(t, v->addresses);
        cell_str(t, v->mac);
        cell_str(t, v->tap);
        cell_str(t, v->device);
        cell_str(t, v->project);
        table_count(t, v->tasks.n);
        table_nested(t, emit_thing_states, v);
        table_nested(t, emit_thing_tasks, v);
    }
    things_free(&th);
}

const struct report_list list_networks = { "networks",
                                           "Networks, subnets, ports, routers and security groups",
                                           network_cols, ARRAY_SIZE(network_cols), fill_networks };
