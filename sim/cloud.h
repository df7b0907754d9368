/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud.h -- the simulated cloud's things: hosts with their clocks, services,
 * VMs, networks, volumes, requests; and the state of a running simulation.
 *
 * True time is one line for the whole cloud; a host's clock is read with
 * host_time() only when something is written on that host. */
#ifndef SIM_CLOUD_H
#define SIM_CLOUD_H

#include "base/str.h"
#include "sim/ctfw.h"
#include "sim/rng.h"
#include "sim/scenario.h"

#define MS_NS INT64_C(1000000)
#define US_NS INT64_C(1000)

enum { ID_TEXT = 48 }; /* "req-" + uuid, with room */

/* id, name, process name (comm), role of its host, workers, threads, port.
 * Workers and threads are the usual numbers of a small installation. */
#define SIM_SERVICES(X)                                                                   \
    X(SVC_KEYSTONE, "keystone", "uwsgi", ROLE_CONTROLLER, 2, 1, 35357)                    \
    X(SVC_NOVA_API, "nova-api", "nova-api", ROLE_CONTROLLER, 2, 100, 8774)                \
    X(SVC_CONDUCTOR, "nova-conductor", "nova-conductor", ROLE_CONTROLLER, 2, 64, 0)       \
    X(SVC_SCHEDULER, "nova-scheduler", "nova-scheduler", ROLE_CONTROLLER, 1, 1, 0)        \
    X(SVC_COMPUTE, "nova-compute", "nova-compute", ROLE_COMPUTE, 1, 64, 0)                \
    X(SVC_NEUTRON, "neutron-server", "neutron-server:", ROLE_CONTROLLER, 2, 64, 9696)     \
    X(SVC_DHCP, "neutron-dhcp-agent", "neutron-dhcp-ag", ROLE_NETWORK, 1, 64, 0)          \
    X(SVC_L3, "neutron-l3-agent", "neutron-l3-agen", ROLE_NETWORK, 1, 64, 0)              \
    X(SVC_OVS, "neutron-openvswitch-agent", "neutron-openvsw", ROLE_COMPUTE, 1, 64, 0)    \
    X(SVC_CINDER_API, "cinder-api", "cinder-api", ROLE_CONTROLLER, 1, 64, 8776)           \
    X(SVC_CINDER_SCHED, "cinder-scheduler", "cinder-schedule", ROLE_CONTROLLER, 1, 64, 0) \
    X(SVC_CINDER_VOLUME, "cinder-volume", "cinder-volume", ROLE_STORAGE, 1, 64, 0)

enum service {
#define X(id, name, comm, role, workers, threads, port) id,
    SIM_SERVICES(X)
#undef X
        SVC_COUNT
};
struct service_info {
    const char *name, *comm;
    unsigned role, workers, threads;
    int port;
};
extern const struct service_info services[SVC_COUNT];

struct proc;
struct thread;
struct kern;

/* From true time 'from' on, when it showed 'local', a clock runs at one rate. */
struct clock_piece {
    ns_t from, local;
    int64_t drift_ppb; /* parts per billion */
};

struct host {
    const struct sc_host *sc;
    size_t index;
    struct clock_piece *clock;
    size_t n_clock;
    char ip[24];
    struct ctfw_trace *trace;
    struct ctfw_channel *channel;
    const struct ctfw_event *event;
    ns_t last_ts; /* of the last line written, host clock */
    VEC(struct proc *) procs[SVC_COUNT];
    uint64_t used_ram_mb, used_disk_gb, used_vcpus, vms;
    const char *dir;   /* below the output folder */
    ns_t clock_offset; /* of the clock of its traces, see ctfw.h */
    uint8_t clock_uuid[16];
    struct kern *kern; /* its kernel layer, or NULL */
    /* what QEMU traces here, of migrations */
    struct ctfw_trace *qemu_trace;
    struct ctfw_channel *qemu_channel;
    const char *qemu_dir;
};

struct user {
    const char *name, *project;
    char id[40], project_id[40], token[48];
};

struct network {
    const char *name;
    char id[40], subnet_id[40];
    unsigned number; /* third byte of its addresses, and its VXLAN id */
    unsigned next_ip;
};

struct port {
    const char *name;
    char id[40], mac[24], ip[24];
    struct network *net;
};

struct router {
    const char *name;
    char id[40], port_id[40];
};

struct vm_change {
    ns_t true_ns, host_ns;
    const struct host *on; /* whose clock 'host_ns' is */
    const char *vm_state, *task_state;
    const struct host *host; /* where the VM is, or NULL */
    const char *event_type;  /* announced by this, or NULL: the change itself */
    bool lost;               /* the announcement is not in the trace */
};

struct vm {
    const char *name;
    char uuid[40], lib[32];
    const struct user *user;
    const struct sc_flavor *flavor;
    struct host *host;
    struct host *old_host; /* of a resize that is not confirmed */
    struct network *net;
    struct port port;
    const char *vm_state, *task_state; /* task_state may be NULL */
    int power_state;
    ns_t made_ns;
    bool claimed, exists;
    VEC(struct vm_change) changes;
};

struct volume {
    const char *name;
    char id[40], snapshot_id[40], attachment_id[40];
    const struct user *user;
    uint64_t size_gb;
    const char *status;
    struct vm *vm; /* attached to */
};

/* One request: what a user asked for, or an HTTP call of one service to
 * another on behalf of it ('root' is then the user's). */
struct req {
    struct req *root;
    const struct sc_operation *op; /* NULL: a periodic task's own context */
    size_t number;                 /* of the user's request */
    char id[ID_TEXT];
    const struct user *user;
    struct vm *vm;
    struct volume *vol;
    struct network *net;
    struct port *port;
    struct router *router;
    struct host *src, *dst;
    const struct sc_flavor *flavor; /* of a resize */
    char migration[40];
    int round, percent; /* of a live migration */
    unsigned live;      /* threads of a root request and its calls */
    ns_t start, end;
    ns_t host_start, host_end; /* the controller's clock */
    const char *outcome;
    const char *error, *error_text;
    struct sc_fault fault;
    bool fault_applied;
    ns_t fault_ns;           /* what a slow step cost more */
    struct session *session; /* of the workload, told when it is over */
    size_t planned;          /* + 1: position of its operation in the scenario */
    bool over;
};

/* A VM of the workload and what will still be done to it. */
struct session {
    struct sc_operation op; /* rewritten for every step */
    uint64_t left;
};

struct plan;

/* Names of VMs, volumes, routers and ports, to positions in their lists. */
struct names {
    struct map64 map;
};

enum edge { EDGE_NONE, EDGE_START, EDGE_END };

struct true_task {
    const char *name;     /* of the task_kind */
    const char *names[4]; /* event types that announce it, without .start/.end */
    const struct proc *proc;
    struct req *req;
    const char *entity_kind, *entity, *entity_id;
    uint32_t ident;
    ns_t start, end, host_start, host_end;
    const char *outcome; /* ok, error, aborted, unfinished */
    bool start_told, end_told;
    bool start_lost, end_lost;
    const char *step; /* the longest */
    ns_t step_ns;
};

struct sim {
    struct arena mem;
    const struct scenario *sc;
    const char *out_dir;
    struct err *err;
    bool failed; /* 'err' is set: stop */
    struct rng rng;
    ns_t now, begin, end;
    VEC(struct host) hosts;
    struct host *controller, *network, *storage;
    VEC(struct user) users;
    VEC(struct network *) networks;
    VEC(struct vm *) vms;
    VEC(struct volume *) volumes;
    VEC(struct router *) routers;
    VEC(struct port *) ports;
    VEC(struct req *) reqs;  /* of users, in order of their start */
    VEC(struct req *) calls; /* that services made for them, with identifiers of their own */
    VEC(struct true_task) tasks;
    struct req **op_reqs;  /* per operation of the scenario */
    struct plan **waiting; /* operations that wait for it */
    struct names names;
    uint32_t next_instance, next_pid;
    size_t next_worker[SVC_COUNT];
    struct engine *engine;
    struct migrations *migrations; /* of migrate.h; NULL: none */
};

/* What the clock of 'h' shows at true time 't'. */
ns_t host_time(const struct sim *s, const struct host *h, ns_t t);
/* The earliest true time at which it shows 'local' or later. */
ns_t host_true(const struct host *h, ns_t local);
/* The next time that it really shows: 'local', unless the clock was set over it. */
ns_t host_leap(const struct host *h, ns_t local);
/* Makes the pieces of the clock of 'h'. */
void clock_build(const struct sim *s, struct host *h);
/* Random identifiers. */
void make_uuid(struct rng *r, char out[40]);
/* Gives the host's clock the id that all tracers of one boot share; another seed is another boot.
 */
void host_boots(const struct sim *s, struct host *h);
void make_hex(struct rng *r, char *out, int digits);

/* Makes hosts, services and what exists from the start; opens the traces. */
int cloud_build(struct sim *s);
/* Schedules what users do. */
void cloud_plan(struct sim *s);
/* Called by the engine when the last thread of a user's request has ended. */
void cloud_request_over(struct sim *s, struct req *r);
/* Starts the periodic tasks and the troubles of hosts. */
void cloud_background(struct sim *s);
/* Ends the traces. */
int cloud_close(struct sim *s);
void cloud_free(struct sim *s);
/* An operation of the scenario is over: those that wait for it may start. */
void cloud_operation_over(struct sim *s, size_t op);

#endif
