/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_migration_slow.c -- a migration took long though it ends: its guest writes nearly as fast as
 * is sent, little may be sent, or others had the link. */
#include "diagnose/rule.h"

enum { MIN_TOOK, MIN_AGAIN, MAX_OF_CAP, MIN_OTHERS, MIN_CAPPED };
static const struct limit limits[] = {
    [MIN_TOOK] = { "min-took", 5, "s", "shorter ones are over before anybody asks" },
    [MIN_AGAIN] = { "min-again", 2, "times the first pass",
                    "what was sent in all: at least as much again as the memory" },
    [MAX_OF_CAP] = { "max-of-cap", 0.7, "of the bandwidth that it may use",
                     "above, the cap holds it and not what else there is" },
    [MIN_OTHERS] = { "min-others", 0.3, "of what the link carried",
                     "sent by others; below, they are not why" },
    [MIN_CAPPED] = { "min-capped", 30, "s",
                     "of sending as much as is allowed; the setting is meant to hold it" },
};

/* What was sent in the first round, and in all; false: not known. */
static bool sent_of(const struct migration *m, double *ret_first, double *ret_all, double *ret_rate)
{
    double took = 0;

    *ret_first = *ret_all = 0;
    for (size_t i = 0; i < m->rounds.n; i++) {
        const struct mig_round *r = &m->rounds.at[i];

        if (r->sent_bytes == STORE_NULL || r->stopped)
            continue;
        *ret_first = *ret_first > 0 ? *ret_first : (double)r->sent_bytes;
        *ret_all += (double)r->sent_bytes;
        took += r->t1 > r->t0 ? (double)(r->t1 - r->t0) : 0;
    }
    *ret_rate = took > 0 ? *ret_all / took * 1e9 : 0;
    return *ret_all > 0 && took > 0;
}

static const struct mig_sharer *worst_sharer(const struct migration *m, double *ret_share)
{
    const struct mig_sharer *worst = NULL;

    *ret_share = 0;
    for (size_t i = 0; i < m->sharers.n; i++) {
        const struct mig_sharer *s = &m->sharers.at[i];

        if (s->itself || !str_is(str_of(s->resource), "network"))
            continue;
        *ret_share += s->share;
        worst = worst ? worst : s;
    }
    return worst;
}

static struct finding *begin(const struct rule *r, struct diagnosis *d, const struct migration *m,
                             struct str where)
{
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    finding_subject(f, "migration", m->id);
    finding_subject(f, "vm", m->vm);
    finding_subject(f, "request", m->request);
    finding_host(f, m->source);
    finding_host(f, m->destination);
    f->t0 = m->start;
    f->t1 = m->end;
    finding_evidence_ns(d, f, "it took", m->end - m->start, where);
    return f;
}

static void bytes(const struct diagnosis *d, struct finding *f, const char *what, double v,
                  const char *unit, struct str where)
{
    finding_evidence(f, what, finding_text(d, "%.0f", v), unit, where);
}

/* Others had the link. */
static bool find_link(const struct rule *r, struct diagnosis *d, const struct migration *m,
                      double rate, struct str where)
{
    double share;
    const struct mig_sharer *s = worst_sharer(m, &share);

    if (!s || share < rule_limit(d, r, MIN_OTHERS) ||
        (m->bandwidth_cap > 0 && rate >= rule_limit(d, r, MAX_OF_CAP) * (double)m->bandwidth_cap))
        return false;
    struct finding *f = begin(r, d, m, where);
    f->layer = LAYER_KERNEL; /* the link's queue */
    f->cost_ns = (ns_t)((double)(m->end - m->start) * share);
    f->title =
        finding_text(d,
                     "the migration of " STR_FMT " was slow: others sent %.0f %% of what its "
                     "link carried, " STR_FMT " most",
                     STR_ARG(finding_vm(m->vm)), share * 100, STR_ARG(s->name));
    bytes(d, f, "it sent", rate, "bytes/s", where);
    for (size_t i = 0; i < m->sharers.n; i++) {
        const struct mig_sharer *x = &m->sharers.at[i];

        if (x->itself || x->share < 0.02 || !str_is(str_of(x->resource), "network"))
            continue;
        if (x->kind.n)
            finding_culprit(f, str_is(x->kind, "vm") ? "vm" : "service", x->name);
        bytes(d, f, finding_text(d, "over the same link " STR_FMT " sent", STR_ARG(x->name)).p,
              (double)x->bytes, "bytes", where);
    }
    finding_unknown(f, STR("how much the link can carry"));
    return true;
}

/* No more may be sent. */
static bool find_cap(const struct rule *r, struct diagnosis *d, const struct migration *m,
                     double rate, struct str where)
{
    double cap = (double)m->bandwidth_cap;

    if (cap <= 0 || rate < rule_limit(d, r, MAX_OF_CAP) * cap ||
        m->end - m->start < rule_limit_ns(d, r, MIN_CAPPED))
        return false;
    struct finding *f = begin(r, d, m, where);
    f->cost_ns = m->end - m->start;
    f->title = finding_text(d,
                            "the migration of " STR_FMT " was slow: it sent %.1f MB/s, as much as "
                            "it was allowed to",
                            STR_ARG(finding_vm(m->vm)), rate / 1e6);
    finding_culprit(f, "setting", STR("live_migration_bandwidth"));
    bytes(d, f, "it sent", rate, "bytes/s", where);
    bytes(d, f, "it may send", cap, "bytes/s", where);
    return true;
}

/* The guest writes nearly as fast. */
static bool find_writing(const struct rule *r, struct diagnosis *d, const struct migration *m,
                         double first, double all, struct str where)
{
    if (all < rule_limit(d, r, MIN_AGAIN) * first || m->rounds.n < 3)
        return false;
    struct finding *f = begin(r, d, m, where);
    f->cost_ns = (ns_t)((double)(m->end - m->start) * (1 - first / all));
    f->title = finding_text(d,
                            "the migration of " STR_FMT " was slow: its guest writes memory nearly "
                            "as fast as it is sent, so that %.1f times its memory was",
                            STR_ARG(finding_vm(m->vm)), all / first);
    finding_culprit(f, "vm", m->vm);
    bytes(d, f, "sent in the first round", first, "bytes", where);
    bytes(d, f, "sent in all", all, "bytes", where);
    finding_evidence(f, "rounds", finding_text(d, "%zu", m->rounds.n), "rounds", where);
    return true;
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (size_t i = 0; i < d->migrations->list.n; i++) {
        const struct migration *m = &d->migrations->list.at[i];
        struct str where = finding_text(d, "neph show migration " STR_FMT, STR_ARG(m->id));
        double first, all, rate;

        if (m->outcome != MIG_COMPLETED || m->end == STORE_NULL ||
            m->end - m->start < rule_limit_ns(d, r, MIN_TOOK) || !sent_of(m, &first, &all, &rate))
            continue;
        if (!find_link(r, d, m, rate, where) && !find_writing(r, d, m, first, all, where))
            find_cap(r, d, m, rate, where);
    }
}

const struct rule rule_migration_slow = {
    .name = "migration-slow",
    .title = "a migration ended, but took long",
    .doc = "A migration that succeeded sent much less than it could because others used its link; "
           "or sent its guest's memory more than once over because the guest wrote it again; or "
           "sent for long as much as it was allowed to. Waits for CPUs are told by "
           "migration-disturbed.",
    .remedy = "raise live_migration_bandwidth; give migrations a network of their own; let "
              "auto-converge slow the guest down; migrate when the guest writes less",
    .needs = "QEMU's events of the source (rounds and bytes); the source's kernel for the link",
    .layer = LAYER_VIRTUALISATION,
    .stage = STAGE_MIGRATION,
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
