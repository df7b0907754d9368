/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_measure.c -- `neph top|log|freq MEASURE PATH...`, and what `neph stats` does
 * with a measure: see report/measure.h. */
#include "cli/measure.h"

#include "cli/analyse.h"
#include "report/measure.h"

#include <inttypes.h>

static int print(struct ctx *c, const struct measure *m, const struct measure_opts *o,
                 const struct report_src *src)
{
    size_t n;
    const struct column *cols = measure_columns(m, o, src->mem, &n);
    struct table t;

    table_init(&t, cols, n);
    uint64_t open = measure_fill(m, o, src, &t);
    if (o->view == VIEW_TOP && c->table.limit == 0 && c->table.format <= TABLE_WIDE &&
        t.nrows > MEASURE_TOP_ROWS) {
        c->table.limit = MEASURE_TOP_ROWS;
        note_add(&c->notes, NOTE_INFO, "", "%zu of %zu rows are shown: --limit N shows more",
                 (size_t)MEASURE_TOP_ROWS, t.nrows);
    }
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    if (open)
        note_add(&c->notes, NOTE_INFO, "",
                 "%" PRIu64
                 " of the samples had not ended when the trace did: what was seen of them is in "
                 "count, total and longest, but not in least, mean and percentiles",
                 open);
    measure_notes(m, src, &c->notes);
    return rc;
}

int cli_measure(struct ctx *c, enum measure_view view, const struct measure_cli *cli)
{
    const struct measure *m = measure_find(c->args[0]);
    struct measure_opts o = { .view = view,
                              .by = measure_by_of(str_of(cli->by ? cli->by : "")),
                              .service = str_of(cli->service ? cli->service : ""),
                              .thread = str_of(cli->thread ? cli->thread : "") };
    struct analysed a;
    struct arena mem = { 0 };
    struct err err;
    size_t n;

    if (!m) {
        ctx_error(c, "there is no measure '%s'; there are: %s", c->args[0], MEASURE_CHOICES);
        return RC_USAGE;
    }
    if (!measure_has(m, view)) {
        ctx_error(c,
                  "%s has no samples, only `neph top %s`; its course: `neph timeline PATH "
                  "'processes/*'`",
                  c->args[0], c->args[0]);
        return RC_USAGE;
    }
    const struct column *cols = measure_columns(m, &o, &mem, &n);
    int rc = table_check(cols, n, &c->table, &err);
    arena_free(&mem);
    if (rc < 0) {
        ctx_error(c, "%s", err.text);
        return RC_USAGE;
    }
    rc = cli_analyse(c, 1, &a);
    if (rc == RC_OK && measure_check(&a.src, &o, &err) < 0) {
        ctx_error(c, "%s", err.text);
        rc = RC_NOT_FOUND;
    } else if (rc == RC_OK) {
        rc = print(c, m, &o, &a.src);
    }
    analysed_free(&a);
    return rc;
}

static int run_top(struct ctx *c)
{
    return cli_measure(c, VIEW_TOP, c->opts);
}

static int run_log(struct ctx *c)
{
    return cli_measure(c, VIEW_LOG, c->opts);
}

static int run_freq(struct ctx *c)
{
    return cli_measure(c, VIEW_FREQ, c->opts);
}

#define MEASURE_TEXT                                                                              \
    "MEASURE is cpu (who ran, waited and was blocked), preempt (who took a CPU from whom), wait " \
    "(who was on the CPU that another waited for), sched (from wake-up to run), io (block "       \
    "requests), net (packets), irq (interrupts), syscall, exits (of guests), or mem (growth of "  \
    "processes; top only).\n\n"                                                                   \
    "Threads count to the instance or service that their process belongs to (`neph list "         \
    "mappings` says why), else to processes of their name. A sample counts if it begins in the "  \
    "window, and then "                                                                           \
    "as a whole."

#define MEASURE(NAME, SUMMARY, ABOUT)                                                         \
    const struct cmd cmd_##NAME = {                                                           \
        .name = #NAME,                                                                        \
        .summary = (SUMMARY),                                                                 \
        .args = "MEASURE PATH...",                                                            \
        .about = ABOUT "\n\n" MEASURE_TEXT,                                                   \
        .outputs = TABLE_OUTPUTS,                                                             \
        .groups =                                                                             \
            GROUP_LISTING | GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_VM | GROUP_HISTORY, \
        .options = measure_options,                                                           \
        .noptions = MEASURE_NOPTIONS,                                                         \
        .opts_size = sizeof(struct measure_cli),                                              \
        .min_args = 2,                                                                        \
        .choices = MEASURE_CHOICES,                                                           \
        .run = run_##NAME,                                                                    \
    }

static const struct opt measure_options[] = {
    { "by", 0, "WHAT", "A row for each of these; owner: instance, service, or else name of process",
      OPT_CHOICE, offsetof(struct measure_cli, by), "owner|process|thread", 0 },
    MEASURE_FILTERS(struct measure_cli, ),
};
enum { MEASURE_NOPTIONS = ARRAY_SIZE(measure_options) };

MEASURE(top, "what costs most: CPU, pre-emption, waits, I/O, interrupts, ...",
        "Lists who costs, or suffers, most. `top cpu` has rows for instances, services, "
        "processes and threads, each kind by itself, and cuts at the window's edges.");
MEASURE(log, "each wait, request, call, interrupt, ... in order of time",
        "Lists every sample of a measure in order of time.");
MEASURE(freq, "how many waits, requests, calls, ... took how long",
        "Counts the samples of a measure by how long they took (net: by size), in powers of two.");
