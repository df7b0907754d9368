/* SPDX-License-Identifier: Apache-2.0
 *
 * who.c -- see who.h. */
#include "report/who.h"

#include "model/qemu.h"

#include <inttypes.h>
#include <stdlib.h>

const char *who_kind_name(enum who_kind k)
{
    static const char *const names[] = { "vm", "service", "process" };

    return names[k];
}

uint32_t src_host_no(const struct report_src *src, const struct store *s)
{
    for (uint32_t i = 0; i < src->nhosts; i++)
        if (src->hosts[i] == s)
            return i;
    return UINT32_MAX;
}

static int by_life(const void *a, const void *b)
{
    const struct who_thread *x = a, *y = b;

    if (x->host != y->host)
        return x->host < y->host ? -1 : 1;
    if (x->tid != y->tid)
        return x->tid < y->tid ? -1 : 1;
    return x->t0 < y->t0 ? -1 : x->t0 > y->t0;
}

static void read_threads(const struct report_src *src, struct whos *w)
{
    struct report_src all = *src;
    const cell_t *row;

    all.span = SPAN_ALL;
    struct src_rows r = src_rows(&all, TABLE_thread);
    while ((row = src_next(&r))) {
        int64_t tid = row[C_thread_tid], pid = row[C_thread_pid];

        *vec_push(&w->threads) = (struct who_thread){ .host = src_host_no(src, r.store),
                                                      .tid = tid,
                                                      .pid = pid > 0 ? pid : tid,
                                                      .t0 = row[C_thread_t0],
                                                      .t1 = row[C_thread_t1],
                                                      .comm = src_text(&r, row, C_thread_comm),
                                                      .is_kernel = row[C_thread_kernel] == 1,
                                                      .process = UINT32_MAX };
    }
    if (w->threads.n)
        qsort(w->threads.at, w->threads.n, sizeof *w->threads.at, by_life);
}

/* Position of the last life of 'tid' that had begun by 't', or of its first. */
static size_t find(const struct whos *w, uint32_t host, int64_t tid, ns_t t)
{
    const struct who_thread want = { .host = host, .tid = tid, .t0 = t };
    size_t lo = 0, hi = w->threads.n;

    while (lo < hi) { /* the first that is behind 'want' */
        size_t mid = lo + (hi - lo) / 2;

        if (by_life(&w->threads.at[mid], &want) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo > 0 && w->threads.at[lo - 1].host == host && w->threads.at[lo - 1].tid == tid)
        return lo - 1;
    if (lo < w->threads.n && w->threads.at[lo].host == host && w->threads.at[lo].tid == tid)
        return lo;
    return SIZE_MAX;
}

const struct who_thread *whos_at(const struct whos *w, uint32_t host, int64_t tid, ns_t t)
{
    size_t at = tid > 0 ? find(w, host, tid, t) : SIZE_MAX;

    return at == SIZE_MAX ? NULL : &w->threads.at[at];
}

static uint32_t owner_of(struct whos *w, const struct who_owner *o)
{
    struct sbuf key = { 0 };

    sbuf_fmt(&key, "%d\t%s\t" STR_FMT "\t" STR_FMT, (int)o->kind, o->host, STR_ARG(o->name),
             STR_ARG(o->uuid));
    uint32_t id = strtab_id(&w->keys, sbuf_view(&key));
    sbuf_free(&key);
    if (id > w->owners.n)
        *vec_push(&w->owners) = *o;
    return id - 1;
}

/* The process that an earlier thread with the same pid was given; its main thread was never
 * seen. */
static bool find_mate(const struct whos *w, size_t i, uint32_t *ret)
{
    const struct who_thread *th = &w->threads.at[i];

    for (size_t k = w->processes.n; k-- > 0;)
        if (w->processes.at[k].host == th->host && w->processes.at[k].pid == th->pid) {
            *ret = (uint32_t)k;
            return true;
        }
    return false;
}

/* Every thread gets the process whose main thread lived when it began. */
static void make_processes(const struct report_src *src, struct whos *w)
{
    for (size_t i = 0; i < w->threads.n; i++) {
        struct who_thread *th = &w->threads.at[i];

        if (th->tid != th->pid)
            continue;
        th->process = (uint32_t)w->processes.n;
        *vec_push(&w->processes) =
            (struct who_process){ th->host, th->pid, th->t0, th->t1, th->comm, 0, 1 };
    }
    for (size_t i = 0; i < w->threads.n; i++) {
        struct who_thread *th = &w->threads.at[i];
        size_t at = find(w, th->host, th->pid, th->t0);

        if (at != SIZE_MAX && w->threads.at[at].process != UINT32_MAX && at != i) {
            th->process = w->threads.at[at].process;
            w->processes.at[th->process].threads++;
        } else if (th->process == UINT32_MAX && i > 0 && find_mate(w, i, &th->process)) {
            w->processes.at[th->process].threads++;
        } else if (th->process == UINT32_MAX) { /* its main thread was never seen */
            th->process = (uint32_t)w->processes.n;
            *vec_push(&w->processes) =
                (struct who_process){ th->host, th->pid, th->t0, th->t1, th->comm, 0, 1 };
        }
    }
    for (size_t i = 0; i < w->processes.n; i++) {
        struct who_process *p = &w->processes.at[i];
        struct who_owner o = { WHO_PROCESS, store_host(src->hosts[p->host]), p->comm, STR("") };

        p->owner = owner_of(w, &o);
    }
}

static void read_mappings(const struct report_src *src, struct whos *w)
{
    struct report_src all = *src;
    const cell_t *row;

    all.span = SPAN_ALL;
    struct src_rows r = src_rows_global(&all, TABLE_mapping);
    while ((row = src_next(&r))) {
        struct str host = src_text(&r, row, C_mapping_host);
        struct str name = src_text(&r, row, C_mapping_name);
        bool vm = str_is(src_text(&r, row, C_mapping_kind), "vm");

        for (uint32_t h = 0; h < src->nhosts && name.n; h++) {
            size_t at = str_is(host, store_host(src->hosts[h]))
                            ? find(w, h, row[C_mapping_pid], row[0])
                            : SIZE_MAX;
            struct who_owner o = { vm ? WHO_VM : WHO_SERVICE, store_host(src->hosts[h]), name,
                                   src_text(&r, row, C_mapping_uuid) };

            if (at != SIZE_MAX)
                w->processes.at[w->threads.at[at].process].owner = owner_of(w, &o);
        }
    }
}

/* Threads that the kernel made for a process of an instance count to that one. */
static void lend_workers(struct whos *w)
{
    for (size_t i = 0; i < w->threads.n; i++) {
        const struct who_thread *th = &w->threads.at[i];
        int64_t pid = qemu_worker_of(th->comm);
        size_t at = pid > 0 ? find(w, th->host, pid, th->t0) : SIZE_MAX;

        if (at == SIZE_MAX)
            continue;
        uint32_t owner = w->processes.at[w->threads.at[at].process].owner;
        if (w->owners.at[owner].kind == WHO_VM)
            w->processes.at[th->process].owner = owner;
    }
}

void whos_make(const struct report_src *src, struct whos *ret)
{
    *ret = (struct whos){ .src = src };
    strtab_id(&ret->keys, STR(""));
    read_threads(src, ret);
    make_processes(src, ret);
    read_mappings(src, ret);
    lend_workers(ret);
}

void whos_free(struct whos *w)
{
    vec_free(&w->threads);
    vec_free(&w->processes);
    vec_free(&w->owners);
    strtab_free(&w->keys);
}

struct str who_device(const struct report_src *src, const struct store *s, int64_t dev)
{
    const cell_t *row;
    table_t t;

    if (store_table_find(s, schema_tables[TABLE_disk].name, &t)) {
        struct store_rows r = store_rows(s, t, SPAN_ALL);

        while ((row = store_rows_next(&r)))
            if (row[C_disk_dev] == dev) {
                struct str name = store_text(s, row[C_disk_name]);

                store_rows_end(&r);
                return name;
            }
    }
    return str_of(arena_printf(src->mem, "%" PRId64 ":%" PRId64, dev >> 20, dev & 0xfffff));
}

static struct who_had *had_of(struct who_cpus *c, int64_t cpu, struct span span)
{
    struct who_had **at = &c->at[(uint64_t)cpu % ARRAY_SIZE(c->at)];
    char path[SCHEMA_PATH];
    attr_t a;

    if (*at && (*at)->cpu == cpu) {
        if ((*at)->known)
            store_ranges_again(&(*at)->ranges, span);
        return *at;
    }
    if (!*at)
        *at = xmalloc(sizeof **at);
    (*at)->cpu = cpu;
    (*at)->known =
        cpu >= 0 && store_attr_find(c->s, schema_path_nr(ATTR_CPU_THREAD, cpu, path), &a);
    if ((*at)->known)
        (*at)->ranges = store_ranges(c->s, a, span);
    return *at;
}

struct who_had *who_cpus_had(struct who_cpus *c, int64_t cpu, struct span span)
{
    struct who_had *h = had_of(c, cpu, span);

    h->any = h->known;
    h->pending = false;
    h->end = span.t1;
    h->t0 = h->t1 = span.t0;
    h->tid = -1;
    return h;
}

void who_cpus_free(struct who_cpus *c)
{
    for (size_t i = 0; i < ARRAY_SIZE(c->at); i++)
        free(c->at[i]);
}

/* Goes on to 't1'. */
static bool had_until(struct who_had *h, ns_t t1, int64_t tid)
{
    h->t0 = h->t1;
    h->t1 = t1;
    h->tid = tid;
    return true;
}

bool who_had_next(struct who_had *h)
{
    while (h->pending || (h->any && (h->any = store_ranges_next(&h->ranges, &h->next)))) {
        ns_t from = h->next.t0 > h->t1 ? h->next.t0 : h->t1;
        ns_t to = h->next.t1 < h->end ? h->next.t1 : h->end;

        h->pending = !h->next.lost && to > from && from > h->t1;
        if (h->pending)
            return had_until(h, from, -1);
        if (!h->next.lost && to > from)
            return had_until(h, to, h->next.value);
    }
    return h->t1 < h->end && had_until(h, h->end, -1);
}
