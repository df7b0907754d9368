/* SPDX-License-Identifier: Apache-2.0
 *
 * metadata.c -- the metadata file: packets around the text, or the bare text.
 *
 * A packetised file (CTF 1.8.3, 7.1) starts with the magic number 0x75D11D57 in
 * the tracer's byte order; each packet has a header of 37 bytes:
 *
 *   offset size
 *        0    4  magic
 *        4   16  UUID of the trace
 *       20    4  checksum, 0 if unused
 *       24    4  content size, bits, with this header
 *       28    4  packet size, bits
 *       32    1  compression scheme, 0 = none
 *       33    1  encryption scheme, 0 = none
 *       34    1  checksum scheme, 0 = none
 *       35    1  major, then minor version of CTF */
#include "base/file.h"
#include "base/limits.h"
#include "ctf/meta.h"

#include <inttypes.h>
#include <stdlib.h>

#define META_MAGIC UINT32_C(0x75D11D57)
#define CTF2_SEPARATOR 0x1e /* before each JSON text (RFC 7464, 2.2) */
enum { META_HEADER = 37 };

static uint32_t u32_at(const uint8_t *p, bool swap)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return swap ? __builtin_bswap32(v) : v;
}

/* What else is wrong with the header of a metadata packet; NULL = nothing. */
static const char *header_fault(const struct fmap *map, const uint8_t *p, bool swap)
{
    if (memcmp(p + 4, map->p + 4, 16) != 0)
        return "its UUID is not that of the first packet";
    if (p[32] || p[33])
        return "compressed or encrypted";
    if (p[34])
        return "has a checksum of a kind that cannot be checked";
    if (u32_at(p + 24, swap) % 8 || u32_at(p + 28, swap) % 8)
        return "its sizes are no whole bytes";
    return NULL;
}

/* One packet's text, into 'text'.  Returns its size, or 0 when it is bad. */
static uint32_t one_packet(const struct fmap *map, size_t at, bool swap, struct sbuf *text,
                           struct err *err)
{
    const uint8_t *p = map->p + at;

    if (map->n - at < META_HEADER) {
        err_set(err, E_CORRUPT, "metadata packet at byte %zu: the file ends inside its header", at);
        return 0;
    }
    uint32_t content = u32_at(p + 24, swap) / 8, size = u32_at(p + 28, swap) / 8;
    const char *fault = header_fault(map, p, swap);
    if (u32_at(p, swap) != META_MAGIC)
        err_set(err, E_CORRUPT, "metadata packet at byte %zu: wrong magic number", at);
    else if (!(p[35] == 1 && p[36] == 8) && !(p[35] == 2 && p[36] == 0))
        err_set(err, E_UNSUP,
                "metadata packet at byte %zu: CTF version %u.%u; this program reads 1.8 and 2.0",
                at, p[35], p[36]);
    else if (fault)
        err_set(err, p[32] || p[33] || p[34] ? E_UNSUP : E_CORRUPT,
                "metadata packet at byte %zu: %s", at, fault);
    else if (content < META_HEADER || content > size || size > map->n - at)
        err_set(err, E_CORRUPT,
                "metadata packet at byte %zu: content of %u bytes, packet of %u, %zu left in the "
                "file: truncated?",
                at, content, size, map->n - at);
    else {
        sbuf_add(text, (const char *)p + META_HEADER, content - META_HEADER);
        return size;
    }
    return 0;
}

static int unpack(const struct fmap *map, bool swap, struct sbuf *text, struct err *err)
{
    for (size_t at = 0; at < map->n;) {
        uint32_t size = one_packet(map, at, swap, text, err);

        if (size == 0)
            return -(int)err->code;
        at += size;
    }
    return 0;
}

/* '*ret_packets': the byte order of the packets, or CTF_NATIVE if there are none. */
static int get_text(const struct fmap *map, struct sbuf *text, enum ctf_order *ret_packets,
                    struct err *err)
{
    uint32_t order_word = 1;
    bool host_le = *(const uint8_t *)&order_word == 1;

    if (map->n == 0)
        return err_set(err, E_CORRUPT,
                       "the metadata is empty: is the session still being recorded?");
    if (map->n > LIMIT_METADATA_BYTES)
        return err_set(err, E_LIMIT, "the metadata is over %u bytes", LIMIT_METADATA_BYTES);
    bool plain = map->n >= 4 && u32_at(map->p, false) == META_MAGIC;
    bool swapped = map->n >= 4 && u32_at(map->p, true) == META_MAGIC;
    if (plain || swapped) {
        *ret_packets = plain == host_le ? CTF_LE : CTF_BE;
        return unpack(map, swapped, text, err);
    }
    if (map->p[0] == '{' || map->p[0] == '[')
        return err_set(err, E_CORRUPT,
                       "the metadata is JSON, but its texts do not each begin with "
                       "a byte 0x1e as in CTF 2");
    if (memchr(map->p, 0, map->n))
        return err_set(err, E_CORRUPT, "the metadata is neither CTF packets nor text");
    sbuf_add(text, (const char *)map->p, map->n);
    return 0;
}

int ctf_meta_open(const char *path, struct ctf_meta *meta, struct notes *notes, struct err *err)
{
    enum ctf_order packets = CTF_NATIVE;
    struct sbuf text = { 0 };
    struct fmap map;
    int rc = fmap_open(path, &map, err);

    if (rc < 0)
        return rc;
    rc = get_text(&map, &text, &packets, err);
    if (rc == 0 && text.n && text.p[0] == CTF2_SEPARATOR)
        rc = ctf2_parse(sbuf_view(&text), meta, notes, path, err);
    else if (rc == 0) /* names are views of the text: it lives as long as 'meta' */
        rc = tsdl_parse(str_dup(&meta->mem, sbuf_view(&text)), meta, notes, path, err);
    if (rc == 0 && meta->major < 2 && packets != CTF_NATIVE && packets != meta->order)
        rc = err_set(err, E_CORRUPT,
                     "the metadata packets are %s-endian, but their text says byte_order = %s",
                     packets == CTF_LE ? "little" : "big", meta->order == CTF_LE ? "le" : "be");
    if (rc == 0)
        rc = ctf_resolve(meta, err);
    if (rc == 0)
        rc = ctf_compile(meta, err);
    if (rc < 0)
        err_in(err, "%s", path);
    sbuf_free(&text);
    fmap_close(&map);
    return rc;
}

void ctf_meta_free(struct ctf_meta *meta)
{
    for (size_t i = 0; i < meta->streams.n; i++) {
        vec_free(&meta->streams.at[i]->events);
        map64_free(&meta->streams.at[i]->position);
    }
    vec_free(&meta->clocks);
    vec_free(&meta->env);
    vec_free(&meta->streams);
    vec_free(&meta->events);
    arena_free(&meta->mem);
}

struct str ctf_env_get(const struct ctf_meta *meta, const char *key)
{
    for (size_t i = 0; i < meta->env.n; i++)
        if (str_is(meta->env.at[i].key, key))
            return meta->env.at[i].text;
    return STR("");
}
