/* SPDX-License-Identifier: Apache-2.0
 *
 * starved.c -- see starved.h.
 *
 * First the states of all threads are summed for each instance and service; only for those
 * that starve it is then asked who had the CPU during each of their waits. */
#include "diagnose/starved.h"

#include "model/qemu.h"
#include "report/measure.h"

#include <stdlib.h>

enum { MIN_WAITING, MIN_OF_TRACE, MIN_WAIT, MIN_OTHERS };
const struct limit starved_limits[] = {
    [MIN_WAITING] = { "min-waiting", 0.5, "of the time that it wants to run",
                      "who waits for as long as it runs is slowed to half" },
    [MIN_OF_TRACE] = { "min-of-trace", 0.1, "of the trace",
                       "short bursts of many threads on few CPUs are normal" },
    [MIN_WAIT] = { "min-wait", 0.1, "s", "the same for short traces" },
    [MIN_OTHERS] = { "min-others", 0.25, "of the waiting",
                     "had by others than its own threads; below, it competes with itself" },
};
_Static_assert(ARRAY_SIZE(starved_limits) == STARVED_LIMITS, "starved.h says how many");

struct victim {
    ns_t ran, waited, seen; /* seen: how long the host's kernel was traced */
    uint32_t host;
};

struct taker {
    uint32_t owner;
    ns_t ns;
};
struct takers {
    VEC(struct taker) at;
};

static bool counts(const struct whos *w, const struct who_thread *th, enum who_kind kind)
{
    return who_owner(w, th)->kind == kind && (kind != WHO_VM || qemu_is_vcpu(th->comm));
}

static bool starves(const struct rule *r, const struct diagnosis *d, const struct victim *v)
{
    return v->waited >= rule_limit_ns(d, r, MIN_WAIT) &&
           (double)v->waited >= rule_limit(d, r, MIN_OF_TRACE) * (double)v->seen &&
           (double)v->waited >= rule_limit(d, r, MIN_WAITING) * (double)(v->ran + v->waited);
}

static void take(struct takers *to, uint32_t owner, ns_t ns)
{
    for (size_t i = 0; i < to->at.n; i++)
        if (to->at.at[i].owner == owner) {
            to->at.at[i].ns += ns;
            return;
        }
    *vec_push(&to->at) = (struct taker){ owner, ns };
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

static void found(const struct rule *r, struct diagnosis *d, uint32_t host, enum who_kind kind,
                  struct starving *s)
{
    enum { SHOWN = 8 };
    const char *name = store_host(d->src->hosts[host]);
    struct str where = finding_text(d, "neph top preempt --host %s", name);
    struct span seen = measure_within(d->src, host, d->src->span);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    qsort(s->victims.at.at, s->victims.at.n, sizeof *s->victims.at.at, by_ns);
    qsort(s->takers.at.at, s->takers.at.n, sizeof *s->takers.at.at, by_ns);
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
        const struct who_owner *c = &d->w->owners.at[s->takers.at.at[i].owner];
        double share = (double)s->takers.at.at[i].ns / (double)s->waited;

        if (share < 0.02)
            break;
        finding_culprit(f, who_kind_name(c->kind), c->name);
        finding_evidence(f, "meanwhile the CPU was had by",
                         finding_text(d, STR_FMT ": %.1f %%", STR_ARG(c->name), share * 100), "",
                         where);
    }
}

/* Adds an owner to those of its host, unless it waits for itself. */
static void add(const struct rule *r, const struct diagnosis *d, uint32_t owner,
                const struct victim *v, enum who_kind kind, struct starving *s)
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

void starved_find(const struct rule *r, struct diagnosis *d, enum who_kind kind)
{
    const struct whos *w = d->w;
    struct victim *all = xcalloc(w->owners.n + 1, sizeof *all);
    struct starving *of = xcalloc(d->src->nhosts + 1, sizeof *of);

    for (size_t i = 0; i < w->threads.n; i++) {
        const struct who_thread *th = &w->threads.at[i];
        struct usage u = { 0 };

        if (!counts(w, th, kind))
            continue;
        struct victim *v = &all[who_process(w, th)->owner];
        struct span seen = measure_within(d->src, th->host, d->src->span);

        usage_add(d->src, th, &u);
        v->ran += usage_sum(&u, TS_USER, TS_SOFTIRQ);
        v->waited += usage_sum(&u, TS_WAIT, TS_PREEMPTED);
        v->host = th->host;
        v->seen = seen.t1 > seen.t0 ? seen.t1 - seen.t0 : 0;
    }
    for (uint32_t i = 0; i < w->owners.n; i++)
        if (starves(r, d, &all[i]))
            add(r, d, i, &all[i], kind, &of[all[i].host]);
    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        if (of[h].victims.at.n)
            found(r, d, h, kind, &of[h]);
        vec_free(&of[h].victims.at);
        vec_free(&of[h].takers.at);
    }
    free(of);
    free(all);
}
