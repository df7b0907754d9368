/* SPDX-License-Identifier: Apache-2.0
 *
 * lifecycle.h -- which state of an instance may follow which. */
#ifndef MODEL_LIFECYCLE_H
#define MODEL_LIFECYCLE_H

#include "model/schema.h"

/* Can an instance go from 'from' to 'to' in one step? States that are not known
 * (VM_OTHER) may follow and be followed by anything. */
bool lifecycle_allows(enum vm_state from, enum vm_state to);

#endif
