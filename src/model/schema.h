/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.h -- states, attributes and records: their names, once.
 *
 * Everything that the history can hold is declared here; the enums, labels,
 * colours, bad-state marks, attribute paths and columns come from these tables,
 * and nobody else spells them. */
#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

#include "base/str.h"

/* clang-format off */

/* Nova's vm_state (nova/compute/vm_states.py, Zed) and MIGRATING, which Nova
 * keeps as a task: an instance that is being live-migrated shows it.
 *    id                    label                colour     bad */
#define VM_STATES(X)                                               \
    X(VM_BUILDING,          "building",          "#66ccee", 0)     \
    X(VM_ACTIVE,            "active",            "#228833", 0)     \
    X(VM_PAUSED,            "paused",            "#ccbb44", 0)     \
    X(VM_SUSPENDED,         "suspended",         "#aaaa00", 0)     \
    X(VM_STOPPED,           "stopped",           "#bbbbbb", 0)     \
    X(VM_RESCUED,           "rescued",           "#ee8866", 0)     \
    X(VM_RESIZED,           "resized",           "#99ddff", 0)     \
    X(VM_MIGRATING,         "migrating",         "#4477aa", 0)     \
    X(VM_SOFT_DELETED,      "soft-delete",       "#777777", 0)     \
    X(VM_SHELVED,           "shelved",           "#bbcc33", 0)     \
    X(VM_SHELVED_OFFLOADED, "shelved_offloaded", "#ddddaa", 0)     \
    X(VM_DELETED,           "deleted",           "#555555", 0)     \
    X(VM_ERROR,             "error",             "#ee6677", 1)     \
    X(VM_OTHER,             "other",             "#dddddd", 0)

/* Cinder's volume status (cinder/objects/fields.py, VolumeStatus, Zed). */
#define VOLUME_STATES(X)                                           \
    X(VOLUME_CREATING,      "creating",          "#66ccee", 0)     \
    X(VOLUME_AVAILABLE,     "available",         "#228833", 0)     \
    X(VOLUME_RESERVED,      "reserved",          "#99ddff", 0)     \
    X(VOLUME_ATTACHING,     "attaching",         "#bbcc33", 0)     \
    X(VOLUME_IN_USE,        "in-use",            "#4477aa", 0)     \
    X(VOLUME_DETACHING,     "detaching",         "#ccbb44", 0)     \
    X(VOLUME_EXTENDING,     "extending",         "#aaaa00", 0)     \
    X(VOLUME_MAINTENANCE,   "maintenance",       "#ee8866", 0)     \
    X(VOLUME_MIGRATING,     "migrating",         "#aa3377", 0)     \
    X(VOLUME_RETYPING,      "retyping",          "#ddddaa", 0)     \
    X(VOLUME_DELETING,      "deleting",          "#777777", 0)     \
    X(VOLUME_DELETED,       "deleted",           "#555555", 0)     \
    X(VOLUME_ERROR,         "error",             "#ee6677", 1)     \
    X(VOLUME_ERROR_DELETING,"error_deleting",    "#cc3311", 1)     \
    X(VOLUME_ERROR_EXTENDING,"error_extending",  "#ee3377", 1)     \
    X(VOLUME_OTHER,         "other",             "#dddddd", 0)

/* Python's logging levels. */
#define LOG_LEVELS(X)                                              \
    X(LOG_TRACE,            "TRACE",             "#e5ccff", 0)     \
    X(LOG_DEBUG,            "DEBUG",             "#dddddd", 0)     \
    X(LOG_INFO,             "INFO",              "#99ddff", 0)     \
    X(LOG_WARNING,          "WARNING",           "#ccbb44", 0)     \
    X(LOG_ERROR,            "ERROR",             "#ee6677", 1)     \
    X(LOG_CRITICAL,         "CRITICAL",          "#cc3311", 1)

/* What a thread does.  Running: on a CPU; the interrupts that it has to let go first are told
 * apart.  Blocked: until it is woken; why is known when that happens.  UNKNOWN: events were lost,
 * or nothing was seen of it yet. */
#define THREAD_STATES(X)                                           \
    X(TS_UNKNOWN,           "unknown",           "#dddddd", 0)     \
    X(TS_USER,              "user",              "#228833", 0)     \
    X(TS_SYSCALL,           "syscall",           "#4477aa", 0)     \
    X(TS_KERNEL,            "kernel",            "#66ccee", 0)     \
    X(TS_RUNNING,           "running",           "#55aa77", 0)     \
    X(TS_GUEST,             "guest",             "#44bb99", 0)     \
    X(TS_HYPERVISOR,        "hypervisor",        "#bbcc33", 0)     \
    X(TS_IRQ,               "irq",               "#ee8866", 0)     \
    X(TS_SOFTIRQ,           "softirq",           "#eedd88", 0)     \
    X(TS_WAIT,              "waiting",           "#ccbb44", 0)     \
    X(TS_PREEMPTED,         "pre-empted",        "#ee6677", 1)     \
    X(TS_BLOCKED_DISK,      "blocked: disk",     "#aa3377", 0)     \
    X(TS_BLOCKED_NET,       "blocked: network",  "#cc6699", 0)     \
    X(TS_BLOCKED_TIMER,     "blocked: timer",    "#bbbbbb", 0)     \
    X(TS_BLOCKED_FUTEX,     "blocked: futex",    "#997700", 0)     \
    X(TS_BLOCKED_OTHER,     "blocked: other",    "#999999", 0)     \
    X(TS_STOPPED,           "stopped",           "#777777", 0)

/* What a CPU does; as above. */
#define CPU_STATES(X)                                              \
    X(CS_UNKNOWN,           "unknown",           "#dddddd", 0)     \
    X(CS_IDLE,              "idle",              "#eeeeee", 0)     \
    X(CS_USER,              "user",              "#228833", 0)     \
    X(CS_SYSCALL,           "syscall",           "#4477aa", 0)     \
    X(CS_KERNEL,            "kernel",            "#66ccee", 0)     \
    X(CS_RUNNING,           "running",           "#55aa77", 0)     \
    X(CS_GUEST,             "guest",             "#44bb99", 0)     \
    X(CS_HYPERVISOR,        "hypervisor",        "#bbcc33", 0)     \
    X(CS_IRQ,               "irq",               "#ee8866", 0)     \
    X(CS_SOFTIRQ,           "softirq",           "#eedd88", 0)

/* How a task ended.  END_ONLY: its begin was not seen. */
#define TASK_STATUSES(X)                                           \
    X(TASK_OPEN,            "open",              "#ccbb44", 0)     \
    X(TASK_DONE,            "done",              "#228833", 0)     \
    X(TASK_ABORTED,         "aborted",           "#ee8866", 1)     \
    X(TASK_END_ONLY,        "end-only",          "#bbbbbb", 0)     \
    X(TASK_ERROR,           "error",             "#ee6677", 1)

/* For texts, of which no table tells a colour: some that are far apart. */
#define SHADES(X)                                                  \
    X(SHADE_BLUE,           "1",                 "#4477aa", 0)     \
    X(SHADE_YELLOW,         "2",                 "#ccbb44", 0)     \
    X(SHADE_GREEN,          "3",                 "#228833", 0)     \
    X(SHADE_PURPLE,         "4",                 "#aa3377", 0)     \
    X(SHADE_CYAN,           "5",                 "#66ccee", 0)     \
    X(SHADE_GREY,           "6",                 "#bbbbbb", 0)

#define VALUE_SETS(S)                                              \
    S(vm_state,     VM_STATES)                                     \
    S(volume_state, VOLUME_STATES)                                 \
    S(log_level,    LOG_LEVELS)                                    \
    S(thread_state, THREAD_STATES)                                 \
    S(cpu_state,    CPU_STATES)                                    \
    S(task_status,  TASK_STATUSES)                                 \
    S(shade,        SHADES)

/* Attributes: holes take members of the event that sets them.
 *    id                    path                           type    unit  values        title */
#define ATTRS(X)                                                                                       \
    X(ATTR_VM_STATE,        "vms/{vm}/state",              STATE,  "",   vm_state,     "Instance state") \
    X(ATTR_VM_TASK,         "vms/{vm}/task",               STR,    "",   none,         "Instance task state") \
    X(ATTR_VM_HOST,         "vms/{vm}/host",               STR,    "",   none,         "Host of the instance") \
    X(ATTR_VOLUME_STATE,    "volumes/{volume}/state",      STATE,  "",   volume_state, "Volume status") \
    X(ATTR_SERVICE_LEVEL,   "services/{service}/level",    STATE,  "",   log_level,    "Last log level") \
    X(ATTR_NODE_RAM_USED,   "nodes/{node}/ram_used",       INT,    "MB", none,         "Memory reserved for instances") \
    X(ATTR_NODE_RAM_TOTAL,  "nodes/{node}/ram_total",      INT,    "MB", none,         "Memory of the node") \
    X(ATTR_NODE_VCPU_USED,  "nodes/{node}/vcpus_used",     INT,    "",   none,         "vCPUs in use") \
    X(ATTR_NODE_VCPU_TOTAL, "nodes/{node}/vcpus_total",    INT,    "",   none,         "vCPUs of the node") \
    X(ATTR_NODE_DISK_USED,  "nodes/{node}/disk_used",      INT,    "GB", none,         "Disk reserved for instances") \
    X(ATTR_THREAD_STATE,    "threads/{tid}/state",         STATE,  "",   thread_state, "Thread state") \
    X(ATTR_CPU_STATE,       "cpus/{cpu}/state",            STATE,  "",   cpu_state,    "CPU state") \
    X(ATTR_CPU_THREAD,      "cpus/{cpu}/thread",           INT,    "",   none,         "Thread on the CPU") \
    X(ATTR_DISK_WAITING,    "disks/{dev}/waiting",         INT,    "",   none,         "Requests that wait for the device") \
    X(ATTR_DISK_DRIVER,     "disks/{dev}/driver",          INT,    "",   none,         "Requests in the device") \
    X(ATTR_PROCESS_RSS,     "processes/{pid}/rss",         INT,    "B",  none,         "Resident memory") \
    X(ATTR_PROCESS_PAGES,   "processes/{pid}/pages",       INT,    "",   none,         "Pages taken, less pages given back") \
    X(ATTR_PROCESS_MAPPED,  "processes/{pid}/mapped",      INT,    "B",  none,         "Address space taken, less what was given back")

/* Records.  C(table, type, column); the first two are the start and the end. */
#define COLUMNS_task(C, N)                                                                 \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, status) C(N, TEXT, service) C(N, TEXT, logger) C(N, TEXT, task) \
    C(N, TEXT, event_type) C(N, TEXT, kind) C(N, TEXT, entity) C(N, TEXT, uuid) C(N, TEXT, request)       \
    C(N, TEXT, user) C(N, TEXT, project) C(N, TEXT, node) C(N, INT, pid) C(N, INT, thread) C(N, TEXT, func)  \
    C(N, INT, lineno) C(N, TEXT, error) C(N, TEXT, sources) C(N, INT, depth) C(N, TEXT, key)
/* A part of a task, or work beside one: a lock, a command, a call, a wait. */
#define COLUMNS_step(C, N)                                                                 \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, kind) C(N, TEXT, name) C(N, TEXT, detail) C(N, TEXT, status)    \
    C(N, INT, code) C(N, SPAN_NS, reported_ns) C(N, TEXT, request) C(N, TEXT, child) C(N, TEXT, service)  \
    C(N, TEXT, logger) C(N, INT, pid) C(N, INT, thread) C(N, TEXT, entity) C(N, TEXT, peer)    \
    C(N, TEXT, task)
/* A log line that belongs to a request, or that warns. */
#define COLUMNS_line(C, N)                                                                 \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, level) C(N, TEXT, service) C(N, TEXT, logger) C(N, TEXT, func)   \
    C(N, INT, lineno) C(N, INT, pid) C(N, INT, thread) C(N, TEXT, request) C(N, TEXT, uuid) C(N, TEXT, text) \
    C(N, TEXT, task)
/* Something seen at an instant. */
#define COLUMNS_mark(C, N)                                                                 \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, kind) C(N, TEXT, subject) C(N, TEXT, name) C(N, TEXT, text)     \
    C(N, INT, n1) C(N, INT, n2) C(N, INT, n3) C(N, TEXT, request) C(N, TEXT, logger) C(N, INT, pid)          \
    C(N, INT, thread)
/* One thing has two names: the base of all joins. */
#define COLUMNS_ident(C, N)                                                                \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, akind) C(N, TEXT, a) C(N, TEXT, bkind) C(N, TEXT, b)            \
    C(N, TEXT, evidence)
/* What a record or line said of an instance. */
#define COLUMNS_vm_seen(C, N)                                                              \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, vm) C(N, TEXT, uuid) C(N, TEXT, state) C(N, TEXT, task_state)   \
    C(N, TEXT, node) C(N, INT, power) C(N, TEXT, source) C(N, TEXT, request) C(N, TEXT, project)          \
    C(N, TEXT, user) C(N, INT, firm)
/* What a record or line said of a volume, network, subnet, port or router. */
#define COLUMNS_thing_seen(C, N)                                                           \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, kind) C(N, TEXT, id) C(N, TEXT, name) C(N, TEXT, state)         \
    C(N, TEXT, network) C(N, TEXT, device) C(N, TEXT, mac) C(N, TEXT, addresses) C(N, TEXT, project)      \
    C(N, TEXT, user) C(N, INT, segmentation) C(N, TEXT, source) C(N, TEXT, request) C(N, INT, size_gb)    \
    C(N, TEXT, tap)
#define COLUMNS_request_seen(C, N)                                                         \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, request) C(N, TEXT, service) C(N, INT, count) C(N, TEXT, user)  \
    C(N, TEXT, project) C(N, INT, errors) C(N, INT, warnings) C(N, TEXT, first_error)
#define COLUMNS_service_seen(C, N)                                                         \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, service) C(N, INT, pid) C(N, TEXT, procname) C(N, INT, lines)   \
    C(N, INT, beats) C(N, INT, warnings) C(N, INT, errors) C(N, TEXT, loggers) C(N, INT, threads)
#define COLUMNS_resource(C, N)                                                             \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, node) C(N, TEXT, kind) C(N, INT, ram_total_mb)               \
    C(N, INT, ram_used_mb) C(N, INT, disk_total_gb) C(N, INT, disk_used_gb) C(N, INT, vcpus_total)     \
    C(N, INT, vcpus_used) C(N, INT, ram_free_mb) C(N, INT, vcpus_free)
#define COLUMNS_sched(C, N)                                                                \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, kind) C(N, TEXT, filter) C(N, INT, hosts) C(N, TEXT, host)      \
    C(N, TEXT, node) C(N, INT, ram_mb) C(N, INT, disk_mb) C(N, INT, io_ops) C(N, INT, instances)          \
    C(N, TEXT, weight) C(N, TEXT, request) C(N, TEXT, service) C(N, INT, thread) C(N, TEXT, text)

/* --- the kernel ---
 * Columns that name a thread hold its tid; who that was at the time says table thread. */

/* The life of a thread, as far as it was seen.  how: dump, fork, seen. */
#define COLUMNS_thread(C, N)                                                               \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, tid) C(N, INT, pid) C(N, INT, ppid) C(N, TEXT, comm)         \
    C(N, TEXT, names) C(N, TEXT, exe) C(N, INT, kernel) C(N, INT, vtid) C(N, INT, vpid) C(N, INT, ns)    \
    C(N, TEXT, cgroup) C(N, TEXT, how)
/* A thread could run and had to wait, from t0 until it ran.  kind: 0 it was woken, 1 it was
 * pre-empted, 2 it was put off the CPU for nobody.  by: the thread that woke it or took its CPU; 0
 * = an idle CPU, -1 = not known.  why and nr: what the waker was doing, and in which interrupt. */
#define COLUMNS_cpu_wait(C, N)                                                             \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, tid) C(N, INT, cpu) C(N, INT, kind) C(N, INT, by)             \
    C(N, INT, why) C(N, INT, nr) C(N, INT, prio)
/* blocked_ns, waited_ns: of that, the time that its thread was off the CPU. */
#define COLUMNS_syscall(C, N)                                                              \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, tid) C(N, TEXT, name) C(N, INT, ret) C(N, INT, fd)             \
    C(N, TEXT, file) C(N, SPAN_NS, blocked_ns) C(N, SPAN_NS, waited_ns)
/* tid: the thread that was interrupted, 0 = none. */
#define COLUMNS_irq(C, N)                                                                  \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, kind) C(N, INT, nr) C(N, INT, cpu) C(N, INT, tid)              \
    C(N, TEXT, name) C(N, TIME, raised)
/* A block request from its queueing to its completion. */
#define COLUMNS_block(C, N)                                                                \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TIME, issued) C(N, INT, dev) C(N, INT, tid) C(N, TEXT, op)          \
    C(N, INT, sector) C(N, INT, bytes) C(N, INT, error) C(N, INT, merged) C(N, INT, depth)              \
    C(N, INT, sequential) C(N, TEXT, status)
/* rc: what the driver said, or the reason of a drop.  queued_ns: how long it was in the queue of
 * the interface before the driver got it, or it was dropped. */
#define COLUMNS_packet(C, N)                                                               \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, dev) C(N, INT, dir) C(N, INT, bytes) C(N, INT, tid)           \
    C(N, INT, rc) C(N, SPAN_NS, queued_ns)
/* A vCPU left its guest at t0 and entered it again at t1. */
#define COLUMNS_vm_exit(C, N)                                                              \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, tid) C(N, INT, vcpu) C(N, TEXT, reason)                      \
    C(N, SPAN_NS, blocked_ns) C(N, SPAN_NS, waited_ns)
#define COLUMNS_disk(C, N)                                                                 \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, dev) C(N, TEXT, name)
/* Events of a CPU that the tracer lost. */
#define COLUMNS_gap(C, N)                                                                  \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, cpu) C(N, INT, events)
/* No trace of the host's kernel was taken, though there is one before and one after. */
#define COLUMNS_untraced(C, N) C(N, TIME, t0) C(N, TIME, t1)
/* One end of a message between hosts: who has the same key saw the same.  dir: enum message_dir;
 * kind: enum message_kind.  tid: that sent it. */
#define COLUMNS_message(C, N)                                                              \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, key) C(N, INT, kind) C(N, INT, dir) C(N, INT, tid)

/* What QEMU did about a migration: what is enum qemu_what, which says what a to d are.  source: of
 * which of the host's traces; pid is -1 where a trace does not tell. */
#define COLUMNS_qemu(C, N)                                                                 \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, source) C(N, INT, pid) C(N, INT, tid) C(N, INT, what)        \
    C(N, INT, a) C(N, INT, b) C(N, INT, c) C(N, INT, d) C(N, TEXT, text)
/* What QEMU answered when it was asked how its migration goes; -1: it did not say. */
#define COLUMNS_qmp_info(C, N)                                                             \
    C(N, TIME, t0) C(N, TIME, t1) C(N, INT, source) C(N, INT, pid) C(N, TEXT, status) C(N, TEXT, error)  \
    C(N, INT, total_ms) C(N, INT, downtime_ms) C(N, INT, expected_ms) C(N, INT, setup_ms)               \
    C(N, INT, transferred) C(N, INT, remaining) C(N, INT, total) C(N, INT, zero_pages)                   \
    C(N, INT, normal_pages) C(N, INT, dirty_rate) C(N, INT, syncs) C(N, INT, page_bytes)                 \
    C(N, INT, throttle)

/* Joined over all hosts. */
#define COLUMNS_vm(C, N)                                                                  \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, vm) C(N, TEXT, uuid) C(N, TEXT, libvirt_name) \
    C(N, TEXT, project) C(N, TEXT, project_name) C(N, TEXT, user) C(N, TEXT, user_name)    \
    C(N, TEXT, flavor) C(N, TEXT, image) C(N, TEXT, hosts) C(N, TEXT, ports)               \
    C(N, TEXT, taps) C(N, TEXT, macs) C(N, TEXT, disks) C(N, TEXT, volumes)                \
    C(N, TEXT, evidence) C(N, TEXT, doubt) C(N, TEXT, key)
#define COLUMNS_vm_state(C, N)                                                            \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, key) C(N, TEXT, state) C(N, TEXT, task_state) \
    C(N, TEXT, host) C(N, TEXT, source) C(N, TEXT, request) C(N, TEXT, violation)
#define COLUMNS_request(C, N)                                                             \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, request) C(N, TEXT, outcome) C(N, TEXT, user) \
    C(N, TEXT, project) C(N, TEXT, services) C(N, TEXT, hosts) C(N, TEXT, action)          \
    C(N, TEXT, entity) C(N, TEXT, uuid) C(N, TEXT, parent) C(N, INT, lines)                \
    C(N, INT, tasks) C(N, INT, errors) C(N, INT, warnings) C(N, TEXT, first_error)         \
    C(N, INT, open)

/* A process of the kernel layer is an instance or a service.  kind: vm, service; percent: how
 * sure it is; an empty name: several fit, see doubt. */
#define COLUMNS_mapping(C, N)                                                             \
    C(N, TIME, t0) C(N, TIME, t1) C(N, TEXT, host) C(N, INT, pid) C(N, TEXT, comm)         \
    C(N, TEXT, kind) C(N, TEXT, name) C(N, TEXT, uuid) C(N, TEXT, libvirt_name)            \
    C(N, TEXT, evidence) C(N, INT, percent) C(N, TEXT, doubt) C(N, INT, threads)           \
    C(N, INT, vcpus)

#define TABLES(T)                                                                          \
    T(task) T(step) T(line) T(mark) T(ident) T(vm_seen) T(thing_seen) T(request_seen)      \
    T(service_seen) T(resource) T(sched) T(vm) T(vm_state) T(request)                      \
    T(thread) T(cpu_wait) T(syscall) T(irq) T(block) T(packet) T(vm_exit) T(disk) T(gap) T(untraced) \
    T(mapping) T(message) T(qemu) T(qmp_info)

/* clang-format on */

#define X(id, label, colour, bad) id,
#define S(name, LIST) enum name { LIST(X) };
VALUE_SETS(S)
#undef S
#undef X

struct schema_value {
    const char *label, *colour;
    bool bad;
};
struct schema_values {
    const char *name;
    const struct schema_value *at;
    uint32_t n;
};
#define S(name, LIST) extern const struct schema_values name##_values;
VALUE_SETS(S)
#undef S

/* Numbers in columns of records. */
enum irq_kind {
    IRQ_HARD,
    IRQ_SOFT,
    IRQ_VECTOR,
    IRQ_TIMER
}; /* irq.kind: vector: of the CPU itself */
enum wait_kind { WAIT_WOKEN, WAIT_PREEMPTED, WAIT_PUT_OFF }; /* cpu_wait.kind */
/* cpu_wait.why: what woke the thread. */
enum wake_why { WAKE_UNKNOWN, WAKE_THREAD, WAKE_IRQ, WAKE_SOFTIRQ, WAKE_TIMER, WAKE_FORK };
enum message_dir { MESSAGE_SENT, MESSAGE_RECEIVED }; /* message.dir */
/* message.kind: what it was seen by. */
enum message_kind {
    MESSAGE_TCP,     /* a segment's headers */
    MESSAGE_TCP_END, /* the last byte of segments; received: merged with others, or acknowledged */
    MESSAGE_UDP,     /* a datagram's headers */
    MESSAGE_SOCKET,  /* inet_sock_local_out and _in */
    MESSAGE_RPC,     /* a call, cast or reply of oslo.messaging, by its id */
    MESSAGE_REQUEST, /* an API begins to serve a request; work for it is seen elsewhere */
    MESSAGE_CALL,    /* an API is called; it begins to serve that request               */
    MESSAGE_VMSYNC,  /* a guest and its host */
    MESSAGE_KINDS
};
/* qemu.what, and what is in a, b, c, d and text. */
enum qemu_what {
    QEMU_STATE,  /* text: of the migration ("active")                               */
    QEMU_ERROR,  /* text                                                            */
    QEMU_CANCEL, /* it is asked to give up; also at the end, when there is nothing  */
    QEMU_SETUP_DONE,
    QEMU_PENDING,     /* bytes to be sent, bytes that fit into the allowed downtime      */
    QEMU_LOW_PENDING, /* bytes to be sent: they do fit                                   */
    QEMU_TRANSFERRED, /* bytes, ms, bytes per ms, bytes that fit into the downtime       */
    QEMU_VM,          /* 1 it runs, 0 it stopped; reason; text: the same                 */
    QEMU_STOPS,       /* the migration stops the guest                                   */
    QEMU_OUTGOING,    /* connected to text                                               */
    QEMU_INCOMING,
    QEMU_SYNC,     /* pages written since the last one                                */
    QEMU_THROTTLE, /* percent                                                         */
    QEMU_SAVE_SETUP,
    QEMU_SAVE_COMPLETE, /* the last part is sent, the guest does not run                 */
    QEMU_SAVE_END,
    QEMU_LOAD_SETUP,
    QEMU_LOAD_END,
    QEMU_INCOMING_END, /* result                                                         */
    QEMU_POSTCOPY,
    QEMU_POSTCOPY_RUN, /* the destination runs                                           */
    QEMU_POSTCOPY_END,
    QEMU_PAGE_FAULT,
    QEMU_PARAMETERS, /* bytes per s at most, ms of downtime at most; -1: not said         */
    QEMU_MIGRATE,    /* it is told to migrate to text                                    */
    QEMU_PASS,       /* number: it begins to send the pages written meanwhile            */
    QEMU_VCPU,       /* thread, its number                                               */
};
enum packet_dir { PACKET_RX, PACKET_TX, PACKET_TX_FAILED, PACKET_DROP }; /* packet.dir */

enum schema_type { SCHEMA_STATE, SCHEMA_INT, SCHEMA_STR };

enum schema_attr {
#define X(id, path, type, unit, values, title) id,
    ATTRS(X)
#undef X
        SCHEMA_ATTRS
};
struct schema_attr_def {
    const char *path;
    enum schema_type type;
    const char *unit;
    const struct schema_values *values; /* NULL unless SCHEMA_STATE */
    const char *title;
};
extern const struct schema_attr_def schema_attrs[SCHEMA_ATTRS];

enum schema_table {
#define T(name) TABLE_##name,
    TABLES(T)
#undef T
        SCHEMA_TABLES
};
/* Columns as indices: C_task_t0, C_task_status, ..., task_columns. */
#define C(N, type, col) C_##N##_##col,
#define T(name) enum { COLUMNS_##name(C, name) name##_columns };
TABLES(T)
#undef T
#undef C

enum schema_col_type { SCHEMA_TIME, SCHEMA_SPAN_NS, SCHEMA_COUNT, SCHEMA_TEXT };
struct schema_col {
    const char *name;
    enum schema_col_type type;
};
struct schema_table_def {
    const char *name;
    const struct schema_col *columns;
    uint32_t ncolumns;
};
extern const struct schema_table_def schema_tables[SCHEMA_TABLES];

/* The path of an attribute with one hole, filled; a view of 'room', cut if it does not fit. */
enum { SCHEMA_PATH = 96 };
struct str schema_path(enum schema_attr a, struct str fill, char room[SCHEMA_PATH]);
struct str schema_path_nr(enum schema_attr a, int64_t fill, char room[SCHEMA_PATH]);
/* What such a path has in its hole. */
struct str schema_hole(enum schema_attr a, struct str path);
/* The value whose label is 'label', or 'otherwise'. */
int64_t schema_value_of(const struct schema_values *v, struct str label, int64_t otherwise);
/* LOG_INFO for Python's 20; in between, the level below. */
enum log_level log_level_of(int64_t python_level);

#endif
