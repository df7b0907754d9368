/* SPDX-License-Identifier: Apache-2.0
 *
 * test_api.c -- the public interface, include/neph.h. */
#include "neph.h"

#include "tests/unit/ctf_fixture.h"

#include <math.h>
#include <sys/stat.h>

static const char classes[] = TRACE("le") STREAM(PLAIN)
    EVENT("all", 0,
          "i32 neg; u64 big; string s; enum : u8 { a = 0, b = 1 } tag; variant <tag> { u32 a; "
          "string b; } "
          "v; floating_point { exp_dig = 11; mant_dig = 53; align = 8; } f; text t[4];")
        EVENT("other", 1, "u8 neg; struct { u16 deep; } in;");

static void put_all(struct bits *w, uint64_t t, int32_t neg, uint64_t big)
{
    double half = 0.5;
    uint64_t raw;

    memcpy(&raw, &half, sizeof raw);
    put_plain(w, 0, t);
    put(w, (uint32_t)neg, 32);
    put(w, big, 64);
    put_text(w, "text");
    put(w, t & 1, 8);
    if (t & 1)
        put_text(w, "odd");
    else
        put(w, 77, 32);
    put(w, raw, 64);
    put(w, 'a', 8);
    put(w, 'b', 8);
    put(w, 0, 8);
    put(w, 0, 8);
}

static void put_other(struct bits *w, uint64_t t)
{
    put_plain(w, 1, t);
    put(w, 9, 8);
    put(w, 4711, 16);
}

static void write_events(struct fixture *f, uint64_t from, const char *name)
{
    f->w = (struct bits){ .n = 0 };
    for (uint64_t p = 0; p < 4; p++) {
        size_t at = packet_open(&f->w);
        uint64_t t = from + p * 100;

        put_all(&f->w, t, -5, UINT64_MAX);
        put_all(&f->w, t + 11, 5, 6);
        put_other(&f->w, t + 20);
        packet_close(&f->w, at,
                     (struct packet_info){ .begin = t, .end = t + 20, .seq = p, .cpu = 3 });
    }
    write_stream(f, name);
}

/* Two traces of one shape, t0/ and t1/, in the fixture's folder. */
static void write_traces(struct fixture *f)
{
    static const char *const names[2][3] = { { "t0", "t0/metadata", "t0/s0" },
                                             { "t1", "t1/metadata", "t1/s0" } };
    struct sbuf b = { 0 };

    sbuf_z(&b, "/* CTF 1.8 */\n");
    sbuf_z(&b, classes);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(mkdir(in_dir(f, names[i][0]), 0700), 0);
        write_file(f, names[i][1], b.p, b.n);
        write_events(f, 1000 + 5 * (uint64_t)i, names[i][2]);
    }
    sbuf_free(&b);
}

static void remove_traces(struct fixture *f)
{
    static const char *const names[] = { "t0/metadata", "t0/s0", "t1/metadata", "t1/s0" };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(in_dir(f, names[i]));
    rmdir(in_dir(f, "t0"));
    rmdir(in_dir(f, "t1"));
}

static struct neph *open_one(const char *path)
{
    char error[256];
    struct neph *n = neph_open(&path, 1, error, sizeof error);

    assert_non_null(n);
    return n;
}

static void test_open_fails(void **state)
{
    struct fixture *f = *state;
    const char *path = f->dir, *missing = "/nonexistent/folder";
    char error[256] = "x", small[8];

    assert_null(neph_open(&path, 1, error, sizeof error));
    assert_non_null(strstr(error, "a trace is a folder with a file named 'metadata'"));
    assert_null(neph_open(&missing, 1, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/folder: No such file"));
    assert_null(neph_open(&missing, 1, small, sizeof small));
    assert_int_equal(strlen(small), sizeof small - 1);
    assert_null(neph_open(NULL, 0, NULL, 0));
    write_file(f, "metadata", "/* CTF 1.8 */ trace {", 21);
    assert_null(neph_open(&path, 1, error, sizeof error));
    assert_non_null(strstr(error, "line 1"));
    neph_close(NULL);
}

static void test_events(void **state)
{
    struct fixture *f = *state;
    const struct neph_event *ev;
    uint64_t seen = 0;
    int64_t last = 0;

    write_traces(f);
    struct neph *n = open_one(f->dir);
    assert_int_equal(neph_classes(n), 4);
    assert_string_equal(neph_class_name(n, 3), "other");
    assert_string_equal(neph_class_env(n, 0, "hostname"), "h1");
    assert_null(neph_class_env(n, 0, "nothing"));
    assert_null(neph_class_name(n, 4));
    while ((ev = neph_next(n))) {
        int64_t t = neph_event_time(ev) - NS_PER_S;

        assert_true(t >= last);
        assert_int_equal(neph_event_cpu(ev), 3);
        /* the second trace's are 5 ns behind the first's */
        assert_int_equal(neph_event_class(ev) / 2, t % 10 == 5 || t % 10 == 6);
        assert_string_equal(neph_event_name(ev), neph_event_class(ev) % 2 ? "other" : "all");
        last = t;
        seen++;
    }
    assert_int_equal(seen, 24);
    assert_null(neph_next(n));
    assert_int_equal(neph_totals(n).events, 24);
    assert_int_equal(neph_totals(n).bad_packets, 0);
    neph_close(n);
    remove_traces(f);
}

static void test_seek(void **state)
{
    struct fixture *f = *state;

    write_traces(f);
    struct neph *n = open_one(f->dir);
    for (int64_t t = 1330; t >= 990; t -= 7) {
        const struct neph_event *ev;
        int64_t want = INT64_MAX, events = 0;

        for (int64_t p = 0; p < 4; p++)
            for (int64_t k = 0; k < 6; k++) {
                static const int64_t at[] = { 0, 11, 20, 5, 16, 25 };
                int64_t when = 1000 + p * 100 + at[k];

                want = when >= t && when < want ? when : want;
                events += when >= t;
            }
        neph_seek(n, NS_PER_S + t);
        ev = neph_next(n);
        if (want == INT64_MAX) {
            assert_null(ev);
            continue;
        }
        assert_int_equal(neph_event_time(ev) - NS_PER_S, want);
        for (events--; events > 0; events--)
            assert_non_null(neph_next(n));
        assert_null(neph_next(n));
    }
    neph_close(n);
    remove_traces(f);
}

static void test_fields(void **state)
{
    struct fixture *f = *state;
    uint64_t u = 1;
    int64_t i = 1;
    double d = 1;
    const char *p;
    size_t bytes;

    write_metadata(f, classes);
    write_events(f, 1000, "s0");
    struct neph *n = open_one(f->dir);
    const struct neph_field *neg = neph_field(n, NULL, "neg"), *big = neph_field(n, "all", "_big"),
                            *s = neph_field(n, "all", "s"), *v = neph_field(n, "all", "v"),
                            *fl = neph_field(n, "all", "f"), *t = neph_field(n, "all", "t"),
                            *deep = neph_field(n, NULL, "in.deep"),
                            *tag = neph_field(n, "all", "tag");
    assert_null(neph_field(n, NULL, "nothing"));
    assert_null(neph_field(n, "other", "big"));
    const struct neph_event *ev = neph_next(n);
    assert_true(neph_i64(ev, neg, &i) && i == -5);
    assert_false(neph_u64(ev, neg, &u)); /* below 0 */
    assert_true(neph_u64(ev, big, &u) && u == UINT64_MAX);
    assert_false(neph_i64(ev, big, &i)); /* over INT64_MAX */
    assert_true(neph_text(ev, s, &p, &bytes) && bytes == 4 && memcmp(p, "text", 4) == 0);
    assert_true(neph_text(ev, t, &p, &bytes) && bytes == 2 && memcmp(p, "ab", 2) == 0);
    assert_false(neph_i64(ev, s, &i));
    assert_false(neph_text(ev, neg, &p, &bytes));
    assert_true(neph_f64(ev, fl, &d) && fabs(d - 0.5) < 1e-9);
    assert_false(neph_f64(ev, neg, &d));
    assert_true(neph_u64(ev, tag, &u) && u == 0);
    assert_false(neph_u64(ev, deep, &u));
    assert_false(neph_u64(ev, NULL, &u));
    assert_int_equal(u, 0);
    assert_true(neph_u64(ev, v, &u) && u == 77);
    assert_false(neph_text(ev, v, &p, &bytes));
    ev = neph_next(n);
    assert_true(neph_i64(ev, neg, &i) && i == 5);
    assert_false(neph_u64(ev, v, &u)); /* another option is there */
    assert_true(neph_text(ev, v, &p, &bytes) && bytes == 3 && memcmp(p, "odd", 3) == 0);
    ev = neph_next(n);
    assert_true(neph_i64(ev, neg, &i) && i == 9); /* another event's field of that name */
    assert_true(neph_u64(ev, deep, &u) && u == 4711);
    neph_close(n);
}

static void test_notes(void **state)
{
    struct fixture *f = *state;
    bool told = false;

    write_metadata(f, classes);
    write_events(f, 1000, "s0");
    f->w.b[f->w.n / 8 / 4 * 2] ^= 0xff; /* the magic number of the third packet */
    write_stream(f, "s0");
    struct neph *n = open_one(f->dir);
    while (neph_next(n))
        ;
    assert_int_equal(neph_totals(n).bad_packets, 1);
    assert_int_equal(neph_totals(n).lost_packets, 1);
    struct neph_loss loss;
    assert_true(neph_loss(n, 0, &loss));
    assert_int_equal(loss.from_ns - NS_PER_S, 1120); /* the end of the second packet */
    assert_int_equal(loss.to_ns - NS_PER_S, 1300);   /* the begin of the fourth      */
    assert_int_equal(loss.cpu, 3);
    assert_int_equal(loss.packets, 1);
    assert_int_equal(loss.events, 0);
    assert_false(neph_loss(n, 1, &loss));
    for (size_t i = 0; neph_note(n, i); i++)
        told |=
            strstr(neph_note(n, i), "packet 2 (byte") && strstr(neph_note(n, i), "magic number");
    assert_true(told);
    neph_close(n);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(test_open_fails), TEST(test_events), TEST(test_seek),
        TEST(test_fields),     TEST(test_notes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
