/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline_measure.c -- where the values of figures come from; see baseline.h.
 *
 * What has a length (operations, disk requests, migrations) is a value each.  Use of CPUs, waits
 * and rates are measured in slices of the trace, so that one trace has several values of them. */
#include "report/baseline_priv.h"

#include "report/lists.h"
#include "report/measure.h"

#include <inttypes.h>
#include <stdlib.h>

enum { MOST_SLICES = 16, LEAST_SLICE_S = 1 };

struct measured {
    const struct report_src *src;
    const struct whos *w;
    struct baseline *b;
    uint32_t *traced; /* by host: a bit for each slice in which its kernel was traced */
};
_Static_assert(MOST_SLICES <= 32, "a bit each");

static void add(const struct measured *m, const struct figure *like, double v)
{
    figure_add(baseline_figure(m->b, like), v);
}

/* --- what has a length --------------------------------------------------------------------- */

static void add_operations(const struct measured *m)
{
    struct src_rows r = src_rows(m->src, TABLE_task);
    const cell_t *row;

    while ((row = src_next(&r)))
        if (row_length(row) != STORE_NULL && !str_is(src_text(&r, row, C_task_status), "error"))
            add(m,
                &(struct figure){ .kind = STR("operation"),
                                  .of = src_text(&r, row, C_task_task),
                                  .what = STR("duration"),
                                  .unit = STR("ns"),
                                  .more_is_worse = true },
                (double)row_length(row));
}

static struct str on_host(const struct report_src *src, const char *host, struct str name)
{
    return str_of(arena_printf(src->mem, "%s " STR_FMT, host, STR_ARG(name)));
}

static void add_requests(const struct measured *m)
{
    struct src_rows r = src_rows(m->src, TABLE_block);
    const struct store *last = NULL;
    int64_t last_dev = -1;
    struct str name = STR("");
    const cell_t *row;

    while ((row = src_next(&r))) {
        if (row_length(row) == STORE_NULL)
            continue;
        const struct who_thread *th =
            whos_at(m->w, src_host_no(m->src, r.store), row[C_block_tid], row[0]);
        const struct who_owner *owner = th ? who_owner(m->w, th) : NULL;

        if (r.store != last || row[C_block_dev] != last_dev)
            name = on_host(m->src, r.host, who_device(m->src, r.store, row[C_block_dev]));
        last = r.store;
        last_dev = row[C_block_dev];
        struct figure f = { .kind = STR("device"),
                            .of = name,
                            .what = STR("latency"),
                            .unit = STR("ns"),
                            .host = str_of(r.host),
                            .more_is_worse = true };
        add(m, &f, (double)row_length(row));
        if (!owner || owner->kind != WHO_VM)
            continue;
        f.kind = STR("vm");
        f.of = owner->name;
        f.what = STR("disk latency");
        add(m, &f, (double)row_length(row));
    }
}

static void add_migrations(const struct measured *m, const struct migrations *all)
{
    for (size_t i = 0; i < all->list.n; i++) {
        const struct migration *x = &all->list.at[i];
        struct figure f = { .kind = STR("migration"),
                            .of = str_of(mig_kind_name(x->kind)),
                            .unit = STR("ns"),
                            .more_is_worse = true };

        if (x->outcome != MIG_COMPLETED)
            continue;
        f.what = STR("total");
        if (x->end != STORE_NULL && x->start != STORE_NULL)
            add(m, &f, (double)(x->end - x->start));
        f.what = STR("downtime");
        if (x->downtimes.n && x->downtimes.at[0].ns != STORE_NULL)
            add(m, &f, (double)x->downtimes.at[0].ns);
        f.unit = STR("bytes/s");
        f.more_is_worse = false;
        for (size_t k = 0; k < x->rounds.n; k++) {
            f.what = STR("dirty rate");
            add(m, &f, x->rounds.at[k].dirty_rate);
            f.what = STR("transfer rate");
            add(m, &f, x->rounds.at[k].transfer_rate);
        }
    }
}

/* --- in slices ----------------------------------------------------------------------------- */

struct slices {
    struct span seen;
    size_t n;
    ns_t length;
};

static struct slices slices_of(const struct report_src *src, uint32_t host)
{
    struct slices s = { .seen = measure_within(src, host, src->span) };
    ns_t all = s.seen.t1 - s.seen.t0;

    s.n = (size_t)(all / (LEAST_SLICE_S * NS_PER_S));
    s.n = s.n > MOST_SLICES ? MOST_SLICES : s.n;
    s.n = s.n == 0 && all > 0 ? 1 : s.n;
    s.length = s.n ? all / (ns_t)s.n : 0;
    return s;
}

/* Which slice 't' is in; s->n: none. */
static size_t slice_at(const struct slices *s, ns_t t)
{
    size_t i = t >= s->seen.t0 && t < s->seen.t1 ? (size_t)((t - s->seen.t0) / s->length) : s->n;

    return i < s->n ? i : t < s->seen.t1 && t >= s->seen.t0 ? s->n - 1 : s->n;
}

static void add_usage(const struct measured *m, const char *kind, struct str of, struct str host,
                      const struct usage *u, ns_t length)
{
    ns_t ran = usage_sum(u, TS_USER, TS_SOFTIRQ), waited = u->in[TS_WAIT] + u->in[TS_PREEMPTED];
    struct figure f = { .kind = str_of(kind), .of = of, .unit = STR("CPUs"), .host = host };

    f.what = STR("CPUs used");
    add(m, &f, (double)ran / (double)length);
    f.what = STR("wait share");
    f.unit = STR("ratio");
    f.more_is_worse = true;
    if (ran + waited > 0)
        add(m, &f, (double)waited / (double)(ran + waited));
}

static void sum(struct usage *to, const struct usage *u)
{
    for (int i = 0; i < STATES; i++)
        to->in[i] += u->in[i];
    to->seen |= u->seen;
}

/* Nothing runs, not even the tracer, where a trace has a hole: no value is made of that. */
static bool add_slice(const struct measured *m, uint32_t host, struct span slice)
{
    struct report_src src = *m->src;
    struct usage all = { 0 };
    struct usage *of = xcalloc(m->w->owners.n + 1, sizeof *of);
    struct str name = str_of(whos_host(m->w, host));

    src.span = slice;
    for (size_t i = 0; i < m->w->threads.n; i++) {
        const struct who_thread *th = &m->w->threads.at[i];
        struct usage u = { 0 };

        if (th->host != host)
            continue;
        usage_add(&src, th, &u);
        sum(&all, &u);
        sum(&of[who_process(m->w, th)->owner], &u);
    }
    if (usage_sum(&all, TS_USER, TS_SOFTIRQ) == 0) {
        free(of);
        return false;
    }
    add_usage(m, "host", name, name, &all, slice.t1 - slice.t0);
    for (size_t i = 0; i < m->w->owners.n; i++)
        if (of[i].seen && m->w->owners.at[i].kind == WHO_VM)
            add_usage(m, "vm", m->w->owners.at[i].name, name, &of[i], slice.t1 - slice.t0);
    free(of);
    return true;
}

static void add_cpus(const struct measured *m)
{
    for (uint32_t h = 0; h < m->src->nhosts; h++) {
        struct slices s = slices_of(m->src, h);

        m->traced[h] = UINT32_MAX;
        for (size_t i = 0; i < s.n && measure_had(m->src->hosts[h], EV_SCHED_SWITCH); i++)
            if (!add_slice(m, h,
                           (struct span){ s.seen.t0 + (ns_t)i * s.length,
                                          s.seen.t0 + (ns_t)(i + 1) * s.length }))
                m->traced[h] &= ~(1u << i);
    }
}

/* Sums of one figure in each slice. */
struct course {
    struct figure like;
    uint32_t host;
    struct slices slices;
    double sums[MOST_SLICES];
};
typedef VEC(struct course) course_vec;

static void put(const struct measured *m, struct strtab *keys, course_vec *all, struct str key,
                const struct figure *like, uint32_t host, ns_t t, double v)
{
    if (keys->strs.n == 0)
        strtab_id(keys, STR(""));
    uint32_t id = strtab_id(keys, key);
    if (id > all->n)
        *vec_push(all) =
            (struct course){ .like = *like, .host = host, .slices = slices_of(m->src, host) };
    struct course *c = &all->at[id - 1];
    size_t i = slice_at(&c->slices, t);
    if (i < c->slices.n)
        c->sums[i] += v;
}

/* Adds what was put, each sum per unit of time. */
static void add_courses(const struct measured *m, const course_vec *all, double per_ns)
{
    for (size_t i = 0; i < all->n; i++)
        for (size_t k = 0; k < all->at[i].slices.n; k++)
            if (m->traced[all->at[i].host] & (1u << k))
                add(m, &all->at[i].like,
                    all->at[i].sums[k] / ((double)all->at[i].slices.length / per_ns));
}

static void add_interrupts(const struct measured *m)
{
    struct src_rows r = src_rows(m->src, TABLE_irq);
    struct strtab keys = { 0 };
    course_vec all = { 0 };
    const cell_t *row;

    while ((row = src_next(&r)))
        if (row[C_irq_kind] == IRQ_HARD && row_length(row) != STORE_NULL)
            put(m, &keys, &all, str_of(r.host),
                &(struct figure){ .kind = STR("host"),
                                  .of = str_of(r.host),
                                  .what = STR("interrupts"),
                                  .unit = STR("CPUs"),
                                  .host = str_of(r.host),
                                  .more_is_worse = true },
                src_host_no(m->src, r.store), row[0], (double)row_length(row));
    add_courses(m, &all, 1);
    vec_free(&all);
    strtab_free(&keys);
}

static void add_packets(const struct measured *m)
{
    static const char *const directions[] = { "received", "sent" };
    struct src_rows r = src_rows(m->src, TABLE_packet);
    struct strtab keys = { 0 };
    struct sbuf key = { 0 };
    course_vec all = { 0 };
    const cell_t *row;

    while ((row = src_next(&r))) {
        if (row[C_packet_dir] < 0 || row[C_packet_dir] >= (cell_t)ARRAY_SIZE(directions) ||
            row[C_packet_bytes] == STORE_NULL)
            continue;
        struct str dev = src_text(&r, row, C_packet_dev);
        sbuf_clear(&key);
        sbuf_fmt(&key, "%s %" PRId64 " " STR_FMT, r.host, row[C_packet_dir], STR_ARG(dev));
        uint32_t id;
        bool known = strtab_find(&keys, sbuf_view(&key), &id);
        put(m, &keys, &all, sbuf_view(&key),
            &(struct figure){ .kind = STR("interface"),
                              .of = known ? STR("") : on_host(m->src, r.host, dev),
                              .what = str_of(directions[row[C_packet_dir]]),
                              .unit = STR("bytes/s"),
                              .host = str_of(r.host) },
            src_host_no(m->src, r.store), row[0], (double)row[C_packet_bytes]);
    }
    add_courses(m, &all, (double)NS_PER_S);
    sbuf_free(&key);
    vec_free(&all);
    strtab_free(&keys);
}

static void add_exits(const struct measured *m)
{
    struct src_rows r = src_rows(m->src, TABLE_vm_exit);
    struct strtab keys = { 0 };
    course_vec all = { 0 };
    const cell_t *row;

    while ((row = src_next(&r))) {
        uint32_t host = src_host_no(m->src, r.store);
        const struct who_thread *th = whos_at(m->w, host, row[C_vm_exit_tid], row[0]);

        if (th && who_owner(m->w, th)->kind == WHO_VM)
            put(m, &keys, &all, who_owner(m->w, th)->name,
                &(struct figure){ .kind = STR("vm"),
                                  .of = who_owner(m->w, th)->name,
                                  .what = STR("exits"),
                                  .unit = STR("per s"),
                                  .host = str_of(r.host) },
                host, row[0], 1);
    }
    add_courses(m, &all, (double)NS_PER_S);
    vec_free(&all);
    strtab_free(&keys);
}

/* --- all ----------------------------------------------------------------------------------- */

static void add_runs(const struct measured *m)
{
    for (uint32_t i = 0; i < m->src->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(m->src->hosts[i], &cov);
        if (cov.t0 < cov.t1)
            *vec_push(&m->b->runs) =
                str_of(arena_printf(&m->b->mem, "%s %" PRId64 " %" PRId64,
                                    store_host(m->src->hosts[i]), cov.t0, cov.t1));
    }
}

void baseline_measure(const struct report_src *src, const struct whos *w,
                      const struct migrations *migrations, struct baseline *ret)
{
    struct measured m = {
        .src = src, .w = w, .b = ret, .traced = arena_array(src->mem, uint32_t, src->nhosts + 1)
    };

    *ret = (struct baseline){ 0 };
    add_runs(&m);
    add_operations(&m);
    add_requests(&m);
    add_migrations(&m, migrations);
    add_cpus(&m);
    add_interrupts(&m);
    add_packets(&m);
    add_exits(&m);
    for (size_t i = 0; i < ret->figures.n; i++)
        ret->figures.at[i].runs = 1;
}
