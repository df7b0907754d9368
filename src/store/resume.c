/* SPDX-License-Identifier: Apache-2.0
 *
 * resume.c -- going on with a history whose writer died: what its last commit says
 * becomes the state of a new writer. */
#include "store/read_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static bool resume_attr(struct store *s, const struct reader *r, attr_t a)
{
    struct writer *w = s->w;
    const struct tail *tail = &r->tails[a];
    struct w_attr *at;

    if (store_attr(s, r->families.at[r->attr_family.at[a]],
                   store_attr_path(&(struct store){ .r = w->before }, a)) != a ||
        w->failed)
        return false;
    at = &w->attrs.at[a];
    at->told = r->first_run[a + 1] > r->first_run[a];
    if (tail->n && !(at->at = io_alloc(4 * sizeof *at->at)))
        return false;
    at->cap = tail->n ? 4 : 0;
    at->n = (uint16_t)tail->n;
    for (uint32_t i = 0; i < tail->n; i++)
        at->at[i] = (struct change){ tail->t[i], tail->v[i] };
    w->held += at->cap * sizeof *at->at;
    return true;
}

static bool resume_index(struct writer *w, const struct reader *r)
{
    if (!io_reserve(&w->blocks, r->blocks.n + 1) || !io_reserve(&w->runs, r->nruns + 1))
        return false;
    if (r->blocks.n)
        memcpy(w->blocks.at, r->blocks.at, r->blocks.n * sizeof *w->blocks.at);
    w->blocks.n = r->blocks.n;
    for (size_t i = 0; i < r->blocks.n; i++) {
        const struct block_ref *b = &r->blocks.at[i];

        w->interval_bytes += b->kind == KIND_INTERVALS ? b->raw : 0;
        w->summary_bytes += b->kind == KIND_SUMMARIES ? b->raw : 0;
    }
    for (size_t a = 0; a < r->nattrs; a++)
        for (uint32_t i = r->first_run[a]; i < r->first_run[a + 1]; i++)
            w->runs.at[w->runs.n++] = (struct new_run){ r->runs[i], (uint32_t)a };
    return true;
}

/* Their numbers must stay what they are. */
static bool resume_texts(struct writer *w, struct reader *r)
{
    uint64_t lost = atomic_load(&r->nlost);

    for (uint64_t i = 0; i < r->c.texts; i++)
        if (ids_find(&w->texts, w->seed, reader_text(r, i), (uint32_t)i, true) == UINT32_MAX)
            return false;
    w->ntexts = r->c.texts;
    return atomic_load(&r->nlost) == lost;
}

static bool resume_all(struct store *s, struct reader *r)
{
    struct writer *w = s->w;
    bool ok = true;

    for (size_t i = 0; i < r->families.n && ok; i++) {
        ok = io_reserve(&w->families, i + 1);
        if (ok) {
            memset(&w->families.at[i], 0, sizeof *w->families.at);
            w->families.at[w->families.n++].def = r->families.at[i];
        }
    }
    for (size_t i = 0; i < r->path_ends.n && ok; i++)
        ok = resume_attr(s, r, (attr_t)i);
    for (size_t i = 0; i < r->tables.n && ok; i++)
        ok = store_table(s, r->tables.at[i]) == i && !w->failed;
    for (size_t i = 0; i < r->facts.n && ok; i++)
        store_set_fact(s, r->facts.at[i].key,
                       (struct str){ r->facts.at[i].value, r->facts.at[i].n });
    return ok && !w->failed && resume_index(w, r) && resume_texts(w, r);
}

/* The number of the commit block, which is the last one. */
static int last_number(const struct reader *r, uint32_t *ret, struct err *err)
{
    uint8_t head[BLOCK_HEAD];
    struct block_head h;
    int rc = io_pread(r->fd, head, sizeof head, r->commit_at, err);

    if (rc == 0 && !format_get_block(head, &h))
        rc = err_set(err, E_CORRUPT, "the last commit is damaged");
    if (rc == 0)
        *ret = h.number;
    return rc;
}

static int resume(struct store *s, struct reader *r, struct err *err)
{
    struct writer *w = s->w;
    uint32_t number = 0;
    int rc = last_number(r, &number, err);

    if (rc < 0)
        return rc;
    w->before = r;
    w->file_id = r->file_id;
    if (!resume_all(s, r)) {
        if (w->failed)
            *err = w->err;
        else
            io_no_memory(err);
        return err_in(err, "what was written can't be gone on with");
    }
    w->last = r->c;
    w->commit_at = r->commit_at;
    w->at = r->bytes;
    w->number = number + 1;
    w->now = r->c.until;
    w_all_told(w);
    if (ftruncate(w->fd, (off_t)w->at) < 0)
        return err_set(err, E_IO, "%s", strerror(errno));
    return 0;
}

int store_resume(const char *path, const struct store_options *o, struct store **ret,
                 struct err *err)
{
    int fd = open(path, O_RDWR | O_CLOEXEC), mine, rc;
    struct reader *r = NULL;
    struct store *s = NULL;

    if (fd < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    rc = store_lock(path, fd, err);
    mine = rc == 0 ? dup(fd) : -1;
    if (rc == 0 && mine < 0)
        rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (rc == 0 && (rc = reader_open(mine, path, &r, err)) < 0)
        close(mine);
    if (rc == 0 && r->c.finished)
        rc = err_set(err, E_ARG, "%s is finished: there is nothing to go on with", path);
    if (rc == 0 && !(s = store_alloc(store_fact(&(struct store){ .r = r }, "host").p, path, fd)))
        rc = io_no_memory(err);
    if (!s)
        close(fd);
    if (rc == 0) {
        s->w->durable = o && o->durable;
        rc = resume(s, r, err);
    }
    if (rc < 0) {
        if (s)
            err_in(err, "%s", path);
        if (!s || s->w->before != r)
            reader_free(r);
        store_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}
