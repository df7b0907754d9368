/* SPDX-License-Identifier: Apache-2.0
 *
 * rule.h -- one thing that can be wrong.
 *
 * A rule is a file of this folder, rule_NAME.c, with one 'const struct rule', and a line in RULES
 * below.  What it says of itself is written once: `neph explain` and the findings have it from
 * there.  A rule looks for a mechanism, not for a number that is high: it speaks only where it can
 * say who did it or what was waited for, and names what it could not see. */
#ifndef DIAGNOSE_RULE_H
#define DIAGNOSE_RULE_H

#include "diagnose/finding.h"

struct rule {
    const char *name;   /* "migration-never-ends" */
    const char *title;  /* what is wrong, in half a line */
    const char *doc;    /* when it speaks, by what mechanism, with which thresholds and why */
    const char *remedy; /* what to do */
    const char *needs;  /* which traces it must have to speak */
    void (*find)(const struct rule *r, struct diagnosis *d);
};

/* clang-format off */
#define RULES(R)             \
    R(migration_never_ends)  \
    R(migration_failed)      \
    R(migration_disturbed)   \
    R(vm_starved)            \
    R(service_starved)       \
    R(no_valid_host)         \
    R(operation_failed)      \
    R(vm_state)              \
    R(external_wait)         \
    R(lost_events)
/* clang-format on */

#define R(id) extern const struct rule rule_##id;
RULES(R)
#undef R
extern const struct rule *const rules[]; /* ends with NULL */
const struct rule *rule_find(const char *name);

/* What they say of themselves: a row for each, or for 'only'. */
extern const struct column rules_columns[];
extern const size_t nrules_columns;
void rules_fill(const struct rule *only, struct table *t);

#endif
