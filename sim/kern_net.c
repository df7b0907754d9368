/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_net.c -- packets: from a card by its interrupt and softirq NET_RX to a
 * service or through a tap interface to a guest, and back.
 *
 * A packet counts as received on an interface by net_if_receive_skb, as sent
 * by net_dev_xmit, as dropped by skb_kfree of an skb that the interface was
 * the last to have. */
#include "sim/kern_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RING = 512, QUEUE_MOST = 1000 /* as pfifo_fast */ };
/* The card takes what it can send in that time, as byte queue limits have it. */
#define CARD_NS (2 * MS_NS)

const struct kc_interface *kern_limited_link(const struct kc_host *h)
{
    for (size_t i = 0; i < h->n_interfaces; i++)
        if (h->interfaces[i].mbit_s > 0)
            return &h->interfaces[i];
    return NULL;
}

void kern_net_build(struct kern *k)
{
    size_t taps = 0;

    for (size_t i = 0; i < k->hc->n_procs; i++)
        taps += k->hc->procs[i].kind == KC_INSTANCE && k->hc->procs[i].net.interface;
    k->interfaces = arena_array(&k->mem, struct kinterface, k->hc->n_interfaces + taps + 1);
    for (size_t i = 0; i < k->hc->n_interfaces; i++) {
        struct kinterface *f = &k->interfaces[k->n_interfaces++];

        f->conf = &k->hc->interfaces[i];
        snprintf(f->name, sizeof f->name, "%.15s", f->conf->name);
        f->irq = f->conf->irq;
        f->cpu = &k->cpus[f->irq % k->n_cpus];
        snprintf(f->irq_name, sizeof f->irq_name, "%s-rx", f->name);
        unsigned b[4] = { 0 };

        if (f->conf->address &&
            sscanf(f->conf->address, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) == 4)
            f->address = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    }
}

void kern_net_free(struct kern *k)
{
    for (size_t i = 0; i < k->n_interfaces; i++) {
        vec_free(&k->interfaces[i].ring);
        vec_free(&k->interfaces[i].queue);
    }
}

struct kinterface *kern_interface_named(struct kern *k, const char *name)
{
    for (size_t i = 0; i < k->n_interfaces; i++)
        if (strcmp(k->interfaces[i].name, name) == 0)
            return &k->interfaces[i];
    return NULL;
}

struct kinterface *kern_new_tap(struct kern *k, const char *name)
{
    struct kinterface *f = &k->interfaces[k->n_interfaces++];

    snprintf(f->name, sizeof f->name, "%.15s", name);
    return f;
}

void kern_stream_start(struct kern *k, struct kinterface *from, struct kproc *to, double per_s,
                       unsigned bytes)
{
    struct kstream *s = arena_new(&k->mem, struct kstream);

    *s = (struct kstream){ .from = from, .to = to, .gap_ns = 1e9 / per_s, .bytes = bytes };
    kern_timer(k, k->now + kern_spread(k, s->gap_ns), TM_NIC, s, 0);
}

void kern_packet_arrives(struct kern *k, struct kstream *s)
{
    struct kinterface *f = s->from;

    if (s->to && s->to->over)
        return; /* and no more come */
    kern_timer(k, k->now + kern_spread(k, s->gap_ns), TM_NIC, s, 0);
    kern_nic_takes(k, f, (struct kpacket){ .proc = s->to, .bytes = s->bytes });
}

void kern_nic_takes(struct kern *k, struct kinterface *f, struct kpacket p)
{
    if (f->ring.n < RING) /* else the card has no room, and nobody hears of it */
        *vec_push(&f->ring) = p;
    if (f->raised)
        return;
    f->raised = true;
    kern_irq(k, f->cpu, (struct kirq){ .kind = IRQ_NIC, .what = f });
}

void kern_nic_interrupt(struct kern *k, struct kcpu *c, struct kinterface *f)
{
    f->raised = false;
    for (size_t i = 0; i < f->ring.n; i++) {
        struct kpacket p = f->ring.at[i];

        p.interface = f;
        *vec_push(&c->packets) = p;
    }
    f->ring.n = 0;
    kern_raise(k, c, SOFT_NET_RX);
    if (f->queue.n)
        kern_raise(k, c, SOFT_NET_TX);
}

uint64_t kern_new_skb(struct kern *k)
{
    return UINT64_C(0xffff888200000000) + k->next_skb++ % 4096 * 0x100;
}

static void emit_packet(struct kern *k, struct kcpu *c, enum kev e, const struct kinterface *f,
                        uint64_t skb, unsigned bytes)
{
    kern_emit(k, c, e,
              (struct ctfw_val[]){ ctfw_u(skb), ctfw_u(bytes), kern_z(f->name), ctfw_u(0),
                                   (struct ctfw_val){ .p = "", .n = 0 } });
}

static void receive(struct kern *k, struct kcpu *c, struct kinterface *f, uint64_t skb,
                    unsigned bytes)
{
    emit_packet(k, c, EV_NET_RECEIVE, f, skb, bytes);
    f->rx_packets++;
    f->rx_bytes += bytes;
}

static void drop(struct kern *k, struct kcpu *c, struct kinterface *f, uint64_t skb)
{
    kern_emit(k, c, EV_SKB_KFREE,
              (struct ctfw_val[]){ ctfw_u(skb), ctfw_u(UINT64_C(0xffffffff81bd16e9)),
                                   ctfw_u(0x0800), ctfw_u(2) });
    f->drops++;
}

/* The driver takes a packet. */
static void xmit(struct kern *k, struct kcpu *c, struct kinterface *f, uint64_t skb, unsigned bytes)
{
    kern_emit(k, c, EV_NET_XMIT,
              (struct ctfw_val[]){ ctfw_u(skb), ctfw_i(0), ctfw_u(bytes), kern_z(f->name) });
    f->tx_packets++;
    f->tx_bytes += bytes;
    if (!f->conf || f->conf->mbit_s <= 0)
        return;
    f->sent_at = f->sent_at > k->now ? f->sent_at : k->now;
    f->sent_at += (ns_t)(bytes * 8e3 / f->conf->mbit_s);
}

static bool card_is_full(const struct kern *k, const struct kinterface *f)
{
    return f->conf && f->conf->mbit_s > 0 && f->sent_at > k->now + CARD_NS;
}

/* The card tells when it has sent half of what it holds. */
static void await_card(struct kern *k, struct kinterface *f)
{
    if (f->timed)
        return;
    f->timed = true;
    kern_timer(k, f->sent_at - CARD_NS / 2, TM_SENT, f, 0);
}

static void send_on(struct kern *k, struct kcpu *c, struct kinterface *f, uint64_t skb,
                    unsigned bytes)
{
    emit_packet(k, c, EV_NET_QUEUE, f, skb, bytes);
    if (f->queue.n == 0 && !card_is_full(k, f)) {
        xmit(k, c, f, skb, bytes);
        return;
    }
    if (f->queue.n - f->queue_at >= QUEUE_MOST) {
        drop(k, c, f, skb);
        return;
    }
    *vec_push(&f->queue) = (struct kxmit){ skb, bytes };
    await_card(k, f);
}

void kern_card_sent(struct kern *k, struct kinterface *f)
{
    f->timed = false;
    if (f->raised)
        return;
    f->raised = true;
    kern_irq(k, f->cpu, (struct kirq){ .kind = IRQ_NIC, .what = f });
}

/* Gives a card what it has room for. */
static void run_queue(struct kern *k, struct kcpu *c, struct kinterface *f)
{
    while (f->queue_at < f->queue.n && !card_is_full(k, f)) {
        struct kxmit x = f->queue.at[f->queue_at++];

        xmit(k, c, f, x.skb, x.bytes);
    }
    if (f->queue_at == f->queue.n) {
        f->queue.n = f->queue_at = 0;
        return;
    }
    if (f->queue_at > QUEUE_MOST) {
        f->queue.n -= f->queue_at;
        memmove(f->queue.at, f->queue.at + f->queue_at, f->queue.n * sizeof *f->queue.at);
        f->queue_at = 0;
    }
    await_card(k, f);
}

void kern_send_softirq(struct kern *k, struct kcpu *c)
{
    for (size_t i = 0; i < k->n_interfaces; i++)
        if (k->interfaces[i].cpu == c && k->interfaces[i].queue.n)
            run_queue(k, c, &k->interfaces[i]);
}

void kern_transmit(struct kern *k, struct kcpu *c, struct kinterface *from, struct kinterface *to,
                   unsigned bytes)
{
    uint64_t skb = kern_new_skb(k);

    if (from)
        receive(k, c, from, skb, bytes);
    send_on(k, c, to, skb, bytes);
}

static void deliver(struct kern *k, struct kcpu *c, const struct kpacket *p)
{
    struct kinterface *f = p->interface;
    struct kproc *to = p->proc && !p->proc->over && p->proc->alive ? p->proc : NULL;
    uint64_t skb = kern_new_skb(k);

    receive(k, c, f, skb, p->bytes);
    if (rng_below(&k->rng, 100) < f->conf->drop_percent) {
        drop(k, c, f, skb);
        return;
    }
    if (to && to->vhost) {
        send_on(k, c, to->tap, skb, p->bytes);
        to->rx_pending++;
        kern_kick(k, c, to->vhost);
        return;
    }
    if (to) {
        to->rx_pending++;
        kern_kick(k, c, to->tasks.at[0]);
    }
    kern_emit(k, c, EV_SKB_CONSUME, (struct ctfw_val[]){ ctfw_u(skb) });
}

void kern_net_softirq(struct kern *k, struct kcpu *c)
{
    for (size_t i = 0; i < c->packets.n; i++) {
        struct kpacket p = c->packets.at[i];

        if (p.end)
            i += kern_wire_receive(k, c, &c->packets.at[i], c->packets.n - i) - 1;
        else
            deliver(k, c, &p);
    }
    c->packets.n = 0;
}
