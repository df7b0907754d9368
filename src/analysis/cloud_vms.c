/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud_vms.c -- every instance of the cloud: its names joined by evidence, and
 * its states over time on whatever host it was.
 *
 * Names are joined through the instance's uuid, never by guessing from their
 * text (the name of a process or of a libvirt domain need not resemble that of
 * the instance).  A name that evidence ties to two uuids is two instances, and
 * both say so. */
#include "analysis/cloud.h"
#include "model/lifecycle.h"

#include <stdlib.h>

enum vm_fact {
    F_LIBVIRT,
    F_PROJECT,
    F_PROJECT_NAME,
    F_USER,
    F_USER_NAME,
    F_FLAVOR,
    F_IMAGE,
    F_PORT,
    F_TAP,
    F_MAC,
    F_DISK,
    F_VOLUME,
    F_COUNT
};
static const char *const fact_kinds[F_COUNT] = {
    [F_LIBVIRT] = "libvirt", [F_PROJECT] = "project",     [F_PROJECT_NAME] = "project_name",
    [F_USER] = "user",       [F_USER_NAME] = "user_name", [F_FLAVOR] = "flavor",
    [F_IMAGE] = "image",     [F_PORT] = "port",           [F_TAP] = "tap",
    [F_MAC] = "mac",         [F_DISK] = "disk",           [F_VOLUME] = "volume",
};

struct seen {
    ns_t t;
    struct str state, task, node, source, request;
    bool task_told;
    uint32_t order; /* among equal times */
};

struct vm {
    struct str uuid, name;
    struct text_set facts[F_COUNT], hosts, evidence, names;
    VEC(struct seen) seen;
    ns_t t0, t1;
    bool real;   /* more than a uuid that a line mentions */
    cell_t word; /* enum vm_word: the weightiest that tells of its states */
};

struct vms {
    VEC(struct vm) list;
    struct strtab keys;    /* uuid -> position + 1 */
    struct strtab names;   /* name -> id           */
    VEC(uint32_t) by_name; /* name id -> position of the last with this name + 1 */
    VEC(uint32_t) shared;  /* name id -> number of uuids */
    struct map64 at;       /* key id -> position   */
};

static struct vm *vm_at(struct vms *v, struct str key)
{
    uint32_t id = strtab_id(&v->keys, key), at;

    if (!map64_get(&v->at, id, &at)) {
        at = (uint32_t)v->list.n;
        *vec_push(&v->list) = (struct vm){ .t0 = NS_MAX, .t1 = NS_MIN };
        map64_set(&v->at, id, at);
    }
    return &v->list.at[at];
}

static void name_vm(struct vms *v, struct str uuid, struct str name, struct str evidence)
{
    struct vm *vm = vm_at(v, uuid);

    if (uuid.n == 0 || name.n == 0)
        return;
    vm->uuid = uuid;
    vm->real = true;
    if (vm->name.n == 0)
        vm->name = name;
    text_set_add(&vm->names, name);
    text_set_add(&vm->evidence, evidence);
    uint32_t id = strtab_id(&v->names, name);
    while (v->by_name.n <= id)
        *vec_push(&v->by_name) = 0;
    while (v->shared.n <= id)
        *vec_push(&v->shared) = 0;
    uint32_t at = (uint32_t)(vm - v->list.at) + 1;
    if (v->by_name.at[id] != at)
        v->shared.at[id]++;
    v->by_name.at[id] = at;
}

/* Pass 1: which name belongs to which uuid.  Stronger evidence is read first so
 * that it names the instance. */
static void read_names(struct vms *v, const struct cloud *c)
{
    static const char *const kinds[] = { "libvirt domain XML in the log", "record of Nova", NULL };

    for (int round = 0; round < 3; round++) {
        struct cloud_rows r = cloud_rows(c, TABLE_ident);
        const struct store *s;
        const cell_t *row;

        while ((row = cloud_rows_next(&r, &s))) {
            struct str ev = store_text(s, row[C_ident_evidence]);
            bool a_uuid = str_is(store_text(s, row[C_ident_akind]), "uuid");
            bool b_vm = str_is(store_text(s, row[C_ident_bkind]), "vm");
            bool a_vm = str_is(store_text(s, row[C_ident_akind]), "vm");
            int strength = str_is(ev, kinds[0]) ? 0 : str_is(ev, kinds[1]) ? 1 : 2;

            if (strength != round)
                continue;
            if (a_uuid && b_vm)
                name_vm(v, store_text(s, row[C_ident_a]), store_text(s, row[C_ident_b]), ev);
            else if (a_vm)
                name_vm(v, store_text(s, row[C_ident_b]), store_text(s, row[C_ident_a]), ev);
        }
    }
}

/* The instance that a record speaks of: by uuid, else by its name if only one
 * uuid has it, else by the name alone. */
static struct vm *find_vm(struct vms *v, struct str uuid, struct str name)
{
    uint32_t id;

    if (uuid.n) {
        struct vm *vm = vm_at(v, uuid);
        vm->uuid = uuid;
        if (vm->name.n == 0)
            vm->name = name;
        return vm;
    }
    if (strtab_find(&v->names, name, &id) && id < v->by_name.n && v->by_name.at[id])
        return &v->list.at[v->by_name.at[id] - 1];
    struct vm *vm = vm_at(v, name);
    vm->name = name;
    return vm;
}

/* Pass 2: everything else that is tied to the uuid. */
static void read_facts(struct vms *v, const struct cloud *c)
{
    struct cloud_rows r = cloud_rows(c, TABLE_ident);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&r, &s))) {
        struct str kind = store_text(s, row[C_ident_bkind]);

        if (!str_is(store_text(s, row[C_ident_akind]), "uuid"))
            continue;
        for (int f = 0; f < F_COUNT; f++)
            if (str_is(kind, fact_kinds[f])) {
                struct vm *vm = vm_at(v, store_text(s, row[C_ident_a]));

                vm->uuid = store_text(s, row[C_ident_a]);
                vm->real |= f == F_LIBVIRT;
                text_set_add(&vm->facts[f], store_text(s, row[C_ident_b]));
                text_set_add(&vm->evidence, store_text(s, row[C_ident_evidence]));
            }
    }
}

/* Which records tell of each instance's states. */
static void weigh_words(struct vms *v, const struct cloud *c)
{
    struct cloud_rows r = cloud_rows(c, TABLE_vm_seen);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&r, &s))) {
        struct str uuid = store_text(s, row[C_vm_seen_uuid]);
        struct str name = store_text(s, row[C_vm_seen_vm]);
        cell_t word = row[C_vm_seen_firm];

        if (word == WORD_OBSERVED || (uuid.n == 0 && name.n == 0))
            continue;
        struct vm *vm = find_vm(v, uuid, name);
        vm->real = true;
        if (vm->word == WORD_OBSERVED || word < vm->word)
            vm->word = word;
    }
}

static void read_states(struct vms *v, const struct cloud *c)
{
    struct cloud_rows r = cloud_rows(c, TABLE_vm_seen);
    const struct store *s;
    const cell_t *row;
    uint32_t order = 0;

    while ((row = cloud_rows_next(&r, &s))) {
        struct str uuid = store_text(s, row[C_vm_seen_uuid]);
        struct str name = store_text(s, row[C_vm_seen_vm]);
        cell_t word = row[C_vm_seen_firm];

        if (word == WORD_OBSERVED || (uuid.n == 0 && name.n == 0))
            continue;
        struct vm *vm = find_vm(v, uuid, name);
        text_set_add(&vm->facts[F_PROJECT], store_text(s, row[C_vm_seen_project]));
        text_set_add(&vm->facts[F_USER], store_text(s, row[C_vm_seen_user]));
        /* The end of a deletion may be told by its own record alone. */
        if (word != vm->word && !str_is(store_text(s, row[C_vm_seen_state]), "deleted"))
            continue;
        *vec_push(&vm->seen) = (struct seen){ .t = row[C_vm_seen_t0],
                                              .state = store_text(s, row[C_vm_seen_state]),
                                              .task = store_text(s, row[C_vm_seen_task_state]),
                                              .task_told = row[C_vm_seen_task_state] != STORE_NULL,
                                              .node = store_text(s, row[C_vm_seen_node]),
                                              .source = store_text(s, row[C_vm_seen_source]),
                                              .request = store_text(s, row[C_vm_seen_request]),
                                              .order = order++ };
    }
}

/* Tasks tell when and where an instance was worked on. */
static void read_tasks(struct vms *v, const struct cloud *c)
{
    struct cloud_rows r = cloud_rows(c, TABLE_task);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&r, &s))) {
        struct str uuid = store_text(s, row[C_task_uuid]);

        if (!str_is(store_text(s, row[C_task_kind]), "instance") || uuid.n == 0)
            continue;
        struct vm *vm = vm_at(v, uuid);
        vm->uuid = uuid;
        if (vm->name.n == 0 && !str_eq(store_text(s, row[C_task_entity]), uuid))
            vm->name = store_text(s, row[C_task_entity]);
        vm->real = true;
    }
}

static int by_time(const void *a, const void *b)
{
    const struct seen *x = a, *y = b;

    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

/* The state as people see it: an active instance whose task is "migrating" is
 * migrating. */
static struct str shown_state(const struct seen *s)
{
    return str_is(s->state, "active") && str_is(s->task, "migrating")
               ? str_of(vm_state_values.at[VM_MIGRATING].label)
               : s->state;
}

static struct str violation(struct cloud *c, const struct seen *from, const struct seen *to,
                            struct arena *mem)
{
    enum vm_state a = (enum vm_state)schema_value_of(&vm_state_values, shown_state(from), VM_OTHER);
    enum vm_state b = (enum vm_state)schema_value_of(&vm_state_values, shown_state(to), VM_OTHER);

    (void)c;
    if (lifecycle_allows(a, b))
        return STR("");
    return str_of(arena_printf(mem, STR_FMT " does not follow " STR_FMT, STR_ARG(shown_state(to)),
                               STR_ARG(shown_state(from))));
}

static void write_states(struct cloud *c, struct vm *vm, struct str key)
{
    struct arena mem = { 0 };

    if (vm->seen.n)
        qsort(vm->seen.at, vm->seen.n, sizeof *vm->seen.at, by_time);
    for (size_t i = 1; i < vm->seen.n; i++) /* not told: as before, in the same state */
        if (!vm->seen.at[i].task_told && str_eq(vm->seen.at[i].state, vm->seen.at[i - 1].state))
            vm->seen.at[i].task = vm->seen.at[i - 1].task;
    for (size_t i = 0; i < vm->seen.n;) {
        const struct seen *s = &vm->seen.at[i];
        size_t k = i + 1;
        struct str node = s->node;

        /* The host alone may become known later: that is no new state. */
        while (k < vm->seen.n && str_eq(vm->seen.at[k].task, s->task) &&
               str_eq(vm->seen.at[k].state, s->state) &&
               (str_eq(vm->seen.at[k].node, node) || vm->seen.at[k].node.n == 0 || node.n == 0)) {
            if (node.n == 0)
                node = vm->seen.at[k].node;
            k++;
        }
        const struct seen *n = k < vm->seen.n ? &vm->seen.at[k] : NULL;
        text_set_add(&vm->hosts, node);
        cell_t cells[vm_state_columns] = {
            [C_vm_state_t0] = s->t,
            [C_vm_state_t1] = n ? n->t : STORE_NULL,
            [C_vm_state_key] = cloud_text(c, key),
            [C_vm_state_state] = cloud_text(c, shown_state(s)),
            [C_vm_state_task_state] = cloud_text(c, s->task),
            [C_vm_state_host] = cloud_text(c, node),
            [C_vm_state_source] = cloud_text(c, s->source),
            [C_vm_state_request] = cloud_text(c, s->request),
            [C_vm_state_violation] =
                cloud_text(c, i ? violation(c, &vm->seen.at[i - 1], s, &mem) : STR("")),
        };
        cloud_record(c, TABLE_vm_state, cells);
        i = k;
    }
    if (vm->seen.n) {
        vm->t0 = vm->seen.at[0].t;
        vm->t1 = vm->seen.at[vm->seen.n - 1].t;
    }
    arena_free(&mem);
}

static void write_vm(struct cloud *c, struct vms *v, struct vm *vm)
{
    struct str key = vm->uuid.n ? vm->uuid : vm->name;
    struct sbuf doubt = { 0 };
    uint32_t id;

    write_states(c, vm, key);
    if (vm->name.n && strtab_find(&v->names, vm->name, &id) && id < v->shared.n &&
        v->shared.at[id] > 1)
        sbuf_fmt(&doubt, "%u instances have the name " STR_FMT, v->shared.at[id],
                 STR_ARG(vm->name));
    if (vm->names.at.n > 1)
        sbuf_fmt(&doubt, "%sit has %zu names", doubt.n ? "; " : "", vm->names.at.n);
    if (vm->uuid.n == 0)
        sbuf_fmt(&doubt, "%sonly its name is known, no uuid", doubt.n ? "; " : "");
    cell_t cells[vm_columns] = {
        [C_vm_t0] = vm->t0 == NS_MAX ? STORE_NULL : vm->t0,
        [C_vm_t1] = vm->t1 == NS_MIN ? STORE_NULL : vm->t1,
        [C_vm_vm] = cloud_text(c, vm->name),
        [C_vm_uuid] = cloud_text(c, vm->uuid),
        [C_vm_libvirt_name] = text_set_cell(c, &vm->facts[F_LIBVIRT]),
        [C_vm_project] = text_set_cell(c, &vm->facts[F_PROJECT]),
        [C_vm_project_name] = text_set_cell(c, &vm->facts[F_PROJECT_NAME]),
        [C_vm_user] = text_set_cell(c, &vm->facts[F_USER]),
        [C_vm_user_name] = text_set_cell(c, &vm->facts[F_USER_NAME]),
        [C_vm_flavor] = text_set_cell(c, &vm->facts[F_FLAVOR]),
        [C_vm_image] = text_set_cell(c, &vm->facts[F_IMAGE]),
        [C_vm_hosts] = text_set_cell(c, &vm->hosts),
        [C_vm_ports] = text_set_cell(c, &vm->facts[F_PORT]),
        [C_vm_taps] = text_set_cell(c, &vm->facts[F_TAP]),
        [C_vm_macs] = text_set_cell(c, &vm->facts[F_MAC]),
        [C_vm_disks] = text_set_cell(c, &vm->facts[F_DISK]),
        [C_vm_volumes] = text_set_cell(c, &vm->facts[F_VOLUME]),
        [C_vm_evidence] = text_set_cell(c, &vm->evidence),
        [C_vm_doubt] = cloud_text(c, sbuf_view(&doubt)),
        [C_vm_key] = cloud_text(c, key),
    };
    cloud_record(c, TABLE_vm, cells);
    sbuf_free(&doubt);
}

static void vms_free(struct vms *v)
{
    for (size_t i = 0; i < v->list.n; i++) {
        struct vm *vm = &v->list.at[i];

        for (int f = 0; f < F_COUNT; f++)
            text_set_free(&vm->facts[f]);
        text_set_free(&vm->hosts);
        text_set_free(&vm->evidence);
        text_set_free(&vm->names);
        vec_free(&vm->seen);
    }
    vec_free(&v->list);
    vec_free(&v->by_name);
    vec_free(&v->shared);
    strtab_free(&v->keys);
    strtab_free(&v->names);
    map64_free(&v->at);
}

static struct str joined(const struct text_set *s, struct arena *mem)
{
    struct sbuf b = { 0 };

    for (size_t i = 0; i < s->at.n; i++)
        sbuf_fmt(&b, "%s" STR_FMT, i ? "," : "", STR_ARG(s->at.at[i]));
    struct str text = str_dup(mem, sbuf_view(&b));
    sbuf_free(&b);
    return text;
}

/* The processes of instances are found by the names that these turn out to have. */
static void map_processes(struct cloud *c, const struct vms *v)
{
    VEC(struct vm_names) names = { 0 };
    struct arena mem = { 0 };

    for (size_t i = 0; i < v->list.n; i++) {
        const struct vm *vm = &v->list.at[i];

        if (vm->real)
            *vec_push(&names) = (struct vm_names){ .uuid = vm->uuid,
                                                   .name = vm->name,
                                                   .libvirt = joined(&vm->facts[F_LIBVIRT], &mem),
                                                   .taps = joined(&vm->facts[F_TAP], &mem),
                                                   .hosts = joined(&vm->hosts, &mem) };
    }
    cloud_mappings(c, names.at, names.n);
    vec_free(&names);
    arena_free(&mem);
}

static void global(struct cloud *c)
{
    struct vms v = { 0 };

    strtab_id(&v.keys, STR(""));
    strtab_id(&v.names, STR(""));
    read_names(&v, c);
    read_facts(&v, c);
    read_tasks(&v, c);
    weigh_words(&v, c);
    read_states(&v, c);
    for (size_t i = 0; i < v.list.n; i++)
        if (v.list.at[i].real)
            write_vm(c, &v, &v.list.at[i]);
    map_processes(c, &v);
    vms_free(&v);
}

const struct analysis an_cloud_vms = {
    .name = "cloud-vms",
    .title = "Instances: names joined by evidence, states over time",
    .layer = "application",
    .doc = "Joins what all hosts know of an instance (uuid, name, libvirt name, ports, tap "
           "devices, disks, volumes, user, project) and follows its states; a state that may not "
           "follow the one before is marked.",
    .global = global,
};
