/* SPDX-License-Identifier: Apache-2.0
 *
 * test_base.c -- strings, time, tables, JSON, notes and memory. */
#define _GNU_SOURCE
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/notes.h"
#include "base/time.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A generator that gives the same numbers everywhere. */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* -- err ------------------------------------------------------------------- */

static void test_err(void **state)
{
    struct err err;
    char big[3000];

    (void)state;
    assert_int_equal(err_set(&err, E_CORRUPT, "content %d > packet %d", 200, 100), -E_CORRUPT);
    assert_int_equal(err_in(&err, "packet %d", 1), -E_CORRUPT);
    assert_int_equal(err_in(&err, "ch_3"), -E_CORRUPT);
    assert_string_equal(err.text, "ch_3: packet 1: content 200 > packet 100");

    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    err_in(&err, "%s", big);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    err_set(&err, E_IO, "%s", big);
    err_in(&err, "front");
    assert_true(str_starts(str_of(err.text), STR("front: xxx")));
}

/* -- str ------------------------------------------------------------------- */

static void test_str_numbers(void **state)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t v;
    } cases[] = {
        { "0", true, 0 },
        { "-0", true, 0 },
        { "007", true, 7 },
        { "9223372036854775807", true, INT64_MAX },
        { "-9223372036854775808", true, INT64_MIN },
        { "9223372036854775808", false, 0 },
        { "-9223372036854775809", false, 0 },
        { "99999999999999999999999", false, 0 },
        { "", false, 0 },
        { "-", false, 0 },
        { "+1", false, 0 },
        { "1 ", false, 0 },
        { "0x1", false, 0 },
        { "--1", false, 0 },
    };
    uint64_t u = 5;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t v = 77;

        assert_int_equal(str_i64(str_of(cases[i].text), &v), cases[i].ok);
        assert_true(v == (cases[i].ok ? cases[i].v : 77));
    }
    assert_true(str_u64(STR("18446744073709551615"), &u) && u == UINT64_MAX);
    assert_false(str_u64(STR("18446744073709551616"), &u));
    assert_false(str_u64(STR("-1"), &u));
    assert_true(u == UINT64_MAX);
}

static void test_str_find(void **state)
{
    struct str s = STR("abcabc"), none = { 0 }, got;

    (void)state;
    assert_int_equal(str_find(s, STR("bc"), 0), 1);
    assert_int_equal(str_find(s, STR("bc"), 2), 4);
    assert_true(str_find(s, STR("bc"), 5) == STR_NONE);
    assert_true(str_find(s, STR("abcd"), 0) == STR_NONE);
    assert_int_equal(str_find(s, STR(""), 6), 6);
    assert_true(str_find(s, STR(""), 7) == STR_NONE);
    assert_int_equal(str_chr(s, 'c', 3), 5);
    assert_true(str_chr(s, 'c', 6) == STR_NONE);
    assert_int_equal(str_rchr(s, 'a'), 3);
    assert_true(str_rchr(none, 'a') == STR_NONE && str_chr(none, 'a', 0) == STR_NONE);

    assert_true(str_between(STR("uuid=42, name"), STR("uuid="), STR(","), &got));
    assert_true(str_is(got, "42"));
    assert_true(str_between(STR("uuid=42"), STR("uuid="), STR(""), &got) && str_is(got, "42"));
    assert_false(str_between(STR("uuid=42"), STR("uuid="), STR(","), &got));
    assert_false(str_between(s, STR("x"), STR(""), &got));
}

static void test_str_compare(void **state)
{
    struct str none = { 0 };

    (void)state;
    assert_true(str_eq(none, STR("")) && str_eq(str_of(NULL), none));
    assert_true(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_int_equal(str_cmp(none, STR("")), 0);
    assert_true(str_starts(STR("abc"), STR("ab")) && str_starts(none, none));
    assert_false(str_starts(STR("a"), STR("ab")));
    assert_true(str_ends(STR("abc"), STR("bc")) && str_ends(STR("abc"), STR("")));
    assert_false(str_ends(STR("c"), STR("bc")));
    assert_true(str_is(str_trim(STR(" \t\r\n a b \n")), "a b"));
    assert_int_equal(str_trim(STR(" \n ")).n, 0);
    assert_true(str_is(str_from(STR("abc"), 1), "bc") && str_from(STR("abc"), 9).n == 0);
    assert_true(str_is(str_first(STR("abc"), 2), "ab") && str_first(STR("abc"), 9).n == 3);
}

static void test_str_uuid(void **state)
{
    (void)state;
    assert_true(str_is_uuid(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8")));
    assert_true(str_is_uuid(STR("6BA7B810-9dad-11d1-80b4-00c04fd430c8]")));
    assert_false(str_is_uuid(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c")));
    assert_false(str_is_uuid(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8a")));
    assert_false(str_is_uuid(STR("6ba7b810-9dad-11d1-80b4-00c04fd430c8-1")));
    assert_false(str_is_uuid(STR("6ba7b810x9dad-11d1-80b4-00c04fd430c8")));
    assert_false(str_is_uuid(STR("gba7b810-9dad-11d1-80b4-00c04fd430c8")));
}

static void test_str_glob(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        { "", "", true },
        { "*", "", true },
        { "?", "", false },
        { "vm-*", "vm-1000", true },
        { "vm-*", "xvm-1", false },
        { "*-1", "a-1-1", true },
        { "a*b*c", "aXbXbXc", true },
        { "a*b*c", "aXbXbX", false },
        { "a?c", "abc", true },
        { "[a]", "a", false }, /* brackets are literal */
        { "**", "abc", true },
        { "*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(str_glob(str_of(cases[i].pattern), str_of(cases[i].text)), cases[i].match);
}

static void test_sbuf(void **state)
{
    struct sbuf b = { 0 };
    char big[1000];

    (void)state;
    assert_string_equal(sbuf_view(&b).p, "");
    sbuf_clear(&b);
    memset(big, 'y', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    sbuf_z(&b, "a");
    sbuf_chr(&b, 'b');
    sbuf_str(&b, STR("c\0d"));
    sbuf_add(&b, NULL, 0);
    sbuf_fmt(&b, "%s", big);
    sbuf_fmt(&b, "%d", 7);
    assert_int_equal(b.n, 5 + 999 + 1);
    assert_memory_equal(b.p, "abc\0dy", 6);
    assert_string_equal(b.p + b.n - 2, "y7");
    sbuf_clear(&b);
    assert_string_equal(b.p, "");
    sbuf_free(&b);
    assert_null(b.p);
}

/* -- strtab, map64 --------------------------------------------------------- */

static void test_strtab(void **state)
{
    struct strtab t = { 0 };
    char text[20];
    uint32_t id = 9;

    (void)state;
    assert_false(strtab_find(&t, STR("x"), &id));
    assert_true(strtab_find(&t, STR(""), &id) && id == 0);
    assert_int_equal(strtab_get(&t, 0).n, 0);
    for (uint32_t round = 0; round < 2; round++)
        for (uint32_t i = 1; i <= 5000; i++) {
            snprintf(text, sizeof text, "name-%u", i);
            assert_int_equal(strtab_id(&t, str_of(text)), i);
        }
    assert_int_equal(strtab_id(&t, STR("")), 0);
    assert_string_equal(strtab_get(&t, 4711).p, "name-4711");
    assert_true(strtab_find(&t, STR("name-1"), &id) && id == 1);
    assert_false(strtab_find(&t, STR("name-0"), &id));
    assert_int_equal(strtab_id(&t, STR("a\0b")), 5001);
    assert_int_equal(strtab_id(&t, STR("a\0c")), 5002);
    strtab_free(&t);
}

enum { MODEL_KEYS = 600 };

/* Random sets and deletes, against an array.  Few keys, some of them far
 * apart: long runs and deletes in their middle are what goes wrong. */
static void test_map64_model(void **state)
{
    struct map64 m = { 0 };
    uint32_t model[MODEL_KEYS];
    uint64_t keys[MODEL_KEYS], random = 42;
    size_t n = 0;

    (void)state;
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        model[i] = UINT32_MAX;
        keys[i] = i < 200 ? i : i < 400 ? i << 40 : next_random(&random);
    }
    keys[0] = UINT64_MAX;
    for (int step = 0; step < 200000; step++) {
        size_t i = next_random(&random) % MODEL_KEYS;
        /* Waves: the map fills, then empties. */
        bool set = next_random(&random) % 100 < (step / 20000 % 2 ? 30u : 70u);
        uint32_t v = 0;

        assert_int_equal(map64_get(&m, keys[i], &v), model[i] != UINT32_MAX);
        assert_true(model[i] == UINT32_MAX || v == model[i]);
        if (set) {
            n += model[i] == UINT32_MAX;
            model[i] = (uint32_t)step % (UINT32_MAX - 1);
            map64_set(&m, keys[i], model[i]);
        } else {
            n -= model[i] != UINT32_MAX;
            model[i] = UINT32_MAX;
            map64_del(&m, keys[i]);
        }
        assert_int_equal(m.n, n);
    }
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        uint32_t v = 0;

        assert_int_equal(map64_get(&m, keys[i], &v), model[i] != UINT32_MAX);
        assert_true(model[i] == UINT32_MAX || v == model[i]);
    }
    map64_free(&m);
}

static void test_map64_edges(void **state)
{
    struct map64 m = { 0 };
    uint32_t v = 1;

    (void)state;
    map64_del(&m, 5);
    assert_false(map64_get(&m, 5, &v));
    map64_set(&m, 0, UINT32_MAX - 1);
    map64_set(&m, UINT64_MAX, 0);
    assert_true(map64_get(&m, 0, &v) && v == UINT32_MAX - 1);
    assert_true(map64_get(&m, UINT64_MAX, &v) && v == 0);
    map64_set(&m, 0, 3);
    assert_int_equal(m.n, 2);
    map64_del(&m, 0);
    map64_del(&m, 0);
    assert_int_equal(m.n, 1);
    map64_free(&m);
}

/* -- time ------------------------------------------------------------------ */

static const struct {
    ns_t t;
    const char *iso;
} instants[] = {
    { 0, "1970-01-01 00:00:00.000000000" },
    { 1, "1970-01-01 00:00:00.000000001" },
    { -1, "1969-12-31 23:59:59.999999999" },
    { INT64_C(1470668622148087831), "2016-08-08 15:03:42.148087831" },
    { INT64_C(951782400000000000), "2000-02-29 00:00:00.000000000" },
    { INT64_C(-2203977600000000000), "1900-02-28 00:00:00.000000000" },
    { INT64_C(-2203891200000000000), "1900-03-01 00:00:00.000000000" }, /* 1900: no leap year */
    { INT64_C(-86400000000000), "1969-12-31 00:00:00.000000000" },
    { NS_MAX, "2262-04-11 23:47:16.854775807" },
    { NS_MIN, "1677-09-21 00:12:43.145224192" },
    { NS_MIN + 1, "1677-09-21 00:12:43.145224193" },
};

static void test_time_iso(void **state)
{
    char text[TIME_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(instants); i++) {
        assert_string_equal(time_iso(instants[i].t, text), instants[i].iso);
        assert_string_equal(time_clock(instants[i].t, text), instants[i].iso + 11);
    }
}

/* What time_iso writes, time_parse reads; also over the whole range. */
static void test_time_round_trip(void **state)
{
    char text[TIME_TEXT];
    uint64_t random = 7;
    struct err err;
    ns_t t = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(instants); i++) {
        assert_int_equal(time_parse(str_of(instants[i].iso), 0, &t, &err), 0);
        assert_true(t == instants[i].t);
        snprintf(text, sizeof text, "%lld", (long long)instants[i].t);
        assert_int_equal(time_parse(str_of(text), 0, &t, &err), 0);
        assert_true(t == instants[i].t);
    }
    for (int i = 0; i < 100000; i++) {
        ns_t want = (ns_t)next_random(&random);

        time_iso(want, text);
        assert_int_equal(time_parse(str_of(text), 0, &t, &err), 0);
        assert_true(t == want);
    }
}

static void test_time_parse(void **state)
{
    static const ns_t origin = INT64_C(1470668622148087831); /* 2016-08-08 15:03:42.148087831 */
    static const ns_t midnight = INT64_C(1470614400000000000);
    static const struct {
        const char *text;
        ns_t t;
    } cases[] = {
        { "1234", 1234 },
        { "-5", -5 },
        { " 12:30 ", midnight + 45000 * NS_PER_S },
        { "15:03:42.148087831", origin },
        { "15:03:42.1", midnight + 54222 * NS_PER_S + 100000000 },
        { "2016-08-08T15:03:42.148087831Z", origin },
        { "2016-08-08 00:00", midnight },
        { "2000-02-29 00:00:00", INT64_C(951782400000000000) },
        { "1969-12-31 23:59:59.5", -500000000 },
        { "+5s", origin + 5 * NS_PER_S },
        { "+5", origin + 5 * NS_PER_S },
        { "+200ms", origin + 200000000 },
        { "+1.5us", origin + 1500 },
        { "+0.25min", origin + 15 * NS_PER_S },
        { "+7ns", origin + 7 },
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        ns_t t = 0;

        assert_int_equal(time_parse(str_of(cases[i].text), origin, &t, &err), 0);
        assert_true(t == cases[i].t);
    }
    /* Without a date, the day of the origin, also before 1970. */
    ns_t t = 0;
    assert_int_equal(time_parse(STR("23:59:59.999999999"), -1, &t, &err), 0);
    assert_true(t == -1);
}

static void test_time_parse_bad(void **state)
{
    static const char *const bad[] = {
        "",
        "noon",
        "24:00",
        "12:60",
        "12:30:61",
        "12:30:",
        "12:30:10.",
        "12:30x",
        "2016-08-08",
        "2016-13-01 00:00",
        "2016-00-01 00:00",
        "2016-02-30 00:00",
        "2015-02-29 00:00",
        "1900-02-29 00:00",
        "2016-04-31 00:00",
        "2016-08-00 00:00",
        "1677-09-21 00:12:43.145224191", /* a nanosecond too early */
        "2262-04-11 23:47:16.854775808", /* a nanosecond too late  */
        "1600-01-01 00:00",
        "9999-12-31 00:00",
        "+",
        "+s",
        "+5h",
        "+-5s",
        "+9999999999999999s",
        "9223372036854775808",
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        ns_t t = 77;

        if (time_parse(str_of(bad[i]), 0, &t, &err) != -E_ARG || t != 77)
            fail_msg("'%s' was taken for a time", bad[i]);
    }
    ns_t t = 77;
    assert_int_equal(time_parse(STR("+1ns"), NS_MAX, &t, &err), -E_ARG);
    assert_true(t == 77);
    assert_true(strstr(err.text, "'+1ns' is not a time") != NULL);
}

static void test_time_human(void **state)
{
    static const struct {
        ns_t d;
        const char *text;
    } cases[] = {
        { 0, "0 ns" },
        { 412, "412 ns" },
        { 1000, "1.000 us" },
        { 7986123, "7.986 ms" },
        { INT64_C(5876000000), "5.876 s" },
        { INT64_C(119999000000), "119.999 s" },
        { INT64_C(182000000000), "3 min 02 s" },
        { INT64_C(7200000000000), "2 h 00 min" },
        { -1500, "-1.500 us" },
        { NS_MIN, "-2562047 h 47 min" },
        { NS_MAX, "2562047 h 47 min" },
    };
    char text[TIME_TEXT];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(time_human(cases[i].d, text), cases[i].text);
}

static void test_spans(void **state)
{
    static const struct {
        struct span a, b;
        bool meets;
    } cases[] = {
        { { 0, 10 }, { 10, 20 }, false }, /* half-open: they touch, they don't meet */
        { { 0, 10 }, { 9, 20 }, true },
        { { 5, 5 }, { 0, 10 }, false }, /* an empty span meets nothing */
        { { NS_MIN, NS_MAX }, { 0, 1 }, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(span_meets(cases[i].a, cases[i].b), cases[i].meets);
        assert_int_equal(span_meets(cases[i].b, cases[i].a), cases[i].meets);
    }
    assert_true(span_has((struct span){ 3, 5 }, 3));
    assert_false(span_has((struct span){ 3, 5 }, 5));
}

/* -- json ------------------------------------------------------------------ */

static char *json_of_str(struct str s)
{
    char *text = NULL;
    size_t n = 0;
    struct json j = { .f = open_memstream(&text, &n) };

    json_str(&j, s);
    fclose(j.f);
    return text;
}

static void test_json_strings(void **state)
{
    static const struct {
        struct str in;
        const char *out;
    } cases[] = {
        { STR(""), "\"\"" },
        { STR("plain"), "\"plain\"" },
        { STR("q\" b\\ s/"), "\"q\\\" b\\\\ s/\"" },
        { STR("\b\t\n\v\f\r"), "\"\\b\\t\\n\\u000b\\f\\r\"" },
        { STR("\0\x1f\x7f"), "\"\\u0000\\u001f\\u007f\"" },
        { STR("\xc3\xa9\xe9\x9b\xb2\xf0\x9f\x98\x80"), "\"\xc3\xa9\xe9\x9b\xb2\xf0\x9f\x98\x80\"" },
        { STR("a\xff"), "\"a\xef\xbf\xbd\"" },
        { STR("\xc3"), "\"\xef\xbf\xbd\"" },
        { STR("\xc0\xaf"), "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
        { STR("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
        { STR("\xe2\x82x"), "\"\xef\xbf\xbd\xef\xbf\xbdx\"" },
        { STR("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = json_of_str(cases[i].in);

        assert_string_equal(text, cases[i].out);
        free(text);
    }
}

static void write_values(struct json *j)
{
    json_open(j, '{');
    json_ki64(j, "min", INT64_MIN);
    json_ku64(j, "max", UINT64_MAX);
    json_kopen(j, "list", '[');
    json_open(j, '{');
    json_close(j, '}');
    json_open(j, '[');
    json_close(j, ']');
    json_bool(j, true);
    json_none(j);
    json_close(j, ']');
    json_kstr(j, "s", STR("x"));
    json_close(j, '}');
}

static void test_json_nesting(void **state)
{
    (void)state;
    for (int pretty = 0; pretty < 2; pretty++) {
        char *text = NULL;
        size_t n = 0;
        struct json j = { .f = open_memstream(&text, &n), .pretty = pretty };

        write_values(&j);
        fclose(j.f);
        if (pretty)
            assert_string_equal(text, "{\n  \"min\": -9223372036854775808,\n"
                                      "  \"max\": 18446744073709551615,\n"
                                      "  \"list\": [\n    {},\n    [],\n    true,\n    null\n  ],\n"
                                      "  \"s\": \"x\"\n}");
        else
            assert_string_equal(text, "{\"min\":-9223372036854775808,\"max\":18446744073709551615,"
                                      "\"list\":[{},[],true,null],\"s\":\"x\"}");
        free(text);
    }
}

static void test_json_doubles(void **state)
{
    static const double values[] = { 0,      0.1,           1.0 / 3,           -1e300,
                                     5e-324, 123456789.125, __builtin_nan(""), HUGE_VAL };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        char *text = NULL;
        size_t n = 0;
        struct json j = { .f = open_memstream(&text, &n) };

        json_f64(&j, values[i]);
        fclose(j.f);
        if (isfinite(values[i]))
            assert_true(strtod(text, NULL) == values[i]);
        else
            assert_string_equal(text, "null");
        if (i == 1)
            assert_string_equal(text, "0.1");
        free(text);
    }
}

/* -- notes ----------------------------------------------------------------- */

static void test_notes(void **state)
{
    struct notes n = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        note_add(&n, NOTE_LOST, "ch_0", "packet %d is cut short", 1);
    note_add(&n, NOTE_WARN, "ch_0", "packet %d is cut short", 1);
    note_add(&n, NOTE_LOST, "ch_1", "packet %d is cut short", 1);
    assert_int_equal(n.list.n, 3);
    assert_int_equal(n.list.at[0].count, 3);
    assert_int_equal(n.list.at[1].count, 1);
    assert_string_equal(n.list.at[2].where.p, "ch_1");
    assert_string_equal(note_level_name(n.list.at[0].level), "lost");

    for (int i = 0; i < LIMIT_NOTES + 10; i++)
        note_add(&n, NOTE_INFO, "", "note %d", i);
    assert_int_equal(n.list.n, LIMIT_NOTES);
    assert_int_equal(n.unlisted, 13);
    note_add(&n, NOTE_LOST, "ch_0", "packet 1 is cut short");
    assert_int_equal(n.list.at[0].count, 4);
    notes_free(&n);
    assert_int_equal(n.list.n, 0);
}

/* -- memory ---------------------------------------------------------------- */

static void test_arena(void **state)
{
    struct arena a = { 0 };
    char *first = arena_strdup(&a, "abc", 2);

    (void)state;
    assert_string_equal(first, "ab");
    for (size_t n = 0; n < 3000; n++) {
        uint8_t *p = arena_alloc(&a, n);

        assert_int_equal((uintptr_t)p % 16, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        memset(p, 0xee, n);
    }
    assert_string_equal(first, "ab");
    assert_string_equal(arena_printf(&a, "%s-%d", "vm", 7), "vm-7");
    memset(arena_alloc(&a, 1 << 20), 0xee, 1 << 20); /* larger than a chunk */
    assert_true(a.total > (1 << 20));

    arena_reset(&a);
    uint8_t *again = arena_alloc(&a, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(again[i], 0);
    arena_free(&a);
    assert_int_equal(a.total, 0);
    arena_reset(&a); /* an empty one, too */
    arena_free(&a);
}

static void test_vec(void **state)
{
    VEC(int) v = { 0 };

    (void)state;
    for (int i = 0; i < 1000; i++)
        *vec_push(&v) = i;
    assert_int_equal(v.n, 1000);
    assert_int_equal(v.at[999], 999);
    vec_reserve(&v, 5000);
    assert_true(v.cap >= 5000 && v.at[500] == 500);
    vec_free(&v);
    assert_true(v.at == NULL && v.n == 0 && v.cap == 0);
}

/* -- files ----------------------------------------------------------------- */

static void write_file(struct arena *a, const char *dir, const char *name, const char *text)
{
    FILE *f = fopen(path_join(a, dir, name), "w");

    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_files(void **state)
{
    const char *tmp = getenv("TMPDIR");
    struct arena a = { 0 };
    char *dir = arena_printf(&a, "%s/neph-base-XXXXXX", tmp ? tmp : "/tmp");
    struct dir_entry *list;
    struct fmap map = { 0 };
    struct err err;
    size_t n;

    (void)state;
    assert_non_null(mkdtemp(dir));
    write_file(&a, dir, "b", "hello");
    write_file(&a, dir, "a", "");
    assert_int_equal(mkdir(path_join(&a, dir, "c"), 0700), 0);
    assert_int_equal(symlink("nowhere", path_join(&a, dir, "dangling")), 0);

    assert_int_equal(dir_list(dir, &a, &list, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_string_equal(list[0].name, "a");
    assert_int_equal(list[1].bytes, 5);
    assert_true(list[2].is_dir && path_is_dir(path_join(&a, dir, "c")));
    assert_int_equal(dir_list(path_join(&a, dir, "b"), &a, &list, &n, &err), -E_IO);

    assert_int_equal(fmap_open(path_join(&a, dir, "b"), &map, &err), 0);
    assert_true(map.n == 5 && memcmp(map.p, "hello", 5) == 0);
    fmap_close(&map);
    assert_int_equal(fmap_open(path_join(&a, dir, "a"), &map, &err), 0);
    assert_true(map.p == NULL && map.n == 0);
    fmap_close(&map);
    assert_int_equal(fmap_open(path_join(&a, dir, "x"), &map, &err), -E_IO);
    assert_int_equal(fmap_open(dir, &map, &err), -E_ARG);
    assert_int_equal(fmap_open("/dev/null", &map, &err), -E_ARG);

    assert_string_equal(path_join(&a, "d/", "f"), "d/f");
    assert_string_equal(path_base("a/b/c"), "c");
    assert_string_equal(path_base("c"), "c");
    unlink(path_join(&a, dir, "a"));
    unlink(path_join(&a, dir, "b"));
    unlink(path_join(&a, dir, "dangling"));
    rmdir(path_join(&a, dir, "c"));
    rmdir(dir);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_err),          cmocka_unit_test(test_str_numbers),
        cmocka_unit_test(test_str_find),     cmocka_unit_test(test_str_compare),
        cmocka_unit_test(test_str_uuid),     cmocka_unit_test(test_str_glob),
        cmocka_unit_test(test_sbuf),         cmocka_unit_test(test_strtab),
        cmocka_unit_test(test_map64_model),  cmocka_unit_test(test_map64_edges),
        cmocka_unit_test(test_time_iso),     cmocka_unit_test(test_time_round_trip),
        cmocka_unit_test(test_time_parse),   cmocka_unit_test(test_time_parse_bad),
        cmocka_unit_test(test_time_human),   cmocka_unit_test(test_spans),
        cmocka_unit_test(test_json_strings), cmocka_unit_test(test_json_nesting),
        cmocka_unit_test(test_json_doubles), cmocka_unit_test(test_notes),
        cmocka_unit_test(test_arena),        cmocka_unit_test(test_vec),
        cmocka_unit_test(test_files),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
