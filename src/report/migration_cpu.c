/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_cpu.c -- what the source's kernel tells of a migration: who had the CPUs that its
 * threads and the guest's vCPUs waited for, and when the vCPUs last and first ran.
 *
 * A wait for a CPU (TABLE_cpu_wait) is shared out among those who had that CPU meanwhile. */
#include "report/migration_priv.h"

#include "model/qemu.h"
#include "report/measure_priv.h"

#include <stdlib.h>

struct waits {
    const struct report_src *src;
    const struct whos *w;
    struct migration *m;
    const struct store *s;
    uint32_t host;
    struct who_cpus *cpus; /* of the source, NULL where nobody asks */
};

/* "live_migration", "mig/src/main", "multifdsend_3", "mig/src/send_3": QEMU 2.5 to 10. */
static bool is_migration_thread(struct str comm)
{
    return str_starts(comm, STR("live_migration")) || str_starts(comm, STR("multifdsend")) ||
           str_starts(comm, STR("mig/src"));
}

static void blame(struct waits *x, int64_t tid, ns_t t, ns_t ns, bool thread)
{
    const struct who_thread *th = tid > 0 ? whos_at(x->w, x->host, tid, t) : NULL;
    struct str name = STR("(not known)"), kind = STR("process");
    struct mig_culprit *c = NULL;

    if (tid == 0) {
        name = STR("(idle)");
    } else if (th) {
        name = who_owner(x->w, th)->name.n ? who_owner(x->w, th)->name : th->comm;
        kind = str_of(who_kind_name(who_owner(x->w, th)->kind));
    }
    for (size_t i = 0; i < x->m->culprits.n && !c; i++)
        if (str_eq(x->m->culprits.at[i].name, name))
            c = &x->m->culprits.at[i];
    if (!c) {
        c = vec_push(&x->m->culprits);
        *c = (struct mig_culprit){ .name = name, .kind = kind };
        c->itself = tid == 0 || (th && (th->pid == x->m->source_pid || str_eq(name, x->m->vm)));
    }
    c->wait_ns += ns;
    c->thread_ns += thread ? ns : 0;
    x->m->cpu_wait_ns += ns;
}

/* Shares a wait ['t0', 't1') out. */
static void share_out(struct waits *x, const cell_t *row, ns_t t0, ns_t t1, bool thread)
{
    struct who_had *h = who_cpus_had(x->cpus, row[C_cpu_wait_cpu], (struct span){ t0, t1 });

    while (who_had_next(h))
        blame(x, h->tid, h->t0, h->t1 - h->t0, thread);
}

/* Others first: that its own threads take turns is no disturbance. */
static int by_wait(const void *a, const void *b)
{
    const struct mig_culprit *x = a, *y = b;

    if (x->itself != y->itself)
        return x->itself ? 1 : -1;
    return x->wait_ns != y->wait_ns ? (x->wait_ns > y->wait_ns ? -1 : 1)
                                    : str_cmp(x->name, y->name);
}

/* Waits of the source's threads within a window. */
struct each_wait {
    const struct waits *x;
    struct span win;
    struct store_rows rows;
    const cell_t *row;           /* the wait     */
    ns_t t0, t1;                 /* in the window */
    const struct who_thread *th; /* who waited    */
};

/* False: there are none. */
static bool waits_begin(struct each_wait *e, const struct waits *x, struct span win)
{
    table_t t;

    if (!store_table_find(x->s, schema_tables[TABLE_cpu_wait].name, &t))
        return false;
    *e = (struct each_wait){ .x = x, .win = win, .rows = store_rows(x->s, t, win) };
    return true;
}

static bool waits_next(struct each_wait *e)
{
    while ((e->row = store_rows_next(&e->rows))) {
        const cell_t *row = e->row;

        e->t0 = row[0] > e->win.t0 ? row[0] : e->win.t0;
        e->t1 = row[1] == STORE_NULL || row[1] > e->win.t1 ? e->win.t1 : row[1];
        e->th = whos_at(e->x->w, e->x->host, row[C_cpu_wait_tid], e->t0);
        if (e->th && e->t1 > e->t0)
            return true;
    }
    return false;
}

static void find_culprits(struct waits *x, struct span win)
{
    struct each_wait e;

    if (!waits_begin(&e, x, win))
        return;
    while (waits_next(&e))
        if (e.th->pid == x->m->source_pid &&
            (is_migration_thread(e.th->comm) || qemu_is_vcpu(e.th->comm)))
            share_out(x, e.row, e.t0, e.t1, is_migration_thread(e.th->comm));
    if (x->m->culprits.n)
        qsort(x->m->culprits.at, x->m->culprits.n, sizeof *x->m->culprits.at, by_wait);
    for (size_t i = 0; i < x->m->culprits.n; i++)
        x->m->culprits.at[i].share =
            (double)x->m->culprits.at[i].wait_ns / (double)x->m->cpu_wait_ns;
}

/* --- whom it slows ---------------------------------------------------------------------------- */

static struct mig_culprit *victim(struct migration *m, struct str name)
{
    for (size_t i = 0; i < m->victims.n; i++)
        if (str_eq(m->victims.at[i].name, name))
            return &m->victims.at[i];
    *vec_push(&m->victims) = (struct mig_culprit){ .name = name, .kind = STR("vm") };
    return &m->victims.at[m->victims.n - 1];
}

/* Of the wait of a thread of 'v', what the migration had the CPU for. */
static void share_of_migration(struct waits *x, const cell_t *row, ns_t t0, ns_t t1,
                               struct mig_culprit *v, double *all_ns)
{
    struct who_had *h = who_cpus_had(x->cpus, row[C_cpu_wait_cpu], (struct span){ t0, t1 });

    *all_ns += (double)(t1 - t0);
    while (who_had_next(h)) {
        const struct who_thread *th = h->tid > 0 ? whos_at(x->w, x->host, h->tid, h->t0) : NULL;

        if (!th || th->pid != x->m->source_pid)
            continue;
        v->wait_ns += h->t1 - h->t0;
        v->thread_ns += is_migration_thread(th->comm) ? h->t1 - h->t0 : 0;
    }
}

static void find_victims(struct waits *x, struct span win)
{
    VEC(double) all = { 0 };
    struct each_wait e;

    if (!waits_begin(&e, x, win))
        return;
    while (waits_next(&e)) {
        const struct who_owner *o = who_owner(x->w, e.th);

        if (o->kind != WHO_VM || e.th->pid == x->m->source_pid || !o->name.n ||
            str_eq(o->name, x->m->vm))
            continue;
        struct mig_culprit *v = victim(x->m, o->name);
        while (all.n < x->m->victims.n)
            *vec_push(&all) = 0;
        share_of_migration(x, e.row, e.t0, e.t1, v, &all.at[v - x->m->victims.at]);
    }
    for (size_t i = 0; i < x->m->victims.n; i++)
        x->m->victims.at[i].share =
            all.at[i] > 0 ? (double)x->m->victims.at[i].wait_ns / all.at[i] : 0;
    if (x->m->victims.n)
        qsort(x->m->victims.at, x->m->victims.n, sizeof *x->m->victims.at, by_wait);
    vec_free(&all);
}

/* How long its threads and vCPUs ran. */
static void add_runs(struct waits *x, struct span win)
{
    for (size_t i = 0; i < x->w->threads.n; i++) {
        const struct who_thread *th = &x->w->threads.at[i];
        struct span life = { th->t0 > win.t0 ? th->t0 : win.t0,
                             th->t1 != STORE_NULL && th->t1 < win.t1 ? th->t1 : win.t1 };
        struct store_totals t;
        char path[SCHEMA_PATH];
        attr_t a;

        if (th->host != x->host || th->pid != x->m->source_pid || life.t0 >= life.t1 ||
            !(is_migration_thread(th->comm) || qemu_is_vcpu(th->comm)) ||
            !store_attr_find(x->s, schema_path_nr(ATTR_THREAD_STATE, th->tid, path), &a))
            continue;
        store_totals(x->s, &a, 1, life, &t);
        for (size_t k = 0; k < t.n; k++)
            if (t.at[k].value >= TS_USER && t.at[k].value <= TS_SOFTIRQ)
                x->m->cpu_run_ns += t.at[k].ns;
        free(t.at);
    }
}

static bool runs(const struct interval *v)
{
    return !v->lost && v->value >= TS_USER && v->value <= TS_SOFTIRQ;
}

/* When a vCPU of the process ran last before 'end', or first after it; STORE_NULL: it is not
 * known. */
static ns_t vcpu_run(const struct waits *x, int64_t pid, struct span win, bool last)
{
    ns_t found = STORE_NULL;

    for (size_t i = 0; i < x->w->threads.n; i++) {
        const struct who_thread *th = &x->w->threads.at[i];
        char path[SCHEMA_PATH];
        struct interval v;
        attr_t a;

        if (th->host != x->host || th->pid != pid || !qemu_is_vcpu(th->comm) ||
            !store_attr_find(x->s, schema_path_nr(ATTR_THREAD_STATE, th->tid, path), &a))
            continue;
        struct store_ranges r = store_ranges(x->s, a, win);
        while (store_ranges_next(&r, &v)) {
            if (!runs(&v))
                continue;
            ns_t t = last ? (v.t1 < win.t1 ? v.t1 : win.t1) : v.t0 > win.t0 ? v.t0 : win.t0;

            if (found == STORE_NULL || (last ? t > found : t < found))
                found = t;
            if (!last)
                break;
        }
    }
    return found;
}

/* The third definition of downtime: as the kernels saw the vCPUs. */
static void add_vcpu_downtime(const struct report_src *src, const struct whos *w,
                              struct migration *m)
{
    const struct mig_downtime *states = migration_downtime(m, "states");

    if (!states || m->source_host == UINT32_MAX || m->destination_host == UINT32_MAX)
        return;
    struct waits s = { src, w, m, src->hosts[m->source_host], m->source_host, NULL };
    struct waits d = { src, w, m, src->hosts[m->destination_host], m->destination_host, NULL };
    ns_t t0 = vcpu_run(&s, m->source_pid, (struct span){ m->start, states->t0 }, true);
    ns_t t1 = vcpu_run(&d, m->destination_pid, (struct span){ states->t1, NS_MAX }, false);
    if (t0 == STORE_NULL || t1 == STORE_NULL || t1 < t0)
        return;
    struct mig_downtime added = {
        STR("vcpus"),
        t0,
        t1,
        t1 - t0,
        states->bound_ns,
        STR("from the last time that a vCPU ran at the source to the first at the destination, as "
            "the kernels saw it")
    };
    *vec_push(&m->downtimes) = added;
}

void migration_cpu(const struct report_src *src, const struct whos *w, struct migration *m)
{
    if (m->source_host == UINT32_MAX || m->source_pid < 0) {
        migration_unknown(m, "Which process moved is not known, so neither is who took CPUs from "
                             "it: trace the kernel of the source.");
        return;
    }
    struct who_cpus cpus = { .s = src->hosts[m->source_host] };
    struct waits x = { src, w, m, src->hosts[m->source_host], m->source_host, &cpus };
    struct span win = { m->start, m->end == STORE_NULL ? NS_MAX : m->end };
    if (!measure_had(x.s, EV_SCHED_SWITCH)) {
        migration_unknown(m, "The kernel of the source was not traced: whether its threads waited "
                             "for CPUs, and who had them, is not known (sched_switch, "
                             "sched_wakeup).");
        return;
    }
    find_culprits(&x, win);
    add_runs(&x, win);
    find_victims(&x, win);
    add_vcpu_downtime(src, w, m);
    who_cpus_free(&cpus);
}
