/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_sections.h -- the kernel layer's part of reports of several tables. */
#ifndef REPORT_MEASURE_SECTIONS_H
#define REPORT_MEASURE_SECTIONS_H

#include "report/measure.h"
#include "report/sections.h"

/* What costs most of a measure.  The section is valid until the next one is added. */
struct section *section_measure(struct sections *s, const struct report_src *src,
                                const struct measure *m, enum measure_by by, const char *title);
/* What measures would want to know and was not recorded, and how to record it.  'of' ends with
 * NULL. */
struct section *section_missing(struct sections *s, const struct report_src *src,
                                const struct measure *const *of);
/* Only the hosts whose kernel was traced. */
struct report_src src_with_kernel(const struct report_src *src);

#endif
