/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_disk_contended.c -- requests of one wait for those of others at the same device.
 *
 * A sweep over the begins and ends of the requests of a device knows at any time of what share
 * each owner's are of all in flight.  S(o) is the integral of that share over time: what of the
 * time between two instants was o's is the difference of S(o) there.  So each request knows how
 * much of its time was others', and each busy time of an owner whose that was. */
#include "diagnose/disks.h"
#include "diagnose/rule.h"
#include "report/measure.h"

#include <stdlib.h>

enum { MIN_LOST, MIN_OF_TRACE, MIN_SLOWER, MIN_OTHERS };
static const struct limit limits[] = {
    [MIN_LOST] = { "min-lost", 0.1, "s", "less is not felt" },
    [MIN_OF_TRACE] = { "min-of-trace", 0.1, "of the trace",
                       "what costs a tenth of the time is worth moving a disk for" },
    [MIN_SLOWER] = { "min-slower", 2, "times",
                     "as long as alone; less is what seeks and caches make of equal requests" },
    [MIN_OTHERS] = { "min-others", 0.5, "of what is in flight",
                     "below, it waits mostly for its own requests" },
};

enum {
    OWNERS = 64,      /* the last stands for all others */
    SAMPLES_LEAST = 8 /* of a median */
};
#define QUEUED 0.5
#define ALONE 0.05 /* less of a request's time than that was others' */

struct edge {
    ns_t t;
    uint32_t request;
    bool ends;
};

struct user {
    uint32_t owner;
    uint32_t in_flight;
    bool is_kernel;
    double weight;
    double s;            /* S: see above, ns */
    double snap[OWNERS]; /* all S when its busy time began */
    double of[OWNERS];   /* of its busy time, whose that was */
    ns_t busy, busy_since;
    double latency, expected; /* sums over its requests that met others' */
    double queued;            /* of that latency: before the device got them */
    double lost, total;       /* of request time: to others; all */
    bool by_quartile;         /* nothing better than the device's fast requests to compare with */
    ns_t lost_ns;
};

struct contention {
    const struct diagnosis *d;
    const struct disk *disk;
    size_t n;
    struct user users[OWNERS];
    uint32_t *user_of; /* each request's */
    double *others;    /* each request's time that was others' */
};

/* --- the sweep --------------------------------------------------------------------------- */

static uint32_t user_at(struct contention *c, uint32_t owner)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->users[i].owner == owner)
            return i;
    if (c->n == OWNERS) {
        c->users[OWNERS - 1].owner = DISK_NOBODY;
        return OWNERS - 1;
    }
    c->users[c->n] = (struct user){ .owner = owner };
    return (uint32_t)c->n++;
}

/* At one instant ends come first: whose request ends there does not meet one that begins. */
static int by_time(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;

    if (x->t != y->t)
        return x->t < y->t ? -1 : 1;
    if (x->ends != y->ends)
        return x->ends ? -1 : 1;
    return (x->request > y->request) - (x->request < y->request);
}

static void begin(struct contention *c, const struct edge *e, double *weight)
{
    struct user *u = &c->users[c->user_of[e->request]];
    double w = disk_weight(&c->disk->at.at[e->request]);

    if (u->in_flight++ == 0) {
        u->busy_since = e->t;
        for (size_t i = 0; i < c->n; i++)
            u->snap[i] = c->users[i].s;
    }
    u->weight += w;
    *weight += w;
    c->others[e->request] = u->s;
}

static void end(struct contention *c, const struct edge *e, double *weight)
{
    const struct disk_request *q = &c->disk->at.at[e->request];
    struct user *u = &c->users[c->user_of[e->request]];
    double w = disk_weight(q), others = (double)(q->t1 - q->t0) - (u->s - c->others[e->request]);

    c->others[e->request] = others > 0 ? others : 0;
    u->weight -= w;
    *weight -= w;
    if (--u->in_flight > 0)
        return;
    u->weight = 0; /* what rounding left */
    u->busy += e->t - u->busy_since;
    for (size_t i = 0; i < c->n; i++)
        u->of[i] += c->users[i].s - u->snap[i];
}

static void sweep(struct contention *c)
{
    size_t n = c->disk->at.n;
    struct edge *edges = xcalloc(2 * n + 1, sizeof *edges);
    double weight = 0;

    for (size_t i = 0; i < n; i++) {
        const struct disk_request *q = &c->disk->at.at[i];

        c->user_of[i] = user_at(c, q->owner);
        c->users[c->user_of[i]].is_kernel = q->is_kernel;
        edges[2 * i] = (struct edge){ q->t0, (uint32_t)i, false };
        edges[2 * i + 1] = (struct edge){ q->t1, (uint32_t)i, true };
    }
    qsort(edges, 2 * n, sizeof *edges, by_time);
    for (size_t i = 0; i < 2 * n; i++) {
        for (size_t k = 0; i > 0 && k < c->n; k++)
            if (c->users[k].in_flight)
                c->users[k].s +=
                    (double)(edges[i].t - edges[i - 1].t) * c->users[k].weight / weight;
        (edges[i].ends ? end : begin)(c, &edges[i], &weight);
    }
    free(edges);
}

/* --- what requests take when nobody else is there ---------------------------------------- */

struct sample {
    uint64_t key; /* of those that are compared with each other */
    ns_t took;
};
struct samples {
    VEC(struct sample) at;
};

static int by_key(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;

    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->took > y->took) - (x->took < y->took);
}

/* The value at 'part' of those with that key; STORE_NULL: there are too few. */
static ns_t at_part(const struct samples *s, uint64_t key, double part)
{
    size_t lo = 0, hi = s->at.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->at.at[mid].key < key)
            lo = mid + 1;
        else
            hi = mid;
    }
    size_t first = lo, n = 0;
    for (hi = s->at.n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;

        if (s->at.at[mid].key <= key)
            lo = mid + 1;
        else
            hi = mid;
    }
    n = lo - first;
    return n < SAMPLES_LEAST ? STORE_NULL : s->at.at[first + (size_t)((double)(n - 1) * part)].took;
}

/* For the class: of an owner alone; of anyone with nothing before it; of all. */
enum basis { OWN_ALONE, FIRST_IN_LINE, ANY };

static uint64_t key_of(enum basis b, uint32_t user, uint32_t class)
{
    return ((uint64_t)b << 40) | ((uint64_t)(b == OWN_ALONE ? user : 0) << 8) | class;
}

static void collect(const struct contention *c, struct samples *s)
{
    for (size_t i = 0; i < c->disk->at.n; i++) {
        const struct disk_request *q = &c->disk->at.at[i];
        ns_t took = q->t1 - q->t0;
        uint32_t class = disk_class(q);

        if (q->open)
            continue;
        if (c->others[i] <= ALONE * (double)took)
            *vec_push(&s->at) = (struct sample){ key_of(OWN_ALONE, c->user_of[i], class), took };
        if (q->depth == 0)
            *vec_push(&s->at) = (struct sample){ key_of(FIRST_IN_LINE, 0, class), took };
        *vec_push(&s->at) = (struct sample){ key_of(ANY, 0, class), took };
    }
    if (s->at.n)
        qsort(s->at.at, s->at.n, sizeof *s->at.at, by_key);
}

static void weigh(struct contention *c)
{
    struct samples s = { 0 };

    collect(c, &s);
    for (size_t i = 0; i < c->disk->at.n; i++) {
        const struct disk_request *q = &c->disk->at.at[i];
        struct user *u = &c->users[c->user_of[i]];
        double took = (double)(q->t1 - q->t0);
        uint32_t class = disk_class(q);
        ns_t base = at_part(&s, key_of(OWN_ALONE, c->user_of[i], class), 0.5);

        u->total += took;
        if (c->others[i] <= ALONE * took)
            continue;
        if (base == STORE_NULL)
            base = at_part(&s, key_of(FIRST_IN_LINE, 0, class), 0.5);
        if (base == STORE_NULL) {
            u->by_quartile = true;
            base = at_part(&s, key_of(ANY, 0, class), 0.25);
        }
        if (base == STORE_NULL)
            continue;
        u->latency += took;
        u->queued += q->issued == STORE_NULL ? 0 : (double)(q->issued - q->t0);
        u->expected += (double)base < took ? (double)base : took;
        if (took > (double)base)
            u->lost += (took - (double)base) * c->others[i] / took;
    }
    for (size_t i = 0; i < c->n; i++)
        if (c->users[i].total > 0)
            c->users[i].lost_ns =
                (ns_t)(c->users[i].lost / c->users[i].total * (double)c->users[i].busy);
    vec_free(&s.at);
}

/* --- the finding ------------------------------------------------------------------------- */

static double others_share(const struct contention *c, size_t v)
{
    const struct user *u = &c->users[v];

    return u->busy > 0 ? 1 - u->of[v] / (double)u->busy : 0;
}

static bool is_victim(const struct rule *r, const struct contention *c, size_t v)
{
    struct span seen = measure_within(c->d->src, c->disk->host, c->d->src->span);
    const struct user *u = &c->users[v];
    return u->owner != DISK_NOBODY && u->expected > 0 &&
           !u->is_kernel && /* it writes for others, who go on meanwhile */
           u->lost_ns >= rule_limit_ns(c->d, r, MIN_LOST) &&
           (double)u->lost_ns >= rule_limit(c->d, r, MIN_OF_TRACE) * (double)(seen.t1 - seen.t0) &&
           u->latency >= rule_limit(c->d, r, MIN_SLOWER) * u->expected &&
           /* The fast quarter is faster than the rest also where nobody is in the way; but none
            * waits before a device that has room. */
           (!u->by_quartile || u->queued >= QUEUED * u->latency) &&
           others_share(c, v) >= rule_limit(c->d, r, MIN_OTHERS);
}

struct share {
    size_t user;
    double of;
};

static int by_share(const void *a, const void *b)
{
    const struct share *x = a, *y = b;

    return x->of != y->of ? (x->of > y->of ? -1 : 1) : (x->user > y->user) - (x->user < y->user);
}

static void add_culprits(struct finding *f, const struct contention *c, const bool *victims,
                         struct str where)
{
    struct share all[OWNERS] = { 0 };
    double sum = 0;

    for (size_t o = 0; o < c->n; o++) {
        all[o].user = o;
        for (size_t v = 0; v < c->n; v++)
            if (victims[v] && v != o && c->users[v].busy > 0)
                all[o].of +=
                    c->users[v].of[o] / (double)c->users[v].busy * (double)c->users[v].lost_ns;
        sum += all[o].of;
    }
    qsort(all, c->n, sizeof *all, by_share);
    for (size_t i = 0; i < c->n && sum > 0 && all[i].of >= 0.05 * sum; i++) {
        uint32_t owner = c->users[all[i].user].owner;
        const struct who_owner *o = owner == DISK_NOBODY ? NULL : &c->d->w->owners.at[owner];

        if (o)
            finding_culprit(f, who_kind_name(o->kind), o->name);
        else
            finding_unknown(f, STR("whose the requests are that no thread was seen to queue"));
        finding_evidence(f, "meanwhile in flight",
                         finding_text(c->d, "%s: %.0f %% of what was others'",
                                      o ? finding_text(c->d, STR_FMT, STR_ARG(o->name)).p
                                        : "of threads that are not known",
                                      all[i].of / sum * 100),
                         "", where);
    }
}

static void found(const struct rule *r, struct diagnosis *d, const struct contention *c,
                  const bool *victims, size_t worst)
{
    const char *host = whos_host(d->w, c->disk->host);
    struct str where = finding_text(d, "neph top io --host %s", host);
    struct span seen = measure_within(d->src, c->disk->host, d->src->span);
    const struct user *w = &c->users[worst];
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = finding_text(d,
                            STR_FMT " on %s waits for disk " STR_FMT
                                    ", which others keep busy: its requests take "
                                    "%.1f times as long as alone",
                            STR_ARG(d->w->owners.at[w->owner].name), host, STR_ARG(c->disk->name),
                            w->latency / w->expected);
    f->t0 = seen.t0;
    f->t1 = seen.t1;
    f->cost_ns = 0;
    finding_host(f, str_of(host));
    finding_evidence(f, "device", c->disk->name, "", where);
    for (size_t v = 0; v < c->n; v++) {
        const struct user *u = &c->users[v];

        if (!victims[v])
            continue;
        const struct who_owner *o = &d->w->owners.at[u->owner];
        f->cost_ns += u->lost_ns;
        finding_subject(f, who_kind_name(o->kind), o->name);
        finding_evidence(f, "slower among others than alone",
                         finding_text(d,
                                      STR_FMT ": %.1f times, %.0f %% of what is in flight is "
                                              "others'",
                                      STR_ARG(o->name), u->latency / u->expected,
                                      others_share(c, v) * 100),
                         "", where);
        if (u->by_quartile)
            finding_unknown(f, finding_text(d,
                                            "how long requests of " STR_FMT " take when it is "
                                            "alone: they are compared with the fastest quarter "
                                            "of their like",
                                            STR_ARG(o->name)));
    }
    finding_evidence_ns(d, f, "lost to others", f->cost_ns, where);
    add_culprits(f, c, victims, where);
}

static void look(const struct rule *r, struct diagnosis *d, const struct disk *disk)
{
    struct contention *c = xcalloc(1, sizeof *c);
    bool victims[OWNERS] = { false };
    size_t worst = OWNERS;

    *c = (struct contention){ .d = d, .disk = disk };
    c->user_of = xcalloc(disk->at.n + 1, sizeof *c->user_of);
    c->others = xcalloc(disk->at.n + 1, sizeof *c->others);
    sweep(c);
    if (c->n > 1)
        weigh(c);
    for (size_t v = 0; c->n > 1 && v < c->n; v++) {
        victims[v] = v < OWNERS - 1 && is_victim(r, c, v);
        if (victims[v] && (worst == OWNERS || c->users[v].lost_ns > c->users[worst].lost_ns))
            worst = v;
    }
    if (worst < OWNERS)
        found(r, d, c, victims, worst);
    free(c->others);
    free(c->user_of);
    free(c);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        struct disks all = { 0 };

        if (measure_had(d->src->hosts[h], EV_SCHED_SWITCH) &&
            !measure_had(d->src->hosts[h], EV_BLOCK_COMPLETE))
            finding_blind(d,
                          finding_text(d,
                                       "%s: block requests were not traced: who waits for disks, "
                                       "and whether they are slow, is not known (lttng "
                                       "enable-event -k 'block_rq_*')",
                                       whos_host(d->w, h)));
        disks_read(d, h, &all);
        for (size_t i = 0; i < all.at.n; i++)
            look(r, d, &all.at.at[i]);
        disks_free(&all);
    }
}

const struct rule rule_disk_contended = {
    .name = "disk-contended",
    .title = "requests to a disk wait for those of others",
    .doc = "While requests of an instance or service were in flight, most of what was in flight at "
           "that device was others', and its requests took much longer than its own, alike in kind "
           "and size, take when it is alone (or, if it never is, than those that find the device "
           "empty, or the fastest quarter). What it lost is the difference, as far as the time was "
           "others'. Culprits are the owners of the other requests, by how much they had in "
           "flight, where 128 KiB count as much as a request.",
    .remedy = "limit the culprits (disk_read_bytes_sec, disk_write_iops_sec in flavors or volume "
              "types, ionice or io.max for services), or move them to another disk",
    .needs = "the host's kernel: block_rq_insert, block_rq_issue, block_rq_complete, and "
             "sched_switch to know whose they are",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
