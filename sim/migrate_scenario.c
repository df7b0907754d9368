/* SPDX-License-Identifier: Apache-2.0
 *
 * migrate_scenario.c -- reads section "migrations" of a scenario; docs/neph-sim.1.scd lists its
 * keys.
 *
 * What can only be seen while it is played, such as where a VM is by then, migrate.c checks. */
#include "sim/scenario_priv.h"

#include <string.h>

static int check_host(struct reader *r, const char *path, const char *key, const char *name)
{
    for (size_t i = 0; i < r->s->hosts.n; i++)
        if (strcmp(r->s->hosts.at[i].name, name) == 0 && (r->s->hosts.at[i].roles & ROLE_COMPUTE))
            return 0;
    return sc_wrong(r, path, key, "no compute host has this name");
}

/* How it is to end, and what that needs to be told. */
static int read_outcome(struct reader *r, const char *path, const char *outcome,
                        const char *fail_at, struct sc_migration *m)
{
    static const char *const outcomes[] = { "completed", "cancelled", "failed" };
    static const char *const fails[] = { "", "setup", "precopy", "stop", "load" };
    int o = outcome ? sc_one_of(outcome, outcomes, ARRAY_SIZE(outcomes)) : SC_COMPLETED;
    int f = fail_at ? sc_one_of(fail_at, fails, ARRAY_SIZE(fails)) : SC_FAIL_NONE;

    if (o < 0)
        return sc_wrong(r, path, "outcome", "must be completed, cancelled or failed");
    if (f < 0)
        return sc_wrong(r, path, "fail_at", "must be setup, precopy, stop or load");
    m->outcome = (enum sc_outcome)o;
    m->fail_at = (enum sc_fail_at)f;
    if (m->outcome == SC_FAILED && !m->fail_at)
        return sc_wrong(r, path, "fail_at", "is missing: when does it fail?");
    if (m->outcome != SC_FAILED && m->fail_at)
        return sc_wrong(r, path, "fail_at", "is only for the outcome \"failed\"");
    if ((m->outcome == SC_CANCELLED) != (m->cancel_after_ns > 0))
        return sc_wrong(r, path, "cancel_after_ms",
                        "must be there for the outcome \"cancelled\", and only for it");
    return 0;
}

static int read_migration(struct reader *r, const char *path, const json_t *v)
{
    struct both {
        struct sc_migration m;
        const char *outcome, *fail_at;
    } b = { .m = { .bandwidth_mb_s = 32,
                   .downtime_limit_ms = 300,
                   .setup_ns = 20000000,
                   .cpu_percent = 8 } };
    static const struct key keys[] = {
        { "vm", KEY_TEXT, AT(both, m.vm), 0, 0, true },
        { "from", KEY_TEXT, AT(both, m.from), 0, 0, true },
        { "to", KEY_TEXT, AT(both, m.to), 0, 0, true },
        { "at_s", KEY_SECONDS, AT(both, m.at_ns), 0.1, SIM_LIMIT_SECONDS, true },
        { "memory_mb", KEY_UINT, AT(both, m.memory_mb), 16, 65536, true },
        { "dirty_rate_mb_s", KEY_REAL, AT(both, m.dirty_mb_s), 0, 10000, false },
        { "working_set_mb", KEY_UINT, AT(both, m.working_set_mb), 1, 65536, false },
        { "bandwidth_mb_s", KEY_REAL, AT(both, m.bandwidth_mb_s), 0.5, 10000, false },
        { "downtime_limit_ms", KEY_UINT, AT(both, m.downtime_limit_ms), 1, 60000, false },
        { "setup_ms", KEY_MILLIS, AT(both, m.setup_ns), 5, 60000, false },
        { "cancel_after_ms", KEY_MILLIS, AT(both, m.cancel_after_ns), 1, 1e9, false },
        { "cpu_percent", KEY_REAL, AT(both, m.cpu_percent), 1, 92, false },
        { "message", KEY_TEXT, AT(both, m.message), 0, 0, false },
        { "auto_converge", KEY_BOOL, AT(both, m.auto_converge), 0, 0, false },
        { "outcome", KEY_TEXT, AT(both, outcome), 0, 0, false },
        { "fail_at", KEY_TEXT, AT(both, fail_at), 0, 0, false },
    };

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &b) < 0 ||
        check_host(r, path, "from", b.m.from) < 0 || check_host(r, path, "to", b.m.to) < 0 ||
        read_outcome(r, path, b.outcome, b.fail_at, &b.m) < 0)
        return -(int)r->err->code;
    if (strcmp(b.m.from, b.m.to) == 0)
        return sc_wrong(r, path, "to", "must be another host");
    if (b.m.working_set_mb > b.m.memory_mb)
        return sc_wrong(r, path, "working_set_mb", "must not be larger than memory_mb");
    if (b.m.working_set_mb == 0)
        b.m.working_set_mb = b.m.memory_mb;
    if (b.m.cancel_after_ns && b.m.cancel_after_ns <= b.m.setup_ns)
        return sc_wrong(r, path, "cancel_after_ms", "must be later than setup_ms");
    if (r->s->migrations.n && r->s->migrations.at[r->s->migrations.n - 1].at_ns > b.m.at_ns)
        return sc_wrong(r, path, "at_s", "must not be earlier than that of the one before");
    *vec_push(&r->s->migrations) = b.m;
    return 0;
}

int sc_read_migrations(struct reader *r, const json_t *root)
{
    const json_t *list = json_object_get(root, "migrations"), *v;
    char path[64];
    size_t i;

    if (list && !json_is_array(list))
        return sc_wrong(r, "", "migrations", "must be a list");
    if (json_array_size(list) > SIM_LIMIT_MIGRATIONS)
        return err_set(r->err, E_LIMIT, "migrations: more than %d", SIM_LIMIT_MIGRATIONS);
    json_array_foreach(list, i, v)
    {
        snprintf(path, sizeof path, "migrations[%zu]", i);
        if (read_migration(r, path, v) < 0)
            return -(int)r->err->code;
    }
    return 0;
}
