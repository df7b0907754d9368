/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks_show.h -- what `neph sync` tells of the clocks. */
#ifndef REPORT_CLOCKS_SHOW_H
#define REPORT_CLOCKS_SHOW_H

#include "report/clocks.h"
#include "report/sections.h"

void clocks_sections(const struct clocks *c, const struct report_src *src, struct sections *ret);
/* Each clock when the reference's showed 't'. */
void clocks_at(const struct clocks *c, ns_t t, struct sections *ret);
void clocks_at_json(const struct clocks *c, ns_t t, struct json *j);
/* "suggestions": what would make the bounds closer. */
void clocks_advice_json(const struct clocks *c, struct json *j);

#endif
