/* SPDX-License-Identifier: Apache-2.0
 *
 * totals.c -- sums and extremes over many attributes. */
#include "store/walk_priv.h"

/* --- time per value ---------------------------------------------------------------- */

struct totals {
    struct walk w;
    struct store_totals *ret;
    size_t cap;
    uint32_t *slots; /* position + 1 */
    size_t nslots;
    bool failed;
};

static size_t slot_of(const struct totals *t, cell_t v)
{
    size_t i = (size_t)((uint64_t)v * UINT64_C(0x9E3779B97F4A7C15) >> 20) & (t->nslots - 1);

    while (t->slots[i] && t->ret->at[t->slots[i] - 1].value != v)
        i = (i + 1) & (t->nslots - 1);
    return i;
}

static bool more_slots(struct totals *t)
{
    uint32_t *old = t->slots;

    t->nslots = t->nslots ? 2 * t->nslots : 64;
    t->slots = io_calloc(t->nslots, sizeof *t->slots);
    free(old);
    if (!t->slots)
        return false;
    for (size_t i = 0; i < t->ret->n; i++)
        t->slots[slot_of(t, t->ret->at[i].value)] = (uint32_t)i + 1;
    return true;
}

static void total_add(struct totals *t, cell_t v, ns_t ns)
{
    if (t->failed)
        return;
    if (2 * (t->ret->n + 1) > t->nslots && !more_slots(t)) {
        t->failed = true;
        return;
    }
    size_t i = slot_of(t, v);
    if (!t->slots[i]) {
        if (t->ret->n == t->cap &&
            !io_grow(&t->ret->at, &t->cap, t->ret->n + 1, sizeof *t->ret->at)) {
            t->failed = true;
            return;
        }
        t->ret->at[t->ret->n++] = (struct store_total){ v, 0 };
        t->slots[i] = (uint32_t)t->ret->n;
    }
    struct store_total *total = &t->ret->at[t->slots[i] - 1];
    total->ns = ns_sum(total->ns, ns);
}

static void totals_run(struct walk *w, const ns_t *t, uint32_t n, const struct column *v, ns_t x,
                       ns_t y)
{
    struct totals *sums = w->ctx;
    cell_t value[RUN_MAX];

    if (v)
        column_all(v, value);
    for (uint32_t i = 0; i < n && t[i] < y; i++) {
        ns_t t0 = t[i] > x ? t[i] : x, t1 = t[i + 1] < y ? t[i + 1] : y;

        if (t1 <= t0)
            continue;
        if (!v) {
            sums->ret->lost = ns_sum(sums->ret->lost, ns_between(t0, t1));
        } else if (value[i] != STORE_NULL) {
            sums->ret->changes += t[i] >= x;
            total_add(sums, value[i], ns_between(t0, t1));
        }
    }
}

static bool totals_takes(struct walk *w, const struct bucket *b)
{
    (void)w;
    return bucket_cell(b, BUCKET_OTHERS) == 0;
}

static void totals_bucket(struct walk *w, const struct bucket *b)
{
    struct totals *t = w->ctx;

    t->ret->changes += (uint64_t)bucket_cell(b, BUCKET_CHANGES);
    for (uint32_t i = b->first_share; i < b->first_share + b->shares; i++)
        total_add(t, column_at(&b->run->values, i), column_at(&b->run->ns, i));
}

static int longest_first(const void *a, const void *b)
{
    const struct store_total *x = a, *y = b;

    if (x->ns != y->ns)
        return x->ns > y->ns ? -1 : 1;
    return x->value < y->value ? -1 : x->value > y->value;
}

void store_totals(const struct store *s, const attr_t *attrs, size_t n, struct span win,
                  struct store_totals *ret)
{
    struct totals t = { .w = { .ctx = &t,
                               .s = s,
                               .takes = totals_takes,
                               .bucket = totals_bucket,
                               .run = totals_run },
                        .ret = ret };

    *ret = (struct store_totals){ 0 };
    win = own_span(s, win);
    for (size_t i = 0; i < n && win.t0 < win.t1; i++) {
        bool number = store_attr_family(s, attrs[i])->type == STORE_INT;

        t.w.a = attrs[i];
        walk(&t.w, number ? 0 : LEVEL_MAX, win);
    }
    free(t.slots);
    if (t.failed) { /* no memory: all of it is unknown */
        free(ret->at);
        *ret = (struct store_totals){ .lost = ns_between(win.t0, win.t1) };
    }
    if (ret->n)
        qsort(ret->at, ret->n, sizeof *ret->at, longest_first);
}

/* --- the longest intervals --------------------------------------------------------- */

struct longest {
    struct store_found *at;
    size_t n, k;
};

static uint64_t length(const struct interval *v)
{
    return (uint64_t)v->t1 - (uint64_t)v->t0;
}

static bool before(const struct store_found *x, const struct store_found *y)
{
    if (length(&x->v) != length(&y->v))
        return length(&x->v) > length(&y->v);
    return x->v.t0 != y->v.t0 ? x->v.t0 < y->v.t0 : x->a < y->a;
}

static void longest_add(struct longest *l, const struct store_found *f)
{
    size_t i = l->n;

    if (l->n == l->k) {
        if (l->k == 0 || !before(f, &l->at[l->k - 1]))
            return;
        i--;
    } else {
        l->n++;
    }
    for (; i > 0 && before(f, &l->at[i - 1]); i--)
        l->at[i] = l->at[i - 1];
    l->at[i] = *f;
}

/* Goes on behind runs that are shorter, as a whole, than what was found already. */
static void skip_short(struct store_ranges *r, const struct longest *l)
{
    struct run_list runs = runs_of(r->s->r, r->a, 0);
    uint64_t least = l->n == l->k && l->k ? length(&l->at[l->k - 1].v) : 0;

    while (r->run < runs.n && runs.at[r->run].t0 < r->win.t1 &&
           (uint64_t)run_end(r->s, r->a, &runs, r->run) - (uint64_t)runs.at[r->run].t0 < least)
        r->run++;
}

size_t store_longest(const struct store *s, const attr_t *attrs, size_t n, cell_t value,
                     struct span win, size_t k, struct store_found *ret, ns_t *ret_lost)
{
    struct longest l = { ret, 0, k };

    *ret_lost = 0;
    for (size_t i = 0; i < n; i++) {
        struct store_ranges r = store_ranges(s, attrs[i], win);
        struct interval v;

        for (;;) {
            if (r.i >= r.n)
                skip_short(&r, &l);
            if (!store_ranges_next(&r, &v))
                break;
            if (v.lost)
                *ret_lost = ns_sum(*ret_lost, ns_between(v.t0 > win.t0 ? v.t0 : win.t0,
                                                         v.t1 < win.t1 ? v.t1 : win.t1));
            else if (v.value == value)
                longest_add(&l, &(struct store_found){ attrs[i], v });
        }
    }
    return l.n;
}
