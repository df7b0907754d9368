/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.h -- memory with a named lifetime.
 *
 * An arena belongs to one lifetime (a trace, a pass, a query, a scratch step)
 * and is freed as a whole.  The x* functions abort when memory is exhausted:
 * every size that comes from input has been compared with base/limits.h
 * before it gets here. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

void *xmalloc(size_t n) __attribute__((malloc, returns_nonnull));
void *xcalloc(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *xrealloc(void *p, size_t n) __attribute__((returns_nonnull));

struct arena_chunk;

/* Zero-initialise to use: struct arena a = {0}; */
struct arena {
    struct arena_chunk *last;
    size_t used, size; /* of 'last' */
    size_t total;      /* bytes taken from the system */
};

/* 'n' zeroed bytes aligned to 16, valid until arena_free or arena_reset. */
void *arena_alloc(struct arena *a, size_t n) __attribute__((malloc, returns_nonnull));
/* A NUL-terminated copy of 'n' bytes. */
char *arena_strdup(struct arena *a, const char *s, size_t n) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3), returns_nonnull));
/* Frees everything; the arena can be used again. */
void arena_free(struct arena *a);
/* Forgets everything but keeps one chunk for the next round. */
void arena_reset(struct arena *a);

#define arena_new(a, T) ((T *)arena_alloc((a), sizeof(T)))
#define arena_array(a, T, n) ((T *)arena_alloc((a), sizeof(T) * (size_t)(n)))

/* A growing array: VEC(int) v = {0}; *vec_push(&v) = 3; v.at[0]; v.n; vec_free(&v); */
#define VEC(T)      \
    struct {        \
        T *at;      \
        size_t n;   \
        size_t cap; \
    }

void *vec_grow(void *at, size_t *cap, size_t need, size_t size);

#define vec_reserve(v, need)                                                                     \
    ((need) > (v)->cap ? (void)((v)->at = vec_grow((v)->at, &(v)->cap, (need), sizeof *(v)->at)) \
                       : (void)0)
/* Address of a new, uninitialised last element. */
#define vec_push(v) (vec_reserve((v), (v)->n + 1), &(v)->at[(v)->n++])
#define vec_free(v) (free((v)->at), (void)((v)->at = NULL, (v)->n = (v)->cap = 0))

#endif
