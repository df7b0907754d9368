/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_mem.c -- memory of processes over time, by whatever is recorded.
 *
 * rss_stat gives the resident size itself, in bytes for one kind of pages (file, anonymous,
 * shared), for the current process if 'curr' says so (include/trace/events/kmem.h, since 5.5).
 * Page allocations and frees give pages taken, less those given back by the process that
 * took them: the kernel frees on behalf of whom it likes, so a page is looked up by its frame.
 * brk(), mmap() and munmap() give address space, which need not be memory. */
#include "analysis/kernel.h"
#include "analysis/list.h"

#include <stdlib.h>

enum {
    KINDS = 4,              /* of pages: file, anonymous, swap, shared; enum of mm_types.h */
    KIND_SWAP = 2,          /* is not resident */
    PAGES_LIMIT = 16 << 20, /* pages whose owner is remembered: 256 MB of table at most    */
};

struct memory {
    int64_t pid;
    attr_t rss, pages, mapped;
    bool has_rss, has_pages, has_mapped;
    int64_t rss_of[KINDS];
    int64_t npages, bytes;
};

struct memories {
    VEC(struct memory) all;
    struct map64 by_pid;
    struct map64 owner; /* page frame -> position in 'all' */
    uint64_t others;    /* rss_stat of another process than the current: not attributed */
    uint64_t unowned;   /* pages that were freed, and not seen to be taken */
};

static attr_t attr_of(struct pass *p, enum schema_attr which, int64_t pid)
{
    char path[SCHEMA_PATH];

    return store_attr(p->store, engine_family(which), schema_path_nr(which, pid, path));
}

/* Valid until the next call. */
static struct memory *memory_of(struct memories *m, int64_t pid)
{
    uint32_t at;

    if (map64_get(&m->by_pid, (uint64_t)pid, &at))
        return &m->all.at[at];
    map64_set(&m->by_pid, (uint64_t)pid, (uint32_t)m->all.n);
    struct memory *mem = vec_push(&m->all);
    *mem = (struct memory){ .pid = pid };
    return mem;
}

/* The process that runs on the event's CPU; -1 = none, or not known. */
static int64_t current_pid(const struct pass *p, const struct ev_head *h)
{
    const struct kthread *th = kernel_current(h->cpu < CPU_LIMIT ? p->kernel->cpus[h->cpu] : NULL);

    return !th ? -1 : th->pid > 0 ? th->pid : th->tid;
}

static void on_rss(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_rss_stat *ev = evp;
    struct memories *m = state;
    int64_t pid = current_pid(p, h);

    if (ev->member < 0 || ev->member >= KINDS || ev->member == KIND_SWAP)
        return;
    if (!ev->curr || pid < 0) {
        m->others++;
        return;
    }
    struct memory *mem = memory_of(m, pid);
    if (!mem->has_rss)
        mem->rss = attr_of(p, ATTR_PROCESS_RSS, pid);
    mem->has_rss = true;
    mem->rss_of[ev->member] = ev->size;
    store_set(p->store, mem->rss, h->t, mem->rss_of[0] + mem->rss_of[1] + mem->rss_of[3]);
}

static void count_pages(struct pass *p, struct memory *mem, ns_t t, int64_t pages)
{
    if (!mem->has_pages)
        mem->pages = attr_of(p, ATTR_PROCESS_PAGES, mem->pid);
    mem->has_pages = true;
    mem->npages += pages;
    store_set(p->store, mem->pages, t, mem->npages);
}

static void on_alloc(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_page_alloc *ev = evp;
    struct memories *m = state;
    int64_t pid = current_pid(p, h);

    if (pid < 0 || ev->order < 0 || ev->order > 20 || m->owner.n >= PAGES_LIMIT)
        return;
    struct memory *mem = memory_of(m, pid);
    map64_set(&m->owner, (uint64_t)ev->pfn, (uint32_t)(mem - m->all.at));
    count_pages(p, mem, h->t, (int64_t)1 << ev->order);
}

static void on_page_free(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_page_free *ev = evp;
    struct memories *m = state;
    uint32_t at;

    if (ev->order < 0 || ev->order > 20)
        return;
    if (!map64_get(&m->owner, (uint64_t)ev->pfn, &at)) {
        m->unowned++;
        return;
    }
    map64_del(&m->owner, (uint64_t)ev->pfn);
    count_pages(p, &m->all.at[at], h->t, -((int64_t)1 << ev->order));
}

static void on_space(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_address_space *ev = evp;
    struct memories *m = state;
    struct memory *mem = memory_of(m, ev->pid);

    if (!mem->has_mapped)
        mem->mapped = attr_of(p, ATTR_PROCESS_MAPPED, ev->pid);
    mem->has_mapped = true;
    mem->bytes += ev->bytes;
    store_set(p->store, mem->mapped, h->t, mem->bytes);
}

/* What was given back meanwhile is not known: the next trace counts anew. */
static void on_untraced(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_untraced *ev = evp;
    struct memories *m = state;

    (void)h;
    for (size_t i = 0; i < m->all.n; i++) {
        const struct memory *mem = &m->all.at[i];

        if (mem->has_rss)
            store_set(p->store, mem->rss, ev->since, STORE_NULL);
        if (mem->has_pages)
            store_set(p->store, mem->pages, ev->since, STORE_NULL);
        if (mem->has_mapped)
            store_set(p->store, mem->mapped, ev->since, STORE_NULL);
    }
    m->all.n = 0;
    map64_free(&m->by_pid);
    map64_free(&m->owner);
    m->by_pid = m->owner = (struct map64){ 0 };
}

static void on_oom(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_oom_victim *ev = evp;
    const struct kthread *th = kernel_find(p->kernel, ev->tid);
    cell_t cells[mark_columns] = {
        [C_mark_t0] = h->t,
        [C_mark_t1] = h->t,
        [C_mark_kind] = pass_text(p, STR("oom")),
        [C_mark_subject] = th ? pass_text(p, str_of(th->comm)) : 0,
        [C_mark_text] = pass_text(p, STR("the kernel ran out of memory and ends the process")),
        [C_mark_pid] = th && th->pid > 0 ? th->pid : ev->tid,
        [C_mark_thread] = ev->tid,
    };

    (void)state;
    pass_record(p, TABLE_mark, cells);
}

static void finish(void *state, struct pass *p)
{
    struct memories *m = state;

    if (m->others)
        note_add(p->notes, NOTE_INFO, p->host,
                 "kernel: %llu changes of resident memory are of another process than the one that "
                 "ran: left out, since the kernel does not say which",
                 (unsigned long long)m->others);
    vec_free(&m->all);
    map64_free(&m->by_pid);
    map64_free(&m->owner);
}

static const struct handler handlers[] = {
    { EV_RSS_STAT, on_rss },
    { EV_PAGE_ALLOC, on_alloc },
    { EV_PAGE_FREE, on_page_free },
    { EV_ADDRESS_SPACE, on_space },
    { EV_OOM_VICTIM, on_oom },
    { EV_UNTRACED, on_untraced },
    { EV_OTHER, NULL },
};

const struct analysis an_kernel_mem = {
    .name = "kernel-mem",
    .title = "Memory of processes",
    .layer = "kernel",
    .doc = "Resident memory (rss_stat), pages (kmem_mm_page_alloc and _free) and address space "
           "(mmap, munmap) of each process over time, and victims of the out-of-memory killer.",
    .handlers = handlers,
    .state_size = sizeof(struct memories),
    .finish = finish,
};
