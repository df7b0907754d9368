/* SPDX-License-Identifier: Apache-2.0
 *
 * filter.h -- conditions on events: --filter 'name =~ "sched_*" && cpu == 1'.
 *
 *   expression  a || b   a && b   !a   (a)
 *   comparison  == != < <= > >=  =~
 *   values      1  -5  0x10  1.5  "text"  'text'  and names:
 *     name host cpu t_ns          what every event has
 *     fields.a.b  context.vtid    a field; a.b is short for it; x[0] is an element
 *
 * A name alone is a field, or a context when the event has no such field; as a
 * condition, it is true when it is there and is neither 0 nor "".  'a =~ p' is
 * true if text matches the shell pattern p, or, without * and ? in p, contains
 * it.  An enum compares as its number with numbers and as its label with text.
 * A comparison with something that the event has not is false, whatever the
 * operator. */
#ifndef CLI_FILTER_H
#define CLI_FILTER_H

#include "base/err.h"
#include "input/reader.h"

struct filter;

/* Returns 0, or -E_ARG with the column of the mistake. */
int filter_parse(const char *text, struct filter **ret, struct err *err);
/* Is it true of the reader's current event? */
bool filter_match(struct filter *f, struct reader *r, const struct reader_event *ev);
void filter_free(struct filter *f);

#endif
