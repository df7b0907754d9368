/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_http.c -- REST calls, seen from the client and from the server, and the
 * objects in their bodies.
 *
 * The client lines are those of keystoneauth's session (REQ/RESP), the server
 * lines those of eventlet.wsgi, oslo.service's wsgi, Placement's requestlog,
 * and of the wsgi modules of Keystone, Cinder, Neutron and Nova.  The
 * request id of an answer is what ties both sides. */
#include "model/oslog_priv.h"

#include <strings.h>

static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS" };

static struct log_fact *add_http(struct oslog *o, enum log_fact_kind kind)
{
    struct log_fact *f = oslog_add(o, kind);

    if (f)
        f->http =
            (struct fact_http){ .status = OSLOG_NO_I64, .bytes = OSLOG_NO_I64, .ns = OSLOG_NO_NS };
    return f;
}

static bool take_method(struct str *s, struct str *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        struct str r = *s, m = str_of(methods[i]);

        if (take(&r, methods[i]) && r.n && r.p[0] == ' ') {
            *ret = (struct str){ s->p, m.n };
            *s = str_from(r, 1);
            return true;
        }
    }
    return false;
}

/* The path of a URL: without scheme, host and query. */
static struct str path_of(struct str url)
{
    size_t i = str_find(url, STR("://"), 0);

    if (i != STR_NONE && i < 8) {
        size_t slash = str_chr(url, '/', i + 3);

        url = slash == STR_NONE ? STR("/") : str_from(url, slash);
    }
    size_t query = str_chr(url, '?', 0);
    return query == STR_NONE ? url : str_first(url, query);
}

static void set_url(struct fact_http *h, struct str url)
{
    h->url = url;
    h->path = path_of(url);
}

/* The value of header 'name' (in any letter case) in "Name: value Name: value"
 * as far as it is a request id. */
static struct str request_id_of(struct str headers, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = str_find(headers, STR(": req-"), 0); i != STR_NONE;
         i = str_find(headers, STR(": req-"), i + 6)) {
        if (i >= n && strncasecmp(headers.p + i - n, name, n) == 0 &&
            str_is_uuid(str_from(headers, i + 6)))
            return (struct str){ headers.p + i + 2, 40 };
    }
    return STR("");
}

/* REQ: curl -g -i -X GET URL -H "..." -d '{..}'; options stand in any order. */
static bool client_request(struct oslog *o, struct str s, int arg)
{
    struct str method, url, head, body = STR("");

    (void)arg;
    if (!take_to(&s, "-X ", &head) || !take_method(&s, &method))
        return false;
    take(&s, "'"); /* some releases quote the URL */
    size_t n = 0;
    while (n < s.n && s.p[n] != ' ' && s.p[n] != '\'' && s.p[n] != '\n')
        n++;
    url = str_first(s, n);
    s = str_from(s, n);
    size_t d = str_find(s, STR(" -d '"), 0);
    struct str headers = d == STR_NONE ? s : str_first(s, d);
    if (d != STR_NONE) {
        size_t end = str_rchr(s, '\'');

        body = str_from(s, d + 5);
        if (end > d + 4)
            body = str_first(body, end - d - 5);
    }
    struct log_fact *f = add_http(o, FACT_HTTP_REQUEST);
    if (!f)
        return true;
    f->http.method = method;
    set_url(&f->http, url);
    f->http.body = body;
    f->http.request_id = request_id_of(headers, "x-openstack-request-id");
    oslog_objects(o, body, API_REQUEST);
    return true;
}

/* RESP: [200] Header: value ... \nRESP BODY: {json} */
static bool client_response(struct oslog *o, struct str s, int arg)
{
    struct str body = STR(""), headers = s, r = s;
    int64_t status;

    (void)arg;
    if (!take_i64(&s, &status) || !take(&s, "]"))
        return false;
    if (take_to(&r, "RESP BODY: ", &headers))
        body = r;
    struct log_fact *f = add_http(o, FACT_HTTP_RESPONSE);
    if (!f)
        return true;
    f->http.status = status;
    f->http.body = body;
    f->http.request_id = request_id_of(headers, "x-openstack-request-id");
    if (!f->http.request_id.n)
        f->http.request_id = request_id_of(headers, "x-compute-request-id");
    oslog_objects(o, body, API_RESPONSE);
    return true;
}

/* RESP BODY: {json}, which Zed logs as a line of its own */
static bool client_body(struct oslog *o, struct str s, int arg)
{
    oslog_objects(o, s, (enum api_origin)arg);
    return o->out->n > 0;
}

/* GET call to compute for URL used request id req-..; the method is in 'first' */
static bool client_call(struct oslog *o, struct str s, int arg)
{
    struct str method, service, url, id;

    (void)arg;
    if (!take_method(&s, &method) || !take(&s, "call to ") || !take_to(&s, " for ", &service) ||
        !take_to(&s, " used request id ", &url) || !take_word(&s, &id))
        return false;
    struct log_fact *f = add_http(o, FACT_HTTP_CALL);
    if (!f)
        return true;
    f->http.method = method;
    f->http.service = service;
    f->http.request_id = id;
    set_url(&f->http, url);
    return true;
}

/* GET http://host:5000/v3/..  (wsgi modules of Keystone 2016, Cinder, Nova) */
static bool server_arrived(struct oslog *o, struct str s, int arg)
{
    struct str method;

    (void)arg;
    if (!take_method(&s, &method) || !(str_starts(s, STR("http")) || str_starts(s, STR("/"))))
        return false;
    size_t n = 0;
    while (n < s.n && (unsigned char)s.p[n] > ' ')
        n++;
    if (n < s.n && str_trim(str_from(s, n)).n)
        return false; /* prose */
    struct log_fact *f = add_http(o, FACT_HTTP_ARRIVED);
    if (f) {
        f->http.method = method;
        set_url(&f->http, str_first(s, n));
    }
    return true;
}

/* REQUEST_METHOD: `GET` and PATH_INFO: `/v3/auth/tokens` (Keystone on Flask) */
static bool server_arrived_part(struct oslog *o, struct str s, int path)
{
    struct str v;

    if (!take(&s, "`") || !take_to(&s, "`", &v))
        return false;
    struct log_fact *f = add_http(o, FACT_HTTP_ARRIVED);
    if (f && path)
        set_url(&f->http, v);
    else if (f)
        f->http.method = v;
    return true;
}

/* Starting request: 10.77.0.12 "GET /path"  (Placement) */
static bool server_starting(struct oslog *o, struct str s, int arg)
{
    struct str client, method, url;

    (void)arg;
    if (!take_to(&s, " \"", &client) || !take_method(&s, &method) || !take_to(&s, "\"", &url))
        return false;
    struct log_fact *f = add_http(o, FACT_HTTP_ARRIVED);
    if (!f)
        return true;
    f->http.client = client;
    f->http.method = method;
    set_url(&f->http, url);
    return true;
}

/* http://host/path returned with HTTP 200 */
static bool server_returned(struct oslog *o, struct str s, int arg)
{
    struct str url;
    int64_t status;

    (void)arg;
    if (!take_to(&s, " returned with HTTP ", &url) || !take_i64(&s, &status))
        return false;
    struct log_fact *f = add_http(o, FACT_HTTP_RETURNED);
    if (!f)
        return true;
    f->http.status = status;
    set_url(&f->http, url);
    return true;
}

/* The numbers behind the quoted request of an access line: either
 * ' status: 200  len: 346 time: 0.155' or ' 200 346 0.155'. */
static bool served_numbers(struct fact_http *h, struct str s)
{
    struct str ignored;

    if (take(&s, " status: ")) {
        if (!take_i64(&s, &h->status))
            return false;
        if (take_to(&s, "len: ", &ignored))
            take_i64(&s, &h->bytes);
        if (take_to(&s, "time: ", &ignored))
            take_seconds(&s, &h->ns);
        return true;
    }
    if (!take(&s, " ") || !take_i64(&s, &h->status))
        return false;
    if (take(&s, " ") && take_i64(&s, &h->bytes) && take(&s, " "))
        take_seconds(&s, &h->ns);
    return true;
}

/* 10.77.0.1 "GET /v2.1 HTTP/1.1" status: 200 len: 782 time: 0.0027337
 * 10.77.0.1 - - [22/Nov/2026 19:40:47] "GET / HTTP/1.1" 300 1201 0.000994
 * 10.77.0.1 "GET /" status: 200 len: 136 microversion: 1.0   (Placement) */
static bool server_served(struct oslog *o, struct str s, int arg)
{
    struct str client, method, url;
    struct fact_http h = { .status = OSLOG_NO_I64, .bytes = OSLOG_NO_I64, .ns = OSLOG_NO_NS };

    (void)arg;
    if (!take_to(&s, " \"", &client) || !take_method(&s, &method))
        return false;
    size_t end = str_find(s, STR("\" "), 0);
    if (end == STR_NONE || !served_numbers(&h, str_from(s, end + 1)))
        return false;
    url = str_first(s, end);
    size_t version = str_find(url, STR(" HTTP/"), 0);
    if (version != STR_NONE)
        url = str_first(url, version);
    size_t blank = str_chr(client, ' ', 0);
    h.client = blank == STR_NONE ? client : str_first(client, blank);
    h.method = method;
    h.request_id = oslog_request_id(str_from(s, end));
    set_url(&h, url);
    struct log_fact *f = oslog_add(o, FACT_HTTP_SERVED);
    if (f)
        f->http = h;
    return true;
}

/* Action: 'action', calling method: <..>, body: {"os-stop": null}: the path of
 * such a request doesn't say what is asked for. */
static bool api_action(struct oslog *o, struct str s, int arg)
{
    struct str action, method;
    struct tree *root;
    size_t at = 0;

    (void)arg;
    if (!take_to(&s, "', calling method: ", &action) || !take_to(&s, ", body: ", &method))
        return false;
    tree_read(s, &at, o->a, &root);
    struct log_fact *f = oslog_add(o, FACT_API_ACTION);
    if (!f)
        return true;
    f->action.action = action;
    if (root && root->kind == TREE_OBJECT && root->child)
        f->action.verb = root->child->key;
    f->action.body = s;
    oslog_objects(o, s, API_REQUEST);
    return true;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("REQ: "), .parse = client_request },
    { .starts = STR("RESP: ["), .parse = client_response },
    { .starts = STR("RESP BODY: "), .parse = client_body, .arg = API_RESPONSE },
    { .starts = STR("Request body: "), .logger = "neutron.*", .parse = client_body, .arg = API_REQUEST },
    { .first = "GPDHO", .has = STR(" used request id "), .parse = client_call },

    { .starts = STR("Action: '"), .has = STR(", body: "), .parse = api_action },
    { .starts = STR("Starting request: "), .parse = server_starting },
    { .starts = STR("REQUEST_METHOD: "), .logger = "keystone.*", .parse = server_arrived_part, .arg = 0 },
    { .starts = STR("PATH_INFO: "), .logger = "keystone.*", .parse = server_arrived_part, .arg = 1 },
    { .first = "GPDHO", .logger = "*wsgi*", .parse = server_arrived },
    { .first = "h/", .has = STR(" returned with HTTP "), .parse = server_returned },
    { .first = "0123456789abcdef:-", .has = STR("\" status: "), .parse = server_served },
    { .first = "0123456789abcdef:-", .has = STR(" HTTP/1."), .parse = server_served },
};
/* clang-format on */

const struct oslog_table oslog_http_forms = FORMS(rows);
