/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_fixture.h -- traces made by hand: bits into packets, packets into a
 * temporary folder, events back as text. */
#ifndef TESTS_UNIT_CTF_FIXTURE_H
#define TESTS_UNIT_CTF_FIXTURE_H

#include "ctf/merge.h"
#include "tests/unit/ctf_bits.h"

#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* --- folders ---------------------------------------------------------------------- */

struct fixture {
    char dir[64];
    char path[96];
    struct notes notes;
    struct ctf_trace *t;
    struct err err;
    struct sbuf text;
    struct bits w;
};

static inline int fixture_open(void **state)
{
    struct fixture *f = xcalloc(1, sizeof *f);

    snprintf(f->dir, sizeof f->dir, "%s/neph-ctf-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static inline const char *in_dir(struct fixture *f, const char *name)
{
    snprintf(f->path, sizeof f->path, "%s/%s", f->dir, name);
    return f->path;
}

static inline void write_file(struct fixture *f, const char *name, const void *p, size_t n)
{
    FILE *out = fopen(in_dir(f, name), "w");

    assert_non_null(out);
    assert_int_equal(fwrite(p, 1, n, out), n);
    assert_int_equal(fclose(out), 0);
}

static inline void write_metadata(struct fixture *f, const char *text)
{
    char head[] = "/* CTF 1.8 */\n";
    struct sbuf b = { 0 };

    sbuf_z(&b, head);
    sbuf_z(&b, text);
    write_file(f, "metadata", b.p, b.n);
    sbuf_free(&b);
}

static inline void write_stream(struct fixture *f, const char *name)
{
    write_file(f, name, f->w.b, (f->w.n + 7) / 8);
}

static inline void fixture_clear(struct fixture *f)
{
    ctf_trace_close(f->t);
    f->t = NULL;
    notes_free(&f->notes);
    f->notes = (struct notes){ 0 };
    sbuf_clear(&f->text);
    f->err.text[0] = '\0';
}

static inline int fixture_close(void **state)
{
    struct fixture *f = *state;

    fixture_clear(f);
    static const char *const names[] = { "metadata", "s0", "s1", "s2", "s3",
                                         "s4",       "s5", "s6", "s7", "s8" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(in_dir(f, names[i]));
    rmdir(f->dir);
    sbuf_free(&f->text);
    free(f);
    return 0;
}

/* --- traces with one event class ---------------------------------------- */

static inline void put_compact(struct bits *w, uint64_t id, uint64_t t)
{
    align_bits(w, 8);
    put(w, id, 5);
    put(w, t, 27);
}

/* A trace with one event class "a", id 0, and the events that follow. */
static inline size_t one_class(struct fixture *f, const char *order, const char *more,
                               const char *fields)
{
    struct sbuf b = { 0 };

    f->w = (struct bits){ .be = !strcmp(order, "be") };
    sbuf_z(&b, f->w.be ? TRACE("be") : TRACE("le"));
    sbuf_fmt(&b, "stream { id = 0; " CONTEXT PLAIN "%s };\n", more);
    sbuf_fmt(&b, "event { name = \"a\"; id = 0; stream_id = 0; %s };\n", fields);
    write_metadata(f, b.p);
    sbuf_free(&b);
    return packet_open(&f->w);
}

static inline void put_plain(struct bits *w, uint64_t id, uint64_t t)
{
    align_bits(w, 8);
    put(w, id, 32);
    put(w, t, 64);
}

static inline void end_packet(struct fixture *f, size_t at)
{
    packet_close(&f->w, at, (struct packet_info){ .end = 1000 });
    write_stream(f, "s0");
}

/* --- events as text --------------------------------------------------------------- */

static inline void text_name(struct sbuf *b, struct str name)
{
    if (b->n && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[')
        sbuf_chr(b, ' ');
    sbuf_str(b, name);
    if (name.n)
        sbuf_chr(b, '=');
}

static void text_open(void *ctx, struct str name, bool is_struct)
{
    text_name(ctx, name);
    sbuf_chr(ctx, is_struct ? '{' : '[');
}

static void text_close(void *ctx, bool is_struct)
{
    sbuf_chr(ctx, is_struct ? '}' : ']');
}

static void text_scalar(void *ctx, struct str name, const struct value *v)
{
    text_name(ctx, name);
    if (v->kind == VALUE_F64)
        sbuf_fmt(ctx, "%g", v->f64);
    else if (v->kind == VALUE_I64)
        sbuf_fmt(ctx, "%" PRId64, v->i64);
    else
        sbuf_fmt(ctx, "%" PRIu64, v->u64);
    if (v->is_enum)
        sbuf_fmt(ctx, ":" STR_FMT, STR_ARG(v->label));
}

static void text_string(void *ctx, struct str name, struct str s)
{
    text_name(ctx, name);
    sbuf_fmt(ctx, "'" STR_FMT "'", STR_ARG(s));
}

/* "name@t cpu {payload} {contexts}" and a new line for each event; times without
 * the second at which the clock starts. */
static inline void events_to_text(struct fixture *f)
{
    const struct value_sink sink = { &f->text, text_open, text_close, text_scalar, text_string };
    const struct ctf_event *ev;
    struct ctf_merge m;

    sbuf_clear(&f->text);
    sbuf_z(&f->text, "");
    ctf_merge_init(&m, f->t, &f->notes, 0);
    while ((ev = ctf_merge_next(&m))) {
        sbuf_fmt(&f->text, STR_FMT "@%" PRId64, STR_ARG(ev->cls->name), ev->t - NS_PER_S);
        if (ev->cpu != UINT32_MAX)
            sbuf_fmt(&f->text, " %u", ev->cpu);
        sbuf_z(&f->text, " {");
        ctf_visit(ev, SCOPE_PAYLOAD, &sink);
        sbuf_z(&f->text, "}");
        if (ev->cls->stream->event_context || ev->cls->context) {
            sbuf_z(&f->text, " {");
            ctf_visit(ev, SCOPE_COMMON, &sink);
            ctf_visit(ev, SCOPE_CONTEXT, &sink);
            sbuf_z(&f->text, "}");
        }
        sbuf_z(&f->text, "\n");
    }
    f->t->bad_packets += ctf_merge_counts(&m).bad_packets;
    ctf_merge_free(&m);
}

/* Opens what was written and compares its events. */
static inline void expect_events(struct fixture *f, const char *expected)
{
    fixture_clear(f);
    if (ctf_trace_open(f->dir, &f->t, &f->notes, &f->err) < 0)
        fail_msg("not opened: %s", f->err.text);
    events_to_text(f);
    assert_string_equal(f->text.p, expected);
}

/* Opening fails, and says 'words'. */
static inline void expect_refused(struct fixture *f, enum err_code code, const char *words)
{
    fixture_clear(f);
    assert_int_equal(ctf_trace_open(f->dir, &f->t, &f->notes, &f->err), -(int)code);
    if (!strstr(f->err.text, words))
        fail_msg("'%s' does not say '%s'", f->err.text, words);
}

/* How often was something noted at this level that says 'words'? */
static inline uint64_t noted(const struct fixture *f, enum note_level level, const char *words)
{
    uint64_t n = 0;

    for (size_t i = 0; i < f->notes.list.n; i++)
        if (f->notes.list.at[i].level == level && strstr(f->notes.list.at[i].text.p, words))
            n += f->notes.list.at[i].count;
    return n;
}

static inline void expect_note(const struct fixture *f, enum note_level level, const char *words)
{
    if (noted(f, level, words))
        return;
    for (size_t i = 0; i < f->notes.list.n; i++)
        print_message("noted (%s): %s\n", note_level_name(f->notes.list.at[i].level),
                      f->notes.list.at[i].text.p);
    fail_msg("no note says '%s'", words);
}

#endif
