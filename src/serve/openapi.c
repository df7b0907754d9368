/* SPDX-License-Identifier: Apache-2.0
 *
 * openapi.c -- the description of /api/v1, from the table of routes.
 *
 * The form of a reply is written in few letters: s text, i whole number, n number, b yes or no, *
 * anything, ? behind what may be null, {name:s,name2:i} an object with these members (a '-' before
 * a name: it may be missing), [x] a list of x, {*:x} an object with any members.  A listing's form
 * comes from its columns. */
#include "serve/serve_priv.h"

#include "report/lists.h"
#include "report/measure.h"
#include "report/migration_show.h"

static void put_shape(struct json *j, struct str *s);

static void put_type(struct json *j, const char *type, bool may_be_null)
{
    if (!may_be_null) {
        json_kstr(j, "type", str_of(type));
        return;
    }
    json_kopen(j, "type", '[');
    json_str(j, str_of(type));
    json_str(j, STR("null"));
    json_close(j, ']');
}

static bool take(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

/* Position behind the shape that 's' begins with. */
static size_t shape_end(struct str s)
{
    size_t depth = 0, i = 0;

    do {
        depth += s.p[i] == '{' || s.p[i] == '[';
        depth -= s.p[i] == '}' || s.p[i] == ']';
    } while (++i < s.n && depth > 0);
    return i;
}

static void put_object(struct json *j, struct str *s)
{
    struct str all = *s, name;
    struct sbuf must = { 0 };

    if (str_starts(*s, STR("*:"))) {
        *s = str_from(*s, 2);
        json_key(j, STR("additionalProperties"));
        put_shape(j, s);
        take(s, '}');
        return;
    }
    json_kopen(j, "properties", '{');
    while (s->n && !take(s, '}')) {
        bool may_miss = take(s, '-');
        size_t colon = str_chr(*s, ':', 0);

        name = str_first(*s, colon);
        *s = str_from(*s, colon + 1);
        json_key(j, name);
        put_shape(j, s);
        if (!may_miss)
            sbuf_fmt(&must, STR_FMT ",", STR_ARG(name));
        take(s, ',');
    }
    json_close(j, '}');
    json_kopen(j, "required", '[');
    struct str rest = sbuf_view(&must);
    while (rest.n) {
        size_t comma = str_chr(rest, ',', 0);

        json_str(j, str_first(rest, comma));
        rest = str_from(rest, comma + 1);
    }
    json_close(j, ']');
    sbuf_free(&must);
    (void)all;
}

static void put_shape(struct json *j, struct str *s)
{
    static const char *const types[] = {
        ['s'] = "string", ['i'] = "integer", ['n'] = "number", ['b'] = "boolean"
    };
    size_t end = shape_end(*s);
    bool may_be_null = end < s->n && s->p[end] == '?';
    char c = s->p[0];

    *s = str_from(*s, 1);
    json_open(j, '{');
    if (c == '{') {
        put_type(j, "object", may_be_null);
        put_object(j, s);
    } else if (c == '[') {
        put_type(j, "array", may_be_null);
        json_key(j, STR("items"));
        put_shape(j, s);
        take(s, ']');
    } else if (c != '*') {
        put_type(j, types[(unsigned char)c], may_be_null);
    }
    json_close(j, '}');
    take(s, '?');
}

/* --- listings ------------------------------------------------------------------------------ */

static void put_columns(struct json *j, const struct column *cols, size_t n)
{
    static const char *const types[] = {
        [COL_STR] = "string",      [COL_INT] = "integer",      [COL_COUNT] = "integer",
        [COL_BYTES] = "integer",   [COL_RATIO] = "number",     [COL_BOOL] = "boolean",
        [COL_INSTANT] = "integer", [COL_DURATION] = "integer", [COL_LIST] = "array",
    };

    json_open(j, '{');
    put_type(j, "array", false);
    json_kopen(j, "items", '{');
    put_type(j, "object", false);
    json_kopen(j, "properties", '{');
    for (size_t i = 0; i < n; i++) {
        json_kopen(j, cols[i].id, '{');
        if (cols[i].kind != COL_NESTED)
            put_type(j, types[cols[i].kind], true);
        json_close(j, '}');
    }
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

static enum measure_view view_of(struct str path)
{
    return str_find(path, STR("/top/"), 0) != STR_NONE     ? VIEW_TOP
           : str_find(path, STR("/stats/"), 0) != STR_NONE ? VIEW_STATS
           : str_find(path, STR("/log/"), 0) != STR_NONE   ? VIEW_LOG
                                                           : VIEW_FREQ;
}

/* --- routes -------------------------------------------------------------------------------- */

static void put_param(struct json *j, const struct route_param *p)
{
    json_open(j, '{');
    json_kstr(j, "name", str_of(p->name));
    json_kstr(j, "in", STR("query"));
    json_kstr(j, "description", str_of(p->about));
    json_key(j, STR("required"));
    json_bool(j, p->must);
    json_kopen(j, "schema", '{');
    if (strchr(p->type, '|')) {
        struct str rest = str_of(p->type);

        json_kstr(j, "type", STR("string"));
        json_kopen(j, "enum", '[');
        while (rest.n) {
            size_t bar = str_chr(rest, '|', 0);

            json_str(j, bar == STR_NONE ? rest : str_first(rest, bar));
            rest = bar == STR_NONE ? STR("") : str_from(rest, bar + 1);
        }
        json_close(j, ']');
    } else if (p->many) {
        json_kstr(j, "type", STR("array"));
        json_kopen(j, "items", '{');
        json_kstr(j, "type", str_of(p->type));
        json_close(j, '}');
    } else {
        json_kstr(j, "type", str_of(p->type));
    }
    json_close(j, '}');
    json_close(j, '}');
}

static void put_hole(struct json *j, struct str name)
{
    json_open(j, '{');
    json_kstr(j, "name", name);
    json_kstr(j, "in", STR("path"));
    json_key(j, STR("required"));
    json_bool(j, true);
    json_kopen(j, "schema", '{');
    json_kstr(j, "type", STR("string"));
    json_close(j, '}');
    json_close(j, '}');
}

static void put_params(struct json *j, const struct route *r, struct str path)
{
    struct str rest = str_of(r->params ? r->params : ""), hole;

    json_kopen(j, "parameters", '[');
    while (str_between(path, STR("{"), STR("}"), &hole)) {
        put_hole(j, hole);
        path = str_from(path, str_chr(path, '}', 0) + 1);
    }
    while (rest.n) {
        size_t end = str_chr(rest, ' ', 0);
        struct str name = end == STR_NONE ? rest : str_first(rest, end);

        for (const struct route_param *p = route_params; p->name; p++)
            if (str_is(name, p->name))
                put_param(j, p);
        rest = end == STR_NONE ? STR("") : str_from(rest, end + 1);
    }
    json_close(j, ']');
}

struct columns {
    const struct column *at;
    size_t n;
};

static void put_operation(struct json *j, const struct route *r, struct str path,
                          const struct columns *cols)
{
    struct str shape = str_of(r->reply ? r->reply : "*");
    struct sbuf method = { 0 };

    for (const char *m = method_name(r->method); *m; m++)
        sbuf_chr(&method, (char)(*m | 0x20));
    json_kopen(j, method.p, '{');
    sbuf_free(&method);
    json_kstr(j, "summary", str_of(r->about));
    put_params(j, r, path);
    json_kopen(j, "responses", '{');
    json_kopen(j, "200", '{');
    json_kstr(j, "description", STR("The answer"));
    json_kopen(j, "content", '{');
    json_kopen(j, r->flags & ROUTE_STREAM ? "text/event-stream" : "application/json", '{');
    json_key(j, STR("schema"));
    if (cols)
        put_columns(j, cols->at, cols->n);
    else
        put_shape(j, &shape);
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
    json_kopen(j, "default", '{');
    json_kstr(j, "description", STR("What is wrong: {\"title\",\"detail\"}"));
    json_close(j, '}');
    json_close(j, '}');
    json_close(j, '}');
}

/* "/api/v1/list/{what}" as a path for each listing, with its columns. */
static void put_named(struct json *j, const struct route *r, const char *name,
                      const struct columns *cols)
{
    struct str path = str_of(r->path);
    struct sbuf full = { 0 };

    sbuf_fmt(&full, STR_FMT "%s", STR_ARG(str_first(path, str_chr(path, '{', 0))), name);
    json_kopen(j, full.p, '{');
    put_operation(j, r, sbuf_view(&full), cols);
    json_close(j, '}');
    sbuf_free(&full);
}

static void put_route(struct json *j, const struct route *r)
{
    struct str path = str_of(r->path);
    struct sbuf plain = { 0 };

    if (str_ends(path, STR("/{what}"))) {
        for (size_t i = 0; report_lists[i]; i++)
            put_named(j, r, report_lists[i]->name,
                      &(struct columns){ report_lists[i]->columns, report_lists[i]->ncolumns });
        return;
    }
    if (str_ends(path, STR("/{measure}"))) {
        struct measure_opts o = { .view = view_of(path) };

        for (size_t i = 0; measures[i]; i++) {
            struct arena mem = { 0 };
            struct columns cols;

            if (!measure_has(measures[i], o.view))
                continue;
            cols.at = measure_columns(measures[i], &o, &mem, &cols.n);
            put_named(j, r, measure_name(measures[i]), &cols);
            arena_free(&mem);
        }
        return;
    }
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] != '.' || !str_starts(str_from(path, i), STR("...}")))
            sbuf_chr(&plain, path.p[i]);
        else
            i += 2;
    json_kopen(j, plain.p, '{');
    for (const struct route *m = api_routes; m->path; m++) /* all methods of one address */
        if (strcmp(m->path, r->path) == 0)
            put_operation(j, m, sbuf_view(&plain),
                          str_find(path, STR("/rounds/"), 0) == STR_NONE
                              ? NULL
                              : &(struct columns){ round_columns, nround_columns });
    json_close(j, '}');
    sbuf_free(&plain);
}

void openapi_json(struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "openapi", STR("3.1.0"));
    json_kopen(j, "info", '{');
    json_kstr(j, "title", STR("Nephoscope"));
    json_kstr(j, "version", STR(NEPH_VERSION));
    json_kstr(j, "description",
              STR("What neph knows of the traces that it serves. Times are ns; in strips, curves, "
                  "arrows and rows they count from the experiment's begin (t0_ns)."));
    json_close(j, '}');
    json_kopen(j, "paths", '{');
    for (const struct route *r = api_routes; r->path; r++) {
        bool told = false;

        for (const struct route *before = api_routes; before < r; before++)
            told |= strcmp(before->path, r->path) == 0;
        if (!told)
            put_route(j, r);
    }
    json_close(j, '}');
    json_close(j, '}');
}
