/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_dump.c -- what LTTng tells of threads that were there before the trace.
 *
 * The dump is written by a thread while everything else goes on: an entry says nothing of a
 * thread that was seen before, but its names and kin.  Numbers are those of
 * lttng-modules' src/lttng-statedump-impl.c, the same from 2.0 to 2.14. */
#include "analysis/kernel.h"

enum { TYPE_KERNEL = 1, STATUS_WAIT = 5 };

void kernel_dump_process(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_dump_process *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    (void)c;
    if (!th)
        return;
    th->how = th->how == THREAD_SEEN ? THREAD_DUMPED : th->how;
    th->pid = (int32_t)ev->pid;
    th->ppid = (int32_t)ev->ppid;
    if (ev->vtid > 0) {
        th->vtid = (int32_t)ev->vtid;
        th->vpid = (int32_t)ev->vpid;
    }
    th->is_kernel = ev->type == TYPE_KERNEL;
    kernel_name(th, ev->name);
    if (ev->table && ev->pid > 0)
        map64_set(&k->tables, (uint64_t)ev->table, (uint32_t)ev->pid);
    if (th->is_kernel == 1 && th->mode == TS_RUNNING)
        th->mode = TS_KERNEL;
    if (ev->status == STATUS_WAIT && th->state == TS_UNKNOWN && !th->cpu)
        kernel_set(k, th, h->t, TS_BLOCKED_OTHER);
}

void kernel_dump_ns(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_dump_pid_ns *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    (void)c;
    if (!th)
        return;
    th->ns = ev->ns;
    if (ev->vtid > 0 && (ev->level > 0 || th->vtid < 0)) { /* the innermost one counts */
        th->vtid = (int32_t)ev->vtid;
        th->vpid = (int32_t)ev->vpid;
    }
}
