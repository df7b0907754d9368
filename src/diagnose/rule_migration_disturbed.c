/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_migration_disturbed.c -- a migration and its guest waited for CPUs that others had. */
#include "diagnose/rule.h"

enum { MIN_WAITING, MIN_OTHERS, MIN_OF_ALL, MIN_TOOK };
static const struct limit limits[] = {
    [MIN_WAITING] = { "min-waiting", 0.5, "of the time that it wants to run",
                      "who waits for as long as it runs takes twice as long as alone" },
    [MIN_OTHERS] = { "min-others", 0.25, "of the waiting",
                     "instances and services; below, it was mostly the host's own work" },
    [MIN_OF_ALL] = { "min-of-all", 0.1, "of the migration's duration",
                     "below, whatever was waited did not make it slow" },
    [MIN_TOOK] = { "min-took", 1, "s", "shorter ones are over before anybody asks" },
};

static double others(const struct migration *m)
{
    double share = 0;

    for (size_t i = 0; i < m->culprits.n; i++)
        if (!m->culprits.at[i].itself && !str_is(m->culprits.at[i].kind, "process"))
            share += m->culprits.at[i].share;
    return share;
}

static void found(const struct rule *r, struct diagnosis *d, const struct migration *m,
                  double share)
{
    struct str vm = finding_vm(m->vm);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);
    struct str where = finding_text(d, "neph show migration " STR_FMT, STR_ARG(m->id));
    double waiting = (double)m->cpu_wait_ns / (double)(m->cpu_wait_ns + m->cpu_run_ns);

    f->title =
        finding_text(d,
                     "the migration of " STR_FMT " was slow: its threads and vCPUs waited "
                     "%.0f %% of their time for CPUs, %.0f %% of that for other instances and "
                     "services",
                     STR_ARG(vm), waiting * 100, share * 100);
    finding_subject(f, "migration", m->id);
    finding_subject(f, "vm", m->vm);
    finding_subject(f, "request", m->request);
    finding_host(f, m->source);
    f->t0 = m->start;
    f->t1 = m->end;
    f->cost_ns = (ns_t)((double)m->cpu_wait_ns * share);
    finding_evidence_ns(d, f, "waited for CPUs", m->cpu_wait_ns, where);
    finding_evidence_ns(d, f, "ran", m->cpu_run_ns, where);
    for (size_t i = 0; i < m->culprits.n; i++) {
        const struct mig_culprit *c = &m->culprits.at[i];

        if (c->itself || str_is(c->kind, "process") || c->share < 0.01)
            continue;
        finding_culprit(f, str_is(c->kind, "vm") ? "vm" : "service", c->name);
        finding_evidence(f, "of that, a CPU was had by",
                         finding_text(d, STR_FMT ": %.1f %%", STR_ARG(c->name), c->share * 100), "",
                         where);
    }
    finding_unknown(f, STR("how long it would have taken alone: compare it with one that nobody "
                           "disturbed (neph compare)"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (size_t i = 0; i < d->migrations->list.n; i++) {
        const struct migration *m = &d->migrations->list.at[i];
        ns_t took = m->end != STORE_NULL ? m->end - m->start : 0;
        double share = others(m);

        if (m->cpu_wait_ns > 0 && m->cpu_run_ns != STORE_NULL &&
            took >= rule_limit_ns(d, r, MIN_TOOK) && share >= rule_limit(d, r, MIN_OTHERS) &&
            (double)m->cpu_wait_ns >=
                rule_limit(d, r, MIN_WAITING) * (double)(m->cpu_wait_ns + m->cpu_run_ns) &&
            (double)m->cpu_wait_ns * share >= rule_limit(d, r, MIN_OF_ALL) * (double)took)
            found(r, d, m, share);
    }
}

const struct rule rule_migration_disturbed = {
    .name = "migration-disturbed",
    .title = "a migration was slow: others had the CPUs that it waited for",
    .doc =
        "The migration's threads and the guest's vCPUs at the source waited for CPUs much of the "
        "time that they wanted to run, and for a good part of the migration, while other "
        "instances and services had the CPUs. The scheduler's own records say who had the CPU "
        "during each wait.",
    .remedy = "move the culprits first, cap them (cpu shares, quota), pin vCPUs apart, or migrate "
              "when the host is less busy",
    .needs = "the source's kernel (sched_switch, sched_wakeup) and QEMU or Nova",
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_MIGRATION,
    .find = find,
};
