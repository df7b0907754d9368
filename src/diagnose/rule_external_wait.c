/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_external_wait.c -- Nova waited for another service's word (network-vif-plugged) for most of
 * an operation. */
#include "diagnose/rule.h"
#include "report/breakdown.h"

enum { MIN_WAIT, MIN_SHARE };
static const struct limit limits[] = {
    [MIN_WAIT] = { "min-wait", 1, "s", "waiting for Neutron is normal, and mostly shorter" },
    [MIN_SHARE] = { "min-share", 0.5, "of the operation",
                    "below, the operation was slow for another reason" },
};

static void found(const struct rule *r, struct diagnosis *d, const struct src_row *task,
                  const struct breakdown *b, const struct part *p)
{
    struct str where =
        finding_text(d, "neph show task " STR_FMT "/" STR_FMT, STR_ARG(row_text(task, C_task_task)),
                     STR_ARG(row_text(task, C_task_entity)));
    struct finding *f = finding_add(d, r, SEVERITY_INFO);
    ns_t waited = p->t1 - p->t0;

    f->title = finding_text(d, STR_FMT " of " STR_FMT " took %s, %s of that waiting for " STR_FMT,
                            STR_ARG(row_text(task, C_task_task)),
                            STR_ARG(row_text(task, C_task_entity)), finding_duration(d, b->total).p,
                            finding_duration(d, waited).p, STR_ARG(p->name));
    finding_subject(f, "vm", row_text(task, C_task_entity));
    finding_subject(f, "request", row_text(task, C_task_request));
    finding_culprit(f, "service",
                    str_starts(p->name, STR("network-"))  ? STR("neutron")
                    : str_starts(p->name, STR("volume-")) ? STR("cinder")
                                                          : STR(""));
    finding_host(f, str_of(task->host));
    f->t0 = p->t0;
    f->t1 = p->t1;
    f->cost_ns = waited;
    finding_evidence_ns(d, f, "waited", waited, where);
    finding_evidence_ns(d, f, "the whole operation", b->total, where);
    finding_evidence_ns(d, f, "of that, nothing explains", b->total - b->explained, where);
    finding_unknown(f,
                    STR("why that service took so long: its own logs, and the kernel of its host, "
                        "tell"));
}

/* Was it said of the task around this one? */
static bool known(const struct rule *r, const struct diagnosis *d, const struct part *p)
{
    for (size_t i = d->list.n; i > 0 && d->list.at[i - 1].rule == r; i--)
        if (d->list.at[i - 1].t0 == p->t0 && d->list.at[i - 1].t1 == p->t1)
            return true;
    return false;
}

static void find(const struct rule *r, struct diagnosis *d)
{
    size_t n;
    const struct src_row *tasks = src_sorted(d->src, TABLE_task, &n);
    ns_t least = rule_limit_ns(d, r, MIN_WAIT);
    double share = rule_limit(d, r, MIN_SHARE);

    for (size_t i = 0; i < n; i++) {
        ns_t took = row_length(tasks[i].row);
        struct breakdown b;

        if (took == STORE_NULL || took < least ||
            !report_request_fits(d->src, row_text(&tasks[i], C_task_request)))
            continue;
        breakdown_of(d->src, &tasks[i], &b);
        for (size_t k = 0; k < b.nparts; k++) {
            const struct part *p = &b.parts[k];

            if (str_is(p->kind, "external-event") && p->t1 - p->t0 >= least &&
                (double)(p->t1 - p->t0) >= share * (double)b.total && !known(r, d, p))
                found(r, d, &tasks[i], &b, p);
        }
    }
}

const struct rule rule_external_wait = {
    .name = "external-wait",
    .title = "an operation was slow because it waited for another service's word",
    .doc = "Nova waits for an event that another service has to send (network-vif-plugged, "
           "volume-extended) for long, and for most of the operation. It is info because that wait "
           "is part of every creation; what is normal there depends "
           "on the cloud.",
    .remedy =
        "look at what the sender did meanwhile: neutron's agents on that host, their locks and "
        "rootwrap commands, the queues of RabbitMQ",
    .needs = "the logs of nova-compute at level DEBUG or INFO",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .stage = STAGE_OPERATION,
    .find = find,
};
