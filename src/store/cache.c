/* SPDX-License-Identifier: Apache-2.0
 *
 * cache.c -- decoded blocks of all open histories, within one number of bytes.
 *
 * A question pins the few blocks that it looks into; what nobody has pinned can
 * be given away, by a clock: a block that was used since the hand came by last
 * is passed over once.  Finding a block that is here takes no lock.
 *
 * Blocks are read with pread(), not mapped: every byte is checked and then used
 * from the same memory, so that a file that changes on disk can't change an
 * answer, one that is cut off is an error instead of a signal, and what is
 * resident is what the cache says.  Their memory is large pages where there are
 * some: a question about all attributes looks into a thousand blocks. */
#include <zstd.h>

#include "store/read_priv.h"

enum {
    GIVING_AWAY = -(1 << 30),
    SLOT_BYTES = BLOCK_TARGET + BLOCK_SLACK, /* what most blocks need */
};

static struct {
    pthread_mutex_t lock;
    struct frame **frames;
    size_t n, cap, hand;
    size_t bytes, most;
    uint8_t *free_slot; /* of large pages cut into slots; the next one is in its first bytes */
} cache = { .lock = PTHREAD_MUTEX_INITIALIZER, .most = 48u << 20 };

void store_set_cache(size_t bytes)
{
    pthread_mutex_lock(&cache.lock);
    cache.most = bytes < 1u << 20 ? 1u << 20 : bytes;
    pthread_mutex_unlock(&cache.lock);
}

/* Takes the frame from whom it belongs to, if nobody has pinned it. */
static bool take_away(struct frame *f)
{
    int32_t none = 0;

    if (!atomic_compare_exchange_strong(&f->pins, &none, GIVING_AWAY))
        return false;
    if (f->owner)
        atomic_store(f->owner, NULL);
    f->owner = NULL;
    return true;
}

static void give_back(struct frame *f)
{
    atomic_fetch_sub(&f->pins, GIVING_AWAY);
}

/* With the lock held. */
static uint8_t *slot_new(void)
{
    uint8_t *p = cache.free_slot;

    if (!p) {
        uint8_t *page = io_huge();

        if (!page)
            return NULL;
        for (size_t at = 0; at + SLOT_BYTES <= IO_HUGE; at += SLOT_BYTES) {
            memcpy(page + at, &cache.free_slot, sizeof cache.free_slot);
            cache.free_slot = page + at;
        }
        p = cache.free_slot;
    }
    memcpy(&cache.free_slot, p, sizeof cache.free_slot);
    return p;
}

static bool data_new(struct frame *f, size_t n)
{
    f->cap = n <= SLOT_BYTES ? SLOT_BYTES : n;
    f->data = n <= SLOT_BYTES ? slot_new() : io_alloc(n);
    if (f->data)
        cache.bytes += f->cap;
    return f->data != NULL;
}

static void data_free(struct frame *f)
{
    if (f->cap == SLOT_BYTES) {
        memcpy(f->data, &cache.free_slot, sizeof cache.free_slot);
        cache.free_slot = f->data;
    } else {
        free(f->data);
    }
    f->data = NULL;
    cache.bytes -= f->cap;
    f->cap = 0;
}

/* Frees data until 'need' more bytes fit, or all that can go is gone. */
static void make_room(size_t need)
{
    need = need < SLOT_BYTES ? SLOT_BYTES : need;
    for (size_t tries = 2 * cache.n; tries > 0 && cache.bytes + need > cache.most; tries--) {
        struct frame *f = cache.frames[cache.hand++ % cache.n];

        if (!f->data || atomic_exchange(&f->used, false) || !take_away(f))
            continue;
        data_free(f);
        give_back(f);
    }
}

/* A frame with room for 'n' bytes, taken. */
static struct frame *frame_for(size_t n)
{
    struct frame *f = NULL;

    make_room(n);
    for (size_t i = 0; i < cache.n && !f; i++) {
        size_t k = (cache.hand + cache.n - 1 - i) % cache.n;

        if (!cache.frames[k]->data && take_away(cache.frames[k]))
            f = cache.frames[k];
        else if (i > 64)
            break;
    }
    if (!f) {
        size_t size = sizeof(struct frame *);

        if (cache.n == cache.cap && !io_grow(&cache.frames, &cache.cap, cache.n + 1, size))
            return NULL;
        if (!(f = io_calloc(1, sizeof *f)))
            return NULL;
        atomic_store(&f->pins, GIVING_AWAY);
        cache.frames[cache.n++] = f;
    }
    if (!data_new(f, n)) {
        give_back(f);
        return NULL;
    }
    return f;
}

/* A decoder takes 100 KB: each thread has one, for its life. */
static pthread_key_t decoders;
static pthread_once_t decoders_once = PTHREAD_ONCE_INIT;
static bool decoders_made;

static void free_decoder(void *zstd)
{
    ZSTD_freeDCtx(zstd);
}

static void make_decoders(void)
{
    decoders_made = pthread_key_create(&decoders, free_decoder) == 0;
}

static int inflate(const uint8_t *from, size_t n, uint8_t *out, uint32_t raw, struct err *err)
{
    pthread_once(&decoders_once, make_decoders);
    ZSTD_DCtx *zstd = decoders_made ? pthread_getspecific(decoders) : NULL;

    if (!zstd && decoders_made && (zstd = ZSTD_createDCtx()))
        pthread_setspecific(decoders, zstd);
    if (!zstd)
        return io_no_memory(err);
    size_t got = ZSTD_decompressDCtx(zstd, out, raw, from, n);
    if (ZSTD_isError(got) || got != raw)
        return err_set(err, E_CORRUPT, "what is compressed can't be decoded");
    return 0;
}

int block_read(int fd, const struct block_ref *ref, uint64_t file_id, uint8_t *out, struct err *err)
{
    uint8_t bytes[BLOCK_HEAD + BLOCK_MAX], *payload = bytes + BLOCK_HEAD;
    struct block_head h;
    int rc = io_pread(fd, bytes, BLOCK_HEAD + ref->stored, ref->at, err);

    if (rc < 0)
        return rc;
    if (!format_get_block(bytes, &h) || h.stored != ref->stored || h.raw != ref->raw ||
        h.kind != ref->kind || (h.sum != ref->sum && !io_faults.any_sum))
        return err_set(err, E_CORRUPT, "its head is damaged");
    if (format_block_sum(bytes, payload, h.stored, file_id) != h.sum && !io_faults.any_sum)
        return err_set(err, E_CORRUPT, "its checksum is wrong");
    if (h.codec == CODEC_ZSTD)
        rc = inflate(payload, h.stored, out, h.raw, err);
    else
        memcpy(out, payload, h.raw);
    memset(out + h.raw, 0, BLOCK_SLACK);
    return rc;
}

/* Reads a block that is not here: without the lock, so that others can. */
static struct frame *load(struct reader *r, uint32_t block)
{
    const struct block_ref *ref = &r->blocks.at[block];
    struct frame *f, *other;
    struct err err;
    int rc;

    pthread_mutex_lock(&cache.lock);
    f = frame_for(ref->raw + BLOCK_SLACK);
    pthread_mutex_unlock(&cache.lock);
    rc = f ? block_read(r->fd, ref, r->file_id, f->data, &err) : io_no_memory(&err);
    if (rc < 0)
        reader_lost(r, block, &err);
    if (!f)
        return NULL;
    pthread_mutex_lock(&cache.lock);
    other = atomic_load(&r->frames[block]);
    if (rc == 0 && !other) {
        f->n = ref->raw;
        f->owner = &r->frames[block];
        atomic_fetch_add(&f->pins, 1);
        atomic_store(&r->frames[block], f);
        give_back(f);
    } else { /* it can't be read, or another thread was faster */
        data_free(f);
        give_back(f);
        if ((f = other))
            atomic_fetch_add(&f->pins, 1);
    }
    pthread_mutex_unlock(&cache.lock);
    return f;
}

struct frame *block_pin(struct reader *r, uint32_t block)
{
    struct frame *f = atomic_load_explicit(&r->frames[block], memory_order_acquire);

    if (f) {
        /* Below zero: it is being given away, though its place may still point to it. */
        if (atomic_fetch_add(&f->pins, 1) >= 0 && atomic_load(&r->frames[block]) == f) {
            if (!atomic_load_explicit(&f->used, memory_order_relaxed))
                atomic_store_explicit(&f->used, true, memory_order_relaxed);
            return f;
        }
        atomic_fetch_sub(&f->pins, 1); /* it was given away meanwhile */
    }
    return load(r, block);
}

void cache_forget(struct reader *r)
{
    pthread_mutex_lock(&cache.lock);
    for (size_t i = 0; i < r->nframes; i++) {
        struct frame *f = atomic_load(&r->frames[i]);

        if (!f)
            continue;
        if (!take_away(f)) { /* somebody forgot to unpin it: it stays, and is nobody's */
            f->owner = NULL;
            continue;
        }
        data_free(f);
        give_back(f);
    }
    pthread_mutex_unlock(&cache.lock);
}
