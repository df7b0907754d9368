/* SPDX-License-Identifier: Apache-2.0
 *
 * app_steps.c -- the parts of tasks: what a thread does or waits for.
 *
 * Begin and end of a step come as two lines (or one that tells a duration):
 * locks, commands, HTTP calls, waits for events of another service, remote
 * calls.  They are joined by what identifies them (the lock's name, the event's
 * name, the message id), or by their thread where nothing does.  A step without
 * an end stays open: it is shown as such, without a duration. */
#include "analysis/app.h"

#include <stdlib.h>

/* Steps of one lane that wait for their end; older ones are left open. */
enum { LANE_STEPS = 128 };

static void drop_open(struct lane *lane, size_t i)
{
    memmove(&lane->steps.at[i], &lane->steps.at[i + 1],
            (lane->steps.n - i - 1) * sizeof *lane->steps.at);
    lane->steps.n--;
}

static struct step *new_step(struct app *a, const struct app_line *l, const char *kind,
                             struct str name)
{
    struct lane *lane = &a->lanes.at[l->lane];
    const struct task *now = app_task_now(a, l->lane);
    struct step *s = vec_push(&a->steps);

    *s = (struct step){ .t0 = l->head->t,
                        .t1 = STORE_NULL,
                        .kind = app_text(a, str_of(kind)),
                        .name = app_text(a, name),
                        .request = now && now->request ? now->request : lane->request,
                        .service = app_text(a, l->service),
                        .logger = app_text(a, l->log->logger),
                        .entity = lane->uuid ? lane->uuid
                                  : now      ? now->uuid
                                             : 0,
                        .task = now ? now->name : 0,
                        .code = STORE_NULL,
                        .reported_ns = STORE_NULL,
                        .lane = l->lane,
                        .open = true };
    if (lane->steps.n >= LANE_STEPS)
        drop_open(lane, 0);
    *vec_push(&lane->steps) = (uint32_t)a->steps.n - 1;
    return s;
}

static void end_step(struct app *a, uint32_t index, ns_t t)
{
    struct step *s = &a->steps.at[index];
    struct lane *lane = &a->lanes.at[s->lane];

    s->t1 = t;
    s->open = false;
    for (size_t i = 0; i < lane->steps.n; i++)
        if (lane->steps.at[i] == index) {
            drop_open(lane, i);
            break;
        }
}

/* The lane's last open step of this kind and name (any name if it is empty). */
static uint32_t find_step(struct app *a, uint32_t lane_no, const char *kind, struct str name)
{
    struct lane *lane = &a->lanes.at[lane_no];

    for (size_t i = lane->steps.n; i-- > 0;) {
        const struct step *s = &a->steps.at[lane->steps.at[i]];

        if (str_is(app_str(a, s->kind), kind) && (name.n == 0 || str_eq(app_str(a, s->name), name)))
            return lane->steps.at[i];
    }
    return NONE;
}

/* The line that tells the end also tells how long it took: was that another one, whose beginning
 * was lost, while the end of this one was? */
static bool is_another(const struct step *s, ns_t end, ns_t took)
{
    return took != OSLOG_NO_NS && s->t0 != STORE_NULL &&
           end - s->t0 > took + took / 4 + NS_PER_S / 4;
}

static void lock_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_lock *k = &f->lock;
    const char *kind = k->semaphore ? "semaphore" : "lock";
    struct lane *lane = &a->lanes.at[l->lane];
    uint32_t at;

    if (f->kind == FACT_LOCK_WAIT) {
        struct step *s = new_step(a, l, "lock-wait", k->name);
        s->detail = app_text(a, k->owner);
        return;
    }
    if (f->kind == FACT_LOCK_ACQUIRED) {
        at = find_step(a, l->lane, "lock-wait", k->name);
        if (at != NONE && !is_another(&a->steps.at[at], l->head->t, k->ns)) {
            a->steps.at[at].reported_ns = k->ns;
            end_step(a, at, l->head->t);
        } else if (k->ns != OSLOG_NO_NS && k->ns > 0) {
            /* The wait is told at its end, in milliseconds. */
            struct step *s = new_step(a, l, "lock-wait", k->name);
            s->t0 = l->head->t - k->ns;
            s->detail = app_text(a, k->owner);
            s->reported_ns = k->ns;
            end_step(a, (uint32_t)a->steps.n - 1, l->head->t);
        }
        struct step *s = new_step(a, l, kind, k->name);
        s->detail = app_text(a, k->owner);
        /* Nova locks an instance's uuid while it works on it. */
        if (str_is_uuid(k->name) && k->name.n == 36 &&
            str_starts(k->owner, STR("nova.compute.manager.")))
            lane->lock_uuid = lane->uuid = app_text(a, k->name);
        return;
    }
    at = find_step(a, l->lane, kind, k->name);
    if (at != NONE && !is_another(&a->steps.at[at], l->head->t, k->ns)) {
        a->steps.at[at].reported_ns = k->ns;
        end_step(a, at, l->head->t);
    }
    if (lane->lock_uuid && str_eq(app_str(a, lane->lock_uuid), k->name))
        lane->lock_uuid = 0;
}

static void command_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    static const char *const ways[] = { [COMMAND_SUBPROCESS] = "command",
                                        [COMMAND_AGENT] = "agent-command",
                                        [COMMAND_ROOTWRAP] = "agent-command",
                                        [COMMAND_PRIVSEP] = "privsep" };
    const struct fact_command *c = &f->command;
    const char *kind = ways[c->way];

    if (f->kind == FACT_PRIVSEP_REPLY)
        return; /* the helper's answer: many a second, and no start to join */
    if (f->kind == FACT_COMMAND_START) {
        new_step(a, l, kind, c->text);
        return;
    }
    uint32_t at = find_step(a, l->lane, kind, c->way == COMMAND_SUBPROCESS ? c->text : STR(""));
    if (at == NONE)
        at = find_step(a, l->lane, kind, STR(""));
    if (at == NONE && c->way != COMMAND_SUBPROCESS) /* "Exit code" does not tell the way */
        at = find_step(a, l->lane, "agent-command", STR(""));
    if (at != NONE && is_another(&a->steps.at[at], l->head->t, c->ns))
        at = NONE;
    if (at == NONE) {
        struct step *s = new_step(a, l, kind, c->text);
        at = (uint32_t)a->steps.n - 1;
        s->t0 = c->ns != OSLOG_NO_NS ? l->head->t - c->ns : STORE_NULL;
    }
    struct step *s = &a->steps.at[at];
    s->code = c->rc == OSLOG_NO_I64 ? STORE_NULL : c->rc;
    s->reported_ns = c->ns;
    s->status =
        app_text(a, f->kind == FACT_COMMAND_FAILED || (c->rc > 0) ? STR("failed") : STR("ok"));
    end_step(a, at, l->head->t);
}

static void http_done(struct app *a, struct step *s, const struct fact_http *h)
{
    s->code = h->status == OSLOG_NO_I64 ? STORE_NULL : h->status;
    s->status =
        app_text(a, h->status != OSLOG_NO_I64 && h->status >= 400 ? STR("failed") : STR("ok"));
    s->child = app_text(a, h->request_id);
    if (h->ns != OSLOG_NO_NS)
        s->reported_ns = h->ns;
}

static struct str http_name(struct app *a, const struct fact_http *h)
{
    return str_of(arena_printf(&a->pass->scratch, STR_FMT " " STR_FMT, STR_ARG(h->method),
                               STR_ARG(h->url.n ? h->url : h->path)));
}

static void http_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_http *h = &f->http;
    uint32_t at;

    switch ((int)f->kind) {
    case FACT_HTTP_REQUEST: new_step(a, l, "http", http_name(a, h)); break;
    case FACT_HTTP_RESPONSE:
        at = find_step(a, l->lane, "http", STR(""));
        if (at == NONE) {
            new_step(a, l, "http", STR("response without a request"))->t0 = STORE_NULL;
            at = (uint32_t)a->steps.n - 1;
        }
        http_done(a, &a->steps.at[at], h);
        end_step(a, at, l->head->t);
        app_message_called(a, &a->steps.at[at]);
        break;
    case FACT_HTTP_CALL: { /* one line at the end; the start is not told */
        struct step *s = new_step(a, l, "http-call", http_name(a, h));
        s->peer = app_text(a, h->service);
        http_done(a, s, h);
        if (h->ns != OSLOG_NO_NS)
            s->t0 = l->head->t - h->ns;
        end_step(a, (uint32_t)a->steps.n - 1, l->head->t);
        app_message_called(a, s);
        break;
    }
    case FACT_HTTP_SERVED: { /* the server's access line, written at the end */
        struct step *s = new_step(a, l, "served", http_name(a, h));
        struct lane *lane = &a->lanes.at[l->lane];
        s->peer = app_text(a, h->client);
        http_done(a, s, h);
        if (s->child == 0) /* the line has no id, but the records before it had */
            s->request = s->child = lane->told;
        lane->told = 0;
        if (h->ns != OSLOG_NO_NS)
            s->t0 = l->head->t - h->ns;
        end_step(a, (uint32_t)a->steps.n - 1, l->head->t);
        app_message_served(a, s);
        break;
    }
    default: break;
    }
}

/* A wait for an event of another service: Nova prepares for it, Neutron sends
 * it, and it is the event's name that ties them. */
static void external_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_external *e = &f->external;
    struct str name = e->event.n ? e->event : e->name;
    uint64_t key = hash_bytes(name.p, name.n, 2);
    uint32_t at;

    if (e->stage == EXTERNAL_PREPARE) {
        struct step *s = new_step(a, l, "external-event", name);
        struct task *now = app_task_now(a, l->lane);

        if (e->instance.n)
            s->entity = app_text(a, e->instance);
        else if (now && now->uuid)
            s->entity = now->uuid;
        map64_set(&a->waits, key, (uint32_t)a->steps.n - 1);
        return;
    }
    if (e->stage != EXTERNAL_RECEIVED && e->stage != EXTERNAL_PROCESSING &&
        e->stage != EXTERNAL_TIMEOUT && e->stage != EXTERNAL_WAIT_DONE)
        return;
    if (!map64_get(&a->waits, key, &at))
        return;
    map64_del(&a->waits, key);
    a->steps.at[at].status = app_text(a, e->stage == EXTERNAL_TIMEOUT ? STR("timeout") : STR("ok"));
    end_step(a, at, l->head->t);
}

static void taskflow_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_taskflow *t = &f->taskflow;
    const char *kind = t->is_task ? "flow-task" : "flow";
    uint32_t at = NONE;

    for (size_t i = a->lanes.at[l->lane].steps.n; i-- > 0 && at == NONE;) {
        const struct step *s = &a->steps.at[a->lanes.at[l->lane].steps.at[i]];

        if (str_is(app_str(a, s->kind), kind) && str_eq(app_str(a, s->detail), t->id))
            at = a->lanes.at[l->lane].steps.at[i];
    }
    if (at == NONE) {
        struct step *s = new_step(a, l, kind, t->name);
        s->detail = app_text(a, t->id);
        at = (uint32_t)a->steps.n - 1;
    }
    struct step *s = &a->steps.at[at];
    struct sbuf states = { 0 };
    if (s->status == 0)
        sbuf_str(&states, t->old_state);
    else
        sbuf_str(&states, app_str(a, s->status));
    sbuf_z(&states, ">");
    sbuf_str(&states, t->state);
    s->status = app_text(a, sbuf_view(&states));
    sbuf_free(&states);
    if (str_is(t->state, "SUCCESS") || str_is(t->state, "FAILURE") || str_is(t->state, "REVERTED"))
        end_step(a, at, l->head->t);
}

/* "Took 4.21 seconds to spawn the instance": a duration told at its end. */
static void took_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    if (f->step.ns == OSLOG_NO_NS)
        return;
    struct step *s = new_step(a, l, "took", f->step.what);
    s->t0 = l->head->t - f->step.ns;
    s->reported_ns = f->step.ns;
    end_step(a, (uint32_t)a->steps.n - 1, l->head->t);
}

static void work_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    const struct fact_work *w = &f->work;
    uint32_t at;

    if (w->stage == WORK_START) {
        new_step(a, l, "agent-work", w->what)->detail = app_text(a, w->id);
    } else if (w->stage == WORK_END &&
               (at = find_step(a, l->lane, "agent-work", w->what)) != NONE) {
        a->steps.at[at].reported_ns = w->ns;
        end_step(a, at, l->head->t);
    }
}

void app_step_fact(struct app *a, const struct app_line *l, const struct log_fact *f)
{
    switch ((int)f->kind) {
    case FACT_LOCK_WAIT:
    case FACT_LOCK_ACQUIRED:
    case FACT_LOCK_RELEASED: lock_fact(a, l, f); break;
    case FACT_COMMAND_START:
    case FACT_COMMAND_END:
    case FACT_COMMAND_FAILED:
    case FACT_PRIVSEP_REPLY: command_fact(a, l, f); break;
    case FACT_HTTP_REQUEST:
    case FACT_HTTP_RESPONSE:
    case FACT_HTTP_CALL:
    case FACT_HTTP_SERVED: http_fact(a, l, f); break;
    case FACT_RPC: app_message_fact(a, l, &f->rpc); break;
    case FACT_EXTERNAL_EVENT: external_fact(a, l, f); break;
    case FACT_TASKFLOW: taskflow_fact(a, l, f); break;
    case FACT_TOOK: took_fact(a, l, f); break;
    case FACT_AGENT_WORK: work_fact(a, l, f); break;
    default: break;
    }
}

/* rpc.client.start has no message id yet; its end has. */
static void rpc_record(struct app *a, const struct app_line *l)
{
    const struct payload *r = l->record;
    bool client = str_is(l->type.base, "rpc.client");
    struct str method = payload_get(r, "method"), id = payload_get(r, "msg_id");
    struct str request = payload_get(r, "request_id");
    const char *kind = client ? "rpc" : "rpc-served";
    uint32_t at;

    if (id.n == 0)
        id = payload_get(r, "unique_id");
    if (l->type.phase == PHASE_START) {
        struct step *s = new_step(a, l, kind, method);

        if (request.n) {
            s->request = app_text(a, request);
            if (!client)
                a->lanes.at[l->lane].request = s->request;
        }
        s->peer = app_text(a, payload_get(r, client ? "topic" : "server"));
        s->child = app_text(a, id);
        return;
    }
    at = find_step(a, l->lane, kind, method);
    if (at == NONE) {
        struct step *s = new_step(a, l, kind, method);
        s->t0 = STORE_NULL;
        s->request = app_text(a, request);
        at = (uint32_t)a->steps.n - 1;
    }
    struct step *s = &a->steps.at[at];
    struct str fault = payload_get(r, "fault");
    s->child = app_text(a, id);
    s->status = app_text(a, fault.n ? fault : STR("ok"));
    end_step(a, at, l->head->t);
    if (!client && a->lanes.at[l->lane].open.n == 0)
        a->lanes.at[l->lane].request = 0;
}

/* osprofiler: "<name>-start" and "<name>-stop" with one trace_id. */
static bool profiler_record(struct app *a, const struct app_line *l)
{
    struct str name = payload_get(l->record, "name"), id = payload_get(l->record, "trace_id");
    uint64_t key = hash_bytes(id.p, id.n, 3);
    uint32_t at;

    if (name.n == 0 || id.n == 0)
        return false;
    if (str_ends(name, STR("-start"))) {
        struct step *s = new_step(a, l, "profiler", str_first(name, name.n - 6));

        s->detail = app_text(a, payload_get(l->record, "function"));
        s->child = app_text(a, id);
        s->peer = app_text(a, payload_get(l->record, "parent_id"));
        map64_set(&a->calls, key, (uint32_t)a->steps.n - 1);
    } else if (str_ends(name, STR("-stop")) && map64_get(&a->calls, key, &at)) {
        map64_del(&a->calls, key);
        end_step(a, at, l->head->t);
    }
    return true;
}

bool app_step_record(struct app *a, const struct app_line *l)
{
    if (str_is(l->type.base, "rpc.client") || str_is(l->type.base, "rpc.server")) {
        if (l->type.phase != PHASE_POINT) {
            rpc_record(a, l);
            app_message_record(a, l);
        }
        return true;
    }
    return profiler_record(a, l);
}

void app_steps_backfill(struct app *a, uint32_t lane_no)
{
    const struct lane *lane = &a->lanes.at[lane_no];

    for (size_t i = lane->fresh; i < a->steps.n; i++)
        if (a->steps.at[i].lane == lane_no && a->steps.at[i].entity == 0)
            a->steps.at[i].entity = lane->uuid;
}

void app_steps_finish(struct app *a)
{
    for (size_t i = 0; i < a->steps.n; i++) {
        const struct step *s = &a->steps.at[i];
        const struct lane *lane = &a->lanes.at[s->lane];
        cell_t c[step_columns] = {
            [C_step_t0] = s->t0,
            [C_step_t1] = s->t1,
            [C_step_kind] = app_cell(a, s->kind),
            [C_step_name] = app_cell(a, s->name),
            [C_step_detail] = app_cell(a, s->detail),
            [C_step_status] = pass_text(a->pass, s->open ? STR("open") : app_str(a, s->status)),
            [C_step_code] = s->code,
            [C_step_reported_ns] = s->reported_ns,
            [C_step_request] = app_cell(a, s->request),
            [C_step_child] = app_cell(a, s->child),
            [C_step_service] = app_cell(a, s->service),
            [C_step_logger] = app_cell(a, s->logger),
            [C_step_pid] = lane->pid,
            [C_step_thread] = lane->thread,
            [C_step_entity] = app_cell(a, s->entity),
            [C_step_peer] = app_cell(a, s->peer),
            [C_step_task] = app_cell(a, s->task),
        };
        pass_record(a->pass, TABLE_step, c);
    }
}
