/* SPDX-License-Identifier: Apache-2.0
 *
 * prog_net.c -- networks, subnets, ports and routers: neutron-server answers
 * the user and tells the agents, whose tasks go on after the answer.  The
 * agents do one thing at a time under a lock of their own name, so their
 * waits are real. */
#include "sim/prog.h"

#define DHCP "neutron.agent.dhcp.agent"
#define ZED_DHCP "neutron.agent.dhcp.agent.DhcpAgent"
#define L3 "neutron.agent.l3.agent"
#define LINUX "neutron.agent.linux.utils"
#define NETNS "'ip', 'netns', 'exec', "

/* clang-format off */
/* A command through the root wrapper, as the agents log it. */
#define AGENT_CMD(cmd, ms) \
    LOG(10, LINUX, "create_process", 84, "Running command (rootwrap daemon): [" cmd "]"), \
    WORK("agent command", ms), \
    LOG(10, LINUX, "execute", 142, "\nCommand: [" cmd "]\nExit code: 0\n")
#define AGENT_CMD_RC1(cmd, ms) \
    LOG(10, LINUX, "create_process", 84, "Running command (rootwrap daemon): [" cmd "]"), \
    WORK("agent command", ms), \
    LOG(10, LINUX, "execute", 142, "\nCommand: [" cmd "]\nExit code: 1\n")
#define API_LINE(verb, path, code) \
    LOG(20, "neutron.wsgi", "server", 868, \
        "{ctl_ip} - - [{log_date}] \"" verb " " path " HTTP/1.1\" " code " 512 {took_7}")
/* clang-format on */

/* --- DHCP agent ---------------------------------------------------------- */

static const struct row dhcp_enable[] = {
    LOG(10, DHCP, "call_driver", 104, "Calling driver for network: {net} action: enable"),
    AGENT_CMD(NETNS "'qdhcp-{net}', 'ip', 'link', 'set', 'tap{hex8}-{hex8}', 'up'", 120),
    AGENT_CMD_RC1(NETNS "'qdhcp-{net}', 'ip', 'route', 'list', 'dev', 'tap{hex8}'", 60),
    AGENT_CMD(NETNS "'qdhcp-{net}', 'dnsmasq', '--no-hosts', '--no-resolv', "
                    "'--pid-file=/opt/stack/data/neutron/dhcp/{net}/pid'",
              240),
    { 0 },
};

static const struct row dhcp_network_create_in[] = {
    TASK(T_DHCP_NET_CREATE),
    ABORT(DHCP, "safe_get_network_info", 214, "Network {net} has been deleted."),
    RUN(dhcp_enable),
    WORK("dhcp setup", 520),
    TASK_END,
    { 0 },
};
static const struct row dhcp_network_create[] = {
    LOCK("dhcp-agent", DHCP ".network_create_end", ZED_DHCP "._network_create"),
    RUN(dhcp_network_create_in),
    UNLOCK,
    { 0 },
};

static const struct row dhcp_network_update_in[] = {
    TASK(T_DHCP_NET_UPDATE),
    ABORT(DHCP, "safe_get_network_info", 214, "Network {net} has been deleted."),
    LOG(10, DHCP, "call_driver", 104, "Calling driver for network: {net} action: enable"),
    WORK("dhcp setup", 140),
    TASK_END,
    { 0 },
};
static const struct row dhcp_network_update[] = {
    LOCK("dhcp-agent", DHCP ".network_update_end", ZED_DHCP "._network_update"),
    RUN(dhcp_network_update_in),
    UNLOCK,
    { 0 },
};

static const struct row dhcp_network_delete_in[] = {
    TASK(T_DHCP_NET_DELETE),
    ABORT(DHCP, "disable_dhcp_helper", 258, "Network {net} is not in the cache."),
    LOG(10, DHCP, "call_driver", 104, "Calling driver for network: {net} action: disable"),
    AGENT_CMD("'kill', '-9', '{pid}'", 50),
    AGENT_CMD("'ip', 'netns', 'delete', 'qdhcp-{net}'", 130),
    TASK_END,
    { 0 },
};
static const struct row dhcp_network_delete[] = {
    LOCK("dhcp-agent", DHCP ".network_delete_end", ZED_DHCP "._network_delete"),
    RUN(dhcp_network_delete_in),
    UNLOCK,
    { 0 },
};

static const struct row dhcp_subnet_update_in[] = {
    TASK(T_DHCP_SUBNET_UPDATE),
    ABORT(DHCP, "refresh_dhcp_helper", 273, "Network {net} could not be found."),
    LOG(10, DHCP, "call_driver", 104, "Calling driver for network: {net} action: restart"),
    RUN(dhcp_enable),
    TASK_END,
    { 0 },
};
static const struct row dhcp_subnet_update[] = {
    LOCK("dhcp-agent", DHCP ".subnet_update_end", ZED_DHCP "._subnet_update"),
    RUN(dhcp_subnet_update_in),
    UNLOCK,
    { 0 },
};

static const struct row dhcp_subnet_delete_in[] = {
    TASK(T_DHCP_SUBNET_DELETE),
    ABORT(DHCP, "refresh_dhcp_helper", 273, "Network {net} could not be found."),
    LOG(10, DHCP, "call_driver", 104, "Calling driver for network: {net} action: disable"),
    WORK("dhcp setup", 110),
    TASK_END,
    { 0 },
};
static const struct row dhcp_subnet_delete[] = {
    LOCK("dhcp-agent", DHCP ".subnet_delete_end", ZED_DHCP "._subnet_delete"),
    RUN(dhcp_subnet_delete_in),
    UNLOCK,
    { 0 },
};

static const struct row dhcp_port_update_in[] = {
    TASK(T_DHCP_PORT_CREATE),
    LOG(10, DHCP, "call_driver", 104,
        "Calling driver for network: {net} action: reload_allocations"),
    WORK("dhcp reload", 45),
    TASK_END,
    { 0 },
};
static const struct row dhcp_port_update[] = {
    LOCK("dhcp-agent", DHCP ".port_update_end", ZED_DHCP "._port_create"),
    RUN(dhcp_port_update_in),
    UNLOCK,
    { 0 },
};

static const struct row dhcp_port_delete_in[] = {
    TASK(T_DHCP_PORT_DELETE),
    ABORT(DHCP, "port_delete_end", 381, "Port {port} is not in the cache."),
    LOG(10, DHCP, "call_driver", 104,
        "Calling driver for network: {net} action: reload_allocations"),
    WORK("dhcp reload", 40),
    TASK_END,
    { 0 },
};
static const struct row dhcp_port_delete[] = {
    LOCK("dhcp-agent", DHCP ".port_delete_end", ZED_DHCP "._port_delete"),
    RUN(dhcp_port_delete_in),
    UNLOCK,
    { 0 },
};

/* --- L3 agent ------------------------------------------------------------ */

static const struct row l3_create[] = {
    LOG(10, L3, "routers_updated", 399, "Got routers updated notification :[u'{router}']"),
    TASK(T_L3_CREATE),
    ABORT(L3, "_router_added", 341, "Router {router} is not found; it may have been deleted"),
    AGENT_CMD("'ip', 'netns', 'add', 'qrouter-{router}'", 90),
    AGENT_CMD(NETNS "'qrouter-{router}', 'sysctl', '-w', 'net.ipv4.ip_forward=1'", 70),
    AGENT_CMD(NETNS "'qrouter-{router}', 'ip', 'link', 'set', 'qr-{router11}', 'up'", 110),
    WORK("iptables apply", 260),
    TASK_END,
    { 0 },
};

static const struct row l3_update[] = {
    LOG(10, L3, "routers_updated", 399, "Got routers updated notification :[u'{router}']"),
    TASK(T_L3_UPDATE),
    WORK("iptables apply", 180),
    TASK_END,
    { 0 },
};

static const struct row l3_remove[] = {
    TASK(T_L3_REMOVE),
    ABORT(L3, "_router_removed", 358,
          "Info for router {router} was not found. Performing router cleanup"),
    AGENT_CMD(NETNS "'qrouter-{router}', 'ip', 'link', 'set', 'qr-{router11}', 'down'", 80),
    AGENT_CMD("'ip', 'netns', 'delete', 'qrouter-{router}'", 140),
    TASK_END,
    { 0 },
};

static const struct row l3_delete[] = {
    LOG(10, L3, "router_deleted", 388, "Got router deleted notification for {router}"),
    TASK(T_L3_DELETE),
    WORK("router queue", 12),
    TASK_END,
    RUN(l3_remove),
    { 0 },
};

/* --- neutron-server: Nova's ports ---------------------------------------- */

const struct row neutron_port_create[] = {
    TASK(T_PORT_CREATE),
    WORK("port create", 210),
    CAST(SVC_DHCP, ON_NETNODE, "port_create_end", dhcp_port_update),
    TASK_END,
    { 0 },
};

const struct row neutron_port_update[] = {
    TASK(T_PORT_UPDATE),
    WORK("port update", 130),
    CAST(SVC_DHCP, ON_NETNODE, "port_update_end", dhcp_port_update),
    TASK_END,
    { 0 },
};

const struct row neutron_port_delete[] = {
    TASK(T_PORT_DELETE),
    WORK("port delete", 170),
    CAST(SVC_DHCP, ON_NETNODE, "port_delete_end", dhcp_port_delete),
    TASK_END,
    { 0 },
};

/* --- neutron-server: the user's calls ------------------------------------ */

const struct row api_network_create[] = {
    RUN(api_auth),
    TASK(T_NET_CREATE),
    WORK("network create", 90),
    CAST(SVC_DHCP, ON_NETNODE, "network_create_end", dhcp_network_create),
    TASK_END,
    API_LINE("POST", "/v2.0/networks.json", "201"),
    { 0 },
};

const struct row api_network_update[] = {
    RUN(api_auth),
    TASK(T_NET_UPDATE),
    WORK("network update", 60),
    CAST(SVC_DHCP, ON_NETNODE, "network_update_end", dhcp_network_update),
    TASK_END,
    API_LINE("PUT", "/v2.0/networks/{net}.json", "200"),
    { 0 },
};

const struct row api_network_delete[] = {
    RUN(api_auth),
    TASK(T_NET_DELETE),
    WORK("network delete", 110),
    CAST(SVC_DHCP, ON_NETNODE, "network_delete_end", dhcp_network_delete),
    TASK_END,
    API_LINE("DELETE", "/v2.0/networks/{net}.json", "204"),
    { 0 },
};

const struct row api_subnet_create[] = {
    RUN(api_auth),
    TASK(T_SUBNET_CREATE),
    WORK("subnet create", 100),
    CAST(SVC_DHCP, ON_NETNODE, "subnet_create_end", dhcp_subnet_update),
    TASK_END,
    API_LINE("POST", "/v2.0/subnets.json", "201"),
    { 0 },
};

const struct row api_subnet_update[] = {
    RUN(api_auth),
    TASK(T_SUBNET_UPDATE),
    WORK("subnet update", 60),
    CAST(SVC_DHCP, ON_NETNODE, "subnet_update_end", dhcp_subnet_update),
    TASK_END,
    API_LINE("PUT", "/v2.0/subnets/{subnet}.json", "200"),
    { 0 },
};

const struct row api_subnet_delete[] = {
    RUN(api_auth),
    TASK(T_SUBNET_DELETE),
    WORK("subnet delete", 90),
    CAST(SVC_DHCP, ON_NETNODE, "subnet_delete_end", dhcp_subnet_delete),
    TASK_END,
    API_LINE("DELETE", "/v2.0/subnets/{subnet}.json", "204"),
    { 0 },
};

const struct row api_port_create[] = {
    RUN(api_auth),
    RUN(neutron_port_create),
    API_LINE("POST", "/v2.0/ports.json", "201"),
    { 0 },
};

const struct row api_port_update[] = {
    RUN(api_auth),
    RUN(neutron_port_update),
    API_LINE("PUT", "/v2.0/ports/{port}.json", "200"),
    { 0 },
};

const struct row api_port_delete[] = {
    RUN(api_auth),
    RUN(neutron_port_delete),
    API_LINE("DELETE", "/v2.0/ports/{port}.json", "204"),
    { 0 },
};

const struct row api_router_create[] = {
    RUN(api_auth),
    TASK(T_ROUTER_CREATE),
    WORK("router create", 120),
    CAST(SVC_L3, ON_NETNODE, "routers_updated", l3_create),
    TASK_END,
    API_LINE("POST", "/v2.0/routers.json", "201"),
    { 0 },
};

const struct row api_router_update[] = {
    RUN(api_auth),
    TASK(T_ROUTER_UPDATE),
    WORK("router update", 70),
    CAST(SVC_L3, ON_NETNODE, "routers_updated", l3_update),
    TASK_END,
    API_LINE("PUT", "/v2.0/routers/{router}.json", "200"),
    { 0 },
};

const struct row api_router_delete[] = {
    RUN(api_auth),
    TASK(T_ROUTER_DELETE),
    WORK("router delete", 100),
    CAST(SVC_L3, ON_NETNODE, "router_deleted", l3_delete),
    TASK_END,
    API_LINE("DELETE", "/v2.0/routers/{router}.json", "204"),
    { 0 },
};
