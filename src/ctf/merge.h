/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.h -- several streams as one, in time order.
 *
 * A tree of merges of two: a leaf is a cursor that fills an array with its next
 * events, a node above takes the earlier one of what its two children have ready, some
 * hundred events at a time.  Which child is earlier can't be predicted, so there is
 * no branch on it; where one child leads for long, its events are passed on in one
 * piece.  Equal times come in the order of the streams, always the same.
 *
 * With helper threads, leaves are filled before they are asked for.  What comes out
 * is the same for any number of them. */
#ifndef CTF_MERGE_H
#define CTF_MERGE_H

#include "ctf/view.h"

struct ctf_merge {
    struct ctf_trace *trace;
    struct notes *notes;
    struct merge_node *nodes; /* [0] is the root; NULL for a trace without streams */
    struct merge_leaf *leaves;
    uint32_t nleaves;
    uint32_t recs;                  /* events in the array of a node */
    struct merge_helpers *helpers;  /* NULL without */
    const struct ctf_rec *at, *end; /* events ready for ctf_merge_next() */
    struct ctf_view view;           /* shows the event of ctf_merge_next() */
};

/* All streams of the trace.  The trace and 'notes' must outlive the merge.  'helpers'
 * threads read ahead: 0 for small traces and when all CPUs have work anyway. */
void ctf_merge_init(struct ctf_merge *m, struct ctf_trace *t, struct notes *notes,
                    unsigned helpers);
void ctf_merge_free(struct ctf_merge *m);
/* The next events, '*ret_n' of them, valid until the next call; NULL at the end. */
const struct ctf_rec *ctf_merge_batch(struct ctf_merge *m, size_t *ret_n);
/* Goes to the first event at or after 't'. */
void ctf_merge_seek(struct ctf_merge *m, ns_t t);
/* The next event with all that is known of it, or NULL at the end. */
const struct ctf_event *ctf_merge_next(struct ctf_merge *m);
/* Of all that was read for what ctf_merge_batch() has returned so far, and some more. */
struct ctf_counts ctf_merge_counts(const struct ctf_merge *m);

#endif
