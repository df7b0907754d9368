/* SPDX-License-Identifier: Apache-2.0
 *
 * identity.h -- what the files of a trace are: by their looks, and by their content.
 *
 * Content is what counts: a trace that was copied or moved is the same trace, and
 * one changed byte makes another.  Looks (place, size, times) tell without reading
 * whether the content can have changed since it was read last. */
#ifndef ENGINE_IDENTITY_H
#define ENGINE_IDENTITY_H

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

struct identity {
    uint64_t hi, lo;
};

static inline bool identity_eq(struct identity a, struct identity b)
{
    return a.hi == b.hi && a.lo == b.lo;
}

enum { IDENTITY_TEXT = 33 };
/* 32 hexadecimal digits. */
const char *identity_text(struct identity id, char out[static IDENTITY_TEXT]);
bool identity_parse(struct str text, struct identity *ret);

struct files_looks {
    struct identity id; /* of place, device, inode, size and times of every file */
    ns_t newest;        /* when one of them was changed last                     */
};
/* 'path' is a trace's folder, with all files below it, or a file. */
int files_looks(const char *path, struct files_looks *ret, struct err *err);
/* Of the name below 'path', the length and the bytes of every file. */
int files_content(const char *path, struct identity *ret, struct err *err);

/* Identities made of others and of texts.  Zero-initialise. */
struct identity_sum {
    struct sbuf parts;
};
void identity_add(struct identity_sum *s, const void *p, size_t n);
static inline void identity_add_text(struct identity_sum *s, struct str text)
{
    identity_add(s, text.p, text.n);
}
/* Frees 's'. */
struct identity identity_end(struct identity_sum *s);

#endif
