/* SPDX-License-Identifier: Apache-2.0
 *
 * critical_show.c -- what a critical path says; see critical.h. */
#include "report/critical.h"

#include "report/lists.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

/* --- names ------------------------------------------------------------------------------ */

/* "vm-1000's CPU 0/KVM", or the one name that thread and owner have. */
static void put_thread(const struct whos *w, const struct critical *c, uint32_t host, int64_t tid,
                       ns_t t, struct sbuf *out)
{
    const struct who_thread *th = whos_at(w, host, tid, t);

    if (!th) {
        sbuf_fmt(out, tid == 0 ? "nobody" : "thread %" PRId64, tid);
        return;
    }
    struct str owner = who_owner(w, th)->name;
    if (owner.n && !str_eq(owner, th->comm))
        sbuf_fmt(out, STR_FMT "'s ", STR_ARG(owner));
    sbuf_fmt(out, STR_FMT, STR_ARG(th->comm.n ? th->comm : STR("thread")));
    if (host != c->host)
        sbuf_fmt(out, " on %s", whos_host(w, host));
}

/* What a node's time was, in words. */
static void put_node(const struct whos *w, const struct critical *c, const struct crit_node *n,
                     struct sbuf *out)
{
    if (n->what == CRIT_WOKEN) {
        put_thread(w, c, n->host, n->tid, n->t0, out);
        sbuf_z(out, n->host != c->host ? "" : ", which woke it");
    } else {
        sbuf_z(out, crit_what_name((enum crit_what)n->what));
    }
    if (n->what == CRIT_CPU && n->by > 0) {
        sbuf_z(out, " that ");
        put_thread(w, c, n->host, n->by, n->t0, out);
        sbuf_z(out, " had");
    } else if (n->what == CRIT_CPU) {
        sbuf_z(out, n->by == 0 ? " that was idle" : ", who had it is not known");
    }
    if (n->detail.n)
        sbuf_fmt(out, " (" STR_FMT ")", STR_ARG(n->detail));
}

/* --- the same things added up ------------------------------------------------------------- */

struct sum {
    const struct crit_node *first;
    ns_t total;
    uint64_t count;
    VEC(uint32_t) nodes;
};
struct sums {
    VEC(struct sum) list;
    struct strtab keys;
};

static void sums_init(struct sums *s)
{
    *s = (struct sums){ 0 };
    strtab_id(&s->keys, STR(""));
}

static void sums_free(struct sums *s)
{
    for (size_t i = 0; i < s->list.n; i++)
        vec_free(&s->list.at[i].nodes);
    vec_free(&s->list);
    strtab_free(&s->keys);
}

static void sums_add(struct sums *s, const struct critical *c, uint32_t at)
{
    const struct crit_node *n = &c->nodes.at[at];
    struct sbuf key = { 0 };

    sbuf_fmt(&key, "%d\t%u\t%" PRId64 "\t%" PRId64 "\t" STR_FMT, n->what, n->host, n->tid, n->by,
             STR_ARG(n->detail));
    uint32_t id = strtab_id(&s->keys, sbuf_view(&key));
    sbuf_free(&key);
    if (id > s->list.n)
        *vec_push(&s->list) = (struct sum){ .first = n };
    struct sum *sum = &s->list.at[id - 1];
    sum->total += n->t1 - n->t0;
    sum->count++;
    *vec_push(&sum->nodes) = at;
}

static int by_total(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;

    if (x->total != y->total)
        return x->total > y->total ? -1 : 1;
    return x->first < y->first ? -1 : x->first > y->first;
}

static void sums_sort(struct sums *s)
{
    if (s->list.n)
        qsort(s->list.at, s->list.n, sizeof *s->list.at, by_total);
}

/* --- the flat table ----------------------------------------------------------------------- */

const struct column critical_columns[] = {
    { "what", "WHAT", COL_STR, 0, 0, 0 },
    { "name", "OF", COL_STR, 0, 0, 32 },
    { "comm", "THREAD", COL_STR, 0, 0, 0 },
    { "tid", "TID", COL_INT, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "culprit", "WHO HAD THE CPU", COL_STR, 0, 0, 32 },
    { "culprit_tid", "ITS TID", COL_INT, 0, COL_WIDE, 0 },
    { "detail", "DETAIL", COL_STR, 0, 0, 40 },
    { "count", "COUNT", COL_COUNT, 0, 0, 0 },
    { "total_ns", "TOTAL", COL_DURATION, 0, 0, 0 },
    { "share", "SHARE", COL_RATIO, 0, 0, 0 },
};
const size_t ncritical_columns = ARRAY_SIZE(critical_columns);

void critical_flat(const struct report_src *src, const struct whos *w, const struct critical *c,
                   struct table *t)
{
    ns_t whole = c->win.t1 - c->win.t0;
    struct sums sums;

    (void)src;
    sums_init(&sums);
    for (uint32_t i = 0; i < c->nodes.n; i++)
        if (c->nodes.at[i].what != CRIT_WOKEN)
            sums_add(&sums, c, i);
    sums_sort(&sums);
    for (size_t i = 0; i < sums.list.n; i++) {
        const struct crit_node *n = sums.list.at[i].first;
        const struct who_thread *th = whos_at(w, n->host, n->tid, n->t0);
        const struct who_thread *by = n->by > 0 ? whos_at(w, n->host, n->by, n->t0) : NULL;

        table_row(t);
        table_str(t, str_of(crit_what_name((enum crit_what)n->what)));
        cell_str(t, th ? who_owner(w, th)->name : STR(""));
        cell_str(t, th ? th->comm : STR(""));
        table_int(t, n->tid);
        table_str(t, str_of(whos_host(w, n->host)));
        cell_str(t, by ? who_owner(w, by)->name : n->by == 0 ? STR("(idle)") : STR(""));
        cell_int(t, n->by, -1);
        cell_str(t, n->detail);
        table_count(t, sums.list.at[i].count);
        table_ns(t, sums.list.at[i].total);
        table_ratio(t, whole ? (double)sums.list.at[i].total / (double)whole : 0);
    }
    sums_free(&sums);
}

/* --- text ----------------------------------------------------------------------------------- */

static void put_tree(const struct whos *w, const struct critical *c, const uint32_t *parents,
                     size_t nparents, int depth, struct sbuf *out)
{
    ns_t whole = c->win.t1 - c->win.t0;
    char time[TIME_TEXT];
    struct sums sums;

    sums_init(&sums);
    for (size_t i = 0; i < nparents; i++)
        for (uint32_t n = c->nodes.at[parents[i]].first; n != CRIT_NONE; n = c->nodes.at[n].next)
            sums_add(&sums, c, n);
    sums_sort(&sums);
    for (size_t i = 0; i < sums.list.n && sums.list.at[i].total >= whole / 100; i++) {
        const struct sum *s = &sums.list.at[i];

        sbuf_fmt(out, "%*s%5.1f %%  %s  ", depth * 2, "", 100.0 * (double)s->total / (double)whole,
                 time_human(s->total, time));
        put_node(w, c, s->first, out);
        if (s->count > 1)
            sbuf_fmt(out, ", %" PRIu64 " times", s->count);
        sbuf_chr(out, '\n');
        if (s->first->what == CRIT_WOKEN)
            put_tree(w, c, s->nodes.at, s->nodes.n, depth + 1, out);
    }
    sums_free(&sums);
}

/* "vm-1000's CPU 0/KVM, 120.4 ms: 61 % waiting for CPU that ..., 30 % running (guest)". */
static void put_point(const struct whos *w, const struct critical *c, struct sbuf *out)
{
    enum { SAID = 3 };
    ns_t whole = c->win.t1 - c->win.t0;
    char time[TIME_TEXT];
    struct sums sums;

    sums_init(&sums);
    for (uint32_t i = 0; i < c->nodes.n; i++)
        if (c->nodes.at[i].what != CRIT_WOKEN)
            sums_add(&sums, c, i);
    sums_sort(&sums);
    put_thread(w, c, c->host, c->tid, c->win.t0, out);
    sbuf_fmt(out, " (tid %" PRId64 "), %s:", c->tid, time_human(whole, time));
    for (size_t i = 0; i < sums.list.n && i < SAID && whole > 0; i++) {
        const struct crit_node *n = sums.list.at[i].first;

        sbuf_fmt(out, "%s %.0f %% ", i ? "," : "",
                 100.0 * (double)sums.list.at[i].total / (double)whole);
        put_node(w, c, n, out);
        if (n->tid != c->tid || n->host != c->host) {
            sbuf_z(out, " of ");
            put_thread(w, c, n->host, n->tid, n->t0, out);
        }
    }
    sbuf_chr(out, '\n');
    sums_free(&sums);
}

void critical_text(const struct whos *w, const struct critical *c, struct sbuf *out)
{
    const uint32_t root = 0;

    put_point(w, c, out);
    sbuf_chr(out, '\n');
    put_tree(w, c, &root, 1, 0, out);
}

/* --- JSON ----------------------------------------------------------------------------------- */

static void put_json(struct json *j, const struct whos *w, const struct critical *c, uint32_t from)
{
    json_open(j, '[');
    for (uint32_t at = from; at != CRIT_NONE; at = c->nodes.at[at].next) {
        const struct crit_node *n = &c->nodes.at[at];
        struct sbuf words = { 0 };

        put_node(w, c, n, &words);
        json_open(j, '{');
        json_kstr(j, "what", str_of(crit_what_name((enum crit_what)n->what)));
        json_kstr(j, "text", sbuf_view(&words));
        json_kstr(j, "host", str_of(whos_host(w, n->host)));
        json_ki64(j, "tid", n->tid);
        if (n->by != STORE_NULL)
            json_ki64(j, "culprit_tid", n->by);
        json_ki64(j, "start_ns", n->t0);
        json_ki64(j, "duration_ns", n->t1 - n->t0);
        emit_str(j, "detail", n->detail);
        if (n->what == CRIT_WOKEN) {
            json_key(j, STR("parts"));
            put_json(j, w, c, n->first);
        }
        json_close(j, '}');
        sbuf_free(&words);
    }
    json_close(j, ']');
}

void critical_json(const struct whos *w, const struct critical *c, struct json *j)
{
    const struct who_thread *th = whos_at(w, c->host, c->tid, c->win.t0);

    json_kstr(j, "host", str_of(store_host(c->store)));
    json_ki64(j, "tid", c->tid);
    emit_str(j, "thread", th ? th->comm : STR(""));
    emit_str(j, "owner", th ? who_owner(w, th)->name : STR(""));
    json_ki64(j, "start_ns", c->win.t0);
    json_ki64(j, "end_ns", c->win.t1);
    json_ki64(j, "total_ns", c->win.t1 - c->win.t0);
    json_key(j, STR("tree"));
    put_json(j, w, c, c->nodes.at[0].first);
}

void critical_notes(const struct report_src *src, const struct critical *c, struct notes *notes)
{
    const char *host = store_host(src->hosts[c->host]);

    if (c->no_wakeups)
        note_add(notes, NOTE_WARN, host,
                 "some sleeps have no wake-up: what ended them is not known; enable it with lttng "
                 "enable-event -k sched_waking,sched_wakeup,sched_wakeup_new");
    if (c->no_interrupts)
        note_add(notes, NOTE_WARN, host,
                 "some wake-ups come from an interrupt that is not recorded; enable it with lttng "
                 "enable-event -k 'irq_*,timer_*'");
}
