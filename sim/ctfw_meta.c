/* SPDX-License-Identifier: Apache-2.0
 *
 * ctfw_meta.c -- the metadata text, in LTTng's own words and packets.
 *
 * Readers of real traces match on more than the grammar (names of the headers,
 * the order of blocks), so the wording follows lttng-tools 2.8 and 2.13 to the
 * letter; blank lines and tabs too.  Packets are 4096 bytes with a header of
 * 37; the last one is padded.  Written once, at close. */
#include "sim/ctfw_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char head_text[] =
    "typealias integer { size = 8; align = 8; signed = false; } := uint8_t;\n"
    "typealias integer { size = 16; align = 8; signed = false; } := uint16_t;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := uint32_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := uint64_t;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := unsigned long;\n"
    "typealias integer { size = 5; align = 1; signed = false; } := uint5_t;\n"
    "typealias integer { size = 27; align = 1; signed = false; } := uint27_t;\n"
    "\n";

static const char types_text[] =
    "typealias integer {\n"
    "\tsize = 27; align = 1; signed = false;\n"
    "\tmap = clock.monotonic.value;\n"
    "} := uint27_clock_monotonic_t;\n"
    "\n"
    "typealias integer {\n"
    "\tsize = 32; align = 8; signed = false;\n"
    "\tmap = clock.monotonic.value;\n"
    "} := uint32_clock_monotonic_t;\n"
    "\n"
    "typealias integer {\n"
    "\tsize = 64; align = 8; signed = false;\n"
    "\tmap = clock.monotonic.value;\n"
    "} := uint64_clock_monotonic_t;\n"
    "\n"
    "struct packet_context {\n"
    "\tuint64_clock_monotonic_t timestamp_begin;\n"
    "\tuint64_clock_monotonic_t timestamp_end;\n"
    "\tuint64_t content_size;\n"
    "\tuint64_t packet_size;\n"
    "\tuint64_t packet_seq_num;\n"
    "\tunsigned long events_discarded;\n"
    "\tuint32_t cpu_id;\n"
    "};\n"
    "\n"
    "struct event_header_compact {\n"
    "\tenum : uint5_t { compact = 0 ... 30, extended = 31 } id;\n"
    "\tvariant <id> {\n"
    "\t\tstruct {\n"
    "\t\t\tuint27_clock_monotonic_t timestamp;\n"
    "\t\t} compact;\n"
    "\t\tstruct {\n"
    "\t\t\tuint32_t id;\n"
    "\t\t\tuint64_clock_monotonic_t timestamp;\n"
    "\t\t} extended;\n"
    "\t} v;\n"
    "} align(8);\n"
    "\n"
    "struct event_header_large {\n"
    "\tenum : uint16_t { compact = 0 ... 65534, extended = 65535 } id;\n"
    "\tvariant <id> {\n"
    "\t\tstruct {\n"
    "\t\t\tuint32_clock_monotonic_t timestamp;\n"
    "\t\t} compact;\n"
    "\t\tstruct {\n"
    "\t\t\tuint32_t id;\n"
    "\t\t\tuint64_clock_monotonic_t timestamp;\n"
    "\t\t} extended;\n"
    "\t} v;\n"
    "} align(8);\n"
    "\n";

static void uuid_text(struct sbuf *b, const uint8_t u[16])
{
    for (int i = 0; i < 16; i++)
        sbuf_fmt(b, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

/* A value of the env block, quoted as lttng-tools does. */
static void quoted(struct sbuf *b, const char *z)
{
    for (; *z; z++) {
        if (*z == '\n') {
            sbuf_z(b, "\\n");
            continue;
        }
        if (*z == '"' || *z == '\\')
            sbuf_chr(b, '\\');
        sbuf_chr(b, *z);
    }
}

static void int_type(struct sbuf *b, unsigned bits, bool is_signed, const char *encoding,
                     const struct ctfw_field *f)
{
    sbuf_fmt(b, "integer { size = %u; align = 8; signed = %d; encoding = %s; base = %d;%s }", bits,
             is_signed, encoding, f->hex ? 16 : 10, f->big_endian ? " byte_order = be;" : "");
}

static void enum_type(struct sbuf *b, const struct ctfw_field *f, const char *tabs)
{
    sbuf_z(b, "enum : ");
    int_type(b, f->bits, f->is_signed, "none", f);
    sbuf_z(b, " {\n");
    for (const struct ctfw_label *l = f->labels; l && l->name; l++) {
        sbuf_fmt(b, "%s\t\"%s\" = ", tabs, l->name);
        if (l->first == l->last)
            sbuf_fmt(b, "%" PRId64 ",\n", l->first);
        else
            sbuf_fmt(b, "%" PRId64 " ... %" PRId64 ",\n", l->first, l->last);
    }
    sbuf_fmt(b, "%s}", tabs);
}

static void field_text(struct sbuf *b, const struct ctfw_field *f)
{
    static const char tabs[] = "\t\t";

    if (f->kind == CTFW_RAW) {
        sbuf_z(b, f->decl);
        return;
    }
    sbuf_z(b, tabs);
    switch (f->kind) {
    case CTFW_STR: sbuf_fmt(b, "string _%s;\n", f->name); return;
    case CTFW_FLOAT:
        sbuf_fmt(b, "floating_point { exp_dig = %d; mant_dig = %d; align = 8; } _%s;\n",
                 f->bits == 32 ? 8 : 11, f->bits == 32 ? 24 : 53, f->name);
        return;
    case CTFW_ENUM:
        enum_type(b, f, tabs);
        sbuf_fmt(b, " _%s;\n", f->name);
        return;
    case CTFW_TEXT:
        int_type(b, 8, true, "UTF8", f);
        sbuf_fmt(b, " _%s[%u];\n", f->name, f->count);
        return;
    case CTFW_ARRAY:
        int_type(b, f->bits, f->is_signed, "none", f);
        sbuf_fmt(b, " _%s[%u];\n", f->name, f->count);
        return;
    case CTFW_SEQ:
        int_type(b, f->len_bits, false, "none", &(struct ctfw_field){ 0 });
        sbuf_fmt(b, " __%s_length;\n%s", f->name, tabs);
        int_type(b, f->bits, f->is_signed, "none", f);
        sbuf_fmt(b, " _%s[ __%s_length ];\n", f->name, f->name);
        return;
    case CTFW_RAW:
    case CTFW_INT: break;
    }
    int_type(b, f->bits, f->is_signed, "none", f);
    sbuf_fmt(b, " _%s;\n", f->name);
}

static void stream_text(struct sbuf *b, const struct ctfw_channel *c)
{
    sbuf_fmt(b,
             "stream {\n\tid = %u;\n\tevent.header := struct event_header_%s;\n"
             "\tpacket.context := struct packet_context;\n",
             c->id, c->header == CTFW_COMPACT ? "compact" : "large");
    if (c->n_context) {
        sbuf_z(b, "\tevent.context := struct {\n");
        for (size_t i = 0; i < c->n_context; i++)
            field_text(b, &c->context[i]);
        sbuf_z(b, "\t};\n");
    }
    sbuf_z(b, "};\n\n");
}

static void events_text(struct sbuf *b, const struct ctfw_channel *c)
{
    for (size_t i = 0; i < c->events.n; i++) {
        const struct ctfw_event *e = c->events.at[i];

        sbuf_fmt(b, "event {\n\tname = \"%s\";\n\tid = %u;\n\tstream_id = %u;\n", e->name, e->id,
                 c->id);
        if (e->loglevel >= 0)
            sbuf_fmt(b, "\tloglevel = %d;\n", e->loglevel);
        sbuf_z(b, "\tfields := struct {\n");
        for (size_t k = 0; k < e->n_fields; k++)
            field_text(b, &e->fields[k]);
        sbuf_z(b, "\t};\n};\n\n");
    }
}

static void whole_text(struct sbuf *b, const struct ctfw_trace *t)
{
    if (t->config.domain == CTFW_UST)
        sbuf_z(b, "/* CTF 1.8 */\n\n");
    sbuf_z(b, head_text);
    sbuf_z(b, "trace {\n\tmajor = 1;\n\tminor = 8;\n\tuuid = \"");
    uuid_text(b, t->config.uuid);
    sbuf_z(b, "\";\n\tbyte_order = le;\n\tpacket.header := struct {\n\t\tuint32_t magic;\n"
              "\t\tuint8_t  uuid[16];\n\t\tuint32_t stream_id;\n\t\tuint64_t stream_instance_id;\n"
              "\t};\n};\n\nenv {\n");
    for (const struct ctfw_env *e = t->config.env; e && e->name; e++) {
        if (e->text) {
            sbuf_fmt(b, "\t%s = \"", e->name);
            quoted(b, e->text);
            sbuf_z(b, "\";\n");
        } else {
            sbuf_fmt(b, "\t%s = %" PRId64 ";\n", e->name, e->number);
        }
    }
    sbuf_z(b, "};\n\nclock {\n\tname = \"monotonic\";\n\tuuid = \"");
    uuid_text(b, t->config.clock_uuid);
    sbuf_fmt(b,
             "\";\n\tdescription = \"Monotonic Clock\";\n"
             "\tfreq = 1000000000; /* Frequency, in Hz */\n"
             "\t/* clock value offset from Epoch is: offset * (1/freq) */\n"
             "\toffset = %" PRIu64 ";\n};\n\n",
             t->config.clock_offset_ns);
    sbuf_z(b, types_text);
    for (size_t i = 0; i < t->channels.n; i++) {
        if (t->config.streams_first)
            stream_text(b, t->channels.at[i]);
        events_text(b, t->channels.at[i]);
        if (!t->config.streams_first)
            stream_text(b, t->channels.at[i]);
    }
}

/* One packet of 'text': magic, uuid, checksum 0, content and packet size in
 * bits, compression, encryption and checksum scheme 0, version 1.8. */
static int put_packet(const struct ctfw_trace *t, int fd, struct str text, const char *path,
                      struct err *err)
{
    uint8_t page[CTFW_PAGE] = { 0 };
    uint32_t magic = CTFW_META_MAGIC;
    uint32_t content_bits = (uint32_t)(CTFW_META_HEADER + text.n) * 8;
    uint32_t packet_bits = CTFW_PAGE * 8;

    assert(CTFW_META_HEADER + text.n <= CTFW_PAGE);
    memcpy(page, &magic, 4);
    memcpy(page + 4, t->config.uuid, 16);
    memcpy(page + 24, &content_bits, 4);
    memcpy(page + 28, &packet_bits, 4);
    page[35] = 1;
    page[36] = 8;
    if (text.n)
        memcpy(page + CTFW_META_HEADER, text.p, text.n);
    return ctfw_write(fd, page, sizeof page, path, err);
}

int ctfw_metadata(struct ctfw_trace *t, struct err *err)
{
    const char *path = arena_printf(&t->mem, "%s/metadata", t->dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    struct sbuf text = { 0 };
    int rc = 0;

    if (fd < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    whole_text(&text, t);
    for (struct str rest = sbuf_view(&text); rc == 0 && rest.n;) {
        struct str part = str_first(rest, CTFW_PAGE - CTFW_META_HEADER);

        rc = put_packet(t, fd, part, path, err);
        rest = str_from(rest, part.n);
    }
    if (rc == 0 && t->config.empty_metadata_packet)
        rc = put_packet(t, fd, STR(""), path, err);
    if (close(fd) != 0 && rc == 0)
        rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
    sbuf_free(&text);
    return rc;
}
