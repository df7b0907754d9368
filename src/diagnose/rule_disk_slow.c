/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_disk_slow.c -- a device that is slow by itself, not because much waits for it.
 *
 * Two measures do not grow with the load.  One is the median time that the device has a small
 * random read or write that found it empty.  The other is the time that it was busy for each small
 * request's worth of work (disk_weight): of a device that does many at once it even falls with the
 * load.  Both are of the time from issue to completion, and by slice of time: a device is compared
 * with itself at other times, with its like on other hosts, and with what any needs.  Flushes and
 * discards are not in it: what they take depends on what was written before. */
#include "diagnose/disks.h"
#include "diagnose/rule.h"
#include "diagnose/slices.h"
#include "report/measure.h"

#include <stdlib.h>

enum { MIN_SLOWER, MIN_SERVICE, MIN_RANDOM, NORMAL_MOST, MIN_SLICES, MIN_SECONDS, MIN_ERRORS };
static const struct limit limits[] = {
    [MIN_SLOWER] = { "min-slower", 3, "times",
                     "as long as at other times or as its like; less is what wear, caches and "
                     "zones of a disk make" },
    [MIN_SERVICE] = { "min-service", 0.008, "s",
                      "a request's worth of work; a spinning disk at its normal speed may need "
                      "less of it for one access pattern than for another" },
    [MIN_RANDOM] = { "min-random", 0.002, "s",
                     "a small random request to an empty device; below, nobody notices" },
    [NORMAL_MOST] = { "normal-most", 0.03, "s",
                      "a spinning disk seeks for 15 ms and turns in 11 at most" },
    [MIN_SLICES] = { "min-slices", 4, "slices",
                     "one after the other; a hiccup or two are not a slow disk" },
    [MIN_SECONDS] = { "min-seconds", 1.5, "s", "the same; virtual disks pause for as long as one" },
    [MIN_ERRORS] = { "min-errors", 1, "requests", "a disk that works has none" },
};

enum {
    SERVICE, /* busy time by work */
    RANDOM_READ,
    RANDOM_WRITE,
    SERIES,
    SAMPLES_LEAST = 2, /* of a slice: a slow disk completes few */
    SMALL_BYTES = 64 << 10,
    FEW_BEFORE = 1, /* requests: the device was as good as empty */
    SLICES_LEAST = 8,
    PEERS_LEAST = 2
};
static const ns_t slice_least = 100000000;
#define SAMPLES_WANTED 5 /* of a slice, on average */
static const char *const series_names[SERIES] = { "time of the device by request",
                                                  "a small random read takes",
                                                  "a small random write takes" };

struct took {
    size_t slice;
    ns_t ns;
};

/* What a device takes: by slice, STORE_NULL where too little was done. */
struct service {
    const struct disk *disk;
    struct slices slices;
    ns_t *of[SERIES];
    ns_t whole[SERIES]; /* median of the slices; STORE_NULL */
    ns_t best[SERIES];  /* what a quarter of the slices does not exceed */
    ns_t flush;         /* median of flushes, STORE_NULL: there are none */
    uint64_t errors, requests;
};
struct services {
    VEC(struct service) at;
};

static int by_slice(const void *a, const void *b)
{
    const struct took *x = a, *y = b;

    if (x->slice != y->slice)
        return x->slice < y->slice ? -1 : 1;
    return (x->ns > y->ns) - (x->ns < y->ns);
}

static int by_ns(const void *a, const void *b)
{
    const ns_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The value at 'part' of those that there are. */
static ns_t at_part(const ns_t *of, size_t n, double part)
{
    ns_t *sorted = xcalloc(n + 1, sizeof *sorted), value = STORE_NULL;
    size_t m = 0;

    for (size_t i = 0; i < n; i++)
        if (of[i] != STORE_NULL)
            sorted[m++] = of[i];
    if (m > 0) {
        qsort(sorted, m, sizeof *sorted, by_ns);
        value = sorted[(size_t)((double)(m - 1) * part)];
    }
    free(sorted);
    return value;
}

/* --- the measures ------------------------------------------------------------------------- */

static bool counts(const struct disk_request *q)
{
    return q->op <= DISK_WRITE && q->issued != STORE_NULL && !q->open && q->t1 > q->issued;
}

static void medians(const struct service *s, enum disk_op op, ns_t *of)
{
    VEC(struct took) all = { 0 };

    for (size_t i = 0; i < s->disk->at.n; i++) {
        const struct disk_request *q = &s->disk->at.at[i];

        if (counts(q) && q->op == op && !q->sequential && q->bytes <= SMALL_BYTES &&
            q->depth <= FEW_BEFORE)
            *vec_push(&all) = (struct took){ slice_at(&s->slices, q->issued), q->t1 - q->issued };
    }
    if (all.n)
        qsort(all.at, all.n, sizeof *all.at, by_slice);
    for (size_t i = 0, n; i < all.n; i += n) {
        for (n = 1; i + n < all.n && all.at[i + n].slice == all.at[i].slice;)
            n++;
        if (n >= SAMPLES_LEAST)
            of[all.at[i].slice] = all.at[i + n / 2].ns;
    }
    vec_free(&all);
}

static int by_issue(const void *a, const void *b)
{
    const struct took *x = a, *y = b; /* the request, and when it was issued */

    return x->ns != y->ns ? (x->ns > y->ns) - (x->ns < y->ns)
                          : (x->slice > y->slice) - (x->slice < y->slice);
}

static void busy_by_work(const struct service *s, ns_t *of)
{
    const struct disk_request *at = s->disk->at.at;
    ns_t *busy = xcalloc(s->slices.n + 1, sizeof *busy), until = NS_MIN;
    double *work = xcalloc(s->slices.n + 1, sizeof *work);
    uint32_t *done = xcalloc(s->slices.n + 1, sizeof *done);
    VEC(struct took) order = { 0 };

    for (size_t i = 0; i < s->disk->at.n; i++)
        if (counts(&at[i]))
            *vec_push(&order) = (struct took){ i, at[i].issued };
    if (order.n)
        qsort(order.at, order.n, sizeof *order.at, by_issue);
    for (size_t i = 0; i < order.n; i++) {
        const struct disk_request *q = &at[order.at[i].slice];

        slices_add(&s->slices, busy, q->issued > until ? q->issued : until, q->t1);
        until = q->t1 > until ? q->t1 : until;
        work[slice_at(&s->slices, q->t1)] += disk_weight(q);
        done[slice_at(&s->slices, q->t1)]++;
    }
    for (size_t i = 0; i < s->slices.n; i++)
        if (done[i] >= SAMPLES_LEAST)
            of[i] = (ns_t)((double)busy[i] / work[i]);
    vec_free(&order);
    free(done);
    free(work);
    free(busy);
}

static ns_t median_flush(const struct disk *disk)
{
    VEC(ns_t) all = { 0 };

    for (size_t i = 0; i < disk->at.n; i++)
        if (disk->at.at[i].op == DISK_FLUSH && !disk->at.at[i].open)
            *vec_push(&all) = disk->at.at[i].t1 - disk->at.at[i].t0;
    ns_t m = at_part(all.at, all.n, 0.5);
    vec_free(&all);
    return m;
}

static void measure(const struct diagnosis *d, const struct disk *disk, struct services *to)
{
    struct span seen = measure_within(d->src, disk->host, d->src->span);
    ns_t wanted = (seen.t1 - seen.t0) / (ns_t)(disk->at.n / SAMPLES_WANTED + 1);
    struct service s = { .disk = disk,
                         .slices = slices_of(d, disk->host,
                                             wanted > slice_least ? wanted : slice_least) };

    for (size_t k = 0; k < SERIES; k++) {
        s.of[k] = xcalloc(s.slices.n + 1, sizeof *s.of[k]);
        for (size_t i = 0; i < s.slices.n; i++)
            s.of[k][i] = STORE_NULL;
    }
    if (s.slices.n) {
        busy_by_work(&s, s.of[SERVICE]);
        medians(&s, DISK_READ, s.of[RANDOM_READ]);
        medians(&s, DISK_WRITE, s.of[RANDOM_WRITE]);
    }
    for (size_t k = 0; k < SERIES; k++) {
        s.whole[k] = at_part(s.of[k], s.slices.n, 0.5);
        s.best[k] = at_part(s.of[k], s.slices.n, 0.25);
    }
    s.flush = median_flush(disk);
    for (size_t i = 0; i < disk->at.n; i++) {
        s.errors += disk->at.at[i].failed;
        s.requests++;
    }
    *vec_push(&to->at) = s;
}

/* --- slow against what -------------------------------------------------------------------- */

enum against { NOT_SLOW, AGAINST_ITSELF, AGAINST_PEERS, AGAINST_ANY, FAILS };

struct verdict {
    enum against against;
    size_t series;
    ns_t value, normal; /* of the measure */
    struct slices_found when;
};

static ns_t floor_of(const struct rule *r, const struct diagnosis *d, size_t series)
{
    return rule_limit_ns(d, r, series == SERVICE ? MIN_SERVICE : MIN_RANDOM);
}

static struct slices_found slow_run(const struct service *s, size_t series, ns_t least)
{
    bool *holds = xcalloc(s->slices.n + 1, sizeof *holds);
    bool *known = xcalloc(s->slices.n + 1, sizeof *known);

    for (size_t i = 0; i < s->slices.n; i++) {
        known[i] = s->of[series][i] != STORE_NULL;
        holds[i] = known[i] && s->of[series][i] >= least;
    }
    struct slices_found f = slices_run(&s->slices, holds, known);
    free(known);
    free(holds);
    return f;
}

static size_t measured(const struct service *s, size_t series)
{
    size_t n = 0;

    for (size_t i = 0; i < s->slices.n; i++)
        n += s->of[series][i] != STORE_NULL;
    return n;
}

/* The median of the slices in the run, or of the others. */
static ns_t median_of(const struct service *s, size_t series, const struct slices_found *run,
                      bool inside)
{
    ns_t *of = xcalloc(s->slices.n + 1, sizeof *of), m;

    for (size_t i = 0; i < s->slices.n; i++) {
        ns_t t0 = s->slices.t0 + (ns_t)i * s->slices.len;

        of[i] = (t0 >= run->t0 && t0 < run->t1) == inside ? s->of[series][i] : STORE_NULL;
    }
    m = at_part(of, s->slices.n, 0.5);
    free(of);
    return m;
}

static ns_t times(ns_t ns, double factor)
{
    return (ns_t)((double)ns * factor);
}

static bool against(const struct rule *r, const struct diagnosis *d, const struct service *s,
                    size_t series, ns_t normal, ns_t least, struct verdict *v)
{
    struct slices_found f = slow_run(s, series, least);

    if ((double)f.n < rule_limit(d, r, MIN_SLICES) || f.ns < rule_limit_ns(d, r, MIN_SECONDS))
        return false;
    v->series = series;
    v->normal = normal;
    v->when = f;
    v->value = median_of(s, series, &f, true);
    return v->value >= least;
}

static bool against_itself(const struct rule *r, const struct diagnosis *d, const struct service *s,
                           size_t series, struct verdict *v)
{
    double slower = rule_limit(d, r, MIN_SLOWER);
    ns_t least = floor_of(r, d, series);

    if (s->best[series] == STORE_NULL || measured(s, series) < SLICES_LEAST)
        return false;
    if (times(s->best[series], slower) > least)
        least = times(s->best[series], slower);
    if (!against(r, d, s, series, s->best[series], least, v))
        return false;
    v->normal = median_of(s, series, &v->when, false);
    return v->normal != STORE_NULL && v->value >= times(v->normal, slower);
}

/* The median of devices of that name on other hosts: hosts of a cloud are mostly alike. */
static ns_t peers_of(const struct services *all, const struct service *s, size_t series)
{
    ns_t *of = xcalloc(all->at.n + 1, sizeof *of), m;
    size_t n = 0;

    for (size_t i = 0; i < all->at.n; i++) {
        const struct service *o = &all->at.at[i];

        if (o->disk->host != s->disk->host && str_eq(o->disk->name, s->disk->name) &&
            o->whole[series] != STORE_NULL)
            of[n++] = o->whole[series];
    }
    m = n >= PEERS_LEAST ? at_part(of, n, 0.5) : STORE_NULL;
    free(of);
    return m;
}

static struct verdict judge(const struct rule *r, const struct diagnosis *d,
                            const struct services *all, const struct service *s)
{
    double slower = rule_limit(d, r, MIN_SLOWER);
    ns_t most = rule_limit_ns(d, r, NORMAL_MOST);
    struct verdict v = { .normal = STORE_NULL, .value = STORE_NULL };

    for (size_t k = 0; k < SERIES && !v.against; k++) {
        ns_t least = floor_of(r, d, k), peers = peers_of(all, s, k);

        if (against_itself(r, d, s, k, &v))
            v.against = AGAINST_ITSELF;
        else if (peers != STORE_NULL && s->whole[k] >= times(peers, slower) &&
                 against(r, d, s, k, peers,
                         times(peers, slower) > least ? times(peers, slower) : least, &v))
            v.against = AGAINST_PEERS;
        else if (against(r, d, s, k, most, most, &v))
            v.against = AGAINST_ANY;
    }
    if (!v.against && s->errors > 0 && (double)s->errors >= rule_limit(d, r, MIN_ERRORS))
        v.against = FAILS;
    return v;
}

/* --- the finding -------------------------------------------------------------------------- */

static struct str title(const struct diagnosis *d, const struct service *s, const struct verdict *v,
                        const char *host)
{
    static const char *const than[] = { [AGAINST_ITSELF] = "as it needs at other times",
                                        [AGAINST_PEERS] = "as its like on other hosts",
                                        [AGAINST_ANY] = "as a disk needs at most" };

    if (v->against == FAILS)
        return finding_text(d, "disk " STR_FMT " on %s fails: %llu of %llu requests ended in error",
                            STR_ARG(s->disk->name), host, (unsigned long long)s->errors,
                            (unsigned long long)s->requests);
    return finding_text(d, "disk " STR_FMT " on %s is slow by itself: %.1f times as long %s",
                        STR_ARG(s->disk->name), host, (double)v->value / (double)v->normal,
                        than[v->against]);
}

/* Who waited for the device while it was slow, the longest first: a few. */
static void add_subjects(const struct diagnosis *d, struct finding *f, const struct service *s,
                         const struct verdict *v)
{
    enum { SHOWN = 6 };
    ns_t *waited = xcalloc(d->w->owners.n + 1, sizeof *waited);

    for (size_t i = 0; i < s->disk->at.n; i++) {
        const struct disk_request *q = &s->disk->at.at[i];

        if (q->owner != DISK_NOBODY && !q->is_kernel &&
            (v->against == FAILS ? q->failed : q->t1 >= v->when.t0 && q->t0 <= v->when.t1))
            waited[q->owner] += q->t1 - q->t0;
    }
    for (size_t n = 0; n < SHOWN; n++) {
        size_t most = 0;

        for (size_t i = 0; i < d->w->owners.n; i++)
            most = waited[i] > waited[most] ? i : most;
        if (waited[most] == 0)
            break;
        finding_subject_lost(f, who_kind_name(d->w->owners.at[most].kind),
                             d->w->owners.at[most].name, waited[most]);
        waited[most] = 0;
    }
    free(waited);
}

/* Time beyond what is normal, of the time that the device was busy. */
static ns_t cost_of(const struct service *s, const struct verdict *v)
{
    ns_t cost = 0;

    for (size_t i = 0; v->against != FAILS && i < s->disk->at.n; i++) {
        const struct disk_request *q = &s->disk->at.at[i];

        if (counts(q) && q->t1 >= v->when.t0 && q->issued <= v->when.t1)
            cost += times(q->t1 - q->issued, 1 - (double)v->normal / (double)v->value);
    }
    return cost < v->when.ns ? cost : v->when.ns;
}

static void found(const struct rule *r, struct diagnosis *d, const struct service *s,
                  const struct verdict *v)
{
    const char *host = whos_host(d->w, s->disk->host);
    struct str where = finding_text(d, "neph top io --host %s", host);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = title(d, s, v, host);
    f->t0 = v->against == FAILS ? s->slices.t0 : v->when.t0;
    f->t1 = v->against == FAILS ? s->slices.t1 : v->when.t1;
    finding_host(f, str_of(host));
    finding_subject(f, "disk", s->disk->name);
    finding_culprit(f, "disk", s->disk->name);
    add_subjects(d, f, s, v);
    if (v->against != FAILS) {
        f->cost_ns = cost_of(s, v);
        finding_evidence_ns(d, f, series_names[v->series], v->value, where);
        finding_evidence_ns(d, f,
                            v->against == AGAINST_ITSELF  ? "at other times"
                            : v->against == AGAINST_PEERS ? "on other hosts"
                                                          : "a disk needs at most",
                            v->normal, where);
        finding_evidence_ns(d, f, "slow for", v->when.ns, where);
    }
    if (s->flush != STORE_NULL)
        finding_evidence_ns(d, f, "a flush takes", s->flush, where);
    if (s->errors)
        finding_evidence(f, "requests that ended in error",
                         finding_text(d, "%llu of %llu", (unsigned long long)s->errors,
                                      (unsigned long long)s->requests),
                         "", where);
    finding_unknown(f, STR("why the device is slow: the kernel's log, smartctl and, behind a "
                           "network, the storage's own figures tell"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct disks all = { 0 };
    struct services s = { 0 };

    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        if (measure_had(d->src->hosts[h], EV_BLOCK_COMPLETE) &&
            !measure_had(d->src->hosts[h], EV_BLOCK_ISSUE))
            finding_blind(d,
                          finding_text(d,
                                       "%s: when disks got their requests was not traced: a slow "
                                       "disk can't be told from a queue before it (lttng "
                                       "enable-event -k block_rq_issue)",
                                       whos_host(d->w, h)));
        disks_read(d, h, &all);
    }
    for (size_t i = 0; i < all.at.n; i++)
        measure(d, &all.at.at[i], &s);
    for (size_t i = 0; i < s.at.n; i++) {
        struct verdict v = judge(r, d, &s, &s.at.at[i]);

        if (v.against)
            found(r, d, &s.at.at[i], &v);
    }
    for (size_t i = 0; i < s.at.n; i++)
        for (size_t k = 0; k < SERIES; k++)
            free(s.at.at[i].of[k]);
    vec_free(&s.at);
    disks_free(&all);
}

const struct rule rule_disk_slow = {
    .name = "disk-slow",
    .title = "a disk is slow by itself",
    .doc = "From issue to completion, where no queue can be the reason: the time that a device is "
           "busy for each request's worth of work, and the median of small random reads and "
           "writes that find it empty. It is compared with a good quarter of the device's own "
           "time, with devices of that name on other hosts (two or more), and with what any disk "
           "needs. Reads and writes that end in error, but for those that the device does not "
           "know, are a finding of their own. Flushes and discards are shown, and not judged.",
    .remedy = "look at the device (kernel log, smartctl, the RAID's rebuild, the storage network) "
              "and move what needs it; if it is a volume, at its back end",
    .needs = "the host's kernel: block_rq_issue, block_rq_complete",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_RESOURCE,
    .slows = true,
    .find = find,
};
