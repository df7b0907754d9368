/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_external_wait.c -- Nova waited for another service's word (network-vif-plugged) for most of
 * an operation. */
#include "diagnose/rule.h"
#include "report/breakdown.h"
#include "report/hops.h"
#include "report/robust.h"

#include <stdlib.h>

enum { MIN_WAIT, MIN_SHARE, MIN_PEERS, MIN_TIMES, MIN_SPREADS };
static const struct limit limits[] = {
    [MIN_WAIT] = { "min-wait", 1, "s", "waiting for Neutron is normal, and mostly shorter" },
    [MIN_SHARE] = { "min-share", 0.5, "of the operation",
                    "below, the operation was slow for another reason" },
    [MIN_PEERS] = { "min-peers", 5, "waits", "with fewer nobody knows what is normal" },
    [MIN_TIMES] = { "min-times", 2, "times the median", "with peers: less is within the usual" },
    [MIN_SPREADS] = { "min-spreads", 4, "robust standard deviations of the logarithm",
                      "the same, if waits differ much" },
};

struct wait {
    const struct src_row *task;
    struct part part;
    ns_t own;         /* of the wait: nothing else of the operation went on */
    ns_t total, open; /* of the whole operation; of that, nothing explains  */
};
struct waits {
    VEC(struct wait) at;
};

static struct str sender(struct str event)
{
    return str_starts(event, STR("network-"))  ? STR("neutron")
           : str_starts(event, STR("volume-")) ? STR("cinder")
                                               : STR("");
}

static ns_t length(const struct wait *w)
{
    return w->part.t1 - w->part.t0;
}

/* Nova begins to wait, does what makes the other service send, and then has nothing else to do:
 * that part is what the other took. */
static ns_t own_of(const struct report_src *src, const struct src_row *task, const struct part *p)
{
    struct hops h;

    hops_of_task(src, task, &h);
    const struct hop *hop = hops_find(&h, p->kind, hops_name(src, p->name));
    ns_t own = hop ? hop->ns : 0;
    hops_free(&h);
    return own;
}

/* By operation and sender, the longest first. */
static int by_operation(const void *a, const void *b)
{
    const struct wait *x = a, *y = b;
    int c = str_cmp(row_text(x->task, C_task_task), row_text(y->task, C_task_task));

    if (c == 0)
        c = str_cmp(sender(x->part.name), sender(y->part.name));
    if (c)
        return c;
    if (x->own != y->own)
        return x->own > y->own ? -1 : 1;
    return (x->part.t0 > y->part.t0) - (x->part.t0 < y->part.t0);
}

static bool alike(const struct wait *a, const struct wait *b)
{
    return str_eq(row_text(a->task, C_task_task), row_text(b->task, C_task_task)) &&
           str_eq(sender(a->part.name), sender(b->part.name));
}

/* One finding for 'n' waits of one operation for one sender; 'normal': what is usual, or NULL. */
static void found(const struct rule *r, struct diagnosis *d, const struct wait *w, size_t n,
                  const struct robust *normal)
{
    struct str task = row_text(w->task, C_task_task), entity = row_text(w->task, C_task_entity);
    struct str where =
        finding_text(d, "neph show task " STR_FMT "/" STR_FMT, STR_ARG(task), STR_ARG(entity));
    struct finding *f = finding_add(d, r, normal ? SEVERITY_WARNING : SEVERITY_INFO);
    ns_t usual = normal ? normal->median : 0;

    f->minor = !normal;
    f->title = finding_text(
        d, STR_FMT " of " STR_FMT "%s took %s, %s of that waiting for " STR_FMT, STR_ARG(task),
        STR_ARG(entity), n > 1 ? finding_text(d, " and %zu more", n - 1).p : "",
        finding_duration(d, w->total).p, finding_duration(d, length(w)).p, STR_ARG(w->part.name));
    finding_culprit(f, "service", sender(w->part.name));
    f->t0 = w->part.t0;
    f->t1 = w->part.t1;
    f->cost_ns = 0;
    finding_evidence_ns(d, f, "waited", length(w), where);
    finding_evidence_ns(d, f, "of that, did nothing else", w->own, where);
    if (normal)
        finding_evidence_ns(d, f, "median of its peers", usual, STR("neph list steps"));
    finding_evidence_ns(d, f, "the whole operation", w->total, where);
    finding_evidence_ns(d, f, "of that, nothing explains", w->open, where);
    for (size_t i = 0; i < n; i++) {
        finding_subject_lost(f, "vm", row_text(w[i].task, C_task_entity),
                             normal ? w[i].own - usual : 0);
        finding_subject_lost(f, "request", row_text(w[i].task, C_task_request),
                             normal ? w[i].own - usual : 0);
        finding_host(f, str_of(w[i].task->host));
        f->t0 = w[i].part.t0 < f->t0 ? w[i].part.t0 : f->t0;
        f->t1 = w[i].part.t1 > f->t1 ? w[i].part.t1 : f->t1;
        f->cost_ns += w[i].own - usual;
    }
    finding_unknown(f,
                    STR("why that service took so long: its own logs, and the kernel of its host, "
                        "tell"));
}

/* Was it said of the task around this one? */
static bool known(const struct waits *w, const struct part *p)
{
    for (size_t i = w->at.n; i > 0 && w->at.n - i < 64; i--)
        if (w->at.at[i - 1].part.t0 == p->t0 && w->at.at[i - 1].part.t1 == p->t1)
            return true;
    return false;
}

static void find_task(const struct rule *r, const struct diagnosis *d, const struct src_row *task,
                      struct waits *to)
{
    ns_t least = rule_limit_ns(d, r, MIN_WAIT), took = row_length(task->row);
    struct breakdown b;

    if (took == STORE_NULL || took < least ||
        !report_request_fits(d->src, row_text(task, C_task_request)))
        return;
    breakdown_of(d->src, task, &b);
    for (size_t k = 0; k < b.nparts; k++) {
        const struct part *p = &b.parts[k];

        if (str_is(p->kind, "external-event") && p->t1 - p->t0 >= least &&
            (double)(p->t1 - p->t0) >= rule_limit(d, r, MIN_SHARE) * (double)b.total &&
            !known(to, p))
            *vec_push(&to->at) =
                (struct wait){ task, *p, own_of(d->src, task, p), b.total, b.total - b.explained };
    }
}

/* 'n' waits of one operation for one sender, the longest first: with enough of them, only those
 * that are unusual count. */
static void find_alike(const struct rule *r, struct diagnosis *d, const struct wait *w, size_t n)
{
    if ((double)(n - 1) < rule_limit(d, r, MIN_PEERS)) {
        found(r, d, w, n, NULL);
        return;
    }
    ns_t *took = xcalloc(n, sizeof *took);
    size_t late = 0;
    for (size_t i = 0; i < n; i++)
        took[i] = w[i].own;
    struct robust normal = robust_below_break(took, n);
    free(took);
    while (late < n && robust_above(&normal, w[late].own) >= rule_limit(d, r, MIN_SPREADS) &&
           (double)w[late].own >= rule_limit(d, r, MIN_TIMES) * (double)normal.median)
        late++;
    if (late)
        found(r, d, w, late, &normal);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct waits all = { 0 };
    size_t n;
    const struct src_row *tasks = src_sorted(d->src, TABLE_task, &n);

    for (size_t i = 0; i < n; i++)
        find_task(r, d, &tasks[i], &all);
    if (all.at.n)
        qsort(all.at.at, all.at.n, sizeof *all.at.at, by_operation);
    for (size_t i = 0, k; i < all.at.n; i = k) {
        for (k = i + 1; k < all.at.n && alike(&all.at.at[i], &all.at.at[k]);)
            k++;
        find_alike(r, d, &all.at.at[i], k - i);
    }
    vec_free(&all.at);
}

const struct rule rule_external_wait = {
    .name = "external-wait",
    .title = "an operation was slow because it waited for another service's word",
    .doc = "Nova waits for an event that another service has to send (network-vif-plugged, "
           "volume-extended) for long, and for most of the operation. With enough such waits in "
           "the traces it is a warning about those that are unusually long, and nothing of the "
           "others; with few it is info, since that wait is part of every creation and what is "
           "normal depends on the cloud.",
    .remedy =
        "look at what the sender did meanwhile: neutron's agents on that host, their locks and "
        "rootwrap commands, the queues of RabbitMQ",
    .needs = "the logs of nova-compute at level DEBUG or INFO",
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_APPLICATION,
    .stage = STAGE_WAIT,
    .find = find,
};
