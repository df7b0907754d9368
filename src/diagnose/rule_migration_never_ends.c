/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_migration_never_ends.c -- the guest writes memory faster than the link carries it. */
#include "diagnose/rule.h"
#include "report/migration_show.h"

#include <math.h>

static void add_bytes(const struct diagnosis *d, struct finding *f, const char *what, double v,
                      const char *unit, struct str where)
{
    if (isfinite(v) && v > 0)
        finding_evidence(f, what, finding_text(d, "%.0f", v), unit, where);
}

static void found(const struct rule *r, struct diagnosis *d, const struct migration *m,
                  const struct mig_round *last)
{
    const struct conv_verdict *v = &last->verdict;
    struct str vm = finding_vm(m->vm);
    struct finding *f = finding_add(d, r, SEVERITY_CRITICAL);
    struct str where = finding_text(d, "neph rounds " STR_FMT, STR_ARG(m->id));

    f->title =
        finding_text(d,
                     "the migration of " STR_FMT " can't end: the guest writes memory faster "
                     "than it is sent (known after round %u); it %s",
                     STR_ARG(vm), last->n,
                     m->outcome == MIG_CANCELLED ? "was cancelled"
                     : m->outcome == MIG_FAILED  ? "failed"
                                                 : "goes on at the end of the trace");
    finding_subject(f, "migration", m->id);
    finding_subject(f, "vm", m->vm);
    finding_subject(f, "request", m->request);
    finding_culprit(f, "vm", m->vm);
    if (!m->vm.n && m->source_pid > 0)
        finding_culprit(f, "process", finding_text(d, "pid %lld", (long long)m->source_pid));
    finding_host(f, m->source);
    finding_host(f, m->destination);
    f->t0 = m->start;
    f->t1 = m->end;
    f->cost_ns = m->end != STORE_NULL && m->start != STORE_NULL ? m->end - m->start : STORE_NULL;
    add_bytes(d, f, "memory written", v->dirty_rate, "bytes/s", where);
    add_bytes(d, f, "memory sent", v->bandwidth, "bytes/s", where);
    add_bytes(d, f, "left after each round", v->rest_bytes, "bytes", where);
    add_bytes(d, f, "fits into the allowed downtime", v->limit_bytes, "bytes", where);
    add_bytes(d, f, "bandwidth that would let it end", v->need_bandwidth, "bytes/s", where);
    if (isfinite(v->need_downtime_s) && v->need_downtime_s > 0)
        finding_evidence_ns(d, f, "downtime that would let it end",
                            (ns_t)(v->need_downtime_s * 1e9), where);
    if (m->outcome == MIG_CANCELLED)
        finding_unknown(f, STR("who cancelled it, and whether because of that"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (size_t i = 0; i < d->migrations->list.n; i++) {
        const struct migration *m = &d->migrations->list.at[i];
        const struct mig_round *last = migration_foresight(m);

        if (last && last->foreseen == CONV_NEVER && m->outcome != MIG_COMPLETED)
            found(r, d, m, last);
    }
}

const struct rule rule_migration_never_ends = {
    .name = "migration-never-ends",
    .title = "a migration can't end: the guest writes memory faster than it is sent",
    .doc = "Pre-copy ends when what is left fits into the allowed downtime. Each round leaves what "
           "the guest wrote while the last was sent; where that comes to rest above the limit, "
           "no number of rounds helps. Critical when the last foresight of the rounds says so and "
           "the migration did not complete. The rate of the link and of the writing, the working "
           "set and the limit are measured, not assumed: see docs/migration.md.",
    .remedy = "let QEMU throttle the guest (auto-converge) or use post-copy; or migrate when the "
              "guest writes less, over a faster link, or allow a longer downtime, as the "
              "evidence says",
    .needs = "QEMU's migration_* events (LTTng, its log or simple back end) or a log of QMP",
    .layer = LAYER_VIRTUALISATION,
    .stage = STAGE_MIGRATION,
    .find = find,
};
