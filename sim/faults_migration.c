/* SPDX-License-Identifier: Apache-2.0
 *
 * faults_migration.c -- live migrations that do not end, fail or take long. */
#include "sim/faults_priv.h"

struct move {
    struct draw_host *from, *to;
    const char *vm;
    double mb_s, at_s;
    json_t *conf, *guest; /* guest: its process at the source */
};

/* A guest that can be sent in 'seconds'. */
static struct move add_move(struct draw *d, double mb_s, double seconds, double at_s)
{
    struct draw_host *from = draw_compute(d);
    struct move m = { from, draw_other_compute(d, from), draw_vm_name(d), mb_s, at_s, NULL, NULL };
    double work = draw_log(d, 1, 8), sleep = work * draw_real(d, 1, 6);
    unsigned vcpus = draw_int(d, 1, 2);

    m.guest = add_vm(m.from, m.vm, vcpus, work, sleep);
    add_vm(m.to, m.vm, vcpus, work, sleep);
    m.conf = json_pack("{s:s, s:s, s:s, s:f, s:i, s:f}", "vm", m.vm, "from", m.from->name, "to",
                       m.to->name, "at_s", at_s, "memory_mb", (int)(mb_s * seconds) + 16,
                       "bandwidth_mb_s", mb_s);
    if (draw_chance(d, 50))
        json_object_set_new(m.conf, "downtime_limit_ms", json_integer(draw_int(d, 100, 500)));
    size_t i = 0; /* they are in order of their time */

    while (i < json_array_size(d->migrations) &&
           json_number_value(json_object_get(json_array_get(d->migrations, i), "at_s")) <= at_s)
        i++;
    json_array_insert_new(d->migrations, i, m.conf);
    return m;
}

/* The guest writes so much, into at most so much of its memory. */
static void writes(json_t *conf, double mb_s, double working_set_mb)
{
    json_int_t all = json_integer_value(json_object_get(conf, "memory_mb"));
    json_int_t some = (json_int_t)working_set_mb + 1;

    json_object_set_new(conf, "dirty_rate_mb_s", json_real(mb_s));
    json_object_set_new(conf, "working_set_mb", json_integer(some < all ? some : all));
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
    static const char *const when[] = { "setup", "setup", "precopy", "stop", "load" };
    /* QEMU says why where it can't begin */
    static const char *const why[] = {
        "Failed to connect to '10.77.0.102:49152': Connection refused",
        "Failed to connect to '10.77.0.102:49152': No route to host",
        "Unable to read from socket: Connection reset by peer",
        "The certificate hasn't got a known issuer: Permission denied",
        "Failed to connect socket /run/libvirt/migration.sock: Permission denied",
    };
    double mb_s = draw_log(d, 8, 48);
    struct move m = add_move(d, mb_s, draw_real(d, 3, 6), draw_real(d, 0.5, 3));

    writes(m.conf, mb_s * draw_real(d, 0, 0.3), mb_s);
    json_object_set_new(m.conf, "outcome", json_string("failed"));
    json_object_set_new(m.conf, "fail_at", json_string(DRAW_OF(d, when)));
    json_object_set_new(m.conf, "message", json_string(DRAW_OF(d, why)));
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

/* The thread that sends needs much of a CPU (it compresses or encrypts), and neighbours have it. */
void fault_migration_disturbed(struct draw *d)
{
    double mb_s = draw_log(d, 8, 32);
    struct move m = add_move(d, mb_s, draw_real(d, 3, 5), draw_real(d, 0.5, 2));
    unsigned cpu = draw_int(d, 0, m.from->cpus - 1);
    json_t *f = add_finding(d, "migration-disturbed", "migration-disturbed", m.from->name, m.at_s,
                            d->length_s);

    writes(m.conf, mb_s * draw_real(d, 0.01, 0.08), mb_s);
    json_object_set_new(m.conf, "cpu_percent", json_real(draw_real(d, 50, 90)));
    pin(m.guest, cpu, 1);
    SUBJECT(f, "vm", m.vm);
    add_takers(d, m.from, f, cpu, 1, draw_real(d, 0.75, 0.93), 0, d->length_s);
    or_found(f, "vm-starved");
}

/* Another instance sends over the link of the migration, which is too small for both. */
void fault_migration_link(struct draw *d)
{
    double mb_s = draw_log(d, 8, 32), capacity = mb_s * draw_real(d, 1.1, 1.8);
    struct move m = add_move(d, mb_s, draw_real(d, 4, 6), draw_real(d, 0.5, 2));
    json_t *f =
        add_finding(d, "migration-link", "migration-disturbed", m.from->name, m.at_s, d->length_s);

    writes(m.conf, mb_s * draw_real(d, 0.01, 0.1), mb_s);
    limit_link(m.from, capacity * (1 << 20) * 8 / 1e6);
    SUBJECT(f, "vm", m.vm);
    add_talker(d, m.from, f, capacity * draw_real(d, 0.9, 2) * (1 << 20), 0, d->length_s);
    or_found(f, "link-saturated");
    or_found(f, "migration-slow");
}

/* It would end, but is cancelled before: Nova's live_migration_completion_timeout. */
void fault_migration_cancelled(struct draw *d)
{
    double mb_s = draw_log(d, 2, 8), seconds = d->length_s * draw_real(d, 1, 1.5);
    struct move m = add_move(d, mb_s, seconds, draw_real(d, 0.5, 2));
    double after = d->length_s * draw_real(d, 0.6, 0.8);

    writes(m.conf, mb_s * draw_real(d, 0, 0.1), mb_s);
    json_object_set_new(m.conf, "outcome", json_string("cancelled"));
    json_object_set_new(m.conf, "cancel_after_ms", json_real(after * 1000));
    json_t *f = add_finding(d, "migration-cancelled", "migration-failed", m.from->name, m.at_s,
                            m.at_s + after);

    SUBJECT(f, "vm", m.vm);
    or_found(f, "migration-slow");
}
