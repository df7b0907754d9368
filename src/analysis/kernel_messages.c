/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_messages.c -- the ends of packets that go from host to host.
 *
 * A TCP segment is known again by its addresses, ports, numbers of sequence and
 * acknowledgement, by the IPv4 identification, which is another one when the segment is sent again,
 * and by the time to live, which is another one behind a router.  What a network card splits
 * (TSO) or the receiver merges (GRO) has the first segment's headers, so its first byte is known
 * again; the last byte is looked for as well, since a merged packet can only have come after
 * its last segment was sent.  (RFC 9293, RFC 791;
 * Documentation/networking/segmentation-offloads.rst)
 *
 * With GRO off, lttng-modules write no headers of received packets (net_if_receive_skb comes before
 * the kernel has found them).  Then the first segment that acknowledges the last byte tells that it
 * was received: both hosts write what they send.  It has the key of a last byte's reception.
 * (include/trace/events/net.h)
 *
 * A host did not receive from another one what its own guest gave it, over a tap or, behind that, a
 * bridge: such a reception, with the packet's being handed to a guest elsewhere for its sending,
 * would turn the way round.  What goes through a tunnel has the inner headers at the tunnel's
 * device, on both sides: VXLAN needs nothing of its own.
 *
 * A UDP datagram without identification (0: not to be fragmented, not connected) can't be told
 * from the next one and is left out. */
#include "analysis/kernel.h"
#include "analysis/list.h"
#include "analysis/message.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    MERGED = 4096, /* packets at their drivers, by address; a power of two     */
    FLOWS = 4096,  /* connections whose last acknowledgement is remembered     */
    ADDRESS = 16,  /* bytes of an IPv6 address                                 */
};

struct messages {
    struct {
        int64_t skb;
        ns_t t;
    } merged[MERGED];
    struct {
        uint64_t flow;
        int64_t ack;
    } flows[FLOWS];
    int64_t of_guests[MERGED];    /* packets that came from a tap, by address */
    bool has_headers;             /* received packets have them */
    uint64_t bare, with, no_name; /* received without and with headers; UDP without a name */
};

/* What names a packet; all of it is set, there is no padding. */
struct packet_key {
    uint8_t from[ADDRESS], to[ADDRESS];
    int64_t ports, id, ttl, seq, ack;
};
_Static_assert(sizeof(struct packet_key) == 2 * ADDRESS + 5 * sizeof(int64_t), "no padding");

static struct packet_key key_of(const struct ev_net_queue *ev, bool back)
{
    struct str from = back ? ev->daddr : ev->saddr, to = back ? ev->saddr : ev->daddr;
    int64_t sport = back ? ev->dport : ev->sport, dport = back ? ev->sport : ev->dport;
    struct packet_key k = { .ports = sport << 16 | dport };

    if (from.n)
        memcpy(k.from, from.p, from.n < ADDRESS ? from.n : ADDRESS);
    if (to.n)
        memcpy(k.to, to.p, to.n < ADDRESS ? to.n : ADDRESS);
    return k;
}

static bool is_tcp(const struct ev_net_queue *ev)
{
    return ev->doff > 0 && ev->saddr.n > 0;
}

/* Bytes of data in a TCP packet. */
static int64_t data_of(const struct ev_net_queue *ev)
{
    int64_t all = ev->tot_len ? ev->tot_len - ev->ihl * 4 : ev->payload_len;

    return all - ev->doff * 4;
}

static void put(struct pass *p, ns_t t, enum message_kind kind, enum message_dir dir,
                const struct packet_key *k, int64_t tid)
{
    message_end(p, t, kind, dir, k, sizeof *k, tid);
}

/* The packet as such.  'first': when its first segment was there. */
static void put_packet(struct pass *p, const struct ev_net_queue *ev, enum message_dir dir,
                       ns_t first, ns_t t, int64_t tid)
{
    struct packet_key k = key_of(ev, false);

    k.ttl = ev->ttl;
    k.id = ev->id;
    if (is_tcp(ev)) {
        k.seq = ev->seq;
        k.ack = ev->ack;
        put(p, first, MESSAGE_TCP, dir, &k, tid);
        k.id = k.ack = k.ttl = 0;
        k.seq = (ev->seq + data_of(ev)) & UINT32_MAX;
        if (data_of(ev) > 0)
            put(p, t, MESSAGE_TCP_END, dir, &k, tid);
    } else if (ev->udp_len > 0 && ev->saddr.n > 0 && ev->id) {
        k.seq = ev->udp_len;
        put(p, first, MESSAGE_UDP, dir, &k, tid);
    }
}

/* The same connection, the other direction: the byte before 'ack' was received. */
static void put_acknowledged(struct messages *m, struct pass *p, const struct ev_net_queue *ev,
                             ns_t t)
{
    enum { FLAG_ACK = 0x10 };
    struct packet_key k = key_of(ev, true);
    uint64_t flow = hash_bytes(&k, sizeof k, 1);
    size_t at = flow & (FLOWS - 1);

    if (!(ev->flags & FLAG_ACK) || (m->flows[at].flow == flow && m->flows[at].ack == ev->ack))
        return; /* acknowledged before */
    m->flows[at].flow = flow;
    m->flows[at].ack = ev->ack;
    k.seq = ev->ack;
    put(p, t, MESSAGE_TCP_END, MESSAGE_RECEIVED, &k, 0);
}

static size_t slot_of(int64_t skb)
{
    return hash_bytes(&skb, sizeof skb, 5) & (MERGED - 1);
}

static bool is_loopback(const struct ev_net_queue *ev)
{
    return str_is(ev->dev, "lo");
}

static void on_queue(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    struct messages *m = state;
    const struct ev_net_queue *ev = evp;
    const struct kcpu *c = h->cpu < CPU_LIMIT ? p->kernel->cpus[h->cpu] : NULL;
    const struct kthread *th = c && !c->nest ? kernel_current(c) : NULL;
    int64_t tid = th ? th->tid : 0;

    size_t at = slot_of(ev->skb);

    if (m->of_guests[at] == ev->skb)
        m->of_guests[at] = 0; /* it leaves; its address is soon another packet's */
    if (is_loopback(ev))
        return;
    m->no_name += ev->udp_len > 0 && !is_tcp(ev) && ev->id == 0;
    put_packet(p, ev, MESSAGE_SENT, h->t, h->t, tid);
    if (is_tcp(ev) && !m->has_headers)
        put_acknowledged(m, p, ev, h->t);
}

static void on_gro(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    struct messages *m = state;
    const struct ev_net_gro *ev = evp;
    size_t at = slot_of(ev->skb);

    (void)p;
    m->merged[at].skb = ev->skb;
    m->merged[at].t = h->t;
}

/* tap of OpenStack, vnet of libvirt alone. */
static bool is_tap(const struct ev_net_queue *ev)
{
    return str_starts(ev->dev, STR("tap")) || str_starts(ev->dev, STR("vnet"));
}

/* Does a guest of this host send it?  A bridge hands on what it has from a tap. */
static bool is_from_guest(struct messages *m, const struct ev_net_queue *ev, size_t at)
{
    bool bridged = ev->skb && m->of_guests[at] == ev->skb;

    m->of_guests[at] = is_tap(ev) ? ev->skb : bridged ? 0 : m->of_guests[at];
    return is_tap(ev) || bridged;
}

static void on_receive(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    struct messages *m = state;
    const struct ev_net_queue *ev = evp; /* the same fields */
    size_t at = slot_of(ev->skb);
    ns_t first = h->t;

    if (is_loopback(ev) || is_from_guest(m, ev, at))
        return;
    if (ev->skb && m->merged[at].skb == ev->skb) {
        first = m->merged[at].t;
        m->merged[at].skb = 0; /* the address is used again for another packet */
    }
    if (ev->saddr.n == 0) {
        m->bare++;
        return;
    }
    m->with++;
    m->has_headers |= is_tcp(ev);
    put_packet(p, ev, MESSAGE_RECEIVED, first, h->t, 0);
}

_Static_assert(sizeof(struct ev_net_queue) == sizeof(struct ev_net_receive), "one layout");

static void put_socket(struct pass *p, const struct ev_head *h, const struct ev_sock_out *ev,
                       enum message_dir dir)
{
    const int64_t key[] = { ev->seq, ev->ack, ev->flags };

    message_end(p, h->t, MESSAGE_SOCKET, dir, key, sizeof key, 0);
}

static void on_sock_out(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    (void)state;
    put_socket(p, h, ev, MESSAGE_SENT);
}

static void on_sock_in(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    (void)state;
    put_socket(p, h, ev, MESSAGE_RECEIVED);
}

/* gh: from the guest to its host, hg: back; the host counts on (M. Gebai, F. Giraldeau, M.
 * Dagenais, "Fine-grained preemption analysis for latency investigation across virtual machines",
 * 2014). */
static void put_vmsync(struct pass *p, const struct ev_head *h, const struct ev_vmsync_gh_guest *ev,
                       int64_t to_host, enum message_dir dir)
{
    const int64_t key[] = { ev->vm, ev->count, to_host };

    message_end(p, h->t, MESSAGE_VMSYNC, dir, key, sizeof key, 0);
}

#define VMSYNC(name, to_host, dir)                                                              \
    static void on_##name(void *state, struct pass *p, const struct ev_head *h, const void *ev) \
    {                                                                                           \
        (void)state;                                                                            \
        put_vmsync(p, h, ev, to_host, dir);                                                     \
    }
VMSYNC(gh_guest, 1, MESSAGE_SENT)
VMSYNC(gh_host, 1, MESSAGE_RECEIVED)
VMSYNC(hg_host, 0, MESSAGE_SENT)
VMSYNC(hg_guest, 0, MESSAGE_RECEIVED)
#undef VMSYNC

/* What the clocks could have been told by, had it been written. */
static void finish(void *state, struct pass *p)
{
    const struct messages *m = state;
    char n[24];

    snprintf(n, sizeof n, "%" PRIu64, m->bare);
    if (m->bare)
        store_set_fact(p->store, "messages.bare", str_of(n));
    snprintf(n, sizeof n, "%" PRIu64, m->no_name);
    if (m->no_name)
        store_set_fact(p->store, "messages.udp_without_id", str_of(n));
}

static const struct handler handlers[] = {
    { EV_NET_QUEUE, on_queue },          { EV_NET_GRO, on_gro },
    { EV_NET_RECEIVE, on_receive },      { EV_SOCK_OUT, on_sock_out },
    { EV_SOCK_IN, on_sock_in },          { EV_VMSYNC_GH_GUEST, on_gh_guest },
    { EV_VMSYNC_GH_HOST, on_gh_host },   { EV_VMSYNC_HG_HOST, on_hg_host },
    { EV_VMSYNC_HG_GUEST, on_hg_guest }, { EV_OTHER, NULL },
};

const struct analysis an_kernel_messages = {
    .name = "kernel-messages",
    .title = "Packets between hosts",
    .layer = "kernel",
    .doc = "Remembers the ends of packets that other hosts see too: their clocks are corrected by "
           "them, and a wait can be followed to the host that it was for.",
    .handlers = handlers,
    .finish = finish,
    .state_size = sizeof(struct messages),
};
