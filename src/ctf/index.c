/* SPDX-License-Identifier: Apache-2.0
 *
 * index.c -- LTTng's index files: index/NAME.idx beside the stream file NAME.
 *
 * All numbers are big-endian (lttng-tools, ctf-index.h):
 *
 *   offset size
 *        0    4  magic 0xC1F1DCC1
 *        4    4  major version, 1
 *        8    4  minor version, 0 or 1
 *       12    4  bytes of one entry, at least 56
 *       16       entries:
 *                 0  8  offset of the packet, bytes
 *                 8  8  packet size, bits
 *                16  8  content size, bits
 *                24  8  begin, cycles
 *                32  8  end, cycles
 *                40  8  discarded events
 *                48  8  stream id
 *
 * The packet headers say the same and are believed: they are what the tracer
 * wrote.  An index that agrees with them tells where the next packet is when
 * one of them is damaged; one that does not is left out, with a note. */
#include "ctf/index.h"

#include <stdio.h>

#define INDEX_MAGIC UINT32_C(0xC1F1DCC1)
enum { INDEX_HEADER = 16, INDEX_ENTRY = 56 };

static uint32_t be32(const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    return __builtin_bswap32(v);
}

static uint64_t be64(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    return __builtin_bswap64(v);
}

void ctf_index_open(struct ctf_index *ix, struct arena *mem, const char *dir, const char *name)
{
    struct err err;

    *ix = (struct ctf_index){ .n = 0 };
    if (fmap_open(arena_printf(mem, "%s/index/%s.idx", dir, name), &ix->map, &err) < 0)
        return;
    const uint8_t *p = ix->map.p;
    ix->is_there = true;
    if (ix->map.n < INDEX_HEADER || be32(p) != INDEX_MAGIC || be32(p + 4) != 1 ||
        be32(p + 12) < INDEX_ENTRY)
        return;
    ix->entry = be32(p + 12);
    ix->n = (ix->map.n - INDEX_HEADER) / ix->entry;
}

void ctf_index_close(struct ctf_index *ix)
{
    fmap_close(&ix->map);
}

static const uint8_t *entry_at(const struct ctf_index *ix, uint64_t i)
{
    return ix->map.p + INDEX_HEADER + i * ix->entry;
}

/* Entries are in the order of the file. */
static uint64_t first_from(const struct ctf_index *ix, uint64_t offset)
{
    uint64_t lo = 0, hi = ix->n;

    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;

        if (be64(entry_at(ix, mid)) < offset)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint64_t ctf_index_next(const struct ctf_index *ix, uint64_t offset)
{
    uint64_t i = ix->disagrees ? ix->n : first_from(ix, offset + 1);

    return i < ix->n ? be64(entry_at(ix, i)) : UINT64_MAX;
}

void ctf_index_check(struct ctf_index *ix, const struct ctf_packet *p)
{
    uint64_t i = first_from(ix, p->offset);

    if (!ix->is_there || ix->disagrees)
        return;
    const uint8_t *e = i < ix->n ? entry_at(ix, i) : NULL;
    if (!e || be64(e) != p->offset || be64(e + 8) != p->packet_bits ||
        be64(e + 16) != p->content_bits || (p->has_ts_begin && be64(e + 24) != p->ts_begin))
        ix->disagrees = true;
}

void ctf_index_note(const struct ctf_index *ix, const char *path, struct notes *notes)
{
    if (ix->is_there && ix->n == 0)
        note_add(notes, NOTE_INFO, path, "its index file is empty or of an unknown kind: left out");
    else if (ix->disagrees)
        note_add(notes, NOTE_INFO, path,
                 "its index file does not agree with the packet headers: left out");
}
