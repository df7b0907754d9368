/* SPDX-License-Identifier: Apache-2.0
 *
 * engine_rows.c -- what the rows of programs do.
 *
 * A row that waits has phases: it says its first line, waits, says its last
 * line.  Between two phases the thread's queued lines are written, which takes
 * time; a handler returns NEXT when the row is done and STAY when it is not
 * (or when it has moved the program counter itself). */
#define _GNU_SOURCE
#include "sim/engine_priv.h"

#include "sim/kern.h"
#include "sim/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum go { NEXT, STAY };

#define LOCKUTILS "oslo_concurrency.lockutils"
#define PROCESSUTILS "oslo_concurrency.processutils"

static bool is_zed(const struct thread *t)
{
    return t->sim->sc->dialect == DIALECT_ZED;
}

static struct frame *top(struct thread *t)
{
    return &t->frames[t->depth - 1];
}

/* The text of a row with its holes filled; the caller frees it. */
static struct sbuf filled(const struct thread *t, const char *text)
{
    struct sbuf b = { 0 };

    sbuf_z(&b, "");
    text_fill(&b, t, text);
    return b;
}

static void say_text(struct thread *t, const struct row *r, int level, const char *text)
{
    struct sbuf b = filled(t, text);

    say(t, level, r->logger, r->func, r->line, sbuf_view(&b));
    sbuf_free(&b);
}

__attribute__((format(printf, 6, 7))) static void say_fmt(struct thread *t, int level,
                                                          const char *logger, const char *func,
                                                          int line, const char *fmt, ...)
{
    struct sbuf b = { 0 };
    char *text;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        abort();
    va_end(ap);
    sbuf_z(&b, text);
    free(text);
    say(t, level, logger, func, line, sbuf_view(&b));
    sbuf_free(&b);
}

static enum go row_log(struct thread *t, const struct row *r)
{
    say_text(t, r, r->level, r->text);
    return NEXT;
}

/* How long a named step takes for this request. */
static ns_t step_time(struct thread *t, const char *name, ns_t usual)
{
    const struct sim *s = t->sim;
    struct req *root = t->req->root;
    double left = kern_cpu_left(kern_conf_of(s->sc->kernel, t->proc->host->sc->name),
                                services[t->proc->svc].name, s->now - s->begin);
    ns_t ns = (ns_t)((double)rng_around(&t->sim->rng, usual) / left);

    if (root->fault.kind != FAULT_SLOW || strcmp(root->fault.step, name) != 0)
        return ns;
    ns_t slow = (ns_t)((double)ns * root->fault.factor);

    root->fault_applied = true;
    root->fault_ns += slow - ns;
    return slow;
}

static bool hangs(struct thread *t, const char *name)
{
    struct req *root = t->req->root;

    if (root->fault.kind != FAULT_HANG || strcmp(root->fault.step, name) != 0)
        return false;
    root->fault_applied = true;
    return true;
}

static enum go row_work(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);

    if (f->phase == 0) {
        t->since = t->sim->now;
        f->phase = 1;
        if (hangs(t, r->text)) {
            t->blocked = true; /* for ever */
            return STAY;
        }
        engine_wake(t, t->sim->now + step_time(t, r->text, r->ns ? r->ns : (ns_t)t->number));
        return STAY;
    }
    engine_step(t, r->text, t->sim->now - t->since);
    return NEXT;
}

static void note_wait(struct thread *t, const char *what, const char *name, ns_t took)
{
    struct sbuf b = { 0 };

    sbuf_fmt(&b, "%s %s", what, name);
    engine_step(t, b.p, took);
    sbuf_free(&b);
}

static void lock_taken(struct thread *t, const struct row *r)
{
    ns_t waited = t->sim->now - t->since;
    bool is_sem = r->op == OP_SEM;
    const char *by = is_zed(t) && r->more ? r->more : r->func;

    assert(t->n_held < THREAD_LOCKS);
    t->held[t->n_held++] = (struct held){ t->lock_name, by, t->sim->now, t->depth, is_sem };
    if (!is_sem)
        say_fmt(t, 10, LOCKUTILS, "inner", is_zed(t) ? 409 : 253,
                "Lock \"%s\" acquired by \"%s\" :: waited %.3fs", t->lock_name, by,
                (double)waited / 1e9);
    else if (is_zed(t))
        say_fmt(t, 10, LOCKUTILS, "lock", 315, "Acquired lock \"%s\"", t->lock_name);
    else
        say_fmt(t, 10, LOCKUTILS, "lock", 198, "Acquired semaphore \"%s\"", t->lock_name);
    if (waited > 0)
        note_wait(t, "lock", t->lock_name, waited);
    t->lock_name = NULL;
}

static enum go row_lock(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);
    bool is_sem = r->op == OP_SEM;

    if (f->phase == 0) {
        struct sbuf b = filled(t, r->text);

        t->lock_name = b.p;
        f->phase = 1;
        if (is_zed(t) && is_sem)
            say_fmt(t, 10, LOCKUTILS, "lock", 312, "Acquiring lock \"%s\"", t->lock_name);
        else if (is_zed(t))
            say_fmt(t, 10, LOCKUTILS, "inner", 404, "Acquiring lock \"%s\" by \"%s\"", t->lock_name,
                    r->more ? r->more : r->func);
        return STAY;
    }
    if (f->phase == 1) {
        t->since = t->sim->now;
        f->phase = 2;
        if (!engine_lock(t, t->lock_name))
            return STAY;
    }
    lock_taken(t, r);
    return NEXT;
}

static void release(struct thread *t)
{
    struct held *h = &t->held[--t->n_held];
    double held_s = (double)(t->sim->now - h->since) / 1e9;

    engine_unlock(t, h->name);
    if (!h->is_sem)
        say_fmt(t, 10, LOCKUTILS, "inner", is_zed(t) ? 423 : 265,
                is_zed(t) ? "Lock \"%s\" \"released\" by \"%s\" :: held %.3fs"
                          : "Lock \"%s\" released by \"%s\" :: held %.3fs",
                h->name, h->by, held_s);
    else if (is_zed(t))
        say_fmt(t, 10, LOCKUTILS, "lock", 333, "Releasing lock \"%s\"", h->name);
    else
        say_fmt(t, 10, LOCKUTILS, "lock", 211, "Releasing semaphore \"%s\"", h->name);
    free(h->name);
}

static enum go row_unlock(struct thread *t, const struct row *r)
{
    assert(t->n_held > 0 && t->held[t->n_held - 1].is_sem == (r->op == OP_UNSEM));
    release(t);
    return NEXT;
}

static enum go row_cmd(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);
    struct sbuf b = filled(t, r->text);
    ns_t took = t->sim->now - t->since;

    if (f->phase == 0) {
        say_fmt(t, 10, PROCESSUTILS, "execute", is_zed(t) ? 384 : 297,
                "Running cmd (subprocess): %s", b.p);
    } else if (f->phase == 1) {
        t->since = t->sim->now;
        engine_wake(t, t->sim->now + step_time(t, "cmd", r->ns));
    } else {
        say_fmt(t, 10, PROCESSUTILS, "execute", is_zed(t) ? 422 : 327,
                "CMD \"%s\" returned: 0 in %.3fs", b.p, (double)took / 1e9);
        note_wait(t, "cmd", b.p, took);
    }
    sbuf_free(&b);
    return f->phase++ < 2 ? STAY : NEXT;
}

static struct host *place(struct thread *t, enum where where)
{
    struct sim *s = t->sim;
    struct req *r = t->req;

    switch (where) {
    case ON_CONTROLLER: return s->controller;
    case ON_SAME: return t->proc->host;
    case ON_SRC: return r->root->src;
    case ON_DST: return r->root->dst;
    case ON_VM_HOST: return r->vm->host;
    case ON_NETNODE: return s->network;
    case ON_STORAGE: return s->storage;
    }
    return NULL;
}

static void http_request_line(struct thread *t, const struct row *r, const char *path)
{
    struct sbuf b = { 0 };
    bool body = strcmp(r->logger, "POST") == 0 || strcmp(r->logger, "PUT") == 0;

    sbuf_fmt(&b, "REQ: curl -g -i -X %s http://%s:%d%s -H \"User-Agent: python-%s\" ", r->logger,
             t->sim->controller->ip, services[r->svc].port, path,
             r->svc == SVC_NEUTRON    ? "neutronclient"
             : r->svc == SVC_KEYSTONE ? "keystoneclient"
             : r->svc == SVC_NOVA_API ? "novaclient"
                                      : "cinderclient");
    if (body)
        sbuf_z(&b, "-H \"Content-Type: application/json\" ");
    sbuf_z(&b, "-H \"Accept: application/json\" -H \"X-Auth-Token: ");
    text_fill(&b, t, has_fault(t, FAULT_SECRETS) ? "{secret_token}\"" : "{{SHA1}{token}\"");
    if (has_fault(t, FAULT_SECRETS))
        t->req->root->fault_applied = true;
    if (body)
        text_fill(&b, t, r->svc == SVC_NEUTRON ? " -d '{port_request}'" : " -d '{{}'");
    say(t, 10, "keystoneclient.session", "_http_log_request", 198, sbuf_view(&b));
    sbuf_free(&b);
}

static void http_response_line(struct thread *t, const struct row *r)
{
    struct sbuf body = filled(t, r->more ? r->more : "");
    struct sbuf b = { 0 };

    sbuf_fmt(&b, "RESP: [%d] ", r->level);
    text_fill(&b, t, "Date: {http_date} Connection: keep-alive ");
    if (r->more)
        sbuf_fmt(&b, "Content-Type: application/json; charset=UTF-8 Content-Length: %zu ", body.n);
    else
        sbuf_z(&b, "Content-Length: 0 ");
    sbuf_fmt(&b, "X-Openstack-Request-Id: %s", t->child_req);
    if (r->more)
        sbuf_fmt(&b, " \nRESP BODY: %s\n", body.p);
    say(t, 10, "keystoneclient.session", "_http_log_response", 215, sbuf_view(&b));
    sbuf_free(&body);
    sbuf_free(&b);
}

/* The line of the API's own web server, when the call has been served. */
static void http_server_line(struct thread *t, const struct row *r, const char *path, ns_t took)
{
    struct proc *p = t->proc;
    struct sbuf b = { 0 };
    const char *logger = r->svc == SVC_NEUTRON    ? "neutron.wsgi"
                         : r->svc == SVC_NOVA_API ? "nova.osapi_compute.wsgi.server"
                                                  : "eventlet.wsgi.server";

    if (is_zed(t) || r->svc == SVC_NOVA_API) {
        sbuf_fmt(&b, "%s \"%s %s HTTP/1.1\" status: %d  len: %u time: %.7f",
                 t->parent ? t->parent->proc->host->ip : p->host->ip, r->logger, path, r->level,
                 200 + (unsigned)rng_below(&t->sim->rng, 900), (double)took / 1e9);
    } else {
        sbuf_fmt(&b, "%s - - ", t->parent ? t->parent->proc->host->ip : p->host->ip);
        text_fill(&b, t, "[{log_date}] ");
        sbuf_fmt(&b, "\"%s %s HTTP/1.1\" %d %u %.6f", r->logger, path, r->level,
                 200 + (unsigned)rng_below(&t->sim->rng, 900), (double)took / 1e9);
    }
    say(t, 20, logger, is_zed(t) ? "handle_one_response" : "server", is_zed(t) ? 661 : 868,
        sbuf_view(&b));
    sbuf_free(&b);
}

static const struct row serve_rows[];

/* Last part of serving a call: the frame below the program.  The caller's row
 * says what was asked. */
static void served(struct thread *t)
{
    struct thread *parent = t->parent;

    if (!parent || t->proc->svc == SVC_KEYSTONE)
        return;
    const struct row *r = top(parent)->pc;
    struct sbuf path = filled(parent, r->text);

    http_server_line(t, r, path.p, t->sim->now - t->born);
    sbuf_free(&path);
}

static const struct row serve_rows[] = {
    DO(served),
    { 0 },
};

static enum go row_http(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);
    struct sbuf path = filled(t, r->text);
    enum go go = STAY;

    if (f->phase == 0) {
        if (!is_zed(t) && t->proc->svc != SVC_NOVA_API)
            http_request_line(t, r, path.p);
    } else if (f->phase == 1) {
        struct proc *p = engine_worker(t->sim, r->svc, t->sim->controller);
        struct req *child = engine_child_req(t->sim, t->req);
        struct thread *c = engine_spawn(t->sim, p, serve_rows, child, MODE_HTTP, t,
                                        rng_around(&t->sim->rng, 600 * US_NS));

        if (r->prog)
            engine_push(c, r->prog);
        t->since = t->sim->now;
        t->blocked = true;
    } else {
        note_wait(t, r->logger, path.p, t->sim->now - t->since);
        if (!is_zed(t) && t->proc->svc != SVC_NOVA_API)
            http_response_line(t, r);
        go = NEXT;
        if (t->child_failed) {
            t->child_failed = false;
            engine_throw(t, t->exc, t->exc_text);
            go = STAY;
        }
    }
    f->phase++;
    sbuf_free(&path);
    return go;
}

static enum go row_task(struct thread *t, const struct row *r)
{
    task_start(t, &task_kinds[r->task]);
    return NEXT;
}

static enum go row_task_end(struct thread *t, const struct row *r)
{
    (void)r;
    assert(t->n_tasks > 0 && t->tasks[t->n_tasks - 1].depth == t->depth);
    task_end(t, "ok");
    return NEXT;
}

static enum go row_run(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);

    if (r->op == OP_RUN) {
        f->pc++;
        f->phase = 0;
    }
    engine_push(t, r->prog);
    return STAY;
}

/* Names the call before it is sent, as oslo.messaging does. */
static void rpc_names(struct thread *t, bool call)
{
    struct rng *rng = &t->sim->rng;
    struct rng own;

    memset(&t->asked, 0, sizeof t->asked);
    make_hex(rng, t->asked.unique_id, 32);
    if (!call)
        return;
    make_hex(rng, t->asked.msg_id, 32);
    rng_seed(&own, (uint64_t)t->proc->pid * 977 + t->sim->sc->seed);
    memcpy(t->asked.reply_q, "reply_", 6);
    make_hex(&own, t->asked.reply_q + 6, 32);
}

#define AMQP_DRIVER "oslo_messaging._drivers.amqpdriver"

/* The driver's own lines, in words of oslo.messaging 4.5 and later. */
static void rpc_line_sent(struct thread *t, const char *topic, bool call)
{
    const char *exchange = strncmp(topic, "q-", 2) == 0 ? "neutron" : "nova";

    if (!t->sim->sc->rpc_lines)
        return;
    if (call)
        say_fmt(t, 10, AMQP_DRIVER, "_send", 686, "CALL msg_id: %s exchange '%s' topic '%s'",
                t->asked.msg_id, exchange, topic);
    else
        say_fmt(t, 10, AMQP_DRIVER, "_send", 709, "CAST unique_id: %s exchange '%s' topic '%s'",
                t->asked.unique_id, exchange, topic);
}

static void rpc_line_received(struct thread *t)
{
    if (!t->sim->sc->rpc_lines)
        return;
    if (t->served.msg_id[0])
        say_fmt(t, 10, AMQP_DRIVER, "__call__", 404, "received message msg_id: %s reply to %s",
                t->served.msg_id, t->served.reply_q);
    else
        say_fmt(t, 10, AMQP_DRIVER, "__call__", 411, "received message with unique_id: %s",
                t->served.unique_id);
}

bool engine_rpc_replies(struct thread *t)
{
    if (!t->sim->sc->rpc_lines || !t->served.msg_id[0])
        return false;
    say_fmt(t, 10, AMQP_DRIVER, "_send_reply", 120,
            "sending reply msg_id: %s reply queue: %s time elapsed: %.9fs", t->served.msg_id,
            t->served.reply_q, (double)(t->sim->now - t->born) / 1e9);
    return true;
}

static void rpc_line_replied(struct thread *t)
{
    if (t->sim->sc->rpc_lines)
        say_fmt(t, 10, AMQP_DRIVER, "__call__", 454, "received reply msg_id: %s", t->asked.msg_id);
}

static void rpc_served(struct thread *t)
{
    rpc_line_received(t);
    if (is_zed(t))
        task_rpc(t, "rpc.server.start", t->method, NULL, NULL, -1, NULL);
}

static const struct row rpc_prologue[] = {
    DO(rpc_served),
    { 0 },
};

static const char *topic_of(enum service svc)
{
    return svc == SVC_CONDUCTOR      ? "conductor"
           : svc == SVC_SCHEDULER    ? "scheduler"
           : svc == SVC_COMPUTE      ? "compute"
           : svc == SVC_NEUTRON      ? "q-plugin"
           : svc == SVC_DHCP         ? "dhcp_agent"
           : svc == SVC_L3           ? "l3_agent"
           : svc == SVC_CINDER_SCHED ? "cinder-scheduler"
                                     : services[svc].name;
}

/* Starts the thread that serves a call or cast. */
static void rpc_send(struct thread *t, const struct row *r, struct host *h)
{
    struct proc *p = engine_worker(t->sim, r->svc, h);
    bool call = r->op == OP_CALL;
    struct thread *c = engine_spawn(t->sim, p, r->prog, t->req, call ? MODE_CALL : MODE_CAST,
                                    call ? t : NULL, rng_around(&t->sim->rng, 1800 * US_NS));

    c->number = t->number;
    c->snap_vm = t->snap_vm;
    memcpy(c->snap, t->snap, sizeof c->snap);
    c->method = r->text;
    c->served = t->asked;
    engine_push(c, rpc_prologue);
    t->since = t->sim->now;
    t->blocked = call;
}

static enum go row_call(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);
    struct host *h = place(t, r->where);
    const char *server = r->svc == SVC_COMPUTE ? h->sc->name : NULL;
    bool call = r->op == OP_CALL;

    switch (f->phase++) {
    case 0:
        rpc_names(t, call);
        if (!is_zed(t) && call)
            say_fmt(t, 10, AMQP_DRIVER, "_send", 392, "MSG_ID is %s", t->asked.msg_id);
        if (is_zed(t))
            task_rpc(t, "rpc.client.start", r->text, topic_of(r->svc), server, call, NULL);
        rpc_line_sent(t, topic_of(r->svc), call);
        return STAY;
    case 1: rpc_send(t, r, h); return STAY;
    default: break;
    }
    if (call) {
        note_wait(t, "rpc", r->text, t->sim->now - t->since);
        rpc_line_replied(t);
    }
    if (is_zed(t))
        task_rpc(t, "rpc.client.end", r->text, topic_of(r->svc), server, call,
                 t->child_failed ? t->exc : NULL);
    if (call && t->child_failed) {
        t->child_failed = false;
        engine_throw(t, t->exc, t->exc_text);
        return STAY;
    }
    return NEXT;
}

static enum go row_fork(struct thread *t, const struct row *r)
{
    engine_spawn(t->sim, t->proc, r->prog, t->req, MODE_FORK, t, 40 * US_NS);
    t->forks++;
    return NEXT;
}

static enum go row_join(struct thread *t, const struct row *r)
{
    (void)r;
    if (t->forks == 0)
        return NEXT;
    if (top(t)->phase == 0) {
        t->since = t->sim->now;
        top(t)->phase = 1;
    }
    t->blocked = true;
    return STAY;
}

static struct awaited *find_event(struct engine *e, const char *key)
{
    for (size_t i = 0; i < e->events.n; i++)
        if (strcmp(e->events.at[i].key, key) == 0)
            return &e->events.at[i];
    return NULL;
}

static enum go row_prepare(struct thread *t, const struct row *r)
{
    struct sbuf b = filled(t, r->text);

    *vec_push(&t->sim->engine->events) = (struct awaited){ .key = b.p };
    return NEXT;
}

static enum go row_await(struct thread *t, const struct row *r)
{
    struct engine *e = t->sim->engine;
    struct frame *f = top(t);
    struct sbuf b = filled(t, r->text);
    struct awaited *a = find_event(e, b.p);

    assert(a);
    if (f->phase == 0 && !a->came) {
        a->thread = t;
        t->since = t->sim->now;
        f->phase = 1;
        engine_wake(t, t->sim->now + t->sim->sc->vif_timeout_ns);
        sbuf_free(&b);
        return STAY;
    }
    if (f->phase == 1)
        note_wait(t, "event", b.p, t->sim->now - t->since);
    t->timed_out = !a->came;
    free(a->key);
    *a = e->events.at[--e->events.n];
    sbuf_free(&b);
    return NEXT;
}

static enum go row_signal(struct thread *t, const struct row *r)
{
    struct sbuf b = filled(t, r->text);
    struct awaited *a = find_event(t->sim->engine, b.p);

    t->unexpected = !a;
    if (a) {
        a->came = true;
        if (a->thread)
            engine_wake_now(a->thread, 100 * US_NS);
        a->thread = NULL;
    }
    sbuf_free(&b);
    return NEXT;
}

static enum go row_do(struct thread *t, const struct row *r)
{
    struct frame *f = top(t);

    /* The function may raise: then the frame is gone or has its handler's pc. */
    f->pc++;
    f->phase = 0;
    r->fn(t);
    return STAY;
}

static enum go row_state(struct thread *t, const struct row *r)
{
    struct vm *vm = t->req->vm;
    const char *old_state = vm->vm_state, *old_task = vm->task_state;

    if (r->text)
        vm->vm_state = r->text;
    vm->task_state = r->more;
    *vec_push(&vm->changes) = (struct vm_change){
        .true_ns = t->sim->now,
        .host_ns = host_time(t->sim, t->proc->host, t->sim->now),
        .on = t->proc->host,
        .vm_state = vm->vm_state,
        .task_state = r->more,
        .host = vm->host,
    };
    if (is_zed(t))
        task_update(t, old_state, old_task);
    return NEXT;
}

void engine_throw(struct thread *t, const char *type, const char *text)
{
    t->exc = type;
    t->exc_text = text;
    while (t->depth > 0) {
        struct frame *f = top(t);

        while (t->n_tasks && t->tasks[t->n_tasks - 1].depth == t->depth)
            task_end(t, "error");
        while (t->n_held && t->held[t->n_held - 1].depth == t->depth)
            release(t);
        if (f->handler) {
            *f = (struct frame){ .pc = f->handler };
            return;
        }
        t->depth--;
    }
    t->failed = true;
}

static enum go row_fail(struct thread *t, const struct row *r)
{
    struct req *root = t->req->root;

    if (r->fault && root->fault.kind != r->fault)
        return NEXT;
    if (r->fault)
        root->fault_applied = true;
    struct sbuf b = filled(t, root->fault.message && r->fault ? root->fault.message : r->more);
    const char *text = arena_strdup(&t->sim->mem, b.p, b.n);

    sbuf_free(&b);
    engine_throw(t, r->text, text);
    return STAY;
}

static enum go row_catch(struct thread *t, const struct row *r)
{
    top(t)->handler = r->prog;
    return NEXT;
}

static enum go row_throw(struct thread *t, const struct row *r)
{
    (void)r;
    engine_throw(t, t->exc, t->exc_text);
    return STAY;
}

static enum go row_abort(struct thread *t, const struct row *r)
{
    if (!has_fault(t, FAULT_ABORT))
        return NEXT;
    struct frame *f = top(t);

    if (f->phase == 0) {
        say_text(t, r, 30, r->text);
        f->phase = 1;
        return STAY;
    }
    t->req->root->fault_applied = true;
    while (t->n_tasks && t->tasks[t->n_tasks - 1].depth == t->depth)
        task_end(t, "aborted");
    while (t->n_held && t->held[t->n_held - 1].depth == t->depth)
        release(t);
    t->depth--;
    return STAY;
}

void engine_row(struct thread *t)
{
    static enum go (*const handlers[OP_COUNT])(struct thread *, const struct row *) = {
        [OP_LOG] = row_log,     [OP_WORK] = row_work,
        [OP_LOCK] = row_lock,   [OP_UNLOCK] = row_unlock,
        [OP_SEM] = row_lock,    [OP_UNSEM] = row_unlock,
        [OP_CMD] = row_cmd,     [OP_HTTP] = row_http,
        [OP_TASK] = row_task,   [OP_TASK_END] = row_task_end,
        [OP_RUN] = row_run,     [OP_CALL] = row_call,
        [OP_CAST] = row_call,   [OP_FORK] = row_fork,
        [OP_JOIN] = row_join,   [OP_PREPARE] = row_prepare,
        [OP_AWAIT] = row_await, [OP_SIGNAL] = row_signal,
        [OP_DO] = row_do,       [OP_STATE] = row_state,
        [OP_LOOP] = row_run,    [OP_FAIL] = row_fail,
        [OP_CATCH] = row_catch, [OP_THROW] = row_throw,
        [OP_ABORT] = row_abort,
    };
    struct frame *f = top(t);
    const struct row *r = f->pc;

    if (r->op == OP_RETURN) {
        /* what a program took and opened, it gives back and ends */
        assert(!t->n_held || t->held[t->n_held - 1].depth < t->depth);
        assert(!t->n_tasks || t->tasks[t->n_tasks - 1].depth < t->depth);
        t->depth--;
        return;
    }
    bool skip = (r->in && !(r->in & t->sim->sc->dialect)) || (r->when && !r->when(t));

    if (skip || handlers[r->op](t, r) == NEXT) {
        f->pc++;
        f->phase = 0;
    }
}
