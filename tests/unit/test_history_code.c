/* SPDX-License-Identifier: Apache-2.0
 *
 * test_history_code.c -- what is written in a block is read again: columns of numbers and
 * ascending steps of every width, all at once and one by one; and bytes that make
 * no sense stay within themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/code_priv.h"
#include "tests/unit/naive_history.h"

enum { MOST = 256 };

static struct out out;

static void begin(size_t n)
{
    out.n = 0;
    if (out.cap < n + BLOCK_SLACK) {
        out.cap = n + BLOCK_SLACK;
        out.at = xrealloc(out.at, out.cap);
    }
    memset(out.at, 0xa5, out.cap);
}

/* A block begins with 8 bytes of its own, and there are zeros behind it. */
enum { BEFORE = 8 };

/* What was written, in memory of just that size. */
static uint8_t *copy(size_t n)
{
    uint8_t *p = xcalloc(1, BEFORE + n + BLOCK_SLACK);

    memcpy(p + BEFORE, out.at, n);
    return p;
}

static struct in in_of(const uint8_t *p, size_t n)
{
    return (struct in){ p + BEFORE, p + BEFORE + n, false };
}

static void check_column(const cell_t *v, size_t n)
{
    cell_t all[MOST + STEPS_SLACK];
    struct column c;

    begin(code_room(n));
    put_column(&out, v, n);
    must(out.n <= code_room(n));
    uint8_t *p = copy(out.n);
    struct in in = in_of(p, out.n);
    must(get_column(&in, n, &c));
    must(!in.bad && in.p == in.end);
    for (size_t i = 0; i < n; i++)
        must_equal(column_at(&c, (uint32_t)i), v[i]);
    column_all(&c, all);
    for (size_t i = 0; i < n; i++)
        must_equal(all[i], v[i]);
    free(p);
    for (size_t cut = 0; cut < out.n; cut += 1 + cut / 16) { /* cut off: within what is there */
        p = copy(cut);
        in = in_of(p, cut);
        if (get_column(&in, n, &c))
            column_all(&c, all);
        free(p);
    }
}

static void test_columns(void **state)
{
    cell_t v[MOST];

    (void)state;
    for (unsigned width = 0; width <= 64; width++)
        for (unsigned kind = 0; kind < 40; kind++) {
            size_t n = kind % 8 == 0 ? 1 : 1 + any(MOST);
            cell_t base = kind % 3 == 0 ? 0 : kind % 3 == 1 ? (cell_t)any64() : INT64_MIN + 1;
            unsigned shift = kind % 5 == 0 ? any(64) : 0;

            rng = width * 1000 + kind;
            snprintf(naive_where, sizeof naive_where, "column of width %u, kind %u", width, kind);
            for (size_t i = 0; i < n; i++) {
                uint64_t more = width ? any64() >> (64 - width) << shift : 0;

                if (kind >= 30) /* few different ones */
                    more = (more % 5) * (UINT64_MAX / 7);
                v[i] = (cell_t)((uint64_t)base + more);
                if (kind % 4 == 0 && any(3) == 0)
                    v[i] = STORE_NULL;
            }
            check_column(v, n);
        }
    for (size_t i = 0; i < MOST; i++) /* the least and the greatest */
        v[i] = i % 3 == 0 ? STORE_NULL : i % 3 == 1 ? INT64_MAX : INT64_MIN + 1;
    check_column(v, MOST);
    check_column(v, 1);
    check_column(v + 1, 1);
}

static void check_steps(const uint64_t *x, size_t n, ns_t base)
{
    ns_t all[MOST + STEPS_SLACK];
    struct steps s;

    begin(code_room(n));
    put_steps(&out, x, n);
    must(out.n <= code_room(n));
    uint8_t *p = copy(out.n);
    struct in in = in_of(p, out.n);
    must(get_steps(&in, n, x[n - 1], &s));
    must(!in.bad && in.p == in.end);
    must(steps_all(&s, base, all));
    for (size_t i = 0; i < n; i++)
        must_equal(all[i], (uint64_t)base + x[i]);
    for (size_t i = 0; i < 3 * n; i++) {
        uint64_t lo = 7, hi = 7, at = x[i % n], d = i < n ? at - 1 : i < 2 * n ? at : at / 2;
        size_t want = 0;

        if (d >= x[n - 1])
            continue;
        while (x[want] <= d)
            want++;
        must_equal(steps_find(&s, d, &lo, &hi), want);
        must_equal(lo, want ? x[want - 1] : 0);
        must_equal(hi, x[want]);
    }
    free(p);
    for (size_t cut = 0; cut < out.n; cut += 1 + cut / 16) {
        p = copy(cut);
        in = in_of(p, cut);
        if (get_steps(&in, n, x[n - 1], &s))
            steps_all(&s, base, all);
        free(p);
    }
}

static void test_steps(void **state)
{
    uint64_t x[MOST];

    (void)state;
    for (unsigned bits = 0; bits <= 55; bits++)
        for (unsigned kind = 0; kind < 40; kind++) {
            size_t n = kind % 8 == 0 ? 1 : kind % 8 == 1 ? MOST : 1 + any(MOST);
            uint64_t at = 0;

            rng = bits * 1000 + kind;
            snprintf(naive_where, sizeof naive_where, "steps of %u bits, kind %u", bits, kind);
            for (size_t i = 0; i < n; i++) {
                uint64_t step = bits ? any64() >> (64 - bits) : 0;

                x[i] = at += 1 + (kind % 3 == 0   ? step
                                  : kind % 3 == 1 ? (uint64_t)any_ns(bits)
                                  : any(8)        ? any(3)
                                                  : step);
            }
            check_steps(x, n, kind % 2 ? -(ns_t)any64() / 4 : 0);
        }
    x[0] = (uint64_t)INT64_MAX; /* all of time */
    check_steps(x, 1, 0);
    x[0] = 1;
    x[1] = UINT64_MAX - 1;
    check_steps(x, 2, INT64_MIN + 1);
}

/* Bytes of chance. */
static void test_nonsense(void **state)
{
    cell_t all[MOST + STEPS_SLACK];
    uint8_t bytes[600];

    (void)state;
    rng = 1;
    for (int i = 0; i < 60000; i++) {
        size_t n = 1 + any(MOST), size = any(i % 2 ? 40 : sizeof bytes);
        uint8_t *p = xcalloc(1, BEFORE + size + BLOCK_SLACK);
        struct in in = in_of(p, size);
        struct column c;
        struct steps s;
        uint64_t lo, hi, span = 1 + (any64() >> any(64)) / 2;

        for (size_t k = 0; k < size; k++)
            p[BEFORE + k] = (uint8_t)(any(3) ? any64() : k < 4 ? any(9) : 0xff);
        snprintf(naive_where, sizeof naive_where, "nonsense %d", i);
        if (get_column(&in, n, &c)) {
            column_all(&c, all);
            for (size_t k = 0; k < n; k++)
                must_equal(all[k], column_at(&c, (uint32_t)k));
        }
        must(in.p <= in.end);
        in = in_of(p, size);
        if (get_steps(&in, n, span, &s)) {
            if (steps_all(&s, 0, all))
                for (size_t k = 0; k < n; k++)
                    must(all[k] > (k ? all[k - 1] : 0) && (uint64_t)all[k] <= span);
            uint64_t d = any64() % span;
            uint32_t at = steps_find(&s, d, &lo, &hi);
            must(at == UINT32_MAX || (at < n && lo <= d && d < hi));
        }
        must(in.p <= in.end);
        free(p);
    }
    free(out.at);
    out = (struct out){ 0 };
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
