/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline.c -- figures, what they say, and how they differ; see baseline.h.
 *
 * Medians and MADs, since a handful of stalls in a good day must not make stalls normal: up to half
 * of the values may be wrong without moving them far. */
#include "report/baseline_priv.h"

#include "report/lists.h"
#include "report/robust.h"

#include <math.h>
#include <stdlib.h>

/* Values that are all alike have no spread; neither they nor buckets are as exact as that. */
static const double LEAST_SPREAD = 0.05;
static const double NOISE_Z = 3, NOISE_TIMES = 1.25;

/* --- values -------------------------------------------------------------------------------- */

static double value_of(int32_t at)
{
    return at == BUCKET_ZERO ? 0 : pow(BUCKET_STEP, at);
}

static int32_t bucket_of(double v)
{
    double at = v > 0 ? round(log(v) / log(BUCKET_STEP)) : BUCKET_ZERO;

    return at <= BUCKET_LEAST ? BUCKET_ZERO : at >= BUCKET_MOST ? BUCKET_MOST : (int32_t)at;
}

void figure_count(struct figure *f, int32_t at, uint64_t n)
{
    size_t lo = 0, hi = f->buckets.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (f->buckets.at[mid].at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == f->buckets.n || f->buckets.at[lo].at != at) {
        (void)vec_push(&f->buckets);
        memmove(&f->buckets.at[lo + 1], &f->buckets.at[lo],
                (f->buckets.n - 1 - lo) * sizeof *f->buckets.at);
        f->buckets.at[lo] = (struct bucket){ at, 0 };
    }
    f->buckets.at[lo].n += n;
    f->n += n;
}

void figure_add(struct figure *f, double v)
{
    if (isfinite(v) && v >= 0)
        figure_count(f, bucket_of(v), 1);
}

double figure_quantile(const struct figure *f, double q)
{
    double rank = ceil(q * (double)f->n), seen = 0;

    for (size_t i = 0; i < f->buckets.n; i++) {
        seen += (double)f->buckets.at[i].n;
        if (seen >= rank)
            return value_of(f->buckets.at[i].at);
    }
    return figure_max(f);
}

double figure_max(const struct figure *f)
{
    return f->buckets.n ? value_of(f->buckets.at[f->buckets.n - 1].at) : (double)NAN;
}

struct distance {
    double d;
    uint64_t n;
};

static int by_distance(const void *a, const void *b)
{
    double x = ((const struct distance *)a)->d, y = ((const struct distance *)b)->d;

    return (x > y) - (x < y);
}

double figure_mad(const struct figure *f)
{
    struct distance *all = xcalloc(f->buckets.n + 1, sizeof *all);
    double median = figure_quantile(f, 0.5), seen = 0, mad = 0;

    for (size_t i = 0; i < f->buckets.n; i++)
        all[i] =
            (struct distance){ fabs(value_of(f->buckets.at[i].at) - median), f->buckets.at[i].n };
    qsort(all, f->buckets.n, sizeof *all, by_distance);
    for (size_t i = 0; i < f->buckets.n && seen < (double)f->n / 2; i++) {
        seen += (double)all[i].n;
        mad = all[i].d;
    }
    free(all);
    return mad;
}

/* --- figures ------------------------------------------------------------------------------- */

static uint32_t key_of(struct strtab *keys, const struct figure *f, bool *ret_new)
{
    struct sbuf key = { 0 };
    uint32_t id;

    sbuf_fmt(&key, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(f->kind), STR_ARG(f->what),
             STR_ARG(f->of));
    if (keys->strs.n == 0)
        strtab_id(keys, STR(""));
    *ret_new = !strtab_find(keys, sbuf_view(&key), &id);
    if (*ret_new)
        id = strtab_id(keys, sbuf_view(&key));
    sbuf_free(&key);
    return id - 1;
}

struct figure *baseline_figure(struct baseline *b, const struct figure *like)
{
    bool new;
    uint32_t at = key_of(&b->keys, like, &new);

    if (new) {
        struct figure *f = vec_push(&b->figures);

        *f = (struct figure){ .kind = str_dup(&b->mem, like->kind),
                              .of = str_dup(&b->mem, like->of),
                              .what = str_dup(&b->mem, like->what),
                              .unit = str_dup(&b->mem, like->unit),
                              .host = str_dup(&b->mem, like->host),
                              .more_is_worse = like->more_is_worse };
    }
    return &b->figures.at[at];
}

void baseline_free(struct baseline *b)
{
    for (size_t i = 0; i < b->figures.n; i++)
        vec_free(&b->figures.at[i].buckets);
    vec_free(&b->figures);
    vec_free(&b->runs);
    strtab_free(&b->keys);
    arena_free(&b->mem);
    *b = (struct baseline){ 0 };
}

int baseline_add(struct baseline *to, const struct baseline *from, struct err *err)
{
    for (size_t i = 0; i < from->runs.n; i++)
        for (size_t k = 0; k < to->runs.n; k++)
            if (str_eq(from->runs.at[i], to->runs.at[k]))
                return err_set(err, E_ARG, "these traces are in it already: " STR_FMT,
                               STR_ARG(from->runs.at[i]));
    for (size_t i = 0; i < from->runs.n; i++)
        *vec_push(&to->runs) = str_dup(&to->mem, from->runs.at[i]);
    for (size_t i = 0; i < from->figures.n; i++) {
        const struct figure *f = &from->figures.at[i];
        struct figure *sum = baseline_figure(to, f);

        sum->runs += f->runs;
        for (size_t k = 0; k < f->buckets.n; k++)
            figure_count(sum, f->buckets.at[k].at, f->buckets.at[k].n);
    }
    return 0;
}

/* --- differences --------------------------------------------------------------------------- */

static struct unlike unlike_of(const struct figure *was, const struct figure *now)
{
    struct unlike u = { .was = was, .now = now, .times = (double)NAN, .z = (double)NAN };

    if (!was || !now)
        return u;
    double a = figure_quantile(was, 0.5), b = figure_quantile(now, 0.5);
    double spread = MAD_TO_SIGMA * figure_mad(was);

    spread = fmax(spread, LEAST_SPREAD * fmax(a, b));
    u.times = a > 0 ? b / a : (double)NAN;
    u.z = spread > 0 ? (b - a) / spread : 0;
    u.few = was->n < BASELINE_FEW;
    u.noise = fabs(u.z) < NOISE_Z || (u.times < NOISE_TIMES && u.times > 1 / NOISE_TIMES);
    return u;
}

/* What only one has comes after what differs. */
static int class_of(const struct unlike *u)
{
    return !u->was || !u->now ? 1 : u->noise ? 2 : 0;
}

static int most_unlike(const void *a, const void *b)
{
    const struct unlike *x = a, *y = b;
    const struct figure *fx = x->was ? x->was : x->now, *fy = y->was ? y->was : y->now;
    double zx = isnan(x->z) ? 0 : fabs(x->z), zy = isnan(y->z) ? 0 : fabs(y->z);
    int c = class_of(x) - class_of(y);

    if (c == 0 && x->few != y->few)
        c = x->few ? 1 : -1;
    if (c == 0 && zx != zy)
        c = zx > zy ? -1 : 1;
    c = c ? c : str_cmp(fx->kind, fy->kind);
    c = c ? c : str_cmp(fx->of, fy->of);
    return c ? c : str_cmp(fx->what, fy->what);
}

static const struct figure *find(const struct baseline *b, const struct figure *like)
{
    struct sbuf key = { 0 };
    uint32_t id;

    sbuf_fmt(&key, STR_FMT "\n" STR_FMT "\n" STR_FMT, STR_ARG(like->kind), STR_ARG(like->what),
             STR_ARG(like->of));
    bool known = strtab_find(&b->keys, sbuf_view(&key), &id);
    sbuf_free(&key);
    return known && id > 0 ? &b->figures.at[id - 1] : NULL;
}

void baseline_compare(const struct baseline *was, const struct baseline *now, unlike_vec *ret)
{
    for (size_t i = 0; i < was->figures.n; i++)
        *vec_push(ret) = unlike_of(&was->figures.at[i], find(now, &was->figures.at[i]));
    for (size_t i = 0; i < now->figures.n; i++)
        if (!find(was, &now->figures.at[i]))
            *vec_push(ret) = unlike_of(NULL, &now->figures.at[i]);
    if (ret->n)
        qsort(ret->at, ret->n, sizeof *ret->at, most_unlike);
}

/* --- rows ---------------------------------------------------------------------------------- */

void figure_value(const struct figure *f, double v, struct sbuf *out)
{
    char text[TIME_TEXT];

    if (isnan(v))
        sbuf_z(out, "-");
    else if (str_is(f->unit, "ns"))
        sbuf_z(out, time_human(v < 9e18 ? (ns_t)v : NS_MAX, text));
    else if (str_is(f->unit, "ratio"))
        sbuf_fmt(out, "%.1f %%", v * 100);
    else
        sbuf_fmt(out, "%.3g " STR_FMT, v, STR_ARG(f->unit));
}

/* Tables have values as people read them, JSON numbers in the figure's unit. */
const struct column baseline_columns[] = {
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "of", "OF", COL_STR, 0, 0, 48 },
    { "what", "WHAT", COL_STR, 0, 0, 0 },
    { "count", "VALUES", COL_COUNT, 0, 0, 0 },
    { "runs", "RUNS", COL_COUNT, 0, 0, 0 },
    { "median_text", "MEDIAN", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "mad_text", "MAD", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "p95_text", "P95", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "max_text", "MAX", COL_STR, ALIGN_RIGHT, COL_WIDE, 0 },
    { "unit", "UNIT", COL_STR, 0, COL_JSON, 0 },
    { "median", "MEDIAN", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
    { "mad", "MAD", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
    { "p95", "P95", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
    { "max", "MAX", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
};
const size_t nbaseline_columns = ARRAY_SIZE(baseline_columns);

static void emit_number(struct json *j, const void *v)
{
    json_f64(j, *(const double *)v);
}

static void number_cell(struct table *t, double v)
{
    double *kept = arena_new(&t->mem, double);

    *kept = v;
    if (isfinite(v))
        table_nested(t, emit_number, kept);
    else
        table_null(t);
}

static void value_cell(struct table *t, const struct figure *f, double v)
{
    struct sbuf text = { 0 };

    figure_value(f, v, &text);
    table_str(t, sbuf_view(&text));
    sbuf_free(&text);
}

void baseline_rows(const struct baseline *b, struct table *t)
{
    for (size_t i = 0; i < b->figures.n; i++) {
        const struct figure *f = &b->figures.at[i];

        table_row(t);
        table_str(t, f->kind);
        table_str(t, f->of);
        table_str(t, f->what);
        const double values[] = { figure_quantile(f, 0.5), figure_mad(f), figure_quantile(f, 0.95),
                                  figure_max(f) };
        table_count(t, f->n);
        table_count(t, f->runs);
        for (size_t k = 0; k < ARRAY_SIZE(values); k++)
            value_cell(t, f, values[k]);
        table_str(t, f->unit);
        for (size_t k = 0; k < ARRAY_SIZE(values); k++)
            number_cell(t, values[k]);
    }
}

const struct column unlike_columns[] = {
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "of", "OF", COL_STR, 0, 0, 48 },
    { "what", "WHAT", COL_STR, 0, 0, 0 },
    { "was_text", "FIRST", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "now_text", "SECOND", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "times", "TIMES", COL_NESTED, ALIGN_RIGHT, 0, 0 },
    { "z", "ROBUST Z", COL_NESTED, ALIGN_RIGHT, 0, 0 },
    { "was_count", "VALUES", COL_COUNT, 0, 0, 0 },
    { "now_count", "NEW VALUES", COL_COUNT, 0, COL_WIDE, 0 },
    { "runs", "RUNS", COL_COUNT, 0, COL_WIDE, 0 },
    { "remark", "REMARK", COL_STR, 0, 0, 0 },
    { "unit", "UNIT", COL_STR, 0, COL_JSON, 0 },
    { "was", "FIRST", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
    { "now", "SECOND", COL_NESTED, ALIGN_RIGHT, COL_JSON, 0 },
};
const size_t nunlike_columns = ARRAY_SIZE(unlike_columns);

/* Two digits behind the point say enough. */
static double rounded(double v)
{
    return round(v * 100) / 100;
}

static double median_of(const struct figure *f)
{
    return f ? figure_quantile(f, 0.5) : (double)NAN;
}

static const char *remark_of(const struct unlike *u)
{
    return !u->was    ? "only the second has it"
           : !u->now  ? "only the first has it"
           : u->noise ? "within the noise"
           : u->few   ? "few values"
                      : "";
}

void unlike_rows(const unlike_vec *all, struct table *t)
{
    for (size_t i = 0; i < all->n; i++) {
        const struct unlike *u = &all->at[i];
        const struct figure *f = u->was ? u->was : u->now;

        table_row(t);
        table_str(t, f->kind);
        table_str(t, f->of);
        table_str(t, f->what);
        value_cell(t, f, median_of(u->was));
        value_cell(t, f, median_of(u->now));
        number_cell(t, rounded(u->times));
        number_cell(t, rounded(u->z));
        table_count(t, u->was ? u->was->n : 0);
        table_count(t, u->now ? u->now->n : 0);
        table_count(t, u->was ? u->was->runs : 0);
        cell_str(t, str_of(remark_of(u)));
        table_str(t, f->unit);
        number_cell(t, median_of(u->was));
        number_cell(t, median_of(u->now));
    }
}
