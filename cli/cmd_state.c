/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_state.c -- `neph state PATH... -t TIME [PATTERN]`: what was everything at one
 * instant? */
#include "cli/analyse.h"

#include "cli/open.h"
#include "report/attrs.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct state_opts {
    const char *time, *attr;
    bool all;
};

/* The last argument is a pattern when no file has its name. */
static const char *take_pattern(struct ctx *c)
{
    const struct state_opts *o = c->opts;

    if (o->attr)
        return o->attr;
    if (c->nargs > 1 && access(c->args[c->nargs - 1], F_OK) < 0)
        return c->args[--c->nargs];
    return "";
}

static int print(struct ctx *c, const struct report_src *src, const struct attr_list *list, ns_t t)
{
    const struct state_opts *o = c->opts;
    char text[TIME_TEXT];
    struct table table;

    table_init(&table, state_columns, nstate_columns);
    size_t without = state_fill(src, list, t, o->all, &table);
    int rc = ctx_print_table(c, &table);
    if (without && !o->all && rc == RC_OK)
        note_add(&c->notes, table.nrows ? NOTE_INFO : NOTE_WARN, "",
                 "%zu of %zu attributes have no value at %s: --all lists "
                 "them",
                 without, list->n, time_iso(t, text));
    table_free(&table);
    state_notes(src, t, &c->notes);
    return rc;
}

static int run(struct ctx *c)
{
    const struct state_opts *o = c->opts;
    const char *pattern = take_pattern(c);
    struct analysed a;
    struct err err;
    ns_t t;
    int rc;

    if (!o->time) {
        ctx_error(c, "what is missing: the time, -t TIME; see neph state --help");
        return RC_USAGE;
    }
    if (table_check(state_columns, nstate_columns, &c->table, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_USAGE;
    }
    rc = cli_analyse(c, 0, &a);
    if (rc == RC_OK)
        rc = cli_time(c, 0, "--time", str_of(o->time), &t);
    if (rc == RC_OK) {
        struct attr_list list = attrs_find(&a.src, str_of(pattern));

        if (list.n == 0 && *pattern) {
            ctx_error(c,
                      "no attribute is named like '%s'%s; `neph state --all PATH -t %s` lists all",
                      pattern, o->attr ? "" : ", and no file", o->time);
            rc = RC_NOT_FOUND;
        } else {
            rc = print(c, &a.src, &list, t);
        }
    }
    analysed_free(&a);
    return rc;
}

static const struct opt options[] = {
    { "time", 't', "TIME", "The instant; '+5s' is after the first event", OPT_TEXT,
      offsetof(struct state_opts, time), NULL, 0 },
    { "attr", 0, "PATTERN", "Only attributes whose path matches", OPT_TEXT,
      offsetof(struct state_opts, attr), NULL, 0 },
    { "all", 'a', NULL, "Also attributes without a value at that time", OPT_FLAG,
      offsetof(struct state_opts, all), NULL, 0 },
};

const struct cmd cmd_state = {
    .name = "state",
    .summary = "what everything was at one instant",
    .args = "PATH... -t TIME [PATTERN]",
    .about = "Lists the attributes of all hosts with their values at an instant: states of "
             "instances and volumes, resources of nodes, and so on, each with the time since which "
             "it has that value and until which it keeps it.\n\n"
             "PATTERN is a shell pattern for their paths, such as 'vms/*/state'; a word without "
             "'/', '*' and '?' may be anywhere in them. The last argument is the PATTERN if there "
             "is no file of that name; --attr says it without doubt.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct state_opts),
    .min_args = 1,
    .run = run,
};
