/* SPDX-License-Identifier: Apache-2.0
 *
 * scan.c -- see scan.h. */
#include "ctf/scan.h"

#include "ctf/packet.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { SCAN_RECS = 512 };

/* Bytes of packets in one piece of work, at least. */
#define PIECE_BYTES (UINT64_C(1) << 20)

/* Packets [from, to) of a stream.  A packet that does not say when it begins goes
 * on with the clock of the one before, so that they stay together. */
struct piece {
    uint32_t stream;
    size_t from, to;
    ns_t first, last; /* times of its events */
    struct ctf_counts counts;
    struct notes notes;
};

struct job {
    struct ctf_trace *t;
    VEC(struct piece) pieces;
    atomic_size_t next;
    ctf_scan_fn fn;
};

struct worker {
    struct job *job;
    void *state;
    pthread_t thread;
};

static void cut(struct job *job, uint32_t stream)
{
    const struct ctf_stream *s = job->t->streams.at[stream];
    struct piece *p = NULL;
    uint64_t bytes = 0;

    for (size_t i = 0; i < s->packets.n; i++) {
        const struct ctf_packet *k = &s->packets.at[i];

        if (!p || (bytes >= PIECE_BYTES && k->has_ts_begin)) {
            p = vec_push(&job->pieces);
            *p = (struct piece){ .stream = stream, .from = i };
            bytes = 0;
        }
        bytes += k->packet_bits / 8;
        p->to = i + 1;
    }
}

/* Gives back the pages of a piece. */
static void release(const struct ctf_trace *t, const struct piece *p)
{
    const struct ctf_packet *k = t->streams.at[p->stream]->packets.at;
    const uint64_t page = 4096;

    for (size_t i = p->from; i < p->to; i++)
        ctf_file_release(&t->files.at[k[i].file], k[i].offset & ~(page - 1),
                         (k[i].offset + k[i].packet_bits / 8) & ~(page - 1));
}

static void read_piece(const struct job *job, struct piece *p, void *state, struct ctf_view *v,
                       struct ctf_rec *recs)
{
    struct ctf_cursor c;
    size_t n;

    ctf_cursor_init(&c, job->t, p->stream, &p->notes);
    ctf_cursor_range(&c, p->from, p->to);
    while ((n = ctf_cursor_fill(&c, recs, SCAN_RECS))) {
        if (c.counts.events == n)
            p->first = recs[0].t;
        p->last = recs[n - 1].t;
        job->fn(state, v, recs, n);
    }
    p->counts = c.counts;
    ctf_cursor_free(&c);
    release(job->t, p);
}

static void *work(void *arg)
{
    struct ctf_rec recs[SCAN_RECS];
    struct worker *w = arg;
    struct ctf_view v;
    size_t i;

    ctf_view_init(&v, w->job->t);
    while ((i = atomic_fetch_add(&w->job->next, 1)) < w->job->pieces.n)
        read_piece(w->job, &w->job->pieces.at[i], w->state, &v, recs);
    ctf_view_free(&v);
    return NULL;
}

/* What the pieces say together, in the order of the streams. */
static struct ctf_counts sum_up(const struct job *job, struct notes *notes)
{
    struct ctf_counts sum = { 0 };
    uint64_t backwards = 0; /* of the stream */
    ns_t last = NS_MIN;

    for (size_t i = 0; i < job->pieces.n; i++) {
        struct piece *p = &job->pieces.at[i];

        notes_move(notes, &p->notes);
        sum.events += p->counts.events;
        sum.bad_packets += p->counts.bad_packets;
        backwards += p->counts.backwards;
        if (p->counts.events) {
            backwards += p->first < last;
            last = p->last;
        }
        if (i + 1 < job->pieces.n && p[1].stream == p->stream)
            continue;
        ctf_note_backwards(job->t, job->t->streams.at[p->stream], backwards, notes);
        sum.backwards += backwards;
        backwards = 0;
        last = NS_MIN;
    }
    return sum;
}

struct ctf_counts ctf_scan(struct ctf_trace *t, unsigned threads, struct notes *notes,
                           ctf_scan_fn fn, void *const *states)
{
    struct job job = { .t = t, .fn = fn };
    struct worker *workers = xcalloc(threads, sizeof *workers);
    unsigned started = 1;

    assert(threads > 0);
    for (size_t i = 0; i < t->files.n; i++)
        ctf_file_begin(&t->files.at[i]);
    for (uint32_t i = 0; i < t->streams.n; i++)
        cut(&job, i);
    for (unsigned i = 0; i < threads; i++)
        workers[i] = (struct worker){ .job = &job, .state = states[i] };
    while (started < threads && started < job.pieces.n &&
           pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]); /* does it all if the system gives no thread */
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
    struct ctf_counts sum = sum_up(&job, notes);
    vec_free(&job.pieces);
    free(workers);
    return sum;
}
