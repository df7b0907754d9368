/* SPDX-License-Identifier: Apache-2.0
 *
 * read_rows.c -- records in the order of their beginnings.
 *
 * The rows of one commit are in order through its blocks, so there is one cursor
 * for each commit that has rows in the window, with one pinned block; the
 * smallest of their rows is next.  Blocks and groups of rows that end before the
 * window are passed over, and of the rows themselves only the times are decoded
 * until one is given: most questions are small and asked often. */
#include "store/read_priv.h"
#include "store/rows_priv.h"

#include <assert.h>

struct row_cursor {
    uint32_t next, behind; /* in the reader's list of the table's blocks */
    uint16_t commit;
    struct frame *frame; /* the block; NULL = none */
    uint32_t block;
    uint32_t i, n; /* rows of it: the next one to look at, how many */
    bool has;      /* row i - 1 is the next one to be given */
    ns_t begin;    /* of that row */
    struct column latest, *columns;
    uint32_t ncolumns; /* that are opened */
    struct in rest;    /* those that are not */
    cell_t *row;
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

/* Opens columns until there are 'n' of them. */
static bool open_columns(struct row_cursor *c, uint32_t n)
{
    while (c->ncolumns < n && get_column(&c->rest, c->n, &c->columns[c->ncolumns]))
        c->ncolumns++;
    return c->ncolumns >= n;
}

static void close_block(struct row_cursor *c)
{
    if (c->frame)
        block_unpin(c->frame);
    c->frame = NULL;
    c->i = c->n = 0;
}

static void lose_block(struct reader *r, struct row_cursor *c)
{
    struct err err;

    close_block(c);
    err_set(&err, E_CORRUPT, "rows in it make no sense");
    reader_lost(r, c->block, &err);
}

static void open_block(struct reader *r, struct row_cursor *c, uint32_t block)
{
    struct frame *f = block_pin(r, block);

    c->block = block;
    if (!f)
        return;
    c->frame = f;
    c->rest = (struct in){ f->data, f->data + f->n, false };
    uint64_t n = get_varint(&c->rest);
    c->i = c->ncolumns = 0;
    c->n = n <= ROWS_PER_BLOCK ? (uint32_t)n : 0;
    if (c->rest.bad || n > ROWS_PER_BLOCK ||
        !get_column(&c->rest, (c->n + ROWS_GROUP - 1) / ROWS_GROUP, &c->latest) ||
        !open_columns(c, 2))
        lose_block(r, c);
}

/* Looks for the next row of the block that is in the window. */
static bool find_row(const struct store_rows *q, struct row_cursor *c)
{
    while (c->i < c->n) {
        if (c->i % ROWS_GROUP == 0 && column_at(&c->latest, c->i / ROWS_GROUP) < q->win.t0) {
            c->i += ROWS_GROUP;
            continue;
        }
        cell_t times[2] = { column_at(&c->columns[0], c->i), column_at(&c->columns[1], c->i) };

        c->i++;
        c->begin = row_begin(times);
        if (!row_meets(times, q->win)) {
            if (c->begin >= q->win.t1 && q->win.t1 != NS_MAX)
                return false;
            continue;
        }
        if (!(q->skip_open && row_goes_on(times) && c->begin < q->win.t0))
            return true;
    }
    return false;
}

/* Moves to the cursor's next row that is in the window. */
static void next_row(const struct store_rows *q, struct row_cursor *c)
{
    struct reader *r = q->s->r;

    for (;;) {
        if (c->frame && (c->has = find_row(q, c)))
            return;
        close_block(c);
        c->has = false;
        for (; c->next < c->behind; c->next++) {
            const struct block_ref *b = &r->blocks.at[r->row_blocks[c->next]];

            if (b->klass == c->commit && b->t1 >= q->win.t0 &&
                (b->t0 < q->win.t1 || q->win.t1 == NS_MAX))
                break;
        }
        if (c->next >= c->behind)
            return;
        open_block(r, c, r->row_blocks[c->next++]);
    }
}

struct store_rows store_rows(const struct store *s, table_t t, struct span win)
{
    assert(t < store_table_count(s));
    return (struct store_rows){ .s = s, .table = t, .win = own_span(s, win) };
}

static bool add_cursor(struct rows_merge *m, uint32_t block, uint16_t commit)
{
    if (!io_reserve(&m->cursors, m->cursors.n + 1))
        return false;
    struct row_cursor *c = &m->cursors.at[m->cursors.n];
    *c = (struct row_cursor){ .next = block, .commit = commit };
    c->columns = io_alloc(m->ncolumns * sizeof *c->columns);
    c->row = io_alloc(m->ncolumns * sizeof *c->row);
    m->cursors.n++;
    return c->columns && c->row;
}

static bool begin(struct store_rows *q)
{
    const struct reader *r = q->s->r;
    struct rows_merge *m = io_calloc(1, sizeof *m);
    uint32_t end = r->first_row_block[q->table + 1];

    if (!m)
        return false;
    q->merge = m;
    m->ncolumns = r->tables.at[q->table]->ncolumns;
    for (uint32_t i = r->first_row_block[q->table]; i < end; i++) {
        const struct block_ref *b = &r->blocks.at[r->row_blocks[i]];

        if (b->t1 < q->win.t0 || (b->t0 >= q->win.t1 && q->win.t1 != NS_MAX))
            continue;
        if ((m->cursors.n == 0 || m->cursors.at[m->cursors.n - 1].commit != b->klass) &&
            !add_cursor(m, i, b->klass))
            return false;
        m->cursors.at[m->cursors.n - 1].behind = i + 1;
    }
    for (size_t i = 0; i < m->cursors.n; i++)
        next_row(q, &m->cursors.at[i]);
    return true;
}

static void show_times(const struct store *s, const struct store_table *def, cell_t *row)
{
    for (uint32_t k = 0; k < def->ncolumns; k++)
        if (def->columns[k].type == CELL_TIME)
            row[k] = time_shown(s->shown, row[k]);
}

/* The row that the cursor stands on, decoded; NULL: it is lost. */
static const cell_t *give(const struct store_rows *q, struct row_cursor *c)
{
    uint32_t n = q->merge->ncolumns;

    if (!open_columns(c, n)) {
        lose_block(q->s->r, c);
        return NULL;
    }
    for (uint32_t k = 0; k < n; k++)
        c->row[k] = column_at(&c->columns[k], c->i - 1);
    if (q->s->shown)
        show_times(q->s, q->s->r->tables.at[q->table], c->row);
    return c->row;
}

static struct row_cursor *smallest(const struct rows_merge *m)
{
    struct row_cursor *best = NULL;

    for (size_t i = 0; i < m->cursors.n; i++) {
        struct row_cursor *c = &m->cursors.at[i];

        if (c->has && (!best || c->begin < best->begin))
            best = c;
    }
    return best;
}

const cell_t *store_rows_next(struct store_rows *q)
{
    const cell_t *row = NULL;

    if (!q->s->r || q->done)
        return NULL;
    if (!q->merge && !begin(q)) {
        struct err err;

        io_no_memory(&err);
        reader_lost(q->s->r, 0, &err);
        store_rows_end(q);
        return NULL;
    }
    while (!row) {
        if (q->merge->last)
            next_row(q, q->merge->last);
        q->merge->last = smallest(q->merge);
        if (!q->merge->last) {
            store_rows_end(q);
            return NULL;
        }
        row = give(q, q->merge->last);
    }
    return row;
}

void store_rows_end(struct store_rows *q)
{
    q->done = true;
    if (!q->merge)
        return;
    for (size_t i = 0; i < q->merge->cursors.n; i++) {
        close_block(&q->merge->cursors.at[i]);
        free(q->merge->cursors.at[i].columns);
        free(q->merge->cursors.at[i].row);
    }
    io_free(&q->merge->cursors);
    free(q->merge);
    q->merge = NULL;
}
