/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_account.c -- adds up what the model does, while it does it.
 *
 * A thread counts from the moment from which its state follows from a complete
 * trace: its entry in the state dump if it sleeps there, its sched_wakeup_new,
 * or else the first sched_switch or sched_wakeup with it.  From then on every
 * ns belongs to exactly one of running, woken, pre-empted and blocked. */
#include "sim/kern_priv.h"

#include <stdlib.h>

const char *const block_causes[BY_COUNT] = { "disk", "network", "timer", "futex", "other" };
const char *const block_ops[OP_KINDS] = { "read", "write", "flush", "discard" };

/* Values kept for percentiles, on one host: 64 MB. */
enum { SAMPLES_MAX = 8 * 1024 * 1024 };

void span_add(struct span_sum *s, ns_t took)
{
    s->count++;
    s->total += took;
    if (took > s->longest)
        s->longest = took;
}

static void sample(struct kern *k, struct samples *s, ns_t value)
{
    if (k->n_samples == SAMPLES_MAX) {
        k->samples_full = true;
        return;
    }
    k->n_samples++;
    *vec_push(&s->v) = (uint64_t)value;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

int64_t samples_rank(struct samples *s, unsigned percent)
{
    if (s->v.n == 0)
        return -1;
    qsort(s->v.at, s->v.n, sizeof *s->v.at, by_value);
    size_t rank = (s->v.n * percent + 99) / 100;

    return (int64_t)s->v.at[rank ? rank - 1 : 0];
}

static void pair_add(struct pairs *p, uint32_t victim, uint32_t culprit, ns_t took, bool open)
{
    uint64_t key = (uint64_t)victim << 32 | culprit;
    uint32_t at;

    if (!map64_get(&p->map, key, &at)) {
        at = (uint32_t)p->v.n;
        map64_set(&p->map, key, at);
        *vec_push(&p->v) = (struct pair_sum){ .victim = victim, .culprit = culprit };
    }
    span_add(&p->v.at[at].sum, took);
    p->v.at[at].open += open;
}

static void preemption(struct kern *k, const struct ktask *t, ns_t took, bool open)
{
    if (!t->culprit)
        return;
    pair_add(&k->preempt, (uint32_t)t->index, (uint32_t)t->culprit->index, took, open);
    pair_add(&k->preempt_names, t->proc->name_id, t->culprit->proc->name_id, took, open);
}

/* The state of 't' until 'ts' is over, and the next begins. */
static void enter(struct ktask *t, enum account_state state, ns_t ts)
{
    ns_t took = ts - t->since;

    switch (t->state) {
    case ACC_UNKNOWN: t->known_ns = ts; break;
    case ACC_RUN: t->run_ns += took; break;
    case ACC_WOKEN: t->woken_ns += took; break;
    case ACC_PREEMPTED: t->preempted_ns += took; break;
    case ACC_BLOCKED: t->blocked_sum += took; break;
    case ACC_OVER: break;
    }
    t->state = state;
    t->since = ts;
}

static void cpu_time(struct kcpu *c, bool was_idle, ns_t ts)
{
    if (!c->known) {
        c->known = true;
        c->known_ns = ts;
    } else if (was_idle) {
        c->idle_ns += ts - c->since;
    } else {
        c->run_ns += ts - c->since;
    }
    c->since = ts;
}

void account_switch(struct kern *k, struct kcpu *c, struct ktask *prev, struct ktask *next,
                    bool involuntary, ns_t ts)
{
    cpu_time(c, prev == &c->idle, ts);
    if (prev != &c->idle) {
        prev->culprit = involuntary && next != &c->idle ? next : NULL;
        prev->preempted += prev->culprit != NULL;
        enter(prev,
              prev->going == GO_DEAD ? ACC_OVER
              : involuntary          ? ACC_PREEMPTED
                                     : ACC_BLOCKED,
              ts);
        if (prev->going == GO_DEAD)
            prev->over_ns = ts;
    }
    if (next != &c->idle) {
        if (next->state == ACC_WOKEN) {
            span_add(&next->latency, ts - next->since);
            sample(k, &next->latencies, ts - next->since);
        } else if (next->state == ACC_PREEMPTED) {
            preemption(k, next, ts - next->since, false);
        }
        next->culprit = NULL;
        next->switches++;
        enter(next, ACC_RUN, ts);
    }
}

void account_wakeup(struct ktask *t, enum block_cause cause, ns_t ts)
{
    if (t->state == ACC_BLOCKED)
        t->blocked_ns[cause] += ts - t->since;
    enter(t, ACC_WOKEN, ts);
}

void account_dump(struct ktask *t, ns_t ts)
{
    if (t->state == ACC_UNKNOWN && !t->queued && !t->running)
        enter(t, ACC_BLOCKED, ts);
}

void account_end(struct kern *k, ns_t ts)
{
    for (unsigned i = 0; i < k->n_cpus; i++)
        if (k->cpus[i].known)
            cpu_time(&k->cpus[i], k->cpus[i].curr == &k->cpus[i].idle, ts);
    for (size_t i = 0; i < k->tasks.n; i++) {
        struct ktask *t = k->tasks.at[i];

        if (t->state == ACC_UNKNOWN || t->state == ACC_OVER)
            continue;
        if (t->state == ACC_PREEMPTED)
            preemption(k, t, ts - t->since, true);
        if (t->state == ACC_BLOCKED)
            t->open_ns = ts - t->since; /* nothing woke it: no cause */
        t->over_ns = ts;
        enter(t, t->state, ts);
        if (t->sys_known && t->sys)
            account_call(t, false, SYS_NONE, ts);
    }
}

void account_guest(struct ktask *t, bool entry, enum kern_exit reason, ns_t ts)
{
    struct kvcpu *v = t->vcpu;

    if (entry) {
        v->entries++;
        if (v->exited) {
            struct exit_sum *s = &v->by_reason[v->reason];

            s->count++;
            s->total += ts - v->since;
            s->blocked += t->blocked_sum - v->blocked;
            s->woken += t->woken_ns - v->woken;
            s->preempted += t->preempted_ns - v->preempted;
            v->halted_ns += t->blocked_sum - v->blocked;
        }
    } else {
        v->exits++;
        v->guest_ns += ts - v->since;
        v->reason = reason;
        v->exited = true;
        v->blocked = t->blocked_sum;
        v->woken = t->woken_ns;
        v->preempted = t->preempted_ns;
    }
    v->since = ts;
}

static struct sys_sum *call_of(struct ktask *t, enum sys sys)
{
    for (size_t i = 0; i < t->calls.n; i++)
        if (t->calls.at[i].sys == sys)
            return &t->calls.at[i];
    struct sys_sum *s = vec_push(&t->calls);

    *s = (struct sys_sum){ .sys = sys };
    return s;
}

void account_call(struct ktask *t, bool entry, enum sys sys, ns_t ts)
{
    if (entry) {
        t->sys = sys;
        t->sys_known = true;
        t->sys_since = ts;
        return;
    }
    if (sys == SYS_NONE) { /* the call goes on at the end, or never returns */
        call_of(t, t->sys)->no_exit++;
    } else if (!t->sys_known) {
        call_of(t, sys)->no_entry++;
    } else {
        struct sys_sum *s = call_of(t, sys);

        s->count++;
        s->total += ts - t->sys_since;
    }
    t->sys = SYS_NONE;
    t->sys_known = false;
}

void account_io(struct kern *k, struct kdisk *d, struct kproc *p, enum block_op op, uint64_t bytes,
                ns_t latency, ns_t driver)
{
    struct io_sum *io = NULL;

    for (size_t i = 0; i < k->io.n && !io; i++)
        if (k->io.at[i].disk == d && k->io.at[i].proc == p && k->io.at[i].op == op)
            io = &k->io.at[i];
    if (!io) {
        io = vec_push(&k->io);
        *io = (struct io_sum){ .disk = d, .proc = p, .op = op };
    }
    io->count++;
    io->bytes += bytes;
    sample(k, &io->latency, latency);
    sample(k, &io->driver, driver);
}

void account_irq(struct kern *k, unsigned irq, const char *name, ns_t took)
{
    struct irq_sum *s = NULL;

    for (size_t i = 0; i < k->irqs.n && !s; i++)
        if (k->irqs.at[i].irq == irq)
            s = &k->irqs.at[i];
    if (!s) {
        s = vec_push(&k->irqs);
        *s = (struct irq_sum){ .irq = irq, .name = name };
    }
    span_add(&s->sum, took);
}
