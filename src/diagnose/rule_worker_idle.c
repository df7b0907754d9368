/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_worker_idle.c -- one process of a service gets nothing to do, and others have it all. */
#include "diagnose/workers.h"

enum { MIN_WORKS };
static const struct limit limits[] = {
    [MIN_WORKS] = { "min-works", 10, "tasks and calls for each process",
                    "by chance alone a process is never left out of so many" },
};

/* Some serve an API and others the queue: an idle one may be there for what nobody asked for. */
static bool has_trades(const struct crew *c)
{
    bool http = false, rpc = false, both = false;

    for (size_t i = 0; i < c->workers.n; i++) {
        http |= c->workers.at[i].http;
        rpc |= c->workers.at[i].rpc;
        both |= c->workers.at[i].http && c->workers.at[i].rpc;
    }
    return http && rpc && !both;
}

static void find_crew(const struct rule *r, struct diagnosis *d, const struct crew *c,
                      const char *host)
{
    struct str where = STR("neph list services");
    size_t idle = 0, n = 0;
    uint64_t works = 0;
    ns_t busy = 0;

    for (size_t i = 0; i < c->workers.n; i++) {
        const struct worker *w = &c->workers.at[i];

        if (strcmp(w->host, host) != 0)
            continue;
        n++;
        idle += w->works == 0;
        works += w->works;
        busy += w->busy;
    }
    if (idle == 0 || n == idle || has_trades(c) ||
        (double)works < rule_limit(d, r, MIN_WORKS) * (double)n)
        return;
    struct finding *f = finding_add(d, r, SEVERITY_INFO);
    f->title = finding_text(d, "%zu of %zu processes of " STR_FMT " on %s had nothing to do", idle,
                            n, STR_ARG(c->service), host);
    finding_subject(f, "service", c->service);
    finding_host(f, str_of(host));
    f->t0 = c->seen.t0;
    f->t1 = c->seen.t1;
    finding_evidence(f, "tasks and calls of the others",
                     finding_text(d, "%llu", (unsigned long long)works), "works", where);
    finding_evidence_ns(d, f, "the others worked", busy, where);
    finding_unknown(f, STR("whether they are there for other work, such as Neutron's workers for "
                           "reports of its agents"));
    for (size_t i = 0; i < c->workers.n; i++)
        if (c->workers.at[i].works == 0 && strcmp(c->workers.at[i].host, host) == 0) {
            struct str pid = finding_text(d, "%lld", (long long)c->workers.at[i].pid);

            finding_culprit(f, "process", pid);
            finding_evidence(f, "idle: process", pid, "", where);
        }
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct crews c;

    crews_make(d, &c);
    for (size_t i = 0; i < c.at.n; i++)
        for (uint32_t h = 0; h < d->src->nhosts; h++)
            find_crew(r, d, &c.at.at[i], store_host(d->src->hosts[h]));
    crews_free(&c);
}

const struct rule rule_worker_idle = {
    .name = "worker-idle",
    .title = "a process of a service gets nothing to do while others have it all",
    .doc = "Of several processes of one service on a host, one served no call and ran no task, "
           "while the others had many. Info: the service works, but with fewer processes than it "
           "was given. Where some processes serve an API and others the queue it says nothing.",
    .remedy = "look whether the process listens (its sockets, its queue); restart the service, or "
              "set fewer workers",
    .needs = "the logs of the service with process ids",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_OPERATION,
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
