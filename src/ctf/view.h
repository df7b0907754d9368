/* SPDX-License-Identifier: Apache-2.0
 *
 * view.h -- the fields of events that went by as 'struct ctf_rec'.
 *
 * A field is bound to its event class once.  Most fields lie at a fixed distance
 * from the event's first byte or from the end of its only string, and a bound field
 * is then one load.  All others are found by running the program of the event, once
 * for all fields of it; a program sees the bytes and the header of the packet only, so
 * it finds again what it found when the event was stepped over. */
#ifndef CTF_VIEW_H
#define CTF_VIEW_H

#include "base/nul.h"
#include "ctf/trace.h"

/* Where records point to, and the last event that was looked at in full.  One for
 * each thread. */
struct ctf_view {
    const struct ctf_trace *trace;
    struct ctf_run run;
    struct ctf_event ev;
    const uint8_t *at; /* of the record that 'ev' shows; NULL = none */
    uint32_t more;
    uint32_t stream, packet; /* whose header 'run' has seen; UINT32_MAX = none */
};

void ctf_view_init(struct ctf_view *v, const struct ctf_trace *t);
void ctf_view_free(struct ctf_view *v);
/* All that is known of the event, until the next call.  NULL only if the file has been
 * written to since the event was stepped over. */
const struct ctf_event *ctf_view_event(struct ctf_view *v, const struct ctf_rec *r);
/* The CPU that wrote the event; UINT32_MAX = unknown. */
static inline uint32_t ctf_view_cpu(const struct ctf_view *v, const struct ctf_rec *r)
{
    return v->trace->streams.at[r->stream]->packets.at[r->packet].cpu;
}

enum ctf_bound_how {
    BOUND_NONE,   /* the class has no such field                              */
    BOUND_INT,    /* a little-endian integer, see struct ctf_int              */
    BOUND_STRING, /* the string of LAYOUT_STRING                              */
    BOUND_FIRST,  /* the same of LAYOUT_PROGRAM: its NUL is to be found       */
    BOUND_TEXT,   /* 'length' characters 'off' bytes behind the first byte    */
    BOUND_EVENT,  /* needs ctf_view_event()                                   */
};

/* A little-endian integer: eight bytes are loaded, the foreign ones cut off, and the
 * sign spread.  All zeros: a field whose value is always 0. */
struct ctf_int {
    uint64_t mask;
    uint64_t sign;   /* its highest bit if it is signed, else 0 */
    uint32_t off;    /* bytes behind the first byte of the event ... */
    uint32_t behind; /* ... or, if all bits are set, behind its string */
};

struct ctf_bound {
    const struct ctf_field *field;
    struct ctf_int i; /* of a text: 'off' only */
    uint32_t length;
    uint8_t how; /* enum ctf_bound_how */
};

/* Binds a field of the class; NULL gives BOUND_NONE. */
struct ctf_bound ctf_bind(const struct ctf_event_class *cls, const struct ctf_field *f);

/* For the functions below, the record's event is of the class that was bound. */

/* Is the field there?  False when a variant selected another option. */
static inline bool ctf_bound_has(struct ctf_view *v, const struct ctf_rec *r,
                                 const struct ctf_bound *b)
{
    if (b->how == BOUND_NONE || !b->field->only_if)
        return b->how != BOUND_NONE;
    const struct ctf_event *ev = ctf_view_event(v, r);
    return ev && ctf_has(ev, b->field);
}

static inline uint64_t ctf_int_at(const uint8_t *p, struct ctf_int i)
{
    uint64_t v;

    memcpy(&v, p + i.off, 8);                /* may reach past the packet: see base/file.h */
    return ((v & i.mask) ^ i.sign) - i.sign; /* H. S. Warren, Hacker's Delight, 2-5 */
}

static inline uint64_t ctf_load_int(const struct ctf_rec *r, struct ctf_int i)
{
    return ctf_int_at(r->at + (r->more & i.behind), i);
}

/* Raw value of an integer, enum or float (signed: extended to 64 bits). */
static inline uint64_t ctf_bound_u64(struct ctf_view *v, const struct ctf_rec *r,
                                     const struct ctf_bound *b)
{
    if (b->how == BOUND_INT)
        return ctf_load_int(r, b->i);
    const struct ctf_event *ev = ctf_view_event(v, r);
    return ev ? ctf_get_u64(ev, b->field) : 0;
}

/* A text; a view of the trace. */
static inline struct str ctf_bound_str(struct ctf_view *v, const struct ctf_rec *r,
                                       const struct ctf_bound *b)
{
    const char *p = (const char *)r->at + b->i.off;

    if (b->how == BOUND_STRING)
        return (struct str){ p, r->more - b->i.off - 1 };
    if (b->how == BOUND_TEXT)
        return (struct str){ p, nul_within(p, b->length) };
    if (b->how == BOUND_FIRST)
        return (struct str){ p, nul_within(p, PTRDIFF_MAX) }; /* it was found before */
    const struct ctf_event *ev = ctf_view_event(v, r);
    return ev ? ctf_get_str(ev, b->field) : (struct str){ "", 0 };
}

#endif
