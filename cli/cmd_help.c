/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_help.c -- the commands, or one of them. */
#include "cli/cmd.h"

static int run(struct ctx *c)
{
    bool color = use_color(c, stdout);

    if (c->nargs == 0) {
        opt_overview(color);
        return RC_OK;
    }
    const struct cmd *cmd = cmd_find(c->args[0]);
    if (!cmd) {
        const char *near = cmd_nearest(c->args[0]);

        ctx_error(c, "there is no command '%s'%s%s%s", c->args[0], near ? "; did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
        return RC_USAGE;
    }
    opt_help(cmd, color);
    return RC_OK;
}

const struct cmd cmd_help = {
    .name = "help",
    .summary = "this list, or the options of a command",
    .args = "[COMMAND]",
    .about = "Lists the commands, or the options of one.",
    .max_args = 1,
    .run = run,
};
