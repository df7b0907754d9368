/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_summary.c -- `neph summary PATH...`: what happened, on one page. */
#include "cli/analyse.h"
#include "report/sections.h"

static int run(struct ctx *c)
{
    struct sections s = { 0 };
    struct analysed a;
    int rc = cli_analyse(c, 0, &a);

    if (rc == RC_OK) {
        struct summary_facts f = cli_facts(c);

        summary_report(&a.src, &f, &s);
        rc = ctx_print_sections(c, &s);
        sections_free(&s);
    }
    analysed_free(&a);
    return rc;
}

const struct cmd cmd_summary = {
    .name = "summary",
    .summary = "what happened, on one page",
    .args = "PATH...",
    .about = "Reads all traces below the paths, follows the tasks, requests and instances that "
             "their log lines tell of, and prints what stands out: failed and unfinished "
             "operations, long waits with what was waited for, locks with their holders. Where "
             "kernels were traced, it tells who used their CPUs, who took them from whom, what "
             "was lost, and what is not recorded. What is wrong, and why, says `neph diagnose`.",
    .outputs = "table|wide|json",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_VM | GROUP_REQUEST | GROUP_SECRETS | GROUP_HISTORY,
    .min_args = 1,
    .run = run,
};
