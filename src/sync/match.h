/* SPDX-License-Identifier: Apache-2.0
 *
 * match.h -- finds the messages: what one host sent and another received.
 *
 * A point is one observation of a packet: its key is a hash of what makes it unlike all
 * others.  What a match may be:
 *
 *   - On one host the same packet is often seen several times, by a bridge, a veth, a
 *     bond; or it is sent again.  The first send and the first receive count, others within
 *     'again_ns' are copies of them.
 *   - Of one key there is one origin: the host that sent what it hadn't received before.
 *     Whoever received it did so after the origin sent it, over whichever hosts it came,
 *     so each receiver is matched with the origin.  From which of several forwarding
 *     hosts it came is not in the key, and isn't guessed.
 *   - What a host receives from itself is no message.
 *   - A key that comes again on a host later than 'again_ns' is another packet with the
 *     same key.  Clocks may be hours apart, so nothing tells which belong together: all of
 *     that key is ambiguous, counted and skipped. */
#ifndef SYNC_MATCH_H
#define SYNC_MATCH_H

#include "sync/sync.h"

struct match_point {
    uint64_t key_lo, key_hi;
    uint32_t host;
    bool receive;
    ns_t t;
};

struct match_options {
    ns_t again_ns;  /* 1 s                                                             */
    ns_t window_ns; /* NS_MAX; how long after a host's point its key is remembered, by
                     * the time of that host.  It must be longer than clocks, and the
                     * order of points, differ                                         */
};

struct match_counts {
    uint64_t points, matched;
    uint64_t copies;     /* of a point that was seen before               */
    uint64_t unsent;     /* receives without a send                       */
    uint64_t unreceived; /* sends without a receive                       */
    uint64_t looped;     /* points of keys that stay on their host        */
    uint64_t ambiguous;  /* keys that several packets or ways have        */
};

struct match;

struct match_options match_defaults(void);
/* Messages go to 'sync'. */
struct match *match_new(uint32_t nhosts, const struct match_options *o, struct sync *sync);
void match_free(struct match *m);
void match_add(struct match *m, const struct match_point *p);
/* After the last point. */
struct match_counts match_end(struct match *m);
/* Bytes that keys take which may still be matched. */
size_t match_bytes(const struct match *m);

#endif
