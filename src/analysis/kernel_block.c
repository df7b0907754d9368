/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_block.c -- block requests, from their queueing to their completion.
 *
 * A request is known by its device and first sector.  It is queued when it is inserted into a
 * scheduler (block_rq_insert) or, where there is none, when it is issued to the driver; it
 * ends when it completes, perhaps in parts.  Requests and bios that are merged into another
 * make that one bigger, at its end or at its front, which then begins at another sector.
 * (block/blk-mq.c, include/trace/events/block.h, Linux 6.1.)  An issue of a sector that is
 * open already means that the first completion was not seen: that one yields nothing. */
#include "analysis/kernel.h"
#include "analysis/list.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REQUESTS_LIMIT = 1 << 20, /* open at the same time */
    SECTOR = 512,
    /* rwbs of lttng-modules, instrumentation/events/block.h; 3.x and 6.x agree on these */
    RWBS_WRITE = 1 << 0,
    RWBS_DISCARD = 1 << 1,
    RWBS_FLUSH = 1 << 8,
    RWBS_PREFLUSH = 1 << 10,
};

enum op { OP_READ, OP_WRITE, OP_FLUSH, OP_DISCARD };

struct request {
    bool used;
    uint8_t op;
    uint32_t next_free;
    int64_t dev, tid;
    uint64_t sector, end; /* sectors [sector, end) */
    int64_t bytes;
    ns_t queued, issued; /* issued: NS_MIN = not yet */
    int64_t merged, depth;
    bool sequential;
};

struct disk {
    int64_t dev;
    attr_t waiting_attr, driver_attr;
    int64_t waiting, driver;
    uint64_t last_end; /* where the request queued last ended */
};

struct blocks {
    VEC(struct request) requests;
    uint32_t free;                 /* + 1; 0 = none */
    struct map64 by_begin, by_end; /* key of device and sector -> request */
    VEC(struct disk) disks;
    uint64_t unmatched, replaced, too_many, unseen;
};

static uint64_t key_of(int64_t dev, uint64_t sector)
{
    uint64_t parts[] = { (uint64_t)dev, sector };

    return hash_bytes(parts, sizeof parts, 11);
}

static struct disk *disk_of(struct blocks *b, struct pass *p, int64_t dev)
{
    char path[SCHEMA_PATH], name[48];

    for (size_t i = 0; i < b->disks.n; i++)
        if (b->disks.at[i].dev == dev)
            return &b->disks.at[i];
    struct disk *d = vec_push(&b->disks);
    int64_t major = dev >> 20, minor = dev & 0xfffff;
    int n = snprintf(name, sizeof name, "%" PRId64 ":%" PRId64, major, minor);
    struct str dev_name = { name, (size_t)n };

    *d = (struct disk){ .dev = dev, .last_end = UINT64_MAX };
    d->waiting_attr = store_attr(p->store, engine_family(ATTR_DISK_WAITING),
                                 schema_path(ATTR_DISK_WAITING, dev_name, path));
    d->driver_attr = store_attr(p->store, engine_family(ATTR_DISK_DRIVER),
                                schema_path(ATTR_DISK_DRIVER, dev_name, path));
    return d;
}

static void count(struct pass *p, struct disk *d, ns_t t, int waiting, int driver)
{
    d->waiting += waiting;
    d->driver += driver;
    if (waiting)
        store_set(p->store, d->waiting_attr, t, d->waiting);
    if (driver)
        store_set(p->store, d->driver_attr, t, d->driver);
}

/* --- the table of open requests -------------------------------------------------------- */

static void index_add(struct blocks *b, uint32_t at)
{
    const struct request *r = &b->requests.at[at];

    map64_set(&b->by_begin, key_of(r->dev, r->sector), at);
    if (r->end > r->sector)
        map64_set(&b->by_end, key_of(r->dev, r->end), at);
}

static void index_del(struct blocks *b, const struct request *r)
{
    uint32_t at = (uint32_t)(r - b->requests.at), found;

    if (map64_get(&b->by_begin, key_of(r->dev, r->sector), &found) && found == at)
        map64_del(&b->by_begin, key_of(r->dev, r->sector));
    if (map64_get(&b->by_end, key_of(r->dev, r->end), &found) && found == at)
        map64_del(&b->by_end, key_of(r->dev, r->end));
}

static struct request *find(struct blocks *b, int64_t dev, uint64_t sector)
{
    uint32_t at;

    if (!map64_get(&b->by_begin, key_of(dev, sector), &at))
        return NULL;
    struct request *r = &b->requests.at[at];
    return r->used && r->dev == dev && r->sector == sector ? r : NULL;
}

static struct request *find_end(struct blocks *b, int64_t dev, uint64_t end)
{
    uint32_t at;

    if (!map64_get(&b->by_end, key_of(dev, end), &at))
        return NULL;
    struct request *r = &b->requests.at[at];
    return r->used && r->dev == dev && r->end == end ? r : NULL;
}

static void forget(struct blocks *b, struct pass *p, struct request *r, ns_t t)
{
    struct disk *d = disk_of(b, p, r->dev);

    count(p, d, t, r->issued == NS_MIN ? -1 : 0, r->issued == NS_MIN ? 0 : -1);
    index_del(b, r);
    r->used = false;
    r->next_free = b->free;
    b->free = (uint32_t)(r - b->requests.at) + 1;
}

static struct request *make(struct blocks *b)
{
    struct request *r;

    if (b->free) {
        r = &b->requests.at[b->free - 1];
        b->free = r->next_free;
    } else if (b->requests.n < REQUESTS_LIMIT) {
        r = vec_push(&b->requests);
    } else {
        b->too_many++;
        return NULL;
    }
    *r = (struct request){ .used = true, .issued = NS_MIN };
    return r;
}

/* --- events ---------------------------------------------------------------------------- */

static enum op op_of(const struct ev_block_rq_insert *ev)
{
    struct str text = ev->rwbs_text;
    bool data = ev->nr_sector > 0;

    if (text.n) { /* blk_fill_rwbs(): [F](D|W|R|F|N)[F][A][S][M] */
        bool flush = text.p[0] == 'F';

        if (str_chr(text, 'D', 0) != STR_NONE)
            return OP_DISCARD;
        if (!data || (flush && text.n > 1 && text.p[1] == 'F'))
            return OP_FLUSH;
        return str_chr(text, 'W', 0) != STR_NONE ? OP_WRITE : OP_READ;
    }
    if (ev->rwbs & RWBS_DISCARD)
        return OP_DISCARD;
    if (!data)
        return OP_FLUSH;
    return ev->rwbs & RWBS_WRITE ? OP_WRITE : OP_READ;
}

static struct request *queue(struct blocks *b, struct pass *p, const struct ev_head *h,
                             const struct ev_block_rq_insert *ev)
{
    struct request *r = find(b, ev->dev, (uint64_t)ev->sector);
    const struct kcpu *c = h->cpu < CPU_LIMIT ? p->kernel->cpus[h->cpu] : NULL;
    const struct kthread *th = kernel_current(c);
    struct disk *d = disk_of(b, p, ev->dev);

    if (r) {
        b->replaced++;
        forget(b, p, r, h->t);
    }
    if (!(r = make(b)))
        return NULL;
    r->dev = ev->dev;
    r->op = (uint8_t)op_of(ev);
    r->sector = (uint64_t)ev->sector;
    r->end = r->sector + (uint64_t)(ev->nr_sector > 0 ? ev->nr_sector : 0);
    r->bytes = ev->nr_sector > 0 ? ev->nr_sector * SECTOR : 0;
    r->tid = ev->tid > 0 ? ev->tid : th ? th->tid : c && c->known ? 0 : -1;
    r->queued = h->t;
    r->depth = d->waiting + d->driver;
    r->sequential = r->sector == d->last_end;
    d->last_end = r->end;
    index_add(b, (uint32_t)(r - b->requests.at));
    count(p, d, h->t, 1, 0);
    return r;
}

static void on_insert(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_block_rq_insert *ev = evp;
    struct blocks *b = state;
    struct request *r = find(b, ev->dev, (uint64_t)ev->sector);

    if (r && r->issued == NS_MIN) /* put back into the scheduler */
        return;
    queue(b, p, h, ev);
}

static void on_issue(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_block_rq_issue *issue = evp;
    const struct ev_block_rq_insert *ev = evp; /* the same members */
    struct blocks *b = state;
    struct request *r = find(b, issue->dev, (uint64_t)issue->sector);

    _Static_assert(sizeof *issue == sizeof *ev, "the events have the same fields");
    if ((!r || r->issued > NS_MIN) && !(r = queue(b, p, h, ev)))
        return;
    r->issued = h->t;
    if (issue->nr_sector > 0) { /* bios joined it since */
        index_del(b, r);
        r->end = r->sector + (uint64_t)issue->nr_sector;
        r->bytes = issue->nr_sector * SECTOR;
        index_add(b, (uint32_t)(r - b->requests.at));
    }
    count(p, disk_of(b, p, r->dev), h->t, -1, 1);
}

static void on_requeue(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_block_rq_requeue *ev = evp;
    struct blocks *b = state;
    struct request *r = find(b, ev->dev, (uint64_t)ev->sector);

    if (r && r->issued > NS_MIN) {
        count(p, disk_of(b, p, r->dev), h->t, 1, -1);
        r->issued = NS_MIN;
    }
}

static void write_request(struct pass *p, const struct request *r, ns_t t1, int64_t bytes,
                          int64_t error, const char *status)
{
    static const char *const ops[] = { "read", "write", "flush", "discard" };
    cell_t cells[block_columns] = {
        [C_block_t0] = r->queued,
        [C_block_t1] = t1,
        [C_block_issued] = r->issued > NS_MIN ? r->issued : STORE_NULL,
        [C_block_dev] = r->dev,
        [C_block_tid] = r->tid,
        [C_block_op] = pass_text(p, str_of(ops[r->op])),
        [C_block_sector] = (int64_t)r->sector,
        [C_block_bytes] = bytes,
        [C_block_error] = error,
        [C_block_merged] = r->merged,
        [C_block_depth] = r->depth,
        [C_block_sequential] = r->sequential,
        [C_block_status] = pass_text(p, str_of(status)),
    };

    pass_record(p, TABLE_block, cells);
}

static void on_complete(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_block_rq_complete *ev = evp;
    struct blocks *b = state;
    struct request *r = find(b, ev->dev, (uint64_t)ev->sector);
    uint64_t n = ev->nr_sector > 0 ? (uint64_t)ev->nr_sector : 0;

    if (h->cpu < CPU_LIMIT && p->kernel->cpus[h->cpu])
        p->kernel->cpus[h->cpu]->disk_t = h->t;
    if (!r) {
        b->unmatched++;
        return;
    }
    if (n > 0 && r->sector + n < r->end) { /* the rest follows under its own first sector */
        write_request(p, r, h->t, (int64_t)n * SECTOR, ev->error, "part");
        index_del(b, r);
        r->sector += n;
        r->bytes -= (int64_t)n * SECTOR;
        index_add(b, (uint32_t)(r - b->requests.at));
        return;
    }
    write_request(p, r, h->t, r->bytes, ev->error, ev->error ? "error" : "done");
    forget(b, p, r, h->t);
}

/* The request is now a part of the one that it touches. */
static void on_merge(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_block_rq_merge *ev = evp;
    struct blocks *b = state;
    struct request *r = find(b, ev->dev, (uint64_t)ev->sector);
    struct request *into = find_end(b, ev->dev, (uint64_t)ev->sector);

    if (!r)
        return;
    if (into && into != r) {
        index_del(b, into);
        into->end = r->end > into->end ? r->end : into->end;
        into->bytes = (int64_t)(into->end - into->sector) * SECTOR;
        into->merged++;
        forget(b, p, r, h->t);
        index_add(b, (uint32_t)(into - b->requests.at));
    } else {
        forget(b, p, r, h->t);
    }
}

static void on_bio_merge(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_block_bio_merge *ev = evp;
    struct blocks *b = state;
    uint64_t begin = (uint64_t)ev->sector, end = begin + (uint64_t)ev->nr_sector;
    struct request *r = find_end(b, ev->dev, begin);
    bool back = r != NULL;

    (void)p;
    (void)h;
    if (ev->nr_sector <= 0 || (!r && !(r = find(b, ev->dev, end))))
        return; /* into what is still in a thread's plug: not inserted yet */
    index_del(b, r);
    if (back)
        r->end = end;
    else
        r->sector = begin;
    r->bytes = (int64_t)(r->end - r->sector) * SECTOR;
    r->merged++;
    index_add(b, (uint32_t)(r - b->requests.at));
}

/* Nobody saw how the requests of the trace before ended. */
static void on_untraced(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_untraced *ev = evp;
    struct blocks *b = state;

    (void)h;
    for (size_t i = 0; i < b->requests.n; i++)
        if (b->requests.at[i].used) {
            forget(b, p, &b->requests.at[i], ev->since);
            b->unseen++;
        }
    for (size_t i = 0; i < b->disks.n; i++) {
        struct disk *d = &b->disks.at[i];

        store_set(p->store, d->waiting_attr, ev->since, STORE_NULL);
        store_set(p->store, d->driver_attr, ev->since, STORE_NULL);
        d->last_end = UINT64_MAX;
    }
}

static void on_dump(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_dump_block *ev = evp;
    cell_t cells[disk_columns] = { [C_disk_t0] = h->t,
                                   [C_disk_t1] = h->t,
                                   [C_disk_dev] = ev->dev,
                                   [C_disk_name] = pass_text(p, ev->name) };

    (void)state;
    pass_record(p, TABLE_disk, cells);
}

static void finish(void *state, struct pass *p)
{
    struct blocks *b = state;
    const struct {
        uint64_t n;
        const char *what;
    } odd[] = {
        { b->unmatched, "block requests completed that were not seen to begin: left out" },
        { b->replaced, "block requests were queued again before they completed: the first ones "
                       "are left out" },
        { b->too_many, "block requests are left out: over a million are open" },
        { b->unseen, "block requests were under way when a trace ended, and another began later: "
                     "left out" },
    };

    for (size_t i = 0; i < b->requests.n; i++)
        if (b->requests.at[i].used)
            write_request(p, &b->requests.at[i], STORE_NULL, b->requests.at[i].bytes, 0, "open");
    for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
        if (odd[i].n)
            note_add(p->notes, NOTE_INFO, p->host, "kernel: %" PRIu64 " %s", odd[i].n, odd[i].what);
    vec_free(&b->requests);
    vec_free(&b->disks);
    map64_free(&b->by_begin);
    map64_free(&b->by_end);
}

static const struct handler handlers[] = {
    { EV_BLOCK_INSERT, on_insert },
    { EV_BLOCK_ISSUE, on_issue },
    { EV_BLOCK_COMPLETE, on_complete },
    { EV_BLOCK_REQUEUE, on_requeue },
    { EV_BLOCK_MERGE, on_merge },
    { EV_BLOCK_BIO_MERGE, on_bio_merge },
    { EV_DUMP_BLOCK, on_dump },
    { EV_UNTRACED, on_untraced },
    { EV_OTHER, NULL },
};

const struct analysis an_kernel_block = {
    .name = "kernel-block",
    .title = "Block requests",
    .layer = "kernel",
    .doc =
        "Follows each request from the thread that queued it to its completion: how long it waited "
        "and how long the device took, how many were there before it, and whether it went on where "
        "the one before ended.",
    .handlers = handlers,
    .state_size = sizeof(struct blocks),
    .finish = finish,
};
