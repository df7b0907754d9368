/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_diagnose.c -- what is wrong, who did it, how one knows, and what to do. */
#include "cli/analyse.h"
#include "cli/baseline.h"
#include "cli/config.h"
#include "diagnose/finding.h"
#include "report/cell_text.h"

#include <stdlib.h>
#include <unistd.h>

struct diagnose_opts {
    const char *fail_on, *format, *config, *baseline;
    struct opt_list limits;
};

#define OUTPUTS "table|json|jsonl|csv|nagios|alertmanager"

static void print_text(const struct ctx *c, const struct report_src *src, const struct diagnosis *d)
{
    struct summary_facts facts = cli_facts(c);
    struct sbuf raw = { 0 }, text = { 0 };

    summary_read(src, &facts, &raw);
    sbuf_z(&raw, "\n");
    summary_layers(src, &raw);
    cell_escape(&text, sbuf_view(&raw), "\n");
    sbuf_z(&text, "\n\n");
    diagnosis_text(d, &text);
    fwrite(text.p, 1, text.n, stdout);
    sbuf_free(&text);
    sbuf_free(&raw);
}

/* Returns the exit code of a plugin. */
static int print_nagios(const struct diagnosis *d)
{
    struct sbuf line = { 0 };
    int state = diagnosis_nagios(d, &line);

    fwrite(line.p, 1, line.n, stdout);
    sbuf_free(&line);
    return state;
}

/* What was said to the user is what the plugin does not know. */
static int unknown(void)
{
    struct sbuf line = { 0 };

    nagios_unknown(str_of(ctx_last_error()), &line);
    fwrite(line.p, 1, line.n, stdout);
    sbuf_free(&line);
    return NAGIOS_EXIT_UNKNOWN;
}

static int print(const struct ctx *c, const struct report_src *src, const struct diagnosis *d)
{
    struct json j = { .f = stdout, .pretty = true };
    struct table t;
    int rc = RC_OK;

    if (ctx_output_is(c, "json")) {
        diagnosis_json(d, &j);
        putchar('\n');
    } else if (ctx_output_is(c, "alertmanager")) {
        diagnosis_alerts(d, &j);
        putchar('\n');
    } else if (ctx_output_is(c, "jsonl")) {
        diagnosis_jsonl(d, stdout);
    } else if (ctx_output_is(c, "csv")) {
        table_init(&t, finding_columns, nfinding_columns);
        diagnosis_rows(d, &t);
        rc = ctx_print_table(c, &t);
        table_free(&t);
    } else {
        print_text(c, src, d);
    }
    return rc;
}

static bool fails(const struct diagnose_opts *o, const struct diagnosis *d)
{
    for (int s = SEVERITY_INFO; o->fail_on && s <= SEVERITY_CRITICAL; s++)
        if (strcmp(o->fail_on, severity_name((enum severity)s)) == 0)
            return diagnosis_count(d, (enum severity)s) > 0;
    return false;
}

/* --format is -o by the name that plugins give it. */
static int take_format(struct ctx *c)
{
    const struct diagnose_opts *o = c->opts;
    struct err err;

    if (o->format && c->g.output && strcmp(o->format, c->g.output) != 0) {
        ctx_error(c, "-o %s and --format %s: which?", c->g.output, o->format);
        return RC_USAGE;
    }
    if (o->format) {
        c->g.output = o->format;
        if (table_format_parse(o->format, &c->table.format, &err) < 0)
            c->table.format = TABLE_TABLE;
    }
    if (ctx_output_is(c, "nagios") && (o->fail_on || c->g.strict)) {
        ctx_error(c, "the exit codes of a Nagios plugin leave no room for --fail-on and --strict");
        return RC_USAGE;
    }
    return RC_OK;
}

/* Limits of the user's file, then those of the command line.  Returns 0, or an exit code after it
 * has said what is wrong. */
static int take_limits(struct ctx *c, struct limits_set *ret)
{
    const struct diagnose_opts *o = c->opts;
    struct arena mem = { 0 };
    struct err err = { 0 };
    const char *path = o->config ? o->config : cli_config_path(&mem, "config");
    int rc = RC_OK;

    if (path && (o->config || access(path, F_OK) == 0) && limits_read(ret, path, &err) < 0) {
        ctx_error(c, "%s", err.text);
        rc = RC_USAGE;
    }
    for (size_t i = 0; i < o->limits.n && rc == RC_OK; i++)
        if (limits_take(ret, o->limits.at[i], &err) < 0) {
            ctx_error(c, "--set: %s", err.text);
            rc = RC_USAGE;
        }
    arena_free(&mem);
    return rc;
}

static int diagnose(struct ctx *c, const struct limits_set *limits)
{
    const struct diagnose_opts *o = c->opts;
    struct baseline good = { 0 };
    struct diagnosis d = { 0 };
    struct analysed a = { 0 };
    int rc = o->baseline ? cli_baseline_read(c, o->baseline, &good) : RC_OK;

    if (rc == RC_OK)
        rc = cli_analyse(c, 0, &a);

    if (rc == RC_OK) {
        diagnosis_make(&a.src, limits, o->baseline ? &good : NULL, &d);
        if (ctx_output_is(c, "nagios"))
            rc = print_nagios(&d);
        else
            rc = print(c, &a.src, &d);
        rc = rc == RC_OK && fails(c->opts, &d) ? RC_FINDINGS : rc;
        diagnosis_free(&d);
    } else if (ctx_output_is(c, "nagios")) {
        rc = unknown();
    }
    baseline_free(&good);
    analysed_free(&a);
    return rc;
}

static int misused(struct ctx *c, int rc)
{
    const struct diagnose_opts *o = c->opts;
    const char *how = o->format ? o->format : c->g.output ? c->g.output : "";

    return strcmp(how, "nagios") == 0 ? unknown() : rc;
}

static int run(struct ctx *c)
{
    struct limits_set limits = { 0 };
    int rc = take_format(c);

    if (rc == RC_OK)
        rc = take_limits(c, &limits);
    rc = rc == RC_OK ? diagnose(c, &limits) : misused(c, rc);
    vec_free(&limits.at);
    return rc;
}

static const struct opt options[] = {
    { "fail-on", 0, "SEVERITY", "Exit with 1 if a finding is at least that bad", OPT_CHOICE,
      offsetof(struct diagnose_opts, fail_on), "info|warning|critical", 0 },
    { "set", 0, "RULE.LIMIT=N", "Another limit for a rule (neph explain RULE lists them)", OPT_LIST,
      offsetof(struct diagnose_opts, limits), NULL, 0 },
    { "config", 0, "FILE", "Limits for rules, a line each, instead of those of the user's own file",
      OPT_TEXT, offsetof(struct diagnose_opts, config), NULL, 0 },
    { "baseline", 0, "NAME", "Also what is unlike this baseline (neph baseline), or file of one",
      OPT_TEXT, offsetof(struct diagnose_opts, baseline), NULL, 0 },
    { "format", 0, "FORMAT", "The same as -o", OPT_CHOICE, offsetof(struct diagnose_opts, format),
      OUTPUTS, 0 },
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
        "worth to know; nothing is wrong. `neph explain` describes the rules. This is what `neph "
        "PATH...` does without a command.\n\n"
        "-o nagios writes the line of a plugin, and exits with 0, 1, 2 or 3 as its first word "
        "says; -o alertmanager what Alertmanager's POST /api/v2/alerts takes.",
    .outputs = OUTPUTS,
    .groups = GROUP_TIME | GROUP_HOST | GROUP_REQUEST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct diagnose_opts),
    .min_args = 1,
    .run = run,
    .misused = misused,
};
