/* SPDX-License-Identifier: Apache-2.0
 *
 * convergence.h -- will a live migration ever end?
 *
 * Pre-copy sends all memory while the guest runs, then what was written meanwhile, and so on, until
 * the rest can be sent within the allowed downtime (QEMU, migration/migration.c: pending below
 * bandwidth * downtime-limit).  A guest that writes D bytes a second of new pages, within a working
 * set of W bytes, has dirtied
 *
 *     dirty(t) = W * (1 - exp(-D t / W))
 *
 * after t seconds: all pages of a working set are hit in the end, and then no more.  A round
 * that begins with R bytes takes R / B at bandwidth B, so the next one has dirty(R / B).  That
 * comes to rest at the allowed rest or below, or at a fixed point above it: then it never ends, at
 * this rate and this bandwidth.  (C. Clark et al., "Live Migration of Virtual Machines", NSDI 2005,
 * has the writable working set; the exponential is that of pages hit at random.) */
#ifndef REPORT_CONVERGENCE_H
#define REPORT_CONVERGENCE_H

#include "base/time.h"

#include <stddef.h>

/* One round, as far as it was measured. */
struct conv_round {
    double took_s;        /* > 0                                          */
    double sent_bytes;    /* < 0: not known                               */
    double dirtied_bytes; /* what the next one has to send; < 0: not known */
    double throttle;      /* share of its time that the guest was not let run, 0 to 0.99 */
};

struct conv_limits {
    double memory_bytes;  /* of the guest; 0: not known */
    double downtime_s;    /* allowed; 0: QEMU's default of 0.3 s */
    double bandwidth_cap; /* bytes/s; 0: none known     */
    bool throttles;       /* auto-converge is on: the guest is let run less and less */
};

enum conv_ends { CONV_UNKNOWN, CONV_ENDS, CONV_NEVER };

struct conv_verdict {
    enum conv_ends ends;
    double after_s;     /* CONV_ENDS: from the end of the last round that was given */
    uint32_t rounds;    /* and so many rounds                                       */
    double bandwidth;   /* bytes/s, measured                                        */
    double dirty_rate;  /* bytes/s of new pages, D                                  */
    double working_set; /* bytes, W; 0: not known                                   */
    double rest_bytes;  /* where it comes to rest; what is sent while the guest is stopped */
    double limit_bytes; /* what may be sent then                                    */
    /* CONV_NEVER: what would let it end, each alone; 0 or below: not by this. */
    double need_bandwidth, need_downtime_s, need_throttle;
};

/* What the first 'n' rounds tell. */
void convergence(const struct conv_round *r, size_t n, const struct conv_limits *l,
                 struct conv_verdict *ret);

#endif
