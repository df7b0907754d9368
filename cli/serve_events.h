/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_events.h -- raw events page by page, for the server. */
#ifndef CLI_SERVE_EVENTS_H
#define CLI_SERVE_EVENTS_H

#include "input/experiment.h"
#include "report/clocks.h"
#include "serve/serve.h"

/* The way to events by their number: some of them, by the order in which they were passed. */
struct way_mark {
    ns_t t;
    uint64_t no, number; /* no: of those at 't' */
};
struct way {
    VEC(struct way_mark) marks;
};

/* Reads a page of events of 'x' in the time that 'clocks' show.  0, or -E_*. */
int serve_events_page(struct experiment *x, const struct clocks *clocks, struct way *way, bool mask,
                      const struct serve_events *q, struct serve_page *ret, struct err *err);

#endif
