/* SPDX-License-Identifier: Apache-2.0
 *
 * list.h -- every analysis, by name.  A new one is a file of its own, a line
 * here and a line in list.c. */
#ifndef ANALYSIS_LIST_H
#define ANALYSIS_LIST_H

#include "engine/engine.h"

extern const struct analysis an_kernel; /* before all that look at pass.kernel */
extern const struct analysis an_kernel_block;
extern const struct analysis an_kernel_net;
extern const struct analysis an_kernel_messages;
extern const struct analysis an_kernel_mem;
extern const struct analysis an_kernel_sockets;
extern const struct analysis an_qemu_balloon;
extern const struct analysis an_qemu_migration;
extern const struct analysis an_app_log;
extern const struct analysis an_app_states;
extern const struct analysis an_cloud_vms;
extern const struct analysis an_cloud_requests;

/* A part of the key of every history that is kept.  Raise it whenever an analysis, or
 * what it gets of readers and model/, yields other records or states than before. */
#define ANALYSIS_VERSION "15"

extern const struct analysis *const analyses[]; /* ends with NULL */

#endif
