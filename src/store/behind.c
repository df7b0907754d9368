/* SPDX-License-Identifier: Apache-2.0
 *
 * behind.c -- see behind.h. */
#include "store/behind.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { BUFFERS = 8, BUFFER = 64 << 10, COLUMNS = 64 };

enum op { OP_SET, OP_REVISE, OP_RECORD, OP_ATTR, OP_TEXT };

/* What an operation begins with; 'n' bytes or cells follow. */
struct op_head {
    uint32_t op, n;
    uint64_t id; /* attribute, table */
    const struct store_family *family;
};

struct behind {
    struct writer *w;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more, less;
    uint64_t pushed, applied; /* buffers; under 'lock' */
    bool end;                 /* under 'lock'          */
    size_t used[BUFFERS];     /* of a buffer that was pushed: the reader's */
    size_t at;                /* in the buffer that is being filled        */
    uint8_t *buffers[BUFFERS];
};

/* --- the other thread ----------------------------------------------------------------- */

static void apply(struct writer *w, const uint8_t *p, size_t n)
{
    cell_t cells[COLUMNS];
    struct op_head h;

    for (const uint8_t *end = p + n; p < end;) {
        memcpy(&h, p, sizeof h);
        p += sizeof h;
        size_t bytes = h.op == OP_ATTR || h.op == OP_TEXT ? h.n : h.n * sizeof *cells;
        if (h.op != OP_ATTR && h.op != OP_TEXT)
            memcpy(cells, p, bytes);
        if (h.op == OP_SET)
            w_set(w, (attr_t)h.id, cells[0], cells[1]);
        else if (h.op == OP_REVISE)
            w_revise(w, (attr_t)h.id, cells[0]);
        else if (h.op == OP_RECORD)
            w_record(w, (table_t)h.id, cells);
        else if (h.op == OP_ATTR)
            w_add_attr(w, h.family, (struct str){ (const char *)p, h.n });
        else
            w_add_text(w, (struct str){ (const char *)p, h.n });
        p += bytes;
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

static void put(struct behind *b, const struct op_head *h, const void *more, size_t n)
{
    if (b->at + sizeof *h + n > BUFFER)
        push(b);
    uint8_t *to = b->buffers[b->pushed % BUFFERS] + b->at;
    memcpy(to, h, sizeof *h);
    memcpy(to + sizeof *h, more, n);
    b->at += sizeof *h + n;
}

void behind_set(struct behind *b, attr_t attr, ns_t t, cell_t value)
{
    cell_t cells[] = { t, value };

    put(b, &(struct op_head){ OP_SET, 2, attr, NULL }, cells, sizeof cells);
}

void behind_revise(struct behind *b, attr_t attr, cell_t value)
{
    put(b, &(struct op_head){ OP_REVISE, 1, attr, NULL }, &value, sizeof value);
}

void behind_record(struct behind *b, table_t table, const cell_t *cells, uint32_t n)
{
    assert(n <= COLUMNS);
    put(b, &(struct op_head){ OP_RECORD, n, table, NULL }, cells, n * sizeof *cells);
}

static bool put_text(struct behind *b, enum op op, const struct store_family *f, struct str text)
{
    if (sizeof(struct op_head) + text.n > BUFFER)
        return false;
    put(b, &(struct op_head){ op, (uint32_t)text.n, 0, f }, text.p, text.n);
    return true;
}

bool behind_attr(struct behind *b, const struct store_family *f, struct str path)
{
    return put_text(b, OP_ATTR, f, path);
}

bool behind_text(struct behind *b, struct str text)
{
    return put_text(b, OP_TEXT, NULL, text);
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
        ok &= (b->buffers[i] = io_alloc(BUFFER)) != NULL;
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
