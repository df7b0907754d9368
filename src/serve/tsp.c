/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp.c -- traces and experiments of the Trace Server Protocol; see tsp.h.
 *
 * A client thinks that it opens traces and makes experiments of them.  Here they are open already:
 * a trace is a path that the server was started with, and whatever a client makes of some of them
 * shows the histories of all. */
#include "serve/tsp_priv.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { EXPERIMENTS_MOST = 64, DERIVED_MOST = 256, UUID_TEXT = 37 };

struct trace {
    char uuid[UUID_TEXT];
    char *name, *path; /* path: as it is on the disk */
    bool open;
};

struct experiment_of {
    char uuid[UUID_TEXT];
    char *name;
    bool *has; /* by trace */
};

struct tsp {
    pthread_mutex_t lock;
    struct trace *traces;
    size_t ntraces;
    struct experiment_of experiments[EXPERIMENTS_MOST];
    size_t nexperiments;
    struct tsp_derived derived[DERIVED_MOST];
    size_t nderived;
};

/* The same text, the same uuid (its form is that of version 8: made up by us). */
static void make_uuid(const char *text, uint64_t seed, char out[static UUID_TEXT])
{
    uint64_t a = hash_bytes(text, strlen(text), seed), b = hash_bytes(text, strlen(text), seed + 1);

    snprintf(out, UUID_TEXT, "%08x-%04x-8%03x-%04x-%012llx", (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
             0x8000 | ((unsigned)(b >> 48) & 0x3fff), (unsigned long long)b & 0xffffffffffffULL);
}

static char *whole_path(const char *path)
{
    char *real = realpath(path, NULL);

    return real ? real : strdup(path);
}

static char *base_name(const char *path)
{
    size_t n = strlen(path);

    while (n > 1 && path[n - 1] == '/')
        n--;
    struct str s = { path, n };
    size_t slash = str_rchr(s, '/');
    struct str base = slash == STR_NONE || slash + 1 == n ? s : str_from(s, slash + 1);
    return strndup(base.p, base.n);
}

static struct experiment_of *find_experiment(struct tsp *t, struct str uuid)
{
    for (size_t i = 0; i < t->nexperiments; i++)
        if (str_is(uuid, t->experiments[i].uuid))
            return &t->experiments[i];
    return NULL;
}

static struct experiment_of *add_experiment(struct tsp *t, const char *name, const bool *has)
{
    struct experiment_of e = { .name = strdup(name), .has = xcalloc(t->ntraces + 1, 1) };
    uint64_t seed = 77;

    memcpy(e.has, has, t->ntraces);
    do /* one that was called so before it got another name has that uuid still */
        make_uuid(name, seed++, e.uuid);
    while (find_experiment(t, str_of(e.uuid)));
    t->experiments[t->nexperiments] = e;
    return &t->experiments[t->nexperiments++];
}

struct tsp *tsp_new(struct serve *s)
{
    struct tsp *t = xcalloc(1, sizeof *t);

    pthread_mutex_init(&t->lock, NULL);
    t->ntraces = s->o->npaths;
    t->traces = xcalloc(t->ntraces + 1, sizeof *t->traces);
    bool *all = xcalloc(t->ntraces + 1, 1);
    for (size_t i = 0; i < t->ntraces; i++) {
        struct trace *x = &t->traces[i];

        x->path = whole_path(s->o->paths[i]);
        x->name = base_name(x->path);
        x->open = all[i] = true;
        make_uuid(x->path, 3, x->uuid);
    }
    add_experiment(t, t->ntraces ? t->traces[0].name : "neph", all);
    free(all);
    return t;
}

static void free_derived(struct tsp_derived *d)
{
    free(d->id);
    free(d->name);
    free(d->scope);
}

void tsp_free(struct tsp *t)
{
    for (size_t i = 0; i < t->ntraces; i++) {
        free(t->traces[i].path);
        free(t->traces[i].name);
    }
    for (size_t i = 0; i < t->nexperiments; i++) {
        free(t->experiments[i].name);
        free(t->experiments[i].has);
    }
    for (size_t i = 0; i < t->nderived; i++)
        free_derived(&t->derived[i]);
    free(t->traces);
    free(t);
}

/* --- what all answers have ----------------------------------------------------------------- */

const json_t *tsp_parameters(const struct request *q)
{
    return json_object_get(q->body, "parameters");
}

bool tsp_int(const json_t *from, const char *name, int64_t *ret)
{
    const json_t *v = json_object_get(from, name);

    if (!json_is_integer(v))
        return false;
    *ret = json_integer_value(v);
    return true;
}

struct json *tsp_model(struct reply *r)
{
    struct json *j = reply_json(r);

    json_open(j, '{');
    json_key(j, STR("model"));
    return j;
}

void tsp_model_say(struct json *j, struct serve *s, const char *message)
{
    json_kstr(j, "status", str_of(serve_state_name(serve_progress_now(s).state)));
    json_kstr(j, "statusMessage", str_of(message));
    json_close(j, '}');
}

void tsp_model_end(struct json *j, struct serve *s)
{
    struct serve_progress p = serve_progress_now(s);

    tsp_model_say(j, s, p.stage);
}

bool tsp_is_ready(struct serve *s)
{
    return serve_progress_now(s).state == SERVE_READY;
}

bool tsp_ready(struct serve *s, struct reply *r)
{
    if (tsp_is_ready(s))
        return true;
    struct json *j = tsp_model(r);
    r->passing = true;
    json_none(j);
    tsp_model_end(j, s);
    return false;
}

void tsp_double(struct json *j, double v)
{
    fprintf(json_raw(j), "%.8g", v);
}

/* --- traces -------------------------------------------------------------------------------- */

/* While it is RUNNING, viewers ask again and again. */
static const char *indexing_status(enum serve_state s)
{
    return s == SERVE_RUNNING ? "RUNNING" : s == SERVE_READY ? "COMPLETED" : "CLOSED";
}

static void put_state(struct serve *s, struct json *j)
{
    enum serve_state state = serve_progress_now(s).state;
    bool ready = state == SERVE_READY;

    json_ki64(j, "start", ready ? s->all.t0 : 0);
    json_ki64(j, "end", ready ? s->all.t1 : 0);
    json_ku64(j, "nbEvents", ready ? s->events : 0);
    json_kstr(j, "indexingStatus", str_of(indexing_status(state)));
}

static void put_trace(struct serve *s, const struct trace *t, struct json *j)
{
    bool ready = tsp_is_ready(s);
    struct sbuf hosts = { 0 };

    json_open(j, '{');
    json_kstr(j, "UUID", str_of(t->uuid));
    json_kstr(j, "name", str_of(t->name));
    json_kstr(j, "path", str_of(t->path));
    put_state(s, j);
    json_kopen(j, "properties", '{');
    for (uint32_t i = 0; ready && i < s->src.nhosts; i++)
        sbuf_fmt(&hosts, "%s%s", i ? ", " : "", store_host(s->src.hosts[i]));
    json_kstr(j, "hosts", sbuf_view(&hosts));
    json_kstr(j, "reader", STR("Nephoscope " NEPH_VERSION));
    json_close(j, '}');
    json_close(j, '}');
    sbuf_free(&hosts);
}

static struct trace *find_trace(struct tsp *t, struct str uuid)
{
    for (size_t i = 0; i < t->ntraces; i++)
        if (str_is(uuid, t->traces[i].uuid) && t->traces[i].open)
            return &t->traces[i];
    return NULL;
}

static void list_traces(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);

    (void)q;
    pthread_mutex_lock(&s->tsp->lock);
    json_open(j, '[');
    for (size_t i = 0; i < s->tsp->ntraces; i++)
        if (s->tsp->traces[i].open)
            put_trace(s, &s->tsp->traces[i], j);
    json_close(j, ']');
    pthread_mutex_unlock(&s->tsp->lock);
}

static void post_trace(struct serve *s, const struct request *q, struct reply *r)
{
    const char *uri = json_string_value(json_object_get(tsp_parameters(q), "uri"));
    struct tsp *t = s->tsp;
    struct trace *found = NULL;

    if (!uri) {
        reply_fail(r, 400, "parameters.uri names the trace");
        return;
    }
    char *path = whole_path(strncmp(uri, "file://", 7) == 0 ? uri + 7 : uri);
    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->ntraces && !found; i++)
        if (strcmp(t->traces[i].path, path) == 0)
            found = &t->traces[i];
    if (found) {
        found->open = true;
        put_trace(s, found, reply_json(r));
    } else {
        reply_fail(r, 404, "this server shows the traces that it was started with, not %s", uri);
    }
    pthread_mutex_unlock(&t->lock);
    free(path);
}

static void get_trace(struct serve *s, const struct request *q, struct reply *r)
{
    pthread_mutex_lock(&s->tsp->lock);
    struct trace *t = find_trace(s->tsp, q->holes[0]);
    if (t)
        put_trace(s, t, reply_json(r));
    else
        reply_fail(r, 404, "there is no such trace");
    pthread_mutex_unlock(&s->tsp->lock);
}

/* The trace is shut for the client; nothing is removed from the disk. */
static void delete_trace(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp *t = s->tsp;
    bool used = false;

    pthread_mutex_lock(&t->lock);
    struct trace *x = find_trace(t, q->holes[0]);
    for (size_t i = 0; x && i < t->nexperiments; i++)
        used |= t->experiments[i].has[x - t->traces];
    if (!x) {
        reply_fail(r, 404, "there is no such trace");
    } else if (used) {
        reply_fail(r, 409, "an experiment uses this trace");
    } else {
        put_trace(s, x, reply_json(r));
        x->open = false;
    }
    pthread_mutex_unlock(&t->lock);
}

/* --- experiments --------------------------------------------------------------------------- */

static void put_experiment(struct serve *s, const struct experiment_of *e, struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "UUID", str_of(e->uuid));
    json_kstr(j, "name", str_of(e->name));
    put_state(s, j);
    json_kopen(j, "traces", '[');
    for (size_t i = 0; i < s->tsp->ntraces; i++)
        if (e->has[i])
            put_trace(s, &s->tsp->traces[i], j);
    json_close(j, ']');
    json_close(j, '}');
}

bool tsp_has_experiment(struct serve *s, struct str uuid, struct reply *r)
{
    pthread_mutex_lock(&s->tsp->lock);
    bool has = find_experiment(s->tsp, uuid) != NULL;
    pthread_mutex_unlock(&s->tsp->lock);
    if (!has)
        reply_fail(r, 404, "there is no such experiment");
    return has;
}

static void list_experiments(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);

    (void)q;
    pthread_mutex_lock(&s->tsp->lock);
    json_open(j, '[');
    for (size_t i = 0; i < s->tsp->nexperiments; i++)
        put_experiment(s, &s->tsp->experiments[i], j);
    json_close(j, ']');
    pthread_mutex_unlock(&s->tsp->lock);
}

/* The traces that are named; false: one is not known. */
static bool take_traces(struct tsp *t, const json_t *list, bool *has)
{
    const json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
    {
        const char *uuid = json_string_value(v);
        struct trace *x = uuid ? find_trace(t, str_of(uuid)) : NULL;

        if (!x)
            return false;
        has[x - t->traces] = true;
    }
    return true;
}

static void make_experiment(struct serve *s, const char *name, const bool *has, struct reply *r)
{
    struct tsp *t = s->tsp;
    struct experiment_of *same = NULL;

    for (size_t i = 0; i < t->nexperiments && !same; i++)
        if (strcmp(t->experiments[i].name, name) == 0)
            same = &t->experiments[i];
    if (same && memcmp(same->has, has, t->ntraces) != 0) {
        struct json *j = reply_json(r);

        r->status = 409; /* with the experiment that is in the way */
        json_open(j, '{');
        json_kstr(j, "title", STR("Conflict"));
        json_kstr(j, "detail", STR("an experiment of this name has other traces"));
        json_key(j, STR("experiment"));
        put_experiment(s, same, j);
        json_close(j, '}');
        return;
    }
    if (!same && t->nexperiments == EXPERIMENTS_MOST) {
        reply_fail(r, 400, "there are %d experiments already", EXPERIMENTS_MOST);
        return;
    }
    put_experiment(s, same ? same : add_experiment(t, name, has), reply_json(r));
}

static void post_experiment(struct serve *s, const struct request *q, struct reply *r)
{
    const json_t *p = tsp_parameters(q), *traces = json_object_get(p, "traces");
    const char *name = json_string_value(json_object_get(p, "name"));
    struct tsp *t = s->tsp;
    bool *has = arena_alloc(q->mem, t->ntraces + 1);

    if (!name || !*name || strlen(name) > 255 || !json_is_array(traces)) {
        reply_fail(r, 400, "parameters.name and parameters.traces are needed");
        return;
    }
    pthread_mutex_lock(&t->lock);
    if (take_traces(t, traces, has))
        make_experiment(s, name, has, r);
    else
        r->status = 204; /* as the protocol has it */
    pthread_mutex_unlock(&t->lock);
}

static void get_experiment(struct serve *s, const struct request *q, struct reply *r)
{
    pthread_mutex_lock(&s->tsp->lock);
    struct experiment_of *e = find_experiment(s->tsp, q->holes[0]);
    if (e)
        put_experiment(s, e, reply_json(r));
    else
        reply_fail(r, 404, "there is no such experiment");
    pthread_mutex_unlock(&s->tsp->lock);
}

static void put_experiment_name(struct serve *s, const struct request *q, struct reply *r)
{
    const char *name = json_string_value(json_object_get(tsp_parameters(q), "name"));

    pthread_mutex_lock(&s->tsp->lock);
    struct experiment_of *e = find_experiment(s->tsp, q->holes[0]);
    if (e && name && *name && strlen(name) < 256) {
        free(e->name);
        e->name = strdup(name);
    }
    if (e)
        put_experiment(s, e, reply_json(r));
    else
        reply_fail(r, 404, "there is no such experiment");
    pthread_mutex_unlock(&s->tsp->lock);
}

static void delete_experiment(struct serve *s, const struct request *q, struct reply *r)
{
    struct tsp *t = s->tsp;

    pthread_mutex_lock(&t->lock);
    struct experiment_of *e = find_experiment(t, q->holes[0]);
    if (e) {
        put_experiment(s, e, reply_json(r));
        free(e->name);
        free(e->has);
        *e = t->experiments[--t->nexperiments];
    } else {
        reply_fail(r, 404, "there is no such experiment");
    }
    pthread_mutex_unlock(&t->lock);
}

/* --- outputs that clients made ------------------------------------------------------------- */

static struct tsp_derived copy_derived(const struct tsp_derived *d, struct arena *mem)
{
    return (struct tsp_derived){ arena_printf(mem, "%s", d->id), arena_printf(mem, "%s", d->name),
                                 arena_printf(mem, "%s", d->scope), d->parent };
}

bool tsp_derived_at(struct serve *s, size_t i, struct arena *mem, struct tsp_derived *ret)
{
    pthread_mutex_lock(&s->tsp->lock);
    bool is = i < s->tsp->nderived;
    if (is)
        *ret = copy_derived(&s->tsp->derived[i], mem);
    pthread_mutex_unlock(&s->tsp->lock);
    return is;
}

bool tsp_derived_put(struct serve *s, const struct tsp_derived *d)
{
    struct tsp *t = s->tsp;

    pthread_mutex_lock(&t->lock);
    size_t i = 0;
    while (i < t->nderived && strcmp(t->derived[i].id, d->id) != 0)
        i++;
    bool fits = i < DERIVED_MOST;
    if (fits) {
        struct tsp_derived new = { strdup(d->id), strdup(d->name), strdup(d->scope), d->parent };

        free_derived(&t->derived[i]);
        t->derived[i] = new;
        t->nderived += i == t->nderived;
    }
    pthread_mutex_unlock(&t->lock);
    return fits;
}

bool tsp_derived_delete(struct serve *s, struct str id, struct arena *mem, struct tsp_derived *ret)
{
    struct tsp *t = s->tsp;
    bool found = false;

    pthread_mutex_lock(&t->lock);
    for (size_t i = 0; i < t->nderived && !found; i++) {
        if (!str_is(id, t->derived[i].id))
            continue;
        found = true;
        *ret = copy_derived(&t->derived[i], mem);
        free_derived(&t->derived[i]);
        t->derived[i] = t->derived[--t->nderived];
        t->derived[t->nderived] = (struct tsp_derived){ 0 };
    }
    pthread_mutex_unlock(&t->lock);
    return found;
}

/* --- the server ---------------------------------------------------------------------------- */

static void get_health(struct serve *s, const struct request *q, struct reply *r)
{
    struct json *j = reply_json(r);

    (void)s, (void)q;
    json_open(j, '{');
    json_kstr(j, "status", STR("UP"));
    json_close(j, '}');
}

static void get_identifier(struct serve *s, const struct request *q, struct reply *r)
{
    long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES),
         page = sysconf(_SC_PAGESIZE);
    struct json *j = reply_json(r);
    struct utsname u = { 0 };

    (void)s, (void)q;
    uname(&u);
    json_open(j, '{');
    json_kstr(j, "version", STR(NEPH_VERSION));
    json_kstr(j, "os", str_of(u.sysname));
    json_kstr(j, "osArch", str_of(u.machine));
    json_kstr(j, "osVersion", str_of(u.release));
    json_ki64(j, "cpuCount", cpus > 0 ? cpus : 1);
    json_ki64(j, "maxMemory", pages > 0 && page > 0 ? (int64_t)pages * page : 1);
    json_kstr(j, "productId", STR("neph"));
    json_kstr(j, "tspVersion", STR("0.6.0"));
    json_close(j, '}');
}

static void get_metrics(struct serve *s, const struct request *q, struct reply *r)
{
    (void)s, (void)q;
    reply_fail(r, 404, "this address is kept for metrics, which come in a later version");
}

/* --- the table ----------------------------------------------------------------------------- */

#define EARLY (ROUTE_TSP | ROUTE_EARLY)
#define SLOW (ROUTE_TSP | ROUTE_EARLY | ROUTE_SLOW)
#define R(method, path, flags, fn)                       \
    {                                                    \
        METHOD_##method, path, flags, "", NULL, NULL, fn \
    }
#define API "/tsp/api"
#define E API "/experiments/{uuid}"
#define O E "/outputs"

/* clang-format off */
const struct route tsp_routes[] = {
    R(GET, API "/health", EARLY, get_health),
    R(GET, API "/identifier", EARLY, get_identifier),
    R(GET, API "/traces", EARLY, list_traces),
    R(POST, API "/traces", EARLY, post_trace),
    R(GET, API "/traces/{uuid}", EARLY, get_trace),
    R(DELETE, API "/traces/{uuid}", EARLY, delete_trace),
    R(GET, API "/experiments", EARLY, list_experiments),
    R(POST, API "/experiments", EARLY, post_experiment),
    R(GET, E, EARLY, get_experiment),
    R(PUT, E, EARLY, put_experiment_name),
    R(DELETE, E, EARLY, delete_experiment),
    R(GET, O, EARLY, tsp_list_outputs),
    R(GET, O "/markerSets", EARLY, tsp_marker_sets),
    R(GET, O "/{id}", EARLY, tsp_get_output),
    R(POST, O "/timeGraph/{id}/tree", SLOW, tsp_post_tree),
    R(POST, O "/timeGraph/{id}/states", SLOW, tsp_post_states),
    R(POST, O "/timeGraph/{id}/arrows", SLOW, tsp_post_arrows),
    R(POST, O "/timeGraph/{id}/tooltip", SLOW, tsp_post_tooltip),
    R(POST, O "/XY/{id}/tree", SLOW, tsp_post_tree),
    R(POST, O "/XY/{id}/xy", SLOW, tsp_post_xy),
    R(GET, O "/XY/{id}/tooltip", SLOW, tsp_get_xy_tooltip),
    R(POST, O "/genericXY/{id}/tree", SLOW, tsp_post_tree),
    R(POST, O "/genericXY/{id}/xy", SLOW, tsp_post_xy),
    R(POST, O "/data/{id}/tree", SLOW, tsp_post_tree),
    R(POST, O "/table/{id}/columns", EARLY, tsp_post_columns),
    R(POST, O "/table/{id}/lines", SLOW, tsp_post_lines),
    R(POST, O "/{id}/style", EARLY, tsp_post_style),
    R(GET, O "/{id}/annotations", EARLY, tsp_get_annotations),
    R(POST, O "/{id}/annotations", SLOW, tsp_post_annotations),
    R(GET, O "/{id}/configTypes", EARLY, tsp_output_config_types),
    R(GET, O "/{id}/configTypes/{type}", EARLY, tsp_output_config_type),
    R(POST, O "/{id}", EARLY, tsp_post_derived),
    R(DELETE, O "/{id}/{derived}", EARLY, tsp_delete_derived),
    R(GET, API "/config/types", EARLY, tsp_config_types),
    R(GET, API "/config/types/{type}", EARLY, tsp_config_type),
    R(POST, API "/config/types/{type}", EARLY, tsp_post_config),
    R(GET, API "/config/types/{type}/configs", EARLY, tsp_configs),
    R(POST, API "/config/types/{type}/configs", EARLY, tsp_post_config),
    R(GET, API "/config/types/{type}/configs/{config}", EARLY, tsp_get_config),
    R(PUT, API "/config/types/{type}/configs/{config}", EARLY, tsp_put_config),
    R(DELETE, API "/config/types/{type}/configs/{config}", EARLY, tsp_delete_config),
    R(GET, "/metrics", EARLY, get_metrics),
    { 0 },
};
/* clang-format on */
