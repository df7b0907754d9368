/* SPDX-License-Identifier: Apache-2.0
 *
 * test_engine.c -- from lines of a file to handlers, rules, states and the join
 * of hosts, with analyses made for the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/engine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- an experiment from lines ----------------------------------------------------- */

struct line {
    ns_t t;
    const char *host, *msg;
    int64_t pid;
};

struct given {
    char dir[64], files[2][96];
    size_t nfiles;
    struct notes notes;
    struct experiment x;
};

static void write_file(const char *path, const struct line *lines, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    for (size_t i = 0; i < n; i++)
        fprintf(f,
                "{\"t_ns\":%" PRId64 ",\"host\":\"%s\",\"cpu\":1,\"name\":\"lttng_python:event\","
                "\"fields\":{\"msg\":\"%s\",\"logger_name\":\"l\",\"int_loglevel\":20,"
                "\"lineno\":7,\"thread\":3},\"context\":{\"vpid\":%" PRId64 "}}\n",
                lines[i].t, lines[i].host, lines[i].msg, lines[i].pid);
    fprintf(f, "{\"t_ns\":5,\"host\":\"%s\",\"cpu\":0,\"name\":\"nobody_asks\",\"fields\":{}}\n",
            lines[n - 1].host);
    fclose(f);
}

static void give(struct given *g, const struct line *a, size_t na, const struct line *b, size_t nb)
{
    const char *tmp = getenv("TMPDIR");
    const char *paths[2];
    struct err err;

    *g = (struct given){ .nfiles = nb ? 2 : 1 };
    snprintf(g->dir, sizeof g->dir, "%s/engineXXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    assert_non_null(mkdtemp(g->dir));
    for (size_t i = 0; i < g->nfiles; i++) {
        snprintf(g->files[i], sizeof g->files[i], "%s/%zu.jsonl", g->dir, i);
        write_file(g->files[i], i ? b : a, i ? nb : na);
        paths[i] = g->files[i];
    }
    assert_int_equal(experiment_open(paths, g->nfiles, NULL, &g->notes, &g->x, &err), 0);
}

static void take_back(struct given *g)
{
    experiment_close(&g->x);
    notes_free(&g->notes);
    for (size_t i = 0; i < g->nfiles; i++)
        unlink(g->files[i]);
    rmdir(g->dir);
}

/* --- analyses ----------------------------------------------------------------------- */

/* Messages "vm state host" become derived events; an analysis that follows them
 * and rules see those. */
struct words {
    uint32_t seen, finished;
    char all[256];
};

static void on_line(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    struct words *w = state;
    const struct ev_python_log *log = ev;
    char vm[32], host[32];
    int64_t vm_state;
    char text[128];

    snprintf(text, sizeof text, STR_FMT, STR_ARG(log->msg));
    assert_int_equal(log->level, 20);
    assert_int_equal(log->lineno, 7);
    w->seen++;
    if (sscanf(text, "%31s %" SCNd64 " %31s", vm, &vm_state, host) == 3) {
        struct ev_vm_state out = { .vm = strcmp(vm, "-") ? str_of(vm) : STR(""),
                                   .state = vm_state < 0 ? STORE_NULL : vm_state,
                                   .host = strcmp(host, "-") ? str_of(host) : STR("") };

        pass_emit(p, EV_VM_STATE, h, &out);
    }
}

static void on_state(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    struct words *w = state;
    const struct ev_vm_state *e = ev;
    size_t n = strlen(w->all);

    (void)p;
    snprintf(w->all + n, sizeof w->all - n, "%" PRId64 ":" STR_FMT "@%" PRId64 " ", h->t,
             STR_ARG(e->vm), h->pid);
}

static struct words kept; /* of the last analysis that finished, for the test */

static void finish(void *state, struct pass *p)
{
    struct words *w = state;

    w->finished++;
    kept = *w;
    cell_t row[mark_columns] = { [C_mark_t0] = p->t0,
                                 [C_mark_t1] = p->t1,
                                 [C_mark_name] = pass_text(p, str_of(p->host)),
                                 [C_mark_n1] = w->seen };
    pass_record(p, TABLE_mark, row);
}

static void join(struct cloud *c)
{
    cell_t row[mark_columns] = { [C_mark_t0] = 1, [C_mark_t1] = 2, [C_mark_n1] = c->nhosts };
    table_t t;

    for (uint32_t i = 0; i < c->nhosts; i++) /* in the order of their names */
        assert_true(i == 0 || strcmp(store_host(c->hosts[i - 1]), store_host(c->hosts[i])) < 0);
    assert_true(store_table_find(c->global, "mark", &t));
    store_record(c->global, t, row);
}

static const struct handler line_handlers[] = { { EV_PYTHON_LOG, on_line }, { EV_OTHER, NULL } };
static const struct handler state_handlers[] = { { EV_VM_STATE, on_state }, { EV_OTHER, NULL } };
static const struct rule rules[] = {
    { EV_VM_STATE, ATTR_VM_STATE, "state", 0 },
    { EV_VM_STATE, ATTR_VM_HOST, "host", 0 },
    { EV_OTHER, SCHEMA_ATTRS, NULL, 0 },
};
static const struct rule constant_rules[] = {
    { EV_VOLUME_STATE, ATTR_VOLUME_STATE, NULL, VOLUME_ERROR },
    { EV_OTHER, SCHEMA_ATTRS, NULL, 0 },
};

static void on_volume(void *state, struct pass *p, const struct ev_head *h, const void *ev)
{
    const struct ev_python_log *log = ev;
    struct ev_volume_state out = { .volume = log->msg, .state = VOLUME_AVAILABLE };

    (void)state;
    pass_emit(p, EV_VOLUME_STATE, h, &out);
}

static const struct handler volume_handlers[] = { { EV_PYTHON_LOG, on_volume },
                                                  { EV_OTHER, NULL } };

static const struct analysis an_lines = { .name = "lines",
                                          .handlers = line_handlers,
                                          .state_size = sizeof(struct words),
                                          .finish = finish,
                                          .global = join };
static const struct analysis an_states = { .name = "states",
                                           .handlers = state_handlers,
                                           .rules = rules,
                                           .state_size = sizeof(struct words),
                                           .finish = finish };
static const struct analysis an_volumes = { .name = "volumes",
                                            .handlers = volume_handlers,
                                            .rules = constant_rules };

/* --- tests --------------------------------------------------------------------------- */

static void check_state(const struct store *s, const char *path, ns_t t, cell_t value)
{
    struct interval v;
    attr_t a;

    assert_true(store_attr_find(s, str_of(path), &a));
    if (value == STORE_NULL) {
        assert_false(store_at(s, a, t, &v));
        return;
    }
    assert_true(store_at(s, a, t, &v));
    assert_int_equal(v.value, value);
}

static void check_text(const struct store *s, const char *path, ns_t t, const char *text)
{
    struct interval v;
    attr_t a;

    assert_true(store_attr_find(s, str_of(path), &a));
    assert_true(store_at(s, a, t, &v));
    assert_true(str_is(store_text(s, v.value), text));
}

static void test_rules(void **state)
{
    static const struct line lines[] = { { 10, "h", "a 0 n1", 1 }, { 20, "h", "b 1 n2", 1 },
                                         { 30, "h", "a 1 n2", 1 }, { 40, "h", "a -1 -", 1 },
                                         { 50, "h", "- 6 n9", 1 }, { 60, "h", "no record", 1 } };
    static const struct analysis *const list[] = { &an_lines, &an_states, NULL };
    struct given g;
    struct err err;
    struct store *s;

    (void)state;
    give(&g, lines, ARRAY_SIZE(lines), NULL, 0);
    assert_int_equal(engine_run_host(list, &g.x, &g.x.hosts.at[0], &g.notes, &s, &err), 0);
    check_state(s, "vms/a/state", 9, STORE_NULL);
    check_state(s, "vms/a/state", 10, VM_BUILDING);
    check_state(s, "vms/a/state", 29, VM_BUILDING);
    check_state(s, "vms/a/state", 30, VM_ACTIVE);
    check_state(s, "vms/a/state", 59, VM_ACTIVE); /* no value sets nothing */
    check_state(s, "vms/b/state", 20, VM_ACTIVE);
    check_text(s, "vms/a/host", 35, "n2");
    check_text(s, "vms/a/host", 45, "n2");    /* nor does an empty text */
    assert_int_equal(store_attr_count(s), 4); /* nor an empty hole */
    assert_string_equal(kept.all, "10:a@1 20:b@1 30:a@1 40:a@1 50:@1 ");
    assert_int_equal(kept.finished, 1);
    store_free(s);
    take_back(&g);
}

static void test_constant(void **state)
{
    static const struct line lines[] = { { 10, "h", "v1", 1 } };
    static const struct analysis *const list[] = { &an_volumes, NULL };
    struct given g;
    struct err err;
    struct store *s;

    (void)state;
    give(&g, lines, ARRAY_SIZE(lines), NULL, 0);
    assert_int_equal(engine_run_host(list, &g.x, &g.x.hosts.at[0], &g.notes, &s, &err), 0);
    check_state(s, "volumes/v1/state", 10, VOLUME_ERROR);
    store_free(s);
    take_back(&g);
}

/* Two files of one host are one sequence in time. */
static void test_merge(void **state)
{
    static const struct line a[] = { { 10, "h", "a 0 n1", 1 }, { 30, "h", "c 0 n1", 1 } };
    static const struct line b[] = { { 5, "h", "z 0 n1", 2 },
                                     { 20, "h", "b 0 n1", 2 },
                                     { 30, "h", "d 0 n1", 2 } };
    static const struct analysis *const list[] = { &an_lines, &an_states, NULL };
    struct given g;
    struct err err;
    struct store *s;

    (void)state;
    give(&g, a, ARRAY_SIZE(a), b, ARRAY_SIZE(b));
    assert_int_equal(g.x.hosts.n, 1);
    assert_int_equal(engine_run_host(list, &g.x, &g.x.hosts.at[0], &g.notes, &s, &err), 0);
    assert_string_equal(kept.all, "5:z@2 10:a@1 20:b@2 30:c@1 30:d@2 ");
    store_free(s);
    take_back(&g);
}

/* Each host has a history of its own; the join sees all. */
static void test_hosts(void **state)
{
    static const struct line a[] = { { 10, "z2", "a 0 n1", 1 }, { 30, "z2", "c 0 n1", 1 } };
    static const struct line b[] = { { 5, "a1", "a 1 n1", 2 } };
    static const struct analysis *const list[] = { &an_lines, &an_states, NULL };
    struct store_coverage cov;
    struct given g;
    struct cloud c;
    struct err err;
    table_t t;

    (void)state;
    give(&g, a, ARRAY_SIZE(a), b, ARRAY_SIZE(b));
    assert_int_equal(engine_analyse(list, &g.x, NULL, NULL, &g.notes, &c, &err), 0);
    assert_int_equal(c.nhosts, 2);
    assert_string_equal(store_host(c.hosts[0]), "a1");
    assert_string_equal(store_host(c.hosts[1]), "z2");
    check_state(c.hosts[0], "vms/a/state", 5, VM_ACTIVE);
    check_state(c.hosts[1], "vms/a/state", 15, VM_BUILDING);
    store_coverage(c.hosts[1], &cov);
    assert_int_equal(cov.t1, 31);
    store_coverage(c.global, &cov);
    assert_int_equal(cov.t0, 5);
    assert_int_equal(cov.t1, 31);
    assert_true(store_table_find(c.global, "mark", &t));
    struct store_rows r = store_rows(c.global, t, SPAN_ALL);
    const cell_t *row = store_rows_next(&r);
    assert_non_null(row);
    assert_int_equal(row[C_mark_n1], 2);
    assert_null(store_rows_next(&r));
    engine_cloud_free(&c);
    take_back(&g);
}

/* The schema's tables and attributes, as the store knows them. */
static void test_schema(void **state)
{
    (void)state;
    for (int i = 0; i < SCHEMA_TABLES; i++) {
        const struct store_table *t = engine_table((enum schema_table)i);

        assert_string_equal(t->columns[0].name, "t0");
        assert_string_equal(t->columns[1].name, "t1");
        assert_int_equal(t->ncolumns, schema_tables[i].ncolumns);
    }
    const struct store_family *f = engine_family(ATTR_VM_STATE);
    assert_string_equal(f->pattern, "vms/{vm}/state");
    assert_int_equal(f->type, STORE_STATE);
    assert_string_equal(f->values[VM_ERROR].label, "error");
    assert_true(f->values[VM_ERROR].bad);
    assert_false(f->values[VM_ACTIVE].bad);
    assert_int_equal(engine_family(ATTR_VM_HOST)->type, STORE_STR);
    assert_string_equal(engine_family(ATTR_NODE_RAM_USED)->unit, "MB");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules), cmocka_unit_test(test_constant), cmocka_unit_test(test_merge),
        cmocka_unit_test(test_hosts), cmocka_unit_test(test_schema),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
