/* SPDX-License-Identifier: Apache-2.0
 *
 * layer.h -- the layers of a cloud, from the top down, and what watches them. */
#ifndef MODEL_LAYER_H
#define MODEL_LAYER_H

enum layer {
    LAYER_APPLICATION = 1, /* OpenStack's services                      */
    LAYER_VIRTUALISATION,  /* QEMU, libvirt                             */
    LAYER_KERNEL,          /* a host's kernel: CPUs, disks, links       */
    LAYER_CLOCK,           /* by which hosts are put in order           */
    LAYER_TRACING,         /* the tracer, and what it did not tell      */
    LAYERS
};

/* "application", "virtualisation", "kernel", "clock", "tracing" */
const char *layer_name(enum layer l);

#endif
