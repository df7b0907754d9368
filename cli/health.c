/* SPDX-License-Identifier: Apache-2.0
 *
 * health.c -- see health.h. */
#include "cli/health.h"

#include "ctf/trace.h"
#include "engine/keep.h"

#include <inttypes.h>
#include <stdlib.h>

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

bool health_has_domain(const struct host *h, const char *domain)
{
    for (size_t i = 0; i < h->readers.n; i++)
        if (str_is(h->readers.at[i]->domain, domain))
            return true;
    return false;
}

static void check_layers(struct health *hl, const struct host *h)
{
    bool kernel = health_has_domain(h, "kernel"), ust = health_has_domain(h, "ust");

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

void health_make(struct ctx *c, struct health *ret)
{
    *ret = (struct health){ .c = c };
    scan_run(c, &ret->s);
    read_clocks(ret);
    for (size_t i = 0; i < ret->s.traces.n; i++)
        check_trace(ret, &ret->s.traces.at[i]);
    for (size_t i = 0; i < c->x.hosts.n; i++) {
        check_clocks(ret, &c->x.hosts.at[i]);
        check_layers(ret, &c->x.hosts.at[i]);
        check_overlap(ret, &c->x.hosts.at[i]);
    }
}

void health_free(struct health *hl)
{
    arena_free(&hl->mem);
    scan_free(&hl->s);
}

/* --- losses ------------------------------------------------------------------------- */

struct collect {
    const struct scan_trace *trace;
    loss_vec *into;
    uint64_t unlisted;
};

enum { LOSSES_MAX = 100000 };

static void collect_one(void *ctx, const struct reader_loss *x)
{
    struct collect *k = ctx;

    if (k->into->n < LOSSES_MAX)
        *vec_push(k->into) = (struct loss){ k->trace, *x };
    else
        k->unlisted++;
}

uint64_t health_losses(const struct health *hl, loss_vec *ret)
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

/* --- where histories are kept -------------------------------------------------------- */

struct health_cache health_cache(struct arena *mem)
{
    struct health_cache ret = { 0 };
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

/* --- as JSON ------------------------------------------------------------------------- */

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
    uint64_t unlisted = health_losses(hl, &losses);

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

static void json_cache(struct json *j, struct health *hl)
{
    struct health_cache k = health_cache(&hl->mem);

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
    json_bool(j, health_has_domain(h, "kernel"));
    json_key(j, STR("has_ust"));
    json_bool(j, health_has_domain(h, "ust"));
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

void health_json(struct health *hl, struct json *j)
{
    const struct ctx *c = hl->c;

    json_open(j, '{');
    json_ku64(j, "schema_version", 1);
    json_ku64(j, "traces_found", c->x.found);
    json_ku64(j, "traces_unreadable", c->x.failed);
    json_kopen(j, "hosts", '[');
    for (size_t i = 0; i < c->x.hosts.n; i++)
        json_host(j, hl, &c->x.hosts.at[i]);
    json_close(j, ']');
    json_losses(j, hl);
    json_cache(j, hl);
    json_kopen(j, "notes", '[');
    for (int level = NOTE_LOST; level >= NOTE_INFO; level--)
        for (size_t i = 0; i < c->notes.list.n; i++)
            if ((int)c->notes.list.at[i].level == level)
                note_json(&c->notes.list.at[i], j);
    json_close(j, ']');
    json_ku64(j, "notes_unlisted", c->notes.unlisted);
    json_close(j, '}');
}
