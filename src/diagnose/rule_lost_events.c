/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_lost_events.c -- the tracer lost events: findings about that time may be missing. */
#include "diagnose/rule.h"

static void find(const struct rule *r, struct diagnosis *d)
{
    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        const struct store *s = d->src->hosts[h];
        ns_t first = STORE_NULL, last = STORE_NULL, lost = 0;
        uint64_t events = 0, gaps = 0;
        const cell_t *row;
        table_t t;

        if (!store_table_find(s, schema_tables[TABLE_gap].name, &t))
            continue;
        struct store_rows rows = store_rows(s, t, d->src->span);
        while ((row = store_rows_next(&rows))) {
            ns_t len = row_length(row);

            events += row[C_gap_events] > 0 ? (uint64_t)row[C_gap_events] : 0;
            lost += len != STORE_NULL ? len : 0;
            first = first == STORE_NULL ? row_begin(row) : first;
            last = row[1] != STORE_NULL ? row[1] : row_begin(row);
            gaps++;
        }
        if (gaps == 0)
            continue;
        struct finding *f = finding_add(d, r, SEVERITY_INFO);
        f->title = finding_text(d, "the tracer of %s lost %llu events in %llu gaps", store_host(s),
                                (unsigned long long)events, (unsigned long long)gaps);
        finding_subject(f, "host", str_of(store_host(s)));
        finding_host(f, str_of(store_host(s)));
        f->t0 = first;
        f->t1 = last;
        f->cost_ns = lost;
        finding_evidence(f, "events lost", finding_text(d, "%llu", (unsigned long long)events), "",
                         STR("neph doctor"));
        finding_evidence_ns(d, f, "time of its CPUs that is not known", lost, STR("neph doctor"));
        finding_unknown(f, STR("what happened meanwhile: states are unknown there, and no rule "
                               "counts them"));
    }
}

const struct rule rule_lost_events = {
    .name = "lost-events",
    .title = "the tracer lost events",
    .doc = "The trace says that events were discarded or packets lost: info, since nothing of the "
           "cloud is wrong, but findings may be missing.",
    .remedy =
        "more or larger sub-buffers (lttng enable-channel --num-subbuf --subbuf-size), or fewer "
        "events",
    .needs = "any trace",
    .layer = LAYER_TRACING,
    .stage = STAGE_TRACE,
    .find = find,
};
