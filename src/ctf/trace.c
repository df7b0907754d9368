/* SPDX-License-Identifier: Apache-2.0
 *
 * trace.c -- opening and closing a trace; see trace.h. */
#include "ctf/trace.h"

#include "base/limits.h"
#include "ctf/packet.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/stat.h>

bool ctf_is_trace(const char *dir)
{
    struct arena a = { 0 };
    struct stat st;
    bool yes = stat(path_join(&a, dir, "metadata"), &st) == 0 && S_ISREG(st.st_mode);

    arena_free(&a);
    return yes;
}

/* Does the file look like a stream of this trace?  Files beside a trace
 * (notes, logs) are left alone. */
static bool looks_like_stream(const struct ctf_trace *t, const struct ctf_file *f)
{
    for (uint32_t i = 0; i < t->meta.npacket_header_fields; i++)
        if (str_is(t->meta.packet_header_fields[i].path, "magic")) {
            static const uint8_t le[] = { 0xc1, 0x1f, 0xfc, 0xc1 },
                                 be[] = { 0xc1, 0xfc, 0x1f, 0xc1 };

            return f->map.n < 4 || memcmp(f->map.p, le, 4) == 0 || memcmp(f->map.p, be, 4) == 0;
        }
    return true;
}

/* A stray file is text that people read; a damaged stream is not. */
static bool is_text(const struct fmap *map)
{
    size_t n = map->n < 512 ? map->n : 512;

    for (size_t i = 0; i < n; i++)
        if (map->p[i] < 0x20 && map->p[i] != '\n' && map->p[i] != '\t' && map->p[i] != '\r')
            return false;
    return true;
}

static void open_file(struct ctf_trace *t, const char *name, struct notes *notes)
{
    struct ctf_file f = { .path = path_join(&t->mem, t->path, name) };
    struct err err;

    f.name = path_base(f.path);
    if (fmap_open(f.path, &f.map, &err) < 0) {
        note_add(notes, NOTE_LOST, f.path, "cannot be read: %s", err.text);
        t->bad_packets++;
        return;
    }
    if (f.map.n == 0) { /* a channel that never got an event */
        fmap_close(&f.map);
        return;
    }
    if (!looks_like_stream(t, &f) && is_text(&f.map)) {
        note_add(notes, NOTE_INFO, f.path, "is not a stream of this trace: left out");
        fmap_close(&f.map);
        return;
    }
    *vec_push(&t->files) = f;
    t->bytes += f.map.n;
    ctf_packet_scan(t, (uint32_t)t->files.n - 1, notes);
    fmap_release(&t->files.at[t->files.n - 1].map); /* every packet's header was touched */
}

static int open_files(struct ctf_trace *t, struct notes *notes, struct err *err)
{
    struct dir_entry *e;
    size_t n;
    int rc = dir_list(t->path, &t->mem, &e, &n, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (e[i].is_dir || e[i].name[0] == '.' || !strcmp(e[i].name, "metadata"))
            continue;
        if (t->files.n >= LIMIT_STREAM_FILES)
            return err_set(err, E_LIMIT, "%s: over %d stream files", t->path, LIMIT_STREAM_FILES);
        open_file(t, e[i].name, notes);
    }
    ctf_packet_finish(t, notes);
    return 0;
}

/* An offset that takes times out of what 64 bits of nanoseconds hold (the years
 * 1678 to 2261) is left out, so that order and durations stay right. */
static void tame_clocks(struct ctf_trace *t, struct notes *notes)
{
    for (size_t i = 0; i < t->meta.clocks.n; i++) {
        struct ctf_clock *c = t->meta.clocks.at[i];
        __int128 ns =
            (__int128)c->offset_s * NS_PER_S + (__int128)c->offset * NS_PER_S / (__int128)c->freq;

        if (ns > NS_MIN && ns < NS_MAX)
            continue;
        note_add(notes, NOTE_WARN, t->path,
                 "clock '" STR_FMT "': its offset of %" PRId64 " s and %" PRId64
                 " cycles is outside the years 1678 to 2261; times count from the clock's start",
                 STR_ARG(c->name), c->offset_s, c->offset);
        c->offset_s = c->offset = 0;
    }
}

int ctf_trace_open(const char *dir, struct ctf_trace **ret, struct notes *notes, struct err *err)
{
    struct ctf_trace *t = xcalloc(1, sizeof *t);
    int rc;

    t->path = arena_strdup(&t->mem, dir, strlen(dir));
    rc = ctf_meta_open(path_join(&t->mem, dir, "metadata"), &t->meta, notes, err);
    if (rc == 0) {
        tame_clocks(t, notes);
        rc = open_files(t, notes, err);
    }
    if (rc < 0) {
        ctf_trace_close(t);
        return rc;
    }
    *ret = t;
    return 0;
}

void ctf_trace_close(struct ctf_trace *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->files.n; i++) {
        ctf_file_end(&t->files.at[i]);
        fmap_close(&t->files.at[i].map);
    }
    for (size_t i = 0; i < t->streams.n; i++) {
        vec_free(&t->streams.at[i]->packets);
        vec_free(&t->streams.at[i]->losses);
    }
    vec_free(&t->files);
    vec_free(&t->streams);
    ctf_meta_free(&t->meta);
    arena_free(&t->mem);
    free(t);
}
