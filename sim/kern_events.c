/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_events.c -- writes kernel events, or loses them on purpose.
 *
 * Time goes on by kern.event_ns with every event, also with one that is not
 * recorded or lost: what happens is the same whatever is traced of it. */
#include "sim/kern_priv.h"

/* Is this CPU's buffer full at 'ts'?  When it has room again, LTTng ends the
 * packet: its count covers what was lost before its end. */
static bool is_lost(struct kern *k, struct kcpu *c, ns_t ts)
{
    if (ts < c->lost_from)
        return false;
    if (ts < c->lost_to) {
        if (!c->loss) {
            *vec_push(&k->losses) = (struct kern_loss){ .cpu = c->id, .from = ts };
            c->loss = k->losses.n;
        }
        k->losses.at[c->loss - 1].to = ts;
        k->losses.at[c->loss - 1].events++;
        ctfw_discard(k->channel, c->id, 1);
        return true;
    }
    kern_next_loss(k, c);
    if (ctfw_flush(k->channel, c->id, ts, k->err) < 0)
        k->failed = true;
    return false;
}

void kern_next_loss(struct kern *k, struct kcpu *c)
{
    c->lost_from = c->lost_to = KERN_NEVER;
    c->loss = 0;
    for (; c->lost_at < k->hc->n_lost; c->lost_at++) {
        const struct kc_lost *l = &k->hc->lost[c->lost_at];

        if (l->cpu != c->id)
            continue;
        c->lost_from = k->begin + l->at_ns;
        c->lost_to = c->lost_from + l->for_ns;
        c->lost_at++;
        return;
    }
}

static ns_t put(struct kern *k, struct kcpu *c, const struct ctfw_event *e,
                const struct ctfw_val *v)
{
    const struct ktask *t = c->curr;
    ns_t ts = k->now = host_leap(k->host, k->now + k->event_ns);

    k->last_ts = ts;
    if (!e || k->failed || is_lost(k, c, ts))
        return ts;
    const struct ctfw_val all[KC_CONTEXTS] = {
        [KC_PID] = ctfw_i(t->proc ? t->proc->pid : 0),
        [KC_TID] = ctfw_i(t->tid),
        [KC_PROCNAME] = kern_comm(t),
        [KC_VPID] = ctfw_i(t->proc ? t->proc->vpid : 0),
        [KC_VTID] = ctfw_i(t->vtid),
    };
    struct ctfw_val context[KC_CONTEXTS];

    for (unsigned i = 0, n = 0; i < KC_CONTEXTS; i++)
        if (k->conf->context & (1u << i))
            context[n++] = all[i];
    if (ctfw_emit(k->channel, c->id, e, ts, context, v, NULL, k->err) < 0)
        k->failed = true;
    return ts;
}

ns_t kern_emit(struct kern *k, struct kcpu *c, enum kev e, const struct ctfw_val *v)
{
    return put(k, c, k->ev[e], v);
}

ns_t kern_emit_sys(struct kern *k, struct kcpu *c, enum sys sys, bool entry,
                   const struct ctfw_val *v)
{
    return put(k, c, entry ? k->sys_in[sys] : k->sys_out[sys], v);
}
