/* SPDX-License-Identifier: Apache-2.0
 *
 * sync.h -- one time for all hosts, from the messages that they sent each other.
 *
 * A message is received after it was sent.  So each message from A to B bounds B's
 * clock, as a function of A's, from above, and each from B to A from below.  What is
 * told for a host is an estimate, and an interval in which the truth certainly is, if
 *
 *   - two clocks never run at rates that differ by more than 'drift_ppm';
 *   - between changes a clock's rate stays within 'wander_ppm' of a constant.  A
 *     change is anything: a step forward or back, a new rate, the begin or end of
 *     a slew;
 *   - a pair whose messages (in both directions) fit to one line has no change, unless
 *     'hidden' ones are asked for; else two changes of a pair of clocks are at least 'calm_ns', the
 * longest silence between the two hosts, and a sixteenth of their messages apart, and each has some
 * messages (1 in 24, and no fewer than six) in both directions before and after it;
 *   - no step is longer than a twentieth of the time that messages span;
 *   - a clock that steps back has messages in both directions with each of its peers, and
 *     not both of a pair step back;
 *   - at most 'doubt' wrong messages around an instant go unnoticed.
 *
 * The bounds don't rest on the estimate, and messages need not be fast for them. */
#ifndef SYNC_SYNC_H
#define SYNC_SYNC_H

#include "sync/clock.h"

#define SYNC_ANY UINT32_MAX

struct sync_message {
    uint32_t from, to;
    ns_t sent, received; /* in the clock of 'from', of 'to' */
};

struct sync_options {
    double wander_ppm; /* 1 */
    double drift_ppm;  /* 1000: two crystals of 100 ppm, both slewed by NTP         */
    ns_t calm_ns;      /* 600 s                                                     */
    bool hidden;       /* also where no message shows any change, there may be some */
    unsigned doubt;    /* 0; at most SYNC_GROUPS - 1.  1 once a message is rejected */
};

enum { SYNC_GROUPS = 3 };

/* Two hosts that have messages, a < b, and b's clock as a function of a's. */
struct sync_pair {
    uint32_t a, b;
    uint64_t matched;  /* messages                                               */
    uint64_t rejected; /* of those that were kept: contradict the others         */
    uint64_t used;     /* the rest                                               */
    enum sync_quality quality;
    double slope_ppm;                           /* b's rate against a's, minus 1 */
    double offset;                              /* b - a at the first message    */
    ns_t bound_min, bound_median, bound_max;    /* widths; NS_MAX is open        */
    ns_t linear_min, linear_median, linear_max; /* if both clocks were linear    */
    uint32_t pieces;                            /* of the estimate               */
    bool dropped;                               /* contradicts better pairs      */
};

struct sync;

struct sync_options sync_defaults(void);
/* NULL: the defaults. */
struct sync *sync_new(uint32_t nhosts, const struct sync_options *o);
void sync_free(struct sync *s);
/* In any order; memory doesn't grow with the number of messages, only of pairs.
 * Messages of a host to itself and to hosts that there are not are ignored. */
void sync_add(struct sync *s, const struct sync_message *m);
/* 'reference' may be SYNC_ANY: the host with most messages of the largest
 * component.  Returns the reference.  Can be called again, after more messages. */
uint32_t sync_solve(struct sync *s, uint32_t reference);

/* Valid after sync_solve(), until the next. */
const struct sync_clock *sync_clock(const struct sync *s, uint32_t host);
size_t sync_npairs(const struct sync *s);
const struct sync_pair *sync_pair(const struct sync *s, size_t i);
/* Bytes that the messages take, for tests of the promise above. */
size_t sync_bytes(const struct sync *s);

#endif
