/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_http.c -- any bytes as a request.
 *
 * The input is a method, a target and a body, with line breaks between.  They are taken apart, a
 * route is looked for, arguments are checked, and the route answers from a small history that is
 * made once, and from a server that has none yet: all that the server does but for sockets.  Every
 * answer must be whole, and JSON where it says so. */
#include "serve/guard.h"
#include "serve/rows.h"
#include "serve/tsp.h"

#include "model/schema.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* clang-format off */
static const struct store_value states[] = { { "good", "#000000", false }, { "bad", "#ffffff", true } };
static const struct store_family family = { "threads/{tid}/state", "Thread state", STORE_STATE, "", states, 2 };
static const struct store_family numbers = { "disks/{dev}/waiting", "Waiting", STORE_INT, "", NULL, 0 };
static const struct store_family texts = { "vms/{vm}/task", "Task", STORE_STR, "", NULL, 0 };
/* clang-format on */

static int no_load(void *ctx, struct serve *s, struct err *err)
{
    (void)ctx, (void)s;
    return err_set(err, E_UNSUP, "there is nothing to load");
}

static int no_events(void *ctx, const struct serve_events *q, struct serve_page *ret,
                     struct err *err)
{
    (void)ctx, (void)ret;
    assert(q->limit > 0);
    return q->filter.n ? err_set(err, E_ARG, "no filter") : 0;
}

static struct store *make_history(const char *host)
{
    struct store *s = store_new(host);
    struct err err;

    attr_t a = store_attr(s, &family, STR("threads/7/state"));
    attr_t b = store_attr(s, &numbers, STR("disks/8/waiting"));
    attr_t c = store_attr(s, &texts, STR("vms/vm-1/task"));
    for (int i = 0; i < 50; i++) {
        store_set(s, a, 1000 + i * 10, i % 2);
        store_set(s, b, 1000 + i * 10, i);
        store_set(s, c, 1000 + i * 10, store_intern(s, i % 3 ? STR("spawning") : STR("<b>")));
    }
    if (store_finish(s, 1000, 2000, &err) < 0)
        abort();
    return s;
}

static struct serve *make_server(bool ready)
{
    static const char *const paths[] = { "/tmp" };
    static const struct serve_opts o = { .listen = "127.0.0.1:0", .paths = paths, .npaths = 1 };
    static const struct serve_source source = { NULL, no_load, no_events };
    static struct arena mem;
    static struct notes notes;
    static struct store *hosts[2];
    static struct src_index vms;
    static const struct serve_totals totals = { .events = 50 };
    struct serve *s = serve_new(&o, &source);

    if (!ready)
        return s;
    hosts[0] = make_history("h1");
    hosts[1] = make_history("");
    struct report_src src = { .hosts = hosts,
                              .nhosts = 1,
                              .global = hosts[1],
                              .mem = &mem,
                              .notes = &notes,
                              .span = SPAN_ALL,
                              .vms = &vms };
    serve_ready(s, &src, &totals);
    return s;
}

static void check(const struct reply *r)
{
    json_error_t why;

    assert(r->status >= 200 && r->status < 600);
    if (r->status == 204)
        return;
    assert(r->type && strcmp(r->type, "application/json") == 0);
    json_t *v = json_loadb(r->body.p, r->body.n, JSON_DECODE_ANY, &why);
    assert(v);
    json_decref(v);
}

static void ask(struct serve *s, const char *method, struct str target, struct str body)
{
    struct arena mem = { 0 };
    struct reply r = { 0 };
    struct request q;
    struct err err;
    bool wrong;

    if (request_parse(&q, method_of(method), target, &mem, &err) == 0 &&
        request_body(&q, body, &err) == 0) {
        const struct route *route = route_find(&q, &wrong);

        if (route && route->answer && strcmp(route->path, "/api/v1/cancel") != 0) {
            route_answer(s, route, &q, &r);
            check(&r);
        }
    }
    reply_free(&r);
    request_free(&q);
    arena_free(&mem);
    tsp_free(s->tsp); /* the next input finds what this one did */
    s->tsp = tsp_new(s);
}

static void judge(const char *text)
{
    static const struct serve_opts o = { .listen = "127.0.0.1:0", .token = "0123456789abcdef" };
    static const struct serve_opts open = { .listen = "127.0.0.1:0" };
    struct guard_asks a = { .host = text,
                            .origin = text,
                            .cookie = text,
                            .authorization = text,
                            .token = text,
                            .fetch_site = text,
                            .reads = true };
    char host[64];
    uint16_t port;
    struct err err;

    if (guard_judge(&o, &a).status == 0) /* with the token only */
        assert(strstr(text, o.token));
    a.origin = a.fetch_site = NULL;
    guard_judge(&open, &a);
    guard_address(text, host, &port, &err);
    guard_check_token(text, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct serve *ready, *early;
    struct str all = { (const char *)data, n };
    size_t first = str_chr(all, '\n', 0);
    size_t second = first == STR_NONE ? STR_NONE : str_chr(all, '\n', first + 1);
    char method[16] = "GET";

    if (!ready) {
        ready = make_server(true);
        early = make_server(false);
    }
    if (first == STR_NONE)
        return 0;
    if (first < sizeof method) {
        memcpy(method, data, first);
        method[first] = '\0';
    }
    struct str target = str_from(all, first + 1);
    struct str body = second == STR_NONE ? STR("") : str_from(all, second + 1);
    if (second != STR_NONE)
        target = str_first(target, second - first - 1);
    ask(ready, method, target, body);
    ask(early, method, target, body);
    char *text = xmalloc(target.n + 1); /* strndup() of the sanitizer looks one byte too far */
    memcpy(text, target.p, target.n);
    text[target.n] = '\0';
    judge(text);
    free(text);
    return 0;
}
