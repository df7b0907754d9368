/* SPDX-License-Identifier: Apache-2.0
 *
 * ahead.c -- see ahead.h.
 *
 * One lock guards the states of all leaves; whoever has set a leaf to LEAF_FILLING
 * owns its cursor until it is ready.  What a cursor notes is kept with the events and
 * handed on when they are taken, so that notes too come in one order always. */
#include "ctf/ahead.h"

#include <pthread.h>
#include <stdlib.h>

TAILQ_HEAD(leaf_queue, merge_leaf);

struct merge_helpers {
    pthread_mutex_t lock;
    pthread_cond_t work;  /* the queue is not empty, or 'stop' */
    pthread_cond_t ready; /* a leaf has become ready           */
    struct leaf_queue queue;
    struct merge_leaf *leaves;
    uint32_t nleaves;
    pthread_t *threads;
    unsigned nthreads;
    bool stop;
};

void leaf_init(struct merge_leaf *l, struct ctf_trace *t, uint32_t stream, size_t cap)
{
    *l = (struct merge_leaf){ .cap = cap };
    ctf_cursor_init(&l->cursor, t, stream, NULL);
}

void leaf_free(struct merge_leaf *l)
{
    ctf_cursor_free(&l->cursor);
    for (size_t i = 0; i < ARRAY_SIZE(l->bufs); i++) {
        free(l->bufs[i].recs);
        notes_free(&l->bufs[i].notes);
    }
}

static void fill(struct merge_leaf *l, int number)
{
    struct leaf_buf *b = &l->bufs[number];

    if (!b->recs)
        b->recs = xcalloc(l->cap + 1, sizeof *b->recs); /* one is never filled: see merge.c */
    b->n = 0;
    l->filled = number;
    l->cursor.notes = &b->notes;
    if (l->has_first)
        b->recs[b->n++] = l->first;
    l->has_first = false;
    if (!l->ended)
        b->n += ctf_cursor_fill(&l->cursor, b->recs + b->n, l->cap - b->n);
    b->counts = l->cursor.counts;
    if (b->n == 0 && !l->ended) {
        l->ended = true;
        ctf_note_backwards(l->cursor.trace, l->cursor.stream, b->counts.backwards, &b->notes);
    }
}

static void queue(struct merge_helpers *h, struct merge_leaf *l)
{
    l->state = LEAF_QUEUED;
    TAILQ_INSERT_TAIL(&h->queue, l, queue);
    pthread_cond_signal(&h->work);
}

/* Waits for the leaf, or fills it when nobody has begun; asks for the next. */
static void take_ahead(struct merge_leaf *l, struct merge_helpers *h)
{
    pthread_mutex_lock(&h->lock);
    while (l->state == LEAF_FILLING)
        pthread_cond_wait(&h->ready, &h->lock);
    if (l->state != LEAF_READY) {
        if (l->state == LEAF_QUEUED)
            TAILQ_REMOVE(&h->queue, l, queue);
        l->state = LEAF_FILLING;
        pthread_mutex_unlock(&h->lock);
        fill(l, !l->filled);
        pthread_mutex_lock(&h->lock);
    }
    l->state = LEAF_IDLE;
    pthread_mutex_unlock(&h->lock);
}

size_t leaf_take(struct merge_leaf *l, struct merge_helpers *h, struct notes *notes,
                 const struct ctf_rec **ret)
{
    if (h)
        take_ahead(l, h);
    else
        fill(l, 0);
    struct leaf_buf *b = &l->bufs[l->filled];
    notes_move(notes, &b->notes);
    l->counts = b->counts;
    *ret = b->recs;
    if (h && b->n) {
        pthread_mutex_lock(&h->lock);
        queue(h, l);
        pthread_mutex_unlock(&h->lock);
    }
    return b->n;
}

void leaf_seek(struct merge_leaf *l, ns_t t)
{
    struct leaf_buf *b = &l->bufs[l->filled];

    l->cursor.notes = &b->notes;
    l->ended = false;
    l->has_first = ctf_cursor_seek(&l->cursor, t);
    if (l->has_first)
        l->first = ctf_cursor_rec(&l->cursor);
}

static void *help(void *arg)
{
    struct merge_helpers *h = arg;

    pthread_mutex_lock(&h->lock);
    for (;;) {
        while (!h->stop && TAILQ_EMPTY(&h->queue))
            pthread_cond_wait(&h->work, &h->lock);
        if (h->stop)
            break;
        struct merge_leaf *l = TAILQ_FIRST(&h->queue);
        TAILQ_REMOVE(&h->queue, l, queue);
        l->state = LEAF_FILLING;
        pthread_mutex_unlock(&h->lock);
        fill(l, !l->filled);
        pthread_mutex_lock(&h->lock);
        l->state = LEAF_READY;
        pthread_cond_broadcast(&h->ready);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

struct merge_helpers *helpers_start(unsigned n, struct merge_leaf *leaves, uint32_t nleaves)
{
    struct merge_helpers *h = xcalloc(1, sizeof *h);

    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->work, NULL);
    pthread_cond_init(&h->ready, NULL);
    TAILQ_INIT(&h->queue);
    h->leaves = leaves;
    h->nleaves = nleaves;
    h->threads = xcalloc(n, sizeof *h->threads);
    helpers_resume(h);
    while (h->nthreads < n && pthread_create(&h->threads[h->nthreads], NULL, help, h) == 0)
        h->nthreads++;
    return h;
}

void helpers_stop(struct merge_helpers *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_cond_broadcast(&h->work);
    pthread_mutex_unlock(&h->lock);
    for (unsigned i = 0; i < h->nthreads; i++)
        pthread_join(h->threads[i], NULL);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->work);
    pthread_cond_destroy(&h->ready);
    free(h->threads);
    free(h);
}

void helpers_pause(struct merge_helpers *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    for (uint32_t i = 0; i < h->nleaves; i++) {
        struct merge_leaf *l = &h->leaves[i];

        while (l->state == LEAF_FILLING)
            pthread_cond_wait(&h->ready, &h->lock);
        if (l->state == LEAF_QUEUED)
            TAILQ_REMOVE(&h->queue, l, queue);
        l->state = LEAF_IDLE;
    }
    pthread_mutex_unlock(&h->lock);
}

void helpers_resume(struct merge_helpers *h)
{
    if (!h)
        return;
    pthread_mutex_lock(&h->lock);
    for (uint32_t i = 0; i < h->nleaves; i++)
        queue(h, &h->leaves[i]);
    pthread_mutex_unlock(&h->lock);
}
