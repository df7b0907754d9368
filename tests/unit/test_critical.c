/* SPDX-License-Identifier: Apache-2.0
 *
 * test_critical.c -- the walk through what a thread waited for, against a naive one.
 *
 * What the threads of a machine did (naive_machine.h) is asked of a history, as users do, and of
 * plain arrays, looking at all that happened in each step: both must tell the same of each
 * nanosecond. */
#include "engine/engine.h"
#include "report/critical.h"
#include "report/critical_rows.h"
#include "tests/unit/naive_machine.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define BASE 1700000000000000000
enum { VDA = 254 << 20 };

/* --- its history -------------------------------------------------------------------------- */

static ns_t when(int x)
{
    return x < 0 ? NONE : BASE + x;
}

static void write_states(struct store *s, enum schema_attr family, int64_t nr, const cell_t *v,
                         int len)
{
    char path[SCHEMA_PATH];
    attr_t a = store_attr(s, engine_family(family), schema_path_nr(family, nr, path));

    for (int x = 0; x < len; x++)
        if (x ? v[x] != v[x - 1] : v[x] != NONE)
            store_set(s, a, when(x), v[x]);
    if (len % 2)
        store_set(s, a, when(len), NONE);
}

/* Other layers of the host go on after the kernel's last event, in half of the worlds. */
static ns_t ends_at(struct store *s, const struct world *w)
{
    char text[24];

    snprintf(text, sizeof text, "%" PRId64, when(w->len - 1));
    store_set_fact(s, "kernel.end", str_of(text));
    return when(w->len) + w->len % 2 * NS_PER_S;
}

static void write_rows(struct store *s, const struct world *w)
{
    table_t waits = store_table(s, engine_table(TABLE_cpu_wait));
    table_t calls = store_table(s, engine_table(TABLE_syscall));
    table_t irqs = store_table(s, engine_table(TABLE_irq));
    table_t block = store_table(s, engine_table(TABLE_block));

    for (size_t i = 0; i < w->waits.n; i++) {
        const struct happening *h = &w->waits.at[i];

        store_record(s, waits,
                     (const cell_t[cpu_wait_columns]){ when(h->t0), when(h->t1), h->tid, h->cpu,
                                                       h->kind, h->by, h->why });
    }
    for (size_t i = 0; i < w->calls.n; i++) {
        const struct happening *h = &w->calls.at[i];

        store_record(s, calls,
                     (const cell_t[syscall_columns]){ when(h->t0), when(h->t1), h->tid,
                                                      store_intern(s, str_of(h->name)) });
    }
    for (size_t i = 0; i < w->irqs.n; i++) {
        const struct happening *h = &w->irqs.at[i];

        store_record(s, irqs,
                     (const cell_t[irq_columns]){ when(h->t0), when(h->t1), h->kind, 1, h->cpu,
                                                  h->tid, store_intern(s, str_of(h->name)), NONE });
    }
    for (size_t i = 0; i < w->requests.n; i++) {
        const struct happening *h = &w->requests.at[i];

        store_record(s, block,
                     (const cell_t[block_columns]){ when(h->t0), when(h->t1), when(h->issued), VDA,
                                                    h->tid, store_intern(s, STR("read")) });
    }
}

static struct store *write_world(const struct world *w)
{
    struct store *s = store_new("host");
    table_t threads = store_table(s, engine_table(TABLE_thread));
    table_t disks = store_table(s, engine_table(TABLE_disk));
    struct err err;

    store_record(s, disks,
                 (const cell_t[disk_columns]){ BASE, NONE, VDA, store_intern(s, STR("vda")) });
    for (int i = 0; i < w->threads; i++) {
        cell_t cells[thread_columns] = { BASE, NONE, TID + i, pid_of(TID + i) };

        write_states(s, ATTR_THREAD_STATE, TID + i, w->state[i], w->len);
        store_record(s, threads, cells);
    }
    for (int c = 0; c < CPUS; c++)
        write_states(s, ATTR_CPU_THREAD, c, w->on[c], w->len);
    write_rows(s, w);
    assert_int_equal(store_finish(s, BASE, ends_at(s, w), &err), 0);
    return s;
}

/* --- the naive walk ----------------------------------------------------------------------- */

struct part {
    int what; /* -1: nothing was said */
    int64_t tid, by;
    char detail[48];
};

struct naive {
    const struct world *w;
    int a, b; /* the window */
    struct part *at;
    bool wakeups, interrupts; /* something is missing */
};

static void say(struct naive *n, int from, int to, enum crit_what what, int64_t tid, int64_t by,
                const char *detail)
{
    for (int x = from > n->a ? from : n->a; x < to && x < n->b; x++) {
        struct part *p = &n->at[x];

        assert_int_equal(p->what, -1);
        *p = (struct part){ .what = (int)what, .tid = tid, .by = by };
        snprintf(p->detail, sizeof p->detail, "%s", detail);
    }
}

/* The latest of these that the thread was in at 'x'. */
static const struct happening *around(const happenings *v, int64_t tid, int x, int kind)
{
    const struct happening *best = NULL;

    for (size_t i = 0; i < v->n; i++) {
        const struct happening *h = &v->at[i];

        if (h->tid == tid && h->t0 <= x && (x < h->t1 || h->t1 < 0) &&
            (kind < 0 || h->kind == kind) && (!best || h->t0 > best->t0))
            best = h;
    }
    return best;
}

static const struct happening *wait_of(const struct world *w, int64_t tid, int t, bool begins)
{
    for (size_t i = 0; i < w->waits.n; i++) {
        const struct happening *h = &w->waits.at[i];

        if (h->tid == tid && (begins ? h->t0 == t && h->kind == WAIT_WOKEN : h->t1 == t))
            return h;
    }
    return NULL;
}

static bool is_running(cell_t state)
{
    return state == TS_USER || state == TS_SYSCALL || state == TS_IRQ || state == TS_SOFTIRQ;
}

static void say_run(struct naive *n, int64_t tid, int x, cell_t state)
{
    char text[48] = "";

    if (state == TS_USER || state == TS_SYSCALL) {
        const struct happening *h = state == TS_SYSCALL ? around(&n->w->calls, tid, x, -1) : NULL;

        snprintf(text, sizeof text, "%s%s", h ? "syscall " : "",
                 h ? h->name : thread_state_values.at[state].label);
        say(n, x, x + 1, CRIT_RUNNING, tid, NONE, text);
        return;
    }
    bool soft = state == TS_SOFTIRQ;
    const struct happening *h = around(&n->w->irqs, tid, x, soft ? IRQ_SOFT : IRQ_HARD);
    snprintf(text, sizeof text, "%s%s", h && soft ? "softirq " : "",
             h ? h->name : "its end is not in the trace");
    say(n, x, x + 1, CRIT_INTERRUPT, tid, NONE, text);
}

static void say_wait(struct naive *n, int64_t tid, int from, int to, int end)
{
    const struct happening *h = end < n->w->len ? wait_of(n->w, tid, end, false) : NULL;

    for (int x = from; x < to; x++) {
        cell_t on = h && h->cpu >= 0 ? n->w->on[h->cpu][x] : NONE;

        say(n, x, x + 1, CRIT_CPU, tid, on == NONE ? -1 : on, "");
    }
}

static void say_disk(struct naive *n, int64_t tid, int from, int to)
{
    const struct happening *own = NULL, *other = NULL;

    for (size_t i = 0; i < n->w->requests.n; i++) {
        const struct happening *h = &n->w->requests.at[i];

        if (h->t1 <= from || h->t1 > to)
            continue;
        if (h->tid == tid && (!own || h->t1 > own->t1))
            own = h;
        if (pid_of(h->tid) == pid_of(tid) && h->tid < TID + n->w->threads &&
            (!other || h->t1 > other->t1))
            other = h;
    }
    const struct happening *h = own ? own : other;
    for (int x = from; x < to; x++) {
        int issued = h && h->issued >= 0 ? h->issued : h ? h->t1 : 0;
        enum crit_what what = !h            ? CRIT_DISK
                              : x >= h->t1  ? CRIT_DISK_AFTER
                              : x >= issued ? CRIT_DISK_DEVICE
                              : x >= h->t0  ? CRIT_DISK_QUEUE
                                            : CRIT_DISK_BEFORE;

        say(n, x, x + 1, what, tid, NONE, h ? "vda read" : "of which request is not known");
    }
}

static void say_sleep(struct naive *n, int64_t tid, int from, int to, cell_t state, const char *why)
{
    const struct happening *h = around(&n->w->calls, tid, to - 1, -1);
    char in[48] = "";

    if (h)
        snprintf(in, sizeof in, "in %s", h->name);
    if (state == TS_BLOCKED_DISK)
        say_disk(n, tid, from, to);
    else if (state == TS_BLOCKED_NET)
        say(n, from, to, CRIT_NETWORK, tid, NONE, in);
    else if (state == TS_BLOCKED_TIMER)
        say(n, from, to, CRIT_TIMER, tid, NONE, in);
    else
        say(n, from, to, CRIT_BLOCKED, tid, NONE, why);
}

static void ask(struct naive *n, int64_t tid, int lo, int t, int depth);

static void ask_waker(struct naive *n, int64_t tid, int64_t by, int lo, int t, int depth,
                      const char *detail)
{
    if (by == tid)
        say(n, lo, t, CRIT_UNKNOWN, tid, NONE, "it is said to have woken itself");
    else if (depth > CRIT_DEPTH)
        say(n, lo, t, CRIT_DEEP, tid, NONE, detail);
    else if (lo < n->b)
        ask(n, by, lo, t, depth + 1);
}

static void ask_sleep(struct naive *n, int64_t tid, int from, int to, int end, int depth)
{
    cell_t state = n->w->state[tid - TID][to - 1];
    const struct happening *h = wait_of(n->w, tid, end, true);
    const struct happening *call = around(&n->w->calls, tid, to - 1, -1);
    char in[48] = "";

    if (call)
        snprintf(in, sizeof in, "in %s", call->name);
    if (end >= n->w->len) {
        snprintf(in, sizeof in, "%s%s%snot woken within the trace", call ? "in " : "",
                 call ? call->name : "", call ? ", " : "");
        say(n, from, to, CRIT_BLOCKED, tid, NONE, in);
    } else if (!h) {
        n->wakeups = true;
        say_sleep(n, tid, from, to, state, "its wake-up is not recorded");
    } else if (h->by > 0 && (h->why == WAKE_THREAD || h->why == WAKE_FORK)) {
        ask_waker(n, tid, h->by, from, to, depth, in);
    } else if (h->why == WAKE_IRQ || h->why == WAKE_SOFTIRQ) {
        say_sleep(n, tid, from, to, state, "woken in an interrupt");
    } else {
        n->interrupts = true;
        say_sleep(n, tid, from, to, state, "woken by what is not recorded");
    }
}

/* Where the time of a thread went in ['lo', 't'), backward. */
static void ask(struct naive *n, int64_t tid, int lo, int t, int depth)
{
    const cell_t *state = tid - TID < n->w->threads ? n->w->state[tid - TID] : NULL;
    bool woke = depth > 1;

    if (!state)
        say(n, lo, t, CRIT_UNKNOWN, tid, NONE, "no such thread");
    while (state && t > lo) {
        cell_t s = state[t - 1];
        int from = t - 1, end = t;

        while (from > lo && state[from - 1] == s)
            from--;
        while (end < n->w->len && state[end] == s)
            end++;
        bool ran = is_running(s) || s == NONE || s == TS_UNKNOWN;
        if (woke && !ran && !(end == t && t < n->w->len && is_running(state[t]))) {
            say(n, from, t, CRIT_WAKEUP, tid, NONE, "");
            t = from;
            continue;
        }
        woke = false;
        const struct happening *born = s == NONE ? wait_of(n->w, tid, t, true) : NULL;
        if (born && born->why == WAKE_FORK && born->by > 0) {
            ask_waker(n, tid, born->by, lo, t, depth, "which forked it");
            return;
        }
        if (is_running(s))
            say_run(n, tid, from = t - 1, s);
        else if (s == TS_WAIT || s == TS_PREEMPTED)
            say_wait(n, tid, from, t, end);
        else if (s == TS_STOPPED)
            say(n, from, t, CRIT_STOPPED, tid, NONE, "");
        else if (s == NONE || s == TS_UNKNOWN)
            say(n, from, t, CRIT_UNKNOWN, tid, NONE, "");
        else
            ask_sleep(n, tid, from, t, end, depth);
        t = from;
    }
}

static struct naive naive_walk(const struct world *w, int64_t tid, int a, int b)
{
    struct naive n = { .w = w, .a = a, .b = b };
    int t = b;

    n.at = xcalloc((size_t)w->len + 1, sizeof *n.at);
    for (int x = 0; x < w->len; x++)
        n.at[x].what = -1;
    /* A wait that goes on behind the window is judged by how it ends, if it does. */
    const cell_t *state = w->state[tid - TID];
    if (a < b && state[b - 1] >= TS_WAIT && state[b - 1] <= TS_BLOCKED_OTHER) {
        while (t < w->len && state[t] == state[b - 1])
            t++;
        t = t < w->len ? t : b;
    }
    ask(&n, tid, a, t, 1);
    return n;
}

/* --- comparing ---------------------------------------------------------------------------- */

/* Parts of a node follow each other without a gap, and are as long as it is. */
static void check_tree(const struct critical *c, uint32_t at, unsigned depth, size_t *seen)
{
    const struct crit_node *n = &c->nodes.at[at];
    ns_t t = n->t0;

    assert_true(depth <= CRIT_DEPTH + 1);
    ++*seen;
    if (n->what != CRIT_WOKEN) {
        assert_true(n->first == CRIT_NONE && n->t0 < n->t1);
        return;
    }
    for (uint32_t i = n->first; i != CRIT_NONE; i = c->nodes.at[i].next) {
        assert_true(c->nodes.at[i].t0 == t);
        t = c->nodes.at[i].t1;
        check_tree(c, i, depth + 1, seen);
    }
    assert_true(t == n->t1);
}

static void check_whole(const struct critical *c)
{
    size_t seen = 0;

    assert_true(c->nodes.at[0].t0 == c->win.t0 && c->nodes.at[0].t1 == c->win.t1);
    check_tree(c, 0, 0, &seen);
    assert_int_equal(seen, c->nodes.n);
}

static void compare(const struct naive *n, const struct critical *c, uint64_t seed)
{
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct crit_node *v = &c->nodes.at[i];

        if (v->what == CRIT_WOKEN)
            continue;
        for (ns_t t = v->t0; t < v->t1; t++) {
            const struct part *p = &n->at[t - BASE];

            if (p->what == v->what && p->tid == v->tid && p->by == v->by &&
                str_is(v->detail, p->detail))
                continue;
            fail_msg("world %llu, thread %d in [%d, %d), at %d: %s of %d (by %d, '" STR_FMT
                     "'), not %s of %d (by %d, '%s')",
                     (unsigned long long)seed, (int)c->tid, n->a, n->b, (int)(t - BASE),
                     crit_what_name(v->what), (int)v->tid, (int)v->by, STR_ARG(v->detail),
                     p->what < 0 ? "nothing" : crit_what_name((enum crit_what)p->what), (int)p->tid,
                     (int)p->by, p->detail);
        }
    }
    assert_int_equal(c->no_wakeups, n->wakeups);
    assert_int_equal(c->no_interrupts, n->interrupts);
}

/* A history to be walked. */
struct walked {
    struct store *s, *global;
    struct arena mem;
    struct report_src src;
    struct whos whos;
};

static void walked_make(struct walked *k, const struct world *w)
{
    struct err err;

    *k = (struct walked){ .s = write_world(w), .global = store_new("") };
    assert_int_equal(store_finish(k->global, BASE, when(w->len), &err), 0);
    k->src = (struct report_src){
        .hosts = &k->s, .nhosts = 1, .global = k->global, .mem = &k->mem, .span = SPAN_ALL
    };
    whos_make(&k->src, &k->whos);
}

static void walked_free(struct walked *k)
{
    whos_free(&k->whos);
    store_free(k->s);
    store_free(k->global);
    arena_free(&k->mem);
}

static void walk(const struct walked *k, int64_t tid, int a, int b, struct critical *ret)
{
    critical_walk(&k->src, &k->whos, 0, tid, (struct span){ when(a), when(b) }, ret);
    check_whole(ret);
}

/* --- tests -------------------------------------------------------------------------------- */

static void test_random_worlds(void **state)
{
    enum { WORLDS = 400, WALKS = 25 };
    uint64_t kinds[CRIT_WHATS_N] = { 0 };

    (void)state;
    for (uint64_t seed = 1; seed <= WORLDS; seed++) {
        struct world w = run_world(seed);
        struct walked k;

        walked_make(&k, &w);
        for (int i = 0; i < WALKS; i++) {
            int64_t tid = TID + any((unsigned)w.threads);
            int a = i ? (int)any((unsigned)w.len) : 0;
            int b = i ? a + (int)any((unsigned)(w.len - a + 1)) : w.len;
            struct naive n = naive_walk(&w, tid, a, b);
            struct critical c;

            walk(&k, tid, a, b, &c);
            compare(&n, &c, seed);
            for (size_t v = 0; v < c.nodes.n; v++)
                kinds[c.nodes.at[v].what]++;
            critical_free(&c);
            free(n.at);
        }
        walked_free(&k);
        world_free(&w);
    }
    for (int i = 0; i < CRIT_WHATS_N; i++) /* the test tests what it should */
        if (i != CRIT_DEEP && i != CRIT_MANY && kinds[i] < 20)
            fail_msg("'%s' was seen %u times", crit_what_name((enum crit_what)i),
                     (unsigned)kinds[i]);
}

struct want {
    int t0, t1;
    enum crit_what what;
    int64_t tid, by;
};

static void check_leaves(const struct critical *c, const struct want *want, size_t n)
{
    size_t found = 0;

    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < c->nodes.n; k++) {
            const struct crit_node *v = &c->nodes.at[k];

            found += v->what == want[i].what && v->tid == want[i].tid && v->by == want[i].by &&
                     v->t0 == when(want[i].t0) && v->t1 == when(want[i].t1);
        }
    assert_int_equal(found, n);
    size_t leaves = 0;
    for (size_t k = 0; k < c->nodes.n; k++)
        leaves += c->nodes.at[k].what != CRIT_WOKEN;
    assert_int_equal(leaves, n);
}

/* By hand: 10 sleeps until 11 wakes it at 60, and waits until 80 for CPU 0, which 12 has until 70
 * and nobody since.  11 was pre-empted in [30, 50) by 12; the wake-up of 11 came from an
 * interrupt at 20, it slept for the network before. */
static void test_by_hand(void **state)
{
    struct world w = world_new(3, 100);
    struct walked k;
    struct critical c;

    (void)state;
    lasts(&w, 0, 0, 60, TS_BLOCKED_FUTEX);
    lasts(&w, 0, 60, 80, TS_WAIT);
    lasts(&w, 0, 80, 100, TS_USER);
    lasts(&w, 1, 0, 20, TS_BLOCKED_NET);
    lasts(&w, 1, 20, 30, TS_USER);
    lasts(&w, 1, 30, 50, TS_PREEMPTED);
    lasts(&w, 1, 50, 100, TS_USER);
    lasts(&w, 2, 0, 30, TS_BLOCKED_OTHER);
    lasts(&w, 2, 30, 70, TS_USER);
    for (int x = 30; x < 70; x++) /* on both, so that one test has two waits */
        w.on[0][x] = w.on[1][x] = 12;
    *vec_push(&w.waits) = (struct happening){
        .t0 = 60, .t1 = 80, .tid = 10, .cpu = 0, .kind = WAIT_WOKEN, .by = 11, .why = WAKE_THREAD
    };
    *vec_push(&w.waits) = (struct happening){
        .t0 = 20, .t1 = 20, .tid = 11, .cpu = 1, .kind = WAIT_WOKEN, .by = 0, .why = WAKE_IRQ
    };
    *vec_push(&w.waits) = (struct happening){
        .t0 = 30, .t1 = 50, .tid = 11, .cpu = 1, .kind = WAIT_PREEMPTED, .by = 12
    };
    walked_make(&k, &w);
    walk(&k, 10, 0, 100, &c);
    check_leaves(&c,
                 (const struct want[]){ { 0, 20, CRIT_NETWORK, 11, NONE },
                                        { 20, 30, CRIT_RUNNING, 11, NONE },
                                        { 30, 50, CRIT_CPU, 11, 12 },
                                        { 50, 60, CRIT_RUNNING, 11, NONE },
                                        { 60, 70, CRIT_CPU, 10, 12 },
                                        { 70, 80, CRIT_CPU, 10, 0 },
                                        { 80, 100, CRIT_RUNNING, 10, NONE } },
                 7);
    critical_free(&c);
    walk(&k, 10, 25, 65, &c); /* both edges lie within waits */
    check_leaves(&c,
                 (const struct want[]){ { 25, 30, CRIT_RUNNING, 11, NONE },
                                        { 30, 50, CRIT_CPU, 11, 12 },
                                        { 50, 60, CRIT_RUNNING, 11, NONE },
                                        { 60, 65, CRIT_CPU, 10, 12 } },
                 4);
    critical_free(&c);
    walk(&k, 10, 50, 50, &c);
    assert_int_equal(c.nodes.n, 1);
    critical_free(&c);
    walked_free(&k);
    world_free(&w);
}

/* Each thread sleeps until the next wakes it: 10 until 100, 11 until 99, ...; the CRIT_DEPTH + 1st
 * is not followed any further. */
static void test_deep(void **state)
{
    struct world w = world_new(MOST_THREADS, 100);
    struct want want[CRIT_DEPTH + 1];
    struct walked k;
    struct critical c;

    (void)state;
    for (int i = 0; i < MOST_THREADS; i++) {
        lasts(&w, i, 0, 100 - i, TS_BLOCKED_FUTEX);
        lasts(&w, i, 100 - i, 100, TS_USER);
        *vec_push(&w.waits) = (struct happening){ .t0 = 99 - i,
                                                  .t1 = 99 - i,
                                                  .tid = TID + i + 1,
                                                  .kind = WAIT_WOKEN,
                                                  .by = TID + i + 2,
                                                  .why = WAKE_THREAD };
    }
    for (int i = 1; i <= CRIT_DEPTH; i++)
        want[i] = (struct want){ 99 - i, 100 - i, CRIT_RUNNING, TID + i + 1, NONE };
    want[0] = (struct want){ 0, 99 - CRIT_DEPTH, CRIT_DEEP, TID + CRIT_DEPTH + 1, NONE };
    walked_make(&k, &w);
    walk(&k, TID + 1, 0, 99, &c);
    check_leaves(&c, want, ARRAY_SIZE(want));
    critical_free(&c);
    walked_free(&k);
    world_free(&w);
}

/* Two threads that are said to have woken each other at the same time. */
static void test_circle(void **state)
{
    struct world w = world_new(2, 100);
    struct walked k;
    struct critical c;

    (void)state;
    for (int i = 0; i < 2; i++) {
        lasts(&w, i, 0, 50, TS_BLOCKED_FUTEX);
        lasts(&w, i, 50, 100, TS_USER);
        *vec_push(&w.waits) = (struct happening){ .t0 = 50,
                                                  .t1 = 50,
                                                  .tid = TID + i,
                                                  .kind = WAIT_WOKEN,
                                                  .by = TID + 1 - i,
                                                  .why = WAKE_THREAD };
    }
    walked_make(&k, &w);
    walk(&k, TID, 0, 100, &c);
    check_leaves(&c,
                 (const struct want[]){ { 0, 50, CRIT_DEEP, TID + CRIT_DEPTH % 2, NONE },
                                        { 50, 100, CRIT_RUNNING, TID, NONE } },
                 2);
    critical_free(&c);
    walked_free(&k);
    world_free(&w);
}

/* The oldest part of a walk with more nodes than are kept is one leaf.  10 waits for 11, which goes
 * in and out of system calls all the time. */
static void test_many_parts(void **state)
{
    enum { LEN = CRIT_NODES + 200000, WOKEN = LEN - 10, KEPT = CRIT_NODES - 3 };
    struct world w = world_new(2, LEN);
    struct walked k;
    struct critical c;

    (void)state;
    lasts(&w, 0, 0, WOKEN, TS_BLOCKED_FUTEX);
    lasts(&w, 0, WOKEN, LEN, TS_USER);
    for (int x = 0; x < LEN; x++)
        w.state[1][x] = x % 2 ? TS_USER : TS_SYSCALL;
    *vec_push(&w.waits) = (struct happening){
        .t0 = WOKEN, .t1 = WOKEN, .tid = TID, .kind = WAIT_WOKEN, .by = TID + 1, .why = WAKE_THREAD
    };
    walked_make(&k, &w);
    walk(&k, TID, 0, LEN, &c);
    assert_int_equal(c.nodes.n, CRIT_NODES + 1); /* the root, 10's run, 11, its parts, the rest */
    const struct crit_node *rest = &c.nodes.at[c.nodes.at[0].first];
    assert_int_equal(rest->what, CRIT_MANY);
    assert_true(rest->t0 == when(0) && rest->t1 == when(WOKEN - KEPT));
    critical_free(&c);
    walked_free(&k);
    world_free(&w);
}

/* --- records found by thread -------------------------------------------------------------- */

static void check_row(const struct crit_row *got, const struct happening *want)
{
    assert_int_equal(got != NULL, want != NULL);
    if (got)
        assert_true(got->tid == want->tid && got->t0 == when(want->t0) &&
                    got->t1 == when(want->t1));
}

static void look_up(struct crit_rows *r, const struct world *w, int64_t tid, int t)
{
    check_row(crit_woken(r, tid, when(t)), wait_of(w, tid, t, true));
    check_row(crit_wait_end(r, tid, when(t)), wait_of(w, tid, t, false));
    check_row(crit_call(r, tid, when(t)), around(&w->calls, tid, t - 1, -1));
    check_row(crit_irq(r, tid, when(t), false), around(&w->irqs, tid, t - 1, IRQ_HARD));
    check_row(crit_irq(r, tid, when(t), true), around(&w->irqs, tid, t - 1, IRQ_SOFT));
}

/* A second in which hardly anything happens, and then more in a few milliseconds than is read at
 * once: stretches become longer and shorter. */
static struct world busy_world(void)
{
    enum { MANY = 700 * 1000, FEW = 1000, SECOND = 1000 * 1000 * 1000 };
    struct world w = { 0 };
    int free_from[20] = { 0 };

    for (int i = 0; i < FEW + MANY; i++) {
        int t0 = i < FEW ? i * (SECOND / FEW) : SECOND + (i - FEW) * 60;
        int who = (int)any(20), t1 = t0 + 1 + (int)any(5000);
        struct happening h = { .t0 = t0, .t1 = t1, .tid = TID + who, .name = "x" };

        if (t0 <= free_from[who])
            continue;
        free_from[who] = t1;
        h.kind = chance(60) ? WAIT_WOKEN : WAIT_PREEMPTED;
        *vec_push(&w.waits) = h;
        if (chance(50))
            *vec_push(&w.calls) = h;
        h.kind = IRQ_SOFT;
        *vec_push(&w.irqs) = h;
        if (t1 - t0 > 3) {
            h.kind = IRQ_HARD;
            h.t0 += (t1 - t0) / 3;
            h.t1 -= (t1 - t0) / 3;
            *vec_push(&w.irqs) = h;
        }
    }
    return w;
}

/* What ends or begins at the very edge of the stretch that was read. */
static void look_at_edges(struct store *s, const struct world *w)
{
    for (int i = 0; i < 20; i++) {
        const struct happening *h = &w->waits.at[any(900)];
        struct crit_rows r;

        crit_rows_init(&r, s);
        crit_call(&r, NOBODY, when(h->t1) + r.stretch);
        assert_true(r.here.t0 == when(h->t1));
        check_row(crit_wait_end(&r, h->tid, when(h->t1)), h);
        crit_rows_free(&r);
        crit_rows_init(&r, s);
        crit_call(&r, NOBODY, when(h->t0 - 1));
        assert_true(r.here.t1 == when(h->t0));
        check_row(crit_woken(&r, h->tid, when(h->t0)), h->kind == WAIT_WOKEN ? h : NULL);
        crit_rows_free(&r);
    }
}

static void test_rows(void **state)
{
    enum { LOOKS = 100 };
    struct crit_rows r;
    struct err err;

    (void)state;
    rng = 4711;
    struct world w = busy_world();
    struct store *s = store_new("host");
    write_rows(s, &w);
    int last = w.waits.at[w.waits.n - 1].t1 + 10;
    assert_int_equal(store_finish(s, BASE, when(last), &err), 0);
    crit_rows_init(&r, s);
    for (int i = 0; i < LOOKS; i++) { /* backward, as a walk does, with a jump at times */
        size_t at = i % 20 == 19 ? any((unsigned)w.waits.n)
                                 : (size_t)(LOOKS - 1 - i) * (w.waits.n - 1) / (LOOKS - 1);
        const struct happening *h = &w.waits.at[at];

        look_up(&r, &w, h->tid, h->t1);
        look_up(&r, &w, h->tid, h->t0);
        look_up(&r, &w, TID + any(20), h->t0 + (h->t1 - h->t0) / 2 + 1);
        look_up(&r, &w, NOBODY, h->t0);
    }
    crit_rows_free(&r);
    look_at_edges(s, &w);
    store_free(s);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand), cmocka_unit_test(test_deep),
        cmocka_unit_test(test_circle),  cmocka_unit_test(test_many_parts),
        cmocka_unit_test(test_rows),    cmocka_unit_test(test_random_worlds)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
