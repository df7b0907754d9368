/* SPDX-License-Identifier: Apache-2.0
 *
 * app_states.c -- states over time of instances, volumes, nodes and services:
 * nothing but rules over derived events. */
#include "analysis/list.h"

static const struct rule rules[] = {
    { EV_VM_STATE, ATTR_VM_STATE, "state", 0 },
    { EV_VM_STATE, ATTR_VM_TASK, "task_state", 0 },
    { EV_VM_STATE, ATTR_VM_HOST, "host", 0 },
    { EV_VOLUME_STATE, ATTR_VOLUME_STATE, "state", 0 },
    { EV_SERVICE_LINE, ATTR_SERVICE_LEVEL, "level", 0 },
    { EV_NODE_RESOURCES, ATTR_NODE_RAM_USED, "ram_used_mb", 0 },
    { EV_NODE_RESOURCES, ATTR_NODE_RAM_TOTAL, "ram_total_mb", 0 },
    { EV_NODE_RESOURCES, ATTR_NODE_VCPU_USED, "vcpus_used", 0 },
    { EV_NODE_RESOURCES, ATTR_NODE_VCPU_TOTAL, "vcpus_total", 0 },
    { EV_NODE_RESOURCES, ATTR_NODE_DISK_USED, "disk_used_gb", 0 },
    { EV_OTHER, SCHEMA_ATTRS, NULL, 0 },
};

const struct analysis an_app_states = {
    .name = "app-states",
    .title = "States of instances, volumes, nodes and services over time",
    .layer = "application",
    .doc = "Each record of a service that tells a state sets the attribute of the instance, "
           "volume or node it speaks of.",
    .rules = rules,
};
