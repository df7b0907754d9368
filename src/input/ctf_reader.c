/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_reader.c -- a CTF trace as a reader.
 *
 * At open every event class is bound once: for each member of its struct the
 * field of the class, so that an event costs a few loads and no look-up; events come
 * from the merge in batches. */
#include "ctf/merge.h"
#include "ctf/scan.h"
#include "input/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

struct bound {
    struct ctf_bound field;
    enum ev_kind kind;
    uint32_t offset; /* of the member */
};

struct binding {
    enum ev_type type;
    struct str name;
    struct bound *members;
    uint32_t nmembers;
    struct ctf_bound pid, tid, procname;
};

struct ctf_reader {
    struct reader base;
    struct ctf_trace *trace;
    struct ctf_merge merge;
    struct binding *bindings;       /* by event class */
    const struct ctf_rec *ev;       /* the current one */
    const struct ctf_rec *at, *end; /* the next ones   */
    struct ctf_counts counted;      /* by ctf_count()  */
    bool is_counted;
};

static const struct ctf_field *find_any(const struct ctf_event_class *cls, const char *names,
                                        bool context)
{
    for (uint32_t i = 0; i < cls->nfields; i++) {
        const struct ctf_field *f = &cls->fields[i];

        if ((f->scope == SCOPE_PAYLOAD) != context && ev_name_is(names, f->path))
            return f;
    }
    return NULL;
}

static bool kind_fits(const struct ctf_field *f, enum ev_kind kind)
{
    bool text = f->kind == FIELD_STRING || f->kind == FIELD_TEXT;

    return kind == EV_BYTES ? ctf_is_bytes(f) : kind == EV_STR ? text : f->kind == FIELD_INT;
}

/* The context field with the first of these names that there is.  perf's contexts are the
 * first fields of its events. */
static struct ctf_bound bind_context(const struct ctf_event_class *cls, const char *const *names,
                                     enum ev_kind kind)
{
    const struct ctf_field *f = NULL;

    for (; *names && !f; names++)
        if ((f = find_any(cls, *names, strncmp(*names, "perf_", 5) != 0)) && !kind_fits(f, kind))
            f = NULL;
    return ctf_bind(cls, f);
}

/* In the kernel's domain vtid is a thread's number in its namespace, in which others can have
 * the same; user space knows no other. */
static void bind_contexts(const struct ctf_reader *r, const struct ctf_event_class *cls,
                          struct binding *b)
{
    static const char *const pids[] = { "pid", "perf_pid", "vpid", NULL };
    static const char *const tids[] = { "tid", "perf_tid", "vtid", NULL };
    static const char *const kernel_pids[] = { "pid", "perf_pid", NULL };
    static const char *const kernel_tids[] = { "tid", "perf_tid", NULL };
    static const char *const names[] = { "procname", NULL };
    bool kernel = str_is(r->base.domain, "kernel");

    b->pid = bind_context(cls, kernel ? kernel_pids : pids, EV_I64);
    b->tid = bind_context(cls, kernel ? kernel_tids : tids, EV_I64);
    b->procname = bind_context(cls, names, EV_STR);
}

/* Options of variants that one member can come from. */
enum { ALTERNATIVES = 8 };

/* The field of the class for a member, or, if it is in a variant, all that there can be: at most
 * ALTERNATIVES.  False: there is none. */
static bool bind_member(const struct ctf_event_class *cls, const struct ev_field *m,
                        struct binding *b)
{
    uint32_t before = b->nmembers;

    for (uint32_t i = 0; i < cls->nfields && b->nmembers - before < ALTERNATIVES; i++) {
        const struct ctf_field *f = &cls->fields[i];

        if (f->scope != SCOPE_PAYLOAD || !ev_name_is(m->names, f->path))
            continue;
        if (kind_fits(f, m->kind))
            b->members[b->nmembers++] = (struct bound){ ctf_bind(cls, f), m->kind, m->offset };
        if (!f->only_if) /* the first counts, also if it does not fit */
            break;
    }
    return b->nmembers > before;
}

static void bind_class(struct ctf_reader *r, const struct ctf_event_class *cls, struct binding *b,
                       struct reader_class *info)
{
    b->type = ev_find(cls->name);
    info->name = cls->name;
    info->nfields = cls->payload ? cls->payload->nmembers : 0;
    b->name = cls->name;
    bind_contexts(r, cls, b);
    if (b->type == EV_OTHER)
        return;
    const struct ev_desc *d = &ev_descs[b->type];
    b->members = arena_array(&r->base.mem, struct bound, (size_t)d->nfields * ALTERNATIVES);
    for (uint32_t i = 0; i < d->nfields; i++) {
        if (!bind_member(cls, &d->fields[i], b) && d->fields[i].needed) {
            info->missing = d->fields[i].names;
            note_add(r->base.notes, NOTE_WARN, r->base.path,
                     "event " STR_FMT ": field '%s' is missing or of another type; the event is "
                     "not analysed (a tracer of another version?)",
                     STR_ARG(cls->name), d->fields[i].names);
            b->type = EV_OTHER;
            return;
        }
    }
}

static void describe(struct ctf_reader *r)
{
    const struct ctf_meta *m = &r->trace->meta;
    struct reader *b = &r->base;

    b->properties = arena_array(&b->mem, struct reader_property, m->env.n + m->clocks.n + 1);
    for (size_t i = 0; i < m->env.n; i++)
        b->properties[b->nproperties++] =
            (struct reader_property){ m->env.at[i].key, m->env.at[i].text };
    for (size_t i = 0; i < m->clocks.n; i++) {
        const struct ctf_clock *c = m->clocks.at[i];

        b->properties[b->nproperties++] = (struct reader_property){
            STR("clock"), str_of(arena_printf(&b->mem,
                                              STR_FMT " %" PRIu64 " Hz, offset %" PRId64
                                                      " s + %" PRId64 " cycles",
                                              STR_ARG(c->name), c->freq, c->offset_s, c->offset))
        };
    }
    if (m->clocks.n == 1 && m->clocks.at[0]->uuid.n) {
        b->clock_id = m->clocks.at[0]->uuid;
        b->clock_zero = ctf_clock_ns(m->clocks.at[0], 0);
        b->tells_zero = str_is(m->clocks.at[0]->name, "monotonic");
    }
    if (m->has_uuid)
        b->properties[b->nproperties++] = (struct reader_property){ STR("uuid"), m->uuid_text };
}

static bool ctf_next(struct reader *base, struct reader_event *ret)
{
    struct ctf_reader *r = (struct ctf_reader *)base;
    size_t n = 0;

    if (r->at == r->end) {
        r->at = ctf_merge_batch(&r->merge, &n);
        r->end = r->at ? r->at + n : NULL;
    }
    if (r->at == r->end)
        return false;
    const struct ctf_rec *ev = r->ev = r->at++;
    *ret = (struct reader_event){ .t = ev->t,
                                  .cpu = ctf_view_cpu(&r->merge.view, ev),
                                  .type = r->bindings[ev->cls].type,
                                  .name = r->bindings[ev->cls].name,
                                  .class_no = ev->cls };
    return true;
}

static bool ctf_seek(struct reader *base, ns_t t, struct reader_event *ret)
{
    struct ctf_reader *r = (struct ctf_reader *)base;

    ctf_merge_seek(&r->merge, t);
    r->at = r->end = NULL;
    return ctf_next(base, ret);
}

static int64_t int_or_none(struct ctf_view *v, const struct ctf_rec *ev, const struct ctf_bound *b)
{
    return ctf_bound_has(v, ev, b) ? (int64_t)ctf_bound_u64(v, ev, b) : -1;
}

static void ctf_fill(struct reader *base, struct ev_head *head, void *out)
{
    struct ctf_reader *r = (struct ctf_reader *)base;
    const struct ctf_rec *ev = r->ev;
    const struct binding *b = &r->bindings[ev->cls];
    struct ctf_view *v = &r->merge.view;

    *head = (struct ev_head){ .t = ev->t,
                              .cpu = ctf_view_cpu(v, ev),
                              .pid = int_or_none(v, ev, &b->pid),
                              .tid = int_or_none(v, ev, &b->tid),
                              .name = b->name };
    if (ctf_bound_has(v, ev, &b->procname))
        head->procname = ctf_bound_str(v, ev, &b->procname);
    memset(out, 0, ev_descs[b->type].size);
    for (uint32_t i = 0; i < b->nmembers; i++) {
        const struct bound *m = &b->members[i];
        char *to = (char *)out + m->offset;

        if (!ctf_bound_has(v, ev, &m->field))
            continue;
        if (m->kind == EV_STR) {
            struct str s = ctf_bound_str(v, ev, &m->field);
            memcpy(to, &s, sizeof s);
        } else if (m->kind == EV_BYTES) {
            const struct ctf_event *e = ctf_view_event(v, ev);
            struct str s = e ? ctf_get_bytes(e, m->field.field) : STR("");
            memcpy(to, &s, sizeof s);
        } else {
            int64_t x = (int64_t)ctf_bound_u64(v, ev, &m->field);
            memcpy(to, &x, sizeof x);
        }
    }
}

static void ctf_visit_event(struct reader *base, enum reader_scope scope,
                            const struct value_sink *sink)
{
    struct ctf_reader *r = (struct ctf_reader *)base;
    const struct ctf_event *ev = ctf_view_event(&r->merge.view, r->ev);

    if (!ev)
        return;
    if (scope == READER_FIELDS) {
        ctf_visit(ev, SCOPE_PAYLOAD, sink);
        return;
    }
    ctf_visit(ev, SCOPE_COMMON, sink);
    ctf_visit(ev, SCOPE_CONTEXT, sink);
}

static void ctf_totals(const struct reader *base, struct reader_totals *ret)
{
    const struct ctf_reader *r = (const struct ctf_reader *)base;
    const struct ctf_trace *t = r->trace;

    *ret = (struct reader_totals){ .discarded = t->discarded,
                                   .lost_packets = t->lost,
                                   .bad_packets = t->bad_packets,
                                   .streams = t->streams.n,
                                   .packets = t->packets };
    for (size_t i = 0; i < t->files.n; i++)
        ret->bytes += t->files.at[i].map.n;
    struct ctf_counts c = r->is_counted ? r->counted : ctf_merge_counts(&r->merge);
    ret->events = c.events;
    ret->bad_packets += c.bad_packets;
    ret->backwards = c.backwards;
}

/* --- counting ------------------------------------------------------------------------ */

static void add_time(struct reader_counts *c, ns_t first, ns_t last, uint64_t events)
{
    c->first = c->all == 0 || first < c->first ? first : c->first;
    c->last = c->all == 0 || last > c->last ? last : c->last;
    c->all += events;
}

static void count_some(void *state, struct ctf_view *v, const struct ctf_rec *r, size_t n)
{
    struct reader_counts *c = state;
    ns_t first = r[0].t, last = r[0].t;

    (void)v;
    for (size_t i = 0; i < n; i++) {
        c->events[r[i].cls]++;
        first = r[i].t < first ? r[i].t : first;
        last = r[i].t > last ? r[i].t : last;
    }
    add_time(c, first, last, n);
}

enum { COUNT_THREADS = 64 };

static void ctf_count(struct reader *base, unsigned threads, struct reader_counts *ret)
{
    struct ctf_reader *r = (struct ctf_reader *)base;
    struct reader_counts parts[COUNT_THREADS];
    void *states[COUNT_THREADS];

    threads = threads < 1 ? 1 : threads > COUNT_THREADS ? COUNT_THREADS : threads;
    for (unsigned i = 0; i < threads; i++) {
        parts[i] =
            (struct reader_counts){ .events = xcalloc(base->nclasses + 1, sizeof(uint64_t)) };
        states[i] = &parts[i];
    }
    r->is_counted = true;
    r->counted = ctf_scan(r->trace, threads, base->notes, count_some, states);
    for (unsigned i = 0; i < threads; i++) {
        for (uint32_t k = 0; k < base->nclasses; k++)
            ret->events[k] += parts[i].events[k];
        if (parts[i].all)
            add_time(ret, parts[i].first, parts[i].last, parts[i].all);
        free(parts[i].events);
    }
}

static bool ctf_reach(const struct reader *base, struct span *ret)
{
    const struct ctf_trace *t = ((const struct ctf_reader *)base)->trace;

    *ret = (struct span){ NS_MAX, NS_MIN };
    for (size_t i = 0; i < t->streams.n; i++) {
        const struct ctf_stream *s = t->streams.at[i];

        for (size_t k = 0; k < s->packets.n; k++) {
            const struct ctf_packet *p = &s->packets.at[k];
            ns_t t0 = p->has_ts_begin ? ctf_clock_ns(s->cls->clock, p->ts_begin) : NS_MAX;
            ns_t t1 = p->has_ts_end ? ctf_clock_ns(s->cls->clock, p->ts_end) : NS_MIN;

            ret->t0 = t0 < ret->t0 ? t0 : ret->t0;
            ret->t1 = t1 > ret->t1 ? t1 : ret->t1;
        }
    }
    return ret->t0 <= ret->t1;
}

/* The time of the last event of a packet, NS_MIN if it has none.  Events that a tracer discards for
 * want of room are lost after it: the buffer was full. */
static ns_t last_event(struct ctf_trace *t, uint32_t stream, size_t packet)
{
    struct notes unsaid = { 0 }; /* it is read again, and then told of */
    struct ctf_rec recs[256];
    struct ctf_cursor c;
    ns_t last = NS_MIN;
    size_t n;

    ctf_cursor_init(&c, t, stream, &unsaid);
    ctf_cursor_range(&c, packet, packet + 1);
    while ((n = ctf_cursor_fill(&c, recs, ARRAY_SIZE(recs))))
        last = recs[n - 1].t;
    ctf_cursor_free(&c);
    notes_free(&unsaid);
    return last;
}

static void ctf_losses(const struct reader *base,
                       void (*fn)(void *ctx, const struct reader_loss *loss), void *ctx)
{
    struct ctf_trace *t = ((const struct ctf_reader *)base)->trace;

    for (uint32_t i = 0; i < t->streams.n; i++) {
        const struct ctf_stream *s = t->streams.at[i];

        for (size_t k = 0; k < s->losses.n; k++) {
            const struct ctf_loss *x = &s->losses.at[k];
            const struct ctf_packet *p = &s->packets.at[0];
            ns_t last = x->packets ? NS_MIN : last_event(t, i, x->packet);
            ns_t t0 = last > x->t0 && last <= x->t1 ? last : x->t0;

            fn(ctx, &(struct reader_loss){ t->files.at[p->file].path, p->cpu, t0, x->t1, x->events,
                                           x->packets });
        }
    }
}

static void ctf_close(struct reader *base)
{
    struct ctf_reader *r = (struct ctf_reader *)base;

    ctf_merge_free(&r->merge);
    ctf_trace_close(r->trace);
    arena_free(&base->mem);
    free(r);
}

int reader_open_ctf(const char *dir, struct notes *notes, struct reader **ret, struct err *err)
{
#define CTF_OPS(NAME)                                                                             \
    {                                                                                             \
        .format = (NAME), .next = ctf_next, .seek = ctf_seek, .fill = ctf_fill,                   \
        .visit = ctf_visit_event, .totals = ctf_totals, .count = ctf_count, .losses = ctf_losses, \
        .reach = ctf_reach, .close = ctf_close                                                    \
    }
    static const struct reader_ops ops_1 = CTF_OPS("CTF 1.8"), ops_2 = CTF_OPS("CTF 2");
    struct ctf_trace *trace;
    int rc = ctf_trace_open(dir, &trace, notes, err);

    if (rc < 0)
        return rc;
    struct ctf_reader *r = xcalloc(1, sizeof *r);
    r->base.ops = trace->meta.major >= 2 ? &ops_2 : &ops_1;
    r->base.notes = notes;
    r->base.path = arena_strdup(&r->base.mem, dir, strlen(dir));
    r->base.host = ctf_env_get(&trace->meta, "hostname");
    if (r->base.host.n == 0)
        r->base.host = ctf_env_get(&trace->meta, "host"); /* perf data convert --to-ctf */
    r->base.domain = ctf_env_get(&trace->meta, "domain");
    r->trace = trace;
    r->base.nclasses = (uint32_t)trace->meta.events.n;
    r->base.classes = arena_array(&r->base.mem, struct reader_class, r->base.nclasses);
    r->bindings = arena_array(&r->base.mem, struct binding, r->base.nclasses);
    for (uint32_t i = 0; i < r->base.nclasses; i++)
        bind_class(r, trace->meta.events.at[i], &r->bindings[i], &r->base.classes[i]);
    describe(r);
    ctf_merge_init(&r->merge, trace, notes, 0);
    *ret = &r->base;
    return 0;
}

uint64_t reader_drop_shared(struct reader *later, const struct reader *earlier)
{
    if (later->ops->close != ctf_close || earlier->ops->close != ctf_close)
        return 0;
    return ctf_trace_drop_shared(((struct ctf_reader *)later)->trace,
                                 ((const struct ctf_reader *)earlier)->trace, later->notes);
}
