/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu.c -- see qemu.h; opens what reader.h says of QEMU. */
#include "input/qemu.h"

#include "base/limits.h"

#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD_BYTES = 64 << 10, PROPERTIES = 2 };

uint32_t qemu_class_of(struct qemu_reader *r, struct str domain, struct str name)
{
    sbuf_clear(&r->name);
    sbuf_str(&r->name, domain);
    sbuf_str(&r->name, name);
    uint32_t id = strtab_id(&r->names, sbuf_view(&r->name));

    while (r->classes.n <= id) {
        struct str all = strtab_get(&r->names, (uint32_t)r->classes.n);

        *vec_push(&r->classes) = (struct qemu_class){
            .type = ev_find(all),
            .forms = qemu_forms_of(str_from(all, domain.n)),
        };
    }
    r->base.nclasses = (uint32_t)r->classes.n;
    return id;
}

void qemu_bad(struct qemu_reader *r, const char *where, uint64_t number, const char *why)
{
    if (!r->opening)
        return;
    if (r->bad++ == 0)
        note_add(r->base.notes, NOTE_LOST, r->base.path,
                 "parts that can't be read are left out, the first at %s %" PRIu64 ": %s", where,
                 number, why);
}

bool qemu_next_line(const struct qemu_reader *r, struct qemu_cursor *c, struct str *ret)
{
    if (!fmap_line(&r->map, &c->at, ret))
        return false;
    c->line++;
    if (ret->n && ret->p[ret->n - 1] == '\r')
        ret->n--;
    return true;
}

/* --- order ------------------------------------------------------------------------------- */

static void restart(struct qemu_reader *r)
{
    r->cursor = (struct qemu_cursor){ .at = r->format->begin, .last = NS_MIN };
    map64_free(&r->ids);
    r->most = NS_MIN;
    r->late_at = 0;
    r->has_main = r->has_values = false;
    r->events = 0;
}

/* The next one in the order of the file that does not stand too late. */
static bool next_main(struct qemu_reader *r)
{
    while (r->format->scan(r, &r->cursor, &r->main))
        if (r->main.t >= r->most) {
            r->most = r->main.t;
            return true;
        }
    return false;
}

static int by_time(const void *a, const void *b)
{
    const struct qemu_item *x = a, *y = b;

    return x->t != y->t ? (x->t > y->t) - (x->t < y->t) : (x->at > y->at) - (x->at < y->at);
}

/* The last time of each clock. */
struct clocks {
    struct map64 at; /* clock -> position in 'last' */
    VEC(ns_t) last;
};

/* Does the clock of 'item' run backwards here? */
static bool runs_back(struct clocks *all, const struct qemu_item *item)
{
    uint32_t at;
    bool back = false;

    if (item->clock < 0)
        return false;
    if (map64_get(&all->at, (uint64_t)item->clock, &at)) {
        back = item->t < all->last.at[at];
        all->last.at[at] = item->t;
    } else {
        map64_set(&all->at, (uint64_t)item->clock, (uint32_t)all->last.n);
        *vec_push(&all->last) = item->t;
    }
    return back;
}

/* Goes through all once: counts, notes, finds what stands too late. */
static void go_through(struct qemu_reader *r)
{
    struct clocks clocks = { 0 };
    struct qemu_item item;

    restart(r);
    r->opening = true;
    while (r->format->scan(r, &r->cursor, &item)) {
        r->first = r->all == 0 || item.t < r->first ? item.t : r->first;
        r->end = r->all == 0 || item.t > r->end ? item.t : r->end;
        r->all++;
        r->backwards += runs_back(&clocks, &item);
        if (item.t < r->most)
            *vec_push(&r->late) = item;
        else
            r->most = item.t;
    }
    if (r->late.n)
        qsort(r->late.at, r->late.n, sizeof *r->late.at, by_time);
    map64_free(&clocks.at);
    vec_free(&clocks.last);
    r->opening = false;
    restart(r);
}

/* --- events ------------------------------------------------------------------------------ */

static void read_values(struct qemu_reader *r)
{
    if (!r->has_values) {
        r->values.n = 0;
        r->format->values(r, &r->now);
    }
    r->has_values = true;
}

static const struct qemu_value *find_any(const struct qemu_values *v, const struct ev_field *f)
{
    for (uint32_t i = 0; i < v->n; i++)
        if ((v->at[i].kind == QEMU_TEXT ? f->kind == EV_STR : f->kind == EV_I64) &&
            ev_name_is(f->names, v->at[i].name))
            return &v->at[i];
    return NULL;
}

/* Has the current event what its type needs? */
static bool is_whole(struct qemu_reader *r, struct qemu_class *c)
{
    const struct ev_desc *d = &ev_descs[c->type];

    for (uint32_t i = 0; i < d->nfields; i++) {
        if (!d->fields[i].needed)
            continue;
        read_values(r);
        if (find_any(&r->values, &d->fields[i]))
            continue;
        if (!c->noted)
            note_add(r->base.notes, NOTE_WARN, r->base.path,
                     "event " STR_FMT ": field '%s' is missing or of another type; such events are "
                     "not analysed (cut short, or a QEMU of another version?)",
                     STR_ARG(strtab_get(&r->names, r->now.class_no)), d->fields[i].names);
        c->noted = true;
        return false;
    }
    return true;
}

static void at_end(struct qemu_reader *r)
{
    if (r->backwards && !r->noted)
        note_add(r->base.notes, NOTE_WARN, r->base.path,
                 "the clock runs backwards: %" PRIu64
                 " events have a time before that of the event before them; durations across "
                 "them are wrong",
                 r->backwards);
    r->noted = true;
}

static bool qemu_next(struct reader *base, struct reader_event *ret)
{
    struct qemu_reader *r = (struct qemu_reader *)base;
    const struct qemu_item *late = r->late_at < r->late.n ? &r->late.at[r->late_at] : NULL;

    r->has_values = false;
    if (!r->has_main)
        r->has_main = next_main(r);
    if (late && (!r->has_main || late->t < r->main.t)) {
        r->now = *late;
        r->late_at++;
    } else if (r->has_main) {
        r->now = r->main;
        r->has_main = false;
    } else {
        at_end(r);
        return false;
    }
    struct qemu_class *c = &r->classes.at[r->now.class_no];
    *ret = (struct reader_event){ .t = r->now.t,
                                  .cpu = UINT32_MAX,
                                  .type = c->type,
                                  .name = strtab_get(&r->names, r->now.class_no),
                                  .class_no = r->now.class_no };
    if (c->type != EV_OTHER && !is_whole(r, c))
        ret->type = EV_OTHER;
    r->events++;
    return true;
}

static bool qemu_seek(struct reader *base, ns_t t, struct reader_event *ret)
{
    restart((struct qemu_reader *)base);
    while (qemu_next(base, ret))
        if (ret->t >= t)
            return true;
    return false;
}

static void qemu_fill(struct reader *base, struct ev_head *head, void *out)
{
    struct qemu_reader *r = (struct qemu_reader *)base;
    const struct ev_desc *d = &ev_descs[r->classes.at[r->now.class_no].type];

    *head = (struct ev_head){ .t = r->now.t,
                              .cpu = UINT32_MAX,
                              .pid = r->now.pid,
                              .tid = r->now.tid,
                              .procname = STR(""),
                              .name = strtab_get(&r->names, r->now.class_no) };
    memset(out, 0, d->size);
    read_values(r);
    for (uint32_t i = 0; i < d->nfields; i++) {
        const struct qemu_value *v = find_any(&r->values, &d->fields[i]);
        char *to = (char *)out + d->fields[i].offset;

        if (v && v->kind == QEMU_TEXT)
            memcpy(to, &v->text, sizeof v->text);
        else if (v)
            memcpy(to, &v->n, sizeof v->n);
    }
}

static void visit_int(const struct value_sink *sink, struct str name, int64_t n)
{
    sink->scalar(sink->ctx, name, &(struct value){ .kind = VALUE_I64, .base = 10, .i64 = n });
}

static void visit_value(const struct value_sink *sink, const struct qemu_value *v)
{
    struct value real = { .kind = VALUE_F64, .base = 10, .f64 = v->real };
    struct value hex = { .kind = VALUE_U64, .base = 16, .u64 = (uint64_t)v->n };

    switch (v->kind) {
    case QEMU_INT: visit_int(sink, v->name, v->n); break;
    case QEMU_HEX: sink->scalar(sink->ctx, v->name, &hex); break;
    case QEMU_REAL: sink->scalar(sink->ctx, v->name, &real); break;
    case QEMU_TEXT: sink->text(sink->ctx, v->name, v->text); break;
    }
}

static void qemu_visit(struct reader *base, enum reader_scope scope, const struct value_sink *sink)
{
    struct qemu_reader *r = (struct qemu_reader *)base;

    if (scope == READER_CONTEXT) {
        if (r->now.pid >= 0)
            visit_int(sink, STR("pid"), r->now.pid);
        if (r->now.tid >= 0)
            visit_int(sink, STR("tid"), r->now.tid);
        return;
    }
    read_values(r);
    for (uint32_t i = 0; i < r->values.n; i++)
        visit_value(sink, &r->values.at[i]);
}

/* --- the whole --------------------------------------------------------------------------- */

static void qemu_totals(const struct reader *base, struct reader_totals *ret)
{
    const struct qemu_reader *r = (const struct qemu_reader *)base;

    *ret = (struct reader_totals){ .events = r->events,
                                   .discarded = r->discarded,
                                   .bad_packets = r->bad,
                                   .backwards = r->backwards,
                                   .bytes = r->map.n,
                                   .streams = 1 };
}

static bool qemu_reach(const struct reader *base, struct span *ret)
{
    const struct qemu_reader *r = (const struct qemu_reader *)base;

    if (r->all)
        *ret = (struct span){ r->first, time_add(r->end, 1) };
    return r->all > 0;
}

static void qemu_losses(const struct reader *base,
                        void (*fn)(void *ctx, const struct reader_loss *loss), void *ctx)
{
    const struct qemu_reader *r = (const struct qemu_reader *)base;

    for (size_t i = 0; i < r->losses.n; i++)
        fn(ctx, &r->losses.at[i]);
}

static void qemu_close(struct reader *base)
{
    struct qemu_reader *r = (struct qemu_reader *)base;

    json_decref(r->json);
    fmap_close(&r->map);
    strtab_free(&r->names);
    strtab_free(&r->fields);
    vec_free(&r->classes);
    map64_free(&r->ids);
    sbuf_free(&r->name);
    vec_free(&r->losses);
    vec_free(&r->late);
    arena_free(&base->mem);
    free(r);
}

/* One table of functions for three formats: only the name differs. */
#define OPS(name)                                                                               \
    {                                                                                           \
        .format = (name), .next = qemu_next, .seek = qemu_seek, .fill = qemu_fill,              \
        .visit = qemu_visit, .totals = qemu_totals, .reach = qemu_reach, .losses = qemu_losses, \
        .close = qemu_close                                                                     \
    }

static const struct {
    const struct qemu_format *format;
    struct reader_ops ops;
} kinds[] = {
    { &qemu_simple_format, OPS("QEMU simple") },
    { &qemu_log_format, OPS("QEMU log") },
    { &qmp_format, OPS("QMP log") },
};

enum { KIND_SIMPLE, KIND_LOG, KIND_QMP, KIND_TIMELESS, KIND_NONE };

static int kind_of(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), kind = KIND_NONE;
    char *buf = xmalloc(HEAD_BYTES);
    struct stat st;
    ssize_t n = 0;

    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) /* a pipe would be emptied */
        n = read(fd, buf, HEAD_BYTES);
    if (fd >= 0)
        close(fd);
    struct str head = { buf, n > 0 ? (size_t)n : 0 };
    if (qemu_simple_is(head))
        kind = KIND_SIMPLE;
    else if (qemu_log_is(head))
        kind = KIND_LOG;
    else if (qmp_log_is(head))
        kind = KIND_QMP;
    else if (qemu_log_is_timeless(head))
        kind = KIND_TIMELESS;
    free(buf);
    return kind;
}

bool reader_is_qemu(const char *path)
{
    return kind_of(path) != KIND_NONE;
}

static void add_properties(struct qemu_reader *r)
{
    struct reader *b = &r->base;

    b->properties = arena_array(&b->mem, struct reader_property, PROPERTIES);
    b->properties[b->nproperties++] =
        (struct reader_property){ STR("tracer"), str_of(r->format->tracer) };
    b->properties[b->nproperties++] =
        (struct reader_property){ STR("clock"), str_of(r->format->clock) };
}

int reader_open_qemu(const char *path, struct notes *notes, struct reader **ret, struct err *err)
{
    int kind = kind_of(path), rc;

    if (kind == KIND_TIMELESS)
        return err_set(err, E_ARG,
                       "%s: is a log of QEMU's trace events without times, which can't be placed: "
                       "start QEMU with `-msg timestamp=on`, or a QEMU that was built with "
                       "--enable-trace-backends=ust",
                       path);
    if (kind >= KIND_TIMELESS)
        return err_set(err, E_ARG, "%s: is not of QEMU", path);
    struct qemu_reader *r = xcalloc(1, sizeof *r);
    rc = fmap_open(path, &r->map, err);
    if (rc == 0 && kind == KIND_SIMPLE && (rc = qemu_simple_check(r, err)) < 0) {
        fmap_close(&r->map);
        err_in(err, "%s", path);
    }
    if (rc < 0) {
        free(r);
        return rc;
    }
    r->base.ops = &kinds[kind].ops;
    r->base.notes = notes;
    r->base.path = arena_strdup(&r->base.mem, path, strlen(path));
    r->base.domain = STR("qemu");
    r->format = kinds[kind].format;
    add_properties(r);
    go_through(r);
    if (r->other)
        note_add(notes, NOTE_INFO, r->base.path,
                 "%" PRIu64 " lines are no trace events (messages, output of the guest): left out",
                 r->other);
    if (kind == KIND_QMP)
        r->base.tells_zero = qmp_zero(r, &r->base.clock_zero);
    *ret = &r->base;
    return 0;
}
