/* SPDX-License-Identifier: Apache-2.0
 *
 * resolve.c -- links every sequence and variant to the field it depends on.
 *
 * Types are shared while they are parsed (an alias is one object), but what a
 * length or tag refers to depends on where the type is used.  So each scope
 * first gets its own copy of its structures, then references are looked up.
 *
 * CTF 1.8.3, 7.3.2: an absolute path names its scope; a relative one is
 * searched in the enclosing structures from the inside out, among the fields
 * that come before, then in the scopes that come before.  A field that can be no
 * length or tag is passed over.  The name of an option can be a part of the path or
 * be left out: then each option can have the field.
 * CTF 2.0, "Field location": a path starts at a scope or at the
 * enclosing structure, a part may mean "the parent", and it passes through
 * arrays, optionals and variants: in a variant each option can have the field. */
#include "base/limits.h"
#include "ctf/meta.h"

#include <stdio.h>
#include <stdlib.h>

/* As written in TSDL. */
static const char *const place_names[PLACE_COUNT] = {
    "trace.packet.header.",  "stream.packet.context.", "stream.event.header.",
    "stream.event.context.", "event.context.",         "event.fields.",
};

struct frame {
    struct ctf_type *type;
    uint32_t at; /* the member being visited: earlier ones can be referred to */
};

enum { PARTS_MAX = 2 * LIMIT_TYPE_DEPTH, FOUND_MAX = 64 };

struct resolver {
    struct ctf_meta *meta;
    enum ctf_place place;
    struct ctf_type *roots[PLACE_COUNT]; /* scopes before the current one, resolved */
    struct frame frames[LIMIT_TYPE_DEPTH + 2];
    int nframes;
    struct err *err;
};

/* Fields that a path leads to: more than one when it passes through variants. */
struct found {
    struct ctf_member *at[FOUND_MAX];
    uint32_t n;
    bool too_many;
    bool partly; /* CTF 1: an option on the way has no such field */
    bool far;    /* in a scope before the current one */
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

int ctf_nest(struct ctf_type *outer, const struct ctf_type *inner, struct err *err)
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

/* --- roles of CTF 1 ------------------------------------------------------- */

static bool is_uuid_array(const struct ctf_type *t)
{
    return t->kind == CTF_ARRAY && t->length == 16 && t->elem->kind == CTF_INT &&
           t->elem->size == 8;
}

/* CTF 1.8.3, chapter 5: what the fields of the headers are called. */
uint32_t ctf_roles_of(const struct ctf_meta *meta, enum ctf_place place, const struct ctf_member *m)
{
    static const struct {
        enum ctf_place place;
        const char *name;
        uint32_t role;
    } rows[] = {
        { PLACE_PACKET_HEADER, "magic", ROLE_MAGIC },
        { PLACE_PACKET_HEADER, "stream_id", ROLE_CLASS_ID },
        { PLACE_PACKET_HEADER, "stream_instance_id", ROLE_STREAM_ID },
        { PLACE_PACKET_CONTEXT, "packet_size", ROLE_PACKET_SIZE },
        { PLACE_PACKET_CONTEXT, "content_size", ROLE_CONTENT_SIZE },
        { PLACE_PACKET_CONTEXT, "timestamp_begin", ROLE_CLOCK },
        { PLACE_PACKET_CONTEXT, "timestamp_end", ROLE_END },
        { PLACE_PACKET_CONTEXT, "events_discarded", ROLE_DISCARDED },
        { PLACE_PACKET_CONTEXT, "packet_seq_num", ROLE_SEQ },
        { PLACE_PACKET_CONTEXT, "cpu_id", ROLE_CPU },
        { PLACE_EVENT_HEADER, "id", ROLE_EVENT_ID },
    };
    uint32_t roles = 0;

    if (place == PLACE_PACKET_HEADER && str_is(m->name, "uuid") && is_uuid_array(m->type))
        return ROLE_UUID;
    if (m->type->kind != CTF_INT && m->type->kind != CTF_ENUM)
        return 0;
    if (m->type->is_signed && str_is(m->name, "magic"))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].place == place && str_is(m->name, rows[i].name))
            roles |= rows[i].role;
    if (place > PLACE_EVENT_HEADER || (roles & ROLE_END))
        return roles;
    /* An event's "timestamp" that is mapped to no clock samples the only one. */
    if (m->type->clock.n || (place == PLACE_EVENT_HEADER && str_is(m->name, "timestamp") &&
                             meta->clocks.n == 1 && !m->type->is_signed))
        roles |= ROLE_CLOCK;
    return roles;
}

static void give_roles(const struct resolver *r, struct ctf_type *t)
{
    if (t->kind == CTF_ARRAY || t->kind == CTF_SEQ)
        give_roles(r, t->elem);
    for (uint32_t i = 0; i < t->nmembers; i++) {
        t->members[i].roles = ctf_roles_of(r->meta, r->place, &t->members[i]);
        give_roles(r, t->members[i].type);
    }
}

/* --- paths ---------------------------------------------------------------- */

static const struct frame *frame_of(const struct resolver *r, const struct ctf_type *t)
{
    for (int i = r->nframes; i-- > 0;)
        if (r->frames[i].type == t)
            return &r->frames[i];
    return NULL;
}

static void descend(const struct resolver *r, struct ctf_type *t, const struct str *part,
                    uint32_t n, struct found *into);

/* The field itself, or what is below it. */
static void descend_member(const struct resolver *r, struct ctf_member *m, const struct str *part,
                           uint32_t n, struct found *into)
{
    if (n == 0 && m->type->kind != CTF_VARIANT) {
        if (into->n == FOUND_MAX)
            into->too_many = true;
        else
            into->at[into->n++] = m;
        return;
    }
    descend(r, m->type, part, n, into);
}

static bool is_array(const struct ctf_type *t)
{
    return t->kind == CTF_ARRAY || t->kind == CTF_SEQ;
}

/* Each option can have the field; of a variant that holds the one that asks, only its
 * own option is there. */
static void descend_options(const struct resolver *r, struct ctf_type *t, const struct str *part,
                            uint32_t n, struct found *into)
{
    const struct frame *f = frame_of(r, t);

    for (uint32_t i = 0; i < t->nmembers && !into->too_many && !into->partly; i++) {
        uint32_t before = into->n;

        if (f && f->at != i)
            continue;
        if (f || n == 0 || !is_array(t->members[i].type)) /* else: which element? */
            descend_member(r, &t->members[i], part, n, into);
        into->partly |= into->n == before && r->meta->major < 2;
    }
}

/* Recursion is as deep as the types, which LIMIT_TYPE_DEPTH bounds. */
static void descend(const struct resolver *r, struct ctf_type *t, const struct str *part,
                    uint32_t n, struct found *into)
{
    struct ctf_member *m;
    const struct frame *f;

    while (is_array(t))
        t = t->elem;
    f = frame_of(r, t);
    if (t->kind == CTF_VARIANT) {
        uint32_t before = into->n;

        m = n && r->meta->major < 2 ? ctf_member_of(t, part[0]) : NULL;
        if (m && (f ? m == t->members + f->at && n > 1 : n == 1 || !is_array(m->type)))
            descend_member(r, m, part + 1, n - 1, into);
        if (into->n == before) {
            into->partly = false;
            descend_options(r, t, part, n, into);
        }
        return;
    }
    if (n == 0 || t->kind != CTF_STRUCT)
        return;
    m = ctf_member_of(t, part[0]);
    if (!m)
        return;
    if (f && (m > t->members + f->at || (m == t->members + f->at && n == 1)))
        return; /* comes later, or is the one that asks */
    if ((!f || m != t->members + f->at) && n > 1 && is_array(m->type))
        return; /* which element? */
    descend_member(r, m, part + 1, n - 1, into);
}

/* Splits "a.b.c"; 0 if there are too many parts. */
static uint32_t split(struct str path, struct str parts[PARTS_MAX])
{
    uint32_t n = 0;

    for (;;) {
        size_t dot = str_chr(path, '.', 0);

        if (n == PARTS_MAX)
            return 0;
        parts[n++] = str_trim(dot == STR_NONE ? path : str_first(path, dot));
        if (dot == STR_NONE)
            return n;
        path = str_from(path, dot + 1);
    }
}

/* NULL if 'to' can be the length or the tag of 't', else why not. */
static const char *misfit(const struct ctf_type *t, const struct ctf_type *to)
{
    if (t->kind == CTF_VARIANT && t->npath == 0)
        return to->kind == CTF_ENUM ? NULL : "not an enum";
    if (to->kind != CTF_INT && to->kind != CTF_ENUM)
        return "not an integer";
    if (t->kind == CTF_SEQ && to->is_bool)
        return "a boolean";
    return t->kind == CTF_SEQ && to->is_signed ? "signed" : NULL;
}

/* Has the search come to its end?  What was found and does not fit is kept in 'unfit',
 * for the error if nothing does. */
static bool is_found(const struct ctf_type *t, struct found *into, struct found *unfit)
{
    bool fits = into->n > 0 && !into->partly;

    for (uint32_t i = 0; i < into->n; i++)
        fits = fits && !misfit(t, into->at[i]->type);
    if (fits || into->too_many)
        return true;
    if (unfit->n == 0)
        *unfit = *into;
    into->n = 0;
    into->partly = false;
    return false;
}

/* A relative path of TSDL. */
static void find_relative(const struct resolver *r, const struct ctf_type *t, struct found *into)
{
    struct str parts[PARTS_MAX];
    struct found unfit = { .n = 0 };
    uint32_t n = split(t->ref, parts);

    for (int i = r->nframes; i-- > 0;) {
        if (r->frames[i].type->kind == CTF_STRUCT)
            descend(r, r->frames[i].type, parts, n, into);
        if (is_found(t, into, &unfit))
            return;
    }
    into->far = true;
    for (int s = PLACE_COUNT; s-- > 0;) {
        if (r->roots[s])
            descend(r, r->roots[s], parts, n, into);
        if (is_found(t, into, &unfit))
            return;
    }
    *into = unfit;
}

/* A path of TSDL. */
static void find_ref(const struct resolver *r, const struct ctf_type *t, struct found *into)
{
    struct str parts[PARTS_MAX], path = t->ref;

    for (int s = 0; s < PLACE_COUNT; s++) {
        struct str name = str_of(place_names[s]);

        if (!str_starts(path, name))
            continue;
        uint32_t n = split(str_from(path, name.n), parts);
        into->far = s != (int)r->place;
        if (!into->far)
            descend(r, r->frames[0].type, parts, n, into);
        else if (r->roots[s])
            descend(r, r->roots[s], parts, n, into);
        return;
    }
    find_relative(r, t, into);
}

/* A field location of CTF 2. */
static void find_location(const struct resolver *r, const struct ctf_type *t, struct found *into)
{
    struct str parts[PARTS_MAX];
    uint32_t n = 0, up = 0;
    struct ctf_type *from = NULL;

    for (uint32_t i = 0; i < t->npath; i++) {
        if (t->path[i].p && n == PARTS_MAX)
            return;
        if (t->path[i].p)
            parts[n++] = t->path[i];
        else if (n)
            n--; /* "a, parent" is nothing */
        else
            up++;
    }
    if (t->origin >= 0) {
        into->far = t->origin != (int)r->place;
        from = into->far ? r->roots[t->origin] : r->frames[0].type;
    } else {
        for (int i = r->nframes; i-- > 0 && !from;)
            if (r->frames[i].type->kind == CTF_STRUCT && up-- == 0)
                from = r->frames[i].type;
        up = 0;
    }
    if (from && up == 0)
        descend(r, from, parts, n, into);
}

/* --- links ---------------------------------------------------------------- */

static struct str ref_text(struct resolver *r, const struct ctf_type *t)
{
    struct sbuf b = { 0 };

    if (t->npath == 0)
        return t->ref;
    for (uint32_t i = 0; i < t->npath; i++) {
        if (i)
            sbuf_chr(&b, '/');
        sbuf_str(&b, t->path[i].p ? t->path[i] : STR(".."));
    }
    struct str s = str_dup(&r->meta->mem, sbuf_view(&b));
    sbuf_free(&b);
    return s;
}

/* The options of one name, with and without '_'; -1 = none. */
struct named {
    int32_t raw, name;
};

/* Names of options, looked up by text: enums and variants can both be long. */
struct option_names {
    struct strtab texts;
    VEC(struct named) of; /* by id of the text */
};

static uint32_t add_text(struct option_names *n, struct str text)
{
    uint32_t id = strtab_id(&n->texts, text);

    while (n->of.n <= id)
        *vec_push(&n->of) = (struct named){ -1, -1 };
    return id;
}

/* The exact name comes first, then one with a '_' that the label lacks, then without. */
static int32_t option_named(const struct option_names *n, struct str label)
{
    uint32_t id;

    if (strtab_find(&n->texts, label, &id) && id < n->of.n) {
        if (n->of.at[id].raw >= 0)
            return n->of.at[id].raw;
        if (n->of.at[id].name >= 0)
            return n->of.at[id].name;
    }
    if (label.n > 1 && label.p[0] == '_' && strtab_find(&n->texts, str_from(label, 1), &id) &&
        id < n->of.n)
        return n->of.at[id].raw;
    return -1;
}

uint32_t ctf_label_options(const struct ctf_type *tag, const struct ctf_type *variant, int32_t *ret)
{
    struct option_names names = { .of = { 0 } };
    uint32_t named = 0;

    for (uint32_t i = 0; i < variant->nmembers; i++) {
        uint32_t raw = add_text(&names, variant->members[i].raw);
        uint32_t name = add_text(&names, variant->members[i].name);

        names.of.at[raw].raw = (int32_t)i;
        names.of.at[name].name = (int32_t)i;
    }
    for (uint32_t i = 0; i < tag->nmaps; i++) {
        int32_t option = option_named(&names, tag->maps[i].label);

        named += option >= 0;
        if (ret)
            ret[i] = option;
    }
    strtab_free(&names.texts);
    vec_free(&names.of);
    return named;
}

/* Labels select options, so there must be one enum that has them. */
static int link_variant(struct resolver *r, struct ctf_type *t, const struct found *f)
{
    const struct ctf_type *tag = f->at[0]->type;

    if (f->n > 1)
        return err_set(r->err, E_UNSUP,
                       "tag '" STR_FMT "' of a variant means %u enums: which labels count?",
                       STR_ARG(t->ref), f->n);
    t->tag = (struct ctf_type *)(uintptr_t)tag;
    t->option_of = arena_array(&r->meta->mem, int32_t, tag->nmaps);
    ctf_label_options(tag, t, t->option_of);
    return 0;
}

/* CTF 2: the ranges come with the variant; only their sign is the selector's. */
static int link_selector(struct resolver *r, struct ctf_type *t, const struct ctf_type *selector)
{
    struct ctf_type *tag = arena_new(&r->meta->mem, struct ctf_type);

    *tag = *t->tag;
    tag->is_signed = selector->is_signed;
    if (selector->is_bool != tag->is_bool)
        return err_set(r->err, E_CORRUPT,
                       selector->is_bool
                           ? "selector '" STR_FMT "' is a boolean: ranges have no meaning"
                           : "selector '" STR_FMT "' is an integer: ranges are needed",
                       STR_ARG(ref_text(r, t)));
    if (selector->is_signed ? tag->has_big : tag->has_negative)
        return err_set(r->err, E_CORRUPT,
                       "a range of selector '" STR_FMT "' can never be met: it is %s",
                       STR_ARG(ref_text(r, t)), selector->is_signed ? "signed" : "unsigned");
    t->tag = tag;
    return 0;
}

static int check_target(struct resolver *r, const struct ctf_type *t, const struct ctf_type *to)
{
    const char *why = misfit(t, to);

    if (!why)
        return 0;
    return err_set(r->err, E_CORRUPT, "%s '" STR_FMT "' of a %s is %s",
                   t->kind == CTF_SEQ ? "length" : "tag", STR_ARG(ref_text(r, t)),
                   t->kind == CTF_SEQ ? "sequence" : "variant", why);
}

/* One place for the value of all these fields: at most one is there at a time. */
static int share_slot(struct resolver *r, struct ctf_type *t, const struct found *f)
{
    int32_t slot = -1;

    for (uint32_t i = 0; i < f->n; i++) {
        int32_t has = f->at[i]->slot;

        if (has >= 0 && slot >= 0 && has != slot)
            return err_set(r->err, E_UNSUP,
                           "'" STR_FMT "' means several fields that other references share",
                           STR_ARG(ref_text(r, t)));
        slot = has >= 0 ? has : slot;
    }
    if (slot < 0)
        slot = (int32_t)r->meta->nslots++;
    for (uint32_t i = 0; i < f->n; i++) {
        f->at[i]->slot = slot;
        f->at[i]->far |= f->far;
    }
    t->ref_slot = slot;
    return 0;
}

static int link_ref(struct resolver *r, struct ctf_type *t)
{
    const char *what = t->kind == CTF_SEQ ? "length of a sequence" : "tag of a variant";
    struct found f = { .n = 0 };
    int rc = 0;

    if (t->ref.n == 0 && t->npath == 0)
        return err_set(r->err, E_CORRUPT, "a variant without a tag");
    if (t->npath)
        find_location(r, t, &f);
    else
        find_ref(r, t, &f);
    if (f.too_many)
        return err_set(r->err, E_LIMIT, "%s: '" STR_FMT "' means over %d fields", what,
                       STR_ARG(ref_text(r, t)), FOUND_MAX);
    if (f.n == 0)
        return err_set(r->err, E_CORRUPT, "%s: no field '" STR_FMT "' comes before it", what,
                       STR_ARG(ref_text(r, t)));
    if (f.partly)
        return err_set(r->err, E_CORRUPT,
                       "%s: an option of a variant on the way has no field '" STR_FMT "'", what,
                       STR_ARG(ref_text(r, t)));
    for (uint32_t i = 0; i < f.n; i++) {
        rc = check_target(r, t, f.at[i]->type);
        if (rc == 0 && t->kind == CTF_VARIANT && t->npath)
            rc = link_selector(r, t, f.at[i]->type);
        if (rc < 0)
            return rc;
    }
    if (t->kind == CTF_VARIANT && t->npath == 0 && (rc = link_variant(r, t, &f)) < 0)
        return rc;
    return share_slot(r, t, &f);
}

static int check_clock(struct resolver *r, const struct ctf_type *t)
{
    if (t->clock.n == 0)
        return 0;
    for (size_t i = 0; i < r->meta->clocks.n; i++)
        if (str_eq(r->meta->clocks.at[i]->name, t->clock))
            return 0;
    return err_set(r->err, E_CORRUPT, "clock '" STR_FMT "' is used and not declared",
                   STR_ARG(t->clock));
}

/* Readers compare 32 bits. */
static int check_magic(struct resolver *r, const struct ctf_type *t)
{
    int rc = is_array(t) ? check_magic(r, t->elem) : 0;

    for (uint32_t i = 0; rc == 0 && i < t->nmembers; i++) {
        const struct ctf_member *m = &t->members[i];

        if ((m->roles & ROLE_MAGIC) && m->type->size != 32)
            return err_set(r->err, E_CORRUPT,
                           "field '" STR_FMT "': a magic number has 32 bits, not %u",
                           STR_ARG(m->raw), m->type->size);
        rc = check_magic(r, m->type);
    }
    return rc;
}

/* Recursion is bounded: the parser limits how deep types nest, brackets add
 * at most 16 levels per field. */
static int resolve_type(struct resolver *r, struct ctf_type *t)
{
    int rc = 0;

    if (t->kind == CTF_SEQ || t->kind == CTF_VARIANT)
        rc = link_ref(r, t);
    else if (t->kind == CTF_INT || t->kind == CTF_ENUM)
        rc = check_clock(r, t);
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
static int resolve_scope(struct resolver *r, enum ctf_place place, struct ctf_type **t)
{
    int rc = 0;

    for (int later = (int)place; later < PLACE_COUNT; later++)
        r->roots[later] = NULL;
    if (*t && (r->meta->weight += (*t)->weight) > LIMIT_FIELDS * 4ull)
        return err_set(r->err, E_LIMIT, "over %llu fields in one trace", LIMIT_FIELDS * 4ull);
    if (*t) {
        *t = copy_type(&r->meta->mem, *t);
        r->place = place;
        if (r->meta->major < 2)
            give_roles(r, *t);
        if (place == PLACE_PACKET_HEADER && (rc = check_magic(r, *t)) < 0)
            return rc;
        r->nframes = 0;
        rc = resolve_type(r, *t);
        r->roots[place] = *t;
    }
    return rc;
}

int ctf_resolve(struct ctf_meta *meta, struct err *err)
{
    struct resolver r = { .meta = meta, .err = err };

    if (resolve_scope(&r, PLACE_PACKET_HEADER, &meta->packet_header) < 0)
        return err_in(err, "packet header");
    for (size_t i = 0; i < meta->streams.n; i++) {
        struct ctf_stream_class *sc = meta->streams.at[i];

        if (resolve_scope(&r, PLACE_PACKET_CONTEXT, &sc->packet_context) < 0 ||
            resolve_scope(&r, PLACE_EVENT_HEADER, &sc->event_header) < 0 ||
            resolve_scope(&r, PLACE_STREAM_EVENT_CONTEXT, &sc->event_context) < 0)
            return err_in(err, "stream %llu", (unsigned long long)sc->id);
        for (size_t k = 0; k < sc->events.n; k++) {
            struct ctf_event_class *ec = sc->events.at[k];

            if (resolve_scope(&r, PLACE_EVENT_CONTEXT, &ec->context) < 0 ||
                resolve_scope(&r, PLACE_PAYLOAD, &ec->payload) < 0)
                return err_in(err, "event '" STR_FMT "'", STR_ARG(ec->name));
        }
    }
    return 0;
}
