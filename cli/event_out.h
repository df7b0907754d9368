/* SPDX-License-Identifier: Apache-2.0
 *
 * event_out.h -- one event as a line of JSON or of text.
 *
 * JSON, always in this order, integers exact, enums as their number:
 *
 *   {"t_ns":1470668620690219533,"host":"controller","cpu":2,
 *    "name":"lttng_python:event","fields":{...},"context":{...}}
 *
 * Text, close to what babeltrace2 prints, in UTC:
 *
 *   [15:03:40.690219533] (+0.000530917) controller lttng_python:event:
 *   { cpu_id = 2 }, { contexts }, { fields } */
#ifndef CLI_EVENT_OUT_H
#define CLI_EVENT_OUT_H

#include "cli/outbuf.h"
#include "input/reader.h"

enum { EVENT_DEPTH = 4096 }; /* over what any reader yields */

struct event_out {
    struct out out;
    bool mask;                    /* secrets in strings */
    struct sbuf tmp;              /* a masked string    */
    size_t fields_at, fields_end; /* of the last event's fields in out.b, as JSON */

    /* the value being written */
    bool some; /* a comma is due */
    int depth;
    bool in_array[EVENT_DEPTH];
    uint64_t index[EVENT_DEPTH];

    /* text only */
    bool seen;
    ns_t last;
    int64_t day_second; /* that 'clock' shows; -1 = none */
    char clock[8];
};

void event_out_init(struct event_out *w, bool mask);
/* The value alone, left in w->out. */
void event_out_json_value(struct event_out *w, struct reader *r, const struct reader_event *ev);
void event_out_json(struct event_out *w, struct reader *r, const struct reader_event *ev);
void event_out_text(struct event_out *w, struct reader *r, const struct reader_event *ev);
/* Writes what is left. */
void event_out_end(struct event_out *w);

#endif
