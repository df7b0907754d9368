/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_objects.c -- the API objects in a body: networks, ports, servers, ...
 *
 * A body is one JSON object with one interesting member, singular or plural.
 * Neutron logs the bodies that it gets as Python dicts, its agents log what
 * the server told them in the same way, and Nova logs its cache of VIFs: the
 * literal reader takes all of them. */
#include "model/oslog_priv.h"

static const struct {
    const char *one, *many;
    enum api_kind kind;
} names[] = {
    { "network", "networks", API_NETWORK },
    { "subnet", "subnets", API_SUBNET },
    { "port", "ports", API_PORT },
    { "security_group", "security_groups", API_SECURITY_GROUP },
    { "router", "routers", API_ROUTER },
    { "floatingip", "floatingips", API_FLOATING_IP },
    { "server", "servers", API_SERVER },
    { "volume", "volumes", API_VOLUME },
    { "snapshot", "snapshots", API_SNAPSHOT },
    { "volumeAttachment", "volumeAttachments", API_ATTACHMENT },
    { "attachment", "attachments", API_ATTACHMENT },
    { "event", "events", API_EVENT },
};

static struct str first_of(const struct tree *t, const char *a, const char *b, const char *c)
{
    struct str v = tree_member(t, a);

    if (!v.n && b)
        v = tree_member(t, b);
    return !v.n && c ? tree_member(t, c) : v;
}

static const struct tree *member_at(const struct tree *t, const char *key)
{
    const struct tree *c = t ? t->child : NULL;

    while (c && !str_is(c->key, key))
        c = c->next;
    return c;
}

/* Collects the text of 'key' of each member of 'list'. */
static void collect(struct oslog *o, const struct tree *list, const char *key,
                    struct fact_object *f)
{
    size_t n = tree_count(list);
    struct str *ips = n ? arena_array(o->a, struct str, n) : NULL;

    for (const struct tree *c = list ? list->child : NULL; c; c = c->next) {
        struct str v = tree_member(c, key);

        if (v.n)
            ips[f->n_ips++] = v;
    }
    f->ips = ips;
}

static void add_object(struct oslog *o, const struct tree *t, enum api_kind kind,
                       enum api_origin origin, bool truncated)
{
    struct log_fact *f = t && t->kind == TREE_OBJECT ? oslog_add(o, FACT_API_OBJECT) : NULL;

    if (!f)
        return;
    struct fact_object *b = &f->object;
    *b = (struct fact_object){
        .kind = kind,
        .origin = origin,
        .truncated = truncated,
        .id = first_of(t, "id", "port_id", "tag"),
        .name = tree_member(t, "name"),
        .status = tree_member(t, "status"),
        .network_id = tree_member(t, "network_id"),
        .device_id = tree_member(t, "device_id"),
        .device_owner = tree_member(t, "device_owner"),
        .mac = tree_member(t, "mac_address"),
        .host = first_of(t, "binding:host_id", "OS-EXT-SRV-ATTR:host", "os-vol-host-attr:host"),
        .cidr = tree_member(t, "cidr"),
        .tenant_id = first_of(t, "tenant_id", "project_id", NULL),
        .network_type = first_of(t, "provider:network_type", "network_type", NULL),
        .volume_id = first_of(t, "volume_id", "volumeId", NULL),
        .device = tree_member(t, "device"),
        .segmentation_id = OSLOG_NO_I64,
    };
    if (!tree_i64(t, "provider:segmentation_id", &b->segmentation_id))
        tree_i64(t, "segmentation_id", &b->segmentation_id);
    if (kind == API_EVENT)
        b->device_id = tree_member(t, "server_uuid");
    else if (kind == API_ATTACHMENT)
        b->device_id = first_of(t, "serverId", "instance_uuid", "instance");
    else if (kind == API_FLOATING_IP)
        b->device_id = tree_member(t, "port_id");
    if (kind == API_ATTACHMENT && tree_member(t, "attachment_id").n)
        b->id = tree_member(t, "attachment_id");
    collect(o, member_at(t, "fixed_ips"), "ip_address", b);
}

void oslog_objects(struct oslog *o, struct str s, enum api_origin origin)
{
    struct tree *root;
    size_t at = 0;

    if (!s.n || (s.p[0] != '{' && s.p[0] != '['))
        return;
    bool whole = tree_read(s, &at, o->a, &root) == TREE_COMPLETE;
    if (!root || root->kind != TREE_OBJECT)
        return;
    for (const struct tree *m = root->child; m; m = m->next) {
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
            bool many = str_is(m->key, names[i].many);

            if (!many && !str_is(m->key, names[i].one))
                continue;
            if (!many)
                add_object(o, m, names[i].kind, origin, !whole && !m->next);
            for (const struct tree *c = many ? m->child : NULL; c; c = c->next)
                add_object(o, c, names[i].kind, origin, !whole && !m->next && !c->next);
        }
    }
}

/* One VIF of Nova's network info; 2016 as repr VIF({..}), later as JSON. */
static void add_vif(struct oslog *o, const struct tree *t, bool truncated)
{
    const struct tree *network = member_at(t, "network");
    const struct tree *subnets = member_at(network, "subnets");
    size_t n = 0;

    if (t->kind != TREE_OBJECT || !tree_member(t, "id").n)
        return;
    struct log_fact *f = oslog_add(o, FACT_API_OBJECT);
    if (!f)
        return;
    f->object = (struct fact_object){
        .kind = API_PORT,
        .origin = API_CACHE,
        .truncated = truncated,
        .id = tree_member(t, "id"),
        .mac = tree_member(t, "address"),
        .tap = tree_member(t, "devname"),
        .network_type = tree_member(t, "type"),
        .network_id = tree_member(network, "id"),
        .tenant_id = tree_get(network, "meta.tenant_id"),
        .device_id = oslog_line_instance(o),
        .segmentation_id = OSLOG_NO_I64,
    };
    for (const struct tree *s = subnets ? subnets->child : NULL; s; s = s->next)
        n += tree_count(member_at(s, "ips"));
    struct str *ips = n ? arena_array(o->a, struct str, n) : NULL;
    for (const struct tree *s = subnets ? subnets->child : NULL; s; s = s->next) {
        const struct tree *list = member_at(s, "ips");

        for (const struct tree *c = list ? list->child : NULL; c; c = c->next) {
            struct str ip = tree_member(c, "address");

            if (ip.n)
                ips[f->object.n_ips++] = ip;
        }
    }
    f->object.ips = ips;
}

/* Instance network_info: |[VIF(..)]| and Updating instance_info_cache with
 * network_info: [..] */
static bool network_info(struct oslog *o, struct str s, int arg)
{
    struct tree *root;
    size_t at = 0;

    (void)arg;
    take(&s, "|");
    if (!s.n || s.p[0] != '[')
        return false;
    bool whole = tree_read(s, &at, o->a, &root) == TREE_COMPLETE;
    for (const struct tree *c = root ? root->child : NULL; c; c = c->next)
        add_vif(o, c, !whole && !c->next);
    return o->out->n > 0;
}

/* What the Neutron server tells an agent about a port: Returning: {..} and
 * Port X updated. Details: {..} */
static bool agent_port(struct oslog *o, struct str s, int details)
{
    struct tree *root;
    struct str ignored;
    size_t at = 0;

    if (details && !take_to(&s, " updated. Details: ", &ignored))
        return false;
    if (!s.n || s.p[0] != '{')
        return false;
    bool whole = tree_read(s, &at, o->a, &root) == TREE_COMPLETE;
    if (!tree_member(root, "mac_address").n)
        return false;
    add_object(o, root, API_PORT, API_AGENT, !whole);
    return true;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("Updating instance_info_cache with network_info: "), .parse = network_info },
    { .starts = STR("Instance network_info: "), .parse = network_info },
    { .starts = STR("Start _get_guest_xml network_info="), .parse = network_info },
    { .starts = STR("Returning: "), .logger = "neutron.*", .parse = agent_port },
    { .starts = STR("Port "), .has = STR(" updated. Details: "), .parse = agent_port, .arg = 1 },
    { .starts = STR("appending port "), .logger = "neutron.*", .parse = agent_port },
};
/* clang-format on */

const struct oslog_table oslog_object_forms = FORMS(rows);
