/* SPDX-License-Identifier: Apache-2.0
 *
 * bt2_jsonl.c -- the events of CTF traces as libbabeltrace2 sees them, in the
 * form of `neph events -o jsonl`.  A test helper: shares no code with neph.
 *
 * usage: bt2_jsonl TRACE-FOLDER...
 *
 * libbabeltrace2 2.0.4 leaves the text of an older event behind an empty string,
 * whose length is 0 all the same: such strings are printed as empty, and their
 * number goes to stderr as "stale N".
 *
 * Each folder holds a 'metadata' file.  Exit 0 if all was read, 3 if
 * libbabeltrace2 refused or gave up; what it read until then is printed. */
#define _GNU_SOURCE
#include "tests/oracle/bt2_graph.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void put_u64(uint64_t v)
{
    char text[24], *p = text + sizeof text;

    do
        *--p = (char)('0' + v % 10);
    while (v /= 10);
    fwrite_unlocked(p, 1, (size_t)(text + sizeof text - p), stdout);
}

static void put_i64(int64_t v)
{
    if (v < 0)
        putchar_unlocked('-');
    put_u64(v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static size_t utf8_len(const unsigned char *p)
{
    unsigned lo = 0x80, hi = 0xbf;
    size_t n = p[0] < 0xc2 || p[0] > 0xf4 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;

    if (p[0] == 0xe0)
        lo = 0xa0;
    else if (p[0] == 0xed)
        hi = 0x9f;
    else if (p[0] == 0xf0)
        lo = 0x90;
    else if (p[0] == 0xf4)
        hi = 0x8f;
    for (size_t i = 1; i < n; i++, lo = 0x80, hi = 0xbf)
        if (p[i] < lo || p[i] > hi)
            return 0;
    return n;
}

static void put_str(const char *s)
{
    const unsigned char *p = (const unsigned char *)s;

    putchar_unlocked('"');
    while (*p) {
        size_t n = *p >= 0x80 ? utf8_len(p) : 1;

        if (n == 0) {
            fputs_unlocked("\xef\xbf\xbd", stdout);
            p++;
            continue;
        }
        if (*p == '"' || *p == '\\') {
            putchar_unlocked('\\');
        } else if (*p < 0x20 || *p == 0x7f) {
            const char *found = strchr("\bb\tt\nn\ff\rr", *p);

            if (found)
                printf("\\%c", found[1]);
            else
                printf("\\u%04x", *p);
            p++;
            continue;
        }
        fwrite_unlocked(p, 1, n, stdout);
        p += n;
    }
    putchar_unlocked('"');
}

static void put_f64(double v)
{
    static const int digits[] = { 6, 9, 15, 16, 17 };
    char text[40];
    size_t i = 0;

    if (!isfinite(v)) {
        fputs_unlocked("null", stdout);
        return;
    }
    do
        snprintf(text, sizeof text, "%.*g", digits[i], v);
    while (strtod(text, NULL) != v && ++i < sizeof digits / sizeof digits[0]);
    fputs_unlocked(text, stdout);
    if (!strpbrk(text, ".e"))
        fputs_unlocked(".0", stdout);
}

static void put_field(const bt_field *f);

/* The members without the brackets. */
static void put_members(const bt_field *f, bool *some)
{
    const bt_field_class *fc = bt_field_borrow_class_const(f);
    uint64_t n = bt_field_class_structure_get_member_count(fc);

    for (uint64_t i = 0; i < n; i++) {
        const bt_field_class_structure_member *m =
            bt_field_class_structure_borrow_member_by_index_const(fc, i);

        if (*some)
            putchar_unlocked(',');
        *some = true;
        put_str(bt_field_class_structure_member_get_name(m));
        putchar_unlocked(':');
        put_field(bt_field_structure_borrow_member_field_by_index_const(f, i));
    }
}

static uint64_t stale;

static void put_text(const bt_field *f)
{
    const char *text = bt_field_string_get_value(f);

    if (bt_field_string_get_length(f) == 0 && *text) {
        stale++;
        text = "";
    }
    put_str(text);
}

static void put_array(const bt_field *f)
{
    uint64_t n = bt_field_array_get_length(f);

    putchar_unlocked('[');
    for (uint64_t i = 0; i < n; i++) {
        if (i)
            putchar_unlocked(',');
        put_field(bt_field_array_borrow_element_field_by_index_const(f, i));
    }
    putchar_unlocked(']');
}

static void put_field(const bt_field *f)
{
    bt_field_class_type type = bt_field_get_class_type(f);
    bool some = false;

    if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)) {
        put_u64(bt_field_integer_unsigned_get_value(f));
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER)) {
        put_i64(bt_field_integer_signed_get_value(f));
    } else if (type == BT_FIELD_CLASS_TYPE_SINGLE_PRECISION_REAL) {
        put_f64((double)bt_field_real_single_precision_get_value(f));
    } else if (type == BT_FIELD_CLASS_TYPE_DOUBLE_PRECISION_REAL) {
        put_f64(bt_field_real_double_precision_get_value(f));
    } else if (type == BT_FIELD_CLASS_TYPE_STRING) {
        put_text(f);
    } else if (type == BT_FIELD_CLASS_TYPE_STRUCTURE) {
        putchar_unlocked('{');
        put_members(f, &some);
        putchar_unlocked('}');
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_ARRAY)) {
        put_array(f);
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_VARIANT)) {
        put_field(bt_field_variant_borrow_selected_option_field_const(f));
    } else {
        fputs_unlocked("\"a field of an unknown kind\"", stdout);
    }
}

/* The value of an unsigned member, or UINT64_MAX. */
static uint64_t member_u64(const bt_field *f, const char *name)
{
    const bt_field *m = f ? bt_field_structure_borrow_member_field_by_name_const(f, name) : NULL;

    return m && bt_field_class_type_is(bt_field_get_class_type(m),
                                       BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)
               ? bt_field_integer_unsigned_get_value(m)
               : UINT64_MAX;
}

static int64_t time_of(const bt_message *msg, const bt_event *ev)
{
    int64_t ns = 0;

    if (bt_stream_class_borrow_default_clock_class_const(
            bt_stream_borrow_class_const(bt_event_borrow_stream_const(ev))))
        (void)bt_clock_snapshot_get_ns_from_origin(
            bt_message_event_borrow_default_clock_snapshot_const(msg), &ns);
    return ns;
}

static const char *host_of(const bt_event *ev)
{
    const bt_trace *trace = bt_stream_borrow_trace_const(bt_event_borrow_stream_const(ev));
    const bt_value *v = bt_trace_borrow_environment_entry_value_by_name_const(trace, "hostname");

    return v && bt_value_is_string(v) ? bt_value_string_get(v) : NULL;
}

static void on_event(void *ctx, const bt_message *msg, const bt_event *ev)
{
    const bt_packet *packet = bt_stream_class_supports_packets(
                                  bt_stream_borrow_class_const(bt_event_borrow_stream_const(ev)))
                                  ? bt_event_borrow_packet_const(ev)
                                  : NULL;
    const bt_field *f = packet ? bt_packet_borrow_context_field_const(packet) : NULL;
    const char *host = host_of(ev),
               *name = bt_event_class_get_name(bt_event_borrow_class_const(ev));
    uint64_t cpu = member_u64(f, "cpu_id");
    bool some = false;

    (void)ctx;
    fputs_unlocked("{\"t_ns\":", stdout);
    put_i64(time_of(msg, ev));
    fputs_unlocked(",\"host\":", stdout);
    put_str(host ? host : "");
    fputs_unlocked(",\"cpu\":", stdout);
    if (cpu == UINT64_MAX)
        fputs_unlocked("null", stdout);
    else
        put_u64(cpu);
    fputs_unlocked(",\"name\":", stdout);
    put_str(name ? name : "");
    fputs_unlocked(",\"fields\":{", stdout);
    if ((f = bt_event_borrow_payload_field_const(ev)))
        put_members(f, &some);
    fputs_unlocked("},\"context\":{", stdout);
    some = false;
    if ((f = bt_event_borrow_common_context_field_const(ev)))
        put_members(f, &some);
    if ((f = bt_event_borrow_specific_context_field_const(ev)))
        put_members(f, &some);
    fputs_unlocked("}}\n", stdout);
}

int main(int argc, char **argv)
{
    static char buffer[1 << 20];

    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    bool ok = bt2_read((const char *const *)argv + 1, (size_t)(argc - 1), on_event, NULL);
    if (fflush(stdout) != 0 || ferror(stdout))
        return 1;
    if (stale)
        fprintf(stderr, "stale %" PRIu64 "\n", stale);
    if (!ok) {
        const bt_error *error = bt_current_thread_take_error();

        for (uint64_t i = 0; error && i < bt_error_get_cause_count(error); i++)
            fprintf(stderr, "%s\n",
                    bt_error_cause_get_message(bt_error_borrow_cause_by_index(error, i)));
        if (error)
            bt_error_release(error);
    }
    return ok ? 0 : 3;
}
