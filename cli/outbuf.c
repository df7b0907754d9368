/* SPDX-License-Identifier: Apache-2.0
 *
 * outbuf.c -- see outbuf.h. */
#include "cli/outbuf.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { FULL = 64 * 1024 };

static int first_error;

int out_error(void)
{
    return first_error;
}

void out_note_error(int code)
{
    if (first_error == 0)
        first_error = code;
}

static const char two_digits[] =
    "00010203040506070809101112131415161718192021222324252627282930313233"
    "34353637383940414243444546474849505152535455565758596061626364656667"
    "68697071727374757677787980818283848586878889909192939495969798"
    "99";

void out_digits(struct out *o, uint64_t v, unsigned digits)
{
    char *p = out_room(o, digits) + digits;

    out_took(o, p);
    for (; digits >= 2; digits -= 2, v /= 100) {
        p -= 2;
        memcpy(p, two_digits + v % 100 * 2, 2);
    }
    if (digits)
        *--p = (char)('0' + v % 10);
}

void out_u64(struct out *o, uint64_t v)
{
    char text[20], *p = text + sizeof text;

    while (v >= 100) {
        p -= 2;
        memcpy(p, two_digits + v % 100 * 2, 2);
        v /= 100;
    }
    if (v >= 10) {
        p -= 2;
        memcpy(p, two_digits + v * 2, 2);
    } else {
        *--p = (char)('0' + v);
    }
    out_str(o, (struct str){ p, (size_t)(text + sizeof text - p) });
}

void out_i64(struct out *o, int64_t v)
{
    if (v < 0)
        out_chr(o, '-');
    out_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void out_fmt(struct out *o, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (n > 0)
        out_str(o, (struct str){ text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1 });
}

/* 0: as it is; 1: has an escape; 2: perhaps UTF-8 */
static inline unsigned json_class(uint8_t c)
{
    return c >= 0x80 ? 2 : c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

static char *put_escape(char *to, uint8_t c)
{
    static const char hex[] = "0123456789abcdef", two[] = "btn.fr";

    *to++ = '\\';
    if (c == '"' || c == '\\') {
        *to++ = (char)c;
    } else if (c >= 8 && c <= 13 && c != 11) {
        *to++ = two[c - 8];
    } else {
        memcpy(to, "u00", 3);
        to[3] = hex[c >> 4];
        to[4] = hex[c & 15];
        to += 5;
    }
    return to;
}

void out_json_str(struct out *o, struct str s)
{
    const uint8_t *p = (const uint8_t *)s.p, *end = p + s.n;
    char *to = out_room(o, s.n * 6 + 2); /* the longest escape is 6 bytes for one */

    *to++ = '"';
    while (p < end) {
        unsigned kind = json_class(*p);

        if (kind == 0) {
            *to++ = (char)*p++;
        } else if (kind == 1) {
            to = put_escape(to, *p++);
        } else {
            size_t len = str_utf8(p, (size_t)(end - p));

            if (len == 0) {
                memcpy(to, "\xef\xbf\xbd", 3);
                to += 3;
                p++;
            }
            for (; len; len--)
                *to++ = (char)*p++;
        }
    }
    *to++ = '"';
    out_took(o, to);
}

void out_json_f64(struct out *o, double v)
{
    static const int digits[] = { 6, 9, 15, 16, 17 };
    char text[40];

    if (!isfinite(v)) {
        out_lit(o, "null");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(digits); i++) {
        snprintf(text, sizeof text, "%.*g", digits[i], v);
        if (strtod(text, NULL) == v)
            break;
    }
    out_str(o, str_of(text));
    if (!strpbrk(text, ".e"))
        out_lit(o, ".0");
}

static void write_all(struct out *o)
{
    errno = 0;
    if (o->b.n && !o->failed && fwrite(o->b.p, 1, o->b.n, stdout) != o->b.n) {
        out_note_error(errno);
        o->failed = true;
    }
    o->b.n = 0;
}

void out_line(struct out *o)
{
    out_chr(o, '\n');
    if (o->b.n >= FULL)
        write_all(o);
}

void out_end(struct out *o)
{
    write_all(o);
    sbuf_free(&o->b);
}
