/* SPDX-License-Identifier: Apache-2.0
 *
 * io_priv.h -- all that can fail under a history: reads, writes, memory.
 *
 * A history fails as a whole, with a sentence, instead of ending the program:
 * so its memory comes from here, not from the x* functions.  Tests make the
 * n-th call of a kind fail. */
#ifndef STORE_IO_PRIV_H
#define STORE_IO_PRIV_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* For tests: calls of each kind until one fails, and all after it; negative: never. */
extern struct io_faults {
    int64_t reads, writes, allocs;
    bool any_sum; /* checksums of blocks are not compared */
} io_faults;

/* Reads all of 'n' bytes or fails. */
int io_pread(int fd, void *out, size_t n, uint64_t at, struct err *err);
int io_pwrite(int fd, const void *p, size_t n, uint64_t at, struct err *err);

/* Like realloc(): NULL, and 'p' still valid, when there is no memory. */
void *io_realloc(void *p, size_t n);
static inline void *io_alloc(size_t n)
{
    return io_realloc(NULL, n);
}
void *io_calloc(size_t n, size_t size);
/* IO_HUGE bytes that the system may keep in one large page, for free(). */
enum { IO_HUGE = 2 << 20 };
void *io_huge(void);
/* Makes room for 'need' elements of 'size' bytes in '*at'; false without memory. */
bool io_grow(void *at, size_t *cap, size_t need, size_t size);

#define io_reserve(v, need) \
    ((need) <= (v)->cap || io_grow(&(v)->at, &(v)->cap, (need), sizeof *(v)->at))
#define io_free(v) (free((v)->at), (void)((v)->at = NULL, (v)->n = (v)->cap = 0))

/* The sentence for 'no memory'; returns -E_LIMIT. */
int io_no_memory(struct err *err);

#endif
