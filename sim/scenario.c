/* SPDX-License-Identifier: Apache-2.0
 *
 * scenario.c -- reads and checks scenario files, see scenario.h.
 *
 * Every object of the file is a table of keys (name, type, place in the
 * struct, range), and one function reads them all: so an unknown key, a wrong
 * type and a number out of range are found everywhere and told alike. */
#define _GNU_SOURCE
#include "sim/scenario_priv.h"

#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const operation_names[DO_COUNT] = {
#define X(id, name, on) [id] = name,
    SIM_OPERATIONS(X)
#undef X
};

const char *const fault_names[FAULT_COUNT] = {
#define X(id, name) [id] = name,
    SIM_FAULTS(X)
#undef X
};

/* What an operation works on; "new" ones declare the name. */
enum on {
    ON_VM,
    ON_NEW_VM,
    ON_VOLUME,
    ON_NEW_VOLUME,
    ON_VOLUME_AND_VM,
    ON_NETWORK,
    ON_NEW_NETWORK,
    ON_ROUTER,
    ON_NEW_ROUTER,
    ON_PORT,
    ON_NEW_PORT,
};

static const enum on operation_on[DO_COUNT] = {
#define X(id, name, on) [id] = on,
    SIM_OPERATIONS(X)
#undef X
};

int sc_wrong(struct reader *r, const char *path, const char *key, const char *what)
{
    return err_set(r->err, E_ARG, "%s%s%s: %s", path, *path && *key ? "." : "", key, what);
}

static int read_number(struct reader *r, const char *path, const struct key *k, const json_t *v,
                       double *ret)
{
    char what[128];

    if (!json_is_number(v))
        return sc_wrong(r, path, k->name, "must be a number");
    *ret = json_number_value(v);
    if (!isfinite(*ret) || *ret < k->min || *ret > k->max) {
        snprintf(what, sizeof what, "must be between %g and %g", k->min, k->max);
        return sc_wrong(r, path, k->name, what);
    }
    if ((k->type == KEY_UINT || k->type == KEY_UNSIGNED || k->type == KEY_INT) &&
        !json_is_integer(v))
        return sc_wrong(r, path, k->name, "must be a whole number");
    return 0;
}

static int read_value(struct reader *r, const char *path, const struct key *k, const json_t *v,
                      char *into)
{
    double number = 0;

    if (k->type == KEY_OTHER)
        return 0;
    if (k->type == KEY_TEXT) {
        if (!json_is_string(v) || json_string_length(v) == 0 || json_string_length(v) > 255)
            return sc_wrong(r, path, k->name, "must be a text of 1 to 255 bytes");
        const char *copy = arena_strdup(&r->s->mem, json_string_value(v), json_string_length(v));

        memcpy(into + k->offset, &copy, sizeof copy);
        return 0;
    }
    if (k->type == KEY_BOOL) {
        if (!json_is_boolean(v))
            return sc_wrong(r, path, k->name, "must be true or false");
        memcpy(into + k->offset, &(bool){ json_is_true(v) }, sizeof(bool));
        return 0;
    }
    if (read_number(r, path, k, v, &number) < 0)
        return -(int)r->err->code;
    int64_t whole = json_is_integer(v) ? (int64_t)json_integer_value(v) : 0;
    double ns = number * (k->type == KEY_SECONDS ? 1e9 : 1e6);

    if (k->type == KEY_UINT || k->type == KEY_INT)
        memcpy(into + k->offset, &whole, sizeof whole);
    else if (k->type == KEY_UNSIGNED)
        memcpy(into + k->offset, &(unsigned){ (unsigned)whole }, sizeof(unsigned));
    else if (k->type == KEY_REAL)
        memcpy(into + k->offset, &number, sizeof number);
    else
        memcpy(into + k->offset, &(ns_t){ (ns_t)llround(ns) }, sizeof(ns_t));
    return 0;
}

int sc_read_object(struct reader *r, const char *path, const json_t *o, const struct key *keys,
                   size_t n, void *into)
{
    if (!json_is_object(o))
        return sc_wrong(r, path, "", "must be an object");
    /* Insertion order, so that the first mistake in the file is reported. */
    for (void *i = json_object_iter((json_t *)(uintptr_t)o); i;
         i = json_object_iter_next((json_t *)(uintptr_t)o, i)) {
        const char *name = json_object_iter_key(i);
        size_t k = 0;

        while (k < n && strcmp(keys[k].name, name) != 0)
            k++;
        if (k == n)
            return sc_wrong(r, path, name, "unknown key");
        if (read_value(r, path, &keys[k], json_object_iter_value(i), into) < 0)
            return -(int)r->err->code;
    }
    for (size_t k = 0; k < n; k++)
        if (keys[k].required && !json_object_get(o, keys[k].name))
            return sc_wrong(r, path, keys[k].name, "is missing");
    return 0;
}

int sc_one_of(const char *name, const char *const *names, int n)
{
    for (int i = 0; i < n; i++)
        if (names[i] && strcmp(names[i], name) == 0)
            return i;
    return -1;
}

static int read_clock_changes(struct reader *r, const char *path, const json_t *list,
                              struct sc_host *h)
{
    static const struct key keys[] = {
        { "at_s", KEY_SECONDS, AT(sc_clock_change, at_ns), 0.001, SIM_LIMIT_SECONDS, true },
        { "step_ms", KEY_MILLIS, AT(sc_clock_change, step_ns), 0, 1e9, false },
        { "drift_ppm", KEY_REAL, AT(sc_clock_change, drift_ppm), -1000, 1000, false },
    };
    size_t i;
    json_t *v;

    if (list && (!json_is_array(list) || json_array_size(list) > 1000))
        return sc_wrong(r, path, "clock_changes", "must be a list of at most 1000 changes");
    h->n_clock_changes = json_array_size(list);
    h->clock_changes = arena_array(&r->s->mem, struct sc_clock_change, h->n_clock_changes + 1);
    json_array_foreach(list, i, v)
    {
        struct sc_clock_change *c = &h->clock_changes[i];
        const char *inner = arena_printf(&r->s->mem, "%s.clock_changes[%zu]", path, i);

        *c = (struct sc_clock_change){ .drift_ppm = (double)NAN };
        if (sc_read_object(r, inner, v, keys, ARRAY_SIZE(keys), c) < 0)
            return -(int)r->err->code;
        if (i > 0 && c->at_ns <= c[-1].at_ns)
            return sc_wrong(r, inner, "at_s", "must be later than the change before");
    }
    return 0;
}

static int read_host(struct reader *r, const char *path, const json_t *v)
{
    static const struct key keys[] = {
        { "name", KEY_TEXT, AT(sc_host, name), 0, 0, true },
        { "roles", KEY_OTHER, 0, 0, 0, true },
        { "cpus", KEY_UNSIGNED, AT(sc_host, cpus), 1, 128, false },
        { "ram_mb", KEY_UINT, AT(sc_host, ram_mb), 64, 1e8, false },
        { "disk_gb", KEY_UINT, AT(sc_host, disk_gb), 1, 1e7, false },
        { "vcpus", KEY_UINT, AT(sc_host, vcpus), 1, 4096, false },
        { "clock_offset_ms", KEY_MILLIS, AT(sc_host, clock_offset_ns), -1e9, 1e9, false },
        { "clock_drift_ppm", KEY_REAL, AT(sc_host, clock_drift_ppm), -1000, 1000, false },
        { "clock_changes", KEY_OTHER, 0, 0, 0, false },
    };
    static const char *const role_names[] = { "controller", "compute", "network", "storage" };
    struct sc_host h = { .cpus = 4, .ram_mb = 32047, .disk_gb = 366, .vcpus = 8 };
    size_t i;
    json_t *role;

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &h) < 0)
        return -(int)r->err->code;
    if (strspn(h.name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") !=
            strlen(h.name) ||
        h.name[0] == '.')
        return sc_wrong(r, path, "name", "must be a host name: letters, digits, '-', '_' and '.'");
    if (!json_is_array(json_object_get(v, "roles")))
        return sc_wrong(r, path, "roles", "must be a list");
    json_array_foreach(json_object_get(v, "roles"), i, role)
    {
        int k = json_is_string(role) ? sc_one_of(json_string_value(role), role_names, 4) : -1;

        if (k < 0)
            return sc_wrong(r, path, "roles",
                            "must hold \"controller\", \"compute\", \"network\" or \"storage\"");
        h.roles |= 1u << k;
    }
    if (read_clock_changes(r, path, json_object_get(v, "clock_changes"), &h) < 0)
        return -(int)r->err->code;
    for (size_t k = 0; k < r->s->hosts.n; k++)
        if (strcmp(r->s->hosts.at[k].name, h.name) == 0)
            return sc_wrong(r, path, "name", "another host has this name");
    *vec_push(&r->s->hosts) = h;
    return 0;
}

static int read_flavor(struct reader *r, const char *path, const json_t *v)
{
    static const struct key keys[] = {
        { "name", KEY_TEXT, AT(sc_flavor, name), 0, 0, true },
        { "ram_mb", KEY_UINT, AT(sc_flavor, ram_mb), 1, 1e7, true },
        { "vcpus", KEY_UINT, AT(sc_flavor, vcpus), 1, 1024, true },
        { "disk_gb", KEY_UINT, AT(sc_flavor, disk_gb), 0, 1e6, true },
    };
    struct sc_flavor f = { 0 };

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &f) < 0)
        return -(int)r->err->code;
    *vec_push(&r->s->flavors) = f;
    return 0;
}

static int read_user(struct reader *r, const char *path, const json_t *v)
{
    static const struct key keys[] = {
        { "name", KEY_TEXT, AT(sc_user, name), 0, 0, true },
        { "project", KEY_TEXT, AT(sc_user, project), 0, 0, true },
    };
    struct sc_user u = { 0 };

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &u) < 0)
        return -(int)r->err->code;
    *vec_push(&r->s->users) = u;
    return 0;
}

static int read_network(struct reader *r, const char *path, const json_t *v)
{
    if (!json_is_string(v) || json_string_length(v) == 0)
        return sc_wrong(r, path, "", "must be a text");
    *vec_push(&r->s->networks) =
        arena_strdup(&r->s->mem, json_string_value(v), json_string_length(v));
    return 0;
}

static int read_fault(struct reader *r, const char *path, const json_t *v, struct sc_fault *f)
{
    const char *kind = NULL;
    struct {
        const char *kind;
        struct sc_fault fault;
    } both = { .fault = { .factor = 1, .cpu = -1, .count = 1 } };
    const size_t base = (size_t)((char *)&both.fault - (char *)&both);
    const struct key keys[] = {
        { "kind", KEY_TEXT, 0, 0, 0, true },
        { "step", KEY_TEXT, base + AT(sc_fault, step), 0, 0, false },
        { "message", KEY_TEXT, base + AT(sc_fault, message), 0, 0, false },
        { "factor", KEY_REAL, base + AT(sc_fault, factor), 0.01, 10000, false },
        { "host", KEY_TEXT, base + AT(sc_fault, host), 0, 0, false },
        { "service", KEY_TEXT, base + AT(sc_fault, service), 0, 0, false },
        { "lock", KEY_TEXT, base + AT(sc_fault, lock), 0, 0, false },
        { "at_s", KEY_SECONDS, base + AT(sc_fault, at_ns), 0, SIM_LIMIT_SECONDS, false },
        { "for_s", KEY_SECONDS, base + AT(sc_fault, for_ns), 0, SIM_LIMIT_SECONDS, false },
        { "cpu", KEY_INT, base + AT(sc_fault, cpu), 0, 127, false },
        { "first", KEY_UINT, base + AT(sc_fault, first), 0, 1e9, false },
        { "count", KEY_UINT, base + AT(sc_fault, count), 1, 1e9, false },
        { "worker", KEY_UINT, base + AT(sc_fault, worker), 0, SIM_LIMIT_WORKERS - 1, false },
    };

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &both) < 0)
        return -(int)r->err->code;
    kind = both.kind;
    *f = both.fault;
    int k = sc_one_of(kind, fault_names, FAULT_COUNT);

    if (k <= FAULT_NONE)
        return sc_wrong(r, path, "kind", "unknown kind of fault");
    f->kind = (enum fault_kind)k;
    return 0;
}

static int check_operation_fault(struct reader *r, const char *path, const struct sc_operation *o)
{
    const struct sc_fault *f = &o->fault;
    enum on on = operation_on[o->what];
    bool of_network = on >= ON_NETWORK;
    bool fits = false;

    switch (f->kind) {
    case FAULT_NO_VALID_HOST:
    case FAULT_VIF_TIMEOUT: fits = o->what == DO_BOOT; break;
    case FAULT_LIBVIRT:
        fits = o->what == DO_BOOT || o->what == DO_START || o->what == DO_REBOOT ||
               o->what == DO_RESUME;
        break;
    case FAULT_ROLLBACK: fits = o->what == DO_LIVE_MIGRATE; break;
    case FAULT_ABORT:
    case FAULT_NO_START: fits = of_network; break;
    case FAULT_SLOW:
    case FAULT_HANG:
        if (!f->step)
            return sc_wrong(r, path, "step", "is missing: which step takes so long?");
        fits = true;
        break;
    case FAULT_NONE:
    case FAULT_SECRETS: fits = true; break;
    case FAULT_LOCK_HOG:
    case FAULT_IDLE_WORKER:
    case FAULT_LOST_EVENTS:
    case FAULT_LOST_PACKETS:
    case FAULT_COUNT: break;
    }
    return fits ? 0 : sc_wrong(r, path, "kind", "this operation cannot have that fault");
}

/* Has an operation before 'n' the same creating kind and name? */
static bool is_declared(const struct scenario *s, enum on made_by, const char *name)
{
    if (made_by == ON_NEW_NETWORK)
        for (size_t i = 0; i < s->networks.n; i++)
            if (strcmp(s->networks.at[i], name) == 0)
                return true;
    for (size_t i = 0; i < s->operations.n; i++) {
        const struct sc_operation *o = &s->operations.at[i];
        const char *made = made_by == ON_NEW_VM        ? o->vm
                           : made_by == ON_NEW_VOLUME  ? o->volume
                           : made_by == ON_NEW_NETWORK ? o->network
                           : made_by == ON_NEW_ROUTER  ? o->router
                                                       : o->port;

        if (operation_on[o->what] == made_by && made && strcmp(made, name) == 0)
            return true;
    }
    return false;
}

static int check_name(struct reader *r, const char *path, const char *key, const char *name,
                      enum on made_by, bool makes)
{
    char what[400];

    if (!name)
        return sc_wrong(r, path, key, "is missing");
    if (is_declared(r->s, made_by, name) == makes) {
        snprintf(what, sizeof what,
                 makes ? "an earlier operation makes \"%s\" already"
                       : "no earlier operation makes \"%s\"",
                 name);
        return sc_wrong(r, path, key, what);
    }
    return 0;
}

/* The names an operation needs are there, and those it makes are new. */
static int check_entities(struct reader *r, const char *path, struct sc_operation *o)
{
    switch (operation_on[o->what]) {
    case ON_NEW_VM:
        if (!o->network)
            o->network = r->s->networks.at[0];
        if (check_name(r, path, "network", o->network, ON_NEW_NETWORK, false) < 0)
            return -E_ARG;
        return check_name(r, path, "vm", o->vm, ON_NEW_VM, true);
    case ON_VM: return check_name(r, path, "vm", o->vm, ON_NEW_VM, false);
    case ON_NEW_VOLUME: return check_name(r, path, "volume", o->volume, ON_NEW_VOLUME, true);
    case ON_VOLUME_AND_VM:
        if (check_name(r, path, "vm", o->vm, ON_NEW_VM, false) < 0)
            return -E_ARG;
        return check_name(r, path, "volume", o->volume, ON_NEW_VOLUME, false);
    case ON_VOLUME: return check_name(r, path, "volume", o->volume, ON_NEW_VOLUME, false);
    case ON_NEW_NETWORK: return check_name(r, path, "network", o->network, ON_NEW_NETWORK, true);
    case ON_NETWORK: return check_name(r, path, "network", o->network, ON_NEW_NETWORK, false);
    case ON_NEW_ROUTER:
    case ON_ROUTER:
        if (!o->network)
            o->network = r->s->networks.at[0];
        if (check_name(r, path, "network", o->network, ON_NEW_NETWORK, false) < 0)
            return -E_ARG;
        return check_name(r, path, "router", o->router, ON_NEW_ROUTER,
                          operation_on[o->what] == ON_NEW_ROUTER);
    case ON_NEW_PORT:
    case ON_PORT:
        if (!o->network)
            o->network = r->s->networks.at[0];
        if (check_name(r, path, "network", o->network, ON_NEW_NETWORK, false) < 0)
            return -E_ARG;
        return check_name(r, path, "port", o->port, ON_NEW_PORT,
                          operation_on[o->what] == ON_NEW_PORT);
    }
    return 0;
}

/* The texts of an operation that must be looked up. */
struct op_names {
    struct sc_operation o;
    const char *what, *after, *user, *flavor;
    ns_t at_ns, delay_ns;
};

static int resolve_operation(struct reader *r, const char *path, const json_t *v,
                             struct op_names *n)
{
    struct scenario *s = r->s;
    struct sc_operation *o = &n->o;

    if (n->user) {
        while (o->user < s->users.n && strcmp(s->users.at[o->user].name, n->user) != 0)
            o->user++;
        if (o->user == s->users.n)
            return sc_wrong(r, path, "user", "no such user");
    }
    if (n->flavor) {
        for (size_t i = 0; i < s->flavors.n; i++)
            if (strcmp(s->flavors.at[i].name, n->flavor) == 0)
                o->flavor = &s->flavors.at[i];
        if (!o->flavor)
            return sc_wrong(r, path, "flavor", "no such flavor");
    }
    if (o->host) {
        size_t i = 0;

        while (i < s->hosts.n && strcmp(s->hosts.at[i].name, o->host) != 0)
            i++;
        if (i == s->hosts.n || !(s->hosts.at[i].roles & ROLE_COMPUTE))
            return sc_wrong(r, path, "host", "no compute host has this name");
    }
    if (n->after && json_object_get(v, "at_s"))
        return sc_wrong(r, path, "at_s", "give either at_s or after");
    if (!n->after && !json_object_get(v, "at_s"))
        return sc_wrong(r, path, "at_s", "is missing (or 'after')");
    o->at_ns = n->after ? n->delay_ns : n->at_ns;
    o->has_after = n->after != NULL;
    if (n->after) {
        while (o->after < s->operations.n && strcmp(s->operations.at[o->after].name, n->after) != 0)
            o->after++;
        if (o->after == s->operations.n)
            return sc_wrong(r, path, "after", "no earlier operation has this name");
    }
    return 0;
}

static int read_operation(struct reader *r, const char *path, const json_t *v)
{
    static const struct key keys[] = {
        { "do", KEY_TEXT, AT(op_names, what), 0, 0, true },
        { "name", KEY_TEXT, AT(op_names, o.name), 0, 0, false },
        { "at_s", KEY_SECONDS, AT(op_names, at_ns), 0, SIM_LIMIT_SECONDS, false },
        { "after", KEY_TEXT, AT(op_names, after), 0, 0, false },
        { "delay_s", KEY_SECONDS, AT(op_names, delay_ns), 0, SIM_LIMIT_SECONDS, false },
        { "user", KEY_TEXT, AT(op_names, user), 0, 0, false },
        { "flavor", KEY_TEXT, AT(op_names, flavor), 0, 0, false },
        { "vm", KEY_TEXT, AT(op_names, o.vm), 0, 0, false },
        { "volume", KEY_TEXT, AT(op_names, o.volume), 0, 0, false },
        { "network", KEY_TEXT, AT(op_names, o.network), 0, 0, false },
        { "router", KEY_TEXT, AT(op_names, o.router), 0, 0, false },
        { "port", KEY_TEXT, AT(op_names, o.port), 0, 0, false },
        { "host", KEY_TEXT, AT(op_names, o.host), 0, 0, false },
        { "size_gb", KEY_UINT, AT(op_names, o.size_gb), 1, 1e6, false },
        { "fault", KEY_OTHER, 0, 0, 0, false },
    };
    struct op_names n = { .o = { .size_gb = 1 } };
    char fault_path[160];

    if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &n) < 0)
        return -(int)r->err->code;
    int what = sc_one_of(n.what, operation_names, DO_COUNT);

    if (what < 0)
        return sc_wrong(r, path, "do", "unknown operation");
    n.o.what = (enum operation)what;
    snprintf(fault_path, sizeof fault_path, "%s.fault", path);
    if (json_object_get(v, "fault") &&
        read_fault(r, fault_path, json_object_get(v, "fault"), &n.o.fault) < 0)
        return -(int)r->err->code;
    if (resolve_operation(r, path, v, &n) < 0 || check_entities(r, path, &n.o) < 0 ||
        check_operation_fault(r, fault_path, &n.o) < 0)
        return -(int)r->err->code;
    if (!n.o.name)
        n.o.name = arena_printf(&r->s->mem, "%s %s", n.what,
                                n.o.vm       ? n.o.vm
                                : n.o.volume ? n.o.volume
                                : n.o.router ? n.o.router
                                : n.o.port   ? n.o.port
                                             : n.o.network);
    *vec_push(&r->s->operations) = n.o;
    return 0;
}

static bool has_host(const struct scenario *s, const char *name)
{
    for (size_t i = 0; name && i < s->hosts.n; i++)
        if (strcmp(s->hosts.at[i].name, name) == 0)
            return true;
    return false;
}

static int read_host_fault(struct reader *r, const char *path, const json_t *v)
{
    struct sc_fault f;

    if (read_fault(r, path, v, &f) < 0)
        return -(int)r->err->code;
    if (f.kind < FAULT_LOCK_HOG)
        return sc_wrong(r, path, "kind", "belongs to an operation (operations[].fault)");
    if (!has_host(r->s, f.host))
        return sc_wrong(r, path, "host", f.host ? "no such host" : "is missing");
    if (f.kind == FAULT_LOCK_HOG && !f.lock)
        return sc_wrong(r, path, "lock", "is missing");
    if (f.kind == FAULT_IDLE_WORKER && !f.service)
        return sc_wrong(r, path, "service", "is missing");
    if ((f.kind == FAULT_LOCK_HOG || f.kind == FAULT_LOST_EVENTS) && f.for_ns == 0)
        return sc_wrong(r, path, "for_s", "is missing or 0");
    if (f.kind == FAULT_LOST_PACKETS && f.cpu < 0)
        return sc_wrong(r, path, "cpu", "is missing");
    *vec_push(&r->s->faults) = f;
    return 0;
}

/* Reads the list under 'key' of the file, if there is one, with 'read'. */
static int read_list(struct reader *r, const json_t *root, const char *key, size_t limit,
                     int (*read)(struct reader *, const char *, const json_t *))
{
    const json_t *list = json_object_get(root, key);
    char path[64];
    size_t i;
    json_t *v;

    if (!list)
        return 0;
    if (!json_is_array(list))
        return sc_wrong(r, "", key, "must be a list");
    if (json_array_size(list) > limit)
        return err_set(r->err, E_LIMIT, "%s: more than %zu", key, limit);
    json_array_foreach(list, i, v)
    {
        snprintf(path, sizeof path, "%s[%zu]", key, i);
        if (read(r, path, v) < 0)
            return -(int)r->err->code;
    }
    return 0;
}

static int read_services(struct reader *r, const json_t *root)
{
    static const struct key keys[] = {
        { "workers", KEY_UNSIGNED, AT(sc_service, workers), 1, SIM_LIMIT_WORKERS, false },
        { "threads", KEY_UNSIGNED, AT(sc_service, threads), 1, 1024, false },
    };
    json_t *services = json_object_get(root, "services");
    const char *name;
    json_t *v;

    if (services && !json_is_object(services))
        return sc_wrong(r, "", "services", "must be an object");
    json_object_foreach(services, name, v)
    {
        struct sc_service one = { .name = arena_strdup(&r->s->mem, name, strlen(name)) };
        char path[160];

        snprintf(path, sizeof path, "services.%s", name);
        if (sc_read_object(r, path, v, keys, ARRAY_SIZE(keys), &one) < 0)
            return -(int)r->err->code;
        *vec_push(&r->s->services) = one;
    }
    return 0;
}

static int read_workload(struct reader *r, const json_t *root, double scale)
{
    static const struct key keys[] = {
        { "vms", KEY_UINT, AT(sc_workload, vms), 1, SIM_LIMIT_VMS, true },
        { "per_s", KEY_REAL, AT(sc_workload, per_s), 0.001, 1000, false },
        { "ops_per_vm", KEY_UINT, AT(sc_workload, ops_per_vm), 0, 1000, false },
        { "think_s", KEY_SECONDS, AT(sc_workload, think_ns), 0, 86400, false },
        { "fail_percent", KEY_UINT, AT(sc_workload, fail_percent), 0, 100, false },
        { "slow_percent", KEY_UINT, AT(sc_workload, slow_percent), 0, 100, false },
    };
    struct sc_workload *w = &r->s->workload;

    w->per_s = 1;
    w->ops_per_vm = 4;
    w->think_ns = 5 * NS_PER_S;
    if (!json_object_get(root, "workload"))
        return 0;
    if (sc_read_object(r, "workload", json_object_get(root, "workload"), keys, ARRAY_SIZE(keys),
                       w) < 0)
        return -(int)r->err->code;
    if (scale > 0) {
        w->vms = (uint64_t)llround(fmax(1, fmin((double)w->vms * scale, 1e9)));
        r->s->duration_ns = (ns_t)fmin((double)r->s->duration_ns * scale, SIM_LIMIT_SECONDS * 1e9);
    }
    if (w->vms > SIM_LIMIT_VMS)
        return err_set(r->err, E_LIMIT, "workload.vms: %llu, more than %d",
                       (unsigned long long)w->vms, SIM_LIMIT_VMS);
    return 0;
}

static void defaults(struct scenario *s)
{
    static const struct sc_flavor flavors[] = {
        { "m1.nano", 64, 1, 0 },
        { "m1.tiny", 512, 1, 1 },
        { "m1.small", 2048, 1, 20 },
        { "m1.medium", 4096, 2, 40 },
    };

    if (s->flavors.n == 0)
        for (size_t i = 0; i < ARRAY_SIZE(flavors); i++)
            *vec_push(&s->flavors) = flavors[i];
    if (s->users.n == 0)
        *vec_push(&s->users) = (struct sc_user){ "admin", "admin" };
    if (s->networks.n == 0)
        *vec_push(&s->networks) = "private";
}

static int check_hosts(struct reader *r)
{
    const struct scenario *s = r->s;
    unsigned roles = 0, controllers = 0;
    size_t streams = 0;

    for (size_t i = 0; i < s->hosts.n; i++) {
        roles |= s->hosts.at[i].roles;
        controllers += (s->hosts.at[i].roles & ROLE_CONTROLLER) != 0;
        streams += s->hosts.at[i].cpus;
    }
    if (controllers != 1 || !(roles & ROLE_COMPUTE))
        return sc_wrong(r, "", "hosts",
                        "there must be one controller and at least one compute host");
    if (streams > SIM_LIMIT_STREAMS)
        return err_set(r->err, E_LIMIT, "hosts: %zu CPUs in all, more than %d", streams,
                       SIM_LIMIT_STREAMS);
    return 0;
}

static int read_parts(struct reader *r, const json_t *root, double scale)
{
    if (read_list(r, root, "operations", SIM_LIMIT_OPERATIONS, read_operation) < 0 ||
        read_workload(r, root, scale) < 0 ||
        read_list(r, root, "faults", 1000, read_host_fault) < 0 ||
        sc_read_migrations(r, root) < 0 || sc_read_kernel(r, root, scale) < 0)
        return -(int)r->err->code;
    return sc_read_labels(r, root);
}

static int read_root(struct reader *r, const json_t *root, double scale)
{
    static const struct key keys[] = {
        { "description", KEY_TEXT, 0, 0, 0, false },
        { "dialect", KEY_TEXT, 0, 0, 0, true },
        { "start", KEY_TEXT, 0, 0, 0, false },
        { "seed", KEY_UINT, AT(scenario, seed), 0, 9e18, false },
        { "duration_s", KEY_SECONDS, AT(scenario, duration_ns), 1, SIM_LIMIT_SECONDS, true },
        { "vif_timeout_s", KEY_SECONDS, AT(scenario, vif_timeout_ns), 1, 86400, false },
        { "periodic", KEY_BOOL, AT(scenario, periodic), 0, 0, false },
        { "rpc_lines", KEY_BOOL, AT(scenario, rpc_lines), 0, 0, false },
        { "empty_uid", KEY_UINT, AT(scenario, empty_uid), 1, 65535, false },
        { "utc_offset_h", KEY_OTHER, 0, 0, 0, false },
        { "packet_kib", KEY_OTHER, 0, 0, 0, false },
        { "hosts", KEY_OTHER, 0, 0, 0, true },
        { "services", KEY_OTHER, 0, 0, 0, false },
        { "flavors", KEY_OTHER, 0, 0, 0, false },
        { "users", KEY_OTHER, 0, 0, 0, false },
        { "networks", KEY_OTHER, 0, 0, 0, false },
        { "operations", KEY_OTHER, 0, 0, 0, false },
        { "workload", KEY_OTHER, 0, 0, 0, false },
        { "faults", KEY_OTHER, 0, 0, 0, false },
        { "migrations", KEY_OTHER, 0, 0, 0, false },
        { "kernel", KEY_OTHER, 0, 0, 0, false },
        { "findings", KEY_OTHER, 0, 0, 0, false },
        { "without", KEY_OTHER, 0, 0, 0, false },
    };
    static const struct key zone = { "utc_offset_h", KEY_INT, 0, -12, 14, false };
    static const struct key packet = { "packet_kib", KEY_INT, 0, 4, 65536, false };
    struct scenario *s = r->s;
    int64_t number = -4;
    struct key plain[ARRAY_SIZE(keys)];

    memcpy(plain, keys, sizeof plain);
    for (int i = 0; i < 3; i++)
        plain[i].offset = AT(scenario, description); /* three texts; two are read again below */
    if (sc_read_object(r, "", root, plain, ARRAY_SIZE(plain), s) < 0)
        return -(int)r->err->code;
    const json_t *dialect = json_object_get(root, "dialect");
    const json_t *start = json_object_get(root, "start");
    const json_t *text = json_object_get(root, "description");

    s->description =
        text ? arena_strdup(&s->mem, json_string_value(text), json_string_length(text)) : "";
    s->dialect = strcmp(json_string_value(dialect), "2016") == 0  ? DIALECT_2016
                 : strcmp(json_string_value(dialect), "zed") == 0 ? DIALECT_ZED
                                                                  : (enum dialect)0;
    if (!s->dialect)
        return sc_wrong(r, "", "dialect", "must be \"2016\" or \"zed\"");
    if (start && (time_parse(str_of(json_string_value(start)), 0, &s->start, r->err) < 0 ||
                  s->start < 86400 * NS_PER_S || s->start > INT64_C(8000000000) * NS_PER_S))
        return sc_wrong(r, "", "start", "must be a time like \"2016-08-08 15:00:00\"");
    if (json_object_get(root, "utc_offset_h") &&
        read_value(r, "", &zone, json_object_get(root, "utc_offset_h"), (char *)&number) < 0)
        return -(int)r->err->code;
    s->utc_offset_h = (int)number;
    number = 128;
    if (json_object_get(root, "packet_kib") &&
        read_value(r, "", &packet, json_object_get(root, "packet_kib"), (char *)&number) < 0)
        return -(int)r->err->code;
    s->packet_bytes = (uint32_t)number * 1024;

    if (read_list(r, root, "hosts", SIM_LIMIT_HOSTS, read_host) < 0 || check_hosts(r) < 0 ||
        read_services(r, root) < 0 || read_list(r, root, "flavors", 1000, read_flavor) < 0 ||
        read_list(r, root, "users", 10000, read_user) < 0 ||
        read_list(r, root, "networks", 1000, read_network) < 0)
        return -(int)r->err->code;
    defaults(s);
    return read_parts(r, root, scale);
}

int scenario_read(const json_t *root, const char *name, double scale, struct scenario *ret,
                  struct err *err)
{
    struct scenario s = { .seed = 1,
                          .start = INT64_C(1470668400) * NS_PER_S,
                          .periodic = true,
                          .vif_timeout_ns = 300 * NS_PER_S };
    struct reader r = { &s, err };

    s.name = arena_strdup(&s.mem, name, strlen(name));
    int rc = read_root(&r, root, scale);

    if (rc < 0)
        scenario_free(&s);
    else
        *ret = s;
    return rc;
}

int scenario_load(const char *path, double scale, struct scenario *ret, struct err *err)
{
    const char *base = path_base(path), *dot = strrchr(base, '.');
    struct fmap file;
    char name[256];
    json_error_t bad;

    if (fmap_open(path, &file, err) < 0)
        return -(int)err->code;
    json_t *root =
        json_loadb(file.p ? (const char *)file.p : "", file.n, JSON_REJECT_DUPLICATES, &bad);

    fmap_close(&file);
    if (!root)
        return err_set(err, E_ARG, "%s: line %d: %s", path, bad.line, bad.text);
    snprintf(name, sizeof name, "%.*s", dot ? (int)(dot - base) : (int)strlen(base), base);
    int rc = scenario_read(root, name, scale, ret, err);

    json_decref(root);
    return rc < 0 ? err_in(err, "%s", path) : 0;
}

void scenario_free(struct scenario *s)
{
    vec_free(&s->hosts);
    vec_free(&s->services);
    vec_free(&s->flavors);
    vec_free(&s->users);
    vec_free(&s->networks);
    vec_free(&s->operations);
    vec_free(&s->faults);
    vec_free(&s->migrations);
    vec_free(&s->findings);
    arena_free(&s->mem);
}
