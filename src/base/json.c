/* SPDX-License-Identifier: Apache-2.0
 *
 * json.c -- see json.h. */
#define _GNU_SOURCE
#include "base/json.h"

#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

static void newline(struct json *j)
{
    if (!j->pretty)
        return;
    putc_unlocked('\n', j->f);
    for (int i = 0; i < j->depth; i++)
        fputs("  ", j->f);
}

/* What comes before a value: nothing after a key, else a comma if needed. */
static void before(struct json *j)
{
    if (j->after_key) {
        j->after_key = false;
        return;
    }
    if (j->depth == 0)
        return;
    if (j->some[j->depth])
        putc_unlocked(',', j->f);
    j->some[j->depth] = true;
    newline(j);
}

void json_open(struct json *j, char bracket)
{
    before(j);
    assert(j->depth + 1 < JSON_DEPTH);
    putc_unlocked(bracket, j->f);
    j->some[++j->depth] = false;
}

void json_close(struct json *j, char bracket)
{
    assert(j->depth > 0);
    bool some = j->some[j->depth--];

    if (some)
        newline(j);
    putc_unlocked(bracket, j->f);
}

static void put_escape(FILE *f, uint8_t c)
{
    static const char two[] = "btnvfr";

    if (c == '"' || c == '\\') {
        putc_unlocked('\\', f);
        putc_unlocked(c, f);
    } else if (c >= 8 && c <= 13 && c != 11) {
        putc_unlocked('\\', f);
        putc_unlocked(two[c - 8], f);
    } else {
        fprintf(f, "\\u%04x", c);
    }
}

static void put_string(FILE *f, struct str s)
{
    const uint8_t *p = (const uint8_t *)s.p;
    size_t i = 0, from = 0;

    putc_unlocked('"', f);
    while (i < s.n) {
        size_t len = 1;

        if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' && p[i] != '\\') {
            i++;
            continue;
        }
        if (p[i] >= 0x80 && (len = str_utf8(p + i, s.n - i)) > 0) {
            i += len;
            continue;
        }
        if (i > from)
            fwrite_unlocked(p + from, 1, i - from, f);
        if (p[i] >= 0x80)
            fputs("\xef\xbf\xbd", f);
        else
            put_escape(f, p[i]);
        from = ++i;
    }
    if (i > from)
        fwrite_unlocked(p + from, 1, i - from, f);
    putc_unlocked('"', f);
}

void json_key(struct json *j, struct str key)
{
    assert(j->depth > 0 && !j->after_key);
    before(j);
    put_string(j->f, key);
    putc_unlocked(':', j->f);
    if (j->pretty)
        putc_unlocked(' ', j->f);
    j->after_key = true;
}

void json_str(struct json *j, struct str s)
{
    before(j);
    put_string(j->f, s);
}

void json_i64(struct json *j, int64_t v)
{
    before(j);
    fprintf(j->f, "%" PRId64, v);
}

void json_u64(struct json *j, uint64_t v)
{
    before(j);
    fprintf(j->f, "%" PRIu64, v);
}

void json_f64(struct json *j, double v)
{
    char text[40];

    before(j);
    if (!isfinite(v)) {
        fputs("null", j->f);
        return;
    }
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    fputs(text, j->f);
}

void json_bool(struct json *j, bool v)
{
    before(j);
    fputs(v ? "true" : "false", j->f);
}

void json_none(struct json *j)
{
    before(j);
    fputs("null", j->f);
}

FILE *json_raw(struct json *j)
{
    before(j);
    return j->f;
}
