/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_fixture.h -- a file of QEMU in a folder of its own, its events and what they hold. */
#ifndef TESTS_UNIT_QEMU_FIXTURE_H
#define TESTS_UNIT_QEMU_FIXTURE_H

#include "tests/unit/reader_checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char dir[64], path[80];
static struct reader_event event;
static struct ev_head head;
static _Alignas(16) char filled[EV_MAX_BYTES];

/* The struct of the current event. */
#define FILLED(name) (*(const struct ev_##name *)(const void *)filled)

static inline int make_dir(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    snprintf(dir, sizeof dir, "%s/qemuXXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/file", dir);
    return 0;
}

static inline int remove_dir(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(dir);
}

static inline void write_file(const void *p, size_t n)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static inline struct reader *open_bytes(const void *p, size_t n, struct notes *notes)
{
    struct reader *r = NULL;
    struct err err = { 0 };

    *notes = (struct notes){ 0 };
    write_file(p, n);
    assert_true(reader_is_qemu(path));
    if (reader_open_qemu(path, notes, &r, &err) < 0)
        fail_msg("%s", err.text);
    return r;
}

static inline struct reader *open_text(const char *text, struct notes *notes)
{
    return open_bytes(text, strlen(text), notes);
}

/* --- fields ------------------------------------------------------------------------------ */

static inline void no_struct(void *ctx, struct str name, bool is_struct)
{
    (void)ctx;
    (void)name;
    (void)is_struct;
    fail_msg("fields of QEMU are flat");
}

static inline void no_end(void *ctx, bool is_struct)
{
    no_struct(ctx, STR(""), is_struct);
}

static inline void add_scalar(void *ctx, struct str name, const struct value *v)
{
    if (v->kind == VALUE_F64)
        sbuf_fmt(ctx, STR_FMT "=%g ", STR_ARG(name), v->f64);
    else if (v->base == 16)
        sbuf_fmt(ctx, STR_FMT "=0x%" PRIx64 " ", STR_ARG(name), v->u64);
    else
        sbuf_fmt(ctx, STR_FMT "=%" PRId64 " ", STR_ARG(name), v->i64);
}

static inline void add_text(void *ctx, struct str name, struct str s)
{
    sbuf_fmt(ctx, STR_FMT "='" STR_FMT "' ", STR_ARG(name), STR_ARG(s));
}

/* "name=1 other='text' " */
static inline void assert_fields(struct reader *r, const char *expected)
{
    struct sbuf b = { 0 };
    const struct value_sink sink = { &b, no_struct, no_end, add_scalar, add_text };

    r->ops->visit(r, READER_FIELDS, &sink);
    assert_string_equal(b.p ? b.p : "", expected);
    sbuf_free(&b);
}

/* The next event; if it is one that analyses ask for, head and struct are filled. */
static inline void next_is(struct reader *r, ns_t t, const char *name)
{
    assert_true(r->ops->next(r, &event));
    assert_str(event.name, name);
    assert_int_equal(event.t, t);
    assert_true(event.class_no < r->nclasses);
    assert_int_equal(event.cpu, UINT32_MAX);
    memset(filled, 0xa5, sizeof filled);
    if (event.type == EV_OTHER)
        return;
    r->ops->fill(r, &head, filled);
    assert_int_equal(head.t, t);
    assert_str(head.name, name);
}

static inline void is_over(struct reader *r)
{
    assert_false(r->ops->next(r, &event));
}

static inline struct reader_totals totals_of(struct reader *r)
{
    struct reader_totals t;

    r->ops->totals(r, &t);
    return t;
}

#endif
