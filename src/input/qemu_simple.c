/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_simple.c -- the binary of QEMU's trace backend `simple` (trace-PID), version 4:
 *
 *   header   u64 0xffffffffffffffff, u64 magic, u64 version
 *   mapping  u64 0, u64 event, u32 length, name          for every event of that QEMU, first
 *   event    u64 1, u64 event, u64 ns, u32 length, u32 process, fields
 *
 * in the machine's order of bytes; an event's length is that from its number on.  Fields have
 * neither names nor types: qemu_forms.h has those of the events that we know, of others the bytes
 * are shown.  Times are CLOCK_MONOTONIC.  An event of a number of its own tells how many were
 * dropped since the one before it. */
#include "input/qemu.h"

#include <inttypes.h>

#define MAGIC UINT64_C(0xf2b177cb0aa429b4)
#define DROPPED (UINT64_MAX - 1)

enum {
    VERSION = 4,
    HEADER_BYTES = 24,
    MAPPING_BYTES = 20, /* without the name                  */
    EVENT_BYTES = 32,   /* without fields; the first 8 are not in its length */
    RECORD_BYTES = 24,
    NAME_MAX_BYTES = 256,
    EVENT_MAX_BYTES = 1 << 18, /* QEMU's whole buffer              */
    SHOWN_MAX_BYTES = 64,
};

enum record { RECORD_MAPPING, RECORD_EVENT };

static uint64_t word(const struct qemu_reader *r, size_t at)
{
    uint64_t v;

    memcpy(&v, r->map.p + at, sizeof v);
    return r->swap ? __builtin_bswap64(v) : v;
}

static uint32_t half(const struct qemu_reader *r, size_t at)
{
    uint32_t v;

    memcpy(&v, r->map.p + at, sizeof v);
    return r->swap ? __builtin_bswap32(v) : v;
}

bool qemu_simple_is(struct str head)
{
    uint64_t w[2];

    if (head.n < HEADER_BYTES)
        return false;
    memcpy(w, head.p, sizeof w);
    return w[0] == UINT64_MAX && (w[1] == MAGIC || w[1] == __builtin_bswap64(MAGIC));
}

int qemu_simple_check(struct qemu_reader *r, struct err *err)
{
    if (r->map.n < HEADER_BYTES)
        return err_set(err, E_CORRUPT, "ends in its header");
    r->swap = word(r, sizeof(uint64_t)) != MAGIC;
    uint64_t version = word(r, 2 * sizeof(uint64_t));
    if (version < VERSION)
        return err_set(err, E_UNSUP,
                       "is a trace of QEMU's backend `simple` of version %" PRIu64
                       ": its events have numbers instead of names, which only the file "
                       "trace-events-all of that QEMU explains: record with QEMU 2.9 or later, "
                       "or with the backend `log`",
                       version);
    if (version > VERSION)
        return err_set(err, E_UNSUP,
                       "is a trace of QEMU's backend `simple` of version %" PRIu64
                       ", which is not known; %d is",
                       version, VERSION);
    return 0;
}

/* --- records ----------------------------------------------------------------------------- */

static bool is_name(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] >= 0x7f)
            return false;
    return n > 0;
}

/* How many bytes the record at 'at' has; 0: there is none. */
static size_t record_bytes(const struct qemu_reader *r, size_t at)
{
    size_t left = r->map.n - at;

    if (left < MAPPING_BYTES)
        return 0;
    if (word(r, at) == RECORD_MAPPING) {
        size_t n = half(r, at + 16);

        return n <= NAME_MAX_BYTES && n <= left - MAPPING_BYTES &&
                       is_name(r->map.p + at + MAPPING_BYTES, n)
                   ? MAPPING_BYTES + n
                   : 0;
    }
    if (word(r, at) != RECORD_EVENT || left < EVENT_BYTES)
        return 0;
    uint64_t event = word(r, at + 8);
    size_t n = half(r, at + 24);
    uint32_t class_no;

    return n >= RECORD_BYTES && n <= EVENT_MAX_BYTES && n <= left - 8 &&
                   word(r, at + 16) <= INT64_MAX &&
                   (event == DROPPED || map64_get(&r->ids, event, &class_no))
               ? 8 + n
               : 0;
}

static void add_loss(struct qemu_reader *r, size_t at, size_t n, ns_t since)
{
    ns_t t = (ns_t)word(r, at + 16);
    uint64_t dropped = n >= EVENT_BYTES + 8 ? word(r, at + EVENT_BYTES) : 0;

    if (!r->opening || dropped > INT64_MAX)
        return;
    r->discarded += dropped;
    *vec_push(&r->losses) = (struct reader_loss){ r->base.path, UINT32_MAX, since, t, dropped, 0 };
}

/* Goes on at the next record behind something that is none. */
static void skip_bad(struct qemu_reader *r, struct qemu_cursor *c)
{
    size_t at = c->at;

    while (++c->at < r->map.n && record_bytes(r, c->at) == 0)
        ;
    qemu_bad(r, "byte", at,
             c->at < r->map.n ? "it is no record" : "what follows is no record: cut short?");
}

static bool simple_scan(struct qemu_reader *r, struct qemu_cursor *c, struct qemu_item *ret)
{
    while (c->at < r->map.n) {
        size_t at = c->at, n = record_bytes(r, at);

        if (n == 0) {
            skip_bad(r, c);
            continue;
        }
        c->at += n;
        if (word(r, at) == RECORD_MAPPING) {
            struct str name = { (const char *)r->map.p + at + MAPPING_BYTES, n - MAPPING_BYTES };

            map64_set(&r->ids, word(r, at + 8), qemu_class_of(r, STR("qemu:"), name));
        } else if (word(r, at + 8) == DROPPED) {
            add_loss(r, at, n, c->last);
        } else {
            uint32_t pid = half(r, at + 28); /* 0: not known yet, at the beginning */

            *ret = (struct qemu_item){ .t = (ns_t)word(r, at + 16),
                                       .at = at + EVENT_BYTES,
                                       .n = n - EVENT_BYTES,
                                       .pid = pid ? (int64_t)pid : -1,
                                       .tid = -1,
                                       .clock = -1 };
            map64_get(&r->ids, word(r, at + 8), &ret->class_no);
            c->last = ret->t;
            return true;
        }
    }
    return false;
}

/* Of an event that we don't know: its first bytes, as numbers of base 16. */
static void show_bytes(struct qemu_reader *r, struct str bytes)
{
    sbuf_clear(&r->name);
    for (size_t i = 0; i < bytes.n && i < SHOWN_MAX_BYTES; i++)
        sbuf_fmt(&r->name, "%s%02x", i && i % 8 == 0 ? " " : "", (uint8_t)bytes.p[i]);
    qemu_add_text(&r->values, STR("bytes"), sbuf_view(&r->name));
}

static void simple_values(struct qemu_reader *r, const struct qemu_item *item)
{
    struct str bytes = { (const char *)r->map.p + item->at, item->n };

    if (!qemu_forms_args(r->classes.at[item->class_no].forms, bytes, r->swap, &r->values) &&
        bytes.n)
        show_bytes(r, bytes);
}

const struct qemu_format qemu_simple_format = { .tracer = "QEMU simple",
                                                .clock = "mono",
                                                .begin = HEADER_BYTES,
                                                .scan = simple_scan,
                                                .values = simple_values };
