/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_compare.c -- two migrations side by side; see migration_show.h.
 *
 * What differs by less than a twentieth says nothing, and neither does what differs by less than
 * the clocks of the hosts are known: it is shown, and said to be so. */
#include "report/migration_show.h"

#include "report/cell_text.h"
#include "report/clocks.h"

#include <math.h>
#include <stdlib.h>

enum { WAITS_SHOWN = 12 };

static const double NOISE = 0.05;
static const double UNKNOWN = (double)NAN;

/* One thing of both.  Not a number: that one does not have it, or it is not known. */
struct pair {
    struct str what, of, unit;
    double v[2];
    double bound; /* of the difference; not a number: not known */
};
typedef VEC(struct pair) pair_vec;

static double known(int64_t v, int64_t unknown)
{
    return v == STORE_NULL || v == unknown ? UNKNOWN : (double)v;
}

/* --- bounds ---------------------------------------------------------------------------------- */

static double worst_error(const struct report_src *src, uint32_t host, ns_t t)
{
    struct clock_error e = clocks_error(src->clocks, host, t);
    ns_t worst = e.before > e.after ? e.before : e.after;

    return worst > NS_MAX / 4 ? UNKNOWN : (double)worst;
}

/* By how much a time from 'source' to 'destination' may be wrong.  Within a host: not at all. */
static double bound_of(const struct report_src *src, const struct migration *m)
{
    if (m->source_host == m->destination_host || m->source_host == UINT32_MAX ||
        m->destination_host == UINT32_MAX || !src->clocks || m->end == STORE_NULL)
        return 0;
    return worst_error(src, m->source_host, m->start) +
           worst_error(src, m->destination_host, m->end);
}

/* --- times ----------------------------------------------------------------------------------- */

static struct pair *pair_of(pair_vec *all, struct str what, struct str of, struct str unit)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(all->at[i].what, what) && str_eq(all->at[i].of, of))
            return &all->at[i];
    struct pair *p = vec_push(all);
    *p = (struct pair){ what, of, unit, { UNKNOWN, UNKNOWN }, 0 };
    return p;
}

/* Stages of one name are added up: a stage may come again. */
static void add_stages(const struct migration *m, int side, pair_vec *all)
{
    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *s = &m->stages.at[i];

        if (s->t0 == STORE_NULL || s->t1 == STORE_NULL)
            continue;
        struct pair *p = pair_of(all, s->name, s->layer, STR("ns"));
        p->v[side] = (isnan(p->v[side]) ? 0 : p->v[side]) + (double)(s->t1 - s->t0);
    }
}

static void add_downtimes(const struct report_src *src, const struct migration *m, int side,
                          pair_vec *all)
{
    for (size_t i = 0; i < m->downtimes.n; i++) {
        const struct mig_downtime *d = &m->downtimes.at[i];
        char *name = arena_printf(src->mem, "downtime (" STR_FMT ")", STR_ARG(d->source));
        struct pair *p = pair_of(all, str_of(name), STR("guest"), STR("ns"));

        p->v[side] = known(d->ns, STORE_NULL);
        p->bound += known(d->bound_ns, STORE_NULL);
    }
}

/* Who had the CPUs that were waited for.  Of whom nothing was seen in one of two migrations whose
 * kernels were traced, that one did not wait for. */
static void add_waits(const struct migration *m, int side, pair_vec *all)
{
    for (size_t i = 0; i < m->culprits.n; i++) {
        const struct mig_culprit *c = &m->culprits.at[i];

        pair_of(all, c->name, c->kind, STR("ns"))->v[side] = (double)c->wait_ns;
    }
}

static void none_is_zero(const struct migration *m, int side, pair_vec *all)
{
    for (size_t i = 0; i < all->n && m->cpu_wait_ns > 0; i++)
        if (isnan(all->at[i].v[side]))
            all->at[i].v[side] = 0;
}

static void add_kernel(const struct migration *m, int side, pair_vec *all)
{
    if (m->cpu_wait_ns > 0)
        pair_of(all, STR("waiting for CPU"), STR("kernel"), STR("ns"))->v[side] =
            (double)m->cpu_wait_ns;
    if (m->cpu_run_ns > 0)
        pair_of(all, STR("running"), STR("kernel"), STR("ns"))->v[side] = (double)m->cpu_run_ns;
}

static void add_times(const struct report_src *src, const struct migration *m, int side,
                      pair_vec *all)
{
    struct pair *total = pair_of(all, STR("total"), STR("all"), STR("ns"));

    if (m->start != STORE_NULL && m->end != STORE_NULL)
        total->v[side] = (double)(m->end - m->start);
    total->bound += bound_of(src, m);
    add_stages(m, side, all);
    add_downtimes(src, m, side, all);
    add_kernel(m, side, all);
}

/* --- amounts --------------------------------------------------------------------------------- */

/* Of rounds that say it, by their length. */
static double mean_rate(const struct migration *m, bool sent)
{
    double sum = 0, took = 0;

    for (size_t i = 0; i < m->rounds.n; i++) {
        const struct mig_round *r = &m->rounds.at[i];
        double rate = sent ? r->transfer_rate : r->dirty_rate;

        if (!isfinite(rate) || r->t0 == STORE_NULL || r->t1 == STORE_NULL || r->stopped)
            continue;
        sum += rate * (double)(r->t1 - r->t0);
        took += (double)(r->t1 - r->t0);
    }
    return took > 0 ? sum / took : UNKNOWN;
}

static double sent_bytes(const struct migration *m)
{
    double sum = 0;
    bool any = false;

    for (size_t i = 0; i < m->rounds.n; i++)
        if (m->rounds.at[i].sent_bytes != STORE_NULL) {
            sum += (double)m->rounds.at[i].sent_bytes;
            any = true;
        }
    return any ? sum : UNKNOWN;
}

static void add_amounts(const struct migration *m, int side, pair_vec *all)
{
    const struct mig_round *last = migration_foresight(m);
    double set = last ? migration_working_set(m, &last->verdict) : 0;
    const struct {
        struct str what, unit;
        double v;
    } rows[] = {
        { STR("rounds"), STR("rounds"), m->rounds.n ? (double)m->rounds.n : UNKNOWN },
        { STR("sent"), STR("bytes"), sent_bytes(m) },
        { STR("written by the guest"), STR("bytes/s"), mean_rate(m, false) },
        { STR("sent per second"), STR("bytes/s"), mean_rate(m, true) },
        { STR("working set"), STR("bytes"), set > 0 ? set : UNKNOWN },
        { STR("may be left"), STR("bytes"), last ? last->verdict.limit_bytes : UNKNOWN },
        { STR("memory"), STR("bytes"), known(m->memory_bytes, 0) },
        { STR("max-bandwidth"), STR("bytes/s"), known(m->bandwidth_cap, 0) },
        { STR("downtime-limit"), STR("ms"), known(m->downtime_limit_ms, 0) },
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        pair_of(all, rows[i].what, STR(""), rows[i].unit)->v[side] = rows[i].v;
}

/* --- tables ---------------------------------------------------------------------------------- */

static double difference(const struct pair *p)
{
    return p->v[1] - p->v[0];
}

/* What only one has comes first: that differs most. */
static double weight(const struct pair *p, bool relative)
{
    double a = fabs(p->v[0]), b = fabs(p->v[1]), more = a > b ? a : b;

    if (isnan(a) || isnan(b))
        return relative ? (double)INFINITY : isnan(a) ? b : a;
    return !relative ? fabs(b - a) : more > 0 ? fabs(b - a) / more : 0;
}

static int by_length(const void *a, const void *b)
{
    double x = weight(a, false), y = weight(b, false);

    return x != y ? (x < y) - (x > y)
                  : str_cmp(((const struct pair *)a)->what, ((const struct pair *)b)->what);
}

static int by_ratio(const void *a, const void *b)
{
    double x = weight(a, true), y = weight(b, true);

    return x != y ? (x < y) - (x > y)
                  : str_cmp(((const struct pair *)a)->what, ((const struct pair *)b)->what);
}

static void sort(pair_vec *all, int (*by)(const void *, const void *))
{
    if (all->n)
        qsort(all->at, all->n, sizeof *all->at, by);
}

static struct str remark_of(const struct pair *p)
{
    if (isnan(p->v[0]))
        return STR("only the second has it");
    if (isnan(p->v[1]))
        return STR("only the first has it");
    if (difference(p) == 0)
        return STR("the same");
    if (isnan(p->bound))
        return STR("the clocks' bound is not known");
    if (fabs(difference(p)) <= p->bound)
        return STR("within the clocks' bound");
    return weight(p, true) < NOISE ? STR("within the noise (5 %)") : STR("");
}

static bool is_empty(const struct pair *p)
{
    return isnan(p->v[0]) && isnan(p->v[1]);
}

static const struct column time_cols[] = {
    { "what", "WHAT", COL_STR, 0, 0, 48 },
    { "layer", "LAYER", COL_STR, 0, 0, 0 },
    { "a_ns", "FIRST", COL_DURATION, 0, 0, 0 },
    { "b_ns", "SECOND", COL_DURATION, 0, 0, 0 },
    { "difference_ns", "DIFFERENCE", COL_DURATION, 0, 0, 0 },
    { "ratio", "TIMES", COL_NESTED, ALIGN_RIGHT, 0, 0 },
    { "bound_ns", "GIVE OR TAKE", COL_DURATION, 0, COL_WIDE, 0 },
    { "remark", "REMARK", COL_STR, 0, 0, 0 },
};

static ns_t to_ns(double v)
{
    return isfinite(v) && fabs(v) < 9e18 ? (ns_t)llround(v) : STORE_NULL;
}

/* Three digits behind the point say enough. */
static void emit_ratio(struct json *j, const void *ratio)
{
    json_f64(j, round(*(const double *)ratio * 1000) / 1000);
}

static void put_ratio(const struct report_src *src, const struct pair *p, struct table *t)
{
    double *ratio = arena_new(src->mem, double);

    *ratio = p->v[1] / p->v[0];
    if (p->v[0] > 0 && isfinite(*ratio))
        table_nested(t, emit_ratio, ratio);
    else
        table_null(t);
}

static void put_times(const struct report_src *src, const pair_vec *all, struct table *t)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct pair *p = &all->at[i];

        if (is_empty(p))
            continue;
        table_row(t);
        table_str(t, p->what);
        cell_str(t, p->of);
        cell_ns(t, to_ns(p->v[0]));
        cell_ns(t, to_ns(p->v[1]));
        cell_ns(t, to_ns(difference(p)));
        put_ratio(src, p, t);
        cell_ns(t, to_ns(p->bound));
        cell_str(t, remark_of(p));
    }
}

static const struct column wait_cols[] = {
    { "name", "WHO HAD THE CPU", COL_STR, 0, 0, 32 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "a_ns", "FIRST WAITED", COL_DURATION, 0, 0, 0 },
    { "b_ns", "SECOND WAITED", COL_DURATION, 0, 0, 0 },
    { "difference_ns", "DIFFERENCE", COL_DURATION, 0, 0, 0 },
    { "ratio", "TIMES", COL_NESTED, ALIGN_RIGHT, 0, 0 },
    { "bound_ns", "GIVE OR TAKE", COL_DURATION, 0, COL_WIDE, 0 },
    { "remark", "REMARK", COL_STR, 0, 0, 0 },
};

static const struct column amount_cols[] = {
    { "what", "WHAT", COL_STR, 0, 0, 48 },    { "a", "FIRST", COL_INT, 0, 0, 0 },
    { "b", "SECOND", COL_INT, 0, 0, 0 },      { "difference", "DIFFERENCE", COL_INT, 0, 0, 0 },
    { "unit", "UNIT", COL_STR, 0, 0, 0 },     { "ratio", "TIMES", COL_NESTED, ALIGN_RIGHT, 0, 0 },
    { "remark", "REMARK", COL_STR, 0, 0, 0 },
};

static void put_amounts(const struct report_src *src, const pair_vec *all, struct table *t)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct pair *p = &all->at[i];

        if (is_empty(p))
            continue;
        table_row(t);
        table_str(t, p->what);
        cell_int(t, to_ns(p->v[0]), STORE_NULL);
        cell_int(t, to_ns(p->v[1]), STORE_NULL);
        cell_int(t, to_ns(difference(p)), STORE_NULL);
        table_str(t, p->unit);
        put_ratio(src, p, t);
        cell_str(t, remark_of(p));
    }
}

/* The largest differences that mean something. */
static void put_head(const struct migration *a, const struct migration *b, const pair_vec *times,
                     const pair_vec *waits, struct sbuf *out)
{
    char x[TIME_TEXT], y[TIME_TEXT];
    const struct pair *p = NULL;

    for (size_t i = 0; i < times->n && !p; i++)
        if (!is_empty(&times->at[i]) && remark_of(&times->at[i]).n == 0 &&
            !str_is(times->at[i].what, "total"))
            p = &times->at[i];
    sbuf_fmt(out, "First: " STR_FMT " (%s), second: " STR_FMT " (%s).", STR_ARG(a->id),
             mig_outcome_name(a->outcome), STR_ARG(b->id), mig_outcome_name(b->outcome));
    if (p)
        sbuf_fmt(out, " They differ most in '" STR_FMT "': %s and %s.", STR_ARG(p->what),
                 time_human(to_ns(p->v[0]), x), time_human(to_ns(p->v[1]), y));
    else
        sbuf_z(out, " Nothing that both have differs by more than the noise.");
    if (waits->n && difference(&waits->at[0]) != 0)
        sbuf_fmt(out,
                 " Of those who had the CPUs that they waited for, " STR_FMT
                 " differs most: they waited %s and %s for it.",
                 STR_ARG(waits->at[0].what), time_human(to_ns(waits->at[0].v[0]), x),
                 time_human(to_ns(waits->at[0].v[1]), y));
}

static void find_waits(const struct migration *a, const struct migration *b, pair_vec *ret)
{
    add_waits(a, 0, ret);
    add_waits(b, 1, ret);
    none_is_zero(a, 0, ret);
    none_is_zero(b, 1, ret);
    sort(ret, by_length);
}

void migration_compare(const struct report_src *src, const struct migration *a,
                       const struct migration *b, struct sections *ret)
{
    pair_vec times = { 0 }, waits = { 0 }, amounts = { 0 };
    struct sbuf raw = { 0 };

    add_times(src, a, 0, &times);
    add_times(src, b, 1, &times);
    sort(&times, by_length);
    find_waits(a, b, &waits);
    add_amounts(a, 0, &amounts);
    add_amounts(b, 1, &amounts);
    sort(&amounts, by_ratio);
    put_head(a, b, &times, &waits, &raw);
    cell_escape(&ret->head, sbuf_view(&raw), "");
    sbuf_free(&raw);
    struct section *s = section_add(ret, "migrations", "Migrations", list_migrations.columns,
                                    list_migrations.ncolumns);
    migration_row(src, a, &s->table);
    migration_row(src, b, &s->table);
    s = section_add(ret, "times", "Times, by their difference", time_cols, ARRAY_SIZE(time_cols));
    put_times(src, &times, &s->table);
    s = section_add(ret, "waits", "Waits for CPUs, by who had them", wait_cols,
                    ARRAY_SIZE(wait_cols));
    s->limit = WAITS_SHOWN;
    s->more = "-o wide shows all";
    put_times(src, &waits, &s->table);
    s = section_add(ret, "amounts", "Amounts, by their ratio", amount_cols,
                    ARRAY_SIZE(amount_cols));
    put_amounts(src, &amounts, &s->table);
    vec_free(&times);
    vec_free(&waits);
    vec_free(&amounts);
}
