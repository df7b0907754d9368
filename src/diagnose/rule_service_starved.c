/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_service_starved.c -- a service or daemon of the host waits for CPUs that others have. */
#include "diagnose/starved.h"

static void find(const struct rule *r, struct diagnosis *d)
{
    starved_find(r, d, WHO_SERVICE);
}

const struct rule rule_service_starved = {
    .name = "service-starved",
    .title = "a service waits for CPUs that others have",
    .doc = "The threads of a service (ovs-vswitchd, libvirtd, rabbitmq, nova-compute, ...) waited "
           "for CPUs for much of the time in which they wanted to run, while others had the CPUs. "
           "Packets, requests and guests that need the service wait as long.",
    .remedy =
        "keep CPUs of the host for its services (vcpu_dedicated_set, cpu_shared_set, cpusets), "
        "or raise the service's CPU weight",
    .needs = "the host's kernel (sched_switch, sched_wakeup)",
    .limits = starved_limits,
    .nlimits = STARVED_LIMITS,
    .layer = LAYER_KERNEL,
    .stage = STAGE_SHARE,
    .find = find,
};
