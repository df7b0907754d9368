/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_json.c -- the parts of a migration, as nested values of its row; see
 * migration_show.h.  What is not known is null. */
#include "report/migration_show.h"

#include <math.h>

static const double UNKNOWN = (double)NAN;

/* Whole numbers of bytes: what was measured is not more exact. */
static void emit_rate(struct json *j, const char *key, double v)
{
    json_key(j, str_of(key));
    if (isfinite(v) && v >= 0 && v < 9e18)
        json_i64(j, (int64_t)llround(v));
    else
        json_none(j);
}

static void emit_seconds(struct json *j, const char *key, double s)
{
    emit_rate(j, key, s * (double)NS_PER_S);
}

static void emit_known(struct json *j, const char *key, int64_t v, int64_t unknown)
{
    emit_ns(j, key, v == unknown ? STORE_NULL : v);
}

/* What would let it end; null: it ends anyway, or not by that. */
static void emit_needed(struct json *j, const struct conv_verdict *v)
{
    bool never = v->ends == CONV_NEVER;

    json_kopen(j, "needed", '{');
    emit_rate(j, "bandwidth", never && v->need_bandwidth > 0 ? v->need_bandwidth : UNKNOWN);
    emit_seconds(j, "downtime_ns", never && v->need_downtime_s > 0 ? v->need_downtime_s : UNKNOWN);
    json_key(j, STR("throttle"));
    json_f64(j, never && v->need_throttle > 0 ? v->need_throttle : UNKNOWN);
    json_close(j, '}');
}

/* It has all its members, also where nothing could be foreseen. */
void migration_emit_prediction(struct json *j, const void *round_or_null)
{
    static const struct mig_round nothing = { .foreseen = CONV_UNKNOWN };
    const struct mig_round *r = round_or_null ? round_or_null : &nothing;
    const struct conv_verdict *v = &r->verdict;
    bool ends = v->ends == CONV_ENDS, known = v->ends != CONV_UNKNOWN;

    json_open(j, '{');
    json_key(j, STR("ends"));
    if (r->foreseen == CONV_UNKNOWN)
        json_none(j);
    else
        json_bool(j, r->foreseen == CONV_ENDS);
    emit_known(j, "after_round", r->n, 0);
    emit_seconds(j, "after_ns", ends ? v->after_s : UNKNOWN);
    emit_known(j, "rounds", ends ? (int64_t)v->rounds : STORE_NULL, STORE_NULL);
    emit_rate(j, "dirty_rate", known ? v->dirty_rate : UNKNOWN);
    emit_rate(j, "bandwidth", known ? v->bandwidth : UNKNOWN);
    emit_rate(j, "working_set", known && v->working_set > 0 ? v->working_set : UNKNOWN);
    emit_rate(j, "rest_bytes", known ? v->rest_bytes : UNKNOWN);
    emit_rate(j, "limit_bytes", known ? v->limit_bytes : UNKNOWN);
    emit_needed(j, v);
    json_close(j, '}');
}

void migration_emit_stages(struct json *j, const void *migration)
{
    const struct migration *m = migration;

    json_open(j, '[');
    for (size_t i = 0; i < m->stages.n; i++) {
        const struct mig_stage *s = &m->stages.at[i];

        json_open(j, '{');
        json_kstr(j, "name", s->name);
        emit_str(j, "layer", s->layer);
        emit_str(j, "host", s->host);
        emit_ns(j, "start_ns", s->t0);
        emit_ns(j, "end_ns", s->t1);
        emit_str(j, "status", s->status);
        emit_str(j, "evidence", s->evidence);
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void emit_round(struct json *j, const struct mig_round *r)
{
    json_open(j, '{');
    json_ki64(j, "n", r->n);
    emit_ns(j, "start_ns", r->t0);
    emit_ns(j, "end_ns", r->t1);
    emit_ns(j, "dirty_pages", r->dirty_pages);
    emit_ns(j, "dirtied_pages", r->dirtied_pages);
    emit_ns(j, "sent_bytes", r->sent_bytes);
    emit_rate(j, "dirty_rate", r->dirty_rate);
    emit_rate(j, "transfer_rate", r->transfer_rate);
    emit_ns(j, "throttle", r->throttle);
    json_key(j, STR("stopped"));
    json_bool(j, r->stopped);
    json_key(j, STR("prediction"));
    migration_emit_prediction(j, r->stopped ? NULL : r);
    json_close(j, '}');
}

void migration_emit_rounds(struct json *j, const void *migration)
{
    const struct migration *m = migration;

    json_open(j, '[');
    for (size_t i = 0; i < m->rounds.n; i++)
        emit_round(j, &m->rounds.at[i]);
    json_close(j, ']');
}

void migration_emit_culprits(struct json *j, const void *migration)
{
    const struct migration *m = migration;

    json_open(j, '[');
    for (size_t i = 0; i < m->culprits.n; i++) {
        const struct mig_culprit *c = &m->culprits.at[i];

        json_open(j, '{');
        emit_str(j, "name", c->name);
        emit_str(j, "kind", c->kind);
        json_ki64(j, "wait_ns", c->wait_ns);
        json_ki64(j, "thread_ns", c->thread_ns);
        json_key(j, STR("share"));
        json_f64(j, c->share);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void migration_emit_sharers(struct json *j, const void *migration)
{
    const struct migration *m = migration;

    json_open(j, '[');
    for (size_t i = 0; i < m->sharers.n; i++) {
        const struct mig_sharer *s = &m->sharers.at[i];

        json_open(j, '{');
        json_kstr(j, "resource", str_of(s->resource));
        emit_str(j, "device", s->device);
        emit_str(j, "name", s->name);
        emit_str(j, "kind", s->kind);
        json_key(j, STR("itself"));
        json_bool(j, s->itself);
        json_ki64(j, "bytes", s->bytes);
        json_key(j, STR("share"));
        json_f64(j, s->share);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void migration_emit_downtimes(struct json *j, const void *migration)
{
    const struct migration *m = migration;

    json_open(j, '[');
    for (size_t i = 0; i < m->downtimes.n; i++) {
        const struct mig_downtime *d = &m->downtimes.at[i];

        json_open(j, '{');
        json_kstr(j, "source", d->source);
        emit_ns(j, "start_ns", d->t0);
        emit_ns(j, "end_ns", d->t1);
        emit_ns(j, "duration_ns", d->ns);
        emit_ns(j, "bound_ns", d->bound_ns);
        emit_str(j, "counts", d->why);
        json_close(j, '}');
    }
    json_close(j, ']');
}

/* What QEMU answered, and how it was set. */
void migration_emit_qemu(struct json *j, const void *migration)
{
    const struct migration *m = migration;

    json_open(j, '{');
    emit_known(j, "source_pid", m->source_pid, -1);
    emit_known(j, "destination_pid", m->destination_pid, -1);
    emit_ns(j, "total_ms", m->qmp_total_ms);
    emit_ns(j, "downtime_ms", m->qmp_downtime_ms);
    emit_ns(j, "setup_ms", m->qmp_setup_ms);
    emit_known(j, "bandwidth_cap", m->bandwidth_cap, 0);
    emit_known(j, "downtime_limit_ms", m->downtime_limit_ms, 0);
    emit_known(j, "page_bytes", m->page_bytes, 0);
    emit_known(j, "memory_bytes", m->memory_bytes, 0);
    json_key(j, STR("auto_converge"));
    json_bool(j, m->auto_converge);
    json_close(j, '}');
}
