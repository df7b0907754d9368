/* SPDX-License-Identifier: Apache-2.0
 *
 * cell_text.c -- see cell_text.h.
 *
 * Our own widths instead of wcwidth(), which depends on the locale: the same
 * data must give the same table everywhere. */
#include "report/cell_text.h"

#include <stdio.h>

struct range {
    uint32_t first, last;
};

/* The ranges that turn up in names and logs; after Unicode 15, simplified. */
static const struct range zero_width[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 },   { 0x0591, 0x05bd }, { 0x0610, 0x061a },
    { 0x064b, 0x065f }, { 0x06d6, 0x06dc },   { 0x093a, 0x093c }, { 0x0941, 0x0948 },
    { 0x094d, 0x094d }, { 0x0e31, 0x0e31 },   { 0x0e34, 0x0e3a }, { 0x0e47, 0x0e4e },
    { 0x1160, 0x11ff }, { 0x1ab0, 0x1aff },   { 0x1dc0, 0x1dff }, { 0x200b, 0x200d },
    { 0x20d0, 0x20ff }, { 0x302a, 0x302d },   { 0x3099, 0x309a }, { 0xfe00, 0xfe0f },
    { 0xfe20, 0xfe2f }, { 0xe0100, 0xe01ef },
};

static const struct range double_width[] = {
    { 0x1100, 0x115f },   { 0x231a, 0x231b },   { 0x23e9, 0x23ec },   { 0x2614, 0x2615 },
    { 0x2648, 0x2653 },   { 0x26a1, 0x26a1 },   { 0x2705, 0x2705 },   { 0x270a, 0x270b },
    { 0x274c, 0x274c },   { 0x2e80, 0x303e },   { 0x3041, 0x33ff },   { 0x3400, 0x4dbf },
    { 0x4e00, 0x9fff },   { 0xa000, 0xa4cf },   { 0xa960, 0xa97f },   { 0xac00, 0xd7a3 },
    { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },   { 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },
    { 0x1f300, 0x1f64f }, { 0x1f680, 0x1f6ff }, { 0x1f900, 0x1f9ff }, { 0x20000, 0x3fffd },
};

static bool in_ranges(const struct range *r, size_t n, uint32_t c)
{
    size_t lo = 0, hi = n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (c > r[mid].last)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < n && c >= r[lo].first;
}

static size_t width_of(uint32_t c)
{
    if (c < 0x300)
        return 1;
    if (in_ranges(zero_width, ARRAY_SIZE(zero_width), c))
        return 0;
    return in_ranges(double_width, ARRAY_SIZE(double_width), c) ? 2 : 1;
}

/* Decodes the character at the start of 's' (not empty).  Returns its length
 * in bytes, or 0 if there is no valid one. */
static size_t decode(struct str s, uint32_t *ret)
{
    const uint8_t *p = (const uint8_t *)s.p;
    size_t len = p[0] < 0x80 ? 1 : p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (len == 0 || len > s.n || p[0] > 0xf4)
        return 0;
    uint32_t c = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || c > 0x10ffff ||
        (c >= 0xd800 && c <= 0xdfff))
        return 0;
    *ret = c;
    return len;
}

/* Characters that act instead of being seen. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static void escape(struct sbuf *b, uint32_t c)
{
    if (c == '\n')
        sbuf_z(b, "\\n");
    else if (c == '\r')
        sbuf_z(b, "\\r");
    else if (c == '\t')
        sbuf_z(b, "\\t");
    else
        sbuf_fmt(b, c < 0x100 ? "\\x%02x" : "\\u%04x", c);
}

void cell_escape(struct sbuf *b, struct str s, const char *keep)
{
    while (s.n) {
        uint32_t c;
        size_t len = decode(s, &c);

        if (len == 0) {
            sbuf_z(b, "\xef\xbf\xbd");
            len = 1;
        } else if (is_control(c) && (c == 0 || c >= 0x80 || !strchr(keep, (int)c))) {
            escape(b, c);
        } else {
            sbuf_add(b, s.p, len);
        }
        s = str_from(s, len);
    }
}

struct str cell_cut(struct str s, size_t width)
{
    struct str rest = s;

    while (rest.n) {
        uint32_t c = 0;
        size_t len = decode(rest, &c), w = width_of(c);

        if (w > width)
            break;
        width -= w;
        rest = str_from(rest, len ? len : 1);
    }
    return str_first(s, s.n - rest.n);
}

size_t cell_width(struct str s)
{
    size_t width = 0;

    while (s.n) {
        uint32_t c = 0;
        size_t len = decode(s, &c);

        width += width_of(c);
        s = str_from(s, len ? len : 1);
    }
    return width;
}
