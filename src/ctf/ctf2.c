/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf2.c -- the metadata of CTF 2: a sequence of JSON texts, each one fragment
 * (CTF 2.0, "Metadata stream").
 *
 * Fragments depend only on those before them, so they are parsed, read and
 * forgotten one after the other.  Attributes are what a producer adds for those
 * who know it: log levels are read, others left out.  An extension can change
 * the layout of the data, so a trace that declares one is refused. */
#include "ctf/ctf2_priv.h"

#include "base/limits.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

static int read_uuid(const json_t *o, struct ctf_meta *m, struct err *err)
{
    const json_t *list = NULL;
    int rc = ctf2_child(o, "uuid", JSON_ARRAY, false, &list, err);

    if (rc < 0 || !list)
        return rc;
    for (size_t i = 0; i < 16; i++) {
        const json_t *v = json_array_get(list, i);
        json_int_t byte = json_integer_value(v);

        if (!json_is_integer(v) || byte < 0 || byte > 255 || json_array_size(list) != 16)
            return err_set(err, E_CORRUPT, "'uuid' must be 16 integers from 0 to 255");
        m->uuid[i] = (uint8_t)byte;
    }
    const uint8_t *u = m->uuid;
    m->has_uuid = true;
    m->uuid_text = str_of(arena_printf(
        &m->mem, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
        u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14], u[15]));
    return 0;
}

static int read_preamble(struct ctf2 *c, const json_t *o, struct err *err)
{
    const json_t *ext = NULL;
    int rc = ctf2_u64(o, "version", true, &c->meta->major, err);

    if (rc < 0 || (rc = read_uuid(o, c->meta, err)) < 0)
        return rc;
    if (c->meta->major != 2)
        return err_set(err, E_UNSUP,
                       "CTF version %" PRIu64 " as JSON: this program reads 2; convert the trace "
                       "or use a newer version",
                       c->meta->major);
    if ((rc = ctf2_child(o, "extensions", JSON_OBJECT, false, &ext, err)) < 0)
        return rc;
    if (json_object_size(ext))
        return err_set(err, E_UNSUP,
                       "the trace needs the extension of '%s', which this program "
                       "does not know",
                       json_object_iter_key(json_object_iter((json_t *)(uintptr_t)ext)));
    return 0;
}

static int read_alias(struct ctf2 *c, const json_t *o, struct err *err)
{
    struct ctf2_alias a;
    int rc = ctf2_str(&c->meta->mem, o, "name", true, &a.name, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < c->aliases.n; i++)
        if (str_eq(c->aliases.at[i].name, a.name))
            return err_set(err, E_CORRUPT, "a second alias '" STR_FMT "'", STR_ARG(a.name));
    if (ctf2_type(c, json_object_get(o, "field-class"), &a.type, err) < 0)
        return err_in(err, "alias '" STR_FMT "'", STR_ARG(a.name));
    *vec_push(&c->aliases) = a;
    return 0;
}

/* A scope's field class: a structure. */
static int read_scope(struct ctf2 *c, const json_t *o, const char *key, struct ctf_type **ret,
                      struct err *err)
{
    const json_t *fc = json_object_get(o, key);
    int rc = fc ? ctf2_type(c, fc, ret, err) : 0;

    if (rc == 0 && fc && (*ret)->kind != CTF_STRUCT)
        rc = err_set(err, E_CORRUPT, "it must be a structure");
    return rc < 0 ? err_in(err, "'%s'", key) : 0;
}

static int read_environment(struct ctf2 *c, const json_t *o, struct err *err)
{
    struct arena *mem = &c->meta->mem;
    const json_t *env = NULL, *v;
    const char *key;
    int rc = ctf2_child(o, "environment", JSON_OBJECT, false, &env, err);

    json_object_foreach((json_t *)(uintptr_t)env, key, v)
    {
        struct ctf_env e = { .key = str_dup(mem, str_of(key)) };

        if (json_is_integer(v)) {
            e.is_int = true;
            e.value = (int64_t)json_integer_value(v);
            e.text = str_of(arena_printf(mem, "%" PRId64, e.value));
        } else if (json_is_string(v)) {
            e.text = str_dup(mem, (struct str){ json_string_value(v), json_string_length(v) });
        } else {
            return err_set(err, E_CORRUPT, "environment '%s' must be an integer or a string", key);
        }
        *vec_push(&c->meta->env) = e;
    }
    return rc;
}

static int read_trace(struct ctf2 *c, const json_t *o, struct err *err)
{
    int rc;

    if (c->has_trace || c->meta->streams.n)
        return err_set(err, E_CORRUPT,
                       c->has_trace ? "a second trace class"
                                    : "it comes after a data stream class");
    c->has_trace = true;
    if ((rc = read_environment(c, o, err)) < 0)
        return rc;
    return read_scope(c, o, "packet-header-field-class", &c->meta->packet_header, err);
}

/* Where the clock's 0 is, and how far from there it starts. */
static int read_origin(struct ctf2 *c, const json_t *o, struct ctf_clock *clk, struct err *err)
{
    const json_t *off = NULL, *origin = json_object_get(o, "origin");
    uint64_t cycles = 0;
    int rc = ctf2_child(o, "offset-from-origin", JSON_OBJECT, false, &off, err);

    if (origin && !json_is_string(origin) && !json_is_object(origin))
        return err_set(err, E_CORRUPT, "'origin' must be a string or an object");
    if (json_is_string(origin) && strcmp(json_string_value(origin), "unix-epoch") != 0)
        return err_set(err, E_CORRUPT, "unknown 'origin'");
    clk->absolute = json_is_string(origin);
    if (rc == 0 && json_is_object(origin))
        rc = ctf2_properties(c, origin, "an origin", "namespace name uid", err);
    if (rc == 0 && off)
        rc = ctf2_properties(c, off, "an offset", "seconds cycles", err);
    if (rc == 0 && off)
        rc = ctf2_i64(off, "seconds", false, &clk->offset_s, err);
    if (rc == 0 && off)
        rc = ctf2_u64(off, "cycles", false, &cycles, err);
    if (rc == 0 && cycles > (uint64_t)INT64_MAX)
        rc = err_set(err, E_CORRUPT, "'cycles' is not below the frequency");
    clk->offset = (int64_t)cycles;
    return rc;
}

static int read_clock(struct ctf2 *c, const json_t *o, struct err *err)
{
    struct arena *mem = &c->meta->mem;
    struct ctf_clock *clk = arena_new(mem, struct ctf_clock);
    int rc;

    if ((rc = ctf2_str(mem, o, "id", true, &clk->id, err)) < 0 ||
        (rc = ctf2_str(mem, o, "name", false, &clk->name, err)) < 0 ||
        (rc = ctf2_str(mem, o, "uid", false, &clk->uuid, err)) < 0 ||
        (rc = ctf2_str(mem, o, "description", false, &clk->description, err)) < 0 ||
        (rc = ctf2_u64(o, "frequency", true, &clk->freq, err)) < 0 ||
        (rc = ctf2_u64(o, "precision", false, &clk->precision, err)) < 0 ||
        (rc = read_origin(c, o, clk, err)) < 0)
        return rc;
    if (clk->freq == 0)
        return err_set(err, E_CORRUPT, "a clock cannot have a frequency of 0");
    for (size_t i = 0; i < c->meta->clocks.n; i++)
        if (str_eq(c->meta->clocks.at[i]->id, clk->id))
            return err_set(err, E_CORRUPT, "a second clock with id '" STR_FMT "'",
                           STR_ARG(clk->id));
    if (clk->name.n == 0)
        clk->name = clk->id;
    *vec_push(&c->meta->clocks) = clk;
    return 0;
}

static bool has_role(const struct ctf_type *t, uint32_t roles)
{
    if (t && (t->kind == CTF_ARRAY || t->kind == CTF_SEQ))
        return has_role(t->elem, roles);
    for (uint32_t i = 0; t && i < t->nmembers; i++)
        if ((t->members[i].roles & roles) || has_role(t->members[i].type, roles))
            return true;
    return false;
}

static int read_default_clock(struct ctf2 *c, const json_t *o, struct ctf_stream_class *sc,
                              struct err *err)
{
    struct str id = { 0 };
    int rc = ctf2_str(&c->meta->mem, o, "default-clock-class-id", false, &id, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < c->meta->clocks.n && id.p; i++)
        if (str_eq(c->meta->clocks.at[i]->id, id))
            sc->clock = c->meta->clocks.at[i];
    if (id.p && !sc->clock)
        return err_set(err, E_CORRUPT, "there is no clock class '" STR_FMT "' before", STR_ARG(id));
    if (!sc->clock && (has_role(sc->packet_context, ROLE_CLOCK | ROLE_END) ||
                       has_role(sc->event_header, ROLE_CLOCK)))
        return err_set(err, E_CORRUPT, "a field samples the default clock, and there is none");
    return 0;
}

/* LTTng keeps the CPU in a field without a role. */
static void mark_cpu(struct ctf_type *context)
{
    for (uint32_t i = 0; context && i < context->nmembers; i++)
        if (str_is(context->members[i].raw, "cpu_id") && context->members[i].type->kind == CTF_INT)
            context->members[i].roles |= ROLE_CPU;
}

static int read_stream(struct ctf2 *c, const json_t *o, struct err *err)
{
    struct ctf_stream_class *sc = arena_new(&c->meta->mem, struct ctf_stream_class);
    int rc;

    sc->has_id = json_object_get(o, "id") != NULL;
    if ((rc = ctf2_u64(o, "id", false, &sc->id, err)) < 0 ||
        (rc = ctf2_str(&c->meta->mem, o, "name", false, &sc->name, err)) < 0 ||
        (rc = read_scope(c, o, "packet-context-field-class", &sc->packet_context, err)) < 0 ||
        (rc = read_scope(c, o, "event-record-header-field-class", &sc->event_header, err)) < 0 ||
        (rc = read_scope(c, o, "event-record-common-context-field-class", &sc->event_context,
                         err)) < 0 ||
        (rc = read_default_clock(c, o, sc, err)) < 0)
        return rc;
    for (size_t i = 0; i < c->meta->streams.n; i++)
        if (c->meta->streams.at[i]->id == sc->id)
            return err_set(err, E_CORRUPT, "a second data stream class with id %" PRIu64, sc->id);
    mark_cpu(sc->packet_context);
    *vec_push(&c->meta->streams) = sc;
    return 0;
}

/* Names as babeltrace2 and LTTng write them; the numbers are those of CTF 1. */
static bool log_level(const json_t *v, int64_t *ret)
{
    static const char *const names[] = {
        "emergency",    "alert",      "critical",       "error",         "warning",
        "notice",       "info",       "debug:system",   "debug:program", "debug:process",
        "debug:module", "debug:unit", "debug:function", "debug:line",    "debug",
    };

    if (json_is_integer(v)) {
        *ret = (int64_t)json_integer_value(v);
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names) && json_is_string(v); i++)
        if (strcmp(json_string_value(v), names[i]) == 0) {
            *ret = (int64_t)i;
            return true;
        }
    return false;
}

static void read_log_level(const json_t *o, struct ctf_event_class *ec)
{
    const json_t *spaces = json_object_get(o, "attributes"), *space;
    const char *name;

    json_object_foreach((json_t *)(uintptr_t)spaces, name, space)
    {
        (void)name;
        if (log_level(json_object_get(space, "log-level"), &ec->loglevel))
            ec->has_loglevel = true;
    }
}

static int read_event(struct ctf2 *c, const json_t *o, struct err *err)
{
    struct ctf_event_class *ec = arena_new(&c->meta->mem, struct ctf_event_class);
    uint32_t twin;
    int rc;

    ec->has_id = json_object_get(o, "id") != NULL;
    ec->has_stream_id = json_object_get(o, "data-stream-class-id") != NULL;
    if ((rc = ctf2_u64(o, "id", false, &ec->id, err)) < 0 ||
        (rc = ctf2_u64(o, "data-stream-class-id", false, &ec->stream_id, err)) < 0 ||
        (rc = ctf2_str(&c->meta->mem, o, "name", false, &ec->name, err)) < 0 ||
        (rc = read_scope(c, o, "specific-context-field-class", &ec->context, err)) < 0 ||
        (rc = read_scope(c, o, "payload-field-class", &ec->payload, err)) < 0)
        return rc;
    for (size_t i = 0; i < c->meta->streams.n; i++)
        if (c->meta->streams.at[i]->id == ec->stream_id)
            ec->stream = c->meta->streams.at[i];
    if (!ec->stream)
        return err_set(err, E_CORRUPT, "there is no data stream class %" PRIu64 " before",
                       ec->stream_id);
    if (map64_get(&ec->stream->position, ec->id, &twin))
        return err_set(err, E_CORRUPT,
                       "a second event record class with id %" PRIu64
                       " in data stream class %" PRIu64,
                       ec->id, ec->stream_id);
    if (c->meta->events.n >= LIMIT_EVENT_CLASSES)
        return err_set(err, E_LIMIT, "over %u event classes", LIMIT_EVENT_CLASSES);
    if (ec->name.n == 0)
        ec->name = str_of(arena_printf(&c->meta->mem, "event-%" PRIu64, ec->id));
    read_log_level(o, ec);
    ec->index = (uint32_t)c->meta->events.n;
    map64_set(&ec->stream->position, ec->id, (uint32_t)ec->stream->events.n);
    *vec_push(&ec->stream->events) = ec;
    *vec_push(&c->meta->events) = ec;
    return 0;
}

static int read_fragment(struct ctf2 *c, const json_t *o, bool is_first, struct err *err)
{
    static const struct {
        const char *type;
        int (*read)(struct ctf2 *, const json_t *, struct err *);
        const char *properties;
    } kinds[] = {
        { "preamble", read_preamble, "version uuid" },
        { "field-class-alias", read_alias, "name field-class" },
        { "trace-class", read_trace, "namespace name uid environment packet-header-field-class" },
        { "clock-class", read_clock,
          "id namespace name uid description frequency precision accuracy origin "
          "offset-from-origin" },
        { "data-stream-class", read_stream,
          "id namespace name uid default-clock-class-id packet-context-field-class "
          "event-record-header-field-class event-record-common-context-field-class" },
        { "event-record-class", read_event,
          "id data-stream-class-id namespace name uid specific-context-field-class "
          "payload-field-class" },
    };
    const char *type = json_string_value(json_object_get(o, "type"));
    size_t i = 0;
    int rc = 0;

    if (!type)
        return err_set(err, E_CORRUPT, "a fragment must have a 'type'");
    while (i < ARRAY_SIZE(kinds) && strcmp(kinds[i].type, type) != 0)
        i++;
    if (i == ARRAY_SIZE(kinds))
        return err_set(err, E_CORRUPT, "unknown type of fragment '%s'", type);
    if (is_first != (i == 0))
        return err_set(err, E_CORRUPT,
                       is_first ? "the first fragment must be the preamble" : "a second preamble");
    rc = kinds[i].read(c, o, err);
    if (rc == 0)
        rc = ctf2_properties(c, o, type, kinds[i].properties, err);
    return rc < 0 ? err_in(err, "%s", type) : 0;
}

static bool is_blank(struct str s)
{
    return str_trim(s).n == 0;
}

int ctf2_parse(struct str text, struct ctf_meta *meta, struct notes *notes, const char *where,
               struct err *err)
{
    struct ctf2 c = { .meta = meta, .notes = notes, .where = where };
    uint32_t line = 1;
    bool is_first = true;
    int rc = 0;

    meta->order = CTF_LE; /* every field class says its own */
    for (size_t at = 0; at < text.n && rc == 0;) {
        size_t end = str_chr(text, 0x1e, at);
        struct str one = str_from(str_first(text, end == STR_NONE ? text.n : end), at);

        at = end == STR_NONE ? text.n : end + 1;
        if (!is_blank(one)) {
            json_t *o = ctf2_json(one, line, err);

            rc = o ? read_fragment(&c, o, is_first, err) : -(int)err->code;
            if (o && rc < 0)
                err_in(err, "line %u", line + (one.p[0] == '\n'));
            json_decref(o);
            is_first = false;
        }
        for (size_t i = 0; i < one.n; i++)
            line += one.p[i] == '\n';
    }
    vec_free(&c.aliases);
    if (rc == 0 && is_first)
        rc = err_set(err, E_CORRUPT, "there is no preamble");
    if (rc == 0 && meta->streams.n == 0) {
        struct ctf_stream_class *sc = arena_new(&meta->mem, struct ctf_stream_class);

        sc->is_implied = true;
        *vec_push(&meta->streams) = sc;
    }
    return rc;
}
