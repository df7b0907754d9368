/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_graph.c -- windows, states, arrows and styles; see tsp_priv.h.
 *
 * A window asks for so many samples, and gets at most one state for each: rows are drawn as runs of
 * pixels, as our own page has them. */
#include "serve/tsp_priv.h"

#include "base/limits.h"
#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>

/* More arrows than ARROWS cover what they are about: then a few are told of each stretch. */
enum { ARROWS = 200, STRETCHES = 100, IN_STRETCH = 2 };

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

static ns_t within(ns_t t, ns_t least, ns_t most)
{
    return t < least ? least : t > most ? most : t;
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
    w.span.t0 = within(w.span.t0, s->all.t0 - length, s->all.t1 + length);
    w.span.t1 = within(w.span.t1, s->all.t0 - length, s->all.t1 + length);
    if (w.span.t1 <= w.span.t0)
        w.span.t1 = w.span.t0 + 1;
    w.n = w.n > LIMIT_HTTP_PIXELS ? LIMIT_HTTP_PIXELS : w.n;
    if (w.n > (size_t)(w.span.t1 - w.span.t0))
        w.n = (size_t)(w.span.t1 - w.span.t0);
    *ret = w;
    return true;
}

ns_t tsp_edge(const struct tsp_window *w, size_t i)
{
    return w->span.t0 + (ns_t)((__int128)(w->span.t1 - w->span.t0) * (ns_t)i / (ns_t)w->n);
}

void tsp_thin_out(struct tsp_window *w, size_t rows)
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

bool tsp_begin(struct serve *s, const struct request *q, struct reply *r,
               const struct tsp_output **ret, struct scope **ret_scope)
{
    struct tsp_derived d;
    struct err err;

    *ret_scope = NULL;
    if (!(*ret = tsp_output_asked(s, q, r, &d)) || !tsp_ready(s, r))
        return false;
    const char *scope = d.scope ? d.scope : (*ret)->scope;
    if (!scope)
        return true;
    *ret_scope = scope_get(s, str_of(scope), &err);
    if (!*ret_scope)
        reply_fail(r, 404, "%s", err.text);
    return *ret_scope != NULL;
}

/* --- states -------------------------------------------------------------------------------- */

/* Where a run begins. */
static ns_t run_edge(const struct row *row, const struct tsp_window *w, size_t i)
{
    return row->store ? store_edge(w->span, w->n, i) : tsp_edge(w, i);
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

/* Texts that a client searches for: all of a list are to be in the state's label or its row's. */
struct wanted {
    const json_t *dim, *exclude; /* others are to be dimmed; are left out */
};

static bool has_texts(const json_t *list, struct str label, struct str row)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        struct str text = str_of(json_is_string(v) ? json_string_value(v) : "");

        if (str_find(label, text, 0) == STR_NONE && str_find(row, text, 0) == STR_NONE)
            return false;
    }
    return true;
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

    if (!has_texts(want->exclude, label, row->label))
        return;
    json_open(j, '{');
    json_ki64(j, "start", run_edge(row, w, run->from));
    json_ki64(j, "end", run_edge(row, w, run->to));
    if (label.n)
        json_kstr(j, "label", label);
    if (!has_texts(want->dim, label, row->label))
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

    if (!tsp_begin(s, q, r, &o, &c))
        return;
    if (!tsp_window(s, q, &w, r)) {
        scope_release(s, c);
        return;
    }
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "rows", '[');
    size_t n = c ? tsp_items(q, c, &items) : 0;
    tsp_thin_out(&w, n);
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
    tsp_model_end(j, s);
    runs_free(&runs);
    scope_release(s, c);
}

/* --- arrows -------------------------------------------------------------------------------- */

struct arrow_list {
    VEC(struct arrow) at;
};

static void keep_arrow(void *ctx, const struct arrow *a)
{
    struct arrow_list *l = ctx;

    *vec_push(&l->at) = *a;
}

static void put_arrow(struct json *j, const struct scope *c, const struct arrow *a)
{
    enum task_status colour = strcmp(a->kind, "pre-empted") == 0 ? TASK_ERROR : TASK_DONE;

    json_open(j, '{');
    json_ki64(j, "sourceId", a->from - c->rows.at + 1);
    json_ki64(j, "targetId", a->to - c->rows.at + 1);
    json_ki64(j, "start", a->t0);
    json_ki64(j, "end", a->t1);
    json_kopen(j, "style", '{');
    json_kopen(j, "values", '{');
    json_kstr(j, "style-name", str_of(a->kind));
    json_kstr(j, "color", str_of(task_status_values.at[colour].colour));
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

/* All of the window, or if these are too many, some that begin in each stretch of it. */
static void put_arrows(struct serve *s, struct scope *c, struct span win, struct json *j)
{
    struct arrow_list l = { 0 };
    bool all = arrows_find(s, c, win, ARROWS, keep_arrow, &l);

    for (size_t i = 0; all && i < l.at.n; i++)
        put_arrow(j, c, &l.at.at[i]);
    for (size_t k = 0; !all && k < STRETCHES; k++) {
        struct span part = { store_edge(win, STRETCHES, k), store_edge(win, STRETCHES, k + 1) };

        l.at.n = 0;
        arrows_find(s, c, part, IN_STRETCH, keep_arrow, &l);
        for (size_t i = 0; i < l.at.n; i++)
            if (span_has(part, l.at.at[i].t0))
                put_arrow(j, c, &l.at.at[i]);
    }
    vec_free(&l.at);
}

void tsp_post_arrows(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o;
    struct tsp_window w;
    struct scope *c;

    if (!tsp_begin(s, q, r, &o, &c))
        return;
    if (tsp_window(s, q, &w, r)) {
        struct json *j = tsp_model(r);

        json_open(j, '[');
        if (c && o->type == TSP_GRAPH)
            put_arrows(s, c, w.span, j);
        json_close(j, ']');
        tsp_model_end(j, s);
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

    if (!tsp_output_asked(s, q, r, NULL))
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
    tsp_model_end(j, s);
}
