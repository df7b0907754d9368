/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_out_of_memory.c -- the kernel ended a process because there was no memory left. */
#include "diagnose/rule.h"
#include "report/growth.h"
#include "report/measure.h"

#include <stdlib.h>

#define MIB ((double)(1 << 20))

static struct str name_of(const struct diagnosis *d, const struct growth *g)
{
    return g->th ? who_owner(d->w, g->th)->name
                 : finding_text(d, "process %lld", (long long)g->pid);
}

/* Who had grown most until then: in resident memory, or else in pages. */
static void add_grown(struct diagnosis *d, struct finding *f, uint32_t host, ns_t until,
                      struct str where)
{
    enum { SHOWN = 3 };
    struct report_src before = *d->src;
    struct growths all = { 0 };
    enum growth_kind kind = GROWTH_PAGES;
    size_t shown = 0;

    before.span.t1 = until < before.span.t1 ? until : before.span.t1;
    growths_find(&before, d->w, &all);
    for (size_t i = 0; i < all.at.n; i++)
        if (all.at.at[i].host == host && all.at.at[i].kind == GROWTH_RESIDENT)
            kind = GROWTH_RESIDENT;
    while (shown < SHOWN) {
        struct growth *most = NULL;

        for (size_t i = 0; i < all.at.n; i++) {
            struct growth *g = &all.at.at[i];

            if (g->host == host && g->kind == kind && g->last - g->first > 0 &&
                (!most || g->last - g->first > most->last - most->first))
                most = g;
        }
        if (!most)
            break;
        if (most->th)
            finding_culprit(f, who_kind_name(who_owner(d->w, most->th)->kind), name_of(d, most));
        finding_evidence(f, "grew before",
                         finding_text(d, STR_FMT " (%lld): %.1f MiB, %s", STR_ARG(name_of(d, most)),
                                      (long long)most->pid,
                                      (double)(most->last - most->first) / MIB, most->memory),
                         "", where);
        most->last = most->first;
        shown++;
    }
    if (shown == 0)
        finding_unknown(f, STR("who took the memory: lttng enable-event -k 'kmem_*', or rss_stat"));
    vec_free(&all.at);
}

static void found(const struct rule *r, struct diagnosis *d, const struct store *s,
                  const cell_t *row)
{
    const char *host = store_host(s);
    struct str where = finding_text(d, "neph top mem --host %s", host);
    uint32_t no = src_host_no(d->src, s);
    int64_t tid = row[C_mark_thread] > 0 ? row[C_mark_thread] : row[C_mark_pid];
    const struct who_thread *th = whos_at(d->w, no, tid, row[0]);
    const struct who_owner *o = th ? who_owner(d->w, th) : NULL;
    struct str name = o ? o->name : store_text(s, row[C_mark_subject]);
    struct finding *f = finding_add(d, r, SEVERITY_CRITICAL);

    if (name.n == 0)
        name = finding_text(d, "process %lld", (long long)row[C_mark_pid]);
    f->title =
        finding_text(d, "%s ran out of memory, and its kernel ended " STR_FMT, host, STR_ARG(name));
    f->t0 = f->t1 = row[0];
    finding_host(f, str_of(host));
    finding_subject(f, o ? who_kind_name(o->kind) : "process", name);
    finding_evidence(f, "ended", finding_text(d, "process %lld", (long long)row[C_mark_pid]), "",
                     where);
    add_grown(d, f, no, row[0], where);
    finding_unknown(f, STR("whether the host or only a control group was out of memory: the "
                           "kernel's log tells"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        const struct store *s = d->src->hosts[h];
        const cell_t *row;
        table_t t;

        if (!store_table_find(s, schema_tables[TABLE_mark].name, &t))
            continue;
        struct store_rows rows = store_rows(s, t, d->src->span);
        while ((row = store_rows_next(&rows)))
            if (str_is(store_text(s, row[C_mark_kind]), "oom"))
                found(r, d, s, row);
    }
}

const struct rule rule_out_of_memory = {
    .name = "out-of-memory",
    .title = "the kernel ended a process because memory was exhausted",
    .doc = "The kernel chose a victim of its out-of-memory killer: critical. Culprits are the "
           "processes whose memory had grown most in the trace until then; the victim need not be "
           "among them, it is the one whose end frees most.",
    .remedy = "lower the host's ram_allocation_ratio or raise reserved_host_memory_mb, move "
              "instances away, and look at who grew; if the victim is an instance, start it again",
    .needs = "the host's kernel: oom_mark_victim; for who took the memory rss_stat or "
             "kmem_mm_page_alloc and _free",
    .layer = LAYER_KERNEL,
    .stage = STAGE_SHARE,
    .find = find,
};
