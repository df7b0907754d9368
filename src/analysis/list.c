/* SPDX-License-Identifier: Apache-2.0
 *
 * list.c -- the analyses in the order in which they run. */
#include "analysis/list.h"

const struct analysis *const analyses[] = {
    &an_kernel,
    &an_kernel_block,
    &an_kernel_net,
    &an_kernel_messages,
    &an_kernel_sockets,
    &an_kernel_mem,
    &an_qemu_migration,
    &an_qemu_balloon,
    &an_app_log,
    &an_app_states,
    &an_cloud_vms,
    &an_cloud_requests,
    NULL,
};
