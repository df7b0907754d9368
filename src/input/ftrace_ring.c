/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_ring.c -- see ftrace_ring.h. */
#include "input/ftrace_ring.h"

#include <inttypes.h>
#include <stdlib.h>

/* Of a page's length, and of an event's first word: include/linux/ring_buffer.h. */
enum {
    COMMIT_MASK = (1 << 27) - 1,
    LOST_COUNTED = 1 << 30,
    TYPE_PADDING = 29,
    TYPE_TIME_EXTEND = 30,
    TYPE_TIME_STAMP = 31,
    DELTA_BITS = 27,
    STAMP_BITS = 59,
    CHUNK_MAX = 64 << 20,
};
#define LOST_EVENTS (UINT64_C(1) << 31)

/* The first one is noted with its place, the others are counted. */
static void bad(struct ftrace_ring *r, const char *what)
{
    const struct ftrace_source *s = r->source;

    if (r->bad_pages++ == 0)
        note_add(r->f->notes, NOTE_LOST, r->f->path,
                 "CPU %" PRId64 ": pages are damaged and left out in whole or in part, the first "
                 "behind %" PRIu64 " pages from byte %" PRIu64 " on: %s",
                 s->cpu == UINT32_MAX ? -1 : (int64_t)s->cpu, r->pages_read, s->offset, what);
}

/* Where the chunks of a compressed CPU are.  trace-cmd leaves the word that counts them
 * out of the number of its bytes. */
static void find_chunks(struct ftrace_ring *r)
{
    const struct ftrace_file *f = r->f;
    uint64_t at = r->source->offset, end = at + r->source->bytes + 4;
    end = end < f->map.n ? end : f->map.n;
    uint64_t n = end - at < 4 ? 0 : ftrace_number(&f->machine, f->map.p + at, 4);

    at += 4;
    for (uint64_t i = 0; i < n; i++) {
        if (at > end || end - at < 8) {
            bad(r, "the list of chunks is cut off");
            return;
        }
        struct ftrace_chunk c = { at + 8, (uint32_t)ftrace_number(&f->machine, f->map.p + at, 4),
                                  (uint32_t)ftrace_number(&f->machine, f->map.p + at + 4, 4) };
        if (c.packed > end - at - 8 || c.bytes > CHUNK_MAX) {
            bad(r, "a chunk is longer than its CPU's part of the file, or 64 MB");
            return;
        }
        *vec_push(&r->chunks) = c;
        at += 8 + (uint64_t)c.packed;
    }
}

void ftrace_ring_init(struct ftrace_ring *r, const struct ftrace_file *f,
                      const struct ftrace_source *source)
{
    *r = (struct ftrace_ring){ .f = f, .source = source, .from = NS_MIN };
    if (source->is_packed)
        find_chunks(r);
}

void ftrace_ring_free(struct ftrace_ring *r)
{
    vec_free(&r->chunks);
    vec_free(&r->lost);
    free(r->unpacked);
}

void ftrace_ring_rewind(struct ftrace_ring *r, ns_t from)
{
    r->lost.n = 0;
    r->pages = r->page = NULL;
    r->bytes = r->next = r->chunk = 0;
    r->at = r->end = 0;
    r->events = r->pages_read = r->bad_pages = r->backwards = 0;
    r->has_time = false;
    r->from = from;
}

/* The file's time as ns of its clock. */
static ns_t time_of(const struct ftrace_file *f, uint64_t stamp)
{
    unsigned __int128 x = stamp;
    ns_t t;

    if (f->tsc_mult)
        x = x * f->tsc_mult >> f->tsc_shift;
    t = x < (uint64_t)INT64_MAX ? (ns_t)x : INT64_MAX - 1;
    return __builtin_add_overflow(t, f->offset, &t) ? INT64_MAX - 1 : t;
}

static bool next_chunk(struct ftrace_ring *r)
{
    const struct ftrace_file *f = r->f;

    r->next = 0;
    if (!r->source->is_packed) {
        r->pages = f->map.p + r->source->offset;
        r->bytes = r->source->bytes;
        return r->chunk++ == 0;
    }
    for (; r->chunk < r->chunks.n; r->chunk++) {
        const struct ftrace_chunk *c = &r->chunks.at[r->chunk];

        if (c->bytes > r->unpacked_size) {
            free(r->unpacked);
            r->unpacked = xmalloc(r->unpacked_size = c->bytes);
        }
        r->pages = r->unpacked;
        r->bytes = c->bytes;
        if (c->bytes && ftrace_unpack(f->map.p + c->offset, c->packed, r->unpacked, c->bytes)) {
            r->chunk++;
            return true;
        }
        if (c->bytes)
            bad(r, "a chunk can't be unpacked");
    }
    return false;
}

/* How many events were lost before a page of 'used' bytes; 'flags' is its length's
 * word. */
static void note_lost(struct ftrace_ring *r, uint64_t flags, uint32_t used, ns_t t1)
{
    const struct ftrace_file *f = r->f;
    uint32_t at = f->data_at + used, size = f->machine.long_bytes;
    uint64_t n = 0;

    if ((flags & LOST_COUNTED) && at + size <= r->source->page_bytes)
        n = ftrace_number(&f->machine, r->page + at, size);
    *vec_push(&r->lost) =
        (struct ftrace_lost){ r->has_time ? r->t : NS_MIN, t1, n <= INT64_MAX ? n : 0 };
}

static bool next_page(struct ftrace_ring *r)
{
    const struct ftrace_file *f = r->f;
    const uint32_t size = r->source->page_bytes;

    for (;;) {
        if (r->bytes - r->next < size) {
            if (r->bytes > r->next)
                bad(r, "the last page is cut off");
            r->bytes = r->next = 0;
            if (!next_chunk(r))
                return false;
            continue;
        }
        r->page = r->pages + r->next;
        r->next += size;
        uint64_t flags = ftrace_number(&f->machine, r->page + f->commit_at, f->commit_bytes);
        uint32_t used = (uint32_t)flags & COMMIT_MASK;
        if (used > size - f->data_at) {
            bad(r, "a page says that it is longer than it is");
            continue;
        }
        r->pages_read++;
        r->stamp = ftrace_number(&f->machine, r->page, 8);
        if (flags & LOST_EVENTS)
            note_lost(r, flags, used, time_of(f, r->stamp));
        r->at = f->data_at;
        r->end = f->data_at + used;
        return true;
    }
}

/* The whole time, of which the event stores 59 bits. */
static uint64_t whole_stamp(uint64_t stored, uint64_t before)
{
    uint64_t high = before >> STAMP_BITS << STAMP_BITS;

    stored |= high;
    return high && stored < before ? stored + (UINT64_C(1) << STAMP_BITS) : stored;
}

enum step { STEP_EVENT, STEP_OTHER, STEP_BAD };

/* What is at 'at': an event with its bytes, or something that only moves time or place. */
static enum step step(struct ftrace_ring *r)
{
    const struct ftrace_machine *m = &r->f->machine;
    uint64_t word = ftrace_number(m, r->page + r->at, 4), extra = 0;
    uint32_t kind = (uint32_t)(m->big_endian ? word >> DELTA_BITS : word & 31);
    uint64_t delta = m->big_endian ? word & ((1 << DELTA_BITS) - 1) : word >> 5;
    uint32_t left = r->end - r->at - 4;

    r->at += 4;
    if (kind == 0 || kind >= TYPE_PADDING) { /* the next word is its length, or more time */
        if (left < 4)
            return STEP_BAD;
        extra = ftrace_number(m, r->page + r->at, 4);
    }
    if (kind == TYPE_TIME_STAMP || kind == TYPE_TIME_EXTEND) {
        delta += extra << DELTA_BITS;
        r->stamp = kind == TYPE_TIME_EXTEND ? r->stamp + delta : whole_stamp(delta, r->stamp);
        r->at += 4;
        return STEP_OTHER;
    }
    r->stamp += delta;
    if (kind == TYPE_PADDING) {
        if (extra > left || extra < 4)
            return delta == 0 ? (r->at = r->end, STEP_OTHER) : STEP_BAD;
        r->at += (uint32_t)extra;
        return STEP_OTHER;
    }
    r->n = kind * 4;
    if (kind == 0) { /* its length includes the word that has it */
        r->n = (uint32_t)extra - 4;
        r->at += 4;
        left -= 4;
        if (extra < 4)
            return STEP_BAD;
    }
    if (r->n > left)
        return STEP_BAD;
    r->data = r->page + r->at;
    r->at += r->n + (4 - r->n % 4) % 4;
    return STEP_EVENT;
}

bool ftrace_ring_next(struct ftrace_ring *r)
{
    for (;;) {
        while (r->at >= r->end || r->end - r->at < 4)
            if (!next_page(r))
                return false;
        enum step s = step(r);
        if (s == STEP_BAD) {
            bad(r, "an event is longer than its page");
            r->at = r->end;
        }
        if (s != STEP_EVENT)
            continue;
        ns_t t = time_of(r->f, r->stamp);
        if (t < r->from)
            continue;
        r->backwards += r->has_time && t < r->t;
        r->has_time = true;
        r->t = t;
        r->events++;
        return true;
    }
}
