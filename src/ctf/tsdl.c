/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl.c -- the block half of the TSDL parser (CTF 1.8.3): trace, env, clock,
 * stream, event, callsite.  Unknown blocks and attributes are skipped with a
 * note, because tracers add them. */
#include "ctf/tsdl_priv.h"

#include "base/limits.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int tsdl_bad(const struct tsdl *ts, struct err *err, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return err_set(err, E_CORRUPT, "line %u, column %u: %s", ts->lx.tok.line, ts->lx.tok.column,
                   text);
}

int tsdl_next(struct tsdl *ts, struct err *err)
{
    ts->after_body = tsdl_is(ts, '}') || tsdl_is(ts, ')');
    return lex_next(&ts->lx, err);
}

bool tsdl_is(const struct tsdl *ts, char punct)
{
    return ts->lx.tok.kind == TOK_PUNCT && ts->lx.tok.punct == punct;
}

bool tsdl_is_word(const struct tsdl *ts, const char *word)
{
    return ts->lx.tok.kind == TOK_WORD && str_is(ts->lx.tok.text, word);
}

int tsdl_want(struct tsdl *ts, char punct, struct err *err)
{
    if (tsdl_is(ts, punct))
        return tsdl_next(ts, err);
    if (ts->lx.tok.kind == TOK_END)
        return tsdl_bad(ts, err, "expected '%c', but the text ends here", punct);
    return tsdl_bad(ts, err, "expected '%c'", punct);
}

void tsdl_push_scope(struct tsdl *ts, struct tsdl_scope *scope)
{
    scope->up = ts->scope;
    ts->scope = scope;
}

void tsdl_pop_scope(struct tsdl *ts)
{
    struct tsdl_scope *s = ts->scope;

    ts->scope = s->up;
    vec_free(&s->names);
}

/* One statement of a block: "name = value;" or "name := type;". */
struct stmt {
    struct str name; /* "packet.header" */
    bool is_type, is_int, is_quoted;
    bool is_big; /* over INT64_MAX: 'value' is its bits */
    struct ctf_type *type;
    struct str text;
    int64_t value;
};

static int parse_stmt(struct tsdl *ts, struct stmt *ret, struct err *err)
{
    int64_t ignored;
    bool is_int;
    int rc = tsdl_value(ts, &ret->name, &ignored, &is_int, err);

    if (rc < 0)
        return rc;
    if (is_int)
        return tsdl_bad(ts, err, "expected a name");
    ret->is_type = ts->lx.tok.kind == TOK_ASSIGN;
    if (ret->is_type) {
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_type(ts, false, &ret->type, err)) < 0)
            return rc;
    } else {
        if ((rc = tsdl_want(ts, '=', err)) < 0)
            return rc;
        bool neg = tsdl_is(ts, '-');
        ret->is_quoted = ts->lx.tok.kind == TOK_STRING;
        if ((rc = tsdl_value(ts, &ret->text, &ret->value, &ret->is_int, err)) < 0)
            return rc;
        ret->is_big = ret->is_int && ret->value < 0 && !neg;
    }
    return tsdl_want(ts, ';', err);
}

enum { STMTS_CHECKED = 64 }; /* a block has few names; env and callsite may have any */

typedef int (*take_fn)(struct tsdl *, void *, const struct stmt *, struct err *);

/* "{ statements and declarations } ;" handed to 'take' one by one. */
static int parse_block(struct tsdl *ts, take_fn take, void *into, struct err *err)
{
    struct tsdl_scope scope = { 0 };
    VEC(struct str) seen = { 0 };
    int rc = tsdl_want(ts, '{', err);

    tsdl_push_scope(ts, &scope);
    while (rc == 0 && !tsdl_is(ts, '}')) {
        struct stmt s = { 0 };

        if (ts->lx.tok.kind == TOK_END) {
            rc = tsdl_bad(ts, err, "the text ends inside a block");
        } else if (tsdl_is(ts, ';')) {
            rc = tsdl_next(ts, err);
        } else if (tsdl_at_declaration(ts)) {
            rc = tsdl_declaration(ts, err);
        } else if ((rc = parse_stmt(ts, &s, err)) == 0) {
            for (size_t i = 0; i < seen.n && i < STMTS_CHECKED && rc == 0; i++)
                if (str_eq(seen.at[i], s.name))
                    rc = tsdl_bad(ts, err, "'" STR_FMT "' is given twice", STR_ARG(s.name));
            if (rc == 0)
                rc = take(ts, into, &s, err);
            *vec_push(&seen) = s.name;
        }
    }
    vec_free(&seen);
    tsdl_pop_scope(ts);
    if (rc == 0 && (rc = tsdl_next(ts, err)) == 0)
        rc = tsdl_want(ts, ';', err);
    return rc;
}

static int want_struct(const struct tsdl *ts, const struct stmt *s, struct ctf_type **ret,
                       struct err *err)
{
    if (!s->is_type || s->type->kind != CTF_STRUCT)
        return tsdl_bad(ts, err, "'" STR_FMT "' must be a structure", STR_ARG(s->name));
    if (*ret)
        return tsdl_bad(ts, err, "'" STR_FMT "' is given twice", STR_ARG(s->name));
    *ret = s->type;
    return 0;
}

static int want_u64(const struct tsdl *ts, const struct stmt *s, uint64_t *ret, struct err *err)
{
    if (s->is_type || !s->is_int || (s->value < 0 && !s->is_big))
        return tsdl_bad(ts, err, "'" STR_FMT "' must be a number of at least 0", STR_ARG(s->name));
    *ret = (uint64_t)s->value;
    return 0;
}

static int want_i64(const struct tsdl *ts, const struct stmt *s, int64_t *ret, struct err *err)
{
    if (s->is_type || !s->is_int)
        return tsdl_bad(ts, err, "'" STR_FMT "' must be a number", STR_ARG(s->name));
    if (s->is_big)
        return tsdl_bad(ts, err, "'" STR_FMT "' is over 2^63 - 1", STR_ARG(s->name));
    *ret = s->value;
    return 0;
}

/* A text in quotes; without them it is a word, which some attributes can be too. */
static int want_text(const struct tsdl *ts, const struct stmt *s, bool or_word, struct str *ret,
                     struct err *err)
{
    if (s->is_type || s->is_int || !(s->is_quoted || or_word))
        return tsdl_bad(ts, err, "'" STR_FMT "' must be a text%s", STR_ARG(s->name),
                        or_word ? "" : " in quotes");
    *ret = s->text;
    return 0;
}

static int want_bool(const struct tsdl *ts, const struct stmt *s, bool *ret, struct err *err)
{
    bool yes = s->is_int ? s->value == 1 : str_is(s->text, "true") || str_is(s->text, "TRUE");
    bool no = s->is_int ? s->value == 0 : str_is(s->text, "false") || str_is(s->text, "FALSE");

    if (s->is_quoted || !(yes || no))
        return tsdl_bad(ts, err, "'" STR_FMT "' must be true or false", STR_ARG(s->name));
    *ret = yes;
    return 0;
}

static void ignore(struct tsdl *ts, const char *block, const struct stmt *s)
{
    note_add(ts->notes, NOTE_INFO, ts->where, "metadata: '" STR_FMT "' of the %s block is ignored",
             STR_ARG(s->name), block);
}

static int parse_uuid(const struct tsdl *ts, struct str s, uint8_t out[16], struct err *err)
{
    size_t n = 0;

    if (!str_is_uuid(s) || s.n != 36)
        return tsdl_bad(ts, err, "'" STR_FMT "' is not a UUID", STR_ARG(s));
    for (size_t i = 0; i < s.n;) {
        if (s.p[i] == '-') {
            i++;
            continue;
        }
        char two[3] = { s.p[i], s.p[i + 1], 0 };
        out[n++] = (uint8_t)strtoul(two, NULL, 16);
        i += 2;
    }
    return 0;
}

static int take_trace(struct tsdl *ts, void *into, const struct stmt *s, struct err *err)
{
    struct ctf_meta *m = into;

    if (str_is(s->name, "major")) {
        m->has_major = true;
        return want_u64(ts, s, &m->major, err);
    }
    if (str_is(s->name, "minor")) {
        m->has_minor = true;
        return want_u64(ts, s, &m->minor, err);
    }
    if (str_is(s->name, "uuid") && !s->is_type) {
        m->uuid_text = s->text;
        m->has_uuid = true;
        return parse_uuid(ts, s->text, m->uuid, err);
    }
    if (str_is(s->name, "byte_order") && !s->is_type) {
        if (str_is(s->text, "le"))
            m->order = CTF_LE;
        else if (str_is(s->text, "be") || str_is(s->text, "network"))
            m->order = CTF_BE;
        else
            return tsdl_bad(ts, err, "byte_order of the trace must be le or be");
        return 0;
    }
    if (str_is(s->name, "packet.header"))
        return want_struct(ts, s, &m->packet_header, err);
    ignore(ts, "trace", s);
    return 0;
}

static int take_env(struct tsdl *ts, void *into, const struct stmt *s, struct err *err)
{
    struct ctf_meta *m = into;

    if (s->is_type || !(s->is_int || s->is_quoted))
        return tsdl_bad(ts, err, "an environment entry must be a number or a string");
    if (s->is_big)
        return tsdl_bad(ts, err, "'" STR_FMT "' is over 2^63 - 1", STR_ARG(s->name));
    *vec_push(&m->env) = (struct ctf_env){ s->name, s->text, s->is_int, s->value };
    return 0;
}

static int take_clock(struct tsdl *ts, void *into, const struct stmt *s, struct err *err)
{
    struct ctf_clock *c = into;
    uint8_t uuid[16];
    int rc = 0;

    if (s->is_type)
        return tsdl_bad(ts, err, "a clock has no types");
    if (str_is(s->name, "name"))
        return want_text(ts, s, true, &c->name, err);
    if (str_is(s->name, "uuid")) {
        rc = want_text(ts, s, false, &c->uuid, err);
        return rc < 0 ? rc : parse_uuid(ts, c->uuid, uuid, err);
    }
    if (str_is(s->name, "description"))
        return want_text(ts, s, false, &c->description, err);
    if (str_is(s->name, "freq")) {
        rc = want_u64(ts, s, &c->freq, err);
        if (rc == 0 && c->freq == 0)
            return tsdl_bad(ts, err, "a clock cannot have a frequency of 0");
        return rc;
    }
    if (str_is(s->name, "precision"))
        return want_u64(ts, s, &c->precision, err);
    if (str_is(s->name, "offset_s"))
        return want_i64(ts, s, &c->offset_s, err);
    if (str_is(s->name, "offset"))
        return want_i64(ts, s, &c->offset, err);
    if (str_is(s->name, "absolute"))
        return want_bool(ts, s, &c->absolute, err);
    ignore(ts, "clock", s);
    return 0;
}

static int take_stream(struct tsdl *ts, void *into, const struct stmt *s, struct err *err)
{
    struct ctf_stream_class *sc = into;

    if (str_is(s->name, "id")) {
        sc->has_id = true;
        return want_u64(ts, s, &sc->id, err);
    }
    if (str_is(s->name, "event.header"))
        return want_struct(ts, s, &sc->event_header, err);
    if (str_is(s->name, "event.context"))
        return want_struct(ts, s, &sc->event_context, err);
    if (str_is(s->name, "packet.context"))
        return want_struct(ts, s, &sc->packet_context, err);
    ignore(ts, "stream", s);
    return 0;
}

static int take_event(struct tsdl *ts, void *into, const struct stmt *s, struct err *err)
{
    struct ctf_event_class *ec = into;
    struct str uri;

    if (str_is(s->name, "name"))
        return want_text(ts, s, true, &ec->name, err);
    if (str_is(s->name, "id")) {
        ec->has_id = true;
        return want_u64(ts, s, &ec->id, err);
    }
    if (str_is(s->name, "stream_id")) {
        ec->has_stream_id = true;
        return want_u64(ts, s, &ec->stream_id, err);
    }
    if (str_is(s->name, "context"))
        return want_struct(ts, s, &ec->context, err);
    if (str_is(s->name, "fields"))
        return want_struct(ts, s, &ec->payload, err);
    if (str_is(s->name, "loglevel")) {
        ec->has_loglevel = true;
        return want_i64(ts, s, &ec->loglevel, err);
    }
    if (str_is(s->name, "model.emf.uri"))
        return want_text(ts, s, false, &uri, err);
    ignore(ts, "event", s);
    return 0;
}

static int take_nothing(struct tsdl *ts, void *into, const struct stmt *s, struct err *err)
{
    (void)ts, (void)into, (void)s, (void)err;
    return 0;
}

static int parse_trace_block(struct tsdl *ts, struct err *err)
{
    if (ts->meta->order != CTF_NATIVE)
        return tsdl_bad(ts, err, "a second trace block");
    int rc = parse_block(ts, take_trace, ts->meta, err);
    if (rc == 0 && ts->meta->order == CTF_NATIVE)
        return tsdl_bad(ts, err, "the trace block does not say its byte_order");
    if (rc == 0 && !(ts->meta->has_major && ts->meta->has_minor))
        return tsdl_bad(ts, err, "the trace block does not say major and minor");
    if (rc == 0 && (ts->meta->major != 1 || ts->meta->minor != 8))
        return err_set(err, E_UNSUP,
                       "CTF version %" PRIu64 ".%" PRIu64 ": this program reads 1.8; "
                       "convert the trace or use a newer version",
                       ts->meta->major, ts->meta->minor);
    return rc;
}

static int parse_clock_block(struct tsdl *ts, struct err *err)
{
    struct ctf_clock *c = arena_new(&ts->meta->mem, struct ctf_clock);
    int rc;

    c->freq = 1000000000;
    if ((rc = parse_block(ts, take_clock, c, err)) < 0)
        return rc;
    if (c->name.n == 0)
        return tsdl_bad(ts, err, "a clock without a name");
    for (size_t i = 0; i < ts->meta->clocks.n; i++)
        if (str_eq(ts->meta->clocks.at[i]->name, c->name))
            return tsdl_bad(ts, err, "a second clock named '" STR_FMT "'", STR_ARG(c->name));
    *vec_push(&ts->meta->clocks) = c;
    return 0;
}

static int parse_stream_block(struct tsdl *ts, struct err *err)
{
    struct ctf_stream_class *sc = arena_new(&ts->meta->mem, struct ctf_stream_class);
    int rc = parse_block(ts, take_stream, sc, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ts->meta->streams.n; i++)
        if (ts->meta->streams.at[i]->id == sc->id)
            return tsdl_bad(ts, err, "a second stream with id %" PRIu64, sc->id);
    *vec_push(&ts->meta->streams) = sc;
    return 0;
}

static int parse_event_block(struct tsdl *ts, struct err *err)
{
    struct ctf_event_class *ec = arena_new(&ts->meta->mem, struct ctf_event_class);
    int rc = parse_block(ts, take_event, ec, err);

    if (rc < 0)
        return rc;
    if (ts->meta->events.n >= LIMIT_EVENT_CLASSES)
        return err_set(err, E_LIMIT, "over %u event classes", LIMIT_EVENT_CLASSES);
    if (ec->name.n == 0)
        ec->name = str_of(arena_printf(&ts->meta->mem, "event-%" PRIu64, ec->id));
    *vec_push(&ts->meta->events) = ec;
    return 0;
}

static int parse_top(struct tsdl *ts, struct err *err)
{
    static const char *const names[] = { "trace", "env", "clock", "stream", "event", "callsite" };
    size_t i = 0;
    int rc;

    while (i < ARRAY_SIZE(names) && !tsdl_is_word(ts, names[i]))
        i++;
    if (i == ARRAY_SIZE(names)) {
        if (tsdl_is(ts, ';'))
            return tsdl_next(ts, err);
        if (tsdl_at_declaration(ts))
            return tsdl_declaration(ts, err);
        return tsdl_bad(ts, err, "expected trace, env, clock, stream, event or a type");
    }
    if ((rc = tsdl_next(ts, err)) < 0)
        return rc;
    switch (i) {
    case 0: return parse_trace_block(ts, err);
    case 1:
        if (ts->has_env)
            return tsdl_bad(ts, err, "a second env block");
        ts->has_env = true;
        return parse_block(ts, take_env, ts->meta, err);
    case 2: return parse_clock_block(ts, err);
    case 3: return parse_stream_block(ts, err);
    case 4: return parse_event_block(ts, err);
    default: return parse_block(ts, take_nothing, NULL, err);
    }
}

/* Streams without a block of their own: a trace may have events only. */
static void default_stream(struct ctf_meta *m)
{
    if (m->streams.n == 0 && m->events.n)
        for (size_t i = 0; i < m->events.n; i++)
            if (m->events.at[i]->has_stream_id)
                return;
    if (m->streams.n == 0) {
        struct ctf_stream_class *sc = arena_new(&m->mem, struct ctf_stream_class);

        sc->is_implied = m->events.n == 0;
        *vec_push(&m->streams) = sc;
    }
}

/* An event without a stream_id belongs to the only stream (CTF 1.8.3, 7.1). */
static int check_stream_id(const struct ctf_meta *m, struct ctf_event_class *ec, struct err *err)
{
    if (ec->has_stream_id)
        return 0;
    if (m->streams.n > 1)
        return err_set(err, E_CORRUPT,
                       "event '" STR_FMT "' does not say its stream_id, and there are %zu streams",
                       STR_ARG(ec->name), m->streams.n);
    if (m->streams.n == 1)
        ec->stream_id = m->streams.at[0]->id;
    return 0;
}

/* Gives each event to its stream; drops with a note those without one. */
static int attach_events(struct tsdl *ts, struct err *err)
{
    struct ctf_meta *m = ts->meta;
    uint32_t twin;
    size_t kept = 0;

    for (size_t i = 0; i < m->events.n; i++) {
        struct ctf_event_class *ec = m->events.at[i];
        int rc = check_stream_id(m, ec, err);

        if (rc < 0)
            return rc;
        for (size_t k = 0; k < m->streams.n; k++)
            if (m->streams.at[k]->id == ec->stream_id)
                ec->stream = m->streams.at[k];
        if (!ec->stream) {
            note_add(ts->notes, NOTE_WARN, ts->where,
                     "metadata: events of stream %" PRIu64 " are declared, but not the stream: "
                     "they cannot be read (the application was still registering when the "
                     "session stopped?)",
                     ec->stream_id);
            continue;
        }
        if (map64_get(&ec->stream->position, ec->id, &twin))
            return err_set(err, E_CORRUPT,
                           "events '" STR_FMT "' and '" STR_FMT "' both have id %" PRIu64
                           " in stream %" PRIu64,
                           STR_ARG(ec->stream->events.at[twin]->name), STR_ARG(ec->name), ec->id,
                           ec->stream_id);
        map64_set(&ec->stream->position, ec->id, (uint32_t)ec->stream->events.n);
        *vec_push(&ec->stream->events) = ec;
        ec->index = (uint32_t)kept;
        m->events.at[kept++] = ec;
    }
    m->events.n = kept;
    return 0;
}

/* LTTng has written values of labels with the sign of the value, not of the enum;
 * the bits are right.  From others, such a value is one that no field can have. */
static int check_signs(struct tsdl *ts, struct err *err)
{
    if (ts->odd_sign.line == 0)
        return 0;
    if (!str_starts(ctf_env_get(ts->meta, "tracer_name"), STR("lttng")))
        return err_set(err, E_CORRUPT, "line %u, column %u: the value does not fit: the enum is %s",
                       ts->odd_sign.line, ts->odd_sign.column,
                       ts->odd_sign.is_signed ? "signed" : "unsigned");
    note_add(ts->notes, NOTE_INFO, ts->where,
             "metadata: line %u: a label's value has not the sign of its enum; its bits count",
             ts->odd_sign.line);
    return 0;
}

int tsdl_parse(struct str text, struct ctf_meta *meta, struct notes *notes, const char *where,
               struct err *err)
{
    struct tsdl_scope root = { 0 };
    struct tsdl ts = {
        .lx = { .in = text, .line = 1, .mem = &meta->mem },
        .meta = meta,
        .notes = notes,
        .where = where,
    };

    tsdl_push_scope(&ts, &root);
    int rc = tsdl_next(&ts, err);
    while (rc == 0 && ts.lx.tok.kind != TOK_END)
        rc = parse_top(&ts, err);
    while (ts.scope)
        tsdl_pop_scope(&ts);
    if (rc == 0 && meta->order == CTF_NATIVE)
        rc = err_set(err, E_CORRUPT, "there is no trace block");
    if (rc == 0)
        rc = check_signs(&ts, err);
    if (rc == 0) {
        default_stream(meta);
        rc = attach_events(&ts, err);
    }
    return rc;
}
