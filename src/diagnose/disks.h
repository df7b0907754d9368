/* SPDX-License-Identifier: Apache-2.0
 *
 * disks.h -- the block requests of a host by device, for rules about disks. */
#ifndef DIAGNOSE_DISKS_H
#define DIAGNOSE_DISKS_H

#include "diagnose/finding.h"

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD };
#define DISK_NOBODY UINT32_MAX

struct disk_request {
    ns_t t0, issued, t1;   /* queued, given to the device, completed; issued may be STORE_NULL */
    uint32_t bytes, depth; /* depth: requests before it */
    uint32_t owner;        /* position in whos.owners, or DISK_NOBODY */
    uint8_t op;            /* enum disk_op */
    bool open;             /* not completed: t1 is the end of the trace */
    bool sequential;
    bool is_kernel; /* queued by a kernel thread that works for nobody in particular */
    bool failed;    /* reads and writes only, and not for what the device can't do */
};

struct disk {
    uint32_t host;
    int64_t dev;
    struct str name;
    VEC(struct disk_request) at; /* by t0 */
};
struct disks {
    VEC(struct disk) at;
};

/* Adds the devices of a host.  Free with disks_free(). */
void disks_read(const struct diagnosis *d, uint32_t host, struct disks *to);
void disks_free(struct disks *to);

/* Requests that may be compared: alike in kind and, by a factor of four, in size. */
enum { DISK_CLASSES = 4 * 8 };
uint32_t disk_class(const struct disk_request *r);
/* What a request costs a device, in small requests: a part for each, and one for each byte. */
double disk_weight(const struct disk_request *r);

#endif
