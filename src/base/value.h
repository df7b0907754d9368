/* SPDX-License-Identifier: Apache-2.0
 *
 * value.h -- the values of an event, handed over one by one.
 *
 * Every reader (CTF, JSON lines, ...) can tell all fields of its current event
 * to a 'struct value_sink'; text and JSON output are sinks.  This is the slow,
 * complete way; analyses bind the few fields they need (model/events.h). */
#ifndef BASE_VALUE_H
#define BASE_VALUE_H

#include "base/str.h"

enum value_kind { VALUE_U64, VALUE_I64, VALUE_F64, VALUE_BOOL, VALUE_NULL };

struct value {
    enum value_kind kind;
    uint8_t base; /* 2, 8, 10 or 16: how the tracer would write it */
    union {
        uint64_t u64;
        int64_t i64;
        double f64;
    };
    bool is_enum;
    struct str label; /* of an enum; empty when no label fits */
};

struct value_sink {
    void *ctx;
    void (*open)(void *ctx, struct str name, bool is_struct); /* name is empty in arrays */
    void (*close)(void *ctx, bool is_struct);
    void (*scalar)(void *ctx, struct str name, const struct value *v);
    void (*text)(void *ctx, struct str name, struct str s);
};

#endif
