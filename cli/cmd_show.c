/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_show.c -- `neph show vm|request|task|migration ID PATH...`: one thing, described. */
#include "cli/analyse.h"
#include "report/things.h"

static int run(struct ctx *c)
{
    struct sections s = { 0 };
    struct analysed a;
    const struct report_thing *thing = report_thing_find(str_of(c->args[0]));

    if (!thing) {
        ctx_error(c, "cannot show a '%s'; there are: vm, request, task, migration", c->args[0]);
        return RC_USAGE;
    }
    int rc = cli_analyse(c, 2, &a);
    if (rc == RC_OK && !thing->show(&a.src, str_of(c->args[1]), &s)) {
        if (s.head.n) /* it knows better */
            ctx_error(c, "%s", s.head.p);
        else
            ctx_error(c, "no %s '%s' in these traces; `neph list %s PATH` names those that are",
                      c->args[0], c->args[1], thing->list);
        rc = RC_NOT_FOUND;
    } else if (rc == RC_OK) {
        rc = ctx_print_sections(c, &s);
    }
    sections_free(&s);
    analysed_free(&a);
    return rc;
}

const struct cmd cmd_show = {
    .name = "show",
    .summary = "one instance, request, task or migration, described",
    .args = "vm|request|task|migration ID PATH...",
    .about = "An instance is named by its name, uuid or libvirt name; a request by its id or a "
             "part of it; a task by its name, its entity, its request, or name/entity; a migration "
             "by its id, or by its instance if that has one only.",
    .outputs = "table|wide|json",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .min_args = 3,
    .choices = "vm|request|task|migration",
    .run = run,
};
