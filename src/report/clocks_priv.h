/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks_priv.h -- what clocks.c and clocks_file.c share. */
#ifndef REPORT_CLOCKS_PRIV_H
#define REPORT_CLOCKS_PRIV_H

#include "report/clocks.h"

/* Takes the clocks of the hosts that the file names; others keep theirs, of quality none. */
int clocks_read(struct clocks *c, const char *path, struct err *err);
/* Keeps clocks that may be right, and measures the bounds of all. */
void clocks_settle(struct clocks *c, struct store *const *hosts);

#endif
