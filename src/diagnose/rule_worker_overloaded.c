/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_worker_overloaded.c -- calls wait for a service all of whose processes are at work. */
#include "diagnose/workers.h"

enum { MIN_WAIT, MIN_CALLS, MIN_LOAD, MIN_SHARE };
static const struct limit limits[] = {
    [MIN_WAIT] = { "min-wait", 0.5, "s", "of a call: less is what networks and brokers take" },
    [MIN_CALLS] = { "min-calls", 5, "calls", "that waited so long: a few may be chance" },
    [MIN_LOAD] = { "min-load", 0.8, "of its processes' time",
                   "at work while calls waited; below, it is not for want of processes" },
    [MIN_SHARE] = { "min-share", 0.5, "of the time of these calls",
                    "they waited longer than they were worked on" },
};

struct queue {
    struct span win; /* from the first that waited to the last */
    ns_t waited, worked, longest;
    size_t n;
};

static struct queue queue_of(const struct crew *c, ns_t least)
{
    struct queue q = { .win = { NS_MAX, NS_MIN } };

    for (size_t i = 0; i < c->calls.n; i++) {
        const struct served *s = &c->calls.at[i];

        if (s->waited < least)
            continue;
        q.n++;
        q.waited = time_add(q.waited, s->waited);
        q.worked = time_add(q.worked, s->ns);
        q.longest = s->waited > q.longest ? s->waited : q.longest;
        q.win.t0 = s->t0 < q.win.t0 ? s->t0 : q.win.t0;
        q.win.t1 = s->t1 > q.win.t1 ? s->t1 : q.win.t1;
    }
    return q;
}

/* Whose calls they were. */
static void add_requests(struct finding *f, const struct crew *c, ns_t least)
{
    enum { MOST = 256 };

    for (size_t i = 0; i < c->calls.n && f->subjects.n < MOST; i++)
        if (c->calls.at[i].waited >= least)
            finding_subject_lost(f, "request", c->calls.at[i].request, c->calls.at[i].waited);
}

static void find_crew(const struct rule *r, struct diagnosis *d, const struct crew *c)
{
    struct queue q = queue_of(c, rule_limit_ns(d, r, MIN_WAIT));

    if ((double)q.n < rule_limit(d, r, MIN_CALLS) ||
        (double)q.waited < rule_limit(d, r, MIN_SHARE) * ((double)q.waited + (double)q.worked))
        return;
    double load = crew_load(c, q.win);
    if (load < rule_limit(d, r, MIN_LOAD))
        return;
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);
    f->title = finding_text(
        d, "%zu calls waited %s for " STR_FMT ", which was at work %.0f %% of the time", q.n,
        finding_duration(d, q.waited).p, STR_ARG(c->service), load * 100);
    finding_subject_lost(f, "service", c->service, q.waited);
    add_requests(f, c, rule_limit_ns(d, r, MIN_WAIT));
    finding_culprit(f, "service", c->service);
    f->t0 = q.win.t0;
    f->t1 = q.win.t1;
    f->cost_ns = q.waited;
    for (size_t i = 0; i < c->workers.n; i++)
        finding_host(f, str_of(c->workers.at[i].host));
    finding_evidence_ns(d, f, "calls waited", q.waited, STR("neph list calls"));
    finding_evidence_ns(d, f, "longest wait of one", q.longest, STR("neph list calls"));
    finding_evidence_ns(d, f, "the same calls were worked on", q.worked, STR("neph list calls"));
    finding_evidence(f, "processes", finding_text(d, "%zu", c->workers.n), "processes",
                     STR("neph list services"));
    finding_evidence(f, "at work", finding_text(d, "%.3f", load), "ratio",
                     STR("neph list services"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct crews c;

    crews_make(d, &c);
    for (size_t i = 0; i < c.at.n; i++)
        find_crew(r, d, &c.at.at[i]);
    crews_free(&c);
}

const struct rule rule_worker_overloaded = {
    .name = "worker-overloaded",
    .title = "calls wait for a service whose processes all have work",
    .doc = "Calls to a service took far longer for who made them than for who served them, while "
           "nearly all of its processes were serving or running tasks: the calls waited in its "
           "queue. That a call waits while processes are idle is said to be no overload: the "
           "network or the message broker has it.",
    .remedy = "more workers (rpc_workers, osapi_compute_workers, api_workers), or find what makes "
              "each call take so long",
    .needs = "messages or logs of both ends of the calls (neph list calls)",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_SHARE,
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
