/* SPDX-License-Identifier: Apache-2.0
 *
 * prog.h -- metadata compiled: how to step over an event, and where its fields
 * are.
 *
 * The bytes of a scope are cut into segments.  Inside a segment every field
 * has a fixed bit offset; a string, a sequence or a variant ends it.  A program
 * is the list of steps that find where the segments start:
 *
 *     seg 0            seg 1                seg 2
 *     ├ u32 a ─ u64 b ┤├─ string name ─┤   ├ u16 c ...
 *
 * So an event of fixed size costs one addition, and reading field c costs one
 * load at seg[2] + 0: nothing is decoded that nobody asks for.  Values that a
 * later step needs (lengths, tags) are kept in slots while stepping. */
#ifndef CTF_PROG_H
#define CTF_PROG_H

#include "ctf/meta.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "words are loaded as they lie in memory: a big-endian host needs swaps here");

enum ctf_op_code {
    OP_SKIP,    /* nothing: all steps skip 'skip' bits first             */
    OP_ALIGN,   /* pos up to a multiple of bits; segment 'seg' starts    */
    OP_STRING,  /* past the NUL of 'bits' bits; segment 'seg' starts     */
    OP_LEB,     /* past an integer of variable length; 'seg' starts      */
    OP_WHOLE,   /* fails inside a byte: the bit order changes here       */
    OP_SAVE,    /* slot[slot] = load at pos + bits                       */
    OP_SEQ,     /* slot[slot] elements of 'bits', 'stride' apart         */
    OP_COUNTED, /* OP_SAVE and OP_SEQ in one                             */
    OP_LOOP,    /* 'count' or slot[slot] times the next 'nbody' steps    */
    OP_VARIANT, /* the option that slot[slot] selects; see ctf_switch    */
    OP_SEG,     /* segment 'seg' starts here                             */
    OP_CLEAR,   /* slot[slot] = 0: what comes may not write it           */
    OP_ID,      /* event header: the event id                            */
    OP_CLOCK,   /* event header: a sample of the clock                   */
};

#define SEG_NONE UINT32_MAX
enum { LEB_IS_ID = 1, LEB_IS_CLOCK = 2 };

/* How to load a scalar. */
struct ctf_load {
    uint8_t kind;  /* enum ctf_load_kind */
    uint8_t bits;  /* 1..64              */
    uint8_t shift; /* 64 - bits          */
    bool is_signed;
};
enum ctf_load_kind {
    LOAD_LE,      /* little-endian, begins on a byte: one load of 8 bytes, two shifts */
    LOAD_BE,      /* big-endian, whole bytes from a byte on                           */
    LOAD_BITS_LE, /* any bit position                                                 */
    LOAD_BITS_BE,
    LOAD_REV_LE, /* the same with the first bit as the last                            */
    LOAD_REV_BE,
    LOAD_LEB, /* LEB128, on a byte                                                 */
};

struct ctf_switch; /* the options of a variant */

struct ctf_op {
    enum ctf_op_code code;
    uint32_t seg; /* that starts after the step, or SEG_NONE */
    int32_t slot;
    uint32_t nbody; /* OP_LOOP */
    uint64_t skip;
    uint64_t bits, stride;
    uint64_t count; /* OP_LOOP without a slot; OP_LEB: LEB_IS_*, its 'slot' keeps the value */
    const struct ctf_switch *sw;
    struct ctf_load load;
};

struct ctf_prog {
    struct ctf_op *ops;
    uint32_t nops;
    uint32_t nsegs;
    uint64_t known_end; /* alignment of the place where it ends, as far as it is known */
    bool fixed;         /* always 'fixed_bits' long, no slot, no alignment step */
    uint64_t fixed_bits;
};

struct ctf_switch {
    const struct ctf_type *variant;
    struct ctf_prog *options; /* by member; segments are numbered with the outer program's */
};

enum ctf_field_kind {
    FIELD_INT, /* also enums           */
    FIELD_FLOAT,
    FIELD_STRING, /* NUL-terminated       */
    FIELD_TEXT,   /* array of characters  */
    FIELD_ARRAY,  /* of anything else     */
};
enum ctf_scope { SCOPE_HEADER, SCOPE_COMMON, SCOPE_CONTEXT, SCOPE_PAYLOAD };

/* A field below variants is there if the tag of each, from the innermost out,
 * selects the option that the field is in. */
struct ctf_choice {
    const struct ctf_type *variant;
    int32_t slot; /* of the tag's value */
    uint32_t option;
    const struct ctf_choice *outer;
};

/* A leaf of an event: what can be bound.  Leaves inside arrays of structures
 * are not listed; they are reached with ctf_visit(). */
struct ctf_field {
    struct str path; /* "next_comm", "network_header.saddr".  A variant's option adds no
                      * part, so several fields can have one path: see 'only_if'. */
    struct str name; /* last part of the path */
    enum ctf_scope scope;
    enum ctf_field_kind kind;
    uint32_t seg;
    uint64_t off; /* bits from the start of the segment */
    struct ctf_load load;
    const struct ctf_type *type;
    const struct ctf_choice *only_if; /* NULL = always there */
    uint32_t roles;                   /* enum ctf_role */
};

/* Layouts of the event header that are read without a program. */
enum ctf_header_kind {
    HEADER_NONE,    /* no header: one event class, no time              */
    HEADER_PROGRAM, /* anything else                                    */
    HEADER_COMPACT, /* LTTng compact, little-endian: 5 + 27 bits or 31, u32, u64 */
    HEADER_LARGE,   /* LTTng large, little-endian: u16 + u32 or 65535, u32, u64  */
    HEADER_PLAIN,   /* u32 id, u64 time, little-endian (perf, barectf)  */
    HEADER_PLAIN64, /* u64 id, u64 time, little-endian (babeltrace2's CTF 2) */
};

/* The layouts of event headers that are read by hand, in bytes and bits. */
struct ctf_quick_header {
    uint32_t head;             /* bytes                                      */
    unsigned id_bits, ts_bits; /* of the first word; ts_bits 0: 64 bits at the end of it */
    uint64_t extended;         /* this id: an extended header follows; UINT64_MAX = never */
    uint32_t extended_at;      /* bytes to its u32 id, then a u64 time       */
};

static const struct ctf_quick_header ctf_quick_headers[] = {
    [HEADER_COMPACT] = { 4, 5, 27, 31, 1 },
    [HEADER_LARGE] = { 6, 16, 32, 65535, 2 },
    [HEADER_PLAIN] = { 12, 32, 0, UINT64_MAX, 0 },
    [HEADER_PLAIN64] = { 16, 64, 0, UINT64_MAX, 0 },
};

/* Little-endian or big-endian bits at any position; 'bits' from 1 to 64. */
uint64_t ctf_bits_le(const uint8_t *p, uint64_t pos, unsigned bits);
uint64_t ctf_bits_be(const uint8_t *p, uint64_t pos, unsigned bits);

/* An integer of variable length that starts at 'p'; '*ret_bytes' is how many it takes.
 * Its last byte has been found by OP_LEB. */
uint64_t ctf_leb(const uint8_t *p, bool is_signed, unsigned *ret_bytes);

/* The same for every kind but LOAD_LE. */
uint64_t ctf_load_slow(const uint8_t *p, uint64_t pos, struct ctf_load l);

/* The raw value of a scalar at bit 'pos'; signed values are extended to 64 bits.
 * The caller has checked that the bits are inside the packet.  Eight bytes are
 * read for any size: a mapped file has that much room behind it (base/file.h). */
static inline uint64_t ctf_load_at(const uint8_t *p, uint64_t pos, struct ctf_load l)
{
    uint64_t v;

    if (l.kind != LOAD_LE)
        return ctf_load_slow(p, pos, l);
    memcpy(&v, p + (pos >> 3), 8);
    v <<= l.shift;
    return l.is_signed ? (uint64_t)((int64_t)v >> l.shift) : v >> l.shift;
}

/* How a scalar of type 't' is loaded when it lies at a multiple of 'align' bits. */
struct ctf_load ctf_load_of(const struct ctf_type *t, uint64_t align, enum ctf_order native);
/* True if an array or sequence with these elements is text. */
bool ctf_is_text(const struct ctf_type *array);

struct ctf_run;
/* Steps over one scope: see ctf/run.c.  Returns the bit position after it, or
 * UINT64_MAX if it does not fit before 'end'; 'run' holds segments and slots. */
uint64_t ctf_run_prog(struct ctf_run *run, const struct ctf_prog *prog, uint64_t pos);

/* State of stepping, one per stream. */
struct ctf_run {
    const uint8_t *p; /* first byte of the packet      */
    uint64_t end;     /* of the content, in bits       */
    uint64_t *seg;    /* start of each segment, bits   */
    uint64_t *slot;   /* saved values                  */
    uint64_t id;      /* OP_ID                         */
    uint64_t clock;   /* OP_CLOCK: last value, cycles  */
    bool has_clock;
    const char *why; /* after a failure: a sentence   */
};

/* Moves a clock forward to the next instant whose low 'bits' are 'sample'. */
static inline uint64_t ctf_clock_step(uint64_t clock, uint64_t sample, unsigned bits)
{
    if (bits >= 64)
        return sample;
    uint64_t mask = ((uint64_t)1 << bits) - 1;
    uint64_t next = (clock & ~mask) | (sample & mask);

    return next < clock ? next + mask + 1 : next;
}

#endif
