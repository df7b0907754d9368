/* SPDX-License-Identifier: Apache-2.0
 *
 * starved.c -- see starved.h.
 *
 * First the states of all threads are summed for each instance and service.  For those that waited
 * long it is asked in which stretch of the trace they starved (all of it, if no part has nearly all
 * of the waiting), and then who had the CPU during each of their waits in it.  Who never sleeps is
 * judged within that time: what he did before and after is nobody's loss.
 *
 * Who has the CPU while another waits need not be to blame: of five instances on two CPUs each
 * waits for all others.  To blame is who would take any number of CPUs (a vCPU that never sleeps),
 * and then who gets what he wants while others wait.  One that starves himself and asks for less
 * than a whole CPU is a victim, and no culprit as long as there are others; one that never sleeps
 * is a victim only among his like. */
#include "diagnose/starved.h"

#include "diagnose/demand.h"
#include "diagnose/slices.h"
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
#define NEARLY_ALL 0.85
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

/* When an owner starves; t1 NS_MIN: never. */
struct stretch {
    ns_t t0, t1, ran, waited;
};

/* Waited long enough, as a whole and one of its threads, to be asked about. */
static bool waits_long(const struct rule *r, const struct diagnosis *d, const struct demand *v)
{
    return v->waited > 0 && v->waited >= rule_limit_ns(d, r, MIN_WAIT) &&
           (double)v->longest >= rule_limit(d, r, MIN_OF_TRACE) * (double)v->seen;
}

/* What the owners that waited long did in each slice of the host's time. */
struct sums {
    const struct diagnosis *d;
    uint32_t host;
    enum who_kind kind;
    struct slices slices;
    uint32_t *no;       /* of an owner: its position among those; UINT32_MAX: none of them */
    ns_t *ran, *waited; /* by position and slice */
};

static ns_t *slices_for(const struct sums *s, ns_t *of, int64_t tid, ns_t t)
{
    const struct who_thread *th = tid > 0 ? whos_at(s->d->w, s->host, tid, t) : NULL;

    if (!th || !counts(s->d->w, th, s->kind))
        return NULL;
    uint32_t no = s->no[who_process(s->d->w, th)->owner];
    return no == UINT32_MAX ? NULL : &of[no * s->slices.n];
}

static void sum_waits(struct sums *s)
{
    const struct store *st = s->d->src->hosts[s->host];
    ns_t end = src_kernel_end(s->d->src, s->host);
    const cell_t *row;
    table_t t;

    if (!store_table_find(st, schema_tables[TABLE_cpu_wait].name, &t))
        return;
    struct store_rows r = store_rows(st, t, s->d->src->span);
    while ((row = store_rows_next(&r))) {
        ns_t *at = slices_for(s, s->waited, row[C_cpu_wait_tid], row[0]);

        if (at)
            slices_add(&s->slices, at, row[0], row[1] == STORE_NULL ? end : row[1]);
    }
}

static void sum_runs(struct sums *s)
{
    const struct store *st = s->d->src->hosts[s->host];
    char room[SCHEMA_PATH];
    attr_t it = 0, a;

    while (store_attr_match(st, schema_path(ATTR_CPU_THREAD, STR("*"), room), &it, &a)) {
        struct store_ranges r = store_ranges(st, a, s->d->src->span);
        struct interval v;

        while (store_ranges_next(&r, &v)) {
            ns_t *at = v.lost ? NULL : slices_for(s, s->ran, v.value, v.t0);

            if (at)
                slices_add(&s->slices, at, v.t0, v.t1);
        }
    }
}

/* The longest time in which the owner waited for most of what it wanted to run. */
static struct stretch stretch_of(const struct rule *r, const struct sums *s, uint32_t no)
{
    const ns_t *ran = &s->ran[no * s->slices.n], *waited = &s->waited[no * s->slices.n];
    double share = rule_limit(s->d, r, MIN_WAITING);
    bool holds[SLICES], known[SLICES];
    struct stretch x = { .t1 = NS_MIN };

    for (size_t i = 0; i < s->slices.n; i++) {
        known[i] = ran[i] + waited[i] > 0;
        holds[i] = known[i] && (double)waited[i] >= share * (double)(ran[i] + waited[i]);
    }
    struct slices_found f = slices_run(&s->slices, holds, known);
    if (f.n == 0)
        return x;
    x.t0 = f.t0;
    for (size_t i = 0; i < s->slices.n; i++) {
        ns_t t0 = s->slices.t0 + (ns_t)i * s->slices.len;

        x.ran = time_add(x.ran, t0 >= f.t0 && t0 < f.t1 ? ran[i] : 0);
        x.waited = time_add(x.waited, t0 >= f.t0 && t0 < f.t1 ? waited[i] : 0);
    }
    x.t1 = f.t1;
    return x;
}

/* A part of the trace that is long enough, unless it holds for all of it, and the part has not
 * nearly all of the waiting. */
static struct stretch choose(const struct rule *r, const struct sums *s, const struct demand *v,
                             uint32_t no)
{
    double share = rule_limit(s->d, r, MIN_WAITING);
    struct stretch all = { s->slices.t0, s->slices.t1, v->ran, v->waited };
    struct stretch x = stretch_of(r, s, no);
    double least = rule_limit(s->d, r, MIN_OF_TRACE) * (double)v->seen;
    bool holds = (double)v->waited >= share * ((double)v->ran + (double)v->waited);
    bool enough = x.t1 > x.t0 && (double)(x.t1 - x.t0) >= least && (double)x.waited >= least &&
                  x.waited >= rule_limit_ns(s->d, r, MIN_WAIT) &&
                  (double)x.waited >= share * ((double)x.ran + (double)x.waited);

    if (holds && !(enough && (double)x.waited >= NEARLY_ALL * (double)v->waited))
        return all;
    return enough ? x : (struct stretch){ .t1 = NS_MIN };
}

/* Fills the stretches of all owners ('ret', by owner) that are on the host. */
static void find_stretches(const struct rule *r, const struct diagnosis *d, uint32_t host,
                           enum who_kind kind, const struct demand *of, struct stretch *ret)
{
    struct sums s = { d, host, kind, slices_of(d, host, NS_PER_S / 10), NULL, NULL, NULL };
    size_t n = 0, nowners = d->w->owners.n;

    s.no = xmalloc((nowners + 1) * sizeof *s.no);
    for (size_t i = 0; i < nowners; i++) {
        bool asked =
            of[i].host == host && d->w->owners.at[i].kind == kind && waits_long(r, d, &of[i]);

        s.no[i] = asked ? (uint32_t)n++ : UINT32_MAX;
    }
    if (n && s.slices.n) {
        s.ran = xcalloc(n * s.slices.n, sizeof *s.ran);
        s.waited = xcalloc(n * s.slices.n, sizeof *s.waited);
        sum_waits(&s);
        sum_runs(&s);
    }
    for (size_t i = 0; i < nowners; i++)
        if (s.no[i] != UINT32_MAX && s.slices.n)
            ret[i] = choose(r, &s, &of[i], s.no[i]);
    free(s.ran);
    free(s.waited);
    free(s.no);
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
static void share_out(const struct diagnosis *d, uint32_t host, struct who_had *h,
                      struct takers *to)
{
    while (who_had_next(h)) {
        const struct who_thread *th = h->tid > 0 ? whos_at(d->w, host, h->tid, h->t0) : NULL;

        if (th)
            take(to, who_process(d->w, th)->owner, h->t1 - h->t0);
    }
}

/* Fills who took the CPUs of each owner ('ret', by owner) while it starved ('when'). */
static void find_takers(const struct diagnosis *d, uint32_t host, enum who_kind kind,
                        const struct stretch *when, struct takers *ret)
{
    struct who_cpus cpus = { .s = d->src->hosts[host] };
    ns_t end = src_kernel_end(d->src, host);
    const cell_t *row;
    table_t t;

    if (!store_table_find(cpus.s, schema_tables[TABLE_cpu_wait].name, &t))
        return;
    struct store_rows r = store_rows(cpus.s, t, d->src->span);
    while ((row = store_rows_next(&r))) {
        const struct who_thread *th = whos_at(d->w, host, row[C_cpu_wait_tid], row[0]);
        struct span wait = { row[0], row[1] == STORE_NULL ? end : row[1] };

        if (!th || !counts(d->w, th, kind))
            continue;
        uint32_t owner = who_process(d->w, th)->owner;
        if (when[owner].t1 > NS_MIN && wait.t1 >= when[owner].t0 && wait.t0 < when[owner].t1)
            share_out(d, host, who_cpus_had(&cpus, row[C_cpu_wait_cpu], wait), &ret[owner]);
    }
    who_cpus_free(&cpus);
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
    const struct demand *of; /* all owners' while it lasted */
    struct takers victims, takers;
    ns_t ran, waited;
    ns_t t0, t1; /* from the first to the last that any of them did */
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
static void blame(struct starving *s)
{
    ns_t others = 0;

    for (size_t i = 0; i < s->takers.at.n; i++) {
        struct taker *t = &s->takers.at.at[i];

        if (part_of(&s->victims, t->owner) && !s->of[t->owner].endless)
            t->blame = BLAME_NONE;
        else if (s->of[t->owner].endless && (double)t->ns >= SHARE_LEADS * (double)s->waited)
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
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    qsort(s->victims.at.at, s->victims.at.n, sizeof *s->victims.at.at, by_ns);
    blame(s);
    f->title = title(d, s, name, kind);
    finding_host(f, str_of(name));
    f->t0 = s->t0;
    f->t1 = s->t1;
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

/* Adds an owner to those of its host, unless it waits for itself; 'by' are those who had its CPUs.
 */
static void add(const struct rule *r, const struct diagnosis *d, uint32_t owner,
                const struct stretch *v, const struct takers *by, struct starving *s)
{
    ns_t others = 0;

    for (size_t i = 0; i < by->at.n; i++)
        others += by->at.at[i].ns;
    others -= part_of(by, owner);
    if ((double)others < rule_limit(d, r, MIN_OTHERS) * (double)v->waited)
        return;
    take(&s->victims, owner, v->waited);
    s->ran += v->ran;
    s->waited = time_add(s->waited, v->waited);
    s->t0 = v->t0 < s->t0 ? v->t0 : s->t0;
    s->t1 = v->t1 > s->t1 ? v->t1 : s->t1;
    for (size_t i = 0; i < by->at.n; i++)
        if (by->at.at[i].owner != owner)
            take(&s->takers, by->at.at[i].owner, by->at.at[i].ns);
}

/* Who would take any CPU in that time, and so is no victim as long as there are others? */
static void spare_modest(const struct demand *of, size_t n, struct stretch *when)
{
    bool modest = false; /* starves anyone who sleeps when there is nothing to do? */

    for (size_t i = 0; i < n; i++)
        modest |= when[i].t1 > NS_MIN && !of[i].endless;
    for (size_t i = 0; i < n; i++)
        if (modest && of[i].endless)
            when[i].t1 = NS_MIN;
}

static void find_host(const struct rule *r, struct diagnosis *d, uint32_t h, enum who_kind kind,
                      struct stretch *when)
{
    struct span starved = { NS_MAX, NS_MIN };
    size_t n = d->w->owners.n;

    for (size_t i = 0; i < n; i++)
        when[i] = (struct stretch){ .t1 = NS_MIN };
    find_stretches(r, d, h, kind, demands_of(d), when);
    for (size_t i = 0; i < n; i++) {
        starved.t0 = when[i].t1 > NS_MIN && when[i].t0 < starved.t0 ? when[i].t0 : starved.t0;
        starved.t1 = when[i].t1 > starved.t1 ? when[i].t1 : starved.t1;
    }
    if (starved.t0 >= starved.t1)
        return;
    struct demand *of = demands_within(d, starved);
    struct takers *by = xcalloc(n + 1, sizeof *by);
    struct starving s = { .of = of, .t0 = NS_MAX, .t1 = NS_MIN };

    spare_modest(of, n, when);
    find_takers(d, h, kind, when, by);
    for (uint32_t i = 0; i < n; i++) {
        if (when[i].t1 > NS_MIN)
            add(r, d, i, &when[i], &by[i], &s);
        vec_free(&by[i].at);
    }
    if (s.victims.at.n)
        found(r, d, h, kind, &s);
    vec_free(&s.victims.at);
    vec_free(&s.takers.at);
    free(by);
    free(of);
}

void starved_find(const struct rule *r, struct diagnosis *d, enum who_kind kind)
{
    struct stretch *when = xcalloc(d->w->owners.n + 1, sizeof *when);

    for (uint32_t h = 0; h < d->src->nhosts; h++)
        find_host(r, d, h, kind, when);
    free(when);
}
