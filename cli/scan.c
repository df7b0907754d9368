/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.c -- see scan.h.  Traces are read one after the other, and packets of one in
 * any order: counting needs none. */
#include "cli/scan.h"

#include "base/file.h"
#include "cli/progress.h"
#include "ctf/meta.h"

#include <stdlib.h>
#include <unistd.h>

static inline void count(struct scan_trace *t, const struct reader_event *ev)
{
    if (ev->class_no >= t->classes.n) {
        size_t old = t->classes.n;

        vec_reserve(&t->classes, (size_t)ev->class_no + 1);
        t->classes.n = (size_t)ev->class_no + 1;
        memset(t->classes.at + old, 0, (t->classes.n - old) * sizeof *t->classes.at);
    }
    struct scan_class *k = &t->classes.at[ev->class_no];
    if (k->events++ == 0)
        k->name = ev->name;
    if (t->events++ == 0)
        t->first = t->last = ev->t;
    else if (ev->t > t->last)
        t->last = ev->t;
    else if (ev->t < t->first)
        t->first = ev->t;
}

/* All events in no order, on all CPUs. */
static void count_trace(struct scan_trace *t)
{
    struct reader *r = t->reader;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    struct reader_counts k = { .events = xcalloc(r->nclasses + 1, sizeof(uint64_t)) };

    r->ops->count(r, cpus > 1 ? (unsigned)cpus : 1, &k);
    vec_reserve(&t->classes, (size_t)r->nclasses);
    for (uint32_t i = 0; i < r->nclasses; i++)
        t->classes.at[t->classes.n++] = (struct scan_class){ r->classes[i].name, k.events[i] };
    t->events = k.all;
    t->first = k.first;
    t->last = k.last;
    free(k.events);
}

static void read_trace(const struct ctx *c, struct scan *s, struct scan_trace *t)
{
    struct reader *r = t->reader;
    struct reader_event ev;

    if (r->ops->count && c->span.t0 == NS_MIN && c->span.t1 == NS_MAX) {
        count_trace(t);
        r->ops->totals(r, &t->totals);
        progress_step(s->events + t->events, "events");
        return;
    }
    bool more = c->span.t0 == NS_MIN ? r->ops->next(r, &ev) : r->ops->seek(r, c->span.t0, &ev);

    while (more && ev.t < c->span.t1) {
        count(t, &ev);
        if (t->events % 65536 == 0)
            progress_step(s->events + t->events, "events");
        more = r->ops->next(r, &ev);
    }
    r->ops->totals(r, &t->totals);
}

/* Adds 't' to 'sum'. */
static void add(struct scan_trace *sum, const struct scan_trace *t)
{
    if (t->events && (sum->events == 0 || t->first < sum->first))
        sum->first = t->first;
    if (t->events && (sum->events == 0 || t->last > sum->last))
        sum->last = t->last;
    sum->events += t->events;
    sum->totals.events += t->totals.events;
    sum->totals.discarded += t->totals.discarded;
    sum->totals.lost_packets += t->totals.lost_packets;
    sum->totals.bad_packets += t->totals.bad_packets;
    sum->totals.backwards += t->totals.backwards;
    sum->totals.bytes += t->totals.bytes;
    sum->totals.streams += t->totals.streams;
    sum->totals.packets += t->totals.packets;
}

void scan_run(struct ctx *c, struct scan *ret)
{
    struct scan_trace sum = { 0 };

    *ret = (struct scan){ 0 };
    for (size_t i = 0; i < c->x.hosts.n; i++) {
        const struct host *h = &c->x.hosts.at[i];

        for (size_t k = 0; k < h->readers.n; k++) {
            struct scan_trace *t = vec_push(&ret->traces);

            *t = (struct scan_trace){ .host = h, .reader = h->readers.at[k] };
            read_trace(c, ret, t);
            add(&sum, t);
            ret->events = sum.events;
        }
    }
    ret->first = sum.first;
    ret->last = sum.last;
    ret->totals = sum.totals;
}

void scan_free(struct scan *s)
{
    for (size_t i = 0; i < s->traces.n; i++)
        vec_free(&s->traces.at[i].classes);
    vec_free(&s->traces);
}

struct scan_trace scan_host(const struct scan *s, const struct host *h)
{
    struct scan_trace sum = { .host = h };

    for (size_t i = 0; i < s->traces.n; i++)
        if (s->traces.at[i].host == h)
            add(&sum, &s->traces.at[i]);
    return sum;
}

bool scan_meta(const struct reader *r, struct ctf_meta *ret)
{
    struct notes notes = { 0 }; /* already noted when the reader was opened */
    struct arena a = { 0 };
    struct err err;
    bool ok;

    *ret = (struct ctf_meta){ 0 };
    ok = path_is_dir(r->path) &&
         ctf_meta_open(path_join(&a, r->path, "metadata"), ret, &notes, &err) == 0;
    if (!ok)
        ctf_meta_free(ret);
    notes_free(&notes);
    arena_free(&a);
    return ok;
}

struct str scan_tracer(const struct ctf_meta *meta, struct arena *a)
{
    static const char *const numbers[] = { "tracer_major", "tracer_minor", "tracer_patchlevel",
                                           "tracer_patch" };
    struct str name = ctf_env_get(meta, "tracer_name");
    struct sbuf b = { 0 };
    bool some = false;

    sbuf_str(&b, name);
    for (size_t i = 0; name.n && i < ARRAY_SIZE(numbers); i++) {
        struct str v = ctf_env_get(meta, numbers[i]);

        if (v.n == 0)
            continue;
        sbuf_chr(&b, some ? '.' : ' ');
        sbuf_str(&b, v);
        some = true;
    }
    struct str out = str_dup(a, sbuf_view(&b));
    sbuf_free(&b);
    return out;
}

void scan_add_time(struct table *t, uint64_t events, ns_t at)
{
    if (events)
        table_ns(t, at);
    else
        table_null(t);
}

/* last - first, but never more than an int64 holds */
static ns_t length(ns_t first, ns_t last)
{
    ns_t d;

    return __builtin_sub_overflow(last, first, &d) ? NS_MAX : d;
}

void scan_add_length(struct table *t, uint64_t events, ns_t first, ns_t last)
{
    scan_add_time(t, events, length(first, last));
}

void scan_json_time(struct json *j, const char *key, uint64_t events, ns_t at)
{
    json_key(j, str_of(key));
    if (events)
        json_i64(j, at);
    else
        json_none(j);
}
