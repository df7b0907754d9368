/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl_type.c -- the type half of the TSDL parser (CTF 1.8.3, chapter 7 and
 * appendix C).  One function per type class; every word list such as
 * "unsigned long" is one name in the scope. */
#include "ctf/tsdl_priv.h"

#include "base/limits.h"

#include <stdlib.h>

static struct ctf_type *new_type(struct tsdl *ts, enum ctf_kind kind, uint32_t align)
{
    struct ctf_type *t = arena_new(&ts->meta->mem, struct ctf_type);

    t->kind = kind;
    t->align = align;
    t->ref_slot = -1;
    t->weight = 1;
    return t;
}

/* Counts 'inner' into 'outer'.  Aliases let a short text describe a type of
 * any depth and size, so both are limited here and not by the text. */
static int nest(struct ctf_type *outer, const struct ctf_type *inner, struct err *err)
{
    outer->weight += inner->weight;
    if (inner->depth + 1 > outer->depth)
        outer->depth = inner->depth + 1;
    if (outer->depth > LIMIT_TYPE_DEPTH)
        return err_set(err, E_LIMIT, "types nested over %d deep", LIMIT_TYPE_DEPTH);
    if (outer->weight > LIMIT_FIELDS)
        return err_set(err, E_LIMIT, "a type with over %u fields", LIMIT_FIELDS);
    return 0;
}

static struct ctf_type *find_name(const struct tsdl *ts, struct str name)
{
    for (struct tsdl_scope *s = ts->scope; s; s = s->up)
        for (size_t i = s->names.n; i-- > 0;)
            if (str_eq(s->names.at[i].name, name))
                return s->names.at[i].type;
    return NULL;
}

static int add_name(struct tsdl *ts, struct str name, struct ctf_type *t, struct err *err)
{
    for (size_t i = 0; i < ts->scope->names.n; i++)
        if (str_eq(ts->scope->names.at[i].name, name))
            return tsdl_bad(ts, err, "'" STR_FMT "' is declared twice in one scope", STR_ARG(name));
    vec_push(&ts->scope->names);
    ts->scope->names.at[ts->scope->names.n - 1].name = name;
    ts->scope->names.at[ts->scope->names.n - 1].type = t;
    return 0;
}

int tsdl_value(struct tsdl *ts, struct str *ret_text, int64_t *ret, bool *ret_is_int,
               struct err *err)
{
    bool neg = false;
    int rc = 0;

    while (rc == 0 && (tsdl_is(ts, '-') || tsdl_is(ts, '+'))) {
        neg ^= tsdl_is(ts, '-');
        rc = tsdl_next(ts, err);
    }
    if (rc < 0)
        return rc;
    const struct tok t = ts->lx.tok;
    if (t.kind == TOK_INT) {
        if (neg && t.value > (uint64_t)INT64_MAX + 1)
            return tsdl_bad(ts, err, "-" STR_FMT " does not fit in 64 bits", STR_ARG(t.text));
        *ret = neg ? (int64_t)(0 - t.value) : (int64_t)t.value;
        *ret_is_int = true;
        *ret_text = t.text;
        return tsdl_next(ts, err);
    }
    if (neg || (t.kind != TOK_STRING && t.kind != TOK_WORD))
        return tsdl_bad(ts, err, "expected a number, a string or a word");
    *ret_is_int = false;
    *ret_text = t.text;
    rc = tsdl_next(ts, err);
    /* A path such as clock.monotonic.value is one value. */
    while (rc == 0 && t.kind == TOK_WORD && (tsdl_is(ts, '.') || ts->lx.tok.kind == TOK_ARROW)) {
        rc = tsdl_next(ts, err);
        if (rc == 0 && ts->lx.tok.kind != TOK_WORD)
            return tsdl_bad(ts, err, "expected a name after '.'");
        if (rc == 0) {
            const char *end = ts->lx.tok.text.p + ts->lx.tok.text.n;

            *ret_text = (struct str){ t.text.p, (size_t)(end - t.text.p) };
            rc = tsdl_next(ts, err);
        }
    }
    return rc;
}

/* One "key = value;" of a type block. */
struct attr {
    struct str key, text;
    int64_t value;
    bool is_int;
};

static int parse_attr(struct tsdl *ts, struct attr *ret, struct err *err)
{
    int rc;

    if (ts->lx.tok.kind != TOK_WORD)
        return tsdl_bad(ts, err, "expected an attribute name or '}'");
    ret->key = ts->lx.tok.text;
    if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_want(ts, '=', err)) < 0 ||
        (rc = tsdl_value(ts, &ret->text, &ret->value, &ret->is_int, err)) < 0)
        return rc;
    return tsdl_want(ts, ';', err);
}

static int attr_bool(const struct tsdl *ts, const struct attr *a, bool *ret, struct err *err)
{
    if (a->is_int && (a->value == 0 || a->value == 1))
        *ret = a->value == 1;
    else if (str_is(a->text, "true") || str_is(a->text, "TRUE"))
        *ret = true;
    else if (str_is(a->text, "false") || str_is(a->text, "FALSE"))
        *ret = false;
    else
        return tsdl_bad(ts, err, "'" STR_FMT "' must be true or false", STR_ARG(a->key));
    return 0;
}

static int attr_align(const struct tsdl *ts, const struct attr *a, uint32_t *ret, struct err *err)
{
    if (!a->is_int || a->value < 1 || a->value > (1 << 20) || (a->value & (a->value - 1)))
        return tsdl_bad(ts, err, "alignment must be a power of two from 1 to 1048576");
    *ret = (uint32_t)a->value;
    return 0;
}

static int attr_order(const struct tsdl *ts, const struct attr *a, enum ctf_order *ret,
                      struct err *err)
{
    if (str_is(a->text, "le"))
        *ret = CTF_LE;
    else if (str_is(a->text, "be") || str_is(a->text, "network"))
        *ret = CTF_BE;
    else if (str_is(a->text, "native"))
        *ret = CTF_NATIVE;
    else
        return tsdl_bad(ts, err, "unknown byte order '" STR_FMT "'", STR_ARG(a->text));
    return 0;
}

static int attr_base(const struct tsdl *ts, const struct attr *a, uint8_t *ret, struct err *err)
{
    static const struct {
        const char *name;
        uint8_t base;
    } names[] = { { "decimal", 10 },    { "dec", 10 }, { "d", 10 }, { "i", 10 }, { "u", 10 },
                  { "hexadecimal", 16 }, { "hex", 16 }, { "x", 16 }, { "X", 16 }, { "p", 16 },
                  { "octal", 8 },       { "oct", 8 },  { "o", 8 },  { "binary", 2 }, { "b", 2 },
                  { "bin", 2 } };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (a->is_int ? a->value == names[i].base : str_is(a->text, names[i].name)) {
            *ret = names[i].base;
            return 0;
        }
    return tsdl_bad(ts, err, "unknown base '" STR_FMT "'", STR_ARG(a->text));
}

static int attr_text(const struct tsdl *ts, const struct attr *a, bool *ret, struct err *err)
{
    if (str_is(a->text, "none"))
        *ret = false;
    else if (str_is(a->text, "UTF8") || str_is(a->text, "ASCII") || str_is(a->text, "utf8") ||
             str_is(a->text, "ascii"))
        *ret = true;
    else
        return tsdl_bad(ts, err, "unknown encoding '" STR_FMT "'", STR_ARG(a->text));
    return 0;
}

/* clock.NAME.value */
static int attr_map(const struct tsdl *ts, const struct attr *a, struct str *ret, struct err *err)
{
    if (!str_between(a->text, STR("clock."), STR(".value"), ret) || ret->n == 0)
        return tsdl_bad(ts, err, "map must be clock.NAME.value, not '" STR_FMT "'",
                        STR_ARG(a->text));
    return 0;
}

static void note_unknown(struct tsdl *ts, const char *block, struct str key)
{
    note_add(ts->notes, NOTE_INFO, ts->where, "metadata: attribute '" STR_FMT "' of %s is ignored",
             STR_ARG(key), block);
}

static int integer_attr(struct tsdl *ts, struct ctf_type *t, const struct attr *a, struct err *err)
{
    if (str_is(a->key, "size")) {
        if (!a->is_int || a->value < 1)
            return tsdl_bad(ts, err, "an integer needs a size of at least 1 bit");
        if (a->value > 64)
            return tsdl_bad(ts, err, "integers over 64 bits are not supported");
        t->size = (uint32_t)a->value;
        return 0;
    }
    if (str_is(a->key, "align"))
        return attr_align(ts, a, &t->align, err);
    if (str_is(a->key, "signed"))
        return attr_bool(ts, a, &t->is_signed, err);
    if (str_is(a->key, "byte_order"))
        return attr_order(ts, a, &t->order, err);
    if (str_is(a->key, "base"))
        return attr_base(ts, a, &t->base, err);
    if (str_is(a->key, "encoding"))
        return attr_text(ts, a, &t->is_text, err);
    if (str_is(a->key, "map"))
        return attr_map(ts, a, &t->clock, err);
    note_unknown(ts, "an integer", a->key);
    return 0;
}

/* Attributes between { and }, handed to 'take' one by one. */
static int attr_block(struct tsdl *ts, struct ctf_type *t,
                      int (*take)(struct tsdl *, struct ctf_type *, const struct attr *,
                                  struct err *),
                      struct err *err)
{
    int rc = tsdl_want(ts, '{', err);

    while (rc == 0 && !tsdl_is(ts, '}')) {
        struct attr a;

        if ((rc = parse_attr(ts, &a, err)) == 0)
            rc = take(ts, t, &a, err);
    }
    return rc < 0 ? rc : tsdl_next(ts, err);
}

static int parse_integer(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct ctf_type *t = new_type(ts, CTF_INT, 0);
    int rc = attr_block(ts, t, integer_attr, err);

    t->base = t->base ? t->base : 10;
    if (rc == 0 && t->size == 0)
        return tsdl_bad(ts, err, "an integer needs a size");
    if (t->align == 0)
        t->align = t->size % 8 == 0 ? 8 : 1; /* CTF 1.8.3, 4.1.2 */
    *ret = t;
    return rc;
}

static int float_attr(struct tsdl *ts, struct ctf_type *t, const struct attr *a, struct err *err)
{
    if (str_is(a->key, "exp_dig") || str_is(a->key, "mant_dig")) {
        if (!a->is_int || a->value < 1 || a->value > 64)
            return tsdl_bad(ts, err, "'" STR_FMT "' must be from 1 to 64", STR_ARG(a->key));
        t->size += (uint32_t)a->value;
        return 0;
    }
    if (str_is(a->key, "align"))
        return attr_align(ts, a, &t->align, err);
    if (str_is(a->key, "byte_order"))
        return attr_order(ts, a, &t->order, err);
    note_unknown(ts, "a floating point number", a->key);
    return 0;
}

static int parse_float(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct ctf_type *t = new_type(ts, CTF_FLOAT, 0);
    int rc = attr_block(ts, t, float_attr, err);

    if (rc == 0 && t->size != 32 && t->size != 64)
        return tsdl_bad(ts, err,
                        "a floating point number must be 32 (8 + 24) or 64 (11 + 53) bits, not %u",
                        t->size);
    if (t->align == 0)
        t->align = 8;
    *ret = t;
    return rc;
}

static int string_attr(struct tsdl *ts, struct ctf_type *t, const struct attr *a, struct err *err)
{
    if (str_is(a->key, "encoding"))
        return attr_text(ts, a, &t->is_text, err);
    note_unknown(ts, "a string", a->key);
    return 0;
}

static int parse_string(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    *ret = new_type(ts, CTF_STRING, 8);
    return tsdl_is(ts, '{') ? attr_block(ts, *ret, string_attr, err) : 0;
}

/* "align(32)" after a struct. */
static int parse_align(struct tsdl *ts, struct ctf_type *t, struct err *err)
{
    struct attr a = { .key = STR("align") };
    uint32_t align = 1;
    int rc;

    if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_want(ts, '(', err)) < 0 ||
        (rc = tsdl_value(ts, &a.text, &a.value, &a.is_int, err)) < 0 ||
        (rc = attr_align(ts, &a, &align, err)) < 0)
        return rc;
    if (align > t->align)
        t->align = align;
    return tsdl_want(ts, ')', err);
}

static struct str field_name(struct str name)
{
    return name.n > 1 && name.p[0] == '_' ? str_from(name, 1) : name;
}

typedef VEC(struct ctf_member) member_vec;

/* "type a, b[3];" inside a struct or variant. */
static int parse_members(struct tsdl *ts, member_vec *into, struct err *err)
{
    struct ctf_type *base;
    int rc = tsdl_type(ts, true, &base, err);

    while (rc == 0) {
        struct ctf_type *t = base;

        if (ts->lx.tok.kind != TOK_WORD)
            return tsdl_bad(ts, err, "expected a field name");
        struct str name = ts->lx.tok.text;
        for (size_t i = 0; i < into->n; i++)
            if (str_eq(into->at[i].raw, name))
                return tsdl_bad(ts, err, "field '" STR_FMT "' is declared twice", STR_ARG(name));
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_brackets(ts, &t, err)) < 0)
            break;
        *vec_push(into) =
            (struct ctf_member){ .raw = name, .name = field_name(name), .type = t, .slot = -1 };
        if (!tsdl_is(ts, ','))
            return tsdl_want(ts, ';', err);
        rc = tsdl_next(ts, err);
    }
    return rc;
}

/* { members } of a struct or variant, into 't'. */
static int parse_body(struct tsdl *ts, struct ctf_type *t, struct err *err)
{
    struct tsdl_scope scope = { 0 };
    member_vec members = { 0 };
    int rc = tsdl_want(ts, '{', err);

    if (rc == 0 && ++ts->depth > LIMIT_TYPE_DEPTH)
        rc = err_set(err, E_LIMIT, "types nested over %d deep", LIMIT_TYPE_DEPTH);
    tsdl_push_scope(ts, &scope);
    while (rc == 0 && !tsdl_is(ts, '}')) {
        if (ts->lx.tok.kind == TOK_END)
            rc = tsdl_bad(ts, err, "the text ends inside a structure");
        else if (tsdl_is_word(ts, "typedef") || tsdl_is_word(ts, "typealias"))
            rc = tsdl_declaration(ts, err);
        else
            rc = parse_members(ts, &members, err);
    }
    tsdl_pop_scope(ts);
    ts->depth--;
    t->nmembers = (uint32_t)members.n;
    t->members = arena_array(&ts->meta->mem, struct ctf_member, members.n);
    for (size_t i = 0; i < members.n && rc == 0; i++) {
        t->members[i] = members.at[i];
        rc = nest(t, members.at[i].type, err);
        if (t->kind == CTF_STRUCT && members.at[i].type->align > t->align)
            t->align = members.at[i].type->align;
    }
    vec_free(&members);
    return rc < 0 ? rc : tsdl_next(ts, err);
}

/* After "struct" or "variant" or "enum": an optional name, as "struct foo". */
static int parse_tag_name(struct tsdl *ts, const char *kind, struct str *ret, struct err *err)
{
    *ret = (struct str){ 0 };
    if (ts->lx.tok.kind != TOK_WORD)
        return 0;
    char *p = arena_printf(&ts->meta->mem, "%s " STR_FMT, kind, STR_ARG(ts->lx.tok.text));
    *ret = str_of(p);
    return tsdl_next(ts, err);
}

static int named_or_error(struct tsdl *ts, struct str name, struct ctf_type **ret, struct err *err)
{
    if (name.n == 0)
        return tsdl_bad(ts, err, "expected a name or '{'");
    *ret = find_name(ts, name);
    return *ret ? 0 : tsdl_bad(ts, err, "'" STR_FMT "' is not declared", STR_ARG(name));
}

static int parse_struct(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct str name;
    int rc = parse_tag_name(ts, "struct", &name, err);

    if (rc < 0)
        return rc;
    if (tsdl_is(ts, '{')) {
        *ret = new_type(ts, CTF_STRUCT, 1);
        if ((rc = parse_body(ts, *ret, err)) < 0)
            return rc;
        if (tsdl_is_word(ts, "align") && (rc = parse_align(ts, *ret, err)) < 0)
            return rc;
        return name.n ? add_name(ts, name, *ret, err) : 0;
    }
    return named_or_error(ts, name, ret, err);
}

/* "<a.b.c>" of a variant: the path as written. */
static int parse_tag(struct tsdl *ts, struct str *ret, struct err *err)
{
    int64_t value;
    bool is_int;
    int rc;

    if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_value(ts, ret, &value, &is_int, err)) < 0)
        return rc;
    return tsdl_want(ts, '>', err);
}

static int parse_variant(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct str name, tag = { 0 };
    int rc = parse_tag_name(ts, "variant", &name, err);

    if (rc == 0 && tsdl_is(ts, '<'))
        rc = parse_tag(ts, &tag, err);
    if (rc < 0)
        return rc;
    if (tsdl_is(ts, '{')) {
        *ret = new_type(ts, CTF_VARIANT, 1);
        (*ret)->ref = tag;
        if ((rc = parse_body(ts, *ret, err)) < 0)
            return rc;
        if ((*ret)->nmembers == 0)
            return tsdl_bad(ts, err, "a variant needs at least one option");
        return name.n ? add_name(ts, name, *ret, err) : 0;
    }
    if ((rc = named_or_error(ts, name, ret, err)) < 0)
        return rc;
    if (tag.n) { /* a declared variant, used with its own tag */
        struct ctf_type *t = new_type(ts, CTF_VARIANT, 1);

        *t = **ret;
        t->ref = tag;
        *ret = t;
    }
    return 0;
}

typedef VEC(struct ctf_enum_map) map_vec;

/* label [= lo [... hi]] */
static int parse_enumerator(struct tsdl *ts, struct ctf_enum_map *m, int64_t *next, struct err *err)
{
    struct str text;
    bool is_int;
    int rc;

    if (ts->lx.tok.kind != TOK_WORD && ts->lx.tok.kind != TOK_STRING)
        return tsdl_bad(ts, err, "expected a label");
    m->label = ts->lx.tok.text;
    m->lo = m->hi = *next;
    rc = tsdl_next(ts, err);
    if (rc == 0 && tsdl_is(ts, '=')) {
        if ((rc = tsdl_next(ts, err)) < 0 ||
            (rc = tsdl_value(ts, &text, &m->lo, &is_int, err)) < 0)
            return rc;
        if (!is_int)
            return tsdl_bad(ts, err, "the value of a label must be a number");
        m->hi = m->lo;
        if (ts->lx.tok.kind == TOK_DOTS) {
            if ((rc = tsdl_next(ts, err)) < 0 ||
                (rc = tsdl_value(ts, &text, &m->hi, &is_int, err)) < 0)
                return rc;
            if (!is_int)
                return tsdl_bad(ts, err, "the end of a range must be a number");
        }
    }
    *next = (int64_t)((uint64_t)m->hi + 1);
    return rc;
}

static int parse_enum_body(struct tsdl *ts, struct ctf_type *t, struct err *err)
{
    map_vec maps = { 0 };
    int64_t next = 0;
    int rc = tsdl_next(ts, err);

    while (rc == 0 && !tsdl_is(ts, '}')) {
        struct ctf_enum_map m;

        if ((rc = parse_enumerator(ts, &m, &next, err)) < 0)
            break;
        if (t->is_signed ? m.lo > m.hi : (uint64_t)m.lo > (uint64_t)m.hi)
            rc = tsdl_bad(ts, err, "label '" STR_FMT "': the range runs backwards",
                          STR_ARG(m.label));
        *vec_push(&maps) = m;
        if (rc == 0 && tsdl_is(ts, ','))
            rc = tsdl_next(ts, err);
        else if (rc == 0 && !tsdl_is(ts, '}'))
            rc = tsdl_bad(ts, err, "expected ',' or '}' in an enum");
    }
    if (rc == 0 && maps.n == 0)
        rc = tsdl_bad(ts, err, "an enum needs at least one label");
    t->nmaps = (uint32_t)maps.n;
    t->maps = arena_array(&ts->meta->mem, struct ctf_enum_map, maps.n);
    if (maps.n)
        memcpy(t->maps, maps.at, maps.n * sizeof *maps.at);
    vec_free(&maps);
    return rc < 0 ? rc : tsdl_next(ts, err);
}

static int parse_enum(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct ctf_type *base = NULL, *t;
    struct str name;
    int rc = parse_tag_name(ts, "enum", &name, err);

    if (rc < 0)
        return rc;
    if (tsdl_is(ts, ':')) {
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_type(ts, false, &base, err)) < 0)
            return rc;
        if (base->kind != CTF_INT)
            return tsdl_bad(ts, err, "an enum must be based on an integer");
    }
    if (!tsdl_is(ts, '{'))
        return named_or_error(ts, name, ret, err);
    if (!base && !(base = find_name(ts, STR("int"))))
        return tsdl_bad(ts, err, "an enum without a type needs 'int' to be declared");
    if (base->kind != CTF_INT)
        return tsdl_bad(ts, err, "an enum must be based on an integer");
    t = new_type(ts, CTF_ENUM, base->align);
    *t = *base;
    t->kind = CTF_ENUM;
    if ((rc = parse_enum_body(ts, t, err)) < 0)
        return rc;
    *ret = t;
    return name.n ? add_name(ts, name, t, err) : 0;
}

/* uint8_t; unsigned long; "void *": words up to the declarator. */
static int parse_named(struct tsdl *ts, bool stop_at_name, struct ctf_type **ret, struct err *err)
{
    struct sbuf name = { 0 };
    int rc = 0;

    while (rc == 0 && (ts->lx.tok.kind == TOK_WORD || tsdl_is(ts, '*'))) {
        struct str word = tsdl_is(ts, '*') ? STR("*") : ts->lx.tok.text;
        struct lex ahead = ts->lx;

        rc = lex_next(&ahead, err);
        bool last = rc == 0 && ahead.tok.kind != TOK_WORD &&
                    !(ahead.tok.kind == TOK_PUNCT && ahead.tok.punct == '*');
        if (rc < 0 || (stop_at_name && last && name.n))
            break; /* the declarator's name */
        if (!str_is(word, "const")) {
            if (name.n)
                sbuf_chr(&name, ' ');
            sbuf_str(&name, word);
        }
        ts->lx = ahead;
    }
    if (rc == 0) {
        *ret = find_name(ts, sbuf_view(&name));
        if (!*ret)
            rc = name.n ? tsdl_bad(ts, err, "type '%s' is not declared", name.p)
                        : tsdl_bad(ts, err, "expected a type");
    }
    sbuf_free(&name);
    return rc;
}

int tsdl_type(struct tsdl *ts, bool stop_at_name, struct ctf_type **ret, struct err *err)
{
    static const struct {
        const char *word;
        int (*parse)(struct tsdl *, struct ctf_type **, struct err *);
    } kinds[] = {
        { "integer", parse_integer }, { "floating_point", parse_float }, { "string", parse_string },
        { "struct", parse_struct },   { "variant", parse_variant },      { "enum", parse_enum },
    };

    while (tsdl_is_word(ts, "const")) {
        int rc = tsdl_next(ts, err);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (tsdl_is_word(ts, kinds[i].word)) {
            int rc = tsdl_next(ts, err);
            return rc < 0 ? rc : kinds[i].parse(ts, ret, err);
        }
    return parse_named(ts, stop_at_name, ret, err);
}

static int parse_bracket(struct tsdl *ts, struct ctf_type *t, struct err *err)
{
    int64_t value;
    bool is_int;
    int rc = tsdl_value(ts, &t->ref, &value, &is_int, err);

    if (rc < 0)
        return rc;
    if (is_int) {
        if (value < 0)
            return tsdl_bad(ts, err, "an array cannot have a negative length");
        t->kind = CTF_ARRAY;
        t->length = (uint64_t)value;
    } else {
        t->kind = CTF_SEQ;
    }
    return tsdl_want(ts, ']', err);
}

int tsdl_brackets(struct tsdl *ts, struct ctf_type **t, struct err *err)
{
    struct ctf_type *dims[16];
    size_t n = 0;

    while (tsdl_is(ts, '[')) {
        int rc = tsdl_next(ts, err);

        if (rc < 0)
            return rc;
        if (n == ARRAY_SIZE(dims))
            return err_set(err, E_LIMIT, "an array with over %zu dimensions", ARRAY_SIZE(dims));
        dims[n] = new_type(ts, CTF_ARRAY, 1);
        if ((rc = parse_bracket(ts, dims[n++], err)) < 0)
            return rc;
    }
    while (n-- > 0) { /* the last bracket is the innermost */
        dims[n]->elem = *t;
        dims[n]->align = (*t)->align;
        int rc = nest(dims[n], *t, err);
        if (rc < 0)
            return rc;
        *t = dims[n];
    }
    return 0;
}

bool tsdl_at_declaration(const struct tsdl *ts)
{
    static const char *const words[] = { "typedef", "typealias", "struct", "enum", "variant" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (tsdl_is_word(ts, words[i]))
            return true;
    return false;
}

/* The name of an alias: words and stars up to ';', as one text. */
static int alias_name(struct tsdl *ts, struct str *ret, struct err *err)
{
    struct sbuf name = { 0 };
    int rc = 0;

    while (rc == 0 && (ts->lx.tok.kind == TOK_WORD || tsdl_is(ts, '*'))) {
        if (!tsdl_is_word(ts, "const")) {
            if (name.n)
                sbuf_chr(&name, ' ');
            sbuf_str(&name, tsdl_is(ts, '*') ? STR("*") : ts->lx.tok.text);
        }
        rc = tsdl_next(ts, err);
    }
    if (rc == 0 && name.n == 0)
        rc = tsdl_bad(ts, err, "expected the name of the alias");
    if (rc == 0)
        *ret = str_dup(&ts->meta->mem, sbuf_view(&name));
    sbuf_free(&name);
    return rc;
}

int tsdl_declaration(struct tsdl *ts, struct err *err)
{
    bool alias = tsdl_is_word(ts, "typealias"), def = tsdl_is_word(ts, "typedef");
    struct ctf_type *t;
    struct str name;
    int rc = 0;

    if (alias || def)
        rc = tsdl_next(ts, err);
    if (rc < 0 || (rc = tsdl_type(ts, def, &t, err)) < 0)
        return rc;
    if (alias) {
        if ((rc = tsdl_brackets(ts, &t, err)) < 0)
            return rc;
        if (ts->lx.tok.kind != TOK_ASSIGN)
            return tsdl_bad(ts, err, "expected ':=' in a typealias");
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = alias_name(ts, &name, err)) < 0 ||
            (rc = add_name(ts, name, t, err)) < 0)
            return rc;
    }
    while (def) {
        struct ctf_type *one = t;

        if (ts->lx.tok.kind != TOK_WORD)
            return tsdl_bad(ts, err, "expected the name of the typedef");
        name = ts->lx.tok.text;
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_brackets(ts, &one, err)) < 0 ||
            (rc = add_name(ts, name, one, err)) < 0)
            return rc;
        if (!tsdl_is(ts, ','))
            break;
        if ((rc = tsdl_next(ts, err)) < 0)
            return rc;
    }
    return tsdl_want(ts, ';', err);
}
