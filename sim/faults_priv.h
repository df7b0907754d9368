/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_priv.h -- what the faults of the library share: the cloud that is being drawn, and how
 * something is put into it. */
#ifndef SIM_FAULTS_PRIV_H
#define SIM_FAULTS_PRIV_H

#include "base/mem.h"
#include "sim/faults.h"
#include "sim/rng.h"

enum { DRAW_HOSTS = 5 };

struct draw_host {
    const char *name, *nic, *disk;
    unsigned cpus, irq;    /* irq: the last one given away */
    bool compute, taken;   /* taken: it has a fault already */
    json_t *conf, *kernel; /* of "hosts", of "kernel.hosts" */
};

struct draw {
    struct arena mem;
    struct rng rng;
    const struct faults_wanted *w;
    double length_s, load;
    double watched_s;                  /* the services, if that is longer than the kernels */
    struct draw_host host[DRAW_HOSTS]; /* the controller first */
    unsigned n;
    bool old;       /* the dialect of 2016 */
    bool all_calls; /* system calls are recorded */
    bool paged;     /* page allocations are recorded */
    bool bare;      /* hosts do not speak to each other */
    unsigned style, vms, boots;
    json_t *root, *operations, *faults, *migrations, *findings, *services, *connections;
};

/* A number between two, so that all are as likely, or (log) that all magnitudes are. */
double draw_real(struct draw *d, double lo, double hi);
double draw_log(struct draw *d, double lo, double hi);
unsigned draw_int(struct draw *d, unsigned lo, unsigned hi); /* both included */
bool draw_chance(struct draw *d, unsigned percent);
const char *draw_of(struct draw *d, const char *const *names, unsigned n);
#define DRAW_OF(d, names) draw_of((d), (names), sizeof(names) / sizeof(*(names)))
/* A text that lives as long as the draw. */
const char *draw_text(struct draw *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A name that no VM has yet. */
const char *draw_vm_name(struct draw *d);
/* A compute host, one without a fault if there is one; it has one now. */
struct draw_host *draw_compute(struct draw *d);
struct draw_host *draw_other_compute(struct draw *d, const struct draw_host *than);
/* Any host, as likely. */
struct draw_host *draw_host(struct draw *d);
/* When something begins so that it lasts a share of the time, and how long. */
void draw_when(struct draw *d, double least_share, double *from, double *to);

/* Adds to a list of a host in "kernel"; returns the new object. */
json_t *add_to(struct draw_host *h, const char *list, json_t *object);
json_t *add_vm(struct draw_host *h, const char *name, unsigned vcpus, double work_ms,
               double sleep_ms);
json_t *add_service(struct draw_host *h, const char *name, const char *comm, double work_ms,
                    double sleep_ms);
/* Pins to CPUs first..first+n-1. */
void pin(json_t *proc, unsigned first, unsigned n);
void add_times(json_t *proc, const struct draw *d, double from, double to);
unsigned new_irq(struct draw_host *h);
json_t *add_disk(struct draw_host *h, const char *name, double service_us, unsigned parallel,
                 unsigned depth);
void disk_load(json_t *proc, const char *device, double reads, double writes, unsigned kib);
/* Boots a VM of the application layer; returns the operation, which is called "boot NAME". */
json_t *add_boot(struct draw *d, double at_s, const char *vm);
json_t *add_operation(struct draw *d, double at_s, const char *what, const char *vm);

/* Those who have the CPUs first..first+n-1, by a better priority: 'n' threads that take 'share' of
 * them.  They are culprits of 'finding'. */
void add_takers(struct draw *d, struct draw_host *h, json_t *finding, unsigned first, unsigned n,
                double share, double from, double to);

/* The host's interface can send so much from now on. */
void limit_link(struct draw_host *h, double mbit_s);
/* An instance that sends so much over it; a culprit of 'finding'. */
void add_talker(struct draw *d, struct draw_host *h, json_t *finding, double bytes_s, double from,
                double to);

/* What should be found: a root cause, unless told otherwise. */
json_t *add_finding(struct draw *d, const char *fault, const char *rule, const char *host,
                    double from, double to);
/* Another rule may tell it instead. */
void or_found(json_t *finding, const char *rule);
void add_party(json_t *finding, const char *list, const char *kind, const char *name);
#define SUBJECT(f, kind, name) add_party((f), "subjects", (kind), (name))
#define CULPRIT(f, kind, name) add_party((f), "culprits", (kind), (name))

/* The cloud without a fault; then what is left to do when faults are in it. */
void draw_cloud(struct draw *d);
void draw_rest(struct draw *d);

/* One for each row of faults.c: puts its mechanism into the draw. */
void fault_none(struct draw *d);
void fault_vm_starved(struct draw *d);
void fault_service_starved(struct draw *d);
void fault_starved_requests(struct draw *d);
void fault_host_overcommitted(struct draw *d);
void fault_disk_contended(struct draw *d);
void fault_disk_slow(struct draw *d);
void fault_link_saturated(struct draw *d);
void fault_interrupt_storm(struct draw *d);
void fault_memory_growth(struct draw *d);
void fault_out_of_memory(struct draw *d);
void fault_migration_never_ends(struct draw *d);
void fault_migration_failed(struct draw *d);
void fault_migration_slow(struct draw *d);
void fault_migration_disturbed(struct draw *d);
void fault_migration_link(struct draw *d);
void fault_migration_cancelled(struct draw *d);
void fault_migration_rolled_back(struct draw *d);
void fault_slow_command(struct draw *d);
void fault_slow_http(struct draw *d);
void fault_slow_lock(struct draw *d);
void fault_slow_disk_copy(struct draw *d);
void fault_slow_hypervisor(struct draw *d);
void fault_external_wait(struct draw *d);
void fault_worker_overloaded(struct draw *d);
void fault_worker_idle(struct draw *d);
void fault_no_valid_host(struct draw *d);
void fault_operation_failed(struct draw *d);
void fault_vm_stuck(struct draw *d);
void fault_clock_step(struct draw *d);
void fault_clock_unbounded(struct draw *d);
void fault_tracing_overhead(struct draw *d);
void fault_lost_events(struct draw *d);
void fault_missing_layer(struct draw *d);

#endif
