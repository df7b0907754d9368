/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks.c -- see clocks.h. */
#include "report/clocks.h"

#include "report/clocks_priv.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- messages ---------------------------------------------------------------------- */

/* The ends of messages of all hosts in order of the hosts' own times. */
struct ends {
    struct store_rows rows;
    const cell_t *row; /* the next one; NULL: no more */
};

static uint32_t earliest(const struct ends *e, uint32_t n)
{
    uint32_t best = UINT32_MAX;

    for (uint32_t i = 0; i < n; i++)
        if (e[i].row && (best == UINT32_MAX || e[i].row[C_message_t0] < e[best].row[C_message_t0]))
            best = i;
    return best;
}

static void begin_ends(struct store *const *hosts, uint32_t n, struct ends *e)
{
    for (uint32_t i = 0; i < n; i++) {
        table_t t;

        e[i].row = NULL;
        if (!store_table_find(hosts[i], schema_tables[TABLE_message].name, &t))
            continue;
        e[i].rows = store_rows(hosts[i], t, SPAN_ALL);
        e[i].row = store_rows_next(&e[i].rows);
    }
}

static void match_all(struct clocks *c, struct store *const *hosts, struct sync *sync)
{
    struct ends *e = xcalloc(c->nhosts, sizeof *e);
    struct match *m = match_new(c->nhosts, NULL, sync);
    uint32_t h;

    begin_ends(hosts, c->nhosts, e);
    while ((h = earliest(e, c->nhosts)) != UINT32_MAX) {
        const cell_t *row = e[h].row;
        uint64_t kind = (uint64_t)row[C_message_kind];
        bool received = row[C_message_dir] == MESSAGE_RECEIVED;

        if (kind < MESSAGE_KINDS)
            (received ? c->at[h].received : c->at[h].sent)[kind]++;
        match_add(m, &(struct match_point){ (uint64_t)row[C_message_key], kind, h, received,
                                            row[C_message_t0] });
        e[h].row = store_rows_next(&e[h].rows);
    }
    c->counts = match_end(m);
    match_free(m);
    free(e);
}

/* --- clocks ------------------------------------------------------------------------ */

static ns_t shown(const void *ctx, ns_t own)
{
    return own == NS_MIN || own == NS_MAX ? own : clock_to_ref(ctx, own);
}

static ns_t own(const void *ctx, ns_t shown_t)
{
    return shown_t == NS_MIN || shown_t == NS_MAX ? shown_t : clock_from_ref(ctx, shown_t);
}

/* Is what the clock shows within its bounds, in all of [t0, t1)?  Bounds are straight between
 * knots. */
static bool may_be_right(const struct sync_clock *c, struct span win)
{
    struct clock_bounds a = clock_bounds(c, win.t0), b = clock_bounds(c, win.t1);

    if (win.t0 < a.lo || win.t0 > a.hi || win.t1 < b.lo || win.t1 > b.hi)
        return false;
    for (uint32_t i = 0; i < c->nknots; i++) {
        const struct sync_knot *k = &c->knots[i];

        if (k->local > win.t0 && k->local < win.t1 && (k->local < k->lo || k->local > k->hi))
            return false;
    }
    return true;
}

static void keep_as_it_is(struct sync_clock *c)
{
    for (uint32_t i = 0; i < c->nknots; i++)
        c->knots[i].corrected = c->knots[i].local;
    c->slope = 1;
    c->skew = c->offset = 0;
}

static ns_t width(const struct sync_clock *c, ns_t t)
{
    struct clock_bounds b = clock_bounds(c, t);
    ns_t w;

    if (b.lo == NS_MIN || b.hi == NS_MAX || __builtin_sub_overflow(b.hi, b.lo, &w))
        return NS_MAX;
    return w;
}

static int by_size(const void *a, const void *b)
{
    const ns_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* Widths of the bounds at instants that are spread over the history. */
static void measure(struct host_clock *h, struct span win)
{
    enum { SAMPLES = 257 };
    ns_t w[SAMPLES];

    for (int i = 0; i < SAMPLES; i++) {
        __int128 at = (__int128)win.t0 + ((__int128)win.t1 - win.t0) * i / (SAMPLES - 1);

        w[i] = width(&h->c, (ns_t)at);
    }
    qsort(w, SAMPLES, sizeof *w, by_size);
    h->least = w[0];
    h->median = w[SAMPLES / 2];
    h->most = w[SAMPLES - 1];
}

void clocks_settle(struct clocks *c, struct store *const *hosts)
{
    for (uint32_t i = 0; i < c->nhosts; i++) {
        struct host_clock *h = &c->at[i];
        struct store_coverage cov;

        store_coverage(hosts[i], &cov);
        struct span win = { cov.t0, cov.t1 > cov.t0 ? cov.t1 - 1 : cov.t0 };
        if (c->mode == CLOCKS_AUTO && h->c.quality != SYNC_REFERENCE &&
            (h->kept = may_be_right(&h->c, win)))
            keep_as_it_is(&h->c);
        measure(h, win);
    }
}

/* --- finding them -------------------------------------------------------------------- */

static int find_reference(const struct clocks *c, struct str name, uint32_t *ret, struct err *err)
{
    *ret = SYNC_ANY;
    for (uint32_t i = 0; i < c->nhosts && name.n; i++)
        if (str_is(name, c->at[i].host))
            *ret = i;
    if (name.n && *ret == SYNC_ANY)
        return err_set(err, E_ARG,
                       "no host '" STR_FMT "' in these traces that could be the reference",
                       STR_ARG(name));
    return 0;
}

/* The order in which hosts are preferred as the reference when nothing else tells: by
 * the identity of their clocks, as Trace Compass does, so that both give the same numbers. */
struct ranked {
    struct str id;
    uint32_t host;
};

static int by_id(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    int order = str_cmp(x->id, y->id);

    return order ? order : (x->host > y->host) - (x->host < y->host);
}

static struct ranked *rank(const struct clocks *c, struct store *const *hosts)
{
    struct ranked *r = xcalloc(c->nhosts + 1, sizeof *r);

    for (uint32_t i = 0; i < c->nhosts; i++)
        r[i] = (struct ranked){ store_fact(hosts[i], "clock"), i };
    qsort(r, c->nhosts, sizeof *r, by_id);
    return r;
}

static void take_result(struct clocks *c, const struct sync *s)
{
    c->npairs = sync_npairs(s);
    c->pairs = arena_array(&c->mem, struct sync_pair, c->npairs + 1);
    for (size_t i = 0; i < c->npairs; i++)
        c->pairs[i] = *sync_pair(s, i);
    for (uint32_t i = 0; i < c->nhosts; i++) {
        struct sync_clock *to = &c->at[i].c;

        *to = *sync_clock(s, i);
        struct sync_knot *knots = arena_array(&c->mem, struct sync_knot, to->nknots + 1);
        if (to->nknots)
            memcpy(knots, to->knots, to->nknots * sizeof *knots);
        to->knots = knots;
    }
}

static uint32_t preferred(const struct clocks *c, const struct sync *s, const struct ranked *rank)
{
    uint64_t *used = xcalloc(c->nhosts + 1, sizeof *used), most = 0;
    uint32_t best = rank[0].host;

    for (size_t i = 0; i < sync_npairs(s); i++) {
        const struct sync_pair *p = sync_pair(s, i);

        used[p->a] += p->matched;
        used[p->b] += p->matched;
    }
    for (uint32_t i = 0; i < c->nhosts; i++)
        if (used[rank[i].host] > most) {
            most = used[rank[i].host];
            best = rank[i].host;
        }
    free(used);
    return best;
}

static void find_clocks(struct clocks *c, struct store *const *hosts,
                        const struct clocks_options *o, uint32_t reference)
{
    struct sync_options so = sync_defaults();
    struct ranked *r = rank(c, hosts);

    so.wander_ppm = o->wander_ppm > 0 ? o->wander_ppm : so.wander_ppm;
    struct sync *s = sync_new(c->nhosts, &so);
    match_all(c, hosts, s);
    c->reference = sync_solve(s, reference == SYNC_ANY ? preferred(c, s, r) : reference);
    take_result(c, s);
    sync_free(s);
    free(r);
}

int clocks_make(struct store *const *hosts, uint32_t n, const struct clocks_options *o,
                struct clocks *ret, struct err *err)
{
    struct clocks c = { .nhosts = n, .mode = o->mode };
    uint32_t reference;
    int rc;

    c.at = arena_array(&c.mem, struct host_clock, n + 1);
    for (uint32_t i = 0; i < n; i++) {
        c.at[i].host = store_host(hosts[i]);
        c.at[i].c = (struct sync_clock){ .quality = SYNC_NONE, .slope = 1 };
        str_i64(store_fact(hosts[i], "messages.bare"), &c.at[i].bare);
    }
    if ((rc = find_reference(&c, o->reference, &reference, err)) < 0) {
        clocks_free(&c);
        return rc;
    }
    c.reference = reference == SYNC_ANY ? 0 : reference;
    if (n > 0)
        c.at[c.reference].c.quality = SYNC_REFERENCE;
    if (c.mode == CLOCKS_FILE && (rc = clocks_read(&c, o->file, err)) < 0) {
        clocks_free(&c);
        return rc;
    }
    if (reference != SYNC_ANY && c.mode == CLOCKS_FILE && c.reference != reference) {
        rc = err_set(err, E_ARG, "%s: the clocks in it are told by that of %s, not of " STR_FMT,
                     o->file, c.at[c.reference].host, STR_ARG(o->reference));
        clocks_free(&c);
        return rc;
    }
    if (c.mode == CLOCKS_AUTO && n > 1)
        find_clocks(&c, hosts, o, reference);
    clocks_settle(&c, hosts);
    *ret = c;
    return 0;
}

void clocks_free(struct clocks *c)
{
    arena_free(&c->mem);
    *c = (struct clocks){ 0 };
}

void clocks_show(struct clocks *c, struct store *const *hosts)
{
    for (uint32_t i = 0; i < c->nhosts; i++) {
        struct host_clock *h = &c->at[i];

        h->map = (struct time_map){ shown, own, &h->c };
        store_show(hosts[i], clocks_map(c, i));
    }
}

const struct time_map *clocks_map(const struct clocks *c, uint32_t i)
{
    const struct host_clock *h = &c->at[i];

    return c->mode == CLOCKS_NONE || h->kept || h->c.nknots == 0 ? NULL : &h->map;
}

/* --- asking them --------------------------------------------------------------------- */

struct clock_error clocks_error(const struct clocks *c, uint32_t h, ns_t t)
{
    const struct sync_clock *clock = &c->at[h].c;
    struct clock_bounds b = clock_bounds(clock, clock_from_ref(clock, t));
    struct clock_error e = { NS_MAX, NS_MAX };

    if (c->mode == CLOCKS_NONE && h != c->reference)
        return e;
    if (b.lo != NS_MIN && __builtin_sub_overflow(t, b.lo, &e.before))
        e.before = NS_MAX;
    if (b.hi != NS_MAX && __builtin_sub_overflow(b.hi, t, &e.after))
        e.after = NS_MAX;
    e.before = e.before < 0 ? 0 : e.before;
    e.after = e.after < 0 ? 0 : e.after;
    return e;
}

bool clocks_order_known(const struct clocks *c, uint32_t host_a, ns_t a, uint32_t host_b, ns_t b)
{
    struct clock_error of_a, of_b;
    __int128 apart = (__int128)b - a;

    if (host_a == host_b)
        return true;
    of_a = clocks_error(c, host_a, a);
    of_b = clocks_error(c, host_b, b);
    if (of_a.after == NS_MAX || of_b.before == NS_MAX)
        return false;
    return apart > (__int128)of_a.after + of_b.before;
}

static ns_t worst(struct clock_error e)
{
    return e.before > e.after ? e.before : e.after;
}

ns_t clocks_bound(const struct clocks *c, uint32_t host_a, ns_t a, uint32_t host_b, ns_t b)
{
    if (host_a == host_b)
        return 0;
    if (!c)
        return STORE_NULL;
    ns_t x = worst(clocks_error(c, host_a, a)), y = worst(clocks_error(c, host_b, b));
    return x > NS_MAX / 4 || y > NS_MAX / 4 ? STORE_NULL : x + y;
}

const char *clocks_quality(const struct host_clock *h)
{
    static const char *const names[] = { [SYNC_REFERENCE] = "reference",
                                         [SYNC_EXACT] = "exact",
                                         [SYNC_ONE_WAY] = "one-way",
                                         [SYNC_NONE] = "none" };

    return names[h->c.quality];
}

/* Names of the hosts whose clocks are of that quality. */
static uint32_t of_quality(const struct clocks *c, enum sync_quality q, struct sbuf *names)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < c->nhosts; i++)
        if (c->at[i].c.quality == q && i != c->reference)
            sbuf_fmt(names, "%s%s", n++ ? ", " : "", c->at[i].host);
    return n;
}

void clocks_notes(const struct clocks *c, struct notes *notes)
{
    static const enum sync_quality bad[] = { SYNC_NONE, SYNC_ONE_WAY };
    const char *reference = c->nhosts ? c->at[c->reference].host : "";
    char w[TIME_TEXT];

    if (c->mode == CLOCKS_NONE && c->nhosts > 1) {
        note_add(notes, NOTE_INFO, "clocks",
                 "taken as they are (--sync none): the order of events of different hosts is not "
                 "known");
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct sbuf names = { 0 };

        if (of_quality(c, bad[i], &names) == 0)
            continue;
        note_add(notes, NOTE_WARN, "clocks",
                 bad[i] == SYNC_NONE
                     ? "no message ties those of %s to that of %s: they are taken as they are, and "
                       "the order of events between them is not known (NTP alone is off by "
                       "milliseconds; `neph sync` says what would help)"
                     : "messages tie those of %s to that of %s in one direction only: how far they "
                       "are off is not known (`neph sync` says what would help)",
                 names.p, reference);
        sbuf_free(&names);
    }
    for (uint32_t i = 0; i < c->nhosts; i++)
        if (c->at[i].c.quality == SYNC_EXACT)
            note_add(notes, NOTE_INFO, c->at[i].host,
                     "its clock is known to %s against that of %s%s",
                     time_human(c->at[i].median, w), reference,
                     c->at[i].kept ? ", and may be right as it is" : "");
}
