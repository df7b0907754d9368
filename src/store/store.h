/* SPDX-License-Identifier: Apache-2.0
 *
 * store.h -- the history of one host: what was in which state, when.
 *
 * A history holds
 *   attributes   named by a path ("vms/vm-1000/state"), grouped in families that
 *                share a type and a set of values; each has at any instant one
 *                value or none;
 *   records      rows of typed columns with a start and an end (tasks, log
 *                lines, match points), grouped in tables.
 * One writer fills it in time order of the ends; any number of readers ask it.
 * Nothing here says where the data is kept: this interface is all that the
 * rest of the program may know.
 *
 * Times are ns of the host's own clock; intervals are half-open.  Every answer
 * can be completed by store_coverage(): how far it reaches, what is missing. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"
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

struct store_value {
    const char *label;
    const char *colour; /* "#rrggbb" */
    bool bad;           /* must never vanish when zoomed out */
};

/* What the attributes of a family have in common.  Kept by reference: static. */
struct store_family {
    const char *pattern; /* "vms/{vm}/state" */
    const char *title;
    enum store_type type;
    const char *unit;                 /* STORE_INT: "MB", "ns"; else "" */
    const struct store_value *values; /* STORE_STATE */
    uint32_t nvalues;
};

enum store_col { CELL_TIME, CELL_SPAN_NS, CELL_INT, CELL_TEXT };

struct store_column {
    const char *name;
    enum store_col type;
};

/* A table's shape.  Kept by reference: static.  Columns 0 and 1 are always the
 * start and the end of the record; STORE_NULL = not known. */
struct store_table {
    const char *name;
    const struct store_column *columns;
    uint32_t ncolumns;
};

/* One value: numbers as they are, text and STORE_STR by store_intern(). */
typedef int64_t cell_t;

/* --- making and filling ---------------------------------------------------- */

/* An empty history that lives in memory. */
struct store *store_new(const char *host);
void store_free(struct store *s);
const char *store_host(const struct store *s);

/* A text's number: the same for equal texts; 0 = the empty text. */
cell_t store_intern(struct store *s, struct str text);
struct str store_text(const struct store *s, cell_t id);

/* The attribute 'path' of family 'f', made when it is new. */
attr_t store_attr(struct store *s, const struct store_family *f, struct str path);
/* From 't' on the attribute has 'value' (STORE_NULL ends it).  't' may not be
 * before the attribute's last change: such a change is moved to it, and
 * counted (store_coverage: late). */
void store_set(struct store *s, attr_t a, ns_t t, cell_t value);
/* The attribute had 'value' in [t0, t1), which must be after what it has. */
void store_range(struct store *s, attr_t a, ns_t t0, ns_t t1, cell_t value);
table_t store_table(struct store *s, const struct store_table *def);
/* Adds a row; 'cells' has as many values as the table columns. */
void store_record(struct store *s, table_t table, const cell_t *cells);
/* What is known of the time from 't0' to 't1'; call when writing is done. */
void store_finish(struct store *s, ns_t t0, ns_t t1);

/* --- asking ---------------------------------------------------------------- */

struct store_coverage {
    ns_t t0, t1;      /* of the data                                 */
    uint64_t late;    /* changes that came out of order              */
    uint64_t changes; /* intervals                                   */
    uint64_t records;
};
void store_coverage(const struct store *s, struct store_coverage *ret);

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
    bool open; /* no end was seen */
};
/* The interval around 't'; false if the attribute has no value then. */
bool store_at(const struct store *s, attr_t a, ns_t t, struct interval *ret);
/* Intervals of an attribute that meet the window, in order of time. */
struct store_ranges {
    const struct store *s;
    attr_t a;
    struct span win;
    size_t next;
};
struct store_ranges store_ranges(const struct store *s, attr_t a, struct span win);
bool store_ranges_next(struct store_ranges *r, struct interval *ret);

/* One pixel of a strip. */
struct store_pixel {
    cell_t value;     /* that filled most of it; STORE_NULL = none        */
    bool bad;         /* a bad value was present, however short           */
    uint32_t changes; /* intervals that begin in it                       */
};
/* 'npx' equal parts of the window into 'ret'. */
void store_strip(const struct store *s, attr_t a, struct span win, struct store_pixel *ret,
                 size_t npx);

/* The table named 'name'; false if the store has none. */
bool store_table_find(const struct store *s, const char *name, table_t *ret);
const struct store_table *store_table_def(const struct store *s, table_t t);
/* Position of a column, or -1. */
int store_column(const struct store_table *def, const char *name);

/* Records of a table that meet the window (or lie in it as points), in the order
 * of their start; unknown starts count as their ends, and what has no end goes
 * on.  The row is valid until the store changes. */
struct store_rows {
    const struct store *s;
    table_t table;
    struct span win;
    size_t next, next_open;
    size_t nopen; /* rows before the window that go on into it */
};
struct store_rows store_rows(const struct store *s, table_t t, struct span win);
/* Leaves out what began before the window and has no end: it can be much. */
static inline void store_rows_skip_open(struct store_rows *r)
{
    r->next_open = r->nopen;
}
const cell_t *store_rows_next(struct store_rows *r);

#define SPAN_ALL ((struct span){ NS_MIN, NS_MAX })

#endif
