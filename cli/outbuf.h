/* SPDX-License-Identifier: Apache-2.0
 *
 * outbuf.h -- a buffer in front of stdout for millions of small pieces.
 *
 * stdio takes a lock or a format string for each; here a number is a few
 * stores.  The buffer grows with its longest line and is written when a line is
 * done and 64 KiB are full. */
#ifndef CLI_OUTBUF_H
#define CLI_OUTBUF_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct out {
    struct sbuf b;
    bool failed;
};

/* Room for 'n' more bytes, at the returned place; out_took() says how many were used. */
static inline char *out_room(struct out *o, size_t n)
{
    if (o->b.n + n > o->b.cap) {
        size_t cap = o->b.cap * 2 > o->b.n + n ? o->b.cap * 2 : o->b.n + n;

        o->b.p = xrealloc(o->b.p, cap < 4096 ? 4096 : cap);
        o->b.cap = cap < 4096 ? 4096 : cap;
    }
    return o->b.p + o->b.n;
}
static inline void out_took(struct out *o, const char *end)
{
    o->b.n = (size_t)(end - o->b.p);
}
static inline void out_chr(struct out *o, char c)
{
    *out_room(o, 1) = c;
    o->b.n++;
}
static inline void out_str(struct out *o, struct str s)
{
    if (s.n)
        memcpy(out_room(o, s.n), s.p, s.n);
    o->b.n += s.n;
}
#define out_lit(o, lit) out_str((o), STR(lit))

void out_u64(struct out *o, uint64_t v);
void out_i64(struct out *o, int64_t v);
/* Exactly 'digits' digits, zeros in front. */
void out_digits(struct out *o, uint64_t v, unsigned digits);
void out_fmt(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void out_json_str(struct out *o, struct str s);
/* A JSON number that reads back equal and as a floating point number; null if
 * not finite. */
void out_json_f64(struct out *o, double v);

/* Ends a line: writes the buffer when it is full enough. */
void out_line(struct out *o);
/* Writes the rest and frees. */
void out_end(struct out *o);

/* errno of the first write to stdout that failed, or 0.  stdio keeps only the fact,
 * so whoever sees a failure notes its number. */
int out_error(void);
void out_note_error(int code);

#endif
