/* SPDX-License-Identifier: Apache-2.0
 *
 * neph.h -- reading CTF traces with Nephoscope's reader.
 *
 * A reader is opened over folders; all traces in and below them are read as one
 * sequence of events in the order of time.  Fields are asked for by handles that are
 * made once.  docs/api.md has an example.
 *
 *     struct neph *n = neph_open(paths, npaths, error, sizeof error);
 *     const struct neph_field *f = neph_field(n, "sched_switch", "next_tid");
 *     while ((ev = neph_next(n)))
 *         if (neph_i64(ev, f, &tid)) ...
 *     neph_close(n);
 *
 * Times are nanoseconds since 1970 in the clock of the host that wrote the trace; clocks
 * of several hosts are not corrected against each other.  Texts are views: they belong to
 * the reader and have no NUL at their end unless it says so.  Functions that can fail say
 * so in their result; none prints, none ends the program but when memory is exhausted.
 * A reader may be used by one thread at a time; several readers are independent.
 *
 * What could not be read (bad packets, lost events, a trace of an unknown kind) does not
 * end the reading: it is counted in neph_totals() and told by neph_note(). */
#ifndef NEPH_H
#define NEPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define NEPH_API_VERSION 1

#if defined(__GNUC__)
#define NEPH_PUBLIC __attribute__((visibility("default")))
#else
#define NEPH_PUBLIC
#endif

struct neph;
struct neph_event; /* valid until the next neph_next(), neph_seek() or neph_close() */
struct neph_field; /* valid until neph_close() */

/* Opens all CTF traces (1.8 and 2) in and below 'npaths' folders.  Returns NULL if there is
 * nothing that can be read, with a sentence in 'error' (at most 'error_bytes', NUL-terminated). */
NEPH_PUBLIC struct neph *neph_open(const char *const *paths, size_t npaths, char *error,
                                   size_t error_bytes);
/* NULL is fine. */
NEPH_PUBLIC void neph_close(struct neph *n);

/* The next event of all traces, or NULL after the last.  Events with equal times come in the
 * order of the paths, traces and streams, always the same. */
NEPH_PUBLIC const struct neph_event *neph_next(struct neph *n);
/* The next event will be the first one at or after 'time_ns'.  Takes time in the logarithm of
 * the number of packets, if packets say when they begin (all LTTng ones do). */
NEPH_PUBLIC void neph_seek(struct neph *n, int64_t time_ns);

NEPH_PUBLIC int64_t neph_event_time(const struct neph_event *ev);
/* "sched_switch", "lttng_python:event"; NUL-terminated, valid until neph_close(). */
NEPH_PUBLIC const char *neph_event_name(const struct neph_event *ev);
/* The CPU that wrote it, or -1 if the trace does not say. */
NEPH_PUBLIC int64_t neph_event_cpu(const struct neph_event *ev);
/* The number of its event class: the same for all events of one kind in one trace, below
 * neph_classes().  Two traces have different classes for events of one name. */
NEPH_PUBLIC uint32_t neph_event_class(const struct neph_event *ev);

NEPH_PUBLIC uint32_t neph_classes(const struct neph *n);
NEPH_PUBLIC const char *neph_class_name(const struct neph *n, uint32_t event_class);
/* What the trace of this class says of its origin: the value of an entry of its environment
 * ("hostname", "domain", "tracer_name"), or NULL. */
NEPH_PUBLIC const char *neph_class_env(const struct neph *n, uint32_t event_class, const char *key);

/* A handle for field 'path' ("next_tid", "network_header.saddr") of all events named 'event',
 * or of every event if that is NULL.  A field of the payload comes first, then one of the
 * event's context, then one of the stream's ("vpid", "procname").  A leading '_' that tracers
 * put before names may be left out.  NULL if no event class has such a field. */
NEPH_PUBLIC const struct neph_field *neph_field(struct neph *n, const char *event,
                                                const char *path);

/* The field of this event.  Each returns false and leaves '*ret' alone if the event has none
 * (also when a variant selected another option), if the field is of another type, or if 'f' is
 * NULL.  Integers, enums and booleans are read by both of the first two: a value that the type
 * asked for cannot hold is refused.  Texts are strings and arrays of characters. */
NEPH_PUBLIC bool neph_i64(const struct neph_event *ev, const struct neph_field *f, int64_t *ret);
NEPH_PUBLIC bool neph_u64(const struct neph_event *ev, const struct neph_field *f, uint64_t *ret);
NEPH_PUBLIC bool neph_f64(const struct neph_event *ev, const struct neph_field *f, double *ret);
NEPH_PUBLIC bool neph_text(const struct neph_event *ev, const struct neph_field *f,
                           const char **ret, size_t *ret_bytes);

/* Of all traces; final after the last event. */
struct neph_totals {
    uint64_t events;           /* read so far, and some ahead                    */
    uint64_t discarded_events; /* that the tracers had no room for               */
    uint64_t lost_packets;     /* overwritten before they were saved             */
    uint64_t bad_packets;      /* skipped in whole or in part                    */
    uint64_t backwards_events; /* with a time before that of the event before them */
};
NEPH_PUBLIC struct neph_totals neph_totals(const struct neph *n);
/* A time in which a tracer lost something of one stream. */
struct neph_loss {
    const char *stream;       /* its first file; valid until neph_close() */
    int64_t cpu;              /* -1 = unknown                             */
    int64_t from_ns, to_ns;   /* INT64_MIN, INT64_MAX = not known         */
    uint64_t events, packets; /* discarded, overwritten                   */
};
/* Loss number 'i' of all traces, counted from 0; false after the last. */
NEPH_PUBLIC bool neph_loss(const struct neph *n, size_t i, struct neph_loss *ret);
/* What there is to know about the quality of the data: a sentence with file, packet and byte
 * where it is about one.  'i' counts from 0; NULL after the last.  Valid until the next call. */
NEPH_PUBLIC const char *neph_note(struct neph *n, size_t i);

#ifdef __cplusplus
}
#endif
#endif
