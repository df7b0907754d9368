/* SPDX-License-Identifier: Apache-2.0
 *
 * sync.c -- how fast are clocks synchronised, and how well?
 *
 * usage: sync
 *
 *   hull    messages of one pair, added and kept, a second
 *   match   observations, from keys to kept messages, a second
 *   cloud   1000 hosts: 3 controllers, each compute speaks with them and with two others,
 *           100 messages a pair: seconds for adding and solving
 *   24 h    50 ppm, 20000 messages each way, up to 20 ms: error of the estimate at the start,
 *           the middle and the end, root mean square of 20 runs */
#include "base/mem.h"
#include "bench/timing.h"
#include "sync/match.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define US INT64_C(1000)
#define MS INT64_C(1000000)
#define BASE INT64_C(1470187241710873143)

static uint64_t seed = UINT64_C(88172645463325252);

static uint64_t next(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static ns_t below(ns_t n)
{
    return (ns_t)(next() % (uint64_t)n);
}

static double now(void)
{
    return clock_seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void bench_hull(void)
{
    enum { N = 4000000 };
    struct sync_message *m = xmalloc(N * sizeof *m);
    struct sync *s = sync_new(2, NULL);
    double start;

    for (uint32_t i = 0; i < N; i++) {
        ns_t t = BASE + i * 20 * US;

        m[i] = (struct sync_message){ i & 1, 1 - (i & 1), t, t + 30 * US + below(MS) };
    }
    start = now();
    for (size_t i = 0; i < N; i++)
        sync_add(s, &m[i]);
    printf("hull     %.2f M messages/s, %zu KB kept\n", N / (now() - start) / 1e6,
           sync_bytes(s) >> 10);
    sync_free(s);
    free(m);
}

static void bench_match(void)
{
    enum { N = 2000000, HOSTS = 8 };
    struct match_point *p = xmalloc(2 * (size_t)N * sizeof *p);
    struct match_options o = match_defaults();
    struct sync *s = sync_new(HOSTS, NULL);
    struct match *m;
    struct match_counts c;
    double start;

    o.window_ns = 10 * NS_PER_S;
    m = match_new(HOSTS, &o, s);
    for (size_t i = 0; i < N; i++) {
        uint32_t from = (uint32_t)below(HOSTS),
                 to = (from + 1 + (uint32_t)below(HOSTS - 1)) % HOSTS;
        uint64_t lo = next(), hi = next();
        ns_t t = BASE + (ns_t)i * 20 * US;

        p[2 * i] = (struct match_point){ lo, hi, from, false, t };
        p[2 * i + 1] = (struct match_point){ lo, hi, to, true, t + 30 * US + below(15 * US) };
    }
    start = now();
    for (size_t i = 0; i < 2 * (size_t)N; i++)
        match_add(m, &p[i]);
    c = match_end(m);
    printf("match    %.2f M points/s, %" PRIu64 " messages, table %zu KB\n",
           2 * N / (now() - start) / 1e6, c.matched, match_bytes(m) >> 10);
    match_free(m);
    sync_free(s);
    free(p);
}

/* Each host's clock has an offset and a drift of its own. */
static ns_t clock_of(uint32_t host, ns_t t)
{
    int64_t ppb = (int64_t)(host * UINT32_C(2654435761) % 200000) - 100000;

    return t + (ns_t)host * 1000 * MS + (ns_t)((__int128)(t - BASE) * ppb / 1000000000);
}

static uint64_t add_pair(struct sync *s, uint32_t a, uint32_t b, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint32_t from = i & 1 ? a : b, to = i & 1 ? b : a;
        ns_t t = BASE + below(600 * NS_PER_S);
        ns_t latency =
            30 * US - 200 * US * (ns_t)(log1p(-(double)below(1000000) / 1e6) * 1e3) / 1000;

        sync_add(s,
                 &(struct sync_message){ from, to, clock_of(from, t), clock_of(to, t + latency) });
    }
    return n;
}

static void bench_cloud(void)
{
    enum { HOSTS = 1000, CONTROLLERS = 3, EACH = 100 };
    struct sync *s = sync_new(HOSTS, NULL);
    uint64_t messages = 0;
    double start = now(), added;
    double errors[HOSTS], widths[HOSTS];
    uint32_t ref;

    for (uint32_t h = CONTROLLERS; h < HOSTS; h++) {
        for (uint32_t c = 0; c < CONTROLLERS; c++)
            messages += add_pair(s, c, h, EACH);
        for (int i = 0; i < 2; i++) {
            uint32_t peer = CONTROLLERS + (uint32_t)below(HOSTS - CONTROLLERS);

            if (peer != h)
                messages += add_pair(s, peer, h, EACH);
        }
    }
    added = now() - start;
    start = now();
    ref = sync_solve(s, SYNC_ANY);
    start = now() - start;
    for (uint32_t h = 0; h < HOSTS; h++) {
        ns_t t = BASE + 300 * NS_PER_S, truth = clock_of(ref, t);
        struct clock_bounds b = clock_bounds(sync_clock(s, h), clock_of(h, t));

        errors[h] = fabs((double)(clock_to_ref(sync_clock(s, h), clock_of(h, t)) - truth));
        widths[h] = (double)b.hi - (double)b.lo;
        if (b.lo > truth || b.hi < truth)
            printf("cloud    host %u: WRONG BOUND\n", h);
    }
    printf("cloud    %.2f s adding %" PRIu64
           " messages of %zu pairs, %.2f s solving; error %.1f us, "
           "bound %.1f us (medians)\n",
           added, messages, sync_npairs(s), start, median(errors, HOSTS) / 1e3,
           median(widths, HOSTS) / 1e3);
    sync_free(s);
}

static ns_t fast(ns_t t)
{
    return t + (ns_t)((__int128)(t - BASE) * 50 / 1000000);
}

static void bench_day(ns_t latency)
{
    enum { RUNS = 20, N = 20000 };
    const ns_t day = 86400 * NS_PER_S;
    double sum[3] = { 0 };
    ns_t width = 0;

    for (int run = 0; run < RUNS; run++) {
        struct sync *s = sync_new(2, NULL);

        for (int i = 0; i < N; i++) {
            ns_t t = BASE + day / N * i, l0 = 30 * US + below(latency - 30 * US);
            ns_t l1 = 30 * US + below(latency - 30 * US);

            sync_add(s, &(struct sync_message){ 0, 1, t, fast(t + l0) });
            sync_add(s, &(struct sync_message){ 1, 0, fast(t), t + l1 });
        }
        sync_solve(s, 0);
        for (int k = 0; k < 3; k++) {
            ns_t t = BASE + day / 2 * k;
            double e = (double)(clock_to_ref(sync_clock(s, 1), fast(t)) - t);

            sum[k] += e * e / RUNS;
        }
        width = sync_pair(s, 0)->bound_median;
        sync_free(s);
    }
    printf("24 h     latency to %.1f ms: error %.2f / %.2f / %.2f us, bound %.2f ms\n",
           (double)latency / 1e6, sqrt(sum[0]) / 1e3, sqrt(sum[1]) / 1e3, sqrt(sum[2]) / 1e3,
           (double)width / 1e6);
}

int main(void)
{
    bench_hull();
    bench_match();
    bench_cloud();
    bench_day(20 * MS);
    bench_day(MS / 2);
    return 0;
}
