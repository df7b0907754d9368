/* SPDX-License-Identifier: Apache-2.0
 *
 * migration_io.c -- what the networks and disks of the hosts tell of a migration: who shared its
 * link and its disks meanwhile, and for how long its guest was silent.
 *
 * A link or a disk is the migration's if a thread of its process at the source used it. */
#include "report/migration_priv.h"

#include <stdlib.h>

struct io {
    const struct report_src *src;
    const struct whos *w;
    struct migration *m;
    struct span win;
};

/* The columns of a table of transfers. */
static const struct transfers {
    enum schema_table table;
    const char *resource;
    int bytes, tid;
} networks = { TABLE_packet, "network", C_packet_bytes, C_packet_tid },
  disks = { TABLE_block, "disk", C_block_bytes, C_block_tid };

static bool is_tap(struct str dev)
{
    return str_starts(dev, STR("tap")) || str_starts(dev, STR("vnet"));
}

/* The device of a row, or an empty string if it does not count: what is sent, but not to itself
 * or to a guest. */
static struct str device_of(const struct io *x, const struct transfers *kind, const cell_t *row)
{
    const struct store *s = x->src->hosts[x->m->source_host];

    if (kind == &disks)
        return who_device(x->src, s, row[C_block_dev]);
    struct str dev = store_text(s, row[C_packet_dev]);
    return row[C_packet_dir] != PACKET_TX || str_is(dev, "lo") || is_tap(dev) ? STR("") : dev;
}

static const struct who_thread *thread_of(const struct io *x, const struct transfers *kind,
                                          const cell_t *row)
{
    return row[kind->tid] > 0 ? whos_at(x->w, x->m->source_host, row[kind->tid], row[0]) : NULL;
}

static bool is_its_own(const struct io *x, const struct who_thread *th)
{
    return th && who_process(x->w, th)->pid == x->m->source_pid;
}

static struct mig_sharer *sharer(struct migration *m, const char *resource, struct str device,
                                 struct str name, bool itself)
{
    for (size_t i = 0; i < m->sharers.n; i++) {
        struct mig_sharer *s = &m->sharers.at[i];

        if (s->resource == resource && str_eq(s->device, device) && s->itself == itself &&
            str_eq(s->name, name))
            return s;
    }
    *vec_push(&m->sharers) = (struct mig_sharer){
        .resource = resource, .device = device, .name = name, .itself = itself
    };
    return &m->sharers.at[m->sharers.n - 1];
}

static void take(struct io *x, const struct transfers *kind, const cell_t *row)
{
    struct str dev = device_of(x, kind, row), name = STR("(not known)");
    const struct who_thread *th = thread_of(x, kind, row);
    bool own = is_its_own(x, th);

    if (dev.n == 0 || row[kind->bytes] == STORE_NULL || row[kind->bytes] <= 0)
        return;
    if (own)
        name = x->m->vm.n ? x->m->vm : th->comm;
    else if (th)
        name = who_owner(x->w, th)->name.n ? who_owner(x->w, th)->name : th->comm;
    struct mig_sharer *s = sharer(x->m, kind->resource, dev, name, own);
    s->bytes += row[kind->bytes];
    if (th && !own)
        s->kind = str_of(who_kind_name(who_owner(x->w, th)->kind));
}

static int64_t all_of(const struct migration *m, const struct mig_sharer *of, bool own)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < m->sharers.n; i++) {
        const struct mig_sharer *s = &m->sharers.at[i];

        if (s->resource == of->resource && str_eq(s->device, of->device) && (!own || s->itself))
            bytes += s->bytes;
    }
    return bytes;
}

/* By device, who moved most first. */
static int by_bytes(const void *a, const void *b)
{
    const struct mig_sharer *x = a, *y = b;
    int devices = x->resource != y->resource ? strcmp(y->resource, x->resource)
                                             : str_cmp(x->device, y->device);

    if (devices)
        return devices;
    return x->bytes != y->bytes ? (x->bytes > y->bytes ? -1 : 1) : str_cmp(x->name, y->name);
}

/* Leaves out the devices that the migration did not use. */
static void keep_its_devices(struct migration *m)
{
    size_t n = 0;

    for (size_t i = 0; i < m->sharers.n; i++)
        m->sharers.at[i].share =
            all_of(m, &m->sharers.at[i], true) > 0
                ? (double)m->sharers.at[i].bytes / (double)all_of(m, &m->sharers.at[i], false)
                : 0;
    for (size_t i = 0; i < m->sharers.n; i++)
        if (m->sharers.at[i].share > 0)
            m->sharers.at[n++] = m->sharers.at[i];
    m->sharers.n = n;
    if (n)
        qsort(m->sharers.at, n, sizeof *m->sharers.at, by_bytes);
}

static void find_sharers(struct io *x, const struct transfers *kind)
{
    const struct store *s = x->src->hosts[x->m->source_host];
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[kind->table].name, &t))
        return;
    struct store_rows r = store_rows(s, t, x->win);
    while ((row = store_rows_next(&r)))
        take(x, kind, row);
}

/* --- how long its guest was silent ----------------------------------------------------------- */

/* The last packet in 'win' that the host had from a tap of the process, or the first; STORE_NULL:
 * there is none. */
static ns_t guest_packet(const struct io *x, uint32_t host, int64_t pid, struct span win, bool last)
{
    const struct store *s = x->src->hosts[host];
    ns_t found = STORE_NULL;
    const cell_t *row;
    table_t t;

    if (!store_table_find(s, schema_tables[TABLE_packet].name, &t))
        return STORE_NULL;
    struct store_rows r = store_rows(s, t, win);
    while ((row = store_rows_next(&r)) && (last || found == STORE_NULL)) {
        const struct who_thread *th = row[C_packet_dir] == PACKET_RX && row[C_packet_tid] > 0 &&
                                              is_tap(store_text(s, row[C_packet_dev]))
                                          ? whos_at(x->w, host, row[C_packet_tid], row[0])
                                          : NULL;

        if (th && who_process(x->w, th)->pid == pid)
            found = row[0];
    }
    if (row)
        store_rows_end(&r);
    return found;
}

/* The fourth definition of downtime: as the network saw the guest. */
static void add_silence(const struct io *x)
{
    const struct mig_downtime *states = migration_downtime(x->m, "states");
    struct migration *m = x->m;

    if (!states || m->destination_host == UINT32_MAX)
        return;
    ns_t t0 =
        guest_packet(x, m->source_host, m->source_pid, (struct span){ m->start, states->t1 }, true);
    ns_t t1 = guest_packet(x, m->destination_host, m->destination_pid,
                           (struct span){ states->t0, NS_MAX }, false);
    if (t0 == STORE_NULL || t1 == STORE_NULL || t1 < t0)
        return;
    struct mig_downtime added = {
        STR("network"),
        t0,
        t1,
        t1 - t0,
        states->bound_ns,
        STR("from the last packet that came from the guest's tap at the source to the first at the "
            "destination, which may be QEMU's announcement: a guest that had nothing to say "
            "looks stopped")
    };
    *vec_push(&m->downtimes) = added;
}

void migration_io(const struct report_src *src, const struct whos *w, struct migration *m)
{
    struct io x = { src, w, m, { m->start, m->end == STORE_NULL ? NS_MAX : m->end } };

    if (m->source_host == UINT32_MAX || m->source_pid < 0)
        return;
    find_sharers(&x, &networks);
    find_sharers(&x, &disks);
    keep_its_devices(m);
    add_silence(&x);
}
