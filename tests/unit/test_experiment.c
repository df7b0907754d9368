/* SPDX-License-Identifier: Apache-2.0
 *
 * test_experiment.c -- which traces make a host: what the user says of them, sessions of one boot,
 * machines of one name.
 *
 * The traces are two sessions each that the CTF writer of the simulator makes. */
#define _GNU_SOURCE
#include "input/experiment.h"
#include "sim/ctfw.h"

#include <ftw.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { EVENTS = 10 };
#define BOOT_NS INT64_C(1700000000000000000)
#define MS_NS INT64_C(1000000)

struct fixture {
    char dir[64];
    struct notes notes;
    struct experiment x;
    struct err err;
};

static int open_fixture(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "%s/neph-hosts-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int close_fixture(void **state)
{
    struct fixture *f = *state;

    experiment_close(&f->x);
    notes_free(&f->notes);
    nftw(f->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

/* A trace of 'host', whose tracer thinks that the clock 'clock' was 0 at 'zero'.  Its events are
 * 1 ms apart by that clock, from 'from' on. */
static void write_trace(struct fixture *f, const char *name, const char *host, uint8_t clock,
                        ns_t zero, ns_t from)
{
    static const struct ctfw_field fields[] = { CTFW_U("n", 32) };
    char dir[128];
    const struct ctfw_env env[] = { { "hostname", host, 0 },           { "domain", "ust", 0 },
                                    { "tracer_name", "lttng-ust", 0 }, { "tracer_major", NULL, 2 },
                                    { "tracer_minor", NULL, 13 },      { 0 } };
    struct ctfw_trace_config config = {
        .dir = dir,
        .env = env,
        .clock_offset_ns = (uint64_t)zero,
        .begin = zero + from,
    };
    struct ctfw_trace *t;
    struct ctfw_channel *c;

    snprintf(dir, sizeof dir, "%s/%s", f->dir, name);
    memset(config.clock_uuid, clock, sizeof config.clock_uuid);
    memcpy(config.uuid, name, strlen(name) < 16 ? strlen(name) : 16);
    assert_int_equal(ctfw_open(&config, &t, &f->err), 0);
    assert_int_equal(
        ctfw_channel(t,
                     &(struct ctfw_channel_config){
                         .name = "c", .cpus = 1, .packet_bytes = 4096, .header = CTFW_LARGE },
                     &c, &f->err),
        0);
    const struct ctfw_event *e = ctfw_event(c, "tick", -1, fields, 1);
    for (int i = 0; i < EVENTS; i++)
        assert_int_equal(ctfw_emit(c, 0, e, zero + from + i * MS_NS, NULL,
                                   (struct ctfw_val[]){ ctfw_u((uint64_t)i) }, NULL, &f->err),
                         0);
    assert_int_equal(ctfw_finish(t, zero + from + EVENTS * MS_NS, &f->err), 0);
    ctfw_free(t);
}

static void open_all(struct fixture *f, const struct experiment_host *said, size_t nsaid)
{
    const char *paths[] = { f->dir };

    if (experiment_open(paths, 1, &(struct experiment_says){ .hosts = said, .nhosts = nsaid },
                        &f->notes, &f->x, &f->err) < 0)
        fail_msg("%s", f->err.text);
}

static const struct host *host_named(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->x.hosts.n; i++)
        if (str_is(f->x.hosts.at[i].name, name))
            return &f->x.hosts.at[i];
    return NULL;
}

static bool is_noted(const struct fixture *f, const char *words)
{
    for (size_t i = 0; i < f->notes.list.n; i++)
        if (strstr(f->notes.list.at[i].text.p, words))
            return true;
    return false;
}

/* --host NAME=PATH */
static void test_said(void **state)
{
    struct fixture *f = *state;
    char path[128];

    write_trace(f, "one", "vm", 1, BOOT_NS, 0);
    write_trace(f, "two", "vm", 2, BOOT_NS, NS_PER_S * 60);
    snprintf(path, sizeof path, "%s/two", f->dir);
    open_all(f, (struct experiment_host[]){ { STR("compute2"), path } }, 1);
    assert_int_equal(f->x.hosts.n, 2);
    assert_non_null(host_named(f, "vm"));
    assert_non_null(host_named(f, "compute2"));
    assert_int_equal(host_named(f, "compute2")->readers.n, 1);
    assert_string_equal(host_named(f, "compute2")->readers.at[0]->path, path);
}

/* What is said of a folder holds below it, and what is said of one deeper wins; a folder that is
 * not among the paths is read as well. */
static void test_said_of_folders(void **state)
{
    struct fixture *f = *state;
    char outer[128], inner[128], all[128];
    const char *paths[1];

    write_trace(f, "all/a/one", "vm", 1, BOOT_NS, 0);
    write_trace(f, "all/b/two", "vm", 2, BOOT_NS, 0);
    write_trace(f, "more", "vm", 3, BOOT_NS, 0);
    snprintf(all, sizeof all, "%s/more", f->dir);
    snprintf(outer, sizeof outer, "%s/all", f->dir);
    snprintf(inner, sizeof inner, "%s/all/b", f->dir);
    paths[0] = outer;
    const struct experiment_host said[] = { { STR("x"), outer },
                                            { STR("y"), inner },
                                            { STR("z"), all } };
    if (experiment_open(paths, 1, &(struct experiment_says){ .hosts = said, .nhosts = 3 },
                        &f->notes, &f->x, &f->err) < 0)
        fail_msg("%s", f->err.text);
    assert_int_equal(f->x.hosts.n, 3);
    assert_int_equal(host_named(f, "x")->readers.n, 1);
    assert_int_equal(host_named(f, "y")->readers.n, 1);
    assert_int_equal(host_named(f, "z")->readers.n, 1);
}

/* Two sessions of one boot, whose tracers differ by 0.9 ms in when that was: the order is that
 * of the clock. */
static void test_one_boot(void **state)
{
    struct fixture *f = *state;
    const struct stream_head *h;
    struct merged m;
    ns_t before = NS_MIN, first = 0;
    unsigned n = 0;

    write_trace(f, "kernel", "compute1", 7, BOOT_NS, 100 * MS_NS);
    write_trace(f, "ust", "compute1", 7, BOOT_NS + 900000, 100 * MS_NS + 500000);
    open_all(f, NULL, 0);
    assert_int_equal(f->x.hosts.n, 1);
    assert_int_equal(f->x.hosts.at[0].readers.n, 2);
    merged_init(&m, &f->x, NULL, NS_MIN);
    while ((h = merged_next(&m))) {
        first = n == 0 ? h->ev.t : first;
        /* every 500 us, in turn */
        assert_int_equal(h->ev.t, first + (ns_t)n * 500000);
        assert_true(h->ev.t > before);
        before = h->ev.t;
        n++;
    }
    merged_free(&m);
    assert_int_equal(n, 2 * EVENTS);
}

/* One name, two clocks at the same time: two machines. */
static void test_one_name(void **state)
{
    struct fixture *f = *state;

    write_trace(f, "a", "localhost", 1, BOOT_NS, 0);
    write_trace(f, "b", "localhost", 2, BOOT_NS, 3 * MS_NS);
    open_all(f, NULL, 0);
    assert_int_equal(f->x.hosts.n, 2);
    assert_false(str_eq(f->x.hosts.at[0].name, f->x.hosts.at[1].name));
    assert_true(is_noted(f, "another machine"));
}

/* One name, two clocks one after the other: one machine that was booted again. */
static void test_two_boots(void **state)
{
    struct fixture *f = *state;

    write_trace(f, "a", "compute1", 1, BOOT_NS, 0);
    write_trace(f, "b", "compute1", 2, BOOT_NS + 3600 * NS_PER_S, 0);
    open_all(f, NULL, 0);
    assert_int_equal(f->x.hosts.n, 1);
    assert_int_equal(f->x.hosts.at[0].readers.n, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = { TEST(test_said), TEST(test_said_of_folders),
                                        TEST(test_one_boot), TEST(test_one_name),
                                        TEST(test_two_boots) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
