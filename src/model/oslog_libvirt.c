/* SPDX-License-Identifier: Apache-2.0
 *
 * oslog_libvirt.c -- libvirt XML inside of log lines.
 *
 * Nova logs the definition of each domain that it makes, over many lines ("End
 * _get_guest_xml xml=") and as the repr of a tuple ("Generated XML ('"), and
 * the XML of single devices.  Read with expat.  A log may cut the text: what
 * was closed before the cut counts.  Namespaces are ignored: the nova elements
 * are told by their place, as their version differs (1.0, 1.1). */
#include "model/oslog_priv.h"

#include "base/limits.h"

#include <expat.h>

enum { TEXT_BYTES = 1024, LIST_ITEMS = 256 };

/* Elements that matter; the order is that of 'element_names'. */
enum element {
    EL_OTHER,
    EL_DOMAIN,
    EL_UUID,
    EL_NAME,
    EL_MEMORY,
    EL_VCPU,
    EL_VCPUS,
    EL_INSTANCE,
    EL_FLAVOR,
    EL_DISK,
    EL_OWNER,
    EL_USER,
    EL_PROJECT,
    EL_ROOT,
    EL_PORT,
    EL_PORTS,
    EL_DEVICES,
    EL_INTERFACE,
    EL_SOURCE,
    EL_TARGET,
    EL_MAC,
    EL_SERIAL,
};

static const char *const element_names[] = {
    "",        "domain",    "uuid",   "name",   "memory",  "vcpu",   "vcpus", "instance",
    "flavor",  "disk",      "owner",  "user",   "project", "root",   "port",  "ports",
    "devices", "interface", "source", "target", "mac",     "serial",
};

/* A list of texts that grows; at most LIST_ITEMS. */
struct texts {
    struct str *at;
    size_t n, cap;
};

struct xml {
    struct arena *a;
    XML_Parser parser;
    enum element stack[LIMIT_JSON_DEPTH];
    int depth;
    bool closed;           /* the root element is complete */
    char text[TEXT_BYTES]; /* of the innermost element     */
    size_t n_text;
    struct fact_domain d;
    int64_t memory_kib, vcpu; /* of the domain itself         */
    struct texts macs, taps, bridges, disks, ports;
    struct fact_device dev; /* of a single device           */
    struct str user_id, project_id;
};

static enum element element_of(const char *name)
{
    const char *colon = strchr(name, ':');

    if (colon)
        name = colon + 1;
    for (size_t i = 1; i < ARRAY_SIZE(element_names); i++) {
        if (strcmp(name, element_names[i]) == 0)
            return (enum element)i;
    }
    return EL_OTHER;
}

/* The element 'up' levels above the innermost one. */
static enum element above(const struct xml *x, int up)
{
    return x->depth > up ? x->stack[x->depth - 1 - up] : EL_OTHER;
}

static struct str attribute(struct xml *x, const char **attrs, const char *name)
{
    for (; attrs[0]; attrs += 2) {
        if (strcmp(attrs[0], name) == 0)
            return str_dup(x->a, str_of(attrs[1]));
    }
    return STR("");
}

static void add_text(struct xml *x, struct texts *t, struct str s)
{
    if (!s.n || t->n >= LIST_ITEMS)
        return;
    if (t->n == t->cap) {
        size_t cap = t->cap ? t->cap * 4 : 4;
        struct str *at = arena_array(x->a, struct str, cap);

        if (t->n)
            memcpy(at, t->at, t->n * sizeof *at);
        t->at = at;
        t->cap = cap;
    }
    t->at[t->n++] = s;
}

/* Attributes of a device's child: <mac address>, <source file>, <target dev>. */
static void device_child(struct xml *x, enum element e, enum element up, const char **attrs)
{
    struct str source = attribute(x, attrs, up == EL_DISK ? "file" : "bridge");
    struct str target = attribute(x, attrs, "dev");

    if (up == EL_DISK && e == EL_SOURCE) {
        if (!source.n)
            source = target; /* <source dev="/dev/loop2"/> */
        if (!source.n)
            source = attribute(x, attrs, "name"); /* rbd: pool/image */
        add_text(x, &x->disks, source);
        x->dev.source = source;
    } else if (e == EL_TARGET) {
        if (up == EL_INTERFACE)
            add_text(x, &x->taps, target);
        x->dev.target = target;
    } else if (up == EL_INTERFACE && e == EL_SOURCE) {
        add_text(x, &x->bridges, source);
        x->dev.source = source;
    } else if (up == EL_INTERFACE && e == EL_MAC) {
        x->dev.mac = attribute(x, attrs, "address");
        add_text(x, &x->macs, x->dev.mac);
    }
}

static void XMLCALL on_start(void *data, const XML_Char *name, const XML_Char **attrs)
{
    struct xml *x = data;
    enum element e = element_of(name), up = above(x, 0);

    if (x->depth >= LIMIT_JSON_DEPTH) {
        XML_StopParser(x->parser, XML_FALSE);
        return;
    }
    x->stack[x->depth++] = e;
    x->n_text = 0;
    if (up == EL_DISK || up == EL_INTERFACE)
        device_child(x, e, up, attrs);
    else if (e == EL_FLAVOR && up == EL_INSTANCE)
        x->d.flavor = attribute(x, attrs, "name");
    else if (e == EL_ROOT && up == EL_INSTANCE)
        x->d.image = attribute(x, attrs, "uuid");
    else if (e == EL_USER && up == EL_OWNER)
        x->user_id = attribute(x, attrs, "uuid");
    else if (e == EL_PROJECT && up == EL_OWNER)
        x->project_id = attribute(x, attrs, "uuid");
    else if (e == EL_PORT && up == EL_PORTS)
        add_text(x, &x->ports, attribute(x, attrs, "uuid"));
}

static void XMLCALL on_text(void *data, const XML_Char *s, int len)
{
    struct xml *x = data;
    size_t n = (size_t)len;

    if (n > TEXT_BYTES - x->n_text)
        n = TEXT_BYTES - x->n_text;
    memcpy(x->text + x->n_text, s, n);
    x->n_text += n;
}

static void set_i64(int64_t *v, struct str s)
{
    str_i64(s, v);
}

/* Text of an element directly in the domain or in nova's metadata. */
static void element_text(struct xml *x, enum element e, enum element up, struct str s)
{
    if (up == EL_DOMAIN) {
        if (e == EL_UUID)
            x->d.uuid = str_dup(x->a, s);
        else if (e == EL_NAME)
            x->d.libvirt_name = str_dup(x->a, s);
        else if (e == EL_MEMORY)
            set_i64(&x->memory_kib, s);
        else if (e == EL_VCPU)
            set_i64(&x->vcpu, s);
    } else if (up == EL_INSTANCE && e == EL_NAME) {
        x->d.vm_name = str_dup(x->a, s);
    } else if (up == EL_FLAVOR) {
        if (e == EL_MEMORY)
            set_i64(&x->d.memory_mb, s);
        else if (e == EL_DISK)
            set_i64(&x->d.disk_gb, s);
        else if (e == EL_VCPUS)
            set_i64(&x->d.vcpus, s);
    } else if (up == EL_OWNER && e == EL_USER) {
        x->d.user_id = x->user_id;
        x->d.user_name = str_dup(x->a, s);
    } else if (up == EL_OWNER && e == EL_PROJECT) {
        x->d.project_id = x->project_id;
        x->d.project_name = str_dup(x->a, s);
    } else if (up == EL_DISK && e == EL_SERIAL) {
        x->dev.serial = str_dup(x->a, s);
    }
}

static void XMLCALL on_end(void *data, const XML_Char *name)
{
    struct xml *x = data;

    (void)name;
    if (x->depth == 0)
        return;
    element_text(x, above(x, 0), above(x, 1), str_trim((struct str){ x->text, x->n_text }));
    x->n_text = 0;
    if (--x->depth == 0) {
        x->closed = true;
        XML_StopParser(x->parser, XML_FALSE); /* what follows is no XML */
    }
}

/* A domain has no document type; entities are not for log lines. */
static void XMLCALL on_doctype(void *data, const XML_Char *name, const XML_Char *sysid,
                               const XML_Char *pubid, int internal)
{
    struct xml *x = data;

    (void)name, (void)sysid, (void)pubid, (void)internal;
    XML_StopParser(x->parser, XML_FALSE);
}

/* The text of a Python repr: literal \n, \t, \' and \\ become bytes. */
static struct str plain(struct arena *a, struct str s)
{
    char *out = arena_alloc(a, s.n + 1), *o = out;

    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];

        if (c == '\\' && i + 1 < s.n) {
            c = s.p[++i];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
        }
        *o++ = c;
    }
    return (struct str){ out, (size_t)(o - out) };
}

/* Parses the element at the start of 's' into 'x'. */
static void parse_xml(struct oslog *o, struct xml *x, struct str s)
{
    *x = (struct xml){ .a = o->a, .memory_kib = OSLOG_NO_I64, .vcpu = OSLOG_NO_I64 };
    x->d.memory_mb = x->d.vcpus = x->d.disk_gb = OSLOG_NO_I64;
    size_t tag = str_chr(s, '>', 0);
    if (tag != STR_NONE && str_starts(str_from(s, tag + 1), STR("\\n"))) {
        x->d.one_line = true;
        s = plain(o->a, s);
    }
    x->parser = XML_ParserCreate("UTF-8");
    if (!x->parser)
        return;
    XML_SetUserData(x->parser, x);
    XML_SetElementHandler(x->parser, on_start, on_end);
    XML_SetCharacterDataHandler(x->parser, on_text);
    XML_SetStartDoctypeDeclHandler(x->parser, on_doctype);
    XML_Parse(x->parser, s.p, (int)s.n, XML_TRUE); /* errors show as !closed */
    XML_ParserFree(x->parser);
    x->parser = NULL;
}

static bool domain(struct oslog *o, struct str s, int arg)
{
    struct xml x;
    size_t at = str_find(s, STR("<domain "), 0);

    (void)arg;
    parse_xml(o, &x, str_from(s, at));
    if (!x.d.uuid.n && !x.d.libvirt_name.n)
        return false;
    struct log_fact *f = oslog_add(o, FACT_DOMAIN);
    if (!f)
        return true;
    if (x.d.memory_mb == OSLOG_NO_I64 && x.memory_kib != OSLOG_NO_I64)
        x.d.memory_mb = x.memory_kib / 1024;
    if (x.d.vcpus == OSLOG_NO_I64)
        x.d.vcpus = x.vcpu;
    f->domain = x.d;
    f->domain.truncated = !x.closed;
    f->domain.macs = x.macs.at;
    f->domain.n_macs = x.macs.n;
    f->domain.taps = x.taps.at;
    f->domain.n_taps = x.taps.n;
    f->domain.bridges = x.bridges.at;
    f->domain.n_bridges = x.bridges.n;
    f->domain.disks = x.disks.at;
    f->domain.n_disks = x.disks.n;
    f->domain.ports = x.ports.at;
    f->domain.n_ports = x.ports.n;
    return true;
}

/* attach device xml: <disk ..>.., detach .., Updating guest XML with vif config: */
static bool device(struct oslog *o, struct str s, int arg)
{
    struct xml x;
    bool disk = str_starts(s, STR("<disk"));

    if (!disk && !str_starts(s, STR("<interface")))
        return false;
    parse_xml(o, &x, s);
    struct log_fact *f = oslog_add(o, FACT_DEVICE);
    if (!f)
        return true;
    f->device = x.dev;
    f->device.action = (enum device_action)arg;
    f->device.is_disk = disk;
    f->device.truncated = !x.closed;
    return true;
}

/* clang-format off */
static const struct oslog_form rows[] = {
    { .starts = STR("attach device xml: "), .parse = device, .arg = DEVICE_ATTACH },
    { .starts = STR("detach device xml: "), .parse = device, .arg = DEVICE_DETACH },
    { .starts = STR("Updating guest XML with vif config: "), .parse = device, .arg = DEVICE_MIGRATE },
    /* looks into every line that has a '<' */
    { .has = STR("<domain "), .parse = domain },
};
/* clang-format on */

const struct oslog_table oslog_libvirt_forms = FORMS(rows);
