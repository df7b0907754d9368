/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp.h -- the Trace Server Protocol 0.6.0 of the Trace Compass ecosystem, under /tsp/api. */
#ifndef SERVE_TSP_H
#define SERVE_TSP_H

#include "serve/serve_priv.h"

struct tsp *tsp_new(struct serve *s);
void tsp_free(struct tsp *t);

#endif
