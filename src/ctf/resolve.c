/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve.c -- links every sequence and variant to the field it depends on.
 *
 * Types are shared while they are parsed (an alias is one object), but what a
 * length or tag refers to depends on where the type is used.  So each scope
 * first gets its own copy of its structures, then references are looked up
 * (CTF 1.8.3, 7.3.2): an absolute path names its scope; a relative one is
 * searched in the enclosing structures from the inside out, among the fields
 * that come before, then in the scopes that come before. */
#include "base/limits.h"
#include "ctf/meta.h"

#include <stdio.h>

enum scope {
    SC_PACKET_HEADER,
    SC_PACKET_CONTEXT,
    SC_EVENT_HEADER,
    SC_STREAM_EVENT_CONTEXT,
    SC_EVENT_CONTEXT,
    SC_PAYLOAD,
    SC_COUNT,
};

/* As written in metadata; "trace.packet.header" and so on. */
static const char *const scope_names[SC_COUNT] = {
    "trace.packet.header.", "stream.packet.context.", "stream.event.header.",
    "stream.event.context.", "event.context.", "event.fields.",
};

struct frame {
    struct ctf_type *type;
    uint32_t at; /* the member being visited: earlier ones can be referred to */
};

struct resolver {
    struct ctf_meta *meta;
    struct ctf_type *roots[SC_COUNT]; /* scopes before the current one, resolved */
    struct frame frames[LIMIT_TYPE_DEPTH + 2];
    int nframes;
    struct err *err;
};

struct ctf_member *ctf_member_of(const struct ctf_type *t, struct str name)
{
    for (uint32_t i = 0; i < t->nmembers; i++)
        if (str_eq(t->members[i].raw, name))
            return &t->members[i];
    for (uint32_t i = 0; i < t->nmembers; i++)
        if (str_eq(t->members[i].name, name))
            return &t->members[i];
    return NULL;
}

int ctf_enum_find(const struct ctf_type *t, uint64_t value)
{
    for (uint32_t i = 0; i < t->nmaps; i++) {
        const struct ctf_enum_map *m = &t->maps[i];
        bool in = t->is_signed ? (int64_t)value >= m->lo && (int64_t)value <= m->hi
                               : value >= (uint64_t)m->lo && value <= (uint64_t)m->hi;
        if (in)
            return (int)i;
    }
    return -1;
}

/* A copy of 't' and of everything below it that can hold a reference. */
static struct ctf_type *copy_type(struct arena *mem, const struct ctf_type *t)
{
    struct ctf_type *c;

    if (t->kind == CTF_INT || t->kind == CTF_ENUM || t->kind == CTF_FLOAT || t->kind == CTF_STRING)
        return (struct ctf_type *)(uintptr_t)t; /* never written to */
    c = arena_new(mem, struct ctf_type);
    *c = *t;
    if (t->kind == CTF_ARRAY || t->kind == CTF_SEQ) {
        c->elem = copy_type(mem, t->elem);
        return c;
    }
    c->members = arena_array(mem, struct ctf_member, t->nmembers);
    for (uint32_t i = 0; i < t->nmembers; i++) {
        c->members[i] = t->members[i];
        c->members[i].type = copy_type(mem, t->members[i].type);
    }
    return c;
}

/* Splits the first name off a dotted path. */
static struct str path_head(struct str *path)
{
    size_t dot = str_chr(*path, '.', 0);
    struct str head = dot == STR_NONE ? *path : str_first(*path, dot);

    *path = dot == STR_NONE ? (struct str){ path->p + path->n, 0 } : str_from(*path, dot + 1);
    return head;
}

/* Follows 'path' from 'from'; only its members below 'before' count. */
static struct ctf_member *follow(struct ctf_type *from, uint32_t before, struct str path)
{
    struct ctf_member *m = NULL;

    while (path.n) {
        if (from->kind != CTF_STRUCT && from->kind != CTF_VARIANT)
            return NULL;
        m = ctf_member_of(from, path_head(&path));
        if (!m || m >= from->members + before)
            return NULL;
        from = m->type;
        before = UINT32_MAX / 2;
    }
    return m;
}

static struct ctf_member *find_absolute(const struct resolver *r, struct str path, bool *is_abs,
                                        bool *ret_far)
{
    for (int s = 0; s < SC_COUNT; s++) {
        struct str name = str_of(scope_names[s]);

        if (!str_starts(path, name))
            continue;
        *is_abs = true;
        path = str_from(path, name.n);
        *ret_far = r->roots[s] != NULL;
        if (r->roots[s])
            return follow(r->roots[s], UINT32_MAX / 2, path);
        if (r->nframes && r->frames[0].type) /* the scope being resolved itself */
            return follow(r->frames[0].type, r->frames[0].at + 1, path);
        return NULL;
    }
    return NULL;
}

static struct ctf_member *find_ref(const struct resolver *r, struct str path, bool *ret_far)
{
    bool is_abs = false;
    struct ctf_member *m = find_absolute(r, path, &is_abs, ret_far);

    if (m || is_abs)
        return m;
    for (int i = r->nframes; i-- > 0;) {
        const struct frame *f = &r->frames[i];

        if (f->type->kind == CTF_STRUCT && (m = follow(f->type, f->at, path)))
            return m;
    }
    *ret_far = true;
    for (int s = SC_COUNT; s-- > 0;)
        if (r->roots[s] && (m = follow(r->roots[s], UINT32_MAX / 2, path)))
            return m;
    return NULL;
}

static bool same_label(struct str label, const struct ctf_member *option)
{
    struct str bare = label.n > 1 && label.p[0] == '_' ? str_from(label, 1) : label;

    return str_eq(label, option->raw) || str_eq(label, option->name) || str_eq(bare, option->raw);
}

static int link_variant(struct resolver *r, struct ctf_type *t, const struct ctf_member *tag)
{
    if (tag->type->kind != CTF_ENUM)
        return err_set(r->err, E_CORRUPT, "tag '" STR_FMT "' of a variant is not an enum",
                       STR_ARG(t->ref));
    t->tag = tag->type;
    t->option_of = arena_array(&r->meta->mem, int32_t, tag->type->nmaps);
    for (uint32_t i = 0; i < tag->type->nmaps; i++) {
        t->option_of[i] = -1;
        for (uint32_t k = 0; k < t->nmembers; k++)
            if (same_label(tag->type->maps[i].label, &t->members[k]))
                t->option_of[i] = (int32_t)k;
    }
    return 0;
}

static int link_ref(struct resolver *r, struct ctf_type *t)
{
    const char *what = t->kind == CTF_SEQ ? "length of a sequence" : "tag of a variant";

    if (t->ref.n == 0)
        return err_set(r->err, E_CORRUPT, "a variant without a tag");
    bool far = false;
    struct ctf_member *m = find_ref(r, t->ref, &far);
    if (!m)
        return err_set(r->err, E_CORRUPT, "%s: no field '" STR_FMT "' comes before it", what,
                       STR_ARG(t->ref));
    if (m->type->kind != CTF_INT && m->type->kind != CTF_ENUM)
        return err_set(r->err, E_CORRUPT, "%s: field '" STR_FMT "' is not an integer", what,
                       STR_ARG(t->ref));
    if (t->kind == CTF_SEQ && m->type->is_signed)
        return err_set(r->err, E_CORRUPT, "%s: field '" STR_FMT "' is signed", what,
                       STR_ARG(t->ref));
    if (m->slot < 0)
        m->slot = (int32_t)r->meta->nslots++;
    m->far |= far;
    t->ref_slot = m->slot;
    return t->kind == CTF_VARIANT ? link_variant(r, t, m) : 0;
}

/* Recursion is bounded: the parser limits how deep types nest, brackets add
 * at most 16 levels per field. */
static int resolve_type(struct resolver *r, struct ctf_type *t)
{
    int rc = 0;

    if (t->kind == CTF_SEQ || t->kind == CTF_VARIANT)
        rc = link_ref(r, t);
    if (rc == 0 && (t->kind == CTF_ARRAY || t->kind == CTF_SEQ))
        return resolve_type(r, t->elem);
    if (rc < 0 || (t->kind != CTF_STRUCT && t->kind != CTF_VARIANT))
        return rc;
    if (r->nframes == (int)ARRAY_SIZE(r->frames))
        return err_set(r->err, E_LIMIT, "types nested over %d deep", LIMIT_TYPE_DEPTH);
    struct frame *f = &r->frames[r->nframes++];
    f->type = t;
    for (f->at = 0; rc == 0 && f->at < t->nmembers; f->at++) {
        rc = resolve_type(r, t->members[f->at].type);
        if (rc < 0)
            err_in(r->err, "field '" STR_FMT "'", STR_ARG(t->members[f->at].raw));
    }
    r->nframes--;
    return rc;
}

/* Gives the scope its own copy of '*t' and resolves it. */
static int resolve_scope(struct resolver *r, enum scope s, struct ctf_type **t)
{
    int rc = 0;

    for (int later = (int)s; later < SC_COUNT; later++)
        r->roots[later] = NULL;
    if (*t && (r->meta->weight += (*t)->weight) > LIMIT_FIELDS * 4ull)
        return err_set(r->err, E_LIMIT, "over %llu fields in one trace", LIMIT_FIELDS * 4ull);
    if (*t) {
        *t = copy_type(&r->meta->mem, *t);
        r->nframes = 0;
        rc = resolve_type(r, *t);
        r->roots[s] = *t;
    }
    return rc;
}

int ctf_resolve(struct ctf_meta *meta, struct err *err)
{
    struct resolver r = { .meta = meta, .err = err };
    int rc = resolve_scope(&r, SC_PACKET_HEADER, &meta->packet_header);

    if (rc < 0)
        return err_in(err, "packet header");
    for (size_t i = 0; i < meta->streams.n; i++) {
        struct ctf_stream_class *sc = meta->streams.at[i];

        if ((rc = resolve_scope(&r, SC_PACKET_CONTEXT, &sc->packet_context)) < 0 ||
            (rc = resolve_scope(&r, SC_EVENT_HEADER, &sc->event_header)) < 0 ||
            (rc = resolve_scope(&r, SC_STREAM_EVENT_CONTEXT, &sc->event_context)) < 0)
            return err_in(err, "stream %llu", (unsigned long long)sc->id);
        for (size_t k = 0; k < sc->events.n; k++) {
            struct ctf_event_class *ec = sc->events.at[k];

            if ((rc = resolve_scope(&r, SC_EVENT_CONTEXT, &ec->context)) < 0 ||
                (rc = resolve_scope(&r, SC_PAYLOAD, &ec->payload)) < 0)
                return err_in(err, "event '" STR_FMT "'", STR_ARG(ec->name));
        }
    }
    return 0;
}
