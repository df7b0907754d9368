/* SPDX-License-Identifier: Apache-2.0
 *
 * test_qmp.c -- logs of QMP: what is an event, when, and its fields; whose host a file is. */
#include "tests/unit/qemu_fixture.h"

#include "input/experiment.h"

#define S(us) ((ns_t)1795349064 * NS_PER_S + (us) * (ns_t)1000)
#define EVENT(us, name, data)                                                                  \
    "{\"timestamp\": {\"seconds\": 1795349064, \"microseconds\": " #us "}, \"event\": \"" name \
    "\"" data "}\n"

static void test_client_log(void **state)
{
    static const char text[] =
        "{\"kind\": \"query-status\", \"real_ns\": 1795349064000001000, \"data\": {\"status\": "
        "\"running\", \"running\": true, \"x\": null}}\n"
        "{\"kind\": \"event\", \"real_ns\": 1795349064000090000, \"mono_ns\": 5, \"data\": "
        "{\"timestamp\": {\"seconds\": 1795349064, \"microseconds\": 7}, \"event\": "
        "\"MIGRATION_PASS\", \"data\": {\"pass\": 2}}}\n"
        "{\"kind\": \"query-migrate\", \"real_ns\": 1795349064000008000, \"data\": {\"status\": "
        "\"active\", \"setup-time\": 4, \"downtime\": 1, \"total-time\": 6401, "
        "\"expected-downtime\": 300, \"cpu-throttle-percentage\": 20, \"ram\": {\"total\": "
        "101195776, \"mbps\": 63.94, \"dirty-sync-count\": 3, \"transferred\": 51017346, "
        "\"page-size\": 4096, \"dirty-pages-rate\": 11}, \"list\": [1, {\"a\": \"b\"}]}}\n";
    struct notes notes;
    struct reader *r = open_text(text, &notes);

    (void)state;
    next_is(r, S(1), "qmp:query-status");
    assert_fields(r, "status='running' running=1 ");
    next_is(r, S(7), "qmp:MIGRATION_PASS"); /* when QEMU said it, not when it was read */
    assert_int_equal(FILLED(qmp_event).pass, 2);
    next_is(r, S(8), "qmp:query-migrate");
    assert_int_equal(event.type, EV_QMP_MIGRATE_INFO);
    assert_fields(r, "status='active' setup_ms=4 downtime_ms=1 total_time_ms=6401 "
                     "expected_downtime_ms=300 cpu-throttle-percentage=20 ram.total=101195776 "
                     "ram.mbps=63.94 ram.dirty-sync-count=3 ram.transferred=51017346 "
                     "ram.page-size=4096 ram.dirty-pages-rate=11 list.0=1 list.1.a='b' ");
    const struct ev_qmp_migrate_info *info = &FILLED(qmp_migrate_info);
    assert_str(info->status, "active");
    assert_str(info->error, "");
    assert_int_equal(info->total_ms, 6401);
    assert_int_equal(info->expected_downtime_ms, 300);
    assert_int_equal(info->transferred_bytes, 51017346);
    assert_int_equal(info->mbit_per_s, 64);
    assert_int_equal(info->syncs, 3);
    assert_int_equal(info->throttle_percent, 20);
    assert_int_equal(info->remaining_bytes, 0);
    is_over(r);
    assert_int_equal(notes.list.n, 0);
    close_file(r, &notes);
}

static void test_dialog(void **state)
{
    static const char text[] =
        "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\n"
        "{\"return\": {\"status\": \"setup\", \"ram\": {}}}\n" /* before anything has a time */
        "{\"execute\": \"qmp_capabilities\"}\n"
        "{\"return\": {}}\n"
        "\n" EVENT(5, "STOP", "")
            EVENT(4, "MIGRATION", ", \"data\": {\"status\": \"active\"}") /* late */
        "{\"return\": {\"status\": \"running\", \"running\": true}}\n"
        "{\"return\": {\"status\": \"failed\", \"error-desc\": \"no route\"}, \"id\": 1}\n"
        "{\"event\": \"RESUME\", \"timestamp\": {\"seconds\": -1, \"microseconds\": -1}}\n"
        "{\"return\": {\"status\": \"comple\n";
    struct notes notes;
    struct reader *r = open_text(text, &notes);

    (void)state;
    next_is(r, S(4), "qmp:MIGRATION");
    assert_str(FILLED(qmp_event).status, "active");
    next_is(r, S(4), "qmp:query-migrate"); /* as the event before it in the file */
    assert_str(FILLED(qmp_migrate_info).error, "no route");
    next_is(r, S(4), "qmp:RESUME");
    next_is(r, S(5), "qmp:STOP");
    assert_int_equal(event.type, EV_QMP_EVENT);
    is_over(r);
    assert_int_equal(totals_of(r).bad_packets, 1);
    assert_true(has_note(&notes, NOTE_LOST, "line 11"));
    assert_true(has_note(&notes, NOTE_INFO, "5 lines"));
    close_file(r, &notes);
}

/* Very deep, very many, very long. */
static void test_hostile(void **state)
{
    struct sbuf b = { 0 };
    struct notes notes;

    (void)state;
    sbuf_z(&b, EVENT(1, "MANY", ", \"data\": {\"a\": [0") "");
    b.n -= strlen("}\n");
    for (int i = 1; i < 1000; i++)
        sbuf_fmt(&b, ", %d", i);
    sbuf_z(&b, "]}}\n");
    sbuf_z(&b,
           "{\"timestamp\": {\"seconds\": 1795349064, \"microseconds\": 2}, \"event\": \"DEEP\", "
           "\"data\": ");
    for (int i = 0; i < 1000; i++)
        sbuf_z(&b, "{\"abc\": ");
    sbuf_z(&b, "1");
    for (int i = 0; i < 1000; i++)
        sbuf_z(&b, "}");
    sbuf_z(&b, "}\n{\"timestamp\": {\"seconds\": 9223372036854775807, \"microseconds\": 2}, "
               "\"event\": \"NEVER\"}\n");
    struct reader *r = open_bytes(b.p, b.n, &notes);
    next_is(r, S(1), "qmp:MANY");
    next_is(r, S(2), "qmp:DEEP");
    assert_fields(r, "");
    next_is(r, S(2), "qmp:NEVER"); /* no time of its own that can be */
    is_over(r);
    close_file(r, &notes);
    sbuf_free(&b);
}

/* --- hosts ------------------------------------------------------------------------------- */

static void write_in(const char *name, const char *text)
{
    snprintf(path, sizeof path, "%s/%s", dir, name);
    write_file(text, strlen(text));
}

static const struct host *host_of(const struct experiment *x, const char *file)
{
    for (size_t i = 0; i < x->hosts.n; i++)
        for (size_t k = 0; k < x->hosts.at[i].readers.n; k++)
            if (strstr(x->hosts.at[i].readers.at[k]->path, file))
                return &x->hosts.at[i];
    fail_msg("%s was not opened", file);
    return NULL;
}

static void test_hosts(void **state)
{
    static const char *const files[] = { "all.jsonl",         "qemu-c1.log",  "qmp-c2.jsonl",
                                         "qemu-c1.x.org.log", "qemu-new.log", "qmp-said.jsonl",
                                         "trace-4711",        "no.jsonl" };
    const char *log = "1@1795349064.000001:migration_throttle \n";
    struct notes notes = { 0 };
    struct experiment x;
    const char *paths[] = { dir };
    char said[80];
    struct err err;

    (void)state;
    write_in(files[0], "{\"t_ns\": 1, \"host\": \"c1\", \"name\": \"a\"}\n"
                       "{\"t_ns\": 1, \"host\": \"c2\", \"name\": \"a\"}\n"
                       "{\"t_ns\": 1, \"host\": \"c1.x.org\", \"name\": \"a\"}\n");
    write_in(files[1], log);
    write_in(files[2], EVENT(5, "STOP", ""));
    write_in(files[3], log);
    write_in(files[4], log);
    write_in(files[5], EVENT(5, "STOP", ""));
    write_in(files[6], log);
    write_in(files[7], "{\"event\": 1}\n");
    snprintf(said, sizeof said, "%s/qmp-said.jsonl", dir);
    const struct experiment_host hosts[] = { { STR("c9"), said } };
    assert_int_equal(experiment_open(paths, 1,
                                     &(struct experiment_says){ .hosts = hosts, .nhosts = 1 },
                                     &notes, &x, &err),
                     0);
    assert_str(host_of(&x, "qemu-c1.log")->name, "c1");
    assert_str(host_of(&x, "qmp-c2")->name, "c2");
    assert_str(host_of(&x, "c1.x.org.log")->name, "c1.x.org");
    assert_str(host_of(&x, "qemu-new")->name, "new");
    assert_str(host_of(&x, "qmp-said")->name, "c9");
    assert_str(host_of(&x, "trace-4711")->name, strrchr(dir, '/') + 1);
    assert_true(has_note(&notes, NOTE_INFO, "taken to be c2, by its name"));
    assert_true(has_note(&notes, NOTE_INFO, "is not a file of events in JSON lines: left out"));
    struct host *c1 = &x.hosts.at[host_of(&x, "qemu-c1.log") - x.hosts.at];
    assert_int_equal(experiment_reopen(&x, c1, &err), 0);
    assert_int_equal(c1->readers.n, 2);
    experiment_close(&x);
    notes_free(&notes);
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_client_log, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_dialog, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_hostile, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_hosts, make_dir, remove_dir),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
