/* SPDX-License-Identifier: Apache-2.0
 *
 * first_error.h -- the first error that any service told of for a request. */
#ifndef DIAGNOSE_FIRST_ERROR_H
#define DIAGNOSE_FIRST_ERROR_H

#include "diagnose/rule.h"

/* Adds it as evidence, with the function that wrote it.  'lines': TABLE_line by request. */
void first_error_add(const struct diagnosis *d, struct finding *f, const struct src_index *lines,
                     struct str request, struct str where);

#endif
