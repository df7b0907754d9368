/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_touch.h -- reads everything of a trace in every way there is, so that a
 * sanitizer sees each load, and compares the ways: event by event with a cursor,
 * in batches with bound fields, merged with and without helper threads, scanned,
 * and from the middle on.  All must have seen the same. */
#ifndef TESTS_FUZZ_CTF_TOUCH_H
#define TESTS_FUZZ_CTF_TOUCH_H

#include "ctf/merge.h"
#include "ctf/scan.h"
#include "input/reader.h"

#include <stdio.h>
#include <stdlib.h>

struct touched {
    uint64_t events, values;
    uint64_t sum; /* keeps the loads from being optimised away */
};

static inline void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "the ways of reading differ: %s\n", what);
    abort();
}

static inline uint64_t touch_mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

static inline uint64_t touch_bytes(uint64_t h, struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        h = touch_mix(h, (unsigned char)s.p[i]);
    return touch_mix(h, s.n);
}

/* --- values ---------------------------------------------------------------------- */

static void touch_open(void *ctx, struct str name, bool is_struct)
{
    uint64_t *h = ctx;

    *h = touch_mix(*h, name.n + is_struct);
}

static void touch_close(void *ctx, bool is_struct)
{
    uint64_t *h = ctx;

    *h = touch_mix(*h, is_struct);
}

static void touch_scalar(void *ctx, struct str name, const struct value *v)
{
    uint64_t *h = ctx;

    *h = touch_bytes(touch_mix(*h, v->u64), v->label);
    *h = touch_mix(*h, name.n);
}

static void touch_text(void *ctx, struct str name, struct str s)
{
    uint64_t *h = ctx;

    *h = touch_mix(touch_bytes(*h, s), name.n);
}

static inline uint64_t touch_array(uint64_t h, const struct ctf_event *ev,
                                   const struct ctf_field *f)
{
    const struct value_sink sink = { &h, touch_open, touch_close, touch_scalar, touch_text };

    ctf_visit_field(ev, f, &sink);
    return h;
}

/* The event as the general way sees it. */
static inline uint64_t touch_event(const struct ctf_event *ev)
{
    uint64_t all = 0, h = touch_mix((uint64_t)ev->t, ev->cls->index);
    const struct value_sink sink = { &all, touch_open, touch_close, touch_scalar, touch_text };

    for (int s = SCOPE_COMMON; s <= SCOPE_PAYLOAD; s++)
        ctf_visit(ev, (enum ctf_scope)s, &sink);
    h = touch_mix(h, ev->cpu);
    for (uint32_t i = 0; i < ev->cls->nfields; i++) {
        const struct ctf_field *f = &ev->cls->fields[i];

        if (!ctf_has(ev, f))
            continue;
        if (f->kind == FIELD_INT || f->kind == FIELD_FLOAT)
            h = touch_mix(h, ctf_get_u64(ev, f));
        else if (f->kind == FIELD_STRING || f->kind == FIELD_TEXT)
            h = touch_bytes(h, ctf_get_str(ev, f));
        else
            h = touch_array(h, ev, f);
    }
    return h;
}

/* The same event as a record with bound fields. */
static inline uint64_t touch_rec(struct ctf_view *v, const struct ctf_rec *r)
{
    const struct ctf_event_class *cls = v->trace->meta.events.at[r->cls];
    uint64_t h = touch_mix(touch_mix((uint64_t)r->t, r->cls), ctf_view_cpu(v, r));

    for (uint32_t i = 0; i < cls->nfields; i++) {
        const struct ctf_field *f = &cls->fields[i];
        struct ctf_bound b = ctf_bind(cls, f);

        if (!ctf_bound_has(v, r, &b))
            continue;
        if (f->kind == FIELD_INT || f->kind == FIELD_FLOAT)
            h = touch_mix(h, ctf_bound_u64(v, r, &b));
        else if (f->kind == FIELD_STRING || f->kind == FIELD_TEXT)
            h = touch_bytes(h, ctf_bound_str(v, r, &b));
        else
            h = touch_array(h, ctf_view_event(v, r), f);
    }
    return h;
}

/* --- passes ----------------------------------------------------------------------- */

/* What a pass has seen. */
struct pass_sum {
    uint64_t events, ordered, unordered;
    uint64_t from;    /* events at or after 'middle' */
    uint64_t outside; /* events after the end of their packet */
    ns_t first, last, middle;
    struct ctf_counts counts;
};

static inline void pass_add(struct pass_sum *p, ns_t t, uint64_t h)
{
    if (p->events++ == 0)
        p->first = t;
    p->last = t;
    p->ordered = touch_mix(p->ordered, h);
    p->unordered += h;
    p->from += t >= p->middle;
}

/* Every stream by a cursor of its own. */
static inline struct pass_sum pass_cursors(struct ctf_trace *t)
{
    struct pass_sum p = { .middle = NS_MAX };

    for (uint32_t i = 0; i < t->streams.n; i++) {
        struct notes notes = { 0 };
        struct ctf_cursor c;

        ctf_cursor_init(&c, t, i, &notes);
        while (ctf_cursor_next(&c))
            pass_add(&p, c.ev.t, touch_event(&c.ev));
        p.counts.events += c.counts.events;
        p.counts.bad_packets += c.counts.bad_packets;
        p.counts.backwards += c.counts.backwards;
        ctf_cursor_free(&c);
        notes_free(&notes);
    }
    return p;
}

static inline bool is_outside(const struct ctf_trace *t, const struct ctf_rec *r)
{
    const struct ctf_stream *s = t->streams.at[r->stream];

    return r->t > ctf_clock_ns(s->cls->clock, s->packets.at[r->packet].reach);
}

static inline struct pass_sum pass_merge(struct ctf_trace *t, struct notes *notes, unsigned helpers,
                                         ns_t middle)
{
    struct pass_sum p = { .middle = middle };
    const struct ctf_rec *r;
    struct ctf_merge m;
    size_t n;

    ctf_merge_init(&m, t, notes, helpers);
    while ((r = ctf_merge_batch(&m, &n)))
        for (size_t i = 0; i < n; i++) {
            pass_add(&p, r[i].t, touch_rec(&m.view, &r[i]));
            p.outside += is_outside(t, &r[i]);
        }
    p.counts = ctf_merge_counts(&m);
    ctf_merge_free(&m);
    return p;
}

/* From 'middle' on, event by event. */
static inline struct pass_sum pass_seek(struct ctf_trace *t, ns_t middle)
{
    struct pass_sum p = { .middle = middle };
    const struct ctf_event *ev;
    struct notes notes = { 0 };
    struct ctf_merge m;

    ctf_merge_init(&m, t, &notes, 0);
    ctf_merge_seek(&m, middle);
    while ((ev = ctf_merge_next(&m)))
        pass_add(&p, ev->t, touch_event(ev));
    ctf_merge_free(&m);
    notes_free(&notes);
    return p;
}

static void scan_some(void *state, struct ctf_view *v, const struct ctf_rec *r, size_t n)
{
    for (size_t i = 0; i < n; i++)
        pass_add(state, r[i].t, touch_rec(v, &r[i]));
}

static inline struct pass_sum pass_scan(struct ctf_trace *t, unsigned threads)
{
    struct pass_sum parts[2] = { { .middle = NS_MAX }, { .middle = NS_MAX } };
    void *const states[2] = { &parts[0], &parts[1] };
    struct notes notes = { 0 };

    parts[0].counts = ctf_scan(t, threads, &notes, scan_some, states);
    parts[0].events += parts[1].events;
    parts[0].unordered += parts[1].unordered;
    notes_free(&notes);
    return parts[0];
}

static inline void must_equal(const struct pass_sum *a, const struct pass_sum *b, const char *what)
{
    must(a->events == b->events && a->unordered == b->unordered, what);
    must(a->counts.events == b->counts.events && a->counts.bad_packets == b->counts.bad_packets &&
             a->counts.backwards == b->counts.backwards,
         what);
}

/* All events of the trace, in every way. */
static inline void touch_trace(struct ctf_trace *t, struct notes *notes, struct touched *ret)
{
    struct pass_sum cursors = pass_cursors(t), merged, helped, scanned;
    ns_t middle = cursors.first / 2 + cursors.last / 2;
    bool threads = cursors.unordered % 8 == 0; /* they take their time to start */

    merged = pass_merge(t, notes, 0, middle);
    must_equal(&cursors, &merged, "cursors and merge");
    scanned = pass_scan(t, threads ? 2 : 1);
    must_equal(&cursors, &scanned, "cursors and scan");
    if (threads) {
        struct notes other = { 0 };

        helped = pass_merge(t, &other, 2, middle);
        must_equal(&merged, &helped, "merge with helpers");
        must(merged.ordered == helped.ordered, "order with helpers");
        notes_free(&other);
    }
    if (merged.counts.backwards == 0 && merged.outside == 0) { /* a seek believes the packets */
        struct pass_sum tail = pass_seek(t, middle);

        must(tail.events == merged.from, "events after a seek");
    }
    ret->events = merged.events;
    ret->sum += merged.ordered;
}

/* The same through the reader that analyses use. */
static inline void touch_reader(const char *dir, struct notes *notes, struct touched *t)
{
    const struct value_sink sink = { &t->sum, touch_open, touch_close, touch_scalar, touch_text };
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
