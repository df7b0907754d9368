/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog.h -- what an ordinary OpenStack log line says, as facts.
 *
 * Services tell most of their story in prose: who holds a lock, which command
 * ran how long, which host was chosen, which network card belongs to which
 * virtual machine.  The prose is made by a few hundred format strings that
 * hardly change; each form is a row of a table in oslog_*.c with a small parser.
 * Both the wording of 2016 (Liberty, Mitaka) and of OpenStack Zed are read.
 * All text of a fact is a view of the message or lives in the scratch arena. */
#ifndef MODEL_OSLOG_H
#define MODEL_OSLOG_H

#include "base/mem.h"
#include "base/str.h"
#include "base/time.h"

#include <stdint.h>

/* A duration or number that the line does not tell. */
#define OSLOG_NO_NS NS_MIN
#define OSLOG_NO_I64 INT64_MIN

/*     kind                     name                  member of 'struct log_fact' */
/* clang-format off */
#define LOG_FACTS(X)                                                            \
    X(FACT_LOCK_WAIT,           "lock-wait",          lock)                     \
    X(FACT_LOCK_ACQUIRED,       "lock-acquired",      lock)                     \
    X(FACT_LOCK_RELEASED,       "lock-released",      lock)                     \
    X(FACT_COMMAND_START,       "command-start",      command)                  \
    X(FACT_COMMAND_END,         "command-end",        command)                  \
    X(FACT_COMMAND_FAILED,      "command-failed",     command)                  \
    X(FACT_PRIVSEP_REPLY,       "privsep-reply",      command)                  \
    X(FACT_HTTP_REQUEST,        "http-request",       http)                     \
    X(FACT_HTTP_RESPONSE,       "http-response",      http)                     \
    X(FACT_HTTP_CALL,           "http-call",          http)                     \
    X(FACT_HTTP_ARRIVED,        "http-arrived",       http)                     \
    X(FACT_HTTP_RETURNED,       "http-returned",      http)                     \
    X(FACT_HTTP_SERVED,         "http-served",        http)                     \
    X(FACT_API_ACTION,          "api-action",         action)                   \
    X(FACT_API_OBJECT,          "api-object",         object)                   \
    X(FACT_DOMAIN,              "domain",             domain)                   \
    X(FACT_DEVICE,              "device",             device)                   \
    X(FACT_INSTANCE,            "instance",           instance)                 \
    X(FACT_CLAIM,               "claim",              claim)                    \
    X(FACT_CLAIM_RESOURCE,      "claim-resource",     claim_resource)           \
    X(FACT_RESOURCE_FINAL,      "resource-final",     resource)                 \
    X(FACT_RESOURCE_FREE,       "resource-free",      resource)                 \
    X(FACT_SCHED_REQUEST,       "sched-request",      sched)                    \
    X(FACT_SCHED_START,         "sched-start",        sched)                    \
    X(FACT_SCHED_FILTER,        "sched-filter",       sched)                    \
    X(FACT_SCHED_FILTERED,      "sched-filtered",     sched)                    \
    X(FACT_SCHED_WEIGHED,       "sched-weighed",      sched)                    \
    X(FACT_SCHED_SELECTED,      "sched-selected",     sched)                    \
    X(FACT_SCHED_NONE,          "sched-none",         sched)                    \
    X(FACT_VOLUME_SPACE,        "volume-space",       space)                    \
    X(FACT_VOLUME_POOL,         "volume-pool",        space)                    \
    X(FACT_LIFECYCLE,           "lifecycle",          power)                    \
    X(FACT_LIFECYCLE_SEEN,      "lifecycle-seen",     power)                    \
    X(FACT_POWER_SYNC,          "power-sync",         power)                    \
    X(FACT_EXTERNAL_EVENT,      "external-event",     external)                 \
    X(FACT_TASKFLOW,            "taskflow",           taskflow)                 \
    X(FACT_PERIODIC,            "periodic",           periodic)                 \
    X(FACT_AGENT_WORK,          "agent-work",         work)                     \
    X(FACT_AMQP,                "amqp",               amqp)                     \
    X(FACT_RPC,                 "rpc",                rpc)                      \
    X(FACT_VM_STEP,             "vm-step",            step)                     \
    X(FACT_VOLUME_STEP,         "volume-step",        step)                     \
    X(FACT_TOOK,                "took",               step)                     \
    X(FACT_MIGRATION,           "migration",          migration)                \
    X(FACT_PORT,                "port",               port)
/* clang-format on */

enum log_fact_kind {
#define X(kind, name, member) kind,
    LOG_FACTS(X)
#undef X
        FACT_KINDS
};

/* oslo.concurrency lockutils; Cinder's and Neutron's coordination say the same. */
struct fact_lock {
    struct str name;
    struct str owner; /* function that takes it; empty if the line doesn't tell */
    ns_t ns;          /* waited (acquired) or held (released); OSLOG_NO_NS      */
    bool semaphore;   /* the line says semaphore, as older releases do         */
};

enum command_way {
    COMMAND_SUBPROCESS, /* oslo.concurrency processutils: text is a shell line */
    COMMAND_AGENT,      /* Neutron agents: text is a Python list               */
    COMMAND_ROOTWRAP,   /* the same by way of the rootwrap daemon              */
    COMMAND_PRIVSEP,    /* oslo.privsep: text is empty or the helper's command */
};

/* Start and end of Neutron's agents may spell the text differently (u'..',
 * numbers): join them by thread. */
struct fact_command {
    enum command_way way;
    struct str text; /* the command line; empty if the line doesn't tell */
    struct str id;   /* privsep message id                               */
    int64_t rc;      /* exit code, OSLOG_NO_I64 if unknown               */
    ns_t ns;         /* duration as the service measured it, or OSLOG_NO_NS */
};

/* A call seen from the client (request, response, call) or the server (arrived,
 * returned, served).  Keystone on Flask tells method and path in two lines:
 * two FACT_HTTP_ARRIVED with the other one empty. */
struct fact_http {
    struct str method;
    struct str url;        /* as written, with the query                          */
    struct str path;       /* of 'url', without host and query                    */
    struct str client;     /* address of the client                               */
    struct str service;    /* FACT_HTTP_CALL: "compute", "network"                */
    struct str request_id; /* response, call: the id that the server gave;
                            * request: the global id that the client sends        */
    struct str body;       /* JSON as written, may be empty or cut                */
    int64_t status;        /* OSLOG_NO_I64 until the answer                       */
    int64_t bytes;         /* length of the answer, OSLOG_NO_I64 if unknown       */
    ns_t ns;               /* duration as the server measured it, or OSLOG_NO_NS  */
};

/* What a server is asked to do, from the wsgi modules of Nova and Cinder. */
struct fact_action {
    struct str action; /* create, delete, action                      */
    struct str verb;   /* first key of the body: server, os-stop, volume */
    struct str body;   /* JSON as written                             */
};

enum api_kind {
    API_NETWORK,
    API_SUBNET,
    API_PORT,
    API_SECURITY_GROUP,
    API_ROUTER,
    API_FLOATING_IP,
    API_SERVER,
    API_VOLUME,
    API_SNAPSHOT,
    API_ATTACHMENT, /* of a volume: id = attachment, device_id = server */
    API_EVENT,      /* os-server-external-events: name, device_id = server, id = tag */
};

enum api_origin {
    API_RESPONSE, /* an answer: how things are              */
    API_REQUEST,  /* a wish: there may be no id yet         */
    API_CACHE,    /* Nova's network info cache              */
    API_AGENT,    /* what a Neutron agent got from its server */
};

/* One object of a body.  Members that it has not are empty or OSLOG_NO_I64. */
struct fact_object {
    enum api_kind kind;
    enum api_origin origin;
    bool truncated; /* the body is cut inside of this object    */
    struct str id, name, status;
    struct str network_id;   /* of a port or subnet                      */
    struct str device_id;    /* instance, router or DHCP agent of a port */
    struct str device_owner; /* compute:nova, network:dhcp               */
    struct str mac;
    struct str tap;  /* name of the tap device                   */
    struct str host; /* where a port is bound                    */
    struct str cidr;
    struct str tenant_id;
    struct str network_type; /* vxlan                                    */
    struct str volume_id;    /* of an attachment or snapshot             */
    struct str device;       /* of an attachment: /dev/vdb               */
    int64_t segmentation_id; /* VXLAN or VLAN number                     */
    const struct str *ips;   /* fixed addresses                          */
    size_t n_ips;
};

/* A libvirt domain: the one place that ties the names of a virtual machine. */
struct fact_domain {
    bool truncated;          /* the XML is cut: later members are missing */
    bool one_line;           /* from a Python repr, with literal \n       */
    struct str uuid;         /* of the instance                           */
    struct str libvirt_name; /* instance-00000008                         */
    struct str vm_name;      /* nova:name                                 */
    struct str flavor;
    struct str user_id, user_name;
    struct str project_id, project_name;
    struct str image;
    int64_t memory_mb, vcpus, disk_gb; /* of the flavour, OSLOG_NO_I64 if unknown */
    const struct str *macs, *taps, *bridges, *disks, *ports;
    size_t n_macs, n_taps, n_bridges, n_disks, n_ports;
};

enum device_action { DEVICE_ATTACH, DEVICE_DETACH, DEVICE_MIGRATE };

/* One device of a domain, from "attach device xml:" and the like. */
struct fact_device {
    enum device_action action;
    bool truncated;
    bool is_disk;
    struct str source; /* disk: file or block device; interface: bridge */
    struct str target; /* disk: vdb; interface: the tap device          */
    struct str serial; /* disk: the volume's uuid                       */
    struct str mac;
};

/* A virtual machine as its repr or a mention tells. */
struct fact_instance {
    struct str uuid;
    struct str name; /* display name; empty in a mere mention */
    struct str hostname, host, node;
    struct str project_id, user_id, image, vm_state, task_state;
    int64_t memory_mb, vcpus, number; /* number: the id of libvirt's instance-%08x */
};

enum claim_stage { CLAIM_TRY, CLAIM_OK, CLAIM_FAILED, CLAIM_ABORTED, CLAIM_PLACEMENT };

struct fact_claim {
    enum claim_stage stage;
    struct str node;                   /* empty in 2016 */
    struct str instance;               /* CLAIM_PLACEMENT: its uuid */
    int64_t memory_mb, disk_gb, vcpus; /* CLAIM_TRY; OSLOG_NO_I64 if unknown */
};

/* "Total memory: 32047 MB, used: 704.00 MB", "memory limit: .. MB, free: .. MB".
 * Numbers are in 'unit'; what the line doesn't tell is negative. */
struct fact_claim_resource {
    struct str node;
    struct str resource; /* memory, disk, vcpu, CPUs */
    struct str unit;     /* MB, GB, VCPU             */
    double total, used, limit, free;
    bool unlimited;
};

/* FINAL: phys_*, used_*; FREE: free_*.  OSLOG_NO_I64 for what isn't told. */
struct fact_resource {
    struct str node;
    int64_t phys_ram_mb, used_ram_mb, phys_disk_gb, used_disk_gb, total_vcpus, used_vcpus;
    int64_t free_ram_mb, free_vcpus;
    double free_disk_gb; /* negative if unknown */
};

struct sched_host {
    struct str host; /* in Cinder host@backend#pool */
    struct str node;
    int64_t ram_mb, disk_mb, io_ops, instances; /* OSLOG_NO_I64 if unknown        */
    double free_gb;                             /* Cinder; negative if unknown    */
    double weight;
    bool weighed; /* 'weight' is told               */
};

struct fact_sched {
    bool volume;                    /* Cinder's scheduler                                 */
    bool conductor;                 /* the choice as the conductor repeats it             */
    struct str filter;              /* FILTER                                             */
    struct str instance;            /* REQUEST, NONE: uuid, may be empty                  */
    struct str reason;              /* NONE: the text                                     */
    int64_t n;                      /* hosts that start, that pass, that are listed       */
    const struct sched_host *hosts; /* FILTERED, WEIGHED: n of them; SELECTED: 1 */
};

/* Cinder: room on a back end, in GB; negative if unknown. */
struct fact_space {
    struct str host; /* host@backend#pool */
    double requested_gb, available_gb, total_gb, allocated_gb;
};

/* Nova numbers power states: 0 none, 1 running, 3 paused, 4 shut down, 6 crashed,
 * 7 suspended. */
struct fact_power {
    struct str event;                /* Started, Paused, Resumed, Stopped, Migration completed */
    struct str uuid;                 /* LIFECYCLE                                              */
    ns_t event_time;                 /* LIFECYCLE: the driver's clock, as coarse as printed    */
    struct str vm_state, task_state; /* empty for None                           */
    int64_t db, vm;                  /* power states, OSLOG_NO_I64 if unknown                  */
};

enum external_stage {
    EXTERNAL_PREPARE,    /* the compute manager will wait for it    */
    EXTERNAL_SENT,       /* Neutron or nova-api sends it            */
    EXTERNAL_RECEIVED,   /* nova-compute has it                     */
    EXTERNAL_PROCESSING, /* somebody waited for it                  */
    EXTERNAL_UNEXPECTED, /* nobody waited, in a state that matters  */
    EXTERNAL_NO_WAITER,  /* nobody waited                           */
    EXTERNAL_WAIT_DONE,  /* the wait is over after 'ns'             */
    EXTERNAL_TIMEOUT,    /* the wait failed                         */
    EXTERNAL_ANSWERED,   /* Neutron has nova-api's answer           */
};

struct fact_external {
    enum external_stage stage;
    struct str event; /* name-tag as one text; may be empty           */
    struct str name;  /* network-vif-plugged                          */
    struct str tag;   /* the port's uuid; empty for events without    */
    struct str instance, host;
    struct str status;               /* completed, failed                            */
    struct str vm_state, task_state; /* empty for None or untold       */
    ns_t ns;                         /* EXTERNAL_WAIT_DONE, or OSLOG_NO_NS           */
};

struct fact_taskflow {
    bool is_task; /* else a flow */
    struct str name, id, state, old_state;
};

struct fact_periodic {
    struct str name; /* ComputeManager._poll_rescued_instances          */
    ns_t sleep_ns;   /* looping calls: until the next round, or OSLOG_NO_NS */
};

enum work_stage { WORK_START, WORK_END, WORK_POINT };

/* Work of a Neutron agent. */
struct fact_work {
    enum work_stage stage;
    struct str what;      /* rpc_loop, router update, reload_allocations          */
    struct str id;        /* router or network; the loop's number                 */
    struct str update_id; /* joins start and end                                  */
    ns_t ns;              /* END: elapsed; START: waited in the queue; or OSLOG_NO_NS */
};

enum amqp_stage { AMQP_CONNECTING, AMQP_CONNECTED, AMQP_UNREACHABLE };

struct fact_amqp {
    enum amqp_stage stage;
    struct str server; /* host or address */
    int64_t port;
};

enum rpc_stage { RPC_MSG_ID, RPC_CALL, RPC_CAST, RPC_RECEIVED, RPC_REPLYING, RPC_REPLIED };

/* oslo.messaging.  The same msg_id on both hosts ties them. */
struct fact_rpc {
    enum rpc_stage stage;
    struct str id;              /* _msg_id, or _unique_id of a cast */
    struct str exchange, topic; /* call, cast                       */
    struct str queue;           /* reply queue                      */
    ns_t ns;                    /* REPLYING: elapsed in the server, or OSLOG_NO_NS */
};

/* Names of steps are stable words: see the table in oslog_vm.c. */
struct fact_step {
    const char *step;  /* "terminating", "spawned"; TOOK: ""          */
    struct str what;   /* TOOK: "spawn the instance on the hypervisor" */
    struct str volume; /* uuid                                         */
    struct str device; /* /dev/vdb                                     */
    struct str host;
    ns_t ns; /* TOOK and steps that tell it, or OSLOG_NO_NS  */
};

enum migration_stage {
    MIGRATION_REQUESTED,
    MIGRATION_CHECKING,  /* destination and source are asked if they can     */
    MIGRATION_PREPARING, /* VIFs, disks and ports on the destination         */
    MIGRATION_MONITOR,   /* the monitor starts                               */
    MIGRATION_INVOKED,   /* libvirt's migrate API is called                  */
    MIGRATION_PROGRESS,
    MIGRATION_DOWNTIME,  /* the allowed downtime is raised                   */
    MIGRATION_API_DONE,  /* the API has returned                             */
    MIGRATION_COMPLETED, /* the job is complete                              */
    MIGRATION_MONITORED, /* the monitor is done                              */
    MIGRATION_POST,      /* cleaning up                                      */
    MIGRATION_FINISHED,
    MIGRATION_FAILED,
    MIGRATION_ABORTED,
    MIGRATION_ROLLBACK,
    MIGRATION_TIMEOUT,
};

struct fact_migration {
    enum migration_stage stage;
    struct str host;    /* destination                                 */
    struct str reason;  /* of a failure                                */
    int64_t elapsed_s;  /* PROGRESS, DOWNTIME, TIMEOUT                 */
    int64_t memory_pct; /* PROGRESS: remaining; all OSLOG_NO_I64 if untold */
    int64_t memory_done_bytes, memory_left_bytes, memory_total_bytes;
    int64_t disk_pct, disk_done_bytes, disk_left_bytes, disk_total_bytes;
    int64_t downtime_ms;
};

enum port_step {
    PORT_CREATED, /* Nova asked for it                        */
    PORT_UPDATED,
    PORT_BINDING, /* Neutron looks for a driver               */
    PORT_BOUND,
    PORT_ADDRESSED,  /* an address was allocated                 */
    PORT_PROCESSING, /* the agent wires it                       */
    PORT_UP,
    PORT_DELETING,
    PORT_UNPLUGGED, /* the device is gone                       */
    PORT_PLUGGED,   /* os-vif has plugged it                    */
};

struct fact_port {
    enum port_step step;
    struct str port, host, ip, network, subnet;
    struct str tap; /* name of the device */
    struct str owner;
};

struct log_fact {
    enum log_fact_kind kind;
    union {
        struct fact_lock lock;
        struct fact_command command;
        struct fact_http http;
        struct fact_action action;
        struct fact_object object;
        struct fact_domain domain;
        struct fact_device device;
        struct fact_instance instance;
        struct fact_claim claim;
        struct fact_claim_resource claim_resource;
        struct fact_resource resource;
        struct fact_sched sched;
        struct fact_space space;
        struct fact_power power;
        struct fact_external external;
        struct fact_taskflow taskflow;
        struct fact_periodic periodic;
        struct fact_work work;
        struct fact_amqp amqp;
        struct fact_rpc rpc;
        struct fact_step step;
        struct fact_migration migration;
        struct fact_port port;
    };
};

/* Facts of one message; the first is the line's own, objects follow. */
struct log_facts {
    struct log_fact *at;
    size_t n;
    bool truncated; /* more objects than one message may give (OSLOG_MAX_FACTS) */
};

enum { OSLOG_MAX_FACTS = 4096 };

/* Decodes 'msg' of 'logger' ("nova.compute.manager"; empty if unknown).
 * '*ret' lives in 'scratch'.  Returns true if there is at least one fact. */
bool oslog_decode(struct str logger, struct str msg, struct arena *scratch, struct log_facts *ret);
/* "lock-acquired" for FACT_LOCK_ACQUIRED. */
const char *log_fact_name(enum log_fact_kind kind);

/* The first "req-<uuid>" in the text, with its "req-"; empty if there is none. */
struct str oslog_request_id(struct str msg);
/* The uuid of the instance that the line is about: the tag "[instance: uuid]",
 * else the first mention such as "Instance uuid X", "for instance X" or
 * "instance_uuid=X".  Empty if there is none. */
struct str oslog_instance(struct str msg);

#endif
