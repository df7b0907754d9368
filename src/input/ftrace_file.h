/* SPDX-License-Identifier: Apache-2.0
 *
 * ftrace_file.h -- the sections of a trace.dat, as trace-cmd writes it (versions 6 and 7).
 *
 * We read the file ourselves, by trace-cmd.dat.v6(5) and trace-cmd.dat.v7(5): libtracecmd
 * has no call for the host's name and the clock, and trusts all sizes and offsets.
 * Kernel symbols, some megabytes that are only needed for printing, are left out. */
#ifndef INPUT_FTRACE_FILE_H
#define INPUT_FTRACE_FILE_H

#include "base/file.h"
#include "input/ftrace_format.h"
#include "input/reader.h"

/* The ring buffer of one CPU in the file: pages, or chunks of compressed pages. */
struct ftrace_source {
    uint32_t cpu;
    uint64_t offset, bytes; /* within the file */
    uint32_t page_bytes;
    bool is_packed;
};

struct ftrace_file {
    struct fmap map;
    struct ftrace_machine machine;
    uint32_t version, page_bytes, cpus;
    uint32_t commit_at, commit_bytes, data_at; /* in a page */
    VEC(struct ftrace_event) events;
    VEC(struct ftrace_source) sources;
    uint64_t source_bytes; /* of all sources */
    VEC(struct reader_property) properties;
    struct map64 comm_of; /* thread -> number in 'comms' */
    struct strtab comms;
    struct str host, clock;
    ns_t offset;                  /* to be added to each time */
    uint32_t tsc_mult, tsc_shift; /* cycles to ns; mult 0: they are ns */
    bool is_wall;                 /* times count from 1970             */
    uint64_t overrun;             /* events that its statistics say were lost */
    struct arena mem;
    VEC(uint8_t *) unpacked;
    struct notes *notes;
    const char *path;
};

/* Is this how such a file begins? */
bool ftrace_file_is(struct str head);
/* Opens 'path'.  What can be done without is noted, not an error.  On success
 * ftrace_file_close() it; 'path' and 'notes' must live as long. */
int ftrace_file_open(const char *path, struct notes *notes, struct ftrace_file *ret,
                     struct err *err);
void ftrace_file_close(struct ftrace_file *f);
/* Unpacks 'n' bytes into exactly 'size' bytes at 'to'. */
bool ftrace_unpack(const uint8_t *p, size_t n, uint8_t *to, size_t size);

#endif
