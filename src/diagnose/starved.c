/* SPDX-License-Identifier: Apache-2.0
 *
 * starved.c -- see starved.h.
 *
 * First the states of all threads are summed for each instance and service; only for those
 * that starve it is then asked who had the CPU during each of their waits.
 *
 * Who has the CPU while another waits need not be to blame: of five instances on two CPUs each
 * waits for all others.  To blame is who would take any number of CPUs (a vCPU that never sleeps),
 * and then who gets what he wants while others wait.  One that starves himself and asks for less
 * than a whole CPU is a victim, and no culprit as long as there are others; one that never sleeps
 * is a victim only among his like. */
#include "diagnose/starved.h"

#include "diagnose/demand.h"
#include "model/qemu.h"
#include "report/measure.h"

#include <stdlib.h>

enum { MIN_WAITING, MIN_OF_TRACE, MIN_WAIT, MIN_OTHERS };
const struct limit starved_limits[] = {
    [MIN_WAITING] = { "min-waiting", 0.5, "of the time that it wants to run",
                      "who waits for as long as it runs is slowed to half" },
    [MIN_OF_TRACE] = { "min-of-trace", 0.1, "of the trace",
                       "that one of its threads waited: short bursts of many threads on few CPUs "
                       "are normal" },
    [MIN_WAIT] = { "min-wait", 0.1, "s", "the same for short traces" },
    [MIN_OTHERS] = { "min-others", 0.25, "of the waiting",
                     "had by others than its own threads; below, it competes with itself" },
};
_Static_assert(ARRAY_SIZE(starved_limits) == STARVED_LIMITS, "starved.h says how many");

/* Culprits take at least that share of the waiting; one that never sleeps leads them from the
 * other on. */
#define SHARE_SHOWN 0.02
#define SHARE_LEADS 0.05
#define MORE_THAN_TAKEN 1.25 /* that of the other, at least: shares are never quite even */

enum blame { BLAME_FIRST, BLAME_NEXT, BLAME_NONE };

struct taker {
    uint32_t owner;
    ns_t ns;
    enum blame blame;
};
struct takers {
    VEC(struct taker) at;
};

static bool counts(const struct whos *w, const struct who_thread *th, enum who_kind kind)
{
    return who_owner(w, th)->kind == kind && (kind != WHO_VM || qemu_is_vcpu(th->comm));
}

static bool starves(const struct rule *r, const struct diagnosis *d, const struct demand *v)
{
    return v->waited > 0 && v->waited >= rule_limit_ns(d, r, MIN_WAIT) &&
           (double)v->longest >= rule_limit(d, r, MIN_OF_TRACE) * (double)v->seen &&
           (double)v->waited >= rule_limit(d, r, MIN_WAITING) * (double)(v->ran + v->waited);
}

static void take(struct takers *to, uint32_t owner, ns_t ns)
{
    for (size_t i = 0; i < to->at.n; i++)
        if (to->at.at[i].owner == owner) {
            to->at.at[i].ns += ns;
            return;
        }
    *vec_push(&to->at) = (struct taker){ owner, ns, BLAME_NEXT };
}

/* Adds who had the CPU during a wait. */
static void share_out(const struct diagnosis *d, uint32_t host, const cell_t *row, ns_t t1,
                      struct takers *to)
{
    struct who_had h;

    who_had(&h, d->src->hosts[host], row[C_cpu_wait_cpu], (struct span){ row[0], t1 });
    while (who_had_next(&h)) {
        const struct who_thread *th = h.tid > 0 ? whos_at(d->w, host, h.tid, h.t0) : NULL;

        if (th)
            take(to, who_process(d->w, th)->owner, h.t1 - h.t0);
    }
}

static void find_takers(const struct diagnosis *d, uint32_t owner, uint32_t host,
                        enum who_kind kind, struct takers *to)
{
    const struct store *s = d->src->hosts[host];
    ns_t end = src_kernel_end(d->src, host);
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_cpu_wait].name, &t))
        return;
    struct store_rows r = store_rows(s, t, d->src->span);
    while ((row = store_rows_next(&r))) {
        const struct who_thread *th = whos_at(d->w, host, row[C_cpu_wait_tid], row[0]);

        if (th && who_process(d->w, th)->owner == owner && counts(d->w, th, kind))
            share_out(d, host, row, row[1] == STORE_NULL ? end : row[1], to);
    }
}

static int by_ns(const void *a, const void *b)
{
    const struct taker *x = a, *y = b;

    if (x->blame != y->blame)
        return x->blame < y->blame ? -1 : 1;
    return x->ns != y->ns ? (x->ns > y->ns ? -1 : 1)
                          : (x->owner > y->owner) - (x->owner < y->owner);
}

/* Those of one host in one finding: they wait for the same CPUs, and mostly for each other. */
struct starving {
    struct takers victims, takers;
    ns_t ran, waited;
};

static ns_t part_of(const struct takers *t, uint32_t owner)
{
    for (size_t i = 0; i < t->at.n; i++)
        if (t->at.at[i].owner == owner)
            return t->at.at[i].ns;
    return 0;
}

static struct str title(const struct diagnosis *d, const struct starving *s, const char *host,
                        enum who_kind kind)
{
    double waiting = (double)s->waited / (double)(s->ran + s->waited) * 100;

    if (s->victims.at.n > 1)
        return finding_text(d,
                            "%zu %s on %s wait for CPUs %.0f %% of the time in which they want to "
                            "run, and others have them",
                            s->victims.at.n, kind == WHO_VM ? "instances" : "services", host,
                            waiting);
    return finding_text(d,
                        STR_FMT " on %s waits for CPUs %.0f %% of the time in which it wants to "
                                "run, and others have them",
                        STR_ARG(d->w->owners.at[s->victims.at.at[0].owner].name), host, waiting);
}

/* Decides who is to blame, and sorts them by that. */
static void blame(struct diagnosis *d, struct starving *s)
{
    const struct demand *demands = demands_of(d);
    ns_t others = 0;

    for (size_t i = 0; i < s->takers.at.n; i++) {
        struct taker *t = &s->takers.at.at[i];

        if (part_of(&s->victims, t->owner) && !demands[t->owner].endless)
            t->blame = BLAME_NONE;
        else if (demands[t->owner].endless && (double)t->ns >= SHARE_LEADS * (double)s->waited)
            t->blame = BLAME_FIRST;
        others += t->blame == BLAME_NONE ? 0 : t->ns;
    }
    /* Where there is nobody else they starve each other: who takes more than he is taken. */
    for (size_t i = 0; i < s->takers.at.n; i++) {
        struct taker *t = &s->takers.at.at[i];

        if (t->blame == BLAME_NONE && (double)others < SHARE_LEADS * (double)s->waited &&
            (double)t->ns * MORE_THAN_TAKEN >= (double)part_of(&s->victims, t->owner))
            t->blame = BLAME_NEXT;
    }
    if (s->takers.at.n)
        qsort(s->takers.at.at, s->takers.at.n, sizeof *s->takers.at.at, by_ns);
}

static void found(const struct rule *r, struct diagnosis *d, uint32_t host, enum who_kind kind,
                  struct starving *s)
{
    enum { SHOWN = 8 };
    const char *name = store_host(d->src->hosts[host]);
    struct str where = finding_text(d, "neph top preempt --host %s", name);
    struct span seen = measure_within(d->src, host, d->src->span);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    qsort(s->victims.at.at, s->victims.at.n, sizeof *s->victims.at.at, by_ns);
    blame(d, s);
    f->title = title(d, s, name, kind);
    finding_host(f, str_of(name));
    f->t0 = seen.t0;
    f->t1 = seen.t1;
    f->cost_ns = s->waited;
    finding_evidence_ns(d, f, "waited for CPUs", s->waited, where);
    finding_evidence_ns(d, f, "ran", s->ran, where);
    for (size_t i = 0; i < s->victims.at.n; i++)
        finding_subject_lost(f, who_kind_name(kind),
                             d->w->owners.at[s->victims.at.at[i].owner].name,
                             s->victims.at.at[i].ns);
    for (size_t i = 0; i < s->takers.at.n && f->culprits.n < SHOWN; i++) {
        const struct taker *t = &s->takers.at.at[i];
        const struct who_owner *c = &d->w->owners.at[t->owner];
        double share = (double)t->ns / (double)s->waited;

        if (t->blame == BLAME_NONE || share < SHARE_SHOWN)
            continue;
        finding_culprit(f, who_kind_name(c->kind), c->name);
        finding_evidence(f, "meanwhile the CPU was had by",
                         finding_text(d, STR_FMT ": %.1f %%", STR_ARG(c->name), share * 100), "",
                         where);
    }
}

/* Adds an owner to those of its host, unless it waits for itself. */
static void add(const struct rule *r, const struct diagnosis *d, uint32_t owner,
                const struct demand *v, enum who_kind kind, struct starving *s)
{
    struct takers by = { 0 };
    ns_t others = 0;

    find_takers(d, owner, v->host, kind, &by);
    for (size_t i = 0; i < by.at.n; i++)
        others += by.at.at[i].ns;
    others -= part_of(&by, owner);
    if ((double)others >= rule_limit(d, r, MIN_OTHERS) * (double)v->waited) {
        take(&s->victims, owner, v->waited);
        s->ran += v->ran;
        s->waited += v->waited;
        for (size_t i = 0; i < by.at.n; i++)
            if (by.at.at[i].owner != owner)
                take(&s->takers, by.at.at[i].owner, by.at.at[i].ns);
    }
    vec_free(&by.at);
}

/* Does anyone of that kind starve on the host who sleeps when there is nothing to do? */
static bool any_modest(const struct rule *r, const struct diagnosis *d, const struct demand *of,
                       uint32_t host, enum who_kind kind)
{
    for (size_t i = 0; i < d->w->owners.n; i++)
        if (of[i].host == host && d->w->owners.at[i].kind == kind && !of[i].endless &&
            starves(r, d, &of[i]))
            return true;
    return false;
}

void starved_find(const struct rule *r, struct diagnosis *d, enum who_kind kind)
{
    const struct whos *w = d->w;
    const struct demand *of = demands_of(d);

    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        bool modest = any_modest(r, d, of, h, kind);
        struct starving s = { 0 };

        for (uint32_t i = 0; i < w->owners.n; i++)
            if (of[i].host == h && w->owners.at[i].kind == kind && starves(r, d, &of[i]) &&
                !(modest && of[i].endless))
                add(r, d, i, &of[i], kind, &s);
        if (s.victims.at.n)
            found(r, d, h, kind, &s);
        vec_free(&s.victims.at);
        vec_free(&s.takers.at);
    }
}
