/* SPDX-License-Identifier: Apache-2.0
 *
 * scopes.c -- which rows a page has: of an instance, a host, a request, a migration, or all.
 *
 * Layers come from the top down: what OpenStack knows, what QEMU does, what the kernels saw.  A
 * record is an item of a track; it has a sentence for who points at it. */
#include "serve/scopes_priv.h"

#include "model/qemu.h"
#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>

static struct filling filling_of(struct serve *s, struct scope *c)
{
    struct filling f = { s, c, s->src };

    f.src.mem = &c->mem;
    f.src.span = SPAN_ALL;
    return f;
}

int64_t shade_of(struct str text)
{
    return (int64_t)(hash_bytes(text.p ? text.p : "", text.n, 7) % shade_values.n);
}

struct item item_of(const struct filling *f, ns_t t0, ns_t t1)
{
    const struct span *all = &f->s->all;

    return (struct item){ .t0 = t0 != STORE_NULL   ? t0
                                : t1 != STORE_NULL ? t1
                                                   : all->t0,
                          .t1 = t1 != STORE_NULL ? t1 : all->t1 };
}

/* store_value and schema_value are the same thing for two layers. */
void set_legend(struct filling *f, struct row *like, const struct schema_values *v)
{
    struct store_value *values = arena_array(&f->c->mem, struct store_value, v->n);

    for (uint32_t i = 0; i < v->n; i++)
        values[i] = (struct store_value){ v->at[i].label, v->at[i].colour, v->at[i].bad };
    like->values = values;
    like->nvalues = v->n;
    like->legend = str_of(v->name);
}

/* --- tasks and steps ----------------------------------------------------------------------- */

/* A lane: tasks or steps of one service on one host. */
struct lane {
    struct str service;
    const char *host;
    VEC(struct item) items;
};
struct lanes {
    VEC(struct lane) list;
};

static struct lane *lane_of(struct lanes *lanes, struct str service, const char *host)
{
    for (size_t i = 0; i < lanes->list.n; i++)
        if (str_eq(lanes->list.at[i].service, service) && strcmp(lanes->list.at[i].host, host) == 0)
            return &lanes->list.at[i];
    struct lane *l = vec_push(&lanes->list);

    *l = (struct lane){ .service = service, .host = host };
    return l;
}

static void put_lanes(struct filling *f, struct lanes *lanes, const char *name, const char *kind,
                      struct str parent, struct str request)
{
    for (size_t i = 0; i < lanes->list.n; i++) {
        struct lane *l = &lanes->list.at[i];
        struct row like = { .parent = parent,
                            .kind = kind,
                            .layer = "application",
                            .host = l->host,
                            .service = l->service,
                            .unit = "",
                            .request = str_dup(&f->c->mem, request) };

        set_legend(f, &like, &task_status_values);
        like.label =
            str_of(arena_printf(&f->c->mem, STR_FMT " on %s", STR_ARG(l->service), l->host));
        scope_tracks(
            f->c, l->items.at, l->items.n, &like,
            arena_printf(&f->c->mem, "%s " STR_FMT "@%s", name, STR_ARG(l->service), l->host));
        vec_free(&l->items);
    }
    vec_free(&lanes->list);
}

static int64_t status_of(struct str status)
{
    if (str_starts(status, STR("fail")))
        return TASK_ERROR;
    return schema_value_of(&task_status_values, status, TASK_DONE);
}

static struct item task_item(const struct filling *f, const struct src_rows *r, const cell_t *row)
{
    struct item it = item_of(f, row[C_task_t0], row[C_task_t1]);
    struct str entity = src_text(r, row, C_task_entity), error = src_safe(r, row, C_task_error);

    it.value = status_of(src_text(r, row, C_task_status));
    it.request = src_text(r, row, C_task_request);
    it.label = src_text(r, row, C_task_task);
    it.detail = str_of(arena_printf(
        &f->c->mem, STR_FMT "%s" STR_FMT ", " STR_FMT " in " STR_FMT "%s" STR_FMT,
        STR_ARG(it.label), entity.n ? " of " : "", STR_ARG(entity),
        STR_ARG(src_text(r, row, C_task_status)), STR_ARG(src_text(r, row, C_task_service)),
        error.n ? ": " : "", STR_ARG(str_first(error, 300))));
    return it;
}

static struct item step_item(const struct filling *f, const struct src_rows *r, const cell_t *row)
{
    struct item it = item_of(f, row[C_step_t0], row[C_step_t1]);
    struct str detail = src_safe(r, row, C_step_detail);

    it.value = status_of(src_text(r, row, C_step_status));
    it.request = src_text(r, row, C_step_request);
    if (it.request.n == 0) /* who asks an API for nobody's sake: for the request that it makes */
        it.request = src_text(r, row, C_step_child);
    it.label =
        str_of(arena_printf(&f->c->mem, STR_FMT " " STR_FMT, STR_ARG(src_text(r, row, C_step_kind)),
                            STR_ARG(src_safe(r, row, C_step_name))));
    it.detail = str_of(arena_printf(&f->c->mem, STR_FMT "%s" STR_FMT, STR_ARG(it.label),
                                    detail.n ? ": " : "", STR_ARG(str_first(detail, 300))));
    return it;
}

/* Tasks of an instance, or of the requests that 'src.request' names. */
static size_t put_tasks(struct filling *f, struct str uuid, struct str name, struct str parent)
{
    struct src_rows r = src_rows(&f->src, TABLE_task);
    struct lanes lanes = { 0 };
    const cell_t *row;
    size_t n = 0;

    while ((row = src_next(&r))) {
        struct str of = src_text(&r, row, C_task_uuid), entity = src_text(&r, row, C_task_entity);
        bool is = f->src.request.n ? report_request_fits(&f->src, src_text(&r, row, C_task_request))
                                   : (uuid.n && str_eq(of, uuid)) ||
                                         (of.n == 0 && name.n && str_eq(entity, name));

        if (!is)
            continue;
        struct lane *l = lane_of(&lanes, src_text(&r, row, C_task_service), r.host);
        *vec_push(&l->items) = task_item(f, &r, row);
        n++;
    }
    put_lanes(f, &lanes, "task", "task", parent, f->src.request);
    return n;
}

/* Ids of what its steps asked of others, who may know it by a request of their own. */
static void find_asked(const struct filling *f, struct strtab *ret)
{
    struct src_rows r = src_rows(&f->src, TABLE_step);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str child = src_text(&r, row, C_step_child);

        if (child.n && report_request_fits(&f->src, src_text(&r, row, C_step_request)))
            strtab_id(ret, child);
    }
}

static size_t put_steps(struct filling *f, struct str parent)
{
    struct src_rows r = src_rows(&f->src, TABLE_step);
    struct strtab asked = { 0 };
    struct lanes lanes = { 0 };
    const cell_t *row;
    uint32_t id;
    size_t n = 0;

    find_asked(f, &asked);
    while ((row = src_next(&r))) {
        struct str child = src_text(&r, row, C_step_child);
        bool served = str_is(src_text(&r, row, C_step_kind), "served");

        if (!report_request_fits(&f->src, src_text(&r, row, C_step_request)) &&
            !report_request_fits(&f->src, child) &&
            !(served && child.n && strtab_find(&asked, child, &id)))
            continue;
        struct lane *l = lane_of(&lanes, src_text(&r, row, C_step_service), r.host);
        *vec_push(&l->items) = step_item(f, &r, row);
        n++;
    }
    strtab_free(&asked);
    put_lanes(f, &lanes, "step", "step", parent, f->src.request);
    return n;
}

/* --- threads ------------------------------------------------------------------------------- */

static void put_thread(struct filling *f, const struct whos *w, const struct who_thread *th,
                       struct str parent)
{
    const struct store *st = f->src.hosts[th->host];
    const struct who_owner *o = who_owner(w, th);
    char room[SCHEMA_PATH];
    uint32_t no;
    attr_t a;

    if (scope_full(f->c) ||
        !store_attr_find(st, schema_path_nr(ATTR_THREAD_STATE, th->tid, room), &a))
        return;
    char *id = arena_printf(&f->c->mem, "%s/%s", store_host(st), room);
    if (strtab_find(&f->c->ids, str_of(id), &no)) /* its number was given twice */
        return;
    struct row *r = scope_attr(f->s, f->c, st, a, parent);
    r->label =
        str_of(arena_printf(&f->c->mem, STR_FMT " (%" PRId64 ")", STR_ARG(th->comm), th->tid));
    r->kind = qemu_is_vcpu(th->comm) ? "vcpu" : "thread";
    r->pid = th->pid;
    if (o->kind == WHO_VM)
        r->vm = o->name.n ? o->name : o->uuid;
}

static void put_curve(struct filling *f, const struct who_process *p, enum schema_attr attr,
                      struct str parent)
{
    const struct store *st = f->src.hosts[p->host];
    char room[SCHEMA_PATH];
    attr_t a;

    if (scope_full(f->c) || !store_attr_find(st, schema_path_nr(attr, p->pid, room), &a))
        return;
    struct row *r = scope_attr(f->s, f->c, st, a, parent);
    r->label = str_of(arena_printf(&f->c->mem, STR_FMT " (%" PRId64 "): %s", STR_ARG(p->comm),
                                   p->pid, store_attr_family(st, a)->title));
}

/* vCPUs, then the other threads, then memory. */
static void put_process(struct filling *f, const struct whos *w, size_t process, struct str parent)
{
    const struct who_process *p = &w->processes.at[process];

    for (int others = 0; others <= 1; others++)
        for (size_t i = 0; i < w->threads.n; i++) {
            const struct who_thread *th = &w->threads.at[i];

            if (th->process == process && qemu_is_vcpu(th->comm) == !others)
                put_thread(f, w, th, parent);
        }
    put_curve(f, p, ATTR_PROCESS_RSS, parent);
    put_curve(f, p, ATTR_PROCESS_MAPPED, parent);
}

static struct str process_heading(struct filling *f, const struct whos *w, size_t process)
{
    const struct who_process *p = &w->processes.at[process];
    const char *host = whos_host(w, p->host);
    struct row *r =
        scope_heading(f->c, arena_printf(&f->c->mem, "process %zu", process),
                      str_of(arena_printf(&f->c->mem, STR_FMT " (process %" PRId64 ") on %s",
                                          STR_ARG(p->comm), p->pid, host)),
                      "kernel");

    r->host = host;
    r->pid = p->pid;
    return r->id;
}

/* Processes of an owner, or of the host. */
static size_t put_owned(struct filling *f, enum who_kind kind, struct str name, struct str uuid,
                        uint32_t host)
{
    const struct whos *w = serve_whos(f->s);
    size_t n = 0;

    for (size_t i = 0; i < w->processes.n && !scope_full(f->c); i++) {
        const struct who_process *p = &w->processes.at[i];
        const struct who_owner *o = &w->owners.at[p->owner];
        bool named = host != UINT32_MAX || (uuid.n && str_eq(o->uuid, uuid)) ||
                     (name.n && str_eq(o->name, name));

        if (o->kind != kind || !named || (host != UINT32_MAX && p->host != host))
            continue;
        put_process(f, w, i, process_heading(f, w, i));
        n++;
    }
    return n;
}

/* --- migrations ---------------------------------------------------------------------------- */

static void put_migration_process(struct filling *f, uint32_t host, int64_t pid)
{
    const struct whos *w = serve_whos(f->s);

    for (size_t i = 0; host != UINT32_MAX && pid > 0 && i < w->processes.n; i++)
        if (w->processes.at[i].host == host && w->processes.at[i].pid == pid)
            put_process(f, w, i, process_heading(f, w, i));
}

static bool fill_migration(struct filling *f, struct str id)
{
    size_t n;
    const struct migration *m = migrations_find(serve_diagnosis(f->s)->migrations, id, &n);

    if (!m)
        return false;
    put_migration(f, m, STR(""));
    put_downtimes(f, m, STR(""));
    put_migration_process(f, m->source_host, m->source_pid);
    put_migration_process(f, m->destination_host, m->destination_pid);
    return true;
}

/* --- instances ----------------------------------------------------------------------------- */

/* The joined states of an instance. */
static void put_vm_states(struct filling *f, struct str key, struct str name, struct str parent)
{
    struct src_rows r = src_rows_global(&f->src, TABLE_vm_state);
    VEC(struct item) states = { 0 }, tasks = { 0 };
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str task = src_text(&r, row, C_vm_state_task_state);

        if (!str_eq(src_text(&r, row, C_vm_state_key), key))
            continue;
        struct item it = item_of(f, row[0], row[1]);
        struct str label = src_text(&r, row, C_vm_state_state);
        it.value = schema_value_of(&vm_state_values, label, VM_OTHER);
        it.detail = str_of(arena_printf(
            &f->c->mem, STR_FMT "%s" STR_FMT ", as " STR_FMT " tells%s" STR_FMT, STR_ARG(label),
            task.n ? ", " : "", STR_ARG(task), STR_ARG(src_text(&r, row, C_vm_state_source)),
            src_text(&r, row, C_vm_state_violation).n ? "; " : "",
            STR_ARG(src_text(&r, row, C_vm_state_violation))));
        *vec_push(&states) = it;
        if (task.n) {
            it.label = task;
            it.value = shade_of(task);
            *vec_push(&tasks) = it;
        }
    }
    struct row like = { .parent = parent,
                        .kind = "vm-state",
                        .layer = "application",
                        .host = "",
                        .unit = "",
                        .vm = name };
    like.label = str_of(arena_printf(&f->c->mem, STR_FMT ": state", STR_ARG(name)));
    set_legend(f, &like, &vm_state_values);
    scope_tracks(f->c, states.at, states.n, &like,
                 arena_printf(&f->c->mem, "state " STR_FMT, STR_ARG(key)));
    like.kind = "vm-task";
    like.label = str_of(arena_printf(&f->c->mem, STR_FMT ": task state", STR_ARG(name)));
    set_legend(f, &like, &shade_values);
    scope_tracks(f->c, tasks.at, tasks.n, &like,
                 arena_printf(&f->c->mem, "task-state " STR_FMT, STR_ARG(key)));
    vec_free(&states);
    vec_free(&tasks);
}

static size_t put_vm_migrations(struct filling *f, struct str name, struct str uuid)
{
    const struct migrations *ms = serve_diagnosis(f->s)->migrations;
    size_t n = 0;

    for (size_t i = 0; i < ms->list.n; i++) {
        const struct migration *m = &ms->list.at[i];

        if (!((uuid.n && str_eq(m->uuid, uuid)) || (name.n && str_eq(m->vm, name))))
            continue;
        put_migration(f, m, STR(""));
        n++;
    }
    return n;
}

static bool fill_vm(struct filling *f, struct str id)
{
    struct src_rows r = src_rows_global(&f->src, TABLE_vm);
    struct str name = id, uuid = STR("");
    const cell_t *row;
    size_t n = 0;

    while ((row = src_next(&r))) {
        struct str u = src_text(&r, row, C_vm_uuid), v = src_text(&r, row, C_vm_vm);

        if (!str_eq(u, id) && !str_eq(v, id) && !str_eq(src_text(&r, row, C_vm_libvirt_name), id))
            continue;
        name = v.n ? v : name;
        uuid = u.n ? u : uuid;
        put_vm_states(f, src_text(&r, row, C_vm_key), v.n ? v : u, STR(""));
        n += 1 + put_tasks(f, u, v, STR(""));
    }
    n += put_vm_migrations(f, name, uuid);
    n += put_owned(f, WHO_VM, name, uuid, UINT32_MAX);
    return n > 0;
}

/* --- hosts --------------------------------------------------------------------------------- */

struct numbered {
    struct str hole;
    int64_t number; /* INT64_MAX: its name is none */
    attr_t attr;
};

/* CPU 2 comes before CPU 10, and both before what has a name. */
static int by_number(const void *a, const void *b)
{
    const struct numbered *x = a, *y = b;

    return x->number != y->number ? (x->number < y->number ? -1 : 1) : str_cmp(x->hole, y->hole);
}

static void put_family(struct filling *f, const struct store *st, enum schema_attr attr,
                       struct str parent)
{
    struct str path = str_of(schema_attrs[attr].path);
    VEC(struct numbered) found = { 0 };
    struct sbuf pattern = { 0 };
    attr_t it = 0, a;

    sbuf_fmt(&pattern, STR_FMT "*" STR_FMT, STR_ARG(str_first(path, str_chr(path, '{', 0))),
             STR_ARG(str_from(path, str_chr(path, '}', 0) + 1)));
    while (store_attr_match(st, sbuf_view(&pattern), &it, &a)) {
        struct numbered n = { schema_hole(attr, store_attr_path(st, a)), INT64_MAX, a };

        str_i64(n.hole, &n.number);
        *vec_push(&found) = n;
    }
    if (found.n)
        qsort(found.at, found.n, sizeof *found.at, by_number);
    for (size_t i = 0; i < found.n && !scope_full(f->c); i++)
        scope_attr(f->s, f->c, st, found.at[i].attr, parent);
    vec_free(&found);
    sbuf_free(&pattern);
}

static bool fill_host(struct filling *f, struct str id)
{
    static const enum schema_attr families[] = { ATTR_SERVICE_LEVEL,  ATTR_CPU_STATE,
                                                 ATTR_NODE_RAM_USED,  ATTR_NODE_RAM_TOTAL,
                                                 ATTR_NODE_VCPU_USED, ATTR_NODE_VCPU_TOTAL,
                                                 ATTR_NODE_DISK_USED, ATTR_DISK_WAITING,
                                                 ATTR_DISK_DRIVER };
    uint32_t host = 0;

    while (host < f->src.nhosts && !str_is(id, store_host(f->src.hosts[host])))
        host++;
    if (host == f->src.nhosts)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(families); i++)
        put_family(f, f->src.hosts[host], families[i], STR(""));
    put_owned(f, WHO_VM, STR(""), STR(""), host);
    put_owned(f, WHO_SERVICE, STR(""), STR(""), host);
    put_owned(f, WHO_PROCESS, STR(""), STR(""), host);
    return true;
}

/* --- requests, all ------------------------------------------------------------------------- */

static bool fill_request(struct filling *f, struct str id)
{
    f->src.request = str_dup(&f->c->mem, id);
    if (id.n == 0)
        return false;
    size_t n = put_tasks(f, STR(""), STR(""), STR(""));
    n += put_steps(f, STR(""));
    return n > 0;
}

static bool fill_all(struct filling *f)
{
    struct src_rows r = src_rows_global(&f->src, TABLE_vm);
    const cell_t *row;

    while ((row = src_next(&r)) && !scope_full(f->c)) {
        struct str v = src_text(&r, row, C_vm_vm), u = src_text(&r, row, C_vm_uuid);

        put_vm_states(f, src_text(&r, row, C_vm_key), v.n ? v : u, STR(""));
    }
    if (row)
        src_end(&r);
    const struct migrations *ms = serve_diagnosis(f->s)->migrations;
    for (size_t i = 0; i < ms->list.n && !scope_full(f->c); i++) {
        put_stages(f, &ms->list.at[i], "nova", "Nova", "application", STR(""));
        put_stages(f, &ms->list.at[i], "qemu", "QEMU", "virtualisation", STR(""));
    }
    for (uint32_t i = 0; i < f->src.nhosts && !scope_full(f->c); i++) {
        const struct store *st = f->src.hosts[i];
        struct row *h = scope_heading(f->c, arena_printf(&f->c->mem, "host %s", store_host(st)),
                                      str_of(store_host(st)), "kernel");
        struct str parent = h->id;

        put_family(f, st, ATTR_SERVICE_LEVEL, parent);
        put_family(f, st, ATTR_CPU_STATE, parent);
    }
    return true;
}

/* --- everything of a kind ------------------------------------------------------------------ */

static bool fill_vms(struct filling *f)
{
    struct src_rows r = src_rows_global(&f->src, TABLE_vm);
    const struct whos *w = serve_whos(f->s);
    const cell_t *row;

    while ((row = src_next(&r)) && !scope_full(f->c)) {
        struct str v = src_text(&r, row, C_vm_vm), u = src_text(&r, row, C_vm_uuid);

        put_vm_states(f, src_text(&r, row, C_vm_key), v.n ? v : u, STR(""));
        put_vm_migrations(f, v, u);
    }
    if (row)
        src_end(&r);
    for (size_t i = 0; i < w->processes.n && !scope_full(f->c); i++)
        if (w->owners.at[w->processes.at[i].owner].kind == WHO_VM)
            put_process(f, w, i, process_heading(f, w, i));
    return true;
}

/* A heading for a request, with the lanes of its tasks below. */
static void put_request(struct filling *f, struct str id, const struct src_group *g)
{
    struct lanes lanes = { 0 };
    struct row *h = scope_heading(f->c, str_dup(&f->c->mem, id).p, id, "application");
    struct str parent = h->id;

    h->request = str_dup(&f->c->mem, id);
    for (size_t k = 0; k < g->rows.n; k++) {
        struct src_rows at = { .src = &f->src,
                               .table = TABLE_task,
                               .store = g->rows.at[k].store,
                               .host = g->rows.at[k].host };
        const cell_t *row = g->rows.at[k].row;

        *vec_push(&lane_of(&lanes, src_text(&at, row, C_task_service), at.host)->items) =
            task_item(f, &at, row);
    }
    put_lanes(f, &lanes, arena_printf(&f->c->mem, "task " STR_FMT, STR_ARG(id)), "task", parent,
              id);
}

static bool fill_requests(struct filling *f)
{
    struct src_index by_request;

    src_index_make(&f->src, TABLE_task, false, C_task_request, &by_request);
    for (uint32_t i = 1; i < by_request.keys.strs.n && !scope_full(f->c); i++) {
        struct str id = strtab_get(&by_request.keys, i);

        put_request(f, id, src_index_find(&by_request, id));
    }
    src_index_free(&by_request);
    return true;
}

static bool fill_services(struct filling *f)
{
    struct src_rows r = src_rows(&f->src, TABLE_task);
    struct lanes lanes = { 0 };
    const cell_t *row;

    for (uint32_t i = 0; i < f->src.nhosts; i++)
        put_family(f, f->src.hosts[i], ATTR_SERVICE_LEVEL, STR(""));
    while ((row = src_next(&r)))
        *vec_push(&lane_of(&lanes, src_text(&r, row, C_task_service), r.host)->items) =
            task_item(f, &r, row);
    put_lanes(f, &lanes, "task", "task", STR(""), STR(""));
    return true;
}

static bool fill_families(struct filling *f, const enum schema_attr *attrs, size_t n)
{
    for (uint32_t i = 0; i < f->src.nhosts; i++) {
        const struct store *st = f->src.hosts[i];
        char *name = arena_printf(&f->c->mem, "host %s", store_host(st));
        struct str parent = scope_heading(f->c, name, str_of(store_host(st)), "kernel")->id;

        for (size_t k = 0; k < n; k++)
            put_family(f, st, attrs[k], parent);
    }
    return true;
}

static bool fill_threads(struct filling *f)
{
    static const enum schema_attr cpus[] = { ATTR_CPU_STATE };
    const struct whos *w = serve_whos(f->s);

    fill_families(f, cpus, ARRAY_SIZE(cpus));
    for (size_t i = 0; i < w->processes.n && !scope_full(f->c); i++)
        put_process(f, w, i, process_heading(f, w, i));
    return true;
}

static bool fill_migrations(struct filling *f)
{
    const struct migrations *ms = serve_diagnosis(f->s)->migrations;

    for (size_t i = 0; i < ms->list.n && !scope_full(f->c); i++) {
        const struct migration *m = &ms->list.at[i];
        struct row *h = scope_heading(f->c, str_dup(&f->c->mem, m->id).p, m->id, "virtualisation");
        struct str parent = h->id;

        h->vm = m->vm;
        put_migration(f, m, parent);
        put_downtimes(f, m, parent);
    }
    return true;
}

static const enum schema_attr volumes[] = { ATTR_VOLUME_STATE };
static const enum schema_attr disks[] = { ATTR_DISK_WAITING, ATTR_DISK_DRIVER };
static const enum schema_attr resources[] = { ATTR_NODE_RAM_USED,  ATTR_NODE_RAM_TOTAL,
                                              ATTR_NODE_VCPU_USED, ATTR_NODE_VCPU_TOTAL,
                                              ATTR_NODE_DISK_USED, ATTR_PROCESS_RSS };

/* What has a function of its own, and what is attributes only. */
static const struct {
    const char *name;
    bool (*fill)(struct filling *f);
    const enum schema_attr *attrs;
    size_t nattrs;
} kinds[] = {
    { "all", fill_all, NULL, 0 },
    { "vms", fill_vms, NULL, 0 },
    { "requests", fill_requests, NULL, 0 },
    { "services", fill_services, NULL, 0 },
    { "threads", fill_threads, NULL, 0 },
    { "migrations", fill_migrations, NULL, 0 },
    { "volumes", NULL, volumes, ARRAY_SIZE(volumes) },
    { "disks", NULL, disks, ARRAY_SIZE(disks) },
    { "resources", NULL, resources, ARRAY_SIZE(resources) },
};

static bool fill_kind(struct filling *f, struct str kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_is(kind, kinds[i].name))
            return kinds[i].fill ? kinds[i].fill(f)
                                 : fill_families(f, kinds[i].attrs, kinds[i].nattrs);
    return false;
}

bool scope_fill(struct serve *s, struct scope *c, struct str kind, struct str id)
{
    struct filling f = filling_of(s, c);

    if (id.n == 0)
        return fill_kind(&f, kind);
    if (str_is(kind, "vm"))
        return fill_vm(&f, id);
    if (str_is(kind, "host"))
        return fill_host(&f, id);
    if (str_is(kind, "request"))
        return fill_request(&f, id);
    return str_is(kind, "migration") && fill_migration(&f, id);
}
