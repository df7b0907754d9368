/* SPDX-License-Identifier: Apache-2.0
 *
 * event_out.c -- see event_out.h.  Both forms are sinks of base/value.h. */
#include "cli/event_out.h"

#include "model/secret.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void event_out_init(struct event_out *w, bool mask)
{
    memset(w, 0, sizeof *w);
    w->mask = mask;
    w->day_second = -1;
}

void event_out_end(struct event_out *w)
{
    out_end(&w->out);
    sbuf_free(&w->tmp);
}

static void enter(struct event_out *w, bool is_struct)
{
    w->depth++;
    assert(w->depth < EVENT_DEPTH);
    w->in_array[w->depth] = !is_struct;
    w->index[w->depth] = 0;
    w->some = false;
}

static struct str masked(struct event_out *w, struct str s)
{
    if (!w->mask)
        return s;
    sbuf_clear(&w->tmp);
    return secret_mask(s, &w->tmp) ? sbuf_view(&w->tmp) : s;
}

/* --- JSON --------------------------------------------------------------------- */

static inline void json_name(struct event_out *w, struct str name)
{
    if (w->some)
        out_chr(&w->out, ',');
    w->some = true;
    if (w->in_array[w->depth])
        return;
    out_json_str(&w->out, name);
    out_chr(&w->out, ':');
}

static void json_enter(void *ctx, struct str name, bool is_struct)
{
    struct event_out *w = ctx;

    json_name(w, name);
    out_chr(&w->out, is_struct ? '{' : '[');
    enter(w, is_struct);
}

static void json_leave(void *ctx, bool is_struct)
{
    struct event_out *w = ctx;

    out_chr(&w->out, is_struct ? '}' : ']');
    w->depth--;
    w->some = true;
}

static void json_scalar(void *ctx, struct str name, const struct value *v)
{
    struct event_out *w = ctx;

    json_name(w, name);
    switch (v->kind) {
    case VALUE_U64: out_u64(&w->out, v->u64); return;
    case VALUE_I64: out_i64(&w->out, v->i64); return;
    case VALUE_F64: out_json_f64(&w->out, v->f64); return;
    case VALUE_BOOL: out_str(&w->out, v->u64 ? STR("true") : STR("false")); return;
    case VALUE_NULL: out_lit(&w->out, "null"); return;
    }
}

static void json_text(void *ctx, struct str name, struct str s)
{
    struct event_out *w = ctx;

    json_name(w, name);
    out_json_str(&w->out, masked(w, s));
}

static void json_scope(struct event_out *w, struct reader *r, enum reader_scope scope)
{
    const struct value_sink sink = { w, json_enter, json_leave, json_scalar, json_text };

    w->depth = 0;
    w->in_array[0] = w->some = false;
    r->ops->visit(r, scope, &sink);
}

void event_out_json_value(struct event_out *w, struct reader *r, const struct reader_event *ev)
{
    struct out *o = &w->out;

    out_lit(o, "{\"t_ns\":");
    out_i64(o, ev->t);
    out_lit(o, ",\"host\":");
    out_json_str(o, r->host);
    if (ev->cpu == UINT32_MAX) {
        out_lit(o, ",\"cpu\":null,\"name\":");
    } else {
        out_lit(o, ",\"cpu\":");
        out_u64(o, ev->cpu);
        out_lit(o, ",\"name\":");
    }
    out_json_str(o, ev->name);
    out_lit(o, ",\"fields\":");
    w->fields_at = o->b.n;
    out_chr(o, '{');
    json_scope(w, r, READER_FIELDS);
    out_chr(o, '}');
    w->fields_end = o->b.n;
    out_lit(o, ",\"context\":{");
    json_scope(w, r, READER_CONTEXT);
    out_lit(o, "}}");
}

void event_out_json(struct event_out *w, struct reader *r, const struct reader_event *ev)
{
    event_out_json_value(w, r, ev);
    out_line(&w->out);
}

/* --- text ---------------------------------------------------------------------- */

static void text_name(struct event_out *w, struct str name)
{
    struct out *o = &w->out;

    out_str(o, w->some ? STR(", ") : STR(" "));
    w->some = true;
    if (w->in_array[w->depth]) {
        out_chr(o, '[');
        out_u64(o, w->index[w->depth]++);
        out_lit(o, "] = ");
    } else {
        out_str(o, name);
        out_lit(o, " = ");
    }
}

static void text_enter(void *ctx, struct str name, bool is_struct)
{
    struct event_out *w = ctx;

    text_name(w, name);
    out_chr(&w->out, is_struct ? '{' : '[');
    enter(w, is_struct);
}

static void text_leave(void *ctx, bool is_struct)
{
    struct event_out *w = ctx;

    out_chr(&w->out, ' ');
    out_chr(&w->out, is_struct ? '}' : ']');
    w->depth--;
    w->some = true;
}

static void text_quoted(struct out *o, struct str s)
{
    static const char letters[] = "abtnvfr"; /* of the characters 7 to 13 */

    out_chr(o, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == '\\' || c == '"' || c == '\'' || c == '?') {
            out_chr(o, '\\');
            out_chr(o, (char)c);
        } else if (c >= 7 && c <= 13) {
            out_chr(o, '\\');
            out_chr(o, letters[c - 7]);
        } else if (c == 27) {
            out_lit(o, "\\e");
        } else if (c < 32 || c == 127) {
            out_fmt(o, "\\x%02x", c);
        } else {
            out_chr(o, (char)c);
        }
    }
    out_chr(o, '"');
}

static void text_int(struct out *o, const struct value *v)
{
    if (v->base == 16)
        out_fmt(o, "0x%" PRIX64, v->u64);
    else if (v->base == 8)
        out_fmt(o, "0%" PRIo64, v->u64);
    else if (v->base == 2) {
        out_lit(o, "0b");
        for (int bit = v->u64 ? 63 - __builtin_clzll(v->u64) : 0; bit >= 0; bit--)
            out_chr(o, (char)('0' + (v->u64 >> bit & 1)));
    } else if (v->kind == VALUE_I64) {
        out_i64(o, v->i64);
    } else {
        out_u64(o, v->u64);
    }
}

static void text_scalar(void *ctx, struct str name, const struct value *v)
{
    struct event_out *w = ctx;
    struct out *o = &w->out;

    text_name(w, name);
    switch (v->kind) {
    case VALUE_F64: out_fmt(o, "%g", v->f64); return;
    case VALUE_BOOL: out_str(o, v->u64 ? STR("true") : STR("false")); return;
    case VALUE_NULL: out_lit(o, "null"); return;
    case VALUE_U64:
    case VALUE_I64: break;
    }
    if (!v->is_enum) {
        text_int(o, v);
        return;
    }
    out_lit(o, "( ");
    if (v->label.n)
        text_quoted(o, v->label);
    else
        out_lit(o, "<unknown>");
    out_lit(o, " : container = ");
    text_int(o, v);
    out_lit(o, " )");
}

static void text_text(void *ctx, struct str name, struct str s)
{
    struct event_out *w = ctx;

    text_name(w, name);
    text_quoted(&w->out, masked(w, s));
}

/* "hh:mm:ss.nnnnnnnnn", with the seconds made once a second. */
static void text_time(struct event_out *w, ns_t t)
{
    int64_t s = t / NS_PER_S - (t % NS_PER_S < 0);
    int64_t in_day = s % 86400 + (s % 86400 < 0 ? 86400 : 0);
    char text[TIME_TEXT];

    if (in_day != w->day_second) {
        time_clock(t, text);
        memcpy(w->clock, text, sizeof w->clock);
        w->day_second = in_day;
    }
    out_str(&w->out, (struct str){ w->clock, sizeof w->clock });
    out_chr(&w->out, '.');
    out_digits(&w->out, (uint64_t)(t - s * NS_PER_S), 9);
}

static void text_delta(struct event_out *w, ns_t t)
{
    struct out *o = &w->out;

    if (!w->seen) {
        out_lit(o, "] (+?.");
        for (int i = 0; i < 9; i++)
            out_chr(o, '?');
        out_lit(o, ") ");
    } else {
        uint64_t d =
            t < w->last ? (uint64_t)w->last - (uint64_t)t : (uint64_t)t - (uint64_t)w->last;

        out_str(o, t < w->last ? STR("] (-") : STR("] (+"));
        out_u64(o, d / (uint64_t)NS_PER_S);
        out_chr(o, '.');
        out_digits(o, d % (uint64_t)NS_PER_S, 9);
        out_lit(o, ") ");
    }
    w->seen = true;
    w->last = t;
}

static bool text_scope(struct event_out *w, struct reader *r, enum reader_scope scope)
{
    const struct value_sink sink = { w, text_enter, text_leave, text_scalar, text_text };

    w->depth = 0;
    w->in_array[0] = w->some = false;
    r->ops->visit(r, scope, &sink);
    return w->some;
}

void event_out_text(struct event_out *w, struct reader *r, const struct reader_event *ev)
{
    struct out *o = &w->out;

    out_chr(o, '[');
    text_time(w, ev->t);
    text_delta(w, ev->t);
    out_str(o, r->host);
    out_chr(o, ' ');
    out_str(o, ev->name);
    out_chr(o, ':');
    if (ev->cpu != UINT32_MAX) {
        out_lit(o, " { cpu_id = ");
        out_u64(o, ev->cpu);
        out_lit(o, " },");
    }
    size_t before = o->b.n;
    out_lit(o, " {");
    if (text_scope(w, r, READER_CONTEXT))
        out_lit(o, " },");
    else
        o->b.n = before;
    out_lit(o, " {");
    text_scope(w, r, READER_FIELDS);
    out_lit(o, " }");
    out_line(o);
}
