/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud.h -- reading the histories of all hosts together. */
#ifndef ANALYSIS_CLOUD_H
#define ANALYSIS_CLOUD_H

#include "analysis/list.h"

/* How much a record's word on an instance's state weighs (column 'firm' of
 * vm_seen): Nova announces changes in updates; a record of an action repeats what
 * its process had in memory, which can be old; a span more so, and knows it only
 * when it begins. */
enum vm_word { WORD_OBSERVED, WORD_UPDATE, WORD_ACTION, WORD_SPAN };

/* Rows of one table of every host, host after host. */
struct cloud_rows {
    const struct cloud *c;
    enum schema_table table;
    uint32_t host;
    struct store_rows rows;
    bool open;
};
struct cloud_rows cloud_rows(const struct cloud *c, enum schema_table t);
/* The next row, valid until the next call; '*ret' is its host's history.  NULL at the
 * end. */
const cell_t *cloud_rows_next(struct cloud_rows *r, const struct store **ret);

/* Adds a record to the global history; text must have been interned there. */
void cloud_record(struct cloud *c, enum schema_table t, const cell_t *cells);
static inline cell_t cloud_text(struct cloud *c, struct str s)
{
    return store_intern(c->global, s);
}

/* A set of texts in the order in which they came, printed with commas. */
struct text_set {
    VEC(struct str) at;
};
void text_set_add(struct text_set *s, struct str text);
cell_t text_set_cell(struct cloud *c, const struct text_set *s);
void text_set_free(struct text_set *s);

/* What an instance is called, wherever. Lists have commas. */
struct vm_names {
    struct str uuid, name, libvirt, taps, hosts;
};
/* Says which processes of the kernel layer are instances and services. */
void cloud_mappings(struct cloud *c, const struct vm_names *vms, size_t nvms);

#endif
