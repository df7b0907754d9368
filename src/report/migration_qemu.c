/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_qemu.c -- from what QEMU traced to the two ends of each migration.
 *
 * One process can be traced several times: by LTTng, by its own log or binary, by who speaks QMP
 * with it.  Which process a trace is of, its events say, or the kernel's threads, or a log's main
 * thread (its number is the process's), or, for a log of QMP, that its states come when a process
 * traced them.  Of several traces of one process the one with most rows counts, and QMP beside it.
 */
#include "report/migration_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { FAR_NS = 2000000000 }; /* QMP's states come soon after those that are traced */

struct process {
    uint32_t host;
    int64_t pid;
    VEC(struct qemu_row) rows;
    VEC(struct qemu_info) infos;
};
typedef VEC(struct process) process_vec;
typedef VEC(struct qemu_row) row_vec;

static struct process *process_of(process_vec *v, uint32_t host, int64_t pid)
{
    for (size_t i = 0; i < v->n; i++)
        if (v->at[i].host == host && v->at[i].pid == pid)
            return &v->at[i];
    *vec_push(v) = (struct process){ .host = host, .pid = pid };
    return &v->at[v->n - 1];
}

static void read_rows(const struct report_src *src, uint32_t host, row_vec *ret)
{
    const struct store *s = src->hosts[host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_qemu].name, &t))
        return;
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r)))
        *vec_push(ret) = (struct qemu_row){ .t0 = row[0],
                                            .t1 = row[1],
                                            .host = host,
                                            .source = (uint32_t)row[C_qemu_source],
                                            .pid = row[C_qemu_pid],
                                            .tid = row[C_qemu_tid],
                                            .what = row[C_qemu_what],
                                            .a = row[C_qemu_a],
                                            .b = row[C_qemu_b],
                                            .c = row[C_qemu_c],
                                            .d = row[C_qemu_d],
                                            .text = store_text(s, row[C_qemu_text]),
                                            .qmp = row[C_qemu_tid] < 0 && row[C_qemu_pid] < 0 };
}

/* The process of a trace that does not tell: -1 = it can't be known. */
static int64_t pid_of_source(const struct whos *w, const row_vec *rows, uint32_t source)
{
    for (size_t i = 0; i < rows->n; i++) {
        const struct qemu_row *r = &rows->at[i];
        const struct who_thread *th;

        if (r->source != source || r->qmp)
            continue;
        if (r->pid >= 0)
            return r->pid;
        if ((th = whos_at(w, r->host, r->tid, r->t0)) && th->pid != r->tid)
            return th->pid;
        if (r->what == QEMU_VM || r->what == QEMU_MIGRATE || r->what == QEMU_PARAMETERS ||
            r->what == QEMU_INCOMING)
            return r->tid; /* of the main thread */
    }
    return -1;
}

/* Rows of logs of QMP wait until the processes are known. */
static void deal_rows(const struct whos *w, const row_vec *rows, process_vec *ret, row_vec *qmp)
{
    VEC(int64_t) pids = { 0 };

    for (size_t i = 0; i < rows->n; i++) {
        struct qemu_row r = rows->at[i];

        if (r.qmp) {
            *vec_push(qmp) = r;
            continue;
        }
        while (pids.n <= r.source)
            *vec_push(&pids) = INT64_MIN;
        if (pids.at[r.source] == INT64_MIN) {
            pids.at[r.source] = pid_of_source(w, rows, r.source);
            if (pids.at[r.source] < 0)
                pids.at[r.source] = -2 - (int64_t)r.source;
        }
        r.pid = r.pid >= 0 ? r.pid : pids.at[r.source];
        *vec_push(&process_of(ret, r.host, r.pid)->rows) = r;
    }
    vec_free(&pids);
}

/* How many states of a log of QMP a process traced just before. */
static size_t agreement(const struct process *p, const row_vec *qmp, uint32_t source)
{
    size_t n = 0;

    for (size_t i = 0; i < qmp->n; i++) {
        const struct qemu_row *q = &qmp->at[i];

        if (q->source != source || (q->what != QEMU_STATE && q->what != QEMU_VM))
            continue;
        for (size_t k = 0; k < p->rows.n; k++) {
            const struct qemu_row *r = &p->rows.at[k];
            bool same = q->what == QEMU_STATE ? str_eq(r->text, q->text) : r->a == q->a;

            if (!r->qmp && r->what == q->what && same && llabs(r->t0 - q->t0) < FAR_NS) {
                n++;
                break;
            }
        }
    }
    return n;
}

static int64_t pid_of_qmp(const process_vec *v, const row_vec *qmp, uint32_t host, uint32_t source)
{
    int64_t pid = -2 - (int64_t)source;
    size_t best = 0;

    for (size_t i = 0; i < v->n; i++) {
        size_t n = v->at[i].host == host ? agreement(&v->at[i], qmp, source) : 0;

        if (n > best) {
            best = n;
            pid = v->at[i].pid;
        }
    }
    return pid;
}

static int by_time(const void *a, const void *b)
{
    const struct qemu_row *x = a, *y = b;

    return x->t1 != y->t1 ? (x->t1 < y->t1 ? -1 : 1) : (x->what > y->what) - (x->what < y->what);
}

/* Of several traces of the process, the one with most rows. */
static void choose_source(struct process *p)
{
    size_t count[64] = { 0 }, n = 0;
    uint32_t best = 0;

    for (size_t i = 0; i < p->rows.n; i++)
        if (!p->rows.at[i].qmp && p->rows.at[i].source < ARRAY_SIZE(count))
            count[p->rows.at[i].source]++;
    for (uint32_t s = 1; s < ARRAY_SIZE(count); s++)
        best = count[s] > count[best] ? s : best;
    for (size_t i = 0; i < p->rows.n; i++)
        if (p->rows.at[i].qmp || p->rows.at[i].source == best)
            p->rows.at[n++] = p->rows.at[i];
    p->rows.n = n;
    if (n)
        qsort(p->rows.at, n, sizeof *p->rows.at, by_time);
}

static void read_infos(const struct report_src *src, uint32_t host, process_vec *v,
                       const row_vec *qmp)
{
    const struct store *s = src->hosts[host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_qmp_info].name, &t))
        return;
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r))) {
        int64_t pid = row[C_qmp_info_pid];

        if (pid < 0)
            pid = pid_of_qmp(v, qmp, host, (uint32_t)row[C_qmp_info_source]);
        *vec_push(&process_of(v, host, pid)->infos) =
            (struct qemu_info){ .t = row[0],
                                .status = store_text(s, row[C_qmp_info_status]),
                                .error = store_text(s, row[C_qmp_info_error]),
                                .total_ms = row[C_qmp_info_total_ms],
                                .downtime_ms = row[C_qmp_info_downtime_ms],
                                .setup_ms = row[C_qmp_info_setup_ms],
                                .transferred = row[C_qmp_info_transferred],
                                .remaining = row[C_qmp_info_remaining],
                                .total = row[C_qmp_info_total],
                                .zero_pages = row[C_qmp_info_zero_pages],
                                .syncs = row[C_qmp_info_syncs],
                                .page_bytes = row[C_qmp_info_page_bytes],
                                .throttle = row[C_qmp_info_throttle] };
    }
}

/* --- ends of migrations -------------------------------------------------------------------- */

static enum mig_outcome outcome_of(struct str state)
{
    return str_is(state, "completed")   ? MIG_COMPLETED
           : str_is(state, "failed")    ? MIG_FAILED
           : str_is(state, "cancelled") ? MIG_CANCELLED
                                        : MIG_UNKNOWN;
}

static bool is_of_source(const struct qemu_row *r)
{
    return r->what == QEMU_SYNC || r->what == QEMU_TRANSFERRED || r->what == QEMU_PENDING ||
           r->what == QEMU_SAVE_SETUP || r->what == QEMU_SAVE_COMPLETE ||
           r->what == QEMU_OUTGOING || r->what == QEMU_PASS ||
           (r->what == QEMU_STATE && str_is(r->text, "setup"));
}

static bool is_of_destination(const struct qemu_row *r)
{
    return r->what == QEMU_INCOMING || r->what == QEMU_LOAD_SETUP || r->what == QEMU_LOAD_END ||
           r->what == QEMU_INCOMING_END || r->what == QEMU_POSTCOPY_RUN;
}

static struct str vm_of(const struct whos *w, uint32_t host, int64_t pid, ns_t t)
{
    const struct who_thread *th = pid >= 0 ? whos_at(w, host, pid, t) : NULL;

    if (!th)
        return STR("");
    const struct who_owner *o = who_owner(w, th);
    return o->kind == WHO_VM && o->name.n ? o->name : STR("");
}

/* The attempt that goes on, or a new one. */
static struct qemu_end *going(qemu_end_vec *v, const struct whos *w, const struct process *p,
                              size_t first, bool source, ns_t t, bool before)
{
    if (v->n > first && v->at[v->n - 1].source == source && v->at[v->n - 1].t1 == STORE_NULL)
        return &v->at[v->n - 1];
    *vec_push(v) = (struct qemu_end){ .host = p->host,
                                      .pid = p->pid,
                                      .source = source,
                                      .vm = vm_of(w, p->host, p->pid, t),
                                      .t0 = t,
                                      .t1 = STORE_NULL,
                                      .outcome = MIG_RUNNING,
                                      .begun_before = before };
    return &v->at[v->n - 1];
}

static bool has_state(const struct process *p, const char *state, ns_t before)
{
    for (size_t i = 0; i < p->rows.n; i++)
        if (p->rows.at[i].what == QEMU_STATE && p->rows.at[i].t0 <= before &&
            str_is(p->rows.at[i].text, state))
            return true;
    return false;
}

static void end_of_attempt(struct qemu_end *e, const struct qemu_row *r)
{
    enum mig_outcome o = r->what == QEMU_STATE ? outcome_of(r->text) : MIG_UNKNOWN;

    if (o != MIG_UNKNOWN && e->outcome == MIG_RUNNING) {
        e->outcome = o;
        e->t1 = r->t1;
    }
}

/* Cuts what a process did into attempts. */
static void find_ends(const struct whos *w, const struct process *p, qemu_end_vec *v)
{
    size_t first = v->n;
    struct qemu_end *e = NULL;
    const struct qemu_row *limits = NULL;

    for (size_t i = 0; i < p->rows.n; i++) {
        const struct qemu_row *r = &p->rows.at[i];
        size_t before = v->n;
        bool setup = r->what == QEMU_STATE && str_is(r->text, "setup");
        bool active = r->what == QEMU_STATE && str_is(r->text, "active");

        if (is_of_source(r)) {
            bool over = v->n > first && v->at[v->n - 1].t1 != STORE_NULL;

            if (!over || setup) /* the last rows of an attempt come after its end */
                e = going(v, w, p, first, true, r->t0, !setup && !has_state(p, "setup", r->t0));
        } else if (is_of_destination(r) || (active && !e)) {
            bool over = v->n > first && v->at[v->n - 1].t1 != STORE_NULL;

            if (!over || r->what == QEMU_INCOMING)
                e = going(v, w, p, first, false, r->t0, r->what == QEMU_LOAD_END);
        }
        if (r->what == QEMU_PARAMETERS)
            limits = r;
        if (!e)
            continue;
        if (v->n > before && limits) /* what it was told before it began */
            *vec_push(&e->rows) = *limits;
        *vec_push(&e->rows) = *r;
        end_of_attempt(e, r);
    }
    for (size_t i = 0; i < p->infos.n; i++) /* an answer belongs to the attempt before it */
        for (size_t k = v->n; k-- > first;)
            if (v->at[k].t0 <= p->infos.at[i].t) {
                *vec_push(&v->at[k].infos) = p->infos.at[i];
                break;
            }
}

void qemu_ends_read(const struct report_src *src, const struct whos *w, qemu_end_vec *ret)
{
    process_vec v = { 0 };

    for (uint32_t h = 0; h < src->nhosts; h++) {
        row_vec rows = { 0 }, qmp = { 0 };

        read_rows(src, h, &rows);
        deal_rows(w, &rows, &v, &qmp);
        for (size_t i = 0; i < qmp.n; i++) {
            struct qemu_row r = qmp.at[i];

            r.pid = pid_of_qmp(&v, &qmp, h, r.source);
            *vec_push(&process_of(&v, h, r.pid)->rows) = r;
        }
        read_infos(src, h, &v, &qmp);
        vec_free(&rows);
        vec_free(&qmp);
    }
    for (size_t i = 0; i < v.n; i++) {
        choose_source(&v.at[i]);
        find_ends(w, &v.at[i], ret);
        vec_free(&v.at[i].rows);
        vec_free(&v.at[i].infos);
    }
    vec_free(&v);
}

void qemu_ends_free(qemu_end_vec *v)
{
    for (size_t i = 0; i < v->n; i++) {
        vec_free(&v->at[i].rows);
        vec_free(&v->at[i].infos);
    }
    vec_free(v);
}

const struct qemu_row *qemu_row_of(const struct qemu_end *e, enum qemu_what what, ns_t from)
{
    for (size_t i = 0; e && i < e->rows.n; i++)
        if (e->rows.at[i].what == (int64_t)what && e->rows.at[i].t0 >= from)
            return &e->rows.at[i];
    return NULL;
}
