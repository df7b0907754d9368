/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_ring.h -- the events of one CPU's ring buffer, page by page.
 *
 * A page has a time, the number of its bytes in use, whether events were lost before
 * it, and events of a word (kind or length, time since the one before) and their
 * bytes: kernel/trace/ring_buffer.c. */
#ifndef INPUT_FTRACE_RING_H
#define INPUT_FTRACE_RING_H

#include "input/ftrace_file.h"

/* Where compressed pages are. */
struct ftrace_chunk {
    uint64_t offset;
    uint32_t packed, bytes;
};

/* Events that were lost before the page of time 't1'; events 0: nobody knows how many. */
struct ftrace_lost {
    ns_t t0, t1;
    uint64_t events;
};

struct ftrace_ring {
    const struct ftrace_file *f;
    const struct ftrace_source *source;
    VEC(struct ftrace_chunk) chunks; /* one, not packed, if the file is not compressed */
    VEC(struct ftrace_lost) lost;
    uint8_t *unpacked; /* of chunk 'chunk - 1' */
    size_t unpacked_size;
    const uint8_t *pages; /* the chunk's */
    uint64_t bytes, next; /* in 'pages'; the next page in it */
    size_t chunk;         /* the next one */
    const uint8_t *page;
    uint32_t at, end; /* the next event, in 'page' */
    uint64_t stamp;   /* as stored */
    ns_t from;        /* events before are passed over */
    /* The current event. */
    ns_t t;
    const uint8_t *data;
    uint32_t n;
    /* Since the beginning. */
    uint64_t events, pages_read, bad_pages, backwards;
    bool has_time;
};

void ftrace_ring_init(struct ftrace_ring *r, const struct ftrace_file *f,
                      const struct ftrace_source *source);
void ftrace_ring_free(struct ftrace_ring *r);
/* Begins again, at the first event at or after 'from'. */
void ftrace_ring_rewind(struct ftrace_ring *r, ns_t from);
/* Moves to the next event. */
bool ftrace_ring_next(struct ftrace_ring *r);

#endif
