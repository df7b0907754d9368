/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_qemu.c -- any bytes as a log of QEMU, as its binary, or as a log of QMP.
 *
 * The file is read from its first to its last event with all values, again, and from its middle:
 * all must find the same events, in the order of time. */
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
    (void)ctx;
    (void)name;
    (void)is_struct;
    abort(); /* fields of QEMU are flat */
}

static void on_close(void *ctx, bool is_struct)
{
    on_open(ctx, STR(""), is_struct);
}

static void on_scalar(void *ctx, struct str name, const struct value *v)
{
    *(uint64_t *)ctx = *(uint64_t *)ctx * 31 + v->u64;
    touch(name);
}

static void on_text(void *ctx, struct str name, struct str s)
{
    *(uint64_t *)ctx = hash_bytes(s.p, s.n, *(uint64_t *)ctx);
    touch(name);
}

static void on_loss(void *ctx, const struct reader_loss *loss)
{
    *(uint64_t *)ctx += loss->events;
}

/* A number made of all that an event has. */
static uint64_t touch_event(struct reader *r, const struct reader_event *ev)
{
    uint64_t hash = (uint64_t)ev->t;
    const struct value_sink sink = { &hash, on_open, on_close, on_scalar, on_text };
    _Alignas(16) char filled[EV_MAX_BYTES];
    struct ev_head head;

    hash = hash_bytes(ev->name.p, ev->name.n, hash);
    if (ev->class_no >= r->nclasses)
        abort();
    if (ev->type != EV_OTHER) {
        r->ops->fill(r, &head, filled);
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
    return hash;
}

struct pass {
    uint64_t events, hash;
    ns_t middle;
};

/* All events from the current one, 'ev', on. */
static struct pass read_all(struct reader *r, struct reader_event *ev, bool more, uint64_t half)
{
    struct pass p = { 0 };
    ns_t last = NS_MIN;

    for (; more; more = r->ops->next(r, ev)) {
        if (ev->t < last)
            abort();
        last = ev->t;
        p.hash = p.hash * 31 + touch_event(r, ev);
        if (p.events++ == half)
            p.middle = ev->t;
    }
    return p;
}

static void check(const char *path, struct notes *notes)
{
    struct reader_totals totals;
    struct reader_event ev;
    struct reader *r;
    struct err err;
    uint64_t lost = 0;

    if (!reader_is_qemu(path) || reader_open_qemu(path, notes, &r, &err) < 0)
        return;
    struct pass all = read_all(r, &ev, r->ops->next(r, &ev), UINT64_MAX);
    r->ops->totals(r, &totals);
    r->ops->losses(r, on_loss, &lost);
    if (totals.events != all.events || totals.discarded != lost)
        abort();
    struct pass again = read_all(r, &ev, r->ops->seek(r, NS_MIN, &ev), all.events / 2);
    if (again.events != all.events || again.hash != all.hash)
        abort();
    uint64_t before = 0, rest = 0;
    for (bool more = r->ops->seek(r, NS_MIN, &ev); more && ev.t < again.middle;
         more = r->ops->next(r, &ev))
        before++;
    if (all.events)
        rest = read_all(r, &ev, r->ops->seek(r, again.middle, &ev), 0).events;
    if (before + rest != all.events)
        abort();
    r->ops->close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    return fuzz_one_file(data, n, check);
}
