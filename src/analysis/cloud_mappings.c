/* SPDX-License-Identifier: Apache-2.0
 *
 * cloud_mappings.c -- whose process is that?  Processes of the kernel layer joined with
 * instances and services, each join with its evidence.
 *
 * A process of QEMU is known by the names of its threads ("CPU 0/KVM", "CPU 0/TCG"), by its
 * program, or by the name that libvirt gives it ("qemu:NAME", set_process_name of qemu.conf).
 * Whose it is (thesis 3.4.3 and Fig 4.3 assume the name alone, which real clouds contradict):
 *
 * - 0.95: its cgroup is that of the libvirt domain
 *   ("machine-qemu\x2d1\x2dinstance\x2d00000001.scope")
 * - 0.9: its name is the instance's, whole
 * - 0.85: it, or its vhost thread, sends through the instance's tap device
 * - 0.7: its name is cut at 15 characters, and one instance on the host has a name that begins so
 * - 0.6: no log tells of an instance: the name of the process is all there is
 * - 0.3: its name is cut, and could be that of several: they are named, none is chosen
 *
 * Two sorts of evidence that agree make it surer; if they disagree, the stronger one counts
 * and the doubt is told.  Services: by the pid that their log lines carry (0.95), the program
 * that was executed (0.9), the name of the process (0.8), the service that started it (0.6), the
 * port that it answers from (0.6, only where nothing else tells: a proxy answers for others). */
#include "analysis/cloud.h"

#include "analysis/app_services.h"
#include "model/qemu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    COMM_MAX = 15,       /* what the kernel keeps of a name         */
    CANDIDATES_TOLD = 8, /* of an ambiguous name                    */
};

struct process {
    const struct store *store;
    uint32_t host;
    int64_t pid, ppid, vpid;
    ns_t t0, t1;
    struct str comm, names, exe, cgroup;
    uint32_t threads, vcpus;
    bool main_seen, qemu;
    struct text_set taps;

    /* What was found. */
    const char *kind; /* "vm", "service"; NULL = nothing */
    struct str name;
    const struct vm_names *vm;
    int confidence; /* percent */
    struct text_set evidence;
    struct sbuf doubt;
};

struct mapper {
    struct cloud *c;
    const struct vm_names *vms;
    size_t nvms;
    VEC(struct process) all; /* host after host */
    struct map64 by_pid;     /* host and pid -> the latest one that began */
    struct arena mem;
};

/* --- processes --------------------------------------------------------------------- */

static uint64_t pid_key(uint32_t host, int64_t pid)
{
    return (uint64_t)host << 32 | (uint32_t)pid;
}

static struct process *process_of(struct mapper *m, uint32_t host, int64_t pid)
{
    uint32_t at;

    return map64_get(&m->by_pid, pid_key(host, pid), &at) ? &m->all.at[at] : NULL;
}

static void add_thread(struct mapper *m, uint32_t host, const struct store *s, const cell_t *row)
{
    struct str comm = store_text(s, row[C_thread_comm]);
    int64_t tid = row[C_thread_tid], pid = row[C_thread_pid] > 0 ? row[C_thread_pid] : tid;
    bool is_main = tid == pid;
    struct process *p = process_of(m, host, pid);

    if (!p || (is_main && p->main_seen)) {
        map64_set(&m->by_pid, pid_key(host, pid), (uint32_t)m->all.n);
        p = vec_push(&m->all);
        *p = (struct process){
            .store = s, .host = host, .pid = pid, .ppid = -1, .vpid = -1, .t0 = row[0], .t1 = row[1]
        };
    }
    p->t0 = row[0] < p->t0 ? row[0] : p->t0;
    p->t1 = p->t1 == STORE_NULL || row[1] == STORE_NULL ? STORE_NULL
            : row[1] > p->t1                            ? row[1]
                                                        : p->t1;
    p->threads++;
    p->vcpus += qemu_is_vcpu(comm);
    p->qemu |= qemu_is_vcpu(comm) || qemu_is_program(store_text(s, row[C_thread_exe]));
    if (!is_main)
        return;
    p->main_seen = true;
    p->comm = comm;
    p->names = store_text(s, row[C_thread_names]);
    p->exe = store_text(s, row[C_thread_exe]);
    p->cgroup = store_text(s, row[C_thread_cgroup]);
    p->ppid = row[C_thread_ppid];
    p->vpid = row[C_thread_vpid];
    p->qemu |= str_starts(comm, STR("qemu:")) || str_starts(comm, STR("qemu-system-"));
}

static void read_threads(struct mapper *m)
{
    for (uint32_t h = 0; h < m->c->nhosts; h++) {
        const struct store *s = m->c->hosts[h];
        const cell_t *row;
        table_t t;

        if (!store_table_find(s, schema_tables[TABLE_thread].name, &t))
            continue;
        struct store_rows r = store_rows(s, t, SPAN_ALL);
        while ((row = store_rows_next(&r)))
            if (row[C_thread_kernel] != 1 && qemu_worker_of(store_text(s, row[C_thread_comm])) < 0)
                add_thread(m, h, s, row);
    }
}

/* Threads that work for others, by tid: packets of vhost threads are the guest's. */
static void read_workers(const struct store *s, struct map64 *ret_pid_of)
{
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_thread].name, &t))
        return;
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r))) {
        int64_t pid = qemu_worker_of(store_text(s, row[C_thread_comm]));

        if (pid < 0)
            pid = row[C_thread_pid];
        if (pid > 0)
            map64_set(ret_pid_of, (uint64_t)row[C_thread_tid], (uint32_t)pid);
    }
}

/* Who sends through which tap device. */
static void read_taps(struct mapper *m, uint32_t host)
{
    const struct store *s = m->c->hosts[host];
    struct map64 pid_of = { 0 };
    const cell_t *row;
    table_t t;
    uint32_t pid;

    if (!store_table_find(s, schema_tables[TABLE_packet].name, &t))
        return;
    read_workers(s, &pid_of);
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r))) {
        if (row[C_packet_tid] <= 0 || row[C_packet_dir] != PACKET_RX ||
            !map64_get(&pid_of, (uint64_t)row[C_packet_tid], &pid))
            continue; /* what the guest sends, the host receives from its tap */
        struct str dev = store_text(s, row[C_packet_dev]);
        struct process *p = str_starts(dev, STR("tap")) ? process_of(m, host, pid) : NULL;

        if (p && p->qemu)
            text_set_add(&p->taps, dev);
    }
    map64_free(&pid_of);
}

/* --- instances ------------------------------------------------------------------------ */

static bool list_has(struct str list, struct str what)
{
    while (list.n) {
        size_t comma = str_chr(list, ',', 0);

        if (str_eq(comma == STR_NONE ? list : str_first(list, comma), what))
            return true;
        list = comma == STR_NONE ? STR("") : str_from(list, comma + 1);
    }
    return false;
}

static void doubt(struct process *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void doubt(struct process *p, const char *fmt, ...)
{
    char text[400];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    sbuf_fmt(&p->doubt, "%s%s", p->doubt.n ? "; " : "", text);
}

static void is_vm(struct process *p, const struct vm_names *vm, int confidence, struct str evidence)
{
    if (p->vm && p->vm != vm) {
        doubt(p, STR_FMT " speaks for " STR_FMT " instead", STR_ARG(evidence), STR_ARG(vm->name));
        return;
    }
    if (p->vm && p->confidence < 99) /* two that agree */
        p->confidence = p->confidence + (100 - p->confidence) / 2;
    else if (!p->vm)
        p->confidence = confidence;
    p->vm = vm;
    p->kind = "vm";
    p->name = vm->name.n ? vm->name : vm->uuid;
    text_set_add(&p->evidence, evidence);
}

/* "machine-qemu\x2d3\x2dinstance\x2d00000001.scope" holds "instance-00000001". */
static bool cgroup_names(struct mapper *m, struct str cgroup, struct str libvirt)
{
    struct sbuf plain = { 0 };
    bool found = false;

    for (size_t i = 0; i < cgroup.n; i++) {
        if (cgroup.n - i >= 4 && memcmp(cgroup.p + i, "\\x2d", 4) == 0) {
            sbuf_chr(&plain, '-');
            i += 3;
        } else {
            sbuf_chr(&plain, cgroup.p[i]);
        }
    }
    struct str want = str_of(arena_printf(&m->mem, "-" STR_FMT ".scope", STR_ARG(libvirt)));
    struct str machine = STR("machine-qemu-");
    size_t at = str_find(sbuf_view(&plain), machine, 0);
    if (libvirt.n && at != STR_NONE) /* "machine-qemu-3-NAME.scope" */
        found = str_find(sbuf_view(&plain), want, at) != STR_NONE;
    sbuf_free(&plain);
    return found;
}

/* Is 'comm' the name of a process of 'vm', whole (2), or as far as it goes (1)? */
static int name_fits(struct str comm, struct str name)
{
    struct str bare = str_starts(comm, STR("qemu:")) ? str_from(comm, 5) : comm;

    if (name.n == 0 || bare.n == 0)
        return 0;
    if (str_eq(bare, name))
        return comm.n < COMM_MAX || name.n + (comm.n - bare.n) == COMM_MAX ? 2 : 1;
    return comm.n == COMM_MAX && str_starts(name, bare) ? 1 : 0;
}

static int vm_fits(struct str comm, const struct vm_names *vm)
{
    int a = name_fits(comm, vm->name), b = name_fits(comm, vm->libvirt);

    return a > b ? a : b;
}

/* Was the instance ever on that host?  Not known counts as yes. */
static bool may_be_on(const struct mapper *m, const struct vm_names *vm, uint32_t host)
{
    return vm->hosts.n == 0 || list_has(vm->hosts, str_of(store_host(m->c->hosts[host])));
}

static void by_name(struct mapper *m, struct process *p)
{
    const struct vm_names *found[CANDIDATES_TOLD];
    size_t n = 0, here = 0;
    int best = 0;

    for (int only_here = 1; only_here >= 0 && n == 0; only_here--)
        for (size_t i = 0; i < m->nvms; i++) {
            int fits = vm_fits(p->comm, &m->vms[i]);

            if (fits == 0 || fits < best || (only_here && !may_be_on(m, &m->vms[i], p->host)))
                continue;
            n = fits > best ? 0 : n;
            best = fits;
            if (n < CANDIDATES_TOLD)
                found[n] = &m->vms[i];
            n++;
            here += only_here != 0;
        }
    if (n == 1) {
        is_vm(p, found[0], best == 2 ? 90 : 70,
              best == 2 ? STR("name of the process")
                        : STR("name of the process as far as the kernel keeps it (15 characters)"));
        if (!here)
            doubt(p, "no log says that the instance was on this host");
    } else if (n > 1 && !p->vm) {
        struct sbuf names = { 0 };

        for (size_t i = 0; i < n && i < CANDIDATES_TOLD; i++)
            sbuf_fmt(&names, "%s" STR_FMT "%s" STR_FMT "%s", i ? " or " : "",
                     STR_ARG(found[i]->name), best == 2 ? " (" : "",
                     STR_ARG(best == 2 ? found[i]->uuid : STR("")), best == 2 ? ")" : "");
        doubt(p, "ambiguous: the name fits %zu instances: " STR_FMT "%s", n,
              STR_ARG(sbuf_view(&names)), n > CANDIDATES_TOLD ? " or others" : "");
        p->kind = "vm";
        p->confidence = 30;
        text_set_add(&p->evidence, STR("name of the process"));
        sbuf_free(&names);
    }
}

/* No log tells of it: the process is all there is. */
static void by_itself(struct process *p)
{
    bool prefixed = str_starts(p->comm, STR("qemu:"));

    if (p->kind || p->comm.n == 0 || qemu_is_program(p->comm))
        return;
    p->kind = "vm";
    p->name = prefixed ? str_from(p->comm, 5) : p->comm;
    p->confidence = 60;
    text_set_add(&p->evidence, STR("name of the process"));
    if (p->comm.n == COMM_MAX)
        doubt(p, "the name may go on: the kernel keeps 15 characters");
    doubt(p, "no log tells of an instance with this name");
}

static void map_vm(struct mapper *m, struct process *p)
{
    for (size_t i = 0; i < m->nvms && p->cgroup.n; i++)
        if (cgroup_names(m, p->cgroup, m->vms[i].libvirt) ||
            cgroup_names(m, p->cgroup, m->vms[i].name))
            is_vm(p, &m->vms[i], 95, STR("cgroup of the libvirt domain"));
    by_name(m, p);
    for (size_t k = 0; k < p->taps.at.n; k++)
        for (size_t i = 0; i < m->nvms; i++)
            if (list_has(m->vms[i].taps, p->taps.at.at[k])) {
                if (!p->vm) { /* decides between those that the name fits */
                    sbuf_clear(&p->doubt);
                    p->confidence = 0;
                }
                is_vm(p, &m->vms[i], 85,
                      str_of(
                          arena_printf(&m->mem, "packets of " STR_FMT, STR_ARG(p->taps.at.at[k]))));
            }
    by_itself(p);
    if (p->vcpus && p->kind)
        text_set_add(&p->evidence, str_of(arena_printf(&m->mem, "%u vCPU threads", p->vcpus)));
}

/* --- services --------------------------------------------------------------------------- */

/* What an OpenStack host runs beside OpenStack, by the name of its process. */
static struct str infrastructure(struct str name)
{
    static const char *const names[] = {
        "libvirtd",       "virtqemud",  "virtlogd",   "ovs-vswitchd", "ovsdb-server", "beam.smp",
        "mariadbd",       "mysqld",     "memcached",  "etcd",         "haproxy",      "dnsmasq",
        "ovn-controller", "ovn-northd", "ceph-osd",   "ceph-mon",     "iscsid",       "tgtd",
        "multipathd",     "keepalived", "conntrackd", "apache2",      "httpd",
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (str_is(name, names[i]))
            return str_is(name, "beam.smp") ? STR("rabbitmq") : name;
    return STR("");
}

static struct str service_named(struct str name)
{
    struct str service = name.n ? app_service_of_process(name) : name;

    return service.n ? service : infrastructure(name);
}

static void is_service(struct process *p, struct str name, int confidence, struct str evidence)
{
    if (name.n == 0 || (p->kind && !str_is(str_of(p->kind), "service")))
        return;
    if (p->kind && !str_eq(p->name, name)) {
        doubt(p, STR_FMT " speaks for " STR_FMT " instead", STR_ARG(evidence), STR_ARG(name));
        return;
    }
    p->confidence = p->kind ? p->confidence + (100 - p->confidence) / 2 : confidence;
    p->kind = "service";
    p->name = name;
    text_set_add(&p->evidence, evidence);
}

/* Log lines say which service a pid is; in a container, by its number there. */
static void by_log_lines(struct mapper *m, uint32_t host)
{
    const struct store *s = m->c->hosts[host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_service_seen].name, &t))
        return;
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r))) {
        struct process *p = process_of(m, host, row[C_service_seen_pid]);
        struct str service = store_text(s, row[C_service_seen_service]);

        if (service_named(service).n == 0 &&
            str_eq(service, store_text(s, row[C_service_seen_procname])))
            continue; /* of a shared library: nothing but the process is known */
        if (p && !p->qemu)
            is_service(p, service, 95, STR("pid of its log lines"));
    }
}

static void map_service(struct process *p)
{
    size_t slash = str_rchr(p->exe, '/');

    is_service(p, service_named(slash == STR_NONE ? p->exe : str_from(p->exe, slash + 1)), 90,
               STR("program that was executed"));
    is_service(p, service_named(p->comm), 80, STR("name of the process"));
    for (struct str rest = p->names; rest.n && !p->kind;) {
        size_t comma = str_chr(rest, ',', 0);

        is_service(p, service_named(comma == STR_NONE ? rest : str_first(rest, comma)), 70,
                   STR("name that the process had before"));
        rest = comma == STR_NONE ? STR("") : str_from(rest, comma + 1);
    }
}

/* Who answers at a service's port is that service, if nothing says that it is another one. */
static void by_ports(struct mapper *m, uint32_t host)
{
    const struct store *s = m->c->hosts[host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_ident].name, &t))
        return;
    struct store_rows r = store_rows(s, t, SPAN_ALL);
    while ((row = store_rows_next(&r))) {
        int64_t pid = 0, port = 0;

        if (!str_is(store_text(s, row[C_ident_bkind]), "port") ||
            !str_i64(store_text(s, row[C_ident_a]), &pid) ||
            !str_i64(store_text(s, row[C_ident_b]), &port))
            continue;
        struct process *p = process_of(m, host, pid);
        struct str service = app_service_of_port(port);
        if (p && !p->qemu && (!p->kind || str_eq(p->name, service)))
            is_service(p, service, 60,
                       str_of(arena_printf(&m->mem, "answers from port %lld", (long long)port)));
    }
}

/* Workers of a service whose own name says nothing. */
static void map_child(struct mapper *m, struct process *p)
{
    static const char *const vague[] = { "python", "uwsgi", "/usr/bin/python", "privsep" };
    const struct process *parent = p->kind ? NULL : process_of(m, p->host, p->ppid);

    for (size_t i = 0; parent && i < ARRAY_SIZE(vague); i++)
        if (str_starts(p->comm, str_of(vague[i])) && parent->kind &&
            !strcmp(parent->kind, "service")) {
            is_service(p, parent->name, 60, STR("child of the service's process"));
            return;
        }
}

/* --- all -------------------------------------------------------------------------------- */

static void write(struct mapper *m, const struct process *p)
{
    struct cloud *c = m->c;
    cell_t cells[mapping_columns] = {
        [C_mapping_t0] = p->t0,
        [C_mapping_t1] = p->t1,
        [C_mapping_host] = cloud_text(c, str_of(store_host(p->store))),
        [C_mapping_pid] = p->pid,
        [C_mapping_comm] = cloud_text(c, p->comm),
        [C_mapping_kind] = cloud_text(c, str_of(p->kind)),
        [C_mapping_name] = cloud_text(c, p->name),
        [C_mapping_uuid] = p->vm ? cloud_text(c, p->vm->uuid) : 0,
        [C_mapping_libvirt_name] = p->vm ? cloud_text(c, p->vm->libvirt) : 0,
        [C_mapping_evidence] = text_set_cell(c, &p->evidence),
        [C_mapping_percent] = p->confidence,
        [C_mapping_doubt] = cloud_text(c, sbuf_view(&p->doubt)),
        [C_mapping_threads] = p->threads,
        [C_mapping_vcpus] = p->vcpus,
    };

    cloud_record(c, TABLE_mapping, cells);
}

void cloud_mappings(struct cloud *c, const struct vm_names *vms, size_t nvms)
{
    struct mapper m = { .c = c, .vms = vms, .nvms = nvms };

    read_threads(&m);
    for (uint32_t h = 0; h < c->nhosts; h++) {
        read_taps(&m, h);
        by_log_lines(&m, h);
    }
    for (size_t i = 0; i < m.all.n; i++) {
        if (m.all.at[i].qemu)
            map_vm(&m, &m.all.at[i]);
        else
            map_service(&m.all.at[i]);
    }
    for (uint32_t h = 0; h < c->nhosts; h++)
        by_ports(&m, h);
    for (size_t i = 0; i < m.all.n; i++)
        map_child(&m, &m.all.at[i]);
    for (size_t i = 0; i < m.all.n; i++) {
        if (m.all.at[i].kind)
            write(&m, &m.all.at[i]);
        text_set_free(&m.all.at[i].taps);
        text_set_free(&m.all.at[i].evidence);
        sbuf_free(&m.all.at[i].doubt);
    }
    vec_free(&m.all);
    map64_free(&m.by_pid);
    arena_free(&m.mem);
}
