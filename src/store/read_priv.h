/* SPDX-License-Identifier: Apache-2.0
 *
 * read_priv.h -- a history file while it is read.
 *
 *   open.c    slots ─▶ commits; meta.c: schema, names, index, open states of each
 *   cache.c   blocks, decoded, shared by all threads, within a number of bytes
 *   attr.c    the changes of one attribute: which run, which interval
 *   query.c   state at an instant, intervals, samples
 *   walk.c    a window, from buckets where there are some; strip.c: pixels,
 *             totals.c: sums
 *   read_rows.c, read_texts.c
 *
 * Nothing that a file says is believed: what would lead out of bounds is an
 * error at opening, or a lost run. */
#ifndef STORE_READ_PRIV_H
#define STORE_READ_PRIV_H

#include "store/store_priv.h"

#include <pthread.h>
#include <stdatomic.h>

/* A decoded block.  Frames are never freed, only used for other blocks, so that a
 * reader may look at one that is just being given away. */
struct frame {
    _Atomic int32_t pins;           /* readers; far below zero while it is given away */
    _Atomic bool used;              /* since the clock's hand came by                 */
    _Atomic(struct frame *) *owner; /* the place that points to it; NULL = free */
    _Atomic(uint8_t *) data;        /* and BLOCK_SLACK zeros                          */
    size_t cap, n;
};

/* Changes that are in no run: the open state, perhaps a gap before it. */
struct tail {
    ns_t t[2];
    cell_t v[2];
    uint32_t n;
};

struct text_block {
    uint32_t block;
    uint64_t first, behind;  /* numbers */
    _Atomic(uint8_t *) text; /* decoded: see read_texts.c */
};

struct lost_block {
    uint32_t block;
    char *sentence;
};

struct reader {
    int fd;
    char *path;
    uint64_t file_id, bytes, commit_at;
    uint64_t streamed; /* bytes that the last opening decoded */
    struct commit c;

    LIST(struct block_ref) blocks;
    _Atomic(struct frame *) *frames; /* of blocks; NULL = not here */
    size_t nframes;
    LIST(struct store_family *) families;
    LIST(struct store_table *) tables;
    LIST(struct fact) facts;
    struct out path_text;
    LIST(uint64_t) path_ends;
    LIST(uint32_t) attr_family;
    size_t nattrs; /* that the next three are for: those of the last commit */
    struct tail *tails;
    uint32_t *first_run; /* and one more             */
    uint32_t *leaf_runs; /* how many are of level 0  */
    struct run_ref *runs;
    size_t nruns;
    LIST(struct text_block) texts;
    uint32_t *row_blocks;      /* those of rows, by table         */
    uint32_t *first_row_block; /* by table, and one more          */

    pthread_mutex_t lock; /* of what follows */
    struct ids names;     /* made when first asked */
    LIST(struct lost_block) lost;
    _Atomic uint64_t nlost;
};

/* Takes 'fd'; '*ret' is NULL or a reader.  'path' is for sentences. */
int reader_open(int fd, const char *path, struct reader **ret, struct err *err);
void reader_free(struct reader *r);
/* Remembers that a block is lost; each once. */
void reader_lost(struct reader *r, uint32_t block, const struct err *err);

/* cache.c */
/* The decoded payload of a block, pinned, or NULL: lost. */
struct frame *block_pin(struct reader *r, uint32_t block);
static inline void block_unpin(struct frame *f)
{
    atomic_fetch_sub_explicit(&f->pins, 1, memory_order_release);
}
/* Brings 'n' bytes of it from 'pos' on nearer to the processor, if it is here. */
static inline void block_prefetch(_Atomic(struct frame *) const *place, uint32_t pos, uint32_t n)
{
    struct frame *f = atomic_load_explicit(place, memory_order_relaxed);

    if (!f)
        return;
    /* Its data may be going away: to prefetch what is not there does no harm. */
    uintptr_t at = (uintptr_t)atomic_load_explicit(&f->data, memory_order_relaxed) + pos;
    for (uint32_t i = 0; i < n; i += 64)
        __builtin_prefetch((const void *)(at + i));
}
/* Reads, checks and decodes a block into 'out' (of ref->raw + BLOCK_SLACK bytes). */
int block_read(int fd, const struct block_ref *ref, uint64_t file_id, uint8_t *out,
               struct err *err);
/* Gives back all frames of a file that goes. */
void cache_forget(struct reader *r);

/* The text of a number, 0 being the first one; read_texts.c. */
struct str reader_text(struct reader *r, uint64_t number);

/* --- attr.c: one attribute --------------------------------------------------------- */

/* Runs of level 0 of an attribute, or of another one. */
struct run_list {
    const struct run_ref *at;
    uint32_t n;
};
struct run_list runs_of(const struct reader *r, attr_t a, uint8_t level);
/* The highest level that has runs. */
uint8_t top_level(const struct reader *r, attr_t a);
/* Of 'n' > 0 runs, the last one that begins at or before 't'; 0 if none does. */
uint32_t run_before(const struct run_list *l, ns_t t);

/* A run of intervals, in place. */
struct leaf {
    struct frame *frame; /* to be unpinned */
    ns_t t0, t1;
    struct steps steps;
    struct column values;
};
/* Where a run's body is; false: lost. */
bool run_open(const struct run_ref *ref, attr_t a, struct frame *f, struct in *ret);
bool leaf_open(struct reader *r, const struct run_ref *ref, attr_t a, struct leaf *ret);
/* Where run 'i' ends, if it can't be read: where the next one, or the tail, begins. */
ns_t run_end(const struct store *s, attr_t a, const struct run_list *l, uint32_t i);
/* The coverage's end: where what is open ends. */
ns_t cover_end(const struct reader *r);
ns_t cover_begin(const struct reader *r);
/* The tail's interval around 't', which is at or after its first change. */
bool tail_at(const struct store *s, attr_t a, ns_t t, struct interval *ret);

#endif
