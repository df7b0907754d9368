/* SPDX-License-Identifier: Apache-2.0
 *
 * http.c -- the server's sockets, by libmicrohttpd.
 *
 * One thread moves bytes for all connections.  A question that needs work becomes a job for the
 * threads of work.c while its connection is suspended; the answer resumes it.  Followers of the
 * progress are suspended connections as well, so that nobody holds a thread by waiting.
 *
 * Nobody holds a connection for ever either: each has a deadline for what it does (send a request,
 * take an answer, be idle), and run() shuts the sockets of those that are late. */
#include "serve/content.h"
#include "serve/guard.h"
#include "serve/work_priv.h"

#include "base/limits.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS = 512,
    SECONDS_ASK = 30, /* from the first byte to the last of a request, unless the user says */
    TIMES_IDLE = 2,   /* between requests: so many times as long                            */
    TIMES_TAKE = 4,   /* to take an answer                                                  */
    SECONDS_BEAT = 15 /* a follower hears something                                         */
};
/* Of a connection: for the longest target, a note of each argument, and the headers.  Pages that
 * are not needed are not touched.  A client that sends more is shut out without a word. */
#define CONNECTION_BYTES (LIMIT_HTTP_TARGET + LIMIT_HTTP_ROWS * 72 + (32u << 10))

struct peer {
    int fd;
    time_t until; /* 0: it waits for us */
    struct peer *next, *prev;
};

struct web {
    struct serve *s;
    struct work *work;
    struct MHD_Daemon *daemon;
    pthread_mutex_t peers_lock, followers_lock;
    struct peer *peers;
    struct exchange *followers; /* that are suspended */
    _Atomic bool ends;
    _Atomic int64_t woken_ms;
};

/* A request and its answer. */
struct exchange {
    struct web *web;
    struct MHD_Connection *c;
    char *target;
    struct sbuf body;
    bool seen, too_much, asked, answered;
    struct guard_says says;
    char *origin; /* that may read the answer; NULL */
    struct job *job;

    /* a follower */
    uint64_t version;
    bool told, over;
    time_t beat;
    struct sbuf pending;
    struct exchange *next;
};

static time_t now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

/* So many times the time that a client has for a request. */
static int patience(const struct web *w, int times)
{
    return times * (w->s->o->seconds ? (int)w->s->o->seconds : SECONDS_ASK);
}

/* --- deadlines ----------------------------------------------------------------------------- */

static void on_connection(void *cls, struct MHD_Connection *c, void **ctx,
                          enum MHD_ConnectionNotificationCode code)
{
    struct web *w = cls;

    pthread_mutex_lock(&w->peers_lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct peer *p = xcalloc(1, sizeof *p);

        *p = (struct peer){ info ? info->connect_fd : -1, now() + patience(w, 1), w->peers, NULL };
        if (w->peers)
            w->peers->prev = p;
        w->peers = p;
        *ctx = p;
    } else if (*ctx) {
        struct peer *p = *ctx;

        if (p->next)
            p->next->prev = p->prev;
        *(p->prev ? &p->prev->next : &w->peers) = p->next;
        free(p);
        *ctx = NULL;
    }
    pthread_mutex_unlock(&w->peers_lock);
}

/* 'seconds' 0: for ever. */
static void set_deadline(struct web *w, struct MHD_Connection *c, int seconds)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct peer *p = info ? info->socket_context : NULL;

    pthread_mutex_lock(&w->peers_lock);
    if (p)
        p->until = seconds ? now() + seconds : 0;
    pthread_mutex_unlock(&w->peers_lock);
}

static void shut_late(struct web *w)
{
    time_t t = now();

    pthread_mutex_lock(&w->peers_lock);
    for (struct peer *p = w->peers; p; p = p->next)
        if (p->until && p->until < t && p->fd >= 0) {
            shutdown(p->fd, SHUT_RDWR);
            p->until = 0;
        }
    pthread_mutex_unlock(&w->peers_lock);
}

/* --- answers ------------------------------------------------------------------------------- */

static const char *header(struct exchange *x, const char *name)
{
    return MHD_lookup_connection_value(x->c, MHD_HEADER_KIND, name);
}

static void put_headers(struct MHD_Response *r, const struct exchange *x, const char *type)
{
    static const char *const always[][2] = {
        { "Content-Security-Policy",
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
          "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
          "frame-ancestors 'none'" },
        { "X-Content-Type-Options", "nosniff" },
        { "X-Frame-Options", "DENY" },
        { "Referrer-Policy", "no-referrer" },
        { "Cross-Origin-Opener-Policy", "same-origin" },
    };

    if (type)
        MHD_add_response_header(r, "Content-Type", type);
    for (size_t i = 0; i < ARRAY_SIZE(always); i++)
        MHD_add_response_header(r, always[i][0], always[i][1]);
    if (!x->origin) {
        MHD_add_response_header(r, "Cross-Origin-Resource-Policy", "same-origin");
        return;
    }
    MHD_add_response_header(r, "Access-Control-Allow-Origin", x->origin);
    MHD_add_response_header(r, "Access-Control-Allow-Methods", "GET, POST, PUT, DELETE");
    MHD_add_response_header(r, "Access-Control-Allow-Headers",
                            "Content-Type, Accept, Authorization");
    MHD_add_response_header(r, "Access-Control-Max-Age", "600");
    MHD_add_response_header(r, "Vary", "Origin");
}

/* Others may get the same in another encoding. */
static void put_encoding(struct MHD_Response *r, bool gzip)
{
    MHD_add_response_header(r, "Vary", "Accept-Encoding");
    if (gzip)
        MHD_add_response_header(r, "Content-Encoding", "gzip");
}

static enum MHD_Result queue(struct exchange *x, int status, struct MHD_Response *r)
{
    if (!r)
        return MHD_NO;
    set_deadline(x->web, x->c, patience(x->web, TIMES_TAKE));
    enum MHD_Result rc = MHD_queue_response(x->c, (unsigned)status, r);
    MHD_destroy_response(r);
    return rc;
}

static void free_body(void *p)
{
    free(p);
}

/* How long the thread that answered took: browsers show it, bench/serve.py sums it up. */
static void put_timing(struct MHD_Response *m, const struct reply *r)
{
    char text[96];

    snprintf(text, sizeof text, "app;dur=%.3f, cpu;dur=%.3f", (double)r->took_ns / 1e6,
             (double)r->cpu_ns / 1e6);
    if (r->took_ns)
        MHD_add_response_header(m, "Server-Timing", text);
}

/* Takes the reply's body. */
static enum MHD_Result queue_reply(struct exchange *x, struct reply *r)
{
    void *body = r->body.p ? r->body.p : xcalloc(1, 1);
    struct MHD_Response *m =
        MHD_create_response_from_buffer_with_free_callback(r->body.n, body, free_body);

    r->body = (struct sbuf){ 0 };
    if (m) {
        put_headers(m, x, r->status == 204 ? NULL : r->type);
        put_encoding(m, r->gzip);
        MHD_add_response_header(m, "Cache-Control", "no-store");
        put_timing(m, r);
        if (r->status == 503)
            MHD_add_response_header(m, "Retry-After", "1");
        if (r->status == 401)
            MHD_add_response_header(m, "WWW-Authenticate", "Bearer");
    }
    int status = r->status;
    reply_free(r);
    return queue(x, status, m);
}

static enum MHD_Result queue_fail(struct exchange *x, int status, const char *detail)
{
    struct reply r = { 0 };

    reply_fail(&r, status, "%s", detail);
    return queue_reply(x, &r);
}

/* Does the client have this already?  Then it is told so. */
static bool is_known(struct exchange *x, const char *tag, enum MHD_Result *ret)
{
    const char *has = MHD_lookup_connection_value(x->c, MHD_HEADER_KIND, "If-None-Match");

    if (!has || !strstr(has, tag))
        return false;
    struct MHD_Response *m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (m) {
        put_headers(m, x, NULL);
        MHD_add_response_header(m, "ETag", tag);
        MHD_add_response_header(m, "Cache-Control", "no-cache");
    }
    *ret = queue(x, 304, m);
    return true;
}

static void release(void *kept)
{
    kept_release(kept);
}

/* Takes the caller's hold of 'k'. */
static enum MHD_Result queue_kept(struct exchange *x, struct kept *k)
{
    enum MHD_Result rc;
    char tag[24];

    snprintf(tag, sizeof tag, "\"%016" PRIx64 "\"", k->hash);
    if (is_known(x, tag, &rc)) {
        kept_release(k);
        return rc;
    }
    struct MHD_Response *m =
        MHD_create_response_from_buffer_with_free_callback_cls(k->body.n, k->body.p, release, k);
    if (m) {
        put_headers(m, x, k->type);
        put_encoding(m, k->gzip);
        MHD_add_response_header(m, "ETag", tag);
        MHD_add_response_header(m, "Cache-Control", "no-cache");
    } else {
        kept_release(k);
    }
    return queue(x, 200, m);
}

/* --- files of the page --------------------------------------------------------------------- */

/* A file of --web FOLDER, which is looked at anew each time. */
static enum MHD_Result queue_from_folder(struct exchange *x, const struct request *q)
{
    struct sbuf path = { 0 };

    sbuf_z(&path, x->web->s->o->folder);
    for (size_t i = 0; i < q->nsegments; i++) {
        if (str_starts(q->segments[i], STR(".")) || str_chr(q->segments[i], '/', 0) != STR_NONE) {
            sbuf_free(&path);
            return queue_fail(x, 404, "there is no such file");
        }
        sbuf_fmt(&path, "/" STR_FMT, STR_ARG(q->segments[i]));
    }
    if (q->nsegments == 0)
        sbuf_z(&path, "/index.html");
    int fd = open(path.p, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    off_t n = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);
    const char *type = content_type(sbuf_view(&path));
    sbuf_free(&path);
    struct MHD_Response *m = n < 0 ? NULL : MHD_create_response_from_fd((size_t)n, fd);
    if (!m) {
        if (fd >= 0)
            close(fd);
        return queue_fail(x, 404, "there is no such file");
    }
    put_headers(m, x, type);
    MHD_add_response_header(m, "Cache-Control", "no-store");
    return queue(x, 200, m);
}

static enum MHD_Result queue_file(struct exchange *x, const struct request *q)
{
    struct str path = q->nsegments ? q->path : STR("/index.html");
    struct web_file f;
    enum MHD_Result rc;
    char tag[24];

    if (x->web->s->o->folder)
        return queue_from_folder(x, q);
    bool gzip = content_takes_gzip(header(x, "Accept-Encoding"));
    for (size_t i = 0; web_file(i, &f); i++) {
        if (!str_is(path, f.path))
            continue;
        const unsigned char *p = gzip ? f.gz : f.p;
        size_t n = gzip ? f.ngz : f.n;
        snprintf(tag, sizeof tag, "\"%016" PRIx64 "\"", hash_bytes(p, n, 1));
        if (is_known(x, tag, &rc))
            return rc;
        struct MHD_Response *m =
            MHD_create_response_from_buffer(n, (void *)(uintptr_t)p, MHD_RESPMEM_PERSISTENT);
        if (m) {
            put_headers(m, x, content_type(path));
            put_encoding(m, gzip);
            MHD_add_response_header(m, "ETag", tag);
            MHD_add_response_header(m, "Cache-Control", "no-cache");
        }
        return queue(x, 200, m);
    }
    return queue_fail(x, 404, "there is nothing at this address");
}

/* --- the progress -------------------------------------------------------------------------- */

static void tell(struct exchange *x, const struct serve_progress *p)
{
    struct reply r = { 0 };

    progress_json(p, reply_json(&r));
    reply_json_end(&r);
    sbuf_fmt(&x->pending, "retry: 2000\ndata: " STR_FMT "\n\n", STR_ARG(sbuf_view(&r.body)));
    reply_free(&r);
    x->told = true;
    x->version = p->version;
    x->over = p->state != SERVE_RUNNING;
    x->beat = now();
}

static ssize_t follow(void *cls, uint64_t pos, char *buf, size_t most)
{
    struct exchange *x = cls;
    struct serve_progress p = serve_progress_now(x->web->s);

    (void)pos;
    if (x->pending.n == 0) {
        if (x->over || x->web->ends)
            return MHD_CONTENT_READER_END_OF_STREAM;
        if (!x->told || p.version != x->version) {
            tell(x, &p);
        } else if (now() - x->beat >= SECONDS_BEAT) {
            sbuf_z(&x->pending, ":\n\n");
            x->beat = now();
        }
    }
    if (x->pending.n == 0) {
        pthread_mutex_lock(&x->web->followers_lock);
        x->next = x->web->followers;
        x->web->followers = x;
        MHD_suspend_connection(x->c);
        pthread_mutex_unlock(&x->web->followers_lock);
        return 0;
    }
    size_t n = x->pending.n < most ? x->pending.n : most;
    memcpy(buf, x->pending.p, n);
    memmove(x->pending.p, x->pending.p + n, x->pending.n - n);
    x->pending.n -= n;
    return (ssize_t)n;
}

static void wake_followers(struct web *w)
{
    pthread_mutex_lock(&w->followers_lock);
    while (w->followers) {
        struct exchange *x = w->followers;

        w->followers = x->next;
        MHD_resume_connection(x->c);
    }
    pthread_mutex_unlock(&w->followers_lock);
}

/* From the thread that makes histories, often. */
static void wake(struct serve *s)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    int64_t ms = ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
    if (ms - s->web->woken_ms < 200 && serve_progress_now(s).state == SERVE_RUNNING)
        return;
    s->web->woken_ms = ms;
    wake_followers(s->web);
}

static enum MHD_Result queue_progress(struct exchange *x)
{
    struct MHD_Response *m =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 4096, follow, x, NULL);

    if (!m)
        return MHD_NO;
    put_headers(m, x, "text/event-stream");
    MHD_add_response_header(m, "Cache-Control", "no-store");
    set_deadline(x->web, x->c, 0);
    enum MHD_Result rc = MHD_queue_response(x->c, 200, m);
    MHD_destroy_response(m);
    return rc;
}

/* --- a request ----------------------------------------------------------------------------- */

static void *on_target(void *cls, const char *uri, struct MHD_Connection *c)
{
    struct exchange *x = xcalloc(1, sizeof *x);

    x->web = cls;
    x->c = c;
    x->target = strdup(uri);
    if (!x->target)
        abort();
    set_deadline(x->web, c, patience(x->web, 1));
    return x;
}

static enum MHD_Result count_host(void *cls, enum MHD_ValueKind kind, const char *key,
                                  const char *value)
{
    unsigned *n = cls;

    (void)kind;
    (void)value;
    *n += strcasecmp(key, "Host") == 0;
    return MHD_YES;
}

static void judge(struct exchange *x, const char *method, const struct request *q)
{
    struct str token = STR("");
    struct guard_asks a = { .host = header(x, "Host"),
                            .origin = header(x, "Origin"),
                            .fetch_site = header(x, "Sec-Fetch-Site"),
                            .fetch_mode = header(x, "Sec-Fetch-Mode"),
                            .authorization = header(x, "Authorization"),
                            .cookie = header(x, "Cookie"),
                            .reads = !strcmp(method, "GET") || !strcmp(method, "HEAD"),
                            .preflight = !strcmp(method, "OPTIONS") };
    char *text = NULL;

    MHD_get_connection_values(x->c, MHD_HEADER_KIND, count_host, &a.hosts);
    if (q && request_arg(q, "token", &token))
        a.token = text = strndup(token.p, token.n);
    x->says = guard_judge(x->web->s->o, &a);
    if (x->says.cors)
        x->origin = strdup(a.origin);
    free(text);
}

/* From "/?token=..." to "/", with the token in a cookie. */
static enum MHD_Result queue_cookie(struct exchange *x, const struct request *q)
{
    struct MHD_Response *m = MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    struct sbuf cookie = { 0 };

    if (m) {
        put_headers(m, x, NULL);
        sbuf_fmt(&cookie, "neph_token=%s; Path=/; HttpOnly; SameSite=Strict", x->web->s->o->token);
        MHD_add_response_header(m, "Set-Cookie", cookie.p);
        char *path = strndup(q->path.p, q->path.n);
        /* "//host" would lead to another server. */
        MHD_add_response_header(m, "Location", path && path[1] != '/' ? path : "/");
        free(path);
        sbuf_free(&cookie);
    }
    return queue(x, 303, m);
}

static void on_done(struct job *j)
{
    struct exchange *x = j->ctx;

    x->answered = true;
    MHD_resume_connection(x->c);
}

static void job_free(struct job *j)
{
    if (!j)
        return;
    if (j->kept)
        kept_release(j->kept);
    reply_free(&j->reply);
    request_free(&j->q);
    arena_free(&j->mem);
    free(j);
}

/* The route's words and all arguments make the key of an answer. */
static struct str key_of(const struct job *j, const struct exchange *x)
{
    return str_of(arena_printf((struct arena *)(uintptr_t)&j->mem, "%s%s %s " STR_FMT,
                               j->gzip ? "gzip " : "", method_name(j->q.method), x->target,
                               STR_ARG(sbuf_view(&x->body))));
}

static bool wants_gzip(struct exchange *x)
{
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(x->c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    bool forwarded = header(x, "X-Forwarded-For") || header(x, "Forwarded") || header(x, "Via");

    return content_takes_gzip(header(x, "Accept-Encoding")) && peer &&
           content_is_far(peer->client_addr, forwarded);
}

static enum MHD_Result start(struct exchange *x)
{
    struct job *j = x->job;
    bool wrong_method = false;
    struct err err;

    j->route = route_find(&j->q, &wrong_method);
    if (wrong_method)
        return queue_fail(x, 405, "this address does not take that method");
    if (!j->route)
        return j->q.method == METHOD_GET ? queue_file(x, &j->q)
                                         : queue_fail(x, 404, "there is nothing at this address");
    if (j->route->flags & ROUTE_STREAM)
        return queue_progress(x);
    if (request_body(&j->q, sbuf_view(&x->body), &err) < 0)
        return queue_fail(x, err.code == E_LIMIT ? 413 : 400, err.text);
    j->gzip = wants_gzip(x);
    if (j->route->flags & ROUTE_KEPT) {
        j->key = key_of(j, x);
        struct kept *k = work_kept(x->web->work, j->key);
        if (k)
            return queue_kept(x, k);
    }
    x->asked = true;
    set_deadline(x->web, x->c, 0);
    j->done = on_done;
    j->ctx = x;
    MHD_suspend_connection(x->c); /* before somebody resumes it */
    if (work_push(x->web->work, j))
        return MHD_YES;
    reply_fail(&j->reply, 503, "too many questions wait for an answer already");
    on_done(j);
    return MHD_YES;
}

static enum MHD_Result finish(struct exchange *x)
{
    struct kept *k = x->job->kept;

    x->job->kept = NULL;
    return k ? queue_kept(x, k) : queue_reply(x, &x->job->reply);
}

/* The headers are here. */
static enum MHD_Result begin(struct exchange *x, const char *method)
{
    const char *length = header(x, "Content-Length");
    uint64_t n = 0;
    struct err err;

    x->job = xcalloc(1, sizeof *x->job);
    int rc = request_parse(&x->job->q, method_of(method), str_of(x->target), &x->job->mem, &err);
    judge(x, method, rc < 0 ? NULL : &x->job->q);
    if (x->says.status)
        return queue_fail(x, x->says.status, x->says.detail);
    if (rc < 0)
        return queue_fail(x, err.code == E_LIMIT ? 414 : 400, err.text);
    if (x->job->q.method == METHOD_OTHER)
        return queue_fail(x, 501, "this method is not known here");
    if (length && (!str_u64(str_of(length), &n) || n > LIMIT_HTTP_BODY))
        return queue_fail(x, 413, "the body is larger than 1 MiB");
    return MHD_YES;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *n, void **ctx)
{
    struct exchange *x = *ctx;

    (void)cls, (void)c, (void)url, (void)version;
    if (!x->seen) {
        x->seen = true;
        return begin(x, method);
    }
    if (*n) {
        x->too_much |= x->body.n + *n > LIMIT_HTTP_BODY;
        if (!x->too_much)
            sbuf_add(&x->body, data, *n);
        *n = 0;
        return MHD_YES;
    }
    if (x->answered)
        return finish(x);
    if (x->asked)
        return MHD_YES;
    if (x->too_much)
        return queue_fail(x, 413, "the body is larger than 1 MiB");
    if (x->says.take_cookie)
        return queue_cookie(x, &x->job->q);
    if (x->job->q.method == METHOD_OPTIONS) {
        struct reply none = { .status = 204 };

        return queue_reply(x, &none);
    }
    return start(x);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **ctx,
                         enum MHD_RequestTerminationCode code)
{
    struct exchange *x = *ctx;

    (void)cls, (void)code;
    if (!x)
        return;
    set_deadline(x->web, c, patience(x->web, TIMES_IDLE));
    job_free(x->job);
    sbuf_free(&x->body);
    sbuf_free(&x->pending);
    free(x->target);
    free(x->origin);
    free(x);
    *ctx = NULL;
}

/* --- running ------------------------------------------------------------------------------- */

static int open_socket(const struct serve *s, char say[static 128], struct err *err)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr *at = (struct sockaddr *)&four;
    socklen_t size = sizeof four;
    uint16_t port;
    char host[64];
    int one = 1;

    if (guard_address(s->o->listen, host, &port, err) < 0)
        return -1;
    if (inet_pton(AF_INET6, host, &six.sin6_addr) == 1) {
        six.sin6_port = htons(port);
        at = (struct sockaddr *)&six;
        size = sizeof six;
    } else if (inet_pton(AF_INET, host, &four.sin_addr) == 1) {
        four.sin_port = htons(port);
    } else {
        err_set(err, E_ARG, "'%s' is no address of this machine: give numbers, as 127.0.0.1:8080",
                s->o->listen);
        return -1;
    }
    if (!guard_is_loopback(host) && !s->o->token) {
        err_set(
            err, E_ARG,
            "others can reach %s, so a token is needed: --token-file FILE; see the manual about "
            "TLS",
            host);
        return -1;
    }
    int fd = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, at, size) < 0 || listen(fd, 256) < 0 || getsockname(fd, at, &size) < 0) {
        err_set(err, E_IO, "cannot listen on %s: %s", s->o->listen, strerror(errno));
        if (fd >= 0)
            close(fd);
        return -1;
    }
    port = at->sa_family == AF_INET6 ? six.sin6_port : four.sin_port;
    snprintf(say, 128, at->sa_family == AF_INET6 ? "http://[%s]:%u/" : "http://%s:%u/", host,
             (unsigned)ntohs(port));
    return fd;
}

static void quiet(void *cls, const char *fmt, va_list ap)
{
    (void)cls, (void)fmt, (void)ap;
}

static struct MHD_Daemon *start_daemon(struct web *w, int fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
        on_request, w, MHD_OPTION_EXTERNAL_LOGGER, quiet, NULL, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)patience(w, TIMES_IDLE),
        MHD_OPTION_URI_LOG_CALLBACK, on_target, w, MHD_OPTION_NOTIFY_COMPLETED, on_completed, w,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, w, MHD_OPTION_END);
}

/* Until a signal comes or the histories can't be made. */
static void wait_for_end(struct web *w, const sigset_t *signals)
{
    time_t beat = now();

    for (;;) {
        struct timespec second = { .tv_sec = 0, .tv_nsec = 250000000 };
        int signo = sigtimedwait(signals, NULL, &second);

        if (signo == SIGINT || signo == SIGTERM || serve_progress_now(w->s).state == SERVE_FAILED)
            return;
        shut_late(w);
        if (now() - beat >= SECONDS_BEAT) {
            beat = now();
            wake_followers(w);
        }
    }
}

/* What was begun is answered, nothing new is taken.  False: something is still at work. */
static bool end(struct web *w)
{
    int fd = MHD_quiesce_daemon(w->daemon);

    if (fd >= 0)
        close(fd);
    w->ends = true;
    if (!work_end(w->work) || !load_end(w->s))
        return false;
    wake_followers(w);
    MHD_stop_daemon(w->daemon);
    work_free(w->work);
    return true;
}

int http_run(struct serve *s, void (*say)(const char *sentence), bool *ret_busy, struct err *err)
{
    struct web *w = xcalloc(1, sizeof *w);
    char address[128];
    sigset_t signals;

    *ret_busy = false;
    w->s = s;
    int fd = open_socket(s, address, err);
    if (fd < 0) {
        free(w);
        return -(int)err->code;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_mutex_init(&w->peers_lock, NULL);
    pthread_mutex_init(&w->followers_lock, NULL);
    s->web = w;
    w->work = work_new(s);
    w->daemon = start_daemon(w, fd);
    if (!w->daemon) {
        close(fd);
        *ret_busy = !work_end(w->work);
        if (!*ret_busy)
            work_free(w->work);
        return err_set(err, E_IO, "the server can't be started: %s", strerror(errno));
    }
    s->wake = wake;
    say(address);
    load_begin(s);
    wait_for_end(w, &signals);
    *ret_busy = !end(w);
    if (!*ret_busy)
        free(w);
    return 0;
}
