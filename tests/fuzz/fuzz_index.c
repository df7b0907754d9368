/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_index.c -- an index file from bytes, beside a stream of four packets of
 * which some are damaged, so that the index is asked where the next one is.
 *
 * The first two bytes of the input say which packets, the rest is the index: as it
 * is, or, if the first byte is odd, behind a valid header. */
#define _GNU_SOURCE
#include "tests/fuzz/ctf_touch.h"
#include "tests/fuzz/fuzz_dir.h"
#include "tests/unit/ctf_bits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char metadata[] =
    "/* CTF 1.8 */\n" TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u32 x; string s;");

enum { PACKETS = 4, HEADER = 16 };

static void put_packets(struct bits *w, unsigned damaged)
{
    w->n = 0;
    for (unsigned i = 0; i < PACKETS; i++) {
        size_t at = packet_open(w);

        for (uint64_t k = 0; k < 3; k++) {
            put(w, 0, 32);
            put(w, i * 100 + k, 64);
            put(w, k, 32);
            put_text(w, "text");
        }
        packet_close(
            w, at,
            (struct packet_info){ .begin = i * 100, .end = i * 100 + 9, .seq = i, .pad_to = 256 });
        if (damaged >> i & 1)
            w->b[at / 8] ^= 0xff; /* the magic number */
        if (damaged >> i & 16)
            memset(w->b + at / 8 + 40, 0xee, 16); /* its sizes */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t head[HEADER] = { 0xc1, 0xf1, 0xdc, 0xc1, 0, 0, 0, 1,
                                          0,    0,    0,    1,    0, 0, 0, 72 };
    static struct bits w;
    uint8_t *index = xcalloc(1, n + HEADER);
    size_t skip = n < 2 ? n : 2, used = 0;
    struct notes notes = { 0 };
    struct touched touched;

    put_packets(&w, n > 1 ? data[1] : 0);
    if (n && data[0] & 1) {
        memcpy(index, head, HEADER);
        used = HEADER;
    }
    memcpy(index + used, data + skip, n - skip);
    fuzz_make_dir();
    fuzz_write("metadata", metadata, sizeof metadata - 1);
    fuzz_write("s0", w.b, w.n / 8);
    fuzz_write("index/s0.idx", index, used + n - skip);
    touch_dir(fuzz_dir, &notes, &touched);
    notes_free(&notes);
    free(index);
    return 0;
}
