/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud_requests.c -- every request id, over all services and hosts: who asked,
 * what was done, how it ended.
 *
 * Outcome: a request that put an instance into state "error" failed, whatever
 * else succeeded; one whose last word on an instance is a good state did what
 * it should, and errors on the way are counted beside it; without an instance,
 * a failed task or an error line decides.  A request with a task that never
 * ended is open.  A call that only its client tells of has the client's status. */
#include "analysis/cloud.h"

#include <stdlib.h>

struct presence {
    ns_t t0;
    struct str service;
};

struct req {
    struct str id, user, project, parent, action, entity, uuid, first_error;
    ns_t t0, t1;
    VEC(struct presence) services;
    struct text_set hosts;
    int64_t lines, tasks, open, failed, errors, warnings;
    ns_t action_ns;             /* length of the task that names the action      */
    bool has_call, call_failed; /* an HTTP call or served line with a status    */
    struct str last_state;      /* the instance's, by this request               */
    ns_t last_state_t;
    cell_t word;        /* enum vm_word: who tells last_state            */
    bool settled;       /* last_state came with no task left             */
    uint32_t same_uuid; /* next request on the same instance, + 1        */
};

struct reqs {
    VEC(struct req) list;
    struct strtab ids; /* id of text - 1 = position              */
    struct strtab uuids;
    VEC(uint32_t) by_uuid; /* id of uuid -> a request's position + 1 */
};

static struct req *req_at(struct reqs *q, struct str id)
{
    uint32_t at = strtab_id(&q->ids, id);

    if (at > q->list.n)
        *vec_push(&q->list) = (struct req){ .id = id, .t0 = NS_MAX, .t1 = NS_MIN };
    return &q->list.at[at - 1];
}

static void extend(struct req *r, ns_t t0, ns_t t1)
{
    if (t0 != STORE_NULL && t0 < r->t0)
        r->t0 = t0;
    if (t1 != STORE_NULL && t1 > r->t1)
        r->t1 = t1;
}

static void read_seen(struct reqs *q, const struct cloud *c)
{
    struct cloud_rows rows = cloud_rows(c, TABLE_request_seen);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&rows, &s))) {
        struct req *r = req_at(q, store_text(s, row[C_request_seen_request]));

        extend(r, row[C_request_seen_t0], row[C_request_seen_t1]);
        *vec_push(&r->services) =
            (struct presence){ row[C_request_seen_t0], store_text(s, row[C_request_seen_service]) };
        text_set_add(&r->hosts, str_of(store_host(s)));
        r->lines += row[C_request_seen_count];
        r->errors += row[C_request_seen_errors];
        r->warnings += row[C_request_seen_warnings];
        if (r->user.n == 0)
            r->user = store_text(s, row[C_request_seen_user]);
        if (r->project.n == 0)
            r->project = store_text(s, row[C_request_seen_project]);
        if (r->first_error.n == 0)
            r->first_error = store_text(s, row[C_request_seen_first_error]);
    }
}

static void read_tasks(struct reqs *q, const struct cloud *c)
{
    struct cloud_rows rows = cloud_rows(c, TABLE_task);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&rows, &s))) {
        struct str id = store_text(s, row[C_task_request]);
        struct str status = store_text(s, row[C_task_status]);

        if (id.n == 0)
            continue;
        struct req *r = req_at(q, id);
        ns_t length = row[C_task_t0] != STORE_NULL && row[C_task_t1] != STORE_NULL
                          ? row[C_task_t1] - row[C_task_t0]
                          : 0;
        extend(r, row[C_task_t0], row[C_task_t1]);
        r->tasks++;
        r->open += str_is(status, "open");
        r->failed += str_is(status, "error");
        if (r->project.n == 0)
            r->project = store_text(s, row[C_task_project]);
        if (r->user.n == 0)
            r->user = store_text(s, row[C_task_user]);
        if (str_is(status, "error") && r->first_error.n == 0)
            r->first_error = store_text(s, row[C_task_error]);
        if (r->action.n == 0 || length > r->action_ns) {
            r->action = store_text(s, row[C_task_task]);
            r->action_ns = length;
        }
        if (r->entity.n == 0 || str_is(store_text(s, row[C_task_kind]), "instance"))
            if (store_text(s, row[C_task_entity]).n) {
                r->entity = store_text(s, row[C_task_entity]);
                r->uuid = store_text(s, row[C_task_uuid]);
            }
    }
}

/* The request that worked on instance 'uuid' at 't': the longest one, as it is the
 * one that others follow from. */
static struct str request_on(const struct reqs *q, struct str uuid, ns_t t)
{
    const struct req *best = NULL;
    uint32_t id;

    if (uuid.n == 0 || !strtab_find(&q->uuids, uuid, &id) || id >= q->by_uuid.n)
        return STR("");
    for (uint32_t at = q->by_uuid.at[id]; at; at = q->list.at[at - 1].same_uuid) {
        const struct req *r = &q->list.at[at - 1];

        if (r->t0 <= t && t <= r->t1 && (!best || r->t1 - r->t0 > best->t1 - best->t0))
            best = r;
    }
    return best ? best->id : STR("");
}

/* Chains requests by the instance they work on. */
static void index_uuids(struct reqs *q)
{
    strtab_id(&q->uuids, STR(""));
    for (uint32_t i = 0; i < q->list.n; i++) {
        struct req *r = &q->list.at[i];
        uint32_t id = strtab_id(&q->uuids, r->uuid);

        while (q->by_uuid.n <= id)
            *vec_push(&q->by_uuid) = 0;
        if (r->uuid.n) {
            r->same_uuid = q->by_uuid.at[id];
            q->by_uuid.at[id] = i + 1;
        }
    }
}

/* HTTP calls: the id in the answer is a request of the other service. */
static void read_calls(struct reqs *q, const struct cloud *c)
{
    struct cloud_rows rows = cloud_rows(c, TABLE_step);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&rows, &s))) {
        struct str child = store_text(s, row[C_step_child]);
        struct str kind = store_text(s, row[C_step_kind]);
        bool http = str_starts(kind, STR("http")) || str_is(kind, "served");

        if (!http || !str_starts(child, STR("req-")))
            continue;
        struct req *r = req_at(q, child);
        extend(r, row[C_step_t0], row[C_step_t1]);
        r->has_call = true;
        r->call_failed |= row[C_step_code] != STORE_NULL && row[C_step_code] >= 400;
        if (r->action.n == 0)
            r->action = store_text(s, row[C_step_name]);
        struct str parent = store_text(s, row[C_step_request]);
        if (parent.n == 0 && row[C_step_t0] != STORE_NULL) /* a greenlet of its own */
            parent = request_on(q, store_text(s, row[C_step_entity]), row[C_step_t0]);
        if (r->parent.n == 0 && !str_eq(parent, child))
            r->parent = parent;
        if (r->hosts.at.n == 0)
            text_set_add(&r->hosts, str_of(store_host(s)));
    }
}

static void read_states(struct reqs *q, const struct cloud *c)
{
    struct cloud_rows rows = cloud_rows(c, TABLE_vm_seen);
    const struct store *s;
    const cell_t *row;

    while ((row = cloud_rows_next(&rows, &s))) {
        struct str id = store_text(s, row[C_vm_seen_request]);

        cell_t word = row[C_vm_seen_firm];

        if (id.n == 0 || word == WORD_OBSERVED)
            continue;
        struct req *r = req_at(q, id);
        if (r->last_state.n &&
            (word > r->word || (word == r->word && row[C_vm_seen_t0] < r->last_state_t)))
            continue;
        r->word = word;
        r->last_state = store_text(s, row[C_vm_seen_state]);
        r->last_state_t = row[C_vm_seen_t0];
        r->settled = store_text(s, row[C_vm_seen_task_state]).n == 0;
    }
}

static const char *outcome(const struct req *r)
{
    if (str_is(r->last_state, "error"))
        return "error";
    if (r->open)
        return "open";
    /* A good state is the last word, unless it is what a failed action found. */
    if (r->last_state.n && r->settled && (r->word == WORD_UPDATE || !r->failed) &&
        !str_is(r->last_state, "building"))
        return "ok";
    if (r->failed || r->errors || r->call_failed)
        return "error";
    if (r->tasks || r->has_call || r->last_state.n)
        return "ok";
    return "unknown"; /* only lines: nothing says how it ended */
}

static int by_t0(const void *a, const void *b)
{
    const struct presence *x = a, *y = b;

    return (x->t0 > y->t0) - (x->t0 < y->t0);
}

static void write_request(struct cloud *c, struct req *r)
{
    struct text_set services = { 0 };

    if (r->services.n)
        qsort(r->services.at, r->services.n, sizeof *r->services.at, by_t0);
    for (size_t i = 0; i < r->services.n; i++)
        text_set_add(&services, r->services.at[i].service);
    cell_t cells[request_columns] = {
        [C_request_t0] = r->t0 == NS_MAX ? STORE_NULL : r->t0,
        [C_request_t1] = r->t1 == NS_MIN ? STORE_NULL : r->t1,
        [C_request_request] = cloud_text(c, r->id),
        [C_request_outcome] = cloud_text(c, str_of(outcome(r))),
        [C_request_user] = cloud_text(c, r->user),
        [C_request_project] = cloud_text(c, r->project),
        [C_request_services] = text_set_cell(c, &services),
        [C_request_hosts] = text_set_cell(c, &r->hosts),
        [C_request_action] = cloud_text(c, r->action),
        [C_request_entity] = cloud_text(c, r->entity),
        [C_request_uuid] = cloud_text(c, r->uuid),
        [C_request_parent] = cloud_text(c, r->parent),
        [C_request_lines] = r->lines,
        [C_request_tasks] = r->tasks,
        [C_request_errors] = r->errors + r->failed,
        [C_request_warnings] = r->warnings,
        [C_request_first_error] = cloud_text(c, r->first_error),
        [C_request_open] = r->open,
    };
    cloud_record(c, TABLE_request, cells);
    text_set_free(&services);
}

/* The user of a request is often only known from the instance (libvirt's
 * domain XML): the request that built it belongs to the same. */
static void user_from_instance(struct reqs *q, const struct cloud *c)
{
    struct cloud_rows rows = cloud_rows(c, TABLE_ident);
    struct strtab uuids = { 0 };
    VEC(struct str) users = { 0 };
    const struct store *s;
    const cell_t *row;

    strtab_id(&uuids, STR(""));
    while ((row = cloud_rows_next(&rows, &s)))
        if (str_is(store_text(s, row[C_ident_bkind]), "user")) {
            uint32_t id = strtab_id(&uuids, store_text(s, row[C_ident_a]));

            while (users.n <= id)
                *vec_push(&users) = STR("");
            users.at[id] = store_text(s, row[C_ident_b]);
        }
    for (size_t i = 0; i < q->list.n; i++) {
        struct req *r = &q->list.at[i];
        uint32_t id;

        if (r->user.n == 0 && r->uuid.n && strtab_find(&uuids, r->uuid, &id) && id < users.n)
            r->user = users.at[id];
    }
    vec_free(&users);
    strtab_free(&uuids);
}

static void global(struct cloud *c)
{
    struct reqs q = { 0 };

    strtab_id(&q.ids, STR(""));
    read_seen(&q, c);
    read_tasks(&q, c);
    index_uuids(&q);
    read_calls(&q, c);
    read_states(&q, c);
    user_from_instance(&q, c);
    for (size_t i = 0; i < q.list.n; i++) {
        write_request(c, &q.list.at[i]);
        vec_free(&q.list.at[i].services);
        text_set_free(&q.list.at[i].hosts);
    }
    vec_free(&q.list);
    vec_free(&q.by_uuid);
    strtab_free(&q.ids);
    strtab_free(&q.uuids);
}

const struct analysis an_cloud_requests = {
    .name = "cloud-requests",
    .title = "Requests over all services and hosts",
    .layer = "application",
    .doc = "Collects what every service tells of a request id, follows calls to other services, "
           "and says how the request ended.",
    .global = global,
};
