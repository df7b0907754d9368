/* SPDX-License-Identifier: Apache-2.0
 *
 * explain.c -- which findings explain others, by how much, and in which order all are told.
 *
 * A fault shows in one place and is born in another.  A finding can be explained by one of an
 * earlier stage (rule.h) that is about one of its subjects, about a service or device that it
 * blames, or about its host, at the same time.  Several that could are weighed by how much of its
 * cost each explains; one that explains next to nothing is none.  What is explained stands below
 * all that explains it; the groups are in order of the worst that is in them, then of what their
 * root costs. */
#include "diagnose/rule.h"

#include <assert.h>
#include <stdlib.h>

/* Of the cost of a finding: who explains less does not explain it. */
static const double LEAST_SHARE = 0.1;

/* A project ("neutron") is also each of its services ("neutron-server"). */
static bool is_part(struct str project, struct str service)
{
    return service.n > project.n && service.p[project.n] == '-' && str_starts(service, project);
}

static bool same_party(const struct party *a, const struct party *b)
{
    return strcmp(a->kind, b->kind) == 0 &&
           (str_eq(a->name, b->name) || (strcmp(a->kind, "service") == 0 &&
                                         (is_part(a->name, b->name) || is_part(b->name, a->name))));
}

static const struct party *party_in(const struct party *at, size_t n, const struct party *p)
{
    for (size_t i = 0; i < n; i++)
        if (same_party(&at[i], p))
            return &at[i];
    return NULL;
}

/* An instance that is blamed is no link: that it suffers from something explains nothing. */
static bool is_means(const struct party *p)
{
    return strcmp(p->kind, "vm") != 0 && strcmp(p->kind, "process") != 0;
}

/* What it lost, it lost in the time of the finding that shares it; an instance may have lost it
 * at another. */
static bool has_one_time(const struct party *p)
{
    return strcmp(p->kind, "request") == 0 || strcmp(p->kind, "migration") == 0;
}

static bool is_of_host(const struct finding *f, const struct party *p)
{
    for (size_t i = 0; i < f->hosts.n; i++)
        if (strcmp(p->kind, "host") == 0 && str_eq(f->hosts.at[i], p->name))
            return true;
    return false;
}

/* The daemons of a host that carry out what is asked for instances on it. */
static bool carries_out(const struct finding *f, const struct finding *c, const struct party *p)
{
    bool daemon = strcmp(p->kind, "service") == 0 &&
                  (str_is(p->name, "nova-compute") || str_is(p->name, "libvirtd"));

    for (size_t i = 0; daemon && f->rule->stage >= STAGE_OPERATION && i < c->hosts.n; i++) {
        struct party host = { "host", c->hosts.at[i], STORE_NULL };

        if (is_of_host(f, &host))
            return true;
    }
    return false;
}

/* How long both were, and of 'c' as a share of it. */
static bool overlap(const struct finding *f, const struct finding *c, double *ret_share)
{
    ns_t f1 = f->t1 == STORE_NULL ? NS_MAX : f->t1, c1 = c->t1 == STORE_NULL ? NS_MAX : c->t1;
    ns_t t0 = f->t0 > c->t0 ? f->t0 : c->t0, t1 = f1 < c1 ? f1 : c1;

    if (f->t0 == STORE_NULL || c->t0 == STORE_NULL || t0 > t1)
        return false;
    *ret_share = c1 > c->t0 && c1 != NS_MAX ? (double)(t1 - t0) / (double)(c1 - c->t0) : 1;
    return true;
}

/* A request that blames another one, because it held a lock or was called. */
static bool blames_request(const struct finding *f, const struct finding *c)
{
    for (size_t i = 0; i < f->culprits.n; i++)
        if (strcmp(f->culprits.at[i].kind, "request") == 0 &&
            party_in(c->subjects.at, c->subjects.n, &f->culprits.at[i]))
            return true;
    return false;
}

static bool may_explain(const struct finding *c, const struct finding *f)
{
    if (c == f || c->rule->stage == STAGE_TRACE || (c->rule->slows && f->cost_ns == STORE_NULL))
        return false;
    return c->rule->stage < f->rule->stage ||
           (c->rule == f->rule && blames_request(f, c) && !blames_request(c, f));
}

/* Does 'c' explain 'f', and how much of its cost?  STORE_NULL: that is not known. */
static bool explains(const struct finding *c, const struct finding *f, ns_t *ret_ns)
{
    bool linked = false, known = false;
    double during, lost = 0;

    if (!may_explain(c, f) || !overlap(f, c, &during))
        return false;
    for (size_t i = 0; i < c->subjects.n; i++) {
        const struct party *p = &c->subjects.at[i];

        if (!party_in(f->subjects.at, f->subjects.n, p) && !is_of_host(f, p) &&
            !carries_out(f, c, p) && !(is_means(p) && party_in(f->culprits.at, f->culprits.n, p)))
            continue;
        linked = true;
        if (p->lost_ns == STORE_NULL)
            continue;
        known = true;
        double here = (double)p->lost_ns * (has_one_time(p) ? 1 : during);
        lost = here > lost ? here : lost;
    }
    *ret_ns = STORE_NULL;
    if (!linked || !known || f->cost_ns == STORE_NULL)
        return linked;
    *ret_ns = lost < (double)f->cost_ns ? (ns_t)lost : f->cost_ns;
    return lost >= LEAST_SHARE * (double)f->cost_ns;
}

/* What explains more first; what is not known last; then the earlier stage, which is nearer to
 * where the fault was born. */
static int by_explained(const void *a, const void *b)
{
    const struct explanation *x = a, *y = b;
    ns_t xn = x->ns == STORE_NULL ? -1 : x->ns, yn = y->ns == STORE_NULL ? -1 : y->ns;

    return xn != yn ? (xn > yn ? -1 : 1) : (x->by > y->by) - (x->by < y->by);
}

static void find_causes(struct diagnosis *d, size_t no)
{
    struct finding *f = &d->list.at[no];
    ns_t ns;

    for (size_t i = 0; i < d->list.n; i++)
        if (explains(&d->list.at[i], f, &ns))
            *vec_push(&f->causes) = (struct explanation){ i, ns };
    if (f->causes.n)
        qsort(f->causes.at, f->causes.n, sizeof *f->causes.at, by_explained);
}

/* --- ranking ------------------------------------------------------------------------------- */

/* A finding among all, before they are put in order. */
struct place {
    struct finding *f;
    size_t no;
    enum severity worst; /* of it and of what it explains */
};

static int by_weight(const void *a, const void *b)
{
    const struct place *p = a, *q = b;
    const struct finding *x = p->f, *y = q->f;
    ns_t xc = x->cost_ns == STORE_NULL ? 0 : x->cost_ns;
    ns_t yc = y->cost_ns == STORE_NULL ? 0 : y->cost_ns;

    if (p->worst != q->worst)
        return p->worst > q->worst ? -1 : 1;
    if (p->worst == SEVERITY_INFO && x->minor != y->minor)
        return x->minor ? 1 : -1;
    bool xt = x->rule->stage == STAGE_TRACE, yt = y->rule->stage == STAGE_TRACE;
    if (p->worst == SEVERITY_INFO && !x->minor && xt != yt) /* how far to trust the rest */
        return xt ? -1 : 1;
    if (xc != yc)
        return xc > yc ? -1 : 1;
    if (x->t0 != y->t0)
        return x->t0 < y->t0 ? -1 : 1;
    return str_cmp(x->title, y->title);
}

/* Makes all that explains 'no' as bad as it; chains go from stage to earlier stage, so they end. */
static void spread(struct place *all, size_t no)
{
    for (size_t i = 0; i < all[no].f->causes.n; i++) {
        size_t up = all[no].f->causes.at[i].by;

        if (all[up].worst < all[no].worst) {
            all[up].worst = all[no].worst;
            spread(all, up);
        }
    }
}

struct order {
    size_t *at, n; /* numbers of findings, as they will be told */
    bool *told;    /* by number */
};

static bool can_be_told(const struct order *o, const struct place *p)
{
    for (size_t i = 0; i < p->f->causes.n; i++)
        if (!o->told[p->f->causes.at[i].by])
            return false;
    return !o->told[p->no];
}

static bool is_explained_by(const struct place *p, size_t no)
{
    for (size_t i = 0; i < p->f->causes.n; i++)
        if (p->f->causes.at[i].by == no)
            return true;
    return false;
}

/* Puts the finding of 'p' and, below it, those that it explains, if all else that explains them was
 * told. */
static void put(const struct place *by_rank, size_t n, const struct place *p, struct order *o)
{
    o->at[o->n++] = p->no;
    o->told[p->no] = true;
    for (size_t i = 0; i < n; i++)
        if (is_explained_by(&by_rank[i], p->no) && can_be_told(o, &by_rank[i]))
            put(by_rank, n, &by_rank[i], o);
}

/* Requests that explain each other: one of them must be told first, without what comes later. */
static void put_in_circle(const struct place *by_rank, size_t n, const struct place *p,
                          struct order *o)
{
    size_t kept = 0;

    for (size_t i = 0; i < p->f->causes.n; i++)
        if (o->told[p->f->causes.at[i].by])
            p->f->causes.at[kept++] = p->f->causes.at[i];
    p->f->causes.n = kept;
    put(by_rank, n, p, o);
}

/* Moves the findings into that order and makes numbers of findings their ranks. */
static void arrange(struct diagnosis *d, const size_t *order)
{
    size_t n = d->list.n, *rank = xcalloc(n + 1, sizeof *rank);
    struct finding *ranked = xcalloc(n + 1, sizeof *ranked);

    for (size_t i = 0; i < n; i++)
        rank[order[i]] = i + 1;
    for (size_t i = 0; i < n; i++) {
        ranked[i] = d->list.at[order[i]];
        ranked[i].rank = i + 1;
        for (size_t k = 0; k < ranked[i].causes.n; k++)
            ranked[i].causes.at[k].by = rank[ranked[i].causes.at[k].by];
    }
    memcpy(d->list.at, ranked, n * sizeof *ranked);
    free(ranked);
    free(rank);
}

/* Each is compared with each: of more than that, those that weigh least are left out. */
enum { MOST_FINDINGS = 4096 };

static int by_own_weight(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    struct place p = { .f = (struct finding *)(uintptr_t)x, .worst = x->severity },
                 q = { .f = (struct finding *)(uintptr_t)y, .worst = y->severity };

    return by_weight(&p, &q);
}

static void leave_out(struct diagnosis *d)
{
    if (d->list.n <= MOST_FINDINGS)
        return;
    qsort(d->list.at, d->list.n, sizeof *d->list.at, by_own_weight);
    finding_blind(d, finding_text(d,
                                  "%zu more findings, none of which is worse or costs more, were "
                                  "left out: ask about less (--request, --host, -r)",
                                  d->list.n - MOST_FINDINGS));
    while (d->list.n > MOST_FINDINGS)
        finding_free(&d->list.at[--d->list.n]);
}

void diagnosis_rank(struct diagnosis *d)
{
    leave_out(d);
    size_t n = d->list.n;
    if (n == 0)
        return;
    struct place *all = xcalloc(n, sizeof *all);
    struct order o = { xcalloc(n, sizeof *o.at), 0, xcalloc(n, sizeof *o.told) };

    for (size_t i = 0; i < n; i++)
        find_causes(d, i);
    for (size_t i = 0; i < n; i++)
        all[i] = (struct place){ &d->list.at[i], i, d->list.at[i].severity };
    for (size_t i = 0; i < n; i++)
        spread(all, i);
    qsort(all, n, sizeof *all, by_weight);
    for (size_t i = 0; i < n; i++)
        if (all[i].f->causes.n == 0)
            put(all, n, &all[i], &o);
    for (size_t i = 0; i < n; i++)
        if (!o.told[all[i].no])
            put_in_circle(all, n, &all[i], &o);
    assert(o.n == n);
    arrange(d, o.at);
    free(o.told);
    free(o.at);
    free(all);
}
