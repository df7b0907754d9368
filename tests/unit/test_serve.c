/* SPDX-License-Identifier: Apache-2.0
 *
 * test_serve.c -- requests taken apart, who may ask, and tracks drawn in pixels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/guard.h"
#include "serve/rows.h"

#include <stdio.h>
#include <stdlib.h>

static void test_percent(void **state)
{
    static const struct {
        const char *in, *out; /* NULL: malformed */
        bool plus;
    } cases[] = {
        { "", "", false },
        { "abc", "abc", false },
        { "%41%6a", "Aj", false },
        { "a+b", "a+b", false },
        { "a+b", "a b", true },
        { "%2F", "/", false },
        { "%", NULL, false },
        { "%4", NULL, false },
        { "%4g", NULL, false },
        { "%00", NULL, false },
        { "x%", NULL, false },
        { "%25%34%31", "%41", false },
        { "%c3%a4", "\xc3\xa4", false },
    };
    struct arena mem = { 0 };
    struct str got;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool ok = percent_decode(str_of(cases[i].in), cases[i].plus, &mem, &got);

        assert_int_equal(ok, cases[i].out != NULL);
        if (ok)
            assert_true(str_is(got, cases[i].out));
    }
    arena_free(&mem);
}

static void test_routes(void **state)
{
    static const struct {
        const char *target, *pattern, *hole; /* hole: the last; NULL: it does not fit */
    } cases[] = {
        { "/a/b", "/a/b", "" },
        { "/a/b/", "/a/b", "" },
        { "/a", "/a/b", NULL },
        { "/a/b/c", "/a/b", NULL },
        { "/a/x", "/a/{id}", "x" },
        { "/a/x%2Fy", "/a/{id}", "x/y" },
        { "/a/x/y", "/a/{id}", NULL },
        { "/a/x/y", "/a/{id...}", "x/y" },
        { "/a/x%2Fy/z", "/a/{id...}", "x/y/z" },
        { "/a//", "/a/{id}", NULL },
        { "/a/", "/a/{id}", NULL },
        { "http://h:1/a/x?q=1", "/a/{id}", "x" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arena mem = { 0 };
        struct request q;
        struct err err;

        assert_int_equal(request_parse(&q, METHOD_GET, str_of(cases[i].target), &mem, &err), 0);
        bool fits = request_fits(&q, cases[i].pattern);
        assert_int_equal(fits, cases[i].hole != NULL);
        if (fits && *cases[i].hole)
            assert_true(str_is(q.holes[0], cases[i].hole));
        request_free(&q);
        arena_free(&mem);
    }
}

static void test_guard(void **state)
{
    static const char *const names[] = { "neph.example" };
    static const char *const origins[] = { "http://viewer.example" };
    static const struct serve_opts own = {
        .names = names, .nnames = 1, .origins = origins, .norigins = 1
    };
    static const struct serve_opts far = { .token = "0123456789abcdef" };
    static const struct {
        const struct serve_opts *o;
        struct guard_asks a;
        int status;
    } cases[] = {
        { &own, { .host = "127.0.0.1:8080", .reads = true }, 0 },
        { &own, { .host = "127.9.9.9", .reads = true }, 0 },
        { &own, { .host = "LOCALHOST:1", .reads = true }, 0 },
        { &own, { .host = "[::1]:8080", .reads = true }, 0 },
        { &own, { .host = "neph.example", .reads = true }, 0 },
        { &own, { .host = "128.0.0.1", .reads = true }, 403 },
        { &own, { .host = "evil.example:8080", .reads = true }, 403 },
        { &own, { .host = "", .reads = true }, 403 },
        { &own, { .host = NULL, .reads = true }, 403 },
        { &own, { .host = "localhost", .origin = "http://localhost" }, 0 },
        { &own, { .host = "localhost", .origin = "https://localhost" }, 0 },
        { &own, { .host = "localhost", .origin = "http://viewer.example" }, 0 },
        { &own, { .host = "localhost", .origin = "http://viewer.example.evil" }, 403 },
        { &own, { .host = "localhost", .origin = "null" }, 403 },
        { &own, { .host = "localhost", .fetch_site = "cross-site", .reads = true }, 403 },
        { &far, { .host = "any.example", .reads = true }, 401 },
        { &far, { .host = "any.example", .preflight = true }, 0 },
        { &far, { .host = "any.example", .authorization = "bearer 0123456789abcdef" }, 0 },
        { &far, { .host = "any.example", .authorization = "Bearer 0123456789abcdeF" }, 401 },
        { &far, { .host = "any.example", .authorization = "0123456789abcdef" }, 401 },
        { &far, { .host = "any.example", .cookie = "x=1;  neph_token=0123456789abcdef" }, 0 },
        { &far, { .host = "any.example", .cookie = "xneph_token=0123456789abcdef" }, 401 },
        { &far, { .host = "any.example", .token = "0123456789abcdef", .reads = true }, 0 },
        { &far, { .host = "any.example", .token = "0123456789abcdef" }, 401 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(guard_judge(cases[i].o, &cases[i].a).status, cases[i].status);
}

/* What a track has at each ns, by looking. */
static void check_track(const struct row *row, struct span win, size_t npx)
{
    struct runs runs = { 0 };

    row_runs(NULL, row, win, npx, &runs);
    for (size_t i = 0; i < npx; i++) {
        ns_t t0 = win.t0 + (win.t1 - win.t0) * (ns_t)i / (ns_t)npx;
        ns_t t1 = win.t0 + (win.t1 - win.t0) * (ns_t)(i + 1) / (ns_t)npx;
        ns_t in[3] = { 0 };
        const struct run *run = NULL;

        for (size_t k = 0; k < runs.at.n; k++)
            if (runs.at.at[k].from <= i && i < runs.at.at[k].to)
                run = &runs.at.at[k];
        for (ns_t t = t0; t < t1; t++)
            for (size_t k = 0; k < row->track->items.n; k++) {
                const struct item *it = &row->track->items.at[k];

                if (it->t0 <= t && t < it->t1)
                    in[it->value]++;
            }
        bool any = in[0] + in[1] + in[2] > 0;
        assert_int_equal(run != NULL, any);
        if (!run)
            continue;
        assert_true(in[run->value] > 0);
        assert_int_equal(!!(run->flags & RUN_BAD) || run->value == 2, in[2] > 0);
    }
    runs_free(&runs);
}

static void test_tracks(void **state)
{
    static const struct store_value values[] = { { "a", "", false },
                                                 { "b", "", false },
                                                 { "c", "", true } };
    uint64_t seed = 1;

    (void)state;
    for (int round = 0; round < 200; round++) {
        struct track track = { 0 };
        struct row row = { .track = &track, .values = values, .nvalues = 3 };
        ns_t t = 1000;

        for (int i = 0; i < round % 40; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            t += (ns_t)(seed >> 33) % 7;
            ns_t end = t + 1 + (ns_t)(seed >> 40) % 9;
            *vec_push(&track.items) =
                (struct item){ .t0 = t, .t1 = end, .value = (int64_t)(seed >> 50) % 3 };
            t = end;
        }
        check_track(&row, (struct span){ 990, 1200 }, 210);
        check_track(&row, (struct span){ 990, 1200 }, 21);
        check_track(&row, (struct span){ 1010, 1050 }, 3);
        check_track(&row, (struct span){ 0, 100 }, 10);
        vec_free(&track.items);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_percent),
        cmocka_unit_test(test_routes),
        cmocka_unit_test(test_guard),
        cmocka_unit_test(test_tracks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
