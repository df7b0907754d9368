/* SPDX-License-Identifier: Apache-2.0
 *
 * schema.c -- the tables of schema.h as data. */
#include "model/schema.h"

#include <stdio.h>

#define X(id, label, colour, bad) { label, colour, bad },
#define S(name, LIST)                                             \
    static const struct schema_value name##_list[] = { LIST(X) }; \
    const struct schema_values name##_values = { #name, name##_list, ARRAY_SIZE(name##_list) };
VALUE_SETS(S)
#undef S
#undef X

static const struct schema_values none_values = { "none", NULL, 0 };
const struct schema_attr_def schema_attrs[SCHEMA_ATTRS] = {
#define X(id, path, type, unit, set, title)                                                   \
    [id] = { path, SCHEMA_##type, unit, SCHEMA_##type == SCHEMA_STATE ? &set##_values : NULL, \
             title },
    ATTRS(X)
#undef X
};
#undef none_values

#define SCHEMA_COL_TIME SCHEMA_TIME
#define SCHEMA_COL_SPAN_NS SCHEMA_SPAN_NS
#define SCHEMA_COL_INT SCHEMA_COUNT
#define SCHEMA_COL_TEXT SCHEMA_TEXT
#define C(N, type, col) { #col, SCHEMA_COL_##type },
#define T(name) static const struct schema_col name##_cols[] = { COLUMNS_##name(C, name) };
TABLES(T)
#undef T
#undef C

const struct schema_table_def schema_tables[SCHEMA_TABLES] = {
#define T(name) [TABLE_##name] = { #name, name##_cols, ARRAY_SIZE(name##_cols) },
    TABLES(T)
#undef T
};

struct str schema_path(enum schema_attr a, struct str fill, char room[SCHEMA_PATH])
{
    struct str path = str_of(schema_attrs[a].path);
    size_t open = str_chr(path, '{', 0), close = str_chr(path, '}', 0);
    int n = snprintf(room, SCHEMA_PATH, STR_FMT STR_FMT STR_FMT, STR_ARG(str_first(path, open)),
                     STR_ARG(fill), STR_ARG(str_from(path, close + 1)));

    return (struct str){ room, n < SCHEMA_PATH ? (size_t)n : SCHEMA_PATH - 1 };
}

struct str schema_path_nr(enum schema_attr a, int64_t fill, char room[SCHEMA_PATH])
{
    char text[24];

    snprintf(text, sizeof text, "%lld", (long long)fill);
    return schema_path(a, str_of(text), room);
}

struct str schema_hole(enum schema_attr a, struct str path)
{
    struct str pattern = str_of(schema_attrs[a].path);
    size_t head = str_chr(pattern, '{', 0), tail = pattern.n - str_chr(pattern, '}', 0) - 1;

    return path.n < head + tail ? STR("") : str_first(str_from(path, head), path.n - head - tail);
}

int64_t schema_value_of(const struct schema_values *v, struct str label, int64_t otherwise)
{
    for (uint32_t i = 0; i < v->n; i++)
        if (str_is(label, v->at[i].label))
            return i;
    return otherwise;
}

enum log_level log_level_of(int64_t level)
{
    return level >= 50   ? LOG_CRITICAL
           : level >= 40 ? LOG_ERROR
           : level >= 30 ? LOG_WARNING
           : level >= 20 ? LOG_INFO
           : level >= 10 ? LOG_DEBUG
                         : LOG_TRACE;
}
