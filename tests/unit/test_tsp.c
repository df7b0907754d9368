/* SPDX-License-Identifier: Apache-2.0
 *
 * test_tsp.c -- the Trace Server Protocol while histories are made, after, and when they are not
 * made after all; what clients make.
 *
 * The server has no sockets and no thread: each of its states is there for as long as a test wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/serve_priv.h"

#include "model/schema.h"

#include <stdio.h>
#include <stdlib.h>

enum { T0 = 1000, T1 = 2000 };

static const char *const paths[] = { "/" };
static const struct serve_opts opts = { .listen = "127.0.0.1:0", .paths = paths, .npaths = 1 };

/* --- asking -------------------------------------------------------------------------------- */

/* The answer as JSON, to be released; NULL: it has no body. */
static json_t *ask(struct serve *s, enum method method, const char *path, const char *body,
                   int *ret_status)
{
    struct arena mem = { 0 };
    struct reply r = { 0 };
    struct request q;
    struct err err;
    bool wrong;

    assert_int_equal(request_parse(&q, method, str_of(path), &mem, &err), 0);
    assert_int_equal(request_body(&q, str_of(body), &err), 0);
    const struct route *route = route_find(&q, &wrong);
    assert_non_null(route);
    route_answer(s, route, &q, &r);
    *ret_status = r.status;
    json_t *v = r.body.n ? json_loadb(r.body.p, r.body.n, 0, NULL) : NULL;
    assert_true(v || r.status == 204);
    reply_free(&r);
    request_free(&q);
    arena_free(&mem);
    return v;
}

static json_t *asked(struct serve *s, enum method method, const char *path, const char *body)
{
    int status;
    json_t *v = ask(s, method, path, body, &status);

    if (status != 200)
        fail_msg("%s %s: %d", method_name(method), path, status);
    return v;
}

static const char *text(const json_t *v, const char *name)
{
    const char *is = json_string_value(json_object_get(v, name));

    assert_non_null(is);
    return is;
}

static void expect_text(const json_t *v, const char *name, const char *want)
{
    assert_string_equal(text(v, name), want);
}

static int status_of(struct serve *s, enum method method, const char *path, const char *body)
{
    int status;

    json_decref(ask(s, method, path, body, &status));
    return status;
}

/* --- a server ------------------------------------------------------------------------------ */

static struct made {
    struct arena mem;
    struct notes notes;
    struct store *host, *global;
    struct src_index vms;
    struct serve_totals totals;
} made;

static int no_load(void *ctx, struct serve *s, struct err *err)
{
    (void)ctx, (void)s;
    return err_set(err, E_UNSUP, "there is nothing to load");
}

static int no_events(void *ctx, const struct serve_events *q, struct serve_page *ret,
                     struct err *err)
{
    (void)ctx, (void)q, (void)ret, (void)err;
    return 0;
}

static const struct serve_source source = { NULL, no_load, no_events, NULL };

static struct store *history(const char *host)
{
    static const struct store_value values[] = { { "idle", "#000000", false },
                                                 { "user", "#ffffff", false } };
    static const struct store_family family = {
        "cpus/{cpu}/state", "CPU state", STORE_STATE, "", values, 2
    };
    struct store *st = store_new(host);
    struct err err;

    if (*host) {
        attr_t a = store_attr(st, &family, STR("cpus/3/state"));

        for (int i = 0; i < 10; i++)
            store_set(st, a, T0 + i * 100, i % 2);
    }
    assert_int_equal(store_finish(st, T0, T1, &err), 0);
    return st;
}

static void get_ready(struct serve *s)
{
    made = (struct made){ .totals = { .events = 50 } };
    made.host = history("h1");
    made.global = history("");
    struct report_src src = { .hosts = &made.host,
                              .nhosts = 1,
                              .global = made.global,
                              .mem = &made.mem,
                              .notes = &made.notes,
                              .span = SPAN_ALL,
                              .vms = &made.vms };
    serve_ready(s, &src, &made.totals);
}

static void end(struct serve *s)
{
    serve_free(s);
    store_free(made.host);
    store_free(made.global);
    arena_free(&made.mem);
    made = (struct made){ 0 };
}

/* The address of the first experiment, and what is below. */
static const char *at(struct serve *s, const char *below)
{
    static char path[512];
    json_t *list = asked(s, METHOD_GET, "/tsp/api/experiments", "");

    snprintf(path, sizeof path, "/tsp/api/experiments/%s%s", text(json_array_get(list, 0), "UUID"),
             below);
    json_decref(list);
    return path;
}

#define RANGE "\"requested_timerange\":{\"start\":1000,\"end\":2000,\"nbTimes\":10}"
#define ALL                                                                              \
    "{\"parameters\":{" RANGE ",\"requested_items\":[1,2,3],\"requested_times\":[1500]," \
    "\"requested_table_index\":0,\"requested_table_count\":5}}"

/* Whatever has a status, says it. */
static const struct {
    enum method method;
    const char *path;
    bool model; /* also before there are histories */
} calls[] = {
    { METHOD_POST, "/outputs/timeGraph/cloud.kernel.threads/tree", false },
    { METHOD_POST, "/outputs/timeGraph/cloud.kernel.threads/states", false },
    { METHOD_POST, "/outputs/timeGraph/cloud.kernel.threads/arrows", false },
    { METHOD_POST, "/outputs/timeGraph/cloud.kernel.threads/tooltip", false },
    { METHOD_POST, "/outputs/XY/cloud.disk.queue/tree", false },
    { METHOD_POST, "/outputs/XY/cloud.disk.queue/xy", false },
    { METHOD_POST, "/outputs/genericXY/cloud.disk.latency/tree", false },
    { METHOD_POST, "/outputs/genericXY/cloud.disk.latency/xy", false },
    { METHOD_POST, "/outputs/data/statistics/tree", false },
    { METHOD_POST, "/outputs/cloud.vm.layers/annotations", false },
    { METHOD_POST, "/outputs/table/events/columns", true },
    { METHOD_POST, "/outputs/table/events/lines", true },
    { METHOD_POST, "/outputs/table/cloud.findings/lines", true },
    { METHOD_POST, "/outputs/cloud.vm.layers/style", true },
    { METHOD_GET, "/outputs/markerSets", true },
};

static void expect_statuses(struct serve *s, const char *status, bool ready)
{
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        json_t *v = asked(s, calls[i].method, at(s, calls[i].path), ALL);
        const json_t *model = json_object_get(v, "model");

        expect_text(v, "status", status);
        if (json_is_null(model) != (!ready && !calls[i].model))
            fail_msg("%s while %s: %s", calls[i].path, status,
                     json_is_null(model) ? "no model" : "a model");
        json_decref(v);
    }
}

static void expect_experiment(struct serve *s, const char *indexing, bool ready)
{
    json_t *e = asked(s, METHOD_GET, at(s, ""), "");
    const json_t *trace = json_array_get(json_object_get(e, "traces"), 0);

    expect_text(e, "indexingStatus", indexing);
    expect_text(trace, "indexingStatus", indexing);
    assert_int_equal(json_integer_value(json_object_get(e, "start")), ready ? T0 : 0);
    assert_int_equal(json_integer_value(json_object_get(e, "end")), ready ? T1 : 0);
    assert_int_equal(json_integer_value(json_object_get(e, "nbEvents")), ready ? 50 : 0);
    json_decref(e);
}

/* --- tests --------------------------------------------------------------------------------- */

static void test_running_then_completed(void **state)
{
    struct serve *s = serve_new(&opts, &source);

    (void)state;
    expect_experiment(s, "RUNNING", false);
    expect_statuses(s, "RUNNING", false);
    serve_step(s, "events", "h1", 5, 10, 5);
    expect_experiment(s, "RUNNING", false);
    assert_int_equal(status_of(s, METHOD_POST, at(s, "/outputs/cloud.vm.layers"),
                               "{\"parameters\":{\"scope\":\"host:h1\"}}"),
                     503);
    get_ready(s);
    expect_experiment(s, "COMPLETED", true);
    expect_statuses(s, "COMPLETED", true);
    end(s);
}

/* Clients do not ask again and again for what will not come. */
static void test_cancelled(void **state)
{
    struct serve *s = serve_new(&opts, &source);

    (void)state;
    s->progress.state = SERVE_CANCELLED;
    expect_experiment(s, "CLOSED", false);
    expect_statuses(s, "CANCELLED", false);
    end(s);
}

/* An answer of before is not given after. */
static void test_not_kept(void **state)
{
    struct serve *s = serve_new(&opts, &source);
    struct arena mem = { 0 };
    struct reply r;
    struct request q;
    struct err err;
    bool wrong;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        assert_int_equal(
            request_parse(&q, calls[i].method, str_of(at(s, calls[i].path)), &mem, &err), 0);
        assert_int_equal(request_body(&q, str_of(ALL), &err), 0);
        const struct route *route = route_find(&q, &wrong);
        route_answer(s, route, &q, &r);
        assert_true(r.passing || !(route->flags & ROUTE_KEPT));
        reply_free(&r);
        request_free(&q);
    }
    arena_free(&mem);
    end(s);
}

static void test_traces_again(void **state)
{
    struct serve *s = serve_new(&opts, &source);
    json_t *list = asked(s, METHOD_GET, "/tsp/api/traces", "");
    char one[100], e[512];

    (void)state;
    snprintf(one, sizeof one, "/tsp/api/traces/%s", text(json_array_get(list, 0), "UUID"));
    snprintf(e, sizeof e, "%s", at(s, ""));
    json_decref(list);
    assert_int_equal(status_of(s, METHOD_DELETE, one, ""), 409);
    assert_int_equal(status_of(s, METHOD_DELETE, e, ""), 200);
    assert_int_equal(status_of(s, METHOD_DELETE, e, ""), 404);
    assert_int_equal(status_of(s, METHOD_DELETE, one, ""), 200);
    assert_int_equal(status_of(s, METHOD_DELETE, one, ""), 404);
    json_t *again = asked(s, METHOD_POST, "/tsp/api/traces", "{\"parameters\":{\"uri\":\"/\"}}");
    assert_true(str_is(str_from(str_of(one), strlen("/tsp/api/traces/")), text(again, "UUID")));
    json_decref(again);
    assert_int_equal(status_of(s, METHOD_GET, one, ""), 200);
    end(s);
}

/* One that has got another name is another than the next that is called as it was. */
static void test_renamed_experiment(void **state)
{
    struct serve *s = serve_new(&opts, &source);
    const char *body = "{\"parameters\":{\"name\":\"a\",\"traces\":[]}}";
    json_t *a = asked(s, METHOD_POST, "/tsp/api/experiments", body);
    char path[512];

    (void)state;
    snprintf(path, sizeof path, "/tsp/api/experiments/%s", text(a, "UUID"));
    json_decref(asked(s, METHOD_PUT, path, "{\"parameters\":{\"name\":\"b\"}}"));
    json_t *next = asked(s, METHOD_POST, "/tsp/api/experiments", body);
    assert_string_not_equal(text(a, "UUID"), text(next, "UUID"));
    json_decref(a);
    json_decref(next);
    json_t *b = asked(s, METHOD_GET, path, "");
    expect_text(b, "name", "b");
    json_decref(b);
    end(s);
}

static void test_made_twice(void **state)
{
    struct serve *s = serve_new(&opts, &source);
    const char *at_config = "/tsp/api/config/types/neph.scope/configs";

    (void)state;
    get_ready(s);
    json_decref(asked(s, METHOD_POST, at_config,
                      "{\"name\":\"one\",\"parameters\":{\"scope\":\"host:h1\"}}"));
    json_decref(asked(s, METHOD_POST, at_config,
                      "{\"name\":\"two\",\"parameters\":{\"scope\":\"host:h1\"}}"));
    json_t *list = asked(s, METHOD_GET, at_config, "");
    assert_int_equal(json_array_size(list), 1);
    expect_text(json_array_get(list, 0), "name", "two");
    json_decref(list);
    end(s);
}

/* Windows far out, of no length, or backwards. */
static void test_windows(void **state)
{
    static const struct {
        const char *range;
        int status;
    } cases[] = {
        { "{\"start\":9223372036854775807,\"end\":9223372036854775807,\"nbTimes\":1}", 200 },
        { "{\"start\":-9223372036854775808,\"end\":-9223372036854775808,\"nbTimes\":1}", 200 },
        { "{\"start\":-9223372036854775808,\"end\":9223372036854775807,\"nbTimes\":1}", 200 },
        { "{\"start\":1000,\"end\":1000,\"nbTimes\":8192}", 200 },
        { "{\"start\":1000,\"end\":2000,\"nbTimes\":9223372036854775807}", 200 },
        { "{\"start\":1000,\"end\":2000,\"nbTimes\":0}", 400 },
        { "{\"start\":1000,\"end\":2000,\"nbTimes\":-9223372036854775808}", 400 },
        { "{\"start\":2000,\"end\":1000}", 400 },
        { "{\"start\":1000.5,\"end\":2000}", 400 },
        { "{\"start\":\"1000\",\"end\":2000}", 400 },
        { "{}", 400 },
        { "[]", 400 },
        { "null", 400 },
    };
    struct serve *s = serve_new(&opts, &source);
    char body[300];

    (void)state;
    get_ready(s);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        snprintf(body, sizeof body,
                 "{\"parameters\":{\"requested_timerange\":%s,\"requested_items\":[1,2]}}",
                 cases[i].range);
        for (size_t k = 0; k < ARRAY_SIZE(calls); k++)
            if (strstr(calls[k].path, "/states") || strstr(calls[k].path, "/xy") ||
                strstr(calls[k].path, "/arrows") || strstr(calls[k].path, "/annotations"))
                assert_int_equal(status_of(s, METHOD_POST, at(s, calls[k].path), body),
                                 cases[i].status);
    }
    end(s);
}

/* --- whatever is sent ---------------------------------------------------------------------- */

/* The path of a route with its holes filled: 'known' names what there is. */
static void fill_path(struct serve *s, const char *pattern, const char *output, bool known,
                      char ret[static 600])
{
    struct sbuf path = { 0 };
    const char *uuid = strrchr(at(s, ""), '/') + 1;

    for (const char *p = pattern; *p; p++) {
        if (*p != '{') {
            sbuf_fmt(&path, "%c", *p);
            continue;
        }
        struct str name = { p + 1, strcspn(p + 1, "}") };
        sbuf_fmt(&path, "%s",
                 !known                 ? "no%2Fthing"
                 : str_is(name, "uuid") ? uuid
                 : str_is(name, "id")   ? output
                 : str_is(name, "type") ? "neph.scope"
                                        : "cloud.vm.layers:host:h1");
        p += name.n + 1;
    }
    snprintf(ret, 600, "%s", path.p);
    sbuf_free(&path);
}

static const char *const members[] = {
    "requested_timerange",
    "requested_items",
    "requested_times",
    "requested_element",
    "filter_query_parameters",
    "requested_table_index",
    "requested_table_count",
    "requested_table_column_ids",
    "table_search_expressions",
    "table_search_direction",
    "requested_marker_categories",
    "requested_marker_set",
    "uri",
    "name",
    "traces",
    "scope",
    "parameters",
};
static const char *const values[] = {
    "null",
    "true",
    "-1",
    "9223372036854775807",
    "1.5e300",
    "\"\"",
    "\"x\"",
    "[]",
    "[[]]",
    "[null]",
    "[-1,0,1,9223372036854775807]",
    "[\"x\",{}]",
    "{}",
    "{\"\":0}",
    "{\"0\":\"(\"}",
    "{\"0\":\"x*\",\"8\":\".\"}",
    "{\"start\":0,\"end\":{}}",
    "{\"filter_expressions_map\":[1]}",
    "{\"strategy\":\"DEEP\",\"filter_expressions_map\":{\"1\":[\"user\"],\"4\":[\"\"]}}",
    "{\"strategy\":\"DEEP\",\"filter_expressions_map\":{\"4\":[\"user\"]}}",
    "{\"filter_expressions_map\":{\"1\":7,\"4\":[null,{}]}}",
};

static void expect_bearable(struct serve *s, const struct route *route, const char *path,
                            const char *body, bool early)
{
    int status;

    json_decref(ask(s, route->method, path, body, &status));
    if (status != 200 && status != 204 && status != 400 && status != 404 && status != 409 &&
        !(early && status == 503))
        fail_msg("%s %s %s: %d", method_name(route->method), path, body, status);
}

static void every_body(struct serve *s, const struct route *route, const char *path, bool early)
{
    static const char all[] = ALL;
    static const char *const whole[] = {
        "", "{}", "{\"parameters\":[]}", "{\"parameters\":null}", "{\"parameters\":7}", all
    };
    char body[600];

    for (size_t i = 0; i < ARRAY_SIZE(whole); i++)
        expect_bearable(s, route, path, whole[i], early);
    for (size_t m = 0; m < ARRAY_SIZE(members) && route->method != METHOD_GET; m++)
        for (size_t v = 0; v < ARRAY_SIZE(values); v++) {
            bool range = strcmp(members[m], "requested_timerange") == 0;

            snprintf(body, sizeof body, "{\"parameters\":{%s\"%s\":%s}}", range ? "" : RANGE ",",
                     members[m], values[v]);
            expect_bearable(s, route, path, body, early);
            snprintf(body, sizeof body, "{\"%s\":%s}", members[m], values[v]);
            expect_bearable(s, route, path, body, early);
        }
}

static void test_every_route(void **state)
{
    static const char *const outputs[] = {
        "cloud.kernel.threads", "cloud.disk.queue", "events",
        "cloud.findings",       "statistics",       "cloud.disk.latency"
    };

    (void)state;
    for (int early = 0; early <= 1; early++)
        for (const struct route *r = tsp_routes; r->path; r++)
            for (size_t i = 0; i <= ARRAY_SIZE(outputs); i++) {
                bool known = i < ARRAY_SIZE(outputs);

                if (known && i && !strstr(r->path, "{id}"))
                    continue;
                struct serve *s = serve_new(&opts, &source);
                char path[600];

                if (!early)
                    get_ready(s);
                fill_path(s, r->path, known ? outputs[i] : "", known, path);
                if (!known && strchr(r->path, '{'))
                    assert_int_equal(status_of(s, r->method, path, "{}"), 404);
                else
                    every_body(s, r, path, early);
                end(s);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_running_then_completed),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_not_kept),
        cmocka_unit_test(test_traces_again),
        cmocka_unit_test(test_renamed_experiment),
        cmocka_unit_test(test_made_twice),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_every_route),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
