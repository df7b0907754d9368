/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_open.h -- a file of a test in a folder of its own, its events and what they hold. */
#ifndef TESTS_UNIT_FTRACE_OPEN_H
#define TESTS_UNIT_FTRACE_OPEN_H

#include "tests/unit/reader_checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- files ---------------------------------------------------------------------------- */

static char dir[64];

static inline const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static inline int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(dir, sizeof dir, "%s/ftraceXXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    return mkdtemp(dir) ? 0 : -1;
}

static inline int remove_dir(void **state)
{
    static const char *const names[] = { "trace", "events.jsonl", "perf/metadata", "perf/stream" };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(path_of(names[i]));
    rmdir(path_of("perf"));
    return rmdir(dir);
}

static inline const char *write_bytes(const char *name, const void *p, size_t n)
{
    const char *path = path_of(name);
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return path;
}

static inline const char *write_text(const char *text)
{
    return write_bytes("trace", text, strlen(text));
}

static inline struct reader *open_file(const char *path, struct notes *notes)
{
    struct reader *r = NULL;
    struct err err = { 0 };

    assert_true(reader_is_ftrace(path));
    if (reader_open_ftrace(path, notes, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

/* --- what is in an event --------------------------------------------------------------- */

static inline void add_open(void *ctx, struct str name, bool is_struct)
{
    sbuf_fmt(ctx, STR_FMT "%s", STR_ARG(name), is_struct ? "{" : "[");
}

static inline void add_close(void *ctx, bool is_struct)
{
    sbuf_z(ctx, is_struct ? "}" : "]");
}

static inline void add_scalar(void *ctx, struct str name, const struct value *v)
{
    sbuf_fmt(ctx, STR_FMT "=%" PRId64 " ", STR_ARG(name), v->i64);
}

static inline void add_text(void *ctx, struct str name, struct str s)
{
    sbuf_fmt(ctx, STR_FMT "='" STR_FMT "' ", STR_ARG(name), STR_ARG(s));
}

/* "name=1 other='text' " */
static inline void assert_fields(struct reader *r, enum reader_scope scope, const char *expected)
{
    struct sbuf b = { 0 };
    const struct value_sink sink = { &b, add_open, add_close, add_scalar, add_text };

    r->ops->visit(r, scope, &sink);
    assert_string_equal(b.p ? b.p : "", expected);
    sbuf_free(&b);
}

static union {
    char bytes[EV_MAX_BYTES];
    struct ev_sched_switch sched_switch;
    struct ev_sched_process_exec exec;
    struct ev_sched_waking waking;
    struct ev_sched_process_fork fork;
    struct ev_block_rq_insert block;
    struct ev_block_rq_complete done;
    struct ev_kvm_exit kvm;
    struct ev_irq_handler_entry irq;
    struct ev_softirq_entry softirq;
    struct ev_syscall_entry syscall;
    struct ev_syscall_exit syscall_exit;
    struct ev_syscall_nr_exit nr_exit;
    struct ev_rss_stat rss;
    struct ev_net_queue net;
} ev;
static struct ev_head head;

static inline void next_is(struct reader *r, ns_t t, uint32_t cpu, const char *name)
{
    struct reader_event e;

    assert_true(r->ops->next(r, &e));
    assert_int_equal(e.t, t);
    assert_int_equal(e.cpu, cpu);
    assert_str(e.name, name);
    assert_true(e.type != EV_OTHER);
    memset(&ev, 0xa5, sizeof ev);
    r->ops->fill(r, &head, &ev);
    assert_int_equal(head.t, t);
    assert_int_equal(head.cpu, cpu);
    assert_str(head.name, name);
}

struct losses {
    struct reader_loss at[4];
    size_t n;
};

static inline void take_loss(void *ctx, const struct reader_loss *loss)
{
    struct losses *l = ctx;

    assert_true(l->n < ARRAY_SIZE(l->at));
    l->at[l->n++] = *loss;
}

#endif
