/* SPDX-License-Identifier: Apache-2.0
 *
 * progress.c -- see progress.h. */
#include "cli/progress.h"

#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static struct {
    bool on;
    volatile bool shown;
    int64_t start, last;
} line;

static int64_t now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

void progress_init(bool wanted)
{
    /* On a terminal the output itself shows that there is progress. */
    line.on = wanted && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
    line.start = line.last = now_ns();
}

void progress_step(uint64_t done, const char *what)
{
    if (!line.on)
        return;
    int64_t now = now_ns();
    if (now - line.start < NS_PER_S || now - line.last < NS_PER_S / 5)
        return;
    line.last = now;
    line.shown = true;
    fprintf(stderr, "\r%" PRIu64 " %s, %" PRId64 " s\033[K", done, what,
            (now - line.start) / NS_PER_S);
    fflush(stderr);
}

void progress_clear(void)
{
    if (!line.shown)
        return;
    line.shown = false;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}

void progress_clear_from_signal(void)
{
    static const char wipe[] = "\r\033[K";

    if (line.shown && write(STDERR_FILENO, wipe, sizeof wipe - 1) < 0)
        return; /* nobody there to see it */
}
