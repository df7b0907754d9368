/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h -- the history of one host: what was in which state, when.
 *
 * A history holds
 *   attributes   named by a path ("vms/vm-1000/state"), grouped in families that
 *                share a type and a set of values; each has at any instant one
 *                value or none;
 *   records      rows of typed columns with a start and an end (tasks, log
 *                lines, match points), grouped in tables;
 *   facts        pairs of a key and a text, about the history as a whole.
 * One writer fills it in time order of the ends; any number of readers, also in
 * other processes, ask it, also while it grows: they see what was committed.
 * Nothing here says how the data is kept: this interface is all that the rest
 * of the program may know.
 *
 * Times are ns of the host's own clock, unless the reader is given another (store_show);
 * intervals are half-open.  Every answer
 * can be completed by store_coverage(): how far it reaches, what is missing.
 * What can't be read any more (a damaged block, a failing disk) is answered as
 * 'lost', never as "no value", and store_notes() names it. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
#include "base/notes.h"
#include "base/str.h"
#include "base/time.h"

struct store;
typedef uint32_t attr_t;  /* an attribute of one store        */
typedef uint32_t table_t; /* a table of records of one store  */

enum store_type {
    STORE_STATE, /* one of a small set of values  */
    STORE_INT,   /* a number with a unit          */
    STORE_STR,   /* text; values are interned     */
};

/* "No value": unknown, or does not exist. */
#define STORE_NULL INT64_MIN

enum { STORE_MAX_VALUES = 63 }; /* of a family */

struct store_value {
    const char *label;
    const char *colour; /* "#rrggbb" */
    bool bad;           /* must never vanish when zoomed out */
};

/* What the attributes of a family have in common.  A writer keeps it by
 * reference: static. */
struct store_family {
    const char *pattern; /* "vms/{vm}/state" */
    const char *title;
    enum store_type type;
    const char *unit;                 /* STORE_INT: "MB", "ns"; else "" */
    const struct store_value *values; /* STORE_STATE */
    uint32_t nvalues;                 /* at most STORE_MAX_VALUES */
};

enum store_col { CELL_TIME, CELL_SPAN_NS, CELL_INT, CELL_TEXT };

struct store_column {
    const char *name;
    enum store_col type;
};

/* A table's shape.  A writer keeps it by reference: static.  Columns 0 and 1 are
 * always the start and the end of the record; STORE_NULL = not known. */
struct store_table {
    const char *name;
    const struct store_column *columns;
    uint32_t ncolumns;
};

/* One value: numbers as they are, text and STORE_STR by store_intern(). */
typedef int64_t cell_t;

/* --- making and filling ------------------------------------------------------------ */

struct store_options {
    bool durable; /* commits survive a power failure (fdatasync), not only a crash */
};

/* An empty history in a file that is made, in place of any that was there (readers
 * of that one keep it).  Fails with -E_IO if it can't be made or another writer
 * has it open.  'o' may be NULL. */
int store_create(const char *path, const char *host, const struct store_options *o,
                 struct store **ret, struct err *err);
/* The same in memory, gone with store_free(). */
struct store *store_new(const char *host);
/* Goes on with a history that was committed and not finished, because its writer
 * died, from the last commit; what was written after it is gone.  Families and
 * tables must be given again as they were. */
int store_resume(const char *path, const struct store_options *o, struct store **ret,
                 struct err *err);
void store_free(struct store *s);
const char *store_host(const struct store *s);

/* Writing can fail (disk full, no memory): the first error is kept, nothing is
 * written any more, and store_commit() and store_finish() return it.  Has it? */
bool store_failed(const struct store *s);

/* From now on what is written below is applied by a thread of its own, in the same order: the
 * history is the same.  Without effect if there can be no thread. */
void store_write_behind(struct store *s);
/* A text's number: the same for equal texts; 0 = the empty text. */
cell_t store_intern(struct store *s, struct str text);
/* The attribute 'path' of family 'f', made when it is new. */
attr_t store_attr(struct store *s, const struct store_family *f, struct str path);
/* From 't' on the attribute has 'value' (STORE_NULL ends it).  't' may not be
 * before the attribute's last change: such a change is moved to it, and
 * counted (store_coverage: late). */
void store_set(struct store *s, attr_t a, ns_t t, cell_t value);
/* The value that it has now turns out to have been 'value' from its beginning on. */
void store_revise(struct store *s, attr_t a, cell_t value);
/* The attribute had 'value' in [t0, t1), which must be after what it has. */
void store_range(struct store *s, attr_t a, ns_t t0, ns_t t1, cell_t value);
table_t store_table(struct store *s, const struct store_table *def);
/* Adds a row; 'cells' has as many values as the table columns. */
void store_record(struct store *s, table_t table, const cell_t *cells);
/* A fact about the history; the last of a key counts. */
void store_set_fact(struct store *s, const char *key, struct str value);
/* Everything before 'until' has been told: readers see it from now on.  Commits
 * also happen by themselves when much was written.  Returns 0 or -E_*. */
int store_commit(struct store *s, ns_t until, struct err *err);
/* The data reaches from 't0' to 't1', and no more comes.  The store can be asked
 * from now on.  Returns 0 or -E_*: the store can only be freed then. */
int store_finish(struct store *s, ns_t t0, ns_t t1, struct err *err);

/* --- asking ------------------------------------------------------------------------ */

/* Opens a history, finished or growing.  Any number of threads may ask a store at
 * the same time, but for store_refresh(). */
int store_open(const char *path, struct store **ret, struct err *err);
/* Looks for what was committed since: 1 = there is more, 0 = nothing new, or -E_*. */
int store_refresh(struct store *s, struct err *err);
/* From now on everything that is asked is asked and answered in the time that 'm' shows; NULL: in
 * the host's own.  Nothing in the history changes.  'm' must live as long as it is in use, and no
 * other thread may ask meanwhile. */
void store_show(struct store *s, const struct time_map *m);
/* An instant of the host's own clock, in the time that is shown: for facts that hold one. */
ns_t store_shown(const struct store *s, ns_t own);
/* Bytes that decoded blocks of all stores together may take (least: 1 MB). */
void store_set_cache(size_t bytes);

struct store_coverage {
    ns_t t0, t1;         /* of the data; t1 may be NS_MAX                    */
    ns_t complete_until; /* everything before it is here; t1 when finished   */
    bool finished;       /* the writer ended in order                        */
    uint64_t late;       /* changes that came out of order                   */
    uint64_t revised;    /* changes before what was complete by then         */
    uint64_t changes;    /* intervals                                        */
    uint64_t records;
    uint64_t bad_blocks; /* found so far; see store_notes()                  */
};
void store_coverage(const struct store *s, struct store_coverage *ret);
/* Adds a note for all that is known to be missing. */
void store_notes(const struct store *s, struct notes *notes);
/* The fact's text, or an empty one. */
struct str store_fact(const struct store *s, const char *key);
/* Fact number 'i', in the order in which they were first given; false: there are not
 * that many. */
bool store_fact_at(const struct store *s, size_t i, struct str *ret_key, struct str *ret_value);
/* Valid as long as the store. */
struct str store_text(const struct store *s, cell_t id);

uint32_t store_attr_count(const struct store *s);
struct str store_attr_path(const struct store *s, attr_t a);
const struct store_family *store_attr_family(const struct store *s, attr_t a);
bool store_attr_find(const struct store *s, struct str path, attr_t *ret);
/* The next attribute whose path matches the shell pattern, from '*it' on (start
 * with 0); false when there is none. */
bool store_attr_match(const struct store *s, struct str pattern, attr_t *it, attr_t *ret);

struct interval {
    ns_t t0, t1; /* t1 is the coverage's end while 'open' */
    cell_t value;
    bool open; /* no end was seen                                */
    bool lost; /* it can't be read what was in [t0, t1): value is STORE_NULL */
};
/* The interval around 't'; false if the attribute has no value then: '*ret' is the
 * gap around 't', or what was lost there. */
bool store_at(const struct store *s, attr_t a, ns_t t, struct interval *ret);
/* The same for 'n' attributes at once, which is faster; gaps have STORE_NULL. */
void store_at_all(const struct store *s, const attr_t *attrs, size_t n, ns_t t,
                  struct interval *ret);
/* The intervals at each of 'n' times in ascending order, gaps included (STORE_NULL),
 * each once.  'ret' has room for 'n'; returns how many there are. */
size_t store_sample(const struct store *s, attr_t a, const ns_t *times, size_t n,
                    struct interval *ret);

/* Intervals of an attribute that meet the window, in order of time, and parts that
 * are lost; memory does not depend on how many there are. */
enum { STORE_RUN = 256 };
struct store_ranges {
    const struct store *s;
    attr_t a;
    struct span win; /* in the host's own time */
    uint32_t run;    /* to be read next */
    uint32_t i, n;   /* of the run that is here */
    ns_t t[STORE_RUN + 66];
    cell_t v[STORE_RUN];
    bool lost, tail, done; /* of the run that is here: lost, the last one */
};
struct store_ranges store_ranges(const struct store *s, attr_t a, struct span win);
/* From the beginning with another window; fast where it begins in what was read last. */
void store_ranges_again(struct store_ranges *r, struct span win);
bool store_ranges_next(struct store_ranges *r, struct interval *ret);

/* Strips and series cut a window into 'npx' pixels.  Edges between pixels are rounded to
 * buckets of the summaries, if those are wide enough: by less than half a pixel, by less
 * than 1 / 1024 of the window where there are fewer pixels than 512, the same for all
 * attributes.  Everything else is exact: a pixel tells what is in [store_edge(i),
 * store_edge(i + 1)).  In another time than the host's own, edges are cut evenly in the host's
 * own, and rounded there. */
ns_t store_edge(struct span win, size_t npx, size_t i);

/* One pixel of a strip. */
struct store_pixel {
    cell_t value;     /* that filled most of it, the smaller of equals; of numbers, the
                         mean, rounded; STORE_NULL = none, or none for longer than any */
    ns_t ns;          /* how long; of numbers, the time that there was one */
    uint32_t changes; /* intervals that begin in it                       */
    bool bad;         /* a bad value was present, however short           */
    bool lost;        /* something in it can't be read                    */
    bool inexact;     /* it had more than STORE_MAX_VALUES texts, of which some were
                         summed up: another may be the one                 */
};
void store_strip(const struct store *s, attr_t a, struct span win, struct store_pixel *ret,
                 size_t npx);

/* One pixel of a number. */
struct store_point {
    cell_t min, max, last; /* STORE_NULL = no value in it               */
    double mean;           /* over the time that it had a value          */
    ns_t ns;               /* that time                                  */
    uint32_t changes;
    bool lost;
};
void store_series(const struct store *s, attr_t a, struct span win, struct store_point *ret,
                  size_t npx);

/* Time of 'n' attributes in each value within the window, exact; the longest first.
 * '*ret' is for the caller to free; returns how many there are. */
struct store_total {
    cell_t value;
    ns_t ns;
};
struct store_totals {
    struct store_total *at;
    size_t n;
    uint64_t changes; /* intervals that begin in the window */
    ns_t lost;        /* time that can't be read            */
};
void store_totals(const struct store *s, const attr_t *attrs, size_t n, struct span win,
                  struct store_totals *ret);

/* The 'k' longest intervals with 'value' that meet the window (as long as they are,
 * not only what is in it), the longest first, earlier ones before equals.  'ret' has
 * room for 'k'; returns how many there are.  '*ret_lost': time that can't be read. */
struct store_found {
    attr_t a;
    struct interval v;
};
size_t store_longest(const struct store *s, const attr_t *attrs, size_t n, cell_t value,
                     struct span win, size_t k, struct store_found *ret, ns_t *ret_lost);

/* The table named 'name'; false if the store has none. */
bool store_table_find(const struct store *s, const char *name, table_t *ret);
uint32_t store_table_count(const struct store *s);
const struct store_table *store_table_def(const struct store *s, table_t t);
/* Position of a column, or -1. */
int store_column(const struct store_table *def, const char *name);

/* Records of a table that meet the window (or lie in it as points), in the order
 * of their start; unknown starts count as their ends, and what has no end goes
 * on.  A row is valid until the next call.  Memory is a block per commit. */
struct store_rows {
    const struct store *s;
    table_t table;
    struct span win; /* in the host's own time */
    bool skip_open;
    bool done;
    struct rows_merge *merge; /* freed at the end */
};
struct store_rows store_rows(const struct store *s, table_t t, struct span win);
/* Leaves out what began before the window and has no end: it can be much. */
static inline void store_rows_skip_open(struct store_rows *r)
{
    r->skip_open = true;
}
const cell_t *store_rows_next(struct store_rows *r);
/* For those who stop before store_rows_next() returned NULL. */
void store_rows_end(struct store_rows *r);

#define SPAN_ALL ((struct span){ NS_MIN, NS_MAX })

/* --- looking after files ----------------------------------------------------------- */

/* Reads the whole file and compares every checksum.  Calls 'problem' with a sentence
 * for each thing that is wrong, and returns how many there were; -E_* if it can't be
 * read at all or is no history. */
int64_t store_verify(const char *path, void (*problem)(void *ctx, const char *sentence), void *ctx,
                     struct err *err);

/* What the file consists of. */
struct store_kind {
    const char *name; /* "intervals", "summaries", ... */
    uint64_t blocks, bytes, raw_bytes;
};
enum { STORE_KINDS = 10 };
struct store_file {
    uint32_t version;
    uint64_t bytes; /* of the file                           */
    uint64_t commits;
    uint64_t runs;
    uint64_t tail_bytes; /* behind the last commit: of a writer that died or still writes */
    struct store_kind kinds[STORE_KINDS];
};
void store_file(const struct store *s, struct store_file *ret);

#endif
