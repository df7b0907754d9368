/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_graph.c -- states, arrows, tooltips, curves and annotations; see tsp_priv.h.
 *
 * A window asks for so many samples, and gets at most one state for each: rows are drawn as runs of
 * pixels, as our own page has them. */
#include "serve/tsp_priv.h"

#include "base/limits.h"
#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ARROWS = 2000, BUCKETS = 40 };

/* --- windows ------------------------------------------------------------------------------- */

/* From a list of instants, as older clients send it. */
static bool take_times(const json_t *times, struct tsp_window *w)
{
    size_t n = json_array_size(times);
    const json_t *first = json_array_get(times, 0), *last = json_array_get(times, n - 1);

    if (n == 0 || !json_is_integer(first) || !json_is_integer(last))
        return false;
    w->span = (struct span){ json_integer_value(first), json_integer_value(last) };
    w->n = n;
    return true;
}

bool tsp_window(struct serve *s, const struct request *q, struct tsp_window *ret, struct reply *r)
{
    const json_t *p = tsp_parameters(q), *range = json_object_get(p, "requested_timerange");
    struct tsp_window w = { .span = s->all, .n = SERVE_PX };
    ns_t length = s->all.t1 - s->all.t0;
    int64_t n;

    if (range) {
        if (!tsp_int(range, "start", &w.span.t0) || !tsp_int(range, "end", &w.span.t1)) {
            reply_fail(r, 400, "requested_timerange has start and end, which are integers");
            return false;
        }
        if (tsp_int(range, "nbTimes", &n) || tsp_int(range, "nbSamples", &n))
            w.n = n < 1 ? 0 : n > LIMIT_HTTP_PIXELS ? LIMIT_HTTP_PIXELS : (size_t)n;
    } else if (!take_times(json_object_get(p, "requested_times"), &w)) {
        reply_fail(r, 400, "parameters.requested_timerange is needed");
        return false;
    }
    if (w.n == 0 || w.span.t0 > w.span.t1) {
        reply_fail(r, 400, "requested_timerange holds nothing");
        return false;
    }
    /* Far outside there is nothing, and no sum of times overflows. */
    w.span.t0 = w.span.t0 < s->all.t0 - length ? s->all.t0 - length : w.span.t0;
    w.span.t1 = w.span.t1 > s->all.t1 + length ? s->all.t1 + length : w.span.t1;
    if (w.span.t1 <= w.span.t0)
        w.span.t1 = w.span.t0 + 1;
    w.n = w.n > LIMIT_HTTP_PIXELS ? LIMIT_HTTP_PIXELS : w.n;
    if (w.n > (size_t)(w.span.t1 - w.span.t0))
        w.n = (size_t)(w.span.t1 - w.span.t0);
    *ret = w;
    return true;
}

/* Fewer samples, if so many rows would make an answer that no client wants to take. */
static void thin_out(struct tsp_window *w, size_t rows)
{
    size_t most = LIMIT_HTTP_CELLS / 4 / (rows + 1);

    w->n = w->n > most ? most : w->n;
}

size_t tsp_items(const struct request *q, const struct scope *c, size_t **ret)
{
    const json_t *items = json_object_get(tsp_parameters(q), "requested_items"), *v;
    size_t i, n = 0, *at = arena_array(q->mem, size_t, json_array_size(items) + 1);

    json_array_foreach(items, i, v)
    {
        json_int_t id = json_integer_value(v);

        if (id >= 1 && (size_t)id <= c->rows.n && n < LIMIT_HTTP_ROWS)
            at[n++] = (size_t)id - 1;
    }
    *ret = at;
    return n;
}

/* The output of the request with its scope, to be released; false: answered. */
static bool begin(struct serve *s, const struct request *q, struct reply *r,
                  const struct tsp_output **ret, struct scope **ret_scope)
{
    struct str name;

    *ret_scope = NULL;
    if (!(*ret = tsp_output_asked(s, q, r, &name)) || !tsp_ready(s, r))
        return false;
    if (!name.n || str_is(name, "changes"))
        return true;
    *ret_scope = tsp_scope(s, name, r);
    return *ret_scope != NULL;
}

/* --- states -------------------------------------------------------------------------------- */

/* Where a run begins. */
static ns_t run_edge(const struct row *row, const struct tsp_window *w, size_t i)
{
    return row->store
               ? store_edge(w->span, w->n, i)
               : w->span.t0 + (ns_t)((__int128)(w->span.t1 - w->span.t0) * (ns_t)i / (ns_t)w->n);
}

static void put_style_key(struct json *j, const struct row *row, int64_t value)
{
    struct sbuf key = { 0 };

    sbuf_fmt(&key, STR_FMT ":%" PRId64, STR_ARG(row->legend), value);
    json_kopen(j, "style", '{');
    json_kstr(j, "parentKey", sbuf_view(&key));
    json_kopen(j, "values", '{');
    if (row->values && value >= 0 && value < row->nvalues) {
        json_kstr(j, "background-color", str_of(row->values[value].colour));
        json_kstr(j, "style-name", str_of(row->values[value].label));
    } else if (strcmp(shade_values.name, row->legend.p ? row->legend.p : "") == 0) {
        json_kstr(j, "background-color", str_of(shade_values.at[value % shade_values.n].colour));
    }
    json_close(j, '}');
    json_close(j, '}');
    sbuf_free(&key);
}

/* What the client leaves out: texts that states must or must not have, by its map of filters. */
struct wanted {
    const json_t *dim, *exclude;
};

static bool has_text(const json_t *list, struct str label)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        const char *text = json_string_value(v);

        if (text && *text && str_find(label, str_of(text), 0) != STR_NONE)
            return true;
    }
    return false;
}

static struct wanted wanted_of(const struct request *q)
{
    const json_t *f = json_object_get(tsp_parameters(q), "filter_query_parameters");
    const json_t *map = json_object_get(f, "filter_expressions_map");

    return (struct wanted){ json_object_get(map, "1"), json_object_get(map, "4") };
}

static void put_state(struct serve *s, const struct request *q, struct json *j,
                      const struct row *row, const struct tsp_window *w, const struct run *run,
                      const struct wanted *want)
{
    struct report_src src = s->src;
    src.mem = q->mem;
    struct str label = run->label.n               ? src_mask(&src, run->label)
                       : run->value != STORE_NULL ? row_value(s, row, run->value, q->mem)
                                                  : STR("");

    if (json_array_size(want->exclude) && !has_text(want->exclude, label))
        return;
    json_open(j, '{');
    json_ki64(j, "start", run_edge(row, w, run->from));
    json_ki64(j, "end", run_edge(row, w, run->to));
    if (label.n)
        json_kstr(j, "label", label);
    if (json_array_size(want->dim) && !has_text(want->dim, label))
        json_ki64(j, "tags", 1);
    if (run->value != STORE_NULL)
        put_style_key(j, row, run->value);
    json_close(j, '}');
}

void tsp_post_states(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    struct wanted want = wanted_of(q);
    struct runs runs = { 0 };
    struct tsp_window w;
    struct scope *c;
    size_t *items;

    if (!begin(s, q, r, &o, &c))
        return;
    if (!tsp_window(s, q, &w, r)) {
        scope_release(s, c);
        return;
    }
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "rows", '[');
    size_t n = c ? tsp_items(q, c, &items) : 0;
    thin_out(&w, n);
    for (size_t i = 0; i < n; i++) {
        const struct row *row = &c->rows.at[items[i]];

        row_runs(s, row, w.span, w.n, &runs);
        json_open(j, '{');
        json_ki64(j, "entryId", (int64_t)items[i] + 1);
        json_kopen(j, "states", '[');
        for (size_t k = 0; (row->store || row->track) && !row->curve && k < runs.at.n; k++)
            put_state(s, q, j, row, &w, &runs.at.at[k], &want);
        json_close(j, ']');
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
    tsp_model_end(j);
    runs_free(&runs);
    scope_release(s, c);
}

/* --- arrows -------------------------------------------------------------------------------- */

struct told {
    struct json *j;
    const struct scope *c;
};

static void put_arrow(void *ctx, const struct arrow *a)
{
    struct told *t = ctx;

    json_open(t->j, '{');
    json_ki64(t->j, "sourceId", a->from - t->c->rows.at + 1);
    json_ki64(t->j, "targetId", a->to - t->c->rows.at + 1);
    json_ki64(t->j, "start", a->t0);
    json_ki64(t->j, "end", a->t1);
    json_kopen(t->j, "style", '{');
    json_kopen(t->j, "values", '{');
    json_kstr(t->j, "style-name", str_of(a->kind));
    json_kstr(
        t->j, "color",
        str_of(task_status_values.at[strcmp(a->kind, "pre-empted") == 0 ? TASK_ERROR : TASK_DONE]
                   .colour));
    json_close(t->j, '}');
    json_close(t->j, '}');
    json_close(t->j, '}');
}

void tsp_post_arrows(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    struct tsp_window w;
    struct scope *c;

    if (!begin(s, q, r, &o, &c))
        return;
    if (tsp_window(s, q, &w, r)) {
        struct told told = { tsp_model(r), c };

        json_open(told.j, '[');
        if (c && o->type == TSP_GRAPH)
            arrows_find(s, c, w.span, ARROWS, put_arrow, &told);
        json_close(told.j, ']');
        tsp_model_end(told.j);
    }
    scope_release(s, c);
}

/* --- tooltips ------------------------------------------------------------------------------ */

static void put_tooltip(struct serve *s, const struct request *q, struct json *j,
                        const struct row *row, ns_t t)
{
    char text[TIME_TEXT];
    struct item it;
    bool open;

    json_kstr(j, "Row", row->label);
    if (*row->host)
        json_kstr(j, "Host", str_of(row->host));
    if (!(row->store || row->track) || !row_at(row, t, &it, &open))
        return;
    struct str label = it.label.n ? it.label : row_value(s, row, it.value, q->mem);
    if (label.n)
        json_kstr(j, "State", label);
    if (it.t0 != NS_MIN)
        json_kstr(j, "Begin", str_of(time_iso(it.t0, text)));
    if (it.t0 != NS_MIN && it.t1 != NS_MAX)
        json_kstr(j, open ? "For at least" : "For", str_of(time_human(it.t1 - it.t0, text)));
    if (it.detail.n)
        json_kstr(j, "Detail", it.detail);
}

void tsp_post_tooltip(struct serve *s, const struct request *q, struct reply *r)
{
    const json_t *p = tsp_parameters(q);
    const json_t *time = json_array_get(json_object_get(p, "requested_times"), 0);
    const struct tsp_output *o;
    struct scope *c;
    size_t *items;

    if (!begin(s, q, r, &o, &c))
        return;
    size_t n = c ? tsp_items(q, c, &items) : 0;
    if (!json_is_integer(time) || n == 0) {
        reply_fail(r, 400, "parameters.requested_times and requested_items are needed");
    } else {
        struct json *j = tsp_model(r);

        json_open(j, '{');
        put_tooltip(s, q, j, &c->rows.at[items[0]], json_integer_value(time));
        json_close(j, '}');
        tsp_model_end(j);
    }
    scope_release(s, c);
}

/* --- styles -------------------------------------------------------------------------------- */

static void put_styles(struct json *j, const char *legend, const struct schema_values *v)
{
    for (uint32_t i = 0; v && i < v->n; i++) {
        struct sbuf key = { 0 };

        sbuf_fmt(&key, "%s:%u", legend, (unsigned)i);
        json_kopen(j, key.p, '{');
        json_kopen(j, "values", '{');
        json_kstr(j, "background-color", str_of(v->at[i].colour));
        json_kstr(j, "style-name", str_of(v->at[i].label));
        json_close(j, '}');
        json_close(j, '}');
        sbuf_free(&key);
    }
}

/* All legends there are: few. */
void tsp_post_style(struct serve *s, const struct request *q, struct reply *r)
{
    static const struct schema_values *const sets[] = { &vm_state_values, &task_status_values,
                                                        &shade_values };
    struct str name;

    if (!tsp_output_asked(s, q, r, &name))
        return;
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "styles", '{');
    for (int a = 0; a < SCHEMA_ATTRS; a++)
        put_styles(j, schema_attrs[a].path, schema_attrs[a].values);
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        put_styles(j, sets[i]->name, sets[i]);
    json_close(j, '}');
    json_close(j, '}');
    tsp_model_end(j);
}

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

static void put_series(struct json *j, int64_t id, struct str name, const char *unit,
                       const struct tsp_window *w, const struct store_point *p)
{
    json_open(j, '{');
    json_ki64(j, "seriesId", id);
    json_kstr(j, "seriesName", name);
    json_kopen(j, "xValues", '[');
    for (size_t i = 0; i < w->n; i++)
        json_i64(j,
                 w->span.t0 + (ns_t)((__int128)(w->span.t1 - w->span.t0) * (ns_t)i / (ns_t)w->n));
    json_close(j, ']');
    json_kopen(j, "yValues", '[');
    for (size_t i = 0; i < w->n; i++)
        tsp_double(j, p[i].min == STORE_NULL ? 0 : p[i].mean);
    json_close(j, ']');
    put_axis(j, "xValuesDescription", "Time", "ns", "TIMESTAMP");
    put_axis(j, "yValuesDescription", "Value", unit, "NUMBER");
    json_kopen(j, "style", '{');
    json_kopen(j, "values", '{');
    json_kstr(j, "series-type", STR("line"));
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
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
static void put_density(struct serve *s, const struct tsp_window *w, struct json *j)
{
    struct report_src src = s->src;
    uint64_t counts[64] = { 0 };
    const cell_t *row;

    src.span = w->span;
    struct src_rows rows = src_rows(&src, TABLE_block);
    while ((row = src_next(&rows))) {
        ns_t took = row_length(row);

        if (took != STORE_NULL && took > 0)
            counts[63 - __builtin_clzll((uint64_t)took)]++;
    }
    json_open(j, '{');
    json_ki64(j, "seriesId", 1);
    json_kstr(j, "seriesName", STR("Requests"));
    json_kopen(j, "xRanges", '[');
    for (int i = 0; i < BUCKETS; i++) {
        json_open(j, '{');
        json_ki64(j, "start", INT64_C(1) << i);
        json_ki64(j, "end", INT64_C(1) << (i + 1));
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "yValues", '[');
    for (int i = 0; i < BUCKETS; i++)
        tsp_double(j, (double)counts[i]);
    json_close(j, ']');
    put_axis(j, "xValuesDescription", "Took", "ns", "TIME_RANGE");
    put_axis(j, "yValuesDescription", "Requests", "", "NUMBER");
    json_kopen(j, "style", '{');
    json_kopen(j, "values", '{');
    json_kstr(j, "series-type", STR("bar"));
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static void put_all_series(struct serve *s, const struct request *q, const struct scope *c,
                           struct tsp_window *w, struct json *j)
{
    size_t *items, n = c ? tsp_items(q, c, &items) : 0;

    thin_out(w, n);
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
        put_series(j, (int64_t)items[i] + 1, row->label, row->unit, w, p);
    }
    free(p);
}

void tsp_post_xy(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    struct tsp_window w;
    struct scope *c;

    if (!begin(s, q, r, &o, &c))
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
        tsp_model_end(j);
    }
    scope_release(s, c);
}

void tsp_get_xy_tooltip(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    char text[TIME_TEXT];
    struct scope *c;
    struct str x;
    ns_t t;

    if (!begin(s, q, r, &o, &c))
        return;
    if (!request_arg(q, "xValue", &x) || !str_i64(x, &t)) {
        reply_fail(r, 400, "xValue is an instant");
    } else {
        struct json *j = tsp_model(r);

        json_open(j, '{');
        json_kstr(j, "Time", str_of(time_iso(t, text)));
        json_close(j, '}');
        tsp_model_end(j);
    }
    scope_release(s, c);
}

/* --- annotations: findings ----------------------------------------------------------------- */

void tsp_marker_sets(struct serve *s, const struct request *q, struct reply *r)
{
    if (!tsp_has_experiment(s, q->holes[0], r))
        return;
    struct json *j = tsp_model(r);
    json_open(j, '[');
    json_open(j, '{');
    json_kstr(j, "id", STR("findings"));
    json_kstr(j, "name", STR("Findings"));
    json_close(j, '}');
    json_close(j, ']');
    tsp_model_end(j);
}

void tsp_get_annotations(struct serve *s, const struct request *q, struct reply *r)
{
    struct str name;

    if (!tsp_output_asked(s, q, r, &name))
        return;
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "annotationCategories", '[');
    json_str(j, STR("findings"));
    json_close(j, ']');
    json_close(j, '}');
    tsp_model_end(j);
}

static void put_annotation(struct json *j, const struct finding *f)
{
    enum task_status colour = f->severity == SEVERITY_CRITICAL  ? TASK_ERROR
                              : f->severity == SEVERITY_WARNING ? TASK_ABORTED
                                                                : TASK_OPEN;

    json_open(j, '{');
    json_ki64(j, "time", f->t0);
    json_ki64(j, "duration", f->t1 != STORE_NULL && f->t1 > f->t0 ? f->t1 - f->t0 : 0);
    json_ki64(j, "entryId", -1);
    json_kstr(j, "type", STR("CHART"));
    json_kstr(j, "label", f->title);
    json_kopen(j, "style", '{');
    json_kopen(j, "values", '{');
    json_kstr(j, "color", str_of(task_status_values.at[colour].colour));
    json_key(j, STR("opacity"));
    tsp_double(j, 0.3);
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static bool wants_findings(const struct request *q)
{
    const json_t *p = tsp_parameters(q), *list = json_object_get(p, "requested_marker_categories"),
                 *v;
    size_t i;

    json_array_foreach(list, i, v) if (json_is_string(v) &&
                                       strcmp(json_string_value(v), "findings") == 0) return true;
    return json_array_size(list) == 0;
}

void tsp_post_annotations(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_window w;
    struct str name;

    if (!tsp_output_asked(s, q, r, &name) || !tsp_ready(s, r) || !tsp_window(s, q, &w, r))
        return;
    const struct diagnosis *d = serve_diagnosis(s);
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "annotations", '{');
    json_kopen(j, "findings", '[');
    for (size_t i = 0; wants_findings(q) && i < d->list.n; i++) {
        const struct finding *f = &d->list.at[i];
        ns_t t1 = f->t1 == STORE_NULL ? f->t0 : f->t1;

        if (f->t0 != STORE_NULL && f->t0 < w.span.t1 && t1 >= w.span.t0)
            put_annotation(j, f);
    }
    json_close(j, ']');
    json_close(j, '}');
    json_close(j, '}');
    tsp_model_end(j);
}
