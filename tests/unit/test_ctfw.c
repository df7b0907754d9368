/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ctfw.c -- the CTF writer, byte by byte: packet and event headers, both
 * layouts, the short timestamp's wrap, packet boundaries, losses, the index
 * and the metadata's packets.  Expected bytes are written down here, not
 * computed by the code under test; real LTTng files were the model. */
#include "base/file.h"
#include "sim/ctfw.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OFFSET UINT64_C(1470187241710873143)

static const struct ctfw_env env[] = {
    { "hostname", "controller", 0 }, { "domain", "ust", 0 },      { "tracer_name", "lttng-ust", 0 },
    { "tracer_major", NULL, 2 },     { "tracer_minor", NULL, 8 }, { 0 },
};
static const struct ctfw_field small_fields[] = { CTFW_U("v", 32) };
static const struct ctfw_label labels[] = { { "ZERO", 0, 0 }, { "FEW", 1, 4 }, { 0 } };
static const struct ctfw_field all_fields[] = {
    CTFW_S("i8", 8),
    CTFW_BE("port", 16),
    CTFW_X("addr", 64),
    CTFW_COMM("comm", 5),
    { .name = "seq", .kind = CTFW_SEQ, .bits = 16, .len_bits = 8 },
    CTFW_STRING("s"),
    CTFW_F64("d"),
    { .name = "e", .kind = CTFW_ENUM, .bits = 32, .is_signed = true, .labels = labels },
    { .name = "arr", .kind = CTFW_ARRAY, .bits = 8, .count = 3 },
};
static const struct ctfw_field context_fields[] = { CTFW_S("vpid", 32), CTFW_COMM("procname", 4) };

/* A trace in a folder of its own, with one channel. */
struct fixture {
    char dir[400];
    struct ctfw_trace *trace;
    struct ctfw_channel *channel;
    struct err err;
    struct arena mem;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");

    snprintf(f->dir, sizeof f->dir, "%s/test_ctfw_XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[420];

    ctfw_free(f->trace);
    arena_free(&f->mem);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* Opens the trace; timestamps in tests are raw, begin is 1000. */
static void begin(struct fixture *f, enum ctfw_header header, unsigned cpus, bool context)
{
    const struct ctfw_trace_config config = {
        .dir = f->dir,
        .env = env,
        .uuid = { 0x40, 0xc8, 0xad, 0x6b, 0xf2, 0xcf, 0x46, 0x37, 0xa7, 0x06, 0xd6, 0x51, 0xee,
                  0x31, 0x4f, 0x3e },
        .clock_offset_ns = OFFSET,
        .begin = (ns_t)OFFSET + 1000,
        .streams_first = true,
        .empty_metadata_packet = true,
    };
    const struct ctfw_channel_config channel = {
        .name = "chan",
        .cpus = cpus,
        .packet_bytes = 4096,
        .header = header,
        .context = context ? context_fields : NULL,
        .n_context = context ? ARRAY_SIZE(context_fields) : 0,
    };

    assert_int_equal(ctfw_open(&config, &f->trace, &f->err), 0);
    assert_int_equal(ctfw_channel(f->trace, &channel, &f->channel, &f->err), 0);
}

static void emit(struct fixture *f, const struct ctfw_event *e, uint64_t raw, uint32_t v)
{
    assert_int_equal(ctfw_emit(f->channel, 0, e, (ns_t)(OFFSET + raw), NULL,
                               (struct ctfw_val[]){ ctfw_u(v) }, NULL, &f->err),
                     0);
}

static void finish(struct fixture *f, uint64_t raw)
{
    assert_int_equal(ctfw_finish(f->trace, (ns_t)(OFFSET + raw), &f->err), 0);
}

static struct fmap file_of(struct fixture *f, const char *name)
{
    struct fmap map;

    assert_int_equal(fmap_open(path_join(&f->mem, f->dir, name), &map, &f->err), 0);
    return map;
}

static uint64_t u64_at(const struct fmap *m, size_t offset)
{
    uint64_t v;

    assert_true(offset + 8 <= m->n);
    memcpy(&v, m->p + offset, 8);
    return v;
}

static void assert_bytes(const struct fmap *m, size_t offset, const char *hex)
{
    char have[512] = "";
    size_t n = strlen(hex) / 2;

    assert_true(offset + n <= m->n && n * 2 < sizeof have);
    for (size_t i = 0; i < n; i++)
        snprintf(have + 2 * i, 3, "%02x", m->p[offset + i]);
    assert_string_equal(have, hex);
}

static void test_packet_header(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_COMPACT, 8, false);
    finish(f, 5000);
    struct fmap m = file_of(f, "chan_7");

    /* an empty stream is one page: header, then zeros */
    assert_int_equal(m.n, 4096);
    assert_bytes(&m, 0, "c11ffcc140c8ad6bf2cf4637a706d651ee314f3e00000000");
    assert_bytes(&m, 24, "0700000000000000"); /* stream instance */
    assert_bytes(&m, 32, "e803000000000000"); /* begin, end */
    assert_bytes(&m, 40, "8813000000000000");
    assert_bytes(&m, 48, "a002000000000000"); /* 84 bytes of content */
    assert_bytes(&m, 56, "0080000000000000"); /* 4096 bytes */
    assert_bytes(&m, 64,
                 "00000000000000000000000000000000"
                 "0700000000");
    fmap_close(&m);
}

static void test_compact_headers(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_COMPACT, 1, false);
    struct ctfw_event *e = ctfw_event(f->channel, "p:e", 13, small_fields, 1);

    emit(f, e, 0x1ff00000000, 1);                     /* first: extended */
    emit(f, e, 0x1ff00000000 + 5, 2);                 /* compact */
    emit(f, e, 0x1ff00000000 + 5 + (1 << 27) - 1, 3); /* compact, the 27 bits wrap */
    emit(f, e, 0x1ff00000000 + 4 + (2ull << 27), 4);  /* a pause of 2^27: extended */
    finish(f, 0x1ff80000000);
    struct fmap m = file_of(f, "chan_0");

    assert_bytes(&m, 84,
                 "1f"
                 "00000000"
                 "00000000ff010000"
                 "01000000");
    assert_bytes(&m, 101, "a000000002000000"); /* 5 << 5 */
    assert_bytes(&m, 109, "8000000003000000"); /* 4 << 5: wrapped */
    assert_bytes(&m, 117,
                 "1f"
                 "00000000"
                 "04000010ff010000"
                 "04000000");
    assert_int_equal(u64_at(&m, 48), (84 + 17 + 8 + 8 + 17) * 8);
    fmap_close(&m);
}

static void test_compact_large_id(void **state)
{
    struct fixture *f = *state;
    struct ctfw_event *last = NULL;

    begin(f, CTFW_COMPACT, 1, false);
    for (int i = 0; i < 32; i++)
        last = ctfw_event(f->channel, "p:e", 13, small_fields, 1);
    emit(f, last, 2000, 1);
    emit(f, last, 2001, 2); /* id 31 does not fit into the compact header */
    finish(f, 3000);
    struct fmap m = file_of(f, "chan_0");

    assert_bytes(&m, 101,
                 "1f"
                 "1f000000"
                 "d107000000000000"
                 "02000000");
    fmap_close(&m);
}

static void test_large_headers(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_LARGE, 1, false);
    struct ctfw_event *a = ctfw_event(f->channel, "p:a", 13, small_fields, 1);
    struct ctfw_event *b = ctfw_event(f->channel, "p:b", 13, small_fields, 1);

    emit(f, a, 0xfffffff0, 1);  /* first: extended */
    emit(f, b, 0xfffffff8, 2);  /* compact */
    emit(f, b, 0x100000004, 3); /* compact, the 32 bits wrap */
    emit(f, a, 0x110000004, 4); /* a long pause: extended */
    finish(f, 0x110000100);
    struct fmap m = file_of(f, "chan_0");

    assert_bytes(&m, 84,
                 "ffff"
                 "00000000"
                 "f0ffffff00000000"
                 "01000000");
    assert_bytes(&m, 102, "0100f8ffffff02000000");
    assert_bytes(&m, 112, "01000400000003000000");
    assert_bytes(&m, 122,
                 "ffff"
                 "00000000"
                 "0400001001000000"
                 "04000000");
    fmap_close(&m);
}

static void test_fields(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_LARGE, 1, true);
    struct ctfw_event *e = ctfw_event(f->channel, "p:all", 13, all_fields, ARRAY_SIZE(all_fields));
    const struct ctfw_val context[] = { ctfw_i(-2), ctfw_s(STR("uwsgi")) };
    const struct ctfw_val vals[] = {
        ctfw_i(-1),
        ctfw_u(0x0806),
        ctfw_u(0x1122334455667788),
        ctfw_s(STR("vm")),
        { .p = (const uint16_t[]){ 1, 2 }, .n = 2 },
        ctfw_s(STR("ab\0cd")), /* a zero byte ends a string */
        ctfw_f(1.0),
        ctfw_i(3),
        { .p = "xyz" },
    };

    assert_int_equal(ctfw_emit(f->channel, 0, e, (ns_t)OFFSET + 2000, context, vals, NULL, &f->err),
                     0);
    finish(f, 3000);
    struct fmap m = file_of(f, "chan_0");

    assert_bytes(&m, 84 + 14,
                 "feffffff75777367" /* context: vpid, "uwsg" cut to 4 */
                 "ff"
                 "0806"
                 "8877665544332211"
                 "766d000000"
                 "0201000200"
                 "616200"
                 "000000000000f03f"
                 "03000000"
                 "78797a");
    assert_int_equal(u64_at(&m, 48), (84 + 14 + 8 + 39) * 8);
    fmap_close(&m);
}

static void test_packet_boundary(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_COMPACT, 1, false);
    struct ctfw_event *e = ctfw_event(f->channel, "p:e", 13, small_fields, 1);
    uint32_t n = 0;

    /* 17 bytes, then 8 each: 500 compact events fill 4096 - 84 - 17 = 3995 but for 3 */
    for (n = 0; n < 501; n++)
        emit(f, e, 2000 + n, n);
    finish(f, 9000);
    struct fmap m = file_of(f, "chan_0");

    assert_int_equal(m.n, 2 * 4096);
    assert_int_equal(u64_at(&m, 48), (84 + 17 + 499 * 8) * 8);
    assert_int_equal(u64_at(&m, 40), 2500);        /* ends when the next one came */
    assert_bytes(&m, 4096 - 3, "000000");          /* padding */
    assert_int_equal(u64_at(&m, 4096 + 32), 2500); /* the next begins there */
    assert_int_equal(u64_at(&m, 4096 + 64), 1);    /* sequence number */
    assert_int_equal(u64_at(&m, 4096 + 48), (84 + 8) * 8);
    fmap_close(&m);
}

static void test_losses(void **state)
{
    struct fixture *f = *state;
    enum ctfw_fate fate;
    uint64_t fates[3] = { 0 };

    begin(f, CTFW_COMPACT, 1, false);
    struct ctfw_event *e = ctfw_event(f->channel, "p:e", 13, small_fields, 1);

    ctfw_drop_packets(f->channel, 0, 1, 1);
    for (uint32_t n = 0; n < 1500; n++) {
        if (n == 1200)
            ctfw_discard(f->channel, 0, 7);
        assert_int_equal(ctfw_emit(f->channel, 0, e, (ns_t)OFFSET + 2000 + n, NULL,
                                   (struct ctfw_val[]){ ctfw_u(n) }, &fate, &f->err),
                         0);
        fates[fate]++;
    }
    finish(f, 9000);
    struct ctfw_counts c = ctfw_counts(f->channel, 0);
    struct fmap m = file_of(f, "chan_0");

    assert_int_equal(c.written, fates[CTFW_WRITTEN]);
    assert_int_equal(c.dropped, fates[CTFW_DROPPED]);
    assert_int_equal(c.written + c.dropped, 1500);
    assert_int_equal(c.dropped, 501); /* (4096 - 84) / 8: a full packet of compact events */
    assert_int_equal(c.discarded, 7);
    assert_int_equal(c.packets, 2);
    assert_int_equal(c.packets_dropped, 1);
    assert_int_equal(c.bytes, m.n);
    assert_int_equal(u64_at(&m, 64), 0);
    assert_int_equal(u64_at(&m, 72), 0);
    assert_int_equal(u64_at(&m, 4096 + 64), 2); /* packet 1 is gone */
    assert_int_equal(u64_at(&m, 4096 + 72), 7);
    fmap_close(&m);
}

static void test_too_large(void **state)
{
    struct fixture *f = *state;
    static const struct ctfw_field fields[] = { CTFW_STRING("s") };
    char text[5000];
    enum ctfw_fate fate = CTFW_WRITTEN;

    memset(text, 'x', sizeof text);
    begin(f, CTFW_COMPACT, 1, false);
    struct ctfw_event *e = ctfw_event(f->channel, "p:e", 13, fields, 1);

    assert_int_equal(ctfw_emit(f->channel, 0, e, (ns_t)OFFSET + 2000, NULL,
                               (struct ctfw_val[]){ { .p = text, .n = sizeof text } }, &fate,
                               &f->err),
                     0);
    assert_int_equal(fate, CTFW_DISCARDED);
    assert_int_equal(ctfw_counts(f->channel, 0).discarded, 1);
    finish(f, 3000);
}

static void test_index(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_COMPACT, 2, false);
    struct ctfw_event *e = ctfw_event(f->channel, "p:e", 13, small_fields, 1);

    for (uint32_t n = 0; n < 501; n++)
        emit(f, e, 2000 + n, n);
    ctfw_discard(f->channel, 0, 3);
    finish(f, 9000);
    struct fmap m = file_of(f, "index/chan_0.idx");
    struct fmap other = file_of(f, "index/chan_1.idx");
    const uint64_t want[2][9] = {
        { 0, 32768, (84 + 17 + 499 * 8) * 8, 1000, 2500, 0, 0, 0, 0 },
        { 4096, 32768, (84 + 8) * 8, 2500, 9000, 3, 0, 0, 1 },
    };

    assert_bytes(&m, 0, "c1f1dcc1000000010000000100000048");
    assert_int_equal(m.n, 16 + 2 * 72);
    for (size_t i = 0; i < 2; i++)
        for (size_t k = 0; k < 9; k++)
            assert_int_equal(be64toh(u64_at(&m, 16 + 72 * i + 8 * k)), want[i][k]);
    assert_int_equal(other.n, 16 + 72);
    assert_int_equal(be64toh(u64_at(&other, 16 + 7 * 8)), 1); /* stream instance */
    fmap_close(&m);
    fmap_close(&other);
}

/* The metadata of a trace without events, as LTTng-UST 2.8 wrote it. */
static void test_metadata(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_COMPACT, 1, false);
    ctfw_event(f->channel, "p:e", 13, small_fields, 1);
    finish(f, 2000);
    struct fmap m = file_of(f, "metadata");
    struct str text = { (const char *)m.p + 37, 4096 - 37 };

    assert_int_equal(m.n, 2 * 4096);
    assert_bytes(&m, 0, "571dd17540c8ad6bf2cf4637a706d651ee314f3e00000000");
    assert_bytes(&m, 28, "008000000000000108");
    assert_bytes(&m, 4096 + 24, "28010000008000000000000108"); /* header only */
    assert_true(str_starts(text, STR("/* CTF 1.8 */\n\ntypealias integer { size = 8; align = 8; "
                                     "signed = false; } := uint8_t;\n")));
    assert_true(str_find(text,
                         STR("\tuuid = \"40c8ad6b-f2cf-4637-a706-d651ee314f3e\";\n"
                             "\tbyte_order = le;\n"),
                         0) != STR_NONE);
    assert_true(str_find(text,
                         STR("env {\n\thostname = \"controller\";\n\tdomain = \"ust\";\n"
                             "\ttracer_name = \"lttng-ust\";\n\ttracer_major = 2;\n"
                             "\ttracer_minor = 8;\n};\n"),
                         0) != STR_NONE);
    assert_true(str_find(text, STR("\toffset = 1470187241710873143;\n};\n"), 0) != STR_NONE);
    assert_true(str_find(text,
                         STR("stream {\n\tid = 0;\n\tevent.header := struct "
                             "event_header_compact;\n\tpacket.context := struct "
                             "packet_context;\n};\n\nevent {\n\tname = \"p:e\";\n\tid = 0;\n"
                             "\tstream_id = 0;\n\tloglevel = 13;\n\tfields := struct {\n"
                             "\t\tinteger { size = 32; align = 8; signed = 0; encoding = "
                             "none; base = 10; } _v;\n\t};\n};\n\n"),
                         0) != STR_NONE);
    fmap_close(&m);
}

static void test_metadata_fields(void **state)
{
    struct fixture *f = *state;

    begin(f, CTFW_LARGE, 1, true);
    ctfw_event(f->channel, "p:all", 13, all_fields, ARRAY_SIZE(all_fields));
    finish(f, 2000);
    struct fmap m = file_of(f, "metadata");
    struct str text = { (const char *)m.p + 37, 4096 - 37 };
    static const char *const parts[] = {
        "\tevent.context := struct {\n\t\tinteger { size = 32; align = 8; signed = 1;",
        "integer { size = 8; align = 8; signed = 1; encoding = UTF8; base = 10; } _procname[4];\n",
        "encoding = none; base = 10; byte_order = be; } _port;\n",
        "encoding = none; base = 16; } _addr;\n",
        "signed = 0; encoding = none; base = 10; } __seq_length;\n\t\tinteger { size = 16;",
        "base = 10; } _seq[ __seq_length ];\n",
        "\t\tstring _s;\n\t\tfloating_point { exp_dig = 11; mant_dig = 53; align = 8; } _d;\n",
        "base = 10; } {\n\t\t\t\"ZERO\" = 0,\n\t\t\t\"FEW\" = 1 ... 4,\n\t\t} _e;\n",
        "base = 10; } _arr[3];\n",
    };

    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        assert_true(str_find(text, str_of(parts[i]), 0) != STR_NONE);
    fmap_close(&m);
}

static void test_errors(void **state)
{
    struct fixture *f = *state;
    struct ctfw_trace *again;
    struct ctfw_channel *channel;

    begin(f, CTFW_COMPACT, 1, false);
    const struct ctfw_trace_config config = { .dir = f->dir, .begin = 1 };
    const struct ctfw_channel_config same = { .name = "chan", .cpus = 1 };

    /* stream files are never overwritten */
    assert_int_equal(ctfw_open(&config, &again, &f->err), 0);
    assert_int_equal(ctfw_channel(again, &same, &channel, &f->err), -E_IO);
    assert_non_null(strstr(f->err.text, "chan_0"));
    ctfw_free(again);
    /* a file where the folder should be */
    const struct ctfw_trace_config below = { .dir = arena_printf(&f->mem, "%s/chan_0/sub", f->dir),
                                             .begin = 1 };

    assert_int_equal(ctfw_open(&below, &again, &f->err), -E_IO);
    assert_non_null(strstr(f->err.text, "cannot make the folder"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_packet_header, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compact_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_compact_large_id, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_packet_boundary, setup, teardown),
        cmocka_unit_test_setup_teardown(test_losses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_large, setup, teardown),
        cmocka_unit_test_setup_teardown(test_index, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metadata, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metadata_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
