/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_vm_state.c -- an instance in state error, or in one that it could not come to. */
#include "diagnose/rule.h"

static void found(const struct rule *r, struct diagnosis *d, const struct src_row *row)
{
    struct str wrong = row_text(row, C_vm_state_violation);
    struct str request = row_text(row, C_vm_state_request);
    struct str key = row_text(row, C_vm_state_key), name = src_vm_name(d->src, key, key);
    struct str where = finding_text(d, "neph show vm " STR_FMT, STR_ARG(name));
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = wrong.n
                   ? finding_text(d, "instance " STR_FMT " took a step that there is not: " STR_FMT,
                                  STR_ARG(name), STR_ARG(wrong))
                   : finding_text(d, "instance " STR_FMT " goes into state error", STR_ARG(name));
    finding_subject(f, "vm", name);
    finding_subject(f, "request", request);
    finding_host(f, row_text(row, C_vm_state_host));
    f->t0 = f->t1 = row->row[C_vm_state_t0];
    finding_evidence(f, "state", row_text(row, C_vm_state_state), "", where);
    finding_evidence(f, "told by", row_text(row, C_vm_state_source), "", where);
    finding_evidence(f, "request", request, "", where);
    if (wrong.n)
        finding_unknown(f, STR("whether it happened so, or whether what told of the step between "
                               "was not traced"));
}

/* An instance's states, by time. */
static void find_of(const struct rule *r, struct diagnosis *d, const struct src_group *g)
{
    struct str before = STR("");

    for (size_t i = 0; i < g->rows.n; i++) {
        const struct src_row *row = &g->rows.at[i];
        struct str state = row_text(row, C_vm_state_state);

        if ((str_is(state, "error") && !str_is(before, "error")) ||
            row_text(row, C_vm_state_violation).n)
            found(r, d, row);
        before = state;
    }
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct src_index x;

    src_index_make(d->src, TABLE_vm_state, true, C_vm_state_key, &x);
    for (size_t i = 0; i < x.groups.n; i++) {
        const struct src_group *g = &x.groups.at[i];
        struct str key = g->rows.n ? row_text(&g->rows.at[0], C_vm_state_key) : STR("");

        if (report_vm_fits(d->src, key, src_vm_name(d->src, key, key)))
            find_of(r, d, g);
    }
    src_index_free(&x);
}

const struct rule rule_vm_state = {
    .name = "vm-state",
    .title = "an instance is in error, or in a state that it could not come to",
    .doc =
        "Nova's notifications or logs say that an instance went into state error, or that it went "
        "from one state to another that Nova's state machine does not join: warning. Where a "
        "failed operation or a missing host explains it, it stands below that.",
    .remedy =
        "look at the request that did it (neph show request); once the cause is gone, openstack "
        "server set --state active, or rebuild it",
    .needs = "notifications or logs of Nova's services",
    .stage = STAGE_STATE,
    .find = find,
};
