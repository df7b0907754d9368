/* SPDX-License-Identifier: Apache-2.0
 *
 * request.h -- what a client asks: the target and the body of an HTTP request, taken apart.
 *
 * Nothing here knows of sockets, so that a fuzzer can hand in any bytes.  The path is cut at
 * its slashes before it is decoded: an id may hold an encoded slash. */
#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"

#include <jansson.h>

enum method {
    METHOD_GET,
    METHOD_POST,
    METHOD_PUT,
    METHOD_DELETE,
    METHOD_OPTIONS,
    METHOD_OTHER,
};
/* HEAD is answered as GET is. */
enum method method_of(const char *name);
const char *method_name(enum method m);

struct request_arg {
    struct str name, value;
};

enum { REQUEST_SEGMENTS = 24, REQUEST_HOLES = 4 };

struct request {
    enum method method;
    struct arena *mem; /* of what is decoded, and for the answer */
    struct str segments[REQUEST_SEGMENTS];
    size_t nsegments;
    struct str path; /* as it was sent, without the query */
    VEC(struct request_arg) args;
    struct str holes[REQUEST_HOLES]; /* what stands for "{name}" in the route, in order */
    json_t *body;                    /* NULL: there was none */
};

/* Takes 'target' ("/a/b?c=d") apart.  Returns 0, -E_ARG for what is malformed, -E_LIMIT for what is
 * too much.  request_free() in any case. */
int request_parse(struct request *q, enum method method, struct str target, struct arena *mem,
                  struct err *err);
/* Reads a body of JSON.  Its members that are texts, numbers or arrays of these become arguments
 * as well. */
int request_body(struct request *q, struct str body, struct err *err);
void request_free(struct request *q);

/* The first argument of that name, false: there is none. */
bool request_arg(const struct request *q, const char *name, struct str *ret);
/* The same, empty if there is none. */
struct str request_text(const struct request *q, const char *name);
/* All of that name, also cut at commas where 'commas'; in 'q->mem'. */
struct str *request_all(const struct request *q, const char *name, size_t *ret_n);
/* A whole number from 'min' to 'max'; without the argument, 'otherwise'.  Returns 0 or -E_ARG. */
int request_int(const struct request *q, const char *name, int64_t min, int64_t max,
                int64_t otherwise, int64_t *ret, struct err *err);
/* An instant, as --begin takes it; "+5s" counts from 'origin'. */
int request_time(const struct request *q, const char *name, ns_t origin, ns_t otherwise, ns_t *ret,
                 struct err *err);

/* Decodes %41 (and '+', if 'plus') into 'mem'.  False: malformed, or a NUL. */
bool percent_decode(struct str s, bool plus, struct arena *mem, struct str *ret);
/* Does the path fit the pattern "/api/v1/list/{what}"?  "{id...}" takes all that is left. */
bool request_fits(struct request *q, const char *pattern);

#endif
