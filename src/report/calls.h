/* SPDX-License-Identifier: Apache-2.0
 *
 * calls.h -- both ends of calls from service to service.
 *
 * The id of the message, or of the request that an API gave it, ties who made the call to who
 * served it. */
#ifndef REPORT_CALLS_H
#define REPORT_CALLS_H

#include "report/source.h"

/* Rows of TABLE_step, that live as long as the report. */
typedef void call_fn(void *ctx, const struct src_row *client, const struct src_row *server);
/* Calls 'fn' for each call of which both ends were seen, in the order of their making.  Of the
 * filters of 'src' only the span counts, for the client's end. */
void calls_each(const struct report_src *src, call_fn *fn, void *ctx);
/* The way it was made waits for no answer: it was over when it was sent. */
bool call_is_cast(const struct src_row *client, const struct src_row *server);

#endif
