/* SPDX-License-Identifier: Apache-2.0
 *
 * notes.h -- what the user must know about the quality of an answer.
 *
 * Whatever is skipped, guessed, repaired or missing becomes a note.  Library
 * code adds notes and never prints; `neph doctor` and every report's footer
 * show them.  Equal notes are counted, not repeated. */
#ifndef BASE_NOTES_H
#define BASE_NOTES_H

#include "base/str.h"

enum note_level {
    NOTE_INFO, /* worth knowing: an index ignored, an old tracer's quirk handled */
    NOTE_WARN, /* part of the data is missing or doubtful                        */
    NOTE_LOST, /* data was skipped: corrupt, truncated, refused                  */
};

struct note {
    enum note_level level;
    struct str where; /* file, host or event name; may be empty */
    struct str text;  /* one sentence: what, and what to do     */
    uint64_t count;
};

struct json;
/* {"level","where","text","count"} */
void note_json(const struct note *n, struct json *j);

/* Zero-initialise; notes_free() when done. */
struct notes {
    struct arena mem;
    VEC(struct note) list;
    struct map64 index; /* hash of (level, where, text) -> position in 'list' */
    uint64_t unlisted;  /* notes over LIMIT_NOTES */
};

/* Adds a note about 'where' (a file, a host, a stream). */
void note_add(struct notes *n, enum note_level level, const char *where, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Adds 'count' times the same note. */
void note_add_times(struct notes *n, enum note_level level, struct str where, struct str text,
                    uint64_t count);
/* Adds all notes of 'from', which is empty then. */
void notes_move(struct notes *n, struct notes *from);
const char *note_level_name(enum note_level level);
void notes_free(struct notes *n);

#endif
