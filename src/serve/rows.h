/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.h -- the rows of time lines: attributes of the histories, and tracks made of records.
 *
 * A row's id is stable, so that an address that names it stays valid: "HOST/PATH" of an attribute,
 * "SCOPE#NAME" of a track.  A scope ("vm:web-1", "request:req-7", "migration:web-1/1", "host:c1",
 * "all") is what a page shows; its rows are made when it is first asked for, and kept while there
 * is room. */
#ifndef SERVE_ROWS_H
#define SERVE_ROWS_H

#include "serve/serve_priv.h"

/* Something that took time, in a track. */
struct item {
    ns_t t0, t1;
    int64_t value; /* of the legend; of a curve, the number */
    struct str label;
    struct str detail;  /* a sentence; may be empty */
    struct str request; /* for which it was done; may be empty */
};
/* Items in order of time that do not overlap. */
struct track {
    VEC(struct item) items;
};

/* What an entry is, for legends and links between views. */
struct row {
    struct str id, parent, label;
    const char *kind;  /* "vm-state", "vcpu", "thread", "cpu", "task", "stage", ... */
    const char *layer; /* "application", "virtualisation", "kernel" */
    const char *host;
    struct str vm, request, service;
    int64_t tid, pid; /* 0: none */
    bool curve;
    const char *unit;
    struct str legend; /* name in the reply's legends; empty: none */
    const struct store_value *values;
    uint32_t nvalues;
    const struct store *store; /* of an attribute */
    attr_t attr;
    const struct track *track; /* or a track; neither: a heading */
};

/* What one item led to in another row, on whatever host; by their positions. */
struct scope_arrow {
    uint32_t from, to;
    ns_t t0, t1, bound_ns; /* bound: of t1 - t0, STORE_NULL: not known */
    bool order_known;      /* by the clocks alone */
    const char *kind;      /* "call", "cast", "reply", "migration" */
    struct str label;
};

struct scope {
    struct arena mem;
    struct sbuf key;
    VEC(struct row) rows;
    VEC(struct scope_arrow) arrows; /* by t0, once all are there */
    struct strtab ids;              /* position of a row: its id's number less 1 */
    bool cut;                       /* there are more rows than are told */
    unsigned users;
    uint64_t used;
};

struct scopes *scopes_new(void);
void scopes_free(struct scopes *x);
/* The rows of a scope, to be released.  NULL: there is no such thing; 'err' says so. */
struct scope *scope_get(struct serve *s, struct str key, struct err *err);
void scope_release(struct serve *s, struct scope *c);
/* Finds a row by its id; the scope, if it is of one, is to be released.  Texts are in 'mem'. */
bool row_find(struct serve *s, struct str id, struct arena *mem, struct row *ret,
              struct scope **ret_scope, struct err *err);
/* Attributes and tracks of any row, as a value for people. */
struct str row_value(struct serve *s, const struct row *r, cell_t value, struct arena *mem);

/* --- for those who make rows --------------------------------------------------------------- */

struct row *scope_row(struct scope *c, struct str id);
/* A row for an attribute of a history. */
struct row *scope_attr(struct serve *s, struct scope *c, const struct store *st, attr_t a,
                       struct str parent);
/* A heading for what is below. */
struct row *scope_heading(struct scope *c, const char *name, struct str label, const char *layer);
/* Spreads 'items', in any order, over as many tracks as it takes that none overlaps, and adds a row
 * for each. */
void scope_tracks(struct scope *c, struct item *items, size_t n, const struct row *like,
                  const char *name);
/* An arrow between rows whose instants are of these hosts; its bound is found here. */
void scope_arrow(struct serve *s, struct scope *c, const struct scope_arrow *a, uint32_t host_from,
                 uint32_t host_to);
/* Adds the arrows of calls between its rows, when all rows are there. */
void scope_calls(struct serve *s, struct scope *c);
/* A scope has room for no more rows. */
bool scope_full(struct scope *c);

/* Fills the scope; false: there is no such thing. */
bool scope_fill(struct serve *s, struct scope *c, struct str kind, struct str id);

/* The row as JSON. */
void row_json(const struct row *r, struct json *j);
/* The rows of a scope and their legends, as /api/v1/rows answers; 'only' those, NULL: all. */
void rows_json(const struct scope *c, const bool *only, struct json *j);

/* --- strips -------------------------------------------------------------------------------- */

enum run_flag {
    RUN_MIXED = 1,   /* other values as well       */
    RUN_BAD = 2,     /* a bad one among them       */
    RUN_LOST = 4,    /* something can't be read    */
    RUN_INEXACT = 8, /* too many values to be sure */
};
struct run {
    uint32_t from, to; /* pixels */
    int64_t value;     /* STORE_NULL: none */
    unsigned flags;
    struct str label; /* of a text, or an item; empty: the legend has it */
};
struct runs {
    VEC(struct run) at;
    struct store_pixel *pixels; /* room */
    size_t npx;
};
/* The row in the window as runs of pixels: the cost is the pixels'. */
void row_runs(struct serve *s, const struct row *r, struct span win, size_t npx, struct runs *ret);
void runs_free(struct runs *r);
/* The points of a curve; 'ret' has room for 'npx'. */
void row_points(const struct row *r, struct span win, size_t npx, struct store_point *ret);
struct arrow {
    const struct row *from, *to;
    ns_t t0, t1, bound_ns; /* bound: STORE_NULL: not known */
    bool order_known;      /* by the clocks alone */
    const char *kind;      /* as of a scope_arrow, or "woken", "pre-empted" */
    struct str label;      /* which call; may be empty */
};
typedef void arrow_fn(void *ctx, const struct arrow *a);
/* Calls 'fn' for what led from one row of the scope to another; false: there is more. */
bool arrows_find(struct serve *s, struct scope *c, struct span win, size_t limit, arrow_fn *fn,
                 void *ctx);
/* What is at 't'; false: nothing. */
bool row_at(const struct row *r, ns_t t, struct item *ret, bool *ret_open);

#endif
