/* SPDX-License-Identifier: Apache-2.0
 *
 * kern_block.c -- disks of the model.
 *
 * A request waits in the scheduler's queue until the driver has room, then in
 * the device until one of its 'parallel' servers is free.  While it waits in
 * the queue, a request behind it on the disk is merged into it; so a busy disk
 * sees fewer and larger requests, as real ones do. */
#include "sim/kern_io.h"

#include <stdio.h>
#include <stdlib.h>

enum { SECTOR = 512, MERGED_MAX = 2048 /* sectors */ };

/* What LTTng writes for an operation: bits of enum rwbs_flags. */
static const unsigned rwbs_of[OP_KINDS] = {
    [OP_READ] = 1u << 2,
    [OP_WRITE] = 1u << 0 | 1u << 5,
    [OP_FLUSH] = 1u << 8 | 1u << 10,
    [OP_DISCARD] = 1u << 1,
};

void kern_disks_build(struct kern *k)
{
    k->disks = arena_array(&k->mem, struct kdisk, k->hc->n_disks + 1);
    for (size_t i = 0; i < k->hc->n_disks; i++) {
        const struct kc_disk *conf = &k->hc->disks[i];
        struct kdisk *d = &k->disks[i];

        d->conf = conf;
        d->dev = conf->major << 20 | conf->minor;
        d->is_direct = strcmp(conf->scheduler, "none") == 0;
        d->in_softirq = strcmp(conf->completion, "softirq") == 0;
        d->cpu = &k->cpus[conf->irq % k->n_cpus];
        snprintf(d->irq_name, sizeof d->irq_name, "virtio%u-req.0", (unsigned)i % 1000);
    }
}

void kern_disks_free(struct kern *k)
{
    for (size_t i = 0; k->disks && i < k->hc->n_disks; i++)
        vec_free(&k->disks[i].spare);
}

struct kdisk *kern_disk_named(struct kern *k, const char *name)
{
    for (size_t i = 0; i < k->hc->n_disks; i++)
        if (strcmp(k->disks[i].conf->name, name) == 0)
            return &k->disks[i];
    return NULL;
}

const char *kern_disk_irq(const void *request, unsigned *number)
{
    const struct krq *rq = request;

    *number = rq->disk->conf->irq;
    return rq->disk->irq_name;
}

uint64_t kern_next_sector(struct kern *k, struct kproc *p, uint32_t sectors)
{
    const uint64_t region = UINT64_C(1) << 24, slots = region / 2048;

    if (!p->region)
        p->region = (p->index + 1) * region;
    if (p->conf->disk.sequential) {
        uint64_t at = p->skipped_sector ? p->skipped_sector : p->region + p->at_sector;

        if (p->skipped_sector) {
            p->skipped_sector = 0;
            return at;
        }
        p->at_sector = (p->at_sector + sectors) % (region - 4096);
        if (rng_below(&k->rng, 6) == 0) { /* two requests of a file overtake each other */
            p->skipped_sector = at;
            at = p->region + p->at_sector;
            p->at_sector = (p->at_sector + sectors) % (region - 4096);
        }
        return at;
    }
    /* Every slot once before any comes again: no two requests under way share
     * a sector. */
    p->jumps++;
    return p->region + p->jumps * 4801 % slots * 2048;
}

/* --- Requests ----------------------------------------------------------------- */

static struct krq *new_request(struct kern *k, struct kdisk *d, struct ktask *t, enum block_op op,
                               uint64_t sector, uint32_t sectors)
{
    struct krq *rq = d->spare.n ? d->spare.at[--d->spare.n] : NULL;

    if (!rq) {
        rq = arena_new(&k->mem, struct krq);
        *vec_push(&k->requests) = rq;
    }
    rq->disk = d;
    rq->proc = t->proc;
    rq->op = op;
    rq->sector = sector;
    rq->sectors = sectors;
    rq->next = NULL;
    rq->waiters.n = 0;
    *vec_push(&rq->waiters) = t;
    return rq;
}

static ns_t emit_bio(struct kern *k, struct kcpu *c, enum kev e, const struct kdisk *d,
                     enum block_op op, uint64_t sector, uint32_t sectors)
{
    return kern_emit(k, c, e,
                     (struct ctfw_val[]){ ctfw_u(d->dev), ctfw_u(sector), ctfw_u(sectors),
                                          ctfw_u(rwbs_of[op]), ctfw_i(c->curr->tid),
                                          kern_comm(c->curr) });
}

static ns_t emit_request(struct kern *k, struct kcpu *c, enum kev e, const struct krq *rq)
{
    return kern_emit(
        k, c, e,
        (struct ctfw_val[]){ ctfw_u(rq->disk->dev), ctfw_u(rq->sector), ctfw_u(rq->sectors),
                             ctfw_u((uint64_t)rq->sectors * SECTOR), ctfw_i(c->curr->tid),
                             ctfw_u(rwbs_of[rq->op]), kern_comm(c->curr) });
}

/* How long the device works on what it completes next. */
static ns_t service_time(struct kern *k, const struct krq *rq)
{
    const struct kc_disk *conf = rq->disk->conf;
    double us = conf->service_us + conf->per_kib_us * rq->part * SECTOR / 1024;
    ns_t since = k->now - k->begin;

    if (rq->op == OP_FLUSH)
        us *= 4;
    if (since >= conf->slow_at_ns && since < conf->slow_at_ns + conf->slow_for_ns)
        us *= conf->slow_factor;
    return rng_around(&k->rng, (int64_t)(us * 1000));
}

static void serve(struct kern *k, struct krq *rq)
{
    const struct kc_disk *conf = rq->disk->conf;

    rq->part = rq->sectors;
    if (rq->sectors >= 16 && rng_below(&k->rng, 100) < conf->partial_percent)
        rq->part = rq->sectors / 2;
    rq->disk->in_service++;
    kern_timer(k, k->now + service_time(k, rq), TM_DISK, rq, 0);
}

static void issue(struct kern *k, struct kcpu *c, struct krq *rq)
{
    struct kdisk *d = rq->disk;

    rq->issued = emit_request(k, c, EV_RQ_ISSUE, rq);
    rq->next = NULL;
    d->in_driver++;
    d->issued++;
    if (d->in_service < d->conf->parallel) {
        serve(k, rq);
    } else {
        if (d->issued_last)
            d->issued_last->next = rq;
        else
            d->issued_first = rq;
        d->issued_last = rq;
    }
}

static void run_queue(struct kern *k, struct kcpu *c, struct kdisk *d)
{
    while (d->first && d->in_driver < d->conf->queue_depth) {
        struct krq *rq = d->first;

        d->first = rq->next;
        if (!d->first)
            d->last = NULL;
        issue(k, c, rq);
    }
}

/* 'rq' has grown: a queued request that starts where it now ends joins it. */
static void merge_next(struct kern *k, struct kcpu *c, struct krq *rq)
{
    struct kdisk *d = rq->disk;
    struct krq **at = &d->first, *before = NULL;

    while (*at && ((*at)->op != rq->op || (*at)->sector != rq->sector + rq->sectors ||
                   rq->sectors + (*at)->sectors > MERGED_MAX)) {
        before = *at;
        at = &(*at)->next;
    }
    struct krq *gone = *at;

    if (!gone || gone == rq)
        return;
    emit_request(k, c, EV_RQ_MERGE, gone);
    d->merged++;
    *at = gone->next;
    if (d->last == gone)
        d->last = before;
    rq->sectors += gone->sectors;
    for (size_t i = 0; i < gone->waiters.n; i++)
        *vec_push(&rq->waiters) = gone->waiters.at[i];
    *vec_push(&d->spare) = gone;
}

static bool merge_back(struct kern *k, struct kcpu *c, struct kdisk *d, struct ktask *t,
                       enum block_op op, uint64_t sector, uint32_t sectors)
{
    struct krq *rq = d->first;

    while (rq && (rq->op != op || rq->sector + rq->sectors != sector ||
                  rq->sectors + sectors > MERGED_MAX))
        rq = rq->next;
    if (!rq)
        return false;
    emit_bio(k, c, EV_BIO_BACKMERGE, d, op, sector, sectors);
    d->backmerged++;
    rq->sectors += sectors;
    *vec_push(&rq->waiters) = t;
    merge_next(k, c, rq);
    return true;
}

void kern_submit(struct kern *k, struct kcpu *c, struct ktask *t, enum block_op op, uint64_t sector,
                 uint32_t sectors)
{
    struct kdisk *d = t->proc->disk;

    if (op == OP_FLUSH && d->flush) { /* the one under way does for both */
        *vec_push(&d->flush->waiters) = t;
        return;
    }
    if (op != OP_FLUSH) {
        emit_bio(k, c, EV_BIO_QUEUE, d, op, sector, sectors);
        if (merge_back(k, c, d, t, op, sector, sectors))
            return;
    }
    emit_bio(k, c, EV_GETRQ, d, op, sector, sectors);
    struct krq *rq = new_request(k, d, t, op, sector, sectors);

    if (op == OP_FLUSH)
        d->flush = rq;
    if (d->is_direct && !d->first && d->in_driver < d->conf->queue_depth) {
        issue(k, c, rq);
        rq->queued = rq->issued;
        return;
    }
    rq->queued = emit_request(k, c, EV_RQ_INSERT, rq);
    d->inserted++;
    if (d->last)
        d->last->next = rq;
    else
        d->first = rq;
    d->last = rq;
    run_queue(k, c, d);
}

void kern_submit_job(struct kern *k, struct kcpu *c, struct ktask *t)
{
    enum block_op op = t->job.op;
    uint32_t sectors = op == OP_FLUSH ? 0 : t->proc->conf->disk.kib * 2;

    kern_submit(k, c, t, op, sectors ? kern_next_sector(k, t->proc, sectors) : 0, sectors);
}

/* --- Completion ----------------------------------------------------------------- */

static void complete(struct kern *k, struct kcpu *c, struct krq *rq)
{
    struct kdisk *d = rq->disk;
    ns_t ts = kern_emit(k, c, EV_RQ_COMPLETE,
                        (struct ctfw_val[]){ ctfw_u(d->dev), ctfw_u(rq->sector), ctfw_u(rq->part),
                                             ctfw_i(0), ctfw_u(rwbs_of[rq->op]) });

    account_io(k, d, rq->proc, rq->op, (uint64_t)rq->part * SECTOR, ts - rq->queued,
               ts - rq->issued);
    if (rq->part < rq->sectors) {
        rq->sector += rq->part;
        rq->sectors -= rq->part;
        rq->part = rq->sectors;
        d->in_service++;
        kern_timer(k, k->now + service_time(k, rq), TM_DISK, rq, 0);
        return;
    }
    if (d->flush == rq)
        d->flush = NULL;
    d->in_driver--;
    for (size_t i = 0; i < rq->waiters.n; i++)
        kern_wake(k, c, rq->waiters.at[i]);
    *vec_push(&d->spare) = rq;
    run_queue(k, c, d);
}

void kern_disk_served(struct kern *k, void *request)
{
    struct krq *rq = request, *next;
    struct kdisk *d = rq->disk;

    d->in_service--;
    next = d->issued_first;
    if (next) {
        d->issued_first = next->next;
        if (!d->issued_first)
            d->issued_last = NULL;
        next->next = NULL;
        serve(k, next);
    }
    kern_irq(k, d->cpu, (struct kirq){ .kind = IRQ_DISK, .what = rq });
}

void kern_disk_interrupt(struct kern *k, struct kcpu *c, void *request)
{
    struct krq *rq = request;

    if (!rq->disk->in_softirq) {
        complete(k, c, rq);
        return;
    }
    *vec_push(&c->completed) = rq;
    kern_raise(k, c, SOFT_BLOCK);
}

void kern_disk_softirq(struct kern *k, struct kcpu *c)
{
    for (size_t i = 0; i < c->completed.n; i++)
        complete(k, c, c->completed.at[i]);
    c->completed.n = 0;
}
