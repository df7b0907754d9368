/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_serve.c -- the web page, its data, and the Trace Server Protocol.
 *
 * The server (src/serve) knows no traces; here is what makes the histories and reads raw events
 * for it. */
#include "cli/analyse.h"
#include "cli/health.h"
#include "cli/open.h"
#include "cli/serve_events.h"
#include "serve/guard.h"
#include "serve/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct serve_cmd_opts {
    const char *listen, *token, *token_file, *web;
    struct opt_list name, origin;
    uint64_t timeout;
};

/* --- what the server asks for -------------------------------------------------------------- */

struct served {
    struct ctx *c;
    struct serve *s;
    struct analysed a;
    int rc;
    /* The traces once more, for raw events: notes of the first time are told meanwhile. */
    struct experiment x;
    struct notes notes;
    struct way way;
    bool is_open;
};

static bool step(void *ctx, const char *host, uint32_t at, uint32_t hosts, uint64_t events)
{
    struct served *x = ctx;

    return serve_step(x->s, "making the history of", host, at, hosts, events);
}

static int load(void *ctx, struct serve *s, struct err *err)
{
    struct served *x = ctx;
    struct engine_watch watch = { step, x };

    x->s = s;
    x->rc = cli_analyse_watched(x->c, 0, &watch, &x->a);
    if (x->rc == RC_OK && serve_step(s, "joining", "", 0, 0, 0)) {
        serve_ready(s, &x->a.src, analysed_totals(&x->a, &x->c->x));
        serve_wait_end(s);
    }
    analysed_free(&x->a);
    return x->rc == RC_OK ? 0 : err_set(err, E_IO, "the histories could not be made");
}

static int events(void *ctx, const struct serve_events *q, struct serve_page *ret, struct err *err)
{
    struct served *x = ctx;
    struct ctx *c = x->c;

    if (!x->is_open && experiment_open(c->args, c->nargs, &c->says, &x->notes, &x->x, err) < 0)
        return -(int)err->code;
    x->is_open = true;
    return serve_events_page(&x->x, &x->a.clocks, &x->way, !x->c->g.show_secrets, q, ret, err);
}

/* In a context of its own: what was opened for the histories is theirs. */
static int doctor(void *ctx, struct json *j, struct err *err)
{
    const struct served *x = ctx;
    struct ctx own = { .cmd = x->c->cmd,
                       .g = x->c->g,
                       .args = x->c->args,
                       .nargs = x->c->nargs,
                       .span = { NS_MIN, NS_MAX } };
    struct health hl;

    own.g.quiet = true;
    int rc = cli_open(&own, 0);
    if (rc == RC_OK) {
        health_make(&own, &hl);
        health_json(&hl, j);
        health_free(&hl);
    } else {
        err_set(err, E_IO, "the traces can't be read any more: %s", ctx_last_error());
    }
    cli_close(&own);
    notes_free(&own.notes);
    free(own.said_hosts);
    return rc == RC_OK ? 0 : -E_IO;
}

/* --- the token ----------------------------------------------------------------------------- */

/* The first line of the file, which others must not be able to read. */
static int read_token(struct ctx *c, const char *path, char **ret)
{
    char line[GUARD_TOKEN_MOST + 2] = "";
    FILE *f = fopen(path, "re");

    if (!f || !fgets(line, sizeof line, f)) {
        ctx_error(c, "--token-file %s: %s", path, f ? "it is empty" : strerror(errno));
        if (f)
            fclose(f);
        return RC_USAGE;
    }
    fclose(f);
    line[strcspn(line, "\r\n")] = '\0';
    *ret = strdup(line);
    return RC_OK;
}

static int take_token(struct ctx *c, char **ret)
{
    const struct serve_cmd_opts *o = c->opts;
    struct err err;
    int rc = RC_OK;

    if (o->token && o->token_file) {
        ctx_error(c, "--token and --token-file name the same thing");
        return RC_USAGE;
    }
    if (o->token_file)
        rc = read_token(c, o->token_file, ret);
    else if (o->token)
        *ret = strdup(o->token);
    if (rc == RC_OK && *ret && guard_check_token(*ret, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_USAGE;
    }
    return rc;
}

static void say(const char *address)
{
    fprintf(stderr, "neph: serving on %s\n", address);
}

static int run(struct ctx *c)
{
    const struct serve_cmd_opts *o = c->opts;
    struct served x = { .c = c };
    struct serve_source source = { &x, load, events, doctor };
    char *token = NULL;
    struct err err;
    bool busy;
    int rc = take_token(c, &token);

    if (rc == RC_OK && o->timeout > 3600) {
        ctx_error(c, "--timeout takes up to 3600 seconds");
        rc = RC_USAGE;
    }

    for (size_t i = 0; i < c->nargs && rc == RC_OK; i++)
        if (access(c->args[i], F_OK) < 0) {
            ctx_error(c, "%s: %s", c->args[i], strerror(errno));
            rc = RC_IO;
        }
    if (rc == RC_OK) {
        struct serve_opts so = { .listen = o->listen ? o->listen : "127.0.0.1:8080",
                                 .token = token,
                                 .names = o->name.at,
                                 .nnames = o->name.n,
                                 .origins = o->origin.at,
                                 .norigins = o->origin.n,
                                 .seconds = (unsigned)o->timeout,
                                 .folder = o->web,
                                 .paths = c->args,
                                 .npaths = c->nargs };
        int failed = serve_run(&so, &source, say, &busy, &err);

        if (failed < 0 && x.rc == RC_OK)
            ctx_error(c, "%s", err.text);
        rc = failed == 0 ? RC_OK : x.rc != RC_OK ? x.rc : failed == -E_ARG ? RC_USAGE : RC_IO;
        if (busy) /* a report that takes long still uses everything */
            _exit(rc);
    }
    if (x.is_open)
        experiment_close(&x.x);
    notes_free(&x.notes);
    vec_free(&x.way.marks);
    free(token);
    return rc;
}

static const struct opt options[] = {
    { "listen", 'l', "ADDRESS:PORT",
      "Where to listen: 127.0.0.1:8080 unless said; port 0 is any that is free", OPT_TEXT,
      offsetof(struct serve_cmd_opts, listen), NULL, 0 },
    { "token-file", 0, "FILE", "Who asks must have the token in the file's first line", OPT_TEXT,
      offsetof(struct serve_cmd_opts, token_file), NULL, 0 },
    { "token", 0, "TOKEN", "The same, on the command line, where other users can see it", OPT_TEXT,
      offsetof(struct serve_cmd_opts, token), NULL, 0 },
    { "name", 0, "NAME", "Another name that the server is asked under; may be repeated", OPT_LIST,
      offsetof(struct serve_cmd_opts, name), NULL, 0 },
    { "origin", 0, "ORIGIN",
      "Pages of this origin (http://localhost:3000) may ask; may be repeated", OPT_LIST,
      offsetof(struct serve_cmd_opts, origin), NULL, 0 },
    { "timeout", 0, "SECONDS", "How long a client may take to send a request; 30", OPT_COUNT,
      offsetof(struct serve_cmd_opts, timeout), NULL, 0 },
    { "web", 0, "FOLDER", "The page's files, instead of those that are built in", OPT_TEXT,
      offsetof(struct serve_cmd_opts, web), NULL, 0 },
};

const struct cmd cmd_serve = {
    .name = "serve",
    .summary = "a web page that shows it all, and an API",
    .args = "PATH...",
    .about =
        "Serves a page for the browser, the data behind it (/api/v1, described by "
        "/api/v1/openapi.json), and the Trace Server Protocol for the viewers of Trace Compass "
        "(/tsp/api). Histories are made in the background; the page shows how far they are. Ends "
        "with SIGINT or SIGTERM.\n\n"
        "It listens on this machine only, unless --listen names another address, for which a "
        "token is needed. It does not encrypt: put a proxy that speaks TLS in front.",
    .groups = GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct serve_cmd_opts),
    .min_args = 1,
    .run = run,
};
