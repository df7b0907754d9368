/* SPDX-License-Identifier: Apache-2.0
 *
 * time.h -- instants, spans, and how people write them.
 *
 * An instant is int64 nanoseconds since 1970 in some host's clock.  Spans are
 * half-open.  Instants are never doubles. */
#ifndef BASE_TIME_H
#define BASE_TIME_H

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

typedef int64_t ns_t;

#define NS_PER_S INT64_C(1000000000)
#define NS_MIN INT64_MIN
#define NS_MAX INT64_MAX

struct span {
    ns_t t0, t1; /* [t0, t1) */
};

static inline bool span_has(struct span s, ns_t t)
{
    return s.t0 <= t && t < s.t1;
}
static inline bool span_meets(struct span a, struct span b)
{
    return a.t0 < a.t1 && b.t0 < b.t1 && a.t0 < b.t1 && b.t0 < a.t1;
}
/* Puts spans in order of time and makes one of those that meet or touch; returns how many are left.
 */
size_t spans_join(struct span *at, size_t n);

/* Between the time of one clock and that which is shown.  Both functions never go back, and keep
 * NS_MIN and NS_MAX. */
struct time_map {
    ns_t (*shown)(const void *ctx, ns_t own);
    ns_t (*own)(const void *ctx, ns_t shown);
    const void *ctx;
};
/* NULL: the clock is shown as it is. */
static inline ns_t time_shown(const struct time_map *m, ns_t own)
{
    return m ? m->shown(m->ctx, own) : own;
}
static inline ns_t time_own(const struct time_map *m, ns_t shown)
{
    return m ? m->own(m->ctx, shown) : shown;
}

/* 't' + 'd'; stops at the ends of time, where it stays. */
static inline ns_t time_add(ns_t t, ns_t d)
{
    ns_t sum;

    if (t == NS_MIN || t == NS_MAX)
        return t;
    return __builtin_add_overflow(t, d, &sum) ? d < 0 ? NS_MIN : NS_MAX : sum;
}

enum { TIME_TEXT = 48 };
/* "2016-08-08 15:03:42.148087831" in UTC. */
const char *time_iso(ns_t t, char out[static TIME_TEXT]);
/* "15:03:42.148087831" in UTC. */
const char *time_clock(ns_t t, char out[static TIME_TEXT]);
/* A duration for people: "412 ns", "7.986 ms", "5.876 s", "3 min 02 s". */
const char *time_human(ns_t d, char out[static TIME_TEXT]);

/* Reads an instant: nanoseconds since 1970; "[YYYY-MM-DD ]hh:mm[:ss[.fraction]]"
 * in UTC (without a date, the day of 'origin' is meant); or "+5s", "+200ms"
 * after 'origin'.  Returns 0 or -E_ARG. */
int time_parse(struct str s, ns_t origin, ns_t *ret, struct err *err);
/* Days since 1970-01-01 of a date in the Gregorian calendar. */
int64_t time_days(int64_t year, unsigned month, unsigned day);

#endif
