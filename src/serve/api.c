/* SPDX-License-Identifier: Apache-2.0
 *
 * api.c -- /api/v1: the reports, by the same functions that the commands call. */
#include "serve/serve_priv.h"

#include "diagnose/rule.h"
#include "report/clocks_show.h"
#include "report/critical.h"
#include "report/measure.h"
#include "report/measure_sections.h"
#include "report/migration_show.h"
#include "report/things.h"
#include "serve/api_priv.h"

#include <stdlib.h>

/* Rows of a listing, unless the request says how many. */
enum { LIST_ROWS = 10000, LIST_ROWS_MOST = 1000000 };

/* --- listings ------------------------------------------------------------------------------ */

/* What a request may ask of a table.  0 or -E_ARG. */
static int table_asked(const struct request *q, const struct column *cols, size_t ncols,
                       struct table_opts *ret, struct err *err)
{
    struct str columns = request_text(q, "columns"), sort = request_text(q, "sort");
    int64_t limit;
    int rc = request_int(q, "limit", 1, LIST_ROWS_MOST, LIST_ROWS, &limit, err);

    if (rc < 0)
        return rc;
    *ret = (struct table_opts){ .format = TABLE_JSON, .limit = (size_t)limit };
    if (columns.n)
        ret->columns = str_dup(q->mem, columns).p;
    if (sort.n)
        ret->sort = str_dup(q->mem, sort).p;
    return table_check(cols, ncols, ret, err);
}

static void put_table(const struct request *q, const struct table *t, struct reply *r)
{
    struct table_opts o;
    struct err err;

    if (table_asked(q, t->cols, t->ncols, &o, &err) < 0 ||
        table_json(t, &o, reply_json(r), &err) < 0)
        reply_err(r, &err);
}

static void get_list(struct serve *s, const struct request *q, struct reply *r)
{
    struct str what = str_dup(q->mem, q->holes[0]);
    const struct report_list *l = report_list_find(what.p);
    struct report_src src;
    struct table_opts o;
    struct table t;
    struct err err;

    if (!l) {
        reply_fail(r, 404, "there is no list of '" STR_FMT "'; see lists in /api/v1/experiment",
                   STR_ARG(str_first(what, 100)));
        return;
    }
    if (table_asked(q, l->columns, l->ncolumns, &o, &err) < 0 || serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    table_init(&t, l->columns, l->ncolumns);
    l->fill(&src, &t);
    put_table(q, &t, r);
    reply_json_end(r); /* nested cells are of the request's memory */
    table_free(&t);
}

static void get_measure(struct serve *s, const struct request *q, struct reply *r,
                        enum measure_view view)
{
    struct str name = str_dup(q->mem, q->holes[0]);
    const struct measure *m = measure_find(name.p);
    struct measure_opts o = { .view = view,
                              .by = measure_by_of(request_text(q, "by")),
                              .service = request_text(q, "service"),
                              .thread = request_text(q, "thread") };
    struct report_src src;
    struct table_opts asked;
    struct table t;
    struct err err;
    size_t n;

    if (!m || !measure_has(m, view)) {
        reply_fail(r, 404, "there is no measure '" STR_FMT "' of this kind",
                   STR_ARG(str_first(name, 100)));
        return;
    }
    if (serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    const struct column *cols = measure_columns(m, &o, q->mem, &n);
    if (table_asked(q, cols, n, &asked, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    if (measure_check(&src, &o, &err) < 0) {
        reply_fail(r, 404, "%s", err.text);
        return;
    }
    table_init(&t, cols, n);
    measure_fill(m, &o, &src, &t);
    put_table(q, &t, r);
    reply_json_end(r);
    table_free(&t);
}

static void get_top(struct serve *s, const struct request *q, struct reply *r)
{
    get_measure(s, q, r, VIEW_TOP);
}

static void get_stats(struct serve *s, const struct request *q, struct reply *r)
{
    get_measure(s, q, r, VIEW_STATS);
}

static void get_log(struct serve *s, const struct request *q, struct reply *r)
{
    get_measure(s, q, r, VIEW_LOG);
}

static void get_freq(struct serve *s, const struct request *q, struct reply *r)
{
    get_measure(s, q, r, VIEW_FREQ);
}

/* The part of 'win' in which there was a thread of that number. */
static struct span within_life(const struct whos *w, const struct critical *c, struct span win)
{
    struct span life = { NS_MAX, NS_MIN };

    for (size_t i = 0; i < w->threads.n; i++) {
        const struct who_thread *th = &w->threads.at[i];
        ns_t t1 = th->t1 == STORE_NULL ? NS_MAX : th->t1;

        if (th->host != c->host || th->tid != c->tid || th->t0 >= win.t1 || t1 <= win.t0)
            continue;
        life.t0 = th->t0 < life.t0 ? th->t0 : life.t0;
        life.t1 = t1 > life.t1 ? t1 : life.t1;
    }
    return (struct span){ life.t0 > win.t0 ? life.t0 : win.t0,
                          life.t1 < win.t1 ? life.t1 : win.t1 };
}

/* Whose path, and when: 0; or the status of the failure, with a sentence. */
static int critical_asked(struct serve *s, const struct request *q, struct report_src *src,
                          struct critical *ret, struct err *err)
{
    struct str host = str_dup(q->mem, request_text(q, "host"));
    char path[SCHEMA_PATH];
    attr_t a;

    *ret = (struct critical){ .host = src_host_named(&s->src, host.p) };
    if (!str_i64(request_text(q, "thread"), &ret->tid)) {
        err_set(err, E_ARG, "thread is a thread's number");
        return 400;
    }
    if (request_time(q, "begin", s->all.t0, NS_MIN, &ret->win.t0, err) < 0 ||
        request_time(q, "end", s->all.t0, NS_MAX, &ret->win.t1, err) < 0)
        return 400;
    err_set(err, E_ARG, "the kernel's trace of that host has no such thread, or not at that time");
    if (ret->host == UINT32_MAX ||
        !store_attr_find(s->src.hosts[ret->host], schema_path_nr(ATTR_THREAD_STATE, ret->tid, path),
                         &a))
        return 404;
    *src = s->src;
    src->mem = q->mem;
    ret->win = within_life(serve_whos(s), ret, measure_within(src, ret->host, ret->win));
    return ret->win.t0 < ret->win.t1 ? 0 : 404;
}

static void get_critical(struct serve *s, const struct request *q, struct reply *r)
{
    struct critical asked, path;
    struct report_src src;
    struct table_opts o;
    struct table t;
    struct err err;
    int failed;

    if (table_asked(q, critical_columns, ncritical_columns, &o, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    if ((failed = critical_asked(s, q, &src, &asked, &err))) {
        reply_fail(r, failed, "%s", err.text);
        return;
    }
    const struct whos *w = serve_whos(s);
    critical_walk(&src, w, asked.host, asked.tid, asked.win, &path);
    table_init(&t, critical_columns, ncritical_columns);
    critical_flat(&src, w, &path, &t);
    put_table(q, &t, r);
    reply_json_end(r);
    table_free(&t);
    critical_free(&path);
}

/* --- one thing ----------------------------------------------------------------------------- */

static void get_show(struct serve *s, const struct request *q, struct reply *r)
{
    const struct report_thing *thing = report_thing_find(q->holes[0]);
    struct sections all = { 0 };
    struct report_src src;
    struct err err;

    if (!thing) {
        reply_fail(r, 404, "nothing is shown of a '" STR_FMT "'; see kinds in /api/v1/experiment",
                   STR_ARG(str_first(q->holes[0], 100)));
        return;
    }
    if (serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    if (!thing->show(&src, q->holes[1], &all)) {
        if (all.head.n)
            reply_fail(r, 404, "%s", all.head.p);
        else
            reply_fail(r, 404, "no %s is called '" STR_FMT "'; see /api/v1/list/%s", thing->kind,
                       STR_ARG(str_first(q->holes[1], 200)), thing->list);
    } else if (sections_json(&all, reply_json(r), &err) < 0) {
        reply_err(r, &err);
    } else {
        reply_json_end(r);
    }
    sections_free(&all);
}

static void get_rounds(struct serve *s, const struct request *q, struct reply *r)
{
    const struct migration *m;
    struct sbuf why = { 0 };
    struct report_src src;
    struct table t;
    struct err err;

    if (serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
    } else if (!migrations_named(&src, &q->holes[0], 1, &m, &why)) {
        reply_fail(r, 404, "%s", why.p);
    } else {
        table_init(&t, round_columns, nround_columns);
        migration_rounds(m, &t);
        put_table(q, &t, r);
        reply_json_end(r);
        table_free(&t);
    }
    sbuf_free(&why);
}

static void get_findings(struct serve *s, const struct request *q, struct reply *r)
{
    struct diagnosis mine = { 0 };
    struct report_src src;
    struct err err;

    if (q->args.n == 0) {
        diagnosis_json(serve_diagnosis(s), reply_json(r));
        return;
    }
    if (serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    diagnosis_make(&src, NULL, NULL, &mine);
    diagnosis_json(&mine, reply_json(r));
    reply_json_end(r);
    diagnosis_free(&mine);
}

static void get_compare(struct serve *s, const struct request *q, struct reply *r)
{
    const struct migration *m[2];
    struct sections all = { 0 };
    struct sbuf why = { 0 };
    struct report_src src;
    struct err err;

    if (serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
    } else if (!migrations_named(&src, q->holes, 2, m, &why)) {
        reply_fail(r, 404, "%s", why.p);
    } else {
        migration_compare(&src, m[0], m[1], &all);
        if (sections_json(&all, reply_json(r), &err) < 0)
            reply_err(r, &err);
        reply_json_end(r);
    }
    sections_free(&all);
    sbuf_free(&why);
}

static void put_rules(const struct rule *only, struct reply *r)
{
    const struct table_opts o = { .format = TABLE_JSON };
    struct table t;
    struct err err;

    table_init(&t, rules_columns, nrules_columns);
    rules_fill(only, &t);
    if (table_json(&t, &o, reply_json(r), &err) < 0)
        reply_err(r, &err);
    reply_json_end(r);
    table_free(&t);
}

static void get_rules(struct serve *s, const struct request *q, struct reply *r)
{
    (void)s, (void)q;
    put_rules(NULL, r);
}

static void get_rule(struct serve *s, const struct request *q, struct reply *r)
{
    const struct rule *rule = rule_find(str_dup(q->mem, q->holes[0]).p);

    (void)s;
    if (rule)
        put_rules(rule, r);
    else
        reply_fail(r, 404, "there is no rule '" STR_FMT "'", STR_ARG(str_first(q->holes[0], 100)));
}

static void get_sync(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);

    (void)q;
    json_open(j, '{');
    if (s->src.clocks) {
        clocks_json(s->src.clocks, j);
        clocks_advice_json(s->src.clocks, j);
    }
    json_close(j, '}');
}

static void get_doctor(struct serve *s, const struct request *q, struct reply *r)
{
    struct err err;
    int rc;

    (void)q;
    if (!s->source->doctor) {
        reply_fail(r, 404, "the traces themselves are not here to be examined");
        return;
    }
    pthread_mutex_lock(&s->doctor_lock);
    rc = s->source->doctor(s->source->ctx, reply_json(r), &err);
    pthread_mutex_unlock(&s->doctor_lock);
    if (rc < 0)
        reply_fail(r, 500, "%s", err.text);
}

static void get_missing(struct serve *s, const struct request *q, struct reply *r)
{
    struct sections all = { 0 };
    struct report_src src;
    struct err err;

    if (serve_src(s, q, &src, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    src = src_with_kernel(&src);
    section_missing(&all, &src, measures);
    if (sections_json(&all, reply_json(r), &err) < 0)
        reply_err(r, &err);
    reply_json_end(r);
    sections_free(&all);
}

/* --- the experiment ------------------------------------------------------------------------ */

/* Layers by the events that a history was made of: the facts "events.NAME". */
static void put_layers(const struct store *st, struct json *j)
{
    uint64_t events[LAYERS] = { 0 };
    struct str key, value;

    for (size_t i = 0; store_fact_at(st, i, &key, &value); i++) {
        struct str name = str_from(key, 7);
        uint64_t n;

        if (!str_starts(key, STR("events.")) || !str_u64(value, &n))
            continue;
        if (str_starts(name, STR("python")))
            events[LAYER_APPLICATION] += n;
        else if (str_starts(name, STR("qemu")) || str_starts(name, STR("qmp")))
            events[LAYER_VIRTUALISATION] += n;
        else
            events[LAYER_KERNEL] += n;
    }
    json_kopen(j, "layers", '{');
    for (int i = 1; i < LAYERS; i++) {
        if (!events[i])
            continue;
        json_kopen(j, layer_name((enum layer)i), '{');
        json_ku64(j, "events", events[i]);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void put_bound(struct json *j, const char *key, ns_t v)
{
    emit_ns(j, key, v == NS_MAX ? STORE_NULL : v);
}

static void put_host(struct serve *s, uint32_t i, struct json *j)
{
    const struct store *st = s->src.hosts[i];
    const struct clocks *c = s->src.clocks;
    struct store_coverage cov;

    store_coverage(st, &cov);
    json_open(j, '{');
    json_kstr(j, "name", str_of(store_host(st)));
    json_ki64(j, "begin_ns", cov.t0);
    json_ki64(j, "end_ns", cov.t1);
    json_ku64(j, "states", cov.changes);
    json_ku64(j, "records", cov.records);
    json_ku64(j, "bad_blocks", cov.bad_blocks);
    json_ku64(j, "events", s->totals[i].events);
    json_ku64(j, "discarded_events", s->totals[i].discarded);
    json_ku64(j, "lost_packets", s->totals[i].lost_packets);
    json_ku64(j, "bad_packets", s->totals[i].bad_packets);
    put_layers(st, j);
    if (c && i < c->nhosts) {
        json_key(j, STR("reference"));
        json_bool(j, i == c->reference);
        json_kstr(j, "quality", str_of(clocks_quality(&c->at[i])));
        json_kopen(j, "bound_ns", '{');
        put_bound(j, "min", c->at[i].least);
        put_bound(j, "median", c->at[i].median);
        put_bound(j, "max", c->at[i].most);
        json_close(j, '}');
    }
    json_close(j, '}');
}

static void put_names(struct json *j)
{
    json_kopen(j, "lists", '[');
    for (size_t i = 0; report_lists[i]; i++)
        json_str(j, str_of(report_lists[i]->name));
    json_close(j, ']');
    json_kopen(j, "measures", '[');
    for (size_t i = 0; measures[i]; i++)
        json_str(j, str_of(measure_name(measures[i])));
    json_close(j, ']');
    json_kopen(j, "kinds", '[');
    for (const struct report_thing *t = report_things; t->kind; t++)
        json_str(j, str_of(t->kind));
    json_close(j, ']');
}

static void put_notes(struct serve *s, struct json *j)
{
    const struct notes *n = s->src.notes;

    json_kopen(j, "notes", '[');
    for (size_t i = 0; n && i < n->list.n; i++)
        note_json(&n->list.at[i], j);
    json_close(j, ']');
}

static void get_experiment(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);
    char text[24];

    (void)q;
    snprintf(text, sizeof text, "%lld", (long long)s->all.t0);
    json_open(j, '{');
    json_kstr(j, "version", STR(NEPH_VERSION));
    json_ki64(j, "t0_ns", s->all.t0);
    json_kstr(j, "t0", str_of(text)); /* for those whose numbers end at 2^53 */
    json_ki64(j, "length_ns", s->all.t1 - s->all.t0);
    json_kopen(j, "hosts", '[');
    for (uint32_t i = 0; i < s->src.nhosts; i++)
        put_host(s, i, j);
    json_close(j, ']');
    put_names(j);
    put_notes(s, j);
    json_kopen(j, "command", '[');
    for (size_t i = 0; i < s->o->npaths; i++)
        json_str(j, str_of(s->o->paths[i]));
    json_close(j, ']');
    json_close(j, '}');
}

static void get_openapi(struct serve *s, const struct request *q, struct reply *r)
{
    (void)s, (void)q;
    openapi_json(reply_json(r));
}

static void post_cancel(struct serve *s, const struct request *q, struct reply *r)
{
    (void)q;
    s->cancel = true;
    struct serve_progress p = serve_progress_now(s);
    progress_json(&p, reply_json(r));
}

/* --- the table ----------------------------------------------------------------------------- */

#define FILTERS "vm host request begin end"
#define LISTING "limit sort columns"
#define SHAPE_PROGRESS "{status:s,stage:s,host:s,done:i,total:i,events:i}"
#define SHAPE_COUNTS                                                                           \
    "events:i,discarded_events:i,lost_packets:i,bad_packets:i,backwards_events:i,first_ns:i?," \
    "last_ns:i?"
#define SHAPE_RUNS "{t0:i,t1:i,px:i,rows:[{id:s,runs:[[i]],labels:[s],-missing:b}]}"
#define SHAPE_POINTS \
    "{t0:i,t1:i,px:i,rows:[{id:s,unit:s,min:[i?],max:[i?],last:[i?],mean:[n?],-missing:b}]}"
#define KEPT_SLOWLY (ROUTE_KEPT | ROUTE_SLOW)

/* clang-format off */
const struct route api_routes[] = {
    { METHOD_GET, "/api/v1/experiment", ROUTE_KEPT, "What was traced", NULL,
      "{version:s,t0_ns:i,t0:s,length_ns:i,hosts:[{name:s,begin_ns:i,end_ns:i,states:i,records:i,"
      "bad_blocks:i,events:i,discarded_events:i,lost_packets:i,bad_packets:i,layers:{*:{events:i}},-reference:b,-quality:s,"
      "-bound_ns:{min:i?,median:i?,max:i?}}],lists:[s],measures:[s],kinds:[s],"
      "notes:[{level:s,where:s,text:s,count:i}],command:[s]}", get_experiment },
    { METHOD_GET, "/api/v1/findings", KEPT_SLOWLY, "What is wrong, who did it, how one knows, and what to do",
      "host request begin end",
      "{findings:[{rank:i,rule:s,severity:s,layer:s,title:s,subjects:[{kind:s,name:s}],"
      "culprits:[{kind:s,name:s}],hosts:[s],t0_ns:i?,t1_ns:i?,cost_ns:i?,"
      "evidence:[{what:s,value:*,unit:s,where:s?}],causes:[i],explained:[{rank:i,ns:i?}],unexplained_ns:i?,remedy:s,unknown:[s]}],"
      "blind_spots:[s]}", get_findings },
    { METHOD_GET, "/api/v1/list/{what}", KEPT_SLOWLY, "A listing, as neph list -o json",
      FILTERS " " LISTING, "[*]", get_list },
    { METHOD_GET, "/api/v1/show/{kind}/{id...}", KEPT_SLOWLY, "One thing described, as neph show -o json",
      "host begin end", "{*:[*]}", get_show },
    { METHOD_GET, "/api/v1/rounds/{id...}", KEPT_SLOWLY, "The rounds of a migration, as neph rounds -o json",
      "host begin end " LISTING, NULL, get_rounds },
    { METHOD_GET, "/api/v1/compare/{id}/{other}", KEPT_SLOWLY, "Two migrations side by side, as neph compare -o json",
      "host begin end", "{*:[*]}", get_compare },
    { METHOD_GET, "/api/v1/explain", ROUTE_KEPT | ROUTE_EARLY, "The rules of the findings", NULL,
      "[{rule:s,layer:s,title:s,doc:s,remedy:s,needs:s}]", get_rules },
    { METHOD_GET, "/api/v1/explain/{rule}", ROUTE_KEPT | ROUTE_EARLY, "One of them", NULL,
      "[{rule:s,layer:s,title:s,doc:s,remedy:s,needs:s}]", get_rule },
    { METHOD_GET, "/api/v1/sync", KEPT_SLOWLY, "How well clocks are known, as neph sync -o json", NULL,
      "{*:*}", get_sync },
    { METHOD_GET, "/api/v1/doctor", KEPT_SLOWLY,
      "What was lost of each trace, and what is doubtful, as neph doctor -o json; reads all traces", NULL,
      "{schema_version:i,traces_found:i,traces_unreadable:i,hosts:[{host:s,has_kernel:b,has_ust:b," SHAPE_COUNTS
      ",traces:[{path:s,domain:s,-clock:s,-clock_hz:i,-clock_offset_ns:i," SHAPE_COUNTS "}]}],"
      "losses:[{host:s,stream:s,cpu:i?,from_ns:i?,to_ns:i?,events:i,packets:i}],losses_unlisted:i,"
      "cache:{*:*},notes:[{level:s,where:s,text:s,count:i}],notes_unlisted:i}", get_doctor },
    { METHOD_GET, "/api/v1/missing", KEPT_SLOWLY,
      "What measures can't know of hosts whose kernel was traced, and what to record for it", "host",
      "{missing:[{hosts:[s],measures:[s],missing:s}]}", get_missing },
    { METHOD_GET, "/api/v1/top/{measure}", KEPT_SLOWLY, "Who costs or suffers most, as neph top -o json",
      FILTERS " by service thread " LISTING, NULL, get_top },
    { METHOD_GET, "/api/v1/stats/{measure}", KEPT_SLOWLY, "Samples by groups, as neph stats -o json",
      FILTERS " by service thread " LISTING, NULL, get_stats },
    { METHOD_GET, "/api/v1/log/{measure}", KEPT_SLOWLY, "Samples in order of time, as neph log -o json",
      FILTERS " by service thread " LISTING, NULL, get_log },
    { METHOD_GET, "/api/v1/freq/{measure}", KEPT_SLOWLY, "How many samples took how long, as neph freq -o json",
      FILTERS " by service thread " LISTING, NULL, get_freq },
    { METHOD_GET, "/api/v1/critical", KEPT_SLOWLY,
      "Where a thread's time went, through whatever it waited for: the parts of neph critical -o json",
      "host thread begin end " LISTING, NULL, get_critical },
    { METHOD_GET, "/api/v1/rows", KEPT_SLOWLY, "The rows of a time line", "scope",
      "{scope:s,cut:b,rows:[{id:s,parent:s?,label:s,kind:s,host:s,layer:s,type:s,unit:s,legend:s?,"
      "-vm:s,-request:s,-tid:i,-pid:i}],legends:{*:[{label:s,colour:s,bad:b}]}}", api_rows },
    { METHOD_GET, "/api/v1/strip", 0, "Rows as runs of pixels: [from, to, value, flags, label]",
      "row rows t0 t1 px", SHAPE_RUNS, api_strip },
    { METHOD_POST, "/api/v1/strip", 0, "The same, for many rows", "row rows t0 t1 px", SHAPE_RUNS, api_strip },
    { METHOD_GET, "/api/v1/curve", 0, "Rows that are numbers, as points", "row rows t0 t1 px",
      SHAPE_POINTS, api_curve },
    { METHOD_POST, "/api/v1/curve", 0, "The same, for many rows", "row rows t0 t1 px", SHAPE_POINTS, api_curve },
    { METHOD_GET, "/api/v1/at", 0, "What a row is at an instant", "row t",
      "{row:s,t:i,t0:i?,t1:i?,open:b,value:i?,label:s?,bad:b,evidence:[s],events:s}", api_at },
    { METHOD_GET, "/api/v1/arrows", ROUTE_SLOW, "What led from one row to another", "scope t0 t1 limit",
      "{cut:b,arrows:[{from:s,to:s,t_from:i,t_to:i,bound_ns:i?,order_known:b,kind:s,label:s}]}", api_arrows },
    { METHOD_GET, "/api/v1/events", ROUTE_SLOW, "Raw events, forwards and backwards",
      "host filter t0 after before limit",
      "{events:[*],-after:s?,-before:s?,more:b,looked:i}", api_events },
    { METHOD_GET, "/api/v1/search", KEPT_SLOWLY, "Things by a part of their name or id", "q limit",
      "[{kind:s,id:s,label:s,scope:s?}]", api_search },
    { METHOD_GET, "/api/v1/openapi.json", ROUTE_KEPT | ROUTE_EARLY, "This description", NULL, "{*:*}",
      get_openapi },
    { METHOD_GET, "/api/v1/progress", ROUTE_EARLY | ROUTE_STREAM,
      "How far the histories are: server-sent events, each " SHAPE_PROGRESS, NULL, "s", NULL },
    { METHOD_POST, "/api/v1/cancel", ROUTE_EARLY, "Stops making histories", NULL, SHAPE_PROGRESS, post_cancel },
    { 0 },
};
/* clang-format on */
