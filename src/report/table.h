/* SPDX-License-Identifier: Apache-2.0
 *
 * table.h -- the one renderer behind every listing.
 *
 * A command declares its columns as data, adds rows cell by cell, and lets
 * table_print() do what the user asked for: choose, sort, cut, and write as a
 * table, JSON, CSV or bare values.  Nobody else formats a listing, so that two
 * outputs of the same thing can't differ.
 *
 *   static const struct column cols[] = {
 *       { "name",     "NAME",    COL_STR },
 *       { "start_ns", "START",   COL_INSTANT },
 *       { "took_ns",  "TOOK",    COL_DURATION },
 *       { "image",    "IMAGE",   COL_STR, .flags = COL_WIDE },
 *   };
 *   struct table t;
 *   table_init(&t, cols, ARRAY_SIZE(cols));
 *   table_row(&t);
 *   table_str(&t, vm->name);
 *   table_ns(&t, vm->start);
 *   table_null(&t);                           (and so is every cell not added)
 *   rc = table_print(&t, &opts, stdout, err);
 *   table_free(&t);
 *
 * What a kind of cell becomes:
 *
 *   kind          table, wide                     json, jsonl      csv, value
 *   COL_STR       controls escaped (cell_text.h)  string           text
 *   COL_INT       1234                            1234             1234
 *   COL_COUNT     1234                            1234             1234
 *   COL_BYTES     1.5 MiB                         1572864          1572864
 *   COL_RATIO     12.3 %                          0.123            0.123
 *   COL_BOOL      yes                             true             true
 *   COL_INSTANT   2016-08-08 15:03:42.148087831   nanoseconds      nanoseconds
 *   COL_DURATION  7.986 ms                        nanoseconds      nanoseconds
 *   COL_LIST      a, b                            ["a", "b"]       a;b
 *   COL_NESTED    JSON in one line                JSON             JSON in one line
 *   unknown       -                               null             empty
 *
 * CSV is RFC 4180 with lines that end in LF, as the tools of this system
 * expect; control characters are escaped in it, except line ends and tabs.
 * 'value' is for scripts: no header, cells separated by one tab, one row a
 * line.  Colours are never written. */
#ifndef REPORT_TABLE_H
#define REPORT_TABLE_H

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"

#include <stdio.h>

enum col_kind {
    COL_STR,
    COL_INT,
    COL_COUNT,
    COL_BYTES, /* the id is bytes, or ends in _bytes */
    COL_RATIO, /* 1.0 is 100 % */
    COL_BOOL,
    COL_INSTANT,  /* the id ends in _ns */
    COL_DURATION, /* the id ends in _ns */
    COL_LIST,
    COL_NESTED,
};

enum col_align {
    ALIGN_AUTO, /* numbers, but not instants, to the right */
    ALIGN_LEFT,
    ALIGN_RIGHT,
};

enum col_flag {
    COL_WIDE = 1, /* not in 'table' and 'value' unless asked for with -c     */
    COL_JSON = 2, /* only in json and jsonl, elsewhere if asked for with -c  */
};

struct column {
    const char *id;     /* stable: JSON key, CSV header, -c, --sort */
    const char *header; /* in tables */
    enum col_kind kind;
    enum col_align align;
    unsigned flags; /* enum col_flag */
    size_t max;     /* in format 'table', longer cells are cut to this width; 0 = never */
};

enum table_format {
    TABLE_TABLE,
    TABLE_WIDE,
    TABLE_JSON,
    TABLE_JSONL,
    TABLE_CSV,
    TABLE_VALUE,
};

/* What the user may ask of every listing.  All zero is the default. */
struct table_opts {
    enum table_format format;
    const char *columns; /* "name,took_ns": these, in this order; NULL = the format's own */
    const char *sort;    /* "-took_ns,name": '-' is descending; NULL = as added */
    bool no_headers;     /* table, wide, csv */
    size_t limit;        /* at most so many rows, after sorting; 0 = all */
};

/* Writes a nested value: exactly one json_* value, or an object or array. */
typedef void table_emit(struct json *j, const void *arg);

struct table_cell;

struct table {
    const struct column *cols;
    size_t ncols, nrows;
    struct arena mem;
    VEC(struct table_cell *) rows; /* 'ncols' cells each */
    size_t at;                     /* next cell of the last row */
};

/* 'cols' must outlive the table. */
void table_init(struct table *t, const struct column *cols, size_t ncols);
void table_free(struct table *t);

/* Starts a row.  Its cells are added from left to right; the kind of each must
 * fit its column.  Text is copied. */
void table_row(struct table *t);
void table_null(struct table *t);
/* Null, for which a table has 'word' instead of a dash; static. */
void table_null_word(struct table *t, const char *word);
void table_str(struct table *t, struct str s);                   /* COL_STR; s.p == NULL is null */
void table_int(struct table *t, int64_t v);                      /* COL_INT */
void table_count(struct table *t, uint64_t v);                   /* COL_COUNT, COL_BYTES */
void table_ratio(struct table *t, double v);                     /* COL_RATIO; not finite is null */
void table_bool(struct table *t, bool v);                        /* COL_BOOL */
void table_ns(struct table *t, ns_t v);                          /* COL_INSTANT, COL_DURATION */
void table_list(struct table *t, const struct str *v, size_t n); /* COL_LIST */
/* COL_NESTED: 'emit' is called when the table is printed, perhaps several
 * times; 'arg' must live until then. */
void table_nested(struct table *t, table_emit *emit, const void *arg);

/* "table", "wide", "json", "jsonl", "csv" or "value".  Returns 0 or -E_ARG. */
int table_format_parse(const char *name, enum table_format *ret, struct err *err);

/* Are the columns and the sort keys of 'o' among 'cols'?  For commands that
 * want to say so before they work for an hour.  Returns 0 or -E_ARG. */
int table_check(const struct column *cols, size_t ncols, const struct table_opts *o,
                struct err *err);

/* Writes the table to 'f'.  The table is left as it was and can be printed
 * again.  Returns 0, -E_ARG (see table_check; nothing is written) or -E_IO. */
int table_print(const struct table *t, const struct table_opts *o, FILE *f, struct err *err);
/* Writes the table as an array into JSON that has been begun.  Returns 0 or -E_ARG. */
int table_json(const struct table *t, const struct table_opts *o, struct json *j, struct err *err);

#endif
