/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_tsdl.c -- the text of CTF 1.8 metadata, and a packet for its programs. */
#include "tests/fuzz/meta_touch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    touch_metadata(data, n, tsdl_parse);
    return 0;
}
