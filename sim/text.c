/* SPDX-License-Identifier: Apache-2.0
 *
 * text.c -- the holes of log texts, see text.h.
 *
 * Simple holes are a table of names and functions; the large texts (domain
 * XML, network information, API bodies) are functions of their own, in
 * text_large.c. */
#include "sim/text.h"

#include "sim/engine.h"
#include "sim/text_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static ns_t now_of(const struct thread *t)
{
    return host_time(t->sim, t->proc->host, t->sim->now);
}

static const struct host *here(const struct thread *t)
{
    return t->proc->host;
}

#define TEXT_HOLE(name, expr)                                    \
    static void h_##name(struct sbuf *b, const struct thread *t) \
    {                                                            \
        sbuf_z(b, (expr));                                       \
    }
#define NUMBER_HOLE(name, expr)                                  \
    static void h_##name(struct sbuf *b, const struct thread *t) \
    {                                                            \
        sbuf_fmt(b, "%" PRId64, (int64_t)(expr));                \
    }

/* clang-format off */
TEXT_HOLE(vm, t->req->vm->name)
TEXT_HOLE(uuid, t->req->vm->uuid)
TEXT_HOLE(lib, t->req->vm->lib)
TEXT_HOLE(vm_state, t->req->vm->vm_state)
TEXT_HOLE(vm_task, t->req->vm->task_state ? t->req->vm->task_state : "None")
NUMBER_HOLE(power, t->req->vm->power_state)
NUMBER_HOLE(ram, t->req->vm->flavor->ram_mb)
NUMBER_HOLE(vcpus, t->req->vm->flavor->vcpus)
NUMBER_HOLE(disk, t->req->vm->flavor->disk_gb)
TEXT_HOLE(flavor, t->req->vm->flavor->name)
TEXT_HOLE(host, here(t)->sc->name)
TEXT_HOLE(host_ip, here(t)->ip)
TEXT_HOLE(ctl, t->sim->controller->sc->name)
TEXT_HOLE(ctl_ip, t->sim->controller->ip)
TEXT_HOLE(storage, t->sim->storage->sc->name)
TEXT_HOLE(src, t->req->root->src->sc->name)
TEXT_HOLE(dst, t->req->root->dst->sc->name)
TEXT_HOLE(req, t->req->id)
TEXT_HOLE(user, t->req->user->name)
TEXT_HOLE(user_id, t->req->user->id)
TEXT_HOLE(project, t->req->user->project)
TEXT_HOLE(project_id, t->req->user->project_id)
TEXT_HOLE(token, t->req->user->token)
TEXT_HOLE(net, t->req->net->id)
TEXT_HOLE(net_name, t->req->net->name)
TEXT_HOLE(subnet, t->req->net->subnet_id)
NUMBER_HOLE(net_n, t->req->net->number)
TEXT_HOLE(port, t->req->port->id)
TEXT_HOLE(mac, t->req->port->mac)
TEXT_HOLE(ip, t->req->port->ip)
TEXT_HOLE(router, t->req->router->id)
TEXT_HOLE(router_name, t->req->router->name)
TEXT_HOLE(vol, t->req->vol->id)
TEXT_HOLE(vol_name, t->req->vol->name)
NUMBER_HOLE(vol_gb, t->req->vol->size_gb)
TEXT_HOLE(attachment, t->req->vol->attachment_id)
TEXT_HOLE(snap, t->req->vol->snapshot_id)
TEXT_HOLE(migration, t->req->migration)
NUMBER_HOLE(round, t->req->root->round)
NUMBER_HOLE(percent, t->req->root->percent)
TEXT_HOLE(exc, t->exc ? t->exc : "")
TEXT_HOLE(exc_text, t->exc_text ? t->exc_text : "")
NUMBER_HOLE(phys_ram, here(t)->sc->ram_mb)
NUMBER_HOLE(used_ram, here(t)->used_ram_mb + 512)
NUMBER_HOLE(phys_disk, here(t)->sc->disk_gb)
NUMBER_HOLE(used_disk, here(t)->used_disk_gb)
NUMBER_HOLE(total_vcpus, here(t)->sc->vcpus)
NUMBER_HOLE(used_vcpus, here(t)->used_vcpus)
NUMBER_HOLE(pid, t->proc->pid)
NUMBER_HOLE(n, t->number)
/* clang-format on */

NUMBER_HOLE(ram_kib, t->req->vm->flavor->ram_mb * 1024)

static void h_vm_xml(struct sbuf *b, const struct thread *t)
{
    text_xml(b, t->req->vm->name);
}

static void h_vm_json(struct sbuf *b, const struct thread *t)
{
    text_json(b, t->req->vm->name);
}

static void h_user_xml(struct sbuf *b, const struct thread *t)
{
    text_xml(b, t->req->user->name);
}

static void h_project_xml(struct sbuf *b, const struct thread *t)
{
    text_xml(b, t->req->user->project);
}

static void h_free_ram(struct sbuf *b, const struct thread *t)
{
    int64_t ram = (int64_t)here(t)->sc->ram_mb;

    sbuf_fmt(b, "%" PRId64, ram - ram / 5 - (int64_t)here(t)->used_ram_mb);
}

static void h_ram_limit(struct sbuf *b, const struct thread *t)
{
    sbuf_fmt(b, "%.2f MB, free: %.2f", (double)here(t)->sc->ram_mb * 1.5,
             (double)here(t)->sc->ram_mb * 1.5 - (double)here(t)->used_ram_mb - 512);
}

static void h_port11(struct sbuf *b, const struct thread *t)
{
    sbuf_add(b, t->req->port->id, 11);
}

static void h_router11(struct sbuf *b, const struct thread *t)
{
    sbuf_add(b, t->req->router->port_id, 11);
}

static void h_secret_token(struct sbuf *b, const struct thread *t)
{
    /* looks like a Keystone token of its time, means nothing */
    sbuf_fmt(b, "gAAAAABX%sEXAMPLE%.24s", t->req->user->token, t->req->user->project_id);
}

static void h_seconds(struct sbuf *b, const struct thread *t)
{
    bool zed = t->sim->sc->dialect == DIALECT_ZED;

    sbuf_fmt(b, zed ? "%.7f" : "%.2f", (double)now_of(t) / 1e9);
}

static void h_took_s(struct sbuf *b, const struct thread *t)
{
    sbuf_fmt(b, "%.2f", (double)(t->sim->now - t->born) / 1e9);
}

static void h_took_7(struct sbuf *b, const struct thread *t)
{
    sbuf_fmt(b, "%.7f", (double)(t->sim->now - t->born) / 1e9);
}

static void calendar(const struct thread *t, int *day, const char **month, int *year,
                     const char **weekday, char clock[static 9])
{
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
    static const char *const days[] = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" };
    char iso[TIME_TEXT];

    time_iso(now_of(t), iso);
    *day = atoi(iso + 8);
    *month = months[(atoi(iso + 5) + 11) % 12];
    *year = atoi(iso);
    *weekday = days[now_of(t) / (86400 * NS_PER_S) % 7];
    memcpy(clock, iso + 11, 8);
    clock[8] = '\0';
}

static void h_http_date(struct sbuf *b, const struct thread *t)
{
    int day, year;
    const char *month, *weekday;
    char clock[9];

    calendar(t, &day, &month, &year, &weekday, clock);
    sbuf_fmt(b, "%s, %02d %s %d %s GMT", weekday, day, month, year, clock);
}

static void h_log_date(struct sbuf *b, const struct thread *t)
{
    int day, year;
    const char *month, *weekday;
    char clock[9];

    calendar(t, &day, &month, &year, &weekday, clock);
    sbuf_fmt(b, "%02d/%s/%d %s", day, month, year, clock);
}

static void h_day(struct sbuf *b, const struct thread *t)
{
    char iso[TIME_TEXT];

    time_iso(now_of(t), iso);
    sbuf_add(b, iso, 19);
}

/* How many hosts pass the filters: none, if that is the fault. */
static size_t passing(const struct thread *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->sim->hosts.n; i++)
        n += (t->sim->hosts.at[i].sc->roles & ROLE_COMPUTE) != 0;
    return n;
}

static void h_hosts(struct sbuf *b, const struct thread *t)
{
    sbuf_fmt(b, "%zu", passing(t));
}

static void host_state(struct sbuf *b, const struct thread *t, const struct host *h)
{
    int64_t free_mb = (int64_t)h->sc->ram_mb - 512 - (int64_t)h->used_ram_mb;
    int64_t disk_mb = ((int64_t)h->sc->disk_gb - (int64_t)h->used_disk_gb) * 1024;

    (void)t;
    sbuf_fmt(b, "(%s, %s) ram:%" PRId64 " disk:%" PRId64 " io_ops:0 instances:%" PRIu64,
             h->sc->name, h->sc->name, free_mb, disk_mb, h->vms);
}

static void h_host_states(struct sbuf *b, const struct thread *t)
{
    bool some = false;

    for (size_t i = 0; i < t->sim->hosts.n; i++) {
        const struct host *h = &t->sim->hosts.at[i];

        if (!(h->sc->roles & ROLE_COMPUTE))
            continue;
        sbuf_z(b, some ? ", " : "");
        host_state(b, t, h);
        some = true;
    }
}

static void h_weighed(struct sbuf *b, const struct thread *t)
{
    const struct host *h = t->req->root->dst;

    sbuf_z(b, "WeighedHost [host: ");
    host_state(b, t, h);
    sbuf_fmt(b, ", weight: %.1f]", passing(t) > 1 ? 1.0 : 0.0);
}

static void h_vms_here(struct sbuf *b, const struct thread *t)
{
    sbuf_fmt(b, "%" PRIu64, here(t)->vms);
}

/* Nova hashes the image's id into the name of the cached file. */
static void h_image_hash(struct sbuf *b, const struct thread *t)
{
    (void)t;
    sbuf_z(b, "a19cac03920cd555676c5735eef3f81b935574f9");
}

static void h_image(struct sbuf *b, const struct thread *t)
{
    (void)t;
    sbuf_z(b, "85f73492-803d-472a-bd2e-99a5f40699b6");
}

static void h_instances(struct sbuf *b, const struct thread *t)
{
    sbuf_z(b, t->sim->sc->dialect == DIALECT_ZED ? "/var/lib/nova/instances"
                                                 : "/opt/stack/data/instances");
}

static void h_backend(struct sbuf *b, const struct thread *t)
{
    sbuf_fmt(b, t->sim->sc->dialect == DIALECT_ZED ? "%s@loop#loop" : "%s@lvmdriver-1#lvmdriver-1",
             t->sim->storage->sc->name);
}

/* A random name for one use (a temporary file, an object id). */
static void h_hex8(struct sbuf *b, const struct thread *t)
{
    char hex[9];

    make_hex(&t->sim->rng, hex, 8);
    sbuf_z(b, hex);
}

static void h_new_uuid(struct sbuf *b, const struct thread *t)
{
    char uuid[40];

    make_uuid(&t->sim->rng, uuid);
    sbuf_z(b, uuid);
}

/* clang-format off */
#define HOLE(name) { #name, h_##name }
static const struct {
    const char *name;
    void (*fn)(struct sbuf *, const struct thread *);
} holes[] = {
    HOLE(vm), HOLE(uuid), HOLE(lib), HOLE(vm_state), HOLE(vm_task), HOLE(power), HOLE(ram),
    HOLE(vcpus), HOLE(disk), HOLE(flavor), HOLE(host), HOLE(host_ip), HOLE(ctl), HOLE(ctl_ip),
    HOLE(storage), HOLE(src), HOLE(dst), HOLE(req), HOLE(user), HOLE(user_id), HOLE(project),
    HOLE(project_id), HOLE(token), HOLE(net), HOLE(net_name), HOLE(subnet), HOLE(net_n),
    HOLE(port), HOLE(port11), HOLE(mac), HOLE(ip), HOLE(router), HOLE(router_name),
    HOLE(router11), HOLE(vol), HOLE(vol_name), HOLE(vol_gb), HOLE(attachment), HOLE(snap),
    HOLE(migration), HOLE(round), HOLE(percent), HOLE(exc), HOLE(exc_text), HOLE(phys_ram),
    HOLE(used_ram), HOLE(free_ram), HOLE(ram_limit), HOLE(phys_disk), HOLE(used_disk),
    HOLE(total_vcpus), HOLE(used_vcpus), HOLE(pid), HOLE(n), HOLE(secret_token), HOLE(seconds),
    HOLE(took_s), HOLE(took_7), HOLE(http_date), HOLE(log_date), HOLE(day), HOLE(hosts),
    HOLE(host_states), HOLE(weighed), HOLE(vms_here), HOLE(image_hash), HOLE(image),
    HOLE(ram_kib), HOLE(vm_xml), HOLE(vm_json), HOLE(user_xml), HOLE(project_xml), HOLE(instances), HOLE(backend), HOLE(hex8), HOLE(new_uuid),
    { "xml", text_domain_xml }, { "xml_repr", text_domain_xml_repr },
    { "network_info", text_network_info }, { "instance", text_instance },
    { "networks_body", text_networks_body }, { "groups_body", text_groups_body },
    { "port_body", text_port_body }, { "ports_body", text_ports_body },
    { "subnets_body", text_subnets_body }, { "port_request", text_port_request },
    { "bdm", text_bdm }, { "traceback", text_traceback },
};
/* clang-format on */

void text_fill(struct sbuf *b, const struct thread *t, const char *text)
{
    for (const char *p = text; *p;) {
        const char *open = strchr(p, '{');
        const char *close;
        size_t i = 0;

        if (!open) {
            sbuf_z(b, p);
            return;
        }
        sbuf_add(b, p, (size_t)(open - p));
        if (open[1] == '{') {
            sbuf_chr(b, '{');
            p = open + 2;
            continue;
        }
        close = strchr(open, '}');
        assert(close);
        while (i < ARRAY_SIZE(holes) &&
               !str_is((struct str){ open + 1, (size_t)(close - open - 1) }, holes[i].name))
            i++;
        assert(i < ARRAY_SIZE(holes));
        holes[i].fn(b, t);
        p = close + 1;
    }
}

void text_json(struct sbuf *b, const char *z)
{
    for (const uint8_t *p = (const uint8_t *)z; *p; p++) {
        uint32_t c = *p;
        int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;

        if (c == '"' || c == '\\') {
            sbuf_fmt(b, "\\%c", (char)c);
        } else if (c == '\n') {
            sbuf_z(b, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            sbuf_fmt(b, "\\u%04x", c);
        } else if (c < 0x80) {
            sbuf_chr(b, (char)c);
        } else {
            c &= more == 3 ? 7u : more == 2 ? 15u : 31u;
            for (int i = 0; i < more && (p[1] & 0xc0) == 0x80; i++)
                c = c << 6 | (*++p & 0x3f);
            if (c >= 0x10000)
                sbuf_fmt(b, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + (c & 0x3ff));
            else
                sbuf_fmt(b, "\\u%04x", c);
        }
    }
}

void text_xml(struct sbuf *b, const char *z)
{
    for (; *z; z++) {
        if (*z == '<')
            sbuf_z(b, "&lt;");
        else if (*z == '>')
            sbuf_z(b, "&gt;");
        else if (*z == '&')
            sbuf_z(b, "&amp;");
        else
            sbuf_chr(b, *z);
    }
}
