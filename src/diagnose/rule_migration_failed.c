/* SPDX-License-Identifier: Apache-2.0
 *
 * rule_migration_failed.c -- a migration that failed, and who said why. */
#include "diagnose/first_error.h"

/* What it died in: the last stage that began. */
static const struct mig_stage *last_stage(const struct migration *m)
{
    const struct mig_stage *last = NULL;

    for (size_t i = 0; i < m->stages.n; i++)
        if (m->stages.at[i].t0 != STORE_NULL && (!last || m->stages.at[i].t0 >= last->t0))
            last = &m->stages.at[i];
    return last;
}

/* QEMU was seen; else Nova alone tells, of what it did itself. */
static bool is_of_qemu(const struct migration *m)
{
    for (size_t i = 0; i < m->stages.n; i++)
        if (str_is(m->stages.at[i].layer, "qemu"))
            return true;
    return false;
}

static void found(const struct rule *r, struct diagnosis *d, const struct migration *m,
                  const struct src_index *lines)
{
    bool failed = m->outcome == MIG_FAILED;
    struct str vm = finding_vm(m->vm);
    struct finding *f = finding_add(d, r, failed ? SEVERITY_CRITICAL : SEVERITY_WARNING);
    struct str where = finding_text(d, "neph show migration " STR_FMT, STR_ARG(m->id));
    const struct mig_stage *stage = last_stage(m);
    struct str line = finding_first_line(m->error);

    f->title = finding_text(d, "the migration of " STR_FMT " %s%s%.*s", STR_ARG(vm),
                            failed ? "failed" : "was cancelled", m->error.n ? ": " : "",
                            (int)line.n, line.n ? line.p : "");
    finding_subject(f, "migration", m->id);
    finding_subject(f, "vm", m->vm);
    finding_subject(f, "request", m->request);
    finding_host(f, m->source);
    finding_host(f, m->destination);
    f->layer = is_of_qemu(m) ? LAYER_VIRTUALISATION : LAYER_APPLICATION;
    f->t0 = m->start;
    f->t1 = m->end;
    f->cost_ns = m->end != STORE_NULL && m->start != STORE_NULL ? m->end - m->start : STORE_NULL;
    finding_evidence(f, "error", m->error, "", where);
    if (stage) {
        finding_evidence(f, "last stage that began",
                         finding_text(d, STR_FMT "%s" STR_FMT, STR_ARG(stage->name),
                                      stage->host.n ? " at " : "", STR_ARG(stage->host)),
                         "", where);
        finding_evidence(f, "status of that stage", stage->status, "", where);
    }
    if (failed && m->request.n)
        first_error_add(d, f, lines, m->request, where);
    if (!m->error.n)
        finding_unknown(f, failed
                               ? STR("why: no layer that was traced gives an error")
                               : STR("who cancelled it, and why: no layer that was traced says"));
}

/* Explained by another rule? */
static bool never_ends(const struct diagnosis *d, const struct migration *m)
{
    for (size_t i = 0; i < d->list.n; i++)
        if (d->list.at[i].rule == &rule_migration_never_ends &&
            str_eq(d->list.at[i].subjects.at[0].name, m->id))
            return true;
    return false;
}

static void find(const struct rule *r, struct diagnosis *d)
{
    struct src_index lines;

    src_index_make(d->src, TABLE_line, false, C_line_request, &lines);
    for (size_t i = 0; i < d->migrations->list.n; i++) {
        const struct migration *m = &d->migrations->list.at[i];

        if ((m->outcome == MIG_FAILED || m->outcome == MIG_CANCELLED) && !never_ends(d, m))
            found(r, d, m, &lines);
    }
    src_index_free(&lines);
}

const struct rule rule_migration_failed = {
    .name = "migration-failed",
    .title = "a migration failed",
    .doc =
        "QEMU or Nova say that a migration failed (critical) or was cancelled (warning), and "
        "nothing says that it could not have ended. The error is the first that any layer gives, "
        "and the stage is the last that began.",
    .remedy =
        "read the error and the stage; after a failure past the switch-over look at which host "
        "the guest runs on before anything is retried",
    .needs = "QEMU's migrate_set_state events, a log of QMP, or the logs of nova-compute",
    .layer = LAYER_VIRTUALISATION,
    .stage = STAGE_MIGRATION,
    .find = find,
};
