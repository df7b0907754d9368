/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_request_slow.c -- a request took much longer than others that did the same: in which hop,
 * and who had what it waited for. */
#include "diagnose/rule.h"
#include "report/hops.h"
#include "report/measure.h"
#include "report/robust.h"

#include <stdlib.h>

enum { MIN_PEERS, MIN_TIMES, MIN_SPREADS, MIN_EXTRA, MIN_HELD, MIN_HELD_SHARE, MIN_MEANWHILE };
static const struct limit limits[] = {
    [MIN_PEERS] = { "min-peers", 5, "requests", "with fewer nobody knows what is normal" },
    [MIN_TIMES] = { "min-times", 2, "times the median of those that are not slow",
                    "less is not felt by who waits for the answer" },
    [MIN_SPREADS] = { "min-spreads", 5, "robust standard deviations of the logarithm",
                      "of normal ones, fewer than one in a million is so far off" },
    [MIN_EXTRA] = { "min-extra", 1, "s", "more than the median: less is not worth a look" },
    [MIN_HELD] = { "min-held", 5, "s",
                   "of waiting for one lock or command: that is slow even if all others do so "
                   "too" },
    [MIN_HELD_SHARE] = { "min-held-share", 0.5, "of the request",
                         "in that lock or command: it is why the request takes so long" },
    [MIN_MEANWHILE] = { "min-meanwhile", 0.8, "of what a task took more than its peers",
                        "that long a slow request of another service lasted inside of it" },
};

struct one {
    const cell_t *row; /* of TABLE_request */
    struct str id;
    ns_t took;
    bool slow, told;
    bool held;      /* by one lock or command, for most of its time, whatever its peers do */
    struct hop hop; /* of a slow one: that takes most more than in its peers */
    ns_t extra;     /* that much more; 0: nothing tells                     */
    const struct one *child; /* a slow request of another service that lasted meanwhile */
};
struct group { /* of one action */
    VEC(struct one) at;
    VEC(struct one *) slow; /* the slowest first */
    struct robust normal;
};
struct groups {
    struct strtab names;
    VEC(struct group) at;          /* a name's position is its id less one */
    VEC(struct one *) slow;        /* of all groups, by begin */
    struct src_index tasks, calls; /* tasks by request, steps by what they called */
};

static void group_requests(const struct diagnosis *d, struct groups *ret)
{
    struct src_rows r = src_rows_global(d->src, TABLE_request);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str action = src_text(&r, row, C_request_action);
        ns_t took = row_length(row);

        if (action.n == 0 || took == STORE_NULL || row[C_request_open] ||
            str_is(src_text(&r, row, C_request_outcome), "failed"))
            continue;
        uint32_t id =
            strtab_id(&ret->names, hops_name(d->src, src_safe(&r, row, C_request_action)));
        if (id > ret->at.n)
            *vec_push(&ret->at) = (struct group){ 0 };
        *vec_push(&ret->at.at[id - 1].at) =
            (struct one){ .row = src_keep(d->src, TABLE_request, row),
                          .id = src_text(&r, row, C_request_request),
                          .took = took };
    }
}

static void find_slow(const struct rule *r, const struct diagnosis *d, struct group *g)
{
    ns_t *took = xcalloc(g->at.n, sizeof *took);

    for (size_t i = 0; i < g->at.n; i++)
        took[i] = g->at.at[i].took;
    g->normal = robust_below_break(took, g->at.n);
    free(took);
    for (size_t i = 0; i < g->at.n; i++) {
        struct one *o = &g->at.at[i];

        o->slow = (double)o->took >= rule_limit(d, r, MIN_TIMES) * (double)g->normal.median &&
                  o->took - g->normal.median >= rule_limit_ns(d, r, MIN_EXTRA) &&
                  robust_above(&g->normal, o->took) >= rule_limit(d, r, MIN_SPREADS) &&
                  report_request_fits(d->src, o->id);
    }
}

/* --- in which hop ------------------------------------------------------------------------- */

enum { MOST_PEERS = 32 };

struct peers {
    struct hops of[MOST_PEERS];
    size_t n;
};

static void peers_make(const struct diagnosis *d, const struct src_index *tasks,
                       const struct group *g, struct peers *ret)
{
    ret->n = 0;
    for (size_t i = 0; i < g->at.n && ret->n < MOST_PEERS; i++)
        if (!g->at.at[i].slow)
            hops_of(d->src, tasks, g->at.at[i].id, &ret->of[ret->n++]);
}

static void peers_free(struct peers *p)
{
    for (size_t i = 0; i < p->n; i++)
        hops_free(&p->of[i]);
}

/* What this hop takes of others. */
static ns_t normal_hop(const struct peers *p, const struct hop *h)
{
    ns_t of[MOST_PEERS] = { 0 };

    for (size_t i = 0; i < p->n; i++) {
        const struct hop *x = hops_find(&p->of[i], h->kind, h->name);

        of[i] = x ? x->ns : 0;
    }
    return robust_of(of, p->n).median;
}

/* Finds the hop that takes most more than in others. */
static void find_hop(const struct diagnosis *d, const struct src_index *tasks,
                     const struct peers *p, struct one *o)
{
    struct hops h;

    hops_of(d->src, tasks, o->id, &h);
    for (size_t i = 0; i < h.at.n; i++) {
        ns_t extra = h.at.at[i].ns - normal_hop(p, &h.at.at[i]);

        if (extra > o->extra) {
            o->hop = h.at.at[i];
            o->extra = extra;
        }
    }
    hops_free(&h);
}

/* Was the request held up by one lock or command for most of its time? */
static void find_held(const struct rule *r, const struct diagnosis *d,
                      const struct src_index *tasks, struct one *o)
{
    ns_t least = rule_limit_ns(d, r, MIN_HELD);
    struct hops h;

    if (o->slow || o->took < least || !report_request_fits(d->src, o->id))
        return;
    hops_of(d->src, tasks, o->id, &h);
    for (size_t i = 0; i < h.at.n; i++) {
        const struct hop *x = &h.at.at[i];

        if (!(str_is(x->kind, "lock-wait") || str_is(x->kind, "command")) || x->ns < least ||
            (double)x->ns < rule_limit(d, r, MIN_HELD_SHARE) * (double)o->took || x->ns <= o->extra)
            continue;
        o->slow = o->held = true;
        o->hop = *x;
        o->extra = x->ns;
    }
    hops_free(&h);
}

/* --- who had what it waited for ------------------------------------------------------------- */

/* The request for which a thread ran a task at 't'. */
static struct str request_of_thread(const struct diagnosis *d, const char *host, const cell_t *step)
{
    struct report_src then = *d->src;
    struct str request = STR("");
    const cell_t *row;

    then.span = (struct span){ step[0], step[0] + 1 };
    struct src_rows r = src_rows(&then, TABLE_task);
    while ((row = src_next(&r)))
        if (strcmp(r.host, host) == 0 && row[C_task_pid] == step[C_step_pid] &&
            row[C_task_thread] == step[C_step_thread])
            request = src_text(&r, row, C_task_request);
    return request;
}

/* Who held the lock for most of the wait. */
static void blame_holder(const struct diagnosis *d, struct finding *f, const struct hop *h)
{
    struct report_src during = *d->src;
    ns_t most = 0;
    const cell_t *row;
    struct str by = STR(""), request = STR("");

    during.span = (struct span){ h->t0, h->t1 };
    struct src_rows r = src_rows(&during, TABLE_step);
    while ((row = src_next(&r))) {
        ns_t t0 = row[0] > h->t0 ? row[0] : h->t0, t1 = row[1] < h->t1 ? row[1] : h->t1;

        if (row[0] == STORE_NULL || row[1] == STORE_NULL || t1 - t0 <= most ||
            strcmp(r.host, h->host) != 0 || !str_is(src_text(&r, row, C_step_kind), "lock") ||
            !str_eq(src_safe(&r, row, C_step_name), h->whole))
            continue;
        most = t1 - t0;
        by = src_safe(&r, row, C_step_detail);
        request = src_text(&r, row, C_step_request);
        if (request.n == 0)
            request = request_of_thread(d, r.host, row);
    }
    finding_culprit(f, "request", request);
    finding_culprit(f, "lock", h->whole);
    finding_culprit(f, "service", h->service); /* whose thread holds it */
    finding_evidence(f, "the lock was meanwhile held by", by, "", STR("neph list steps"));
}

/* The service that answered the call. */
static void blame_server(const struct diagnosis *d, const struct groups *all, struct finding *f,
                         const struct hop *h)
{
    const struct src_group *steps = src_index_find(&all->calls, h->child);
    const struct src_row *server = NULL;
    struct str service = STR("");

    for (size_t i = 0; h->child.n && !server && i < steps->rows.n; i++) {
        struct str kind = row_text(&steps->rows.at[i], C_step_kind);

        if (str_is(kind, "served") || str_is(kind, "rpc-served"))
            server = &steps->rows.at[i];
    }
    if (server) {
        service = row_text(server, C_step_service);
        finding_host(f, str_of(server->host));
        finding_culprit(f, "request", str_starts(h->child, STR("req-")) ? h->child : STR(""));
    }
    finding_culprit(f, "service", service);
    finding_evidence_ns(d, f, "of that, the called service worked",
                        server ? row_length(server->row) : STORE_NULL, STR("neph list calls"));
    if (service.n == 0)
        finding_unknown(f,
                        STR("what the called service did meanwhile: its own log was not traced"));
}

/* Time of the process's threads in states, as the kernel saw it. */
static void usage_of_process(const struct diagnosis *d, const struct hop *h, struct usage *ret)
{
    struct report_src during = *d->src;

    during.span = (struct span){ h->t0, h->t1 };
    for (size_t i = 0; i < d->w->threads.n; i++) {
        const struct who_thread *th = &d->w->threads.at[i];

        if (th->pid == h->pid && strcmp(whos_host(d->w, th->host), h->host) == 0)
            usage_add(&during, th, ret);
    }
}

/* A task's own work: the kernel tells whether it ran, or what it waited for. */
static const char *blame_kernel(const struct diagnosis *d, struct finding *f, const struct hop *h)
{
    struct usage u = { 0 };
    struct str where = finding_text(d, "neph critical %lld --host %s", (long long)h->pid, h->host);

    usage_of_process(d, h, &u);
    if (!u.seen) {
        finding_unknown(f, STR("whether it ran, or waited for a CPU, a disk or the network: the "
                               "kernel of that host was not traced, or the process is not in it"));
        return "";
    }
    const struct {
        const char *what, *short_name;
        ns_t ns;
    } parts[] = {
        { "its process ran", "running", usage_sum(&u, TS_USER, TS_SOFTIRQ) },
        { "its process waited for CPUs", "waiting for a CPU",
          usage_sum(&u, TS_WAIT, TS_PREEMPTED) },
        { "its process waited for disks", "waiting for a disk", u.in[TS_BLOCKED_DISK] },
        { "its process waited for the network", "waiting for the network", u.in[TS_BLOCKED_NET] },
    };
    const char *most = "";
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        finding_evidence_ns(d, f, parts[i].what, parts[i].ns, where);
        if (parts[i].ns < (h->t1 - h->t0) / 2)
            continue;
        most = parts[i].short_name;
        f->layer = i == 0 ? LAYER_APPLICATION : LAYER_KERNEL;
    }
    return most;
}

/* Another service had a slow request in the same time. */
static void blame_meanwhile(const struct diagnosis *d, struct finding *f, const struct one *child)
{
    struct str services = store_text(d->src->global, child->row[C_request_services]);
    size_t n;
    struct str *one = src_split(d->src, services, &n);

    for (size_t i = 0; i < n; i++)
        finding_culprit(f, "service", one[i]);
    finding_culprit(f, "request", child->id);
    finding_evidence_ns(d, f, "a request of that service in the same time took", child->took,
                        finding_text(d, "neph show request " STR_FMT, STR_ARG(child->id)));
    finding_unknown(f, STR("whether it was the one that was waited for: no id ties both; they "
                           "lasted at the same time, and no other was slow"));
}

static const char *blame(const struct diagnosis *d, const struct groups *all, struct finding *f,
                         const struct hop *h)
{
    if (str_is(h->kind, "task"))
        finding_culprit(f, "service", h->service);
    if (str_is(h->kind, "lock-wait"))
        blame_holder(d, f, h);
    else if (str_is(h->kind, "http") || str_is(h->kind, "http-call") || str_is(h->kind, "rpc"))
        blame_server(d, all, f, h);
    else if (str_is(h->kind, "external-event"))
        finding_culprit(f, "service",
                        str_starts(h->name, STR("network-"))  ? STR("neutron")
                        : str_starts(h->name, STR("volume-")) ? STR("cinder")
                                                              : STR(""));
    else if (str_is(h->kind, "task"))
        return blame_kernel(d, f, h);
    else
        finding_culprit(f, "command", h->whole);
    return "";
}

/* --- the finding -------------------------------------------------------------------------- */

static struct str hop_words(const struct diagnosis *d, const struct hop *h, const char *more)
{
    if (str_is(h->kind, "task"))
        return finding_text(d, "in the own work of " STR_FMT "%s%s", STR_ARG(h->name),
                            more[0] ? ", " : "", more);
    return finding_text(d, "in " STR_FMT " " STR_FMT, STR_ARG(h->kind),
                        STR_ARG(str_first(h->name, 80)));
}

/* What it took in vain. */
static ns_t cost_of(const struct group *g, const struct one *o)
{
    return o->held ? o->extra : o->took - g->normal.median;
}

static struct str entity_of(const struct diagnosis *d, const struct one *o)
{
    return src_vm_name(d->src, store_text(d->src->global, o->row[C_request_uuid]),
                       store_text(d->src->global, o->row[C_request_entity]));
}

static void add_hop(const struct diagnosis *d, struct finding *f, const struct one *o,
                    struct str where)
{
    if (o->extra == 0) {
        finding_unknown(f, STR("in which hop: nothing that was traced of it took longer than in "
                               "its peers"));
        return;
    }
    finding_host(f, str_of(o->hop.host));
    finding_evidence(
        f, "the slowest hop",
        finding_text(d, STR_FMT " " STR_FMT, STR_ARG(o->hop.kind), STR_ARG(o->hop.whole)), "",
        where);
    finding_evidence_ns(d, f, o->held ? "it took" : "it took more than in the peers", o->extra,
                        where);
    finding_evidence_ns(d, f, "no hop explains", o->extra < f->cost_ns ? f->cost_ns - o->extra : 0,
                        where);
    if (o->child)
        blame_meanwhile(d, f, o->child);
}

static struct str title(const struct diagnosis *d, const struct group *g, const struct one *o,
                        size_t alike, const char *more)
{
    struct str entity = entity_of(d, o);
    ns_t median = g->normal.median > 0 ? g->normal.median : 1;
    struct str why =
        o->held ? finding_text(d, ", %s of that", finding_duration(d, o->extra).p)
                : finding_text(d, ", %.1f times the median of %zu%s",
                               (double)o->took / (double)median, g->at.n, o->extra ? ":" : "");

    struct str action = src_mask(d->src, store_text(d->src->global, o->row[C_request_action]));
    return finding_text(d, STR_FMT "%s" STR_FMT "%s took %s" STR_FMT "%s" STR_FMT,
                        STR_ARG(str_first(action, 80)), entity.n ? " of " : "", STR_ARG(entity),
                        alike ? finding_text(d, " and %zu more", alike).p : "",
                        finding_duration(d, o->took).p, STR_ARG(why), o->extra ? " " : "",
                        STR_ARG(o->extra ? hop_words(d, &o->hop, more) : STR("")));
}

static bool alike(const struct one *a, const struct one *b)
{
    return str_eq(a->hop.kind, b->hop.kind) && str_eq(a->hop.name, b->hop.name);
}

/* Adds the slow ones of the group that have 'o''s hop as subjects.  Returns how many. */
static size_t add_alike(const struct diagnosis *d, struct finding *f, struct group *g,
                        struct one *o)
{
    size_t n = 0;

    for (size_t i = 0; i < g->slow.n; i++) {
        struct one *x = g->slow.at[i];

        if (x->told || x == o || !alike(x, o))
            continue;
        x->told = true;
        finding_subject_lost(f, "request", x->id, cost_of(g, x));
        finding_subject_lost(f, "vm", entity_of(d, x), cost_of(g, x));
        f->t0 = x->row[0] < f->t0 ? x->row[0] : f->t0;
        f->t1 = x->row[1] > f->t1 ? x->row[1] : f->t1;
        n++;
    }
    return n;
}

/* One finding for a request and those that are slow in the same hop. */
static void found(const struct rule *r, struct diagnosis *d, const struct groups *all,
                  struct group *g, struct one *o)
{
    struct str where = finding_text(d, "neph show request " STR_FMT, STR_ARG(o->id));
    struct finding *f = finding_add(d, r, o->extra ? SEVERITY_WARNING : SEVERITY_INFO);
    const char *more = "";

    o->told = true;
    f->t0 = o->row[0];
    f->t1 = o->row[1];
    f->cost_ns = cost_of(g, o);
    finding_subject_lost(f, "request", o->id, f->cost_ns);
    finding_subject_lost(f, "vm", entity_of(d, o), f->cost_ns);
    finding_evidence_ns(d, f, "it took", o->took, where);
    if (!o->held)
        finding_evidence_ns(d, f, "median of its peers", g->normal.median,
                            STR("neph list requests"));
    finding_evidence(f, "how many did the same", finding_text(d, "%zu", g->at.n), "requests",
                     STR("neph list requests"));
    add_hop(d, f, o, where);
    if (o->extra)
        more = blame(d, all, f, &o->hop);
    f->title = title(d, g, o, add_alike(d, f, g, o), more);
}

static bool same_services(const struct diagnosis *d, const struct one *a, const struct one *b)
{
    return str_eq(store_text(d->src->global, a->row[C_request_services]),
                  store_text(d->src->global, b->row[C_request_services]));
}

/* Position of the first slow one that begins at 't' or later. */
static size_t first_slow(const struct groups *all, ns_t t)
{
    size_t lo = 0, hi = all->slow.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (all->slow.at[mid]->row[0] < t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* The only slow request of other services inside of this one that went on for most of what the hop
 * took too long; NULL: there is none, or several. */
static struct one *find_meanwhile(const struct rule *r, const struct diagnosis *d,
                                  const struct groups *all, const struct one *o)
{
    double least = rule_limit(d, r, MIN_MEANWHILE) * (double)o->extra;
    struct one *found = NULL;

    for (size_t i = first_slow(all, o->row[0]); i < all->slow.n; i++) {
        struct one *x = all->slow.at[i];
        ns_t t0 = x->row[0] > o->hop.t0 ? x->row[0] : o->hop.t0;
        ns_t t1 = x->row[1] < o->hop.t1 ? x->row[1] : o->hop.t1;

        if (x->row[0] > o->hop.t1)
            break;
        if (x->row[1] > o->row[1] || same_services(d, x, o) || (double)(t1 - t0) < least)
            continue;
        if (found)
            return NULL;
        found = x;
    }
    return found;
}

static int by_start(const void *a, const void *b)
{
    const struct one *x = *(struct one *const *)a, *y = *(struct one *const *)b;

    return (x->row[0] > y->row[0]) - (x->row[0] < y->row[0]);
}

static int slowest_first(const void *a, const void *b)
{
    const struct one *x = *(struct one *const *)a, *y = *(struct one *const *)b;

    return x->took != y->took ? (x->took > y->took ? -1 : 1) : (x > y) - (x < y);
}

static void list_slow(struct groups *all)
{
    for (size_t i = 0; i < all->at.n; i++) {
        struct group *g = &all->at.at[i];

        for (size_t k = 0; k < g->at.n; k++)
            if (g->at.at[k].slow) {
                *vec_push(&g->slow) = &g->at.at[k];
                *vec_push(&all->slow) = &g->at.at[k];
            }
        if (g->slow.n)
            qsort(g->slow.at, g->slow.n, sizeof *g->slow.at, slowest_first);
    }
    if (all->slow.n)
        qsort(all->slow.at, all->slow.n, sizeof *all->slow.at, by_start);
}

/* What a slow request asked of another service is its hop, and told with it. */
static void leave_out_children(const struct diagnosis *d, struct groups *all)
{
    struct strtab ids = { 0 };
    uint32_t id;

    for (size_t i = 0; i < all->slow.n; i++)
        strtab_id(&ids, all->slow.at[i]->id);
    for (size_t i = 0; i < all->slow.n; i++) {
        struct one *o = all->slow.at[i];
        struct str parent = store_text(d->src->global, o->row[C_request_parent]);

        o->told = parent.n && strtab_find(&ids, parent, &id);
    }
    strtab_free(&ids);
}

/* Finds the hops of those that are slow, and what else was slow meanwhile. */
static void find_hops(const struct rule *r, const struct diagnosis *d, const struct groups *all,
                      struct group *g)
{
    struct peers *p = xmalloc(sizeof *p);

    peers_make(d, &all->tasks, g, p);
    for (size_t i = 0; i < g->at.n; i++) {
        struct one *o = &g->at.at[i];

        if (!o->slow || o->told || o->held)
            continue;
        find_hop(d, &all->tasks, p, o);
        struct one *child = str_is(o->hop.kind, "task") ? find_meanwhile(r, d, all, o) : NULL;
        o->child = child;
        if (child)
            child->told = true;
    }
    peers_free(p);
    free(p);
}

static void groups_free(struct groups *all)
{
    for (size_t i = 0; i < all->at.n; i++) {
        vec_free(&all->at.at[i].at);
        vec_free(&all->at.at[i].slow);
    }
    vec_free(&all->at);
    vec_free(&all->slow);
    strtab_free(&all->names);
    src_index_free(&all->tasks);
    src_index_free(&all->calls);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct groups all = { 0 };

    group_requests(d, &all);
    src_index_make(d->src, TABLE_task, false, C_task_request, &all.tasks);
    src_index_make(d->src, TABLE_step, false, C_step_child, &all.calls);
    for (size_t i = 0; i < all.at.n; i++) {
        struct group *g = &all.at.at[i];

        if ((double)(g->at.n - 1) >= rule_limit(d, r, MIN_PEERS))
            find_slow(r, d, g);
        for (size_t k = 0; k < g->at.n; k++)
            find_held(r, d, &all.tasks, &g->at.at[k]);
    }
    list_slow(&all);
    leave_out_children(d, &all);
    for (size_t i = 0; i < all.at.n; i++)
        if (all.at.at[i].slow.n)
            find_hops(r, d, &all, &all.at.at[i]);
    for (size_t i = 0; i < all.at.n; i++) {
        struct group *g = &all.at.at[i];

        for (size_t k = 0; k < g->slow.n; k++)
            if (!g->slow.at[k]->told)
                found(r, d, &all, g, g->slow.at[k]);
    }
    groups_free(&all);
}

const struct rule rule_request_slow = {
    .name = "request-slow",
    .title = "a request took much longer than others that did the same",
    .doc =
        "A request that succeeded took far longer than the median of all requests with the same "
        "action in the traces, on a logarithmic scale with robust deviations. Its time, and that "
        "of its peers, is split into hops, each instant to the innermost of what went on (lock, "
        "command, call, wait for an event, a task's own work); the hop that takes most more "
        "than in its peers is named, with who held the lock, which service was called, or, if "
        "the host's kernel was traced, whether the process ran or waited for CPUs or disks. "
        "A request that one lock or command held up for most of a long time is told even if "
        "all others were held up as well.",
    .remedy = "follow the request (neph show request) into the hop that is named; what the named "
              "service or lock holder did meanwhile tells why",
    .needs = "the logs of OpenStack's services; the hosts' kernels for what a process waited for",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_OPERATION,
    .slows = true,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
