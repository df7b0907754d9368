/* SPDX-License-Identifier: Apache-2.0
 *
 * format_priv.h -- a history file, byte by byte.  docs/history-format.md explains
 * it; this is what the code relies on.  Little endian throughout.
 *
 *   file      header page, then blocks one behind the other, only ever appended
 *
 *   header    0  "NEPHHIST"            24  writer's process id, u32; 0, u32
 *    page     8  version, u32          32  zeros to 56
 *   4096 B   12  4096, u32             56  XXH3-64 of bytes 0 to 55
 *            16  file id, u64          1024 and 2048: the two slots; the rest is 0
 *
 *   slot      0  commit number, u64    16  where its commit block is, u64
 *    64 B     8  bytes of the file     24  finished, u32; 0, u32
 *                that count, u64       32  zeros to 56
 *                                      56  XXH3-64 of bytes 0 to 55, seed: file id
 *             Written in turns; the valid one with the higher number counts.
 *
 *   block     0  "NBLK"                20  family (intervals, summaries), table (rows), else 0
 *    48 B     4  kind, u8              24  t0: earliest start, i64
 *    and      5  codec, u8: 0 as it    32  t1: latest end, i64
 *   payload      is, 1 zstd            40  XXH3-64 of the payload as stored, seed: XXH3-64
 *             6  duration class, u16       of bytes 0 to 39 with the file id as seed
 *             8  stored bytes, u32     48  payload, then zeros to a multiple of 8
 *            12  decoded bytes, u32
 *            16  number in the file, u32
 *
 * What the payloads are is said where they are written: runs.c (intervals),
 * summary.c, rows.c, texts.c, and commit.c (all others). */
#ifndef STORE_FORMAT_PRIV_H
#define STORE_FORMAT_PRIV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
    FORMAT_VERSION = 1,
    FORMAT_PAGE = 4096,
    FORMAT_SLOT = 1024, /* slot i is at FORMAT_SLOT * (1 + i) */
    FORMAT_SLOT_SIZE = 64,
    BLOCK_HEAD = 48,
    BLOCK_MAX = 65536,   /* decoded bytes of a payload                              */
    BLOCK_TARGET = 8192, /* intervals and summaries: what one question has to decode */
    BLOCK_SLACK = 512,   /* zero bytes behind a decoded payload: words can be loaded, and
                            what is wrong be read before it is seen to be wrong    */
};
#define FORMAT_MAGIC "NEPHHIST"
#define BLOCK_MAGIC "NBLK"

enum block_kind {
    KIND_INTERVALS = 1, /* runs of intervals                                     */
    KIND_SUMMARIES,     /* runs of buckets                                       */
    KIND_ROWS,          /* records of one table                                  */
    KIND_TEXTS,         /* interned texts                                        */
    KIND_SCHEMA,        /* families, tables, facts           \  what a commit    */
    KIND_NAMES,         /* attributes: family and path        | has of its own:  */
    KIND_INDEX,         /* where blocks and runs are          | read at opening  */
    KIND_OPEN,          /* states without an end so far      /                   */
    KIND_COMMIT,        /* ends a commit                                         */
    KINDS,
};
enum block_codec { CODEC_RAW, CODEC_ZSTD };

struct block_head {
    enum block_kind kind;
    enum block_codec codec;
    uint16_t klass;
    uint32_t stored, raw;
    uint32_t number, owner;
    int64_t t0, t1;
    uint64_t sum;
};

struct slot {
    uint64_t number, bytes, commit_at;
    uint32_t finished;
};

/* Payload of a commit block. */
struct commit {
    uint64_t number;
    uint64_t before;  /* where the commit block before is; 0 = this one tells all */
    uint64_t meta_at; /* the first block of its own: they end at the commit block */
    uint64_t blocks;  /* data blocks in the file so far                           */
    uint64_t attrs, texts, families, tables;
    int64_t t0, t1, until;
    uint64_t late, revised, changes, records;
    uint64_t finished;
};

static inline uint64_t get64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof v);
    return v;
}
static inline uint32_t get32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, sizeof v);
    return v;
}
static inline void put64(uint8_t *p, uint64_t v)
{
    memcpy(p, &v, sizeof v);
}
static inline void put32(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, sizeof v);
}

/* The bytes of a block from its head to the head of the next. */
static inline uint64_t block_bytes(uint32_t stored)
{
    return BLOCK_HEAD + (((uint64_t)stored + 7) & ~UINT64_C(7));
}

void format_put_head(uint8_t out[static FORMAT_PAGE], uint64_t file_id, uint32_t pid);
void format_put_slot(uint8_t out[static FORMAT_SLOT_SIZE], const struct slot *s, uint64_t file_id);
/* False if the checksum is wrong. */
bool format_get_slot(const uint8_t *p, uint64_t file_id, struct slot *ret);
/* Fills in the checksum over head and payload. */
void format_put_block(uint8_t out[static BLOCK_HEAD], struct block_head *h, const uint8_t *payload,
                      uint64_t file_id);
/* False if it is no head of a block: magic, kind, codec, sizes. */
bool format_get_block(const uint8_t *p, struct block_head *ret);
uint64_t format_block_sum(const uint8_t *head, const uint8_t *payload, size_t stored,
                          uint64_t file_id);
enum { COMMIT_BYTES = 16 * 8 };
void format_put_commit(uint8_t out[static COMMIT_BYTES], const struct commit *c);
void format_get_commit(const uint8_t in[static COMMIT_BYTES], struct commit *ret);

/* Makes all checksums of a file in memory right, for tests. */
void history_reseal(uint8_t *file, size_t n);

#endif
