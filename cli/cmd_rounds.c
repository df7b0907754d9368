/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_rounds.c -- `neph rounds ID PATH...`: the rounds of a migration, and what could be foreseen
 * after each. */
#include "cli/analyse.h"
#include "report/migration_show.h"

static int print(struct ctx *c, const struct report_src *src, const struct migration *m)
{
    struct table t;

    if (c->table.format <= TABLE_WIDE) {
        struct sbuf text = { 0 };

        migration_words(src, m, &text);
        sbuf_z(&text, "\n\n");
        migration_chart(m, c->table.format == TABLE_WIDE, &text);
        printf("%s\n", text.p);
        sbuf_free(&text);
    }
    table_init(&t, round_columns, nround_columns);
    migration_rounds(m, &t);
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

static int run(struct ctx *c)
{
    struct str id = str_of(c->args[0]);
    const struct migration *m;
    struct sbuf why = { 0 };
    struct analysed a;
    struct err err;

    if (table_check(round_columns, nround_columns, &c->table, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_USAGE;
    }
    int rc = cli_analyse(c, 1, &a);
    if (rc == RC_OK && !migrations_named(&a.src, &id, 1, &m, &why)) {
        ctx_error(c, "%s", why.p);
        rc = RC_NOT_FOUND;
    } else if (rc == RC_OK && m->rounds.n == 0) {
        ctx_error(c,
                  "nothing tells of the rounds of " STR_FMT ": trace QEMU's migration_* and "
                  "ram_* events, or keep a log of QMP",
                  STR_ARG(m->id));
        rc = RC_NOT_FOUND;
    } else if (rc == RC_OK) {
        rc = print(c, &a.src, m);
    }
    sbuf_free(&why);
    analysed_free(&a);
    return rc;
}

const struct cmd cmd_rounds = {
    .name = "rounds",
    .summary = "the rounds of a migration, and whether it will ever end",
    .args = "ID PATH...",
    .about =
        "Pre-copy sends all memory of a guest that runs, then what it has written meanwhile, and "
        "so on, until the rest is small enough to be sent while the guest stands still. Shows "
        "what each round had to send and how fast it did, draws that as a curve, and says after "
        "each round, from what was known then, whether it would end, when, where what is left "
        "comes to rest, and what would let it end.\n\n"
        "ID is as in `neph list migrations`, or an instance that has migrated once.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .min_args = 2,
    .run = run,
};
