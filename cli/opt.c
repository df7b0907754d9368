/* SPDX-License-Identifier: Apache-2.0
 *
 * opt.c -- command lines from tables; see cmd.h.
 *
 * Options and arguments may come in any order; "--" ends the options.
 * --name=value, --name value, -nvalue, -n value and -qv are understood. */
#include "cli/cmd.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define G(member) offsetof(struct global_opts, member)

/* clang-format off */
const struct opt global_options[] = {
    { "output", 'o', "FORMAT", "How to write the result", OPT_TEXT, G(output), NULL, GROUP_OUTPUT },
    { "columns", 'c', "COL,...", "These columns, in this order", OPT_TEXT, G(columns), NULL,
      GROUP_LISTING },
    { "sort", 0, "[-]COL,...", "Sort by these columns; '-' is descending", OPT_TEXT, G(sort), NULL,
      GROUP_LISTING },
    { "no-headers", 0, NULL, "No line of column names", OPT_FLAG, G(no_headers), NULL,
      GROUP_LISTING },
    { "limit", 0, "N", "At most so many rows or events", OPT_COUNT, G(limit), NULL, GROUP_LIMIT },
    { "begin", 'b', "TIME", "Only from this time on; '+5s' is after the first event", OPT_TEXT,
      G(begin), NULL, GROUP_TIME },
    { "end", 'e', "TIME", "Only before this time", OPT_TEXT, G(end), NULL, GROUP_TIME },
    { "timerange", 'r', "T0,T1", "Both at once", OPT_TEXT, G(range), NULL, GROUP_TIME },
    { "host", 0, "GLOB", "Only these hosts; NAME=PATH: what is in PATH is of host NAME", OPT_LIST,
      G(host), NULL, GROUP_HOST },
    { "vm", 0, "NAME", "Only this virtual machine", OPT_TEXT, G(vm), NULL, GROUP_VM },
    { "request", 0, "ID", "Only this request", OPT_TEXT, G(request), NULL, GROUP_REQUEST },
    { "show-secrets", 0, NULL, "Do not mask tokens and passwords", OPT_FLAG, G(show_secrets), NULL,
      GROUP_SECRETS },
    { "history", 0, "DIR", "Keep the histories in this folder, not in the cache", OPT_TEXT,
      G(history), NULL, GROUP_HISTORY },
    { "rebuild", 0, NULL, "Build the histories anew", OPT_FLAG, G(rebuild), NULL, GROUP_HISTORY },
    { "no-cache", 0, NULL, "Keep no history, and use none that is kept", OPT_FLAG, G(no_cache),
      NULL, GROUP_HISTORY },
    { "sync", 0, "HOW", "Correct the hosts' clocks: auto, none, or as a file of `neph sync` says",
      OPT_TEXT, G(sync), NULL, GROUP_HISTORY },
    { "reference", 0, "HOST", "Show everything in the time of this host", OPT_TEXT, G(reference),
      NULL, GROUP_HISTORY },
    { "wander", 0, "PPM", "By how much a clock's rate may waver, for the bounds (1)", OPT_NUMBER,
      G(wander), NULL, GROUP_HISTORY },
    { "strict", 0, NULL, "Exit with 4 when data was lost or skipped", OPT_FLAG, G(strict), NULL, 0 },
    { "color", 0, "WHEN", "Colours on a terminal", OPT_CHOICE, G(color), "auto|always|never", 0 },
    { "no-progress", 0, NULL, "No progress line, even on a terminal", OPT_FLAG, G(no_progress),
      NULL, 0 },
    { "quiet", 'q', NULL, "No notes on the quality of the traces", OPT_FLAG, G(quiet), NULL, 0 },
    { "verbose", 'v', NULL, "All notes, with those that are only information", OPT_FLAG,
      G(verbose), NULL, 0 },
    { "help", 'h', NULL, "This text", OPT_FLAG, G(help), NULL, 0 },
};
/* clang-format on */
const size_t nglobal_options = ARRAY_SIZE(global_options);

bool cmd_takes(const struct cmd *cmd, const struct opt *o)
{
    unsigned groups = cmd->groups | (cmd->outputs ? (unsigned)GROUP_OUTPUT : 0);

    for (size_t i = 0; i < cmd->noptions; i++) /* its own meaning of the name or letter */
        if (!strcmp(cmd->options[i].name, o->name) ||
            (o->letter && cmd->options[i].letter == o->letter))
            return false;
    return o->group == 0 || (groups & o->group) != 0;
}

/* Is 's' one of the '|'-separated words? */
static bool is_choice(const char *choices, const char *s)
{
    size_t n = strlen(s);

    for (const char *p = choices; p; p = strchr(p, '|') ? strchr(p, '|') + 1 : NULL)
        if (n && !strncmp(p, s, n) && (p[n] == '|' || p[n] == '\0'))
            return true;
    return false;
}

static const struct opt *find_in(const struct opt *opts, size_t n, struct str name, char letter)
{
    for (size_t i = 0; i < n; i++)
        if (letter ? opts[i].letter == letter : str_is(name, opts[i].name))
            return &opts[i];
    return NULL;
}

/* The option with this name or letter; '*ret_base' is where its value goes. */
static const struct opt *find_option(struct ctx *c, struct str name, char letter, char **ret_base)
{
    const struct opt *o = find_in(c->cmd->options, c->cmd->noptions, name, letter);

    *ret_base = c->opts;
    if (o)
        return o;
    *ret_base = (char *)&c->g;
    o = find_in(global_options, nglobal_options, name, letter);
    if (o && cmd_takes(c->cmd, o))
        return o;
    if (letter && o)
        ctx_error(c, "-%c (--%s) has no meaning here; see neph %s --help", letter, o->name,
                  c->cmd->name);
    else if (letter)
        ctx_error(c, "there is no option -%c; see neph %s --help", letter, c->cmd->name);
    else if (o)
        ctx_error(c, "--%s has no meaning here; see neph %s --help", o->name, c->cmd->name);
    else
        ctx_error(c, "there is no option --" STR_FMT "; see neph %s --help", STR_ARG(name),
                  c->cmd->name);
    return NULL;
}

static int store(struct ctx *c, const struct opt *o, char *base, const char *value)
{
    char *to = base + o->offset, *end;

    switch (o->kind) {
    case OPT_FLAG: {
        bool yes = true;
        memcpy(to, &yes, sizeof yes);
        return 0;
    }
    case OPT_CHOICE:
        if (!is_choice(o->choices, value)) {
            ctx_error(c, "--%s takes %s, not '%s'", o->name, o->choices, value);
            return RC_USAGE;
        }
        memcpy(to, &value, sizeof value);
        return 0;
    case OPT_TEXT: memcpy(to, &value, sizeof value); return 0;
    case OPT_LIST: {
        struct opt_list *list = (struct opt_list *)(void *)to;
        *vec_push(list) = value;
        return 0;
    }
    case OPT_COUNT: {
        uint64_t v;
        if (!str_u64(str_of(value), &v)) {
            ctx_error(c, "--%s takes a whole number, not '%s'", o->name, value);
            return RC_USAGE;
        }
        memcpy(to, &v, sizeof v);
        return 0;
    }
    case OPT_NUMBER: {
        errno = 0;
        double v = strtod(value, &end);
        if (end == value || *end || errno || !isfinite(v)) {
            ctx_error(c, "--%s takes a number, not '%s'", o->name, value);
            return RC_USAGE;
        }
        memcpy(to, &v, sizeof v);
        return 0;
    }
    }
    return RC_INTERNAL;
}

struct cmdline {
    int argc, at;
    char **argv;
};

static int take_long(struct ctx *c, struct cmdline *l)
{
    const char *text = l->argv[l->at++] + 2;
    const char *eq = strchr(text, '=');
    struct str name = eq ? (struct str){ text, (size_t)(eq - text) } : str_of(text);
    char *base;
    const struct opt *o = find_option(c, name, 0, &base);

    if (!o)
        return RC_USAGE;
    if (!o->arg && eq) {
        ctx_error(c, "--%s takes no value", o->name);
        return RC_USAGE;
    }
    if (!o->arg)
        return store(c, o, base, NULL);
    if (eq)
        return store(c, o, base, eq + 1);
    if (l->at == l->argc) {
        ctx_error(c, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
        return RC_USAGE;
    }
    return store(c, o, base, l->argv[l->at++]);
}

static int take_letters(struct ctx *c, struct cmdline *l)
{
    const char *text = l->argv[l->at++] + 1;
    int rc = 0;

    for (; *text && rc == 0; text++) {
        char *base;
        const struct opt *o = find_option(c, STR(""), *text, &base);

        if (!o)
            return RC_USAGE;
        if (!o->arg) {
            rc = store(c, o, base, NULL);
            continue;
        }
        if (text[1])
            return store(c, o, base, text + 1);
        if (l->at == l->argc) {
            ctx_error(c, "-%c needs a value: -%c %s", *text, *text, o->arg);
            return RC_USAGE;
        }
        return store(c, o, base, l->argv[l->at++]);
    }
    return rc;
}

static int check_output(struct ctx *c)
{
    const char *all = c->cmd->outputs;
    struct err err;

    if (!all)
        return 0;
    if (c->g.output && !is_choice(all, c->g.output)) {
        ctx_error(c, "-o takes %s, not '%s'", all, c->g.output);
        return RC_USAGE;
    }
    char name[16] = { 0 };
    memcpy(name, all, strcspn(all, "|") < sizeof name ? strcspn(all, "|") : sizeof name - 1);
    if (table_format_parse(c->g.output ? c->g.output : name, &c->table.format, &err) < 0)
        c->table.format = TABLE_TABLE; /* a format of the command's own */
    c->table.columns = c->g.columns;
    c->table.sort = c->g.sort;
    c->table.no_headers = c->g.no_headers;
    c->table.limit = c->g.limit;
    return 0;
}

int opt_parse(struct ctx *c, int argc, char **argv)
{
    struct cmdline l = { .argc = argc, .argv = argv };
    bool only_args = false;
    int rc = 0;

    while (l.at < argc && rc == 0) {
        const char *a = argv[l.at];

        if (!only_args && !strcmp(a, "--")) {
            only_args = true;
            l.at++;
        } else if (!only_args && a[0] == '-' && a[1] == '-') {
            rc = take_long(c, &l);
        } else if (!only_args && a[0] == '-' && a[1]) {
            rc = take_letters(c, &l);
        } else {
            c->args[c->nargs++] = argv[l.at++];
        }
    }
    if (rc || c->g.help)
        return rc;
    if (c->nargs < c->cmd->min_args) {
        ctx_error(c, "what is missing: %s; see neph %s --help", c->cmd->args, c->cmd->name);
        return RC_USAGE;
    }
    if (c->cmd->max_args && c->nargs > c->cmd->max_args) {
        ctx_error(c, "one argument too many: '%s'", c->args[c->cmd->max_args]);
        return RC_USAGE;
    }
    return check_output(c);
}

/* --- help ------------------------------------------------------------------- */

enum { HELP_WIDTH = 80, HELP_COLUMN = 26 };

/* 'text' from column 'at' on, wrapped, later lines indented by 'indent'. */
static void put_wrapped(const char *text, int at, int indent)
{
    const char *p = text;

    while (*p) {
        int word = (int)strcspn(p, " \n");

        if (at > indent && at + 1 + word > HELP_WIDTH) {
            printf("\n%*s", indent, "");
            at = indent;
        } else if (at > indent && p > text && p[-1] == ' ') {
            putchar(' ');
            at++;
        }
        printf("%.*s", word, p);
        at += word;
        p += word;
        for (; *p == '\n' || *p == ' '; p++)
            if (*p == '\n') {
                printf("\n%*s", p[1] == '\n' || !p[1] ? 0 : indent, "");
                at = indent;
            }
    }
    putchar('\n');
}

static void put_option(const struct opt *o, const char *choices)
{
    char head[64];
    int n = o->letter ? snprintf(head, sizeof head, "  -%c, --%s", o->letter, o->name)
                      : snprintf(head, sizeof head, "      --%s", o->name);

    if (o->arg)
        n += snprintf(head + n, sizeof head - (size_t)n, " %s", o->arg);
    printf("%s", head);
    if (n + 2 > HELP_COLUMN) {
        putchar('\n');
        n = 0;
    }
    printf("%*s", HELP_COLUMN - n, "");
    char help[512];
    snprintf(help, sizeof help, "%s%s%s", o->help, choices ? ": " : "", choices ? choices : "");
    put_wrapped(help, HELP_COLUMN, HELP_COLUMN);
}

static void put_title(const char *title, bool color)
{
    printf(color ? "\n\033[1m%s\033[0m\n" : "\n%s\n", title);
}

void opt_help(const struct cmd *cmd, bool color)
{
    printf("usage: neph %s [OPTION]...%s%s\n\n", cmd->name, *cmd->args ? " " : "", cmd->args);
    put_wrapped(cmd->about, 0, 0);
    if (cmd->noptions) {
        put_title("Options", color);
        for (size_t i = 0; i < cmd->noptions; i++)
            put_option(&cmd->options[i], cmd->options[i].choices);
    }
    put_title("Common options", color);
    for (size_t i = 0; i < nglobal_options; i++)
        if (cmd_takes(cmd, &global_options[i]))
            put_option(&global_options[i], global_options[i].group == GROUP_OUTPUT
                                               ? cmd->outputs
                                               : global_options[i].choices);
    printf("\nThe manual: man neph-%s\n", cmd->name);
}

void opt_overview(bool color)
{
    printf("usage: neph COMMAND [OPTION]... [ARGUMENT]...\n"
           "       neph PATH...               the same as: neph %s PATH...\n",
           cmd_default->name);
    put_title("Commands", color);
    for (size_t i = 0; i < ncmds; i++)
        printf("  %-12s %s\n", cmds[i]->name, cmds[i]->summary);
    put_title("Exit codes", color);
    printf("  0 done   2 wrong usage   3 nothing readable, or output not writable\n"
           "  4 --strict: data is missing   5 not found   70 a bug   130 interrupted\n"
           "\nneph COMMAND --help tells more, man neph all.\n");
}

/* --- guesses ---------------------------------------------------------------- */

/* Edit distance (insert, delete, replace, swap neighbours) of short words. */
static size_t distance(const char *a, const char *b)
{
    enum { MAX = 24 };
    size_t n = strlen(a), m = strlen(b);
    size_t d[MAX + 1][MAX + 1];

    if (n > MAX || m > MAX)
        return MAX;
    for (size_t i = 0; i <= n; i++)
        for (size_t k = 0; k <= m; k++) {
            if (i == 0 || k == 0) {
                d[i][k] = i + k;
                continue;
            }
            size_t best = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);
            if (d[i - 1][k] + 1 < best)
                best = d[i - 1][k] + 1;
            if (d[i][k - 1] + 1 < best)
                best = d[i][k - 1] + 1;
            if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1] &&
                d[i - 2][k - 2] + 1 < best)
                best = d[i - 2][k - 2] + 1;
            d[i][k] = best;
        }
    return d[n][m];
}

const char *cmd_nearest(const char *word)
{
    const char *best = NULL;
    size_t least = 3;

    for (size_t i = 0; i < ncmds; i++) {
        size_t d = distance(word, cmds[i]->name);

        if (d < least && d < strlen(word)) {
            least = d;
            best = cmds[i]->name;
        }
    }
    return best;
}
