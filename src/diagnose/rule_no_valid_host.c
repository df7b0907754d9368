/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_no_valid_host.c -- the scheduler found no host for an instance. */
#include "diagnose/rule.h"

/* The last thing a filter left hosts of, before 't', in the same request. */
struct filters {
    struct str emptied, text; /* the filter that left none; what the scheduler or placement said */
    int64_t before;           /* hosts that were left before it; -1: not known */
    bool filtered;            /* filters ran at all */
};

static void look(const struct src_row *r, struct filters *f)
{
    struct str kind = row_text(r, C_sched_kind), text = row_text(r, C_sched_text);
    int64_t hosts = r->row[C_sched_hosts];

    if (str_is(kind, "sched-none")) {
        if (!f->text.n)
            f->text = text;
        return;
    }
    if (!row_text(r, C_sched_filter).n)
        return;
    f->filtered = true;
    if (hosts == 0 && !f->emptied.n)
        f->emptied = row_text(r, C_sched_filter);
    else if (!f->emptied.n)
        f->before = hosts;
}

static void found(const struct rule *r, struct diagnosis *d, const struct src_group *rows,
                  struct str request)
{
    struct str where = finding_text(d, "neph list schedule --request " STR_FMT, STR_ARG(request));
    struct filters seen = { .before = -1 };
    const struct src_row *first = NULL, *last = NULL;
    struct finding *f;

    for (size_t i = 0; i < rows->rows.n; i++) {
        const struct src_row *row = &rows->rows.at[i];

        look(row, &seen);
        if (!first || row_begin(row->row) < row_begin(first->row))
            first = row;
        if (str_is(row_text(row, C_sched_kind), "sched-none") &&
            (!last || row_begin(row->row) > row_begin(last->row)))
            last = row;
    }
    if (!last)
        return;
    f = finding_add(d, r, SEVERITY_CRITICAL);
    if (seen.emptied.n)
        f->title = finding_text(
            d, "no host for the instance of %.*s: " STR_FMT " removed the last %s", (int)request.n,
            request.p, STR_ARG(seen.emptied),
            seen.before > 0 ? finding_text(d, "%lld hosts", (long long)seen.before).p : "hosts");
    else
        f->title =
            finding_text(d, "no host for the instance of %.*s: %s", (int)request.n, request.p,
                         seen.filtered ? "the filters left none"
                                       : "no node had room, before any filter was asked");
    finding_subject(f, "request", request);
    finding_host(f, str_of(last->host));
    f->t0 = row_begin(first->row);
    f->t1 = row_begin(last->row);
    finding_evidence(f, "said", src_mask(d->src, seen.text), "", where);
    finding_evidence(f, "filter", seen.emptied, "", where);
    if (!seen.emptied.n)
        finding_unknown(f, STR("how many hosts each filter or placement removed, and for want of "
                               "what: nova-scheduler's and placement's debug lines tell"));
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct src_index x;

    src_index_make(d->src, TABLE_sched, false, C_sched_request, &x);
    for (size_t i = 0; i < x.groups.n; i++) {
        const struct src_group *g = &x.groups.at[i];
        struct str request = g->rows.n ? row_text(&g->rows.at[0], C_sched_request) : STR("");

        if (request.n && report_request_fits(d->src, request))
            found(r, d, g, request);
    }
    src_index_free(&x);
}

const struct rule rule_no_valid_host = {
    .name = "no-valid-host",
    .title = "the scheduler found no host",
    .doc = "nova-scheduler or nova-conductor say that no host is valid for a request: critical. "
           "Where the lines of the filters are there, the one that left none is named, with how "
           "many it had; where there are none, placement had no candidate at all.",
    .remedy =
        "ask for less (flavor), free or add nodes, or look whether nodes are disabled or their "
        "inventory in placement is wrong (openstack allocation candidate list)",
    .needs = "the logs of nova-scheduler and nova-conductor; for the filters at level DEBUG",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_DECISION,
    .find = find,
};
