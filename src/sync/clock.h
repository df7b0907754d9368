/* SPDX-License-Identifier: Apache-2.0
 *
 * clock.h -- what is known of one host's clock, as a table of plain numbers.
 *
 * A knot says: when this clock showed 'local', the reference clock showed
 * 'corrected', and certainly something from 'lo' to 'hi'.  Between knots all three
 * are straight, so a table can be written to a file and read back by anybody.
 * Outside of the knots the bounds open by 'drift_ppm', since nothing is known there. */
#ifndef SYNC_CLOCK_H
#define SYNC_CLOCK_H

#include "base/time.h"

#include <stddef.h>

enum sync_quality {
    SYNC_REFERENCE, /* this is the reference, or the same clock            */
    SYNC_EXACT,     /* bounded from both sides                             */
    SYNC_ONE_WAY,   /* messages in one direction: one side is open         */
    SYNC_NONE,      /* no message leads to the reference                   */
};

struct sync_knot {
    ns_t local, corrected, lo, hi; /* lo NS_MIN, hi NS_MAX: open */
};

struct sync_clock {
    enum sync_quality quality;
    uint32_t nknots; /* 0: the identity */
    struct sync_knot *knots;
    double slope, offset; /* corrected is about slope * local + offset, to be shown */
    double skew;          /* slope - 1, which has more digits                     */
    double drift_ppm;     /* by which bounds open outside of the knots              */
};

struct clock_bounds {
    ns_t lo, hi;
};

/* All three never go back when 'local' grows, and stop at the ends of ns_t. */
ns_t clock_to_ref(const struct sync_clock *c, ns_t local);
/* The inverse, to 1 ns; where a clock stood still, the first such instant. */
ns_t clock_from_ref(const struct sync_clock *c, ns_t ref);
/* From where to where the reference clock may have been. */
struct clock_bounds clock_bounds(const struct sync_clock *c, ns_t local);

#endif
