/* SPDX-License-Identifier: Apache-2.0
 *
 * file.h -- files as read-only memory, and folders as sorted names. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file mapped for reading.  An empty file has p == NULL and n == 0.  At least
 * FMAP_SLACK zero bytes can be read behind the last one, so that a reader may
 * load whole words. */
enum { FMAP_SLACK = 64 };
struct fmap {
    const uint8_t *p;
    size_t n;
};
/* Maps 'path'.  On success '*ret' owns the mapping; on failure it is untouched.
 * Only regular files are mapped: a pipe or device is E_ARG.  Returns 0 or -E_*. */
int fmap_open(const char *path, struct fmap *ret, struct err *err);
void fmap_close(struct fmap *m);
/* Gives back the memory behind the mapping; it is read again when it is used. */
void fmap_release(const struct fmap *m);
/* The line at '*at', without its end; '*at' moves behind it.  False: there is none. */
bool fmap_line(const struct fmap *m, size_t *at, struct str *ret);

struct dir_entry {
    const char *name;
    bool is_dir;
    uint64_t bytes;
};
/* Lists 'path' without "." and "..", sorted by name; names live in 'a'.
 * Links are followed.  Entries that vanish or can't be looked at are left out. */
int dir_list(const char *path, struct arena *a, struct dir_entry **ret, size_t *ret_n,
             struct err *err);
bool path_is_dir(const char *path);
/* "dir/name" in 'a'. */
const char *path_join(struct arena *a, const char *dir, const char *name);
/* The part after the last '/'. */
const char *path_base(const char *path);

#endif
