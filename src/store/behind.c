/* SPDX-License-Identifier: Apache-2.0
 *
 * behind.c -- see behind.h. */
#include "store/behind.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 8, BUFFER = 8 << 10 /* words */ };

enum op { OP_SET, OP_REVISE, OP_RECORD, OP_ATTR, OP_TEXT };

/* An operation begins with a word: what, how many bytes or cells follow, and of which attribute or
 * table.  A family comes before the path of its attribute.  Everything is a multiple of a word. */
struct op_head {
    uint32_t id;
    uint32_t op : 4, n : 28;
};
_Static_assert(sizeof(struct op_head) == sizeof(cell_t), "a word");

struct behind {
    struct writer *w;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    uint64_t pushed, applied; /* buffers; under 'lock' */
    bool end;                 /* under 'lock'          */
    size_t used[BUFFERS];     /* of a buffer that was pushed: the reader's */
    size_t at;                /* in the buffer that is being filled        */
    cell_t *buffers[BUFFERS];
};

/* --- the other thread ----------------------------------------------------------------- */

static size_t words_of(size_t bytes)
{
    return (bytes + sizeof(cell_t) - 1) / sizeof(cell_t);
}

static void apply_one(struct writer *w, struct op_head h, const cell_t *p)
{
    const struct store_family *family;

    if (h.op == OP_SET) {
        w_set(w, h.id, p[0], p[1]);
    } else if (h.op == OP_REVISE) {
        w_revise(w, h.id, p[0]);
    } else if (h.op == OP_RECORD) {
        w_record(w, h.id, p);
    } else if (h.op == OP_TEXT) {
        w_add_text(w, (struct str){ (const char *)p, h.n });
    } else {
        memcpy(&family, p, sizeof family);
        w_add_attr(w, family, (struct str){ (const char *)(p + 1), h.n - sizeof *p });
    }
}

static void apply(struct writer *w, const cell_t *p, size_t n)
{
    struct op_head h;

    for (const cell_t *end = p + n; p < end;) {
        memcpy(&h, p, sizeof h);
        apply_one(w, h, ++p);
        p += h.op == OP_ATTR || h.op == OP_TEXT ? words_of(h.n) : h.n;
    }
}

static void *run(void *arg)
{
    struct behind *b = arg;

    pthread_mutex_lock(&b->lock);
    for (;;) {
        while (b->applied == b->pushed && !b->end)
            pthread_cond_wait(&b->more, &b->lock);
        if (b->applied == b->pushed)
            break;
        size_t i = b->applied % BUFFERS;
        pthread_mutex_unlock(&b->lock);
        apply(b->w, b->buffers[i], b->used[i]);
        pthread_mutex_lock(&b->lock);
        b->applied++;
        pthread_cond_signal(&b->less);
    }
    pthread_mutex_unlock(&b->lock);
    return NULL;
}

/* --- the calling side ----------------------------------------------------------------- */

/* Hands the buffer over and waits until there is another. */
static void push(struct behind *b)
{
    pthread_mutex_lock(&b->lock);
    b->used[b->pushed % BUFFERS] = b->at;
    b->pushed++;
    pthread_cond_signal(&b->more);
    while (b->pushed - b->applied == BUFFERS)
        pthread_cond_wait(&b->less, &b->lock);
    pthread_mutex_unlock(&b->lock);
    b->at = 0;
}

void behind_drain(struct behind *b)
{
    if (b->at)
        push(b);
    pthread_mutex_lock(&b->lock);
    while (b->applied < b->pushed)
        pthread_cond_wait(&b->less, &b->lock);
    pthread_mutex_unlock(&b->lock);
}

/* Room for an operation of so many words. */
static inline cell_t *room(struct behind *b, size_t words)
{
    if (b->at + words > BUFFER)
        push(b);
    cell_t *to = b->buffers[b->pushed % BUFFERS] + b->at;
    b->at += words;
    return to;
}

static inline cell_t *begin(struct behind *b, enum op op, uint32_t id, size_t n, size_t words)
{
    struct op_head h = { .id = id, .op = op, .n = n & 0xfffffff };
    cell_t *to = room(b, 1 + words);

    memcpy(to, &h, sizeof h);
    return to + 1;
}

void behind_set(struct behind *b, attr_t attr, ns_t t, cell_t value)
{
    cell_t *to = begin(b, OP_SET, attr, 2, 2);

    to[0] = t;
    to[1] = value;
}

void behind_revise(struct behind *b, attr_t attr, cell_t value)
{
    *begin(b, OP_REVISE, attr, 1, 1) = value;
}

void behind_record(struct behind *b, table_t table, const cell_t *cells, uint32_t n)
{
    assert(n < BUFFER);
    memcpy(begin(b, OP_RECORD, table, n, n), cells, n * sizeof *cells);
}

bool behind_attr(struct behind *b, const struct store_family *f, struct str path)
{
    size_t n = sizeof(cell_t) + path.n;

    if (1 + words_of(n) > BUFFER)
        return false;
    cell_t *to = begin(b, OP_ATTR, 0, n, words_of(n));
    memcpy(to, &f, sizeof f);
    memcpy(to + 1, path.p, path.n);
    return true;
}

bool behind_text(struct behind *b, struct str text)
{
    if (1 + words_of(text.n) > BUFFER)
        return false;
    if (text.n)
        memcpy(begin(b, OP_TEXT, 0, text.n, words_of(text.n)), text.p, text.n);
    else
        begin(b, OP_TEXT, 0, 0, 0);
    return true;
}

static void behind_free(struct behind *b)
{
    for (size_t i = 0; i < BUFFERS; i++)
        free(b->buffers[i]);
    pthread_mutex_destroy(&b->lock);
    pthread_cond_destroy(&b->more);
    pthread_cond_destroy(&b->less);
    free(b);
}

struct behind *behind_start(struct writer *w)
{
    struct behind *b = io_calloc(1, sizeof *b);
    bool ok = b != NULL;

    if (!ok)
        return NULL;
    b->w = w;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->more, NULL);
    pthread_cond_init(&b->less, NULL);
    for (size_t i = 0; i < BUFFERS; i++)
        ok &= (b->buffers[i] = io_alloc(BUFFER * sizeof(cell_t))) != NULL;
    if (!ok || pthread_create(&b->thread, NULL, run, b) != 0) {
        behind_free(b);
        return NULL;
    }
    return b;
}

void behind_end(struct behind *b)
{
    if (!b)
        return;
    behind_drain(b);
    pthread_mutex_lock(&b->lock);
    b->end = true;
    pthread_cond_signal(&b->more);
    pthread_mutex_unlock(&b->lock);
    pthread_join(b->thread, NULL);
    behind_free(b);
}
