/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_text.c -- the text of ftrace as a reader: /sys/kernel/tracing/trace,
 * trace_pipe, and what `trace-cmd report` writes.
 *
 * The kernel writes lines in the order of time over all CPUs, so they are read as they
 * come.  Classes are the names that have come.  Lines that can't be read are counted,
 * and the first is noted. */
#include "base/file.h"
#include "base/limits.h"
#include "input/ftrace.h"
#include "input/ftrace_line.h"
#include "input/reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADER_BYTES = 16 << 10, PROPERTIES = 4 };

/* What is known of a name; by its number. */
struct class
{
    enum ev_type type;
    bool noted; /* that a field is missing */
};

struct text_reader {
    struct reader base;
    struct fmap map;
    size_t at;
    uint64_t line;
    struct strtab names;
    VEC(struct class) classes;
    struct sbuf name;
    struct ftrace_line now;
    struct ftrace_values values; /* of 'now', if 'has_values' */
    bool has_values;
    uint32_t class_no;
    uint64_t events, bad, backwards, overrun, lost, lost_unknown;
    bool noted, is_raw_time;
    ns_t last;
};

bool ftrace_text_is(struct str head)
{
    struct fmap map = { (const uint8_t *)head.p, head.n };
    struct ftrace_line parsed;
    struct str line;
    size_t at = 0;

    while (fmap_line(&map, &at, &line)) {
        if (str_starts(line, STR("# tracer:")))
            return true;
        enum ftrace_line_kind kind = ftrace_line_parse(line, &parsed);
        if (kind == FTRACE_LINE_EVENT || kind == FTRACE_LINE_BAD)
            return kind == FTRACE_LINE_EVENT;
    }
    return false;
}

/* --- events ------------------------------------------------------------------------- */

static void bad_line(struct text_reader *r, const char *why)
{
    if (r->bad++ == 0)
        note_add(r->base.notes, NOTE_LOST, r->base.path,
                 "lines that are no events are skipped, the first is line %" PRIu64 ": %s", r->line,
                 why);
}

static uint32_t class_of(struct text_reader *r, const struct ftrace_line *line)
{
    sbuf_clear(&r->name);
    sbuf_str(&r->name, line->head);
    sbuf_str(&r->name, line->tail);
    uint32_t id = strtab_id(&r->names, sbuf_view(&r->name));

    while (r->classes.n <= id) {
        enum ev_type type = ev_find(strtab_get(&r->names, (uint32_t)r->classes.n));

        *vec_push(&r->classes) = (struct class){ .type = type };
    }
    r->base.nclasses = (uint32_t)r->classes.n;
    return id;
}

static void read_values(struct text_reader *r)
{
    if (!r->has_values)
        ftrace_line_values(strtab_get(&r->names, r->class_no), r->now.rest, &r->values);
    r->has_values = true;
}

static const struct ftrace_value *find_any(const struct ftrace_values *v, const char *names,
                                           enum ev_kind kind)
{
    for (uint32_t i = 0; i < v->n; i++)
        if (ev_name_is(names, v->at[i].name) &&
            (kind == EV_STR || (kind == EV_I64 && v->at[i].is_int)))
            return &v->at[i];
    return NULL;
}

/* Has the current event what its type needs? */
static bool is_whole(struct text_reader *r, struct class *c)
{
    const struct ev_desc *d = &ev_descs[c->type];

    for (uint32_t i = 0; i < d->nfields; i++) {
        if (!d->fields[i].needed)
            continue;
        read_values(r);
        if (find_any(&r->values, d->fields[i].names, d->fields[i].kind))
            continue;
        if (!c->noted)
            note_add(r->base.notes, NOTE_WARN, r->base.path,
                     "event " STR_FMT
                     ": field '%s' is missing or of another type, first in line %" PRIu64
                     "; such events are not analysed (a kernel of another version?)",
                     STR_ARG(strtab_get(&r->names, r->class_no)), d->fields[i].names, r->line);
        c->noted = true;
        return false;
    }
    return true;
}

static void at_end(struct text_reader *r)
{
    if (r->noted)
        return;
    r->noted = true;
    if (r->backwards)
        note_add(r->base.notes, NOTE_WARN, r->base.path,
                 "the clock runs backwards: %" PRIu64
                 " events have a time before that of the event before them; durations across "
                 "them are wrong",
                 r->backwards);
    if (r->is_raw_time)
        note_add(r->base.notes, NOTE_WARN, r->base.path,
                 "the clock does not count seconds (counter, x86-tsc, uptime): durations are in "
                 "its own unit; `echo mono > trace_clock` before recording gives seconds");
}

/* The next line that is an event or tells of lost ones. */
static enum ftrace_line_kind next_of(struct text_reader *r, struct ftrace_line *ret)
{
    struct str line;

    while (fmap_line(&r->map, &r->at, &line)) {
        r->line++;
        if (line.n > LIMIT_LINE_BYTES) {
            bad_line(r, "it is too long");
            continue;
        }
        enum ftrace_line_kind kind = ftrace_line_parse(line, ret);
        if (kind == FTRACE_LINE_BAD)
            bad_line(r, "not of the form 'comm-tid [cpu] flags time: event: fields'");
        else if (kind != FTRACE_LINE_OTHER)
            return kind;
    }
    return FTRACE_LINE_OTHER;
}

static bool text_next(struct reader *base, struct reader_event *ret)
{
    struct text_reader *r = (struct text_reader *)base;
    enum ftrace_line_kind kind;

    r->has_values = false;
    while ((kind = next_of(r, &r->now)) == FTRACE_LINE_LOST) {
        r->lost += r->now.lost;
        r->lost_unknown += r->now.lost == 0;
    }
    if (kind != FTRACE_LINE_EVENT) {
        at_end(r);
        return false;
    }
    r->class_no = class_of(r, &r->now);
    struct class *c = &r->classes.at[r->class_no];
    *ret = (struct reader_event){ .t = r->now.t,
                                  .cpu = r->now.cpu,
                                  .type = c->type,
                                  .name = strtab_get(&r->names, r->class_no),
                                  .class_no = r->class_no };
    if (c->type != EV_OTHER && !is_whole(r, c))
        ret->type = EV_OTHER;
    r->backwards += r->events && ret->t < r->last;
    r->is_raw_time |= r->now.is_raw_time;
    r->last = ret->t;
    r->events++;
    return true;
}

static void rewind_text(struct text_reader *r)
{
    r->at = 0;
    r->line = r->events = r->bad = r->backwards = r->lost = r->lost_unknown = 0;
}

static bool text_seek(struct reader *base, ns_t t, struct reader_event *ret)
{
    rewind_text((struct text_reader *)base);
    while (text_next(base, ret))
        if (ret->t >= t)
            return true;
    return false;
}

/* --- values ------------------------------------------------------------------------- */

static struct str comm_of(const struct ftrace_line *line)
{
    return str_is(line->comm, "<...>") ? STR("") : line->comm; /* the kernel did not know it */
}

static void text_fill(struct reader *base, struct ev_head *head, void *out)
{
    struct text_reader *r = (struct text_reader *)base;
    const struct ev_desc *d = &ev_descs[r->classes.at[r->class_no].type];

    *head = (struct ev_head){ .t = r->now.t,
                              .cpu = r->now.cpu,
                              .pid = r->now.pid,
                              .tid = r->now.tid,
                              .procname = comm_of(&r->now),
                              .name = strtab_get(&r->names, r->class_no) };
    memset(out, 0, d->size);
    read_values(r);
    for (uint32_t i = 0; i < d->nfields; i++) {
        const struct ftrace_value *v = find_any(&r->values, d->fields[i].names, d->fields[i].kind);
        char *to = (char *)out + d->fields[i].offset;

        if (!v)
            continue;
        if (d->fields[i].kind == EV_STR)
            memcpy(to, &v->text, sizeof v->text);
        else
            memcpy(to, &v->n, sizeof v->n);
    }
}

static void visit_int(const struct value_sink *sink, struct str name, int64_t n)
{
    struct value v = { .kind = VALUE_I64, .base = 10, .i64 = n };

    sink->scalar(sink->ctx, name, &v);
}

static void text_visit(struct reader *base, enum reader_scope scope, const struct value_sink *sink)
{
    struct text_reader *r = (struct text_reader *)base;

    if (scope == READER_CONTEXT) {
        if (r->now.pid >= 0)
            visit_int(sink, STR("pid"), r->now.pid);
        visit_int(sink, STR("tid"), r->now.tid);
        if (comm_of(&r->now).n)
            sink->text(sink->ctx, STR("procname"), comm_of(&r->now));
        return;
    }
    read_values(r);
    for (uint32_t i = 0; i < r->values.n; i++) {
        const struct ftrace_value *v = &r->values.at[i];

        if (v->is_int)
            visit_int(sink, v->name, v->n);
        else
            sink->text(sink->ctx, v->name, v->text);
    }
}

/* --- the whole ---------------------------------------------------------------------- */

static void text_totals(const struct reader *base, struct reader_totals *ret)
{
    const struct text_reader *r = (const struct text_reader *)base;

    *ret = (struct reader_totals){ .events = r->events,
                                   .discarded = r->lost > r->overrun ? r->lost : r->overrun,
                                   .lost_packets = r->lost_unknown,
                                   .bad_packets = r->bad,
                                   .backwards = r->backwards,
                                   .bytes = r->map.n,
                                   .streams = 1 };
}

/* The last time of each CPU, and the losses that its next event ends. */
struct cpu_losses {
    VEC(struct reader_loss) list;
    struct map64 last; /* CPU -> position in 'times' */
    struct map64 open; /* CPU -> position in 'list'  */
    VEC(ns_t) times;
};

static void add_loss(struct cpu_losses *all, const char *path, const struct ftrace_line *line)
{
    struct reader_loss loss = { path, line->cpu, NS_MIN, NS_MAX, line->lost, line->lost == 0 };
    uint32_t at;

    if (map64_get(&all->last, line->cpu, &at))
        loss.t0 = all->times.at[at];
    map64_set(&all->open, line->cpu, (uint32_t)all->list.n);
    *vec_push(&all->list) = loss;
}

static void end_loss(struct cpu_losses *all, const struct ftrace_line *line)
{
    uint32_t at;

    if (map64_get(&all->open, line->cpu, &at)) {
        all->list.at[at].t1 = line->t;
        map64_del(&all->open, line->cpu);
    }
    if (!map64_get(&all->last, line->cpu, &at)) {
        at = (uint32_t)all->times.n;
        map64_set(&all->last, line->cpu, at);
        *vec_push(&all->times) = line->t;
    }
    all->times.at[at] = line->t;
}

/* All lines are gone through, if any tells of a loss. */
static void text_losses(const struct reader *base,
                        void (*fn)(void *ctx, const struct reader_loss *loss), void *ctx)
{
    const struct text_reader *r = (const struct text_reader *)base;
    struct str all_text = { (const char *)r->map.p, r->map.n }, line;
    struct cpu_losses all = { 0 };
    struct ftrace_line parsed;
    size_t at = 0;

    if (r->overrun)
        fn(ctx, &(struct reader_loss){ base->path, UINT32_MAX, NS_MIN, NS_MAX, r->overrun, 0 });
    if (r->map.n == 0 || str_find(all_text, STR("\nCPU:"), 0) == STR_NONE)
        return;
    while (fmap_line(&r->map, &at, &line)) {
        enum ftrace_line_kind kind =
            line.n > LIMIT_LINE_BYTES ? FTRACE_LINE_BAD : ftrace_line_parse(line, &parsed);

        if (kind == FTRACE_LINE_LOST)
            add_loss(&all, base->path, &parsed);
        else if (kind == FTRACE_LINE_EVENT)
            end_loss(&all, &parsed);
    }
    for (size_t i = 0; i < all.list.n; i++)
        fn(ctx, &all.list.at[i]);
    vec_free(&all.list);
    vec_free(&all.times);
    map64_free(&all.last);
    map64_free(&all.open);
}

static void text_close(struct reader *base)
{
    struct text_reader *r = (struct text_reader *)base;

    fmap_close(&r->map);
    strtab_free(&r->names);
    vec_free(&r->classes);
    sbuf_free(&r->name);
    arena_free(&base->mem);
    free(r);
}

static void add_property(struct reader *b, const char *key, struct str value)
{
    if (value.n)
        b->properties[b->nproperties++] =
            (struct reader_property){ str_of(key), str_dup(&b->mem, str_trim(value)) };
}

/* The text does not tell its clock; who keeps tracefs's file trace_clock ("local [mono] boot")
 * beside it does. */
static struct str clock_beside(struct reader *b)
{
    struct str path = str_of(b->path), clock = STR("");
    size_t slash = str_rchr(path, '/');
    char text[256];
    FILE *file = fopen(arena_printf(&b->mem, STR_FMT "trace_clock",
                                    STR_ARG(str_first(path, slash == STR_NONE ? 0 : slash + 1))),
                       "re");

    if (!file)
        return clock;
    struct str all = { text, fread(text, 1, sizeof text, file) };
    fclose(file);
    str_between(all, STR("["), STR("]"), &clock);
    return str_dup(&b->mem, clock);
}

/* "284998/284998   #P:2": in the buffer, written, number of CPUs. */
static void read_entries(struct text_reader *r, struct str s)
{
    size_t blank = str_chr(s, ' ', 0), cpus = str_find(s, STR("#P:"), 0);
    struct str entries = blank == STR_NONE ? s : str_first(s, blank);
    size_t slash = str_chr(entries, '/', 0);
    uint64_t kept, written;

    add_property(&r->base, "entries", entries);
    if (cpus != STR_NONE)
        add_property(&r->base, "cpus", str_from(s, cpus + 3));
    if (slash != STR_NONE && str_u64(str_first(entries, slash), &kept) &&
        str_u64(str_from(entries, slash + 1), &written) && written > kept && written <= INT64_MAX)
        r->overrun = written - kept;
}

/* The lines with '#' at the beginning. */
static void read_header(struct text_reader *r)
{
    const struct str tracer_is = STR("# tracer:");
    const struct str entries_are = STR("# entries-in-buffer/entries-written:");
    struct str line, tracer = STR("");
    bool has_entries = false;
    size_t at = 0;

    r->base.properties = arena_array(&r->base.mem, struct reader_property, PROPERTIES);
    while (at < HEADER_BYTES && fmap_line(&r->map, &at, &line) && line.n && line.p[0] == '#') {
        if (str_starts(line, tracer_is))
            tracer = str_trim(str_from(line, tracer_is.n));
        if (!has_entries && str_starts(line, entries_are)) {
            read_entries(r, str_trim(str_from(line, entries_are.n)));
            has_entries = true;
        }
    }
    if (str_is(tracer, "nop")) /* events only */
        tracer = STR("");
    add_property(&r->base, "tracer",
                 str_of(arena_printf(&r->base.mem, "ftrace " STR_FMT, STR_ARG(tracer))));
    add_property(&r->base, "clock", clock_beside(&r->base));
}

static struct str clock_of(const struct reader *b)
{
    for (uint32_t i = 0; i < b->nproperties; i++)
        if (str_is(b->properties[i].key, "clock"))
            return b->properties[i].value;
    return STR("");
}

int ftrace_text_open(const char *path, struct notes *notes, struct reader **ret, struct err *err)
{
    static const struct reader_ops ops = { .format = "ftrace text",
                                           .next = text_next,
                                           .seek = text_seek,
                                           .fill = text_fill,
                                           .visit = text_visit,
                                           .totals = text_totals,
                                           .losses = text_losses,
                                           .close = text_close };
    struct text_reader *r = xcalloc(1, sizeof *r);
    struct reader *b = &r->base;
    int rc = fmap_open(path, &r->map, err);

    if (rc < 0) {
        free(r);
        return rc;
    }
    b->ops = &ops;
    b->notes = notes;
    b->path = arena_strdup(&b->mem, path, strlen(path));
    b->domain = STR("kernel");
    read_header(r);
    if (r->overrun)
        note_add(notes, NOTE_WARN, b->path,
                 "%" PRIu64 " events were overwritten before the text was taken: the buffer was "
                 "too small (buffer_size_kb)",
                 r->overrun);
    if (!str_is(clock_of(b), "mono")) /* else: input/experiment.c */
        note_add(notes, NOTE_INFO, b->path,
                 "times are of a clock that does not count from 1970: they can't be compared with "
                 "times of day");
    *ret = b;
    return 0;
}
