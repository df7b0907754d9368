/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_missing_layer.c -- a layer of a host was not traced: what no rule can see there. */
#include "diagnose/rule.h"
#include "report/clocks.h"
#include "report/measure.h"

static bool has_rows(const struct report_src *src, enum schema_table t)
{
    struct src_rows r = src_rows(src, t);
    bool any = src_next(&r) != NULL;

    if (any)
        src_end(&r);
    return any;
}

struct missing {
    const struct rule *rule;
    struct diagnosis *d;
    struct finding *f; /* NULL: nothing is missing so far */
};

/* One finding tells of all; each sentence is a blind spot. */
static void miss(struct missing *m, const char *layer, const char *host, struct str sentence)
{
    struct diagnosis *d = m->d;

    finding_blind(d, sentence);
    if (!m->f)
        m->f = finding_add(d, m->rule, SEVERITY_INFO);
    m->f->minor = true;
    finding_evidence(m->f, layer, host ? str_of(host) : STR("no host"), "", STR("neph doctor"));
    if (host) {
        finding_subject(m->f, "host", str_of(host));
        finding_host(m->f, str_of(host));
    }
    finding_unknown(m->f, sentence);
}

static void find_kernels(struct missing *m)
{
    const struct report_src *src = m->d->src;

    for (uint32_t i = 0; i < src->nhosts; i++)
        if (!measure_had(src->hosts[i], EV_SCHED_SWITCH))
            miss(m, "the kernel was not traced on", store_host(src->hosts[i]),
                 finding_text(m->d,
                              "%s: its kernel was not traced: who had CPUs and disks there, and "
                              "who waited for them, is not known (lttng enable-event -k "
                              "'sched_*')",
                              store_host(src->hosts[i])));
}

/* Between two traces of a host nothing is known, which nobody sees on looking at what is. */
static void find_holes(struct missing *m)
{
    const struct report_src *src = m->d->src;

    for (uint32_t i = 0; i < src->nhosts; i++) {
        ns_t hole = measure_holes(src, i, src->span);

        if (hole > 0)
            finding_blind(m->d, finding_text(m->d,
                                             "%s: between its traces the kernel was not traced "
                                             "for " STR_FMT ": what happened then is not known",
                                             store_host(src->hosts[i]),
                                             STR_ARG(finding_duration(m->d, hole))));
    }
}

static void find_others(struct missing *m)
{
    const struct report_src *src = m->d->src;

    if (!has_rows(src, TABLE_task) && !has_rows(src, TABLE_step) && !has_rows(src, TABLE_line))
        miss(m, "OpenStack's services were traced on", NULL,
             STR("nothing of OpenStack's services was traced: which requests were slow or "
                 "failed is not known (lttng enable-event -p lttng_python:\\*)"));
    if (!has_rows(src, TABLE_qemu))
        miss(m, "QEMU was traced on", NULL,
             STR("QEMU was not traced: rounds and downtime of migrations, if there were any, "
                 "are not known"));
}

/* Layers whose events nothing here looks at so far, by how the names of these begin. */
static const struct {
    const char *name;
    const char *starts[4];
} unread[] = {
    { "Open vSwitch", { "ovs_", "openvswitch", "p_ovs_", "f_ovs_" } },
    { "Ceph", { "osd:", "objectstore:", "objecter", "librbd:" } },
};

static bool is_of(struct str event, size_t layer)
{
    for (size_t i = 0; i < ARRAY_SIZE(unread[layer].starts); i++)
        if (unread[layer].starts[i] && str_starts(event, str_of(unread[layer].starts[i])))
            return true;
    return false;
}

/* Traced, but not analysed. */
static void find_unread(struct missing *m)
{
    const struct report_src *src = m->d->src;

    for (uint32_t h = 0; h < src->nhosts; h++) {
        size_t n;
        struct str *names = src_split(src, store_fact(src->hosts[h], "unasked"), &n);

        for (size_t k = 0; k < ARRAY_SIZE(unread); k++) {
            size_t types = 0;

            for (size_t i = 0; i < n; i++)
                types += is_of(names[i], k);
            if (types)
                miss(m, "events of a layer that is not analysed yet", store_host(src->hosts[h]),
                     finding_text(m->d,
                                  "%s: events of %s were traced (%zu types), but there is no "
                                  "analysis of that layer yet: what they tell is not among the "
                                  "findings (neph stats, neph events)",
                                  store_host(src->hosts[h]), unread[k].name, types));
        }
    }
}

static void find_clocks(struct missing *m)
{
    const struct report_src *src = m->d->src;

    for (uint32_t i = 0; src->clocks && src->nhosts > 1 && i < src->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(src->hosts[i], &cov);
        struct clock_error e = clocks_error(src->clocks, i, cov.t0 / 2 + cov.t1 / 2);
        if (e.before > NS_MAX / 4 || e.after > NS_MAX / 4)
            finding_blind(m->d,
                          finding_text(m->d,
                                       "%s: its clock is not bounded against the reference's: what "
                                       "happened first on two hosts is not known (neph sync)",
                                       store_host(src->hosts[i])));
    }
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct missing m = { r, d, NULL };

    find_kernels(&m);
    find_holes(&m);
    find_others(&m);
    find_unread(&m);
    find_clocks(&m);
    if (m.f)
        m.f->title =
            finding_text(d,
                         "some layers were not traced, or are not analysed yet: what %zu of "
                         "them would tell is not known",
                         m.f->evidence.n);
}

const struct rule rule_missing_layer = {
    .name = "missing-layer",
    .title = "a layer was not traced, or is not analysed yet",
    .doc = "The kernel of a host, OpenStack's services or QEMU have no events in the traces. Info: "
           "nothing of the cloud is wrong, but what only that layer tells is not among the "
           "findings; each sentence says what, and which trace would decide.",
    .remedy = "trace the layer as well, if what is found does not answer the question",
    .needs = "any trace",
    .layer = LAYER_TRACING,
    .stage = STAGE_TRACE,
    .find = find,
};
