/* SPDX-License-Identifier: Apache-2.0
 *
 * walk.h -- decoding values one by one, with their places.
 *
 * The slow, complete way: ctf_visit() hands values to a sink with it, and the
 * conformance test compares every field, value and bit offset with it. */
#ifndef CTF_WALK_H
#define CTF_WALK_H

#include "ctf/trace.h"

/* Hears of every element.  'm' names it; elements of arrays have no name. */
struct ctf_tap {
    void *ctx;
    /* A structure, array, text or variant begins at bit 'pos'; 'tag' is a variant's. */
    void (*open)(void *ctx, const struct ctf_member *m, uint64_t pos, uint64_t tag);
    void (*close)(void *ctx, const struct ctf_member *m, uint64_t from, uint64_t pos);
    void (*scalar)(void *ctx, const struct ctf_member *m, uint64_t pos, uint64_t raw);
};

struct ctf_walk {
    const uint8_t *p;  /* the packet                              */
    uint64_t pos, end; /* bits                                    */
    uint64_t *slot;    /* lengths and tags, kept again on the way */
    enum ctf_order native;
    const struct value_sink *sink; /* NULL: step over                         */
    const struct ctf_tap *tap;     /* NULL: nobody listens                    */
    uint64_t idle;                 /* elements without a single bit, so far   */
    struct sbuf text;              /* of the last text that was not UTF-8     */
};

/* Walks a value at 'w->pos'.  Its program has run: all bits are in the packet. */
void ctf_walk_value(struct ctf_walk *w, struct str name, const struct ctf_member *m);
void ctf_walk_end(struct ctf_walk *w);

/* How many elements an array or sequence at this place has. */
static inline uint64_t ctf_walk_length(const struct ctf_walk *w, const struct ctf_type *t)
{
    return t->kind == CTF_SEQ ? w->slot[t->ref_slot] : t->length;
}

/* 'n' bytes of text as UTF-8, up to its first NUL; what cannot be said becomes
 * U+FFFD.  A view of the bytes where that is possible, else of 'scratch'. */
struct str ctf_text(enum ctf_encoding encoding, const uint8_t *p, uint64_t n, struct sbuf *scratch);

#endif
