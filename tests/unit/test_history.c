/* SPDX-License-Identifier: Apache-2.0
 *
 * test_history.c -- histories against plain arrays: random work of many kinds, told to
 * a file and to memory, with commits in between, and every question asked of
 * the writer's store, and of the file opened again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/naive_files.h"

#include <pthread.h>

/* clang-format off */
static const struct profile profiles[] = {
    /*                attrs   steps  from                bits burst late commits skew */
    { "few",              4,     60, 0,                   4,   4,   4,    0, 2 },
    { "crowded",          4,   3000, 0,                   1,  14,   4,    0, 1 },
    { "sparse",           8,   2000, -1000000000,        36,   2,   0,    0, 1 },
    { "bursts",          12,  20000, 1600000000 * NS_PER_S, 32, 15,  1,  500, 1 },
    { "one busy",         8,  50000, -5000,               8,   8,   2, 5000, 3 },
    { "late",             6,   5000, 0,                  12,   4,  40,    0, 1 },
    { "commits",         16,   3000, 0,                  20,   4,   4,    7, 1 },
    { "all of time",      8,  20000, NS_MIN / 4,         46,   4,   2, 3000, 2 },
    { "much and slow",    4,  30000, NS_MIN / 4,         44,   0,   0,    0, 3 },
    { "many attributes", 3000, 20000, 77,                16,   6,   2, 4000, 0 },
};
/* clang-format on */

static void check_profile(const struct profile *p, uint64_t seed, int times)
{
    const char *path = naive_file("history");
    struct script script;
    struct naive naive;
    struct err err = { 0 };
    struct store *s;

    script_make(&script, p, seed);
    naive_make(&naive, &script);

    snprintf(naive_where, sizeof naive_where, "'%s', seed %d, in memory", p->name, (int)seed);
    s = store_new("host");
    script_tell(s, &script);
    check_all(&naive, s, times);
    store_free(s);

    snprintf(naive_where, sizeof naive_where, "'%s', seed %d, writing", p->name, (int)seed);
    works(store_create(path, "host", NULL, &s, &err), &err);
    script_tell(s, &script);
    check_all(&naive, s, times);
    store_free(s);

    snprintf(naive_where, sizeof naive_where, "'%s', seed %d, reading", p->name, (int)seed);
    works(store_open(path, &s, &err), &err);
    must_equal(strcmp(store_host(s), "host"), 0);
    check_all(&naive, s, times);
    must_equal(store_refresh(s, &err), 0);
    store_free(s);
    must_equal(naive_verify(path), 0);

    naive_free(&naive);
    script_free(&script);
}

static void test_profiles(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        int big = profiles[i].nops >= 10000;

        for (uint64_t seed = 1; seed <= (big ? 1 : 8); seed++)
            check_profile(&profiles[i], seed, big ? 60 : 40);
    }
}

/* Small ones are where the edge cases are. */
static void test_small(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed < 250; seed++) {
        struct profile p = { "small", 1 + (uint32_t)seed % 5, (uint32_t)(seed % 37), 0, 0, 0, 0, 0,
                             0 };

        rng = seed;
        p.t0 = any(2) ? 0 : -(ns_t)any(1000000);
        p.bits = 1 + any(20);
        p.burst = any(17);
        p.late = any(30);
        p.commits = any(2) ? 0 : 1 + any(10);
        check_profile(&p, seed, 12);
    }
}

/* --- summaries ------------------------------------------------------------------ */

/* Enough changes that pixels are made of buckets. */
static const struct profile deep[] = {
    { "deep", 4, 900000, -3000000, 4, 4, 1, 200000, 0 },
    { "deep and uneven", 2, 1200000, -3000000, 12, 15, 1, 150000, 0 },
};

/* A writer that ends after each commit; another goes on. */
static void write_in_turns(const char *path, const struct script *script)
{
    struct err err = { 0 };
    struct store *s;

    works(store_create(path, "host", NULL, &s, &err), &err);
    naive_declare(s, script->nattrs);
    for (size_t i = 0; i < script->ops.n; i++) {
        works(script_tell_op(s, &script->ops.at[i], &err), &err);
        if (script->ops.at[i].kind == OP_COMMIT) {
            store_free(s);
            works(store_resume(path, NULL, &s, &err), &err);
        }
    }
    works(store_finish(s, script->t0, script->t1, &err), &err);
    store_free(s);
}

static void check_deep(const char *path, const struct naive *naive, int times)
{
    struct err err = { 0 };
    struct store_file file;
    struct store *s;

    works(store_open(path, &s, &err), &err);
    store_file(s, &file);
    must(file.kinds[2].blocks > 0 && !strcmp(file.kinds[2].name, "summaries"));
    check_strip(naive, s, times * 2);
    check_series(naive, s, times * 3);
    check_totals(naive, s, times / 2);
    check_longest(naive, s, 2);
    check_sample(naive, s, times);
    check_at(naive, s, times * 20);
    store_free(s);
}

static void test_summaries(void **state)
{
    const char *path = naive_file("deep");

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(deep); i++) {
        struct script script;
        struct naive naive;

        script_make(&script, &deep[i], i);
        naive_make(&naive, &script);
        snprintf(naive_where, sizeof naive_where, "'%s'", deep[i].name);
        script_write(path, &script);
        check_deep(path, &naive, 20);
        snprintf(naive_where, sizeof naive_where, "'%s', in turns", deep[i].name);
        write_in_turns(path, &script);
        check_deep(path, &naive, 20);
        naive_free(&naive);
        script_free(&script);
    }
}

/* --- a small cache, and threads -------------------------------------------------- */

static const struct profile large = { "large", 8, 500000, -99, 10, 4, 0, 100000, 0 };

struct asker {
    pthread_t thread;
    const struct naive *naive;
    const struct store *s;
    uint64_t seed;
};

static void *ask_in_thread(void *ctx)
{
    struct asker *a = ctx;

    naive_thread = a->seed > 0;
    rng = a->seed;
    for (int i = 0; i < 24; i++) {
        check_at(a->naive, a->s, 2000);
        check_at_all(a->naive, a->s, 40);
        check_sample(a->naive, a->s, 60);
        check_strip(a->naive, a->s, 3);
    }
    return NULL;
}

/* The cache holds less than what is asked for: blocks come and go while others look at
 * them.  Answers are the same. */
static void test_small_cache(void **state)
{
    const char *path = naive_file("large");
    struct asker askers[4];
    struct script script;
    struct naive naive;
    struct err err = { 0 };
    struct store_file file;
    struct store *s;
    uint64_t bytes = 0;

    (void)state;
    store_set_cache(0);
    script_make(&script, &large, 11);
    naive_make(&naive, &script);
    script_write(path, &script);
    works(store_open(path, &s, &err), &err);
    store_file(s, &file);
    for (int i = 0; i < STORE_KINDS; i++)
        bytes += file.kinds[i].raw_bytes;
    must(bytes > 2 << 20);
    snprintf(naive_where, sizeof naive_where, "a small cache");
    check_all(&naive, s, 40);
    snprintf(naive_where, sizeof naive_where, "threads");
    for (size_t i = 0; i < ARRAY_SIZE(askers); i++) {
        askers[i] = (struct asker){ .naive = &naive, .s = s, .seed = i + 1 };
        must(pthread_create(&askers[i].thread, NULL, ask_in_thread, &askers[i]) == 0);
    }
    for (size_t i = 0; i < ARRAY_SIZE(askers); i++)
        must(pthread_join(askers[i].thread, NULL) == 0);
    store_free(s);
    store_set_cache((size_t)48 << 20);
    naive_free(&naive);
    script_free(&script);
}

/* --- many ---------------------------------------------------------------------- */

static void test_many_attributes(void **state)
{
    enum { MANY = 20000 };
    const char *path = naive_file("many");
    struct err err = { 0 };
    struct store *s;
    struct interval v;
    char name[64];

    (void)state;
    snprintf(naive_where, sizeof naive_where, "many attributes");
    works(store_create(path, "host", NULL, &s, &err), &err);
    for (uint32_t i = 0; i < MANY; i++) {
        must_equal(store_attr(s, naive_family(i), naive_path(i, name)), i);
        store_set(s, i, i, 1);
        if (i % 3000 == 0)
            works(store_commit(s, i, &err), &err);
    }
    for (uint32_t i = 0; i < MANY; i += 2)
        store_set(s, i, MANY + i, 2);
    works(store_finish(s, 0, 3 * MANY, &err), &err);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    must_equal(store_attr_count(s), MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        attr_t a;

        must(str_eq(store_attr_path(s, i), naive_path(i, name)));
        must(store_attr_find(s, naive_path(i, name), &a));
        must_equal(a, i);
        must_equal(store_at(s, i, 2 * MANY - 1, &v), true);
        must_equal(v.value, i % 2 ? 1 : 2);
        must_equal(v.t0, i % 2 ? i : MANY + i);
        must_equal(store_at(s, i, i, &v), true);
        must_equal(v.value, 1);
        must_equal(v.t1, i % 2 ? 3 * MANY : MANY + (int)i);
        must_equal(v.open, i % 2);
    }
    store_free(s);
}

/* --- texts, facts, families ---------------------------------------------------- */

static const struct str odd_texts[] = {
    { "", 0 },
    { "a", 1 },
    { "\0", 1 },
    { "\0\0", 2 },
    { "a\0b", 3 },
    { "\xff\xfe\n\r\"\\", 6 },
    { "gr\xc3\xbc\xc3\x9f", 7 },
};

enum { LONG_TEXT = 200000, NUMBERS = 5000 };

static char *long_text(uint32_t which)
{
    char *p = xmalloc(LONG_TEXT);

    rng = which;
    for (size_t i = 0; i < LONG_TEXT; i++)
        p[i] = (char)(which % 2 ? any64() & 0xff : 'a' + any(3));
    return p;
}

static void check_texts(const struct store *s, const cell_t *ids, const cell_t *long_ids)
{
    for (size_t i = 0; i < ARRAY_SIZE(odd_texts); i++)
        must(str_eq(store_text(s, ids[i]), odd_texts[i]));
    for (uint32_t i = 0; i < 6; i++) {
        char *p = long_text(i);

        must(str_eq(store_text(s, long_ids[i]), (struct str){ p, LONG_TEXT - i }));
        free(p);
    }
    must_equal(store_text(s, STORE_NULL).n, 0);
    must_equal(store_text(s, 0).n, 0);
    must_equal(store_text(s, 1 << 30).n, 0);
    must_equal(store_text(s, -1).n, 0);
    must_equal(store_text(s, INT64_MAX).n, 0);
}

static void test_texts(void **state)
{
    const char *path = naive_file("texts");
    cell_t ids[ARRAY_SIZE(odd_texts)], long_ids[6];
    struct err err = { 0 };
    struct store *s;
    char name[64];

    (void)state;
    snprintf(naive_where, sizeof naive_where, "texts");
    works(store_create(path, "host", NULL, &s, &err), &err);
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < ARRAY_SIZE(odd_texts); i++) {
            cell_t id = store_intern(s, odd_texts[i]);

            must(round == 0 || id == ids[i]);
            ids[i] = id;
        }
        for (uint32_t i = 0; i < 6; i++) {
            char *p = long_text(i);
            cell_t id = store_intern(s, (struct str){ p, LONG_TEXT - i });

            must(round == 0 || id == long_ids[i]);
            long_ids[i] = id;
            free(p);
        }
        works(store_commit(s, round, &err), &err);
    }
    must_equal(ids[0], 0);
    for (uint32_t i = 0; i < NUMBERS; i++)
        must(store_intern(s, naive_text(i, name)) > 0);
    works(store_finish(s, 0, 10, &err), &err);
    check_texts(s, ids, long_ids);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    check_texts(s, ids, long_ids);
    store_free(s);
    must_equal(naive_verify(path), 0);
}

static void test_facts(void **state)
{
    const char *path = naive_file("facts");
    char *p = long_text(2), *bytes = long_text(3);
    struct err err = { 0 };
    struct store *s;

    (void)state;
    snprintf(naive_where, sizeof naive_where, "facts");
    works(store_create(path, "h\xc3\xb6st", NULL, &s, &err), &err);
    store_set_fact(s, "kernel", STR("6.1"));
    store_set_fact(s, "gone", STR("soon"));
    works(store_commit(s, 1, &err), &err);
    store_set_fact(s, "kernel", STR("6.2"));
    store_set_fact(s, "gone", STR(""));
    store_set_fact(s, "long", (struct str){ p, 3000 });
    store_set_fact(s, "bytes", (struct str){ bytes, 500 });
    works(store_finish(s, 0, 1, &err), &err);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    must(!strcmp(store_host(s), "h\xc3\xb6st"));
    must(str_is(store_fact(s, "kernel"), "6.2"));
    must_equal(store_fact(s, "gone").n, 0);
    must_equal(store_fact(s, "never").n, 0);
    must(str_eq(store_fact(s, "long"), (struct str){ p, 3000 }));
    must(str_eq(store_fact(s, "bytes"), (struct str){ bytes, 500 }));
    store_free(s);
    free(p);
    free(bytes);
}

static void test_families(void **state)
{
    const char *path = naive_file("families");
    struct err err = { 0 };
    struct store *s;
    char name[64];

    (void)state;
    snprintf(naive_where, sizeof naive_where, "families");
    works(store_create(path, "host", NULL, &s, &err), &err);
    for (uint32_t i = 0; i < 20; i++) {
        store_attr(s, naive_family(i), naive_path(i, name));
        works(store_commit(s, i, &err), &err);
    }
    works(store_finish(s, 0, 100, &err), &err);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    for (uint32_t i = 0; i < 20; i++) {
        const struct store_family *f = store_attr_family(s, i), *want = naive_family(i);

        must(!strcmp(f->pattern, want->pattern) && !strcmp(f->title, want->title));
        must(!strcmp(f->unit, want->unit));
        must_equal(f->type, want->type);
        must_equal(f->nvalues, want->nvalues);
        for (uint32_t k = 0; k < f->nvalues; k++) {
            must(!strcmp(f->values[k].label, want->values[k].label));
            must(!strcmp(f->values[k].colour, want->values[k].colour));
            must_equal(f->values[k].bad, want->values[k].bad);
        }
    }
    store_free(s);
}

/* More texts in a pixel than are counted. */
static void test_many_texts_in_a_pixel(void **state)
{
    const char *path = naive_file("pixel");
    struct store_pixel px[4];
    struct err err = { 0 };
    struct store *s;
    char name[64];
    ns_t t = 0;

    (void)state;
    snprintf(naive_where, sizeof naive_where, "many texts in a pixel");
    works(store_create(path, "host", NULL, &s, &err), &err);
    attr_t a = store_attr(s, &naive_families[2], STR("things/x/name"));
    for (uint32_t i = 0; i < 40000; i++, t += 10)
        store_set(s, a, t, store_intern(s, naive_text(i % 300 ? i % 300 : 7, name)));
    cell_t most = store_intern(s, STR("most"));
    store_set(s, a, t, most);
    works(store_finish(s, 0, t * 3, &err), &err);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    store_strip(s, a, (struct span){ 0, t * 3 }, px, 1);
    must_equal(px[0].changes, 40001);
    must(px[0].value == most ? px[0].ns == t * 2 : px[0].inexact);
    store_strip(s, a, (struct span){ 0, t }, px, 4);
    for (int i = 0; i < 4; i++)
        must(px[i].value > 0 && (px[i].inexact || px[i].ns > 0));
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small),
        cmocka_unit_test(test_profiles),
        cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_small_cache),
        cmocka_unit_test(test_many_attributes),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_families),
        cmocka_unit_test(test_many_texts_in_a_pixel),
    };

    return cmocka_run_group_tests(tests, naive_setup, naive_teardown);
}
