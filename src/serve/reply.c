/* SPDX-License-Identifier: Apache-2.0
 *
 * reply.c -- making an answer; see serve_priv.h. */
#define _GNU_SOURCE
#include "serve/serve_priv.h"

#include <stdarg.h>
#include <stdlib.h>

static const char application_json[] = "application/json";

struct json *reply_json(struct reply *r)
{
    r->f = open_memstream(&r->stream, &r->stream_n);
    if (!r->f)
        abort();
    r->json = (struct json){ .f = r->f };
    r->type = application_json;
    return &r->json;
}

void reply_json_end(struct reply *r)
{
    if (!r->f)
        return;
    fclose(r->f);
    r->f = NULL;
    sbuf_free(&r->body);
    r->body = (struct sbuf){ r->stream, r->stream_n, r->stream_n + 1 };
    r->stream = NULL;
}

static const char *title_of(int status)
{
    switch (status) {
    case 400: return "Bad request";
    case 401: return "Token needed";
    case 403: return "Forbidden";
    case 404: return "Not found";
    case 405: return "Wrong method";
    case 409: return "Conflict";
    case 413: return "Too much";
    case 414: return "Too long";
    case 500: return "Internal error";
    case 501: return "Not supported";
    default: return "Not available";
    }
}

void reply_fail(struct reply *r, int status, const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    reply_free(r);
    *r = (struct reply){ .status = status, .passing = true };
    struct json *j = reply_json(r);
    json_open(j, '{');
    json_kstr(j, "title", str_of(title_of(status)));
    json_kstr(j, "detail", str_of(text));
    json_close(j, '}');
    reply_json_end(r);
}

void reply_err(struct reply *r, const struct err *err)
{
    reply_fail(r, err->code == E_LIMIT ? 413 : 400, "%s", err->text);
}

void reply_free(struct reply *r)
{
    if (r->f)
        fclose(r->f);
    free(r->stream);
    sbuf_free(&r->body);
    *r = (struct reply){ 0 };
}
