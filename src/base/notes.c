/* SPDX-License-Identifier: Apache-2.0
 *
 * notes.c -- see notes.h. */
#include "base/notes.h"

#include "base/json.h"
#include "base/limits.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void note_add_times(struct notes *n, enum note_level level, struct str where, struct str text,
                    uint64_t count)
{
    uint64_t key = hash_bytes(text.p, text.n, hash_bytes(where.p, where.n, level));
    uint32_t at;

    if (map64_get(&n->index, key, &at)) {
        n->list.at[at].count += count;
        return;
    }
    if (n->list.n >= LIMIT_NOTES) {
        n->unlisted += count;
        return;
    }
    map64_set(&n->index, key, (uint32_t)n->list.n);
    *vec_push(&n->list) = (struct note){ .level = level,
                                         .where = str_dup(&n->mem, where),
                                         .text = str_dup(&n->mem, text),
                                         .count = count };
}

void note_add(struct notes *n, enum note_level level, const char *where, const char *fmt, ...)
{
    char text[1200];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    note_add_times(n, level, str_of(where), str_of(text), 1);
}

void notes_move(struct notes *n, struct notes *from)
{
    if (from->list.n == 0)
        return;
    for (size_t i = 0; i < from->list.n; i++) {
        const struct note *x = &from->list.at[i];

        note_add_times(n, x->level, x->where, x->text, x->count);
    }
    n->unlisted += from->unlisted;
    notes_free(from);
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

void note_json(const struct note *n, struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "level", str_of(note_level_name(n->level)));
    json_kstr(j, "where", n->where);
    json_kstr(j, "text", n->text);
    json_ku64(j, "count", n->count);
    json_close(j, '}');
}
