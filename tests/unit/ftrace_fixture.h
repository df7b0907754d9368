/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_fixture.h -- makes small files of trace-cmd: both versions, both orders of
 * bytes, packed or not, with pages that a test fills event by event. */
#ifndef TESTS_UNIT_FTRACE_FIXTURE_H
#define TESTS_UNIT_FTRACE_FIXTURE_H

#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <zstd.h>

enum { FX_CPUS = 2, FX_PAGE = 512, FX_SWITCH = 7, FX_EXEC = 9, FX_HEAD = 16 };

struct fx {
    bool big_endian, is_packed;
    bool in_instance; /* version 6: of an instance of ftrace, not of its main buffers */
    int version;
    struct sbuf pages[FX_CPUS];
    struct sbuf page; /* being filled: events only */
    uint64_t page_time;
};

static inline void fx_put(const struct fx *x, struct sbuf *b, uint64_t n, int size)
{
    for (int i = 0; i < size; i++)
        sbuf_chr(b, (char)(n >> 8 * (x->big_endian ? size - 1 - i : i)));
}

static inline void fx_text(struct sbuf *b, const char *s, size_t size)
{
    for (size_t i = 0, n = strlen(s); i < size; i++)
        sbuf_chr(b, i < n ? s[i] : '\0');
}

/* --- pages ---------------------------------------------------------------------------- */

static inline void fx_page_begin(struct fx *x, uint64_t t)
{
    x->page.n = 0;
    x->page_time = t;
}

static inline void fx_word(struct fx *x, uint32_t kind, uint64_t delta)
{
    fx_put(x, &x->page, x->big_endian ? kind << 27 | delta : delta << 5 | kind, 4);
}

/* An event of 'n' bytes, 'delta' ns after the one before. */
static inline void fx_event(struct fx *x, uint64_t delta, const struct sbuf *data)
{
    if (data->n % 4 == 0 && data->n <= 28 * 4) {
        fx_word(x, (uint32_t)data->n / 4, delta);
    } else {
        fx_word(x, 0, delta);
        fx_put(x, &x->page, data->n + 4, 4);
    }
    sbuf_add(&x->page, data->p, data->n);
    while (x->page.n % 4)
        sbuf_chr(&x->page, 0);
}

static inline void fx_common(const struct fx *x, struct sbuf *b, uint32_t type, uint32_t tid)
{
    fx_put(x, b, type, 2);
    fx_put(x, b, 0, 2);
    fx_put(x, b, tid, 4);
}

static inline void fx_switch(struct fx *x, uint64_t delta, const char *prev, uint32_t prev_tid,
                             uint64_t state, const char *next, uint32_t next_tid)
{
    struct sbuf b = { 0 };

    fx_common(x, &b, FX_SWITCH, prev_tid);
    fx_text(&b, prev, 16);
    fx_put(x, &b, prev_tid, 4);
    fx_put(x, &b, 120, 4);
    fx_put(x, &b, state, 8);
    fx_text(&b, next, 16);
    fx_put(x, &b, next_tid, 4);
    fx_put(x, &b, (uint64_t)-1, 4);
    fx_event(x, delta, &b);
    sbuf_free(&b);
}

static inline void fx_exec(struct fx *x, uint64_t delta, const char *file, uint32_t tid)
{
    struct sbuf b = { 0 };

    fx_common(x, &b, FX_EXEC, tid);
    fx_put(x, &b, (strlen(file) + 1) << 16 | 20, 4); /* its length and where it is */
    fx_put(x, &b, tid, 4);
    fx_put(x, &b, tid, 4);
    fx_text(&b, file, strlen(file) + 1);
    fx_event(x, delta, &b);
    sbuf_free(&b);
}

/* 'lost': events before the page; 0: not known how many; -1: none. */
static inline void fx_page_end(struct fx *x, int cpu, int64_t lost)
{
    struct sbuf *out = &x->pages[cpu];
    uint64_t length = x->page.n | (lost >= 0 ? 1u << 31 : 0) | (lost > 0 ? 1u << 30 : 0);
    size_t begin = out->n;

    fx_put(x, out, x->page_time, 8);
    fx_put(x, out, length, 8);
    sbuf_add(out, x->page.p, x->page.n);
    if (lost > 0)
        fx_put(x, out, (uint64_t)lost, 8);
    if (out->n - begin > FX_PAGE)
        abort();
    while (out->n - begin < FX_PAGE)
        sbuf_chr(out, 0);
}

/* --- files ---------------------------------------------------------------------------- */

static const char fx_header_page[] = "\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n"
                                     "\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;\n"
                                     "\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n"
                                     "\tfield: char data;\toffset:16;\tsize:496;\tsigned:1;\n";
#define FX_COMMON                                                                   \
    "format:\n\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n" \
    "\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n"          \
    "\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n"  \
    "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
static const char fx_switch_format[] =
    "name: sched_switch\nID: 7\n" FX_COMMON
    "\tfield:char prev_comm[16];\toffset:8;\tsize:16;\tsigned:0;\n"
    "\tfield:pid_t prev_pid;\toffset:24;\tsize:4;\tsigned:1;\n"
    "\tfield:int prev_prio;\toffset:28;\tsize:4;\tsigned:1;\n"
    "\tfield:long prev_state;\toffset:32;\tsize:8;\tsigned:1;\n"
    "\tfield:char next_comm[16];\toffset:40;\tsize:16;\tsigned:0;\n"
    "\tfield:pid_t next_pid;\toffset:56;\tsize:4;\tsigned:1;\n"
    "\tfield:int next_prio;\toffset:60;\tsize:4;\tsigned:1;\n\nprint fmt: \"x\"\n";
static const char fx_exec_format[] =
    "name: sched_process_exec\nID: 9\n" FX_COMMON
    "\tfield:__data_loc char[] filename;\toffset:8;\tsize:4;\tsigned:0;\n"
    "\tfield:pid_t pid;\toffset:12;\tsize:4;\tsigned:1;\n"
    "\tfield:pid_t old_pid;\toffset:16;\tsize:4;\tsigned:1;\n\nprint fmt: \"x\"\n";
static const char fx_clocks[] = "local global [mono] boot\n";
static const char fx_uname[] = "Linux compute-7 6.1.0 x86_64";
static const char fx_stats[] = "entries: 3\noverrun: 5\ndropped events: 1\nread events: 3\n";
static const char fx_comms[] = "41 qemu-system-x86\n42 CPU 0/KVM\n";

static inline void fx_sized(const struct fx *x, struct sbuf *b, const char *s)
{
    fx_put(x, b, strlen(s), 8);
    sbuf_z(b, s);
}

static inline void fx_header_info(const struct fx *x, struct sbuf *b)
{
    sbuf_add(b, "header_page", 12);
    fx_sized(x, b, fx_header_page);
    sbuf_add(b, "header_event", 13);
    fx_sized(x, b, "");
}

static inline void fx_systems(const struct fx *x, struct sbuf *b)
{
    fx_put(x, b, 1, 4);
    sbuf_add(b, "sched", 6);
    fx_put(x, b, 2, 4);
    fx_sized(x, b, fx_switch_format);
    fx_sized(x, b, fx_exec_format);
}

static inline void fx_option(const struct fx *x, struct sbuf *b, uint32_t id, const void *p,
                             size_t n)
{
    fx_put(x, b, id, 2);
    fx_put(x, b, n, 4);
    sbuf_add(b, p, n);
}

static inline void fx_options(const struct fx *x, struct sbuf *b)
{
    fx_option(x, b, 4, fx_clocks, sizeof fx_clocks);
    fx_option(x, b, 5, fx_uname, sizeof fx_uname);
    fx_option(x, b, 2, fx_stats, sizeof fx_stats);
    fx_option(x, b, 9, "3.1.6", 6);
}

static inline void fx_align(struct sbuf *b)
{
    while (b->n % FX_PAGE)
        sbuf_chr(b, 0);
}

static inline void fx_start(const struct fx *x, struct sbuf *b)
{
    sbuf_add(b, "\x17\x08\x44tracing", 10);
    sbuf_add(b, x->version == 6 ? "6" : "7", 2);
    sbuf_chr(b, x->big_endian);
    sbuf_chr(b, 8);
    fx_put(x, b, FX_PAGE, 4);
}

/* Where the pages of each CPU are, if they begin behind 'at'; 'none': nowhere. */
static inline void fx_list(const struct fx *x, struct sbuf *b, size_t at, bool none)
{
    for (int cpu = 0; cpu < FX_CPUS; cpu++) {
        at = (at + FX_PAGE - 1) / FX_PAGE * FX_PAGE;
        fx_put(x, b, none ? 0 : at, 8);
        fx_put(x, b, none ? 0 : x->pages[cpu].n, 8);
        at += x->pages[cpu].n;
    }
}

static inline void fx_write_v6(const struct fx *x, struct sbuf *b)
{
    static const char name[13] = "\0\0\0\0\0\0\0\0neph";
    enum { LIST = FX_CPUS * 16, KIND = 10 };

    fx_start(x, b);
    fx_header_info(x, b);
    fx_put(x, b, 0, 4); /* no formats of ftrace itself */
    fx_systems(x, b);
    fx_put(x, b, 4, 4);
    sbuf_z(b, "syms");
    fx_put(x, b, 0, 4);
    fx_sized(x, b, fx_comms);
    fx_put(x, b, FX_CPUS, 4);
    sbuf_add(b, "options  ", 10);
    fx_options(x, b);
    if (x->in_instance) { /* its list is behind the one of the main buffers */
        fx_option(x, b, 3, name, sizeof name);
        struct sbuf at = { 0 };
        fx_put(x, &at, b->n + 2 + KIND + LIST, 8);
        memcpy(b->p + b->n - sizeof name, at.p, 8);
        sbuf_free(&at);
    }
    fx_put(x, b, 0, 2);
    sbuf_add(b, "flyrecord", KIND);
    fx_list(x, b, b->n + LIST, x->in_instance);
    if (x->in_instance) {
        sbuf_add(b, "flyrecord", KIND);
        fx_list(x, b, b->n + LIST, false);
    }
    for (int cpu = 0; cpu < FX_CPUS; cpu++) {
        fx_align(b);
        sbuf_str(b, sbuf_view(&x->pages[cpu]));
    }
}

/* Packed bytes behind their two sizes. */
static inline void fx_packed(const struct fx *x, struct sbuf *b, struct str data)
{
    size_t room = ZSTD_compressBound(data.n);
    char *to = malloc(room);
    size_t n = ZSTD_compress(to, room, data.p, data.n, 3);

    fx_put(x, b, n, 4);
    fx_put(x, b, data.n, 4);
    sbuf_add(b, to, n);
    free(to);
}

/* A section; returns where it is. */
static inline size_t fx_section(const struct fx *x, struct sbuf *b, uint32_t id, bool may_pack,
                                const struct sbuf *data)
{
    struct sbuf body = { 0 };
    size_t at = b->n;
    bool packed = x->is_packed && may_pack;

    if (packed)
        fx_packed(x, &body, sbuf_view(data));
    else
        sbuf_str(&body, sbuf_view(data));
    fx_put(x, b, id, 2);
    fx_put(x, b, packed, 2);
    fx_put(x, b, 0, 4);
    fx_put(x, b, body.n, 8);
    sbuf_str(b, sbuf_view(&body));
    sbuf_free(&body);
    return at;
}

/* The pages of a CPU: as they are, or in chunks of one page. */
static inline void fx_cpu(const struct fx *x, struct sbuf *b, int cpu)
{
    struct str pages = sbuf_view(&x->pages[cpu]);

    if (!x->is_packed) {
        sbuf_str(b, pages);
        return;
    }
    fx_put(x, b, pages.n / FX_PAGE, 4);
    for (size_t i = 0; i < pages.n; i += FX_PAGE)
        fx_packed(x, b, str_first(str_from(pages, i), FX_PAGE));
}

static inline void fx_place(const struct fx *x, struct sbuf *options, uint32_t id, size_t at)
{
    struct sbuf b = { 0 };

    fx_put(x, &b, at, 8);
    fx_option(x, options, id, b.p, b.n);
    sbuf_free(&b);
}

static inline void fx_write_v7(const struct fx *x, struct sbuf *b)
{
    struct sbuf part = { 0 }, options = { 0 }, buffer = { 0 };
    size_t here, at, sizes[FX_CPUS], offsets[FX_CPUS];

    fx_start(x, b);
    sbuf_z(b, x->is_packed ? "zstd" : "none");
    sbuf_chr(b, 0);
    sbuf_chr(b, 0);
    here = b->n; /* of where the options are */
    fx_put(x, b, 0, 8);
    fx_header_info(x, &part);
    fx_place(x, &options, 16, fx_section(x, b, 16, true, &part));
    part.n = 0;
    fx_systems(x, &part);
    fx_place(x, &options, 18, fx_section(x, b, 18, true, &part));
    part.n = 0;
    fx_sized(x, &part, fx_comms);
    fx_place(x, &options, 21, fx_section(x, b, 21, true, &part));
    at = b->n; /* the buffer's section */
    fx_put(x, b, 3, 2);
    fx_put(x, b, x->is_packed, 2);
    fx_put(x, b, 0, 4);
    fx_put(x, b, 0, 8);
    for (int cpu = 0; cpu < FX_CPUS; cpu++) {
        fx_align(b);
        offsets[cpu] = b->n;
        fx_cpu(x, b, cpu);
        sizes[cpu] = b->n - offsets[cpu] - (x->is_packed ? 4 : 0);
    }
    fx_put(x, &buffer, at, 8);
    sbuf_add(&buffer, "\0mono", 6);
    fx_put(x, &buffer, FX_PAGE, 4);
    fx_put(x, &buffer, FX_CPUS, 4);
    for (uint64_t cpu = 0; cpu < FX_CPUS; cpu++) {
        fx_put(x, &buffer, cpu, 4);
        fx_put(x, &buffer, offsets[cpu], 8);
        fx_put(x, &buffer, sizes[cpu], 8);
    }
    fx_option(x, &options, 3, buffer.p, buffer.n);
    fx_options(x, &options);
    fx_place(x, &options, 0, 0);
    at = fx_section(x, b, 0, false, &options);
    part.n = 0;
    fx_put(x, &part, at, 8);
    memcpy(b->p + here, part.p, 8);
    sbuf_free(&part);
    sbuf_free(&options);
    sbuf_free(&buffer);
}

static inline void fx_write(const struct fx *x, struct sbuf *b)
{
    if (x->version == 6)
        fx_write_v6(x, b);
    else
        fx_write_v7(x, b);
}

static inline void fx_free(struct fx *x)
{
    for (int i = 0; i < FX_CPUS; i++)
        sbuf_free(&x->pages[i]);
    sbuf_free(&x->page);
}

#endif
