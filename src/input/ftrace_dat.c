/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_dat.c -- a trace.dat as a reader.
 *
 * Every layout is bound once to offsets in its events; the rings of all CPUs are
 * merged by time with a heap. */
#include "input/ftrace.h"
#include "input/ftrace_ring.h"
#include "input/reader.h"

#include <stdlib.h>

struct bound {
    const struct ftrace_field *field;
    enum ev_kind kind;
    uint32_t offset; /* of the member */
};

struct binding {
    enum ev_type type;
    struct bound *members;
    uint32_t nmembers;
};

struct dat_reader {
    struct reader base;
    struct ftrace_file file;
    struct binding *bindings; /* by class */
    uint32_t *class_of;       /* by an event's number: class + 1, 0 = unknown */
    const struct ftrace_field *type, *tid;
    struct ftrace_ring *rings;
    uint32_t *heap; /* rings that have an event, the earliest first */
    uint32_t nrings, nheap;
    bool primed;
    uint32_t class_now;
    uint64_t unknown;
};

/* --- binding ------------------------------------------------------------------------ */

static const struct ftrace_field *find_any(const struct ftrace_event *e, const char *names,
                                           enum ev_kind kind)
{
    for (uint32_t i = 0; i < e->nfields; i++) {
        const struct ftrace_field *f = &e->fields[i];
        bool text = f->kind == FTRACE_TEXT || (f->kind == FTRACE_DYNAMIC && f->element == 0);

        if (!f->is_common && ev_name_is(names, f->name))
            return (kind == EV_STR ? text : kind == EV_I64 && f->kind == FTRACE_INT) ? f : NULL;
    }
    return NULL;
}

static void bind_class(struct dat_reader *r, const struct ftrace_event *e, struct binding *b,
                       struct reader_class *info)
{
    info->name = e->name;
    for (uint32_t i = 0; i < e->nfields; i++)
        info->nfields += !e->fields[i].is_common;
    b->type = ev_find(e->name);
    if (b->type == EV_OTHER)
        return;
    const struct ev_desc *d = &ev_descs[b->type];
    b->members = arena_array(&r->base.mem, struct bound, d->nfields);
    for (uint32_t i = 0; i < d->nfields; i++) {
        const struct ftrace_field *f = find_any(e, d->fields[i].names, d->fields[i].kind);

        if (f) {
            b->members[b->nmembers++] = (struct bound){ f, d->fields[i].kind, d->fields[i].offset };
        } else if (d->fields[i].needed) {
            info->missing = d->fields[i].names;
            note_add(r->base.notes, NOTE_WARN, r->base.path,
                     "event " STR_FMT ": field '%s' is missing or of another type; the event is "
                     "not analysed (a kernel of another version?)",
                     STR_ARG(e->name), d->fields[i].names);
            b->type = EV_OTHER;
            return;
        }
    }
}

static const struct ftrace_field *common(const struct ftrace_event *e, const char *name)
{
    for (uint32_t i = 0; i < e->nfields; i++)
        if (str_is(e->fields[i].name, name) && e->fields[i].kind == FTRACE_INT)
            return &e->fields[i];
    return NULL;
}

/* Classes are the file's layouts, and one for events of none. */
static void bind_all(struct dat_reader *r)
{
    const struct ftrace_file *f = &r->file;
    uint32_t n = (uint32_t)f->events.n;

    r->base.nclasses = n + 1;
    r->base.classes = arena_array(&r->base.mem, struct reader_class, n + 1);
    r->base.classes[n].name = STR("unknown");
    r->bindings = arena_array(&r->base.mem, struct binding, n + 1);
    r->bindings[n].type = EV_OTHER;
    r->class_of = arena_array(&r->base.mem, uint32_t, UINT16_MAX + 1);
    for (uint32_t i = 0; i < n; i++) {
        const struct ftrace_event *e = &f->events.at[i];

        bind_class(r, e, &r->bindings[i], &r->base.classes[i]);
        r->class_of[e->id] = i + 1;
        if (!r->type)
            r->type = common(e, "common_type");
        if (!r->tid)
            r->tid = common(e, "common_pid");
    }
}

/* --- order -------------------------------------------------------------------------- */

static bool is_before(const struct dat_reader *r, uint32_t a, uint32_t b)
{
    ns_t ta = r->rings[a].t, tb = r->rings[b].t;

    return ta != tb ? ta < tb : a < b;
}

static void sift_down(struct dat_reader *r, uint32_t i)
{
    uint32_t *h = r->heap, down;

    while ((down = 2 * i + 1) < r->nheap) {
        if (down + 1 < r->nheap && is_before(r, h[down + 1], h[down]))
            down++;
        if (!is_before(r, h[down], h[i]))
            return;
        uint32_t x = h[i];
        h[i] = h[down];
        h[down] = x;
        i = down;
    }
}

static void rewind_all(struct dat_reader *r, ns_t from)
{
    r->primed = false;
    r->unknown = 0;
    for (uint32_t i = 0; i < r->nrings; i++)
        ftrace_ring_rewind(&r->rings[i], from);
}

/* The class of the ring's current event. */
static uint32_t class_of(struct dat_reader *r, const struct ftrace_ring *ring)
{
    int64_t id;

    if (r->type && ftrace_field_int(r->type, &r->file.machine, ring->data, ring->n, &id) &&
        id >= 0 && id <= UINT16_MAX && r->class_of[id])
        return r->class_of[id] - 1;
    if (r->unknown++ == 0)
        note_add(r->base.notes, NOTE_WARN, r->base.path,
                 "has events whose layout it does not tell: they are counted as 'unknown'");
    return r->base.nclasses - 1;
}

static bool dat_next(struct reader *base, struct reader_event *ret)
{
    struct dat_reader *r = (struct dat_reader *)base;

    if (!r->primed) {
        r->primed = true;
        r->nheap = 0;
        for (uint32_t i = 0; i < r->nrings; i++)
            if (ftrace_ring_next(&r->rings[i]))
                r->heap[r->nheap++] = i;
        for (uint32_t i = r->nheap; i-- > 0;)
            sift_down(r, i);
    } else if (r->nheap) {
        if (!ftrace_ring_next(&r->rings[r->heap[0]]))
            r->heap[0] = r->heap[--r->nheap];
        sift_down(r, 0);
    }
    if (r->nheap == 0)
        return false;
    const struct ftrace_ring *ring = &r->rings[r->heap[0]];
    r->class_now = class_of(r, ring);
    *ret = (struct reader_event){ .t = ring->t,
                                  .cpu = ring->source->cpu,
                                  .type = r->bindings[r->class_now].type,
                                  .name = base->classes[r->class_now].name,
                                  .class_no = r->class_now };
    return true;
}

static bool dat_seek(struct reader *base, ns_t t, struct reader_event *ret)
{
    rewind_all((struct dat_reader *)base, t);
    return dat_next(base, ret);
}

/* --- values ------------------------------------------------------------------------- */

static int64_t thread_of(const struct dat_reader *r, const struct ftrace_ring *ring)
{
    int64_t tid;

    return r->tid && ftrace_field_int(r->tid, &r->file.machine, ring->data, ring->n, &tid) ? tid
                                                                                           : -1;
}

static struct str comm_of(const struct dat_reader *r, int64_t tid)
{
    uint32_t id;

    if (tid == 0)
        return STR("<idle>"); /* as ftrace writes it */
    return map64_get(&r->file.comm_of, (uint64_t)tid, &id) ? strtab_get(&r->file.comms, id)
                                                           : STR("");
}

static void dat_fill(struct reader *base, struct ev_head *head, void *out)
{
    struct dat_reader *r = (struct dat_reader *)base;
    const struct ftrace_machine *m = &r->file.machine;
    const struct ftrace_ring *ring = &r->rings[r->heap[0]];
    const struct binding *b = &r->bindings[r->class_now];

    *head = (struct ev_head){ .t = ring->t,
                              .cpu = ring->source->cpu,
                              .pid = -1,
                              .tid = thread_of(r, ring),
                              .name = base->classes[r->class_now].name };
    head->procname = comm_of(r, head->tid);
    memset(out, 0, ev_descs[b->type].size);
    for (uint32_t i = 0; i < b->nmembers; i++) {
        const struct bound *x = &b->members[i];
        char *to = (char *)out + x->offset;
        int64_t n;
        struct str s;

        if (x->kind == EV_STR) {
            if (ftrace_field_text(x->field, m, ring->data, ring->n, &s))
                memcpy(to, &s, sizeof s);
        } else if (ftrace_field_int(x->field, m, ring->data, ring->n, &n)) {
            memcpy(to, &n, sizeof n);
        }
    }
}

static void dat_visit(struct reader *base, enum reader_scope scope, const struct value_sink *sink)
{
    struct dat_reader *r = (struct dat_reader *)base;
    const struct ftrace_ring *ring = &r->rings[r->heap[0]];

    if (scope == READER_CONTEXT) {
        struct value tid = { .kind = VALUE_I64, .base = 10, .i64 = thread_of(r, ring) };
        struct str comm = comm_of(r, tid.i64);

        sink->scalar(sink->ctx, STR("tid"), &tid);
        if (comm.n)
            sink->text(sink->ctx, STR("procname"), comm);
        return;
    }
    if (r->class_now >= r->file.events.n)
        return;
    const struct ftrace_event *e = &r->file.events.at[r->class_now];
    for (uint32_t i = 0; i < e->nfields; i++)
        if (!e->fields[i].is_common)
            ftrace_field_visit(&e->fields[i], &r->file.machine, ring->data, ring->n, sink);
}

/* --- the whole ---------------------------------------------------------------------- */

static void dat_totals(const struct reader *base, struct reader_totals *ret)
{
    const struct dat_reader *r = (const struct dat_reader *)base;

    *ret = (struct reader_totals){ .bytes = r->file.map.n, .streams = r->nrings };
    for (uint32_t i = 0; i < r->nrings; i++) {
        const struct ftrace_ring *ring = &r->rings[i];

        ret->events += ring->events;
        ret->packets += ring->pages_read;
        ret->bad_packets += ring->bad_pages;
        ret->backwards += ring->backwards;
        for (size_t k = 0; k < ring->lost.n; k++) {
            ret->discarded += ring->lost.at[k].events;
            ret->lost_packets += ring->lost.at[k].events == 0;
        }
    }
    /* The kernel's statistics know of those too that no page tells of. */
    if (r->file.overrun > ret->discarded)
        ret->discarded = r->file.overrun;
}

static void dat_count(struct reader *base, unsigned threads, struct reader_counts *ret)
{
    struct dat_reader *r = (struct dat_reader *)base;

    (void)threads;
    rewind_all(r, NS_MIN);
    for (uint32_t i = 0; i < r->nrings; i++) {
        struct ftrace_ring *ring = &r->rings[i];

        while (ftrace_ring_next(ring)) {
            ret->events[class_of(r, ring)]++;
            ret->first = ret->all == 0 || ring->t < ret->first ? ring->t : ret->first;
            ret->last = ret->all == 0 || ring->t > ret->last ? ring->t : ret->last;
            ret->all++;
        }
    }
    r->primed = true; /* at the end */
    r->nheap = 0;
}

/* They stand in the pages: those are gone through, whatever was read of them before. */
static void dat_losses(const struct reader *base,
                       void (*fn)(void *ctx, const struct reader_loss *loss), void *ctx)
{
    const struct dat_reader *r = (const struct dat_reader *)base;
    struct notes notes = { 0 }; /* already noted, or will be, when events are read */
    struct ftrace_file file = r->file;

    file.notes = &notes;
    for (uint32_t i = 0; i < r->nrings; i++) {
        struct ftrace_ring ring;

        ftrace_ring_init(&ring, &file, r->rings[i].source);
        while (ftrace_ring_next(&ring))
            ;
        for (size_t k = 0; k < ring.lost.n; k++) {
            const struct ftrace_lost *x = &ring.lost.at[k];

            fn(ctx, &(struct reader_loss){ base->path, ring.source->cpu, x->t0, x->t1, x->events,
                                           x->events == 0 });
        }
        ftrace_ring_free(&ring);
    }
    notes_free(&notes);
}

static void dat_close(struct reader *base)
{
    struct dat_reader *r = (struct dat_reader *)base;

    for (uint32_t i = 0; i < r->nrings; i++)
        ftrace_ring_free(&r->rings[i]);
    free(r->rings);
    free(r->heap);
    ftrace_file_close(&r->file);
    arena_free(&base->mem);
    free(r);
}

int ftrace_dat_open(const char *path, struct notes *notes, struct reader **ret, struct err *err)
{
    static const struct reader_ops ops = { .format = "trace.dat",
                                           .next = dat_next,
                                           .seek = dat_seek,
                                           .fill = dat_fill,
                                           .visit = dat_visit,
                                           .totals = dat_totals,
                                           .count = dat_count,
                                           .losses = dat_losses,
                                           .close = dat_close };
    struct dat_reader *r = xcalloc(1, sizeof *r);
    struct reader *b = &r->base;

    b->ops = &ops;
    b->notes = notes;
    b->path = arena_strdup(&b->mem, path, strlen(path));
    int rc = ftrace_file_open(b->path, notes, &r->file, err);
    if (rc < 0) {
        arena_free(&b->mem);
        free(r);
        return rc;
    }
    b->host = r->file.host;
    b->domain = STR("kernel");
    b->properties = r->file.properties.at;
    b->nproperties = (uint32_t)r->file.properties.n;
    r->nrings = (uint32_t)r->file.sources.n;
    r->rings = xcalloc(r->nrings + 1, sizeof *r->rings);
    r->heap = xcalloc(r->nrings + 1, sizeof *r->heap);
    for (uint32_t i = 0; i < r->nrings; i++)
        ftrace_ring_init(&r->rings[i], &r->file, &r->file.sources.at[i]);
    bind_all(r);
    *ret = b;
    return 0;
}
