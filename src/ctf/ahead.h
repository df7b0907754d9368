/* SPDX-License-Identifier: Apache-2.0
 *
 * ahead.h -- the leaves of a merge: cursors with room for their next events, filled when
 * asked for, or before by helper threads. */
#ifndef CTF_AHEAD_H
#define CTF_AHEAD_H

#include "ctf/trace.h"

#include <sys/queue.h>

struct leaf_buf {
    struct ctf_rec *recs;
    size_t n;
    struct notes notes;       /* what was noted while it was filled */
    struct ctf_counts counts; /* of the cursor after that           */
};

enum leaf_state {
    LEAF_IDLE,    /* nobody is to fill it      */
    LEAF_QUEUED,  /* somebody is to fill it    */
    LEAF_FILLING, /* somebody does             */
    LEAF_READY,
};

struct merge_leaf {
    struct ctf_cursor cursor;
    struct leaf_buf bufs[2]; /* one is taken, the other one filled; without helpers only one */
    size_t cap;              /* events in one */
    int filled;              /* number of the one that is or was filled last */
    struct ctf_rec first;    /* found by leaf_seek(), comes before the cursor's next */
    bool has_first;
    bool ended;
    struct ctf_counts counts; /* of what was taken */
    enum leaf_state state;    /* with helpers */
    TAILQ_ENTRY(merge_leaf) queue;
};

struct merge_helpers;

void leaf_init(struct merge_leaf *l, struct ctf_trace *t, uint32_t stream, size_t cap);
void leaf_free(struct merge_leaf *l);
/* The next events; 0 at the end.  They stay valid until the next call. */
size_t leaf_take(struct merge_leaf *l, struct merge_helpers *h, struct notes *notes,
                 const struct ctf_rec **ret);
/* Goes to the first event at or after 't'; helpers are paused. */
void leaf_seek(struct merge_leaf *l, ns_t t);
static inline struct ctf_counts leaf_counts(const struct merge_leaf *l)
{
    return l->counts;
}

/* Starts 'n' threads that fill the leaves before they are taken.  NULL if the system
 * gives none: everything works without. */
struct merge_helpers *helpers_start(unsigned n, struct merge_leaf *leaves, uint32_t nleaves);
void helpers_stop(struct merge_helpers *h);
/* Between these two, nobody but the caller touches the leaves.  NULL does nothing. */
void helpers_pause(struct merge_helpers *h);
void helpers_resume(struct merge_helpers *h);

#endif
