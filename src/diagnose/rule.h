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

/* A number on which a rule's word depends.  The user may give another. */
struct limit {
    const char *name; /* "min-wait" */
    double value;
    const char *unit; /* "s", "share", ... */
    const char *why;  /* this value, in half a sentence */
};

/* How far a finding is from where a fault is born: it can be explained by findings of an earlier
 * stage about the same, not by those of its own. */
enum rule_stage {
    STAGE_TRACE,     /* of the traces themselves: explains nothing of the cloud          */
    STAGE_RESOURCE,  /* a device, a clock, the memory or the CPUs of a host as a whole    */
    STAGE_SHARE,     /* one waits for what others have                                   */
    STAGE_MIGRATION, /* the virtualisation layer does not do what it is asked for        */
    STAGE_WAIT,      /* one service waits for another's word                             */
    STAGE_DECISION,  /* a service decides that it can't be done                          */
    STAGE_OPERATION, /* a request, a task, a worker                                      */
    STAGE_STATE,     /* what is left of it                                               */
};

struct rule {
    const char *name;   /* "migration-never-ends" */
    const char *title;  /* what is wrong, in half a line */
    const char *doc;    /* when it speaks, by what mechanism */
    const char *remedy; /* what to do */
    const char *needs;  /* which traces it must have to speak */
    enum layer layer;   /* of the cause; a finding may know better */
    enum rule_stage stage;
    bool slows; /* it tells that something was slow: that explains lost time, not a state */
    const struct limit *limits;
    size_t nlimits;
    void (*find)(const struct rule *r, struct diagnosis *d);
};

/* clang-format off */
#define RULES(R)             \
    R(migration_never_ends)  \
    R(migration_failed)      \
    R(migration_disturbed)   \
    R(migration_slow)        \
    R(host_overcommitted)    \
    R(vm_starved)            \
    R(service_starved)       \
    R(no_valid_host)         \
    R(request_slow)          \
    R(worker_overloaded)     \
    R(worker_idle)           \
    R(operation_failed)      \
    R(vm_state)              \
    R(external_wait)         \
    R(clock_trouble)         \
    R(tracing_overhead)      \
    R(disk_contended)        \
    R(disk_slow)             \
    R(link_saturated)        \
    R(interrupt_storm)       \
    R(memory_growth)         \
    R(out_of_memory)         \
    R(unlike_baseline)       \
    R(missing_layer)         \
    R(lost_events)
/* clang-format on */

#define R(id) extern const struct rule rule_##id;
RULES(R)
#undef R
extern const struct rule *const rules[]; /* ends with NULL */
const struct rule *rule_find(const char *name);

/* A limit of the rule by its position, as the user wants it. */
double rule_limit(const struct diagnosis *d, const struct rule *r, size_t i);
/* The same for one in seconds. */
ns_t rule_limit_ns(const struct diagnosis *d, const struct rule *r, size_t i);
/* What they say of themselves: a row for each, or for 'only'. */
extern const struct column rules_columns[];
extern const size_t nrules_columns;
void rules_fill(const struct rule *only, struct table *t);

#endif
