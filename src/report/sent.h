/* SPDX-License-Identifier: Apache-2.0
 *
 * sent.h -- from a message that a host received to who sent it, on which host.
 *
 * The ends of messages in the histories have keys; this is the index of what was sent.  Keys
 * that a host sent more than once are known by their first time, as `neph sync` matches
 * them. */
#ifndef REPORT_SENT_H
#define REPORT_SENT_H

#include "report/source.h"

struct sent;

/* NULL: there is only one host, or no message. */
struct sent *sent_make(const struct report_src *src);
void sent_free(struct sent *s);

struct sent_from {
    uint32_t host;
    ns_t sent, received; /* in the time that is shown */
    int64_t tid;         /* 0: not known              */
    enum message_kind kind;
};
/* The last packet that 'host' received in ['from', 't'] and another host sent; false: none is
 * known. */
bool sent_find(const struct sent *s, uint32_t host, ns_t from, ns_t t, struct sent_from *ret);

#endif
