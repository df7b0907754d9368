/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.h -- one walk over all events that only counts. */
#ifndef CLI_SCAN_H
#define CLI_SCAN_H

#include "cli/cmd.h"

struct ctf_meta;

struct scan_class {
    struct str name;
    uint64_t events;
};

struct scan_trace {
    const struct host *host;
    struct reader *reader;
    struct reader_totals totals; /* of the whole trace     */
    uint64_t events;             /* in the asked-for time  */
    ns_t first, last;            /* of these               */
    VEC(struct scan_class) classes;
};

struct scan {
    VEC(struct scan_trace) traces; /* host by host */
    uint64_t events;
    ns_t first, last;
    struct reader_totals totals;
};

/* Reads all events of c->x that are in c->span. */
void scan_run(struct ctx *c, struct scan *ret);
void scan_free(struct scan *s);
/* Sums over the traces of one host. */
struct scan_trace scan_host(const struct scan *s, const struct host *h);

/* The metadata of a CTF trace, read again for what readers don't tell.  False
 * for other formats. */
bool scan_meta(const struct reader *r, struct ctf_meta *ret);
/* "lttng-ust 2.13.5", in 'a'; or empty. */
struct str scan_tracer(const struct ctf_meta *meta, struct arena *a);

/* Cells of a time and of a length of time; null when there was no event. */
void scan_add_time(struct table *t, uint64_t events, ns_t at);
void scan_add_length(struct table *t, uint64_t events, ns_t first, ns_t last);
/* The same as a JSON member. */
void scan_json_time(struct json *j, const char *key, uint64_t events, ns_t at);

#endif
