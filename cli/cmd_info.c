/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_info.c -- what each trace is: tracer, clock, streams, event classes. */
#include "cli/cmd.h"

#include "cli/open.h"
#include "cli/scan.h"
#include "ctf/trace.h"

#include <stdlib.h>

static const struct column cols[] = {
    { .id = "host", .header = "HOST", .kind = COL_STR },
    { .id = "domain", .header = "DOMAIN", .kind = COL_STR },
    { .id = "tracer", .header = "TRACER", .kind = COL_STR },
    { .id = "format", .header = "FORMAT", .kind = COL_STR, .flags = COL_WIDE },
    { .id = "clock", .header = "CLOCK", .kind = COL_STR, .flags = COL_WIDE },
    { .id = "clock_hz", .header = "CLOCK HZ", .kind = COL_COUNT, .flags = COL_WIDE },
    { .id = "clock_offset_ns", .header = "CLOCK OFFSET", .kind = COL_INT, .flags = COL_WIDE },
    { .id = "streams", .header = "STREAMS", .kind = COL_COUNT },
    { .id = "packets", .header = "PACKETS", .kind = COL_COUNT },
    { .id = "size_bytes", .header = "SIZE", .kind = COL_BYTES },
    { .id = "events", .header = "EVENTS", .kind = COL_COUNT },
    { .id = "first_ns", .header = "FIRST", .kind = COL_INSTANT },
    { .id = "last_ns", .header = "LAST", .kind = COL_INSTANT, .flags = COL_WIDE },
    { .id = "duration_ns", .header = "DURATION", .kind = COL_DURATION },
    { .id = "classes", .header = "CLASSES", .kind = COL_COUNT, .flags = COL_WIDE },
    { .id = "uuid", .header = "UUID", .kind = COL_STR, .flags = COL_WIDE },
    { .id = "path", .header = "PATH", .kind = COL_STR },
    { .id = "environment", .header = "ENVIRONMENT", .kind = COL_NESTED, .flags = COL_JSON },
    { .id = "event_classes", .header = "EVENT CLASSES", .kind = COL_NESTED, .flags = COL_JSON },
};

/* What a row refers to until the table is printed. */
struct row {
    const struct scan_trace *s;
    struct ctf_meta meta;
    bool is_ctf;
};

static void emit_env(struct json *j, const void *arg)
{
    const struct row *row = arg;

    json_open(j, '{');
    for (size_t i = 0; i < row->meta.env.n; i++) {
        const struct ctf_env *e = &row->meta.env.at[i];

        json_key(j, e->key);
        if (e->is_int)
            json_i64(j, e->value);
        else
            json_str(j, e->text);
    }
    json_close(j, '}');
}

static uint64_t members(const struct ctf_type *t)
{
    return t ? t->nmembers : 0;
}

static void emit_classes(struct json *j, const void *arg)
{
    const struct row *row = arg;

    json_open(j, '[');
    for (size_t i = 0; i < row->meta.events.n; i++) {
        const struct ctf_event_class *ec = row->meta.events.at[i];

        json_open(j, '{');
        json_kstr(j, "name", ec->name);
        json_ku64(j, "id", ec->id);
        json_ku64(j, "stream", ec->stream->id);
        json_ku64(j, "fields", members(ec->payload));
        json_ku64(j, "contexts", members(ec->context) + members(ec->stream->event_context));
        json_ku64(j, "events",
                  ec->index < row->s->classes.n ? row->s->classes.at[ec->index].events : 0);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* What a reader of another format tells. */
static void emit_properties(struct json *j, const void *arg)
{
    const struct reader *r = ((const struct row *)arg)->s->reader;

    json_open(j, '{');
    for (uint32_t i = 0; i < r->nproperties; i++) {
        json_key(j, r->properties[i].key);
        json_str(j, r->properties[i].value);
    }
    json_close(j, '}');
}

static struct str property(const struct reader *r, const char *key)
{
    for (uint32_t i = 0; i < r->nproperties; i++)
        if (str_is(r->properties[i].key, key))
            return r->properties[i].value;
    return STR("");
}

static void emit_counts(struct json *j, const void *arg)
{
    const struct row *row = arg;
    const struct reader *r = row->s->reader;

    json_open(j, '[');
    for (size_t i = 0; i < r->nclasses && r->classes; i++) {
        json_open(j, '{');
        json_kstr(j, "name", r->classes[i].name);
        json_ku64(j, "fields", r->classes[i].nfields);
        json_ku64(j, "events", i < row->s->classes.n ? row->s->classes.at[i].events : 0);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void add_text(struct table *t, struct str s)
{
    table_str(t, s.n ? s : (struct str){ 0 });
}

static void add_clock(struct table *t, const struct row *row)
{
    const struct ctf_clock *clk = row->meta.clocks.n ? row->meta.clocks.at[0] : NULL;

    if (!clk) {
        add_text(t, property(row->s->reader, "clock"));
        table_null(t);
        table_null(t);
        return;
    }
    table_str(t, clk->name);
    table_count(t, clk->freq);
    table_int(t, ctf_clock_ns(clk, 0));
}

static void add_row(struct table *t, struct row *row, struct arena *mem)
{
    const struct scan_trace *s = row->s;
    const struct reader *r = s->reader;

    row->is_ctf = scan_meta(r, &row->meta);
    table_row(t);
    table_str(t, r->host);
    add_text(t, r->domain);
    add_text(t, row->is_ctf ? scan_tracer(&row->meta, mem) : property(r, "tracer"));
    table_str(t, str_of(r->ops->format));
    add_clock(t, row);
    table_count(t, s->totals.streams);
    table_count(t, s->totals.packets);
    table_count(t, s->totals.bytes);
    table_count(t, s->events);
    scan_add_time(t, s->events, s->first);
    scan_add_time(t, s->events, s->last);
    scan_add_length(t, s->events, s->first, s->last);
    table_count(t, r->nclasses);
    add_text(t, row->meta.uuid_text);
    table_str(t, str_of(r->path));
    if (row->is_ctf) {
        table_nested(t, emit_env, row);
        table_nested(t, emit_classes, row);
    } else if (r->nproperties) {
        table_nested(t, emit_properties, row);
        table_nested(t, emit_counts, row);
    }
}

static int run(struct ctx *c)
{
    struct arena mem = { 0 };
    struct table t;
    struct scan s;
    int rc = cli_open(c, 0);

    if (rc)
        return rc;
    scan_run(c, &s);
    struct row *rows = xcalloc(s.traces.n + 1, sizeof *rows);
    table_init(&t, cols, ARRAY_SIZE(cols));
    for (size_t i = 0; i < s.traces.n; i++) {
        rows[i].s = &s.traces.at[i];
        add_row(&t, &rows[i], &mem);
    }
    rc = cli_check_read(c, ctx_print_table(c, &t));
    table_free(&t);
    for (size_t i = 0; i < s.traces.n; i++)
        if (rows[i].is_ctf)
            ctf_meta_free(&rows[i].meta);
    free(rows);
    arena_free(&mem);
    scan_free(&s);
    return rc;
}

const struct cmd cmd_info = {
    .name = "info",
    .summary = "what each trace is: tracer, clock, streams, times",
    .args = "PATH...",
    .about = "One row per trace: host, domain (kernel or ust), tracer, size, first event and "
             "length. 'wide' adds the clock and the UUID, 'json' the environment and all event "
             "classes with the numbers of their fields and events.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_HOST,
    .min_args = 1,
    .run = run,
};
