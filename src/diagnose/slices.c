/* SPDX-License-Identifier: Apache-2.0
 *
 * slices.c -- see slices.h. */
#include "diagnose/slices.h"

#include "report/measure.h"

struct slices slices_of(const struct diagnosis *d, uint32_t host, ns_t least)
{
    struct span seen = measure_within(d->src, host, d->src->span);
    struct slices s = { .t0 = seen.t0, .t1 = seen.t1, .len = least };

    if (seen.t1 <= seen.t0)
        return s;
    ns_t even = (seen.t1 - seen.t0 - 1) / SLICES + 1;
    s.len = even > least ? even : least;
    s.n = (size_t)((seen.t1 - seen.t0 - 1) / s.len + 1);
    return s;
}

size_t slice_at(const struct slices *s, ns_t t)
{
    if (t <= s->t0 || s->n == 0)
        return 0;
    size_t i = (size_t)((t - s->t0) / s->len);
    return i < s->n ? i : s->n - 1;
}

ns_t slice_length(const struct slices *s, size_t i)
{
    ns_t t0 = s->t0 + (ns_t)i * s->len;

    return s->t1 - t0 < s->len ? s->t1 - t0 : s->len;
}

void slices_add(const struct slices *s, ns_t *ns, ns_t t0, ns_t t1)
{
    t0 = t0 > s->t0 ? t0 : s->t0;
    t1 = t1 < s->t1 ? t1 : s->t1;
    for (size_t i = slice_at(s, t0); t0 < t1; i++) {
        ns_t end = s->t0 + (ns_t)(i + 1) * s->len;

        end = end < t1 ? end : t1;
        ns[i] += end - t0;
        t0 = end;
    }
}

static struct slices_found found_in(const struct slices *s, const bool *holds, size_t from,
                                    size_t to)
{
    struct slices_found f = { 0 };

    for (size_t i = from; i < to; i++) {
        if (!holds[i])
            continue;
        if (f.n++ == 0)
            f.t0 = s->t0 + (ns_t)i * s->len;
        f.t1 = s->t0 + (ns_t)i * s->len + slice_length(s, i);
        f.ns += slice_length(s, i);
    }
    return f;
}

struct slices_found slices_found(const struct slices *s, const bool *holds)
{
    return found_in(s, holds, 0, s->n);
}

/* The segment of largest sum (J. Kadane), where a slice that holds counts 1, and one that does not
 * takes 4 away. */
struct slices_found slices_run(const struct slices *s, const bool *holds, const bool *known)
{
    size_t from = 0, best_from = 0, best_to = 0;
    int64_t sum = 0, best = 0;

    for (size_t i = 0; i < s->n; i++) {
        sum += holds[i] ? 1 : !known || known[i] ? -4 : 0;
        if (sum <= 0) {
            sum = 0;
            from = i + 1;
        } else if (sum > best) {
            best = sum;
            best_from = from;
            best_to = i + 1;
        }
    }
    return found_in(s, holds, best_from, best_to);
}
