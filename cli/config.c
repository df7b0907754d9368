/* SPDX-License-Identifier: Apache-2.0
 *
 * config.c -- see config.h. */
#include "cli/config.h"

#include "base/file.h"

#include <stdlib.h>

/* The specification has relative paths ignored. */
static const char *below(struct arena *mem, const char *variable, const char *in_home,
                         const char *name)
{
    const char *xdg = getenv(variable), *home = getenv("HOME");
    const char *base = xdg && *xdg == '/' ? xdg
                       : home && *home    ? path_join(mem, home, in_home)
                                          : NULL;

    return base ? path_join(mem, path_join(mem, base, "neph"), name) : NULL;
}

const char *cli_config_path(struct arena *mem, const char *name)
{
    return below(mem, "XDG_CONFIG_HOME", ".config", name);
}

const char *cli_data_path(struct arena *mem, const char *name)
{
    return below(mem, "XDG_DATA_HOME", ".local/share", name);
}
