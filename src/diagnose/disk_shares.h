/* SPDX-License-Identifier: Apache-2.0
 *
 * disk_shares.h -- whose requests a device has in flight, while others wait for theirs.
 *
 * A sweep over the begins and ends of the requests knows at any time of what share each owner's
 * are of all in flight, by weight (disks.h).  S(o) is the integral of that share over time: what
 * of the time between two instants was o's is the difference of S(o) there.  So each request knows
 * how much of its time was others', and each busy time of an owner whose that was, in O(n log n)
 * for n requests. */
#ifndef DIAGNOSE_DISK_SHARES_H
#define DIAGNOSE_DISK_SHARES_H

#include "diagnose/disks.h"

enum { DISK_USERS = 64 }; /* the last stands for all others, if there are more */

struct disk_user {
    uint32_t owner; /* or DISK_NOBODY */
    bool is_kernel;
    ns_t busy;             /* it had a request in flight */
    double of[DISK_USERS]; /* whose that time was, ns: they sum up to 'busy' */
    /* --- for the sweep --- */
    uint32_t in_flight;
    ns_t since;
    double weight, s, snap[DISK_USERS]; /* snap: all S when its busy time began */
};
struct disk_shares {
    struct disk_user users[DISK_USERS];
    size_t n;
    uint32_t *user_of; /* each request's */
    double *others;    /* each request's time that was others', ns */
};

/* Free with disk_shares_free(). */
void disk_shares_make(const struct disk *disk, struct disk_shares *ret);
void disk_shares_free(struct disk_shares *s);

#endif
