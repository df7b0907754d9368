/* SPDX-License-Identifier: Apache-2.0
 *
 * field.c -- values of the current event; see trace.h. */
#include "base/limits.h"
#include "ctf/trace.h"

double ctf_raw_f64(const struct ctf_type *t, uint64_t raw)
{
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

struct walk {
    const struct ctf_event *ev;
    const struct value_sink *sink; /* NULL: step over */
    enum ctf_order native;
    uint64_t *slot;
    uint64_t pos;
    uint64_t idle; /* elements without a single bit, so far */
};

enum { IDLE_MAX = 4096 }; /* metadata can ask for any number of them */

static void walk_value(struct walk *w, struct str name, const struct ctf_member *m);

static void align(struct walk *w, uint64_t a)
{
    w->pos = (w->pos + a - 1) & ~(a - 1);
}

static struct value value_of(const struct ctf_type *t, uint64_t raw)
{
    struct value v = { .kind = VALUE_U64, .base = t->base, .u64 = raw };

    if (t->kind == CTF_FLOAT) {
        v.kind = VALUE_F64;
        v.f64 = ctf_raw_f64(t, raw);
    } else if (t->is_signed) {
        v.kind = VALUE_I64;
        v.i64 = (int64_t)raw;
    }
    if (t->kind == CTF_ENUM) {
        int map = ctf_enum_find(t, raw);

        v.is_enum = true;
        v.label = map < 0 ? STR("") : t->maps[map].label;
    }
    return v;
}

static void walk_scalar(struct walk *w, struct str name, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;

    align(w, t->align);
    uint64_t raw = ctf_load_at(w->ev->p, w->pos, ctf_load_of(t, w->pos % 8 ? 1 : 8, w->native));
    if (m->slot >= 0)
        w->slot[m->slot] = raw;
    w->pos += t->size;
    if (w->sink) {
        struct value v = value_of(t, raw);

        w->sink->scalar(w->sink->ctx, name, &v);
    }
}

static void walk_array(struct walk *w, struct str name, const struct ctf_type *t)
{
    uint64_t n = t->kind == CTF_SEQ ? w->slot[t->ref_slot] : t->length;
    struct ctf_member elem = { .type = t->elem, .slot = -1 };

    align(w, t->align);
    if (ctf_is_text(t)) {
        if (w->sink)
            w->sink->text(w->sink->ctx, name, text_at(w->ev->p + (w->pos >> 3), n));
        w->pos += n * 8;
        return;
    }
    if (w->sink)
        w->sink->open(w->sink->ctx, name, false);
    for (uint64_t i = 0; i < n && w->idle < IDLE_MAX; i++) {
        uint64_t before = w->pos;

        walk_value(w, STR(""), &elem);
        w->idle += w->pos == before;
    }
    if (w->sink)
        w->sink->close(w->sink->ctx, false);
}

static void walk_struct(struct walk *w, struct str name, const struct ctf_type *t)
{
    align(w, t->align);
    if (w->sink)
        w->sink->open(w->sink->ctx, name, true);
    for (uint32_t i = 0; i < t->nmembers; i++)
        walk_value(w, t->members[i].name, &t->members[i]);
    if (w->sink)
        w->sink->close(w->sink->ctx, true);
}

static void walk_value(struct walk *w, struct str name, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;

    switch (t->kind) {
    case CTF_INT:
    case CTF_ENUM:
    case CTF_FLOAT: walk_scalar(w, name, m); break;
    case CTF_STRING: {
        align(w, 8);
        struct str s = text_at(w->ev->p + (w->pos >> 3), (w->ev->end - w->pos) >> 3);

        w->pos += (s.n + 1) * 8;
        if (w->sink)
            w->sink->text(w->sink->ctx, name, s);
        break;
    }
    case CTF_STRUCT: walk_struct(w, name, t); break;
    case CTF_ARRAY:
    case CTF_SEQ: walk_array(w, name, t); break;
    case CTF_VARIANT: {
        int map = ctf_enum_find(t->tag, w->slot[t->ref_slot]);

        if (map >= 0 && t->option_of[map] >= 0)
            walk_value(w, name, &t->members[t->option_of[map]]);
        break;
    }
    }
}

void ctf_visit(const struct ctf_event *ev, enum ctf_scope scope, const struct value_sink *sink)
{
    const struct ctf_type *parts[] = { [SCOPE_COMMON] = ev->cls->stream->event_context,
                                       [SCOPE_CONTEXT] = ev->cls->context,
                                       [SCOPE_PAYLOAD] = ev->cls->payload };
    struct walk w = { .ev = ev, .pos = ev->body, .slot = (uint64_t *)(uintptr_t)ev->slot,
                      .native = ev->cls->native };

    for (int s = SCOPE_COMMON; s <= (int)scope; s++) {
        if (!parts[s])
            continue;
        w.sink = s == (int)scope ? sink : NULL;
        align(&w, parts[s]->align);
        for (uint32_t i = 0; i < parts[s]->nmembers; i++)
            walk_value(&w, parts[s]->members[i].name, &parts[s]->members[i]);
    }
}
