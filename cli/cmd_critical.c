/* SPDX-License-Identifier: Apache-2.0
 *
 * cmd_critical.c -- `neph critical PATH...`: where the time of a thread, or of a task, went,
 * through whatever it waited for. */
#include "cli/analyse.h"
#include "report/critical.h"
#include "report/measure.h"
#include "report/sections.h"

#include <inttypes.h>

struct critical_opts {
    const char *thread, *task;
};

/* Whose time, and when. */
struct target {
    uint32_t host;
    int64_t tid;
    struct span win;
};

enum { CANDIDATES = 8 };

/* What several things fit is listed, never guessed. */
struct candidates {
    size_t n;
    struct target first;
    struct sbuf text;
};

static void candidate(struct candidates *c, const struct target *t, const char *host,
                      struct str name, int64_t tid)
{
    if (c->n++ == 0)
        c->first = *t;
    if (c->n <= CANDIDATES)
        sbuf_fmt(&c->text, "%s" STR_FMT " (tid %" PRId64 ") on %s", c->n > 1 ? ", " : "",
                 STR_ARG(name), tid, host);
}

static void find_threads(const struct report_src *src, const struct whos *w, struct str what,
                         struct candidates *ret)
{
    int64_t tid;
    bool number = str_i64(what, &tid);

    for (size_t i = 0; i < w->threads.n; i++) {
        const struct who_thread *th = &w->threads.at[i];
        struct target t = { th->host, th->tid, measure_within(src, th->host, src->span) };
        bool fits = number ? th->tid == tid : str_glob(what, th->comm);

        if (!fits || th->t0 >= t.win.t1 || (th->t1 != STORE_NULL && th->t1 <= t.win.t0) ||
            (src->vm.n && !str_eq(who_owner(w, th)->name, src->vm)))
            continue;
        t.win.t0 = th->t0 > t.win.t0 ? th->t0 : t.win.t0;
        t.win.t1 = th->t1 != STORE_NULL && th->t1 < t.win.t1 ? th->t1 : t.win.t1;
        candidate(ret, &t, store_host(src->hosts[th->host]), th->comm, th->tid);
    }
}

/* Services run their tasks in green threads of one thread of the system, the first of the
 * process. */
static void find_tasks(const struct report_src *src, struct str what, struct candidates *ret)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_task, &n);

    for (size_t i = 0; i < n; i++) {
        struct target t = { src_host_no(src, rows[i].store), rows[i].row[C_task_pid], { 0, 0 } };

        if (!show_task_is(&rows[i], what) || rows[i].row[0] == STORE_NULL ||
            rows[i].row[1] == STORE_NULL || t.tid <= 0)
            continue;
        t.win = measure_within(src, t.host, (struct span){ rows[i].row[0], rows[i].row[1] });
        candidate(ret, &t, rows[i].host,
                  str_of(arena_printf(src->mem, STR_FMT "/" STR_FMT,
                                      STR_ARG(row_text(&rows[i], C_task_task)),
                                      STR_ARG(row_text(&rows[i], C_task_entity)))),
                  t.tid);
    }
}

static int find_target(struct ctx *c, const struct report_src *src, const struct whos *w,
                       struct target *ret)
{
    const struct critical_opts *o = c->opts;
    struct candidates found = { 0 };
    int rc = RC_OK;

    if (o->thread)
        find_threads(src, w, str_of(o->thread), &found);
    else
        find_tasks(src, str_of(o->task), &found);
    *ret = found.first;
    if (found.n == 0) {
        ctx_error(c, "no %s '%s' in this window, or its kernel was not traced",
                  o->thread ? "thread" : "finished task with a known process",
                  o->thread ? o->thread : o->task);
        rc = RC_NOT_FOUND;
    } else if (found.n > 1) {
        ctx_error(c, "%zu fit: %s%s: choose one by --thread TID and --host, or by a shorter time",
                  found.n, found.text.p, found.n > CANDIDATES ? ", ..." : "");
        rc = RC_USAGE;
    } else if (ret->win.t0 >= ret->win.t1) {
        ctx_error(c, "the kernel's trace of %s has nothing of that time",
                  store_host(src->hosts[ret->host]));
        rc = RC_NOT_FOUND;
    }
    sbuf_free(&found.text);
    return rc;
}

static int write_json(struct ctx *c, const struct whos *w, const struct critical *path,
                      const struct table *flat)
{
    struct json j = { .f = stdout, .pretty = true };
    struct err err;

    json_open(&j, '{');
    critical_json(w, path, &j);
    json_key(&j, STR("flat"));
    int rc = table_json(flat, &c->table, &j, &err);
    json_close(&j, '}');
    putchar('\n');
    if (rc < 0)
        ctx_error(c, "%s", err.text);
    return rc < 0 ? RC_USAGE : RC_OK;
}

static int print(struct ctx *c, const struct report_src *src, const struct whos *w,
                 const struct critical *path)
{
    struct table t;
    int rc;

    table_init(&t, critical_columns, ncritical_columns);
    critical_flat(src, w, path, &t);
    if (c->table.format <= TABLE_WIDE) {
        struct sbuf text = { 0 };

        critical_text(w, path, &text);
        printf("%s\n", text.p);
        sbuf_free(&text);
    }
    rc = c->table.format == TABLE_JSON ? write_json(c, w, path, &t) : ctx_print_table(c, &t);
    table_free(&t);
    critical_notes(src, path, &c->notes);
    return rc;
}

static int run(struct ctx *c)
{
    const struct critical_opts *o = c->opts;
    struct analysed a;
    struct target t;
    struct whos w;
    struct err err;

    if (!o->thread == !o->task) {
        ctx_error(c, "whose time? give --thread or --task");
        return RC_USAGE;
    }
    if (table_check(critical_columns, ncritical_columns, &c->table, &err) < 0) {
        ctx_error(c, "%s", err.text);
        return RC_USAGE;
    }
    int rc = cli_analyse(c, 0, &a);
    if (rc == RC_OK) {
        whos_make(&a.src, &w);
        rc = find_target(c, &a.src, &w, &t);
        if (rc == RC_OK) {
            struct critical path;

            critical_walk(&a.src, &w, t.host, t.tid, t.win, &path);
            rc = print(c, &a.src, &w, &path);
            critical_free(&path);
        }
        whos_free(&w);
    }
    analysed_free(&a);
    return rc;
}

static const struct opt options[] = {
    { "thread", 0, "TID|GLOB", "This thread, by number or by name", OPT_TEXT,
      offsetof(struct critical_opts, thread), NULL, 0 },
    { "task", 0, "TASK", "This task of a service: its name, name/entity, entity or request",
      OPT_TEXT, offsetof(struct critical_opts, task), NULL, 0 },
};

const struct cmd cmd_critical = {
    .name = "critical",
    .summary = "where a thread's or a task's time went, through whatever it waited for",
    .args = "PATH...",
    .about =
        "Follows the time of a thread backward: while it ran, the time is its own; while it "
        "could run, it waited for a CPU, and it is said who had that; while it slept, it is what "
        "the thread that woke it did meanwhile, or the disk, the network, a timer. Each "
        "nanosecond of the window is in exactly one part.\n\n"
        "--task takes the window of the task and the first thread of its process, in which "
        "OpenStack's services run their green threads. A message from another traced host leads to "
        "the thread there that sent it.",
    .outputs = TABLE_OUTPUTS,
    .groups = GROUP_LISTING | GROUP_LIMIT | GROUP_TIME | GROUP_HOST | GROUP_VM | GROUP_HISTORY,
    .options = options,
    .noptions = ARRAY_SIZE(options),
    .opts_size = sizeof(struct critical_opts),
    .min_args = 1,
    .run = run,
};
