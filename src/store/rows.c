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

    if (!io_reserve(t, t->n + n)) {
        w_no_memory(w);
        return;
    }
    memcpy(t->at + t->n, cells, n * sizeof *cells);
    t->n += n;
    w->held += n * sizeof *cells;
    w->last.records++;
    w_relieve(w);
}

/* What rows are sorted by, beside each other: looking into the rows would take as long as
 * all the rest. */
struct row_key {
    cell_t begin;
    size_t row;
};

enum { DIGIT = 11, DIGITS = 1 << DIGIT };

/* Sorts 'keys' by digits of 'begin' - 'least', the lowest first, which keeps the order of equal
 * ones: most rows of a commit begin within a few seconds, which are three digits.  'spare' has
 * room for as many.  Returns whichever of the two has the result. */
static struct row_key *by_digits(struct row_key *keys, struct row_key *spare, size_t n,
                                 cell_t least, cell_t most)
{
    uint64_t range = (uint64_t)most - (uint64_t)least;

    for (unsigned shift = 0; shift < 64 && range >> shift; shift += DIGIT) {
        size_t at[DIGITS] = { 0 }, sum = 0;

        for (size_t i = 0; i < n; i++)
            at[(((uint64_t)keys[i].begin - (uint64_t)least) >> shift) % DIGITS]++;
        for (size_t d = 0; d < DIGITS; d++) {
            size_t here = at[d];

            at[d] = sum;
            sum += here;
        }
        for (size_t i = 0; i < n; i++)
            spare[at[(((uint64_t)keys[i].begin - (uint64_t)least) >> shift) % DIGITS]++] = keys[i];
        struct row_key *sorted = spare;
        spare = keys;
        keys = sorted;
    }
    return keys;
}

/* A few, as most commits have of most tables. */
static void by_insertion(struct row_key *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct row_key key = keys[i];
        size_t to = i;

        for (; to > 0 && keys[to - 1].begin > key.begin; to--)
            keys[to] = keys[to - 1];
        keys[to] = key;
    }
}

/* The rows of a table in the order of their beginnings, those that begin together as they were
 * written; NULL: no memory. */
static const cell_t **sorted(const struct w_table *t, size_t n)
{
    enum { FEW = 64 };
    struct row_key *keys = io_alloc(2 * n * sizeof *keys), *in_order = keys;
    const cell_t **rows = keys ? io_alloc(n * sizeof *rows) : NULL;
    cell_t least = INT64_MAX, most = INT64_MIN;

    for (size_t i = 0; rows && i < n; i++) {
        keys[i] = (struct row_key){ row_begin(t->at + i * t->def->ncolumns), i };
        least = keys[i].begin < least ? keys[i].begin : least;
        most = keys[i].begin > most ? keys[i].begin : most;
    }
    if (rows && n <= FEW)
        by_insertion(keys, n);
    else if (rows)
        in_order = by_digits(keys, keys + n, n, least, most);
    for (size_t i = 0; rows && i < n; i++)
        rows[i] = t->at + in_order[i].row * t->def->ncolumns;
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
    w->held -= t->n * sizeof *t->at;
    t->n =
        0; /* the room is wanted again: to give it back and get it anew takes as long as to sort */
}

void w_rows_flush(struct writer *w)
{
    for (size_t i = 0; i < w->tables.n && !w->failed; i++)
        flush_table(w, (uint32_t)i);
}
