/* SPDX-License-Identifier: Apache-2.0
 *
 * sections.h -- a report of several tables: one thing described, or the whole.
 *
 * In text, a section is a title and its table; in JSON, the report is one object
 * with an array per section.  Sections without rows are left out of the text. */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "report/lists.h"

struct section {
    const char *name; /* key in JSON */
    const char *title;
    struct table table;
    size_t limit;     /* rows shown in text; 0 = all */
    const char *more; /* how to see the rest: "neph list tasks" */
};

struct sections {
    VEC(struct section) list;
    struct sbuf head; /* paragraph before the sections, in text */
};

/* The address is valid until the next section is added. */
struct section *section_add(struct sections *s, const char *name, const char *title,
                            const struct column *cols, size_t ncols);
/* The object of JSON, with all rows. */
int sections_json(const struct sections *s, struct json *j, struct err *err);
int sections_print(const struct sections *s, const struct table_opts *o, FILE *f, struct err *err);
void sections_free(struct sections *s);

/* Describes one thing; false when there is none that 'id' names. */
bool show_vm(const struct report_src *src, struct str id, struct sections *ret);
/* Its part of the kernel layer: what 'src' lets pass is described; 'taps' has commas. */
void show_vm_kernel(const struct report_src *src, struct str taps, struct sections *ret);
/* Is that the name of a process of QEMU that no log ties to an instance? */
bool show_vm_is_process(const struct report_src *src, struct str id);
bool show_request(const struct report_src *src, struct str id, struct sections *ret);
/* 'id' is a task's name, an entity, a request id, or "name/entity". */
/* Does the task have that name, or these others? */
bool show_task_is(const struct src_row *r, struct str id);
bool show_task(const struct report_src *src, struct str id, struct sections *ret);

/* What happened, in one page. */
struct summary_facts {
    uint64_t events, discarded, lost_packets, bad_packets, traces;
};
/* How much of what was read, in a sentence without its end. */
void summary_read(const struct report_src *src, const struct summary_facts *facts,
                  struct sbuf *out);
/* "cmp1 (kernel, QEMU), ctl (OpenStack)": which layers there are events of. */
void summary_layers(const struct report_src *src, struct sbuf *out);
void summary_report(const struct report_src *src, const struct summary_facts *facts,
                    struct sections *ret);

#endif
