/* SPDX-License-Identifier: Apache-2.0
 *
 * reader.h -- one source of events: a CTF trace, a file of JSON lines, of ftrace, of QEMU.
 *
 * Whatever the format, a reader yields events in time order with their type
 * (model/events.h), fills the struct of that type on request, and can tell all
 * fields of the current event.  A new format is a new 'struct reader_ops'. */
#ifndef INPUT_READER_H
#define INPUT_READER_H

#include "base/notes.h"
#include "base/value.h"
#include "model/events.h"

enum reader_scope { READER_CONTEXT, READER_FIELDS };

/* What a reader knows about its source; after the last event it is final. */
struct reader_totals {
    uint64_t events;    /* yielded so far                           */
    uint64_t discarded; /* dropped by the tracer                    */
    uint64_t lost_packets;
    uint64_t bad_packets; /* skipped in whole or in part              */
    uint64_t backwards;   /* events with a time before the one before */
    uint64_t bytes, streams, packets;
};

struct reader_event {
    ns_t t;
    uint32_t cpu;      /* UINT32_MAX = unknown          */
    enum ev_type type; /* EV_OTHER if nobody can ask for it */
    struct str name;
    uint32_t class_no; /* the same for events with the same layout, below reader.nclasses */
};

/* A time in which a tracer lost something of one stream. */
struct reader_loss {
    const char *stream; /* its first file                              */
    uint32_t cpu;       /* UINT32_MAX = unknown                        */
    ns_t t0, t1;        /* NS_MIN, NS_MAX: not known                   */
    uint64_t events;    /* discarded: there was no room for them       */
    uint64_t packets;   /* overwritten or never saved, with all events */
};

/* How many events of each class, and when. */
struct reader_counts {
    uint64_t *events; /* by class_no */
    uint64_t all;
    ns_t first, last; /* if 'all' > 0 */
};

struct reader;

struct reader_ops {
    const char *format; /* "CTF 1.8", "JSON lines" */
    bool (*next)(struct reader *r, struct reader_event *ret);
    /* The first event at or after 't'. */
    bool (*seek)(struct reader *r, ns_t t, struct reader_event *ret);
    /* Fills head and the struct of the current event's type; text is valid until
     * the next event. */
    void (*fill)(struct reader *r, struct ev_head *head, void *ev);
    void (*visit)(struct reader *r, enum reader_scope scope, const struct value_sink *sink);
    void (*totals)(const struct reader *r, struct reader_totals *ret);
    /* Instead of reading: counts all events in no particular order, on up to 'threads'
     * threads.  'ret->events' has room for all classes, and zeros.  NULL: not possible. */
    void (*count)(struct reader *r, unsigned threads, struct reader_counts *ret);
    /* First and last time of what the trace's packets say, without reading events.  NULL, or
     * false: nothing tells. */
    bool (*reach)(const struct reader *r, struct span *ret);
    /* Calls 'fn' for every loss, stream by stream in the order of time.  NULL: the format
     * knows of none. */
    void (*losses)(const struct reader *r, void (*fn)(void *ctx, const struct reader_loss *loss),
                   void *ctx);
    void (*close)(struct reader *r);
};

/* What a reader tells about an event class without reading an event. */
struct reader_class {
    struct str name;
    uint32_t nfields;
    const char *missing; /* a needed field of its type that it lacks; NULL = none */
};

/* A property of the trace: tracer, clock, ... for `neph info`. */
struct reader_property {
    struct str key, value;
};

struct reader {
    const struct reader_ops *ops;
    const char *path;
    struct str host;
    struct str host_there; /* what a file with events of several hosts calls it */
    struct str domain;     /* "kernel", "ust", "qemu", or empty */
    struct notes *notes;
    struct arena mem;
    struct reader_class *classes;
    uint32_t nclasses;
    struct reader_property *properties;
    uint32_t nproperties;
    /* The machine's clock that stamps events, which all tracers of one boot share, and when it
     * was 0, as this tracer took it to be; an empty id: not known. */
    struct str clock_id;
    ns_t clock_zero;
    bool tells_zero; /* 'clock_zero' is when CLOCK_MONOTONIC was 0          */
    ns_t shift;      /* to be added to the time of every event, to be as others of the host */
};

/* Opens a CTF trace's folder.  On success '*ret' must be closed with its ops. */
int reader_open_ctf(const char *dir, struct notes *notes, struct reader **ret, struct err *err);

/* Several folders can hold parts of one trace, and the same packets (rotated
 * sessions, snapshots, copies).  Makes 'later' leave out what 'earlier' has; both
 * may be of any format, and must not have been read from.  Returns the number of
 * packets left out. */
uint64_t reader_drop_shared(struct reader *later, const struct reader *earlier);

/* Opens the events of 'host' in a file of JSON lines as `neph events -o jsonl`
 * writes them. */
int reader_open_jsonl(const char *path, struct str host, struct notes *notes, struct reader **ret,
                      struct err *err);
/* Is 'path' such a file?  If so, the hosts in it, in 'mem'. */
bool reader_is_jsonl(const char *path, struct arena *mem, struct str **ret_hosts,
                     uint32_t *ret_nhosts);

/* Is 'path' a trace.dat of trace-cmd, or the text that ftrace or `trace-cmd report`
 * writes?  Looks at its first bytes. */
bool reader_is_ftrace(const char *path);
/* Opens it.  The host is empty if the file does not tell. */
int reader_open_ftrace(const char *path, struct notes *notes, struct reader **ret, struct err *err);

/* Is 'path' a log of QEMU's trace events, its binary (trace-PID of the backend `simple`), or a
 * log of QMP?  Looks at its first bytes. */
bool reader_is_qemu(const char *path);
/* Opens it.  The host is empty: none of them tells. */
int reader_open_qemu(const char *path, struct notes *notes, struct reader **ret, struct err *err);

#endif
