/* SPDX-License-Identifier: Apache-2.0
 *
 * migration.c -- see migration.h. */
#include "report/migration_priv.h"

#include "report/clocks.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

const char *mig_outcome_name(enum mig_outcome o)
{
    static const char *const names[] = { "unknown", "completed", "failed", "cancelled", "running" };

    return names[o];
}

const char *mig_kind_name(enum mig_kind k)
{
    static const char *const names[] = { "pre-copy", "post-copy", "cold",
                                         "resize",   "evacuate",  "live" };

    return names[k];
}

void migration_unknown(struct migration *m, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (m->unknown.n)
        sbuf_chr(&m->unknown, ' ');
    sbuf_z(&m->unknown, text);
}

const struct mig_downtime *migration_downtime(const struct migration *m, const char *source)
{
    for (size_t i = 0; i < m->downtimes.n; i++)
        if (str_is(m->downtimes.at[i].source, source))
            return &m->downtimes.at[i];
    return NULL;
}

/* --- the two ends -------------------------------------------------------------------------- */

static ns_t end_of(const struct qemu_end *e)
{
    return e->t1 == STORE_NULL ? NS_MAX : e->t1;
}

/* The destination of 's': of the same instance if both are known, another process, at the same
 * time; of several, the one that began next to it. */
static struct qemu_end *destination_of(const qemu_end_vec *ends, const struct qemu_end *s)
{
    struct qemu_end *best = NULL;

    for (size_t i = 0; i < ends->n; i++) {
        struct qemu_end *d = &ends->at[i];
        bool same_vm = s->vm.n == 0 || d->vm.n == 0 || str_eq(s->vm, d->vm);
        bool itself = d->host == s->host && d->pid == s->pid;

        if (d->source || d->taken || itself || !same_vm || d->t0 > end_of(s) || end_of(d) < s->t0)
            continue;
        if (!best || llabs(d->t0 - s->t0) < llabs(best->t0 - s->t0))
            best = d;
    }
    return best;
}

static ns_t last_running(const struct qemu_end *e, int64_t running, ns_t from)
{
    for (size_t i = 0; e && i < e->rows.n; i++)
        if (e->rows.at[i].what == QEMU_VM && !e->rows.at[i].qmp && e->rows.at[i].a == running &&
            e->rows.at[i].t0 >= from)
            return e->rows.at[i].t0;
    for (size_t i = 0; e && i < e->rows.n; i++)
        if (e->rows.at[i].what == QEMU_VM && e->rows.at[i].a == running && e->rows.at[i].t0 >= from)
            return e->rows.at[i].t0;
    return STORE_NULL;
}

/* When QMP said STOP or RESUME; STORE_NULL: it did not. */
static ns_t told(const struct qemu_end *e, int64_t running, ns_t from)
{
    for (size_t i = 0; e && i < e->rows.n; i++)
        if (e->rows.at[i].what == QEMU_VM && e->rows.at[i].qmp && e->rows.at[i].a == running &&
            e->rows.at[i].t0 >= from)
            return e->rows.at[i].t0;
    return STORE_NULL;
}

static void add_told(const struct report_src *src, const struct qemu_end *s,
                     const struct qemu_end *d, struct migration *m)
{
    ns_t stop = told(s, 0, m->start), run = d ? told(d, 1, d->t0) : STORE_NULL;

    if (stop == STORE_NULL || run == STORE_NULL || run < stop)
        return;
    *vec_push(&m->downtimes) = (struct mig_downtime){
        STR("events"),
        stop,
        run,
        run - stop,
        clocks_bound(src->clocks, s->host, stop, d->host, run),
        STR("from STOP at the source to RESUME at the destination, as both QEMUs announced it to "
            "libvirt: before the vCPUs are let run")
    };
}

static void add_downtimes(const struct report_src *src, const struct qemu_end *s,
                          const struct qemu_end *d, struct migration *m)
{
    ns_t stop = last_running(s, 0, m->start), run = STORE_NULL;

    if (m->outcome == MIG_CANCELLED)
        return;
    if (m->outcome != MIG_FAILED)
        add_told(src, s, d, m);
    if (m->outcome == MIG_FAILED) {
        d = NULL; /* it goes on at the source */
        run = stop == STORE_NULL ? STORE_NULL : last_running(s, 1, stop);
    } else if (d && stop != STORE_NULL) {
        run = last_running(d, 1, d->t0);
    }
    if (stop != STORE_NULL && run != STORE_NULL && run >= stop)
        *vec_push(&m->downtimes) = (struct mig_downtime){
            STR("states"),
            stop,
            run,
            run - stop,
            clocks_bound(src->clocks, s->host, stop, d ? d->host : s->host, run),
            m->outcome == MIG_FAILED ? STR("from the stop of the guest at the source until it "
                                           "went on there")
                                     : STR("from the stop of the guest at the source to its "
                                           "start at the destination: what the guest's users "
                                           "see, without the network's part")
        };
    else if (stop != STORE_NULL)
        migration_unknown(m,
                          "When the guest ran again is not in the traces: the destination's QEMU "
                          "tells (vm_state_notify).");
    if (m->qmp_downtime_ms != STORE_NULL && m->qmp_downtime_ms > 0)
        *vec_push(&m->downtimes) = (struct mig_downtime){
            STR("qemu"),
            STORE_NULL,
            STORE_NULL,
            m->qmp_downtime_ms * 1000000,
            0,
            STR("as the source's QEMU counts: until it has handed over the last byte; what the "
                "destination needs to load the state and to start is not in it")
        };
}

static void add_part(const struct report_src *src, struct migration *m, const char *name,
                     uint32_t host, ns_t t0, ns_t t1, const char *evidence)
{
    if (t0 == STORE_NULL || t1 == STORE_NULL || t1 < t0)
        return;
    *vec_push(&m->parts) = (struct mig_stage){ .name = str_of(name),
                                               .layer = STR("qemu"),
                                               .host = str_of(store_host(src->hosts[host])),
                                               .t0 = t0,
                                               .t1 = t1,
                                               .evidence = str_of(evidence) };
}

static ns_t time_of(const struct qemu_row *r)
{
    return r ? r->t0 : STORE_NULL;
}

/* What the guest waited for while it ran nowhere. */
static void add_parts(const struct report_src *src, const struct qemu_end *s,
                      const struct qemu_end *d, struct migration *m)
{
    ns_t stop = last_running(s, 0, m->start), run = d ? last_running(d, 1, d->t0) : STORE_NULL;
    ns_t last = stop == STORE_NULL ? stop : time_of(qemu_row_of(s, QEMU_SAVE_COMPLETE, stop));
    ns_t sent = m->outcome == MIG_COMPLETED ? s->t1 : STORE_NULL;
    ns_t loaded = d ? time_of(qemu_row_of(d, QEMU_LOAD_END, NS_MIN)) : STORE_NULL;

    if (m->kind == MIG_POSTCOPY || stop == STORE_NULL)
        return;
    add_part(src, m, "stopping", s->host, stop, last,
             "vm_state_notify, savevm_state_complete_precopy");
    add_part(src, m, "last memory and devices", s->host, last, sent,
             "savevm_state_complete_precopy, migration state completed");
    if (!d)
        return;
    add_part(src, m, "arriving and loading", d->host, last, loaded,
             "savevm_state_complete_precopy at the source, qemu_loadvm_state_post_main");
    add_part(src, m, "starting", d->host, loaded, run,
             "qemu_loadvm_state_post_main, vm_state_notify");
}

static void add_crossing(struct migration *m, const char *what, ns_t sent, ns_t received)
{
    if (sent != STORE_NULL && received != STORE_NULL)
        *vec_push(&m->crossings) = (struct mig_crossing){ what, sent, received };
}

static void add_crossings(const struct qemu_end *s, const struct qemu_end *d, struct migration *m)
{
    ns_t stop = last_running(s, 0, m->start), run = last_running(d, 1, d->t0);

    add_crossing(m, "the stream is connected", time_of(qemu_row_of(s, QEMU_OUTGOING, NS_MIN)),
                 time_of(qemu_row_of(d, QEMU_INCOMING, NS_MIN)));
    if (m->outcome == MIG_COMPLETED && stop != STORE_NULL)
        add_crossing(m, "the guest stops here, goes on there", stop, run);
}

/* How soon QEMU did what Nova asked for, and Nova saw what QEMU had done. */
static void add_reaction(const struct qemu_end *s, struct migration *m)
{
    ns_t asked = STORE_NULL, noticed = STORE_NULL;

    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *x = &m->stages.at[i];

        if (str_is(x->name, "operation"))
            asked = x->t0;
        if (str_starts(x->name, STR("post-migration")) &&
            (noticed == STORE_NULL || x->t0 < noticed))
            noticed = x->t0;
    }
    if (asked != STORE_NULL && s->t0 >= asked)
        *vec_push(&m->stages) = (struct mig_stage){ .name = STR("Nova asks, QEMU begins"),
                                                    .layer = STR("nova, qemu"),
                                                    .host = m->source,
                                                    .t0 = asked,
                                                    .t1 = s->t0,
                                                    .evidence = STR("operation, state setup") };
    if (noticed != STORE_NULL && s->t1 != STORE_NULL && noticed >= s->t1)
        *vec_push(&m->stages) =
            (struct mig_stage){ .name = STR("QEMU has ended, Nova goes on"),
                                .layer = STR("nova, qemu"),
                                .host = m->source,
                                .t0 = s->t1,
                                .t1 = noticed,
                                .evidence = STR("state completed, post-migration") };
}

static void take_infos(const struct qemu_end *s, struct migration *m)
{
    for (size_t i = 0; i < s->infos.n; i++) {
        const struct qemu_info *x = &s->infos.at[i];

        if (x->total_ms > 0)
            m->qmp_total_ms = x->total_ms;
        if (x->setup_ms > 0)
            m->qmp_setup_ms = x->setup_ms;
        if (x->downtime_ms > 0 && str_is(x->status, "completed"))
            m->qmp_downtime_ms = x->downtime_ms;
        if (x->error.n)
            m->error = x->error;
    }
}

/* Why it failed, as QEMU says.  The source is done when all is sent: that the destination could not
 * load it is a failure all the same. */
static void take_errors(const struct qemu_end *s, const struct qemu_end *d, struct migration *m)
{
    const struct qemu_row *said = s ? qemu_row_of(s, QEMU_ERROR, NS_MIN) : NULL;

    if (s && s->outcome == MIG_COMPLETED && d && d->outcome == MIG_FAILED) {
        m->outcome = MIG_FAILED;
        m->error = STR("the destination could not load the guest's state");
    }
    if (said && said->text.n && m->outcome == MIG_FAILED)
        m->error = said->text;
}

/* The migration of Nova's that this is a part of. */
static struct migration *of_nova(struct migrations *all, size_t n, const struct qemu_end *s)
{
    struct migration *only = NULL;
    size_t fit = 0;

    for (size_t i = 0; i < n; i++) {
        struct migration *m = &all->list.at[i];
        ns_t end = m->end == STORE_NULL ? NS_MAX : m->end;
        bool other_vm = s->vm.n && m->vm.n && !str_eq(s->vm, m->vm) && !str_eq(s->vm, m->uuid);

        if (other_vm || m->start > end_of(s) || end < s->t0 || m->rounds.n)
            continue;
        only = m;
        fit++;
    }
    return fit == 1 ? only : NULL;
}

static struct migration *new_of_qemu(struct migrations *all)
{
    *vec_push(&all->list) = (struct migration){ .vm = STR(""),
                                                .uuid = STR(""),
                                                .request = STR(""),
                                                .source = STR(""),
                                                .destination = STR(""),
                                                .error = STR(""),
                                                .source_host = UINT32_MAX,
                                                .destination_host = UINT32_MAX,
                                                .source_pid = -1,
                                                .destination_pid = -1,
                                                .start = NS_MAX,
                                                .end = STORE_NULL,
                                                .qmp_total_ms = STORE_NULL,
                                                .qmp_downtime_ms = STORE_NULL,
                                                .qmp_setup_ms = STORE_NULL };
    return &all->list.at[all->list.n - 1];
}

static void say_what_is_missing(const struct qemu_end *s, const struct qemu_end *d,
                                struct migration *m)
{
    if (!d && m->outcome != MIG_CANCELLED && m->outcome != MIG_FAILED)
        migration_unknown(m, "The destination's QEMU was not traced: when the guest ran there is "
                             "not known.");
    if (!s)
        migration_unknown(m, "The source's QEMU was not traced: rounds and what was sent are not "
                             "known.");
    if (s && s->begun_before)
        migration_unknown(m, "It had begun before the trace: the first rounds are missing.");
    if (m->outcome == MIG_RUNNING)
        migration_unknown(m, "The trace ends before it does.");
    if (s && !qemu_row_of(s, QEMU_SYNC, NS_MIN) && s->infos.n)
        migration_unknown(m,
                          "QEMU's trace events are missing: rounds are those that QMP announced, "
                          "and pages that were written are not known (migration_bitmap_sync_end).");
}

static void join_ends(const struct report_src *src, const struct qemu_end *s, struct qemu_end *d,
                      struct migration *m)
{
    const struct qemu_end *any = s ? s : d;

    if (d)
        d->taken = true;
    if (s) {
        m->source_host = s->host;
        m->source = str_of(store_host(src->hosts[s->host]));
        m->source_pid = s->pid;
    }
    if (d) {
        m->destination_host = d->host;
        m->destination = str_of(store_host(src->hosts[d->host]));
        m->destination_pid = d->pid;
    }
    m->vm = m->vm.n ? m->vm : any->vm.n || !d ? any->vm : d->vm;
    bool post = (s && qemu_row_of(s, QEMU_POSTCOPY, NS_MIN)) ||
                (d && qemu_row_of(d, QEMU_POSTCOPY_RUN, NS_MIN));
    bool by_nova = m->stages.n > 0;
    if (!by_nova || m->kind == MIG_LIVE)
        m->kind = post ? MIG_POSTCOPY : MIG_PRECOPY;
    if (!by_nova) {
        m->start = any->t0;
        m->end = any->t1;
    }
    if (!by_nova || any->outcome == MIG_CANCELLED || any->outcome == MIG_FAILED)
        m->outcome = any->outcome;
    take_errors(s, d, m);
    if (s) {
        struct span whole = { m->start, m->end };

        take_infos(s, m);
        m->end = any->t1;
        qemu_rounds(s, m);
        qemu_stages(src, s, d, m);
        m->end = by_nova ? whole.t1 : m->end;
        add_downtimes(src, s, d, m);
        add_parts(src, s, d, m);
        if (d)
            add_crossings(s, d, m);
        if (by_nova)
            add_reaction(s, m);
    } else {
        qemu_stages(src, NULL, d, m);
    }
    say_what_is_missing(s, d, m);
}

/* --- by the kernel alone --------------------------------------------------------------------- */

/* QEMU's threads that only a migration has, at the source and at the destination. */
static bool is_source_thread(struct str comm)
{
    return str_is(comm, "live_migration") || str_is(comm, "mig/src/main");
}

static bool is_known(const struct migrations *all, const struct who_thread *th)
{
    for (size_t i = 0; i < all->list.n; i++)
        if (all->list.at[i].source_host == th->host && all->list.at[i].source_pid == th->pid)
            return true;
    return false;
}

/* The process of the same instance on another host, or another one here, that lives meanwhile. */
static void find_other_end(const struct report_src *src, const struct whos *w,
                           const struct who_thread *th, struct migration *m)
{
    const struct who_thread *found = NULL;

    for (size_t i = 0; i < w->threads.n && m->vm.n; i++) {
        const struct who_thread *o = &w->threads.at[i];
        bool meanwhile =
            (m->end == STORE_NULL || o->t0 <= m->end) && (o->t1 == STORE_NULL || o->t1 >= m->start);

        if (o->tid != o->pid || (o->host == th->host && o->pid == th->pid) || !meanwhile ||
            !str_eq(who_owner(w, o)->name, m->vm))
            continue;
        if (found && found->pid != o->pid)
            return; /* several could be it */
        found = o;
    }
    if (!found)
        return;
    m->destination_host = found->host;
    m->destination = str_of(store_host(src->hosts[found->host]));
    m->destination_pid = found->pid;
}

static void kernel_migrations(const struct report_src *src, const struct whos *w,
                              struct migrations *ret)
{
    for (size_t i = 0; i < w->threads.n; i++) {
        const struct who_thread *th = &w->threads.at[i];

        if (!is_source_thread(th->comm) || is_known(ret, th))
            continue;
        struct migration *m = new_of_qemu(ret);
        const struct who_owner *o = who_owner(w, th);
        m->vm = o->kind == WHO_VM ? o->name : STR("");
        m->source_host = th->host;
        m->source = str_of(store_host(src->hosts[th->host]));
        m->source_pid = th->pid;
        m->start = th->t0;
        m->end = th->t1;
        m->outcome = th->t1 == STORE_NULL ? MIG_RUNNING : MIG_UNKNOWN;
        m->kind = MIG_LIVE;
        find_other_end(src, w, th, m);
        *vec_push(&m->stages) = (struct mig_stage){ .name = STR("migration thread"),
                                                    .layer = STR("kernel"),
                                                    .host = m->source,
                                                    .t0 = th->t0,
                                                    .t1 = th->t1,
                                                    .evidence = th->comm };
        migration_unknown(m,
                          "Only the kernel tells of it: QEMU's thread %.*s lived that long. How it "
                          "ended, rounds and downtime are not known: trace QEMU (migration_*, "
                          "savevm_*, vm_state_notify).",
                          (int)th->comm.n, th->comm.p);
    }
}

/* --- all of them --------------------------------------------------------------------------- */

static int by_stage(const void *a, const void *b)
{
    const struct mig_stage *x = a, *y = b;

    return x->t0 != y->t0 ? (x->t0 < y->t0 ? -1 : 1) : (x->t1 < y->t1) - (x->t1 > y->t1);
}

static int by_start(const void *a, const void *b)
{
    const struct migration *x = a, *y = b;

    return x->start != y->start ? (x->start < y->start ? -1 : 1) : str_cmp(x->vm, y->vm);
}

static bool is_wanted(const struct report_src *src, const struct migration *m)
{
    ns_t end = m->end == STORE_NULL ? NS_MAX : m->end;

    if (m->start >= src->span.t1 || end < src->span.t0)
        return false;
    if (src->vm.n && !str_eq(src->vm, m->vm) && !str_eq(src->vm, m->uuid))
        return false;
    return src->request.n == 0 || str_find(m->request, src->request, 0) != STR_NONE;
}

static void migration_free(struct migration *m)
{
    vec_free(&m->stages);
    vec_free(&m->rounds);
    vec_free(&m->downtimes);
    vec_free(&m->culprits);
    vec_free(&m->victims);
    vec_free(&m->sharers);
    vec_free(&m->parts);
    vec_free(&m->crossings);
    sbuf_free(&m->unknown);
}

/* Puts them in order, gives them their ids, and drops those that nobody asked for. */
static void finish(const struct report_src *src, struct migrations *ret)
{
    size_t n = 0;

    if (ret->list.n)
        qsort(ret->list.at, ret->list.n, sizeof *ret->list.at, by_start);
    for (size_t i = 0; i < ret->list.n; i++) {
        struct migration *m = &ret->list.at[i];
        size_t no = 1;

        for (size_t k = 0; k < i; k++)
            no += str_eq(ret->list.at[k].vm, m->vm);
        m->id =
            str_of(arena_printf(src->mem, STR_FMT "/%zu", STR_ARG(m->vm.n ? m->vm : STR("?")), no));
    }
    for (size_t i = 0; i < ret->list.n; i++) {
        struct migration *m = &ret->list.at[i];

        if (m->stages.n)
            qsort(m->stages.at, m->stages.n, sizeof *m->stages.at, by_stage);
        if (is_wanted(src, m)) {
            struct migration kept = *m;

            ret->list.at[n++] = kept;
        } else {
            migration_free(m);
        }
    }
    ret->list.n = n;
}

void migrations_make(const struct report_src *src, const struct whos *w, struct migrations *ret)
{
    struct report_src all = *src;
    qemu_end_vec ends = { 0 };

    *ret = (struct migrations){ 0 };
    all.span = SPAN_ALL;
    all.vm = all.request = STR("");
    nova_migrations(&all, ret);
    size_t by_nova = ret->list.n;
    qemu_ends_read(&all, w, &ends);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < ends.n; i++) {
            struct qemu_end *e = &ends.at[i], *d;

            if (e->taken || e->source != (pass == 0))
                continue;
            e->taken = true;
            d = e->source ? destination_of(&ends, e) : e;
            struct migration *m = of_nova(ret, by_nova, e);
            join_ends(&all, e->source ? e : NULL, d, m ? m : new_of_qemu(ret));
        }
    qemu_ends_free(&ends);
    kernel_migrations(&all, w, ret);
    for (size_t i = 0; i < ret->list.n; i++) {
        struct migration *m = &ret->list.at[i];

        migration_cpu(&all, w, m);
        migration_io(&all, w, m);
        if (m->rounds.n == 0 && m->stages.n && str_is(m->stages.at[0].layer, "nova"))
            migration_unknown(m, "QEMU was not traced: rounds, downtime and whether it could ever "
                                 "end are not known (trace events migration_*, savevm_*, "
                                 "vm_state_notify).");
    }
    finish(src, ret);
}

void migrations_free(struct migrations *m)
{
    for (size_t i = 0; i < m->list.n; i++)
        migration_free(&m->list.at[i]);
    vec_free(&m->list);
}

const struct migration *migrations_find(const struct migrations *m, struct str id, size_t *ret_n)
{
    const struct migration *found = NULL;

    *ret_n = 0;
    for (size_t i = 0; i < m->list.n; i++) {
        const struct migration *x = &m->list.at[i];

        if (str_eq(x->id, id)) {
            *ret_n = 1;
            return x;
        }
        if (str_eq(x->vm, id) || str_eq(x->uuid, id) || (x->request.n && str_eq(x->request, id))) {
            found = x;
            ++*ret_n;
        }
    }
    return *ret_n == 1 ? found : NULL;
}
