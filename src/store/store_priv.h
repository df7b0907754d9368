/* SPDX-License-Identifier: Apache-2.0
 *
 * store_priv.h -- a history file while it is written.
 *
 *   store_set ─▶ write.c: changes of each attribute, until there are enough for
 *                a run ─▶ runs.c: run ─▶ block of its family and duration class
 *                     └─▶ summary.c: buckets of each level ─▶ block of summaries
 *   store_record ─▶ rows.c     store_intern ─▶ texts.c
 *   commit.c: blocks ─▶ file; all that is held, index, open states ─▶ a commit
 *
 * An attribute's history is its changes in order of time; interval i is from
 * change i to change i + 1, gaps being intervals whose value is STORE_NULL. */
#ifndef STORE_STORE_PRIV_H
#define STORE_STORE_PRIV_H

#include "store/code_priv.h"
#include "store/format_priv.h"
#include "store/io_priv.h"
#include "store/store.h"

struct writer;
struct reader;

struct store {
    char *host;
    struct writer *w;             /* until it is finished   */
    struct reader *r;             /* when it can be asked   */
    struct behind *behind;        /* what writes on a thread of its own; NULL = nothing does */
    const struct time_map *shown; /* NULL: its own time */
};

static inline struct span own_span(const struct store *s, struct span win)
{
    return s->shown ? (struct span){ time_own(s->shown, win.t0), time_own(s->shown, win.t1) } : win;
}

/* Has the writer failed?  Also while another thread writes. */
#define w_has_failed(w) __atomic_load_n(&(w)->failed, __ATOMIC_RELAXED)

/* One change, or the interval that begins with it. */
struct change {
    ns_t t;
    cell_t v;
};

/* A data block, in the index as in memory.  t0 and t1 of texts: first number, and the
 * number behind the last one. */
struct block_ref {
    uint64_t at, sum;
    int64_t t0, t1;
    uint32_t stored, raw, owner;
    uint8_t kind, codec;
    uint16_t klass;
};
_Static_assert(sizeof(struct block_ref) == 48, "stored as it is");

/* Where a run is: level 0 are intervals, level n buckets of 4^n ns. */
struct run_ref {
    ns_t t0;
    uint32_t block;
    uint16_t pos; /* in the decoded payload */
    uint8_t level, unused;
};
_Static_assert(sizeof(struct run_ref) == 16, "stored as it is");

enum {
    RUN_MAX = STORE_RUN,
    LEVEL_MIN = 3,
    LEVEL_MAX = 30,
    BUCKET_AIM = 64, /* changes in the finest buckets, on average  */
    BUCKET_MIN = 32, /* changes that a bucket must have to be kept */
    CLASSES = 16,    /* of duration: powers of 16 ns               */
};

/* A run that waits for the number of its block. */
struct new_run {
    struct run_ref ref;
    uint32_t attr;
};

/* A block that is being filled with runs. */
struct filling {
    struct out bytes;
    enum block_kind kind;
    uint32_t owner;
    uint16_t klass;
    ns_t base; /* starts are written as differences to it */
    ns_t t0, t1;
    uint32_t zstd_pause; /* blocks for which compressing isn't tried: it did not help */
    struct {
        size_t *at, n, cap;
    } runs; /* positions in writer.runs */
};

struct w_family {
    const struct store_family *def;
    struct filling intervals[CLASSES];
    struct filling summaries;
};

struct w_attr {
    struct change *at; /* not yet in a run; the last one is the open state */
    uint16_t n, cap;
    bool touched; /* since the last commit */
    bool told;    /* has had a run */
    uint32_t family;
    struct sums *sums; /* buckets in the making; NULL = none yet */
};

struct w_table {
    const struct store_table *def;
    cell_t *at;
    size_t n, cap; /* cells */
};

/* Numbers of texts by a 96-bit hash with a seed that nobody knows: equal hashes
 * are taken for equal texts. */
struct ids {
    struct id_slot {
        uint64_t hash;
        uint32_t more, id; /* id + 1; 0 = free */
    } * slots;
    size_t n, nslots;
};
/* The number of 'text', or 'otherwise', which it has from now on if 'add'.  UINT32_MAX:
 * no memory. */
uint32_t ids_find(struct ids *x, uint64_t seed, struct str text, uint32_t otherwise, bool add);

#define LIST(T)     \
    struct {        \
        T *at;      \
        size_t n;   \
        size_t cap; \
    }

struct fact {
    char *key, *value;
    size_t n; /* bytes of the value */
};

struct writer {
    int fd;
    char *path; /* for sentences */
    bool durable;
    struct err err; /* if 'failed' */
    uint64_t file_id;

    /* What the calling side looks at for every text and row: away from what the writing side
     * changes for each, so that they do not take the line from each other's caches. */
    char pad_before[64];
    bool failed;
    uint64_t seed;
    struct ids names, texts;
    uint64_t given_attrs, given_texts;       /* numbers given, while another thread writes */
    LIST(const struct store_table *) shapes; /* of tables                                  */
    char pad_after[64];

    LIST(struct w_attr) attrs;
    LIST(struct w_family) families;
    LIST(struct w_table) tables;
    LIST(struct fact) facts;
    LIST(attr_t) touched;
    struct out paths;        /* of all attributes, as the stream of names has them */
    LIST(uint64_t) paths_at; /* where an attribute's begins                         */
    struct out last_path;
    struct out text; /* texts that are not yet in a block */
    LIST(cell_t) text_sizes;
    uint64_t ntexts;

    LIST(struct block_ref) blocks;
    LIST(struct new_run) runs;
    struct out buf; /* to be written at 'at' */
    uint64_t at;
    uint32_t number; /* of the next block */
    struct out scratch, packed;
    struct ZSTD_CCtx_s *zstd;

    struct commit last; /* what the last commit said, kept up to date */
    uint64_t commit_at; /* of the last commit block; 0 = none */
    struct {
        uint64_t blocks, runs, names, families, tables;
    } told; /* what earlier commits have told */
    uint64_t bytes_at_commit;
    uint64_t held, held_at_commit; /* bytes of changes and rows in memory */
    uint64_t interval_bytes, summary_bytes;
    ns_t now;              /* latest change */
    struct reader *before; /* of a history that goes on: has its families and tables */
};

/* commit.c: the file.  All of them remember a failure in the writer. */
void w_fail(struct writer *w, const struct err *err);
void w_no_memory(struct writer *w);
bool w_reserve(struct writer *w, struct out *o, size_t more);
/* Appends a block; false when the writer has failed. */
bool w_block(struct writer *w, struct block_head *h, const uint8_t *payload, size_t n,
             bool try_zstd);
/* A data block: listed in the index. */
bool w_data_block(struct writer *w, struct block_head *h, const uint8_t *payload, size_t n,
                  bool try_zstd);
int w_commit(struct writer *w, ns_t until, bool finished, struct err *err);
/* Everything up to here has been committed. */
void w_all_told(struct writer *w);
void w_free(struct writer *w);
/* Lets the file begin with its first page. */
bool w_begin(struct writer *w);

/* runs.c */
/* By attribute, level and start, of struct new_run, for qsort(). */
int run_order(const void *a, const void *b);
struct run_head {
    uint32_t family, attr;
    uint8_t level; /* 0: intervals */
    uint16_t klass;
    ns_t t0, t1;
};
/* Adds a run whose 'body' is all but the head. */
void w_run(struct writer *w, const struct run_head *h, const struct out *body);
/* All changes of an attribute that are held go into a run, but for the open state and,
 * unless the history is finished, a gap right before it, which a change at the same
 * instant may still undo. */
void w_intervals(struct writer *w, attr_t attr, bool finished);
void w_close_filling(struct writer *w, struct filling *f);
void w_close_all(struct writer *w);

/* summary.c */
void w_sum(struct writer *w, attr_t attr, const struct change *c, size_t n);
/* Writes buckets that are complete and not yet in a run. */
void w_sums_flush(struct writer *w, attr_t attr);
void sums_free(struct sums *s);

/* write.c, rows.c, texts.c: what the functions of store.h do, after they have decided on which
 * thread. */
void w_set(struct writer *w, attr_t attr, ns_t t, cell_t value);
void w_revise(struct writer *w, attr_t attr, cell_t value);
void w_record(struct writer *w, table_t table, const cell_t *cells);
void w_add_attr(struct writer *w, const struct store_family *f, struct str path);
void w_add_text(struct writer *w, struct str text);

/* write.c */
struct store *store_alloc(const char *host, const char *path, int fd);
/* Only one process may write. */
int store_lock(const char *path, int fd, struct err *err);
/* Commits when much was written or is held. */
void w_relieve(struct writer *w);

/* rows.c, texts.c */
void w_rows_flush(struct writer *w);
void w_texts_flush(struct writer *w);

#endif
