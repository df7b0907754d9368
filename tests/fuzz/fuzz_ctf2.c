/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_ctf2.c -- the JSON texts of CTF 2 metadata, and a packet for its programs. */
#include "tests/fuzz/meta_touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    touch_metadata(data, n, ctf2_parse);
    return 0;
}
