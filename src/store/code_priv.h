/* SPDX-License-Identifier: Apache-2.0
 *
 * code_priv.h -- how numbers are written in blocks so that one of them can be read
 * without the others.
 *
 *   varint   7 bits a byte, the lowest first; signed ones zigzag
 *   column   n numbers or STORE_NULLs as codes of equal width.  Numbers: what is
 *            added to the least one, without trailing zero bits that all have.
 *            Words: few different ones, by position in a list.
 *   steps    n ascending numbers up to the last one, 'span', as Elias and Fano code
 *            them (P. Elias, J. ACM 21, 1974): the lower l bits of each side by
 *            side, the upper parts in unary, together about 2 + log2(span / n)
 *            bits each, which is within half a bit of the least possible for
 *            instants that come at random.
 *
 * Decoding trusts nothing: it stays within the bytes it was given, 8 before them
 * and BLOCK_SLACK behind them, and says false when they make no sense. */
#ifndef STORE_CODE_PRIV_H
#define STORE_CODE_PRIV_H

#include "store/format_priv.h"
#include "store/io_priv.h"
#include "store/store.h"

/* --- writing ----------------------------------------------------------------------- */

/* Bytes that grow.  Whoever puts reserves first, so that putting can't fail. */
struct out {
    uint8_t *at;
    size_t n, cap;
};

enum { VARINT_MAX = 10 };
static inline void put_varint(struct out *o, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        o->at[o->n++] = (uint8_t)(v | 0x80);
    o->at[o->n++] = (uint8_t)v;
}
static inline uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}
static inline int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1 ^ (0 - (v & 1)));
}

/* Room that a column or steps of 'n' numbers may take. */
static inline size_t code_room(size_t n)
{
    return 9 * n + 640;
}
void put_column(struct out *o, const cell_t *v, size_t n);
/* 'x' ascending strictly, from 1 on. */
void put_steps(struct out *o, const uint64_t *x, size_t n);

/* --- reading ----------------------------------------------------------------------- */

struct in {
    const uint8_t *p, *end;
    bool bad; /* went over the end */
};

/* Of 'o', which may be empty. */
static inline struct in in_stream(const struct out *o)
{
    static const uint8_t none[1];

    return o->n ? (struct in){ o->at, o->at + o->n, false } : (struct in){ none, none, false };
}

static inline uint64_t get_varint(struct in *in)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->p >= in->end)
            break;
        uint8_t b = *in->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80)
            return v;
    }
    in->bad = true;
    return 0;
}

/* 'width' is at most 56, or 64 and then 'bit' is a multiple of 8. */
static inline uint64_t get_bits(const uint8_t *p, uint64_t bit, unsigned width)
{
    uint64_t v = get64(p + (bit >> 3));

    return width == 64 ? v : v >> (bit & 7) & ((UINT64_C(1) << width) - 1);
}

struct column {
    const uint8_t *codes, *words; /* words: NULL = numbers */
    uint64_t least;
    uint32_t n, nwords;
    uint8_t width, shift, word_bits;
    bool nulls; /* code 0 is STORE_NULL */
};
/* Takes a column of 'n' from 'in'; false if it is none. */
bool get_column(struct in *in, size_t n, struct column *ret);
static inline cell_t column_value(const struct column *c, uint64_t code)
{
    if (c->nulls) {
        if (code == 0)
            return STORE_NULL;
        code--;
    }
    if (c->words)
        code = code < c->nwords ? get_bits(c->words, code * c->word_bits, c->word_bits) : 0;
    return (cell_t)(c->least + (code << c->shift));
}
static inline cell_t column_at(const struct column *c, uint32_t i)
{
    return column_value(c, c->width ? get_bits(c->codes, (uint64_t)i * c->width, c->width) : 0);
}
void column_all(const struct column *c, cell_t *ret);

struct steps {
    const uint8_t *upper, *lower;
    uint64_t span;
    uint32_t n, upper_bits;
    uint8_t l;
};
bool get_steps(struct in *in, size_t n, uint64_t span, struct steps *ret);
/* All of them, from 'base' on: 'ret' has room for n + STEPS_SLACK.  False if they don't
 * ascend to 'span'. */
enum { STEPS_SLACK = 64 };
bool steps_all(const struct steps *s, ns_t base, ns_t *ret);
/* The step interval around 'd' < span: its number and its bounds, *lo <= d < *hi, where
 * number 0 begins at 0 and number i at the i-th step; UINT32_MAX if the bytes make no
 * sense. */
uint32_t steps_find(const struct steps *s, uint64_t d, uint64_t *lo, uint64_t *hi);

#endif
