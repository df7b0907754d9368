/* SPDX-License-Identifier: Apache-2.0
 *
 * fit.c -- which messages are wrong, and which straight pieces do the others allow?
 *
 * A wrong match contradicts what comes before it and what comes after it.  After a change
 * of the clock, messages contradict only what comes before.  So the points are walked in
 * both directions through a corridor, and rejected if they fit in neither: no
 * threshold on a size, which would have to know latencies.  Errors that are larger than
 * two clocks can drift apart are found first, among neighbours, where the corridor need not
 * be known. */
#include "sync/sync_priv.h"

#include <math.h>
#include <stdlib.h>

enum {
    NEAR = 16,       /* opposite points on each side that are compared          */
    VIOLATOR = 2,    /* what a point that doesn't fit adds to the suspicion ... */
    CHANGED = 8,     /* ... which means, here, that the clock has changed       */
    MAX_PIECES = 32, /* more: the clock wanders                                 */
    BEFORE_FITS = 1, /* marks of a point: contradicts what comes before,        */
    AFTER_FITS = 2,  /* after                                                   */
};

/* --- errors of any clock's size -------------------------------------------------- */

static bool contradict(const struct point *a, const struct point *b, double drift)
{
    double over = (double)(a->upper ? b->d - a->d : a->d - b->d);

    return over > 0 && over > drift * fabs((double)(b->x - a->x));
}

/* How many of the nearest opposite points on a side contradict point 'i'. */
static int near_conflicts(const struct pair *p, size_t i, int step, double drift, int *ret_seen)
{
    int conflicts = 0, seen = 0, looked = 0;

    for (size_t k = i + (size_t)step; k < p->points.n && seen < NEAR && looked < 8 * NEAR;
         k += (size_t)step, looked++) {
        const struct point *o = &p->points.at[k];

        if (o->wrong || o->upper == p->points.at[i].upper)
            continue;
        seen++;
        conflicts += contradict(&p->points.at[i], o, drift);
    }
    *ret_seen = seen;
    return conflicts;
}

/* Those that contradict all their neighbours go first, so that they can't make their
 * neighbours look as bad; then those that contradict most on both sides. */
static void reject_aliens(struct pair *p, double drift)
{
    bool any = true;

    for (int pass = 0; pass < 2 && any; pass++) {
        any = false;
        for (size_t i = 0; i < p->points.n; i++) {
            int before, after;
            int b = near_conflicts(p, i, -1, drift, &before);
            int a = near_conflicts(p, i, 1, drift, &after);

            if (a + b == 0)
                continue;
            any = true;
            if (pass == 0)
                p->points.at[i].wrong = a + b == before + after && a + b > 1;
            else
                p->points.at[i].wrong |= 2 * b >= before && 2 * a >= after;
        }
    }
}

/* --- errors within a corridor ---------------------------------------------------- */

static struct point mirrored(const struct point *p, bool backward)
{
    struct point m = *p;

    if (backward) {
        m.x = -p->x;
        m.d = -p->d;
        m.upper = !p->upper;
    }
    return m;
}

/* Walks over the points, and knows those that lately didn't fit, for each direction: those of
 * the other direction fit to anything after a jump. */
struct walker {
    struct pair *p;
    bool backward;
    uint8_t *marks;
    struct corridor c;
    size_t began;  /* the first point in the corridor */
    size_t run[2]; /* the first of those that don't fit; SIZE_MAX: none */
    int suspicion[2];
};

static void walker_restart(struct walker *w, size_t at)
{
    corridor_reset(&w->c);
    w->began = at;
    w->run[0] = w->run[1] = SIZE_MAX;
    w->suspicion[0] = w->suspicion[1] = 0;
}

static size_t walker_index(const struct walker *w, size_t i)
{
    return w->backward ? w->p->points.n - 1 - i : i;
}

/* The clock has changed where misfits began; or the few points before were wrong. */
static size_t walker_change(struct walker *w, size_t i, bool upper)
{
    uint8_t mark = w->backward ? AFTER_FITS : BEFORE_FITS;
    bool few = w->c.nlower + w->c.nupper < CHANGED / VIOLATOR;
    size_t run = w->run[upper];

    for (size_t k = few ? w->began : run; k <= i; k++) {
        uint8_t *m = &w->marks[walker_index(w, k)];

        *m = (uint8_t)(k < run ? *m | mark : *m & ~mark);
    }
    walker_restart(w, run);
    return run;
}

/* Marks the points that don't fit to those before them, in the direction of the walk. */
static void walk(struct pair *p, bool backward, double wander, double drift, uint8_t *marks)
{
    struct walker w = { .p = p, .backward = backward, .marks = marks };
    uint8_t mark = backward ? AFTER_FITS : BEFORE_FITS;

    walker_restart(&w, 0);
    for (size_t i = 0; i < p->points.n; i++) {
        size_t at = walker_index(&w, i);
        struct point m = mirrored(&p->points.at[at], backward);
        int *suspicion = &w.suspicion[m.upper];

        if (m.wrong)
            continue;
        if (corridor_fits(&w.c, &m, wander, drift)) {
            corridor_add(&w.c, &m);
            *suspicion -= *suspicion > 0;
            w.run[m.upper] = *suspicion ? w.run[m.upper] : SIZE_MAX;
            continue;
        }
        marks[at] |= mark;
        if (w.run[m.upper] == SIZE_MAX)
            w.run[m.upper] = i;
        *suspicion += VIOLATOR;
        if (*suspicion >= CHANGED)
            i = walker_change(&w, i, m.upper) - 1;
    }
    corridor_free(&w.c);
}

static void reject_misfits(struct pair *p, double wander, double drift)
{
    uint8_t *marks = xcalloc(p->points.n, 1);

    walk(p, false, wander, drift, marks);
    walk(p, true, wander, drift, marks);
    for (size_t i = 0; i < p->points.n; i++)
        p->points.at[i].wrong |= marks[i] == (BEFORE_FITS | AFTER_FITS);
    free(marks);
}

/* --- pieces ---------------------------------------------------------------------- */

static double extreme(const struct point *at, size_t n, double slope, bool upper)
{
    double best = upper ? HUGE_VAL : -HUGE_VAL;

    for (size_t i = 0; i < n; i++) {
        double v = (double)at[i].d - slope * (double)at[i].x;

        best = upper ? fmin(best, v) : fmax(best, v);
    }
    return best;
}

static struct line line_of(const struct point p[2])
{
    long double slope = (long double)(p[1].d - p[0].d) / (long double)(p[1].x - p[0].x);

    return (struct line){ slope, p[1].x, (double)p[1].d };
}

/* The estimate: the mean of the extreme lines, if that is known and possible; else the rate that
 * differs least from 1, between the points. */
static void add_piece(struct pair *p, const struct corridor *c, double drift)
{
    struct piece *s = vec_push(&p->pieces);

    *s = (struct piece){ .x0 = c->first, .x1 = c->last };
    s->fitted =
        isfinite(c->least) && isfinite(c->greatest) && fabs(c->least + c->greatest) <= 2 * drift;
    if (s->fitted) {
        s->least = line_of(c->least_at);
        s->greatest = line_of(c->greatest_at);
        return;
    }
    double slope = 0;
    if (c->least > slope && isfinite(c->least))
        slope = c->least;
    if (c->greatest < slope && isfinite(c->greatest))
        slope = c->greatest;
    double hi = extreme(c->upper.at, c->upper.n, slope, true);
    double lo = extreme(c->lower.at, c->lower.n, slope, false);
    if (isinf(hi) && isinf(lo))
        return;
    double d = isinf(hi) ? lo : isinf(lo) ? hi : (lo + hi) / 2;
    s->least = s->greatest = (struct line){ (long double)slope, 0, d };
}

/* Whether what comes after a misfit of its direction fits to what came before it: after a
 * change, that would not be so. */
static bool is_alone(const struct pair *p, size_t i, const struct corridor *c, double wander,
                     double drift)
{
    int seen = 0;

    for (size_t k = i + 1; k < p->points.n && seen < NEAR; k++) {
        const struct point *q = &p->points.at[k];

        if (q->wrong || q->upper != p->points.at[i].upper)
            continue;
        if (!corridor_fits(c, q, wander, drift))
            return false;
        seen++;
    }
    return seen == NEAR;
}

/* Where the piece begins that point 'i' doesn't let into the one from 'first' on.  What comes
 * after the last point of its direction may belong to either, since the others fit to
 * anything after a jump: to the new one, if it fits there. */
static size_t begin_piece(const struct pair *p, size_t first, size_t i, double wander, double drift)
{
    struct corridor c = { 0 };
    size_t from = i, fits = i;

    while (from > first &&
           (p->points.at[from - 1].wrong || p->points.at[from - 1].upper != p->points.at[i].upper))
        from--;
    corridor_reset(&c);
    for (size_t k = from; from > first && k < i; k++)
        if (!p->points.at[k].wrong)
            corridor_add(&c, &p->points.at[k]);
    if (from > first && corridor_fits(&c, &p->points.at[i], wander, drift))
        fits = from;
    corridor_free(&c);
    return fits;
}

static void cut_pieces(struct pair *p, double wander, double drift)
{
    struct corridor c = { 0 };
    size_t first = 0;

    p->pieces.n = 0;
    corridor_reset(&c);
    for (size_t i = 0; i < p->points.n; i++) {
        struct point *q = &p->points.at[i];

        if (q->wrong)
            continue;
        if (!corridor_fits(&c, q, wander, drift)) {
            if (wander > 0 && is_alone(p, i, &c, wander, drift)) {
                q->wrong = true;
                continue;
            }
            first = begin_piece(p, first, i, wander, drift);
            c.last = first < i ? p->points.at[first - 1].x : c.last;
            add_piece(p, &c, drift);
            corridor_reset(&c);
            i = first;
            q = &p->points.at[i];
            if (q->wrong)
                continue;
        }
        corridor_add(&c, q);
    }
    if (c.nlower + c.nupper)
        add_piece(p, &c, drift);
    corridor_free(&c);
}

static void fit_as(struct pair *p, bool turned, double wander, double drift)
{
    pair_collect(p, turned);
    reject_aliens(p, drift);
    reject_misfits(p, wander, drift);
    /* A straight line that keeps to all points is best, if there is one.  Else what clocks may
     * wander is no change. */
    cut_pieces(p, 0, drift);
    for (double w = wander; p->pieces.n > 1 && w <= drift; w = w > 0 ? 4 * w : drift) {
        cut_pieces(p, w, drift);
        if (p->pieces.n <= MAX_PIECES)
            break;
    }
}

static size_t count_wrong(const struct pair *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->points.n; i++)
        n += p->points.at[i].wrong;
    return n;
}

/* The largest jump from one piece to the next. */
static double largest_jump(const struct pair *p)
{
    double largest = 0;

    for (size_t i = 1; i < p->pieces.n; i++) {
        const struct piece *s = &p->pieces.at[i];
        double jump = (double)(piece_at(s, (long double)s->x0, false) -
                               piece_at(s - 1, (long double)s->x0, false));

        largest = fabs(jump) > fabs(largest) ? jump : largest;
    }
    return largest;
}

/* Where x's clock steps back, what comes before and after is mixed up.  So the clock that
 * doesn't, if one does, must be x: the one with which there are fewer contradictions.  A jump
 * that is seen goes down then, because y went back or x went on. */
static void fit_better(struct pair *p, double wander, double drift)
{
    size_t bad;
    double jump;

    fit_as(p, false, wander, drift);
    bad = count_wrong(p) + p->pieces.n;
    jump = largest_jump(p);
    if (bad <= 1)
        return;
    fit_as(p, true, wander, drift);
    size_t turned = count_wrong(p) + p->pieces.n;
    if (turned > bad || (turned == bad && jump <= 0))
        fit_as(p, false, wander, drift);
}

void pair_fit(struct pair *p, const struct sync_options *o)
{
    bool up = false, down = false;

    fit_better(p, o->wander_ppm * 1e-6, o->drift_ppm * 1e-6);
    for (size_t i = 0; i < p->points.n; i++) {
        up |= p->points.at[i].upper && !p->points.at[i].wrong;
        down |= !p->points.at[i].upper && !p->points.at[i].wrong;
    }
    p->info.rejected = p->far + count_wrong(p);
    p->info.used = p->info.matched - p->info.rejected;
    p->info.quality = up && down ? SYNC_EXACT : up || down ? SYNC_ONE_WAY : SYNC_NONE;
    p->info.pieces = (uint32_t)p->pieces.n;
}
