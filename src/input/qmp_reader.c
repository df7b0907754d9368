/* SPDX-License-Identifier: Apache-2.0
 *
 * qmp_reader.c -- what was said to a QEMU over QMP, as JSON lines:
 *
 *   {"timestamp": {"seconds": 1795349064, "microseconds": 936770}, "event": "MIGRATION", "data":
 * ...}
 *   {"kind": "query-migrate", "real_ns": 1795349065029481340, "data": {"status": "active", ...}}
 *
 * The first is QMP itself.  The second form is that of clients which write when they got what; an
 * event's own time counts there too.  An answer has no time of its own: that to query-migrate is
 * placed at the event before it, others are left out.  An event is called qmp:EVENT, anything else
 * qmp:KIND; nested objects become fields with a dot, and times carry their unit. */
#include "input/qemu.h"

#include "base/limits.h"

#include <inttypes.h>
#include <jansson.h>

enum { MICROSECOND = 1000, LINES_LOOKED_AT = 8, NAME_MAX_BYTES = 200 };

/* Clocks of which the times in one file are. */
enum { CLOCK_OF_QEMU, CLOCK_OF_CLIENT };

/* What one line says. */
struct said {
    ns_t t; /* NS_MIN: the line does not tell */
    int64_t clock;
    struct str name;
    json_t *data; /* of the line's object; NULL: nothing */
};

static struct str text_of(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_string(v) ? (struct str){ json_string_value(v), json_string_length(v) }
                             : STR("");
}

/* "timestamp": { "seconds": ..., "microseconds": ... }; QEMU writes -1 if it has none. */
static bool event_time(const json_t *o, ns_t *ret)
{
    const json_t *stamp = json_object_get(o, "timestamp");
    const json_t *s = json_object_get(stamp, "seconds"),
                 *us = json_object_get(stamp, "microseconds");

    if (!json_is_integer(s) || !json_is_integer(us) || json_integer_value(s) < 0 ||
        json_integer_value(s) >= INT64_MAX / NS_PER_S || json_integer_value(us) < 0 ||
        json_integer_value(us) >= 1000000)
        return false;
    *ret = json_integer_value(s) * NS_PER_S + json_integer_value(us) * MICROSECOND;
    return true;
}

/* Is it an answer to query-migrate?  Others have a status too, but not these. */
static bool is_migrate_info(const json_t *answer)
{
    return text_of(answer, "status").n &&
           (json_object_get(answer, "ram") || json_object_get(answer, "total-time") ||
            json_object_get(answer, "setup-time") || json_object_get(answer, "error-desc"));
}

/* False: the line is not of a form that we know, or nothing to be shown. */
static bool understand(json_t *o, struct said *ret)
{
    const json_t *real = json_object_get(o, "real_ns");
    json_t *event = o, *answer = json_object_get(o, "return");
    struct str kind = text_of(o, "kind");

    *ret = (struct said){ .t = NS_MIN, .clock = CLOCK_OF_CLIENT };
    if (kind.n && json_is_integer(real)) {
        if (json_integer_value(real) < 0)
            return false;
        ret->t = json_integer_value(real);
        ret->name = kind;
        ret->data = event = json_object_get(o, "data");
    } else if (is_migrate_info(answer)) {
        ret->name = STR("query-migrate");
        ret->data = answer;
        return true;
    }
    if (text_of(event, "event").n && json_is_object(json_object_get(event, "timestamp"))) {
        if (event_time(event, &ret->t))
            ret->clock = CLOCK_OF_QEMU;
        ret->name = text_of(event, "event");
        ret->data = json_object_get(event, "data");
    }
    return ret->name.n > 0 && ret->name.n <= NAME_MAX_BYTES;
}

static json_t *parse(struct str line, json_error_t *e)
{
    json_t *o = json_loadb(line.p, line.n, JSON_ALLOW_NUL, e);

    if (o && !json_is_object(o)) {
        json_decref(o);
        o = NULL;
        snprintf(e->text, sizeof e->text, "not an object");
    }
    return o;
}

bool qmp_log_is(struct str head)
{
    bool ours = false;

    for (unsigned i = 0; i < LINES_LOOKED_AT && !ours; i++) {
        size_t nl = str_chr(head, '\n', 0);
        struct str line = str_trim(nl == STR_NONE ? head : str_first(head, nl));
        struct said said;
        json_error_t e;
        json_t *o = line.n && line.p[0] == '{' ? parse(line, &e) : NULL;

        if (line.n && !o)
            return false;
        ours = o && (json_is_object(json_object_get(o, "QMP")) || understand(o, &said));
        json_decref(o);
        if (nl == STR_NONE)
            break;
        head = str_from(head, nl + 1);
    }
    return ours;
}

bool qmp_zero(const struct qemu_reader *r, ns_t *ret)
{
    struct str rest = { (const char *)r->map.p, r->map.n };
    bool found = false;

    for (unsigned i = 0; i < LINES_LOOKED_AT && rest.n && !found; i++) {
        size_t nl = str_chr(rest, '\n', 0);
        struct str line = str_trim(nl == STR_NONE ? rest : str_first(rest, nl));
        json_error_t e;
        json_t *o = line.n && line.n <= LIMIT_LINE_BYTES ? parse(line, &e) : NULL;
        const json_t *real = json_object_get(o, "real_ns"), *mono = json_object_get(o, "mono_ns");

        found = json_is_integer(real) && json_is_integer(mono);
        if (found)
            *ret = time_add(json_integer_value(real), -json_integer_value(mono));
        json_decref(o);
        rest = nl == STR_NONE ? STR("") : str_from(rest, nl + 1);
    }
    return found;
}

/* --- events ------------------------------------------------------------------------------ */

/* Reads a line; false: there is nothing in it that can be placed. */
static bool take_line(struct qemu_reader *r, struct str line, struct qemu_cursor *c,
                      struct qemu_item *ret)
{
    struct said said;
    json_error_t e;
    json_t *o = line.n > LIMIT_LINE_BYTES ? NULL : parse(line, &e);

    if (!o) {
        qemu_bad(r, "line", c->line, line.n > LIMIT_LINE_BYTES ? "it is too long" : e.text);
        return false;
    }
    bool is_ours = understand(o, &said);
    if (is_ours && said.t == NS_MIN)
        said.t = c->last;
    is_ours = is_ours && said.t != NS_MIN;
    if (is_ours) {
        *ret = (struct qemu_item){ .t = said.t,
                                   .at = (size_t)((const uint8_t *)line.p - r->map.p),
                                   .n = line.n,
                                   .pid = -1,
                                   .tid = -1,
                                   .clock = said.clock,
                                   .class_no = qemu_class_of(r, STR("qmp:"), said.name) };
        c->last = said.t;
    }
    r->other += r->opening && !is_ours;
    json_decref(o);
    return is_ours;
}

static bool qmp_scan(struct qemu_reader *r, struct qemu_cursor *c, struct qemu_item *ret)
{
    struct str line;

    while (qemu_next_line(r, c, &line))
        if (str_trim(line).n && take_line(r, str_trim(line), c, ret))
            return true;
    return false;
}

/* --- fields ------------------------------------------------------------------------------ */

/* Fields that have a unit. */
static struct str name_of(struct qemu_reader *r, struct str path)
{
    static const struct {
        const char *path, *name;
    } known[] = { { "total-time", "total_time_ms" },
                  { "downtime", "downtime_ms" },
                  { "expected-downtime", "expected_downtime_ms" },
                  { "setup-time", "setup_ms" } };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (str_is(path, known[i].path))
            return str_of(known[i].name);
    return strtab_get(&r->fields, strtab_id(&r->fields, path));
}

static void flatten(struct qemu_reader *r, json_t *v);

static void flatten_member(struct qemu_reader *r, struct str key, json_t *v)
{
    size_t before = r->name.n;

    if (before > 0)
        sbuf_chr(&r->name, '.');
    sbuf_str(&r->name, key);
    flatten(r, v);
    r->name.n = before;
}

/* Adds 'v', whose path is in r->name. */
static void flatten(struct qemu_reader *r, json_t *v)
{
    struct str path = sbuf_view(&r->name);
    const char *key;
    char number[24];
    json_t *item;
    size_t i;

    if (r->values.n == QEMU_VALUES_MAX || path.n > NAME_MAX_BYTES)
        return;
    if (json_is_object(v)) {
        json_object_foreach(v, key, item) flatten_member(r, str_of(key), item);
    } else if (json_is_array(v)) {
        json_array_foreach(v, i, item)
        {
            snprintf(number, sizeof number, "%zu", i);
            flatten_member(r, str_of(number), item);
        }
    } else if (json_is_string(v)) {
        qemu_add_text(&r->values, name_of(r, path),
                      (struct str){ json_string_value(v), json_string_length(v) });
    } else if (json_is_real(v)) {
        qemu_add_real(&r->values, name_of(r, path), json_real_value(v));
    } else if (!json_is_null(v)) {
        qemu_add_int(&r->values, name_of(r, path),
                     json_is_integer(v) ? json_integer_value(v) : json_is_true(v));
    }
}

static void qmp_values(struct qemu_reader *r, const struct qemu_item *item)
{
    struct str line = { (const char *)r->map.p + item->at, item->n };
    struct said said;
    json_error_t e;

    json_decref(r->json);
    r->json = parse(line, &e);
    if (!r->json || !understand(r->json, &said) || !said.data)
        return;
    sbuf_clear(&r->name);
    flatten(r, said.data);
}

const struct qemu_format qmp_format = {
    .tracer = "QMP", .clock = "realtime", .scan = qmp_scan, .values = qmp_values
};
