/* SPDX-License-Identifier: Apache-2.0
 *
 * ctfw.c -- packets and index files, see ctfw.h.
 *
 *   packet   offset size
 *                 0    4  magic 0xC1FC1FC1
 *                 4   16  uuid of the trace
 *                20    4  stream class (the channel)
 *                24    8  stream instance (the CPU)
 *                32    8  timestamp_begin, raw clock
 *                40    8  timestamp_end
 *                48    8  content_size, bits
 *                56    8  packet_size, bits
 *                64    8  packet_seq_num
 *                72    8  events_discarded, total of the stream so far
 *                80    4  cpu_id
 *                84       events, then zeros up to packet_size
 *
 * All little-endian; the host must be too.  An event header is compact (5 + 27
 * or 16 + 32 bits) unless the id is too large, the stream is new, or 2^27
 * cycles have passed since the stream's last event: then it is the extended
 * form.  LTTng uses the limit of 27 bits for both layouts, and so the short
 * timestamp wraps in the middle of real traces: readers must cope, and here
 * they get the same. */
#include "sim/ctfw_priv.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(__BYTE_ORDER == __LITTLE_ENDIAN, "packets are written as they lie in memory");

int ctfw_mkdirs(const char *path, struct err *err)
{
    struct sbuf b = { 0 };
    int rc = 0;

    for (const char *p = path; rc == 0; p++) {
        if ((*p == '/' || *p == '\0') && b.n && mkdir(b.p, 0777) != 0 && errno != EEXIST)
            rc = err_set(err, E_IO, "%s: cannot make the folder: %s", b.p, strerror(errno));
        if (*p == '\0')
            break;
        sbuf_chr(&b, *p);
    }
    sbuf_free(&b);
    return rc;
}

int ctfw_write(int fd, const void *p, size_t n, const char *what, struct err *err)
{
    const uint8_t *at = p;

    while (n) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return err_set(err, E_IO, "%s: cannot write: %s", what,
                           done < 0 ? strerror(errno) : "the disk is full");
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

/* The metadata is written at the end, so the trace keeps its own env block. */
static const struct ctfw_env *copy_env(struct arena *mem, const struct ctfw_env *env)
{
    struct ctfw_env *copy;
    size_t n = 0;

    while (env && env[n].name)
        n++;
    copy = arena_array(mem, struct ctfw_env, n + 1);
    for (size_t i = 0; i < n; i++) {
        copy[i].name = arena_printf(mem, "%s", env[i].name);
        copy[i].text = env[i].text ? arena_printf(mem, "%s", env[i].text) : NULL;
        copy[i].number = env[i].number;
    }
    return copy;
}

int ctfw_open(const struct ctfw_trace_config *config, struct ctfw_trace **ret, struct err *err)
{
    struct ctfw_trace *t = xcalloc(1, sizeof *t);

    assert(config->begin >= 0 && (uint64_t)config->begin >= config->clock_offset_ns);
    t->config = *config;
    t->config.env = copy_env(&t->mem, config->env);
    t->dir = arena_printf(&t->mem, "%s", config->dir);
    if (ctfw_mkdirs(arena_printf(&t->mem, "%s/index", t->dir), err) < 0) {
        ctfw_free(t);
        return -(int)err->code;
    }
    *ret = t;
    return 0;
}

/* Starts the next packet of 's' at raw time 'begin'. */
static void packet_open(struct ctfw_stream *s, uint64_t begin)
{
    s->begin = begin;
    s->used = CTFW_PACKET_HEADER;
    s->in_packet = 0;
}

static const char *stream_path(const struct ctfw_channel *c, unsigned cpu, struct sbuf *b)
{
    sbuf_clear(b);
    sbuf_fmt(b, "%s/%s_%u", c->trace->dir, c->name, cpu);
    return b->p;
}

static int stream_open(struct ctfw_channel *c, unsigned cpu, struct err *err)
{
    struct ctfw_stream *s = &c->streams[cpu];
    struct sbuf path = { 0 };
    uint32_t head[4] = { htobe32(CTFW_INDEX_MAGIC), htobe32(1), htobe32(1), htobe32(72) };
    int rc = 0;

    s->packet = xcalloc(1, c->packet_bytes);
    packet_open(s, (uint64_t)c->trace->config.begin - c->trace->config.clock_offset_ns);
    s->fd = open(stream_path(c, cpu, &path), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (s->fd >= 0) {
        sbuf_clear(&path);
        sbuf_fmt(&path, "%s/index/%s_%u.idx", c->trace->dir, c->name, cpu);
        s->index_fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    }
    if (s->fd < 0 || s->index_fd < 0)
        rc = err_set(err, E_IO, "%s: %s", path.p, strerror(errno));
    else
        rc = ctfw_write(s->index_fd, head, sizeof head, path.p, err);
    sbuf_free(&path);
    return rc;
}

int ctfw_channel(struct ctfw_trace *t, const struct ctfw_channel_config *config,
                 struct ctfw_channel **ret, struct err *err)
{
    struct ctfw_channel *c = arena_new(&t->mem, struct ctfw_channel);
    bool fixed = true;

    assert(config->cpus > 0);
    *vec_push(&t->channels) = c;
    c->trace = t;
    c->name = arena_printf(&t->mem, "%s", config->name);
    c->id = (uint32_t)t->channels.n - 1;
    c->header = config->header;
    c->context = config->context;
    c->n_context = config->n_context;
    for (size_t i = 0; i < c->n_context; i++)
        c->context_bytes += ctfw_field_bytes(&c->context[i], &fixed);
    assert(fixed);
    c->cpus = config->cpus;
    c->packet_bytes = ((size_t)config->packet_bytes + CTFW_PAGE - 1) / CTFW_PAGE * CTFW_PAGE;
    c->packet_bytes = c->packet_bytes ? c->packet_bytes : CTFW_PAGE;
    c->streams = arena_array(&t->mem, struct ctfw_stream, c->cpus);
    for (unsigned i = 0; i < c->cpus; i++)
        c->streams[i].fd = c->streams[i].index_fd = -1;
    for (unsigned i = 0; i < c->cpus; i++)
        if (stream_open(c, i, err) < 0)
            return -(int)err->code;
    *ret = c;
    return 0;
}

size_t ctfw_field_bytes(const struct ctfw_field *f, bool *fixed)
{
    switch (f->kind) {
    case CTFW_STR: *fixed = false; return 1;
    case CTFW_TEXT: return f->count;
    case CTFW_ARRAY: return (size_t)f->count * f->bits / 8;
    case CTFW_SEQ: *fixed = false; return f->len_bits / 8;
    case CTFW_RAW: *fixed = false; return 0;
    case CTFW_INT:
    case CTFW_ENUM:
    case CTFW_FLOAT: break;
    }
    assert(f->bits == 8 || f->bits == 16 || f->bits == 32 || f->bits == 64);
    return f->bits / 8;
}

struct ctfw_event *ctfw_event(struct ctfw_channel *c, const char *name, int loglevel,
                              const struct ctfw_field *fields, size_t n_fields)
{
    struct ctfw_event *e = arena_new(&c->trace->mem, struct ctfw_event);

    e->name = name;
    e->fields = fields;
    e->n_fields = n_fields;
    e->loglevel = loglevel;
    e->id = (uint32_t)c->events.n;
    e->is_fixed = true;
    for (size_t i = 0; i < n_fields; i++)
        e->fixed_bytes += ctfw_field_bytes(&fields[i], &e->is_fixed);
    *vec_push(&c->events) = e;
    return e;
}

static int index_put(const struct ctfw_channel *c, unsigned cpu, uint64_t packet_bytes,
                     uint64_t end, struct err *err)
{
    const struct ctfw_stream *s = &c->streams[cpu];
    uint64_t entry[9] = { s->offset, packet_bytes * 8, s->used * 8, s->begin,
                          end,       s->discarded,     c->id,       cpu,
                          s->seq };

    for (size_t i = 0; i < ARRAY_SIZE(entry); i++)
        entry[i] = htobe64(entry[i]);
    return ctfw_write(s->index_fd, entry, sizeof entry, c->name, err);
}

/* Ends the packet at raw time 'end' and writes it as 'packet_bytes'. */
static int packet_close(struct ctfw_channel *c, unsigned cpu, uint64_t end, size_t packet_bytes,
                        struct err *err)
{
    struct ctfw_stream *s = &c->streams[cpu];
    uint32_t magic = CTFW_MAGIC;
    uint32_t cpu_id = cpu;
    uint64_t context[7] = {
        cpu, s->begin, end, s->used * 8, packet_bytes * 8, s->seq, s->discarded
    };
    struct sbuf path = { 0 };
    int rc = 0;

    if (s->seq >= s->drop_first && s->seq - s->drop_first < s->drop_n) {
        s->counts.dropped += s->in_packet;
        s->counts.packets_dropped++;
    } else {
        memcpy(s->packet, &magic, 4);
        memcpy(s->packet + 4, c->trace->config.uuid, 16);
        memcpy(s->packet + 20, &c->id, 4);
        memcpy(s->packet + 24, context, sizeof context);
        memcpy(s->packet + 80, &cpu_id, 4);
        memset(s->packet + s->used, 0, packet_bytes - s->used);
        rc = ctfw_write(s->fd, s->packet, packet_bytes, stream_path(c, cpu, &path), err);
        if (rc == 0)
            rc = index_put(c, cpu, packet_bytes, end, err);
        s->offset += packet_bytes;
        s->counts.written += s->in_packet;
        s->counts.packets++;
        s->counts.bytes += packet_bytes;
    }
    s->seq++;
    packet_open(s, end);
    sbuf_free(&path);
    return rc;
}

static uint8_t *put_int(uint8_t *at, const struct ctfw_field *f, uint64_t v)
{
    if (f->big_endian)
        v = htobe64(v << (64 - f->bits));
    switch (f->bits) {
    case 8: *at = (uint8_t)v; return at + 1;
    case 16: memcpy(at, &(uint16_t){ (uint16_t)v }, 2); return at + 2;
    case 32: memcpy(at, &(uint32_t){ (uint32_t)v }, 4); return at + 4;
    default: memcpy(at, &v, 8); return at + 8;
    }
}

static uint8_t *put_elements(uint8_t *at, const struct ctfw_field *f, const uint8_t *p, size_t n)
{
    size_t width = f->bits / 8;

    if (!f->big_endian) {
        if (n)
            memcpy(at, p, n * width);
        return at + n * width;
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++)
            *at++ = p[i * width + width - 1 - k];
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const struct ctfw_field *f, struct ctfw_val v)
{
    if (f->kind == CTFW_TEXT) {
        size_t n = v.n < f->count ? v.n : f->count;

        if (n)
            memcpy(at, v.p, n);
        memset(at + n, 0, f->count - n);
        return at + f->count;
    }
    if (f->kind == CTFW_ARRAY)
        return put_elements(at, f, v.p, f->count);
    if (f->kind == CTFW_SEQ) {
        at = put_int(at, &(struct ctfw_field){ .bits = f->len_bits }, v.n);
        return put_elements(at, f, v.p, v.n);
    }
    if (v.n)
        memcpy(at, v.p, v.n);
    if (f->kind == CTFW_RAW)
        return at + v.n;
    at[v.n] = 0;
    return at + v.n + 1;
}

static uint32_t float_bits(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static uint8_t *put_fields(uint8_t *at, const struct ctfw_field *f, size_t n,
                           const struct ctfw_val *v)
{
    for (; n; n--, f++, v++) {
        if (f->kind == CTFW_INT || f->kind == CTFW_ENUM) {
            at = put_int(at, f, v->u);
        } else if (f->kind == CTFW_FLOAT) {
            at = put_int(at, f, f->bits == 32 ? float_bits((float)v->f) : v->u);
        } else if (f->kind == CTFW_STR) {
            at = put_bytes(at, f, (struct ctfw_val){ .p = v->p, .n = strnlen(v->p, v->n) });
        } else {
            at = put_bytes(at, f, *v);
        }
    }
    return at;
}

static size_t variable_bytes(const struct ctfw_event *e, const struct ctfw_val *v)
{
    size_t n = 0;

    for (size_t i = 0; i < e->n_fields; i++) {
        const struct ctfw_field *f = &e->fields[i];

        if (f->kind == CTFW_STR)
            n += strnlen(v[i].p, v[i].n);
        else if (f->kind == CTFW_SEQ)
            n += v[i].n * f->bits / 8;
        else if (f->kind == CTFW_RAW)
            n += v[i].n;
    }
    return n;
}

/* Writes the event header at 'at', which has room for 14 bytes. */
static uint8_t *put_header(uint8_t *at, enum ctfw_header header, uint32_t id, uint64_t raw,
                           bool extended)
{
    if (!extended && header == CTFW_COMPACT) {
        memcpy(at, &(uint32_t){ id | (uint32_t)(raw << 5) }, 4);
        return at + 4;
    }
    if (header == CTFW_COMPACT) {
        *at++ = 31;
    } else {
        memcpy(at, &(uint16_t){ extended ? 0xffff : (uint16_t)id }, 2);
        at += 2;
        if (!extended) {
            memcpy(at, &(uint32_t){ (uint32_t)raw }, 4);
            return at + 4;
        }
    }
    memcpy(at, &id, 4);
    memcpy(at + 4, &raw, 8);
    return at + 12;
}

int ctfw_emit(struct ctfw_channel *c, unsigned cpu, const struct ctfw_event *e, ns_t ts,
              const struct ctfw_val *context, const struct ctfw_val *vals, enum ctfw_fate *fate,
              struct err *err)
{
    struct ctfw_stream *s = &c->streams[cpu];
    uint64_t raw = (uint64_t)ts - c->trace->config.clock_offset_ns;
    bool extended = !s->any || (raw - s->last) >> CTFW_TSC_BITS ||
                    e->id > (c->header == CTFW_COMPACT ? 30u : 65534u);
    size_t need = (extended ? (c->header == CTFW_COMPACT ? 13u : 14u)
                            : (c->header == CTFW_COMPACT ? 4u : 6u)) +
                  c->context_bytes + e->fixed_bytes + (e->is_fixed ? 0 : variable_bytes(e, vals));

    assert(cpu < c->cpus && raw >= s->begin && (!s->any || raw >= s->last));
    if (need > c->packet_bytes - s->used) {
        if (need > c->packet_bytes - CTFW_PACKET_HEADER) {
            ctfw_discard(c, cpu, 1); /* as LTTng does with an event over the sub-buffer */
            if (fate)
                *fate = CTFW_DISCARDED;
            return 0;
        }
        if (packet_close(c, cpu, raw, c->packet_bytes, err) < 0)
            return -(int)err->code;
    }
    uint8_t *at = put_header(s->packet + s->used, c->header, e->id, raw, extended);

    if (c->n_context)
        at = put_fields(at, c->context, c->n_context, context);
    at = put_fields(at, e->fields, e->n_fields, vals);
    s->used += need;
    assert(at == s->packet + s->used);
    s->last = raw;
    s->any = true;
    s->in_packet++;
    if (fate)
        *fate = s->seq >= s->drop_first && s->seq - s->drop_first < s->drop_n ? CTFW_DROPPED
                                                                              : CTFW_WRITTEN;
    return 0;
}

void ctfw_discard(struct ctfw_channel *c, unsigned cpu, uint64_t n)
{
    assert(cpu < c->cpus);
    c->streams[cpu].discarded += n;
    c->streams[cpu].counts.discarded += n;
}

int ctfw_flush(struct ctfw_channel *c, unsigned cpu, ns_t ts, struct err *err)
{
    assert(cpu < c->cpus);
    return packet_close(c, cpu, (uint64_t)ts - c->trace->config.clock_offset_ns, c->packet_bytes,
                        err);
}

void ctfw_drop_packets(struct ctfw_channel *c, unsigned cpu, uint64_t first, uint64_t n)
{
    assert(cpu < c->cpus);
    c->streams[cpu].drop_first = first;
    c->streams[cpu].drop_n = n;
}

struct ctfw_counts ctfw_counts(const struct ctfw_channel *c, unsigned cpu)
{
    const struct ctfw_stream *s = &c->streams[cpu];
    struct ctfw_counts n = s->counts;

    if (s->seq >= s->drop_first && s->seq - s->drop_first < s->drop_n)
        n.dropped += s->in_packet;
    else
        n.written += s->in_packet;
    return n;
}

/* The last packet is as long as its pages. */
static int stream_close(struct ctfw_channel *c, unsigned cpu, uint64_t end, struct err *err)
{
    struct ctfw_stream *s = &c->streams[cpu];
    size_t bytes = (s->used + CTFW_PAGE - 1) / CTFW_PAGE * CTFW_PAGE;
    uint64_t last = s->any && s->last > s->begin ? s->last : s->begin;
    int rc = packet_close(c, cpu, end > last ? end : last, bytes, err);
    int fds[2] = { s->fd, s->index_fd };

    s->fd = s->index_fd = -1;
    for (int i = 0; i < 2; i++)
        if (close(fds[i]) != 0 && rc == 0)
            rc = err_set(err, E_IO, "%s/%s_%u: %s", c->trace->dir, c->name, cpu, strerror(errno));
    return rc;
}

int ctfw_finish(struct ctfw_trace *t, ns_t end, struct err *err)
{
    uint64_t raw = (uint64_t)end - t->config.clock_offset_ns;
    int rc = 0;

    for (size_t i = 0; i < t->channels.n; i++)
        for (unsigned cpu = 0; rc == 0 && cpu < t->channels.at[i]->cpus; cpu++)
            rc = stream_close(t->channels.at[i], cpu, raw, err);
    return rc == 0 ? ctfw_metadata(t, err) : rc;
}

void ctfw_free(struct ctfw_trace *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->channels.n; i++) {
        struct ctfw_channel *c = t->channels.at[i];

        for (unsigned cpu = 0; c->streams && cpu < c->cpus; cpu++) {
            if (c->streams[cpu].fd >= 0)
                close(c->streams[cpu].fd);
            if (c->streams[cpu].index_fd >= 0)
                close(c->streams[cpu].index_fd);
            free(c->streams[cpu].packet);
        }
        vec_free(&c->events);
    }
    vec_free(&t->channels);
    arena_free(&t->mem);
    free(t);
}
