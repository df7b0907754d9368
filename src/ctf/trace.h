/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.h -- an open CTF trace, and cursors over its events.
 *
 * Opening reads the metadata and the header of every packet, nothing else.  A
 * stream is what one CPU of one channel wrote, possibly over several files; a
 * cursor walks it in time order; ctf/merge.h walks several streams as one, and
 * ctf/scan.h all packets in any order.
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
    /* See ctf/cursor.c: bytes from its start that stay mapped, and how often it was read. */
    _Atomic uint64_t kept, reads;
};

/* A time in which the tracer lost something. */
struct ctf_loss {
    ns_t t0, t1;      /* NS_MIN, NS_MAX: not known */
    uint64_t events;  /* discarded for want of room in a buffer      */
    uint64_t packets; /* overwritten, with all of their events       */
    size_t packet;    /* of the stream: that tells of it             */
};

struct ctf_packet {
    uint32_t file;         /* index in ctf_trace.files      */
    uint32_t number;       /* in its file, from 0           */
    uint64_t offset;       /* bytes from the file's start   */
    uint64_t content_bits; /* never past the end of the file */
    uint64_t packet_bits;
    uint64_t ts_begin, ts_end; /* cycles */
    uint64_t reach;            /* latest time of an event of this or an earlier packet of the
                                * stream, as their headers have it; UINT64_MAX = not known */
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

/* An event as readers pass it on: when, of which class, and where its bytes are.
 * Everything else follows from these and is only looked up when somebody asks
 * (ctf/view.h), so that stepping over an event costs a few nanoseconds. */
struct ctf_rec {
    ns_t t;            /* in the trace's clock; of an event without a clock: the time before */
    const uint8_t *at; /* its first field; of a class with 'far_header': its header */
    uint32_t cls;      /* ctf_event_class.index */
    uint32_t more;     /* LAYOUT_STRING: bytes from 'at' to behind the string; LAYOUT_PROGRAM:
                        * bits from 'at' to the first field, 0 to 7 */
    uint32_t stream;   /* index in ctf_trace.streams */
    uint32_t packet;   /* index in ctf_stream.packets */
};

/* One event with all that is known of it, valid until its cursor or view moves. */
struct ctf_event {
    ns_t t;
    const struct ctf_event_class *cls;
    const struct ctf_stream *stream;
    const uint8_t *p;    /* the packet         */
    const uint64_t *seg; /* see ctf/prog.h     */
    const uint64_t *slot;
    uint64_t body, end; /* bit position of the first field, and past the last */
    uint32_t cpu;       /* UINT32_MAX = unknown */
};

/* What went by, and what went wrong. */
struct ctf_counts {
    uint64_t events;
    uint64_t bad_packets; /* found bad while walking      */
    uint64_t backwards;   /* events before the one before */
};

struct ctf_cursor {
    struct ctf_event ev; /* after ctf_cursor_next() */
    struct ctf_trace *trace;
    struct ctf_stream *stream;
    uint32_t stream_no;
    struct notes *notes;
    struct ctf_run run;
    uint64_t head;   /* bits, the header of 'ev'   */
    uint64_t pos;    /* bits, next event header    */
    uint64_t clock;  /* cycles                     */
    size_t packet;   /* the one being read; SIZE_MAX before the first */
    size_t stop;     /* and the one not to be read any more           */
    ns_t last;       /* time of the event before; NS_MIN = none       */
    int64_t base_ns; /* t = base_ns + cycles when 'ghz' */
    bool ghz;
    bool quick;        /* the packet's events may be read by ctf_cursor_fill()'s loops */
    bool is_piece;     /* it walks a part of the stream only */
    uint64_t released; /* bytes of 'released_file' given back so far */
    uint32_t released_file;
    struct ctf_counts counts;
};

/* A cursor over stream number 'stream' of the trace. */
void ctf_cursor_init(struct ctf_cursor *c, struct ctf_trace *t, uint32_t stream,
                     struct notes *notes);
void ctf_cursor_free(struct ctf_cursor *c);
/* Walks the packets [from, to) only; before the first event. */
static inline void ctf_cursor_range(struct ctf_cursor *c, size_t from, size_t to)
{
    c->packet = from - 1; /* the first step adds one */
    c->stop = to;
    c->is_piece = true;
}
/* Moves to the next event and fills 'c->ev'; false at the end. */
bool ctf_cursor_next(struct ctf_cursor *c);
/* Moves over the next events, at most 'max', and says where they are.  Returns how
 * many; 0 at the end.  This is the fast way. */
size_t ctf_cursor_fill(struct ctf_cursor *c, struct ctf_rec *ret, size_t max);
/* Moves to the first event at or after 't', as ctf_cursor_next() does: a binary search
 * for its packet, if packets say when they begin. */
bool ctf_cursor_seek(struct ctf_cursor *c, ns_t t);
/* The present event of ctf_cursor_next() and ctf_cursor_seek(). */
struct ctf_rec ctf_cursor_rec(const struct ctf_cursor *c);
/* Tells of a stream that has been read to its end that its clock ran backwards. */
void ctf_note_backwards(const struct ctf_trace *t, const struct ctf_stream *s, uint64_t backwards,
                        struct notes *notes);

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
/* Is it an array of a fixed number of bytes?  ctf_get_bytes() gives them: a view of the trace. */
bool ctf_is_bytes(const struct ctf_field *f);
struct str ctf_get_bytes(const struct ctf_event *ev, const struct ctf_field *f);
/* The field 'path' of an event class, or NULL.  With variants there can be
 * more: the next one is searched after 'after'. */
const struct ctf_field *ctf_field_find(const struct ctf_event_class *cls, enum ctf_scope scope,
                                       struct str path, const struct ctf_field *after);

/* Decodes all fields of one scope of the current event into 'sink'. */
void ctf_visit(const struct ctf_event *ev, enum ctf_scope scope, const struct value_sink *sink);
/* Decodes one field of the current event into 'sink': arrays with all that is in them. */
void ctf_visit_field(const struct ctf_event *ev, const struct ctf_field *f,
                     const struct value_sink *sink);
/* A float's raw bits as a number. */
double ctf_raw_f64(const struct ctf_type *t, uint64_t raw);

#endif
