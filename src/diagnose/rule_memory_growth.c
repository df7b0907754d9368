/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_memory_growth.c -- a process that takes memory at a steady rate and gives none back.
 *
 * What looks like a leak is measured by report/growth.h.  That alone is no reason to wake anyone:
 * a program that has begun, a cache that fills and a guest that touches its memory for the first
 * time look the same for a while.  So it has to go on for some time, be large against what the
 * process had, and soon use up the host. */
#include "diagnose/rule.h"
#include "report/growth.h"
#include "report/measure.h"

#include <math.h>
#include <stdlib.h>

enum { MIN_SECONDS, MIN_GROWTH, MIN_OF_PROCESS, EXHAUSTS_WITHIN, HOST_MEMORY };
static const struct limit limits[] = {
    [MIN_SECONDS] = { "min-seconds", 5, "s", "a program that begins takes memory for less" },
    [MIN_GROWTH] = { "min-growth", 8, "MiB", "less fits into an allocator's reserve" },
    [MIN_OF_PROCESS] = { "min-of-process", 0.25, "of what it had",
                         "less is a normal change of a large process" },
    [EXHAUSTS_WITHIN] = { "exhausts-within", 86400, "s",
                          "of the host's memory at this rate: whoever has a day's time "
                          "need not be woken" },
    [HOST_MEMORY] = { "host-memory", 64, "GiB", "assumed where Nova did not tell the node's" },
};
#define MIB ((double)(1 << 20))
#define STRAIGHT 0.98 /* the fit of what is no first touch */
#define WHOLE 0.8     /* of the trace */
#define CACHE 0.5     /* of its growth: what it read and wrote of files may be as much */

/* Memory of the node that is not reserved for instances, in bytes; 0: nobody told. */
static double free_of(const struct diagnosis *d, uint32_t host)
{
    struct src_rows r = src_rows(d->src, TABLE_resource);
    struct str name = str_of(whos_host(d->w, host));
    double free_bytes = 0;
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str node = src_text(&r, row, C_resource_node);

        if (row[C_resource_ram_total_mb] > 0 &&
            (str_eq(node, name) || (str_starts(node, name) && node.p[name.n] == '.')))
            free_bytes =
                (double)(row[C_resource_ram_total_mb] -
                         (row[C_resource_ram_used_mb] > 0 ? row[C_resource_ram_used_mb] : 0)) *
                MIB;
    }
    return free_bytes;
}

/* Is the resident size of any process of the host known? */
static bool has_resident(const struct growths *all, uint32_t host)
{
    for (size_t i = 0; i < all->at.n; i++)
        if (all->at.at[i].host == host && all->at.at[i].kind == GROWTH_RESIDENT)
            return true;
    return false;
}

/* Bytes that the process read and wrote: as many pages of the cache of files it may have taken. */
static int64_t transferred(const struct diagnosis *d, const struct growth *g)
{
    static const char *const calls[] = { "read",       "pread64",         "readv",  "preadv",
                                         "write",      "pwrite64",        "writev", "pwritev",
                                         "sendfile64", "copy_file_range", "splice" };
    const struct store *s = d->src->hosts[g->host];
    int64_t bytes = 0;
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_syscall].name, &t))
        return 0;
    struct store_rows r = store_rows(s, t, (struct span){ g->t0, g->t1 });
    while ((row = store_rows_next(&r))) {
        bool moves = false;
        struct str name = store_text(s, row[C_syscall_name]);

        if (row[0] == STORE_NULL || row[C_syscall_ret] <= 0)
            continue;
        for (size_t i = 0; !moves && i < ARRAY_SIZE(calls); i++)
            moves = str_is(name, calls[i]);
        const struct who_thread *th =
            moves ? whos_at(d->w, g->host, row[C_syscall_tid], row[0]) : NULL;
        if (th && who_process(d->w, th)->pid == g->pid)
            bytes += row[C_syscall_ret];
    }
    return bytes;
}

/* A guest touches its memory for the first time (fast, then slower: no straight line), address
 * space may never be used, and pages may be those of files: these are no leaks that one has to act
 * upon. */
static enum severity severity_of(const struct diagnosis *d, const struct growth *g, bool vm,
                                 double left_s, double within_s)
{
    struct span seen = measure_within(d->src, g->host, d->src->span);
    bool to_the_end = (double)(g->t1 - g->t0) >= WHOLE * (double)(seen.t1 - seen.t0);

    if ((vm && (g->fit < STRAIGHT || !to_the_end)) || g->kind == GROWTH_MAPPED || left_s > within_s)
        return SEVERITY_INFO;
    return g->kind == GROWTH_PAGES &&
                   (double)transferred(d, g) >= CACHE * (double)(g->last - g->first)
               ? SEVERITY_INFO
               : SEVERITY_WARNING;
}

static void found(const struct rule *r, struct diagnosis *d, const struct growth *g)
{
    const char *host = whos_host(d->w, g->host);
    struct str where = finding_text(d, "neph top mem --host %s", host);
    const struct who_owner *o = g->th ? who_owner(d->w, g->th) : NULL;
    double told = free_of(d, g->host);
    double room = told > 0 ? told : rule_limit(d, r, HOST_MEMORY) * MIB * 1024;
    double left_s = g->slope > 0 ? room / g->slope : HUGE_VAL;
    bool vm = o && o->kind == WHO_VM;
    struct finding *f =
        finding_add(d, r, severity_of(d, g, vm, left_s, rule_limit(d, r, EXHAUSTS_WITHIN)));

    f->title = finding_text(d, "%s on %s takes memory and keeps it: %.1f MiB in %s, steadily",
                            o ? finding_text(d, STR_FMT, STR_ARG(o->name)).p
                              : finding_text(d, "process %lld", (long long)g->pid).p,
                            host, (double)(g->last - g->first) / MIB,
                            finding_duration(d, g->t1 - g->t0).p);
    if (o) {
        finding_subject(f, who_kind_name(o->kind), o->name);
        finding_culprit(f, who_kind_name(o->kind), o->name);
    }
    finding_host(f, str_of(host));
    f->t0 = g->t0;
    f->t1 = g->t1;
    finding_evidence(f, "memory", str_of(g->memory), "", where);
    finding_evidence(f, "process", finding_text(d, "%lld", (long long)g->pid), "", where);
    finding_evidence(f, "kept", finding_text(d, "%lld", (long long)(g->last - g->first)), "bytes",
                     where);
    finding_evidence(f, "per second", finding_text(d, "%.0f", g->slope), "bytes", where);
    finding_evidence(f, "how steady (r squared)", finding_text(d, "%.3f", g->fit), "ratio", where);
    if (left_s < 1e9)
        finding_evidence_ns(d, f,
                            told > 0 ? "until the node's free memory is used up"
                                     : "until as much as a host may have is used up",
                            (ns_t)(left_s * (double)NS_PER_S), where);
    if (vm)
        finding_unknown(f, STR("whether the guest only touches its memory for the first time: then "
                               "it ends at its flavor's size"));
    if (g->kind == GROWTH_MAPPED)
        finding_unknown(f, STR("whether it uses the address space that it asked for (lttng "
                               "enable-event -k 'kmem_*' or rss_stat)"));
    if (g->kind == GROWTH_PAGES)
        finding_unknown(f, STR("how much of it is the page cache of files that it reads or writes, "
                               "which the kernel gives up when it needs to (rss_stat tells)"));
    if (told <= 0)
        finding_unknown(f, STR("how much memory the host has: Nova's resource tracker tells"));
}

static bool is_large(const struct rule *r, const struct diagnosis *d, const struct growth *g)
{
    int64_t grew = g->last - g->first;

    return g->leak && g->t1 - g->t0 >= rule_limit_ns(d, r, MIN_SECONDS) &&
           (double)grew >= rule_limit(d, r, MIN_GROWTH) * MIB &&
           (g->kind != GROWTH_RESIDENT ||
            (double)grew >= rule_limit(d, r, MIN_OF_PROCESS) * (double)g->first);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct growths all = { 0 };

    growths_find(d->src, d->w, &all);
    for (size_t i = 0; i < all.at.n && all.at.at[i].leak; i++) { /* they come first */
        const struct growth *g = &all.at.at[i];

        /* Pages are also those of the cache, and address space need not be used: where the
         * resident size is known that is what counts, and then pages. */
        if (is_large(r, d, g) && (g->kind == GROWTH_RESIDENT || !has_resident(&all, g->host)) &&
            (g->kind != GROWTH_MAPPED || !measure_had(d->src->hosts[g->host], EV_PAGE_ALLOC)))
            found(r, d, g);
    }
    vec_free(&all.at);
    for (uint32_t h = 0; h < d->src->nhosts; h++)
        if (measure_had(d->src->hosts[h], EV_SCHED_SWITCH) &&
            !measure_had(d->src->hosts[h], EV_RSS_STAT) &&
            !measure_had(d->src->hosts[h], EV_PAGE_ALLOC))
            finding_blind(d, finding_text(d,
                                          "%s: memory was not traced: who takes it and keeps it is "
                                          "not known (lttng enable-event -k 'kmem_*')",
                                          whos_host(d->w, h)));
}

const struct rule rule_memory_growth = {
    .name = "memory-growth",
    .title = "a process takes memory and keeps it",
    .doc = "The memory of a process rises along a line, most of what it takes it keeps, over more "
           "than half of the trace. It is a warning if that is large against what it had and "
           "would use up the host within a day; info for an instance whose memory does not "
           "rise in a straight line all the time (a guest touches its memory for the first time), "
           "for address space alone, and for pages of a "
           "process that reads and writes as much: these may be the cache of files.",
    .remedy = "restart the service before the host runs out, report the leak with its version; "
              "bound it (MemoryMax of its unit)",
    .needs = "the host's kernel: rss_stat, or kmem_mm_page_alloc and _free; mmap and brk help",
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .layer = LAYER_KERNEL,
    .stage = STAGE_RESOURCE,
    .find = find,
};
