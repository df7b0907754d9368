/* SPDX-License-Identifier: Apache-2.0
 *
 * neph.c -- the public interface (include/neph.h) over ctf/.
 *
 * Traces are few and bursts long, so that the earliest trace is found by looking at all
 * of them, and read until its events come after those of the next one. */
#include "neph.h"

#include "base/file.h"
#include "base/limits.h"
#include "ctf/merge.h"

#include <stdio.h>
#include <stdlib.h>

struct neph_event {
    const struct ctf_rec *rec;
    struct source *source;
    const struct neph *reader;
};

struct env {
    const char *key, *value;
};

/* A trace that is being read. */
struct source {
    struct ctf_trace *trace;
    struct ctf_merge merge;
    const struct ctf_rec *at, *end; /* its next events */
    struct env *env;                /* of the trace, a NULL key ends it */
    uint32_t first_class;           /* number of its class 0 */
    bool ended;
};

struct neph_field {
    const struct ctf_bound *bound; /* by class number */
};

struct class_info {
    const char *name;
    const struct ctf_event_class *cls;
    const struct source *source;
};

struct neph {
    VEC(struct source) sources;
    struct class_info *classes;
    uint32_t nclasses;
    struct neph_event event;
    struct source *now; /* the one that is read from, NULL = to be chosen */
    ns_t limit;         /* until an event of another one comes first      */
    bool limit_ties;    /* events at 'limit' still come before it         */
    struct notes notes;
    struct sbuf note; /* the text of neph_note() */
    struct arena mem;
};

/* --- opening ------------------------------------------------------------------------ */

static void open_trace(struct neph *n, const char *dir, struct err *err)
{
    struct ctf_trace *t;

    if (n->sources.n >= LIMIT_TRACES) {
        note_add(&n->notes, NOTE_LOST, dir, "left out: over %d traces", LIMIT_TRACES);
        return;
    }
    if (ctf_trace_open(dir, &t, &n->notes, err) < 0) {
        note_add(&n->notes, NOTE_LOST, dir, "%s", err->text);
        return;
    }
    for (size_t i = 0; i < n->sources.n; i++)
        ctf_trace_drop_shared(t, n->sources.at[i].trace, &n->notes);
    *vec_push(&n->sources) = (struct source){ .trace = t };
}

/* Recursion is at most LIMIT_DIR_DEPTH deep. */
static void find_traces(struct neph *n, const char *dir, int depth, struct err *err)
{
    struct dir_entry *e;
    size_t count;

    if (ctf_is_trace(dir)) {
        open_trace(n, dir, err);
        return;
    }
    if (depth > LIMIT_DIR_DEPTH) {
        note_add(&n->notes, NOTE_WARN, dir, "not looked into: over %d folders deep",
                 LIMIT_DIR_DEPTH);
        return;
    }
    if (dir_list(dir, &n->mem, &e, &count, err) < 0) {
        note_add(&n->notes, NOTE_LOST, dir, "%s", err->text);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (e[i].is_dir)
            find_traces(n, path_join(&n->mem, dir, e[i].name), depth + 1, err);
}

static struct env *copy_env(struct arena *mem, const struct ctf_meta *m)
{
    struct env *env = arena_array(mem, struct env, m->env.n + 1);

    for (size_t i = 0; i < m->env.n; i++) {
        const struct ctf_env *e = &m->env.at[i];

        env[i] = (struct env){ arena_strdup(mem, e->key.p, e->key.n),
                               arena_strdup(mem, e->text.p, e->text.n) };
    }
    return env;
}

/* Numbers the classes of all traces, and starts to read: pointers into 'sources' stay
 * valid from here on. */
static void start(struct neph *n)
{
    uint32_t at = 0;

    for (size_t i = 0; i < n->sources.n; i++)
        n->nclasses += (uint32_t)n->sources.at[i].trace->meta.events.n;
    n->classes = arena_array(&n->mem, struct class_info, n->nclasses);
    for (size_t i = 0; i < n->sources.n; i++) {
        struct source *s = &n->sources.at[i];

        s->first_class = at;
        s->env = copy_env(&n->mem, &s->trace->meta);
        for (size_t k = 0; k < s->trace->meta.events.n; k++) {
            const struct ctf_event_class *cls = s->trace->meta.events.at[k];

            n->classes[at++] =
                (struct class_info){ arena_strdup(&n->mem, cls->name.p, cls->name.n), cls, s };
        }
        ctf_merge_init(&s->merge, s->trace, &n->notes, 0);
    }
}

struct neph *neph_open(const char *const *paths, size_t npaths, char *error, size_t error_bytes)
{
    struct neph *n = xcalloc(1, sizeof *n);
    struct err err = { .text = "no CTF trace: a trace is a folder with a file named 'metadata'" };

    for (size_t i = 0; i < npaths; i++)
        find_traces(n, arena_strdup(&n->mem, paths[i], strlen(paths[i])), 0, &err);
    if (n->sources.n == 0) {
        if (error_bytes)
            snprintf(error, error_bytes, "%s", err.text);
        neph_close(n);
        return NULL;
    }
    start(n);
    return n;
}

void neph_close(struct neph *n)
{
    if (!n)
        return;
    for (size_t i = 0; i < n->sources.n; i++) {
        ctf_merge_free(&n->sources.at[i].merge);
        ctf_trace_close(n->sources.at[i].trace);
    }
    vec_free(&n->sources);
    notes_free(&n->notes);
    sbuf_free(&n->note);
    arena_free(&n->mem);
    free(n);
}

/* --- events ------------------------------------------------------------------------- */

/* Has the source an event ready, or can it get one? */
static inline bool ready(struct source *s)
{
    size_t count;

    if (s->at < s->end)
        return true;
    if (s->ended)
        return false;
    s->at = ctf_merge_batch(&s->merge, &count);
    s->end = s->at ? s->at + count : NULL;
    s->ended = !s->at;
    return !s->ended;
}

/* Finds the source with the earliest event, and until when it is that. */
static void choose(struct neph *n)
{
    struct source *best = NULL, *second = NULL;

    for (size_t i = 0; i < n->sources.n; i++) {
        struct source *s = &n->sources.at[i];

        if (!ready(s))
            continue;
        if (!best || s->at->t < best->at->t) {
            second = best;
            best = s;
        } else if (!second || s->at->t < second->at->t) {
            second = s;
        }
    }
    n->now = best;
    n->limit = second ? second->at->t : NS_MAX;
    n->limit_ties = !second || best < second;
}

const struct neph_event *neph_next(struct neph *n)
{
    struct source *s = n->now;

    if (!s || !ready(s) || s->at->t > n->limit || (s->at->t == n->limit && !n->limit_ties)) {
        choose(n);
        s = n->now;
        if (!s)
            return NULL;
    }
    n->event = (struct neph_event){ s->at++, s, n };
    return &n->event;
}

void neph_seek(struct neph *n, int64_t time_ns)
{
    for (size_t i = 0; i < n->sources.n; i++) {
        struct source *s = &n->sources.at[i];

        ctf_merge_seek(&s->merge, time_ns);
        s->at = s->end = NULL;
        s->ended = false;
    }
    n->now = NULL;
}

int64_t neph_event_time(const struct neph_event *ev)
{
    return ev->rec->t;
}

uint32_t neph_event_class(const struct neph_event *ev)
{
    return ev->source->first_class + ev->rec->cls;
}

const char *neph_event_name(const struct neph_event *ev)
{
    return ev->reader->classes[neph_event_class(ev)].name;
}

int64_t neph_event_cpu(const struct neph_event *ev)
{
    uint32_t cpu = ctf_view_cpu(&ev->source->merge.view, ev->rec);

    return cpu == UINT32_MAX ? -1 : (int64_t)cpu;
}

uint32_t neph_classes(const struct neph *n)
{
    return n->nclasses;
}

const char *neph_class_name(const struct neph *n, uint32_t event_class)
{
    return event_class < n->nclasses ? n->classes[event_class].name : NULL;
}

const char *neph_class_env(const struct neph *n, uint32_t event_class, const char *key)
{
    if (event_class >= n->nclasses)
        return NULL;
    for (const struct env *e = n->classes[event_class].source->env; e->key; e++)
        if (!strcmp(e->key, key))
            return e->value;
    return NULL;
}

/* --- fields ------------------------------------------------------------------------- */

static const struct ctf_field *find_field(const struct ctf_event_class *cls, struct str path)
{
    static const enum ctf_scope order[] = { SCOPE_PAYLOAD, SCOPE_CONTEXT, SCOPE_COMMON };
    struct str bare = path.n > 1 && path.p[0] == '_' ? str_from(path, 1) : path;
    const struct ctf_field *f = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(order) && !f; i++)
        if (!(f = ctf_field_find(cls, order[i], path, NULL)))
            f = ctf_field_find(cls, order[i], bare, NULL);
    return f;
}

const struct neph_field *neph_field(struct neph *n, const char *event, const char *path)
{
    struct ctf_bound *bound = arena_array(&n->mem, struct ctf_bound, n->nclasses);
    bool some = false;

    for (uint32_t i = 0; i < n->nclasses; i++) {
        const struct ctf_event_class *cls = n->classes[i].cls;

        if (event && !str_is(cls->name, event))
            continue;
        bound[i] = ctf_bind(cls, find_field(cls, str_of(path)));
        some |= bound[i].how != BOUND_NONE;
    }
    if (!some)
        return NULL;
    struct neph_field *f = arena_new(&n->mem, struct neph_field);
    f->bound = bound;
    return f;
}

/* The bound field if the event has it.  An option of a variant can be one of several
 * fields of this path. */
static const struct ctf_bound *bound_of(const struct neph_event *ev, const struct neph_field *f,
                                        struct ctf_bound *other)
{
    const struct ctf_event_class *cls;
    const struct ctf_bound *b;

    if (!f)
        return NULL;
    b = &f->bound[neph_event_class(ev)];
    if (b->how == BOUND_NONE)
        return NULL;
    if (!b->field->only_if || ctf_bound_has(&ev->source->merge.view, ev->rec, b))
        return b;
    cls = ev->source->trace->meta.events.at[ev->rec->cls];
    for (const struct ctf_field *next = b->field;
         (next = ctf_field_find(cls, next->scope, next->path, next));) {
        *other = ctf_bind(cls, next);
        if (ctf_bound_has(&ev->source->merge.view, ev->rec, other))
            return other;
    }
    return NULL;
}

/* The raw value of an integer. */
static const struct ctf_bound *int_of(const struct neph_event *ev, const struct neph_field *f,
                                      struct ctf_bound *other, uint64_t *ret)
{
    const struct ctf_bound *b = bound_of(ev, f, other);

    if (!b || b->field->kind != FIELD_INT)
        return NULL;
    *ret = ctf_bound_u64(&ev->source->merge.view, ev->rec, b);
    return b;
}

bool neph_i64(const struct neph_event *ev, const struct neph_field *f, int64_t *ret)
{
    struct ctf_bound other;
    uint64_t v;
    const struct ctf_bound *b = int_of(ev, f, &other, &v);

    if (!b || (!b->field->type->is_signed && v > INT64_MAX))
        return false;
    *ret = (int64_t)v;
    return true;
}

bool neph_u64(const struct neph_event *ev, const struct neph_field *f, uint64_t *ret)
{
    struct ctf_bound other;
    uint64_t v;
    const struct ctf_bound *b = int_of(ev, f, &other, &v);

    if (!b || (b->field->type->is_signed && (int64_t)v < 0))
        return false;
    *ret = v;
    return true;
}

bool neph_f64(const struct neph_event *ev, const struct neph_field *f, double *ret)
{
    struct ctf_bound other;
    const struct ctf_bound *b = bound_of(ev, f, &other);

    if (!b || b->field->kind != FIELD_FLOAT)
        return false;
    *ret = ctf_raw_f64(b->field->type, ctf_bound_u64(&ev->source->merge.view, ev->rec, b));
    return true;
}

bool neph_text(const struct neph_event *ev, const struct neph_field *f, const char **ret,
               size_t *ret_bytes)
{
    struct ctf_bound other;
    const struct ctf_bound *b = bound_of(ev, f, &other);

    if (!b || (b->field->kind != FIELD_STRING && b->field->kind != FIELD_TEXT))
        return false;
    struct str s = ctf_bound_str(&ev->source->merge.view, ev->rec, b);
    *ret = s.p;
    *ret_bytes = s.n;
    return true;
}

/* --- quality ------------------------------------------------------------------------- */

struct neph_totals neph_totals(const struct neph *n)
{
    struct neph_totals sum = { 0 };

    for (size_t i = 0; i < n->sources.n; i++) {
        const struct source *s = &n->sources.at[i];
        struct ctf_counts c = ctf_merge_counts(&s->merge);

        sum.events += c.events;
        sum.discarded_events += s->trace->discarded;
        sum.lost_packets += s->trace->lost;
        sum.bad_packets += s->trace->bad_packets + c.bad_packets;
        sum.backwards_events += c.backwards;
    }
    return sum;
}

bool neph_loss(const struct neph *n, size_t i, struct neph_loss *ret)
{
    for (size_t k = 0; k < n->sources.n; k++) {
        const struct ctf_trace *t = n->sources.at[k].trace;

        for (size_t s = 0; s < t->streams.n; s++) {
            const struct ctf_stream *stream = t->streams.at[s];

            if (i >= stream->losses.n) {
                i -= stream->losses.n;
                continue;
            }
            const struct ctf_loss *x = &stream->losses.at[i];
            const struct ctf_packet *p = &stream->packets.at[0];
            *ret = (struct neph_loss){ .stream = t->files.at[p->file].path,
                                       .cpu = p->has_cpu ? (int64_t)p->cpu : -1,
                                       .from_ns = x->t0,
                                       .to_ns = x->t1,
                                       .events = x->events,
                                       .packets = x->packets };
            return true;
        }
    }
    return false;
}

const char *neph_note(struct neph *n, size_t i)
{
    if (i >= n->notes.list.n)
        return NULL;
    const struct note *x = &n->notes.list.at[i];
    sbuf_clear(&n->note);
    sbuf_fmt(&n->note, "%s: " STR_FMT "%s" STR_FMT, note_level_name(x->level), STR_ARG(x->where),
             x->where.n ? ": " : "", STR_ARG(x->text));
    if (x->count > 1)
        sbuf_fmt(&n->note, " (%llu times)", (unsigned long long)x->count);
    return n->note.p;
}
