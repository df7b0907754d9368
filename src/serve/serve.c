/* SPDX-License-Identifier: Apache-2.0
 *
 * serve.c -- the server from beginning to end; see serve.h. */
#define _GNU_SOURCE
#include "serve/serve_priv.h"
#include "serve/rows.h"
#include "serve/tsp.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

static void *load(void *arg)
{
    struct serve *s = arg;
    struct err err = { 0 };

    serve_step(s, "opening the traces", "", 0, 0, 0);
    int rc = s->source->load(s->source->ctx, s, &err);
    pthread_mutex_lock(&s->lock);
    if (rc < 0 && !s->stop) {
        s->progress.state = s->cancel ? SERVE_CANCELLED : SERVE_FAILED;
        s->load_err = err;
        s->progress.version++;
    }
    pthread_mutex_unlock(&s->lock);
    s->wake(s);
    return NULL;
}

void load_begin(struct serve *s)
{
    if (pthread_create(&s->loader, NULL, load, s) != 0)
        abort();
}

bool load_end(struct serve *s)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&s->lock);
    s->stop = true;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return pthread_timedjoin_np(s->loader, NULL, &until) == 0;
}

struct serve *serve_new(const struct serve_opts *o, const struct serve_source *source)
{
    struct serve *s = xcalloc(1, sizeof *s);

    s->o = o;
    s->source = source;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->whos_once, NULL);
    pthread_mutex_init(&s->diagnosis_once, NULL);
    pthread_mutex_init(&s->calls_once, NULL);
    pthread_mutex_init(&s->events_lock, NULL);
    pthread_mutex_init(&s->doctor_lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->scopes = scopes_new();
    s->tsp = tsp_new(s);
    return s;
}

void serve_free(struct serve *s)
{
    if (s->has_diagnosis)
        diagnosis_free(&s->diagnosis);
    if (s->has_whos)
        whos_free(&s->whos);
    arena_free(&s->diagnosis_mem);
    arena_free(&s->whos_mem);
    vec_free(&s->calls.list);
    arena_free(&s->calls.mem);
    scopes_free(s->scopes);
    tsp_free(s->tsp);
    free(s);
}

int serve_run(const struct serve_opts *o, const struct serve_source *source,
              void (*say)(const char *sentence), bool *ret_busy, struct err *err)
{
    struct serve *s = serve_new(o, source);
    sigset_t signals;

    sigemptyset(&signals); /* all threads leave them to this one */
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    int rc = http_run(s, say, ret_busy, err);
    if (rc == 0 && s->progress.state == SERVE_FAILED) {
        *err = s->load_err;
        rc = -(int)err->code;
    }
    if (!*ret_busy)
        serve_free(s);
    return rc;
}
