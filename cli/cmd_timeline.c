/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_timeline.c -- `neph timeline PATTERN PATH...`: attributes over time, as strips
 * in the terminal. */
#include "cli/analyse.h"

#include "report/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct timeline_cmd_opts {
    uint64_t width;
    bool ascii;
};

enum { WIDTH_MAX = 20000, WIDTH_USUAL = 100, WIDTH_LEAST = 10 };

/* Columns of the terminal; those of paper if stdout is none. */
static size_t screen_columns(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize w;
    uint64_t n;

    if (text && str_u64(str_of(text), &n) && n > 0 && n <= WIDTH_MAX)
        return (size_t)n;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0)
        return w.ws_col;
    return WIDTH_USUAL;
}

/* What is left of the screen beside the names and the smallest and largest number. */
static size_t strip_columns(const struct attr_list *list, uint64_t wanted)
{
    enum { RIGHT = 14, GAP = 2 };
    size_t screen = screen_columns(), names = timeline_names(list) + GAP;

    if (wanted)
        return (size_t)wanted;
    for (size_t i = 0; i < list->n; i++)
        if (list->at[i].family->type == STORE_INT) {
            names += RIGHT;
            break;
        }
    return screen > names + WIDTH_LEAST ? screen - names : WIDTH_LEAST;
}

static enum timeline_colour colours(const struct ctx *c)
{
    const char *kind = getenv("COLORTERM");

    if (!use_color(c, stdout))
        return COLOUR_NONE;
    return kind && (!strcmp(kind, "truecolor") || !strcmp(kind, "24bit")) ? COLOUR_24BIT
                                                                          : COLOUR_256;
}

static int print(struct ctx *c, const struct report_src *src, const struct attr_list *list)
{
    const struct timeline_cmd_opts *o = c->opts;
    struct timeline_opts t = { .columns = strip_columns(list, o->width),
                               .ascii = o->ascii,
                               .colour = colours(c) };
    struct table table;

    if (!timeline_span(src, list, &t.span)) {
        ctx_error(c, "there is nothing in this time range");
        return RC_NOT_FOUND;
    }
    if (t.span.t1 - t.span.t0 < (ns_t)t.columns) /* no column is shorter than 1 ns */
        t.columns = (size_t)(t.span.t1 - t.span.t0);
    if (ctx_output_is(c, "text")) {
        timeline_print(src, list, &t, stdout);
        return RC_OK;
    }
    table_init(&table, timeline_columns, ntimeline_columns);
    timeline_fill(src, list, &t, &table);
    int rc = ctx_print_table(c, &table);
    table_free(&table);
    return rc;
}

static int run(struct ctx *c)
{
    const struct timeline_cmd_opts *o = c->opts;
    struct analysed a;

    if (o->width > WIDTH_MAX) {
        ctx_error(c, "--width takes up to %d columns", WIDTH_MAX);
        return RC_USAGE;
    }
    int rc = cli_analyse(c, 1, &a);
    if (rc == RC_OK) {
        struct attr_list list = attrs_find(&a.src, str_of(c->args[0]));

        if (list.n == 0) {
            ctx_error(c,
                      "no attribute is named like '%s'; `neph state --all PATH -t +0s` lists all",
                      c->args[0]);
            rc = RC_NOT_FOUND;
        } else {
            rc = print(c, &a.src, &list);
        }
    }
    analysed_free(&a);
    return rc;
}

static const struct opt options[] = {
    { "width", 'w', "N", "Columns of a strip; as many as fit on the screen", OPT_COUNT,
      offsetof(struct timeline_cmd_opts, width), NULL, 0 },
    { "ascii", 0, NULL, "Digits instead of blocks for numbers", OPT_FLAG,
      offsetof(struct timeline_cmd_opts, ascii), NULL, 0 },
};

const struct cmd cmd_timeline = {
    .name = "timeline",
    .summary = "states and numbers over time, as strips",
    .args = "PATTERN PATH...",
    .about = "Draws a strip for each attribute whose path matches the shell pattern, such as "
             "'vms/*/state'; a word without '/', '*' and '?' may be anywhere in it. A column is "
             "the value that filled most of its time: a letter for a state, with the colour of the "
             "state on a terminal, or a height for a number, with the smallest and the largest at "
             "the right. A bad state that filled less is '!', what cannot be read '?', so that "
             "neither is overlooked. 'json' has the columns as numbers.",
    .outputs = "text|json|jsonl",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct timeline_cmd_opts),
    .min_args = 2,
    .run = run,
};
