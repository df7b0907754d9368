/* SPDX-License-Identifier: Apache-2.0
 *
 * test_keep.c -- what a trace is known by, where its history lies, and what is kept
 * of its notes.  The whole, with processes, is tests/cli/history_cache.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/file.h"
#include "engine/keep_priv.h"
#include "engine/told.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char folder[256];

static const char *below(const char *name)
{
    static char paths[4][512]; /* so that some can be used together */
    static unsigned next;
    char *path = paths[next++ % 4];

    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *text)
{
    FILE *f = fopen(below(name), "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static struct identity content(const char *name)
{
    struct identity id;
    struct err err;

    assert_int_equal(files_content(below(name), &id, &err), 0);
    return id;
}

static struct identity looks(const char *name)
{
    struct files_looks l;
    struct err err;

    assert_int_equal(files_looks(below(name), &l, &err), 0);
    return l.id;
}

static bool same(struct identity a, struct identity b)
{
    return identity_eq(a, b);
}

/* Names, contents and lengths count; places, times and links do not. */
static void test_content(void **state)
{
    struct err err;
    struct identity id;

    (void)state;
    for (int i = 0; i < 3; i++) {
        static const char *const tops[] = { "a", "b", "c" };
        char name[32];

        assert_int_equal(mkdir(below(tops[i]), 0700), 0);
        snprintf(name, sizeof name, "%s/index", tops[i]);
        assert_int_equal(mkdir(below(name), 0700), 0);
        snprintf(name, sizeof name, "%s/x", tops[i]);
        put(name, i == 2 ? "onE" : "one");
        snprintf(name, sizeof name, "%s/index/y", tops[i]);
        put(name, "two");
    }
    assert_true(same(content("a"), content("b")));
    assert_false(same(content("a"), content("c")));
    assert_false(same(looks("a"), looks("b")));
    assert_true(same(looks("a"), looks("a")));
    assert_true(same(content("a/x"), content("b/x"))); /* a file alone has no name */
    assert_false(same(content("a/x"), content("a/index/y")));

    struct identity before = content("b");
    assert_int_equal(symlink(below("a/x"), below("link")), 0);
    assert_true(same(content("link"), content("a/x")));
    assert_int_equal(rename(below("b/index/y"), below("b/y")),
                     0); /* the same bytes in the same order */
    assert_false(same(content("b"), before));
    put("b/y", ""); /* an empty file is one */
    before = content("b");
    assert_int_equal(unlink(below("b/y")), 0);
    assert_false(same(content("b"), before));
    assert_int_equal(mkfifo(below("b/pipe"), 0600), 0); /* read, it would wait for ever */
    content("b");
    assert_int_equal(files_content(below("none"), &id, &err), -E_IO);
}

static void test_identity_text(void **state)
{
    struct identity a = { UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210) }, b;
    char text[IDENTITY_TEXT];

    (void)state;
    assert_string_equal(identity_text(a, text), "0123456789abcdeffedcba9876543210");
    assert_true(identity_parse(str_of(text), &b));
    assert_true(same(a, b));
    assert_false(identity_parse(STR("0123456789abcdeffedcba987654321"), &b));
    assert_false(identity_parse(STR("0123456789abcdeffedcba987654321g"), &b));
    assert_false(identity_parse(STR("0123456789ABCDEFfedcba9876543210"), &b));

    struct identity_sum x = { 0 }, y = { 0 };
    identity_add_text(&x, STR("ab"));
    identity_add_text(&x, STR("c"));
    identity_add_text(&y, STR("a"));
    identity_add_text(&y, STR("bc"));
    assert_false(same(identity_end(&x), identity_end(&y)));
}

static void test_file_names(void **state)
{
    static const struct {
        const char *host, *name;
    } cases[] = { { "web-1", "web-1.neph" },
                  { "web-1.example.org", "web-1.example.org.neph" },
                  { "", "cloud.neph" },
                  { "cloud", "%63loud.neph" },
                  { "../../etc/passwd", "%2e.%2f..%2fetc%2fpasswd.neph" },
                  { ".hidden", "%2ehidden.neph" },
                  { "a b%", "a%20b%25.neph" },
                  { "\xc3\xa4", "%c3%a4.neph" } };
    struct arena mem = { 0 };
    char a[400], b[400];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(place_file_name(cases[i].host, &mem), cases[i].name);
    memset(a, 'x', sizeof a);
    memset(b, 'x', sizeof b);
    a[399] = b[399] = '\0';
    b[398] = 'y';
    assert_true(strlen(place_file_name(a, &mem)) < 255);
    assert_string_not_equal(place_file_name(a, &mem), place_file_name(b, &mem));
    arena_free(&mem);
}

/* Notes come back with the paths that the readers have then. */
static void test_told(void **state)
{
    struct reader first = { .path = "/t/one" }, second = { .path = "/t/one/more" };
    struct reader moved = { .path = "/elsewhere" }, other = { .path = "x" };
    struct host h = { 0 }, there = { 0 };
    struct notes notes = { 0 }, back = { 0 };
    struct reader_totals totals = { 1, 2, 3, 4, 5, 6, 7, 8 }, again = { 0 };
    struct store *s = store_new("h");
    struct err err;

    (void)state;
    *vec_push(&h.readers) = &first;
    *vec_push(&h.readers) = &second;
    *vec_push(&there.readers) = &moved;
    *vec_push(&there.readers) = &other;
    note_add(&notes, NOTE_LOST, "/t/one/chan_0", "packet 3 of /t/one/more/x is bad");
    note_add(&notes, NOTE_WARN, "", "a\ttab, \x1e and \x1f, and '/t/one' again\n");
    note_add(&notes, NOTE_INFO, "host", "not in a word: a/t/one");
    note_add(&notes, NOTE_INFO, "host", "not in a word: a/t/one");
    notes.unlisted = 9;
    told_write(s, &h, &notes, &totals);
    assert_int_equal(store_finish(s, 0, 1, &err), 0);
    told_read(s, &there, &back, &again);
    assert_int_equal(back.list.n, 3);
    assert_string_equal(back.list.at[0].where.p, "/elsewhere/chan_0");
    assert_string_equal(back.list.at[0].text.p, "packet 3 of x/x is bad");
    assert_int_equal(back.list.at[0].level, NOTE_LOST);
    assert_string_equal(back.list.at[1].where.p, "");
    assert_string_equal(back.list.at[1].text.p, "a\ttab, \x1e and \x1f, and '/elsewhere' again\n");
    assert_string_equal(back.list.at[2].text.p, "not in a word: a/t/one");
    assert_int_equal(back.list.at[2].count, 2);
    assert_int_equal(back.unlisted, 9);
    assert_memory_equal(&totals, &again, sizeof totals);
    store_free(s);
    notes_free(&notes);
    notes_free(&back);
    vec_free(&h.readers);
    vec_free(&there.readers);
}

/* Facts of a file that somebody else wrote: nothing is believed. */
static void test_told_by_others(void **state)
{
    static const char *const bad[] = { "",
                                       "2",
                                       "2\t1",
                                       "7\t1\ta\tb",
                                       "-1\t1\ta\tb",
                                       "x\t1\ta\tb",
                                       "2\ty\ta\tb",
                                       "2\t1\t\03799\037\t\037",
                                       "2\t1\t\x1e",
                                       "2\t1\t\x1fx\x1f\t\x1f\x1f" };
    struct reader r = { .path = "/p" };
    struct host h = { 0 };
    struct notes back = { 0 };
    struct store *s = store_new("h");
    struct reader_totals totals;
    struct err err;
    char key[32];

    (void)state;
    *vec_push(&h.readers) = &r;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        snprintf(key, sizeof key, "note.%zu", i);
        store_set_fact(s, key, str_of(bad[i]));
    }
    store_set_fact(s, "notes", STR("18446744073709551615"));
    store_set_fact(s, "totals.events", STR("many"));
    assert_int_equal(store_finish(s, 0, 1, &err), 0);
    told_read(s, &h, &back, &totals);
    assert_int_equal(totals.events, 0);
    for (size_t i = 0; i < back.list.n; i++)
        assert_null(strstr(back.list.at[i].where.p, "99"));
    store_free(s);
    notes_free(&back);
    vec_free(&h.readers);
}

static void make_history(const char *name)
{
    struct store *s;
    struct err err;

    assert_int_equal(store_create(below(name), "h", NULL, &s, &err), 0);
    store_set_fact(s, "key", STR("k"));
    assert_int_equal(store_finish(s, 0, 1, &err), 0);
    store_free(s);
}

/* What was used longest ago goes first, what is not ours stays. */
static void test_trim_and_clear(void **state)
{
    static const char *const keys[] = { "kept/0123456789abcdef", "kept/0123456789abcde0",
                                        "kept/fedcba9876543210" };
    struct arena mem = { 0 };
    struct keep_file *f;
    uint64_t bytes, files;
    struct err err;
    size_t n;

    (void)state;
    assert_int_equal(keep_list(below("kept"), &mem, &f, &n, &err), 0);
    assert_int_equal(n, 0); /* a folder that is not there */
    assert_int_equal(mkdir(below("kept"), 0700), 0);
    assert_int_equal(mkdir(below("kept/stat"), 0700), 0);
    assert_int_equal(mkdir(below("kept/other"), 0700), 0);
    put("kept/other/mine.neph", "not ours");
    put("kept/stat/0123456789abcdef0123456789abcdef", "x");
    put("kept/stat/mine", "x");
    for (int i = 0; i < 3; i++) {
        struct timespec t[2] = { { .tv_sec = 1000 - i }, { .tv_sec = 1000 - i } };
        char name[64];

        assert_int_equal(mkdir(below(keys[i]), 0700), 0);
        snprintf(name, sizeof name, "%s/h.neph", keys[i]);
        make_history(name);
        assert_int_equal(utimensat(AT_FDCWD, below(name), t, 0), 0);
        assert_int_equal(utimensat(AT_FDCWD, below(keys[i]), t, 0), 0);
    }
    assert_int_equal(keep_list(below("kept"), &mem, &f, &n, &err), 0);
    assert_int_equal(n, 3);
    uint64_t one = f[0].bytes;
    assert_int_equal(place_trim(below("kept"), 2 * one, NS_MAX, &bytes), 1);
    assert_int_equal(bytes, one);
    assert_int_equal(access(below(keys[2]), F_OK), -1); /* with its folder */
    assert_int_equal(place_trim(below("kept"), 0, 1000 * NS_PER_S, &bytes), 1); /* used since */
    assert_int_equal(access(below(keys[0]), F_OK), 0);

    make_history("kept/h.neph");
    make_history("kept/renamed.neph");
    put("kept/foreign.neph", "something else");
    assert_int_equal(keep_clear(below("kept"), &files, &bytes, &err), 0);
    assert_int_equal(files, 2);
    assert_int_equal(access(below("kept/h.neph"), F_OK), -1);
    assert_int_equal(access(below("kept/renamed.neph"), F_OK), 0);
    assert_int_equal(access(below("kept/foreign.neph"), F_OK), 0);
    assert_int_equal(access(below("kept/other/mine.neph"), F_OK), 0);
    assert_int_equal(access(below("kept/stat/mine"), F_OK), 0);
    assert_int_equal(access(below("kept/stat/0123456789abcdef0123456789abcdef"), F_OK), -1);
    arena_free(&mem);
}

/* The environment names the folder; a relative XDG_CACHE_HOME does not count. */
static void test_folders(void **state)
{
    struct arena mem = { 0 };
    const char *why = NULL;

    (void)state;
    setenv("HOME", "/h", 1);
    setenv("XDG_CACHE_HOME", "relative", 1);
    setenv("NEPH_CACHE", "", 1);
    assert_string_equal(keep_cache_folder(&mem, &why), "/h/.cache/nephoscope");
    setenv("XDG_CACHE_HOME", "/x", 1);
    assert_string_equal(keep_cache_folder(&mem, &why), "/x/nephoscope");
    setenv("NEPH_CACHE", "/own", 1);
    assert_string_equal(keep_cache_folder(&mem, &why), "/own");
    unsetenv("HOME");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("NEPH_CACHE");
    assert_null(keep_cache_folder(&mem, &why));
    assert_non_null(why);
    assert_null(keep_cannot_write(below("new/and/deeper"), &mem));
    put("file", "");
    assert_non_null(keep_cannot_write(below("file"), &mem));
    assert_non_null(keep_cannot_write(below("file/below"), &mem));
    arena_free(&mem);
}

static int make_folder(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(folder, sizeof folder, "%s/keep-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(folder) ? 0 : -1;
}

static void remove_all(const char *path)
{
    struct arena mem = { 0 };
    struct dir_entry *e;
    struct err err;
    size_t n;

    if (unlink(path) < 0 && dir_list(path, &mem, &e, &n, &err) == 0) {
        for (size_t i = 0; i < n; i++)
            remove_all(path_join(&mem, path, e[i].name));
        rmdir(path);
    }
    arena_free(&mem);
}

static int remove_folder(void **state)
{
    (void)state;
    remove_all(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_content),        cmocka_unit_test(test_identity_text),
        cmocka_unit_test(test_file_names),     cmocka_unit_test(test_told),
        cmocka_unit_test(test_told_by_others), cmocka_unit_test(test_trim_and_clear),
        cmocka_unit_test(test_folders),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
