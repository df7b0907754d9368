/* SPDX-License-Identifier: Apache-2.0
 *
 * request.c -- see request.h. */
#include "serve/request.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char *const names[] = { "GET", "POST", "PUT", "DELETE", "OPTIONS", "?" };

enum method method_of(const char *name)
{
    if (strcmp(name, "HEAD") == 0)
        return METHOD_GET;
    for (int i = 0; i < METHOD_OTHER; i++)
        if (strcmp(name, names[i]) == 0)
            return (enum method)i;
    return METHOD_OTHER;
}

const char *method_name(enum method m)
{
    return names[m];
}

/* --- decoding ------------------------------------------------------------------------------ */

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool percent_decode(struct str s, bool plus, struct arena *mem, struct str *ret)
{
    char *out = arena_alloc(mem, s.n + 1);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '%') {
            int hi = i + 2 < s.n ? hex(s.p[i + 1]) : -1, lo = hi < 0 ? -1 : hex(s.p[i + 2]);

            if (hi < 0 || lo < 0)
                return false;
            c = (char)(hi * 16 + lo);
            i += 2;
        } else if (c == '+' && plus) {
            c = ' ';
        }
        if (c == '\0')
            return false;
        out[n++] = c;
    }
    *ret = (struct str){ out, n };
    return true;
}

/* Takes the part up to 'c' off 's'. */
static struct str cut(struct str *s, char c)
{
    size_t at = str_chr(*s, c, 0);
    struct str head = at == STR_NONE ? *s : str_first(*s, at);

    *s = at == STR_NONE ? (struct str){ s->p + s->n, 0 } : str_from(*s, at + 1);
    return head;
}

static int parse_path(struct request *q, struct err *err)
{
    struct str rest = str_from(q->path, 1), part;

    while (rest.n) {
        struct str raw = cut(&rest, '/');

        if (!percent_decode(raw, false, q->mem, &part))
            return err_set(err, E_ARG, "the path has a '%%' that is not followed by two digits");
        if (q->nsegments == REQUEST_SEGMENTS)
            return err_set(err, E_LIMIT, "the path has more than %d parts", REQUEST_SEGMENTS);
        q->segments[q->nsegments++] = part;
    }
    return 0;
}

static int parse_query(struct request *q, struct str rest, struct err *err)
{
    while (rest.n) {
        struct str value = cut(&rest, '&'), name = cut(&value, '=');
        struct request_arg a;

        if (name.n == 0)
            continue;
        if (!percent_decode(name, true, q->mem, &a.name) ||
            !percent_decode(value, true, q->mem, &a.value))
            return err_set(err, E_ARG, "the query has a '%%' that is not followed by two digits");
        if (q->args.n == LIMIT_HTTP_ARGS)
            return err_set(err, E_LIMIT, "more than %d arguments", LIMIT_HTTP_ARGS);
        *vec_push(&q->args) = a;
    }
    return 0;
}

int request_parse(struct request *q, enum method method, struct str target, struct arena *mem,
                  struct err *err)
{
    *q = (struct request){ .method = method, .mem = mem };
    if (target.n > LIMIT_HTTP_TARGET)
        return err_set(err, E_LIMIT, "the address is longer than %u bytes", LIMIT_HTTP_TARGET);
    if (str_starts(target, STR("http://")) || str_starts(target, STR("https://"))) {
        size_t at = str_chr(target, '/', 8); /* the absolute form, which proxies send */

        target = at == STR_NONE ? STR("/") : str_from(target, at);
    }
    if (target.n == 0 || target.p[0] != '/')
        return err_set(err, E_ARG, "the address does not begin with '/'");
    q->path = cut(&target, '?');
    int rc = parse_path(q, err);
    return rc < 0 ? rc : parse_query(q, target, err);
}

/* --- the body ------------------------------------------------------------------------------ */

static bool add_member(struct request *q, const char *name, const json_t *v)
{
    struct request_arg a = { .name = str_of(name) };

    if (json_is_string(v))
        a.value = (struct str){ json_string_value(v), json_string_length(v) };
    else if (json_is_integer(v))
        a.value = str_of(arena_printf(q->mem, "%" JSON_INTEGER_FORMAT, json_integer_value(v)));
    else
        return true;
    if (q->args.n == LIMIT_HTTP_ARGS)
        return false;
    *vec_push(&q->args) = a;
    return true;
}

int request_body(struct request *q, struct str body, struct err *err)
{
    json_error_t why;
    const char *name;
    json_t *v, *item;
    size_t i;

    if (str_trim(body).n == 0)
        return 0;
    q->body = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &why);
    if (!q->body)
        return err_set(err, E_ARG, "the body is no JSON: line %d: %s", why.line, why.text);
    if (!json_is_object(q->body))
        return err_set(err, E_ARG, "the body is no JSON object");
    json_object_foreach(q->body, name, v)
    {
        bool fits = add_member(q, name, v);

        json_array_foreach(v, i, item) fits &= add_member(q, name, item);
        if (!fits)
            return err_set(err, E_LIMIT, "more than %d arguments", LIMIT_HTTP_ARGS);
    }
    return 0;
}

void request_free(struct request *q)
{
    vec_free(&q->args);
    json_decref(q->body);
    q->body = NULL;
}

/* --- arguments ----------------------------------------------------------------------------- */

bool request_arg(const struct request *q, const char *name, struct str *ret)
{
    for (size_t i = 0; i < q->args.n; i++)
        if (str_is(q->args.at[i].name, name)) {
            *ret = q->args.at[i].value;
            return true;
        }
    return false;
}

struct str request_text(const struct request *q, const char *name)
{
    struct str ret = STR("");

    request_arg(q, name, &ret);
    return ret;
}

struct str *request_all(const struct request *q, const char *name, size_t *ret_n)
{
    struct str *ret = arena_array(q->mem, struct str, q->args.n);
    size_t n = 0;

    for (size_t i = 0; i < q->args.n; i++)
        if (str_is(q->args.at[i].name, name))
            ret[n++] = q->args.at[i].value;
    *ret_n = n;
    return ret;
}

int request_int(const struct request *q, const char *name, int64_t min, int64_t max,
                int64_t otherwise, int64_t *ret, struct err *err)
{
    struct str text;
    int64_t v = otherwise;

    if (request_arg(q, name, &text) && (!str_i64(text, &v) || v < min || v > max))
        return err_set(err, E_ARG, "%s takes a whole number from %" PRId64 " to %" PRId64, name,
                       min, max);
    *ret = v;
    return 0;
}

int request_time(const struct request *q, const char *name, ns_t origin, ns_t otherwise, ns_t *ret,
                 struct err *err)
{
    struct str text;

    *ret = otherwise;
    if (!request_arg(q, name, &text) || text.n == 0)
        return 0;
    return time_parse(text, origin, ret, err) < 0 ? err_in(err, "%s", name) : 0;
}

/* --- routes -------------------------------------------------------------------------------- */

bool request_fits(struct request *q, const char *pattern)
{
    struct str rest = str_of(pattern + 1);
    size_t at = 0, holes = 0;

    while (rest.n) {
        struct str part = cut(&rest, '/');

        if (at == q->nsegments)
            return false;
        if (part.n && part.p[0] == '{') {
            if (holes == REQUEST_HOLES || q->segments[at].n == 0)
                return false;
            q->holes[holes++] = q->segments[at];
            if (str_ends(part, STR("...}"))) { /* an id with slashes that were not encoded */
                struct sbuf all = { 0 };

                for (size_t i = at; i < q->nsegments; i++)
                    sbuf_fmt(&all, "%s" STR_FMT, i > at ? "/" : "", STR_ARG(q->segments[i]));
                q->holes[holes - 1] = str_dup(q->mem, sbuf_view(&all));
                sbuf_free(&all);
                return true;
            }
        } else if (!str_eq(part, q->segments[at])) {
            return false;
        }
        at++;
    }
    return at == q->nsegments;
}
