/* SPDX-License-Identifier: Apache-2.0
 *
 * tasks.c -- announces tasks in either dialect, and notes the truth.
 *
 * The old payload looks like JSON and is not: single quotes, nothing escaped,
 * and event types of most emitters bare.  A reader must live with that, so it
 * is written that way here. */
#include "sim/tasks.h"

#include "sim/engine.h"
#include "sim/text.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool is_zed(const struct thread *t)
{
    return t->sim->sc->dialect == DIALECT_ZED;
}

static const char *or_none(const char *z)
{
    return z ? z : "None";
}

/* A member of a JSON object: text, or nothing when there is none. */
static void member(struct sbuf *b, const char *key, const char *text)
{
    if (!text)
        return;
    sbuf_fmt(b, "%s\"%s\":\"", b->n && b->p[b->n - 1] != '{' ? "," : "", key);
    text_json(b, text);
    sbuf_chr(b, '"');
}

static void member_num(struct sbuf *b, const char *key, int64_t v)
{
    sbuf_fmt(b, "%s\"%s\":%" PRId64, b->n && b->p[b->n - 1] != '{' ? "," : "", key, v);
}

static void member_who(struct sbuf *b, const struct thread *t)
{
    member(b, "request_id", t->req->id);
    if (t->req->user) {
        member(b, "user_id", t->req->user->id);
        member(b, "project_id", t->req->user->project_id);
    }
}

static void finish(struct sbuf *b, const struct thread *t, const char *k)
{
    member(b, "k", k);
    member_num(b, "ns", host_time(t->sim, t->proc->host, t->sim->now));
    member_num(b, "pid", t->proc->pid);
    member_num(b, "tid", t->proc->pid);
    sbuf_chr(b, '}');
}

/* The host name Nova makes of a VM's name. */
static void member_hostname(struct sbuf *b, const char *name)
{
    char clean[64];
    size_t n = 0;

    for (const char *p = name; *p && n < sizeof clean - 1; p++) {
        char c = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.')
            clean[n++] = c;
        else if (c == ' ' || c == '_')
            clean[n++] = '-';
    }
    clean[n] = '\0';
    member(b, "hostname", clean);
}

static void member_vm(struct sbuf *b, const struct vm *vm, bool versioned)
{
    member(b, "instance", vm->uuid);
    member(b, "display_name", vm->name);
    member_hostname(b, vm->name);
    if (vm->host) {
        member(b, "host", vm->host->sc->name);
        member(b, "node", vm->host->sc->name);
    }
    member(b, "state", vm->vm_state);
    if (versioned)
        member(b, "task_state", vm->task_state);
}

/* The end of a VM's notification: its size, or only its progress. */
static void member_size(struct sbuf *b, const struct vm *vm, bool versioned)
{
    if (versioned) {
        member_num(b, "progress", 0);
        return;
    }
    member_num(b, "vcpus", (int64_t)vm->flavor->vcpus);
    member_num(b, "memory_mb", (int64_t)vm->flavor->ram_mb);
    member(b, "progress", "");
}

static void member_head(struct sbuf *b, struct thread *t, const char *type, const char *publisher,
                        const char *priority)
{
    char iso[TIME_TEXT], id[40];

    time_iso(host_time(t->sim, t->proc->host, t->sim->now), iso);
    iso[26] = '\0';
    make_uuid(&t->sim->rng, id);
    sbuf_chr(b, '{');
    member(b, "event_type", type);
    member(b, "publisher_id", publisher);
    member(b, "priority", priority);
    member(b, "timestamp", iso);
    member(b, "message_id", id);
    member_who(b, t);
}

static void network_object(struct sbuf *b, const struct thread *t, const struct task_kind *k,
                           bool end)
{
    const struct req *r = t->req;
    const char *noun = k->about == ABOUT_NETWORK  ? "network"
                       : k->about == ABOUT_SUBNET ? "subnet"
                       : k->about == ABOUT_ROUTER ? "router"
                                                  : "port";
    const char *id = k->about == ABOUT_NETWORK  ? r->net->id
                     : k->about == ABOUT_SUBNET ? r->net->subnet_id
                     : k->about == ABOUT_ROUTER ? r->router->id
                                                : r->port->id;
    const char *name = k->about == ABOUT_ROUTER ? r->router->name
                       : k->about == ABOUT_PORT ? r->port->name
                                                : r->net->name;
    size_t verb = strlen(k->notify);
    bool deleting = verb > 6 && strcmp(k->notify + verb - 6, "delete") == 0;
    bool of_net = k->about == ABOUT_SUBNET || k->about == ABOUT_PORT;

    if (!deleting || end) {
        sbuf_fmt(b, ",\"%s\":{", noun);
        if (end)
            member(b, "id", id);
        member(b, "name", name);
        if (end && k->about != ABOUT_SUBNET)
            member(b, "status", k->about == ABOUT_PORT ? "DOWN" : "ACTIVE");
        if (k->about == ABOUT_PORT && r->vm)
            member(b, "device_id", r->vm->uuid);
        if (of_net)
            member(b, "network_id",
                   (r->port && k->about == ABOUT_PORT ? r->port->net : r->net)->id);
        if (k->about == ABOUT_PORT && end)
            member(b, "mac_address", r->port->mac);
        if (end)
            member(b, "tenant_id", r->user->project_id);
        sbuf_chr(b, '}');
    }
    if (deleting)
        sbuf_fmt(b, ",\"%s_id\":\"%s\"", noun, id);
}

static void volume_members(struct sbuf *b, const struct thread *t, const struct task_kind *k)
{
    const struct volume *v = t->req->vol;

    member(b, "display_name", v->name);
    if (k->about == ABOUT_SNAPSHOT) {
        member(b, "volume_id", v->id);
        member(b, "snapshot_id", v->snapshot_id);
        member(b, "status", v->status);
        return;
    }
    sbuf_fmt(b, ",\"host\":\"%s@loop#loop\"", t->sim->storage->sc->name);
    member(b, "volume_id", v->id);
    member(b, "status", v->status);
    member_num(b, "size", (int64_t)v->size_gb);
    sbuf_z(b, ",\"volume_attachment\":[");
    if (k->about == ABOUT_ATTACHMENT) {
        sbuf_chr(b, '{');
        member(b, "id", v->attachment_id);
        member(b, "volume_id", v->id);
        member(b, "instance_uuid", t->req->vm->uuid);
        member(b, "attached_host", t->req->vm->host ? t->req->vm->host->sc->name : NULL);
        member(b, "mountpoint", "/dev/vdb");
        sbuf_chr(b, '}');
    }
    sbuf_chr(b, ']');
}

static const char *publisher(struct thread *t, const struct task_kind *k, bool versioned,
                             char out[static 320])
{
    const char *host = t->proc->host->sc->name;

    if (k->about == ABOUT_SCHEDULE)
        snprintf(out, 320, versioned ? "nova-scheduler:%s" : "scheduler.%s", host);
    else if (k->about == ABOUT_VM)
        snprintf(out, 320, versioned ? "nova-compute:%s" : "compute.%s", host);
    else if (k->about == ABOUT_SNAPSHOT)
        snprintf(out, 320, "snapshot.%s@loop", host);
    else if (k->about == ABOUT_VOLUME || k->about == ABOUT_ATTACHMENT)
        snprintf(out, 320, "volume.%s@loop", host);
    else
        snprintf(out, 320, "network.%s", host);
    return out;
}

/* One notification; 'suffix' is "start", "end" or "error". */
static void notify(struct thread *t, const struct task_kind *k, bool versioned, const char *suffix,
                   size_t task, enum edge edge)
{
    struct sbuf b = { 0 }, type = { 0 };
    char from[320];
    bool error = strcmp(suffix, "error") == 0;
    bool end = strcmp(suffix, "end") == 0;

    sbuf_fmt(&type, "%s.%s", versioned ? k->versioned : k->notify, suffix);
    member_head(&b, t, type.p, publisher(t, k, versioned, from), error ? "ERROR" : "INFO");
    if (versioned) {
        member_num(&b, "versioned", 1);
        member(&b, "obj", k->object);
    }
    if (k->about == ABOUT_VM) {
        member_vm(&b, t->req->vm, versioned);
        member_size(&b, t->req->vm, versioned);
        if (k == &task_kinds[T_VOLUME_ATTACH_VM] || k == &task_kinds[T_VOLUME_DETACH_VM])
            member(&b, "volume_id", t->req->vol->id);
        if (k == &task_kinds[T_CREATE] && end && !versioned)
            member(&b, "message", "Success");
    } else if (k->about == ABOUT_VOLUME || k->about == ABOUT_ATTACHMENT ||
               k->about == ABOUT_SNAPSHOT) {
        volume_members(&b, t, k);
    } else if (k->about != ABOUT_SCHEDULE) {
        network_object(&b, t, k, end);
    }
    if (error)
        member(&b, "fault", t->exc);
    finish(&b, t, "notify");
    say_edge(t, 20, "ostrace.notify", "emit", 13, sbuf_view(&b), task, edge);
    sbuf_free(&type);
    sbuf_free(&b);
}

static void span_entity(struct sbuf *b, const struct thread *t, const struct task_kind *k)
{
    const struct req *r = t->req;
    const struct vm *vm = r->vm;

    if (k->about == ABOUT_VM && k == &task_kinds[T_FILTER]) {
        member(b, "instance", vm->uuid);
    } else if (k->about == ABOUT_VM) {
        member_who(b, t);
        member(b, "instance", vm->uuid);
        member_hostname(b, vm->name);
        member(b, "display_name", vm->name);
        member(b, "host", vm->host ? vm->host->sc->name : NULL);
        member(b, "vm_state", vm->vm_state);
        member(b, "task_state", vm->task_state);
        if (k == &task_kinds[T_LIVE_DO] || k == &task_kinds[T_CAN_DEST] ||
            k == &task_kinds[T_LIVE_ROLLBACK]) {
            member(b, "migration", r->migration);
            member(b, "source", r->root->src ? r->root->src->sc->name : NULL);
        }
        if (k == &task_kinds[T_LIVE_DO] || k == &task_kinds[T_LIVE_ROLLBACK])
            member(b, "dest", r->root->dst ? r->root->dst->sc->name : NULL);
    } else if (k->about == ABOUT_SCHEDULE) {
        member_who(b, t);
        if (k == &task_kinds[T_SELECT])
            member(b, "instance", vm->uuid);
    } else if (k == &task_kinds[T_OVS_BOUND]) {
        member(b, "port", r->port->id);
        member(b, "network_id", r->port->net->id);
    } else if (k->about == ABOUT_ROUTER) {
        member(b, "router", r->router->id);
    } else if (k->about == ABOUT_VOLUME || k->about == ABOUT_ATTACHMENT) {
        member_who(b, t);
        member(b, "volume", r->vol->id);
        member(b, "display_name", r->vol->name);
        member(b, "status", r->vol->status);
    } else if (k->about == ABOUT_SNAPSHOT) {
        member_who(b, t);
        member(b, "snapshot", r->vol->snapshot_id);
        member(b, "display_name", r->vol->name);
    }
}

static void span(struct thread *t, const struct task_kind *k, const char *suffix, const char *fault,
                 size_t task, enum edge edge)
{
    struct sbuf b = { 0 }, type = { 0 };

    sbuf_fmt(&type, "%s.%s", k->span, suffix);
    sbuf_chr(&b, '{');
    member(&b, "event_type", type.p);
    member(&b, "fault", fault);
    span_entity(&b, t, k);
    finish(&b, t, "span");
    say_edge(t, 20, "ostrace.span", "emit", 13, sbuf_view(&b), task, edge);
    sbuf_free(&type);
    sbuf_free(&b);
}

static void old_vm_payload(struct sbuf *b, const struct thread *t, const struct task_kind *k,
                           const char *suffix, const char *msg)
{
    const struct vm *vm = k->about == ABOUT_VM ? t->req->vm : NULL;
    bool quoted = strcmp(k->logger, "nova.compute.manager") == 0;

    sbuf_fmt(b, "'event_type':%s%s.%s%s", quoted ? "'" : "", k->old, suffix, quoted ? "'" : "");
    sbuf_fmt(b,
             ",'vmname':'%s','vm_state':'%s','host':'%s','project_id':'%s','vm_task':'%s',"
             "'request_id':'%s','msg':'%s'",
             vm ? vm->name : "", vm ? vm->vm_state : "",
             vm ? (vm->host ? vm->host->sc->name : "None") : "", vm ? vm->user->project_id : "",
             vm ? or_none(vm->task_state) : "", t->req->id, msg);
}

/* One lttng_trace payload. */
static void old_payload(struct thread *t, const struct task_kind *k, const char *suffix,
                        const char *msg, size_t task, enum edge edge)
{
    struct sbuf b = { 0 };
    const struct req *r = t->req;

    sbuf_z(&b, "lttng_trace:{");
    if (k->about == ABOUT_VM || k->about == ABOUT_SCHEDULE) {
        old_vm_payload(&b, t, k, suffix, msg);
    } else {
        sbuf_fmt(&b, "'event_type':'%s.%s'", k->old, suffix);
        if (k->about == ABOUT_ROUTER)
            sbuf_fmt(&b, ",'router':'%s'", r->router->id);
        else if (k->about == ABOUT_BACKEND)
            sbuf_z(&b, ",'volume':'volume'");
        else if (k->about == ABOUT_VOLUME)
            sbuf_fmt(&b, ",'volume':'%s'", r->vol->id);
        else if (k->about == ABOUT_SNAPSHOT)
            sbuf_fmt(&b, ",'volume':'%s'", r->vol->snapshot_id);
        else if (k->about == ABOUT_ATTACHMENT)
            sbuf_fmt(&b, ",'volume':'%s','instance_id':'%s','hostname':'%s'", r->vol->id,
                     r->vm->uuid, r->vm->host ? r->vm->host->sc->name : "None");
        else
            /* the agents' "network" of a subnet event is the subnet when it goes */
            sbuf_fmt(&b, ",'network':'%s'",
                     k == &task_kinds[T_DHCP_SUBNET_DELETE] ? r->net->subnet_id
                     : r->port && !r->net                   ? r->port->net->id
                                                            : r->net->id);
        sbuf_fmt(&b, ",'msg':'%s'", msg);
    }
    sbuf_chr(&b, '}');
    say_edge(t, 20, k->logger, k->func, edge == EDGE_START ? k->line : k->end_line, sbuf_view(&b),
             task, edge);
    sbuf_free(&b);
}

static void entity_of(struct true_task *task, const struct thread *t, const struct task_kind *k)
{
    const struct req *r = t->req;
    const struct port *port = r->port;

    if ((k->about == ABOUT_VM || k->about == ABOUT_SCHEDULE) && r->vm) {
        task->entity_kind = "vm";
        task->entity = r->vm->name;
        task->entity_id = r->vm->uuid;
    } else if (k->about == ABOUT_NETWORK || k->about == ABOUT_SUBNET) {
        task->entity_kind = k->about == ABOUT_NETWORK ? "network" : "subnet";
        task->entity = r->net->name;
        task->entity_id = k->about == ABOUT_NETWORK ? r->net->id : r->net->subnet_id;
    } else if ((k->about == ABOUT_PORT || k->about == ABOUT_VM_PORT) && port) {
        task->entity_kind = "port";
        task->entity = port->name;
        task->entity_id = port->id;
    } else if (k->about == ABOUT_ROUTER) {
        task->entity_kind = "router";
        task->entity = r->router->name;
        task->entity_id = r->router->id;
    } else if (k->about == ABOUT_VOLUME || k->about == ABOUT_ATTACHMENT ||
               k->about == ABOUT_SNAPSHOT) {
        task->entity_kind = k->about == ABOUT_SNAPSHOT ? "snapshot" : "volume";
        task->entity = r->vol->name;
        task->entity_id = k->about == ABOUT_SNAPSHOT ? r->vol->snapshot_id : r->vol->id;
    }
}

/* What an announcement of a VM's task says about its state; the next line
 * that is said carries it and sets its time. */
static void vm_told(struct thread *t, const struct task_kind *k)
{
    struct vm *vm = t->req->vm;

    if (k->about != ABOUT_VM || !vm)
        return;
    *vec_push(&vm->changes) = (struct vm_change){
        .true_ns = t->sim->now,
        .host_ns = host_time(t->sim, t->proc->host, t->sim->now),
        .on = t->proc->host,
        .vm_state = vm->vm_state,
        .task_state = vm->task_state,
        .host = vm->host,
        .event_type = k->name,
    };
    t->told_vm = vm;
}

/* Nothing was announced after all. */
static void vm_not_told(struct thread *t)
{
    if (t->told_vm)
        t->told_vm->changes.n--;
    t->told_vm = NULL;
}

/* An injected fault swallows the start of one task of an agent. */
static bool start_swallowed(struct thread *t)
{
    struct req *root = t->req->root;
    bool agent = t->proc->svc == SVC_DHCP || t->proc->svc == SVC_L3;

    if (!agent || root->fault.kind != FAULT_NO_START || root->fault_applied)
        return false;
    root->fault_applied = true;
    return true;
}

static void note_names(struct true_task *task, const struct task_kind *k, bool zed)
{
    size_t n = 0;

    if (!zed) {
        task->names[0] = k->old;
        return;
    }
    if (k->notify)
        task->names[n++] = k->notify;
    if (k->versioned)
        task->names[n++] = k->versioned;
    if (k->span)
        task->names[n++] = k->span;
}

void task_start(struct thread *t, const struct task_kind *k)
{
    struct sim *s = t->sim;
    bool zed = is_zed(t);
    size_t number = SILENT_TASK;

    assert(t->n_tasks < THREAD_TASKS && k->name);
    if (zed ? (k->notify || k->versioned || k->span) : k->old != NULL) {
        struct true_task *task = vec_push(&s->tasks);

        number = s->tasks.n - 1;
        *task = (struct true_task){ .name = k->name,
                                    .proc = t->proc,
                                    .req = t->req,
                                    .ident = t->ident,
                                    .start = s->now,
                                    .host_start = host_time(s, t->proc->host, s->now),
                                    .outcome = "unfinished" };
        note_names(task, k, zed);
        entity_of(task, t, k);
        vm_told(t, k);
    }
    t->tasks[t->n_tasks++] = (struct open_task){ k, number, t->depth };
    if (number == SILENT_TASK || start_swallowed(t)) {
        vm_not_told(t);
        return;
    }
    enum edge edge = EDGE_START;

    if (!zed) {
        old_payload(t, k, "start", k->msg, number + 1, edge);
        return;
    }
    if (k->span) {
        span(t, k, "start", NULL, number + 1, edge);
        edge = EDGE_NONE;
    }
    if (k->notify) {
        notify(t, k, false, "start", edge ? number + 1 : 0, edge);
        edge = EDGE_NONE;
    }
    if (k->versioned)
        notify(t, k, true, "start", edge ? number + 1 : 0, edge);
}

static bool announces_errors(const struct task_kind *k)
{
    return k->object && k->about == ABOUT_VM;
}

/* The lines of an end; the last one is the end for the truth. */
static void say_end(struct thread *t, const struct task_kind *k, size_t number, bool error)
{
    const char *suffix = error ? "error" : "end";

    if (!is_zed(t)) {
        bool nova = strcmp(k->logger, "nova.compute.manager") == 0;

        if (!error || nova)
            old_payload(t, k, suffix, error ? t->exc_text : k->msg, number + 1, EDGE_END);
        return;
    }
    if (error && !announces_errors(k) && !k->span)
        return;
    if (k->notify && (!error || announces_errors(k)))
        notify(t, k, false, suffix, k->versioned || k->span ? 0 : number + 1,
               k->versioned || k->span ? EDGE_NONE : EDGE_END);
    if (k->versioned && (!error || announces_errors(k)))
        notify(t, k, true, suffix, k->span ? 0 : number + 1, k->span ? EDGE_NONE : EDGE_END);
    if (k->span)
        span(t, k, "end", error ? t->exc : NULL, number + 1, EDGE_END);
}

void task_end(struct thread *t, const char *outcome)
{
    struct open_task open = t->tasks[--t->n_tasks];

    if (open.task == SILENT_TASK)
        return;
    struct true_task *task = &t->sim->tasks.at[open.task];

    task->outcome = outcome;
    task->end = t->sim->now;
    task->host_end = strcmp(outcome, "aborted") == 0
                         ? t->proc->host->last_ts
                         : host_time(t->sim, t->proc->host, t->sim->now);
    if (strcmp(outcome, "aborted") == 0)
        return;
    vm_told(t, open.kind);
    say_end(t, open.kind, open.task, strcmp(outcome, "error") == 0);
    vm_not_told(t);
}

static void update_line(struct thread *t, const struct vm *vm, bool versioned)
{
    struct sbuf b = { 0 };
    char from[320];

    snprintf(from, sizeof from, "%s%s", versioned ? "nova-compute:" : "compute.",
             t->sim->controller->sc->name);
    member_head(&b, t, versioned ? "instance.update" : "compute.instance.update", from, "INFO");
    if (versioned) {
        member_num(&b, "versioned", 1);
        member(&b, "obj", "InstanceUpdatePayload");
    }
    member(&b, "instance", vm->uuid);
    member(&b, "display_name", vm->name);
    member_hostname(&b, vm->name);
    member(&b, "host", vm->host ? vm->host->sc->name : NULL);
    member(&b, "node", vm->host ? vm->host->sc->name : NULL);
    member(&b, "state", t->snap[0]);
    member(&b, "old_state", t->snap[2]);
    if (versioned)
        member(&b, "task_state", t->snap[1]);
    member(&b, "old_task_state", t->snap[3]);
    member(&b, "new_task_state", t->snap[1]);
    member_size(&b, vm, versioned);
    finish(&b, t, "notify");
    say(t, 20, "ostrace.notify", "emit", 13, sbuf_view(&b));
    sbuf_free(&b);
}

void task_update_lines(struct thread *t)
{
    update_line(t, t->snap_vm, false);
    update_line(t, t->snap_vm, true);
}

void task_update(struct thread *t, const char *old_state, const char *old_task)
{
    static const struct row lines[] = { DO(task_update_lines), { 0 } };
    const struct vm *vm = t->req->vm;
    const char *snap[4] = { vm->vm_state, vm->task_state, old_state, old_task };
    struct thread *teller = t;

    if (t->proc->svc != SVC_NOVA_API) {
        struct proc *p = engine_worker(t->sim, SVC_CONDUCTOR, t->sim->controller);

        teller = engine_spawn(t->sim, p, lines, t->req, MODE_CAST, NULL,
                              rng_around(&t->sim->rng, 2500 * US_NS));
    }
    memcpy(teller->snap, snap, sizeof snap);
    teller->snap_vm = vm;
    if (teller == t)
        task_update_lines(t);
}

void task_rpc(struct thread *t, const char *event_type, const char *method, const char *topic,
              const char *server, int call, const char *fault)
{
    struct sbuf b = { 0 };
    bool client = strncmp(event_type, "rpc.client", 10) == 0;
    const struct rpc_names *n = client ? &t->asked : &t->served;
    bool start = strcmp(event_type, "rpc.client.start") == 0;

    sbuf_chr(&b, '{');
    member(&b, "event_type", event_type);
    member(&b, "fault", fault);
    if (!client)
        member(&b, "method", method);
    if (!start) {
        member(&b, "msg_id", n->msg_id[0] ? n->msg_id : NULL);
        member(&b, "unique_id", n->unique_id);
        member(&b, "reply_q", n->reply_q[0] ? n->reply_q : NULL);
    }
    if (client) {
        member(&b, "method", method);
        member(&b, "topic", topic);
        member(&b, "server", server);
        sbuf_z(&b, call ? ",\"call\":true" : ",\"call\":false");
    }
    member(&b, "request_id", t->req->id);
    finish(&b, t, "rpc");
    say(t, 20, "ostrace.rpc", "emit", 13, sbuf_view(&b));
    sbuf_free(&b);
}

void task_migration_stats(struct thread *t)
{
    const struct req *r = t->req->root;
    struct sbuf b = { 0 };
    int64_t total = (int64_t)r->vm->flavor->ram_mb * 1048576;

    sbuf_chr(&b, '{');
    member(&b, "event_type", "libvirt.migration.stats");
    span_entity(&b, t, &task_kinds[T_LIVE_DO]);
    member_num(&b, "remaining_pct", r->percent);
    member_num(&b, "memory_total", total);
    member_num(&b, "memory_processed", total / 100 * (100 - r->percent));
    member_num(&b, "memory_remaining", total / 100 * r->percent);
    member_num(&b, "memory_iteration", r->round);
    member_num(&b, "time_elapsed", (int64_t)r->round * 500);
    finish(&b, t, "span");
    say(t, 20, "ostrace.span", "emit", 13, sbuf_view(&b));
    sbuf_free(&b);
}

void task_exception(struct thread *t)
{
    struct sbuf b = { 0 };
    char from[320];

    if (!is_zed(t))
        return;
    snprintf(from, sizeof from, "nova-compute:%s", t->proc->host->sc->name);
    member_head(&b, t, "compute.exception", from, "ERROR");
    member_num(&b, "versioned", 1);
    member(&b, "obj", "ExceptionPayload");
    member(&b, "fault", t->exc);
    finish(&b, t, "notify");
    say(t, 20, "ostrace.notify", "emit", 13, sbuf_view(&b));
    sbuf_free(&b);
}
