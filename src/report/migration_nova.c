/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_nova.c -- Nova's stages of a migration: the tasks of the request that asked for it.
 *
 * The names are those of nova/compute/manager.py, nova/conductor/tasks/live_migrate.py and
 * nova/virt/libvirt/driver.py (Liberty to Zed). */
#include "report/migration_priv.h"

#include <stdlib.h>

enum side { SIDE_NONE, SIDE_SOURCE, SIDE_DESTINATION };

/* The task's name ends so. */
static const struct nova_stage {
    const char *task, *name;
    enum side side;
    bool migrates; /* only migrations have it        */
    bool decides;  /* it failed: the migration did   */
    enum mig_kind kind;
} nova_stages[] = {
    { "scheduler.select_destinations", "select destination", SIDE_NONE, false, true, MIG_LIVE },
    { "conductor.live_migration", "conductor", SIDE_NONE, true, true, MIG_LIVE },
    { "conductor.migrate_server", "conductor", SIDE_NONE, true, true, MIG_LIVE },
    { "conductor.rebuild_instance", "conductor", SIDE_NONE, false, true, MIG_EVACUATE },
    { "live_migration.check_dest", "check destination", SIDE_DESTINATION, true, true, MIG_LIVE },
    { "live_migration.check_source", "check source", SIDE_SOURCE, true, true, MIG_LIVE },
    { "can_live_migrate_destination", "check destination", SIDE_DESTINATION, true, true, MIG_LIVE },
    { "can_live_migrate_source", "check source", SIDE_SOURCE, true, true, MIG_LIVE },
    { "find.migration.min.data", "find smallest data", SIDE_SOURCE, true, false, MIG_LIVE },
    { "compute.live_migration", "start migration", SIDE_SOURCE, true, true, MIG_LIVE },
    { "live_migration.do", "migration at source", SIDE_SOURCE, true, true, MIG_LIVE },
    { "live_migration.pre", "pre-migration at destination", SIDE_DESTINATION, true, true,
      MIG_LIVE },
    { "live_migration.operation", "operation", SIDE_SOURCE, true, true, MIG_LIVE },
    { "live_migration_monitor", "monitoring", SIDE_SOURCE, true, true, MIG_LIVE },
    { "live_migration._post", "post-migration at source", SIDE_SOURCE, true, true, MIG_LIVE },
    { "live_migration.post", "post-migration at source", SIDE_SOURCE, true, true, MIG_LIVE },
    { "live_migration.post.dest", "post-migration at destination", SIDE_DESTINATION, true, true,
      MIG_LIVE },
    { "live_migration.rollback", "rollback", SIDE_SOURCE, true, false, MIG_LIVE },
    { "live_migration._rollback", "rollback", SIDE_SOURCE, true, false, MIG_LIVE },
    { "live_migration.rollback.dest", "rollback at destination", SIDE_DESTINATION, true, false,
      MIG_LIVE },
    { "instance.resize.prep", "prepare resize", SIDE_DESTINATION, true, true, MIG_RESIZE },
    { "instance.resize", "resize", SIDE_SOURCE, true, true, MIG_RESIZE },
    { "instance.finish_resize", "finish resize", SIDE_DESTINATION, true, true, MIG_RESIZE },
    { "resize.confirm", "confirm resize", SIDE_SOURCE, true, false, MIG_RESIZE },
    { "resize.revert", "revert resize", SIDE_SOURCE, true, false, MIG_RESIZE },
    { "instance.rebuild", "rebuild", SIDE_DESTINATION, false, true, MIG_EVACUATE },
    { "compute.instance.evacuate", "evacuate", SIDE_DESTINATION, true, true, MIG_EVACUATE },
};

static const struct nova_stage *stage_of(struct str task)
{
    const struct nova_stage *best = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(nova_stages); i++)
        if (str_ends(task, str_of(nova_stages[i].task)) &&
            (!best || strlen(nova_stages[i].task) > strlen(best->task)))
            best = &nova_stages[i];
    return best;
}

static struct migration *of_request(struct migrations *all, struct str request, struct str uuid)
{
    for (size_t i = 0; i < all->list.n; i++)
        if (str_eq(all->list.at[i].request, request) && str_eq(all->list.at[i].uuid, uuid))
            return &all->list.at[i];
    return NULL;
}

static struct migration *new_migration(const struct report_src *src, struct migrations *all,
                                       const struct src_row *r)
{
    struct str uuid = row_text(r, C_task_uuid);

    *vec_push(&all->list) =
        (struct migration){ .vm = src_vm_name(src, uuid, row_text(r, C_task_entity)),
                            .uuid = uuid,
                            .request = row_text(r, C_task_request),
                            .source = STR(""),
                            .destination = STR(""),
                            .source_host = UINT32_MAX,
                            .destination_host = UINT32_MAX,
                            .source_pid = -1,
                            .destination_pid = -1,
                            .kind = MIG_LIVE,
                            .start = NS_MAX,
                            .end = STORE_NULL,
                            .error = STR(""),
                            .qmp_total_ms = STORE_NULL,
                            .qmp_downtime_ms = STORE_NULL,
                            .qmp_setup_ms = STORE_NULL };
    return &all->list.at[all->list.n - 1];
}

static bool is_verdict(const struct nova_stage *s)
{
    return s->kind == MIG_RESIZE && !s->decides;
}

/* The resize of the instance that a request confirms or takes back: the last before 't'. */
static struct migration *resize_before(struct migrations *all, struct str uuid, ns_t t)
{
    struct migration *best = NULL;

    for (size_t i = 0; i < all->list.n; i++) {
        struct migration *m = &all->list.at[i];

        if (uuid.n && m->kind == MIG_RESIZE && str_eq(m->uuid, uuid) && m->start <= t &&
            (!best || m->start > best->start))
            best = m;
    }
    return best;
}

/* Another host on which nova-compute worked for the instance before it was rebuilt: that makes a
 * rebuild an evacuation (nova.compute.manager, rebuild_instance with recreate).  NULL: there is
 * none, or nothing tells. */
static const char *host_before(const struct src_row *rows, size_t at)
{
    struct str uuid = row_text(&rows[at], C_task_uuid);

    for (size_t i = at; i > 0 && uuid.n; i--) {
        const struct src_row *r = &rows[i - 1];

        if (str_eq(row_text(r, C_task_uuid), uuid) &&
            str_is(row_text(r, C_task_service), "nova-compute"))
            return strcmp(r->host, rows[at].host) != 0 ? r->host : NULL;
    }
    return NULL;
}

static bool is_evacuation(const struct src_row *rows, size_t at, const struct nova_stage *s)
{
    return s->kind == MIG_EVACUATE && s->side == SIDE_DESTINATION && host_before(rows, at);
}

static void take_task(const struct report_src *src, struct migration *m, const struct src_row *r,
                      const struct nova_stage *s)
{
    struct str status = row_text(r, C_task_status), error = row_text(r, C_task_error);
    ns_t t0 = row_begin(r->row);

    *vec_push(&m->stages) = (struct mig_stage){ .name = str_of(s->name),
                                                .layer = STR("nova"),
                                                .host = str_of(r->host),
                                                .t0 = t0,
                                                .t1 = r->row[1],
                                                .status = status,
                                                .evidence = row_text(r, C_task_task) };
    m->start = t0 < m->start ? t0 : m->start;
    /* A resize is confirmed, or taken back, when its user likes to: that time is not its own. */
    if (r->row[1] != STORE_NULL && !is_verdict(s) && (m->end == STORE_NULL || r->row[1] > m->end))
        m->end = r->row[1];
    if (s->side == SIDE_SOURCE) {
        m->source = str_of(r->host);
        m->source_host = src_host_named(src, r->host);
    } else if (s->side == SIDE_DESTINATION) {
        m->destination = str_of(r->host);
        m->destination_host = src_host_named(src, r->host);
    }
    if (s->kind != MIG_LIVE)
        m->kind = s->kind;
    if (s->decides && str_is(status, "error")) {
        m->outcome = MIG_FAILED;
        if (error.n && m->error.n == 0)
            m->error = src_mask(src, error);
    }
}

static bool has_done(const struct migration *m, const char *name)
{
    for (size_t i = 0; i < m->stages.n; i++)
        if (str_is(m->stages.at[i].name, name) && str_is(m->stages.at[i].status, "done"))
            return true;
    return false;
}

static void decide(struct migration *m)
{
    bool rolled = false;

    for (size_t i = 0; i < m->stages.n; i++)
        rolled |= str_starts(m->stages.at[i].name, STR("rollback"));
    if (rolled)
        m->outcome = MIG_FAILED;
    if (m->outcome == MIG_FAILED) {
        if (has_done(m, "post-migration at destination") || has_done(m, "operation"))
            migration_unknown(m, "Nova failed after the guest may have moved: whether it runs, and "
                                 "where, only the hosts tell.");
        return;
    }
    if (has_done(m, "post-migration at destination") || has_done(m, "post-migration at source") ||
        has_done(m, "finish resize") || has_done(m, "rebuild") || has_done(m, "evacuate"))
        m->outcome = MIG_COMPLETED;
    else
        migration_unknown(m, "No stage of Nova's says how it ended.");
}

static void begin(const struct report_src *src, struct migrations *all, const struct src_row *rows,
                  size_t at, const struct nova_stage *s)
{
    struct migration *m = new_migration(src, all, &rows[at]);
    const char *from = s->kind == MIG_EVACUATE ? host_before(rows, at) : NULL;

    m->start = row_begin(rows[at].row);
    if (s->kind != MIG_LIVE)
        m->kind = s->kind;
    if (from) {
        m->source = str_of(from);
        m->source_host = src_host_named(src, from);
    }
}

void nova_migrations(const struct report_src *src, struct migrations *ret)
{
    size_t n;
    struct src_row *rows = src_sorted(src, TABLE_task, &n);

    /* First who migrates, then all that belongs to it: the scheduler comes before. */
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n; i++) {
            const struct nova_stage *s = stage_of(row_text(&rows[i], C_task_task));
            struct str request = row_text(&rows[i], C_task_request);
            struct str uuid = row_text(&rows[i], C_task_uuid);
            struct migration *m;

            if (!s || request.n == 0)
                continue;
            m = of_request(ret, request, uuid);
            if (!m && is_verdict(s)) /* of a resize that another request asked for */
                m = resize_before(ret, uuid, row_begin(rows[i].row));
            if (pass == 0 && !m && (s->migrates || is_evacuation(rows, i, s)))
                begin(src, ret, rows, i, s);
            else if (pass == 0 && m && s->kind != MIG_LIVE)
                m->kind = s->kind; /* the conductor's part does not tell */
            if (pass == 1 && m)
                take_task(src, m, &rows[i], s);
        }
    for (size_t i = 0; i < ret->list.n; i++)
        decide(&ret->list.at[i]);
}
