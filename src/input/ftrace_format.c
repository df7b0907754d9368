/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_format.c -- see ftrace_format.h. */
#include "input/ftrace_format.h"

#include "base/limits.h"

#include <stdlib.h>

/* The next line of '*rest', without its end. */
static bool take_line(struct str *rest, struct str *ret)
{
    if (rest->n == 0)
        return false;
    size_t end = str_chr(*rest, '\n', 0);

    *ret = end == STR_NONE ? *rest : str_first(*rest, end);
    *rest = end == STR_NONE ? STR("") : str_from(*rest, end + 1);
    return true;
}

/* The number behind "key:" in a line, or 'none'. */
static uint32_t number_of(struct str line, const char *key, uint32_t none)
{
    struct str value;
    uint64_t n;

    if (!str_between(line, str_of(key), STR(";"), &value) || !str_u64(str_trim(value), &n) ||
        n > UINT32_MAX)
        return none;
    return (uint32_t)n;
}

static bool has(struct str type, const char *word)
{
    return str_find(type, str_of(word), 0) != STR_NONE;
}

/* Bytes of one element of an array of 'type', by the names that the kernel uses;
 * 0 if it is not known. */
static uint32_t element_size(struct str type, const struct ftrace_machine *m)
{
    if (has(type, "*"))
        return m->long_bytes;
    if (has(type, "64") || has(type, "long long"))
        return 8;
    if (has(type, "32"))
        return 4;
    if (has(type, "16") || has(type, "short"))
        return 2;
    if (has(type, "char") || has(type, "u8") || has(type, "s8") || has(type, "bool"))
        return 1;
    if (has(type, "long") || has(type, "size_t"))
        return m->long_bytes;
    return has(type, "int") || has(type, "unsigned") || has(type, "cpumask") ? 4 : 0;
}

static bool is_char(struct str type)
{
    return has(type, "char") && !has(type, "*") && !has(type, "unsigned") && !has(type, "signed");
}

/* "const char name[16]", "__data_loc char[] name", "unsigned long args[6]". */
static void parse_declaration(struct str decl, const struct ftrace_machine *m,
                              struct ftrace_field *f)
{
    size_t space = str_rchr(decl, ' '), bracket;
    struct str type = space == STR_NONE ? STR("") : str_first(decl, space);
    bool dynamic = str_starts(decl, STR("__data_loc ")) || str_starts(decl, STR("__rel_loc "));

    f->name = space == STR_NONE ? decl : str_from(decl, space + 1);
    f->is_relative = str_starts(decl, STR("__rel_loc "));
    bracket = str_chr(f->name, '[', 0);
    if (bracket == STR_NONE && !dynamic && has(type, "[")) /* "char[16] name" */
        bracket = f->name.n;
    f->is_pointer = has(type, "*");
    if (dynamic && f->size == 4) {
        f->kind = FTRACE_DYNAMIC;
        f->element = is_char(type) ? 0 : element_size(str_from(type, str_chr(type, ' ', 0)), m);
        f->element = f->element || is_char(type) ? f->element : 1;
    } else if (bracket != STR_NONE) {
        f->name = str_first(f->name, bracket);
        f->kind = is_char(type) ? FTRACE_TEXT : FTRACE_ARRAY;
        f->element = element_size(type, m);
        if (f->element == 0 || f->size % f->element)
            f->element = 1;
    } else if (f->size != 1 && f->size != 2 && f->size != 4 && f->size != 8) {
        f->kind = FTRACE_ARRAY; /* a struct: its bytes */
        f->element = 1;
    }
}

void ftrace_format_fields(struct str text, const struct ftrace_machine *m, struct arena *mem,
                          struct ftrace_event *ret)
{
    VEC(struct ftrace_field) fields = { 0 };
    struct str line, decl;

    while (take_line(&text, &line) && fields.n < LIMIT_FIELDS) {
        line = str_trim(line);
        if (!str_starts(line, STR("field:")) || !str_between(line, STR("field:"), STR(";"), &decl))
            continue;
        struct ftrace_field f = { .offset = number_of(line, "offset:", UINT32_MAX),
                                  .size = number_of(line, "size:", 0),
                                  .is_signed = number_of(line, "signed:", 0) != 0 };

        parse_declaration(str_trim(decl), m, &f);
        f.name = str_dup(mem, f.name);
        f.is_common = str_starts(f.name, STR("common_"));
        *vec_push(&fields) = f;
    }
    ret->fields = arena_array(mem, struct ftrace_field, fields.n);
    if (fields.n)
        memcpy(ret->fields, fields.at, fields.n * sizeof *fields.at);
    ret->nfields = (uint32_t)fields.n;
    vec_free(&fields);
}

bool ftrace_format_parse(struct str text, const struct ftrace_machine *m, struct arena *mem,
                         struct ftrace_event *ret)
{
    struct str rest = text, line;
    bool has_id = false;
    uint64_t id;

    *ret = (struct ftrace_event){ 0 };
    while (take_line(&rest, &line) && !str_starts(line, STR("format:"))) {
        if (str_starts(line, STR("name:"))) {
            ret->name = str_dup(mem, str_trim(str_from(line, 5)));
        } else if (str_starts(line, STR("ID:")) && str_u64(str_trim(str_from(line, 3)), &id) &&
                   id <= UINT16_MAX) {
            ret->id = (uint32_t)id;
            has_id = true;
        }
    }
    if (!has_id || ret->name.n == 0)
        return false;
    ftrace_format_fields(rest, m, mem, ret);
    return true;
}

/* --- values ------------------------------------------------------------------------ */

uint64_t ftrace_number(const struct ftrace_machine *m, const uint8_t *p, uint32_t size)
{
    const bool swap = m->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    uint16_t x2;
    uint32_t x4;
    uint64_t x8;

    switch (size) {
    case 1: return p[0];
    case 2: memcpy(&x2, p, 2); return swap ? __builtin_bswap16(x2) : x2;
    case 4: memcpy(&x4, p, 4); return swap ? __builtin_bswap32(x4) : x4;
    case 8: memcpy(&x8, p, 8); return swap ? __builtin_bswap64(x8) : x8;
    default: return 0;
    }
}

static int64_t extend(uint64_t x, uint32_t size, bool is_signed)
{
    switch (is_signed ? size : 8) {
    case 1: return (int8_t)x;
    case 2: return (int16_t)x;
    case 4: return (int32_t)x;
    default: return (int64_t)x;
    }
}

static bool is_inside(uint64_t offset, uint64_t size, uint32_t n)
{
    return offset + size <= n;
}

bool ftrace_field_int(const struct ftrace_field *f, const struct ftrace_machine *m,
                      const uint8_t *p, uint32_t n, int64_t *ret)
{
    if (f->kind != FTRACE_INT || !is_inside(f->offset, f->size, n))
        return false;
    *ret = extend(ftrace_number(m, p + f->offset, f->size), f->size, f->is_signed);
    return true;
}

/* The bytes of an array or a text. */
static bool bytes_of(const struct ftrace_field *f, const struct ftrace_machine *m, const uint8_t *p,
                     uint32_t n, struct str *ret)
{
    uint64_t at = f->offset, size = f->size;

    if (!is_inside(at, size, n))
        return false;
    if (f->kind == FTRACE_DYNAMIC) {
        uint64_t loc = ftrace_number(m, p + f->offset, 4);

        size = loc >> 16;
        at = (loc & 0xffff) + (f->is_relative ? (uint64_t)f->offset + 4 : 0);
        if (!is_inside(at, size, n))
            return false;
    }
    *ret = (struct str){ (const char *)p + at, size };
    return true;
}

static bool is_text(const struct ftrace_field *f)
{
    return f->kind == FTRACE_TEXT || (f->kind == FTRACE_DYNAMIC && f->element == 0);
}

bool ftrace_field_text(const struct ftrace_field *f, const struct ftrace_machine *m,
                       const uint8_t *p, uint32_t n, struct str *ret)
{
    struct str s;

    if (!is_text(f) || !bytes_of(f, m, p, n, &s))
        return false;
    size_t nul = str_chr(s, '\0', 0);
    *ret = nul == STR_NONE ? s : str_first(s, nul);
    return true;
}

static void visit_int(const struct ftrace_field *f, struct str name, uint64_t x, uint32_t size,
                      const struct value_sink *sink)
{
    struct value v = { .kind = f->is_signed ? VALUE_I64 : VALUE_U64,
                       .base = f->is_pointer ? 16 : 10 };

    if (f->is_signed)
        v.i64 = extend(x, size, true);
    else
        v.u64 = x;
    sink->scalar(sink->ctx, name, &v);
}

void ftrace_field_visit(const struct ftrace_field *f, const struct ftrace_machine *m,
                        const uint8_t *p, uint32_t n, const struct value_sink *sink)
{
    struct str s;

    if (is_text(f)) {
        if (ftrace_field_text(f, m, p, n, &s))
            sink->text(sink->ctx, f->name, s);
    } else if (f->kind == FTRACE_INT) {
        if (is_inside(f->offset, f->size, n))
            visit_int(f, f->name, ftrace_number(m, p + f->offset, f->size), f->size, sink);
    } else if (bytes_of(f, m, p, n, &s)) {
        sink->open(sink->ctx, f->name, false);
        for (uint32_t i = 0; i + f->element <= s.n; i += f->element)
            visit_int(f, STR(""), ftrace_number(m, (const uint8_t *)s.p + i, f->element),
                      f->element, sink);
        sink->close(sink->ctx, false);
    }
}
