/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_list_things.c -- `neph list WHAT PATH...`: one line per thing. */
#include "cli/analyse.h"
#include "report/lists.h"

static int print(struct ctx *c, const struct report_list *l, const struct report_src *src)
{
    struct table t;

    table_init(&t, l->columns, l->ncolumns);
    l->fill(src, &t);
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

static int run(struct ctx *c)
{
    const struct report_list *l = report_list_find(c->args[0]);
    struct analysed a;
    struct err err;

    if (!l) {
        struct sbuf names = { 0 };

        for (size_t i = 0; report_lists[i]; i++)
            sbuf_fmt(&names, "%s%s", i ? ", " : "", report_lists[i]->name);
        ctx_error(c, "there is no list of '%s'; there are: %s", c->args[0], names.p);
        sbuf_free(&names);
        return RC_USAGE;
    }
    if (table_check(l->columns, l->ncolumns, &c->table, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_USAGE;
    }
    int rc = cli_analyse(c, 1, &a);
    if (rc == RC_OK)
        rc = print(c, l, &a.src);
    analysed_free(&a);
    return rc;
}

const struct cmd cmd_list = {
    .name = "list",
    .summary = "instances, requests, tasks, services, ... one line each",
    .args = "WHAT PATH...",
    .about =
        "WHAT is vms, volumes, networks (with subnets, ports, routers and security groups), "
        "requests, services, tasks, hosts, durations (of tasks, by name), steps (locks, "
        "commands, waits), calls (from service to service), schedule (the scheduler's filters and "
        "choices), resources "
        "(of nodes), marks (claims, lifecycle events and the like), mappings (which process is "
        "which instance or service, by what evidence), threads (of the kernel layer) or "
        "migrations. "
        "The JSON output has more than fits in a line: an instance's states, a volume's tasks, "
        "the parts of a task, a migration's stages and rounds.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_VM | GROUP_REQUEST |
              GROUP_SECRETS | GROUP_HISTORY,
    .min_args = 2,
    .choices = "vms|volumes|networks|requests|services|tasks|hosts|durations|steps|schedule|"
               "resources|marks|mappings|threads|calls|migrations",
    .run = run,
};
