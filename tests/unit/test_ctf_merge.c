/* SPDX-License-Identifier: Apache-2.0
 *
 * test_ctf_merge.c -- the merge of many streams against the plainest one that there is,
 * for any number of helper threads; the pass over packets in any order; seeking. */
#include "tests/unit/ctf_fixture.h"

#include "ctf/scan.h"

enum { STREAMS = 9, PACKETS = 12 };

struct rng {
    uint64_t x;
};

static uint64_t below(struct rng *r, uint64_t n)
{
    r->x ^= r->x << 13;
    r->x ^= r->x >> 7;
    r->x ^= r->x << 17;
    return r->x % n;
}

struct seen {
    ns_t t;
    uint64_t stream, n;
};

typedef VEC(struct seen) seen_vec;

/* How a trace is made. */
struct shape {
    unsigned streams;
    uint64_t step;  /* largest distance of two events; 1: many have equal times */
    uint64_t burst; /* events before a stream rests                             */
    bool backwards; /* clocks are set back sometimes                            */
};

static const struct shape shapes[] = {
    { 1, 5, 3, false },       { 2, 4, 1, false }, { 2, 1, 40, false },
    { 3, 9, 200, false },     { 5, 2, 7, false }, { 8, 30, 2, false },
    { STREAMS, 3, 9, false }, { 4, 10, 5, true }, { 7, 3, 60, true },
};

static void make_stream(struct fixture *f, const struct shape *s, uint64_t stream, struct rng *r,
                        seen_vec *ret)
{
    uint64_t t = 100 + below(r, 50), n = 0;
    char name[16];

    f->w = (struct bits){ .n = 0 };
    for (uint64_t p = 0; p < PACKETS; p++) {
        struct packet_info info = { .begin = t, .seq = p, .cpu = (uint32_t)stream };
        uint64_t events = below(r, 60), latest = t;
        size_t at = packet_open(&f->w);

        for (uint64_t i = 0; i < events; i++, n++) {
            t += below(r, s->step + 1) + (below(r, s->burst) == 0 ? 300 : 0);
            if (s->backwards && below(r, 30) == 0)
                t -= 20;
            put_plain(&f->w, 0, t);
            put(&f->w, n, 32);
            latest = t > latest ? t : latest;
            *vec_push(ret) = (struct seen){ (ns_t)t + NS_PER_S, stream, n };
        }
        info.end = latest;
        packet_close(&f->w, at, info);
        t = latest;
    }
    snprintf(name, sizeof name, "s%u", (unsigned)stream);
    write_stream(f, name);
}

/* The earliest first event of all streams, again and again; of equal ones the one of the
 * first stream. */
static void merge_plainly(const seen_vec *streams, unsigned n, seen_vec *ret)
{
    size_t at[STREAMS] = { 0 };

    for (;;) {
        unsigned best = n;

        for (unsigned i = 0; i < n; i++)
            if (at[i] < streams[i].n &&
                (best == n || streams[i].at[at[i]].t < streams[best].at[at[best]].t))
                best = i;
        if (best == n)
            return;
        *vec_push(ret) = streams[best].at[at[best]++];
    }
}

static void make_trace(struct fixture *f, const struct shape *s, uint64_t seed, seen_vec *ret)
{
    struct rng r = { seed };
    seen_vec streams[STREAMS] = { { 0 } };

    write_metadata(f, TRACE("le") STREAM(PLAIN) EVENT("a", 0, "u32 n;"));
    for (unsigned i = 0; i < STREAMS; i++) {
        char name[16];

        snprintf(name, sizeof name, "s%u", i);
        write_file(f, name, "", 0); /* of the shape before */
    }
    for (unsigned i = 0; i < s->streams; i++)
        make_stream(f, s, i, &r, &streams[i]);
    merge_plainly(streams, s->streams, ret);
    for (unsigned i = 0; i < s->streams; i++)
        vec_free(&streams[i]);
    assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), 0);
    assert_int_equal(f->t->streams.n, s->streams);
}

static struct seen see(struct ctf_view *v, const struct ctf_rec *r)
{
    const struct ctf_event_class *cls = v->trace->meta.events.at[r->cls];
    struct ctf_bound n = ctf_bind(cls, &cls->fields[0]);

    return (struct seen){ r->t, ctf_view_cpu(v, r), ctf_bound_u64(v, r, &n) };
}

static void check_merge(struct fixture *f, const seen_vec *want, unsigned helpers)
{
    const struct ctf_rec *r;
    struct ctf_merge m;
    size_t n, at = 0;

    ctf_merge_init(&m, f->t, &f->notes, helpers);
    while ((r = ctf_merge_batch(&m, &n)))
        for (size_t i = 0; i < n; i++, at++) {
            struct seen s = see(&m.view, &r[i]);

            assert_true(at < want->n);
            assert_int_equal(s.t, want->at[at].t);
            assert_int_equal(s.stream, want->at[at].stream);
            assert_int_equal(s.n, want->at[at].n);
        }
    assert_int_equal(at, want->n);
    assert_int_equal(ctf_merge_counts(&m).events, want->n);
    ctf_merge_free(&m);
}

/* What comes from 't' on, event by event. */
static void check_seek(struct fixture *f, const seen_vec *want, ns_t t, unsigned helpers)
{
    const struct ctf_event *ev;
    struct ctf_merge m;
    size_t at = 0;

    while (at < want->n && want->at[at].t < t)
        at++;
    ctf_merge_init(&m, f->t, &f->notes, helpers);
    ctf_merge_next(&m);
    ctf_merge_seek(&m, t);
    for (; (ev = ctf_merge_next(&m)); at++) {
        assert_true(at < want->n);
        assert_int_equal(ev->t, want->at[at].t);
        assert_int_equal(ev->cpu, want->at[at].stream);
    }
    assert_int_equal(at, want->n);
    ctf_merge_free(&m);
}

struct sum {
    uint64_t events, hash;
};

static uint64_t hash_of(struct seen s)
{
    uint64_t h = (uint64_t)s.t * UINT64_C(0x9e3779b97f4a7c15);

    return (h ^ s.stream << 32 ^ s.n) * UINT64_C(0xff51afd7ed558ccd);
}

static void add_some(void *state, struct ctf_view *v, const struct ctf_rec *r, size_t n)
{
    struct sum *sum = state;

    for (size_t i = 0; i < n; i++, sum->events++)
        sum->hash += hash_of(see(v, &r[i]));
}

static void check_scan(struct fixture *f, const seen_vec *want, unsigned threads,
                       uint64_t backwards)
{
    struct sum sums[4] = { { 0 } }, all = { 0 };
    void *states[4] = { &sums[0], &sums[1], &sums[2], &sums[3] };
    struct ctf_counts c = ctf_scan(f->t, threads, &f->notes, add_some, states);

    for (size_t i = 0; i < want->n; i++)
        all.hash -= hash_of(want->at[i]);
    for (int i = 0; i < 4; i++) {
        all.events += sums[i].events;
        all.hash += sums[i].hash;
    }
    assert_int_equal(all.events, want->n);
    assert_int_equal(all.hash, 0);
    assert_int_equal(c.events, want->n);
    assert_int_equal(c.backwards, backwards);
}

static uint64_t count_backwards(const seen_vec *all)
{
    ns_t last[STREAMS];
    uint64_t n = 0;

    for (int i = 0; i < STREAMS; i++)
        last[i] = NS_MIN;
    for (size_t i = 0; i < all->n; i++) {
        n += all->at[i].t < last[all->at[i].stream];
        last[all->at[i].stream] = all->at[i].t;
    }
    return n;
}

static void test_any_shape(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < 3 * ARRAY_SIZE(shapes); i++) {
        const struct shape *s = &shapes[i % ARRAY_SIZE(shapes)];
        seen_vec want = { 0 };

        make_trace(f, s, 88172645463325252u + i, &want);
        uint64_t backwards = count_backwards(&want);
        assert_true(s->backwards || backwards == 0);
        for (unsigned helpers = 0; helpers <= 3; helpers++)
            check_merge(f, &want, helpers);
        for (unsigned threads = 1; threads <= 4; threads++)
            check_scan(f, &want, threads, backwards);
        for (size_t k = 0; !s->backwards && k < want.n; k += 1 + want.n / 13) {
            check_seek(f, &want, want.at[k].t, (unsigned)(k % 3));
            check_seek(f, &want, want.at[k].t + 1, 0);
        }
        if (!s->backwards) {
            check_seek(f, &want, NS_MIN, 1);
            check_seek(f, &want, NS_MAX, 1);
        }
        vec_free(&want);
        fixture_clear(f);
    }
}

/* Notes too are the same for any number of threads, and in the same order. */
static void test_notes(void **state)
{
    struct fixture *f = *state;
    struct sbuf first = { 0 }, text = { 0 };
    seen_vec want = { 0 };

    make_trace(f, &shapes[6], 4711, &want);
    vec_free(&want);
    for (unsigned i = 0; i < STREAMS; i++) {
        struct ctf_packet *p = &f->t->streams.at[i]->packets.at[i];
        char name[16];

        snprintf(name, sizeof name, "s%u", i);
        f->w.n = f->t->files.at[p->file].map.n * 8;
        memcpy(f->w.b, f->t->files.at[p->file].map.p, f->w.n / 8);
        memset(f->w.b + p->offset + EVENTS_AT, 0xee, 4); /* the id of its first event */
        write_stream(f, name);
    }
    for (unsigned threads = 0; threads < 6; threads++) {
        struct ctf_merge m;
        size_t n;

        fixture_clear(f);
        assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), 0);
        ctf_merge_init(&m, f->t, &f->notes, threads);
        while (ctf_merge_batch(&m, &n))
            ;
        assert_in_range(ctf_merge_counts(&m).bad_packets, 1, STREAMS);
        ctf_merge_free(&m);
        sbuf_clear(&text);
        for (size_t i = 0; i < f->notes.list.n; i++)
            sbuf_fmt(&text, STR_FMT ": " STR_FMT "\n", STR_ARG(f->notes.list.at[i].where),
                     STR_ARG(f->notes.list.at[i].text));
        if (threads == 0)
            sbuf_str(&first, sbuf_view(&text));
        assert_true(str_eq(sbuf_view(&first), sbuf_view(&text)));
    }
    assert_true(str_find(sbuf_view(&first), STR("is not declared in the metadata"), 0) != STR_NONE);
    sbuf_free(&first);
    sbuf_free(&text);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = { TEST(test_any_shape), TEST(test_notes) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
