/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_stats.c -- how many events of what type, and how many are missing. */
#include "cli/cmd.h"

#include "analysis/list.h"
#include "cli/analyse.h"
#include "cli/measure.h"
#include "cli/open.h"
#include "cli/scan.h"
#include "report/lists.h"

#include <math.h>
#include <stdlib.h>

struct stats_opts {
    struct measure_cli measure; /* its 'by' is of both */
};

struct type {
    struct str name;
    uint64_t events;
    double rate; /* events per second; NAN = no time passed */
};

typedef VEC(struct type) type_vec;

static int by_count(const void *a, const void *b)
{
    const struct type *x = a, *y = b;

    if (x->events != y->events)
        return x->events < y->events ? 1 : -1;
    return str_cmp(x->name, y->name);
}

/* Sums over the traces by the name of the event. */
static void find_types(const struct scan *s, type_vec *ret)
{
    struct strtab names = { 0 };
    double seconds = ((double)s->last - (double)s->first) / 1e9;

    strtab_id(&names, STR(""));
    for (size_t i = 0; i < s->traces.n; i++)
        for (size_t k = 0; k < s->traces.at[i].classes.n; k++) {
            const struct scan_class *c = &s->traces.at[i].classes.at[k];
            if (c->events == 0)
                continue;
            uint32_t id = strtab_id(&names, c->name);

            while (ret->n <= id)
                *vec_push(ret) = (struct type){ 0 };
            ret->at[id].name = c->name;
            ret->at[id].events += c->events;
        }
    if (ret->n)
        qsort(ret->at, ret->n, sizeof *ret->at, by_count);
    while (ret->n && ret->at[ret->n - 1].events == 0)
        ret->n--;
    for (size_t i = 0; i < ret->n; i++)
        ret->at[i].rate = seconds > 0 ? (double)ret->at[i].events / seconds : (double)NAN;
    strtab_free(&names);
}

static void emit_rate(struct json *j, const void *arg)
{
    double rate = *(const double *)arg;

    json_f64(j, fabs(rate) < 1e12 ? round(rate * 1000) / 1000 : rate);
}

static int print_types(const struct ctx *c, const type_vec *types)
{
    static const struct column cols[] = {
        { .id = "name", .header = "EVENT", .kind = COL_STR },
        { .id = "count", .header = "COUNT", .kind = COL_COUNT },
        { .id = "rate_per_s", .header = "PER SECOND", .kind = COL_NESTED, .align = ALIGN_RIGHT },
    };
    struct table t;

    table_init(&t, cols, ARRAY_SIZE(cols));
    for (size_t i = 0; i < types->n; i++) {
        table_row(&t);
        table_str(&t, types->at[i].name);
        table_count(&t, types->at[i].events);
        if (isfinite(types->at[i].rate))
            table_nested(&t, emit_rate, &types->at[i].rate);
    }
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

static void add_counts(struct table *t, const struct scan_trace *s)
{
    table_count(t, s->events);
    table_count(t, s->totals.discarded);
    table_count(t, s->totals.lost_packets);
    table_count(t, s->totals.bad_packets);
    scan_add_time(t, s->events, s->first);
    scan_add_time(t, s->events, s->last);
}

#define COUNT_COLUMNS                                                           \
    { .id = "events", .header = "EVENTS", .kind = COL_COUNT },                  \
        { .id = "discarded_events", .header = "DISCARDED", .kind = COL_COUNT }, \
        { .id = "lost_packets", .header = "LOST PACKETS", .kind = COL_COUNT },  \
        { .id = "bad_packets", .header = "BAD PACKETS", .kind = COL_COUNT },    \
        { .id = "first_ns", .header = "FIRST", .kind = COL_INSTANT },           \
    {                                                                           \
        .id = "last_ns", .header = "LAST", .kind = COL_INSTANT                  \
    }

static int print_hosts(const struct ctx *c, const struct scan *s)
{
    static const struct column cols[] = {
        { .id = "host", .header = "HOST", .kind = COL_STR },
        { .id = "traces", .header = "TRACES", .kind = COL_COUNT },
        COUNT_COLUMNS,
    };
    struct table t;

    table_init(&t, cols, ARRAY_SIZE(cols));
    for (size_t i = 0; i < c->x.hosts.n; i++) {
        struct scan_trace sum = scan_host(s, &c->x.hosts.at[i]);

        table_row(&t);
        table_str(&t, c->x.hosts.at[i].name);
        table_count(&t, c->x.hosts.at[i].readers.n);
        add_counts(&t, &sum);
    }
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

static int print_traces(const struct ctx *c, const struct scan *s)
{
    static const struct column cols[] = {
        { .id = "host", .header = "HOST", .kind = COL_STR },
        { .id = "domain", .header = "DOMAIN", .kind = COL_STR },
        { .id = "path", .header = "PATH", .kind = COL_STR },
        COUNT_COLUMNS,
    };
    struct table t;

    table_init(&t, cols, ARRAY_SIZE(cols));
    for (size_t i = 0; i < s->traces.n; i++) {
        const struct reader *r = s->traces.at[i].reader;

        table_row(&t);
        table_str(&t, r->host);
        table_str(&t, r->domain.n ? r->domain : (struct str){ 0 });
        table_str(&t, str_of(r->path));
        add_counts(&t, &s->traces.at[i]);
    }
    int rc = ctx_print_table(c, &t);
    table_free(&t);
    return rc;
}

static void json_counts(struct json *j, uint64_t events, const struct reader_totals *t)
{
    json_ku64(j, "events", events);
    json_ku64(j, "discarded_events", t->discarded);
    json_ku64(j, "lost_packets", t->lost_packets);
    json_ku64(j, "bad_packets", t->bad_packets);
}

static void json_trace(struct json *j, const struct scan_trace *s)
{
    const struct reader *r = s->reader;

    json_open(j, '{');
    json_kstr(j, "host", r->host);
    json_kstr(j, "domain", r->domain);
    json_kstr(j, "path", str_of(r->path));
    json_counts(j, s->events, &s->totals);
    scan_json_time(j, "first_ns", s->events, s->first);
    scan_json_time(j, "last_ns", s->events, s->last);
    json_close(j, '}');
}

static void json_host(struct json *j, const struct scan *s, const struct host *h)
{
    struct scan_trace sum = scan_host(s, h);

    json_open(j, '{');
    json_kstr(j, "host", h->name);
    json_ku64(j, "traces", h->readers.n);
    json_counts(j, sum.events, &sum.totals);
    scan_json_time(j, "first_ns", sum.events, sum.first);
    scan_json_time(j, "last_ns", sum.events, sum.last);
    json_close(j, '}');
}

/* Are there log lines, so that there can be tasks? */
static bool has_log_lines(const struct ctx *c)
{
    for (size_t i = 0; i < c->x.hosts.n; i++)
        for (size_t k = 0; k < c->x.hosts.at[i].readers.n; k++) {
            const struct reader *r = c->x.hosts.at[i].readers.at[k];

            if (!r->classes) /* only reading them tells */
                return true;
            for (uint32_t n = 0; n < r->nclasses; n++)
                if (ev_find(r->classes[n].name) == EV_PYTHON_LOG)
                    return true;
        }
    return false;
}

/* How long the tasks took that the log lines tell of.  The events were counted by
 * a walk of their own, so the traces are opened again for the analyses; what is
 * to be noted was noted then. */
static void add_durations(struct ctx *c, struct table *t)
{
    struct experiment x;
    struct notes notes = { 0 };
    struct arena mem = { 0 };
    struct cloud cloud;
    struct keep *keep;
    struct err err;

    if (!has_log_lines(c) || experiment_open(c->args, c->nargs, &c->says, &notes, &x, &err) < 0) {
        notes_free(&notes);
        return;
    }
    keep = cli_keep(c);
    if (engine_analyse(analyses, &x, keep, NULL, &notes, &cloud, &err) == 0) {
        struct report_src src = { .hosts = cloud.hosts,
                                  .nhosts = cloud.nhosts,
                                  .global = cloud.global,
                                  .mem = &mem,
                                  .span = c->span };

        list_durations.fill(&src, t);
        engine_cloud_check(&cloud);
        engine_cloud_free(&cloud);
    }
    keep_free(keep);
    experiment_close(&x);
    notes_free(&notes);
    arena_free(&mem);
}

static void print_json(const struct ctx *c, const struct scan *s, const type_vec *types,
                       const struct table *durations)
{
    struct json j = { .f = stdout, .pretty = true };

    json_open(&j, '{');
    json_ku64(&j, "schema_version", 1);
    json_counts(&j, s->events, &s->totals);
    json_ku64(&j, "backwards_events", s->totals.backwards);
    scan_json_time(&j, "first_ns", s->events, s->first);
    scan_json_time(&j, "last_ns", s->events, s->last);
    json_kopen(&j, "hosts", '[');
    for (size_t i = 0; i < c->x.hosts.n; i++)
        json_host(&j, s, &c->x.hosts.at[i]);
    json_close(&j, ']');
    json_kopen(&j, "traces", '[');
    for (size_t i = 0; i < s->traces.n; i++)
        json_trace(&j, &s->traces.at[i]);
    json_close(&j, ']');
    json_kopen(&j, "types", '[');
    for (size_t i = 0; i < types->n && (c->g.limit == 0 || i < c->g.limit); i++) {
        json_open(&j, '{');
        json_kstr(&j, "name", types->at[i].name);
        json_ku64(&j, "count", types->at[i].events);
        json_key(&j, STR("rate_per_s"));
        emit_rate(&j, &types->at[i].rate);
        json_close(&j, '}');
    }
    json_close(&j, ']');
    json_key(&j, STR("durations"));
    struct table_opts plain = { .format = TABLE_JSON };
    struct err err;
    table_json(durations, &plain, &j, &err); /* all columns, which cannot fail */
    json_close(&j, '}');
    putchar('\n');
}

static int print_all(struct ctx *c, const struct scan *s, const type_vec *types, bool json)
{
    struct table t;
    int rc = RC_OK;

    table_init(&t, list_durations.columns, list_durations.ncolumns);
    add_durations(c, &t);
    if (json) {
        print_json(c, s, types, &t);
    } else {
        rc = print_hosts(c, s);
        putchar('\n');
        rc = rc ? rc : print_types(c, types);
        if (rc == RC_OK && t.nrows) {
            putchar('\n');
            rc = ctx_print_table(c, &t);
        }
    }
    table_free(&t);
    return rc;
}

static int print(struct ctx *c, const struct scan *s, const type_vec *types)
{
    const struct stats_opts *o = c->opts;
    const char *by = o->measure.by;
    bool human = c->table.format == TABLE_TABLE || c->table.format == TABLE_WIDE;

    if (!by && c->table.format == TABLE_JSON && !c->g.columns && !c->g.sort)
        return print_all(c, s, types, true);
    if (!by && human && !c->g.columns && !c->g.sort)
        return print_all(c, s, types, false);
    if (by && !strcmp(by, "host"))
        return print_hosts(c, s);
    if (by && !strcmp(by, "trace"))
        return print_traces(c, s);
    return print_types(c, types);
}

/* `neph stats MEASURE PATH...`: figures of the kernel layer instead. */
static bool is_measure(const struct ctx *c)
{
    return c->nargs > 1 && measure_find(c->args[0]);
}

static int check_by(const struct ctx *c, const struct stats_opts *o)
{
    static const char *const events[] = { "type", "host", "trace" };
    bool of_events = false;

    for (size_t i = 0; o->measure.by && i < ARRAY_SIZE(events); i++)
        of_events |= !strcmp(o->measure.by, events[i]);
    if (o->measure.by && of_events == is_measure(c)) {
        ctx_error(c, "--by %s does not go with this: %s", o->measure.by,
                  of_events ? "a measure has owner, process or thread"
                            : "counts of events have type, host or trace");
        return RC_USAGE;
    }
    if (!is_measure(c) && (o->measure.service || o->measure.thread || c->g.vm)) {
        ctx_error(c, "--vm, --service and --thread choose among the samples of a measure: neph "
                     "stats MEASURE PATH...");
        return RC_USAGE;
    }
    return RC_OK;
}

static int run(struct ctx *c)
{
    const struct stats_opts *o = c->opts;
    type_vec types = { 0 };
    struct scan s;
    int rc = cli_keep_check(c);

    if (rc || (rc = check_by(c, o)) != RC_OK)
        return rc;
    if (is_measure(c))
        return cli_measure(c, VIEW_STATS, &o->measure);

    if (rc || (rc = cli_open(c, 0)) != 0)
        return rc;
    scan_run(c, &s);
    find_types(&s, &types);
    rc = cli_check_read(c, print(c, &s, &types));
    vec_free(&types);
    scan_free(&s);
    return rc;
}

static const struct opt options[] = {
    { "by", 0, "WHAT", "Only this table; of a measure, a row for each of these", OPT_CHOICE,
      offsetof(struct stats_opts, measure.by), "type|host|trace|owner|process|thread", 0 },
    MEASURE_FILTERS(struct stats_opts, measure.),
};

const struct cmd cmd_stats = {
    .name = "stats",
    .summary = "events by host and by type, and what is missing",
    .args = "[MEASURE] PATH...",
    .about =
        "With a measure of the kernel layer (see `neph top --help`): how many samples, their sum, "
        "least, mean, percentiles and most, for each owner, process or thread.\n\n"
        "Without: counts the events of every host and of every type, how long the tasks of the "
        "services "
        "took (count, min, mean, median, 95th percentile, max, sum), and what the tracer or the "
        "reader had to leave out: discarded events, lost packets, bad packets.\n\n"
        "The rate of a type is its count over the time from the first to the last event of "
        "all. With csv, jsonl and value, and with -c and --sort, only the types are written; "
        "--by chooses another table. The numbers of what is missing are always those of "
        "whole traces.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_VM | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct stats_opts),
    .min_args = 1,
    .run = run,
};
