/* SPDX-License-Identifier: Apache-2.0
 *
 * calls.c -- pairs who made calls with who served them; see calls.h. */
#include "report/calls.h"

#include "report/lists.h"

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

bool call_is_cast(const struct src_row *client, const struct src_row *server)
{
    ns_t took = row_length(client->row), served = row_length(server->row);

    return took == STORE_NULL || served == STORE_NULL || took < served;
}

void calls_each(const struct report_src *src, call_fn *fn, void *ctx)
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

        if (!is_client(c) || id.n == 0)
            continue;
        const struct src_group *g = src_index_find(&served, id);
        for (size_t k = 0; k < g->rows.n; k++)
            if (is_server(&g->rows.at[k]))
                fn(ctx, c, &g->rows.at[k]);
    }
    src_index_free(&served);
}
