/* SPDX-License-Identifier: Apache-2.0
 *
 * faults.c -- the list of faults, and how a scenario is drawn from some of them; see faults.h. */
#include "sim/faults_priv.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
const struct fault faults[] = {
    { "none", NULL, "a busy cloud in which nothing is wrong", fault_none, 0, 0 },
    { "vm-starved", "vm-starved", "neighbours with a better priority have the CPUs of an instance",
      fault_vm_starved, 0, 0 },
    { "service-starved", "service-starved",
      "others have the CPUs on which a daemon of the host may run", fault_service_starved, 0, 0 },
    { "starved-requests", "service-starved",
      "neighbours have the CPU of nova-compute, and requests are slow for it", fault_starved_requests,
      25, 1 },
    { "host-overcommitted", "host-overcommitted",
      "more vCPUs want to run than there are CPUs, and none of them more than the others",
      fault_host_overcommitted, 0, 0 },
    { "disk-contended", "disk-contended", "one instance takes most of a disk that others share",
      fault_disk_contended, 0, 0 },
    { "disk-slow", "disk-slow", "a disk takes long for each request, though few wait for it",
      fault_disk_slow, 0, 0 },
    { "link-saturated", "link-saturated", "instances send more than the host's interface can",
      fault_link_saturated, 0, 0 },
    { "interrupt-storm", "interrupt-storm", "a device interrupts a CPU without end",
      fault_interrupt_storm, 0, 0 },
    { "memory-growth", "memory-growth", "a process allocates memory and never frees it",
      fault_memory_growth, 10, 0 },
    { "out-of-memory", "out-of-memory", "a host's memory is used up, and the kernel kills a process",
      fault_out_of_memory, 10, 0 },
    { "migration-never-ends", "migration-never-ends",
      "a guest writes to its memory faster than that can be sent", fault_migration_never_ends, 20, 2 },
    { "migration-failed", "migration-failed",
      "the hypervisor fails at the start, in the middle, or at the end of a migration",
      fault_migration_failed, 15, 2 },
    { "migration-slow", "migration-slow", "a migration ends, but may send only little a second",
      fault_migration_slow, 40, 2 },
    { "migration-disturbed", "migration-disturbed",
      "neighbours have the CPUs that a migration's threads and its guest want",
      fault_migration_disturbed, 25, 2 },
    { "migration-link", "migration-disturbed", "another instance fills the link of a migration",
      fault_migration_link, 25, 2 },
    { "migration-cancelled", "migration-failed", "a migration is cancelled before it can end",
      fault_migration_cancelled, 20, 2 },
    { "migration-rolled-back", "migration-failed",
      "Nova gives a live migration up that does not converge", fault_migration_rolled_back, 0, 2 },
    { "slow-command", "request-slow", "a command that nova-compute runs takes long",
      fault_slow_command, 0, 0 },
    { "slow-http", "request-slow", "neutron-server takes long to answer one call",
      fault_slow_http, 0, 0 },
    { "slow-lock", "request-slow", "a thread of nova-compute keeps a lock that others want",
      fault_slow_lock, 0, 0 },
    { "slow-disk-copy", "request-slow", "the image of an instance is copied slowly",
      fault_slow_disk_copy, 0, 0 },
    { "slow-hypervisor", "request-slow", "libvirt takes long to define a domain",
      fault_slow_hypervisor, 0, 0 },
    { "external-wait", "external-wait", "network-vif-plugged comes late", fault_external_wait, 0, 0 },
    { "worker-overloaded", "worker-overloaded",
      "a service has fewer workers than requests that come at a time", fault_worker_overloaded, 0, 0 },
    { "worker-idle", "worker-idle", "one of several workers gets no request", fault_worker_idle, 0, 0 },
    { "no-valid-host", "no-valid-host", "a filter of the scheduler leaves no host",
      fault_no_valid_host, 0, 0 },
    { "operation-failed", "operation-failed", "libvirt refuses what it is asked for",
      fault_operation_failed, 0, 0 },
    { "vm-stuck", "vm-state", "an instance stays in the middle of an operation", fault_vm_stuck, 0, 0 },
    { "clock-step", "clock-trouble", "a host's clock is set while it is traced", fault_clock_step, 0, 1 },
    { "clock-unbounded", "clock-trouble", "nothing bounds the clock of a host against the others'",
      fault_clock_unbounded, 0, 1 },
    { "tracing-overhead", "tracing-overhead", "so many events that tracing them takes much of a CPU",
      fault_tracing_overhead, 0, 0 },
    { "lost-events", "lost-events", "buffers of the tracer are full for a while", fault_lost_events, 0, 0 },
    { "missing-layer", "missing-layer", "a layer is not traced", fault_missing_layer, 0, 0 },
    { 0 },
};
/* clang-format on */

const struct fault *fault_find(const char *name)
{
    for (const struct fault *f = faults; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

/* --- chance --------------------------------------------------------------------------------- */

/* Three digits are enough, and are what a person would have written. */
static double rounded(double v)
{
    double unit = v > 0 ? pow(10, floor(log10(v)) - 2) : 1;

    return round(v / unit) * unit;
}

double draw_real(struct draw *d, double lo, double hi)
{
    return rounded(lo + (hi - lo) * rng_unit(&d->rng));
}

double draw_log(struct draw *d, double lo, double hi)
{
    return rounded(lo * pow(hi / lo, rng_unit(&d->rng)));
}

unsigned draw_int(struct draw *d, unsigned lo, unsigned hi)
{
    return hi > lo ? lo + (unsigned)rng_below(&d->rng, hi - lo + 1) : lo;
}

bool draw_chance(struct draw *d, unsigned percent)
{
    return rng_below(&d->rng, 100) < percent;
}

const char *draw_of(struct draw *d, const char *const *names, unsigned n)
{
    return names[rng_below(&d->rng, n)];
}

const char *draw_text(struct draw *d, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return arena_strdup(&d->mem, text, strlen(text));
}

void draw_when(struct draw *d, double least_share, double *from, double *to)
{
    double share = draw_real(d, least_share, 1);

    *from = draw_real(d, 0, d->length_s * (1 - share) + 0.05);
    *to = *from + d->length_s * share;
    if (*to > d->length_s)
        *to = d->length_s;
}

/* --- what should be found ------------------------------------------------------------------- */

json_t *add_finding(struct draw *d, const char *fault, const char *rule, const char *host,
                    double from, double to)
{
    json_t *f =
        json_pack("{s:s, s:s, s:[], s:b, s:[], s:[], s:[], s:f, s:f}", "fault", fault, "rule", rule,
                  "or", "root", 1, "subjects", "culprits", "hosts", "from_s", from, "to_s", to);

    if (host)
        json_array_append_new(json_object_get(f, "hosts"), json_string(host));
    json_array_append_new(d->findings, f);
    return f;
}

void add_party(json_t *finding, const char *list, const char *kind, const char *name)
{
    json_array_append_new(json_object_get(finding, list),
                          json_pack("{s:s, s:s}", "kind", kind, "name", name));
}

void or_found(json_t *finding, const char *rule)
{
    json_array_append_new(json_object_get(finding, "or"), json_string(rule));
}

/* --- the scenario --------------------------------------------------------------------------- */

static void begin(struct draw *d)
{
    double length = draw_real(d, 8, 16);

    for (size_t i = 0; i < sizeof d->w->list / sizeof *d->w->list && d->w->list[i]; i++)
        if (d->w->list[i]->least_s > length)
            length = d->w->list[i]->least_s * draw_real(d, 1, 1.3);
    d->length_s = rounded(length);
    d->load = d->w->load >= 0 ? d->w->load : draw_real(d, 0.05, 0.45);
    d->old = draw_chance(d, 15);
    d->style = draw_int(d, 0, 3);
    d->operations = json_array();
    d->faults = json_array();
    d->migrations = json_array();
    d->findings = json_array();
    d->services = json_object();
    d->connections = json_array();
    d->root = json_object();
}

json_t *faults_draw(const struct faults_wanted *w)
{
    struct draw d = { .w = w };

    rng_seed(&d.rng, w->seed ^ UINT64_C(0x6661756c74));
    begin(&d);
    draw_cloud(&d);
    for (size_t i = 0; i < sizeof w->list / sizeof *w->list && w->list[i]; i++)
        w->list[i]->add(&d);
    draw_rest(&d);
    arena_free(&d.mem);
    return d.root;
}
