/* SPDX-License-Identifier: Apache-2.0
 *
 * requests_tp.h -- tracepoints of an application that handles requests. */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER app

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./requests_tp.h"

#if !defined(REQUESTS_TP_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define REQUESTS_TP_H

#include <lttng/tracepoint.h>
#include <stdint.h>

LTTNG_UST_TRACEPOINT_EVENT(app, request_begin, LTTNG_UST_TP_ARGS(uint64_t, id, int32_t, state),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, id, id)
                                                   lttng_ust_field_integer(int32_t, state, state)))
LTTNG_UST_TRACEPOINT_EVENT(app, request_end, LTTNG_UST_TP_ARGS(uint64_t, id, int32_t, state),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(uint64_t, id, id)
                                                   lttng_ust_field_integer(int32_t, state, state)))
LTTNG_UST_TRACEPOINT_EVENT(
    app, queue, LTTNG_UST_TP_ARGS(int32_t, depth, uint64_t, address, uint16_t, shard, int8_t, prio),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int32_t, depth, depth)
                            lttng_ust_field_integer_hex(uint64_t, address, address)
                                lttng_ust_field_integer(uint16_t, shard, shard)
                                    lttng_ust_field_integer(int8_t, prio, prio)))
LTTNG_UST_TRACEPOINT_EVENT(app, tick, LTTNG_UST_TP_ARGS(int32_t, n),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(int32_t, n, n)))
LTTNG_UST_TRACEPOINT_EVENT(app, log, LTTNG_UST_TP_ARGS(const char *, text, int32_t, level),
                           LTTNG_UST_TP_FIELDS(lttng_ust_field_string(text, text)
                                                   lttng_ust_field_integer(int32_t, level, level)))
LTTNG_UST_TRACEPOINT_EVENT(
    app, reply, LTTNG_UST_TP_ARGS(const uint8_t *, bytes, size_t, n, double, load),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_sequence(uint8_t, bytes, bytes, size_t, n)
                            lttng_ust_field_float(double, load, load)))

#endif

#include <lttng/tracepoint-event.h>
