/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks.h -- one time for the histories of all hosts.
 *
 * The ends of messages in the histories (TABLE_message) are matched; what was sent was sent
 * before it was received, and that bounds each clock against the others (sync/sync.h).  From
 * then on all histories answer in the time of one of them, the reference (store_show()).
 *
 * A clock that may as well be right, because what it shows is within its bounds everywhere,
 * is left as it is: NTP set it by better means than a few messages.  What can't be bounded is
 * left as it is too, and said. */
#ifndef REPORT_CLOCKS_H
#define REPORT_CLOCKS_H

#include "base/json.h"
#include "base/mem.h"
#include "base/notes.h"
#include "model/schema.h"
#include "store/store.h"
#include "sync/match.h"

enum clocks_mode { CLOCKS_AUTO, CLOCKS_NONE, CLOCKS_FILE };

struct clocks_options {
    enum clocks_mode mode;
    const char *file;     /* CLOCKS_FILE: as clocks_json() writes it */
    struct str reference; /* a host's name; empty: the one that is known best */
    double wander_ppm;    /* 0: the default of sync/sync.h */
};

struct host_clock {
    const char *host;
    struct sync_clock c; /* knots live as long as 'mem' */
    bool kept;           /* it may be right, and is left as it is */
    struct time_map map;
    uint64_t sent[MESSAGE_KINDS], received[MESSAGE_KINDS]; /* ends that were recorded       */
    int64_t bare;             /* packets received whose headers the tracer did not write     */
    ns_t least, median, most; /* widths of the bounds over its history; NS_MAX: open        */
};

struct clocks {
    struct arena mem;
    enum clocks_mode mode;
    uint32_t nhosts, reference;
    struct host_clock *at;
    struct sync_pair *pairs;
    size_t npairs;
    struct match_counts counts;
};

/* Finds the clocks of 'n' histories, which are asked in their own time for that.  CLOCKS_NONE, and
 * one host: nothing is looked at.  Returns 0, or -E_* when the file can't be used or no host is
 * called as the reference. */
int clocks_make(struct store *const *hosts, uint32_t n, const struct clocks_options *o,
                struct clocks *ret, struct err *err);
void clocks_free(struct clocks *c);
/* From now on the histories answer in the reference's time; 'c' must outlive them. */
void clocks_show(struct clocks *c, struct store *const *hosts);
/* How host 'h' is shown; NULL: as it is. */
const struct time_map *clocks_map(const struct clocks *c, uint32_t h);
/* Notes what of all that the reader of any report must know. */
void clocks_notes(const struct clocks *c, struct notes *notes);

/* How far off 't', an instant of host 'h' in the reference's time, may be: before, after.  NS_MAX:
 * nobody knows. */
struct clock_error {
    ns_t before, after;
};
struct clock_error clocks_error(const struct clocks *c, uint32_t h, ns_t t);
/* By how much the time from 'a' to 'b' may be wrong; 0 on one host, STORE_NULL: nobody knows. */
ns_t clocks_bound(const struct clocks *c, uint32_t host_a, ns_t a, uint32_t host_b, ns_t b);
/* Of two instants of different hosts in the reference's time, 'a' before 'b': is that certain? */
bool clocks_order_known(const struct clocks *c, uint32_t host_a, ns_t a, uint32_t host_b, ns_t b);

/* The document that --sync FILE reads. */
void clocks_json(const struct clocks *c, struct json *j);
const char *clocks_quality(const struct host_clock *h);

#endif
