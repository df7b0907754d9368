/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_doctor.c -- can these traces be trusted?
 *
 * All notes of the readers, and what only shows when everything is seen
 * together: hosts without a layer, clocks that disagree, traces that are empty
 * or cover another time. */
#include "cli/cmd.h"

#include "cli/health.h"
#include "cli/open.h"

#include <inttypes.h>
#include <stdlib.h>

struct doctor_opts {
    const char *fail_on;
};

/* --- losses ------------------------------------------------------------------------- */

/* Packets weigh most: each holds many events. */
static int by_weight(const void *a, const void *b)
{
    const struct reader_loss *x = &((const struct loss *)a)->x, *y = &((const struct loss *)b)->x;

    if (x->packets != y->packets)
        return x->packets < y->packets ? 1 : -1;
    if (x->events != y->events)
        return x->events < y->events ? 1 : -1;
    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static void add_instant(struct table *t, ns_t at)
{
    if (at == NS_MIN || at == NS_MAX)
        table_null(t);
    else
        table_ns(t, at);
}

enum { LOSSES_SHOWN = 10 };

/* The largest losses: in which time what is missing. */
static void print_losses(const struct ctx *c, const struct health *hl)
{
    static const struct column cols[] = {
        { .id = "host", .header = "HOST", .kind = COL_STR },
        { .id = "cpu", .header = "CPU", .kind = COL_COUNT },
        { .id = "from_ns", .header = "LOST FROM", .kind = COL_INSTANT },
        { .id = "to_ns", .header = "TO", .kind = COL_INSTANT },
        { .id = "events", .header = "EVENTS", .kind = COL_COUNT },
        { .id = "packets", .header = "PACKETS", .kind = COL_COUNT },
        { .id = "stream", .header = "STREAM", .kind = COL_STR },
    };
    loss_vec losses = { 0 };
    uint64_t more = health_losses(hl, &losses);
    struct table t;

    if (losses.n == 0)
        return;
    qsort(losses.at, losses.n, sizeof *losses.at, by_weight);
    table_init(&t, cols, ARRAY_SIZE(cols));
    for (size_t i = 0; i < losses.n && i < LOSSES_SHOWN; i++) {
        const struct reader_loss *x = &losses.at[i].x;

        table_row(&t);
        table_str(&t, losses.at[i].trace->host->name);
        if (x->cpu == UINT32_MAX)
            table_null(&t);
        else
            table_count(&t, x->cpu);
        add_instant(&t, x->t0);
        add_instant(&t, x->t1);
        table_count(&t, x->events);
        table_count(&t, x->packets);
        table_str(&t, str_of(x->stream));
    }
    putchar('\n');
    ctx_print_table(c, &t);
    more += losses.n > LOSSES_SHOWN ? losses.n - LOSSES_SHOWN : 0;
    if (more)
        printf("and %" PRIu64 " smaller losses: neph doctor -o json has them all\n", more);
    table_free(&t);
    vec_free(&losses);
}

/* --- where histories are kept -------------------------------------------------------- */

static void print_cache(struct health *hl)
{
    struct health_cache k = health_cache(&hl->mem);

    if (k.folder)
        printf("\nHistories are kept in %s: %" PRIu64 " of %.1f MiB", k.folder, k.files,
               (double)k.bytes / (1 << 20));
    else
        printf("\nHistories are not kept");
    if (k.why)
        printf("; it cannot be written: %s", k.why);
    putchar('\n');
}

/* --- output ------------------------------------------------------------------------ */

static void print_hosts(const struct ctx *c, const struct health *hl)
{
    static const struct column cols[] = {
        { .id = "host", .header = "HOST", .kind = COL_STR },
        { .id = "domains", .header = "DOMAINS", .kind = COL_LIST },
        { .id = "events", .header = "EVENTS", .kind = COL_COUNT },
        { .id = "discarded_events", .header = "DISCARDED", .kind = COL_COUNT },
        { .id = "lost_packets", .header = "LOST PACKETS", .kind = COL_COUNT },
        { .id = "bad_packets", .header = "BAD PACKETS", .kind = COL_COUNT },
        { .id = "first_ns", .header = "FIRST", .kind = COL_INSTANT },
        { .id = "duration_ns", .header = "DURATION", .kind = COL_DURATION },
    };
    struct table t;

    table_init(&t, cols, ARRAY_SIZE(cols));
    for (size_t i = 0; i < c->x.hosts.n; i++) {
        const struct host *h = &c->x.hosts.at[i];
        struct scan_trace s = scan_host(&hl->s, h);
        struct str domains[2];
        size_t n = 0;

        if (health_has_domain(h, "kernel"))
            domains[n++] = STR("kernel");
        if (health_has_domain(h, "ust"))
            domains[n++] = STR("ust");
        table_row(&t);
        table_str(&t, h->name);
        table_list(&t, domains, n);
        table_count(&t, s.events);
        table_count(&t, s.totals.discarded);
        table_count(&t, s.totals.lost_packets);
        table_count(&t, s.totals.bad_packets);
        scan_add_time(&t, s.events, s.first);
        scan_add_length(&t, s.events, s.first, s.last);
    }
    ctx_print_table(c, &t);
    table_free(&t);
}

static int print_notes(const struct ctx *c)
{
    static const struct column cols[] = {
        { .id = "level", .header = "LEVEL", .kind = COL_STR },
        { .id = "count", .header = "COUNT", .kind = COL_COUNT },
        { .id = "where", .header = "WHERE", .kind = COL_STR },
        { .id = "text", .header = "WHAT", .kind = COL_STR },
    };
    struct table t;

    table_init(&t, cols, ARRAY_SIZE(cols));
    for (int level = NOTE_LOST; level >= NOTE_INFO; level--)
        for (size_t i = 0; i < c->notes.list.n; i++) {
            const struct note *n = &c->notes.list.at[i];

            if ((int)n->level != level)
                continue;
            table_row(&t);
            table_str(&t, str_of(note_level_name(n->level)));
            table_count(&t, n->count);
            table_str(&t, n->where);
            table_str(&t, n->text);
        }
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

/* "2 traces of 1 host, 430 events: nothing is missing" */
static void print_verdict(const struct ctx *c, const struct health *hl)
{
    uint64_t n[3] = { 0 };

    for (size_t i = 0; i < c->notes.list.n; i++)
        n[c->notes.list.at[i].level]++;
    printf("%zu trace%s of %zu host%s, %" PRIu64 " events: ", hl->s.traces.n,
           hl->s.traces.n == 1 ? "" : "s", c->x.hosts.n, c->x.hosts.n == 1 ? "" : "s",
           hl->s.events);
    if (n[NOTE_LOST])
        printf("data was lost (%" PRIu64 " reason%s, %" PRIu64 " warning%s)\n\n", n[NOTE_LOST],
               n[NOTE_LOST] == 1 ? "" : "s", n[NOTE_WARN], n[NOTE_WARN] == 1 ? "" : "s");
    else if (n[NOTE_WARN])
        printf("%" PRIu64 " warning%s\n\n", n[NOTE_WARN], n[NOTE_WARN] == 1 ? "" : "s");
    else
        printf("nothing is missing\n\n");
}

static int print(const struct ctx *c, struct health *hl)
{
    bool human = c->table.format == TABLE_TABLE || c->table.format == TABLE_WIDE;

    if (c->table.format == TABLE_JSON && !c->g.columns && !c->g.sort) {
        struct json j = { .f = stdout, .pretty = true };

        health_json(hl, &j);
        putchar('\n');
        return RC_OK;
    }
    if (human && !c->g.columns && !c->g.sort) {
        print_verdict(c, hl);
        print_hosts(c, hl);
        print_losses(c, hl);
        print_cache(hl);
        if (c->notes.list.n == 0)
            return RC_OK;
        putchar('\n');
    }
    int rc = print_notes(c);
    if (rc == RC_OK && human && c->notes.unlisted)
        printf("and %" PRIu64 " more of these\n", c->notes.unlisted);
    return rc;
}

static int judge(const struct ctx *c, int rc)
{
    const struct doctor_opts *o = c->opts;
    int least = !o->fail_on ? NOTE_LOST + 1 : !strcmp(o->fail_on, "lost") ? NOTE_LOST : NOTE_WARN;

    for (size_t i = 0; rc == RC_OK && i < c->notes.list.n; i++)
        if ((int)c->notes.list.at[i].level >= least)
            rc = RC_FINDINGS;
    return rc;
}

static int run(struct ctx *c)
{
    struct health hl;
    int rc = cli_open(c, 0);

    if (rc)
        return rc;
    health_make(c, &hl);
    rc = cli_check_read(c, print(c, &hl));
    rc = judge(c, rc);
    c->g.quiet = true; /* all notes have been shown */
    health_free(&hl);
    return rc;
}

static const struct opt options[] = {
    { "fail-on", 0, "LEVEL", "Exit with 1 if there is a note of this level or worse", OPT_CHOICE,
      offsetof(struct doctor_opts, fail_on), "warning|lost", 0 },
};

const struct cmd cmd_doctor = {
    .name = "doctor",
    .summary = "can these traces be trusted?",
    .args = "PATH...",
    .about = "Reads everything and tells what is missing, doubtful or unusual: events that the "
             "tracer dropped, packets that are damaged, traces without events, clocks that run "
             "backwards or disagree, hosts of which a layer was not traced.\n\n"
             "With csv, jsonl and value, and with -c and --sort, only the notes are written.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_HOST,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct doctor_opts),
    .min_args = 1,
    .run = run,
};
