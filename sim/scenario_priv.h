/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario_priv.h -- how a part of a scenario file is read: objects as tables
 * of keys, mistakes told with the key's path.  Shared by scenario.c,
 * kern_scenario.c, migrate_scenario.c and labels.c. */
#ifndef SIM_SCENARIO_PRIV_H
#define SIM_SCENARIO_PRIV_H

#include "sim/scenario.h"

#include <jansson.h>
#include <stddef.h>

enum key_type {
    KEY_TEXT,     /* const char *                     */
    KEY_UINT,     /* uint64_t                         */
    KEY_INT,      /* int64_t                          */
    KEY_UNSIGNED, /* unsigned                         */
    KEY_REAL,     /* double                           */
    KEY_SECONDS,  /* a number of seconds, into ns_t   */
    KEY_MILLIS,   /* a number of ms, into ns_t        */
    KEY_BOOL,     /* bool                             */
    KEY_OTHER,    /* the caller reads it              */
};

struct key {
    const char *name;
    enum key_type type;
    size_t offset;
    double min, max;
    bool required;
};

struct reader {
    struct scenario *s;
    struct err *err;
};

#define AT(type, member) offsetof(struct type, member)

/* "PATH.KEY: WHAT" becomes the error; returns -E_ARG. */
int sc_wrong(struct reader *r, const char *path, const char *key, const char *what);
/* Reads the object 'o' by its table; unknown and missing keys are mistakes. */
int sc_read_object(struct reader *r, const char *path, const json_t *o, const struct key *keys,
                   size_t n, void *into);
/* Position of 'name' in a list of names, or -1. */
int sc_one_of(const char *name, const char *const *names, int n);
/* Reads root["migrations"] into scenario.migrations; migrate_scenario.c. */
int sc_read_migrations(struct reader *r, const json_t *root);
/* Reads root["findings"] and root["without"]; labels.c. */
int sc_read_labels(struct reader *r, const json_t *root);
/* Reads root["kernel"] into scenario.kernel; kern_scenario.c. */
int sc_read_kernel(struct reader *r, const json_t *root, double scale);

#endif
