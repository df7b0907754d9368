/* SPDX-License-Identifier: Apache-2.0
 *
 * guard.h -- who may ask.
 *
 * A server on loopback is open to every page that a browser shows: a page of another site may send
 * requests to it, and, by giving its own name the address 127.0.0.1, read the answers (DNS
 * rebinding).  So the name that the request was sent to must be one of ours, and a request that a
 * foreign page made is refused unless that page's origin is listed.  Elsewhere than on loopback
 * a token is needed as well. */
#ifndef SERVE_GUARD_H
#define SERVE_GUARD_H

#include "serve/serve.h"

enum { GUARD_TOKEN_LEAST = 16, GUARD_TOKEN_MOST = 256 };

/* The headers that matter; NULL: not there. */
struct guard_asks {
    const char *host, *origin, *fetch_site, *fetch_mode, *authorization, *cookie;
    const char *token; /* argument of the query */
    unsigned hosts;    /* how many names it asks under: more than one hide something */
    bool reads;        /* GET or HEAD                                             */
    bool preflight;    /* OPTIONS: has no token; what it lets pass has one */
};

struct guard_says {
    int status;         /* 0: it may */
    const char *detail; /* why not; static */
    bool cors;          /* the origin is another one that may read the answer */
    bool take_cookie;   /* the token came in the query: give a cookie instead */
};

struct guard_says guard_judge(const struct serve_opts *o, const struct guard_asks *a);

/* Is a token long enough, and of letters that need no quotes?  0 or -E_ARG. */
int guard_check_token(const char *token, struct err *err);
/* Takes "127.0.0.1:8080", "[::1]:80", "localhost:0" apart into 'host' without brackets and a port.
 * 0 or -E_ARG. */
int guard_address(const char *listen, char host[static 64], uint16_t *ret_port, struct err *err);
bool guard_is_loopback(const char *host);

#endif
