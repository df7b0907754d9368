/* SPDX-License-Identifier: Apache-2.0
 *
 * payload_tree.c -- see payload_tree.h.
 *
 * A descent with a depth counter.  Strings without escapes are views of the
 * input; only strings with escapes are copied.  The JSON grammar and Python's
 * repr() overlap so much that one reader serves both: quotes may be single or
 * double, a string may have a u or b in front, and (..) is a list. */
#include "model/payload_tree.h"

#include "base/limits.h"

#include <assert.h>

struct reader {
    struct str s;
    size_t at;
    struct arena *a;
    int depth;
};

static enum tree_end read_value(struct reader *r, struct tree **ret);

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static void skip_blanks(struct reader *r)
{
    while (r->at < r->s.n && is_blank(r->s.p[r->at]))
        r->at++;
}

/* The byte at the reader, or NUL at the end of the text. */
static char peek(const struct reader *r)
{
    return r->at < r->s.n ? r->s.p[r->at] : '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* 'n' hexadecimal digits at byte 'i' of 's', or -1. */
static int64_t hex_at(struct str s, size_t i, size_t n)
{
    int64_t v = 0;

    if (i > s.n || s.n - i < n)
        return -1;
    for (size_t k = 0; k < n; k++) {
        int d = hex_digit(s.p[i + k]);

        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static char *put_utf8(char *o, uint32_t c)
{
    if (c == 0 || (c >= 0xd800 && c <= 0xdfff) || c > 0x10ffff)
        c = 0xfffd;
    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6);
        *o++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *o++ = (char)(0xe0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    } else {
        *o++ = (char)(0xf0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 0x3f));
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    }
    return o;
}

/* Resolves the escape whose backslash is at byte 'i' of 's'; the code point or,
 * for an escape that is none, the byte itself goes to 'o'.  Returns the bytes
 * used; no escape gives more bytes than it takes, except \xNN (2 from 4). */
static size_t unescape(struct str s, size_t i, char **o)
{
    static const char from[] = "nrtbf", to[] = "\n\r\t\b\f";
    char c = i + 1 < s.n ? s.p[i + 1] : '\\';
    const char *known = c ? strchr(from, c) : NULL;
    size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    int64_t v = digits ? hex_at(s, i + 2, digits) : -1;

    if (known) {
        *(*o)++ = to[known - from];
        return 2;
    }
    if (v < 0) {
        *(*o)++ = c;
        return i + 1 < s.n ? 2 : 1;
    }
    if (v >= 0xd800 && v < 0xdc00 && i + 7 < s.n && s.p[i + 6] == '\\' && s.p[i + 7] == 'u') {
        int64_t low = hex_at(s, i + 8, 4);

        if (low >= 0xdc00 && low < 0xe000) {
            *o = put_utf8(*o, (uint32_t)(0x10000 + ((v - 0xd800) << 10) + (low - 0xdc00)));
            return 12;
        }
    }
    *o = put_utf8(*o, v > 0x10ffff ? 0xfffd : (uint32_t)v);
    return digits + 2;
}

/* Reads the string whose opening quote is at the reader. */
static enum tree_end read_string(struct reader *r, struct str *ret)
{
    char quote = r->s.p[r->at];
    size_t start = r->at + 1, i = start;
    bool escapes = false;

    while (i < r->s.n && r->s.p[i] != quote) {
        if (r->s.p[i] == '\\') {
            escapes = true;
            i++;
        }
        i++;
    }
    if (i >= r->s.n) {
        r->at = r->s.n;
        return TREE_CUT;
    }
    struct str in = { r->s.p + start, i - start };
    r->at = i + 1;
    if (!escapes) {
        *ret = in;
        return TREE_COMPLETE;
    }
    char *out = arena_alloc(r->a, in.n + 1), *o = out;
    for (size_t k = 0; k < in.n;) {
        if (in.p[k] == '\\')
            k += unescape(in, k, &o);
        else
            *o++ = in.p[k++];
    }
    *ret = (struct str){ out, (size_t)(o - out) };
    return TREE_COMPLETE;
}

/* True if a string starts at the reader; '*ret_prefix' is then the number of
 * prefix letters (u'..', b'..') in front of the quote. */
static bool at_string(const struct reader *r, size_t *ret_prefix)
{
    char c = peek(r);
    char d = r->at + 1 < r->s.n ? r->s.p[r->at + 1] : '\0';

    if (c == '\'' || c == '"') {
        *ret_prefix = 0;
        return true;
    }
    *ret_prefix = 1;
    return (c == 'u' || c == 'b') && (d == '\'' || d == '"');
}

/* Skips to behind the bracket that closes the one at the reader, minding quotes. */
static enum tree_end skip_brackets(struct reader *r)
{
    char open = peek(r), close = open == '(' ? ')' : '>';
    int depth = 0;

    for (; r->at < r->s.n; r->at++) {
        char c = r->s.p[r->at];

        if (c == open) {
            depth++;
        } else if (c == close && --depth == 0) {
            r->at++;
            return TREE_COMPLETE;
        } else if (open == '(' && (c == '\'' || c == '"')) {
            struct str ignored;

            if (read_string(r, &ignored) != TREE_COMPLETE)
                return TREE_CUT;
            r->at--;
        }
    }
    return TREE_CUT;
}

static enum tree_end leaf(struct reader *r, struct tree **ret, enum tree_kind kind, size_t start)
{
    *ret = arena_new(r->a, struct tree);
    (*ret)->kind = kind;
    (*ret)->text = (struct str){ r->s.p + start, r->at - start };
    return TREE_COMPLETE;
}

/* A number or a bare word.  What touches the end of the text may be cut. */
static enum tree_end read_word(struct reader *r, struct tree **ret)
{
    size_t start = r->at;
    char c = peek(r);
    bool number = (c >= '0' && c <= '9') || c == '-' || c == '+';
    enum tree_kind kind = number ? TREE_NUMBER : TREE_RAW;

    while (r->at < r->s.n) {
        c = r->s.p[r->at];
        if (!is_word(c) && c != '.' && !(number && (c == '-' || c == '+')))
            break;
        r->at++;
    }
    if (r->at == r->s.n)
        return TREE_CUT;
    if (r->at == start)
        return TREE_BAD;
    struct str w = { r->s.p + start, r->at - start };
    if (str_is(w, "null") || str_is(w, "None"))
        kind = TREE_NULL;
    else if (str_is(w, "true") || str_is(w, "True") || str_is(w, "false") || str_is(w, "False"))
        kind = TREE_BOOL;
    if (kind != TREE_RAW || peek(r) != '(')
        return leaf(r, ret, kind, start);

    char inner = r->at + 1 < r->s.n ? r->s.p[r->at + 1] : '\0';
    if (inner == '{' || inner == '[') { /* VIF({...}) */
        r->at++;
        enum tree_end end = read_value(r, ret);
        skip_blanks(r);
        if (end == TREE_COMPLETE && peek(r) == ')')
            r->at++;
        else if (end == TREE_COMPLETE)
            end = r->at < r->s.n ? TREE_BAD : TREE_CUT;
        return end;
    }
    if (skip_brackets(r) != TREE_COMPLETE)
        return TREE_CUT;
    return leaf(r, ret, TREE_RAW, start);
}

/* "key": with the reader on the quote; an unquoted key (a number) is taken too. */
static enum tree_end read_key(struct reader *r, struct str *ret)
{
    size_t prefix, start = r->at;

    if (at_string(r, &prefix)) {
        r->at += prefix;
        return read_string(r, ret);
    }
    while (r->at < r->s.n && (is_word(r->s.p[r->at]) || r->s.p[r->at] == '-'))
        r->at++;
    *ret = (struct str){ r->s.p + start, r->at - start };
    return r->at == start ? TREE_BAD : TREE_COMPLETE;
}

/* One member of the list or object 'up'; 'set' says that {..} has no colons. */
static enum tree_end read_member(struct reader *r, struct tree *up, struct tree ***tail, bool *set)
{
    struct str key = STR("");
    struct tree *t = NULL;
    size_t start = r->at;
    enum tree_end end = TREE_COMPLETE;

    if (up->kind == TREE_OBJECT && !*set) {
        end = read_key(r, &key);
        skip_blanks(r);
        if (end == TREE_COMPLETE && peek(r) == ':') {
            r->at++;
            skip_blanks(r);
        } else if (up->child || r->at >= r->s.n) {
            return r->at < r->s.n ? TREE_BAD : TREE_CUT;
        } else {
            *set = true; /* the repr of a Python set */
            r->at = start;
            key = STR("");
        }
    }
    if (r->at >= r->s.n)
        return TREE_CUT;
    end = read_value(r, &t);
    /* A cut string or number isn't known; a cut list has members that are. */
    if (t && (end == TREE_COMPLETE || t->child)) {
        t->key = key;
        **tail = t;
        *tail = &t->next;
    }
    return end;
}

static enum tree_end read_list(struct reader *r, struct tree **ret)
{
    size_t start = r->at;
    char open = peek(r), close = open == '{' ? '}' : open == '[' ? ']' : ')';
    struct tree *t = arena_new(r->a, struct tree), **tail = &t->child;
    enum tree_end end = TREE_COMPLETE;
    bool set = false;

    *ret = t;
    t->kind = open == '{' ? TREE_OBJECT : TREE_LIST;
    for (r->at++;;) {
        skip_blanks(r);
        if (peek(r) == close) {
            r->at++;
            break;
        }
        if (r->at >= r->s.n)
            end = TREE_CUT;
        else
            end = read_member(r, t, &tail, &set);
        if (end != TREE_COMPLETE)
            break;
        skip_blanks(r);
        if (peek(r) == ',') {
            r->at++;
        } else if (peek(r) != close) {
            end = r->at < r->s.n ? TREE_BAD : TREE_CUT;
            break;
        }
    }
    if (set)
        t->kind = TREE_LIST;
    t->text = (struct str){ r->s.p + start, r->at - start };
    return end;
}

static enum tree_end read_value(struct reader *r, struct tree **ret)
{
    size_t prefix, start;
    enum tree_end end;

    skip_blanks(r);
    *ret = NULL;
    if (r->at >= r->s.n)
        return TREE_CUT;
    char c = peek(r);
    if (c == '{' || c == '[' || c == '(') {
        if (r->depth >= LIMIT_JSON_DEPTH)
            return TREE_BAD;
        r->depth++;
        end = read_list(r, ret);
        r->depth--;
        return end;
    }
    if (at_string(r, &prefix)) {
        struct str text;

        r->at += prefix;
        end = read_string(r, &text);
        if (end != TREE_COMPLETE)
            return end;
        *ret = arena_new(r->a, struct tree);
        (*ret)->kind = TREE_TEXT;
        (*ret)->text = text;
        return TREE_COMPLETE;
    }
    if (c == '<') {
        start = r->at;
        return skip_brackets(r) == TREE_COMPLETE ? leaf(r, ret, TREE_RAW, start) : TREE_CUT;
    }
    return read_word(r, ret);
}

enum tree_end tree_read(struct str text, size_t *at, struct arena *a, struct tree **ret)
{
    struct reader r = { .s = text, .at = *at, .a = a };

    assert(a && ret && *at <= text.n);
    *ret = NULL;
    if (text.n > LIMIT_LOG_FACT_BYTES)
        return TREE_BAD;
    enum tree_end end = read_value(&r, ret);
    *at = r.at;
    return end;
}

const struct tree *tree_at(const struct tree *t, struct str path)
{
    for (int depth = 0; t && path.n && depth <= LIMIT_JSON_DEPTH + 1; depth++) {
        const struct tree *hit = NULL;
        size_t hit_n = 0, i = 0;

        /* The longest key that the path starts with: keys may hold dots. */
        for (const struct tree *c = t->child; c; c = c->next, i++) {
            char digits[24];
            struct str key = c->key;

            if (t->kind == TREE_LIST) {
                char *d = digits + sizeof digits;
                size_t v = i;

                do
                    *--d = (char)('0' + v % 10);
                while (v /= 10);
                key = (struct str){ d, (size_t)(digits + sizeof digits - d) };
            }
            if (key.n >= hit_n && str_starts(path, key) &&
                (path.n == key.n || path.p[key.n] == '.') && (key.n > hit_n || !hit)) {
                hit = c;
                hit_n = key.n;
            }
        }
        if (!hit)
            return NULL;
        t = hit;
        path = str_from(path, hit_n);
        if (path.n)
            path = str_from(path, 1);
    }
    return path.n ? NULL : t;
}

static struct str known(const struct tree *t)
{
    return t && t->kind != TREE_NULL ? t->text : STR("");
}

struct str tree_get(const struct tree *t, const char *path)
{
    return known(tree_at(t, str_of(path)));
}

struct str tree_member(const struct tree *t, const char *key)
{
    const struct tree *c = t && t->kind == TREE_OBJECT ? t->child : NULL;

    while (c && !str_is(c->key, key))
        c = c->next;
    return known(c);
}

bool tree_i64(const struct tree *t, const char *path, int64_t *ret)
{
    struct str s = tree_get(t, path);

    if (s.n > 1 && s.p[s.n - 1] == 'L') /* Python 2 long */
        s.n--;
    return str_i64(s, ret);
}

size_t tree_count(const struct tree *t)
{
    size_t n = 0;

    for (const struct tree *c = t ? t->child : NULL; c; c = c->next)
        n++;
    return n;
}
