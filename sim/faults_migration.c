/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_migration.c -- live migrations that do not end, fail or take long. */
#include "sim/faults_priv.h"

struct move {
    struct draw_host *from, *to;
    const char *vm;
    double mb_s, at_s;
    json_t *conf;
};

/* A guest that can be sent in 'seconds'. */
static struct move add_move(struct draw *d, double mb_s, double seconds, double at_s)
{
    struct move m = { draw_compute(d), draw_compute(d), draw_vm_name(d), mb_s, at_s, NULL };
    double work = draw_log(d, 1, 8), sleep = work * draw_real(d, 1, 6);
    unsigned vcpus = draw_int(d, 1, 2);

    add_vm(m.from, m.vm, vcpus, work, sleep);
    add_vm(m.to, m.vm, vcpus, work, sleep);
    m.conf = json_pack("{s:s, s:s, s:s, s:f, s:i, s:f}", "vm", m.vm, "from", m.from->name, "to",
                       m.to->name, "at_s", at_s, "memory_mb", (int)(mb_s * seconds) + 16,
                       "bandwidth_mb_s", mb_s);
    if (draw_chance(d, 50))
        json_object_set_new(m.conf, "downtime_limit_ms", json_integer(draw_int(d, 100, 500)));
    json_array_append_new(d->migrations, m.conf);
    return m;
}

static void writes(json_t *conf, double mb_s, double working_set_mb)
{
    double all = (double)json_integer_value(json_object_get(conf, "memory_mb"));

    json_object_set_new(conf, "dirty_rate_mb_s", json_real(mb_s));
    json_object_set_new(
        conf, "working_set_mb",
        json_integer((json_int_t)(working_set_mb < all ? working_set_mb : all) + 1 > (json_int_t)all
                         ? (json_int_t)all
                         : (json_int_t)working_set_mb + 1));
}

void fault_migration_never_ends(struct draw *d)
{
    double mb_s = draw_log(d, 4, 32);
    struct move m = add_move(d, mb_s, draw_real(d, 3, 5), draw_real(d, 0.5, 2));
    double until = d->length_s;

    writes(m.conf, mb_s * draw_log(d, 1.3, 5), mb_s * draw_real(d, 1.5, 2.8));
    if (draw_chance(d, 50)) {
        double after = (d->length_s - m.at_s) * draw_real(d, 0.7, 0.9);

        json_object_set_new(m.conf, "outcome", json_string("cancelled"));
        json_object_set_new(m.conf, "cancel_after_ms", json_real(after * 1000));
        until = m.at_s + after;
    }
    json_t *f =
        add_finding(d, "migration-never-ends", "migration-never-ends", m.from->name, m.at_s, until);

    SUBJECT(f, "vm", m.vm);
}

void fault_migration_failed(struct draw *d)
{
    static const char *const when[] = { "setup", "precopy", "stop", "load" };
    double mb_s = draw_log(d, 8, 48);
    struct move m = add_move(d, mb_s, draw_real(d, 3, 6), draw_real(d, 0.5, 3));

    writes(m.conf, mb_s * draw_real(d, 0, 0.3), mb_s);
    json_object_set_new(m.conf, "outcome", json_string("failed"));
    json_object_set_new(m.conf, "fail_at", json_string(DRAW_OF(d, when)));
    json_t *f =
        add_finding(d, "migration-failed", "migration-failed", m.from->name, m.at_s, m.at_s + 10);

    SUBJECT(f, "vm", m.vm);
}

void fault_migration_slow(struct draw *d)
{
    double mb_s = draw_log(d, 1.5, 6);
    struct move m = add_move(d, mb_s, d->length_s * draw_real(d, 0.5, 0.7), draw_real(d, 0.5, 2));

    writes(m.conf, mb_s * draw_real(d, 0, 0.1), mb_s);
    json_t *f =
        add_finding(d, "migration-slow", "migration-slow", m.from->name, m.at_s, d->length_s);

    SUBJECT(f, "vm", m.vm);
}
