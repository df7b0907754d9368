/* SPDX-License-Identifier: Apache-2.0
 *
 * measure.c -- samples to groups, groups to tables; see measure.h. */
#include "report/measure_priv.h"

#include "model/qemu.h"
#include "report/lists.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PEAK_NS = 100000000, TOP_UNIT = 1000000000 };

const struct measure *const measures[] = {
    &measure_cpu, &measure_preempt, &measure_wait,  &measure_sched, &measure_io, &measure_net,
    &measure_irq, &measure_syscall, &measure_exits, &measure_mem,   NULL
};

const struct measure *measure_find(const char *name)
{
    for (size_t i = 0; measures[i]; i++)
        if (!strcmp(measures[i]->name, name))
            return measures[i];
    return NULL;
}

const char *measure_name(const struct measure *m)
{
    return m->name;
}

enum measure_by measure_by_of(struct str name)
{
    return str_is(name, "thread")    ? BY_THREAD
           : str_is(name, "process") ? BY_PROCESS
           : str_is(name, "owner")   ? BY_OWNER
                                     : BY_DEFAULT;
}

bool measure_has(const struct measure *m, enum measure_view view)
{
    return m->samples || view == VIEW_TOP;
}

static const struct column columns[MC_COLS] = {
    [MC_HOST] = { "host", "HOST", COL_STR, 0, 0, 0 },
    [MC_NAME] = { "name", "NAME", COL_STR, 0, 0, 32 },
    [MC_KIND] = { "kind", "KIND", COL_STR, 0, 0, 0 },
    [MC_UUID] = { "uuid", "UUID", COL_STR, 0, COL_WIDE, 0 },
    [MC_PID] = { "pid", "PID", COL_INT, 0, 0, 0 },
    [MC_TID] = { "tid", "TID", COL_INT, 0, 0, 0 },
    [MC_COMM] = { "comm", "THREAD", COL_STR, 0, 0, 0 },
    [MC_VICTIM] = { "victim", "VICTIM", COL_STR, 0, 0, 32 },
    [MC_VICTIM_TID] = { "victim_tid", "VICTIM TID", COL_INT, 0, 0, 0 },
    [MC_CULPRIT] = { "culprit", "CULPRIT", COL_STR, 0, 0, 32 },
    [MC_CULPRIT_TID] = { "culprit_tid", "CULPRIT TID", COL_INT, 0, 0, 0 },
    [MC_DEVICE] = { "device", "DEVICE", COL_STR, 0, 0, 0 },
    [MC_VM] = { "vm", "INSTANCE", COL_STR, 0, 0, 32 },
    [MC_PROCESS] = { "process", "PROCESS", COL_STR, 0, 0, 32 },
    [MC_OP] = { "op", "OP", COL_STR, 0, 0, 0 },
    [MC_INTERFACE] = { "interface", "INTERFACE", COL_STR, 0, 0, 0 },
    [MC_DIRECTION] = { "direction", "DIRECTION", COL_STR, 0, 0, 0 },
    [MC_IRQ_KIND] = { "kind", "KIND", COL_STR, 0, 0, 0 },
    [MC_NUMBER] = { "number", "NUMBER", COL_INT, 0, 0, 0 },
    [MC_IRQ_NAME] = { "irq", "INTERRUPT", COL_STR, 0, 0, 0 },
    [MC_CALL] = { "call", "CALL", COL_STR, 0, 0, 0 },
    [MC_REASON] = { "reason", "REASON", COL_STR, 0, 0, 0 },
    [MC_VCPU] = { "vcpu", "VCPU", COL_INT, 0, 0, 0 },
    [MC_CPU] = { "cpu", "CPU", COL_INT, 0, 0, 0 },
    [MC_COUNT] = { "count", "COUNT", COL_COUNT, 0, 0, 0 },
    [MC_PACKETS] = { "packets", "PACKETS", COL_COUNT, 0, 0, 0 },
    [MC_TOTAL] = { "total_ns", "TOTAL", COL_DURATION, 0, 0, 0 },
    [MC_MIN] = { "min_ns", "MIN", COL_DURATION, 0, 0, 0 },
    [MC_MEAN] = { "mean_ns", "MEAN", COL_DURATION, 0, 0, 0 },
    [MC_P50] = { "p50_ns", "MEDIAN", COL_DURATION, 0, 0, 0 },
    [MC_P99] = { "p99_ns", "P99", COL_DURATION, 0, 0, 0 },
    [MC_LONGEST] = { "longest_ns", "LONGEST", COL_DURATION, 0, 0, 0 },
    [MC_MAX] = { "max_ns", "MAX", COL_DURATION, 0, 0, 0 },
    [MC_AT] = { "longest_at_ns", "LONGEST AT", COL_INSTANT, 0, COL_WIDE, 0 },
    [MC_OPEN] = { "open", "OPEN", COL_COUNT, 0, COL_WIDE, 0 },
    [MC_ERRORS] = { "errors", "ERRORS", COL_COUNT, 0, 0, 0 },
    [MC_BYTES] = { "bytes", "BYTES", COL_BYTES, 0, 0, 0 },
    [MC_RATE] = { "rate_per_s", "PER SECOND", COL_NESTED, ALIGN_RIGHT, 0, 0 },
    [MC_BANDWIDTH] = { "rate_bytes", "BYTES/S", COL_BYTES, 0, 0, 0 },
    [MC_PEAK] = { "peak_per_second", "PEAK/S", COL_COUNT, 0, 0, 0 },
    [MC_DRIVER] = { "driver_p50_ns", "DEVICE MEDIAN", COL_DURATION, 0, COL_WIDE, 0 },
    [MC_SEQUENTIAL] = { "sequential", "SEQUENTIAL", COL_RATIO, 0, COL_WIDE, 0 },
    [MC_DEPTH] = { "depth_mean", "MEAN DEPTH", COL_NESTED, ALIGN_RIGHT, COL_WIDE, 0 },
    [MC_BLOCKED] = { "blocked_ns", "BLOCKED", COL_DURATION, 0, 0, 0 },
    [MC_WAITED] = { "waited_ns", "WAITED", COL_DURATION, 0, 0, 0 },
    [MC_VCPU_TIME] = { "vcpu_ns", "FROM VCPUS", COL_DURATION, 0, 0, 0 },
    [MC_RAISED] = { "raise_p99_ns", "RAISE P99", COL_DURATION, 0, COL_WIDE, 0 },
    [MC_START] = { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    [MC_DURATION] = { "duration_ns", "TOOK", COL_DURATION, 0, 0, 0 },
    [MC_DETAIL] = { "detail", "DETAIL", COL_STR, 0, 0, 60 },
};

struct span measure_within(const struct report_src *src, uint32_t host, struct span win)
{
    const struct store *s = src->hosts[host];
    ns_t end = src_kernel_end(src, host);
    struct store_coverage cov;
    int64_t begin;

    store_coverage(s, &cov);
    if (str_i64(store_fact(s, "kernel.begin"), &begin))
        begin = store_shown(s, begin);
    else
        begin = cov.t0;
    win.t0 = win.t0 > begin ? win.t0 : begin;
    win.t1 = win.t1 < end ? win.t1 : end;
    win.t1 = win.t1 > win.t0 ? win.t1 : win.t0;
    return win;
}

ns_t measure_holes(const struct report_src *src, uint32_t host, struct span win)
{
    const struct store *s = src->hosts[host];
    const cell_t *row;
    ns_t holes = 0;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_untraced].name, &t))
        return 0;
    win = measure_within(src, host, win);
    struct store_rows r = store_rows(s, t, win);
    while ((row = store_rows_next(&r))) { /* they are disjoint */
        ns_t t0 = row[0] > win.t0 ? row[0] : win.t0, t1 = row[1] < win.t1 ? row[1] : win.t1;

        holes += t1 > t0 ? t1 - t0 : 0;
    }
    return holes;
}

ns_t measure_traced(const struct report_src *src, uint32_t host, struct span win)
{
    struct span all = measure_within(src, host, win);

    return all.t1 - all.t0 - measure_holes(src, host, win);
}

size_t measure_cpus(const struct store *s)
{
    char room[SCHEMA_PATH];
    attr_t it = 0, a;
    size_t n = 0;

    while (store_attr_match(s, schema_path(ATTR_CPU_STATE, STR("*"), room), &it, &a))
        n++;
    return n;
}

/* --- filters ---------------------------------------------------------------------------- */

static bool is_thread(const struct measure_opts *o, const struct who_thread *th)
{
    int64_t tid;

    return str_i64(o->thread, &tid) ? th->tid == tid : str_glob(o->thread, th->comm);
}

bool measure_passes(const struct report_src *src, const struct whos *w,
                    const struct measure_opts *o, const struct who_thread *th)
{
    const struct who_owner *owner = th ? who_owner(w, th) : NULL;

    if (src->vm.n &&
        (!owner || owner->kind != WHO_VM || !report_vm_fits(src, owner->uuid, owner->name)))
        return false;
    if (o->service.n &&
        (!owner || owner->kind != WHO_SERVICE || !str_glob(o->service, owner->name)))
        return false;
    return o->thread.n == 0 || (th && is_thread(o, th));
}

static bool vm_known(const struct report_src *src, const struct whos *w)
{
    struct src_rows r = src_rows_global(src, TABLE_vm);
    const cell_t *row;

    for (size_t i = 0; i < w->owners.n; i++)
        if (w->owners.at[i].kind == WHO_VM &&
            report_vm_fits(src, w->owners.at[i].uuid, w->owners.at[i].name))
            return true;
    while ((row = src_next(&r)))
        if (report_vm_fits(src, src_text(&r, row, C_vm_uuid), src_text(&r, row, C_vm_vm)) ||
            str_eq(src_text(&r, row, C_vm_libvirt_name), src->vm)) {
            src_end(&r);
            return true;
        }
    return false;
}

static bool service_known(const struct report_src *src, const struct whos *w, struct str glob)
{
    struct report_src all = *src;
    const cell_t *row;

    all.span = SPAN_ALL;
    struct src_rows r = src_rows(&all, TABLE_service_seen);
    for (size_t i = 0; i < w->owners.n; i++)
        if (w->owners.at[i].kind == WHO_SERVICE && str_glob(glob, w->owners.at[i].name))
            return true;
    while ((row = src_next(&r)))
        if (str_glob(glob, src_text(&r, row, C_service_seen_service))) {
            src_end(&r);
            return true;
        }
    return false;
}

static bool thread_known(const struct whos *w, const struct measure_opts *o)
{
    for (size_t i = 0; i < w->threads.n; i++)
        if (is_thread(o, &w->threads.at[i]))
            return true;
    return false;
}

int measure_check(const struct report_src *src, const struct measure_opts *o, struct err *err)
{
    struct whos w;
    int rc = 0;

    if (src->vm.n == 0 && o->service.n == 0 && o->thread.n == 0)
        return 0;
    whos_make(src, &w);
    if (src->vm.n && !vm_known(src, &w))
        rc = err_set(err, E_ARG,
                     "no instance '" STR_FMT "' in these traces; `neph list vms PATH` "
                     "and `neph list mappings PATH` name those that are",
                     STR_ARG(src->vm));
    else if (o->service.n && !service_known(src, &w, o->service))
        rc = err_set(err, E_ARG,
                     "no service '" STR_FMT "' in these traces; `neph list services "
                     "PATH` names those that are",
                     STR_ARG(o->service));
    else if (o->thread.n && !thread_known(&w, o))
        rc = err_set(err, E_ARG,
                     "no thread '" STR_FMT "' in these traces; `neph list threads PATH` "
                     "names those that are",
                     STR_ARG(o->thread));
    whos_free(&w);
    return rc;
}

/* --- groups ----------------------------------------------------------------------------- */

struct group {
    struct sample first; /* what all of it have in common */
    uint64_t count, open, errors, flags;
    ns_t total, ended, max, max_at, vcpu, blocked, waited; /* ended: sum of 'values' */
    int64_t bytes, depth;
    VEC(ns_t) values, drivers, raises;
    int64_t slot;
    uint64_t in_slot, peak; /* samples in PEAK_NS at most */
};

struct measuring {
    const struct measure *m;
    const struct measure_opts *o;
    const struct report_src *src;
    struct whos whos;
    enum measure_by by;
    struct strtab keys;
    VEC(struct group) groups;
    struct table *log; /* VIEW_LOG */
    const enum measure_col *cols;
};

static const struct who_process *process_of(const struct measuring *m, const struct who_thread *th)
{
    return th ? who_process(&m->whos, th) : NULL;
}

/* What tells threads apart at the level that the user wants. */
static int64_t identity(const struct measuring *m, const struct who_thread *th, int64_t tid)
{
    if (!th)
        return -1 - tid;
    return m->by == BY_THREAD    ? th - m->whos.threads.at
           : m->by == BY_PROCESS ? th->process
                                 : who_process(&m->whos, th)->owner;
}

static struct group *group_of(struct measuring *m, const struct sample *s)
{
    struct sbuf key = { 0 };

    sbuf_fmt(&key, "%" PRIu32, s->host);
    if (m->m->group & GROUP_WHO)
        sbuf_fmt(&key, "\t%" PRId64, identity(m, s->who, 0));
    if (m->m->group & GROUP_BY)
        sbuf_fmt(&key, "\t%" PRId64, identity(m, s->by, s->by_tid));
    if (m->m->group & GROUP_WHAT)
        sbuf_fmt(&key, "\t" STR_FMT "\t" STR_FMT "\t%" PRId64, STR_ARG(s->what), STR_ARG(s->kind),
                 s->number);
    if (m->m->group & GROUP_DETAIL)
        sbuf_fmt(&key, "\t" STR_FMT, STR_ARG(s->detail));
    uint32_t id = strtab_id(&m->keys, sbuf_view(&key));
    sbuf_free(&key);
    if (id > m->groups.n)
        *vec_push(&m->groups) = (struct group){ .first = *s, .max = -1 };
    return &m->groups.at[id - 1];
}

static void add(const struct measuring *m, struct group *g, const struct sample *s)
{
    int64_t slot = s->t0 / PEAK_NS;

    g->count++;
    g->open += s->t1 == STORE_NULL;
    g->errors += s->error;
    g->flags += s->flag;
    g->total += s->ns;
    if (s->ns > g->max) {
        g->max = s->ns;
        g->max_at = s->t0;
    }
    g->vcpu += s->who && qemu_is_vcpu(s->who->comm) ? s->ns : 0;
    g->blocked += s->blocked != STORE_NULL ? s->blocked : 0;
    g->waited += s->waited != STORE_NULL ? s->waited : 0;
    g->bytes += s->bytes != STORE_NULL ? s->bytes : 0;
    g->depth += s->cpu != STORE_NULL ? s->cpu : 0;
    if (s->t1 != STORE_NULL && !(m->m->of_bytes && s->bytes == STORE_NULL)) {
        *vec_push(&g->values) = s->ns;
        g->ended += s->ns;
    }
    if (s->extra != STORE_NULL)
        *vec_push(&g->drivers) = s->extra;
    g->in_slot = slot == g->slot ? g->in_slot + 1 : 1;
    g->slot = slot;
    g->peak = g->in_slot > g->peak ? g->in_slot : g->peak;
}

static void log_row(struct measuring *m, const struct sample *s);

void measure_sample(struct measuring *m, const struct sample *s)
{
    bool passes = measure_passes(m->src, &m->whos, m->o, s->who);

    if (s->t0 < m->src->span.t0 || s->t0 >= m->src->span.t1)
        return;
    if (!passes && m->m->group & GROUP_BY) /* whom it disturbs is of interest as well */
        passes = measure_passes(m->src, &m->whos, m->o, s->by);
    if (!passes)
        return;
    if (m->log)
        log_row(m, s);
    else
        add(m, group_of(m, s), s);
}

/* --- cells ------------------------------------------------------------------------------ */

static int by_value(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

    return x < y ? -1 : x > y;
}

/* Nearest rank; the values have been sorted. */
static ns_t percentile(const ns_t *v, size_t n, unsigned p)
{
    return n == 0 ? STORE_NULL : v[(n * p + 99) / 100 - 1];
}

/* The name of a thread's side at the level that the user wants. */
static struct str side(const struct measuring *m, const struct who_thread *th, int64_t tid)
{
    if (!th)
        return tid == 0 ? STR("(idle)") : STR("(unknown)");
    if (m->by == BY_THREAD)
        return th->comm;
    return m->by == BY_PROCESS ? who_process(&m->whos, th)->comm : who_owner(&m->whos, th)->name;
}

static void side_cell(const struct measuring *m, struct table *t, const struct who_thread *th,
                      int64_t tid)
{
    cell_str(t, side(m, th, tid));
}

static const char *kind_at(const struct measuring *m, const struct who_thread *th)
{
    return m->by == BY_THREAD    ? "thread"
           : m->by == BY_PROCESS ? "process"
                                 : who_kind_name(who_owner(&m->whos, th)->kind);
}

/* Cells that groups and samples have in common; false: it is none of them. */
static bool common_cell(const struct measuring *m, struct table *t, enum measure_col col,
                        const struct sample *s)
{
    const struct who_owner *owner = s->who ? who_owner(&m->whos, s->who) : NULL;
    bool vm = owner && owner->kind == WHO_VM;

    if (col == MC_HOST)
        table_str(t, str_of(store_host(m->src->hosts[s->host])));
    else if (col == MC_NAME)
        cell_str(t, s->who ? side(m, s->who, -1) : STR(""));
    else if (col == MC_VICTIM)
        side_cell(m, t, s->who, -1);
    else if (col == MC_KIND)
        cell_str(t, str_of(s->who ? kind_at(m, s->who) : ""));
    else if (col == MC_UUID)
        cell_str(t, owner ? owner->uuid : STR(""));
    else if (col == MC_PID)
        cell_int(t, s->who ? process_of(m, s->who)->pid : STORE_NULL, -1);
    else if (col == MC_TID || col == MC_VICTIM_TID)
        cell_int(t, s->who ? s->who->tid : STORE_NULL, -1);
    else if (col == MC_COMM)
        cell_str(t, s->who ? s->who->comm : STR(""));
    else if (col == MC_CULPRIT)
        side_cell(m, t, s->by, s->by_tid);
    else if (col == MC_CULPRIT_TID)
        cell_int(t, s->by_tid, -1);
    else if (col == MC_VM)
        cell_str(t, vm ? owner->name : STR(""));
    else if (col == MC_PROCESS)
        cell_str(t, vm ? STR("") : s->who ? side(m, s->who, -1) : STR(""));
    else if (col == MC_DEVICE || col == MC_INTERFACE || col == MC_IRQ_NAME || col == MC_CALL ||
             col == MC_REASON)
        cell_str(t, s->what);
    else if (col == MC_OP || col == MC_DIRECTION || col == MC_IRQ_KIND)
        cell_str(t, s->kind);
    else if (col == MC_NUMBER || col == MC_VCPU)
        cell_int(t, s->number, -1);
    else
        return false;
    return true;
}

/* A rate that is whole has no exponent: it is read by people as well. */
static void emit_number(struct json *j, const void *arg)
{
    const double v = *(const double *)arg, exact = 1e15;

    if (fabs(v) < exact && v == trunc(v))
        json_i64(j, (int64_t)v);
    else
        json_f64(j, v);
}

static void rate_cell(struct table *t, double v, const struct report_src *src)
{
    double *kept = arena_new(src->mem, double);

    *kept = round(v * 1000) / 1000;
    table_nested(t, emit_number, kept);
}

/* Seconds that the group's samples are from. */
static double seconds(const struct report_src *src, uint32_t host)
{
    return (double)measure_traced(src, host, src->span) / TOP_UNIT;
}

static void group_cell(const struct measuring *m, struct table *t, enum measure_col col,
                       const struct group *g)
{
    double s = seconds(m->src, g->first.host);

    if (common_cell(m, t, col, &g->first))
        return;
    if (col == MC_COUNT || col == MC_PACKETS)
        table_count(t, g->count);
    else if (col == MC_TOTAL)
        table_ns(t, g->total);
    else if (col == MC_MIN)
        cell_ns(t, g->values.n ? g->values.at[0] : STORE_NULL);
    else if (col == MC_MEAN)
        cell_ns(t, g->values.n ? g->ended / (ns_t)g->values.n : STORE_NULL);
    else if (col == MC_P50)
        cell_ns(t, percentile(g->values.at, g->values.n, 50));
    else if (col == MC_P99)
        cell_ns(t, percentile(g->values.at, g->values.n, 99));
    else if (col == MC_LONGEST || col == MC_MAX)
        table_ns(t, g->max);
    else if (col == MC_AT)
        table_ns(t, g->max_at);
    else if (col == MC_OPEN)
        table_count(t, g->open);
    else if (col == MC_ERRORS)
        table_count(t, g->errors);
    else if (col == MC_BYTES)
        table_count(t, (uint64_t)g->bytes);
    else if (col == MC_RATE && s > 0)
        rate_cell(t, (double)g->count / s, m->src);
    else if (col == MC_BANDWIDTH && s > 0)
        table_count(t, (uint64_t)((double)g->bytes / s));
    else if (col == MC_PEAK)
        table_count(t, g->peak * (TOP_UNIT / PEAK_NS));
    else if (col == MC_DRIVER)
        cell_ns(t, percentile(g->drivers.at, g->drivers.n, 50));
    else if (col == MC_RAISED)
        cell_ns(t, percentile(g->drivers.at, g->drivers.n, 99));
    else if (col == MC_SEQUENTIAL)
        table_ratio(t, (double)g->flags / (double)g->count);
    else if (col == MC_DEPTH)
        rate_cell(t, (double)g->depth / (double)g->count, m->src);
    else if (col == MC_BLOCKED)
        table_ns(t, g->blocked);
    else if (col == MC_WAITED)
        table_ns(t, g->waited);
    else if (col == MC_VCPU_TIME)
        table_ns(t, g->vcpu);
    else
        table_null(t);
}

static void log_row(struct measuring *m, const struct sample *s)
{
    struct table *t = m->log;

    table_row(t);
    for (const enum measure_col *col = m->cols; *col != MC_END; col++) {
        if (common_cell(m, t, *col, s))
            continue;
        if (*col == MC_START)
            table_ns(t, s->t0);
        else if (*col == MC_DURATION)
            cell_ns(t, s->t1 == STORE_NULL ? STORE_NULL : s->ns);
        else if (*col == MC_BYTES && s->bytes != STORE_NULL)
            table_count(t, (uint64_t)s->bytes);
        else if (*col == MC_CPU)
            cell_int(t, s->cpu, -1);
        else if (*col == MC_BLOCKED)
            cell_ns(t, s->blocked);
        else if (*col == MC_WAITED)
            cell_ns(t, s->waited);
        else if (*col == MC_DETAIL)
            cell_str(t, s->detail);
        else
            table_null(t);
    }
}

/* --- views ------------------------------------------------------------------------------ */

static const enum measure_col freq_by[] = { MC_END };
static const struct column freq_columns[] = {
    { "low_ns", "FROM", COL_DURATION, 0, 0, 0 },   { "high_ns", "TO", COL_DURATION, 0, 0, 0 },
    { "count", "COUNT", COL_COUNT, 0, 0, 0 },      { "share", "SHARE", COL_RATIO, 0, 0, 0 },
    { "up_to", "UP TO HERE", COL_RATIO, 0, 0, 0 },
};
static const struct column freq_byte_columns[] = {
    { "low_bytes", "FROM", COL_BYTES, 0, 0, 0 },   { "high_bytes", "TO", COL_BYTES, 0, 0, 0 },
    { "count", "COUNT", COL_COUNT, 0, 0, 0 },      { "share", "SHARE", COL_RATIO, 0, 0, 0 },
    { "up_to", "UP TO HERE", COL_RATIO, 0, 0, 0 },
};

static const enum measure_col *view_columns(const struct measure *m, enum measure_view view)
{
    return view == VIEW_LOG ? m->log : view == VIEW_FREQ ? freq_by : m->top;
}

/* Columns that say nothing at the level that the user asked for. */
static bool is_shown(enum measure_col col, const struct measure_opts *o)
{
    bool thread = o->view == VIEW_LOG || o->by == BY_THREAD;

    if (col == MC_TID || col == MC_COMM || col == MC_VICTIM_TID || col == MC_CULPRIT_TID)
        return thread;
    return col != MC_PID || thread || o->by == BY_PROCESS;
}

static size_t choose(const struct measure *m, const struct measure_opts *o,
                     enum measure_col ret[MC_COLS])
{
    size_t n = 0;

    for (const enum measure_col *c = view_columns(m, o->view); c && *c != MC_END; c++)
        if (is_shown(*c, o))
            ret[n++] = *c;
    ret[n] = MC_END;
    return n;
}

const struct column *measure_columns(const struct measure *m, const struct measure_opts *o,
                                     struct arena *mem, size_t *ret_n)
{
    enum measure_col cols[MC_COLS];

    if (o->view == VIEW_FREQ) {
        *ret_n = ARRAY_SIZE(freq_columns);
        return m->of_bytes ? freq_byte_columns : freq_columns;
    }
    if (o->view == VIEW_TOP && m->fill_top) {
        *ret_n = m->ntop_columns;
        return m->top_columns;
    }
    *ret_n = choose(m, o, cols);
    struct column *ret = arena_array(mem, struct column, *ret_n);
    for (size_t i = 0; i < *ret_n; i++)
        ret[i] = columns[cols[i]];
    return ret;
}

static int by_cost(const void *a, const void *b)
{
    const struct group *x = a, *y = b;

    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    if (x->bytes != y->bytes)
        return x->bytes > y->bytes ? -1 : 1;
    return x->count != y->count ? (x->count > y->count ? -1 : 1) : 0;
}

/* Powers of two, from the least to the most. */
static void fill_freq(struct measuring *m, struct table *t)
{
    uint64_t counts[65] = { 0 }, all = 0, sum = 0;
    int lo = 62, hi = 0;

    for (size_t i = 0; i < m->groups.n; i++)
        for (size_t k = 0; k < m->groups.at[i].values.n; k++) {
            uint64_t v =
                (uint64_t)(m->groups.at[i].values.at[k] > 0 ? m->groups.at[i].values.at[k] : 0);
            int b = v ? 64 - __builtin_clzll(v) : 0; /* at most 62: no time and no size is larger */

            b = b < 62 ? b : 62;

            counts[b]++;
            all++;
            lo = b < lo ? b : lo;
            hi = b > hi ? b : hi;
        }
    for (int b = lo; b <= hi && all; b++) {
        sum += counts[b];
        table_row(t);
        if (m->m->of_bytes) {
            table_count(t, b ? (uint64_t)1 << (b - 1) : 0);
            table_count(t, 1ull << b);
        } else {
            table_ns(t, b ? (ns_t)1 << (b - 1) : 0);
            table_ns(t, (ns_t)1 << b);
        }
        table_count(t, counts[b]);
        table_ratio(t, (double)counts[b] / (double)all);
        table_ratio(t, (double)sum / (double)all);
    }
}

static void fill_groups(struct measuring *m, struct table *t)
{
    enum measure_col cols[MC_COLS];

    choose(m->m, m->o, cols);
    for (size_t i = 0; i < m->groups.n; i++) {
        struct group *g = &m->groups.at[i];

        if (g->values.n)
            qsort(g->values.at, g->values.n, sizeof *g->values.at, by_value);
        if (g->drivers.n)
            qsort(g->drivers.at, g->drivers.n, sizeof *g->drivers.at, by_value);
    }
    if (m->o->view == VIEW_TOP && m->groups.n)
        qsort(m->groups.at, m->groups.n, sizeof *m->groups.at, by_cost);
    for (size_t i = 0; i < m->groups.n; i++) {
        table_row(t);
        for (const enum measure_col *c = cols; *c != MC_END; c++)
            group_cell(m, t, *c, &m->groups.at[i]);
    }
}

uint64_t measure_fill(const struct measure *m, const struct measure_opts *o,
                      const struct report_src *src, struct table *t)
{
    struct measuring run = { .m = m,
                             .o = o,
                             .src = src,
                             .by = o->by == BY_DEFAULT ? BY_OWNER : o->by,
                             .log = o->view == VIEW_LOG ? t : NULL };
    enum measure_col cols[MC_COLS];
    uint64_t open = 0;

    choose(m, o, cols);
    run.cols = cols;
    strtab_id(&run.keys, STR(""));
    whos_make(src, &run.whos);
    if (o->view == VIEW_TOP && m->fill_top) {
        m->fill_top(src, &run.whos, o, t);
    } else {
        m->samples(&run, src, &run.whos);
        if (o->view == VIEW_FREQ)
            fill_freq(&run, t);
        else if (o->view != VIEW_LOG)
            fill_groups(&run, t);
    }
    for (size_t i = 0; i < run.groups.n; i++) {
        open += run.groups.at[i].open;
        vec_free(&run.groups.at[i].values);
        vec_free(&run.groups.at[i].drivers);
    }
    vec_free(&run.groups);
    strtab_free(&run.keys);
    whos_free(&run.whos);
    return open;
}

/* --- what is missing -------------------------------------------------------------------- */

static bool had(const struct store *s, const char *type)
{
    char key[64];

    snprintf(key, sizeof key, "events.%s", type);
    return store_fact(s, key).n > 0;
}

bool measure_had(const struct store *s, enum ev_type type)
{
    return had(s, ev_descs[type].name);
}

/* Does the window hold a part of the trace of a kernel that the measure is of? */
static bool traced(const struct measure *m, const struct report_src *src)
{
    for (uint32_t i = 0; i < src->nhosts; i++) {
        struct span span = measure_within(src, i, src->span);
        bool kernel = store_fact(src->hosts[i], "kernel.end").n > 0;

        for (const struct need *n = m->needs; n->without; n++)
            kernel |= measure_had(src->hosts[i], n->type);
        if (kernel && span.t0 < span.t1)
            return true;
    }
    return false;
}

void measure_notes(const struct measure *m, const struct report_src *src, struct notes *notes)
{
    if (!traced(m, src))
        note_add(notes, NOTE_WARN, "",
                 "no kernel was traced in this window: there is nothing to measure in it");
    for (uint32_t i = 0; i < src->nhosts; i++) {
        const struct store *s = src->hosts[i];
        ns_t holes = measure_holes(src, i, src->span);
        char text[TIME_TEXT];
        uint64_t gaps = 0;
        table_t t;

        if (holes > 0)
            note_add(notes, NOTE_WARN, store_host(s),
                     "between its traces the kernel was not traced for %s of this window: what "
                     "happened then is in no figure",
                     time_human(holes, text));

        for (const struct need *n = m->needs; n->without; n++)
            if (!had(s, ev_descs[n->type].name) && !(n->or_type && had(s, n->or_type)))
                note_add(notes, NOTE_WARN, store_host(s),
                         "%s is not recorded: %s; enable it with %s", ev_descs[n->type].name,
                         n->without, n->enable);
        if (!store_table_find(s, schema_tables[TABLE_gap].name, &t))
            continue;
        struct store_rows r = store_rows(s, t, src->span);
        while (store_rows_next(&r))
            gaps++;
        if (gaps)
            note_add(notes, NOTE_LOST, store_host(s),
                     "the tracer lost events of the kernel %" PRIu64 " times in this window: what "
                     "happened meanwhile is in no figure",
                     gaps);
    }
    if (m->says)
        note_add(notes, NOTE_INFO, "", "%s", m->says);
}
