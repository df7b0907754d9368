/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_disk_contended.c -- requests of one wait for those of others at the same device.
 *
 * Whose requests are in flight meanwhile tells disk_shares.h; what requests take when nobody else
 * is there is measured of the owner's own, alike in kind and size. */
#include "diagnose/disk_shares.h"
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

enum { SAMPLES_LEAST = 8 /* of a median */, LINE_LEAST = 50 };
#define LINE_FIT 0.3 /* of the variance that the line explains: sizes and seeks make the rest */
#define MORE_THAN_TAKEN 1.25
#define QUEUED 0.5
#define ALONE 0.05 /* less of a request's time than that was others' */

struct loss {
    double latency, expected; /* sums over its requests that met others' */
    double queued;            /* of that latency: before the device got them */
    double lost, total;       /* of request time: to others; all */
    bool by_quartile;         /* nothing better than the device's fast requests to compare with */
    ns_t lost_ns;
};

struct contention {
    const struct diagnosis *d;
    const struct disk *disk;
    struct disk_shares s;
    struct loss loss[DISK_USERS]; /* of each of s.users */
};

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
        if (c->s.others[i] <= ALONE * (double)took)
            *vec_push(&s->at) = (struct sample){ key_of(OWN_ALONE, c->s.user_of[i], class), took };
        if (q->depth == 0)
            *vec_push(&s->at) = (struct sample){ key_of(FIRST_IN_LINE, 0, class), took };
        *vec_push(&s->at) = (struct sample){ key_of(ANY, 0, class), took };
    }
    if (s->at.n)
        qsort(s->at.at, s->at.n, sizeof *s->at.at, by_key);
}

/* How long requests take by how many were before them, where that is a line: a device that does
 * one after the other.  Of one that does many at once it does not depend on that. */
struct queueing {
    double first, each; /* ns */
    bool is_line;
};

static struct queueing queueing_of(const struct disk *disk)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0;
    struct queueing q = { 0 };

    for (size_t i = 0; i < disk->at.n; i++) {
        double depth = disk->at.at[i].depth, took = (double)(disk->at.at[i].t1 - disk->at.at[i].t0);

        if (disk->at.at[i].open || disk->at.at[i].op > DISK_WRITE)
            continue;
        n++;
        x += depth;
        y += took;
        xx += depth * depth;
        xy += depth * took;
        yy += took * took;
    }
    double vx = n * xx - x * x, vy = n * yy - y * y, cov = n * xy - x * y;
    if (n < LINE_LEAST || vx <= 0 || vy <= 0)
        return q;
    q.each = cov / vx;
    q.first = (y - q.each * x) / n;
    q.is_line = cov > 0 && cov * cov >= LINE_FIT * vx * vy && q.first >= 0;
    return q;
}

/* What the request would take if of those before it only its owner's were there. */
static ns_t by_line(const struct contention *c, const struct queueing *line, size_t i)
{
    const struct disk_user *u = &c->s.users[c->s.user_of[i]];
    double own = u->busy > 0 ? u->of[c->s.user_of[i]] / (double)u->busy : 1;

    return (ns_t)(line->first + line->each * own * (double)c->disk->at.at[i].depth);
}

static void weigh(struct contention *c)
{
    struct queueing line = queueing_of(c->disk);
    struct samples s = { 0 };

    collect(c, &s);
    for (size_t i = 0; i < c->disk->at.n; i++) {
        const struct disk_request *q = &c->disk->at.at[i];
        struct loss *u = &c->loss[c->s.user_of[i]];
        double took = (double)(q->t1 - q->t0);
        uint32_t class = disk_class(q);
        ns_t base = at_part(&s, key_of(OWN_ALONE, c->s.user_of[i], class), 0.5);

        u->total += took;
        if (c->s.others[i] <= ALONE * took)
            continue;
        if (base == STORE_NULL)
            base = at_part(&s, key_of(FIRST_IN_LINE, 0, class), 0.5);
        if (base == STORE_NULL && line.is_line)
            base = by_line(c, &line, i);
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
            u->lost += (took - (double)base) * c->s.others[i] / took;
    }
    for (size_t i = 0; i < c->s.n; i++)
        if (c->loss[i].total > 0)
            c->loss[i].lost_ns =
                (ns_t)(c->loss[i].lost / c->loss[i].total * (double)c->s.users[i].busy);
    vec_free(&s.at);
}

/* --- the finding ------------------------------------------------------------------------- */

static double others_share(const struct contention *c, size_t v)
{
    const struct disk_user *u = &c->s.users[v];

    return u->busy > 0 ? 1 - u->of[v] / (double)u->busy : 0;
}

static bool is_victim(const struct rule *r, const struct contention *c, size_t v)
{
    ns_t seen = measure_traced(c->d->src, c->disk->host, c->d->src->span);
    const struct disk_user *x = &c->s.users[v];
    const struct loss *u = &c->loss[v];
    return x->owner != DISK_NOBODY && u->expected > 0 &&
           !x->is_kernel && /* it writes for others, who go on meanwhile */
           u->lost_ns >= rule_limit_ns(c->d, r, MIN_LOST) &&
           (double)u->lost_ns >= rule_limit(c->d, r, MIN_OF_TRACE) * (double)seen &&
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

/* Of what the victims lost, the part that was of each other's requests. */
static double taken_by(const struct contention *c, const bool *victims, size_t o)
{
    double sum = 0;

    for (size_t v = 0; v < c->s.n; v++) {
        double others = (double)c->s.users[v].busy - c->s.users[v].of[v];

        if (victims[v] && v != o && others > 0)
            sum += c->s.users[v].of[o] / others * (double)c->loss[v].lost_ns;
    }
    return sum;
}

/* Who takes more than he is taken is no victim, unless all are alike. */
static void leave_takers_out(const struct contention *c, bool *victims)
{
    bool left[DISK_USERS] = { false };
    size_t n = 0;

    for (size_t v = 0; v < c->s.n; v++) {
        left[v] =
            victims[v] && taken_by(c, victims, v) <= MORE_THAN_TAKEN * (double)c->loss[v].lost_ns;
        n += left[v];
    }
    if (n)
        memcpy(victims, left, sizeof left);
}

static void add_culprits(struct finding *f, const struct contention *c, const bool *victims,
                         struct str where)
{
    struct share all[DISK_USERS] = { 0 };
    double sum = 0, outside = 0;

    for (size_t o = 0; o < c->s.n; o++) {
        all[o] = (struct share){ o, taken_by(c, victims, o) };
        sum += all[o].of;
        outside += victims[o] ? 0 : all[o].of;
    }
    for (size_t o = 0; o < c->s.n; o++) /* victims are to blame only where nobody else is */
        all[o].of = victims[o] && outside >= 0.1 * sum ? 0 : all[o].of;
    qsort(all, c->s.n, sizeof *all, by_share);
    for (size_t i = 0; i < c->s.n && sum > 0 && all[i].of >= 0.05 * sum; i++) {
        uint32_t owner = c->s.users[all[i].user].owner;
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
    const struct loss *w = &c->loss[worst];
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = finding_text(d,
                            STR_FMT " on %s waits for disk " STR_FMT
                                    ", which others keep busy: its requests take "
                                    "%.1f times as long as alone",
                            STR_ARG(d->w->owners.at[c->s.users[worst].owner].name), host,
                            STR_ARG(c->disk->name), w->latency / w->expected);
    f->t0 = seen.t0;
    f->t1 = seen.t1;
    f->cost_ns = 0;
    finding_host(f, str_of(host));
    finding_evidence(f, "device", c->disk->name, "", where);
    for (size_t v = 0; v < c->s.n; v++) {
        const struct loss *u = &c->loss[v];

        if (!victims[v])
            continue;
        const struct who_owner *o = &d->w->owners.at[c->s.users[v].owner];
        f->cost_ns += u->lost_ns;
        finding_subject_lost(f, who_kind_name(o->kind), o->name, u->lost_ns);
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
    bool victims[DISK_USERS] = { false };
    size_t worst = DISK_USERS;

    c->d = d;
    c->disk = disk;
    disk_shares_make(disk, &c->s);
    if (c->s.n > 1)
        weigh(c);
    for (size_t v = 0; c->s.n > 1 && v < c->s.n; v++)
        victims[v] = v < DISK_USERS - 1 && is_victim(r, c, v);
    leave_takers_out(c, victims);
    for (size_t v = 0; v < c->s.n; v++) {
        if (victims[v] && (worst == DISK_USERS || c->loss[v].lost_ns > c->loss[worst].lost_ns))
            worst = v;
    }
    if (worst < DISK_USERS)
        found(r, d, c, victims, worst);
    disk_shares_free(&c->s);
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
           "empty, than a line of latency by requests before it tells, or the fastest quarter). "
           "What it lost is the difference, as far as the time was "
           "others'. Culprits are the owners of the other requests, by how much they had in "
           "flight, where 128 KiB count as much as a request.",
    .remedy = "limit the culprits (disk_read_bytes_sec, disk_write_iops_sec in flavors or volume "
              "types, ionice or io.max for services), or move them to another disk",
    .needs = "the host's kernel: block_rq_insert, block_rq_issue, block_rq_complete, and "
             "sched_switch to know whose they are",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_SHARE,
    .slows = true,
    .find = find,
};
