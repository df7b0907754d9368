/* SPDX-License-Identifier: Apache-2.0
 *
 * lists.h -- the listings: one function per kind of thing, each fills a table.
 *
 * A listing is a row of 'report_lists': its name on the command line, its
 * columns, and the function.  Nested values (an instance's states, a volume's
 * tasks) are JSON in a cell. */
#ifndef REPORT_LISTS_H
#define REPORT_LISTS_H

#include "report/source.h"
#include "report/table.h"

struct report_list {
    const char *name; /* "tasks" */
    const char *title;
    const struct column *columns;
    size_t ncolumns;
    void (*fill)(const struct report_src *src, struct table *t);
};
extern const struct report_list *const report_lists[]; /* ends with NULL */
const struct report_list *report_list_find(const char *name);

/* Does a row about this instance (by uuid and name) pass the user's --vm?  And
 * this request --request? */
bool report_vm_fits(const struct report_src *src, struct str uuid, struct str name);
bool report_request_fits(const struct report_src *src, struct str request);

/* One row of the listing of tasks. */
void list_task_row(const struct report_src *src, struct table *t, const struct src_row *r);
/* And of requests. */
void list_request_row(const struct report_src *src, struct table *t, const struct src_rows *r,
                      const cell_t *row);

/* Cells that are null when nothing is known. */
void cell_str(struct table *t, struct str s);
void cell_ns(struct table *t, ns_t v);
void cell_int(struct table *t, cell_t v, cell_t unknown);
void cell_list(const struct report_src *src, struct table *t, struct str commas);
/* The same in nested JSON: "key": value or null. */
void emit_str(struct json *j, const char *key, struct str s);
void emit_ns(struct json *j, const char *key, ns_t v);

/* Parts of lists.c that other reports use. */
extern const struct report_list list_tasks, list_vms, list_requests, list_services, list_hosts,
    list_volumes, list_networks, list_durations, list_steps, list_schedule, list_resources,
    list_marks, list_mappings, list_threads, list_calls;

#endif
