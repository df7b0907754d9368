/* SPDX-License-Identifier: Apache-2.0
 *
 * critical_rows.h -- records of a host around an instant, found by thread.
 *
 * A walk goes backward in time and asks at each step for some record of some thread.  The
 * records of a stretch of time are read together, sorted by thread, and kept until the walk
 * has left it: each record is read about once, and memory is that of a stretch. */
#ifndef REPORT_CRITICAL_ROWS_H
#define REPORT_CRITICAL_ROWS_H

#include "model/schema.h"
#include "store/store.h"

struct crit_row {
    int64_t tid;
    ns_t t0, t1;          /* of a wait that goes on at the end STORE_NULL, of a call NS_MAX */
    int64_t kind, by, nr; /* of a wait: kind, by, why; of an interrupt: kind, -, nr */
    int64_t cpu;          /* of a wait */
    cell_t name;
};

struct crit_row_vec {
    struct crit_row *at;
    size_t n, cap;
};

struct crit_rows {
    const struct store *s;
    struct span here;                             /* what was read */
    ns_t stretch;                                 /* to be read next time */
    struct crit_row_vec waits, ends, calls, irqs; /* ends: the waits, by their ends */
};

void crit_rows_init(struct crit_rows *r, const struct store *s);
void crit_rows_free(struct crit_rows *r);
/* The wait for a CPU that begins at 't' because the thread was woken, or NULL. */
const struct crit_row *crit_woken(struct crit_rows *r, int64_t tid, ns_t t);
/* The wait that ends at 't'. */
const struct crit_row *crit_wait_end(struct crit_rows *r, int64_t tid, ns_t t);
/* The system call, and the innermost interrupt of this kind, in which the thread is just
 * before 't'. */
const struct crit_row *crit_call(struct crit_rows *r, int64_t tid, ns_t t);
const struct crit_row *crit_irq(struct crit_rows *r, int64_t tid, ns_t t, bool soft);
/* When the last interrupt of this kind that was over before 't' ended; NS_MIN = none is known. */
ns_t crit_irq_before(struct crit_rows *r, int64_t tid, ns_t t, bool soft);

#endif
