/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_trace.c -- faults of clocks and of tracing itself, and no fault at all. */
#include "sim/faults_priv.h"

void fault_none(struct draw *d)
{
    (void)d;
}

/* Any host but the first, whose clock is the reference; one that there is. */
static struct draw_host *another(struct draw *d)
{
    return &d->host[d->n > 1 ? draw_int(d, 1, d->n - 1) : 0];
}

void fault_clock_step(struct draw *d)
{
    struct draw_host *h = another(d);
    double at = d->length_s * draw_real(d, 0.2, 0.8);
    json_t *f = add_finding(d, "clock-step", "clock-trouble", h->name, at, at);

    json_object_set_new(h->conf, "clock_changes",
                        json_pack("[{s:f, s:f}]", "at_s", at, "step_ms", draw_log(d, 20, 5000)));
    SUBJECT(f, "host", h->name);
}

void fault_clock_unbounded(struct draw *d)
{
    struct draw_host *h = another(d);
    json_t *f = add_finding(d, "clock-unbounded", "clock-trouble", h->name, 0, d->length_s);

    d->bare = true;
    SUBJECT(f, "host", h->name);
}

/* A service that makes many system calls, and what the tracer's daemon takes to write them down. */
void fault_tracing_overhead(struct draw *d)
{
    struct draw_host *h = draw_host(d);
    double share = draw_log(d, 0.08, 0.4) * h->cpus, work = draw_log(d, 2, 10);
    unsigned threads = (unsigned)(share / 0.8) + 1;
    json_t *f = add_finding(d, "tracing-overhead", "tracing-overhead", h->name, 0, d->length_s);
    json_t *p =
        add_service(h, "memcached", "memcached", draw_log(d, 0.02, 0.05), draw_log(d, 0.05, 0.2));

    d->all_calls = true;
    json_object_set_new(p, "threads", json_integer(draw_int(d, 1, 3)));
    share /= threads;
    p = add_service(h, "lttng-consumerd", "lttng-consumerd", work, work * (1 - share) / share);
    json_object_set_new(p, "threads", json_integer(threads));
    SUBJECT(f, "host", h->name);
}

void fault_lost_events(struct draw *d)
{
    struct draw_host *h = draw_host(d);
    double at, until;

    draw_when(d, 0.1, &at, &until);
    json_t *f = add_finding(d, "lost-events", "lost-events", h->name, at, until);

    if (until > at + d->length_s * 0.6)
        until = at + d->length_s * 0.6;
    SUBJECT(f, "host", h->name);
    for (unsigned cpu = 0, n = draw_int(d, 1, h->cpus); cpu < n; cpu++)
        add_to(h, "lost",
               json_pack("{s:i, s:f, s:f}", "cpu", (int)cpu, "at_s", at, "for_s", until - at));
    if (draw_chance(d, 40))
        json_array_append_new(d->faults,
                              json_pack("{s:s, s:s, s:f, s:f}", "kind", "lost_events", "host",
                                        h->name, "at_s", at, "for_s", until - at));
}

void fault_missing_layer(struct draw *d)
{
    static const char *const layers[] = { "kernel", "openstack" };
    const char *layer = DRAW_OF(d, layers);

    json_object_set_new(d->root, "without", json_pack("[s]", layer));
    add_finding(d, "missing-layer", "missing-layer", NULL, 0, d->length_s);
}
