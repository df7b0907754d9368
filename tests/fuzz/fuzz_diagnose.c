/* SPDX-License-Identifier: Apache-2.0
 *
 * fuzz_diagnose.c -- a small random experiment, analysed, diagnosed and told in every form.
 *
 * The first byte of the input says where in time all begins; the rest is events, EVENT bytes each:
 * which host and what happens, how long after the one before, and to whom.  They are written as
 * JSON lines. */
#include "analysis/list.h"
#include "diagnose/finding.h"
#include "engine/engine.h"
#include "input/experiment.h"
#include "report/clocks.h"

#include "fuzz_dir.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { EVENT = 4, MOST_EVENTS = 300 };

struct who {
    int tid, id; /* of a thread; of a request, an instance, a call */
};

static void put_sched(FILE *f, struct who w, int how)
{
    fprintf(f,
            "\"sched_switch\",\"fields\":{\"prev_comm\":\"t%d\",\"prev_tid\":%d,\"prev_prio\":20,"
            "\"prev_state\":%d,\"next_comm\":\"t%d\",\"next_tid\":%d,\"next_prio\":20}",
            w.id, w.id, how % 3, w.tid, w.tid);
}

static void put_wakeup(FILE *f, struct who w, int how)
{
    fprintf(f,
            "\"sched_waking\",\"fields\":{\"comm\":\"t%d\",\"tid\":%d,\"prio\":20,"
            "\"target_cpu\":%d}",
            w.tid, w.tid, how % 2);
}

static void put_block(FILE *f, struct who w, int how)
{
    fprintf(f,
            "\"block_rq_%s\",\"fields\":{\"dev\":8,\"sector\":%d,\"nr_sector\":8,\"bytes\":4096,"
            "\"rwbs\":%d,\"tid\":%d,\"comm\":\"t\",\"error\":0}",
            how % 2 ? "issue" : "complete", w.id, how % 4, w.tid);
}

static void put_irq(FILE *f, struct who w, int how)
{
    fprintf(f, "\"irq_handler_%s\",\"fields\":{\"irq\":%d,\"name\":\"nic\",\"ret\":1}",
            how % 2 ? "entry" : "exit", w.id % 3);
}

/* The end of every line that a service writes. */
static void put_logger(FILE *f, struct who w, const char *logger)
{
    fprintf(f,
            ",\"logger_name\":\"%s\",\"thread\":%d,\"threadName\":\"t\"},\"context\":{\"vpid\":%d,"
            "\"vtid\":%d,\"procname\":\"%s\"}",
            logger, w.tid, w.tid, w.tid, w.tid % 2 ? "nova-compute" : "nova-conductor");
}

static void put_request(FILE *f, struct who w)
{
    fprintf(f, "\\\"request_id\\\":\\\"req-%08x-aaaa-4bbb-8ccc-000000000000\\\"", (unsigned)w.id);
}

static void put_rpc(FILE *f, struct who w, int how)
{
    static const char *const what[] = { "client.start", "client.end", "server.start",
                                        "server.end" };

    fprintf(f,
            "\"lttng_python:event\",\"fields\":{\"msg\":\"{\\\"event_type\\\":\\\"rpc.%s\\\","
            "\\\"method\\\":\\\"m\\\",\\\"topic\\\":\\\"conductor\\\",\\\"call\\\":true,"
            "\\\"msg_id\\\":\\\"%032d\\\",\\\"unique_id\\\":\\\"%032d\\\",",
            what[how % 4], w.id, w.id);
    put_request(f, w);
    fputs("}\"", f);
    put_logger(f, w, "ostrace.rpc");
}

static void put_notice(FILE *f, struct who w, int how)
{
    static const char *const what[] = { "create.start", "create.end", "create.error",
                                        "live_migration._pre.start", "live_migration._post.end" };

    fprintf(f,
            "\"lttng_python:event\",\"fields\":{\"msg\":\"{\\\"event_type\\\":"
            "\\\"compute.instance.%s\\\",\\\"publisher_id\\\":\\\"compute.h1\\\","
            "\\\"instance\\\":\\\"%08x-bbbb-4bbb-8ccc-000000000000\\\","
            "\\\"display_name\\\":\\\"<b>%d\\\",\\\"state\\\":\\\"active\\\",",
            what[how % 5], (unsigned)w.id, w.id);
    put_request(f, w);
    fputs("}\"", f);
    put_logger(f, w, "ostrace.notify");
}

static void put_lock(FILE *f, struct who w, int how)
{
    static const char *const what[] = { "acquired by \\\"f\\\" :: waited 9.500s",
                                        "\\\"released\\\" by \\\"f\\\" :: held 9.500s",
                                        "Acquiring lock \\\"l\\\" by \\\"f\\\"" };

    fprintf(f, "\"lttng_python:event\",\"fields\":{\"msg\":\"Lock \\\"l\\\" %s\"", what[how % 3]);
    put_logger(f, w, "oslo_concurrency.lockutils");
}

static void put_event(FILE *f, int64_t t, const uint8_t *p)
{
    static void (*const all[])(FILE *, struct who, int) = {
        put_sched, put_wakeup, put_block, put_irq, put_rpc, put_notice, put_lock,
    };
    struct who w = { p[2] % 16, p[3] % 32 };

    fprintf(f, "{\"t_ns\":%lld,\"host\":\"h%d\",\"cpu\":%d,\"name\":", (long long)t, p[0] & 1,
            p[2] & 1);
    all[(p[0] >> 1) % ARRAY_SIZE(all)](f, w, p[3] >> 5);
    fputs("}\n", f);
}

/* Steps from a nanosecond to centuries. */
static int64_t step(uint8_t v)
{
    return (int64_t)((v & 3) + 1) << (v >> 2) % 61;
}

static void write_events(const uint8_t *data, size_t n)
{
    static const int64_t begins[] = { 0, INT64_MIN + 1, INT64_MAX - NS_PER_S * 60, -NS_PER_S,
                                      NS_PER_S * 1700000000 };
    int64_t t = n ? begins[data[0] % ARRAY_SIZE(begins)] : 0;
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);

    for (size_t i = 1; i + EVENT <= n && i < MOST_EVENTS * EVENT; i += EVENT) {
        if (__builtin_add_overflow(t, step(data[i + 1]), &t))
            t = INT64_MAX;
        put_event(f, t, data + i);
    }
    fclose(f);
    fuzz_write("a.jsonl", text, len);
    free(text);
}

static void tell(const struct diagnosis *d)
{
    char *text = NULL;
    size_t len;
    FILE *f = open_memstream(&text, &len);
    struct json j = { .f = f }, alerts = { .f = f };
    struct sbuf out = { 0 };
    struct table t;

    diagnosis_json(d, &j);
    diagnosis_alerts(d, &alerts);
    diagnosis_jsonl(d, f);
    diagnosis_text(d, &out);
    diagnosis_nagios(d, &out);
    table_init(&t, finding_columns, nfinding_columns);
    diagnosis_rows(d, &t);
    table_free(&t);
    for (size_t i = 0; i < d->list.n; i++)
        assert(d->list.at[i].rank == i + 1 && d->list.at[i].title.n);
    sbuf_free(&out);
    fclose(f);
    free(text);
}

static int correct(void *ctx, struct store *const *hosts, uint32_t n, struct err *err)
{
    struct clocks_options o = { .mode = CLOCKS_AUTO };

    return clocks_make(hosts, n, &o, ctx, err);
}

static void diagnose(struct experiment *x, struct notes *notes)
{
    struct keep_opts o = { .memory = true, .version = "fuzz" };
    struct keep *keep = keep_new(&o, notes);
    struct clocks clocks = { 0 };
    struct engine_between between = { .fn = correct, .ctx = &clocks };
    struct arena mem = { 0 };
    struct cloud cloud = { 0 };
    struct src_index vms;
    struct diagnosis d;
    struct err err;

    if (engine_analyse(analyses, x, keep, &between, notes, &cloud, &err) == 0) {
        struct report_src src = { .hosts = cloud.hosts,
                                  .nhosts = cloud.nhosts,
                                  .global = cloud.global,
                                  .clocks = &clocks,
                                  .mem = &mem,
                                  .notes = notes,
                                  .span = SPAN_ALL };

        src_index_make(&src, TABLE_vm, true, C_vm_uuid, &vms);
        src.vms = &vms;
        diagnosis_make(&src, NULL, NULL, &d);
        tell(&d);
        diagnosis_free(&d);
        src_index_free(&vms);
        engine_cloud_free(&cloud);
    }
    clocks_free(&clocks);
    keep_free(keep);
    arena_free(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct notes notes = { 0 };
    struct experiment x;
    struct err err;

    fuzz_make_dir();
    write_events(data, n);
    const char *path = fuzz_path("a.jsonl");
    if (experiment_open(&path, 1, NULL, &notes, &x, &err) == 0) {
        diagnose(&x, &notes);
        experiment_close(&x);
    }
    notes_free(&notes);
    return 0;
}
