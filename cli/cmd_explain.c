/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_explain.c -- the rules of `neph diagnose`, in their own words. */
#include "cli/cmd.h"
#include "diagnose/rule.h"

static void describe(const struct rule *r)
{
    printf("%s: %s\n\n%s\n\nLayer of the cause: %s.\n\nNeeds: %s.\n\nWhat to do: %s.\n", r->name,
           r->title, r->doc, layer_name(r->layer), r->needs, r->remedy);
    for (size_t i = 0; i < r->nlimits; i++)
        printf("%s  --set %s.%s=%g\n      %s; %s\n", i ? "" : "\nLimits, as they are set:\n",
               r->name, r->limits[i].name, r->limits[i].value, r->limits[i].unit, r->limits[i].why);
}

static int run(struct ctx *c)
{
    const struct rule *one = c->nargs ? rule_find(c->args[0]) : NULL;
    struct table t;

    if (c->nargs && !one) {
        ctx_error(c, "there is no rule '%s'; `neph explain` lists them", c->args[0]);
        return RC_NOT_FOUND;
    }
    if (one && c->table.format <= TABLE_WIDE) {
        describe(one);
        return RC_OK;
    }
    table_init(&t, rules_columns, nrules_columns);
    rules_fill(one, &t);
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

const struct cmd cmd_explain = {
    .name = "explain",
    .summary = "the rules of diagnose: when they speak, and why",
    .args = "[RULE]",
    .about = "Lists the rules, or describes one: what it says, by which mechanism and with which "
             "limits, which traces it needs, what to do.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT,
    .max_args = 1,
    .run = run,
};
