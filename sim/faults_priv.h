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
    struct draw_host host[DRAW_HOSTS]; /* the controller first */
    unsigned n;
    bool old;   /* the dialect of 2016 */
    bool paged; /* page allocations are recorded */
    bool bare;  /* hosts do not speak to each other */
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

/* What should be found: a root cause, unless told otherwise. */
json_t *add_finding(struct draw *d, const char *fault, const char *rule, const char *host,
                    double from, double to);
void add_party(json_t *finding, const char *list, const char *kind, const char *name);
#define SUBJECT(f, kind, name) add_party((f), "subjects", (kind), (name))
#define CULPRIT(f, kind, name) add_party((f), "culprits", (kind), (name))

/* The cloud without a fault; then what is left to do when faults are in it. */
void draw_cloud(struct draw *d);
void draw_rest(struct draw *d);

#define FAULTS(F)                                                                                 \
    F(none)                                                                                       \
    F(vm_starved) F(service_starved) F(host_overcommitted) F(disk_contended) F(disk_slow)         \
        F(interrupt_storm) F(memory_growth) F(migration_never_ends) F(migration_failed)           \
            F(migration_slow) F(migration_disturbed) F(slow_command) F(slow_http) F(slow_lock)    \
                F(slow_disk_copy) F(slow_hypervisor) F(external_wait) F(worker_overloaded)        \
                    F(worker_idle) F(no_valid_host) F(operation_failed) F(vm_stuck) F(clock_step) \
                        F(clock_unbounded) F(tracing_overhead) F(lost_events) F(missing_layer)
#define F(name) void fault_##name(struct draw *d);
FAULTS(F)
#undef F

#endif
