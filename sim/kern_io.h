/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_io.h -- disks (kern_block.c) and interfaces (kern_net.c) of the model. */
#ifndef SIM_KERN_IO_H
#define SIM_KERN_IO_H

#include "sim/kern_priv.h"

/* A request to a disk: in the scheduler's queue, with the driver, or served. */
struct krq {
    struct kdisk *disk;
    struct kproc *proc; /* of the thread that queued it */
    enum block_op op;
    uint64_t sector;
    uint32_t sectors, part; /* 'part' of them complete next */
    ns_t queued, issued;
    VEC(struct ktask *) waiters;
    struct krq *next; /* in the queue, or among those issued */
};

struct kdisk {
    const struct kc_disk *conf;
    uint32_t dev;
    bool is_direct, in_softirq;
    char irq_name[COMM_SIZE + 8];
    struct kcpu *cpu;                       /* of its interrupt */
    struct krq *first, *last;               /* queued */
    struct krq *issued_first, *issued_last; /* with the driver, not served yet */
    unsigned in_driver, in_service;
    struct krq *flush; /* there is one at a time */
    VEC(struct krq *) spare;
    uint64_t inserted, issued, merged, backmerged;
};

/* Packets that come to an interface at some rate. */
struct kstream {
    struct kinterface *from;
    struct kproc *to; /* NULL: nobody here wants them */
    double gap_ns;
    unsigned bytes;
};

/* One end of a TCP connection to another host; kern_wire.c. */
struct kend {
    struct kern *k;
    struct kend *peer;
    const struct kc_connection *conf;
    bool client;
    struct kproc *proc;
    struct kinterface *nic;
    struct rng rng;
    uint32_t address;
    uint16_t port, next_id;
    uint32_t una, nxt, rcv;     /* the first byte not acknowledged, not sent, not received */
    uint32_t rcv_end;           /* of the message that comes */
    unsigned unacked;           /* segments received */
    ns_t rto_at, ack_at;        /* when to send again, to acknowledge */
    VEC(struct ksegment) early; /* behind a gap */
    VEC(struct ksegment) inbox; /* under way to here, by arrival */
    size_t inbox_at;
    ns_t arrives;   /* the last one, true time */
    bool waits;     /* a client for its reply */
    unsigned asked; /* replies that a server's thread is to send */
    ns_t next_at;   /* of a client's request */
    uint64_t sent, lost, resent, received, merged, messages;
};

void kern_disks_build(struct kern *k);
void kern_disks_free(struct kern *k);
struct kdisk *kern_disk_named(struct kern *k, const char *name);
const char *kern_disk_irq(const void *request, unsigned *number);
/* The thread that runs on 'c' asks for 'sectors'; it must sleep until done. */
void kern_submit(struct kern *k, struct kcpu *c, struct ktask *t, enum block_op op, uint64_t sector,
                 uint32_t sectors);
/* The request in t->job, with the size that its process uses. */
void kern_submit_job(struct kern *k, struct kcpu *c, struct ktask *t);
/* Where the next request of a process goes. */
uint64_t kern_next_sector(struct kern *k, struct kproc *p, uint32_t sectors);
/* The device has served 'request': its interrupt is due. */
void kern_disk_served(struct kern *k, void *request);
void kern_disk_interrupt(struct kern *k, struct kcpu *c, void *request);
void kern_disk_softirq(struct kern *k, struct kcpu *c);

void kern_net_build(struct kern *k);
void kern_net_free(struct kern *k);
struct kinterface *kern_interface_named(struct kern *k, const char *name);
struct kinterface *kern_new_tap(struct kern *k, const char *name);
/* Lets packets come from now on. */
void kern_stream_start(struct kern *k, struct kinterface *from, struct kproc *to, double per_s,
                       unsigned bytes);
void kern_packet_arrives(struct kern *k, struct kstream *s);
/* A packet comes to a card. */
void kern_nic_takes(struct kern *k, struct kinterface *f, struct kpacket p);
/* The card has room again. */
void kern_card_sent(struct kern *k, struct kinterface *f);
/* Softirq NET_TX: what waits for a card of this CPU. */
void kern_send_softirq(struct kern *k, struct kcpu *c);
uint64_t kern_new_skb(struct kern *k);
void kern_nic_interrupt(struct kern *k, struct kcpu *c, struct kinterface *f);
void kern_net_softirq(struct kern *k, struct kcpu *c);
/* Code on 'c' sends a packet, received from 'from' before if that is not NULL. */
void kern_transmit(struct kern *k, struct kcpu *c, struct kinterface *from, struct kinterface *to,
                   unsigned bytes);

/* The connection number 'number' of the scenario, when both hosts are built. */
void kern_wire_build(struct kern *client, struct kern *server, const struct kc_connection *conf,
                     size_t number);
void kern_wire_free(struct kern *k);
/* The thread sends what it has to send; when it has something next. */
void kern_wire_due(struct kern *k, struct kcpu *c, struct ktask *t);
ns_t kern_wire_next(const struct kern *k, const struct ktask *t);
/* The next segment has come over the wire. */
void kern_wire_arrives(struct kern *k, struct kend *e);
/* Has a timer of 'e' ended; what it does then, in a softirq. */
bool kern_wire_timer(const struct kend *e);
void kern_wire_expired(struct kern *k, struct kcpu *c, struct kend *e);
/* Softirq NET_RX: takes the first of 'n' packets, and those that are merged with it.  Returns
 * how many. */
size_t kern_wire_receive(struct kern *k, struct kcpu *c, const struct kpacket *list, size_t n);

#endif
