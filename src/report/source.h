/* SPDX-License-Identifier: Apache-2.0
 *
 * source.h -- what reports are made of: the histories of all hosts and the
 * global one, seen through the user's filters. */
#ifndef REPORT_SOURCE_H
#define REPORT_SOURCE_H

#include "base/notes.h"
#include "model/schema.h"
#include "store/store.h"

struct src_index;
struct clocks;

struct report_src {
    struct store *const *hosts;
    uint32_t nhosts;
    struct store *global;
    const struct clocks *clocks; /* in whose time everything is; NULL: each in its own */
    struct arena *mem;           /* for texts that are made: lives as long as the report */
    const struct notes *notes;
    bool show_secrets;
    struct span span;            /* only what meets it */
    struct str vm;               /* name, uuid or libvirt name; empty = all */
    struct str request;          /* request id or a part of it; empty = all */
    const struct src_index *vms; /* TABLE_vm by uuid, or NULL */
};

/* Rows of one table of all hosts (or of the global history alone), by host. */
struct src_rows {
    const struct report_src *src;
    enum schema_table table;
    bool global;
    bool ended; /* only what has an end, or begins in the span */
    uint32_t next_host;
    struct store_rows rows;
    const struct store *store; /* of the current row */
    const char *host;
};
struct src_rows src_rows(const struct report_src *src, enum schema_table t);
struct src_rows src_rows_global(const struct report_src *src, enum schema_table t);
/* The next row, valid until the next call; NULL at the end. */
const cell_t *src_next(struct src_rows *r);
/* For those who stop before src_next() returned NULL. */
void src_end(struct src_rows *r);
/* A copy of a row that lives as long as the report. */
const cell_t *src_keep(const struct report_src *src, enum schema_table t, const cell_t *row);

/* A text column of the current row, as it is. */
struct str src_text(const struct src_rows *r, const cell_t *row, int column);
/* The same for text that came from a log line: tokens and passwords masked
 * unless the user wants to see them. */
struct str src_safe(const struct src_rows *r, const cell_t *row, int column);
struct str src_mask(const struct report_src *src, struct str text);

/* All rows of a table of all hosts in order of time (start, else end). */
struct src_row {
    const cell_t *row; /* lives as long as the report */
    const struct store *store;
    const char *host;
    size_t no; /* as the histories give them: the order of equal times */
};
struct src_row *src_sorted(const struct report_src *src, enum schema_table t, size_t *ret_n);

/* Rows of a table grouped by the text in one column: made once, asked often.
 * Groups keep the order of the rows.  Free with src_index_free(). */
struct src_group {
    VEC(struct src_row) rows;
};
struct src_index {
    struct strtab keys;
    VEC(struct src_group) groups;
};
void src_index_make(const struct report_src *src, enum schema_table t, bool global, int column,
                    struct src_index *ret);
/* The group of 'key', or an empty one. */
const struct src_group *src_index_find(const struct src_index *x, struct str key);
void src_index_free(struct src_index *x);

/* The instance's name for people, if its uuid is known; else 'otherwise'. */
struct str src_vm_name(const struct report_src *src, struct str uuid, struct str otherwise);

static inline struct str row_text(const struct src_row *r, int column)
{
    return store_text(r->store, r->row[column]);
}
static inline ns_t row_begin(const cell_t *row)
{
    return row[0] != STORE_NULL ? row[0] : row[1];
}
/* end - start, or STORE_NULL when one is unknown. */
static inline ns_t row_length(const cell_t *row)
{
    return row[0] == STORE_NULL || row[1] == STORE_NULL ? STORE_NULL : row[1] - row[0];
}
/* Number of the host with this name; UINT32_MAX: there is none. */
uint32_t src_host_named(const struct report_src *src, const char *host);
/* The last event of a host's kernel, or, if it was not traced, the end of the history. */
ns_t src_kernel_end(const struct report_src *src, uint32_t host);
/* The parts of "a,b,c", in 'mem'. */
struct str *src_split(const struct report_src *src, struct str text, size_t *ret_n);

#endif
