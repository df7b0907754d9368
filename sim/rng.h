/* SPDX-License-Identifier: Apache-2.0
 *
 * rng.h -- the simulator's random numbers: xoshiro256** seeded by splitmix64
 * (Blackman and Vigna, public domain algorithms).  Our own, so that one seed
 * gives one cloud on every machine and for ever. */
#ifndef SIM_RNG_H
#define SIM_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};

static inline void rng_seed(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

        z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
        r->s[i] = z ^ (z >> 31);
    }
}

static inline uint64_t rng_u64(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t x = s[1] * 5;
    uint64_t ret = ((x << 7) | (x >> 57)) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = (s[3] << 45) | (s[3] >> 19);
    return ret;
}

/* A number in [0, n); n > 0.  The tiny bias of the product does not matter here. */
static inline uint64_t rng_below(struct rng *r, uint64_t n)
{
    return (uint64_t)(((unsigned __int128)rng_u64(r) * n) >> 64);
}

/* A number in [0, 1), a multiple of 2^-53. */
static inline double rng_unit(struct rng *r)
{
    return (double)(rng_u64(r) >> 11) * 0x1p-53;
}

/* 'median' stretched as services do it: usually 0.85 to 1.25 times, rarely
 * up to 1.75 times. */
static inline int64_t rng_around(struct rng *r, int64_t median)
{
    double u = rng_unit(r);
    double tail = rng_unit(r);

    tail *= tail;
    tail *= tail;
    tail *= tail;
    return (int64_t)((double)median * (0.85 + 0.4 * u + 0.5 * tail));
}

#endif
