/* SPDX-License-Identifier: Apache-2.0
 *
 * cursor.c -- walking the events of one stream; see trace.h.
 *
 * The loop is: header -> class -> size -> next header.  Headers of LTTng are
 * read by hand; events of fixed size cost one addition; the rest runs the
 * program of its class.  Whatever goes wrong ends the packet, not the walk. */
#include "base/limits.h"
#include "base/nul.h"
#include "ctf/packet.h"

#include <inttypes.h>
#include <stdatomic.h>
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

void ctf_cursor_init(struct ctf_cursor *c, struct ctf_trace *t, uint32_t stream,
                     struct notes *notes)
{
    struct ctf_stream *s = t->streams.at[stream];
    const struct ctf_clock *clk = s->cls->clock;
    int64_t base = 0;

    *c = (struct ctf_cursor){ .trace = t,
                              .stream = s,
                              .stream_no = stream,
                              .notes = notes,
                              .packet = SIZE_MAX,
                              .stop = s->packets.n,
                              .released_file = UINT32_MAX,
                              .last = NS_MIN };
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
}

void ctf_cursor_free(struct ctf_cursor *c)
{
    ctf_run_free(&c->run);
}

/* Clocks below this leave room for the sums of the quick loops. */
#define QUICK_CYCLES ((uint64_t)NS_MAX / 4)

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
        c->counts.bad_packets++;
        return false;
    }
    c->run.end = p->content_bits; /* bounded by the file when it was indexed */
    c->pos = head.events_at;
    c->ev.p = c->run.p;
    c->ev.cpu = p->cpu;
    if (p->has_ts_begin)
        c->clock = p->ts_begin;
    c->quick = c->ghz && c->stream->cls->header_kind >= HEADER_COMPACT && c->clock < QUICK_CYCLES;
    return true;
}

/* Pages of traces that stay mapped behind the cursors (the front of each file), in the whole
 * program, once a file is read for the second time; all others are given back.  The kernel's page
 * cache has them all anyway, but mapping a page anew costs as much as reading some twenty events in
 * it.  Pages go in pieces, since the kernel maps the neighbours of a page that is touched. */
#define KEEP_BYTES (UINT64_C(128) << 20)
#define RELEASE_BYTES (UINT64_C(1) << 20)

static _Atomic uint64_t kept_bytes;

void ctf_file_begin(struct ctf_file *f)
{
    uint64_t want = (f->map.n + RELEASE_BYTES - 1) & ~(RELEASE_BYTES - 1), before;

    if (f->reads++ == 0 || f->kept)
        return;
    before = atomic_fetch_add(&kept_bytes, want);
    f->kept = before >= KEEP_BYTES ? 0 : before + want > KEEP_BYTES ? KEEP_BYTES - before : want;
    atomic_fetch_sub(&kept_bytes, want - f->kept);
}

void ctf_file_end(struct ctf_file *f)
{
    atomic_fetch_sub(&kept_bytes, f->kept);
    f->kept = 0;
}

/* A page that is touched brings its neighbours, also those before it that had been given
 * back: they go with the next piece. */
#define NEIGHBOUR_BYTES (UINT64_C(1) << 20)

void ctf_file_release(const struct ctf_file *f, uint64_t from, uint64_t to)
{
    from = from < NEIGHBOUR_BYTES ? 0 : from - NEIGHBOUR_BYTES;
    from = from < f->kept ? f->kept : from;
    to = to < f->map.n ? to : f->map.n;
    if (from < to)
        fmap_release(&(struct fmap){ f->map.p + from, to - from });
}

/* Gives back the pages behind the packet that was just read. */
static void release(struct ctf_cursor *c)
{
    if (c->packet >= c->stream->packets.n)
        return;
    const struct ctf_packet *p = &c->stream->packets.at[c->packet];
    struct ctf_file *f = &c->trace->files.at[p->file];
    uint64_t to = p->offset & ~(RELEASE_BYTES - 1);

    if (c->released_file != p->file && !c->is_piece)
        ctf_file_begin(f);
    if (c->released_file != p->file || c->released > to)
        c->released = to;
    c->released_file = p->file;
    if (c->released < to) {
        ctf_file_release(f, c->released, to);
        c->released = to;
    }
}

void ctf_note_backwards(const struct ctf_trace *t, const struct ctf_stream *s, uint64_t backwards,
                        struct notes *notes)
{
    if (backwards)
        note_add(notes, NOTE_WARN, t->files.at[s->packets.at[s->packets.n - 1].file].path,
                 "the clock runs backwards: %" PRIu64
                 " events have a time before that of the event before them; durations across "
                 "them are wrong",
                 backwards);
}

static bool next_packet(struct ctf_cursor *c)
{
    for (;;) {
        release(c);
        c->packet++; /* SIZE_MAX + 1 is the first */
        if (c->packet >= c->stop) {
            c->packet = c->stop;
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
    c->counts.bad_packets++;
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
        c->head = start;
        /* Headers that are read by hand begin on a byte, so that bits up to it are padding. */
        c->pos = s->header_kind >= HEADER_COMPACT ? (end + 7) & ~UINT64_C(7) : end;
        c->ev.body = body;
        c->ev.end = end;
        c->ev.cls = cls;
        ns_t t = c->ghz && c->clock < (uint64_t)NS_MAX / 2 ? c->base_ns + (int64_t)c->clock
                                                           : ctf_clock_ns(s->clock, c->clock);
        c->counts.backwards += t < c->last;
        c->last = c->ev.t = t;
        c->counts.events++;
        return true;
    }
}

struct ctf_rec ctf_cursor_rec(const struct ctf_cursor *c)
{
    const struct ctf_event_class *cls = c->ev.cls;
    uint64_t at = cls->stream->far_header ? c->head : c->ev.body;
    uint32_t more = at & 7;

    if (cls->layout == LAYOUT_STRING)
        more = (uint32_t)((c->run.seg[1] - at) >> 3);
    return (struct ctf_rec){ c->ev.t, c->ev.p + (at >> 3), cls->index,
                             more,    c->stream_no,        (uint32_t)c->packet };
}

/* Behind an event whose fields begin at 'at', and padding up to a byte; NULL if that is
 * not to be found out here. */
static const uint8_t *step_program(struct ctf_cursor *c, uint64_t id, const uint8_t *at)
{
    const struct ctf_event_class *cls = c->stream->cls->by_id[id];
    uint64_t end;

    if (!cls)
        return NULL;
    end = ctf_run_prog(&c->run, cls->prog, (uint64_t)(at - c->run.p) << 3);
    return end == UINT64_MAX ? NULL : c->run.p + ((end + 7) >> 3);
}

/* Events of any class, until one that needs more care.  The chain header -> id -> size
 * -> next header is what limits a reader: here it is two loads and two additions, and
 * all else hangs beside it.  Compiled once for each kind of header. */
static inline __attribute__((always_inline)) size_t fill_quick(struct ctf_cursor *c,
                                                               struct ctf_rec *ret, size_t max,
                                                               const struct ctf_quick_header h,
                                                               bool *ret_full)
{
    const struct ctf_stream_class *sc = c->stream->cls;
    const struct ctf_shape *shapes = sc->shapes;
    const uint32_t *index_of = sc->index_of;
    const uint64_t id_mask = UINT64_MAX >> (64 - h.id_bits), nids = sc->nby_id;
    const uint64_t mask = (UINT64_C(1) << h.ts_bits) - 1;
    const uint32_t stream = c->stream_no, packet = (uint32_t)c->packet;
    const uint8_t *at = c->run.p + ((c->pos + 7) >> 3), *end = c->run.p + (c->run.end >> 3);
    const int64_t base = c->base_ns;
    struct ctf_rec *out = ret, *full = ret + max;
    uint64_t clock = c->clock;

    while (out < full && at < end) {
        uint64_t word, now, id;
        uint32_t head = h.head, more = 0;

        __builtin_prefetch(at + 2048); /* 20 % where the trace is not in the cache */
        memcpy(&word, at, 8);          /* may reach past the packet: see base/file.h */
        id = word & id_mask;
        if (__builtin_expect(id == h.extended, false)) {
            uint32_t id32;

            memcpy(&id32, at + h.extended_at, 4);
            memcpy(&now, at + h.extended_at + 4, 8);
            head = h.extended_at + 12;
            id = id32;
            *ret_full = true;
        } else if (h.ts_bits == 0) {
            memcpy(&now, at + h.head - 8, 8);
        } else {
            now = (clock & ~mask) | (word >> h.id_bits & mask);
            now += now < clock ? mask + 1 : 0;
        }
        if (id >= nids || now >= QUICK_CYCLES)
            break;
        const struct ctf_shape *s = &shapes[id];
        uint64_t size = (uint64_t)s->size + (head - h.head);
        const uint8_t *next = at + size;
        if (s->size == 0) {
            next = step_program(c, id, at + head);
            if (!next)
                break;
        } else if (size > (uint64_t)(end - at)) {
            break;
        } else if (s->after != SHAPE_FIXED) {
            next += nul_within(next, (size_t)(end - next)) + 1;
            if (next > end || (size_t)(end - next) < s->after || next - at > UINT32_MAX / 2)
                break;
            more = (uint32_t)(next - at) - head;
            next += s->after;
        }
        *out++ =
            (struct ctf_rec){ base + (int64_t)now, at + head, index_of[id], more, stream, packet };
        clock = now;
        at = next;
    }
    c->pos = (uint64_t)(at - c->run.p) << 3;
    c->clock = clock;
    return (size_t)(out - ret);
}

/* Of 'n' events that fill_quick() has stepped over.  Within a packet, a short time
 * never goes back; a full one can. */
static void count_quick(struct ctf_cursor *c, const struct ctf_rec *r, size_t n, bool full)
{
    if (n == 0)
        return;
    c->counts.events += n;
    c->counts.backwards += r[0].t < c->last;
    for (size_t i = 1; full && i < n; i++)
        c->counts.backwards += r[i].t < r[i - 1].t;
    c->last = r[n - 1].t;
}

/* As many events as fill_quick() can read at once. */
static size_t fill_some(struct ctf_cursor *c, struct ctf_rec *ret, size_t max)
{
    enum ctf_header_kind kind = (enum ctf_header_kind)c->stream->cls->header_kind;
    bool full = kind == HEADER_PLAIN || kind == HEADER_PLAIN64;
    size_t n = 0;

    switch (kind) {
    case HEADER_COMPACT:
        n = fill_quick(c, ret, max, ctf_quick_headers[HEADER_COMPACT], &full);
        break;
    case HEADER_LARGE: n = fill_quick(c, ret, max, ctf_quick_headers[HEADER_LARGE], &full); break;
    case HEADER_PLAIN: n = fill_quick(c, ret, max, ctf_quick_headers[HEADER_PLAIN], &full); break;
    case HEADER_PLAIN64:
        n = fill_quick(c, ret, max, ctf_quick_headers[HEADER_PLAIN64], &full);
        break;
    case HEADER_NONE:
    case HEADER_PROGRAM: break;
    }
    count_quick(c, ret, n, full);
    return n;
}

size_t ctf_cursor_fill(struct ctf_cursor *c, struct ctf_rec *ret, size_t max)
{
    size_t n = 0;

    while (n < max) {
        if (c->quick && c->pos < c->run.end)
            n += fill_some(c, ret + n, max - n);
        if (n == max || !ctf_cursor_next(c))
            break;
        ret[n++] = ctf_cursor_rec(c);
    }
    return n;
}

bool ctf_cursor_seek(struct ctf_cursor *c, ns_t t)
{
    const struct ctf_stream *s = c->stream;
    size_t lo = 0, hi = c->stop;

    /* The first packet that reaches 't'.  Old tracers wrote the last event of a packet
     * after its end, so that it can be in the one before. */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (ctf_clock_ns(s->cls->clock, s->packets.at[mid].reach) >= t)
            hi = mid;
        else
            lo = mid + 1;
    }
    c->packet = lo > 1 ? lo - 2 : SIZE_MAX; /* next_packet() adds one */
    c->pos = c->run.end = 0;
    c->last = NS_MIN;
    while (ctf_cursor_next(c))
        if (c->ev.t >= t)
            return true;
    return false;
}
