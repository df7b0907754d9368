/* SPDX-License-Identifier: Apache-2.0
 *
 * text_large.c -- domain XML, network information and API bodies as the
 * services log them: the only places where a VM's libvirt name, its tap
 * device, its user and its disks stand together, so readers live on them. */
#include "sim/text_priv.h"

#include "sim/engine.h"
#include "sim/text.h"

#include <inttypes.h>
#include <string.h>

static bool is_zed(const struct thread *t)
{
    return t->sim->sc->dialect == DIALECT_ZED;
}

/* Most texts differ in a few places only; '%s' would hide what they are. */
#define XML_HEAD              \
    "  <uuid>{uuid}</uuid>\n" \
    "  <name>{lib}</name>\n"
#define XML_NOVA                                                                 \
    "      <nova:name>{vm_xml}</nova:name>\n"                                    \
    "      <nova:creationTime>{day}</nova:creationTime>\n"                       \
    "      <nova:flavor name=\"{flavor}\">\n"                                    \
    "        <nova:memory>{ram}</nova:memory>\n"                                 \
    "        <nova:disk>{disk}</nova:disk>\n"                                    \
    "        <nova:swap>0</nova:swap>\n"                                         \
    "        <nova:ephemeral>0</nova:ephemeral>\n"                               \
    "        <nova:vcpus>{vcpus}</nova:vcpus>\n"                                 \
    "      </nova:flavor>\n"                                                     \
    "      <nova:owner>\n"                                                       \
    "        <nova:user uuid=\"{user_id}\">{user_xml}</nova:user>\n"             \
    "        <nova:project uuid=\"{project_id}\">{project_xml}</nova:project>\n" \
    "      </nova:owner>\n"                                                      \
    "      <nova:root type=\"image\" uuid=\"{image}\"/>\n"
#define XML_SYSINFO(version)                                            \
    "    </nova:instance>\n"                                            \
    "  </metadata>\n"                                                   \
    "  <sysinfo type=\"smbios\">\n"                                     \
    "    <system>\n"                                                    \
    "      <entry name=\"manufacturer\">OpenStack Foundation</entry>\n" \
    "      <entry name=\"product\">OpenStack Nova</entry>\n"            \
    "      <entry name=\"version\">" version "</entry>\n"               \
    "      <entry name=\"uuid\">{uuid}</entry>\n"                       \
    "      <entry name=\"family\">Virtual Machine</entry>\n"            \
    "    </system>\n"                                                   \
    "  </sysinfo>\n"
#define XML_CPU                                                       \
    "  <cpu match=\"exact\">\n"                                       \
    "    <topology sockets=\"{vcpus}\" cores=\"1\" threads=\"1\"/>\n" \
    "  </cpu>\n"                                                      \
    "  <devices>\n"                                                   \
    "    <disk type=\"file\" device=\"disk\">\n"                      \
    "      <driver name=\"qemu\" type=\"qcow2\" cache=\"none\"/>\n"   \
    "      <source file=\"{instances}/{uuid}/disk\"/>\n"              \
    "      <target bus=\"virtio\" dev=\"vda\"/>\n"                    \
    "    </disk>\n"
#define XML_TAIL                          \
    "    <memballoon model=\"virtio\">\n" \
    "      <stats period=\"10\"/>\n"      \
    "    </memballoon>\n"                 \
    "  </devices>\n"                      \
    "</domain>\n"

static const char old_xml[] =
    "<domain type=\"kvm\">\n" XML_HEAD "  <memory>{ram_kib}</memory>\n"
    "  <vcpu>{vcpus}</vcpu>\n"
    "  <metadata>\n"
    "    <nova:instance xmlns:nova=\"http://openstack.org/xmlns/libvirt/nova/1.0\">\n"
    "      <nova:package version=\"12.0.5\"/>\n" XML_NOVA XML_SYSINFO(
        "12.0.5") "  <os>\n"
                  "    <type>hvm</type>\n"
                  "    <boot dev=\"hd\"/>\n"
                  "    <smbios mode=\"sysinfo\"/>\n"
                  "  </os>\n"
                  "  <features>\n"
                  "    <acpi/>\n"
                  "    <apic/>\n"
                  "  </features>\n"
                  "  <cputune>\n"
                  "    <shares>1024</shares>\n"
                  "  </cputune>\n"
                  "  <clock offset=\"utc\">\n"
                  "    <timer name=\"pit\" tickpolicy=\"delay\"/>\n"
                  "    <timer name=\"rtc\" tickpolicy=\"catchup\"/>\n"
                  "    <timer name=\"hpet\" present=\"no\"/>\n"
                  "  </clock>\n" XML_CPU "    <disk type=\"file\" device=\"cdrom\">\n"
                  "      <driver name=\"qemu\" type=\"raw\" cache=\"none\"/>\n"
                  "      <source file=\"{instances}/{uuid}/disk.config\"/>\n"
                  "      <target bus=\"ide\" dev=\"hdd\"/>\n"
                  "    </disk>\n"
                  "    <interface type=\"bridge\">\n"
                  "      <mac address=\"{mac}\"/>\n"
                  "      <model type=\"virtio\"/>\n"
                  "      <source bridge=\"qbr{port11}\"/>\n"
                  "      <target dev=\"tap{port11}\"/>\n"
                  "    </interface>\n"
                  "    <serial type=\"file\">\n"
                  "      <source path=\"{instances}/{uuid}/console.log\"/>\n"
                  "    </serial>\n"
                  "    <serial type=\"pty\"/>\n"
                  "    <graphics type=\"vnc\" autoport=\"yes\" keymap=\"en-us\" "
                  "listen=\"0.0.0.0\"/>\n"
                  "    <video>\n"
                  "      <model type=\"cirrus\"/>\n"
                  "    </video>\n" XML_TAIL;

static const char zed_xml[] =
    "<domain type=\"kvm\">\n" XML_HEAD "  <memory>{ram_kib}</memory>\n"
    "  <vcpu>{vcpus}</vcpu>\n"
    "  <metadata>\n"
    "    <nova:instance xmlns:nova=\"http://openstack.org/xmlns/libvirt/nova/1.1\">\n"
    "      <nova:package version=\"26.2.2\"/>\n" XML_NOVA "      <nova:ports>\n"
    "        <nova:port uuid=\"{port}\">\n"
    "          <nova:ip type=\"fixed\" address=\"{ip}\" ipVersion=\"4\"/>\n"
    "        </nova:port>\n"
    "      </nova:ports>\n" XML_SYSINFO(
        "26.2.2") "  <os>\n"
                  "    <type arch=\"x86_64\" machine=\"pc\">hvm</type>\n"
                  "    <boot dev=\"hd\"/>\n"
                  "    <smbios mode=\"sysinfo\"/>\n"
                  "  </os>\n"
                  "  <features>\n"
                  "    <acpi/>\n"
                  "    <apic/>\n"
                  "    <vmcoreinfo/>\n"
                  "  </features>\n"
                  "  <clock offset=\"utc\"/>\n" XML_CPU "    <interface type=\"ethernet\">\n"
                  "      <mac address=\"{mac}\"/>\n"
                  "      <model type=\"virtio\"/>\n"
                  "      <driver name=\"qemu\"/>\n"
                  "      <mtu size=\"1450\"/>\n"
                  "      <target dev=\"tap{port11}\"/>\n"
                  "    </interface>\n"
                  "    <serial type=\"pty\">\n"
                  "      <log file=\"{instances}/{uuid}/console.log\" append=\"off\"/>\n"
                  "    </serial>\n"
                  "    <rng model=\"virtio\">\n"
                  "      <backend model=\"random\">/dev/urandom</backend>\n"
                  "    </rng>\n" XML_TAIL;

void text_domain_xml(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t, is_zed(t) ? zed_xml : old_xml);
}

void text_domain_xml_repr(struct sbuf *b, const struct thread *t)
{
    struct sbuf xml = { 0 };

    text_domain_xml(&xml, t);
    for (size_t i = 0; i < xml.n; i++) {
        if (xml.p[i] == '\n')
            sbuf_z(b, "\\n");
        else if (xml.p[i] == '\'' || xml.p[i] == '\\')
            sbuf_fmt(b, "\\%c", xml.p[i]);
        else
            sbuf_chr(b, xml.p[i]);
    }
    sbuf_free(&xml);
}

void text_network_info(struct sbuf *b, const struct thread *t)
{
    text_fill(
        b, t,
        is_zed(t)
            ? "[{{\"id\": \"{port}\", \"address\": \"{mac}\", \"network\": {{\"id\": \"{net}\", "
              "\"bridge\": \"br-int\", \"label\": \"{net_name}\", \"subnets\": [{{\"cidr\": "
              "\"10.{net_n}.0.0/24\", \"dns\": [], \"gateway\": {{\"address\": \"10.{net_n}.0.1\", "
              "\"type\": \"gateway\", \"version\": 4, \"meta\": {{}}, \"ips\": [{{\"address\": "
              "\"{ip}\", \"type\": \"fixed\", \"version\": 4, \"meta\": {{}, \"floating_ips\": "
              "[]}], \"routes\": [], \"version\": 4, \"meta\": {{}}], \"meta\": {{\"injected\": "
              "false, \"tenant_id\": \"{project_id}\", \"mtu\": 1450, \"tunneled\": true}}, "
              "\"type\": \"ovs\", \"details\": {{\"port_filter\": true, \"connectivity\": \"l2\"}, "
              "\"devname\": \"tap{port11}\", \"ovs_interfaceid\": \"{port}\", \"active\": false, "
              "\"vnic_type\": \"normal\", \"profile\": {{}, \"meta\": {{}}]"
            : "[VIF({{'profile': {{}, 'ovs_interfaceid': u'{port}', 'preserve_on_delete': False, "
              "'network': Network({{'bridge': 'br-int', 'subnets': [Subnet({{'ips': [FixedIP({{"
              "'meta': {{}, 'version': 4, 'type': 'fixed', 'floating_ips': [], 'address': "
              "u'{ip}'})], 'version': 4, 'meta': {{}, 'dns': [], 'routes': [], 'cidr': "
              "u'10.{net_n}.0.0/24', 'gateway': IP({{'meta': {{}, 'version': 4, 'type': "
              "'gateway', 'address': u'10.{net_n}.0.1'})})], 'meta': {{'injected': False, "
              "'tenant_id': u'{project_id}', 'mtu': 1450}, 'id': u'{net}', 'label': "
              "u'{net_name}'}), 'devname': u'tap{port11}', 'vnic_type': u'normal', 'qbh_params': "
              "None, 'meta': {{}, 'details': {{u'port_filter': True, u'ovs_hybrid_plug': True}, "
              "'address': u'{mac}', 'active': False, 'type': u'ovs', 'id': u'{port}', "
              "'qbg_params': None})]");
}

void text_instance(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "Instance(access_ip_v4=None,access_ip_v6=None,architecture=None,"
              "auto_disk_config=False,availability_zone='nova',cell_name=None,cleaned=False,"
              "config_drive='',created_at={day},default_ephemeral_device=None,"
              "default_swap_device=None,deleted=False,deleted_at=None,disable_terminate=False,"
              "display_description='{vm}',display_name='{vm}',ephemeral_gb=0,host='{host}',"
              "hostname='{vm}',id=<?>,image_ref='{image}',memory_mb={ram},node='{host}',"
              "os_type=None,power_state={power},progress=0,project_id='{project_id}',"
              "ramdisk_id='',reservation_id='r-{hex8}',root_device_name='/dev/vda',root_gb={disk},"
              "task_state='{vm_task}',user_id='{user_id}',uuid={uuid},vcpus={vcpus},"
              "vm_state='{vm_state}') vif=VIF({{'devname': u'tap{port11}', 'id': u'{port}', "
              "'address': u'{mac}', 'type': u'ovs'})");
}

void text_networks_body(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "{{\"networks\": [{{\"status\": \"ACTIVE\", \"subnets\": [\"{subnet}\"], \"name\": "
              "\"{net_name}\", \"provider:physical_network\": null, \"admin_state_up\": true, "
              "\"tenant_id\": \"{project_id}\", \"mtu\": 1450, \"router:external\": false, "
              "\"shared\": false, \"port_security_enabled\": true, \"provider:network_type\": "
              "\"vxlan\", \"id\": \"{net}\", \"provider:segmentation_id\": 10{net_n}}]}");
}

void text_groups_body(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "{{\"security_groups\": [{{\"tenant_id\": \"{project_id}\", \"description\": "
              "\"Default security group\", \"id\": \"20d21fe8-6bca-4cb4-995d-9a5b52af3522\", "
              "\"security_group_rules\": [], \"name\": \"default\"}]}");
}

static void port_object(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "{{\"status\": \"DOWN\", \"binding:host_id\": \"{host}\", "
              "\"allowed_address_pairs\": [], \"extra_dhcp_opts\": [], \"device_owner\": "
              "\"compute:None\", \"port_security_enabled\": true, \"binding:profile\": {{}, "
              "\"fixed_ips\": [{{\"subnet_id\": \"{subnet}\", \"ip_address\": \"{ip}\"}], \"id\": "
              "\"{port}\", \"security_groups\": [\"20d21fe8-6bca-4cb4-995d-9a5b52af3522\"], "
              "\"device_id\": \"{uuid}\", \"name\": \"\", \"admin_state_up\": true, "
              "\"network_id\": \"{net}\", \"dns_name\": \"\", \"binding:vif_details\": "
              "{{\"port_filter\": true, \"ovs_hybrid_plug\": true}, \"binding:vnic_type\": "
              "\"normal\", \"binding:vif_type\": \"ovs\", \"tenant_id\": \"{project_id}\", "
              "\"mac_address\": \"{mac}\"}");
}

void text_port_body(struct sbuf *b, const struct thread *t)
{
    sbuf_z(b, "{\"port\": ");
    port_object(b, t);
    sbuf_z(b, "}");
}

void text_ports_body(struct sbuf *b, const struct thread *t)
{
    sbuf_z(b, "{\"ports\": [");
    port_object(b, t);
    sbuf_z(b, "]}");
}

void text_subnets_body(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "{{\"subnets\": [{{\"name\": \"{net_name}-subnet\", \"enable_dhcp\": true, "
              "\"network_id\": \"{net}\", \"tenant_id\": \"{project_id}\", \"dns_nameservers\": "
              "[], \"gateway_ip\": \"10.{net_n}.0.1\", \"ipv6_ra_mode\": null, "
              "\"allocation_pools\": [{{\"start\": \"10.{net_n}.0.2\", \"end\": "
              "\"10.{net_n}.0.254\"}], \"host_routes\": [], \"ip_version\": 4, "
              "\"ipv6_address_mode\": null, \"cidr\": \"10.{net_n}.0.0/24\", \"id\": "
              "\"{subnet}\", \"subnetpool_id\": null}]}");
}

void text_port_request(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "{{\"port\": {{\"binding:host_id\": \"{host}\", \"admin_state_up\": true, "
              "\"network_id\": \"{net}\", \"tenant_id\": \"{project_id}\", \"device_owner\": "
              "\"compute:None\", \"security_groups\": "
              "[\"20d21fe8-6bca-4cb4-995d-9a5b52af3522\"], \"device_id\": \"{uuid}\"}}");
}

void text_bdm(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              "BlockDeviceMapping(boot_index=0,connection_info=None,created_at={day},"
              "delete_on_termination=True,deleted=False,deleted_at=None,destination_type='local',"
              "device_name='/dev/vda',device_type='disk',disk_bus=None,guest_format=None,id=<?>,"
              "image_id='{image}',instance=<?>,instance_uuid={uuid},no_device=False,"
              "snapshot_id=None,source_type='image',updated_at={day},volume_id=None,"
              "volume_size=None)");
}

void text_traceback(struct sbuf *b, const struct thread *t)
{
    text_fill(b, t,
              is_zed(t)
                  ? "Traceback (most recent call last):\n"
                    "  File \"/usr/lib/python3/dist-packages/oslo_messaging/rpc/server.py\", line "
                    "165, in _process_incoming\n"
                    "    res = self.dispatcher.dispatch(message)\n"
                    "{exc}: {exc_text}\n"
                  : "Traceback (most recent call last):\n"
                    "  File \"/usr/local/lib/python2.7/dist-packages/oslo_messaging/rpc/"
                    "dispatcher.py\", line 142, in _dispatch_and_reply\n"
                    "    executor_callback))\n"
                    "{exc}: {exc_text}\n");
}
