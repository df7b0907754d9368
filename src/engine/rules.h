/* SPDX-License-Identifier: Apache-2.0
 *
 * rules.h -- rules compiled: from a typed event to an attribute, without
 * formatting a path.
 *
 * A path template such as "vms/{vm}/state" becomes the offsets of its holes;
 * the texts in the holes become one integer key, and a map gives the
 * attribute.  The path itself is written once per attribute. */
#ifndef ENGINE_RULES_H
#define ENGINE_RULES_H

#include "engine/engine.h"

enum { RULE_HOLES = 2 };

struct compiled_rule {
    const struct store_family *family;
    uint32_t holes[RULE_HOLES]; /* offsets of struct str in the event */
    uint32_t nholes;
    int32_t value; /* offset of the value, -1 = constant */
    bool text;     /* the value is a struct str          */
    cell_t constant;
    struct map64 attrs; /* key of the holes -> attribute      */
};

/* Compiles 'r'.  A rule that does not fit its event is a programming error. */
void rule_compile(const struct rule *r, struct compiled_rule *ret);
void rule_apply(struct compiled_rule *r, struct store *s, ns_t t, const void *ev);
void rule_free(struct compiled_rule *r);

#endif
