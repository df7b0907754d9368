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
#include "ctf/index.h"

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

/* Is the field there, as the tags of the variants around it were just read? */
static bool is_there(const struct ctf_run *run, const struct ctf_field *f)
{
    for (const struct ctf_choice *c = f->only_if; c; c = c->outer) {
        int map = ctf_enum_find(c->variant->tag, run->slot[c->slot]);

        if (map < 0 || c->variant->option_of[map] != (int32_t)c->option)
            return false;
    }
    return true;
}

/* The fields of one program that has just run. */
struct scope {
    const struct ctf_run *run;
    const struct ctf_field *fields;
    uint32_t n;
};

/* The next integer with this role from position '*i' on; '*i' moves past it. */
static bool next_with(const struct scope *s, uint32_t role, uint32_t *i, uint64_t *ret,
                      unsigned *ret_bits)
{
    for (; *i < s->n; (*i)++) {
        const struct ctf_field *f = &s->fields[*i];

        if (!(f->roles & role) || f->kind != FIELD_INT || !is_there(s->run, f))
            continue;
        uint64_t pos = s->run->seg[f->seg] + f->off;
        unsigned bytes = 0;

        *ret = ctf_load_at(s->run->p, pos, f->load);
        if (f->load.kind == LOAD_LEB)
            ctf_leb(s->run->p + (pos >> 3), false, &bytes);
        *ret_bits = bytes ? 7 * bytes : f->load.bits;
        (*i)++;
        return true;
    }
    return false;
}

/* The last field with this role counts. */
static bool get(const struct scope *s, uint32_t role, uint64_t *ret)
{
    unsigned bits;
    bool some = false;

    for (uint32_t i = 0; next_with(s, role, &i, ret, &bits);)
        some = true;
    return some;
}

/* The UUID of a packet header is an array of 16 bytes. */
static const uint8_t *header_uuid(const struct scope *s)
{
    for (uint32_t i = 0; i < s->n; i++) {
        const struct ctf_field *f = &s->fields[i];

        if ((f->roles & ROLE_UUID) && f->type->kind == CTF_ARRAY && f->type->length == 16 &&
            f->type->elem->kind == CTF_INT && f->type->elem->size == 8 && is_there(s->run, f))
            return s->run->p + ((s->run->seg[f->seg] + f->off) >> 3);
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

/* A file whose packets carry another UUID than the metadata is read, with a
 * note; a packet that agrees with neither is not of this stream. */
static bool is_foreign(const struct ctf_trace *t, const struct ctf_file *file, const uint8_t *uuid)
{
    return t->meta.has_uuid && file->uuid && memcmp(uuid, t->meta.uuid, 16) != 0 &&
           memcmp(uuid, file->uuid, 16) != 0;
}

/* magic, uuid, stream_id, stream_instance_id */
static int read_header(const struct ctf_trace *t, const struct ctf_file *file, struct ctf_run *run,
                       struct ctf_packet_head *head, uint64_t *ret_pos, struct err *err)
{
    const struct ctf_meta *m = &t->meta;
    const struct scope s = { run, m->packet_header_fields, m->npacket_header_fields };
    uint64_t magic, id = 0;
    uint64_t pos = ctf_run_prog(run, m->packet_header_prog, 0);

    if (pos == UINT64_MAX)
        return err_set(err, E_CORRUPT, "packet header: %s", run->why);
    if (get(&s, ROLE_MAGIC, &magic) && magic != CTF_MAGIC)
        return err_set(err, E_CORRUPT, "magic number 0x%08" PRIx64 " instead of 0xc1fc1fc1", magic);
    head->uuid = header_uuid(&s);
    if (head->uuid && is_foreign(t, file, head->uuid))
        return err_set(err, E_CORRUPT, "the packet's UUID is not that of the metadata");
    bool has_id = get(&s, ROLE_CLASS_ID, &id);
    head->cls = find_class(m, has_id, id);
    if (!head->cls)
        return err_set(err, E_CORRUPT, "stream %" PRIu64 " is not declared in the metadata", id);
    head->has_instance = get(&s, ROLE_STREAM_ID, &head->instance);
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
        return err_set(err, E_CORRUPT, "packet size of %" PRIu64 " bits%s", p->packet_bits,
                       p->packet_bits ? ": packets are whole bytes" : "");
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
    if ((rc = read_header(t, file, run, head, &pos, err)) < 0)
        return rc;
    const struct scope s = { run, head->cls->packet_fields, head->cls->npacket_fields };
    pos = ctf_run_prog(run, head->cls->packet_prog, pos);
    if (pos == UINT64_MAX)
        return err_set(err, E_CORRUPT, "packet context: %s", run->why);
    bool has_size = get(&s, ROLE_PACKET_SIZE, &p.packet_bits);
    bool has_content = get(&s, ROLE_CONTENT_SIZE, &p.content_bits);
    uint64_t file_bits = run->end, sample;
    if ((rc = check_sizes(&p, file_bits, pos, has_size, has_content, err)) < 0)
        return rc;
    for (uint32_t i = 0; next_with(&s, ROLE_CLOCK, &i, &sample, &head->begin_bits);) {
        p.ts_begin = ctf_clock_step(p.ts_begin, sample, head->begin_bits);
        p.has_ts_begin = true;
    }
    for (uint32_t i = 0; next_with(&s, ROLE_END, &i, &p.ts_end, &head->end_bits);)
        p.has_ts_end = true;
    p.has_discarded = get(&s, ROLE_DISCARDED, &p.discarded);
    p.has_seq = get(&s, ROLE_SEQ, &p.seq);
    p.has_cpu = get(&s, ROLE_CPU, &cpu) && cpu < UINT32_MAX;
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
    const struct ctf_field *m = NULL;

    for (uint32_t i = 0; i < t->meta.npacket_header_fields && !m; i++)
        if (t->meta.packet_header_fields[i].roles & ROLE_MAGIC)
            m = &t->meta.packet_header_fields[i];
    if (!m || m->seg || m->off % 8 || m->type->size != 32 || from + 1 >= f->map.n)
        return f->map.n - from;
    enum ctf_order order = m->type->order == CTF_NATIVE ? t->meta.order : m->type->order;
    uint32_t magic = order == CTF_BE ? __builtin_bswap32(CTF_MAGIC) : CTF_MAGIC;
    uint64_t back = m->off / 8;
    if (f->map.n - from - 1 <= back)
        return f->map.n - from;
    const uint8_t *p =
        memmem(f->map.p + from + 1 + back, f->map.n - from - 1 - back, &magic, sizeof magic);
    return p ? (uint64_t)(p - f->map.p) - back - from : f->map.n - from;
}

/* Some tracers and file systems leave zeros between packets. */
static bool all_zero(const uint8_t *p, uint64_t n)
{
    return n > 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
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
        p->cut = true;
        t->bad_packets++;
    } else {
        note_add(notes, NOTE_WARN, f->path,
                 "packet %u (byte %" PRIu64 "): the file ends %" PRIu64
                 " bytes before the packet does; only padding is missing",
                 p->number, p->offset, (p->packet_bits - left + 7) / 8);
    }
    p->packet_bits = left;
    return true;
}

/* Timestamps of under 64 bits: the counter ran over between two packets if it
 * went back. */
static void unwrap(struct ctf_packet *p, const struct ctf_packet_head *head,
                   const struct ctf_stream *s)
{
    const struct ctf_packet *before = s->packets.n ? &s->packets.at[s->packets.n - 1] : NULL;

    if (p->has_ts_begin && head->begin_bits < 64 && before && before->has_ts_begin)
        p->ts_begin = ctf_clock_step(before->ts_begin, p->ts_begin, head->begin_bits);
    if (p->has_ts_end && head->end_bits < 64 && p->has_ts_begin)
        p->ts_end = ctf_clock_step(p->ts_begin, p->ts_end, head->end_bits);
}

static void add_packet(struct ctf_trace *t, struct ctf_file *f, struct ctf_packet *p,
                       const struct ctf_packet_head *head, size_t first, struct notes *notes)
{
    struct ctf_stream *s = stream_for(t, head, first);

    if (head->uuid && !f->uuid) {
        f->uuid = head->uuid;
        if (t->meta.has_uuid && memcmp(head->uuid, t->meta.uuid, 16) != 0)
            note_add(notes, NOTE_WARN, f->path,
                     "its packets carry another UUID than the metadata: is it of another trace?");
    }
    cut_off(t, f, p, notes);
    unwrap(p, head, s);
    *vec_push(&s->packets) = *p;
    t->packets++;
}

/* Notes what 'skip' bytes at 'offset' are; zeros are no loss. */
static void skipped(struct ctf_trace *t, const struct ctf_file *f, uint32_t number, uint64_t offset,
                    uint64_t skip, const char *why, struct notes *notes)
{
    uint64_t left = f->map.n - offset, n = skip < left ? skip : left;

    if (number && all_zero(f->map.p + offset, n)) {
        note_add(notes, NOTE_INFO, f->path,
                 "%" PRIu64 " bytes of zeros at byte %" PRIu64
                 ", between packets or after the last: left out",
                 n, offset);
        return;
    }
    note_add(notes, NOTE_LOST, f->path,
             "packet %u (byte %" PRIu64 "): %s; skipped %" PRIu64 " bytes", number, offset, why, n);
    t->bad_packets++;
}

/* Only headers are looked at, but the kernel maps what lies around them: pages go again
 * after so many bytes. */
#define SCAN_BYTES (UINT64_C(2) << 20)

void ctf_packet_scan(struct ctf_trace *t, uint32_t index, struct notes *notes)
{
    struct ctf_file *f = &t->files.at[index];
    size_t first = t->streams.n;
    uint64_t offset = 0, released = 0, skip;
    uint32_t number = 0;
    struct ctf_index ix;
    struct ctf_run run;
    struct err err;

    ctf_index_open(&ix, &t->mem, t->path, f->name);
    ctf_run_init(&run, &t->meta);
    while (offset < f->map.n) {
        struct ctf_packet_head head = { 0 };
        struct ctf_packet p;

        if (ctf_packet_read(t, f, &run, offset, &p, &head, &skip, &err) < 0) {
            uint64_t next = ctf_index_next(&ix, offset);

            if (skip == 0)
                skip = next < f->map.n ? next - offset : resync(t, f, offset);
            skipped(t, f, number, offset, skip, err.text, notes);
        } else {
            p.file = index;
            p.number = number;
            ctf_index_check(&ix, &p);
            add_packet(t, f, &p, &head, first, notes);
        }
        number++;
        if (skip >= f->map.n - offset)
            break;
        offset += skip;
        if (offset - released >= SCAN_BYTES) {
            uint64_t to = offset & ~(SCAN_BYTES - 1);

            ctf_file_release(f, released, to);
            released = to;
        }
    }
    ctf_index_note(&ix, f->path, notes);
    ctf_index_close(&ix);
    ctf_run_free(&run);
}
