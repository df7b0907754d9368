/* SPDX-License-Identifier: Apache-2.0
 *
 * truth.c -- see truth.h. */
#include "sim/truth.h"

#include "base/json.h"
#include "sim/engine.h"
#include "sim/kern.h"
#include "sim/labels.h"
#include "sim/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static void text(struct json *j, const char *key, const char *z)
{
    json_key(j, str_of(key));
    if (z)
        json_str(j, str_of(z));
    else
        json_none(j);
}

static void flag(struct json *j, const char *key, bool v)
{
    json_key(j, str_of(key));
    json_bool(j, v);
}

static void real(struct json *j, const char *key, double v)
{
    json_key(j, str_of(key));
    json_f64(j, v);
}

static struct ctfw_counts sum_of(const struct host *h)
{
    struct ctfw_counts all = { 0 };

    for (unsigned cpu = 0; h->channel && cpu < h->sc->cpus; cpu++) {
        struct ctfw_counts n = ctfw_counts(h->channel, cpu);

        all.written += n.written;
        all.discarded += n.discarded;
        all.dropped += n.dropped;
        all.bytes += n.bytes;
    }
    return all;
}

static void put_counts(struct json *j, const struct ctfw_counts *n)
{
    json_ku64(j, "events", n->written);
    json_ku64(j, "discarded", n->discarded);
    json_ku64(j, "dropped", n->dropped);
}

static void put_streams(struct json *j, const struct sim *s, const struct host *h)
{
    json_kopen(j, "streams", '[');
    for (unsigned cpu = 0; h->channel && cpu < h->sc->cpus; cpu++) {
        struct ctfw_counts n = ctfw_counts(h->channel, cpu);
        char file[64];

        snprintf(file, sizeof file, "%s_%u",
                 s->sc->dialect == DIALECT_ZED ? "os" : "lttng_python_channel", cpu);
        json_open(j, '{');
        text(j, "file", file);
        json_ku64(j, "cpu", cpu);
        put_counts(j, &n);
        json_ku64(j, "packets", n.packets);
        json_ku64(j, "packets_dropped", n.packets_dropped);
        json_ku64(j, "bytes", n.bytes);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_services(struct json *j, const struct host *h)
{
    json_kopen(j, "services", '[');
    for (int svc = 0; svc < SVC_COUNT; svc++)
        for (size_t i = 0; i < h->procs[svc].n; i++) {
            const struct proc *p = h->procs[svc].at[i];

            json_open(j, '{');
            text(j, "service", services[svc].name);
            json_ku64(j, "worker", p->worker);
            json_ki64(j, "pid", p->pid);
            text(j, "procname", services[svc].comm);
            json_ku64(j, "requests", p->requests);
            flag(j, "idle", p->idle);
            json_close(j, '}');
        }
    json_close(j, ']');
}

/* From true time 'from_ns' on the clock shows local_ns + (t - from_ns) * (1 + drift_ppb / 1e9). */
static void put_clock(struct json *j, const struct host *h)
{
    json_kopen(j, "clock", '[');
    for (size_t i = 0; i < h->n_clock; i++) {
        json_open(j, '{');
        json_ki64(j, "from_ns", h->clock[i].from);
        json_ki64(j, "local_ns", h->clock[i].local);
        json_ki64(j, "drift_ppb", h->clock[i].drift_ppb);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_hosts(struct json *j, const struct sim *s)
{
    static const char *const roles[] = { "controller", "compute", "network", "storage" };

    json_kopen(j, "hosts", '[');
    for (size_t i = 0; i < s->hosts.n; i++) {
        const struct host *h = &s->hosts.at[i];
        struct ctfw_counts all = sum_of(h);

        json_open(j, '{');
        text(j, "name", h->sc->name);
        text(j, "ip", h->ip);
        json_kopen(j, "roles", '[');
        for (unsigned k = 0; k < 4; k++)
            if (h->sc->roles & (1u << k))
                json_str(j, str_of(roles[k]));
        json_close(j, ']');
        text(j, "trace", h->dir);
        json_ki64(j, "clock_offset_ns", h->sc->clock_offset_ns);
        real(j, "clock_drift_ppm", h->sc->clock_drift_ppm);
        put_clock(j, h);
        put_counts(j, &all);
        put_streams(j, s, h);
        put_services(j, h);
        if (h->kern)
            kern_truth(h->kern, j);
        migrate_truth_host(h, j);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_things(struct json *j, const struct sim *s)
{
    json_kopen(j, "users", '[');
    for (size_t i = 0; i < s->users.n; i++) {
        json_open(j, '{');
        text(j, "name", s->users.at[i].name);
        text(j, "id", s->users.at[i].id);
        text(j, "project", s->users.at[i].project);
        text(j, "project_id", s->users.at[i].project_id);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "networks", '[');
    for (size_t i = 0; i < s->networks.n; i++) {
        json_open(j, '{');
        text(j, "name", s->networks.at[i]->name);
        text(j, "id", s->networks.at[i]->id);
        text(j, "subnet_id", s->networks.at[i]->subnet_id);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "routers", '[');
    for (size_t i = 0; i < s->routers.n; i++) {
        json_open(j, '{');
        text(j, "name", s->routers.at[i]->name);
        text(j, "id", s->routers.at[i]->id);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "ports", '[');
    for (size_t i = 0; i < s->ports.n; i++) {
        json_open(j, '{');
        text(j, "name", s->ports.at[i]->name);
        text(j, "id", s->ports.at[i]->id);
        text(j, "network_id", s->ports.at[i]->net->id);
        json_close(j, '}');
    }
    json_close(j, ']');
    json_kopen(j, "volumes", '[');
    for (size_t i = 0; i < s->volumes.n; i++) {
        const struct volume *v = s->volumes.at[i];

        json_open(j, '{');
        text(j, "name", v->name);
        text(j, "id", v->id);
        json_ku64(j, "size_gb", v->size_gb);
        text(j, "status", v->status);
        text(j, "vm", v->vm ? v->vm->name : NULL);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_changes(struct json *j, const struct vm *vm, bool announced)
{
    json_kopen(j, announced ? "announced" : "states", '[');
    for (size_t i = 0; i < vm->changes.n; i++) {
        const struct vm_change *c = &vm->changes.at[i];

        if ((c->event_type != NULL) != announced)
            continue;
        json_open(j, '{');
        json_ki64(j, "true_ns", c->true_ns);
        text(j, "on", c->on->sc->name);
        json_ki64(j, "host_ns", c->host_ns);
        if (announced) {
            text(j, "by", c->event_type);
            flag(j, "lost", c->lost);
        }
        text(j, "vm_state", c->vm_state);
        text(j, "task_state", c->task_state);
        text(j, "host", c->host ? c->host->sc->name : NULL);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_vms(struct json *j, const struct sim *s)
{
    json_kopen(j, "vms", '[');
    for (size_t i = 0; i < s->vms.n; i++) {
        const struct vm *vm = s->vms.at[i];
        char tap[16];

        snprintf(tap, sizeof tap, "tap%.11s", vm->port.id);
        json_open(j, '{');
        text(j, "name", vm->name);
        text(j, "uuid", vm->uuid);
        text(j, "libvirt_name", vm->lib);
        text(j, "user", vm->user->name);
        text(j, "project_id", vm->user->project_id);
        text(j, "flavor", vm->flavor->name);
        text(j, "network", vm->net->name);
        text(j, "port_id", vm->port.id);
        text(j, "mac", vm->port.mac);
        text(j, "ip", vm->port.ip);
        text(j, "tap", tap);
        put_changes(j, vm, false);
        put_changes(j, vm, true);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_requests(struct json *j, const struct sim *s)
{
    json_kopen(j, "requests", '[');
    for (size_t i = 0; i < s->reqs.n; i++) {
        const struct req *r = s->reqs.at[i];

        json_open(j, '{');
        json_ku64(j, "number", r->number);
        text(j, "id", r->id);
        text(j, "operation", operation_names[r->op->what]);
        text(j, "name", r->op->name);
        text(j, "user", r->user->name);
        text(j, "user_id", r->user->id);
        text(j, "project_id", r->user->project_id);
        text(j, "vm", r->vm ? r->vm->name : NULL);
        text(j, "volume", r->vol ? r->vol->name : NULL);
        text(j, "network", r->net ? r->net->name : NULL);
        text(j, "router", r->router ? r->router->name : NULL);
        text(j, "source", r->src ? r->src->sc->name : NULL);
        text(j, "destination", r->dst ? r->dst->sc->name : NULL);
        json_ki64(j, "start_ns", r->start);
        json_ki64(j, "end_ns", r->end);
        text(j, "outcome", r->over ? r->outcome : "unfinished");
        text(j, "error", r->error);
        text(j, "error_text", r->error_text);
        text(j, "fault", r->fault.kind ? fault_names[r->fault.kind] : NULL);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void put_task(struct json *j, const struct true_task *t)
{
    const struct req *root = t->req->root;

    json_open(j, '{');
    text(j, "task", t->name);
    json_kopen(j, "announced_as", '[');
    for (size_t k = 0; k < ARRAY_SIZE(t->names) && t->names[k]; k++)
        json_str(j, str_of(t->names[k]));
    json_close(j, ']');
    text(j, "host", t->proc->host->sc->name);
    text(j, "service", services[t->proc->svc].name);
    json_ku64(j, "worker", t->proc->worker);
    json_ki64(j, "pid", t->proc->pid);
    json_ku64(j, "thread", t->ident);
    text(j, "entity_kind", t->entity_kind);
    text(j, "entity", t->entity);
    text(j, "entity_id", t->entity_id);
    text(j, "request_id", t->req->id);
    json_key(j, STR("request"));
    if (root->op)
        json_u64(j, root->number);
    else
        json_none(j);
    json_ki64(j, "start_ns", t->start);
    json_ki64(j, "end_ns", t->end);
    json_ki64(j, "host_start_ns", t->host_start);
    json_ki64(j, "host_end_ns", t->host_end);
    text(j, "outcome", t->outcome);
    flag(j, "start_told", t->start_told);
    flag(j, "end_told", t->end_told);
    flag(j, "start_lost", t->start_lost);
    flag(j, "end_lost", t->end_lost);
    text(j, "longest_step", t->step);
    json_ki64(j, "longest_step_ns", t->step_ns);
    json_close(j, '}');
}

static void put_host_fault(struct json *j, const struct sim *s, const struct sc_fault *f)
{
    json_open(j, '{');
    text(j, "kind", fault_names[f->kind]);
    text(j, "host", f->host);
    text(j, "service", f->service);
    text(j, "lock", f->lock);
    if (f->kind == FAULT_LOST_EVENTS || f->kind == FAULT_LOCK_HOG) {
        json_ki64(j, "from_ns", s->begin + f->at_ns);
        json_ki64(j, "for_ns", f->for_ns);
    }
    if (f->kind == FAULT_LOST_EVENTS || f->kind == FAULT_LOST_PACKETS)
        json_ki64(j, "cpu", f->cpu);
    if (f->kind == FAULT_IDLE_WORKER)
        json_ku64(j, "worker", f->worker);
    if (f->kind == FAULT_LOST_PACKETS) {
        json_ku64(j, "first", f->first);
        json_ku64(j, "count", f->count);
    }
    flag(j, "applied", true);
    json_close(j, '}');
}

static void put_faults(struct json *j, const struct sim *s)
{
    json_kopen(j, "faults", '[');
    for (size_t i = 0; i < s->reqs.n; i++) {
        const struct req *r = s->reqs.at[i];

        if (r->fault.kind == FAULT_NONE)
            continue;
        json_open(j, '{');
        text(j, "kind", fault_names[r->fault.kind]);
        json_ku64(j, "request", r->number);
        text(j, "request_id", r->id);
        text(j, "operation", operation_names[r->op->what]);
        text(j, "step", r->fault.step);
        if (r->fault.kind == FAULT_SLOW) {
            real(j, "factor", r->fault.factor);
            json_ki64(j, "extra_ns", r->fault_ns);
        }
        flag(j, "applied", r->fault_applied);
        json_close(j, '}');
    }
    for (size_t i = 0; i < s->sc->faults.n; i++)
        put_host_fault(j, s, &s->sc->faults.at[i]);
    json_close(j, ']');
}

static void put_totals(struct json *j, const struct sim *s)
{
    struct ctfw_counts all = { 0 };

    for (size_t i = 0; i < s->hosts.n; i++) {
        struct ctfw_counts n = sum_of(&s->hosts.at[i]);

        all.written += n.written;
        all.discarded += n.discarded;
        all.dropped += n.dropped;
        all.bytes += n.bytes;
    }
    json_kopen(j, "totals", '{');
    put_counts(j, &all);
    json_ku64(j, "bytes", all.bytes);
    json_ku64(j, "tasks", s->tasks.n);
    json_ku64(j, "requests", s->reqs.n);
    json_ku64(j, "vms", s->vms.n);
    json_close(j, '}');
}

static void put_all(struct json *j, const struct sim *s)
{
    json_open(j, '{');
    text(j, "format", "neph-sim-truth");
    json_ku64(j, "version", 1);
    text(j, "scenario", s->sc->name);
    text(j, "description", s->sc->description);
    text(j, "dialect", s->sc->dialect == DIALECT_ZED ? "zed" : "2016");
    json_ku64(j, "seed", s->sc->seed);
    json_ki64(j, "start_ns", s->begin);
    json_ki64(j, "end_ns", s->end);
    put_totals(j, s);
    put_hosts(j, s);
    put_things(j, s);
    put_vms(j, s);
    put_requests(j, s);
    json_kopen(j, "tasks", '[');
    for (size_t i = 0; i < s->tasks.n; i++)
        put_task(j, &s->tasks.at[i]);
    json_close(j, ']');
    put_faults(j, s);
    labels_truth(s, j);
    migrate_truth(s, j);
    json_close(j, '}');
}

int truth_write(const struct sim *s, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (!f) {
        int why = errno;

        if (fd >= 0)
            close(fd);
        return err_set(s->err, E_IO, "%s: %s", path, strerror(why));
    }
    struct json j = { .f = f, .pretty = true };

    put_all(&j, s);
    putc('\n', f);
    bool bad = ferror(f) != 0;

    if (fclose(f) != 0 || bad)
        return err_set(s->err, E_IO, "%s: cannot write: %s", path, strerror(errno));
    return 0;
}
