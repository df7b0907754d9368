/* SPDX-License-Identifier: Apache-2.0
 *
 * jsonl_reader.c -- events as JSON lines:
 *
 *   {"t_ns":1470668620690219533,"host":"controller","cpu":2,
 *    "name":"lttng_python:event","fields":{...},"context":{...}}
 *
 * This is what `neph events -o jsonl` writes, so an excerpt can be kept, edited
 * and analysed again.  A line that can't be read is noted and skipped. */
#include "base/file.h"
#include "base/limits.h"
#include "input/reader.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

struct jsonl_reader {
    struct reader base;
    struct fmap map;
    size_t at;
    uint64_t line;
    json_t *now;       /* the current event         */
    uint32_t now_name; /* its name, one of 'names'  */
    struct strtab names;
    uint64_t events, bad, backwards;
    bool noted;
    ns_t last;
    char bytes[64]; /* of arrays of the current event */
    size_t nbytes;
};

static struct str text_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
                             : STR("");
}

/* An event object, or NULL with the reason in '*why'. */
static json_t *parse_event(struct str line, char *why, size_t why_size)
{
    json_error_t e;

    if (line.n > LIMIT_LINE_BYTES) {
        snprintf(why, why_size, "the line is over %u bytes", LIMIT_LINE_BYTES);
        return NULL;
    }
    json_t *o = json_loadb(line.p, line.n, JSON_ALLOW_NUL, &e);
    if (!o) {
        snprintf(why, why_size, "%s (column %d)", e.text, e.column);
        return NULL;
    }
    if (!json_is_integer(json_object_get(o, "t_ns")) || text_of(o, "name").n == 0) {
        snprintf(why, why_size, "an event needs an integer t_ns and a name");
        json_decref(o);
        return NULL;
    }
    return o;
}

bool reader_is_jsonl(const char *path, struct arena *mem, struct str **ret_hosts,
                     uint32_t *ret_nhosts)
{
    struct strtab hosts = { 0 };
    struct err err;
    struct fmap map;
    struct str line;
    size_t at = 0;
    bool first = true, ours = true;
    char why[256];

    if (fmap_open(path, &map, &err) < 0)
        return false;
    strtab_id(&hosts, STR(""));
    while (ours && fmap_line(&map, &at, &line)) {
        json_t *o = str_trim(line).n ? parse_event(line, why, sizeof why) : NULL;

        if (o)
            strtab_id(&hosts, text_of(o, "host"));
        else if (first && str_trim(line).n)
            ours = false;
        first = first && str_trim(line).n == 0;
        json_decref(o);
    }
    ours = ours && !first;
    if (ours) {
        uint32_t skip = hosts.strs.n > 1; /* the empty name only if there is no other */

        *ret_nhosts = (uint32_t)hosts.strs.n - skip;
        *ret_hosts = arena_array(mem, struct str, *ret_nhosts);
        for (uint32_t i = 0; i < *ret_nhosts; i++)
            (*ret_hosts)[i] = str_dup(mem, hosts.strs.at[i + skip]);
    }
    strtab_free(&hosts);
    fmap_close(&map);
    return ours;
}

/* The member of an object that is called "a.b", or the member "b" of its member "a". */
static const json_t *find_path(const json_t *o, struct str path)
{
    const json_t *v = json_object_getn(o, path.p, path.n);
    size_t dot = str_chr(path, '.', 0);

    for (; !v && o && dot != STR_NONE; dot = str_chr(path, '.', 0)) {
        o = json_object_getn(o, path.p, dot);
        path = str_from(path, dot + 1);
        v = o ? json_object_getn(o, path.p, path.n) : NULL;
    }
    return v;
}

/* The first of the '|'-separated names that the object has. */
static const json_t *find_any(const json_t *o, const char *names)
{
    struct str rest = str_of(names);
    const json_t *v = NULL;

    while (!v && rest.n) {
        size_t bar = str_chr(rest, '|', 0);

        v = find_path(o, bar == STR_NONE ? rest : str_first(rest, bar));
        rest = bar == STR_NONE ? STR("") : str_from(rest, bar + 1);
    }
    return v;
}

/* An array of bytes, kept in the reader until the next event. */
static struct str bytes_of(struct jsonl_reader *r, const json_t *v)
{
    size_t n = json_array_size(v), from = r->nbytes;

    if (n > sizeof r->bytes - from)
        return STR("");
    for (size_t i = 0; i < n; i++)
        r->bytes[r->nbytes++] = (char)json_integer_value(json_array_get(v, i));
    return (struct str){ r->bytes + from, n };
}

/* The name of a field that the event's type can't do without and that it lacks, or NULL. */
static const char *lacking(enum ev_type type, const json_t *fields)
{
    if (type == EV_OTHER)
        return NULL;
    for (uint32_t i = 0; i < ev_descs[type].nfields; i++) {
        const struct ev_field *f = &ev_descs[type].fields[i];
        const json_t *v = f->needed ? find_any(fields, f->names) : NULL;

        if (f->needed && !(f->kind == EV_STR ? json_is_string(v) : json_is_integer(v)))
            return f->names;
    }
    return NULL;
}

static bool jsonl_next(struct reader *base, struct reader_event *ret)
{
    struct jsonl_reader *r = (struct jsonl_reader *)base;
    struct str line;
    char why[256];

    json_decref(r->now);
    r->now = NULL;
    while (fmap_line(&r->map, &r->at, &line)) {
        r->line++;
        if (str_trim(line).n == 0)
            continue;
        json_t *o = parse_event(line, why, sizeof why);
        if (!o) {
            note_add(base->notes, NOTE_LOST, base->path, "line %" PRIu64 " is skipped: %s", r->line,
                     why);
            r->bad++;
            continue;
        }
        if (!str_eq(text_of(o, "host"), base->host_there)) {
            json_decref(o);
            continue;
        }
        const json_t *cpu = json_object_get(o, "cpu");
        struct str name = text_of(o, "name");

        r->now = o;
        *ret =
            (struct reader_event){ .t = json_integer_value(json_object_get(o, "t_ns")),
                                   .cpu = json_is_integer(cpu) ? (uint32_t)json_integer_value(cpu)
                                                               : UINT32_MAX,
                                   .type = ev_find(name),
                                   .class_no = strtab_id(&r->names, name) };
        ret->name = strtab_get(&r->names, ret->class_no);
        r->now_name = ret->class_no;
        const char *lacks = lacking(ret->type, json_object_get(o, "fields"));
        if (lacks) {
            note_add(base->notes, NOTE_WARN, base->path,
                     "event " STR_FMT ": field '%s' is missing or of another type: it is not "
                     "analysed",
                     STR_ARG(ret->name), lacks);
            ret->type = EV_OTHER;
        }
        base->nclasses = (uint32_t)r->names.strs.n;
        r->backwards += r->events && ret->t < r->last;
        r->last = ret->t;
        r->events++;
        return true;
    }
    if (r->backwards && !r->noted)
        note_add(base->notes, NOTE_WARN, base->path,
                 "the clock runs backwards: %" PRIu64
                 " events have a time before that of the event before them; durations across "
                 "them are wrong",
                 r->backwards);
    r->noted = true;
    return false;
}

static bool jsonl_seek(struct reader *base, ns_t t, struct reader_event *ret)
{
    struct jsonl_reader *r = (struct jsonl_reader *)base;

    r->at = 0;
    r->line = 0;
    while (jsonl_next(base, ret))
        if (ret->t >= t)
            return true;
    return false;
}

/* -1: neither is there.  A thread has its number in its namespace beside the host's. */
static int64_t first_int(const json_t *o, const char *name, const char *otherwise)
{
    const json_t *v = json_object_get(o, name);

    if (!json_is_integer(v))
        v = json_object_get(o, otherwise);
    return json_is_integer(v) ? json_integer_value(v) : -1;
}

static void jsonl_fill(struct reader *base, struct ev_head *head, void *out)
{
    struct jsonl_reader *r = (struct jsonl_reader *)base;
    const json_t *fields = json_object_get(r->now, "fields");
    const json_t *context = json_object_get(r->now, "context");
    const struct ev_desc *d = &ev_descs[ev_find(text_of(r->now, "name"))];
    const json_t *cpu = json_object_get(r->now, "cpu");

    *head = (struct ev_head){
        .t = json_integer_value(json_object_get(r->now, "t_ns")),
        .cpu = json_is_integer(cpu) ? (uint32_t)json_integer_value(cpu) : UINT32_MAX,
        .pid = first_int(context, "pid", "vpid"),
        .tid = first_int(context, "tid", "vtid"),
        .procname = text_of(context, "procname"),
        .name = strtab_get(&r->names, r->now_name),
    };
    memset(out, 0, d->size);
    r->nbytes = 0;
    for (uint32_t i = 0; i < d->nfields; i++) {
        const json_t *v = find_any(fields, d->fields[i].names);
        char *to = (char *)out + d->fields[i].offset;

        if (d->fields[i].kind == EV_STR && json_is_string(v)) {
            struct str s = { json_string_value(v), json_string_length(v) };
            memcpy(to, &s, sizeof s);
        } else if (d->fields[i].kind == EV_I64 && json_is_integer(v)) {
            int64_t n = json_integer_value(v);
            memcpy(to, &n, sizeof n);
        } else if (d->fields[i].kind == EV_BYTES && json_is_array(v)) {
            struct str s = bytes_of(r, v);
            memcpy(to, &s, sizeof s);
        }
    }
}

/* jansson limits nesting while parsing (JSON_PARSER_MAX_DEPTH, 2048). */
static void visit_value(const struct value_sink *sink, struct str name, const json_t *v)
{
    struct value out = { .base = 10 };
    const char *key;
    json_t *item;
    size_t i;

    if (json_is_string(v)) {
        sink->text(sink->ctx, name, (struct str){ json_string_value(v), json_string_length(v) });
        return;
    }
    if (json_is_object(v) || json_is_array(v)) {
        sink->open(sink->ctx, name, json_is_object(v));
        json_object_foreach((json_t *)(uintptr_t)v, key, item) visit_value(sink, str_of(key), item);
        json_array_foreach(v, i, item) visit_value(sink, STR(""), item);
        sink->close(sink->ctx, json_is_object(v));
        return;
    }
    if (json_is_integer(v)) {
        out.kind = VALUE_I64;
        out.i64 = json_integer_value(v);
    } else if (json_is_real(v)) {
        out.kind = VALUE_F64;
        out.f64 = json_real_value(v);
    } else if (json_is_boolean(v)) {
        out.kind = VALUE_BOOL;
        out.u64 = json_is_true(v);
    } else {
        out.kind = VALUE_NULL;
    }
    sink->scalar(sink->ctx, name, &out);
}

static void jsonl_visit(struct reader *base, enum reader_scope scope, const struct value_sink *sink)
{
    struct jsonl_reader *r = (struct jsonl_reader *)base;
    json_t *o = json_object_get(r->now, scope == READER_FIELDS ? "fields" : "context"), *v;
    const char *key;

    json_object_foreach(o, key, v) visit_value(sink, str_of(key), v);
}

static void jsonl_totals(const struct reader *base, struct reader_totals *ret)
{
    const struct jsonl_reader *r = (const struct jsonl_reader *)base;

    *ret = (struct reader_totals){ .events = r->events,
                                   .bad_packets = r->bad,
                                   .backwards = r->backwards,
                                   .bytes = r->map.n,
                                   .streams = 1 };
}

static void jsonl_close(struct reader *base)
{
    struct jsonl_reader *r = (struct jsonl_reader *)base;

    json_decref(r->now);
    fmap_close(&r->map);
    strtab_free(&r->names);
    arena_free(&base->mem);
    free(r);
}

int reader_open_jsonl(const char *path, struct str host, struct notes *notes, struct reader **ret,
                      struct err *err)
{
    static const struct reader_ops ops = { .format = "JSON lines",
                                           .next = jsonl_next,
                                           .seek = jsonl_seek,
                                           .fill = jsonl_fill,
                                           .visit = jsonl_visit,
                                           .totals = jsonl_totals,
                                           .close = jsonl_close };
    struct jsonl_reader *r = xcalloc(1, sizeof *r);
    int rc = fmap_open(path, &r->map, err);

    if (rc < 0) {
        free(r);
        return rc;
    }
    r->base.ops = &ops;
    r->base.notes = notes;
    r->base.path = arena_strdup(&r->base.mem, path, strlen(path));
    r->base.host = r->base.host_there = str_dup(&r->base.mem, host);
    *ret = &r->base;
    return 0;
}
