/* SPDX-License-Identifier: Apache-2.0
 *
 * show.c -- one instance or one task, described; requests are in
 * show_request.c. */
#include "report/breakdown.h"
#include "report/sections.h"

#include <stdlib.h>

/* --- an instance ----------------------------------------------------------------- */

static const struct column fact_cols[] = {
    { "what", "WHAT", COL_STR, 0, 0, 0 },
    { "value", "VALUE", COL_STR, 0, 0, 0 },
    { "evidence", "EVIDENCE", COL_STR, 0, 0, 0 },
};

static const struct column state_cols[] = {
    { "start_ns", "FROM", COL_INSTANT, 0, 0, 0 },    { "state", "STATE", COL_STR, 0, 0, 0 },
    { "task_state", "TASK", COL_STR, 0, 0, 0 },      { "host", "HOST", COL_STR, 0, 0, 0 },
    { "duration_ns", "FOR", COL_DURATION, 0, 0, 0 }, { "source", "TOLD BY", COL_STR, 0, 0, 0 },
    { "request_id", "REQUEST", COL_STR, 0, 0, 0 },   { "violation", "VIOLATION", COL_STR, 0, 0, 0 },
};

static const struct column seen_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 },   { "event", "EVENT", COL_STR, 0, 0, 0 },
    { "state", "STATE", COL_STR, 0, 0, 0 },       { "task_state", "TASK", COL_STR, 0, 0, 0 },
    { "power_state", "POWER", COL_INT, 0, 0, 0 }, { "host", "HOST", COL_STR, 0, 0, 0 },
};

static void fact(struct table *t, struct str what, struct str value, struct str evidence)
{
    if (value.n == 0)
        return;
    table_row(t);
    table_str(t, what);
    table_str(t, value);
    cell_str(t, evidence);
}

/* Every name that any host ties to the uuid, each with its evidence. */
static void identity(const struct report_src *src, struct str uuid, struct table *t)
{
    struct src_rows r = src_rows(src, TABLE_ident);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str ev = str_of(arena_printf(src->mem, STR_FMT " (%s)",
                                            STR_ARG(src_text(&r, row, C_ident_evidence)), r.host));

        if (str_eq(src_text(&r, row, C_ident_a), uuid) && uuid.n)
            fact(t, src_text(&r, row, C_ident_bkind), src_text(&r, row, C_ident_b), ev);
        else if (str_eq(src_text(&r, row, C_ident_b), uuid) && uuid.n)
            fact(t, src_text(&r, row, C_ident_akind), src_text(&r, row, C_ident_a), ev);
    }
}

static void vm_states(const struct report_src *src, struct str key, struct table *t)
{
    struct src_rows r = src_rows_global(src, TABLE_vm_state);
    const cell_t *row;

    while ((row = src_next(&r))) {
        if (!str_eq(src_text(&r, row, C_vm_state_key), key))
            continue;
        table_row(t);
        table_ns(t, row[C_vm_state_t0]);
        cell_str(t, src_text(&r, row, C_vm_state_state));
        cell_str(t, src_text(&r, row, C_vm_state_task_state));
        cell_str(t, src_text(&r, row, C_vm_state_host));
        cell_ns(t, row_length(row));
        cell_str(t, src_text(&r, row, C_vm_state_source));
        cell_str(t, src_text(&r, row, C_vm_state_request));
        cell_str(t, src_text(&r, row, C_vm_state_violation));
    }
}

/* Nova numbers power states: 1 running, 3 paused, 4 shut down, 7 suspended. */
static void vm_observed(const struct report_src *src, struct str uuid, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_vm_seen, &n);

    for (size_t i = 0; i < n; i++) {
        const struct src_row *r = &rows[i];

        if (r->row[C_vm_seen_firm] > 0 || uuid.n == 0 || /* a record: see States */
            !str_eq(row_text(r, C_vm_seen_uuid), uuid))
            continue;
        table_row(t);
        table_ns(t, r->row[0]);
        cell_str(t, row_text(r, C_vm_seen_source));
        cell_str(t, row_text(r, C_vm_seen_state));
        cell_str(t, row_text(r, C_vm_seen_task_state));
        cell_int(t, r->row[C_vm_seen_power], STORE_NULL);
        table_str(t, str_of(r->host));
    }
}

/* A listing, seen through --vm or --request. */
static void part_of(const struct report_src *src, const struct report_list *list,
                    struct sections *ret, const char *title)
{
    struct section *s = section_add(ret, list->name, title, list->columns, list->ncolumns);

    list->fill(src, &s->table);
}

/* Was the kernel of any host traced? */
static bool has_kernel(const struct report_src *src)
{
    for (uint32_t i = 0; i < src->nhosts; i++)
        if (store_fact(src->hosts[i], "kernel.end").n)
            return true;
    return false;
}

bool show_vm(const struct report_src *src, struct str id, struct sections *ret)
{
    struct src_rows r = src_rows_global(src, TABLE_vm);
    struct report_src mine = *src;
    struct str taps = STR("");
    const cell_t *row;
    bool found = false;

    while ((row = src_next(&r))) {
        struct str uuid = src_text(&r, row, C_vm_uuid), name = src_text(&r, row, C_vm_vm);
        bool is = str_eq(uuid, id) || str_eq(name, id) ||
                  str_eq(src_text(&r, row, C_vm_libvirt_name), id);

        if (!is)
            continue;
        struct section *s =
            section_add(ret, "identity", "Identity", fact_cols, ARRAY_SIZE(fact_cols));
        fact(&s->table, STR("instance"), name, STR(""));
        fact(&s->table, STR("uuid"), uuid, STR(""));
        fact(&s->table, STR("doubt"), src_text(&r, row, C_vm_doubt), STR(""));
        identity(src, uuid, &s->table);
        s = section_add(ret, "states", "States", state_cols, ARRAY_SIZE(state_cols));
        vm_states(src, src_text(&r, row, C_vm_key), &s->table);
        s = section_add(ret, "observed", "Observed by the hypervisor's driver", seen_cols,
                        ARRAY_SIZE(seen_cols));
        vm_observed(src, uuid, &s->table);
        taps = src_text(&r, row, C_vm_taps);
        mine.vm = found ? id : uuid.n ? uuid : name; /* several share the name: all */
        found = true;
    }
    if (!found && !show_vm_is_process(src, id))
        return false;
    if (!found) { /* no log tells of it, the kernel does */
        struct section *s =
            section_add(ret, "identity", "Identity", fact_cols, ARRAY_SIZE(fact_cols));

        fact(&s->table, STR("instance"), id, STR("name of a process of QEMU"));
        fact(&s->table, STR("doubt"), STR("no log tells of an instance with this name"), STR(""));
        mine.vm = id;
    } else {
        part_of(&mine, &list_tasks, ret, "Tasks");
        part_of(&mine, &list_requests, ret, "Requests");
    }
    if (has_kernel(src))
        show_vm_kernel(&mine, taps, ret);
    return true;
}

/* --- a task ------------------------------------------------------------------------ */

static const struct column part_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 }, { "duration_ns", "FOR", COL_DURATION, 0, 0, 0 },
    { "share", "SHARE", COL_RATIO, 0, 0, 0 },   { "kind", "WHAT", COL_STR, 0, 0, 0 },
    { "name", "NAME", COL_STR, 0, 0, 100 },     { "wait", "WAIT", COL_BOOL, 0, 0, 0 },
};

bool show_task_is(const struct src_row *r, struct str id)
{
    struct str name = row_text(r, C_task_task), entity = row_text(r, C_task_entity);
    size_t slash = str_chr(id, '/', 0);

    if (slash != STR_NONE)
        return str_eq(str_first(id, slash), name) && str_eq(str_from(id, slash + 1), entity);
    return str_eq(id, name) || str_eq(id, entity) || str_eq(id, row_text(r, C_task_uuid)) ||
           str_eq(id, row_text(r, C_task_request)) || str_eq(id, row_text(r, C_task_event_type));
}

static void task_parts(const struct report_src *src, const struct src_row *r, struct sections *ret)
{
    struct breakdown b;
    char total[TIME_TEXT], known[TIME_TEXT];

    breakdown_of(src, r, &b);
    char *title = arena_printf(
        src->mem,
        "Where the time went: " STR_FMT " " STR_FMT " (" STR_FMT "), %s, of which %s is explained",
        STR_ARG(row_text(r, C_task_task)), STR_ARG(row_text(r, C_task_entity)),
        STR_ARG(row_text(r, C_task_status)), b.total ? time_human(b.total, total) : "no end seen",
        time_human(b.explained, known));
    struct section *s = section_add(ret, "parts", title, part_cols, ARRAY_SIZE(part_cols));
    for (size_t i = 0; i < b.nparts; i++) {
        const struct part *p = &b.parts[i];

        table_row(&s->table);
        table_ns(&s->table, p->t0);
        table_ns(&s->table, p->t1 - p->t0);
        table_ratio(&s->table, b.total ? (double)(p->t1 - p->t0) / (double)b.total : 0.0);
        table_str(&s->table, p->kind);
        table_str(&s->table, p->name);
        table_bool(&s->table, p->wait);
    }
    s->limit = 15;
    s->more = "-o wide shows all";
}

bool show_task(const struct report_src *src, struct str id, struct sections *ret)
{
    enum { MANY = 12 };
    size_t n, found = 0;
    struct src_row *rows = src_sorted(src, TABLE_task, &n);

    section_add(ret, "tasks", "Tasks", list_tasks.columns, list_tasks.ncolumns);
    for (size_t i = 0; i < n; i++) {
        if (!show_task_is(&rows[i], id))
            continue;
        list_task_row(src, &ret->list.at[0].table, &rows[i]);
        if (found++ < MANY)
            task_parts(src, &rows[i], ret);
    }
    return found > 0;
}
