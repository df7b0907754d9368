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
};

struct ctf_packet {
    uint32_t file;         /* index in ctf_trace.files      */
    uint32_t number;       /* in its file, from 0           */
    uint64_t offset;       /* bytes from the file's start   */
    uint64_t content_bits; /* never past the end of the file */
    uint64_t packet_bits;
    uint64_t ts_begin, ts_end; /* cycles */
    uint64_t discarded;    /* running counter of the tracer */
    uint64_t seq;
    uint32_t cpu;
    bool has_ts_begin, has_ts_end, has_discarded, has_seq, has_cpu;
};

struct ctf_stream {
    const struct ctf_stream_class *cls;
    uint64_t instance;
    bool has_instance;
    VEC(struct ctf_packet) packets; /* by ts_begin */
    uint64_t discarded; /* events that the tracer dropped */
    uint64_t lost;      /* packets missing between the first and the last */
};

struct ctf_trace {
    const char *path; /* the folder that holds 'metadata' */
    struct ctf_meta meta;
    struct arena mem;
    VEC(struct ctf_file) files;
    VEC(struct ctf_stream *) streams;
    uint64_t packets, bad_packets; /* found bad while opening */
    uint64_t discarded, lost;      /* sums over the streams   */
};

/* True if 'dir' holds a file named metadata. */
bool ctf_is_trace(const char *dir);

/* Opens the trace in folder 'dir'.  What can't be read of it becomes a note in
 * 'notes', which must outlive the trace.  On failure nothing needs closing. */
int ctf_trace_open(const char *dir, struct ctf_trace **ret, struct notes *notes, struct err *err);
void ctf_trace_close(struct ctf_trace *t);

/* One event, valid until the cursor moves. */
struct ctf_event {
    ns_t t;             /* in the trace's clock; of an event without a clock: the time before */
    uint64_t cycles;
    const struct ctf_event_class *cls;
    const struct ctf_stream *stream;
    const uint8_t *p;     /* the packet         */
    const uint64_t *seg;  /* see ctf/prog.h     */
    const uint64_t *slot;
    uint64_t body, end;   /* bit position of the first field, and past the last */
    uint32_t cpu;         /* UINT32_MAX = unknown */
};

struct ctf_cursor {
    struct ctf_event ev;
    struct ctf_trace *trace;
    struct ctf_stream *stream;
    struct notes *notes;
    struct ctf_run run;
    uint64_t pos;          /* bits, next event header */
    uint64_t clock;        /* cycles */
    size_t packet;         /* the one being read; SIZE_MAX before the first */
    int64_t base_ns;       /* t = base_ns + cycles when 'ghz' */
    bool ghz;
    uint64_t bad_packets;  /* found bad while walking          */
    uint64_t backwards;    /* events before the one before     */
    uint64_t events;
};

void ctf_cursor_init(struct ctf_cursor *c, struct ctf_trace *t, struct ctf_stream *s,
                     struct notes *notes);
void ctf_cursor_free(struct ctf_cursor *c);
/* Moves to the next event; false at the end. */
bool ctf_cursor_next(struct ctf_cursor *c);
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

#endif
