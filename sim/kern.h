/* SPDX-License-Identifier: Apache-2.0
 *
 * kern.h -- the kernel layer of a simulated host: what is asked for, and how
 * to run it.
 *
 * Section "kernel" of a scenario describes machines as a kernel sees them:
 * QEMU processes, services, batch work, disks, interfaces (docs/neph-sim.1.scd
 * lists the keys).  kern_simulate() runs one host as a discrete-event model of
 * CPUs, run queues and interrupts, in that host's own clock, and writes OUT/
 * HOST/kernel as lttng-modules 2.13 would.  Every figure of the truth comes
 * from the model's own state, never from the events.  Hosts share nothing but the
 * wires between them (kern_wire.c), and events go to disk as they happen, so that
 * memory does not grow with the length of a trace. */
#ifndef SIM_KERN_H
#define SIM_KERN_H

#include "base/err.h"
#include "base/json.h"
#include "base/time.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KERN_LIMIT_CPUS 128
#define KERN_LIMIT_THREADS 200000 /* alive at once, on one host */

/* name, number in the exit_reason of VMX, what KVM does about it in ns */
#define KERN_EXITS(X)                                      \
    X(KX_EXTERNAL_INTERRUPT, "EXTERNAL_INTERRUPT", 1, 900) \
    X(KX_CPUID, "CPUID", 10, 1100)                         \
    X(KX_HLT, "HLT", 12, 1500)                             \
    X(KX_CR_ACCESS, "CR_ACCESS", 28, 1300)                 \
    X(KX_IO_INSTRUCTION, "IO_INSTRUCTION", 30, 2500)       \
    X(KX_MSR_READ, "MSR_READ", 31, 1200)                   \
    X(KX_MSR_WRITE, "MSR_WRITE", 32, 1400)                 \
    X(KX_PAUSE, "PAUSE", 40, 1000)                         \
    X(KX_EPT_VIOLATION, "EPT_VIOLATION", 48, 4500)         \
    X(KX_EPT_MISCONFIG, "EPT_MISCONFIG", 49, 2200)         \
    X(KX_PREEMPTION_TIMER, "PREEMPTION_TIMER", 52, 800)

enum kern_exit {
#define X(id, name, number, ns) id,
    KERN_EXITS(X)
#undef X
        KX_COUNT
};
extern const char *const kern_exit_names[KX_COUNT];

struct kc_cpus {
    uint64_t bits[KERN_LIMIT_CPUS / 64]; /* none: every CPU */
};

enum kc_kind { KC_INSTANCE, KC_SERVICE, KC_HOG, KC_EXTRA, KC_CHURN };

struct kc_disk_load {
    const char *device; /* NULL: none */
    double reads_per_s, writes_per_s, flushes_per_s;
    unsigned kib;
    bool sequential;
};

struct kc_net_load {
    const char *interface; /* NULL: none */
    double tx_per_s, rx_per_s;
    unsigned bytes;
};

/* One process, or several equal ones. */
struct kc_proc {
    enum kc_kind kind;
    const char *name, *comm, *uuid; /* uuid: of an instance, NULL: made */
    unsigned processes, threads;    /* threads of an instance are its vCPUs */
    int64_t nice, realtime;         /* realtime priority 1..99, 0: none */
    struct kc_cpus cpus;
    ns_t start_ns, stop_ns; /* after tracing began; stop 0: never */
    ns_t work_ns, sleep_ns; /* one burst, one pause; sleep 0: never */
    const char *sleep_in;   /* name of the system call */
    double pages_per_s, leak_per_s;
    double exits_per_s[KX_COUNT]; /* of guest time */
    struct kc_disk_load disk;
    struct kc_net_load net;
    bool container; /* a pid namespace of its own */
    bool exec;      /* KC_CHURN: the child runs another program */
    double per_s;   /* KC_CHURN: children */
};

struct kc_disk {
    const char *name;
    unsigned major, minor, irq;
    double service_us, per_kib_us;
    unsigned parallel, queue_depth; /* served at once; with the driver at once */
    const char *scheduler;          /* "none" or "mq-deadline" */
    const char *completion;         /* "irq" or "softirq" */
    unsigned partial_percent;       /* requests that complete in two parts */
    ns_t slow_at_ns, slow_for_ns;
    double slow_factor;
};

struct kc_interface {
    const char *name, *address;
    unsigned irq; /* 0: no hardware (tap, lo) */
    double rx_per_s;
    double mbit_s; /* what it can send; 0: as much as one likes */
    unsigned bytes, drop_percent;
    bool no_gro, tso;
};

/* Requests of a service of one host to one of another, and replies. */
struct kc_connection {
    const char *client, *client_service, *server, *server_service;
    unsigned client_port, server_port; /* client's 0: any */
    double per_s;                      /* requests, while no reply is waited for */
    unsigned request_bytes, reply_bytes;
    double latency_us, back_us; /* the least, to the server and back */
    double spread_us;           /* mean of an exponential more */
    double loss_percent;
    ns_t start_ns, stop_ns; /* stop 0: never */
};

struct kc_interrupt {
    const char *name;
    unsigned irq;
    double per_s;
    ns_t took_ns;
};

struct kc_lost {
    unsigned cpu;
    ns_t at_ns, for_ns;
};

struct kc_host {
    const char *name;
    struct kc_proc *procs;
    size_t n_procs;
    struct kc_disk *disks;
    size_t n_disks;
    struct kc_interface *interfaces;
    size_t n_interfaces;
    struct kc_interrupt *interrupts;
    size_t n_interrupts;
    struct kc_lost *lost;
    size_t n_lost;
    uint64_t memory_mb;        /* that processes can allocate while tracing; 0: any */
    const char **not_recorded; /* of this host alone */
    size_t n_not_recorded;
};

/* Fields of the context of every event, in this order. */
enum kc_context { KC_PID, KC_TID, KC_PROCNAME, KC_VPID, KC_VTID, KC_CONTEXTS };

enum kc_dump { KC_DUMP_FIRST, KC_DUMP_DURING, KC_DUMP_NONE };

struct kc_kernel {
    bool only; /* no application layer */
    bool fair; /* who slept goes before equals who did not */
    ns_t duration_ns, tick_ns, slice_ns;
    uint32_t packet_bytes;
    bool compact;              /* event headers */
    unsigned context;          /* of events: bits of enum kc_context */
    enum kc_dump dump;         /* when the state dump is taken */
    const char **not_recorded; /* names of events, '*' at the end is any */
    size_t n_not_recorded;
    int32_t pid_max;
    struct kc_host *hosts;
    size_t n_hosts;
    struct kc_connection *connections;
    size_t n_connections;
};

/* What a scenario says of the kernel of a host; NULL: nothing. */
const struct kc_host *kern_conf_of(const struct kc_kernel *k, const char *host);
/* Is it running 'at' after the start? */
bool kern_proc_is_there(const struct kc_proc *p, ns_t at);
/* The share of a CPU that those with a better priority leave to the process of that name, where it
 * is pinned; else 1. */
double kern_cpu_left(const struct kc_host *h, const char *name, ns_t at);
/* The interface of 'h' that can send only so much; NULL: there is none. */
const struct kc_interface *kern_limited_link(const struct kc_host *h);

struct sim;
struct host;
struct kern;

struct kern_totals {
    uint64_t events, lost, bytes;
    ns_t length_ns;
};

/* Simulates the kernel of 'h', if the scenario describes it; the result is
 * h->kern.  Returns 0 or -E_*. */
int kern_simulate(struct sim *s, struct host *h);
/* All hosts, together if they speak to each other. */
int kern_simulate_all(struct sim *s);
/* Writes the member "kernel" of a host in truth.json. */
void kern_truth(const struct kern *k, struct json *j);
struct kern_totals kern_totals(const struct kern *k);
void kern_free(struct kern *k);

#endif
