/* SPDX-License-Identifier: Apache-2.0
 *
 * code.c -- see code_priv.h. */
#include "store/code_priv.h"

/* --- bits -------------------------------------------------------------------------- */

struct bit_out {
    uint8_t *p;
    uint64_t word;
    unsigned n; /* bits in 'word', below 8 between calls */
};

static inline void bits_put(struct bit_out *b, uint64_t v, unsigned width)
{
    if (width == 64) {
        put64(b->p, v);
        b->p += 8;
        return;
    }
    b->word |= v << b->n;
    b->n += width;
    put64(b->p, b->word);
    b->p += b->n >> 3;
    b->word >>= b->n & 56;
    b->n &= 7;
}

static uint8_t *bits_end(struct bit_out *b)
{
    if (b->n)
        *b->p++ = (uint8_t)b->word;
    return b->p;
}

static unsigned bits_for(uint64_t v)
{
    unsigned n = v ? 64 - (unsigned)__builtin_clzll(v) : 0;

    return n > 56 ? 64 : n;
}

static size_t bytes_for(uint64_t n, unsigned width)
{
    return (size_t)((n * width + 7) / 8);
}

/* --- columns ----------------------------------------------------------------------- */

enum {
    COLUMN_NULLS = 1,
    COLUMN_WORDS = 2,
    WORDS_MAX = 63, /* of a column; more are written as numbers */
    WORDS_SLOTS = 128,
};

struct word_list {
    cell_t words[WORDS_MAX];
    uint8_t slots[WORDS_SLOTS]; /* position + 1 */
    size_t n;
};

/* Position of 'v' among the words, added when new; WORDS_MAX = no room. */
static inline size_t word_of(struct word_list *w, cell_t v)
{
    size_t i = (size_t)(((uint64_t)v * UINT64_C(0x9E3779B97F4A7C15)) >> 57);

    for (; w->slots[i]; i = (i + 1) % WORDS_SLOTS)
        if (w->words[w->slots[i] - 1] == v)
            return w->slots[i] - 1u;
    if (w->n == WORDS_MAX)
        return WORDS_MAX;
    w->words[w->n++] = v;
    w->slots[i] = (uint8_t)w->n;
    return w->n - 1;
}

/* Codes as words, if that is shorter than 'limit' bytes. */
static bool put_words(struct out *o, const cell_t *v, size_t n, bool nulls, cell_t least,
                      unsigned word_bits, size_t limit)
{
    struct word_list w;
    struct bit_out b;

    w.n = 0;
    memset(w.slots, 0, sizeof w.slots);
    for (size_t i = 0; i < n; i++)
        if (v[i] != STORE_NULL && word_of(&w, v[i]) == WORDS_MAX)
            return false;
    unsigned width = bits_for(w.n - 1 + nulls);
    if (3 + bytes_for(w.n, word_bits) + bytes_for(n, width) >= limit)
        return false;
    o->at[o->n++] = (uint8_t)(COLUMN_WORDS | (nulls ? COLUMN_NULLS : 0));
    o->at[o->n++] = (uint8_t)width;
    put_varint(o, zigzag(least));
    o->at[o->n++] = (uint8_t)w.n;
    o->at[o->n++] = (uint8_t)word_bits;
    b = (struct bit_out){ .p = o->at + o->n };
    for (size_t i = 0; i < w.n; i++)
        bits_put(&b, (uint64_t)w.words[i] - (uint64_t)least, word_bits);
    b = (struct bit_out){ .p = bits_end(&b) };
    for (size_t i = 0; i < n; i++)
        bits_put(&b, v[i] == STORE_NULL ? 0 : word_of(&w, v[i]) + nulls, width);
    o->n = (size_t)(bits_end(&b) - o->at);
    return true;
}

void put_column(struct out *o, const cell_t *v, size_t n)
{
    cell_t least = INT64_MAX, most = INT64_MIN;
    uint64_t all = 0;
    bool nulls = false;

    for (size_t i = 0; i < n; i++) {
        bool null = v[i] == STORE_NULL;

        nulls |= null;
        least = !null && v[i] < least ? v[i] : least;
        most = v[i] > most ? v[i] : most;
    }
    if (most == INT64_MIN) /* nothing but nulls */
        least = most = 0;
    for (size_t i = 0; i < n; i++)
        all |= v[i] == STORE_NULL ? 0 : (uint64_t)v[i] - (uint64_t)least;
    unsigned shift = all ? (unsigned)__builtin_ctzll(all) : 0;
    uint64_t range = (uint64_t)most - (uint64_t)least;
    unsigned width = bits_for((range >> shift) + nulls);

    if (width > 6 && n >= 16 &&
        put_words(o, v, n, nulls, least, bits_for(range), bytes_for(n, width)))
        return;
    o->at[o->n++] = nulls ? COLUMN_NULLS : 0;
    o->at[o->n++] = (uint8_t)width;
    put_varint(o, zigzag(least));
    o->at[o->n++] = (uint8_t)shift;
    struct bit_out b = { .p = o->at + o->n };
    if (width)
        for (size_t i = 0; i < n; i++)
            bits_put(&b,
                     v[i] == STORE_NULL ? 0 : (((uint64_t)v[i] - (uint64_t)least) >> shift) + nulls,
                     width);
    o->n = (size_t)(bits_end(&b) - o->at);
}

static bool take(struct in *in, size_t n, const uint8_t **ret)
{
    if (in->bad || n > (size_t)(in->end - in->p))
        return false;
    *ret = in->p;
    in->p += n;
    return true;
}

static bool width_ok(unsigned width)
{
    return width <= 56 || width == 64;
}

bool get_column(struct in *in, size_t n, struct column *ret)
{
    const uint8_t *head;

    if (!take(in, 2, &head) || head[0] > (COLUMN_NULLS | COLUMN_WORDS) || !width_ok(head[1]))
        return false;
    *ret = (struct column){ .n = (uint32_t)n, .width = head[1] };
    ret->nulls = head[0] & COLUMN_NULLS;
    ret->least = (uint64_t)unzigzag(get_varint(in));
    if (head[0] & COLUMN_WORDS) {
        if (!take(in, 2, &head) || head[0] == 0 || !width_ok(head[1]))
            return false;
        ret->nwords = head[0];
        ret->word_bits = head[1];
        if (!take(in, bytes_for(head[0], head[1]), &ret->words))
            return false;
    } else {
        if (!take(in, 1, &head) || head[0] > 63)
            return false;
        ret->shift = head[0];
    }
    return take(in, bytes_for(n, ret->width), &ret->codes);
}

void column_all(const struct column *c, cell_t *ret)
{
    uint32_t n = c->n;

    if (c->width == 0 || c->words) {
        for (uint32_t i = 0; i < n; i++)
            ret[i] = column_at(c, i);
        return;
    }
    uint64_t least = c->least - (c->nulls ? UINT64_C(1) << c->shift : 0);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t code = get_bits(c->codes, (uint64_t)i * c->width, c->width);

        ret[i] = c->nulls && code == 0 ? STORE_NULL : (cell_t)(least + (code << c->shift));
    }
}

/* --- steps ------------------------------------------------------------------------- */

static unsigned lower_bits(size_t n, uint64_t span)
{
    unsigned l = span / n ? 63 - (unsigned)__builtin_clzll(span / n) : 0;

    return l > 56 ? 56 : l;
}

void put_steps(struct out *o, const uint64_t *x, size_t n)
{
    uint64_t span = x[n - 1];
    unsigned l = lower_bits(n, span);
    size_t upper = bytes_for(n + (span >> l) + 1, 1);
    uint8_t *p = o->at + o->n;
    struct bit_out b = { .p = p + upper };
    uint64_t mask = (UINT64_C(1) << l) - 1;

    memset(p, 0, upper);
    for (size_t i = 0; i < n; i++) {
        uint64_t bit = (x[i] >> l) + i;

        p[bit >> 3] = (uint8_t)(p[bit >> 3] | 1u << (bit & 7));
        bits_put(&b, x[i] & mask, l);
    }
    o->n = (size_t)(bits_end(&b) - o->at);
}

bool get_steps(struct in *in, size_t n, uint64_t span, struct steps *ret)
{
    if (n == 0 || span < n)
        return false;
    unsigned l = lower_bits(n, span);
    uint64_t upper_bits = n + (span >> l) + 1;

    *ret = (struct steps){
        .span = span, .n = (uint32_t)n, .upper_bits = (uint32_t)upper_bits, .l = (uint8_t)l
    };
    return take(in, bytes_for(upper_bits, 1), &ret->upper) &&
           take(in, bytes_for(n, l), &ret->lower);
}

/* Upper bits from 'bit' (a multiple of 64) on; zeros behind the last one. */
static inline uint64_t upper_word(const struct steps *s, uint32_t bit)
{
    uint64_t w = get64(s->upper + (bit >> 3));
    uint32_t left = s->upper_bits - bit;

    return left >= 64 ? w : w & ((UINT64_C(1) << left) - 1);
}

bool steps_all(const struct steps *s, ns_t base, ns_t *ret)
{
    const unsigned l = s->l;
    const uint8_t *const lower = s->lower;
    const uint64_t mask = (UINT64_C(1) << l) - 1;
    uint32_t i = 0, n = s->n;
    uint64_t before = 0, low_bit = 0;
    bool up = true;

    for (uint32_t bit = 0; bit < s->upper_bits; bit += 64) {
        /* A word adds at most 64 more: they are written, then seen to be too many. */
        for (uint64_t word = upper_word(s, bit); word; word &= word - 1, i++, low_bit += l) {
            uint64_t high = bit + (uint32_t)__builtin_ctzll(word) - i;
            uint64_t x = high << l | (get64(lower + (low_bit >> 3)) >> (low_bit & 7) & mask);

            up &= x > before;
            before = x;
            ret[i] = (ns_t)((uint64_t)base + x);
        }
        if (i > n)
            return false;
    }
    return up && i == n && before == s->span;
}

#define BYTES UINT64_C(0x0101010101010101)

/* In each byte the number of ones in it and the bytes below it. */
static inline uint64_t ones_up_to_byte(uint64_t x)
{
    x -= x >> 1 & UINT64_C(0x5555555555555555);
    x = (x & UINT64_C(0x3333333333333333)) + (x >> 2 & UINT64_C(0x3333333333333333));
    x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return x * BYTES;
}

/* Goes on with the lower or the upper half of 'bits', whichever has one number 'k'. */
static inline void in_half(unsigned half, unsigned *bits, unsigned *k, unsigned *at)
{
    static const uint8_t ones_of[16] = { 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4 };
    unsigned n = ones_of[*bits & ((1u << half) - 1)], upper = *k >= n;

    *k -= n & (0 - upper);
    *bits >>= half & (0 - upper);
    *at += half & (0 - upper);
}

/* Position of one number 'k' of 'x', which has more than 'k' ones; 'ones' as above (S. Vigna,
 * "Broadword implementation of rank/select queries", 2008). */
static inline unsigned select_one(uint64_t x, unsigned k, uint64_t ones)
{
    uint64_t not_over = (((k * BYTES) | (BYTES << 7)) - ones) & BYTES << 7;
    unsigned at = (unsigned)((not_over >> 7) * BYTES >> 53 & ~7u);
    unsigned bits = (unsigned)(x >> at & 0xff);

    k -= (unsigned)(ones << 8 >> at & 0xff);
    in_half(4, &bits, &k, &at);
    in_half(2, &bits, &k, &at);
    in_half(1, &bits, &k, &at);
    return at;
}

/* The bit behind zero number 'h' - 1: where the steps with upper part 'h' begin. */
static uint32_t behind_zero(const struct steps *s, uint64_t h)
{
    uint64_t seen = 0;

    if (h == 0)
        return 0;
    for (uint32_t bit = 0; bit < s->upper_bits; bit += 64) {
        uint64_t zeros = ~get64(s->upper + (bit >> 3));
        uint64_t ones = ones_up_to_byte(zeros);

        if (seen + (ones >> 56) >= h)
            return bit + select_one(zeros, (unsigned)(h - 1 - seen), ones) + 1;
        seen += ones >> 56;
    }
    return UINT32_MAX;
}

/* The last bit that is set before 'bit', or UINT32_MAX. */
static uint32_t set_before(const struct steps *s, uint32_t bit)
{
    for (uint32_t at = bit & ~63u;; at -= 64) {
        uint64_t w = upper_word(s, at);

        if (bit - at < 64)
            w &= (UINT64_C(1) << (bit - at)) - 1;
        if (w)
            return at + 63 - (uint32_t)__builtin_clzll(w);
        if (at == 0)
            return UINT32_MAX;
    }
}

/* The first bit that is set at or after 'bit', or UINT32_MAX. */
static uint32_t set_from(const struct steps *s, uint32_t bit)
{
    uint64_t skip = ~UINT64_C(0) << (bit & 63);

    for (uint32_t at = bit & ~63u; at < s->upper_bits; at += 64, skip = ~UINT64_C(0)) {
        uint64_t w = upper_word(s, at) & skip;

        if (w)
            return at + (uint32_t)__builtin_ctzll(w);
    }
    return UINT32_MAX;
}

static inline uint64_t step_at(const struct steps *s, uint32_t i, uint32_t bit)
{
    return (uint64_t)(bit - i) << s->l | get_bits(s->lower, (uint64_t)i * s->l, s->l);
}

/* The interval around 'd', when 'bit' is where the steps with its upper part begin, the
 * first of which is number 'i': one by one. */
static uint32_t find_slowly(const struct steps *s, uint64_t d, uint32_t i, uint32_t bit,
                            uint64_t *lo, uint64_t *hi)
{
    uint32_t begin = bit;

    for (;; i++, bit++) {
        uint32_t next = set_from(s, bit);

        if (next == UINT32_MAX || i >= s->n)
            return UINT32_MAX;
        *hi = step_at(s, i, next);
        if (*hi > d)
            break;
        if (next != bit)
            return UINT32_MAX;
        *lo = *hi;
    }
    if (bit == begin) { /* none of them was before 'd' */
        uint32_t last = i ? set_before(s, bit) : UINT32_MAX;

        if (i && last == UINT32_MAX)
            return UINT32_MAX;
        *lo = i ? step_at(s, i - 1, last) : 0;
    }
    return *lo <= d ? i : UINT32_MAX;
}

/* Most often the answer is among the step before 'bit' and the two behind it, all of
 * them near: which of them is found without a branch, since nobody can foresee it. */
uint32_t steps_find(const struct steps *s, uint64_t d, uint64_t *lo, uint64_t *hi)
{
    uint64_t h = d >> s->l;
    uint32_t bit = behind_zero(s, h);

    if (bit == UINT32_MAX || bit - h >= s->n || bit >= s->upper_bits)
        return UINT32_MAX;
    uint32_t i = (uint32_t)(bit - h), left = s->upper_bits - bit;
    uint64_t ahead = get64(s->upper + (bit >> 3)) >> (bit & 7);
    uint64_t back = get64(s->upper + (bit >> 3) - 7) << (8 - (bit & 7));

    ahead &= left < 56 ? (UINT64_C(1) << left) - 1 : (UINT64_C(1) << 56) - 1;
    uint64_t more = ahead & (ahead - 1);
    if (!ahead || (i && !back) || (!more && i + 1 < s->n))
        return find_slowly(s, d, i, bit, lo, hi);
    uint32_t first = bit + (uint32_t)__builtin_ctzll(ahead);
    uint32_t second = bit + (uint32_t)__builtin_ctzll(more | UINT64_C(1) << 63);
    uint32_t last = bit - 1 - (uint32_t)__builtin_clzll(back | 1);
    if (i && (last >= bit || last + 1 < i))
        return find_slowly(s, d, i, bit, lo, hi);
    uint64_t x0 = step_at(s, i - (i > 0), last), x1 = step_at(s, i, first);
    uint64_t x2 = step_at(s, i + 1, second);
    x0 = i ? x0 : 0;
    x2 = more ? x2 : UINT64_MAX;
    bool past = x1 <= d;
    if (x0 > d || (past & (x2 <= d)) || i + past >= s->n)
        return find_slowly(s, d, i, bit, lo, hi);
    *lo = past ? x1 : x0;
    *hi = past ? x2 : x1;
    return i + past;
}
