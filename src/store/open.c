/* SPDX-License-Identifier: Apache-2.0
 *
 * open.c -- opening a history, and looking what was committed since.
 *
 * The newest valid slot leads to the last commit, and from there back to the
 * first one that is not known yet; what they tell is added up, in their order.
 * A finished history's last commit tells all.  commit.c has the streams. */
#include "store/meta_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* What a commit tells, decoded. */
struct streams {
    struct out of[KINDS];
};

/* A commit that is being read. */
struct step {
    struct commit c;
    uint64_t at;
    struct streams streams;
};
struct steps_back {
    struct step *at;
    size_t n, cap;
};

/* --- the first page ---------------------------------------------------------------- */

static int read_head(int fd, const char *path, uint64_t *ret_id, struct err *err)
{
    uint8_t page[FORMAT_PAGE], mine[FORMAT_PAGE];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, E_ARG, "%s is no regular file", path);
    if (st.st_size < FORMAT_PAGE)
        return err_set(err, E_CORRUPT, "%s has %lld bytes: no history is that short", path,
                       (long long)st.st_size);
    if (io_pread(fd, page, sizeof page, 0, err) < 0)
        return err_in(err, "%s", path);
    if (memcmp(page, FORMAT_MAGIC, 8) != 0)
        return err_set(err, E_CORRUPT, "%s is no history: it does not begin with " FORMAT_MAGIC,
                       path);
    if (get32(page + 8) != FORMAT_VERSION)
        return err_set(err, E_UNSUP,
                       "%s is a history of version %u, this program reads version %d: "
                       "build it again from the traces",
                       path, get32(page + 8), FORMAT_VERSION);
    *ret_id = get64(page + 16);
    format_put_head(mine, *ret_id, get32(page + 24));
    if (memcmp(page, mine, 64) != 0)
        return err_set(err, E_CORRUPT, "%s: its first 64 bytes are damaged", path);
    return 0;
}

static int read_commit(int fd, uint64_t file_id, uint64_t at, struct commit *ret, struct err *err)
{
    uint8_t block[BLOCK_HEAD + COMMIT_BYTES];
    struct block_head h;
    int rc = io_pread(fd, block, sizeof block, at, err);

    if (rc < 0)
        return rc;
    if (!format_get_block(block, &h) || h.kind != KIND_COMMIT || h.stored != COMMIT_BYTES ||
        format_block_sum(block, block + BLOCK_HEAD, COMMIT_BYTES, file_id) != h.sum)
        return err_set(err, E_CORRUPT, "the commit at byte %llu is damaged",
                       (unsigned long long)at);
    format_get_commit(block + BLOCK_HEAD, ret);
    if (ret->meta_at > at || ret->meta_at < FORMAT_PAGE)
        return err_set(err, E_CORRUPT, "the commit at byte %llu makes no sense",
                       (unsigned long long)at);
    return 0;
}

/* The newest commit that a slot leads to, and whose block is whole. */
static int read_slots(int fd, const char *path, uint64_t file_id, struct slot *ret,
                      struct commit *ret_commit, struct err *err)
{
    uint8_t slots[FORMAT_SLOT + FORMAT_SLOT_SIZE];
    struct slot best = { 0 }, s;
    struct stat st;
    bool any = false;
    int rc = io_pread(fd, slots, sizeof slots, FORMAT_SLOT, err);

    if (rc == 0 && fstat(fd, &st) < 0)
        rc = err_set(err, E_IO, "%s", strerror(errno));
    if (rc < 0)
        return err_in(err, "%s", path);
    for (int i = 0; i < 2; i++) {
        struct commit c;

        any |= get64(slots + i * FORMAT_SLOT) != 0;
        if (!format_get_slot(slots + i * FORMAT_SLOT, file_id, &s) || s.number < best.number ||
            s.bytes > (uint64_t)st.st_size || s.commit_at < FORMAT_PAGE || s.commit_at > s.bytes ||
            s.bytes - s.commit_at < BLOCK_HEAD + COMMIT_BYTES ||
            read_commit(fd, file_id, s.commit_at, &c, err) < 0 || c.number != s.number)
            continue;
        best = s;
        *ret_commit = c;
    }
    if (best.number == 0)
        return err_set(err, E_CORRUPT,
                       any ? "%s: what it points to is damaged or cut off"
                           : "%s: nothing was committed before its writer ended",
                       path);
    *ret = best;
    return 0;
}

/* --- streams ----------------------------------------------------------------------- */

static void streams_free(struct streams *s)
{
    for (int i = 0; i < KINDS; i++)
        io_free(&s->of[i]);
}

/* Adds the block at 'at' to its stream; '*ret_bytes': how long it is in the file. */
static int read_piece(struct reader *r, uint64_t at, uint64_t end, struct streams *s,
                      uint64_t *ret_bytes, struct err *err)
{
    uint8_t head[BLOCK_HEAD];
    struct block_head h;
    int rc;

    if (end - at < BLOCK_HEAD)
        return err_set(err, E_CORRUPT, "there is no block at byte %llu", (unsigned long long)at);
    if ((rc = io_pread(r->fd, head, sizeof head, at, err)) < 0)
        return rc;
    if (!format_get_block(head, &h) || block_bytes(h.stored) > end - at)
        return err_set(err, E_CORRUPT, "there is no block at byte %llu", (unsigned long long)at);
    struct out *o = &s->of[h.kind];
    if ((r->streamed += h.raw) > meta_limit(r))
        return err_set(err, E_LIMIT, "its index is larger than it can be");
    if (!io_reserve(o, o->n + h.raw + BLOCK_SLACK))
        return io_no_memory(err);
    struct block_ref ref = {
        .at = at, .sum = h.sum, .stored = h.stored, .raw = h.raw, .kind = (uint8_t)h.kind
    };
    if (block_read(r->fd, &ref, r->file_id, o->at + o->n, err) < 0)
        return err_in(err, "block at byte %llu", (unsigned long long)at);
    o->n += h.raw;
    *ret_bytes = block_bytes(h.stored);
    return 0;
}

static int read_streams(struct reader *r, const struct commit *c, uint64_t end, struct streams *ret,
                        struct err *err)
{
    uint64_t n = 0;
    int rc = 0;

    for (uint64_t at = c->meta_at; at < end && rc == 0; at += n)
        rc = read_piece(r, at, end, ret, &n, err);
    return rc;
}

/* --- commits ----------------------------------------------------------------------- */

/* The commits from 'last' back to what is known, and what they tell. */
static int find_steps(struct reader *r, const struct commit *last, uint64_t at,
                      struct steps_back *ret, struct err *err)
{
    struct commit c = *last;

    for (;;) {
        if (!io_reserve(ret, ret->n + 1))
            return io_no_memory(err);
        struct step *s = &ret->at[ret->n++];
        *s = (struct step){ .c = c, .at = at };
        int rc = read_streams(r, &c, at, &s->streams, err);
        if (rc < 0)
            return rc;
        if (c.before == 0 || c.before == r->commit_at)
            return 0;
        if (c.before < FORMAT_PAGE || c.before >= c.meta_at)
            return err_set(err, E_CORRUPT, "its chain of commits makes no sense");
        at = c.before;
        if ((rc = read_commit(r->fd, r->file_id, at, &c, err)) < 0)
            return rc;
    }
}

/* What will be the reader's, when all has been read. */
struct found {
    struct sorted_runs runs;
    struct tail *tails;
    _Atomic(struct frame *) *frames;
    uint32_t *row_blocks, *first_row_block;
};

/* The blocks of rows of each table, in the order of the file. */
static bool list_row_blocks(const struct reader *r, struct found *ret)
{
    uint32_t *first = io_calloc(r->tables.n + 2, sizeof *first);

    ret->first_row_block = first;
    ret->row_blocks = io_alloc(r->blocks.n * sizeof *ret->row_blocks);
    if (!first || !ret->row_blocks)
        return false;
    for (size_t i = 0; i < r->blocks.n; i++)
        if (r->blocks.at[i].kind == KIND_ROWS)
            first[r->blocks.at[i].owner + 2]++;
    for (size_t t = 0; t < r->tables.n; t++)
        first[t + 2] += first[t + 1];
    for (size_t i = 0; i < r->blocks.n; i++) /* first[t + 1] moves to where t ends */
        if (r->blocks.at[i].kind == KIND_ROWS)
            ret->row_blocks[first[r->blocks.at[i].owner + 1]++] = (uint32_t)i;
    return true;
}

static int read_step(struct reader *r, const struct step *s, struct run_heap *runs, struct err *err)
{
    bool all = s->c.before == 0;
    int rc = meta_schema(r, &s->streams.of[KIND_SCHEMA], all, err);

    if (rc == 0)
        rc = meta_names(r, &s->streams.of[KIND_NAMES], all, err);
    if (rc == 0)
        rc = meta_index(r, &s->streams.of[KIND_INDEX], all, runs, err);
    return rc;
}

static int make_found(const struct reader *r, const struct steps_back *steps, struct run_heap *runs,
                      struct found *ret, struct err *err)
{
    size_t n = r->path_ends.n;
    int rc = meta_sort(r, runs, steps->at[steps->n - 1].c.before == 0, &ret->runs, err);

    if (rc < 0)
        return rc;
    ret->frames = io_calloc(r->blocks.n, sizeof *ret->frames);
    ret->tails = io_calloc(n, sizeof *ret->tails);
    if (!ret->frames || !ret->tails || !list_row_blocks(r, ret))
        return io_no_memory(err);
    if (r->nattrs)
        memcpy(ret->tails, r->tails, r->nattrs * sizeof *r->tails);
    for (size_t i = steps->n; i-- > 0 && rc == 0;) {
        const struct step *s = &steps->at[i];

        rc = meta_open(r, &s->streams.of[KIND_OPEN], s->c.until, ret->tails, err);
    }
    return rc;
}

static void take_found(struct reader *r, const struct found *f)
{
    cache_forget(r); /* the frames point to the places that go */
    free(r->frames);
    free(r->tails);
    free(r->runs);
    free(r->first_run);
    free(r->leaf_runs);
    r->frames = f->frames;
    r->nframes = r->blocks.n;
    r->tails = f->tails;
    r->runs = f->runs.at;
    r->nruns = f->runs.n;
    r->first_run = f->runs.first;
    r->leaf_runs = f->runs.leaves;
    r->nattrs = r->path_ends.n;
    free(r->row_blocks);
    free(r->first_row_block);
    r->row_blocks = f->row_blocks;
    r->first_row_block = f->first_row_block;
}

static int counts_right(const struct reader *r, const struct commit *last, struct err *err)
{
    uint64_t texts = r->texts.n ? r->texts.at[r->texts.n - 1].behind : 0;

    if (last->attrs != r->path_ends.n || last->texts != texts || last->blocks != r->blocks.n)
        return err_set(err, E_CORRUPT, "its index makes no sense");
    return 0;
}

/* Reads what was committed since, or nothing at all. */
static int load(struct reader *r, const struct slot *slot, const struct commit *last,
                struct err *err)
{
    const struct reader_marks marks = { r->families.n,  r->tables.n, r->path_text.n,
                                        r->path_ends.n, r->blocks.n, r->texts.n };
    struct steps_back steps = { 0 };
    struct run_heap runs = { 0 };
    struct found found = { 0 };
    uint64_t bytes = r->bytes;
    int rc;

    r->bytes = slot->bytes;
    r->streamed = 0;
    rc = find_steps(r, last, slot->commit_at, &steps, err);
    for (size_t i = steps.n; i-- > 0 && rc == 0;)
        rc = read_step(r, &steps.at[i], &runs, err);
    if (rc == 0)
        rc = make_found(r, &steps, &runs, &found, err);
    if (rc == 0)
        rc = counts_right(r, last, err);
    if (rc == 0) {
        take_found(r, &found);
        r->c = *last;
        r->commit_at = slot->commit_at;
    } else {
        free(found.runs.at);
        free(found.runs.first);
        free(found.runs.leaves);
        free(found.frames);
        free(found.tails);
        free(found.row_blocks);
        free(found.first_row_block);
        meta_undo(r, &marks);
        r->bytes = bytes;
    }
    io_free(&runs);
    for (size_t i = 0; i < steps.n; i++)
        streams_free(&steps.at[i].streams);
    io_free(&steps);
    return rc < 0 ? err_in(err, "%s", r->path) : 0;
}

int reader_open(int fd, const char *path, struct reader **ret, struct err *err)
{
    struct reader *r = io_calloc(1, sizeof *r);
    struct commit last;
    struct slot slot;
    int rc;

    *ret = NULL;
    if (!r)
        return io_no_memory(err);
    pthread_mutex_init(&r->lock, NULL);
    r->fd = -1; /* not ours before all is well */
    r->path = strdup(path);
    rc = r->path ? read_head(fd, path, &r->file_id, err) : io_no_memory(err);
    if (rc == 0)
        rc = read_slots(fd, path, r->file_id, &slot, &last, err);
    if (rc == 0) {
        r->fd = fd;
        rc = load(r, &slot, &last, err);
    }
    if (rc < 0) {
        r->fd = -1;
        reader_free(r);
        return rc;
    }
    *ret = r;
    return 0;
}

int store_open(const char *path, struct store **ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
    struct store *s;

    if (fd < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (!(s = io_calloc(1, sizeof *s))) {
        close(fd);
        return io_no_memory(err);
    }
    rc = reader_open(fd, path, &s->r, err);
    if (rc < 0)
        close(fd);
    else if (!(s->host = strdup(store_fact(s, "host").p)))
        rc = io_no_memory(err);
    if (rc < 0) {
        store_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

int store_refresh(struct store *s, struct err *err)
{
    struct reader *r = s->r;
    struct commit last;
    struct slot slot;
    int rc = read_slots(r->fd, r->path, r->file_id, &slot, &last, err);

    if (rc < 0)
        return rc;
    if (slot.number <= r->c.number)
        return 0;
    rc = load(r, &slot, &last, err);
    return rc < 0 ? rc : 1;
}

void reader_lost(struct reader *r, uint32_t block, const struct err *err)
{
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->lost.n; i++)
        if (r->lost.at[i].block == block) {
            pthread_mutex_unlock(&r->lock);
            return;
        }
    if (io_reserve(&r->lost, r->lost.n + 1)) {
        r->lost.at[r->lost.n++] = (struct lost_block){ block, strdup(err->text) };
        atomic_fetch_add(&r->nlost, 1);
    }
    pthread_mutex_unlock(&r->lock);
}

void reader_free(struct reader *r)
{
    if (!r)
        return;
    cache_forget(r);
    free(r->frames);
    for (size_t i = 0; i < r->texts.n; i++)
        free(atomic_load(&r->texts.at[i].text));
    meta_free(r);
    for (size_t i = 0; i < r->lost.n; i++)
        free(r->lost.at[i].sentence);
    io_free(&r->lost);
    free(r->runs);
    free(r->tails);
    free(r->first_run);
    free(r->leaf_runs);
    free(r->row_blocks);
    free(r->first_row_block);
    free(r->names.slots);
    pthread_mutex_destroy(&r->lock);
    free(r->path);
    if (r->fd >= 0)
        close(r->fd);
    free(r);
}
