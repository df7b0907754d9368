/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_line.h -- one line of the text that ftrace and `trace-cmd report` write:
 *
 *    qemu-system-x86-31948   (  31944) [000] d..2.  4355.582181: sched_waking: comm=... pid=...
 *
 * The thread's name is padded to 16 characters and may hold any of them; the process
 * in brackets and the flags are not always there.  Fields are "name=value" mostly, and
 * for some events what the kernel's TP_printk() makes of them. */
#ifndef INPUT_FTRACE_LINE_H
#define INPUT_FTRACE_LINE_H

#include "base/str.h"
#include "base/time.h"

enum ftrace_line_kind {
    FTRACE_LINE_EVENT,
    FTRACE_LINE_LOST,  /* "CPU:1 [LOST 12 EVENTS]"                         */
    FTRACE_LINE_OTHER, /* headers, stacks: nothing that we read            */
    FTRACE_LINE_BAD,
};

struct ftrace_line {
    ns_t t;
    uint32_t cpu;     /* UINT32_MAX = unknown                                   */
    int64_t tid, pid; /* -1 = not recorded                                      */
    struct str comm;
    struct str head, tail; /* the event's name in two parts: "sys_enter_", "read" */
    struct str rest;       /* its fields                                        */
    uint64_t lost;         /* of FTRACE_LINE_LOST; 0: it does not say how many  */
    bool is_raw_time;      /* a whole number: of a clock that has no seconds    */
};

enum ftrace_line_kind ftrace_line_parse(struct str line, struct ftrace_line *ret);

struct ftrace_value {
    struct str name, text;
    bool is_int;
    int64_t n;
};

enum { FTRACE_VALUES_MAX = 64 }; /* no event has more fields; the rest is left out */

struct ftrace_values {
    struct ftrace_value at[FTRACE_VALUES_MAX + 1];
    uint32_t n;
};

/* The fields of event 'name'; texts are parts of 'rest'. */
void ftrace_line_values(struct str name, struct str rest, struct ftrace_values *ret);

/* The number of a reason for which a guest was left, as kvm_exit writes it, and of
 * whose processor (1 Intel, 2 AMD: as LTTng's field 'isa'). */
bool ftrace_kvm_reason(struct str name, int64_t *ret_reason, int64_t *ret_isa);

#endif
