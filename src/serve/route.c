/* SPDX-License-Identifier: Apache-2.0
 *
 * route.c -- from a request to its answer; see serve_priv.h. */
#include "serve/serve_priv.h"

#include <ctype.h>

const struct route *const route_tables[] = { api_routes, tsp_routes, NULL };

/* Arguments mean the same wherever they are taken. */
const struct route_param route_params[] = {
    { "vm", "string", "Only of this instance: name, uuid or libvirt name", false, false },
    { "host", "string", "Only of hosts whose names fit this pattern", false, false },
    { "request", "string", "Only of this request: its id or a part of it", false, false },
    { "begin", "string", "Only what is at or after this time: ns since 1970, or +5s", false,
      false },
    { "end", "string", "Only what is before this time", false, false },
    { "limit", "integer", "At most so many", false, false },
    { "sort", "string", "Columns to sort by, with commas; -name is descending", false, false },
    { "columns", "string", "These columns, with commas", false, false },
    { "by", "owner|process|thread", "A row for each of these", false, false },
    { "service", "string", "Only services whose names fit this pattern", false, false },
    { "thread", "string", "Only this thread (its number), or those whose names fit", false, false },
    { "scope", "string", "vm:NAME, host:NAME, request:ID, migration:ID or all", true, false },
    { "row", "string", "Id of a row; may be repeated", true, true },
    { "rows", "string", "The same as row, for a list in a body", false, true },
    { "t0", "integer", "Begin of the window, in ns after the experiment's", false, false },
    { "t1", "integer", "End of the window, in ns after the experiment's begin", false, false },
    { "t", "integer", "An instant, in ns after the experiment's begin", true, false },
    { "px", "integer", "Columns", false, false },
    { "filter", "string", "Only events for which this is true, as neph events --filter", false,
      false },
    { "after", "string", "Cursor: what comes behind it", false, false },
    { "before", "string", "Cursor: what comes before it", false, false },
    { "q", "string", "What to look for", true, false },
    { "token", "string", "The server's token, once: it becomes a cookie", false, false },
    { 0 },
};

/* Takes the next name off a route's list. */
static struct str next_name(struct str *list)
{
    *list = str_trim(*list);
    size_t end = str_chr(*list, ' ', 0);
    struct str name = end == STR_NONE ? *list : str_first(*list, end);

    *list = end == STR_NONE ? STR("") : str_from(*list, end);
    return name;
}

static const struct route_param *find_param(struct str name)
{
    for (const struct route_param *p = route_params; p->name; p++)
        if (str_is(name, p->name))
            return p;
    return NULL;
}

static bool takes(const struct route *r, struct str name)
{
    struct str rest = str_of(r->params ? r->params : ""), one;

    while ((one = next_name(&rest)).n)
        if (str_eq(one, name))
            return true;
    return str_is(name, "token");
}

const struct route *route_find(struct request *q, bool *ret_wrong_method)
{
    *ret_wrong_method = false;
    for (size_t i = 0; route_tables[i]; i++)
        for (const struct route *r = route_tables[i]; r->path; r++) {
            if (!request_fits(q, r->path))
                continue;
            if (r->method == q->method) {
                *ret_wrong_method = false;
                return r;
            }
            *ret_wrong_method = true;
        }
    return NULL;
}

int route_check(const struct route *r, const struct request *q, struct err *err)
{
    for (size_t i = 0; i < q->args.n && !(r->flags & ROUTE_TSP); i++) {
        struct str name = q->args.at[i].name;
        const struct route_param *p = find_param(name);

        if (!p || !takes(r, name))
            return err_set(err, E_ARG, "there is no argument '" STR_FMT "' here; there are: %s",
                           STR_ARG(str_first(name, 60)), r->params ? r->params : "none");
        if (strchr(p->type, '|')) {
            struct sbuf all = { 0 }, one = { 0 };

            sbuf_fmt(&all, "|%s|", p->type);
            sbuf_fmt(&one, "|" STR_FMT "|", STR_ARG(str_first(q->args.at[i].value, 40)));
            bool fits = strstr(all.p, one.p) != NULL;
            sbuf_free(&all);
            sbuf_free(&one);
            if (!fits)
                return err_set(err, E_ARG, "%s takes %s", p->name, p->type);
        }
    }
    return 0;
}

/* Says how far the histories are. */
static void not_yet(struct serve *s, const struct serve_progress *p, struct reply *r)
{
    (void)s;
    reply_fail(r, 503,
               p->state == SERVE_CANCELLED ? "the histories were not made: it was cancelled"
               : p->state == SERVE_FAILED
                   ? "the histories could not be made"
                   : "the histories are being made: %s%s%s; see /api/v1/progress",
               p->stage, *p->host ? " " : "", p->host);
}

void route_answer(struct serve *s, const struct route *route, struct request *q, struct reply *r)
{
    struct serve_progress p = serve_progress_now(s);
    struct err err;

    *r = (struct reply){ .status = 200 };
    if (p.state != SERVE_READY && !(route->flags & ROUTE_EARLY)) {
        not_yet(s, &p, r);
        return;
    }
    if (route_check(route, q, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    route->answer(s, q, r);
    reply_json_end(r);
}
