/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_neutron.c -- ports on their way to a bridge, and the work of agents.
 *
 * Nova asks for a port, the Neutron server binds it to a host, the Open vSwitch
 * agent there wires it, and only then Nova may start the machine.  The lines
 * of nova.network, neutron.plugins.ml2 and of the agents tell each stage. */
#include "model/oslog_priv.h"

static bool add_port(struct oslog *o, enum port_step step, struct fact_port p)
{
    struct log_fact *f = oslog_add(o, FACT_PORT);

    p.step = step;
    if (f)
        f->port = p;
    return true;
}

/* The uuid is next; ", host: H" or " on host H" may follow. */
static bool port(struct oslog *o, struct str s, int arg)
{
    struct fact_port p = { .host = STR("") };
    struct str ignored;

    if (!take_uuid(&s, &p.port))
        return false;
    if (take(&s, ", host: ") || take(&s, " on host ") || take_to(&s, " with host ", &ignored) ||
        take_to(&s, " on host ", &ignored) || take_to(&s, " and host ", &ignored))
        take_word(&s, &p.host);
    else if (take(&s, " on network "))
        take_uuid(&s, &p.network);
    else if (take(&s, " owned by "))
        take_word(&s, &p.owner);
    return add_port(o, (enum port_step)arg, p);
}

/* Allocated IP 192.168.50.96 (network/subnet/port) */
static bool port_addressed(struct oslog *o, struct str s, int arg)
{
    struct fact_port p = { .host = STR("") };

    if (!take_to(&s, " (", &p.ip) || !take_uuid(&s, &p.network) || !take(&s, "/") ||
        !take_uuid(&s, &p.subnet) || !take(&s, "/"))
        return false;
    take_uuid(&s, &p.port);
    return add_port(o, (enum port_step)arg, p);
}

/* Setting status for X to UP */
static bool port_status(struct oslog *o, struct str s, int arg)
{
    struct fact_port p = { .host = STR("") };

    if (!take_uuid(&s, &p.port))
        return false;
    return take(&s, " to UP") && add_port(o, (enum port_step)arg, p);
}

/* Successfully plugged vif VIFOpenVSwitch(..,id=X,..,vif_name='tap..') (os-vif) */
static bool port_vif(struct oslog *o, struct str s, int arg)
{
    struct fact_port p = { .host = STR("") };
    struct str ignored, r = s;

    if (!take_to(&r, ",id=", &ignored) || !take_uuid(&r, &p.port))
        return false;
    if (take_to(&r, "vif_name='", &ignored))
        take_to(&r, "'", &p.tap);
    return add_port(o, (enum port_step)arg, p);
}

/* Net device removed: 'qvoa2b1d2b8-24' */
static bool port_device(struct oslog *o, struct str s, int arg)
{
    struct fact_port p = { .host = STR("") };

    return take_word(&s, &p.tap) && add_port(o, (enum port_step)arg, p);
}

static bool add_work(struct oslog *o, struct fact_work w)
{
    struct log_fact *f = oslog_add(o, FACT_AGENT_WORK);

    if (f)
        f->work = w;
    return true;
}

/* Agent rpc_loop - iteration:1083 started; .. completed. Processed ports
 * statistics: {..}. Elapsed:0.003 */
static bool rpc_loop(struct oslog *o, struct str s, int arg)
{
    struct fact_work w = { .what = STR("rpc_loop"), .ns = OSLOG_NO_NS };
    struct str ignored;
    size_t n = 0;

    (void)arg;
    while (n < s.n && s.p[n] >= '0' && s.p[n] <= '9')
        n++;
    w.id = str_first(s, n);
    s = str_from(s, n);
    if (n == 0)
        return false;
    if (take(&s, " started")) {
        w.stage = WORK_START;
    } else if (take(&s, " completed")) {
        w.stage = WORK_END;
        if (take_to(&s, "Elapsed:", &ignored))
            take_seconds(&s, &w.ns);
    } else {
        return false; /* a point in between */
    }
    return add_work(o, w);
}

/* process_network_ports - iteration:N - ports processed. Time elapsed: 0.3 */
static bool ports_work(struct oslog *o, struct str s, int arg)
{
    struct fact_work w = { .stage = (enum work_stage)arg, .ns = OSLOG_NO_NS };
    struct str ignored;

    if (!take_to(&s, " - ", &w.id) || w.id.n > 20)
        return false;
    if (take_to(&s, " processed in ", &w.what) || take_to(&s, " completed in ", &w.what) ||
        (take_to(&s, ". ", &w.what) && take_to(&s, "ime elapsed: ", &ignored)))
        take_seconds(&s, &w.ns);
    if (str_ends(w.what, STR(" completed")))
        w.what.n -= 10;
    return w.what.n > 0 && w.ns != OSLOG_NO_NS && add_work(o, w);
}

/* Starting router update for X[, action 3, priority 1, update_id U. Wait time
 * elapsed: 0.001]; Finished a router update for X[, update_id U. Time elapsed:
 * 7.726].  In between stands the kind of work. */
static bool router_work(struct oslog *o, struct str s, int arg)
{
    struct fact_work w = { .stage = (enum work_stage)arg, .ns = OSLOG_NO_NS };
    struct str ignored;

    if (!take_to(&s, " for ", &w.what) || !take_uuid(&s, &w.id))
        return false;
    if (take_to(&s, "update_id ", &ignored))
        take_uuid(&s, &w.update_id);
    if (take_to(&s, "ime elapsed: ", &ignored))
        take_seconds(&s, &w.ns);
    return add_work(o, w);
}

/* Calling driver for network: X action: reload_allocations (DHCP agent) */
static bool dhcp_driver(struct oslog *o, struct str s, int arg)
{
    struct fact_work w = { .stage = (enum work_stage)arg, .ns = OSLOG_NO_NS };

    return take_uuid(&s, &w.id) && take(&s, " action: ") && take_word(&s, &w.what) &&
           add_work(o, w);
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("Successfully created port: "), .parse = port, .arg = PORT_CREATED },
    { .starts = STR("Successfully updated port: "), .parse = port, .arg = PORT_UPDATED },
    { .starts = STR("Attempting to bind port "), .parse = port, .arg = PORT_BINDING },
    { .starts = STR("Bound port: "), .parse = port, .arg = PORT_BOUND },
    { .starts = STR("Activated binding for port "), .parse = port, .arg = PORT_BOUND },
    { .starts = STR("Processing port: "), .parse = port, .arg = PORT_PROCESSING },
    { .starts = STR("Processing port "), .logger = "neutron.*", .parse = port, .arg = PORT_PROCESSING },
    { .starts = STR("Device "), .has = STR(" up at agent "), .parse = port, .arg = PORT_UP },
    { .starts = STR("Setting status for "), .parse = port_status, .arg = PORT_UP },
    { .starts = STR("Calling delete_port for "), .parse = port, .arg = PORT_DELETING },
    { .starts = STR("Allocated IP "), .parse = port_addressed, .arg = PORT_ADDRESSED },
    { .starts = STR("Successfully plugged vif "), .parse = port_vif, .arg = PORT_PLUGGED },
    { .starts = STR("Successfully unplugged vif "), .parse = port_vif, .arg = PORT_UNPLUGGED },
    { .starts = STR("Net device removed: "), .parse = port_device, .arg = PORT_UNPLUGGED },

    { .starts = STR("Agent rpc_loop - iteration:"), .parse = rpc_loop },
    { .starts = STR("process_network_ports - iteration:"), .parse = ports_work, .arg = WORK_END },
    { .starts = STR("Starting "), .has = STR(" for "), .logger = "neutron.agent.l3.*", .parse = router_work, .arg = WORK_START },
    { .starts = STR("Finished a "), .logger = "neutron.agent.l3.*", .parse = router_work, .arg = WORK_END },
    { .starts = STR("Finished "), .logger = "neutron.agent.l3.*", .parse = router_work, .arg = WORK_END },
    { .starts = STR("Calling driver for network: "), .parse = dhcp_driver, .arg = WORK_POINT },
};
/* clang-format on */

const struct oslog_table oslog_neutron_forms = FORMS(rows);
