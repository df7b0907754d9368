/* SPDX-License-Identifier: Apache-2.0
 *
 * write.c -- filling a history: attributes and their changes.  See store_priv.h. */
#define _GNU_SOURCE
#include "store/behind.h"
#include "store/read_priv.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    COMMIT_BYTES_WRITTEN = 32 << 20, /* since the last commit: time for another */
    HELD_BYTES = 24 << 20,           /* of changes and rows in memory           */
};

/* --- making ------------------------------------------------------------------------ */

struct store *store_alloc(const char *host, const char *path, int fd)
{
    struct store *s = io_calloc(1, sizeof *s);
    struct writer *w = io_calloc(1, sizeof *w);

    if (s && w) {
        s->host = strdup(host);
        w->path = strdup(path);
        w->fd = fd;
        w->now = NS_MIN;
        w->last.t0 = NS_MAX;
        w->last.t1 = NS_MIN;
        w->last.until = NS_MIN;
    }
    if (!s || !w || !s->host || !w->path) {
        if (w)
            free(w->path);
        free(w);
        free(s ? s->host : NULL);
        free(s);
        return NULL;
    }
    s->w = w;
    if (getrandom(&w->file_id, sizeof w->file_id, 0) != sizeof w->file_id ||
        getrandom(&w->seed, sizeof w->seed, 0) != sizeof w->seed)
        w->file_id = w->seed = (uint64_t)getpid() * UINT64_C(0x9E3779B97F4A7C15);
    store_set_fact(s, "host", str_of(host));
    return s;
}

int store_lock(const char *path, int fd, struct err *err)
{
    uint8_t head[32] = { 0 };

    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return err_set(err, E_IO, "%s can't be locked for writing: %s", path, strerror(errno));
    if (pread(fd, head, sizeof head, 0) == sizeof head)
        return err_set(err, E_IO, "%s is being written by another process (%u)", path,
                       get32(head + 24));
    return err_set(err, E_IO, "%s is being written by another process", path);
}

/* Opens 'path' as a new, empty, locked file.  A file that was there keeps its bytes for
 * those who have it open. */
static int open_new(const char *path, int *ret, struct err *err)
{
    for (int tries = 0; tries < 16; tries++) {
        int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc;
        struct stat mine, now;

        if (fd < 0)
            return err_set(err, E_IO, "%s can't be made: %s", path, strerror(errno));
        if ((rc = store_lock(path, fd, err)) < 0) {
            close(fd);
            return rc;
        }
        bool same = fstat(fd, &mine) == 0 && stat(path, &now) == 0 && mine.st_ino == now.st_ino &&
                    mine.st_dev == now.st_dev;
        if (same && !S_ISREG(mine.st_mode)) {
            close(fd);
            return err_set(err, E_IO, "%s is no regular file", path);
        }
        if (same && mine.st_size == 0) {
            *ret = fd;
            return 0;
        }
        if (same && unlink(path) < 0)
            rc = err_set(err, E_IO, "%s can't be replaced: %s", path, strerror(errno));
        close(fd);
        if (rc < 0)
            return rc;
    }
    return err_set(err, E_IO, "%s is made and removed by others all the time", path);
}

int store_create(const char *path, const char *host, const struct store_options *o,
                 struct store **ret, struct err *err)
{
    struct store *s;
    int fd, rc;

    if ((rc = open_new(path, &fd, err)) < 0)
        return rc;
    if (!(s = store_alloc(host, path, fd))) {
        close(fd);
        return io_no_memory(err);
    }
    s->w->durable = o && o->durable;
    if (!w_begin(s->w)) {
        *err = s->w->err;
        unlink(path);
        store_free(s);
        return -(int)err->code;
    }
    *ret = s;
    return 0;
}

struct store *store_new(const char *host)
{
    int fd = memfd_create("history", MFD_CLOEXEC);
    struct store *s = store_alloc(host, "in memory", fd);

    if (!s) {
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    if (fd < 0) {
        struct err err;

        err_set(&err, E_IO, "there can be no file in memory: %s", strerror(errno));
        w_fail(s->w, &err);
    }
    w_begin(s->w);
    return s;
}

static void stop_behind(struct store *s)
{
    behind_end(s->behind);
    s->behind = NULL;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    stop_behind(s);
    w_free(s->w);
    reader_free(s->r);
    free(s->host);
    free(s);
}

const char *store_host(const struct store *s)
{
    return s->host;
}

/* --- names ------------------------------------------------------------------------- */

static uint32_t family_of(struct writer *w, const struct store_family *f)
{
    for (size_t i = w->families.n; i-- > 0;)
        if (w->families.at[i].def == f)
            return (uint32_t)i;
    for (size_t i = 0; i < w->families.n; i++) /* of a history that goes on */
        if (!strcmp(w->families.at[i].def->pattern, f->pattern) &&
            w->families.at[i].def->type == f->type)
            return (uint32_t)i;
    assert(f->nvalues <= STORE_MAX_VALUES);
    if (!io_reserve(&w->families, w->families.n + 1)) {
        w_no_memory(w);
        return 0;
    }
    memset(&w->families.at[w->families.n], 0, sizeof *w->families.at);
    w->families.at[w->families.n].def = f;
    return (uint32_t)w->families.n++;
}

/* The attribute's entry in the stream of names. */
static void put_path(struct writer *w, uint32_t family, struct str path)
{
    struct str before = { (const char *)w->last_path.at, w->last_path.n };
    size_t same = 0, most = before.n < path.n ? before.n : path.n;

    while (same < most && before.p[same] == path.p[same])
        same++;
    w->last_path.n = 0;
    if (!w_reserve(w, &w->paths, 3 * VARINT_MAX + path.n) || !w_reserve(w, &w->last_path, path.n))
        return;
    put_varint(&w->paths, family);
    put_varint(&w->paths, same);
    put_varint(&w->paths, path.n - same);
    memcpy(w->paths.at + w->paths.n, path.p + same, path.n - same);
    w->paths.n += path.n - same;
    memcpy(w->last_path.at, path.p, path.n);
    w->last_path.n = path.n;
}

void w_add_attr(struct writer *w, const struct store_family *f, struct str path)
{
    uint32_t family = family_of(w, f);

    if (w->failed)
        return;
    if (!io_reserve(&w->attrs, w->attrs.n + 1) || !io_reserve(&w->paths_at, w->paths_at.n + 1)) {
        w_no_memory(w);
        return;
    }
    w->paths_at.at[w->paths_at.n++] = w->paths.n;
    put_path(w, family, path);
    w->attrs.at[w->attrs.n++] = (struct w_attr){ .family = family };
}

attr_t store_attr(struct store *s, const struct store_family *f, struct str path)
{
    struct writer *w = s->w;
    uint32_t n = (uint32_t)(s->behind ? w->given_attrs : w->attrs.n);

    assert(path.n > 0);
    if (w_has_failed(w))
        return 0;
    uint32_t id = ids_find(&w->names, w->seed, path, n, true);
    if (id < n)
        return id;
    if (id == n && s->behind && behind_attr(s->behind, f, path)) {
        w->given_attrs++;
        return id;
    }
    store_drain(s);
    if (id == UINT32_MAX)
        w_no_memory(w);
    else
        w_add_attr(w, f, path);
    w->given_attrs = w->attrs.n;
    return w->failed ? 0 : id;
}

void store_set_fact(struct store *s, const char *key, struct str value)
{
    struct writer *w = s->w;
    struct fact *f = NULL;
    char *copy = io_alloc(value.n + 1);

    store_drain(s);
    if (copy && value.n)
        memcpy(copy, value.p, value.n);
    for (size_t i = 0; i < w->facts.n && !f; i++)
        if (!strcmp(w->facts.at[i].key, key))
            f = &w->facts.at[i];
    if (!f && copy && io_reserve(&w->facts, w->facts.n + 1)) {
        f = &w->facts.at[w->facts.n];
        *f = (struct fact){ .key = strdup(key) };
        w->facts.n += f->key != NULL;
        f = f->key ? f : NULL;
    }
    if (!f || !copy) {
        free(copy);
        w_no_memory(w);
        return;
    }
    free(f->value);
    f->value = copy;
    f->n = value.n;
}

/* --- changes ----------------------------------------------------------------------- */

static bool room_for_change(struct writer *w, struct w_attr *a)
{
    uint16_t cap = a->cap < 4 ? 4 : a->cap < 16 ? 16 : a->cap < 64 ? 64 : RUN_MAX + 1;
    struct change *at = io_realloc(a->at, cap * sizeof *at);

    if (!at) {
        w_no_memory(w);
        return false;
    }
    w->held += (uint64_t)(cap - a->cap) * sizeof *at;
    a->at = at;
    a->cap = cap;
    return true;
}

/* Commits when much was written or is held. */
void w_relieve(struct writer *w)
{
    struct err err;

    if (w->held > w->held_at_commit + HELD_BYTES ||
        w->at + w->buf.n - w->bytes_at_commit > COMMIT_BYTES_WRITTEN)
        w_commit(w, w->now, false, &err);
}

/* The open state began at 't' itself: it lasted no time, and is replaced. */
static void replace(struct writer *w, struct w_attr *a, cell_t value)
{
    w->last.changes -= a->at[a->n - 1].v != STORE_NULL;
    w->last.changes += value != STORE_NULL;
    a->at[a->n - 1].v = value;
    if (value == STORE_NULL && (a->n >= 2 ? a->at[a->n - 2].v == STORE_NULL : !a->told))
        a->n--; /* the gap goes on */
}

static void touch(struct writer *w, attr_t attr)
{
    if (!io_reserve(&w->touched, w->touched.n + 1)) {
        w_no_memory(w);
        return;
    }
    w->touched.at[w->touched.n++] = attr;
    w->attrs.at[attr].touched = true;
}

void w_set(struct writer *w, attr_t attr, ns_t t, cell_t value)
{
    if (w->failed)
        return;
    assert(attr < w->attrs.n);
    struct w_attr *a = &w->attrs.at[attr];
    struct change *last = a->n ? &a->at[a->n - 1] : NULL;

    if (last && t < last->t) {
        w->last.late++;
        t = last->t;
    }
    if (last ? last->v == value : value == STORE_NULL)
        return;
    if (t < w->last.until)
        w->last.revised++;
    if (!a->touched)
        touch(w, attr);
    w->now = t > w->now ? t : w->now;
    if (last && last->t == t) {
        replace(w, a, value);
        return;
    }
    if (a->n == a->cap && !room_for_change(w, a))
        return;
    a->at[a->n++] = (struct change){ t, value };
    w->last.changes += value != STORE_NULL;
    if (a->n == RUN_MAX + 1) {
        w_intervals(w, attr, false);
        w_relieve(w);
    }
}

void w_revise(struct writer *w, attr_t attr, cell_t value)
{
    if (w->failed)
        return;
    assert(attr < w->attrs.n);
    struct w_attr *a = &w->attrs.at[attr];

    assert(a->n > 0 && a->at[a->n - 1].v != STORE_NULL && value != STORE_NULL);
    if (!a->touched)
        touch(w, attr);
    a->at[a->n - 1].v = value;
    if (a->n >= 2 && a->at[a->n - 2].v == value) { /* what was before goes on */
        a->n--;
        w->last.changes--;
    }
}

void store_set(struct store *s, attr_t attr, ns_t t, cell_t value)
{
    if (s->behind)
        behind_set(s->behind, attr, t, value);
    else
        w_set(s->w, attr, t, value);
}

void store_revise(struct store *s, attr_t attr, cell_t value)
{
    if (s->behind)
        behind_revise(s->behind, attr, value);
    else
        w_revise(s->w, attr, value);
}

void store_range(struct store *s, attr_t a, ns_t t0, ns_t t1, cell_t value)
{
    assert(t0 <= t1);
    if (t0 == t1)
        return;
    store_set(s, a, t0, value);
    store_set(s, a, t1, STORE_NULL);
}

bool store_failed(const struct store *s)
{
    return s->w && w_has_failed(s->w);
}

void store_write_behind(struct store *s)
{
    struct writer *w = s->w;

    if (s->behind || !w || w->failed)
        return;
    w->given_attrs = w->attrs.n;
    w->given_texts = w->ntexts;
    s->behind = behind_start(w);
}

void store_drain(struct store *s)
{
    if (s->behind)
        behind_drain(s->behind);
}

int store_commit(struct store *s, ns_t until, struct err *err)
{
    struct writer *w = s->w;

    store_drain(s);
    if (w->failed) {
        *err = w->err;
        return -(int)w->err.code;
    }
    return w_commit(w, until, false, err);
}

int store_finish(struct store *s, ns_t t0, ns_t t1, struct err *err)
{
    struct writer *w = s->w;

    stop_behind(s);
    int rc = w->failed ? -(int)w->err.code : 0;
    w->last.t0 = t0;
    w->last.t1 = t1;
    if (rc < 0)
        *err = w->err;
    else
        rc = w_commit(w, t1, true, err);
    if (rc < 0)
        return rc;
    rc = reader_open(w->fd, w->path, &s->r, err); /* takes the file */
    if (rc == 0) {
        flock(w->fd, LOCK_UN); /* nobody writes any more */
        w->fd = -1;
    }
    w_free(w);
    s->w = NULL;
    return rc;
}
