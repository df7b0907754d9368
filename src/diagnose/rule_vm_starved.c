/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_vm_starved.c -- an instance's vCPUs wait for CPUs that others have: steal. */
#include "diagnose/starved.h"

static void find(const struct rule *r, struct diagnosis *d)
{
    starved_find(r, d, WHO_VM);
}

const struct rule rule_vm_starved = {
    .name = "vm-starved",
    .title = "an instance waits for CPUs that others have",
    .doc = "The vCPU threads of an instance waited for CPUs, pre-empted or woken, for much of the "
           "time in which they wanted to run (the guest sees that as steal), while others than its "
           "own threads had the CPUs. Culprits are those who ran on the CPU during each wait: "
           "first who never sleeps, then who got what he wanted; not another victim.",
    .remedy = "move the culprits or the instance to another host, lower the host's "
              "cpu_allocation_ratio, or set CPU shares, quotas or pinning in the flavors",
    .needs = "the host's kernel (sched_switch, sched_wakeup) and names for its QEMU processes",
    .limits = starved_limits,
    .nlimits = STARVED_LIMITS,
    .layer = LAYER_KERNEL,
    .stage = STAGE_SHARE,
    .find = find,
};
