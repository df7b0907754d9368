/* SPDX-License-Identifier: Apache-2.0
 *
 * identity.c -- see identity.h.
 *
 * Files are read, not mapped: one that is cut short meanwhile is then a short
 * read and no signal. */
#include "engine/identity.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { READ_BYTES = 1 << 20 };

struct walk {
    XXH3_state_t *sum;
    ns_t newest;
    char *buf; /* NULL: looks alone */
    uint32_t files;
};

const char *identity_text(struct identity id, char out[static IDENTITY_TEXT])
{
    snprintf(out, IDENTITY_TEXT, "%016" PRIx64 "%016" PRIx64, id.hi, id.lo);
    return out;
}

bool identity_parse(struct str text, struct identity *ret)
{
    uint64_t half[2] = { 0 };

    if (text.n != IDENTITY_TEXT - 1)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
            return false;
        half[i / 16] = half[i / 16] << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
    }
    *ret = (struct identity){ half[0], half[1] };
    return true;
}

static void add(struct walk *w, const void *p, size_t n)
{
    XXH3_128bits_update(w->sum, p, n);
}

static ns_t time_of(const struct timespec *t)
{
    return (ns_t)t->tv_sec * NS_PER_S + t->tv_nsec;
}

static void add_looks(struct walk *w, const struct stat *st)
{
    ns_t changed = time_of(&st->st_ctim), written = time_of(&st->st_mtim);
    uint64_t looks[] = { (uint64_t)st->st_dev, (uint64_t)st->st_ino, (uint64_t)st->st_size,
                         (uint64_t)written, (uint64_t)changed };

    add(w, looks, sizeof looks);
    w->newest = changed > w->newest ? changed : w->newest; /* nobody can set this one */
}

static int add_content(struct walk *w, int fd, const char *path, struct err *err)
{
    uint64_t bytes = 0;
    ssize_t n;

    while ((n = read(fd, w->buf, READ_BYTES)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set(err, E_IO, "%s: %s", path, strerror(errno));
        add(w, w->buf, (size_t)n);
        bytes += (uint64_t)n;
    }
    add(w, &bytes, sizeof bytes);
    return 0;
}

/* 'name' is the file's below the trace; what is no regular file does not count. */
static int add_file(struct walk *w, const char *path, const char *name, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
    struct stat st;

    if (fd < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0) {
        rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
    } else if (S_ISREG(st.st_mode)) {
        add(w, name, strlen(name) + 1);
        if (w->buf)
            rc = add_content(w, fd, path, err);
        else
            add_looks(w, &st);
        w->files++;
    }
    close(fd);
    return rc;
}

static int add_folder(struct walk *w, const char *path, const char *name, int depth,
                      struct err *err)
{
    struct arena mem = { 0 };
    struct dir_entry *e;
    size_t n;

    if (depth > LIMIT_DIR_DEPTH || w->files > LIMIT_STREAM_FILES)
        return err_set(err, E_LIMIT, "%s: over %d folders deep or %u files", path, LIMIT_DIR_DEPTH,
                       (unsigned)LIMIT_STREAM_FILES);
    int rc = dir_list(path, &mem, &e, &n, err);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const char *below = path_join(&mem, path, e[i].name);
        const char *named = *name ? path_join(&mem, name, e[i].name) : e[i].name;

        rc = e[i].is_dir ? add_folder(w, below, named, depth + 1, err)
                         : add_file(w, below, named, err);
    }
    arena_free(&mem);
    return rc;
}

static int walk(struct walk *w, const char *path, struct identity *ret, struct err *err)
{
    int rc = path_is_dir(path) ? add_folder(w, path, "", 0, err) : add_file(w, path, "", err);
    XXH128_hash_t h = XXH3_128bits_digest(w->sum);

    if (rc == 0)
        *ret = (struct identity){ h.high64, h.low64 };
    return rc;
}

static XXH3_state_t *new_sum(void)
{
    XXH3_state_t *s = XXH3_createState();

    if (!s)
        abort(); /* as xmalloc() does */
    XXH3_128bits_reset(s);
    return s;
}

int files_looks(const char *path, struct files_looks *ret, struct err *err)
{
    struct walk w = { .newest = NS_MIN };
    char *real = realpath(path, NULL);
    struct identity id;

    if (!real)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    w.sum = new_sum();
    add(&w, real, strlen(real) + 1);
    int rc = walk(&w, path, &id, err);
    if (rc == 0)
        *ret = (struct files_looks){ id, w.newest };
    XXH3_freeState(w.sum);
    free(real);
    return rc;
}

int files_content(const char *path, struct identity *ret, struct err *err)
{
    struct walk w = { .sum = new_sum(), .buf = xmalloc(READ_BYTES) };
    int rc = walk(&w, path, ret, err);

    XXH3_freeState(w.sum);
    free(w.buf);
    return rc;
}

void identity_add(struct identity_sum *s, const void *p, size_t n)
{
    uint64_t length = n; /* so that "ab", "c" is not "a", "bc" */

    sbuf_add(&s->parts, (const char *)&length, sizeof length);
    sbuf_add(&s->parts, p, n);
}

struct identity identity_end(struct identity_sum *s)
{
    struct str all = sbuf_view(&s->parts);
    XXH128_hash_t h = XXH3_128bits(all.p, all.n);

    sbuf_free(&s->parts);
    return (struct identity){ h.high64, h.low64 };
}
