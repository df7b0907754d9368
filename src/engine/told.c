/* SPDX-License-Identifier: Apache-2.0
 *
 * told.c -- see told.h.
 *
 * A note is one fact, "note.N": level, count, where and text, with tabs between.
 * In it, 0x1f stands before the number of a reader instead of its path, and 0x1e
 * before each of these three bytes that was in the note itself. */
#include "engine/told.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { ESCAPE = 0x1e, READER = 0x1f };

static const struct {
    const char *key;
    size_t offset;
} totals_keys[] = {
#define X(name)                                               \
    {                                                         \
        "totals." #name, offsetof(struct reader_totals, name) \
    }
    X(events),    X(discarded), X(lost_packets), X(bad_packets),
    X(backwards), X(bytes),     X(streams),      X(packets),
#undef X
};

/* The reader whose path 's' begins with, the longest; NULL if none. */
static const struct reader *reader_at(const struct host *h, struct str s, size_t *ret_number)
{
    const struct reader *best = NULL;
    size_t longest = 0;

    for (size_t i = 0; h && i < h->readers.n; i++) {
        struct str path = str_of(h->readers.at[i]->path);

        if (path.n <= longest || !str_starts(s, path))
            continue;
        best = h->readers.at[i];
        longest = path.n;
        *ret_number = i;
    }
    return best;
}

static void put_text(struct sbuf *b, const struct host *h, struct str s)
{
    bool begins = true; /* a path does not begin within a word */

    while (s.n) {
        size_t number;
        const struct reader *r = begins ? reader_at(h, s, &number) : NULL;
        char c = s.p[0];

        if (r) {
            sbuf_fmt(b, "%c%zu%c", READER, number, READER);
            s = str_from(s, strlen(r->path));
            begins = false;
            continue;
        }
        if (c == ESCAPE || c == READER || c == '\t')
            sbuf_chr(b, ESCAPE);
        sbuf_chr(b, c);
        begins = c == ' ' || c == '(' || c == '\'' || c == '"';
        s = str_from(s, 1);
    }
}

/* The text up to a tab or the end of '*s', which moves behind it. */
static void take_text(struct sbuf *b, const struct host *h, struct str *s)
{
    while (s->n && s->p[0] != '\t') {
        char c = s->p[0];
        size_t end;
        uint64_t number;

        *s = str_from(*s, 1);
        if (c == READER && (end = str_chr(*s, READER, 0)) != STR_NONE) {
            if (str_u64(str_first(*s, end), &number) && h && number < h->readers.n)
                sbuf_z(b, h->readers.at[number]->path);
            *s = str_from(*s, end + 1);
            continue;
        }
        if (c == ESCAPE && s->n) {
            c = s->p[0];
            *s = str_from(*s, 1);
        }
        sbuf_chr(b, c);
    }
    *s = str_from(*s, 1);
}

static void put_number(struct store *s, const char *key, uint64_t v)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRIu64, v);
    store_set_fact(s, key, str_of(text));
}

static uint64_t get_number(const struct store *s, const char *key)
{
    uint64_t v = 0;

    str_u64(store_fact(s, key), &v);
    return v;
}

void told_write(struct store *s, const struct host *h, const struct notes *notes,
                const struct reader_totals *totals)
{
    struct sbuf b = { 0 };
    char key[32];

    for (size_t i = 0; i < notes->list.n; i++) {
        const struct note *n = &notes->list.at[i];

        sbuf_clear(&b);
        sbuf_fmt(&b, "%d\t%" PRIu64 "\t", (int)n->level, n->count);
        put_text(&b, h, n->where);
        sbuf_chr(&b, '\t');
        put_text(&b, h, n->text);
        snprintf(key, sizeof key, "note.%zu", i);
        store_set_fact(s, key, sbuf_view(&b));
    }
    put_number(s, "notes", notes->list.n);
    put_number(s, "notes.unlisted", notes->unlisted);
    for (size_t i = 0; totals && i < ARRAY_SIZE(totals_keys); i++) {
        uint64_t v;

        memcpy(&v, (const char *)totals + totals_keys[i].offset, sizeof v);
        put_number(s, totals_keys[i].key, v);
    }
    sbuf_free(&b);
}

static void read_note(struct str s, const struct host *h, struct notes *notes)
{
    struct sbuf where = { 0 }, text = { 0 };
    size_t tab = str_chr(s, '\t', 0), tab2 = tab == STR_NONE ? tab : str_chr(s, '\t', tab + 1);
    uint64_t level, count;

    if (tab2 == STR_NONE || !str_u64(str_first(s, tab), &level) || level > NOTE_LOST ||
        !str_u64(str_from(str_first(s, tab2), tab + 1), &count))
        return;
    s = str_from(s, tab2 + 1);
    take_text(&where, h, &s);
    take_text(&text, h, &s);
    note_add_times(notes, (enum note_level)level, sbuf_view(&where), sbuf_view(&text), count);
    sbuf_free(&where);
    sbuf_free(&text);
}

void told_read(const struct store *s, const struct host *h, struct notes *notes,
               struct reader_totals *ret_totals)
{
    uint64_t n = get_number(s, "notes");
    char key[32];

    for (uint64_t i = 0; i < n && i < LIMIT_NOTES; i++) {
        snprintf(key, sizeof key, "note.%" PRIu64, i);
        read_note(store_fact(s, key), h, notes);
    }
    notes->unlisted += get_number(s, "notes.unlisted");
    for (size_t i = 0; ret_totals && i < ARRAY_SIZE(totals_keys); i++) {
        uint64_t v = get_number(s, totals_keys[i].key);

        memcpy((char *)ret_totals + totals_keys[i].offset, &v, sizeof v);
    }
}
