/* SPDX-License-Identifier: Apache-2.0
 *
 * list.c -- the analyses in the order in which they run. */
#include "analysis/list.h"

const struct analysis *const analyses[] = { &an_app_log, &an_app_states, &an_cloud_vms,
                                            &an_cloud_requests, NULL };
