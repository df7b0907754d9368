/* SPDX-License-Identifier: Apache-2.0
 *
 * stream.c -- what the packets of a stream say together: their order, copies of
 * one packet, what was lost between them, and the quirks of old tracers.
 *
 * Quirks, by tracer and version (as babeltrace2 knows them, ctf/fs-src/fs.cpp):
 *   lttng-crash            writes an end time of 0
 *   lttng-ust < 2.11, lttng-modules < 2.9.13, 2.10.10, 2.11: the last event of a
 *                          packet can be after its end
 *   barectf < 2.3.1        the first event can be before the packet's begin
 * The reader takes the time of an event from the event, so an end only limits
 * the interval of a loss; only barectf's begin needs care. */
#include "ctf/packet.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int by_begin(const void *a, const void *b)
{
    const struct ctf_packet *x = a, *y = b;

    if (x->has_ts_begin && y->has_ts_begin && x->ts_begin != y->ts_begin)
        return x->ts_begin < y->ts_begin ? -1 : 1;
    if (x->has_seq && y->has_seq && x->seq != y->seq)
        return x->seq < y->seq ? -1 : 1;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

static bool same_packet(const struct ctf_packet *a, const struct ctf_packet *b)
{
    return a->has_seq && b->has_seq && a->seq == b->seq && a->has_ts_begin && b->has_ts_begin &&
           a->ts_begin == b->ts_begin && a->ts_end == b->ts_end &&
           a->content_bits == b->content_bits;
}

/* Copies of one packet are neighbours after sorting; the first one stays. */
static uint64_t drop_copies(struct ctf_stream *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->packets.n; i++)
        if (!s->has_instance || i == 0 || !same_packet(&s->packets.at[kept - 1], &s->packets.at[i]))
            s->packets.at[kept++] = s->packets.at[i];
    uint64_t dropped = s->packets.n - kept;
    s->packets.n = kept;
    return dropped;
}

/* Fewest bits of a clock sample below 't'. */
static unsigned sample_bits(const struct ctf_type *t)
{
    unsigned least = 64;

    for (uint32_t i = 0; t && i < t->nmembers; i++) {
        const struct ctf_member *m = &t->members[i];
        unsigned bits = m->roles & ROLE_CLOCK ? m->type->size : sample_bits(m->type);

        least = bits < least ? bits : least;
    }
    return least;
}

static bool is_old_barectf(const struct ctf_meta *m)
{
    int64_t v[3] = { 0, 0, 0 };
    static const char *const keys[] = { "tracer_major", "tracer_minor", "tracer_patch" };

    if (!str_is(ctf_env_get(m, "tracer_name"), "barectf"))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
        if (!str_i64(ctf_env_get(m, keys[i]), &v[i]))
            return false;
    return v[0] < 2 || (v[0] == 2 && (v[1] < 3 || (v[1] == 3 && v[2] < 1)));
}

/* The first event is the instant nearest to the packet's begin that its few
 * bits allow, not the next one: the clock starts half a turn earlier. */
static void mend_begin(const struct ctf_trace *t, struct ctf_stream *s, struct notes *notes)
{
    unsigned bits = sample_bits(s->cls->event_header);

    if (bits >= 64 || !is_old_barectf(&t->meta))
        return;
    for (size_t i = 0; i < s->packets.n; i++) {
        uint64_t half = UINT64_C(1) << (bits - 1), *begin = &s->packets.at[i].ts_begin;

        *begin -= *begin < half ? *begin : half;
    }
    note_add(notes, NOTE_INFO, t->path,
             "barectf before 2.3.1: packets can begin after their first event");
}

static ns_t when(const struct ctf_stream *s, bool has, uint64_t cycles, ns_t none)
{
    return has ? ctf_clock_ns(s->cls->clock, cycles) : none;
}

static void add_loss(struct ctf_stream *s, const struct ctf_packet *before,
                     const struct ctf_packet *p, uint64_t events, uint64_t packets)
{
    ns_t t0 = before ? when(s, before->has_ts_end, before->ts_end, NS_MIN) : NS_MIN;
    ns_t t1 = packets ? when(s, p->has_ts_begin, p->ts_begin, NS_MAX)
                      : when(s, p->has_ts_end, p->ts_end, NS_MAX);

    if (before && t0 == NS_MIN)
        t0 = when(s, before->has_ts_begin, before->ts_begin, NS_MIN);
    if (t1 < t0)
        t1 = t0;
    *vec_push(&s->losses) =
        (struct ctf_loss){ t0, t1, events, packets, (size_t)(p - s->packets.at) };
}

/* The counter of discarded events can go back in overwrite mode, so its largest
 * value counts; a gap in the sequence numbers is as many lost packets.  A
 * stream need not start at number 0: it can be a part of a longer one. */
static void find_losses(struct ctf_stream *s)
{
    uint64_t most = 0, next = 0;
    bool has_next = false;

    s->lost = s->losses.n = 0;
    for (size_t i = 0; i < s->packets.n; i++) {
        const struct ctf_packet *p = &s->packets.at[i], *q = i ? p - 1 : NULL;

        if (p->has_seq && has_next && p->seq > next) {
            add_loss(s, q, p, 0, p->seq - next);
            s->lost += p->seq - next;
        }
        if (p->has_seq) {
            next = p->seq + 1;
            has_next = true;
        }
        if (p->has_discarded && p->discarded > most) {
            add_loss(s, q, p, p->discarded - most, 0);
            most = p->discarded;
        }
    }
    s->discarded = most;
}

/* For seeking.  A packet without an end ends where the next one begins. */
static void find_reach(struct ctf_stream *s)
{
    uint64_t reach = 0;

    for (size_t i = 0; i < s->packets.n; i++) {
        struct ctf_packet *p = &s->packets.at[i], *next = i + 1 < s->packets.n ? p + 1 : NULL;
        uint64_t end = p->has_ts_end                ? p->ts_end
                       : next && next->has_ts_begin ? next->ts_begin
                                                    : UINT64_MAX;

        if (!p->has_ts_begin) /* it goes on with the clock of the one before */
            end = UINT64_MAX;
        reach = end > reach ? end : reach;
        p->reach = reach;
    }
}

static void tell_losses(const struct ctf_trace *t, const struct ctf_stream *s, struct notes *notes)
{
    const char *where = t->files.at[s->packets.at[0].file].path;

    if (s->discarded)
        note_add(notes, NOTE_WARN, where,
                 "the tracer discarded %" PRIu64
                 " events of this stream: use larger or more sub-buffers, or fewer events",
                 s->discarded);
    if (s->lost)
        note_add(notes, NOTE_WARN, where, "%" PRIu64 " packets of this stream were overwritten",
                 s->lost);
}

/* What the times of the packets say against each other. */
static void check_times(const struct ctf_trace *t, struct ctf_stream *s, struct notes *notes)
{
    for (size_t i = 0; i < s->packets.n; i++) {
        struct ctf_packet *p = &s->packets.at[i];
        const char *where = t->files.at[p->file].path;

        if (p->has_ts_begin && p->has_ts_end && p->ts_end < p->ts_begin) {
            p->has_ts_end = false;
            note_add(notes, NOTE_INFO, where,
                     p->ts_end ? "a packet ends before it begins: its end is ignored"
                               : "a packet has no end time (a buffer saved after a crash)");
        }
        if (i && p[-1].has_ts_end && p->has_ts_begin && p[-1].ts_end > p->ts_begin)
            note_add(notes, NOTE_INFO, where,
                     "packets overlap in time: one ends after the next begins (old tracers do so)");
        ns_t at = when(s, p->has_ts_begin, p->ts_begin, 0);
        if (at == NS_MAX || at == NS_MIN)
            note_add(notes, NOTE_WARN, where,
                     "times are outside the years 1678 to 2261 and cannot be shown");
    }
}

static void sum_up(struct ctf_trace *t)
{
    t->discarded = t->lost = 0;
    for (size_t i = 0; i < t->streams.n; i++) {
        t->discarded += t->streams.at[i]->discarded;
        t->lost += t->streams.at[i]->lost;
    }
}

void ctf_packet_finish(struct ctf_trace *t, struct notes *notes)
{
    for (size_t i = 0; i < t->streams.n; i++) {
        struct ctf_stream *s = t->streams.at[i];

        qsort(s->packets.at, s->packets.n, sizeof *s->packets.at, by_begin);
        uint64_t copies = drop_copies(s);
        t->packets -= copies;
        if (copies)
            note_add(notes, NOTE_INFO, t->path,
                     "%" PRIu64 " packets are there twice (same stream, number and times): "
                     "read once",
                     copies);
        check_times(t, s, notes);
        mend_begin(t, s, notes);
        find_losses(s);
        find_reach(s);
        tell_losses(t, s, notes);
    }
    sum_up(t);
}

static const struct ctf_stream *twin(const struct ctf_trace *t, const struct ctf_stream *s)
{
    for (size_t i = 0; i < t->streams.n; i++) {
        const struct ctf_stream *o = t->streams.at[i];

        if (o->cls->id == s->cls->id && o->has_instance && o->instance == s->instance)
            return o;
    }
    return NULL;
}

/* Both lists are sorted by by_begin(). */
static uint64_t drop_known(struct ctf_stream *s, const struct ctf_stream *known)
{
    size_t kept = 0, k = 0;

    for (size_t i = 0; i < s->packets.n; i++) {
        const struct ctf_packet *p = &s->packets.at[i];

        while (k < known->packets.n && known->packets.at[k].ts_begin < p->ts_begin)
            k++;
        size_t at = k;
        while (at < known->packets.n && known->packets.at[at].ts_begin == p->ts_begin &&
               !same_packet(&known->packets.at[at], p))
            at++;
        if (at < known->packets.n && same_packet(&known->packets.at[at], p))
            continue;
        s->packets.at[kept++] = *p;
    }
    uint64_t dropped = s->packets.n - kept;
    s->packets.n = kept;
    return dropped;
}

uint64_t ctf_trace_drop_shared(struct ctf_trace *later, const struct ctf_trace *earlier,
                               struct notes *notes)
{
    uint64_t dropped = 0;

    if (!later->meta.has_uuid || !earlier->meta.has_uuid ||
        memcmp(later->meta.uuid, earlier->meta.uuid, 16) != 0)
        return 0;
    for (size_t i = 0; i < later->streams.n; i++) {
        struct ctf_stream *s = later->streams.at[i];
        const struct ctf_stream *known = s->has_instance ? twin(earlier, s) : NULL;
        uint64_t n = known ? drop_known(s, known) : 0;

        if (n) {
            find_losses(s);
            find_reach(s);
        }
        dropped += n;
    }
    later->packets -= dropped;
    if (dropped) {
        sum_up(later);
        note_add(notes, NOTE_INFO, later->path,
                 "%" PRIu64 " packets are in %s too (same stream, number and times): read once",
                 dropped, earlier->path);
    }
    return dropped;
}
