/* SPDX-License-Identifier: Apache-2.0
 *
 * test_history_crash.c -- histories that grow while they are read, and whose writers die.
 *
 * A writer in another process tells a script that is made from a seed here too, so
 * that every reader knows what is right.  Before each commit it sets a fact: how
 * much of the script it holds.  Killed at any moment, what it has committed must be
 * there, and another must be able to go on. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/naive_files.h"

#include <sched.h>
#include <sys/resource.h>

static const struct profile growing = { "growing", 16, 12000, 1000, 14, 6, 0, 60, 1 };

/* --- writers ------------------------------------------------------------------- */

/* Tells the script from 'from' on; ends by SIGKILL before step 'until', or finishes. */
static void write_part(struct store *s, const struct script *script, size_t from, size_t until,
                       bool slowly)
{
    struct err err = { 0 };
    char number[32];

    naive_declare(s, script->nattrs);
    for (size_t i = from; i < script->ops.n; i++) {
        const struct op *op = &script->ops.at[i];

        if (i == until)
            kill(getpid(), SIGKILL);
        if (op->kind == OP_COMMIT) {
            snprintf(number, sizeof number, "%zu", i + 1);
            store_set_fact(s, "steps", str_of(number));
        }
        works(script_tell_op(s, op, &err), &err);
        if (op->kind == OP_COMMIT && slowly)
            usleep(100);
    }
    works(store_finish(s, script->t0, script->t1, &err), &err);
}

static size_t steps_in(const struct store *s)
{
    uint64_t n = 0;

    str_u64(store_fact(s, "steps"), &n);
    return (size_t)n;
}

/* A process that begins the history, or goes on with what is there. */
static pid_t start_writer(const char *path, const struct script *script, bool go_on, size_t until,
                          bool slowly)
{
    pid_t pid = fork();

    if (pid != 0)
        return pid;
    struct err err = { 0 };
    struct store *s;
    size_t from = 0;

    if (go_on) {
        works(store_open(path, &s, &err), &err);
        from = steps_in(s);
        store_free(s);
        works(store_resume(path, NULL, &s, &err), &err);
    } else {
        works(store_create(path, "host", NULL, &s, &err), &err);
    }
    write_part(s, script, from, until, slowly);
    store_free(s);
    _exit(0);
}

/* True if it was killed, false if it came to its end. */
static bool wait_for(pid_t pid)
{
    int status = 0;

    must(waitpid(pid, &status, 0) == pid);
    must(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
}

/* --- dying --------------------------------------------------------------------- */

/* Is what a dead writer left as it should be?  True if there was a commit. */
static bool check_left(const char *path, const struct naive *naive, size_t committed)
{
    struct err err = { 0 };
    struct store *s;

    if (store_open(path, &s, &err) < 0) {
        must(err.text[0]);
        must_equal(committed, 0);
        return false;
    }
    must(steps_in(s) >= committed);
    check_prefix(naive, s, 200);
    must_equal(store_refresh(s, &err), 0);
    store_free(s);
    must_equal(naive_verify(path), 0);
    return true;
}

static size_t committed_before(const struct script *script, size_t steps)
{
    for (size_t i = steps; i-- > 0;)
        if (script->ops.at[i].kind == OP_COMMIT)
            return i + 1;
    return 0;
}

static void check_finished(const char *path, const struct naive *naive)
{
    struct err err = { 0 };
    struct store *s;

    works(store_open(path, &s, &err), &err);
    check_all(naive, s, 40);
    store_free(s);
    must_equal(naive_verify(path), 0);
}

/* Killed again and again by its own hand, between two steps, until it is done. */
static void test_killed_between_steps(void **state)
{
    const char *path = naive_file("killed");

    (void)state;
    for (uint64_t seed = 1; seed <= 14; seed++) {
        struct script script;
        struct naive naive;
        size_t done = 0;
        bool there = false;

        snprintf(naive_where, sizeof naive_where, "killed between steps, seed %d", (int)seed);
        unlink(path);
        script_make(&script, &growing, seed);
        naive_make(&naive, &script);
        for (int round = 0;; round++) {
            size_t until = done + any(round % 3 ? 6000 : 200);
            bool killed = wait_for(start_writer(path, &script, there, until, false));

            if (!killed)
                break;
            done =
                committed_before(&script, until) > done ? committed_before(&script, until) : done;
            there = check_left(path, &naive, done);
        }
        check_finished(path, &naive);
        naive_free(&naive);
        script_free(&script);
    }
}

/* Killed from outside, in the middle of anything. */
static void test_killed_anywhere(void **state)
{
    const char *path = naive_file("killed");
    struct profile p = growing;

    (void)state;
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct script script;
        struct naive naive;
        bool there = false;

        snprintf(naive_where, sizeof naive_where, "killed anywhere, seed %d", (int)seed);
        unlink(path);
        p.commits = seed % 2 ? 3 : 60;
        script_make(&script, &p, seed);
        naive_make(&naive, &script);
        for (int round = 0; round < 6; round++) {
            pid_t pid = start_writer(path, &script, there, SIZE_MAX, false);

            usleep(any(4000));
            kill(pid, SIGKILL);
            if (!wait_for(pid))
                break;
            bool was_there = there;
            struct store *s;
            struct err err;
            there = access(path, R_OK) == 0;
            if (there && store_open(path, &s, &err) == 0) {
                struct store_coverage cov;

                store_coverage(s, &cov);
                store_free(s);
                if (cov.finished)
                    break;
                there = check_left(path, &naive, 1);
            } else {
                must(!was_there);
                there = false;
            }
        }
        struct store *s;
        struct store_coverage cov = { .finished = false };
        struct err err;
        if (there && store_open(path, &s, &err) == 0) {
            store_coverage(s, &cov);
            store_free(s);
        }
        if (!cov.finished && access(path, R_OK) == 0 && store_open(path, &s, &err) == 0) {
            store_coverage(s, &cov);
            store_free(s);
        }
        if (!cov.finished)
            must(!wait_for(start_writer(path, &script, there, SIZE_MAX, false)));
        check_finished(path, &naive);
        naive_free(&naive);
        script_free(&script);
    }
}

/* --- reading what grows -------------------------------------------------------- */

static void read_growing(const char *path, const struct naive *naive)
{
    struct store_coverage cov;
    struct store *s = NULL;
    struct err err = { 0 };
    ns_t before = NS_MIN;
    size_t steps = 0;

    while (store_open(path, &s, &err) < 0)
        sched_yield();
    for (;;) {
        int rc = store_refresh(s, &err);

        works(rc, &err);
        store_coverage(s, &cov);
        must(cov.complete_until >= before);
        must(steps_in(s) >= steps);
        before = cov.complete_until;
        steps = steps_in(s);
        if (cov.finished)
            break;
        check_prefix(naive, s, 20);
    }
    must_equal(store_refresh(s, &err), 0);
    check_all(naive, s, 40);
    store_free(s);
}

static void test_growing(void **state)
{
    const char *path = naive_file("growing");

    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        struct script script;
        struct naive naive;
        pid_t readers[2];

        snprintf(naive_where, sizeof naive_where, "growing, seed %d", (int)seed);
        unlink(path);
        script_make(&script, &growing, seed);
        naive_make(&naive, &script);
        pid_t writer = start_writer(path, &script, false, SIZE_MAX, true);
        for (int i = 0; i < 2; i++)
            if ((readers[i] = fork()) == 0) {
                read_growing(path, &naive);
                _exit(0);
            }
        read_growing(path, &naive);
        must(!wait_for(writer));
        for (int i = 0; i < 2; i++)
            must(!wait_for(readers[i]));
        naive_free(&naive);
        script_free(&script);
    }
}

/* Attributes and texts that come later are found after a refresh. */
static void test_new_names(void **state)
{
    const char *path = naive_file("names");
    struct err err = { 0 };
    struct store *w, *r = NULL;
    char name[64];
    attr_t a;

    (void)state;
    snprintf(naive_where, sizeof naive_where, "new names");
    works(store_create(path, "host", NULL, &w, &err), &err);
    must(store_open(path, &r, &err) < 0); /* nothing was committed */
    for (uint32_t i = 0; i < 300; i++) {
        cell_t text = store_intern(w, naive_text(i, name));
        struct interval v;

        store_set(w, store_attr(w, naive_family(2), naive_path(i, name)), i, text);
        must(!r || !store_attr_find(r, naive_path(i, name), &a));
        works(store_commit(w, i + 1, &err), &err);
        if (!r)
            works(store_open(path, &r, &err), &err);
        else
            must_equal(store_refresh(r, &err), 1);
        must_equal(store_refresh(r, &err), 0);
        must_equal(store_attr_count(r), i + 1);
        must(store_attr_find(r, naive_path(i, name), &a));
        must_equal(a, i);
        must(store_at(r, a, i, &v));
        must(v.open);
        must(str_eq(store_text(r, v.value), naive_text(i, name)));
    }
    works(store_finish(w, 0, 1000, &err), &err);
    must_equal(store_refresh(r, &err), 1);
    must_equal(store_attr_count(r), 300);
    store_free(r);
    store_free(w);
}

/* --- writers in each other's way ----------------------------------------------- */

static void test_two_writers(void **state)
{
    const char *path = naive_file("two");
    struct err err = { 0 };
    struct store *a, *b;

    (void)state;
    snprintf(naive_where, sizeof naive_where, "two writers");
    works(store_create(path, "host", NULL, &a, &err), &err);
    must(store_create(path, "host", NULL, &b, &err) == -E_IO);
    must(strstr(err.text, path));
    store_set(a, store_attr(a, &naive_families[0], STR("x")), 1, 1);
    works(store_commit(a, 2, &err), &err);
    must(store_resume(path, NULL, &b, &err) == -E_IO);
    must(strstr(err.text, path));
    store_free(a);
    works(store_resume(path, NULL, &b, &err), &err);
    must(store_create(path, "host", NULL, &a, &err) == -E_IO);
    store_free(b);
    must(store_resume(naive_file("nothing"), NULL, &b, &err) < 0);
}

/* Who reads a history keeps it when another is made in its place. */
static void test_replaced(void **state)
{
    const char *path = naive_file("replaced");
    struct store *old, *s;
    struct script script;
    struct naive naive;
    struct err err = { 0 };

    (void)state;
    snprintf(naive_where, sizeof naive_where, "replaced");
    script_make(&script, &growing, 3);
    naive_make(&naive, &script);
    script_write(path, &script);
    works(store_open(path, &old, &err), &err);
    works(store_create(path, "other", NULL, &s, &err), &err);
    works(store_commit(s, 1, &err), &err);
    check_all(&naive, old, 20);
    must_equal(store_refresh(old, &err), 0);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    must(!strcmp(store_host(s), "other"));
    must_equal(store_attr_count(s), 0);
    store_free(s);
    store_free(old);
    naive_free(&naive);
    script_free(&script);
}

/* Opened as it was committed, gone on with, with records and texts. */
static void test_resume_records(void **state)
{
    static const struct store_column columns[] = { { "t0", CELL_TIME },
                                                   { "t1", CELL_TIME },
                                                   { "text", CELL_TEXT } };
    static const struct store_table def = { "rows", columns, 3 };
    const char *path = naive_file("rows");
    struct err err = { 0 };
    struct store *s;
    char name[64];

    (void)state;
    snprintf(naive_where, sizeof naive_where, "resume records");
    works(store_create(path, "host", NULL, &s, &err), &err);
    for (uint32_t i = 0; i < 100; i++) {
        table_t t = store_table(s, &def);

        store_record(s, t, (const cell_t[]){ i, i + 1, store_intern(s, naive_text(i, name)) });
        if (i % 10 == 9) {
            works(store_commit(s, i, &err), &err);
            store_record(s, t, (const cell_t[]){ 1000, 1001, 0 }); /* is gone */
            store_intern(s, STR("gone"));
            store_free(s);
            works(store_resume(path, NULL, &s, &err), &err);
        }
    }
    works(store_finish(s, 0, 100, &err), &err);
    store_free(s);
    works(store_open(path, &s, &err), &err);
    must_equal(store_table_count(s), 1);
    struct store_rows r = store_rows(s, 0, SPAN_ALL);
    const cell_t *row;
    uint32_t n = 0;
    for (; (row = store_rows_next(&r)); n++) {
        must_equal(row[0], n);
        must(str_eq(store_text(s, row[2]), naive_text(n, name)));
    }
    must_equal(n, 100);
    store_free(s);
}

/* --- a full disk --------------------------------------------------------------- */

/* In a child: files may have so many bytes. */
static void write_with_limit(const char *path, const struct script *script, rlim_t limit)
{
    struct rlimit most = { limit, limit };
    struct err err = { 0 };
    struct store *s;
    int rc = 0;

    signal(SIGXFSZ, SIG_IGN);
    must(setrlimit(RLIMIT_FSIZE, &most) == 0);
    if (store_create(path, "host", NULL, &s, &err) < 0) {
        must(strstr(err.text, path));
        _exit(1);
    }
    naive_declare(s, 0);
    for (uint32_t i = 0; i < script->nattrs; i++) {
        char name[64];

        store_attr(s, naive_family(i), naive_path(i, name));
    }
    for (size_t i = 0; i < script->ops.n && rc == 0; i++)
        rc = script_tell_op(s, &script->ops.at[i], &err);
    if (rc == 0)
        rc = store_finish(s, script->t0, script->t1, &err);
    if (rc < 0) {
        must(err.text[0]);
        struct err again = { 0 };
        must(store_commit(s, 0, &again) < 0); /* the first error stays */
        must(!strcmp(err.text, again.text));
    }
    store_free(s);
    _exit(rc < 0 ? 1 : 0);
}

static void test_full_disk(void **state)
{
    const char *path = naive_file("full");
    struct script script;
    struct naive naive;
    int failed = 0;

    (void)state;
    script_make(&script, &growing, 5);
    naive_make(&naive, &script);
    for (rlim_t limit = 1000; limit < 3000000; limit = limit * 5 / 3) {
        struct store *s;
        struct err err = { 0 };
        int status;
        pid_t pid;

        snprintf(naive_where, sizeof naive_where, "full disk, %d bytes", (int)limit);
        unlink(path);
        if ((pid = fork()) == 0)
            write_with_limit(path, &script, limit);
        must(waitpid(pid, &status, 0) == pid);
        must(WIFEXITED(status) && WEXITSTATUS(status) < 2);
        failed += WEXITSTATUS(status);
        if (WEXITSTATUS(status) == 0) {
            check_finished(path, &naive);
        } else if (store_open(path, &s, &err) == 0) {
            check_prefix(&naive, s, 100);
            store_free(s);
        }
    }
    must(failed > 3);
    naive_free(&naive);
    script_free(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_writers),
        cmocka_unit_test(test_replaced),
        cmocka_unit_test(test_new_names),
        cmocka_unit_test(test_resume_records),
        cmocka_unit_test(test_killed_between_steps),
        cmocka_unit_test(test_killed_anywhere),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_full_disk),
    };

    return cmocka_run_group_tests(tests, naive_setup, naive_teardown);
}
