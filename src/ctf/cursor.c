/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.c -- walking the events of one stream; see trace.h.
 *
 * The loop is: header -> class -> size -> next header.  Headers of LTTng are
 * read by hand; events of fixed size cost one addition; the rest runs the
 * program of its class.  Whatever goes wrong ends the packet, not the walk. */
#include "base/limits.h"
#include "ctf/packet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

ns_t ctf_clock_ns(const struct ctf_clock *clk, uint64_t cycles)
{
    if (!clk)
        return cycles > (uint64_t)NS_MAX ? NS_MAX : (ns_t)cycles;
    __int128 c = (__int128)clk->offset + cycles;
    __int128 freq = clk->freq, whole = c / freq, part = c % freq;

    if (part < 0) {
        part += freq;
        whole--;
    }
    __int128 ns = (whole + clk->offset_s) * NS_PER_S + part * NS_PER_S / freq;
    return ns > NS_MAX ? NS_MAX : ns < NS_MIN ? NS_MIN : (ns_t)ns;
}

void ctf_cursor_init(struct ctf_cursor *c, struct ctf_trace *t, struct ctf_stream *s,
                     struct notes *notes)
{
    const struct ctf_clock *clk = s->cls->clock;
    int64_t base = 0;

    *c = (struct ctf_cursor){ .trace = t, .stream = s, .notes = notes, .packet = SIZE_MAX };
    ctf_run_init(&c->run, &t->meta);
    c->ev = (struct ctf_event){
        .t = NS_MIN, .stream = s, .seg = c->run.seg, .slot = c->run.slot, .cpu = UINT32_MAX
    };
    /* Fast path: whole nanoseconds, and room for 2^62 of them. */
    c->ghz = clk && clk->freq == (uint64_t)NS_PER_S &&
             !__builtin_mul_overflow(clk->offset_s, NS_PER_S, &base) &&
             !__builtin_add_overflow(base, clk->offset, &base) && base > NS_MIN / 2 &&
             base < NS_MAX / 2;
    c->base_ns = base;
    if (c->ghz && s->cls->header_kind == HEADER_COMPACT) {
        c->id_bits = 5;
        c->ts_bits = 27;
        c->nshort = s->cls->nby_id < 31 ? (uint32_t)s->cls->nby_id : 31;
    } else if (c->ghz && s->cls->header_kind == HEADER_LARGE) {
        c->id_bits = 16;
        c->ts_bits = 32;
        c->nshort = s->cls->nby_id < 65535 ? (uint32_t)s->cls->nby_id : 65535;
    }
    c->shapes = s->cls->shapes;
    c->by_id = s->cls->by_id;
}

void ctf_cursor_free(struct ctf_cursor *c)
{
    ctf_run_free(&c->run);
}

/* Loads the header of packet number 'c->packet'. */
static bool enter_packet(struct ctf_cursor *c)
{
    const struct ctf_packet *p = &c->stream->packets.at[c->packet];
    const struct ctf_file *f = &c->trace->files.at[p->file];
    struct ctf_packet_head head = { 0 };
    struct ctf_packet again;
    uint64_t skip;
    struct err err;

    if (ctf_packet_read(c->trace, f, &c->run, p->offset, &again, &head, &skip, &err) < 0) {
        note_add(c->notes, NOTE_LOST, f->path, "packet %u (byte %" PRIu64 "): %s", p->number,
                 p->offset, err.text);
        c->bad_packets++;
        return false;
    }
    c->run.end = p->content_bits; /* bounded by the file when it was indexed */
    c->pos = head.events_at;
    c->ev.p = c->run.p;
    c->ev.cpu = p->cpu;
    if (p->has_ts_begin)
        c->clock = p->ts_begin;
    if (c->clock >= (uint64_t)NS_MAX / 4) /* room for the sums of ctf_cursor_short() */
        c->nshort = 0;
    return true;
}

/* A trace larger than this is not kept in memory behind the cursors: the kernel's
 * page cache has it anyway, and what counts as ours stays small.  Pages go in
 * pieces, since the kernel maps the neighbours of a page that is touched. */
#define KEEP_BYTES (UINT64_C(16) << 20)
#define RELEASE_BYTES (UINT64_C(1) << 20)

/* Gives back the pages behind the packet that was just read. */
static void release(struct ctf_cursor *c)
{
    if (c->trace->bytes <= KEEP_BYTES || c->packet >= c->stream->packets.n)
        return;
    const struct ctf_packet *p = &c->stream->packets.at[c->packet];
    uint64_t to = p->offset & ~(RELEASE_BYTES - 1);

    if (c->released_file != p->file || c->released > to)
        c->released = 0;
    c->released_file = p->file;
    if (to > c->released) {
        struct fmap behind = { c->trace->files.at[p->file].map.p + c->released, to - c->released };

        fmap_release(&behind);
        c->released = to;
    }
}

/* Once, when the stream has ended: a clock that was set back, or a tracer's
 * mistake.  The events are all there, in the order of the stream. */
static void note_backwards(const struct ctf_cursor *c)
{
    if (c->backwards && c->packet == c->stream->packets.n)
        note_add(c->notes, NOTE_WARN,
                 c->trace->files.at[c->stream->packets.at[c->packet - 1].file].path,
                 "the clock runs backwards: %" PRIu64
                 " events have a time before that of the event before them; durations across "
                 "them are wrong",
                 c->backwards);
}

static bool next_packet(struct ctf_cursor *c)
{
    for (;;) {
        release(c);
        c->packet++; /* SIZE_MAX + 1 is the first */
        if (c->packet >= c->stream->packets.n) {
            note_backwards(c);
            c->packet = c->stream->packets.n;
            c->pos = c->run.end = 0;
            return false;
        }
        if (enter_packet(c) && c->pos < c->run.end)
            return true;
    }
}

static void spoil(struct ctf_cursor *c, uint64_t at, const char *why)
{
    const struct ctf_packet *p = &c->stream->packets.at[c->packet];

    note_add(c->notes, NOTE_LOST, c->trace->files.at[p->file].path,
             "packet %u (byte %" PRIu64 "), event at byte %" PRIu64
             " of the file: %s; the rest of the packet is skipped",
             p->number, p->offset, p->offset + at / 8, why);
    c->bad_packets++;
    c->pos = c->run.end;
}

/* The packet ends inside an event.  Of one that the file cuts off, this is no news. */
static void ends_early(struct ctf_cursor *c, uint64_t at, const char *why)
{
    if (c->stream->packets.at[c->packet].cut)
        c->pos = c->run.end;
    else
        spoil(c, at, why);
}

static inline uint32_t u32_le(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return v;
}

static inline uint64_t u64_le(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return v;
}

/* id and timestamp of LTTng's extended header, at byte 'b' */
static inline bool read_extended(struct ctf_cursor *c, uint64_t b, uint64_t *ret_id)
{
    if (c->run.end / 8 < b + 12)
        return false;
    *ret_id = u32_le(c->run.p + b);
    c->clock = u64_le(c->run.p + b + 4);
    c->pos = (b + 12) * 8;
    return true;
}

/* Reads the event header at 'c->pos'; leaves 'c->pos' at the first context. */
static inline bool read_event_header(struct ctf_cursor *c, uint64_t *ret_id)
{
    const uint8_t *p = c->run.p;
    uint64_t b = (c->pos + 7) / 8, n = c->run.end / 8;

    switch (c->stream->cls->header_kind) {
    case HEADER_COMPACT: {
        if (n < b + 4) {
            if (n < b + 1 || (p[b] & 31) != 31)
                return false;
            return read_extended(c, b + 1, ret_id);
        }
        uint32_t v = u32_le(p + b);

        if ((v & 31) == 31)
            return read_extended(c, b + 1, ret_id);
        *ret_id = v & 31;
        c->clock = ctf_clock_step(c->clock, v >> 5, 27);
        c->pos = (b + 4) * 8;
        return true;
    }
    case HEADER_LARGE: {
        if (n < b + 6)
            return false;
        uint16_t id;

        memcpy(&id, p + b, 2);
        if (id == 65535)
            return read_extended(c, b + 2, ret_id);
        *ret_id = id;
        c->clock = ctf_clock_step(c->clock, u32_le(p + b + 2), 32);
        c->pos = (b + 6) * 8;
        return true;
    }
    case HEADER_PLAIN: return read_extended(c, b, ret_id);
    case HEADER_PLAIN64:
        if (n < b + 16)
            return false;
        *ret_id = u64_le(p + b);
        c->clock = u64_le(p + b + 8);
        c->pos = (b + 16) * 8;
        return true;
    case HEADER_NONE: return true;
    default: {
        c->run.clock = c->clock;
        uint64_t pos = ctf_run_prog(&c->run, c->stream->cls->header_prog, c->pos);

        if (pos == UINT64_MAX)
            return false;
        c->pos = pos;
        *ret_id = c->run.id;
        c->clock = c->run.clock;
        return true;
    }
    }
}

static struct ctf_event_class *find_class(const struct ctf_stream_class *s, uint64_t id)
{
    uint32_t at;

    if (id < s->nby_id)
        return s->by_id[id];
    return map64_get(&s->position, id, &at) ? s->events.at[at] : NULL;
}

bool ctf_cursor_next(struct ctf_cursor *c)
{
    for (;;) {
        if (c->pos >= c->run.end && !next_packet(c))
            return false;

        const struct ctf_stream_class *s = c->stream->cls;
        uint64_t start = c->pos, id = 0;

        c->run.id = s->events.n == 1 ? s->events.at[0]->id : 0;
        id = c->run.id;
        if (!read_event_header(c, &id)) {
            ends_early(c, start, "the event header ends after the packet's content");
            continue;
        }
        struct ctf_event_class *cls = find_class(s, id);
        if (!cls) {
            char why[96];

            snprintf(why, sizeof why, "event id %" PRIu64 " is not declared in the metadata", id);
            spoil(c, start, why);
            continue;
        }
        uint64_t body = c->pos, end;
        if (cls->prog->fixed) {
            c->run.seg[0] = body;
            end = body + cls->prog->fixed_bits;
            if (end > c->run.end) {
                ends_early(c, start, "a field ends after the packet's content");
                continue;
            }
        } else if ((end = ctf_run_prog(&c->run, cls->prog, body)) == UINT64_MAX) {
            ends_early(c, start, c->run.why);
            continue;
        }
        if (end == start) {
            spoil(c, start, "an event without a single bit");
            continue;
        }
        c->pos = end;
        c->ev.body = body;
        c->ev.end = end;
        c->ev.cls = cls;
        c->ev.cycles = c->clock;
        ns_t t = c->ghz && c->clock < (uint64_t)NS_MAX / 2 ? c->base_ns + (int64_t)c->clock
                                                           : ctf_clock_ns(s->clock, c->clock);
        c->backwards += t < c->ev.t;
        c->ev.t = t;
        c->events++;
        return true;
    }
}

bool ctf_cursor_seek(struct ctf_cursor *c, ns_t t)
{
    size_t lo = 0, hi = c->stream->packets.n;

    /* The last packet that begins before 't' may hold it. */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct ctf_packet *p = &c->stream->packets.at[mid];

        if (p->has_ts_begin && ctf_clock_ns(c->stream->cls->clock, p->ts_begin) >= t)
            hi = mid;
        else
            lo = mid + 1;
    }
    c->packet = lo ? lo - 2 : SIZE_MAX; /* next_packet() adds one */
    c->pos = c->run.end = 0;
    c->ev.t = NS_MIN;
    while (ctf_cursor_next(c))
        if (c->ev.t >= t)
            return true;
    return false;
}
