/* SPDX-License-Identifier: Apache-2.0
 *
 * show_request.c -- the flow of one request over services and hosts: what
 * happened in order of time, where it waited between services, what went wrong
 * and in which function. */
#include "report/clocks.h"
#include "report/sections.h"

#include <stdlib.h>

static const struct column flow_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 },
    { "offset_ns", "AFTER", COL_DURATION, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "what", "WHAT", COL_STR, 0, 0, 0 },
    { "name", "NAME", COL_STR, 0, 0, 80 },
    { "duration_ns", "FOR", COL_DURATION, 0, 0, 0 },
    { "status", "STATUS", COL_STR, 0, 0, 20 },
    { "order", "AFTER THE LINE ABOVE", COL_STR, 0, 0, 0 },
};

static const struct column gap_cols[] = {
    { "from", "FROM", COL_STR, 0, 0, 0 },
    { "to", "TO", COL_STR, 0, 0, 0 },
    { "start_ns", "LAST SIGN", COL_INSTANT, 0, 0, 0 },
    { "gap_ns", "GAP", COL_DURATION, 0, 0, 0 },
    { "hosts_differ", "OTHER HOST", COL_BOOL, 0, 0, 0 },
    { "bound_ns", "BOUND", COL_DURATION, 0, 0, 0 },
    { "order", "ORDER", COL_STR, 0, 0, 0 },
};

static const struct column error_cols[] = {
    { "start_ns", "AT", COL_INSTANT, 0, 0, 0 }, { "level", "LEVEL", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },       { "service", "SERVICE", COL_STR, 0, 0, 0 },
    { "task", "DURING", COL_STR, 0, 0, 0 },     { "function", "FUNCTION", COL_STR, 0, 0, 0 },
    { "line", "LINE", COL_INT, 0, 0, 0 },       { "text", "TEXT", COL_STR, 0, 0, 120 },
};

/* One entry of the flow: a task, a step or a line. */
struct happening {
    ns_t t0, t1; /* t1 == STORE_NULL: a point, or no end */
    const char *host;
    struct str service, what, name, status;
    struct str child; /* of a step: id of the message or request that it is about */
};
typedef VEC(struct happening) flow_vec;

static int by_time(const void *a, const void *b)
{
    const struct happening *x = a, *y = b;

    if (x->t0 != y->t0)
        return x->t0 < y->t0 ? -1 : 1;
    return (x->t1 < y->t1) - (x->t1 > y->t1); /* the longer one around the other */
}

static void collect(const struct report_src *src, struct str id, flow_vec *v)
{
    struct src_rows tasks = src_rows(src, TABLE_task), steps = src_rows(src, TABLE_step),
                    lines = src_rows(src, TABLE_line);
    const cell_t *row;

    while ((row = src_next(&tasks)))
        if (str_eq(src_text(&tasks, row, C_task_request), id))
            *vec_push(v) = (struct happening){ row_begin(row),
                                               row[1],
                                               tasks.host,
                                               src_text(&tasks, row, C_task_service),
                                               STR("task"),
                                               src_text(&tasks, row, C_task_task),
                                               src_text(&tasks, row, C_task_status),
                                               STR("") };
    while ((row = src_next(&steps)))
        if (str_eq(src_text(&steps, row, C_step_request), id) ||
            str_eq(src_text(&steps, row, C_step_child), id))
            *vec_push(v) = (struct happening){ row_begin(row),
                                               row[1],
                                               steps.host,
                                               src_text(&steps, row, C_step_service),
                                               src_text(&steps, row, C_step_kind),
                                               src_safe(&steps, row, C_step_name),
                                               src_text(&steps, row, C_step_status),
                                               src_text(&steps, row, C_step_child) };
    while ((row = src_next(&lines)))
        if (str_eq(src_text(&lines, row, C_line_request), id))
            *vec_push(v) = (struct happening){ row[0],      STORE_NULL,
                                               lines.host,  src_text(&lines, row, C_line_service),
                                               STR("line"), src_safe(&lines, row, C_line_text),
                                               STR(""),     STR("") };
    if (v->n)
        qsort(v->at, v->n, sizeof *v->at, by_time);
}

/* A call and that it was served: one message went from the one to the other. */
static bool is_one_call(const struct happening *a, const struct happening *b)
{
    return a->child.n && str_eq(a->child, b->child) &&
           (str_is(b->what, "rpc-served") || str_is(b->what, "served"));
}

/* Is it certain that 'a' was before 'b'? */
static bool is_certain(const struct report_src *src, const struct happening *a,
                       const struct happening *b)
{
    return a->host == b->host || is_one_call(a, b) || !src->clocks ||
           clocks_order_known(src->clocks, src_host_named(src, a->host), a->t0,
                              src_host_named(src, b->host), b->t0);
}

static void flow(const struct report_src *src, const flow_vec *v, struct table *t)
{
    const struct happening *last = NULL;

    for (size_t i = 0; i < v->n; i++) {
        const struct happening *h = &v->at[i];

        if (str_is(h->what, "line")) /* the lines are there with `neph events` */
            continue;
        table_row(t);
        table_ns(t, h->t0);
        table_ns(t, h->t0 - v->at[0].t0);
        table_str(t, str_of(h->host));
        cell_str(t, h->service);
        table_str(t, h->what);
        table_str(t, h->name);
        cell_ns(t, h->t1 == STORE_NULL ? STORE_NULL : h->t1 - h->t0);
        cell_str(t, h->status);
        cell_str(t, last && !is_certain(src, last, h) ? STR("order unknown") : STR(""));
        last = h;
    }
}

/* By how much a gap between hosts may be wrong, and whether it is one at all. */
static void put_bound(const struct report_src *src, const char *from, ns_t t0,
                      const struct happening *to, struct table *t)
{
    uint32_t a = src_host_named(src, from), b = src_host_named(src, to->host);

    if (a == b || !src->clocks) {
        table_null(t);
        table_null(t);
        return;
    }
    cell_ns(t, clocks_bound(src->clocks, a, t0, b, to->t0));
    cell_str(t, clocks_order_known(src->clocks, a, t0, b, to->t0) ? STR("") : STR("order unknown"));
}

/* From the last sign of one service to the first of the next: queueing in the
 * message broker, the network, or work that leaves no trace. */
static void gaps(const struct report_src *src, const flow_vec *v, struct table *t)
{
    const struct happening *last = NULL;
    ns_t last_end = NS_MIN;

    for (size_t i = 0; i < v->n; i++) {
        const struct happening *h = &v->at[i];

        if (last && h->t0 > last_end &&
            (!str_eq(h->service, last->service) || strcmp(h->host, last->host) != 0)) {
            table_row(t);
            table_str(t, str_of(arena_printf(src->mem, STR_FMT "@%s", STR_ARG(last->service),
                                             last->host)));
            table_str(t,
                      str_of(arena_printf(src->mem, STR_FMT "@%s", STR_ARG(h->service), h->host)));
            table_ns(t, last_end);
            table_ns(t, h->t0 - last_end);
            table_bool(t, strcmp(h->host, last->host) != 0);
            put_bound(src, last->host, last_end, h, t);
        }
        /* A task's end is a sign of its service; what lies inside is not a gap. */
        ns_t end = h->t1 != STORE_NULL ? h->t1 : h->t0;
        if (end >= last_end) {
            last_end = end;
            last = h;
        }
    }
}

static void errors(const struct report_src *src, struct str id, struct table *t)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_line, &n);

    for (size_t i = 0; i < n; i++) {
        const struct src_row *r = &rows[i];

        if (r->row[C_line_level] < 30 || !str_eq(row_text(r, C_line_request), id))
            continue;
        table_row(t);
        table_ns(t, r->row[0]);
        table_str(t, str_of(log_level_values.at[log_level_of(r->row[C_line_level])].label));
        table_str(t, str_of(r->host));
        cell_str(t, row_text(r, C_line_service));
        cell_str(t, row_text(r, C_line_task));
        cell_str(t, row_text(r, C_line_func));
        table_int(t, r->row[C_line_lineno]);
        table_str(t, src_mask(src, row_text(r, C_line_text)));
    }
}

/* The request that 'id' names: all of it, or the only one it is a part of. */
static struct str find_request(const struct report_src *src, struct str id, size_t *ret_n)
{
    struct src_rows r = src_rows_global(src, TABLE_request);
    struct str found = STR("");
    const cell_t *row;

    *ret_n = 0;
    while ((row = src_next(&r))) {
        struct str one = src_text(&r, row, C_request_request);

        if (str_eq(one, id)) {
            *ret_n = 1;
            src_end(&r);
            return one;
        }
        if (id.n >= 4 && str_find(one, id, 0) != STR_NONE) {
            found = one;
            ++*ret_n;
        }
    }
    return found;
}

static void children(const struct report_src *src, struct str id, struct sections *ret)
{
    struct section *s = section_add(ret, "children", "Requests to other services",
                                    list_requests.columns, list_requests.ncolumns);
    struct src_rows r = src_rows_global(src, TABLE_request);
    const cell_t *row;

    while ((row = src_next(&r)))
        if (str_eq(src_text(&r, row, C_request_parent), id))
            list_request_row(src, &s->table, &r, row);
}

bool show_request(const struct report_src *src, struct str id, struct sections *ret)
{
    struct report_src mine = *src;
    flow_vec v = { 0 };
    size_t n;
    struct str full = find_request(src, id, &n);

    if (n == 0)
        return false;
    mine.request = n == 1 ? full : id;
    struct section *s = section_add(ret, "requests", n == 1 ? "Request" : "Requests that fit",
                                    list_requests.columns, list_requests.ncolumns);
    list_requests.fill(&mine, &s->table);
    if (n > 1)
        return true;
    s = section_add(ret, "tasks", "Tasks", list_tasks.columns, list_tasks.ncolumns);
    list_tasks.fill(&mine, &s->table);
    s = section_add(ret, "problems", "Warnings and errors", error_cols, ARRAY_SIZE(error_cols));
    errors(src, full, &s->table);
    collect(src, full, &v);
    s = section_add(ret, "gaps",
                    "Between services (between hosts, as good as their clocks are known)", gap_cols,
                    ARRAY_SIZE(gap_cols));
    gaps(src, &v, &s->table);
    children(src, full, ret);
    s = section_add(ret, "flow", "Flow", flow_cols, ARRAY_SIZE(flow_cols));
    s->limit = 60;
    s->more = "-o wide shows all";
    flow(src, &v, &s->table);
    vec_free(&v);
    return true;
}
