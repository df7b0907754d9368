/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_operation_failed.c -- a request failed: the first error, and where it was. */
#include "diagnose/first_error.h"

static void found(const struct rule *r, struct diagnosis *d, const struct src_rows *it,
                  const cell_t *row, const struct src_index *lines)
{
    struct str id = src_text(it, row, C_request_request),
               action = src_text(it, row, C_request_action);
    struct str entity =
        src_vm_name(d->src, src_text(it, row, C_request_uuid), src_text(it, row, C_request_entity));
    struct str error = src_safe(it, row, C_request_first_error);
    struct str where = finding_text(d, "neph show request " STR_FMT, STR_ARG(id));
    struct str line = finding_first_line(error);
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = finding_text(d, "%.*s%s%.*s failed%s%.*s", (int)(action.n ? action.n : id.n),
                            action.n ? action.p : id.p, entity.n ? " of " : "", (int)entity.n,
                            entity.n ? entity.p : "", error.n ? ": " : "", (int)line.n,
                            line.n ? line.p : "");
    finding_subject(f, "request", id);
    finding_subject(f, "vm", entity);
    f->t0 = row[0];
    f->t1 = row[1];
    f->cost_ns = row_length(row);
    first_error_add(d, f, lines, id, where);
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct src_rows it = src_rows_global(d->src, TABLE_request);
    struct src_index lines;
    const cell_t *row;

    src_index_make(d->src, TABLE_line, false, C_line_request, &lines);
    while ((row = src_next(&it)))
        if (str_is(src_text(&it, row, C_request_outcome), "error") &&
            report_request_fits(d->src, src_text(&it, row, C_request_request)))
            found(r, d, &it, row, &lines);
    src_index_free(&lines);
}

const struct rule rule_operation_failed = {
    .name = "operation-failed",
    .title = "a request failed",
    .doc = "A request to OpenStack ended with an error: warning. The error is the first that any "
           "service told of for that request, on whatever host, with the function that wrote it; "
           "what came later is mostly its echo. A failure that another rule explains (no valid "
           "host, a failed migration) stands below that finding.",
    .remedy = "follow the request from its first error on (neph show request)",
    .needs = "the logs or notifications of OpenStack's services",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_OPERATION,
    .find = find,
};
