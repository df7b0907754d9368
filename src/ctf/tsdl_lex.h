/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl_lex.h -- tokens of the Trace Stream Description Language (CTF 1.8). */
#ifndef CTF_TSDL_LEX_H
#define CTF_TSDL_LEX_H

#include "base/err.h"
#include "base/str.h"

enum tok_kind {
    TOK_END,
    TOK_WORD,   /* identifier or keyword       */
    TOK_INT,    /* 12, 0x1f, 017, 'c'          */
    TOK_STRING, /* "text", escapes resolved    */
    TOK_PUNCT,  /* { } [ ] ( ) < > ; , : = . * - + */
    TOK_ASSIGN, /* := (type assignment)        */
    TOK_DOTS,   /* ...                         */
    TOK_ARROW,  /* ->                          */
};

struct tok {
    enum tok_kind kind;
    char punct;
    struct str text; /* word; string without quotes; number as written */
    uint64_t value;  /* TOK_INT */
    uint32_t line, column;
};

struct lex {
    struct str in;
    size_t at;
    uint32_t line;
    size_t line_start;
    struct arena *mem; /* for strings with escapes */
    struct tok tok;    /* the current token */
};

/* Is the word one of TSDL (CTF 1.8.3, C.1)?  Those that can begin or make up the
 * name of a type in C are 'C words'; an alias may be called so. */
bool lex_is_keyword(struct str word);
bool lex_is_c_word(struct str word);

/* Moves to the next token.  Returns 0 or -E_CORRUPT. */
int lex_next(struct lex *lx, struct err *err);

#endif
