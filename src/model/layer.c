/* SPDX-License-Identifier: Apache-2.0
 *
 * layer.c -- names of layers; see layer.h. */
#include "model/layer.h"

const char *layer_name(enum layer l)
{
    static const char *const names[LAYERS] = {
        [LAYER_APPLICATION] = "application", [LAYER_VIRTUALISATION] = "virtualisation",
        [LAYER_KERNEL] = "kernel",           [LAYER_CLOCK] = "clock",
        [LAYER_TRACING] = "tracing",
    };

    return l > 0 && l < LAYERS ? names[l] : "";
}
