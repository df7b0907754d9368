/* SPDX-License-Identifier: Apache-2.0
 *
 * measures.c -- what the measures' samples are, and what they need; see measure.h. */
#include "report/measure_priv.h"

#include "report/lists.h"

#include <inttypes.h>
#include <stdlib.h>

/* A sample about the thread 'tid' that begins at 't0'; without an end, up to the end of
 * the kernel's trace. */
static struct sample sample_of(const struct report_src *src, const struct whos *w,
                               const struct src_rows *r, const cell_t *row, int64_t tid)
{
    uint32_t host = src_host_no(src, r->store);
    ns_t end = row[1] == STORE_NULL ? src_kernel_end(src, host) : row[1];

    return (struct sample){ .host = host,
                            .t0 = row[0],
                            .t1 = row[1],
                            .ns = end > row[0] ? end - row[0] : 0,
                            .who = whos_at(w, host, tid, row[0]),
                            .by_tid = STORE_NULL,
                            .number = STORE_NULL,
                            .cpu = STORE_NULL,
                            .bytes = STORE_NULL,
                            .blocked = STORE_NULL,
                            .waited = STORE_NULL,
                            .extra = STORE_NULL };
}

#define SWITCH_NEED                                                  \
    {                                                                \
        EV_SCHED_SWITCH, NULL, "lttng enable-event -k sched_switch", \
            "who was on which CPU, and so nothing here"              \
    }
#define WAKEUP_NEED                                                                         \
    {                                                                                       \
        EV_SCHED_WAKEUP, "sched_waking", "lttng enable-event -k sched_wakeup,sched_waking", \
            "when a sleep ended: a wait for a CPU can't be told from the sleep before it"   \
    }

/* --- cpu -------------------------------------------------------------------------------- */

static const struct need cpu_needs[] = { SWITCH_NEED, WAKEUP_NEED, { 0 } };

/* Runs of threads on CPUs. */
static void cpu_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    for (uint32_t h = 0; h < src->nhosts; h++) {
        const struct store *s = src->hosts[h];
        ns_t end = src_kernel_end(src, h);
        char room[SCHEMA_PATH];
        attr_t it = 0, a;

        while (store_attr_match(s, schema_path(ATTR_CPU_THREAD, STR("*"), room), &it, &a)) {
            struct store_ranges r = store_ranges(s, a, src->span);
            struct interval v;
            int64_t cpu = -1;

            str_i64(schema_hole(ATTR_CPU_THREAD, store_attr_path(s, a)), &cpu);
            while (store_ranges_next(&r, &v))
                if (!v.lost && v.value > 0)
                    measure_sample(m,
                                   &(struct sample){ .host = h,
                                                     .t0 = v.t0,
                                                     .t1 = v.open || v.t1 > end ? STORE_NULL : v.t1,
                                                     .ns = (v.t1 < end ? v.t1 : end) - v.t0,
                                                     .who = whos_at(w, h, v.value, v.t0),
                                                     .by_tid = STORE_NULL,
                                                     .number = STORE_NULL,
                                                     .cpu = cpu,
                                                     .bytes = STORE_NULL,
                                                     .blocked = STORE_NULL,
                                                     .waited = STORE_NULL,
                                                     .extra = STORE_NULL });
        }
    }
}

void usage_add(const struct report_src *src, const struct who_thread *th, struct usage *u)
{
    const struct store *s = src->hosts[th->host];
    ns_t end = th->t1 == STORE_NULL ? src_kernel_end(src, th->host) : th->t1;
    struct span span = { th->t0 > src->span.t0 ? th->t0 : src->span.t0,
                         end < src->span.t1 ? end : src->span.t1 };
    struct store_totals totals;
    char path[SCHEMA_PATH];
    attr_t a;

    if (span.t0 >= span.t1 ||
        !store_attr_find(s, schema_path_nr(ATTR_THREAD_STATE, th->tid, path), &a))
        return;
    store_totals(s, &a, 1, span, &totals);
    for (size_t i = 0; i < totals.n; i++)
        if (totals.at[i].value >= 0 && (size_t)totals.at[i].value < ARRAY_SIZE(u->in))
            u->in[totals.at[i].value] += totals.at[i].ns;
    u->seen = true;
    free(totals.at);
}

static void add_usage(struct usage *to, const struct usage *from)
{
    for (size_t i = 0; i < ARRAY_SIZE(to->in); i++)
        to->in[i] += from->in[i];
    to->seen |= from->seen;
}

ns_t usage_sum(const struct usage *u, enum thread_state first, enum thread_state last)
{
    ns_t sum = 0;

    for (int i = (int)first; i <= (int)last; i++)
        sum += u->in[i];
    return sum;
}

static const struct column cpu_columns[] = {
    { "name", "NAME", COL_STR, 0, 0, 32 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "pid", "PID", COL_INT, 0, 0, 0 },
    { "tid", "TID", COL_INT, 0, 0, 0 },
    { "run_ns", "RUN", COL_DURATION, 0, 0, 0 },
    { "usage", "CPUS", COL_RATIO, 0, 0, 0 },
    { "wait_ns", "WAITED FOR CPU", COL_DURATION, 0, 0, 0 },
    { "preempted_ns", "PRE-EMPTED", COL_DURATION, 0, 0, 0 },
    { "blocked_ns", "BLOCKED", COL_DURATION, 0, 0, 0 },
    { "guest_ns", "GUEST", COL_DURATION, 0, COL_WIDE, 0 },
    { "hypervisor_ns", "HYPERVISOR", COL_DURATION, 0, COL_WIDE, 0 },
    { "user_ns", "USER", COL_DURATION, 0, COL_WIDE, 0 },
    { "syscall_ns", "SYSCALL", COL_DURATION, 0, COL_WIDE, 0 },
    { "kernel_ns", "KERNEL", COL_DURATION, 0, COL_WIDE, 0 },
    { "unsorted_ns", "MODE UNKNOWN", COL_DURATION, 0, COL_WIDE, 0 },
    { "interrupt_ns", "INTERRUPTS", COL_DURATION, 0, COL_WIDE, 0 },
    { "disk_ns", "DISK", COL_DURATION, 0, COL_WIDE, 0 },
    { "network_ns", "NETWORK", COL_DURATION, 0, COL_WIDE, 0 },
    { "timer_ns", "TIMER", COL_DURATION, 0, COL_WIDE, 0 },
    { "futex_ns", "FUTEX", COL_DURATION, 0, COL_WIDE, 0 },
    { "other_ns", "OTHER", COL_DURATION, 0, COL_WIDE, 0 },
    { "unknown_ns", "UNKNOWN", COL_DURATION, 0, COL_WIDE, 0 },
    { "threads", "THREADS", COL_COUNT, 0, COL_WIDE, 0 },
    { "uuid", "UUID", COL_STR, 0, COL_WIDE, 0 },
};

enum { CPU_TIMES = ARRAY_SIZE(cpu_columns) - 7 }; /* all but who it is, threads and uuid */

struct cpu_row {
    struct str name, uuid;
    const char *kind;
    int order; /* of the kind */
    uint32_t host;
    int64_t pid, tid;
    uint64_t threads;
    struct usage u;
};

static int by_run(const void *a, const void *b)
{
    const struct cpu_row *x = a, *y = b;
    ns_t rx = usage_sum(&x->u, TS_USER, TS_SOFTIRQ), ry = usage_sum(&y->u, TS_USER, TS_SOFTIRQ);

    if (x->order != y->order)
        return x->order - y->order;
    if (rx != ry)
        return rx > ry ? -1 : 1;
    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    return x->tid != y->tid ? (x->tid < y->tid ? -1 : 1) : (x->pid > y->pid) - (x->pid < y->pid);
}

static void put_cpu_row(const struct report_src *src, const struct cpu_row *r, struct table *t)
{
    ns_t traced = measure_traced(src, r->host, src->span);
    const ns_t *in = r->u.in;
    ns_t run = usage_sum(&r->u, TS_USER, TS_SOFTIRQ);
    bool known = measure_had(src->hosts[r->host], EV_SCHED_SWITCH);

    table_row(t);
    cell_str(t, r->name);
    table_str(t, str_of(r->kind));
    table_str(t, str_of(store_host(src->hosts[r->host])));
    cell_int(t, r->pid, -1);
    cell_int(t, r->tid, -1);
    if (!known) { /* a thread that blocks in a system call seems to run there */
        for (size_t i = 0; i < CPU_TIMES; i++)
            table_null(t);
        table_count(t, r->threads);
        cell_str(t, r->uuid);
        return;
    }
    table_ns(t, run);
    if (traced > 0)
        table_ratio(t, (double)run / (double)traced);
    else
        table_null(t);
    table_ns(t, in[TS_WAIT] + in[TS_PREEMPTED]);
    table_ns(t, in[TS_PREEMPTED]);
    table_ns(t, usage_sum(&r->u, TS_BLOCKED_DISK, TS_STOPPED));
    table_ns(t, in[TS_GUEST]);
    table_ns(t, in[TS_HYPERVISOR]);
    table_ns(t, in[TS_USER]);
    table_ns(t, in[TS_SYSCALL]);
    table_ns(t, in[TS_KERNEL]);
    table_ns(t, in[TS_RUNNING]);
    table_ns(t, in[TS_IRQ] + in[TS_SOFTIRQ]);
    table_ns(t, in[TS_BLOCKED_DISK]);
    table_ns(t, in[TS_BLOCKED_NET]);
    table_ns(t, in[TS_BLOCKED_TIMER]);
    table_ns(t, in[TS_BLOCKED_FUTEX]);
    table_ns(t, in[TS_BLOCKED_OTHER] + in[TS_STOPPED]);
    table_ns(t, in[TS_UNKNOWN]);
    table_count(t, r->threads);
    cell_str(t, r->uuid);
}

static void fill_cpu(const struct report_src *src, const struct whos *w,
                     const struct measure_opts *o, struct table *t)
{
    struct cpu_row *owners = xcalloc(w->owners.n + 1, sizeof *owners);
    struct cpu_row *processes = xcalloc(w->processes.n + 1, sizeof *processes);
    VEC(struct cpu_row) all = { 0 };

    for (size_t i = 0; i < w->threads.n; i++) {
        const struct who_thread *th = &w->threads.at[i];
        const struct who_process *p = who_process(w, th);
        const struct who_owner *owner = who_owner(w, th);
        struct cpu_row row = { .name = th->comm,
                               .kind = "thread",
                               .order = 3,
                               .host = th->host,
                               .pid = p->pid,
                               .tid = th->tid,
                               .threads = 1 };

        if (!measure_passes(src, w, o, th))
            continue;
        usage_add(src, th, &row.u);
        if (!row.u.seen)
            continue;
        if (o->by == BY_DEFAULT || o->by == BY_THREAD)
            *vec_push(&all) = row;
        add_usage(&processes[th->process].u, &row.u);
        processes[th->process].threads++;
        add_usage(&owners[p->owner].u, &row.u);
        owners[p->owner].threads++;
        owners[p->owner].host = th->host;
        owners[p->owner].name = owner->name;
    }
    for (size_t i = 0; i < w->processes.n && o->by != BY_THREAD && o->by != BY_OWNER; i++) {
        const struct who_process *p = &w->processes.at[i];

        if (processes[i].u.seen)
            *vec_push(&all) =
                (struct cpu_row){ p->comm,       STR(""), "process", 2,
                                  p->host,       p->pid,  -1,        processes[i].threads,
                                  processes[i].u };
    }
    for (size_t i = 0; i < w->owners.n && o->by != BY_THREAD && o->by != BY_PROCESS; i++) {
        const struct who_owner *owner = &w->owners.at[i];

        if (owners[i].u.seen && (owner->kind != WHO_PROCESS || o->by == BY_OWNER))
            *vec_push(&all) = (struct cpu_row){ owner->name,
                                                owner->uuid,
                                                who_kind_name(owner->kind),
                                                (int)owner->kind,
                                                owners[i].host,
                                                -1,
                                                -1,
                                                owners[i].threads,
                                                owners[i].u };
    }
    if (all.n)
        qsort(all.at, all.n, sizeof *all.at, by_run);
    for (size_t i = 0; i < all.n; i++)
        put_cpu_row(src, &all.at[i], t);
    vec_free(&all);
    free(owners);
    free(processes);
}

static const enum measure_col cpu_stats[] = { MC_NAME,  MC_KIND,  MC_HOST, MC_PID,  MC_TID, MC_COMM,
                                              MC_COUNT, MC_TOTAL, MC_MIN,  MC_MEAN, MC_P50, MC_P99,
                                              MC_MAX,   MC_AT,    MC_OPEN, MC_END };
static const enum measure_col cpu_log[] = { MC_HOST, MC_CPU, MC_START, MC_DURATION, MC_NAME,
                                            MC_KIND, MC_PID, MC_TID,   MC_COMM,     MC_END };

const struct measure measure_cpu = {
    .name = "cpu",
    .title = "CPU time",
    .samples = cpu_samples,
    .group = GROUP_WHO,
    .top = cpu_stats,
    .log = cpu_log,
    .fill_top = fill_cpu,
    .top_columns = cpu_columns,
    .ntop_columns = ARRAY_SIZE(cpu_columns),
    .needs = cpu_needs,
};

/* --- preempt, wait, sched --------------------------------------------------------------- */

static void preempt_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    struct src_rows r = src_rows(src, TABLE_cpu_wait);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_cpu_wait_tid]);

        if (row[C_cpu_wait_kind] != WAIT_PREEMPTED)
            continue;
        s.by_tid = row[C_cpu_wait_by];
        s.by = whos_at(w, s.host, s.by_tid, s.t0);
        s.cpu = row[C_cpu_wait_cpu];
        measure_sample(m, &s);
    }
}

static const enum measure_col preempt_top[] = { MC_VICTIM,      MC_CULPRIT, MC_HOST,  MC_VICTIM_TID,
                                                MC_CULPRIT_TID, MC_COUNT,   MC_TOTAL, MC_RATE,
                                                MC_MIN,         MC_MEAN,    MC_P50,   MC_P99,
                                                MC_LONGEST,     MC_AT,      MC_OPEN,  MC_END };
static const enum measure_col preempt_log[] = { MC_HOST,     MC_CPU,     MC_START,
                                                MC_DURATION, MC_VICTIM,  MC_VICTIM_TID,
                                                MC_COMM,     MC_CULPRIT, MC_CULPRIT_TID,
                                                MC_END };
static const struct need preempt_needs[] = { SWITCH_NEED, { 0 } };

const struct measure measure_preempt = {
    .name = "preempt",
    .title = "Pre-emption",
    .samples = preempt_samples,
    .group = GROUP_WHO | GROUP_BY,
    .top = preempt_top,
    .log = preempt_log,
    .needs = preempt_needs,
    .says = "A pre-emption lasts until its victim is on a CPU again, and counts to the thread that "
            "took "
            "the CPU first; who was on it in the meantime tells `neph top wait`.",
};

/* Shares a wait out among those who were on the CPU meanwhile. */
static void share(struct measuring *m, const struct report_src *src, const struct whos *w,
                  const struct sample *wait)
{
    const struct store *s = src->hosts[wait->host];
    struct sample part = *wait;
    struct interval v;
    char path[SCHEMA_PATH];
    attr_t a;

    if (wait->cpu < 0 ||
        !store_attr_find(s, schema_path_nr(ATTR_CPU_THREAD, wait->cpu, path), &a)) {
        part.by_tid = -1;
        measure_sample(m, &part);
        return;
    }
    struct span span = { wait->t0, wait->t0 + wait->ns };
    struct store_ranges r = store_ranges(s, a, span);
    ns_t at = span.t0;
    while (at < span.t1 && store_ranges_next(&r, &v)) {
        ns_t t0 = v.t0 > at ? v.t0 : at, t1 = v.t1 < span.t1 ? v.t1 : span.t1;

        if (t0 > at) { /* nothing is known of the CPU in between */
            part.by = NULL;
            part.by_tid = -1;
            part.ns = t0 - at;
            measure_sample(m, &part);
        }
        part.by_tid = v.lost ? -1 : v.value;
        part.by = whos_at(w, wait->host, part.by_tid, t0);
        part.ns = t1 - t0;
        if (part.ns > 0)
            measure_sample(m, &part);
        at = t1 > at ? t1 : at;
    }
    if (at < span.t1) {
        part.by = NULL;
        part.by_tid = -1;
        part.ns = span.t1 - at;
        measure_sample(m, &part);
    }
}

static void wait_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    struct src_rows r = src_rows(src, TABLE_cpu_wait);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_cpu_wait_tid]);

        s.cpu = row[C_cpu_wait_cpu] == STORE_NULL ? -1 : row[C_cpu_wait_cpu];
        share(m, src, w, &s);
    }
}

static const struct need wait_needs[] = { SWITCH_NEED, WAKEUP_NEED, { 0 } };

const struct measure measure_wait = {
    .name = "wait",
    .title = "Waits for a CPU",
    .samples = wait_samples,
    .group = GROUP_WHO | GROUP_BY,
    .top = preempt_top,
    .log = preempt_log,
    .needs = wait_needs,
    .says = "Each wait is shared out among those who were on the CPU on which it ended, to the "
            "nanosecond: "
            "count is the number of such parts. A thread that moved to another CPU waited for "
            "others too.",
};

static void sched_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    static const char *const why[] = { "", "thread", "irq", "softirq", "timer", "fork" };
    struct src_rows r = src_rows(src, TABLE_cpu_wait);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_cpu_wait_tid]);

        if (row[C_cpu_wait_kind] != WAIT_WOKEN || row[1] == STORE_NULL)
            continue;
        s.cpu = row[C_cpu_wait_cpu];
        s.by_tid = row[C_cpu_wait_by];
        s.by = whos_at(w, s.host, s.by_tid, s.t0);
        if (row[C_cpu_wait_why] >= 0 && (size_t)row[C_cpu_wait_why] < ARRAY_SIZE(why))
            s.detail = str_of(why[row[C_cpu_wait_why]]);
        measure_sample(m, &s);
    }
}

static const enum measure_col sched_log[] = { MC_HOST, MC_CPU,         MC_START,  MC_DURATION,
                                              MC_NAME, MC_KIND,        MC_PID,    MC_TID,
                                              MC_COMM, MC_CULPRIT_TID, MC_DETAIL, MC_END };

const struct measure measure_sched = {
    .name = "sched",
    .title = "From wake-up to run",
    .samples = sched_samples,
    .group = GROUP_WHO,
    .top = cpu_stats,
    .log = sched_log,
    .needs = wait_needs,
};

/* --- io --------------------------------------------------------------------------------- */

static void io_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    struct src_rows r = src_rows(src, TABLE_block);
    const struct store *last = NULL;
    int64_t last_dev = -1;
    struct str name = STR("");
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_block_tid]);

        if (row[1] == STORE_NULL)
            continue; /* of what has not completed the latency is not known */
        if (r.store != last || row[C_block_dev] != last_dev)
            name = who_device(src, r.store, row[C_block_dev]);
        last = r.store;
        last_dev = row[C_block_dev];
        s.what = name;
        s.kind = src_text(&r, row, C_block_op);
        s.bytes = row[C_block_bytes];
        s.cpu = row[C_block_depth];
        s.extra = row[C_block_issued] == STORE_NULL ? STORE_NULL : row[1] - row[C_block_issued];
        s.waited = row[C_block_issued] == STORE_NULL ? STORE_NULL : row[C_block_issued] - row[0];
        s.error = row[C_block_error] != 0;
        s.flag = row[C_block_sequential] != 0;
        s.detail = str_of(arena_printf(src->mem, "sector %" PRIu64, (uint64_t)row[C_block_sector]));
        measure_sample(m, &s);
    }
}

static const enum measure_col io_top[] = {
    MC_DEVICE, MC_VM,         MC_PROCESS, MC_KIND,  MC_HOST, MC_PID, MC_OP,     MC_COUNT,
    MC_BYTES,  MC_BANDWIDTH,  MC_MEAN,    MC_P50,   MC_P99,  MC_MAX, MC_DRIVER, MC_WAITED,
    MC_DEPTH,  MC_SEQUENTIAL, MC_ERRORS,  MC_TOTAL, MC_AT,   MC_END
};
static const enum measure_col io_log[] = { MC_HOST,   MC_DEVICE, MC_OP,     MC_START, MC_DURATION,
                                           MC_WAITED, MC_BYTES,  MC_NAME,   MC_KIND,  MC_PID,
                                           MC_TID,    MC_COMM,   MC_DETAIL, MC_END };
static const struct need io_needs[] = {
    { EV_BLOCK_COMPLETE, NULL, "lttng enable-event -k block_rq_complete",
      "when a request was done, and so nothing here" },
    { EV_BLOCK_ISSUE, NULL, "lttng enable-event -k block_rq_issue",
      "when the device got a request, and so nothing here" },
    { 0 },
};

const struct measure measure_io = {
    .name = "io",
    .title = "Block requests",
    .samples = io_samples,
    .group = GROUP_WHO | GROUP_WHAT,
    .top = io_top,
    .log = io_log,
    .needs = io_needs,
};

/* --- net -------------------------------------------------------------------------------- */

static void net_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    static const char *const directions[] = { "rx", "tx", "tx failed", "drop" };
    struct src_rows r = src_rows(src, TABLE_packet);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_packet_tid]);

        s.what = src_text(&r, row, C_packet_dev);
        s.kind = row[C_packet_dir] >= 0 && (size_t)row[C_packet_dir] < ARRAY_SIZE(directions)
                     ? str_of(directions[row[C_packet_dir]])
                     : STR("");
        s.bytes = row[C_packet_bytes];
        s.ns = s.bytes != STORE_NULL ? s.bytes : 0; /* freq is of sizes */
        if (row[C_packet_rc])
            s.detail = str_of(arena_printf(src->mem, "code %" PRId64, row[C_packet_rc]));
        measure_sample(m, &s);
    }
}

static const enum measure_col net_top[] = { MC_INTERFACE, MC_DIRECTION, MC_NAME,    MC_KIND,
                                            MC_HOST,      MC_PID,       MC_PACKETS, MC_BYTES,
                                            MC_RATE,      MC_BANDWIDTH, MC_PEAK,    MC_END };
static const enum measure_col net_log[] = { MC_HOST,  MC_INTERFACE, MC_DIRECTION, MC_START,
                                            MC_BYTES, MC_NAME,      MC_KIND,      MC_PID,
                                            MC_TID,   MC_COMM,      MC_DETAIL,    MC_END };
static const struct need net_needs[] = {
    { EV_NET_XMIT, NULL, "lttng enable-event -k net_dev_xmit", "what was sent" },
    { EV_NET_RECEIVE, NULL, "lttng enable-event -k net_if_receive_skb", "what was received" },
    { 0 },
};

const struct measure measure_net = {
    .name = "net",
    .title = "Packets",
    .samples = net_samples,
    .group = GROUP_WHO | GROUP_WHAT,
    .of_bytes = true,
    .top = net_top,
    .log = net_log,
    .needs = net_needs,
    .says =
        "What is received, or sent from within an interrupt, counts to nobody: the thread that it "
        "interrupts has nothing to do with it.",
};

/* --- irq -------------------------------------------------------------------------------- */

static void irq_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    static const char *const kinds[] = { "irq", "softirq", "vector", "timer" };
    struct src_rows r = src_rows(src, TABLE_irq);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_irq_tid]);
        bool timer = row[C_irq_kind] == IRQ_TIMER;

        s.kind = row[C_irq_kind] >= 0 && (size_t)row[C_irq_kind] < ARRAY_SIZE(kinds)
                     ? str_of(kinds[row[C_irq_kind]])
                     : STR("");
        s.what = src_text(&r, row, C_irq_name);
        s.number = timer ? STORE_NULL : row[C_irq_nr]; /* of a timer: its address */
        s.cpu = row[C_irq_cpu];
        s.extra = row[C_irq_raised] == STORE_NULL ? STORE_NULL : row[0] - row[C_irq_raised];
        measure_sample(m, &s);
    }
}

static const enum measure_col irq_top[] = { MC_IRQ_KIND, MC_NUMBER, MC_IRQ_NAME,  MC_HOST,
                                            MC_COUNT,    MC_TOTAL,  MC_RATE,      MC_PEAK,
                                            MC_MIN,      MC_MEAN,   MC_P50,       MC_P99,
                                            MC_MAX,      MC_AT,     MC_VCPU_TIME, MC_RAISED,
                                            MC_END };
static const enum measure_col irq_log[] = { MC_HOST,     MC_CPU,   MC_IRQ_KIND, MC_NUMBER,
                                            MC_IRQ_NAME, MC_START, MC_DURATION, MC_NAME,
                                            MC_TID,      MC_COMM,  MC_END };
static const struct need irq_needs[] = {
    { EV_IRQ_ENTRY, "softirq_entry", "lttng enable-event -k 'irq_*'",
      "which interrupts there were, and so nothing here" },
    { 0 },
};

const struct measure measure_irq = {
    .name = "irq",
    .title = "Interrupts",
    .samples = irq_samples,
    .group = GROUP_WHAT,
    .top = irq_top,
    .log = irq_log,
    .needs = irq_needs,
    .says = "What happens within an interrupt counts to it as well: the times of kinds must not be "
            "added up. FROM VCPUS: time taken from threads of vCPUs.",
};

/* --- syscall ---------------------------------------------------------------------------- */

static void syscall_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    struct src_rows r = src_rows(src, TABLE_syscall);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_syscall_tid]);
        struct str file = src_text(&r, row, C_syscall_file);

        s.what = src_text(&r, row, C_syscall_name);
        s.blocked = row[C_syscall_blocked_ns];
        s.waited = row[C_syscall_waited_ns];
        s.error = row[C_syscall_ret] < 0 && row[C_syscall_ret] >= -4095;
        s.detail = row[1] == STORE_NULL
                       ? file
                       : str_of(arena_printf(src->mem, STR_FMT "%s= %" PRId64, STR_ARG(file),
                                             file.n ? " " : "", row[C_syscall_ret]));
        measure_sample(m, &s);
    }
}

static const enum measure_col syscall_top[] = { MC_NAME,   MC_KIND,  MC_HOST,    MC_PID,
                                                MC_TID,    MC_COMM,  MC_CALL,    MC_COUNT,
                                                MC_ERRORS, MC_TOTAL, MC_BLOCKED, MC_WAITED,
                                                MC_MIN,    MC_MEAN,  MC_P50,     MC_P99,
                                                MC_MAX,    MC_AT,    MC_OPEN,    MC_END };
static const enum measure_col syscall_log[] = { MC_HOST, MC_START,   MC_DURATION, MC_NAME,
                                                MC_KIND, MC_PID,     MC_TID,      MC_COMM,
                                                MC_CALL, MC_BLOCKED, MC_WAITED,   MC_DETAIL,
                                                MC_END };
static const struct need syscall_needs[] = {
    { EV_SYSCALL_ENTRY, "syscall_nr_entry", "lttng enable-event -k --syscall --all",
      "which system calls there were, and so nothing here" },
    { 0 },
};

const struct measure measure_syscall = {
    .name = "syscall",
    .title = "System calls",
    .samples = syscall_samples,
    .group = GROUP_WHO | GROUP_WHAT,
    .top = syscall_top,
    .log = syscall_log,
    .needs = syscall_needs,
};

/* --- exits ------------------------------------------------------------------------------ */

static void exit_samples(struct measuring *m, const struct report_src *src, const struct whos *w)
{
    struct src_rows r = src_rows(src, TABLE_vm_exit);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct sample s = sample_of(src, w, &r, row, row[C_vm_exit_tid]);

        s.what = src_text(&r, row, C_vm_exit_reason);
        s.number = row[C_vm_exit_vcpu];
        s.blocked = row[C_vm_exit_blocked_ns];
        s.waited = row[C_vm_exit_waited_ns];
        measure_sample(m, &s);
    }
}

static const enum measure_col exit_top[] = { MC_NAME,    MC_KIND,   MC_HOST,  MC_PID,   MC_TID,
                                             MC_VCPU,    MC_REASON, MC_COUNT, MC_TOTAL, MC_RATE,
                                             MC_BLOCKED, MC_WAITED, MC_MIN,   MC_MEAN,  MC_P50,
                                             MC_P99,     MC_MAX,    MC_AT,    MC_OPEN,  MC_END };
static const enum measure_col exit_log[] = { MC_HOST, MC_START,  MC_DURATION, MC_NAME,   MC_TID,
                                             MC_VCPU, MC_REASON, MC_BLOCKED,  MC_WAITED, MC_END };
static const struct need exit_needs[] = {
    { EV_KVM_EXIT, "kvm_userspace_exit", "lttng enable-event -k 'kvm_x86_*,kvm_userspace_exit'",
      "when and why guests were left, and so nothing here" },
    { EV_KVM_ENTRY, NULL,
      "lttng enable-event -k 'kvm_x86_*' (lttng-modules needs the kernel's full sources "
      "to build them)",
      "how long guests ran; exits are only those that QEMU had to handle, each until the next "
      "ioctl(KVM_RUN)" },
    { 0 },
};

const struct measure measure_exits = {
    .name = "exits",
    .title = "Exits of guests",
    .samples = exit_samples,
    .group = GROUP_WHO | GROUP_WHAT,
    .top = exit_top,
    .log = exit_log,
    .needs = exit_needs,
};
