/* SPDX-License-Identifier: Apache-2.0
 *
 * open.c -- see open.h. */
#include "cli/open.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void close_host(struct host *h)
{
    for (size_t k = 0; k < h->readers.n; k++)
        h->readers.at[k]->ops->close(h->readers.at[k]);
    vec_free(&h->readers);
}

/* Where the '=' of --host NAME=PATH is; NULL: it is a pattern. */
static const char *host_path(const char *option)
{
    const char *eq = strchr(option, '=');

    return eq && eq > option ? eq : NULL;
}

static bool is_chosen(const struct ctx *c, struct str host)
{
    bool any = false;

    for (size_t i = 0; i < c->g.host.n; i++) {
        if (host_path(c->g.host.at[i]))
            continue;
        any = true;
        if (str_glob(str_of(c->g.host.at[i]), host))
            return true;
    }
    return !any;
}

/* What the user says of hosts, for experiment_open(). */
static int say_hosts(struct ctx *c)
{
    free(c->said_hosts);
    c->nsaid_hosts = 0;
    c->said_hosts = xcalloc(c->g.host.n + 1, sizeof *c->said_hosts);
    for (size_t i = 0; i < c->g.host.n; i++) {
        const char *name = c->g.host.at[i], *eq = host_path(name);

        if (!eq)
            continue;
        if (access(eq + 1, F_OK) < 0) {
            ctx_error(c, "--host %s: %s: %s", name, eq + 1, strerror(errno));
            return RC_IO;
        }
        c->said_hosts[c->nsaid_hosts++] =
            (struct experiment_host){ { name, (size_t)(eq - name) }, eq + 1 };
    }
    c->says = (struct experiment_says){ .hosts = c->said_hosts,
                                        .nhosts = c->nsaid_hosts,
                                        .own_clocks = c->g.sync && strcmp(c->g.sync, "none") == 0 };
    return 0;
}

/* Keeps the hosts that --host selects. */
static int choose_hosts(struct ctx *c)
{
    struct experiment *x = &c->x;
    struct sbuf names = { 0 };
    size_t kept = 0;

    for (size_t i = 0; i < x->hosts.n; i++)
        kept += is_chosen(c, x->hosts.at[i].name);
    if (kept == x->hosts.n)
        return 0;
    if (kept == 0) {
        for (size_t i = 0; i < x->hosts.n; i++)
            sbuf_fmt(&names, "%s" STR_FMT, i ? ", " : "", STR_ARG(x->hosts.at[i].name));
        const char *asked = "";

        for (size_t i = 0; i < c->g.host.n; i++)
            asked = host_path(c->g.host.at[i]) ? asked : c->g.host.at[i];
        ctx_error(c, "no host '%s' in these traces; there is %s", asked,
                  names.n ? names.p : "none");
        sbuf_free(&names);
        return RC_NOT_FOUND;
    }
    kept = 0;
    for (size_t i = 0; i < x->hosts.n; i++) {
        if (is_chosen(c, x->hosts.at[i].name))
            x->hosts.at[kept++] = x->hosts.at[i];
        else
            close_host(&x->hosts.at[i]);
    }
    x->hosts.n = kept;
    return 0;
}

/* The time of the first event, for "+5s".  The traces are opened for this alone,
 * so that nothing that is read here is counted or noted twice. */
static ns_t find_origin(const struct ctx *c, size_t first)
{
    struct notes notes = { 0 };
    struct experiment x;
    struct merged m;
    struct err err;
    ns_t t = 0;

    if (experiment_open(c->args + first, c->nargs - first, &c->says, &notes, &x, &err) == 0) {
        merged_init(&m, &x, NULL, NS_MIN);
        const struct stream_head *h = merged_next(&m);
        t = h ? h->ev.t : 0;
        merged_free(&m);
        experiment_close(&x);
    }
    notes_free(&notes);
    return t;
}

static int parse_time(const struct ctx *c, const char *option, struct str text, ns_t *ret)
{
    struct err err;

    if (time_parse(text, c->origin, ret, &err) < 0) {
        ctx_error(c, "%s: %s", option, err.text);
        return RC_USAGE;
    }
    return 0;
}

int cli_time(struct ctx *c, size_t first, const char *option, struct str text, ns_t *ret)
{
    if (!c->origin)
        c->origin = find_origin(c, first);
    return parse_time(c, option, text, ret);
}

/* With 'origin' known. */
static int take_span(struct ctx *c)
{
    const struct global_opts *g = &c->g;
    int rc = 0;

    c->span = (struct span){ NS_MIN, NS_MAX };
    if (g->range) {
        struct str range = str_of(g->range);
        size_t comma = str_chr(range, ',', 0);

        if (comma == STR_NONE || g->begin || g->end) {
            ctx_error(c,
                      comma == STR_NONE ? "--timerange takes two times with a comma between: %s"
                                        : "--timerange %s stands alone, without -b and -e",
                      g->range);
            return RC_USAGE;
        }
        struct str t0 = str_first(range, comma), t1 = str_from(range, comma + 1);
        if (str_trim(t0).n)
            rc = parse_time(c, "--timerange", t0, &c->span.t0);
        if (rc == 0 && str_trim(t1).n)
            rc = parse_time(c, "--timerange", t1, &c->span.t1);
    }
    if (g->begin)
        rc = parse_time(c, "--begin", str_of(g->begin), &c->span.t0);
    if (rc == 0 && g->end)
        rc = parse_time(c, "--end", str_of(g->end), &c->span.t1);
    if (rc == 0 && c->span.t0 >= c->span.t1) {
        ctx_error(c, "the time range ends before it begins");
        return RC_USAGE;
    }
    return rc;
}

static int parse_span(struct ctx *c, size_t first)
{
    const struct global_opts *g = &c->g;

    if (!g->begin && !g->end && !g->range)
        return 0;
    c->origin = find_origin(c, first);
    return take_span(c);
}

int cli_shown_from(struct ctx *c, ns_t origin)
{
    const struct global_opts *g = &c->g;

    if (!g->begin && !g->end && !g->range)
        return 0;
    c->origin = origin;
    return take_span(c);
}

/* What has just been said as an error needs no note as well. */
static void forget_note(struct ctx *c, const char *said)
{
    size_t kept = 0;

    for (size_t i = 0; i < c->notes.list.n; i++)
        if (!strstr(said, c->notes.list.at[i].text.p))
            c->notes.list.at[kept++] = c->notes.list.at[i];
    c->notes.list.n = kept;
}

int cli_open(struct ctx *c, size_t first)
{
    struct err err;
    int rc;

    if ((rc = say_hosts(c)) != 0)
        return rc;
    if (experiment_open(c->args + first, c->nargs - first, &c->says, &c->notes, &c->x, &err) < 0) {
        ctx_error(c, "%s", err.text);
        forget_note(c, err.text);
        return RC_IO;
    }
    c->is_open = true;
    if ((rc = choose_hosts(c)) != 0)
        return rc;
    return parse_span(c, first);
}

int cli_check_read(struct ctx *c, int rc)
{
    struct reader_totals t;

    experiment_totals(&c->x, NULL, &t);
    if (rc != RC_OK || t.events || !t.bad_packets)
        return rc;
    for (size_t i = 0; i < c->notes.list.n; i++) {
        const struct note *n = &c->notes.list.at[i];

        if (n->level == NOTE_LOST) {
            ctx_error(c, "nothing could be read: " STR_FMT ": " STR_FMT, STR_ARG(n->where),
                      STR_ARG(n->text));
            forget_note(c, n->text.p);
            return RC_IO;
        }
    }
    ctx_error(c, "nothing could be read");
    return RC_IO;
}

void cli_close(struct ctx *c)
{
    struct reader_totals t;

    c->partial |= c->notes.unlisted > 0;
    for (size_t i = 0; i < c->notes.list.n; i++)
        c->partial |= c->notes.list.at[i].level == NOTE_LOST;
    if (!c->is_open)
        return;
    experiment_totals(&c->x, NULL, &t);
    c->partial |= t.discarded || t.lost_packets || t.bad_packets || c->x.failed;
    experiment_close(&c->x);
    c->is_open = false;
}
