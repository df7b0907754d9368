/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_bits.h -- bits into packets, and the usual words of metadata. */
#ifndef TESTS_UNIT_CTF_BITS_H
#define TESTS_UNIT_CTF_BITS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* --- bits ---------------------------------------------------------------------- */

enum { BITS_MAX_BYTES = 1 << 16 };

struct bits {
    uint8_t b[BITS_MAX_BYTES];
    size_t n; /* bits */
    bool be;
};

/* Adds the low 'count' bits of 'v', as the byte order wants them. */
static inline void put(struct bits *w, uint64_t v, unsigned count)
{
    for (; w->n % 8 == 0 && count % 8 == 0 && count; count -= 8, w->n += 8) {
        assert(w->n / 8 < BITS_MAX_BYTES);
        w->b[w->n / 8] = (uint8_t)(w->be ? v >> (count - 8) : v);
        v = w->be ? v : v >> 8;
    }
    for (unsigned i = 0; i < count; i++, w->n++) {
        uint64_t bit = w->be ? v >> (count - 1 - i) & 1 : v >> i & 1;
        unsigned at = w->be ? 7 - w->n % 8 : (unsigned)(w->n % 8);

        assert(w->n / 8 < BITS_MAX_BYTES);
        w->b[w->n / 8] = (uint8_t)((w->b[w->n / 8] & ~(1u << at)) | (unsigned)bit << at);
    }
}

static inline void align_bits(struct bits *w, unsigned to)
{
    while (w->n % to)
        put(w, 0, 1);
}

static inline void put_text(struct bits *w, const char *s)
{
    align_bits(w, 8);
    do
        put(w, (uint8_t)*s, 8);
    while (*s++);
}

/* --- packets --------------------------------------------------------------------- */

/* The common start of metadata: names of types, a trace with magic, UUID and
 * stream id, a clock of 1 GHz that starts at 1 s. */
#define TYPES                                                           \
    "typealias integer { size = 8; align = 8; } := u8;\n"               \
    "typealias integer { size = 16; align = 8; } := u16;\n"             \
    "typealias integer { size = 32; align = 8; } := u32;\n"             \
    "typealias integer { size = 64; align = 8; } := u64;\n"             \
    "typealias integer { size = 32; align = 8; signed = 1; } := i32;\n" \
    "typealias integer { size = 8; align = 8; encoding = UTF8; } := text;\n"
#define TRACE(order)                                                                   \
    TYPES "trace { major = 1; minor = 8; byte_order = " order                          \
          "; uuid = \"00010203-0405-0607-0809-0a0b0c0d0e0f\"; "                        \
          "packet.header := struct { u32 magic; u8 uuid[16]; u32 stream_id; }; };\n"   \
          "env { hostname = \"h1\"; domain = \"ust\"; };\n"                            \
          "clock { name = \"c\"; freq = 1000000000; offset_s = 1; };\n"                \
          "typealias integer { size = 27; align = 1; map = clock.c.value; } := t27;\n" \
          "typealias integer { size = 32; align = 8; map = clock.c.value; } := t32;\n" \
          "typealias integer { size = 64; align = 8; map = clock.c.value; } := t64;\n"
#define CONTEXT                                                                             \
    "packet.context := struct { u64 timestamp_begin; u64 timestamp_end; u64 content_size; " \
    "u64 packet_size; u64 events_discarded; u64 packet_seq_num; u32 cpu_id; };\n"
/* u32 id, u64 timestamp */
#define PLAIN "event.header := struct { u32 id; t64 timestamp; };\n"
#define COMPACT                                                                               \
    "event.header := struct { enum : integer { size = 5; align = 1; } { compact = 0 ... 30, " \
    "extended = 31 } id; variant <id> { struct { t27 timestamp; } compact; struct { u32 id; " \
    "t64 timestamp; } extended; } v; } align(8);\n"
#define LARGE                                                                              \
    "event.header := struct { enum : u16 { compact = 0 ... 65534, extended = 65535 } id; " \
    "variant <id> { struct { t32 timestamp; } compact; struct { u32 id; t64 timestamp; } " \
    "extended; } v; } align(8);\n"

#define STREAM(header) "stream { id = 0; " CONTEXT header "};\n"
#define EVENT(name, id, fields)                                                            \
    "event { name = \"" name "\"; id = " #id "; stream_id = 0; fields := struct { " fields \
    " }; };\n"

struct packet_info {
    uint64_t begin, end, discarded, seq;
    uint32_t cpu;
    uint64_t content, size; /* bits; 0 = as it is */
    size_t pad_to;          /* bytes */
};

enum { PACKET_HEADER = 24, PACKET_CONTEXT = 52, EVENTS_AT = PACKET_HEADER + PACKET_CONTEXT };

/* Room for the header of a packet; returns where the packet starts. */
static inline size_t packet_open(struct bits *w)
{
    size_t at = w->n;

    for (int i = 0; i < EVENTS_AT; i++)
        put(w, 0, 8);
    return at;
}

static inline void packet_close(struct bits *w, size_t at, struct packet_info p)
{
    uint64_t content = w->n - at;

    align_bits(w, 8);
    while (w->n / 8 - at / 8 < p.pad_to)
        put(w, 0, 8);
    uint64_t size = w->n - at;
    size_t end = w->n;

    w->n = at;
    put(w, 0xc1fc1fc1, 32);
    for (unsigned i = 0; i < 16; i++)
        put(w, i, 8);
    put(w, 0, 32);
    put(w, p.begin, 64);
    put(w, p.end, 64);
    put(w, p.content ? p.content : content, 64);
    put(w, p.size ? p.size : size, 64);
    put(w, p.discarded, 64);
    put(w, p.seq, 64);
    put(w, p.cpu, 32);
    w->n = end;
}

#endif
