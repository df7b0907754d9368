/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl_priv.h -- what the two halves of the TSDL parser share: tsdl.c reads
 * blocks (trace, env, clock, stream, event), tsdl_type.c and tsdl_attr.c read
 * types. */
#ifndef CTF_TSDL_PRIV_H
#define CTF_TSDL_PRIV_H

#include "ctf/meta.h"
#include "ctf/tsdl_lex.h"

/* Names declared in one scope; looked up from the inside out. */
struct tsdl_scope {
    struct tsdl_scope *up;
    VEC(struct {
        struct str name; /* "uint32_t", "unsigned long", "struct foo" */
        struct ctf_type *type;
    }) names;
};

struct tsdl {
    struct lex lx;
    struct ctf_meta *meta;
    struct tsdl_scope *scope;
    struct notes *notes;
    const char *where;
    int depth;
    bool has_env;
    bool after_body; /* the current token follows '}', or the ')' of an alignment */
    struct {
        uint32_t line, column; /* 0 = there is none */
        bool is_signed;        /* the enum */
    } odd_sign;                /* the first value of a label whose sign its enum cannot have */
};

/* -E_CORRUPT with the place of the current token. */
__attribute__((format(printf, 3, 4), cold)) int tsdl_bad(const struct tsdl *ts, struct err *err,
                                                         const char *fmt, ...);
int tsdl_next(struct tsdl *ts, struct err *err);
bool tsdl_is(const struct tsdl *ts, char punct);
bool tsdl_is_word(const struct tsdl *ts, const char *word);
/* Takes 'punct' or fails with what was expected. */
int tsdl_want(struct tsdl *ts, char punct, struct err *err);

void tsdl_push_scope(struct tsdl *ts, struct tsdl_scope *scope);
void tsdl_pop_scope(struct tsdl *ts);

/* A type specifier: integer {...}, struct x {...}, uint8_t, unsigned long. If
 * 'stop_at_name' the last word before ; [ , belongs to the declarator. */
int tsdl_type(struct tsdl *ts, bool stop_at_name, struct ctf_type **ret, struct err *err);
/* True at 'typedef', 'typealias', or at struct, enum, variant. */
bool tsdl_at_declaration(const struct tsdl *ts);
/* typedef ...; typealias ...; struct x {...}; including the ';'. */
int tsdl_declaration(struct tsdl *ts, struct err *err);
/* Arrays and sequences after a name: [16][len]. 't' becomes the outermost. */
int tsdl_brackets(struct tsdl *ts, struct ctf_type **t, struct err *err);
struct ctf_type *tsdl_new_type(struct tsdl *ts, enum ctf_kind kind, uint32_t align);
/* The blocks of attributes after these words (tsdl_attr.c). */
int tsdl_integer(struct tsdl *ts, struct ctf_type **ret, struct err *err);
int tsdl_float(struct tsdl *ts, struct ctf_type **ret, struct err *err);
int tsdl_string(struct tsdl *ts, struct ctf_type **ret, struct err *err);
/* "align(32)" after a structure. */
int tsdl_align(struct tsdl *ts, struct ctf_type *t, struct err *err);
/* A constant: [-]number, string or word; 'ret_text' for the last two. */
int tsdl_value(struct tsdl *ts, struct str *ret_text, int64_t *ret, bool *ret_is_int,
               struct err *err);

#endif
