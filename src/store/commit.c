/* SPDX-License-Identifier: Apache-2.0
 *
 * commit.c -- how a history gets into its file.
 *
 * Blocks are only ever appended.  A commit closes all blocks that are being
 * filled and appends what it alone has to tell, as streams that are cut into
 * blocks, and a commit block; then one of the two slots of the first page is
 * overwritten to point to it.  Whoever reads looks at the slots first, so that
 * the file is at any moment what it was at the last commit, however the writer
 * ends.  The last commit tells again what all before it told: the others need
 * not be read then.
 *
 * Streams of a commit (since the last one; in the last commit, all):
 *
 *   schema   families: 'F', 5 texts and numbers as in put_family(); tables: 'T';
 *            facts: 'K', key, value; a text is a varint and its bytes
 *   names    per attribute: varint family, varint bytes that its path shares with the
 *            path before, text: the rest
 *   index    u64 n, n block_refs; u64 n, n times (u32 attribute, u32 runs of it);
 *            then the run_refs of these attributes, by level and start
 *   open     per attribute whose open state is new: varint attribute, varint n (0 to 2:
 *            2 where a gap comes before it), n times (zigzag t, zigzag value), t
 *            as the difference to the commit's 'until' */
#include <zstd.h>

#include "store/read_priv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { BUF_BYTES = 1 << 20, ZSTD_LEVEL = 1, KEPT_CHANGES = 16 };

/* --- failing ----------------------------------------------------------------------- */

void w_fail(struct writer *w, const struct err *err)
{
    if (w->failed)
        return;
    w->err = *err;
    err_in(&w->err, "the history %s can't be written", w->path);
    __atomic_store_n(&w->failed, true, __ATOMIC_RELAXED);
}

void w_no_memory(struct writer *w)
{
    struct err err;

    io_no_memory(&err);
    w_fail(w, &err);
}

bool w_reserve(struct writer *w, struct out *o, size_t more)
{
    if (!w->failed && !io_reserve(o, o->n + more))
        w_no_memory(w);
    return !w->failed;
}

/* --- blocks ------------------------------------------------------------------------ */

static bool write_buf(struct writer *w)
{
    struct err err;

    if (!w->failed && w->buf.n && io_pwrite(w->fd, w->buf.at, w->buf.n, w->at, &err) < 0)
        w_fail(w, &err);
    w->at += w->buf.n;
    w->buf.n = 0;
    return !w->failed;
}

/* The payload compressed in w->packed, if that saves a tenth. */
static size_t compress(struct writer *w, const uint8_t *payload, size_t n)
{
    if (!w->zstd && !(w->zstd = ZSTD_createCCtx()))
        return n;
    if (!w_reserve(w, &w->packed, ZSTD_COMPRESSBOUND(BLOCK_MAX)))
        return n;
    size_t got = ZSTD_compressCCtx(w->zstd, w->packed.at, w->packed.cap, payload, n, ZSTD_LEVEL);
    return ZSTD_isError(got) || got > n - n / 10 ? n : got;
}

bool w_block(struct writer *w, struct block_head *h, const uint8_t *payload, size_t n,
             bool try_zstd)
{
    h->raw = h->stored = (uint32_t)n;
    h->number = w->number;
    h->codec = CODEC_RAW;
    if (try_zstd && n > 64) {
        size_t packed = compress(w, payload, n);

        if (packed < n) {
            h->codec = CODEC_ZSTD;
            h->stored = (uint32_t)packed;
            payload = w->packed.at;
        }
    }
    size_t bytes = (size_t)block_bytes(h->stored);
    if (w->buf.n + bytes > BUF_BYTES && !write_buf(w))
        return false;
    if (!w_reserve(w, &w->buf, bytes))
        return false;
    uint8_t *to = w->buf.at + w->buf.n;
    format_put_block(to, h, payload, w->file_id);
    memcpy(to + BLOCK_HEAD, payload, h->stored);
    memset(to + BLOCK_HEAD + h->stored, 0, bytes - BLOCK_HEAD - h->stored);
    w->buf.n += bytes;
    w->number++;
    return true;
}

bool w_data_block(struct writer *w, struct block_head *h, const uint8_t *payload, size_t n,
                  bool try_zstd)
{
    if (w->failed)
        return false;
    if (!io_reserve(&w->blocks, w->blocks.n + 1)) {
        w_no_memory(w);
        return false;
    }
    if (!w_block(w, h, payload, n, try_zstd))
        return false;
    uint64_t at = w->at + w->buf.n - block_bytes(h->stored);
    w->blocks.at[w->blocks.n++] = (struct block_ref){ .at = at,
                                                      .sum = h->sum,
                                                      .t0 = h->t0,
                                                      .t1 = h->t1,
                                                      .stored = h->stored,
                                                      .raw = h->raw,
                                                      .owner = h->owner,
                                                      .kind = (uint8_t)h->kind,
                                                      .codec = (uint8_t)h->codec,
                                                      .klass = h->klass };
    return true;
}

/* --- streams ----------------------------------------------------------------------- */

struct stream {
    struct writer *w;
    enum block_kind kind;
    struct out part;
};

static void stream_flush(struct stream *s)
{
    struct block_head h = { .kind = s->kind };

    if (s->part.n) /* the index is read at every opening: decoding would be a third of that */
        w_block(s->w, &h, s->part.at, s->part.n, s->kind != KIND_INDEX);
    s->part.n = 0;
}

static void stream_put(struct stream *s, const void *p, size_t n)
{
    const uint8_t *from = p;

    if (!w_reserve(s->w, &s->part, BLOCK_MAX - s->part.n))
        return;
    while (n && !s->w->failed) {
        size_t part = BLOCK_MAX - s->part.n < n ? BLOCK_MAX - s->part.n : n;

        memcpy(s->part.at + s->part.n, from, part);
        s->part.n += part;
        from += part;
        n -= part;
        if (s->part.n == BLOCK_MAX)
            stream_flush(s);
    }
}

static void stream_varint(struct stream *s, uint64_t v)
{
    uint8_t bytes[VARINT_MAX];
    struct out o = { bytes, 0, sizeof bytes };

    put_varint(&o, v);
    stream_put(s, bytes, o.n);
}

static void stream_text(struct stream *s, const char *p, size_t n)
{
    stream_varint(s, n);
    stream_put(s, p, n);
}

static void stream_z(struct stream *s, const char *z)
{
    stream_text(s, z, strlen(z));
}

static void stream_end(struct stream *s)
{
    stream_flush(s);
    io_free(&s->part);
}

static void put_family(struct stream *s, const struct store_family *f)
{
    stream_put(s, "F", 1);
    stream_z(s, f->pattern);
    stream_z(s, f->title);
    stream_z(s, f->unit);
    stream_varint(s, f->type);
    stream_varint(s, f->nvalues);
    for (uint32_t i = 0; i < f->nvalues; i++) {
        stream_z(s, f->values[i].label);
        stream_z(s, f->values[i].colour);
        stream_varint(s, f->values[i].bad);
    }
}

static void put_table(struct stream *s, const struct store_table *t)
{
    stream_put(s, "T", 1);
    stream_z(s, t->name);
    stream_varint(s, t->ncolumns);
    for (uint32_t i = 0; i < t->ncolumns; i++) {
        stream_z(s, t->columns[i].name);
        stream_varint(s, t->columns[i].type);
    }
}

static void put_schema(struct writer *w)
{
    struct stream s = { .w = w, .kind = KIND_SCHEMA };

    for (size_t i = w->told.families; i < w->families.n; i++)
        put_family(&s, w->families.at[i].def);
    for (size_t i = w->told.tables; i < w->tables.n; i++)
        put_table(&s, w->tables.at[i].def);
    for (size_t i = 0; i < w->facts.n; i++) {
        stream_put(&s, "K", 1);
        stream_z(&s, w->facts.at[i].key);
        stream_text(&s, w->facts.at[i].value, w->facts.at[i].n);
    }
    stream_end(&s);
}

static void put_names(struct writer *w)
{
    struct stream s = { .w = w, .kind = KIND_NAMES };
    size_t i = w->told.names;

    if (i < w->paths_at.n) {
        size_t to = w->paths.n;

        stream_put(&s, w->paths.at + w->paths_at.at[i], to - w->paths_at.at[i]);
    }
    stream_end(&s);
}

static void put_index(struct writer *w)
{
    struct stream s = { .w = w, .kind = KIND_INDEX };
    struct new_run *runs = w->runs.at + w->told.runs;
    uint64_t nblocks = w->blocks.n - w->told.blocks, n = w->runs.n - w->told.runs, groups = 0;

    stream_put(&s, &nblocks, 8);
    if (nblocks)
        stream_put(&s, w->blocks.at + w->told.blocks, nblocks * sizeof *w->blocks.at);
    if (n)
        qsort(runs, n, sizeof *runs, run_order);
    for (size_t i = 0; i < n; i++)
        groups += i == 0 || runs[i].attr != runs[i - 1].attr;
    stream_put(&s, &groups, 8);
    for (size_t i = 0; i < n;) {
        uint32_t pair[2] = { runs[i].attr, 0 };

        for (; i < n && runs[i].attr == pair[0]; i++)
            pair[1]++;
        stream_put(&s, pair, sizeof pair);
    }
    for (size_t i = 0; i < n; i++)
        stream_put(&s, &runs[i].ref, sizeof runs[i].ref);
    stream_end(&s);
}

static void put_open(struct stream *s, attr_t attr, ns_t until)
{
    const struct w_attr *a = &s->w->attrs.at[attr];

    stream_varint(s, attr);
    stream_varint(s, a->n);
    for (uint32_t i = 0; i < a->n; i++) {
        stream_varint(s, zigzag((int64_t)((uint64_t)a->at[i].t - (uint64_t)until)));
        stream_varint(s, zigzag(a->at[i].v));
    }
}

/* --- commits ----------------------------------------------------------------------- */

static void flush_changes(struct writer *w, bool finished)
{
    size_t count = finished ? w->attrs.n : w->touched.n;

    for (size_t i = 0; i < count && !w->failed; i++) {
        attr_t attr = finished ? (attr_t)i : w->touched.at[i];

        w_intervals(w, attr, finished);
        w_sums_flush(w, attr);
    }
}

static void put_streams(struct writer *w, ns_t until, bool finished)
{
    struct stream open = { .w = w, .kind = KIND_OPEN };

    put_schema(w);
    put_names(w);
    put_index(w);
    if (finished)
        for (size_t i = 0; i < w->attrs.n; i++)
            put_open(&open, (attr_t)i, until);
    else
        for (size_t i = 0; i < w->touched.n; i++)
            put_open(&open, w->touched.at[i], until);
    stream_end(&open);
}

static void write_slot(struct writer *w, unsigned i, const struct slot *slot)
{
    uint8_t bytes[FORMAT_SLOT_SIZE];
    struct err err;

    format_put_slot(bytes, slot, w->file_id);
    if (!w->failed &&
        io_pwrite(w->fd, bytes, sizeof bytes, FORMAT_SLOT * (1 + (uint64_t)i), &err) < 0)
        w_fail(w, &err);
}

static void sync_file(struct writer *w)
{
    struct err err;

    if (w->durable && !w->failed && fdatasync(w->fd) < 0) {
        err_set(&err, E_IO, "%s", strerror(errno));
        w_fail(w, &err);
    }
}

void w_all_told(struct writer *w)
{
    w->told.blocks = w->blocks.n;
    w->told.runs = w->runs.n;
    w->told.names = w->attrs.n;
    w->told.families = w->families.n;
    w->told.tables = w->tables.n;
    w->bytes_at_commit = w->at;
    w->held_at_commit = w->held;
}

static void begin_next(struct writer *w)
{
    for (size_t i = 0; i < w->touched.n; i++) {
        struct w_attr *a = &w->attrs.at[w->touched.at[i]];

        a->touched = false;
        if (a->cap > KEPT_CHANGES) { /* what is hot will grow again */
            w->held -= a->cap * sizeof *a->at;
            void *small = io_realloc(a->at, KEPT_CHANGES * sizeof *a->at);
            a->at = small ? small : a->at;
            a->cap = small ? KEPT_CHANGES : a->cap;
            w->held += a->cap * sizeof *a->at;
        }
    }
    w->touched.n = 0;
    w_all_told(w);
}

int w_commit(struct writer *w, ns_t until, bool finished, struct err *err)
{
    struct block_head h = { .kind = KIND_COMMIT };
    struct commit *c = &w->last;
    uint8_t bytes[COMMIT_BYTES];

    flush_changes(w, finished);
    w_close_all(w);
    w_rows_flush(w);
    w_texts_flush(w);
    if (finished) /* tell all again */
        memset(&w->told, 0, sizeof w->told);
    c->number++;
    c->until = until;
    c->finished = finished;
    c->before = finished ? 0 : w->commit_at;
    c->meta_at = w->at + w->buf.n;
    put_streams(w, until, finished);
    c->blocks = w->blocks.n;
    c->attrs = w->attrs.n;
    c->texts = w->ntexts;
    c->families = w->families.n;
    c->tables = w->tables.n;
    format_put_commit(bytes, c);
    uint64_t at = w->at + w->buf.n;
    w_block(w, &h, bytes, sizeof bytes, false);
    write_buf(w);
    sync_file(w);
    struct slot slot = { c->number, w->at, at, finished };
    write_slot(w, c->number % 2, &slot);
    if (finished) /* one damaged slot must not bring an older commit back */
        write_slot(w, (c->number + 1) % 2, &slot);
    sync_file(w);
    if (w->failed) {
        *err = w->err;
        return -(int)w->err.code;
    }
    w->commit_at = at;
    begin_next(w);
    return 0;
}

bool w_begin(struct writer *w)
{
    uint8_t page[FORMAT_PAGE];
    struct err err;

    format_put_head(page, w->file_id, (uint32_t)getpid());
    if (io_pwrite(w->fd, page, sizeof page, 0, &err) < 0)
        w_fail(w, &err);
    w->at = FORMAT_PAGE;
    return !w->failed;
}

void w_free(struct writer *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->attrs.n; i++) {
        free(w->attrs.at[i].at);
        sums_free(w->attrs.at[i].sums);
    }
    for (size_t i = 0; i < w->families.n; i++) {
        struct w_family *f = &w->families.at[i];

        for (int k = 0; k <= CLASSES; k++) {
            struct filling *fill = k < CLASSES ? &f->intervals[k] : &f->summaries;

            io_free(&fill->bytes);
            io_free(&fill->runs);
        }
    }
    for (size_t i = 0; i < w->tables.n; i++)
        free(w->tables.at[i].at);
    for (size_t i = 0; i < w->facts.n; i++) {
        free(w->facts.at[i].key);
        free(w->facts.at[i].value);
    }
    io_free(&w->attrs);
    io_free(&w->families);
    io_free(&w->tables);
    io_free(&w->shapes);
    io_free(&w->facts);
    io_free(&w->touched);
    free(w->names.slots);
    free(w->texts.slots);
    io_free(&w->paths);
    io_free(&w->paths_at);
    io_free(&w->last_path);
    io_free(&w->text);
    io_free(&w->text_sizes);
    io_free(&w->blocks);
    io_free(&w->runs);
    io_free(&w->buf);
    io_free(&w->scratch);
    io_free(&w->packed);
    ZSTD_freeCCtx(w->zstd);
    reader_free(w->before);
    free(w->path);
    if (w->fd >= 0)
        close(w->fd);
    free(w);
}
