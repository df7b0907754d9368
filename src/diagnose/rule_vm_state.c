/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_vm_state.c -- an instance in state error, in one that it could not come to, or stuck in the
 * middle of an operation. */
#include "diagnose/rule.h"
#include "report/robust.h"

#include <stdlib.h>

enum { MIN_STUCK, MIN_TIMES, MIN_PEERS, MIN_ALONE, MIN_ALONE_LONG, MIN_APART };
static const struct limit limits[] = {
    [MIN_STUCK] = { "min-stuck", 30, "s",
                    "in one task state: shorter ones are operations at work" },
    [MIN_TIMES] = { "min-times", 5, "times the median",
                    "of all times in that task state, if there are some" },
    [MIN_PEERS] = { "min-peers", 3, "times in that task state",
                    "of other instances; with fewer nobody knows what is normal" },
    [MIN_ALONE] = { "min-alone", 60, "s",
                    "without peers, in a task state that is over in seconds (deleting, "
                    "rebooting)" },
    [MIN_ALONE_LONG] = { "min-alone-long", 300, "s",
                         "the same where images or memory are copied (spawning, migrating): after "
                         "that Nova itself gives up on most things" },
    [MIN_APART] = { "min-apart", 1, "s",
                    "between two states for which there is no step: closer ones may have been "
                    "announced by two processes in another order than they came to be" },
};

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

/* Another creation is of another instance, which has the same name. */
static bool is_namesake(const struct src_group *g, size_t i)
{
    return i > 0 && str_is(row_text(&g->rows.at[i], C_vm_state_state), "building") &&
           str_is(row_text(&g->rows.at[i], C_vm_state_source), "compute.instance.create") &&
           !str_eq(row_text(&g->rows.at[i], C_vm_state_request),
                   row_text(&g->rows.at[i - 1], C_vm_state_request));
}

/* Did the state before last long enough to be sure of the order? */
static bool is_apart(const struct rule *r, const struct diagnosis *d, const struct src_group *g,
                     size_t i)
{
    return i == 0 ||
           g->rows.at[i].row[0] - g->rows.at[i - 1].row[0] >= rule_limit_ns(d, r, MIN_APART);
}

/* An instance's states, by time. */
static void find_of(const struct rule *r, struct diagnosis *d, const struct src_group *g)
{
    struct str before = STR("");

    for (size_t i = 0; i < g->rows.n; i++) {
        const struct src_row *row = &g->rows.at[i];
        struct str state = row_text(row, C_vm_state_state);

        if ((str_is(state, "error") && !str_is(before, "error")) ||
            (row_text(row, C_vm_state_violation).n && is_apart(r, d, g, i) && !is_namesake(g, i)))
            found(r, d, row);
        before = state;
    }
}

/* --- stuck ---------------------------------------------------------------------------------- */

/* Where all that was traced ends. */
static ns_t end_of_all(const struct diagnosis *d)
{
    ns_t end = NS_MIN;

    for (uint32_t h = 0; h < d->src->nhosts; h++) {
        struct store_coverage cov;

        store_coverage(d->src->hosts[h], &cov);
        end = cov.t1 > end ? cov.t1 : end;
    }
    return end;
}

static ns_t lasted(const struct src_row *row, ns_t end)
{
    ns_t t1 = row->row[1] == STORE_NULL ? end : row->row[1];

    return row->row[0] == STORE_NULL || t1 < row->row[0] ? 0 : t1 - row->row[0];
}

static void found_stuck(const struct rule *r, struct diagnosis *d, const struct src_row *row,
                        ns_t took, const struct robust *normal)
{
    struct str key = row_text(row, C_vm_state_key), name = src_vm_name(d->src, key, key);
    struct str task = row_text(row, C_vm_state_task_state);
    struct str where = finding_text(d, "neph show vm " STR_FMT, STR_ARG(name));
    struct finding *f = finding_add(d, r, SEVERITY_WARNING);

    f->title = finding_text(d, "instance " STR_FMT " %s %s in task state " STR_FMT, STR_ARG(name),
                            row->row[1] == STORE_NULL ? "is stuck since" : "was stuck for",
                            finding_duration(d, took).p, STR_ARG(task));
    finding_subject_lost(f, "vm", name, took);
    finding_subject_lost(f, "request", row_text(row, C_vm_state_request), took);
    finding_host(f, row_text(row, C_vm_state_host));
    f->t0 = row->row[0];
    f->t1 = row->row[1];
    f->cost_ns = took;
    finding_evidence(f, "task state", task, "", where);
    finding_evidence_ns(d, f, "in it for", took, where);
    if (normal)
        finding_evidence_ns(d, f, "median of others in it", normal->median, STR("neph list vms"));
    if (row->row[1] == STORE_NULL)
        finding_unknown(f, STR("how long it stays so: the traces end before it does"));
}

/* Task states in which much is copied (nova/compute/task_states.py, Zed). */
static bool is_long(struct str task)
{
    static const char *const starts[] = { "spawning", "scheduling", "migrating", "image_",
                                          "rebuild",  "resize_",    "shelving",  "unshelving",
                                          "spawn",    "block_dev",  "rescuing",  "networking" };

    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (str_starts(task, str_of(starts[i])))
            return true;
    return false;
}

/* All times in one task state. */
static void find_stuck_in(const struct rule *r, struct diagnosis *d, const struct src_group *g,
                          ns_t end)
{
    ns_t *took = xcalloc(g->rows.n + 1, sizeof *took);

    for (size_t i = 0; i < g->rows.n; i++)
        took[i] = lasted(&g->rows.at[i], end);
    struct robust normal = robust_below_break(took, g->rows.n);
    bool peers = (double)(g->rows.n - 1) >= rule_limit(d, r, MIN_PEERS);
    bool copies = is_long(row_text(&g->rows.at[0], C_vm_state_task_state));
    ns_t least = rule_limit_ns(d, r, peers ? MIN_STUCK : copies ? MIN_ALONE_LONG : MIN_ALONE);
    for (size_t i = 0; i < g->rows.n; i++) {
        ns_t t = lasted(&g->rows.at[i], end);

        struct str key = row_text(&g->rows.at[i], C_vm_state_key);
        if (t < least || !report_vm_fits(d->src, key, src_vm_name(d->src, key, key)) ||
            (peers && (double)t < rule_limit(d, r, MIN_TIMES) * (double)normal.median))
            continue;
        found_stuck(r, d, &g->rows.at[i], t, peers ? &normal : NULL);
    }
    free(took);
}

static void find_stuck(const struct rule *r, struct diagnosis *d)
{
    ns_t end = end_of_all(d);
    struct src_index x;

    src_index_make(d->src, TABLE_vm_state, true, C_vm_state_task_state, &x);
    for (size_t i = 0; i < x.groups.n; i++)
        if (x.groups.at[i].rows.n && row_text(&x.groups.at[i].rows.at[0], C_vm_state_task_state).n)
            find_stuck_in(r, d, &x.groups.at[i], end);
    src_index_free(&x);
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
    find_stuck(r, d);
}

const struct rule rule_vm_state = {
    .name = "vm-state",
    .title = "an instance is in error, stuck, or in a state that it could not come to",
    .doc =
        "Nova's notifications or logs say that an instance went into state error, or that it went "
        "from one state to another that Nova's state machine does not join, or that it stayed in a "
        "task state (spawning, rebooting, ...) far longer than "
        "others. Where a "
        "failed operation or a missing host explains it, it stands below that.",
    .remedy =
        "look at the request that did it (neph show request); once the cause is gone, openstack "
        "server set --state active, or rebuild it",
    .needs = "notifications or logs of Nova's services",
    .layer = LAYER_APPLICATION,
    .stage = STAGE_STATE,
    .limits = limits,
    .nlimits = ARRAY_SIZE(limits),
    .find = find,
};
