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

#define EV_FIELDS_net_queue(F, S)                                             \
    F(S, STR, dev,         "name|dev",            1)                          \
    F(S, I64, len,         "len",                 1)                          \
    F(S, I64, skb,         "skbaddr",             0)
#define EV_FIELDS_net_xmit(F, S)                                              \
    F(S, STR, dev,         "name|dev",            1)                          \
    F(S, I64, len,         "len",                 1)                          \
    F(S, I64, rc,          "rc",                  0)                          \
    F(S, I64, skb,         "skbaddr",             0)
#define EV_FIELDS_net_receive(F, S) EV_FIELDS_net_queue(F, S)
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
    E(EV_DUMP_FD,            dump_fd,            "lttng_statedump_file_descriptor")

/* clang-format on */

enum ev_type {
#define E(id, name, names) id,
    EVENTS(E)
#undef E
        EV_TYPES,
    EV_OTHER = EV_TYPES /* an event that no analysis asks for */
};

#define EV_CTYPE_STR struct str
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
    struct str procname;
    struct str name; /* of the event in the trace; 'p' is the same for all of its class */
};

enum ev_kind { EV_STR, EV_I64 };

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
