/* SPDX-License-Identifier: Apache-2.0
 *
 * disks.c -- see disks.h. */
#include "diagnose/disks.h"

#include <stdlib.h>

/* Kernels say these of what the device can't do, not of a fault: EAGAIN (of a request that must not
 * wait), EOPNOTSUPP, EREMOTEIO (of a command that it does not know). */
static bool is_fault(int64_t error)
{
    error = error < 0 ? -error : error;
    return error != 0 && error != 11 && error != 95 && error != 121;
}

static struct disk *disk_of(const struct diagnosis *d, uint32_t host, int64_t dev, size_t first,
                            struct disks *to)
{
    for (size_t i = first; i < to->at.n; i++)
        if (to->at.at[i].dev == dev)
            return &to->at.at[i];
    struct disk *disk = vec_push(&to->at);
    *disk = (struct disk){ .host = host,
                           .dev = dev,
                           .name = who_device(d->src, d->src->hosts[host], dev) };
    return disk;
}

static enum disk_op op_of(struct str text)
{
    return str_is(text, "read")    ? DISK_READ
           : str_is(text, "write") ? DISK_WRITE
           : str_is(text, "flush") ? DISK_FLUSH
                                   : DISK_DISCARD;
}

/* Times in which events of the host's kernel were lost, or none were traced, disjoint and by time.
 */
struct losses {
    VEC(struct span) at;
};

static void losses_add(const struct store *s, enum schema_table of, struct losses *to)
{
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[of].name, &t))
        return;
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r)))
        if (row[0] != STORE_NULL && row[1] != STORE_NULL)
            *vec_push(&to->at) = (struct span){ row[0], row[1] };
}

static void losses_read(const struct store *s, struct losses *to)
{
    losses_add(s, TABLE_gap, to);
    losses_add(s, TABLE_untraced, to);
    to->at.n = spans_join(to->at.at, to->at.n);
}

/* A request that was under way then may have ended long before the end that was seen. */
static bool losses_meet(const struct losses *l, ns_t t0, ns_t t1)
{
    size_t lo = 0, hi = l->at.n;

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (l->at.at[mid].t1 < t0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < l->at.n && l->at.at[lo].t0 <= t1;
}

void disks_read(const struct diagnosis *d, uint32_t host, struct disks *to)
{
    const struct store *s = d->src->hosts[host];
    ns_t end = src_kernel_end(d->src, host);
    size_t first = to->at.n;
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_block].name, &t))
        return;
    struct losses lost = { 0 };
    losses_read(s, &lost);
    struct store_rows r = store_rows(s, t, d->src->span);
    while ((row = store_rows_next(&r))) {
        const struct who_thread *th =
            row[C_block_tid] > 0 ? whos_at(d->w, host, row[C_block_tid], row[0]) : NULL;

        /* A part of a request: the row of the last part is of the whole time. */
        if (row[0] == STORE_NULL || str_is(store_text(s, row[C_block_status]), "part"))
            continue;
        struct disk_request q = { .t0 = row[0],
                                  .issued = row[C_block_issued],
                                  .t1 = row[1] == STORE_NULL ? end : row[1],
                                  .bytes = (uint32_t)row[C_block_bytes],
                                  .owner = th ? who_process(d->w, th)->owner : DISK_NOBODY,
                                  .op = (uint8_t)op_of(store_text(s, row[C_block_op])),
                                  .open = row[1] == STORE_NULL,
                                  .sequential = row[C_block_sequential] != 0,
                                  .is_kernel = th && th->is_kernel &&
                                               who_owner(d->w, th)->kind == WHO_PROCESS,
                                  .depth = (uint32_t)row[C_block_depth] };
        q.failed = q.op <= DISK_WRITE && is_fault(row[C_block_error]);
        if (q.t1 > q.t0 && !losses_meet(&lost, q.t0, q.t1))
            *vec_push(&disk_of(d, host, row[C_block_dev], first, to)->at) = q;
    }
    vec_free(&lost.at);
}

void disks_free(struct disks *to)
{
    for (size_t i = 0; i < to->at.n; i++)
        vec_free(&to->at.at[i].at);
    vec_free(&to->at);
}

uint32_t disk_class(const struct disk_request *r)
{
    uint32_t size = 0;

    for (uint32_t b = r->bytes; b > 4096 && size < 7; b /= 4)
        size++;
    return r->op * 8U + size;
}

double disk_weight(const struct disk_request *r)
{
    /* 128 KiB: as long as the fixed part, on spinning disks and on networks alike. */
    return 1 + (double)r->bytes / (128 << 10);
}
