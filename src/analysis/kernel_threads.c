/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_threads.c -- who there is: threads by tid, their lives and names, CPUs.
 *
 * A tid is used again after a while: each use is a life of its own, with a record of
 * its own.  The attribute of states is the tid's; between two lives it has no value. */
#include "analysis/kernel.h"

#include "base/nul.h"

#include <stdlib.h>

static void begin_life(struct kernel *k, struct kthread *th, ns_t t)
{
    *th = (struct kthread){ .tid = th->tid,
                            .attr = th->attr,
                            .pid = -1,
                            .ppid = -1,
                            .vtid = -1,
                            .vpid = -1,
                            .born = t,
                            .since = t,
                            .mode = TS_RUNNING,
                            .is_kernel = -1,
                            .last_cpu = -1,
                            .gaps = (uint32_t)k->gaps.n,
                            .waking = { .t = NS_MIN },
                            .ready = NS_MIN };
}

static struct kthread *make(struct kernel *k, int32_t tid)
{
    char path[SCHEMA_PATH];
    struct kthread *th = arena_new(&k->p->mem, struct kthread);

    th->tid = tid;
    th->attr = store_attr(k->s, engine_family(ATTR_THREAD_STATE),
                          schema_path_nr(ATTR_THREAD_STATE, tid, path));
    return th;
}

struct kthread *kernel_find(const struct kernel *k, int64_t tid)
{
    if (tid <= 0 || tid >= TID_LIMIT || !k->pages[tid / TID_PAGE])
        return NULL;
    struct kthread *th = k->pages[tid / TID_PAGE][tid % TID_PAGE];
    return th && !th->dead ? th : NULL;
}

/* 'born': it begins now; else it was there before, and nobody saw it. */
static struct kthread *get(struct kernel *k, int64_t tid, ns_t t, bool born)
{
    struct kthread ***page = &k->pages[tid / TID_PAGE];
    ns_t from = k->p->t0;

    if (!*page)
        *page = arena_array(&k->p->mem, struct kthread *, TID_PAGE);
    struct kthread **slot = &(*page)[tid % TID_PAGE];
    if (*slot && !(*slot)->dead)
        return *slot;
    if (*slot)
        from = (*slot)->since; /* when its life before ended */
    else
        *slot = make(k, (int32_t)tid);
    begin_life(k, *slot, t);
    (*slot)->state = born ? TS_NONE : TS_UNKNOWN;
    if (!born)
        store_set(k->s, (*slot)->attr, from, TS_UNKNOWN);
    return *slot;
}

struct kthread *kernel_thread(struct kernel *k, int64_t tid, ns_t t)
{
    if (tid <= 0 || tid >= TID_LIMIT) {
        k->odd.bad_tids += tid != 0;
        return NULL;
    }
    return get(k, tid, t, false);
}

struct kcpu *kernel_cpu(struct kernel *k, uint32_t no, ns_t t)
{
    char path[SCHEMA_PATH];

    if (no >= CPU_LIMIT) {
        k->odd.bad_cpus++;
        return NULL;
    }
    if (k->cpus[no])
        return k->cpus[no];
    struct kcpu *c = arena_new(&k->p->mem, struct kcpu);
    k->cpus[no] = c;
    k->ncpus = no >= k->ncpus ? no + 1 : k->ncpus;
    *c = (struct kcpu){ .no = no,
                        .state = CS_UNKNOWN,
                        .told_thread = STORE_NULL,
                        .last_t = NS_MIN,
                        .lost_until = NS_MIN,
                        .disk_t = NS_MIN };
    kernel_irqs_forget(c);
    c->state_attr =
        store_attr(k->s, engine_family(ATTR_CPU_STATE), schema_path_nr(ATTR_CPU_STATE, no, path));
    c->thread_attr =
        store_attr(k->s, engine_family(ATTR_CPU_THREAD), schema_path_nr(ATTR_CPU_THREAD, no, path));
    store_set(k->s, c->state_attr, k->p->t0 < t ? k->p->t0 : t, CS_UNKNOWN);
    return c;
}

/* --- names ------------------------------------------------------------------------ */

static void keep_old_name(struct kthread *th)
{
    enum { ENOUGH = 200 };
    size_t had = th->names ? strlen(th->names) : 0, n = strlen(th->comm);

    if (had + n > ENOUGH || (th->names && strstr(th->names, th->comm)))
        return;
    th->names = xrealloc(th->names, had + n + 2);
    if (had)
        th->names[had++] = ',';
    memcpy(th->names + had, th->comm, n + 1);
}

void kernel_name(struct kthread *th, struct str comm)
{
    size_t n = comm.n < COMM_LEN - 1 ? comm.n : COMM_LEN - 1;

    if (n == 0 || (memcmp(th->comm, comm.p, n) == 0 && th->comm[n] == '\0'))
        return;
    if (th->comm[0])
        keep_old_name(th);
    memcpy(th->comm, comm.p, n);
    memset(th->comm + n, 0, COMM_LEN - n);
}

/* --- lives ------------------------------------------------------------------------ */

static void write_life(struct kernel *k, struct kthread *th, ns_t end)
{
    static const char *const how[] = { "seen", "dump", "fork" };
    cell_t c[thread_columns] = {
        [C_thread_t0] = th->born,
        [C_thread_t1] = end,
        [C_thread_tid] = th->tid,
        [C_thread_pid] = th->pid,
        [C_thread_ppid] = th->ppid,
        [C_thread_comm] = pass_text(k->p, str_of(th->comm)),
        [C_thread_names] = th->names ? pass_text(k->p, str_of(th->names)) : 0,
        [C_thread_exe] = th->exe,
        [C_thread_kernel] = th->is_kernel,
        [C_thread_vtid] = th->vtid,
        [C_thread_vpid] = th->vpid,
        [C_thread_ns] = th->ns,
        [C_thread_cgroup] = th->cgroup,
        [C_thread_how] = pass_text(k->p, str_of(how[th->how])),
    };

    pass_record(k->p, TABLE_thread, c);
    free(th->names);
    th->names = NULL;
    free(th->guest);
    th->guest = NULL;
}

void kernel_thread_ends(struct kernel *k, struct kthread *th, ns_t t)
{
    if (th->dead)
        return;
    if (th->cpu)
        th->cpu->thread = NULL;
    th->cpu = NULL;
    k->odd.call_entries += th->call != 0 && !th->call_ends;
    write_life(k, th, t);
    store_set(k->s, th->attr, t, STORE_NULL);
    th->since = t;
    th->dead = true;
}

/* What the thread is in the middle of has no end in the trace. */
static void goes_on(struct kernel *k, struct kthread *th)
{
    bool blocked = th->state >= TS_BLOCKED_DISK && th->state <= TS_STOPPED;
    bool waits = (th->state == TS_WAIT || th->state == TS_PREEMPTED) && th->ready > NS_MIN;
    ns_t blocked_ns = blocked ? k->t1 - th->since : 0, waited_ns = waits ? k->t1 - th->ready : 0;

    kernel_call_open(k, th, blocked_ns, waited_ns);
    kernel_guest_open(k, th, blocked_ns, waited_ns);
    write_life(k, th, STORE_NULL);
    if (k->t1 < k->p->t1)
        store_set(k->s, th->attr, k->t1 + 1, STORE_NULL);
}

void kernel_threads_finish(struct kernel *k)
{
    for (size_t i = 0; i < ARRAY_SIZE(k->pages); i++)
        for (size_t j = 0; k->pages[i] && j < TID_PAGE; j++)
            if (k->pages[i][j] && !k->pages[i][j]->dead) {
                kernel_gaps(k, k->pages[i][j], k->t1, TS_UNKNOWN);
                goes_on(k, k->pages[i][j]);
            }
}

/* --- events ----------------------------------------------------------------------- */

void kernel_fork(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_process_fork *ev = evp;
    bool lttng = ev->child_tid > 0; /* ftrace has threads only */
    int64_t tid = lttng ? ev->child_tid : ev->child_pid;
    int64_t ptid = lttng ? ev->parent_tid : ev->parent_pid;
    struct kthread *parent = kernel_thread(k, ptid, h->t), *old = kernel_find(k, tid);

    (void)c;
    if (tid <= 0 || tid >= TID_LIMIT) {
        k->odd.bad_tids++;
        return;
    }
    if (old) /* its end was not seen */
        kernel_thread_ends(k, old, h->t);
    struct kthread *th = get(k, tid, h->t, true);
    th->how = THREAD_FORKED;
    th->fresh = true;
    th->pid = lttng ? (int32_t)ev->child_pid : -1;
    th->ppid = lttng && th->pid == th->tid ? (int32_t)ev->parent_pid : parent ? parent->ppid : -1;
    if (parent && lttng && ev->parent_pid > 0)
        parent->pid = (int32_t)ev->parent_pid;
    if (parent) {
        th->is_kernel = parent->tid == 2 ? 1 : parent->is_kernel;
        th->exe = parent->exe;
        th->cgroup = parent->cgroup;
        th->ns = parent->ns;
    }
    th->mode = th->is_kernel == 1 ? TS_KERNEL : TS_RUNNING;
    kernel_name(th, ev->child_comm);
    th->ready = h->t; /* if sched_wakeup_new is not recorded */
    th->wait_kind = WAIT_WOKEN;
}

void kernel_exec(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_process_exec *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    (void)c;
    if (!th)
        return;
    if (ev->filename.n)
        th->exe = pass_text(k->p, ev->filename);
    th->is_kernel = 0;
    th->pid = th->tid; /* whoever calls it becomes the process */
}

void kernel_exit(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_process_exit *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    (void)c;
    if (!th)
        return;
    kernel_name(th, ev->comm);
    th->ends = th->call_ends = true;
}

void kernel_free(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_sched_process_free *ev = evp;
    struct kthread *th = kernel_find(k, ev->tid);

    (void)c;
    if (th && !th->cpu) /* else its tid is used again already, and the event is late */
        kernel_thread_ends(k, th, h->t);
}

void kernel_rename(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_task_rename *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    (void)c;
    if (th)
        kernel_name(th, ev->newcomm);
}

void kernel_cgroup(struct kernel *k, struct kcpu *c, const struct ev_head *h, const void *evp)
{
    const struct ev_cgroup_attach_task *ev = evp;
    struct kthread *th = kernel_thread(k, ev->tid, h->t);

    (void)c;
    if (th)
        th->cgroup = pass_text(k->p, ev->path);
}
