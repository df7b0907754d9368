/* SPDX-License-Identifier: Apache-2.0
 *
 * config.h -- where a user's own files are: as the XDG Base Directory Specification says. */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include "base/mem.h"

/* "$XDG_CONFIG_HOME/neph/NAME", or below ~/.config; NULL when there is no home.  In 'mem'. */
const char *cli_config_path(struct arena *mem, const char *name);
/* The same for what neph itself writes: $XDG_DATA_HOME, or ~/.local/share. */
const char *cli_data_path(struct arena *mem, const char *name);

#endif
