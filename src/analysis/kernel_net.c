/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_net.c -- packets through the host's interfaces.
 *
 * Sent: net_dev_xmit with a return code of 0 (the driver took it: after segmentation, so there can
 * be more than were queued); any other code is a packet that has to be queued again or was
 * dropped by the driver.  Received: netif_receive_skb, after GRO has merged segments; its length
 * is without the link layer's header.  Dropped: skb_kfree; of which interface is known if the
 * packet was seen in one before.  (include/trace/events/net.h, skb.h)
 *
 * Most segments of a busy connection are sent from a softirq, when an acknowledgement makes room:
 * they are of the thread that sends on that connection itself, where headers are recorded.  Where
 * softirqs are not recorded, whoever is interrupted seems to send; so that is who does mostly.
 * What the kernel cuts into segments (GSO) has other addresses behind that: a CPU hands them to the
 * driver right after the whole was queued, as long as there is of it. */
#include "analysis/kernel.h"
#include "analysis/list.h"

enum {
    SEEN = 4096,  /* packets whose interface is remembered, by address; a power of two */
    FLOWS = 4096, /* connections whose sender is remembered; a power of two            */
};

struct nets {
    struct seen {
        int64_t skb;
        cell_t dev;
        int64_t bytes;
        int64_t tid; /* that sends on its connection; 0: not known */
        ns_t queued; /* into 'dev'; NS_MIN: it was not, or has left */
    } seen[SEEN];
    struct flow {
        uint64_t flow;
        int64_t tid;
        uint32_t votes; /* for it, less those for others (R. Boyer, J. Moore, MJRTY, 1981) */
    } flows[FLOWS];
    struct {
        cell_t dev;
        int64_t tid, left; /* bytes that were not sent yet */
    } whole[CPU_LIMIT];    /* that was queued last, by CPU */
};

/* The thread that runs, unless that is in an interrupt; NULL: there is none. */
static const struct kthread *running(const struct pass *p, const struct ev_head *h)
{
    const struct kcpu *c = h->cpu < CPU_LIMIT ? p->kernel->cpus[h->cpu] : NULL;

    return c && !c->nest ? kernel_current(c) : NULL;
}

static int64_t running_tid(const struct pass *p, const struct ev_head *h)
{
    const struct kthread *th = running(p, h);

    return th ? th->tid : 0;
}

/* Who sends on the connection of a packet that is queued while 'th' runs.  What the kernel's own
 * threads send there, they do for others. */
static int64_t sender_of(struct nets *n, const struct ev_net_queue *ev, const struct kthread *th)
{
    int64_t current = th && th->is_kernel != 1 ? th->tid : 0;

    if (ev->doff <= 0 || ev->saddr.n == 0 || ev->daddr.n == 0)
        return th ? th->tid : 0;
    uint64_t flow = hash_bytes(ev->saddr.p, ev->saddr.n, (uint64_t)ev->sport);
    flow = hash_bytes(ev->daddr.p, ev->daddr.n, flow ^ (uint64_t)ev->dport << 16);
    struct flow *f = &n->flows[flow & (FLOWS - 1)];
    if (f->flow != flow)
        *f = (struct flow){ .flow = flow };
    if (current && f->votes == 0)
        f->tid = current;
    if (current)
        f->votes += current == f->tid ? 1U : -1U;
    return f->tid;
}

static struct seen *seen_at(struct nets *n, int64_t skb)
{
    return &n->seen[hash_bytes(&skb, sizeof skb, 3) & (SEEN - 1)];
}

/* Who queued the packet that the driver has taken; 0: not known. */
static int64_t sender_behind(struct nets *n, const struct ev_head *h, const struct ev_net_xmit *ev,
                             cell_t dev)
{
    const struct seen *s = seen_at(n, ev->skb);

    if (ev->skb && s->skb == ev->skb && s->tid)
        return s->tid;
    if (h->cpu >= CPU_LIMIT || n->whole[h->cpu].dev != dev || n->whole[h->cpu].left <= 0)
        return 0;
    n->whole[h->cpu].left -= ev->len; /* each has headers of its own: the last ones may be left */
    return n->whole[h->cpu].tid;
}

static void write(struct pass *p, const struct ev_head *h, cell_t dev, enum packet_dir dir,
                  int64_t bytes, int64_t tid, int64_t rc, ns_t queued)
{
    cell_t cells[packet_columns] = {
        [C_packet_t0] = h->t,
        [C_packet_t1] = h->t,
        [C_packet_dev] = dev,
        [C_packet_dir] = dir,
        [C_packet_bytes] = bytes,
        [C_packet_tid] = tid,
        [C_packet_rc] = rc,
        [C_packet_queued_ns] = queued > NS_MIN ? h->t - queued : STORE_NULL
    };

    pass_record(p, TABLE_packet, cells);
}

static void on_queue(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_net_queue *ev = evp;

    struct nets *n = state;
    int64_t tid = sender_of(n, ev, running(p, h));
    cell_t dev = pass_text(p, ev->dev);

    if (ev->skb)
        *seen_at(n, ev->skb) = (struct seen){ ev->skb, dev, ev->len, tid, h->t };
    if (h->cpu < CPU_LIMIT) {
        n->whole[h->cpu].dev = dev;
        n->whole[h->cpu].tid = tid;
        n->whole[h->cpu].left = ev->len;
    }
}

static void on_xmit(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_net_xmit *ev = evp;

    cell_t dev = pass_text(p, ev->dev);
    int64_t behind = sender_behind(state, h, ev, dev);
    struct seen *s = seen_at(state, ev->skb);
    bool same = ev->skb && s->skb == ev->skb && s->dev == dev;

    write(p, h, dev, ev->rc == 0 ? PACKET_TX : PACKET_TX_FAILED, ev->len,
          behind ? behind : running_tid(p, h), ev->rc, same ? s->queued : NS_MIN);
    if (same && ev->rc == 0)
        s->queued = NS_MIN; /* its address may come again with a packet that never queued */
}

static void on_receive(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_net_receive *ev = evp;
    cell_t dev = pass_text(p, ev->dev);

    if (ev->skb)
        *seen_at(state, ev->skb) = (struct seen){ ev->skb, dev, ev->len, 0, NS_MIN };
    write(p, h, dev, PACKET_RX, ev->len, running_tid(p, h), 0, NS_MIN);
}

static void on_kfree(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_skb_kfree *ev = evp;
    struct seen *s = seen_at(state, ev->skb);

    if (s->skb != ev->skb) {
        write(p, h, 0, PACKET_DROP, STORE_NULL, running_tid(p, h), ev->reason, NS_MIN);
        return;
    }
    write(p, h, s->dev, PACKET_DROP, s->bytes, running_tid(p, h), ev->reason, s->queued);
    s->skb = 0; /* the address is used again for another packet */
}

/* What packets and connections of the trace before were about is not so any more. */
static void on_untraced(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    struct nets *n = state;

    (void)p;
    (void)h;
    (void)ev;
    memset(n, 0, sizeof *n);
}

static const struct handler handlers[] = {
    { EV_NET_QUEUE, on_queue }, { EV_NET_XMIT, on_xmit },     { EV_NET_RECEIVE, on_receive },
    { EV_SKB_KFREE, on_kfree }, { EV_UNTRACED, on_untraced }, { EV_OTHER, NULL },
};

const struct analysis an_kernel_net = {
    .name = "kernel-net",
    .title = "Packets through interfaces",
    .layer = "kernel",
    .doc = "Counts what each interface sends, receives and drops, and which thread sent it.",
    .handlers = handlers,
    .state_size = sizeof(struct nets),
};
