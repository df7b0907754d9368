/* SPDX-License-Identifier: Apache-2.0
 *
 * measure.h -- what the commands that show measures have in common. */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include "cli/cmd.h"
#include "report/measure.h"

#define MEASURE_CHOICES "cpu|preempt|wait|sched|io|net|irq|syscall|exits|mem"

enum { MEASURE_TOP_ROWS = 40 }; /* of `neph top` in a table, unless --limit says */

struct measure_cli {
    const char *service, *thread, *by;
};

/* Rows of a command's options; 'M' leads to the struct above in the command's own. */
#define MEASURE_FILTERS(T, M)                                                                   \
    { "service", 0, "GLOB", "Only these services", OPT_TEXT, offsetof(T, M service), NULL, 0 }, \
    {                                                                                           \
        "thread", 0, "TID|GLOB", "Only this thread, or these by name", OPT_TEXT,                \
            offsetof(T, M thread), NULL, 0                                                      \
    }

/* Runs the command whose first argument is the measure. */
int cli_measure(struct ctx *c, enum measure_view view, const struct measure_cli *cli);

#endif
