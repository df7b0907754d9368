/* SPDX-License-Identifier: Apache-2.0
 *
 * clocks_show.c -- what `neph sync` tells: hosts, pairs, and what would help. */
#include "report/clocks_show.h"

#include <inttypes.h>

static const struct column host_columns[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "quality", "QUALITY", COL_STR, 0, 0, 0 },
    { "rate_ppm", "RATE PPM", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "offset_ns", "OFFSET", COL_DURATION, 0, 0, 0 },
    { "bound_min_ns", "BOUND MIN", COL_DURATION, 0, 0, 0 },
    { "bound_median_ns", "MEDIAN", COL_DURATION, 0, 0, 0 },
    { "bound_max_ns", "MAX", COL_DURATION, 0, 0, 0 },
    { "sent", "SENT", COL_COUNT, 0, 0, 0 },
    { "received", "RECEIVED", COL_COUNT, 0, 0, 0 },
    { "remark", "REMARK", COL_STR, 0, 0, 0 },
};

static const struct column pair_columns[] = {
    { "a", "A", COL_STR, 0, 0, 0 },
    { "b", "B", COL_STR, 0, 0, 0 },
    { "matched", "MATCHED", COL_COUNT, 0, 0, 0 },
    { "used", "USED", COL_COUNT, 0, 0, 0 },
    { "rejected", "REJECTED", COL_COUNT, 0, 0, 0 },
    { "quality", "QUALITY", COL_STR, 0, 0, 0 },
    { "slope_ppm", "B FASTER BY PPM", COL_STR, ALIGN_RIGHT, 0, 0 },
    { "offset_ns", "B AHEAD BY", COL_DURATION, 0, 0, 0 },
    { "bound_min_ns", "BOUND MIN", COL_DURATION, 0, 0, 0 },
    { "bound_median_ns", "MEDIAN", COL_DURATION, 0, 0, 0 },
    { "bound_max_ns", "MAX", COL_DURATION, 0, 0, 0 },
    { "linear_median_ns", "IF LINEAR", COL_DURATION, 0, 0, 0 },
    { "pieces", "PIECES", COL_COUNT, 0, 0, 0 },
};

static const struct column advice_columns[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "advice", "ADVICE", COL_STR, 0, 0, 0 },
};

static const struct column at_columns[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "quality", "QUALITY", COL_STR, 0, 0, 0 },
    { "local_ns", "ITS CLOCK", COL_INSTANT, 0, 0, 0 },
    { "offset_ns", "OFFSET", COL_DURATION, 0, 0, 0 },
    { "before_ns", "NO EARLIER THAN", COL_DURATION, 0, 0, 0 },
    { "after_ns", "NO LATER THAN", COL_DURATION, 0, 0, 0 },
};

static void put_width(struct table *t, ns_t w)
{
    if (w == NS_MAX)
        table_null_word(t, "open");
    else
        table_ns(t, w);
}

static void put_ppm(struct table *t, double ppm)
{
    char text[32];

    snprintf(text, sizeof text, "%+.6f", ppm);
    table_str(t, str_of(text));
}

static uint64_t sum(const uint64_t *n)
{
    uint64_t all = 0;

    for (int i = 0; i < MESSAGE_KINDS; i++)
        all += n[i];
    return all;
}

static void put_host(const struct host_clock *h, ns_t middle, struct table *t)
{
    table_row(t);
    table_str(t, str_of(h->host));
    table_str(t, str_of(clocks_quality(h)));
    put_ppm(t, h->c.skew * 1e6);
    table_ns(t, clock_to_ref(&h->c, middle) - middle);
    put_width(t, h->least);
    put_width(t, h->median);
    put_width(t, h->most);
    table_count(t, sum(h->sent));
    table_count(t, sum(h->received));
    table_str(t, h->kept && h->c.quality != SYNC_NONE ? STR("may be right: left as it is")
                                                      : (struct str){ 0 });
}

static void put_pair(const struct clocks *c, const struct sync_pair *p, struct table *t)
{
    static const char *const quality[] = {
        [SYNC_EXACT] = "exact", [SYNC_ONE_WAY] = "one-way", [SYNC_NONE] = "none"
    };

    table_row(t);
    table_str(t, str_of(c->at[p->a].host));
    table_str(t, str_of(c->at[p->b].host));
    table_count(t, p->matched);
    table_count(t, p->used);
    table_count(t, p->rejected);
    table_str(t, p->dropped ? STR("contradicts others") : str_of(quality[p->quality]));
    put_ppm(t, p->slope_ppm);
    table_ns(t, (ns_t)p->offset);
    put_width(t, p->bound_min);
    put_width(t, p->bound_median);
    put_width(t, p->bound_max);
    put_width(t, p->linear_median);
    table_count(t, p->pieces);
}

/* --- advice -------------------------------------------------------------------------- */

static void advise(struct table *t, const char *host, struct str text)
{
    table_row(t);
    table_str(t, str_of(host));
    table_str(t, text);
}

static bool packets(const uint64_t *n)
{
    return n[MESSAGE_TCP] || n[MESSAGE_TCP_END] || n[MESSAGE_UDP] || n[MESSAGE_SOCKET];
}

static void advise_host(const struct clocks *c, const struct host_clock *h, struct table *t)
{
    struct sbuf b = { 0 };

    if (h->bare > 0 && !h->received[MESSAGE_TCP] && !h->received[MESSAGE_SOCKET]) {
        sbuf_fmt(
            &b,
            "%" PRId64 " packets came whose headers the tracer did not write (GRO is off: "
            "net_if_receive_skb comes too early): their acknowledgements were used instead, "
            "which are later; for closer bounds enable inet_sock_local_in and "
            "inet_sock_local_out (lttng-modules' addons), or turn GRO on (ethtool -K DEV gro on)",
            h->bare);
        advise(t, h->host, sbuf_view(&b));
    }
    if (!packets(h->sent) && !packets(h->received) && c->nhosts > 1)
        advise(t, h->host,
               STR("no packets to or from other hosts were traced: lttng enable-event -k "
                   "net_dev_queue,net_if_receive_skb,net_napi_gro_receive_entry"));
    else if (!packets(h->sent) && c->nhosts > 1)
        advise(t, h->host, STR("no sent packets were traced: lttng enable-event -k net_dev_queue"));
    else if (!packets(h->received) && h->bare == 0 && c->nhosts > 1)
        advise(t, h->host,
               STR("no received packets were traced: lttng enable-event -k "
                   "net_if_receive_skb,net_napi_gro_receive_entry"));
    if (h->c.quality == SYNC_NONE && c->mode == CLOCKS_AUTO)
        advise(
            t, h->host,
            STR("no message of it was found on another host: trace both ends of what they say to "
                "each other at the same time; clocks that NTP sets differ by milliseconds, so the "
                "order of events between hosts is not known"));
    if (h->c.quality == SYNC_ONE_WAY)
        advise(t, h->host,
               STR("messages were found in one direction only: trace what it sends and what it "
                   "receives, net_dev_queue and net_if_receive_skb, on both sides"));
    sbuf_free(&b);
}

void clocks_sections(const struct clocks *c, const struct report_src *src, struct sections *ret)
{
    struct section *s = section_add(ret, "hosts", "Hosts", host_columns, ARRAY_SIZE(host_columns));

    for (uint32_t i = 0; i < c->nhosts; i++) {
        struct store_coverage cov;

        store_coverage(src->hosts[i], &cov);
        put_host(&c->at[i], clock_from_ref(&c->at[i].c, cov.t0 / 2 + cov.t1 / 2), &s->table);
    }
    s = section_add(ret, "pairs", "Pairs", pair_columns, ARRAY_SIZE(pair_columns));
    for (size_t i = 0; i < c->npairs; i++)
        put_pair(c, &c->pairs[i], &s->table);
    s = section_add(ret, "suggestions", "Suggestions", advice_columns, ARRAY_SIZE(advice_columns));
    for (uint32_t i = 0; i < c->nhosts; i++)
        advise_host(c, &c->at[i], &s->table);
    if (c->nhosts == 1)
        sbuf_z(&ret->head,
               "One host: its layers share one clock, and nothing has to be corrected.");
    else if (c->mode == CLOCKS_NONE)
        sbuf_z(&ret->head, "The clocks are taken as they are.");
    else if (c->mode == CLOCKS_AUTO)
        sbuf_fmt(
            &ret->head,
            "Times are shown by the clock of %s.  %" PRIu64 " ends of messages, %" PRIu64
            " messages between hosts; %" PRIu64 " ends of no other host, %" PRIu64
            " of messages that can't be told apart.\nA bound is how far apart the earliest and "
            "the latest time are that an instant can have been.",
            c->nhosts ? c->at[c->reference].host : "-", c->counts.points, c->counts.matched,
            c->counts.unsent + c->counts.unreceived + c->counts.looped, c->counts.ambiguous);
}

void clocks_at(const struct clocks *c, ns_t t, struct sections *ret)
{
    struct section *s = section_add(ret, "hosts", "Clocks", at_columns, ARRAY_SIZE(at_columns));

    for (uint32_t i = 0; i < c->nhosts; i++) {
        const struct host_clock *h = &c->at[i];
        ns_t local = clock_from_ref(&h->c, t);
        struct clock_error e = clocks_error(c, i, t);

        table_row(&s->table);
        table_str(&s->table, str_of(h->host));
        table_str(&s->table, str_of(clocks_quality(h)));
        table_ns(&s->table, local);
        table_ns(&s->table, t - local);
        put_width(&s->table, e.before);
        put_width(&s->table, e.after);
    }
}

void clocks_at_json(const struct clocks *c, ns_t t, struct json *j)
{
    json_ki64(j, "at_ns", t);
    json_kstr(j, "reference", str_of(c->nhosts ? c->at[c->reference].host : ""));
    json_kopen(j, "hosts", '[');
    for (uint32_t i = 0; i < c->nhosts; i++) {
        const struct host_clock *h = &c->at[i];
        ns_t local = clock_from_ref(&h->c, t);
        struct clock_error e = clocks_error(c, i, t);

        json_open(j, '{');
        json_kstr(j, "host", str_of(h->host));
        json_kstr(j, "quality", str_of(clocks_quality(h)));
        json_ki64(j, "local_ns", local);
        json_ki64(j, "corrected_ns", t);
        json_ki64(j, "offset_ns", t - local);
        json_kopen(j, "bound_ns", '{');
        json_key(j, STR("lo"));
        e.before == NS_MAX ? json_none(j) : json_i64(j, t - local - e.before);
        json_key(j, STR("hi"));
        e.after == NS_MAX ? json_none(j) : json_i64(j, t - local + e.after);
        json_key(j, STR("width"));
        e.before == NS_MAX || e.after == NS_MAX ? json_none(j) : json_i64(j, e.before + e.after);
        json_close(j, '}');
        json_close(j, '}');
    }
    json_close(j, ']');
}

void clocks_advice_json(const struct clocks *c, struct json *j)
{
    struct table t;
    struct table_opts o = { .format = TABLE_JSON };
    struct err err;

    table_init(&t, advice_columns, ARRAY_SIZE(advice_columns));
    for (uint32_t i = 0; i < c->nhosts; i++)
        advise_host(c, &c->at[i], &t);
    json_key(j, STR("suggestions"));
    table_json(&t, &o, j, &err);
    table_free(&t);
}
