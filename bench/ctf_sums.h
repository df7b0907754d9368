/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_sums.h -- what readers of a trace have seen, as sums that must be equal. */
#ifndef BENCH_CTF_SUMS_H
#define BENCH_CTF_SUMS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>

struct sums {
    uint64_t events;
    uint64_t times; /* sum of time * position: sees the order */
    uint64_t ints, floats, bytes;
};

/* Kept small enough that each use inlines it. */
static inline void add_time(struct sums *s, int64_t t)
{
    s->times += (uint64_t)t * ++s->events;
}

/* Every byte of a text, eight at a time; zeros behind the last.  For texts of a mapped
 * trace, where sixteen bytes can be read from any on. */
static inline void add_text(struct sums *s, const char *p, size_t n)
{
    /* clang-format off */
#define HALF(N) (N) ? UINT64_MAX >> (64 - 8 * ((N) ? (N) : 1)) : 0
#define MASKS(N) { HALF((N) < 8 ? (N) : 8), HALF((N) < 8 ? 0 : (N) - 8) }
    static const uint64_t masks[16 + 1][2] = {
        MASKS(0), MASKS(1), MASKS(2), MASKS(3), MASKS(4), MASKS(5), MASKS(6), MASKS(7), MASKS(8),
        MASKS(9), MASKS(10), MASKS(11), MASKS(12), MASKS(13), MASKS(14), MASKS(15), MASKS(16),
    };
    /* clang-format on */
    uint64_t word[2];

    for (; n > 16; n -= 16, p += 16) {
        memcpy(word, p, sizeof word);
        s->bytes += word[0] + word[1];
    }
    memcpy(word, p, sizeof word);
    s->bytes += (word[0] & masks[n][0]) + (word[1] & masks[n][1]);
}

static inline void add_float(struct sums *s, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    s->floats += bits;
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

#endif
