/* SPDX-License-Identifier: Apache-2.0
 *
 * app_services.c -- the tables, and how a record type is looked up in them.
 *
 * Record types after: Nova's legacy notifications (nova/compute/utils.py) and
 * versioned ones (nova/notifications/objects), Neutron's callbacks and agent
 * methods, Cinder's volume usage notifications; Liberty to Zed. */
#include "analysis/app_services.h"

static const struct service_name nova_names[] = {
    { "nova.scheduler.client", "" }, /* the client part of others */
    { "nova.scheduler", "nova-scheduler" },
    { "nova.filters", "nova-scheduler" },
    { "nova.weights", "nova-scheduler" },
    { "nova.conductor", "nova-conductor" },
    { "nova.api", "nova-api" },
    { "nova.osapi_compute", "nova-api" },
    { "nova.metadata", "nova-api" },
    { "nova.compute.api", "nova-api" },
    { "nova.compute", "nova-compute" },
    { "nova.virt", "nova-compute" },
    { "nova.network", "nova-compute" },
    { "nova.block_device", "nova-compute" },
    { "nova.volume", "nova-compute" },
    { "nova.console", "nova-console" },
    { NULL, NULL },
};

static const struct task_def nova_tasks[] = {
    { "compute.instance.create", "instance.create", "nova-compute", "instance" },
    { "compute.instance.delete", "instance.delete", "nova-compute", "instance" },
    { "compute.instance.soft_delete", "instance.soft_delete", "nova-compute", "instance" },
    { "compute.instance.restore", "instance.restore", "nova-compute", "instance" },
    { "compute.instance.shutdown", "instance.shutdown", "nova-compute", "instance" },
    { "compute.instance.power_off", "instance.power_off", "nova-compute", "instance" },
    { "compute.instance.power_on", "instance.power_on", "nova-compute", "instance" },
    { "compute.instance.reboot", "instance.reboot", "nova-compute", "instance" },
    { "compute.instance.pause", "instance.pause", "nova-compute", "instance" },
    { "compute.instance.unpause", "instance.unpause", "nova-compute", "instance" },
    { "compute.instance.suspend", "instance.suspend", "nova-compute", "instance" },
    { "compute.instance.resume", "instance.resume", "nova-compute", "instance" },
    { "compute.instance.rebuild", "instance.rebuild", "nova-compute", "instance" },
    { "compute.instance.rescue", "instance.rescue", "nova-compute", "instance" },
    { "compute.instance.unrescue", "instance.unrescue", "nova-compute", "instance" },
    { "compute.instance.shelve", "instance.shelve", "nova-compute", "instance" },
    { "compute.instance.shelve_offload", "instance.shelve_offload", "nova-compute", "instance" },
    { "compute.instance.unshelve", "instance.unshelve", "nova-compute", "instance" },
    { "compute.instance.snapshot", "instance.snapshot", "nova-compute", "instance" },
    { "compute.instance.evacuate", "instance.evacuate", "nova-compute", "instance" },
    { "compute.instance.resize", "instance.resize", "nova-compute", "instance" },
    { "compute.instance.resize.prep", "instance.resize_prep", "nova-compute", "instance" },
    { "compute.instance.resize.confirm", "instance.resize_confirm", "nova-compute", "instance" },
    { "compute.instance.resize.revert", "instance.resize_revert", "nova-compute", "instance" },
    { "compute.instance.finish_resize", "instance.resize_finish", "nova-compute", "instance" },
    { "compute.instance.volume.attach", "instance.volume_attach", "nova-compute", "instance" },
    { "compute.instance.volume.detach", "instance.volume_detach", "nova-compute", "instance" },
    { "compute.instance.interface_attach", "instance.interface_attach", "nova-compute",
      "instance" },
    { "compute.instance.live_migration.pre",
      "instance.live_migration_pre|compute.live_migration.pre", "nova-compute", "instance" },
    { "compute.instance.live_migration.post.dest",
      "instance.live_migration_post_dest|compute.live_migration.post.dest", "nova-compute",
      "instance" },
    { "compute.instance.live_migration._post",
      "instance.live_migration_post|compute.live_migration.post_source", "nova-compute",
      "instance" },
    { "compute.instance.live_migration.rollback",
      "instance.live_migration_rollback|compute.instance.live_migration._rollback|"
      "compute.live_migration.rollback",
      "nova-compute", "instance" },
    { "compute.live_migration", "", "nova-compute", "instance" },
    { "compute.live_migration.do", "", "nova-compute", "instance" },
    { "compute.live_migration.check_dest", "libvirt.can_live_migrate_destination", "nova-compute",
      "instance" },
    { "compute.live_migration.check_source", "libvirt.can_live_migrate_source", "nova-compute",
      "instance" },
    { "compute.build_resources", "", "nova-compute", "instance" },
    { "compute.allocate.network.instance", "allocate.network.instance", "nova-compute",
      "instance" },
    { "compute.deallocate.network.instance", "deallocate.network.instance", "nova-compute",
      "instance" },
    { "compute.network.lease_fixed_ip.instance", "lease_fixed_ip.instance", "nova-compute",
      "instance" },
    { "libvirt.spawn", "", "nova-compute", "instance" },
    { "libvirt.create_image", "", "nova-compute", "instance" },
    { "libvirt.live_migration.operation", "libvirt.migration.operation", "nova-compute",
      "instance" },
    { "libvirt.live_migration_monitor", "libvirt.migration.monitor", "nova-compute", "instance" },
    { "libvirt.find.migration.min.data", "find.migration.min.data", "nova-compute", "instance" },
    { "scheduler.select_destinations", "", "nova-scheduler", "" },
    { "scheduler.select_destinations.chance", "", "nova-scheduler", "" },
    { "scheduler.filter_weigh", "", "nova-scheduler", "" },
    { "conductor.live_migration", "", "nova-conductor", "instance" },
    { "conductor.build_instance", "conductor.build_instances|compute_task.build_instances",
      "nova-conductor", "instance" },
    { "conductor.schedule_and_build", "", "nova-conductor", "instance" },
    { "conductor.migrate_server", "compute_task.migrate_server", "nova-conductor", "instance" },
    { "conductor.rebuild_instance", "compute_task.rebuild_server", "nova-conductor", "instance" },
    { "conductor.provider_fw_rule", "provider_fw_rule", "nova-conductor", "" },
    { "conductor.object_action", "", "nova-conductor", "" },
    { NULL, NULL, NULL, NULL },
};

static const char *const nova_processes[] = { "nova-compute",
                                              "nova-scheduler",
                                              "nova-conductor",
                                              "nova-api",
                                              "nova-api-os-compute",
                                              "nova-novncproxy",
                                              NULL };

static const struct service_name neutron_names[] = {
    { "neutron.agent.dhcp", "neutron-dhcp-agent" },
    { "neutron.agent.linux.dhcp", "neutron-dhcp-agent" },
    { "neutron.agent.l3", "neutron-l3-agent" },
    { "neutron.agent.metadata", "neutron-metadata-agent" },
    { "neutron.plugins.ml2.drivers.openvswitch.agent", "neutron-openvswitch-agent" },
    { "neutron.plugins.ml2.drivers.agent", "neutron-openvswitch-agent" },
    { "neutron.plugins.ml2.drivers.linuxbridge.agent", "neutron-linuxbridge-agent" },
    { "neutron.wsgi", "neutron-server" },
    { "neutron.api", "neutron-server" },
    { "neutron.pecan_wsgi", "neutron-server" },
    { "neutron.db", "neutron-server" },
    { "neutron.scheduler", "neutron-server" },
    { "neutron.notifiers", "neutron-server" },
    { "neutron.plugins.ml2", "neutron-server" },
    { "neutron.services", "neutron-server" },
    { "neutron.quota", "neutron-server" },
    { "neutron.callbacks", "" },
    { NULL, NULL },
};

/* Agents prefix their types ("l3-agent.router.remove"); the prefix tells who
 * works, so the same name is a task of the server or of an agent. */
static const struct task_def neutron_tasks[] = {
    { "network.create", "dhcp.network.create", "", "network" },
    { "network.update", "dhcp.network.update", "", "network" },
    { "network.delete", "dhcp.network.delete", "", "network" },
    { "subnet.create", "dhcp.subnet.create", "", "subnet" },
    { "subnet.update", "dhcp.subnet.update", "", "subnet" },
    { "subnet.delete", "dhcp.subnet.delete", "", "subnet" },
    { "port.create", "dhcp.port.create", "", "port" },
    { "port.update", "dhcp.port.update", "", "port" },
    { "port.delete", "dhcp.port.delete", "", "port" },
    { "router.create", "l3.router.create", "", "router" },
    { "router.update", "l3.router.update", "", "router" },
    { "router.remove", "l3.router.remove", "", "router" },
    { "router.delete", "l3.router.delete", "", "router" },
    { "floatingip.create", "", "", "floatingip" },
    { "floatingip.update", "", "", "floatingip" },
    { "floatingip.delete", "", "", "floatingip" },
    { "security_group.create", "", "", "security_group" },
    { "security_group.update", "", "", "security_group" },
    { "security_group.delete", "", "", "security_group" },
    { "security_group_rule.create", "", "", "security_group_rule" },
    { "security_group_rule.delete", "", "", "security_group_rule" },
    { "binding.create", "", "", "port" },
    { "binding.delete", "", "", "port" },
    { "dhcp.configure_network", "", "neutron-dhcp-agent", "network" },
    { "dhcp.reload_allocations", "", "neutron-dhcp-agent", "network" },
    { "ovs.port_bound", "", "neutron-openvswitch-agent", "port" },
    { "ovs.process_network_ports", "", "neutron-openvswitch-agent", "" },
    { NULL, NULL, NULL, NULL },
};

static const char *const neutron_processes[] = { "neutron-server",
                                                 "neutron-dhcp-agent",
                                                 "neutron-l3-agent",
                                                 "neutron-openvswitch-agent",
                                                 "neutron-metadata-agent",
                                                 "neutron-linuxbridge-agent",
                                                 NULL };

static const struct service_name cinder_names[] = {
    { "cinder.scheduler", "cinder-scheduler" },
    { "cinder.volume.api", "cinder-api" },
    { "cinder.volume.flows.api", "cinder-api" },
    { "cinder.volume", "cinder-volume" },
    { "cinder.api", "cinder-api" },
    { "cinder.backup", "cinder-backup" },
    { "eventlet.wsgi.cinder", "cinder-api" },
    { NULL, NULL },
};

static const struct task_def cinder_tasks[] = {
    { "volume.create", "cinder.volume.create", "", "volume" },
    { "volume.delete", "cinder.volume.delete", "", "volume" },
    { "volume.update", "", "", "volume" },
    { "volume.attach", "cinder.volume.attach", "cinder-volume", "volume" },
    { "volume.detach", "cinder.volume.detach", "cinder-volume", "volume" },
    { "volume.resize", "cinder.volume.extend", "", "volume" },
    { "volume.migrate", "cinder.volume.migrate", "", "volume" },
    { "volume.retype", "", "", "volume" },
    { "snapshot.create", "cinder.snapshot.create", "", "snapshot" },
    { "snapshot.delete", "cinder.snapshot.delete", "", "snapshot" },
    { "backup.create", "", "cinder-backup", "backup" },
    { "backup.delete", "", "cinder-backup", "backup" },
    { "scheduler.create_volume", "cinder.scheduler.create_volume", "cinder-scheduler", "volume" },
    { NULL, NULL, NULL, NULL },
};

static const char *const cinder_processes[] = { "cinder-scheduler", "cinder-volume", "cinder-api",
                                                "cinder-backup", NULL };

static const struct service_name glance_names[] = { { "glance", "glance-api" }, { NULL, NULL } };
static const struct task_def glance_tasks[] = {
    { "image.create", "", "glance-api", "image" }, { "image.upload", "", "glance-api", "image" },
    { "image.send", "", "glance-api", "image" },   { "image.update", "", "glance-api", "image" },
    { "image.delete", "", "glance-api", "image" }, { NULL, NULL, NULL, NULL },
};
static const char *const glance_processes[] = { "glance-api", NULL };

static const struct service_name keystone_names[] = { { "keystone.", "keystone" }, { NULL, NULL } };
static const struct service_name placement_names[] = { { "placement", "placement-api" },
                                                       { NULL, NULL } };
static const struct task_def no_tasks[] = { { NULL, NULL, NULL, NULL } };
static const char *const no_processes[] = { NULL };

static const struct service_def nova = { "nova", nova_names, nova_tasks, nova_processes };
static const struct service_def neutron = { "neutron", neutron_names, neutron_tasks,
                                            neutron_processes };
static const struct service_def cinder = { "cinder", cinder_names, cinder_tasks, cinder_processes };
static const struct service_def glance = { "glance", glance_names, glance_tasks, glance_processes };
static const struct service_def keystone = { "keystone", keystone_names, no_tasks, no_processes };
static const struct service_def placement = { "placement", placement_names, no_tasks,
                                              no_processes };

const struct service_def *const app_services[] = { &nova,     &neutron,   &cinder, &glance,
                                                   &keystone, &placement, NULL };

/* Prefixes that instrumented agents put before their types. */
static const struct {
    const char *prefix;
} agent_prefixes[] = { { "dhcp-agent." }, { "l3-agent." }, { "openvswitch-agent." } };

static struct str cut_phase(struct str s, enum record_phase *ret)
{
    static const struct {
        const char *suffix;
        enum record_phase phase;
    } phases[] = { { ".start", PHASE_START },
                   { ".end", PHASE_END },
                   { ".stop", PHASE_END },
                   { ".error", PHASE_ERROR } };

    *ret = PHASE_POINT;
    for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
        struct str tail = str_of(phases[i].suffix);

        if (s.n > tail.n && str_ends(s, tail)) {
            *ret = phases[i].phase;
            return str_first(s, s.n - tail.n);
        }
    }
    return s;
}

static bool is_one_of(const char *names, struct str name)
{
    struct str rest = str_of(names);

    while (rest.n) {
        size_t bar = str_chr(rest, '|', 0);

        if (str_eq(bar == STR_NONE ? rest : str_first(rest, bar), name))
            return true;
        rest = bar == STR_NONE ? STR("") : str_from(rest, bar + 1);
    }
    return false;
}

static const struct task_def *find_task(struct str name)
{
    for (size_t s = 0; app_services[s]; s++)
        for (const struct task_def *d = app_services[s]->tasks; d->name; d++)
            if (str_is(name, d->name) || is_one_of(d->aliases, name))
                return d;
    return NULL;
}

void app_record_type(struct str type, struct arena *mem, struct record_type *ret)
{
    struct str s = cut_phase(str_trim(type), &ret->phase);

    ret->base = str_dup(mem, s);
    for (size_t i = 0; i < ARRAY_SIZE(agent_prefixes); i++)
        if (str_starts(s, str_of(agent_prefixes[i].prefix)))
            s = str_trim(str_from(s, strlen(agent_prefixes[i].prefix)));
    ret->def = find_task(s);
    ret->name = ret->def ? str_of(ret->def->name) : str_dup(mem, s);
}

/* A name is a prefix up to a '.', so that "nova.api" is not "nova.apiary". */
static bool logger_is(struct str logger, const char *prefix)
{
    struct str p = str_of(prefix);

    return str_starts(logger, p) &&
           (logger.n == p.n || logger.p[p.n] == '.' || (p.n && p.p[p.n - 1] == '.'));
}

struct str app_family_of_logger(struct str logger)
{
    for (size_t s = 0; app_services[s]; s++)
        if (logger_is(logger, app_services[s]->family))
            return str_of(app_services[s]->family);
    return STR("");
}

struct str app_service_of_logger(struct str logger)
{
    for (size_t s = 0; app_services[s]; s++)
        for (const struct service_name *n = app_services[s]->names; n->logger; n++)
            if (logger_is(logger, n->logger))
                return str_of(n->service);
    return STR("");
}

struct str app_service_of_process(struct str proc)
{
    enum { COMM = 15 }; /* what the kernel keeps of a name */

    while (proc.n && proc.p[proc.n - 1] == ':')
        proc.n--; /* "neutron-server: api worker" cut at 15 */
    for (size_t s = 0; app_services[s]; s++)
        for (const char *const *p = app_services[s]->processes; *p; p++) {
            struct str full = str_of(*p);

            if (str_eq(proc, full) || (proc.n >= COMM && str_starts(full, str_first(proc, COMM))))
                return full;
        }
    return STR("");
}

struct str app_service_of_port(int64_t port)
{
    /* OpenStack installation guide, "Firewalls and default ports"; RabbitMQ, "Networking". */
    static const struct {
        int64_t port;
        const char *service;
    } ports[] = {
        { 5000, "keystone" },       { 5672, "rabbitmq" },      { 8774, "nova-api" },
        { 8776, "cinder-api" },     { 8778, "placement-api" }, { 9292, "glance-api" },
        { 9696, "neutron-server" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
        if (ports[i].port == port)
            return str_of(ports[i].service);
    return STR("");
}
