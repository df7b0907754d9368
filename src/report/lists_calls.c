/* SPDX-License-Identifier: Apache-2.0
 *
 * lists_calls.c -- calls from service to service, also between hosts.
 *
 * A call is seen twice: by who makes it, and by who serves it; the id of the message, or of the
 * request that an API gave it, ties both.  How long the call took at each side needs no
 * common clock, and the difference is what the network, the message broker and the queues of the
 * services took.  How that is shared between the way there and the way back is as certain as the
 * hosts' clocks: see `neph sync`. */
#include "report/calls.h"
#include "report/clocks.h"
#include "report/lists.h"

static const struct column cols[] = {
    { "request_id", "REQUEST", COL_STR, 0, COL_WIDE, 0 },
    { "name", "CALL", COL_STR, 0, 0, 48 },
    { "client", "FROM", COL_STR, 0, 0, 0 },
    { "client_host", "HOST", COL_STR, 0, 0, 0 },
    { "server", "TO", COL_STR, 0, 0, 0 },
    { "server_host", "HOST", COL_STR, 0, 0, 0 },
    { "start_ns", "START", COL_INSTANT, 0, 0, 0 },
    { "took_ns", "TOOK", COL_DURATION, 0, 0, 0 },
    { "served_ns", "SERVED", COL_DURATION, 0, 0, 0 },
    { "between_ns", "BETWEEN", COL_DURATION, 0, 0, 0 },
    { "between_share", "SHARE", COL_RATIO, 0, 0, 0 },
    { "there_ns", "THERE", COL_DURATION, 0, 0, 0 },
    { "back_ns", "BACK", COL_DURATION, 0, 0, 0 },
    { "bound_ns", "BOUND", COL_DURATION, 0, 0, 0 },
    { "status", "STATUS", COL_STR, 0, COL_WIDE, 0 },
    { "id", "ID", COL_STR, 0, COL_WIDE, 0 },
};

static ns_t span_between(ns_t t0, ns_t t1)
{
    return t0 == STORE_NULL || t1 == STORE_NULL ? STORE_NULL : t1 - t0;
}

struct listing {
    const struct report_src *src;
    struct table *t;
};

static void call_row(void *ctx, const struct src_row *c, const struct src_row *s)
{
    const struct listing *l = ctx;
    const struct report_src *src = l->src;
    struct table *t = l->t;
    ns_t took = row_length(c->row), served = row_length(s->row);
    /* A cast is over when it is sent; its way there is all that there is between. */
    bool waits = !call_is_cast(c, s);
    struct str request = row_text(c, C_step_request);

    if (!report_vm_fits(src, row_text(c, C_step_entity), STR("")) ||
        !(report_request_fits(src, request) ||
          report_request_fits(src, row_text(s, C_step_request))))
        return;
    table_row(t);
    cell_str(t, request.n ? request : row_text(s, C_step_request));
    cell_str(t, src_mask(src, row_text(c, C_step_name)));
    cell_str(t, row_text(c, C_step_service));
    table_str(t, str_of(c->host));
    cell_str(t, row_text(s, C_step_service));
    table_str(t, str_of(s->host));
    cell_ns(t, row_begin(c->row));
    cell_ns(t, took);
    cell_ns(t, served);
    cell_ns(t, waits ? took - served : STORE_NULL);
    if (waits && took > 0)
        table_ratio(t, (double)(took - served) / (double)took);
    else
        table_null(t);
    cell_ns(t, span_between(c->row[0], s->row[0]));
    cell_ns(t, waits ? span_between(s->row[1], c->row[1]) : STORE_NULL);
    /* What THERE gains BACK loses. */
    cell_ns(t, clocks_bound(src->clocks, src_host_named(src, c->host), row_begin(c->row),
                            src_host_named(src, s->host), row_begin(s->row)));
    cell_str(t, src_mask(src, row_text(c, C_step_status)));
    cell_str(t, row_text(c, C_step_child));
}

static void fill_calls(const struct report_src *src, struct table *t)
{
    struct listing l = { src, t };

    calls_each(src, call_row, &l);
}

const struct report_list list_calls = { "calls", "Calls between services", cols, ARRAY_SIZE(cols),
                                        fill_calls };
