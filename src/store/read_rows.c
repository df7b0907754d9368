/* SPDX-License-Identifier: Apache-2.0
 *
 * read_rows.c -- records in the order of their beginnings.
 *
 * The rows of one commit are in order through its blocks, so there is one cursor
 * for each commit that has rows in the window, with one decoded block; the
 * smallest of their rows is next.  Blocks that end before the window are
 * skipped. */
#include "store/read_priv.h"
#include "store/rows_priv.h"

#include <assert.h>

struct row_cursor {
    uint32_t block, behind; /* in the reader's list: the next, and where they end */
    uint16_t commit;
    uint32_t i, n; /* rows of the decoded block */
    cell_t *rows;
    size_t cap;
    const cell_t *row; /* the next one; NULL = none */
};

struct rows_merge {
    LIST(struct row_cursor) cursors;
    uint32_t ncolumns;
    struct row_cursor *last; /* whose row was given */
};

uint32_t store_table_count(const struct store *s)
{
    return (uint32_t)(s->w ? s->w->tables.n : s->r->tables.n);
}

const struct store_table *store_table_def(const struct store *s, table_t t)
{
    return s->w ? s->w->tables.at[t].def : s->r->tables.at[t];
}

bool store_table_find(const struct store *s, const char *name, table_t *ret)
{
    for (uint32_t i = 0; i < store_table_count(s); i++)
        if (!strcmp(store_table_def(s, i)->name, name)) {
            *ret = i;
            return true;
        }
    return false;
}

int store_column(const struct store_table *def, const char *name)
{
    for (uint32_t i = 0; i < def->ncolumns; i++)
        if (!strcmp(def->columns[i].name, name))
            return (int)i;
    return -1;
}

/* Decodes a block into rows; false: lost. */
static bool take_block(struct reader *r, struct row_cursor *c, uint32_t ncolumns, uint32_t block)
{
    struct frame *f = block_pin(r, block);
    struct column col;
    struct in in;
    bool ok = false;

    if (!f)
        return false;
    in = (struct in){ f->data, f->data + f->n, false };
    uint64_t n = get_varint(&in);
    if (!in.bad && n <= ROWS_PER_BLOCK &&
        (n * ncolumns <= c->cap || io_grow(&c->rows, &c->cap, n * ncolumns, sizeof *c->rows))) {
        ok = true;
        for (uint32_t k = 0; k < ncolumns && ok; k++) {
            ok = get_column(&in, (size_t)n, &col);
            for (uint32_t i = 0; i < n && ok; i++)
                c->rows[i * ncolumns + k] = column_at(&col, i);
        }
    }
    block_unpin(f);
    c->i = 0;
    c->n = ok ? (uint32_t)n : 0;
    if (!ok) {
        struct err err;

        err_set(&err, E_CORRUPT, "rows in it make no sense");
        reader_lost(r, block, &err);
    }
    return ok;
}

/* Moves to the cursor's next row that is in the window. */
static void next_row(const struct store_rows *q, struct row_cursor *c)
{
    struct reader *r = q->s->r;
    uint32_t ncolumns = q->merge->ncolumns;

    for (c->row = NULL; !c->row;) {
        for (; c->i < c->n && !c->row; c->i++) {
            const cell_t *row = c->rows + (size_t)c->i * ncolumns;

            if (!row_meets(row, q->win))
                continue;
            if (!(q->skip_open && row_goes_on(row) && row_begin(row) < q->win.t0))
                c->row = row;
        }
        if (c->row)
            return;
        for (; c->block < c->behind; c->block++) {
            const struct block_ref *b = &r->blocks.at[c->block];

            if (b->kind == KIND_ROWS && b->owner == q->table && b->klass == c->commit &&
                b->t1 >= q->win.t0 && (b->t0 < q->win.t1 || q->win.t1 == NS_MAX))
                break;
        }
        if (c->block >= c->behind)
            return;
        take_block(r, c, ncolumns, c->block++);
    }
}

struct store_rows store_rows(const struct store *s, table_t t, struct span win)
{
    assert(t < store_table_count(s));
    return (struct store_rows){ .s = s, .table = t, .win = win };
}

static bool begin(struct store_rows *q)
{
    const struct reader *r = q->s->r;
    struct rows_merge *m = io_calloc(1, sizeof *m);
    struct row_cursor *c = NULL;

    if (!m)
        return false;
    q->merge = m;
    m->ncolumns = r->tables.at[q->table]->ncolumns;
    for (uint32_t i = 0; i < r->blocks.n; i++) {
        const struct block_ref *b = &r->blocks.at[i];

        if (b->kind != KIND_ROWS || b->owner != q->table)
            continue;
        if (!c || c->commit != b->klass) {
            if (!io_reserve(&m->cursors, m->cursors.n + 1))
                return false;
            c = &m->cursors.at[m->cursors.n++];
            *c = (struct row_cursor){ .block = i, .commit = b->klass };
        }
        c->behind = i + 1;
    }
    for (size_t i = 0; i < m->cursors.n; i++)
        next_row(q, &m->cursors.at[i]);
    return true;
}

const cell_t *store_rows_next(struct store_rows *q)
{
    struct row_cursor *best = NULL;

    if (!q->s->r || q->done)
        return NULL;
    if (!q->merge && !begin(q)) {
        struct err err;

        io_no_memory(&err);
        reader_lost(q->s->r, 0, &err);
        store_rows_end(q);
        return NULL;
    }
    if (q->merge->last)
        next_row(q, q->merge->last);
    for (size_t i = 0; i < q->merge->cursors.n; i++) {
        struct row_cursor *c = &q->merge->cursors.at[i];

        if (c->row && (!best || row_begin(c->row) < row_begin(best->row)))
            best = c;
    }
    q->merge->last = best;
    if (best)
        return best->row;
    store_rows_end(q);
    return NULL;
}

void store_rows_end(struct store_rows *q)
{
    q->done = true;
    if (!q->merge)
        return;
    for (size_t i = 0; i < q->merge->cursors.n; i++)
        free(q->merge->cursors.at[i].rows);
    io_free(&q->merge->cursors);
    free(q->merge);
    q->merge = NULL;
}
