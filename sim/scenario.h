/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario.h -- what a simulated cloud is made of, read from a JSON file.
 *
 * Unknown keys, wrong types and numbers out of range are errors that name the
 * key's path ("operations[3].fault.factor").  All keys:
 *
 *  description          text for people
 *  dialect              "2016" (lttng_trace:{...} payloads, LTTng-UST 2.8) or
 *                       "zed" (JSON notifications and spans, LTTng-UST 2.13)
 *  seed                 number; the same seed gives the same bytes
 *  start                "YYYY-MM-DD hh:mm:ss", UTC: true time when it begins
 *  duration_s           how long the cloud is watched; longer if work is left
 *  utc_offset_h         zone of asctime texts (dialect 2016), default -4
 *  periodic             false: no periodic tasks and heart-beats; default true
 *  vif_timeout_s        how long a boot waits for network-vif-plugged (300)
 *  packet_kib           size of a packet (sub-buffer), default 128
 *  empty_uid            a second, empty trace per controller of this user id
 *  rpc_lines            true: the lines of oslo.messaging's driver, which tell
 *                       the identifier of each call on both sides
 *  hosts[]              name; roles (of "controller", "compute", "network",
 *                       "storage"); cpus (4); ram_mb (32047); disk_gb (366);
 *                       vcpus (8); clock_offset_ms, clock_drift_ppm: how far
 *                       the host's clock is from true time at the start, and
 *                       how it runs away (parts per million);
 *                       clock_changes[]: at_s (true time), step_ms (set
 *                       forward by), drift_ppm (its rate from then on)
 *  services{}           per service name ("nova-scheduler", ...): workers,
 *                       threads (requests served at once by one worker)
 *  flavors[]            name, ram_mb, vcpus, disk_gb; default four m1 flavors
 *  users[]              name, project; default one, admin of admin
 *  networks[]           names of networks that exist from the start
 *  operations[]         what users ask for:
 *    do                 boot, delete, stop, start, reboot, pause, unpause,
 *                       suspend, resume, resize, confirm_resize, live_migrate,
 *                       volume_create, volume_attach, volume_detach,
 *                       volume_snapshot, volume_extend, volume_delete,
 *                       network_create, network_update, network_delete,
 *                       subnet_create, subnet_update, subnet_delete,
 *                       port_create, port_update, port_delete,
 *                       router_create, router_update, router_delete
 *    at_s               when; or after + delay_s: so long after the operation
 *                       of that name is over
 *    name               for 'after'; default "DO ENTITY", e.g. "boot web-1"
 *    user               default the first
 *    vm, volume, network, router, port   names; the creating operation must
 *                       come earlier in the file
 *    flavor, host       boot, resize, live_migrate (host: forced destination)
 *    size_gb            volume_create, volume_extend
 *    fault              object, see below
 *  workload             many VMs by numbers: vms; per_s (boots per second);
 *                       ops_per_vm; think_s (pause between two operations of a
 *                       VM); fail_percent, slow_percent (of the boots)
 *  faults[]             troubles of hosts and services:
 *    {kind: "lock_hog", host, lock, at_s, for_s}  a thread of nova-compute
 *                       keeps the lock, others wait
 *    {kind: "idle_worker", service, host, worker} this worker gets no request
 *    {kind: "lost_events", host, at_s, for_s, cpu} the buffer is full; counted
 *                       by events_discarded; cpu absent: all CPUs
 *    {kind: "lost_packets", host, cpu, first, count}  packets that vanish
 *  findings[]           what a diagnosis should find: fault, rule, or[] (rules that may
 *                       tell it instead), root (true), subjects[] and culprits[] (kind, name),
 * hosts[], from_s, to_s; operation: its request is a subject without[]            layers that are
 * not traced: kernel, qemu, openstack migrations[]         live migrations as QEMU traces them, and
 *  kernel               the kernel layer of hosts: see docs/neph-sim.1.scd
 *
 * Faults of one operation (operations[].fault.kind):
 *    no_valid_host      boot: no host passes the filters, of which 'message'
 *                       names the last (RamFilter)
 *    libvirt_error      boot, start, reboot, resume: libvirt refuses; 'message'
 *    vif_timeout        boot: network-vif-plugged never comes
 *    rollback           live_migrate: the copy never converges, is rolled back
 *    abort              network, subnet, port, router operations: the agent's
 *                       task starts, warns and returns without an end
 *    no_start           the same operations: an end without a start
 *    slow               any: 'step' takes 'factor' times as long; steps are
 *                       the names given to OP_WORK rows in sim/prog_*.c
 *    hang               any: 'step' never ends
 *    secrets            any: unmasked tokens and passwords in log lines */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "base/err.h"
#include "base/mem.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

#define SIM_LIMIT_HOSTS 200
#define SIM_LIMIT_STREAMS 480 /* all hosts: two open files each */
#define SIM_LIMIT_OPERATIONS 100000
#define SIM_LIMIT_VMS 100000
#define SIM_LIMIT_WORKERS 64
#define SIM_LIMIT_SECONDS (30.0 * 86400)
#define SIM_LIMIT_MIGRATIONS 10000

struct kc_kernel;
struct json_t; /* of jansson */

enum dialect { DIALECT_2016 = 1, DIALECT_ZED = 2 };

enum role { ROLE_CONTROLLER = 1, ROLE_COMPUTE = 2, ROLE_NETWORK = 4, ROLE_STORAGE = 8 };

/* id, name in the file, what it works on */
#define SIM_OPERATIONS(X)                                  \
    X(DO_BOOT, "boot", ON_NEW_VM)                          \
    X(DO_DELETE, "delete", ON_VM)                          \
    X(DO_STOP, "stop", ON_VM)                              \
    X(DO_START, "start", ON_VM)                            \
    X(DO_REBOOT, "reboot", ON_VM)                          \
    X(DO_PAUSE, "pause", ON_VM)                            \
    X(DO_UNPAUSE, "unpause", ON_VM)                        \
    X(DO_SUSPEND, "suspend", ON_VM)                        \
    X(DO_RESUME, "resume", ON_VM)                          \
    X(DO_RESIZE, "resize", ON_VM)                          \
    X(DO_CONFIRM_RESIZE, "confirm_resize", ON_VM)          \
    X(DO_LIVE_MIGRATE, "live_migrate", ON_VM)              \
    X(DO_VOLUME_CREATE, "volume_create", ON_NEW_VOLUME)    \
    X(DO_VOLUME_ATTACH, "volume_attach", ON_VOLUME_AND_VM) \
    X(DO_VOLUME_DETACH, "volume_detach", ON_VOLUME_AND_VM) \
    X(DO_VOLUME_SNAPSHOT, "volume_snapshot", ON_VOLUME)    \
    X(DO_VOLUME_EXTEND, "volume_extend", ON_VOLUME)        \
    X(DO_VOLUME_DELETE, "volume_delete", ON_VOLUME)        \
    X(DO_NETWORK_CREATE, "network_create", ON_NEW_NETWORK) \
    X(DO_NETWORK_UPDATE, "network_update", ON_NETWORK)     \
    X(DO_NETWORK_DELETE, "network_delete", ON_NETWORK)     \
    X(DO_SUBNET_CREATE, "subnet_create", ON_NETWORK)       \
    X(DO_SUBNET_UPDATE, "subnet_update", ON_NETWORK)       \
    X(DO_SUBNET_DELETE, "subnet_delete", ON_NETWORK)       \
    X(DO_PORT_CREATE, "port_create", ON_NEW_PORT)          \
    X(DO_PORT_UPDATE, "port_update", ON_PORT)              \
    X(DO_PORT_DELETE, "port_delete", ON_PORT)              \
    X(DO_ROUTER_CREATE, "router_create", ON_NEW_ROUTER)    \
    X(DO_ROUTER_UPDATE, "router_update", ON_ROUTER)        \
    X(DO_ROUTER_DELETE, "router_delete", ON_ROUTER)

enum operation {
#define X(id, name, on) id,
    SIM_OPERATIONS(X)
#undef X
        DO_COUNT
};
extern const char *const operation_names[DO_COUNT];

/* id, name in the file */
#define SIM_FAULTS(X)                       \
    X(FAULT_NONE, "none")                   \
    X(FAULT_NO_VALID_HOST, "no_valid_host") \
    X(FAULT_LIBVIRT, "libvirt_error")       \
    X(FAULT_VIF_TIMEOUT, "vif_timeout")     \
    X(FAULT_ROLLBACK, "rollback")           \
    X(FAULT_ABORT, "abort")                 \
    X(FAULT_NO_START, "no_start")           \
    X(FAULT_SLOW, "slow")                   \
    X(FAULT_HANG, "hang")                   \
    X(FAULT_SECRETS, "secrets")             \
    X(FAULT_LOCK_HOG, "lock_hog")           \
    X(FAULT_IDLE_WORKER, "idle_worker")     \
    X(FAULT_LOST_EVENTS, "lost_events")     \
    X(FAULT_LOST_PACKETS, "lost_packets")

enum fault_kind {
#define X(id, name) id,
    SIM_FAULTS(X)
#undef X
        FAULT_COUNT
};
extern const char *const fault_names[FAULT_COUNT];

struct sc_fault {
    enum fault_kind kind;
    const char *step, *message; /* of an operation */
    double factor;
    const char *host, *service, *lock; /* of a host or service */
    ns_t at_ns, for_ns;                /* after the start */
    int64_t cpu;                       /* -1: all */
    uint64_t first, count, worker;
};

/* A change of a host's clock: it is set forward, or runs at another rate from then on. */
struct sc_clock_change {
    ns_t at_ns, step_ns; /* after the start, true time */
    double drift_ppm;    /* NAN: as before */
};

struct sc_host {
    const char *name;
    unsigned roles, cpus;
    uint64_t ram_mb, disk_gb, vcpus;
    ns_t clock_offset_ns;
    double clock_drift_ppm;
    struct sc_clock_change *clock_changes; /* in order of time */
    size_t n_clock_changes;
};

struct sc_service {
    const char *name;
    unsigned workers, threads; /* 0: the service's usual number */
};

struct sc_flavor {
    const char *name;
    uint64_t ram_mb, vcpus, disk_gb;
};

struct sc_user {
    const char *name, *project;
};

struct sc_operation {
    enum operation what;
    const char *name;
    bool has_after;
    size_t after; /* position of the operation that must be over first */
    ns_t at_ns;   /* after the start, or after 'after' */
    size_t user;
    const char *vm, *volume, *network, *router, *port;
    const char *host;               /* NULL: the scheduler decides */
    const struct sc_flavor *flavor; /* NULL: the first, or the next larger */
    uint64_t size_gb;
    struct sc_fault fault;
};

struct sc_workload {
    uint64_t vms, ops_per_vm, fail_percent, slow_percent;
    double per_s;
    ns_t think_ns;
};

/* What a live migration ends with, if nothing is in its way or something is. */
enum sc_outcome { SC_COMPLETED, SC_CANCELLED, SC_FAILED };
enum sc_fail_at { SC_FAIL_NONE, SC_FAIL_SETUP, SC_FAIL_PRECOPY, SC_FAIL_STOP, SC_FAIL_LOAD };

/* One live migration of a QEMU process; rates are bytes per second. */
struct sc_migration {
    const char *vm, *from, *to;
    ns_t at_ns, setup_ns, cancel_after_ns; /* after the start; cancel: after that */
    uint64_t memory_mb, working_set_mb, downtime_limit_ms;
    double dirty_mb_s, bandwidth_mb_s;
    double cpu_percent;  /* of a CPU, that the sending thread takes at the full bandwidth */
    const char *message; /* what QEMU says of its failure; NULL: the usual */
    bool auto_converge;
    enum sc_outcome outcome;
    enum sc_fail_at fail_at;
};

struct sc_party {
    const char *kind, *name;
};
struct sc_parties {
    struct sc_party *at;
    size_t n;
};

/* What a diagnosis should find. */
struct sc_finding {
    const char *fault, *rule; /* of the library; of diagnose */
    const char **or_rules;    /* that may tell it instead */
    size_t n_or;
    bool root;             /* nothing else that is found explains it */
    const char *operation; /* its request is a subject; NULL: none */
    size_t op;             /* its position */
    ns_t from_ns, to_ns;
    struct sc_parties subjects, culprits;
    const char **hosts;
    size_t n_hosts;
};

struct scenario {
    struct arena mem; /* owns everything below */
    const char *name; /* of the file, without folder and suffix */
    const char *description;
    enum dialect dialect;
    uint64_t seed;
    ns_t start, duration_ns, vif_timeout_ns;
    int utc_offset_h;
    bool periodic, rpc_lines;
    uint32_t packet_bytes;
    uint64_t empty_uid; /* 0: none */
    VEC(struct sc_host) hosts;
    VEC(struct sc_service) services;
    VEC(struct sc_flavor) flavors;
    VEC(struct sc_user) users;
    VEC(const char *) networks;
    VEC(struct sc_operation) operations;
    struct sc_workload workload;
    VEC(struct sc_fault) faults;
    VEC(struct sc_migration) migrations; /* by time */
    const struct kc_kernel *kernel;      /* of kern.h; NULL: no kernel layer */
    VEC(struct sc_finding) findings;
    const char **without; /* layers that are not traced */
    size_t n_without;
};

/* Reads and checks 'path'.  'scale' > 0 multiplies the workload's VMs
 * and the duration of a scenario that has a workload.  On
 * success scenario_free() the result; on failure nothing is left to free. */
int scenario_load(const char *path, double scale, struct scenario *ret, struct err *err);
/* The same for what such a file has in it; 'name' is what it is called. */
int scenario_read(const struct json_t *root, const char *name, double scale, struct scenario *ret,
                  struct err *err);
void scenario_free(struct scenario *s);

#endif
