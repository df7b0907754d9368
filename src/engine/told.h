/* SPDX-License-Identifier: Apache-2.0
 *
 * told.h -- what a pass found out beside the history: its notes, and how many
 * events there were and were lost.  Both are kept as facts of the history, so that
 * one that is used again says the same. */
#ifndef ENGINE_TOLD_H
#define ENGINE_TOLD_H

#include "input/experiment.h"
#include "store/store.h"

/* Paths of the host's readers in the notes are kept as their numbers, since the
 * traces may be elsewhere next time.  'h' is NULL for what is of no single host. */
void told_write(struct store *s, const struct host *h, const struct notes *notes,
                const struct reader_totals *totals);
/* Adds the notes; '*ret_totals' may be NULL. */
void told_read(const struct store *s, const struct host *h, struct notes *notes,
               struct reader_totals *ret_totals);

#endif
