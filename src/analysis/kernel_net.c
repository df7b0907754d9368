/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_net.c -- packets through the host's interfaces.
 *
 * Sent: net_dev_xmit with a return code of 0 (the driver took it: after segmentation, so there can
 * be more than were queued); any other code is a packet that has to be queued again or was
 * dropped by the driver.  Received: netif_receive_skb, after GRO has merged segments; its length
 * is without the link layer's header.  Dropped: skb_kfree; of which interface is known if the
 * packet was seen in one before.  (include/trace/events/net.h, skb.h) */
#include "analysis/kernel.h"
#include "analysis/list.h"

enum { SEEN = 4096 }; /* packets whose interface is remembered, by address; a power of two */

struct nets {
    struct seen {
        int64_t skb;
        cell_t dev;
        int64_t bytes;
    } seen[SEEN];
};

static struct seen *seen_at(struct nets *n, int64_t skb)
{
    return &n->seen[hash_bytes(&skb, sizeof skb, 3) & (SEEN - 1)];
}

static void write(struct pass *p, const struct ev_head *h, cell_t dev, enum packet_dir dir,
                  int64_t bytes, int64_t rc)
{
    const struct kcpu *c = h->cpu < CPU_LIMIT ? p->kernel->cpus[h->cpu] : NULL;
    const struct kthread *th = kernel_current(c);
    cell_t cells[packet_columns] = {
        [C_packet_t0] = h->t,     [C_packet_t1] = h->t,
        [C_packet_dev] = dev,     [C_packet_dir] = dir,
        [C_packet_bytes] = bytes, [C_packet_tid] = !th || c->nest ? 0 : th->tid,
        [C_packet_rc] = rc
    };

    pass_record(p, TABLE_packet, cells);
}

static void on_queue(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_net_queue *ev = evp;

    (void)h;
    if (ev->skb)
        *seen_at(state, ev->skb) = (struct seen){ ev->skb, pass_text(p, ev->dev), ev->len };
}

static void on_xmit(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_net_xmit *ev = evp;

    (void)state;
    write(p, h, pass_text(p, ev->dev), ev->rc == 0 ? PACKET_TX : PACKET_TX_FAILED, ev->len, ev->rc);
}

static void on_receive(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_net_receive *ev = evp;
    cell_t dev = pass_text(p, ev->dev);

    if (ev->skb)
        *seen_at(state, ev->skb) = (struct seen){ ev->skb, dev, ev->len };
    write(p, h, dev, PACKET_RX, ev->len, 0);
}

static void on_kfree(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_skb_kfree *ev = evp;
    struct seen *s = seen_at(state, ev->skb);

    if (s->skb != ev->skb) {
        write(p, h, 0, PACKET_DROP, STORE_NULL, ev->reason);
        return;
    }
    write(p, h, s->dev, PACKET_DROP, s->bytes, ev->reason);
    s->skb = 0; /* the address is used again for another packet */
}

static const struct handler handlers[] = {
    { EV_NET_QUEUE, on_queue }, { EV_NET_XMIT, on_xmit }, { EV_NET_RECEIVE, on_receive },
    { EV_SKB_KFREE, on_kfree }, { EV_OTHER, NULL },
};

const struct analysis an_kernel_net = {
    .name = "kernel-net",
    .title = "Packets through interfaces",
    .layer = "kernel",
    .doc = "Counts what each interface sends, receives and drops, and which thread sent it.",
    .handlers = handlers,
    .state_size = sizeof(struct nets),
};
