/* SPDX-License-Identifier: Apache-2.0
 *
 * meta_touch.h -- takes the text of metadata through everything that happens to
 * it, and lets the programs that come out run over the bytes behind the text. */
#ifndef FUZZ_META_TOUCH_H
#define FUZZ_META_TOUCH_H

#include "base/file.h"
#include "ctf/packet.h"
#include "ctf/walk.h"

#include <stdlib.h>
#include <string.h>

static void count_scalar(void *ctx, struct str name, const struct value *v)
{
    uint64_t *sum = ctx;

    *sum += name.n + v->label.n + v->u64;
}

static void count_text(void *ctx, struct str name, struct str s)
{
    uint64_t *sum = ctx;

    *sum += name.n + s.n;
    for (size_t i = 0; i < s.n; i++)
        *sum += (uint8_t)s.p[i];
}

static void count_bracket(void *ctx, struct str name, bool is_struct)
{
    uint64_t *sum = ctx;

    *sum += name.n + is_struct;
}

static void count_close(void *ctx, bool is_struct)
{
    uint64_t *sum = ctx;

    *sum += is_struct;
}

/* One event of class 'ec' at bit 'pos': its fields by program, then by walking. */
static void touch_class(struct ctf_run *run, const struct ctf_event_class *ec, uint64_t pos)
{
    uint64_t sum = 0, end = ctf_run_prog(run, ec->prog, pos);
    struct value_sink sink = { &sum, count_bracket, count_close, count_scalar, count_text };
    struct ctf_event ev = {
        .cls = ec, .p = run->p, .seg = run->seg, .slot = run->slot, .body = pos, .end = end
    };

    if (end == UINT64_MAX)
        return;
    for (uint32_t i = 0; i < ec->nfields; i++) {
        const struct ctf_field *f = &ec->fields[i];

        if (!ctf_has(&ev, f))
            continue;
        if (f->kind == FIELD_INT)
            sum += ctf_get_u64(&ev, f);
        else if (f->kind == FIELD_FLOAT)
            sum += ctf_get_f64(&ev, f) > 0;
        else if (f->kind != FIELD_ARRAY)
            count_text(&sum, f->name, ctf_get_str(&ev, f));
    }
    for (int s = SCOPE_COMMON; s <= SCOPE_PAYLOAD; s++)
        ctf_visit(&ev, (enum ctf_scope)s, &sink);
}

static void touch_stream(struct ctf_run *run, const struct ctf_stream_class *sc, uint64_t pos)
{
    if ((pos = ctf_run_prog(run, sc->packet_prog, pos)) == UINT64_MAX ||
        (pos = ctf_run_prog(run, sc->header_prog, pos)) == UINT64_MAX)
        return;
    if (sc->header_kind >= HEADER_COMPACT) /* such bodies begin on a byte */
        pos = (pos + 7) & ~UINT64_C(7);
    for (size_t i = 0; i < sc->events.n && i < 64; i++)
        if (pos <= run->end)
            touch_class(run, sc->events.at[i], pos);
}

typedef int (*parse_fn)(struct str, struct ctf_meta *, struct notes *, const char *, struct err *);

/* The text ends at the first NUL; what follows are bytes of a packet. */
static void touch_metadata(const uint8_t *data, size_t n, parse_fn parse)
{
    const uint8_t *nul = n ? memchr(data, 0, n) : NULL;
    size_t text = nul ? (size_t)(nul - data) : n, left = nul ? n - text - 1 : 0;
    uint8_t *bytes = xcalloc(1, left + FMAP_SLACK);
    struct ctf_meta meta = { .order = CTF_NATIVE };
    struct notes notes = { 0 };
    struct ctf_run run;
    struct err err;

    if (left)
        memcpy(bytes, nul + 1, left);
    struct str copy = str_dup(&meta.mem, (struct str){ (const char *)data, text });
    if (parse(copy, &meta, &notes, "fuzz", &err) == 0 && ctf_resolve(&meta, &err) == 0 &&
        ctf_compile(&meta, &err) == 0) {
        ctf_run_init(&run, &meta);
        run.p = bytes;
        run.end = left * 8;
        uint64_t pos = ctf_run_prog(&run, meta.packet_header_prog, 0);
        for (size_t i = 0; i < meta.streams.n && i < 64 && pos != UINT64_MAX; i++)
            touch_stream(&run, meta.streams.at[i], pos);
        ctf_run_free(&run);
    }
    ctf_meta_free(&meta);
    notes_free(&notes);
    free(bytes);
}

#endif
