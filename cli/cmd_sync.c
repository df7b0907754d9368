/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_sync.c -- how well the hosts' clocks are known against each other. */
#include "cli/analyse.h"
#include "cli/open.h"
#include "report/clocks_show.h"

struct sync_opts {
    const char *at;
};

static int print_json(const struct analysed *a, const ns_t *at)
{
    struct json j = { .f = stdout, .pretty = true };

    json_open(&j, '{');
    if (at) {
        clocks_at_json(&a->clocks, *at, &j);
    } else {
        clocks_json(&a->clocks, &j);
        clocks_advice_json(&a->clocks, &j);
    }
    json_close(&j, '}');
    putchar('\n');
    return RC_OK;
}

static int print(struct ctx *c, const struct analysed *a, const ns_t *at)
{
    struct sections s = { 0 };
    struct err err;
    int rc;

    if (c->table.format == TABLE_JSON)
        return print_json(a, at);
    if (at)
        clocks_at(&a->clocks, *at, &s);
    else
        clocks_sections(&a->clocks, &a->src, &s);
    rc = sections_print(&s, &c->table, stdout, &err);
    sections_free(&s);
    if (rc < 0)
        ctx_error(c, "%s", err.text);
    return rc < 0 ? RC_IO : RC_OK;
}

/* The first instant of all histories, as it is shown: "+5s" counts from there. */
static ns_t find_origin(const struct analysed *a)
{
    ns_t first = NS_MAX;

    for (uint32_t i = 0; i < a->src.nhosts; i++) {
        struct store_coverage cov;

        store_coverage(a->src.hosts[i], &cov);
        first = cov.t0 < first ? cov.t0 : first;
    }
    return first;
}

static int run(struct ctx *c)
{
    const struct sync_opts *o = c->opts;
    struct analysed a;
    ns_t at = 0;
    int rc = cli_analyse(c, 0, &a);

    if (rc == RC_OK && o->at)
        c->origin = find_origin(&a);
    if (rc == RC_OK && o->at)
        rc = cli_time(c, 0, "--at", str_of(o->at), &at);
    if (rc == RC_OK)
        rc = print(c, &a, o->at ? &at : NULL);
    analysed_free(&a);
    return rc;
}

static const struct opt options[] = {
    { "at", 0, "TIME", "Each clock's offset and bound when the reference's showed this", OPT_TEXT,
      offsetof(struct sync_opts, at), NULL, 0 },
};

const struct cmd cmd_sync = {
    .name = "sync",
    .summary = "how well the hosts' clocks are known against each other",
    .args = "PATH...",
    .about =
        "What one host sent before another received it bounds their clocks against each other: "
        "packets, calls between services, requests. All reports show all hosts in the time of one "
        "of "
        "them, the reference, and this tells how well that is known: messages found, used and "
        "rejected between each two hosts, how much faster and how far ahead each clock is, and the "
        "bounds within which the truth certainly is, at every instant. A clock that may be right "
        "as "
        "it is, within its bounds, is left so.\n\n"
        "-o json writes what --sync FILE reads again. Within one host nothing has to be corrected: "
        "its kernel and its services share one clock.",
    .outputs = "table|wide|json",
    .groups = GROUP_HOST | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct sync_opts),
    .min_args = 1,
    .run = run,
};
