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

/*   E(ID, struct, "names in the trace, or empty if derived")  */
#define EVENTS(E)                                                            \
    E(EV_PYTHON_LOG,     python_log,     "lttng_python:event")               \
    E(EV_VM_STATE,       vm_state,       "")                                 \
    E(EV_VOLUME_STATE,   volume_state,   "")                                 \
    E(EV_NODE_RESOURCES, node_resources, "")                                 \
    E(EV_SERVICE_LINE,   service_line,   "")

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
    uint32_t nfields;
    uint32_t size;
};

extern const struct ev_desc ev_descs[EV_TYPES];

enum { EV_MAX_BYTES = 512 }; /* no struct above is larger */

/* The event whose name or alias is 'name', or EV_OTHER. */
enum ev_type ev_find(struct str name);
/* True if 'name' is one of the '|'-separated 'names'. */
bool ev_name_is(const char *names, struct str name);
/* Field of 'type' with this member name, or NULL. */
const struct ev_field *ev_field_of(enum ev_type type, const char *member);

#endif
