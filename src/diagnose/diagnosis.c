/* SPDX-License-Identifier: Apache-2.0
 *
 * diagnosis.c -- applies the rules, links what they found, and ranks it; see finding.h.
 *
 * Findings that are explained by others stand below these; roots are ranked by severity, then by
 * cost. */
#include "diagnose/rule.h"

#include "report/clocks.h"
#include "report/measure.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>

/* --- for rules ---------------------------------------------------------------------------- */

struct finding *finding_add(struct diagnosis *d, const struct rule *r, enum severity severity)
{
    struct finding *f = vec_push(&d->list);

    *f = (struct finding){ .rule = r,
                           .severity = severity,
                           .title = str_of(r->title),
                           .t0 = STORE_NULL,
                           .t1 = STORE_NULL,
                           .cost_ns = STORE_NULL };
    return f;
}

struct str finding_text(const struct diagnosis *d, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return str_of(arena_strdup(d->src->mem, text, strlen(text)));
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

void finding_subject(struct finding *f, const char *kind, struct str name)
{
    if (name.n)
        *vec_push(&f->subjects) = (struct party){ kind, name };
}

void finding_culprit(struct finding *f, const char *kind, struct str name)
{
    if (name.n)
        *vec_push(&f->culprits) = (struct party){ kind, name };
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

/* --- linking ------------------------------------------------------------------------------- */

static bool is_of(const struct finding *f, const struct party *p)
{
    for (size_t i = 0; i < f->subjects.n; i++)
        if (strcmp(f->subjects.at[i].kind, p->kind) == 0 && str_eq(f->subjects.at[i].name, p->name))
            return true;
    return false;
}

static bool share_subject(const struct finding *a, const struct finding *b)
{
    for (size_t i = 0; i < a->subjects.n; i++)
        if (is_of(b, &a->subjects.at[i]))
            return true;
    return false;
}

static bool meet(const struct finding *a, const struct finding *b)
{
    ns_t a1 = a->t1 == STORE_NULL ? NS_MAX : a->t1, b1 = b->t1 == STORE_NULL ? NS_MAX : b->t1;

    return a->t0 != STORE_NULL && b->t0 != STORE_NULL && a->t0 <= b1 && b->t0 <= a1;
}

/* What explains what, if both are of one subject at one time: the best explanation first.  No rule
 * explains, over others, itself. */
static const struct {
    const struct rule *symptom, *cause;
} chains[] = {
    { &rule_operation_failed, &rule_no_valid_host },
    { &rule_operation_failed, &rule_migration_failed },
    { &rule_operation_failed, &rule_migration_never_ends },
    { &rule_vm_state, &rule_no_valid_host },
    { &rule_vm_state, &rule_migration_failed },
    { &rule_vm_state, &rule_operation_failed },
    { &rule_migration_disturbed, &rule_vm_starved },
    { &rule_migration_disturbed, &rule_service_starved },
    { &rule_vm_starved, &rule_interrupt_storm },
    { &rule_service_starved, &rule_interrupt_storm },
    { &rule_vm_starved, &rule_host_overcommitted },
    { &rule_service_starved, &rule_host_overcommitted },
    { &rule_out_of_memory, &rule_memory_growth },
    { &rule_disk_contended, &rule_disk_slow },
};

/* The finding that explains 'f', or 'f'. */
static size_t find_cause(const struct diagnosis *d, size_t f)
{
    const struct finding *x = &d->list.at[f];

    for (size_t c = 0; c < ARRAY_SIZE(chains); c++)
        for (size_t k = 0; chains[c].symptom == x->rule && k < d->list.n; k++)
            if (d->list.at[k].rule == chains[c].cause && share_subject(x, &d->list.at[k]) &&
                meet(x, &d->list.at[k]))
                return k;
    return f;
}

/* --- ranking ------------------------------------------------------------------------------- */

struct place {
    const struct finding *f;
    size_t cause, no; /* before ranking */
};

static int by_weight(const void *a, const void *b)
{
    const struct finding *x = ((const struct place *)a)->f, *y = ((const struct place *)b)->f;
    ns_t xc = x->cost_ns == STORE_NULL ? 0 : x->cost_ns;
    ns_t yc = y->cost_ns == STORE_NULL ? 0 : y->cost_ns;

    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (xc != yc)
        return xc > yc ? -1 : 1;
    if (x->t0 != y->t0)
        return x->t0 < y->t0 ? -1 : 1;
    return str_cmp(x->title, y->title);
}

/* Puts the finding of 'p' and, below it, those that it explains. */
static void put(const struct place *all, size_t n, const struct place *p, size_t cause,
                struct finding *ranked, size_t *nranked)
{
    size_t rank = *nranked + 1;

    ranked[*nranked] = *p->f;
    ranked[*nranked].rank = rank;
    ranked[*nranked].cause = cause;
    ++*nranked;
    for (size_t i = 0; i < n; i++)
        if (all[i].cause == p->no && all[i].no != p->no)
            put(all, n, &all[i], rank, ranked, nranked);
}

static void rank(struct diagnosis *d)
{
    size_t n = d->list.n, nranked = 0;
    struct place *all = xcalloc(n + 1, sizeof *all);
    struct finding *ranked = xcalloc(n + 1, sizeof *ranked);

    for (size_t i = 0; i < n; i++)
        all[i] = (struct place){ &d->list.at[i], find_cause(d, i), i };
    if (n)
        qsort(all, n, sizeof *all, by_weight);
    for (size_t i = 0; i < n; i++)
        if (all[i].cause == all[i].no)
            put(all, n, &all[i], 0, ranked, &nranked);
    assert(nranked == n); /* chains have no circles */
    if (n)
        memcpy(d->list.at, ranked, n * sizeof *ranked);
    free(ranked);
    free(all);
}

/* --- what could not be seen ---------------------------------------------------------------- */

static bool has_rows(const struct report_src *src, enum schema_table t)
{
    struct src_rows r = src_rows(src, t);
    bool any = src_next(&r) != NULL;

    if (any)
        src_end(&r);
    return any;
}

static void find_blind_spots(struct diagnosis *d)
{
    const struct report_src *src = d->src;

    for (uint32_t i = 0; i < src->nhosts; i++)
        if (!measure_had(src->hosts[i], EV_SCHED_SWITCH))
            finding_blind(
                d, finding_text(d,
                                "%s: its kernel was not traced: who had CPUs and disks there, and "
                                "who waited for them, is not known (lttng enable-event -k "
                                "'sched_*')",
                                store_host(src->hosts[i])));
    if (!has_rows(src, TABLE_task) && !has_rows(src, TABLE_step) && !has_rows(src, TABLE_line))
        finding_blind(d,
                      STR("nothing of OpenStack's services was traced: which requests were slow or "
                          "failed is not known (lttng enable-event -p lttng_python:\\*)"));
    if (!has_rows(src, TABLE_qemu))
        finding_blind(
            d, STR("QEMU was not traced: rounds and downtime of migrations, if there were any, "
                   "are not known"));
    for (uint32_t i = 0; src->clocks && src->nhosts > 1 && i < src->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(src->hosts[i], &cov);
        struct clock_error e = clocks_error(src->clocks, i, cov.t0 / 2 + cov.t1 / 2);

        if (e.before > NS_MAX / 4 || e.after > NS_MAX / 4)
            finding_blind(d,
                          finding_text(d,
                                       "%s: its clock is not bounded against the reference's: what "
                                       "happened first on two hosts is not known (neph sync)",
                                       store_host(src->hosts[i])));
    }
    finding_blind(d, STR("there are no rules yet for slow requests: `neph list requests` has the "
                         "figures"));
}

void diagnosis_make(const struct report_src *src, const struct limits_set *limits,
                    struct diagnosis *ret)
{
    *ret = (struct diagnosis){ .src = src,
                               .limits = limits,
                               .w = xcalloc(1, sizeof *ret->w),
                               .migrations = xcalloc(1, sizeof *ret->migrations) };
    whos_make(src, ret->w);
    migrations_make(src, ret->w, ret->migrations);
    for (size_t i = 0; rules[i]; i++)
        rules[i]->find(rules[i], ret);
    rank(ret);
    find_blind_spots(ret);
}

void diagnosis_free(struct diagnosis *d)
{
    for (size_t i = 0; i < d->list.n; i++) {
        struct finding *f = &d->list.at[i];

        vec_free(&f->subjects);
        vec_free(&f->culprits);
        vec_free(&f->hosts);
        vec_free(&f->evidence);
        vec_free(&f->unknown);
    }
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
