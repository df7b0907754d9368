/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_ctf.c -- metadata and one stream from bytes: opened and read to the end.
 *
 * The input is the text of the metadata, a NUL, and the stream. */
#define _GNU_SOURCE
#include "tests/fuzz/ctf_touch.h"
#include "tests/fuzz/fuzz_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    size_t text = nul ? (size_t)(nul - data) : n;
    struct notes notes = { 0 };
    struct touched t;

    fuzz_make_dir();
    fuzz_write("metadata", data, text);
    fuzz_write("stream", nul ? nul + 1 : NULL, nul ? n - text - 1 : 0);
    touch_dir(fuzz_dir, &notes, &t);
    touch_reader(fuzz_dir, &notes, &t);
    notes_free(&notes);
    return 0;
}
