/* SPDX-License-Identifier: Apache-2.0
 *
 * history.h -- what a file with a history consists of, and all that is in it. */
#ifndef REPORT_HISTORY_H
#define REPORT_HISTORY_H

#include "report/sections.h"

/* Sections about the file: what it covers, how much is in it, what it is made of. */
void history_info(const struct store *s, struct sections *ret);
/* Every interval of the attributes whose path matches, and with an empty pattern every
 * record too, one a line: text, or JSON.  'src' masks the texts; its memory is used
 * for one line at a time.  Stops when 'f' fails. */
void history_dump(const struct report_src *src, const struct store *s, struct str pattern,
                  bool json, FILE *f);

#endif
