/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h -- a pass over all events in any order, on several threads.
 *
 * For questions whose answer is a sum: how many events of each class, the
 * largest value of a field.  Packets are independent of each other, since each
 * says when it begins; they are handed out in pieces of some packets, and
 * every thread adds up for itself. */
#ifndef CTF_SCAN_H
#define CTF_SCAN_H

#include "ctf/view.h"

/* Sees 'n' events of one packet, in their order.  'state' and 'v' are the thread's
 * own. */
typedef void (*ctf_scan_fn)(void *state, struct ctf_view *v, const struct ctf_rec *r, size_t n);

/* Calls 'fn' for all events of the trace.  'states' has a pointer for each of 'threads'
 * threads, at least one; the caller's is the first.  What is noted, and the counts,
 * are the same for any number of threads. */
struct ctf_counts ctf_scan(struct ctf_trace *t, unsigned threads, struct notes *notes,
                           ctf_scan_fn fn, void *const *states);

#endif
