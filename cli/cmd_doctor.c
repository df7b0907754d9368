/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_doctor.c -- can these traces be trusted?
 *
 * All notes of the readers, and what only shows when everything is seen
 * together: hosts without a layer, clocks that disagree, traces that are empty
 * or cover another time. */
#include "cli/cmd.h"

#include "cli/open.h"
#include "cli/scan.h"
#include "ctf/trace.h"
#include "engine/keep.h"

#include <inttypes.h>
#include <stdlib.h>

struct doctor_opts {
    const char *fail_on;
};

struct trace_clock {
    struct str name, uuid;
    ns_t offset_ns;
    uint64_t freq;
    bool known;
};

struct health {
    struct ctx *c;
    struct scan s;
    struct trace_clock *clocks; /* of s.traces */
    struct arena mem;
};

static const char *zstr(struct health *hl, struct str s)
{
    return str_dup(&hl->mem, s).p;
}

/* --- findings of our own, as notes ---------------------------------------------- */

static void read_clocks(struct health *hl)
{
    hl->clocks = arena_array(&hl->mem, struct trace_clock, hl->s.traces.n + 1);
    for (size_t i = 0; i < hl->s.traces.n; i++) {
        struct trace_clock *k = &hl->clocks[i];
        struct ctf_meta meta;

        if (!scan_meta(hl->s.traces.at[i].reader, &meta))
            continue;
        if (meta.clocks.n) {
            const struct ctf_clock *clk = meta.clocks.at[0];

            *k = (struct trace_clock){ .name = str_dup(&hl->mem, clk->name),
                                       .uuid = str_dup(&hl->mem, clk->uuid),
                                       .offset_ns = ctf_clock_ns(clk, 0),
                                       .freq = clk->freq,
                                       .known = true };
        }
        ctf_meta_free(&meta);
    }
}

static bool same_clock(const struct trace_clock *a, const struct trace_clock *b)
{
    return a->known && b->known && str_eq(a->name, b->name) && str_eq(a->uuid, b->uuid);
}

static void check_clocks(struct health *hl, const struct host *h)
{
    char text[TIME_TEXT];

    for (size_t i = 0; i < hl->s.traces.n; i++)
        for (size_t k = i + 1; k < hl->s.traces.n; k++) {
            const struct scan_trace *a = &hl->s.traces.at[i], *b = &hl->s.traces.at[k];
            ns_t d;

            if (a->host != h || b->host != h || !same_clock(&hl->clocks[i], &hl->clocks[k]) ||
                hl->clocks[i].offset_ns == hl->clocks[k].offset_ns)
                continue;
            if (__builtin_sub_overflow(hl->clocks[k].offset_ns, hl->clocks[i].offset_ns, &d))
                d = NS_MAX;
            note_add(&hl->c->notes, NOTE_INFO, b->reader->path,
                     "its clock '" STR_FMT "' is set %s off that of %s on the same host: the order "
                     "of their events is not known better than that",
                     STR_ARG(hl->clocks[k].name), time_human(d < 0 ? -d : d, text),
                     a->reader->path);
        }
}

static bool has_domain(const struct host *h, const char *domain)
{
    for (size_t i = 0; i < h->readers.n; i++)
        if (str_is(h->readers.at[i]->domain, domain))
            return true;
    return false;
}

static void check_layers(struct health *hl, const struct host *h)
{
    bool kernel = has_domain(h, "kernel"), ust = has_domain(h, "ust");

    if (kernel && !ust)
        note_add(&hl->c->notes, NOTE_INFO, zstr(hl, h->name),
                 "only the kernel was traced: requests and services of this host are not known");
    if (ust && !kernel)
        note_add(&hl->c->notes, NOTE_INFO, zstr(hl, h->name),
                 "only applications were traced: what this host's CPUs, disks and network did is "
                 "not known");
}

/* Does the trace miss more than a tenth (and a second) of the host's time? */
static void check_coverage(struct health *hl, const struct scan_trace *t)
{
    struct scan_trace sum = scan_host(&hl->s, t->host);
    double whole = (double)sum.last - (double)sum.first, part = (double)t->last - (double)t->first;
    char a[TIME_TEXT], b[TIME_TEXT];

    if (t->events == 0 || whole - part < 1e9 || part > 0.9 * whole || whole > 9e18)
        return;
    note_add(&hl->c->notes, NOTE_INFO, t->reader->path,
             "covers %s of the %s for which its host has events", time_human(t->last - t->first, a),
             time_human(sum.last - sum.first, b));
}

static void check_trace(struct health *hl, const struct scan_trace *t)
{
    if (t->totals.events == 0 && t->totals.bad_packets == 0)
        note_add(&hl->c->notes, NOTE_INFO, t->reader->path, "has no event");
    check_coverage(hl, t);
}

/* Hosts whose times do not meet can't be compared. */
static void check_overlap(struct health *hl, const struct host *h)
{
    struct scan_trace mine = scan_host(&hl->s, h);
    bool met = false, others = false;

    for (size_t i = 0; i < hl->c->x.hosts.n; i++) {
        struct scan_trace other = scan_host(&hl->s, &hl->c->x.hosts.at[i]);

        if (other.host == h || other.events == 0)
            continue;
        others = true;
        met |= mine.first <= other.last && other.first <= mine.last;
    }
    if (mine.events && others && !met)
        note_add(&hl->c->notes, NOTE_WARN, zstr(hl, h->name),
                 "has no time in common with any other host: other traces, or a clock that was "
                 "not set?");
}

/* --- losses ------------------------------------------------------------------------- */

struct loss {
    const struct scan_trace *trace;
    struct reader_loss x;
};

typedef VEC(struct loss) loss_vec;

struct collect {
    const struct scan_trace *trace;
    loss_vec *into;
    uint64_t unlisted;
};

enum { LOSSES_MAX = 100000, LOSSES_SHOWN = 10 };

static void collect_one(void *ctx, const struct reader_loss *x)
{
    struct collect *k = ctx;

    if (k->into->n < LOSSES_MAX)
        *vec_push(k->into) = (struct loss){ k->trace, *x };
    else
        k->unlisted++;
}

/* All intervals in which something was lost.  Returns how many are not listed. */
static uint64_t find_losses(const struct health *hl, loss_vec *ret)
{
    struct collect k = { .into = ret };

    for (size_t i = 0; i < hl->s.traces.n; i++) {
        const struct reader *r = hl->s.traces.at[i].reader;

        k.trace = &hl->s.traces.at[i];
        if (r->ops->losses)
            r->ops->losses(r, collect_one, &k);
    }
    return k.unlisted;
}

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
    uint64_t more = find_losses(hl, &losses);
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

static void json_instant(struct json *j, const char *key, ns_t at)
{
    json_key(j, str_of(key));
    if (at == NS_MIN || at == NS_MAX)
        json_none(j);
    else
        json_i64(j, at);
}

static void json_losses(struct json *j, const struct health *hl)
{
    loss_vec losses = { 0 };
    uint64_t unlisted = find_losses(hl, &losses);

    json_kopen(j, "losses", '[');
    for (size_t i = 0; i < losses.n; i++) {
        const struct reader_loss *x = &losses.at[i].x;

        json_open(j, '{');
        json_kstr(j, "host", losses.at[i].trace->host->name);
        json_kstr(j, "stream", str_of(x->stream));
        json_key(j, STR("cpu"));
        if (x->cpu == UINT32_MAX)
            json_none(j);
        else
            json_u64(j, x->cpu);
        json_instant(j, "from_ns", x->t0);
        json_instant(j, "to_ns", x->t1);
        json_ku64(j, "events", x->events);
        json_ku64(j, "packets", x->packets);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_ku64(j, "losses_unlisted", unlisted);
    vec_free(&losses);
}

/* --- where histories are kept -------------------------------------------------------- */

struct cache {
    const char *folder; /* NULL: none */
    const char *why;    /* it can't be written; NULL: it can */
    uint64_t files, bytes;
};

static struct cache look_at_cache(struct arena *mem)
{
    struct cache ret = { 0 };
    struct keep_file *f;
    struct err err;
    size_t n;

    ret.folder = keep_cache_folder(mem, &ret.why);
    if (!ret.folder)
        return ret;
    ret.why = keep_cannot_write(ret.folder, mem);
    if (keep_list(ret.folder, mem, &f, &n, &err) < 0)
        return ret;
    ret.files = n;
    for (size_t i = 0; i < n; i++)
        ret.bytes += f[i].bytes;
    return ret;
}

static void print_cache(struct health *hl)
{
    struct cache k = look_at_cache(&hl->mem);

    if (k.folder)
        printf("\nHistories are kept in %s: %" PRIu64 " of %.1f MiB", k.folder, k.files,
               (double)k.bytes / (1 << 20));
    else
        printf("\nHistories are not kept");
    if (k.why)
        printf("; it cannot be written: %s", k.why);
    putchar('\n');
}

static void json_cache(struct json *j, struct health *hl)
{
    struct cache k = look_at_cache(&hl->mem);

    json_kopen(j, "cache", '{');
    json_key(j, STR("folder"));
    if (k.folder)
        json_str(j, str_of(k.folder));
    else
        json_none(j);
    json_ku64(j, "histories", k.files);
    json_ku64(j, "size_bytes", k.bytes);
    json_key(j, STR("writable"));
    json_bool(j, !k.why);
    json_key(j, STR("reason"));
    if (k.why)
        json_str(j, str_of(k.why));
    else
        json_none(j);
    json_close(j, '}');
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

        if (has_domain(h, "kernel"))
            domains[n++] = STR("kernel");
        if (has_domain(h, "ust"))
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

static void json_counts(struct json *j, const struct scan_trace *s)
{
    json_ku64(j, "events", s->events);
    json_ku64(j, "discarded_events", s->totals.discarded);
    json_ku64(j, "lost_packets", s->totals.lost_packets);
    json_ku64(j, "bad_packets", s->totals.bad_packets);
    json_ku64(j, "backwards_events", s->totals.backwards);
    scan_json_time(j, "first_ns", s->events, s->first);
    scan_json_time(j, "last_ns", s->events, s->last);
}

static void json_host(struct json *j, const struct health *hl, const struct host *h)
{
    struct scan_trace sum = scan_host(&hl->s, h);

    json_open(j, '{');
    json_kstr(j, "host", h->name);
    json_key(j, STR("has_kernel"));
    json_bool(j, has_domain(h, "kernel"));
    json_key(j, STR("has_ust"));
    json_bool(j, has_domain(h, "ust"));
    json_counts(j, &sum);
    json_kopen(j, "traces", '[');
    for (size_t i = 0; i < hl->s.traces.n; i++) {
        const struct scan_trace *t = &hl->s.traces.at[i];

        if (t->host != h)
            continue;
        json_open(j, '{');
        json_kstr(j, "path", str_of(t->reader->path));
        json_kstr(j, "domain", t->reader->domain);
        if (hl->clocks[i].known) {
            json_kstr(j, "clock", hl->clocks[i].name);
            json_ku64(j, "clock_hz", hl->clocks[i].freq);
            json_ki64(j, "clock_offset_ns", hl->clocks[i].offset_ns);
        }
        json_counts(j, t);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void print_json(const struct ctx *c, struct health *hl)
{
    struct json j = { .f = stdout, .pretty = true };

    json_open(&j, '{');
    json_ku64(&j, "schema_version", 1);
    json_ku64(&j, "traces_found", c->x.found);
    json_ku64(&j, "traces_unreadable", c->x.failed);
    json_kopen(&j, "hosts", '[');
    for (size_t i = 0; i < c->x.hosts.n; i++)
        json_host(&j, hl, &c->x.hosts.at[i]);
    json_close(&j, ']');
    json_losses(&j, hl);
    json_cache(&j, hl);
    json_kopen(&j, "notes", '[');
    for (int level = NOTE_LOST; level >= NOTE_INFO; level--)
        for (size_t i = 0; i < c->notes.list.n; i++) {
            const struct note *n = &c->notes.list.at[i];

            if ((int)n->level != level)
                continue;
            json_open(&j, '{');
            json_kstr(&j, "level", str_of(note_level_name(n->level)));
            json_kstr(&j, "where", n->where);
            json_kstr(&j, "text", n->text);
            json_ku64(&j, "count", n->count);
            json_close(&j, '}');
        }
    json_close(&j, ']');
    json_ku64(&j, "notes_unlisted", c->notes.unlisted);
    json_close(&j, '}');
    putchar('\n');
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
        print_json(c, hl);
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
    struct health hl = { .c = c };
    int rc = cli_open(c, 0);

    if (rc)
        return rc;
    scan_run(c, &hl.s);
    read_clocks(&hl);
    for (size_t i = 0; i < hl.s.traces.n; i++)
        check_trace(&hl, &hl.s.traces.at[i]);
    for (size_t i = 0; i < c->x.hosts.n; i++) {
        check_clocks(&hl, &c->x.hosts.at[i]);
        check_layers(&hl, &c->x.hosts.at[i]);
        check_overlap(&hl, &c->x.hosts.at[i]);
    }
    rc = cli_check_read(c, print(c, &hl));
    rc = judge(c, rc);
    c->g.quiet = true; /* all notes have been shown */
    arena_free(&hl.mem);
    scan_free(&hl.s);
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
