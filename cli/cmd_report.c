/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_report.c -- what was found, as a file to hand on. */
#include "cli/analyse.h"
#include "serve/offline.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct report_cmd_opts {
    const char *output;
};

/* Where the report goes: open before the traces are read, which may take long.  What was in the
 * file stays until there is something to replace it with. */
struct target {
    const char *name;
    int fd;
    bool made; /* it was not there before */
};

static int target_open(struct ctx *c, struct target *ret)
{
    const struct report_cmd_opts *o = c->opts;

    *ret = (struct target){ .name = o->output, .fd = STDOUT_FILENO };
    if (!o->output || strcmp(o->output, "-") == 0) {
        ret->name = "standard output";
        if (!isatty(STDOUT_FILENO))
            return RC_OK;
        ctx_error(c, "a report is no text for a terminal: -o FILE, or send it elsewhere");
        return RC_USAGE;
    }
    ret->made = access(o->output, F_OK) < 0;
    ret->fd = open(o->output, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (ret->fd < 0) {
        ctx_error(c, "%s: %s", o->output, strerror(errno));
        return RC_IO;
    }
    return RC_OK;
}

static bool write_all(int fd, struct str text)
{
    while (text.n) {
        ssize_t n = write(fd, text.p, text.n);

        if (n < 0 && errno != EINTR)
            return false;
        text = str_from(text, n > 0 ? (size_t)n : 0);
    }
    return true;
}

/* A pipe or a device has no length to be set. */
static bool empty(const struct target *t)
{
    struct stat st;

    return fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode) || t->fd == STDOUT_FILENO ||
           ftruncate(t->fd, 0) == 0;
}

static int target_write(struct ctx *c, const struct target *t, struct str text)
{
    if (empty(t) && write_all(t->fd, text))
        return RC_OK;
    ctx_error(c, "%s: %s", t->name, strerror(errno));
    return RC_IO;
}

static int target_close(struct ctx *c, const struct target *t, int rc)
{
    if (t->fd < 0 || t->fd == STDOUT_FILENO)
        return rc;
    if (close(t->fd) < 0 && rc == RC_OK) {
        ctx_error(c, "%s: %s", t->name, strerror(errno));
        rc = RC_IO;
    }
    if (rc != RC_OK && t->made)
        unlink(t->name);
    return rc;
}

static int run(struct ctx *c)
{
    struct analysed a = { 0 };
    struct sbuf out = { 0 };
    struct target t;
    struct err err;

    if (strcmp(c->args[0], "html") != 0) {
        ctx_error(c, "there is no report of the kind '%s'; there is: html", c->args[0]);
        return RC_USAGE;
    }
    int rc = target_open(c, &t);
    if (rc != RC_OK)
        return rc;
    rc = cli_analyse(c, 1, &a);
    if (rc == RC_OK) {
        if (offline_write(&a.src, analysed_totals(&a, &c->x), c->args + 1, c->nargs - 1, &out,
                          &err) < 0) {
            ctx_error(c, "%s", err.text);
            rc = RC_IO;
        } else {
            rc = target_write(c, &t, sbuf_view(&out));
        }
    }
    sbuf_free(&out);
    analysed_free(&a);
    return target_close(c, &t, rc);
}

static const struct opt options[] = {
    { "output", 'o', "FILE", "Where to write it; standard output unless said", OPT_TEXT,
      offsetof(struct report_cmd_opts, output), NULL, 0 },
};

const struct cmd cmd_report = {
    .name = "report",
    .summary = "the findings with their charts, in one file to hand on",
    .args = "html PATH...",
    .about =
        "Writes what diagnose found as a page in one file: the findings with what led to what, "
        "the evidence, the charts that prove it, the remedy and what is not known; what was "
        "traced of which host; and what the traces can't tell. It opens in any browser, loads "
        "nothing from anywhere, and prints.\n\n"
        "The charts are those of neph serve, as they were when the report was made. The first "
        "findings have charts; the file stays below a few megabytes however large the traces "
        "are, and says what it left out.",
    .groups = GROUP_TIME | GROUP_HOST | GROUP_REQUEST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct report_cmd_opts),
    .min_args = 2,
    .choices = "html",
    .run = run,
};
