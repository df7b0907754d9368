/* SPDX-License-Identifier: Apache-2.0
 *
 * state.c -- how far the histories are, and what is made of them once; see serve_priv.h. */
#include "serve/serve_priv.h"

#include "report/calls.h"
#include "report/clocks.h"
#include "report/measure.h"

#include <stdlib.h>

const char *serve_state_name(enum serve_state s)
{
    static const char *const names[] = { "RUNNING", "COMPLETED", "CANCELLED", "FAILED" };

    return names[s];
}

struct serve_progress serve_progress_now(struct serve *s)
{
    pthread_mutex_lock(&s->lock);
    struct serve_progress p = s->progress;
    pthread_mutex_unlock(&s->lock);
    return p;
}

void progress_json(const struct serve_progress *p, struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "status", str_of(serve_state_name(p->state)));
    json_kstr(j, "stage", str_of(p->stage));
    json_kstr(j, "host", str_of(p->host));
    json_ku64(j, "done", p->done);
    json_ku64(j, "total", p->total);
    json_ku64(j, "events", p->events);
    json_close(j, '}');
}

bool serve_step(struct serve *s, const char *stage, const char *host, uint64_t done, uint64_t total,
                uint64_t events)
{
    struct serve_progress *p = &s->progress;

    pthread_mutex_lock(&s->lock);
    snprintf(p->stage, sizeof p->stage, "%s", stage);
    snprintf(p->host, sizeof p->host, "%s", host);
    p->done = done;
    p->total = total;
    p->events = events;
    p->version++;
    bool go_on = !s->stop && !s->cancel;
    pthread_mutex_unlock(&s->lock);
    if (s->wake)
        s->wake(s);
    return go_on;
}

void serve_ready(struct serve *s, const struct report_src *src, const struct serve_totals *totals)
{
    s->src = *src;
    s->totals = totals;
    for (uint32_t i = 0; i < src->nhosts; i++)
        s->events += totals[i].events;
    s->all = (struct span){ NS_MAX, NS_MIN };
    for (uint32_t i = 0; i < src->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(src->hosts[i], &cov);
        if (cov.t0 >= cov.t1)
            continue;
        s->all.t0 = cov.t0 < s->all.t0 ? cov.t0 : s->all.t0;
        s->all.t1 = cov.t1 > s->all.t1 ? cov.t1 : s->all.t1;
    }
    if (s->all.t0 >= s->all.t1)
        s->all = (struct span){ 0, 1 };
    pthread_mutex_lock(&s->lock);
    s->progress.state = SERVE_READY;
    snprintf(s->progress.stage, sizeof s->progress.stage, "ready");
    s->progress.version++;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    if (s->wake)
        s->wake(s);
}

/* --- made once ----------------------------------------------------------------------------- */

/* The structs keep the address of their source. */
const struct whos *serve_whos(struct serve *s)
{
    pthread_mutex_lock(&s->whos_once);
    if (!s->has_whos) {
        s->whos_src = s->src;
        s->whos_src.mem = &s->whos_mem;
        whos_make(&s->whos_src, &s->whos);
        s->has_whos = true;
    }
    pthread_mutex_unlock(&s->whos_once);
    return &s->whos;
}

const struct diagnosis *serve_diagnosis(struct serve *s)
{
    pthread_mutex_lock(&s->diagnosis_once);
    if (!s->has_diagnosis) {
        s->diagnosis_src = s->src;
        s->diagnosis_src.mem = &s->diagnosis_mem;
        diagnosis_make(&s->diagnosis_src, NULL, NULL, &s->diagnosis);
        s->has_diagnosis = true;
    }
    pthread_mutex_unlock(&s->diagnosis_once);
    return &s->diagnosis;
}

struct calls_kept {
    struct serve *s;
    const struct report_src *src; /* the rows' */
};

/* The texts are the histories', which live as long as the server. */
static void keep_call(void *ctx, const struct src_row *client, const struct src_row *server)
{
    const struct calls_kept *k = ctx;
    struct serve *s = k->s;
    struct str request = row_text(client, C_step_request), child = row_text(client, C_step_child);

    *vec_push(&s->calls.list) =
        (struct serve_call){ .name = str_dup(&s->calls.mem,
                                             src_mask(k->src, row_text(client, C_step_name))),
                             .request = request.n ? request : child,
                             .served_request = row_text(server, C_step_request),
                             .service = row_text(client, C_step_service),
                             .server = row_text(server, C_step_service),
                             .host = src_host_named(&s->src, client->host),
                             .server_host = src_host_named(&s->src, server->host),
                             .made = { client->row[0], client->row[1] },
                             .served = { server->row[0], server->row[1] },
                             .cast = call_is_cast(client, server) };
}

const struct serve_calls *serve_calls(struct serve *s)
{
    pthread_mutex_lock(&s->calls_once);
    if (!s->has_calls) {
        struct arena tmp = { 0 };
        struct report_src src = s->src;

        src.mem = &tmp;
        src.span = SPAN_ALL;
        calls_each(&src, keep_call, &(struct calls_kept){ s, &src });
        arena_free(&tmp);
        s->has_calls = true;
    }
    pthread_mutex_unlock(&s->calls_once);
    return &s->calls;
}

void serve_wait_end(struct serve *s)
{
    serve_diagnosis(s); /* the first thing that everybody asks for */
    pthread_mutex_lock(&s->lock);
    while (!s->stop)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

/* --- the request's filters ----------------------------------------------------------------- */

/* Only the hosts whose names fit; clocks are told by the position of a host. */
static int choose_hosts(const struct request *q, struct str pattern, struct report_src *src,
                        struct err *err)
{
    struct store **hosts = arena_array(q->mem, struct store *, src->nhosts + 1);
    struct clocks *clocks = arena_new(q->mem, struct clocks);
    uint32_t n = 0;

    if (src->clocks)
        *clocks = *src->clocks;
    struct host_clock *at = arena_array(q->mem, struct host_clock, src->nhosts + 1);
    for (uint32_t i = 0; i < src->nhosts; i++) {
        if (!str_glob(pattern, str_of(store_host(src->hosts[i]))))
            continue;
        if (src->clocks && i < src->clocks->nhosts)
            at[n] = src->clocks->at[i];
        hosts[n++] = src->hosts[i];
    }
    if (n == 0)
        return err_set(err, E_ARG, "no host is called '" STR_FMT "'", STR_ARG(pattern));
    clocks->at = at;
    clocks->nhosts = clocks->nhosts ? n : 0;
    src->hosts = hosts;
    src->nhosts = n;
    src->clocks = src->clocks ? clocks : NULL;
    return 0;
}

int serve_src(struct serve *s, const struct request *q, struct report_src *ret, struct err *err)
{
    struct str host = request_text(q, "host");
    int rc;

    *ret = s->src;
    ret->mem = q->mem;
    ret->vm = request_text(q, "vm");
    ret->request = request_text(q, "request");
    if (host.n && (rc = choose_hosts(q, host, ret, err)) < 0)
        return rc;
    if ((rc = request_time(q, "begin", s->all.t0, NS_MIN, &ret->span.t0, err)) < 0 ||
        (rc = request_time(q, "end", s->all.t0, NS_MAX, &ret->span.t1, err)) < 0)
        return rc;
    if (ret->span.t0 >= ret->span.t1)
        return err_set(err, E_ARG, "the time range ends before it begins");
    return 0;
}
