/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu.h -- what the readers of QEMU's log, of its binary and of QMP have in common.
 *
 * Each format finds events one after the other in the order of the file and tells their fields;
 * the rest is here.  A thread of QEMU takes the time of an event before it waits for the lock of
 * the file (0.5 s were seen), so that lines are not in the order of time: the file is gone
 * through once when it is opened, and those that stand too late are kept apart and merged into
 * the others. */
#ifndef INPUT_QEMU_H
#define INPUT_QEMU_H

#include "base/file.h"
#include "input/qemu_forms.h"
#include "input/reader.h"

/* An event in the file. */
struct qemu_item {
    ns_t t;
    size_t at, n;     /* the bytes of its fields                                    */
    int64_t pid, tid; /* -1: not known                                              */
    int64_t clock;    /* times of one number never go back, unless a clock was set; -1: they may */
    uint32_t class_no;
};

/* What is known of a name; by its number. */
struct qemu_class {
    enum ev_type type;
    struct qemu_forms forms;
    bool noted; /* that a field is missing */
};

/* How far a file has been read. */
struct qemu_cursor {
    size_t at;
    uint64_t line;
    ns_t last; /* time of the last event that had one; NS_MIN: none yet */
};

struct qemu_reader {
    struct reader base;
    const struct qemu_format *format;
    struct fmap map;
    bool swap;           /* the binary is of a machine with the other order of bytes */
    struct strtab names; /* of events: by class_no */
    VEC(struct qemu_class) classes;
    struct map64 ids; /* of the binary: an event's number -> class */
    struct sbuf name;
    VEC(struct reader_loss) losses;
    struct strtab fields; /* of QMP: their names        */
    void *json;           /* what values are parts of   */

    struct qemu_cursor cursor;
    struct qemu_item main; /* the next one in the order of the file, if 'has_main' */
    bool has_main;
    ns_t most;                  /* the latest time before it */
    VEC(struct qemu_item) late; /* by time */
    size_t late_at;
    struct qemu_item now;
    struct qemu_values values; /* of 'now', if 'has_values' */
    bool has_values;

    bool opening; /* counts below are of this first time */
    uint64_t events, all, bad, other, backwards, discarded;
    ns_t first, end;
    bool noted;
};

struct qemu_format {
    const char *tracer, *clock;
    size_t begin; /* of the first event */
    /* The next event in the order of the file. */
    bool (*scan)(struct qemu_reader *r, struct qemu_cursor *c, struct qemu_item *ret);
    /* Fills r->values. */
    void (*values)(struct qemu_reader *r, const struct qemu_item *item);
};

/* The text of each of these files, as far as it tells whose it is: 'head' are its first bytes. */
bool qemu_log_is(struct str head);
/* A log with events that have no times. */
bool qemu_log_is_timeless(struct str head);
bool qemu_simple_is(struct str head);
/* When CLOCK_MONOTONIC was 0, if the log has both times of something. */
bool qmp_zero(const struct qemu_reader *r, ns_t *ret);
bool qmp_log_is(struct str head);

extern const struct qemu_format qemu_log_format, qemu_simple_format, qmp_format;

/* Is it a version that can be read?  Sets 'swap'. */
int qemu_simple_check(struct qemu_reader *r, struct err *err);

/* The number of an event's name, "qemu:" and 'name'. */
uint32_t qemu_class_of(struct qemu_reader *r, struct str domain, struct str name);
/* Something was skipped: counted, and said the first time. */
void qemu_bad(struct qemu_reader *r, const char *where, uint64_t number, const char *why);
/* The line at 'c', without its end; false: there is none. */
bool qemu_next_line(const struct qemu_reader *r, struct qemu_cursor *c, struct str *ret);

#endif
