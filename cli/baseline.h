/* SPDX-License-Identifier: Apache-2.0
 *
 * baseline.h -- baselines by the names that a user gives them. */
#ifndef CLI_BASELINE_H
#define CLI_BASELINE_H

#include "cli/cmd.h"
#include "report/baseline.h"

/* The file of "NAME", below the user's data, or, with a slash or .json in it, that file.  In
 * 'mem'; NULL, and said, when it is no name or there is no place. */
const char *cli_baseline_path(const struct ctx *c, struct arena *mem, const char *name);
/* Returns 0, or an exit code after it has said why; 'ret' is to be freed. */
int cli_baseline_read(const struct ctx *c, const char *name, struct baseline *ret);
/* Measures the arguments from number 'first' on; the same. */
int cli_baseline_measure(struct ctx *c, size_t first, struct baseline *ret);

#endif
