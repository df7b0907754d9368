/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_window.c -- what all questions about an output have: the output, its rows, a window with so
 * many samples; see tsp_priv.h. */
#include "serve/tsp_priv.h"

#include "base/limits.h"

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
