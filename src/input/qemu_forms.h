/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_forms.h -- how QEMU writes the fields of its trace events.
 *
 * QEMU declares every trace event once, with its fields and the text that its log shows; all its
 * backends are made from that.  LTTng's has the fields with names, the log has the text without
 * names, the binary of `simple` the values without names or types.  A form is one declaration:
 * the log's text with names in the places of values, so that both can be read as the fields that
 * LTTng shows.  Declarations change over versions: an event has as many forms as it had. */
#ifndef INPUT_QEMU_FORMS_H
#define INPUT_QEMU_FORMS_H

#include "base/str.h"

enum qemu_kind { QEMU_INT, QEMU_HEX, QEMU_REAL, QEMU_TEXT };

struct qemu_value {
    struct str name;
    enum qemu_kind kind;
    int64_t n; /* of a real number: the nearest whole one */
    double real;
    struct str text;
};

enum { QEMU_VALUES_MAX = 64 }; /* no event has more; the rest is left out */

struct qemu_values {
    struct qemu_value at[QEMU_VALUES_MAX];
    uint32_t n;
};

/* "dirty_pages {dirty_pages}": {NAME} is a decimal number, {NAME:x} hexadecimal, {NAME:g} real,
 * {NAME:s} text. */
struct qemu_form {
    const char *name; /* of the event; what begins so, if it ends in '*' */
    const char *text;
};

/* The forms of one event, the most likely first. */
struct qemu_forms {
    const struct qemu_form *at;
    uint32_t n;
};

/* None: we don't know the event. */
struct qemu_forms qemu_forms_of(struct str event);
/* Reads what the log has behind an event's name; texts are parts of 'text'.  False: it has none
 * of the forms. */
bool qemu_forms_text(struct qemu_forms forms, struct str text, struct qemu_values *ret);
/* The same of the binary: numbers of 8 bytes, texts behind their length in 4, in the order of
 * bytes of the machine, or the other one ('swap'). */
bool qemu_forms_args(struct qemu_forms forms, struct str bytes, bool swap, struct qemu_values *ret);

void qemu_add_int(struct qemu_values *v, struct str name, int64_t n);
void qemu_add_real(struct qemu_values *v, struct str name, double real);
void qemu_add_text(struct qemu_values *v, struct str name, struct str text);

#endif
