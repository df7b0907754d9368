/* SPDX-License-Identifier: Apache-2.0
 *
 * timeline.h -- attributes over time as strips of characters.
 *
 *                                 15:03:40.690                            15:03:55.505
 *                                 |---------|---------|---------|---------|---------|
 *   vms/vm-26009/state            ..........bbbbbbbbbbbbbbbbaaaaaaaaaaaaaaaaaaaaaaaaa
 *   nodes/controller/ram_used MB  ▁▁▁▁▁▁▁▁▁▁▁▁▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄  512..704
 *
 * A column is the value that filled most of it.  A bad state that did not is an
 * exclamation mark, what can't be read a question mark: neither vanishes. */
#ifndef REPORT_TIMELINE_H
#define REPORT_TIMELINE_H

#include "report/attrs.h"

enum timeline_colour { COLOUR_NONE, COLOUR_256, COLOUR_24BIT };

struct timeline_opts {
    struct span span; /* the whole of what is shown */
    size_t columns;   /* of a strip                 */
    bool ascii;       /* no blocks for numbers      */
    enum timeline_colour colour;
};

/* Writes the strips, an axis and a legend to 'f'. */
void timeline_print(const struct report_src *src, const struct attr_list *list,
                    const struct timeline_opts *o, FILE *f);

/* The same as a table with the columns as nested values. */
extern const struct column timeline_columns[];
extern const size_t ntimeline_columns;
void timeline_fill(const struct report_src *src, const struct attr_list *list,
                   const struct timeline_opts *o, struct table *t);

/* The time of which the histories of 'list' know something, within the user's. */
bool timeline_span(const struct report_src *src, const struct attr_list *list, struct span *ret);
/* Columns that the names beside the strips take. */
size_t timeline_names(const struct attr_list *list);

#endif
