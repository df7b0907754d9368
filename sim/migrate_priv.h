/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate_priv.h -- what migrate.c, which plays, and migrate_trace.c, which writes, share. */
#ifndef SIM_MIGRATE_PRIV_H
#define SIM_MIGRATE_PRIV_H

#include "sim/migrate.h"

/* id, name behind "qemu:", fields (migrate_trace.c); QEMU 7.2, but for cpu_throttle_set. */
#define QEMU_EVENTS(X)                                                 \
    X(QE_STATE, "migrate_set_state", q_state)                          \
    X(QE_SET_PARAMETERS, "qmp_enter_migrate_set_parameters", q_json)   \
    X(QE_MIGRATE, "qmp_enter_migrate", q_json)                         \
    X(QE_MIGRATE_CANCEL, "qmp_enter_migrate_cancel", q_json)           \
    X(QE_CANCEL, "migrate_fd_cancel", q_none)                          \
    X(QE_CLEANUP, "migrate_fd_cleanup", q_none)                        \
    X(QE_ERROR, "migrate_fd_error", q_error)                           \
    X(QE_CONNECTED, "migration_socket_outgoing_connected", q_host)     \
    X(QE_ACCEPTED, "migration_socket_incoming_accepted", q_none)       \
    X(QE_CHANNEL_OUT, "migration_set_outgoing_channel", q_channel_out) \
    X(QE_CHANNEL_IN, "migration_set_incoming_channel", q_channel_in)   \
    X(QE_SAVE_HEADER, "savevm_state_header", q_none)                   \
    X(QE_SAVE_SETUP, "savevm_state_setup", q_none)                     \
    X(QE_SAVE_ITERATE, "savevm_state_iterate", q_none)                 \
    X(QE_SAVE_COMPLETE, "savevm_state_complete_precopy", q_none)       \
    X(QE_SAVE_CLEANUP, "savevm_state_cleanup", q_none)                 \
    X(QE_DIRTY_LOG, "global_dirty_changed", q_bitmask)                 \
    X(QE_SYNC_START, "migration_bitmap_sync_start", q_none)            \
    X(QE_SYNC_END, "migration_bitmap_sync_end", q_pages)               \
    X(QE_THROTTLE, "migration_throttle", q_none)                       \
    X(QE_CPU_THROTTLE, "cpu_throttle_set", q_percent)                  \
    X(QE_SETUP_DONE, "migration_thread_setup_complete", q_none)        \
    X(QE_PENDING, "migrate_pending", q_pending)                        \
    X(QE_TRANSFERRED, "migrate_transferred", q_transferred)            \
    X(QE_LOW_PENDING, "migration_thread_low_pending", q_low)           \
    X(QE_AFTER_LOOP, "migration_thread_after_loop", q_none)            \
    X(QE_FILE_ERROR, "migration_thread_file_err", q_none)              \
    X(QE_STOP_FILE_ERROR, "migration_completion_file_err", q_none)     \
    X(QE_RUNSTATE, "runstate_set", q_runstate)                         \
    X(QE_VM_STATE, "vm_state_notify", q_vm_state)                      \
    X(QE_VM_STOP, "migration_completion_vm_stop", q_ret)               \
    X(QE_PRE_SAVE, "migrate_global_state_pre_save", q_global)          \
    X(QE_POST_LOAD, "migrate_global_state_post_load", q_global)        \
    X(QE_LOAD_SETUP, "loadvm_state_setup", q_none)                     \
    X(QE_LOAD_CLEANUP, "loadvm_state_cleanup", q_none)                 \
    X(QE_LOAD_END, "qemu_loadvm_state_post_main", q_ret)               \
    X(QE_INCOMING_END, "process_incoming_migration_co_end", q_incoming)

enum qemu_event {
#define X(id, name, fields) id,
    QEMU_EVENTS(X)
#undef X
        QE_COUNT
};

enum { QEMU_VALUES = 5, QEMU_UID = 64055 /* libvirt-qemu of Debian */ };

/* RunState of QEMU 7.2, qapi/run-state.json. */
enum run_state { RUN_INMIGRATE = 1, RUN_POSTMIGRATE = 5, RUN_FINISH = 7, RUN_RUNNING = 9 };

/* One event to be written. */
struct qemu_note {
    ns_t t;       /* true time */
    uint64_t seq; /* equal times keep their order */
    const struct qemu_proc *proc;
    int tid; /* the process's pid: its main thread */
    bool incoming;
    enum qemu_event event;
    struct ctfw_val v[QEMU_VALUES];
};

struct true_round {
    ns_t start, end;
    uint64_t dirty_pages; /* written since the last look, what it had not sent yet aside */
    uint64_t sent_bytes;
    bool stopped, cut; /* the guest did not run; what it sent was not told */
};

struct true_migration {
    const struct sc_migration *sc;
    const struct qemu_proc *source, *destination;
    int tid;
    const char *outcome;
    ns_t start, end, stop, run; /* end 0: it was going on; stop, run 0: never */
    bool ends;                  /* would it end if nothing was in its way? */
    VEC(struct true_round) rounds;
};

/* A process's threads are few and a trace of QEMU is small: all is kept until it is written. */
struct migrations {
    VEC(struct true_migration) list;
    VEC(struct qemu_proc *) procs;
    VEC(struct qemu_sender) senders;
    VEC(struct qemu_note) notes;
    ns_t limit; /* nothing is written later */
    int next_pid;
};

/* The bytes that it can send in a second, 'at' after the start of the simulation. */
double migrate_rate(const struct sim *s, const struct sc_migration *m, ns_t at);

#endif
