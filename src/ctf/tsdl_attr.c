/* SPDX-License-Identifier: Apache-2.0
 *
 * tsdl_attr.c -- types that are a block of attributes: integers, floating point
 * numbers and strings (CTF 1.8.3, 4.1 and 4.2.5). */
#include "ctf/tsdl_priv.h"

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
    if ((rc = tsdl_next(ts, err)) < 0 || (rc = tsdl_want(ts, '=', err)) < 0)
        return rc;
    if (ts->lx.tok.kind == TOK_STRING)
        return tsdl_bad(ts, err, "'" STR_FMT "' must be a number or a word, without quotes",
                        STR_ARG(ret->key));
    if ((rc = tsdl_value(ts, &ret->text, &ret->value, &ret->is_int, err)) < 0)
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
    } names[] = { { "decimal", 10 }, { "dec", 10 },         { "d", 10 },    { "i", 10 },
                  { "u", 10 },       { "hexadecimal", 16 }, { "hex", 16 },  { "x", 16 },
                  { "X", 16 },       { "p", 16 },           { "octal", 8 }, { "oct", 8 },
                  { "o", 8 },        { "binary", 2 },       { "b", 2 },     { "bin", 2 } };

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

enum { INT_BITS_MAX = 1 << 16 };

static int integer_attr(struct tsdl *ts, struct ctf_type *t, const struct attr *a, struct err *err)
{
    if (str_is(a->key, "size")) {
        if (!a->is_int || a->value < 1)
            return tsdl_bad(ts, err, "an integer needs a size of at least 1 bit");
        if (a->value > 64 && (a->value % 8 || a->value > INT_BITS_MAX))
            return tsdl_bad(ts, err,
                            "integers over 64 bits are not supported, but for whole bytes up to "
                            "%d bits",
                            INT_BITS_MAX);
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
    struct str seen[16];
    size_t n = 0;
    int rc = tsdl_want(ts, '{', err);

    while (rc == 0 && !tsdl_is(ts, '}')) {
        struct attr a;

        if (tsdl_is(ts, ';')) {
            rc = tsdl_next(ts, err);
            continue;
        }
        rc = parse_attr(ts, &a, err);
        for (size_t i = 0; i < n && rc == 0; i++)
            if (str_eq(seen[i], a.key))
                rc = tsdl_bad(ts, err, "'" STR_FMT "' is given twice", STR_ARG(a.key));
        if (rc == 0)
            rc = take(ts, t, &a, err);
        if (rc == 0 && n < ARRAY_SIZE(seen))
            seen[n++] = a.key;
    }
    return rc < 0 ? rc : tsdl_next(ts, err);
}

/* An integer of over 64 bits is read as its bytes. */
static struct ctf_type *wide_integer(struct tsdl *ts, struct ctf_type *t)
{
    struct ctf_type *array = tsdl_new_type(ts, CTF_ARRAY, t->align);

    note_add(ts->notes, NOTE_INFO, ts->where,
             "metadata: integers of over 64 bits are shown as their bytes");
    array->elem = t;
    array->length = t->size / 8;
    array->weight = 2;
    array->depth = 1;
    t->size = 8;
    t->align = 1;
    t->base = 16;
    t->is_signed = t->is_text = false;
    t->clock = (struct str){ 0 };
    return array;
}

int tsdl_integer(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct ctf_type *t = tsdl_new_type(ts, CTF_INT, 0);
    int rc = attr_block(ts, t, integer_attr, err);

    t->base = t->base ? t->base : 10;
    if (rc == 0 && t->size == 0)
        return tsdl_bad(ts, err, "an integer needs a size");
    if (t->align == 0)
        t->align = t->size % 8 == 0 ? 8 : 1; /* CTF 1.8.3, 4.1.2 */
    *ret = t->size > 64 ? wide_integer(ts, t) : t;
    return rc;
}

static int float_attr(struct tsdl *ts, struct ctf_type *t, const struct attr *a, struct err *err)
{
    bool is_exp = str_is(a->key, "exp_dig");

    if (is_exp || str_is(a->key, "mant_dig")) {
        if (!a->is_int || a->value < 1 || a->value > 113)
            return tsdl_bad(ts, err, "'" STR_FMT "' must be from 1 to 113", STR_ARG(a->key));
        t->size += (uint32_t)a->value;
        if (is_exp)
            t->length = (uint64_t)a->value; /* until the block ends */
        return 0;
    }
    if (str_is(a->key, "align"))
        return attr_align(ts, a, &t->align, err);
    if (str_is(a->key, "byte_order"))
        return attr_order(ts, a, &t->order, err);
    note_unknown(ts, "a floating point number", a->key);
    return 0;
}

int tsdl_float(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    struct ctf_type *t = tsdl_new_type(ts, CTF_FLOAT, 0);
    int rc = attr_block(ts, t, float_attr, err);

    uint64_t exp = t->length;
    t->length = 0;
    if (rc == 0 && !(t->size == 16 && exp == 5) && !(t->size == 32 && exp == 8) &&
        !(t->size == 64 && exp == 11))
        return tsdl_bad(ts, err,
                        "a floating point number must be 16 (5 + 11), 32 (8 + 24) or 64 (11 + 53) "
                        "bits, not %u (%u + %u)",
                        t->size, (unsigned)exp, t->size - (unsigned)exp);
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

int tsdl_string(struct tsdl *ts, struct ctf_type **ret, struct err *err)
{
    *ret = tsdl_new_type(ts, CTF_STRING, 8);
    return tsdl_is(ts, '{') ? attr_block(ts, *ret, string_attr, err) : 0;
}

/* "align(32)" after a struct. */
int tsdl_align(struct tsdl *ts, struct ctf_type *t, struct err *err)
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
