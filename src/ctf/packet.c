/* SPDX-License-Identifier: Apache-2.0
 *
 * packet.c -- finding the packets of a stream file; see packet.h.
 *
 * A packet header is believed only where it agrees with the file and with
 * itself.  When it does not, the packet is skipped: by its own size if that
 * much can be trusted, else to the next place that looks like a header (magic
 * number and UUID). */
#define _GNU_SOURCE
#include "ctf/packet.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdlib.h>

#define CTF_MAGIC UINT32_C(0xC1FC1FC1)

void ctf_run_init(struct ctf_run *run, const struct ctf_meta *meta)
{
    *run = (struct ctf_run){ .seg = xcalloc(meta->nsegs + 1, sizeof *run->seg),
                             .slot = xcalloc(meta->nslots + 1, sizeof *run->slot) };
}

void ctf_run_free(struct ctf_run *run)
{
    free(run->seg);
    free(run->slot);
    *run = (struct ctf_run){ 0 };
}

static const struct ctf_field *field_named(const struct ctf_field *f, uint32_t n, const char *name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_is(f[i].path, name) && f[i].kind == FIELD_INT)
            return &f[i];
    return NULL;
}

static bool get(const struct ctf_run *run, const struct ctf_field *fields, uint32_t n,
                const char *name, uint64_t *ret)
{
    const struct ctf_field *f = field_named(fields, n, name);

    if (!f)
        return false;
    *ret = ctf_load_at(run->p, run->seg[f->seg] + f->off, f->load);
    return true;
}

/* The UUID of a packet header is an array of 16 bytes. */
static const uint8_t *header_uuid(const struct ctf_trace *t, const struct ctf_run *run)
{
    for (uint32_t i = 0; i < t->meta.npacket_header_fields; i++) {
        const struct ctf_field *f = &t->meta.packet_header_fields[i];

        if (str_is(f->path, "uuid") && f->type->kind == CTF_ARRAY && f->type->length == 16 &&
            f->type->elem->kind == CTF_INT && f->type->elem->size == 8)
            return run->p + ((run->seg[f->seg] + f->off) >> 3);
    }
    return NULL;
}

static const struct ctf_stream_class *find_class(const struct ctf_meta *m, bool has_id, uint64_t id)
{
    for (size_t i = 0; i < m->streams.n; i++)
        if (has_id ? m->streams.at[i]->id == id : m->streams.n == 1)
            return m->streams.at[i];
    return NULL;
}

/* magic, uuid, stream_id, stream_instance_id */
static int read_header(const struct ctf_trace *t, struct ctf_run *run, struct ctf_packet_head *head,
                       uint64_t *ret_pos, struct err *err)
{
    const struct ctf_meta *m = &t->meta;
    uint64_t magic, id = 0;
    uint64_t pos = ctf_run_prog(run, m->packet_header_prog, 0);

    if (pos == UINT64_MAX)
        return err_set(err, E_CORRUPT, "the file ends inside the packet header");
    if (get(run, m->packet_header_fields, m->npacket_header_fields, "magic", &magic) &&
        magic != CTF_MAGIC)
        return err_set(err, E_CORRUPT, "magic number 0x%08" PRIx64 " instead of 0xc1fc1fc1", magic);
    const uint8_t *uuid = header_uuid(t, run);
    if (uuid && m->has_uuid && memcmp(uuid, m->uuid, 16) != 0)
        return err_set(err, E_CORRUPT, "the packet's UUID is not that of the metadata");
    bool has_id =
        get(run, m->packet_header_fields, m->npacket_header_fields, "stream_id", &id);
    head->cls = find_class(m, has_id, id);
    if (!head->cls)
        return err_set(err, E_CORRUPT, "stream %" PRIu64 " is not declared in the metadata", id);
    head->has_instance = get(run, m->packet_header_fields, m->npacket_header_fields,
                             "stream_instance_id", &head->instance);
    *ret_pos = pos;
    return 0;
}

static int check_sizes(struct ctf_packet *p, uint64_t file_bits, uint64_t at, bool has_size,
                       bool has_content, struct err *err)
{
    if (!has_size)
        p->packet_bits = has_content ? (p->content_bits + 7) & ~UINT64_C(7) : file_bits;
    if (!has_content)
        p->content_bits = p->packet_bits;
    if (p->packet_bits == 0 || p->packet_bits % 8)
        return err_set(err, E_CORRUPT, "packet size of %" PRIu64 " bits", p->packet_bits);
    if (p->content_bits > p->packet_bits)
        return err_set(err, E_CORRUPT, "content of %" PRIu64 " bits > packet of %" PRIu64 " bits",
                       p->content_bits, p->packet_bits);
    if (p->content_bits < at)
        return err_set(err, E_CORRUPT,
                       "content of %" PRIu64 " bits is less than its header of %" PRIu64,
                       p->content_bits, at);
    return 0;
}

int ctf_packet_read(const struct ctf_trace *t, const struct ctf_file *file, struct ctf_run *run,
                    uint64_t offset, struct ctf_packet *ret, struct ctf_packet_head *head,
                    uint64_t *ret_skip, struct err *err)
{
    struct ctf_packet p = { .offset = offset };
    uint64_t pos = 0, cpu = 0;
    int rc;

    *ret_skip = 0;
    run->p = file->map.p + offset;
    run->end = (uint64_t)(file->map.n - offset) * 8;
    if ((rc = read_header(t, run, head, &pos, err)) < 0)
        return rc;
    const struct ctf_field *f = head->cls->packet_fields;
    uint32_t n = head->cls->npacket_fields;
    pos = ctf_run_prog(run, head->cls->packet_prog, pos);
    if (pos == UINT64_MAX)
        return err_set(err, E_CORRUPT, "packet context: %s", run->why);
    bool has_size = get(run, f, n, "packet_size", &p.packet_bits);
    bool has_content = get(run, f, n, "content_size", &p.content_bits);
    uint64_t file_bits = run->end;
    if ((rc = check_sizes(&p, file_bits, pos, has_size, has_content, err)) < 0)
        return rc;
    p.has_ts_begin = get(run, f, n, "timestamp_begin", &p.ts_begin);
    p.has_ts_end = get(run, f, n, "timestamp_end", &p.ts_end);
    p.has_discarded = get(run, f, n, "events_discarded", &p.discarded);
    p.has_seq = get(run, f, n, "packet_seq_num", &p.seq);
    p.has_cpu = get(run, f, n, "cpu_id", &cpu) && cpu < UINT32_MAX;
    p.cpu = p.has_cpu ? (uint32_t)cpu : UINT32_MAX;
    head->events_at = pos;
    *ret_skip = p.packet_bits / 8;
    *ret = p;
    return 0;
}

static struct ctf_stream *stream_for(struct ctf_trace *t, const struct ctf_packet_head *head,
                                     size_t first)
{
    for (size_t i = head->has_instance ? 0 : first; i < t->streams.n; i++) {
        struct ctf_stream *s = t->streams.at[i];

        if (s->cls == head->cls && s->has_instance == head->has_instance &&
            s->instance == head->instance)
            return s;
    }
    struct ctf_stream *s = arena_new(&t->mem, struct ctf_stream);
    s->cls = head->cls;
    s->instance = head->instance;
    s->has_instance = head->has_instance;
    *vec_push(&t->streams) = s;
    return s;
}

/* Bytes from 'from' to the next place that looks like a packet header, or to
 * the end of the file. */
static uint64_t resync(const struct ctf_trace *t, const struct ctf_file *f, uint64_t from)
{
    uint32_t magic = t->meta.order == CTF_BE ? __builtin_bswap32(CTF_MAGIC) : CTF_MAGIC;
    const struct ctf_field *m = field_named(t->meta.packet_header_fields,
                                            t->meta.npacket_header_fields, "magic");

    if (!m || m->off % 8 || from + 1 >= f->map.n)
        return f->map.n - from;
    const uint8_t *p =
        memmem(f->map.p + from + 1, f->map.n - from - 1, &magic, sizeof magic);
    uint64_t back = m->off / 8;
    if (!p || (uint64_t)(p - f->map.p) < from + 1 + back)
        return f->map.n - from;
    return (uint64_t)(p - f->map.p) - back - from;
}

/* Shortens a packet that the file cuts off. */
static bool cut_off(struct ctf_trace *t, const struct ctf_file *f, struct ctf_packet *p,
                    struct notes *notes)
{
    uint64_t left = (uint64_t)(f->map.n - p->offset) * 8;

    if (p->packet_bits <= left)
        return false;
    if (p->content_bits > left) {
        note_add(notes, NOTE_LOST, f->path,
                 "packet %u (byte %" PRIu64 "): the file ends %" PRIu64
                 " bytes before the packet does: it was truncated; the events before are read",
                 p->number, p->offset, (p->packet_bits - left + 7) / 8);
        p->content_bits = left;
        t->bad_packets++;
    } else {
        note_add(notes, NOTE_INFO, f->path,
                 "packet %u (byte %" PRIu64 "): the file ends inside its padding", p->number,
                 p->offset);
    }
    p->packet_bits = left;
    return true;
}

void ctf_packet_scan(struct ctf_trace *t, uint32_t index, struct notes *notes)
{
    struct ctf_file *f = &t->files.at[index];
    size_t first = t->streams.n;
    uint64_t offset = 0, skip;
    uint32_t number = 0;
    struct ctf_run run;
    struct err err;

    ctf_run_init(&run, &t->meta);
    while (offset < f->map.n) {
        struct ctf_packet_head head = { 0 };
        struct ctf_packet p;

        if (ctf_packet_read(t, f, &run, offset, &p, &head, &skip, &err) < 0) {
            if (skip == 0)
                skip = resync(t, f, offset);
            note_add(notes, NOTE_LOST, f->path,
                     "packet %u (byte %" PRIu64 "): %s; skipped %" PRIu64 " bytes", number, offset,
                     err.text, skip < f->map.n - offset ? skip : f->map.n - offset);
            t->bad_packets++;
        } else {
            p.file = index;
            p.number = number;
            cut_off(t, f, &p, notes);
            *vec_push(&stream_for(t, &head, first)->packets) = p;
            t->packets++;
        }
        number++;
        if (skip >= f->map.n - offset)
            break;
        offset += skip;
    }
    ctf_run_free(&run);
}

static int by_begin(const void *a, const void *b)
{
    const struct ctf_packet *x = a, *y = b;

    if (x->has_ts_begin && y->has_ts_begin && x->ts_begin != y->ts_begin)
        return x->ts_begin < y->ts_begin ? -1 : 1;
    if (x->has_seq && y->has_seq && x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The counter of discarded events can go back in overwrite mode, so its largest
 * value counts; a gap in the sequence numbers is as many lost packets. */
static void count_losses(struct ctf_trace *t, struct ctf_stream *s, struct notes *notes)
{
    const char *where = t->files.at[s->packets.at[0].file].path;
    uint64_t most = 0, next = 0;

    for (size_t i = 0; i < s->packets.n; i++) {
        const struct ctf_packet *p = &s->packets.at[i], *q = i ? p - 1 : NULL;

        if (p->has_discarded && p->discarded > most)
            most = p->discarded;
        if (p->has_seq) {
            if (q && p->seq > next)
                s->lost += p->seq - next;
            next = p->seq + 1;
        }
        if (q && q->has_ts_end && p->has_ts_begin && q->ts_end > p->ts_begin)
            note_add(notes, NOTE_INFO, where,
                     "packets overlap in time: one ends after the next begins (old tracers do so)");
    }
    s->discarded = most;
    t->discarded += most;
    t->lost += s->lost;
    if (most)
        note_add(notes, NOTE_WARN, where,
                 "the tracer discarded %" PRIu64
                 " events of this stream: use larger or more sub-buffers, or fewer events",
                 most);
    if (s->lost)
        note_add(notes, NOTE_WARN, where, "%" PRIu64 " packets of this stream were overwritten",
                 s->lost);
}

void ctf_packet_finish(struct ctf_trace *t, struct notes *notes)
{
    for (size_t i = 0; i < t->streams.n; i++) {
        struct ctf_stream *s = t->streams.at[i];

        qsort(s->packets.at, s->packets.n, sizeof *s->packets.at, by_begin);
        count_losses(t, s, notes);
    }
}
