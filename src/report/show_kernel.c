/* SPDX-License-Identifier: Apache-2.0
 *
 * show_kernel.c -- an instance as the kernel sees it: its processes, where the time of
 * their threads goes, who disturbs them, disks and interfaces. */
#include "report/measure_priv.h"
#include "report/measure_sections.h"

#include "model/qemu.h"

#include <inttypes.h>
#include <stdlib.h>

enum { ROWS = 10 };

bool show_vm_is_process(const struct report_src *src, struct str id)
{
    struct src_rows r = src_rows_global(src, TABLE_mapping);
    const cell_t *row;
    bool found = false;

    while (!found && (row = src_next(&r)))
        found = str_is(src_text(&r, row, C_mapping_kind), "vm") &&
                str_eq(src_text(&r, row, C_mapping_name), id);
    if (found)
        src_end(&r);
    return found;
}

static void add_list(const struct report_src *src, const struct report_list *l, const char *title,
                     struct sections *ret)
{
    struct section *s = section_add(ret, l->name, title, l->columns, l->ncolumns);

    l->fill(src, &s->table);
}

static void add_measure(const struct report_src *src, const struct measure *m, enum measure_by by,
                        const char *title, struct sections *ret)
{
    struct section *s = section_measure(ret, src, m, by, title);

    s->limit = ROWS;
    s->more = "-o wide shows all";
}

/* --- overhead --------------------------------------------------------------------------- */

static const struct column part_cols[] = {
    { "part", "PART", COL_STR, 0, 0, 0 },
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "threads", "THREADS", COL_COUNT, 0, 0, 0 },
    { "run_ns", "RUN", COL_DURATION, 0, 0, 0 },
    { "share", "SHARE", COL_RATIO, 0, 0, 0 },
    { "wait_ns", "WAITED FOR CPU", COL_DURATION, 0, 0, 0 },
};

enum part { PART_GUEST, PART_EXITS, PART_VCPU, PART_QEMU, PART_KERNEL, PARTS };

struct overhead {
    uint64_t threads[PARTS];
    ns_t run[PARTS], wait[PARTS];
};

/* What a vCPU's thread runs is the guest, exits of it, or, when entries and exits are not recorded
 * (QEMU that emulates has none), both. */
static bool tells_guest(const struct report_src *src, const struct who_thread *th)
{
    return measure_had(src->hosts[th->host], EV_KVM_ENTRY) && str_ends(th->comm, STR("/KVM"));
}

static void add_thread(const struct report_src *src, const struct who_thread *th,
                       struct overhead *o)
{
    struct usage u = { .seen = false };
    bool vcpu = qemu_is_vcpu(th->comm);

    usage_add(src, th, &u);
    ns_t run = usage_sum(&u, TS_USER, TS_SOFTIRQ), guest = u.in[TS_GUEST];
    ns_t wait = u.in[TS_WAIT] + u.in[TS_PREEMPTED];
    bool told = vcpu && tells_guest(src, th);
    enum part part = !vcpu  ? (qemu_worker_of(th->comm) > 0 ? PART_KERNEL : PART_QEMU)
                     : told ? PART_EXITS
                            : PART_VCPU;

    if (!u.seen)
        return;
    if (told) {
        o->threads[PART_GUEST]++;
        o->run[PART_GUEST] += guest;
        run -= guest;
    }
    o->threads[part]++;
    o->run[part] += run;
    o->wait[part] += wait;
}

static void put_overhead(const struct report_src *src, uint32_t host, const struct overhead *o,
                         struct table *t)
{
    static const char *const names[] = {
        "guest", "vCPU threads outside of the guest",
        "vCPU threads, guest and exits not told apart (emulated, or kvm_entry is not recorded)",
        "other threads of QEMU", "kernel threads that work for it (vhost, kvm-pit)"
    };
    ns_t all = 0;

    for (int i = 0; i < PARTS; i++)
        all += o->run[i];
    for (int i = 0; i < PARTS; i++) {
        if (o->threads[i] == 0)
            continue;
        table_row(t);
        table_str(t, str_of(names[i]));
        table_str(t, str_of(store_host(src->hosts[host])));
        table_count(t, o->threads[i]);
        table_ns(t, o->run[i]);
        table_ratio(t, all ? (double)o->run[i] / (double)all : 0);
        if (i == PART_GUEST)
            table_null(t); /* a thread that waits has left the guest */
        else
            table_ns(t, o->wait[i]);
    }
}

static void add_overhead(const struct report_src *src, struct sections *ret)
{
    struct section *s =
        section_add(ret, "overhead", "Where its CPU time goes", part_cols, ARRAY_SIZE(part_cols));
    struct overhead *all = xcalloc(src->nhosts + 1, sizeof *all);
    struct measure_opts o = { .view = VIEW_TOP };
    struct whos w;

    whos_make(src, &w);
    for (size_t i = 0; i < w.threads.n; i++)
        if (measure_passes(src, &w, &o, &w.threads.at[i]))
            add_thread(src, &w.threads.at[i], &all[w.threads.at[i].host]);
    for (uint32_t h = 0; h < src->nhosts; h++)
        put_overhead(src, h, &all[h], &s->table);
    whos_free(&w);
    free(all);
}

/* --- interfaces ------------------------------------------------------------------------- */

static const struct column interface_cols[] = {
    { "interface", "INTERFACE", COL_STR, 0, 0, 0 }, { "host", "HOST", COL_STR, 0, 0, 0 },
    { "direction", "THE GUEST", COL_STR, 0, 0, 0 }, { "packets", "PACKETS", COL_COUNT, 0, 0, 0 },
    { "bytes", "BYTES", COL_BYTES, 0, 0, 0 },
};

struct traffic {
    uint64_t packets[PACKET_DROP + 1], bytes[PACKET_DROP + 1]; /* by enum packet_dir */
};

/* What the host receives from a tap device is what the guest sent. */
static void put_tap(struct str tap, const char *host, const struct traffic *x, struct table *t)
{
    static const char *const words[] = { "sent", "received", "could not be given", "lost" };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (x->packets[i] == 0)
            continue;
        table_row(t);
        table_str(t, tap);
        table_str(t, str_of(host));
        table_str(t, str_of(words[i]));
        table_count(t, x->packets[i]);
        table_count(t, x->bytes[i]);
    }
}

/* An instance that moves has a device of the same name on both hosts. */
static void add_tap(const struct report_src *src, struct str tap, struct table *t)
{
    struct traffic *hosts = xcalloc(src->nhosts + 1, sizeof *hosts);
    struct src_rows r = src_rows(src, TABLE_packet);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct traffic *x = &hosts[src_host_no(src, r.store)];
        int64_t dir = row[C_packet_dir];

        if (dir < 0 || dir > PACKET_DROP || !str_eq(src_text(&r, row, C_packet_dev), tap))
            continue;
        x->packets[dir]++;
        x->bytes[dir] += row[C_packet_bytes] == STORE_NULL ? 0 : (uint64_t)row[C_packet_bytes];
    }
    for (uint32_t h = 0; h < src->nhosts; h++)
        put_tap(tap, store_host(src->hosts[h]), &hosts[h], t);
    free(hosts);
}

/* The hosts on which it has a process, else all whose kernel was traced: it may be on any. */
static struct report_src its_hosts(const struct report_src *src)
{
    struct report_src ret = src_with_kernel(src), its = ret;
    struct store **hosts = arena_array(src->mem, struct store *, ret.nhosts);
    const struct measure_opts o = { .view = VIEW_TOP };
    struct whos w;

    its.hosts = hosts;
    its.nhosts = 0;
    whos_make(&ret, &w);
    for (size_t i = 0; i < w.threads.n; i++) { /* by host */
        struct store *s = ret.hosts[w.threads.at[i].host];

        if ((its.nhosts == 0 || hosts[its.nhosts - 1] != s) &&
            measure_passes(&ret, &w, &o, &w.threads.at[i]))
            hosts[its.nhosts++] = s;
    }
    whos_free(&w);
    return its.nhosts ? its : ret;
}

static const struct {
    const struct measure *m;
    enum measure_by by;
    const char *title;
} parts[] = {
    { &measure_cpu, BY_THREAD, "Its threads" },
    { &measure_exits, BY_OWNER, "Why the guest was left" },
    { &measure_preempt, BY_OWNER,
      "Pre-emption: who took a CPU from it, and from whom it took one" },
    { &measure_wait, BY_OWNER, "Waits for a CPU: who was on it meanwhile" },
    { &measure_io, BY_OWNER, "Its requests to disks" },
};

/* What would tell more of it. */
static void add_missing(const struct report_src *src, struct sections *ret)
{
    const struct measure *of[ARRAY_SIZE(parts) + 2] = { NULL };
    struct report_src its = its_hosts(src);
    size_t n = 0;

    for (; n < ARRAY_SIZE(parts); n++)
        of[n] = parts[n].m;
    of[n] = &measure_net;
    section_missing(ret, &its, of);
}

void show_vm_kernel(const struct report_src *src, struct str taps, struct sections *ret)
{
    size_t n;
    struct str *tap = src_split(src, taps, &n);

    add_list(src, &list_mappings, "Its processes", ret);
    add_overhead(src, ret);
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
        add_measure(src, parts[i].m, parts[i].by, parts[i].title, ret);
    struct section *s = section_add(ret, "interfaces", "Its interfaces", interface_cols,
                                    ARRAY_SIZE(interface_cols));
    for (size_t i = 0; i < n; i++)
        add_tap(src, tap[i], &s->table);
    add_missing(src, ret);
}
