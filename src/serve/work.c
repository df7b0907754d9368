/* SPDX-License-Identifier: Apache-2.0
 *
 * work.c -- threads that answer, and answers that are kept.
 *
 * Two kinds of questions have threads of their own: a strip, which takes milliseconds, never waits
 * behind a report, which takes seconds.  There are few threads for reports, since each may need
 * much memory.  What waits is limited; the sockets' thread (http.c) answers the rest with 503. */
#define _GNU_SOURCE
#include "serve/content.h"
#include "serve/work_priv.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { QUEUE_MOST = 1024, THREADS_MOST = 16, KEPT_MOST = 512 };
#define KEPT_BYTES (48u << 20)

struct queue {
    struct job *first, **last;
    size_t n;
    pthread_cond_t some;
};

struct work {
    struct serve *s;
    pthread_mutex_t lock;
    pthread_cond_t ended;
    struct queue fast, slow;
    pthread_t threads[2 * THREADS_MOST];
    size_t nthreads, running;
    bool end;

    pthread_mutex_t kept_lock;
    struct kept *kept[KEPT_MOST];
    size_t nkept, bytes;
    uint64_t clock;
};

struct crew {
    struct work *w;
    struct queue *queue;
};

/* --- answers that are kept ----------------------------------------------------------------- */

void kept_release(struct kept *k)
{
    if (atomic_fetch_sub(&k->users, 1) > 1)
        return;
    sbuf_free(&k->body);
    free(k->key.p);
    free(k);
}

struct kept *work_kept(struct work *w, struct str key)
{
    struct kept *found = NULL;

    pthread_mutex_lock(&w->kept_lock);
    for (size_t i = 0; i < w->nkept && !found; i++)
        if (str_eq(sbuf_view(&w->kept[i]->key), key))
            found = w->kept[i];
    if (found) {
        found->used = ++w->clock;
        atomic_fetch_add(&found->users, 1);
    }
    pthread_mutex_unlock(&w->kept_lock);
    return found;
}

/* Makes room for 'bytes' more. */
static void make_room(struct work *w, size_t bytes)
{
    while (w->nkept == KEPT_MOST || (w->nkept && w->bytes + bytes > KEPT_BYTES)) {
        size_t oldest = 0;

        for (size_t i = 1; i < w->nkept; i++)
            if (w->kept[i]->used < w->kept[oldest]->used)
                oldest = i;
        w->bytes -= w->kept[oldest]->body.n;
        kept_release(w->kept[oldest]);
        w->kept[oldest] = w->kept[--w->nkept];
    }
}

/* Takes the reply's body. */
static void keep_answer(struct work *w, struct job *j)
{
    struct kept *k = xcalloc(1, sizeof *k);

    sbuf_str(&k->key, j->key);
    k->body = j->reply.body;
    k->type = j->reply.type;
    k->gzip = j->reply.gzip;
    k->hash = hash_bytes(k->body.p ? k->body.p : "", k->body.n, 1);
    k->users = 1; /* the job */
    j->reply.body = (struct sbuf){ 0 };
    j->kept = k;
    if (k->body.n > KEPT_BYTES / 4)
        return;
    pthread_mutex_lock(&w->kept_lock);
    make_room(w, k->body.n);
    k->used = ++w->clock;
    k->users++;
    w->bytes += k->body.n;
    w->kept[w->nkept++] = k;
    pthread_mutex_unlock(&w->kept_lock);
}

/* --- threads ------------------------------------------------------------------------------- */

static ns_t now_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (ns_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void answer(struct work *w, struct job *j)
{
    ns_t begin = now_ns(CLOCK_MONOTONIC), used = now_ns(CLOCK_THREAD_CPUTIME_ID);

    if (j->key.n)
        j->kept = work_kept(w, j->key); /* somebody else has asked meanwhile */
    if (!j->kept) {
        route_answer(w->s, j->route, &j->q, &j->reply);
        if (j->gzip)
            content_compress(&j->reply);
        j->reply.took_ns = now_ns(CLOCK_MONOTONIC) - begin;
        j->reply.cpu_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - used;
        if (j->key.n && j->reply.status == 200 && !j->reply.passing)
            keep_answer(w, j);
    }
    j->done(j);
}

static struct job *take(struct queue *q)
{
    struct job *j = q->first;

    q->first = j->next;
    if (!q->first)
        q->last = &q->first;
    q->n--;
    return j;
}

static void *run(void *arg)
{
    struct crew *c = arg;
    struct work *w = c->w;

    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!c->queue->first && !w->end)
            pthread_cond_wait(&c->queue->some, &w->lock);
        if (!c->queue->first)
            break;
        struct job *j = take(c->queue);
        bool end = w->end;
        pthread_mutex_unlock(&w->lock);
        if (end) {
            reply_fail(&j->reply, 503, "the server ends");
            j->done(j);
        } else {
            answer(w, j);
        }
        pthread_mutex_lock(&w->lock);
    }
    w->running--;
    pthread_cond_signal(&w->ended);
    pthread_mutex_unlock(&w->lock);
    free(c);
    return NULL;
}

static void hire(struct work *w, struct queue *q, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct crew *c = xmalloc(sizeof *c);

        *c = (struct crew){ w, q };
        pthread_mutex_lock(&w->lock);
        if (pthread_create(&w->threads[w->nthreads], NULL, run, c) == 0) {
            w->nthreads++;
            w->running++;
        } else {
            free(c);
        }
        pthread_mutex_unlock(&w->lock);
    }
}

struct work *work_new(struct serve *s)
{
    struct work *w = xcalloc(1, sizeof *w);
    cpu_set_t set;
    size_t cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 2;

    w->s = s;
    pthread_mutex_init(&w->lock, NULL);
    pthread_mutex_init(&w->kept_lock, NULL);
    pthread_cond_init(&w->ended, NULL);
    pthread_cond_init(&w->fast.some, NULL);
    pthread_cond_init(&w->slow.some, NULL);
    w->fast.last = &w->fast.first;
    w->slow.last = &w->slow.first;
    cpus = cpus < 2 ? 2 : cpus > THREADS_MOST ? THREADS_MOST : cpus;
    hire(w, &w->fast, cpus);
    hire(w, &w->slow, cpus < 4 ? 2 : cpus / 2); /* one that searches for long stops nobody */
    return w;
}

bool work_push(struct work *w, struct job *j)
{
    struct queue *q = j->route->flags & ROUTE_SLOW ? &w->slow : &w->fast;

    pthread_mutex_lock(&w->lock);
    bool fits = q->n < QUEUE_MOST && !w->end && w->running > 0;
    if (fits) {
        j->next = NULL;
        *q->last = j;
        q->last = &j->next;
        q->n++;
        pthread_cond_signal(&q->some);
    }
    pthread_mutex_unlock(&w->lock);
    return fits;
}

bool work_end(struct work *w)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    pthread_mutex_lock(&w->lock);
    w->end = true;
    pthread_cond_broadcast(&w->fast.some);
    pthread_cond_broadcast(&w->slow.some);
    while (w->running > 0 && pthread_cond_timedwait(&w->ended, &w->lock, &until) == 0)
        ;
    bool ended = w->running == 0;
    pthread_mutex_unlock(&w->lock);
    if (!ended)
        return false;
    for (size_t i = 0; i < w->nthreads; i++)
        pthread_join(w->threads[i], NULL);
    return true;
}

void work_free(struct work *w)
{
    while (w->nkept)
        kept_release(w->kept[--w->nkept]);
    free(w);
}
