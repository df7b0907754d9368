/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf2_json.c -- JSON texts of CTF 2 metadata and the members of their objects.
 *
 * jansson keeps integers as int64, but a range of an unsigned field can end at
 * 2^64 - 1.  Such numbers are made strings that start with the control character
 * 1 before jansson sees them; JSON of a trace holds no such strings. */
#include "ctf/ctf2_priv.h"

#include <ctype.h>
#include <inttypes.h>

#define BIG_MARK "\\u0001"

/* End of the string that starts at 'i' (a quote). */
static size_t skip_string(struct str s, size_t i)
{
    for (i++; i < s.n && s.p[i] != '"'; i++)
        if (s.p[i] == '\\')
            i++;
    return i < s.n ? i + 1 : s.n;
}

static bool is_big(struct str digits)
{
    int64_t v;

    return digits.n > 18 && !str_i64(digits, &v);
}

static void mark_big(struct str in, struct sbuf *out)
{
    size_t from = 0, i = 0;

    while (i < in.n) {
        if (in.p[i] == '"') {
            i = skip_string(in, i);
            continue;
        }
        if (in.p[i] != '-' && !isdigit((unsigned char)in.p[i])) {
            i++;
            continue;
        }
        size_t start = i++;
        while (i < in.n && strchr("0123456789+-.eE", in.p[i]) && in.p[i])
            i++;
        struct str number = { in.p + start, i - start };
        bool whole = true;
        for (size_t k = 1; k < number.n; k++)
            whole = whole && isdigit((unsigned char)number.p[k]);
        if (!whole || !is_big(number))
            continue;
        sbuf_add(out, in.p + from, start - from);
        sbuf_z(out, "\"" BIG_MARK);
        sbuf_str(out, number);
        sbuf_chr(out, '"');
        from = i;
    }
    sbuf_add(out, in.p + from, in.n - from);
}

json_t *ctf2_json(struct str text, uint32_t line, struct err *err)
{
    struct sbuf b = { 0 };
    json_error_t why;

    mark_big(text, &b);
    json_t *j = json_loadb(b.p ? b.p : "", b.n, JSON_REJECT_DUPLICATES, &why);
    sbuf_free(&b);
    if (!j)
        err_set(err, E_CORRUPT, "line %u, column %d: %s",
                line + (why.line > 0 ? (uint32_t)why.line - 1 : 0), why.column, why.text);
    else if (!json_is_object(j)) {
        err_set(err, E_CORRUPT, "line %u: a fragment must be a JSON object", line);
        json_decref(j);
        j = NULL;
    }
    return j;
}

/* The number as sign and size; false if it is none or over 64 bits. */
static bool number_of(const json_t *v, bool *ret_neg, uint64_t *ret)
{
    if (json_is_integer(v)) {
        int64_t i = (int64_t)json_integer_value(v);

        *ret_neg = i < 0;
        *ret = (uint64_t)i;
        return true;
    }
    if (!json_is_string(v) || json_string_length(v) < 2 || json_string_value(v)[0] != 1)
        return false;
    *ret_neg = false;
    return str_u64((struct str){ json_string_value(v) + 1, json_string_length(v) - 1 }, ret);
}

static int missing(const char *key, struct err *err)
{
    return err_set(err, E_CORRUPT, "'%s' is missing", key);
}

int ctf2_u64(const json_t *o, const char *key, bool needed, uint64_t *ret, struct err *err)
{
    const json_t *v = json_object_get(o, key);
    uint64_t u;
    bool neg;

    if (!v)
        return needed ? missing(key, err) : 0;
    if (!number_of(v, &neg, &u) || neg)
        return err_set(err, E_CORRUPT, "'%s' must be an integer from 0 to 2^64 - 1", key);
    *ret = u;
    return 0;
}

int ctf2_i64(const json_t *o, const char *key, bool needed, int64_t *ret, struct err *err)
{
    const json_t *v = json_object_get(o, key);

    if (!v)
        return needed ? missing(key, err) : 0;
    if (!json_is_integer(v))
        return err_set(err, E_CORRUPT, "'%s' must be an integer from -2^63 to 2^63 - 1", key);
    *ret = (int64_t)json_integer_value(v);
    return 0;
}

int ctf2_str(struct arena *mem, const json_t *o, const char *key, bool needed, struct str *ret,
             struct err *err)
{
    const json_t *v = json_object_get(o, key);

    if (!v)
        return needed ? missing(key, err) : 0;
    if (!json_is_string(v))
        return err_set(err, E_CORRUPT, "'%s' must be a string", key);
    *ret = str_dup(mem, (struct str){ json_string_value(v), json_string_length(v) });
    return 0;
}

int ctf2_child(const json_t *o, const char *key, json_type type, bool needed, const json_t **ret,
               struct err *err)
{
    const json_t *v = json_object_get(o, key);

    if (!v)
        return needed ? missing(key, err) : 0;
    if (json_typeof(v) != type)
        return err_set(err, E_CORRUPT, "'%s' must be an %s", key,
                       type == JSON_ARRAY ? "array" : "object");
    *ret = v;
    return 0;
}

/* Is 'word' one of 'list', separated by blanks? */
static bool is_listed(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = list; n && (p = strstr(p, word)); p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return true;
    return false;
}

int ctf2_properties(const struct ctf2 *c, const json_t *o, const char *what, const char *known,
                    struct err *err)
{
    const json_t *ext = NULL, *ignored = NULL, *v;
    const char *key;
    int rc;

    if ((rc = ctf2_child(o, "attributes", JSON_OBJECT, false, &ignored, err)) < 0 ||
        (rc = ctf2_child(o, "extensions", JSON_OBJECT, false, &ext, err)) < 0)
        return rc;
    if (json_object_size(ext))
        note_add(c->notes, NOTE_INFO, c->where, "metadata: undeclared extensions of %s are ignored",
                 what);
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        (void)v;
        if (!is_listed("type attributes extensions", key) && !is_listed(known, key))
            note_add(c->notes, NOTE_INFO, c->where, "metadata: property '%.100s' of %s is ignored",
                     key, what);
    }
    return 0;
}

int ctf2_range(const json_t *pair, struct ctf_enum_map *ret, bool *ret_negative, bool *ret_big,
               struct err *err)
{
    bool neg[2];
    uint64_t end[2];

    if (!json_is_array(pair) || json_array_size(pair) != 2 ||
        !number_of(json_array_get(pair, 0), &neg[0], &end[0]) ||
        !number_of(json_array_get(pair, 1), &neg[1], &end[1]))
        return err_set(err, E_CORRUPT, "a range must be two integers of at most 64 bits");
    if ((neg[1] && !neg[0]) || (neg[0] == neg[1] && end[0] > end[1]))
        return err_set(err, E_CORRUPT, "a range runs backwards");
    ret->lo = (int64_t)end[0];
    ret->hi = (int64_t)end[1];
    *ret_negative |= neg[0];
    *ret_big |=
        (!neg[0] && end[0] > (uint64_t)INT64_MAX) || (!neg[1] && end[1] > (uint64_t)INT64_MAX);
    return 0;
}
