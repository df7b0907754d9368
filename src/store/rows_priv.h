/* SPDX-License-Identifier: Apache-2.0
 *
 * rows_priv.h -- what the times of a record mean, for who writes and who reads. */
#ifndef STORE_ROWS_PRIV_H
#define STORE_ROWS_PRIV_H

#include "store/store_priv.h"

enum { ROWS_PER_BLOCK = 1024, ROWS_GROUP = 64 };

/* Where a record begins for sorting: its start, else its end. */
static inline ns_t row_begin(const cell_t *row)
{
    return row[0] != STORE_NULL ? row[0] : row[1];
}
static inline ns_t row_end(const cell_t *row)
{
    return row[1] == STORE_NULL ? row_begin(row) : row[1];
}
static inline bool row_goes_on(const cell_t *row)
{
    return row[0] != STORE_NULL && row[1] == STORE_NULL;
}
/* Half-open: what ends where the window begins is not in it, but a point is. */
static inline bool row_meets(const cell_t *row, struct span win)
{
    ns_t t0 = row_begin(row), t1 = row_end(row);

    if (t0 >= win.t1 && win.t1 != NS_MAX)
        return false;
    return row_goes_on(row) || t1 > win.t0 || (t0 == t1 && t1 == win.t0);
}

#endif
