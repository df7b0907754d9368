/* SPDX-License-Identifier: Apache-2.0
 *
 * kern.c -- runs the kernel of one host, see kern.h. */
#include "sim/kern.h"

#include "sim/kern_io.h"

#include <assert.h>
#include <stdlib.h>

/* --- The trace ------------------------------------------------------------------------- */

static int open_trace(struct kern *k)
{
    char iso[TIME_TEXT], created[32];
    const struct ctfw_env env[] = {
        { "hostname", k->host->sc->name, 0 },
        { "domain", "kernel", 0 },
        { "sysname", "Linux", 0 },
        { "kernel_release", "6.1.0-56-amd64", 0 },
        { "kernel_version", "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)", 0 },
        { "tracer_name", "lttng-modules", 0 },
        { "tracer_major", NULL, 2 },
        { "tracer_minor", NULL, 13 },
        { "tracer_patchlevel", NULL, 9 },
        { "trace_buffering_scheme", "global", 0 },
        { "trace_name", k->s->sc->name, 0 },
        { "trace_creation_datetime", created, 0 },
        { 0 },
    };
    struct ctfw_trace_config config = {
        .domain = CTFW_KERNEL,
        .env = env,
        .clock_offset_ns = (uint64_t)k->clock_offset,
        .begin = k->begin,
        .streams_first = true,
    };
    struct ctfw_channel_config channel = {
        .name = "ch0",
        .cpus = k->n_cpus,
        .packet_bytes = k->conf->packet_bytes,
        .header = k->conf->compact ? CTFW_COMPACT : CTFW_LARGE,
    };

    time_iso(k->begin, iso);
    snprintf(created, sizeof created, "%.4s%.2s%.2sT%.2s%.2s%.2s+0000", iso, iso + 5, iso + 8,
             iso + 11, iso + 14, iso + 17);
    k->dir = arena_printf(&k->mem, "%s/kernel", k->host->sc->name);
    config.dir = arena_printf(&k->mem, "%s/%s", k->s->out_dir, k->dir);
    for (int i = 0; i < 16; i++)
        config.uuid[i] = (uint8_t)rng_u64(&k->rng);
    config.uuid[6] = (uint8_t)(0x40 | (config.uuid[6] & 15));
    memcpy(config.clock_uuid, k->host->clock_uuid, sizeof config.clock_uuid);
    channel.context = kern_context(k, &channel.n_context);
    if (ctfw_open(&config, &k->trace, k->err) < 0 ||
        ctfw_channel(k->trace, &channel, &k->channel, k->err) < 0)
        return -(int)k->err->code;
    kern_declare(k);
    return 0;
}

/* --- The loop ---------------------------------------------------------------------------- */

static void build_cpus(struct kern *k)
{
    k->cpus = arena_array(&k->mem, struct kcpu, k->n_cpus);
    k->leaves = 2;
    while (k->leaves < k->n_cpus)
        k->leaves *= 2;
    k->next_at = arena_array(&k->mem, ns_t, k->leaves);
    k->winner = arena_array(&k->mem, uint32_t, k->leaves);
    for (unsigned i = 0; i < k->leaves; i++)
        k->next_at[i] = KERN_NEVER;
    for (unsigned i = k->leaves - 1; i >= 1; i--) /* also where there is no CPU */
        k->winner[i] = 2 * i < k->leaves ? k->winner[2 * i] : 2 * i - k->leaves;
    for (unsigned i = 0; i < k->n_cpus; i++) {
        struct kcpu *c = &k->cpus[i];

        c->id = i;
        c->curr = &c->idle;
        c->idle.cpu = c;
        c->idle.prio = PRIO_USUAL;
        c->idle.running = true;
        snprintf(c->idle.comm, sizeof c->idle.comm, "swapper/%u", i % 1000);
        c->end_at = c->tick_at = KERN_NEVER;
        c->napping = true;
        k->idle_mask[i / 64] |= UINT64_C(1) << (i % 64);
        kern_next_loss(k, c);
        kern_rearm(k, c);
    }
}

/* The thread has something to do: a timer of its CPU wakes it. */
static void call(struct kern *k, struct ktask *t)
{
    if (t->running || t->queued)
        return; /* it will see */
    kern_irq(k, t->cpu, (struct kirq){ .kind = IRQ_HRTIMER, .what = t, .token = t->token });
}

static void resched(struct kern *k, struct kcpu *c)
{
    c->ipi = false;
    if (c->level != LEVEL_BASE)
        return; /* it looks when it is back */
    kern_pause(k, c);
    kern_continue(k, c);
}

static void fire(struct kern *k, const struct ktimer *timer)
{
    struct ktask *t = timer->what;
    struct kproc *p = timer->what;
    const struct kc_interrupt *i = timer->what;

    switch (timer->kind) {
    case TM_WAKE:
    case TM_WHEEL:
        if (t->token == timer->token)
            kern_irq(
                k, t->cpu,
                (struct kirq){ timer->kind == TM_WAKE ? IRQ_HRTIMER : IRQ_WHEEL, t, timer->token });
        break;
    case TM_DISK: kern_disk_served(k, timer->what); break;
    case TM_NIC: kern_packet_arrives(k, timer->what); break;
    case TM_SENDER:
        if (p->main && !p->stopping)
            call(k, p->main);
        break;
    case TM_SENT: kern_card_sent(k, timer->what); break;
    case TM_ARRIVE: kern_wire_arrives(k, timer->what); break;
    case TM_TCP: {
        struct kend *e = timer->what;

        if (kern_wire_timer(e))
            kern_irq(k, e->nic->cpu, (struct kirq){ .kind = IRQ_TCP, .what = e });
    } break;
    case TM_IRQ:
        kern_irq(k, &k->cpus[i->irq % k->n_cpus], (struct kirq){ IRQ_OTHER, timer->what, 0 });
        kern_timer(k, k->now + kern_spread(k, 1e9 / i->per_s), TM_IRQ, timer->what, 0);
        break;
    case TM_RESCHED: resched(k, timer->what); break;
    case TM_START:
        *vec_push(&k->starting) = p;
        call(k, k->spawner);
        break;
    case TM_STOP:
        if (p->boots && !p->ready) {
            kern_timer(k, k->now + 10 * MS_NS, TM_STOP, p, 0);
            break;
        }
        *vec_push(&k->stopping) = p;
        call(k, k->spawner);
        break;
    }
}

static void cpu_due(struct kern *k, struct kcpu *c)
{
    if (c->tick_at <= c->end_at) {
        c->tick_at += k->conf->tick_ns;
        kern_irq(k, c, (struct kirq){ .kind = IRQ_TICK });
        kern_rearm(k, c);
    } else if (c->level == LEVEL_BASE) {
        c->curr->left = 0;
        kern_continue(k, c);
    } else {
        kern_level_over(k, c);
    }
}

static ns_t timer_at(const struct kern *k)
{
    return k->heap.n ? k->heap.at[0].at : KERN_NEVER;
}

/* When something happens next. */
static ns_t next_at(const struct kern *k)
{
    ns_t cpu_at = k->next_at[k->winner[1]], at = timer_at(k);

    return cpu_at < at ? cpu_at : at;
}

/* Lets happen what happens until then. */
static void advance(struct kern *k, ns_t until)
{
    struct ktimer timer;

    while (!k->failed && next_at(k) <= until) {
        struct kcpu *c = &k->cpus[k->winner[1]];
        ns_t at = host_leap(k->host, next_at(k));

        if (at > k->now)
            k->now = at;
        if (k->next_at[c->id] < timer_at(k))
            cpu_due(k, c);
        else if (kern_timer_pop(k, &timer))
            fire(k, &timer);
    }
}

static int begin(struct kern *k)
{
    int rc = open_trace(k);

    if (rc < 0)
        return rc;
    build_cpus(k);
    rc = kern_build(k);
    if (rc < 0)
        return rc;
    if (k->conf->dump != KC_DUMP_NONE)
        kern_timer(k, k->begin + MS_NS, TM_WAKE, k->dumper, k->dumper->token);
    if (k->conf->dump != KC_DUMP_FIRST)
        kern_go(k);
    return 0;
}

static int finish(struct kern *k)
{
    if (k->failed)
        return -(int)k->err->code;
    k->end_ns = k->last_ts;
    account_end(k, k->end_ns);
    return ctfw_finish(k->trace, k->end_ns, k->err);
}

/* How long a host without another trace was up when tracing began. */
enum { UP_S = 54321 };
/* What an event costs on a host with one CPU; all CPUs wait for each, so that
 * it must be less where there are more. */
enum { EVENT_NS = 200 };

/* Builds the kernel of 'h', if the scenario describes it. */
static int make(struct sim *s, struct host *h)
{
    const struct kc_kernel *conf = s->sc->kernel;

    for (size_t i = 0; conf && i < conf->n_hosts; i++) {
        if (strcmp(conf->hosts[i].name, h->sc->name) != 0)
            continue;
        struct kern *k = xcalloc(1, sizeof *k);

        k->s = s;
        k->err = s->err;
        k->host = h;
        k->conf = conf;
        k->hc = &conf->hosts[i];
        k->n_cpus = h->sc->cpus;
        k->event_ns = 1 + EVENT_NS / (ns_t)k->n_cpus;
        k->begin = k->now = k->last_ts = host_time(s, h, s->begin);
        k->clock_offset = h->clock_offset ? h->clock_offset : k->begin - UP_S * NS_PER_S;
        k->end = k->begin + conf->duration_ns;
        rng_seed(&k->rng, s->sc->seed * UINT64_C(0x9e3779b97f4a7c15) + h->index + 1);
        h->kern = k;
        if (conf->only) { /* no service's trace has chosen it */
            host_boots(s, h);
            h->clock_offset = k->clock_offset;
        }
        return begin(k);
    }
    return 0;
}

int kern_simulate(struct sim *s, struct host *h)
{
    int rc = make(s, h);

    if (rc < 0 || !h->kern)
        return rc;
    advance(h->kern, h->kern->end);
    return finish(h->kern);
}

static struct kern *kern_of(const struct sim *s, const char *host)
{
    for (size_t i = 0; i < s->hosts.n; i++)
        if (strcmp(s->hosts.at[i].sc->name, host) == 0)
            return s->hosts.at[i].kern;
    return NULL;
}

/* Hosts that speak to each other go on together, in true time: none by more than the least
 * latency, in which nothing of what the others send now can come. */
static bool advance_all(struct sim *s, ns_t latency)
{
    ns_t first = KERN_NEVER;

    for (size_t i = 0; i < s->hosts.n; i++) {
        const struct kern *k = s->hosts.at[i].kern;
        ns_t at = k && next_at(k) <= k->end ? host_true(k->host, next_at(k)) : KERN_NEVER;

        first = at < first ? at : first;
    }
    for (size_t i = 0; i < s->hosts.n && first != KERN_NEVER; i++) {
        struct kern *k = s->hosts.at[i].kern;

        if (!k)
            continue;
        ns_t until = host_time(s, k->host, first + latency) - 1;

        advance(k, until < k->end ? until : k->end);
        if (k->failed)
            return false;
    }
    return first != KERN_NEVER;
}

int kern_simulate_all(struct sim *s)
{
    const struct kc_kernel *conf = s->sc->kernel;
    double least = 1e9;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->hosts.n; i++)
        rc = conf && conf->n_connections ? make(s, &s->hosts.at[i])
                                         : kern_simulate(s, &s->hosts.at[i]);
    if (rc < 0 || !conf || !conf->n_connections)
        return rc;
    for (size_t i = 0; i < conf->n_connections; i++) {
        const struct kc_connection *w = &conf->connections[i];

        kern_wire_build(kern_of(s, w->client), kern_of(s, w->server), w, i);
        least = w->latency_us < least ? w->latency_us : least;
        least = w->back_us < least ? w->back_us : least;
    }
    while (advance_all(s, (ns_t)(least * 1000)))
        ;
    for (size_t i = 0; rc == 0 && i < s->hosts.n; i++)
        rc = s->hosts.at[i].kern ? finish(s->hosts.at[i].kern) : 0;
    return rc;
}

struct kern_totals kern_totals(const struct kern *k)
{
    struct kern_totals t = { .length_ns = k->end_ns - k->begin };

    for (unsigned i = 0; i < k->n_cpus; i++) {
        struct ctfw_counts n = ctfw_counts(k->channel, i);

        t.events += n.written;
        t.lost += n.discarded + n.dropped;
        t.bytes += n.bytes;
    }
    return t;
}

static void free_procs(struct kern *k)
{
    for (size_t i = 0; i < k->tasks.n; i++) {
        vec_free(&k->tasks.at[i]->latencies.v);
        vec_free(&k->tasks.at[i]->calls);
    }
    for (size_t i = 0; i < k->procs.n; i++) {
        struct kproc *p = k->procs.at[i];

        vec_free(&p->tasks);
        vec_free(&p->zombies);
        vec_free(&p->held);
        vec_free(&p->leaked);
        vec_free(&p->vcpus);
        vec_free(&p->idle_workers);
        vec_free(&p->jobs);
        vec_free(&p->done);
        vec_free(&p->senders);
    }
}

void kern_free(struct kern *k)
{
    if (!k)
        return;
    free_procs(k);
    for (unsigned i = 0; k->cpus && i < k->n_cpus; i++) {
        vec_free(&k->cpus[i].pending);
        vec_free(&k->cpus[i].wheel);
        vec_free(&k->cpus[i].completed);
        vec_free(&k->cpus[i].packets);
        vec_free(&k->cpus[i].expired);
    }
    for (size_t i = 0; i < k->io.n; i++) {
        vec_free(&k->io.at[i].latency.v);
        vec_free(&k->io.at[i].driver.v);
    }
    for (size_t i = 0; i < k->requests.n; i++)
        vec_free(&k->requests.at[i]->waiters);
    kern_disks_free(k);
    kern_net_free(k);
    kern_wire_free(k);
    vec_free(&k->requests);
    vec_free(&k->heap);
    vec_free(&k->tasks);
    vec_free(&k->procs);
    vec_free(&k->starting);
    vec_free(&k->stopping);
    vec_free(&k->dead);
    vec_free(&k->io);
    vec_free(&k->irqs);
    vec_free(&k->losses);
    vec_free(&k->preempt.v);
    vec_free(&k->preempt_names.v);
    map64_free(&k->preempt.map);
    map64_free(&k->preempt_names.map);
    map64_free(&k->tids);
    strtab_free(&k->names);
    ctfw_free(k->trace);
    arena_free(&k->mem);
    free(k);
}
