/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_output.c -- outputs, their trees, and outputs that a client makes; see tsp_priv.h.
 *
 * An output's entries are the rows of a scope (rows.h): the number of an entry is the position of
 * its row, from 1.  A client can make an output of any scope, of one instance for example, by the
 * configuration "neph.scope". */
#include "serve/tsp_priv.h"

#include "base/limits.h"
#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>

#define TC "org.eclipse.tracecompass."

/* In this order: some clients take the first for a curve, others look for the histogram. */
const struct tsp_output tsp_outputs[] = {
    { "cloud.migration.dirtypages", "Migrations: rounds",
      "Pages to send, rates and throttle of each round of live migrations", TSP_XY, "migrations",
      NULL },
    { TC "internal.tmf.core.histogram.HistogramDataProvider", "Histogram",
      "How often the states of CPUs and services change", TSP_XY, NULL, NULL },
    { "cloud.vm.layers", "Instances: all layers",
      "States in Nova, stages of QEMU, threads in the kernel", TSP_GRAPH, "vms", NULL },
    { "cloud.request.flow", "Requests", "The tasks of each request, by service", TSP_GRAPH,
      "requests", NULL },
    { "cloud.migration.stages", "Migrations: stages", "Nova's and QEMU's stages, rounds, downtime",
      TSP_GRAPH, "migrations", NULL },
    { "cloud.services", "Services", "Tasks and log levels of OpenStack's services", TSP_GRAPH,
      "services", TC "internal.tmf.core.callstack.provider.CallStackDataProvider" },
    { "cloud.volumes", "Volumes", "The status of volumes", TSP_GRAPH, "volumes", NULL },
    { "cloud.disk.queue", "Disks: requests", "Requests that wait, and that the device has", TSP_XY,
      "disks", TC "analysis.os.linux.core.inputoutput.DisksIODataProvider" },
    { "cloud.disk.latency", "Disks: latency density", "How many requests took how long",
      TSP_GENERIC_XY, NULL, NULL },
    { "cloud.host.resources", "Hosts: resources",
      "Memory, vCPUs and disk of nodes; memory of "
      "processes",
      TSP_XY, "resources", NULL },
    { "cloud.kernel.threads", "Kernel: CPUs and threads", "What CPUs and threads do", TSP_GRAPH,
      "threads", TC "internal.analysis.os.linux.core.threadstatus.ThreadStatusDataProvider" },
    { "cloud.findings", "Findings", "What is wrong, ranked", TSP_TABLE, NULL, NULL },
    { "events", "Events", "Raw events of all hosts", TSP_TABLE, NULL,
      TC "analysis.timing.core.segmentstore.SegmentStoreTableDataProvider:"
         "org.eclipse.linuxtools.lttng2.ust.analysis.callstack" },
    { "statistics", "Statistics", "How many events of which kind", TSP_TREE, NULL,
      TC "analysis.timing.core.segmentstore.SegmentStoreStatisticsDataProvider:"
         "org.eclipse.linuxtools.lttng2.ust.analysis.callstack" },
    { 0 },
};

static const char *type_name(enum tsp_type t)
{
    static const char *const names[] = { [TSP_XY] = "TREE_TIME_XY",
                                         [TSP_GRAPH] = "TIME_GRAPH",
                                         [TSP_TABLE] = "TABLE",
                                         [TSP_TREE] = "DATA_TREE",
                                         [TSP_GENERIC_XY] = "TREE_GENERIC_XY" };

    return names[t];
}

static const struct tsp_output *find_plain(struct str id)
{
    for (const struct tsp_output *o = tsp_outputs; o->id; o++)
        if (str_is(id, o->id) || (o->alias && str_is(id, o->alias)))
            return o;
    return NULL;
}

static bool find_derived(struct serve *s, struct str id, struct arena *mem, struct tsp_derived *ret)
{
    for (size_t i = 0; tsp_derived_at(s, i, mem, ret); i++)
        if (str_is(id, ret->id))
            return true;
    return false;
}

const struct tsp_output *tsp_output_asked(struct serve *s, const struct request *q, struct reply *r,
                                          struct tsp_derived *ret)
{
    struct str id = q->holes[1];
    const struct tsp_output *o = find_plain(id);
    struct tsp_derived d = { .scope = NULL };

    if (!tsp_has_experiment(s, q->holes[0], r))
        return NULL;
    if (!o && find_derived(s, id, q->mem, &d))
        o = d.parent;
    if (!o)
        reply_fail(r, 404, "there is no output '" STR_FMT "'", STR_ARG(str_first(id, 200)));
    else if (ret)
        *ret = d;
    return o;
}

/* --- the list ------------------------------------------------------------------------------ */

static void put_output(struct json *j, const struct tsp_output *o, const struct tsp_derived *d)
{
    json_open(j, '{');
    json_kstr(j, "id", str_of(d ? d->id : o->id));
    json_kstr(j, "name", str_of(d ? d->name : o->name));
    json_kstr(j, "description", str_of(o->about));
    json_kstr(j, "type", str_of(type_name(o->type)));
    if (d)
        json_kstr(j, "parentId", str_of(o->id));
    json_kopen(j, "capabilities", '{');
    json_key(j, STR("canCreate"));
    json_bool(j, !d && o->type == TSP_GRAPH);
    json_key(j, STR("canDelete"));
    json_bool(j, d != NULL);
    json_close(j, '}');
    json_close(j, '}');
}

void tsp_list_outputs(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_derived d;

    if (!tsp_has_experiment(s, q->holes[0], r))
        return;
    struct json *j = reply_json(r);
    json_open(j, '[');
    for (const struct tsp_output *o = tsp_outputs; o->id; o++)
        put_output(j, o, NULL);
    for (size_t i = 0; tsp_derived_at(s, i, q->mem, &d); i++)
        put_output(j, d.parent, &d);
    json_close(j, ']');
}

void tsp_get_output(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_derived d;

    const struct tsp_output *o = tsp_output_asked(s, q, r, &d);
    if (o)
        put_output(reply_json(r), o, d.scope ? &d : NULL);
}

/* --- trees --------------------------------------------------------------------------------- */

static void put_headers(struct json *j, const char *const *names)
{
    json_kopen(j, "headers", '[');
    for (; *names; names++) {
        json_open(j, '{');
        json_kstr(j, "name", str_of(*names));
        json_kstr(j, "tooltip", str_of(""));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_text(struct json *j, const char *key, struct str text)
{
    if (text.n == 0)
        return;
    json_kopen(j, key, '[');
    json_str(j, text);
    json_close(j, ']');
}

static void put_number(struct json *j, const char *key, int64_t number)
{
    if (number == 0)
        return;
    json_kopen(j, key, '[');
    json_i64(j, number);
    json_close(j, ']');
}

/* What is as well in other outputs.  A viewer finds the row of an event that is picked by keys that
 * are called as columns of the table are: of CPUs, "Host" and "CPU". */
static void put_metadata(struct json *j, const struct row *row)
{
    bool cpu = row->store && strcmp(row->kind, "cpu") == 0;

    json_kopen(j, "metadata", '{');
    put_text(j, "vm", row->vm);
    put_text(j, "request_id", row->request);
    put_text(j, cpu ? "Host" : "hostId", str_of(row->host));
    if (cpu)
        put_text(j, "CPU", schema_hole(ATTR_CPU_STATE, store_attr_path(row->store, row->attr)));
    put_number(j, "tid", row->tid);
    put_number(j, "pid", row->pid);
    json_close(j, '}');
}

static int64_t parent_of(const struct scope *c, const struct row *r)
{
    uint32_t no;

    return r->parent.n && strtab_find(&c->ids, r->parent, &no) && no ? (int64_t)no : -1;
}

static void put_entry(struct serve *s, struct json *j, const struct scope *c, size_t i, bool curves,
                      bool chosen)
{
    const struct row *row = &c->rows.at[i];

    json_open(j, '{');
    json_ki64(j, "id", (int64_t)i + 1);
    json_ki64(j, "parentId", parent_of(c, row));
    json_kopen(j, "labels", '[');
    json_str(j, row->label);
    if (curves)
        json_str(j, str_of(row->unit));
    json_close(j, ']');
    json_key(j, STR("hasData"));
    json_bool(j, (row->store || row->track) && row->curve == curves);
    if (!curves) {
        json_ki64(j, "start", s->all.t0);
        json_ki64(j, "end", s->all.t1);
        put_metadata(j, row);
    } else {
        json_key(j, STR("isDefault"));
        json_bool(j, chosen);
    }
    json_close(j, '}');
}

/* A heading stays when something below is of the kind. */
static bool belongs(const struct scope *c, size_t i, bool curves)
{
    const struct row *row = &c->rows.at[i];

    if (row->store || row->track)
        return row->curve == curves;
    for (size_t k = i + 1; k < c->rows.n; k++)
        if (str_eq(c->rows.at[k].parent, row->id) && c->rows.at[k].curve == curves)
            return true;
    return false;
}

/* A viewer has one axis for all curves: of those that it shows unless others are chosen, all have
 * the unit of the first one. */
static void put_rows(struct serve *s, struct json *j, const struct scope *c, bool curves)
{
    enum { CHOSEN_MOST = 8 };
    const char *unit = NULL;
    size_t chosen = 0;

    json_kopen(j, "entries", '[');
    for (size_t i = 0; i < c->rows.n; i++) {
        const struct row *row = &c->rows.at[i];

        if (!belongs(c, i, curves))
            continue;
        unit = unit || !row->curve ? unit : row->unit;
        bool choose = row->curve && strcmp(row->unit, unit) == 0 && chosen < CHOSEN_MOST;
        chosen += choose;
        put_entry(s, j, c, i, curves, choose);
    }
    json_close(j, ']');
}

/* The histogram, and the density of latencies: one entry. */
static void put_single(struct json *j, const char *label)
{
    json_kopen(j, "entries", '[');
    json_open(j, '{');
    json_ki64(j, "id", 1);
    json_ki64(j, "parentId", -1);
    json_kopen(j, "labels", '[');
    json_str(j, str_of(label));
    json_close(j, ']');
    json_key(j, STR("hasData"));
    json_bool(j, true);
    json_key(j, STR("isDefault"));
    json_bool(j, true);
    json_close(j, '}');
    json_close(j, ']');
}

static void put_statistic(struct json *j, int64_t id, int64_t parent, struct str name, uint64_t n,
                          uint64_t all)
{
    char count[24], percent[24];

    snprintf(count, sizeof count, "%" PRIu64, n);
    snprintf(percent, sizeof percent, "%.3g %%", all ? 100.0 * (double)n / (double)all : 0.0);
    json_open(j, '{');
    json_ki64(j, "id", id);
    json_ki64(j, "parentId", parent);
    json_kopen(j, "labels", '[');
    json_str(j, name);
    json_str(j, str_of(count));
    json_str(j, str_of(percent));
    json_close(j, ']');
    json_key(j, STR("hasData"));
    json_bool(j, true);
    json_close(j, '}');
}

/* The next kind of event that is counted, from fact '*k' on; its name and how many. */
static bool next_count(const struct store *st, size_t *k, struct str *ret_name, uint64_t *ret_n)
{
    struct str prefix = STR("events."), key, value;

    while (store_fact_at(st, (*k)++, &key, &value))
        if (str_starts(key, prefix) && str_u64(value, ret_n)) {
            *ret_name = str_from(key, prefix.n);
            return true;
        }
    return false;
}

static uint64_t count_events(const struct store *st)
{
    uint64_t all = 0, n;
    struct str name;

    for (size_t k = 0; next_count(st, &k, &name, &n);)
        all += n;
    return all;
}

/* Events by host and kind: only those that an analysis asks for are counted. */
static void put_statistics(struct serve *s, struct json *j)
{
    uint64_t all = 0, n;
    struct str name;
    int64_t id = 1;

    for (uint32_t i = 0; i < s->src.nhosts; i++)
        all += count_events(s->src.hosts[i]);
    json_kopen(j, "entries", '[');
    for (uint32_t i = 0; i < s->src.nhosts; i++) {
        const struct store *st = s->src.hosts[i];
        int64_t parent = id++;

        put_statistic(j, parent, -1, str_of(store_host(st)), count_events(st), all);
        for (size_t k = 0; next_count(st, &k, &name, &n);)
            put_statistic(j, id++, parent, name, n, all);
    }
    json_close(j, ']');
}

void tsp_post_tree(struct serve *s, const struct request *q, struct reply *r)
{
    static const char *const name[] = { "Name", NULL };
    static const char *const unit[] = { "Name", "Unit", NULL };
    static const char *const share[] = { "Name", "Events", "Share", NULL };
    const struct tsp_output *o;
    struct scope *c;

    if (!tsp_begin(s, q, r, &o, &c))
        return;
    struct json *j = tsp_model(r);
    json_open(j, '{');
    put_headers(j, o->type == TSP_TREE ? share : c && o->type == TSP_XY ? unit : name);
    if (c)
        put_rows(s, j, c, o->type == TSP_XY);
    else if (o->type == TSP_TREE)
        put_statistics(s, j);
    else
        put_single(j, o->name);
    json_ki64(j, "autoExpandLevel", -1);
    json_close(j, '}');
    tsp_model_end(j, s);
    scope_release(s, c);
}

/* --- outputs of a client, by configuration ---------------------------------------------- */

#define SCOPE_TYPE "neph.scope"

static void put_type(struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "id", STR(SCOPE_TYPE));
    json_kstr(j, "name", STR("Scope"));
    json_kstr(j, "description", STR("The rows of one instance, host, request or migration"));
    json_kopen(j, "parameterDescriptors", '[');
    json_open(j, '{');
    json_kstr(j, "keyName", STR("scope"));
    json_kstr(j, "description", STR("vm:NAME, host:NAME, request:ID or migration:ID"));
    json_kstr(j, "dataType", STR("STRING"));
    json_key(j, STR("required"));
    json_bool(j, true);
    json_close(j, '}');
    json_close(j, ']');
    json_close(j, '}');
}

static bool is_type(struct str type, struct reply *r)
{
    if (str_is(type, SCOPE_TYPE))
        return true;
    reply_fail(r, 404, "there is no such type of configurations; there is " SCOPE_TYPE);
    return false;
}

void tsp_config_types(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);

    (void)s, (void)q;
    json_open(j, '[');
    put_type(j);
    json_close(j, ']');
}

void tsp_config_type(struct serve *s, const struct request *q, struct reply *r)
{
    (void)s;
    if (is_type(q->holes[0], r))
        put_type(reply_json(r));
}

void tsp_output_config_types(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o = tsp_output_asked(s, q, r, NULL);

    if (!o)
        return;
    struct json *j = reply_json(r);
    json_open(j, '[');
    if (o->type == TSP_GRAPH)
        put_type(j);
    json_close(j, ']');
}

void tsp_output_config_type(struct serve *s, const struct request *q, struct reply *r)
{
    if (tsp_output_asked(s, q, r, NULL) && is_type(q->holes[2], r))
        put_type(reply_json(r));
}

/* "parameters": {"scope": ...}, or parameters.parameters.scope, as clients of both forms send. */
static const char *scope_asked(const struct request *q)
{
    const json_t *p = tsp_parameters(q), *v = json_object_get(p, "scope");

    return json_string_value(v ? v : json_object_get(json_object_get(p, "parameters"), "scope"));
}

static const char *name_asked(const struct request *q)
{
    const json_t *v = json_object_get(q->body, "name");

    return json_string_value(v ? v : json_object_get(tsp_parameters(q), "name"));
}

/* A scope that exists, in 'mem'; NULL, answered. */
static char *take_scope(struct serve *s, const struct request *q, struct reply *r)
{
    const char *scope = scope_asked(q);
    struct err err;

    if (!scope || strlen(scope) > 1024) {
        reply_fail(r, 400, "parameters.scope names what is to be shown: vm:NAME, host:NAME, ...");
        return NULL;
    }
    if (!tsp_is_ready(s)) {
        reply_fail(r, 503, "the histories are not made yet: what there is is not known");
        return NULL;
    }
    struct scope *c = scope_get(s, str_of(scope), &err);
    if (!c) {
        reply_fail(r, 400, "%s", err.text);
        return NULL;
    }
    scope_release(s, c);
    return arena_printf(q->mem, "%s", scope);
}

/* An output of 'o' with the scope and the name that the request has; false: answered. */
static bool make_derived(struct serve *s, const struct request *q, const struct tsp_output *o,
                         struct tsp_derived *ret, struct reply *r)
{
    const char *name = name_asked(q);

    *ret = (struct tsp_derived){ .scope = take_scope(s, q, r), .parent = o };
    if (!ret->scope)
        return false;
    ret->name = arena_printf(q->mem, "%.255s", name && *name ? name : ret->scope);
    ret->id = arena_printf(q->mem, "%s:%s", o->id, ret->scope);
    if (tsp_derived_put(s, ret))
        return true;
    reply_fail(r, 400, "there are too many outputs already");
    return false;
}

void tsp_post_derived(struct serve *s, const struct request *q, struct reply *r)
{
    const char *type = json_string_value(json_object_get(q->body, "sourceTypeId"));
    const struct tsp_output *o = tsp_output_asked(s, q, r, NULL);
    struct tsp_derived d;

    if (!o)
        return;
    if (o->type != TSP_GRAPH || (type && strcmp(type, SCOPE_TYPE) != 0))
        reply_fail(r, 400, "outputs can be made of time graphs, with " SCOPE_TYPE);
    else if (make_derived(s, q, o, &d, r))
        put_output(reply_json(r), o, &d);
}

void tsp_delete_derived(struct serve *s, const struct request *q, struct reply *r)
{
    const struct tsp_output *o = tsp_output_asked(s, q, r, NULL);
    struct tsp_derived d;

    if (!o)
        return;
    if (find_derived(s, q->holes[2], q->mem, &d) && d.parent == o &&
        tsp_derived_delete(s, q->holes[2], q->mem, &d))
        put_output(reply_json(r), o, &d);
    else
        reply_fail(r, 404, "there is no such output, or it can't be deleted");
}

/* --- configurations: an output of any instance, host, ... kept by its scope ------------------- */

static void put_config(struct json *j, const struct tsp_derived *d)
{
    json_open(j, '{');
    json_kstr(j, "id", str_of(d->id));
    json_kstr(j, "name", str_of(d->name));
    json_kstr(j, "description", str_of(d->scope));
    json_kstr(j, "sourceTypeId", STR(SCOPE_TYPE));
    json_kopen(j, "parameters", '{');
    json_kstr(j, "scope", str_of(d->scope));
    json_close(j, '}');
    json_close(j, '}');
}

void tsp_configs(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_derived d;

    if (!is_type(q->holes[0], r))
        return;
    struct json *j = reply_json(r);
    json_open(j, '[');
    for (size_t i = 0; tsp_derived_at(s, i, q->mem, &d); i++)
        put_config(j, &d);
    json_close(j, ']');
}

void tsp_post_config(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_derived d;

    if (is_type(q->holes[0], r) && make_derived(s, q, find_plain(STR("cloud.vm.layers")), &d, r))
        put_config(reply_json(r), &d);
}

void tsp_get_config(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_derived d;

    if (!is_type(q->holes[0], r))
        return;
    if (find_derived(s, q->holes[1], q->mem, &d))
        put_config(reply_json(r), &d);
    else
        reply_fail(r, 404, "there is no such configuration");
}

void tsp_put_config(struct serve *s, const struct request *q, struct reply *r)
{
    const char *name = name_asked(q);
    struct tsp_derived d;

    if (!is_type(q->holes[0], r))
        return;
    if (!find_derived(s, q->holes[1], q->mem, &d)) {
        reply_fail(r, 404, "there is no such configuration");
        return;
    }
    char *scope = scope_asked(q) ? take_scope(s, q, r) : d.scope;
    if (!scope)
        return;
    d.scope = scope; /* its id stays */
    d.name = name && *name ? arena_printf(q->mem, "%.255s", name) : d.name;
    if (tsp_derived_put(s, &d))
        put_config(reply_json(r), &d);
    else
        reply_fail(r, 404, "there is no such configuration any more");
}

void tsp_delete_config(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp_derived d;

    if (!is_type(q->holes[0], r))
        return;
    if (tsp_derived_delete(s, q->holes[1], q->mem, &d))
        put_config(reply_json(r), &d);
    else
        reply_fail(r, 404, "there is no such configuration");
}
