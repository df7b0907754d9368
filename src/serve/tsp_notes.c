/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_notes.c -- what is told of what is drawn: tooltips, and findings as annotations; see
 * tsp_priv.h. */
#include "serve/tsp_priv.h"

#include "diagnose/rule.h"
#include "model/schema.h"

/* --- tooltips ------------------------------------------------------------------------------ */

static void state_tooltip(struct serve *s, const struct request *q, struct json *j,
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

/* An annotation is known by its time. */
static void annotation_tooltip(struct serve *s, struct json *j, ns_t t)
{
    const struct diagnosis *d = serve_diagnosis(s);
    char text[TIME_TEXT];

    for (size_t i = 0; i < d->list.n; i++) {
        const struct finding *f = &d->list.at[i];

        if (f->t0 != t)
            continue;
        json_kstr(j, "Finding", f->title);
        json_kstr(j, "Severity", str_of(severity_name(f->severity)));
        if (f->cost_ns != STORE_NULL)
            json_kstr(j, "Cost", str_of(time_human(f->cost_ns, text)));
        json_kstr(j, "Remedy", str_of(f->rule->remedy));
        return;
    }
}

static bool is_element(const json_t *p, const char *type)
{
    const json_t *e = json_object_get(p, "requested_element");
    const char *is = json_string_value(json_object_get(e, "elementType"));

    return is && strcmp(is, type) == 0;
}

void tsp_post_tooltip(struct serve *s, const struct request *q, struct reply *r)
{
    const json_t *p = tsp_parameters(q);
    const json_t *time = json_array_get(json_object_get(p, "requested_times"), 0);
    bool annotation = is_element(p, "annotation");
    const struct tsp_output *o;
    struct scope *c;
    size_t *items;

    if (!tsp_begin(s, q, r, &o, &c))
        return;
    size_t n = c ? tsp_items(q, c, &items) : 0;
    if (!json_is_integer(time) || (n == 0 && !annotation)) {
        reply_fail(r, 400, "parameters.requested_times and requested_items are needed");
    } else {
        struct json *j = tsp_model(r);

        json_open(j, '{');
        if (annotation)
            annotation_tooltip(s, j, json_integer_value(time));
        else
            state_tooltip(s, q, j, &c->rows.at[items[0]], json_integer_value(time));
        json_close(j, '}');
        tsp_model_end(j, s);
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
    tsp_model_end(j, s);
}

/* A category for each severity, so that a client can leave out what is only informative. */
static const enum severity severities[] = { SEVERITY_CRITICAL, SEVERITY_WARNING, SEVERITY_INFO };

void tsp_get_annotations(struct serve *s, const struct request *q, struct reply *r)
{

    if (!tsp_output_asked(s, q, r, NULL))
        return;
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "annotationCategories", '[');
    for (size_t i = 0; i < ARRAY_SIZE(severities); i++)
        json_str(j, str_of(severity_name(severities[i])));
    json_close(j, ']');
    json_close(j, '}');
    tsp_model_end(j, s);
}

/* Where several lie over each other, what is below is still to be seen. */
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
    tsp_double(j, 0.1);
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static bool wants(const struct request *q, const char *category)
{
    const json_t *p = tsp_parameters(q), *v;
    const json_t *list = json_object_get(p, "requested_marker_categories");
    size_t i;

    json_array_foreach(list, i, v)
    {
        if (json_is_string(v) && strcmp(json_string_value(v), category) == 0)
            return true;
    }
    return json_array_size(list) == 0;
}

/* The worst is told last: viewers draw it over the others. */
static void put_category(const struct diagnosis *d, enum severity severity, struct span win,
                         struct json *j)
{
    json_kopen(j, severity_name(severity), '[');
    for (size_t i = d->list.n; i-- > 0;) {
        const struct finding *f = &d->list.at[i];
        ns_t t1 = f->t1 == STORE_NULL ? f->t0 : f->t1;

        if (f->severity == severity && f->t0 != STORE_NULL && f->t0 < win.t1 && t1 >= win.t0)
            put_annotation(j, f);
    }
    json_close(j, ']');
}

void tsp_post_annotations(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_window w;

    if (!tsp_output_asked(s, q, r, NULL) || !tsp_ready(s, r) || !tsp_window(s, q, &w, r))
        return;
    struct json *j = tsp_model(r);
    json_open(j, '{');
    json_kopen(j, "annotations", '{');
    for (size_t i = 0; i < ARRAY_SIZE(severities); i++)
        if (wants(q, severity_name(severities[i])))
            put_category(serve_diagnosis(s), severities[i], w.span, j);
    json_close(j, '}');
    json_close(j, '}');
    tsp_model_end(j, s);
}
