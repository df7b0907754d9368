/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_compare.c -- `neph compare ID ID PATH...`: why did one migration take longer than another?
 * And `neph compare A B`, `neph compare --baseline NAME PATH...`: how do two days differ? */
#include "cli/analyse.h"
#include "cli/baseline.h"
#include "cli/open.h"
#include "report/migration_show.h"

#include <stdlib.h>
#include <unistd.h>

enum { FIGURES_SHOWN = 40 };

struct compare_opts {
    const char *baseline;
};

/* A baseline, if it is one by its name or its content; else traces. */
static int measure(struct ctx *c, size_t arg, struct baseline *ret)
{
    const char *what = c->args[arg];

    if (access(what, F_OK) < 0 && strchr(what, '/')) {
        ctx_error(c,
                  "'%s' is neither a baseline nor a path; if it is a migration, what is missing is "
                  "another ID, or the PATH",
                  what);
        return RC_USAGE;
    }
    if (baseline_is_file(what) || access(what, F_OK) < 0)
        return cli_baseline_read(c, what, ret);
    size_t n = c->nargs;
    c->nargs = arg + 1; /* this one alone */
    int rc = cli_baseline_measure(c, arg, ret);
    c->nargs = n;
    cli_close(c);
    return rc;
}

static int compare_days(struct ctx *c)
{
    const struct compare_opts *o = c->opts;
    struct baseline was = { 0 }, now = { 0 };
    unlike_vec all = { 0 };
    struct sections s = { 0 };
    int rc = o->baseline ? cli_baseline_read(c, o->baseline, &was) : measure(c, 0, &was);

    if (rc == RC_OK)
        rc = o->baseline ? cli_baseline_measure(c, 0, &now) : measure(c, 1, &now);
    if (rc == RC_OK) {
        size_t differ = 0;

        baseline_compare(&was, &now, &all);
        for (size_t i = 0; i < all.n; i++)
            differ += all.at[i].was && all.at[i].now && !all.at[i].noise;
        sbuf_fmt(&s.head, "%zu of %zu figures differ by more than the noise.", differ, all.n);
        struct section *x = section_add(&s, "figures", "Figures, the most unlike first",
                                        unlike_columns, nunlike_columns);
        unlike_rows(&all, &x->table);
        x->limit = FIGURES_SHOWN;
        x->more = "-o wide shows all";
        rc = ctx_print_sections(c, &s);
    }
    sections_free(&s);
    vec_free(&all);
    baseline_free(&was);
    baseline_free(&now);
    return rc;
}

static int compare_migrations(struct ctx *c)
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

static int run(struct ctx *c)
{
    const struct compare_opts *o = c->opts;

    if (!o->baseline && c->nargs == 1) {
        ctx_error(c, "what is missing: two baselines or traces, or two migrations and a PATH");
        return RC_USAGE;
    }
    return o->baseline || c->nargs == 2 ? compare_days(c) : compare_migrations(c);
}

static const struct opt options[] = {
    { "baseline", 0, "NAME", "Compare the traces with this baseline, or file of one", OPT_TEXT,
      offsetof(struct compare_opts, baseline), NULL, 0 },
};

const struct cmd cmd_compare = {
    .name = "compare",
    .summary = "two migrations, or two days: what took longer, what was more",
    .args = "ID ID PATH... | A B | PATH...",
    .about =
        "Each stage, the total, the downtimes, the waits for CPUs and who caused them, rounds, "
        "rates and limits of both, with the difference and the ratio; what differs most comes "
        "first. What differs by less than 5 %, or by less than the hosts' clocks are known, is "
        "said to be so.\n\n"
        "An ID is as in `neph list migrations`, or an instance that has migrated once.\n\n"
        "With two arguments, each a baseline (`neph baseline`) or a PATH, or with --baseline and "
        "PATHs: the figures of both, the most unlike first, and which of them are noise.",
    .outputs = "table|wide|json",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct compare_opts),
    .min_args = 1,
    .run = run,
};
