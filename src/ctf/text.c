/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c -- text of a trace as UTF-8; see walk.h. */
#include "ctf/walk.h"

static void put_utf8(struct sbuf *b, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    if (c < 0x80) {
        sbuf_chr(b, (char)c);
        return;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t lead[] = { 0, 0xc0, 0xe0, 0xf0 };

    sbuf_chr(b, (char)(lead[more] | c >> (6 * more)));
    while (more-- > 0)
        sbuf_chr(b, (char)(0x80 | (c >> (6 * more) & 0x3f)));
}

static uint32_t unit_at(const uint8_t *p, unsigned size, bool be)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < size; i++)
        v = v << 8 | p[be ? i : size - 1 - i];
    return v;
}

struct str ctf_text(enum ctf_encoding encoding, const uint8_t *p, uint64_t n, struct sbuf *scratch)
{
    bool be = encoding == TEXT_UTF16BE || encoding == TEXT_UTF32BE;
    unsigned size = encoding == TEXT_UTF16LE || encoding == TEXT_UTF16BE ? 2 : 4;

    if (encoding == TEXT_UTF8)
        return (struct str){ (const char *)p, strnlen((const char *)p, n) };
    sbuf_clear(scratch);
    for (uint64_t at = 0; n - at >= size; at += size) {
        uint32_t c = unit_at(p + at, size, be);

        if (c == 0)
            break;
        if (size == 2 && c >= 0xd800 && c < 0xdc00 && n - at >= 4) {
            uint32_t low = unit_at(p + at + 2, 2, be);

            if (low >= 0xdc00 && low < 0xe000) {
                c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
                at += 2;
            }
        }
        put_utf8(scratch, c);
    }
    return sbuf_view(scratch);
}
