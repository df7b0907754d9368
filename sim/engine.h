/* SPDX-License-Identifier: Apache-2.0
 *
 * engine.h -- runs programs of services in simulated time.
 *
 * What a service does for a request is a table of rows: write a log line, work
 * for a while, take a lock, call another service.  A thread (an eventlet
 * greenlet) walks the rows; it sleeps, waits for locks, answers and events, and
 * many threads share one process, whose Python runs one at a time.  So waiting
 * is never written down: it follows from who holds what.  Rows are data: both
 * dialects sit side by side, and a new operation is a new table. */
#ifndef SIM_ENGINE_H
#define SIM_ENGINE_H

#include "sim/cloud.h"
#include "sim/tasks.h"

enum op {
    OP_RETURN, /* a zero row ends a program */
    OP_LOG,
    OP_WORK,
    OP_LOCK,
    OP_UNLOCK,
    OP_SEM,
    OP_UNSEM,
    OP_CMD,
    OP_HTTP,
    OP_TASK,
    OP_TASK_END,
    OP_RUN,
    OP_CALL,
    OP_CAST,
    OP_FORK,
    OP_JOIN,
    OP_PREPARE,
    OP_AWAIT,
    OP_SIGNAL,
    OP_DO,
    OP_STATE,
    OP_LOOP,
    OP_FAIL,
    OP_CATCH,
    OP_THROW,
    OP_ABORT,
    OP_COUNT
};

/* Where a called service runs. */
enum where { ON_CONTROLLER, ON_SAME, ON_SRC, ON_DST, ON_VM_HOST, ON_NETNODE, ON_STORAGE };

struct row {
    enum op op;
    unsigned in; /* dialects; 0: all */
    bool (*when)(const struct thread *);
    int level, line;
    const char *logger, *func;
    const char *text, *more;
    ns_t ns;
    const struct row *prog;
    void (*fn)(struct thread *);
    enum task_id task;
    enum service svc;
    enum where where;
    enum fault_kind fault;
};

/* clang-format off */
/* A line at 'lv' (10 DEBUG ... 40 ERROR); 'tx' may have {holes}, see text.h. */
#define LOG(lv, lg, fn_, ln, tx) \
    { .op = OP_LOG, .level = (lv), .logger = lg, .func = fn_, .line = (ln), .text = tx }
#define OLD(lv, lg, fn_, ln, tx) \
    { .op = OP_LOG, .in = DIALECT_2016, .level = (lv), .logger = lg, .func = fn_, .line = (ln), .text = tx }
#define ZED(lv, lg, fn_, ln, tx) \
    { .op = OP_LOG, .in = DIALECT_ZED, .level = (lv), .logger = lg, .func = fn_, .line = (ln), .text = tx }
/* Something takes about 'ms' milliseconds; the name is what "slow" faults use. */
#define WORK(name, ms)            { .op = OP_WORK, .text = name, .ns = (ns_t)((ms) * 1e6) }
#define LOCK(name, by, zed_by)    { .op = OP_LOCK, .text = name, .func = by, .more = zed_by }
#define UNLOCK                    { .op = OP_UNLOCK }
#define SEM(name)                 { .op = OP_SEM, .text = name }
#define UNSEM                     { .op = OP_UNSEM }
/* A command in a subprocess. */
#define CMD(cmd, ms)              { .op = OP_CMD, .text = cmd, .ns = (ns_t)((ms) * 1e6) }
/* 'verb' 'path' to a service's API; 'program' serves it, 'reply' answers. */
#define HTTP(service, verb, path, code, program, reply) \
    { .op = OP_HTTP, .svc = (service), .logger = verb, .text = path, .level = (code), \
      .prog = (program), .more = reply }
#define TASK(id)                  { .op = OP_TASK, .task = (id) }
#define TASK_END                  { .op = OP_TASK_END }
#define RUN(program)              { .op = OP_RUN, .prog = (program) }
#define RUN_IF(cond, program)     { .op = OP_RUN, .when = (cond), .prog = (program) }
/* RPC with and without an answer. */
#define CALL(service, at, method, program) \
    { .op = OP_CALL, .svc = (service), .where = (at), .text = method, .prog = (program) }
#define CAST(service, at, method, program) \
    { .op = OP_CAST, .svc = (service), .where = (at), .text = method, .prog = (program) }
#define FORK(program)             { .op = OP_FORK, .prog = (program) }
#define JOIN                      { .op = OP_JOIN }
#define PREPARE(event)            { .op = OP_PREPARE, .text = event }
#define AWAIT(event)              { .op = OP_AWAIT, .text = event }
#define SIGNAL(event)             { .op = OP_SIGNAL, .text = event }
#define DO(function)              { .op = OP_DO, .fn = (function) }
/* The VM's state changes (NULL: stays); NULL task: none. */
#define STATE(vm_state_, task_)   { .op = OP_STATE, .text = vm_state_, .more = task_ }
#define LOOP(cond, program)       { .op = OP_LOOP, .when = (cond), .prog = (program) }
/* Raises if the request has that fault. */
#define FAIL(kind, type, message) { .op = OP_FAIL, .fault = (kind), .text = type, .more = message }
#define CATCH(program)            { .op = OP_CATCH, .prog = (program) }
#define THROW                     { .op = OP_THROW }
/* With that fault the task warns and returns without an end. */
#define ABORT(lg, fn_, ln, tx) \
    { .op = OP_ABORT, .level = 30, .logger = lg, .func = fn_, .line = (ln), .text = tx }
/* clang-format on */

/* One line that waits to be written. */
struct record {
    int level, line;
    const char *logger, *func;
    char *msg;
    size_t task; /* + 1: this line is an edge of that true task */
    enum edge edge;
    struct vm *vm; /* this line tells change 'change' of that VM */
    size_t change;
};

struct frame {
    const struct row *pc, *handler;
    int phase;
};

enum { THREAD_DEPTH = 12, THREAD_LOCKS = 8, THREAD_TASKS = 8 };

struct held {
    char *name;
    const char *by;
    ns_t since;
    int depth;
    bool is_sem;
};

#define SILENT_TASK SIZE_MAX /* not announced in this dialect */

struct open_task {
    const struct task_kind *kind;
    size_t task; /* of sim.tasks */
    int depth;
};

enum mode { MODE_CALL, MODE_CAST, MODE_HTTP, MODE_FORK, MODE_PERIODIC };

/* What oslo.messaging calls one call. */
struct rpc_names {
    char msg_id[40], unique_id[40], reply_q[48];
};

struct thread {
    struct sim *sim;
    struct proc *proc;
    struct req *req;
    uint32_t ident;
    char name[24];
    unsigned slot, cpu;
    enum mode mode;
    bool blocked, queued, alive;
    uint32_t token; /* a timer with another token is stale */
    struct frame frames[THREAD_DEPTH];
    int depth;
    VEC(struct record) out;
    size_t out_at;
    struct held held[THREAD_LOCKS];
    int n_held;
    struct open_task tasks[THREAD_TASKS];
    int n_tasks;
    struct thread *parent; /* waits for us (call, HTTP) or joins us (fork) */
    unsigned forks;
    struct thread *next; /* in a lock's or process's queue */
    char *lock_name;     /* wanted */
    ns_t since;          /* the current wait or row began */
    ns_t born;
    bool timed_out, unexpected;
    const char *exc, *exc_text; /* the exception in flight or last caught */
    bool child_failed;
    bool failed;        /* it reached the root */
    const char *method; /* served by RPC */
    struct rpc_names served, asked;
    char child_req[ID_TEXT];
    ns_t period, next_tick; /* MODE_PERIODIC */
    const struct row *root;
    /* snapshot for update notifications, and small numbers for programs */
    const char *snap[4];
    const struct vm *snap_vm;
    struct vm *told_vm; /* its last change will be told by the next line */
    uint64_t number;
};

struct lock {
    char *name;
    struct thread *holder, *first, *last;
};

struct proc {
    enum service svc;
    struct host *host;
    unsigned worker, max_threads, active;
    int pid;
    bool idle;
    ns_t busy_until;             /* Python of this process is taken until then */
    struct thread *first, *last; /* requests that wait for a thread */
    VEC(struct lock) locks;
    VEC(bool) slots; /* identifiers in use */
    uint32_t ident_base;
    unsigned green;
    uint64_t requests; /* served */
};

struct engine *engine_new(void);
void engine_free(struct engine *e);
/* Runs until nothing is left to do, or sim.failed. */
void engine_run(struct sim *s);
/* Starts a thread of 'p' after 'delay'. */
struct thread *engine_spawn(struct sim *s, struct proc *p, const struct row *prog, struct req *req,
                            enum mode mode, struct thread *parent, ns_t delay);
/* Calls 'fn(sim, arg)' at true time 'at'. */
void engine_at(struct sim *s, ns_t at, void (*fn)(struct sim *, void *), void *arg);
/* The process that takes the next request of a service. */
struct proc *engine_worker(struct sim *s, enum service svc, struct host *h);
/* Raises an exception in 't'. */
void engine_throw(struct thread *t, const char *type, const char *text);
/* Puts a line into the thread's queue; the text is copied. */
void say(struct thread *t, int level, const char *logger, const char *func, int line,
         struct str text);
void say_edge(struct thread *t, int level, const char *logger, const char *func, int line,
              struct str text, size_t task, enum edge edge);
/* The current row's wait counts as a step of the tasks that are open. */
void engine_step(struct thread *t, const char *name, ns_t took);
/* True if the user's request has this fault. */
bool has_fault(const struct thread *t, enum fault_kind kind);
/* A child request for a call of one service to another. */
struct req *engine_child_req(struct sim *s, struct req *of);

#endif
