/* SPDX-License-Identifier: Apache-2.0
 *
 * app.h -- what the parts of the application analysis share.
 *
 *   log line ─▶ app_log.c ─┬─ record in it? ─▶ app_tasks.c     tasks
 *                          ├─ facts ─────────▶ app_steps.c     locks, commands, calls, waits
 *                          └─ both ──────────▶ app_entities.c  names, states, things
 *
 * A "lane" is what can do one thing at a time: a thread (or greenlet) of a
 * process.  Everything that overlaps in time is kept apart by lane, task and
 * entity; nothing is kept per logger. */
#ifndef ANALYSIS_APP_H
#define ANALYSIS_APP_H

#include "analysis/app_services.h"
#include "engine/engine.h"
#include "model/oslog.h"
#include "model/payload.h"

#define NONE UINT32_MAX

/* The line being handled, with what was found out about it. */
struct app_line {
    const struct ev_head *head;
    const struct ev_python_log *log;
    uint32_t lane;
    struct str service;
    const struct payload *record; /* NULL: no record in the line     */
    struct record_type type;      /* of the record                   */
    struct str source;            /* "record", "notification", "versioned", "span" */
};

struct lane {
    uint64_t key;
    int64_t pid, thread;
    uint32_t service;    /* texts; 0 = not yet known                     */
    uint32_t request;    /* that the lane works for                      */
    uint32_t told;       /* the last request that a record named, until it is served */
    uint32_t uuid;       /* instance of the last line that named one     */
    uint32_t lock_uuid;  /* instance whose lock the lane holds           */
    ns_t last_t;         /* of its last line                             */
    VEC(uint32_t) open;  /* tasks begun here and not ended, outermost first */
    VEC(uint32_t) steps; /* steps begun here and not ended               */
    uint32_t fresh;      /* first step since the instance was last unknown */
};

struct task {
    ns_t t0, t1; /* STORE_NULL = not seen */
    enum task_status status;
    uint32_t lane;
    uint32_t depth; /* tasks of the lane around it */
    uint32_t service, logger, name, base, kind, entity, uuid, request, user, project, node, func,
        error;             /* texts */
    uint32_t first_source; /* that began it: only the same one ends it */
    uint32_t sources;      /* text: all of them, '+' between           */
    int64_t lineno;
    ns_t other_end;   /* an end from another source, in case its own never comes */
    ns_t warned;      /* first warning of its lane inside of it, or STORE_NULL   */
    ns_t closing;     /* the lane's first line that closes work after that       */
    uint32_t warning; /* text of it                                              */
    uint32_t mention; /* the one instance that its lines name; NONE = several    */
    uint64_t key;
};

struct step {
    ns_t t0, t1;
    uint32_t kind, name, detail, status, request, child, service, logger, entity, peer, task;
    int64_t code, reported_ns;
    uint32_t lane;
    bool open;
};

/* Per request, for the record 'request_seen': one per (request, service). */
struct request_seen {
    ns_t t0, t1;
    uint32_t request, service, user, project, first_error;
    int64_t count, errors, warnings;
};

struct service_seen {
    ns_t t0, t1;
    uint32_t service, procname;
    int64_t pid, lines, beats, warnings, errors, threads;
    struct sbuf loggers;
};

/* Calls of one method that one process makes. */
struct rpc_going {
    uint32_t n;
    ns_t since; /* there have been some without a break */
};

struct app {
    struct pass *pass;
    struct strtab texts; /* everything above that says "text" */
    VEC(struct lane) lanes;
    struct map64 lane_of;        /* (pid or family, thread)            */
    struct map64 family_of;      /* thread -> text, where no pid is recorded */
    struct map64 service_of_pid; /* pid -> text                        */
    VEC(struct task) tasks;
    struct map64 open_by_key; /* task, entity, request -> open task */
    struct map64 done_by_key; /* the same -> last task that ended   */
    VEC(uint32_t) open;       /* tasks that are open, in order of start */
    VEC(struct step) steps;
    struct map64 waits; /* hash of an external event -> step  */
    struct map64 calls; /* hash of an rpc message id -> step  */
    VEC(struct rpc_going) rpcs;
    struct map64 rpc_of; /* hash of (process, topic, method)  */
    VEC(struct request_seen) requests;
    struct map64 request_of; /* hash of (request, service)         */
    VEC(struct service_seen) services;
    struct map64 seen_of; /* hash of (pid, service)             */
    struct map64 idents;  /* hash of an ident already written   */
};

static inline uint32_t app_text(struct app *a, struct str s)
{
    return strtab_id(&a->texts, s);
}
static inline struct str app_str(const struct app *a, uint32_t id)
{
    return strtab_get(&a->texts, id);
}
/* A text of 'app' as a cell of the store. */
static inline cell_t app_cell(struct app *a, uint32_t id)
{
    return pass_text(a->pass, app_str(a, id));
}

/* app_tasks.c: a record that begins, ends or fails a task; and what an ordinary
 * line tells about the tasks of its lane. */
void app_task_record(struct app *a, const struct app_line *l);
void app_task_line(struct app *a, const struct app_line *l, const struct log_facts *facts);
void app_tasks_finish(struct app *a);
/* The innermost open task of a lane, or NULL. */
struct task *app_task_now(struct app *a, uint32_t lane);

/* app_messages.c: ends of messages to and from other hosts.  A request id is seen; a served
 * request, a call of an API has ended. */
void app_message_record(struct app *a, const struct app_line *l);
void app_message_fact(struct app *a, const struct app_line *l, const struct fact_rpc *f);
void app_message_seen(struct app *a, ns_t t, struct str request);
void app_message_served(struct app *a, const struct step *s);
void app_message_called(struct app *a, const struct step *s);

/* app_steps.c */
void app_step_fact(struct app *a, const struct app_line *l, const struct log_fact *f);
/* rpc.client.*, rpc.server.*, osprofiler spans: records that are no tasks. */
bool app_step_record(struct app *a, const struct app_line *l);
/* The lane's instance became known: earlier steps of the same burst get it. */
void app_steps_backfill(struct app *a, uint32_t lane);
void app_steps_finish(struct app *a);

/* app_entities.c */
void app_entity_record(struct app *a, const struct app_line *l);
void app_entity_fact(struct app *a, const struct app_line *l, const struct log_fact *f);
/* 'evidence' is a sentence; the same pair is written once per host. */
void app_ident(struct app *a, ns_t t, const char *akind, struct str x, const char *bkind,
               struct str y, const char *evidence);
/* The thing that a record is about: its kind, id, and display name. */
struct app_entity {
    const char *kind; /* "instance", "volume", ... or "" */
    struct str id;    /* uuid or other unique id, may be empty   */
    struct str name;  /* for people; may be empty                */
};
void app_entity_of(const struct app_line *l, struct app_entity *ret);

#endif
