/* SPDX-License-Identifier: Apache-2.0
 *
 * things.h -- what can be described by its name, for every interface that describes. */
#ifndef REPORT_THINGS_H
#define REPORT_THINGS_H

#include "report/sections.h"

struct report_thing {
    const char *kind; /* "vm" */
    const char *list; /* the listing that names them */
    /* False when there is none that 'id' names; the head of 'ret' may say why. */
    bool (*show)(const struct report_src *src, struct str id, struct sections *ret);
};
extern const struct report_thing report_things[]; /* ends with kind NULL */
const struct report_thing *report_thing_find(struct str kind);

#endif
