/* SPDX-License-Identifier: Apache-2.0
 *
 * health.h -- can traces be trusted?  What `neph doctor` tells, and the server's page. */
#ifndef CLI_HEALTH_H
#define CLI_HEALTH_H

#include "base/json.h"
#include "cli/scan.h"

struct trace_clock {
    struct str name, uuid;
    ns_t offset_ns;
    uint64_t freq;
    bool known;
};

struct health {
    struct ctx *c;
    struct scan s;
    struct trace_clock *clocks; /* of s.traces */
    struct arena mem;
};

/* Reads all that 'c' has opened; what is wrong with it is in c->notes as well. */
void health_make(struct ctx *c, struct health *ret);
void health_free(struct health *hl);
bool health_has_domain(const struct host *h, const char *domain);

struct loss {
    const struct scan_trace *trace;
    struct reader_loss x;
};

typedef VEC(struct loss) loss_vec;

/* All intervals in which something was lost, in 'ret'.  Returns how many are not listed. */
uint64_t health_losses(const struct health *hl, loss_vec *ret);

struct health_cache {
    const char *folder; /* NULL: none */
    const char *why;    /* it can't be written; NULL: it can */
    uint64_t files, bytes;
};

struct health_cache health_cache(struct arena *mem);

void health_json(struct health *hl, struct json *j);

#endif
