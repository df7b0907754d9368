/* SPDX-License-Identifier: Apache-2.0
 *
 * robust.c -- see robust.h. */
#include "report/robust.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

static int by_length(const void *a, const void *b)
{
    ns_t x = *(const ns_t *)a, y = *(const ns_t *)b;

    return (x > y) - (x < y);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double log_of(ns_t v)
{
    return log(v > 1 ? (double)v : 1);
}

struct robust robust_of(ns_t *at, size_t n)
{
    struct robust r = { .n = n, .spread = ROBUST_LEAST };

    if (n == 0)
        return r;
    qsort(at, n, sizeof *at, by_length);
    r.median = at[(n - 1) / 2] + (at[n / 2] - at[(n - 1) / 2]) / 2;
    double *off = xcalloc(n, sizeof *off);
    for (size_t i = 0; i < n; i++)
        off[i] = fabs(log_of(at[i]) - log_of(r.median));
    qsort(off, n, sizeof *off, by_size);
    double spread = MAD_TO_SIGMA * (off[(n - 1) / 2] + off[n / 2]) / 2;
    r.spread = spread > ROBUST_LEAST ? spread : ROBUST_LEAST;
    free(off);
    return r;
}

struct robust robust_below_break(ns_t *at, size_t n)
{
    static const double BREAK = 1.8;
    size_t least = n / 4 > 3 ? n / 4 : 3;

    if (n)
        qsort(at, n, sizeof *at, by_length);
    for (size_t i = least; i < n; i++)
        if ((double)at[i] >= BREAK * (double)at[i - 1] && at[i - 1] > 0)
            return robust_of(at, i);
    return robust_of(at, n);
}

double robust_above(const struct robust *r, ns_t v)
{
    return r->n ? (log_of(v) - log_of(r->median)) / r->spread : 0;
}
