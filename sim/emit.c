/* SPDX-License-Identifier: Apache-2.0
 *
 * emit.c -- log lines become lttng_python:event, see emit.h.
 *
 * The layouts are those of LTTng-UST 2.8 (dialect 2016: compact headers, no
 * context, asctime filled in local time) and 2.13 (dialect zed: large headers,
 * vpid, vtid and procname as context, asctime empty).  No two lines of a host
 * share an instant. */
#include "sim/emit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static const struct ctfw_field python_fields[] = {
    CTFW_STRING("asctime"),  CTFW_STRING("msg"),        CTFW_STRING("logger_name"),
    CTFW_STRING("funcName"), CTFW_U("lineno", 32),      CTFW_U("int_loglevel", 32),
    CTFW_U("thread", 32),    CTFW_STRING("threadName"),
};

static const struct ctfw_field zed_context[] = {
    CTFW_S("vpid", 32),
    CTFW_S("vtid", 32),
    CTFW_COMM("procname", 17),
};

enum { ENV_MAX = 12 };

/* The env block of either tracer version. */
static void env_block(const struct sim *s, const struct host *h, uint64_t uid, ns_t begin,
                      char created[static 32], struct ctfw_env env[static ENV_MAX])
{
    const struct ctfw_env old_env[ENV_MAX] = {
        { "hostname", h->sc->name, 0 },    { "domain", "ust", 0 },
        { "tracer_name", "lttng-ust", 0 }, { "tracer_major", NULL, 2 },
        { "tracer_minor", NULL, 8 },
    };
    const struct ctfw_env zed_env[ENV_MAX] = {
        { "domain", "ust", 0 },
        { "tracer_name", "lttng-ust", 0 },
        { "tracer_major", NULL, 2 },
        { "tracer_minor", NULL, 13 },
        { "tracer_buffering_scheme", "uid", 0 },
        { "tracer_buffering_id", NULL, (int64_t)uid },
        { "architecture_bit_width", NULL, 64 },
        { "trace_name", s->sc->name, 0 },
        { "trace_creation_datetime", created, 0 },
        { "hostname", h->sc->name, 0 },
    };
    char iso[TIME_TEXT];

    /* "2026-11-22 19:40:43" becomes "20261122T194043+0000" */
    time_iso(begin, iso);
    snprintf(created, 32, "%.4s%.2s%.2sT%.2s%.2s%.2s+0000", iso, iso + 5, iso + 8, iso + 11,
             iso + 14, iso + 17);
    memcpy(env, s->sc->dialect == DIALECT_ZED ? zed_env : old_env, sizeof zed_env);
}

/* Opens one trace below out_dir/HOST/ust/uid/UID/64-bit. */
static int open_trace(struct sim *s, struct host *h, uint64_t uid, struct ctfw_trace **ret,
                      struct ctfw_channel **ret_channel)
{
    bool zed = s->sc->dialect == DIALECT_ZED;
    ns_t begin = host_time(s, h, s->begin);
    ns_t up = 12345 * NS_PER_S + (ns_t)rng_below(&s->rng, 100000 * (uint64_t)NS_PER_S);
    struct ctfw_env env[ENV_MAX];
    char created[32];
    struct ctfw_trace_config config = {
        .domain = CTFW_UST,
        .env = env,
        .clock_offset_ns = (uint64_t)(begin - up), /* the clock counts from the boot */
        .begin = begin,
        .streams_first = !zed,
        .empty_metadata_packet = !zed,
    };
    const struct ctfw_channel_config channel = {
        .name = zed ? "os" : "lttng_python_channel",
        .cpus = h->sc->cpus,
        .packet_bytes = s->sc->packet_bytes,
        .header = zed ? CTFW_LARGE : CTFW_COMPACT,
        .context = zed ? zed_context : NULL,
        .n_context = zed ? ARRAY_SIZE(zed_context) : 0,
    };

    env_block(s, h, uid, begin, created, env);
    h->dir = arena_printf(&s->mem, "%s/ust/uid/%" PRIu64 "/64-bit", h->sc->name, uid);
    config.dir = arena_printf(&s->mem, "%s/%s", s->out_dir, h->dir);
    for (int i = 0; i < 16; i++)
        config.uuid[i] = (uint8_t)rng_u64(&s->rng);
    config.uuid[6] = (uint8_t)(0x40 | (config.uuid[6] & 15));
    host_boots(s, h);
    memcpy(config.clock_uuid, h->clock_uuid, sizeof h->clock_uuid);
    h->clock_offset = begin - up; /* the kernel's trace has the same clock */
    if (ctfw_open(&config, ret, s->err) < 0)
        return -(int)s->err->code;
    if (ctfw_channel(*ret, &channel, ret_channel, s->err) < 0) {
        ctfw_free(*ret);
        return -(int)s->err->code;
    }
    return 0;
}

/* A user whose session recorded nothing leaves a trace without events. */
static int empty_trace(struct sim *s, struct host *h)
{
    struct ctfw_trace *t;
    struct ctfw_channel *c;

    if (open_trace(s, h, s->sc->empty_uid, &t, &c) < 0)
        return -(int)s->err->code;
    int rc = ctfw_finish(t, host_time(s, h, s->end), s->err);

    ctfw_free(t);
    return rc;
}

int emit_open(struct sim *s, struct host *h)
{
    if (s->sc->empty_uid && (h->sc->roles & ROLE_CONTROLLER) && empty_trace(s, h) < 0)
        return -(int)s->err->code;
    if (open_trace(s, h, s->sc->dialect == DIALECT_ZED ? 0 : 1000, &h->trace, &h->channel) < 0) {
        h->trace = NULL;
        return -(int)s->err->code;
    }
    h->event =
        ctfw_event(h->channel, "lttng_python:event", 13, python_fields, ARRAY_SIZE(python_fields));
    for (size_t i = 0; i < s->sc->faults.n; i++) {
        const struct sc_fault *f = &s->sc->faults.at[i];

        if (f->kind == FAULT_LOST_PACKETS && strcmp(f->host, h->sc->name) == 0 &&
            f->cpu < (int64_t)h->sc->cpus)
            ctfw_drop_packets(h->channel, (unsigned)f->cpu, f->first, f->count);
    }
    return 0;
}

int emit_close(struct sim *s, struct host *h, ns_t end)
{
    ns_t at = host_time(s, h, end);

    if (at <= h->last_ts)
        at = h->last_ts + 1;
    return ctfw_finish(h->trace, at, s->err);
}

bool emit_refuses(const struct sim *s, const struct host *h, unsigned cpu, ns_t t)
{
    ns_t since_start = t - s->begin;

    for (size_t i = 0; i < s->sc->faults.n; i++) {
        const struct sc_fault *f = &s->sc->faults.at[i];

        if (f->kind == FAULT_LOST_EVENTS && strcmp(f->host, h->sc->name) == 0 &&
            (f->cpu < 0 || f->cpu == (int64_t)cpu) && since_start >= f->at_ns &&
            since_start < f->at_ns + f->for_ns)
            return true;
    }
    return false;
}

/* "2016-08-08 11:03:41,324": local time, a little before the event. */
static struct str asctime_of(struct sim *s, ns_t ts, char out[static 96])
{
    char iso[TIME_TEXT];
    ns_t late = 84 * US_NS + (ns_t)rng_below(&s->rng, 900 * US_NS);
    ns_t at = ts - late + s->sc->utc_offset_h * 3600 * NS_PER_S;

    if (s->sc->dialect == DIALECT_ZED)
        return STR("");
    time_iso(at, iso);
    int n = snprintf(out, 96, "%.19s,%.3s", iso, iso + 20);

    return (struct str){ out, (size_t)n };
}

/* Writes down what this line means for the truth. */
static void edge_told(struct sim *s, const struct record *r, ns_t ts, enum ctfw_fate fate)
{
    struct true_task *task = &s->tasks.at[r->task - 1];

    if (r->edge == EDGE_START) {
        task->start = s->now;
        task->host_start = ts;
        task->start_told = true;
        task->start_lost = fate != CTFW_WRITTEN;
    } else {
        task->end = s->now;
        task->host_end = ts;
        task->end_told = true;
        task->end_lost = fate != CTFW_WRITTEN;
    }
}

void emit_record(struct thread *t, struct record *r)
{
    struct sim *s = t->sim;
    struct host *h = t->proc->host;
    const char *comm = services[t->proc->svc].comm;
    ns_t ts = host_time(s, h, s->now);
    enum ctfw_fate fate = CTFW_WRITTEN;
    char asctime[96];

    if (ts <= h->last_ts)
        ts = h->last_ts + 1;
    h->last_ts = ts;
    struct ctfw_val context[] = {
        ctfw_i(t->proc->pid),
        ctfw_i(t->proc->pid),
        ctfw_s(str_first(str_of(comm), 16)),
    };
    struct ctfw_val vals[] = {
        ctfw_s(asctime_of(s, ts, asctime)),
        ctfw_s(str_of(r->msg)),
        ctfw_s(str_of(r->logger)),
        ctfw_s(str_of(r->func)),
        ctfw_u((uint64_t)r->line),
        ctfw_u((uint64_t)r->level),
        ctfw_u(t->ident),
        ctfw_s(str_of(t->name)),
    };

    if (emit_refuses(s, h, t->cpu, s->now)) {
        ctfw_discard(h->channel, t->cpu, 1);
        fate = CTFW_DISCARDED;
    } else if (ctfw_emit(h->channel, t->cpu, h->event, ts, context, vals, &fate, s->err) < 0) {
        s->failed = true;
    }
    if (r->edge != EDGE_NONE)
        edge_told(s, r, ts, fate);
    if (r->vm) {
        r->vm->changes.at[r->change].true_ns = s->now;
        r->vm->changes.at[r->change].host_ns = ts;
        r->vm->changes.at[r->change].lost = fate != CTFW_WRITTEN;
    }
    free(r->msg);
    r->msg = NULL;
}
