/* SPDX-License-Identifier: Apache-2.0
 *
 * index.h -- LTTng's index of the packets of a stream file; see index.c. */
#ifndef CTF_INDEX_H
#define CTF_INDEX_H

#include "ctf/trace.h"

struct ctf_index {
    struct fmap map;
    uint64_t n, entry; /* entries, bytes of one              */
    bool is_there;
    bool disagrees; /* with a packet header: not believed */
};

/* The index of file 'name' of the trace in 'dir'; without one there are no entries. */
void ctf_index_open(struct ctf_index *ix, struct arena *mem, const char *dir, const char *name);
void ctf_index_close(struct ctf_index *ix);
/* Where the first packet after byte 'offset' starts; UINT64_MAX if it does not say. */
uint64_t ctf_index_next(const struct ctf_index *ix, uint64_t offset);
/* Compares the entry of a packet with its header. */
void ctf_index_check(struct ctf_index *ix, const struct ctf_packet *p);
void ctf_index_note(const struct ctf_index *ix, const char *path, struct notes *notes);

#endif
