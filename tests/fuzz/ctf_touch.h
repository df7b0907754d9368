/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_touch.h -- reads everything of a trace in every way there is, so that a
 * sanitizer sees each load. */
#ifndef TESTS_FUZZ_CTF_TOUCH_H
#define TESTS_FUZZ_CTF_TOUCH_H

#include "ctf/merge.h"
#include "input/reader.h"

struct touched {
    uint64_t events, values;
    uint64_t sum; /* keeps the loads from being optimised away */
};

static void touch_open(void *ctx, struct str name, bool is_struct)
{
    struct touched *t = ctx;

    t->sum += name.n + is_struct;
    t->values++;
}

static void touch_close(void *ctx, bool is_struct)
{
    (void)ctx, (void)is_struct;
}

static void touch_scalar(void *ctx, struct str name, const struct value *v)
{
    struct touched *t = ctx;

    t->sum += v->u64 + name.n;
    t->values++;
}

static void touch_text(void *ctx, struct str name, struct str s)
{
    struct touched *t = ctx;

    for (size_t i = 0; i < s.n; i++)
        t->sum += (unsigned char)s.p[i];
    t->sum += name.n;
    t->values++;
}

static void touch_fields(const struct ctf_event *ev, struct touched *t)
{
    for (uint32_t i = 0; i < ev->cls->nfields; i++) {
        const struct ctf_field *f = &ev->cls->fields[i];

        if (!ctf_has(ev, f))
            continue;
        if (f->kind == FIELD_INT)
            t->sum += ctf_get_u64(ev, f);
        else if (f->kind == FIELD_FLOAT)
            t->sum += ctf_get_f64(ev, f) > 0;
        else if (f->kind == FIELD_STRING || f->kind == FIELD_TEXT)
            touch_text(t, f->name, ctf_get_str(ev, f));
    }
}

static void touch_event(const struct ctf_event *ev, struct touched *t)
{
    const struct value_sink sink = { t, touch_open, touch_close, touch_scalar, touch_text };

    t->events++;
    t->sum += (uint64_t)ev->t + ev->cpu;
    for (int s = SCOPE_COMMON; s <= SCOPE_PAYLOAD; s++)
        ctf_visit(ev, (enum ctf_scope)s, &sink);
    touch_fields(ev, t);
}

/* All events of the trace, then from the middle on. */
static void touch_trace(struct ctf_trace *trace, struct notes *notes, struct touched *t)
{
    const struct ctf_event *ev;
    ns_t first = 0, last = 0;
    struct ctf_merge m;

    ctf_merge_init(&m, trace, notes, 0);
    while ((ev = ctf_merge_next(&m))) {
        first = t->events == 0 ? ev->t : first;
        last = ev->t;
        touch_event(ev, t);
    }
    ctf_merge_seek(&m, first / 2 + last / 2);
    ev = ctf_merge_next(&m);
    for (int i = 0; ev && i < 8; i++) {
        t->sum += (uint64_t)ev->t;
        ev = ctf_merge_next(&m);
    }
    ctf_merge_free(&m);
}

/* The same through the reader that analyses use. */
static inline void touch_reader(const char *dir, struct notes *notes, struct touched *t)
{
    const struct value_sink sink = { t, touch_open, touch_close, touch_scalar, touch_text };
    union {
        char bytes[EV_MAX_BYTES];
        int64_t align;
    } filled;
    struct reader_event ev;
    struct ev_head head;
    struct reader *r;
    struct err err;

    if (reader_open_ctf(dir, notes, &r, &err) < 0)
        return;
    while (r->ops->next(r, &ev)) {
        t->sum += ev.name.n + ev.cpu;
        if (ev.type != EV_OTHER)
            r->ops->fill(r, &head, &filled);
        r->ops->visit(r, READER_CONTEXT, &sink);
    }
    r->ops->close(r);
}

/* Opens the trace in 'dir' and reads it all.  Returns false if it was refused. */
static inline bool touch_dir(const char *dir, struct notes *notes, struct touched *ret)
{
    struct ctf_trace *trace;
    struct err err;

    *ret = (struct touched){ 0 };
    if (ctf_trace_open(dir, &trace, notes, &err) < 0)
        return false;
    touch_trace(trace, notes, ret);
    ctf_trace_close(trace);
    return true;
}

#endif
