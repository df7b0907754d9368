/* SPDX-License-Identifier: Apache-2.0
 *
 * test_qemu_simple.c -- the binary of QEMU's backend `simple`, written here byte by byte. */
#include "tests/unit/qemu_fixture.h"

static struct sbuf file;
static bool big_endian;

static void put(uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sbuf_chr(&file, (char)(v >> 8 * (big_endian ? n - 1 - i : i)));
}

static void put_text(const char *text)
{
    put(strlen(text), 4);
    sbuf_z(&file, text);
}

static void begin(uint64_t version)
{
    sbuf_free(&file);
    put(UINT64_MAX, 8);
    put(UINT64_C(0xf2b177cb0aa429b4), 8);
    put(version, 8);
}

static void put_mapping(uint64_t id, const char *name)
{
    put(0, 8);
    put(id, 8);
    put_text(name);
}

static void put_event(uint64_t id, ns_t t, uint32_t pid, size_t bytes)
{
    put(1, 8);
    put(id, 8);
    put((uint64_t)t, 8);
    put(24 + bytes, 4);
    put(pid, 4);
}

static const char *const names[] = { "migration_bitmap_sync_end", "migrate_set_state",
                                     "savevm_section_end", "migration_throttle", "some_event" };

static void put_all(void)
{
    begin(4);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        put_mapping(100 + i, names[i]);
    put_event(103, 1000, 0, 0);
    put_event(100, 2000, 77, 8);
    put(12289, 8);
    put_event(101, 3000, 77, 8 + 1);
    put_text("setup");
    put_event(101, 3001, 77, 8); /* "none" has as many bytes as a number */
    put_text("none");
    put_event(101, 3002, 77, 8);
    put(4, 8);
    put_event(102, 2500, 77, 4 + 3 + 8 + 8);
    put_text("ram");
    put(1, 8);
    put((uint64_t)-5, 8);
    put_event(UINT64_MAX - 1, 4000, 77, 8);
    put(42, 8);
    put_event(104, 5000, 77, 9);
    sbuf_add(&file, "\x01\x02\x03\x04\x05\x06\x07\x08\xff", 9);
}

static void take_loss(void *ctx, const struct reader_loss *loss)
{
    *(struct reader_loss *)ctx = *loss;
}

static void check_all(struct reader *r, const struct notes *notes)
{
    struct reader_loss loss = { 0 };

    next_is(r, 1000, "qemu:migration_throttle");
    assert_int_equal(head.pid, -1);
    next_is(r, 2000, "qemu:migration_bitmap_sync_end");
    assert_int_equal(FILLED(qemu_sync_end).dirty_pages, 12289);
    assert_int_equal(head.pid, 77);
    assert_int_equal(head.tid, -1);
    next_is(r, 2500, "qemu:savevm_section_end");
    assert_str(FILLED(qemu_section_end).device, "ram");
    assert_int_equal(FILLED(qemu_section_end).ret, -5);
    next_is(r, 3000, "qemu:migrate_set_state");
    assert_str(FILLED(qemu_migrate_state).state_name, "setup");
    next_is(r, 3001, "qemu:migrate_set_state");
    assert_str(FILLED(qemu_migrate_state).state_name, "none");
    next_is(r, 3002, "qemu:migrate_set_state");
    assert_str(FILLED(qemu_migrate_state).state_name, "");
    assert_int_equal(FILLED(qemu_migrate_state).state, 4);
    next_is(r, 5000, "qemu:some_event");
    assert_fields(r, "bytes='0102030405060708 ff' ");
    is_over(r);
    assert_int_equal(totals_of(r).events, 7);
    assert_int_equal(totals_of(r).discarded, 42);
    assert_int_equal(totals_of(r).bad_packets, 0);
    r->ops->losses(r, take_loss, &loss);
    assert_int_equal(loss.events, 42);
    assert_int_equal(loss.t0, 2500);
    assert_int_equal(loss.t1, 4000);
    assert_true(notes->list.n == 0);
    assert_true(str_is(r->properties[1].value, "mono"));
}

static void test_all(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct notes notes;

        big_endian = i;
        put_all();
        struct reader *r = open_bytes(file.p, file.n, &notes);
        check_all(r, &notes);
        assert_true(r->ops->seek(r, 3001, &event));
        assert_int_equal(event.t, 3001);
        close_file(r, &notes);
    }
    big_endian = false;
}

/* Cut at any byte: what is whole is read, and no more. */
static void test_cut(void **state)
{
    uint64_t before = 0;

    (void)state;
    put_all();
    for (size_t n = 24; n <= file.n; n++) {
        struct notes notes;
        struct reader *r = open_bytes(file.p, n, &notes);
        uint64_t events = 0;

        while (r->ops->next(r, &event))
            events++;
        assert_true(events == before || events == before + 1);
        assert_int_equal(totals_of(r).events, events);
        before = events;
        close_file(r, &notes);
    }
    assert_int_equal(before, 7);
}

static void test_garbage_between(void **state)
{
    struct notes notes;

    (void)state;
    begin(4);
    put_mapping(1, "migration_throttle");
    put_event(1, 10, 7, 0);
    put_event(2, 20, 7, 0); /* no such event */
    put_event(1, 30, 7, 0);
    put_event(1, 40, 7, (1 << 20) - 24); /* longer than QEMU's buffer */
    sbuf_add(&file, "\0\0\0\0\0\0\0\0\0garbage", 16);
    put_event(1, INT64_MIN, 7, 0);
    put_event(1, 50, 7, 0);
    struct reader *r = open_bytes(file.p, file.n, &notes);
    next_is(r, 10, "qemu:migration_throttle");
    next_is(r, 30, "qemu:migration_throttle");
    next_is(r, 50, "qemu:migration_throttle");
    is_over(r);
    assert_int_equal(totals_of(r).bad_packets, 2);
    assert_true(has_note(&notes, NOTE_LOST, "it is no record"));
    close_file(r, &notes);
}

static void test_versions(void **state)
{
    static const struct {
        uint64_t version;
        const char *words;
    } cases[] = { { 2, "QEMU 2.9 or later" }, { 3, "trace-events-all" }, { 5, "is not known" } };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct notes notes = { 0 };
        struct reader *r;
        struct err err;

        begin(cases[i].version);
        write_file(file.p, file.n);
        assert_true(reader_is_qemu(path));
        assert_int_equal(reader_open_qemu(path, &notes, &r, &err), -E_UNSUP);
        assert_non_null(strstr(err.text, cases[i].words));
    }
}

static int free_file(void **state)
{
    sbuf_free(&file);
    return remove_dir(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_all, make_dir, free_file),
        cmocka_unit_test_setup_teardown(test_cut, make_dir, free_file),
        cmocka_unit_test_setup_teardown(test_garbage_between, make_dir, free_file),
        cmocka_unit_test_setup_teardown(test_versions, make_dir, free_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
