/* SPDX-License-Identifier: Apache-2.0
 *
 * mem.c -- see mem.h. */
#include "base/mem.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHUNK_BYTES = 64 << 10 };

struct arena_chunk {
    struct arena_chunk *prev;
    size_t size;
    _Alignas(16) char data[];
};

static void die_oom(size_t n)
{
    fprintf(stderr, "neph: out of memory (%zu bytes)\n", n);
    abort();
}

void *xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);

    if (!p)
        die_oom(n);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        die_oom(n * size);
    return p;
}

void *xrealloc(void *old, size_t n)
{
    void *p = realloc(old, n ? n : 1);

    if (!p)
        die_oom(n);
    return p;
}

void *vec_grow(void *at, size_t *cap, size_t need, size_t size)
{
    size_t n = *cap ? *cap * 2 : 8;

    while (n < need)
        n *= 2;
    assert(n <= SIZE_MAX / size);
    *cap = n;
    return xrealloc(at, n * size);
}

void *arena_alloc(struct arena *a, size_t n)
{
    assert(n <= SIZE_MAX / 2);
    n = (n + 15) & ~(size_t)15;
    if (!a->last || a->size - a->used < n) {
        size_t size = n > CHUNK_BYTES ? n : CHUNK_BYTES;
        struct arena_chunk *c = xmalloc(sizeof *c + size);

        c->prev = a->last;
        c->size = size;
        a->last = c;
        a->used = 0;
        a->size = size;
        a->total += sizeof *c + size;
    }
    void *p = a->last->data + a->used;
    a->used += n;
    return memset(p, 0, n);
}

char *arena_strdup(struct arena *a, const char *s, size_t n)
{
    char *p = arena_alloc(a, n + 1);

    if (n)
        memcpy(p, s, n);
    return p;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap, ap2;

    va_start(ap, fmt);
    va_copy(ap2, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    char *p = arena_alloc(a, (size_t)n + 1);
    vsnprintf(p, (size_t)n + 1, fmt, ap2);
    va_end(ap2);
    return p;
}

void arena_free(struct arena *a)
{
    while (a->last) {
        struct arena_chunk *prev = a->last->prev;

        free(a->last);
        a->last = prev;
    }
    *a = (struct arena){ 0 };
}

void arena_reset(struct arena *a)
{
    while (a->last && a->last->prev) {
        struct arena_chunk *prev = a->last->prev;

        a->total -= sizeof *a->last + a->last->size;
        free(a->last);
        a->last = prev;
    }
    a->used = 0;
    a->size = a->last ? a->last->size : 0;
}

#ifdef __SANITIZE_ADDRESS__
/* The sanitizer reads its options and looks for leaks through /proc; in a bare
 * chroot there is none, and the search would fail every program. */
const char *__asan_default_options(void);

__attribute__((no_sanitize_address)) const char *__asan_default_options(void)
{
    return access("/proc/self/task", F_OK) == 0 ? "" : "detect_leaks=0";
}
#endif
