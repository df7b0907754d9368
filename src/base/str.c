/* SPDX-License-Identifier: Apache-2.0
 *
 * str.c -- see str.h. */
#define _GNU_SOURCE
#include "base/str.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

size_t str_find(struct str s, struct str what, size_t from)
{
    if (from > s.n)
        return STR_NONE;
    if (what.n == 0)
        return from;
    const char *p = memmem(s.p + from, s.n - from, what.p, what.n);
    return p ? (size_t)(p - s.p) : STR_NONE;
}

size_t str_chr(struct str s, char c, size_t from)
{
    const char *p = from < s.n ? memchr(s.p + from, c, s.n - from) : NULL;

    return p ? (size_t)(p - s.p) : STR_NONE;
}

size_t str_rchr(struct str s, char c)
{
    const char *p = s.n ? memrchr(s.p, c, s.n) : NULL;

    return p ? (size_t)(p - s.p) : STR_NONE;
}

struct str str_trim(struct str s)
{
    while (s.n && isspace((unsigned char)s.p[0]))
        s.p++, s.n--;
    while (s.n && isspace((unsigned char)s.p[s.n - 1]))
        s.n--;
    return s;
}

bool str_u64(struct str s, uint64_t *ret)
{
    uint64_t v = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        if (__builtin_mul_overflow(v, 10u, &v) ||
            __builtin_add_overflow(v, (uint64_t)(s.p[i] - '0'), &v))
            return false;
    }
    *ret = v;
    return true;
}

bool str_i64(struct str s, int64_t *ret)
{
    bool neg = s.n && s.p[0] == '-';
    uint64_t v;

    if (!str_u64(neg ? str_from(s, 1) : s, &v))
        return false;
    if (v > (uint64_t)INT64_MAX + (neg ? 1 : 0))
        return false;
    *ret = neg ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

int str_cmp(struct str a, struct str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

bool str_between(struct str s, struct str head, struct str tail, struct str *ret)
{
    size_t i = str_find(s, head, 0);

    if (i == STR_NONE)
        return false;
    i += head.n;
    size_t j = tail.n ? str_find(s, tail, i) : s.n;
    if (j == STR_NONE)
        return false;
    *ret = (struct str){ s.p + i, j - i };
    return true;
}

bool str_is_uuid(struct str s)
{
    if (s.n < 36)
        return false;
    for (size_t i = 0; i < 36; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (dash ? s.p[i] != '-' : !isxdigit((unsigned char)s.p[i]))
            return false;
    }
    return s.n == 36 || !(isxdigit((unsigned char)s.p[36]) || s.p[36] == '-');
}

bool str_glob(struct str pat, struct str s)
{
    size_t p = 0, i = 0, star = STR_NONE, mark = 0;

    while (i < s.n) {
        if (p < pat.n && pat.p[p] == '*') {
            star = p++;
            mark = i;
        } else if (p < pat.n && (pat.p[p] == '?' || pat.p[p] == s.p[i])) {
            p++, i++;
        } else if (star != STR_NONE) {
            p = star + 1;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (p < pat.n && pat.p[p] == '*')
        p++;
    return p == pat.n;
}

struct str str_dup(struct arena *a, struct str s)
{
    return (struct str){ arena_strdup(a, s.p, s.n), s.n };
}

void sbuf_room(struct sbuf *b, size_t n)
{
    size_t cap = b->cap ? b->cap : 64;

    if (b->n + n + 1 <= b->cap)
        return;
    while (cap < b->n + n + 1)
        cap *= 2;
    b->p = xrealloc(b->p, cap);
    b->cap = cap;
}

void sbuf_add(struct sbuf *b, const char *p, size_t n)
{
    sbuf_room(b, n);
    if (n)
        memcpy(b->p + b->n, p, n);
    b->n += n;
    b->p[b->n] = '\0';
}

void sbuf_str(struct sbuf *b, struct str s)
{
    sbuf_add(b, s.p, s.n);
}

void sbuf_z(struct sbuf *b, const char *z)
{
    sbuf_add(b, z, strlen(z));
}

void sbuf_chr(struct sbuf *b, char c)
{
    sbuf_add(b, &c, 1);
}

void sbuf_fmt(struct sbuf *b, const char *fmt, ...)
{
    char small[256];
    va_list ap, ap2;

    va_start(ap, fmt);
    va_copy(ap2, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    assert(n >= 0);
    if ((size_t)n < sizeof small) {
        sbuf_add(b, small, (size_t)n);
    } else {
        char *big = xmalloc((size_t)n + 1);

        vsnprintf(big, (size_t)n + 1, fmt, ap2);
        sbuf_add(b, big, (size_t)n);
        free(big);
    }
    va_end(ap2);
}

void sbuf_free(struct sbuf *b)
{
    free(b->p);
    *b = (struct sbuf){ 0 };
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

/* Slot of 's', or the free slot where it belongs. */
static size_t strtab_slot(const struct strtab *t, struct str s)
{
    size_t mask = t->nslots - 1;
    size_t i = (size_t)hash_bytes(s.p, s.n, 0) & mask;

    while (t->slots[i] && !str_eq(t->strs.at[t->slots[i] - 1], s))
        i = (i + 1) & mask;
    return i;
}

static void strtab_grow(struct strtab *t)
{
    free(t->slots);
    t->nslots = t->nslots ? t->nslots * 2 : 64;
    t->slots = xcalloc(t->nslots, sizeof *t->slots);
    for (size_t id = 0; id < t->strs.n; id++)
        t->slots[strtab_slot(t, t->strs.at[id])] = (uint32_t)id + 1;
}

uint32_t strtab_id(struct strtab *t, struct str s)
{
    if (t->strs.n == 0) {
        *vec_push(&t->strs) = STR("");
        strtab_grow(t);
    }
    size_t i = strtab_slot(t, s);
    if (t->slots[i])
        return t->slots[i] - 1;
    assert(t->strs.n < UINT32_MAX - 1);
    uint32_t id = (uint32_t)t->strs.n;
    *vec_push(&t->strs) = str_dup(&t->text, s);
    if (t->strs.n * 2 > t->nslots)
        strtab_grow(t);
    else
        t->slots[i] = id + 1;
    return id;
}

bool strtab_find(const struct strtab *t, struct str s, uint32_t *ret_id)
{
    if (t->nslots == 0) {
        if (s.n == 0)
            *ret_id = 0;
        return s.n == 0;
    }
    size_t i = strtab_slot(t, s);
    if (!t->slots[i])
        return false;
    *ret_id = t->slots[i] - 1;
    return true;
}

struct str strtab_get(const struct strtab *t, uint32_t id)
{
    if (id == 0 && t->strs.n == 0)
        return STR("");
    assert(id < t->strs.n);
    return t->strs.at[id];
}

void strtab_free(struct strtab *t)
{
    arena_free(&t->text);
    vec_free(&t->strs);
    free(t->slots);
    *t = (struct strtab){ 0 };
}

static size_t map64_slot(const struct map64 *m, uint64_t key)
{
    size_t mask = m->nslots - 1;
    size_t i = (size_t)((key ^ key >> 29) * 0x9E3779B97F4A7C15u >> 20) & mask;

    while (m->vals[i] && m->keys[i] != key)
        i = (i + 1) & mask;
    return i;
}

bool map64_get(const struct map64 *m, uint64_t key, uint32_t *ret_val)
{
    if (m->n == 0)
        return false;
    size_t i = map64_slot(m, key);
    if (!m->vals[i])
        return false;
    *ret_val = m->vals[i] - 1;
    return true;
}

static void map64_grow(struct map64 *m)
{
    struct map64 old = *m;

    m->nslots = old.nslots ? old.nslots * 2 : 64;
    m->keys = xcalloc(m->nslots, sizeof *m->keys);
    m->vals = xcalloc(m->nslots, sizeof *m->vals);
    for (size_t i = 0; i < old.nslots; i++)
        if (old.vals[i]) {
            size_t to = map64_slot(m, old.keys[i]);

            m->keys[to] = old.keys[i];
            m->vals[to] = old.vals[i];
        }
    free(old.keys);
    free(old.vals);
}

void map64_set(struct map64 *m, uint64_t key, uint32_t val)
{
    assert(val < UINT32_MAX);
    if ((m->n + 1) * 2 > m->nslots)
        map64_grow(m);
    size_t i = map64_slot(m, key);
    m->n += !m->vals[i];
    m->keys[i] = key;
    m->vals[i] = val + 1;
}

void map64_del(struct map64 *m, uint64_t key)
{
    if (m->n == 0)
        return;
    size_t mask = m->nslots - 1, i = map64_slot(m, key);
    if (!m->vals[i])
        return;
    m->vals[i] = 0;
    m->n--;
    /* Re-insert the rest of the run so that no probe sequence is cut. */
    for (size_t j = (i + 1) & mask; m->vals[j]; j = (j + 1) & mask) {
        uint64_t k = m->keys[j];
        uint32_t v = m->vals[j];

        m->vals[j] = 0;
        size_t to = map64_slot(m, k);
        m->keys[to] = k;
        m->vals[to] = v;
    }
}

void map64_free(struct map64 *m)
{
    free(m->keys);
    free(m->vals);
    *m = (struct map64){ 0 };
}

size_t str_utf8(const uint8_t *p, size_t n)
{
    size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}
