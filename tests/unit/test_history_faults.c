/* SPDX-License-Identifier: Apache-2.0
 *
 * test_history_faults.c -- files that are damaged, and a system that refuses.
 *
 * Every bit of a small file is turned, it is cut at every length, and every read,
 * write and allocation fails once.  Nothing may crash, nothing wrong may be
 * answered: a sentence, 'lost', or what is right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store/format_priv.h"
#include "store/io_priv.h"
#include "tests/unit/naive_files.h"

static const struct profile small = { "small", 4, 160, 0, 8, 4, 0, 0, 1 };
static const struct profile committed = { "committed", 4, 400, 0, 8, 4, 0, 60, 1 };
static const struct profile summed = { "summed", 4, 6000, 0, 2, 10, 0, 900, 2 };

static const struct store_column columns[] = { { "t0", CELL_TIME },
                                               { "t1", CELL_TIME },
                                               { "text", CELL_TEXT } };
static const struct store_table table = { "rows", columns, 3 };

enum { RECORDS = 30 };

/* Tells a script, with some records; the first error ends it.  Returns 0 or -E_*. */
static int tell(struct store *s, const struct script *script, bool finish, struct err *err)
{
    char name[64];
    int rc = 0;

    for (uint32_t i = 0; i < NAIVE_TEXTS; i++)
        store_intern(s, naive_text(i, name));
    for (uint32_t i = 0; i < script->nattrs; i++)
        store_attr(s, naive_family(i), naive_path(i, name));
    table_t t = store_table(s, &table);
    store_set_fact(s, "answer", STR("42"));
    for (int i = 0; i < RECORDS; i++)
        store_record(s, t, (const cell_t[]){ i * 3, i * 4, 1 + i });
    for (size_t i = 0; i < script->ops.n && rc == 0; i++)
        rc = script_tell_op(s, &script->ops.at[i], err);
    if (rc == 0 && finish)
        rc = store_finish(s, script->t0, script->t1, err);
    return rc;
}

static void make_file(const char *path, const struct script *script, bool finish)
{
    struct err err = { 0 };
    struct store *s;

    works(store_create(path, "host", NULL, &s, &err), &err);
    works(tell(s, script, finish, &err), &err);
    store_free(s);
}

/* Records and texts: all, or something is lost. */
static void check_rest(const struct store *s)
{
    struct store_rows r = store_rows(s, 0, SPAN_ALL);
    struct store_coverage cov;
    const cell_t *row;
    char name[64];
    int n = 0;
    bool texts = true;

    must_equal(store_table_count(s), 1);
    for (cell_t before = -1; (row = store_rows_next(&r)); before = row[0], n++) {
        must(row[0] > before && row[0] % 3 == 0 && row[0] < 3 * RECORDS);
        must_equal(row[1], row[0] / 3 * 4);
        must_equal(row[2], row[0] / 3 + 1);
    }
    must(n <= RECORDS);
    for (uint32_t i = 0; i < NAIVE_TEXTS; i++) {
        bool right = str_eq(store_text(s, i + 1), naive_text(i, name));

        must(right || store_text(s, i + 1).n == 0);
        texts &= right;
    }
    must(str_is(store_fact(s, "answer"), "42"));
    store_coverage(s, &cov);
    must((texts && n == RECORDS) || cov.bad_blocks > 0 || naive_no_memory);
}

static void check_notes(const struct store *s)
{
    struct store_coverage cov;
    struct notes notes = { 0 };

    store_notes(s, &notes);
    store_coverage(s, &cov);
    must(cov.bad_blocks == 0 || notes.list.n > 0);
    for (size_t i = 0; i < notes.list.n; i++)
        must(notes.list.at[i].text.n > 0);
    notes_free(&notes);
}

/* Whatever was done to the file: refused with a sentence, or right. */
static bool check_file(const char *path, const struct naive *naive, int times)
{
    struct err err = { 0 };
    struct store *s;

    if (store_open(path, &s, &err) < 0) {
        must(err.text[0]);
        must(strstr(err.text, path));
        return false;
    }
    check_damaged(naive, s, times);
    check_rest(s);
    check_notes(s);
    store_free(s);
    return true;
}

/* --- damage ---------------------------------------------------------------------- */

/* Turns every bit: looking at the whole file must find it, whichever it is. */
static void test_every_bit(void **state)
{
    const char *path = naive_file("bits");
    struct script script;
    struct naive naive;

    (void)state;
    script_make(&script, &small, 1);
    naive_make(&naive, &script);
    make_file(path, &script, true);
    struct bytes b = bytes_read(path);
    snprintf(naive_where, sizeof naive_where, "no bit turned");
    must_equal(naive_verify(path), 0);
    FILE *f = fopen(path, "r+");
    must(f);
    for (size_t i = 0; i < b.n * 8; i++) {
        uint8_t turned = (uint8_t)(b.p[i / 8] ^ 1 << i % 8);

        snprintf(naive_where, sizeof naive_where, "bit %zu of byte %zu of %zu turned", i % 8, i / 8,
                 b.n);
        must(fseek(f, (long)(i / 8), SEEK_SET) == 0 && putc(turned, f) == turned && fflush(f) == 0);
        must(naive_verify(path) != 0);
        if (i % 8 == i / 8 % 8 && (i / 8 < 80 || i / 8 >= 1024)) {
            rng = i;
            check_file(path, &naive, 4);
        }
        must(fseek(f, (long)(i / 8), SEEK_SET) == 0 && putc(b.p[i / 8], f) == b.p[i / 8] &&
             fflush(f) == 0);
    }
    fclose(f);
    must_equal(naive_verify(path), 0);
    free(b.p);
    naive_free(&naive);
    script_free(&script);
}

/* Bytes anywhere in a file with summaries, several at once. */
static void test_damaged_blocks(void **state)
{
    const char *path = naive_file("blocks");
    struct script script;
    struct naive naive;
    int opened = 0;

    (void)state;
    script_make(&script, &summed, 2);
    naive_make(&naive, &script);
    make_file(path, &script, true);
    struct bytes b = bytes_read(path);
    for (uint32_t i = 0; i < 400; i++) {
        snprintf(naive_where, sizeof naive_where, "damage %u", i);
        rng = i;
        struct bytes d = { xmalloc(b.n), b.n };
        memcpy(d.p, b.p, b.n);
        for (uint32_t k = 1 + any(3); k > 0; k--) {
            size_t at = 4096 + any((uint32_t)b.n - 4096);

            d.p[at] = (uint8_t)(d.p[at] + 1 + any(255));
        }
        bytes_write(path, d.p, d.n);
        must(naive_verify(path) != 0);
        opened += check_file(path, &naive, 6);
        free(d.p);
    }
    must(opened > 50);
    free(b.p);
    naive_free(&naive);
    script_free(&script);
}

/* A block of intervals in the middle is damaged: only what is in it is lost. */
static void test_one_block(void **state)
{
    const char *path = naive_file("one-block");
    struct script script;
    struct naive naive;
    struct store_kind whole = { 0 };
    struct err err = { 0 };
    struct store_file file;
    struct store *s;

    (void)state;
    snprintf(naive_where, sizeof naive_where, "one block");
    script_make(&script, &summed, 3);
    naive_make(&naive, &script);
    make_file(path, &script, true);
    works(store_open(path, &s, &err), &err);
    store_file(s, &file);
    for (int i = 0; i < STORE_KINDS; i++)
        if (file.kinds[i].name && !strcmp(file.kinds[i].name, "intervals"))
            whole = file.kinds[i];
    store_free(s);
    must(whole.blocks > 3);
    struct bytes b = bytes_read(path);
    unsigned damaged = 0;
    for (size_t at = FORMAT_PAGE; at + BLOCK_HEAD < b.n;) {
        struct block_head h;

        must(format_get_block(b.p + at, &h));
        if (h.kind == KIND_INTERVALS && h.stored > 8) {
            struct store_coverage cov;
            bool lost = false;

            b.p[at + BLOCK_HEAD + h.stored / 2] ^= 4;
            bytes_write(path, b.p, b.n);
            works(store_open(path, &s, &err), &err);
            check_damaged(&naive, s, 20);
            for (attr_t a = 0; a < naive.nattrs; a++)
                check_damaged_ranges(&naive, s, a, &lost);
            must(lost);
            store_coverage(s, &cov);
            must_equal(cov.bad_blocks, 1);
            check_notes(s);
            check_rest(s);
            store_free(s);
            must_equal(naive_verify(path), 1);
            b.p[at + BLOCK_HEAD + h.stored / 2] ^= 4;
            damaged++;
        }
        at += block_bytes(h.stored);
    }
    must_equal(damaged, whole.blocks);
    free(b.p);
    naive_free(&naive);
    script_free(&script);
}

static void test_cut_off(void **state)
{
    const char *path = naive_file("cut");
    struct script script;
    struct naive naive;

    (void)state;
    script_make(&script, &small, 4);
    naive_make(&naive, &script);
    make_file(path, &script, true);
    struct bytes b = bytes_read(path);
    for (size_t n = b.n; n-- > 0;) {
        snprintf(naive_where, sizeof naive_where, "cut at %zu of %zu", n, b.n);
        must(truncate(path, (off_t)n) == 0);
        must(naive_verify(path) != 0);
        check_file(path, &naive, 1);
    }
    bytes_write(path, b.p, b.n);
    must(check_file(path, &naive, 50));
    free(b.p);
    naive_free(&naive);
    script_free(&script);
}

/* The file of a writer that died, cut off in or before its last commit: what came before is
 * there. */
static void test_growing_cut_off(void **state)
{
    const char *path = naive_file("cut");
    struct script script;
    struct naive naive;
    int opened = 0;

    (void)state;
    script_make(&script, &committed, 5);
    naive_make(&naive, &script);
    make_file(path, &script, false);
    struct bytes b = bytes_read(path);
    for (size_t n = b.n + 1; n-- > 0;) {
        struct err err = { 0 };
        struct store *s;

        snprintf(naive_where, sizeof naive_where, "growing, cut at %zu of %zu", n, b.n);
        must(truncate(path, (off_t)n) == 0);
        if (store_open(path, &s, &err) < 0) {
            must(err.text[0]);
            must(n < b.n);
        } else {
            check_prefix(&naive, s, 20);
            store_free(s);
            opened++;
        }
    }
    must(opened > 1);
    free(b.p);
    naive_free(&naive);
    script_free(&script);
}

static void test_other_version(void **state)
{
    const char *path = naive_file("version");
    struct script script;
    struct err err = { 0 };
    struct store *s;

    (void)state;
    snprintf(naive_where, sizeof naive_where, "another version");
    script_make(&script, &small, 6);
    make_file(path, &script, true);
    struct bytes b = bytes_read(path);
    put32(b.p + 8, FORMAT_VERSION + 1);
    bytes_write(path, b.p, b.n);
    must(store_open(path, &s, &err) == -E_UNSUP);
    must(strstr(err.text, path) && strstr(err.text, "version"));
    must(store_resume(path, NULL, &s, &err) == -E_UNSUP);
    must(naive_verify(path) != 0);
    memcpy(b.p, "no history", 10);
    bytes_write(path, b.p, b.n);
    must(store_open(path, &s, &err) < 0);
    must(strstr(err.text, path));
    bytes_write(path, b.p, 0);
    must(store_open(path, &s, &err) < 0);
    free(b.p);
    script_free(&script);
}

/* Something of another file in its place: checksums alone would not tell. */
static void test_foreign_block(void **state)
{
    const char *path = naive_file("foreign");
    struct script script;
    struct naive naive;

    (void)state;
    script_make(&script, &small, 7);
    naive_make(&naive, &script);
    make_file(path, &script, true);
    struct bytes a = bytes_read(path);
    unlink(path);
    make_file(path, &script, true);
    struct bytes b = bytes_read(path);
    for (size_t at = FORMAT_PAGE; at + BLOCK_HEAD < b.n;) {
        struct block_head h, other;

        snprintf(naive_where, sizeof naive_where, "a foreign block at %zu", at);
        must(format_get_block(b.p + at, &h));
        must(format_get_block(a.p + at, &other));
        if (h.stored != other.stored) {
            must(at > FORMAT_PAGE);
            break; /* what follows lies elsewhere */
        }
        struct bytes c = { xmalloc(b.n), b.n };
        memcpy(c.p, b.p, b.n);
        memcpy(c.p + at, a.p + at, block_bytes(h.stored));
        bytes_write(path, c.p, c.n);
        must(naive_verify(path) != 0);
        check_file(path, &naive, 10);
        free(c.p);
        at += block_bytes(h.stored);
    }
    free(a.p);
    free(b.p);
    naive_free(&naive);
    script_free(&script);
}

/* --- refusals ---------------------------------------------------------------------- */

enum { READS, WRITES, ALLOCS, FAULT_KINDS };

static const char *const fault_names[] = { "read", "write", "allocation" };

static struct io_faults faults_left; /* when they were last stopped */

static void no_faults(void)
{
    if (io_faults.reads >= 0 || io_faults.writes >= 0 || io_faults.allocs >= 0)
        faults_left = io_faults;
    io_faults = (struct io_faults){ -1, -1, -1, false };
    naive_no_memory = false;
}

/* Lets the n-th call of each kind fail in 'work', for all n; 'work' returns nothing, but
 * checks.  Ends when a run needs no call that fails. */
static void with_faults(const char *what, void (*work)(void *ctx), void *ctx)
{
    for (int k = READS; k < FAULT_KINDS; k++)
        for (int64_t n = 0, left = 0; left == 0; n++) {
            snprintf(naive_where, sizeof naive_where, "%s, %s %d fails", what, fault_names[k],
                     (int)n);
            io_faults = (struct io_faults){ k == READS ? n : -1, k == WRITES ? n : -1,
                                            k == ALLOCS ? n : -1, false };
            rng = (uint64_t)n;
            naive_no_memory = k == ALLOCS;
            work(ctx);
            no_faults();
            left = k == READS    ? faults_left.reads
                   : k == WRITES ? faults_left.writes
                                 : faults_left.allocs;
            must(n < 100000);
        }
}

struct fault_work {
    const char *path;
    struct script *script;
    struct naive *naive;
    bool memory;
};

static void build_with_faults(void *ctx)
{
    const struct fault_work *w = ctx;
    struct err err = { 0 };
    struct store *s = NULL;
    int rc = 0;

    if (w->memory)
        s = store_new("host");
    else
        rc = store_create(w->path, "host", NULL, &s, &err);
    if (rc == 0 && s) {
        rc = tell(s, w->script, true, &err);
        if (rc == 0)
            check_damaged(w->naive, s, 2);
        store_free(s);
    }
    if (rc < 0)
        must(err.text[0]);
    no_faults();
    if (rc == 0 && s && !w->memory)
        must(check_file(w->path, w->naive, 2));
    else if (!w->memory && store_open(w->path, &s, &err) == 0)
        store_free(s);
}

static void read_with_faults(void *ctx)
{
    const struct fault_work *w = ctx;
    struct err err = { 0 };
    struct store *s;

    if (store_open(w->path, &s, &err) < 0) {
        must(err.text[0]);
        return;
    }
    check_damaged(w->naive, s, 3);
    check_rest(s);
    attr_t a;
    store_attr_find(s, STR("things/1/size"), &a);
    no_faults();
    check_damaged(w->naive, s, 3);
    check_notes(s);
    store_free(s);
}

static void verify_with_faults(void *ctx)
{
    const struct fault_work *w = ctx;

    naive_verify(w->path);
}

/* A reader that can't see what came since goes on with what it has, and may try again. */
static void refresh_with_faults(void *ctx)
{
    const struct fault_work *w = ctx;
    struct io_faults faults = io_faults;
    struct err err = { 0 };
    struct store *s, *r;
    size_t i = 0;

    no_faults();
    works(store_create(w->path, "host", NULL, &s, &err), &err);
    char name[64];
    for (uint32_t k = 0; k < NAIVE_TEXTS; k++)
        store_intern(s, naive_text(k, name));
    for (uint32_t k = 0; k < w->script->nattrs; k++)
        store_attr(s, naive_family(k), naive_path(k, name));
    for (; i < w->script->ops.n / 2; i++)
        works(script_tell_op(s, &w->script->ops.at[i], &err), &err);
    works(store_commit(s, w->script->ops.at[i - 1].t0, &err), &err);
    works(store_open(w->path, &r, &err), &err);
    for (; i < w->script->ops.n; i++)
        works(script_tell_op(s, &w->script->ops.at[i], &err), &err);
    if (rng % 2) { /* more of everything */
        store_attr(s, naive_family(50), naive_path(50, name));
        store_intern(s, STR("one more"));
        works(store_commit(s, w->script->t1, &err), &err);
    } else {
        works(store_finish(s, w->script->t0, w->script->t1, &err), &err);
    }
    io_faults = faults;
    int rc = store_refresh(r, &err);
    no_faults();
    if (rc < 0) {
        must(err.text[0]);
        struct store_coverage cov;
        store_coverage(r, &cov);
        must_equal(cov.finished, false);
        check_prefix(w->naive, r, 20);
        must_equal(store_refresh(r, &err), 1);
    }
    if (rng % 2 == 0 && store_attr_count(r) == w->naive->nattrs) {
        struct store_coverage cov;
        store_coverage(r, &cov);
        if (cov.finished)
            check_damaged(w->naive, r, 2);
    }
    store_free(r);
    store_free(s);
}

/* Goes on with a history that was left after its first half. */
static void resume_with_faults(void *ctx)
{
    const struct fault_work *w = ctx;
    struct io_faults faults = io_faults;
    bool no_memory = naive_no_memory;
    struct err err = { 0 };
    struct script first = *w->script;
    struct store *s;

    no_faults();
    for (first.ops.n /= 2; first.ops.at[first.ops.n - 1].kind != OP_COMMIT;)
        first.ops.n--;
    make_file(w->path, &first, false);
    io_faults = faults;
    naive_no_memory = no_memory;
    int rc = store_resume(w->path, NULL, &s, &err);
    if (rc == 0) {
        for (size_t i = first.ops.n; i < w->script->ops.n && rc == 0; i++)
            rc = script_tell_op(s, &w->script->ops.at[i], &err);
        if (rc == 0)
            rc = store_finish(s, w->script->t0, w->script->t1, &err);
        store_free(s);
    }
    no_faults();
    if (rc == 0) {
        must(check_file(w->path, w->naive, 2));
        return;
    }
    must(err.text[0]);
    works(store_open(w->path, &s, &err), &err); /* it is there, finished or not */
    struct store_coverage cov;
    store_coverage(s, &cov);
    if (cov.finished)
        check_damaged(w->naive, s, 2);
    else
        check_prefix(w->naive, s, 20);
    store_free(s);
}

/* What a test of faults works on. */
static void fault_begin(struct fault_work *w, const struct profile *p, uint64_t seed)
{
    struct script *script = xcalloc(1, sizeof *script);
    struct naive *naive = xcalloc(1, sizeof *naive);

    no_faults();
    script_make(script, p, seed);
    naive_make(naive, script);
    *w = (struct fault_work){ naive_file("faults"), script, naive, false };
}

static void fault_end(struct fault_work *w)
{
    no_faults();
    naive_free(w->naive);
    script_free(w->script);
    free(w->naive);
    free(w->script);
}

static void test_faults_building(void **state)
{
    struct fault_work w;

    (void)state;
    fault_begin(&w, &committed, 8);
    with_faults("building", build_with_faults, &w);
    w.memory = true;
    with_faults("building in memory", build_with_faults, &w);
    fault_end(&w);
}

static void test_faults_refreshing(void **state)
{
    struct fault_work w;

    (void)state;
    fault_begin(&w, &committed, 8);
    with_faults("looking for more", refresh_with_faults, &w);
    fault_end(&w);
}

static void test_faults_reading(void **state)
{
    struct fault_work w;

    (void)state;
    fault_begin(&w, &committed, 8);
    make_file(w.path, w.script, true);
    with_faults("reading", read_with_faults, &w);
    with_faults("verifying", verify_with_faults, &w);
    fault_end(&w);
    fault_begin(&w, &summed, 9);
    make_file(w.path, w.script, true);
    with_faults("reading much", read_with_faults, &w);
    fault_end(&w);
}

static void test_faults_resuming(void **state)
{
    struct fault_work w;

    (void)state;
    fault_begin(&w, &committed, 10);
    with_faults("going on", resume_with_faults, &w);
    fault_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_bit),         cmocka_unit_test(test_damaged_blocks),
        cmocka_unit_test(test_one_block),         cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_growing_cut_off),   cmocka_unit_test(test_other_version),
        cmocka_unit_test(test_foreign_block),     cmocka_unit_test(test_faults_building),
        cmocka_unit_test(test_faults_reading),    cmocka_unit_test(test_faults_resuming),
        cmocka_unit_test(test_faults_refreshing),
    };

    return cmocka_run_group_tests(tests, naive_setup, naive_teardown);
}
