/* SPDX-License-Identifier: Apache-2.0
 *
 * app_tasks.c -- one mechanism for the tasks of all services.
 *
 * A ".start" opens a task in its lane; the ".end" that closes it is searched
 * in the lane first, then among the open tasks of the host with the same name,
 * entity and request, then without the request: some operations end in another
 * thread or process.  Several sources can tell of one task (a span around a
 * method, the old and the versioned notification inside of it): the first to
 * begin it counts, the others are named as further evidence.
 *
 * A task without an end is
 *   aborted   if its thread warned and went on to other work: it ends where the
 *             thread closed the work around it, never at the end of the trace;
 *   open      otherwise: nothing says that it is over.
 * An end without a start is a task whose start is unknown. */
#include "analysis/app.h"

#include "base/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Another source may tell of the same task so long after it ended. */
#define ECHO_NS (10 * NS_PER_S)
/* An end that fits no open task by its key is compared with so many, the latest. */
enum { OPEN_LOOKED_AT = 4096 };

struct task *app_task_now(struct app *a, uint32_t lane)
{
    const struct lane *l = &a->lanes.at[lane];

    return l->open.n ? &a->tasks.at[l->open.at[l->open.n - 1]] : NULL;
}

static uint64_t task_key(uint32_t name, uint32_t entity, uint32_t request)
{
    uint32_t parts[] = { name, entity, request };

    return hash_bytes(parts, sizeof parts, 1);
}

/* What identifies the entity: its id if there is one, else its name. */
static uint32_t entity_key(const struct task *t)
{
    return t->uuid ? t->uuid : t->entity;
}

static void add_source(struct app *a, struct task *t, struct str source)
{
    struct str all = app_str(a, t->sources);
    struct sbuf b = { 0 };

    if (str_find(all, source, 0) != STR_NONE)
        return;
    sbuf_str(&b, all);
    sbuf_chr(&b, '+');
    sbuf_str(&b, source);
    t->sources = app_text(a, sbuf_view(&b));
    sbuf_free(&b);
}

static bool same_entity(const struct task *t, const struct task *new)
{
    if (t->uuid && new->uuid)
        return t->uuid == new->uuid;
    if (t->entity && new->entity)
        return t->entity == new->entity;
    return !(t->uuid | t->entity) || !(new->uuid | new->entity);
}

/* What the record says, as a task that is not yet placed. */
static void describe(struct app *a, const struct app_line *l, struct task *t)
{
    const struct payload *r = l->record;
    struct app_entity e;
    struct str error = payload_get(r, "fault");

    app_entity_of(l, &e);
    const char *row = l->type.def ? l->type.def->service : "";
    *t = (struct task){ .t0 = STORE_NULL,
                        .t1 = STORE_NULL,
                        .lane = l->lane,
                        .service =
                            app_text(a, l->head->pid < 0 && row[0] ? str_of(row) : l->service),
                        .logger = app_text(a, l->log->logger),
                        .name = app_text(a, l->type.name),
                        .base = app_text(a, l->type.base),
                        .kind = app_text(a, str_of(e.kind)),
                        .entity = app_text(a, e.name.n ? e.name : e.id),
                        .uuid = app_text(a, e.id),
                        .request = app_text(a, payload_get(r, "request_id")),
                        .user = app_text(a, payload_get(r, "user_id")),
                        .project = app_text(a, payload_get(r, "project_id")),
                        .node = app_text(a, payload_get(r, "host")),
                        .func = app_text(a, l->log->func),
                        .lineno = l->log->lineno,
                        .error = app_text(a, error.n ? error : payload_get(r, "fault.message")),
                        .first_source = app_text(a, l->source),
                        .sources = app_text(a, l->source),
                        .other_end = STORE_NULL,
                        .warned = STORE_NULL,
                        .closing = STORE_NULL };
    if (t->error == 0 && l->type.phase == PHASE_ERROR)
        t->error =
            app_text(a, payload_get(r, "message").n ? payload_get(r, "message") : STR("failed"));
    t->key = task_key(t->name, entity_key(t), t->request);
}

/* Later records know more than the first: fill what was empty. */
static void learn(struct task *t, const struct task *new)
{
    uint32_t *mine[] = { &t->entity, &t->uuid, &t->request, &t->user, &t->project, &t->kind };
    const uint32_t theirs[] = { new->entity, new->uuid,    new->request,
                                new->user,   new->project, new->kind };

    for (size_t i = 0; i < ARRAY_SIZE(mine); i++)
        if (*mine[i] == 0)
            *mine[i] = theirs[i];
    if (new->node)
        t->node = new->node;
}

/* Removes a task from its lane and from the open ones. */
static void unlist(struct app *a, uint32_t index)
{
    struct task *t = &a->tasks.at[index];
    struct lane *l = &a->lanes.at[t->lane];
    uint32_t at;

    for (size_t i = 0; i < l->open.n; i++)
        if (l->open.at[i] == index) {
            memmove(&l->open.at[i], &l->open.at[i + 1], (l->open.n - i - 1) * sizeof *l->open.at);
            l->open.n--;
            break;
        }
    if (map64_get(&a->open_by_key, t->key, &at) && at == index)
        map64_del(&a->open_by_key, t->key);
    for (size_t i = a->open.n; i-- > 0;) /* most end soon after they begin */
        if (a->open.at[i] == index) {
            memmove(&a->open.at[i], &a->open.at[i + 1], (a->open.n - i - 1) * sizeof *a->open.at);
            a->open.n--;
            break;
        }
}

/* For echoes: with the request and, as services may differ in it, without. */
static void remember_done(struct app *a, uint32_t index)
{
    const struct task *t = &a->tasks.at[index];

    map64_set(&a->done_by_key, t->key, index);
    if (entity_key(t))
        map64_set(&a->done_by_key, task_key(t->name, entity_key(t), 0), index);
}

static void close_task(struct app *a, uint32_t index, ns_t t1, enum task_status status)
{
    struct task *t = &a->tasks.at[index];

    unlist(a, index);
    t->t1 = t1;
    t->status = status;
    remember_done(a, index);
    if (a->lanes.at[t->lane].open.n == 0)
        a->lanes.at[t->lane].request = 0;
}

/* The same task is begun again in its lane although it never ended: the thread
 * has left the first one. */
static void supersede(struct app *a, uint32_t index, ns_t now)
{
    struct task *t = &a->tasks.at[index];
    ns_t end = t->closing != STORE_NULL  ? t->closing
               : t->warned != STORE_NULL ? t->warned
                                         : a->lanes.at[t->lane].last_t;

    if (t->error == 0)
        t->error = t->warning;
    close_task(a, index, end > now ? now : end, TASK_ABORTED);
}

static void open_task(struct app *a, const struct app_line *l, const struct task *new)
{
    struct lane *lane = &a->lanes.at[l->lane];

    for (size_t i = lane->open.n; i-- > 0;) {
        struct task *t = &a->tasks.at[lane->open.at[i]];

        if (t->name != new->name)
            continue;
        if (same_entity(t, new) && t->first_source != new->first_source) {
            add_source(a, t, l->source);
            learn(t, new);
            return;
        }
        if (t->first_source == new->first_source)
            supersede(a, lane->open.at[i], l->head->t);
    }
    uint32_t at;
    if (map64_get(&a->open_by_key, new->key, &at) && new->request &&
        a->tasks.at[at].first_source != new->first_source &&
        a->lanes.at[a->tasks.at[at].lane].pid == lane->pid) {
        add_source(a, &a->tasks.at[at], l->source);
        learn(&a->tasks.at[at], new);
        return;
    }
    if (a->open.n >= LIMIT_OPEN_TASKS) {
        note_add(a->pass->notes, NOTE_WARN, a->pass->host,
                 "over %u tasks are open at once: further ones are not followed", LIMIT_OPEN_TASKS);
        return;
    }
    struct task *t = vec_push(&a->tasks);
    *t = *new;
    t->t0 = l->head->t;
    t->status = TASK_OPEN;
    t->depth = (uint32_t)lane->open.n;
    t->mention = lane->lock_uuid;
    *vec_push(&lane->open) = (uint32_t)a->tasks.n - 1;
    map64_set(&a->open_by_key, t->key, (uint32_t)a->tasks.n - 1);
    *vec_push(&a->open) = (uint32_t)a->tasks.n - 1;
    if (t->request)
        lane->request = t->request;
}

/* The open task that this end belongs to, or NONE. */
static uint32_t find_open(struct app *a, const struct app_line *l, const struct task *new)
{
    const struct lane *lane = &a->lanes.at[l->lane];
    uint32_t at;

    for (size_t i = lane->open.n; i-- > 0;) {
        const struct task *t = &a->tasks.at[lane->open.at[i]];

        if (t->name == new->name && same_entity(t, new) &&
            (!t->request || !new->request || t->request == new->request))
            return lane->open.at[i];
    }
    if (map64_get(&a->open_by_key, new->key, &at))
        return at;
    /* In another thread and under another request: the entity alone decides. */
    if (entity_key(new) == 0)
        return NONE;
    for (size_t i = a->open.n, looked = 0; i-- > 0 && looked < OPEN_LOOKED_AT; looked++) {
        const struct task *t = &a->tasks.at[a->open.at[i]];

        if (t->name == new->name && entity_key(t) && same_entity(t, new))
            return a->open.at[i];
    }
    return NONE;
}

/* Did another source already end this task? */
static bool is_echo(struct app *a, const struct app_line *l, const struct task *new)
{
    uint32_t at;

    if (!map64_get(&a->done_by_key, new->key, &at) &&
        !(entity_key(new) &&
          map64_get(&a->done_by_key, task_key(new->name, entity_key(new), 0), &at)))
        return false;
    struct task *t = &a->tasks.at[at];
    if (t->t1 == STORE_NULL || l->head->t - t->t1 > ECHO_NS || t->first_source == new->first_source)
        return false;
    add_source(a, t, l->source);
    if (t->error == 0)
        t->error = new->error;
    return true;
}

static void end_task(struct app *a, const struct app_line *l, const struct task *new)
{
    enum task_status status = l->type.phase == PHASE_ERROR || new->error ? TASK_ERROR : TASK_DONE;
    uint32_t at = find_open(a, l, new);

    if (at != NONE) {
        struct task *t = &a->tasks.at[at];

        learn(t, new);
        if (new->error)
            t->error = new->error;
        add_source(a, t, l->source);
        if (t->first_source == new->first_source || l->type.phase == PHASE_ERROR) {
            if (t->error)
                status = TASK_ERROR;
            close_task(a, at, l->head->t, status);
        } else {
            t->other_end = l->head->t;
        }
        return;
    }
    if (is_echo(a, l, new))
        return;
    struct task *t = vec_push(&a->tasks);
    *t = *new;
    t->t1 = l->head->t;
    t->status = status == TASK_ERROR ? TASK_ERROR : TASK_END_ONLY;
    remember_done(a, (uint32_t)a->tasks.n - 1);
}

void app_task_record(struct app *a, const struct app_line *l)
{
    struct task new;

    if (l->type.phase == PHASE_POINT)
        return;
    describe(a, l, &new);
    if (l->type.phase == PHASE_START)
        open_task(a, l, &new);
    else
        end_task(a, l, &new);
}

/* Lines with which a thread lays work down that it had begun before 't0': a lock or
 * work from within the task says nothing about the task. */
static bool closes_work(const struct app_line *l, const struct log_facts *facts, ns_t t0)
{
    const ns_t rounded = NS_PER_S / 1000; /* services tell how long they held a lock in ms */

    if (l->record && l->type.phase == PHASE_END && str_is(l->type.base, "rpc.server"))
        return true;
    for (size_t i = 0; i < facts->n; i++) {
        const struct log_fact *f = &facts->at[i];
        bool lock = f->kind == FACT_LOCK_RELEASED;
        bool work = f->kind == FACT_AGENT_WORK && f->work.stage == WORK_END;
        ns_t took = lock ? f->lock.ns : f->work.ns;

        if (f->kind == FACT_PERIODIC ||
            ((lock || work) && (took == OSLOG_NO_NS || l->head->t - took <= t0 + rounded)))
            return true;
    }
    return false;
}

void app_task_line(struct app *a, const struct app_line *l, const struct log_facts *facts)
{
    struct lane *lane = &a->lanes.at[l->lane];

    for (size_t i = 0; i < lane->open.n; i++) {
        struct task *t = &a->tasks.at[lane->open.at[i]];

        if (lane->uuid && lane->uuid != t->mention)
            t->mention = t->mention == 0 ? lane->uuid : NONE;
        if (t->warned == STORE_NULL && l->log->level >= 30) {
            t->warned = l->head->t;
            t->warning = app_text(a, str_first(l->log->msg, 300));
        } else if (t->warned != STORE_NULL && t->closing == STORE_NULL &&
                   closes_work(l, facts, t->t0)) {
            t->closing = l->head->t;
        }
    }
}

static void settle_open(struct app *a, uint32_t index)
{
    struct task *t = &a->tasks.at[index];

    if (t->other_end != STORE_NULL) {
        close_task(a, index, t->other_end, t->error ? TASK_ERROR : TASK_DONE);
    } else if (t->warned != STORE_NULL) {
        if (t->error == 0)
            t->error = t->warning;
        if (t->closing != STORE_NULL)
            close_task(a, index, t->closing, TASK_ABORTED);
    }
}

static void write_task(struct app *a, const struct task *t)
{
    const struct lane *lane = &a->lanes.at[t->lane];
    char key[24];

    snprintf(key, sizeof key, "%016" PRIx64, t->key);
    cell_t c[task_columns] = {
        [C_task_t0] = t->t0,
        [C_task_t1] = t->t1,
        [C_task_status] = pass_text(a->pass, str_of(task_status_values.at[t->status].label)),
        [C_task_service] = app_cell(a, t->service),
        [C_task_logger] = app_cell(a, t->logger),
        [C_task_task] = app_cell(a, t->name),
        [C_task_event_type] = app_cell(a, t->base),
        [C_task_kind] = app_cell(a, t->kind),
        [C_task_entity] = app_cell(a, t->entity),
        [C_task_uuid] = app_cell(a, t->uuid),
        [C_task_request] = app_cell(a, t->request),
        [C_task_user] = app_cell(a, t->user),
        [C_task_project] = app_cell(a, t->project),
        [C_task_node] = app_cell(a, t->node),
        [C_task_pid] = lane->pid,
        [C_task_thread] = lane->thread,
        [C_task_func] = app_cell(a, t->func),
        [C_task_lineno] = t->lineno,
        [C_task_error] = app_cell(a, t->error),
        [C_task_sources] = app_cell(a, t->sources),
        [C_task_depth] = t->depth,
        [C_task_key] = pass_text(a->pass, str_of(key)),
    };
    pass_record(a->pass, TABLE_task, c);
}

void app_tasks_finish(struct app *a)
{
    for (uint32_t i = 0; i < a->tasks.n; i++) {
        struct task *t = &a->tasks.at[i];

        if (t->status == TASK_OPEN)
            settle_open(a, i);
        /* The instance's id, when only its name is in the records. */
        if (t->uuid == 0 && t->mention && t->mention != NONE &&
            str_is(app_str(a, t->kind), "instance")) {
            app_ident(a, t->t0, "vm", app_str(a, t->entity), "uuid", app_str(a, t->mention),
                      "the only instance that the thread of its task names");
            t->uuid = t->mention;
        }
        write_task(a, t);
    }
}
