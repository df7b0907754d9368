/* SPDX-License-Identifier: Apache-2.0
 *
 * test_qemu_log.c -- lines of QEMU's log, from text to the structs that analyses get. */
#include "tests/unit/qemu_fixture.h"

#include "input/qemu_forms.h"

#define S(us) ((ns_t)1795349040 * NS_PER_S + (us) * (ns_t)1000)

/* Lines of QEMU 2.6 to 10, and all that is in them. */
static const struct {
    const char *line, *fields;
    enum ev_type type;
} lines[] = {
    { "runstate_set current_run_state 6 (prelaunch) new_state 9 (running)",
      "current_state=6 current_state_str='prelaunch' new_state=9 new_state_str='running' ",
      EV_QEMU_RUNSTATE },
    { "runstate_set new state 9", "new_state=9 ", EV_QEMU_RUNSTATE },
    { "vm_state_notify running 0 reason 7 (finish-migrate)",
      "running=0 reason=7 reason_str='finish-migrate' ", EV_QEMU_VM_STATE },
    { "vm_state_notify running 1 reason 9", "running=1 reason=9 ", EV_QEMU_VM_STATE },
    { "migrate_set_state new state 4", "new_state=4 ", EV_QEMU_MIGRATE_STATE },
    { "migrate_set_state new state pre-switchover", "new_state='pre-switchover' ",
      EV_QEMU_MIGRATE_STATE },
    { "migrate_pending pending size 101195776 max 0 (pre = 101195776 compat=0 post=0)",
      "size=101195776 max=0 pre=101195776 compat=0 post=0 ", EV_QEMU_PENDING },
    { "migrate_pending pending size 18446744073709551615 max 1 (post=2 nonpost=3)",
      "size=-1 max=1 post=2 nonpost=3 ", EV_QEMU_PENDING },
    { "migrate_pending pending size 5 max 6", "size=5 max=6 ", EV_QEMU_PENDING },
    { "migrate_pending_exact exact pending size 7 (pre = 8 post=9)", "size=7 pre=8 post=9 ",
      EV_QEMU_PENDING },
    { "migrate_pending_estimate estimate pending size 7 (pre = 8 compat=1 post=9)",
      "size=7 pre=8 compat=1 post=9 ", EV_QEMU_PENDING },
    { "migrate_transferred transferred 4325 time_spent 354 bandwidth 12 max_size 3665",
      "tranferred=4325 time_spent=354 bandwidth=12 size=3665 ", EV_QEMU_TRANSFERRED },
    { "migrate_transferred transferred 4325 time_spent 354 bandwidth 1.25e+06 max_size -1",
      "tranferred=4325 time_spent=354 bandwidth=1.25e+06 size=-1 ", EV_QEMU_TRANSFERRED },
    { "migrate_transferred transferred 1 time_spent 2 bandwidth 3 switchover_bw 4 max_size 5",
      "transferred=1 time_spent=2 bandwidth=3 avail_bw=4 size=5 ", EV_QEMU_TRANSFERRED },
    { "savevm_section_start 0000:00:02.0/vga, section_id 12",
      "id='0000:00:02.0/vga' section_id=12 ", EV_QEMU_SECTION_BEGIN },
    { "savevm_section_end a, section_id 1, section_id 2 -> -5",
      "id='a, section_id 1' section_id=2 ret=-5 ", EV_QEMU_SECTION_END },
    { "qemu_loadvm_state_section_startfull 2(ram) 0 4",
      "section_id=2 idstr='ram' instance_id=0 version_id=4 ", EV_QEMU_LOAD_SECTION_BEGIN },
    { "vmstate_load ram, (old)", "idstr='ram' vmsd_name='(old)' ", EV_QEMU_DEVICE_LOAD },
    { "loadvm_process_command com=0x3 len=4", "com=0x3 len=4 ", EV_QEMU_LOAD_COMMAND },
    { "loadvm_process_command com=PING len=4", "s='PING' len=4 ", EV_QEMU_LOAD_COMMAND },
    { "migration_set_outgoing_channel ioc=0x5628f64eca00 ioctype=qio-channel-socket "
      "hostname=10.0.0.2 err=(nil)",
      "ioc=0x5628f64eca00 ioctype='qio-channel-socket' hostname='10.0.0.2' err=0x0 ",
      EV_QEMU_CHANNEL_OUT },
    { "migration_set_outgoing_channel ioc=0x1 ioctype=t hostname=",
      "ioc=0x1 ioctype='t' hostname='' ", EV_QEMU_CHANNEL_OUT },
    { "migration_throttle ", "", EV_QEMU_THROTTLE },
    { "cpu_throttle_set set guest CPU throttled by 20%", "new_throttle_pct=20 ",
      EV_QEMU_CPU_THROTTLE },
    { "vmstate_downtime_save type=iterable idstr=ram instance_id=0 downtime=1500",
      "type='iterable' idstr='ram' instance_id=0 downtime=1500 ", EV_QEMU_DOWNTIME_SAVE },
    { "multifd_send channel 1 packet_num 7 normal pages 128 flags 0x0 next packet size 524288",
      "id=1 packet_num=7 normal=128 flags=0x0 next_packet_size=524288 ", EV_QEMU_MULTIFD_PACKET },
    { "multifd_recv channel 1 packet number 7 pages 3 flags 0x1",
      "id=1 packet_num=7 used=3 flags=0x1 ", EV_QEMU_MULTIFD_RECEIVED },
    { "postcopy_ram_fault_thread_request Request for HVA=7f00 rb=pc.ram offset=1000",
      "hostaddr=0x7f00 ramblock='pc.ram' offset=0x1000 ", EV_QEMU_PAGE_FAULT },
    { "process_incoming_migration_co_end ret=-22 postcopy-state=0", "ret=-22 ps=0 ",
      EV_QEMU_INCOMING_END },
    { "handle_qmp_command mon 0x5599943701b0 req: {\"execute\": \"query-status\"}",
      "mon=0x5599943701b0 req='{\"execute\": \"query-status\"}' ", EV_QEMU_COMMAND },
    { "qmp_exit_query_migrate {\"status\": \"active 3\"} 1",
      "result='{\"status\": \"active 3\"}' succeeded=1 ", EV_QEMU_COMMAND_END },
    { "virtio_queue_notify vdev 0x55 n 1", "text='vdev 0x55 n 1' ", EV_OTHER },
};

static void test_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct str line = str_of(lines[i].line);
        struct notes notes;
        char text[300], name[80];

        snprintf(name, sizeof name, "qemu:" STR_FMT,
                 STR_ARG(str_first(line, str_chr(line, ' ', 0))));
        snprintf(text, sizeof text,
                 "1@1795349039.999999:migration_throttle \n"
                 "269@1795349040.000012:%s\n",
                 lines[i].line);
        struct reader *r = open_text(text, &notes);
        next_is(r, S(-1), "qemu:migration_throttle");
        next_is(r, S(12), name);
        assert_int_equal(event.type, lines[i].type);
        assert_fields(r, lines[i].fields);
        if (event.type != EV_OTHER) {
            assert_int_equal(head.tid, 269);
            assert_int_equal(head.pid, -1);
        }
        is_over(r);
        assert_int_equal(totals_of(r).bad_packets, 0);
        assert_int_equal(notes.list.n, 0);
        close_file(r, &notes);
    }
}

/* Fields of two names or two kinds in one member. */
static void test_structs(void **state)
{
    struct notes notes;
    struct reader *r = open_text("1@1795349040.000000:migrate_set_state new state 4\n"
                                 "1@1795349040.000001:migrate_set_state new state active\n"
                                 "1@1795349040.000002:migrate_transferred transferred 1 time_spent "
                                 "2 bandwidth 7921.5 max_size 4\n"
                                 "1@1795349040.000003:migrate_pending pending size 1 max 2 (post=3 "
                                 "nonpost=4)\n"
                                 "1@1795349040.000004:migration_thread_ratelimit_pre 54 ms\n",
                                 &notes);

    (void)state;
    next_is(r, S(0), "qemu:migrate_set_state");
    assert_int_equal(FILLED(qemu_migrate_state).state, 4);
    assert_str(FILLED(qemu_migrate_state).state_name, "");
    next_is(r, S(1), "qemu:migrate_set_state");
    assert_int_equal(FILLED(qemu_migrate_state).state, 0);
    assert_str(FILLED(qemu_migrate_state).state_name, "active");
    next_is(r, S(2), "qemu:migrate_transferred");
    assert_int_equal(FILLED(qemu_transferred).bytes, 1);
    assert_int_equal(FILLED(qemu_transferred).bandwidth, 7922);
    assert_int_equal(FILLED(qemu_transferred).max_bytes, 4);
    next_is(r, S(3), "qemu:migrate_pending");
    assert_int_equal(FILLED(qemu_pending).bytes, 1);
    assert_int_equal(FILLED(qemu_pending).max_bytes, 2);
    assert_int_equal(FILLED(qemu_pending).pre_bytes, 4);
    assert_int_equal(FILLED(qemu_pending).post_bytes, 3);
    next_is(r, S(4), "qemu:migration_thread_ratelimit_pre");
    assert_int_equal(event.type, EV_QEMU_RATE_LIMIT_BEGIN);
    assert_int_equal(FILLED(qemu_rate_limit_begin).ms, 54);
    is_over(r);
    close_file(r, &notes);
}

/* A thread that waits for the file writes late, and is no clock that runs backwards. */
static void test_order(void **state)
{
    static const char text[] = "7@1795349040.000005:savevm_state_iterate \n"
                               "8@1795349040.000002:kvm_run_exit cpu_index 0, reason 2\n"
                               "7@1795349040.000006:savevm_state_iterate \n"
                               "9@1795349040.000002:kvm_run_exit cpu_index 1, reason 2\n"
                               "8@1795349040.000009:kvm_run_exit cpu_index 0, reason 8\n";
    struct notes notes;
    struct reader *r = open_text(text, &notes);
    struct span reach;

    (void)state;
    assert_true(r->ops->reach(r, &reach));
    assert_int_equal(reach.t0, S(2));
    assert_int_equal(reach.t1, S(9) + 1);
    for (int pass = 0; pass < 2; pass++) { /* again, from the beginning */
        if (pass == 0)
            next_is(r, S(2), "qemu:kvm_run_exit");
        else
            assert_true(r->ops->seek(r, NS_MIN + 1, &event));
        assert_fields(r, "cpu_index=0 reason=2 ");
        next_is(r, S(2), "qemu:kvm_run_exit");
        assert_int_equal(FILLED(qemu_kvm_run_exit).vcpu, 1);
        next_is(r, S(5), "qemu:savevm_state_iterate");
        next_is(r, S(6), "qemu:savevm_state_iterate");
        next_is(r, S(9), "qemu:kvm_run_exit");
        is_over(r);
        assert_int_equal(totals_of(r).events, 5);
        assert_int_equal(totals_of(r).backwards, 0);
    }
    assert_true(r->ops->seek(r, S(6), &event));
    assert_int_equal(event.t, S(6));
    assert_int_equal(notes.list.n, 0);
    close_file(r, &notes);

    r = open_text("7@1795349040.000005:savevm_state_iterate \n"
                  "7@1795349040.000004:savevm_state_iterate \n",
                  &notes);
    next_is(r, S(4), "qemu:savevm_state_iterate");
    next_is(r, S(5), "qemu:savevm_state_iterate");
    is_over(r);
    assert_int_equal(totals_of(r).backwards, 1);
    assert_true(has_note(&notes, NOTE_WARN, "runs backwards: 1 events"));
    close_file(r, &notes);
}

/* Messages, output of the guest, lines that met, lines that were cut, NULs and no end. */
static void test_mixed(void **state)
{
    static const char text[] =
        "2026-11-22T12:04:00.1Z qemu-system-x86_64: warning: TCG doesn't support it\r\n"
        "char device redirected to /dev/pts/3 (label charserial0)\n"
        "\n"
        "SeaBIOS216@1795349040.000001:migration_bitmap_sync_end dirty_pages 5\r\n"
        "1@1795349040.000002:savevm_section_start ram, sec2@1795349040.000003:migration_throttle \n"
        "1@1795349040.000004:migration_bitmap_sync_end dirty_p\n"
        "\0\0\xff@1795349040.000004:migration_throttle \n"
        "5@1795349040.00005:migration_throttle \n"
        "99999999999@1795349040.000005:migration_throttle \n"
        "7@9999999999999.000005:migration_throttle \n"
        "7@1795349040.000006:migration_bitmap_sync_end dirty_pages 18446744073709551616\n"
        "7@1795349040.000007:vmstate_save a, 8@1795349040.000008:vmstate_save c, d\n"
        "7@1795349040.000009:vmstate_save a, b";
    struct notes notes;
    struct reader *r = open_bytes(text, sizeof text - 1, &notes);

    (void)state;
    next_is(r, S(1), "qemu:migration_bitmap_sync_end");
    assert_int_equal(FILLED(qemu_sync_end).dirty_pages, 5);
    assert_int_equal(head.tid, 216);
    next_is(r, S(2), "qemu:savevm_section_start");
    assert_int_equal(event.type, EV_OTHER);
    assert_fields(r, "text='ram, sec' ");
    next_is(r, S(3), "qemu:migration_throttle");
    assert_int_equal(head.tid, 2);
    next_is(r, S(4), "qemu:migration_bitmap_sync_end");
    assert_int_equal(event.type, EV_OTHER);
    assert_fields(r, "text='dirty_p' ");
    next_is(r, S(6), "qemu:migration_bitmap_sync_end");
    assert_int_equal(event.type, EV_OTHER);
    next_is(r, S(7), "qemu:vmstate_save");
    assert_int_equal(event.type, EV_QEMU_DEVICE_SAVE);
    assert_str(FILLED(qemu_device_save).kind, "");
    next_is(r, S(8), "qemu:vmstate_save");
    assert_str(FILLED(qemu_device_save).kind, "d");
    next_is(r, S(9), "qemu:vmstate_save");
    assert_str(FILLED(qemu_device_save).kind, "b");
    is_over(r);
    assert_int_equal(totals_of(r).bad_packets, 3);
    assert_true(has_note(&notes, NOTE_LOST, "line 5"));
    assert_true(has_note(&notes, NOTE_INFO, "lines are no trace events"));
    assert_true(has_note(&notes, NOTE_WARN, "'dirty_pages' is missing"));
    close_file(r, &notes);
}

/* Events among QEMU's messages. */
static void test_iso(void **state)
{
    struct notes notes;
    struct reader *r = open_text("2025-11-22T12:04:00.000001Z migration_bitmap_sync_end "
                                 "dirty_pages 3\n"
                                 "2025-11-22T12:04:01Z migration_throttle \n"
                                 "2025-11-22T12:04:01Z (269) migration_throttle \n"
                                 "2025-11-22T12:04:01Z (99999999999) migration_throttle \n"
                                 "2025-11-22T12:04:01Z (1)\n"
                                 "2025-11-22T12:04:02Z unknown_event 1\n"
                                 "2025-13-22T12:04:02Z migration_throttle \n",
                                 &notes);
    ns_t t = (ns_t)1763813040 * NS_PER_S;

    (void)state;
    next_is(r, t + 1000, "qemu:migration_bitmap_sync_end");
    assert_int_equal(FILLED(qemu_sync_end).dirty_pages, 3);
    assert_int_equal(head.tid, -1);
    next_is(r, t + NS_PER_S, "qemu:migration_throttle");
    assert_int_equal(head.tid, -1);
    next_is(r, t + NS_PER_S, "qemu:migration_throttle");
    assert_int_equal(head.tid, 269);
    is_over(r);
    assert_true(has_note(&notes, NOTE_INFO, "4 lines"));
    close_file(r, &notes);
}

static void test_timeless(void **state)
{
    static const char text[] = "migrate_set_state new state setup\n"
                               "migration_bitmap_sync_end dirty_pages 0\n"
                               "savevm_section_start ram, section_id 2\n"
                               "migration_throttle \n";
    struct notes notes = { 0 };
    struct reader *r;
    struct err err;

    (void)state;
    write_file(text, sizeof text - 1);
    assert_true(reader_is_qemu(path));
    assert_int_equal(reader_open_qemu(path, &notes, &r, &err), -E_ARG);
    assert_non_null(strstr(err.text, "-msg timestamp=on"));
    notes_free(&notes);
}

/* What other programs write. */
static void test_of_others(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "migration_bitmap_sync_start\nmigration_throttle\nvmstate_save\nrunstate_set\n",
        "2016-08-08 15:03:42.148 2911 INFO nova.compute.manager [req-1 - -] VM Started\n",
        "2026-11-22T12:04:00.000Z|00005|ofproto_dpif|INFO|br-int: flow@1795349040.000001:x\n",
        "qemu-system-x86-31948 (  31944) [000] d..2.  4355.582181: sched_waking: comm=a pid=2\n",
        "time,client,server\n1795349040.774899,1,2\n",
        "{\"event\": \"nova\", \"timestamp\": \"2026-11-22\"}\n",
        "user@192.168.0.1:path name\n",
        "me@1795349040.774899:runstate\n1@1795349040.774899:Runs(\n",
        "\xff\xff\xff\xff\xff\xff\xff\xff\xb4\x29\xa4",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        write_file(texts[i], strlen(texts[i]));
        if (reader_is_qemu(path))
            fail_msg("taken for QEMU's: %s", texts[i]);
    }
}

/* A line that fits a form in very many ways, but for its end. */
static void test_hostile_text(void **state)
{
    enum { N = 1 << 20 };
    struct qemu_forms forms = qemu_forms_of(STR("vmstate_load_state_end"));
    struct qemu_values values;
    char *text = xmalloc(N);

    (void)state;
    assert_int_equal(forms.n, 1);
    memset(text, ' ', N);
    assert_false(qemu_forms_text(forms, (struct str){ text, N }, &values));
    for (size_t i = 0; i < N; i++)
        text[i] = " /"[i % 2];
    assert_false(qemu_forms_text(forms, (struct str){ text, N }, &values));
    free(text);
    assert_true(qemu_forms_text(forms, STR("a b c/d/-7"), &values));
    assert_int_equal(values.n, 3);
    assert_str(values.at[0].name, "name");
    assert_str(values.at[0].text, "a");
    assert_str(values.at[1].text, "b c/d");
    assert_int_equal(values.at[2].n, -7);
}

/* Every event of QEMU that an analysis can ask for has a form, and what it needs is in one. */
static void test_table(void **state)
{
    unsigned events = 0;

    (void)state;
    for (int type = 0; type < EV_TYPES; type++) {
        struct str names = str_of(ev_descs[type].names), name;

        for (; str_between(names, STR("qemu:"), STR("|"), &name);
             names = str_from(names, (size_t)(name.p + name.n - names.p))) {
            struct qemu_forms f = qemu_forms_of(name);

            events++;
            if (name.p[name.n - 1] == '*')
                continue;
            if (f.n == 0)
                fail_msg(STR_FMT " has no form", STR_ARG(name));
            for (uint32_t i = 0; i < f.n; i++)
                if (!str_eq(str_of(f.at[i].name), name))
                    fail_msg("forms of " STR_FMT " are not together", STR_ARG(name));
            for (uint32_t k = 0; k < ev_descs[type].nfields; k++) {
                const struct ev_field *field = &ev_descs[type].fields[k];
                bool found = !field->needed;

                for (uint32_t i = 0; i < f.n; i++) {
                    struct str rest = str_of(f.at[i].text), in;

                    for (; str_between(rest, STR("{"), STR("}"), &in);
                         rest = str_from(rest, (size_t)(in.p + in.n - rest.p)))
                        found |= ev_name_is(field->names, str_first(in, str_chr(in, ':', 0)));
                }
                if (!found)
                    fail_msg(STR_FMT ": no form has %s", STR_ARG(name), field->names);
            }
        }
    }
    assert_true(events > 80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fields, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_structs, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_order, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_mixed, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_iso, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_timeless, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(test_of_others, make_dir, remove_dir),
        cmocka_unit_test(test_hostile_text),
        cmocka_unit_test(test_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
