/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ctf_bad.c -- the CTF reader on traces that are broken: in every way that we
 * know of, each with the words of its note, and in 10,000 random ways. */
#define _GNU_SOURCE
#include "tests/unit/ctf_fixture.h"

#include "tests/fuzz/ctf_touch.h"

#include <time.h>

/* --- broken packets ------------------------------------------------------------------- */

static const char two_fields[] = "fields := struct { u8 x; string s; };";

/* Three events in a packet; '*ends' are the bits at which they end. */
static size_t three_events(struct fixture *f, size_t ends[3])
{
    size_t at = one_class(f, "le", "", two_fields);

    for (size_t i = 0; i < 3; i++) {
        put_plain(&f->w, 0, i);
        put(&f->w, i, 8);
        put_text(&f->w, "text");
        ends[i] = f->w.n;
    }
    return at;
}

/* The stream cut off after each of its bytes: what is whole is read. */
static void test_truncated(void **state)
{
    struct fixture *f = *state;
    size_t ends[3], at = three_events(f, ends);

    packet_close(&f->w, at, (struct packet_info){ .end = 9, .pad_to = 200 });
    size_t bytes = f->w.n / 8;
    for (size_t n = 0; n <= bytes; n++) {
        size_t whole = 0, lines = 0;

        while (whole < 3 && ends[whole] <= n * 8)
            whole++;
        write_file(f, "s0", f->w.b, n);
        fixture_clear(f);
        assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), 0);
        events_to_text(f);
        for (size_t i = 0; i < f->text.n; i++)
            lines += f->text.p[i] == '\n';
        assert_int_equal(lines, whole);
        if (n == 0 || n == bytes)
            assert_int_equal(f->notes.list.n, 0);
        else if (n < PACKET_HEADER)
            expect_note(f, NOTE_LOST, "packet header");
        else if (n < EVENTS_AT)
            expect_note(f, NOTE_LOST, "packet context: a field ends after the packet's content");
        else if (n * 8 < ends[2])
            expect_note(f, NOTE_LOST, "it was truncated; the events before are read");
        else
            assert_int_equal(noted(f, NOTE_INFO, "padding") + noted(f, NOTE_WARN, "padding"), 1);
        assert_int_equal(f->t->bad_packets, n > 0 && n * 8 < ends[2]); /* counted once */
    }
}

/* The metadata cut off after each of its bytes: refused with a place. */
static void test_truncated_metadata(void **state)
{
    struct fixture *f = *state;
    static const char text[] = TRACE("le") STREAM(COMPACT) EVENT("a", 0, "u8 x; string s;");
    size_t ends[3], at = three_events(f, ends);
    struct touched t;

    packet_close(&f->w, at, (struct packet_info){ .end = 9 });
    write_stream(f, "s0");
    for (size_t n = 0; n <= sizeof text - 1; n++) {
        fixture_clear(f);
        write_file(f, "metadata", text, n);
        touch_dir(f->dir, &f->notes, &t);
    }
}

/* A good packet follows the bad one: it must be found. */
static void bad_first(struct fixture *f, struct packet_info bad, const char *words,
                      const uint8_t *head, size_t nhead)
{
    size_t ends[3], at = three_events(f, ends);

    packet_close(&f->w, at, bad);
    if (head)
        memcpy(f->w.b, head, nhead);
    at = packet_open(&f->w);
    put_plain(&f->w, 0, 500);
    put(&f->w, 42, 8);
    put_text(&f->w, "good");
    packet_close(&f->w, at, (struct packet_info){ .begin = 400, .end = 600, .seq = 1 });
    write_stream(f, "s0");
    expect_events(f, "a@500 0 {x=42 s='good'}\n");
    expect_note(f, NOTE_LOST, words);
    assert_int_equal(f->t->bad_packets, 1);
}

static void test_bad_packets(void **state)
{
    static const uint8_t magic[] = { 0xc1, 0x1f, 0xfc, 0xc2 };

    bad_first(*state, (struct packet_info){ 0 },
              "magic number 0xc2fc1fc1 instead of 0xc1fc1fc1; skipped ", magic, sizeof magic);
    bad_first(*state, (struct packet_info){ .content = 9999 }, "content of 9999 bits > packet of ",
              NULL, 0);
    bad_first(*state, (struct packet_info){ .content = 8 },
              "content of 8 bits is less than its header of 608", NULL, 0);
    bad_first(*state, (struct packet_info){ .size = 1000001, .content = 1000 },
              "packet size of 1000001 bits", NULL, 0);
}

/* A packet of another trace between two of this one. */
static void test_foreign_packet(void **state)
{
    struct fixture *f = *state;
    size_t at[3];

    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;"));
    for (uint64_t i = 0; i < 3; i++) {
        at[i] = packet_open(&f->w);
        put_plain(&f->w, 0, i * 10);
        put(&f->w, i, 8);
        packet_close(&f->w, at[i],
                     (struct packet_info){ .begin = i * 10, .end = i * 10 + 5, .seq = i });
    }
    f->w.b[at[1] / 8 + 4] ^= 0xff; /* of its UUID */
    write_stream(f, "s0");
    expect_events(f, "a@0 0 {x=0}\na@20 0 {x=2}\n");
    expect_note(f, NOTE_LOST, "the packet's UUID is not that of the metadata");
    assert_int_equal(f->t->bad_packets, 1);
}

static void test_packet_of_no_size(void **state)
{
    struct fixture *f = *state;
    size_t ends[3], at = three_events(f, ends);

    packet_close(&f->w, at, (struct packet_info){ 0 });
    memset(f->w.b + 24 + 16, 0, 16); /* content and packet size */
    write_stream(f, "s0");
    expect_events(f, "");
    expect_note(f, NOTE_LOST, "packet size of 0 bits");
}

/* A packet that says it has 10 GB. */
static void test_huge_packet(void **state)
{
    struct fixture *f = *state;
    size_t ends[3], at = three_events(f, ends);

    packet_close(
        &f->w, at,
        (struct packet_info){ .size = UINT64_C(80000000000), .content = UINT64_C(80000000000) });
    write_stream(f, "s0");
    expect_events(f, "a@0 0 {x=0 s='text'}\na@1 0 {x=1 s='text'}\na@2 0 {x=2 s='text'}\n");
    expect_note(f, NOTE_LOST, "it was truncated");
}

/* --- broken events --------------------------------------------------------------------- */

/* The first event is good, the second is made by 'spoil'. */
static void bad_second(struct fixture *f, const char *fields, void (*spoil)(struct bits *),
                       const char *words)
{
    size_t at = one_class(f, "le", "", fields);

    put_plain(&f->w, 0, 1);
    put(&f->w, 0, 64);
    spoil(&f->w);
    end_packet(f, at);
    fixture_clear(f);
    assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), 0);
    events_to_text(f);
    assert_true(str_starts(sbuf_view(&f->text), STR("a@1 0 {")));
    assert_null(strchr(strchr(f->text.p, '\n') + 1, '\n')); /* the only one */
    expect_note(f, NOTE_LOST, words);
    expect_note(f, NOTE_LOST, "packet 0 (byte 0), event at byte 96 of the file");
    expect_note(f, NOTE_LOST, "the rest of the packet is skipped");
    assert_int_equal(f->t->bad_packets, 1);
}

static void long_sequence(struct bits *w)
{
    put_plain(w, 0, 2);
    put(w, UINT64_C(10) << 30, 64);
}

static void endless_sequence(struct bits *w)
{
    put_plain(w, 0, 2);
    put(w, UINT64_MAX, 64);
}

static void unknown_id(struct bits *w)
{
    put_plain(w, 7, 2);
    put(w, 0, 64);
}

static void no_nul(struct bits *w)
{
    put_plain(w, 0, 2);
    for (int i = 0; i < 20; i++)
        put(w, 'x', 8);
}

static void half_header(struct bits *w)
{
    put(w, 0, 32);
    put(w, 0, 16);
}

static void half_field(struct bits *w)
{
    put_plain(w, 0, 2);
    put(w, 0, 48);
}

static void test_bad_events(void **state)
{
    static const char seq[] = "fields := struct { u64 len; u8 s[len]; };";
    static const char structs[] = "fields := struct { u64 len; struct { string s; } s[len]; };";

    bad_second(*state, seq, long_sequence, "a sequence is longer than what is left of the packet");
    bad_second(*state, seq, endless_sequence,
               "a sequence is longer than what is left of the packet");
    bad_second(*state, structs, endless_sequence, "a field ends after the packet's content");
    bad_second(*state, seq, unknown_id, "event id 7 is not declared in the metadata");
    bad_second(*state, "fields := struct { u8 x[7]; string s; };", no_nul,
               "a string has no NUL before the end of the packet's content");
    bad_second(*state, seq, half_header, "the event header ends after the packet's content");
    bad_second(*state, seq, half_field, "a field ends after the packet's content");
}

static void test_event_without_bits(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TYPES "trace { major = 1; minor = 8; byte_order = le; };\n"
                            "event { name = \"nothing\"; fields := struct { }; };\n");
    put(&f->w, 0, 64);
    write_stream(f, "s0");
    expect_events(f, "");
    expect_note(f, NOTE_LOST, "an event without a single bit");
}

/* Elements without bits: metadata can ask for any number, also nested. */
static void test_elements_without_bits(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "",
                          "fields := struct { u64 n; struct { } a[4000000000]; "
                          "struct { struct { struct { } x[1000000]; } y[1000000]; } "
                          "b[1000000]; struct { } s[n]; u8 end; };");
    struct touched t;

    put_plain(&f->w, 0, 1);
    put(&f->w, UINT64_MAX, 64);
    put(&f->w, 8, 8);
    end_packet(f, at);
    clock_t start = clock();
    assert_true(touch_dir(f->dir, &f->notes, &t));
    assert_int_equal(t.events, 1);
    assert_true((double)(clock() - start) / CLOCKS_PER_SEC < 10);
}

/* --- time and losses -------------------------------------------------------------------- */

static void test_backwards(void **state)
{
    struct fixture *f = *state;
    size_t at = one_class(f, "le", "", "fields := struct { u8 x; };");
    static const uint64_t times[] = { 10, 20, 15, 30, 5 };
    uint64_t backwards = 0;
    struct ctf_merge m;

    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        put_plain(&f->w, 0, times[i]);
        put(&f->w, i, 8);
    }
    end_packet(f, at);
    expect_events(f, "a@10 0 {x=0}\na@20 0 {x=1}\na@15 0 {x=2}\na@30 0 {x=3}\na@5 0 {x=4}\n");
    ctf_merge_init(&m, f->t, &f->notes, 0);
    while (ctf_merge_next(&m))
        ;
    backwards = ctf_merge_counts(&m).backwards;
    ctf_merge_free(&m);
    assert_int_equal(backwards, 2);
}

static void lossy(struct fixture *f, const uint64_t (*packets)[2], size_t n)
{
    f->w = (struct bits){ 0 };
    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;"));
    for (size_t i = 0; i < n; i++) {
        size_t at = packet_open(&f->w);

        put_plain(&f->w, 0, i * 10 + 1);
        put(&f->w, i, 8);
        packet_close(&f->w, at,
                     (struct packet_info){ .begin = i * 10,
                                           .end = i * 10 + 5,
                                           .discarded = packets[i][0],
                                           .seq = packets[i][1] });
    }
    write_stream(f, "s0");
    fixture_clear(f);
    assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), 0);
    events_to_text(f);
}

static void test_losses(void **state)
{
    struct fixture *f = *state;

    /* the counter goes back, as it does in overwrite mode: its largest value counts */
    lossy(f, (const uint64_t[][2]){ { 0, 0 }, { 30, 1 }, { 10, 2 }, { 70, 3 }, { 65, 4 } }, 5);
    assert_int_equal(f->t->discarded, 70);
    assert_int_equal(f->t->lost, 0);
    expect_note(f, NOTE_WARN, "the tracer discarded 70 events of this stream");

    /* a snapshot starts anywhere; gaps are packets that were overwritten */
    lossy(f, (const uint64_t[][2]){ { 0, 7 }, { 0, 8 }, { 0, 11 }, { 0, 12 }, { 0, 14 } }, 5);
    assert_int_equal(f->t->discarded, 0);
    assert_int_equal(f->t->lost, 3);
    expect_note(f, NOTE_WARN, "3 packets of this stream were overwritten");

    lossy(f, (const uint64_t[][2]){ { 0, 0 }, { 0, 1 } }, 2);
    assert_int_equal(f->notes.list.n, 0);
}

static void test_overlapping_packets(void **state)
{
    struct fixture *f = *state;

    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;"));
    for (uint64_t i = 0; i < 2; i++) {
        size_t at = packet_open(&f->w);

        put_plain(&f->w, 0, i * 10 + 1);
        put(&f->w, i, 8);
        packet_close(&f->w, at,
                     (struct packet_info){ .begin = i * 10, .end = i * 10 + 15, .seq = i });
    }
    write_stream(f, "s0");
    expect_events(f, "a@1 0 {x=0}\na@11 0 {x=1}\n");
    expect_note(f, NOTE_INFO, "packets overlap in time");
}

static void test_clock_ns(void **state)
{
    static const struct {
        struct ctf_clock clk;
        uint64_t cycles;
        ns_t t;
    } cases[] = {
        { { .freq = 1000000000 }, 5, 5 },
        { { .freq = 1000000000, .offset_s = 2, .offset = 3 }, 5, 2000000008 },
        { { .freq = 3 }, 1, 333333333 },
        { { .freq = 3 }, 2, 666666666 },
        { { .freq = 3, .offset = -4 }, 2, -666666667 },
        { { .freq = 1000000000, .offset_s = INT64_MAX }, 5, NS_MAX },
        { { .freq = 1000000000, .offset_s = INT64_MIN }, 5, NS_MIN },
        { { .freq = 1 }, UINT64_MAX, NS_MAX },
        { { .freq = UINT64_MAX }, UINT64_MAX, 1000000000 },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(ctf_clock_ns(&cases[i].clk, cases[i].cycles), cases[i].t);
}

/* --- random damage ------------------------------------------------------------------------ */

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static const char rich[] =
    TRACE("le") "stream { id = 0; " CONTEXT COMPACT
                "event.context := struct { u32 vtid; string procname; }; };\n"
                "event { name = \"lttng_python:event\"; id = 0; stream_id = 0; fields := struct { "
                "string msg; "
                "string logger_name; u32 lineno; }; };\n"
                "event { name = \"b\"; id = 1; stream_id = 0; context := struct { u8 n; }; fields "
                ":= struct { "
                "enum : u8 { num = 0, word = 1 ... 9 } tag; variant <tag> { struct { u16 len; u32 "
                "s[len]; } "
                "num; struct { string w; enum : u8 { x = 0 } t2; variant <t2> { u64 x; } v2; } "
                "word; } v; "
                "integer { size = 3; align = 1; } bits; floating_point { exp_dig = 11; mant_dig = "
                "53; align = "
                "8; } f; u16 grid[2][3]; u8 far[event.context.n]; }; };\n";

static void rich_stream(struct bits *w)
{
    size_t at = packet_open(w);
    uint64_t x = 42;

    for (unsigned i = 0; w->n / 8 < 4096 - 80; i++) {
        put_compact(w, i % 2, i * 10);
        put(w, i, 32);
        put_text(w, "proc");
        if (i % 2 == 0) {
            put_text(w, "a message");
            put_text(w, "nova.compute");
            put(w, 7, 32);
            continue;
        }
        put(w, i % 4, 8); /* n */
        put(w, i % 4 == 1, 8);
        if (i % 4 == 1) {
            put_text(w, "word");
            put(w, 0, 8);
            put(w, next_random(&x), 64);
        } else {
            put(w, 2, 16);
            put(w, 1, 64);
        }
        put(w, 5, 3);
        align_bits(w, 8);
        put(w, 0, 64);
        for (int k = 0; k < 6; k++)
            put(w, 0x101, 16);
        for (unsigned k = 0; k < i % 4; k++)
            put(w, k, 8);
    }
    /* To the last byte of a page: whoever reads on leaves the mapping. */
    put_compact(w, 0, 0x7ffff00);
    put(w, 1, 32);
    put_text(w, "");
    put_text(w, "");
    while (w->n / 8 < 4096 - 5)
        put(w, '.', 8);
    put_text(w, "");
    put(w, 3, 32);
    packet_close(w, at, (struct packet_info){ .end = 1000, .cpu = 1 });
}

/* One to four changes of 'n' bytes at 'p', which has room for 'max'. */
static size_t damage(uint8_t *p, size_t n, size_t max, uint64_t *x)
{
    static const uint64_t odd[] = {
        0,          1,          0x7f,      0xff,     0x7fffffff,
        0xffffffff, UINT64_MAX, INT64_MAX, 4096 * 8, UINT64_C(80000000000)
    };

    for (uint64_t k = 1 + next_random(x) % 4; k > 0; k--) {
        size_t at = next_random(x) % n, len = 1 + next_random(x) % 16;

        if (len > n - at)
            len = n - at;
        switch (next_random(x) % 6) {
        case 0: p[at] ^= (uint8_t)(1u << next_random(x) % 8); break;
        case 1: p[at] = (uint8_t)next_random(x); break;
        case 2: /* an odd number somewhere */
            memcpy(p + at, &odd[next_random(x) % ARRAY_SIZE(odd)], len < 8 ? len : 8);
            break;
        case 3: /* a piece is gone */
            if (n > len + 1) {
                memmove(p + at, p + at + len, n - at - len);
                n -= len;
            }
            break;
        case 4: /* a piece is there twice */
            if (n + len <= max) {
                memmove(p + at + len, p + at, n - at);
                n += len;
            }
            break;
        default: /* a piece comes from elsewhere */
            memmove(p + at, p + next_random(x) % (n - len + 1), len);
            break;
        }
    }
    return n;
}

/* Other numbers in the text: sizes, alignments, ids, lengths.  Most such metadata
 * is still accepted, so that the damage reaches the streams. */
static void damage_numbers(uint8_t *p, size_t n, uint64_t *x)
{
    for (uint64_t k = 1 + next_random(x) % 3; k > 0; k--) {
        size_t at = next_random(x) % n;

        while (at < n && (p[at] < '0' || p[at] > '9'))
            at++;
        if (at < n)
            p[at] = (uint8_t)('0' + next_random(x) % 10);
    }
}

static void test_damage(void **state)
{
    enum { CASES = 10000, ROOM = 8192 };
    struct fixture *f = *state;
    static uint8_t meta[ROOM], stream[ROOM];
    uint64_t x = 20160808, events = 0, refused = 0;
    struct touched t;

    rich_stream(&f->w);
    size_t nstream = f->w.n / 8, nmeta = sizeof rich - 1;
    assert_true(nstream <= ROOM && nmeta <= ROOM);
    write_metadata(f, rich);
    write_stream(f, "s0");
    assert_true(touch_dir(f->dir, &f->notes, &t));
    assert_true(t.events > 60);
    assert_int_equal(noted(f, NOTE_LOST, ""), 0);
    alarm(250); /* of all: a hang is a failure */
    for (int i = 0; i < CASES; i++) {
        size_t nm = nmeta, ns = nstream;

        memcpy(meta, rich, nm);
        memcpy(stream, f->w.b, ns);
        if (i % 3 != 0)
            ns = damage(stream, ns, ROOM, &x);
        if (i % 3 == 2)
            nm = damage(meta, nm, ROOM, &x);
        else if (i % 3 == 0)
            damage_numbers(meta, nm, &x);
        write_file(f, "metadata", meta, nm);
        write_file(f, "s0", stream, ns);
        fixture_clear(f);
        clock_t start = clock();
        refused += !touch_dir(f->dir, &f->notes, &t);
        events += t.events;
        touch_reader(f->dir, &f->notes, &t);
        if ((double)(clock() - start) / CLOCKS_PER_SEC > 10)
            fail_msg("case %d took over 10 s", i);
    }
    alarm(0);
    /* Many cases must get past the parser, or this tests little. */
    assert_true(refused < CASES * 6 / 10);
    assert_true(events > CASES * UINT64_C(10));
}

#define T(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_truncated),
        T(test_truncated_metadata),
        T(test_bad_packets),
        T(test_foreign_packet),
        T(test_packet_of_no_size),
        T(test_huge_packet),
        T(test_bad_events),
        T(test_event_without_bits),
        T(test_elements_without_bits),
        T(test_backwards),
        T(test_losses),
        T(test_overlapping_packets),
        T(test_clock_ns),
        T(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
