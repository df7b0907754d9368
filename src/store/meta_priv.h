/* SPDX-License-Identifier: Apache-2.0
 *
 * meta_priv.h -- reading what a commit tells; see meta.c. */
#ifndef STORE_META_PRIV_H
#define STORE_META_PRIV_H

#include "store/read_priv.h"

/* Bytes that all names, or all that commits tell, may take: what is compressed could be
 * much more than it looks. */
static inline uint64_t meta_limit(const struct reader *r)
{
    uint64_t limit = 16 * r->bytes + (UINT64_C(64) << 20), most = UINT64_C(1) << 30;

    return limit < most ? limit : most;
}

/* How long a reader's lists are. */
struct reader_marks {
    size_t families, tables, path_text, paths, blocks, texts;
};

struct run_heap {
    struct new_run *at;
    size_t n, cap;
};
/* Runs by attribute, level and start; first[a] is where those of 'a' begin, leaves[a] of
 * which are intervals. */
struct sorted_runs {
    struct run_ref *at;
    size_t n;
    uint32_t *first, *leaves;
};

/* 'all': the commit tells again what those before it told. */
int meta_schema(struct reader *r, const struct out *o, bool all, struct err *err);
int meta_names(struct reader *r, const struct out *o, bool all, struct err *err);
/* Adds blocks to the reader, and runs to 'runs'. */
int meta_index(struct reader *r, const struct out *o, bool all, struct run_heap *runs,
               struct err *err);
/* The runs of 'runs' and, unless 'all', those that the reader has.  The caller frees what
 * '*ret' points to, also after a failure. */
int meta_sort(const struct reader *r, struct run_heap *runs, bool all, struct sorted_runs *ret,
              struct err *err);
/* Overwrites the tails of those that it names, of as many as the reader has names. */
int meta_open(const struct reader *r, const struct out *o, ns_t until, struct tail *tails,
              struct err *err);
void meta_undo(struct reader *r, const struct reader_marks *m);
void meta_free(struct reader *r);

#endif
