/* SPDX-License-Identifier: Apache-2.0
 *
 * growth.h -- how much memory processes took and kept. */
#ifndef REPORT_GROWTH_H
#define REPORT_GROWTH_H

#include "report/who.h"

enum growth_kind { GROWTH_RESIDENT, GROWTH_PAGES, GROWTH_MAPPED };

/* Of one kind of memory of one process; all in bytes. */
struct growth {
    const struct who_thread *th; /* or NULL */
    uint32_t host;
    int64_t pid;
    enum growth_kind kind;
    const char *memory; /* the kind, for people */
    int64_t first, last, max, taken, released;
    uint64_t changes;
    ns_t t0, t1;       /* first and last change */
    double slope, fit; /* of the line through the changes: per second; r squared */
    bool leak;         /* it looks like one: see measure_mem.c */
};
struct growths {
    VEC(struct growth) at;
};

/* Of all processes in the user's window: suspected leaks first, then who grew most.  Free with
 * vec_free(&to->at). */
void growths_find(const struct report_src *src, const struct whos *w, struct growths *to);

#endif
