/* SPDX-License-Identifier: Apache-2.0
 *
 * compile.c -- types to programs and fields; see prog.h for what they are.
 *
 * The compiler walks the types of a scope in the order of the bytes and keeps
 * what it knows of the position: the segment, the offset in it, and the
 * alignment that the segment's start is known to have.  As long as the offset
 * is known, paddings and fixed fields only move the offset; what can't be known
 * before (text, sequences, variants, an alignment stronger than the segment's)
 * becomes a step. */
#include "base/limits.h"
#include "ctf/prog.h"

#include <assert.h>
#include <stdlib.h>

/* Larger fixed layouts are stepped over one element at a time, so that sums of
 * offsets stay far from 64 bits. */
#define STATIC_BITS_MAX (UINT64_C(1) << 40)

typedef VEC(int32_t) slot_vec;

struct gen {
    struct arena *mem;
    enum ctf_order native;
    VEC(struct ctf_op) ops;
    VEC(struct ctf_field) *fields;
    struct sbuf *path;
    uint32_t *nsegs;
    slot_vec *loose; /* slots that not every event writes */

    uint32_t seg;
    uint64_t known;   /* alignment of the segment's start, bits */
    uint64_t off;     /* bits since the segment's start         */
    uint64_t flushed; /* of these, already skipped by a step    */

    enum ctf_order order; /* of the bits just before, CTF_NATIVE if none */
    enum ctf_scope scope;
    bool in_header;                   /* emit OP_ID, OP_CLOCK                    */
    bool in_loop;                     /* leaves are not listed                   */
    const struct ctf_choice *only_if; /* the innermost variant   */
};

typedef VEC(struct ctf_field) field_vec;

/* A step at the present position: it first skips what no step has passed yet. */
static struct ctf_op *emit(struct gen *g, enum ctf_op_code code)
{
    struct ctf_op *op = vec_push(&g->ops);

    *op = (struct ctf_op){ .code = code, .seg = SEG_NONE, .slot = -1, .skip = g->off - g->flushed };
    g->flushed = g->off;
    return op;
}

/* Makes the steps so far reach the present position. */
static void flush(struct gen *g)
{
    if (g->off > g->flushed)
        emit(g, OP_SKIP);
}

static uint32_t new_seg(struct gen *g, uint64_t known)
{
    g->seg = (*g->nsegs)++;
    g->known = known;
    g->off = g->flushed = 0;
    return g->seg;
}

/* Alignment that the present position is known to have. */
static uint64_t known_here(const struct gen *g)
{
    uint64_t low = g->off & (0 - g->off);

    return g->off == 0 || low > g->known ? g->known : low;
}

static void align_to(struct gen *g, uint64_t align)
{
    if (align <= g->known) {
        g->off = (g->off + align - 1) & ~(align - 1);
        return;
    }
    struct ctf_op *op = emit(g, OP_ALIGN);
    op->bits = align;
    op->seg = new_seg(g, align);
}

bool ctf_is_text(const struct ctf_type *t)
{
    return t->elem->kind == CTF_INT && t->elem->is_text && t->elem->size == 8 &&
           t->elem->align <= 8;
}

/* Can the bytes be handed out as they are? */
static bool is_plain_text(const struct ctf_type *t)
{
    return ctf_is_text(t) && t->encoding == TEXT_UTF8;
}

struct ctf_load ctf_load_of(const struct ctf_type *t, uint64_t align, enum ctf_order native)
{
    bool be = (t->order == CTF_NATIVE ? native : t->order) == CTF_BE;
    struct ctf_load l = { .bits = (uint8_t)t->size,
                          .shift = (uint8_t)(64 - t->size),
                          .is_signed = t->is_signed };

    if (t->is_leb)
        l.kind = LOAD_LEB;
    else if (t->is_reversed)
        l.kind = be ? LOAD_REV_BE : LOAD_REV_LE;
    else if (align >= 8 && !be)
        l.kind = LOAD_LE;
    else if (align >= 8 && t->size % 8 == 0)
        l.kind = LOAD_BE;
    else
        l.kind = be ? LOAD_BITS_BE : LOAD_BITS_LE;
    return l;
}

static void add_field(struct gen *g, enum ctf_field_kind kind, const struct ctf_member *m,
                      struct ctf_load load)
{
    if (g->in_loop)
        return;
    struct str path = str_dup(g->mem, sbuf_view(g->path));
    size_t dot = str_rchr(path, '.');
    *vec_push(g->fields) = (struct ctf_field){
        .path = path,
        .name = dot == STR_NONE ? path : str_from(path, dot + 1),
        .scope = g->scope,
        .kind = kind,
        .seg = g->seg,
        .off = g->off,
        .load = load,
        .type = m->type,
        .only_if = g->only_if,
        .roles = m->roles,
    };
}

/* What an event header says besides its layout: the id and the time. */
static void header_steps(struct gen *g, uint32_t roles, struct ctf_load load)
{
    if (!g->in_header)
        return;
    if (roles & ROLE_EVENT_ID)
        emit(g, OP_ID)->load = load;
    if (roles & ROLE_CLOCK)
        emit(g, OP_CLOCK)->load = load;
}

/* A value that is kept for a later step.  Below a variant or a loop it may not be
 * there, and must not be that of another event then. */
static void save_slot(struct gen *g, int32_t slot)
{
    if (slot >= 0 && (g->only_if || g->in_loop))
        *vec_push(g->loose) = slot;
}

static void gen_leb(struct gen *g, const struct ctf_member *m, struct ctf_load load)
{
    struct ctf_op *op = emit(g, OP_LEB);
    op->load = load;
    op->slot = m->slot;
    save_slot(g, m->slot);
    if (g->in_header)
        op->count = (m->roles & ROLE_EVENT_ID ? LEB_IS_ID : 0u) |
                    (m->roles & ROLE_CLOCK ? LEB_IS_CLOCK : 0u);
    op->seg = new_seg(g, 8);
}

/* The bits of one byte have one order (CTF 1.8.3, 4.1; CTF 2.0, "Fixed-length
 * bit array field decoding"). */
static void check_order(struct gen *g, const struct ctf_type *t)
{
    enum ctf_order order = t->order == CTF_NATIVE ? g->native : t->order;

    if (g->order != CTF_NATIVE && g->order != order && known_here(g) < 8)
        emit(g, OP_WHOLE);
    g->order = order;
}

static void gen_scalar(struct gen *g, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;

    align_to(g, t->align);
    struct ctf_load load = ctf_load_of(t, known_here(g), g->native);
    add_field(g, t->kind == CTF_FLOAT ? FIELD_FLOAT : FIELD_INT, m, load);
    if (t->is_leb) {
        gen_leb(g, m, load);
        return;
    }
    check_order(g, t);
    header_steps(g, m->roles, load);
    if (m->slot >= 0) {
        struct ctf_op *op = emit(g, OP_SAVE);
        op->load = load;
        op->slot = m->slot;
        save_slot(g, m->slot);
    }
    g->off += t->size;
}

static void gen_type(struct gen *g, const struct ctf_member *m);

/* Size in bits of a type that has the same layout wherever it starts at its
 * own alignment; false if it has not. */
static bool static_bits(const struct ctf_type *t, uint64_t *ret)
{
    uint64_t bits = 0, one;

    switch (t->kind) {
    case CTF_INT:
    case CTF_ENUM:
    case CTF_FLOAT: *ret = t->size; return !t->is_leb;
    case CTF_STRUCT:
        for (uint32_t i = 0; i < t->nmembers; i++) {
            uint64_t align = t->members[i].type->align;

            if (t->members[i].slot >= 0 || !static_bits(t->members[i].type, &one))
                return false;
            bits = ((bits + align - 1) & ~(align - 1)) + one;
            if (bits > STATIC_BITS_MAX)
                return false;
        }
        *ret = bits;
        return true;
    case CTF_ARRAY: {
        if (!static_bits(t->elem, &one))
            return false;
        uint64_t stride = (one + t->elem->align - 1) & ~((uint64_t)t->elem->align - 1);

        if (t->length && stride > STATIC_BITS_MAX / t->length)
            return false;
        *ret = t->length ? (t->length - 1) * stride + one : 0;
        return true;
    }
    case CTF_STRING:
    case CTF_SEQ:
    case CTF_VARIANT: return false;
    }
    return false;
}

/* Elements whose size is not known before: a loop of steps. */
static void gen_loop(struct gen *g, const struct ctf_type *t)
{
    struct ctf_member elem = { .type = t->elem, .slot = -1 };
    bool was = g->in_loop;

    size_t at = g->ops.n;
    struct ctf_op *op = emit(g, OP_LOOP);
    op->slot = t->ref_slot;
    op->count = t->length;
    emit(g, OP_SEG)->seg = new_seg(g, 1); /* each round starts at a new place */
    g->in_loop = true;
    gen_type(g, &elem);
    flush(g);
    g->in_loop = was;
    g->ops.at[at].nbody = (uint32_t)(g->ops.n - at - 1);
    emit(g, OP_SEG)->seg = new_seg(g, 1);
}

/* A sequence.  Most follow their length at once, and then both are one step. */
static struct ctf_op *emit_seq(struct gen *g, int32_t slot)
{
    struct ctf_op *before = g->ops.n ? &g->ops.at[g->ops.n - 1] : NULL;

    if (before && before->code == OP_SAVE && before->slot == slot &&
        g->off - g->flushed == before->load.bits) {
        before->code = OP_COUNTED;
        g->flushed = g->off;
        return before;
    }
    struct ctf_op *op = emit(g, OP_SEQ);
    op->slot = slot;
    return op;
}

static void gen_array(struct gen *g, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;
    struct ctf_load none = { 0 };
    uint64_t bits, one;

    align_to(g, t->align); /* also of an empty one: CTF 1.8.3, 4.2.3 */
    add_field(g, is_plain_text(t) ? FIELD_TEXT : FIELD_ARRAY, m, none);
    const struct ctf_type *leaf = t->elem;
    while (leaf->kind == CTF_ARRAY)
        leaf = leaf->elem;
    if (leaf->size && !leaf->is_leb && (t->kind == CTF_SEQ || t->length))
        check_order(g, leaf);
    else
        g->order = CTF_NATIVE;
    if (t->kind == CTF_ARRAY && static_bits(t, &bits)) {
        g->off += bits;
        return;
    }
    if (t->kind == CTF_ARRAY || !static_bits(t->elem, &one)) {
        gen_loop(g, t);
        return;
    }
    uint64_t align = t->elem->align, stride = (one + align - 1) & ~(align - 1);
    uint64_t known = known_here(g), low = one % 8 == 0 ? 8 : 1;
    struct ctf_op *op = emit_seq(g, t->ref_slot);
    op->bits = one;
    op->stride = stride;
    op->seg = new_seg(g, known >= 8 && stride % 8 == 0 ? low : 1);
}

static void gen_variant(struct gen *g, const struct ctf_member *m)
{
    const struct ctf_type *t = m->type;
    struct ctf_switch *sw = arena_new(g->mem, struct ctf_switch);

    uint64_t known = known_here(g);
    sw->variant = t;
    sw->options = arena_array(g->mem, struct ctf_prog, t->nmembers);
    size_t at = g->ops.n;
    struct ctf_op *op = emit(g, OP_VARIANT);
    op->slot = t->ref_slot;
    op->sw = sw;

    uint64_t after = known;
    enum ctf_order order = g->order;
    for (uint32_t i = 0; i < t->nmembers; i++) {
        struct gen opt = *g;

        memset(&opt.ops, 0, sizeof opt.ops);
        emit(&opt, OP_SEG)->seg = new_seg(&opt, known);
        struct ctf_choice *choice = arena_new(g->mem, struct ctf_choice);
        *choice = (struct ctf_choice){ t, t->ref_slot, i, g->only_if };
        opt.only_if = choice;
        gen_type(&opt, &t->members[i]);
        flush(&opt);
        if (known_here(&opt) < after)
            after = known_here(&opt);
        if (opt.order != order)
            order = CTF_NATIVE; /* of one option or the other: not checked */
        sw->options[i].nops = (uint32_t)opt.ops.n;
        sw->options[i].ops = arena_array(g->mem, struct ctf_op, opt.ops.n);
        memcpy(sw->options[i].ops, opt.ops.at, opt.ops.n * sizeof *opt.ops.at);
        vec_free(&opt.ops);
    }
    g->order = order;
    g->ops.at[at].seg = new_seg(g, after);
}

static void gen_struct(struct gen *g, const struct ctf_type *t)
{
    align_to(g, t->align);
    for (uint32_t i = 0; i < t->nmembers; i++) {
        size_t path = g->path->n;

        if (path)
            sbuf_chr(g->path, '.');
        sbuf_str(g->path, t->members[i].name);
        gen_type(g, &t->members[i]);
        g->path->n = path;
    }
}

static void gen_string(struct gen *g, const struct ctf_type *t)
{
    static const uint64_t units[] = { [TEXT_UTF8] = 8,
                                      [TEXT_UTF16LE] = 16,
                                      [TEXT_UTF16BE] = 16,
                                      [TEXT_UTF32LE] = 32,
                                      [TEXT_UTF32BE] = 32 };

    struct ctf_op *op = emit(g, OP_STRING);
    op->bits = units[t->encoding];
    op->seg = new_seg(g, 8);
}

/* Recursion is as deep as the types, which LIMIT_TYPE_DEPTH bounds. */
static void gen_type(struct gen *g, const struct ctf_member *m)
{
    struct ctf_load none = { 0 };

    switch (m->type->kind) {
    case CTF_INT:
    case CTF_ENUM:
    case CTF_FLOAT: gen_scalar(g, m); break;
    case CTF_STRUCT: gen_struct(g, m->type); break;
    case CTF_VARIANT: gen_variant(g, m); break;
    case CTF_ARRAY:
    case CTF_SEQ: gen_array(g, m); break;
    case CTF_STRING:
        align_to(g, 8);
        add_field(g, m->type->encoding == TEXT_UTF8 ? FIELD_STRING : FIELD_ARRAY, m, none);
        gen_string(g, m->type);
        break;
    }
}

static struct ctf_prog *finish(struct gen *g)
{
    struct ctf_prog *p = arena_new(g->mem, struct ctf_prog);

    flush(g);
    p->nops = (uint32_t)(g->loose->n + g->ops.n);
    p->ops = arena_array(g->mem, struct ctf_op, p->nops);
    for (size_t i = 0; i < g->loose->n; i++)
        p->ops[i] = (struct ctf_op){ .code = OP_CLEAR, .seg = SEG_NONE, .slot = g->loose->at[i] };
    if (g->ops.n)
        memcpy(p->ops + g->loose->n, g->ops.at, g->ops.n * sizeof *g->ops.at);
    p->nsegs = *g->nsegs;
    p->known_end = known_here(g);
    p->fixed = p->nops == 0 || (p->nops == 1 && p->ops[0].code == OP_SKIP);
    p->fixed_bits = p->nops == 1 ? p->ops[0].skip : 0;
    vec_free(&g->ops);
    vec_free(g->loose);
    return p;
}

struct part {
    const struct ctf_type *type;
    enum ctf_scope scope;
};

/* A program for the parts in this order.  'known' is the alignment of the
 * place where they start. */
static struct ctf_prog *gen_prog(struct ctf_meta *meta, const struct part *parts, size_t nparts,
                                 uint64_t known, bool in_header, struct ctf_field **ret_fields,
                                 uint32_t *ret_nfields)
{
    struct sbuf path = { 0 };
    field_vec fields = { 0 };
    slot_vec loose = { 0 };
    uint32_t nsegs = 1;
    struct gen g = { .mem = &meta->mem,
                     .native = meta->order,
                     .fields = (void *)&fields,
                     .path = &path,
                     .nsegs = &nsegs,
                     .loose = &loose,
                     .known = known,
                     .in_header = in_header };

    sbuf_z(&path, "");
    for (size_t i = 0; i < nparts; i++) {
        g.scope = parts[i].scope;
        if (parts[i].type)
            gen_struct(&g, parts[i].type);
    }
    struct ctf_prog *p = finish(&g);
    if (nsegs > meta->nsegs)
        meta->nsegs = nsegs;
    *ret_nfields = (uint32_t)fields.n;
    *ret_fields = arena_array(&meta->mem, struct ctf_field, fields.n);
    if (fields.n)
        memcpy(*ret_fields, fields.at, fields.n * sizeof *fields.at);
    vec_free(&fields);
    sbuf_free(&path);
    return p;
}

static bool is_uint(const struct ctf_member *m, uint32_t role, unsigned bits, unsigned align)
{
    const struct ctf_type *t = m->type;

    return m->roles == role && (t->kind == CTF_INT || t->kind == CTF_ENUM) && !t->is_signed &&
           !t->is_leb && !t->is_reversed && t->size == bits && t->align <= align;
}

static bool le_scope(const struct ctf_meta *meta, const struct ctf_type *t)
{
    return t->order == CTF_NATIVE ? meta->order == CTF_LE : t->order == CTF_LE;
}

/* { enum : id_bits id; variant <id> v { compact { u_ts timestamp }, extended { u32 id; u64
 * timestamp } } }: the two layouts of LTTng (lttng-ust 2.x, ust-ctl / metadata templates). */
static bool is_lttng_header(const struct ctf_meta *meta, const struct ctf_type *h, unsigned id_bits,
                            unsigned ts_bits, uint64_t last_compact)
{
    if (h->nmembers != 2 || h->align != 8 || !is_uint(&h->members[0], ROLE_EVENT_ID, id_bits, 8) ||
        h->members[0].type->kind != CTF_ENUM || h->members[1].type->kind != CTF_VARIANT)
        return false;
    const struct ctf_type *e = h->members[0].type, *v = h->members[1].type;
    if (v->tag != e || v->nmembers != 2 || e->nmaps != 2 || !le_scope(meta, e))
        return false;
    const struct ctf_type *compact = v->members[0].type, *extended = v->members[1].type;
    uint32_t packed = id_bits % 8 ? 1 : 8; /* the timestamp follows the id at once */
    if (compact->kind != CTF_STRUCT || extended->kind != CTF_STRUCT || compact->nmembers != 1 ||
        extended->nmembers != 2 || extended->align != 8 || compact->align > packed)
        return false;
    const struct ctf_member *ts = &compact->members[0], *xid = &extended->members[0],
                            *xts = &extended->members[1];
    if (!is_uint(ts, ROLE_CLOCK, ts_bits, packed) || !is_uint(xid, ROLE_EVENT_ID, 32, 8) ||
        !is_uint(xts, ROLE_CLOCK, 64, 8))
        return false;
    return le_scope(meta, ts->type) && le_scope(meta, xid->type) && le_scope(meta, xts->type) &&
           e->maps[0].lo == 0 && (uint64_t)e->maps[0].hi == last_compact &&
           (uint64_t)e->maps[1].lo == last_compact + 1 && v->option_of[0] == 0 &&
           v->option_of[1] == 1 && e->maps[1].lo == e->maps[1].hi;
}

static bool is_plain(const struct ctf_meta *meta, const struct ctf_type *h, unsigned id_bits)
{
    return h->nmembers == 2 && h->align <= 8 &&
           is_uint(&h->members[0], ROLE_EVENT_ID, id_bits, 8) &&
           is_uint(&h->members[1], ROLE_CLOCK, 64, 8) && le_scope(meta, h->members[0].type) &&
           le_scope(meta, h->members[1].type);
}

static enum ctf_header_kind header_kind(const struct ctf_meta *meta, const struct ctf_type *h)
{
    if (!h || h->nmembers == 0)
        return HEADER_NONE;
    if (is_lttng_header(meta, h, 5, 27, 30))
        return HEADER_COMPACT;
    if (is_lttng_header(meta, h, 16, 32, 65534))
        return HEADER_LARGE;
    if (is_plain(meta, h, 32))
        return HEADER_PLAIN;
    if (is_plain(meta, h, 64))
        return HEADER_PLAIN64;
    return HEADER_PROGRAM;
}

/* Finds the clock that the fields below 't' sample.  A stream has one. */
static int find_samples(const struct ctf_meta *meta, const struct ctf_type *t,
                        struct ctf_clock **clock, struct err *err)
{
    int rc = 0;

    if (t && (t->kind == CTF_ARRAY || t->kind == CTF_SEQ))
        return find_samples(meta, t->elem, clock, err);
    for (uint32_t i = 0; t && rc == 0 && i < t->nmembers; i++) {
        const struct ctf_member *m = &t->members[i];
        bool sample = m->roles & (ROLE_CLOCK | ROLE_END);

        if (sample && m->type->clock.n == 0 && !*clock && meta->clocks.n == 1)
            *clock = meta->clocks.at[0];
        for (size_t k = 0; sample && k < meta->clocks.n; k++) {
            struct ctf_clock *c = meta->clocks.at[k];

            if (!str_eq(c->name, m->type->clock) || c == *clock)
                continue;
            if (*clock)
                return err_set(err, E_UNSUP,
                               "field '" STR_FMT "' samples clock '" STR_FMT
                               "', other fields of the stream clock '" STR_FMT
                               "': a stream can have one",
                               STR_ARG(m->raw), STR_ARG(c->name), STR_ARG((*clock)->name));
            *clock = c;
        }
        rc = find_samples(meta, m->type, clock, err);
    }
    return rc;
}

/* CTF 2 names the stream's clock; CTF 1 the clock of each field. */
static int find_clock(const struct ctf_meta *meta, struct ctf_stream_class *sc, struct err *err)
{
    int rc = 0;

    if (meta->major >= 2)
        return 0;
    if ((rc = find_samples(meta, sc->event_header, &sc->clock, err)) == 0)
        rc = find_samples(meta, sc->packet_context, &sc->clock, err);
    return rc < 0 ? err_in(err, "stream %llu", (unsigned long long)sc->id) : 0;
}

/* Does an event refer to a field of its header?  Saved values of the header are
 * only written by its program. */
static bool is_referred_to(const struct ctf_type *t)
{
    for (uint32_t i = 0; t && i < t->nmembers; i++)
        if (t->members[i].far || is_referred_to(t->members[i].type))
            return true;
    return false;
}

/* Bytes that a step skips, if they are whole and few enough for our sums. */
static bool skips_bytes(const struct ctf_op *op, uint32_t *ret)
{
    *ret = (uint32_t)(op->skip / 8);
    return op->skip % 8 == 0 && op->skip / 8 <= UINT32_MAX / 4;
}

/* { [SKIP] } is fixed, { STRING, [SKIP] } has one string, anything else needs its program. */
static void find_layout(struct ctf_event_class *ec)
{
    const struct ctf_prog *p = ec->prog;
    const struct ctf_op *op = p->ops;

    ec->layout = LAYOUT_PROGRAM;
    if (!ec->on_byte || p->nops > 2)
        return;
    if (p->fixed && (p->nops == 0 || skips_bytes(op, &ec->before)))
        ec->layout = LAYOUT_FIXED;
    if (p->nops == 0 || op[0].code != OP_STRING || op[0].seg != 1 || op[0].bits != 8)
        return;
    if (skips_bytes(&op[0], &ec->before) &&
        (p->nops == 1 || (op[1].code == OP_SKIP && skips_bytes(&op[1], &ec->after))))
        ec->layout = LAYOUT_STRING;
}

static struct ctf_shape shape_of(const struct ctf_stream_class *sc,
                                 const struct ctf_event_class *ec)
{
    if (ec->layout == LAYOUT_PROGRAM || sc->header_kind < HEADER_COMPACT)
        return (struct ctf_shape){ 0 };
    return (struct ctf_shape){ ctf_quick_headers[sc->header_kind].head + ec->before,
                               ec->layout == LAYOUT_STRING ? ec->after : SHAPE_FIXED };
}

static void index_events(struct ctf_meta *meta, struct ctf_stream_class *sc)
{
    for (size_t i = 0; i < sc->events.n; i++)
        if (sc->events.at[i]->id < 65536 && sc->events.at[i]->id >= sc->nby_id)
            sc->nby_id = sc->events.at[i]->id + 1;
    sc->by_id = arena_array(&meta->mem, struct ctf_event_class *, sc->nby_id);
    sc->shapes = arena_array(&meta->mem, struct ctf_shape, sc->nby_id);
    sc->index_of = arena_array(&meta->mem, uint32_t, sc->nby_id);
    for (size_t i = 0; i < sc->events.n; i++) {
        struct ctf_event_class *ec = sc->events.at[i];

        if (ec->id >= sc->nby_id)
            continue;
        sc->by_id[ec->id] = ec;
        sc->shapes[ec->id] = shape_of(sc, ec);
        sc->index_of[ec->id] = ec->index;
    }
}

/* Programs of all events; 'known' is the alignment after the event header.
 * Returns the alignment that the end of every event is known to have. */
static uint64_t compile_events(struct ctf_meta *meta, struct ctf_stream_class *sc, uint64_t known)
{
    uint64_t end = UINT64_MAX;

    for (size_t i = 0; i < sc->events.n; i++) {
        struct ctf_event_class *ec = sc->events.at[i];
        struct part parts[] = { { sc->event_context, SCOPE_COMMON },
                                { ec->context, SCOPE_CONTEXT },
                                { ec->payload, SCOPE_PAYLOAD } };

        ec->native = meta->order;
        ec->prog =
            gen_prog(meta, parts, ARRAY_SIZE(parts), known, false, &ec->fields, &ec->nfields);
        ec->on_byte = known >= 8;
        find_layout(ec);
        if (ec->prog->known_end < end)
            end = ec->prog->known_end;
    }
    return end;
}

static int compile_stream(struct ctf_meta *meta, struct ctf_stream_class *sc, struct err *err)
{
    struct part packet = { sc->packet_context, SCOPE_HEADER };
    struct part header = { sc->event_header, SCOPE_HEADER };
    struct ctf_field *ignored;
    uint32_t nignored;

    int rc = find_clock(meta, sc, err);
    if (rc < 0)
        return rc;
    sc->packet_prog = gen_prog(meta, &packet, 1, meta->packet_header_prog->known_end, false,
                               &sc->packet_fields, &sc->npacket_fields);
    sc->header_prog = gen_prog(meta, &header, 1, 1, true, &ignored, &nignored);
    sc->header_kind = (int)header_kind(meta, sc->event_header);
    sc->far_packet = is_referred_to(meta->packet_header) || is_referred_to(sc->packet_context);
    sc->far_header = is_referred_to(sc->event_header);
    if (sc->header_kind >= HEADER_COMPACT && sc->far_header)
        sc->header_kind = HEADER_PROGRAM;
    bool by_hand = sc->header_kind >= HEADER_COMPACT;
    uint64_t end = compile_events(meta, sc, by_hand ? 8 : 1);
    /* A header without an alignment of its own is on a byte only if all that
     * comes before it ends on one. */
    if (by_hand && sc->event_header->align < 8 && (end < 8 || sc->packet_prog->known_end < 8)) {
        sc->header_kind = HEADER_PROGRAM;
        compile_events(meta, sc, 1);
    }
    index_events(meta, sc);
    return 0;
}

int ctf_compile(struct ctf_meta *meta, struct err *err)
{
    struct part header = { meta->packet_header, SCOPE_HEADER };

    meta->packet_header_prog = gen_prog(meta, &header, 1, 1u << 30, false,
                                        &meta->packet_header_fields, &meta->npacket_header_fields);
    for (size_t i = 0; i < meta->streams.n; i++) {
        int rc = compile_stream(meta, meta->streams.at[i], err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
