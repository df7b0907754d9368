/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_migration.c -- what QEMU does about a migration, on one host.
 *
 * QEMU's trace events come from several back ends and versions (model/events.h), its answers to
 * QMP from logs; here they become rows of one kind, without what no report of a migration asks
 * for.  Which rows are of one process, which processes are the two ends of one migration, and what
 * that was, needs other hosts and layers: report/migration.c. */
#include "analysis/list.h"
#include "engine/engine.h"

enum { SOURCES = 1024 };

struct qemu_migration {
    ns_t sync_t0[SOURCES]; /* of the sync that goes on; 0 = none */
};

static void put(struct pass *p, const struct ev_head *h, enum qemu_what what, int64_t a, int64_t b,
                struct str text)
{
    cell_t cells[qemu_columns] = {
        [C_qemu_t0] = h->t,    [C_qemu_t1] = h->t,    [C_qemu_source] = h->source,
        [C_qemu_pid] = h->pid, [C_qemu_tid] = h->tid, [C_qemu_what] = what,
        [C_qemu_a] = a,        [C_qemu_b] = b,        [C_qemu_text] = pass_text(p, text)
    };

    pass_record(p, TABLE_qemu, cells);
}

#define POINT(name, what)                                                                  \
    static void name(void *state, struct pass *p, const struct ev_head *h, const void *ev) \
    {                                                                                      \
        (void)state;                                                                       \
        (void)ev;                                                                          \
        put(p, h, what, 0, 0, STR(""));                                                    \
    }
POINT(on_cancel, QEMU_CANCEL)
POINT(on_setup_done, QEMU_SETUP_DONE)
POINT(on_stops, QEMU_STOPS)
POINT(on_channel_in, QEMU_INCOMING)
POINT(on_save_setup, QEMU_SAVE_SETUP)
POINT(on_save_complete, QEMU_SAVE_COMPLETE)
POINT(on_save_end, QEMU_SAVE_END)
POINT(on_load_setup, QEMU_LOAD_SETUP)
POINT(on_load_end, QEMU_LOAD_END)
POINT(on_postcopy, QEMU_POSTCOPY)
POINT(on_postcopy_run, QEMU_POSTCOPY_RUN)
POINT(on_postcopy_end, QEMU_POSTCOPY_END)
POINT(on_page_fault, QEMU_PAGE_FAULT)
#undef POINT

/* Before QEMU 2.12 states were numbers (qapi/migration.json, in this order). */
static struct str state_name(const struct ev_qemu_migrate_state *ev)
{
    static const char *const names[] = { "none",   "setup",     "cancelling", "cancelled",
                                         "active", "completed", "failed" };

    if (ev->state_name.n)
        return ev->state_name;
    return ev->state >= 0 && ev->state < (int64_t)ARRAY_SIZE(names) ? str_of(names[ev->state])
                                                                    : STR("");
}

static void on_state(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    (void)state;
    put(p, h, QEMU_STATE, 0, 0, state_name(ev));
}

static void on_error(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_migrate_error *ev = evp;

    (void)state;
    put(p, h, QEMU_ERROR, 0, 0, ev->error);
}

static void on_pending(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_pending *ev = evp;

    (void)state;
    put(p, h, QEMU_PENDING, ev->bytes, ev->max_bytes, STR(""));
}

static void on_low_pending(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_low_pending *ev = evp;

    (void)state;
    put(p, h, QEMU_LOW_PENDING, ev->bytes, 0, STR(""));
}

static void on_transferred(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_transferred *ev = evp;
    cell_t cells[qemu_columns] = {
        [C_qemu_t0] = h->t,        [C_qemu_t1] = h->t,    [C_qemu_source] = h->source,
        [C_qemu_pid] = h->pid,     [C_qemu_tid] = h->tid, [C_qemu_what] = QEMU_TRANSFERRED,
        [C_qemu_a] = ev->bytes,    [C_qemu_b] = ev->ms,   [C_qemu_c] = ev->bandwidth,
        [C_qemu_d] = ev->max_bytes
    };

    (void)state;
    pass_record(p, TABLE_qemu, cells);
}

static void on_vm(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_vm_state *ev = evp;

    (void)state;
    put(p, h, QEMU_VM, ev->running, ev->reason, ev->reason_name);
}

static void on_connected(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_socket_connected *ev = evp;

    (void)state;
    put(p, h, QEMU_OUTGOING, 0, 0, ev->hostname);
}

static void on_channel_out(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_channel_out *ev = evp;

    (void)state;
    put(p, h, QEMU_OUTGOING, 0, 0, ev->hostname);
}

static void on_sync_begin(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    struct qemu_migration *m = state;

    (void)p;
    (void)ev;
    if (h->source < SOURCES)
        m->sync_t0[h->source] = h->t;
}

static void on_sync_end(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    struct qemu_migration *m = state;
    const struct ev_qemu_sync_end *ev = evp;
    ns_t begun = h->source < SOURCES ? m->sync_t0[h->source] : 0;
    cell_t cells[qemu_columns] = { [C_qemu_t0] = begun ? begun : h->t,
                                   [C_qemu_t1] = h->t,
                                   [C_qemu_source] = h->source,
                                   [C_qemu_pid] = h->pid,
                                   [C_qemu_tid] = h->tid,
                                   [C_qemu_what] = QEMU_SYNC,
                                   [C_qemu_a] = ev->dirty_pages };

    if (h->source < SOURCES)
        m->sync_t0[h->source] = 0;
    pass_record(p, TABLE_qemu, cells);
}

static void on_throttle(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_cpu_throttle *ev = evp;

    (void)state;
    put(p, h, QEMU_THROTTLE, ev->percent, 0, STR(""));
}

static void on_incoming_end(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_incoming_end *ev = evp;

    (void)state;
    put(p, h, QEMU_INCOMING_END, ev->ret, 0, STR(""));
}

/* --- QMP ------------------------------------------------------------------------------- */

/* The whole number behind "key": in JSON that may be cut; -1: there is none. */
static int64_t number_of(struct str json, const char *key)
{
    size_t at = str_find(json, str_of(key), 0);
    int64_t n = 0;
    bool any = false;

    if (at == STR_NONE)
        return -1;
    for (at += strlen(key); at < json.n && (json.p[at] == ' ' || json.p[at] == ':'); at++)
        ;
    for (; at < json.n && json.p[at] >= '0' && json.p[at] <= '9' && n < INT64_MAX / 10 - 9; at++) {
        n = n * 10 + (json.p[at] - '0');
        any = true;
    }
    return any ? n : -1;
}

static void on_command(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_command_begin *ev = evp;
    struct str name = ev_name_rest(EV_QEMU_COMMAND_BEGIN, h->name);

    (void)state;
    if (str_is(name, "migrate_set_parameters"))
        put(p, h, QEMU_PARAMETERS, number_of(ev->arguments, "\"max-bandwidth\""),
            number_of(ev->arguments, "\"downtime-limit\""), STR(""));
    else if (str_is(name, "migrate"))
        put(p, h, QEMU_MIGRATE, 0, 0, ev->arguments);
}

static void on_info(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qmp_migrate_info *ev = evp;
    cell_t cells[qmp_info_columns] = {
        [C_qmp_info_t0] = h->t,
        [C_qmp_info_t1] = h->t,
        [C_qmp_info_source] = h->source,
        [C_qmp_info_pid] = h->pid,
        [C_qmp_info_status] = pass_text(p, ev->status),
        [C_qmp_info_error] = pass_text(p, ev->error),
        [C_qmp_info_total_ms] = ev->total_ms,
        [C_qmp_info_downtime_ms] = ev->downtime_ms,
        [C_qmp_info_expected_ms] = ev->expected_downtime_ms,
        [C_qmp_info_setup_ms] = ev->setup_ms,
        [C_qmp_info_transferred] = ev->transferred_bytes,
        [C_qmp_info_remaining] = ev->remaining_bytes,
        [C_qmp_info_total] = ev->total_bytes,
        [C_qmp_info_zero_pages] = ev->zero_pages,
        [C_qmp_info_normal_pages] = ev->normal_pages,
        [C_qmp_info_dirty_rate] = ev->dirty_pages_per_s,
        [C_qmp_info_syncs] = ev->syncs,
        [C_qmp_info_page_bytes] = ev->page_bytes,
        [C_qmp_info_throttle] = ev->throttle_percent,
    };

    (void)state;
    pass_record(p, TABLE_qmp_info, cells);
}

static void on_qmp(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qmp_event *ev = evp;
    struct str name = ev_name_rest(EV_QMP_EVENT, h->name);

    (void)state;
    if (str_is(name, "MIGRATION"))
        put(p, h, QEMU_STATE, 1, 0, ev->status);
    else if (str_is(name, "MIGRATION_PASS"))
        put(p, h, QEMU_PASS, ev->pass, 0, STR(""));
    else if (str_is(name, "STOP") || str_is(name, "RESUME"))
        put(p, h, QEMU_VM, str_is(name, "RESUME"), 0, name);
    else if (str_is(name, "migrate"))
        put(p, h, QEMU_MIGRATE, 0, 0, ev->uri);
    if (ev->max_bandwidth > 0 || ev->downtime_limit_ms > 0)
        put(p, h, QEMU_PARAMETERS, ev->max_bandwidth ? ev->max_bandwidth : -1,
            ev->downtime_limit_ms ? ev->downtime_limit_ms : -1, STR(""));
}

static const struct handler handlers[] = {
    { EV_QEMU_MIGRATE_STATE, on_state },
    { EV_QEMU_MIGRATE_ERROR, on_error },
    { EV_QEMU_MIGRATE_CANCEL, on_cancel },
    { EV_QEMU_SETUP_COMPLETE, on_setup_done },
    { EV_QEMU_PENDING, on_pending },
    { EV_QEMU_LOW_PENDING, on_low_pending },
    { EV_QEMU_TRANSFERRED, on_transferred },
    { EV_QEMU_VM_STATE, on_vm },
    { EV_QEMU_COMPLETION_STOP, on_stops },
    { EV_QEMU_SOCKET_CONNECTED, on_connected },
    { EV_QEMU_CHANNEL_OUT, on_channel_out },
    { EV_QEMU_CHANNEL_IN, on_channel_in },
    { EV_QEMU_SYNC_BEGIN, on_sync_begin },
    { EV_QEMU_SYNC_END, on_sync_end },
    { EV_QEMU_CPU_THROTTLE, on_throttle },
    { EV_QEMU_SAVE_SETUP, on_save_setup },
    { EV_QEMU_SAVE_COMPLETE, on_save_complete },
    { EV_QEMU_SAVE_CLEANUP, on_save_end },
    { EV_QEMU_LOAD_SETUP, on_load_setup },
    { EV_QEMU_LOAD_END, on_load_end },
    { EV_QEMU_INCOMING_END, on_incoming_end },
    { EV_QEMU_POSTCOPY_BEGIN, on_postcopy },
    { EV_QEMU_POSTCOPY_RUN, on_postcopy_run },
    { EV_QEMU_POSTCOPY_END, on_postcopy_end },
    { EV_QEMU_PAGE_FAULT, on_page_fault },
    { EV_QEMU_COMMAND_BEGIN, on_command },
    { EV_QMP_MIGRATE_INFO, on_info },
    { EV_QMP_EVENT, on_qmp },
    { EV_OTHER, NULL },
};

const struct analysis an_qemu_migration = {
    .name = "qemu-migration",
    .title = "Migrations, as QEMU tells them",
    .layer = "virtualisation",
    .doc = "Keeps what QEMU's trace events and QMP say of a live migration: states, passes over "
           "memory, "
           "what is dirtied and sent, stops and starts of the guest.",
    .handlers = handlers,
    .state_size = sizeof(struct qemu_migration),
};
