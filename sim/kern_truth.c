/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_truth.c -- writes what the kernel of a host really did; the manual page
 * neph-sim(1) says what every figure counts. */
#include "sim/kern_io.h"

static void text(struct json *j, const char *key, const char *z)
{
    json_key(j, str_of(key));
    if (z)
        json_str(j, str_of(z));
    else
        json_none(j);
}

static void rank(struct json *j, const char *key, struct samples *s, unsigned percent, bool full)
{
    int64_t v = full ? -1 : samples_rank(s, percent);

    json_key(j, str_of(key));
    if (v < 0)
        json_none(j);
    else
        json_i64(j, v);
}

static void put_cpus(struct json *j, const struct kern *k)
{
    json_kopen(j, "cpus", '[');
    for (unsigned i = 0; i < k->n_cpus; i++) {
        const struct kcpu *c = &k->cpus[i];
        struct ctfw_counts n = ctfw_counts(k->channel, i);

        json_open(j, '{');
        json_ku64(j, "cpu", i);
        json_ki64(j, "known_ns", c->known ? c->known_ns : k->end_ns);
        json_ki64(j, "run_ns", c->run_ns);
        json_ki64(j, "idle_ns", c->idle_ns);
        json_ku64(j, "events", n.written);
        json_ku64(j, "discarded", n.discarded);
        json_ku64(j, "packets", n.packets);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_processes(struct json *j, const struct kern *k)
{
    json_kopen(j, "processes", '[');
    for (size_t i = 0; i < k->procs.n; i++) {
        const struct kproc *p = k->procs.at[i];

        if (!p->pid)
            continue; /* it would have started later */
        json_open(j, '{');
        json_ki64(j, "pid", p->pid);
        json_ki64(j, "ppid", p->parent ? p->parent->pid : 0);
        text(j, "comm", p->comm);
        text(j, "name", p->name);
        text(j, "instance", p->instance);
        text(j, "uuid", p->uuid[0] ? p->uuid : NULL);
        text(j, "tap", p->tap ? p->tap->name : NULL);
        json_key(j, STR("kernel_thread"));
        json_bool(j, p->kernel);
        json_ki64(j, "started_ns", p->started_ns);
        json_ki64(j, "ended_ns", p->over ? p->over_ns : 0);
        json_ku64(j, "pages_allocated", p->allocated);
        json_ku64(j, "pages_freed", p->freed);
        json_ki64(j, "pages_at_end", (int64_t)(p->allocated - p->freed));
        json_key(j, STR("leak_pages_per_s"));
        json_f64(j, p->conf ? p->conf->leak_per_s : 0);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_calls(struct json *j, const struct ktask *t)
{
    json_kopen(j, "syscalls", '[');
    for (size_t i = 0; i < t->calls.n; i++) {
        const struct sys_sum *s = &t->calls.at[i];

        json_open(j, '{');
        text(j, "name", sys_names[s->sys]);
        json_ku64(j, "count", s->count);
        json_ki64(j, "total_ns", s->total);
        json_ku64(j, "no_entry", s->no_entry);
        json_ku64(j, "no_exit", s->no_exit);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_vcpu(struct json *j, const struct kvcpu *v)
{
    json_kopen(j, "vcpu", '{');
    json_ku64(j, "id", v->id);
    json_ki64(j, "guest_ns", v->guest_ns);
    json_ki64(j, "halted_ns", v->halted_ns);
    json_ku64(j, "entries", v->entries);
    json_ku64(j, "exits", v->exits);
    json_kopen(j, "by_reason", '[');
    for (int i = 0; i < KX_COUNT; i++) {
        static const unsigned numbers[KX_COUNT] = {
#define X(id, name, number, ns) [id] = number,
            KERN_EXITS(X)
#undef X
        };
        const struct exit_sum *s = &v->by_reason[i];

        if (s->count == 0)
            continue;
        json_open(j, '{');
        text(j, "reason", kern_exit_names[i]);
        json_ku64(j, "exit_reason", numbers[i]);
        json_ku64(j, "count", s->count);
        json_ki64(j, "total_ns", s->total);
        json_ki64(j, "blocked_ns", s->blocked);
        json_ki64(j, "woken_ns", s->woken);
        json_ki64(j, "preempted_ns", s->preempted);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_close(j, '}');
}

static void put_thread(struct json *j, const struct kern *k, struct ktask *t)
{
    json_open(j, '{');
    json_ku64(j, "thread", t->index);
    json_ki64(j, "tid", t->tid);
    json_ki64(j, "pid", t->proc->pid);
    json_ki64(j, "vtid", t->vtid);
    text(j, "comm", t->comm);
    text(j, "name", t->proc->name);
    text(j, "instance", t->proc->instance);
    json_ki64(j, "prio", t->prio);
    json_ki64(j, "known_ns", t->known_ns);
    json_ki64(j, "end_ns", t->over_ns);
    json_ki64(j, "run_ns", t->run_ns);
    json_ki64(j, "wait_ns", t->woken_ns + t->preempted_ns);
    json_ki64(j, "woken_ns", t->woken_ns);
    json_ki64(j, "preempted_ns", t->preempted_ns);
    json_ki64(j, "blocked_ns", t->blocked_sum);
    json_kopen(j, "blocked", '{');
    for (int i = 0; i < BY_COUNT; i++)
        json_ki64(j, block_causes[i], t->blocked_ns[i]);
    json_ki64(j, "open", t->open_ns);
    json_close(j, '}');
    json_ku64(j, "switches_in", t->switches);
    json_ku64(j, "preempted", t->preempted);
    json_ku64(j, "migrations", t->migrations);
    json_kopen(j, "latency", '{');
    json_ku64(j, "count", t->latency.count);
    json_ki64(j, "total_ns", t->latency.total);
    json_ki64(j, "longest_ns", t->latency.longest);
    rank(j, "p50_ns", &t->latencies, 50, k->samples_full);
    rank(j, "p99_ns", &t->latencies, 99, k->samples_full);
    json_close(j, '}');
    put_calls(j, t);
    if (t->vcpu)
        put_vcpu(j, t->vcpu);
    json_close(j, '}');
}

static void put_span(struct json *j, const struct span_sum *s)
{
    json_ku64(j, "count", s->count);
    json_ki64(j, "total_ns", s->total);
    json_ki64(j, "longest_ns", s->longest);
}

static void put_preemptions(struct json *j, const struct kern *k)
{
    json_kopen(j, "preempt_threads", '[');
    for (size_t i = 0; i < k->preempt.v.n; i++) {
        const struct pair_sum *p = &k->preempt.v.at[i];

        json_open(j, '{');
        json_ku64(j, "victim", p->victim);
        json_ku64(j, "culprit", p->culprit);
        json_ki64(j, "victim_tid", k->tasks.at[p->victim]->tid);
        json_ki64(j, "culprit_tid", k->tasks.at[p->culprit]->tid);
        put_span(j, &p->sum);
        json_ku64(j, "open", p->open);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "preempt", '[');
    for (size_t i = 0; i < k->preempt_names.v.n; i++) {
        const struct pair_sum *p = &k->preempt_names.v.at[i];

        json_open(j, '{');
        json_kstr(j, "victim", strtab_get(&k->names, p->victim));
        json_kstr(j, "culprit", strtab_get(&k->names, p->culprit));
        put_span(j, &p->sum);
        json_ku64(j, "open", p->open);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_io(struct json *j, const struct kern *k)
{
    json_kopen(j, "disks", '[');
    for (size_t i = 0; i < k->hc->n_disks; i++) {
        const struct kdisk *d = &k->disks[i];

        json_open(j, '{');
        text(j, "device", d->conf->name);
        json_ku64(j, "dev", d->dev);
        json_ku64(j, "inserted", d->inserted);
        json_ku64(j, "issued", d->issued);
        json_ku64(j, "merged", d->merged);
        json_ku64(j, "backmerged", d->backmerged);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "io", '[');
    for (size_t i = 0; i < k->io.n; i++) {
        struct io_sum *s = &k->io.at[i];

        json_open(j, '{');
        text(j, "device", s->disk->conf->name);
        json_ki64(j, "pid", s->proc->pid);
        text(j, "name", s->proc->name);
        text(j, "instance", s->proc->instance);
        text(j, "op", block_ops[s->op]);
        json_ku64(j, "count", s->count);
        json_ku64(j, "bytes", s->bytes);
        rank(j, "p50_ns", &s->latency, 50, k->samples_full);
        rank(j, "p99_ns", &s->latency, 99, k->samples_full);
        rank(j, "max_ns", &s->latency, 100, k->samples_full);
        rank(j, "driver_p50_ns", &s->driver, 50, k->samples_full);
        rank(j, "driver_p99_ns", &s->driver, 99, k->samples_full);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_interrupts(struct json *j, const struct kern *k)
{
    json_kopen(j, "irqs", '[');
    for (size_t i = 0; i < k->irqs.n; i++) {
        json_open(j, '{');
        json_ku64(j, "irq", k->irqs.at[i].irq);
        text(j, "name", k->irqs.at[i].name);
        put_span(j, &k->irqs.at[i].sum);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "softirqs", '[');
    for (unsigned vec = 0; vec < SOFT_VECS; vec++) {
        if (k->softs[vec].count == 0)
            continue;
        json_open(j, '{');
        json_ku64(j, "vec", vec);
        put_span(j, &k->softs[vec]);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_interfaces(struct json *j, const struct kern *k)
{
    json_kopen(j, "interfaces", '[');
    for (size_t i = 0; i < k->n_interfaces; i++) {
        const struct kinterface *f = &k->interfaces[i];

        json_open(j, '{');
        text(j, "name", f->name);
        json_ku64(j, "rx_packets", f->rx_packets);
        json_ku64(j, "rx_bytes", f->rx_bytes);
        json_ku64(j, "tx_packets", f->tx_packets);
        json_ku64(j, "tx_bytes", f->tx_bytes);
        json_ku64(j, "drops", f->drops);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "lost", '[');
    for (size_t i = 0; i < k->losses.n; i++) {
        json_open(j, '{');
        json_ku64(j, "cpu", k->losses.at[i].cpu);
        json_ki64(j, "from_ns", k->losses.at[i].from);
        json_ki64(j, "to_ns", k->losses.at[i].to);
        json_ku64(j, "events", k->losses.at[i].events);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_connections(struct json *j, const struct kern *k)
{
    json_kopen(j, "connections", '[');
    for (size_t i = 0; i < k->ends.n; i++) {
        const struct kend *e = k->ends.at[i];

        json_open(j, '{');
        text(j, "peer", e->peer->k->host->sc->name);
        text(j, "service", e->proc->name);
        json_ku64(j, "port", e->port);
        json_ku64(j, "peer_port", e->peer->port);
        json_ku64(j, "messages", e->messages);
        json_ku64(j, "sent", e->sent);
        json_ku64(j, "lost", e->lost);
        json_ku64(j, "resent", e->resent);
        json_ku64(j, "received", e->received);
        json_ku64(j, "merged", e->merged);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void kern_truth(const struct kern *k, struct json *j)
{
    struct kern_totals all = kern_totals(k);

    json_kopen(j, "kernel", '{');
    text(j, "trace", k->dir);
    json_ki64(j, "begin_ns", k->begin);
    json_ki64(j, "end_ns", k->end_ns);
    json_ku64(j, "events", all.events);
    json_ku64(j, "discarded", all.lost);
    json_ku64(j, "bytes", all.bytes);
    json_key(j, STR("percentiles"));
    json_bool(j, !k->samples_full);
    put_cpus(j, k);
    put_processes(j, k);
    json_kopen(j, "threads", '[');
    for (size_t i = 0; i < k->tasks.n; i++)
        if (k->tasks.at[i]->state != ACC_UNKNOWN)
            put_thread(j, k, k->tasks.at[i]);
    json_close(j, ']');
    put_preemptions(j, k);
    put_io(j, k);
    put_interrupts(j, k);
    put_interfaces(j, k);
    put_connections(j, k);
    json_close(j, '}');
}
