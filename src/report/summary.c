/* SPDX-License-Identifier: Apache-2.0
 *
 * summary.c -- what happened, on one page: first what stands out, then the
 * instances, requests and tasks behind it, then what the kernels saw and could
 * not see. */
#include "report/breakdown.h"
#include "report/clocks.h"
#include "report/measure_priv.h"
#include "report/measure_sections.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const struct column notable_cols[] = {
    { "severity", "SEVERITY", COL_STR, 0, 0, 0 },
    { "what", "WHAT", COL_STR, 0, 0, 92 },
    { "where", "WHERE", COL_STR, 0, 0, 44 },
    { "start_ns", "SINCE", COL_INSTANT, 0, COL_WIDE, 0 },
    { "cost_ns", "COST", COL_DURATION, 0, 0, 0 },
    { "evidence", "EVIDENCE", COL_STR, 0, 0, 96 },
};

enum { FEW = 12 }; /* rows of a section in a table */

/* A wait is worth a line from here on: a second is what a user notices (Nielsen,
 * Usability Engineering, 1993, 5.5), and below half of the task it is not what
 * made it long. */
#define NOTABLE_WAIT_NS NS_PER_S
#define NOTABLE_LOCK_NS (NS_PER_S / 10)

struct notable {
    int rank; /* 0 = critical, 1 = warning, 2 = info */
    struct str what, where, evidence;
    ns_t t, cost;
};
typedef VEC(struct notable) notable_vec;

static const char *const ranks[] = { "critical", "warning", "info" };

static int worst_first(const void *a, const void *b)
{
    const struct notable *x = a, *y = b;
    ns_t cx = x->cost == STORE_NULL ? 0 : x->cost, cy = y->cost == STORE_NULL ? 0 : y->cost;

    if (x->rank != y->rank)
        return x->rank - y->rank;
    if (cx != cy)
        return cx > cy ? -1 : 1;
    return (x->t > y->t) - (x->t < y->t);
}

#define MAKE(src, ...) str_of(arena_printf((src)->mem, __VA_ARGS__))

/* "web-1", or the uuid or name that the row has. */
static struct str entity_of(const struct report_src *src, const struct src_row *r)
{
    return src_vm_name(src, row_text(r, C_task_uuid), row_text(r, C_task_entity));
}

static struct str where(const struct report_src *src, struct str service, const char *host)
{
    return MAKE(src, STR_FMT "%s%s", STR_ARG(service), service.n ? " on " : "", host);
}

static struct str where_task(const struct report_src *src, const struct src_row *r)
{
    return where(src, row_text(r, C_task_service), r->host);
}

static int by_length(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

    return (x > y) - (x < y);
}

/* Median length of the finished tasks of one name; STORE_NULL when there are too
 * few to say what is usual. */
static ns_t usual_length(const struct src_group *peers)
{
    enum { FEW_PEERS = 4 };
    VEC(ns_t) d = { 0 };
    ns_t median = STORE_NULL;

    for (size_t i = 0; i < peers->rows.n; i++)
        if (row_length(peers->rows.at[i].row) != STORE_NULL)
            *vec_push(&d) = row_length(peers->rows.at[i].row);
    if (d.n >= FEW_PEERS) {
        qsort(d.at, d.n, sizeof *d.at, by_length);
        median = d.at[d.n / 2];
    }
    vec_free(&d);
    return median;
}

/* A long wait: news when the task took over twice what it takes its peers, or
 * when there are none to compare it with. */
static void note_wait(const struct report_src *src, const struct src_row *r,
                      const struct src_index *peers, notable_vec *v)
{
    struct str task = row_text(r, C_task_task), entity = entity_of(src, r);
    struct breakdown b;

    breakdown_of(src, r, &b);
    if (b.nparts == 0 || !b.parts[0].wait)
        return;
    ns_t d = b.parts[0].t1 - b.parts[0].t0;
    if (d < NOTABLE_WAIT_NS || d * 2 < b.total)
        return;
    ns_t usual = usual_length(src_index_find(peers, task));
    bool news = usual == STORE_NULL || b.total > 2 * usual;
    *vec_push(v) =
        (struct notable){ news ? 1 : 2,
                          MAKE(src, STR_FMT " " STR_FMT " " STR_FMT, STR_ARG(task), STR_ARG(entity),
                               STR_ARG(breakdown_sentence(src, &b))),
                          where_task(src, r),
                          MAKE(src, "%sneph show task '" STR_FMT "/" STR_FMT "' PATH",
                               news ? "" : "as its peers; ", STR_ARG(task), STR_ARG(entity)),
                          b.parts[0].t0,
                          d };
}

static void note_task(const struct report_src *src, const struct src_row *r,
                      const struct src_index *peers, notable_vec *v)
{
    static const struct {
        const char *status, *say;
        int rank;
    } bad[] = { { "error", "failed", 0 },
                { "aborted", "was left by its thread before its end", 1 },
                { "open", "began and was not seen to end", 1 },
                { "end-only", "ended, its start was not seen", 2 } };
    struct str status = row_text(r, C_task_status), task = row_text(r, C_task_task);
    struct str error = src_mask(src, row_text(r, C_task_error));

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        if (str_is(status, bad[i].status)) {
            *vec_push(v) = (struct notable){
                bad[i].rank,
                MAKE(src, STR_FMT "%s" STR_FMT " %s", STR_ARG(task), entity_of(src, r).n ? " " : "",
                     STR_ARG(entity_of(src, r)), bad[i].say),
                where_task(src, r),
                error.n ? error
                        : MAKE(src, "function " STR_FMT ", line %" PRId64,
                               STR_ARG(row_text(r, C_task_func)), r->row[C_task_lineno]),
                row_begin(r->row),
                row_length(r->row)
            };
            return;
        }
    note_wait(src, r, peers, v);
}

static void note_requests(const struct report_src *src, notable_vec *v)
{
    struct src_rows r = src_rows_global(src, TABLE_request);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str error = src_safe(&r, row, C_request_first_error);

        /* A mere call is judged by its step: a 404 is often just an answer. */
        bool call = row[C_request_tasks] == 0 && row[C_request_errors] == 0;

        if (call || !str_is(src_text(&r, row, C_request_outcome), "error"))
            continue;
        *vec_push(v) =
            (struct notable){ 0,
                              MAKE(src, "request " STR_FMT " failed",
                                   STR_ARG(src_text(&r, row, C_request_request))),
                              src_safe(&r, row, C_request_action),
                              error.n ? error
                                      : MAKE(src, "neph show request " STR_FMT " PATH",
                                             STR_ARG(src_text(&r, row, C_request_request))),
                              row[C_request_t0],
                              row_length(row) };
    }
}

/* The state that the instance had just before. */
static struct str last_state(const struct report_src *src, const struct src_rows *now,
                             const cell_t *row)
{
    struct report_src before = *src;
    before.span = (struct span){ row[0] > NS_MIN ? row[0] - 1 : row[0], row[0] };
    struct src_rows r = src_rows_global(&before, TABLE_vm_state);
    struct str state = STR("");
    const cell_t *other;

    while ((other = src_next(&r)))
        if (other[C_vm_state_key] == row[C_vm_state_key] && other[0] < row[0])
            state = src_text(now, other, C_vm_state_state);
    return state;
}

static void note_states(const struct report_src *src, notable_vec *v)
{
    struct src_rows r = src_rows_global(src, TABLE_vm_state);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str wrong = src_text(&r, row, C_vm_state_violation);

        if (wrong.n)
            *vec_push(v) =
                (struct notable){ 1,
                                  MAKE(src, "instance " STR_FMT ": state " STR_FMT,
                                       STR_ARG(src_vm_name(src, src_text(&r, row, C_vm_state_key),
                                                           src_text(&r, row, C_vm_state_key))),
                                       STR_ARG(wrong)),
                                  src_text(&r, row, C_vm_state_host),
                                  MAKE(src, "told by " STR_FMT,
                                       STR_ARG(src_text(&r, row, C_vm_state_source))),
                                  row[C_vm_state_t0],
                                  STORE_NULL };
        if (str_is(src_text(&r, row, C_vm_state_state), "error") &&
            !str_is(last_state(src, &r, row), "error"))
            *vec_push(v) =
                (struct notable){ 0,
                                  MAKE(src, "instance " STR_FMT " goes into state error",
                                       STR_ARG(src_vm_name(src, src_text(&r, row, C_vm_state_key),
                                                           src_text(&r, row, C_vm_state_key)))),
                                  src_text(&r, row, C_vm_state_host),
                                  MAKE(src, "request " STR_FMT,
                                       STR_ARG(src_text(&r, row, C_vm_state_request))),
                                  row[C_vm_state_t0],
                                  STORE_NULL };
    }
}

/* Who held the lock while another waited for it. */
static struct str lock_holder(const struct report_src *src, const struct src_rows *wait,
                              const cell_t *row)
{
    struct report_src inside = *src;
    inside.span = (struct span){ row[0], row[1] };
    struct src_rows r = src_rows(&inside, TABLE_step);
    const cell_t *other;

    while ((other = src_next(&r)))
        if (r.store == wait->store && str_is(src_text(&r, other, C_step_kind), "lock") &&
            other[C_step_name] == row[C_step_name] && other[0] != STORE_NULL && other[0] < row[1] &&
            other[C_step_pid] == row[C_step_pid] && other[C_step_thread] != row[C_step_thread]) {
            struct str by =
                MAKE(src, "held by%s" STR_FMT " thread %" PRId64, other[C_step_detail] ? " " : "",
                     STR_ARG(src_text(&r, other, C_step_detail)), other[C_step_thread]);

            src_end(&r);
            return by;
        }
    return STR("its holder was not seen");
}

/* A wait that timed out fails what waits; a server that answers 404 or 401 mostly
 * answers a question, and only 5xx says that it is broken. */
static int step_rank(struct str kind, struct str status, int64_t code)
{
    bool http = str_starts(kind, STR("http")) || str_is(kind, "served");

    if (str_is(status, "timeout"))
        return 0;
    return http && code < 500 ? 2 : 1;
}

static void note_steps(const struct report_src *src, notable_vec *v)
{
    struct src_rows r = src_rows(src, TABLE_step);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str kind = src_text(&r, row, C_step_kind), status = src_text(&r, row, C_step_status);
        struct str name = src_mask(src, str_first(src_text(&r, row, C_step_name), 70));
        struct str at = where(src, src_text(&r, row, C_step_service), r.host);

        if (str_is(kind, "lock-wait") && row_length(row) != STORE_NULL &&
            row_length(row) >= NOTABLE_LOCK_NS)
            *vec_push(v) = (struct notable){ 1,
                                             MAKE(src, "lock " STR_FMT " is waited for%s" STR_FMT,
                                                  STR_ARG(name), row[C_step_detail] ? " by " : "",
                                                  STR_ARG(src_text(&r, row, C_step_detail))),
                                             at,
                                             lock_holder(src, &r, row),
                                             row[0],
                                             row_length(row) };
        else if (str_is(status, "failed") || str_is(status, "timeout"))
            *vec_push(v) = (struct notable){ step_rank(kind, status, row[C_step_code]),
                                             MAKE(src, STR_FMT " " STR_FMT " " STR_FMT,
                                                  STR_ARG(kind), STR_ARG(name), STR_ARG(status)),
                                             at,
                                             row[C_step_code] == STORE_NULL
                                                 ? STR("")
                                                 : MAKE(src, "code %" PRId64, row[C_step_code]),
                                             row_begin(row),
                                             row_length(row) };
    }
}

static void note_logs(const struct report_src *src, notable_vec *v)
{
    struct src_rows r = src_rows(src, TABLE_line);
    const cell_t *row;

    while ((row = src_next(&r)))
        if (row[C_line_level] >= 40)
            *vec_push(v) =
                (struct notable){ 1,
                                  MAKE(src, "%s: " STR_FMT,
                                       log_level_values.at[log_level_of(row[C_line_level])].label,
                                       STR_ARG(str_first(src_safe(&r, row, C_line_text), 160))),
                                  where(src, src_text(&r, row, C_line_service), r.host),
                                  MAKE(src, STR_FMT ":" STR_FMT ", line %" PRId64,
                                       STR_ARG(src_text(&r, row, C_line_logger)),
                                       STR_ARG(src_text(&r, row, C_line_func)), row[C_line_lineno]),
                                  row[0],
                                  STORE_NULL };
}

static void note_volumes(const struct report_src *src, notable_vec *v)
{
    struct src_rows r = src_rows(src, TABLE_mark);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str one = src_text(&r, row, C_mark_name), other = src_text(&r, row, C_mark_text);

        if (str_is(src_text(&r, row, C_mark_kind), "attached-twice"))
            *vec_push(v) = (struct notable){
                1,
                MAKE(src, "volume " STR_FMT " is attached to two instances at once",
                     STR_ARG(src_text(&r, row, C_mark_subject))),
                str_of(r.host),
                MAKE(src, STR_FMT " and " STR_FMT, STR_ARG(src_vm_name(src, one, one)),
                     STR_ARG(src_vm_name(src, other, other))),
                row[0],
                STORE_NULL
            };
    }
}

static void note_losses(const struct summary_facts *f, const struct report_src *src, notable_vec *v)
{
    if (f->discarded)
        *vec_push(v) =
            (struct notable){ 1,
                              MAKE(src, "the tracers discarded %" PRIu64 " events", f->discarded),
                              STR("tracing"),
                              STR("what they told is missing from every answer: "
                                  "neph doctor"),
                              0,
                              STORE_NULL };
    if (f->lost_packets || f->bad_packets)
        *vec_push(v) =
            (struct notable){ 1,
                              MAKE(src,
                                   "%" PRIu64 " packets were lost, %" PRIu64 " could not be read",
                                   f->lost_packets, f->bad_packets),
                              STR("tracing"),
                              STR("neph doctor"),
                              0,
                              STORE_NULL };
}

/* What is said several times of one place is said once, with the sum of its cost. */
static void merge_equal(const struct report_src *src, notable_vec *v)
{
    struct strtab seen = { 0 };
    VEC(uint32_t) times = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < v->n; i++) {
        struct notable *x = &v->at[i];
        struct str key =
            MAKE(src, "%d\n" STR_FMT "\n" STR_FMT, x->rank, STR_ARG(x->what), STR_ARG(x->where));
        uint32_t id = strtab_id(&seen, key) - 1; /* 0 is the empty text */

        if (id == n) { /* new */
            *vec_push(&times) = 1;
            v->at[n++] = *x;
            continue;
        }
        struct notable *first = &v->at[id];
        times.at[id]++;
        if (x->cost != STORE_NULL)
            first->cost = x->cost + (first->cost == STORE_NULL ? 0 : first->cost);
    }
    v->n = n;
    for (size_t i = 0; i < n; i++)
        if (times.at[i] > 1)
            v->at[i].what = MAKE(src, "%u times: " STR_FMT, times.at[i], STR_ARG(v->at[i].what));
    vec_free(&times);
    strtab_free(&seen);
}

static void notables(const struct report_src *src, const struct summary_facts *facts,
                     struct table *t)
{
    notable_vec v = { 0 };
    struct src_index peers;
    size_t n;
    struct src_row *tasks = src_sorted(src, TABLE_task, &n);

    src_index_make(src, TABLE_task, false, C_task_task, &peers);
    for (size_t i = 0; i < n; i++)
        note_task(src, &tasks[i], &peers, &v);
    src_index_free(&peers);
    note_requests(src, &v);
    note_states(src, &v);
    note_steps(src, &v);
    note_logs(src, &v);
    note_volumes(src, &v);
    note_losses(facts, src, &v);
    merge_equal(src, &v);
    if (v.n)
        qsort(v.at, v.n, sizeof *v.at, worst_first);
    for (size_t i = 0; i < v.n; i++) {
        table_row(t);
        table_str(t, str_of(ranks[v.at[i].rank]));
        table_str(t, v.at[i].what);
        cell_str(t, v.at[i].where);
        cell_ns(t, v.at[i].t ? v.at[i].t : STORE_NULL);
        cell_ns(t, v.at[i].cost);
        cell_str(t, v.at[i].evidence);
    }
    vec_free(&v);
}

/* Hosts without a log line of a service: nothing is known of their work. */
static void blind_hosts(const struct report_src *src, struct sections *ret)
{
    struct src_index seen;
    size_t blind = 0;

    src_index_make(src, TABLE_service_seen, false, C_service_seen_service, &seen);
    for (uint32_t i = 0; i < src->nhosts; i++) {
        bool found = false;

        for (size_t g = 0; g < seen.groups.n; g++)
            for (size_t k = 0; k < seen.groups.at[g].rows.n; k++)
                found |= seen.groups.at[g].rows.at[k].store == src->hosts[i];
        if (!found)
            sbuf_fmt(&ret->head, "%s%s",
                     blind++ ? ", " : "\nNo log line of an OpenStack service on ",
                     store_host(src->hosts[i]));
    }
    if (blind)
        sbuf_fmt(&ret->head,
                 ": nothing can be said of instances, requests and tasks there%s. Record "
                 "lttng_python:event (`neph help analyses` says what is needed).",
                 src_with_kernel(src).nhosts ? ", but what the kernel saw" : "");
    src_index_free(&seen);
}

void summary_read(const struct report_src *src, const struct summary_facts *f, struct sbuf *out)
{
    char t0[TIME_TEXT], d[TIME_TEXT];
    ns_t first = NS_MAX, last = NS_MIN;

    for (uint32_t i = 0; i < src->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(src->hosts[i], &cov);
        if (cov.t0 >= cov.t1)
            continue;
        first = cov.t0 < first ? cov.t0 : first;
        last = cov.t1 > last ? cov.t1 : last;
    }
    sbuf_fmt(out, "%" PRIu64 " event%s in %" PRIu64 " trace%s of %u host%s", f->events,
             f->events == 1 ? "" : "s", f->traces, f->traces == 1 ? "" : "s", src->nhosts,
             src->nhosts == 1 ? "" : "s");
    if (first <= last)
        sbuf_fmt(out, ", %s from %s UTC", time_human(last - first, d), time_iso(first, t0));
    sbuf_fmt(out, "; %" PRIu64 " events discarded, %" PRIu64 " packets lost, %" PRIu64 " bad",
             f->discarded, f->lost_packets, f->bad_packets);
}

void summary_layers(const struct report_src *src, struct sbuf *out)
{
    static const struct {
        const char *name;
        enum ev_type first, last;
    } layers[] = {
        { "OpenStack", EV_PYTHON_LOG, EV_SERVICE_LINE },
        { "kernel", EV_SCHED_SWITCH, EV_DUMP_FD },
        { "QEMU", EV_QEMU_RUNSTATE, EV_QMP_EVENT },
    };

    for (uint32_t h = 0; h < src->nhosts; h++) {
        size_t n = 0;

        sbuf_fmt(out, "%s%s (", h ? ", " : "", store_host(src->hosts[h]));
        for (size_t i = 0; i < ARRAY_SIZE(layers); i++) {
            bool any = false;

            for (int t = (int)layers[i].first; t <= (int)layers[i].last && !any; t++)
                any = measure_had(src->hosts[h], (enum ev_type)t);
            if (any)
                sbuf_fmt(out, "%s%s", n++ ? ", " : "", layers[i].name);
        }
        sbuf_z(out, n ? ")" : "no layer that is known)");
    }
}

static void head(const struct report_src *src, const struct summary_facts *f, struct sections *ret)
{
    summary_read(src, f, &ret->head);
    if (src->nhosts > 1 && (!src->clocks || src->clocks->mode == CLOCKS_NONE))
        sbuf_z(&ret->head, "\nClocks of different hosts are compared as they are: the order of "
                           "events between hosts is only as good as they agree.");
    else if (src->nhosts > 1)
        sbuf_fmt(&ret->head,
                 "\nTimes of all hosts are shown by the clock of %s, as far as messages "
                 "bound the others against it (neph sync).",
                 src->clocks->at[src->clocks->reference].host);
    blind_hosts(src, ret);
}

/* --- the kernels ------------------------------------------------------------------------- */

static const struct column kernel_cols[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "cpus", "CPUS", COL_COUNT, 0, 0, 0 },
    { "events", "EVENTS", COL_COUNT, 0, 0, 0 },
    { "duration_ns", "LENGTH", COL_DURATION, 0, 0, 0 },
    { "threads", "THREADS", COL_COUNT, 0, 0, 0 },
    { "usage", "CPUS USED", COL_RATIO, 0, 0, 0 },
    { "run_ns", "RUN", COL_DURATION, 0, COL_WIDE, 0 },
    { "wait_ns", "WAITED FOR CPU", COL_DURATION, 0, 0, 0 },
    { "wait_share", "WAIT SHARE", COL_RATIO, 0, 0, 0 },
    { "preempted_ns", "PRE-EMPTED", COL_DURATION, 0, COL_WIDE, 0 },
    { "most", "MOST CPU", COL_STR, 0, 0, 32 },
    { "most_ns", "ITS RUN", COL_DURATION, 0, 0, 0 },
    { "lost_events", "LOST EVENTS", COL_COUNT, 0, 0, 0 },
    { "gaps", "TIMES LOST", COL_COUNT, 0, COL_WIDE, 0 },
};

/* Sums over the threads of a host that the user's filters let pass. */
struct kernel_host {
    struct usage all;
    uint64_t threads;
    struct str most; /* the owner that ran most */
    ns_t most_ns;
};

static ns_t ran(const struct usage *u)
{
    return usage_sum(u, TS_USER, TS_SOFTIRQ);
}

static void sum_threads(const struct report_src *src, struct kernel_host *hosts)
{
    const struct measure_opts all = { .view = VIEW_TOP };
    struct whos w;

    whos_make(src, &w);
    ns_t *owners = xcalloc(w.owners.n + 1, sizeof *owners);
    for (size_t i = 0; i < w.threads.n; i++) {
        const struct who_thread *th = &w.threads.at[i];
        struct kernel_host *h = &hosts[th->host];
        struct usage u = { .seen = false };

        if (!measure_passes(src, &w, &all, th))
            continue;
        usage_add(src, th, &u);
        if (!u.seen)
            continue;
        h->threads++;
        for (size_t k = 0; k < ARRAY_SIZE(u.in); k++)
            h->all.in[k] += u.in[k];
        uint32_t owner = who_process(&w, th)->owner;
        owners[owner] += ran(&u);
        if (owners[owner] > h->most_ns) {
            h->most_ns = owners[owner];
            h->most = w.owners.at[owner].name;
        }
    }
    free(owners);
    whos_free(&w);
}

/* Events of the kernel that an analysis understands, in the whole trace. */
static uint64_t kernel_events(const struct store *s)
{
    uint64_t sum = 0;
    char key[64];
    int64_t n;

    for (int i = EV_SCHED_SWITCH; i < EV_TYPES; i++) {
        snprintf(key, sizeof key, "events.%s", ev_descs[i].name);
        if (str_i64(store_fact(s, key), &n))
            sum += (uint64_t)n;
    }
    return sum;
}

/* How many were lost is not known of packets that were overwritten. */
static void put_losses(const struct report_src *src, const struct store *s, struct table *t)
{
    uint64_t gaps = 0, events = 0;
    const cell_t *row;
    table_t gap;

    if (store_table_find(s, schema_tables[TABLE_gap].name, &gap)) {
        struct store_rows r = store_rows(s, gap, src->span);

        while ((row = store_rows_next(&r))) {
            gaps++;
            events += row[C_gap_events] > 0 ? (uint64_t)row[C_gap_events] : 0;
        }
    }
    if (gaps && !events)
        table_null_word(t, "some");
    else
        table_count(t, events);
    table_count(t, gaps);
}

static void put_kernel(const struct report_src *src, uint32_t host, const struct kernel_host *h,
                       struct table *t)
{
    const struct store *s = src->hosts[host];
    ns_t run = ran(&h->all), wait = h->all.in[TS_WAIT] + h->all.in[TS_PREEMPTED];
    ns_t length = measure_traced(src, host, src->span);
    uint64_t cpus = measure_cpus(s);

    table_row(t);
    table_str(t, str_of(store_host(s)));
    table_count(t, cpus);
    table_count(t, kernel_events(s));
    cell_ns(t, length ? length : STORE_NULL);
    table_count(t, h->threads);
    if (measure_had(s, EV_SCHED_SWITCH)) {
        table_ratio(t, length && cpus ? (double)run / (double)length / (double)cpus : 0);
        table_ns(t, run);
        table_ns(t, wait);
        table_ratio(t, run + wait ? (double)wait / (double)(run + wait) : 0);
        table_ns(t, h->all.in[TS_PREEMPTED]);
        cell_str(t, h->most);
        cell_ns(t, h->most.n ? h->most_ns : STORE_NULL);
    } else { /* a thread that blocks in a system call would seem to run there */
        for (int i = 0; i < 7; i++)
            table_null(t);
    }
    put_losses(src, s, t);
}

static void add_kernels(const struct report_src *all, struct sections *ret)
{
    struct report_src src = src_with_kernel(all);

    if (src.nhosts == 0)
        return;
    struct kernel_host *hosts = xcalloc(src.nhosts, sizeof *hosts);
    struct section *s =
        section_add(ret, "kernels", "Kernels", kernel_cols, ARRAY_SIZE(kernel_cols));

    sum_threads(&src, hosts);
    for (uint32_t i = 0; i < src.nhosts; i++)
        put_kernel(&src, i, &hosts[i], &s->table);
    free(hosts);
    s->limit = FEW;
    s->more = "-o wide shows all";
    s = section_measure(ret, &src, &measure_cpu, BY_OWNER, "CPU time");
    s->limit = FEW;
    s->more = "neph top cpu";
    s = section_measure(ret, &src, &measure_preempt, BY_OWNER,
                        "Pre-emption: who took a CPU from whom");
    s->limit = FEW / 2;
    s->more = "neph top preempt";
    s = section_missing(ret, &src, measures);
    s->limit = FEW;
    s->more = "-o wide shows all";
}

/* --- the page ---------------------------------------------------------------------------- */

/* Requests that a user made, not the calls that follow from them. */
static void roots(const struct report_src *src, struct table *t)
{
    struct src_rows r = src_rows_global(src, TABLE_request);
    const cell_t *row;

    while ((row = src_next(&r)))
        if (row[C_request_tasks] > 0)
            list_request_row(src, t, &r, row);
}

static struct section *add_list(struct sections *ret, const struct report_list *l,
                                const char *title, size_t limit, const char *more)
{
    struct section *s = section_add(ret, l->name, title, l->columns, l->ncolumns);

    s->limit = limit;
    s->more = more;
    return s;
}

void summary_report(const struct report_src *src, const struct summary_facts *facts,
                    struct sections *ret)
{
    head(src, facts, ret);
    struct section *s =
        section_add(ret, "notable", "What stands out", notable_cols, ARRAY_SIZE(notable_cols));
    s->limit = FEW;
    s->more = "-o wide shows all";
    notables(src, facts, &s->table);
    s = add_list(ret, &list_vms, "Instances", FEW, "neph list vms");
    list_vms.fill(src, &s->table);
    s = add_list(ret, &list_requests, "Requests", FEW, "neph list requests");
    roots(src, &s->table);
    s = add_list(ret, &list_durations, "Tasks", 2 * FEW, "neph list durations");
    list_durations.fill(src, &s->table);
    s = add_list(ret, &list_hosts, "Hosts", FEW, "neph list hosts");
    list_hosts.fill(src, &s->table);
    add_kernels(src, ret);
}
