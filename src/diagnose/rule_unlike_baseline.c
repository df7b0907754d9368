/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_unlike_baseline.c -- something takes longer, waits more, than it did on good days. */
#include "diagnose/rule.h"
#include "report/baseline.h"
#include "report/measure.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_TIMES, MIN_Z, MIN_LONGER, MIN_SHARE, MIN_VALUES, MIN_NEW };
static const struct limit limits[] = {
    [MIN_TIMES] = { "min-times", 2, "times the baseline's median",
                    "less is what load and time of day do" },
    [MIN_Z] = { "min-z", 6, "robust standard deviations",
                "of 1000 figures that are normal, none is so far out by chance" },
    [MIN_LONGER] = { "min-longer", 0.001, "s longer", "less is not noticed" },
    [MIN_SHARE] = { "min-share", 0.1, "more of the time, or of a CPU",
                    "several times next to nothing is next to nothing" },
    [MIN_VALUES] = { "min-values", 30, "values in the baseline",
                     "with fewer it is info: what is normal is hardly known" },
    [MIN_NEW] = { "min-new", 3, "values now",
                  "with fewer it is info: one that is slow may be chance" },
};

/* Is the difference one that anybody would notice? */
static bool matters(const struct rule *r, const struct diagnosis *d, const struct unlike *u)
{
    double more = figure_quantile(u->now, 0.5) - figure_quantile(u->was, 0.5);

    return str_is(u->was->unit, "ns") ? more >= (double)rule_limit_ns(d, r, MIN_LONGER)
                                      : more >= rule_limit(d, r, MIN_SHARE);
}

/* Beyond what it usually is, and beyond nearly all that was ever normal. */
static bool is_worse(const struct rule *r, const struct diagnosis *d, const struct unlike *u)
{
    return u->was && u->now && !u->noise && u->was->more_is_worse &&
           (u->times >= rule_limit(d, r, MIN_TIMES) || isnan(u->times)) &&
           u->z >= rule_limit(d, r, MIN_Z) && matters(r, d, u) &&
           figure_quantile(u->now, 0.5) > figure_quantile(u->was, 0.95);
}

static bool is_certain(const struct rule *r, const struct diagnosis *d, const struct unlike *u)
{
    return (double)u->was->n >= rule_limit(d, r, MIN_VALUES) &&
           (double)u->now->n >= rule_limit(d, r, MIN_NEW);
}

static void put_evidence(const struct diagnosis *d, struct finding *f, const struct unlike *u)
{
    struct sbuf was = { 0 }, p95 = { 0 }, now = { 0 };

    figure_value(u->was, figure_quantile(u->was, 0.5), &was);
    figure_value(u->was, figure_quantile(u->was, 0.95), &p95);
    figure_value(u->now, figure_quantile(u->now, 0.5), &now);
    finding_evidence(
        f, u->was->what.p,
        finding_text(
            d, "%s (median of %llu), in the baseline %s, 95 %% of %llu up to %s: robust z %.1f",
            now.p, (unsigned long long)u->now->n, was.p, (unsigned long long)u->was->n, p95.p,
            u->z),
        "", STR("neph compare --baseline"));
    sbuf_free(&was);
    sbuf_free(&p95);
    sbuf_free(&now);
}

static bool same(const struct finding *f, const struct rule *r, const struct figure *x)
{
    return f->rule == r && f->subjects.n && strcmp(f->subjects.at[0].kind, x->kind.p) == 0 &&
           str_eq(f->subjects.at[0].name, x->of);
}

/* Operations are of services, migrations of QEMU; all else is what the kernel saw. */
static enum layer layer_of(const struct figure *x)
{
    return str_is(x->kind, "operation")   ? LAYER_APPLICATION
           : str_is(x->kind, "migration") ? LAYER_VIRTUALISATION
                                          : LAYER_KERNEL;
}

/* The finding about that thing: there may be one of another of its figures. */
static struct finding *finding_of(const struct rule *r, struct diagnosis *d, const struct unlike *u)
{
    struct sbuf was = { 0 }, now = { 0 };

    for (size_t i = 0; i < d->list.n; i++)
        if (same(&d->list.at[i], r, u->was))
            return &d->list.at[i];
    struct finding *f = finding_add(d, r, SEVERITY_INFO);
    f->layer = layer_of(u->was);
    figure_value(u->was, figure_quantile(u->was, 0.5), &was);
    figure_value(u->now, figure_quantile(u->now, 0.5), &now);
    f->title = finding_text(d, "%s " STR_FMT ": %s is %s, and was %s in the baseline",
                            u->was->kind.p, STR_ARG(u->was->of), u->was->what.p, now.p, was.p);
    finding_subject(f, u->was->kind.p, u->was->of);
    finding_host(f, u->was->host);
    uint32_t host = u->was->host.n ? src_host_named(d->src, u->was->host.p) : UINT32_MAX;
    if (host != UINT32_MAX) {
        struct span seen = measure_within(d->src, host, d->src->span);

        f->t0 = seen.t0;
        f->t1 = seen.t1;
    }
    sbuf_free(&was);
    sbuf_free(&now);
    return f;
}

static void found(const struct rule *r, struct diagnosis *d, const struct unlike *u)
{
    struct finding *f = finding_of(r, d, u);
    double more = figure_quantile(u->now, 0.5) - figure_quantile(u->was, 0.5);

    put_evidence(d, f, u);
    if (is_certain(r, d, u))
        f->severity = SEVERITY_WARNING;
    else
        finding_unknown(f, finding_text(d,
                                        "whether %s is really unlike: %llu values in the baseline "
                                        "and %llu here are few; save more good days",
                                        u->was->what.p, (unsigned long long)u->was->n,
                                        (unsigned long long)u->now->n));
    /* What all of them took longer. */
    if (str_is(u->was->unit, "ns") && f->cost_ns == STORE_NULL &&
        more * (double)u->now->n < (double)(NS_MAX / 2))
        f->cost_ns = (ns_t)(more * (double)u->now->n);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct baseline now;
    unlike_vec all = { 0 };

    if (!d->baseline)
        return;
    baseline_measure(d->src, d->w, d->migrations, &now);
    baseline_compare(d->baseline, &now, &all);
    for (size_t i = 0; i < all.n; i++)
        if (is_worse(r, d, &all.at[i]))
            found(r, d, &all.at[i]);
    vec_free(&all);
    baseline_free(&now);
}

const struct rule rule_unlike_baseline = {
    .name = "unlike-baseline",
    .title = "something is slower, or waits more, than on good days",
    .doc = "With --baseline: the median of an operation's durations, of a disk's latencies, of the "
           "share of their time that an instance or a host waits for CPUs, of the time in "
           "interrupts, or of migrations and their downtimes is above that of the baseline, by "
           "several times, by several robust standard deviations (1.4826 MAD, at least 5 %), and "
           "above 95 % of all that was normal. Rates and use of CPUs are compared by `neph "
           "compare`, but more of them is not worse.",
    .remedy = "look at what else was found of the same time: this tells that it is unlike, not why",
    .needs = "a baseline (neph baseline save), and the layers that it was made of",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_OPERATION,
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
