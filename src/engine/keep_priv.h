/* SPDX-License-Identifier: Apache-2.0
 *
 * keep_priv.h -- the parts of keep: folders (keep_folder.c), histories (keep.c). */
#ifndef ENGINE_KEEP_PRIV_H
#define ENGINE_KEEP_PRIV_H

#include "engine/keep.h"

/* A folder in which histories may be. */
struct place {
    const char *folder; /* NULL: there is none               */
    const char *why;    /* it can't be written; NULL: it can */
    bool flat;          /* files without a folder per key    */
    bool ours;          /* for temporary files: must belong to this user alone */
    bool ready;         /* has been looked at                */
};

enum { PLACES = KEEP_FOLDERS, FOLDER_DIGITS = 16 };

/* The place that the user, the environment or the system names. */
void place_first(struct place *p, const char *chosen, struct arena *mem);
void place_temporary(struct place *p, struct arena *mem);
/* Makes the folder.  False, with p->why, if it can't be used for writing. */
bool place_ready(struct place *p, struct arena *mem);
/* Is it there, and safe to be read from? */
bool place_readable(const struct place *p);
/* The path of a history, in 'mem'. */
const char *place_path(const struct place *p, const char *host, struct identity key,
                       struct arena *mem);
/* "web-1.neph": harmless as a name, different for different hosts. */
const char *place_file_name(const char *host, struct arena *mem);
/* Makes the folder that 'path' is in. */
bool place_make_parent(const char *path, struct arena *mem, const char **ret_why);
/* Its folder was used just now. */
void place_touch(const struct place *p, const char *path);
/* Removes the oldest files until all take at most 'limit' bytes; those used after
 * 'since' stay.  Returns how many were removed. */
uint64_t place_trim(const char *folder, uint64_t limit, ns_t since, uint64_t *ret_bytes);
/* The text in a small file, in 'mem'; empty if there is none. */
struct str small_file_read(const char *path, struct arena *mem);
/* Other processes see the old or the new text. */
void small_file_write(const char *path, struct str text);

#endif
