/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl_type.c -- the type half of the TSDL parser (CTF 1.8.3, chapter 7 and
 * appendix C): names, structures, variants, enums, arrays and declarations.
 * One function per type class; every word list such as "unsigned long" is one
 * name in the scope. */
#include "ctf/tsdl_priv.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

struct ctf_type *tsdl_new_type(struct tsdl *ts, enum ctf_kind kind, uint32_t align)
{
    struct ctf_type *t = arena_new(&ts->meta->mem, struct ctf_type);

    t->kind = kind;
    t->align = align;
    t->ref_slot = -1;
    t->weight = 1;
    return t;
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

/* "a.b.c" after its first name: one text without the blanks that may be around dots. */
static int parse_path(struct tsdl *ts, struct str first, struct str *ret, struct err *err)
{
    struct sbuf b = { 0 };
    const char *end = first.p + first.n;
    int rc = 0;

    *ret = first;
    if (!tsdl_is(ts, '.') && ts->lx.tok.kind != TOK_ARROW)
        return 0;
    sbuf_str(&b, first);
    while (rc == 0 && (tsdl_is(ts, '.') || ts->lx.tok.kind == TOK_ARROW)) {
        sbuf_z(&b, tsdl_is(ts, '.') ? "." : "->");
        rc = tsdl_next(ts, err);
        if (rc == 0 && ts->lx.tok.kind != TOK_WORD)
            rc = tsdl_bad(ts, err, "expected a name after '.'");
        if (rc == 0) {
            sbuf_str(&b, ts->lx.tok.text);
            end = ts->lx.tok.text.p + ts->lx.tok.text.n;
            rc = tsdl_next(ts, err);
        }
    }
    if (rc == 0)
        *ret = b.n == (size_t)(end - first.p) ? (struct str){ first.p, b.n }
                                              : str_dup(&ts->meta->mem, sbuf_view(&b));
    sbuf_free(&b);
    return rc;
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
    return rc == 0 && t.kind == TOK_WORD ? parse_path(ts, t.text, ret_text, err) : rc;
}

static struct str field_name(struct str name)
{
    return name.n > 1 && name.p[0] == '_' ? str_from(name, 1) : name;
}

typedef VEC(struct ctf_member) member_vec;

/* What can be said of the tag of a variant, or of an array of them, before the type is
 * used: if it is an enum of the same body, some label must name an option.  Anything
 * else of that name may be passed over for a field further out: see ctf/resolve.c.
 * Errors are 'at' the member's first token. */
static int check_tag(struct tsdl *ts, const struct ctf_type *t, const member_vec *before,
                     struct tok at, struct err *err)
{
    while (t->kind == CTF_ARRAY || t->kind == CTF_SEQ)
        t = t->elem;
    if (t->kind != CTF_VARIANT)
        return 0;
    if (t->ref.n == 0)
        return tsdl_bad(ts, err, "a variant without a tag");
    for (size_t i = 0; i < before->n; i++) {
        const struct ctf_type *tag = before->at[i].type;

        if (!str_eq(before->at[i].raw, t->ref) || tag->kind != CTF_ENUM ||
            ctf_label_options(tag, t, NULL) > 0)
            continue;
        ts->lx.tok = at;
        return tsdl_bad(ts, err, "no label of '" STR_FMT "' names an option of the variant",
                        STR_ARG(t->ref));
    }
    return 0;
}

/* At "struct x", "enum x", "variant x". */
static bool at_tag_name(const struct tsdl *ts)
{
    struct lex ahead = ts->lx;
    struct err ignored;

    return (tsdl_is_word(ts, "struct") || tsdl_is_word(ts, "enum") ||
            tsdl_is_word(ts, "variant")) &&
           lex_next(&ahead, &ignored) == 0 && ahead.tok.kind == TOK_WORD;
}

/* "struct x { };" in a body declares a type and no field; so does, for other readers, a
 * variant without any name. */
static bool is_bare_type(struct tsdl *ts, const struct ctf_type *t, bool is_named)
{
    if (!ts->after_body || !tsdl_is(ts, ';') || !(is_named || t->kind == CTF_VARIANT))
        return false;
    if (!is_named)
        note_add(ts->notes, NOTE_WARN, ts->where,
                 "metadata: line %u: a variant without the name of a field is read as a "
                 "declaration: it has no bits",
                 ts->lx.tok.line);
    return true;
}

/* "type a, b[3];" inside a struct or variant. */
static int parse_members(struct tsdl *ts, member_vec *into, struct err *err)
{
    const struct tok at = ts->lx.tok;
    bool is_named = at_tag_name(ts);
    struct ctf_type *base;
    int rc = tsdl_type(ts, true, &base, err);

    if (rc == 0 && is_bare_type(ts, base, is_named))
        return tsdl_next(ts, err);
    while (rc == 0) {
        struct ctf_type *t = base;

        if (ts->lx.tok.kind != TOK_WORD)
            return tsdl_bad(ts, err, "expected a field name");
        struct str name = ts->lx.tok.text;
        if (lex_is_keyword(name) && !lex_is_c_word(name))
            return tsdl_bad(ts, err, "'" STR_FMT "' is a keyword and cannot name a field",
                            STR_ARG(name));
        for (size_t i = 0; i < into->n; i++)
            if (str_eq(into->at[i].raw, name))
                return tsdl_bad(ts, err, "field '" STR_FMT "' is declared twice", STR_ARG(name));
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_brackets(ts, &t, err)) < 0 ||
            (rc = check_tag(ts, t, into, at, err)) < 0)
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
        else if (tsdl_is(ts, ';'))
            rc = tsdl_next(ts, err);
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
        rc = ctf_nest(t, members.at[i].type, err);
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
    if (lex_is_keyword(ts->lx.tok.text))
        return tsdl_bad(ts, err, "'" STR_FMT "' is a keyword and cannot name a type",
                        STR_ARG(ts->lx.tok.text));
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
        *ret = tsdl_new_type(ts, CTF_STRUCT, 1);
        if ((rc = parse_body(ts, *ret, err)) < 0)
            return rc;
        if (tsdl_is_word(ts, "align") && (rc = tsdl_align(ts, *ret, err)) < 0)
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

    if ((rc = tsdl_next(ts, err)) < 0)
        return rc;
    if (ts->lx.tok.kind != TOK_WORD)
        return tsdl_bad(ts, err, "the tag of a variant must be the name of a field");
    if ((rc = tsdl_value(ts, ret, &value, &is_int, err)) < 0)
        return rc;
    if (lex_is_keyword(*ret))
        return tsdl_bad(ts, err, "'" STR_FMT "' is a keyword and cannot be the tag of a variant",
                        STR_ARG(*ret));
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
        *ret = tsdl_new_type(ts, CTF_VARIANT, 1);
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
        struct ctf_type *t = tsdl_new_type(ts, CTF_VARIANT, 1);

        *t = **ret;
        t->ref = tag;
        *ret = t;
    }
    return 0;
}

typedef VEC(struct ctf_enum_map) map_vec;

/* Makes the end of a range fit the integer that 't' is: the bits must be there.  The
 * sign may be written differently (-1 for all bits set) in traces of LTTng; who wrote
 * this one is known when the text ends.  'at' is where the value stands. */
static int fit_bound(struct tsdl *ts, const struct ctf_type *t, bool neg, struct tok at, int64_t *v,
                     struct err *err)
{
    uint64_t u = (uint64_t)*v, all = t->size < 64 ? (UINT64_C(1) << t->size) - 1 : UINT64_MAX;
    bool odd = t->is_signed ? !neg && u > all / 2 : neg && u;
    bool fits = neg && u ? u >= 0 - (all / 2 + 1) : u <= all;

    if (!fits)
        return tsdl_bad(ts, err, "%s%" PRIu64 " does not fit in the %u bits of the enum",
                        neg ? "-" : "", neg ? 0 - u : u, t->size);
    if (odd && ts->odd_sign.line == 0) {
        ts->odd_sign.line = at.line;
        ts->odd_sign.column = at.column;
        ts->odd_sign.is_signed = t->is_signed;
    }
    u &= all;
    if (t->is_signed && t->size < 64 && u > all / 2)
        u |= ~all;
    *v = (int64_t)u;
    return 0;
}

static int parse_bound(struct tsdl *ts, const struct ctf_type *t, int64_t *ret, struct err *err)
{
    bool is_int, neg = tsdl_is(ts, '-');
    const struct tok at = ts->lx.tok;
    struct str text;
    int rc = tsdl_value(ts, &text, ret, &is_int, err);

    if (rc == 0 && !is_int)
        rc = tsdl_bad(ts, err, "the value of a label must be a number");
    return rc < 0 ? rc : fit_bound(ts, t, neg, at, ret, err);
}

/* label [= lo [... hi]] */
static int parse_enumerator(struct tsdl *ts, const struct ctf_type *t, struct ctf_enum_map *m,
                            int64_t *next, struct err *err)
{
    int rc;

    if (ts->lx.tok.kind != TOK_WORD && ts->lx.tok.kind != TOK_STRING)
        return tsdl_bad(ts, err, "expected a label");
    const struct tok at = ts->lx.tok;
    m->label = at.text;
    m->lo = m->hi = *next;
    rc = tsdl_next(ts, err);
    if (rc == 0 && tsdl_is(ts, '=')) {
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = parse_bound(ts, t, &m->lo, err)) < 0)
            return rc;
        m->hi = m->lo;
        if (ts->lx.tok.kind == TOK_DOTS &&
            ((rc = tsdl_next(ts, err)) < 0 || (rc = parse_bound(ts, t, &m->hi, err)) < 0))
            return rc;
    } else if (rc == 0) {
        rc = fit_bound(ts, t, t->is_signed && *next < 0, at, &m->lo, err);
        m->hi = m->lo;
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

        if ((rc = parse_enumerator(ts, t, &m, &next, err)) < 0)
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
    t = tsdl_new_type(ts, CTF_ENUM, base->align);
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
        ts->after_body = false;
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
        { "integer", tsdl_integer }, { "floating_point", tsdl_float }, { "string", tsdl_string },
        { "struct", parse_struct },  { "variant", parse_variant },     { "enum", parse_enum },
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

/* Outside of a structure there is no field that a relative name could mean. */
static int check_length_ref(const struct tsdl *ts, struct str ref, struct err *err)
{
    bool is_path = str_chr(ref, '.', 0) != STR_NONE;

    if (lex_is_keyword(ref))
        return tsdl_bad(ts, err, "'" STR_FMT "' is a keyword and cannot be a length", STR_ARG(ref));
    if (ts->depth == 0 && !is_path)
        return tsdl_bad(ts, err, "there is no field '" STR_FMT "' here for a length", STR_ARG(ref));
    return 0;
}

/* "env.KEY": a number of the environment, which must come before. */
static int env_length(const struct tsdl *ts, struct str ref, int64_t *ret, struct err *err)
{
    struct str key = str_from(ref, strlen("env."));

    for (size_t i = 0; i < ts->meta->env.n; i++) {
        const struct ctf_env *e = &ts->meta->env.at[i];

        if (!str_eq(e->key, key))
            continue;
        if (!e->is_int || e->value <= 0)
            return tsdl_bad(ts, err,
                            "'" STR_FMT "' is no length: it must be a number of at least 1",
                            STR_ARG(ref));
        *ret = e->value;
        return 0;
    }
    return tsdl_bad(ts, err, "there is no '" STR_FMT "' before for a length", STR_ARG(ref));
}

static int parse_bracket(struct tsdl *ts, struct ctf_type *t, struct err *err)
{
    bool is_int, is_quoted = ts->lx.tok.kind == TOK_STRING;
    int64_t value = 0;
    int rc = tsdl_value(ts, &t->ref, &value, &is_int, err);

    if (rc == 0 && is_quoted)
        return tsdl_bad(ts, err, "a length must be a number or the name of a field");
    bool is_env = rc == 0 && !is_int && str_starts(t->ref, STR("env."));
    if (is_env)
        rc = env_length(ts, t->ref, &value, err);
    else if (rc == 0 && !is_int)
        rc = check_length_ref(ts, t->ref, err);
    if (rc < 0)
        return rc;
    if (is_int || is_env) {
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
        dims[n] = tsdl_new_type(ts, CTF_ARRAY, 1);
        if ((rc = parse_bracket(ts, dims[n++], err)) < 0)
            return rc;
    }
    while (n-- > 0) { /* the last bracket is the innermost */
        dims[n]->elem = *t;
        dims[n]->align = (*t)->align;
        int rc = ctf_nest(dims[n], *t, err);
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
        struct str word = tsdl_is(ts, '*') ? STR("*") : ts->lx.tok.text;

        if (lex_is_keyword(word) && !lex_is_c_word(word)) {
            rc = tsdl_bad(ts, err, "'" STR_FMT "' is a keyword and cannot name a type",
                          STR_ARG(word));
            break;
        }
        if (!str_is(word, "const")) {
            if (name.n)
                sbuf_chr(&name, ' ');
            sbuf_str(&name, word);
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
    bool is_named = at_tag_name(ts);
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
            (rc = tsdl_brackets(ts, &t, err)) < 0 || (rc = add_name(ts, name, t, err)) < 0)
            return rc;
    }
    while (def) {
        struct ctf_type *one = t;

        if (ts->lx.tok.kind != TOK_WORD)
            return tsdl_bad(ts, err, "expected the name of the typedef");
        name = ts->lx.tok.text;
        if (lex_is_keyword(name))
            return tsdl_bad(ts, err, "'" STR_FMT "' is a keyword and cannot name a type",
                            STR_ARG(name));
        if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_brackets(ts, &one, err)) < 0 ||
            (rc = add_name(ts, name, one, err)) < 0)
            return rc;
        if (!tsdl_is(ts, ','))
            break;
        if ((rc = tsdl_next(ts, err)) < 0)
            return rc;
    }
    if (is_named && ts->after_body && tsdl_at_declaration(ts)) {
        note_add(ts->notes, NOTE_INFO, ts->where,
                 "metadata: line %u: ';' is missing before this declaration", ts->lx.tok.line);
        return 0;
    }
    return tsdl_want(ts, ';', err);
}
