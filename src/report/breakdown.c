/* SPDX-License-Identifier: Apache-2.0
 *
 * breakdown.c -- see breakdown.h. */
#include "report/breakdown.h"

#include <stdlib.h>

/* Kinds of steps that explain time; 'wait' if another service or process works. */
static const struct {
    const char *kind;
    bool wait;
} kinds[] = { { "external-event", true }, { "http", true },    { "http-call", true },
              { "lock-wait", true },      { "rpc", true },     { "command", true },
              { "agent-command", true },  { "privsep", true }, { "agent-work", false },
              { "flow-task", false } };

static int kind_of(struct str kind)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_is(kind, kinds[i].kind))
            return (int)i;
    return -1;
}

typedef VEC(struct part) part_vec;

/* Adds a part, cut to the task; what has no beginning or end is none. */
static void add(part_vec *v, const cell_t *task, const cell_t *row, struct part part)
{
    part.t0 = row[0] > task[0] ? row[0] : task[0];
    part.t1 = row[1] < task[1] ? row[1] : task[1];
    if (row[0] != STORE_NULL && row[1] != STORE_NULL && part.t1 > part.t0)
        *vec_push(v) = part;
}

static bool same_lane(const cell_t *a, int apid, int athread, const cell_t *b, int bpid,
                      int bthread)
{
    return a[apid] == b[bpid] && a[athread] == b[bthread];
}

/* 'src' shows only what meets the task. */
static void add_steps(const struct report_src *src, const struct src_row *task, part_vec *v)
{
    struct str request = row_text(task, C_task_request), uuid = row_text(task, C_task_uuid);
    struct src_rows r = src_rows(src, TABLE_step);
    const cell_t *row;

    r.ended = true;
    while ((row = src_next(&r))) {
        int kind = kind_of(src_text(&r, row, C_step_kind));
        struct str req = src_text(&r, row, C_step_request);
        struct str entity = src_text(&r, row, C_step_entity);
        bool here = r.store == task->store;

        if (kind < 0)
            continue;
        bool lane =
            here && same_lane(row, C_step_pid, C_step_thread, task->row, C_task_pid, C_task_thread);
        /* Another thread of the process works for it, and for no task of its own. */
        bool process = here && row[C_step_task] == 0 && row[C_step_pid] == task->row[C_task_pid] &&
                       row[C_step_service] == task->row[C_task_service];
        bool mine = process && ((request.n && str_eq(req, request)) ||
                                (uuid.n && str_eq(entity, uuid) && (req.n == 0 || request.n == 0)));
        if (row[0] < task->row[0] && row[1] > task->row[1]) /* the task is a part of it */
            continue;
        if (lane || (mine && !str_is(src_text(&r, row, C_step_kind), "rpc")))
            add(v, task->row, row,
                (struct part){ .kind = src_text(&r, row, C_step_kind),
                               .name = src_safe(&r, row, C_step_name),
                               .wait = kinds[kind].wait,
                               .service = src_text(&r, row, C_step_service),
                               .child = src_text(&r, row, C_step_child),
                               .host = r.host,
                               .pid = row[C_step_pid] });
    }
}

/* Rows are copies: the same task is one with the same cells. */
static bool same_task(const struct src_row *task, const struct store *store, const cell_t *row)
{
    return store == task->store && memcmp(row, task->row, task_columns * sizeof *row) == 0;
}

static void add_tasks(const struct report_src *src, const struct src_row *task, part_vec *v)
{
    struct src_rows r = src_rows(src, TABLE_task);
    const cell_t *row;

    r.ended = true;
    while ((row = src_next(&r))) {
        bool inside = !same_task(task, r.store, row) && row[0] != STORE_NULL &&
                      row[1] != STORE_NULL && row[0] >= task->row[0] && row[1] <= task->row[1];
        /* In another thread, a task inside of another one is a part of that one. */
        bool mine = (r.store == task->store && same_lane(row, C_task_pid, C_task_thread, task->row,
                                                         C_task_pid, C_task_thread)) ||
                    (row[C_task_depth] == 0 && row_text(task, C_task_request).n &&
                     str_eq(src_text(&r, row, C_task_request), row_text(task, C_task_request)));

        if (inside && mine)
            add(v, task->row, row,
                (struct part){ .kind = STR("task"),
                               .name = src_safe(&r, row, C_task_task),
                               .service = src_text(&r, row, C_task_service),
                               .host = r.host,
                               .pid = row[C_task_pid] });
    }
}

static int longest_first(const void *a, const void *b)
{
    const struct part *x = a, *y = b;
    ns_t dx = x->t1 - x->t0, dy = y->t1 - y->t0;

    if (dx != dy)
        return dx > dy ? -1 : 1;
    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static int earliest_first(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static ns_t covered(const struct part *parts, size_t n)
{
    ns_t sum = 0, end = NS_MIN;

    for (size_t i = 0; i < n; i++) {
        ns_t from = parts[i].t0 > end ? parts[i].t0 : end;

        if (parts[i].t1 > from)
            sum += parts[i].t1 - from;
        end = parts[i].t1 > end ? parts[i].t1 : end;
    }
    return sum;
}

void breakdown_of(const struct report_src *src, const struct src_row *task, struct breakdown *ret)
{
    part_vec v = { 0 };

    *ret = (struct breakdown){ 0 };
    if (row_length(task->row) == STORE_NULL)
        return;
    ret->total = row_length(task->row);
    struct report_src inside = *src;
    inside.span = (struct span){ task->row[0], task->row[1] };
    add_steps(&inside, task, &v);
    add_tasks(&inside, task, &v);
    if (v.n) {
        qsort(v.at, v.n, sizeof *v.at, earliest_first);
        ret->explained = covered(v.at, v.n);
        qsort(v.at, v.n, sizeof *v.at, longest_first);
        ret->parts = arena_array(src->mem, struct part, v.n);
        memcpy(ret->parts, v.at, v.n * sizeof *v.at);
    }
    ret->nparts = v.n;
    vec_free(&v);
}

struct str breakdown_sentence(const struct report_src *src, const struct breakdown *b)
{
    char part[TIME_TEXT], total[TIME_TEXT];

    if (b->nparts == 0 || b->total <= 0)
        return STR("");
    const struct part *p = &b->parts[0];
    ns_t d = p->t1 - p->t0;
    struct str name = str_first(p->name, 60);
    return str_of(arena_printf(
        src->mem, "%s %s of %s (%d %%) %s " STR_FMT " " STR_FMT "%s", p->wait ? "waits" : "spends",
        time_human(d, part), time_human(b->total, total), (int)((__int128)d * 100 / b->total),
        p->wait ? "for" : "in", STR_ARG(p->kind), STR_ARG(name), name.n < p->name.n ? "..." : ""));
}
