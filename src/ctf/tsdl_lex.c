/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl_lex.c -- see tsdl_lex.h. */
#include "ctf/tsdl_lex.h"

#include <ctype.h>

static bool is_one_of(struct str word, const char *const *list)
{
    for (; *list; list++)
        if (str_is(word, *list))
            return true;
    return false;
}

bool lex_is_c_word(struct str word)
{
    static const char *const list[] = { "char",     "double",     "float",    "int",  "long",
                                        "short",    "signed",     "unsigned", "void", "_Bool",
                                        "_Complex", "_Imaginary", "const",    NULL };

    return is_one_of(word, list);
}

bool lex_is_keyword(struct str word)
{
    static const char *const list[] = { "align",     "callsite", "clock",          "enum",
                                        "env",       "event",    "floating_point", "integer",
                                        "stream",    "string",   "struct",         "trace",
                                        "typealias", "typedef",  "variant",        NULL };

    return is_one_of(word, list) || lex_is_c_word(word);
}

static int bad(const struct lex *lx, struct err *err, const char *what)
{
    return err_set(err, E_CORRUPT, "line %u, column %zu: %s", lx->line, lx->at - lx->line_start + 1,
                   what);
}

static int peek(const struct lex *lx, size_t ahead)
{
    return lx->at + ahead < lx->in.n ? (unsigned char)lx->in.p[lx->at + ahead] : -1;
}

static void step_line(struct lex *lx)
{
    lx->line++;
    lx->line_start = lx->at;
}

/* Blanks, newlines and comments. */
static int skip_blank(struct lex *lx, struct err *err)
{
    for (;;) {
        int c = peek(lx, 0);

        if (c == '\n') {
            lx->at++;
            step_line(lx);
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v') {
            lx->at++;
        } else if (c == '/' && peek(lx, 1) == '/') {
            while (peek(lx, 0) != '\n' && peek(lx, 0) != -1)
                lx->at++;
        } else if (c == '/' && peek(lx, 1) == '*') {
            lx->at += 2;
            while (!(peek(lx, 0) == '*' && peek(lx, 1) == '/')) {
                if (peek(lx, 0) == -1)
                    return bad(lx, err, "comment without end");
                if (lx->in.p[lx->at++] == '\n')
                    step_line(lx);
            }
            lx->at += 2;
        } else {
            return 0;
        }
    }
}

/* One escape sequence after a backslash; octal, hexadecimal and C's letters.  The
 * backslash of any other stays in the text. */
static int unescape(struct lex *lx, char *ret, struct err *err)
{
    static const char from[] = "abefnrtv", to[] = "\a\b\033\f\n\r\t\v";
    int c = peek(lx, 0);

    if (c == 'x' && isxdigit(peek(lx, 1))) {
        int v = 0;

        lx->at++;
        for (int i = 0; i < 2 && isxdigit(peek(lx, 0)); i++) {
            int d = tolower((unsigned char)lx->in.p[lx->at++]);
            v = v * 16 + (d <= '9' ? d - '0' : d - 'a' + 10);
        }
        *ret = (char)v;
        return 0;
    }
    if (c >= '0' && c <= '7') {
        int v = 0;

        for (int i = 0; i < 3 && peek(lx, 0) >= '0' && peek(lx, 0) <= '7'; i++)
            v = v * 8 + (lx->in.p[lx->at++] - '0');
        *ret = (char)v;
        return 0;
    }
    if (c == -1)
        return bad(lx, err, "text ends inside a string");
    if (c == '"' || c == '\'' || c == '\\' || c == '?') {
        *ret = (char)c;
    } else {
        const char *p = c ? strchr(from, c) : NULL;

        *ret = p ? to[p - from] : '\\';
        if (!p)
            return 0;
    }
    lx->at++;
    return 0;
}

static int lex_string(struct lex *lx, char quote, struct err *err)
{
    struct sbuf b = { 0 };
    size_t from = ++lx->at;
    int rc = 0;

    while (rc == 0 && peek(lx, 0) != quote) {
        int c = peek(lx, 0);
        char ch = 0;

        if (c == -1 || c == '\n') {
            rc = bad(lx, err, "string without closing quote");
        } else if (c == '\\') {
            sbuf_add(&b, lx->in.p + from, lx->at - from);
            lx->at++;
            rc = unescape(lx, &ch, err);
            if (rc == 0)
                sbuf_chr(&b, ch);
            from = lx->at;
        } else {
            lx->at++;
        }
    }
    if (rc == 0 && b.p) {
        sbuf_add(&b, lx->in.p + from, lx->at - from);
        lx->tok.text = str_dup(lx->mem, sbuf_view(&b));
    } else if (rc == 0) {
        lx->tok.text = (struct str){ lx->in.p + from, lx->at - from };
    }
    if (rc == 0)
        lx->at++;
    sbuf_free(&b);
    return rc;
}

static int lex_number(struct lex *lx, struct err *err)
{
    size_t from = lx->at;
    unsigned base = 10;
    uint64_t v = 0;

    if (peek(lx, 0) == '0' && (peek(lx, 1) == 'x' || peek(lx, 1) == 'X')) {
        base = 16;
        lx->at += 2;
    } else if (peek(lx, 0) == '0' && (peek(lx, 1) == 'b' || peek(lx, 1) == 'B')) {
        base = 2;
        lx->at += 2;
    } else if (peek(lx, 0) == '0') {
        base = 8;
    }
    size_t digits = lx->at;
    for (; isxdigit(peek(lx, 0)); lx->at++) {
        int c = tolower(peek(lx, 0));
        unsigned d = (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);

        if (d >= base)
            return bad(lx, err, "digit out of range in a number");
        if (__builtin_mul_overflow(v, base, &v) || __builtin_add_overflow(v, d, &v))
            return bad(lx, err, "number over 64 bits");
    }
    if (lx->at == digits)
        return bad(lx, err, "number without digits");
    while (peek(lx, 0) == 'u' || peek(lx, 0) == 'U' || peek(lx, 0) == 'l' || peek(lx, 0) == 'L')
        lx->at++;
    if (isalnum(peek(lx, 0)) || peek(lx, 0) == '_')
        return bad(lx, err, "letters right after a number");
    lx->tok.text = (struct str){ lx->in.p + from, lx->at - from };
    lx->tok.value = v;
    return 0;
}

int lex_next(struct lex *lx, struct err *err)
{
    int rc = skip_blank(lx, err);
    int c = peek(lx, 0);
    struct tok *t = &lx->tok;

    if (rc < 0)
        return rc;
    *t = (struct tok){ .line = lx->line, .column = (uint32_t)(lx->at - lx->line_start + 1) };
    if (c == -1) {
        t->kind = TOK_END;
    } else if (isalpha(c) || c == '_') {
        size_t from = lx->at;

        while (isalnum(peek(lx, 0)) || peek(lx, 0) == '_')
            lx->at++;
        t->kind = TOK_WORD;
        t->text = (struct str){ lx->in.p + from, lx->at - from };
        if (peek(lx, 0) == '"' && str_is(t->text, "L")) {
            t->kind = TOK_STRING; /* L"wide" is read as its bytes */
            return lex_string(lx, '"', err);
        }
    } else if (isdigit(c)) {
        t->kind = TOK_INT;
        return lex_number(lx, err);
    } else if (c == '"') {
        t->kind = TOK_STRING;
        return lex_string(lx, '"', err);
    } else if (c == '\'') {
        t->kind = TOK_INT;
        rc = lex_string(lx, '\'', err);
        if (rc == 0 && t->text.n != 1)
            return bad(lx, err, "a character constant must hold one character");
        if (rc == 0)
            t->value = (uint64_t)(unsigned char)t->text.p[0];
        return rc;
    } else if (c == '.' && peek(lx, 1) == '.' && peek(lx, 2) == '.') {
        t->kind = TOK_DOTS;
        lx->at += 3;
    } else if (c == ':' && peek(lx, 1) == '=') {
        t->kind = TOK_ASSIGN;
        lx->at += 2;
    } else if (c == '-' && peek(lx, 1) == '>') {
        t->kind = TOK_ARROW;
        lx->at += 2;
    } else if (strchr("{}[]()<>;,:=.*-+", c)) {
        t->kind = TOK_PUNCT;
        t->punct = (char)c;
        lx->at++;
    } else {
        return bad(lx, err, "unexpected character");
    }
    return 0;
}
