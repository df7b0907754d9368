/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ctf_meta.c -- the metadata of CTF traces: packets, what the languages allow and
 * what they do not, and what lengths and tags mean. */
#define _GNU_SOURCE
#include "tests/unit/ctf_fixture.h"

/* Metadata in packets, as tracers write it; a second packet without text.  Returns the
 * bytes, 'ret_n' of them. */
static uint8_t *packetise(bool be, const char *text, size_t cut, size_t *ret_n)
{
    static struct bits w;
    size_t n = strlen(text) - cut;

    w.n = 0;
    w.be = be;
    for (int packet = 0; packet < 2; packet++) {
        size_t body = packet ? 0 : n, start = w.n;

        put(&w, 0x75d11d57, 32);
        for (unsigned i = 0; i < 16; i++)
            put(&w, i, 8);
        put(&w, 0, 32);
        put(&w, (37 + body) * 8, 32);
        put(&w, (37 + body + 11) * 8, 32);
        for (int i = 0; i < 3; i++)
            put(&w, 0, 8);
        put(&w, 1, 8);
        put(&w, 8, 8);
        assert_int_equal(w.n - start, 37 * 8);
        for (size_t i = 0; i < body; i++)
            put(&w, (uint8_t)text[i], 8);
        for (int i = 0; i < 11; i++)
            put(&w, 0, 8);
    }
    *ret_n = w.n / 8;
    return w.b;
}

static void packetised(struct fixture *f, bool be, const char *text, size_t cut)
{
    size_t n;
    uint8_t *b = packetise(be, text, cut, &n);

    write_file(f, "metadata", b, n);
}

/* One byte of the header of the second packet is wrong. */
static void test_bad_metadata_packets(void **state)
{
    static const struct {
        size_t at;
        uint8_t byte;
        const char *words;
    } cases[] = {
        { 0, 0x58, "wrong magic number" },
        { 5, 0x77, "its UUID is not that of the first packet" },
        { 24, 0x01, "its sizes are no whole bytes" },
        { 25, 0x77, "truncated?" },
        { 28, 0x81, "its sizes are no whole bytes" },
        { 32, 1, "compressed or encrypted" },
        { 33, 1, "compressed or encrypted" },
        { 34, 1, "has a checksum of a kind that cannot be checked" },
        { 35, 3, "CTF version 3.8; this program reads 1.8 and 2.0" },
        { 36, 7, "CTF version 1.7; this program reads 1.8 and 2.0" },
    };
    static const char text[] = TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u8 x;");
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t n, second = 37 + strlen(text) + 11;
        uint8_t *b = packetise(false, text, 0, &n);

        b[second + cases[i].at] = cases[i].byte;
        write_file(f, "metadata", b, n);
        assert_true(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err) < 0);
        assert_non_null(strstr(f->err.text, cases[i].words));
        assert_non_null(strstr(f->err.text, "metadata packet at byte "));
    }
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
        T(test_packetised_metadata),   T(test_bad_metadata_packets),
        T(test_bad_metadata),          T(test_length_in_options),
        T(test_length_beside_options), T(test_outer_length),
        T(test_odd_metadata),          T(test_escapes),
        T(test_refused_metadata),      T(test_properties),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
