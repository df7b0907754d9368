/* SPDX-License-Identifier: Apache-2.0
 *
 * merge.h -- several streams as one, in time order.
 *
 * A loser tree (Knuth, TAOCP 3, 5.4.1) over the cursors: the winner is read for
 * as long as its next event is not after the best of the others, so a burst of
 * one CPU costs one comparison an event.  Equal times come in the order of the
 * streams, always the same. */
#ifndef CTF_MERGE_H
#define CTF_MERGE_H

#include "ctf/trace.h"

struct ctf_merge {
    struct ctf_cursor *cursors;
    uint32_t n;      /* of cursors                                         */
    ns_t *times;     /* of their current events; NS_MAX = ended            */
    uint32_t *tree;  /* [0] the winner; [1..n) losers of the inner matches */
    ns_t limit;      /* best time of the cursors that are not the winner   */
    uint32_t second; /* and whose it is; n if there is none                */
    bool primed;
};

/* All streams of the trace.  The trace and 'notes' must outlive the merge. */
void ctf_merge_init(struct ctf_merge *m, struct ctf_trace *t, struct notes *notes);
void ctf_merge_free(struct ctf_merge *m);
/* The next event, or NULL at the end. */
const struct ctf_event *ctf_merge_next(struct ctf_merge *m);
/* The first event at or after 't'. */
const struct ctf_event *ctf_merge_seek(struct ctf_merge *m, ns_t t);

#endif
