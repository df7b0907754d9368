/* SPDX-License-Identifier: Apache-2.0
 *
 * api_priv.h -- answers of /api/v1 that are in files of their own. */
#ifndef SERVE_API_PRIV_H
#define SERVE_API_PRIV_H

#include "serve/serve_priv.h"

typedef void api_answer(struct serve *s, const struct request *q, struct reply *r);

/* api_rows.c */
api_answer api_rows, api_strip, api_curve, api_at;
/* api_more.c */
api_answer api_arrows, api_events, api_search;

#endif
