/* SPDX-License-Identifier: Apache-2.0
 *
 * read_texts.c -- interned texts.
 *
 * Callers keep what they get for as long as the store, so a block of texts that
 * was asked for stays in memory, outside of the cache: its bytes, and before
 * them where each text begins. */
#include "store/read_priv.h"

/* Decoded: u32 n, n + 1 times u32 where a text begins in the bytes, the bytes. */
static uint8_t *index_texts(const uint8_t *raw, size_t n)
{
    struct in in = { raw, raw + n, false };
    uint64_t count = get_varint(&in);
    struct column sizes;
    uint64_t at = 0;
    uint8_t *to;

    if (in.bad || count > BLOCK_MAX || !get_column(&in, (size_t)count, &sizes))
        return NULL;
    size_t bytes = (size_t)(in.end - in.p), head = 4 * ((size_t)count + 2);
    if (!(to = io_alloc(head + bytes + 1)))
        return NULL;
    put32(to, (uint32_t)count);
    for (uint32_t i = 0; i <= count; i++) {
        put32(to + 4 + 4 * i, (uint32_t)at);
        uint64_t size = i < count ? (uint64_t)column_at(&sizes, i) : 0;
        at = size > bytes - at ? bytes + 1 : at + size;
        if (at > bytes) {
            free(to);
            return NULL;
        }
    }
    memcpy(to + head, in.p, bytes);
    to[head + bytes] = '\0';
    return to;
}

/* With the lock held. */
static uint8_t *read_short(struct reader *r, const struct text_block *t, struct err *err)
{
    const struct block_ref *ref = &r->blocks.at[t->block];
    uint8_t *raw = io_alloc(ref->raw + BLOCK_SLACK), *text = NULL;

    if (!raw) {
        io_no_memory(err);
        return NULL;
    }
    if (block_read(r->fd, ref, r->file_id, raw, err) == 0 && !(text = index_texts(raw, ref->raw)))
        err_set(err, E_CORRUPT, "texts in it make no sense");
    free(raw);
    return text;
}

/* A text that has several blocks: u64 bytes, the bytes. */
static uint8_t *read_long(struct reader *r, size_t i, struct err *err)
{
    uint32_t pieces = r->blocks.at[r->texts.at[i].block].klass;
    size_t n = 0;
    uint8_t *text = NULL;

    if (i + pieces > r->texts.n) {
        err_set(err, E_CORRUPT, "a part of a long text is missing");
        return NULL;
    }
    for (uint32_t k = 0; k < pieces; k++)
        n += r->blocks.at[r->texts.at[i + k].block].raw;
    if (!(text = io_alloc(8 + n + BLOCK_SLACK))) {
        io_no_memory(err);
        return NULL;
    }
    put64(text, n);
    n = 8;
    for (uint32_t k = 0; k < pieces; k++) {
        const struct block_ref *ref = &r->blocks.at[r->texts.at[i + k].block];

        if (ref->owner != k || block_read(r->fd, ref, r->file_id, text + n, err) < 0) {
            free(text);
            return NULL;
        }
        n += ref->raw;
    }
    return text;
}

/* The block that has a text, or the first of those that have it; false: lost. */
static bool text_block(struct reader *r, uint64_t number, size_t *ret)
{
    size_t lo = 0, hi = r->texts.n;
    struct err err;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (r->texts.at[mid].behind <= number)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret = lo;
    if (lo == r->texts.n)
        return false;
    struct text_block *t = &r->texts.at[lo];
    if (atomic_load(&t->text))
        return true;
    pthread_mutex_lock(&r->lock);
    uint8_t *text = atomic_load(&t->text);
    if (!text) {
        text = r->blocks.at[t->block].klass > 1 ? read_long(r, lo, &err) : read_short(r, t, &err);
        atomic_store(&t->text, text);
    }
    pthread_mutex_unlock(&r->lock);
    if (!text)
        reader_lost(r, t->block, &err);
    return text != NULL;
}

struct str reader_text(struct reader *r, uint64_t number)
{
    size_t i;

    if (!text_block(r, number, &i))
        return (struct str){ "", 0 };
    const struct text_block *t = &r->texts.at[i];
    const uint8_t *p = atomic_load(&t->text);
    if (r->blocks.at[t->block].klass > 1)
        return (struct str){ (const char *)p + 8, (size_t)get64(p) };
    uint64_t k = number - t->first;
    uint32_t n = get32(p);
    if (k >= n)
        return (struct str){ "", 0 };
    uint32_t from = get32(p + 4 + 4 * k), to = get32(p + 8 + 4 * k);
    return (struct str){ (const char *)p + 4 * ((size_t)n + 2) + from, to - from };
}

struct str store_text(const struct store *s, cell_t id)
{
    return id <= 0 || !s->r ? STR("") : reader_text(s->r, (uint64_t)id - 1);
}
