/* SPDX-License-Identifier: Apache-2.0
 *
 * serve_priv.h -- what the parts of the server share.
 *
 *   http.c     sockets, limits, who may ask         (libmicrohttpd; its thread only)
 *   work.c     threads that answer; answers that are kept
 *   route.c    the table of what can be asked, and its description (openapi.c)
 *   api*.c, tsp*.c    what is answered
 *   content.c  what is sent compressed
 *   rows.c, scopes*.c, strip.c, arrows*.c    rows of time lines, and what led from one to another
 *   offline.c  the page and answers in one file, without a server
 *
 * An answer is made by one thread, with memory of its own, from histories that do not change:
 * nothing but what is in 'struct serve' behind its locks is shared. */
#ifndef SERVE_SERVE_PRIV_H
#define SERVE_SERVE_PRIV_H

#include "base/json.h"
#include "diagnose/finding.h"
#include "report/who.h"
#include "serve/request.h"
#include "serve/serve.h"

#include <pthread.h>
#include <stdatomic.h>

enum serve_state { SERVE_RUNNING, SERVE_READY, SERVE_CANCELLED, SERVE_FAILED };

struct serve_progress {
    enum serve_state state;
    char stage[64], host[256];
    uint64_t done, total, events;
    uint64_t version; /* raised with every change */
};

struct scopes;
struct tsp;
struct web;

/* A call of which both ends were seen. */
struct serve_call {
    struct str name, request, served_request, service, server;
    uint32_t host, server_host;
    struct span made, served; /* ends: STORE_NULL: not seen */
    bool cast;
};
struct serve_calls {
    struct arena mem;
    VEC(struct serve_call) list; /* in the order of their making */
};

enum { SERVE_PX = 1400 }; /* columns of a strip, unless they are asked for */

struct serve {
    const struct serve_opts *o;
    const struct serve_source *source;

    pthread_mutex_t lock; /* of 'progress' and 'stop' */
    pthread_cond_t changed;
    struct serve_progress progress;
    bool stop; /* the server ends            */
    pthread_t loader;
    struct err load_err;           /* while 'progress' says FAILED */
    _Atomic bool cancel;           /* the histories are not wanted any more */
    void (*wake)(struct serve *s); /* tells those that follow the progress */
    struct web *web;

    /* From serve_ready() on; never changed. */
    struct report_src src;
    struct span all;                   /* from the first event to the last */
    const struct serve_totals *totals; /* by host */
    uint64_t events;                   /* in all traces */

    /* Of what is made when it is first asked for. */
    pthread_mutex_t whos_once, diagnosis_once, calls_once;
    bool has_whos, has_diagnosis, has_calls;
    struct arena whos_mem, diagnosis_mem;
    struct report_src whos_src, diagnosis_src;
    struct whos whos;
    struct diagnosis diagnosis;
    struct serve_calls calls;

    struct scopes *scopes;
    struct tsp *tsp;
    pthread_mutex_t events_lock, doctor_lock;
};

/* A server without sockets, and without histories until serve_ready(). */
struct serve *serve_new(const struct serve_opts *o, const struct serve_source *source);
void serve_free(struct serve *s);

/* --- an answer ----------------------------------------------------------------------------- */

struct reply {
    int status;       /* of HTTP */
    const char *type; /* static */
    struct sbuf body;
    FILE *f; /* while 'json' is open */
    char *stream;
    size_t stream_n;
    struct json json;
    ns_t took_ns, cpu_ns; /* to make it; 0: not measured */
    bool gzip;            /* the body is compressed */
    bool passing;         /* says something that will not be true for long: not kept */
};

/* JSON to be written; reply_json_end() when it is done. */
struct json *reply_json(struct reply *r);
void reply_json_end(struct reply *r);
/* {"title","detail"}; what was written before is dropped. */
void reply_fail(struct reply *r, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* 400, or 413 for -E_LIMIT. */
void reply_err(struct reply *r, const struct err *err);
void reply_free(struct reply *r);

/* --- what can be asked --------------------------------------------------------------------- */

enum route_flag {
    ROUTE_SLOW = 1,   /* may take seconds: has threads of its own        */
    ROUTE_KEPT = 2,   /* the same question has the same answer: it is kept */
    ROUTE_EARLY = 4,  /* can be asked before the histories are there     */
    ROUTE_STREAM = 8, /* the progress: http.c has it                     */
    ROUTE_TSP = 16,   /* of the Trace Server Protocol: not described     */
};

struct route_param {
    const char *name, *type, *about; /* type: of JSON schema, or "a|b|c" */
    bool must, many;
};

struct route {
    enum method method;
    const char *path;
    unsigned flags;
    const char *about;
    const char *params; /* names of 'route_params' with blanks between */
    const char *reply;  /* its form, see shape.h */
    void (*answer)(struct serve *s, const struct request *q, struct reply *r);
};
extern const struct route *const route_tables[]; /* each ends with .path NULL; ends with NULL */
extern const struct route_param route_params[];  /* ends with .name NULL */
extern const struct route api_routes[], tsp_routes[];
/* The route of the request, whose holes are filled; NULL, and if the path is known with other
 * methods, '*ret_wrong_method'. */
const struct route *route_find(struct request *q, bool *ret_wrong_method);
/* Are its arguments known?  0 or -E_ARG with a sentence. */
int route_check(const struct route *r, const struct request *q, struct err *err);
void openapi_json(struct json *j);
/* Answers, whatever the request is: the one way in, also for tests. */
void route_answer(struct serve *s, const struct route *route, struct request *q, struct reply *r);

/* --- the state ----------------------------------------------------------------------------- */

struct serve_progress serve_progress_now(struct serve *s);
const char *serve_state_name(enum serve_state s);
void progress_json(const struct serve_progress *p, struct json *j);
/* Who is whose thread; all findings.  Made when first asked for, then kept. */
const struct whos *serve_whos(struct serve *s);
const struct diagnosis *serve_diagnosis(struct serve *s);
const struct serve_calls *serve_calls(struct serve *s);
/* The histories through the request's filters: vm, request, host, begin, end.  'mem' is the
 * request's.  0, or -E_ARG. */
int serve_src(struct serve *s, const struct request *q, struct report_src *ret, struct err *err);

/* An instant as it is told: after the begin of the experiment. */
static inline ns_t serve_rel(const struct serve *s, ns_t t)
{
    return t < s->all.t0 ? 0 : t > s->all.t1 ? s->all.t1 - s->all.t0 : t - s->all.t0;
}

/* --- files --------------------------------------------------------------------------------- */

struct web_file {
    const char *path; /* "/index.html" */
    const unsigned char *p;
    size_t n;
    const unsigned char *gz; /* the same, compressed */
    size_t ngz;
    const char *hash; /* "sha256-...", as a Content-Security-Policy names it */
};
/* Number 'i' of those that were built in (tools/embed); false: there are not that many. */
bool web_file(size_t i, struct web_file *ret);

/* --- answering: work.c --------------------------------------------------------------------- */

struct kept;

struct job {
    const struct route *route;
    struct request q;
    struct arena mem;
    struct str key; /* of a kept answer; empty: none */
    bool gzip;      /* the client is far, and takes it */
    struct reply reply;
    struct kept *kept;           /* the answer, instead of 'reply'; the job's to release */
    void (*done)(struct job *j); /* called by the thread that answered */
    void *ctx;
    struct job *next;
};
struct work;
struct work *work_new(struct serve *s);
/* False: too many wait already, or it ends. */
bool work_push(struct work *w, struct job *j);
/* Begins nothing any more; true: all threads have ended. */
bool work_end(struct work *w);
/* When nobody asks any more. */
void work_free(struct work *w);

/* The thread that makes histories begins; ends, true, within some seconds. */
void load_begin(struct serve *s);
bool load_end(struct serve *s);

int http_run(struct serve *s, void (*say)(const char *sentence), bool *ret_busy, struct err *err);

#endif
