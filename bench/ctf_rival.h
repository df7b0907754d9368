/* SPDX-License-Identifier: Apache-2.0
 *
 * ctf_rival.h -- every field of a trace by libbabeltrace2, where it is installed. */
#ifndef BENCH_CTF_RIVAL_H
#define BENCH_CTF_RIVAL_H

#include "bench/ctf_sums.h"

#include <stdbool.h>

#if HAVE_BABELTRACE2
#include "tests/oracle/bt2_graph.h"
#endif

#if HAVE_BABELTRACE2

/* The same sum for texts that end with their last byte. */
static void bt2_text(struct sums *s, const char *p, size_t n)
{
    uint64_t word = 0;

    for (; n >= sizeof word; n -= sizeof word, p += sizeof word) {
        memcpy(&word, p, sizeof word);
        s->bytes += word;
    }
    word = 0;
    memcpy(&word, p, n);
    s->bytes += word;
}

static void bt2_touch(struct sums *s, const bt_field *f)
{
    bt_field_class_type type = bt_field_get_class_type(f);

    if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_UNSIGNED_INTEGER)) {
        s->ints += bt_field_integer_unsigned_get_value(f);
    } else if (bt_field_class_type_is(type, BT_FIELD_CLASS_TYPE_SIGNED_INTEGER)) {
        s->ints += (uint64_t)bt_field_integer_signed_get_value(f);
    } else if (type == BT_FIELD_CLASS_TYPE_STRING) {
        bt2_text(s, bt_field_string_get_value(f), bt_field_string_get_length(f));
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

static double bt2_first; /* when the first event came */

static void bt2_event(void *ctx, const bt_message *msg, const bt_event *ev)
{
    const bt_field *f;
    int64_t ns = 0;

    if (bt2_first == 0)
        bt2_first = cpu_seconds();
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

/* '*ret_open' grows by the time before the first event. */
static bool bt2_trace(const char *dir, struct sums *s, double *ret_open)
{
    double start = cpu_seconds();

    bt2_first = 0;
    bool ok = bt2_read(&dir, 1, bt2_event, s);
    *ret_open += bt2_first > 0 ? bt2_first - start : 0;
    if (!ok)
        bt_current_thread_clear_error();
    return ok;
}

#else

static bool bt2_trace(const char *dir, struct sums *s, double *ret_open)
{
    (void)dir, (void)s, (void)ret_open;
    return false;
}

#endif

#endif
