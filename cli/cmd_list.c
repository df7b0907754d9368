/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_list.c -- the commands, in the order of `neph help`.  To add one: its
 * file, and a line here. */
#include "cli/cmd.h"

#include <string.h>

/* clang-format off */
#define COMMANDS(C)  \
    C(diagnose)      \
    C(summary)       \
    C(list)          \
    C(show)          \
    C(top)           \
    C(log)           \
    C(freq)          \
    C(explain)       \
    C(critical)      \
    C(rounds)        \
    C(compare)       \
    C(baseline)      \
    C(sync)          \
    C(state)         \
    C(timeline)      \
    C(info)          \
    C(stats)         \
    C(doctor)        \
    C(events)        \
    C(history)       \
    C(serve)         \
    C(report)        \
    C(sim)           \
    C(help)          \
    C(version)       \
    C(completion)
/* clang-format on */

#define C(name) extern const struct cmd cmd_##name;
COMMANDS(C)
#undef C

#define C(name) &cmd_##name,
const struct cmd *const cmds[] = { COMMANDS(C) };
#undef C

const size_t ncmds = ARRAY_SIZE(cmds);
const struct cmd *const cmd_default = &cmd_diagnose;

const struct cmd *cmd_find(const char *name)
{
    for (size_t i = 0; i < ncmds; i++)
        if (!strcmp(cmds[i]->name, name))
            return cmds[i];
    return NULL;
}
