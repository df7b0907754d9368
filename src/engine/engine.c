/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c -- see engine.h. */
#define _GNU_SOURCE
#include "engine/engine.h"

#include "engine/rules.h"
#include "engine/told.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct subscriber {
    handler_fn fn;
    void *state;
};

/* A time in which a tracer of the host lost events, or, between two traces, was not there. */
struct loss {
    ns_t begin, end; /* begin: of the last event before; NS_MIN: not known */
    uint32_t cpu;
    int64_t events;
    struct str domain;
    bool untraced;
};

struct pass_priv {
    const struct analysis *const *list;
    void **states;
    VEC(struct subscriber) subs[EV_TYPES];
    VEC(struct compiled_rule) rules[EV_TYPES];
    int depth;                     /* of derived events */
    VEC(struct loss) losses;       /* in the order of their ends */
    size_t loss;                   /* to come next               */
    VEC(struct loss) begins;       /* in the order of their begins, those that have one */
    size_t begin;                  /* to come next */
    uint64_t counts[EV_TYPES + 1]; /* the last: of types that nobody asks for */
    struct strtab unasked;         /* the names of these                      */
};

enum { EMIT_DEPTH = 8, STOP_EVENTS = 65536 };

/* The schema speaks in its own terms because it is below the store; these are
 * the same facts in the store's terms, made once. */
static struct store_table tables[SCHEMA_TABLES];
static struct store_column columns[SCHEMA_TABLES][32];
static struct store_family families[SCHEMA_ATTRS];
static struct store_value values[SCHEMA_ATTRS][32];

static void make_family(enum schema_attr a)
{
    static const enum store_type types[] = {
        [SCHEMA_STATE] = STORE_STATE, [SCHEMA_INT] = STORE_INT, [SCHEMA_STR] = STORE_STR
    };
    const struct schema_attr_def *d = &schema_attrs[a];

    families[a] = (struct store_family){ d->path, d->title, types[d->type], d->unit, values[a], 0 };
    if (!d->values)
        return;
    assert(d->values->n <= ARRAY_SIZE(values[a]));
    families[a].nvalues = d->values->n;
    for (uint32_t i = 0; i < d->values->n; i++)
        values[a][i] = (struct store_value){ d->values->at[i].label, d->values->at[i].colour,
                                             d->values->at[i].bad };
}

static void make_table(enum schema_table t)
{
    static const enum store_col types[] = { [SCHEMA_TIME] = CELL_TIME,
                                            [SCHEMA_SPAN_NS] = CELL_SPAN_NS,
                                            [SCHEMA_COUNT] = CELL_INT,
                                            [SCHEMA_TEXT] = CELL_TEXT };
    const struct schema_table_def *d = &schema_tables[t];

    assert(d->ncolumns <= ARRAY_SIZE(columns[t]));
    for (uint32_t i = 0; i < d->ncolumns; i++)
        columns[t][i] = (struct store_column){ d->columns[i].name, types[d->columns[i].type] };
    tables[t] = (struct store_table){ d->name, columns[t], d->ncolumns };
}

static void make_schema(void)
{
    for (int i = 0; i < SCHEMA_ATTRS; i++)
        make_family((enum schema_attr)i);
    for (int i = 0; i < SCHEMA_TABLES; i++)
        make_table((enum schema_table)i);
}

static pthread_once_t schema_once = PTHREAD_ONCE_INIT;

const struct store_table *engine_table(enum schema_table t)
{
    pthread_once(&schema_once, make_schema);
    return &tables[t];
}

const struct store_family *engine_family(enum schema_attr a)
{
    pthread_once(&schema_once, make_schema);
    return &families[a];
}

static void subscribe(struct pass *p, const struct analysis *a, void *state)
{
    for (const struct handler *h = a->handlers; h && h->fn; h++)
        *vec_push(&p->priv->subs[h->type]) = (struct subscriber){ h->fn, state };
    for (const struct rule *r = a->rules; r && r->attr != SCHEMA_ATTRS; r++)
        rule_compile(r, vec_push(&p->priv->rules[r->type]));
}

static void pass_init(struct pass *p, const struct analysis *const *list, const struct host *host,
                      struct notes *notes, struct store *s)
{
    size_t n = 0;

    while (list[n])
        n++;
    *p = (struct pass){ .notes = notes, .t0 = NS_MAX, .t1 = NS_MIN, .kernel_t1 = NS_MIN };
    p->host = arena_strdup(&p->mem, host->name.p, host->name.n);
    p->store = s;
    p->priv = arena_new(&p->mem, struct pass_priv);
    p->priv->list = list;
    p->priv->states = arena_array(&p->mem, void *, n);
    for (int i = 0; i < SCHEMA_TABLES; i++)
        p->tables[i] = store_table(p->store, engine_table((enum schema_table)i));
    for (size_t i = 0; i < n; i++) {
        p->priv->states[i] = arena_alloc(&p->mem, list[i]->state_size);
        subscribe(p, list[i], p->priv->states[i]);
        if (list[i]->start)
            list[i]->start(p->priv->states[i], p);
    }
}

static void pass_free(struct pass *p)
{
    for (int t = 0; t < EV_TYPES; t++) {
        for (size_t i = 0; i < p->priv->rules[t].n; i++)
            rule_free(&p->priv->rules[t].at[i]);
        vec_free(&p->priv->rules[t]);
        vec_free(&p->priv->subs[t]);
    }
    vec_free(&p->priv->losses);
    vec_free(&p->priv->begins);
    strtab_free(&p->priv->unasked);
    arena_free(&p->scratch);
    arena_free(&p->mem);
}

void pass_emit(struct pass *p, enum ev_type type, const struct ev_head *h, const void *ev)
{
    struct pass_priv *pp = p->priv;

    assert(pp->depth < EMIT_DEPTH && "derived events that derive each other");
    pp->depth++;
    for (size_t i = 0; i < pp->subs[type].n; i++)
        pp->subs[type].at[i].fn(pp->subs[type].at[i].state, p, h, ev);
    for (size_t i = 0; i < pp->rules[type].n; i++)
        rule_apply(&pp->rules[type].at[i], p->store, h->t, ev);
    pp->depth--;
}

/* Clocks that are read wrongly tell of any time.  What analyses and reports get is in the years
 * 1843 to 2096: no difference of two instants overflows, nor does one rounded up to whole slices.
 */
static ns_t in_reach(ns_t t)
{
    const ns_t far = NS_MAX / 16 * 7;

    return t < -far ? -far : t > far ? far : t;
}

/* --- lost events ------------------------------------------------------------------- */

struct losses_of {
    struct pass *p;
    ns_t shift;
    struct str domain;
};

static void add_loss(void *ctx, const struct reader_loss *l)
{
    struct losses_of *o = ctx;

    if (l->t1 == NS_MAX || l->t1 == NS_MIN)
        note_add(o->p->notes, NOTE_WARN, l->stream,
                 "%" PRIu64 " events and %" PRIu64
                 " packets were lost at a time that the trace does "
                 "not tell: what they would have said is missing, and no state is marked unknown "
                 "for it",
                 l->events, l->packets);
    else
        *vec_push(&o->p->priv->losses) =
            (struct loss){ l->t0 > NS_MIN ? time_add(l->t0, o->shift) : NS_MIN,
                           time_add(l->t1, o->shift),
                           l->cpu,
                           (int64_t)l->events,
                           o->domain,
                           false };
}

static int by_begin(const void *a, const void *b)
{
    const struct loss *x = a, *y = b;

    return (x->begin > y->begin) - (x->begin < y->begin);
}

static int by_end(const void *a, const void *b)
{
    const struct loss *x = a, *y = b;

    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->cpu < y->cpu ? -1 : x->cpu > y->cpu;
}

/* From when to when a trace of the kernel was taken, and of which session it is part. */
struct taken {
    ns_t t0, t1;
    struct str uuid; /* empty: not known */
};

static struct taken taken_of(const struct reader *r)
{
    struct taken x = { NS_MAX, NS_MIN, STR("") };
    struct span reach;

    if (r->ops->reach && r->ops->reach(r, &reach)) {
        x.t0 = in_reach(time_add(reach.t0, r->shift));
        x.t1 = in_reach(time_add(reach.t1, r->shift));
    }
    for (uint32_t i = 0; i < r->nproperties; i++)
        if (str_is(r->properties[i].key, "uuid"))
            x.uuid = r->properties[i].value;
    return x;
}

static int by_taken(const void *a, const void *b)
{
    const struct taken *x = a, *y = b;

    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

/* Between the traces of two sessions.  Parts of one session (rotations) leave no hole: a CPU that
 * has nothing to say begins its packet late. */
static void find_holes(struct pass *p, const struct host *host)
{
    struct taken *at = xcalloc(host->readers.n + 1, sizeof *at), last;
    size_t n = 0;
    bool known = true;

    for (size_t i = 0; i < host->readers.n; i++)
        if (str_is(host->readers.at[i]->domain, "kernel")) {
            at[n] = taken_of(host->readers.at[i]);
            known &= at[n].t0 <= at[n].t1;
            n++;
        }
    if (n)
        qsort(at, n, sizeof *at, by_taken);
    last = at[0];
    for (size_t i = 1; i < n && known; i++) {
        bool same = at[i].uuid.n && str_eq(at[i].uuid, last.uuid);

        if (at[i].t0 > last.t1 && !same)
            *vec_push(&p->priv->losses) =
                (struct loss){ last.t1, at[i].t0, UINT32_MAX, 0, STR("kernel"), true };
        if (at[i].t1 > last.t1)
            last = at[i];
    }
    free(at);
}

static void find_losses(struct pass *p, const struct host *host)
{
    for (size_t i = 0; i < host->readers.n; i++) {
        const struct reader *r = host->readers.at[i];
        struct losses_of o = { p, r->shift, r->domain };

        if (r->ops->losses)
            r->ops->losses(r, add_loss, &o);
    }
    find_holes(p, host);
    if (p->priv->losses.n)
        qsort(p->priv->losses.at, p->priv->losses.n, sizeof *p->priv->losses.at, by_end);
    for (size_t i = 0; i < p->priv->losses.n; i++)
        if (p->priv->losses.at[i].begin > NS_MIN && !p->priv->losses.at[i].untraced)
            *vec_push(&p->priv->begins) = p->priv->losses.at[i];
    if (p->priv->begins.n)
        qsort(p->priv->begins.at, p->priv->begins.n, sizeof *p->priv->begins.at, by_begin);
}

static void tell_losing(struct pass *p, const struct loss *l, ns_t t, bool begins)
{
    struct ev_head h = { .t = t, .cpu = l->cpu, .pid = -1, .tid = -1 };
    struct ev_losing_events ev = { .domain = l->domain, .begins = begins };

    pass_emit(p, EV_LOSING_EVENTS, &h, &ev);
}

/* Events that are lost are events too: they come when their time is over.  That they are being
 * lost is told before what comes then. */
static void losses_until(struct pass *p, ns_t t)
{
    struct pass_priv *pp = p->priv;

    for (; pp->begin < pp->begins.n && pp->begins.at[pp->begin].begin < t; pp->begin++)
        tell_losing(p, &pp->begins.at[pp->begin], pp->begins.at[pp->begin].begin, true);
    for (; pp->loss < pp->losses.n && pp->losses.at[pp->loss].end <= t; pp->loss++) {
        const struct loss *l = &pp->losses.at[pp->loss];
        struct ev_head h = { .t = l->end, .cpu = l->cpu, .pid = -1, .tid = -1 };
        struct ev_lost_events ev = { .domain = l->domain, .events = l->events };

        if (l->untraced) {
            pass_emit(p, EV_UNTRACED, &h, &(struct ev_untraced){ .since = l->begin });
            continue;
        }
        pass_emit(p, EV_LOST_EVENTS, &h, &ev);
        if (l->begin > NS_MIN)
            tell_losing(p, l, l->end, false);
    }
}

/* What the history can be expected to know: how many events of each type there were. */
static void tell_counts(struct pass *p)
{
    char key[64], n[24];

    for (int i = 0; i <= EV_OTHER; i++) {
        if (p->priv->counts[i] == 0)
            continue;
        snprintf(key, sizeof key, "events.%s", i == EV_OTHER ? "(others)" : ev_descs[i].name);
        snprintf(n, sizeof n, "%" PRIu64, p->priv->counts[i]);
        store_set_fact(p->store, key, str_of(n));
    }
}

/* Which names of events were seen, of one reader, by event class. */
struct seen {
    VEC(uint8_t) at;
};

static void see_unasked(struct pass *p, struct seen *seen, const struct reader_event *e)
{
    if (e->class_no < seen->at.n && seen->at.at[e->class_no])
        return;
    while (seen->at.n <= e->class_no)
        *vec_push(&seen->at) = 0;
    seen->at.at[e->class_no] = 1;
    strtab_id(&p->priv->unasked, e->name);
}

/* Their names, so that what is not analysed can be said. */
static void tell_unasked(struct pass *p, struct seen *seen, uint32_t nreaders)
{
    enum { MOST_BYTES = 1 << 16 };
    struct sbuf names = { 0 };

    for (uint32_t id = 1; id < p->priv->unasked.strs.n && names.n < MOST_BYTES; id++)
        sbuf_fmt(&names, "%s" STR_FMT, id > 1 ? "," : "",
                 STR_ARG(strtab_get(&p->priv->unasked, id)));
    if (names.n)
        store_set_fact(p->store, "unasked", sbuf_view(&names));
    sbuf_free(&names);
    for (uint32_t i = 0; i < nreaders; i++)
        vec_free(&seen[i].at);
    free(seen);
}

/* --- a pass -------------------------------------------------------------------------- */

/* Tells who watches how far the pass is; false: it is to stop. */
static bool go_on(const struct engine_watch *w, const struct experiment *x, const struct host *host,
                  uint64_t events)
{
    char name[256];

    if (!w)
        return true;
    snprintf(name, sizeof name, STR_FMT, STR_ARG(host->name));
    return w->step(w->ctx, name, (uint32_t)(host - x->hosts.at), (uint32_t)x->hosts.n, events);
}

/* False: who watches wants it to stop. */
static bool run_events(struct pass *p, const struct experiment *x, const struct host *host,
                       const struct engine_watch *watch)
{
    _Alignas(16) char ev[EV_MAX_BYTES];
    struct stream_head *s;
    struct merged m;
    struct ev_head h;
    uint64_t n = 0;
    bool stopped = false;

    find_losses(p, host);
    merged_init(&m, x, host, NS_MIN);
    struct seen *seen = xcalloc(m.n + 1, sizeof *seen);
    while ((s = merged_next(&m))) {
        enum ev_type type = s->ev.type;

        if (n++ % STOP_EVENTS == 0) {
            stopped = !go_on(watch, x, host, n);
            if (stopped || store_failed(p->store)) /* a full disk: read no further */
                break;
        }

        ns_t t = in_reach(s->ev.t);
        p->t0 = t < p->t0 ? t : p->t0;
        p->t1 = t > p->t1 ? t : p->t1;
        if (p->priv->loss < p->priv->losses.n)
            losses_until(p, t);
        p->priv->counts[type]++;
        if (type == EV_OTHER) {
            see_unasked(p, &seen[s - m.heads], &s->ev);
            continue;
        }
        if (p->priv->subs[type].n == 0 && p->priv->rules[type].n == 0)
            continue;
        s->reader->ops->fill(s->reader, &h, ev);
        h.t = t;
        h.source = (uint32_t)(s - m.heads);
        pass_emit(p, type, &h, ev);
        arena_reset(&p->scratch);
    }
    for (uint32_t i = 0; i < m.n; i++)
        if (m.heads[i].reader->clock_id.n) {
            store_set_fact(p->store, "clock", m.heads[i].reader->clock_id);
            break;
        }
    for (uint32_t i = 0; i < m.n; i++)
        if (str_is(m.heads[i].reader->domain, "kernel") && in_reach(m.heads[i].ev.t) > p->kernel_t1)
            p->kernel_t1 = in_reach(m.heads[i].ev.t);
    losses_until(p, p->t1);
    tell_unasked(p, seen, m.n);
    merged_free(&m);
    tell_counts(p);
    return !stopped;
}

/* That this process may use; NEPH_THREADS says otherwise, for tests and measurements. */
static long cpus(void)
{
    const char *told = getenv("NEPH_THREADS");
    cpu_set_t set;

    if (told)
        return strtol(told, NULL, 10);
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* Runs the analyses over a host into an empty history, without finishing it.  False: who watches
 * wants it to stop. */
static bool fill_host(const struct analysis *const *list, const struct experiment *x,
                      const struct host *host, const struct engine_watch *watch,
                      struct notes *notes, struct store *s, struct span *ret)
{
    struct pass p;

    if (cpus() > 1)
        store_write_behind(s);
    pass_init(&p, list, host, notes, s);
    bool whole = run_events(&p, x, host, watch);
    if (p.t0 > p.t1)
        p.t0 = p.t1 = 0;
    for (size_t i = 0; list[i]; i++)
        if (list[i]->finish)
            list[i]->finish(p.priv->states[i], &p);
    *ret = (struct span){ p.t0, p.t1 == NS_MAX ? NS_MAX : p.t1 + 1 };
    pass_free(&p);
    return whole;
}

int engine_run_host(const struct analysis *const *list, const struct experiment *x,
                    const struct host *host, struct notes *notes, struct store **ret,
                    struct err *err)
{
    char *name = strndup(host->name.p, host->name.n);
    struct store *s = store_new(name);

    free(name);
    if (!s)
        return err_set(err, E_LIMIT, "there is no memory left for a history");
    struct span span;

    fill_host(list, x, host, NULL, notes, s, &span);
    int rc = store_finish(s, span.t0, span.t1, err);

    if (rc < 0)
        store_free(s);
    else
        *ret = s;
    return rc;
}

/* --- histories that are kept ------------------------------------------------------- */

/* What the functions below get of keep.h's jobs. */
struct host_job {
    const struct analysis *const *list;
    struct experiment *x;
    struct host *host;
    struct notes *notes;
    const struct engine_watch *watch;
    VEC(struct identity) looks; /* of the traces, before the pass */
};

/* What the pass notes goes into the history as well, so it is kept apart first. */
static int fill_job(void *ctx, struct store *s, struct err *err)
{
    struct host_job *j = ctx;
    struct notes before = *j->notes; /* readers have the address */
    struct reader_totals totals;

    *j->notes = (struct notes){ 0 };
    struct span span;
    bool whole = fill_host(j->list, j->x, j->host, j->watch, j->notes, s, &span);
    struct notes mine = *j->notes;
    *j->notes = before;
    experiment_totals(j->x, j->host, &totals);
    told_write(s, j->host, &mine, &totals);
    int rc =
        whole ? store_finish(s, span.t0, span.t1, err) : err_set(err, E_ARG, "it was told to stop");
    if (rc == 0)
        notes_move(j->notes, &mine);
    notes_free(&mine);
    return rc;
}

static int again_job(void *ctx, struct err *err)
{
    struct host_job *j = ctx;

    return experiment_reopen(j->x, j->host, err);
}

static bool changed_job(void *ctx)
{
    struct host_job *j = ctx;

    for (size_t i = 0; i < j->host->readers.n; i++) {
        struct files_looks looks;
        struct err err;

        if (files_looks(j->host->readers.at[i]->path, &looks, &err) < 0 ||
            !identity_eq(looks.id, j->looks.at[i]))
            return true;
    }
    return false;
}

/* The key of a host's history: what its readers read, in their order, which decides
 * between equal times. */
static int host_key(struct keep *k, struct host_job *j, struct identity *ret, struct err *err)
{
    struct identity_sum sum = { 0 };
    int rc = 0;

    identity_add_text(&sum, str_of(keep_version(k)));
    identity_add_text(&sum, j->host->name);
    for (size_t i = 0; i < j->host->readers.n && rc == 0; i++) {
        const char *path = j->host->readers.at[i]->path;
        struct identity content, looks;

        rc = keep_content(k, path, j->x->opened, &content, &looks, err);
        if (rc == 0) {
            *vec_push(&j->looks) = looks;
            identity_add(&sum, &content, sizeof content);
        }
    }
    struct identity key = identity_end(&sum);
    if (rc == 0)
        *ret = key;
    return rc;
}

/* The history of one host: kept, or made and kept. */
static int keep_host(const struct analysis *const *list, struct experiment *x, struct host *host,
                     struct keep *k, const struct engine_watch *watch, struct notes *notes,
                     struct kept *ret, struct identity *ret_key, bool *ret_keyed, struct err *err)
{
    struct host_job j = { list, x, host, notes, watch, { 0 } };
    char *name = strndup(host->name.p, host->name.n);
    struct keep_job job = {
        .host = name, .fill = fill_job, .again = again_job, .changed = changed_job, .ctx = &j
    };
    struct err why;

    if (!keep_in_memory(k) && host_key(k, &j, &job.key, &why) < 0)
        job.no_key = why.text;
    int rc = keep_history(k, &job, ret, err);
    if (rc == 0 && ret->reused) {
        told_read(ret->store, host, notes, &host->told);
        host->is_told = true;
    }
    *ret_key = job.key;
    *ret_keyed = !job.no_key;
    vec_free(&j.looks);
    free(name);
    return rc;
}

/* --- all hosts ----------------------------------------------------------------------- */

struct join_job {
    const struct analysis *const *list;
    struct cloud *c;
};

static int join(void *ctx, struct store *s, struct err *err)
{
    struct join_job *j = ctx;
    struct cloud *c = j->c;
    ns_t t0 = NS_MAX, t1 = NS_MIN;
    struct notes *notes = c->notes, mine = { 0 };
    struct sbuf names = { 0 };

    c->global = s;
    c->notes = &mine;
    for (int i = 0; i < SCHEMA_TABLES; i++)
        store_table(s, engine_table((enum schema_table)i));
    for (uint32_t i = 0; i < c->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(c->hosts[i], &cov);
        t0 = cov.t0 < t0 ? cov.t0 : t0;
        t1 = cov.t1 > t1 ? cov.t1 : t1;
        sbuf_fmt(&names, "%s%s", i ? "," : "", store_host(c->hosts[i]));
    }
    store_set_fact(s, "hosts", sbuf_view(&names));
    sbuf_free(&names);
    for (size_t i = 0; j->list[i]; i++)
        if (j->list[i]->global)
            j->list[i]->global(c);
    c->global = NULL;
    c->notes = notes;
    told_write(s, NULL, &mine, NULL);
    int rc = store_finish(s, t0, t1, err);
    if (rc == 0)
        notes_move(notes, &mine);
    notes_free(&mine);
    return rc;
}

/* The histories of all hosts; '*ret_key' is of all of them together. */
static int all_hosts(const struct analysis *const *list, struct experiment *x, struct keep *k,
                     const struct engine_between *between, struct cloud *c,
                     struct identity *ret_key, bool *ret_keyed, struct err *err)
{
    const struct engine_watch *watch = between ? between->watch : NULL;
    struct identity_sum sum = { 0 };
    int rc = 0;

    identity_add_text(&sum, STR("joined"));
    identity_add_text(&sum, str_of(keep_version(k)));
    identity_add_text(&sum, between ? between->key : STR(""));
    *ret_keyed = true;
    for (size_t i = 0; i < x->hosts.n && rc == 0; i++) {
        struct kept kept;
        struct identity key;
        bool keyed = false;

        rc = go_on(watch, x, &x->hosts.at[i], 0)
                 ? keep_host(list, x, &x->hosts.at[i], k, watch, c->notes, &kept, &key, &keyed, err)
                 : err_set(err, E_ARG, "it was told to stop");
        if (rc < 0)
            break;
        identity_add(&sum, &key, sizeof key);
        *ret_keyed &= keyed;
        c->hosts[c->nhosts] = kept.store;
        c->paths[c->nhosts++] = kept.path;
    }
    *ret_key = identity_end(&sum);
    return rc;
}

int engine_analyse(const struct analysis *const *list, struct experiment *x, struct keep *keep,
                   const struct engine_between *between, struct notes *notes, struct cloud *ret,
                   struct err *err)
{
    static const struct keep_opts nowhere = { .memory = true, .version = "" };
    struct keep *mine = keep ? NULL : keep_new(&nowhere, notes), *k = keep ? keep : mine;
    struct cloud c = { .notes = notes };
    struct join_job j = { list, &c };
    struct keep_job job = { .host = "", .fill = join, .ctx = &j };
    struct kept kept;
    bool keyed;

    c.hosts = xcalloc(x->hosts.n + 1, sizeof *c.hosts);
    c.paths = xcalloc(x->hosts.n + 1, sizeof *c.paths);
    int rc = all_hosts(list, x, k, between, &c, &job.key, &keyed, err);
    if (rc == 0 && between && between->fn)
        rc = between->fn(between->ctx, c.hosts, c.nhosts, err);
    if (!keyed)
        job.no_key = "that of a host is not";
    if (rc == 0)
        rc = keep_history(k, &job, &kept, err);
    if (rc == 0) {
        if (kept.reused)
            told_read(kept.store, NULL, notes, NULL);
        c.global = kept.store;
        c.paths[c.nhosts] = kept.path;
        *ret = c;
    } else {
        engine_cloud_free(&c);
    }
    keep_free(mine);
    return rc;
}

void engine_cloud_check(struct cloud *c)
{
    for (uint32_t i = 0; c->hosts && i <= c->nhosts; i++) {
        const struct store *s = i < c->nhosts ? c->hosts[i] : c->global;
        struct store_coverage cov;

        store_notes(s, c->notes);
        store_coverage(s, &cov);
        if (cov.bad_blocks == 0 || !c->paths[i])
            continue;
        unlink(c->paths[i]);
        note_add(c->notes, NOTE_WARN, c->paths[i],
                 "the history is damaged and was removed: it is built again next time");
    }
}

void engine_cloud_free(struct cloud *c)
{
    for (uint32_t i = 0; i < c->nhosts; i++)
        store_free(c->hosts[i]);
    for (uint32_t i = 0; c->paths && i <= c->nhosts; i++)
        free(c->paths[i]);
    free(c->paths);
    free(c->hosts);
    if (c->global)
        store_free(c->global);
    *c = (struct cloud){ 0 };
}
