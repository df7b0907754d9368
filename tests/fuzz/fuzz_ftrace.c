/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_ftrace.c -- any bytes as a trace.dat or as the text of ftrace.
 *
 * The file is read from its first to its last event with all values, counted, and read
 * from its middle: all must find the same events. */
#define _GNU_SOURCE
#include "input/reader.h"
#include "tests/fuzz/fuzz_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static volatile uint64_t sum;

static void touch(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        sum += (unsigned char)s.p[i];
}

static void on_open(void *ctx, struct str name, bool is_struct)
{
    *(int *)ctx += 1;
    touch(name);
    sum += is_struct;
}

static void on_close(void *ctx, bool is_struct)
{
    *(int *)ctx -= 1;
    sum += is_struct;
}

static void on_scalar(void *ctx, struct str name, const struct value *v)
{
    (void)ctx;
    touch(name);
    sum += v->u64;
}

static void on_text(void *ctx, struct str name, struct str s)
{
    (void)ctx;
    touch(name);
    touch(s);
}

static void on_loss(void *ctx, const struct reader_loss *loss)
{
    *(uint64_t *)ctx += 1;
    sum += loss->events + loss->packets;
}

static void touch_event(struct reader *r, const struct reader_event *ev)
{
    int depth = 0;
    const struct value_sink sink = { &depth, on_open, on_close, on_scalar, on_text };
    _Alignas(16) char filled[EV_MAX_BYTES];
    struct ev_head head;

    touch(ev->name);
    if (ev->class_no >= r->nclasses)
        abort();
    if (ev->type != EV_OTHER) {
        r->ops->fill(r, &head, filled);
        touch(head.procname);
        touch(head.name);
        for (uint32_t i = 0; i < ev_descs[ev->type].nfields; i++)
            if (ev_descs[ev->type].fields[i].kind == EV_STR) {
                struct str s;
                memcpy(&s, filled + ev_descs[ev->type].fields[i].offset, sizeof s);
                touch(s);
            }
    }
    r->ops->visit(r, READER_CONTEXT, &sink);
    r->ops->visit(r, READER_FIELDS, &sink);
    if (depth != 0)
        abort();
}

struct pass {
    uint64_t events, from_middle;
    ns_t first, last;
};

static struct pass read_all(struct reader *r, ns_t middle)
{
    struct pass p = { 0 };
    struct reader_event ev;

    while (r->ops->next(r, &ev)) {
        touch_event(r, &ev);
        p.first = p.events == 0 || ev.t < p.first ? ev.t : p.first;
        p.last = p.events == 0 || ev.t > p.last ? ev.t : p.last;
        p.events++;
        p.from_middle += ev.t >= middle;
    }
    return p;
}

static void check_count(struct reader *r, uint64_t events)
{
    struct reader_counts c = { .events = xcalloc(r->nclasses + 1, sizeof(uint64_t)) };

    if (r->ops->count) {
        r->ops->count(r, 1, &c);
        if (c.all != events)
            abort();
    }
    free(c.events);
}

static void check(const char *path, struct notes *notes)
{
    struct reader_totals totals;
    struct reader_event ev;
    struct reader *r;
    struct err err;
    uint64_t losses = 0, rest = 0;

    if (reader_open_ftrace(path, notes, &r, &err) < 0)
        return;
    struct pass all = read_all(r, NS_MAX);
    r->ops->losses(r, on_loss, &losses);
    r->ops->totals(r, &totals);
    if (totals.events != all.events)
        abort();
    check_count(r, all.events);
    if (all.events && totals.backwards == 0) { /* a seek believes the times of pages */
        ns_t middle = all.first / 2 + all.last / 2;
        uint64_t expected = 0;

        if (r->ops->seek(r, NS_MIN + 1, &ev))
            expected = (ev.t >= middle) + read_all(r, middle).from_middle;
        for (bool more = r->ops->seek(r, middle, &ev); more; more = r->ops->next(r, &ev))
            rest++;
        if (rest != expected)
            abort();
    }
    r->ops->close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return fuzz_one_file(data, n, check);
}
