/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_events.c -- see serve_events.h.
 *
 * Readers go forward only; a page that comes before an event is found by reading stretches of time
 * before it, each several times as long as the one before, until one holds enough. */
#include "cli/serve_events.h"

#include "cli/event_out.h"
#include "cli/filter.h"

#include <stdlib.h>

/* Readers go on from where they are if they are asked for all: this is before any event. */
#define BEFORE_ALL (NS_MIN / 4)

/* Events that are looked at for one page; the first stretch; how fast stretches grow. */
enum { LOOKED_MOST = 4000000, STRETCH_NS = 100000, STRETCH_GROWS = 8, MARK_EVERY = 65536 };

struct line {
    struct sbuf text; /* or, numbered: */
    struct serve_event event;
    ns_t t;
    uint64_t no;
};

/* The last 'limit' lines, or the first. */
struct page {
    struct experiment *x;
    struct event_out *w;
    struct filter *filter;
    const struct serve_events *q;
    struct line *lines; /* a ring */
    size_t first, n;
    uint64_t looked;
    bool more;
    struct arena *mem;
};

static struct serve_event event_of(struct page *p, const struct stream_head *h)
{
    struct event_out *w = p->w;
    struct str fields = STR("");

    if (!p->q->bare) {
        event_out_json_value(w, h->reader, &h->ev);
        fields = (struct str){ w->out.b.p + w->fields_at, w->fields_end - w->fields_at };
    }
    return (struct serve_event){ h->ev.t, h->ev.cpu, str_dup(p->mem, h->reader->host),
                                 str_dup(p->mem, h->ev.name), str_dup(p->mem, fields) };
}

static void add_line(struct page *p, const struct stream_head *h, uint64_t no)
{
    struct line *l = &p->lines[(p->first + p->n) % p->q->limit];

    if (p->n == p->q->limit) {
        p->first = (p->first + 1) % p->q->limit;
        p->more = true; /* before these */
    } else {
        p->n++;
    }
    l->t = h->ev.t;
    l->no = no;
    sbuf_clear(&p->w->out.b);
    if (p->q->numbered) {
        l->event = event_of(p, h);
        return;
    }
    event_out_json_value(p->w, h->reader, &h->ev);
    sbuf_clear(&l->text);
    sbuf_str(&l->text, sbuf_view(&p->w->out.b));
}

static bool wanted(struct page *p, const struct stream_head *h)
{
    struct str host = p->q->host;

    return (host.n == 0 || str_glob(host, h->reader->host)) &&
           (!p->filter || filter_match(p->filter, h->reader, &h->ev));
}

/* Reads [from, to); forward it stops when the page is full.  False: it was too much. */
static bool read_stretch(struct page *p, ns_t from, ns_t to, uint64_t to_no)
{
    struct stream_head *h;
    struct merged m;
    ns_t last = NS_MIN;
    uint64_t no = 0;
    bool whole = true;

    merged_init(&m, p->x, NULL, from < BEFORE_ALL ? BEFORE_ALL : from);
    while ((h = merged_next(&m))) {
        no = h->ev.t == last ? no + 1 : 0;
        last = h->ev.t;
        if (h->ev.t > to || (h->ev.t == to && no >= to_no))
            break;
        if (!p->q->back && h->ev.t == p->q->from && no < p->q->skip)
            continue;
        if (++p->looked > LOOKED_MOST) {
            whole = false;
            p->more = true;
            break;
        }
        if (!wanted(p, h))
            continue;
        if (!p->q->back && p->n == p->q->limit) {
            p->more = true;
            break;
        }
        add_line(p, h, no);
    }
    merged_free(&m);
    return whole;
}

/* Where to begin, to come to an event by its number or its time. */
static struct way_mark nearest(const struct way *way, const struct serve_events *q)
{
    struct way_mark best = { BEFORE_ALL, 0, 0 };

    for (size_t i = 0; i < way->marks.n; i++) {
        const struct way_mark *m = &way->marks.at[i];

        if (q->pass ? m->number <= q->pass : m->t < q->from)
            best = *m;
    }
    return best;
}

static void read_numbered(struct page *p, struct way *way, uint64_t *ret_number)
{
    struct way_mark at = nearest(way, p->q);
    uint64_t number = at.number, no = 0, known = 0;
    struct stream_head *h;
    struct merged m;
    ns_t last = NS_MIN;

    if (way->marks.n)
        known = way->marks.at[way->marks.n - 1].number;
    merged_init(&m, p->x, NULL, at.t);
    while ((h = merged_next(&m))) {
        no = h->ev.t == last ? no + 1 : 0;
        last = h->ev.t;
        if (h->ev.t == at.t && no < at.no)
            continue;
        if (number % MARK_EVERY == 0 && number > known)
            *vec_push(&way->marks) = (struct way_mark){ h->ev.t, no, number };
        if (p->q->pass ? number >= p->q->pass : h->ev.t >= p->q->from) {
            if (p->n == p->q->limit) {
                p->more = true;
                break;
            }
            if (p->n == 0)
                *ret_number = number;
            add_line(p, h, no);
        }
        number++;
    }
    if (p->n == 0)
        *ret_number = number;
    p->looked = number - at.number;
    merged_free(&m);
}

static ns_t begin_of(struct experiment *x)
{
    struct stream_head *h;
    struct merged m;

    merged_init(&m, x, NULL, BEFORE_ALL);
    h = merged_next(&m);
    ns_t t = h ? h->ev.t : 0;
    merged_free(&m);
    return t;
}

static void read_back(struct page *p)
{
    ns_t begin = begin_of(p->x), to = p->q->from;
    ns_t stretch = STRETCH_NS;

    while (to > begin || p->q->skip) {
        ns_t from = to - begin > stretch ? to - stretch : begin;

        p->n = p->first = 0;
        p->more = false;
        if (!read_stretch(p, from, to, p->q->skip) || p->more || from <= begin)
            return;
        if (p->n == p->q->limit) { /* exactly as many: there may be more before */
            p->more = true;
            return;
        }
        stretch = stretch > NS_MAX / STRETCH_GROWS ? NS_MAX : stretch * STRETCH_GROWS;
    }
}

static void hand_over(struct page *p, struct serve_page *ret)
{
    ret->at = arena_array(&ret->mem, struct serve_event, p->n + 1);
    for (size_t i = 0; i < p->n; i++) {
        const struct line *l = &p->lines[(p->first + i) % p->q->limit];

        if (i && !p->q->numbered)
            sbuf_chr(&ret->rows, ',');
        sbuf_str(&ret->rows, sbuf_view(&l->text));
        ret->at[i] = l->event;
        if (i == 0) {
            ret->first = l->t;
            ret->first_no = l->no;
        }
        ret->last = l->t;
        ret->last_no = l->no;
    }
    ret->n = p->n;
    ret->more = p->more;
    ret->looked = p->looked;
}

/* The clock of each host of the experiment, by its name. */
static void show_clocks(struct experiment *x, const struct clocks *clocks)
{
    for (size_t i = 0; i < x->hosts.n; i++)
        for (uint32_t k = 0; k < clocks->nhosts; k++)
            if (str_is(x->hosts.at[i].name, clocks->at[k].host))
                x->hosts.at[i].shown = clocks_map(clocks, k);
}

int serve_events_page(struct experiment *x, const struct clocks *clocks, struct way *way, bool mask,
                      const struct serve_events *q, struct serve_page *ret, struct err *err)
{
    struct page p = { .x = x, .q = q, .mem = &ret->mem };
    struct sbuf filter = { 0 };
    int rc = 0;

    sbuf_str(&filter, q->filter);
    if (q->filter.n && filter_parse(filter.p, &p.filter, err) < 0)
        rc = err_in(err, "filter");
    if (rc == 0) {
        show_clocks(x, clocks);
        p.w = xcalloc(1, sizeof *p.w);
        p.lines = xcalloc(q->limit, sizeof *p.lines);
        event_out_init(p.w, mask);
        if (q->numbered)
            read_numbered(&p, way, &ret->number);
        else if (q->back)
            read_back(&p);
        else
            read_stretch(&p, q->from, NS_MAX, 0);
        hand_over(&p, ret);
        for (size_t i = 0; i < q->limit; i++)
            sbuf_free(&p.lines[i].text);
        sbuf_clear(&p.w->out.b);
        event_out_end(p.w);
        free(p.w);
        free(p.lines);
    }
    filter_free(p.filter);
    sbuf_free(&filter);
    return rc;
}
