/* SPDX-License-Identifier: Apache-2.0
 *
 * labels.h -- what a diagnosis should find in a scenario: they are written into the truth;
 * sc_read_labels() reads them. */
#ifndef SIM_LABELS_H
#define SIM_LABELS_H

#include "base/json.h"

struct sim;

/* Writes members "findings" and "without" of truth.json. */
void labels_truth(const struct sim *s, struct json *j);
/* Takes the traces away that the scenario is without.  Returns 0 or -E_IO. */
int labels_take_away(const struct sim *s);

#endif
