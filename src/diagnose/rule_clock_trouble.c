/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_clock_trouble.c -- a host's clock was set while it was traced, or runs far from the others'.
 */
#include "diagnose/rule.h"
#include "report/clocks.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_STEP, MIN_OFFSET, MIN_RATE };
static const struct limit limits[] = {
    [MIN_STEP] = { "min-step", 0.005, "s",
                   "what NTP corrects by slewing is far below that from one message to the next" },
    [MIN_OFFSET] = { "min-offset", 1, "s",
                     "NTP keeps hosts within milliseconds; a second means that it does not run" },
    [MIN_RATE] = { "min-rate", 500, "ppm",
                   "the most that NTP corrects; a crystal is off by less than 100" },
};

/* How far the clock certainly jumped between two knots, beyond what any rate explains; 0: it need
 * not have. */
static ns_t jump(const struct sync_knot *a, const struct sync_knot *b, double most_ppm)
{
    if (a->lo == NS_MIN || a->hi == NS_MAX || b->lo == NS_MIN || b->hi == NS_MAX)
        return 0;
    double slew = most_ppm * 1e-6 * (double)(b->local - a->local);
    double forth = (double)(b->lo - b->local) - (double)(a->hi - a->local) - slew;
    double back = (double)(a->lo - a->local) - (double)(b->hi - b->local) - slew;

    return forth > 0 ? (ns_t)forth : back > 0 ? (ns_t)-back : 0;
}

static void host_finding(const struct diagnosis *d, struct finding *f, uint32_t host, ns_t t0,
                         ns_t t1)
{
    struct str name = str_of(store_host(d->src->hosts[host]));

    finding_subject(f, "host", name);
    finding_host(f, name);
    f->t0 = t0;
    f->t1 = t1;
}

/* Do messages of this host and another fit to no clock without a step or a change of rate? */
static bool has_pieces(const struct clocks *c, uint32_t h)
{
    for (size_t i = 0; i < c->npairs; i++)
        if ((c->pairs[i].a == h || c->pairs[i].b == h) && c->pairs[i].pieces > 1 &&
            c->pairs[i].quality == SYNC_EXACT && !c->pairs[i].dropped)
            return true;
    return false;
}

/* How far the estimate jumps between two knots, beyond what any rate explains. */
static ns_t estimated_jump(const struct sync_knot *a, const struct sync_knot *b, double most_ppm)
{
    double d = (double)(b->corrected - b->local) - (double)(a->corrected - a->local);
    double slew = most_ppm * 1e-6 * (double)(b->local - a->local);

    return fabs(d) > slew ? (ns_t)d : 0;
}

/* Where the bounds are so wide that the clock is shown as it is, a pair of hosts may still know the
 * step: it is how far its bounds open between two pieces that are narrow. */
static ns_t pairs_jump(const struct clocks *c, uint32_t h)
{
    enum { TIMES = 10 };
    ns_t most = 0;

    for (size_t i = 0; i < c->npairs; i++) {
        const struct sync_pair *p = &c->pairs[i];

        if ((p->a == h || p->b == h) && p->pieces > 1 && p->quality == SYNC_EXACT && !p->dropped &&
            p->bound_max < NS_MAX / 4 && p->bound_max / TIMES >= p->bound_median)
            most = p->bound_max > most ? p->bound_max : most;
    }
    return most;
}

static void find_step(const struct rule *r, struct diagnosis *d, uint32_t h,
                      const struct host_clock *c)
{
    double ppm = rule_limit(d, r, MIN_RATE);
    ns_t most = 0, t0 = STORE_NULL, t1 = STORE_NULL;
    bool pieces = has_pieces(d->src->clocks, h);

    /* Knots that are far apart show a step that no two neighbours do. */
    for (uint32_t i = 0; i < c->c.nknots; i++)
        for (uint32_t k = i + 1; k < c->c.nknots && k <= i + 16; k++) {
            const struct sync_knot *a = &c->c.knots[i], *b = &c->c.knots[k];
            ns_t j = jump(a, b, ppm);

            if (j == 0 && pieces && k == i + 1)
                j = estimated_jump(a, b, ppm);
            if (llabs(j) <= llabs(most))
                continue;
            most = j;
            t0 = a->corrected;
            t1 = b->corrected;
        }
    const char *way = most > 0 ? " back" : most < 0 ? " forward" : "";
    if (llabs(most) < rule_limit_ns(d, r, MIN_STEP) && c->kept) {
        struct store_coverage cov;

        store_coverage(d->src->hosts[h], &cov);
        most = pairs_jump(d->src->clocks, h);
        t0 = cov.t0;
        t1 = cov.t1;
    }
    if (llabs(most) < rule_limit_ns(d, r, MIN_STEP))
        return;
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);
    f->title = finding_text(d, "the clock of %s was set%s by about %s while it was traced", c->host,
                            way, finding_duration(d, llabs(most)).p);
    host_finding(d, f, h, t0, t1);
    finding_evidence_ns(d, f, "stepped by about", llabs(most), STR("neph sync"));
    finding_unknown(f, STR("what in the logs of that host is older than it says, or younger"));
}

static void find_far(const struct rule *r, struct diagnosis *d, uint32_t h,
                     const struct host_clock *c)
{
    struct store_coverage cov;

    store_coverage(d->src->hosts[h], &cov);
    ns_t middle = cov.t0 / 2 + cov.t1 / 2;
    struct clock_error e = clocks_error(d->src->clocks, h, middle);
    ns_t off = middle - clock_from_ref(&c->c, middle); /* of what it showed then */
    ns_t bound = e.before > e.after ? e.before : e.after;

    if (bound > NS_MAX / 4 || llabs(off) - bound < rule_limit_ns(d, r, MIN_OFFSET))
        return;
    struct finding *f = finding_add(d, r, SEVERITY_INFO);
    f->minor = true;
    f->title = finding_text(d, "the clock of %s is %s %s that of %s", c->host,
                            finding_duration(d, llabs(off)).p, off > 0 ? "behind" : "ahead of",
                            d->src->clocks->at[d->src->clocks->reference].host);
    host_finding(d, f, h, cov.t0, cov.t1);
    finding_evidence_ns(d, f, "off by", llabs(off), STR("neph sync"));
    finding_evidence_ns(d, f, "give or take", bound, STR("neph sync"));
}

/* The least by which the clock's rate is certainly off, with its sign; 0: it need not be. */
static double least_ppm(const struct sync_clock *c)
{
    const struct sync_knot *a = c->knots, *b = c->nknots ? &c->knots[c->nknots - 1] : NULL;

    if (c->nknots < 2 || b->local <= a->local || a->lo == NS_MIN || a->hi == NS_MAX ||
        b->lo == NS_MIN || b->hi == NS_MAX)
        return 0;
    double took = (double)(b->local - a->local);
    double least = ((double)(b->lo - a->hi) - took) / took * 1e6;
    double most = ((double)(b->hi - a->lo) - took) / took * 1e6;

    return least > 0 ? least : most < 0 ? most : 0;
}

static void find_fast(const struct rule *r, struct diagnosis *d, uint32_t h,
                      const struct host_clock *c)
{
    double ppm = least_ppm(&c->c);
    struct store_coverage cov;

    if (fabs(ppm) < rule_limit(d, r, MIN_RATE) || has_pieces(d->src->clocks, h))
        return;
    store_coverage(d->src->hosts[h], &cov);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);
    f->title =
        finding_text(d, "the clock of %s runs at least %.0f ppm too %s: no NTP corrects that",
                     c->host, fabs(ppm), ppm > 0 ? "slow" : "fast");
    host_finding(d, f, h, cov.t0, cov.t1);
    finding_evidence(f, "rate, at least", finding_text(d, "%.1f", ppm), "ppm", STR("neph sync"));
}

/* Nothing bounds it: who relies on the order of what happened on two hosts can't. */
static void find_unbounded(const struct rule *r, struct diagnosis *d, uint32_t h,
                           const struct host_clock *c)
{
    struct store_coverage cov;

    store_coverage(d->src->hosts[h], &cov);
    struct finding *f = finding_add(d, r, SEVERITY_INFO);
    f->title = finding_text(d, "the clock of %s can't be compared with that of %s", c->host,
                            d->src->clocks->at[d->src->clocks->reference].host);
    host_finding(d, f, h, cov.t0, cov.t1);
    finding_evidence(f, "quality", str_of(clocks_quality(c)), "", STR("neph sync"));
    finding_unknown(f, STR("what happened first, there or on other hosts"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    const struct clocks *c = d->src->clocks;

    for (uint32_t h = 0; c && d->src->nhosts > 1 && h < c->nhosts; h++) {
        if (c->at[h].c.quality == SYNC_NONE || c->at[h].c.quality == SYNC_ONE_WAY)
            find_unbounded(r, d, h, &c->at[h]);
        if (h == c->reference || c->at[h].c.quality != SYNC_EXACT)
            continue;
        find_step(r, d, h, &c->at[h]);
        find_far(r, d, h, &c->at[h]);
        find_fast(r, d, h, &c->at[h]);
    }
}

const struct rule rule_clock_trouble = {
    .name = "clock-trouble",
    .title = "a host's clock was set, or is far from the others'",
    .doc = "Messages between hosts bound their clocks against each other. A clock whose bounds "
           "before and after an instant exclude each other, whatever rate NTP may have given it, "
           "was set. One that is a second off, or faster than NTP can correct, has no NTP: that is "
           "info, since all that is shown here is corrected. OpenStack's services compare times of "
           "different hosts (heartbeats, tokens), and fail when they are far apart.",
    .remedy = "look at chronyd or ntpd of that host (chronyc tracking); let it step at boot only",
    .needs = "traces of two hosts with messages between them in both directions (neph sync)",
    .layer = LAYER_CLOCK,
    .stage = STAGE_TRACE,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
