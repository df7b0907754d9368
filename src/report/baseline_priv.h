/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline_priv.h -- between baseline.c (figures), baseline_measure.c (where their values come
 * from) and baseline_file.c. */
#ifndef REPORT_BASELINE_PRIV_H
#define REPORT_BASELINE_PRIV_H

#include "report/baseline.h"

#define BUCKET_STEP 1.02
/* 1.02^-1400 is 1e-12, 1.02^2210 is 1e19; what is less is nothing. */
enum { BUCKET_LEAST = -1400, BUCKET_MOST = 2210, BUCKET_ZERO = BUCKET_LEAST };

void figure_add(struct figure *f, double v);
void figure_count(struct figure *f, int32_t at, uint64_t n);
/* The figure of that kind, name and thing; texts are copied.  Valid until the next is added. */
struct figure *baseline_figure(struct baseline *b, const struct figure *like);

#endif
