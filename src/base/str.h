/* SPDX-License-Identifier: Apache-2.0
 *
 * str.h -- string views, string building, string interning.
 *
 * Text of a trace is never NUL-terminated for sure and is never ours:
 * 'struct str' is a view of it.  'struct sbuf' builds text.  'struct strtab'
 * gives equal strings one small number, so that keys and joins compare
 * integers. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include "base/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(lit) ((struct str){ "" lit, sizeof(lit) - 1 })
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)((s).n > 100000 ? 100000 : (s).n), (s).p

static inline struct str str_of(const char *z)
{
    return (struct str){ z, z ? strlen(z) : 0 };
}
static inline bool str_eq(struct str a, struct str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}
static inline bool str_is(struct str a, const char *z)
{
    return str_eq(a, str_of(z));
}
static inline bool str_starts(struct str s, struct str head)
{
    return s.n >= head.n && (head.n == 0 || memcmp(s.p, head.p, head.n) == 0);
}
static inline bool str_ends(struct str s, struct str tail)
{
    return s.n >= tail.n && (tail.n == 0 || memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0);
}
/* The part from byte 'i' on; empty when 'i' is past the end. */
static inline struct str str_from(struct str s, size_t i)
{
    return i >= s.n ? (struct str){ s.p + s.n, 0 } : (struct str){ s.p + i, s.n - i };
}
static inline struct str str_first(struct str s, size_t n)
{
    return (struct str){ s.p, n < s.n ? n : s.n };
}

#define STR_NONE ((size_t)-1)
/* Byte position of 'what' in 's' at or after 'from', or STR_NONE. */
size_t str_find(struct str s, struct str what, size_t from);
size_t str_chr(struct str s, char c, size_t from);
size_t str_rchr(struct str s, char c);
/* Without blanks, tabs and newlines at both ends. */
struct str str_trim(struct str s);
/* Whole string as a decimal number.  False (and '*ret' untouched) otherwise. */
bool str_i64(struct str s, int64_t *ret);
bool str_u64(struct str s, uint64_t *ret);
/* Orders by bytes, like strcmp. */
int str_cmp(struct str a, struct str b);
/* If 's' holds head X tail, in that order, sets '*ret' to X (the shortest). */
bool str_between(struct str s, struct str head, struct str tail, struct str *ret);
/* True if 's' starts with a canonical UUID (8-4-4-4-12 hexadecimal digits). */
bool str_is_uuid(struct str s);
/* Shell pattern: '*' any run, '?' any byte; everything else literal. */
bool str_glob(struct str pattern, struct str s);
/* Length of the valid UTF-8 sequence of several bytes at p[0..n), 0 if there is none. */
size_t str_utf8(const uint8_t *p, size_t n);
/* Copies into the arena; the copy is NUL-terminated. */
struct str str_dup(struct arena *a, struct str s);

/* Growing text, always NUL-terminated once something was added.
 * Zero-initialise; sbuf_free() when done. */
struct sbuf {
    char *p;
    size_t n, cap;
};
void sbuf_add(struct sbuf *b, const char *p, size_t n);
/* Makes room for 'n' bytes more at once. */
void sbuf_room(struct sbuf *b, size_t n);
void sbuf_str(struct sbuf *b, struct str s);
void sbuf_z(struct sbuf *b, const char *z);
void sbuf_chr(struct sbuf *b, char c);
void sbuf_fmt(struct sbuf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static inline void sbuf_clear(struct sbuf *b)
{
    b->n = 0;
    if (b->p)
        b->p[0] = '\0';
}
static inline struct str sbuf_view(const struct sbuf *b)
{
    return (struct str){ b->p ? b->p : "", b->n };
}
void sbuf_free(struct sbuf *b);

/* Equal strings, one number.  Id 0 is always the empty string.
 * Zero-initialise; strtab_free() when done. */
struct strtab {
    struct arena text;
    VEC(struct str) strs; /* by id */
    uint32_t *slots;      /* open addressing: id + 1, 0 = free */
    size_t nslots;        /* a power of two, or 0 */
};
uint32_t strtab_id(struct strtab *t, struct str s); /* adds when new */
bool strtab_find(const struct strtab *t, struct str s, uint32_t *ret_id);
struct str strtab_get(const struct strtab *t, uint32_t id); /* NUL-terminated */
void strtab_free(struct strtab *t);

/* 64-bit key to 32-bit value.  Zero-initialise; map64_free() when done. */
struct map64 {
    uint64_t *keys;
    uint32_t *vals; /* value + 1, 0 = free */
    size_t n, nslots;
};
bool map64_get(const struct map64 *m, uint64_t key, uint32_t *ret_val);
void map64_set(struct map64 *m, uint64_t key, uint32_t val); /* val < UINT32_MAX */
void map64_del(struct map64 *m, uint64_t key);
void map64_free(struct map64 *m);

/* A 64-bit hash of several words, for keys made of more than 64 bits. */
uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);

#endif
