/* SPDX-License-Identifier: Apache-2.0
 *
 * serve.h -- the histories behind HTTP: a page, an API for it and for scripts, and the Trace Server
 * Protocol.
 *
 * The server knows no traces: who starts it hands in how histories are made and how raw events are
 * read (serve_source).  Histories are made in a thread of their own while the page can be
 * loaded already and shows how far they are. */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include "report/source.h"

struct serve;

struct serve_opts {
    const char *listen;       /* "127.0.0.1:8080", "[::1]:0"; port 0: any that is free */
    const char *token;        /* needed for any address but loopback; NULL: none */
    const char *const *names; /* further names that the server is asked under */
    size_t nnames;
    const char *const *origins; /* pages of other servers that may ask */
    size_t norigins;
    unsigned seconds;         /* that a client has to send a request; 0: 30 */
    const char *folder;       /* of the page's files instead of those that were built in; or NULL */
    const char *const *paths; /* of the traces, as the user named them */
    size_t npaths;
};

/* A page of raw events, one JSON object each. */
struct serve_events {
    struct str host, filter; /* empty: all */
    ns_t from;               /* the first at or after it; with 'back', the last before it */
    uint64_t skip;           /* so many of those at exactly that time were told already */
    bool back;
    bool numbered; /* without filters, forward: 'number' of the page is asked for */
    bool bare;     /* numbered, and the fields are not needed */
    uint64_t pass; /* numbered, and not 0: from this number on, whatever 'from' says */
    size_t limit;
};
struct serve_event {
    ns_t t;
    uint32_t cpu;                  /* UINT32_MAX: not known */
    struct str host, name, fields; /* fields: JSON */
};
struct serve_page {
    struct arena mem;
    struct serve_event *at; /* 'n' of them, if they are numbered */
    struct sbuf rows;       /* else: "{...},{...}" in order of time */
    size_t n;
    ns_t first, last;           /* times of the outer ones, if n > 0                      */
    uint64_t first_no, last_no; /* which of those at that time they are, from 0 */
    bool more;                  /* there are more in that direction */
    uint64_t number;            /* of the first one among all events, from 0 */
    uint64_t looked;            /* events that were looked at */
};

struct serve_source {
    void *ctx;
    /* Makes the histories and calls serve_ready(); returns when serve_wait_end() does, and what was
     * made may be freed.  serve_step() in between.  -E_*: they can't be made. */
    int (*load)(void *ctx, struct serve *s, struct err *err);
    /* Reads events; one call at a time, after serve_ready().  0, or -E_ARG for a bad filter. */
    int (*events)(void *ctx, const struct serve_events *q, struct serve_page *ret, struct err *err);
};

/* Answers until SIGINT or SIGTERM, or until the histories can't be made.  'say' gets the address
 * once it listens.  '*ret_busy': some thread is still at work, what it uses must stay.  Returns 0
 * or -E_*. */
int serve_run(const struct serve_opts *o, const struct serve_source *source,
              void (*say)(const char *sentence), bool *ret_busy, struct err *err);

/* --- for serve_source.load ----------------------------------------------------------------- */

/* How far it is.  False: somebody wants it to stop. */
bool serve_step(struct serve *s, const char *stage, const char *host, uint64_t done, uint64_t total,
                uint64_t events);
/* What was read of a host, and what could not be. */
struct serve_totals {
    uint64_t events, discarded, lost_packets, bad_packets;
};
/* The histories are there, with the totals of each host, and stay as they are until
 * serve_wait_end() returns. */
void serve_ready(struct serve *s, const struct report_src *src, const struct serve_totals *totals);
void serve_wait_end(struct serve *s);

#endif
