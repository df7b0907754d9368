/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_events.c -- every event, in order of time. */
#include "cli/analyse.h"

#include "cli/event_out.h"
#include "cli/filter.h"
#include "cli/open.h"
#include "cli/progress.h"

#include <stdlib.h>

struct events_opts {
    struct opt_list names;
    const char *filter;
};

/* Which event classes --name lets through, by reader and class. */
enum verdict { UNKNOWN, WANTED, UNWANTED };

struct chosen {
    VEC(uint8_t) *by_reader; /* enum verdict, by class; in the order of merged.heads */
    uint32_t n;
};

static bool name_wanted(struct chosen *ch, const struct opt_list *names, uint32_t reader,
                        const struct reader_event *ev)
{
    size_t old = ch->by_reader[reader].n;

    if (ev->class_no >= old) {
        vec_reserve(&ch->by_reader[reader], (size_t)ev->class_no + 1);
        ch->by_reader[reader].n = (size_t)ev->class_no + 1;
        memset(ch->by_reader[reader].at + old, UNKNOWN, ch->by_reader[reader].n - old);
    }
    uint8_t *v = &ch->by_reader[reader].at[ev->class_no];
    if (*v == UNKNOWN) {
        *v = UNWANTED;
        for (size_t i = 0; i < names->n; i++)
            if (str_glob(str_of(names->at[i]), ev->name))
                *v = WANTED;
    }
    return *v == WANTED;
}

static void write_events(struct ctx *c, struct filter *filter)
{
    const struct events_opts *o = c->opts;
    bool json = ctx_output_is(c, "jsonl");
    struct event_out *w = xcalloc(1, sizeof *w);
    struct chosen ch = { 0 };
    struct merged m;
    struct stream_head *h;
    uint64_t seen = 0, written = 0;

    event_out_init(w, !c->g.show_secrets);
    merged_init(&m, &c->x, NULL, c->span.t0);
    ch.n = m.n;
    ch.by_reader = xcalloc(m.n + 1, sizeof *ch.by_reader);
    while ((h = merged_next(&m)) && h->ev.t < c->span.t1 && !w->out.failed) {
        if (++seen % 4096 == 0)
            progress_step(seen, "events");
        if (o->names.n && !name_wanted(&ch, &o->names, (uint32_t)(h - m.heads), &h->ev))
            continue;
        if (filter && !filter_match(filter, h->reader, &h->ev))
            continue;
        if (json)
            event_out_json(w, h->reader, &h->ev);
        else
            event_out_text(w, h->reader, &h->ev);
        if (++written == c->g.limit)
            break;
    }
    merged_free(&m);
    event_out_end(w);
    for (uint32_t i = 0; i < ch.n; i++)
        vec_free(&ch.by_reader[i]);
    free(ch.by_reader);
    free(w);
}

/* Shows the events of all hosts in one time, which the histories tell; reads them anew. */
static int correct(struct ctx *c, struct analysed *a)
{
    int rc = cli_analyse_opened(c, a);
    struct err err;

    for (size_t i = 0; i < c->x.hosts.n && rc == RC_OK; i++) {
        struct host *h = &c->x.hosts.at[i];

        if (!h->is_told && experiment_reopen(&c->x, h, &err) < 0) {
            ctx_error(c, "%s", err.text);
            return RC_IO;
        }
        h->is_told = false;
        h->shown = clocks_map(&a->clocks, (uint32_t)i);
    }
    return rc;
}

static int run(struct ctx *c)
{
    const struct events_opts *o = c->opts;
    struct filter *filter = NULL;
    struct err err;

    if (o->filter && filter_parse(o->filter, &filter, &err) < 0) {
        ctx_error(c, "--filter: %s", err.text);
        return RC_USAGE;
    }
    struct analysed a = { 0 };
    int rc = cli_open(c, 0);
    if (rc == RC_OK && c->x.hosts.n > 1 && !(c->g.sync && strcmp(c->g.sync, "none") == 0))
        rc = correct(c, &a);
    if (rc == RC_OK) {
        write_events(c, filter);
        rc = cli_check_read(c, rc);
    }
    analysed_free(&a);
    filter_free(filter);
    return rc;
}

static const struct opt options[] = {
    { "name", 'n', "GLOB", "Only events of these names; may be repeated", OPT_LIST,
      offsetof(struct events_opts, names), NULL, 0 },
    { "filter", 'f', "EXPR",
      "Only events for which this is true, such as 'prev_tid == 7 || comm =~ \"qemu*\"'; see the "
      "manual",
      OPT_TEXT, offsetof(struct events_opts, filter), NULL, 0 },
};

const struct cmd cmd_events = {
    .name = "events",
    .summary = "every event, in order of time",
    .args = "PATH...",
    .about = "Writes the events of all hosts as one sequence in order of time, as text or as "
             "JSON lines. Times are UTC, of several hosts by the clock of one of them (neph sync; "
             "--sync none: as each trace has them). Tokens and passwords in texts are masked.",
    .outputs = "text|jsonl",
    .groups = GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_SECRETS | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct events_opts),
    .min_args = 1,
    .run = run,
};
