/* SPDX-License-Identifier: Apache-2.0
 *
 * measure_mem.c -- memory of processes: how much it grew, and whether that looks like a leak.
 *
 * A leak is suspected where memory is taken at a steady rate and hardly any is given back: the
 * least squares line through the changes rises and explains LEAK_FIT of their variance, LEAK_KEPT
 * of what was taken and at least LEAK_BYTES are kept, and the changes reach over more than half of
 * the window.  A cache that still fills looks the same: only time tells them apart, and the
 * column of the fit says how steady the rise is. */
#include "report/growth.h"
#include "report/lists.h"
#include "report/measure_priv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define LEAK_FIT 0.9
#define LEAK_KEPT 0.5
enum { LEAK_CHANGES = 10, LEAK_BYTES = 1 << 20, PAGE_BYTES = 4096 };

static const struct column mem_columns[] = {
    { "name", "NAME", COL_STR, 0, 0, 32 },
    { "kind", "KIND", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "pid", "PID", COL_INT, 0, 0, 0 },
    { "process", "PROCESS", COL_STR, 0, 0, 0 },
    { "memory", "MEMORY", COL_STR, 0, 0, 0 },
    { "growth_bytes", "GREW BY", COL_INT, 0, 0, 0 },
    { "taken_bytes", "TAKEN", COL_BYTES, 0, 0, 0 },
    { "released_bytes", "RELEASED", COL_BYTES, 0, 0, 0 },
    { "last_bytes", "AT THE END", COL_INT, 0, COL_WIDE, 0 },
    { "max_bytes", "AT MOST", COL_INT, 0, COL_WIDE, 0 },
    { "changes", "CHANGES", COL_COUNT, 0, COL_WIDE, 0 },
    { "slope_bytes_per_s", "PER SECOND", COL_INT, 0, 0, 0 },
    { "fit", "STEADY", COL_RATIO, 0, 0, 0 },
    { "leak", "LEAK?", COL_BOOL, 0, 0, 0 },
};

/* Sums for the line through points (seconds since the first, bytes). */
struct line {
    double n, x, y, xx, xy, yy;
};

static void line_add(struct line *l, double x, double y)
{
    l->n++;
    l->x += x;
    l->y += y;
    l->xx += x * x;
    l->xy += x * y;
    l->yy += y * y;
}

static void line_fit(const struct line *l, struct growth *g)
{
    double vx = l->n * l->xx - l->x * l->x, vy = l->n * l->yy - l->y * l->y;
    double cov = l->n * l->xy - l->x * l->y;

    if (l->n < 2 || vx <= 0)
        return;
    g->slope = cov / vx;
    g->fit = vy > 0 ? cov * cov / (vx * vy) : 0;
}

static void follow(const struct report_src *src, attr_t a, int64_t unit, struct growth *g)
{
    struct store_ranges r = store_ranges(src->hosts[g->host], a, src->span);
    struct line line = { 0 };
    struct interval v;

    while (store_ranges_next(&r, &v)) {
        int64_t bytes = v.value * unit;

        if (v.lost || v.value == STORE_NULL)
            continue;
        if (g->changes++ == 0) {
            g->first = g->last = g->max = bytes;
            g->t0 = v.t0;
        }
        *(bytes > g->last ? &g->taken : &g->released) += llabs(bytes - g->last);
        g->last = bytes;
        g->max = bytes > g->max ? bytes : g->max;
        g->t1 = v.t0;
        line_add(&line, (double)(v.t0 - g->t0) / NS_PER_S, (double)bytes);
    }
    line_fit(&line, g);
    struct span traced = measure_within(src, g->host, src->span);
    g->leak = g->changes >= LEAK_CHANGES && g->slope > 0 && g->fit >= LEAK_FIT &&
              g->last - g->first >= LEAK_BYTES &&
              (double)(g->last - g->first) >= LEAK_KEPT * (double)g->taken &&
              g->t1 - g->t0 > (traced.t1 - traced.t0) / 2;
}

static int by_growth(const void *a, const void *b)
{
    const struct growth *x = a, *y = b;
    int64_t gx = x->last - x->first, gy = y->last - y->first;

    if (x->leak != y->leak)
        return x->leak ? -1 : 1;
    return gx != gy ? (gx > gy ? -1 : 1) : (x->pid > y->pid) - (x->pid < y->pid);
}

static void put_row(const struct report_src *src, const struct whos *w,
                    const struct measure_opts *o, const struct growth *g, struct table *t)
{
    const struct who_owner *owner = g->th ? who_owner(w, g->th) : NULL;
    bool process = o->by == BY_PROCESS || o->by == BY_THREAD;

    table_row(t);
    cell_str(t, !owner ? STR("") : process ? g->th->comm : owner->name);
    cell_str(t, str_of(!owner ? "" : process ? "process" : who_kind_name(owner->kind)));
    table_str(t, str_of(store_host(src->hosts[g->host])));
    table_int(t, g->pid);
    cell_str(t, g->th ? g->th->comm : STR(""));
    table_str(t, str_of(g->memory));
    table_int(t, g->last - g->first);
    table_count(t, (uint64_t)g->taken);
    table_count(t, (uint64_t)g->released);
    table_int(t, g->last);
    table_int(t, g->max);
    table_count(t, g->changes);
    table_int(t, (int64_t)llround(g->slope));
    table_ratio(t, g->fit);
    table_bool(t, g->leak);
}

void growths_find(const struct report_src *src, const struct whos *w, struct growths *to)
{
    static const struct {
        enum schema_attr attr;
        const char *name;
        int64_t unit;
    } kinds[] = { [GROWTH_RESIDENT] = { ATTR_PROCESS_RSS, "resident", 1 },
                  [GROWTH_PAGES] = { ATTR_PROCESS_PAGES, "pages", PAGE_BYTES },
                  [GROWTH_MAPPED] = { ATTR_PROCESS_MAPPED, "address space", 1 } };

    for (uint32_t h = 0; h < src->nhosts; h++)
        for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
            const struct store *s = src->hosts[h];
            char room[SCHEMA_PATH];
            attr_t it = 0, a;

            while (store_attr_match(s, schema_path(kinds[k].attr, STR("*"), room), &it, &a)) {
                struct growth g = { .host = h, .kind = (enum growth_kind)k };

                g.memory = kinds[k].name;
                if (!str_i64(schema_hole(kinds[k].attr, store_attr_path(s, a)), &g.pid))
                    continue;
                g.th = whos_at(w, h, g.pid, src_kernel_end(src, h));
                follow(src, a, kinds[k].unit, &g);
                if (g.changes)
                    *vec_push(&to->at) = g;
            }
        }
    if (to->at.n)
        qsort(to->at.at, to->at.n, sizeof *to->at.at, by_growth);
}

static void fill_mem(const struct report_src *src, const struct whos *w,
                     const struct measure_opts *o, struct table *t)
{
    struct growths all = { 0 };

    growths_find(src, w, &all);
    for (size_t i = 0; i < all.at.n; i++)
        if (measure_passes(src, w, o, all.at.at[i].th))
            put_row(src, w, o, &all.at.at[i], t);
    vec_free(&all.at);
}

static const struct need mem_needs[] = {
    { EV_RSS_STAT, "page_alloc", "lttng enable-event -k 'kmem_*'",
      "how much memory processes have: there is only the address space that they asked for" },
    { 0 },
};

const struct measure measure_mem = {
    .name = "mem",
    .title = "Memory",
    .fill_top = fill_mem,
    .top_columns = mem_columns,
    .ntop_columns = ARRAY_SIZE(mem_columns),
    .needs = mem_needs,
    .says =
        "Pages and address space count from the begin of the trace: what a process had before is "
        "not known.",
};
