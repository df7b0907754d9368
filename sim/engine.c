/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.c -- the event queue, threads, processes and their locks, see
 * engine.h.  What each kind of row does is in engine_rows.c. */
#include "sim/engine_priv.h"

#include "sim/emit.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct engine *engine_new(void)
{
    return xcalloc(1, sizeof(struct engine));
}

void engine_free(struct engine *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->all.n; i++) {
        struct thread *t = e->all.at[i];

        for (size_t k = 0; k < t->out.n; k++)
            free(t->out.at[k].msg);
        for (int k = 0; k < t->n_held; k++)
            free(t->held[k].name);
        free(t->lock_name);
        vec_free(&t->out);
        free(t);
    }
    for (size_t i = 0; i < e->events.n; i++)
        free(e->events.at[i].key);
    vec_free(&e->events);
    vec_free(&e->all);
    vec_free(&e->spare);
    vec_free(&e->heap);
    free(e);
}

static bool earlier(const struct timer *a, const struct timer *b)
{
    return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void heap_push(struct engine *e, struct timer timer)
{
    size_t i = e->heap.n;

    timer.seq = e->seq++;
    *vec_push(&e->heap) = timer;
    while (i > 0 && earlier(&timer, &e->heap.at[(i - 1) / 2])) {
        e->heap.at[i] = e->heap.at[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    e->heap.at[i] = timer;
}

static struct timer heap_pop(struct engine *e)
{
    struct timer top = e->heap.at[0];
    struct timer last = e->heap.at[--e->heap.n];
    size_t i = 0;

    for (;;) {
        size_t k = 2 * i + 1;

        if (k >= e->heap.n)
            break;
        if (k + 1 < e->heap.n && earlier(&e->heap.at[k + 1], &e->heap.at[k]))
            k++;
        if (!earlier(&e->heap.at[k], &last))
            break;
        e->heap.at[i] = e->heap.at[k];
        i = k;
    }
    if (e->heap.n)
        e->heap.at[i] = last;
    return top;
}

void engine_at(struct sim *s, ns_t at, void (*fn)(struct sim *, void *), void *arg)
{
    heap_push(s->engine, (struct timer){ .at = at, .fn = fn, .arg = arg });
}

void engine_wake(struct thread *t, ns_t at)
{
    t->blocked = true;
    heap_push(t->sim->engine, (struct timer){ .at = at, .thread = t, .token = t->token });
}

void engine_wake_now(struct thread *t, ns_t delay)
{
    t->token++; /* a timeout that is still queued is void now */
    engine_wake(t, t->sim->now + delay);
}

void say_edge(struct thread *t, int level, const char *logger, const char *func, int line,
              struct str text, size_t task, enum edge edge)
{
    char *copy = xmalloc(text.n + 1);

    if (text.n)
        memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    *vec_push(&t->out) = (struct record){ .level = level,
                                          .line = line,
                                          .logger = logger,
                                          .func = func,
                                          .msg = copy,
                                          .task = task,
                                          .edge = edge,
                                          .vm = t->told_vm,
                                          .change = t->told_vm ? t->told_vm->changes.n - 1 : 0 };
    t->told_vm = NULL;
}

void say(struct thread *t, int level, const char *logger, const char *func, int line,
         struct str text)
{
    say_edge(t, level, logger, func, line, text, 0, EDGE_NONE);
}

/* Picks the identifier of a greenlet: an address, so a multiple of 16. */
static void take_slot(struct thread *t)
{
    struct proc *p = t->proc;
    uint64_t mixed;

    for (t->slot = 0; t->slot < p->slots.n && p->slots.at[t->slot];)
        t->slot++;
    if (t->slot == p->slots.n)
        vec_push(&p->slots);
    p->slots.at[t->slot] = true;
    mixed = (p->ident_base + t->slot * UINT64_C(0x9e3779b9)) * UINT64_C(0xff51afd7ed558ccd);
    t->ident = (uint32_t)(mixed >> 20) & ~15u;
    if (t->mode == MODE_FORK)
        snprintf(t->name, sizeof t->name, "GreenThread-%u", 20 + ++p->green % 1000);
    else if (t->mode == MODE_PERIODIC)
        snprintf(t->name, sizeof t->name, "GreenThread-%u", 2 + t->slot % 5);
    else if (t->mode == MODE_HTTP && t->sim->sc->dialect == DIALECT_ZED)
        snprintf(t->name, sizeof t->name, "GreenThread-%u", 7 + t->slot);
    else
        snprintf(t->name, sizeof t->name, "MainThread");
}

/* Threads of requests are limited; greenlets and periodic tasks are not. */
static bool is_request(const struct thread *t)
{
    return t->mode == MODE_CALL || t->mode == MODE_CAST || t->mode == MODE_HTTP;
}

static void admit(struct thread *t, ns_t delay)
{
    t->queued = false;
    t->proc->active += is_request(t);
    take_slot(t);
    engine_wake(t, t->sim->now + delay);
}

/* A thread's request reaches the process: it runs, or waits for its turn. */
static void arrive(struct sim *s, void *arg)
{
    struct thread *t = arg;
    struct proc *p = t->proc;

    (void)s;
    if (!is_request(t) || p->active < p->max_threads) {
        admit(t, 0);
        return;
    }
    t->queued = true;
    t->next = NULL;
    if (p->last)
        p->last->next = t;
    else
        p->first = t;
    p->last = t;
}

static struct thread *new_thread(struct sim *s)
{
    struct engine *e = s->engine;

    if (e->spare.n)
        return e->spare.at[--e->spare.n];
    struct thread *t = xcalloc(1, sizeof *t);

    *vec_push(&e->all) = t;
    return t;
}

void engine_push(struct thread *t, const struct row *prog)
{
    assert(t->depth < THREAD_DEPTH);
    t->frames[t->depth++] = (struct frame){ .pc = prog };
}

struct thread *engine_spawn(struct sim *s, struct proc *p, const struct row *prog, struct req *req,
                            enum mode mode, struct thread *parent, ns_t delay)
{
    struct thread *t = new_thread(s);
    uint32_t token = t->token + 1;
    struct thread clean = { .out = { t->out.at, 0, t->out.cap } };

    *t = clean;
    t->token = token;
    t->sim = s;
    t->proc = p;
    t->req = req;
    t->mode = mode;
    t->parent = parent;
    t->root = prog;
    t->alive = t->blocked = true;
    t->born = s->now;
    t->cpu = (unsigned)rng_below(&s->rng, p->host->sc->cpus);
    engine_push(t, prog);
    req->root->live++;
    p->requests += is_request(t);
    engine_at(s, s->now + delay, arrive, t);
    return t;
}

/* The next request of a full process starts. */
static void next_of(struct proc *p, struct sim *s)
{
    struct thread *t = p->first;

    if (!t || p->active >= p->max_threads)
        return;
    p->first = t->next;
    if (!p->first)
        p->last = NULL;
    admit(t, 20 * US_NS + (ns_t)rng_below(&s->rng, 200 * US_NS));
}

static void tell_parent(struct thread *t, bool failed)
{
    struct thread *parent = t->parent;

    if (!parent)
        return;
    if (t->mode == MODE_FORK) {
        const struct frame *f = parent->depth ? &parent->frames[parent->depth - 1] : NULL;

        if (--parent->forks == 0 && parent->blocked &&
            (!f || (f->pc->op == OP_JOIN && f->phase == 1)))
            engine_wake_now(parent, 30 * US_NS);
        return;
    }
    parent->child_failed = failed;
    if (failed) {
        parent->exc = t->exc;
        parent->exc_text = t->exc_text;
    }
    snprintf(parent->child_req, sizeof parent->child_req, "%s", t->req->id);
    engine_wake_now(parent, rng_around(&t->sim->rng, 700 * US_NS));
}

static void periodic_again(struct thread *t)
{
    t->next_tick += t->period;
    while (t->next_tick <= t->sim->now)
        t->next_tick += t->period;
    if (t->next_tick >= t->sim->end) {
        t->blocked = true; /* for ever */
        return;
    }
    t->born = t->next_tick;
    t->number++;
    engine_push(t, t->root);
    engine_wake(t, t->next_tick);
}

static void thread_over(struct thread *t)
{
    struct sim *s = t->sim;
    struct req *root = t->req->root;
    struct proc *p = t->proc;
    bool failed = t->failed;

    assert(t->n_held == 0 && t->n_tasks == 0);
    if (t->mode == MODE_PERIODIC) {
        periodic_again(t);
        return;
    }
    if (failed && !root->error) {
        root->error = t->exc;
        root->error_text = t->exc_text;
        root->outcome = "error";
    }
    tell_parent(t, failed && t->mode != MODE_CAST);
    t->alive = false;
    t->token++;
    p->slots.at[t->slot] = false;
    p->active -= is_request(t);
    next_of(p, s);
    *vec_push(&s->engine->spare) = t;
    if (--root->live == 0)
        cloud_request_over(s, root);
}

/* A served call says so before the thread goes. */
static bool last_words(struct thread *t)
{
    bool said = false;

    if (!t->method)
        return false;
    if (t->sim->sc->dialect == DIALECT_ZED) {
        task_rpc(t, "rpc.server.end", t->method, NULL, NULL, -1, t->failed ? t->exc : NULL);
        said = true;
    }
    said |= engine_rpc_replies(t);
    t->method = NULL;
    return said;
}

/* Lets the thread go on until it waits for something. */
static void thread_run(struct thread *t)
{
    struct sim *s = t->sim;

    t->blocked = false;
    if (rng_below(&s->rng, 100) < 12)
        t->cpu = (unsigned)rng_below(&s->rng, t->proc->host->sc->cpus);
    if (t->out_at < t->out.n)
        emit_record(t, &t->out.at[t->out_at++]);
    while (!t->blocked && !s->failed) {
        if (t->out_at < t->out.n) {
            ns_t from = t->proc->busy_until > s->now ? t->proc->busy_until : s->now;

            t->proc->busy_until = from + 60 * US_NS + (ns_t)rng_below(&s->rng, 180 * US_NS);
            engine_wake(t, t->proc->busy_until);
            return;
        }
        t->out.n = t->out_at = 0;
        if (t->depth > 0) {
            engine_row(t);
        } else if (t->forks) {
            t->blocked = true; /* its greenlets end first */
        } else if (!last_words(t)) {
            thread_over(t);
            return;
        }
    }
}

void engine_run(struct sim *s)
{
    struct engine *e = s->engine;

    while (e->heap.n && !s->failed) {
        struct timer timer = heap_pop(e);

        if (!timer.fn && (!timer.thread->alive || timer.token != timer.thread->token))
            continue; /* void: the thread was woken by something else */
        assert(timer.at >= s->now);
        s->now = timer.at;
        if (timer.fn) {
            timer.fn(s, timer.arg);
        } else {
            timer.thread->token++;
            thread_run(timer.thread);
        }
    }
}

struct proc *engine_worker(struct sim *s, enum service svc, struct host *h)
{
    size_t n = h->procs[svc].n;
    struct proc *best = NULL;

    for (size_t i = 0; i < n; i++) {
        struct proc *p = h->procs[svc].at[(s->next_worker[svc] + i) % n];

        if (!p->idle && (!best || p->active < best->active))
            best = p;
    }
    s->next_worker[svc]++;
    assert(best);
    return best;
}

struct req *engine_child_req(struct sim *s, struct req *of)
{
    struct req *r = arena_new(&s->mem, struct req);

    *r = *of;
    r->root = of->root;
    r->live = 0;
    memcpy(r->id, "req-", 4);
    make_uuid(&s->rng, r->id + 4);
    if (r->root->op)
        *vec_push(&s->calls) = r;
    return r;
}

bool has_fault(const struct thread *t, enum fault_kind kind)
{
    return t->req->root->fault.kind == kind;
}

void engine_step(struct thread *t, const char *name, ns_t took)
{
    struct sim *s = t->sim;
    const char *copy = NULL;

    for (int i = 0; i < t->n_tasks; i++) {
        if (t->tasks[i].task == SILENT_TASK)
            continue;
        struct true_task *task = &s->tasks.at[t->tasks[i].task];

        if (took <= task->step_ns)
            continue;
        if (!copy)
            copy = arena_strdup(&s->mem, name, strlen(name));
        task->step = copy;
        task->step_ns = took;
    }
}

static struct lock *find_lock(struct proc *p, const char *name)
{
    for (size_t i = 0; i < p->locks.n; i++)
        if (strcmp(p->locks.at[i].name, name) == 0)
            return &p->locks.at[i];
    return NULL;
}

bool engine_lock(struct thread *t, const char *name)
{
    struct lock *l = find_lock(t->proc, name);

    if (!l) {
        char *copy = xmalloc(strlen(name) + 1);

        memcpy(copy, name, strlen(name) + 1);
        *vec_push(&t->proc->locks) = (struct lock){ .name = copy, .holder = t };
        return true;
    }
    t->next = NULL;
    if (l->last)
        l->last->next = t;
    else
        l->first = t;
    l->last = t;
    t->blocked = true;
    return false;
}

void engine_unlock(struct thread *t, const char *name)
{
    struct lock *l = find_lock(t->proc, name);

    assert(l && l->holder == t);
    l->holder = l->first;
    if (l->first) {
        l->first = l->first->next;
        if (!l->first)
            l->last = NULL;
        engine_wake_now(l->holder, 30 * US_NS);
        return;
    }
    free(l->name);
    *l = t->proc->locks.at[--t->proc->locks.n];
}
