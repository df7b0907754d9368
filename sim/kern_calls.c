/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_calls.c -- system calls as programs make them, and memory. */
#include "sim/kern_priv.h"

#include <stdlib.h>

/* One pollfd: fd, requested or returned events as bits, and those taken apart. */
static const uint8_t one_pollfd[7] = { 7, 0, 0, 0, 1, 0, 1 };
/* One epoll_event: the data as number and as fd, events as bits, taken apart. */
static const uint8_t one_epoll[17] = { 9, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1, 0, 0, 0, 1 };

static struct ctfw_val raw(const uint8_t *p, size_t n)
{
    return (struct ctfw_val){ .p = p, .n = n };
}

/* A place in the thread's memory. */
static uint64_t user_address(const struct ktask *t)
{
    return UINT64_C(0x7f0000000000) + (uint64_t)t->tid * 0x10000;
}

enum { VALS_MAX = 7 };

static void entry_values(const struct ktask *t, enum sys sys, uint64_t arg,
                         struct ctfw_val v[static VALS_MAX])
{
    uint64_t at = user_address(t), fd = 3 + arg % 29;
    const char *file = t->proc->file;

    for (int i = 0; i < VALS_MAX; i++)
        v[i] = ctfw_u(0);
    switch ((int)sys) {
    case SYS_READ: v[0] = ctfw_u(fd), v[1] = ctfw_u(arg); break;
    case SYS_WRITE: v[0] = ctfw_u(fd), v[1] = ctfw_u(at), v[2] = ctfw_u(arg); break;
    case SYS_PREAD64: v[0] = ctfw_u(fd), v[1] = ctfw_u(arg); break;
    case SYS_PWRITE64: v[0] = ctfw_u(fd), v[1] = ctfw_u(at), v[2] = ctfw_u(arg); break;
    case SYS_FDATASYNC:
    case SYS_CLOSE: v[0] = ctfw_u(fd); break;
    case SYS_FUTEX: v[0] = ctfw_u(at + 0x40), v[1] = ctfw_i((int64_t)arg), v[2] = ctfw_u(2); break;
    case SYS_NANOSLEEP: v[0] = ctfw_i(1), v[2] = ctfw_u(at); break;
    case SYS_PPOLL:
        v[0] = ctfw_u(at), v[2] = ctfw_u(8), v[3] = ctfw_u(1), v[4] = ctfw_u(1);
        v[6] = raw(one_pollfd, sizeof one_pollfd);
        break;
    case SYS_EPOLL_WAIT: v[0] = ctfw_i(5), v[1] = ctfw_i(64), v[2] = ctfw_i(-1); break;
    case SYS_IOCTL:
        v[0] = ctfw_u(t->vcpu ? 20 + t->vcpu->id : 12);
        v[1] = ctfw_u(arg);
        break;
    case SYS_SENDMSG:
    case SYS_RECVMSG: v[0] = ctfw_u(fd), v[1] = ctfw_u(at); break;
    case SYS_MMAP:
        v[1] = ctfw_u(arg), v[2] = ctfw_i(3), v[3] = ctfw_i(34), v[4] = ctfw_i(-1);
        break;
    case SYS_MUNMAP: v[0] = ctfw_u(at), v[1] = ctfw_u(arg); break;
    case SYS_BRK: v[0] = ctfw_u(at + arg); break;
    case SYS_OPENAT: v[0] = ctfw_i(-100), v[1] = kern_z(file), v[2] = ctfw_i(0x80000); break;
    case SYS_CLONE: v[0] = ctfw_u(arg), v[1] = ctfw_u(0); break;
    case SYS_EXECVE: v[0] = kern_z(t->proc->program), v[1] = v[2] = ctfw_u(at); break;
    case SYS_WAIT4: v[0] = ctfw_i(-1); break;
    default: break; /* exit, exit_group: the code 0 */
    }
}

void sys_enter(struct kern *k, struct kcpu *c, struct ktask *t, enum sys sys, uint64_t arg)
{
    struct ctfw_val v[VALS_MAX];

    entry_values(t, sys, arg, v);
    ns_t ts = kern_emit_sys(k, c, sys, true, v);

    t->mode = MODE_KERNEL;
    account_call(t, true, sys, ts);
}

void sys_exit(struct kern *k, struct kcpu *c, struct ktask *t, enum sys sys, int64_t ret)
{
    struct ctfw_val v[VALS_MAX] = { ctfw_i(ret) };
    uint64_t at = user_address(t);

    switch ((int)sys) {
    case SYS_READ:
    case SYS_PREAD64:
    case SYS_FUTEX:
    case SYS_RECVMSG: v[1] = ctfw_u(at); break;
    case SYS_PPOLL:
        v[1] = v[2] = ctfw_u(1), v[3] = ctfw_u(0);
        v[4] = raw(one_pollfd, sizeof one_pollfd);
        break;
    case SYS_EPOLL_WAIT:
        v[1] = ctfw_u(1), v[2] = ctfw_u(0);
        v[3] = raw(one_epoll, sizeof one_epoll);
        break;
    case SYS_MMAP: v[0] = ctfw_u(at); break;
    default: break;
    }
    ns_t ts = kern_emit_sys(k, c, sys, false, v);

    t->mode = MODE_USER;
    account_call(t, false, sys, ts);
}

/* --- Memory ----------------------------------------------------------------------- */

static size_t pages_of(const struct kproc *p)
{
    return p->held.n - p->held_at + p->leaked.n;
}

/* There is no memory left: the kernel kills who has most of it. */
static void out_of_memory(struct kern *k, struct kcpu *c)
{
    struct kproc *worst = NULL;

    if (k->oom_victim && !k->oom_victim->over)
        return; /* what it has will be free soon */
    for (size_t i = 0; i < k->procs.n; i++) {
        struct kproc *p = k->procs.at[i];

        if (p->alive && !p->stopping && p->tasks.n && (!worst || pages_of(p) > pages_of(worst)))
            worst = p;
    }
    k->oom_victim = worst;
    if (!worst)
        return;
    kern_emit(k, c, EV_OOM_VICTIM, (struct ctfw_val[]){ ctfw_i(worst->tasks.at[0]->tid) });
    kern_timer(k, k->now, TM_STOP, worst, 0);
}

static void page_event(struct kern *k, struct kcpu *c, uint64_t pfn, bool alloc)
{
    k->pages += alloc ? 1 : (uint64_t)-1;
    if (alloc && k->hc->memory_mb && k->pages > k->hc->memory_mb * 256)
        out_of_memory(k, c);
    kern_emit(k, c, alloc ? EV_PAGE_ALLOC : EV_PAGE_FREE,
              (struct ctfw_val[]){ ctfw_u(UINT64_C(0xffffea0000000000) + pfn * 64), ctfw_u(pfn),
                                   ctfw_u(0), ctfw_u(0x140dca), ctfw_i(1) });
}

void kern_memory(struct kern *k, struct kcpu *c, struct ktask *t)
{
    struct kproc *p = t->proc;
    double seconds = (double)(k->now - p->memory_since) / 1e9;
    enum { AT_ONCE = 64, KEPT = 256 };

    p->pages_due += seconds * p->conf->pages_per_s;
    p->leak_due += seconds * p->conf->leak_per_s;
    p->memory_since = k->now;
    for (int i = 0; i < AT_ONCE && p->pages_due >= 1; i++, p->pages_due--) {
        *vec_push(&p->held) = ++k->next_pfn;
        page_event(k, c, k->next_pfn, true);
        p->allocated++;
        if (p->held.n - p->held_at > KEPT) {
            page_event(k, c, p->held.at[p->held_at++], false);
            p->freed++;
        }
    }
    if (p->held_at > 4096) {
        p->held.n -= p->held_at;
        memmove(p->held.at, p->held.at + p->held_at, p->held.n * sizeof *p->held.at);
        p->held_at = 0;
    }
    for (int i = 0; i < AT_ONCE && p->leak_due >= 1; i++, p->leak_due--) {
        *vec_push(&p->leaked) = ++k->next_pfn;
        page_event(k, c, k->next_pfn, true);
        p->allocated++;
    }
}

/* The process ends: all its pages are free again. */
void kern_memory_over(struct kern *k, struct kcpu *c, struct kproc *p)
{
    for (size_t i = p->held_at; i < p->held.n; i++, p->freed++)
        page_event(k, c, p->held.at[i], false);
    for (size_t i = 0; i < p->leaked.n; i++, p->freed++)
        page_event(k, c, p->leaked.at[i], false);
    vec_free(&p->held);
    vec_free(&p->leaked);
    p->held_at = 0;
}
