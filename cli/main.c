/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c -- finds the command, runs it, and does what all commands have in
 * common afterwards: errors of stdout, the notes, the exit code.
 *
 * SIGPIPE is ignored, so a reader that goes away (`neph events ... | head`)
 * shows up as an error of stdout and ends the run quietly with 0. */
#include "report/sections.h"
#include "cli/cmd.h"

#include "cli/open.h"
#include "cli/outbuf.h"
#include "cli/progress.h"
#include "report/cell_text.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char last_error[2048];

const char *ctx_last_error(void)
{
    return last_error;
}

static void __attribute__((format(printf, 2, 0))) say(const char *who, const char *fmt, va_list ap)
{
    struct sbuf safe = { 0 };

    vsnprintf(last_error, sizeof last_error, fmt, ap);
    cell_escape(&safe, str_of(last_error), "\n");
    progress_clear();
    fprintf(stderr, "neph%s%s: " STR_FMT "\n", *who ? " " : "", who, STR_ARG(sbuf_view(&safe)));
    sbuf_free(&safe);
}

void say_error(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
}

void ctx_error(const struct ctx *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    say("", fmt, ap);
    va_end(ap);
    (void)c;
}

bool use_color(const struct ctx *c, FILE *f)
{
    const char *no = getenv("NO_COLOR"), *when = c->g.color;

    if (when && !strcmp(when, "always"))
        return true;
    if ((when && !strcmp(when, "never")) || (no && *no))
        return false;
    const char *term = getenv("TERM");
    return isatty(fileno(f)) && !(term && !strcmp(term, "dumb"));
}

bool ctx_output_is(const struct ctx *c, const char *format)
{
    size_t n = strlen(format);

    if (c->g.output)
        return !strcmp(c->g.output, format);
    return !strncmp(c->cmd->outputs, format, n) &&
           (c->cmd->outputs[n] == '|' || !c->cmd->outputs[n]);
}

bool stdout_failed(void)
{
    return ferror(stdout) != 0;
}

/* What a printer of reports has returned, as an exit code. */
static int printed(const struct ctx *c, int rc, const struct err *err)
{
    if (rc == -E_ARG) {
        ctx_error(c, "%s", err->text);
        return RC_USAGE;
    }
    if (rc < 0)
        out_note_error(errno); /* said when stdout is closed */
    return RC_OK;
}

int ctx_print_table(const struct ctx *c, const struct table *t)
{
    struct err err;
    int rc = table_print(t, &c->table, stdout, &err);

    return printed(c, rc, &err);
}

int ctx_print_sections(const struct ctx *c, const struct sections *s)
{
    struct err err;
    int rc = sections_print(s, &c->table, stdout, &err);

    return printed(c, rc, &err);
}

/* Ends a progress line; the exit code is that of an interrupted program. */
static void on_interrupt(int signo)
{
    (void)signo;
    progress_clear_from_signal();
    _exit(RC_INTERRUPTED);
}

static void set_signals(void)
{
    struct sigaction sa = { .sa_handler = on_interrupt };

    sigaction(SIGINT, &sa, NULL);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

/* The notes that a user must see: at most 'SHOWN' lines. */
static void show_notes(const struct ctx *c)
{
    enum { SHOWN = 5 };
    uint64_t shown = 0, more = c->notes.unlisted;
    bool color = use_color(c, stderr);

    if (c->g.quiet)
        return;
    for (int level = NOTE_LOST; level >= (c->g.verbose ? NOTE_INFO : NOTE_WARN); level--)
        for (size_t i = 0; i < c->notes.list.n; i++) {
            const struct note *n = &c->notes.list.at[i];
            struct sbuf b = { 0 };

            if ((int)n->level != level)
                continue;
            if (shown == SHOWN && !c->g.verbose) {
                more++;
                continue;
            }
            shown++;
            cell_escape(&b, n->where, "");
            sbuf_z(&b, n->where.n ? ": " : "");
            cell_escape(&b, n->text, "");
            if (n->count > 1)
                sbuf_fmt(&b, " (%" PRIu64 " times)", n->count);
            fprintf(stderr, "neph: %s%s%s: " STR_FMT "\n",
                    color ? (level == NOTE_LOST ? "\033[31m" : "\033[33m") : "",
                    note_level_name((enum note_level)level), color ? "\033[0m" : "",
                    STR_ARG(sbuf_view(&b)));
            sbuf_free(&b);
        }
    if (more)
        fprintf(stderr, "neph: %" PRIu64 " more: neph doctor%s%s%s\n", more, c->nargs ? " " : "",
                c->nargs ? c->args[0] : "", c->nargs > 1 ? " ..." : "");
}

/* Makes sure that all was written.  Returns 'rc', or another exit code. */
static int finish_stdout(int rc)
{
    errno = 0;
    int bad = fflush(stdout);
    int code = errno;

    if (!bad && !ferror(stdout))
        return rc;
    if (code == EPIPE || out_error() == EPIPE)
        return rc;
    if (code == 0)
        code = out_error();
    say_error("the output could not be written: %s", code ? strerror(code) : "unknown error");
    return rc == RC_OK || rc == RC_PARTIAL || rc == RC_FINDINGS ? RC_IO : rc;
}

static int run(const struct cmd *cmd, int argc, char **argv)
{
    struct ctx c = { .cmd = cmd, .span = { NS_MIN, NS_MAX } };

    c.opts = xcalloc(1, cmd->opts_size + 1);
    c.args = xcalloc((size_t)argc + 1, sizeof *c.args);
    int rc = opt_parse(&c, argc, argv);
    if (rc == RC_OK && c.g.help) {
        opt_help(cmd, use_color(&c, stdout));
        rc = finish_stdout(RC_OK);
    } else if (rc != RC_OK && cmd->misused) {
        rc = finish_stdout(cmd->misused(&c, rc));
    } else if (rc == RC_OK) {
        progress_init(!c.g.no_progress && !c.g.quiet);
        rc = cmd->run(&c);
        progress_clear();
        rc = finish_stdout(rc);
        cli_close(&c);
        show_notes(&c);
        if (rc == RC_OK && c.g.strict && c.partial)
            rc = RC_PARTIAL;
    }
    for (size_t i = 0; i < cmd->noptions; i++)
        if (cmd->options[i].kind == OPT_LIST)
            free(((struct opt_list *)(void *)((char *)c.opts + cmd->options[i].offset))->at);
    free(c.g.host.at);
    free(c.said_hosts);
    notes_free(&c.notes);
    free(c.opts);
    free(c.args);
    return rc;
}

/* Is 'a' one of the options, and does what follows belong to it? */
static bool takes_next(const char *a, const struct opt *opts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool is_letter = a[1] == opts[i].letter && a[1] != '-' && !a[2];

        if (opts[i].arg && (is_letter || (a[1] == '-' && !strcmp(a + 2, opts[i].name))))
            return true;
    }
    return false;
}

/* Position of the first word that is no option, or argc.  Options before the
 * command are global ones, or, where there is none, the default command's. */
static int first_word(int argc, char **argv)
{
    int i = 0;

    while (i < argc && argv[i][0] == '-' && argv[i][1] && strcmp(argv[i], "--")) {
        const char *a = argv[i++];

        if (takes_next(a, global_options, nglobal_options) ||
            takes_next(a, cmd_default->options, cmd_default->noptions))
            i++;
    }
    return i < argc ? i : argc;
}

static bool exists(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0;
}

int main(int argc, char **argv)
{
    const struct cmd *cmd;
    int at = first_word(--argc, ++argv);

    set_signals();
    sigbus_catch();
    if (at == argc) {
        bool help = false;

        for (int i = 0; i < argc; i++) {
            help |= !strcmp(argv[i], "--help") || !strcmp(argv[i], "-h");
            if (!strcmp(argv[i], "--version"))
                return run(cmd_find("version"), 0, NULL);
        }
        if (help)
            return run(cmd_find("help"), 0, NULL);
        say_error("what is missing: a command or a PATH; see neph help");
        return RC_USAGE;
    }
    cmd = cmd_find(argv[at]);
    if (cmd) {
        memmove(&argv[at], &argv[at + 1], (size_t)(argc - at - 1) * sizeof *argv);
        return run(cmd, argc - 1, argv);
    }
    if (!exists(argv[at]) && !strchr(argv[at], '/') && strcmp(argv[at], "--")) {
        const char *near = cmd_nearest(argv[at]);

        say_error("'%s' is neither a command nor a file%s%s%s", argv[at],
                  near ? "; did you mean '" : "; see neph help", near ? near : "",
                  near ? "'?" : "");
        return RC_USAGE;
    }
    return run(cmd_default, argc, argv);
}
