/* SPDX-License-Identifier: Apache-2.0
 *
 * payload.h -- the structured record inside one log message.
 *
 * Instrumented services write records into their ordinary log, in three
 * dialects: the hand-made "lttng_trace:{'key':'value'}" whose writer escapes
 * nothing and quotes not always, JSON behind the same prefix, and messages
 * that are one JSON object as a whole.  The caller asks for fields by name
 * and need not know the dialect. */
#ifndef MODEL_PAYLOAD_H
#define MODEL_PAYLOAD_H

#include "base/mem.h"
#include "base/str.h"

#include <stdint.h>

struct tree;

enum payload_dialect {
    PAYLOAD_LOOSE,   /* lttng_trace:{'key':'text',...}, nothing escaped         */
    PAYLOAD_JSON,    /* lttng_trace:{"key":"text",...}                          */
    PAYLOAD_MESSAGE, /* the whole message is a JSON object with an "event_type",
                      * or with "name" and "trace_id" as osprofiler writes it   */
};

struct payload {
    enum payload_dialect dialect;
    bool truncated;          /* the text ends or breaks before the closing brace:
                              * only the complete members are here              */
    const struct tree *root; /* an object; see model/payload_tree.h             */
    struct str rest;         /* text behind the closing brace                   */
};

/* Looks for a record in 'msg'.  On true '*ret' holds views of 'msg' and of
 * 'scratch'; on false it is untouched and nothing was allocated for lines
 * without the marks of a record.  A message that merely mentions lttng_trace
 * has no record; one that is cut before its first member has, with none. */
bool payload_parse(struct str msg, struct arena *scratch, struct payload *ret);

/* The value of 'key', or of a dotted path such as "port.id" or
 * "volume_attachment.0.instance_uuid".  Empty when absent or unknown (None,
 * 'None', null, ''). */
struct str payload_get(const struct payload *p, const char *key);
/* The integer at 'key'.  False, '*ret' untouched, when there is none. */
bool payload_i64(const struct payload *p, const char *key, int64_t *ret);
/* True if the member is there, be its value known or not. */
bool payload_has(const struct payload *p, const char *key);

#endif
