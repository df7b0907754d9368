/* SPDX-License-Identifier: Apache-2.0
 *
 * events.h -- every event that an analysis can ask for, once.
 *
 * The table makes the struct that a handler receives, the binding of its fields
 * to a trace's event classes, and what `neph help analyses` says that an analysis
 * needs.  An event has a name and aliases across versions; a field
 * has a type, a member and its names in the traces ('|' between aliases).
 *
 * Derived events have no name in any trace: one analysis makes them from
 * others, and the rest need not know how. */
#ifndef MODEL_EVENTS_H
#define MODEL_EVENTS_H

#include "base/str.h"
#include "base/time.h"

/* clang-format off */

/*   F(S, type, member, "names in the trace", needed)  */
#define EV_FIELDS_python_log(F, S)                                            \
    F(S, STR, msg,         "msg",          1)                                 \
    F(S, STR, logger,      "logger_name",  1)                                 \
    F(S, STR, func,        "funcName",     0)                                 \
    F(S, I64, lineno,      "lineno",       0)                                 \
    F(S, I64, level,       "int_loglevel", 0)                                 \
    F(S, I64, thread,      "thread",       0)                                 \
    F(S, STR, thread_name, "threadName",   0)

/* A service's record or log line changed what is known of a thing. */
#define EV_FIELDS_vm_state(F, S)                                              \
    F(S, STR, vm,          "vm",           1)                                 \
    F(S, I64, state,       "state",        1)                                 \
    F(S, STR, task_state,  "task_state",   0)                                 \
    F(S, STR, host,        "host",         0)

#define EV_FIELDS_volume_state(F, S)                                          \
    F(S, STR, volume,      "volume",       1)                                 \
    F(S, I64, state,       "state",        1)

#define EV_FIELDS_node_resources(F, S)                                        \
    F(S, STR, node,        "node",         1)                                 \
    F(S, I64, ram_used_mb, "ram_used_mb",  0)                                 \
    F(S, I64, ram_total_mb,"ram_total_mb", 0)                                 \
    F(S, I64, vcpus_used,  "vcpus_used",   0)                                 \
    F(S, I64, vcpus_total, "vcpus_total",  0)                                 \
    F(S, I64, disk_used_gb,"disk_used_gb", 0)

#define EV_FIELDS_service_line(F, S)                                          \
    F(S, STR, service,     "service",      1)                                 \
    F(S, I64, level,       "level",        1)

/* --- the kernel ----------------------------------------------------------------------
 *
 * Names and fields of lttng-modules 2.0 to 2.14, of ftrace and perf (Linux 3.0 to 6.12).  What
 * ftrace calls a pid is a thread; LTTng has both.  Sources: lttng-modules
 * include/instrumentation, the kernel's include/trace/events. */

#define EV_FIELDS_sched_switch(F, S)                                          \
    F(S, STR, prev_comm,   "prev_comm",           0)                          \
    F(S, I64, prev_tid,    "prev_tid|prev_pid",   1)                          \
    F(S, I64, prev_state,  "prev_state",          1)                          \
    F(S, STR, next_comm,   "next_comm",           0)                          \
    F(S, I64, next_tid,    "next_tid|next_pid",   1)                          \
    F(S, I64, next_prio,   "next_prio",           0)
#define EV_FIELDS_sched_waking(F, S)                                          \
    F(S, STR, comm,        "comm",                0)                          \
    F(S, I64, tid,         "tid|pid",             1)                          \
    F(S, I64, target_cpu,  "target_cpu|cpu",      0)
#define EV_FIELDS_sched_wakeup(F, S)     EV_FIELDS_sched_waking(F, S)
#define EV_FIELDS_sched_wakeup_new(F, S) EV_FIELDS_sched_waking(F, S)
#define EV_FIELDS_sched_migrate_task(F, S)                                    \
    F(S, I64, tid,         "tid|pid",             1)                          \
    F(S, I64, dest_cpu,    "dest_cpu",            1)
/* Of ftrace only child_pid and parent_pid, which are threads. */
#define EV_FIELDS_sched_process_fork(F, S)                                    \
    F(S, I64, parent_tid,  "parent_tid",          0)                          \
    F(S, I64, parent_pid,  "parent_pid",          0)                          \
    F(S, STR, child_comm,  "child_comm",          0)                          \
    F(S, I64, child_tid,   "child_tid",           0)                          \
    F(S, I64, child_pid,   "child_pid",           0)
#define EV_FIELDS_sched_process_exec(F, S)                                    \
    F(S, STR, filename,    "filename",            0)                          \
    F(S, I64, tid,         "tid|pid",             1)
#define EV_FIELDS_sched_process_exit(F, S)                                    \
    F(S, STR, comm,        "comm",                0)                          \
    F(S, I64, tid,         "tid|pid",             1)
#define EV_FIELDS_sched_process_free(F, S) EV_FIELDS_sched_process_exit(F, S)
#define EV_FIELDS_task_rename(F, S)                                           \
    F(S, I64, tid,         "tid|pid",             1)                          \
    F(S, STR, newcomm,     "newcomm",             1)
#define EV_FIELDS_cgroup_attach_task(F, S)                                    \
    F(S, I64, tid,         "tid|pid",             1)                          \
    F(S, STR, path,        "dst_path|path",       1)

#define EV_FIELDS_irq_handler_entry(F, S)                                     \
    F(S, I64, irq,         "irq",                 1)                          \
    F(S, STR, name,        "name",                0)
#define EV_FIELDS_irq_handler_exit(F, S)                                      \
    F(S, I64, irq,         "irq",                 1)
#define EV_FIELDS_irq_vector_entry(F, S)                                      \
    F(S, I64, vector,      "vector",              1)
#define EV_FIELDS_irq_vector_exit(F, S) EV_FIELDS_irq_vector_entry(F, S)
#define EV_FIELDS_softirq_entry(F, S)                                         \
    F(S, I64, vec,         "vec",                 1)
#define EV_FIELDS_softirq_exit(F, S)  EV_FIELDS_softirq_entry(F, S)
#define EV_FIELDS_softirq_raise(F, S) EV_FIELDS_softirq_entry(F, S)
#define EV_FIELDS_timer_entry(F, S)                                           \
    F(S, I64, timer,       "hrtimer|timer",       0)
#define EV_FIELDS_timer_exit(F, S) EV_FIELDS_timer_entry(F, S)

/* The call's name is what the event's has behind the prefix (ev_head.name). */
#define EV_FIELDS_syscall_entry(F, S)                                         \
    F(S, I64, fd,          "fd|fildes|sockfd",    0)                          \
    F(S, I64, len,         "len|length|count",   0)                          \
    F(S, I64, cmd,         "cmd",                 0)                          \
    F(S, STR, filename,    "filename|pathname",   0)
#define EV_FIELDS_syscall_exit(F, S)                                          \
    F(S, I64, ret,         "ret",                 0)
/* Calls by number: raw_syscalls of ftrace and perf. */
#define EV_FIELDS_syscall_nr_entry(F, S)                                      \
    F(S, I64, nr,          "id|nr|__syscall_nr",  1)
#define EV_FIELDS_syscall_nr_exit(F, S)                                       \
    F(S, I64, nr,          "id|nr|__syscall_nr",  1)                          \
    F(S, I64, ret,         "ret",                 0)

#define EV_FIELDS_kvm_entry(F, S)                                             \
    F(S, I64, vcpu,        "vcpu_id",             0)
#define EV_FIELDS_kvm_exit(F, S)                                              \
    F(S, I64, reason,      "exit_reason",         0)                          \
    F(S, STR, reason_text, "reason",              0)                          \
    F(S, I64, isa,         "isa",                 0)
#define EV_FIELDS_kvm_userspace_exit(F, S)                                    \
    F(S, I64, reason,      "reason",              1)

/* rwbs is a mask with LTTng, a text with ftrace. */
#define EV_FIELDS_block_rq_insert(F, S)                                       \
    F(S, I64, dev,         "dev",                 1)                          \
    F(S, I64, sector,      "sector",              1)                          \
    F(S, I64, nr_sector,   "nr_sector",           0)                          \
    F(S, I64, bytes,       "bytes",               0)                          \
    F(S, I64, tid,         "tid",                 0)                          \
    F(S, I64, rwbs,        "rwbs",                0)                          \
    F(S, STR, rwbs_text,   "rwbs",                0)                          \
    F(S, STR, comm,        "comm",                0)
#define EV_FIELDS_block_rq_issue(F, S) EV_FIELDS_block_rq_insert(F, S)
#define EV_FIELDS_block_rq_merge(F, S) EV_FIELDS_block_rq_insert(F, S)
#define EV_FIELDS_block_rq_complete(F, S)                                     \
    F(S, I64, dev,         "dev",                 1)                          \
    F(S, I64, sector,      "sector",              1)                          \
    F(S, I64, nr_sector,   "nr_sector",           0)                          \
    F(S, I64, error,       "error|errors",        0)
#define EV_FIELDS_block_rq_requeue(F, S) EV_FIELDS_block_rq_complete(F, S)
/* A bio joins a request that begins (front) or ends (back) where it does. */
#define EV_FIELDS_block_bio_merge(F, S)                                       \
    F(S, I64, dev,         "dev",                 1)                          \
    F(S, I64, sector,      "sector",              1)                          \
    F(S, I64, nr_sector,   "nr_sector",           1)

/* The headers of a packet, where the tracer writes them (lttng-modules since 2.9, earlier
 * experimental ones; a field that there is in IPv4 and IPv6, in TCP and UDP, is named once). */
#define EV_TCP(field)                                                         \
    "network_header.transport_header." field "|transport_fields." field       \
    "|transport_fields.thtype_tcp." field
#define EV_FIELDS_headers(F, S)                                               \
    F(S, BYTES, saddr,     "network_header.saddr",       0)                   \
    F(S, BYTES, daddr,     "network_header.daddr",       0)                   \
    F(S, I64, ihl,         "network_header.ihl",         0)                   \
    F(S, I64, tot_len,     "network_header.tot_len",     0)                   \
    F(S, I64, payload_len, "network_header.payload_len", 0)                   \
    F(S, I64, id,          "network_header.id",          0)                   \
    F(S, I64, ttl,         "network_header.ttl|network_header.hop_limit", 0)  \
    F(S, I64, sport,       EV_TCP("source_port"),        0)                   \
    F(S, I64, dport,       EV_TCP("dest_port"),          0)                   \
    F(S, I64, seq,         EV_TCP("seq"),                0)                   \
    F(S, I64, ack,         EV_TCP("ack_seq"),            0)                   \
    F(S, I64, doff,        EV_TCP("data_offset"),        0)                   \
    F(S, I64, flags,       EV_TCP("flags"),              0)                   \
    F(S, I64, udp_len,     "network_header.transport_header.len", 0)

#define EV_FIELDS_net_queue(F, S)                                             \
    F(S, STR, dev,         "name|dev",            1)                          \
    F(S, I64, len,         "len",                 1)                          \
    F(S, I64, skb,         "skbaddr",             0)                          \
    EV_FIELDS_headers(F, S)
#define EV_FIELDS_net_xmit(F, S)                                              \
    F(S, STR, dev,         "name|dev",            1)                          \
    F(S, I64, len,         "len",                 1)                          \
    F(S, I64, rc,          "rc",                  0)                          \
    F(S, I64, skb,         "skbaddr",             0)
#define EV_FIELDS_net_receive(F, S) EV_FIELDS_net_queue(F, S)
/* A driver hands a packet to GRO, before it can be merged with others. */
#define EV_FIELDS_net_gro(F, S)                                               \
    F(S, I64, skb,         "skbaddr",             1)
/* A segment passes the local socket layer (lttng-modules' addons). */
#define EV_FIELDS_sock_out(F, S)                                              \
    F(S, I64, seq,         "seq",                 1)                          \
    F(S, I64, ack,         "ack_seq",             1)                          \
    F(S, I64, flags,       "flags",               1)
#define EV_FIELDS_sock_in(F, S) EV_FIELDS_sock_out(F, S)
/* A guest and its host count their messages (lttng-vmsync): gh from the guest to the host. */
#define EV_FIELDS_vmsync_gh_guest(F, S)                                       \
    F(S, I64, count,       "cnt",                 1)                          \
    F(S, I64, vm,          "vm_uid",              1)
#define EV_FIELDS_vmsync_gh_host(F, S) EV_FIELDS_vmsync_gh_guest(F, S)
#define EV_FIELDS_vmsync_hg_host(F, S) EV_FIELDS_vmsync_gh_guest(F, S)
#define EV_FIELDS_vmsync_hg_guest(F, S) EV_FIELDS_vmsync_gh_guest(F, S)
#define EV_FIELDS_skb_kfree(F, S)                                             \
    F(S, I64, skb,         "skbaddr",             1)                          \
    F(S, I64, reason,      "reason",              0)

#define EV_FIELDS_page_alloc(F, S)                                            \
    F(S, I64, order,       "order",               0)                          \
    F(S, I64, pfn,         "pfn|page",            1)
#define EV_FIELDS_page_free(F, S) EV_FIELDS_page_alloc(F, S)
#define EV_FIELDS_rss_stat(F, S)                                              \
    F(S, I64, mm,          "mm_id",               0)                          \
    F(S, I64, curr,        "curr",                0)                          \
    F(S, I64, member,      "member",              1)                          \
    F(S, I64, size,        "size",                1)
#define EV_FIELDS_oom_victim(F, S)                                            \
    F(S, I64, tid,         "tid|pid",             1)

#define EV_FIELDS_dump_start(F, S)
#define EV_FIELDS_dump_end(F, S)
#define EV_FIELDS_dump_process(F, S)                                          \
    F(S, I64, tid,         "tid",                 1)                          \
    F(S, I64, pid,         "pid",                 1)                          \
    F(S, I64, ppid,        "ppid",                0)                          \
    F(S, STR, name,        "name",                0)                          \
    F(S, I64, type,        "type",                0)                          \
    F(S, I64, mode,        "mode",                0)                          \
    F(S, I64, status,      "status",              0)                          \
    F(S, I64, vtid,        "vtid",                0)                          \
    F(S, I64, vpid,        "vpid",                0)                          \
    F(S, I64, table,       "file_table_address",  0)
#define EV_FIELDS_dump_pid_ns(F, S)                                           \
    F(S, I64, tid,         "tid",                 1)                          \
    F(S, I64, vtid,        "vtid",                0)                          \
    F(S, I64, vpid,        "vpid",                0)                          \
    F(S, I64, level,       "ns_level",            0)                          \
    F(S, I64, ns,          "ns_inum",             1)
#define EV_FIELDS_dump_block(F, S)                                            \
    F(S, I64, dev,         "dev",                 1)                          \
    F(S, STR, name,        "diskname",            1)
#define EV_FIELDS_dump_irq(F, S)                                              \
    F(S, I64, irq,         "irq",                 1)                          \
    F(S, STR, name,        "action|name",         1)
#define EV_FIELDS_dump_fd(F, S)                                               \
    F(S, I64, pid,         "pid",                 0)                          \
    F(S, I64, table,       "file_table_address",  0)                          \
    F(S, I64, fd,          "fd",                  1)                          \
    F(S, STR, filename,    "filename",            1)

/* A process took address space (or gave it back: negative), as its brk(), mmap() or munmap()
 * returned. */
#define EV_FIELDS_address_space(F, S)                                         \
    F(S, I64, pid,         "pid",                 1)                          \
    F(S, I64, bytes,       "bytes",               1)

/* The tracer lost events of head's CPU between the last one that it wrote and this instant;
 * 'domain' as in reader.h.  Readers of some formats yield it, the engine makes it for others. */
#define EV_FIELDS_lost_events(F, S)                                           \
    F(S, STR, domain,      "domain",              0)                          \
    F(S, I64, events,      "events",              0)

/* From here on (begins: 1), or up to here (0), the tracer lost events of head's CPU: where that is
 * known before, the engine says so in time. */
#define EV_FIELDS_losing_events(F, S)                                         \
    F(S, STR, domain,      "domain",              0)                          \
    F(S, I64, begins,      "begins",              0)

/* Since then no trace of the host's kernel was taken: another one begins here.  The engine says
 * so. */
#define EV_FIELDS_untraced(F, S)                                              \
    F(S, I64, since,       "since",               0)

/* --- QEMU ----------------------------------------------------------------------------
 *
 * Trace events of QEMU 2.5 to 10, with the fields that LTTng's events have; input/qemu_forms.h
 * gives those of its other backends the same ones.  Where versions differ in kind, both are here:
 * 0 and empty is what is not there. */

/* States by number and name; numbers have changed over versions. */
#define EV_FIELDS_qemu_runstate(F, S)                                         \
    F(S, I64, old,         "current_state",       0)                          \
    F(S, STR, old_name,    "current_state_str",   0)                          \
    F(S, I64, state,       "new_state",           1)                          \
    F(S, STR, state_name,  "new_state_str",       0)
#define EV_FIELDS_qemu_vm_state(F, S)                                         \
    F(S, I64, running,     "running",             1)                          \
    F(S, I64, reason,      "reason",              1)                          \
    F(S, STR, reason_name, "reason_str",          0)
#define EV_FIELDS_qemu_kvm_run_exit(F, S)                                     \
    F(S, I64, vcpu,        "cpu_index",           1)                          \
    F(S, I64, reason,      "reason",              1)
#define EV_FIELDS_qemu_dirty_log(F, S)                                        \
    F(S, I64, bitmask,     "bitmask",             1)

/* The balloon, in pages of 4 KiB that the guest has given back, is to let it keep so many bytes. */
#define EV_FIELDS_qemu_balloon_target(F, S)                                   \
    F(S, I64, bytes,       "target",              1)                          \
    F(S, I64, pages,       "num_pages",           0)
#define EV_FIELDS_qemu_balloon_size(F, S)                                     \
    F(S, I64, pages,       "actual",              1)                          \
    F(S, I64, pages_before, "oldactual",          0)

/* The name is empty before QEMU 2.12, which wrote the number. */
#define EV_FIELDS_qemu_migrate_state(F, S)                                    \
    F(S, STR, state_name,  "new_state",           0)                          \
    F(S, I64, state,       "new_state",           0)
#define EV_FIELDS_qemu_migrate_error(F, S)                                    \
    F(S, STR, error,       "error_desc|err",      0)
#define EV_FIELDS_qemu_migrate_cancel(F, S)
#define EV_FIELDS_qemu_migrate_cleanup(F, S)
#define EV_FIELDS_qemu_setup_complete(F, S)
/* What is still to be sent: all, while the guest runs, and after post-copy began. */
#define EV_FIELDS_qemu_pending(F, S)                                          \
    F(S, I64, bytes,       "size",                1)                          \
    F(S, I64, max_bytes,   "max",                 0)                          \
    F(S, I64, pre_bytes,   "pre|nonpost",         0)                          \
    F(S, I64, compat_bytes,"compat",              0)                          \
    F(S, I64, post_bytes,  "post",                0)
#define EV_FIELDS_qemu_low_pending(F, S)                                      \
    F(S, I64, bytes,       "pending",             1)
/* Bandwidth is bytes per millisecond; what can be sent with it within the allowed downtime is
 * 'max_bytes'. */
#define EV_FIELDS_qemu_transferred(F, S)                                      \
    F(S, I64, bytes,       "tranferred|transferred", 1) /* sic */             \
    F(S, I64, ms,          "time_spent",          1)                          \
    F(S, I64, bandwidth,   "bandwidth",           0)                          \
    F(S, I64, switchover_bandwidth, "avail_bw",   0)                          \
    F(S, I64, max_bytes,   "size",                0)
#define EV_FIELDS_qemu_rate_limit_begin(F, S)                                 \
    F(S, I64, ms,          "ms",                  0)
#define EV_FIELDS_qemu_rate_limit_end(F, S)                                   \
    F(S, I64, urgent,      "urgent",              0)
#define EV_FIELDS_qemu_loop_end(F, S)
#define EV_FIELDS_qemu_completion_stop(F, S)                                  \
    F(S, I64, ret,         "ret",                 0)
#define EV_FIELDS_qemu_file_error(F, S)
/* The way back from the destination; head.name tells the step. */
#define EV_FIELDS_qemu_return_path(F, S)                                      \
    F(S, I64, error,       "rp_error",            0)                          \
    F(S, I64, value,       "val|v",               0)
#define EV_FIELDS_qemu_channel_in(F, S)                                       \
    F(S, STR, type,        "ioctype",             0)
#define EV_FIELDS_qemu_channel_out(F, S)                                      \
    F(S, STR, type,        "ioctype",             0)                          \
    F(S, STR, hostname,    "hostname",            0)
#define EV_FIELDS_qemu_socket_accepted(F, S)
#define EV_FIELDS_qemu_socket_connected(F, S)                                 \
    F(S, STR, hostname,    "hostname",            0)
#define EV_FIELDS_qemu_incoming_end(F, S)                                     \
    F(S, I64, ret,         "ret",                 1)                          \
    F(S, I64, postcopy,    "ps",                  0)
#define EV_FIELDS_qemu_global_state(F, S)                                     \
    F(S, STR, state,       "state",               0)

#define EV_FIELDS_qemu_sync_begin(F, S)
/* Pages that the guest has written since the sync before. */
#define EV_FIELDS_qemu_sync_end(F, S)                                         \
    F(S, I64, dirty_pages, "dirty_pages",         1)
#define EV_FIELDS_qemu_throttle(F, S)
#define EV_FIELDS_qemu_cpu_throttle(F, S)                                     \
    F(S, I64, percent,     "new_throttle_pct",    1)
#define EV_FIELDS_qemu_dirty_limit(F, S)                                      \
    F(S, I64, vcpu,        "cpu_index",           1)                          \
    F(S, I64, percent,     "pct",                 0)                          \
    F(S, I64, us,          "time_us|sleep_time_us", 0)
#define EV_FIELDS_qemu_ram_save(F, S)                                         \
    F(S, STR, block,       "rbname",              0)                          \
    F(S, I64, offset,      "offset",              0)
#define EV_FIELDS_qemu_ram_load(F, S)                                         \
    F(S, STR, block,       "rbname",              0)                          \
    F(S, I64, addr,        "addr",                0)                          \
    F(S, I64, flags,       "flags",               0)
/* One call sent pages for longer than 50 ms. */
#define EV_FIELDS_qemu_ram_big_wait(F, S)                                     \
    F(S, I64, ms,          "milliconds",          1) /* sic */                \
    F(S, I64, iterations,  "iterations",          0)
#define EV_FIELDS_qemu_ram_load_end(F, S)                                     \
    F(S, I64, ret,         "ret",                 0)                          \
    F(S, I64, seq,         "seq_iter",            0)
#define EV_FIELDS_qemu_multifd_packet(F, S)                                   \
    F(S, I64, channel,     "id",                  1)                          \
    F(S, I64, packet,      "packet_num",          1)                          \
    F(S, I64, pages,       "normal_pages|normal|used", 0)                     \
    F(S, I64, zero_pages,  "zero_pages|zero",     0)                          \
    F(S, I64, flags,       "flags",               0)
#define EV_FIELDS_qemu_multifd_received(F, S) EV_FIELDS_qemu_multifd_packet(F, S)
#define EV_FIELDS_qemu_multifd_thread_end(F, S)                               \
    F(S, I64, channel,     "id",                  1)                          \
    F(S, I64, packets,     "packets",             0)                          \
    F(S, I64, pages,       "normal_pages|pages",  0)                          \
    F(S, I64, zero_pages,  "zero_pages",          0)
/* Starts of threads and waits for all of them; head.name tells which. */
#define EV_FIELDS_qemu_multifd_step(F, S)                                     \
    F(S, I64, channel,     "id",                  0)                          \
    F(S, I64, packet,      "packet_num",          0)                          \
    F(S, I64, error,       "error",               0)

/* One device's part of the state, "ram" among them. */
#define EV_FIELDS_qemu_section_begin(F, S)                                    \
    F(S, STR, device,      "id",                  1)                          \
    F(S, I64, section,     "section_id",          1)
#define EV_FIELDS_qemu_section_end(F, S)                                      \
    F(S, STR, device,      "id",                  1)                          \
    F(S, I64, section,     "section_id",          1)                          \
    F(S, I64, ret,         "ret",                 0)
#define EV_FIELDS_qemu_section_skip(F, S) EV_FIELDS_qemu_section_begin(F, S)
#define EV_FIELDS_qemu_save_setup(F, S)
#define EV_FIELDS_qemu_save_iterate(F, S)
#define EV_FIELDS_qemu_save_complete(F, S)
#define EV_FIELDS_qemu_save_cleanup(F, S)
#define EV_FIELDS_qemu_save_step(F, S)
#define EV_FIELDS_qemu_device_save(F, S)                                      \
    F(S, STR, device,      "idstr",               1)                          \
    F(S, STR, kind,        "vmsd_name",           0)
#define EV_FIELDS_qemu_device_load(F, S)  EV_FIELDS_qemu_device_save(F, S)
/* What one device's state took of the downtime, since QEMU 8.2. */
#define EV_FIELDS_qemu_downtime_save(F, S)                                    \
    F(S, STR, device,      "idstr",               1)                          \
    F(S, STR, type,        "type",                0)                          \
    F(S, I64, us,          "downtime",            1)
#define EV_FIELDS_qemu_downtime_load(F, S) EV_FIELDS_qemu_downtime_save(F, S)
#define EV_FIELDS_qemu_downtime_point(F, S)                                   \
    F(S, STR, point,       "checkpoint",          1)
#define EV_FIELDS_qemu_load_setup(F, S)
#define EV_FIELDS_qemu_load_cleanup(F, S)
#define EV_FIELDS_qemu_load_section(F, S)                                     \
    F(S, I64, type,        "section_type",        1)
#define EV_FIELDS_qemu_load_section_begin(F, S)                               \
    F(S, I64, section,     "section_id",          1)                          \
    F(S, STR, device,      "idstr",               1)                          \
    F(S, I64, instance,    "instance_id",         0)                          \
    F(S, I64, version,     "version_id",          0)
#define EV_FIELDS_qemu_load_section_part(F, S)                                \
    F(S, I64, section,     "section_id",          1)
#define EV_FIELDS_qemu_load_end(F, S)                                         \
    F(S, I64, ret,         "ret",                 0)
#define EV_FIELDS_qemu_load_command(F, S)                                     \
    F(S, STR, command,     "s",                   0)                          \
    F(S, I64, number,      "com",                 0)                          \
    F(S, I64, bytes,       "len",                 0)

#define EV_FIELDS_qemu_postcopy_begin(F, S)
#define EV_FIELDS_qemu_postcopy_end(F, S)
/* The destination runs from here on. */
#define EV_FIELDS_qemu_postcopy_run(F, S)
/* A vCPU of the destination touched a page that is not there yet. */
#define EV_FIELDS_qemu_page_fault(F, S)                                       \
    F(S, I64, addr,        "hostaddr",            1)                          \
    F(S, STR, block,       "ramblock",            0)                          \
    F(S, I64, offset,      "offset",              0)                          \
    F(S, I64, tid,         "pid",                 0)
#define EV_FIELDS_qemu_page_placed(F, S)                                      \
    F(S, I64, addr,        "host_addr",           1)
/* The source is asked for a page. */
#define EV_FIELDS_qemu_page_request(F, S)                                     \
    F(S, STR, block,       "rbname",              0)                          \
    F(S, I64, offset,      "start",               1)                          \
    F(S, I64, bytes,       "len",                 1)
/* All others of post-copy; head.name tells which. */
#define EV_FIELDS_qemu_postcopy_step(F, S)                                    \
    F(S, STR, block,       "ramblock|str",        0)

/* What QEMU is told: a command as it came, and each as it is done. */
#define EV_FIELDS_qemu_command(F, S)                                          \
    F(S, STR, request,     "req",                 1)
#define EV_FIELDS_qemu_command_begin(F, S)                                    \
    F(S, STR, arguments,   "json",                0)
#define EV_FIELDS_qemu_command_end(F, S)                                      \
    F(S, STR, result,      "result",              0)                          \
    F(S, I64, succeeded,   "succeeded",           0)

/* A log of QMP: an answer to query-migrate, and whatever else was said. */
#define EV_FIELDS_qmp_migrate_info(F, S)                                      \
    F(S, STR, status,      "status",              1)                          \
    F(S, STR, error,       "error-desc",          0)                          \
    F(S, I64, total_ms,    "total_time_ms",       0)                          \
    F(S, I64, downtime_ms, "downtime_ms",         0)                          \
    F(S, I64, expected_downtime_ms, "expected_downtime_ms", 0)                \
    F(S, I64, setup_ms,    "setup_ms",            0)                          \
    F(S, I64, transferred_bytes, "ram.transferred", 0)                        \
    F(S, I64, remaining_bytes, "ram.remaining",   0)                          \
    F(S, I64, total_bytes, "ram.total",           0)                          \
    F(S, I64, zero_pages,  "ram.duplicate",       0)                          \
    F(S, I64, normal_pages,"ram.normal",          0)                          \
    F(S, I64, normal_bytes,"ram.normal-bytes",    0)                          \
    F(S, I64, dirty_pages_per_s, "ram.dirty-pages-rate", 0)                   \
    F(S, I64, mbit_per_s,  "ram.mbps",            0)                          \
    F(S, I64, syncs,       "ram.dirty-sync-count", 0)                         \
    F(S, I64, page_bytes,  "ram.page-size",       0)                          \
    F(S, I64, throttle_percent, "cpu-throttle-percentage", 0)
#define EV_FIELDS_qmp_event(F, S)                                             \
    F(S, STR, status,      "status",              0)                          \
    F(S, STR, reason,      "reason",              0)                          \
    F(S, I64, pass,        "pass",                0)                          \
    F(S, STR, uri,         "uri",                 0)                          \
    F(S, I64, max_bandwidth, "max-bandwidth",     0)                          \
    F(S, I64, downtime_limit_ms, "downtime-limit", 0)                         \
    F(S, I64, actual_bytes, "actual",             0)

/*   E(ID, struct, "names in the trace, or empty if derived")
 *
 * A name that ends in '*' is that of all events that begin so; whole names go first. */
#define EVENTS(E)                                                            \
    E(EV_PYTHON_LOG,     python_log,     "lttng_python:event")               \
    E(EV_VM_STATE,       vm_state,       "")                                 \
    E(EV_VOLUME_STATE,   volume_state,   "")                                 \
    E(EV_NODE_RESOURCES, node_resources, "")                                 \
    E(EV_SERVICE_LINE,   service_line,   "")                                 \
    E(EV_ADDRESS_SPACE,      address_space,      "")                                                  \
    E(EV_LOST_EVENTS,        lost_events,        "lost_events")                                       \
    E(EV_LOSING_EVENTS,      losing_events,      "")                                                  \
    E(EV_UNTRACED,           untraced,           "")                                                  \
    E(EV_SCHED_SWITCH,       sched_switch,       "sched_switch|sched:sched_switch")                   \
    E(EV_SCHED_WAKING,       sched_waking,       "sched_waking|sched:sched_waking")                   \
    E(EV_SCHED_WAKEUP,       sched_wakeup,       "sched_wakeup|sched:sched_wakeup|sched_ttwu")        \
    E(EV_SCHED_WAKEUP_NEW,   sched_wakeup_new,   "sched_wakeup_new|sched:sched_wakeup_new")           \
    E(EV_SCHED_MIGRATE_TASK, sched_migrate_task, "sched_migrate_task|sched:sched_migrate_task")       \
    E(EV_SCHED_FORK,         sched_process_fork, "sched_process_fork|sched:sched_process_fork")       \
    E(EV_SCHED_EXEC,         sched_process_exec, "sched_process_exec|sched:sched_process_exec")       \
    E(EV_SCHED_EXIT,         sched_process_exit, "sched_process_exit|sched:sched_process_exit")       \
    E(EV_SCHED_FREE,         sched_process_free, "sched_process_free|sched:sched_process_free")       \
    E(EV_TASK_RENAME,        task_rename,        "task_rename|task:task_rename")                      \
    E(EV_CGROUP_ATTACH,      cgroup_attach_task, "cgroup_attach_task|cgroup:cgroup_attach_task")      \
    E(EV_IRQ_ENTRY,          irq_handler_entry,  "irq_handler_entry|irq:irq_handler_entry")           \
    E(EV_IRQ_EXIT,           irq_handler_exit,   "irq_handler_exit|irq:irq_handler_exit")             \
    E(EV_VECTOR_ENTRY,       irq_vector_entry,                                                        \
      "x86_irq_vectors_local_timer_entry|x86_irq_vectors_reschedule_entry"                            \
      "|x86_irq_vectors_call_function_entry|x86_irq_vectors_call_function_single_entry"               \
      "|x86_irq_vectors_irq_work_entry|local_timer_entry|reschedule_entry|call_function_entry"        \
      "|call_function_single_entry|irq_work_entry|irq_vectors:local_timer_entry"                      \
      "|irq_vectors:reschedule_entry|irq_vectors:call_function_entry"                                 \
      "|irq_vectors:call_function_single_entry|irq_vectors:irq_work_entry")                           \
    E(EV_VECTOR_EXIT,        irq_vector_exit,                                                         \
      "x86_irq_vectors_local_timer_exit|x86_irq_vectors_reschedule_exit"                              \
      "|x86_irq_vectors_call_function_exit|x86_irq_vectors_call_function_single_exit"                 \
      "|x86_irq_vectors_irq_work_exit|local_timer_exit|reschedule_exit|call_function_exit"            \
      "|call_function_single_exit|irq_work_exit|irq_vectors:local_timer_exit"                         \
      "|irq_vectors:reschedule_exit|irq_vectors:call_function_exit"                                   \
      "|irq_vectors:call_function_single_exit|irq_vectors:irq_work_exit")                             \
    E(EV_SOFTIRQ_ENTRY,      softirq_entry,      "irq_softirq_entry|softirq_entry|irq:softirq_entry") \
    E(EV_SOFTIRQ_EXIT,       softirq_exit,       "irq_softirq_exit|softirq_exit|irq:softirq_exit")    \
    E(EV_SOFTIRQ_RAISE,      softirq_raise,      "irq_softirq_raise|softirq_raise|irq:softirq_raise") \
    E(EV_TIMER_ENTRY,        timer_entry,                                                             \
      "timer_hrtimer_expire_entry|hrtimer_expire_entry|timer:hrtimer_expire_entry"                    \
      "|timer_expire_entry|timer_timer_expire_entry|timer:timer_expire_entry")                        \
    E(EV_TIMER_EXIT,         timer_exit,                                                              \
      "timer_hrtimer_expire_exit|hrtimer_expire_exit|timer:hrtimer_expire_exit"                       \
      "|timer_expire_exit|timer_timer_expire_exit|timer:timer_expire_exit")                           \
    E(EV_SYSCALL_ENTRY,      syscall_entry,                                                           \
      "sys_exit_group|syscall_entry_*|compat_syscall_entry_*|sys_enter_*|syscalls:sys_enter_*"        \
      "|compat_sys_*|sys_*") /* sys_exit_group: of lttng-modules before 2.3 */                        \
    E(EV_SYSCALL_EXIT,       syscall_exit,                                                            \
      "exit_syscall|syscall_exit_*|compat_syscall_exit_*|sys_exit_*|syscalls:sys_exit_*")             \
    E(EV_SYSCALL_NR_ENTRY,   syscall_nr_entry,   "sys_enter|raw_syscalls:sys_enter")                  \
    E(EV_SYSCALL_NR_EXIT,    syscall_nr_exit,    "sys_exit|raw_syscalls:sys_exit")                    \
    E(EV_KVM_ENTRY,          kvm_entry,          "kvm_x86_entry|kvm_entry|kvm:kvm_entry")             \
    E(EV_KVM_EXIT,           kvm_exit,           "kvm_x86_exit|kvm_exit|kvm:kvm_exit")                \
    E(EV_KVM_USERSPACE_EXIT, kvm_userspace_exit, "kvm_userspace_exit|kvm:kvm_userspace_exit")         \
    E(EV_BLOCK_INSERT,       block_rq_insert,    "block_rq_insert|block:block_rq_insert")             \
    E(EV_BLOCK_ISSUE,        block_rq_issue,     "block_rq_issue|block:block_rq_issue")               \
    E(EV_BLOCK_COMPLETE,     block_rq_complete,  "block_rq_complete|block:block_rq_complete")         \
    E(EV_BLOCK_REQUEUE,      block_rq_requeue,   "block_rq_requeue|block:block_rq_requeue")           \
    E(EV_BLOCK_MERGE,        block_rq_merge,     "block_rq_merge|block:block_rq_merge")               \
    E(EV_BLOCK_BIO_MERGE,    block_bio_merge,                                                         \
      "block_bio_backmerge|block_bio_frontmerge|block:block_bio_backmerge|block:block_bio_frontmerge")\
    E(EV_NET_QUEUE,          net_queue,          "net_dev_queue|net:net_dev_queue")                   \
    E(EV_NET_GRO,            net_gro,                                                                 \
      "net_napi_gro_receive_entry|napi_gro_receive_entry|net:napi_gro_receive_entry")                 \
    E(EV_SOCK_OUT,           sock_out,           "inet_sock_local_out")                               \
    E(EV_SOCK_IN,            sock_in,            "inet_sock_local_in")                                \
    E(EV_VMSYNC_GH_GUEST,    vmsync_gh_guest,    "vmsync_gh_guest")                                   \
    E(EV_VMSYNC_GH_HOST,     vmsync_gh_host,     "vmsync_gh_host")                                    \
    E(EV_VMSYNC_HG_HOST,     vmsync_hg_host,     "vmsync_hg_host")                                    \
    E(EV_VMSYNC_HG_GUEST,    vmsync_hg_guest,    "vmsync_hg_guest")                                   \
    E(EV_NET_XMIT,           net_xmit,           "net_dev_xmit|net:net_dev_xmit")                     \
    E(EV_NET_RECEIVE,        net_receive,                                                             \
      "net_if_receive_skb|netif_receive_skb|net:netif_receive_skb")                                   \
    E(EV_SKB_KFREE,          skb_kfree,          "skb_kfree|kfree_skb|skb:kfree_skb")                 \
    E(EV_PAGE_ALLOC,         page_alloc,                                                              \
      "kmem_mm_page_alloc|mm_page_alloc|kmem:mm_page_alloc")                                          \
    E(EV_PAGE_FREE,          page_free,                                                               \
      "kmem_mm_page_free|mm_page_free|kmem:mm_page_free")                                             \
    E(EV_RSS_STAT,           rss_stat,           "kmem_rss_stat|rss_stat|kmem:rss_stat")              \
    E(EV_OOM_VICTIM,         oom_victim,         "oom_mark_victim|mark_victim|oom:mark_victim")       \
    E(EV_DUMP_START,         dump_start,         "lttng_statedump_start")                             \
    E(EV_DUMP_END,           dump_end,           "lttng_statedump_end")                               \
    E(EV_DUMP_PROCESS,       dump_process,       "lttng_statedump_process_state")                     \
    E(EV_DUMP_PID_NS,        dump_pid_ns,        "lttng_statedump_process_pid_ns")                    \
    E(EV_DUMP_BLOCK,         dump_block,         "lttng_statedump_block_device")                      \
    E(EV_DUMP_IRQ,           dump_irq,           "lttng_statedump_interrupt")                         \
    E(EV_DUMP_FD,            dump_fd,            "lttng_statedump_file_descriptor")                \
    E(EV_QEMU_RUNSTATE, qemu_runstate, "qemu:runstate_set|runstate_set")                           \
    E(EV_QEMU_VM_STATE, qemu_vm_state, "qemu:vm_state_notify|vm_state_notify")                     \
    E(EV_QEMU_KVM_RUN_EXIT, qemu_kvm_run_exit, "qemu:kvm_run_exit|kvm_run_exit")                   \
    E(EV_QEMU_BALLOON_TARGET, qemu_balloon_target,                                                 \
      "qemu:virtio_balloon_to_target|virtio_balloon_to_target")                                    \
    E(EV_QEMU_BALLOON_SIZE, qemu_balloon_size,                                                     \
      "qemu:virtio_balloon_set_config|virtio_balloon_set_config")                                  \
    E(EV_QEMU_DIRTY_LOG, qemu_dirty_log, "qemu:global_dirty_changed|global_dirty_changed")         \
    E(EV_QEMU_MIGRATE_STATE, qemu_migrate_state, "qemu:migrate_set_state|migrate_set_state")       \
    E(EV_QEMU_MIGRATE_ERROR, qemu_migrate_error,                                                   \
      "qemu:migrate_fd_error|migrate_fd_error|qemu:migrate_error|migrate_error"                    \
      "|qemu:migration_socket_outgoing_error|migration_socket_outgoing_error")                     \
    E(EV_QEMU_MIGRATE_CANCEL, qemu_migrate_cancel,                                                 \
      "qemu:migrate_fd_cancel|migrate_fd_cancel|qemu:migration_cancel|migration_cancel")           \
    E(EV_QEMU_MIGRATE_CLEANUP, qemu_migrate_cleanup,                                               \
      "qemu:migrate_fd_cleanup|migrate_fd_cleanup|qemu:migration_cleanup|migration_cleanup")       \
    E(EV_QEMU_SETUP_COMPLETE, qemu_setup_complete,                                                 \
      "qemu:migration_thread_setup_complete|migration_thread_setup_complete")                      \
    E(EV_QEMU_PENDING, qemu_pending,                                                               \
      "qemu:migrate_pending|migrate_pending|qemu:migrate_pending_exact|migrate_pending_exact"      \
      "|qemu:migrate_pending_estimate|migrate_pending_estimate")                                   \
    E(EV_QEMU_LOW_PENDING, qemu_low_pending,                                                       \
      "qemu:migration_thread_low_pending|migration_thread_low_pending")                            \
    E(EV_QEMU_TRANSFERRED, qemu_transferred, "qemu:migrate_transferred|migrate_transferred")       \
    E(EV_QEMU_RATE_LIMIT_BEGIN, qemu_rate_limit_begin,                                             \
      "qemu:migration_rate_limit_pre|migration_rate_limit_pre"                                     \
      "|qemu:migration_thread_ratelimit_pre|migration_thread_ratelimit_pre")                       \
    E(EV_QEMU_RATE_LIMIT_END, qemu_rate_limit_end,                                                 \
      "qemu:migration_rate_limit_post|migration_rate_limit_post"                                   \
      "|qemu:migration_thread_ratelimit_post|migration_thread_ratelimit_post")                     \
    E(EV_QEMU_LOOP_END, qemu_loop_end,                                                             \
      "qemu:migration_thread_after_loop|migration_thread_after_loop")                              \
    E(EV_QEMU_COMPLETION_STOP, qemu_completion_stop,                                               \
      "qemu:migration_completion_vm_stop|migration_completion_vm_stop")                            \
    E(EV_QEMU_FILE_ERROR, qemu_file_error,                                                         \
      "qemu:migration_completion_file_err|migration_completion_file_err"                           \
      "|qemu:migration_thread_file_err|migration_thread_file_err")                                 \
    E(EV_QEMU_RETURN_PATH, qemu_return_path,                                                       \
      "qemu:migration_return_path_*|migration_return_path_*|qemu:source_return_path_*"             \
      "|source_return_path_*|qemu:await_return_path_*|await_return_path_*"                         \
      "|qemu:open_return_path_*|open_return_path_*")                                               \
    E(EV_QEMU_CHANNEL_IN, qemu_channel_in,                                                         \
      "qemu:migration_set_incoming_channel|migration_set_incoming_channel")                        \
    E(EV_QEMU_CHANNEL_OUT, qemu_channel_out,                                                       \
      "qemu:migration_set_outgoing_channel|migration_set_outgoing_channel")                        \
    E(EV_QEMU_SOCKET_ACCEPTED, qemu_socket_accepted,                                               \
      "qemu:migration_socket_incoming_accepted|migration_socket_incoming_accepted")                \
    E(EV_QEMU_SOCKET_CONNECTED, qemu_socket_connected,                                             \
      "qemu:migration_socket_outgoing_connected|migration_socket_outgoing_connected")              \
    E(EV_QEMU_INCOMING_END, qemu_incoming_end,                                                     \
      "qemu:process_incoming_migration_co_end|process_incoming_migration_co_end")                  \
    E(EV_QEMU_GLOBAL_STATE, qemu_global_state,                                                     \
      "qemu:migrate_global_state_pre_save|migrate_global_state_pre_save"                           \
      "|qemu:migrate_global_state_post_load|migrate_global_state_post_load")                       \
    E(EV_QEMU_SYNC_BEGIN, qemu_sync_begin,                                                         \
      "qemu:migration_bitmap_sync_start|migration_bitmap_sync_start")                              \
    E(EV_QEMU_SYNC_END, qemu_sync_end,                                                             \
      "qemu:migration_bitmap_sync_end|migration_bitmap_sync_end")                                  \
    E(EV_QEMU_THROTTLE, qemu_throttle, "qemu:migration_throttle|migration_throttle")               \
    E(EV_QEMU_CPU_THROTTLE, qemu_cpu_throttle, "qemu:cpu_throttle_set|cpu_throttle_set")           \
    E(EV_QEMU_DIRTY_LIMIT, qemu_dirty_limit,                                                       \
      "qemu:dirtylimit_throttle_pct|dirtylimit_throttle_pct|qemu:dirtylimit_vcpu_execute"          \
      "|dirtylimit_vcpu_execute")                                                                  \
    E(EV_QEMU_RAM_SAVE, qemu_ram_save, "qemu:ram_save_page|ram_save_page")                         \
    E(EV_QEMU_RAM_LOAD, qemu_ram_load,                                                             \
      "qemu:ram_load_loop|ram_load_loop|qemu:ram_load_postcopy_loop|ram_load_postcopy_loop")       \
    E(EV_QEMU_RAM_BIG_WAIT, qemu_ram_big_wait,                                                     \
      "qemu:ram_save_iterate_big_wait|ram_save_iterate_big_wait")                                  \
    E(EV_QEMU_RAM_LOAD_END, qemu_ram_load_end, "qemu:ram_load_complete|ram_load_complete")         \
    E(EV_QEMU_MULTIFD_PACKET, qemu_multifd_packet,                                                 \
      "qemu:multifd_send|multifd_send|qemu:multifd_send_fill|multifd_send_fill")                   \
    E(EV_QEMU_MULTIFD_RECEIVED, qemu_multifd_received,                                             \
      "qemu:multifd_recv|multifd_recv|qemu:multifd_recv_unfill|multifd_recv_unfill")               \
    E(EV_QEMU_MULTIFD_THREAD_END, qemu_multifd_thread_end,                                         \
      "qemu:multifd_send_thread_end|multifd_send_thread_end|qemu:multifd_recv_thread_end"          \
      "|multifd_recv_thread_end")                                                                  \
    E(EV_QEMU_MULTIFD_STEP, qemu_multifd_step,                                                     \
      "qemu:multifd_send_*|multifd_send_*|qemu:multifd_recv_*|multifd_recv_*")                     \
    E(EV_QEMU_SECTION_BEGIN, qemu_section_begin,                                                   \
      "qemu:savevm_section_start|savevm_section_start")                                            \
    E(EV_QEMU_SECTION_END, qemu_section_end, "qemu:savevm_section_end|savevm_section_end")         \
    E(EV_QEMU_SECTION_SKIP, qemu_section_skip, "qemu:savevm_section_skip|savevm_section_skip")     \
    E(EV_QEMU_SAVE_SETUP, qemu_save_setup,                                                         \
      "qemu:savevm_state_setup|savevm_state_setup|qemu:savevm_state_begin|savevm_state_begin")     \
    E(EV_QEMU_SAVE_ITERATE, qemu_save_iterate, "qemu:savevm_state_iterate|savevm_state_iterate")   \
    E(EV_QEMU_SAVE_COMPLETE, qemu_save_complete,                                                   \
      "qemu:savevm_state_complete_precopy|savevm_state_complete_precopy")                          \
    E(EV_QEMU_SAVE_CLEANUP, qemu_save_cleanup, "qemu:savevm_state_cleanup|savevm_state_cleanup")   \
    E(EV_QEMU_SAVE_STEP, qemu_save_step,                                                           \
      "qemu:savevm_state_*|savevm_state_*|qemu:savevm_send_*|savevm_send_*")                       \
    E(EV_QEMU_DEVICE_SAVE, qemu_device_save, "qemu:vmstate_save|vmstate_save")                     \
    E(EV_QEMU_DEVICE_LOAD, qemu_device_load, "qemu:vmstate_load|vmstate_load")                     \
    E(EV_QEMU_DOWNTIME_SAVE, qemu_downtime_save,                                                   \
      "qemu:vmstate_downtime_save|vmstate_downtime_save")                                          \
    E(EV_QEMU_DOWNTIME_LOAD, qemu_downtime_load,                                                   \
      "qemu:vmstate_downtime_load|vmstate_downtime_load")                                          \
    E(EV_QEMU_DOWNTIME_POINT, qemu_downtime_point,                                                 \
      "qemu:vmstate_downtime_checkpoint|vmstate_downtime_checkpoint")                              \
    E(EV_QEMU_LOAD_SETUP, qemu_load_setup, "qemu:loadvm_state_setup|loadvm_state_setup")           \
    E(EV_QEMU_LOAD_CLEANUP, qemu_load_cleanup, "qemu:loadvm_state_cleanup|loadvm_state_cleanup")   \
    E(EV_QEMU_LOAD_SECTION, qemu_load_section,                                                     \
      "qemu:qemu_loadvm_state_section|qemu_loadvm_state_section")                                  \
    E(EV_QEMU_LOAD_SECTION_BEGIN, qemu_load_section_begin,                                         \
      "qemu:qemu_loadvm_state_section_startfull|qemu_loadvm_state_section_startfull")              \
    E(EV_QEMU_LOAD_SECTION_PART, qemu_load_section_part,                                           \
      "qemu:qemu_loadvm_state_section_partend|qemu_loadvm_state_section_partend")                  \
    E(EV_QEMU_LOAD_END, qemu_load_end,                                                             \
      "qemu:qemu_loadvm_state_post_main|qemu_loadvm_state_post_main")                              \
    E(EV_QEMU_LOAD_COMMAND, qemu_load_command,                                                     \
      "qemu:loadvm_process_command|loadvm_process_command")                                        \
    E(EV_QEMU_POSTCOPY_BEGIN, qemu_postcopy_begin, "qemu:postcopy_start|postcopy_start")           \
    E(EV_QEMU_POSTCOPY_END, qemu_postcopy_end,                                                     \
      "qemu:migration_completion_postcopy_end|migration_completion_postcopy_end")                  \
    E(EV_QEMU_POSTCOPY_RUN, qemu_postcopy_run,                                                     \
      "qemu:loadvm_postcopy_handle_run|loadvm_postcopy_handle_run")                                \
    E(EV_QEMU_PAGE_FAULT, qemu_page_fault,                                                         \
      "qemu:postcopy_ram_fault_thread_request|postcopy_ram_fault_thread_request")                  \
    E(EV_QEMU_PAGE_PLACED, qemu_page_placed,                                                       \
      "qemu:postcopy_place_page|postcopy_place_page|qemu:postcopy_place_page_zero"                 \
      "|postcopy_place_page_zero")                                                                 \
    E(EV_QEMU_PAGE_REQUEST, qemu_page_request,                                                     \
      "qemu:migrate_handle_rp_req_pages|migrate_handle_rp_req_pages")                              \
    E(EV_QEMU_POSTCOPY_STEP, qemu_postcopy_step,                                                   \
      "qemu:postcopy_*|postcopy_*|qemu:loadvm_postcopy_*|loadvm_postcopy_*"                        \
      "|qemu:migration_completion_postcopy_*|migration_completion_postcopy_*")                     \
    E(EV_QEMU_COMMAND, qemu_command, "qemu:handle_qmp_command|handle_qmp_command")                 \
    E(EV_QEMU_COMMAND_BEGIN, qemu_command_begin, "qemu:qmp_enter_*|qmp_enter_*")                   \
    E(EV_QEMU_COMMAND_END, qemu_command_end, "qemu:qmp_exit_*|qmp_exit_*")                         \
    E(EV_QMP_MIGRATE_INFO, qmp_migrate_info, "qmp:query-migrate|qmp:query-migrate-final")          \
    E(EV_QMP_EVENT, qmp_event, "qmp:*")

/* clang-format on */

enum ev_type {
#define E(id, name, names) id,
    EVENTS(E)
#undef E
        EV_TYPES,
    EV_OTHER = EV_TYPES /* an event that no analysis asks for */
};

#define EV_CTYPE_STR struct str
#define EV_CTYPE_BYTES struct str /* an array of bytes */
#define EV_CTYPE_I64 int64_t
#define F(S, type, member, names, needed) EV_CTYPE_##type member;
#define E(id, name, names)        \
    struct ev_##name {            \
        EV_FIELDS_##name(F, name) \
    };
EVENTS(E)
#undef E
#undef F

/* What every event carries. */
struct ev_head {
    ns_t t;
    uint32_t cpu; /* UINT32_MAX = unknown                     */
    int64_t pid;  /* of the context; -1 = not recorded        */
    int64_t tid;
    uint32_t source; /* number of the reader on its host; several can be of one process */
    struct str procname;
    struct str name; /* of the event in the trace; 'p' is the same for all of its class */
};

enum ev_kind { EV_STR, EV_I64, EV_BYTES };

struct ev_field {
    const char *member;
    const char *names;
    enum ev_kind kind;
    uint32_t offset;
    bool needed;
};

struct ev_desc {
    const char *name;  /* of the struct: "python_log" */
    const char *names; /* in traces; "" = derived     */
    const struct ev_field *fields;
    uint32_t nfields; /* may be 0 */
    uint32_t size;
};

extern const struct ev_desc ev_descs[EV_TYPES];

enum { EV_MAX_BYTES = 512 }; /* no struct above is larger */

/* The event whose name or alias is 'name', or EV_OTHER. */
enum ev_type ev_find(struct str name);
/* True if 'name' is one of the '|'-separated 'names'. */
bool ev_name_is(const char *names, struct str name);
/* What 'name' has behind the pattern of 'type' that it fits: "read" for
 * "syscall_entry_read"; empty if a whole name fits, or none. */
struct str ev_name_rest(enum ev_type type, struct str name);
/* Field of 'type' with this member name, or NULL. */
const struct ev_field *ev_field_of(enum ev_type type, const char *member);

#endif
