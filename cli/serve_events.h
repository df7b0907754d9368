/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_events.h -- raw events page by page, for the server. */
#ifndef CLI_SERVE_EVENTS_H
#define CLI_SERVE_EVENTS_H

#include "input/experiment.h"
#include "report/clocks.h"
#include "serve/serve.h"

/* Reads a page of events of 'x' in the time that 'clocks' show.  0, or -E_*. */
int serve_events_page(struct experiment *x, const struct clocks *clocks, bool mask,
                      const struct serve_events *q, struct serve_page *ret, struct err *err);

#endif
