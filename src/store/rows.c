/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c -- records, while they are written.
 *
 * Payload of a block of rows of one table: varint n; a column of the latest end in
 * each ROWS_GROUP rows, INT64_MAX if one has none, to pass over what is before a
 * window; a column for each of the table's.  The rows of one commit are in the order of their
 * beginnings, through all of its blocks; 'class' is the lower half of the commit's number.  A
 * block's t0 is where its first row begins, its t1 the latest end of any, INT64_MAX if one has
 * none. */
#include "store/rows_priv.h"

#include "store/behind.h"

#include <stdlib.h>

table_t store_table(struct store *s, const struct store_table *def)
{
    struct writer *w = s->w;

    store_drain(s);
    if (w->failed)
        return 0;
    for (size_t i = 0; i < w->tables.n; i++) /* of a history that goes on */
        if (!strcmp(w->tables.at[i].def->name, def->name))
            return (table_t)i;
    if (!io_reserve(&w->tables, w->tables.n + 1) || !io_reserve(&w->shapes, w->shapes.n + 1)) {
        w_no_memory(w);
        return 0;
    }
    w->tables.at[w->tables.n++] = (struct w_table){ .def = def };
    w->shapes.at[w->shapes.n++] = def;
    return (table_t)w->tables.n - 1;
}

void store_record(struct store *s, table_t table, const cell_t *cells)
{
    struct writer *w = s->w;

    if (s->behind && !w_has_failed(w))
        behind_record(s->behind, table, cells, w->shapes.at[table]->ncolumns);
    else
        w_record(w, table, cells);
}

void w_record(struct writer *w, table_t table, const cell_t *cells)
{
    if (w->failed)
        return;
    struct w_table *t = &w->tables.at[table];
    uint32_t n = t->def->ncolumns;
    size_t before = t->cap;

    if (!io_reserve(t, t->n + n)) {
        w_no_memory(w);
        return;
    }
    memcpy(t->at + t->n, cells, n * sizeof *cells);
    t->n += n;
    w->held += (t->cap - before) * sizeof *cells;
    w->last.records++;
    w_relieve(w);
}

/* What rows are sorted by, beside each other: looking into the rows would take as long as
 * all the rest. */
struct row_key {
    cell_t begin;
    size_t row;
};

static int by_begin(const void *a, const void *b)
{
    const struct row_key *x = a, *y = b;

    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return x->row < y->row ? -1 : x->row > y->row; /* as they were written */
}

/* The rows of a table in the order of their beginnings; NULL: no memory. */
static const cell_t **sorted(const struct w_table *t, size_t n)
{
    struct row_key *keys = io_alloc(n * sizeof *keys);
    const cell_t **rows = keys ? io_alloc(n * sizeof *rows) : NULL;

    for (size_t i = 0; rows && i < n; i++)
        keys[i] = (struct row_key){ row_begin(t->at + i * t->def->ncolumns), i };
    if (rows)
        qsort(keys, n, sizeof *keys, by_begin);
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = t->at + keys[i].row * t->def->ncolumns;
    free(keys);
    return rows;
}

static void put_latest(struct out *o, const cell_t *const *rows, size_t n)
{
    cell_t latest[ROWS_PER_BLOCK / ROWS_GROUP];
    size_t groups = (n + ROWS_GROUP - 1) / ROWS_GROUP;

    for (size_t i = 0; i < n; i++) {
        ns_t end = row_goes_on(rows[i]) ? NS_MAX : row_end(rows[i]);
        cell_t *g = &latest[i / ROWS_GROUP];

        *g = i % ROWS_GROUP == 0 || end > *g ? end : *g;
    }
    put_column(o, latest, groups);
}

/* Encodes up to 'n' rows, as many as fit; returns how many. */
static size_t encode(struct writer *w, const struct w_table *t, const cell_t *const *rows, size_t n)
{
    cell_t column[ROWS_PER_BLOCK];

    for (n = n < ROWS_PER_BLOCK ? n : ROWS_PER_BLOCK;; n /= 2) {
        w->scratch.n = 0;
        if (!w_reserve(w, &w->scratch, VARINT_MAX + (1 + t->def->ncolumns) * code_room(n)))
            return 0;
        put_varint(&w->scratch, n);
        put_latest(&w->scratch, rows, n);
        for (uint32_t c = 0; c < t->def->ncolumns; c++) {
            for (size_t i = 0; i < n; i++)
                column[i] = rows[i][c];
            put_column(&w->scratch, column, n);
        }
        if (w->scratch.n <= BLOCK_MAX)
            return n;
        if (n <= 1) {
            struct err err;

            err_set(&err, E_LIMIT, "a row of table %s has too many columns", t->def->name);
            w_fail(w, &err);
            return 0;
        }
    }
}

static void flush_table(struct writer *w, uint32_t table)
{
    struct w_table *t = &w->tables.at[table];
    size_t n = t->n / t->def->ncolumns;
    const cell_t **rows = n ? sorted(t, n) : NULL;

    if (n == 0)
        return;
    if (!rows) {
        w_no_memory(w);
        return;
    }
    for (size_t i = 0, part; i < n && (part = encode(w, t, rows + i, n - i)) > 0; i += part) {
        struct block_head h = { .kind = KIND_ROWS,
                                .owner = table,
                                .klass = (uint16_t)w->last.number,
                                .t0 = row_begin(rows[i]),
                                .t1 = NS_MIN };

        for (size_t k = i; k < i + part; k++) {
            ns_t end = row_goes_on(rows[k]) ? NS_MAX : row_end(rows[k]);

            h.t1 = end > h.t1 ? end : h.t1;
        }
        w_data_block(w, &h, w->scratch.at, w->scratch.n, true);
    }
    free(rows);
    w->held -= t->cap * sizeof *t->at;
    io_free(t);
}

void w_rows_flush(struct writer *w)
{
    for (size_t i = 0; i < w->tables.n && !w->failed; i++)
        flush_table(w, (uint32_t)i);
}
