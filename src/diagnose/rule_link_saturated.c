/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_link_saturated.c -- packets wait for an interface that sends as much as it can.
 *
 * A packet is in the interface's queue from net_dev_queue to net_dev_xmit.  On a link with room
 * that is a matter of microseconds; on one without, there is always one that waits.  So a slice
 * of time is full if packets wait in all of it, and the rate in full slices is the capacity: it
 * does not rise whatever is offered, a plateau.  Rates alone do not tell: who sends evenly looks
 * the same. */
#include "diagnose/rule.h"
#include "diagnose/slices.h"
#include "report/measure.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_FULL, MIN_OF_TRACE, MIN_SECONDS, MIN_WAIT, MAX_SPREAD, MIN_VICTIM, MIN_DROPPED };
static const struct limit limits[] = {
    [MIN_FULL] = { "min-full", 0.9, "of a slice",
                   "in which packets wait: practically always; bursts leave gaps" },
    [MIN_OF_TRACE] = { "min-of-trace", 0.05, "of the trace", "a short transfer may fill a link" },
    [MIN_SECONDS] = { "min-seconds", 0.3, "s", "the same for short traces" },
    [MIN_WAIT] = { "min-wait", 0.0002, "s",
                   "of a packet in full slices: a tenth of a round trip between hosts" },
    [MAX_SPREAD] = { "max-spread", 1.5, "times",
                     "between the rates of full slices: beyond it is no plateau" },
    [MIN_VICTIM] = { "min-victim", 0.05, "of the full time",
                     "in which packets of someone who does not fill the link wait" },
    [MIN_DROPPED] = { "min-dropped", 0.05, "of packets",
                      "TCP fills a link until a few are dropped; that is how it finds its rate" },
};

enum { USERS = 64 };
#define NOBODY UINT32_MAX
#define FILLS 0.25 /* of the bytes: who sends that much fills the link */
static const ns_t slice_least = 20000000;

struct sent {
    ns_t t, waited; /* waited: STORE_NULL: not known */
    uint32_t bytes, owner;
};
struct link {
    uint32_t host;
    cell_t dev;
    struct str name;
    VEC(struct sent) at;           /* by t */
    VEC(ns_t) refused;             /* by the driver: it had no room */
    uint64_t dropped, known_waits; /* dropped: out of the queue */
};
struct links {
    VEC(struct link) at;
};

struct user {
    uint32_t owner;
    uint64_t bytes, packets;
    ns_t waits, until, covered; /* covered: time in which a packet of it waited */
};

struct full {
    const struct link *link;
    struct slices slices;
    bool *holds;
    struct slices_found when;
    double rate, spread; /* bytes per s: the median of full slices; highest by lowest decile */
    ns_t wait;           /* median, of what was sent then */
    struct user users[USERS];
    size_t nusers;
    uint64_t bytes;
};

/* --- reading ------------------------------------------------------------------------------ */

/* Guests' ends and the host's own plumbing: what waits there waits for a guest or for another
 * interface, which is looked at itself. */
static bool is_virtual(struct str dev)
{
    static const char *const heads[] = { "tap",   "vnet",   "veth",  "qbr",    "qvb",  "qvo",
                                         "br-",   "br",     "virbr", "docker", "ovs-", "dummy",
                                         "vxlan", "geneve", "gre",   "patch",  "qr-",  "qg-",
                                         "ha-",   "int-br", "phy-br" };

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (str_starts(dev, str_of(heads[i])))
            return true;
    return dev.n == 0 || str_is(dev, "lo");
}

static struct link *link_of(const struct store *s, uint32_t host, cell_t dev, struct links *to)
{
    for (size_t i = 0; i < to->at.n; i++)
        if (to->at.at[i].dev == dev)
            return &to->at.at[i];
    struct link *l = vec_push(&to->at);
    *l = (struct link){ .host = host, .dev = dev, .name = store_text(s, dev) };
    return l;
}

static void read_packet(const struct diagnosis *d, struct link *l, const cell_t *row)
{
    const struct who_thread *th =
        row[C_packet_tid] > 0 ? whos_at(d->w, l->host, row[C_packet_tid], row[0]) : NULL;

    if (row[C_packet_dir] == PACKET_TX_FAILED)
        *vec_push(&l->refused) = row[0];
    l->dropped += row[C_packet_dir] == PACKET_DROP && row[C_packet_queued_ns] != STORE_NULL;
    if (row[C_packet_dir] != PACKET_TX)
        return;
    l->known_waits += row[C_packet_queued_ns] != STORE_NULL;
    *vec_push(&l->at) = (struct sent){
        .t = row[0],
        .waited = row[C_packet_queued_ns],
        .bytes = row[C_packet_bytes] == STORE_NULL ? 0 : (uint32_t)row[C_packet_bytes],
        .owner = th && !th->is_kernel                             ? who_process(d->w, th)->owner
                 : th && who_owner(d->w, th)->kind != WHO_PROCESS ? who_process(d->w, th)->owner
                                                                  : NOBODY,
    };
}

static void read_links(const struct diagnosis *d, uint32_t host, struct links *to)
{
    const struct store *s = d->src->hosts[host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_packet].name, &t))
        return;
    struct store_rows r = store_rows(s, t, d->src->span);
    while ((row = store_rows_next(&r)))
        read_packet(d, link_of(s, host, row[C_packet_dev], to), row);
}

/* --- full slices -------------------------------------------------------------------------- */

static int by_queued(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return x->t0 != y->t0 ? (x->t0 > y->t0) - (x->t0 < y->t0) : (x->t1 > y->t1) - (x->t1 < y->t1);
}

/* Time in which at least one packet waited, by slice. */
static void cover(const struct full *f, ns_t *covered)
{
    VEC(struct span) waits = { 0 };
    ns_t until = NS_MIN;

    for (size_t i = 0; i < f->link->at.n; i++)
        if (f->link->at.at[i].waited != STORE_NULL && f->link->at.at[i].waited > 0)
            *vec_push(&waits) = (struct span){ f->link->at.at[i].t - f->link->at.at[i].waited,
                                               f->link->at.at[i].t };
    if (waits.n)
        qsort(waits.at, waits.n, sizeof *waits.at, by_queued);
    for (size_t i = 0; i < waits.n; i++) {
        ns_t t0 = waits.at[i].t0 > until ? waits.at[i].t0 : until;

        slices_add(&f->slices, covered, t0, waits.at[i].t1);
        until = waits.at[i].t1 > until ? waits.at[i].t1 : until;
    }
    vec_free(&waits);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* The rate in full slices, and how even it is. */
static void find_plateau(struct full *f)
{
    double *rate = xcalloc(f->slices.n + 1, sizeof *rate);
    size_t n = 0;

    for (size_t i = 0; i < f->link->at.n; i++)
        rate[slice_at(&f->slices, f->link->at.at[i].t)] += f->link->at.at[i].bytes;
    for (size_t i = 0; i < f->slices.n; i++)
        if (f->holds[i])
            rate[n++] = rate[i] / (double)slice_length(&f->slices, i) * (double)NS_PER_S;
    if (n) {
        qsort(rate, n, sizeof *rate, by_value);
        f->rate = rate[n / 2];
        f->spread = rate[n / 10] > 0 ? rate[n - 1 - n / 10] / rate[n / 10] : HUGE_VAL;
    }
    free(rate);
}

static struct user *user_of(struct full *f, uint32_t owner)
{
    for (size_t i = 0; i < f->nusers; i++)
        if (f->users[i].owner == owner)
            return &f->users[i];
    if (f->nusers == USERS)
        return NULL;
    f->users[f->nusers] = (struct user){ .owner = owner, .until = NS_MIN };
    return &f->users[f->nusers++];
}

/* Who sent in full slices, and for how long packets of each waited. */
static void find_users(struct full *f)
{
    VEC(double) waits = { 0 };

    for (size_t i = 0; i < f->link->at.n; i++) {
        const struct sent *p = &f->link->at.at[i];
        struct user *u = f->holds[slice_at(&f->slices, p->t)] ? user_of(f, p->owner) : NULL;

        if (!u)
            continue;
        u->bytes += p->bytes;
        u->packets++;
        f->bytes += p->bytes;
        if (p->waited == STORE_NULL)
            continue;
        ns_t t0 = p->t - p->waited;
        t0 = t0 > u->until ? t0 : u->until;
        u->covered += p->t > t0 ? p->t - t0 : 0;
        u->until = p->t > u->until ? p->t : u->until;
        u->waits += p->waited;
        *vec_push(&waits) = (double)p->waited;
    }
    if (waits.n) {
        qsort(waits.at, waits.n, sizeof *waits.at, by_value);
        f->wait = (ns_t)waits.at[waits.n / 2];
    }
    vec_free(&waits);
}

static int by_bytes(const void *a, const void *b)
{
    const struct user *x = a, *y = b;

    return x->bytes != y->bytes ? (x->bytes > y->bytes ? -1 : 1)
                                : (x->owner > y->owner) - (x->owner < y->owner);
}

/* --- the finding -------------------------------------------------------------------------- */

static bool fills(const struct full *f, const struct user *u)
{
    return (double)u->bytes >= FILLS * (double)f->bytes;
}

static bool is_victim(const struct rule *r, const struct diagnosis *d, const struct full *f,
                      const struct user *u)
{
    return u->owner != NOBODY && !fills(f, u) &&
           (double)u->covered >= rule_limit(d, r, MIN_VICTIM) * (double)f->when.ns;
}

static void add_users(const struct rule *r, struct diagnosis *d, struct finding *f,
                      const struct full *x, struct str where)
{
    for (size_t i = 0; i < x->nusers; i++) {
        const struct user *u = &x->users[i];
        double share = x->bytes ? (double)u->bytes / (double)x->bytes * 100 : 0;
        const struct who_owner *o = u->owner == NOBODY ? NULL : &d->w->owners.at[u->owner];

        if (!o && share >= 5)
            finding_unknown(f, finding_text(d,
                                            "who sent %.0f %% of the bytes: they were sent by "
                                            "the kernel, for whom was not seen",
                                            share));
        else if (o && is_victim(r, d, x, u)) {
            finding_subject_lost(f, who_kind_name(o->kind), o->name, u->covered);
            finding_evidence(f, "mean wait of packets",
                             finding_text(d, STR_FMT ": %s", STR_ARG(o->name),
                                          finding_duration(d, u->waits / (ns_t)u->packets).p),
                             "", where);
        } else if (o && share >= 5) {
            finding_culprit(f, who_kind_name(o->kind), o->name);
            finding_evidence(f, "bytes sent by",
                             finding_text(d, STR_FMT ": %.1f %%", STR_ARG(o->name), share), "",
                             where);
        }
    }
}

static void found(const struct rule *r, struct diagnosis *d, const struct full *x)
{
    const char *host = whos_host(d->w, x->link->host);
    struct str where = finding_text(d, "neph top net --host %s", host);
    uint64_t lost = x->link->refused.n + x->link->dropped;
    bool drops = (double)lost >= rule_limit(d, r, MIN_DROPPED) * (double)(x->link->at.n + lost);
    size_t victims = 0;

    for (size_t i = 0; i < x->nusers; i++)
        victims += is_victim(r, d, x, &x->users[i]);
    struct finding *f = finding_add(d, r, victims || drops ? SEVERITY_WARNING : SEVERITY_INFO);
    f->title = finding_text(d,
                            "interface " STR_FMT " on %s is full for %s: packets wait, and it "
                            "sends no more than %.1f Mbit/s",
                            STR_ARG(x->link->name), host, finding_duration(d, x->when.ns).p,
                            x->rate * 8 / 1e6);
    f->t0 = x->when.t0;
    f->t1 = x->when.t1;
    f->cost_ns = x->when.ns;
    finding_host(f, str_of(host));
    finding_evidence(f, "interface", x->link->name, "", where);
    finding_evidence(f, "capacity, bytes per second", finding_text(d, "%.0f", x->rate), "bytes",
                     where);
    if (x->link->known_waits)
        finding_evidence_ns(d, f, "median wait of packets", x->wait, where);
    else
        finding_unknown(f,
                        STR("for how long packets of whom waited: net_dev_queue was not traced"));
    if (lost)
        finding_evidence(f, "dropped, or refused by the driver",
                         finding_text(d, "%llu of %llu packets", (unsigned long long)lost,
                                      (unsigned long long)(x->link->at.n + lost)),
                         "", where);
    add_users(r, d, f, x, where);
    if (x->spread > rule_limit(d, r, MAX_SPREAD))
        finding_unknown(f, finding_text(d,
                                        "whether that is the link's rate: in full slices it "
                                        "differs by %.1f times; a switch's pauses or a shaper "
                                        "do that",
                                        x->spread));
    if (!victims && !drops)
        finding_unknown(f, STR("whether anyone lost by it: nobody but those who fill it had "
                               "packets that waited for long"));
}

static bool lasts(const struct rule *r, const struct diagnosis *d, const struct full *x)
{
    ns_t seen = measure_traced(d->src, x->link->host, d->src->span);

    return x->when.ns > 0 && x->when.ns >= rule_limit_ns(d, r, MIN_SECONDS) &&
           (double)x->when.ns >= rule_limit(d, r, MIN_OF_TRACE) * (double)seen;
}

/* Slices in which packets wait all the time. */
static void hold_by_waits(const struct rule *r, const struct diagnosis *d, struct full *x)
{
    ns_t *covered = xcalloc(x->slices.n + 1, sizeof *covered);

    cover(x, covered);
    for (size_t i = 0; i < x->slices.n; i++)
        x->holds[i] =
            (double)covered[i] >= rule_limit(d, r, MIN_FULL) * (double)slice_length(&x->slices, i);
    free(covered);
}

/* Where nothing is known of waits: slices in which the driver refuses packets, since it still has
 * others to send. */
static void hold_by_refusals(struct full *x)
{
    for (size_t i = 0; i < x->link->refused.n; i++)
        x->holds[slice_at(&x->slices, x->link->refused.at[i])] = true;
}

static void look(const struct rule *r, struct diagnosis *d, const struct link *l)
{
    struct full *x = xcalloc(1, sizeof *x);
    bool by_waits = l->known_waits > 0;

    *x = (struct full){ .link = l, .slices = slices_of(d, l->host, slice_least) };
    x->holds = xcalloc(x->slices.n + 1, sizeof *x->holds);
    if (x->slices.n && by_waits)
        hold_by_waits(r, d, x);
    else if (x->slices.n)
        hold_by_refusals(x);
    x->when = slices_found(&x->slices, x->holds);
    if (lasts(r, d, x)) {
        find_plateau(x);
        find_users(x);
        qsort(x->users, x->nusers, sizeof *x->users, by_bytes);
        if (by_waits ? x->wait >= rule_limit_ns(d, r, MIN_WAIT)
                     : x->spread <= rule_limit(d, r, MAX_SPREAD) &&
                           (double)l->refused.n >= rule_limit(d, r, MIN_DROPPED) * (double)l->at.n)
            found(r, d, x);
    }
    free(x->holds);
    free(x);
}

static void say_blind(struct diagnosis *d, uint32_t host, const struct links *all)
{
    const struct store *s = d->src->hosts[host];
    uint64_t sent = 0, known = 0;

    for (size_t i = 0; i < all->at.n; i++)
        if (!is_virtual(all->at.at[i].name)) {
            sent += all->at.at[i].at.n;
            known += all->at.at[i].known_waits;
        }
    if (measure_had(s, EV_SCHED_SWITCH) && !measure_had(s, EV_NET_XMIT))
        finding_blind(d, finding_text(d,
                                      "%s: sent packets were not traced: whether links are full is "
                                      "not known (lttng enable-event -k "
                                      "net_dev_queue,net_dev_xmit)",
                                      store_host(s)));
    else if (sent > 0 && known == 0)
        finding_blind(d, finding_text(d,
                                      "%s: packets were traced when they left queues, and not when "
                                      "they entered them: whether links are full is not known "
                                      "(lttng enable-event -k net_dev_queue)",
                                      store_host(s)));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        struct links all = { 0 };

        read_links(d, h, &all);
        say_blind(d, h, &all);
        for (size_t i = 0; i < all.at.n; i++) {
            if (!is_virtual(all.at.at[i].name))
                look(r, d, &all.at.at[i]);
            vec_free(&all.at.at[i].refused);
            vec_free(&all.at.at[i].at);
        }
        vec_free(&all.at);
    }
}

const struct rule rule_link_saturated = {
    .name = "link-saturated",
    .title = "packets wait for an interface that sends all it can",
    .doc = "In practically all of the time packets wait in the queue of an interface of the host "
           "(not of guests' taps, bridges and the like), and the rate stays where it is: that is "
           "the capacity. Where net_dev_queue was not traced it speaks only if the driver refuses "
           "packets while the rate stays where it is. Culprits are who sent most bytes meanwhile. "
           "It is a warning where packets "
           "of others waited too, who send little, or where packets are dropped or refused by the "
           "driver; a transfer that fills the link and is in nobody's way is info.",
    .remedy = "limit the culprits (QoS policies of Neutron, live_migration_bandwidth, throttled "
              "image copies), move migration and storage to links of their own, or add capacity",
    .needs = "the host's kernel: net_dev_queue and net_dev_xmit; sched_switch to know who sends",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_SHARE,
    .slows = true,
    .find = find,
};
