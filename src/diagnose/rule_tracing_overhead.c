/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_tracing_overhead.c -- the tracer itself takes much of a host. */
#include "diagnose/rule.h"
#include "report/measure.h"

enum { COST, MIN_SHARE, MIN_WARNING };
static const struct limit limits[] = {
    [COST] = { "event-cost", 2e-7, "s of a CPU for an event",
               "LTTng's kernel tracer, as measured by its authors and others" },
    [MIN_SHARE] = { "min-share", 0.05, "of the host's CPUs", "said as info" },
    [MIN_WARNING] = { "min-warning", 0.15, "of the host's CPUs",
                      "so much that what is measured is no longer what was" },
};

static uint64_t events_of(const struct store *s)
{
    struct str key, value;
    uint64_t sum = 0, n;

    for (size_t i = 0; store_fact_at(s, i, &key, &value); i++)
        if (str_starts(key, STR("events.")) && str_u64(value, &n))
            sum += n;
    return sum;
}

static bool is_tracer(struct str comm)
{
    static const char *const names[] = {
        "lttng-consumerd", "lttng-sessiond", "lttng-relayd", "lttng-consume", "lttng-sessio",
        "trace-cmd",       "perf",           "bpftrace",     "tcpdump"
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_starts(comm, str_of(names[i])))
            return true;
    return false;
}

/* Time that the tracer's own processes ran on the host. */
static ns_t tracers_ran(const struct diagnosis *d, uint32_t host)
{
    struct usage u = { 0 };

    for (size_t i = 0; i < d->w->threads.n; i++) {
        const struct who_thread *th = &d->w->threads.at[i];

        if (th->host == host && (is_tracer(who_process(d->w, th)->comm) || is_tracer(th->comm)))
            usage_add(d->src, th, &u);
    }
    return usage_sum(&u, TS_USER, TS_SOFTIRQ);
}

static void find_host(const struct rule *r, struct diagnosis *d, uint32_t h)
{
    const struct store *s = d->src->hosts[h];
    struct span seen = measure_within(d->src, h, SPAN_ALL);
    uint64_t events = events_of(s);
    size_t ncpus = measure_cpus(s);

    if (ncpus == 0 || seen.t1 <= seen.t0)
        return;
    double have = (double)measure_traced(d->src, h, SPAN_ALL) * (double)ncpus;
    double writing = (double)events * rule_limit(d, r, COST) * (double)NS_PER_S;
    ns_t ran = tracers_ran(d, h);
    double share = (writing + (double)ran) / have;
    if (share < rule_limit(d, r, MIN_SHARE))
        return;
    struct finding *f = finding_add(
        d, r, share >= rule_limit(d, r, MIN_WARNING) ? SEVERITY_WARNING : SEVERITY_INFO);
    f->title = finding_text(d, "tracing takes about %.0f %% of the CPUs of %s", share * 100,
                            store_host(s));
    finding_subject(f, "host", str_of(store_host(s)));
    finding_host(f, str_of(store_host(s)));
    finding_culprit(f, "tracer", STR("LTTng"));
    f->t0 = seen.t0;
    f->t1 = seen.t1;
    f->cost_ns = (ns_t)(writing + (double)ran);
    finding_evidence(f, "events", finding_text(d, "%llu", (unsigned long long)events), "events",
                     STR("neph doctor"));
    finding_evidence(f, "events a second and CPU",
                     finding_text(d, "%.0f", (double)events / have * (double)NS_PER_S), "events/s",
                     STR("neph doctor"));
    finding_evidence_ns(d, f, "writing them, at what an event costs", (ns_t)writing,
                        STR("neph explain tracing-overhead"));
    finding_evidence_ns(d, f, "the tracer's own processes ran", ran, STR("neph top cpu"));
    finding_unknown(f, STR("what an event costs on that machine: the limit event-cost is what is "
                           "usual"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++)
        find_host(r, d, h);
}

const struct rule rule_tracing_overhead = {
    .name = "tracing-overhead",
    .title = "the tracer itself takes much of a host",
    .doc = "The events of a host, at what an event costs, and the time that the tracer's own "
           "processes ran (lttng-consumerd and others), against all the time of its CPUs.",
    .remedy = "trace fewer events (lttng enable-event for those that a question needs; neph doctor "
              "has their counts), or for a shorter time",
    .needs = "the host's kernel (sched_switch)",
    .layer = LAYER_TRACING,
    .stage = STAGE_TRACE,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
