/* SPDX-License-Identifier: Apache-2.0
 *
 * naive_files.h -- a folder for the histories of one test program, their bytes, and
 * processes that write them. */
#ifndef TESTS_UNIT_NAIVE_FILES_H
#define TESTS_UNIT_NAIVE_FILES_H

#include "base/file.h"
#include "tests/unit/naive_damaged.h"

#include <signal.h>
#include <sys/wait.h>

static char naive_dir[128];

static inline int naive_setup(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    naive_main = getpid();
    snprintf(naive_dir, sizeof naive_dir, "%s/neph-history-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(naive_dir) ? 0 : -1;
}

static inline int naive_teardown(void **state)
{
    struct arena mem = { 0 };
    struct dir_entry *e;
    struct err err;
    size_t n;

    (void)state;
    if (dir_list(naive_dir, &mem, &e, &n, &err) == 0)
        for (size_t i = 0; i < n; i++)
            unlink(path_join(&mem, naive_dir, e[i].name));
    rmdir(naive_dir);
    arena_free(&mem);
    return 0;
}

/* Valid until the eighth call after it. */
static inline const char *naive_file(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];

    snprintf(path, sizeof paths[0], "%s/%s", naive_dir, name);
    return path;
}

struct bytes {
    uint8_t *p;
    size_t n;
};

static inline struct bytes bytes_read(const char *path)
{
    struct bytes ret = { NULL, 0 };
    FILE *f = fopen(path, "r");

    must(f);
    must(fseek(f, 0, SEEK_END) == 0);
    ret.n = (size_t)ftell(f);
    ret.p = xmalloc(ret.n + 1);
    rewind(f);
    must(fread(ret.p, 1, ret.n, f) == ret.n);
    fclose(f);
    return ret;
}

static inline void bytes_write(const char *path, const uint8_t *p, size_t n)
{
    FILE *f = fopen(path, "w");

    must(f);
    must(fwrite(p, 1, n, f) == n);
    must(fclose(f) == 0);
}

/* The call must work: its sentence is told if it does not. */
#define works(call, err) ((call) >= 0 ? (void)0 : naive_refused(__FILE__, __LINE__, #call, err))

static inline void naive_refused(const char *file, int line, const char *what,
                                 const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    naive_fail(file, line, what, err->code, 0);
}

/* Tells all of a script and finishes. */
static inline void script_tell(struct store *s, const struct script *script)
{
    struct err err = { 0 };

    naive_declare(s, script->nattrs);
    for (size_t i = 0; i < script->ops.n; i++)
        works(script_tell_op(s, &script->ops.at[i], &err), &err);
    works(store_finish(s, script->t0, script->t1, &err), &err);
}

static inline void script_write(const char *path, const struct script *script)
{
    struct err err = { 0 };
    struct store *s;

    works(store_create(path, "host", NULL, &s, &err), &err);
    script_tell(s, script);
    store_free(s);
}

static inline void count_problem(void *ctx, const char *sentence)
{
    int64_t *n = ctx;

    must(sentence && *sentence);
    ++*n;
}

/* Problems that a look at the whole file finds; negative if it is refused. */
static inline int64_t naive_verify(const char *path)
{
    struct err err = { 0 };
    int64_t told = 0, n = store_verify(path, count_problem, &told, &err);

    if (n < 0)
        must(err.text[0]);
    else
        must_equal(told, n);
    return n;
}

#endif
