/* SPDX-License-Identifier: Apache-2.0
 *
 * robust.h -- what is normal among values of which some may not be.
 *
 * Times have long tails and are compared as logarithms: twice as long is as far from normal as half
 * as long.  Median and median absolute deviation stand for mean and standard deviation, since up to
 * half of the values may be wild without moving them (P. Rousseeuw, C. Croux: Alternatives to the
 * median absolute deviation, JASA 88, 1993). */
#ifndef REPORT_ROBUST_H
#define REPORT_ROBUST_H

#include "base/time.h"

#include <stddef.h>

struct robust {
    size_t n;
    ns_t median;   /* 0: there are no values */
    double spread; /* of the logarithms, as a standard deviation would be; at least ROBUST_LEAST */
};

/* A median absolute deviation times that is the standard deviation of what is normally distributed.
 */
#define MAD_TO_SIGMA 1.4826

/* Values of one kind are rarely more alike than that; few may be so by chance. */
#define ROBUST_LEAST 0.1

/* Of 'n' durations; puts them in order.  Those below 1 ns count as 1 ns. */
struct robust robust_of(ns_t *at, size_t n);
/* The same, of those below the lowest break, if there is one: a value at least 1.8 times the one
 * before it, with a quarter of all and at least three below.  When something holds up many at once,
 * more than half may be slow; those that it did not touch still tell what is normal. */
struct robust robust_below_break(ns_t *at, size_t n);
/* By how many spreads 'v' is above what is normal; 0 without values. */
double robust_above(const struct robust *r, ns_t v);

#endif
