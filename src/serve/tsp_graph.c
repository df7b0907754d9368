/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_graph.c -- states and arrows of time graphs, and their styles; see tsp_priv.h.
 *
 * A window asks for so many samples, and gets at most one state for each: rows are drawn as runs of
 * pixels, as our own page has them.  What is searched for deeply is found where it is shorter than
 * a sample, too. */
#include "serve/tsp_priv.h"

#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>

/* States that are looked through for one answer. */
enum { LOOKED_MOST = 4000000 };
/* More arrows than ARROWS cover what they are about: then a few are told of each stretch. */
enum { ARROWS = 200, STRETCHES = 100, IN_STRETCH = 2 };

/* --- styles -------------------------------------------------------------------------------- */

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

/* --- what is searched for ------------------------------------------------------------------ */

/* Texts that a client searches for: all of a list are to be in the state's label or its row's. */
struct wanted {
    const json_t *dim, *exclude; /* others are to be dimmed; are left out */
    bool deep;                   /* also what is shorter than a sample */
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
    const char *strategy = json_string_value(json_object_get(f, "strategy"));
    struct wanted w = { json_object_get(map, "1"), json_object_get(map, "4"), false };

    w.deep = strategy && strcmp(strategy, "DEEP") == 0;
    return w;
}

/* --- states -------------------------------------------------------------------------------- */

struct shown {
    ns_t t0, t1;
    int64_t value; /* STORE_NULL: none */
    struct str label;
};
/* States of a row in order of time. */
struct states {
    VEC(struct shown) at;
};

/* For one answer. */
struct drawing {
    struct serve *s;
    struct report_src src; /* its memory is the request's */
    struct tsp_window w;
    struct wanted want;
    struct runs runs; /* room */
    struct states sampled, found, all;
    uint64_t looked; /* states that were looked through */
};

/* Where a run begins. */
static ns_t run_edge(const struct drawing *d, const struct row *row, size_t i)
{
    return row->store ? store_edge(d->w.span, d->w.n, i) : tsp_edge(&d->w, i);
}

static struct str label_of(const struct drawing *d, const struct row *row, int64_t value,
                           struct str label)
{
    return label.n               ? src_mask(&d->src, label)
           : value != STORE_NULL ? row_value(d->s, row, value, d->src.mem)
                                 : STR("");
}

/* At most one state for a sample. */
static void take_sampled(struct drawing *d, const struct row *row)
{
    row_runs(d->s, row, d->w.span, d->w.n, &d->runs);
    for (size_t i = 0; i < d->runs.at.n; i++) {
        const struct run *run = &d->runs.at.at[i];

        *vec_push(&d->sampled.at) =
            (struct shown){ run_edge(d, row, run->from), run_edge(d, row, run->to), run->value,
                            label_of(d, row, run->value, run->label) };
    }
}

/* All states of a row, one after the other. */
struct walk {
    const struct row *row;
    struct store_ranges ranges;
    size_t at;
    bool text;
};

static struct walk walk_of(const struct row *row, struct span span)
{
    struct walk k = { .row = row };

    if (row->store) {
        k.ranges = store_ranges(row->store, row->attr, span);
        k.text = store_attr_family(row->store, row->attr)->type == STORE_STR;
    }
    return k;
}

static bool walk_next(struct walk *k, struct shown *ret)
{
    struct interval v;

    if (k->row->store) {
        bool is = store_ranges_next(&k->ranges, &v);

        *ret = (struct shown){ v.t0, v.t1, v.value, STR("") };
        if (is && k->text && v.value != STORE_NULL) {
            ret->label = store_text(k->row->store, v.value);
            ret->value = v.value % shade_values.n;
        }
        return is;
    }
    if (!k->row->track || k->at == k->row->track->items.n)
        return false;
    const struct item *it = &k->row->track->items.at[k->at++];
    *ret = (struct shown){ it->t0, it->t1, it->value, it->label };
    return true;
}

/* Does a state have the texts?  'memo' knows of values that have no text of their own. */
static bool fits(struct drawing *d, const struct row *row, const struct shown *x,
                 const json_t *texts, char memo[static 64])
{
    if (x->label.n || x->value < 0 || x->value >= 64) /* what is masked can't be searched for */
        return has_texts(texts, x->label, row->label) &&
               has_texts(texts, label_of(d, row, x->value, x->label), row->label);
    if (!memo[x->value])
        memo[x->value] =
            has_texts(texts, label_of(d, row, x->value, x->label), row->label) ? 'y' : 'n';
    return memo[x->value] == 'y';
}

/* The first state of each sample that has the texts. */
static void find_states(struct drawing *d, const struct row *row, const json_t *texts)
{
    struct span win = d->w.span;
    struct walk k = walk_of(row, win);
    size_t sample = SIZE_MAX;
    char memo[64] = { 0 };
    struct shown x;

    while (d->looked++ < LOOKED_MOST && walk_next(&k, &x)) {
        x.t0 = x.t0 < win.t0 ? win.t0 : x.t0;
        x.t1 = x.t1 > win.t1 ? win.t1 : x.t1;
        if (x.value == STORE_NULL || x.t0 >= x.t1)
            continue;
        size_t in = (size_t)((__int128)(x.t0 - win.t0) * (ns_t)d->w.n / (win.t1 - win.t0));
        if (in == sample || !fits(d, row, &x, texts, memo))
            continue;
        sample = in;
        x.label = label_of(d, row, x.value, x.label);
        *vec_push(&d->found.at) = x;
    }
}

/* What was found, and what was sampled around it. */
static void merge(struct drawing *d)
{
    size_t k = 0;
    ns_t t = d->w.span.t0;

    for (size_t i = 0; i < d->sampled.at.n; i++) {
        struct shown a = d->sampled.at.at[i];

        for (t = t < a.t0 ? a.t0 : t; k < d->found.at.n && d->found.at.at[k].t0 < a.t1; k++) {
            const struct shown *f = &d->found.at.at[k];

            if (f->t0 >= a.t0 && f->t1 <= a.t1 && str_eq(f->label, a.label))
                continue; /* it is shown already */
            if (t < f->t0)
                *vec_push(&d->all.at) = (struct shown){ t, f->t0, a.value, a.label };
            *vec_push(&d->all.at) = *f;
            t = t < f->t1 ? f->t1 : t;
        }
        if (t < a.t1)
            *vec_push(&d->all.at) = (struct shown){ t, a.t1, a.value, a.label };
    }
    for (; k < d->found.at.n; k++)
        *vec_push(&d->all.at) = d->found.at.at[k];
}

static void take_states(struct drawing *d, const struct row *row)
{
    const json_t *texts = json_array_size(d->want.exclude) ? d->want.exclude : d->want.dim;

    d->sampled.at.n = d->found.at.n = d->all.at.n = 0;
    take_sampled(d, row);
    if (d->want.deep && json_array_size(texts) && !has_texts(texts, STR(""), row->label))
        find_states(d, row, texts);
    merge(d);
}

static void put_state(const struct drawing *d, struct json *j, const struct row *row,
                      const struct shown *x)
{
    if (!has_texts(d->want.exclude, x->label, row->label))
        return;
    json_open(j, '{');
    json_ki64(j, "start", x->t0);
    json_ki64(j, "end", x->t1);
    if (x->label.n)
        json_kstr(j, "label", x->label);
    if (!has_texts(d->want.dim, x->label, row->label))
        json_ki64(j, "tags", 1);
    if (x->value != STORE_NULL)
        put_style_key(j, row, x->value);
    json_close(j, '}');
}

static void put_row(struct drawing *d, struct json *j, const struct row *row, int64_t id)
{
    json_open(j, '{');
    json_ki64(j, "entryId", id);
    json_kopen(j, "states", '[');
    if ((row->store || row->track) && !row->curve) {
        take_states(d, row);
        for (size_t i = 0; i < d->all.at.n; i++)
            put_state(d, j, row, &d->all.at.at[i]);
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void drawing_free(struct drawing *d)
{
    runs_free(&d->runs);
    vec_free(&d->sampled.at);
    vec_free(&d->found.at);
    vec_free(&d->all.at);
}

void tsp_post_states(struct serve *s, const struct request *q, struct reply *r)
{
    struct drawing d = { .s = s, .src = s->src, .want = wanted_of(q) };
    const struct tsp_output *o;
    struct scope *c;
    size_t *items;

    d.src.mem = q->mem;
    if (!tsp_begin(s, q, r, &o, &c))
        return;
    if (tsp_window(s, q, &d.w, r)) {
        struct json *j = tsp_model(r);
        size_t n = c ? tsp_items(q, c, &items) : 0;

        tsp_thin_out(&d.w, n);
        json_open(j, '{');
        json_kopen(j, "rows", '[');
        for (size_t i = 0; i < n; i++)
            put_row(&d, j, &c->rows.at[items[i]], (int64_t)items[i] + 1);
        json_close(j, ']');
        json_close(j, '}');
        tsp_model_end(j, s);
        drawing_free(&d);
    }
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
