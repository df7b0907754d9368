/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_curve.c -- curves over time, the histogram, and densities; see tsp_priv.h.
 *
 * Viewers draw all series of an output over the instants of one of them, and do not know of gaps:
 * each series has a value for each sample, 0 where there is none. */
#include "serve/tsp_priv.h"

#include "base/limits.h"
#include "model/schema.h"

#include <stdlib.h>

/* --- curves -------------------------------------------------------------------------------- */

static void put_axis(struct json *j, const char *key, const char *label, const char *unit,
                     const char *type)
{
    json_kopen(j, key, '{');
    json_kstr(j, "label", str_of(label));
    json_kstr(j, "unit", str_of(unit));
    json_kstr(j, "dataType", str_of(type));
    json_close(j, '}');
}

static void put_series_type(struct json *j, const char *type)
{
    json_kopen(j, "style", '{');
    json_kopen(j, "values", '{');
    json_kstr(j, "series-type", str_of(type));
    json_close(j, '}');
    json_close(j, '}');
}

static void put_series(struct json *j, int64_t id, struct str name, const char *unit,
                       const struct tsp_window *w, const struct store_point *p)
{
    json_open(j, '{');
    json_ki64(j, "seriesId", id);
    json_kstr(j, "seriesName", name);
    json_kopen(j, "xValues", '[');
    for (size_t i = 0; i < w->n; i++)
        json_i64(j, tsp_edge(w, i));
    json_close(j, ']');
    json_kopen(j, "yValues", '[');
    for (size_t i = 0; i < w->n; i++)
        tsp_double(j, p[i].min == STORE_NULL ? 0 : p[i].mean);
    json_close(j, ']');
    put_axis(j, "xValuesDescription", "Time", "ns", "TIMESTAMP");
    put_axis(j, "yValuesDescription", "Value", unit, "NUMBER");
    put_series_type(j, "line");
    json_close(j, '}');
}

/* Viewers tell series apart by their names alone, and show no unit but what is in them. */
static struct str series_name(const struct scope *c, const struct row *row, struct arena *mem)
{
    uint32_t no;
    bool below = row->parent.n && strtab_find(&c->ids, row->parent, &no) && no;
    struct str parent = below ? c->rows.at[no - 1].label : STR("");
    bool named = str_starts(row->label, parent); /* "compute1: Memory" below "compute1" */

    return str_of(arena_printf(
        mem, STR_FMT "%s" STR_FMT "%s%s%s", STR_ARG(named ? STR("") : parent), named ? "" : ": ",
        STR_ARG(row->label), *row->unit ? " (" : "", row->unit, *row->unit ? ")" : ""));
}

/* How many states of CPUs and services begin in each sample. */
static void count_changes(struct serve *s, const struct tsp_window *w, struct store_point *p)
{
    struct store_pixel *px = xcalloc(w->n, sizeof *px);

    for (uint32_t i = 0; i < s->src.nhosts; i++) {
        const struct store *st = s->src.hosts[i];
        uint32_t n = store_attr_count(st);

        for (attr_t a = 0; a < n; a++) {
            const char *pattern = store_attr_family(st, a)->pattern;

            if (strcmp(pattern, schema_attrs[ATTR_CPU_STATE].path) != 0 &&
                strcmp(pattern, schema_attrs[ATTR_SERVICE_LEVEL].path) != 0)
                continue;
            store_strip(st, a, w->span, px, w->n);
            for (size_t k = 0; k < w->n; k++) {
                p[k].min = 0;
                p[k].mean += px[k].changes;
            }
        }
    }
    free(px);
}

/* How many requests to disks took from 2^i to 2^(i + 1) ns. */
struct density {
    uint64_t counts[63];
    int from, to; /* those that are not 0 are in [from, to) */
};

static struct density density_of(struct serve *s, struct span span)
{
    struct report_src src = s->src;
    struct density d = { .from = ARRAY_SIZE(d.counts) };
    const cell_t *row;

    src.span = span;
    struct src_rows rows = src_rows(&src, TABLE_block);
    while ((row = src_next(&rows))) {
        ns_t took = row_length(row);

        if (took == STORE_NULL || took <= 0)
            continue;
        int i = 63 - __builtin_clzll((uint64_t)took);
        d.counts[i]++;
        d.from = i < d.from ? i : d.from;
        d.to = i >= d.to ? i + 1 : d.to;
    }
    return d;
}

static void put_density(struct serve *s, const struct tsp_window *w, struct json *j)
{
    struct density d = density_of(s, w->span);

    json_open(j, '{');
    json_ki64(j, "seriesId", 1);
    json_kstr(j, "seriesName", STR("Requests"));
    json_kopen(j, "xRanges", '[');
    for (int i = d.from; i < d.to; i++) {
        json_open(j, '{');
        json_ki64(j, "start", INT64_C(1) << i);
        json_ki64(j, "end", i < 62 ? INT64_C(1) << (i + 1) : INT64_MAX);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "yValues", '[');
    for (int i = d.from; i < d.to; i++)
        tsp_double(j, (double)d.counts[i]);
    json_close(j, ']');
    put_axis(j, "xValuesDescription", "Took", "ns", "TIME_RANGE");
    put_axis(j, "yValuesDescription", "Requests", "", "NUMBER");
    put_series_type(j, "bar");
    json_close(j, '}');
}

static void put_all_series(struct serve *s, const struct request *q, const struct scope *c,
                           struct tsp_window *w, struct json *j)
{
    size_t *items, n = c ? tsp_items(q, c, &items) : 0;

    tsp_thin_out(w, n);
    struct store_point *p = xcalloc(w->n, sizeof *p);

    if (!c) {
        count_changes(s, w, p);
        put_series(j, 1, STR("State changes"), "", w, p);
    }
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &c->rows.at[items[i]];

        if (!row->curve)
            continue;
        row_points(row, w->span, w->n, p);
        put_series(j, (int64_t)items[i] + 1, series_name(c, row, q->mem), row->unit, w, p);
    }
    free(p);
}

void tsp_post_xy(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    struct tsp_window w;
    struct scope *c;

    if (!tsp_begin(s, q, r, &o, &c))
        return;
    if (tsp_window(s, q, &w, r)) {
        struct json *j = tsp_model(r);

        json_open(j, '{');
        json_kstr(j, "title", str_of(o->name));
        json_kopen(j, "series", '[');
        if (o->type == TSP_GENERIC_XY)
            put_density(s, &w, j);
        else if (o->type == TSP_XY)
            put_all_series(s, q, c, &w, j);
        json_close(j, ']');
        json_close(j, '}');
        tsp_model_end(j, s);
    }
    scope_release(s, c);
}

/* What a curve has at an instant. */
static void put_value(struct serve *s, const struct request *q, const struct scope *c, ns_t t,
                      struct json *j)
{
    struct store_point p;
    struct str text;
    uint64_t id;

    if (!c || !span_has(s->all, t) || !request_arg(q, "seriesId", &text) || !str_u64(text, &id) ||
        id < 1 || id > c->rows.n || !c->rows.at[id - 1].curve)
        return;
    const struct row *row = &c->rows.at[id - 1];
    row_points(row, (struct span){ t, t + 1 }, 1, &p);
    if (p.min != STORE_NULL)
        json_kstr(j, series_name(c, row, q->mem).p, str_of(arena_printf(q->mem, "%.8g", p.mean)));
}

void tsp_get_xy_tooltip(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    char text[TIME_TEXT];
    struct scope *c;
    struct str x;
    ns_t t;

    if (!tsp_begin(s, q, r, &o, &c))
        return;
    if (!request_arg(q, "xValue", &x) || !str_i64(x, &t)) {
        reply_fail(r, 400, "xValue is an instant");
    } else {
        struct json *j = tsp_model(r);

        json_open(j, '{');
        json_kstr(j, "Time", str_of(time_iso(t, text)));
        put_value(s, q, c, t, j);
        json_close(j, '}');
        tsp_model_end(j, s);
    }
    scope_release(s, c);
}
