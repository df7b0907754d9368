/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.h -- an open CTF trace, and cursors over its events.
 *
 * Opening reads the metadata and the header of every packet, nothing else.  A
 * stream is what one CPU of one channel wrote, possibly over several files; a
 * cursor walks it in time order; ctf/merge.h walks several streams as one.
 *
 * The files are mapped, never copied.  Bad packets are skipped, noted (file,
 * packet, byte, why) and counted. */
#ifndef CTF_TRACE_H
#define CTF_TRACE_H

#include "base/file.h"
#include "base/notes.h"
#include "base/time.h"
#include "base/value.h"
#include "ctf/meta.h"
#include "ctf/prog.h"

struct ctf_file {
    const char *path; /* as opened             */
    const char *name; /* below the trace's folder */
    struct fmap map;
    const uint8_t *uuid; /* of its first packet, or NULL */
};

/* A time in which the tracer lost something. */
struct ctf_loss {
    ns_t t0, t1;      /* NS_MIN, NS_MAX: not known */
    uint64_t events;  /* discarded for want of room in a buffer      */
    uint64_t packets; /* overwritten, with all of their events       */
};

struct ctf_packet {
    uint32_t file;         /* index in ctf_trace.files      */
    uint32_t number;       /* in its file, from 0           */
    uint64_t offset;       /* bytes from the file's start   */
    uint64_t content_bits; /* never past the end of the file */
    uint64_t packet_bits;
    uint64_t ts_begin, ts_end; /* cycles */
    uint64_t discarded;        /* running counter of the tracer */
    uint64_t seq;
    uint32_t cpu;
    bool has_ts_begin, has_ts_end, has_discarded, has_seq, has_cpu;
    bool cut; /* the file ends inside its content: noted and counted when it was indexed */
};

struct ctf_stream {
    const struct ctf_stream_class *cls;
    uint64_t instance;
    bool has_instance;
    VEC(struct ctf_packet) packets; /* by ts_begin */
    uint64_t discarded;             /* events that the tracer dropped */
    uint64_t lost;                  /* packets missing between the first and the last */
    VEC(struct ctf_loss) losses;    /* the same, one by one, in the order of the packets */
};

struct ctf_trace {
    const char *path; /* the folder that holds 'metadata' */
    struct ctf_meta meta;
    struct arena mem;
    VEC(struct ctf_file) files;
    VEC(struct ctf_stream *) streams;
    uint64_t packets, bad_packets; /* found bad while opening */
    uint64_t discarded, lost;      /* sums over the streams   */
    uint64_t bytes;                /* of all files            */
};

/* True if 'dir' holds a file named metadata. */
bool ctf_is_trace(const char *dir);

/* Opens the trace in folder 'dir'.  What can't be read of it becomes a note in
 * 'notes', which must outlive the trace.  On failure nothing needs closing. */
int ctf_trace_open(const char *dir, struct ctf_trace **ret, struct notes *notes, struct err *err);
void ctf_trace_close(struct ctf_trace *t);

/* Several folders can hold one trace (chunks of a rotated session, a copy of a
 * copy) and share packets.  Drops from 'later' every packet that 'earlier' has
 * too: same UUID, stream class, stream instance, sequence number and times.  To
 * be called before cursors are made.  Returns how many were dropped. */
uint64_t ctf_trace_drop_shared(struct ctf_trace *later, const struct ctf_trace *earlier,
                               struct notes *notes);

/* One event, valid until the cursor moves. */
struct ctf_event {
    ns_t t; /* in the trace's clock; of an event without a clock: the time before */
    uint64_t cycles;
    const struct ctf_event_class *cls;
    const struct ctf_stream *stream;
    const uint8_t *p;    /* the packet         */
    const uint64_t *seg; /* see ctf/prog.h     */
    const uint64_t *slot;
    uint64_t body, end; /* bit position of the first field, and past the last */
    uint32_t cpu;       /* UINT32_MAX = unknown */
};

struct ctf_cursor {
    struct ctf_event ev;
    struct ctf_trace *trace;
    struct ctf_stream *stream;
    struct notes *notes;
    struct ctf_run run;
    uint64_t pos;    /* bits, next event header */
    uint64_t clock;  /* cycles */
    size_t packet;   /* the one being read; SIZE_MAX before the first */
    int64_t base_ns; /* t = base_ns + cycles when 'ghz' */
    bool ghz;
    /* For ctf_cursor_short(): ids below 'nshort' have a short header. */
    uint32_t nshort, id_bits, ts_bits;
    const struct ctf_shape *shapes;
    struct ctf_event_class *const *by_id;
    uint64_t released; /* bytes of 'released_file' given back so far */
    uint32_t released_file;
    uint64_t bad_packets; /* found bad while walking          */
    uint64_t backwards;   /* events before the one before     */
    uint64_t events;
};

void ctf_cursor_init(struct ctf_cursor *c, struct ctf_trace *t, struct ctf_stream *s,
                     struct notes *notes);
void ctf_cursor_free(struct ctf_cursor *c);
/* Moves to the next event; false at the end. */
bool ctf_cursor_next(struct ctf_cursor *c);
/* The same if it is an event of a simple shape behind a short header of LTTng, as
 * most are; else false, and nothing has changed. */
static inline bool ctf_cursor_short(struct ctf_cursor *c);
/* Moves to the first event at or after 't' (skips whole packets before it). */
bool ctf_cursor_seek(struct ctf_cursor *c, ns_t t);

/* Cycles of 'clk' as nanoseconds since 1970 (NULL: cycles are nanoseconds);
 * exact with rounding down, and clamped to what int64 holds. */
ns_t ctf_clock_ns(const struct ctf_clock *clk, uint64_t cycles);

/* --- fields --------------------------------------------------------------- */

/* Is the field there?  False when a variant selected another option. */
static inline bool ctf_has(const struct ctf_event *ev, const struct ctf_field *f)
{
    for (const struct ctf_choice *c = f->only_if; c; c = c->outer) {
        int map = ctf_enum_find(c->variant->tag, ev->slot[c->slot]);

        if (map < 0 || c->variant->option_of[map] != (int32_t)c->option)
            return false;
    }
    return true;
}
/* Raw value of an integer, enum or float field (signed: extended to 64 bits). */
static inline uint64_t ctf_get_u64(const struct ctf_event *ev, const struct ctf_field *f)
{
    return ctf_load_at(ev->p, ev->seg[f->seg] + f->off, f->load);
}
double ctf_get_f64(const struct ctf_event *ev, const struct ctf_field *f);
/* Text of a FIELD_STRING or FIELD_TEXT; a view of the trace. */
struct str ctf_get_str(const struct ctf_event *ev, const struct ctf_field *f);
/* The field 'path' of an event class, or NULL.  With variants there can be
 * more: the next one is searched after 'after'. */
const struct ctf_field *ctf_field_find(const struct ctf_event_class *cls, enum ctf_scope scope,
                                       struct str path, const struct ctf_field *after);

/* Decodes all fields of one scope of the current event into 'sink'. */
void ctf_visit(const struct ctf_event *ev, enum ctf_scope scope, const struct value_sink *sink);
/* A float's raw bits as a number. */
double ctf_raw_f64(const struct ctf_type *t, uint64_t raw);

/* The NUL in [p, limit), or NULL.  Texts of events are short: the first words are
 * looked at here, eight bytes at a time (H. S. Warren, Hacker's Delight, 6-1). */
static inline const uint8_t *ctf_find_nul(const uint8_t *p, const uint8_t *limit)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);

    for (int i = 0; i < 4 && p < limit; i++, p += 8) {
        uint64_t word, zero;

        memcpy(&word, p, 8); /* may reach past the packet: see base/file.h */
        zero = (word - ones) & ~word & (ones << 7);
        if (zero) {
            p += __builtin_ctzll(zero) >> 3;
            return p < limit ? p : NULL;
        }
    }
    return p < limit ? memchr(p, 0, (size_t)(limit - p)) : NULL;
}

/* The chain header -> id -> size -> next header is what limits a reader: here it
 * is two loads and two additions. */
static inline bool ctf_cursor_short(struct ctf_cursor *c)
{
    uint64_t b = (c->pos + 7) >> 3, word;

    if (c->nshort == 0 || c->pos >= c->run.end)
        return false;
    __builtin_prefetch(c->run.p + b + 1024); /* 20 % where the trace is not in the cache */
    memcpy(&word, c->run.p + b, 8);          /* may reach past the packet: see base/file.h */
    uint32_t id = (uint32_t)word & ((1u << c->id_bits) - 1);
    if (id >= c->nshort || c->shapes[id].before == 0)
        return false;
    uint64_t body = (b << 3) + c->id_bits + c->ts_bits, end = body + c->shapes[id].before;
    if (end > c->run.end)
        return false;
    if (c->shapes[id].string) {
        const uint8_t *text = c->run.p + (end >> 3), *limit = c->run.p + (c->run.end >> 3);
        const uint8_t *nul = ctf_find_nul(text, limit);

        if (!nul)
            return false;
        c->run.seg[1] = (uint64_t)(nul + 1 - c->run.p) << 3;
        end = c->run.seg[1] + c->shapes[id].after;
        if (end > c->run.end)
            return false;
    }
    uint64_t mask = (UINT64_C(1) << c->ts_bits) - 1;
    uint64_t clock = (c->clock & ~mask) | (word >> c->id_bits & mask);
    clock += clock < c->clock ? mask + 1 : 0;
    ns_t t = c->base_ns + (int64_t)clock;

    c->clock = c->ev.cycles = clock;
    c->pos = c->ev.end = end;
    c->run.seg[0] = c->ev.body = body;
    c->ev.cls = c->by_id[id];
    c->backwards += t < c->ev.t;
    c->ev.t = t;
    c->events++;
    return true;
}

#endif
