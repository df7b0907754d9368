/* SPDX-License-Identifier: Apache-2.0
 *
 * app_log.c -- the application layer: log lines of OpenStack's services.
 *
 * Each line is given its lane (process and thread), its service, and what it
 * holds: a structured record, or the facts of an ordinary line.  The rest is
 * app_tasks.c, app_steps.c and app_entities.c.
 *
 * Without a recorded pid, processes can only be told apart by the family of
 * their loggers and the thread; a line of a shared library belongs to the
 * family that its thread was last seen with. */
#include "analysis/app.h"

#include "analysis/list.h"
#include "base/limits.h"

#include <stdlib.h>

/* --- lanes ----------------------------------------------------------------- */

static uint32_t lane_at(struct app *a, uint64_t key, int64_t pid, int64_t thread)
{
    uint32_t at;

    if (map64_get(&a->lane_of, key, &at))
        return at;
    *vec_push(&a->lanes) = (struct lane){
        .key = key, .pid = pid, .thread = thread, .last_t = NS_MIN, .fresh = (uint32_t)a->steps.n
    };
    map64_set(&a->lane_of, key, (uint32_t)a->lanes.n - 1);
    return (uint32_t)a->lanes.n - 1;
}

static uint64_t lane_key(int64_t process, int64_t thread)
{
    int64_t parts[] = { process, thread };

    return hash_bytes(parts, sizeof parts, 5);
}

static uint32_t find_lane(struct app *a, const struct ev_head *h, const struct ev_python_log *log)
{
    struct str family = app_family_of_logger(log->logger);
    uint64_t thread = (uint64_t)log->thread;
    uint32_t id = 0;

    if (h->pid >= 0)
        return lane_at(a, lane_key(h->pid, log->thread), h->pid, log->thread);
    if (family.n) {
        id = app_text(a, family);
        bool first = !map64_get(&a->family_of, thread, &id);
        id = app_text(a, family);
        map64_set(&a->family_of, thread, id);
        if (first) { /* lines of shared libraries came before: it is the same lane */
            uint32_t lane = lane_at(a, lane_key(-1, log->thread), -1, log->thread);

            map64_set(&a->lane_of, lane_key(-2 - (int64_t)id, log->thread), lane);
            return lane;
        }
    } else if (!map64_get(&a->family_of, thread, &id)) {
        return lane_at(a, lane_key(-1, log->thread), -1, log->thread);
    }
    return lane_at(a, lane_key(-2 - (int64_t)id, log->thread), -1, log->thread);
}

static struct str service_of(struct app *a, const struct ev_head *h, uint32_t lane_no,
                             const struct ev_python_log *log)
{
    struct lane *lane = &a->lanes.at[lane_no];
    struct str by_logger = app_service_of_logger(log->logger);
    uint32_t id;

    if (h->pid >= 0 && map64_get(&a->service_of_pid, (uint64_t)h->pid, &id))
        return app_str(a, id);
    if (h->pid >= 0) {
        struct str by_process = app_service_of_process(h->procname);
        struct str found = by_process.n ? by_process : by_logger;

        if (found.n)
            map64_set(&a->service_of_pid, (uint64_t)h->pid, app_text(a, found));
        return found.n ? found : h->procname;
    }
    if (by_logger.n)
        lane->service = app_text(a, by_logger);
    else if (lane->service == 0 && app_family_of_logger(log->logger).n)
        return app_family_of_logger(log->logger);
    return app_str(a, lane->service);
}

/* --- what was seen of services and requests -------------------------------- */

static struct service_seen *seen_service(struct app *a, const struct app_line *l)
{
    uint64_t parts[] = { (uint64_t)l->head->pid, app_text(a, l->service) };
    uint64_t key = hash_bytes(parts, sizeof parts, 6);
    uint32_t at;

    if (!map64_get(&a->seen_of, key, &at)) {
        at = (uint32_t)a->services.n;
        *vec_push(&a->services) = (struct service_seen){ .t0 = l->head->t,
                                                         .service = (uint32_t)parts[1],
                                                         .procname = app_text(a, l->head->procname),
                                                         .pid = l->head->pid };
        map64_set(&a->seen_of, key, at);
    }
    return &a->services.at[at];
}

static void count_service(struct app *a, const struct app_line *l, bool beat)
{
    struct service_seen *s = seen_service(a, l);
    struct str family = app_family_of_logger(l->log->logger);

    s->t1 = l->head->t;
    s->lines++;
    s->beats += beat;
    s->warnings += l->log->level >= 30 && l->log->level < 40;
    s->errors += l->log->level >= 40;
    if (a->lanes.at[l->lane].last_t == NS_MIN)
        s->threads++;
    if (family.n && str_find(sbuf_view(&s->loggers), l->log->logger, 0) == STR_NONE &&
        s->loggers.n < 2000) {
        if (s->loggers.n)
            sbuf_chr(&s->loggers, ' ');
        sbuf_str(&s->loggers, l->log->logger);
    }
}

static void count_request(struct app *a, const struct app_line *l, struct str request)
{
    uint32_t parts[] = { app_text(a, request), app_text(a, l->service) };
    uint64_t key = hash_bytes(parts, sizeof parts, 7);
    uint32_t at;

    if (!map64_get(&a->request_of, key, &at)) {
        at = (uint32_t)a->requests.n;
        *vec_push(&a->requests) =
            (struct request_seen){ .t0 = l->head->t, .request = parts[0], .service = parts[1] };
        map64_set(&a->request_of, key, at);
        app_message_seen(a, l->head->t, request);
    }
    struct request_seen *r = &a->requests.at[at];
    r->t1 = l->head->t;
    r->count++;
    if (l->record && r->user == 0)
        r->user = app_text(a, payload_get(l->record, "user_id"));
    if (l->record && r->project == 0)
        r->project = app_text(a, payload_get(l->record, "project_id"));
    if (l->log->level >= 40)
        r->errors++;
    else if (l->log->level >= 30)
        r->warnings++;
    if (l->log->level >= 40 && r->first_error == 0)
        r->first_error = app_text(a, str_first(l->log->msg, 300));
}

/* A line of a request, or a warning: kept for the story. */
static void keep_line(struct app *a, const struct app_line *l, struct str request)
{
    enum { TEXT_BYTES = 400 };
    const struct lane *lane = &a->lanes.at[l->lane];
    const struct task *now = app_task_now(a, l->lane);

    if (request.n == 0 && l->log->level < 30)
        return;
    cell_t c[line_columns] = {
        [C_line_t0] = l->head->t,
        [C_line_t1] = l->head->t,
        [C_line_level] = l->log->level,
        [C_line_service] = pass_text(a->pass, l->service),
        [C_line_logger] = pass_text(a->pass, l->log->logger),
        [C_line_func] = pass_text(a->pass, l->log->func),
        [C_line_lineno] = l->log->lineno,
        [C_line_pid] = lane->pid,
        [C_line_thread] = lane->thread,
        [C_line_request] = pass_text(a->pass, request),
        [C_line_uuid] = app_cell(a, lane->uuid),
        [C_line_text] = pass_text(a->pass, str_first(l->log->msg, TEXT_BYTES)),
        [C_line_task] = app_cell(a, now ? now->name : 0),
    };
    pass_record(a->pass, TABLE_line, c);
}

/* --- one line --------------------------------------------------------------- */

static struct str source_of(const struct app_line *l)
{
    if (str_is(l->log->logger, "ostrace.span"))
        return STR("span");
    if (payload_has(l->record, "publisher_id"))
        return payload_has(l->record, "versioned") ? STR("versioned") : STR("notification");
    return STR("record");
}

static void do_record(struct app *a, struct app_line *l)
{
    app_record_type(payload_get(l->record, "event_type"), &a->pass->scratch, &l->type);
    l->source = source_of(l);
    if (payload_get(l->record, "request_id").n)
        a->lanes.at[l->lane].told = app_text(a, payload_get(l->record, "request_id"));
    if (app_step_record(a, l))
        return;
    app_task_record(a, l);
    app_entity_record(a, l);
}

static void learn_uuid(struct app *a, uint32_t lane_no, struct str uuid)
{
    struct lane *lane = &a->lanes.at[lane_no];
    uint32_t id = app_text(a, uuid);

    if (uuid.n == 0 || lane->uuid == id)
        return;
    bool unknown = lane->uuid == 0;
    lane->uuid = id;
    if (unknown)
        app_steps_backfill(a, lane_no);
    lane->fresh = (uint32_t)a->steps.n;
}

/* A greenlet's identity is used again: after a pause, or when its lock is gone
 * and no task is open, what it knew is no longer true. */
static void forget(struct app *a, uint32_t lane_no, ns_t t)
{
    enum { PAUSE_S = 1 };
    struct lane *lane = &a->lanes.at[lane_no];

    if (lane->open.n || lane->lock_uuid || lane->last_t == NS_MIN ||
        t - lane->last_t < PAUSE_S * NS_PER_S)
        return;
    lane->uuid = 0;
    lane->request = lane->told = 0;
    lane->fresh = (uint32_t)a->steps.n;
}

static bool do_facts(struct app *a, const struct app_line *l, struct log_facts *facts)
{
    bool beat = false;

    for (size_t i = 0; i < facts->n; i++) {
        const struct log_fact *f = &facts->at[i];

        beat |= f->kind == FACT_PERIODIC;
        if (f->kind == FACT_API_OBJECT && f->object.kind == API_PORT &&
            str_starts(f->object.device_owner, STR("compute:")))
            learn_uuid(a, l->lane, f->object.device_id);
        if (f->kind == FACT_LIFECYCLE || f->kind == FACT_LIFECYCLE_SEEN)
            learn_uuid(a, l->lane, f->power.uuid);
        app_step_fact(a, l, f);
        app_entity_fact(a, l, f);
    }
    return beat;
}

static void on_log(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    struct app *a = state;
    const struct ev_python_log *log = ev;
    struct app_line l = { .head = h, .log = log };
    struct log_facts facts = { 0 };
    struct payload record;
    bool beat = false;

    l.lane = find_lane(a, h, log);
    l.service = service_of(a, h, l.lane, log);
    forget(a, l.lane, h->t);
    if (log->msg.n <= LIMIT_LOG_FACT_BYTES && payload_parse(log->msg, &p->scratch, &record))
        l.record = &record;
    if (l.record) {
        do_record(a, &l);
        if (record.truncated)
            note_add(p->notes, NOTE_WARN, p->host,
                     "records in log messages are cut off: what was complete is used (raise the "
                     "tracer's string limit)");
    } else if (log->msg.n <= LIMIT_LOG_FACT_BYTES) {
        learn_uuid(a, l.lane, oslog_instance(log->msg));
        if (oslog_decode(log->logger, log->msg, &p->scratch, &facts))
            beat = do_facts(a, &l, &facts);
    } else {
        note_add(p->notes, NOTE_WARN, p->host, "log messages over %u bytes are not looked into",
                 LIMIT_LOG_FACT_BYTES);
    }
    app_task_line(a, &l, &facts);

    const struct task *now = app_task_now(a, l.lane);
    struct str request = l.record ? payload_get(l.record, "request_id") : STR("");
    if (request.n == 0)
        request = app_str(a, now && now->request ? now->request : a->lanes.at[l.lane].request);
    if (request.n)
        count_request(a, &l, request);
    for (size_t i = 0; i < facts.n; i++) /* the other service's own request */
        if (facts.at[i].kind == FACT_HTTP_RESPONSE && facts.at[i].http.request_id.n)
            count_request(a, &l, facts.at[i].http.request_id);
    keep_line(a, &l, request);
    count_service(a, &l, beat);
    a->lanes.at[l.lane].last_t = h->t;

    struct ev_service_line line = { .service = l.service, .level = log_level_of(log->level) };
    pass_emit(p, EV_SERVICE_LINE, h, &line);
}

/* --- the pass ---------------------------------------------------------------- */

static void start(void *state, struct pass *p)
{
    struct app *a = state;

    a->pass = p;
    strtab_id(&a->texts, STR(""));
}

static void write_seen(struct app *a)
{
    for (size_t i = 0; i < a->requests.n; i++) {
        const struct request_seen *r = &a->requests.at[i];
        cell_t c[request_seen_columns] = {
            [C_request_seen_t0] = r->t0,
            [C_request_seen_t1] = r->t1,
            [C_request_seen_request] = app_cell(a, r->request),
            [C_request_seen_service] = app_cell(a, r->service),
            [C_request_seen_count] = r->count,
            [C_request_seen_user] = app_cell(a, r->user),
            [C_request_seen_project] = app_cell(a, r->project),
            [C_request_seen_errors] = r->errors,
            [C_request_seen_warnings] = r->warnings,
            [C_request_seen_first_error] = app_cell(a, r->first_error),
        };
        pass_record(a->pass, TABLE_request_seen, c);
    }
    for (size_t i = 0; i < a->services.n; i++) {
        const struct service_seen *s = &a->services.at[i];
        cell_t c[service_seen_columns] = {
            [C_service_seen_t0] = s->t0,
            [C_service_seen_t1] = s->t1,
            [C_service_seen_service] = app_cell(a, s->service),
            [C_service_seen_pid] = s->pid,
            [C_service_seen_procname] = app_cell(a, s->procname),
            [C_service_seen_lines] = s->lines,
            [C_service_seen_beats] = s->beats,
            [C_service_seen_warnings] = s->warnings,
            [C_service_seen_errors] = s->errors,
            [C_service_seen_loggers] = pass_text(a->pass, sbuf_view(&s->loggers)),
            [C_service_seen_threads] = s->threads,
        };
        pass_record(a->pass, TABLE_service_seen, c);
    }
}

static void app_free(struct app *a)
{
    for (size_t i = 0; i < a->lanes.n; i++) {
        vec_free(&a->lanes.at[i].open);
        vec_free(&a->lanes.at[i].steps);
    }
    for (size_t i = 0; i < a->services.n; i++)
        sbuf_free(&a->services.at[i].loggers);
    vec_free(&a->lanes);
    vec_free(&a->tasks);
    vec_free(&a->open);
    vec_free(&a->steps);
    vec_free(&a->rpcs);
    vec_free(&a->requests);
    vec_free(&a->services);
    struct map64 *maps[] = { &a->lane_of,     &a->family_of, &a->service_of_pid, &a->open_by_key,
                             &a->done_by_key, &a->waits,     &a->calls,          &a->request_of,
                             &a->seen_of,     &a->idents,    &a->rpc_of };
    for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
        map64_free(maps[i]);
    strtab_free(&a->texts);
}

static void finish(void *state, struct pass *p)
{
    struct app *a = state;

    (void)p;
    app_tasks_finish(a);
    app_steps_finish(a);
    write_seen(a);
    app_free(a);
}

static const struct handler handlers[] = { { EV_PYTHON_LOG, on_log }, { EV_OTHER, NULL } };

const struct analysis an_app_log = {
    .name = "app-log",
    .title = "Tasks, waits and entities of OpenStack's services",
    .layer = "application",
    .doc = "Reads the services' log lines (LTTng Python agent): structured records become tasks "
           "with a start and an end, ordinary lines become locks, commands, HTTP calls, waits, "
           "scheduler decisions, and the names that tie instances, ports and volumes together.",
    .handlers = handlers,
    .state_size = sizeof(struct app),
    .start = start,
    .finish = finish,
};
