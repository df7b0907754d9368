/* SPDX-License-Identifier: Apache-2.0
 *
 * open.h -- opening what the user named, with every error said. */
#ifndef CLI_OPEN_H
#define CLI_OPEN_H

#include "cli/cmd.h"

/* Opens the arguments from number 'first' on as c->x; applies --host; sets
 * c->span from -b, -e and -r.  Returns 0, or an exit code after it has said why. */
int cli_open(struct ctx *c, size_t first);
/* Times that count from the first event ("+5s") count from 'origin': what the first event's time
 * is as it is shown, when clocks are corrected. */
int cli_shown_from(struct ctx *c, ns_t origin);
/* The time that an option of the command's own names.  Returns 0, or RC_USAGE after it
 * has said why. */
int cli_time(struct ctx *c, size_t first, const char *option, struct str text, ns_t *ret);
/* After the events were read: RC_IO, said, if not one could be, and some should
 * have been; else 'rc'. */
int cli_check_read(struct ctx *c, int rc);
/* Closes the traces; finds out whether anything was missing.  Called by main(). */
void cli_close(struct ctx *c);

#endif
