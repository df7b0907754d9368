/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_diagnose.c -- what is wrong, who did it, how one knows, and what to do. */
#include "cli/analyse.h"
#include "diagnose/finding.h"

#include <stdlib.h>

struct diagnose_opts {
    const char *fail_on;
    struct opt_list limits;
};

static void print(const struct ctx *c, const struct diagnosis *d)
{
    if (c->table.format == TABLE_JSON) {
        struct json j = { .f = stdout, .pretty = true };

        diagnosis_json(d, &j);
        putchar('\n');
        return;
    }
    struct sbuf text = { 0 };
    diagnosis_text(d, &text);
    fwrite(text.p, 1, text.n, stdout);
    sbuf_free(&text);
}

static bool fails(const struct diagnose_opts *o, const struct diagnosis *d)
{
    for (int s = SEVERITY_INFO; o->fail_on && s <= SEVERITY_CRITICAL; s++)
        if (strcmp(o->fail_on, severity_name((enum severity)s)) == 0)
            return diagnosis_count(d, (enum severity)s) > 0;
    return false;
}

/* Returns 0, or an exit code after it has said what is wrong. */
static int take_limits(struct ctx *c, struct limits_set *ret)
{
    const struct diagnose_opts *o = c->opts;
    struct err err = { 0 };

    for (size_t i = 0; i < o->limits.n; i++)
        if (limits_take(ret, o->limits.at[i], &err) < 0) {
            ctx_error(c, "--set: %s", err.text);
            return RC_USAGE;
        }
    return RC_OK;
}

static int run(struct ctx *c)
{
    struct limits_set limits = { 0 };
    struct diagnosis d = { 0 };
    struct analysed a;
    int rc = take_limits(c, &limits);

    if (rc != RC_OK) {
        vec_free(&limits.at);
        return rc;
    }
    rc = cli_analyse(c, 0, &a);
    if (rc == RC_OK) {
        diagnosis_make(&a.src, &limits, &d);
        print(c, &d);
        rc = fails(c->opts, &d) ? RC_FINDINGS : RC_OK;
        diagnosis_free(&d);
    }
    analysed_free(&a);
    vec_free(&limits.at);
    return rc;
}

static const struct opt options[] = {
    { "fail-on", 0, "SEVERITY", "Exit with 1 if a finding is at least that bad", OPT_CHOICE,
      offsetof(struct diagnose_opts, fail_on), "info|warning|critical", 0 },
    { "set", 0, "RULE.LIMIT=N", "Another limit for a rule (neph explain RULE lists them)", OPT_LIST,
      offsetof(struct diagnose_opts, limits), NULL, 0 },
};

const struct cmd cmd_diagnose = {
    .name = "diagnose",
    .summary = "what is wrong, who did it, how one knows, and what to do",
    .args = "PATH...",
    .about =
        "Applies all rules to all layers of all hosts and prints what they found, ranked: what "
        "explains other findings stands above these, then the worst first. A finding names who "
        "suffers, who did it, the measured evidence and the command that shows it, the cost in "
        "time, what to do, and what it does not know. What no rule could see, because it was "
        "not traced, is listed below.\n\n"
        "critical: an operation can't succeed. warning: something is slowed, or failed. info: "
        "worth "
        "to know; nothing is wrong. `neph explain` describes the rules.",
    .outputs = "table|json",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_REQUEST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct diagnose_opts),
    .min_args = 1,
    .run = run,
};
