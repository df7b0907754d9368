/* SPDX-License-Identifier: Apache-2.0
 *
 * format.c -- see format_priv.h. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/format_priv.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "a history is little endian");
_Static_assert(sizeof(struct commit) == COMMIT_BYTES, "a commit is stored as it is");

enum { SUM_AT = 56 }; /* of header and slots */

void format_put_head(uint8_t out[static FORMAT_PAGE], uint64_t file_id, uint32_t pid)
{
    memset(out, 0, FORMAT_PAGE);
    memcpy(out, FORMAT_MAGIC, 8);
    put32(out + 8, FORMAT_VERSION);
    put32(out + 12, FORMAT_PAGE);
    put64(out + 16, file_id);
    put32(out + 24, pid);
    put64(out + SUM_AT, XXH3_64bits(out, SUM_AT));
}

void format_put_slot(uint8_t out[static FORMAT_SLOT_SIZE], const struct slot *s, uint64_t file_id)
{
    memset(out, 0, FORMAT_SLOT_SIZE);
    put64(out, s->number);
    put64(out + 8, s->bytes);
    put64(out + 16, s->commit_at);
    put32(out + 24, s->finished);
    put64(out + SUM_AT, XXH3_64bits_withSeed(out, SUM_AT, file_id));
}

bool format_get_slot(const uint8_t *p, uint64_t file_id, struct slot *ret)
{
    *ret = (struct slot){ get64(p), get64(p + 8), get64(p + 16), get32(p + 24) };
    return get64(p + SUM_AT) == XXH3_64bits_withSeed(p, SUM_AT, file_id) && ret->number > 0;
}

uint64_t format_block_sum(const uint8_t *head, const uint8_t *payload, size_t stored,
                          uint64_t file_id)
{
    return XXH3_64bits_withSeed(payload, stored,
                                XXH3_64bits_withSeed(head, BLOCK_HEAD - 8, file_id));
}

void format_put_block(uint8_t out[static BLOCK_HEAD], struct block_head *h, const uint8_t *payload,
                      uint64_t file_id)
{
    memcpy(out, BLOCK_MAGIC, 4);
    out[4] = (uint8_t)h->kind;
    out[5] = (uint8_t)h->codec;
    memcpy(out + 6, &h->klass, 2);
    put32(out + 8, h->stored);
    put32(out + 12, h->raw);
    put32(out + 16, h->number);
    put32(out + 20, h->owner);
    put64(out + 24, (uint64_t)h->t0);
    put64(out + 32, (uint64_t)h->t1);
    h->sum = format_block_sum(out, payload, h->stored, file_id);
    put64(out + 40, h->sum);
}

bool format_get_block(const uint8_t *p, struct block_head *ret)
{
    *ret = (struct block_head){ .kind = p[4],
                                .codec = p[5],
                                .stored = get32(p + 8),
                                .raw = get32(p + 12),
                                .number = get32(p + 16),
                                .owner = get32(p + 20),
                                .t0 = (int64_t)get64(p + 24),
                                .t1 = (int64_t)get64(p + 32),
                                .sum = get64(p + 40) };
    memcpy(&ret->klass, p + 6, 2);
    return memcmp(p, BLOCK_MAGIC, 4) == 0 && ret->kind >= KIND_INTERVALS && ret->kind < KINDS &&
           ret->codec <= CODEC_ZSTD && ret->raw <= BLOCK_MAX && ret->stored <= BLOCK_MAX &&
           (ret->codec == CODEC_ZSTD || ret->stored == ret->raw);
}

void format_put_commit(uint8_t out[static COMMIT_BYTES], const struct commit *c)
{
    memcpy(out, c, COMMIT_BYTES);
}

void format_get_commit(const uint8_t in[static COMMIT_BYTES], struct commit *ret)
{
    memcpy(ret, in, COMMIT_BYTES);
}

void history_reseal(uint8_t *file, size_t n)
{
    if (n < FORMAT_PAGE)
        return;
    uint64_t id = get64(file + 16);
    put64(file + SUM_AT, XXH3_64bits(file, SUM_AT));
    for (int i = 0; i < 2; i++) {
        uint8_t *slot = file + FORMAT_SLOT * (1 + i);

        if (get64(slot))
            put64(slot + SUM_AT, XXH3_64bits_withSeed(slot, SUM_AT, id));
    }
    for (size_t at = FORMAT_PAGE; n - at >= BLOCK_HEAD;) {
        uint32_t stored = get32(file + at + 8);

        if (stored > BLOCK_MAX || block_bytes(stored) > n - at)
            return;
        put64(file + at + 40, format_block_sum(file + at, file + at + BLOCK_HEAD, stored, id));
        at += block_bytes(stored);
    }
}
