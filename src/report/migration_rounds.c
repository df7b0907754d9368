/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_rounds.c -- QEMU's stages, and the rounds of pre-copy.
 *
 * QEMU collects which pages were written (migration_bitmap_sync) when it begins, whenever it has
 * sent what it knew of, and once more when the guest was stopped.  The first round sends all memory
 * and lasts from the first sync to the second; each other one from sync to sync; the last begins
 * where the guest is stopped (savevm_state_complete_precopy, or what tells of it), and the sync in
 * it is not a round's end.  Without trace events, MIGRATION_PASS of QMP tells when rounds begin,
 * and the answers of query-migrate what was sent.  (QEMU 7.2, migration/ram.c, migration.c) */
#include "report/migration_priv.h"

#include <math.h>
#include <stdlib.h>

enum { PAGE = 4096, DEFAULT_DOWNTIME_MS = 300 };

/* When the guest was stopped for the last part; NS_MAX: never. */
static ns_t stop_of(const struct qemu_end *s)
{
    ns_t stop = NS_MAX;

    for (size_t i = 0; i < s->rows.n; i++) {
        const struct qemu_row *r = &s->rows.at[i];
        bool stops = r->what == QEMU_STOPS || r->what == QEMU_SAVE_COMPLETE ||
                     r->what == QEMU_POSTCOPY || (r->what == QEMU_VM && r->a == 0 && !r->qmp);

        if (stops && r->t0 < stop)
            stop = r->t0;
    }
    return stop;
}

/* How long nothing was sent in [t0, t1) since QEMU looked at what was written. */
static ns_t looking(const struct qemu_end *s, ns_t t0, ns_t t1)
{
    ns_t sum = 0;

    for (size_t i = 0; i < s->rows.n; i++) {
        const struct qemu_row *r = &s->rows.at[i];
        ns_t a = r->t0 > t0 ? r->t0 : t0, b = r->t1 < t1 ? r->t1 : t1;

        if (r->what == QEMU_SYNC && b > a)
            sum += b - a;
    }
    return sum;
}

/* Bytes sent in [t0, t1), from what QEMU says of each stretch of time; STORE_NULL: not said.
 * Stretches join, but it tells how long they were in whole milliseconds. */
static int64_t sent_in(const struct qemu_end *s, ns_t t0, ns_t t1)
{
    enum { ROUNDED_NS = 2000000 };
    ns_t before = NS_MIN;
    double sum = 0;
    bool any = false;

    for (size_t i = 0; i < s->rows.n; i++) {
        const struct qemu_row *r = &s->rows.at[i];
        ns_t from = r->t0 - r->b * 1000000, to = r->t0;

        if (r->what != QEMU_TRANSFERRED)
            continue;
        if (before != NS_MIN && from - before < ROUNDED_NS && before - from < ROUNDED_NS)
            from = before;
        before = to;
        if (r->b <= 0 || to <= t0 || from >= t1)
            continue;
        ns_t a = from > t0 ? from : t0, b = to < t1 ? to : t1;
        ns_t sending = to - from - looking(s, from, to);
        if (sending > 0)
            sum += (double)r->a * (double)(b - a - looking(s, a, b)) / (double)sending;
        any = true;
    }
    return any ? (int64_t)sum : STORE_NULL;
}

/* What was sent by 't', as query-migrate says, straight between its answers; < 0: not known. */
static double transferred_at(const struct qemu_end *s, ns_t t)
{
    const struct qemu_info *before = NULL;

    for (size_t i = 0; i < s->infos.n; i++) {
        const struct qemu_info *x = &s->infos.at[i];

        if (x->total <= 0)
            continue;
        if (x->t > t && before && x->t > before->t)
            return (double)before->transferred + (double)(x->transferred - before->transferred) *
                                                     (double)(t - before->t) /
                                                     (double)(x->t - before->t);
        if (x->t > t)
            return -1;
        before = x;
    }
    return before ? (double)before->transferred : -1;
}

static int64_t sent_between(const struct qemu_end *s, ns_t t0, ns_t t1)
{
    int64_t sent = sent_in(s, t0, t1);

    if (sent != STORE_NULL)
        return sent;
    double a = transferred_at(s, t0), b = transferred_at(s, t1);
    return a < 0 || b < a ? STORE_NULL : (int64_t)(b - a);
}

static int64_t throttle_at(const struct qemu_end *s, ns_t t)
{
    int64_t percent = 0;

    for (size_t i = 0; i < s->rows.n; i++)
        if (s->rows.at[i].what == QEMU_THROTTLE && s->rows.at[i].t0 <= t)
            percent = s->rows.at[i].a;
    for (size_t i = 0; i < s->infos.n; i++)
        if (s->infos.at[i].t <= t && s->infos.at[i].throttle > percent)
            percent = s->infos.at[i].throttle;
    return percent;
}

/* --- limits -------------------------------------------------------------------------------- */

static void find_limits(const struct qemu_end *s, struct migration *m)
{
    for (size_t i = 0; i < s->infos.n; i++) {
        const struct qemu_info *x = &s->infos.at[i];

        m->page_bytes = x->page_bytes > 0 ? x->page_bytes : m->page_bytes;
        m->memory_bytes = x->total > 0 ? x->total : m->memory_bytes;
    }
    if (m->page_bytes == 0)
        m->page_bytes = PAGE;
    for (size_t i = 0; i < s->rows.n; i++) {
        const struct qemu_row *r = &s->rows.at[i];

        if (r->what == QEMU_PENDING && m->memory_bytes == 0)
            m->memory_bytes = r->a;
        m->auto_converge |= r->what == QEMU_THROTTLE && r->a > 0;
        if (r->what != QEMU_PARAMETERS)
            continue;
        m->bandwidth_cap = r->a > 0 ? r->a : m->bandwidth_cap;
        m->downtime_limit_ms = r->b > 0 ? r->b : m->downtime_limit_ms;
    }
}

/* --- rounds --------------------------------------------------------------------------------- */

struct edge {
    ns_t t;
    int64_t dirty_pages; /* to be sent from here on; STORE_NULL: not known */
};
typedef VEC(struct edge) edge_vec;

/* QEMU counts what it found in periods of a second or more: what a sync tells includes those before
 * it in the same one (migration/ram.c: num_dirty_pages_period). */
struct period {
    ns_t t0; /* NS_MIN: none yet */
    int64_t pages;
};

static int64_t found_by(struct period *p, const struct qemu_row *r)
{
    int64_t found = r->a >= p->pages ? r->a - p->pages : r->a;

    p->pages = r->a;
    if (p->t0 == NS_MIN)
        p->t0 = r->t1;
    if (r->t1 - p->t0 > NS_PER_S) {
        p->t0 = r->t1;
        p->pages = 0;
    }
    return found;
}

/* Where rounds begin: at syncs, or at passes. */
static void find_edges(const struct qemu_end *s, ns_t stop, const struct migration *m,
                       edge_vec *ret, int64_t *ret_last)
{
    bool traced = qemu_row_of(s, QEMU_SYNC, NS_MIN) != NULL;
    struct period p = { .t0 = NS_MIN };

    *ret_last = STORE_NULL;
    for (size_t i = 0; i < s->rows.n; i++) {
        const struct qemu_row *r = &s->rows.at[i];

        if (r->what != (traced ? QEMU_SYNC : QEMU_PASS))
            continue;
        int64_t found = traced ? found_by(&p, r) : STORE_NULL;
        if (r->t0 >= stop) {
            *ret_last = *ret_last == STORE_NULL ? found : *ret_last;
            continue;
        }
        *vec_push(ret) = (struct edge){ r->t1, found };
    }
    if (ret->n && m->memory_bytes) /* all of the memory first, whatever was written */
        ret->at[0].dirty_pages = m->memory_bytes / m->page_bytes;
}

static void add_round(const struct qemu_end *s, struct migration *m, ns_t t0, ns_t t1,
                      int64_t dirty, int64_t dirtied, bool stopped)
{
    struct mig_round *r = vec_push(&m->rounds);
    double took = (double)(t1 - t0) / 1e9;

    *r = (struct mig_round){ .n = (uint32_t)m->rounds.n,
                             .t0 = t0,
                             .t1 = t1,
                             .dirty_pages = dirty,
                             .dirtied_pages = dirtied,
                             .sent_bytes = sent_between(s, t0, t1),
                             .dirty_rate = nan(""),
                             .transfer_rate = nan(""),
                             .throttle = throttle_at(s, t0),
                             .stopped = stopped };
    if (took > 0 && r->sent_bytes != STORE_NULL)
        r->transfer_rate = (double)r->sent_bytes / took;
    if (took > 0 && dirtied != STORE_NULL && !stopped)
        r->dirty_rate = (double)(dirtied * m->page_bytes) / took;
}

/* Bytes that the guest wrote in a round.  QEMU tells of pages that were not waiting to be sent
 * already, and up to the allowed rest is waiting.  Those are of the working set, of which 'most'
 * was seen so far, and are written again as likely as all others. */
static double written_in(const struct qemu_end *s, const struct migration *m,
                         const struct mig_round *r, double *most)
{
    const struct qemu_row *pending = qemu_row_of(s, QEMU_PENDING, r->t1);

    if (r->dirtied_pages == STORE_NULL)
        return -1;
    double found = (double)(r->dirtied_pages * m->page_bytes);
    double all = pending ? (double)pending->a : found;
    *most = all > *most ? all : *most;
    return found > 0 && all > found ? found / (1 - (all - found) / *most) : found;
}

/* What could be foreseen after each round: it changes its mind once at most, and only when two
 * rounds say so, since a forecast that wavers helps nobody. */
static void foresee(const struct qemu_end *s, struct migration *m)
{
    VEC(struct conv_round) measured = { 0 };
    struct conv_limits l = { .memory_bytes = (double)m->memory_bytes,
                             .downtime_s = (double)(m->downtime_limit_ms ? m->downtime_limit_ms
                                                                         : DEFAULT_DOWNTIME_MS) /
                                           1e3,
                             .bandwidth_cap = (double)m->bandwidth_cap };
    enum conv_ends said = CONV_UNKNOWN, before = CONV_UNKNOWN;
    double most = 0;
    int changes = 0;

    for (size_t i = 0; i < m->rounds.n; i++) {
        struct mig_round *r = &m->rounds.at[i];

        if (!r->stopped)
            *vec_push(&measured) =
                (struct conv_round){ .took_s = (double)(r->t1 - r->t0) / 1e9,
                                     .sent_bytes =
                                         r->sent_bytes == STORE_NULL ? -1 : (double)r->sent_bytes,
                                     .dirtied_bytes = written_in(s, m, r, &most),
                                     .throttle = (double)r->throttle / 100 };
        l.throttles = throttle_at(s, r->t1) > 0; /* not what shows only later */
        convergence(measured.at, measured.n, &l, &r->verdict);
        bool sure = said == CONV_UNKNOWN || r->verdict.ends == CONV_NEVER || before == CONV_ENDS;
        before = r->verdict.ends;
        if (before != CONV_UNKNOWN && before != said && sure && changes < 2) {
            said = before;
            changes++;
        }
        r->foreseen = said;
    }
    vec_free(&measured);
}

/* Is the last sync the one that found little enough left, so that no round begins with it? */
static bool is_last_look(const struct qemu_end *s, const edge_vec *edges, ns_t stop)
{
    if (edges->n < 2 || stop == NS_MAX)
        return false;
    ns_t t = edges->at[edges->n - 1].t;
    const struct qemu_row *low = qemu_row_of(s, QEMU_LOW_PENDING, t);
    const struct qemu_row *sent = qemu_row_of(s, QEMU_TRANSFERRED, t);

    return low && low->t0 <= stop && !(sent && sent->t0 < low->t0);
}

void qemu_rounds(const struct qemu_end *s, struct migration *m)
{
    ns_t stop = stop_of(s), end = m->end == STORE_NULL ? NS_MAX : m->end;
    edge_vec edges = { 0 };
    int64_t last;

    find_limits(s, m);
    find_edges(s, stop, m, &edges, &last);
    bool stops_there = is_last_look(s, &edges, stop);
    if (stops_there) {
        const struct edge *e = &edges.at[edges.n - 1];

        last = last == STORE_NULL || e->dirty_pages == STORE_NULL ? last : last + e->dirty_pages;
    }
    for (size_t i = 0; i + stops_there < edges.n; i++) {
        bool more = i + 1 < edges.n;
        ns_t t1 = more ? edges.at[i + 1].t : stop < end ? stop : end;

        if (t1 == NS_MAX || t1 <= edges.at[i].t)
            continue;
        add_round(s, m, edges.at[i].t, t1, edges.at[i].dirty_pages,
                  more         ? edges.at[i + 1].dirty_pages
                  : stop <= t1 ? last
                               : STORE_NULL,
                  false);
    }
    if (stop != NS_MAX && end != NS_MAX && end > stop && m->kind != MIG_POSTCOPY &&
        m->outcome != MIG_CANCELLED)
        add_round(s, m, stop, end, last, 0, true);
    vec_free(&edges);
    foresee(s, m);
}

/* --- stages --------------------------------------------------------------------------------- */

static void add_stage(struct migration *m, const char *name, const char *host, ns_t t0, ns_t t1,
                      const char *evidence)
{
    *vec_push(&m->stages) = (struct mig_stage){ .name = str_of(name),
                                                .layer = STR("qemu"),
                                                .host = str_of(host),
                                                .t0 = t0,
                                                .t1 = t1,
                                                .evidence = str_of(evidence) };
}

static ns_t when(const struct qemu_row *r, ns_t otherwise)
{
    return r ? r->t0 : otherwise;
}

static void source_stages(const char *host, const struct qemu_end *s, struct migration *m)
{
    const struct mig_round *first = m->rounds.n ? &m->rounds.at[0] : NULL, *last = NULL;
    ns_t stop = stop_of(s);

    for (size_t i = 0; i < s->rows.n; i++) {
        const struct qemu_row *r = &s->rows.at[i];

        if (r->what == QEMU_STATE && str_is(r->text, "setup") && first && r->t0 < first->t0) {
            add_stage(m, "setup", host, r->t0, first->t0,
                      "migration state setup, first bitmap sync");
            break;
        }
    }
    for (size_t i = 0; i < m->rounds.n; i++)
        last = m->rounds.at[i].stopped ? last : &m->rounds.at[i];
    if (last)
        add_stage(m, "pre-copy", host, first->t0, first->t1, "first and second bitmap sync");
    if (last > first)
        add_stage(m, "iterations", host, first->t1, last->t1,
                  "second bitmap sync to the stop of the guest");
    if (stop != NS_MAX && m->outcome != MIG_CANCELLED)
        add_stage(m, m->kind == MIG_POSTCOPY ? "switch to post-copy" : "stop-and-copy", host, stop,
                  m->kind == MIG_POSTCOPY ? when(qemu_row_of(s, QEMU_POSTCOPY_END, stop), m->end)
                                          : m->end,
                  "the guest is stopped; migration state completed");
}

void qemu_stages(const struct report_src *src, const struct qemu_end *s, const struct qemu_end *d,
                 struct migration *m)
{
    if (s)
        source_stages(store_host(src->hosts[s->host]), s, m);
    if (d) {
        const char *host = store_host(src->hosts[d->host]);
        const struct qemu_row *loaded = qemu_row_of(d, QEMU_LOAD_END, NS_MIN);
        const struct qemu_row *run = NULL;

        for (size_t i = 0; i < d->rows.n; i++)
            if (d->rows.at[i].what == QEMU_VM && d->rows.at[i].a == 1)
                run = run ? run : &d->rows.at[i];
        add_stage(m, "load", host, d->t0, when(loaded, d->t1), "incoming channel, state loaded");
        if (loaded && run && run->t0 >= loaded->t0)
            add_stage(m, "resume", host, loaded->t0, run->t0, "state loaded, the guest runs");
    }
}
