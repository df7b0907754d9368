/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf.c -- how fast are traces decoded?
 *
 * usage: ctf [PATH] [--json] [--runs N]
 *
 *   open        metadata and packet headers of the traces below PATH
 *   walk        every event, in order of time
 *   lazy        and one field of each
 *   all-fields  and every field: numbers, and the bytes of every string
 *
 * The time is CPU time (user and system), the median of the runs; the last three
 * read traces that are open.  Where libbabeltrace2 is there, the same loop over
 * every field runs with it, and what both have read must have the same sums; the
 * ratio is that of opening and reading everything.  Without PATH a
 * trace of a tracer of applications is made: 2,000,000 events in two streams. */
#define _GNU_SOURCE
#include "base/file.h"
#include "ctf/merge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if HAVE_BABELTRACE2
#include "tests/oracle/bt2_graph.h"
#endif

struct sums {
    uint64_t events;
    uint64_t times; /* sum of time * position: sees the order */
    uint64_t ints, floats, bytes;
};

/* Kept small enough that each use inlines it. */
static inline void add_time(struct sums *s, int64_t t)
{
    s->times += (uint64_t)t * ++s->events;
}

static inline void add_text(struct sums *s, const char *p, size_t n)
{
    uint64_t word;

    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        s->bytes += word;
    }
    for (; n; n--)
        s->bytes += (unsigned char)*p++;
}

static inline void add_float(struct sums *s, double v)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof bits);
    s->floats += bits;
}

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* --- ours ------------------------------------------------------------------------ */

/* A field, bound when the trace was opened. */
struct leaf {
    uint32_t seg;
    struct ctf_load load;
    uint8_t kind; /* enum ctf_field_kind */
    bool optional;
    uint64_t off;
    const struct ctf_field *field;
};

/* An integer that is always there and needs one load: most fields are such. */
struct plain {
    uint32_t off; /* bits */
    uint16_t seg;
    uint8_t shift;
    bool is_signed;
};

struct plan {
    const struct ctf_field *first_int;
    struct plain *plain;
    uint32_t nplain;
    struct leaf *leaves; /* the others */
    uint32_t nleaves;
    bool visit; /* it has arrays of structures: take the general way */
};

struct open_trace {
    struct ctf_trace *t;
    struct plan *plans;
    struct notes notes;
};

static bool is_plain(const struct ctf_field *f)
{
    return f->kind == FIELD_INT && !f->only_if && f->load.kind == LOAD_LE && f->off <= UINT32_MAX &&
           f->seg <= UINT16_MAX;
}

static struct plan *make_plans(const struct ctf_trace *t)
{
    struct plan *plans = xcalloc(t->meta.events.n + 1, sizeof *plans);

    for (size_t i = 0; i < t->meta.events.n; i++) {
        const struct ctf_event_class *c = t->meta.events.at[i];
        struct plan *p = &plans[i];

        p->leaves = xcalloc(c->nfields + 1, sizeof *p->leaves);
        p->plain = xcalloc(c->nfields + 1, sizeof *p->plain);
        for (uint32_t k = 0; k < c->nfields; k++) {
            const struct ctf_field *f = &c->fields[k];

            if (is_plain(f))
                p->plain[p->nplain++] = (struct plain){ (uint32_t)f->off, (uint16_t)f->seg,
                                                        f->load.shift, f->load.is_signed };
            else
                p->leaves[p->nleaves++] = (struct leaf){ .seg = f->seg,
                                                         .load = f->load,
                                                         .kind = (uint8_t)f->kind,
                                                         .optional = f->only_if != NULL,
                                                         .off = f->off,
                                                         .field = f };
            if (f->kind == FIELD_INT && f->scope == SCOPE_PAYLOAD && !p->first_int && !f->only_if)
                p->first_int = f;
            if (f->kind == FIELD_ARRAY && f->type->elem->kind > CTF_FLOAT)
                p->visit = true;
        }
    }
    return plans;
}

static bool open_trace(const char *dir, struct open_trace *ret)
{
    struct err err;

    *ret = (struct open_trace){ 0 };
    if (ctf_trace_open(dir, &ret->t, &ret->notes, &err) < 0) {
        fprintf(stderr, "ctf: %s\n", err.text);
        return false;
    }
    ret->plans = make_plans(ret->t);
    return true;
}

static void close_trace(struct open_trace *o)
{
    for (size_t i = 0; o->t && i < o->t->meta.events.n; i++) {
        free(o->plans[i].leaves);
        free(o->plans[i].plain);
    }
    free(o->plans);
    ctf_trace_close(o->t);
    notes_free(&o->notes);
}

static void sink_open(void *ctx, struct str name, bool is_struct)
{
    (void)ctx, (void)name, (void)is_struct;
}

static void sink_close(void *ctx, bool is_struct)
{
    (void)ctx, (void)is_struct;
}

static void sink_scalar(void *ctx, struct str name, const struct value *v)
{
    (void)name;
    if (v->kind == VALUE_F64)
        add_float(ctx, v->f64);
    else
        ((struct sums *)ctx)->ints += v->u64;
}

static void sink_text(void *ctx, struct str name, struct str s)
{
    (void)name;
    add_text(ctx, s.p, s.n);
}

static void touch_array(struct sums *s, const struct ctf_event *ev, const struct ctf_field *f)
{
    const struct ctf_type *e = f->type->elem;
    uint64_t n = f->type->kind == CTF_SEQ ? ev->slot[f->type->ref_slot] : f->type->length;
    uint64_t pos = ev->seg[f->seg] + f->off;
    uint64_t stride = ((uint64_t)e->size + e->align - 1) & ~((uint64_t)e->align - 1);

    for (uint64_t i = 0; i < n; i++, pos += stride) {
        uint64_t raw = ctf_load_at(ev->p, pos, ctf_load_of(e, pos % 8 ? 1 : 8, ev->cls->native));

        if (e->kind == CTF_FLOAT)
            add_float(s, ctf_raw_f64(e, raw));
        else
            s->ints += raw;
    }
}

static inline void touch(struct sums *s, const struct ctf_event *ev, const struct leaf *l)
{
    switch ((enum ctf_field_kind)l->kind) {
    case FIELD_INT: s->ints += ctf_load_at(ev->p, ev->seg[l->seg] + l->off, l->load); return;
    case FIELD_STRING:
    case FIELD_TEXT: {
        struct str text = ctf_get_str(ev, l->field);
        add_text(s, text.p, text.n);
        return;
    }
    case FIELD_FLOAT: add_float(s, ctf_get_f64(ev, l->field)); return;
    case FIELD_ARRAY: touch_array(s, ev, l->field); return;
    }
}

static void touch_all(struct sums *s, const struct ctf_event *ev, const struct plan *p)
{
    if (p->visit) {
        const struct value_sink sink = { s, sink_open, sink_close, sink_scalar, sink_text };

        ctf_visit(ev, SCOPE_COMMON, &sink);
        ctf_visit(ev, SCOPE_CONTEXT, &sink);
        ctf_visit(ev, SCOPE_PAYLOAD, &sink);
        return;
    }
    uint64_t sum = 0;
    for (const struct plain *l = p->plain, *end = l + p->nplain; l < end; l++) {
        uint64_t v;

        memcpy(&v, ev->p + ((ev->seg[l->seg] + l->off) >> 3), 8);
        v <<= l->shift;
        sum += l->is_signed ? (uint64_t)((int64_t)v >> l->shift) : v >> l->shift;
    }
    s->ints += sum;
    for (uint32_t i = 0; i < p->nleaves; i++)
        if (!p->leaves[i].optional || ctf_has(ev, p->leaves[i].field))
            touch(s, ev, &p->leaves[i]);
}

enum mode { OPEN, WALK, LAZY, ALL_FIELDS, RIVAL, MODES };

static void read_trace(struct open_trace *o, enum mode mode, struct sums *s)
{
    const struct ctf_event *ev;
    struct ctf_merge m;

    ctf_merge_init(&m, o->t, &o->notes);
    if (mode == WALK)
        while ((ev = ctf_merge_next(&m)))
            add_time(s, ev->t);
    if (mode == LAZY)
        while ((ev = ctf_merge_next(&m))) {
            const struct ctf_field *f = o->plans[ev->cls->index].first_int;

            add_time(s, ev->t);
            if (f)
                s->ints += ctf_get_u64(ev, f);
        }
    if (mode == ALL_FIELDS)
        while ((ev = ctf_merge_next(&m))) {
            add_time(s, ev->t);
            touch_all(s, ev, &o->plans[ev->cls->index]);
        }
    ctf_merge_free(&m);
}

/* --- libbabeltrace2 --------------------------------------------------------------- */

#if HAVE_BABELTRACE2

static void bt2_touch(struct sums *s, const bt_field *f)
{
    bt_field_class_type type = bt_field_get_class_type(f);

    if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)) {
        s->ints += bt_field_integer_unsigned_get_value(f);
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER)) {
        s->ints += (uint64_t)bt_field_integer_signed_get_value(f);
    } else if (type == BT_FIELD_CLASS_TYPE_STRING) {
        add_text(s, bt_field_string_get_value(f), bt_field_string_get_length(f));
    } else if (type == BT_FIELD_CLASS_TYPE_STRUCTURE) {
        uint64_t n = bt_field_class_structure_get_member_count(bt_field_borrow_class_const(f));

        for (uint64_t i = 0; i < n; i++)
            bt2_touch(s, bt_field_structure_borrow_member_field_by_index_const(f, i));
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY)) {
        uint64_t n = bt_field_array_get_length(f);

        for (uint64_t i = 0; i < n; i++)
            bt2_touch(s, bt_field_array_borrow_element_field_by_index_const(f, i));
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_VARIANT)) {
        bt2_touch(s, bt_field_variant_borrow_selected_option_field_const(f));
    } else if (type == BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL) {
        add_float(s, (double)bt_field_real_single_precision_get_value(f));
    } else if (type == BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL) {
        add_float(s, bt_field_real_double_precision_get_value(f));
    }
}

static void bt2_event(void *ctx, const bt_message *msg, const bt_event *ev)
{
    const bt_field *f;
    int64_t ns = 0;

    if (bt_stream_class_borrow_default_clock_class_const(
            bt_stream_borrow_class_const(bt_event_borrow_stream_const(ev))))
        (void)bt_clock_snapshot_get_ns_from_origin(
            bt_message_event_borrow_default_clock_snapshot_const(msg), &ns);
    add_time(ctx, ns);
    if ((f = bt_event_borrow_common_context_field_const(ev)))
        bt2_touch(ctx, f);
    if ((f = bt_event_borrow_specific_context_field_const(ev)))
        bt2_touch(ctx, f);
    if ((f = bt_event_borrow_payload_field_const(ev)))
        bt2_touch(ctx, f);
}

static bool bt2_trace(const char *dir, struct sums *s)
{
    bool ok = bt2_read(&dir, 1, bt2_event, s);

    if (!ok)
        bt_current_thread_clear_error();
    return ok;
}

#else

static bool bt2_trace(const char *dir, struct sums *s)
{
    (void)dir, (void)s;
    return false;
}

#endif

/* --- a trace to read ---------------------------------------------------------------- */

static const char metadata[] =
    "/* CTF 1.8 */\n"
    "typealias integer { size = 8; align = 8; } := uint8_t;\n"
    "typealias integer { size = 32; align = 8; } := uint32_t;\n"
    "typealias integer { size = 64; align = 8; } := uint64_t;\n"
    "typealias integer { size = 32; align = 8; signed = true; } := int32_t;\n"
    "trace { major = 1; minor = 8; byte_order = le; uuid = "
    "\"6a4ab3a1-8c3e-4d41-9dd5-5e1d0c1f0b11\";\n"
    "  packet.header := struct { uint32_t magic; uint8_t uuid[16]; uint32_t stream_id; "
    "uint64_t stream_instance_id; }; };\n"
    "env { hostname = \"bench\"; domain = \"ust\"; };\n"
    "clock { name = \"monotonic\"; freq = 1000000000; offset = 1470187241710873143; };\n"
    "typealias integer { size = 27; align = 1; map = clock.monotonic.value; } := t27;\n"
    "typealias integer { size = 64; align = 8; map = clock.monotonic.value; } := t64;\n"
    "stream { id = 0;\n"
    "  packet.context := struct { uint64_t timestamp_begin; uint64_t timestamp_end; uint64_t "
    "content_size; uint64_t packet_size; uint64_t packet_seq_num; uint64_t events_discarded; "
    "uint32_t cpu_id; };\n"
    "  event.header := struct { enum : integer { size = 5; align = 1; } { compact = 0 ... 30, "
    "extended = 31 } id; variant <id> { struct { t27 timestamp; } compact; struct { uint32_t id; "
    "t64 timestamp; } extended; } v; } align(8); };\n"
    "event { name = \"bench:wait\"; id = 0; stream_id = 0; fields := struct { uint32_t _n; "
    "uint64_t _address; int32_t _error; }; };\n"
    "event { name = \"bench:call\"; id = 1; stream_id = 0; fields := struct { uint32_t _n; "
    "string _what; uint64_t _took; }; };\n";

enum { PACKET = 65536, HEAD = 32 + 52, EVENTS = 1000000 };

struct packet {
    uint8_t b[PACKET];
    size_t n;
    uint64_t begin, seq;
};

static void put(struct packet *p, const void *from, size_t n)
{
    memcpy(p->b + p->n, from, n);
    p->n += n;
}

static void put_u32(struct packet *p, uint32_t v)
{
    put(p, &v, sizeof v);
}

static void put_u64(struct packet *p, uint64_t v)
{
    put(p, &v, sizeof v);
}

static void flush_packet(struct packet *p, uint64_t end, uint32_t cpu, FILE *f)
{
    static const uint8_t uuid[16] = { 0x6a, 0x4a, 0xb3, 0xa1, 0x8c, 0x3e, 0x4d, 0x41,
                                      0x9d, 0xd5, 0x5e, 0x1d, 0x0c, 0x1f, 0x0b, 0x11 };
    uint64_t content = p->n * 8;

    memset(p->b + p->n, 0, PACKET - p->n);
    p->n = 0;
    put_u32(p, 0xc1fc1fc1);
    put(p, uuid, 16);
    put_u32(p, 0);
    put_u64(p, cpu);
    put_u64(p, p->begin);
    put_u64(p, end);
    put_u64(p, content);
    put_u64(p, PACKET * 8);
    put_u64(p, p->seq++);
    put_u64(p, 0);
    put_u32(p, cpu);
    fwrite(p->b, 1, PACKET, f);
    p->n = HEAD;
}

static bool make_stream(const char *dir, uint32_t cpu)
{
    static const char *const words[] = { "nova.compute", "get", "os.servers.create", "x", "" };
    struct packet *p = xcalloc(1, sizeof *p);
    struct arena a = { 0 };
    uint64_t t = 1000 + cpu, x = 88172645463325252u + cpu;
    FILE *f = fopen(arena_printf(&a, "%s/channel_%u", dir, cpu), "w");

    arena_free(&a);
    p->n = HEAD;
    p->begin = t;
    for (uint32_t i = 0; f && i < EVENTS; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        t += 100 + x % 4000;
        if (p->n + 64 > PACKET) {
            flush_packet(p, t, cpu, f);
            p->begin = t;
        }
        uint32_t id = x >> 60 < 4;
        put_u32(p, id | (uint32_t)(t << 5));
        put_u32(p, i);
        if (id) {
            const char *w = words[x % ARRAY_SIZE(words)];
            put(p, w, strlen(w) + 1);
            put_u64(p, x >> 32);
        } else {
            put_u64(p, x);
            put_u32(p, 0 - (uint32_t)(x & 31));
        }
    }
    if (f)
        flush_packet(p, t, cpu, f);
    free(p);
    return f && fclose(f) == 0;
}

/* A folder with a trace; '*ret' must be removed with remove_trace(). */
static bool make_trace(char ret[static 256])
{
    const char *tmp = getenv("TMPDIR");
    char path[320];

    snprintf(ret, 256, "%s/neph-bench-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    if (!mkdtemp(ret))
        return false;
    snprintf(path, sizeof path, "%s/metadata", ret);
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fputs(metadata, f);
    return fclose(f) == 0 && make_stream(ret, 0) && make_stream(ret, 1);
}

static void remove_trace(const char *dir)
{
    static const char *const names[] = { "metadata", "channel_0", "channel_1" };
    char path[320];

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
}

/* --- measuring ------------------------------------------------------------------------ */

typedef VEC(const char *) path_vec;

static void find_traces(const char *dir, int depth, struct arena *a, path_vec *ret)
{
    struct dir_entry *e;
    struct err err;
    size_t n;

    if (ctf_is_trace(dir)) {
        *vec_push(ret) = arena_strdup(a, dir, strlen(dir));
        return;
    }
    if (depth > 12 || dir_list(dir, a, &e, &n, &err) < 0)
        return;
    for (size_t i = 0; i < n; i++)
        if (e[i].is_dir)
            find_traces(path_join(a, dir, e[i].name), depth + 1, a, ret);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_value);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

enum { MAX_RUNS = 101 };

struct measured {
    const char *mode;
    struct sums s;
    double seconds;
};

static void print(const struct measured *m, bool json)
{
    double rate = m->seconds > 0 ? (double)m->s.events / m->seconds : 0;

    if (json)
        printf("{\"mode\":\"%s\",\"events\":%" PRIu64 ",\"seconds\":%.6f,\"events_per_s\":%.0f}\n",
               m->mode, m->s.events, m->seconds, rate);
    else
        printf("%-22s %10" PRIu64 " events  %9.4f s  %8.2f M events/s\n", m->mode, m->s.events,
               m->seconds, rate / 1e6);
}

static bool run_once(enum mode mode, const path_vec *traces, struct open_trace *open,
                     struct sums *s)
{
    for (size_t i = 0; i < traces->n; i++) {
        struct open_trace o;

        if (mode == OPEN) {
            if (!open_trace(traces->at[i], &o))
                return false;
            close_trace(&o);
        } else if (mode == RIVAL) {
            if (!bt2_trace(traces->at[i], s))
                return false;
        } else {
            read_trace(&open[i], mode, s);
        }
    }
    return true;
}

static bool run_mode(enum mode mode, const path_vec *traces, struct open_trace *open,
                     struct measured *ret, size_t runs)
{
    double took[MAX_RUNS];

    for (size_t r = 0; r < runs; r++) {
        double start = cpu_seconds();

        ret->s = (struct sums){ 0 };
        if (!run_once(mode, traces, open, &ret->s))
            return false;
        took[r] = cpu_seconds() - start;
    }
    ret->seconds = median(took, runs);
    return true;
}

static int compare(const struct measured *m, bool json)
{
    const struct measured *ours = &m[ALL_FIELDS], *theirs = &m[RIVAL];
    bool same = ours->s.events == theirs->s.events && ours->s.times == theirs->s.times &&
                ours->s.ints == theirs->s.ints && ours->s.floats == theirs->s.floats &&
                ours->s.bytes == theirs->s.bytes;
    double all = ours->seconds + m[OPEN].seconds, ratio = all > 0 ? theirs->seconds / all : 0;

    if (json)
        printf("{\"mode\":\"ratio\",\"sums_equal\":%s,\"ratio\":%.2f}\n", same ? "true" : "false",
               ratio);
    else
        printf("sums of times, numbers and strings: %s\n"
               "open and all fields: %.1f times the speed of libbabeltrace2\n",
               same ? "equal" : "DIFFERENT", ratio);
    return same ? 0 : 1;
}

static int measure(const path_vec *traces, struct open_trace *open, bool json, size_t runs)
{
    static const char *const names[MODES] = { "open", "walk", "lazy", "all-fields",
                                              "babeltrace2-all-fields" };
    struct measured m[MODES] = { 0 };

    for (int i = OPEN; i < (HAVE_BABELTRACE2 ? MODES : RIVAL); i++) {
        m[i].mode = names[i];
        if (!run_mode((enum mode)i, traces, open, &m[i], i == RIVAL && runs > 3 ? 3 : runs)) {
            fprintf(stderr, i == RIVAL ? "ctf: libbabeltrace2 can't read all of it\n"
                                       : "ctf: can't be opened\n");
            return i == RIVAL ? 0 : 1;
        }
        print(&m[i], json);
    }
    return HAVE_BABELTRACE2 ? compare(m, json) : 0;
}

static int measure_all(const path_vec *traces, bool json, size_t runs)
{
    struct open_trace *open = xcalloc(traces->n, sizeof *open);
    bool ok = true;
    size_t n = 0;

    while (ok && n < traces->n)
        ok = open_trace(traces->at[n], &open[n]), n++;
    int rc = ok ? measure(traces, open, json, runs) : 1;
    while (n > 0)
        close_trace(&open[--n]);
    free(open);
    return rc;
}

int main(int argc, char **argv)
{
    const char *path = NULL;
    struct arena a = { 0 };
    path_vec traces = { 0 };
    uint64_t runs = 9;
    char made[256] = "";
    bool json = false;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--json"))
            json = true;
        else if (!strcmp(argv[i], "--runs") && i + 1 < argc && str_u64(str_of(argv[i + 1]), &runs))
            i++;
        else
            path = argv[i];
    }
    runs = runs < 1 ? 1 : runs > MAX_RUNS ? MAX_RUNS : runs;
    if (!path && !make_trace(made)) {
        perror("ctf: making a trace");
        return 1;
    }
    find_traces(path ? path : made, 0, &a, &traces);
    if (traces.n == 0)
        fprintf(stderr, "ctf: no trace in %s\n", path);
    int rc = traces.n ? measure_all(&traces, json, runs) : 1;
    if (!path)
        remove_trace(made);
    vec_free(&traces);
    arena_free(&a);
    return rc;
}
