/* SPDX-License-Identifier: Apache-2.0
 *
 * field.c -- values of the current event; see trace.h. */
#include "ctf/walk.h"

#include <math.h>
#include <stdlib.h>

/* IEEE 754 binary16: 1 + 5 + 10 bits. */
static double half_f64(uint64_t raw)
{
    int exp = (int)(raw >> 10 & 31);
    double mant = (double)(raw & 1023), sign = raw >> 15 & 1 ? -1 : 1;

    if (exp == 31)
        return mant > 0 ? (double)NAN : sign * (double)INFINITY;
    return sign * (exp ? ldexp(mant + 1024, exp - 25) : ldexp(mant, -24));
}

double ctf_raw_f64(const struct ctf_type *t, uint64_t raw)
{
    if (t->size == 16)
        return half_f64(raw);
    if (t->size == 32) {
        uint32_t u = (uint32_t)raw;
        float f;

        memcpy(&f, &u, sizeof f);
        return (double)f;
    }
    double d;
    memcpy(&d, &raw, sizeof d);
    return d;
}

double ctf_get_f64(const struct ctf_event *ev, const struct ctf_field *f)
{
    return ctf_raw_f64(f->type, ctf_get_u64(ev, f));
}

/* Text up to the first NUL of 'n' bytes. */
static struct str text_at(const uint8_t *p, uint64_t n)
{
    return (struct str){ (const char *)p, strnlen((const char *)p, n) };
}

static uint64_t array_length(const struct ctf_event *ev, const struct ctf_type *t)
{
    return t->kind == CTF_SEQ ? ev->slot[t->ref_slot] : t->length;
}

struct str ctf_get_str(const struct ctf_event *ev, const struct ctf_field *f)
{
    uint64_t at = (ev->seg[f->seg] + f->off) >> 3, end = (ev->end + 7) >> 3;
    uint64_t n = end > at ? end - at : 0;

    if (f->kind == FIELD_TEXT) {
        uint64_t len = array_length(ev, f->type);

        return text_at(ev->p + at, len < n ? len : n);
    }
    return text_at(ev->p + at, n);
}

bool ctf_is_bytes(const struct ctf_field *f)
{
    const struct ctf_type *t = f->type;

    return (f->kind == FIELD_ARRAY || f->kind == FIELD_TEXT) && t->kind == CTF_ARRAY &&
           t->elem->kind == CTF_INT && t->elem->size == 8 && t->elem->align % 8 == 0 &&
           t->elem->align <= 8 && !t->elem->is_leb && f->off % 8 == 0;
}

struct str ctf_get_bytes(const struct ctf_event *ev, const struct ctf_field *f)
{
    uint64_t at = ev->seg[f->seg] + f->off;

    if (at % 8 || at + f->type->length * 8 > ev->end)
        return (struct str){ "", 0 };
    return (struct str){ (const char *)ev->p + at / 8, f->type->length };
}

const struct ctf_field *ctf_field_find(const struct ctf_event_class *cls, enum ctf_scope scope,
                                       struct str path, const struct ctf_field *after)
{
    uint32_t i = after ? (uint32_t)(after - cls->fields) + 1 : 0;

    for (; i < cls->nfields; i++)
        if (cls->fields[i].scope == scope && str_eq(cls->fields[i].path, path))
            return &cls->fields[i];
    return NULL;
}

/* --- visiting -------------------------------------------------------------
 * A plain walk over the types.  It needs the lengths and tags as they were when
 * each value was passed, so it keeps them again as it goes; the step program
 * has already proved that everything lies inside the packet. */

enum { IDLE_MAX = 4096 }; /* elements without bits: metadata can ask for any number */
enum { LABELS_MAX = 512 };

static void align(struct ctf_walk *w, uint64_t a)
{
    w->pos = (w->pos + a - 1) & ~(a - 1);
}

static void tap_open(const struct ctf_walk *w, const struct ctf_member *m, uint64_t tag)
{
    if (w->tap)
        w->tap->open(w->tap->ctx, m, w->pos, tag);
}

static void tap_close(const struct ctf_walk *w, const struct ctf_member *m, uint64_t from)
{
    if (w->tap)
        w->tap->close(w->tap->ctx, m, from, w->pos);
}

/* Does the map describe the value?  Of a bit map: is one of its bits set? */
static bool fits(const struct ctf_type *t, const struct ctf_enum_map *m, uint64_t raw)
{
    if (t->is_bitmap) {
        uint64_t n = (uint64_t)m->hi - (uint64_t)m->lo;

        return m->lo < 64 && (raw >> m->lo & (n >= 63 ? UINT64_MAX : (UINT64_C(2) << n) - 1));
    }
    return t->is_signed ? (int64_t)raw >= m->lo && (int64_t)raw <= m->hi
                        : raw >= (uint64_t)m->lo && raw <= (uint64_t)m->hi;
}

/* All labels of a value, "A|B"; the first alone is a view of the metadata. */
static struct str labels_of(const struct ctf_type *t, uint64_t raw, char buf[static LABELS_MAX])
{
    struct str all = { "", 0 }, last = { 0 };

    for (uint32_t i = 0; i < t->nmaps; i++) {
        struct str one = t->maps[i].label;

        if (!fits(t, &t->maps[i], raw) || (last.p && str_eq(one, last)))
            continue;
        if (!last.p) {
            all = one;
        } else if (all.n + 1 + one.n <= LABELS_MAX) {
            memmove(buf, all.p, all.n);
            buf[all.n] = '|';
            memcpy(buf + all.n + 1, one.p, one.n);
            all = (struct str){ buf, all.n + 1 + one.n };
        }
        last = one;
    }
    return all;
}

static struct value value_of(const struct ctf_type *t, uint64_t raw, char buf[static LABELS_MAX])
{
    struct value v = { .kind = VALUE_U64, .base = t->base, .u64 = raw };

    if (t->kind == CTF_FLOAT) {
        v.kind = VALUE_F64;
        v.f64 = ctf_raw_f64(t, raw);
    } else if (t->is_bool) {
        v.kind = VALUE_BOOL;
        v.u64 = raw != 0;
    } else if (t->is_signed) {
        v.kind = VALUE_I64;
        v.i64 = (int64_t)raw;
    }
    if (t->kind == CTF_ENUM) {
        v.is_enum = true;
        v.label = labels_of(t, raw, buf);
    }
    return v;
}

static void walk_scalar(struct ctf_walk *w, struct str name, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;
    unsigned bytes = 0;

    align(w, t->align);
    uint64_t raw = ctf_load_at(w->p, w->pos, ctf_load_of(t, w->pos % 8 ? 1 : 8, w->native));
    if (m->slot >= 0)
        w->slot[m->slot] = raw;
    if (w->tap)
        w->tap->scalar(w->tap->ctx, m, w->pos, raw);
    if (t->is_leb)
        ctf_leb(w->p + (w->pos >> 3), t->is_signed, &bytes);
    w->pos += bytes ? 8 * bytes : t->size;
    if (w->sink) {
        char buf[LABELS_MAX];
        struct value v = value_of(t, raw, buf);

        w->sink->scalar(w->sink->ctx, name, &v);
    }
}

static void walk_array(struct ctf_walk *w, struct str name, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;
    uint64_t n = ctf_walk_length(w, t);
    struct ctf_member elem = { .type = t->elem, .slot = -1 };

    align(w, t->align);
    uint64_t from = w->pos;
    tap_open(w, m, 0);
    if (ctf_is_text(t)) {
        if (w->sink)
            w->sink->text(w->sink->ctx, name,
                          ctf_text(t->encoding, w->p + (w->pos >> 3), n, &w->text));
        w->pos += n * 8;
        tap_close(w, m, from);
        return;
    }
    if (w->sink)
        w->sink->open(w->sink->ctx, name, false);
    for (uint64_t i = 0; i < n && w->idle < IDLE_MAX; i++) {
        uint64_t before = w->pos;

        ctf_walk_value(w, STR(""), &elem);
        w->idle += w->pos == before;
    }
    if (w->sink)
        w->sink->close(w->sink->ctx, false);
    tap_close(w, m, from);
}

static void walk_struct(struct ctf_walk *w, struct str name, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;

    align(w, t->align);
    uint64_t from = w->pos;
    tap_open(w, m, 0);
    if (w->sink)
        w->sink->open(w->sink->ctx, name, true);
    for (uint32_t i = 0; i < t->nmembers; i++)
        ctf_walk_value(w, t->members[i].name, &t->members[i]);
    if (w->sink)
        w->sink->close(w->sink->ctx, true);
    tap_close(w, m, from);
}

/* Bytes of a string with its NUL. */
static uint64_t string_bytes(const struct ctf_walk *w, const struct ctf_type *t)
{
    static const uint8_t zeros[4];
    uint64_t at = w->pos >> 3, n = (w->end >> 3) - at;
    uint64_t unit = t->encoding == TEXT_UTF8 ? 1 : t->encoding <= TEXT_UTF16BE ? 2 : 4, len = 0;

    if (unit == 1) {
        len = strnlen((const char *)w->p + at, n);
        return len < n ? len + 1 : n;
    }
    while (n - len >= unit) {
        len += unit;
        if (memcmp(w->p + at + len - unit, zeros, unit) == 0)
            break;
    }
    return len;
}

static void walk_string(struct ctf_walk *w, struct str name, const struct ctf_member *m)
{
    align(w, 8);
    uint64_t from = w->pos, n = string_bytes(w, m->type);

    tap_open(w, m, 0);
    if (w->sink)
        w->sink->text(w->sink->ctx, name,
                      ctf_text(m->type->encoding, w->p + (w->pos >> 3), n, &w->text));
    w->pos += n * 8;
    tap_close(w, m, from);
}

static void walk_variant(struct ctf_walk *w, struct str name, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;
    uint64_t tag = w->slot[t->ref_slot], from = w->pos;
    int map = ctf_enum_find(t->tag, tag);

    tap_open(w, m, tag);
    if (map >= 0 && t->option_of[map] >= 0)
        ctf_walk_value(w, name, &t->members[t->option_of[map]]);
    tap_close(w, m, from);
}

/* Recursion is as deep as the types, which LIMIT_TYPE_DEPTH bounds. */
void ctf_walk_value(struct ctf_walk *w, struct str name, const struct ctf_member *m)
{
    switch (m->type->kind) {
    case CTF_INT:
    case CTF_ENUM:
    case CTF_FLOAT: walk_scalar(w, name, m); break;
    case CTF_STRING: walk_string(w, name, m); break;
    case CTF_STRUCT: walk_struct(w, name, m); break;
    case CTF_ARRAY:
    case CTF_SEQ: walk_array(w, name, m); break;
    case CTF_VARIANT: walk_variant(w, name, m); break;
    }
}

void ctf_walk_end(struct ctf_walk *w)
{
    sbuf_free(&w->text);
}

/* Slots as they were before the event: see OP_CLEAR.  Returns if there are any. */
static bool clear_loose(const struct ctf_prog *p, uint64_t *slot)
{
    uint32_t i = 0;

    for (; i < p->nops && p->ops[i].code == OP_CLEAR; i++)
        slot[p->ops[i].slot] = 0;
    return i > 0;
}

void ctf_visit(const struct ctf_event *ev, enum ctf_scope scope, const struct value_sink *sink)
{
    const struct ctf_type *parts[] = { [SCOPE_COMMON] = ev->cls->stream->event_context,
                                       [SCOPE_CONTEXT] = ev->cls->context,
                                       [SCOPE_PAYLOAD] = ev->cls->payload };
    struct ctf_walk w = { .p = ev->p,
                          .pos = ev->body,
                          .end = ev->end,
                          .slot = (uint64_t *)(uintptr_t)ev->slot,
                          .native = ev->cls->native };
    /* The slots must be those of the whole event again when this returns. */
    int last = clear_loose(ev->cls->prog, w.slot) ? (int)SCOPE_PAYLOAD : (int)scope;

    for (int s = SCOPE_COMMON; s <= last; s++) {
        if (!parts[s])
            continue;
        w.sink = s == (int)scope ? sink : NULL;
        align(&w, parts[s]->align);
        for (uint32_t i = 0; i < parts[s]->nmembers; i++)
            ctf_walk_value(&w, parts[s]->members[i].name, &parts[s]->members[i]);
    }
    ctf_walk_end(&w);
}

void ctf_visit_field(const struct ctf_event *ev, const struct ctf_field *f,
                     const struct value_sink *sink)
{
    const struct ctf_prog *p = ev->cls->prog;
    const struct ctf_member m = { .type = (struct ctf_type *)(uintptr_t)f->type, .slot = -1 };
    struct ctf_walk w = { .p = ev->p,
                          .pos = ev->seg[f->seg] + f->off,
                          .end = ev->end,
                          .slot = (uint64_t *)(uintptr_t)ev->slot,
                          .native = ev->cls->native,
                          .sink = sink };
    uint64_t *saved = NULL;
    uint32_t n = 0;

    while (n < p->nops && p->ops[n].code == OP_CLEAR)
        n++;
    if (n) { /* values that only some elements have: as they are before the first */
        saved = xcalloc(n, sizeof *saved);
        for (uint32_t i = 0; i < n; i++)
            saved[i] = w.slot[p->ops[i].slot];
        clear_loose(p, w.slot);
    }
    ctf_walk_value(&w, f->name, &m);
    for (uint32_t i = n; i-- > 0;)
        w.slot[p->ops[i].slot] = saved[i];
    free(saved);
    ctf_walk_end(&w);
}
