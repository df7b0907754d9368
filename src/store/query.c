/* SPDX-License-Identifier: Apache-2.0
 *
 * query.c -- what an attribute was at an instant, at many, and in a window; and
 * what the history says of itself. */
#include "store/read_priv.h"

#include <assert.h>
#include <sys/stat.h>

/* --- the whole --------------------------------------------------------------------- */

void store_coverage(const struct store *s, struct store_coverage *ret)
{
    struct reader *r = s->r;
    const struct time_map *m = s->shown;

    if (!r) {
        *ret = (struct store_coverage){ .t0 = NS_MAX, .t1 = NS_MIN, .complete_until = NS_MIN };
        return;
    }
    *ret = (struct store_coverage){ .t0 = time_shown(m, cover_begin(r)),
                                    .t1 = time_shown(m, cover_end(r)),
                                    .complete_until = time_shown(m, cover_end(r)),
                                    .finished = r->c.finished,
                                    .late = r->c.late,
                                    .revised = r->c.revised,
                                    .changes = r->c.changes,
                                    .records = r->c.records,
                                    .bad_blocks = atomic_load(&r->nlost) };
}

void store_show(struct store *s, const struct time_map *m)
{
    s->shown = m;
}

ns_t store_shown(const struct store *s, ns_t own)
{
    return time_shown(s->shown, own);
}

/* What a data block is about. */
static const char *about(const struct reader *r, const struct block_ref *b)
{
    if (b->kind == KIND_TEXTS)
        return "texts";
    if (b->kind == KIND_ROWS)
        return r->tables.at[b->owner]->name;
    return r->families.at[b->owner]->pattern;
}

void store_notes(const struct store *s, struct notes *notes)
{
    struct reader *r = s->r;
    char when[TIME_TEXT];

    if (!r)
        return;
    if (!r->c.finished)
        note_add(notes, NOTE_LOST, r->path,
                 "this history was not finished: it is complete until %s, and what came after "
                 "is not in it",
                 time_iso(r->c.until, when));
    if (r->c.revised && !r->c.finished)
        note_add(notes, NOTE_WARN, r->path,
                 "%llu changes were told after the time at which they had been declared complete",
                 (unsigned long long)r->c.revised);
    pthread_mutex_lock(&r->lock);
    for (size_t i = 0; i < r->lost.n; i++) {
        const struct lost_block *l = &r->lost.at[i];
        const struct block_ref *b = &r->blocks.at[l->block];

        note_add(notes, NOTE_LOST, r->path,
                 "block %u at byte %llu (%s, %s) is lost: %s; build the history again to have it",
                 l->block, (unsigned long long)b->at,
                 b->kind == KIND_SUMMARIES ? "summaries" : "data", about(r, b),
                 l->sentence ? l->sentence : "it can't be read");
    }
    pthread_mutex_unlock(&r->lock);
}

struct str store_fact(const struct store *s, const char *key)
{
    for (size_t i = 0; s->r && i < s->r->facts.n; i++)
        if (!strcmp(s->r->facts.at[i].key, key))
            return (struct str){ s->r->facts.at[i].value, s->r->facts.at[i].n };
    return STR("");
}

bool store_fact_at(const struct store *s, size_t i, struct str *ret_key, struct str *ret_value)
{
    if (!s->r || i >= s->r->facts.n)
        return false;
    *ret_key = str_of(s->r->facts.at[i].key);
    *ret_value = (struct str){ s->r->facts.at[i].value, s->r->facts.at[i].n };
    return true;
}

void store_file(const struct store *s, struct store_file *ret)
{
    static const char *const names[STORE_KINDS] = {
        [KIND_INTERVALS] = "intervals", [KIND_SUMMARIES] = "summaries", [KIND_ROWS] = "records",
        [KIND_TEXTS] = "texts",         [KIND_INDEX] = "index, names",
    };
    _Static_assert((int)STORE_KINDS == (int)KINDS, "store.h has as many kinds as the format");
    const struct reader *r = s->r;
    uint64_t data = 0;
    struct stat st;

    *ret = (struct store_file){
        .version = FORMAT_VERSION, .bytes = r->bytes, .commits = r->c.number, .runs = r->nruns
    };
    for (int i = 0; i < STORE_KINDS; i++)
        ret->kinds[i].name = names[i];
    for (size_t i = 0; i < r->blocks.n; i++) {
        struct store_kind *k = &ret->kinds[r->blocks.at[i].kind];

        k->blocks++;
        k->bytes += block_bytes(r->blocks.at[i].stored);
        k->raw_bytes += r->blocks.at[i].raw;
        data += block_bytes(r->blocks.at[i].stored);
    }
    ret->kinds[KIND_INDEX].bytes = r->bytes - data;
    if (fstat(r->fd, &st) == 0 && (uint64_t)st.st_size > r->bytes)
        ret->tail_bytes = (uint64_t)st.st_size - r->bytes;
}

/* --- names ------------------------------------------------------------------------- */

uint32_t store_attr_count(const struct store *s)
{
    return (uint32_t)(s->w ? s->w->attrs.n : s->r->path_ends.n);
}

struct str store_attr_path(const struct store *s, attr_t a)
{
    const struct reader *r = s->r;
    uint64_t from = a ? r->path_ends.at[a - 1] : 0;

    assert(a < r->path_ends.n);
    return (struct str){ (const char *)r->path_text.at + from, r->path_ends.at[a] - from };
}

const struct store_family *store_attr_family(const struct store *s, attr_t a)
{
    assert(a < s->r->attr_family.n);
    return s->r->families.at[s->r->attr_family.at[a]];
}

/* With the lock held. */
static bool index_names(const struct store *s)
{
    struct reader *r = s->r;

    for (size_t a = r->names.n; a < r->path_ends.n; a++)
        if (ids_find(&r->names, r->file_id, store_attr_path(s, (attr_t)a), (uint32_t)a, true) ==
            UINT32_MAX)
            return false;
    return true;
}

bool store_attr_find(const struct store *s, struct str path, attr_t *ret)
{
    struct reader *r = s->r;
    uint32_t id = UINT32_MAX;

    pthread_mutex_lock(&r->lock);
    if (index_names(s))
        id = ids_find(&r->names, r->file_id, path, UINT32_MAX, false);
    pthread_mutex_unlock(&r->lock);
    for (attr_t a = 0; id == UINT32_MAX && r->names.n < r->path_ends.n && a < r->path_ends.n; a++)
        if (str_eq(store_attr_path(s, a), path)) /* there was no memory for the index */
            id = a;
    if (id >= r->path_ends.n || !str_eq(store_attr_path(s, id), path))
        return false;
    *ret = id;
    return true;
}

bool store_attr_match(const struct store *s, struct str pattern, attr_t *it, attr_t *ret)
{
    while (*it < s->r->path_ends.n) {
        attr_t a = (*it)++;

        if (str_glob(pattern, store_attr_path(s, a))) {
            *ret = a;
            return true;
        }
    }
    return false;
}

/* --- an instant -------------------------------------------------------------------- */

static bool lost(struct interval *ret, ns_t t0, ns_t t1)
{
    *ret = (struct interval){ .t0 = t0, .t1 = t1, .value = STORE_NULL, .lost = true };
    return false;
}

/* Before the first change. */
static bool before_first(const struct store *s, ns_t t, ns_t first, struct interval *ret)
{
    ns_t begin = cover_begin(s->r), end = cover_end(s->r);

    first = first < end || begin > first ? first : end;
    *ret = (struct interval){ .t0 = begin, .t1 = first, .value = STORE_NULL };
    if (t < begin || begin >= first)
        ret->t0 = NS_MIN;
    if (t < begin)
        ret->t1 = begin < first ? begin : first;
    if (t >= ret->t1) {
        ret->t0 = ret->t1;
        ret->t1 = NS_MAX;
    }
    return false;
}

/* The interval around 't' of an open run. */
static bool leaf_at(const struct store *s, attr_t a, const struct run_list *l, uint32_t i,
                    const struct leaf *leaf, ns_t t, struct interval *ret)
{
    uint64_t lo, hi;

    if (t >= leaf->t1)
        return lost(ret, leaf->t1, run_end(s, a, l, i));
    uint32_t k = steps_find(&leaf->steps, (uint64_t)t - (uint64_t)leaf->t0, &lo, &hi);
    if (k == UINT32_MAX)
        return lost(ret, leaf->t0, run_end(s, a, l, i));
    *ret = (struct interval){ .t0 = (ns_t)((uint64_t)leaf->t0 + lo),
                              .t1 = (ns_t)((uint64_t)leaf->t0 + hi),
                              .value = column_at(&leaf->values, k) };
    return ret->value != STORE_NULL;
}

static void show(const struct store *s, struct interval *v)
{
    v->t0 = time_shown(s->shown, v->t0);
    v->t1 = time_shown(s->shown, v->t1);
}

/* In the host's own time. */
static bool own_at(const struct store *s, attr_t a, ns_t t, struct interval *ret)
{
    const struct tail *tail = &s->r->tails[a];
    struct leaf leaf;

    assert(a < s->r->path_ends.n);
    if (tail->n && t >= tail->t[0])
        return tail_at(s, a, t, ret);
    struct run_list l = runs_of(s->r, a, 0);
    if (l.n == 0 || t < l.at[0].t0)
        return before_first(s, t, l.n ? l.at[0].t0 : tail->n ? tail->t[0] : NS_MAX, ret);
    uint32_t i = run_before(&l, t);
    if (!leaf_open(s->r, &l.at[i], a, &leaf))
        return lost(ret, l.at[i].t0, run_end(s, a, &l, i));
    bool has = leaf_at(s, a, &l, i, &leaf, t, ret);
    block_unpin(leaf.frame);
    return has;
}

bool store_at(const struct store *s, attr_t a, ns_t t, struct interval *ret)
{
    bool has = own_at(s, a, time_own(s->shown, t), ret);

    show(s, ret);
    return has;
}

/* --- many attributes ---------------------------------------------------------------------------
 *
 * Each answer is a chain of four places in memory that are far apart: the attribute's runs,
 * the block's place, the run, the numbers in it.  For one attribute the processor waits for
 * each; for several at once it waits for all of them together. */

enum { TOGETHER = 12, LINE = 64 };

struct probe {
    struct run_list l;
    uint32_t i;
    bool run, open; /* the answer is in run i; it is open */
    struct leaf leaf;
};

/* Answers what needs no run, and finds the run for the rest. */
static void probe_run(const struct store *s, attr_t a, ns_t t, struct probe *p,
                      struct interval *ret)
{
    const struct tail *tail = &s->r->tails[a];

    p->run = p->open = false;
    if (tail->n && t >= tail->t[0]) {
        tail_at(s, a, t, ret);
        return;
    }
    p->l = runs_of(s->r, a, 0);
    if (p->l.n == 0 || t < p->l.at[0].t0) {
        before_first(s, t, p->l.n ? p->l.at[0].t0 : tail->n ? tail->t[0] : NS_MAX, ret);
        return;
    }
    p->run = true;
    p->i = run_before(&p->l, t);
    __builtin_prefetch(&s->r->frames[p->l.at[p->i].block]);
}

/* Opens the run, and guesses where in it the answer is. */
static void probe_open(const struct store *s, attr_t a, ns_t t, struct probe *p)
{
    struct leaf *leaf = &p->leaf;
    const struct steps *steps = &leaf->steps;

    if (!p->run || !(p->open = leaf_open(s->r, &p->l.at[p->i], a, leaf)) || t >= leaf->t1)
        return;
    double d = (double)(int64_t)(((uint64_t)t - (uint64_t)leaf->t0) >> 1);
    uint32_t k = (uint32_t)(d / (double)(int64_t)(steps->span >> 1 | 1) * steps->n);
    __builtin_prefetch(steps->upper);
    __builtin_prefetch(steps->upper + LINE);
    __builtin_prefetch(steps->lower + (size_t)k * steps->l / 8);
    __builtin_prefetch(leaf->values.codes + (size_t)k * leaf->values.width / 8);
}

static void at_together(const struct store *s, const attr_t *attrs, size_t n, ns_t t,
                        struct interval *ret)
{
    struct probe p[TOGETHER];

    for (size_t i = 0; i < n; i++)
        probe_run(s, attrs[i], t, &p[i], &ret[i]);
    for (size_t i = 0; i < n; i++)
        if (p[i].run) {
            const struct run_ref *ref = &p[i].l.at[p[i].i];

            block_prefetch(&s->r->frames[ref->block], ref->pos, LINE);
        }
    for (size_t i = 0; i < n; i++)
        probe_open(s, attrs[i], t, &p[i]);
    for (size_t i = 0; i < n; i++) {
        const struct run_list *l = &p[i].l;

        if (p[i].open) {
            leaf_at(s, attrs[i], l, p[i].i, &p[i].leaf, t, &ret[i]);
            block_unpin(p[i].leaf.frame);
        } else if (p[i].run) {
            lost(&ret[i], l->at[p[i].i].t0, run_end(s, attrs[i], l, p[i].i));
        }
    }
}

void store_at_all(const struct store *s, const attr_t *attrs, size_t n, ns_t t,
                  struct interval *ret)
{
    t = time_own(s->shown, t);
    for (size_t i = 0; i < n; i += TOGETHER)
        at_together(s, attrs + i, n - i < TOGETHER ? n - i : TOGETHER, t, ret + i);
    for (size_t i = 0; s->shown && i < n; i++)
        show(s, &ret[i]);
}

/* --- many instants ----------------------------------------------------------------- */

size_t store_sample(const struct store *s, attr_t a, const ns_t *times, size_t n,
                    struct interval *ret)
{
    const struct tail *tail = &s->r->tails[a];
    struct run_list l = runs_of(s->r, a, 0);
    uint32_t open = UINT32_MAX; /* run that is open as 'leaf' */
    struct leaf leaf;
    size_t found = 0;

    for (size_t i = 0; i < n; i++) {
        ns_t t = time_own(s->shown, times[i]);

        if (found && t < ret[found - 1].t1)
            continue;
        if (l.n == 0 || t < l.at[0].t0 || (tail->n && t >= tail->t[0])) {
            own_at(s, a, t, &ret[found++]);
            continue;
        }
        uint32_t k = open;
        if (open == UINT32_MAX || t >= run_end(s, a, &l, open)) {
            struct run_list rest = l;

            if (open != UINT32_MAX) {
                rest = (struct run_list){ l.at + open, l.n - open };
                block_unpin(leaf.frame);
            }
            k = (uint32_t)(rest.at - l.at) + run_before(&rest, t);
            open = leaf_open(s->r, &l.at[k], a, &leaf) ? k : UINT32_MAX;
        }
        if (open == UINT32_MAX)
            lost(&ret[found++], l.at[k].t0, run_end(s, a, &l, k));
        else
            leaf_at(s, a, &l, open, &leaf, t, &ret[found++]);
    }
    if (open != UINT32_MAX)
        block_unpin(leaf.frame);
    for (size_t i = 0; s->shown && i < found; i++)
        show(s, &ret[i]);
    return found;
}

/* --- a window ---------------------------------------------------------------------- */

_Static_assert(ARRAY_SIZE(((struct store_ranges *)0)->t) > RUN_MAX + 1 + STEPS_SLACK,
               "steps_all() may write that much");

/* Before the first run that the window has. */
static void ranges_begin(struct store_ranges *r)
{
    struct run_list l = runs_of(r->s->r, r->a, 0);

    r->run = l.n ? run_before(&l, r->win.t0) : 0;
    r->i = r->n = 0;
    r->lost = r->tail = r->done = false;
}

struct store_ranges store_ranges(const struct store *s, attr_t a, struct span win)
{
    struct store_ranges r;

    assert(a < s->r->path_ends.n);
    r.s = s; /* the arrays are left as they are: clearing them takes longer than all else */
    r.a = a;
    r.win = own_span(s, win);
    ranges_begin(&r);
    return r;
}

void store_ranges_again(struct store_ranges *r, struct span win)
{
    uint32_t lo = 0, hi = r->n;

    r->win = own_span(r->s, win);
    if (r->n == 0 || r->win.t0 < r->t[0] || r->win.t0 >= r->t[r->n]) {
        ranges_begin(r);
        return;
    }
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (r->t[mid] <= r->win.t0)
            lo = mid;
        else
            hi = mid;
    }
    r->i = lo;
    r->done = r->tail;
}

/* Decodes run 'r->run', or what is lost of it. */
static void take_run(struct store_ranges *r, const struct run_list *l)
{
    struct leaf leaf;
    ns_t end = run_end(r->s, r->a, l, r->run);

    r->i = 0;
    r->t[0] = l->at[r->run].t0;
    r->lost = true;
    if (leaf_open(r->s->r, &l->at[r->run], r->a, &leaf)) {
        if (leaf.t1 == end && steps_all(&leaf.steps, leaf.t0, r->t + 1)) {
            r->lost = false;
            r->n = leaf.steps.n;
            column_all(&leaf.values, r->v);
        }
        block_unpin(leaf.frame);
    }
    if (r->lost) {
        r->n = 1;
        r->t[1] = end;
        r->v[0] = STORE_NULL;
    }
    r->run++;
}

static void take_tail(struct store_ranges *r)
{
    const struct tail *tail = &r->s->r->tails[r->a];
    ns_t end = cover_end(r->s->r);

    r->tail = r->done = true;
    r->lost = false;
    r->i = 0;
    r->n = tail->n;
    for (uint32_t i = 0; i < tail->n; i++) {
        r->t[i] = tail->t[i];
        r->v[i] = tail->v[i];
    }
    if (tail->n)
        r->t[tail->n] = end;
    if (r->n && r->t[r->n - 1] >= end)
        r->n--;
}

/* Decodes the next run that is not behind the window, or the tail; false when there is
 * none. */
static bool fill(struct store_ranges *r)
{
    struct run_list l = runs_of(r->s->r, r->a, 0);

    if (r->done)
        return false;
    if (r->run < l.n && l.at[r->run].t0 >= r->win.t1) {
        r->done = true;
        return false;
    }
    if (r->run < l.n)
        take_run(r, &l);
    else
        take_tail(r);
    return r->n > 0;
}

bool store_ranges_next(struct store_ranges *r, struct interval *ret)
{
    for (;;) {
        while (r->i < r->n) {
            uint32_t i = r->i++;
            bool last = r->tail && i + 1 == r->s->r->tails[r->a].n;

            if (r->t[i] >= r->win.t1) {
                r->i = r->n;
                r->done = true;
                return false;
            }
            if (r->t[i + 1] <= r->win.t0 || r->t[i + 1] <= r->t[i] ||
                (r->v[i] == STORE_NULL && !r->lost))
                continue;
            *ret = (struct interval){ r->t[i], r->t[i + 1], r->v[i], last, r->lost };
            show(r->s, ret);
            return true;
        }
        if (!fill(r))
            return false;
    }
}
