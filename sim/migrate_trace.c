/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate_trace.c -- writes what QEMU traces, as LTTng-UST 2.13 lays it out.
 *
 * The process name in the context is that of each thread's first event: so the destination, which
 * gets its name after that, is called by its program's name. */
#include "sim/migrate_priv.h"

#include "sim/emit.h"

#include <stdlib.h>
#include <string.h>

/* clang-format off */
static const struct ctfw_field q_none[] = { { 0 } };
static const struct ctfw_field q_state[] = { CTFW_STRING("new_state") };
static const struct ctfw_field q_json[] = { CTFW_STRING("json") };
static const struct ctfw_field q_error[] = { CTFW_STRING("error_desc") };
static const struct ctfw_field q_host[] = { CTFW_STRING("hostname") };
static const struct ctfw_field q_channel_out[] = { CTFW_X("ioc", 64), CTFW_STRING("ioctype"), CTFW_STRING("hostname"), CTFW_X("err", 64) };
static const struct ctfw_field q_channel_in[] = { CTFW_X("ioc", 64), CTFW_STRING("ioctype") };
static const struct ctfw_field q_bitmask[] = { CTFW_X("bitmask", 32) };
static const struct ctfw_field q_pages[] = { CTFW_U("dirty_pages", 64) };
static const struct ctfw_field q_percent[] = { CTFW_S("new_throttle_pct", 32) };
static const struct ctfw_field q_pending[] = { CTFW_U("size", 64), CTFW_U("max", 64), CTFW_U("pre", 64), CTFW_U("compat", 64), CTFW_U("post", 64) };
static const struct ctfw_field q_transferred[] = { CTFW_U("tranferred", 64), CTFW_U("time_spent", 64), CTFW_U("bandwidth", 64), CTFW_U("size", 64) };
static const struct ctfw_field q_low[] = { CTFW_U("pending", 64) };
static const struct ctfw_field q_runstate[] = { CTFW_S("current_state", 32), CTFW_STRING("current_state_str"), CTFW_S("new_state", 32), CTFW_STRING("new_state_str") };
static const struct ctfw_field q_vm_state[] = { CTFW_S("running", 32), CTFW_S("reason", 32), CTFW_STRING("reason_str") };
static const struct ctfw_field q_ret[] = { CTFW_S("ret", 32) };
static const struct ctfw_field q_global[] = { CTFW_STRING("state") };
static const struct ctfw_field q_incoming[] = { CTFW_S("ret", 32), CTFW_S("ps", 32) };
/* clang-format on */

static const struct {
    const char *name;
    const struct ctfw_field *fields;
    size_t n;
} classes[QE_COUNT] = {
#define X(id, name, fields) [id] = { "qemu:" name, fields, ARRAY_SIZE(fields) },
    QEMU_EVENTS(X)
#undef X
};

static const struct ctfw_field context[] = {
    CTFW_S("vpid", 32),
    CTFW_S("vtid", 32),
    CTFW_COMM("procname", 17),
};

/* A host whose services are not traced has no clock of a trace yet. */
static void choose_clock(struct sim *s, struct host *h)
{
    if (h->clock_offset)
        return;
    h->clock_offset = host_time(s, h, s->begin) - 54321 * NS_PER_S;
    host_boots(s, h);
}

static int open_trace(struct sim *s, struct host *h)
{
    ns_t begin = host_time(s, h, s->begin);
    char iso[TIME_TEXT], created[32];
    const struct ctfw_env env[] = {
        { "domain", "ust", 0 },
        { "tracer_name", "lttng-ust", 0 },
        { "tracer_major", NULL, 2 },
        { "tracer_minor", NULL, 13 },
        { "tracer_buffering_scheme", "uid", 0 },
        { "tracer_buffering_id", NULL, QEMU_UID },
        { "architecture_bit_width", NULL, 64 },
        { "trace_name", s->sc->name, 0 },
        { "trace_creation_datetime", created, 0 },
        { "hostname", h->sc->name, 0 },
        { 0 },
    };
    struct ctfw_trace_config config = { .domain = CTFW_UST, .env = env, .begin = begin };
    const struct ctfw_channel_config channel = {
        .name = "qemu",
        .cpus = h->sc->cpus,
        .packet_bytes = s->sc->packet_bytes,
        .header = CTFW_LARGE,
        .context = context,
        .n_context = ARRAY_SIZE(context),
    };
    struct rng r;

    time_iso(begin, iso);
    snprintf(created, sizeof created, "%.4s%.2s%.2sT%.2s%.2s%.2s+0000", iso, iso + 5, iso + 8,
             iso + 11, iso + 14, iso + 17);
    choose_clock(s, h);
    config.clock_offset_ns = (uint64_t)h->clock_offset;
    memcpy(config.clock_uuid, h->clock_uuid, sizeof config.clock_uuid);
    rng_seed(&r, s->sc->seed + UINT64_C(0x71656d75) + h->index);
    for (int i = 0; i < 16; i++)
        config.uuid[i] = (uint8_t)rng_u64(&r);
    config.uuid[6] = (uint8_t)(0x40 | (config.uuid[6] & 15));
    h->qemu_dir = arena_printf(&s->mem, "%s/ust/uid/%d/64-bit", h->sc->name, QEMU_UID);
    config.dir = arena_printf(&s->mem, "%s/%s", s->out_dir, h->qemu_dir);
    if (ctfw_open(&config, &h->qemu_trace, s->err) < 0)
        return -(int)s->err->code;
    return ctfw_channel(h->qemu_trace, &channel, &h->qemu_channel, s->err);
}

static struct str procname(const struct qemu_note *n)
{
    if (n->tid != n->proc->pid)
        return STR("live_migration");
    return n->incoming ? STR("qemu-system-x86") : str_first(str_of(n->proc->vm), 15);
}

static int by_time(const void *a, const void *b)
{
    const struct qemu_note *x = a, *y = b;

    return x->t != y->t ? (x->t < y->t ? -1 : 1) : (x->seq > y->seq) - (x->seq < y->seq);
}

static int write_host(struct sim *s, struct host *h)
{
    const struct migrations *m = s->migrations;
    struct ctfw_event *events[QE_COUNT];
    ns_t last = host_time(s, h, s->begin);

    if (open_trace(s, h) < 0)
        return -(int)s->err->code;
    for (int i = 0; i < QE_COUNT; i++)
        events[i] = ctfw_event(h->qemu_channel, classes[i].name, 14, classes[i].fields,
                               classes[i].fields == q_none ? 0 : classes[i].n);
    for (size_t i = 0; i < m->notes.n; i++) {
        const struct qemu_note *n = &m->notes.at[i];
        unsigned cpu = (unsigned)n->tid % h->sc->cpus;
        ns_t ts = host_time(s, h, n->t);
        const struct ctfw_val of[] = { ctfw_i(n->proc->pid), ctfw_i(n->tid), ctfw_s(procname(n)) };

        if (n->proc->host != h || n->t > m->limit)
            continue;
        ts = ts > last ? ts : last + 1; /* no two at once */
        last = ts;
        if (emit_refuses(s, h, cpu, n->t))
            ctfw_discard(h->qemu_channel, cpu, 1);
        else if (ctfw_emit(h->qemu_channel, cpu, events[n->event], ts, of, n->v, NULL, s->err) < 0)
            return -(int)s->err->code;
    }
    ns_t end = host_time(s, h, m->limit);

    return ctfw_finish(h->qemu_trace, end > last ? end : last + 1, s->err);
}

int migrate_write(struct sim *s)
{
    struct migrations *m = s->migrations;

    if (!m)
        return 0;
    if (m->notes.n)
        qsort(m->notes.at, m->notes.n, sizeof *m->notes.at, by_time);
    for (size_t i = 0; i < s->hosts.n; i++) {
        bool takes_part = false;

        for (size_t k = 0; k < m->procs.n; k++)
            takes_part |= m->procs.at[k]->host == &s->hosts.at[i];
        if (takes_part && write_host(s, &s->hosts.at[i]) < 0)
            return -(int)s->err->code;
    }
    return 0;
}

struct ctfw_counts migrate_counts(const struct host *h)
{
    struct ctfw_counts all = { 0 };

    for (unsigned cpu = 0; h->qemu_channel && cpu < h->sc->cpus; cpu++) {
        struct ctfw_counts n = ctfw_counts(h->qemu_channel, cpu);

        all.written += n.written;
        all.discarded += n.discarded;
        all.dropped += n.dropped;
        all.bytes += n.bytes;
    }
    return all;
}

/* --- the truth ----------------------------------------------------------------------------- */

static void put_time(struct json *j, const char *key, ns_t t)
{
    json_key(j, str_of(key));
    if (t)
        json_i64(j, t);
    else
        json_none(j);
}

static void put_flag(struct json *j, const char *key, bool v)
{
    json_key(j, str_of(key));
    json_bool(j, v);
}

static void put_round(struct json *j, const struct true_round *r)
{
    json_open(j, '{');
    json_ki64(j, "start_ns", r->start);
    json_ki64(j, "end_ns", r->end);
    json_ku64(j, "dirty_pages", r->dirty_pages);
    json_ku64(j, "sent_bytes", r->sent_bytes);
    put_flag(j, "stopped", r->stopped);
    put_flag(j, "cut", r->cut);
    json_close(j, '}');
}

static void put_migration(struct json *j, const struct true_migration *m)
{
    json_open(j, '{');
    json_kstr(j, "vm", str_of(m->sc->vm));
    json_kstr(j, "from", str_of(m->sc->from));
    json_kstr(j, "to", str_of(m->sc->to));
    json_ki64(j, "source_pid", m->source->pid);
    json_ki64(j, "destination_pid", m->destination->pid);
    json_ki64(j, "source_tid", m->tid);
    json_kstr(j, "outcome", str_of(m->outcome));
    json_ki64(j, "start_ns", m->start);
    put_time(j, "end_ns", m->end);
    put_time(j, "stop_ns", m->stop);
    put_time(j, "run_ns", m->run);
    put_time(j, "downtime_ns", m->stop && m->run ? m->run - m->stop : 0);
    json_key(j, STR("ends"));
    if (m->rounds.n)
        json_bool(j, m->ends);
    else
        json_none(j);
    json_kopen(j, "rounds", '[');
    for (size_t i = 0; i < m->rounds.n; i++)
        put_round(j, &m->rounds.at[i]);
    json_close(j, ']');
    json_close(j, '}');
}

void migrate_truth(const struct sim *s, struct json *j)
{
    if (!s->migrations)
        return;
    json_kopen(j, "migrations", '[');
    for (size_t i = 0; i < s->migrations->list.n; i++)
        put_migration(j, &s->migrations->list.at[i]);
    json_close(j, ']');
}

void migrate_truth_host(const struct host *h, struct json *j)
{
    struct ctfw_counts n = migrate_counts(h);

    if (!h->qemu_channel)
        return;
    json_kopen(j, "qemu", '{');
    json_kstr(j, "trace", str_of(h->qemu_dir));
    json_ku64(j, "events", n.written);
    json_ku64(j, "discarded", n.discarded);
    json_close(j, '}');
}
