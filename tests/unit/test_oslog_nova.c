/* SPDX-License-Identifier: Apache-2.0
 *
 * test_oslog_nova.c -- lines about machines, hosts, volumes and ports: Nova,
 * libvirt, Cinder and Neutron, in the wording of 2016 and of OpenStack Zed. */
#include "oslog_fixture.h"

/* --- libvirt --- */

static void check_domain(struct fact_domain d)
{
    IS(d.uuid, U1);
    IS(d.libvirt_name, "instance-00000008");
    IS(d.vm_name, "vm & co");
    IS(d.flavor, "m1.nano");
    IS(d.user_id, H1);
    IS(d.user_name, "admin");
    IS(d.project_id, "p1");
    IS(d.project_name, "demo");
    IS(d.image, U3);
    assert_int_equal(d.memory_mb, 64);
    assert_int_equal(d.vcpus, 2);
    assert_int_equal(d.disk_gb, 5);
    assert_int_equal(d.n_macs, 1);
    IS(d.macs[0], "fa:16:3e:00:00:01");
    IS(d.taps[0], "tap1");
    IS(d.bridges[0], "qbr1");
    assert_int_equal(d.n_disks, 2);
    IS(d.disks[0], "/i/disk");
    IS(d.disks[1], "/dev/loop2");
    IS(d.ports[0], U2);
    assert_false(d.truncated);
}

static void domain_2016(void **state)
{
    struct fact_domain d =
        fact(FACT_DOMAIN, "nova.virt.libvirt.driver", "End _get_guest_xml xml=" XML("\n  ", "1.0"))
            ->domain;

    (void)state;
    assert_false(d.one_line);
    check_domain(d);
}

static void domain_one_line(void **state)
{
    struct fact_domain d =
        fact(FACT_DOMAIN, "nova.virt.libvirt.config", "Generated XML ('" XML("\\n  ", "1.0") "',) ")
            ->domain;

    (void)state;
    assert_true(d.one_line);
    check_domain(d);
}

static void domain_zed(void **state)
{
    struct fact_domain d = fact(FACT_DOMAIN, "nova.virt.libvirt.driver",
                                "[instance: " U1 "] End _get_guest_xml xml=" XML("\n", "1.1"))
                               ->domain;

    (void)state;
    check_domain(d);
}

static void domain_cut(void **state)
{
    struct fact_domain d = fact(FACT_DOMAIN, "nova.virt.libvirt.driver",
                                "End _get_guest_xml xml=<domain type=\"kvm\">\n<uuid>" U1
                                "</uuid><name>instance-1</name><memory>655")
                               ->domain;

    (void)state;
    assert_true(d.truncated);
    IS(d.uuid, U1);
    IS(d.libvirt_name, "instance-1");
    assert_true(d.memory_mb == OSLOG_NO_I64);
    no_fact("nova.virt.libvirt.host",
            "Libvirt host capabilities <capabilities><domain type='kvm'/>");
}

static void devices(void **state)
{
    struct fact_device d =
        fact(FACT_DEVICE, "nova.virt.libvirt.guest",
             "attach device xml: <disk type=\"block\">\n<source dev=\"/dev/loop2\"/>\n"
             "<target dev=\"vdb\" bus=\"virtio\"/><serial>" U1 "</serial></disk>\n")
            ->device;

    (void)state;
    assert_int_equal(d.action, DEVICE_ATTACH);
    assert_true(d.is_disk);
    IS(d.source, "/dev/loop2");
    IS(d.target, "vdb");
    IS(d.serial, U1);
    d = fact(FACT_DEVICE, "x",
             "Updating guest XML with vif config: <interface type=\"ethernet\"><mac address=\"m\"/>"
             "<target dev=\"tap2\"/></interface>")
            ->device;
    assert_int_equal(d.action, DEVICE_MIGRATE);
    IS(d.mac, "m");
    IS(d.target, "tap2");
    assert_int_equal(fact(FACT_DEVICE, "x", "detach device xml: <disk></disk>")->device.action,
                     DEVICE_DETACH);
}

static void instances(void **state)
{
    struct fact_instance v =
        fact(
            FACT_INSTANCE, "nova.virt.libvirt.vif",
            "vif_type=ovs instance=Instance(a=None,display_name='web 1',flavor=Flavor(6),host='c1',"
            "hostname='web-1',id=7,image_ref='" U3
            "',memory_mb=64,node='c1',project_id='p',task_state="
            "'deleting',user_id='u',uuid=" U1 ",vcpus=1,vm_state='active') vif=VIF({})")
            ->instance;

    (void)state;
    IS(v.uuid, U1);
    IS(v.name, "web 1");
    IS(v.host, "c1");
    IS(v.task_state, "deleting");
    assert_int_equal(v.number, 7);
    assert_int_equal(v.memory_mb, 64);
    v = fact(FACT_INSTANCE, "x", "Lazy-loading `ec2_ids' on Instance uuid " U1)->instance;
    IS(v.uuid, U1);
    v = fact(FACT_INSTANCE, "x", "Lazy-loading 'tags' on Instance uuid " U1)->instance;
    IS(v.uuid, U1);
    IS(fact(FACT_INSTANCE, "x", "Triggering sync for uuid " U1)->instance.uuid, U1);
}

/* --- claims and resources --- */

static void claims(void **state)
{
    struct fact_claim c =
        fact(FACT_CLAIM, "nova.compute.claims", "Attempting claim: memory 64 MB, disk 1 GB")->claim;

    (void)state;
    assert_int_equal(c.memory_mb, 64);
    assert_int_equal(c.disk_gb, 1);
    assert_true(c.vcpus == OSLOG_NO_I64);
    c = fact(FACT_CLAIM, "x", "Attempting claim on node n1: memory 64 MB, disk 1 GB, vcpus 2 CPU")
            ->claim;
    IS(c.node, "n1");
    assert_int_equal(c.vcpus, 2);
    assert_int_equal(fact(FACT_CLAIM, "x", "Claim successful")->claim.stage, CLAIM_OK);
    IS(fact(FACT_CLAIM, "x", "Claim successful on node n1")->claim.node, "n1");
    assert_int_equal(fact(FACT_CLAIM, "x", "Aborting claim: [Claim: 64 MB memory]")->claim.stage,
                     CLAIM_ABORTED);
    c = fact(FACT_CLAIM, "x", "Attempting to claim resources in the placement API for instance " U1)
            ->claim;
    assert_int_equal(c.stage, CLAIM_PLACEMENT);
    IS(c.instance, U1);
}

static void claim_resources(void **state)
{
    struct fact_claim_resource r =
        fact(FACT_CLAIM_RESOURCE, "nova.compute.claims", "Total memory: 32047 MB, used: 704.50 MB")
            ->claim_resource;

    (void)state;
    IS(r.resource, "memory");
    IS(r.unit, "MB");
    assert_true(r.total == 32047 && r.used == 704.5 && r.limit < 0);
    r = fact(FACT_CLAIM_RESOURCE, "nova.compute.claims", "disk limit: 366.00 GB, free: 12.25 GB")
            ->claim_resource;
    assert_true(r.limit == 366 && r.free == 12.25);
    r = fact(FACT_CLAIM_RESOURCE, "nova.compute.claims",
             "vcpu limit not specified, defaulting to unlimited")
            ->claim_resource;
    assert_true(r.unlimited);
    IS(r.resource, "vcpu");
}

static void resource_views(void **state)
{
    struct fact_resource r = fact(FACT_RESOURCE_FINAL, "x",
                                  "Final resource view: name=c1 phys_ram=32047MB used_ram=704MB "
                                  "phys_disk=366GB used_disk=1GB "
                                  "total_vcpus=8 used_vcpus=3 pci_stats=None")
                                 ->resource;

    (void)state;
    IS(r.node, "c1");
    assert_int_equal(r.phys_ram_mb, 32047);
    assert_int_equal(r.used_disk_gb, 1);
    assert_int_equal(r.used_vcpus, 3);
    r = fact(FACT_RESOURCE_FREE, "x",
             "Hypervisor/Node resource view: name=c1 free_ram=17861MB free_disk=219.5GB "
             "free_vcpus=2 pci=[]")
            ->resource;
    assert_int_equal(r.free_ram_mb, 17861);
    assert_true(r.free_disk_gb == 219.5);
    assert_true(r.phys_ram_mb == OSLOG_NO_I64);
}

/* --- scheduling --- */

static void scheduling_steps(void **state)
{
    struct fact_sched s = fact(FACT_SCHED_START, "nova.filters", "Starting with 2 host(s)")->sched;

    (void)state;
    assert_int_equal(s.n, 2);
    assert_false(s.volume);
    s = fact(FACT_SCHED_FILTER, "nova.filters", "Filter RamFilter returned 1 host(s)")->sched;
    IS(s.filter, "RamFilter");
    assert_int_equal(s.n, 1);
    s = fact(FACT_SCHED_FILTER, "cinder.scheduler.x", "Filter CapacityFilter returned 0 hosts")
            ->sched;
    assert_int_equal(s.n, 0);
    assert_true(s.volume);
    struct log_facts f = decode("nova.scheduler.manager",
                                "Starting to schedule for instances: ['" U1 "', '" U2 "']");
    assert_int_equal(f.n, 2);
    IS(f.at[1].sched.instance, U2);
}

static void scheduling_2016(void **state)
{
    struct fact_sched s = fact(FACT_SCHED_FILTERED, "nova.scheduler.x",
                               "Filtered [(h1, n1) ram:31343 disk:305152 io_ops:0 instances:3, "
                               "(h2, n2) ram:1 disk:2 io_ops:3 instances:4]")
                              ->sched;

    (void)state;
    assert_int_equal(s.n, 2);
    IS(s.hosts[1].node, "n2");
    assert_int_equal(s.hosts[1].io_ops, 3);
    s = fact(FACT_SCHED_WEIGHED, "nova.scheduler.x",
             "Weighed [WeighedHost [host: (h1, n1) ram:31343 disk:305152 io_ops:0 instances:3, "
             "weight: 0.5]]")
            ->sched;
    assert_int_equal(s.n, 1);
    assert_true(s.hosts[0].weighed && s.hosts[0].weight == 0.5);
    s = fact(FACT_SCHED_SELECTED, "nova.scheduler.x",
             "Selected host: WeighedHost [host: (h1, n1) ram:31343 disk:305152 io_ops:0 "
             "instances:3, "
             "weight: -1.0]")
            ->sched;
    IS(s.hosts[0].host, "h1");
    assert_int_equal(s.hosts[0].disk_mb, 305152);
    assert_int_equal(s.hosts[0].instances, 3);
    assert_true(s.hosts[0].weight == -1.0);
}

static void scheduling_zed(void **state)
{
    struct fact_sched s =
        fact(FACT_SCHED_WEIGHED, "nova.scheduler.manager",
             "Weighed [WeighedHost [host: (h1, n1) ram: 23593MB disk: 63488MB io_ops: 0 instances: "
             "0, "
             "weight: 3.0], WeighedHost [host: (h2, n2) ram: 5MB disk: 6MB io_ops: 7 instances: 8, "
             "weight: 2.5e-1]]")
            ->sched;

    (void)state;
    assert_int_equal(s.n, 2);
    assert_int_equal(s.hosts[1].ram_mb, 5);
    assert_true(s.hosts[1].weight == 0.25);
    s = fact(FACT_SCHED_SELECTED, "nova.scheduler.manager",
             "Selected host: (h1, n1) ram: 23593MB disk: 63488MB io_ops: 0 instances: 1")
            ->sched;
    assert_int_equal(s.hosts[0].ram_mb, 23593);
    assert_false(s.hosts[0].weighed);
    s = fact(FACT_SCHED_SELECTED, "nova.conductor.manager",
             "Selected host: h1; Selected node: n1; Alternates: [('h2', 'n2')]")
            ->sched;
    assert_true(s.conductor);
    IS(s.hosts[0].node, "n1");
    s = fact(FACT_SCHED_SELECTED, "nova.conductor.tasks.migrate",
             "Calling prep_resize with selected host: h1; Selected node: n1; Alternates: []")
            ->sched;
    IS(s.hosts[0].host, "h1");
    assert_int_equal(fact(FACT_SCHED_FILTERED, "nova.scheduler.manager", "Filtered []")->sched.n,
                     0);
}

static void no_valid_host(void **state)
{
    struct fact_sched s = fact(FACT_SCHED_NONE, "nova.filters",
                               "Filtering removed all hosts for the request with instance ID '" U1
                               "'. Filter results: []")
                              ->sched;

    (void)state;
    IS(s.instance, U1);
    s = fact(FACT_SCHED_NONE, "nova.scheduler.utils",
             "Failed to compute_task_build_instances: No valid host was found. \nTraceback x")
            ->sched;
    IS(s.reason, "Failed to compute_task_build_instances: No valid host was found.");
    fact(FACT_SCHED_NONE, "nova.scheduler.manager",
         "Got no allocation candidates from the Placement API. x");
    fact(FACT_SCHED_NONE, "nova.scheduler.x",
         "There are 0 hosts available but 1 instances requested to build.");
    no_fact("nova.x", "Failed to start");
}

static void volume_scheduling(void **state)
{
    struct fact_sched s = fact(FACT_SCHED_FILTERED, "cinder.scheduler.filter_scheduler",
                               "Filtered [host 'c@lvm#lvm': free_capacity_gb: 9.01, pools: None, "
                               "host 'd@lvm#lvm': free_capacity_gb: 40, total_capacity_gb: 50]")
                              ->sched;

    (void)state;
    assert_int_equal(s.n, 2);
    IS(s.hosts[0].host, "c@lvm#lvm");
    assert_true(s.hosts[1].free_gb == 40);
    s = fact(FACT_SCHED_WEIGHED, "cinder.scheduler.host_manager",
             "Weighed [WeighedHost [host: c@lvm#lvm, weight: 1.0]]")
            ->sched;
    IS(s.hosts[0].host, "c@lvm#lvm");
    assert_true(s.hosts[0].weight == 1.0);
    s = fact(FACT_SCHED_SELECTED, "cinder.scheduler.filter_scheduler", "Choosing c@lvm#lvm")->sched;
    IS(s.hosts[0].host, "c@lvm#lvm");
    struct fact_space v =
        fact(FACT_VOLUME_SPACE, "x",
             "Space information for volume creation on host c@lvm#lvm (requested / avail): 1/9.01")
            ->space;
    IS(v.host, "c@lvm#lvm");
    assert_true(v.requested_gb == 1 && v.available_gb == 9.01);
    v = fact(FACT_VOLUME_POOL, "x",
             "Received volume service update from c@lvm: {u'pools': [{u'pool_name': u'lvm', "
             "u'free_capacity_gb': 9.01, u'total_capacity_gb': 10.01, u'allocated_capacity_gb': "
             "1}]}")
            ->space;
    IS(v.host, "c@lvm#lvm");
    assert_true(v.available_gb == 9.01 && v.allocated_gb == 1);
    v = fact(FACT_VOLUME_POOL, "x",
             "Received volume service update from  c@loop: {'total_capacity_gb': 50, "
             "'free_capacity_gb': 40}")
            ->space;
    IS(v.host, "c@loop");
    assert_true(v.total_gb == 50 && v.allocated_gb < 0);
}

/* --- power and events --- */

static void lifecycle(void **state)
{
    struct fact_power p = fact(FACT_LIFECYCLE, "x",
                               "Emitting event <LifecycleEvent: 1470668624.56, " U1 " => Paused>")
                              ->power;

    (void)state;
    IS(p.uuid, U1);
    IS(p.event, "Paused");
    assert_true(p.event_time == 1470668624560000000);
    p = fact(FACT_LIFECYCLE, "x",
             "Emitting event <LifecycleEvent: 1795375896.2031424, " U1 " => Migration completed>")
            ->power;
    IS(p.event, "Migration completed");
    assert_true(p.event_time == 1795375896203142400);
    p = fact(FACT_LIFECYCLE_SEEN, "x", "[instance: " U1 "] VM Started (Lifecycle Event)")->power;
    IS(p.event, "Started");
    IS(p.uuid, U1);
}

static void power_sync(void **state)
{
    struct fact_power p =
        fact(FACT_POWER_SYNC, "x",
             "Synchronizing instance power state after lifecycle event \"Resumed\"; current "
             "vm_state: "
             "building, current task_state: None, current DB power_state: 0, VM power_state: 1")
            ->power;

    (void)state;
    IS(p.event, "Resumed");
    IS(p.vm_state, "building");
    IS(p.task_state, "");
    assert_int_equal(p.db, 0);
    assert_int_equal(p.vm, 1);
    p = fact(FACT_POWER_SYNC, "x",
             "Stopping instance; current vm_state: active, current task_state: powering-off, "
             "current DB "
             "power_state: 1, current VM power_state: 4")
            ->power;
    IS(p.task_state, "powering-off");
    assert_int_equal(p.vm, 4);
}

static void external_events(void **state)
{
    static const struct {
        const char *line;
        enum external_stage stage;
    } lines[] = {
        { "Preparing to wait for external event network-vif-plugged-" U2, EXTERNAL_PREPARE },
        { "Received event network-vif-plugged-" U2, EXTERNAL_RECEIVED },
        { "Received event network-vif-plugged-" U2 " for instance with task_state migrating.",
          EXTERNAL_RECEIVED },
        { "Processing event network-vif-plugged-" U2, EXTERNAL_PROCESSING },
        { "No waiting events found dispatching network-vif-plugged-" U2, EXTERNAL_NO_WAITER },
        { "No event matching network-vif-plugged-" U2 " in dict_keys([])", EXTERNAL_NO_WAITER },
        { "Creating event network-vif-plugged:" U2 " for instance " U1 " on c1", EXTERNAL_SENT },
        { "Timeout waiting for [('network-vif-plugged', '" U2
          "')] for instance with vm_state building and "
          "task_state spawning.: Timeout: 300 seconds",
          EXTERNAL_TIMEOUT },
        { "Timeout waiting for ['network-vif-plugged-" U2
          "'] for instance with vm_state a and task_state b: x",
          EXTERNAL_TIMEOUT },
        { "Instance event wait completed in 4 seconds for network-vif-plugged-" U2,
          EXTERNAL_WAIT_DONE },
        { "Sending events: [{'name': 'network-vif-plugged', 'server_uuid': '" U1 "', 'tag': '" U2
          "'}]",
          EXTERNAL_SENT },
        { "Nova event matching ['" R1 "'] response: {'name': 'network-vif-plugged', 'tag': '" U2
          "'}",
          EXTERNAL_ANSWERED },
        { "Nova event response: {u'name': u'network-vif-plugged', u'tag': u'" U2 "'}",
          EXTERNAL_ANSWERED },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct fact_external e = fact(FACT_EXTERNAL_EVENT, "nova.x", lines[i].line)->external;

        assert_int_equal(e.stage, lines[i].stage);
        IS(e.event, "network-vif-plugged-" U2);
        IS(e.name, "network-vif-plugged");
        IS(e.tag, U2);
    }
}

static void external_event_details(void **state)
{
    struct fact_external e =
        fact(FACT_EXTERNAL_EVENT, "x",
             "[instance: " U1
             "] Received unexpected event network-changed for instance with vm_state active "
             "and task_state None.")
            ->external;

    (void)state;
    assert_int_equal(e.stage, EXTERNAL_UNEXPECTED);
    IS(e.name, "network-changed");
    IS(e.tag, "");
    IS(e.instance, U1);
    IS(e.vm_state, "active");
    IS(e.task_state, "");
    e = fact(FACT_EXTERNAL_EVENT, "x",
             "Timeout waiting for vif plugging callback for instance with vm_state building and "
             "task_state "
             "spawning.: Timeout")
            ->external;
    assert_int_equal(e.stage, EXTERNAL_TIMEOUT);
    IS(e.task_state, "spawning");
    e = fact(FACT_EXTERNAL_EVENT, "x", "Instance event wait completed in 0 seconds for ")->external;
    assert_int_equal(e.ns, 0);
    e = fact(FACT_EXTERNAL_EVENT, "x",
             "Creating event volume-extended:" U2 " for instance " U1 " on c1")
            ->external;
    IS(e.host, "c1");
    IS(e.instance, U1);
}

/* --- machines, volumes, migrations --- */

static void steps(void **state)
{
    static const struct {
        const char *logger, *line, *step;
    } lines[] = {
        { "nova.compute.manager", "Starting instance...", "building" },
        { "nova.virt.libvirt.driver", "Creating image", "creating-image" },
        { "nova.virt.libvirt.driver", "[instance: " U1 "] Creating image(s)", "creating-image" },
        { "nova.virt.libvirt.driver", "Instance spawned successfully.", "spawned" },
        { "nova.compute.manager", "Terminating instance", "terminating" },
        { "nova.virt.libvirt.driver", "Instance destroyed successfully.", "destroyed" },
        { "nova.compute.manager", "Start destroying the instance on the hypervisor.",
          "destroying" },
        { "nova.compute.api", "Going to try to stop instance", "stop-requested" },
        { "nova.compute.manager", "Migrating", "resizing" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        assert_string_equal(fact(FACT_VM_STEP, lines[i].logger, lines[i].line)->step.step,
                            lines[i].step);
    no_fact("neutron.x", "Terminating instance");
    struct fact_step t =
        fact(FACT_VM_STEP, "nova.compute.manager", "Attaching volume " U1 " to /dev/vdb")->step;
    IS(t.volume, U1);
    IS(t.device, "/dev/vdb");
    t = fact(FACT_VM_STEP, "nova.x", "Instance shutdown successfully after 3 seconds.")->step;
    assert_int_equal(t.ns, 3000000000);
}

static void volume_steps(void **state)
{
    struct fact_step t =
        fact(FACT_VOLUME_STEP, "cinder.volume.x", "Volume " U1 ": being created as raw with x")
            ->step;

    (void)state;
    assert_string_equal(t.step, "creating");
    IS(t.volume, U1);
    t = fact(FACT_VOLUME_STEP, "cinder.volume.x",
             "Volume volume-" U1 " (" U1 "): created successfully")
            ->step;
    assert_string_equal(t.step, "created");
    t = fact(FACT_VOLUME_STEP, "cinder.api.v3.volumes", "Delete volume with id: " U1)->step;
    IS(t.volume, U1);
    assert_string_equal(
        fact(FACT_VOLUME_STEP, "cinder.volume.manager", "Created volume successfully.")->step.step,
        "created");
    no_fact("nova.x", "Created volume successfully.");
}

static void took(void **state)
{
    struct fact_step t =
        fact(FACT_TOOK, "x",
             "[instance: " U1 "] Took 5.88 seconds to spawn the instance on the hypervisor.")
            ->step;

    (void)state;
    IS(t.what, "spawn the instance on the hypervisor");
    assert_int_equal(t.ns, 5880000000);
    t = fact(FACT_TOOK, "x", "Took 10.46 seconds for pre_live_migration on destination host c2.")
            ->step;
    IS(t.host, "c2");
    t = fact(FACT_TOOK, "x", "Request filter 'a_filter' took 0.5 seconds")->step;
    IS(t.what, "a_filter");
    t = fact(FACT_TOOK, "os_brick.utils", "<== get_x: return (2360ms) {'a': 1}")->step;
    IS(t.what, "get_x");
    assert_int_equal(t.ns, 2360000000);
}

static void migration_progress(void **state)
{
    struct fact_migration m = fact(FACT_MIGRATION, "x",
                                   "Migration running for 5 secs, memory 80% remaining (bytes "
                                   "processed=1, remaining=2, total=3)")
                                  ->migration;

    (void)state;
    assert_int_equal(m.stage, MIGRATION_PROGRESS);
    assert_int_equal(m.elapsed_s, 5);
    assert_int_equal(m.memory_pct, 80);
    assert_int_equal(m.memory_left_bytes, 2);
    assert_true(m.disk_pct == OSLOG_NO_I64);
    m = fact(FACT_MIGRATION, "x",
             "Migration running for 0 secs, memory 100% remaining (bytes processed=0, remaining=0, "
             "total=0); "
             "disk 40% remaining (bytes processed=6, remaining=4, total=10).")
            ->migration;
    assert_int_equal(m.disk_pct, 40);
    assert_int_equal(m.disk_total_bytes, 10);
    m = fact(FACT_MIGRATION, "x", "Increasing downtime to 166 ms after 12 sec elapsed time")
            ->migration;
    assert_int_equal(m.downtime_ms, 166);
    assert_int_equal(m.elapsed_s, 12);
}

static void migration_stages(void **state)
{
    static const struct {
        const char *line;
        enum migration_stage stage;
        const char *host, *reason;
    } lines[] = {
        { "Going to try to live migrate instance to c2", MIGRATION_REQUESTED, "c2", "" },
        { "Start binding ports on destination host: c2", MIGRATION_PREPARING, "c2", "" },
        { "Starting monitoring of live migration", MIGRATION_MONITOR, "", "" },
        { "About to invoke the migrate API", MIGRATION_INVOKED, "", "" },
        { "Migrate API has completed", MIGRATION_API_DONE, "", "" },
        { "Migration operation has completed", MIGRATION_COMPLETED, "", "" },
        { "Migration operation has aborted", MIGRATION_ABORTED, "", "" },
        { "Live migration monitoring is all done", MIGRATION_MONITORED, "", "" },
        { "_post_live_migration() is started..", MIGRATION_POST, "", "" },
        { "Migrating instance to c2 finished successfully.", MIGRATION_FINISHED, "c2", "" },
        { "Live migration failed.", MIGRATION_FAILED, "", "" },
        { "Live Migration failure: cannot", MIGRATION_FAILED, "", "cannot" },
        { "Error monitoring migration: gone\nTraceback", MIGRATION_FAILED, "", "gone" },
        { "Live migration not completed after 800 sec", MIGRATION_TIMEOUT, "",
          "Live migration not completed after 800 sec" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct fact_migration m = fact(FACT_MIGRATION, "nova.x", lines[i].line)->migration;

        assert_int_equal(m.stage, lines[i].stage);
        IS(m.host, lines[i].host);
        IS(m.reason, lines[i].reason);
    }
    assert_int_equal(fact(FACT_MIGRATION, "nova.x", "Rolling back live migration")->migration.stage,
                     MIGRATION_ROLLBACK);
}

/* --- Neutron --- */

static void ports(void **state)
{
    struct fact_port p = fact(FACT_PORT, "nova.x", "Successfully created port: " U2)->port;

    (void)state;
    assert_int_equal(p.step, PORT_CREATED);
    IS(p.port, U2);
    p = fact(FACT_PORT, "x", "Bound port: " U2 ", host: c1, vif_type: ovs, vif_details: {}")->port;
    assert_int_equal(p.step, PORT_BOUND);
    IS(p.host, "c1");
    p = fact(FACT_PORT, "x", "Attempting to bind port " U2 " on host c1 for vnic_type normal")
            ->port;
    IS(p.host, "c1");
    p = fact(FACT_PORT, "x", "Attempting to bind port " U2 " on network " U1)->port;
    IS(p.network, U1);
    p = fact(FACT_PORT, "x", "Allocated IP 10.0.0.6 (" U1 "/" U3 "/" U2 ")")->port;
    IS(p.ip, "10.0.0.6");
    IS(p.subnet, U3);
    IS(p.port, U2);
    p = fact(FACT_PORT, "x", "Setting status for " U2 " to UP")->port;
    assert_int_equal(p.step, PORT_UP);
    p = fact(FACT_PORT, "os_vif",
             "Successfully plugged vif VIFOpenVSwitch(a=1,id=" U2 ",vif_name='tap1')")
            ->port;
    IS(p.tap, "tap1");
    IS(fact(FACT_PORT, "x", "Net device removed: 'qvo1'")->port.tap, "qvo1");
    IS(fact(FACT_PORT, "x", "Calling delete_port for " U2 " owned by compute:nova")->port.owner,
       "compute:nova");
}

static void agent_work(void **state)
{
    struct fact_work w = fact(FACT_AGENT_WORK, "neutron.agent.l3.agent",
                              "Starting router update for " U1
                              ", action 3, priority 1, update_id " U2 ". Wait time elapsed: 0.001")
                             ->work;

    (void)state;
    assert_int_equal(w.stage, WORK_START);
    IS(w.what, "router update");
    IS(w.id, U1);
    IS(w.update_id, U2);
    assert_int_equal(w.ns, 1000000);
    w = fact(FACT_AGENT_WORK, "neutron.agent.l3.agent", "Finished a router update for " U1)->work;
    assert_int_equal(w.stage, WORK_END);
    assert_true(w.ns == OSLOG_NO_NS);
    w = fact(FACT_AGENT_WORK, "x",
             "Agent rpc_loop - iteration:12 completed. Processed {}. Elapsed:0.003")
            ->work;
    IS(w.id, "12");
    assert_int_equal(w.ns, 3000000);
    w = fact(FACT_AGENT_WORK, "x", "Calling driver for network: " U1 " action: enable")->work;
    IS(w.what, "enable");
    w = fact(FACT_AGENT_WORK, "x",
             "process_network_ports - iteration:9 - treat_devices_removed completed in 0.5")
            ->work;
    IS(w.what, "treat_devices_removed");
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, forget)
    const struct CMUnitTest tests[] = {
        T(domain_2016),
        T(domain_one_line),
        T(domain_zed),
        T(domain_cut),
        T(devices),
        T(instances),
        T(claims),
        T(claim_resources),
        T(resource_views),
        T(scheduling_steps),
        T(scheduling_2016),
        T(scheduling_zed),
        T(no_valid_host),
        T(volume_scheduling),
        T(lifecycle),
        T(power_sync),
        T(external_events),
        T(external_event_details),
        T(steps),
        T(volume_steps),
        T(took),
        T(migration_progress),
        T(migration_stages),
        T(ports),
        T(agent_work),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
