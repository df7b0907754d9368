/* SPDX-License-Identifier: Apache-2.0
 *
 * test_oslog.c -- lines of the oslo libraries and of REST calls, in the wording
 * of 2016 and of OpenStack Zed; truncation and mutation of all forms. */
#include "oslog_fixture.h"

#include <stdlib.h>

/* --- oslo --- */

static void lock_acquired(void **state)
{
    static const char *const lines[] = {
        "Lock \"a \"b\" c\" acquired by \"nova.f.<locals>.g\" :: waited 1.058s",
        "Lock \"a \"b\" c\" \"acquired\" by \"nova.f.<locals>.g\" :: waited 1.058s",
        "[instance: " U1
        "] Lock \"a \"b\" c\" acquired by \"nova.f.<locals>.g\" :: waited 1.058s inner",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct fact_lock l = fact(FACT_LOCK_ACQUIRED, "oslo_concurrency.lockutils", lines[i])->lock;

        IS(l.name, "a \"b\" c");
        IS(l.owner, "nova.f.<locals>.g");
        assert_int_equal(l.ns, 1058000000);
        assert_false(l.semaphore);
    }
    no_fact("x", "Lock \"a\" acquired by \"f\" :: waited ");
    no_fact("x", "Lock \"a\" acquired by \"f");
}

static void lock_released(void **state)
{
    struct fact_lock l =
        fact(FACT_LOCK_RELEASED, "x", "Lock \"m\" released by \"f\" :: held 0.154s")->lock;

    (void)state;
    assert_int_equal(l.ns, 154000000);
    l = fact(FACT_LOCK_RELEASED, "x", "Lock \"('c1', 'c1')\" \"released\" by \"f\" :: held 2s")
            ->lock;
    IS(l.name, "('c1', 'c1')");
    assert_int_equal(l.ns, 2000000000);
}

static void lock_wait(void **state)
{
    struct fact_lock l = fact(FACT_LOCK_WAIT, "x", "Acquiring lock \"m\" by \"a.b\"")->lock;

    (void)state;
    IS(l.name, "m");
    IS(l.owner, "a.b");
    l = fact(FACT_LOCK_WAIT, "x", "Acquiring lock \"m\"")->lock;
    IS(l.owner, "");
    assert_true(l.ns == OSLOG_NO_NS);
    l = fact(FACT_LOCK_ACQUIRED, "x", "Acquired lock \"m\"")->lock;
    assert_false(l.semaphore);
    l = fact(FACT_LOCK_RELEASED, "x", "Releasing lock \"m\"")->lock;
    IS(l.name, "m");
}

static void semaphores(void **state)
{
    struct fact_lock l = fact(FACT_LOCK_ACQUIRED, "x", "Acquired semaphore \"s\"")->lock;

    (void)state;
    assert_true(l.semaphore);
    IS(l.name, "s");
    assert_true(fact(FACT_LOCK_RELEASED, "x", "Releasing semaphore \"s\"")->lock.semaphore);
    assert_true(fact(FACT_LOCK_ACQUIRED, "x", "Acquired external semaphore \"s\"")->lock.semaphore);
    l = fact(FACT_LOCK_ACQUIRED, "x", "Acquired file lock \"/l\" after waiting 0.5s")->lock;
    assert_int_equal(l.ns, 500000000);
}

static void commands(void **state)
{
    struct fact_command c =
        fact(FACT_COMMAND_START, "x", "Running cmd (subprocess): ip link set \"a\" up")->command;

    (void)state;
    IS(c.text, "ip link set \"a\" up");
    assert_true(c.rc == OSLOG_NO_I64);
    c = fact(FACT_COMMAND_END, "x", "CMD \"ip link set \"a\" up\" returned: 1 in 0.016s")->command;
    IS(c.text, "ip link set \"a\" up");
    assert_int_equal(c.rc, 1);
    assert_int_equal(c.ns, 16000000);
    c = fact(FACT_COMMAND_FAILED, "x", "'nvme version' failed. Not Retrying.")->command;
    IS(c.text, "nvme version");
    c = fact(FACT_COMMAND_FAILED, "x",
             "Error in f: Unexpected error while running command.\nCommand: blkid x\n"
             "Exit code: 2\nStdout: ''\nStderr: ''")
            ->command;
    IS(c.text, "blkid x");
    assert_int_equal(c.rc, 2);
}

static void agent_commands(void **state)
{
    struct fact_command c =
        fact(FACT_COMMAND_START, "x", "Running command (rootwrap daemon): ['kill', '-HUP', '1']")
            ->command;

    (void)state;
    assert_int_equal(c.way, COMMAND_ROOTWRAP);
    c = fact(FACT_COMMAND_START, "x", "Running command: ['ip', 'a']")->command;
    assert_int_equal(c.way, COMMAND_AGENT);
    c = fact(FACT_COMMAND_END, "x", "\nCommand: ['ip', u'netns', 13]\nExit code: 1\n")->command;
    IS(c.text, "['ip', u'netns', 13]");
    assert_int_equal(c.rc, 1);
    c = fact(FACT_COMMAND_END, "x", "Exit code: 255; Cmd: ['a', 'b']; Stdin: ; Stdout: ; Stderr: e")
            ->command;
    IS(c.text, "['a', 'b']");
    assert_int_equal(c.rc, 255);
    assert_int_equal(fact(FACT_COMMAND_END, "x", "Exit code: 0")->command.rc, 0);
    no_fact("x", "\nCommand: ['a']\n");
}

static void privsep(void **state)
{
    struct fact_command c =
        fact(FACT_PRIVSEP_REPLY, "x", "privsep: reply[" U1 "]: (4, ('', 'no such, file\\n', 255))")
            ->command;

    (void)state;
    IS(c.id, U1);
    assert_int_equal(c.rc, 255);
    c = fact(FACT_PRIVSEP_REPLY, "x", "privsep: reply[" U1 "]: (4, None)")->command;
    assert_true(c.rc == OSLOG_NO_I64);
    c = fact(FACT_PRIVSEP_REPLY, "x", "privsep: reply[" U1 "]: (5, 'builtins.OSError', (2,))")
            ->command;
    assert_int_equal(c.rc, -1);
    c = fact(FACT_COMMAND_START, "x", "Running privsep helper: ['sudo', 'x']")->command;
    assert_int_equal(c.way, COMMAND_PRIVSEP);
}

static void heartbeats(void **state)
{
    struct fact_periodic p =
        fact(FACT_PERIODIC, "x", "Running periodic task Manager._poll")->periodic;

    (void)state;
    IS(p.name, "Manager._poll");
    assert_true(p.sleep_ns == OSLOG_NO_NS);
    p = fact(FACT_PERIODIC, "x",
             "Fixed interval looping call 'a.S.report' sleeping for 9.98 seconds")
            ->periodic;
    IS(p.name, "a.S.report");
    assert_int_equal(p.sleep_ns, 9980000000);
    p = fact(FACT_PERIODIC, "x",
             "Dynamic interval looping call <bound method x of y> sleeping for 60.00 seconds")
            ->periodic;
    IS(p.name, "<bound method x of y>");
}

static void message_bus(void **state)
{
    struct fact_amqp a = fact(FACT_AMQP, "x", "Connecting to AMQP server on 10.0.0.9:5672")->amqp;

    (void)state;
    IS(a.server, "10.0.0.9");
    assert_int_equal(a.port, 5672);
    a = fact(FACT_AMQP, "x", "[" U1 "] Reconnected to AMQP server on rmq:5671 via [amqp] client")
            ->amqp;
    assert_int_equal(a.stage, AMQP_CONNECTED);
    a = fact(FACT_AMQP, "x", "[" U1 "] AMQP server on 10.0.0.9:5672 is unreachable: x")->amqp;
    assert_int_equal(a.stage, AMQP_UNREACHABLE);
    struct fact_rpc r = fact(FACT_RPC, "x", "MSG_ID is " H1)->rpc;
    IS(r.id, H1);
    r = fact(FACT_RPC, "x", "CALL msg_id: " H1 " exchange 'nova' topic 'conductor'")->rpc;
    assert_int_equal(r.stage, RPC_CALL);
    IS(r.exchange, "nova");
    IS(r.topic, "conductor");
    r = fact(FACT_RPC, "x", "sending reply msg_id: " H1 " reply queue: reply_1 time elapsed: 0.25s")
            ->rpc;
    IS(r.queue, "reply_1");
    assert_int_equal(r.ns, 250000000);
    r = fact(FACT_RPC, "x", "received message msg_id: None reply to None")->rpc;
    IS(r.id, "");
    assert_int_equal(fact(FACT_RPC, "x", "received reply msg_id: " H1)->rpc.stage, RPC_REPLIED);
}

static void flows(void **state)
{
    struct fact_taskflow t =
        fact(FACT_TASKFLOW, "x",
             "Flow 'volume_create' (" U1 ") transitioned into state 'RUNNING' from state 'PENDING'")
            ->taskflow;

    (void)state;
    assert_false(t.is_task);
    IS(t.name, "volume_create");
    IS(t.id, U1);
    IS(t.state, "RUNNING");
    IS(t.old_state, "PENDING");
    t = fact(FACT_TASKFLOW, "x",
             "Task 'a.B;volume:create, c' (" U1 ") transitioned into state 'SUCCESS' from state "
             "'RUNNING' with result 'None'")
            ->taskflow;
    assert_true(t.is_task);
    IS(t.name, "a.B;volume:create, c");
}

/* --- HTTP --- */

static void http_request(void **state)
{
    struct log_facts f =
        decode("keystoneclient.session",
               "REQ: curl -g -i -X POST http://h:9696/v2.0/ports.json?a=b -H \"Accept: x\" -H "
               "\"X-OpenStack-Request-ID: " R1 "\" -d '{\"port\": {\"device_id\": \"" U1 "\", "
               "\"binding:host_id\": \"c1\"}}'");

    (void)state;
    assert_int_equal(f.n, 2);
    IS(f.at[0].http.method, "POST");
    IS(f.at[0].http.url, "http://h:9696/v2.0/ports.json?a=b");
    IS(f.at[0].http.path, "/v2.0/ports.json");
    IS(f.at[0].http.request_id, R1);
    assert_int_equal(f.at[1].kind, FACT_API_OBJECT);
    assert_int_equal(f.at[1].object.origin, API_REQUEST);
    IS(f.at[1].object.device_id, U1);
    IS(f.at[1].object.host, "c1");
}

static void http_response(void **state)
{
    struct log_facts f = decode(
        "x",
        "RESP: [200] Content-Length: 455 x-openstack-REQUEST-id: " R1 " \nRESP BODY: "
        "{\"ports\": [{\"id\": \"" U1 "\", \"mac_address\": \"fa:16:3e:00:00:01\", \"name\": \"\", "
        "\"fixed_ips\": [{\"subnet_id\": \"s\", \"ip_address\": \"10.0.0.6\"}, "
        "{\"ip_address\": \"2001:db8::6\"}], \"status\": \"DOWN\"}, {\"id\": \"" U2 "\"}]}");

    (void)state;
    assert_int_equal(f.n, 3);
    assert_int_equal(f.at[0].http.status, 200);
    IS(f.at[0].http.request_id, R1);
    assert_int_equal(f.at[1].object.kind, API_PORT);
    IS(f.at[1].object.mac, "fa:16:3e:00:00:01");
    assert_int_equal(f.at[1].object.n_ips, 2);
    IS(f.at[1].object.ips[1], "2001:db8::6");
    IS(f.at[2].object.id, U2);
    f = decode("x", "RESP: [404] X-Compute-Request-Id: " R1);
    assert_int_equal(f.n, 1);
    IS(f.at[0].http.request_id, R1);
}

static void http_body(void **state)
{
    struct log_facts f =
        decode("novaclient.v2.client",
               "RESP BODY: {\"events\": [{\"name\": \"network-changed\", \"server_uuid\": \"" U1
               "\", \"tag\": \"" U2 "\", \"code\": 200}]}");

    (void)state;
    assert_int_equal(f.n, 1);
    assert_int_equal(f.at[0].object.kind, API_EVENT);
    IS(f.at[0].object.device_id, U1);
    IS(f.at[0].object.id, U2);
    f = decode("neutron.api.v2.base", "Request body: {'network': {'name': 'netA', 'id': None}}");
    IS(f.at[0].object.name, "netA");
    IS(f.at[0].object.id, "");
}

static void http_body_cut(void **state)
{
    struct log_facts f = decode("x", "RESP: [200] \nRESP BODY: {\"networks\": [{\"id\": \"" U1
                                     "\", \"name\": \"a\"}, {\"id\": \"" U2 "\", \"na");

    (void)state;
    assert_int_equal(f.n, 3);
    assert_false(f.at[1].object.truncated);
    assert_true(f.at[2].object.truncated);
    IS(f.at[2].object.id, U2);
}

static void api_objects(void **state)
{
    struct log_facts f = decode(
        "x",
        "RESP BODY: {\"network\": {\"id\": \"n\", \"provider:segmentation_id\": 1070, "
        "\"provider:network_type\": \"vxlan\", \"tenant_id\": \"t\"}, "
        "\"subnets\": [{\"id\": \"s\", \"cidr\": \"10.0.0.0/24\", \"network_id\": \"n\"}], "
        "\"security_group\": {\"id\": \"g\"}, \"volumeAttachment\": {\"volumeId\": \"v\", "
        "\"serverId\": \"i\", \"device\": \"/dev/vdb\", \"attachment_id\": \"a\"}, \"other\": 1}");

    (void)state;
    assert_int_equal(f.n, 4);
    assert_int_equal(f.at[0].object.segmentation_id, 1070);
    IS(f.at[0].object.network_type, "vxlan");
    assert_int_equal(f.at[1].object.kind, API_SUBNET);
    IS(f.at[1].object.cidr, "10.0.0.0/24");
    assert_true(f.at[1].object.segmentation_id == OSLOG_NO_I64);
    assert_int_equal(f.at[2].object.kind, API_SECURITY_GROUP);
    assert_int_equal(f.at[3].object.kind, API_ATTACHMENT);
    IS(f.at[3].object.id, "a");
    IS(f.at[3].object.volume_id, "v");
    IS(f.at[3].object.device_id, "i");
}

static void http_call(void **state)
{
    struct fact_http h = fact(FACT_HTTP_CALL, "x",
                              "POST call to compute for http://h:8774/v2.1/x used request id " R1)
                             ->http;

    (void)state;
    IS(h.method, "POST");
    IS(h.service, "compute");
    IS(h.path, "/v2.1/x");
    IS(h.request_id, R1);
}

static void http_arrived(void **state)
{
    struct fact_http h =
        fact(FACT_HTTP_ARRIVED, "keystone.common.wsgi", "POST http://10.0.0.1:5000/v2.0/tokens")
            ->http;

    (void)state;
    IS(h.method, "POST");
    IS(h.path, "/v2.0/tokens");
    h = fact(FACT_HTTP_ARRIVED, "placement.requestlog",
             "Starting request: 10.7.0.1 \"GET /allocations?limit=5\"")
            ->http;
    IS(h.client, "10.7.0.1");
    IS(h.path, "/allocations");
    h = fact(FACT_HTTP_ARRIVED, "keystone.server.flask.x", "REQUEST_METHOD: `GET`")->http;
    IS(h.method, "GET");
    h = fact(FACT_HTTP_ARRIVED, "keystone.server.flask.x", "PATH_INFO: `/v3/auth/tokens`")->http;
    IS(h.path, "/v3/auth/tokens");
    no_fact("keystone.common.wsgi", "GET something done");
    no_fact("nova.compute.manager", "GET http://10.0.0.1/");
}

static void http_returned(void **state)
{
    struct fact_http h =
        fact(FACT_HTTP_RETURNED, "x", "http://h:8776/v3/volumes returned with HTTP 202")->http;

    (void)state;
    IS(h.path, "/v3/volumes");
    assert_int_equal(h.status, 202);
}

static void http_served(void **state)
{
    struct fact_http h =
        fact(FACT_HTTP_SERVED, "nova.osapi_compute.wsgi.server",
             "10.0.0.5 \"GET /v2.1/servers/" U1 "?x=1 HTTP/1.1\" status: 200  len: 2100 "
             "time: 0.0800908")
            ->http;

    (void)state;
    IS(h.client, "10.0.0.5");
    IS(h.path, "/v2.1/servers/" U1);
    assert_int_equal(h.status, 200);
    assert_int_equal(h.bytes, 2100);
    assert_int_equal(h.ns, 80090800);
    h = fact(FACT_HTTP_SERVED, "neutron.wsgi",
             "10.0.0.5,127.0.0.1 - - [08/Aug/2016 11:03:42] \"POST /v2.0/ports.json HTTP/1.1\" 201 "
             "1041 "
             "0.348979")
            ->http;
    IS(h.client, "10.0.0.5,127.0.0.1");
    IS(h.method, "POST");
    assert_int_equal(h.status, 201);
    assert_int_equal(h.ns, 348979000);
    h = fact(FACT_HTTP_SERVED, "placement.requestlog",
             "fd00::1 \"PUT /allocations/" U1 "\" status: 204 len: 0 microversion: 1.36")
            ->http;
    IS(h.path, "/allocations/" U1);
    assert_true(h.ns == OSLOG_NO_NS);
}

static void api_action(void **state)
{
    struct log_facts f =
        decode("nova.api.openstack.wsgi",
               "Action: 'action', calling method: <bound method X>, body: {\"os-stop\": null}");

    (void)state;
    assert_int_equal(f.at[0].kind, FACT_API_ACTION);
    IS(f.at[0].action.action, "action");
    IS(f.at[0].action.verb, "os-stop");
    f = decode("cinder.api.openstack.wsgi", "Action: 'create', calling method: create, body: "
                                            "{\"volume\": {\"size\": 1, \"name\": \"v1\"}}");
    assert_int_equal(f.n, 2);
    IS(f.at[1].object.name, "v1");
}

static void network_info(void **state)
{
    static const char *const lines[] = {
        "Updating instance_info_cache with network_info: [VIF({'profile': {}, 'id': u'" U2
        "', 'address': u'fa:16:3e:00:00:02', 'devname': u'tap1', 'type': u'ovs', 'network': "
        "Network({'id': u'n1', 'subnets': [Subnet({'ips': [FixedIP({'address': u'10.0.0.7'})]})], "
        "'meta': {'tenant_id': u't1'}})})]",
        "[instance: " U1 "] Instance network_info: |[{\"id\": \"" U2
        "\", \"address\": \"fa:16:3e:00:00:02\", "
        "\"network\": {\"id\": \"n1\", \"meta\": {\"tenant_id\": \"t1\"}, \"subnets\": [{\"ips\": "
        "[{\"address\": \"10.0.0.7\"}]}]}, \"type\": \"ovs\", \"devname\": \"tap1\"}]|",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        struct fact_object b = fact(FACT_API_OBJECT, "nova.x", lines[i])->object;

        assert_int_equal(b.origin, API_CACHE);
        IS(b.id, U2);
        IS(b.tap, "tap1");
        IS(b.network_id, "n1");
        IS(b.tenant_id, "t1");
        assert_int_equal(b.n_ips, 1);
        IS(b.ips[0], "10.0.0.7");
        IS(b.device_id, i ? U1 : "");
    }
    no_fact("nova.x", "Updating instance_info_cache with network_info: []");
}

static void agent_port(void **state)
{
    struct fact_object b =
        fact(FACT_API_OBJECT, "neutron.agent.x",
             "Port " U2 " updated. Details: {u'device_id': u'" U1 "', u'port_id': u'" U2
             "', u'mac_address': u'fa:16:3e:00:00:02', u'segmentation_id': 1070, u'fixed_ips': "
             "[{u'ip_address': u'10.0.0.7'}]}")
            ->object;

    (void)state;
    assert_int_equal(b.origin, API_AGENT);
    IS(b.id, U2);
    IS(b.device_id, U1);
    assert_int_equal(b.segmentation_id, 1070);
    b = fact(FACT_API_OBJECT, "neutron.agent.rpc",
             "Returning: {'device_id': '" U1 "', 'port_id': '" U2
             "', 'mac_address': 'fa:16:3e:00:00:02'}")
            ->object;
    IS(b.id, U2);
}

/* --- whole lines --- */

static void ids_anywhere(void **state)
{
    (void)state;
    IS(oslog_request_id(str_of("a req-x " R1 " b req-" U1)), R1);
    IS(oslog_request_id(str_of("req-123")), "");
    IS(oslog_instance(str_of("x [instance: " U1 "] for instance " U2)), U1);
    IS(oslog_instance(str_of("Fetching Instance uuid " U1)), U1);
    IS(oslog_instance(str_of("sync for instance " U1 " on c1")), U1);
    IS(oslog_instance(str_of("{'instance_uuid': u'" U1 "'}")), U1);
    IS(oslog_instance(str_of("instance_uuid=" U1)), U1);
    IS(oslog_instance(str_of("instance=Instance(a=1,uuid=" U1 ",x=2)")), U1);
    IS(oslog_instance(str_of("an instance is " U1)), "");
    IS(oslog_instance(str_of("")), "");
}

static void tags_in_front(void **state)
{
    struct fact_step t = fact(FACT_VM_STEP, "nova.compute.manager",
                              "[None " R1 " admin] [instance: " U1 "] Terminating instance")
                             ->step;

    (void)state;
    assert_string_equal(t.step, "terminating");
}

static void nothing_to_say(void **state)
{
    (void)state;
    no_fact("x", "");
    no_fact("x", "[");
    no_fact("x", "[]");
    no_fact("nova.compute.manager", "Checking state");
    no_fact("stevedore.extension", "found extension EntryPoint('a')");
    no_fact("neutron.wsgi", "(15588) accepted ('10.0.0.1', 55018)");
    assert_int_equal(arena.total, 0);
}

static void many_objects(void **state)
{
    struct sbuf b = { 0 };
    struct log_facts f;

    (void)state;
    sbuf_z(&b, "RESP BODY: {\"ports\": [");
    for (int i = 0; i < 5000; i++)
        sbuf_fmt(&b, "%s{\"id\": \"p%d\"}", i ? ", " : "", i);
    sbuf_z(&b, "]}");
    oslog_decode(STR("x"), sbuf_view(&b), &arena, &f);
    assert_int_equal(f.n, OSLOG_MAX_FACTS);
    assert_true(f.truncated);
    sbuf_free(&b);
}

static const struct {
    const char *logger, *line;
} samples[] = {
    { "x", "Lock \"a\" acquired by \"f\" :: waited 1.058s" },
    { "x", "CMD \"ip \"a\" up\" returned: 1 in 0.016s" },
    { "x", "Exit code: 255; Cmd: ['a', 'b']; Stdin: ; Stdout: ; Stderr: e" },
    { "x", "privsep: reply[" U1 "]: (4, ('', 'no', 255))" },
    { "x", "CALL msg_id: " H1 " exchange 'nova' topic 'conductor'" },
    { "x", "REQ: curl -g -i -X POST http://h/p?a -H \"X: y\" -d '{\"port\": {\"id\": \"1\"}}'" },
    { "x", "RESP: [200] X-Openstack-Request-Id: " R1 " \nRESP BODY: {\"ports\": [{\"id\": \"1\", "
           "\"fixed_ips\": [{\"ip_address\": \"10.0.0.1\"}]}]}" },
    { "x", "10.0.0.5 \"GET /v2.1/x?y HTTP/1.1\" status: 200 len: 1 time: 0.5" },
    { "nova.x", "Updating instance_info_cache with network_info: [VIF({'id': u'1', 'network': "
                "Network({'subnets': [Subnet({'ips': [FixedIP({'address': u'1'})]})]})})]" },
    { "x", "End _get_guest_xml xml=" XML("\n", "1.0") },
    { "x", "Generated XML ('" XML("\\n", "1.1") "',)" },
    { "x", "attach device xml: <disk><source dev=\"/dev/x\"/></disk>" },
    { "x", "vif_type=ovs instance=Instance(a=1,display_name='x',uuid=" U1 ",id=3)" },
    { "nova.compute.claims", "Attempting claim on node n: memory 64 MB, disk 1 GB, vcpus 2 CPU" },
    { "nova.compute.claims", "Total memory: 32047 MB, used: 704.50 MB" },
    { "x", "Final resource view: name=c1 phys_ram=1MB used_ram=2MB phys_disk=3GB" },
    { "x", "Weighed [WeighedHost [host: (h, n) ram: 1MB disk: 2MB io_ops: 3 instances: 4, weight: "
           "5e2]]" },
    { "x", "Filtered [host 'c@l#l': free_capacity_gb: 9.01, host 'd': free_capacity_gb: 1]" },
    { "x", "Received volume service update from c: {u'pools': [{u'pool_name': u'l', u'x': 1}]}" },
    { "x", "Emitting event <LifecycleEvent: 1470668624.56, " U1 " => Paused>" },
    { "x",
      "Timeout waiting for [('network-vif-plugged', '" U2 "')] for instance with vm_state a and "
      "task_state b.: x" },
    { "x", "Nova event matching ['r'] response: {'name': 'n', 'tag': '" U2 "'}" },
    { "x", "Migration running for 0 secs, memory 100% remaining (bytes processed=0, remaining=0, "
           "total=0); "
           "disk 40% remaining (bytes processed=6, remaining=4, total=10)." },
    { "neutron.agent.l3.agent",
      "Starting router update for " U1 ", update_id " U2 ". Wait time elapsed: 0.1" },
};

static void feed(const char *logger, const char *text, size_t n)
{
    char *copy = malloc(n ? n : 1);
    struct arena a = { 0 };
    struct log_facts f;

    assert_non_null(copy);
    memcpy(copy, text, n);
    oslog_decode(str_of(logger), (struct str){ copy, n }, &a, &f);
    oslog_request_id((struct str){ copy, n });
    oslog_instance((struct str){ copy, n });
    arena_free(&a);
    free(copy);
}

static void every_prefix(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
        for (size_t n = 0; n <= strlen(samples[i].line); n++)
            feed(samples[i].logger, samples[i].line, n);
    }
}

static void random_mutations(void **state)
{
    uint32_t seed = 99;
    char text[4096];

    (void)state;
    for (int round = 0; round < 20000; round++) {
        size_t i = (size_t)round % ARRAY_SIZE(samples), n = strlen(samples[i].line);

        memcpy(text, samples[i].line, n);
        for (int k = 0; k < 3; k++) {
            seed = seed * 1664525u + 1013904223u;
            uint32_t r = seed >> 8;
            static const char likely[] = "'\"{}[](),:\\<>/ \n09";

            text[r % n] = (r & 0x800000) ? (char)(seed >> 24) : likely[r / n % (sizeof likely - 1)];
        }
        feed(samples[i].logger, text, n);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_teardown(f, forget)
    const struct CMUnitTest tests[] = {
        T(lock_acquired),  T(lock_released),  T(lock_wait),    T(semaphores),
        T(commands),       T(agent_commands), T(privsep),      T(heartbeats),
        T(message_bus),    T(flows),          T(http_request), T(http_response),
        T(http_body),      T(http_body_cut),  T(api_objects),  T(http_call),
        T(http_arrived),   T(http_returned),  T(http_served),  T(api_action),
        T(network_info),   T(agent_port),     T(ids_anywhere), T(tags_in_front),
        T(nothing_to_say), T(many_objects),   T(every_prefix), T(random_mutations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
