/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_packets.c -- well-formed metadata, and packets that are nearly so.
 *
 * The input is not the bytes of a trace but a script that writes them: which of
 * the layouts below, which packets with which times and sizes, which events,
 * and where a length, a size or a byte is to be wrong.  So most inputs get past the
 * checks of the headers, and small changes of the input are small changes of
 * the trace. */
#define _GNU_SOURCE
#include "tests/fuzz/ctf_touch.h"
#include "tests/fuzz/fuzz_dir.h"
#include "tests/unit/ctf_bits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define CLASSES                                                                               \
    EVENT("ints", 0, "u32 a; i32 b; u64 c; u8 d;")                                            \
    EVENT("text", 1, "u16 a; string s; i32 b;")                                               \
    EVENT("seq", 2, "u8 n; u16 v[n]; text name[16]; u8 x;")                                   \
    EVENT("var", 3,                                                                           \
          "enum : u8 { a = 0, b = 1, c = 2 ... 3 } tag; variant <tag> { u32 a; string b; "    \
          "struct { u8 n; u8 s[n]; } c; } v; u64 end;")                                       \
    EVENT("bits", 4,                                                                          \
          "integer { size = 3; align = 1; } x; integer { size = 7; align = 1; signed = 1; } " \
          "y; u32 z; floating_point { exp_dig = 11; mant_dig = 53; align = 8; } f;")          \
    EVENT("list", 5, "u8 n; struct { u8 k; u8 s[k]; string t; } list[n]; u8 end;")            \
    EVENT("empty", 6, "")                                                                     \
    EVENT("far", 40, "u32 x; string s;")

#define ALIGNED                                                                            \
    "typealias integer { size = 32; align = 32; map = clock.c.value; } := a32;\n"          \
    "typealias integer { size = 64; align = 64; map = clock.c.value; } := a64;\n"          \
    "stream { id = 0; " CONTEXT                                                            \
    "event.header := struct { enum : u16 { compact = 0 ... 65534, extended = 65535 } id; " \
    "variant <id> { struct { a32 timestamp; } compact; struct { integer { size = 32; "     \
    "align = 32; } id; a64 timestamp; } extended; } v; } align(8); };\n"
#define PLAIN64 "event.header := struct { u64 id; t64 timestamp; };\n"
/* Events refer to their header and to the packet's context. */
#define FAR                                                                                 \
    "stream { id = 0; " CONTEXT "event.header := struct { u8 id; t32 timestamp; u8 n; };\n" \
    "event.context := struct { u8 extra[stream.event.header.n]; u8 m; }; };\n"              \
    "event { name = \"cpu\"; id = 9; stream_id = 0; fields := struct { "                    \
    "u8 a[stream.event.context.m]; u8 b[stream.packet.context.packet_seq_num]; }; };\n"
/* No packet says when it begins. */
#define TIMELESS                                                                       \
    "stream { id = 0; packet.context := struct { u64 a; u64 b; u64 content_size; u64 " \
    "packet_size; u64 events_discarded; u64 packet_seq_num; u32 cpu_id; };\n" COMPACT "};\n"

enum header { H_COMPACT, H_LARGE, H_PLAIN, H_PLAIN64, H_ALIGNED, H_FAR };

static const struct layout {
    enum header header;
    bool be;
    const char *metadata;
} layouts[] = {
    { H_COMPACT, false, "/* CTF 1.8 */\n" TRACE("le") STREAM(COMPACT) CLASSES },
    { H_LARGE, false, "/* CTF 1.8 */\n" TRACE("le") STREAM(LARGE) CLASSES },
    { H_PLAIN, false, "/* CTF 1.8 */\n" TRACE("le") STREAM(PLAIN) CLASSES },
    { H_PLAIN64, false, "/* CTF 1.8 */\n" TRACE("le") STREAM(PLAIN64) CLASSES },
    { H_COMPACT, true, "/* CTF 1.8 */\n" TRACE("be") STREAM(COMPACT) CLASSES },
    { H_LARGE, true, "/* CTF 1.8 */\n" TRACE("be") STREAM(LARGE) CLASSES },
    { H_ALIGNED, false, "/* CTF 1.8 */\n" TRACE("le") ALIGNED CLASSES },
    { H_FAR, false, "/* CTF 1.8 */\n" TRACE("le") FAR CLASSES },
    { H_COMPACT, false, "/* CTF 1.8 */\n" TRACE("le") TIMELESS CLASSES },
};

struct script {
    const uint8_t *p, *end;
};

static uint64_t next(struct script *s, unsigned bytes)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < bytes; i++)
        v = v << 8 | (s->p < s->end ? *s->p++ : 0);
    return v;
}

static void put_header(struct bits *w, enum header h, uint64_t id, uint64_t t)
{
    unsigned id_bits = h == H_COMPACT ? 5 : 16, ts_bits = h == H_COMPACT ? 27 : 32;
    bool extended = id >= (h == H_COMPACT ? 31 : 65535);

    align_bits(w, 8);
    switch (h) {
    case H_PLAIN: put(w, id, 32); break;
    case H_PLAIN64: put(w, id, 64); break;
    case H_FAR:
        put(w, id, 8);
        put(w, t, 32);
        put(w, t & 3, 8);
        for (uint64_t i = 0; i < (t & 3); i++)
            put(w, i, 8);
        put(w, 1, 8);
        return;
    case H_COMPACT:
    case H_LARGE:
    case H_ALIGNED:
        put(w, extended ? (UINT64_C(1) << id_bits) - 1 : id, id_bits);
        if (extended || h == H_ALIGNED)
            align_bits(w, h == H_ALIGNED ? 32 : 8);
        if (!extended) {
            put(w, t, ts_bits);
            return;
        }
        put(w, id, 32);
        break;
    }
    if (h == H_ALIGNED)
        align_bits(w, 64);
    put(w, t, 64);
}

static void put_string(struct bits *w, struct script *s, bool without_nul)
{
    uint64_t n = next(s, 1) % 80;

    align_bits(w, 8);
    for (uint64_t i = 0; i < n; i++)
        put(w, 'a' + i % 26, 8);
    if (!without_nul)
        put(w, 0, 8);
}

/* 'wrong': the length is not that of what follows. */
static void put_counted(struct bits *w, struct script *s, unsigned bits, bool wrong)
{
    uint64_t n = next(s, 1) % 24;

    put(w, wrong ? 0xff : n, 8);
    for (uint64_t i = 0; i < n; i++)
        put(w, i, bits);
}

static void put_fields(struct bits *w, struct script *s, uint64_t id, bool wrong)
{
    uint64_t n;

    switch (id) {
    case 0:
        put(w, next(s, 2), 32);
        put(w, ~next(s, 1), 32);
        put(w, next(s, 4), 64);
        put(w, 7, wrong ? 1 : 8);
        break;
    case 1:
        put(w, next(s, 1), 16);
        put_string(w, s, wrong);
        put(w, 5, 32);
        break;
    case 2:
        put_counted(w, s, 16, wrong);
        put(w, next(s, 4), 64);
        put(w, next(s, 1), 64);
        put(w, 9, 8);
        break;
    case 3:
        n = wrong ? 200 : next(s, 1) % 4;
        put(w, n, 8);
        if (n == 0)
            put(w, next(s, 2), 32);
        else if (n == 1)
            put_string(w, s, false);
        else
            put_counted(w, s, 8, false);
        put(w, 11, 64);
        break;
    case 4:
        put(w, next(s, 1), 3);
        put(w, next(s, 1), 7);
        align_bits(w, 8);
        put(w, next(s, 2), 32);
        put(w, next(s, 8), 64);
        break;
    case 5:
        n = next(s, 1) % 4;
        put(w, wrong ? 0xfe : n, 8);
        for (uint64_t i = 0; i < n; i++) {
            put_counted(w, s, 8, false);
            put_string(w, s, false);
        }
        put(w, 13, 8);
        break;
    case 40:
        put(w, next(s, 2), 32);
        put_string(w, s, wrong);
        break;
    default: break;
    }
}

enum { PACKETS_MAX = 12, EVENTS_MAX = 40, FULL = BITS_MAX_BYTES - 4096 };

/* One packet; what is wrong with it is in the bits of its first byte. */
static void put_packet(struct bits *w, struct script *s, const struct layout *l, uint64_t *t,
                       uint64_t *seq)
{
    static const uint64_t ids[] = { 0, 1, 2, 3, 4, 5, 6, 40, 9, 30 };
    uint64_t wrong = next(s, 1), from = w->n / 8;
    size_t at = packet_open(w);
    struct packet_info p = { .begin = *t, .cpu = (uint32_t)(from % 3) };
    uint64_t n = next(s, 1) % EVENTS_MAX;

    for (uint64_t i = 0; i < n && w->n / 8 < FULL; i++) {
        uint64_t what = next(s, 1), id = ids[what % ARRAY_SIZE(ids)];

        *t += what & 0x80 ? next(s, 4) : next(s, 1);
        put_header(w, l->header, id, wrong & 1 && what == 0xff ? 0 : *t);
        put_fields(w, s, id, wrong & 2 && what >= 0xf0);
    }
    p.end = *t - (wrong & 4 ? next(s, 1) : 0);
    p.discarded = next(s, 1);
    p.seq = *seq += 1 + (wrong & 8 ? next(s, 1) : 0);
    p.content = wrong & 16 ? next(s, 2) : 0;
    p.size = wrong & 32 ? next(s, 2) * 8 : 0;
    p.pad_to = wrong & 64 ? next(s, 1) : 0;
    packet_close(w, at, p);
    if (wrong & 128 && w->n / 8 > from)
        w->b[from + next(s, 2) % (w->n / 8 - from)] ^= (uint8_t)next(s, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct bits w;
    struct script s = { data, data + n };
    const struct layout *l = &layouts[next(&s, 1) % ARRAY_SIZE(layouts)];
    uint64_t t = 1000, seq = 0, split = next(&s, 1) % PACKETS_MAX;
    size_t first = 0;
    struct notes notes = { 0 };
    struct touched touched;

    w.n = 0;
    w.be = l->be;
    for (int i = 0; i < PACKETS_MAX && s.p < s.end && w.n / 8 < FULL; i++) {
        put_packet(&w, &s, l, &t, &seq);
        align_bits(&w, 8);
        if (i == (int)split)
            first = w.n / 8;
    }
    size_t all = (w.n + 7) / 8, cut = n ? data[n - 1] % 64 : 0;
    fuzz_make_dir();
    fuzz_write("metadata", l->metadata, strlen(l->metadata));
    fuzz_write("s0", w.b, first);
    fuzz_write("s1", w.b + first, all - first > cut ? all - first - cut : 0);
    touch_dir(fuzz_dir, &notes, &touched);
    touch_reader(fuzz_dir, &notes, &touched);
    notes_free(&notes);
    return 0;
}
