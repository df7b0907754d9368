/* SPDX-License-Identifier: Apache-2.0
 *
 * file.c -- see file.h. */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Maps 'n' bytes of 'fd' with readable zeros behind them: first a larger empty
 * mapping, then the file over its beginning. */
static void *map_with_slack(int fd, size_t n)
{
    char *p =
        mmap(NULL, n + FMAP_SLACK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    if (mmap(p, n, PROT_READ, MAP_PRIVATE | MAP_FIXED, fd, 0) == MAP_FAILED) {
        munmap(p, n + FMAP_SLACK);
        return NULL;
    }
    return p;
}

int fmap_open(const char *path, struct fmap *ret, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    void *p = NULL;
    int rc = 0;

    if (fd < 0)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) < 0)
        rc = err_set(err, E_IO, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        rc = err_set(err, E_ARG, "%s: not a regular file", path);
    else if (st.st_size > 0 && !(p = map_with_slack(fd, (size_t)st.st_size)))
        rc = err_set(err, E_IO, "%s: cannot map the file: %s", path, strerror(errno));
    close(fd);
    if (rc == 0)
        *ret = (struct fmap){ p, (size_t)st.st_size };
    return rc;
}

void fmap_close(struct fmap *m)
{
    if (m->p)
        munmap((void *)(uintptr_t)m->p, m->n + FMAP_SLACK);
    *m = (struct fmap){ 0 };
}

void fmap_release(const struct fmap *m)
{
    if (m->p)
        madvise((void *)(uintptr_t)m->p, m->n, MADV_DONTNEED);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct dir_entry *)a)->name, ((const struct dir_entry *)b)->name);
}

int dir_list(const char *path, struct arena *a, struct dir_entry **ret, size_t *ret_n,
             struct err *err)
{
    DIR *dir = opendir(path);
    VEC(struct dir_entry) v = { 0 };
    struct dirent *de;

    if (!dir)
        return err_set(err, E_IO, "%s: %s", path, strerror(errno));
    while ((de = readdir(dir))) {
        struct stat st;

        if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
            continue;
        if (fstatat(dirfd(dir), de->d_name, &st, 0) < 0)
            continue;
        *vec_push(&v) = (struct dir_entry){ arena_strdup(a, de->d_name, strlen(de->d_name)),
                                            S_ISDIR(st.st_mode), (uint64_t)st.st_size };
    }
    closedir(dir);
    if (v.n)
        qsort(v.at, v.n, sizeof *v.at, by_name);
    *ret = arena_array(a, struct dir_entry, v.n);
    if (v.n)
        memcpy(*ret, v.at, v.n * sizeof *v.at);
    *ret_n = v.n;
    vec_free(&v);
    return 0;
}

bool path_is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const char *path_join(struct arena *a, const char *dir, const char *name)
{
    size_t n = strlen(dir);

    return arena_printf(a, "%s%s%s", dir, n && dir[n - 1] == '/' ? "" : "/", name);
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool fmap_line(const struct fmap *m, size_t *at, struct str *ret)
{
    if (*at >= m->n)
        return false;
    const char *p = (const char *)m->p + *at;
    const char *nl = memchr(p, '\n', m->n - *at);
    size_t n = nl ? (size_t)(nl - p) : m->n - *at;

    *at += n + 1;
    *ret = (struct str){ p, n };
    return true;
}
