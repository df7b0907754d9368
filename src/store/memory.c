/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.c -- a history that lives in memory: sorted arrays per attribute and
 * per table.  Exact, simple, and good for what fits; see store.h for what every
 * history must do. */
#include "store/store.h"

#include <assert.h>
#include <stdlib.h>

struct attr {
    struct str path;
    const struct store_family *family;
    VEC(struct interval) list; /* by t0; the last may be open */
};

/* A query skips groups of rows that end before its window. */
enum { GROUP = 64, LEVELS = 3 };

struct table {
    const struct store_table *def;
    VEC(cell_t) cells;    /* rows of def->ncolumns                              */
    ns_t *latest[LEVELS]; /* latest end in 64 rows, in 64 * 64 rows, ... */
    VEC(size_t) open;     /* rows that have a start and no end, in order        */
    bool sorted;
};

struct store {
    char *host;
    struct strtab texts;
    struct strtab paths; /* path -> id; attrs by id - 1 */
    VEC(struct attr) attrs;
    VEC(struct table) tables;
    ns_t t0, t1;
    uint64_t late;
};

struct store *store_new(const char *host)
{
    struct store *s = xcalloc(1, sizeof *s);

    s->host = strdup(host);
    s->t0 = NS_MAX;
    s->t1 = NS_MIN;
    strtab_id(&s->texts, STR(""));
    strtab_id(&s->paths, STR(""));
    return s;
}

void store_free(struct store *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->attrs.n; i++)
        vec_free(&s->attrs.at[i].list);
    for (size_t i = 0; i < s->tables.n; i++) {
        vec_free(&s->tables.at[i].cells);
        for (int k = 0; k < LEVELS; k++)
            free(s->tables.at[i].latest[k]);
        vec_free(&s->tables.at[i].open);
    }
    vec_free(&s->attrs);
    vec_free(&s->tables);
    strtab_free(&s->texts);
    strtab_free(&s->paths);
    free(s->host);
    free(s);
}

const char *store_host(const struct store *s)
{
    return s->host;
}

cell_t store_intern(struct store *s, struct str text)
{
    return strtab_id(&s->texts, text);
}

struct str store_text(const struct store *s, cell_t id)
{
    return id <= 0 ? STR("") : strtab_get(&s->texts, (uint32_t)id);
}

attr_t store_attr(struct store *s, const struct store_family *f, struct str path)
{
    assert(path.n > 0);
    uint32_t id = strtab_id(&s->paths, path);

    if (id > s->attrs.n)
        *vec_push(&s->attrs) = (struct attr){ strtab_get(&s->paths, id), f, { 0 } };
    return id - 1;
}

void store_set(struct store *s, attr_t a, ns_t t, cell_t value)
{
    assert(a < s->attrs.n);
    struct attr *at = &s->attrs.at[a];
    struct interval *last = at->list.n ? &at->list.at[at->list.n - 1] : NULL;

    if (last) {
        ns_t least = last->open ? last->t0 : last->t1;

        if (t < least) {
            s->late++;
            t = least;
        }
        if (last->open && last->value == value)
            return;
        if (last->open) {
            last->open = false;
            last->t1 = t;
            if (last->t0 == t) /* it lasted no time: replaced */
                at->list.n--;
        }
    }
    if (value != STORE_NULL)
        *vec_push(&at->list) = (struct interval){ t, NS_MAX, value, true };
}

void store_range(struct store *s, attr_t a, ns_t t0, ns_t t1, cell_t value)
{
    assert(t0 <= t1);
    if (t0 == t1)
        return;
    store_set(s, a, t0, value);
    store_set(s, a, t1, STORE_NULL);
}

table_t store_table(struct store *s, const struct store_table *def)
{
    assert(def->ncolumns >= 2);
    *vec_push(&s->tables) = (struct table){ .def = def };
    return (table_t)s->tables.n - 1;
}

void store_record(struct store *s, table_t table, const cell_t *cells)
{
    assert(table < s->tables.n);
    struct table *t = &s->tables.at[table];
    uint32_t n = t->def->ncolumns;

    vec_reserve(&t->cells, t->cells.n + n);
    memcpy(t->cells.at + t->cells.n, cells, n * sizeof *cells);
    t->cells.n += n;
    t->sorted = false;
}

/* Where a record begins for sorting: its start, else its end. */
static ns_t row_begin(const cell_t *row)
{
    return row[0] != STORE_NULL ? row[0] : row[1];
}

static ns_t row_end(const cell_t *row)
{
    return row[1] == STORE_NULL ? row_begin(row) : row[1];
}

static bool goes_on(const cell_t *row)
{
    return row[0] != STORE_NULL && row[1] == STORE_NULL;
}

/* Half-open: what ends where the window begins is not in it, but a point is. */
static bool row_meets(const cell_t *row, struct span win)
{
    ns_t t0 = row_begin(row), t1 = row_end(row);

    if (t0 >= win.t1 && win.t1 != NS_MAX)
        return false;
    return goes_on(row) || t1 > win.t0 || (t0 == t1 && t1 == win.t0);
}

static int by_begin(const void *a, const void *b, void *size)
{
    const cell_t *x = a, *y = b;

    (void)size;
    if (row_begin(x) != row_begin(y))
        return row_begin(x) < row_begin(y) ? -1 : 1;
    return 0;
}

static void index_table(struct table *t, size_t rows)
{
    size_t size = 1;

    for (int k = 0; k < LEVELS; k++) {
        size *= GROUP;
        t->latest[k] = xrealloc(t->latest[k], (rows / size + 1) * sizeof *t->latest[k]);
        for (size_t g = 0; g <= rows / size; g++)
            t->latest[k][g] = NS_MIN;
        for (size_t i = 0; i < rows; i++) {
            ns_t end = row_end(t->cells.at + i * t->def->ncolumns);

            if (end > t->latest[k][i / size])
                t->latest[k][i / size] = end;
        }
    }
    t->open.n = 0;
    for (size_t i = 0; i < rows; i++)
        if (goes_on(t->cells.at + i * t->def->ncolumns))
            *vec_push(&t->open) = i;
}

/* Stable, so that equal starts keep the order in which they were written. */
static void sort_table(struct table *t)
{
    uint32_t n = t->def->ncolumns;
    size_t rows = t->cells.n / n;
    const cell_t **order = xcalloc(rows, sizeof *order);
    cell_t *sorted = xcalloc(t->cells.n, sizeof *sorted);
    const cell_t **tmp = xcalloc(rows, sizeof *tmp);

    for (size_t i = 0; i < rows; i++)
        order[i] = t->cells.at + i * n;
    for (size_t width = 1; width < rows; width *= 2) {
        for (size_t lo = 0; lo < rows; lo += 2 * width) {
            size_t mid = lo + width < rows ? lo + width : rows;
            size_t hi = lo + 2 * width < rows ? lo + 2 * width : rows;
            size_t i = lo, j = mid;

            for (size_t k = lo; k < hi; k++)
                tmp[k] = i < mid && (j >= hi || by_begin(order[i], order[j], NULL) <= 0)
                             ? order[i++]
                             : order[j++];
        }
        const cell_t **swap = order;
        order = tmp;
        tmp = swap;
    }
    for (size_t i = 0; i < rows; i++)
        memcpy(sorted + i * n, order[i], n * sizeof *sorted);
    free(order);
    free(tmp);
    free(t->cells.at);
    t->cells.at = sorted;
    t->cells.cap = t->cells.n;
    t->sorted = true;
    index_table(t, rows);
}

void store_finish(struct store *s, ns_t t0, ns_t t1)
{
    s->t0 = t0;
    s->t1 = t1;
    for (size_t i = 0; i < s->attrs.n; i++) {
        struct attr *a = &s->attrs.at[i];

        if (a->list.n && a->list.at[a->list.n - 1].open)
            a->list.at[a->list.n - 1].t1 = t1;
    }
    for (size_t i = 0; i < s->tables.n; i++)
        if (!s->tables.at[i].sorted && s->tables.at[i].cells.n)
            sort_table(&s->tables.at[i]);
}

void store_coverage(const struct store *s, struct store_coverage *ret)
{
    *ret = (struct store_coverage){ .t0 = s->t0, .t1 = s->t1, .late = s->late };
    for (size_t i = 0; i < s->attrs.n; i++)
        ret->changes += s->attrs.at[i].list.n;
    for (size_t i = 0; i < s->tables.n; i++)
        ret->records += s->tables.at[i].cells.n / s->tables.at[i].def->ncolumns;
}

uint32_t store_attr_count(const struct store *s)
{
    return (uint32_t)s->attrs.n;
}

struct str store_attr_path(const struct store *s, attr_t a)
{
    assert(a < s->attrs.n);
    return s->attrs.at[a].path;
}

const struct store_family *store_attr_family(const struct store *s, attr_t a)
{
    assert(a < s->attrs.n);
    return s->attrs.at[a].family;
}

bool store_attr_find(const struct store *s, struct str path, attr_t *ret)
{
    uint32_t id;

    if (!strtab_find(&s->paths, path, &id) || id == 0)
        return false;
    *ret = id - 1;
    return true;
}

bool store_attr_match(const struct store *s, struct str pattern, attr_t *it, attr_t *ret)
{
    while (*it < s->attrs.n) {
        attr_t a = (*it)++;

        if (str_glob(pattern, s->attrs.at[a].path)) {
            *ret = a;
            return true;
        }
    }
    return false;
}

/* Position of the first interval that ends after 't'. */
static size_t first_after(const struct attr *a, ns_t t)
{
    size_t lo = 0, hi = a->list.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (a->list.at[mid].t1 > t)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

bool store_at(const struct store *s, attr_t a, ns_t t, struct interval *ret)
{
    assert(a < s->attrs.n);
    size_t i = first_after(&s->attrs.at[a], t);

    if (i == s->attrs.at[a].list.n || s->attrs.at[a].list.at[i].t0 > t)
        return false;
    *ret = s->attrs.at[a].list.at[i];
    return true;
}

struct store_ranges store_ranges(const struct store *s, attr_t a, struct span win)
{
    assert(a < s->attrs.n);
    return (struct store_ranges){ s, a, win, first_after(&s->attrs.at[a], win.t0) };
}

bool store_ranges_next(struct store_ranges *r, struct interval *ret)
{
    const struct attr *a = &r->s->attrs.at[r->a];

    if (r->next >= a->list.n || a->list.at[r->next].t0 >= r->win.t1)
        return false;
    *ret = a->list.at[r->next++];
    return true;
}

/* Instant where pixel 'i' of 'n' begins. */
static ns_t edge(struct span win, size_t i, size_t n)
{
    return win.t0 + (ns_t)((__int128)(win.t1 - win.t0) * (__int128)i / (__int128)n);
}

/* The value that fills most of [t0, t1).  Values of a strip are few: the sums
 * are kept in a small table, ties go to the earlier value. */
static cell_t dominant(const struct attr *a, size_t i, ns_t t0, ns_t t1)
{
    struct {
        cell_t value;
        ns_t sum;
    } seen[32];
    size_t n = 0, best = 0;
    ns_t covered = 0;

    for (; i < a->list.n && a->list.at[i].t0 < t1; i++) {
        const struct interval *v = &a->list.at[i];
        ns_t from = v->t0 > t0 ? v->t0 : t0, to = v->t1 < t1 ? v->t1 : t1;
        size_t k = 0;

        while (k < n && seen[k].value != v->value)
            k++;
        if (k == ARRAY_SIZE(seen))
            continue;
        if (k == n) {
            seen[n].value = v->value;
            seen[n++].sum = 0;
        }
        seen[k].sum += to - from;
        covered += to - from;
        if (seen[k].sum > seen[best].sum)
            best = k;
    }
    return n == 0 || t1 - t0 - covered > seen[best].sum ? STORE_NULL : seen[best].value;
}

void store_strip(const struct store *s, attr_t a, struct span win, struct store_pixel *ret,
                 size_t npx)
{
    const struct attr *at = &s->attrs.at[a];
    const struct store_family *f = at->family;
    size_t i = first_after(at, win.t0);

    assert(win.t0 < win.t1);
    for (size_t px = 0; px < npx; px++) {
        ns_t t0 = edge(win, px, npx), t1 = edge(win, px + 1, npx);

        ret[px] = (struct store_pixel){ .value = STORE_NULL };
        while (i < at->list.n && at->list.at[i].t1 <= t0)
            i++;
        ret[px].value = dominant(at, i, t0, t1);
        for (size_t k = i; k < at->list.n && at->list.at[k].t0 < t1; k++) {
            cell_t v = at->list.at[k].value;

            ret[px].changes += at->list.at[k].t0 >= t0;
            if (f->type == STORE_STATE && v >= 0 && (uint64_t)v < f->nvalues && f->values[v].bad)
                ret[px].bad = true;
        }
    }
}

bool store_table_find(const struct store *s, const char *name, table_t *ret)
{
    for (size_t i = 0; i < s->tables.n; i++)
        if (!strcmp(s->tables.at[i].def->name, name)) {
            *ret = (table_t)i;
            return true;
        }
    return false;
}

const struct store_table *store_table_def(const struct store *s, table_t t)
{
    assert(t < s->tables.n);
    return s->tables.at[t].def;
}

int store_column(const struct store_table *def, const char *name)
{
    for (uint32_t i = 0; i < def->ncolumns; i++)
        if (!strcmp(def->columns[i].name, name))
            return (int)i;
    return -1;
}

struct store_rows store_rows(const struct store *s, table_t t, struct span win)
{
    assert(t < s->tables.n);
    const struct table *table = &s->tables.at[t];
    size_t lo = 0, hi = table->sorted ? table->open.n : 0;

    while (lo < hi) { /* of the rows without an end, those that begin before the window */
        size_t mid = lo + (hi - lo) / 2;

        if (row_begin(table->cells.at + table->open.at[mid] * table->def->ncolumns) >= win.t0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return (struct store_rows){ .s = s, .table = t, .win = win, .nopen = lo };
}

/* The first row at or after 'i' that may have to do with the window. */
static size_t skip_groups(const struct table *t, size_t i, size_t rows, ns_t from)
{
    for (;;) {
        size_t size = GROUP, step = 0;

        for (int k = 0; k < LEVELS && i % size == 0; k++, size *= GROUP)
            if (i < rows && t->latest[k][i / size] < from)
                step = size;
        if (step == 0)
            return i;
        i += step;
    }
}

/* Position of the next row that meets the window; the number of rows if none does.
 * What began before the window and has no end is in the table's list of those. */
static size_t next_row(const struct table *t, const struct store_rows *r, size_t rows)
{
    uint32_t n = t->def->ncolumns;

    for (size_t i = r->next; i < rows; i++) {
        if (t->sorted)
            i = skip_groups(t, i, rows, r->win.t0);
        if (i >= rows)
            break;
        const cell_t *row = t->cells.at + i * n;
        if (t->sorted && row_begin(row) >= r->win.t1 && r->win.t1 != NS_MAX)
            break;
        bool listed = t->sorted && goes_on(row) && row_begin(row) < r->win.t0;
        if (!listed && row_meets(row, r->win))
            return i;
    }
    return rows;
}

const cell_t *store_rows_next(struct store_rows *r)
{
    const struct table *t = &r->s->tables.at[r->table];
    uint32_t n = t->def->ncolumns;
    size_t rows = t->cells.n / n;

    r->next = next_row(t, r, rows);
    if (r->next_open < r->nopen && t->open.at[r->next_open] < r->next) {
        const cell_t *row = t->cells.at + t->open.at[r->next_open++] * n;

        if (row_begin(row) < r->win.t1)
            return row;
    }
    return r->next < rows ? t->cells.at + r->next++ * n : NULL;
}
