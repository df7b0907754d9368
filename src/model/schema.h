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

#define VALUE_SETS(S)                                              \
    S(vm_state,     VM_STATES)                                     \
    S(volume_state, VOLUME_STATES)                                 \
    S(log_level,    LOG_LEVELS)

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
    X(ATTR_NODE_DISK_USED,  "nodes/{node}/disk_used",      INT,    "GB", none,         "Disk reserved for instances")

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

#define TABLES(T)                                                                          \
    T(task) T(step) T(line) T(mark) T(ident) T(vm_seen) T(thing_seen) T(request_seen)      \
    T(service_seen) T(resource) T(sched) T(vm) T(vm_state) T(request)

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

/* The value whose label is 'label', or 'otherwise'. */
int64_t schema_value_of(const struct schema_values *v, struct str label, int64_t otherwise);
/* LOG_INFO for Python's 20; in between, the level below. */
enum log_level log_level_of(int64_t python_level);

#endif
