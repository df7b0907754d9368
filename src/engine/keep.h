/* SPDX-License-Identifier: Apache-2.0
 *
 * keep.h -- where histories are kept, and when one is used again.
 *
 * A history has a key: the content of the traces it is made of, its host, and the
 * version of the analyses.  What has the same key is the same, so that a history
 * that is there and finished answers instead of the traces.
 *
 *   CACHE/1f0e9a.../web-1.neph    of one host: 16 digits of its key
 *   CACHE/77b2c1.../cloud.neph    joined, of all hosts
 *   CACHE/stat/...                what the content of files was when they looked so
 *
 * In a folder that the user names, the files lie without the digits.  A folder that
 * can't be written is replaced by one for temporary files, and that by memory; both
 * are noted. */
#ifndef ENGINE_KEEP_H
#define ENGINE_KEEP_H

#include "engine/identity.h"
#include "store/store.h"

struct keep_opts {
    const char *folder;  /* the user's choice; NULL: the cache           */
    bool memory;         /* nothing is looked up and nothing is kept     */
    bool rebuild;        /* nothing is looked up                         */
    const char *version; /* of the program and its analyses: a part of every key */
};

struct keep;
struct keep *keep_new(const struct keep_opts *o, struct notes *notes);
/* Removes what has not been used for longest when the cache is too large. */
void keep_free(struct keep *k);
const char *keep_version(const struct keep *k);
bool keep_in_memory(const struct keep *k);

/* The content of the trace in 'path', which need not be read if it looks as it did.
 * Fails with -E_IO if it can't be read, or if it changed after 'opened': who has it
 * open may have seen something else. */
int keep_content(struct keep *k, const char *path, ns_t opened, struct identity *ret,
                 struct identity *ret_looks, struct err *err);

struct keep_job {
    const char *host; /* "" for what is joined            */
    struct identity key;
    const char *no_key; /* why there is none; NULL: there is one */
    /* Fills an empty history and finishes it.  What fails is the history's. */
    int (*fill)(void *ctx, struct store *s, struct err *err);
    /* Before 'fill' is called a second time.  May be NULL. */
    int (*again)(void *ctx, struct err *err);
    /* Is what was filled in still what the key says?  May be NULL. */
    bool (*changed)(void *ctx);
    void *ctx;
};
struct kept {
    struct store *store;
    char *path; /* for the caller to free; NULL: in memory */
    bool reused;
};
int keep_history(struct keep *k, const struct keep_job *j, struct kept *ret, struct err *err);

/* --- looking after the folder ------------------------------------------------- */

/* The folder of the cache in 'mem'; NULL, and a reason, if the environment names none. */
const char *keep_cache_folder(struct arena *mem, const char **ret_why);
/* All folders where histories of this user may be: the chosen one alone, or the cache
 * and, if it is there, the one for temporary files.  Returns how many. */
enum { KEEP_FOLDERS = 2 };
size_t keep_folders(const char *chosen, struct arena *mem, const char *ret[static KEEP_FOLDERS],
                    const char **ret_why);
/* NULL, or the reason why nothing can be written to 'folder', in 'mem'.  Nothing stays
 * there: a folder that is not there is judged by the one above it. */
const char *keep_cannot_write(const char *folder, struct arena *mem);

struct keep_file {
    const char *path; /* of the history                      */
    const char *name; /* of the file                         */
    uint64_t bytes;
    ns_t made, used; /* last written; last asked, if known  */
    bool flat;       /* in the folder itself                */
};
/* The histories in a folder, by path, in 'mem'.  A folder that is not there is empty. */
int keep_list(const char *folder, struct arena *mem, struct keep_file **ret, size_t *ret_n,
              struct err *err);
/* Removes them and what else was made there, and nothing else. */
int keep_clear(const char *folder, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err);

#endif
