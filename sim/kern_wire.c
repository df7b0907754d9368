/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_wire.c -- TCP connections between services of different hosts.
 *
 * The client's first thread sends requests, the server's first thread replies when it comes to
 * it: so replies wait for CPUs like all else.  Data goes in segments; a loss is repaired when the
 * sender's timer ends, acknowledgements go with data, for every second segment, or 40 ms later.
 * (RFC 9293, RFC 5681, with Linux's numbers.)  A segment leaves in the sender's true time, takes
 * the way's least latency and an exponential more, overtakes none, and comes to the receiver's card
 * as any packet does.  The model knows no congestion: one message is under way at a time. */
#include "sim/kern_io.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MSS = 1448,        /* 1500 - IPv4 - TCP with timestamps */
    HEADERS = 20 + 32, /* of IPv4 and TCP                    */
    ETHERNET = 14,
    TSO_SEGMENTS = 44,  /* 64 KB */
    EARLY = 64,         /* segments behind a gap that are kept */
    RTO_NS = 200000000, /* TCP_RTO_MIN */
    ACK_NS = 40000000,  /* TCP_DELACK_MIN */
    PUSH = 8,
    ACK = 16,
};

/* --- Building --------------------------------------------------------------------- */

static struct kproc *process_of(struct kern *k, const char *service)
{
    for (size_t i = 0; i < k->procs.n; i++) {
        struct kproc *p = k->procs.at[i];

        if (p->conf && p->conf->kind == KC_SERVICE && p->worker == 0 &&
            strcmp(p->name, service) == 0)
            return p;
    }
    return NULL;
}

static struct kinterface *card_of(struct kern *k)
{
    for (size_t i = 0; i < k->n_interfaces; i++)
        if (k->interfaces[i].irq)
            return &k->interfaces[i];
    return NULL;
}

static struct kend *build_end(struct kern *k, const struct kc_connection *conf, bool client,
                              struct rng *rng)
{
    struct kend *e = arena_new(&k->mem, struct kend);
    unsigned b[4] = { 0 };

    *e = (struct kend){ .k = k, .conf = conf, .client = client, .nic = card_of(k) };
    e->proc = process_of(k, client ? conf->client_service : conf->server_service);
    e->port = (uint16_t)(client ? conf->client_port : conf->server_port);
    e->address = e->nic->address;
    if (!e->address && sscanf(k->host->ip, "%u.%u.%u.%u", &b[0], &b[1], &b[2], &b[3]) == 4)
        e->address = b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
    e->una = e->nxt = (uint32_t)rng_u64(rng);
    e->next_id = (uint16_t)rng_u64(rng);
    e->rto_at = e->ack_at = KERN_NEVER;
    rng_seed(&e->rng, rng_u64(rng));
    if (client && !e->port)
        e->port = (uint16_t)(32768 + rng_below(rng, 28000));
    e->next_at = k->begin + conf->start_ns + (ns_t)(1e9 / conf->per_s * rng_unit(&e->rng));
    *vec_push(&k->ends) = e;
    return e;
}

void kern_wire_build(struct kern *client, struct kern *server, const struct kc_connection *conf,
                     size_t number)
{
    struct rng rng;

    rng_seed(&rng, client->s->sc->seed * UINT64_C(0xff51afd7ed558ccd) + number);
    struct kend *a = build_end(client, conf, true, &rng);
    struct kend *b = build_end(server, conf, false, &rng);

    a->peer = b;
    b->peer = a;
    a->rcv = b->nxt;
    b->rcv = a->nxt;
    a->rcv_end = a->rcv + conf->reply_bytes;
    b->rcv_end = b->rcv + conf->request_bytes;
}

void kern_wire_free(struct kern *k)
{
    for (size_t i = 0; i < k->ends.n; i++) {
        vec_free(&k->ends.at[i]->early);
        vec_free(&k->ends.at[i]->inbox);
    }
    vec_free(&k->ends);
}

/* --- Sending ---------------------------------------------------------------------- */

/* Bytes of the headers as LTTng writes them: IPv4, the kind of what follows, TCP. */
static size_t headers_of(const struct kend *from, const struct ksegment *s, size_t data,
                         uint8_t out[static 41])
{
    const struct kend *to = from->peer;
    uint16_t all = (uint16_t)(HEADERS + data);
    uint8_t *at = out;

#define BYTE(v) (*at++ = (uint8_t)(v))
#define TWO(v) (BYTE((v) >> 8), BYTE(v))
#define FOUR(v) (TWO((v) >> 16), TWO((v)&0xffff))
    BYTE(0x45);
    BYTE(0);
    TWO(all);
    TWO(s->id);
    TWO(0x4000); /* not to be fragmented */
    BYTE(64);
    BYTE(6);
    TWO(0); /* the card fills in checksums */
    FOUR(from->address);
    FOUR(to->address);
    BYTE(1);
    TWO(from->port);
    TWO(to->port);
    FOUR(s->seq);
    FOUR(s->ack);
    BYTE(8 << 4);
    BYTE(data ? ACK | PUSH : ACK);
    TWO(501);
    TWO(0);
    TWO(0);
#undef FOUR
#undef TWO
#undef BYTE
    return (size_t)(at - out);
}

static void emit_headers(struct kern *k, struct kcpu *c, enum kev e, const struct kend *from,
                         const struct ksegment *s, size_t data, uint64_t skb, unsigned more)
{
    uint8_t bytes[41];
    const struct kinterface *f = e == EV_NET_QUEUE ? from->nic : from->peer->nic;
    bool known = e == EV_NET_QUEUE || !f->conf->no_gro;
    size_t n = known ? headers_of(from, s, data, bytes) : 0;

    kern_emit(k, c, e,
              (struct ctfw_val[]){ ctfw_u(skb), ctfw_u(HEADERS + data + more), kern_z(f->name),
                                   ctfw_u(known), (struct ctfw_val){ .p = bytes, .n = n } });
}

/* An exponential number of mean 1 by comparisons alone (J. von Neumann, 1951): the same on every
 * machine. */
static double exponential(struct rng *r)
{
    for (uint32_t whole = 0;; whole++) {
        double first = rng_unit(r), last = first, next = rng_unit(r);
        bool odd = true;

        while (next < last) {
            odd = !odd;
            last = next;
            next = rng_unit(r);
        }
        if (odd)
            return whole + first;
    }
}

/* One segment leaves the card now. */
static void to_wire(struct kern *k, struct kend *e, const struct ksegment *s)
{
    struct kend *to = e->peer;
    const struct kc_connection *conf = e->conf;
    double us =
        (e->client ? conf->latency_us : conf->back_us) + conf->spread_us * exponential(&e->rng);
    ns_t bits = (ETHERNET + HEADERS + s->len) * 8 / 10; /* at 10 Gbit/s */
    bool lost = rng_unit(&e->rng) * 100 < conf->loss_percent;

    e->sent++;
    e->lost += lost;
    if (lost)
        return;
    ns_t at = host_true(k->host, k->now) + (ns_t)(us * 1000) + bits;

    to->arrives = at > to->arrives + bits ? at : to->arrives + bits;
    *vec_push(&to->inbox) = *s;
    kern_timer(to->k, host_time(k->s, to->k->host, to->arrives), TM_ARRIVE, to, 0);
}

static void emit_sent(struct kern *k, struct kcpu *c, struct kend *e, const struct ksegment *s,
                      size_t data)
{
    struct kinterface *f = e->nic;
    uint64_t skb = kern_new_skb(k);
    unsigned all = (unsigned)(HEADERS + ETHERNET + data);

    emit_headers(k, c, EV_NET_QUEUE, e, s, data, skb, ETHERNET);
    kern_emit(k, c, EV_NET_XMIT,
              (struct ctfw_val[]){ ctfw_u(skb), ctfw_i(0), ctfw_u(all), kern_z(f->name) });
    f->tx_packets++;
    f->tx_bytes += all;
}

static void arm(struct kend *e, ns_t *at, ns_t after)
{
    *at = e->k->now + after;
    kern_timer(e->k, *at, TM_TCP, e, 0);
}

/* Sends 'data' bytes from 'seq' on; 0: an acknowledgement. */
static void send_bytes(struct kern *k, struct kcpu *c, struct kend *e, uint32_t seq, size_t data)
{
    size_t most = e->nic->conf->tso ? (size_t)TSO_SEGMENTS * MSS : MSS;

    e->ack_at = KERN_NEVER;
    e->unacked = 0;
    do {
        size_t part = data < most ? data : most, done = 0;
        struct ksegment s = { .seq = seq, .ack = e->rcv, .id = e->next_id };

        emit_sent(k, c, e, &s, part);
        do { /* the card cuts what is longer than a segment */
            s.len = (uint16_t)(part - done < MSS ? part - done : MSS);
            s.seq = seq + (uint32_t)done;
            s.id = e->next_id++;
            to_wire(k, e, &s);
            done += s.len;
        } while (done < part);
        seq += (uint32_t)part;
        data -= part;
    } while (data > 0);
    if (e->una != e->nxt)
        arm(e, &e->rto_at, RTO_NS);
}

static void send_message(struct kern *k, struct kcpu *c, struct ktask *t, struct kend *e,
                         size_t bytes)
{
    uint32_t seq = e->nxt;

    sys_enter(k, c, t, SYS_SENDMSG, bytes);
    e->nxt += (uint32_t)bytes;
    send_bytes(k, c, e, seq, bytes);
    sys_exit(k, c, t, SYS_SENDMSG, (int64_t)bytes);
    e->messages++;
}

static bool asks_at(const struct kend *e, ns_t t)
{
    const struct kc_connection *conf = e->conf;

    return e->client && !e->waits && e->next_at <= t &&
           (!conf->stop_ns || t < e->k->begin + conf->stop_ns);
}

void kern_wire_due(struct kern *k, struct kcpu *c, struct ktask *t)
{
    for (size_t i = 0; i < k->ends.n; i++) {
        struct kend *e = k->ends.at[i];

        if (e->proc != t->proc || t != t->proc->tasks.at[0])
            continue;
        if (asks_at(e, k->now)) {
            e->waits = true;
            send_message(k, c, t, e, e->conf->request_bytes);
        }
        for (; e->asked; e->asked--)
            send_message(k, c, t, e, e->conf->reply_bytes);
    }
}

ns_t kern_wire_next(const struct kern *k, const struct ktask *t)
{
    ns_t next = KERN_NEVER;

    for (size_t i = 0; i < k->ends.n; i++) {
        const struct kend *e = k->ends.at[i];

        if (e->proc == t->proc && t == t->proc->tasks.at[0] && asks_at(e, e->next_at) &&
            e->next_at < next)
            next = e->next_at;
    }
    return next;
}

/* --- Timers ----------------------------------------------------------------------- */

bool kern_wire_timer(const struct kend *e)
{
    ns_t now = e->k->now;

    return now >= e->ack_at || now >= e->rto_at;
}

void kern_wire_expired(struct kern *k, struct kcpu *c, struct kend *e)
{
    if (k->now >= e->rto_at) {
        size_t left = e->nxt - e->una;

        e->rto_at = KERN_NEVER;
        e->resent++;
        send_bytes(k, c, e, e->una, left < MSS ? left : MSS);
    } else if (k->now >= e->ack_at) {
        send_bytes(k, c, e, e->nxt, 0);
    }
}

/* --- Receiving -------------------------------------------------------------------- */

void kern_wire_arrives(struct kern *k, struct kend *e)
{
    struct ksegment s = e->inbox.at[e->inbox_at++];

    if (e->inbox_at == e->inbox.n)
        e->inbox.n = e->inbox_at = 0;
    kern_nic_takes(k, e->nic, (struct kpacket){ .end = e, .segment = s });
}

/* All of a message is there. */
static void message_over(struct kern *k, struct kcpu *c, struct kend *e)
{
    struct kproc *p = e->proc;

    e->rcv_end += e->client ? e->conf->reply_bytes : e->conf->request_bytes;
    if (e->client) {
        e->waits = false;
        e->next_at = k->now + (ns_t)(1e9 / e->conf->per_s * (0.5 + rng_unit(&e->rng)));
        send_bytes(k, c, e, e->nxt, 0);
    } else {
        e->asked++;
        arm(e, &e->ack_at, ACK_NS);
    }
    if (p->over || !p->alive)
        return;
    p->rx_pending++;
    kern_kick(k, c, p->tasks.at[0]);
}

/* Takes what came early and continues what is here. */
static void take_early(struct kend *e)
{
    for (size_t i = 0; i < e->early.n; i++) {
        struct ksegment *s = &e->early.at[i];

        if (s->seq != e->rcv && (int32_t)(s->seq - e->rcv) > 0)
            continue;
        e->rcv += s->seq == e->rcv ? s->len : 0;
        *s = e->early.at[--e->early.n];
        i = SIZE_MAX; /* from the first one again */
    }
}

static void tcp_input(struct kern *k, struct kcpu *c, struct kend *e, const struct ksegment *s,
                      size_t data, unsigned segments)
{
    if ((int32_t)(s->ack - e->una) > 0) {
        e->una = s->ack;
        if (e->una == e->nxt)
            e->rto_at = KERN_NEVER;
        else
            arm(e, &e->rto_at, RTO_NS);
    }
    if (data == 0)
        return;
    if (s->seq != e->rcv) {
        if ((int32_t)(s->seq - e->rcv) > 0 && e->early.n < EARLY)
            *vec_push(&e->early) = (struct ksegment){ .seq = s->seq, .len = (uint16_t)data };
        send_bytes(k, c, e, e->nxt, 0);
        return;
    }
    e->rcv += (uint32_t)data;
    e->unacked += segments;
    take_early(e);
    if (e->rcv == e->rcv_end)
        message_over(k, c, e);
    else if (e->unacked >= 2)
        send_bytes(k, c, e, e->nxt, 0);
    else
        arm(e, &e->ack_at, ACK_NS);
}

static bool merges(const struct kpacket *a, const struct ksegment *first, size_t data)
{
    return a->segment.len > 0 && first->len > 0 && a->segment.seq == first->seq + data &&
           a->segment.ack == first->ack && data + a->segment.len + HEADERS < 65536;
}

static uint64_t enter_gro(struct kern *k, struct kcpu *c)
{
    uint64_t skb = kern_new_skb(k);

    kern_emit(k, c, EV_NET_GRO, (struct ctfw_val[]){ ctfw_u(skb) });
    return skb;
}

size_t kern_wire_receive(struct kern *k, struct kcpu *c, const struct kpacket *list, size_t n)
{
    struct kend *e = list[0].end;
    struct ksegment s = list[0].segment;
    uint64_t skb = enter_gro(k, c);
    size_t data = s.len, count = 1;

    while (!e->nic->conf->no_gro && count < n && list[count].end == e &&
           merges(&list[count], &s, data)) {
        enter_gro(k, c);
        data += list[count++].segment.len;
    }
    emit_headers(k, c, EV_NET_RECEIVE, e->peer, &s, data, skb, 0);
    e->nic->rx_packets++;
    e->nic->rx_bytes += HEADERS + data;
    e->received++;
    e->merged += count - 1;
    kern_emit(k, c, EV_SKB_CONSUME, (struct ctfw_val[]){ ctfw_u(skb) });
    tcp_input(k, c, e, &s, data, (unsigned)count);
    return count;
}
