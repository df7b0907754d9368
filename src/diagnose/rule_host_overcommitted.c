/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_host_overcommitted.c -- a host has more work than CPUs, and nobody in particular is to
 * blame.
 *
 * Threads that want a CPU are counted by who waits, and CPUs that have nothing to do by their
 * idle time, both by slices.  What each owner would use if it never had to wait is known
 * (demand.h).  The boundary to vm-starved: if the host had CPUs enough without those who hardly
 * ever sleep, or without the one (of many: the fourth) who asks most, then these are the culprits
 * and that rule names them.  If it still would not, or if all are alike, there are too many. */
#include "diagnose/demand.h"
#include "diagnose/rule.h"
#include "diagnose/slices.h"
#include "report/measure.h"

#include <stdlib.h>

enum { MAX_IDLE, MIN_WAITING, MIN_OF_TRACE, MIN_SECONDS, MIN_DEMAND, FITS, FEW_CPUS, MIN_LOST };
static const struct limit limits[] = {
    [MAX_IDLE] = { "max-idle", 0.05, "of the CPUs", "that much is left over by balancing" },
    [MIN_WAITING] = { "min-waiting", 0.5, "threads a CPU",
                      "that wait: half as many again as can run" },
    [MIN_OF_TRACE] = { "min-of-trace", 0.3, "of the trace", "peaks are what over-commit is for" },
    [MIN_SECONDS] = { "min-seconds", 1, "s", "the same for short traces" },
    [MIN_DEMAND] = { "min-demand", 1.2, "of the CPUs",
                     "that instances and services would use if they never had to wait" },
    [FITS] = { "fits", 0.9, "of the CPUs", "up to which demand is served without much waiting" },
    [FEW_CPUS] = { "few-cpus", 1.5, "of the CPUs",
                   "that those who hardly ever sleep would use, up to which they are few enough to "
                   "be called culprits; more have been placed there by someone" },
    [MIN_LOST] = { "min-lost", 0.1, "of the trace", "that an owner waited, to be named" },
};
#define FEW 4        /* owners: can be named one by one, however small the host is */
#define MOST_OF 0.25 /* of the owners: as many may be called the few who ask most */
static const ns_t slice_least = 200000000;

struct load {
    uint32_t host;
    struct slices slices;
    size_t cpus;
    ns_t *waiting, *idle; /* by slice, of all threads and CPUs */
    struct slices_found when;
};

static bool is_guest_work(const struct who_owner *o)
{
    return o->kind == WHO_VM || o->kind == WHO_SERVICE;
}

static void add_waiting(const struct diagnosis *d, struct load *l)
{
    const struct store *s = d->src->hosts[l->host];
    ns_t end = src_kernel_end(d->src, l->host);
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_cpu_wait].name, &t))
        return;
    struct store_rows r = store_rows(s, t, d->src->span);
    while ((row = store_rows_next(&r))) {
        const struct who_thread *th =
            row[0] == STORE_NULL ? NULL : whos_at(d->w, l->host, row[C_cpu_wait_tid], row[0]);

        if (th && is_guest_work(who_owner(d->w, th)))
            slices_add(&l->slices, l->waiting, row[0], row[1] == STORE_NULL ? end : row[1]);
    }
}

static void add_idle(const struct diagnosis *d, struct load *l)
{
    const struct store *s = d->src->hosts[l->host];
    char room[SCHEMA_PATH];
    attr_t it = 0, a;

    while (store_attr_match(s, schema_path(ATTR_CPU_STATE, STR("*"), room), &it, &a)) {
        struct store_ranges r = store_ranges(s, a, (struct span){ l->slices.t0, l->slices.t1 });
        struct interval v;

        while (store_ranges_next(&r, &v))
            if (!v.lost && v.value == CS_IDLE)
                slices_add(&l->slices, l->idle, v.t0, v.t1);
    }
}

static void find_slices(const struct rule *r, const struct diagnosis *d, struct load *l)
{
    bool *holds = xcalloc(l->slices.n + 1, sizeof *holds);

    for (size_t i = 0; i < l->slices.n; i++) {
        double all = (double)slice_length(&l->slices, i) * (double)l->cpus;

        holds[i] = (double)l->idle[i] <= rule_limit(d, r, MAX_IDLE) * all &&
                   (double)l->waiting[i] >= rule_limit(d, r, MIN_WAITING) * all;
    }
    l->when = slices_found(&l->slices, holds);
    free(holds);
}

static int by_demand(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x < *y) - (*x > *y);
}

/* What is wanted, and how much of it without the few who ask most, in CPUs. */
struct wanted {
    double all, without_most, without_endless;
    size_t owners, endless;
};

static struct wanted wanted_of(struct diagnosis *d, uint32_t host)
{
    const struct demand *of = demands_of(d);
    double *each = xcalloc(d->w->owners.n + 1, sizeof *each);
    struct wanted w = { 0 };

    for (size_t i = 0; i < d->w->owners.n; i++) {
        if (of[i].host != host || of[i].cpus <= 0 || !is_guest_work(&d->w->owners.at[i]))
            continue;
        each[w.owners++] = of[i].cpus;
        w.all += of[i].cpus;
        w.endless += of[i].endless > 0;
        w.without_endless += of[i].endless ? 0 : of[i].cpus;
    }
    if (w.owners)
        qsort(each, w.owners, sizeof *each, by_demand);
    size_t most = (size_t)(MOST_OF * (double)w.owners);
    w.without_most = w.all;
    for (size_t i = 0; i < w.owners && i < (most > 1 ? most : 1); i++)
        w.without_most -= each[i];
    free(each);
    return w;
}

/* Are there a few without whom there would be CPUs enough?  Where all instances hardly ever sleep,
 * none of them is special. */
static bool has_culprits(const struct rule *r, struct diagnosis *d, const struct load *l,
                         const struct wanted *w)
{
    const struct demand *of = demands_of(d);
    double room = rule_limit(d, r, FITS) * (double)l->cpus;
    size_t modest = 0;

    for (size_t i = 0; i < d->w->owners.n; i++)
        modest += of[i].host == l->host && d->w->owners.at[i].kind == WHO_VM && !of[i].endless &&
                  (double)of[i].waited >= rule_limit(d, r, MIN_LOST) * (double)of[i].seen;
    bool few = w->endless <= FEW ||
               w->all - w->without_endless <= rule_limit(d, r, FEW_CPUS) * (double)l->cpus;

    return w->without_most <= room ||
           (w->endless > 0 && few && modest > 0 && w->without_endless <= room);
}

/* What Nova believes of the node, if it told. */
static void add_nova(struct diagnosis *d, struct finding *f, const char *host)
{
    struct src_rows r = src_rows(d->src, TABLE_resource);
    int64_t last[4] = { -1, -1, -1, -1 };
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str node = src_text(&r, row, C_resource_node), name = str_of(host);

        if (row[C_resource_vcpus_total] <= 0 ||
            !(str_eq(node, name) || (str_starts(node, name) && node.p[name.n] == '.')))
            continue;
        last[0] = row[C_resource_vcpus_used];
        last[1] = row[C_resource_vcpus_total];
        last[2] = row[C_resource_ram_used_mb];
        last[3] = row[C_resource_ram_total_mb];
    }
    if (last[1] < 0) {
        finding_unknown(f, STR("how many vCPUs Nova has placed there: its resource tracker's lines "
                               "tell"));
        return;
    }
    finding_evidence(f, "Nova has placed",
                     finding_text(d, "%lld vCPUs on %lld CPUs, %lld of %lld MB", (long long)last[0],
                                  (long long)last[1], (long long)last[2], (long long)last[3]),
                     "", STR("neph list resources"));
}

/* Did the instance or service wait enough to be named? */
static bool loses(const struct rule *r, struct diagnosis *d, uint32_t host, size_t owner)
{
    const struct demand *of = &demands_of(d)[owner];

    return of->host == host && is_guest_work(&d->w->owners.at[owner]) && of->seen > 0 &&
           (double)of->waited >= rule_limit(d, r, MIN_LOST) * (double)of->seen;
}

static ns_t lost_of(const struct rule *r, struct diagnosis *d, uint32_t host)
{
    ns_t lost = 0;

    for (size_t i = 0; i < d->w->owners.n; i++)
        lost += loses(r, d, host, i) ? demands_of(d)[i].waited : 0;
    return lost;
}

static void found(const struct rule *r, struct diagnosis *d, const struct load *l,
                  const struct wanted *w)
{
    const struct demand *of = demands_of(d);
    const char *host = whos_host(d->w, l->host);
    struct str where = finding_text(d, "neph top cpu --host %s", host);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = finding_text(d,
                            "%s has more work than CPUs: %zu instances and services would use "
                            "%.1f of its %zu, and no few of them are the reason",
                            host, w->owners, w->all, l->cpus);
    f->t0 = l->when.t0;
    f->t1 = l->when.t1;
    f->cost_ns = lost_of(r, d, l->host);
    finding_host(f, str_of(host));
    finding_subject_lost(f, "host", str_of(host), f->cost_ns);
    finding_culprit(f, "host", str_of(host));
    for (size_t i = 0; i < d->w->owners.n; i++)
        if (loses(r, d, l->host, i))
            finding_subject_lost(f, who_kind_name(d->w->owners.at[i].kind), d->w->owners.at[i].name,
                                 of[i].waited);
    finding_evidence(f, "CPUs", finding_text(d, "%zu", l->cpus), "", where);
    finding_evidence(f, "would be used, if nobody had to wait",
                     finding_text(d, "%.1f CPUs", w->all), "", where);
    finding_evidence(f, "without who asks most", finding_text(d, "%.1f CPUs", w->without_most), "",
                     where);
    finding_evidence_ns(d, f, "no CPU was idle, and threads waited", l->when.ns, where);
    add_nova(d, f, host);
}

static void look(const struct rule *r, struct diagnosis *d, uint32_t host)
{
    struct load l = { .host = host,
                      .slices = slices_of(d, host, slice_least),
                      .cpus = measure_cpus(d->src->hosts[host]) };
    struct wanted w = wanted_of(d, host);

    /* First what is known already: waits are many. */
    if (l.cpus == 0 || w.all < rule_limit(d, r, MIN_DEMAND) * (double)l.cpus)
        return;
    l.waiting = xcalloc(l.slices.n + 1, sizeof *l.waiting);
    l.idle = xcalloc(l.slices.n + 1, sizeof *l.idle);
    if (l.slices.n) {
        add_waiting(d, &l);
        add_idle(d, &l);
        find_slices(r, d, &l);
    }
    if (l.when.ns > 0 && l.when.ns >= rule_limit_ns(d, r, MIN_SECONDS) &&
        (double)l.when.ns >= rule_limit(d, r, MIN_OF_TRACE) * (double)(l.slices.t1 - l.slices.t0) &&
        !has_culprits(r, d, &l, &w))
        found(r, d, &l, &w);
    free(l.idle);
    free(l.waiting);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++)
        if (measure_had(d->src->hosts[h], EV_SCHED_SWITCH))
            look(r, d, h);
}

const struct rule rule_host_overcommitted = {
    .name = "host-overcommitted",
    .title = "a host has more work than CPUs",
    .doc =
        "In much of the trace no CPU was idle and many threads of instances and services waited, "
        "and what they would use if they never had to wait is more than the host has. It speaks "
        "only if nobody in particular is to blame: if the CPUs would suffice without those that "
        "hardly ever sleep, or without the one (or fourth) that asks most, vm-starved names "
        "these as culprits; if they still would not, or all are alike, there is too much on "
        "the host. It explains what starves there.",
    .remedy = "move instances to other hosts, lower cpu_allocation_ratio so that the scheduler "
              "places fewer there, or add hosts",
    .needs = "the host's kernel (sched_switch, sched_wakeup) and names for its QEMU processes; "
             "Nova's resource tracker for what was placed there",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_RESOURCE,
    .slows = true,
    .find = find,
};
