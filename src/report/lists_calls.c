/* SPDX-License-Identifier: Apache-2.0
 *
 * lists_calls.c -- calls from service to service, also between hosts.
 *
 * A call is seen twice: by who makes it, and by who serves it; the id of the message, or of the
 * request that an API gave it, ties both.  How long the call took at each side needs no
 * common clock, and the difference is what the network, the message broker and the queues of the
 * services took.  How that is shared between the way there and the way back is as certain as the
 * hosts' clocks: see `neph sync`. */
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

static bool is_client(const struct src_row *r)
{
    struct str kind = row_text(r, C_step_kind);

    return str_is(kind, "rpc") || str_is(kind, "http") || str_is(kind, "http-call");
}

static bool is_server(const struct src_row *r)
{
    struct str kind = row_text(r, C_step_kind);

    return str_is(kind, "rpc-served") || str_is(kind, "served");
}

static ns_t span_between(ns_t t0, ns_t t1)
{
    return t0 == STORE_NULL || t1 == STORE_NULL ? STORE_NULL : t1 - t0;
}

/* By how much THERE and BACK may be wrong: what one loses the other gains. */
static ns_t bound_of(const struct report_src *src, const struct src_row *c, const struct src_row *s)
{
    uint32_t a = src_host_named(src, c->host), b = src_host_named(src, s->host);
    struct clock_error of_a, of_b;

    if (a == b)
        return 0;
    if (!src->clocks)
        return STORE_NULL;
    of_a = clocks_error(src->clocks, a, row_begin(c->row));
    of_b = clocks_error(src->clocks, b, row_begin(s->row));
    ns_t x = of_a.before > of_a.after ? of_a.before : of_a.after;
    ns_t y = of_b.before > of_b.after ? of_b.before : of_b.after;
    return x > NS_MAX / 4 || y > NS_MAX / 4 ? STORE_NULL : x + y;
}

static void call_row(const struct report_src *src, const struct src_row *c, const struct src_row *s,
                     struct table *t)
{
    ns_t took = row_length(c->row), served = row_length(s->row);
    /* A cast is over when it is sent; its way there is all that there is between. */
    bool waits = took != STORE_NULL && served != STORE_NULL && took >= served;
    struct str request = row_text(c, C_step_request);

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
    cell_ns(t, bound_of(src, c, s));
    cell_str(t, src_mask(src, row_text(c, C_step_status)));
    cell_str(t, row_text(c, C_step_child));
}

static void fill_calls(const struct report_src *src, struct table *t)
{
    struct report_src all = *src;
    struct src_index served;
    size_t n;

    all.span = (struct span){ NS_MIN, NS_MAX };
    src_index_make(&all, TABLE_step, false, C_step_child, &served);
    struct src_row *rows = src_sorted(src, TABLE_step, &n);
    for (size_t i = 0; i < n; i++) {
        const struct src_row *c = &rows[i];
        struct str id = row_text(c, C_step_child);

        if (!is_client(c) || id.n == 0 || !report_vm_fits(src, row_text(c, C_step_entity), STR("")))
            continue;
        const struct src_group *g = src_index_find(&served, id);
        for (size_t k = 0; k < g->rows.n; k++) {
            const struct src_row *s = &g->rows.at[k];

            if (is_server(s) && (report_request_fits(src, row_text(c, C_step_request)) ||
                                 report_request_fits(src, row_text(s, C_step_request))))
                call_row(src, c, s, t);
        }
    }
    src_index_free(&served);
}

const struct report_list list_calls = { "calls", "Calls between services", cols, ARRAY_SIZE(cols),
                                        fill_calls };
