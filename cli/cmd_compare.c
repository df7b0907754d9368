/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_compare.c -- `neph compare A B PATH...`: why did one migration take longer than another? */
#include "cli/analyse.h"
#include "report/migration_show.h"

static int run(struct ctx *c)
{
    struct str ids[2] = { str_of(c->args[0]), str_of(c->args[1]) };
    const struct migration *m[2];
    struct sections s = { 0 };
    struct sbuf why = { 0 };
    struct analysed a;
    int rc = cli_analyse(c, 2, &a);

    if (rc == RC_OK && !migrations_named(&a.src, ids, 2, m, &why)) {
        ctx_error(c, "%s", why.p);
        rc = RC_NOT_FOUND;
    } else if (rc == RC_OK) {
        migration_compare(&a.src, m[0], m[1], &s);
        rc = ctx_print_sections(c, &s);
    }
    sections_free(&s);
    sbuf_free(&why);
    analysed_free(&a);
    return rc;
}

const struct cmd cmd_compare = {
    .name = "compare",
    .summary = "two migrations side by side: what took longer, what was more",
    .args = "ID ID PATH...",
    .about =
        "Each stage, the total, the downtimes, the waits for CPUs and who caused them, rounds, "
        "rates and limits of both, with the difference and the ratio; what differs most comes "
        "first. What differs by less than 5 %, or by less than the hosts' clocks are known, is "
        "said to be so.\n\n"
        "An ID is as in `neph list migrations`, or an instance that has migrated once.",
    .outputs = "table|wide|json",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .min_args = 3,
    .run = run,
};
