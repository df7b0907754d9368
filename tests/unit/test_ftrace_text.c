/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ftrace_text.c -- lines of ftrace, from text to the structs that analyses get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/ftrace_open.h"

/* Opens a text of one event and fills it. */
static void one_line(const char *text, struct reader **r, struct notes *notes, const char *name)
{
    struct reader_event e;

    *notes = (struct notes){ 0 };
    *r = open_file(write_text(text), notes);
    if (!(*r)->ops->next(*r, &e))
        fail_msg("no event in '%s'", text);
    assert_str(e.name, name);
    if (e.type == EV_OTHER)
        fail_msg("not analysed: '%s': " STR_FMT, text,
                 STR_ARG(notes->list.n ? notes->list.at[notes->list.n - 1].text : STR("")));
    memset(&ev, 0xa5, sizeof ev);
    (*r)->ops->fill(*r, &head, &ev);
    assert_str(head.name, name);
}

#define LINE " CPU 0/KVM-42      (     41) [003] d..2.  4355.582083: "

static void test_text_columns(void **state)
{
    static const struct {
        const char *line, *comm;
        int64_t tid, pid;
        uint32_t cpu;
        ns_t t;
    } cases[] = {
        { LINE "softirq_entry: vec=1 [action=TIMER]", "CPU 0/KVM", 42, 41, 3, 4355582083000 },
        { "  <idle>-0       (-------) [001] ..s1. 1.000000: softirq_entry: vec=1 [action=TIMER]",
          "<idle>", 0, -1, 1, 1000000000 },
        { "<...>-77 [000] 12.345678901: softirq_entry: vec=1", "", 77, -1, 0, 12345678901 },
        { " a [b] c-d-8 [1023] dNh2. 7.5: softirq_entry: vec=1", "a [b] c-d", 8, -1, 1023,
          7500000000 },
        { "x-1 [99999] 3.0: softirq_entry: vec=1", "x", 1, -1, UINT32_MAX, 3000000000 },
        { "x-1 [000] 4711: softirq_entry: vec=1", "x", 1, -1, 0, 4711 },
        { "\xff\xfe-5 [000] .... 3.0: softirq_entry: vec=1", "\xff\xfe", 5, -1, 0, 3000000000 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct reader *r;
        struct notes notes;

        one_line(cases[i].line, &r, &notes, "softirq_entry");
        assert_int_equal(ev.softirq.vec, 1);
        assert_str(head.procname, cases[i].comm);
        assert_int_equal(head.tid, cases[i].tid);
        assert_int_equal(head.pid, cases[i].pid);
        assert_int_equal(head.cpu, cases[i].cpu);
        assert_int_equal(head.t, cases[i].t);
        close_file(r, &notes);
    }
}

static void test_text_sched(void **state)
{
    static const struct {
        const char *text;
        int64_t number;
    } states[] = { { "R", 0 },     { "R+", 256 },  { "S", 1 },   { "D", 2 },  { "T", 4 },
                   { "t", 8 },     { "X", 16 },    { "Z", 32 },  { "P", 64 }, { "I", 128 },
                   { "S|I", 129 }, { "D|I", 130 }, { "S+", 257 } };
    struct reader *r;
    struct notes notes;
    char text[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        snprintf(text, sizeof text,
                 LINE "sched_switch: prev_comm=CPU 0/KVM prev_pid=42 prev_prio=120 prev_state=%s "
                      "==> next_comm=a b=c next_pid=7 next_prio=98\n",
                 states[i].text);
        one_line(text, &r, &notes, "sched_switch");
        assert_int_equal(ev.sched_switch.prev_state, states[i].number);
        assert_str(ev.sched_switch.prev_comm, "CPU 0/KVM");
        assert_int_equal(ev.sched_switch.prev_tid, 42);
        assert_int_equal(ev.sched_switch.next_tid, 7);
        assert_int_equal(ev.sched_switch.next_prio, 98);
        close_file(r, &notes);
    }
    one_line(LINE "sched_switch:         trace-cmd:368 [120] R+ ==> my: task:369 [97]", &r, &notes,
             "sched_switch"); /* of trace-cmd's plug-in */
    assert_str(ev.sched_switch.prev_comm, "trace-cmd");
    assert_int_equal(ev.sched_switch.prev_tid, 368);
    assert_int_equal(ev.sched_switch.prev_state, 256);
    assert_str(ev.sched_switch.next_comm, "my: task");
    assert_int_equal(ev.sched_switch.next_tid, 369);
    assert_int_equal(ev.sched_switch.next_prio, 97);
    close_file(r, &notes);
    one_line(LINE "sched_wakeup: rcu_preempt:15 [120] CPU:001", &r, &notes, "sched_wakeup");
    assert_int_equal(ev.waking.tid, 15);
    assert_int_equal(ev.waking.target_cpu, 1);
    close_file(r, &notes);
    one_line(LINE "sched_waking: comm=99 pid=15 prio=120 target_cpu=010", &r, &notes,
             "sched_waking");
    assert_str(ev.waking.comm, "99");
    assert_int_equal(ev.waking.target_cpu, 10);
    close_file(r, &notes);
    one_line(LINE "sched_process_fork: comm=bash pid=5 child_comm=sh x child_pid=6", &r, &notes,
             "sched_process_fork");
    assert_int_equal(ev.fork.parent_pid, 5);
    assert_str(ev.fork.child_comm, "sh x");
    assert_int_equal(ev.fork.child_pid, 6);
    close_file(r, &notes);
}

static void test_text_block(void **state)
{
    static const struct {
        const char *line, *name, *comm;
        int64_t dev, sector, nr_sector, bytes;
    } cases[] = {
        { LINE "block_rq_issue: 8,16 WS 4096 () 1234 + 8 [jbd2/sda-8]", "block_rq_issue",
          "jbd2/sda-8", 8 << 20 | 16, 1234, 8, 4096 },
        { LINE "block_rq_insert: 253,0 R 512 () 99999999999 + 1 none,0,0 [a [b]]",
          "block_rq_insert", "b]", 253 << 20, 99999999999, 1, 512 },
        { LINE "block_rq_issue: 8,0 N 36 (12 01 00 00 24 00) 0 + 0 [smartd]", "block_rq_issue",
          "smartd", 8 << 20, 0, 0, 36 },
        { LINE "block_rq_merge: 8,0 W 4096 () 8 + 8 [77]", "block_rq_merge", "77", 8 << 20, 8, 8,
          4096 },
    };
    struct reader *r;
    struct notes notes;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        one_line(cases[i].line, &r, &notes, cases[i].name);
        assert_int_equal(ev.block.dev, cases[i].dev);
        assert_int_equal(ev.block.sector, cases[i].sector);
        assert_int_equal(ev.block.nr_sector, cases[i].nr_sector);
        assert_int_equal(ev.block.bytes, cases[i].bytes);
        if (i != 1) /* a bracket in a name can't be told from that around it */
            assert_str(ev.block.comm, cases[i].comm);
        assert_int_equal(ev.block.rwbs, 0); /* it is text here */
        if (i == 0)
            assert_str(ev.block.rwbs_text, "WS");
        close_file(r, &notes);
    }
    one_line(LINE "block_rq_complete: 8,16 WS () 1234 + 8 none,0,0 [-5]", &r, &notes,
             "block_rq_complete");
    assert_int_equal(ev.done.sector, 1234);
    assert_int_equal(ev.done.nr_sector, 8);
    assert_int_equal(ev.done.error, -5);
    close_file(r, &notes);
}

static void test_text_syscalls(void **state)
{
    struct reader *r;
    struct notes notes;

    (void)state;
    one_line(LINE "sys_read(fd: 1f, buf: 7ffc0, count: 400)", &r, &notes, "sys_enter_read");
    assert_int_equal(ev.syscall.fd, 0x1f);
    close_file(r, &notes);
    one_line(LINE "sys_exit(error_code: 0)", &r, &notes, "sys_enter_exit");
    close_file(r, &notes);
    one_line(LINE "sys_read -> 0xfffffffffffffff2", &r, &notes, "sys_exit_read");
    assert_int_equal(ev.syscall_exit.ret, -14);
    close_file(r, &notes);
    one_line(LINE "sys_enter_futex:   uaddr: 0x7f00, op: 0x80, val: 0x00000000", &r, &notes,
             "sys_enter_futex"); /* of trace-cmd */
    assert_fields(r, READER_FIELDS, "uaddr=32512 op=128 val=0 ");
    close_file(r, &notes);
    one_line(LINE "sys_exit: NR 232 = -4", &r, &notes, "sys_exit");
    assert_int_equal(ev.nr_exit.nr, 232);
    assert_int_equal(ev.nr_exit.ret, -4);
    close_file(r, &notes);
    one_line(LINE "sys_enter: NR 232 (5, 7ffc0, 1, ffffffff, 0, 0)", &r, &notes, "sys_enter");
    assert_int_equal(ev.nr_exit.nr, 232);
    close_file(r, &notes);
}

static void test_text_others(void **state)
{
    struct reader *r;
    struct notes notes;

    (void)state;
    one_line(LINE "irq_handler_entry: irq=24 name=virtio1-req.0", &r, &notes, "irq_handler_entry");
    assert_int_equal(ev.irq.irq, 24);
    assert_str(ev.irq.name, "virtio1-req.0");
    close_file(r, &notes);
    one_line(LINE "softirq_entry: vec=3 [action=NET_RX]", &r, &notes, "softirq_entry");
    assert_fields(r, READER_FIELDS, "vec=3 action='NET_RX' ");
    close_file(r, &notes);
    one_line(LINE "kvm_exit: vcpu 0 reason EPT_VIOLATION rip 0xfff0 info1 0x0 info2 0x0", &r,
             &notes, "kvm_exit");
    assert_int_equal(ev.kvm.reason, 48);
    assert_int_equal(ev.kvm.isa, 1);
    close_file(r, &notes);
    one_line(LINE "kvm_exit: reason npf rip 0x1", &r, &notes, "kvm_exit");
    assert_int_equal(ev.kvm.reason, 0x400);
    assert_int_equal(ev.kvm.isa, 2);
    close_file(r, &notes);
    one_line(LINE "rss_stat: mm_id=5 curr=1 type=MM_ANONPAGES size=8192B", &r, &notes, "rss_stat");
    assert_int_equal(ev.rss.member, 1);
    assert_int_equal(ev.rss.size, 8192);
    close_file(r, &notes);
    one_line(LINE "net_dev_queue: dev=eth0 skbaddr=00000000ef80360f len=66", &r, &notes,
             "net_dev_queue");
    assert_str(ev.net.dev, "eth0");
    assert_int_equal(ev.net.skb, 0xef80360f);
    assert_int_equal(ev.net.len, 66);
    close_file(r, &notes);
}

/* Headers, losses, rubbish, and an event that lacks a field. */
static void test_text_whole(void **state)
{
    static const char text[] =
        "# tracer: nop\n#\n# entries-in-buffer/entries-written: 4/10   #P:2\n#\n"
        "##### CPU 1 buffer started ####\n"
        "x-1 [001] 5.000000: softirq_entry: vec=1\n"
        "rubbish\n\x01\x02\xff\xff\n"
        "x-1 [001] nothing: softirq_entry: vec=1\n"
        "CPU:1 [LOST 12 EVENTS]\n"
        "x-1 [000] 6.000000: softirq_exit: vec=1\n"
        "x-1 [001] 7.000000: softirq_exit: nothing\n"
        "x-1 [001] 6.500000: kernel_stack: <stack trace>\n => schedule\n => 0\n"
        "CPU:0 [LOST EVENTS]\n";
    static const ns_t times[] = { 5000000000, 6000000000, 7000000000, 6500000000 };
    struct notes notes = { 0 };
    struct reader_totals totals;
    struct reader_event e;
    struct losses l = { 0 };

    (void)state;
    struct reader *r = open_file(write_text(text), &notes);
    for (int i = 0; i < 4; i++) {
        assert_true(r->ops->next(r, &e));
        assert_int_equal(e.t, times[i]);
        assert_int_equal(e.type == EV_OTHER, i >= 2);
    }
    assert_false(r->ops->next(r, &e));
    r->ops->totals(r, &totals);
    assert_int_equal(totals.events, 4);
    assert_int_equal(totals.bad_packets, 3);
    assert_int_equal(totals.backwards, 1);
    assert_int_equal(totals.discarded, 12);
    assert_int_equal(totals.lost_packets, 1);
    assert_true(has_note(&notes, NOTE_LOST, "the first is line 7"));
    assert_true(has_note(&notes, NOTE_WARN, "6 events were overwritten"));
    assert_true(has_note(&notes, NOTE_WARN, "field 'vec' is missing"));
    assert_true(has_note(&notes, NOTE_WARN, "runs backwards"));
    r->ops->losses(r, take_loss, &l);
    assert_int_equal(l.n, 3);
    assert_int_equal(l.at[0].events, 6);
    assert_int_equal(l.at[1].events, 12);
    assert_int_equal(l.at[1].t0, 5000000000);
    assert_int_equal(l.at[1].t1, 7000000000);
    assert_int_equal(l.at[2].cpu, 0);
    assert_int_equal(l.at[2].t0, 6000000000);
    assert_int_equal(l.at[2].t1, NS_MAX);
    assert_true(r->ops->seek(r, 5500000000, &e));
    assert_int_equal(e.t, 6000000000);
    close_file(r, &notes);
}

/* Lines that would take for ever if a column were looked for in all of them. */
static void test_text_long_lines(void **state)
{
    struct sbuf b = { 0 };
    struct notes notes = { 0 };
    struct reader_event e;

    (void)state;
    sbuf_z(&b, "x-1 [000] 5.000000: softirq_entry: vec=1\n");
    for (size_t i = 0; i < 1 << 20; i++)
        sbuf_z(&b, i % 4 ? " [000]" : "-7 a=");
    sbuf_z(&b, "\nx-1 [000] 6.000000: softirq_exit: vec=2 ");
    for (size_t i = 0; i < 1 << 19; i++)
        sbuf_z(&b, " a=[(");
    sbuf_chr(&b, '\n');
    struct reader *r = open_file(write_bytes("trace", b.p, b.n), &notes);
    assert_true(r->ops->next(r, &e));
    assert_true(r->ops->next(r, &e));
    assert_int_equal(e.t, 6000000000);
    r->ops->fill(r, &head, &ev);
    assert_int_equal(ev.softirq.vec, 2);
    assert_false(r->ops->next(r, &e));
    close_file(r, &notes);
    sbuf_free(&b);
}

static void test_is_not_ftrace(void **state)
{
    static const char *const texts[] = { "",
                                         "\n\n",
                                         "hello\n",
                                         "{\"t_ns\":1}\n",
                                         "# a comment\n",
                                         "[ 1.0] kernel: hello\n",
                                         "\x17\x08\x44traci",
                                         "x-1 [00] 1.0: a: b\n",
                                         "x-1 [000] 1.0 a: b\n" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        assert_false(reader_is_ftrace(write_text(texts[i])));
    assert_false(reader_is_ftrace(dir));
    assert_false(reader_is_ftrace(path_of("nothing")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_columns),    cmocka_unit_test(test_text_sched),
        cmocka_unit_test(test_text_block),      cmocka_unit_test(test_text_syscalls),
        cmocka_unit_test(test_text_others),     cmocka_unit_test(test_text_whole),
        cmocka_unit_test(test_text_long_lines), cmocka_unit_test(test_is_not_ftrace),
    };

    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
