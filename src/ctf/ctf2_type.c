/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf2_type.c -- field classes of CTF 2 (CTF 2.0, "Field classes") as our types.
 *
 * What CTF 1 lacks is said with what it has: an optional is a variant of one
 * option that may be absent; the ranges of a selector make an enum of their own
 * (its labels are never seen); a blob is an array of bytes; a boolean, a bit
 * array and a bit map are unsigned integers that are shown differently. */
#include "ctf/ctf2_priv.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

static struct ctf_type *new_type(struct ctf2 *c, enum ctf_kind kind, uint32_t align)
{
    struct ctf_type *t = arena_new(&c->meta->mem, struct ctf_type);

    *t = (struct ctf_type){
        .kind = kind, .align = align, .weight = 1, .ref_slot = -1, .origin = -1, .base = 10
    };
    return t;
}

static int get_align(const json_t *fc, const char *key, uint32_t *ret, struct err *err)
{
    uint64_t align = 1;
    int rc = ctf2_u64(fc, key, false, &align, err);

    if (rc == 0 && (align == 0 || align > (1 << 20) || (align & (align - 1))))
        rc = err_set(err, E_CORRUPT, "'%s' must be a power of two from 1 to 1048576", key);
    if (rc == 0 && align > *ret)
        *ret = (uint32_t)align;
    return rc;
}

/* One of 'words', or -1. */
static int word_of(const json_t *v, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n && json_is_string(v); i++)
        if (strcmp(json_string_value(v), words[i]) == 0)
            return (int)i;
    return -1;
}

static int get_roles(const json_t *fc, uint32_t *ret, struct err *err)
{
    static const char *const names[] = { "packet-magic-number",
                                         "metadata-stream-uuid",
                                         "data-stream-class-id",
                                         "data-stream-id",
                                         "packet-total-length",
                                         "packet-content-length",
                                         "default-clock-timestamp",
                                         "packet-end-default-clock-timestamp",
                                         "discarded-event-record-counter-snapshot",
                                         "packet-sequence-number",
                                         "event-record-class-id" };
    static const uint32_t roles[] = { ROLE_MAGIC,     ROLE_UUID,        ROLE_CLASS_ID,
                                      ROLE_STREAM_ID, ROLE_PACKET_SIZE, ROLE_CONTENT_SIZE,
                                      ROLE_CLOCK,     ROLE_END,         ROLE_DISCARDED,
                                      ROLE_SEQ,       ROLE_EVENT_ID };
    const json_t *list = NULL;
    int rc = ctf2_child(fc, "roles", JSON_ARRAY, false, &list, err);

    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        int role = word_of(json_array_get(list, i), names, ARRAY_SIZE(names));

        if (role < 0)
            return err_set(err, E_CORRUPT, "unknown role %zu of a field class", i + 1);
        *ret |= roles[role];
    }
    return rc;
}

enum { INT_BITS_MAX = 1 << 16 };

/* Byte order, bit order, alignment and length of a bit array (CTF 2.0, "Fixed-length bit array
 * field class"). */
static int bit_array(struct ctf2 *c, const json_t *fc, enum ctf_kind kind, struct ctf_type **ret,
                     struct err *err)
{
    static const char *const bytes[] = { "little-endian", "big-endian" };
    static const char *const bits[] = { "first-to-last", "last-to-first" };
    struct ctf_type *t = new_type(c, kind, 1);
    const json_t *bit = json_object_get(fc, "bit-order");
    uint64_t size = 0;
    int rc = ctf2_u64(fc, "length", true, &size, err), order, first;

    if (rc < 0 || (rc = get_align(fc, "alignment", &t->align, err)) < 0)
        return rc;
    if (size == 0)
        return err_set(err, E_CORRUPT, "'length' must be at least 1 bit");
    if (size > 64 && (size % 8 || size > INT_BITS_MAX))
        return err_set(err, E_UNSUP,
                       "a field of %" PRIu64
                       " bits: over 64 are not supported, but for whole bytes up to %d bits",
                       size, INT_BITS_MAX);
    if ((order = word_of(json_object_get(fc, "byte-order"), bytes, ARRAY_SIZE(bytes))) < 0)
        return err_set(err, E_CORRUPT, "'byte-order' must be little-endian or big-endian");
    first = bit ? word_of(bit, bits, ARRAY_SIZE(bits)) : order;
    if (first < 0)
        return err_set(err, E_CORRUPT, "'bit-order' must be first-to-last or last-to-first");
    t->size = (uint32_t)size;
    t->order = order ? CTF_BE : CTF_LE;
    t->is_reversed = first != order; /* little-endian starts with the first bit */
    *ret = t;
    return get_roles(fc, &t->roles, err);
}

typedef VEC(struct ctf_enum_map) map_vec;

static void keep_maps(struct ctf2 *c, struct ctf_type *t, map_vec *maps)
{
    t->nmaps = (uint32_t)maps->n;
    t->maps = arena_array(&c->meta->mem, struct ctf_enum_map, maps->n);
    if (maps->n)
        memcpy(t->maps, maps->at, maps->n * sizeof *maps->at);
    vec_free(maps);
}

/* { "label": [[lo, hi], ...], ... } */
static int get_maps(struct ctf2 *c, const json_t *fc, const char *key, bool needed,
                    struct ctf_type *t, struct err *err)
{
    const json_t *object = NULL, *ranges;
    map_vec maps = { 0 };
    const char *label;
    int rc = ctf2_child(fc, key, JSON_OBJECT, needed, &object, err);

    json_object_foreach((json_t *)(uintptr_t)object, label, ranges)
    {
        struct str name = str_dup(&c->meta->mem, str_of(label));

        if (rc == 0 && (!json_is_array(ranges) || json_array_size(ranges) == 0))
            rc = err_set(err, E_CORRUPT, "'%s' of '%s' must be an array of ranges", label, key);
        for (size_t i = 0; rc == 0 && i < json_array_size(ranges); i++) {
            struct ctf_enum_map m = { .label = name };

            rc = ctf2_range(json_array_get(ranges, i), &m, &t->has_negative, &t->has_big, err);
            *vec_push(&maps) = m;
        }
    }
    if (rc == 0 && (t->is_signed ? t->has_big : t->has_negative))
        rc = err_set(err, E_CORRUPT, "a range of '%s' is outside of what the field can hold", key);
    if (rc == 0 && needed && maps.n == 0)
        rc = err_set(err, E_CORRUPT, "'%s' must have at least one member", key);
    if (rc == 0 && object)
        t->kind = CTF_ENUM;
    keep_maps(c, t, &maps);
    return rc;
}

static int get_base(const json_t *fc, uint8_t *ret, struct err *err)
{
    uint64_t base = 10;
    int rc = ctf2_u64(fc, "preferred-display-base", false, &base, err);

    if (rc == 0 && base != 2 && base != 8 && base != 10 && base != 16)
        rc = err_set(err, E_CORRUPT, "'preferred-display-base' must be 2, 8, 10 or 16");
    *ret = (uint8_t)base;
    return rc;
}

/* A field of over 64 bits is read as its bytes. */
static struct ctf_type *wide_int(struct ctf2 *c, struct ctf_type *t)
{
    struct ctf_type *array = new_type(c, CTF_ARRAY, t->align);

    note_add(c->notes, NOTE_INFO, c->where,
             "metadata: fields of over 64 bits are shown as their bytes");
    array->elem = t;
    array->length = t->size / 8;
    array->weight = 2;
    array->depth = 1;
    t->size = 8;
    t->align = 1;
    t->base = 16;
    t->roles = 0;
    return array;
}

/* fixed-length-{bit-array, bit-map, boolean, unsigned-integer, signed-integer} */
static int fixed_int(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                     struct err *err)
{
    int rc = bit_array(c, fc, CTF_INT, ret, err);

    if (rc < 0)
        return rc;
    struct ctf_type *t = *ret;
    if (t->size > 64) {
        *ret = wide_int(c, t);
        return 0;
    }
    if (str_is(type, "fixed-length-bit-array")) {
        t->is_bits = true;
        t->base = 16;
        return 0;
    }
    if (str_is(type, "fixed-length-boolean")) {
        t->is_bool = true;
        return 0;
    }
    if (str_is(type, "fixed-length-bit-map")) {
        t->base = 16;
        t->is_bitmap = true;
        return get_maps(c, fc, "flags", true, t, err);
    }
    t->is_signed = str_is(type, "fixed-length-signed-integer");
    if ((rc = get_base(fc, &t->base, err)) < 0)
        return rc;
    return get_maps(c, fc, "mappings", false, t, err);
}

static int leb_int(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                   struct err *err)
{
    struct ctf_type *t = *ret = new_type(c, CTF_INT, 8);
    int rc;

    t->is_leb = true;
    t->size = 64;
    t->order = CTF_LE;
    t->is_signed = str_is(type, "variable-length-signed-integer");
    if ((rc = get_base(fc, &t->base, err)) < 0 || (rc = get_roles(fc, &t->roles, err)) < 0)
        return rc;
    return get_maps(c, fc, "mappings", false, t, err);
}

static int fixed_float(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                       struct err *err)
{
    uint64_t size = 0;
    int rc = ctf2_u64(fc, "length", true, &size, err);

    (void)type;
    if (rc == 0 && size != 16 && size != 32 && size != 64)
        rc = err_set(err, E_UNSUP,
                     "a floating point number of %" PRIu64 " bits: 16, 32 and 64 are supported",
                     size);
    return rc < 0 ? rc : bit_array(c, fc, CTF_FLOAT, ret, err);
}

/* {"origin": ..., "path": ["a", null, "b"]} (CTF 2.0, "Field location") */
static int get_location(struct ctf2 *c, const json_t *fc, const char *key, struct ctf_type *t,
                        struct err *err)
{
    static const char *const origins[] = { "packet-header",
                                           "packet-context",
                                           "event-record-header",
                                           "event-record-common-context",
                                           "event-record-specific-context",
                                           "event-record-payload" };
    const json_t *loc = NULL, *path = NULL;

    if (ctf2_child(fc, key, JSON_OBJECT, true, &loc, err) < 0 ||
        ctf2_child(loc, "path", JSON_ARRAY, true, &path, err) < 0 ||
        ctf2_properties(c, loc, "a field location", "origin path", err) < 0)
        return err_in(err, "'%s'", key);
    if (json_object_get(loc, "origin")) {
        t->origin = word_of(json_object_get(loc, "origin"), origins, ARRAY_SIZE(origins));
        if (t->origin < 0)
            return err_set(err, E_CORRUPT, "'%s': unknown 'origin'", key);
    }
    size_t n = json_array_size(path);
    if (n == 0 || n > 2 * LIMIT_TYPE_DEPTH)
        return err_set(err, E_CORRUPT, "'%s': 'path' must have from 1 to %d parts", key,
                       2 * LIMIT_TYPE_DEPTH);
    t->path = arena_array(&c->meta->mem, struct str, n);
    for (size_t i = 0; i < n; i++) {
        const json_t *part = json_array_get(path, i);

        if (json_is_string(part))
            t->path[i] = str_dup(&c->meta->mem,
                                 (struct str){ json_string_value(part), json_string_length(part) });
        else if (!json_is_null(part))
            return err_set(err, E_CORRUPT, "'%s': a part of 'path' must be a string or null", key);
    }
    if (!t->path[n - 1].p)
        return err_set(err, E_CORRUPT, "'%s': 'path' must end with the name of a field", key);
    t->npath = (uint32_t)n;
    return 0;
}

static int get_encoding(const json_t *fc, enum ctf_encoding *ret, struct err *err)
{
    static const char *const words[] = { "utf-8", "utf-16le", "utf-16be", "utf-32le", "utf-32be" };
    const json_t *v = json_object_get(fc, "encoding");
    int i = v ? word_of(v, words, ARRAY_SIZE(words)) : 0;

    if (i < 0)
        return err_set(err, E_CORRUPT,
                       "'encoding' must be utf-8, utf-16be, utf-16le, utf-32be or "
                       "utf-32le");
    *ret = (enum ctf_encoding)i;
    return 0;
}

static int nul_string(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                      struct err *err)
{
    (void)type;
    *ret = new_type(c, CTF_STRING, 8);
    return get_encoding(fc, &(*ret)->encoding, err);
}

static struct ctf_type *byte_type(struct ctf2 *c, bool is_text)
{
    struct ctf_type *t = new_type(c, CTF_INT, 8);

    t->size = 8;
    t->order = CTF_LE;
    t->is_text = is_text;
    t->base = 16;
    return t;
}

/* Sets the length of an array or where it is found. */
static int get_length(struct ctf2 *c, const json_t *fc, struct ctf_type *t, struct err *err)
{
    if (t->kind == CTF_ARRAY)
        return ctf2_u64(fc, "length", true, &t->length, err);
    return get_location(c, fc, "length-field-location", t, err);
}

static int string_or_blob(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                          struct err *err)
{
    bool is_blob = str_ends(type, STR("blob"));
    struct ctf_type *t = new_type(c, str_starts(type, STR("static")) ? CTF_ARRAY : CTF_SEQ, 8);
    int rc = get_length(c, fc, t, err);

    *ret = t;
    t->elem = byte_type(c, !is_blob);
    t->is_blob = is_blob;
    t->media = STR("application/octet-stream");
    if (rc == 0 && is_blob)
        rc = ctf2_str(&c->meta->mem, fc, "media-type", false, &t->media, err);
    else if (rc == 0)
        rc = get_encoding(fc, &t->encoding, err);
    return rc < 0 ? rc : get_roles(fc, &t->roles, err);
}

static int array_type(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                      struct err *err)
{
    struct ctf_type *t = new_type(c, str_starts(type, STR("static")) ? CTF_ARRAY : CTF_SEQ, 1);
    int rc = get_length(c, fc, t, err);

    *ret = t;
    if (rc < 0 || (rc = get_align(fc, "minimum-alignment", &t->align, err)) < 0)
        return rc;
    if (ctf2_type(c, json_object_get(fc, "element-field-class"), &t->elem, err) < 0)
        return err_in(err, "element");
    if (t->elem->align > t->align)
        t->align = t->elem->align;
    return ctf_nest(t, t->elem, err);
}

/* Adds a member or option; 'object' has a name and a field class. */
static int add_member(struct ctf2 *c, const json_t *object, struct ctf_type *t, bool named,
                      struct err *err)
{
    struct ctf_member *m = &t->members[t->nmembers];
    int rc;

    *m = (struct ctf_member){ .raw = STR(""), .slot = -1 };
    if (!json_is_object(object))
        return err_set(err, E_CORRUPT, "member %u must be an object", t->nmembers + 1);
    if (!t->is_optional &&
        (rc = ctf2_properties(c, object, named ? "a structure's member" : "a variant's option",
                              named ? "name field-class" : "name field-class selector-field-ranges",
                              err)) < 0)
        return rc;
    if ((rc = ctf2_str(&c->meta->mem, object, "name", named, &m->raw, err)) < 0)
        return rc;
    m->name = m->raw;
    for (uint32_t i = 0; i < t->nmembers && m->raw.n; i++)
        if (str_eq(t->members[i].raw, m->raw))
            return err_set(err, E_CORRUPT, "'" STR_FMT "' is there twice", STR_ARG(m->raw));
    if (ctf2_type(c, json_object_get(object, "field-class"), &m->type, err) < 0)
        return err_in(err, "'" STR_FMT "'", STR_ARG(m->raw));
    m->roles = m->type->roles;
    t->nmembers++;
    return ctf_nest(t, m->type, err);
}

static int structure(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                     struct err *err)
{
    struct ctf_type *t = *ret = new_type(c, CTF_STRUCT, 1);
    const json_t *list = NULL;
    int rc = ctf2_child(fc, "member-classes", JSON_ARRAY, false, &list, err);

    (void)type;
    if (rc < 0 || (rc = get_align(fc, "minimum-alignment", &t->align, err)) < 0)
        return rc;
    size_t n = json_array_size(list);
    t->members = arena_array(&c->meta->mem, struct ctf_member, n);
    for (size_t i = 0; i < n; i++) {
        if ((rc = add_member(c, json_array_get(list, i), t, true, err)) < 0)
            return rc;
        if (t->members[i].type->align > t->align)
            t->align = t->members[i].type->align;
    }
    return 0;
}

/* What selects the options of a variant or optional. */
struct selector {
    map_vec maps;
    VEC(int32_t) options; /* of each map */
    bool has_negative, has_big;
};

/* The ranges of 'o' select option number 'option'. */
static int get_ranges(const json_t *o, int32_t option, struct selector *s, struct err *err)
{
    const json_t *list = NULL;
    int rc = ctf2_child(o, "selector-field-ranges", JSON_ARRAY, true, &list, err);

    if (rc == 0 && json_array_size(list) == 0)
        rc = err_set(err, E_CORRUPT, "'selector-field-ranges' is empty");
    for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
        struct ctf_enum_map m = { .label = STR("") };

        rc = ctf2_range(json_array_get(list, i), &m, &s->has_negative, &s->has_big, err);
        *vec_push(&s->maps) = m;
        *vec_push(&s->options) = option;
    }
    return rc;
}

static int by_signed(const void *a, const void *b)
{
    const struct ctf_enum_map *x = a, *y = b;

    return (x->lo > y->lo) - (x->lo < y->lo);
}

static int by_unsigned(const void *a, const void *b)
{
    const struct ctf_enum_map *x = a, *y = b;

    return ((uint64_t)x->lo > (uint64_t)y->lo) - ((uint64_t)x->lo < (uint64_t)y->lo);
}

/* Do two ranges meet?  A value could then select two options. */
static bool any_meet(const struct selector *s)
{
    size_t n = s->maps.n;
    struct ctf_enum_map *m = xcalloc(n + 1, sizeof *m);
    bool meet = false, sign = s->has_negative;

    if (n)
        memcpy(m, s->maps.at, n * sizeof *m);
    qsort(m, n, sizeof *m, sign ? by_signed : by_unsigned);
    for (size_t i = 1; i < n; i++)
        meet |= sign ? m[i].lo <= m[i - 1].hi : (uint64_t)m[i].lo <= (uint64_t)m[i - 1].hi;
    free(m);
    return meet;
}

/* Makes the ranges the tag of 't', and frees them. */
static int keep_selector(struct ctf2 *c, struct ctf_type *t, struct selector *s, struct err *err)
{
    struct ctf_type *tag = new_type(c, CTF_ENUM, 1);
    int rc = any_meet(s) ? err_set(err, E_CORRUPT, "two ranges of the selector meet") : 0;

    t->option_of = arena_array(&c->meta->mem, int32_t, s->options.n);
    if (s->options.n)
        memcpy(t->option_of, s->options.at, s->options.n * sizeof *s->options.at);
    tag->size = 64;
    tag->has_negative = s->has_negative;
    tag->has_big = s->has_big;
    keep_maps(c, tag, &s->maps);
    vec_free(&s->options);
    t->tag = tag;
    return rc;
}

static int variant(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                   struct err *err)
{
    struct ctf_type *t = *ret = new_type(c, CTF_VARIANT, 1);
    struct selector s = { .has_big = false };
    const json_t *list = NULL;
    int rc = ctf2_child(fc, "options", JSON_ARRAY, true, &list, err);

    (void)type;
    if (rc < 0 || (rc = get_location(c, fc, "selector-field-location", t, err)) < 0)
        return rc;
    size_t n = json_array_size(list);
    if (n == 0)
        return err_set(err, E_CORRUPT, "a variant needs at least one option");
    t->members = arena_array(&c->meta->mem, struct ctf_member, n);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        rc = add_member(c, json_array_get(list, i), t, false, err);
        if (rc == 0 && (rc = get_ranges(json_array_get(list, i), (int32_t)i, &s, err)) < 0)
            err_in(err, "option %zu", i + 1);
    }
    int kept = keep_selector(c, t, &s, err);
    return rc < 0 ? rc : kept;
}

/* One option; without ranges its selector is a boolean. */
static int optional(struct ctf2 *c, const json_t *fc, struct str type, struct ctf_type **ret,
                    struct err *err)
{
    struct ctf_type *t = *ret = new_type(c, CTF_VARIANT, 1);
    struct selector s = { .has_big = false };
    bool by_bool = !json_object_get(fc, "selector-field-ranges");
    int rc = get_location(c, fc, "selector-field-location", t, err);

    (void)type;
    t->is_optional = true;
    t->members = arena_array(&c->meta->mem, struct ctf_member, 1);
    if (rc < 0 || (rc = add_member(c, fc, t, false, err)) < 0)
        return rc;
    t->members[0].raw = t->members[0].name = STR("");
    if (by_bool) {
        *vec_push(&s.maps) = (struct ctf_enum_map){ .label = STR(""), .lo = 1, .hi = -1 };
        *vec_push(&s.options) = 0;
    } else {
        rc = get_ranges(fc, 0, &s, err);
    }
    int kept = keep_selector(c, t, &s, err);
    t->tag->is_bool = by_bool;
    return rc < 0 ? rc : kept;
}

static int alias(struct ctf2 *c, const char *name, struct ctf_type **ret, struct err *err)
{
    for (size_t i = 0; i < c->aliases.n; i++)
        if (str_is(c->aliases.at[i].name, name)) {
            *ret = c->aliases.at[i].type;
            return 0;
        }
    return err_set(err, E_CORRUPT, "there is no field class alias '%s' before", name);
}

#define BITS "length byte-order bit-order alignment roles "
#define AN_INT "preferred-display-base mappings roles "
#define LOCATED "length-field-location "

int ctf2_type(struct ctf2 *c, const json_t *fc, struct ctf_type **ret, struct err *err)
{
    static const struct {
        const char *name;
        int (*read)(struct ctf2 *, const json_t *, struct str, struct ctf_type **, struct err *);
        const char *properties;
    } kinds[] = {
        { "fixed-length-bit-array", fixed_int, BITS },
        { "fixed-length-bit-map", fixed_int, BITS "flags" },
        { "fixed-length-boolean", fixed_int, BITS },
        { "fixed-length-unsigned-integer", fixed_int, BITS AN_INT },
        { "fixed-length-signed-integer", fixed_int, BITS AN_INT },
        { "fixed-length-floating-point-number", fixed_float, BITS },
        { "variable-length-unsigned-integer", leb_int, AN_INT },
        { "variable-length-signed-integer", leb_int, AN_INT },
        { "null-terminated-string", nul_string, "encoding" },
        { "static-length-string", string_or_blob, "length encoding roles" },
        { "dynamic-length-string", string_or_blob, LOCATED "encoding roles" },
        { "static-length-blob", string_or_blob, "length media-type roles" },
        { "dynamic-length-blob", string_or_blob, LOCATED "media-type roles" },
        { "structure", structure, "member-classes minimum-alignment" },
        { "static-length-array", array_type, "length element-field-class minimum-alignment" },
        { "dynamic-length-array", array_type, LOCATED "element-field-class minimum-alignment" },
        { "optional", optional, "selector-field-location selector-field-ranges field-class" },
        { "variant", variant, "selector-field-location options" },
    };
    struct str type;
    int rc;

    if (json_is_string(fc))
        return alias(c, json_string_value(fc), ret, err);
    if (!json_is_object(fc))
        return err_set(err, E_CORRUPT, "a field class must be an object or the name of an alias");
    if ((rc = ctf2_str(&c->meta->mem, fc, "type", true, &type, err)) < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (!str_is(type, kinds[i].name))
            continue;
        if (c->depth >= LIMIT_TYPE_DEPTH)
            return err_set(err, E_LIMIT, "types nested over %d deep", LIMIT_TYPE_DEPTH);
        if ((rc = ctf2_properties(c, fc, kinds[i].name, kinds[i].properties, err)) < 0)
            return rc;
        c->depth++;
        rc = kinds[i].read(c, fc, type, ret, err);
        c->depth--;
        return rc;
    }
    return err_set(err, E_CORRUPT, "unknown type of field class '" STR_FMT "'", STR_ARG(type));
}
