/* SPDX-License-Identifier: Apache-2.0
 *
 * first_error.c -- see first_error.h.
 *
 * Services on the way repeat an error with words of their own; the earliest line at level ERROR is
 * the nearest to the cause. */
#include "diagnose/first_error.h"

enum { PYTHON_ERROR = 40 };

void first_error_add(const struct diagnosis *d, struct finding *f, const struct src_index *lines,
                     struct str request, struct str where)
{
    const struct src_group *g = src_index_find(lines, request);
    const struct src_row *first = NULL;

    for (size_t i = 0; request.n && i < g->rows.n; i++)
        if (g->rows.at[i].row[C_line_level] >= PYTHON_ERROR &&
            (!first || row_begin(g->rows.at[i].row) < row_begin(first->row)))
            first = &g->rows.at[i];
    if (!first) {
        finding_unknown(f, STR("in which function it began: no line at level ERROR of that request "
                               "was traced"));
        return;
    }
    finding_host(f, str_of(first->host));
    finding_evidence(f, "first error", src_mask(d->src, row_text(first, C_line_text)), "", where);
    finding_evidence(f, "told by",
                     finding_text(d, STR_FMT " on %s, " STR_FMT "() line %lld",
                                  STR_ARG(row_text(first, C_line_service)), first->host,
                                  STR_ARG(row_text(first, C_line_func)),
                                  (long long)first->row[C_line_lineno]),
                     "", where);
}
