/* SPDX-License-Identifier: Apache-2.0
 *
 * table.c -- see table.h.
 *
 * Printing has three steps: a plan (which columns, which rows, in which order),
 * the text of each cell for the format, and the layout of the format.  Rows
 * that compare equal stay in the order in which they were added, so that the
 * same data always gives the same bytes. */
#define _GNU_SOURCE
#include "report/table.h"

#include "report/cell_text.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { COLUMN_GAP = 2, MAX_SORT_KEYS = 8 };

struct table_cell {
    bool known;
    union {
        struct str s;
        int64_t i;
        uint64_t u;
        double f;
        bool b;
        struct {
            const struct str *at;
            size_t n;
        } list;
        struct {
            table_emit *emit;
            const void *arg;
        } nested;
    };
};

/* -- rows ---------------------------------------------------------------- */

void table_init(struct table *t, const struct column *cols, size_t ncols)
{
    assert(ncols > 0);
    for (size_t i = 0; i < ncols; i++) {
        struct str id = str_of(cols[i].id);

        assert(id.n && cols[i].header);
        if (cols[i].kind == COL_INSTANT || cols[i].kind == COL_DURATION)
            assert(str_ends(id, STR("_ns")));
        if (cols[i].kind == COL_BYTES)
            assert(str_is(id, "bytes") || str_ends(id, STR("_bytes")));
    }
    *t = (struct table){ .cols = cols, .ncols = ncols };
}

void table_free(struct table *t)
{
    arena_free(&t->mem);
    vec_free(&t->rows);
    t->nrows = t->at = 0;
}

void table_row(struct table *t)
{
    *vec_push(&t->rows) = arena_array(&t->mem, struct table_cell, t->ncols);
    t->nrows = t->rows.n;
    t->at = 0;
}

/* The next cell of the last row, whose column must be of 'kind' or 'other'. */
static struct table_cell *next_cell(struct table *t, enum col_kind kind, enum col_kind other)
{
    assert(t->nrows > 0 && t->at < t->ncols);
    assert(t->cols[t->at].kind == kind || t->cols[t->at].kind == other);
    struct table_cell *c = &t->rows.at[t->nrows - 1][t->at++];

    c->known = true;
    return c;
}

void table_null(struct table *t)
{
    assert(t->nrows > 0 && t->at < t->ncols);
    t->at++;
}

void table_null_word(struct table *t, const char *word)
{
    assert(t->nrows > 0 && t->at < t->ncols);
    t->rows.at[t->nrows - 1][t->at++].s = str_of(word);
}

void table_str(struct table *t, struct str s)
{
    struct table_cell *c = next_cell(t, COL_STR, COL_STR);

    c->known = s.p != NULL;
    if (c->known)
        c->s = str_dup(&t->mem, s);
}

void table_int(struct table *t, int64_t v)
{
    next_cell(t, COL_INT, COL_INT)->i = v;
}

void table_count(struct table *t, uint64_t v)
{
    next_cell(t, COL_COUNT, COL_BYTES)->u = v;
}

void table_ratio(struct table *t, double v)
{
    struct table_cell *c = next_cell(t, COL_RATIO, COL_RATIO);

    c->f = v;
    c->known = isfinite(v);
}

void table_bool(struct table *t, bool v)
{
    next_cell(t, COL_BOOL, COL_BOOL)->b = v;
}

void table_ns(struct table *t, ns_t v)
{
    next_cell(t, COL_INSTANT, COL_DURATION)->i = v;
}

void table_list(struct table *t, const struct str *v, size_t n)
{
    struct str *copy = arena_array(&t->mem, struct str, n);
    struct table_cell *c = next_cell(t, COL_LIST, COL_LIST);

    for (size_t i = 0; i < n; i++)
        copy[i] = str_dup(&t->mem, v[i]);
    c->list.at = copy;
    c->list.n = n;
}

void table_nested(struct table *t, table_emit *emit, const void *arg)
{
    struct table_cell *c = next_cell(t, COL_NESTED, COL_NESTED);

    c->nested.emit = emit;
    c->nested.arg = arg;
}

/* -- the plan: columns, order -------------------------------------------- */

struct sort_key {
    size_t col;
    bool down;
};

struct plan {
    const struct table *t;
    enum table_format format;
    VEC(size_t) cols; /* positions in t->cols */
    struct sort_key keys[MAX_SORT_KEYS];
    size_t nkeys;
    struct table_cell **rows;
    size_t nrows;
};

static void plan_free(struct plan *p)
{
    vec_free(&p->cols);
    free(p->rows);
}

int table_format_parse(const char *name, enum table_format *ret, struct err *err)
{
    static const char *const names[] = { "table", "wide", "json", "jsonl", "csv", "value" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_is(str_of(name), names[i])) {
            *ret = (enum table_format)i;
            return 0;
        }
    return err_set(err, E_ARG,
                   "'%s' is not an output format: write table, wide, json, jsonl, csv or value",
                   name);
}

static int no_column(const struct column *cols, size_t ncols, struct str id, struct err *err)
{
    struct sbuf all = { 0 };

    for (size_t i = 0; i < ncols; i++)
        sbuf_fmt(&all, "%s%s", i ? ", " : "", cols[i].id);
    int rc = err_set(err, E_ARG, "there is no column '" STR_FMT "'; the columns are %s",
                     STR_ARG(id), all.p);
    sbuf_free(&all);
    return rc;
}

static int find_column(const struct column *cols, size_t ncols, struct str id, size_t *ret,
                       struct err *err)
{
    for (size_t i = 0; i < ncols; i++)
        if (str_is(id, cols[i].id)) {
            *ret = i;
            return 0;
        }
    return no_column(cols, ncols, id, err);
}

/* Takes "name" from the front of "name,rest".  False at the end. */
static bool take_name(struct str *list, struct str *ret)
{
    if (!list->p)
        return false;
    size_t comma = str_chr(*list, ',', 0);

    *ret = str_trim(str_first(*list, comma == STR_NONE ? list->n : comma));
    *list = comma == STR_NONE ? (struct str){ NULL, 0 } : str_from(*list, comma + 1);
    return true;
}

static bool shown_by_default(const struct column *c, enum table_format format)
{
    switch (format) {
    case TABLE_TABLE:
    case TABLE_VALUE: return !(c->flags & (COL_WIDE | COL_JSON));
    case TABLE_WIDE:
    case TABLE_CSV: return !(c->flags & COL_JSON);
    case TABLE_JSON:
    case TABLE_JSONL: return true;
    }
    return true;
}

static int plan_columns(struct plan *p, const struct column *cols, size_t ncols,
                        const char *columns, struct err *err)
{
    struct str list = str_of(columns), id;
    int rc;

    if (!columns) {
        for (size_t i = 0; i < ncols; i++)
            if (shown_by_default(&cols[i], p->format))
                *vec_push(&p->cols) = i;
        return 0;
    }
    while (take_name(&list, &id)) {
        size_t col;

        if ((rc = find_column(cols, ncols, id, &col, err)) < 0)
            return rc;
        for (size_t i = 0; i < p->cols.n; i++)
            if (p->cols.at[i] == col)
                return err_set(err, E_ARG, "column '%s' is asked for twice", cols[col].id);
        *vec_push(&p->cols) = col;
    }
    return 0;
}

static int plan_sort(struct plan *p, const struct column *cols, size_t ncols, const char *sort,
                     struct err *err)
{
    struct str list = str_of(sort), id;
    int rc;

    while (take_name(&list, &id)) {
        struct sort_key key = { .down = str_starts(id, STR("-")) };

        if ((rc = find_column(cols, ncols, str_from(id, key.down), &key.col, err)) < 0)
            return rc;
        if (cols[key.col].kind == COL_NESTED)
            return err_set(err, E_ARG, "rows can't be sorted by '%s': it has parts",
                           cols[key.col].id);
        if (p->nkeys == MAX_SORT_KEYS)
            return err_set(err, E_ARG, "rows can be sorted by %d columns, not more", MAX_SORT_KEYS);
        p->keys[p->nkeys++] = key;
    }
    return 0;
}

static int plan_init(struct plan *p, const struct column *cols, size_t ncols,
                     const struct table_opts *o, struct err *err)
{
    int rc;

    *p = (struct plan){ .format = o->format };
    if ((rc = plan_columns(p, cols, ncols, o->columns, err)) == 0)
        rc = plan_sort(p, cols, ncols, o->sort, err);
    if (rc < 0)
        plan_free(p);
    return rc;
}

int table_check(const struct column *cols, size_t ncols, const struct table_opts *o,
                struct err *err)
{
    struct plan p;
    int rc = plan_init(&p, cols, ncols, o, err);

    if (rc == 0)
        plan_free(&p);
    return rc;
}

static int list_cmp(const struct table_cell *a, const struct table_cell *b)
{
    for (size_t i = 0; i < a->list.n && i < b->list.n; i++) {
        int c = str_cmp(a->list.at[i], b->list.at[i]);

        if (c)
            return c;
    }
    return (a->list.n > b->list.n) - (a->list.n < b->list.n);
}

static int cell_cmp(enum col_kind kind, const struct table_cell *a, const struct table_cell *b)
{
    switch (kind) {
    case COL_STR: return str_cmp(a->s, b->s);
    case COL_COUNT:
    case COL_BYTES: return (a->u > b->u) - (a->u < b->u);
    case COL_RATIO: return (a->f > b->f) - (a->f < b->f);
    case COL_BOOL: return a->b - b->b;
    case COL_INT:
    case COL_INSTANT:
    case COL_DURATION: return (a->i > b->i) - (a->i < b->i);
    case COL_LIST: return list_cmp(a, b);
    case COL_NESTED: break;
    }
    return 0;
}

struct sort_item {
    struct table_cell *row;
    size_t order;
};

/* Unknown cells come last, up or down. */
static int row_cmp(const void *va, const void *vb, void *arg)
{
    const struct sort_item *a = va, *b = vb;
    const struct plan *p = arg;

    for (size_t k = 0; k < p->nkeys; k++) {
        const struct table_cell *ca = &a->row[p->keys[k].col], *cb = &b->row[p->keys[k].col];
        int c;

        if (ca->known != cb->known)
            return ca->known ? -1 : 1;
        if (ca->known && (c = cell_cmp(p->t->cols[p->keys[k].col].kind, ca, cb)) != 0)
            return p->keys[k].down ? -c : c;
    }
    return (a->order > b->order) - (a->order < b->order);
}

static void plan_rows(struct plan *p, const struct table *t, size_t limit)
{
    struct sort_item *items = xcalloc(t->nrows, sizeof *items);

    p->t = t;
    for (size_t i = 0; i < t->nrows; i++)
        items[i] = (struct sort_item){ t->rows.at[i], i };
    if (p->nkeys && t->nrows)
        qsort_r(items, t->nrows, sizeof *items, row_cmp, p);
    p->nrows = limit && limit < t->nrows ? limit : t->nrows;
    p->rows = xcalloc(p->nrows, sizeof(struct table_cell *));
    for (size_t i = 0; i < p->nrows; i++)
        p->rows[i] = items[i].row;
    free(items);
}

/* -- cells ---------------------------------------------------------------- */

static void cell_json(struct json *j, enum col_kind kind, const struct table_cell *c)
{
    if (!c->known) {
        json_none(j);
        return;
    }
    switch (kind) {
    case COL_STR: json_str(j, c->s); return;
    case COL_COUNT:
    case COL_BYTES: json_u64(j, c->u); return;
    case COL_RATIO: json_f64(j, c->f); return;
    case COL_BOOL: json_bool(j, c->b); return;
    case COL_INT:
    case COL_INSTANT:
    case COL_DURATION: json_i64(j, c->i); return;
    case COL_NESTED: c->nested.emit(j, c->nested.arg); return;
    case COL_LIST:
        json_open(j, '[');
        for (size_t i = 0; i < c->list.n; i++)
            json_str(j, c->list.at[i]);
        json_close(j, ']');
        return;
    }
}

/* Adds the cell as JSON in one line. */
static void add_json(struct sbuf *b, enum col_kind kind, const struct table_cell *c)
{
    char *text = NULL;
    size_t n = 0;
    struct json j = { .f = open_memstream(&text, &n) };

    if (!j.f)
        abort(); /* out of memory, as in xmalloc() */
    cell_json(&j, kind, c);
    fclose(j.f);
    sbuf_add(b, text, n);
    free(text);
}

static void add_bytes(struct sbuf *b, uint64_t v)
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double x = (double)v;
    size_t u = 0;

    /* From 1023.95 on, one decimal would show 1024.0. */
    while (u + 1 < ARRAY_SIZE(units) && x >= (u ? 1023.95 : 1024)) {
        x /= 1024;
        u++;
    }
    if (u == 0)
        sbuf_fmt(b, "%" PRIu64 " B", v);
    else
        sbuf_fmt(b, "%.1f %s", x, units[u]);
}

static void add_list(struct sbuf *b, const struct table_cell *c, const char *between,
                     const char *keep)
{
    for (size_t i = 0; i < c->list.n; i++) {
        if (i)
            sbuf_z(b, between);
        cell_escape(b, c->list.at[i], keep);
    }
}

/* For people: units, and a dash for the unknown. */
static void add_human(struct sbuf *b, enum col_kind kind, const struct table_cell *c)
{
    char text[TIME_TEXT];

    if (!c->known) {
        sbuf_str(b, c->s.n ? c->s : STR("-"));
        return;
    }
    switch (kind) {
    case COL_STR: cell_escape(b, c->s, ""); return;
    case COL_INT: sbuf_fmt(b, "%" PRId64, c->i); return;
    case COL_COUNT: sbuf_fmt(b, "%" PRIu64, c->u); return;
    case COL_BYTES: add_bytes(b, c->u); return;
    case COL_RATIO: sbuf_fmt(b, "%.1f %%", c->f * 100); return;
    case COL_BOOL: sbuf_z(b, c->b ? "yes" : "no"); return;
    case COL_INSTANT: sbuf_z(b, time_iso(c->i, text)); return;
    case COL_DURATION: sbuf_z(b, time_human(c->i, text)); return;
    case COL_LIST: add_list(b, c, ", ", ""); return;
    case COL_NESTED: add_json(b, kind, c); return;
    }
}

/* For machines: raw numbers; the characters in 'keep' are not escaped. */
static void add_raw(struct sbuf *b, enum col_kind kind, const struct table_cell *c,
                    const char *keep)
{
    if (!c->known)
        return;
    if (kind == COL_STR)
        cell_escape(b, c->s, keep);
    else if (kind == COL_LIST)
        add_list(b, c, ";", keep);
    else
        add_json(b, kind, c);
}

/* -- layouts --------------------------------------------------------------- */

/* Text of all cells of a table, row by row, the header first. */
struct grid_cell {
    size_t at, n, width;
};

struct grid {
    struct sbuf text;
    VEC(struct grid_cell) cells;
    size_t *widths; /* of the columns */
};

static bool right_aligned(const struct column *c)
{
    if (c->align != ALIGN_AUTO)
        return c->align == ALIGN_RIGHT;
    return c->kind == COL_INT || c->kind == COL_COUNT || c->kind == COL_BYTES ||
           c->kind == COL_RATIO || c->kind == COL_DURATION;
}

/* Ends the cell whose text starts at 'from'; cuts it to 'max' columns if > 0. */
static void grid_end_cell(struct grid *g, size_t from, size_t max, size_t *col_width)
{
    struct str s = str_from(sbuf_view(&g->text), from);
    size_t width = cell_width(s);

    if (max > 0 && width > max) {
        g->text.n = from + cell_cut(s, max - 1).n;
        sbuf_z(&g->text, "\xe2\x80\xa6"); /* U+2026, an ellipsis */
        s = str_from(sbuf_view(&g->text), from);
        width = cell_width(s);
    }
    *vec_push(&g->cells) = (struct grid_cell){ from, s.n, width };
    if (width > *col_width)
        *col_width = width;
}

static void grid_fill(struct grid *g, const struct plan *p, bool headers)
{
    g->widths = xcalloc(p->cols.n, sizeof *g->widths);
    for (size_t k = 0; headers && k < p->cols.n; k++) {
        size_t from = g->text.n;

        sbuf_z(&g->text, p->t->cols[p->cols.at[k]].header);
        grid_end_cell(g, from, 0, &g->widths[k]);
    }
    for (size_t r = 0; r < p->nrows; r++)
        for (size_t k = 0; k < p->cols.n; k++) {
            const struct column *c = &p->t->cols[p->cols.at[k]];
            size_t from = g->text.n;

            add_human(&g->text, c->kind, &p->rows[r][p->cols.at[k]]);
            grid_end_cell(g, from, p->format == TABLE_TABLE ? c->max : 0, &g->widths[k]);
        }
}

static void add_blanks(struct sbuf *b, size_t n)
{
    while (n--)
        sbuf_chr(b, ' ');
}

static void print_table(const struct plan *p, bool headers, FILE *f)
{
    struct grid g = { 0 };
    struct sbuf line = { 0 };

    grid_fill(&g, p, headers);
    for (size_t i = 0; i < g.cells.n; i++) {
        size_t k = i % p->cols.n;
        const struct grid_cell *c = &g.cells.at[i];
        size_t pad = g.widths[k] - c->width;
        bool right = right_aligned(&p->t->cols[p->cols.at[k]]);

        if (k)
            add_blanks(&line, COLUMN_GAP);
        add_blanks(&line, right ? pad : 0);
        sbuf_add(&line, g.text.p + c->at, c->n);
        add_blanks(&line, right ? 0 : pad);
        if (k + 1 < p->cols.n)
            continue;
        while (line.n && line.p[line.n - 1] == ' ')
            line.n--;
        sbuf_chr(&line, '\n');
        fwrite_unlocked(line.p, 1, line.n, f);
        sbuf_clear(&line);
    }
    sbuf_free(&line);
    sbuf_free(&g.text);
    vec_free(&g.cells);
    free(g.widths);
}

static void row_json(const struct plan *p, size_t row, struct json *j)
{
    json_open(j, '{');
    for (size_t k = 0; k < p->cols.n; k++) {
        const struct column *c = &p->t->cols[p->cols.at[k]];

        json_key(j, str_of(c->id));
        cell_json(j, c->kind, &p->rows[row][p->cols.at[k]]);
    }
    json_close(j, '}');
}

static void rows_json(const struct plan *p, struct json *j)
{
    json_open(j, '[');
    for (size_t r = 0; r < p->nrows; r++)
        row_json(p, r, j);
    json_close(j, ']');
}

static void print_json(const struct plan *p, FILE *f)
{
    struct json j = { .f = f, .pretty = true };

    rows_json(p, &j);
    putc_unlocked('\n', f);
}

static void print_jsonl(const struct plan *p, FILE *f)
{
    struct json j = { .f = f };

    for (size_t r = 0; r < p->nrows; r++) {
        row_json(p, r, &j);
        putc_unlocked('\n', f);
    }
}

/* Writes one field of a CSV line; 'alone' if the line has no other. */
static void put_csv(FILE *f, struct str s, bool alone)
{
    bool quote = alone && s.n == 0;

    for (size_t i = 0; i < s.n; i++)
        quote |= s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
    if (quote)
        putc_unlocked('"', f);
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            putc_unlocked('"', f);
        putc_unlocked(s.p[i], f);
    }
    if (quote)
        putc_unlocked('"', f);
}

static void print_csv(const struct plan *p, bool headers, FILE *f)
{
    struct sbuf b = { 0 };

    for (size_t k = 0; headers && k < p->cols.n; k++) {
        put_csv(f, str_of(p->t->cols[p->cols.at[k]].id), p->cols.n == 1);
        putc_unlocked(k + 1 < p->cols.n ? ',' : '\n', f);
    }
    for (size_t r = 0; r < p->nrows; r++)
        for (size_t k = 0; k < p->cols.n; k++) {
            size_t col = p->cols.at[k];

            sbuf_clear(&b);
            add_raw(&b, p->t->cols[col].kind, &p->rows[r][col], "\n\r\t");
            put_csv(f, sbuf_view(&b), p->cols.n == 1);
            putc_unlocked(k + 1 < p->cols.n ? ',' : '\n', f);
        }
    sbuf_free(&b);
}

static void print_values(const struct plan *p, FILE *f)
{
    struct sbuf b = { 0 };

    for (size_t r = 0; r < p->nrows; r++) {
        sbuf_clear(&b);
        for (size_t k = 0; k < p->cols.n; k++) {
            size_t col = p->cols.at[k];

            if (k)
                sbuf_chr(&b, '\t');
            add_raw(&b, p->t->cols[col].kind, &p->rows[r][col], "");
        }
        sbuf_chr(&b, '\n');
        fwrite_unlocked(b.p, 1, b.n, f);
    }
    sbuf_free(&b);
}

int table_print(const struct table *t, const struct table_opts *o, FILE *f, struct err *err)
{
    struct plan p;
    int rc = plan_init(&p, t->cols, t->ncols, o, err);

    if (rc < 0)
        return rc;
    plan_rows(&p, t, o->limit);
    switch (o->format) {
    case TABLE_TABLE:
    case TABLE_WIDE: print_table(&p, !o->no_headers, f); break;
    case TABLE_JSON: print_json(&p, f); break;
    case TABLE_JSONL: print_jsonl(&p, f); break;
    case TABLE_CSV: print_csv(&p, !o->no_headers, f); break;
    case TABLE_VALUE: print_values(&p, f); break;
    }
    plan_free(&p);
    if (fflush(f) != 0 || ferror(f))
        return err_set(err, E_IO, "cannot write the output: %s", strerror(errno));
    return 0;
}

int table_json(const struct table *t, const struct table_opts *o, struct json *j, struct err *err)
{
    struct table_opts mine = *o;
    struct plan p;

    mine.format = TABLE_JSON;
    int rc = plan_init(&p, t->cols, t->ncols, &mine, err);
    if (rc < 0)
        return rc;
    plan_rows(&p, t, o->limit);
    rows_json(&p, j);
    plan_free(&p);
    return 0;
}
