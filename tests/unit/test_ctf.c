/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ctf.c -- the CTF reader on traces made by hand: every layout that it
 * knows.  test_ctf_meta.c has what metadata can say, test_ctf_bad.c traces that are
 * broken. */
#define _GNU_SOURCE
#include "tests/unit/ctf_fixture.h"

/* --- event headers ---------------------------------------------------------------- */

static void put_extended(struct bits *w, unsigned id_bits, uint64_t id, uint64_t t)
{
    align_bits(w, 8);
    put(w, UINT64_MAX, id_bits);
    align_bits(w, 8);
    put(w, id, 32);
    put(w, t, 64);
}

static void compact_header(struct fixture *f, const char *order, bool be)
{
    struct sbuf meta = { 0 };

    sbuf_z(&meta, be ? TRACE("be") : TRACE("le"));
    sbuf_z(&meta, STREAM(COMPACT) EVENT("a", 1, "u8 x;") EVENT("far", 4000, "u8 x;"));
    write_metadata(f, meta.p);
    sbuf_free(&meta);
    (void)order;
    f->w.be = be;
    size_t at = packet_open(&f->w);
    const uint64_t base = (UINT64_C(7) << 27) + 100;
    put_compact(&f->w, 1, base + 5);
    put(&f->w, 1, 8);
    put_compact(&f->w, 1, (1 << 27) - 1);
    put(&f->w, 2, 8);
    put_compact(&f->w, 1, 3); /* wraps at 27 bits */
    put(&f->w, 3, 8);
    put_extended(&f->w, 5, 4000, UINT64_C(1) << 40);
    put(&f->w, 4, 8);
    put_compact(&f->w, 1, 9);
    put(&f->w, 5, 8);
    put_extended(&f->w, 5, 1, (UINT64_C(1) << 40) + 10); /* an id that would fit */
    put(&f->w, 6, 8);
    packet_close(&f->w, at,
                 (struct packet_info){ .begin = base, .end = UINT64_C(1) << 41, .cpu = 3 });
    write_stream(f, "s0");
    expect_events(f, "a@939524201 3 {x=1}\n"
                     "a@1073741823 3 {x=2}\n"
                     "a@1073741827 3 {x=3}\n"
                     "far@1099511627776 3 {x=4}\n"
                     "a@1099511627785 3 {x=5}\n"
                     "a@1099511627786 3 {x=6}\n");
    assert_int_equal(f->notes.list.n, 0);
}

static void test_compact_header(void **state)
{
    compact_header(*state, "le", false);
}

static void test_compact_header_be(void **state)
{
    compact_header(*state, "be", true);
}

static void test_large_header(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TRACE("le") STREAM(LARGE) EVENT("a", 1, "u8 x;") EVENT("b", 70000, ""));
    size_t at = packet_open(&f->w);
    const uint64_t base = (UINT64_C(5) << 32) + 7;
    put(&f->w, 1, 16);
    put(&f->w, 0xffffffff, 32);
    put(&f->w, 1, 8);
    put(&f->w, 1, 16);
    put(&f->w, 6, 32); /* wraps at 32 bits */
    put(&f->w, 2, 8);
    put_extended(&f->w, 16, 70000, UINT64_C(9) << 32);
    put(&f->w, 1, 16);
    put(&f->w, 1, 32);
    put(&f->w, 3, 8);
    packet_close(&f->w, at, (struct packet_info){ .begin = base, .end = UINT64_C(10) << 32 });
    write_stream(f, "s0");
    expect_events(f, "a@25769803775 0 {x=1}\n"
                     "a@25769803782 0 {x=2}\n"
                     "b@38654705664 0 {}\n"
                     "a@38654705665 0 {x=3}\n");
}

/* A header of odd sizes runs as a program. */
static void test_other_header(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TRACE("le")
                          STREAM("event.header := struct { integer { size = 3; align = 1; map = "
                                 "clock.c.value; } t; integer { size = 4; align = 1; } id; };\n")
                              EVENT("a", 1, "integer { size = 1; align = 1; } x;")
                                  EVENT("b", 2, "integer { size = 9; align = 1; } x;"));
    size_t at = packet_open(&f->w);
    put(&f->w, 6, 3);
    put(&f->w, 1, 4);
    put(&f->w, 1, 1);
    put(&f->w, 1, 3); /* wraps at 3 bits */
    put(&f->w, 2, 4);
    put(&f->w, 300, 9);
    put(&f->w, 1, 3);
    put(&f->w, 1, 4);
    put(&f->w, 0, 1);
    packet_close(&f->w, at, (struct packet_info){ .begin = 16 });
    write_stream(f, "s0");
    expect_events(f, "a@22 0 {x=1}\nb@25 0 {x=300}\na@25 0 {x=0}\n");
}

static void test_no_header(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TYPES "trace { major = 1; minor = 8; byte_order = le; };\n"
                            "event { name = \"only\"; fields := struct { u8 x; }; };\n");
    put(&f->w, 7, 8);
    put(&f->w, 8, 8);
    write_stream(f, "s0");
    fixture_clear(f);
    assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), 0);
    events_to_text(f);
    assert_string_equal(f->text.p, "only@-1000000000 {x=7}\nonly@-1000000000 {x=8}\n");
}

/* --- fields ------------------------------------------------------------------------ */

static void test_contexts(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "event.context := struct { u32 _vpid; text procname[4]; };",
                          "context := struct { u8 c; string s; }; fields := struct { u16 x; };");

    put_plain(&f->w, 0, 5);
    put(&f->w, 77, 32);
    put_text(&f->w, "abc");
    put(&f->w, 9, 8);
    put_text(&f->w, "hi");
    put(&f->w, 300, 16);
    end_packet(f, at);
    expect_events(f, "a@5 0 {x=300} {vpid=77 procname='abc' c=9 s='hi'}\n");
}

static void test_sequences(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "event.context := struct { u8 n; };",
                          "fields := struct { u8 len; u16 s[len]; text t[len]; "
                          "struct { u8 k; u8 in[k]; } deep[len]; "
                          "u8 far[stream.event.context.n]; u8 end; };");

    put_plain(&f->w, 0, 5);
    put(&f->w, 3, 8); /* n */
    put(&f->w, 2, 8); /* len */
    put(&f->w, 500, 16);
    put(&f->w, 501, 16);
    put(&f->w, 'o', 8);
    put(&f->w, 'k', 8);
    put(&f->w, 0, 8); /* deep[0].k */
    put(&f->w, 1, 8); /* deep[1].k */
    put(&f->w, 42, 8);
    for (unsigned i = 1; i <= 3; i++)
        put(&f->w, i, 8);
    put(&f->w, 99, 8);
    put_plain(&f->w, 0, 6);
    for (int i = 0; i < 2; i++)
        put(&f->w, 0, 8); /* all lengths 0 */
    put(&f->w, 98, 8);
    end_packet(f, at);
    expect_events(f, "a@5 0 {len=2 s=[500 501] t='ok' deep=[{k=0 in=[]} {k=1 in=[42]}] "
                     "far=[1 2 3] end=99} {n=3}\n"
                     "a@6 0 {len=0 s=[] t='' deep=[] far=[] end=98} {n=0}\n");
}

static const char nested_variants[] =
    "fields := struct { enum : u8 { no = 0, yes = 1 } outer; "
    "variant <outer> { u8 no; struct { enum : u8 { num = 0, word = 1 ... 9 } inner; "
    "variant <inner> { u32 num; string word; } v; } yes; } o; u8 end; };";

static void test_nested_variants(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "", nested_variants);

    put_plain(&f->w, 0, 1);
    put(&f->w, 0x0001, 16); /* yes, num */
    put(&f->w, 123456, 32);
    put(&f->w, 1, 8);
    put_plain(&f->w, 0, 2);
    put(&f->w, 0x0901, 16); /* yes, word */
    put_text(&f->w, "w");
    put(&f->w, 2, 8);
    put_plain(&f->w, 0, 3);
    put(&f->w, 0x0500, 16); /* no */
    put(&f->w, 3, 8);
    end_packet(f, at);
    expect_events(f, "a@1 0 {outer=1:yes o={inner=0:num v=123456} end=1}\n"
                     "a@2 0 {outer=1:yes o={inner=9:word v='w'} end=2}\n"
                     "a@3 0 {outer=0:no o=5 end=3}\n");
}

/* A bound field of an inner option is not there when the outer option is another,
 * whatever the inner tag was in the event before. */
static void test_bound_in_variants(void **state)
{
    struct fixture *f = *state;
    const struct ctf_event *ev;
    struct ctf_merge m;
    size_t seen = 0;

    test_nested_variants(state);
    ctf_merge_init(&m, f->t, &f->notes, 0);
    while ((ev = ctf_merge_next(&m))) {
        const struct ctf_field *num = NULL, *word = NULL, *no = NULL, *x = NULL;

        for (uint32_t i = 0; i < ev->cls->nfields; i++) {
            x = &ev->cls->fields[i];
            if (str_is(x->path, "o.v"))
                *(x->kind == FIELD_STRING ? &word : &num) = x;
            if (str_is(x->path, "o"))
                no = x;
        }
        assert_non_null(num);
        assert_non_null(word);
        assert_non_null(no);
        assert_int_equal(ctf_has(ev, num), seen == 0);
        assert_int_equal(ctf_has(ev, word), seen == 1);
        assert_int_equal(ctf_has(ev, no), seen == 2);
        if (seen == 0)
            assert_int_equal(ctf_get_u64(ev, num), 123456);
        if (seen == 1)
            assert_true(str_is(ctf_get_str(ev, word), "w"));
        if (seen == 2)
            assert_int_equal(ctf_get_u64(ev, no), 5);
        seen++;
    }
    assert_int_equal(seen, 3);
    ctf_merge_free(&m);
}

static void test_variant_without_option(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "", nested_variants);

    put_plain(&f->w, 0, 1);
    put(&f->w, 0x0077, 16);
    put(&f->w, 3, 8);
    end_packet(f, at);
    expect_events(f, "");
    expect_note(f, NOTE_LOST, "the tag of a variant selects none of its options");
}

static void test_enums(void **state)
{
    struct fixture *f = *state;
    size_t at =
        one_class(f, "le", "",
                  "fields := struct { enum : integer { size = 8; align = 8; signed = 1; } "
                  "{ low = -128 ... -2, minus = -1, zero, one, \"two words\" = 5 ... 7 } e; "
                  "enum : u64 { big = 18446744073709551615, rest = 10 ... 20 } u; };");
    static const int values[] = { -128, -1, 0, 1, 2, 6 };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        put_plain(&f->w, 0, i);
        put(&f->w, (uint64_t)values[i], 8);
        put(&f->w, i == 0 ? UINT64_MAX : 8 + i * 2, 64);
    }
    end_packet(f, at);
    expect_events(f, "a@0 0 {e=-128:low u=18446744073709551615:big}\n"
                     "a@1 0 {e=-1:minus u=10:rest}\n"
                     "a@2 0 {e=0:zero u=12:rest}\n"
                     "a@3 0 {e=1:one u=14:rest}\n"
                     "a@4 0 {e=2: u=16:rest}\n"
                     "a@5 0 {e=6:two words u=18:rest}\n");
}

static void bit_fields(struct fixture *f, const char *order)
{
    size_t at = one_class(f, order, "",
                          "fields := struct { integer { size = 3; align = 1; } a; "
                          "integer { size = 5; align = 1; signed = 1; } b; "
                          "integer { size = 13; align = 1; } c; "
                          "integer { size = 64; align = 1; } d; "
                          "integer { size = 1; align = 1; signed = 1; } e; "
                          "integer { size = 63; align = 1; signed = 1; } g; "
                          "integer { size = 32; align = 1; } h[2]; u8 end; };");

    put_plain(&f->w, 0, 9);
    put(&f->w, 5, 3);
    put(&f->w, (uint64_t)-3, 5);
    put(&f->w, 0x1abc, 13);
    put(&f->w, UINT64_C(0x8123456789abcdef), 64);
    put(&f->w, 1, 1);
    put(&f->w, (uint64_t)-123456789012, 63);
    put(&f->w, 0xdeadbeef, 32);
    put(&f->w, 7, 32);
    align_bits(&f->w, 8);
    put(&f->w, 0x5a, 8);
    end_packet(f, at);
    expect_events(f, "a@9 0 {a=5 b=-3 c=6844 d=9305357566071262703 e=-1 g=-123456789012 "
                     "h=[3735928559 7] end=90}\n");
}

static void test_bit_fields(void **state)
{
    bit_fields(*state, "le");
}

static void test_bit_fields_be(void **state)
{
    bit_fields(*state, "be");
}

/* Fields of the other byte order, byte-aligned, in a trace of either. */
static void test_mixed_orders(void **state)
{
    static const char fields[] =
        "fields := struct { integer { size = 16; align = 8; byte_order = be; } b; "
        "integer { size = 32; align = 8; byte_order = le; } l; "
        "integer { size = 64; align = 8; byte_order = network; } n; };";
    static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6, 7, 8 };

    for (int be = 0; be < 2; be++) {
        struct fixture *f = *state;
        size_t at = one_class(f, be ? "be" : "le", "", fields);

        put_plain(&f->w, 0, 1);
        for (size_t i = 0; i < sizeof bytes; i++)
            put(&f->w, bytes[i], 8);
        end_packet(f, at);
        expect_events(f, "a@1 0 {b=258 l=100992003 n=72623859790382856}\n");
    }
}

/* Old tracers of 32-bit machines align their fields. */
static void test_aligned_fields(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "",
                          "fields := struct { u8 a; integer { size = 32; align = 32; } b; u8 c; "
                          "integer { size = 64; align = 64; } d; string s; "
                          "integer { size = 16; align = 16; } e; };");

    for (uint64_t i = 0; i < 3; i++) {
        align_bits(&f->w, 8);
        put(&f->w, 0, 32);
        put(&f->w, i, 64);
        align_bits(&f->w, 64); /* of the structure */
        put(&f->w, i, 8);
        align_bits(&f->w, 32);
        put(&f->w, 1000 + i, 32);
        put(&f->w, i, 8);
        align_bits(&f->w, 64);
        put(&f->w, 2000 + i, 64);
        put_text(&f->w, i == 0 ? "" : i == 1 ? "x" : "xyz");
        align_bits(&f->w, 16);
        put(&f->w, 3000 + i, 16);
    }
    end_packet(f, at);
    expect_events(f, "a@0 0 {a=0 b=1000 c=0 d=2000 s='' e=3000}\n"
                     "a@1 0 {a=1 b=1001 c=1 d=2001 s='x' e=3001}\n"
                     "a@2 0 {a=2 b=1002 c=2 d=2002 s='xyz' e=3002}\n");
}

static void test_floats(void **state)
{
    for (int be = 0; be < 2; be++) {
        struct fixture *f = *state;
        size_t at = one_class(f, be ? "be" : "le", "",
                              "fields := struct { floating_point { exp_dig = 8; mant_dig = 24; "
                              "align = 8; } f; u8 pad; floating_point { exp_dig = 11; mant_dig = "
                              "53; align = 1; } d; };");
        float x = -0.15625f;
        double y = 6.02214076e23;
        uint32_t xb;
        uint64_t yb;

        memcpy(&xb, &x, sizeof xb);
        memcpy(&yb, &y, sizeof yb);
        put_plain(&f->w, 0, 1);
        put(&f->w, xb, 32);
        put(&f->w, 1, 8);
        put(&f->w, yb, 64);
        end_packet(f, at);
        expect_events(f, "a@1 0 {f=-0.15625 pad=1 d=6.02214e+23}\n");
    }
}

static void test_strings(void **state)
{
    struct fixture *f = *state;
    size_t at =
        one_class(f, "le", "", "fields := struct { string a; string b; text c[5]; u8 raw[2]; };");

    put_plain(&f->w, 0, 1);
    put_text(&f->w, "");
    put_text(&f->w, "\xc3\xa9t\xc3\xa9");
    put(&f->w, 'a', 8);
    put(&f->w, 0, 8); /* text ends at the first NUL */
    put(&f->w, 'b', 8);
    put(&f->w, 'c', 8);
    put(&f->w, 'd', 8);
    put(&f->w, 0x0201, 16);
    end_packet(f, at);
    expect_events(f, "a@1 0 {a='' b='\xc3\xa9t\xc3\xa9' c='a' raw=[1 2]}\n");
}

/* --- streams -------------------------------------------------------------- */

static void test_empty_streams(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;"));
    expect_events(f, ""); /* no file */
    write_file(f, "s1", "", 0);
    size_t at = packet_open(&f->w); /* a packet without events */
    packet_close(&f->w, at, (struct packet_info){ .pad_to = 4096 });
    write_stream(f, "s0");
    expect_events(f, "");
    assert_int_equal(f->notes.list.n, 0);
    assert_int_equal(f->t->packets, 1);
    assert_int_equal(f->t->bad_packets, 0);

    write_metadata(f, TRACE("le") STREAM(PLAIN)); /* no event class */
    expect_events(f, "");
    assert_int_equal(f->notes.list.n, 0);
}

/* A file that lies beside the streams is left alone. */
static void test_stray_file(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;"));
    write_file(f, "s1", "notes of the operator\n", 22);
    expect_events(f, "");
    expect_note(f, NOTE_INFO, "is not a stream of this trace");
}

/* Two streams: events in order of time, equal times in the order of streams. */
static void test_merge(void **state)
{
    struct fixture *f = *state;
    static const uint64_t times[3][4] = { { 1, 5, 5, 9 }, { 2, 3, 5, 8 }, { 5, 6, 7, 10 } };

    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;"));
    for (unsigned s = 0; s < 3; s++) {
        char name[8];

        f->w = (struct bits){ 0 };
        size_t at = packet_open(&f->w);
        for (size_t i = 0; i < 4; i++) {
            put_plain(&f->w, 0, times[s][i]);
            put(&f->w, s * 10 + i, 8);
        }
        packet_close(&f->w, at, (struct packet_info){ .begin = times[s][0], .cpu = s });
        snprintf(name, sizeof name, "s%u", s);
        write_stream(f, name);
    }
    expect_events(f, "a@1 0 {x=0}\na@2 1 {x=10}\na@3 1 {x=11}\na@5 0 {x=1}\na@5 0 {x=2}\n"
                     "a@5 1 {x=12}\na@5 2 {x=20}\na@6 2 {x=21}\na@7 2 {x=22}\na@8 1 {x=13}\n"
                     "a@9 0 {x=3}\na@10 2 {x=23}\n");
    struct ctf_merge m;
    ctf_merge_init(&m, f->t, &f->notes, 0);
    for (int64_t t = 0; t < 12; t++) {
        ctf_merge_seek(&m, NS_PER_S + t);
        const struct ctf_event *ev = ctf_merge_next(&m);
        int64_t at = t <= 1 ? 1 : t == 4 ? 5 : t;

        if (t == 11)
            assert_null(ev);
        else
            assert_int_equal(ev->t - NS_PER_S, at);
    }
    ctf_merge_free(&m);
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_compact_header),
        T(test_compact_header_be),
        T(test_large_header),
        T(test_other_header),
        T(test_no_header),
        T(test_contexts),
        T(test_sequences),
        T(test_nested_variants),
        T(test_bound_in_variants),
        T(test_variant_without_option),
        T(test_enums),
        T(test_bit_fields),
        T(test_bit_fields_be),
        T(test_mixed_orders),
        T(test_aligned_fields),
        T(test_floats),
        T(test_strings),
        T(test_empty_streams),
        T(test_stray_file),
        T(test_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
