/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_irq.c -- interrupts: hard ones, softirqs, vectors of the CPU, timers that expire
 * in them.
 *
 * They nest; an exit ends the innermost interrupt of its kind and number.  One that has no
 * entry (the trace began in between) is counted, and changes nothing. */
#include "analysis/kernel.h"

void kernel_irqs_forget(struct kcpu *c)
{
    c->nest = 0;
    c->disk_t = NS_MIN;
    for (size_t i = 0; i < ARRAY_SIZE(c->raised); i++)
        c->raised[i] = NS_MIN;
}

static void enter(struct kernel *k, struct kcpu *c, ns_t t, enum irq_kind kind, int64_t nr,
                  cell_t name)
{
    if (c->nest == NEST_LIMIT) { /* exits were lost */
        k->odd.irq_entries += c->nest;
        c->nest = 0;
    }
    if (c->nest == 0)
        c->disk_t = NS_MIN;
    struct irq_frame *f = &c->frames[c->nest++];
    *f = (struct irq_frame){
        .t0 = t, .raised = NS_MIN, .nr = nr, .name = name, .kind = (uint8_t)kind
    };
    if (kind == IRQ_SOFT && nr >= 0 && nr < SOFTIRQS) {
        f->raised = c->raised[nr];
        c->raised[nr] = NS_MIN;
    }
    if (kind != IRQ_TIMER)
        kernel_show(k, c, t);
}

static void leave(struct kernel *k, struct kcpu *c, ns_t t, enum irq_kind kind, int64_t nr)
{
    uint32_t i = c->nest;

    while (i > 0 && (c->frames[i - 1].kind != kind || c->frames[i - 1].nr != nr))
        i--;
    if (i == 0) {
        k->odd.irq_exits++;
        return;
    }
    const struct irq_frame *f = &c->frames[i - 1];
    cell_t cells[irq_columns] = {
        [C_irq_t0] = f->t0,     [C_irq_t1] = t,
        [C_irq_kind] = kind,    [C_irq_nr] = nr,
        [C_irq_cpu] = c->no,    [C_irq_tid] = c->thread ? c->thread->tid : c->known ? 0 : -1,
        [C_irq_name] = f->name, [C_irq_raised] = f->raised > NS_MIN ? f->raised : STORE_NULL
    };

    pass_record(k->p, TABLE_irq, cells);
    k->odd.irq_entries += c->nest - i; /* those within it have not ended */
    c->nest = i - 1;
    if (kind != IRQ_TIMER)
        kernel_show(k, c, t);
}

void kernel_irq_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_irq_handler_entry *ev = evp;
    uint32_t name = 0;

    if (ev->name.n)
        name = (uint32_t)pass_text(k->p, ev->name);
    else
        map64_get(&k->irq_names, (uint64_t)ev->irq, &name);
    enter(k, c, h->t, IRQ_HARD, ev->irq, name);
}

void kernel_irq_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_irq_handler_exit *ev = evp;

    leave(k, c, h->t, IRQ_HARD, ev->irq);
}

/* "reschedule" of "x86_irq_vectors_reschedule_entry". */
static struct str vector_name(struct str event)
{
    static const char *const heads[] = { "x86_irq_vectors_", "irq_vectors:" };

    for (size_t i = 0; i < ARRAY_SIZE(heads); i++)
        if (str_starts(event, str_of(heads[i])))
            event = str_from(event, strlen(heads[i]));
    size_t bar = str_rchr(event, '_');
    return bar == STR_NONE ? event : str_first(event, bar);
}

void kernel_vector_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_irq_vector_entry *ev = evp;

    enter(k, c, h->t, IRQ_VECTOR, ev->vector, pass_text(k->p, vector_name(h->name)));
}

void kernel_vector_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_irq_vector_exit *ev = evp;

    leave(k, c, h->t, IRQ_VECTOR, ev->vector);
}

/* enum of include/linux/interrupt.h; the order has not changed since 2.6.32. */
static const char *const softirqs[SOFTIRQS] = { "HI",       "TIMER",   "NET_TX", "NET_RX",  "BLOCK",
                                                "IRQ_POLL", "TASKLET", "SCHED",  "HRTIMER", "RCU" };

void kernel_softirq_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h,
                          const void *evp)
{
    const struct ev_softirq_entry *ev = evp;
    cell_t name =
        ev->vec >= 0 && ev->vec < SOFTIRQS ? pass_text(k->p, str_of(softirqs[ev->vec])) : 0;

    enter(k, c, h->t, IRQ_SOFT, ev->vec, name);
}

void kernel_softirq_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_softirq_exit *ev = evp;

    leave(k, c, h->t, IRQ_SOFT, ev->vec);
}

void kernel_softirq_raise(struct kernel *k, struct kcpu *c, const struct ev_head *h,
                          const void *evp)
{
    const struct ev_softirq_raise *ev = evp;

    (void)k;
    if (ev->vec >= 0 && ev->vec < SOFTIRQS && c->raised[ev->vec] == NS_MIN)
        c->raised[ev->vec] = h->t;
}

void kernel_timer_entry(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_timer_entry *ev = evp;

    enter(k, c, h->t, IRQ_TIMER, ev->timer, 0);
}

void kernel_timer_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_timer_exit *ev = evp;

    leave(k, c, h->t, IRQ_TIMER, ev->timer);
}

void kernel_dump_irq(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_dump_irq *ev = evp;

    (void)c;
    (void)h;
    if (ev->name.n)
        map64_set(&k->irq_names, (uint64_t)ev->irq, (uint32_t)pass_text(k->p, ev->name));
}

void kernel_waker(const struct kernel *k, const struct kcpu *c, struct waking *ret)
{
    static const uint8_t why[] = { [IRQ_HARD] = WAKE_IRQ,
                                   [IRQ_SOFT] = WAKE_SOFTIRQ,
                                   [IRQ_VECTOR] = WAKE_IRQ,
                                   [IRQ_TIMER] = WAKE_TIMER };

    (void)k;
    ret->by = !c || !c->known ? -1 : c->thread ? c->thread->tid : 0;
    ret->why = WAKE_THREAD;
    ret->nr = 0;
    if (c && c->nest) {
        ret->why = why[c->frames[c->nest - 1].kind];
        ret->nr = ret->why == WAKE_TIMER ? 0 : (int32_t)c->frames[c->nest - 1].nr;
    } else if (ret->by <= 0) {
        ret->why = WAKE_UNKNOWN; /* an idle CPU wakes nobody: the interrupt is not recorded */
    }
}
