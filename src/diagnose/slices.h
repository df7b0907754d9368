/* SPDX-License-Identifier: Apache-2.0
 *
 * slices.h -- the time that a host's kernel was traced, in equal slices.
 *
 * What goes wrong for a part of the time is not seen in sums over the whole: rules sum by slice,
 * and look for slices in which something holds. */
#ifndef DIAGNOSE_SLICES_H
#define DIAGNOSE_SLICES_H

#include "diagnose/finding.h"

struct slices {
    ns_t t0, t1, len;
    size_t n; /* at most SLICES; 0: nothing was traced */
};
enum { SLICES = 400 };

/* Of the host's kernel trace within the user's window; each at least 'least' long. */
struct slices slices_of(const struct diagnosis *d, uint32_t host, ns_t least);
/* The slice of an instant; those before and behind count to the first and the last. */
size_t slice_at(const struct slices *s, ns_t t);
/* How long slice 'i' is: the last may be shorter. */
ns_t slice_length(const struct slices *s, size_t i);
/* Adds [t0, t1) to 'ns' of the slices that it meets. */
void slices_add(const struct slices *s, ns_t *ns, ns_t t0, ns_t t1);

/* The slices in which something holds. */
struct slices_found {
    size_t n;
    ns_t t0, t1, ns; /* from the first to the last; their time together */
};
struct slices_found slices_found(const struct slices *s, const bool *holds);
/* The longest run in which it holds all but always: of five slices of which that is 'known' (NULL:
 * of all), in four.  What holds here and there is noise; what has begun lasts. */
struct slices_found slices_run(const struct slices *s, const bool *holds, const bool *known);

#endif
