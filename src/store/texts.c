/* SPDX-License-Identifier: Apache-2.0
 *
 * texts.c -- interned texts, while they are written.
 *
 * Payload of a block of texts, whose numbers follow each other from the block's
 * t0 on:
 *
 *   varint n, column n, bytes    texts, the length of each, all of them
 *
 * A text that is too long for a block has blocks of its own, one behind the other:
 * its bytes alone; 'class' says how many blocks there are, 'owner' which it is. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/behind.h"

enum { TEXTS_PER_BLOCK = 4096, LONG_TEXT = BLOCK_MAX / 2 };

static bool ids_room(struct ids *x)
{
    size_t nslots = x->nslots ? 2 * x->nslots : 64;
    struct id_slot *slots;

    if (2 * (x->n + 1) <= x->nslots)
        return true;
    if (!(slots = io_calloc(nslots, sizeof *slots)))
        return false;
    for (size_t i = 0; i < x->nslots; i++) {
        size_t k = x->slots[i].hash & (nslots - 1);

        if (!x->slots[i].id)
            continue;
        while (slots[k].id)
            k = (k + 1) & (nslots - 1);
        slots[k] = x->slots[i];
    }
    free(x->slots);
    x->slots = slots;
    x->nslots = nslots;
    return true;
}

uint32_t ids_find(struct ids *x, uint64_t seed, struct str text, uint32_t otherwise, bool add)
{
    XXH128_hash_t h = XXH3_128bits_withSeed(text.p, text.n, seed);
    uint32_t more = (uint32_t)h.high64;

    if (add && !ids_room(x))
        return UINT32_MAX;
    if (x->nslots == 0)
        return otherwise;
    size_t i = h.low64 & (x->nslots - 1);
    for (; x->slots[i].id; i = (i + 1) & (x->nslots - 1))
        if (x->slots[i].hash == h.low64 && x->slots[i].more == more)
            return x->slots[i].id - 1;
    if (add) {
        x->slots[i] = (struct id_slot){ h.low64, more, otherwise + 1 };
        x->n++;
    }
    return otherwise;
}

void w_texts_flush(struct writer *w)
{
    size_t n = w->text_sizes.n;
    struct block_head h = { .kind = KIND_TEXTS,
                            .t0 = (int64_t)(w->ntexts - n),
                            .t1 = (int64_t)w->ntexts };

    if (n == 0)
        return;
    w->scratch.n = 0;
    if (!w_reserve(w, &w->scratch, VARINT_MAX + code_room(n) + w->text.n))
        return;
    put_varint(&w->scratch, n);
    put_column(&w->scratch, w->text_sizes.at, n);
    memcpy(w->scratch.at + w->scratch.n, w->text.at, w->text.n);
    w->scratch.n += w->text.n;
    w_data_block(w, &h, w->scratch.at, w->scratch.n, true);
    w->text_sizes.n = 0;
    w->text.n = 0;
}

static void long_text(struct writer *w, struct str text)
{
    size_t pieces = (text.n + BLOCK_MAX - 1) / BLOCK_MAX;

    w_texts_flush(w);
    for (size_t i = 0; i < pieces; i++) {
        struct str piece = str_first(str_from(text, i * BLOCK_MAX), BLOCK_MAX);
        struct block_head h = { .kind = KIND_TEXTS,
                                .owner = (uint32_t)i,
                                .klass = (uint16_t)pieces,
                                .t0 = (int64_t)w->ntexts,
                                .t1 = (int64_t)w->ntexts + 1 };

        w_data_block(w, &h, (const uint8_t *)piece.p, piece.n, true);
    }
    w->ntexts++;
}

void w_add_text(struct writer *w, struct str text)
{
    if (text.n > LONG_TEXT) {
        long_text(w, text);
        return;
    }
    /* Lengths take at most three bytes each. */
    if (w->text.n + text.n + 3 * (w->text_sizes.n + 1) + 64 > BLOCK_MAX ||
        w->text_sizes.n == TEXTS_PER_BLOCK)
        w_texts_flush(w);
    if (!w_reserve(w, &w->text, text.n))
        return;
    if (!io_reserve(&w->text_sizes, w->text_sizes.n + 1)) {
        w_no_memory(w);
        return;
    }
    if (text.n)
        memcpy(w->text.at + w->text.n, text.p, text.n);
    w->text.n += text.n;
    w->text_sizes.at[w->text_sizes.n++] = (cell_t)text.n;
    w->ntexts++;
}

cell_t store_intern(struct store *s, struct str text)
{
    struct writer *w = s->w;

    if (text.n == 0 || w_has_failed(w))
        return 0;
    uint64_t n = s->behind ? w->given_texts : w->ntexts;
    if (n >= UINT32_MAX - 2 || text.n > (size_t)UINT16_MAX * BLOCK_MAX) {
        struct err err;

        store_drain(s);
        err_set(&err, E_LIMIT, "there is no room for another text of %zu bytes", text.n);
        w_fail(w, &err);
        return 0;
    }
    uint32_t id = ids_find(&w->texts, w->seed, text, (uint32_t)n, true);
    if (id < n)
        return (cell_t)id + 1;
    if (id == n && s->behind && behind_text(s->behind, text)) {
        w->given_texts++;
        return (cell_t)id + 1;
    }
    store_drain(s);
    if (id == UINT32_MAX) {
        w_no_memory(w);
        return 0;
    }
    w_add_text(w, text);
    w->given_texts = w->ntexts;
    return (cell_t)id + 1;
}
