/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_elements.c -- prints every element of a trace of one stream file, with its
 * bit offset, in the form of the .expect files of yactfr's tests.
 *
 * usage: ctf_elements FOLDER
 *
 * What is printed comes from the code that users run: packet headers from
 * ctf_packet_read(), events from a cursor, values from the walker.  Along the
 * way each bindable field (the compiled programs' segments and offsets) must be
 * where the walker found it, with the same value, and the clock must be where
 * the samples bring it; else a line that starts with "!" says so.
 *
 * tests/oracle/ctf_conformance.py compiles this with CTF_ELEMENTS and links
 * libneph_core; compiled alone it does nothing. */
#ifndef CTF_ELEMENTS
int main(void)
{
    return 2;
}
#else

#include "ctf/packet.h"
#include "ctf/walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

struct seen {
    const struct ctf_type *type;
    uint64_t pos, raw;
};

struct dump {
    struct ctf_walk w;
    uint64_t base; /* bits before the packet in the file */
    int depth;
    int nameless; /* depth at which the next element is a variant's option, or -1 */
    bool in_scope;
    uint64_t clock;
    const uint8_t *uuid;
    VEC(struct seen) seen;
};

static void line(const struct dump *d, uint64_t pos)
{
    printf("%6" PRIu64 " %*s", d->base + pos, 2 * d->depth, "");
}

/* ":name", unless the element has none */
static void put_name(struct dump *d, const struct ctf_member *m)
{
    if (d->nameless != d->depth && m->raw.n)
        printf(":" STR_FMT, STR_ARG(m->name));
    d->nameless = -1;
}

static void put_bytes(struct dump *d, const struct ctf_member *m, uint64_t from, uint64_t pos)
{
    const uint8_t *p = d->w.p + from / 8;
    uint64_t n = (pos - from) / 8;

    if (n == 0)
        return;
    line(d, from);
    printf("RD:%" PRIu64 ":", n);
    for (uint64_t i = 0; i < n; i++)
        if (m->type->is_blob)
            printf("%02x", p[i]);
        else if (p[i] < 32 || p[i] > 126)
            printf("$%02x", p[i]);
        else
            putchar(p[i]);
    putchar('\n');
}

static bool is_bytes(const struct ctf_type *t)
{
    return t->kind == CTF_STRING ||
           ((t->kind == CTF_ARRAY || t->kind == CTF_SEQ) && (ctf_is_text(t) || t->is_blob));
}

static const char *kind_name(const struct ctf_type *t)
{
    if (t->kind == CTF_STRING)
        return "NTS";
    if (t->kind == CTF_STRUCT)
        return "ST";
    if (t->is_blob)
        return t->kind == CTF_ARRAY ? "SLB" : "DLB";
    if (ctf_is_text(t))
        return t->kind == CTF_ARRAY ? "SLS" : "DLS";
    return t->kind == CTF_ARRAY ? "SLA" : "DLA";
}

static void open_variant(struct dump *d, const struct ctf_member *m, uint64_t tag)
{
    const struct ctf_type *t = m->type;
    bool on = ctf_enum_find(t->tag, tag) >= 0, sign = t->tag->is_signed, yes = t->tag->is_bool;

    printf("%s", t->is_optional ? yes ? "OB" : sign ? "OS" : "OU" : sign ? "VS" : "VU");
    put_name(d, m);
    if (t->is_optional)
        printf(":%s", on ? "enabled" : "disabled");
    if (!yes && sign)
        printf(":%" PRId64, (int64_t)tag);
    else if (!yes)
        printf(":%" PRIu64, tag);
    printf(" {\n");
    d->depth++;
    d->nameless = d->depth;
}

/* The elements of a blob are not printed one by one. */
static int quiet;

static void tap_open(void *ctx, const struct ctf_member *m, uint64_t pos, uint64_t tag)
{
    struct dump *d = ctx;

    *vec_push(&d->seen) = (struct seen){ m->type, pos, 0 };
    line(d, pos);
    if (m->type->kind == CTF_VARIANT) {
        open_variant(d, m, tag);
        return;
    }
    printf("%s", kind_name(m->type));
    put_name(d, m);
    if (m->type->is_blob)
        printf(":" STR_FMT, STR_ARG(m->type->media));
    printf(" {\n");
    d->depth++;
    quiet += m->type->is_blob;
}

static void tap_close(void *ctx, const struct ctf_member *m, uint64_t from, uint64_t pos)
{
    struct dump *d = ctx;

    quiet -= m->type->is_blob;
    if (is_bytes(m->type))
        put_bytes(d, m, from, pos);
    if (m->roles & ROLE_UUID && d->uuid) {
        const uint8_t *u = d->uuid;

        line(d, pos);
        printf("MSU:");
        for (int i = 0; i < 16; i++)
            printf("%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
        putchar('\n');
    }
    d->depth--;
    line(d, pos);
    printf("}\n");
    d->nameless = -1;
}

static void put_flags(const struct ctf_type *t, uint64_t raw)
{
    const char *sep = ":";
    struct str last = { 0 };

    for (uint32_t i = 0; i < t->nmaps; i++)
        for (int64_t bit = t->maps[i].lo; bit <= t->maps[i].hi; bit++)
            if (raw >> bit & 1 && !(last.p && str_eq(last, t->maps[i].label))) {
                last = t->maps[i].label;
                printf("%s" STR_FMT, sep, STR_ARG(last));
                sep = ",";
            }
}

static void put_scalar(struct dump *d, const struct ctf_member *m, uint64_t raw)
{
    const struct ctf_type *t = m->type;
    bool bits = t->is_bits;

    printf("%s", t->kind == CTF_FLOAT ? "FLFPN"
                 : t->is_bool         ? "FLB"
                 : t->is_bitmap       ? "FLBM"
                 : bits               ? "FLBA"
                 : t->is_leb          ? t->is_signed ? "VLSI" : "VLUI"
                 : t->is_signed       ? "FLSI"
                                      : "FLUI");
    put_name(d, m);
    if (t->kind == CTF_FLOAT)
        printf(":%g", ctf_raw_f64(t, raw));
    else if (t->is_bool)
        printf(":%s", raw ? "true" : "false");
    else if (t->is_signed)
        printf(":%" PRId64, (int64_t)raw);
    else
        printf(":%" PRIu64, raw);
    if (t->is_bitmap)
        put_flags(t, raw);
    putchar('\n');
}

static void tap_scalar(void *ctx, const struct ctf_member *m, uint64_t pos, uint64_t raw)
{
    struct dump *d = ctx;
    unsigned bytes = 0;

    *vec_push(&d->seen) = (struct seen){ m->type, pos, raw };
    if (quiet)
        return;
    line(d, pos);
    put_scalar(d, m, raw);
    if (m->type->is_leb)
        ctf_leb(d->w.p + pos / 8, false, &bytes);
    if (m->roles & ROLE_MAGIC) {
        line(d, pos + m->type->size);
        printf("PMN:%" PRIu64 "\n", raw);
    }
    if (m->roles & ROLE_CLOCK) {
        d->clock = ctf_clock_step(d->clock, raw, bytes ? 7 * bytes : m->type->size);
        line(d, pos + (bytes ? 8 * bytes : m->type->size));
        printf("DCV:%" PRIu64 "\n", d->clock);
    }
}

/* "SC:n { ... }" */
static void put_scope(struct dump *d, enum ctf_place place, struct ctf_type *t)
{
    struct ctf_member root = { .raw = STR(""), .type = t, .slot = -1 };

    if (!t)
        return;
    d->w.pos = (d->w.pos + t->align - 1) & ~((uint64_t)t->align - 1);
    line(d, d->w.pos);
    printf("SC:%d {\n", (int)place);
    d->depth++;
    ctf_walk_value(&d->w, STR(""), &root);
    d->depth--;
    line(d, d->w.pos);
    printf("}\n");
}

static void check_fields(const struct dump *d, const struct ctf_event *ev, uint64_t cycles)
{
    for (uint32_t i = 0; i < ev->cls->nfields; i++) {
        const struct ctf_field *f = &ev->cls->fields[i];
        bool found = !ctf_has(ev, f);

        for (size_t k = 0; k < d->seen.n && !found; k++) {
            const struct seen *s = &d->seen.at[k];

            found =
                s->type == f->type && s->pos == ev->seg[f->seg] + f->off &&
                ((f->kind != FIELD_INT && f->kind != FIELD_FLOAT) || ctf_get_u64(ev, f) == s->raw);
        }
        if (!found)
            printf("! field " STR_FMT " is not where the walker found it\n", STR_ARG(f->path));
    }
    if (d->clock != cycles && ev->stream->cls->clock)
        printf("! clock: %" PRIu64 " instead of %" PRIu64 "\n", cycles, d->clock);
}

/* The event that starts at bit 'start'. */
static void put_event(struct dump *d, const struct ctf_event *ev, uint64_t start, uint64_t cycles)
{
    struct ctf_type *scopes[] = { [PLACE_EVENT_HEADER] = ev->stream->cls->event_header,
                                  [PLACE_STREAM_EVENT_CONTEXT] = ev->stream->cls->event_context,
                                  [PLACE_EVENT_CONTEXT] = ev->cls->context,
                                  [PLACE_PAYLOAD] = ev->cls->payload };
    uint64_t align = 1;

    for (int p = PLACE_PAYLOAD; p >= PLACE_EVENT_HEADER; p--)
        align = scopes[p] ? scopes[p]->align : align; /* of the first scope */
    d->w.pos = (start + align - 1) & ~(align - 1);
    d->seen.n = 0;
    line(d, d->w.pos);
    printf("ER {\n");
    d->depth++;
    put_scope(d, PLACE_EVENT_HEADER, scopes[PLACE_EVENT_HEADER]);
    if (scopes[PLACE_EVENT_HEADER] && d->w.pos != ev->body)
        printf("! the header ends at bit %" PRIu64 " instead of %" PRIu64 "\n", ev->body, d->w.pos);
    line(d, d->w.pos);
    printf("ERI:T%" PRIu64 ":#" STR_FMT "\n", ev->cls->id, STR_ARG(ev->cls->name));
    for (int p = PLACE_STREAM_EVENT_CONTEXT; p <= PLACE_PAYLOAD; p++)
        put_scope(d, (enum ctf_place)p, scopes[p]);
    if (d->w.pos != ev->end)
        printf("! the event ends at bit %" PRIu64 " instead of %" PRIu64 "\n", ev->end, d->w.pos);
    d->depth--;
    line(d, d->w.pos);
    printf("}\n");
    check_fields(d, ev, cycles);
}

static void put_info(struct dump *d, const struct ctf_packet *p, const struct ctf_packet_head *head)
{
    const struct ctf_stream_class *sc = head->cls;
    uint32_t has = 0;

    for (uint32_t i = 0; i < sc->npacket_fields; i++)
        if (sc->packet_fields[i].kind == FIELD_INT)
            has |= sc->packet_fields[i].roles;
    line(d, d->w.pos);
    printf("PI");
    if (has & ROLE_PACKET_SIZE)
        printf(":T%" PRIu64, p->packet_bits);
    if (has & (ROLE_PACKET_SIZE | ROLE_CONTENT_SIZE))
        printf(":C%" PRIu64, p->content_bits);
    if (p->has_ts_end)
        printf(":E%" PRIu64, p->ts_end);
    if (p->has_seq)
        printf(":S%" PRIu64, p->seq);
    if (p->has_discarded)
        printf(":D%" PRIu64, p->discarded);
    putchar('\n');
}

/* Events of packet number 'packet' of the stream.  False when it is bad. */
static bool put_events(struct dump *d, struct ctf_trace *t, uint32_t stream, size_t packet,
                       uint64_t start)
{
    struct notes notes = { 0 };
    struct ctf_cursor c;

    ctf_cursor_init(&c, t, stream, &notes);
    ctf_cursor_range(&c, packet, packet + 1);
    while (ctf_cursor_next(&c)) {
        d->w.slot = c.run.slot;
        d->w.end = c.ev.end;
        d->w.native = t->meta.order;
        put_event(d, &c.ev, start, c.clock);
        start = c.ev.end;
    }
    bool ok = c.counts.bad_packets == 0;
    for (size_t i = 0; i < notes.list.n; i++)
        printf("REFUSED " STR_FMT "\n", STR_ARG(notes.list.at[i].text));
    ctf_cursor_free(&c);
    notes_free(&notes);
    return ok;
}

/* The packet at this place of the file, or NULL; '*ret_stream' and '*ret_packet' are
 * its numbers. */
static const struct ctf_packet *packet_at(const struct ctf_trace *t, uint64_t offset,
                                          uint32_t *ret_stream, size_t *ret_packet)
{
    for (size_t i = 0; i < t->streams.n; i++)
        for (size_t k = 0; k < t->streams.at[i]->packets.n; k++)
            if (t->streams.at[i]->packets.at[k].offset == offset) {
                *ret_stream = (uint32_t)i;
                *ret_packet = k;
                return &t->streams.at[i]->packets.at[k];
            }
    return NULL;
}

/* Returns the bytes to the next packet, or 0 after a bad one. */
static uint64_t put_packet(struct ctf_trace *t, uint64_t offset, const struct ctf_tap *tap)
{
    struct dump d = { .base = offset * 8, .nameless = -1, .w.tap = tap };
    struct ctf_packet again;
    struct ctf_packet_head head = { 0 };
    struct ctf_tap mine = *tap;
    struct ctf_run run;
    struct err err;
    uint64_t skip = 0;
    uint32_t stream = 0;
    size_t packet = 0;

    ctf_run_init(&run, &t->meta);
    mine.ctx = &d;
    d.w.tap = &mine;
    const struct ctf_packet *p = packet_at(t, offset, &stream, &packet);
    if (ctf_packet_read(t, &t->files.at[0], &run, offset, &again, &head, &skip, &err) < 0 || !p) {
        printf("REFUSED %s\n", err.text);
        ctf_run_free(&run);
        return 0;
    }
    d.w.p = run.p;
    d.w.end = p->content_bits;
    d.w.slot = run.slot;
    d.w.native = t->meta.order;
    d.uuid = head.uuid;
    line(&d, 0);
    printf("P {\n");
    d.depth = 1;
    line(&d, 0);
    printf("PC {\n");
    d.depth = 2;
    put_scope(&d, PLACE_PACKET_HEADER, t->meta.packet_header);
    line(&d, d.w.pos);
    printf("DSI");
    if (!head.cls->is_implied)
        printf(":T%" PRIu64, head.cls->id);
    if (head.has_instance)
        printf(":I%" PRIu64, head.instance);
    putchar('\n');
    put_scope(&d, PLACE_PACKET_CONTEXT, head.cls->packet_context);
    if (!head.cls->is_implied)
        put_info(&d, p, &head);
    if (p->has_ts_begin) /* with the turns of a short counter since the packet before */
        d.clock = p->ts_begin;
    bool ok = put_events(&d, t, stream, packet, d.w.pos);
    d.depth = 1;
    if (ok) {
        line(&d, d.w.pos);
        printf("}\n");
        d.depth = 0;
        line(&d, p->packet_bits);
        printf("}\n");
    }
    ctf_run_free(&run);
    ctf_walk_end(&d.w);
    vec_free(&d.seen);
    return ok ? skip : 0;
}

int main(int argc, char **argv)
{
    struct ctf_tap tap = { .open = tap_open, .close = tap_close, .scalar = tap_scalar };
    struct notes notes = { 0 };
    struct ctf_trace *t;
    struct err err;

    if (argc != 2)
        return 2;
    if (ctf_trace_open(argv[1], &t, &notes, &err) < 0) {
        printf("REFUSED %s\n", err.text);
        return 1;
    }
    uint64_t offset = 0, n = t->files.n ? t->files.at[0].map.n : 0, skip = 1;
    while (offset < n && (skip = put_packet(t, offset, &tap)) > 0)
        offset += skip;
    ctf_trace_close(t);
    notes_free(&notes);
    return skip == 0;
}
#endif
