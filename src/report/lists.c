/* SPDX-License-Identifier: Apache-2.0
 *
 * lists.c -- tasks, requests, services, hosts; see lists.h.  Instances, volumes
 * and networks are in lists_things.c. */
#include "report/lists.h"

#include "report/breakdown.h"
#include "report/migration_show.h"

#include <stdlib.h>

const struct report_list *const report_lists[] = {
    &list_vms,        &list_volumes, &list_networks,  &list_requests, &list_services,
    &list_tasks,      &list_hosts,   &list_durations, &list_steps,    &list_schedule,
    &list_resources,  &list_marks,   &list_mappings,  &list_threads,  &list_calls,
    &list_migrations, NULL,
};

const struct report_list *report_list_find(const char *name)
{
    for (size_t i = 0; report_lists[i]; i++)
        if (!strcmp(report_lists[i]->name, name))
            return report_lists[i];
    return NULL;
}

void cell_str(struct table *t, struct str s)
{
    if (s.n)
        table_str(t, s);
    else
        table_null(t);
}

void cell_ns(struct table *t, ns_t v)
{
    if (v == STORE_NULL)
        table_null(t);
    else
        table_ns(t, v);
}

void cell_int(struct table *t, cell_t v, cell_t unknown)
{
    if (v == STORE_NULL || v == unknown)
        table_null(t);
    else
        table_int(t, v);
}

void cell_list(const struct report_src *src, struct table *t, struct str commas)
{
    size_t n;
    struct str *parts = src_split(src, commas, &n);

    table_list(t, parts, n);
}

void emit_str(struct json *j, const char *key, struct str s)
{
    json_key(j, str_of(key));
    if (s.n)
        json_str(j, s);
    else
        json_none(j);
}

void emit_ns(struct json *j, const char *key, ns_t v)
{
    json_key(j, str_of(key));
    if (v == STORE_NULL)
        json_none(j);
    else
        json_i64(j, v);
}

bool report_request_fits(const struct report_src *src, struct str request)
{
    return src->request.n == 0 || str_find(request, src->request, 0) != STR_NONE;
}

/* --vm takes any of an instance's names. */
bool report_vm_fits(const struct report_src *src, struct str uuid, struct str name)
{
    const cell_t *row;

    if (src->vm.n == 0 || str_eq(uuid, src->vm) || str_eq(name, src->vm))
        return true;
    if (uuid.n && src->vms) { /* the uuid decides: two instances may share a name */
        const struct src_group *g = src_index_find(src->vms, uuid);

        for (size_t i = 0; i < g->rows.n; i++)
            if (str_eq(row_text(&g->rows.at[i], C_vm_libvirt_name), src->vm) ||
                str_eq(row_text(&g->rows.at[i], C_vm_vm), src->vm))
                return true;
        return false;
    }
    if (name.n == 0)
        return false;
    struct src_rows r = src_rows_global(src, TABLE_vm);
    while ((row = src_next(&r)))
        if (str_eq(name, src_text(&r, row, C_vm_vm)) &&
            (str_eq(src_text(&r, row, C_vm_libvirt_name), src->vm) ||
             str_eq(src_text(&r, row, C_vm_uuid), src->vm))) {
            src_end(&r);
            return true;
        }
    return false;
}

/* --- tasks ------------------------------------------------------------------ */

static const struct column task_cols[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "task", "TASK", COL_STR, 0, 0, 0 },
    { "entity", "ENTITY", COL_STR, 0, 0, 36 },
    { "request_id", "REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "status", "STATUS", COL_STR, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "duration_ns", "DURATION", COL_DURATION, 0, 0, 0 },
    { "longest_part", "WHERE THE TIME WENT", COL_STR, 0, 0, 76 },
    { "kind", "KIND", COL_STR, 0, COL_WIDE, 0 },
    { "uuid", "UUID", COL_STR, 0, COL_WIDE, 0 },
    { "event_type", "EVENT TYPE", COL_STR, 0, COL_WIDE, 0 },
    { "logger", "LOGGER", COL_STR, 0, COL_WIDE, 0 },
    { "function", "FUNCTION", COL_STR, 0, COL_WIDE, 0 },
    { "line", "LINE", COL_INT, 0, COL_WIDE, 0 },
    { "pid", "PID", COL_INT, 0, COL_WIDE, 0 },
    { "thread", "THREAD", COL_INT, 0, COL_WIDE, 0 },
    { "depth", "DEPTH", COL_INT, 0, COL_JSON, 0 },
    { "user", "USER", COL_STR, 0, COL_WIDE, 0 },
    { "project", "PROJECT", COL_STR, 0, COL_WIDE, 0 },
    { "node", "NODE", COL_STR, 0, COL_WIDE, 0 },
    { "error", "ERROR", COL_STR, 0, COL_WIDE, 200 },
    { "sources", "SOURCES", COL_STR, 0, COL_WIDE, 0 },
    { "explained_ns", "EXPLAINED", COL_DURATION, 0, COL_JSON, 0 },
    { "parts", "PARTS", COL_NESTED, 0, COL_JSON, 0 },
};

enum { PARTS_SHOWN = 8 };

static void emit_parts(struct json *j, const void *arg)
{
    const struct breakdown *b = arg;

    json_open(j, '[');
    for (size_t i = 0; i < b->nparts && i < PARTS_SHOWN; i++) {
        const struct part *p = &b->parts[i];

        json_open(j, '{');
        json_kstr(j, "kind", p->kind);
        json_kstr(j, "name", p->name);
        json_ki64(j, "start_ns", p->t0);
        json_ki64(j, "duration_ns", p->t1 - p->t0);
        json_key(j, STR("wait"));
        json_bool(j, p->wait);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void list_task_row(const struct report_src *src, struct table *t, const struct src_row *r)
{
    struct breakdown *b = arena_new(src->mem, struct breakdown);

    breakdown_of(src, r, b);
    table_row(t);
    table_str(t, str_of(r->host));
    cell_str(t, row_text(r, C_task_service));
    table_str(t, row_text(r, C_task_task));
    cell_str(t, src_vm_name(src, row_text(r, C_task_uuid), row_text(r, C_task_entity)));
    cell_str(t, row_text(r, C_task_request));
    table_str(t, row_text(r, C_task_status));
    cell_ns(t, r->row[C_task_t0]);
    cell_ns(t, r->row[C_task_t1]);
    cell_ns(t, row_length(r->row));
    cell_str(t, breakdown_sentence(src, b));
    cell_str(t, row_text(r, C_task_kind));
    cell_str(t, row_text(r, C_task_uuid));
    cell_str(t, row_text(r, C_task_event_type));
    cell_str(t, row_text(r, C_task_logger));
    cell_str(t, row_text(r, C_task_func));
    cell_int(t, r->row[C_task_lineno], STORE_NULL);
    cell_int(t, r->row[C_task_pid], -1);
    cell_int(t, r->row[C_task_thread], -1);
    table_int(t, r->row[C_task_depth]);
    cell_str(t, row_text(r, C_task_user));
    cell_str(t, row_text(r, C_task_project));
    cell_str(t, row_text(r, C_task_node));
    cell_str(t, src_mask(src, row_text(r, C_task_error)));
    cell_str(t, row_text(r, C_task_sources));
    cell_ns(t, b->total ? b->explained : STORE_NULL);
    table_nested(t, emit_parts, b);
}

static void fill_tasks(const struct report_src *src, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_task, &n);

    for (size_t i = 0; i < n; i++)
        if (report_vm_fits(src, row_text(&rows[i], C_task_uuid),
                           row_text(&rows[i], C_task_entity)) &&
            report_request_fits(src, row_text(&rows[i], C_task_request)))
            list_task_row(src, t, &rows[i]);
}

const struct report_list list_tasks = { "tasks", "Tasks of all services", task_cols,
                                        ARRAY_SIZE(task_cols), fill_tasks };

/* --- durations --------------------------------------------------------------- */

static const struct column duration_cols[] = {
    { "task", "TASK", COL_STR, 0, 0, 0 },
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "count", "COUNT", COL_COUNT, 0, 0, 0 },
    { "min_ns", "MIN", COL_DURATION, 0, 0, 0 },
    { "mean_ns", "MEAN", COL_DURATION, 0, 0, 0 },
    { "median_ns", "MEDIAN", COL_DURATION, 0, 0, 0 },
    { "p95_ns", "P95", COL_DURATION, 0, 0, 0 },
    { "max_ns", "MAX", COL_DURATION, 0, 0, 0 },
    { "sum_ns", "SUM", COL_DURATION, 0, 0, 0 },
    { "unfinished", "UNFINISHED", COL_COUNT, 0, 0, 0 },
    { "failed", "FAILED", COL_COUNT, 0, 0, 0 },
};

struct timing {
    struct str task, service;
    ns_t length; /* STORE_NULL = not finished */
    bool failed;
};

static int by_task(const void *a, const void *b)
{
    const struct timing *x = a, *y = b;
    int c = str_cmp(x->task, y->task);

    c = c ? c : str_cmp(x->service, y->service);
    return c ? c : (x->length > y->length) - (x->length < y->length);
}

/* The nearest-rank quantile: the smallest value that at least q of all do not
 * exceed. */
static ns_t quantile(const struct timing *v, size_t n, unsigned percent)
{
    size_t rank = (n * percent + 99) / 100;

    return v[rank ? rank - 1 : 0].length;
}

/* 'v' holds the timings of one task: unfinished ones (STORE_NULL) come first. */
static void duration_row(struct table *t, const struct timing *v, size_t n)
{
    size_t open = 0, failed = 0;
    __int128 sum = 0;

    while (open < n && v[open].length == STORE_NULL)
        open++;
    for (size_t i = 0; i < n; i++) {
        failed += v[i].failed;
        sum += i >= open ? v[i].length : 0;
    }
    const struct timing *d = v + open;
    size_t done = n - open;
    table_row(t);
    table_str(t, v->task);
    table_str(t, v->service);
    table_count(t, done);
    if (done) {
        table_ns(t, d[0].length);
        table_ns(t, (ns_t)(sum / (__int128)done));
        table_ns(t, quantile(d, done, 50));
        table_ns(t, quantile(d, done, 95));
        table_ns(t, d[done - 1].length);
        table_ns(t, (ns_t)sum);
    } else {
        for (int i = 0; i < 6; i++)
            table_null(t);
    }
    table_count(t, open);
    table_count(t, failed);
}

static void fill_durations(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows(src, TABLE_task);
    VEC(struct timing) v = { 0 };
    const cell_t *row;

    while ((row = src_next(&r)))
        *vec_push(&v) =
            (struct timing){ src_text(&r, row, C_task_task), src_text(&r, row, C_task_service),
                             row_length(row), str_is(src_text(&r, row, C_task_status), "error") };
    if (v.n)
        qsort(v.at, v.n, sizeof *v.at, by_task);
    for (size_t i = 0, k; i < v.n; i = k) {
        for (k = i + 1; k < v.n && str_eq(v.at[k].task, v.at[i].task) &&
                        str_eq(v.at[k].service, v.at[i].service);
             k++)
            ;
        duration_row(t, v.at + i, k - i);
    }
    vec_free(&v);
}

const struct report_list list_durations = { "durations", "Durations of tasks", duration_cols,
                                            ARRAY_SIZE(duration_cols), fill_durations };

/* --- requests ---------------------------------------------------------------- */

static const struct column request_cols[] = {
    { "request_id", "REQUEST", COL_STR, 0, 0, 0 },
    { "outcome", "OUTCOME", COL_STR, 0, 0, 0 },
    { "action", "ACTION", COL_STR, 0, 0, 48 },
    { "entity", "ENTITY", COL_STR, 0, 0, 36 },
    { "services", "SERVICES", COL_LIST, 0, 0, 60 },
    { "hosts", "HOSTS", COL_LIST, 0, COL_WIDE, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, COL_WIDE, 0 },
    { "duration_ns", "DURATION", COL_DURATION, 0, 0, 0 },
    { "user", "USER", COL_STR, 0, COL_WIDE, 0 },
    { "project", "PROJECT", COL_STR, 0, COL_WIDE, 0 },
    { "parent", "PARENT", COL_STR, 0, COL_WIDE, 0 },
    { "uuid", "UUID", COL_STR, 0, COL_WIDE, 0 },
    { "lines", "LINES", COL_COUNT, 0, COL_WIDE, 0 },
    { "tasks", "TASKS", COL_COUNT, 0, COL_WIDE, 0 },
    { "errors", "ERRORS", COL_COUNT, 0, 0, 0 },
    { "warnings", "WARNINGS", COL_COUNT, 0, COL_WIDE, 0 },
    { "first_error", "FIRST ERROR", COL_STR, 0, COL_WIDE, 120 },
};

void list_request_row(const struct report_src *src, struct table *t, const struct src_rows *r,
                      const cell_t *row)
{
    table_row(t);
    table_str(t, src_text(r, row, C_request_request));
    table_str(t, src_text(r, row, C_request_outcome));
    cell_str(t, src_safe(r, row, C_request_action));
    cell_str(
        t, src_vm_name(src, src_text(r, row, C_request_uuid), src_text(r, row, C_request_entity)));
    cell_list(src, t, src_text(r, row, C_request_services));
    cell_list(src, t, src_text(r, row, C_request_hosts));
    cell_ns(t, row[C_request_t0]);
    cell_ns(t, row[C_request_t1]);
    cell_ns(t, row_length(row));
    cell_str(t, src_text(r, row, C_request_user));
    cell_str(t, src_text(r, row, C_request_project));
    cell_str(t, src_text(r, row, C_request_parent));
    cell_str(t, src_text(r, row, C_request_uuid));
    table_count(t, (uint64_t)row[C_request_lines]);
    table_count(t, (uint64_t)row[C_request_tasks]);
    table_count(t, (uint64_t)row[C_request_errors]);
    table_count(t, (uint64_t)row[C_request_warnings]);
    cell_str(t, src_safe(r, row, C_request_first_error));
}

static void fill_requests(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows_global(src, TABLE_request);
    const cell_t *row;

    while ((row = src_next(&r)))
        if (report_request_fits(src, src_text(&r, row, C_request_request)) &&
            report_vm_fits(src, src_text(&r, row, C_request_uuid),
                           src_text(&r, row, C_request_entity)))
            list_request_row(src, t, &r, row);
}

const struct report_list list_requests = { "requests", "Requests over all services", request_cols,
                                           ARRAY_SIZE(request_cols), fill_requests };

/* --- services ----------------------------------------------------------------- */

static const struct column service_cols[] = {
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "pid", "PID", COL_INT, 0, 0, 0 },
    { "tasks", "TASKS", COL_COUNT, 0, 0, 0 },
    { "busy_ns", "BUSY", COL_DURATION, 0, 0, 0 },
    { "busy_share", "SHARE", COL_RATIO, 0, 0, 0 },
    { "task_share", "OF ITS TASKS", COL_RATIO, 0, COL_WIDE, 0 },
    { "imbalance", "MAX/MEAN", COL_RATIO, 0, COL_WIDE, 0 },
    { "lines", "LINES", COL_COUNT, 0, 0, 0 },
    { "heartbeats", "HEARTBEATS", COL_COUNT, 0, COL_WIDE, 0 },
    { "warnings", "WARNINGS", COL_COUNT, 0, 0, 0 },
    { "errors", "ERRORS", COL_COUNT, 0, 0, 0 },
    { "idle", "IDLE", COL_BOOL, 0, 0, 0 },
    { "threads", "THREADS", COL_COUNT, 0, COL_WIDE, 0 },
    { "start_ns", "FIRST SEEN", COL_INSTANT, 0, COL_WIDE, 0 },
    { "end_ns", "LAST SEEN", COL_INSTANT, 0, COL_WIDE, 0 },
    { "process", "PROCESS", COL_STR, 0, COL_WIDE, 0 },
    { "loggers", "LOGGERS", COL_STR, 0, COL_WIDE, 100 },
};

/* Work of one process of a service: its outermost tasks, so that nothing counts
 * twice. */
static void service_work(const struct src_rows *r, const cell_t *service, uint64_t *ret_tasks,
                         ns_t *ret_busy)
{
    table_t table;
    struct store_rows rows;
    const cell_t *row;

    *ret_tasks = 0;
    *ret_busy = 0;
    if (!store_table_find(r->store, "task", &table))
        return;
    rows = store_rows(r->store, table, SPAN_ALL);
    while ((row = store_rows_next(&rows)))
        if (row[C_task_service] == service[C_service_seen_service] &&
            row[C_task_pid] == service[C_service_seen_pid]) {
            ++*ret_tasks;
            if (row[C_task_depth] == 0 && row_length(row) != STORE_NULL)
                *ret_busy += row_length(row);
        }
}

/* The workers of one service, over all hosts. */
struct crew {
    uint64_t workers, tasks;
    ns_t busy, busiest;
};
struct crews {
    struct strtab names;
    VEC(struct crew) list;
};

static void count_crews(const struct report_src *src, struct crews *ret)
{
    struct src_rows r = src_rows(src, TABLE_service_seen);
    const cell_t *row;

    while ((row = src_next(&r))) {
        uint32_t id = strtab_id(&ret->names, src_text(&r, row, C_service_seen_service));
        uint64_t tasks;
        ns_t busy;

        while (ret->list.n <= id)
            *vec_push(&ret->list) = (struct crew){ 0 };
        struct crew *c = &ret->list.at[id];
        service_work(&r, row, &tasks, &busy);
        c->workers++;
        c->tasks += tasks;
        c->busy += busy;
        c->busiest = busy > c->busiest ? busy : c->busiest;
    }
}

/* How evenly a service's workers are used: the share that this one has of its
 * tasks, and the busiest's time over the mean (1 = even). */
static void balance_cells(const struct crew *c, uint64_t tasks, struct table *t)
{
    if (c->tasks)
        table_ratio(t, (double)tasks / (double)c->tasks);
    else
        table_null(t);
    if (c->busy)
        table_ratio(t, (double)c->busiest * (double)c->workers / (double)c->busy);
    else
        table_null(t);
}

static void service_row(const struct src_rows *r, const cell_t *row, const struct crew *crew,
                        struct table *t)
{
    struct str name = src_text(r, row, C_service_seen_service);
    struct store_coverage cov;
    uint64_t tasks;
    ns_t busy;

    store_coverage(r->store, &cov);
    service_work(r, row, &tasks, &busy);
    table_row(t);
    table_str(t, name.n ? name : STR("(shared libraries)"));
    table_str(t, str_of(r->host));
    cell_int(t, row[C_service_seen_pid], -1);
    table_count(t, tasks);
    table_ns(t, busy);
    table_ratio(t, cov.t1 > cov.t0 ? (double)busy / (double)(cov.t1 - cov.t0) : 0.0);
    balance_cells(crew, tasks, t);
    table_count(t, (uint64_t)row[C_service_seen_lines]);
    table_count(t, (uint64_t)row[C_service_seen_beats]);
    table_count(t, (uint64_t)row[C_service_seen_warnings]);
    table_count(t, (uint64_t)row[C_service_seen_errors]);
    table_bool(t, tasks == 0 && row[C_service_seen_lines] == row[C_service_seen_beats]);
    table_count(t, (uint64_t)row[C_service_seen_threads]);
    cell_ns(t, row[C_service_seen_t0]);
    cell_ns(t, row[C_service_seen_t1]);
    cell_str(t, src_text(r, row, C_service_seen_procname));
    cell_str(t, src_text(r, row, C_service_seen_loggers));
}

static void fill_services(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows(src, TABLE_service_seen);
    struct crews crews = { 0 };
    const cell_t *row;

    count_crews(src, &crews);
    while ((row = src_next(&r)))
        service_row(
            &r, row,
            &crews.list.at[strtab_id(&crews.names, src_text(&r, row, C_service_seen_service))], t);
    vec_free(&crews.list);
    strtab_free(&crews.names);
}

const struct report_list list_services = { "services", "Services and how busy they are",
                                           service_cols, ARRAY_SIZE(service_cols), fill_services };

/* --- hosts --------------------------------------------------------------------- */

static const struct column host_cols[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "start_ns", "FIRST EVENT", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "LAST EVENT", COL_INSTANT, 0, COL_WIDE, 0 },
    { "duration_ns", "LENGTH", COL_DURATION, 0, 0, 0 },
    { "services", "SERVICES", COL_LIST, 0, 0, 70 },
    { "tasks", "TASKS", COL_COUNT, 0, 0, 0 },
    { "vms", "INSTANCES", COL_COUNT, 0, 0, 0 },
    { "vm_share", "SHARE", COL_RATIO, 0, COL_WIDE, 0 },
    { "vcpus_used", "VCPUS USED", COL_INT, 0, 0, 0 },
    { "vcpus_total", "VCPUS", COL_INT, 0, 0, 0 },
    { "ram_used_mb", "RAM USED MB", COL_INT, 0, 0, 0 },
    { "ram_total_mb", "RAM MB", COL_INT, 0, 0, 0 },
    { "disk_used_gb", "DISK USED GB", COL_INT, 0, COL_WIDE, 0 },
    { "disk_total_gb", "DISK GB", COL_INT, 0, COL_WIDE, 0 },
};

/* Instances whose last known place is 'host', and that are not deleted. */
static uint64_t vms_on(const struct report_src *src, struct str host)
{
    struct src_rows r = src_rows_global(src, TABLE_vm_state);
    const cell_t *row;
    uint64_t n = 0;

    while ((row = src_next(&r)))
        n += row[C_vm_state_t1] == STORE_NULL && str_eq(src_text(&r, row, C_vm_state_host), host) &&
             !str_is(src_text(&r, row, C_vm_state_state), "deleted");
    return n;
}

/* The node's last resource report, wherever it was logged; false if none. */
static bool last_resources(const struct report_src *src, struct str node,
                           cell_t ret[static resource_columns])
{
    struct src_rows r = src_rows(src, TABLE_resource);
    const cell_t *row;
    bool found = false;

    while ((row = src_next(&r)))
        if (str_is(src_text(&r, row, C_resource_kind), "final") &&
            str_eq(src_text(&r, row, C_resource_node), node) && (!found || row[0] >= ret[0])) {
            memcpy(ret, row, resource_columns * sizeof *row);
            found = true;
        }
    return found;
}

static void host_services(const struct report_src *src, const struct store *s, struct table *t)
{
    VEC(struct str) names = { 0 };
    struct store_rows rows;
    const cell_t *row;
    table_t table;

    (void)src;
    if (store_table_find(s, "service_seen", &table)) {
        rows = store_rows(s, table, SPAN_ALL);
        while ((row = store_rows_next(&rows))) {
            struct str name = store_text(s, row[C_service_seen_service]);
            bool new = name.n > 0;

            for (size_t i = 0; i < names.n; i++)
                new &= !str_eq(names.at[i], name);
            if (new)
                *vec_push(&names) = name;
        }
    }
    table_list(t, names.at, names.n);
    vec_free(&names);
}

static uint64_t rows_of(const struct store *s, const char *name)
{
    struct store_rows rows;
    table_t table;
    uint64_t n = 0;

    if (!store_table_find(s, name, &table))
        return 0;
    rows = store_rows(s, table, SPAN_ALL);
    while (store_rows_next(&rows))
        n++;
    return n;
}

static void fill_hosts(const struct report_src *src, struct table *t)
{
    uint64_t all = 0;

    for (uint32_t i = 0; i < src->nhosts; i++)
        all += vms_on(src, str_of(store_host(src->hosts[i])));
    for (uint32_t i = 0; i < src->nhosts; i++) {
        const struct store *s = src->hosts[i];
        struct str host = str_of(store_host(s));
        cell_t res[resource_columns];
        bool known = last_resources(src, host, res);
        uint64_t vms = vms_on(src, host);
        struct store_coverage cov;

        store_coverage(s, &cov);
        table_row(t);
        table_str(t, host);
        cell_ns(t, cov.t0 < cov.t1 ? cov.t0 : STORE_NULL);
        cell_ns(t, cov.t0 < cov.t1 ? cov.t1 - 1 : STORE_NULL);
        cell_ns(t, cov.t0 < cov.t1 ? cov.t1 - cov.t0 : STORE_NULL);
        host_services(src, s, t);
        table_count(t, rows_of(s, "task"));
        table_count(t, vms);
        table_ratio(t, all ? (double)vms / (double)all : 0.0);
        cell_int(t, known ? res[C_resource_vcpus_used] : STORE_NULL, STORE_NULL);
        cell_int(t, known ? res[C_resource_vcpus_total] : STORE_NULL, STORE_NULL);
        cell_int(t, known ? res[C_resource_ram_used_mb] : STORE_NULL, STORE_NULL);
        cell_int(t, known ? res[C_resource_ram_total_mb] : STORE_NULL, STORE_NULL);
        cell_int(t, known ? res[C_resource_disk_used_gb] : STORE_NULL, STORE_NULL);
        cell_int(t, known ? res[C_resource_disk_total_gb] : STORE_NULL, STORE_NULL);
    }
}

const struct report_list list_hosts = { "hosts", "Hosts, their services and resources", host_cols,
                                        ARRAY_SIZE(host_cols), fill_hosts };
