/* SPDX-License-Identifier: Apache-2.0
 *
 * experiment.h -- everything the user gave us, opened together.
 *
 * PATHs are folders and files; below a folder every trace is found.  Traces
 * with the same hostname make one host, whose events are read as one sequence
 * in that host's time; hosts are independent of each other.
 *
 * Tracers of one machine read one clock, but each has its own opinion of when that was 0
 * (LTTng measures it when a session begins; two sessions on one host differed by 0.9 ms).  Where
 * traces name the clock (its uuid: the machine's boot), the first one's opinion is taken for all,
 * so that the order between them is exact.  Hosts of one name whose clocks differ
 * although they were traced at the same time are two hosts. */
#ifndef INPUT_EXPERIMENT_H
#define INPUT_EXPERIMENT_H

#include "input/reader.h"

struct host {
    struct str name;
    const struct time_map *shown; /* in which merged events are told and asked; NULL: as they are */
    VEC(struct reader *) readers;
    /* Of an earlier pass over the same events, when they need not be read again:
     * experiment_totals() gives these then. */
    struct reader_totals told;
    bool is_told;
};

struct experiment {
    VEC(struct host) hosts;             /* by name */
    VEC(struct reader *) unnamed;       /* whose host is not decided yet; none after opening */
    const struct experiment_host *said; /* while it is opened */
    size_t nsaid;
    bool own_clocks;
    struct notes *notes;
    struct arena mem;
    uint32_t found;  /* traces and files that looked like ours  */
    uint32_t failed; /* of these, not readable at all           */
    ns_t opened;     /* when; files that changed since may be read in part  */
};

/* What the user says: traces and files at or below 'path' are of the host 'name'. */
struct experiment_host {
    struct str name;
    const char *path;
};

struct experiment_says {
    const struct experiment_host *hosts;
    size_t nhosts;
    bool own_clocks; /* each trace keeps its own opinion of when its clock was 0 */
};

/* Opens all of 'paths', and those of 'says' (may be NULL) that are not below them.  What can't be
 * read is noted. Fails when a path does not exist or nothing at all can be read: the sentence says
 * what and why. On success experiment_close() it. */
int experiment_open(const char *const *paths, size_t npaths, const struct experiment_says *says,
                    struct notes *notes, struct experiment *ret, struct err *err);
void experiment_close(struct experiment *x);
/* Opens the readers of 'h' anew, so that its events can be read again from the first
 * on.  What was noted at the first time is not noted again. */
int experiment_reopen(struct experiment *x, struct host *h, struct err *err);
/* Sums over the readers of a host, or of all hosts if 'host' is NULL. */
void experiment_totals(const struct experiment *x, const struct host *host,
                       struct reader_totals *ret);

/* The readers of one or more hosts as one sequence in order of time; equal
 * times in the order of hosts and readers. */
struct stream_head {
    struct reader *reader;
    const struct time_map *shown; /* of the host */
    struct reader_event ev;       /* ev.t: as it is shown */
    bool live;
};
struct merged {
    struct stream_head *heads;
    uint32_t n, now;
    ns_t limit; /* best time of the heads that are not 'now' */
    uint32_t second;
    bool primed;
    ns_t from;
};
/* Starts at the first event at or after 'from' (NS_MIN: at the beginning). */
void merged_init(struct merged *m, const struct experiment *x, const struct host *only, ns_t from);
void merged_free(struct merged *m);
/* Moves to the next event; its reader and values are in heads[now]. */
struct stream_head *merged_next(struct merged *m);

#endif
