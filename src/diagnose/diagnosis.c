/* SPDX-License-Identifier: Apache-2.0
 *
 * diagnosis.c -- applies the rules, and says what none of them could see; see finding.h. */
#include "diagnose/rule.h"

#include <stdlib.h>

/* --- for rules ---------------------------------------------------------------------------- */

struct finding *finding_add(struct diagnosis *d, const struct rule *r, enum severity severity)
{
    struct finding *f = vec_push(&d->list);

    *f = (struct finding){ .rule = r,
                           .severity = severity,
                           .layer = r->layer,
                           .title = str_of(r->title),
                           .t0 = STORE_NULL,
                           .t1 = STORE_NULL,
                           .cost_ns = STORE_NULL };
    return f;
}

struct str finding_vm(struct str name)
{
    return name.n ? name : STR("an instance that nothing names");
}

struct str finding_first_line(struct str error)
{
    enum { MOST = 200 };
    size_t n = 0;

    /* Tracebacks are in one line in logs, with \\n for line ends. */
    while (n < error.n && n < MOST && error.p[n] != '\n' &&
           !(error.p[n] == '\\' && n + 1 < error.n && error.p[n + 1] == 'n'))
        n++;
    return (struct str){ error.p, n };
}

struct str finding_duration(const struct diagnosis *d, ns_t ns)
{
    char text[TIME_TEXT];

    time_human(ns, text);
    return str_of(arena_strdup(d->src->mem, text, strlen(text)));
}

void finding_subject_lost(struct finding *f, const char *kind, struct str name, ns_t lost_ns)
{
    if (name.n)
        *vec_push(&f->subjects) = (struct party){ kind, name, lost_ns };
}

void finding_subject(struct finding *f, const char *kind, struct str name)
{
    finding_subject_lost(f, kind, name, STORE_NULL);
}

void finding_culprit(struct finding *f, const char *kind, struct str name)
{
    if (name.n)
        *vec_push(&f->culprits) = (struct party){ kind, name, STORE_NULL };
}

void finding_host(struct finding *f, struct str host)
{
    for (size_t i = 0; i < f->hosts.n; i++)
        if (str_eq(f->hosts.at[i], host))
            return;
    if (host.n)
        *vec_push(&f->hosts) = host;
}

void finding_evidence(struct finding *f, const char *what, struct str value, const char *unit,
                      struct str where)
{
    if (value.n)
        *vec_push(&f->evidence) = (struct evidence){ what, value, unit, where };
}

void finding_evidence_ns(const struct diagnosis *d, struct finding *f, const char *what, ns_t ns,
                         struct str where)
{
    if (ns != STORE_NULL)
        finding_evidence(f, what, finding_text(d, "%lld", (long long)ns), "ns", where);
}

void finding_unknown(struct finding *f, struct str sentence)
{
    if (sentence.n)
        *vec_push(&f->unknown) = sentence;
}

void finding_blind(struct diagnosis *d, struct str sentence)
{
    for (size_t i = 0; i < d->blind_spots.n; i++)
        if (str_eq(d->blind_spots.at[i], sentence))
            return;
    *vec_push(&d->blind_spots) = sentence;
}

void diagnosis_make(const struct report_src *src, const struct limits_set *limits,
                    const struct baseline *baseline, struct diagnosis *ret)
{
    *ret = (struct diagnosis){ .src = src,
                               .limits = limits,
                               .baseline = baseline,
                               .w = xcalloc(1, sizeof *ret->w),
                               .migrations = xcalloc(1, sizeof *ret->migrations) };
    whos_make(src, ret->w);
    migrations_make(src, ret->w, ret->migrations);
    for (size_t i = 0; rules[i]; i++)
        rules[i]->find(rules[i], ret);
    diagnosis_rank(ret);
}

void finding_free(struct finding *f)
{
    vec_free(&f->subjects);
    vec_free(&f->culprits);
    vec_free(&f->hosts);
    vec_free(&f->evidence);
    vec_free(&f->unknown);
    vec_free(&f->causes);
}

void diagnosis_free(struct diagnosis *d)
{
    for (size_t i = 0; i < d->list.n; i++)
        finding_free(&d->list.at[i]);
    vec_free(&d->list);
    vec_free(&d->blind_spots);
    if (d->w) {
        migrations_free(d->migrations);
        whos_free(d->w);
    }
    free(d->demands);
    free(d->migrations);
    free(d->w);
    *d = (struct diagnosis){ 0 };
}

size_t diagnosis_count(const struct diagnosis *d, enum severity least)
{
    size_t n = 0;

    for (size_t i = 0; i < d->list.n; i++)
        n += d->list.at[i].severity >= least;
    return n;
}
