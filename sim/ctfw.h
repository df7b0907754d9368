/* SPDX-License-Identifier: Apache-2.0
 *
 * ctfw.h -- writes CTF 1.8 traces byte for byte as LTTng lays them out.
 *
 * A trace is a folder: packetised metadata, one stream file per channel and
 * CPU, and LTTng's index of every stream file.  The caller declares event
 * classes by table, then emits values in the table's order; time must not run
 * backwards inside one stream.  Memory is one packet per stream, whatever the
 * length of the trace.  A packet goes to disk when it is full, so a full disk
 * is noticed there and the sentence names the file.
 *
 * Losses are made on purpose and are exact: ctfw_discard() counts events that
 * a full buffer refused, ctfw_drop_packets() makes whole packets vanish. */
#ifndef SIM_CTFW_H
#define SIM_CTFW_H

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ctfw_kind {
    CTFW_INT,   /* 8, 16, 32 or 64 bits                                      */
    CTFW_STR,   /* zero-terminated; a zero byte in the value ends it         */
    CTFW_TEXT,  /* 'count' bytes of text, padded with zeros (comm, procname) */
    CTFW_ARRAY, /* 'count' integers                                          */
    CTFW_SEQ,   /* a length field of 'len_bits', then that many integers     */
    CTFW_ENUM,  /* an integer with labels                                    */
    CTFW_FLOAT, /* 32 or 64 bits                                             */
    CTFW_RAW,   /* a declaration of TSDL's own; its value is bytes           */
};

struct ctfw_label {
    const char *name; /* NULL ends the list */
    int64_t first, last;
};

struct ctfw_field {
    const char *name; /* without LTTng's leading '_', which the writer adds */
    enum ctfw_kind kind;
    uint8_t bits; /* of the integer, the element, the container, the float */
    bool is_signed, hex, big_endian;
    uint8_t len_bits; /* CTFW_SEQ */
    uint16_t count;   /* CTFW_TEXT, CTFW_ARRAY */
    const struct ctfw_label *labels;
    const char *decl; /* CTFW_RAW: indented by two tabs, ends in a newline */
};

/* clang-format off */
#define CTFW_U(field, width)   { .name = (field), .kind = CTFW_INT, .bits = (width) }
#define CTFW_S(field, width)   { .name = (field), .kind = CTFW_INT, .bits = (width), .is_signed = true }
#define CTFW_X(field, width)   { .name = (field), .kind = CTFW_INT, .bits = (width), .hex = true }
#define CTFW_BE(field, width)  { .name = (field), .kind = CTFW_INT, .bits = (width), .big_endian = true }
#define CTFW_STRING(field)     { .name = (field), .kind = CTFW_STR }
#define CTFW_COMM(field, size) { .name = (field), .kind = CTFW_TEXT, .count = (size), .bits = 8 }
#define CTFW_F64(field)        { .name = (field), .kind = CTFW_FLOAT, .bits = 64 }
#define CTFW_TSDL(text)        { .name = "", .kind = CTFW_RAW, .decl = (text) }
/* clang-format on */

/* One value.  Integers, enums: 'u' or 'i'.  Floats: 'f'.  Text, strings, raw:
 * 'p' with 'n' bytes.  Arrays and sequences: 'p' to 'n' elements of the
 * field's width in host order ('n' is ignored for arrays). */
struct ctfw_val {
    union {
        uint64_t u;
        int64_t i;
        double f;
        const void *p;
    };
    size_t n;
};
static inline struct ctfw_val ctfw_u(uint64_t v)
{
    return (struct ctfw_val){ .u = v };
}
static inline struct ctfw_val ctfw_i(int64_t v)
{
    return (struct ctfw_val){ .i = v };
}
static inline struct ctfw_val ctfw_f(double v)
{
    return (struct ctfw_val){ .f = v };
}
static inline struct ctfw_val ctfw_s(struct str v)
{
    return (struct ctfw_val){ .p = v.p, .n = v.n };
}

enum ctfw_domain { CTFW_UST, CTFW_KERNEL };

struct ctfw_env {
    const char *name;
    const char *text; /* NULL: 'number' is written */
    int64_t number;
};

struct ctfw_trace_config {
    const char *dir; /* made, with its parents */
    enum ctfw_domain domain;
    const struct ctfw_env *env; /* the env block, in order; NULL name ends it */
    uint8_t uuid[16], clock_uuid[16];
    uint64_t clock_offset_ns;   /* instant = offset + raw timestamp             */
    ns_t begin;                 /* when tracing started: first packets begin so */
    bool streams_first;         /* kernel and old UST print streams first       */
    bool empty_metadata_packet; /* UST 2.8 leaves one at the end                */
};

enum ctfw_header { CTFW_COMPACT, CTFW_LARGE };

struct ctfw_channel_config {
    const char *name; /* stream files are NAME_CPU */
    unsigned cpus;
    uint32_t packet_bytes; /* rounded up to pages */
    enum ctfw_header header;
    const struct ctfw_field *context; /* of every event; NULL for none */
    size_t n_context;
};

struct ctfw_trace;
struct ctfw_channel;
struct ctfw_event;

/* What happened to one stream so far. */
struct ctfw_counts {
    uint64_t written;   /* events that are, or will be, in the file        */
    uint64_t discarded; /* counted by the tracer in events_discarded       */
    uint64_t dropped;   /* in packets that vanished                        */
    uint64_t packets, packets_dropped;
    uint64_t bytes;
};

/* What happened to one event. */
enum ctfw_fate { CTFW_WRITTEN, CTFW_DISCARDED, CTFW_DROPPED };

/* Makes the folder and its index folder.  Returns 0 or -E_*. */
int ctfw_open(const struct ctfw_trace_config *config, struct ctfw_trace **ret, struct err *err);
/* Adds a channel and its stream files.  Returns 0 or -E_*. */
int ctfw_channel(struct ctfw_trace *t, const struct ctfw_channel_config *config,
                 struct ctfw_channel **ret, struct err *err);
/* Declares an event class; the tables must outlive the trace.  'loglevel' < 0
 * leaves the level out.  Ids are given in order of declaration. */
struct ctfw_event *ctfw_event(struct ctfw_channel *c, const char *name, int loglevel,
                              const struct ctfw_field *fields, size_t n_fields);
/* Writes one event at host time 'ts'.  'context' follows the channel's table,
 * 'vals' the class's.  'fate' may be NULL.  Returns 0 or -E_*. */
int ctfw_emit(struct ctfw_channel *c, unsigned cpu, const struct ctfw_event *e, ns_t ts,
              const struct ctfw_val *context, const struct ctfw_val *vals, enum ctfw_fate *fate,
              struct err *err);
/* Counts 'n' events of this stream as refused by a full buffer. */
void ctfw_discard(struct ctfw_channel *c, unsigned cpu, uint64_t n);
/* Packets first .. first + n - 1 of the stream will not reach the file. */
void ctfw_drop_packets(struct ctfw_channel *c, unsigned cpu, uint64_t first, uint64_t n);
/* Ends the open packet at 'ts', as LTTng does when a full buffer has room again:
 * what was discarded lies before its end.  Returns 0 or -E_*. */
int ctfw_flush(struct ctfw_channel *c, unsigned cpu, ns_t ts, struct err *err);
struct ctfw_counts ctfw_counts(const struct ctfw_channel *c, unsigned cpu);
/* Writes the last packets, which end at 'end', and the metadata.  Afterwards
 * only ctfw_counts() and ctfw_free() make sense.  Returns 0 or -E_*. */
int ctfw_finish(struct ctfw_trace *t, ns_t end, struct err *err);
/* Frees everything without writing more; NULL is fine. */
void ctfw_free(struct ctfw_trace *t);

/* mkdir -p.  Returns 0 or -E_IO. */
int ctfw_mkdirs(const char *path, struct err *err);

#endif
