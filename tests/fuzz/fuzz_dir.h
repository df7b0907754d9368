/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_dir.h -- a folder in memory (/dev/shm) for the files of one input. */
#ifndef TESTS_FUZZ_FUZZ_DIR_H
#define TESTS_FUZZ_FUZZ_DIR_H

#include "base/notes.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char fuzz_dir[64];
static const char *fuzz_names[8]; /* of the files that were written */

static inline const char *fuzz_path(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", fuzz_dir, name);
    return path;
}

static inline void fuzz_remove_files(void)
{
    for (size_t i = 0; i < 8 && fuzz_names[i]; i++)
        unlink(fuzz_path(fuzz_names[i]));
    rmdir(fuzz_path("index"));
    rmdir(fuzz_dir);
}

static inline void fuzz_make_dir(void)
{
    if (fuzz_dir[0])
        return;
    snprintf(fuzz_dir, sizeof fuzz_dir, "%s/neph-fuzz-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(fuzz_dir) || mkdir(fuzz_path("index"), 0700) < 0)
        abort();
    atexit(fuzz_remove_files);
}

static inline void fuzz_write(const char *name, const void *p, size_t n)
{
    size_t i = 0;

    while (fuzz_names[i] && strcmp(fuzz_names[i], name) != 0)
        i++;
    fuzz_names[i] = name;
    FILE *f = fopen(fuzz_path(name), "w");
    if (!f || (n && fwrite(p, 1, n, f) != n) || fclose(f) != 0)
        abort();
}

/* For targets that read the input as one file. */
static inline int fuzz_one_file(const uint8_t *data, size_t n,
                                void (*check)(const char *path, struct notes *notes))
{
    struct notes notes = { 0 };

    fuzz_make_dir();
    fuzz_write("trace", data, n);
    check(fuzz_path("trace"), &notes);
    notes_free(&notes);
    return 0;
}

#endif
