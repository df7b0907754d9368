/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c -- see engine.h. */
#include "engine/engine.h"

#include "engine/rules.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct subscriber {
    handler_fn fn;
    void *state;
};

struct pass_priv {
    const struct analysis *const *list;
    void **states;
    VEC(struct subscriber) subs[EV_TYPES];
    VEC(struct compiled_rule) rules[EV_TYPES];
    int depth; /* of derived events */
};

enum { EMIT_DEPTH = 8 };

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
                      struct notes *notes)
{
    size_t n = 0;

    while (list[n])
        n++;
    *p = (struct pass){ .notes = notes, .t0 = NS_MAX, .t1 = NS_MIN };
    p->host = arena_strdup(&p->mem, host->name.p, host->name.n);
    p->store = store_new(p->host);
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

static void run_events(struct pass *p, const struct experiment *x, const struct host *host)
{
    _Alignas(16) char ev[EV_MAX_BYTES];
    struct stream_head *s;
    struct merged m;
    struct ev_head h;

    merged_init(&m, x, host, NS_MIN);
    while ((s = merged_next(&m))) {
        enum ev_type type = s->ev.type;

        p->t0 = s->ev.t < p->t0 ? s->ev.t : p->t0;
        p->t1 = s->ev.t > p->t1 ? s->ev.t : p->t1;
        if (type == EV_OTHER || (p->priv->subs[type].n == 0 && p->priv->rules[type].n == 0))
            continue;
        s->reader->ops->fill(s->reader, &h, ev);
        pass_emit(p, type, &h, ev);
        arena_reset(&p->scratch);
    }
    merged_free(&m);
}

int engine_run_host(const struct analysis *const *list, const struct experiment *x,
                    const struct host *host, struct notes *notes, struct store **ret,
                    struct err *err)
{
    struct pass p;

    (void)err; /* bad events are notes; a store on disk can fail here */
    pass_init(&p, list, host, notes);
    run_events(&p, x, host);
    if (p.t0 > p.t1)
        p.t0 = p.t1 = 0;
    for (size_t i = 0; list[i]; i++)
        if (list[i]->finish)
            list[i]->finish(p.priv->states[i], &p);
    store_finish(p.store, p.t0, p.t1 == NS_MAX ? NS_MAX : p.t1 + 1);
    *ret = p.store;
    pass_free(&p);
    return 0;
}

int engine_analyse(const struct analysis *const *list, const struct experiment *x,
                   struct notes *notes, struct cloud *ret, struct err *err)
{
    struct cloud c = { .notes = notes };
    ns_t t0 = NS_MAX, t1 = NS_MIN;
    int rc = 0;

    c.hosts = xcalloc(x->hosts.n, sizeof *c.hosts);
    for (size_t i = 0; i < x->hosts.n && rc == 0; i++) {
        rc = engine_run_host(list, x, &x->hosts.at[i], notes, &c.hosts[i], err);
        if (rc == 0)
            c.nhosts++;
    }
    c.global = store_new("");
    for (int i = 0; i < SCHEMA_TABLES; i++)
        store_table(c.global, engine_table((enum schema_table)i));
    for (uint32_t i = 0; i < c.nhosts; i++) {
        struct store_coverage cov;

        store_coverage(c.hosts[i], &cov);
        t0 = cov.t0 < t0 ? cov.t0 : t0;
        t1 = cov.t1 > t1 ? cov.t1 : t1;
    }
    for (size_t i = 0; list[i] && rc == 0; i++)
        if (list[i]->global)
            list[i]->global(&c);
    store_finish(c.global, t0, t1);
    if (rc < 0)
        engine_cloud_free(&c);
    else
        *ret = c;
    return rc;
}

void engine_cloud_free(struct cloud *c)
{
    for (uint32_t i = 0; i < c->nhosts; i++)
        store_free(c->hosts[i]);
    free(c->hosts);
    store_free(c->global);
    *c = (struct cloud){ 0 };
}
