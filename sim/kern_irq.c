/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_irq.c -- hard interrupts and softirqs on a CPU, see kern_priv.h.
 *
 * A hard interrupt interrupts a thread, idle, or a softirq, never another one:
 * that one waits.  What an interrupt does (completes requests, wakes threads)
 * happens at its end.  The softirqs that it raised run when no softirq is
 * interrupted, the lowest vector first, and then the base goes on. */
#include "sim/kern_priv.h"

#include "sim/kern_io.h"

#include <assert.h>

/* Addresses of functions in kernel events; any stable ones will do. */
#define TICK_FUNCTION UINT64_C(0xffffffff8119a4f0)
#define WAKEUP_FUNCTION UINT64_C(0xffffffff81189830)

static uint64_t tick_timer(const struct kcpu *c)
{
    return UINT64_C(0xffff88813bc235c0) + (uint64_t)c->id * 0x100000;
}

void kern_raise(struct kern *k, struct kcpu *c, unsigned vec)
{
    if (c->soft_pending & (1u << vec))
        return;
    c->soft_pending |= 1u << vec;
    kern_emit(k, c, EV_SOFT_RAISE, (struct ctfw_val[]){ ctfw_u(vec) });
}

static void timer_entry(struct kern *k, struct kcpu *c, uint64_t timer, uint64_t function)
{
    kern_emit(
        k, c, EV_HRTIMER_ENTRY,
        (struct ctfw_val[]){ ctfw_u(timer), ctfw_i(k->now - k->clock_offset), ctfw_u(function) });
}

static void timer_exit(struct kern *k, struct kcpu *c, uint64_t timer)
{
    kern_emit(k, c, EV_HRTIMER_EXIT, (struct ctfw_val[]){ ctfw_u(timer) });
}

void kern_alarm(struct kern *k, struct kcpu *c, struct ktask *t, ns_t ns)
{
    ns_t at = k->now + (ns > 1000 ? ns : 1000);
    ns_t expires = at - k->clock_offset;

    t->timer_armed = true;
    kern_timer(k, at, TM_WAKE, t, t->token);
    kern_emit(k, c, EV_HRTIMER_START,
              (struct ctfw_val[]){ ctfw_u(kern_address(t)), ctfw_u(WAKEUP_FUNCTION),
                                   ctfw_i(expires), ctfw_i(expires), ctfw_u(0) });
}

/* What /proc/interrupts calls it. */
static const char *irq_name(const struct kirq *i, unsigned *number)
{
    if (i->kind == IRQ_DISK)
        return kern_disk_irq(i->what, number);
    if (i->kind == IRQ_NIC) {
        const struct kinterface *f = i->what;

        *number = f->irq;
        return f->irq_name;
    }
    const struct kc_interrupt *o = i->what;

    *number = o->irq;
    return o->name;
}

static void hard_start(struct kern *k, struct kcpu *c, struct kirq irq)
{
    ns_t takes = 1200 + (ns_t)rng_below(&k->rng, 900);
    unsigned number;

    c->level = LEVEL_HARD;
    c->hard = irq;
    switch (irq.kind) {
    case IRQ_TICK:
    case IRQ_TCP:
    case IRQ_WHEEL: timer_entry(k, c, tick_timer(c), TICK_FUNCTION); break;
    case IRQ_HRTIMER: timer_entry(k, c, kern_address(irq.what), WAKEUP_FUNCTION); break;
    case IRQ_DISK:
    case IRQ_NIC:
    case IRQ_OTHER: {
        const char *name = irq_name(&irq, &number);

        takes += irq.kind == IRQ_OTHER ? ((const struct kc_interrupt *)irq.what)->took_ns
                                       : 1500 + (ns_t)rng_below(&k->rng, 2000);
        c->hard_since =
            kern_emit(k, c, EV_IRQ_ENTRY, (struct ctfw_val[]){ ctfw_u(number), kern_z(name) });
    } break;
    }
    c->end_at = k->now + takes;
}

/* Like the hardware, a line that asks twice before it is served is served once. */
static void wait_for_turn(struct kcpu *c, struct kirq irq)
{
    bool once = irq.kind == IRQ_TICK || irq.kind == IRQ_OTHER;

    for (size_t i = c->pending_at; once && i < c->pending.n; i++)
        if (c->pending.at[i].kind == irq.kind && c->pending.at[i].what == irq.what)
            return;
    if (c->pending_at > 64 && c->pending_at > c->pending.n / 2) {
        c->pending.n -= c->pending_at;
        memmove(c->pending.at, c->pending.at + c->pending_at, c->pending.n * sizeof irq);
        c->pending_at = 0;
    }
    *vec_push(&c->pending) = irq;
}

void kern_irq(struct kern *k, struct kcpu *c, struct kirq irq)
{
    if (c->level == LEVEL_HARD) {
        wait_for_turn(c, irq);
        return;
    }
    if (c->level == LEVEL_BASE)
        kern_pause(k, c);
    else
        c->soft_left = c->end_at > k->now ? c->end_at - k->now : 1;
    hard_start(k, c, irq);
    kern_rearm(k, c);
}

/* The timer interrupt looks at time slices and now and then at other queues. */
static void tick(struct kern *k, struct kcpu *c)
{
    c->ticks++;
    if (k->now >= c->slice_end)
        c->slice_over = true;
    if (c->ticks % 2 == 0)
        kern_raise(k, c, SOFT_RCU);
    if (c->ticks % 8 == c->id % 8)
        kern_raise(k, c, SOFT_SCHED);
    timer_exit(k, c, tick_timer(c));
    kern_emit(k, c, EV_HRTIMER_START,
              (struct ctfw_val[]){ ctfw_u(tick_timer(c)), ctfw_u(TICK_FUNCTION),
                                   ctfw_i(c->tick_at - k->clock_offset),
                                   ctfw_i(c->tick_at - k->clock_offset), ctfw_u(0) });
}

static void hard_end(struct kern *k, struct kcpu *c)
{
    struct kirq irq = c->hard;
    struct ktask *t = irq.what;
    unsigned number;

    switch (irq.kind) {
    case IRQ_TICK: tick(k, c); return;
    case IRQ_HRTIMER:
        if (t->token == irq.token)
            kern_wake(k, c, t);
        timer_exit(k, c, kern_address(t));
        return;
    case IRQ_WHEEL:
        *vec_push(&c->wheel) = irq;
        kern_raise(k, c, SOFT_TIMER);
        timer_exit(k, c, tick_timer(c));
        return;
    case IRQ_TCP:
        *vec_push(&c->expired) = irq.what;
        kern_raise(k, c, SOFT_TIMER);
        timer_exit(k, c, tick_timer(c));
        return;
    case IRQ_DISK: kern_disk_interrupt(k, c, irq.what); break;
    case IRQ_NIC: kern_nic_interrupt(k, c, irq.what); break;
    case IRQ_OTHER: break;
    }
    const char *name = irq_name(&irq, &number);
    ns_t ts = kern_emit(k, c, EV_IRQ_EXIT, (struct ctfw_val[]){ ctfw_u(number), ctfw_i(1) });

    account_irq(k, number, name, ts - c->hard_since);
}

static void soft_start(struct kern *k, struct kcpu *c)
{
    c->soft_vec = (unsigned)__builtin_ctz(c->soft_pending);
    c->soft_pending &= c->soft_pending - 1;
    c->soft_active = true;
    c->level = LEVEL_SOFT;
    c->soft_since = kern_emit(k, c, EV_SOFT_ENTRY, (struct ctfw_val[]){ ctfw_u(c->soft_vec) });
    c->end_at = k->now + 700 + (ns_t)rng_below(&k->rng, 1500);
    if (c->soft_vec == SOFT_NET_RX)
        c->end_at += 1100 * (ns_t)c->packets.n;
}

static void soft_end(struct kern *k, struct kcpu *c)
{
    unsigned vec = c->soft_vec;

    if (vec == SOFT_TIMER) {
        for (size_t i = 0; i < c->wheel.n; i++) {
            struct ktask *t = c->wheel.at[i].what;

            if (t->token == c->wheel.at[i].token)
                kern_wake(k, c, t);
        }
        c->wheel.n = 0;
        for (size_t i = 0; i < c->expired.n; i++)
            kern_wire_expired(k, c, c->expired.at[i]);
        c->expired.n = 0;
    } else if (vec == SOFT_BLOCK) {
        kern_disk_softirq(k, c);
    } else if (vec == SOFT_NET_RX) {
        kern_net_softirq(k, c);
    } else if (vec == SOFT_NET_TX) {
        kern_send_softirq(k, c);
    } else if (vec == SOFT_SCHED) {
        kern_pull(k, c, c->waiting + 2);
    } else if (vec == SOFT_RCU) {
        kern_bury(k, c);
    }
    ns_t ts = kern_emit(k, c, EV_SOFT_EXIT, (struct ctfw_val[]){ ctfw_u(vec) });

    span_add(&k->softs[vec], ts - c->soft_since);
}

void kern_level_over(struct kern *k, struct kcpu *c)
{
    if (c->level == LEVEL_HARD) {
        hard_end(k, c);
        if (c->pending_at < c->pending.n) {
            hard_start(k, c, c->pending.at[c->pending_at++]);
            kern_rearm(k, c);
            return;
        }
        c->pending.n = c->pending_at = 0;
        if (c->soft_active) {
            c->level = LEVEL_SOFT;
            c->end_at = k->now + c->soft_left;
            kern_rearm(k, c);
            return;
        }
    } else {
        assert(c->level == LEVEL_SOFT);
        soft_end(k, c);
        c->soft_active = false;
    }
    if (c->soft_pending) {
        soft_start(k, c);
        kern_rearm(k, c);
        return;
    }
    c->level = LEVEL_BASE;
    kern_continue(k, c);
}
