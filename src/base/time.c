/* SPDX-License-Identifier: Apache-2.0
 *
 * time.c -- see time.h. */
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_NS (INT64_C(86400) * NS_PER_S)

/* Gregorian calendar arithmetic after Howard Hinnant, "chrono-compatible
 * low-level date algorithms": exact for every int64 nanosecond. */
int64_t time_days(int64_t y, unsigned m, unsigned d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static void civil_of(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t doe = days - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;

    *d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

const char *time_clock(ns_t t, char out[static TIME_TEXT])
{
    int64_t in_day = t % DAY_NS + (t % DAY_NS < 0 ? DAY_NS : 0);
    int64_t s = in_day / NS_PER_S;

    snprintf(out, TIME_TEXT, "%02d:%02d:%02d.%09d", (int)(s / 3600), (int)(s / 60 % 60),
             (int)(s % 60), (int)(in_day % NS_PER_S));
    return out;
}

const char *time_iso(ns_t t, char out[static TIME_TEXT])
{
    int64_t y;
    unsigned m, d;
    char clock[TIME_TEXT];

    civil_of(floor_div(t, DAY_NS), &y, &m, &d);
    snprintf(out, TIME_TEXT, "%04d-%02u-%02u %.18s", (int)y, m % 100, d % 100,
             time_clock(t, clock));
    return out;
}

const char *time_human(ns_t d, char out[static TIME_TEXT])
{
    static const struct {
        uint64_t below; /* the unit is used below this many ns ... */
        uint64_t ns;    /* ... and is this long                    */
        const char *name;
    } units[] = { { 999999500, 1000000, "ms" }, { UINT64_C(120000000000), 1000000000, "s" } };
    const char *sign = d < 0 ? "-" : "";
    uint64_t u = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;

    if (u < 1000)
        snprintf(out, TIME_TEXT, "%s%" PRIu64 " ns", sign, u);
    else if (u < 1000000)
        snprintf(out, TIME_TEXT, "%s%" PRIu64 ".%03" PRIu64 " us", sign, u / 1000, u % 1000);
    else if (u < units[ARRAY_SIZE(units) - 1].below) {
        size_t i = u < units[0].below ? 0 : 1;
        uint64_t thousandth = units[i].ns / 1000;

        u = (u + thousandth / 2) / thousandth; /* to the nearest */
        snprintf(out, TIME_TEXT, "%s%" PRIu64 ".%03" PRIu64 " %s", sign, u / 1000, u % 1000,
                 units[i].name);
    } else if (u < UINT64_C(7200000000000))
        snprintf(out, TIME_TEXT, "%s%" PRIu64 " min %02" PRIu64 " s", sign, u / 60000000000,
                 u / 1000000000 % 60);
    else
        snprintf(out, TIME_TEXT, "%s%" PRIu64 " h %02" PRIu64 " min", sign, u / 3600000000000,
                 u / 60000000000 % 60);
    return out;
}

/* Takes up to 'max' digits from the front of 's'. */
static bool take_num(struct str *s, size_t max, uint64_t *ret)
{
    size_t n = 0;

    while (n < s->n && n < max && s->p[n] >= '0' && s->p[n] <= '9')
        n++;
    if (!str_u64(str_first(*s, n), ret))
        return false;
    *s = str_from(*s, n);
    return true;
}

static bool take_chr(struct str *s, char c)
{
    if (s->n == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    return true;
}

/* ".5" -> 500000000: up to nine digits after the point. */
static bool take_fraction(struct str *s, int64_t *ret_ns)
{
    size_t before = s->n;
    uint64_t v;

    if (!take_num(s, 9, &v))
        return false;
    for (size_t digits = before - s->n; digits < 9; digits++)
        v *= 10;
    *ret_ns = (int64_t)v;
    return true;
}

static bool parse_clock(struct str s, int64_t *ret_ns)
{
    uint64_t h, m, sec = 0;
    int64_t frac = 0;

    if (!take_num(&s, 2, &h) || !take_chr(&s, ':') || !take_num(&s, 2, &m))
        return false;
    if (take_chr(&s, ':')) {
        if (!take_num(&s, 2, &sec))
            return false;
        if (take_chr(&s, '.') && !take_fraction(&s, &frac))
            return false;
    }
    if (s.n || h > 23 || m > 59 || sec > 60)
        return false;
    *ret_ns = (int64_t)(h * 3600 + m * 60 + sec) * NS_PER_S + frac;
    return true;
}

static bool parse_after(struct str s, ns_t origin, ns_t *ret)
{
    static const struct {
        const char *unit;
        int64_t ns;
    } units[] = { { "ns", 1 },       { "us", 1000 },   { "ms", 1000000 },
                  { "s", NS_PER_S }, { "", NS_PER_S }, { "min", 60 * NS_PER_S } };
    uint64_t whole;
    int64_t frac = 0, d;

    if (!take_num(&s, 18, &whole) || (take_chr(&s, '.') && !take_fraction(&s, &frac)))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++)
        if (str_is(s, units[i].unit)) {
            int64_t part = (int64_t)((__int128)frac * units[i].ns / NS_PER_S);

            if (__builtin_mul_overflow((int64_t)whole, units[i].ns, &d) ||
                __builtin_add_overflow(d, part, &d) || __builtin_add_overflow(origin, d, &d))
                return false;
            *ret = d;
            return true;
        }
    return false;
}

static bool parse_date(struct str s, int64_t *ret_days)
{
    uint64_t y, m, d;

    if (!take_num(&s, 4, &y) || !take_chr(&s, '-') || !take_num(&s, 2, &m) || !take_chr(&s, '-') ||
        !take_num(&s, 2, &d))
        return false;
    if (s.n || m < 1 || m > 12 || d < 1 || d > 31)
        return false;
    int64_t days = time_days((int64_t)y, (unsigned)m, (unsigned)d), back_y;
    unsigned back_m, back_d;
    civil_of(days, &back_y, &back_m, &back_d);
    if (back_d != d) /* there is no 30 February */
        return false;
    *ret_days = days;
    return true;
}

/* The first day that we can say begins before NS_MIN: add in 128 bits. */
static bool instant_of(int64_t days, int64_t in_day, ns_t *ret)
{
    __int128 t = (__int128)days * DAY_NS + in_day;

    if (t < NS_MIN || t > NS_MAX)
        return false;
    *ret = (ns_t)t;
    return true;
}

int time_parse(struct str s, ns_t origin, ns_t *ret, struct err *err)
{
    struct str text = str_trim(s);
    int64_t days = floor_div(origin, DAY_NS), in_day;
    ns_t t;

    if (str_i64(text, &t)) {
        *ret = t;
        return 0;
    }
    if (text.n && text.p[0] == '+') {
        if (parse_after(str_from(text, 1), origin, ret))
            return 0;
    } else {
        size_t sep = str_chr(text, ' ', 0);

        if (sep == STR_NONE)
            sep = str_chr(text, 'T', 0);
        if (sep == STR_NONE || parse_date(str_first(text, sep), &days)) {
            struct str clock = sep == STR_NONE ? text : str_from(text, sep + 1);

            if (clock.n && clock.p[clock.n - 1] == 'Z')
                clock.n--;
            if (parse_clock(clock, &in_day) && instant_of(days, in_day, &t)) {
                *ret = t;
                return 0;
            }
        }
    }
    return err_set(err, E_ARG,
                   "'" STR_FMT "' is not a time: write nanoseconds since 1970, "
                   "[YYYY-MM-DD ]hh:mm:ss[.fraction] (UTC), or +5s",
                   STR_ARG(s));
}

static int by_begin(const void *a, const void *b)
{
    const struct span *x = a, *y = b;

    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

size_t spans_join(struct span *at, size_t n)
{
    size_t left = 0;

    if (n)
        qsort(at, n, sizeof *at, by_begin);
    for (size_t i = 0; i < n; i++)
        if (left && at[i].t0 <= at[left - 1].t1)
            at[left - 1].t1 = at[i].t1 > at[left - 1].t1 ? at[i].t1 : at[left - 1].t1;
        else
            at[left++] = at[i];
    return left;
}
