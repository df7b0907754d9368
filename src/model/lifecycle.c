/* SPDX-License-Identifier: Apache-2.0
 *
 * lifecycle.c -- see lifecycle.h.  After Nova's documentation "Virtual Machine
 * States and Transitions" (Zed) and the decorators of nova/compute/api.py that
 * name the states from which an operation is allowed. */
#include "model/lifecycle.h"

#define B(s) (1u << (s))

/* Any state can fail, and any can be deleted (force delete). */
static const uint32_t next[] = {
    [VM_BUILDING] = B(VM_ACTIVE) | B(VM_STOPPED),
    [VM_ACTIVE] = B(VM_PAUSED) | B(VM_SUSPENDED) | B(VM_STOPPED) | B(VM_RESCUED) | B(VM_RESIZED) |
                  B(VM_MIGRATING) | B(VM_SOFT_DELETED) | B(VM_SHELVED) | B(VM_SHELVED_OFFLOADED),
    [VM_PAUSED] = B(VM_ACTIVE) | B(VM_SOFT_DELETED) | B(VM_SHELVED) | B(VM_SHELVED_OFFLOADED) |
                  B(VM_MIGRATING),
    [VM_SUSPENDED] = B(VM_ACTIVE) | B(VM_SOFT_DELETED) | B(VM_SHELVED) | B(VM_SHELVED_OFFLOADED),
    [VM_STOPPED] = B(VM_ACTIVE) | B(VM_RESCUED) | B(VM_RESIZED) | B(VM_SOFT_DELETED) |
                   B(VM_SHELVED) | B(VM_SHELVED_OFFLOADED),
    [VM_RESCUED] = B(VM_ACTIVE) | B(VM_SOFT_DELETED) | B(VM_STOPPED),
    [VM_RESIZED] = B(VM_ACTIVE) | B(VM_STOPPED) | B(VM_SOFT_DELETED),
    [VM_MIGRATING] = B(VM_ACTIVE) | B(VM_PAUSED),
    [VM_SOFT_DELETED] = B(VM_ACTIVE) | B(VM_STOPPED),
    [VM_SHELVED] = B(VM_ACTIVE) | B(VM_SHELVED_OFFLOADED) | B(VM_SOFT_DELETED),
    [VM_SHELVED_OFFLOADED] = B(VM_ACTIVE) | B(VM_SOFT_DELETED),
    [VM_DELETED] = 0,
    [VM_ERROR] = B(VM_ACTIVE) | B(VM_STOPPED) | B(VM_SOFT_DELETED) | B(VM_BUILDING) | B(VM_RESIZED),
    [VM_OTHER] = ~0u,
};

bool lifecycle_allows(enum vm_state from, enum vm_state to)
{
    if (from == to || to == VM_OTHER || from == VM_OTHER)
        return true;
    if (from == VM_DELETED)
        return false;
    return to == VM_ERROR || to == VM_DELETED || (next[from] & B(to)) != 0;
}
