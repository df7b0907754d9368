/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ctf.c -- the CTF reader on traces made by hand: every layout that it
 * knows.  tests/unit/test_ctf_bad.c has those that are broken. */
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

/* --- streams and metadata -------------------------------------------------------------- */

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

/* Metadata in packets, as tracers write it; a second packet without text. */
static void packetised(struct fixture *f, bool be, const char *text, size_t cut)
{
    static uint8_t out[BITS_MAX_BYTES];
    struct bits *w = xcalloc(1, sizeof *w);
    size_t n = strlen(text) - cut;

    w->be = be;
    for (int packet = 0; packet < 2; packet++) {
        size_t body = packet ? 0 : n, start = w->n;

        put(w, 0x75d11d57, 32);
        for (unsigned i = 0; i < 16; i++)
            put(w, i, 8);
        put(w, 0, 32);
        put(w, (37 + body) * 8, 32);
        put(w, (37 + body + 11) * 8, 32);
        for (int i = 0; i < 3; i++)
            put(w, 0, 8);
        put(w, 1, 8);
        put(w, 8, 8);
        assert_int_equal(w->n - start, 37 * 8);
        for (size_t i = 0; i < body; i++)
            put(w, (uint8_t)text[i], 8);
        for (int i = 0; i < 11; i++)
            put(w, 0, 8);
    }
    memcpy(out, w->b, w->n / 8);
    write_file(f, "metadata", out, w->n / 8);
    free(w);
}

static void test_packetised_metadata(void **state)
{
    static const char le[] = TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;");
    static const char be[] = TRACE("be") STREAM(PLAIN) EVENT("a", 0, "u8 x;");

    for (int i = 0; i < 2; i++) {
        struct fixture *f = *state;

        f->w = (struct bits){ .be = i };
        size_t at = packet_open(&f->w);
        put_plain(&f->w, 0, 4);
        put(&f->w, 3, 8);
        packet_close(&f->w, at, (struct packet_info){ 0 });
        write_stream(f, "s0");
        packetised(f, i, i ? be : le, 0);
        expect_events(f, "a@4 0 {x=3}\n");
        packetised(f, i, i ? be : le, 5);
        expect_refused(f, E_CORRUPT, "line ");
    }
}

static void test_bad_metadata(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *words;
        enum err_code code;
    } cases[] = {
        { "", "there is no trace block", E_CORRUPT },
        { "hello", "expected trace, env, clock, stream, event or a type", E_CORRUPT },
        { "trace { major = 2; minor = 0; byte_order = le; };", "CTF version 2.0", E_UNSUP },
        { "trace { major = 1; minor = 8; };", "does not say its byte_order", E_CORRUPT },
        { TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x[nowhere];"),
          "no field 'nowhere' comes before it", E_CORRUPT },
        { TRACE("le") STREAM(PLAIN) EVENT("a", 0, "nothing x;"), "nothing", E_CORRUPT },
        { TRACE("le") STREAM(PLAIN) EVENT("a", 0, "") EVENT("b", 0, ""), "both have id 0",
          E_CORRUPT },
        { TRACE("le") STREAM(PLAIN) EVENT("a", 0, "integer { size = 65; } x;"),
          "integers over 64 bits are not supported", E_CORRUPT },
        { TRACE("le") STREAM(PLAIN) "event {", "the text ends inside a block", E_CORRUPT },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        write_metadata(f, cases[i].text);
        expect_refused(f, cases[i].code, cases[i].words);
    }
    write_file(f, "metadata", "", 0);
    expect_refused(f, E_CORRUPT, "the metadata is empty");
    write_file(f, "metadata", "abc\0def", 7);
    expect_refused(f, E_CORRUPT, "neither CTF packets nor text");
    unlink(in_dir(f, "metadata"));
    expect_refused(f, E_IO, "No such file");
}

/* --- lengths and tags ------------------------------------------------------------------- */

/* A length that leads to a variant is the option that the event has. */
static void test_length_in_options(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "",
                          "fields := struct { enum : u8 { small, large } tag; "
                          "variant <tag> { u8 small; u16 large; } len; u8 s[len]; "
                          "struct { variant <tag> { struct { u8 n; } small; struct { string w; "
                          "variant <tag> { u8 small; u16 large; } n; } large; } v; } outer; "
                          "struct { u8 t[outer . v . n]; } more[2]; u8 end; };");

    put_plain(&f->w, 0, 1);
    put(&f->w, 0x0200, 16); /* small, len */
    put(&f->w, 0x0807, 16);
    put(&f->w, 1, 8); /* n */
    put(&f->w, 0x0a09, 16);
    put(&f->w, 0xee, 8);
    put_plain(&f->w, 0, 2);
    put(&f->w, 0x000101, 24); /* large, len */
    put(&f->w, 5, 8);
    put_text(&f->w, "w");
    put(&f->w, 2, 16); /* n */
    put(&f->w, 0x04030201, 32);
    put(&f->w, 0xef, 8);
    end_packet(f, at);
    expect_events(f, "a@1 0 {tag=0:small len=2 s=[7 8] outer={v={n=1}} more=[{t=[9]} {t=[10]}] "
                     "end=238}\n"
                     "a@2 0 {tag=1:large len=1 s=[5] outer={v={w='w' n=2}} "
                     "more=[{t=[1 2]} {t=[3 4]}] end=239}\n");
}

/* The same from inside: of elements of an array, and of one of the options. */
static void test_length_beside_options(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "",
                          "fields := struct { enum : u8 { one, two } tag; "
                          "struct { variant <tag> { u8 one; u16 two; } n; u8 s[n]; } deep[2]; "
                          "variant <tag> { struct { u8 k; u8 s[event.fields.v.k]; } one; "
                          "struct { string k; } two; } v; u8 named[v.one.k]; u8 end; };");

    put_plain(&f->w, 0, 1);
    put(&f->w, 0x0100, 16); /* one, deep[0].n */
    put(&f->w, 7, 8);
    put(&f->w, 0, 8);
    put(&f->w, 2, 8); /* v.k */
    put(&f->w, 0x0403, 16);
    put(&f->w, 0x0605, 16);
    put(&f->w, 9, 8);
    put_plain(&f->w, 0, 2);
    put(&f->w, 0x000001, 24); /* two, deep[0].n */
    put(&f->w, 1, 16);
    put(&f->w, 8, 8);
    put_text(&f->w, "k"); /* then 'named' has no length of this event */
    put(&f->w, 9, 8);
    end_packet(f, at);
    expect_events(f, "a@1 0 {tag=0:one deep=[{n=1 s=[7]} {n=0 s=[]}] v={k=2 s=[3 4]} named=[5 6] "
                     "end=9}\n"
                     "a@2 0 {tag=1:two deep=[{n=0 s=[]} {n=1 s=[8]}] v={k='k'} named=[] end=9}\n");
}

/* What can be no length or tag is passed over for a field further out. */
static void test_outer_length(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "event.context := struct { enum : u8 { x, y } tag; };",
                          "fields := struct { u8 len; struct { string len; u8 s[len]; u8 tag; "
                          "variant <tag> { u8 x; u16 y; } v; } in; };");

    put_plain(&f->w, 0, 1);
    put(&f->w, 0x0201, 16); /* y, len */
    put_text(&f->w, "l");
    put(&f->w, 0x0605, 16);
    put(&f->w, 0, 8);
    put(&f->w, 300, 16);
    end_packet(f, at);
    expect_events(f, "a@1 0 {len=2 in={len='l' s=[5 6] tag=0 v=300}} {tag=1:y}\n");
}

/* --- the language of metadata ------------------------------------------------------------- */

#define PLAIN_TRACE TYPES "trace { major = 1; minor = 8; byte_order = le; };\n"
#define PLAIN_ENV(name) "env { tracer_name = \"" name "\"; };\n"
#define ONE(fields) "event { name = \"only\"; fields := struct { " fields " }; };\n"

/* The metadata is read, its one event is as expected, and 'words' are noted. */
static void expect_read(struct fixture *f, const char *text, const char *expected,
                        enum note_level level, const char *words)
{
    write_metadata(f, text);
    f->w = (struct bits){ 0 };
    for (unsigned i = 1; i <= 4; i++)
        put(&f->w, i, 8);
    write_stream(f, "s0");
    fixture_clear(f);
    if (ctf_trace_open(f->dir, &f->t, &f->notes, &f->err) < 0)
        fail_msg("%s: %s", text, f->err.text);
    events_to_text(f);
    assert_string_equal(f->text.p, expected);
    if (words)
        expect_note(f, level, words);
    else
        assert_int_equal(f->notes.list.n, 0);
}

static void test_odd_metadata(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *event, *words;
        enum note_level level;
    } cases[] = {
        { PLAIN_TRACE "env { n = 4; };\n" ONE("u8 x[env . n];"), "x=[1 2 3 4]", NULL, 0 },
        { PLAIN_TRACE "typealias u8 := pair[2];\ntypealias pair := grid[2];\n" ONE("grid x;"),
          "x=[[1 2] [3 4]]", NULL, 0 },
        { PLAIN_TRACE ";; env { ; a = 1;; };\n" ONE("; integer { size = 32;; align = 8; } x;;"),
          "x=67305985", NULL, 0 },
        { PLAIN_TRACE
          "struct a { u16 lo; }\nstruct b { struct a in; u16 hi; };\n" ONE("struct b x;"),
          "x={in={lo=513} hi=1027}", "';' is missing before this declaration", NOTE_INFO },
        { PLAIN_TRACE ONE("enum : u8 { x } tag; struct in { u8 y; }; "
                          "variant <tag> { typealias u16 := w; w x; }; struct in z[3];"),
          "tag=1: z=[{y=2} {y=3} {y=4}]", "variant without the name of a field", NOTE_WARN },
        { PLAIN_TRACE ONE("enum : u32 { low = -1, high = -2 } x;") PLAIN_ENV("lttng-modules"),
          "x=67305985:", "has not the sign of its enum", NOTE_INFO },
        { PLAIN_TRACE
          "typealias integer { size = 8; map = clock.none.value; } := u8c;\n" ONE("u32 x;"),
          "x=67305985", NULL, 0 },
        { PLAIN_TRACE ONE("enum : u8 { other, x } tag; variant <tag> { u8 x; u8 y; } v; u16 z;"),
          "tag=1:x v=2 z=1027", NULL, 0 },
        { PLAIN_TRACE ONE("enum : u8 { x = 2, _x = 1 } tag; variant <tag> { u8 _x; u16 x; } v; "
                          "u8 y; u8 z;"),
          "tag=1:_x v=2 y=3 z=4", NULL, 0 },
        { PLAIN_TRACE ONE("enum : u8 { x = 1, _x = 2 } tag; variant <tag> { u16 x; u8 _x; } v; "
                          "u8 z;"),
          "tag=1:x v=770 z=4", NULL, 0 },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char expected[128];

        snprintf(expected, sizeof expected, "only@-1000000000 {%s}\n", cases[i].event);
        expect_read(f, cases[i].text, expected, cases[i].level, cases[i].words);
    }
}

static void test_escapes(void **state)
{
    struct fixture *f = *state;

    expect_read(f, PLAIN_TRACE "env { k = \"a\\tb\\v\\u\\\"\\q\"; };\n" ONE("u32 x;"),
                "only@-1000000000 {x=67305985}\n", NOTE_INFO, NULL);
    assert_true(str_is(ctf_env_get(&f->t->meta, "k"), "a\tb\v\\u\"\\q"));
}

static void test_refused_metadata(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        { "typealias string { encoding = \"UTF8\"; } := s;", "'encoding' must be a number or a" },
        { "enum e : u8 { a = -1 };", "line 9, column 19: the value does not fit: the enum is uns" },
        { "enum e : i32 { a = 0xffffffff };", "the value does not fit: the enum is signed" },
        { "enum e : integer { size = 2; signed = 1; } { a, b, c };", "the enum is signed" },
        { "enum e : u8 { a = -1 };" PLAIN_ENV("other"), "the enum is unsigned" },
        { "struct s { enum : u8 { a, b } tag; variant <tag> { u8 c; u8 d; } v; };",
          "line 9, column 36: no label of 'tag' names an option" },
        { "struct s { enum : u8 { a } tag; variant <variant> { u8 a; } v; };", "is a keyword" },
        { "typealias u8 := b\nclock { name = c; };", "line 10, column 1: 'clock' is a keyword" },
        { "struct x { struct { u8 y; }; };", "expected a field name" },
        { "env { a = b; };", "an environment entry must be" },
        { "env { a = 9223372036854775808; };", "'a' is over 2^63 - 1" },
        { "clock { name = 5; };", "'name' must be a text" },
        { "clock { name = c; description = d; };", "'description' must be a text in quotes" },
        { "clock { name = c; uuid = \"\"; };", "is not a UUID" },
        { "clock { name = c; absolute = 2; };", "'absolute' must be true or false" },
        { "event { loglevel = \"high\"; };", "'loglevel' must be a number" },
        { "event { model.emf.uri = 2; };", "'model.emf.uri' must be a text in quotes" },
        { ONE("u8 x[env.n];"), "there is no 'env.n' before" },
        { PLAIN_ENV("t") ONE("u8 x[env.tracer_name];"), "is no length" },
        { "env { n = -2; };" ONE("u8 x[env.n];"), "is no length" },
        { ONE("integer { size = 8; map = clock.none.value; } x;"), "clock 'none' is used and not" },
        { ONE("string len; u8 s[len];"), "length 'len' of a sequence is not an integer" },
        { ONE("i32 len; u8 s[len];"), "length 'len' of a sequence is signed" },
        { ONE("u8 tag; variant <tag> { u8 a; } v;"), "tag 'tag' of a variant is not an enum" },
        { ONE("enum : u8 { a, b } t; variant <t> { u8 a; string b; } n; u8 s[n];"),
          "length 'n' of a sequence is not an integer" },
        { ONE("enum : u8 { a, b } t; variant <t> { struct { u8 n; } a; u8 b; } v; u8 s[v.n];"),
          "an option of a variant on the way has no field 'v.n'" },
        { ONE("enum : u8 { a, b } t; variant <t> { struct { u8 n; } a[2]; struct { u8 n; } b; } "
              "v; u8 s[v.n];"),
          "no field 'v.n' comes before it" },
        { ONE("enum : u8 { a, b } t; variant <t> { enum : u8 { x } a; enum : u8 { x } b; } u; "
              "variant <u> { u8 x; } v;"),
          "means 2 enums" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct sbuf b = { 0 };

        sbuf_fmt(&b, "%s%s", PLAIN_TRACE, cases[i].text);
        write_metadata(f, b.p);
        sbuf_free(&b);
        fixture_clear(f);
        if (ctf_trace_open(f->dir, &f->t, &f->notes, &f->err) == 0)
            fail_msg("read: %s", cases[i].text);
        if (!strstr(f->err.text, cases[i].words))
            fail_msg("'%s' does not say '%s'", f->err.text, cases[i].words);
    }
    write_metadata(f, TYPES "trace { major = 1; minor = 8; byte_order = le; "
                            "packet.header := struct { u16 magic; }; };\n");
    expect_refused(f, E_CORRUPT, "a magic number has 32 bits, not 16");
}

/* --- CTF 2 ------------------------------------------------------------------------------ */

#define FRAGMENT(text) "\x1e{" text "}\n"
#define CTF2(more)                                                                      \
    FRAGMENT("\"type\": \"preamble\", \"version\": 2")                                  \
    FRAGMENT("\"type\": \"data-stream-class\"")                                         \
    FRAGMENT("\"type\": \"event-record-class\", \"name\": \"e\", " more                 \
             "\"payload-field-class\": {\"type\": \"structure\", \"member-classes\": [" \
             "{\"name\": \"x\", \"field-class\": {\"type\": \"null-terminated-string\"}}]}")

static void open_ctf2(struct fixture *f, const char *text, const char *error)
{
    write_file(f, "metadata", text, strlen(text));
    if (error) {
        expect_refused(f, E_CORRUPT, error);
        return;
    }
    fixture_clear(f);
    if (ctf_trace_open(f->dir, &f->t, &f->notes, &f->err) < 0)
        fail_msg("not opened: %s", f->err.text);
}

static void test_properties(void **state)
{
    struct fixture *f = *state;

    open_ctf2(f, CTF2("\"namespace\": \"n\", \"attributes\": {\"n\": 1}, "), NULL);
    assert_int_equal(f->notes.list.n, 0);
    open_ctf2(f, CTF2("\"colour\": 3, \"extensions\": {\"n\": {\"m\": 1}}, "), NULL);
    assert_int_equal(f->notes.list.n, 2);
    expect_note(f, NOTE_INFO, "property 'colour' of event-record-class is ignored");
    expect_note(f, NOTE_INFO, "undeclared extensions of event-record-class are ignored");
    open_ctf2(f, CTF2("\"attributes\": \"n\", "), "'attributes' must be an object");
    open_ctf2(f, CTF2("\"extensions\": [], "), "'extensions' must be an object");
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
        T(test_packetised_metadata),
        T(test_bad_metadata),
        T(test_length_in_options),
        T(test_length_beside_options),
        T(test_outer_length),
        T(test_odd_metadata),
        T(test_escapes),
        T(test_refused_metadata),
        T(test_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
