/* SPDX-License-Identifier: Apache-2.0
 *
 * made.h -- large traces to read: what an application and what a kernel write.
 *
 * Both come from the simulator's writer, byte for byte as LTTng lays traces out.
 *
 *   ust     requests of an application on two CPUs at once, eight events each: four
 *           with two integers, two with four, one with one, one with a string.
 *           About 24 bytes an event; the streams take turns at random.
 *   kernel  episodes (a timer tick, a wake-up, a read, an open, a packet) on two
 *           CPUs, three context fields, texts, strings, sequences.  About 55 bytes
 *           an event; the streams take turns every few events. */
#ifndef BENCH_MADE_H
#define BENCH_MADE_H

#include "base/file.h"
#include "base/mem.h"
#include "sim/ctfw.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MADE_CPUS = 2, MADE_FIELDS = 16, MADE_STEPS = 16 };

struct made_class {
    const char *name;
    struct ctfw_field fields[MADE_FIELDS];
    size_t nfields;
};

/* Classes by number, in the order in which they happen; 0 ends the list. */
struct made_episode {
    uint8_t steps[MADE_STEPS];
};

struct made_kind {
    enum ctfw_domain domain;
    const struct made_class *classes; /* [0] is not used */
    size_t nclasses;
    const struct made_episode *episodes;
    size_t nepisodes;
    const struct ctfw_field *context;
    size_t ncontext;
    unsigned step_ns, pause_ns; /* between events, between episodes: at most */
};

#define MADE_CLASS(NAME, ...)                                                               \
    {                                                                                       \
        .name = (NAME), .fields = { __VA_ARGS__ },                                          \
        .nfields = sizeof((struct ctfw_field[]){ __VA_ARGS__ }) / sizeof(struct ctfw_field) \
    }

/* clang-format off */
static const struct made_class made_ust_classes[] = {
    { 0 },
    MADE_CLASS("app:request_begin", CTFW_U("id", 64), CTFW_S("state", 32)),
    MADE_CLASS("app:request_end", CTFW_U("id", 64), CTFW_S("state", 32)),
    MADE_CLASS("app:queue", CTFW_S("depth", 32), CTFW_X("address", 64), CTFW_U("shard", 16), CTFW_S("prio", 8)),
    MADE_CLASS("app:tick", CTFW_S("n", 32)),
    MADE_CLASS("app:log", CTFW_STRING("text"), CTFW_S("level", 32)),
};
static const struct made_episode made_ust_episodes[] = {
    { { 1, 2, 3, 4, 1, 2, 3, 5 } },
};

static const struct ctfw_field made_context[] = {
    CTFW_S("pid", 32), CTFW_S("tid", 32), CTFW_COMM("procname", 16),
};
static const struct made_class made_kernel_classes[] = {
    { 0 },
    MADE_CLASS("sched_switch", CTFW_COMM("prev_comm", 16), CTFW_S("prev_tid", 32), CTFW_S("prev_prio", 32), CTFW_S("prev_state", 64),
               CTFW_COMM("next_comm", 16), CTFW_S("next_tid", 32), CTFW_S("next_prio", 32)),
    MADE_CLASS("sched_waking", CTFW_COMM("comm", 16), CTFW_S("tid", 32), CTFW_S("prio", 32), CTFW_S("target_cpu", 32)),
    MADE_CLASS("irq_handler_entry", CTFW_S("irq", 32), CTFW_STRING("name")),
    MADE_CLASS("irq_handler_exit", CTFW_S("irq", 32), CTFW_S("ret", 32)),
    MADE_CLASS("irq_softirq_raise", CTFW_U("vec", 32)),
    MADE_CLASS("irq_softirq_entry", CTFW_U("vec", 32)),
    MADE_CLASS("irq_softirq_exit", CTFW_U("vec", 32)),
    MADE_CLASS("timer_hrtimer_expire_entry", CTFW_X("hrtimer", 64), CTFW_S("now", 64), CTFW_X("function", 64)),
    MADE_CLASS("timer_hrtimer_expire_exit", CTFW_X("hrtimer", 64)),
    MADE_CLASS("timer_hrtimer_start", CTFW_X("hrtimer", 64), CTFW_X("function", 64), CTFW_S("expires", 64), CTFW_S("softexpires", 64)),
    MADE_CLASS("syscall_entry_read", CTFW_U("fd", 32), CTFW_U("count", 64)),
    MADE_CLASS("syscall_exit_read", CTFW_S("ret", 64), CTFW_X("buf", 64)),
    MADE_CLASS("syscall_entry_openat", CTFW_S("dfd", 64), CTFW_STRING("filename"), CTFW_S("flags", 32), CTFW_U("mode", 16)),
    MADE_CLASS("syscall_exit_openat", CTFW_S("ret", 64)),
    MADE_CLASS("net_if_receive_skb", CTFW_X("skbaddr", 64), CTFW_U("len", 32), CTFW_STRING("name"),
               { .name = "data", .kind = CTFW_SEQ, .bits = 8, .len_bits = 8 }),
    MADE_CLASS("kmem_cache_alloc", CTFW_X("call_site", 64), CTFW_X("ptr", 64), CTFW_U("bytes_req", 64), CTFW_U("bytes_alloc", 64),
               CTFW_U("gfp_flags", 32)),
};
static const struct made_episode made_kernel_episodes[] = {
    { { 8, 5, 9, 6, 2, 7, 10 } },                /* a tick wakes somebody */
    { { 2, 1, 12, 11, 1 } },                     /* a wake-up */
    { { 11, 16, 12, 11, 12 } },                  /* reads */
    { { 11, 1, 8, 9, 10 } },                     /* waits */
    { { 3, 5, 4, 6, 16, 15, 2, 7, 1, 12 } },     /* a packet */
    { { 13, 16, 14, 11, 16, 12 } },              /* opens a file */
    { { 8, 9, 10 } },                            /* a tick */
    { { 1, 12, 11, 1 } },
};

static const struct made_kind made_ust = {
    CTFW_UST, made_ust_classes, ARRAY_SIZE(made_ust_classes), made_ust_episodes, ARRAY_SIZE(made_ust_episodes), NULL, 0, 900, 900,
};
static const struct made_kind made_kernel = {
    CTFW_KERNEL, made_kernel_classes, ARRAY_SIZE(made_kernel_classes), made_kernel_episodes, ARRAY_SIZE(made_kernel_episodes),
    made_context, ARRAY_SIZE(made_context), 700, 6000,
};
/* clang-format on */

static uint64_t made_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static struct ctfw_val made_value(const struct ctfw_field *f, uint64_t *x)
{
    static const char *const texts[] = { "CPU 0/KVM",   "nova-compute", "swapper/0", "ovs-vswitchd",
                                         "kworker/1:2", "vhost-4211",   "sshd",      "rcu_sched" };
    static const char *const strings[] = { "virtio0-input.0", "/proc/4211/stat", "eth0",
                                           "/sys/fs/cgroup/machine.slice/cpu.stat" };
    static const char log_line[] =
        "GET /v2.1/servers/detail status: 200 len: 15230 time: 0.2109098 worker 12";
    static const uint8_t bytes[64] = { 0x45, 0x00, 0x05, 0xdc };
    uint64_t r = made_random(x);

    switch (f->kind) {
    case CTFW_TEXT: return ctfw_s(str_of(texts[r % ARRAY_SIZE(texts)]));
    case CTFW_STR:
        return ctfw_s(strcmp(f->name, "text") ? str_of(strings[r % ARRAY_SIZE(strings)])
                                              : str_of(log_line));
    case CTFW_SEQ: return (struct ctfw_val){ .p = bytes, .n = 40 };
    case CTFW_RAW: return ctfw_s(STR(""));
    case CTFW_INT:
    case CTFW_ARRAY:
    case CTFW_ENUM:
    case CTFW_FLOAT: break;
    }
    return ctfw_u(f->bits < 64 ? r >> (64 - f->bits + 1) : r >> 20);
}

/* Writes 'events' events of one CPU, whole episodes. */
static int made_stream(const struct made_kind *k, struct ctfw_channel *c,
                       struct ctfw_event *const *classes, unsigned cpu, uint64_t events, ns_t *t,
                       struct err *err)
{
    uint64_t x = UINT64_C(88172645463325252) + cpu, n = 0;
    struct ctfw_val context[4], vals[MADE_FIELDS];
    int rc = 0;

    while (n < events && rc == 0) {
        const struct made_episode *e = &k->episodes[made_random(&x) % k->nepisodes];

        *t += 1 + (ns_t)(made_random(&x) % k->pause_ns);
        for (size_t i = 0; i < k->ncontext; i++)
            context[i] = made_value(&k->context[i], &x);
        for (int i = 0; i < MADE_STEPS && e->steps[i] && rc == 0; i++, n++) {
            const struct made_class *m = &k->classes[e->steps[i]];

            for (size_t f = 0; f < m->nfields; f++)
                vals[f] = made_value(&m->fields[f], &x);
            *t += 50 + (ns_t)(made_random(&x) % k->step_ns);
            rc = ctfw_emit(c, cpu, classes[e->steps[i]], *t, context, vals, NULL, err);
        }
    }
    return rc;
}

/* Writes a trace of at least 'events' events to 'dir'. */
static int made_write(const struct made_kind *k, const char *dir, uint64_t events, struct err *err)
{
    static const struct ctfw_env env[] = { { "hostname", "bench", 0 }, { NULL, NULL, 0 } };
    struct ctfw_trace_config config = { .dir = dir,
                                        .domain = k->domain,
                                        .env = env,
                                        .uuid = { 0x6a, 0x4a, 0xb3, 0xa1 },
                                        .clock_uuid = { 0x6d },
                                        .clock_offset_ns = UINT64_C(1470187241710873143),
                                        .begin = INT64_C(1470187241710874143) };
    struct ctfw_channel_config channel = { .name = "channel0",
                                           .cpus = MADE_CPUS,
                                           .packet_bytes = 1u << 19,
                                           .header = CTFW_LARGE,
                                           .context = k->context,
                                           .n_context = k->ncontext };
    struct ctfw_event *classes[32] = { NULL };
    struct ctfw_channel *c;
    struct ctfw_trace *t;
    ns_t end = config.begin;
    int rc = ctfw_open(&config, &t, err);

    if (rc < 0)
        return rc;
    rc = ctfw_channel(t, &channel, &c, err);
    for (size_t i = 1; i < k->nclasses && rc == 0; i++)
        classes[i] =
            ctfw_event(c, k->classes[i].name, -1, k->classes[i].fields, k->classes[i].nfields);
    for (unsigned cpu = 0; cpu < MADE_CPUS && rc == 0; cpu++) {
        ns_t at = config.begin + cpu;

        rc = made_stream(k, c, classes, cpu, events / MADE_CPUS, &at, err);
        end = at > end ? at : end;
    }
    rc = rc < 0 ? rc : ctfw_finish(t, end + 1, err);
    ctfw_free(t);
    return rc;
}

/* A new folder for traces, to be removed with made_remove(). */
static bool made_folder(char ret[static 256])
{
    const char *tmp = getenv("TMPDIR");

    snprintf(ret, 256, "%s/neph-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    return mkdtemp(ret) != NULL;
}

/* Removes the folder and all below it. */
static void made_remove(const char *dir)
{
    struct arena a = { 0 };
    struct dir_entry *e;
    struct err err;
    size_t n;

    if (dir_list(dir, &a, &e, &n, &err) == 0)
        for (size_t i = 0; i < n; i++) {
            const char *path = path_join(&a, dir, e[i].name);

            if (e[i].is_dir)
                made_remove(path);
            else
                unlink(path);
        }
    rmdir(dir);
    arena_free(&a);
}

#endif
