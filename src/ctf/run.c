/* SPDX-License-Identifier: Apache-2.0
 *
 * run.c -- steps over the bytes of a scope; see prog.h.
 *
 * Nothing here trusts the bytes: every step checks that it stays inside the
 * packet before it reads, and a count from the data is compared with the bits
 * that are left before it is multiplied. */
#include "ctf/prog.h"

#include "base/nul.h"

uint64_t ctf_bits_le(const uint8_t *p, uint64_t pos, unsigned bits)
{
    const uint8_t *b = p + (pos >> 3);
    unsigned shift = pos & 7, n = (shift + bits + 7) / 8;
    uint64_t v = 0;

    for (unsigned i = 0; i < n && i < 8; i++)
        v |= (uint64_t)b[i] << (8 * i);
    v >>= shift;
    if (n > 8)
        v |= (uint64_t)b[8] << (64 - shift);
    return bits < 64 ? v & (((uint64_t)1 << bits) - 1) : v;
}

uint64_t ctf_bits_be(const uint8_t *p, uint64_t pos, unsigned bits)
{
    const uint8_t *b = p + (pos >> 3);
    unsigned shift = pos & 7, n = (shift + bits + 7) / 8;
    __uint128_t v = 0;

    for (unsigned i = 0; i < n; i++)
        v = v << 8 | b[i];
    v >>= 8 * n - shift - bits;
    return bits < 64 ? (uint64_t)v & (((uint64_t)1 << bits) - 1) : (uint64_t)v;
}

static uint64_t reverse(uint64_t v, unsigned bits)
{
    uint64_t r = 0;

    for (unsigned i = 0; i < bits; i++)
        r |= (v >> i & 1) << (bits - 1 - i);
    return r;
}

enum { LEB_BYTES = 10 }; /* of 64 bits */

uint64_t ctf_leb(const uint8_t *p, bool is_signed, unsigned *ret_bytes)
{
    uint64_t v = 0;
    unsigned n = 0;

    do {
        v |= (uint64_t)(p[n] & 0x7f) << (7 * n);
        n++;
    } while (n < LEB_BYTES && p[n - 1] & 0x80);
    if (is_signed && 7 * n < 64 && p[n - 1] & 0x40)
        v |= ~UINT64_C(0) << (7 * n);
    if (ret_bytes)
        *ret_bytes = n;
    return v;
}

uint64_t ctf_load_slow(const uint8_t *p, uint64_t pos, struct ctf_load l)
{
    uint64_t v;

    switch ((enum ctf_load_kind)l.kind) {
    case LOAD_BE: /* the eight bytes from its first on, as for LOAD_LE */
        memcpy(&v, p + (pos >> 3), 8);
        v = __builtin_bswap64(v) >> l.shift;
        break;
    case LOAD_BITS_BE: v = ctf_bits_be(p, pos, l.bits); break;
    case LOAD_BITS_LE: v = ctf_bits_le(p, pos, l.bits); break;
    case LOAD_REV_LE: v = reverse(ctf_bits_le(p, pos, l.bits), l.bits); break;
    case LOAD_REV_BE: v = reverse(ctf_bits_be(p, pos, l.bits), l.bits); break;
    case LOAD_LEB: return ctf_leb(p + (pos >> 3), l.is_signed, NULL);
    case LOAD_LE:
    default: return ctf_load_at(p, pos, l);
    }
    return l.is_signed ? (uint64_t)((int64_t)(v << l.shift) >> l.shift) : v;
}

static uint64_t fail(struct ctf_run *run, const char *why)
{
    run->why = why;
    return UINT64_MAX;
}

static const char past_end[] = "a field ends after the packet's content";

__attribute__((noinline, cold)) static uint64_t step_wide_string(struct ctf_run *run, uint64_t pos,
                                                                 uint64_t unit)
{
    uint64_t end = run->end >> 3;

    for (uint64_t at = (pos + 7) >> 3; at <= end && end - at >= unit; at += unit) {
        uint8_t any = 0;

        for (uint64_t i = 0; i < unit; i++)
            any |= run->p[at + i];
        if (!any)
            return (at + unit) << 3;
    }
    return fail(run, "a string has no NUL before the end of the packet's content");
}

/* CTF 2.0, "Variable-length integer field decoding": at most 64 bits are read. */
__attribute__((noinline)) static uint64_t step_leb(struct ctf_run *run, const struct ctf_op *op,
                                                   uint64_t pos)
{
    uint64_t at = pos >> 3, end = run->end >> 3;
    unsigned n = 0;

    while (at + n < end && n < LEB_BYTES && run->p[at + n] & 0x80)
        n++;
    if (at + n >= end)
        return fail(run, past_end);
    uint8_t last = run->p[at + n];
    if (n == LEB_BYTES ||
        (n == LEB_BYTES - 1 && (op->load.is_signed ? last != 0 && last != 0x7f : last > 1)))
        return fail(run, "an integer of variable length is over 64 bits");
    uint64_t v = ctf_leb(run->p + at, op->load.is_signed, NULL);
    if (op->slot >= 0)
        run->slot[op->slot] = v;
    if (op->count & LEB_IS_ID)
        run->id = v;
    if (op->count & LEB_IS_CLOCK) {
        run->clock = ctf_clock_step(run->clock, v, 7 * (n + 1));
        run->has_clock = true;
    }
    return (at + n + 1) << 3;
}

static inline uint64_t step_string(struct ctf_run *run, uint64_t pos)
{
    uint64_t at = (pos + 7) >> 3, n = run->end >> 3;

    if (at >= n)
        return fail(run, past_end);
    at += nul_within(run->p + at, n - at);
    if (at == n)
        return fail(run, "a string has no NUL before the end of the packet's content");
    return (at + 1) << 3;
}

static inline uint64_t step_seq(struct ctf_run *run, const struct ctf_op *op, uint64_t n,
                                uint64_t pos)
{
    if (n == 0 || op->stride == 0)
        return pos;
    if (n - 1 > (run->end - pos) / op->stride)
        return fail(run, "a sequence is longer than what is left of the packet");
    return pos + (n - 1) * op->stride + op->bits;
}

static uint64_t run_ops(struct ctf_run *run, const struct ctf_op *ops, uint32_t nops, uint64_t pos);

static uint64_t step_loop(struct ctf_run *run, const struct ctf_op *op, uint64_t pos)
{
    uint64_t n = op->slot >= 0 ? run->slot[op->slot] : op->count;

    for (uint64_t i = 0; i < n; i++) {
        uint64_t before = pos;

        pos = run_ops(run, op + 1, op->nbody, pos);
        if (pos == UINT64_MAX || pos == before) /* elements without bits: all alike */
            break;
    }
    return pos;
}

static uint64_t step_variant(struct ctf_run *run, const struct ctf_op *op, uint64_t pos)
{
    const struct ctf_type *v = op->sw->variant;
    int map = ctf_enum_find(v->tag, run->slot[op->slot]);
    int32_t option = map < 0 ? -1 : v->option_of[map];

    if (option < 0 && v->is_optional)
        return pos;
    if (option < 0)
        return fail(run, "the tag of a variant selects none of its options");
    return run_ops(run, op->sw->options[option].ops, op->sw->options[option].nops, pos);
}

/* Recursion: loops and variants, as deep as the types (LIMIT_TYPE_DEPTH). */
static uint64_t run_ops(struct ctf_run *run, const struct ctf_op *ops, uint32_t nops, uint64_t pos)
{
    for (uint32_t i = 0; i < nops; i++) {
        const struct ctf_op *op = &ops[i];
        uint64_t v;

        if (op->skip > run->end - pos)
            return fail(run, past_end);
        pos += op->skip;
        switch (op->code) {
        case OP_SKIP: break;
        case OP_ALIGN: pos = (pos + op->bits - 1) & ~(op->bits - 1); break;
        case OP_STRING:
            pos = op->bits > 8 ? step_wide_string(run, pos, op->bits / 8) : step_string(run, pos);
            break;
        case OP_LEB: pos = step_leb(run, op, pos); break;
        case OP_WHOLE:
            if (pos & 7)
                return fail(run, "the byte order changes inside a byte");
            break;
        case OP_SAVE:
        case OP_COUNTED:
        case OP_ID:
        case OP_CLOCK:
            if (op->load.bits > run->end - pos)
                return fail(run, past_end);
            v = ctf_load_at(run->p, pos, op->load);
            if (op->code == OP_COUNTED) {
                run->slot[op->slot] = v;
                pos = step_seq(run, op, v, pos + op->load.bits);
            } else if (op->code == OP_SAVE) {
                run->slot[op->slot] = v;
            } else if (op->code == OP_ID) {
                run->id = v;
            } else {
                run->clock = ctf_clock_step(run->clock, v, op->load.bits);
                run->has_clock = true;
            }
            break;
        case OP_SEQ: pos = step_seq(run, op, run->slot[op->slot], pos); break;
        case OP_LOOP:
            pos = step_loop(run, op, pos);
            i += op->nbody;
            break;
        case OP_VARIANT: pos = step_variant(run, op, pos); break;
        case OP_SEG: break;
        case OP_CLEAR: run->slot[op->slot] = 0; break;
        }
        if (pos > run->end) /* UINT64_MAX too */
            return run->why ? UINT64_MAX : fail(run, past_end);
        if (op->seg != SEG_NONE)
            run->seg[op->seg] = pos;
    }
    return pos;
}

uint64_t ctf_run_prog(struct ctf_run *run, const struct ctf_prog *prog, uint64_t pos)
{
    run->why = NULL;
    if (pos > run->end)
        return fail(run, past_end);
    run->seg[0] = pos;
    return run_ops(run, prog->ops, prog->nops, pos);
}
