/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_forms.c -- see qemu_forms.h.
 *
 * The table has what tells of a guest's life, of live migration and of QMP, from QEMU 2.5 to 10.
 * Sources: QEMU's migration/trace-events, system/trace-events, accel/kvm/trace-events,
 * hw/virtio/trace-events and monitor/trace-events of these versions. */
#include "input/qemu_forms.h"

#include <math.h>
#include <stdlib.h>

/* clang-format off */
static const struct qemu_form forms[] = {
    /* the guest */
    { "runstate_set", "current_run_state {current_state} ({current_state_str:s}) "
                      "new_state {new_state} ({new_state_str:s})" },
    { "runstate_set", "new state {new_state}" },
    { "vm_state_notify", "running {running} reason {reason} ({reason_str:s})" },
    { "vm_state_notify", "running {running} reason {reason}" },
    { "vm_stop_flush_all", "ret {ret}" },
    { "system_wakeup_request", "reason={reason}" },
    { "qemu_system_shutdown_request", "reason={reason}" },
    { "qemu_system_shutdown_request", "" },
    { "qemu_system_powerdown_request", "" },
    { "kvm_run_exit", "cpu_index {cpu_index}, reason {reason}" },
    { "kvm_dirty_ring_full", "vcpu {id}" },
    { "kvm_dirty_ring_reap", "reaped {count} pages (took {t} us)" },
    { "virtio_balloon_to_target", "balloon target: {target:x} num_pages: {num_pages}" },
    { "virtio_balloon_set_config", "actual: {actual} oldactual: {oldactual}" },
    { "virtio_balloon_get_config", "num_pages: {num_pages} actual: {actual}" },
    { "global_dirty_changed", "bitmask {bitmask:x}" },
    { "cpu_throttle_set", "set guest CPU throttled by {new_throttle_pct}%" },
    { "cpu_throttle_dirty_sync", "" },
    { "dirtylimit_state_initialize", "dirtylimit state initialize: max cpus {max_cpus}" },
    { "dirtylimit_state_finalize", "" },
    { "dirtylimit_throttle_pct", "CPU[{cpu_index}] throttle percent: {pct}, throttle adjust time "
                                 "{time_us} us" },
    { "dirtylimit_set_vcpu", "CPU[{cpu_index}] set dirty page rate limit {quota}" },
    { "dirtylimit_vcpu_execute", "CPU[{cpu_index}] sleep {sleep_time_us} us" },
    { "dirtyrate_set_state", "new state {new_state:s}" },
    { "dirtyrate_calculate", "dirty rate: {dirtyrate} MB/s" },

    /* a migration as a whole */
    { "migrate_set_state", "new state {new_state}" },
    { "migrate_set_state", "new state {new_state:s}" },
    { "migrate_fd_cleanup", "" },
    { "migration_cleanup", "" },
    { "migrate_fd_cancel", "" },
    { "migration_cancel", "" },
    { "migrate_fd_error", "error={error_desc:s}" },
    { "migrate_error", "error={error_desc:s}" },
    { "migrate_state_too_big", "" },
    { "migrate_global_state_post_load", "loaded state: {state:s}" },
    { "migrate_global_state_pre_save", "saved state: {state:s}" },
    { "migrate_pending", "pending size {size} max {max} (pre = {pre} compat={compat} post={post})" },
    { "migrate_pending", "pending size {size} max {max} (post={post} nonpost={nonpost})" },
    { "migrate_pending", "pending size {size} max {max}" },
    { "migrate_pending_exact", "exact pending size {size} (pre = {pre} post={post})" },
    { "migrate_pending_exact", "exact pending size {size} (pre = {pre} compat={compat} "
                               "post={post})" },
    { "migrate_pending_estimate", "estimate pending size {size} (pre = {pre} post={post})" },
    { "migrate_pending_estimate", "estimate pending size {size} (pre = {pre} compat={compat} "
                                  "post={post})" },
    { "migrate_transferred", "transferred {tranferred} time_spent {time_spent} bandwidth "
                             "{bandwidth:g} max_size {size}" },
    { "migrate_transferred", "transferred {transferred} time_spent {time_spent} bandwidth "
                             "{bandwidth:g} switchover_bw {avail_bw} max_size {size}" },
    { "migrate_handle_rp_req_pages", "in {rbname:s} at {start:x} len {len:x}" },
    { "migrate_send_rp_message", "{msg_type}: len {len}" },
    { "migrate_send_rp_recv_bitmap", "block '{name:s}' size 0x{size}" } /* sic: decimal */,
    { "migration_thread_setup_complete", "" },
    { "migration_thread_low_pending", "{pending}" },
    { "migration_thread_after_loop", "" },
    { "migration_thread_file_err", "" },
    { "migration_rate_limit_pre", "{ms} ms" },
    { "migration_rate_limit_post", "urgent: {urgent}" },
    { "migration_thread_ratelimit_pre", "{ms} ms" },
    { "migration_thread_ratelimit_post", "urgent: {urgent}" },
    { "migration_completion_vm_stop", "ret {ret}" },
    { "migration_completion_file_err", "" },
    { "migration_completion_postcopy_end", "" },
    { "migration_completion_postcopy_end_after_complete", "" },
    { "migration_completion_postcopy_end_before_rp", "" },
    { "migration_completion_postcopy_end_after_rp", "{rp_error}" },
    { "migration_return_path_end_before", "" },
    { "migration_return_path_end_after", "{rp_error}" },
    { "migration_return_path_end_after", "" },
    { "await_return_path_close_on_source_close", "" },
    { "await_return_path_close_on_source_joining", "" },
    { "open_return_path_on_source", "" },
    { "open_return_path_on_source_continue", "" },
    { "source_return_path_thread_bad_end", "" },
    { "source_return_path_thread_end", "" },
    { "source_return_path_thread_entry", "" },
    { "source_return_path_thread_loop_top", "" },
    { "source_return_path_thread_pong", "{val:x}" },
    { "source_return_path_thread_shut", "{val:x}" },
    { "source_return_path_thread_resume_ack", "{v}" },
    { "source_return_path_thread_switchover_acked", "" },
    { "process_incoming_migration_co_end", "ret={ret} postcopy-state={ps}" },
    { "process_incoming_migration_co_end", "ret={ret}" },
    { "process_incoming_migration_co_postcopy_end_main", "" },
    { "migration_set_incoming_channel", "ioc={ioc:x} ioctype={ioctype:s}" },
    { "migration_set_outgoing_channel", "ioc={ioc:x} ioctype={ioctype:s} hostname={hostname:s} "
                                        "err={err:x}" },
    { "migration_set_outgoing_channel", "ioc={ioc:x} ioctype={ioctype:s} hostname={hostname:s}" },
    { "migration_socket_incoming_accepted", "" },
    { "migration_socket_outgoing_connected", "hostname={hostname:s}" },
    { "migration_socket_outgoing_error", "error={err:s}" },
    { "migration_tls_outgoing_handshake_start", "hostname={hostname:s}" },
    { "migration_tls_outgoing_handshake_error", "err={err:s}" },
    { "migration_tls_outgoing_handshake_complete", "" },
    { "migration_tls_incoming_handshake_start", "" },
    { "migration_tls_incoming_handshake_error", "err={err:s}" },
    { "migration_tls_incoming_handshake_complete", "" },
    { "migration_exec_outgoing", "cmd={cmd:s}" },
    { "migration_exec_incoming", "cmd={cmd:s}" },
    { "migration_fd_outgoing", "fd={fd}" },
    { "migration_fd_incoming", "fd={fd}" },

    /* memory */
    { "migration_bitmap_sync_start", "" },
    { "migration_bitmap_sync_end", "dirty_pages {dirty_pages}" },
    { "migration_bitmap_clear_dirty", "rb {str:s} start {start:x} size {size:x} page {page:x}" },
    { "migration_throttle", "" },
    { "ram_save_page", "{rbname:s}: offset: {offset:x} host: {host:x}" },
    { "ram_save_queue_pages", "{rbname:s}: start: {start:x} len: {len:x}" },
    { "ram_save_iterate_big_wait", "big wait: {milliconds} milliseconds, {iterations} "
                                   "iterations" },
    { "ram_load_loop", "{rbname:s}: addr: {addr:x} flags: {flags:x} host: {host:x}" },
    { "ram_load_postcopy_loop", "chan={channel} addr={addr:x} flags={flags:x}" },
    { "ram_load_postcopy_loop", "@{addr:x} {flags:x}" },
    { "ram_load_complete", "exit_code {ret} seq iteration {seq_iter}" },
    { "ram_discard_range", "{rbname:s}: start: {start:x} {len:x}" },
    { "ram_postcopy_send_discard_bitmap", "" },
    { "ram_dirty_bitmap_request", "{str:s}" },
    { "ram_dirty_bitmap_reload_begin", "{str:s}" },
    { "ram_dirty_bitmap_reload_complete", "{str:s}" },
    { "ram_dirty_bitmap_sync_start", "" },
    { "ram_dirty_bitmap_sync_wait", "" },
    { "ram_dirty_bitmap_sync_complete", "" },
    { "ram_state_resume_prepare", "{v}" },
    { "save_xbzrle_page_skipping", "" },
    { "save_xbzrle_page_overflow", "" },
    { "get_queued_page", "{block_name:s}/{tmp_offset:x} page_abs={page_abs:x}" },
    { "get_queued_page", "{block_name:s}/{tmp_offset:x} ram_addr={ram_addr:x}" },
    { "multifd_new_send_channel_async", "channel {id}" },
    { "multifd_send", "channel {id} packet_num {packet_num} normal pages {normal_pages} zero pages "
                      "{zero_pages} flags {flags:x} next packet size {next_packet_size}" },
    { "multifd_send", "channel {id} packet_num {packet_num} normal pages {normal} flags {flags:x} "
                      "next packet size {next_packet_size}" },
    { "multifd_send", "channel {id} packet_num {packet_num} pages {used} flags {flags:x} next "
                      "packet size {next_packet_size}" },
    { "multifd_send", "channel {id} packet_num {packet_num} pages {used} flags {flags:x}" },
    { "multifd_send_fill", "channel {id} packet_num {packet_num} flags {flags:x} next packet size "
                           "{next_packet_size}" },
    { "multifd_send_fill", "channel {id} packet_num {packet_num} normal pages {normal_pages} zero "
                           "pages {zero_pages} flags {flags:x} next packet size "
                           "{next_packet_size}" },
    { "multifd_recv", "channel {id} packet_num {packet_num} normal pages {normal} zero pages "
                      "{zero} flags {flags:x} next packet size {next_packet_size}" },
    { "multifd_recv", "channel {id} packet_num {packet_num} normal pages {normal} flags {flags:x} "
                      "next packet size {next_packet_size}" },
    { "multifd_recv", "channel {id} packet_num {packet_num} pages {used} flags {flags:x} next "
                      "packet size {next_packet_size}" },
    { "multifd_recv", "channel {id} packet number {packet_num} pages {used} flags {flags:x}" },
    { "multifd_recv_unfill", "channel {id} packet_num {packet_num} flags {flags:x} next packet "
                             "size {next_packet_size}" },
    { "multifd_recv_new_channel", "channel {id}" },
    { "multifd_recv_sync_main", "packet num {packet_num}" },
    { "multifd_recv_sync_main", "packets before sync {packet_num}" },
    { "multifd_recv_sync_main_signal", "channel {id}" },
    { "multifd_recv_sync_main_wait", "channel {id}" },
    { "multifd_recv_sync_main_wait", "iter {id}" },
    { "multifd_recv_terminate_threads", "error {error}" },
    { "multifd_recv_thread_start", "{id}" },
    { "multifd_recv_thread_end", "channel {id} packets {packets} normal pages {normal_pages} zero "
                                 "pages {zero_pages}" },
    { "multifd_recv_thread_end", "channel {id} packets {packets} pages {pages}" },
    { "multifd_recv_thread_end", "channel {id} packets {packets}" },
    { "multifd_send_error", "channel {id}" },
    { "multifd_send_sync_main", "packet num {packet_num}" },
    { "multifd_send_sync_main_signal", "channel {id}" },
    { "multifd_send_sync_main_wait", "channel {id}" },
    { "multifd_send_terminate_threads", "error {error}" },
    { "multifd_send_terminate_threads", "" },
    { "multifd_send_thread_start", "{id}" },
    { "multifd_send_thread_end", "channel {id} packets {packets} normal pages {normal_pages} zero "
                                 "pages {zero_pages}" },
    { "multifd_send_thread_end", "channel {id} packets {packets} normal pages {normal_pages}" },
    { "multifd_send_thread_end", "channel {id} packets {packets} pages {pages}" },
    { "multifd_send_thread_end", "channel {id} packets {packets}" },
    { "multifd_set_outgoing_channel", "ioc={ioc:x} ioctype={ioctype:s} hostname={hostname:s} "
                                      "err={err:x}" },

    /* sections and devices, sent */
    { "savevm_section_start", "{id:s}, section_id {section_id}" },
    { "savevm_section_end", "{id:s}, section_id {section_id} -> {ret}" },
    { "savevm_section_skip", "{id:s}, section_id {section_id}" },
    { "savevm_state_begin", "" },
    { "savevm_state_setup", "" },
    { "savevm_state_header", "" },
    { "savevm_state_iterate", "" },
    { "savevm_state_complete_precopy", "" },
    { "savevm_state_cleanup", "" },
    { "savevm_state_resume_prepare", "" },
    { "savevm_command_send", "com={command:x} len={len}" },
    { "savevm_send_open_return_path", "" },
    { "savevm_send_ping", "{val:x}" },
    { "savevm_send_postcopy_listen", "" },
    { "savevm_send_postcopy_run", "" },
    { "savevm_send_postcopy_resume", "" },
    { "savevm_send_colo_enable", "" },
    { "savevm_send_recv_bitmap", "{name:s}" },
    { "qemu_savevm_send_packaged", "" },
    { "qemu_savevm_send_postcopy_advise", "" },
    { "qemu_savevm_send_postcopy_ram_discard", "{id:s}: {len}d" },
    { "qemu_file_fclose", "" },
    { "vmstate_save", "{idstr:s}, {vmsd_name:s}" },
    { "vmstate_save_state_pre_save_res", "{name:s}/{res}" },
    { "vmstate_save_state_loop", "{name:s}/{field:s}[{n_elems}]" },
    { "vmstate_save_state_top", "{idstr:s}" },
    { "vmstate_subsection_save_loop", "{name:s}/{sub:s}" },
    { "vmstate_subsection_save_top", "{idstr:s}" },
    { "vmstate_downtime_save", "type={type:s} idstr={idstr:s} instance_id={instance_id} "
                               "downtime={downtime}" },
    { "vmstate_downtime_load", "type={type:s} idstr={idstr:s} instance_id={instance_id} "
                               "downtime={downtime}" },
    { "vmstate_downtime_checkpoint", "{checkpoint:s}" },

    /* sections and devices, received */
    { "loadvm_state_setup", "" },
    { "loadvm_state_cleanup", "" },
    { "loadvm_process_command", "com={com:x} len={len}" },
    { "loadvm_process_command", "com={s:s} len={len}" },
    { "loadvm_process_command_ping", "{val:x}" },
    { "loadvm_handle_cmd_packaged", "{length}" },
    { "loadvm_handle_cmd_packaged_main", "{ret}" },
    { "loadvm_handle_cmd_packaged_received", "{ret}" },
    { "loadvm_handle_recv_bitmap", "{s:s}" },
    { "loadvm_postcopy_handle_advise", "" },
    { "loadvm_postcopy_handle_listen", "" },
    { "loadvm_postcopy_handle_listen", "{str:s}" },
    { "loadvm_postcopy_handle_run", "" },
    { "loadvm_postcopy_handle_run_bh", "{str:s}" },
    { "loadvm_postcopy_handle_run_cpu_sync", "" },
    { "loadvm_postcopy_handle_run_vmstart", "" },
    { "loadvm_postcopy_handle_resume", "" },
    { "loadvm_postcopy_ram_handle_discard", "" },
    { "loadvm_postcopy_ram_handle_discard_end", "" },
    { "loadvm_postcopy_ram_handle_discard_header", "{ramid:s}: {len}d" },
    { "qemu_loadvm_state_section", "{section_type}" },
    { "qemu_loadvm_state_section_command", "{ret}" },
    { "qemu_loadvm_state_section_partend", "{section_id}" },
    { "qemu_loadvm_state_section_startfull", "{section_id}({idstr:s}) {instance_id} "
                                             "{version_id}" },
    { "qemu_loadvm_state_post_main", "{ret}" },
    { "qemu_loadvm_state_main", "" },
    { "qemu_loadvm_state_main_quit_parent", "" },
    { "vmstate_load", "{idstr:s}, {vmsd_name:s}" },
    { "vmstate_load_field_error", "field \"{field:s}\" load failed, ret = {ret}" },
    { "vmstate_load_state", "{name:s} v{version_id}" },
    { "vmstate_load_state_end", "{name:s} {reason:s}/{val}" },
    { "vmstate_load_state_field", "{name:s}:{field:s}" },
    { "vmstate_n_elems", "{name:s}: {n_elems}" },
    { "vmstate_subsection_load", "{parent:s}" },
    { "vmstate_subsection_load_bad", "{parent:s}: {sub:s}/{sub2:s}" },
    { "vmstate_subsection_load_good", "{parent:s}" },

    /* post-copy */
    { "postcopy_start", "" },
    { "postcopy_start_set_run", "" },
    { "postcopy_pause_continued", "" },
    { "postcopy_pause_fault_thread", "" },
    { "postcopy_pause_fault_thread_continued", "" },
    { "postcopy_pause_incoming", "" },
    { "postcopy_pause_incoming_continued", "" },
    { "postcopy_pause_return_path", "" },
    { "postcopy_pause_return_path_continued", "" },
    { "postcopy_page_req_add", "new page req {addr:x} total {count}" },
    { "postcopy_page_req_del", "resolved page req {addr:x} total {count}" },
    { "postcopy_page_req_sync", "sync page req {host_addr:x}" },
    { "postcopy_place_page", "host={host_addr:x}" },
    { "postcopy_place_page_zero", "host={host_addr:x}" },
    { "postcopy_ram_enable_notify", "" },
    { "postcopy_ram_fault_thread_entry", "" },
    { "postcopy_ram_fault_thread_exit", "" },
    { "postcopy_ram_fault_thread_quit", "" },
    { "postcopy_ram_fault_thread_request", "Request for HVA={hostaddr:x} rb={ramblock:s} "
                                           "offset={offset:x} pid={pid}" },
    { "postcopy_ram_fault_thread_request", "Request for HVA={hostaddr:x} rb={ramblock:s} "
                                           "offset={offset:x}" },
    { "postcopy_ram_incoming_cleanup_entry", "" },
    { "postcopy_ram_incoming_cleanup_exit", "" },
    { "postcopy_ram_incoming_cleanup_join", "" },
    { "postcopy_ram_incoming_cleanup_closeuf", "" },
    { "postcopy_ram_incoming_cleanup_blocktime", "total blocktime {total}" },
    { "postcopy_ram_listen_thread_start", "" },
    { "postcopy_ram_listen_thread_exit", "" },
    { "postcopy_discard_send_finish", "{ramblock:s} mask words sent={nwords} in {ncmds} "
                                      "commands" },
    { "postcopy_discard_send_range", "{ramblock:s}:{start:x}/{length:x}" },
    { "postcopy_preempt_enabled", "{value}" },
    { "postcopy_preempt_triggered", "during sending ramblock {str:s} offset {page:x}" },
    { "postcopy_preempt_restored", "ramblock {str:s} offset {page:x}" },
    { "postcopy_preempt_hit", "ramblock {str:s} offset {offset:x}" },
    { "postcopy_preempt_send_host_page", "ramblock {str:s} offset {offset:x}" },
    { "postcopy_preempt_switch_channel", "{channel}" },
    { "postcopy_preempt_reset_channel", "" },
    { "postcopy_preempt_new_channel", "" },
    { "postcopy_preempt_thread_entry", "" },
    { "postcopy_preempt_thread_exit", "" },

    /* what its users ask of QEMU */
    { "handle_qmp_command", "mon {mon:x} req: {req:s}" },
    { "monitor_qmp_respond", "mon {mon:x} resp: {json:s}" },
    { "qmp_enter_*", "{json:s}" },
    { "qmp_exit_*", "{result:s} {succeeded}" },
};
/* clang-format on */

static bool is_of(const char *name, struct str event)
{
    struct str s = str_of(name);

    return s.p[s.n - 1] == '*' ? str_starts(event, str_first(s, s.n - 1)) : str_eq(s, event);
}

struct qemu_forms qemu_forms_of(struct str event)
{
    struct qemu_forms found = { 0 };

    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (!is_of(forms[i].name, event))
            continue;
        if (found.n == 0)
            found.at = &forms[i];
        found.n++;
    }
    return found;
}

/* --- values ------------------------------------------------------------------------------ */

static void add(struct qemu_values *v, const struct qemu_value *value)
{
    if (v->n < QEMU_VALUES_MAX)
        v->at[v->n++] = *value;
}

void qemu_add_int(struct qemu_values *v, struct str name, int64_t n)
{
    add(v, &(struct qemu_value){ .name = name, .kind = QEMU_INT, .n = n });
}

void qemu_add_text(struct qemu_values *v, struct str name, struct str text)
{
    add(v, &(struct qemu_value){ .name = name, .kind = QEMU_TEXT, .text = text });
}

void qemu_add_real(struct qemu_values *v, struct str name, double real)
{
    struct qemu_value value = { .name = name, .kind = QEMU_REAL, .real = real };

    if (fabs(real) < 9e18)
        value.n = (int64_t)llrint(real);
    add(v, &value);
}

/* --- one form ---------------------------------------------------------------------------- */

struct field {
    struct str name;
    enum qemu_kind kind;
    const char *rest; /* of the form behind it */
};

/* The field that 'form' begins with: "{name:x}...". */
static struct field field_at(const char *form)
{
    const char *end = strchr(form, '}');
    struct str in = { form + 1, (size_t)(end - form - 1) };
    size_t colon = str_chr(in, ':', 0);
    struct field f = { in, QEMU_INT, end + 1 };

    if (colon != STR_NONE) {
        char kind = in.p[colon + 1];

        f.name = str_first(in, colon);
        f.kind = kind == 's' ? QEMU_TEXT : kind == 'x' ? QEMU_HEX : QEMU_REAL;
    }
    return f;
}

static int digit_of(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Digits at the beginning of 's'; the length, 0: none, or too many. */
static size_t take_digits(struct str s, unsigned base, uint64_t *ret)
{
    uint64_t n = 0;
    size_t i = 0;

    for (; i < s.n && (unsigned)digit_of(s.p[i]) < base; i++)
        if (__builtin_mul_overflow(n, base, &n) ||
            __builtin_add_overflow(n, (uint64_t)digit_of(s.p[i]), &n))
            return 0;
    *ret = n;
    return i;
}

/* "7921.5", "1.5e+06": as C's %g, but without what it writes for numbers that are none. */
static size_t take_real(struct str s, double *ret)
{
    char text[32], *end;
    size_t n = 0;

    while (n < s.n && n < sizeof text - 1 && s.p[n] && strchr("0123456789.e+-", s.p[n])) {
        text[n] = s.p[n];
        n++;
    }
    text[n] = '\0';
    *ret = strtod(text, &end);
    return (size_t)(end - text);
}

/* The number at the beginning of 's'; how many bytes it has, 0: there is none. */
static size_t take_number(struct str s, enum qemu_kind kind, struct qemu_value *ret)
{
    bool minus = kind != QEMU_HEX && s.n && s.p[0] == '-';
    size_t skip = minus ? 1 : 0, n;
    uint64_t u = 0;

    if (kind == QEMU_HEX && str_starts(s, STR("(nil)"))) { /* as C writes the pointer 0 */
        ret->n = 0;
        return 5;
    }
    if (kind == QEMU_HEX && str_starts(s, STR("0x")))
        skip = 2;
    n = take_digits(str_from(s, skip), kind == QEMU_HEX ? 16 : 10, &u);
    if (kind == QEMU_REAL) {
        double real;
        size_t all = take_real(s, &real);

        if (all > skip + n || n == 0) { /* not a whole number */
            struct qemu_values one = { .n = 0 };

            qemu_add_real(&one, ret->name, real);
            *ret = one.at[0];
            return all;
        }
        ret->kind = QEMU_INT;
    }
    ret->n = (int64_t)(minus ? 0 - u : u);
    return n ? skip + n : 0;
}

/* How many places of texts are tried: a line may be made so that there are very many. */
enum { TRIES_MAX = 4096 };

static bool match(const char *form, struct str s, unsigned *tries, struct qemu_values *ret);

/* A text ends where the form's next letter stands: the first such place from which on all the
 * rest fits. */
static bool match_text(struct field f, struct str s, unsigned *tries, struct qemu_values *ret)
{
    uint32_t before = ret->n;

    if (*f.rest == '\0') {
        qemu_add_text(ret, f.name, s);
        return true;
    }
    for (size_t at = str_chr(s, *f.rest, 0); at != STR_NONE; at = str_chr(s, *f.rest, at + 1)) {
        if ((*tries)++ >= TRIES_MAX)
            return false;
        ret->n = before;
        qemu_add_text(ret, f.name, str_first(s, at));
        if (match(f.rest, str_from(s, at), tries, ret))
            return true;
    }
    return false;
}

static bool match(const char *form, struct str s, unsigned *tries, struct qemu_values *ret)
{
    for (;;) {
        while (*form && *form != '{') {
            if (s.n == 0 || s.p[0] != *form)
                return false;
            form++;
            s = str_from(s, 1);
        }
        if (*form == '\0')
            return s.n == 0;
        struct field f = field_at(form);
        struct qemu_value value = { .name = f.name, .kind = f.kind };
        if (f.kind == QEMU_TEXT)
            return match_text(f, s, tries, ret);
        size_t n = take_number(s, f.kind, &value);
        if (n == 0)
            return false;
        add(ret, &value);
        s = str_from(s, n);
        form = f.rest;
    }
}

bool qemu_forms_text(struct qemu_forms all, struct str text, struct qemu_values *ret)
{
    unsigned tries = 0;

    for (uint32_t i = 0; i < all.n; i++) {
        ret->n = 0;
        if (match(all.at[i].text, text, &tries, ret))
            return true;
    }
    ret->n = 0;
    return false;
}

/* Takes 'n' bytes, at most 8, from the beginning of '*s'. */
static bool take_word(struct str *s, size_t n, bool swap, uint64_t *ret)
{
    uint64_t v = 0;
    uint32_t half;

    if (s->n < n)
        return false;
    if (n == sizeof half) {
        memcpy(&half, s->p, sizeof half);
        v = swap ? __builtin_bswap32(half) : half;
    } else {
        memcpy(&v, s->p, sizeof v);
        v = swap ? __builtin_bswap64(v) : v;
    }
    *ret = v;
    *s = str_from(*s, n);
    return true;
}

static bool read_args(const char *form, struct str bytes, bool swap, struct qemu_values *ret)
{
    uint64_t v;

    for (form = strchr(form, '{'); form; form = strchr(form, '{')) {
        struct field f = field_at(form);
        struct qemu_value value = { .name = f.name,
                                    .kind = f.kind == QEMU_REAL ? QEMU_INT : f.kind };

        form = f.rest;
        if (!take_word(&bytes, f.kind == QEMU_TEXT ? 4 : 8, swap, &v))
            return false;
        if (f.kind == QEMU_TEXT) {
            value.text = str_first(bytes, v);
            if (v > bytes.n || str_chr(value.text, '\0', 0) != STR_NONE)
                return false;
            bytes = str_from(bytes, v);
        } else {
            value.n = (int64_t)v;
        }
        add(ret, &value);
    }
    return bytes.n == 0;
}

/* Any 8 bytes can be a number, but few are the length of what follows: forms with texts are tried
 * first. */
bool qemu_forms_args(struct qemu_forms all, struct str bytes, bool swap, struct qemu_values *ret)
{
    for (int texts = 1; texts >= 0; texts--)
        for (uint32_t i = 0; i < all.n; i++) {
            const char *form = all.at[i].text;

            ret->n = 0;
            if ((strstr(form, ":s}") != NULL) == texts && read_args(form, bytes, swap, ret))
                return true;
        }
    ret->n = 0;
    return false;
}
