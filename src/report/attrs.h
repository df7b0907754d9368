/* SPDX-License-Identifier: Apache-2.0
 *
 * attrs.h -- attributes of all hosts: found by a pattern, asked for an instant. */
#ifndef REPORT_ATTRS_H
#define REPORT_ATTRS_H

#include "report/lists.h"

struct attr_ref {
    const struct store *store;
    const char *host; /* "" for what is of no single host */
    attr_t attr;
    struct str path;
    const struct store_family *family;
};

struct attr_list {
    struct attr_ref *at; /* by host, then by path */
    size_t n;
};
/* The attributes whose path matches the shell pattern, in 'src->mem'.  A word without
 * '/', '*' and '?' may be anywhere in it; an empty pattern is all. */
struct attr_list attrs_find(const struct report_src *src, struct str pattern);

/* The value for people: a state's label, a text without its secrets, a number. */
struct str attr_value(const struct report_src *src, const struct attr_ref *a, cell_t value);
/* "state", "int", "text" */
struct str attr_type(const struct store_family *f);

/* --- all at an instant ------------------------------------------------------------ */

extern const struct column state_columns[];
extern const size_t nstate_columns;
/* One row for each attribute of the list that has a value at 't', or whose value can't
 * be read; with 'all', of each.  Returns how many have no value. */
size_t state_fill(const struct report_src *src, const struct attr_list *list, ns_t t, bool all,
                  struct table *table);
/* Notes what the histories can't tell about 't'. */
void state_notes(const struct report_src *src, ns_t t, struct notes *notes);

#endif
