/* SPDX-License-Identifier: Apache-2.0
 *
 * strip.c -- a row as runs of pixels, or as points; see rows.h.
 *
 * Attributes come from the histories' summaries.  A track is walked by pixels as well: what lies
 * before the window is skipped by search. */
#include "serve/rows.h"

#include "model/schema.h"

#include <stdlib.h>

static bool is_bad(const struct row *r, int64_t value)
{
    return r->values && value >= 0 && value < r->nvalues && r->values[value].bad;
}

/* Where pixel 'i' begins. */
static ns_t edge(struct span win, size_t npx, size_t i)
{
    return win.t0 + (ns_t)((__int128)(win.t1 - win.t0) * (ns_t)i / (ns_t)npx);
}

/* The first item that ends after 't'. */
static size_t first_after(const struct track *tr, ns_t t)
{
    size_t lo = 0, hi = tr->items.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (tr->items.at[mid].t1 > t)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static void add_run(struct runs *out, struct run r)
{
    struct run *last = out->at.n ? &out->at.at[out->at.n - 1] : NULL;

    if (last && last->to == r.from && last->value == r.value && last->flags == r.flags &&
        last->label.p == r.label.p && last->label.n == r.label.n)
        last->to = r.to;
    else
        *vec_push(&out->at) = r;
}

/* The item that fills most of a pixel, and what else is in it. */
static struct run track_pixel(const struct row *r, struct span px, size_t *at)
{
    const struct track *tr = r->track;
    struct run run = { .value = STORE_NULL };
    ns_t most = 0, filled = 0;
    bool bad = false;

    while (*at < tr->items.n && tr->items.at[*at].t1 <= px.t0)
        ++*at;
    for (size_t i = *at; i < tr->items.n && tr->items.at[i].t0 < px.t1; i++) {
        const struct item *it = &tr->items.at[i];
        ns_t ns = (it->t1 < px.t1 ? it->t1 : px.t1) - (it->t0 > px.t0 ? it->t0 : px.t0);

        filled += ns;
        bad |= is_bad(r, it->value);
        if (ns > most || run.value == STORE_NULL) {
            most = ns;
            run.value = it->value;
            run.label = it->label;
        }
    }
    if (run.value == STORE_NULL)
        return run;
    run.flags |= filled > most || most < px.t1 - px.t0 ? RUN_MIXED : 0;
    run.flags |= bad && !is_bad(r, run.value) ? RUN_BAD : 0;
    return run;
}

static void track_runs(const struct row *r, struct span win, size_t npx, struct runs *out)
{
    const struct track *tr = r->track;
    size_t at = first_after(tr, win.t0), i = 0;

    while (i < npx && at < tr->items.n) {
        struct span px = { edge(win, npx, i), edge(win, npx, i + 1) };

        if (px.t0 == px.t1)
            px.t1++;
        struct run run = track_pixel(r, px, &at);
        run.from = (uint32_t)i;
        run.to = (uint32_t)++i;
        if (run.value != STORE_NULL)
            add_run(out, run);
    }
}

/* A bit for each value that is bad. */
static uint64_t bad_values(const struct row *r)
{
    uint64_t bad = 0;

    for (uint32_t i = 0; r->values && i < r->nvalues && i < 64; i++)
        bad |= (uint64_t)r->values[i].bad << i;
    return bad;
}

/* Who fills a pixel whole came before it or begins with it. */
static unsigned flags_of(const struct store_pixel *p, uint64_t bad)
{
    bool told = p->value >= 0 && p->value < 64 && (bad >> p->value & 1);

    return (p->changes > 1 ? RUN_MIXED : 0) | (p->bad && !told ? RUN_BAD : 0) |
           (p->lost ? RUN_LOST : 0) | (p->inexact ? RUN_INEXACT : 0);
}

static void attr_runs(struct serve *s, const struct row *r, struct span win, size_t npx,
                      struct runs *out)
{
    bool text = store_attr_family(r->store, r->attr)->type == STORE_STR;
    uint64_t bad = bad_values(r);
    struct run *last = NULL;
    cell_t last_cell = STORE_NULL;

    (void)s;
    if (out->npx < npx) {
        out->pixels = xrealloc(out->pixels, npx * sizeof *out->pixels);
        out->npx = npx;
    }
    store_strip(r->store, r->attr, win, out->pixels, npx);
    for (size_t i = 0; i < npx; i++) {
        const struct store_pixel *p = &out->pixels[i];
        unsigned flags = flags_of(p, bad);
        int64_t value = text && p->value != STORE_NULL ? p->value % shade_values.n : p->value;

        if (last && last->to == i && last_cell == p->value && last->flags == flags) {
            last->to++;
            continue;
        }
        if (p->value == STORE_NULL && !flags)
            continue;
        last_cell = p->value;
        last = vec_push(&out->at);
        *last = (struct run){ (uint32_t)i, (uint32_t)i + 1, value, flags, STR("") };
        if (text && p->value != STORE_NULL)
            last->label = store_text(r->store, p->value);
    }
}

void row_runs(struct serve *s, const struct row *r, struct span win, size_t npx, struct runs *ret)
{
    ret->at.n = 0;
    if (r->curve || npx == 0 || win.t0 >= win.t1)
        return;
    if (r->store)
        attr_runs(s, r, win, npx, ret);
    else if (r->track)
        track_runs(r, win, npx, ret);
}

void runs_free(struct runs *r)
{
    vec_free(&r->at);
    free(r->pixels);
}

void row_points(const struct row *r, struct span win, size_t npx, struct store_point *ret)
{
    if (r->store) {
        store_series(r->store, r->attr, win, ret, npx);
        return;
    }
    size_t at = r->track ? first_after(r->track, win.t0) : 0;
    for (size_t i = 0; i < npx; i++) {
        struct span px = { edge(win, npx, i), edge(win, npx, i + 1) };
        struct store_point p = { .min = STORE_NULL, .max = STORE_NULL, .last = STORE_NULL };

        for (size_t k = at; r->track && k < r->track->items.n && r->track->items.at[k].t0 < px.t1;
             k++) {
            const struct item *it = &r->track->items.at[k];

            if (it->t1 <= px.t0) {
                at = k + 1;
                continue;
            }
            ns_t ns = (it->t1 < px.t1 ? it->t1 : px.t1) - (it->t0 > px.t0 ? it->t0 : px.t0);
            p.min = p.min == STORE_NULL || it->value < p.min ? it->value : p.min;
            p.max = p.max == STORE_NULL || it->value > p.max ? it->value : p.max;
            p.last = it->value;
            p.mean += (double)it->value * (double)ns;
            p.ns += ns;
            p.changes += it->t0 >= px.t0;
        }
        p.mean = p.ns ? p.mean / (double)p.ns : 0;
        ret[i] = p;
    }
}

bool row_at(const struct row *r, ns_t t, struct item *ret, bool *ret_open)
{
    struct interval v;

    *ret_open = false;
    if (r->store) {
        bool is = store_at(r->store, r->attr, t, &v);

        *ret = (struct item){ .t0 = v.t0, .t1 = v.t1, .value = v.value };
        *ret_open = v.open;
        return is;
    }
    size_t at = r->track ? first_after(r->track, t) : 0;
    if (!r->track || at == r->track->items.n || r->track->items.at[at].t0 > t)
        return false;
    *ret = r->track->items.at[at];
    return true;
}
