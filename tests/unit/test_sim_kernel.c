/* SPDX-License-Identifier: Apache-2.0
 *
 * test_sim_kernel.c -- the simulated kernel: that its run queues keep their
 * promises, that every nanosecond is accounted for once, and that its truth is
 * what a plain pass over the written events finds.
 *
 * The pass here knows nothing of the model: it follows sched_switch,
 * sched_wakeup and the state dump by their definitions. */
#include "neph.h"
#include "sim/cloud.h"
#include "sim/kern_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* One simulated host, and where its trace is. */
struct fixture {
    char dir[256], out[300];
    struct scenario sc;
    struct sim s;
    struct err err;
    struct kern *k;
};

static int setup(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);
    const char *tmp = getenv("TMPDIR");

    snprintf(f->dir, sizeof f->dir, "%s/test_sim_kernel_XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->out, sizeof f->out, "%s/out", f->dir);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[300];

    cloud_free(&f->s);
    scenario_free(&f->sc);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* Simulates a host with 'cpus' CPUs; 'load' is the inside of its object. */
static void simulate(struct fixture *f, unsigned cpus, const char *more, const char *load)
{
    char path[300];

    snprintf(path, sizeof path, "%s/s.json", f->dir);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fprintf(file,
            "{\"dialect\": \"zed\", \"duration_s\": 1, \"seed\": 11,"
            " \"hosts\": [{\"name\": \"h\", \"roles\": [\"controller\", \"compute\"],"
            " \"cpus\": %u}],"
            " \"kernel\": {\"only\": true, %s \"hosts\": [{\"host\": \"h\", %s}]}}",
            cpus, more, load);
    assert_int_equal(fclose(file), 0);
    if (scenario_load(path, 0, &f->sc, &f->err) < 0)
        fail_msg("%s", f->err.text);
    f->s = (struct sim){ .sc = &f->sc,
                         .out_dir = f->out,
                         .err = &f->err,
                         .now = f->sc.start,
                         .begin = f->sc.start,
                         .end = f->sc.start + f->sc.duration_ns };
    rng_seed(&f->s.rng, f->sc.seed);
    assert_int_equal(cloud_build(&f->s), 0);
    assert_int_equal(kern_simulate(&f->s, &f->s.hosts.at[0]), 0);
    f->k = f->s.hosts.at[0].kern;
    assert_non_null(f->k);
}

static const char busy_load[] =
    "\"disks\": [{\"name\": \"vda\", \"irq\": 25, \"partial_percent\": 20}],"
    "\"interfaces\": [{\"name\": \"eth0\", \"irq\": 30, \"rx_per_s\": 500}],"
    "\"instances\": ["
    "  {\"name\": \"vm-1\", \"vcpus\": 2, \"work_ms\": 2, \"sleep_ms\": 1,"
    "   \"disk\": {\"device\": \"vda\", \"reads_per_s\": 200, \"writes_per_s\": 200}},"
    "  {\"name\": \"vm-2\", \"nice\": -5, \"work_ms\": 1, \"sleep_ms\": 2,"
    "   \"net\": {\"interface\": \"eth0\", \"rx_per_s\": 300, \"tx_per_s\": 300}}],"
    "\"services\": [{\"comm\": \"python3\", \"threads\": 6, \"sleep_ms\": 2, \"work_ms\": 1,"
    "   \"sleep_in\": \"futex\"}],"
    "\"hogs\": [{\"comm\": \"hog\", \"threads\": 2, \"nice\": 10, \"work_ms\": 7}],"
    "\"interrupts\": [{\"name\": \"timer2\", \"irq\": 9, \"per_s\": 2000, \"took_us\": 30}]";

/* --- The model's own state -------------------------------------------------------------- */

static void test_every_thread_is_in_one_place(void **state)
{
    struct fixture *f = *state;
    size_t running = 0, queued = 0;

    simulate(f, 3, "", busy_load);
    for (unsigned i = 0; i < f->k->n_cpus; i++) {
        struct kcpu *c = &f->k->cpus[i];
        unsigned here = 0;

        assert_true(c->curr->running && c->curr->cpu == c && !c->curr->queued);
        running += c->curr != &c->idle;
        for (unsigned level = 0; level < KERN_LEVELS; level++) {
            assert_int_equal(c->head[level] != NULL, (c->some[level / 64] >> (level % 64)) & 1);
            for (struct ktask *t = c->head[level]; t; t = t->next, here++) {
                assert_true(t->queued && !t->running && !t->dead && t->cpu == c);
                assert_int_equal(t->prio + PRIO_SHIFT, level);
            }
        }
        assert_int_equal(here, c->waiting);
        queued += here;
        if (c->level == LEVEL_BASE && c->curr == &c->idle)
            assert_true(c->waiting == 0 || c->ipi);
    }
    for (size_t i = 0; i < f->k->tasks.n; i++) {
        const struct ktask *t = f->k->tasks.at[i];

        running -= t->running;
        queued -= t->queued;
        assert_false(t->running && t->queued);
    }
    assert_int_equal(running, 0);
    assert_int_equal(queued, 0);
}

static void test_every_ns_is_accounted_once(void **state)
{
    struct fixture *f = *state;
    ns_t threads_ran = 0, cpus_ran = 0;
    size_t known = 0;

    simulate(f, 2, "", busy_load);
    for (size_t i = 0; i < f->k->tasks.n; i++) {
        const struct ktask *t = f->k->tasks.at[i];
        ns_t causes = t->open_ns;

        if (t->state == ACC_UNKNOWN)
            continue;
        known++;
        assert_int_equal(t->run_ns + t->woken_ns + t->preempted_ns + t->blocked_sum,
                         t->over_ns - t->known_ns);
        for (int k = 0; k < BY_COUNT; k++)
            causes += t->blocked_ns[k];
        assert_int_equal(causes, t->blocked_sum);
        assert_int_equal(t->latency.count, t->latencies.v.n);
        threads_ran += t->run_ns;
    }
    assert_true(known > 20);
    for (unsigned i = 0; i < f->k->n_cpus; i++) {
        const struct kcpu *c = &f->k->cpus[i];

        assert_true(c->known);
        assert_int_equal(c->run_ns + c->idle_ns, f->k->end_ns - c->known_ns);
        cpus_ran += c->run_ns;
    }
    assert_int_equal(threads_ran, cpus_ran);
}

static const struct ktask *task_named(const struct kern *k, const char *comm, size_t nth)
{
    for (size_t i = 0; i < k->tasks.n; i++)
        if (strcmp(k->tasks.at[i]->comm, comm) == 0 && nth-- == 0)
            return k->tasks.at[i];
    fail_msg("no thread %s", comm);
    return NULL;
}

static void test_equals_take_turns(void **state)
{
    struct fixture *f = *state;
    ns_t most = 0, least = INT64_MAX;

    simulate(f, 1, "\"slice_ms\": 5,",
             "\"hogs\": [{\"comm\": \"hog\", \"threads\": 4, \"work_ms\": 1000}]");
    for (size_t i = 0; i < 4; i++) {
        const struct ktask *t = task_named(f->k, "hog", i);

        most = t->run_ns > most ? t->run_ns : most;
        least = t->run_ns < least ? t->run_ns : least;
        assert_true(t->preempted > 20);
        assert_int_equal(t->migrations, 0);
    }
    /* a slice ends at the next tick of 4 ms: a turn is 8 ms at the most */
    assert_true(most - least <= 9 * MS_NS);
    assert_true(least > 200 * MS_NS);
}

static void test_the_better_one_runs_at_once(void **state)
{
    struct fixture *f = *state;
    const struct ktask *rt;

    simulate(f, 1, "",
             "\"hogs\": [{\"comm\": \"hog\", \"threads\": 3, \"work_ms\": 50},"
             " {\"comm\": \"rt\", \"realtime\": 10, \"work_ms\": 0.5, \"sleep_ms\": 3},"
             " {\"comm\": \"low\", \"nice\": 19, \"work_ms\": 1, \"sleep_ms\": 1}]");
    rt = task_named(f->k, "rt", 0);
    assert_int_equal(rt->prio, -11);
    assert_true(rt->latency.count > 200);
    /* only interrupts and softirqs can be before it */
    assert_true(rt->latency.longest < 20 * US_NS);
    assert_int_equal(rt->preempted, 0);
    /* and the worst one never runs while others want to */
    assert_int_equal(task_named(f->k, "low", 0)->run_ns, 0);
}

static void test_percentiles_are_nearest_ranks(void **state)
{
    struct samples s = { 0 };

    (void)state;
    assert_int_equal(samples_rank(&s, 50), -1);
    for (uint64_t v = 10; v > 0; v--)
        *vec_push(&s.v) = v * 100;
    assert_int_equal(samples_rank(&s, 50), 500);
    assert_int_equal(samples_rank(&s, 99), 1000);
    assert_int_equal(samples_rank(&s, 91), 1000);
    assert_int_equal(samples_rank(&s, 90), 900);
    assert_int_equal(samples_rank(&s, 1), 100);
    vec_free(&s.v);
}

/* --- The same from the events -------------------------------------------------------------- */

enum seen_state { SEEN_NOTHING, SEEN_RUN, SEEN_WOKEN, SEEN_PREEMPTED, SEEN_BLOCKED };
enum { TIDS = 4096, CPUS = 8 };

struct seen {
    enum seen_state state;
    ns_t since, known, sum[5];
    int64_t culprit, cpu;
    uint64_t preempted, in_guest;
    ns_t lost_to_others; /* by pre-emptions that are over */
};

struct pass {
    struct neph *n;
    const struct neph_field *prev_tid, *prev_state, *next_tid, *woken_tid, *new_tid, *dump_tid,
        *status, *context_tid;
    struct seen by_tid[TIDS];
    int64_t on_cpu[CPUS]; /* tid, or -1 */
    ns_t irq_since[CPUS], irq_total;
    uint64_t irqs, events;
    ns_t last;
};

static int64_t number(const struct neph_event *ev, const struct neph_field *f)
{
    int64_t v = -1;

    assert_true(neph_i64(ev, f, &v));
    return v;
}

static void pass_enter(struct seen *t, enum seen_state state, ns_t ts)
{
    if (t->state == SEEN_NOTHING)
        t->known = ts;
    else
        t->sum[t->state] += ts - t->since;
    t->state = state;
    t->since = ts;
}

static void pass_switch(struct pass *p, const struct neph_event *ev, ns_t ts, int64_t cpu)
{
    int64_t prev = number(ev, p->prev_tid), next = number(ev, p->next_tid);
    int64_t state = number(ev, p->prev_state);

    assert_true(p->on_cpu[cpu] < 0 || p->on_cpu[cpu] == prev);
    p->on_cpu[cpu] = next;
    if (prev) {
        struct seen *t = &p->by_tid[prev];

        assert_int_equal(t->in_guest, 0); /* a guest is left before the CPU is */
        t->cpu = -1;
        t->culprit = next;
        t->preempted += (state == 0 || state == 256) && next;
        pass_enter(t, state == 0 || state == 256 ? SEEN_PREEMPTED : SEEN_BLOCKED, ts);
    }
    if (next) {
        struct seen *t = &p->by_tid[next];

        assert_true(t->state == SEEN_NOTHING || t->cpu == -1); /* it runs nowhere else */
        if (t->state == SEEN_PREEMPTED)
            t->lost_to_others += ts - t->since;
        t->cpu = cpu;
        pass_enter(t, SEEN_RUN, ts);
    }
}

static void pass_wakeup(struct seen *t, ns_t ts)
{
    if (t->state == SEEN_NOTHING || t->state == SEEN_BLOCKED)
        pass_enter(t, SEEN_WOKEN, ts);
}

static void pass_event(struct pass *p, const struct neph_event *ev)
{
    const char *name = neph_event_name(ev);
    ns_t ts = neph_event_time(ev);
    int64_t cpu = neph_event_cpu(ev);

    assert_true(ts > p->last && cpu >= 0 && cpu < CPUS);
    p->last = ts;
    p->events++;
    if (strcmp(name, "sched_switch") == 0) {
        pass_switch(p, ev, ts, cpu);
    } else if (strcmp(name, "sched_wakeup") == 0) {
        pass_wakeup(&p->by_tid[number(ev, p->woken_tid)], ts);
    } else if (strcmp(name, "sched_wakeup_new") == 0) {
        pass_wakeup(&p->by_tid[number(ev, p->new_tid)], ts);
    } else if (strcmp(name, "lttng_statedump_process_state") == 0) {
        struct seen *t = &p->by_tid[number(ev, p->dump_tid)];

        if (t->state == SEEN_NOTHING && number(ev, p->status) == 5)
            pass_enter(t, SEEN_BLOCKED, ts);
    } else if (strcmp(name, "irq_handler_entry") == 0) {
        p->irq_since[cpu] = ts;
    } else if (strcmp(name, "irq_handler_exit") == 0) {
        p->irqs++;
        p->irq_total += ts - p->irq_since[cpu];
    } else if (strcmp(name, "kvm_x86_entry") == 0) {
        assert_int_equal(p->by_tid[number(ev, p->context_tid)].in_guest++, 0);
    } else if (strcmp(name, "kvm_x86_exit") == 0) {
        assert_int_equal(p->by_tid[number(ev, p->context_tid)].in_guest--, 1);
    }
}

static struct pass *read_events(const struct fixture *f)
{
    struct pass *p = xcalloc(1, sizeof *p);
    const char *path = f->out;
    const struct neph_event *ev;
    char error[300] = "";

    p->n = neph_open(&path, 1, error, sizeof error);
    if (!p->n)
        fail_msg("%s", error);
    p->prev_tid = neph_field(p->n, "sched_switch", "prev_tid");
    p->prev_state = neph_field(p->n, "sched_switch", "prev_state");
    p->next_tid = neph_field(p->n, "sched_switch", "next_tid");
    p->woken_tid = neph_field(p->n, "sched_wakeup", "tid");
    p->new_tid = neph_field(p->n, "sched_wakeup_new", "tid");
    p->dump_tid = neph_field(p->n, "lttng_statedump_process_state", "tid");
    p->status = neph_field(p->n, "lttng_statedump_process_state", "status");
    p->context_tid = neph_field(p->n, NULL, "tid");
    for (int i = 0; i < CPUS; i++)
        p->on_cpu[i] = -1;
    for (int i = 0; i < TIDS; i++)
        p->by_tid[i].cpu = -1;
    while ((ev = neph_next(p->n)))
        pass_event(p, ev);
    return p;
}

static void pass_free(struct pass *p)
{
    neph_close(p->n);
    free(p);
}

/* Sums of the truth for one victim. */
static void sum_preemptions(const struct kern *k, const struct ktask *victim, uint64_t *count,
                            ns_t *total)
{
    for (size_t i = 0; i < k->preempt.v.n; i++) {
        if (k->preempt.v.at[i].victim != victim->index)
            continue;
        *count += k->preempt.v.at[i].sum.count;
        *total += k->preempt.v.at[i].sum.total;
    }
}

static void test_truth_is_what_the_events_say(void **state)
{
    struct fixture *f = *state;
    ns_t irq_total = 0;
    uint64_t irqs = 0;

    simulate(f, 3, "", busy_load);
    struct pass *p = read_events(f);

    assert_true(p->events > 10000);
    assert_int_equal(p->events, kern_totals(f->k).events);
    assert_int_equal(p->last, f->k->end_ns);
    for (size_t i = 0; i < f->k->tasks.n; i++) {
        const struct ktask *t = f->k->tasks.at[i];
        struct seen *seen = &p->by_tid[t->tid];
        uint64_t count = 0;
        ns_t total = 0;

        assert_true(t->tid > 0 && t->tid < TIDS);
        assert_int_equal(seen->state == SEEN_NOTHING, t->state == ACC_UNKNOWN);
        if (seen->state == SEEN_NOTHING)
            continue;
        if (seen->state == SEEN_PREEMPTED)
            seen->lost_to_others += p->last - seen->since;
        pass_enter(seen, seen->state, p->last);
        assert_int_equal(seen->known, t->known_ns);
        assert_int_equal(seen->sum[SEEN_RUN], t->run_ns);
        assert_int_equal(seen->sum[SEEN_WOKEN], t->woken_ns);
        assert_int_equal(seen->sum[SEEN_PREEMPTED], t->preempted_ns);
        assert_int_equal(seen->sum[SEEN_BLOCKED], t->blocked_sum);
        sum_preemptions(f->k, t, &count, &total);
        assert_int_equal(count, seen->preempted);
        assert_int_equal(total, seen->lost_to_others);
    }
    for (size_t i = 0; i < f->k->irqs.n; i++) {
        irqs += f->k->irqs.at[i].sum.count;
        irq_total += f->k->irqs.at[i].sum.total;
    }
    assert_true(irqs > 1000);
    assert_int_equal(p->irqs, irqs);
    assert_int_equal(p->irq_total, irq_total);
    pass_free(p);
}

static void test_threads_stay_where_they_may(void **state)
{
    struct fixture *f = *state;
    const struct neph_event *ev;
    const char *path = f->out;
    const char *comm;
    size_t comm_bytes, pinned = 0;

    simulate(f, 4, "",
             "\"hogs\": [{\"comm\": \"pinned\", \"threads\": 3, \"cpus\": [1, 3], \"work_ms\": 2,"
             " \"sleep_ms\": 1}, {\"comm\": \"free\", \"threads\": 6, \"work_ms\": 2,"
             " \"sleep_ms\": 1}]");
    struct neph *n = neph_open(&path, 1, NULL, 0);

    assert_non_null(n);
    const struct neph_field *next = neph_field(n, "sched_switch", "next_comm");

    while ((ev = neph_next(n))) {
        int64_t cpu = neph_event_cpu(ev);

        if (!neph_text(ev, next, &comm, &comm_bytes) || comm_bytes < 6 ||
            memcmp(comm, "pinned", 6) != 0)
            continue;
        pinned++;
        assert_true(cpu == 1 || cpu == 3);
    }
    assert_true(pinned > 500);
    neph_close(n);
}

static void test_lost_events_are_counted_where_they_are(void **state)
{
    struct fixture *f = *state;
    struct neph_loss loss;
    const char *path = f->out;
    uint64_t events = 0;

    simulate(f, 2, "\"packet_kib\": 8,",
             "\"hogs\": [{\"comm\": \"hog\", \"threads\": 4, \"work_ms\": 1, \"sleep_ms\": 1}],"
             "\"lost\": [{\"cpu\": 1, \"at_s\": 0.3, \"for_s\": 0.1},"
             "           {\"cpu\": 1, \"at_s\": 0.6, \"for_s\": 0.02}]");
    assert_int_equal(f->k->losses.n, 2);
    struct neph *n = neph_open(&path, 1, NULL, 0);

    assert_non_null(n);
    while (neph_next(n))
        events++;
    assert_int_equal(events, kern_totals(f->k).events);
    assert_int_equal(neph_totals(n).discarded_events, kern_totals(f->k).lost);
    assert_true(kern_totals(f->k).lost > 100);
    for (size_t i = 0; i < 2; i++) {
        const struct kern_loss *was = &f->k->losses.at[i];

        assert_true(neph_loss(n, i, &loss));
        assert_int_equal(loss.cpu, 1);
        assert_int_equal(loss.events, was->events);
        assert_true(loss.from_ns <= was->from && loss.to_ns >= was->to);
        assert_true(was->from >= f->k->begin + (i ? 600 : 300) * MS_NS);
        assert_true(was->to < f->k->begin + (i ? 620 : 400) * MS_NS);
    }
    assert_false(neph_loss(n, 2, &loss));
    neph_close(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_every_thread_is_in_one_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_ns_is_accounted_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_equals_take_turns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_better_one_runs_at_once, setup, teardown),
        cmocka_unit_test(test_percentiles_are_nearest_ranks),
        cmocka_unit_test_setup_teardown(test_truth_is_what_the_events_say, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads_stay_where_they_may, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lost_events_are_counted_where_they_are, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
