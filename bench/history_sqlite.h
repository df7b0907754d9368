/* SPDX-License-Identifier: Apache-2.0
 *
 * history_sqlite.h -- the same history kept by SQLite, where it is installed: what a
 * general tool makes of it, set up as well as it can be for this.
 *
 * A row is an interval, gaps included; texts are numbers.  Rows lie in the order of the
 * key (no second index), are written by one prepared statement, a million in a
 * transaction, to a write-ahead log that isn't synced, with 64 MB of cache, and read
 * from mapped memory, all in one transaction. */
#ifndef BENCH_HISTORY_SQLITE_H
#define BENCH_HISTORY_SQLITE_H

#include "bench/history_work.h"

#if HAVE_SQLITE

#include <sqlite3.h>

enum { SQLITE_ROWS = 1000000 }; /* of a transaction */

struct work_sqlite {
    sqlite3 *db;
    sqlite3_stmt *insert, *at, *range;
    ns_t *starts; /* of what each attribute has */
    cell_t *values;
    uint32_t nattrs;
    uint64_t rows, changes;
    bool failed;
};

static inline void work_sqlite_do(struct work_sqlite *w, const char *sql)
{
    w->failed |= sqlite3_exec(w->db, sql, NULL, NULL, NULL) != SQLITE_OK;
}

static inline sqlite3_stmt *work_sqlite_statement(struct work_sqlite *w, const char *sql)
{
    sqlite3_stmt *ret = NULL;

    w->failed |= sqlite3_prepare_v2(w->db, sql, -1, &ret, NULL) != SQLITE_OK;
    return ret;
}

/* False if it can't be opened. */
static inline bool work_sqlite_open(struct work_sqlite *w, const char *path, uint32_t nattrs)
{
    *w = (struct work_sqlite){ .nattrs = nattrs };
    if (sqlite3_open(path, &w->db) != SQLITE_OK)
        return false;
    work_sqlite_do(w, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
                      "PRAGMA mmap_size=1073741824;"
                      "CREATE TABLE IF NOT EXISTS h(attr INTEGER, t0 INTEGER, t1 INTEGER, "
                      "value INTEGER, PRIMARY KEY(attr, t0)) WITHOUT ROWID");
    w->insert = work_sqlite_statement(w, "INSERT INTO h VALUES(?, ?, ?, ?)");
    w->at = work_sqlite_statement(w, "SELECT t0, t1 FROM h WHERE attr = ? AND t0 <= ? "
                                     "ORDER BY t0 DESC LIMIT 1");
    w->range = work_sqlite_statement(w, "SELECT t0, t1 FROM h WHERE attr = ? AND t0 > ? "
                                        "AND t0 < ? ORDER BY t0");
    return !w->failed;
}

static inline void work_sqlite_close(struct work_sqlite *w)
{
    sqlite3_finalize(w->insert);
    sqlite3_finalize(w->at);
    sqlite3_finalize(w->range);
    w->failed |= sqlite3_close(w->db) != SQLITE_OK;
    free(w->starts);
    free(w->values);
}

/* --- filling ------------------------------------------------------------------- */

static inline void work_sqlite_begin(struct work_sqlite *w)
{
    w->starts = xcalloc(w->nattrs, sizeof *w->starts);
    w->values = xcalloc(w->nattrs, sizeof *w->values);
    for (uint32_t i = 0; i < w->nattrs; i++)
        w->values[i] = STORE_NULL;
    work_sqlite_do(w, "BEGIN");
}

static inline void work_sqlite_row(struct work_sqlite *w, uint32_t attr, ns_t t1)
{
    sqlite3_bind_int64(w->insert, 1, attr);
    sqlite3_bind_int64(w->insert, 2, w->starts[attr]);
    sqlite3_bind_int64(w->insert, 3, t1);
    if (w->values[attr] == STORE_NULL)
        sqlite3_bind_null(w->insert, 4);
    else
        sqlite3_bind_int64(w->insert, 4, w->values[attr]);
    w->failed |= sqlite3_step(w->insert) != SQLITE_DONE;
    sqlite3_reset(w->insert);
    if (++w->rows % SQLITE_ROWS == 0)
        work_sqlite_do(w, "COMMIT; BEGIN");
}

static inline void work_sqlite_set(struct work_sqlite *w, const struct work_step *s)
{
    if (w->values[s->attr] == s->value)
        return;
    work_sqlite_row(w, s->attr, s->t);
    w->starts[s->attr] = s->t;
    w->values[s->attr] = s->value;
    w->changes++;
}

static inline void work_sqlite_finish(struct work_sqlite *w, ns_t t1)
{
    for (uint32_t i = 0; i < w->nattrs; i++)
        work_sqlite_row(w, i, t1);
    work_sqlite_do(w, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

/* --- answering ----------------------------------------------------------------- */

static inline ns_t work_sqlite_single_end(struct work_sqlite *w, uint32_t attr, ns_t t,
                                          struct work_sum *sum)
{
    ns_t t1 = NS_MIN;

    sqlite3_bind_int64(w->at, 1, attr);
    sqlite3_bind_int64(w->at, 2, t);
    if (sqlite3_step(w->at) == SQLITE_ROW) {
        t1 = sqlite3_column_int64(w->at, 1);
        work_add(sum, sqlite3_column_int64(w->at, 0), t1);
    }
    sqlite3_reset(w->at);
    return t1;
}

static inline void work_sqlite_single(void *ctx, uint32_t attr, ns_t t, struct work_sum *sum)
{
    work_sqlite_single_end(ctx, attr, t, sum);
}

static inline void work_sqlite_full(void *ctx, ns_t t, struct work_sum *sum)
{
    struct work_sqlite *w = ctx;

    for (uint32_t i = 0; i < w->nattrs; i++)
        work_sqlite_single_end(w, i, t, sum);
}

static inline void work_sqlite_sample(void *ctx, uint32_t attr, const ns_t *times, size_t n,
                                      struct work_sum *sum)
{
    ns_t known = NS_MIN;

    for (size_t i = 0; i < n; i++)
        if (times[i] >= known)
            known = work_sqlite_single_end(ctx, attr, times[i], sum);
}

static inline void work_sqlite_range(void *ctx, uint32_t attr, struct span win,
                                     struct work_sum *sum)
{
    struct work_sqlite *w = ctx;

    work_sqlite_single_end(w, attr, win.t0, sum);
    sqlite3_bind_int64(w->range, 1, attr);
    sqlite3_bind_int64(w->range, 2, win.t0);
    sqlite3_bind_int64(w->range, 3, win.t1);
    while (sqlite3_step(w->range) == SQLITE_ROW)
        work_add(sum, sqlite3_column_int64(w->range, 0), sqlite3_column_int64(w->range, 1));
    sqlite3_reset(w->range);
}

static inline struct work_asker work_sqlite_asker(struct work_sqlite *w)
{
    return (struct work_asker){ w, work_sqlite_full, work_sqlite_single, work_sqlite_sample,
                                work_sqlite_range };
}

#endif
#endif
