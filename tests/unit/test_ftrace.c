/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ftrace.c -- events of trace.dat and of perf's CTF, from bytes to the structs that
 * analyses get, and the hosts of files that do not tell. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "input/experiment.h"
#include "tests/unit/ftrace_fixture.h"
#include "tests/unit/ftrace_open.h"

#include <sys/stat.h>

/* --- trace.dat ------------------------------------------------------------------------- */

/* Two CPUs: times, kinds of words and losses that occur in real pages. */
static void fill_pages(struct fx *x)
{
    fx_page_begin(x, 1000);
    fx_switch(x, 0, "qemu-system-x86", 41, 256, "CPU 0/KVM", 42); /* t 1000 */
    fx_word(x, 30, 5);                                            /* more time: 5 + 1 << 27 */
    fx_put(x, &x->page, 1, 4);
    fx_switch(x, 10, "CPU 0/KVM", 42, 1, "swapper/0", 0); /* t 1015 + (1 << 27) */
    fx_page_end(x, 0, -1);
    fx_page_begin(x, UINT64_C(300000000));
    fx_word(x, 29, 7); /* discarded: 8 bytes with the word that says so */
    fx_put(x, &x->page, 8, 4);
    fx_put(x, &x->page, 0, 4);
    fx_exec(x, 3, "/usr/bin/qemu", 41); /* t 300000010 */
    fx_page_end(x, 0, 12);
    fx_page_begin(x, 900);
    fx_switch(x, 50, "swapper/1", 0, 0, "rcu_preempt", 15); /* t 950 */
    fx_word(x, 31, 2000);                                   /* the whole time */
    fx_put(x, &x->page, 0, 4);
    fx_switch(x, 0, "rcu_preempt", 15, 128, "swapper/1", 0); /* t 2000 */
    fx_page_end(x, 1, 0);
}

/* An instance: only in version 6 its events are in a place of their own. */
static void make_dat_of(struct sbuf *b, int version, bool big_endian, bool packed, bool instance)
{
    struct fx x = {
        .version = version, .big_endian = big_endian, .is_packed = packed, .in_instance = instance
    };

    fill_pages(&x);
    b->n = 0;
    fx_write(&x, b);
    fx_free(&x);
}

static void make_dat(struct sbuf *b, int version, bool big_endian, bool packed)
{
    make_dat_of(b, version, big_endian, packed, false);
}

static void check_events(struct reader *r)
{
    struct reader_event e;

    next_is(r, 950, 1, "sched_switch");
    assert_int_equal(head.tid, 0);
    assert_int_equal(head.pid, -1);
    assert_str(head.procname, "<idle>");
    next_is(r, 1000, 0, "sched_switch");
    assert_str(ev.sched_switch.prev_comm, "qemu-system-x86");
    assert_int_equal(ev.sched_switch.prev_tid, 41);
    assert_int_equal(ev.sched_switch.prev_state, 256);
    assert_str(ev.sched_switch.next_comm, "CPU 0/KVM");
    assert_int_equal(ev.sched_switch.next_tid, 42);
    assert_int_equal(ev.sched_switch.next_prio, -1);
    assert_str(head.procname, "qemu-system-x86");
    assert_fields(r, READER_CONTEXT, "tid=41 procname='qemu-system-x86' ");
    assert_fields(r, READER_FIELDS,
                  "prev_comm='qemu-system-x86' prev_pid=41 prev_prio=120 prev_state=256 "
                  "next_comm='CPU 0/KVM' next_pid=42 next_prio=-1 ");
    next_is(r, 2000, 1, "sched_switch");
    assert_int_equal(ev.sched_switch.prev_state, 128);
    next_is(r, 1015 + (1 << 27), 0, "sched_switch");
    assert_str(head.procname, "CPU 0/KVM");
    next_is(r, 300000010, 0, "sched_process_exec");
    assert_str(ev.exec.filename, "/usr/bin/qemu");
    assert_int_equal(ev.exec.tid, 41);
    assert_false(r->ops->next(r, &e));
    assert_false(r->ops->next(r, &e));
}

static void check_rest(struct reader *r)
{
    struct reader_totals totals;
    struct losses l = { 0 };
    struct reader_event e;
    uint64_t events[3] = { 0 };
    struct reader_counts counts = { .events = events };

    r->ops->totals(r, &totals);
    assert_int_equal(totals.events, 5);
    assert_int_equal(totals.discarded, 12);
    assert_int_equal(totals.lost_packets, 1);
    assert_int_equal(totals.packets, 3);
    assert_int_equal(totals.streams, 2);
    assert_int_equal(totals.bad_packets, 0);
    r->ops->losses(r, take_loss, &l);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.at[0].t0, 1015 + (1 << 27));
    assert_int_equal(l.at[0].t1, 300000000);
    assert_int_equal(l.at[0].cpu, 0);
    assert_int_equal(l.at[0].events, 12);
    assert_int_equal(l.at[1].t0, NS_MIN);
    assert_int_equal(l.at[1].cpu, 1);
    assert_int_equal(l.at[1].packets, 1);
    assert_true(r->ops->seek(r, 1001, &e));
    assert_int_equal(e.t, 2000);
    assert_int_equal(r->nclasses, 3);
    r->ops->count(r, 2, &counts);
    assert_int_equal(counts.all, 5);
    assert_int_equal(events[0], 4);
    assert_int_equal(events[1], 1);
    assert_int_equal(counts.first, 950);
    assert_int_equal(counts.last, 300000010);
}

static void test_dat(void **state)
{
    static const struct {
        int version;
        bool big_endian, packed, instance;
    } kinds[] = {
        { 6, false, false, false }, { 6, true, false, false }, { 7, false, false, false },
        { 7, true, false, false },  { 7, false, true, false }, { 7, true, true, false },
        { 6, false, false, true },
    };
    struct sbuf b = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        struct notes notes = { 0 };

        make_dat_of(&b, kinds[i].version, kinds[i].big_endian, kinds[i].packed, kinds[i].instance);
        struct reader *r = open_file(write_bytes("trace", b.p, b.n), &notes);
        assert_str(r->host, "compute-7");
        assert_str(r->domain, "kernel");
        check_events(r);
        check_rest(r);
        close_file(r, &notes);
    }
    sbuf_free(&b);
}

static void test_dat_properties(void **state)
{
    static const char *const expected[][2] = { { "uname", fx_uname },
                                               { "tracer", "trace-cmd 3.1.6" },
                                               { "clock", "mono" },
                                               { "file_version", "6" },
                                               { "cpus", "2" } };
    struct sbuf b = { 0 };
    struct notes notes = { 0 };

    (void)state;
    make_dat(&b, 6, false, false);
    struct reader *r = open_file(write_bytes("trace", b.p, b.n), &notes);
    for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
        bool found = false;

        for (uint32_t k = 0; k < r->nproperties; k++)
            if (str_is(r->properties[k].key, expected[i][0])) {
                assert_str(r->properties[k].value, expected[i][1]);
                found = true;
            }
        assert_true(found);
    }
    close_file(r, &notes);
    sbuf_free(&b);
}

/* Opens bytes that may be damaged and reads all; returns the number of events. */
static uint64_t read_damaged(const void *p, size_t n)
{
    const char *path = write_bytes("trace", p, n);
    struct notes notes = { 0 };
    struct reader_event e;
    struct losses l = { 0 };
    struct reader *r;
    struct err err = { 0 };
    uint64_t events = 0;

    if (reader_open_ftrace(path, &notes, &r, &err) < 0) {
        assert_non_null(strstr(err.text, path));
        notes_free(&notes);
        return 0;
    }
    while (r->ops->next(r, &e)) {
        if (e.type != EV_OTHER)
            r->ops->fill(r, &head, &ev);
        struct sbuf b = { 0 };
        const struct value_sink sink = { &b, add_open, add_close, add_scalar, add_text };
        r->ops->visit(r, READER_FIELDS, &sink);
        sbuf_free(&b);
        events++;
    }
    if (n == 0)
        r->ops->losses(r, take_loss, &l);
    close_file(r, &notes);
    return events;
}

static void test_dat_cut_off(void **state)
{
    struct sbuf b = { 0 };

    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        make_dat(&b, kind ? 7 : 6, false, kind == 2);
        uint64_t some = 0;

        for (size_t n = 11; n < b.n; n += 7) {
            uint64_t events = read_damaged(b.p, n);
            assert_true(events <= 5);
            some += events > 0 && events < 5;
        }
        assert_int_equal(read_damaged(b.p, b.n), 5);
        if (kind == 0)
            assert_true(some > 0); /* what is there is read */
    }
    sbuf_free(&b);
}

/* The last options say where more of them are. */
static void test_dat_options_cut_off(void **state)
{
    struct sbuf b = { 0 };
    struct notes notes = { 0 };

    (void)state;
    make_dat(&b, 7, false, false);
    b.p[b.n - 6] = 1;
    struct reader *r = open_file(write_bytes("trace", b.p, b.n), &notes);
    assert_true(has_note(&notes, NOTE_LOST,
                         "the file is cut off: the options that should be at "
                         "byte 65536"));
    check_events(r);
    close_file(r, &notes);
    sbuf_free(&b);
}

static void test_dat_damaged(void **state)
{
    struct sbuf b = { 0 };
    uint32_t random = 1;

    (void)state;
    for (int i = 0; i < 3000; i++) {
        make_dat(&b, i % 3 ? 7 : 6, i % 5 == 0, i % 3 == 2);
        for (int k = 0; k < 1 + i % 4; k++) {
            random = random * 1664525 + 1013904223;
            size_t at = 10 + (random >> 8) % (b.n - 10);
            b.p[at] = (char)(i % 2 ? random >> 4 : (random & 64 ? 0xff : 0));
        }
        assert_true(read_damaged(b.p, b.n) < 1000);
    }
    sbuf_free(&b);
}

static void assert_refused(const void *p, size_t n, const char *words)
{
    struct notes notes = { 0 };
    struct reader *r;
    struct err err = { 0 };

    assert_true(reader_open_ftrace(write_bytes("trace", p, n), &notes, &r, &err) < 0);
    if (!strstr(err.text, words))
        fail_msg("'%s' does not say '%s'", err.text, words);
    notes_free(&notes);
}

static void test_dat_refused(void **state)
{
    struct sbuf b = { 0 };

    (void)state;
    make_dat(&b, 7, false, true);
    memcpy(b.p + 18, "zlib", 4);
    assert_refused(b.p, b.n, "compressed with 'zlib'");
    b.p[10] = '9';
    assert_refused(b.p, b.n, "version '9'; 6 and 7 can be read");
    assert_refused(b.p, 12, "version");
    sbuf_free(&b);
}

/* --- hosts ----------------------------------------------------------------------------- */

static void test_hosts(void **state)
{
    static const char event[] =
        "{\"t_ns\":5,\"host\":\"node-3\",\"cpu\":0,\"name\":\"a\",\"fields\":{}}\n";
    const char *paths[] = { dir };
    struct notes notes = { 0 };
    struct experiment x;
    struct reader_event e;
    struct err err;

    (void)state;
    write_text("x-1 [000] 6.000000: softirq_exit: vec=2\n");
    assert_int_equal(experiment_open(paths, 1, NULL, &notes, &x, &err), 0);
    assert_int_equal(x.hosts.n, 1);
    assert_str(x.hosts.at[0].name, strrchr(dir, '/') + 1);
    assert_true(has_note(&notes, NOTE_INFO, "by the name of its folder"));
    experiment_close(&x);
    notes_free(&notes);

    write_bytes("events.jsonl", event, sizeof event - 1);
    notes = (struct notes){ 0 };
    assert_int_equal(experiment_open(paths, 1, NULL, &notes, &x, &err), 0);
    assert_int_equal(x.hosts.n, 1);
    assert_str(x.hosts.at[0].name, "node-3");
    assert_int_equal(x.hosts.at[0].readers.n, 2);
    assert_true(has_note(&notes, NOTE_INFO, "taken to be node-3"));
    assert_int_equal(experiment_reopen(&x, &x.hosts.at[0], &err), 0);
    struct reader *r = x.hosts.at[0].readers.at[1];
    assert_string_equal(r->ops->format, "ftrace text");
    assert_true(r->ops->next(r, &e));
    assert_int_equal(e.t, 6000000000);
    experiment_close(&x);
    notes_free(&notes);
    unlink(path_of("events.jsonl"));
}

/* --- perf ------------------------------------------------------------------------------ */

/* As perf data convert --to-ctf writes it: tools/perf/util/data-convert-bt.c. */
static const char perf_metadata[] =
    "/* CTF 1.8 */\n"
    "trace { major = 1; minor = 8; uuid = \"00010203-0405-0607-0809-0a0b0c0d0e0f\";\n"
    " byte_order = le; packet.header := struct {\n"
    "  integer { size = 32; align = 8; } magic; integer { size = 8; align = 8; } uuid[16];\n"
    "  integer { size = 32; align = 8; } stream_id; } align(8); };\n"
    "env { host = \"compute-8\"; sysname = \"Linux\"; release = \"6.1\"; domain = \"kernel\";\n"
    " tracer_name = \"perf\"; };\n"
    "clock { name = perf_clock; freq = 1000000000; offset_s = 0; offset = 0; absolute = FALSE; };\n"
    "stream { id = 0; event.header := struct { integer { size = 32; align = 8; } id;\n"
    "  integer { size = 64; align = 8; map = clock.perf_clock.value; } timestamp; } align(8);\n"
    " packet.context := struct { integer { size = 64; align = 8; } timestamp_begin;\n"
    "  integer { size = 64; align = 8; } timestamp_end;\n"
    "  integer { size = 64; align = 8; } content_size;\n"
    "  integer { size = 64; align = 8; } packet_size;\n"
    "  integer { size = 64; align = 8; } events_discarded;\n"
    "  integer { size = 32; align = 1; } cpu_id; } align(8); };\n"
    "event { id = 0; name = \"sched:sched_switch\"; stream_id = 0; fields := struct {\n"
    "  integer { size = 64; align = 1; base = hexadecimal; } perf_ip;\n"
    "  integer { size = 32; align = 1; signed = true; } perf_tid;\n"
    "  integer { size = 32; align = 1; signed = true; } perf_pid;\n"
    "  integer { size = 64; align = 1; } perf_id; integer { size = 64; align = 1; } perf_period;\n"
    "  integer { size = 32; align = 1; signed = true; } common_pid; string prev_comm;\n"
    "  integer { size = 32; align = 1; signed = true; } prev_pid;\n"
    "  integer { size = 64; align = 1; signed = true; } prev_state; string next_comm;\n"
    "  integer { size = 32; align = 1; signed = true; } next_pid; } align(8); };\n";

static void test_perf(void **state)
{
    const struct fx x = { 0 }; /* for numbers */
    struct sbuf b = { 0 }, e = { 0 };
    struct notes notes = { 0 };
    struct reader *r;
    struct err err = { 0 };

    (void)state;
    fx_put(&x, &e, 0, 4);
    fx_put(&x, &e, 5000, 8);
    fx_put(&x, &e, 0xffffffff81000000, 8);
    fx_put(&x, &e, 42, 4);
    fx_put(&x, &e, 41, 4);
    fx_put(&x, &e, 7, 8);
    fx_put(&x, &e, 1, 8);
    fx_put(&x, &e, 42, 4);
    sbuf_add(&e, "CPU 0/KVM", 10);
    fx_put(&x, &e, 42, 4);
    fx_put(&x, &e, 1, 8);
    sbuf_add(&e, "swapper/1", 10);
    fx_put(&x, &e, 0, 4);
    fx_put(&x, &b, 0xc1fc1fc1, 4);
    for (uint64_t i = 0; i < 16; i++)
        fx_put(&x, &b, i, 1);
    fx_put(&x, &b, 0, 4);
    fx_put(&x, &b, 5000, 8);
    fx_put(&x, &b, 5000, 8);
    fx_put(&x, &b, (68 + e.n) * 8, 8);
    fx_put(&x, &b, (68 + e.n) * 8, 8);
    fx_put(&x, &b, 0, 8);
    fx_put(&x, &b, 1, 4);
    sbuf_add(&b, e.p, e.n);
    mkdir(path_of("perf"), 0700);
    write_bytes("perf/metadata", perf_metadata, sizeof perf_metadata - 1);
    write_bytes("perf/stream", b.p, b.n);
    if (reader_open_ctf(path_of("perf"), &notes, &r, &err) < 0)
        fail_msg("%s", err.text);
    assert_str(r->host, "compute-8");
    next_is(r, 5000, 1, "sched:sched_switch");
    assert_int_equal(head.tid, 42);
    assert_int_equal(head.pid, 41);
    assert_str(ev.sched_switch.prev_comm, "CPU 0/KVM");
    assert_int_equal(ev.sched_switch.prev_tid, 42);
    assert_int_equal(ev.sched_switch.prev_state, 1);
    assert_str(ev.sched_switch.next_comm, "swapper/1");
    assert_int_equal(ev.sched_switch.next_tid, 0);
    close_file(r, &notes);
    sbuf_free(&b);
    sbuf_free(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dat),         cmocka_unit_test(test_dat_properties),
        cmocka_unit_test(test_dat_cut_off), cmocka_unit_test(test_dat_options_cut_off),
        cmocka_unit_test(test_dat_damaged), cmocka_unit_test(test_dat_refused),
        cmocka_unit_test(test_hosts),       cmocka_unit_test(test_perf),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
