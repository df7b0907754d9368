/* SPDX-License-Identifier: Apache-2.0
 *
 * meta.h -- what a trace's metadata says, as data.
 *
 * The parsers (TSDL of CTF 1.8, JSON of CTF 2) fill 'struct ctf_meta';
 * ctf/resolve.c gives every event class its own copy of its types and links
 * sequences and variants to the fields they depend on; ctf/compile.c turns the
 * types into programs.
 * After opening, nothing here changes.
 *
 *   struct ctf_meta
 *     ├─ clocks, env
 *     ├─ packet header type
 *     └─ streams: packet context, event header, event context types
 *          └─ events: context type, payload type, program, fields */
#ifndef CTF_META_H
#define CTF_META_H

#include "base/err.h"
#include "base/mem.h"
#include "base/notes.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum ctf_kind {
    CTF_INT,
    CTF_ENUM,
    CTF_FLOAT,
    CTF_STRING,
    CTF_STRUCT,
    CTF_VARIANT,
    CTF_ARRAY, /* length known from the metadata        */
    CTF_SEQ,   /* length read from a field of the event */
};

enum ctf_order { CTF_NATIVE, CTF_LE, CTF_BE };

/* What a field of a header says about its packet or event.  CTF 2 names them;
 * in CTF 1 they follow from the names of the fields (ctf/resolve.c). */
enum ctf_role {
    ROLE_MAGIC = 1 << 0,
    ROLE_UUID = 1 << 1,      /* of the metadata */
    ROLE_CLASS_ID = 1 << 2,  /* of the stream's class */
    ROLE_STREAM_ID = 1 << 3, /* of the stream among those of its class */
    ROLE_PACKET_SIZE = 1 << 4,
    ROLE_CONTENT_SIZE = 1 << 5,
    ROLE_CLOCK = 1 << 6, /* moves the clock; in the packet context: the packet's begin */
    ROLE_END = 1 << 7,   /* the packet's end */
    ROLE_DISCARDED = 1 << 8,
    ROLE_SEQ = 1 << 9,
    ROLE_EVENT_ID = 1 << 10,
    ROLE_CPU = 1 << 11, /* LTTng's cpu_id, in both versions */
};

/* The scopes of a trace, in the order of the bytes. */
enum ctf_place {
    PLACE_PACKET_HEADER,
    PLACE_PACKET_CONTEXT,
    PLACE_EVENT_HEADER,
    PLACE_STREAM_EVENT_CONTEXT,
    PLACE_EVENT_CONTEXT,
    PLACE_PAYLOAD,
    PLACE_COUNT,
};

/* How the characters of a text are stored. */
enum ctf_encoding { TEXT_UTF8, TEXT_UTF16LE, TEXT_UTF16BE, TEXT_UTF32LE, TEXT_UTF32BE };

struct ctf_type;

struct ctf_member {
    struct str raw;        /* the name as in the metadata                 */
    struct str name;       /* the same without one leading '_'            */
    struct ctf_type *type; /* of a variant: the option                    */
    int32_t slot;   /* where its value is kept for a later sequence or variant; -1 = nowhere */
    bool far;       /* a later scope refers to it                  */
    uint32_t roles; /* enum ctf_role                               */
};

/* A range of values with a label.  Unsigned enums compare as uint64_t. */
struct ctf_enum_map {
    struct str label;
    int64_t lo, hi; /* both included */
};

struct ctf_type {
    enum ctf_kind kind;
    uint32_t align;  /* bits, a power of two; a variant has none of its own (1) */
    uint32_t depth;  /* of nesting below, for LIMIT_TYPE_DEPTH   */
    uint64_t weight; /* types below and this one, for LIMIT_FIELDS */

    /* CTF_INT, CTF_ENUM, CTF_FLOAT */
    uint32_t size; /* bits, 1..64 */
    enum ctf_order order;
    bool is_signed;
    bool is_text;               /* a character: arrays and sequences of it are text */
    bool is_bool;               /* any bit set: true                                */
    bool is_bits;               /* CTF 2: a bit array, not meant as a number        */
    bool is_leb;                /* CTF 2: of variable length (LEB128), 'size' is 64 */
    bool is_reversed;           /* CTF 2: the bit order is not that of the bytes    */
    bool is_bitmap;             /* CTF 2: 'maps' names ranges of bits               */
    bool has_negative, has_big; /* CTF 2: a map is below 0, or over INT64_MAX    */
    uint32_t roles;             /* CTF 2: enum ctf_role, as the metadata gives them */
    uint8_t base;               /* 2, 8, 10 or 16: how people write it              */
    struct str clock;           /* name of the clock it samples, or empty           */
    struct ctf_enum_map *maps;  /* CTF_ENUM */
    uint32_t nmaps;

    /* CTF_STRUCT, CTF_VARIANT */
    struct ctf_member *members;
    uint32_t nmembers;

    /* CTF_ARRAY, CTF_SEQ */
    struct ctf_type *elem;
    uint64_t length;
    bool is_blob;     /* CTF 2: bytes without a meaning for us */
    struct str media; /* of a blob: its IANA media type        */

    enum ctf_encoding encoding; /* CTF_STRING; arrays and sequences of characters */

    /* CTF_SEQ: the length; CTF_VARIANT: the tag */
    struct str ref;   /* as written: "len", "stream.event.header.id" */
    struct str *path; /* CTF 2 instead of 'ref'; a part without text (p == NULL) is the parent */
    uint32_t npath;
    int origin;           /* CTF 2: enum ctf_place, or -1: the structure that holds this type */
    bool is_optional;     /* CTF_VARIANT of CTF 2: when no option is selected, there is nothing */
    int32_t ref_slot;     /* after ctf_resolve()                         */
    struct ctf_type *tag; /* CTF_VARIANT: the enum; CTF 1: after ctf_resolve() */
    int32_t *option_of;   /* CTF_VARIANT: option for each map of 'tag', -1 = none */
};

struct ctf_clock {
    struct str name, uuid, description;
    struct str id;      /* CTF 2: what stream classes refer to */
    uint64_t freq;      /* Hz, not 0 */
    uint64_t precision; /* cycles */
    int64_t offset_s;
    int64_t offset; /* cycles */
    bool absolute;
};

struct ctf_env {
    struct str key, text; /* text holds numbers too */
    bool is_int;
    int64_t value;
};

struct ctf_prog;
struct ctf_field;

/* How the fields of an event lie, from its first byte on. */
enum ctf_layout {
    LAYOUT_PROGRAM, /* anything: its program tells (ctf/prog.h) */
    LAYOUT_FIXED,   /* whole bytes, always as many              */
    LAYOUT_STRING,  /* fixed fields, one string, fixed fields; in whole bytes */
};

struct ctf_event_class {
    struct str name;
    uint64_t id, stream_id;
    bool has_id, has_stream_id;
    int64_t loglevel;
    bool has_loglevel;
    struct ctf_type *context, *payload; /* NULL = none */
    struct ctf_stream_class *stream;

    enum ctf_order native;    /* of the trace */
    struct ctf_prog *prog;    /* stream event context + context + payload */
    struct ctf_field *fields; /* leaves and arrays in the order of the bytes */
    uint32_t nfields;
    uint32_t index; /* position in the trace, for bindings by array */
    enum ctf_layout layout;
    uint32_t before, after; /* bytes: LAYOUT_FIXED: all; LAYOUT_STRING: around the string */
    bool on_byte;           /* its first field always begins on a byte */
};

/* What ctf_cursor_fill() needs of an event that it can step over without a program. */
struct ctf_shape {
    uint32_t size;  /* bytes of header and fixed fields, up to the string; 0 = not such an event */
    uint32_t after; /* bytes behind the string; SHAPE_FIXED = there is no string */
};
#define SHAPE_FIXED UINT32_MAX

struct ctf_stream_class {
    uint64_t id;
    bool has_id;
    bool is_implied; /* the metadata has neither streams nor events */
    struct str name;
    struct ctf_type *packet_context, *event_header, *event_context;
    struct ctf_prog *packet_prog, *header_prog;
    struct ctf_field *packet_fields;
    uint32_t npacket_fields;
    int header_kind;         /* enum ctf_header_kind, ctf/prog.h */
    bool far_packet;         /* events refer to values of the packet's header or context */
    bool far_header;         /* or of their own header */
    struct ctf_clock *clock; /* that the event header samples; NULL = none */

    VEC(struct ctf_event_class *) events;
    struct ctf_event_class **by_id; /* dense table for ids below nby_id      */
    struct ctf_shape *shapes;       /* for the same ids                      */
    uint32_t *index_of;             /* for the same ids: ctf_event_class.index */
    uint64_t nby_id;
    struct map64 position; /* id -> position in 'events', every id */
};

struct ctf_meta {
    struct arena mem;
    uint64_t major, minor; /* of CTF: 1.8 or 2.0 */
    bool has_major, has_minor;
    enum ctf_order order;
    struct str uuid_text;
    uint8_t uuid[16]; /* that packets carry */
    bool has_uuid;
    struct ctf_type *packet_header;
    struct ctf_prog *packet_header_prog;
    struct ctf_field *packet_header_fields;
    uint32_t npacket_header_fields;

    VEC(struct ctf_clock *) clocks;
    VEC(struct ctf_env) env;
    VEC(struct ctf_stream_class *) streams;
    VEC(struct ctf_event_class *) events;
    uint64_t weight; /* of all types of all scopes, for LIMIT_FIELDS */
    uint32_t nslots; /* saved values of all scopes */
    uint32_t nsegs;  /* most segments of any program */
};

/* Reads the text of a metadata file, already out of its packets.
 * Notes what was skipped.  Returns 0 or -E_*, with line and column. */
int tsdl_parse(struct str text, struct ctf_meta *meta, struct notes *notes, const char *where,
               struct err *err);
/* The same for CTF 2: a sequence of JSON texts, each after a byte 0x1e. */
int ctf2_parse(struct str text, struct ctf_meta *meta, struct notes *notes, const char *where,
               struct err *err);

/* Reads a metadata file: packetised or plain.  On success 'meta' is complete and
 * compiled.  On failure it must still be freed. */
int ctf_meta_open(const char *path, struct ctf_meta *meta, struct notes *notes, struct err *err);
void ctf_meta_free(struct ctf_meta *meta);

/* Links sequences and variants to the fields that they depend on. */
int ctf_resolve(struct ctf_meta *meta, struct err *err);
/* Makes programs and fields of all scopes. */
int ctf_compile(struct ctf_meta *meta, struct err *err);

/* The value of an env entry, or an empty string. */
struct str ctf_env_get(const struct ctf_meta *meta, const char *key);
/* Counts 'inner' into 'outer'.  Aliases let a short text describe a type of any
 * depth and size, so both are limited here and not by the text. */
int ctf_nest(struct ctf_type *outer, const struct ctf_type *inner, struct err *err);
/* Member by its name, with or without the leading '_', or NULL. */
struct ctf_member *ctf_member_of(const struct ctf_type *t, struct str name);
/* The option that each label of 'tag' names, or -1, into 'ret' unless that is NULL; one
 * leading '_' makes no difference.  Returns how many labels name one. */
uint32_t ctf_label_options(const struct ctf_type *tag, const struct ctf_type *variant,
                           int32_t *ret);
/* Roles that CTF 1 gives to a field of this name at this place. */
uint32_t ctf_roles_of(const struct ctf_meta *meta, enum ctf_place place,
                      const struct ctf_member *m);
/* Map of 'value', or -1.  The first that fits. */
int ctf_enum_find(const struct ctf_type *t, uint64_t value);

#endif
