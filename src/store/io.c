/* SPDX-License-Identifier: Apache-2.0
 *
 * io.c -- see io_priv.h. */
#define _GNU_SOURCE
#include "store/io_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct io_faults io_faults = { -1, -1, -1, false };

static bool fails(int64_t *left)
{
    if (*left < 0)
        return false;
    if (*left == 0)
        return true;
    --*left;
    return false;
}

int io_pread(int fd, void *out, size_t n, uint64_t at, struct err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t got = fails(&io_faults.reads)
                          ? (errno = EIO, -1)
                          : pread(fd, (char *)out + done, n - done, (off_t)(at + done));

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_set(err, E_IO, "byte %llu can't be read: %s",
                           (unsigned long long)(at + done), strerror(errno));
        if (got == 0)
            return err_set(err, E_CORRUPT, "the file ends at byte %llu, in the middle of something",
                           (unsigned long long)(at + done));
        done += (size_t)got;
    }
    return 0;
}

int io_pwrite(int fd, const void *p, size_t n, uint64_t at, struct err *err)
{
    for (size_t done = 0; done < n;) {
        ssize_t put = fails(&io_faults.writes)
                          ? (errno = ENOSPC, -1)
                          : pwrite(fd, (const char *)p + done, n - done, (off_t)(at + done));

        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return err_set(err, E_IO, "byte %llu can't be written: %s",
                           (unsigned long long)(at + done), strerror(put < 0 ? errno : ENOSPC));
        done += (size_t)put;
    }
    return 0;
}

void *io_realloc(void *p, size_t n)
{
    return fails(&io_faults.allocs) ? NULL : realloc(p, n ? n : 1);
}

void *io_calloc(size_t n, size_t size)
{
    return fails(&io_faults.allocs) ? NULL : calloc(n ? n : 1, size);
}

void *io_huge(void)
{
    void *p = fails(&io_faults.allocs) ? NULL : aligned_alloc(IO_HUGE, IO_HUGE);

    if (p)
        madvise(p, IO_HUGE, MADV_HUGEPAGE);
    return p;
}

bool io_grow(void *at, size_t *cap, size_t need, size_t size)
{
    size_t want = *cap ? *cap + *cap / 2 : 8;
    void *old;

    want = want < need ? need : want;
    memcpy(&old, at, sizeof old);
    if (want > SIZE_MAX / size)
        return false;
    void *p = io_realloc(old, want * size);
    if (!p)
        return false;
    memcpy(at, &p, sizeof p);
    *cap = want;
    return true;
}

int io_no_memory(struct err *err)
{
    return err_set(err, E_LIMIT, "there is no memory left");
}
