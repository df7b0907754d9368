/* SPDX-License-Identifier: Apache-2.0
 *
 * starved.h -- instances and services that wait for CPUs more than they run. */
#ifndef DIAGNOSE_STARVED_H
#define DIAGNOSE_STARVED_H

#include "diagnose/rule.h"

enum { STARVED_LIMITS = 4 };
extern const struct limit starved_limits[STARVED_LIMITS]; /* of both rules */

/* Adds a finding for each starved owner of that kind.  For instances only vCPUs count. */
void starved_find(const struct rule *r, struct diagnosis *d, enum who_kind kind);

#endif
