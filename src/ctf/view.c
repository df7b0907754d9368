/* SPDX-License-Identifier: Apache-2.0
 *
 * view.c -- see view.h. */
#include "ctf/view.h"

#include "ctf/packet.h"

void ctf_view_init(struct ctf_view *v, const struct ctf_trace *t)
{
    *v = (struct ctf_view){ .trace = t, .stream = UINT32_MAX, .packet = UINT32_MAX };
    ctf_run_init(&v->run, &t->meta);
    v->ev = (struct ctf_event){ .seg = v->run.seg, .slot = v->run.slot };
}

void ctf_view_free(struct ctf_view *v)
{
    ctf_run_free(&v->run);
}

/* Points 'v->run' at the packet of the record; its header is read again if events
 * refer to it. */
static void enter_packet(struct ctf_view *v, const struct ctf_rec *r)
{
    struct ctf_stream *s = v->trace->streams.at[r->stream];
    const struct ctf_packet *p = &s->packets.at[r->packet];
    const struct ctf_file *f = &v->trace->files.at[p->file];
    struct ctf_packet_head head;
    struct ctf_packet again;
    uint64_t skip;
    struct err err;

    v->stream = r->stream;
    v->packet = r->packet;
    if (s->cls->far_packet)
        (void)ctf_packet_read(v->trace, f, &v->run, p->offset, &again, &head, &skip, &err);
    v->run.p = f->map.p + p->offset;
    v->run.end = p->content_bits;
    v->ev.p = v->run.p;
    v->ev.stream = s;
    v->ev.cpu = p->cpu;
}

/* Segments and end of an event that its program must find.  It was stepped over
 * before, so this fails only if somebody writes to the file. */
static bool run_program(struct ctf_view *v, const struct ctf_rec *r)
{
    const struct ctf_event_class *cls = v->ev.cls;
    uint64_t pos = (uint64_t)(r->at - v->run.p) * 8 + r->more;

    if (cls->stream->far_header)
        pos = ctf_run_prog(&v->run, cls->stream->header_prog, pos);
    if (pos == UINT64_MAX)
        return false;
    v->ev.body = pos;
    v->ev.end = ctf_run_prog(&v->run, cls->prog, pos);
    return v->ev.end != UINT64_MAX;
}

const struct ctf_event *ctf_view_event(struct ctf_view *v, const struct ctf_rec *r)
{
    if (v->at == r->at && v->more == r->more)
        return &v->ev;
    if (v->stream != r->stream || v->packet != r->packet)
        enter_packet(v, r);
    v->at = r->at;
    v->more = r->more;
    v->ev.t = r->t;
    v->ev.cls = v->trace->meta.events.at[r->cls];
    uint64_t at = (uint64_t)(r->at - v->run.p) * 8;
    switch (v->ev.cls->layout) {
    case LAYOUT_FIXED:
        v->run.seg[0] = v->ev.body = at;
        v->ev.end = at + (uint64_t)v->ev.cls->before * 8;
        break;
    case LAYOUT_STRING:
        v->run.seg[0] = v->ev.body = at;
        v->run.seg[1] = at + (uint64_t)r->more * 8;
        v->ev.end = v->run.seg[1] + (uint64_t)v->ev.cls->after * 8;
        break;
    case LAYOUT_PROGRAM:
        if (!run_program(v, r)) {
            v->at = NULL;
            return NULL;
        }
        break;
    }
    return &v->ev;
}

struct ctf_bound ctf_bind(const struct ctf_event_class *cls, const struct ctf_field *f)
{
    struct ctf_bound b = { .field = f, .how = f ? BOUND_EVENT : BOUND_NONE };
    bool program = cls->layout == LAYOUT_PROGRAM;

    /* Up to its first variable part, an event that begins on a byte is like a fixed one. */
    if (!f || !cls->on_byte || f->only_if || (program && f->seg > 0) || f->off % 8 ||
        f->off / 8 > UINT32_MAX / 2)
        return b;
    b.i = (struct ctf_int){ .mask = UINT64_MAX >> f->load.shift,
                            .off = (uint32_t)(f->off / 8),
                            .behind = f->seg > 0 ? UINT32_MAX : 0 };
    if (f->load.is_signed)
        b.i.sign = (b.i.mask >> 1) + 1;
    if (f->kind == FIELD_INT && f->load.kind == LOAD_LE)
        b.how = BOUND_INT;
    else if (f->kind == FIELD_STRING && f->seg == 0)
        b.how = program ? BOUND_FIRST : BOUND_STRING;
    if (f->kind == FIELD_TEXT && f->seg == 0 && f->type->kind == CTF_ARRAY &&
        f->type->length <= UINT32_MAX) {
        b.how = BOUND_TEXT;
        b.length = (uint32_t)f->type->length;
    }
    return b;
}
