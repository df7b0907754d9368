/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud.c -- builds the cloud and lets its users work.
 *
 * An operation becomes a request: an identifier, the things it works on, and a
 * thread of the API that was called.  The request is over when the last thread
 * that works for it ends; then operations that waited for it start. */
#include "sim/cloud.h"

#include "sim/emit.h"
#include "sim/kern.h"
#include "sim/migrate.h"
#include "sim/prog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct service_info services[SVC_COUNT] = {
#define X(id, name, comm, role, workers, threads, port) \
    [id] = { name, comm, role, workers, threads, port },
    SIM_SERVICES(X)
#undef X
};

void make_hex(struct rng *r, char *out, int digits)
{
    for (int i = 0; i < digits; i++)
        out[i] = "0123456789abcdef"[rng_below(r, 16)];
    out[digits] = '\0';
}

void make_uuid(struct rng *r, char out[40])
{
    char hex[33];

    make_hex(r, hex, 32);
    hex[12] = '4';
    hex[16] = "89ab"[rng_below(r, 4)];
    snprintf(out, 40, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

void host_boots(const struct sim *s, struct host *h)
{
    struct rng r;

    rng_seed(&r, s->sc->seed ^ (uint64_t)(h->index + 1) << 48);
    for (size_t i = 0; i < sizeof h->clock_uuid; i++)
        h->clock_uuid[i] = (uint8_t)rng_u64(&r);
    h->clock_uuid[6] = (uint8_t)(0x40 | (h->clock_uuid[6] & 15));
}

/* --- Building -------------------------------------------------------------- */

static bool is_idle(const struct sim *s, const struct host *h, enum service svc, unsigned worker)
{
    for (size_t i = 0; i < s->sc->faults.n; i++) {
        const struct sc_fault *f = &s->sc->faults.at[i];

        if (f->kind == FAULT_IDLE_WORKER && strcmp(f->host, h->sc->name) == 0 &&
            strcmp(f->service, services[svc].name) == 0 && f->worker == worker)
            return true;
    }
    return false;
}

static int add_service(struct sim *s, struct host *h, enum service svc)
{
    unsigned workers = services[svc].workers, threads = services[svc].threads;
    unsigned busy = 0;

    for (size_t i = 0; i < s->sc->services.n; i++) {
        const struct sc_service *o = &s->sc->services.at[i];

        if (strcmp(o->name, services[svc].name) != 0)
            continue;
        workers = o->workers ? o->workers : workers;
        threads = o->threads ? o->threads : threads;
    }
    for (unsigned i = 0; i < workers; i++) {
        struct proc *p = arena_new(&s->mem, struct proc);

        p->svc = svc;
        p->host = h;
        p->worker = i;
        p->max_threads = threads;
        s->next_pid += 1 + (uint32_t)rng_below(&s->rng, 40);
        p->pid = (int)s->next_pid;
        p->ident_base = (uint32_t)rng_u64(&s->rng);
        p->idle = is_idle(s, h, svc, i);
        busy += !p->idle;
        *vec_push(&h->procs[svc]) = p;
    }
    if (busy == 0)
        return err_set(s->err, E_ARG, "faults: all workers of %s on %s are idle",
                       services[svc].name, h->sc->name);
    return 0;
}

static int add_services(struct sim *s)
{
    for (size_t i = 0; i < s->hosts.n; i++) {
        struct host *h = &s->hosts.at[i];
        unsigned roles = h->sc->roles;

        roles |= h == s->network ? (unsigned)ROLE_NETWORK : 0;
        roles |= h == s->storage ? (unsigned)ROLE_STORAGE : 0;
        for (int svc = 0; svc < SVC_COUNT; svc++)
            if (services[svc].role & roles && add_service(s, h, (enum service)svc) < 0)
                return -(int)s->err->code;
    }
    return 0;
}

static int check_names(const struct sim *s)
{
    for (size_t i = 0; i < s->sc->services.n + s->sc->faults.n; i++) {
        bool of_fault = i >= s->sc->services.n;
        const char *name =
            of_fault ? s->sc->faults.at[i - s->sc->services.n].service : s->sc->services.at[i].name;
        int svc = 0;

        while (name && svc < SVC_COUNT && strcmp(services[svc].name, name) != 0)
            svc++;
        if (svc == SVC_COUNT)
            return err_set(s->err, E_ARG, "%s: \"%s\" is no service",
                           of_fault ? "faults" : "services", name);
    }
    return 0;
}

static void add_hosts(struct sim *s)
{
    vec_reserve(&s->hosts, s->sc->hosts.n); /* pointers into it are kept */
    for (size_t i = 0; i < s->sc->hosts.n; i++) {
        struct host *h = vec_push(&s->hosts);

        *h = (struct host){ .sc = &s->sc->hosts.at[i], .index = i };
        clock_build(s, h);
        snprintf(h->ip, sizeof h->ip, s->sc->dialect == DIALECT_ZED ? "10.77.%u.%u" : "10.0.%u.%u",
                 (unsigned)(i / 100), (unsigned)(100 + i % 100));
        if (h->sc->roles & ROLE_CONTROLLER)
            s->controller = h;
        if (h->sc->roles & ROLE_NETWORK && !s->network)
            s->network = h;
        if (h->sc->roles & ROLE_STORAGE && !s->storage)
            s->storage = h;
    }
    s->network = s->network ? s->network : s->controller;
    s->storage = s->storage ? s->storage : s->controller;
}

static void add_users(struct sim *s)
{
    vec_reserve(&s->users, s->sc->users.n);
    for (size_t i = 0; i < s->sc->users.n; i++) {
        struct user *u = vec_push(&s->users);

        *u =
            (struct user){ .name = s->sc->users.at[i].name, .project = s->sc->users.at[i].project };
        make_hex(&s->rng, u->id, 32);
        make_hex(&s->rng, u->project_id, 32);
        make_hex(&s->rng, u->token, 40);
        for (size_t k = 0; k < i; k++)
            if (strcmp(s->users.at[k].project, u->project) == 0)
                memcpy(u->project_id, s->users.at[k].project_id, sizeof u->project_id);
    }
}

static struct network *add_network(struct sim *s, const char *name)
{
    struct network *n = arena_new(&s->mem, struct network);

    n->name = name;
    n->number = 10 + (unsigned)(s->networks.n % 200);
    n->next_ip = 3;
    make_uuid(&s->rng, n->id);
    make_uuid(&s->rng, n->subnet_id);
    *vec_push(&s->networks) = n;
    return n;
}

int cloud_build(struct sim *s)
{
    s->next_pid = 2000;
    add_hosts(s);
    if (check_names(s) < 0 || add_services(s) < 0)
        return -(int)s->err->code;
    add_users(s);
    for (size_t i = 0; i < s->sc->networks.n; i++)
        add_network(s, s->sc->networks.at[i]);
    for (size_t i = 0; i < s->hosts.n && !(s->sc->kernel && s->sc->kernel->only); i++)
        if (emit_open(s, &s->hosts.at[i]) < 0)
            return -(int)s->err->code;
    return 0;
}

int cloud_close(struct sim *s)
{
    ns_t end = s->now > s->end ? s->now : s->end;

    s->end = end;
    for (size_t i = 0; i < s->hosts.n; i++)
        if (emit_close(s, &s->hosts.at[i], end + 5 * MS_NS) < 0)
            return -(int)s->err->code;
    return 0;
}

static void proc_free(struct proc *p)
{
    for (size_t i = 0; i < p->locks.n; i++)
        free(p->locks.at[i].name);
    vec_free(&p->locks);
    vec_free(&p->slots);
}

void cloud_free(struct sim *s)
{
    for (size_t i = 0; i < s->hosts.n; i++) {
        struct host *h = &s->hosts.at[i];

        ctfw_free(h->trace);
        ctfw_free(h->qemu_trace);
        kern_free(h->kern);
        for (int svc = 0; svc < SVC_COUNT; svc++) {
            for (size_t k = 0; k < h->procs[svc].n; k++)
                proc_free(h->procs[svc].at[k]);
            vec_free(&h->procs[svc]);
        }
    }
    for (size_t i = 0; i < s->vms.n; i++)
        vec_free(&s->vms.at[i]->changes);
    vec_free(&s->hosts);
    vec_free(&s->users);
    vec_free(&s->networks);
    vec_free(&s->vms);
    vec_free(&s->volumes);
    vec_free(&s->routers);
    vec_free(&s->ports);
    vec_free(&s->calls);
    vec_free(&s->reqs);
    vec_free(&s->tasks);
    map64_free(&s->names.map);
    engine_free(s->engine);
    migrate_free(s);
    arena_free(&s->mem);
}

/* --- Things and their names ------------------------------------------------ */

static void make_port(struct sim *s, struct port *p, struct network *net, const char *name)
{
    char hex[7];

    p->name = name;
    p->net = net;
    make_uuid(&s->rng, p->id);
    make_hex(&s->rng, hex, 6);
    snprintf(p->mac, sizeof p->mac, "fa:16:3e:%.2s:%.2s:%.2s", hex, hex + 2, hex + 4);
    snprintf(p->ip, sizeof p->ip, "10.%u.%u.%u", net->number, net->next_ip / 250 % 250,
             3 + net->next_ip % 250);
    net->next_ip++;
}

/* Names of one kind of thing to their positions. */
static bool named(const struct sim *s, const char *kind, const char *name, uint32_t *ret)
{
    uint64_t key = hash_bytes(name, strlen(name), hash_bytes(kind, strlen(kind), 7));

    return map64_get(&s->names.map, key, ret);
}

static void set_name(struct sim *s, const char *kind, const char *name, size_t position)
{
    uint64_t key = hash_bytes(name, strlen(name), hash_bytes(kind, strlen(kind), 7));

    map64_set(&s->names.map, key, (uint32_t)position);
}

static struct network *find_network(const struct sim *s, const char *name)
{
    for (size_t i = 0; i < s->networks.n; i++)
        if (strcmp(s->networks.at[i]->name, name) == 0)
            return s->networks.at[i];
    return NULL;
}

static struct vm *new_vm(struct sim *s, const struct sc_operation *op)
{
    struct vm *vm = arena_new(&s->mem, struct vm);

    vm->name = op->vm;
    vm->user = &s->users.at[op->user];
    vm->flavor = op->flavor ? op->flavor : &s->sc->flavors.at[0];
    vm->net = find_network(s, op->network);
    vm->vm_state = "building";
    vm->task_state = "scheduling";
    make_uuid(&s->rng, vm->uuid);
    snprintf(vm->lib, sizeof vm->lib, "instance-%08x", ++s->next_instance);
    make_port(s, &vm->port, vm->net, "");
    set_name(s, "vm", vm->name, s->vms.n);
    *vec_push(&s->vms) = vm;
    return vm;
}

static struct volume *new_volume(struct sim *s, const struct sc_operation *op)
{
    struct volume *v = arena_new(&s->mem, struct volume);

    v->name = op->volume;
    v->user = &s->users.at[op->user];
    v->size_gb = op->size_gb;
    v->status = "creating";
    make_uuid(&s->rng, v->id);
    make_uuid(&s->rng, v->snapshot_id);
    make_uuid(&s->rng, v->attachment_id);
    set_name(s, "volume", v->name, s->volumes.n);
    *vec_push(&s->volumes) = v;
    return v;
}

static struct router *new_router(struct sim *s, const char *name)
{
    struct router *r = arena_new(&s->mem, struct router);

    r->name = name;
    make_uuid(&s->rng, r->id);
    make_uuid(&s->rng, r->port_id);
    set_name(s, "router", name, s->routers.n);
    *vec_push(&s->routers) = r;
    return r;
}

/* Finds or makes what the operation works on; false if it never came to be. */
static bool bind_things(struct sim *s, struct req *r)
{
    const struct sc_operation *op = r->op;
    uint32_t i;

    if (op->what == DO_BOOT)
        r->vm = new_vm(s, op);
    else if (op->vm)
        r->vm = named(s, "vm", op->vm, &i) ? s->vms.at[i] : NULL;
    if (op->what == DO_VOLUME_CREATE)
        r->vol = new_volume(s, op);
    else if (op->volume)
        r->vol = named(s, "volume", op->volume, &i) ? s->volumes.at[i] : NULL;
    if (op->what == DO_NETWORK_CREATE)
        r->net = add_network(s, op->network);
    else if (op->network)
        r->net = find_network(s, op->network);
    if (op->what == DO_ROUTER_CREATE)
        r->router = new_router(s, op->router);
    else if (op->router)
        r->router = named(s, "router", op->router, &i) ? s->routers.at[i] : NULL;
    if (op->what == DO_PORT_CREATE && r->net) {
        r->port = arena_new(&s->mem, struct port);
        make_port(s, r->port, r->net, op->port);
        set_name(s, "port", op->port, s->ports.n);
        *vec_push(&s->ports) = r->port;
    } else if (op->port) {
        r->port = named(s, "port", op->port, &i) ? s->ports.at[i] : NULL;
    }
    if (r->vm) {
        r->port = &r->vm->port;
        r->net = r->vm->net;
    }
    return (r->vm || !op->vm) && (r->vol || !op->volume) && (r->net || !op->network) &&
           (r->router || !op->router) && (r->port || !op->port);
}

/* A resize that names no flavor takes the next larger one. */
static const struct sc_flavor *larger(const struct sim *s, const struct sc_flavor *than)
{
    const struct sc_flavor *best = NULL;

    for (size_t i = 0; i < s->sc->flavors.n; i++) {
        const struct sc_flavor *f = &s->sc->flavors.at[i];

        if (f->ram_mb > than->ram_mb && (!best || f->ram_mb < best->ram_mb))
            best = f;
    }
    return best ? best : than;
}

static struct req *new_request(struct sim *s, const struct sc_operation *op)
{
    struct req *r = arena_new(&s->mem, struct req);

    r->root = r;
    r->op = op;
    r->user = &s->users.at[op->user];
    r->fault = op->fault;
    r->outcome = "ok";
    r->start = s->now;
    r->host_start = host_time(s, s->controller, s->now);
    memcpy(r->id, "req-", 4);
    make_uuid(&s->rng, r->id + 4);
    make_uuid(&s->rng, r->migration);
    r->number = s->reqs.n;
    *vec_push(&s->reqs) = r;
    return r;
}

static struct req *start_request(struct sim *s, const struct sc_operation *op,
                                 struct session *session)
{
    struct req *r = new_request(s, op);
    const struct user_call *call = &user_calls[op->what];

    r->session = session;
    if (!bind_things(s, r)) {
        r->outcome = "not_found";
        r->error = "NotFound";
        r->error_text = "an earlier operation did not make it";
        cloud_request_over(s, r);
        return r;
    }
    if (r->vm && op->what != DO_BOOT) {
        r->src = op->what == DO_CONFIRM_RESIZE && r->vm->old_host ? r->vm->old_host : r->vm->host;
        r->dst = NULL;
    }
    if (op->what == DO_RESIZE)
        r->flavor = op->flavor ? op->flavor : larger(s, r->vm->flavor);
    engine_spawn(s, engine_worker(s, call->svc, s->controller), call->prog, r, MODE_HTTP, NULL,
                 300 * US_NS);
    return r;
}

/* --- What the scenario lists ------------------------------------------------ */

struct plan {
    size_t op;
    struct plan *next; /* waits for the same operation */
};

static void start_planned(struct sim *s, void *arg)
{
    struct plan *p = arg;
    struct req *r = start_request(s, &s->sc->operations.at[p->op], NULL);

    s->op_reqs[p->op] = r;
    r->planned = p->op + 1;
    if (r->over)
        cloud_operation_over(s, p->op);
}

void cloud_operation_over(struct sim *s, size_t op)
{
    for (struct plan *p = s->waiting[op]; p; p = p->next)
        engine_at(s, s->now + s->sc->operations.at[p->op].at_ns, start_planned, p);
    s->waiting[op] = NULL;
}

static void next_of_session(struct sim *s, struct req *r);

void cloud_request_over(struct sim *s, struct req *r)
{
    if (!r->op)
        return;
    r->over = true;
    r->end = s->now;
    r->host_end = host_time(s, s->controller, s->now);
    if (r->planned)
        cloud_operation_over(s, r->planned - 1);
    if (r->session)
        next_of_session(s, r);
}

/* --- The workload ------------------------------------------------------------ */

static void start_session(struct sim *s, void *arg)
{
    struct session *one = arg;

    start_request(s, &one->op, one);
}

/* What is done next to a VM in this state. */
static enum operation choose(struct sim *s, const struct vm *vm)
{
    static const enum operation of_active[] = { DO_STOP,   DO_REBOOT, DO_PAUSE,        DO_SUSPEND,
                                                DO_REBOOT, DO_STOP,   DO_LIVE_MIGRATE, DO_RESIZE };
    size_t computes = 0;

    if (strcmp(vm->vm_state, "stopped") == 0)
        return DO_START;
    if (strcmp(vm->vm_state, "paused") == 0)
        return DO_UNPAUSE;
    if (strcmp(vm->vm_state, "suspended") == 0)
        return DO_RESUME;
    if (strcmp(vm->vm_state, "resized") == 0)
        return DO_CONFIRM_RESIZE;
    for (size_t i = 0; i < s->hosts.n; i++)
        computes += (s->hosts.at[i].sc->roles & ROLE_COMPUTE) != 0;
    return of_active[rng_below(&s->rng, ARRAY_SIZE(of_active) - (computes > 1 ? 0 : 2))];
}

static void next_of_session(struct sim *s, struct req *r)
{
    struct session *one = r->session;
    struct session *next;
    bool broken = !r->vm->exists || strcmp(r->vm->vm_state, "error") == 0;

    if (r->op->what == DO_DELETE || !r->vm->exists)
        return;
    /* a request keeps its operation, so the next one gets its own */
    next = arena_new(&s->mem, struct session);
    *next = *one;
    next->op.fault = (struct sc_fault){ 0 };
    next->op.what = next->left == 0 || broken ? DO_DELETE : choose(s, r->vm);
    next->op.name = operation_names[next->op.what];
    next->left -= next->left > 0;
    engine_at(s, s->now + rng_around(&s->rng, s->sc->workload.think_ns), start_session, next);
}

static void plan_workload(struct sim *s)
{
    const struct sc_workload *w = &s->sc->workload;
    ns_t at = s->begin + NS_PER_S;

    for (uint64_t i = 0; i < w->vms; i++) {
        struct session *one = arena_new(&s->mem, struct session);

        one->left = w->ops_per_vm;
        one->op.what = DO_BOOT;
        one->op.name = operation_names[DO_BOOT];
        one->op.vm = arena_printf(&s->mem, "vm-%05" PRIu64, i + 1);
        one->op.network = s->sc->networks.at[i % s->sc->networks.n];
        one->op.user = rng_below(&s->rng, s->users.n);
        one->op.flavor = &s->sc->flavors.at[rng_below(&s->rng, s->sc->flavors.n > 2 ? 3 : 1)];
        if (rng_below(&s->rng, 100) < w->fail_percent)
            one->op.fault.kind = i % 2 ? FAULT_LIBVIRT : FAULT_NO_VALID_HOST;
        else if (rng_below(&s->rng, 100) < w->slow_percent)
            one->op.fault =
                (struct sc_fault){ .kind = FAULT_SLOW, .step = "vif wiring", .factor = 8 };
        engine_at(s, at, start_session, one);
        at += rng_around(&s->rng, (ns_t)(1e9 / w->per_s));
    }
}

void cloud_plan(struct sim *s)
{
    size_t n = s->sc->operations.n;

    s->op_reqs = arena_array(&s->mem, struct req *, n + 1);
    s->waiting = arena_array(&s->mem, struct plan *, n + 1);
    for (size_t i = 0; i < n; i++) {
        const struct sc_operation *op = &s->sc->operations.at[i];
        struct plan *p = arena_new(&s->mem, struct plan);

        p->op = i;
        if (op->has_after) {
            p->next = s->waiting[op->after];
            s->waiting[op->after] = p;
        } else {
            engine_at(s, s->begin + op->at_ns, start_planned, p);
        }
    }
    plan_workload(s);
}

/* --- Background --------------------------------------------------------------- */

static struct req *own_context(struct sim *s)
{
    struct req *r = arena_new(&s->mem, struct req);

    r->root = r;
    r->user = &s->users.at[0];
    r->outcome = "ok";
    memcpy(r->id, "req-", 4);
    make_uuid(&s->rng, r->id + 4);
    return r;
}

static void start_hog(struct sim *s, void *arg)
{
    const struct sc_fault *f = arg;

    for (size_t i = 0; i < s->hosts.n; i++) {
        struct host *h = &s->hosts.at[i];

        if (strcmp(h->sc->name, f->host) != 0 || h->procs[SVC_COMPUTE].n == 0)
            continue;
        struct thread *t = engine_spawn(s, h->procs[SVC_COMPUTE].at[0], lock_hog_prog,
                                        own_context(s), MODE_FORK, NULL, 0);

        t->exc_text = f->lock;
        t->number = (uint64_t)f->for_ns;
    }
}

static void start_periodic(struct sim *s, struct proc *p, const struct periodic *task)
{
    ns_t delay = (ns_t)rng_below(&s->rng, (uint64_t)task->period);

    if (s->now + delay >= s->end)
        return;
    struct thread *t = engine_spawn(s, p, task->prog, own_context(s), MODE_PERIODIC, NULL, delay);

    t->period = task->period;
    t->next_tick = s->now + delay;
    t->born = t->next_tick;
}

void cloud_background(struct sim *s)
{
    for (size_t i = 0; i < s->sc->faults.n; i++)
        if (s->sc->faults.at[i].kind == FAULT_LOCK_HOG)
            engine_at(s, s->begin + s->sc->faults.at[i].at_ns, start_hog, &s->sc->faults.at[i]);
    for (size_t i = 0; s->sc->periodic && i < n_periodic_tasks; i++) {
        const struct periodic *task = &periodic_tasks[i];

        if (task->in && !(task->in & s->sc->dialect))
            continue;
        for (size_t k = 0; k < s->hosts.n; k++) {
            struct host *h = &s->hosts.at[k];

            for (size_t p = 0; p < h->procs[task->svc].n; p++)
                start_periodic(s, h->procs[task->svc].at[p], task);
        }
    }
}
