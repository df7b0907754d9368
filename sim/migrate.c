/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate.c -- plays live migrations page by page, as QEMU 7.2 does them.
 *
 * A guest writes to random pages of its working set.  The thread live_migration sends, in each
 * window of 100 ms, what the bandwidth allows; when little enough is left it looks which pages
 * were written meanwhile (a sync), and goes on or stops the guest.  (migration/migration.c,
 * migration_iteration_run, migration_rate_limit; migration/ram.c, migration_bitmap_sync.)  Whether
 * a migration would have ended that was cancelled is found by going on in silence. */
#include "sim/migrate_priv.h"

#include "sim/kern.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 4096,
    PAGE_SENT = 4104, /* with its header */
    PAGES_PER_MB = (1 << 20) / PAGE,
    FIRST_PID = 20000,
    SILENT_ROUNDS = 60, /* of looking whether it would have ended */
    MOST_NOTES = 20000000,
};
#define WINDOW_NS (100 * MS_NS)

enum cut { CUT_NONE, CUT_CANCEL, CUT_FAIL, CUT_LIMIT };

struct play {
    struct sim *s;
    struct true_migration *m;
    const struct sc_migration *sc;
    struct rng rng;
    ns_t t, cut_at;
    enum cut cut;
    bool silent;
    uint64_t pages, words, left; /* of its memory; not sent yet */
    uint64_t *dirty, *written;   /* bits */
    uint64_t cursor;             /* word of 'dirty' where sending goes on */
    ns_t written_until;
    double writes_due;
    /* the window */
    ns_t window_t0, window_ns;
    uint64_t window_pages, window_budget;
    double limit_bytes; /* what may be left when the guest is stopped */
    /* what QEMU counts between two looks at whether to throttle */
    ns_t period_t0;
    uint64_t period_dirty, sent_bytes, period_sent0, high;
    int throttle; /* percent */
    size_t rounds;
};

/* --- noting -------------------------------------------------------------------------------- */

static void note(struct play *p, const struct qemu_proc *proc, int tid, ns_t t, enum qemu_event e,
                 const struct ctfw_val *v, size_t n)
{
    struct migrations *all = p->s->migrations;

    if (p->silent)
        return;
    struct qemu_note *x = vec_push(&all->notes);

    *x = (struct qemu_note){ .t = t,
                             .seq = all->notes.n,
                             .proc = proc,
                             .tid = tid,
                             .incoming = proc == p->m->destination,
                             .event = e };
    for (size_t i = 0; i < n; i++)
        x->v[i] = v[i];
}
#define NOTE(p, proc, tid, t, e, ...)                                      \
    note((p), (proc), (tid), (t), (e), (struct ctfw_val[]){ __VA_ARGS__ }, \
         sizeof((struct ctfw_val[]){ __VA_ARGS__ }) / sizeof(struct ctfw_val))
#define TEXT(z) ctfw_s(str_of(z))

/* By the source's main thread, its migration thread, the destination. */
#define MAIN(p, t, e, ...) NOTE(p, (p)->m->source, (p)->m->source->pid, t, e, __VA_ARGS__)
#define SENDER(p, t, e, ...) NOTE(p, (p)->m->source, (p)->m->tid, t, e, __VA_ARGS__)
#define TARGET(p, t, e, ...) \
    NOTE(p, (p)->m->destination, (p)->m->destination->pid, t, e, __VA_ARGS__)
#define NOTHING ctfw_u(0)

static ns_t some_us(struct play *p, ns_t us)
{
    return rng_around(&p->rng, us * US_NS);
}

/* --- pages --------------------------------------------------------------------------------- */

/* The guest has written until 't'. */
static void guest_writes(struct play *p, ns_t t)
{
    double share = 1 - (double)p->throttle / 100;
    double per_ns = p->sc->dirty_mb_s * (1 << 20) / PAGE / 1e9 * share;

    if (t <= p->written_until)
        return;
    p->writes_due += per_ns * (double)(t - p->written_until);
    p->written_until = t;
    if (p->writes_due > 32 * (double)p->sc->working_set_mb * PAGES_PER_MB) {
        memset(p->written, 0xff, p->sc->working_set_mb * PAGES_PER_MB / 8); /* none is left out */
        p->writes_due = 0;
    }
    for (; p->writes_due >= 1; p->writes_due--) {
        uint64_t page = rng_below(&p->rng, p->sc->working_set_mb * PAGES_PER_MB);

        p->written[page / 64] |= UINT64_C(1) << (page % 64);
    }
}

/* Sends the next 'n' pages that are dirty, as QEMU goes round its memory. */
static void send_pages(struct play *p, uint64_t n)
{
    p->left -= n;
    p->sent_bytes += n * PAGE_SENT;
    p->window_pages += n;
    for (; n; p->cursor = (p->cursor + 1) % p->words) {
        uint64_t *w = &p->dirty[p->cursor];
        uint64_t here = (uint64_t)__builtin_popcountll(*w);

        for (uint64_t some = here < n ? here : n; some; some--, n--)
            *w &= *w - 1; /* the lowest one */
        if (*w)
            return;
    }
}

/* What was written becomes dirty; how many were not so already. */
static uint64_t collect(struct play *p)
{
    uint64_t found = 0;

    guest_writes(p, p->t);
    for (uint64_t i = 0; i < p->words; i++) {
        found += (uint64_t)__builtin_popcountll(p->written[i] & ~p->dirty[i]);
        p->dirty[i] |= p->written[i];
        p->written[i] = 0;
    }
    p->left += found;
    return found;
}

/* --- rounds -------------------------------------------------------------------------------- */

static struct true_round *last_round(struct play *p)
{
    return &p->m->rounds.at[p->m->rounds.n - 1];
}

static void begin_round(struct play *p, ns_t t, uint64_t dirty_pages, bool stopped)
{
    p->rounds++;
    if (!p->silent)
        *vec_push(&p->m->rounds) = (struct true_round){
            .start = t, .dirty_pages = dirty_pages, .sent_bytes = p->sent_bytes, .stopped = stopped
        };
}

static void end_round(struct play *p, ns_t t, bool cut)
{
    if (p->silent || p->m->rounds.n == 0)
        return;
    last_round(p)->end = t;
    last_round(p)->sent_bytes = p->sent_bytes - last_round(p)->sent_bytes;
    last_round(p)->cut = cut;
}

/* Every second time that more than half as much was written as was sent, the guest is slowed. */
static void trigger_throttle(struct play *p)
{
    uint64_t sent = p->sent_bytes - p->period_sent0;

    if (!p->sc->auto_converge || p->period_dirty * PAGE <= sent / 2 || ++p->high < 2)
        return;
    p->high = 0;
    p->throttle = p->throttle == 0 ? 20 : p->throttle < 89 ? p->throttle + 10 : 99;
    SENDER(p, p->t, QE_THROTTLE, NOTHING);
    SENDER(p, p->t + 1 * US_NS, QE_CPU_THROTTLE, ctfw_i(p->throttle));
}

/* A look at what the guest wrote.  QEMU tells what it found in a period of a second or more, so
 * that the figures of several looks in one period include each other. */
static uint64_t sync_pages(struct play *p)
{
    SENDER(p, p->t, QE_SYNC_START, NOTHING);
    p->t += some_us(p, 250) + (ns_t)(p->pages * 20);
    uint64_t found = collect(p);

    p->period_dirty += found;
    SENDER(p, p->t, QE_SYNC_END, ctfw_u(p->period_dirty));
    if (p->period_t0 == 0)
        p->period_t0 = p->t;
    if (p->t / MS_NS > p->period_t0 / MS_NS + 1000) {
        trigger_throttle(p);
        p->period_t0 = p->t;
        p->period_dirty = 0;
        p->period_sent0 = p->sent_bytes;
    }
    return found;
}

/* --- sending ------------------------------------------------------------------------------- */

static void begin_window(struct play *p)
{
    ns_t late = rng_below(&p->rng, 8) == 0 ? (ns_t)rng_below(&p->rng, 8 * MS_NS)
                                           : (ns_t)rng_below(&p->rng, MS_NS);

    p->window_t0 = p->t;
    p->window_ns = WINDOW_NS + late;
    p->window_pages = 0;
}

static void end_window(struct play *p)
{
    uint64_t bytes = p->window_pages * PAGE_SENT;
    uint64_t ms = (uint64_t)(p->t / MS_NS - p->window_t0 / MS_NS);
    double per_ms = ms ? (double)bytes / (double)ms : 0;

    p->limit_bytes = per_ms * (double)p->sc->downtime_limit_ms;
    SENDER(p, p->t, QE_TRANSFERRED, ctfw_u(bytes), ctfw_u(ms), ctfw_u((uint64_t)per_ms),
           ctfw_u((uint64_t)p->limit_bytes));
    begin_window(p);
}

static bool is_low(const struct play *p)
{
    return p->left == 0 || (double)(p->left * PAGE) < p->limit_bytes;
}

static void note_pending(struct play *p)
{
    uint64_t bytes = p->left * PAGE;

    SENDER(p, p->t + 2 * US_NS, QE_PENDING, ctfw_u(bytes), ctfw_u((uint64_t)p->limit_bytes),
           ctfw_u(bytes), ctfw_u(0), ctfw_u(0));
}

/* What a page takes now, in ns. */
static double page_time(const struct play *p)
{
    return PAGE_SENT * 1e9 / migrate_rate(p->s, p->sc, p->t - p->s->begin);
}

/* Sends until the window or the memory ends, or something is in the way: then false. */
static bool send_some(struct play *p)
{
    double per_page = page_time(p);
    uint64_t room = p->window_budget - p->window_pages;
    uint64_t n = p->left < room ? p->left : room;
    double most = WINDOW_NS / per_page; /* slower than it may: QEMU looks at the time meanwhile */

    if ((double)n > most * 1.01 + 1)
        n = (uint64_t)most + 1;
    ns_t done = p->t + (ns_t)(per_page * (double)n) + 1;

    SENDER(p, p->t + 5 * US_NS, QE_SAVE_ITERATE, NOTHING);
    if (n == room && done < p->window_t0 + p->window_ns)
        done = p->window_t0 + p->window_ns; /* the rest of it, it sleeps */
    if (p->cut && done >= p->cut_at) {
        ns_t until = p->cut_at > p->t ? p->cut_at : p->t;
        uint64_t some = (uint64_t)((double)(until - p->t) / per_page);

        send_pages(p, some < n ? some : n);
        p->t = until;
        return false;
    }
    send_pages(p, n);
    p->t = done;
    if (p->t >= p->window_t0 + p->window_ns)
        end_window(p);
    return true;
}

/* Rounds, until little enough is left: true. */
static bool iterate(struct play *p, size_t most_rounds)
{
    while (p->rounds <= most_rounds && p->s->migrations->notes.n < MOST_NOTES) {
        if (is_low(p)) {
            uint64_t found = sync_pages(p);

            end_round(p, p->t, false);
            note_pending(p);
            if (is_low(p))
                return true;
            begin_round(p, p->t, found, false);
        } else {
            note_pending(p);
        }
        if (!send_some(p))
            return false;
    }
    return false;
}

/* --- how it begins and ends ------------------------------------------------------------------ */

static void note_parameters(struct play *p)
{
    struct arena *mem = &p->s->mem;
    const char *json =
        arena_printf(mem, "{\"downtime-limit\": %" PRIu64 ", \"max-bandwidth\": %.0f}",
                     p->sc->downtime_limit_ms, p->sc->bandwidth_mb_s * (1 << 20));
    const char *uri = arena_printf(mem, "{\"uri\": \"tcp:%s:49152\"}", p->m->destination->host->ip);

    MAIN(p, p->m->start - some_us(p, 4000), QE_SET_PARAMETERS, TEXT(json));
    MAIN(p, p->m->start - some_us(p, 20), QE_MIGRATE, TEXT(uri));
    MAIN(p, p->m->start, QE_STATE, TEXT("setup"));
}

static void finish(struct play *p, const char *outcome, ns_t end)
{
    p->m->outcome = outcome;
    p->m->end = end;
}

static void source_cleans_up(struct play *p, ns_t t)
{
    MAIN(p, t, QE_SAVE_CLEANUP, NOTHING);
    MAIN(p, t + 15 * US_NS, QE_DIRTY_LOG, ctfw_u(0));
    MAIN(p, t + 60 * US_NS, QE_CLEANUP, NOTHING);
}

/* The destination gives up: what it was to load is not all there. */
static void destination_fails(struct play *p, ns_t t, int error)
{
    TARGET(p, t, QE_LOAD_END, ctfw_i(error));
    TARGET(p, t + 8 * US_NS, QE_LOAD_CLEANUP, NOTHING);
    TARGET(p, t + 25 * US_NS, QE_INCOMING_END, ctfw_i(error), ctfw_i(0));
    TARGET(p, t + 40 * US_NS, QE_STATE, TEXT("failed"));
}

static void fails_in_setup(struct play *p)
{
    ns_t t = p->m->start + p->sc->setup_ns / 2;

    MAIN(p, t, QE_ERROR,
         TEXT(p->sc->message
                  ? p->sc->message
                  : arena_printf(&p->s->mem, "Failed to connect to '%s:49152': Connection refused",
                                 p->m->destination->host->ip)));
    MAIN(p, t + 9 * US_NS, QE_STATE, TEXT("failed"));
    MAIN(p, t + 60 * US_NS, QE_CLEANUP, NOTHING);
    finish(p, "failed", t + 9 * US_NS);
}

static void set_up(struct play *p)
{
    ns_t t = p->m->start + p->sc->setup_ns / 3;
    const char *ip = p->m->destination->host->ip, *type = "qio-channel-socket";

    MAIN(p, t, QE_CONNECTED, TEXT(ip));
    MAIN(p, t + 18 * US_NS, QE_CHANNEL_OUT, ctfw_u(UINT64_C(0x55a769b2b920)), TEXT(type), TEXT(ip),
         ctfw_u(0));
    ns_t there = t + some_us(p, 350);

    TARGET(p, there, QE_ACCEPTED, NOTHING);
    TARGET(p, there + 20 * US_NS, QE_CHANNEL_IN, ctfw_u(UINT64_C(0x5648b81fc600)), TEXT(type));
    TARGET(p, there + 70 * US_NS, QE_STATE, TEXT("active"));
    p->t = t + some_us(p, 1700);
    SENDER(p, p->t, QE_SAVE_HEADER, NOTHING);
    SENDER(p, p->t + 60 * US_NS, QE_SAVE_SETUP, NOTHING);
    SENDER(p, p->t + 80 * US_NS, QE_DIRTY_LOG, ctfw_u(1));
    p->written_until = p->t + 80 * US_NS;
    ns_t sync_at = p->m->start + p->sc->setup_ns - some_us(p, 300);

    p->t = sync_at > p->t + 100 * US_NS ? sync_at : p->t + 100 * US_NS;
    sync_pages(p); /* finds nothing new: all is dirty */
    SENDER(p, p->t + 150 * US_NS, QE_STATE, TEXT("active"));
    SENDER(p, p->t + 180 * US_NS, QE_SETUP_DONE, NOTHING);
    begin_round(p, p->t, p->pages, false);
    p->t += 190 * US_NS;
    TARGET(p, p->t + some_us(p, 900), QE_LOAD_SETUP, NOTHING);
    begin_window(p);
}

/* The guest goes on at the source. */
static void source_goes_on(struct play *p, ns_t t)
{
    MAIN(p, t, QE_RUNSTATE, ctfw_i(RUN_FINISH), TEXT("finish-migrate"), ctfw_i(RUN_RUNNING),
         TEXT("running"));
    MAIN(p, t + 10 * US_NS, QE_VM_STATE, ctfw_i(1), ctfw_i(RUN_RUNNING), TEXT("running"));
    p->m->run = t + 10 * US_NS;
}

static void stop_guest(struct play *p)
{
    SENDER(p, p->t + 8 * US_NS, QE_LOW_PENDING, ctfw_u(p->left * PAGE));
    SENDER(p, p->t + 15 * US_NS, QE_RUNSTATE, ctfw_i(RUN_RUNNING), TEXT("running"),
           ctfw_i(RUN_FINISH), TEXT("finish-migrate"));
    p->t += 30 * US_NS + some_us(p, 200); /* the vCPUs come to rest */
    guest_writes(p, p->t);
    SENDER(p, p->t, QE_VM_STATE, ctfw_i(0), ctfw_i(RUN_FINISH), TEXT("finish-migrate"));
    p->m->stop = p->t;
    SENDER(p, p->t + 20 * US_NS, QE_VM_STOP, ctfw_i(0));
    SENDER(p, p->t + 26 * US_NS, QE_SAVE_COMPLETE, NOTHING);
}

static void destination_runs(struct play *p, ns_t t)
{
    TARGET(p, t, QE_POST_LOAD, TEXT("running"));
    TARGET(p, t + 8 * US_NS, QE_LOAD_END, ctfw_i(0));
    TARGET(p, t + 36 * US_NS, QE_LOAD_CLEANUP, NOTHING);
    TARGET(p, t + 43 * US_NS, QE_INCOMING_END, ctfw_i(0), ctfw_i(0));
    TARGET(p, t + 120 * US_NS, QE_RUNSTATE, ctfw_i(RUN_INMIGRATE), TEXT("inmigrate"),
           ctfw_i(RUN_RUNNING), TEXT("running"));
    TARGET(p, t + 130 * US_NS, QE_VM_STATE, ctfw_i(1), ctfw_i(RUN_RUNNING), TEXT("running"));
    TARGET(p, t + 150 * US_NS, QE_STATE, TEXT("completed"));
    p->m->run = t + 130 * US_NS;
}

/* The rest, while the guest does not run. */
static void stop_and_copy(struct play *p)
{
    ns_t begun = p->m->stop;
    double per_page = page_time(p);

    p->t += 35 * US_NS;
    begin_round(p, begun, 0, true);
    uint64_t found = sync_pages(p);

    if (!p->silent)
        last_round(p)->dirty_pages = found;
    if (p->sc->fail_at == SC_FAIL_STOP) {
        p->t += (ns_t)(per_page * (double)p->left / 2);
        SENDER(p, p->t, QE_STOP_FILE_ERROR, NOTHING);
        SENDER(p, p->t + 12 * US_NS, QE_STATE, TEXT("failed"));
        end_round(p, p->t + 12 * US_NS, true);
        SENDER(p, p->t + 30 * US_NS, QE_AFTER_LOOP, NOTHING);
        source_goes_on(p, p->t + some_us(p, 90));
        source_cleans_up(p, p->t + some_us(p, 3000));
        destination_fails(p, p->t + some_us(p, 600), -5);
        finish(p, "failed", p->t + 12 * US_NS);
        return;
    }
    p->t += (ns_t)(per_page * (double)p->left) + some_us(p, 1500);
    send_pages(p, p->left);
    SENDER(p, p->t, QE_PRE_SAVE, TEXT("running"));
    p->t += some_us(p, 90);
    SENDER(p, p->t, QE_STATE, TEXT("completed"));
    end_round(p, p->t, false);
    SENDER(p, p->t + 20 * US_NS, QE_AFTER_LOOP, NOTHING);
    SENDER(p, p->t + 24 * US_NS, QE_RUNSTATE, ctfw_i(RUN_FINISH), TEXT("finish-migrate"),
           ctfw_i(RUN_POSTMIGRATE), TEXT("postmigrate"));
    source_cleans_up(p, p->t + some_us(p, 5000));
    if (p->sc->fail_at == SC_FAIL_LOAD) { /* libvirt lets the guest go on where it was */
        ns_t failed = p->t + some_us(p, 9000);

        destination_fails(p, failed, -22);
        MAIN(p, failed + 20 * MS_NS, QE_VM_STATE, ctfw_i(1), ctfw_i(RUN_RUNNING), TEXT("running"));
        p->m->run = failed + 20 * MS_NS;
        finish(p, "failed", p->t);
        return;
    }
    destination_runs(p, p->t + some_us(p, 30000));
    finish(p, "completed", p->t);
}

static void is_cut(struct play *p)
{
    ns_t t = p->t;

    if (p->cut == CUT_LIMIT) {
        end_round(p, t, true);
        finish(p, "running", 0);
        return;
    }
    if (p->cut == CUT_FAIL) {
        SENDER(p, t, QE_FILE_ERROR, NOTHING);
        SENDER(p, t + 12 * US_NS, QE_STATE, TEXT("failed"));
        SENDER(p, t + 30 * US_NS, QE_AFTER_LOOP, NOTHING);
        source_cleans_up(p, t + some_us(p, 2000));
        destination_fails(p, t + some_us(p, 4000), -5);
        end_round(p, t + 12 * US_NS, true);
        finish(p, "failed", t + 12 * US_NS);
        return;
    }
    ns_t cancelled = t + some_us(p, 24000);

    MAIN(p, t, QE_MIGRATE_CANCEL, TEXT("{}"));
    MAIN(p, t + 23 * US_NS, QE_CANCEL, NOTHING);
    MAIN(p, t + 30 * US_NS, QE_STATE, TEXT("cancelling"));
    destination_fails(p, t + some_us(p, 4000), -22);
    SENDER(p, cancelled - 600 * US_NS, QE_AFTER_LOOP, NOTHING);
    source_cleans_up(p, cancelled - 400 * US_NS);
    MAIN(p, cancelled, QE_STATE, TEXT("cancelled"));
    end_round(p, cancelled, true);
    finish(p, "cancelled", cancelled);
}

static void play(struct play *p)
{
    const struct sc_migration *sc = p->sc;

    note_parameters(p);
    if (sc->fail_at == SC_FAIL_SETUP) {
        fails_in_setup(p);
        return;
    }
    set_up(p);
    bool low = iterate(p, SIZE_MAX - 1);

    if (low) {
        p->m->ends = true;
        stop_guest(p);
        stop_and_copy(p);
        return;
    }
    ns_t cut_at = p->t;
    uint64_t sent_bytes = p->sent_bytes;
    enum cut why = p->cut;

    p->silent = true;
    p->cut = CUT_NONE;
    p->m->ends = iterate(p, p->rounds + SILENT_ROUNDS);
    p->silent = false;
    p->t = cut_at;
    p->sent_bytes = sent_bytes;
    p->cut = why;
    is_cut(p);
}

/* --- all of them -------------------------------------------------------------------------------
 */

/* Where the VM is: the process that was there all the time, or that the last migration left. */
static struct qemu_proc *process_at(struct sim *s, const char *vm, const char *host, ns_t t)
{
    struct migrations *m = s->migrations;
    bool known = false;

    for (size_t i = 0; i < m->procs.n; i++) {
        struct qemu_proc *p = m->procs.at[i];

        if (strcmp(p->vm, vm) != 0)
            continue;
        known = true;
        if (strcmp(p->host->sc->name, host) == 0 && p->to == 0 && p->from < t)
            return p;
    }
    if (known)
        return NULL;
    struct qemu_proc *p = arena_new(&s->mem, struct qemu_proc);

    *vec_push(&m->procs) = p;
    p->vm = vm;
    return p;
}

static const struct host *host_named(const struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->hosts.n; i++)
        if (strcmp(s->hosts.at[i].sc->name, name) == 0)
            return &s->hosts.at[i];
    return NULL;
}

static int new_pid(struct sim *s)
{
    struct migrations *m = s->migrations;
    struct rng r;

    rng_seed(&r, s->sc->seed + (uint64_t)m->next_pid);
    m->next_pid += 8 + (int)rng_below(&r, 30);
    return m->next_pid;
}

/* When something is in its way. */
static void plan_cut(struct play *p)
{
    const struct sc_migration *sc = p->sc;
    double send_ns = (double)sc->memory_mb / sc->bandwidth_mb_s * 1e9;

    ns_t cancel_at = p->m->start + sc->cancel_after_ns;
    ns_t fail_at = p->m->start + sc->setup_ns + (ns_t)(send_ns / 2);

    p->cut = CUT_LIMIT;
    p->cut_at = p->s->migrations->limit;
    if (sc->outcome == SC_CANCELLED && cancel_at < p->cut_at) {
        p->cut = CUT_CANCEL;
        p->cut_at = cancel_at;
    }
    if (sc->fail_at == SC_FAIL_PRECOPY && fail_at < p->cut_at) {
        p->cut = CUT_FAIL;
        p->cut_at = fail_at;
    }
}

/* Processes come before and go after, as libvirt has it. */
static void set_lives(struct true_migration *m, struct qemu_proc *source, struct qemu_proc *target)
{
    bool moved = strcmp(m->outcome, "completed") == 0;

    if (moved)
        source->to = m->run + 250 * MS_NS;
    else if (m->end)
        target->to = m->end + 150 * MS_NS;
}

static int play_one(struct sim *s, size_t i)
{
    const struct sc_migration *sc = &s->sc->migrations.at[i];
    struct migrations *all = s->migrations;
    struct true_migration *m = vec_push(&all->list);
    ns_t start = s->begin + sc->at_ns;
    struct qemu_proc *source = process_at(s, sc->vm, sc->from, start);

    *m = (struct true_migration){ .sc = sc, .start = start };
    if (!source)
        return err_set(s->err, E_ARG, "migrations[%zu].from: %s is not at %s then", i, sc->vm,
                       sc->from);
    if (!source->host) {
        source->host = host_named(s, sc->from);
        source->pid = new_pid(s);
    }
    struct qemu_proc *target = arena_new(&s->mem, struct qemu_proc);

    *vec_push(&all->procs) = target;
    *target = (struct qemu_proc){
        .vm = sc->vm, .host = host_named(s, sc->to), .pid = new_pid(s), .from = start - 90 * MS_NS
    };
    m->source = source;
    m->destination = target;
    m->tid = new_pid(s);
    struct play p = { .s = s,
                      .m = m,
                      .sc = sc,
                      .t = start,
                      .written_until = start,
                      .pages = sc->memory_mb * PAGES_PER_MB,
                      .window_budget =
                          (uint64_t)(sc->bandwidth_mb_s * (1 << 20) / 10 / PAGE_SENT) };

    p.words = p.pages / 64;
    p.left = p.pages;
    p.window_budget = p.window_budget ? p.window_budget : 1;
    p.dirty = xcalloc(p.words, sizeof *p.dirty);
    p.written = xcalloc(p.words, sizeof *p.written);
    memset(p.dirty, 0xff, p.words * sizeof *p.dirty);
    rng_seed(&p.rng, (s->sc->seed + 1) * UINT64_C(0x9e3779b97f4a7c15) + i);
    plan_cut(&p);
    play(&p);
    free(p.dirty);
    free(p.written);
    if (all->notes.n >= MOST_NOTES)
        return err_set(s->err, E_LIMIT, "migrations[%zu]: more than %d events of QEMU in all", i,
                       MOST_NOTES);
    set_lives(m, source, target);
    *vec_push(&all->senders) = (struct qemu_sender){ source, sc, m->tid, start, m->end };
    return 0;
}

int migrate_play(struct sim *s)
{
    if (s->sc->migrations.n == 0)
        return 0;
    s->migrations = xcalloc(1, sizeof *s->migrations);
    s->migrations->limit = s->begin + s->sc->duration_ns;
    s->migrations->next_pid = FIRST_PID;
    for (size_t i = 0; i < s->sc->migrations.n; i++)
        if (play_one(s, i) < 0)
            return -(int)s->err->code;
    if (s->sc->kernel && s->migrations->next_pid >= s->sc->kernel->pid_max)
        return err_set(s->err, E_ARG, "kernel.pid_max: too small for the processes of migrations");
    return 0;
}

const struct qemu_proc *migrate_process(const struct sim *s, const struct host *h, const char *vm,
                                        size_t *i)
{
    const struct migrations *m = s->migrations;

    while (m && *i < m->procs.n) {
        const struct qemu_proc *p = m->procs.at[(*i)++];

        if (p->host == h && strcmp(p->vm, vm) == 0)
            return p;
    }
    return NULL;
}

const struct qemu_sender *migrate_sender(const struct sim *s, const struct qemu_proc *p, size_t *i)
{
    const struct migrations *m = s->migrations;

    while (m && *i < m->senders.n) {
        const struct qemu_sender *x = &m->senders.at[(*i)++];

        if (x->proc == p)
            return x;
    }
    return NULL;
}

void migrate_free(struct sim *s)
{
    struct migrations *m = s->migrations;

    if (!m)
        return;
    for (size_t i = 0; i < m->list.n; i++)
        vec_free(&m->list.at[i].rounds);
    vec_free(&m->list);
    vec_free(&m->procs);
    vec_free(&m->senders);
    vec_free(&m->notes);
    free(m);
}
