/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_format.h -- the layout of the kernel's events, as tracefs tells it.
 *
 * events/SYSTEM/EVENT/format is text: a line "field:TYPE NAME; offset:N; size:N;
 * signed:N;" per field, then how the kernel would print the event, which we do not
 * need.  Offsets are compared with the bytes of each event when it is read. */
#ifndef INPUT_FTRACE_FORMAT_H
#define INPUT_FTRACE_FORMAT_H

#include "base/value.h"

enum ftrace_kind {
    FTRACE_INT,     /* 1, 2, 4 or 8 bytes                                    */
    FTRACE_TEXT,    /* char[N], up to its first NUL                          */
    FTRACE_ARRAY,   /* of integers of 'element' bytes                        */
    FTRACE_DYNAMIC, /* __data_loc, __rel_loc: offset and length of the value */
};

struct ftrace_field {
    struct str name;
    enum ftrace_kind kind;
    uint32_t offset, size;
    uint32_t element; /* bytes of one integer: FTRACE_ARRAY, FTRACE_DYNAMIC; 0 = text */
    bool is_signed, is_relative, is_common, is_pointer;
};

struct ftrace_event {
    struct str name;
    uint32_t id;
    struct ftrace_field *fields;
    uint32_t nfields;
};

/* How a machine writes numbers. */
struct ftrace_machine {
    bool big_endian;
    uint32_t long_bytes; /* of its kernel: 4 or 8 */
};

/* Lines of a format; all in 'mem'.  False if it has no name or no number. */
bool ftrace_format_parse(struct str text, const struct ftrace_machine *m, struct arena *mem,
                         struct ftrace_event *ret);
/* Only the fields of a format, as of events/header_page. */
void ftrace_format_fields(struct str text, const struct ftrace_machine *m, struct arena *mem,
                          struct ftrace_event *ret);

/* A number of 1, 2, 4 or 8 bytes; 0 for other sizes. */
uint64_t ftrace_number(const struct ftrace_machine *m, const uint8_t *p, uint32_t size);
/* Values of one event of 'n' bytes.  False: it is not in these bytes, or is of
 * another kind. */
bool ftrace_field_int(const struct ftrace_field *f, const struct ftrace_machine *m,
                      const uint8_t *p, uint32_t n, int64_t *ret);
bool ftrace_field_text(const struct ftrace_field *f, const struct ftrace_machine *m,
                       const uint8_t *p, uint32_t n, struct str *ret);
void ftrace_field_visit(const struct ftrace_field *f, const struct ftrace_machine *m,
                        const uint8_t *p, uint32_t n, const struct value_sink *sink);

#endif
