/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf.c -- how fast are traces decoded?
 *
 * usage: ctf [PATH] [--json] [--runs N] [--threads N]
 *
 *   open            metadata and packet headers of the traces below PATH
 *   walk            every event, merged in order of time
 *   lazy            and one field of each
 *   all-fields      and every field: numbers, and the bytes of every text
 *   all-fields-ahead  the same while a helper thread steps over the events; by the clock
 *   parallel-1, -N  every field, packet by packet in any order, on one thread and on
 *                   N (2); by the clock
 *
 * The time of the others is CPU time (user and system), the median of the runs, of
 * traces that are open.  Where libbabeltrace2 is there, the same loop over every field
 * runs with it, and what both have read must have the same sums.  Two ratios: of
 * reading alone (its time before the first event does not count), and of opening and
 * reading.  Without PATH two traces are made (bench/made.h), 2,000,000 events each. */
#define _GNU_SOURCE
#include "bench/ctf_rival.h"
#include "bench/made.h"
#include "bench/timing.h"
#include "ctf/merge.h"
#include "ctf/scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- ours ------------------------------------------------------------------------ */

struct text {
    uint32_t off, length; /* bytes; at most 16 long */
};

/* The fields of an event class, bound when the trace was opened: those that one load
 * finds, by their kind, then the others. */
struct plan {
    const struct ctf_int *ints; /* filled up to fours with zeros */
    const struct text *texts;
    uint32_t nints, ntexts, nothers;
    const struct ctf_bound *others;
    bool has_string; /* that of LAYOUT_STRING */
    uint32_t string_off;
};

/* A batch sorted by event class: a consumer of columns has the offset of a field in a
 * register for all events of a class, and no branch that depends on the next event. */
struct groups {
    uint32_t *next; /* by class: how many, then where the next one goes; zeros between batches */
    uint32_t *used; /* classes of the batch */
    VEC(struct ctf_rec) sorted;
};

struct open_trace {
    struct ctf_trace *t;
    struct plan *plans;           /* by class */
    struct ctf_bound *first_ints; /* the same */
    struct groups groups;
    struct arena mem;
    struct notes notes;
};

static void make_plan(struct arena *mem, const struct ctf_event_class *c, struct plan *p,
                      struct ctf_bound *first_int)
{
    struct ctf_int *ints = arena_array(mem, struct ctf_int, c->nfields + 3);
    struct text *texts = arena_array(mem, struct text, c->nfields);
    struct ctf_bound *others = arena_array(mem, struct ctf_bound, c->nfields);

    for (uint32_t i = 0; i < c->nfields; i++) {
        const struct ctf_field *f = &c->fields[i];
        struct ctf_bound b = ctf_bind(c, f);

        if (b.how == BOUND_INT) {
            ints[p->nints++] = b.i;
        } else if (b.how == BOUND_TEXT && b.length <= 16) {
            texts[p->ntexts++] = (struct text){ b.i.off, b.length };
        } else if (b.how == BOUND_STRING) {
            p->has_string = true;
            p->string_off = b.i.off;
        } else {
            others[p->nothers++] = b;
        }
        if (f->kind == FIELD_INT && f->scope == SCOPE_PAYLOAD && first_int->how == BOUND_NONE &&
            !f->only_if)
            *first_int = b;
    }
    p->ints = ints;
    p->texts = texts;
    p->others = others;
}

static void groups_init(struct groups *g, const struct ctf_trace *t)
{
    g->next = xcalloc(t->meta.events.n + 1, sizeof *g->next);
    g->used = xcalloc(t->meta.events.n + 1, sizeof *g->used);
}

static void groups_free(struct groups *g)
{
    free(g->next);
    free(g->used);
    vec_free(&g->sorted);
}

static bool open_trace(const char *dir, struct open_trace *ret)
{
    struct err err;

    *ret = (struct open_trace){ 0 };
    if (ctf_trace_open(dir, &ret->t, &ret->notes, &err) < 0) {
        fprintf(stderr, "ctf: %s\n", err.text);
        return false;
    }
    ret->plans = arena_array(&ret->mem, struct plan, ret->t->meta.events.n);
    ret->first_ints = arena_array(&ret->mem, struct ctf_bound, ret->t->meta.events.n);
    for (size_t i = 0; i < ret->t->meta.events.n; i++)
        make_plan(&ret->mem, ret->t->meta.events.at[i], &ret->plans[i], &ret->first_ints[i]);
    groups_init(&ret->groups, ret->t);
    return true;
}

static void close_trace(struct open_trace *o)
{
    groups_free(&o->groups);
    arena_free(&o->mem);
    ctf_trace_close(o->t);
    notes_free(&o->notes);
}

static void sink_open(void *ctx, struct str name, bool is_struct)
{
    (void)ctx, (void)name, (void)is_struct;
}

static void sink_close(void *ctx, bool is_struct)
{
    (void)ctx, (void)is_struct;
}

static void sink_scalar(void *ctx, struct str name, const struct value *v)
{
    (void)name;
    if (v->kind == VALUE_F64)
        add_float(ctx, v->f64);
    else
        ((struct sums *)ctx)->ints += v->u64;
}

static void sink_text(void *ctx, struct str name, struct str s)
{
    (void)name;
    add_text(ctx, s.p, s.n);
}

static uint64_t sum_bytes(const uint8_t *p, uint64_t n)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < n; i++)
        sum += p[i];
    return sum;
}

static void touch_array(struct sums *s, const struct ctf_event *ev, const struct ctf_field *f)
{
    const struct ctf_type *e = f->type->elem;
    uint64_t n = f->type->kind == CTF_SEQ ? ev->slot[f->type->ref_slot] : f->type->length;
    uint64_t pos = ev->seg[f->seg] + f->off;
    uint64_t stride = ((uint64_t)e->size + e->align - 1) & ~((uint64_t)e->align - 1);
    struct ctf_load load = ctf_load_of(e, pos % 8 || stride % 8 ? 1 : 8, ev->cls->native);

    if (e->kind != CTF_FLOAT && e->size == 8 && load.kind == LOAD_LE && !e->is_signed) {
        s->ints += sum_bytes(ev->p + pos / 8, n);
        return;
    }
    for (uint64_t i = 0; i < n; i++, pos += stride) {
        uint64_t raw = ctf_load_at(ev->p, pos, load);

        if (e->kind == CTF_FLOAT)
            add_float(s, ctf_raw_f64(e, raw));
        else
            s->ints += raw;
    }
}

static void touch_field(struct sums *s, struct ctf_view *v, const struct ctf_rec *r,
                        const struct ctf_bound *b)
{
    const struct value_sink sink = { s, sink_open, sink_close, sink_scalar, sink_text };
    const struct ctf_event *ev;
    struct str text;

    switch (b->field->kind) {
    case FIELD_INT: s->ints += ctf_bound_u64(v, r, b); return;
    case FIELD_FLOAT: add_float(s, ctf_raw_f64(b->field->type, ctf_bound_u64(v, r, b))); return;
    case FIELD_STRING:
    case FIELD_TEXT:
        text = ctf_bound_str(v, r, b);
        add_text(s, text.p, text.n);
        return;
    case FIELD_ARRAY:
        ev = ctf_view_event(v, r);
        if (b->field->type->elem && b->field->type->elem->kind <= CTF_FLOAT)
            touch_array(s, ev, b->field);
        else
            ctf_visit_field(ev, b->field, &sink);
        return;
    }
}

/* The fields of one option of a variant follow each other: whether they are there is
 * asked once. */
static void touch_others(struct sums *s, struct ctf_view *v, const struct ctf_rec *r,
                         const struct plan *p)
{
    const struct ctf_choice *asked = NULL;
    bool there = true;

    for (uint32_t i = 0; i < p->nothers; i++) {
        const struct ctf_bound *b = &p->others[i];

        if (b->field->only_if != asked) {
            asked = b->field->only_if;
            there = !asked || ctf_bound_has(v, r, b);
        }
        if (there)
            touch_field(s, v, r, b);
    }
}

static inline uint64_t touch_ints(const struct ctf_rec *r, const struct ctf_int *i, uint32_t n)
{
    uint64_t sum = 0;

    for (const struct ctf_int *end = i + n; i < end; i += 4)
        sum += ctf_load_int(r, i[0]) + ctf_load_int(r, i[1]) + ctf_load_int(r, i[2]) +
               ctf_load_int(r, i[3]);
    return sum;
}

static inline void touch_text(struct sums *s, const struct ctf_rec *r, struct text t)
{
    const char *p = (const char *)r->at + t.off;
    size_t n = nul_in_16(p);

    add_text(s, p, n < t.length ? n : t.length);
}

static inline void touch_string(struct sums *s, const struct ctf_rec *r, const struct plan *p)
{
    add_text(s, (const char *)r->at + p->string_off, r->more - p->string_off - 1);
}

static inline void touch_all(struct sums *s, struct ctf_view *v, const struct ctf_rec *r,
                             const struct plan *p)
{
    s->ints += touch_ints(r, p->ints, p->nints);
    for (uint32_t i = 0; i < p->ntexts; i++)
        touch_text(s, r, p->texts[i]);
    if (p->has_string)
        touch_string(s, r, p);
    if (p->nothers)
        touch_others(s, v, r, p);
}

enum mode { OPEN, WALK, LAZY, ALL_FIELDS, AHEAD, PARALLEL_1, PARALLEL_N, RIVAL, MODES };

enum { FEW = 4 }; /* events of a class that are not worth it */

static void touch_group(struct sums *s, struct ctf_view *v, const struct ctf_rec *r, size_t n,
                        const struct plan *p)
{
    if (n < FEW) {
        for (size_t i = 0; i < n; i++)
            touch_all(s, v, &r[i], p);
        return;
    }
    for (uint32_t f = 0; f < p->nints; f++) {
        struct ctf_int x = p->ints[f];
        uint64_t sum = 0;

        if (x.behind)
            for (size_t i = 0; i < n; i++)
                sum += ctf_load_int(&r[i], x);
        else
            for (size_t i = 0; i < n; i++)
                sum += ctf_int_at(r[i].at, x);
        s->ints += sum;
    }
    for (uint32_t f = 0; f < p->ntexts; f++)
        for (size_t i = 0; i < n; i++)
            touch_text(s, &r[i], p->texts[f]);
    for (size_t i = 0; p->has_string && i < n; i++)
        touch_string(s, &r[i], p);
    for (size_t i = 0; p->nothers && i < n; i++)
        touch_others(s, v, &r[i], p);
}

static void touch_batch(const struct plan *plans, struct groups *g, struct ctf_view *v,
                        const struct ctf_rec *r, size_t n, struct sums *ret)
{
    struct sums s = *ret;
    uint32_t nused = 0, at = 0;

    for (size_t i = 0; i < n; i++) {
        add_time(&s, r[i].t);
        g->used[nused] = r[i].cls;
        nused += g->next[r[i].cls]++ == 0;
    }
    for (uint32_t i = 0; i < nused; i++) {
        uint32_t *next = &g->next[g->used[i]], count = *next;

        *next = at;
        at += count;
    }
    vec_reserve(&g->sorted, n);
    for (size_t i = 0; i < n; i++)
        g->sorted.at[g->next[r[i].cls]++] = r[i];
    for (uint32_t i = 0, from = 0; i < nused; i++) {
        uint32_t *next = &g->next[g->used[i]], to = *next;

        touch_group(&s, v, g->sorted.at + from, to - from, &plans[g->used[i]]);
        from = to;
        *next = 0;
    }
    *ret = s;
}

static void read_batch(struct open_trace *o, enum mode mode, struct ctf_view *v,
                       const struct ctf_rec *r, size_t n, struct sums *s)
{
    if (mode == ALL_FIELDS || mode == AHEAD)
        touch_batch(o->plans, &o->groups, v, r, n, s);
    if (mode == WALK)
        for (size_t i = 0; i < n; i++)
            add_time(s, r[i].t);
    if (mode == LAZY)
        for (size_t i = 0; i < n; i++) {
            const struct ctf_bound *b = &o->first_ints[r[i].cls];

            add_time(s, r[i].t);
            if (b->how != BOUND_NONE)
                s->ints += ctf_bound_u64(v, &r[i], b);
        }
}

static void read_trace(struct open_trace *o, enum mode mode, struct sums *s)
{
    const struct ctf_rec *r;
    struct ctf_merge m;
    size_t n;

    ctf_merge_init(&m, o->t, &o->notes, mode == AHEAD);
    while ((r = ctf_merge_batch(&m, &n)))
        read_batch(o, mode, &m.view, r, n, s);
    ctf_merge_free(&m);
}

/* One thread's part of a parallel pass; on a cache line of its own. */
struct part {
    _Alignas(128) struct sums s;
    const struct plan *plans;
    struct groups groups;
};

static void touch_part(void *state, struct ctf_view *v, const struct ctf_rec *r, size_t n)
{
    struct part *p = state;

    touch_batch(p->plans, &p->groups, v, r, n, &p->s);
}

enum { MAX_THREADS = 64 };

static void scan_trace(struct open_trace *o, unsigned threads, struct sums *s)
{
    static struct part parts[MAX_THREADS];
    void *states[MAX_THREADS] = { NULL };

    for (unsigned i = 0; i < threads; i++) {
        parts[i] = (struct part){ .plans = o->plans };
        groups_init(&parts[i].groups, o->t);
        states[i] = &parts[i];
    }
    ctf_scan(o->t, threads, &o->notes, touch_part, states);
    for (unsigned i = 0; i < threads; i++) {
        s->events += parts[i].s.events;
        s->ints += parts[i].s.ints;
        s->floats += parts[i].s.floats;
        s->bytes += parts[i].s.bytes;
        groups_free(&parts[i].groups);
    }
}

/* --- measuring ------------------------------------------------------------------------ */

typedef VEC(const char *) path_vec;

static void find_traces(const char *dir, int depth, struct arena *a, path_vec *ret)
{
    struct dir_entry *e;
    struct err err;
    size_t n;

    if (ctf_is_trace(dir)) {
        *vec_push(ret) = arena_strdup(a, dir, strlen(dir));
        return;
    }
    if (depth > 12 || dir_list(dir, a, &e, &n, &err) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (e[i].is_dir)
            find_traces(path_join(a, dir, e[i].name), depth + 1, a, ret);
}

enum { MAX_RUNS = 101 };

struct measured {
    const char *mode;
    struct sums s;
    double seconds;
    double opening; /* of 'seconds', before the first event: RIVAL only */
};

struct options {
    bool json;
    size_t runs;
    unsigned threads;
};

static void print(const struct measured *m, bool json)
{
    double rate = m->seconds > 0 ? (double)m->s.events / m->seconds : 0;

    if (json)
        printf("{\"mode\":\"%s\",\"events\":%" PRIu64 ",\"seconds\":%.6f,\"events_per_s\":%.0f}\n",
               m->mode, m->s.events, m->seconds, rate);
    else
        printf("%-22s %10" PRIu64 " events  %9.4f s  %8.2f M events/s\n", m->mode, m->s.events,
               m->seconds, rate / 1e6);
}

static bool run_once(enum mode mode, const path_vec *traces, struct open_trace *open,
                     unsigned threads, struct measured *ret)
{
    for (size_t i = 0; i < traces->n; i++) {
        struct open_trace o;

        switch (mode) {
        case OPEN:
            if (!open_trace(traces->at[i], &o))
                return false;
            close_trace(&o);
            break;
        case RIVAL:
            if (!bt2_trace(traces->at[i], &ret->s, &ret->opening))
                return false;
            break;
        case PARALLEL_1: scan_trace(&open[i], 1, &ret->s); break;
        case PARALLEL_N: scan_trace(&open[i], threads, &ret->s); break;
        case WALK:
        case LAZY:
        case ALL_FIELDS:
        case AHEAD:
        case MODES: read_trace(&open[i], mode, &ret->s); break;
        }
    }
    return true;
}

static bool run_mode(enum mode mode, const path_vec *traces, struct open_trace *open,
                     struct measured *ret, const struct options *o)
{
    bool wall = mode >= AHEAD && mode <= PARALLEL_N;
    size_t runs = mode == RIVAL && o->runs > 3 ? 3 : o->runs;
    double took[MAX_RUNS], opening[MAX_RUNS];

    for (size_t r = 0; r < runs; r++) {
        double start = wall ? clock_seconds(CLOCK_MONOTONIC) : cpu_seconds();

        ret->s = (struct sums){ 0 };
        ret->opening = 0;
        if (!run_once(mode, traces, open, o->threads, ret))
            return false;
        took[r] = (wall ? clock_seconds(CLOCK_MONOTONIC) : cpu_seconds()) - start;
        opening[r] = ret->opening;
    }
    ret->seconds = median(took, runs);
    ret->opening = median(opening, runs);
    return true;
}

static bool same_sums(const struct sums *a, const struct sums *b)
{
    return a->events == b->events && a->ints == b->ints && a->floats == b->floats &&
           a->bytes == b->bytes;
}

static int compare(const struct measured *m, bool json)
{
    const struct measured *ours = &m[ALL_FIELDS], *theirs = &m[RIVAL];
    bool same = same_sums(&ours->s, &theirs->s) && ours->s.times == theirs->s.times;
    double all = ours->seconds + m[OPEN].seconds, ratio = all > 0 ? theirs->seconds / all : 0;
    double read = ours->seconds > 0 ? (theirs->seconds - theirs->opening) / ours->seconds : 0;

    if (json)
        printf("{\"mode\":\"ratio\",\"sums_equal\":%s,\"ratio\":%.2f,\"ratio_reading\":%.2f}\n",
               same ? "true" : "false", ratio, read);
    else
        printf("sums of times, numbers and texts: %s\n"
               "every field: %.1f times the speed of libbabeltrace2; with opening %.1f times\n",
               same ? "equal" : "DIFFERENT", read, ratio);
    return same ? 0 : 1;
}

/* Did the passes with threads see what the merged one saw, and how much faster are two? */
static int compare_parallel(const struct measured *m, const struct options *o)
{
    bool same = m[ALL_FIELDS].s.times == m[AHEAD].s.times &&
                same_sums(&m[ALL_FIELDS].s, &m[AHEAD].s) &&
                same_sums(&m[ALL_FIELDS].s, &m[PARALLEL_1].s) &&
                same_sums(&m[ALL_FIELDS].s, &m[PARALLEL_N].s);
    double faster = m[PARALLEL_N].seconds > 0 ? m[PARALLEL_1].seconds / m[PARALLEL_N].seconds : 0;

    if (o->json)
        printf("{\"mode\":\"speedup\",\"threads\":%u,\"sums_equal\":%s,\"speedup\":%.2f}\n",
               o->threads, same ? "true" : "false", faster);
    else
        printf("%u threads: %.2f times the speed of one, sums %s\n", o->threads, faster,
               same ? "equal" : "DIFFERENT");
    return same ? 0 : 1;
}

static int measure(const path_vec *traces, struct open_trace *open, const struct options *o)
{
    char parallel[32];
    const char *const names[MODES] = { "open",
                                       "walk",
                                       "lazy",
                                       "all-fields",
                                       "all-fields-ahead",
                                       "parallel-1",
                                       parallel,
                                       "babeltrace2-all-fields" };
    struct measured m[MODES] = { 0 };

    snprintf(parallel, sizeof parallel, "parallel-%u", o->threads);
    for (int i = OPEN; i < RIVAL; i++) {
        m[i].mode = names[i];
        if (!run_mode((enum mode)i, traces, open, &m[i], o)) {
            fprintf(stderr, "ctf: can't be opened\n");
            return 1;
        }
        print(&m[i], o->json);
    }
    int rc = compare_parallel(m, o);
    m[RIVAL].mode = names[RIVAL];
    if (!HAVE_BABELTRACE2) {
        fprintf(stderr, "ctf: built without libbabeltrace2: nothing to compare with\n");
    } else if (!run_mode(RIVAL, traces, open, &m[RIVAL], o)) {
        fprintf(stderr, "ctf: libbabeltrace2 can't read all of it\n");
    } else {
        print(&m[RIVAL], o->json);
        rc |= compare(m, o->json);
    }
    return rc;
}

static int measure_path(const char *path, const struct options *o)
{
    struct arena a = { 0 };
    path_vec traces = { 0 };
    bool ok = true;
    size_t n = 0;
    int rc = 1;

    find_traces(path, 0, &a, &traces);
    struct open_trace *open = xcalloc(traces.n + 1, sizeof *open);
    while (ok && n < traces.n)
        ok = open_trace(traces.at[n], &open[n]), n++;
    if (traces.n == 0)
        fprintf(stderr, "ctf: no trace in %s\n", path);
    else if (ok)
        rc = measure(&traces, open, o);
    while (n > 0)
        close_trace(&open[--n]);
    free(open);
    vec_free(&traces);
    arena_free(&a);
    return rc;
}

static int measure_made(const struct made_kind *kind, const char *name, const struct options *o)
{
    struct err err = { 0 };
    char dir[256];

    if (!made_folder(dir)) {
        perror("ctf: a folder for a trace");
        return 1;
    }
    int rc = made_write(kind, dir, 2000000, &err);
    if (rc < 0)
        fprintf(stderr, "ctf: %s\n", err.text);
    else if (!o->json)
        printf("-- made: %s\n", name);
    rc = rc < 0 ? 1 : measure_path(dir, o);
    made_remove(dir);
    return rc;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    uint64_t runs = 21, threads = 2;
    bool json = false;

    for (int i = 1; i < argc; i++) {
        uint64_t *number = !strcmp(argv[i], "--runs")      ? &runs
                           : !strcmp(argv[i], "--threads") ? &threads
                                                           : NULL;

        if (!strcmp(argv[i], "--json"))
            json = true;
        else if (!number)
            path = argv[i];
        else if (++i >= argc || !str_u64(str_of(argv[i]), number))
            return fprintf(stderr, "ctf: %s needs a number\n", argv[i - 1]), 2;
    }
    runs = runs < 1 ? 1 : runs > MAX_RUNS ? MAX_RUNS : runs;
    threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    struct options o = { json, (size_t)runs, (unsigned)threads };
    if (path)
        return measure_path(path, &o);
    return measure_made(&made_ust, "ust", &o) | measure_made(&made_kernel, "kernel", &o);
}
