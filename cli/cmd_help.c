/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_help.c -- the commands, or one of them; and what the analyses do and which
 * events they need. */
#include "analysis/list.h"
#include "cli/cmd.h"

#include <string.h>

/* The events that the analysis handles, as they are called in traces. */
static void print_needs(const struct analysis *a)
{
    for (const struct handler *h = a->handlers; h && h->fn; h++)
        if (ev_descs[h->type].names[0]) {
            const struct ev_desc *d = &ev_descs[h->type];

            printf("    event %s with", d->names);
            for (uint32_t i = 0; i < d->nfields; i++)
                printf("%s %s%s", i ? "," : "", d->fields[i].names,
                       d->fields[i].needed ? "" : " (optional)");
            putchar('\n');
        }
    for (const struct rule *r = a->rules; r && r->attr != SCHEMA_ATTRS; r++)
        printf("    sets %s\n", schema_attrs[r->attr].path);
}

static void print_analyses(void)
{
    for (size_t i = 0; analyses[i]; i++) {
        printf("%s%s (%s layer): %s\n  %s\n", i ? "\n" : "", analyses[i]->name, analyses[i]->layer,
               analyses[i]->title, analyses[i]->doc);
        print_needs(analyses[i]);
    }
}

static int run(struct ctx *c)
{
    bool color = use_color(c, stdout);

    if (c->nargs == 0) {
        opt_overview(color);
        return RC_OK;
    }
    if (!strcmp(c->args[0], "analyses")) {
        print_analyses();
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
    .args = "[COMMAND|analyses]",
    .about = "Lists the commands, or the options of one; or the analyses, with the events that "
             "each needs in the traces.",
    .max_args = 1,
    .run = run,
};
