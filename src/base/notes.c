/* SPDX-License-Identifier: Apache-2.0
 *
 * notes.c -- see notes.h. */
#include "base/notes.h"

#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void note_add(struct notes *n, enum note_level level, const char *where, const char *fmt, ...)
{
    char text[1200];
    uint32_t at;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);

    uint64_t key = hash_bytes(text, strlen(text), hash_bytes(where, strlen(where), level));
    if (map64_get(&n->index, key, &at)) {
        n->list.at[at].count++;
        return;
    }
    if (n->list.n >= LIMIT_NOTES) {
        n->unlisted++;
        return;
    }
    map64_set(&n->index, key, (uint32_t)n->list.n);
    *vec_push(&n->list) = (struct note){ .level = level,
                                         .where = str_dup(&n->mem, str_of(where)),
                                         .text = str_dup(&n->mem, str_of(text)),
                                         .count = 1 };
}

const char *note_level_name(enum note_level level)
{
    static const char *const names[] = { "info", "warning", "lost" };

    return names[level];
}

void notes_free(struct notes *n)
{
    arena_free(&n->mem);
    vec_free(&n->list);
    map64_free(&n->index);
    n->unlisted = 0;
}
