/* SPDX-License-Identifier: Apache-2.0
 *
 * test_services.c -- names of records, loggers and processes, as services of
 * OpenStack from Liberty to Zed write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analysis/app_services.h"

/* clang-format off */
static const struct {
    const char *type, *name;
    enum record_phase phase;
    bool known;
} types[] = {
    /* Nova, old notifications */
    { "compute.instance.create.start", "compute.instance.create", PHASE_START, true },
    { "compute.instance.create.end", "compute.instance.create", PHASE_END, true },
    { "compute.instance.create.error", "compute.instance.create", PHASE_ERROR, true },
    { "compute.instance.power_off.start", "compute.instance.power_off", PHASE_START, true },
    { "compute.instance.delete.end", "compute.instance.delete", PHASE_END, true },
    { "compute.instance.pause.start", "compute.instance.pause", PHASE_START, true },
    { "compute.instance.shutdown.start", "compute.instance.shutdown", PHASE_START, true },
    { "compute.instance.reboot.start", "compute.instance.reboot", PHASE_START, true },
    { "compute.instance.live_migration.pre.start", "compute.instance.live_migration.pre", PHASE_START, true },
    { "compute.instance.live_migration._post.end", "compute.instance.live_migration._post", PHASE_END, true },
    { "compute.instance.live_migration.post.dest.end", "compute.instance.live_migration.post.dest", PHASE_END, true },
    { "compute.instance.live_migration._rollback.start", "compute.instance.live_migration.rollback", PHASE_START, true },
    { "compute.instance.update", "compute.instance.update", PHASE_POINT, false },
    { "scheduler.select_destinations.start", "scheduler.select_destinations", PHASE_START, true },
    { "scheduler.select_destinations.chance.end", "scheduler.select_destinations.chance", PHASE_END, true },
    { "conductor.live_migration.start", "conductor.live_migration", PHASE_START, true },
    { "conductor.build_instance.start", "conductor.build_instance", PHASE_START, true },
    { "conductor.build_instances.start", "conductor.build_instance", PHASE_START, true },
    { "conductor.rebuild_instance.start", "conductor.rebuild_instance", PHASE_START, true },
    { "conductor.provider_fw_rule.start", "conductor.provider_fw_rule", PHASE_START, true },
    { "conductor.object_action.start", "conductor.object_action", PHASE_START, true },
    { "compute.allocate.network.instance.start", "compute.allocate.network.instance", PHASE_START, true },
    { "compute.deallocate.network.instance.end", "compute.deallocate.network.instance", PHASE_END, true },
    { "compute.network.lease_fixed_ip.instance.end", "compute.network.lease_fixed_ip.instance", PHASE_END, true },
    { "libvirt.find.migration.min.data.start", "libvirt.find.migration.min.data", PHASE_START, true },
    { "libvirt.live_migration.operation.start", "libvirt.live_migration.operation", PHASE_START, true },
    { "libvirt.can_live_migrate_source.end", "compute.live_migration.check_source", PHASE_END, true },
    { "libvirt.can_live_migrate_destination.end", "compute.live_migration.check_dest", PHASE_END, true },
    { "libvirt.live_migration_monitor.start", "libvirt.live_migration_monitor", PHASE_START, true },
    /* short forms */
    { "instance.create.start", "compute.instance.create", PHASE_START, true },
    { "allocate.network.instance.start", "compute.allocate.network.instance", PHASE_START, true },
    { "deallocate.network.instance.start", "compute.deallocate.network.instance", PHASE_START, true },
    { "provider_fw_rule.end", "conductor.provider_fw_rule", PHASE_END, true },
    { "lease_fixed_ip.instance.end", "compute.network.lease_fixed_ip.instance", PHASE_END, true },
    { "find.migration.min.data.start", "libvirt.find.migration.min.data", PHASE_START, true },
    /* versioned notifications and spans */
    { "instance.power_off.start", "compute.instance.power_off", PHASE_START, true },
    { "instance.resize_finish.end", "compute.instance.finish_resize", PHASE_END, true },
    { "instance.resize_prep.end", "compute.instance.resize.prep", PHASE_END, true },
    { "instance.volume_attach.start", "compute.instance.volume.attach", PHASE_START, true },
    { "instance.live_migration_pre.start", "compute.instance.live_migration.pre", PHASE_START, true },
    { "compute.live_migration.post_source.end", "compute.instance.live_migration._post", PHASE_END, true },
    { "compute_task.build_instances.error", "conductor.build_instance", PHASE_ERROR, true },
    { "compute_task.migrate_server.start", "conductor.migrate_server", PHASE_START, true },
    { "libvirt.migration.monitor.end", "libvirt.live_migration_monitor", PHASE_END, true },
    /* Neutron */
    { "network.create.start", "network.create", PHASE_START, true },
    { "dhcp-agent.network.create.start", "network.create", PHASE_START, true },
    { "dhcp-agent.network.update.end", "network.update", PHASE_END, true },
    { "dhcp-agent.network.delete.end", "network.delete", PHASE_END, true },
    { "dhcp-agent.subnet.update.end", "subnet.update", PHASE_END, true },
    { " dhcp-agent.subnet.delete.start", "subnet.delete", PHASE_START, true },
    { "dhcp-agent. subnet.delete.start", "subnet.delete", PHASE_START, true },
    { " subnet.delete.end", "subnet.delete", PHASE_END, true },
    { "dhcp-agent.port.delete.start", "port.delete", PHASE_START, true },
    { "l3-agent.router.create.start", "router.create", PHASE_START, true },
    { "l3-agent.router.remove.end", "router.remove", PHASE_END, true },
    { "l3-agent.router.delete.end", "router.delete", PHASE_END, true },
    { "dhcp.port.create.start", "port.create", PHASE_START, true },
    { "l3.router.update.start", "router.update", PHASE_START, true },
    { "router.interface.create", "router.interface.create", PHASE_POINT, false },
    /* Cinder */
    { "volume.create.start", "volume.create", PHASE_START, true },
    { "volume.update.end", "volume.update", PHASE_END, true },
    { "volume.delete.end", "volume.delete", PHASE_END, true },
    { "volume.attach.start", "volume.attach", PHASE_START, true },
    { "volume.detach.end", "volume.detach", PHASE_END, true },
    { "volume.migrate.start", "volume.migrate", PHASE_START, true },
    { "volume.resize.start", "volume.resize", PHASE_START, true },
    { "cinder.volume.extend.start", "volume.resize", PHASE_START, true },
    { "snapshot.create.start", "snapshot.create", PHASE_START, true },
    { "snapshot.delete.end", "snapshot.delete", PHASE_END, true },
    { "cinder.scheduler.create_volume.start", "scheduler.create_volume", PHASE_START, true },
    /* anything */
    { "trove.instance.reset.start", "trove.instance.reset", PHASE_START, false },
    { "rpc.client.stop", "rpc.client", PHASE_END, false },
    { "", "", PHASE_POINT, false },
    { ".start", ".start", PHASE_POINT, false },
    { "  ", "", PHASE_POINT, false },
};

static const struct { const char *logger, *service, *family; } loggers[] = {
    { "nova.compute.manager", "nova-compute", "nova" },
    { "nova.compute.api", "nova-api", "nova" },
    { "nova.compute.apiary", "nova-compute", "nova" },
    { "nova.virt.libvirt.driver", "nova-compute", "nova" },
    { "nova.network.neutronv2.api", "nova-compute", "nova" },
    { "nova.scheduler.manager", "nova-scheduler", "nova" },
    { "nova.scheduler.client.report", "", "nova" },
    { "nova.filters", "nova-scheduler", "nova" },
    { "nova.conductor.manager", "nova-conductor", "nova" },
    { "nova.api.openstack.wsgi", "nova-api", "nova" },
    { "nova.osapi_compute.wsgi.server", "nova-api", "nova" },
    { "nova.objects.instance", "", "nova" },
    { "neutron.agent.dhcp.agent", "neutron-dhcp-agent", "neutron" },
    { "neutron.agent.linux.dhcp", "neutron-dhcp-agent", "neutron" },
    { "neutron.agent.l3.agent", "neutron-l3-agent", "neutron" },
    { "neutron.agent.linux.utils", "", "neutron" },
    { "neutron.plugins.ml2.drivers.openvswitch.agent.ovs_neutron_agent", "neutron-openvswitch-agent", "neutron" },
    { "neutron.plugins.ml2.managers", "neutron-server", "neutron" },
    { "neutron.wsgi", "neutron-server", "neutron" },
    { "cinder.scheduler.manager", "cinder-scheduler", "cinder" },
    { "cinder.volume.manager", "cinder-volume", "cinder" },
    { "cinder.volume.api", "cinder-api", "cinder" },
    { "cinder.volume.flows.api.create_volume", "cinder-api", "cinder" },
    { "eventlet.wsgi.cinder.server", "cinder-api", "" },
    { "glance.api.v2.images", "glance-api", "glance" },
    { "keystone.common.wsgi", "keystone", "keystone" },
    { "keystoneclient.session", "", "" },
    { "placement.requestlog", "placement-api", "placement" },
    { "oslo_concurrency.lockutils", "", "" },
    { "novaclient.v2", "", "" },
    { "nova", "", "nova" },
    { "", "", "" },
};

static const struct { const char *process, *service; } processes[] = {
    { "nova-compute", "nova-compute" },
    { "nova-api", "nova-api" },
    { "cinder-scheduler", "cinder-scheduler" },
    { "cinder-schedule", "cinder-scheduler" },   /* 15 bytes */
    { "neutron-dhcp-ag", "neutron-dhcp-agent" },
    { "neutron-l3-agen", "neutron-l3-agent" },
    { "neutron-openvsw", "neutron-openvswitch-agent" },
    { "neutron-metadat", "neutron-metadata-agent" },
    { "neutron-server:", "neutron-server" },     /* a worker: "neutron-server: api worker" */
    { "glance-api", "glance-api" },
    { "uwsgi", "" },                             /* keystone, placement, or anything */
    { "python3", "" },
    { "nova-comp", "" },                         /* short, but not cut at 15 */
    { "neutron-dhcp-xx", "" },
    { "", "" },
};
/* clang-format on */

static void test_record_types(void **state)
{
    struct arena mem = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct record_type t;

        app_record_type(str_of(types[i].type), &mem, &t);
        if (!str_is(t.name, types[i].name) || t.phase != types[i].phase ||
            (t.def != NULL) != types[i].known)
            fail_msg("'%s' is '" STR_FMT "', phase %d, %s", types[i].type, STR_ARG(t.name),
                     (int)t.phase, t.def ? "known" : "unknown");
    }
    arena_free(&mem);
}

static void test_agents_keep_their_prefix(void **state)
{
    struct arena mem = { 0 };
    struct record_type t;

    (void)state;
    app_record_type(STR("l3-agent.router.remove.start"), &mem, &t);
    assert_true(str_is(t.base, "l3-agent.router.remove"));
    assert_true(str_is(t.name, "router.remove"));
    arena_free(&mem);
}

static void test_loggers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(loggers); i++) {
        struct str logger = str_of(loggers[i].logger);

        if (!str_is(app_service_of_logger(logger), loggers[i].service) ||
            !str_is(app_family_of_logger(logger), loggers[i].family))
            fail_msg("'%s' is of '" STR_FMT "', family '" STR_FMT "'", loggers[i].logger,
                     STR_ARG(app_service_of_logger(logger)), STR_ARG(app_family_of_logger(logger)));
    }
}

static void test_processes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(processes); i++) {
        struct str got = app_service_of_process(str_of(processes[i].process));

        if (!str_is(got, processes[i].service))
            fail_msg("'%s' is '" STR_FMT "'", processes[i].process, STR_ARG(got));
    }
}

/* A name means one task, whatever service's table it is found in. */
static void test_tables(void **state)
{
    struct arena mem = { 0 };

    (void)state;
    for (size_t s = 0; app_services[s]; s++)
        for (const struct task_def *d = app_services[s]->tasks; d->name; d++) {
            struct record_type t;

            app_record_type(str_of(d->name), &mem, &t);
            if (t.def != d)
                fail_msg("'%s' is in two rows", d->name);
        }
    arena_free(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_types), cmocka_unit_test(test_agents_keep_their_prefix),
        cmocka_unit_test(test_loggers),      cmocka_unit_test(test_processes),
        cmocka_unit_test(test_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
