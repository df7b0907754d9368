/* SPDX-License-Identifier: Apache-2.0
 *
 * app_messages.c -- ends of messages between services of different hosts, as their log lines tell.
 *
 * A call of oslo.messaging has an id that both sides write: the client before it sends and when
 * it has the reply, the server when it begins and before it replies.  Where a record has no id yet
 * (rpc.client.start), the oldest call of that method that goes on is taken for it: that is never
 * too late.
 * An API gives each request that it serves an id, at the earliest when it begins: every line
 * elsewhere that has the id comes after that.  The access line tells, at the end, how long the
 * request took; it is written a little after the time was taken, so the beginning is
 * put earlier by SERVED_MARGIN.  Whoever called the API learns the id with the answer.
 * (oslo.messaging/_drivers/amqpdriver.py, oslo.log, keystoneauth1/session.py, Zed) */
#include "analysis/app.h"
#include "analysis/message.h"

enum { SERVED_MARGIN = 20000000 /* ns */ };

enum leg { LEG_CALL, LEG_REPLY };

static void put(struct app *a, ns_t t, enum message_kind kind, enum message_dir dir, int64_t leg,
                struct str id)
{
    const int64_t key[] = { leg, (int64_t)hash_bytes(id.p, id.n, 11) };

    if (id.n && t != STORE_NULL)
        message_end(a->pass, t, kind, dir, key, sizeof key, 0);
}

/* --- oslo.messaging ---------------------------------------------------------------- */

/* Calls of one method by one process: how many go on, and since when there are any. */
static struct rpc_going *going(struct app *a, const struct app_line *l)
{
    struct str method = payload_get(l->record, "method"), topic = payload_get(l->record, "topic");
    uint64_t key = hash_bytes(topic.p, topic.n, hash_bytes(method.p, method.n, 12));
    uint32_t at;

    key ^= (uint64_t)a->lanes.at[l->lane].pid * UINT64_C(0x9E3779B97F4A7C15);
    if (!map64_get(&a->rpc_of, key, &at)) {
        at = (uint32_t)a->rpcs.n;
        *vec_push(&a->rpcs) = (struct rpc_going){ 0 };
        map64_set(&a->rpc_of, key, at);
    }
    return &a->rpcs.at[at];
}

static struct str message_id(const struct payload *r)
{
    struct str id = payload_get(r, "msg_id");

    return id.n ? id : payload_get(r, "unique_id");
}

static void client_record(struct app *a, const struct app_line *l)
{
    struct rpc_going *g = going(a, l);
    struct str id = message_id(l->record);
    bool replied = payload_get(l->record, "msg_id").n > 0; /* a cast has none */

    if (l->type.phase == PHASE_START) {
        g->since = g->n == 0 ? l->head->t : g->since;
        g->n++;
        return;
    }
    if (g->n > 0) {
        put(a, g->since, MESSAGE_RPC, MESSAGE_SENT, LEG_CALL, id);
        g->n--;
    }
    if (replied && payload_get(l->record, "fault").n == 0) /* else: perhaps nobody answered */
        put(a, l->head->t, MESSAGE_RPC, MESSAGE_RECEIVED, LEG_REPLY, id);
}

void app_message_record(struct app *a, const struct app_line *l)
{
    if (str_is(l->type.base, "rpc.client"))
        client_record(a, l);
    else if (l->type.phase == PHASE_START)
        put(a, l->head->t, MESSAGE_RPC, MESSAGE_RECEIVED, LEG_CALL, message_id(l->record));
    else if (payload_get(l->record, "msg_id").n)
        put(a, l->head->t, MESSAGE_RPC, MESSAGE_SENT, LEG_REPLY, message_id(l->record));
}

void app_message_fact(struct app *a, const struct app_line *l, const struct fact_rpc *f)
{
    switch (f->stage) {
    case RPC_MSG_ID:
    case RPC_CALL:
    case RPC_CAST: put(a, l->head->t, MESSAGE_RPC, MESSAGE_SENT, LEG_CALL, f->id); break;
    case RPC_RECEIVED: put(a, l->head->t, MESSAGE_RPC, MESSAGE_RECEIVED, LEG_CALL, f->id); break;
    case RPC_REPLYING: put(a, l->head->t, MESSAGE_RPC, MESSAGE_SENT, LEG_REPLY, f->id); break;
    case RPC_REPLIED: put(a, l->head->t, MESSAGE_RPC, MESSAGE_RECEIVED, LEG_REPLY, f->id); break;
    }
}

/* --- requests ---------------------------------------------------------------------- */

void app_message_seen(struct app *a, ns_t t, struct str request)
{
    put(a, t, MESSAGE_REQUEST, MESSAGE_RECEIVED, 0, request);
    put(a, t, MESSAGE_CALL, MESSAGE_RECEIVED, 0, request);
}

void app_message_served(struct app *a, const struct step *s)
{
    if (s->t0 != STORE_NULL)
        put(a, s->t0 - SERVED_MARGIN, MESSAGE_REQUEST, MESSAGE_SENT, 0, app_str(a, s->child));
}

void app_message_called(struct app *a, const struct step *s)
{
    if (s->t0 != STORE_NULL)
        put(a, s->t0 - SERVED_MARGIN, MESSAGE_CALL, MESSAGE_SENT, 0, app_str(a, s->child));
    put(a, s->t1, MESSAGE_REQUEST, MESSAGE_RECEIVED, 0, app_str(a, s->child));
}
