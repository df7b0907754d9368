/* SPDX-License-Identifier: Apache-2.0
 *
 * nul.h -- the end of short texts in mapped files.
 *
 * Texts of events are short, and a call of memchr() costs more than looking.  Reads
 * up to 16 bytes behind 'n': for memory with that much room, as base/file.h makes it. */
#ifndef BASE_NUL_H
#define BASE_NUL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

/* Position of the first NUL among the 16 bytes at 'p'; 16 or more if there is none. */
static inline size_t nul_in_16(const void *p)
{
    __m128i v = _mm_loadu_si128((const __m128i *)p);

    return (size_t)__builtin_ctz(
        (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_setzero_si128())) | 1u << 16);
}
#else
/* Position of the first NUL in a word, 8 if there is none (H. S. Warren, Hacker's
 * Delight, 6-1). */
static inline size_t nul_in_word(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t zero = (word - ones) & ~word & (ones << 7);

    return zero ? (size_t)__builtin_ctzll(zero) >> 3 : 8;
}

static inline size_t nul_in_16(const void *p)
{
    uint64_t a, b;

    memcpy(&a, p, 8);
    memcpy(&b, (const char *)p + 8, 8);
    size_t n = nul_in_word(a);
    return n < 8 ? n : 8 + nul_in_word(b);
}
#endif

/* Position of the first NUL in the 'n' bytes at 'p', or 'n'. */
static inline size_t nul_within(const void *p, size_t n)
{
    for (size_t i = 0; i < n && i < 64; i += 16) {
        size_t at = nul_in_16((const char *)p + i);

        if (at < 16)
            return i + at < n ? i + at : n;
    }
    return n <= 64 ? n : 64 + strnlen((const char *)p + 64, n - 64);
}

#endif
