/* SPDX-License-Identifier: Apache-2.0
 *
 * qemu_balloon.c -- memory that a guest is asked to give back, and what it gave.
 *
 * A balloon is counted in pages of 4 KiB, whatever the guest's are (QEMU's
 * hw/virtio/virtio-balloon.c, VIRTIO_BALLOON_PFN_SHIFT).  QMP's BALLOON_CHANGE tells the memory
 * that is left to the guest. */
#include "analysis/list.h"
#include "engine/engine.h"

enum { BALLOON_PAGE = 4096 };

static cell_t bytes_of(int64_t pages)
{
    return pages >= 0 && pages <= INT64_MAX / BALLOON_PAGE ? pages * BALLOON_PAGE : STORE_NULL;
}

static void put(struct pass *p, const struct ev_head *h, struct str name, cell_t guest_bytes,
                cell_t balloon_bytes, cell_t before_bytes)
{
    cell_t cells[mark_columns] = {
        [C_mark_t0] = h->t,
        [C_mark_t1] = h->t,
        [C_mark_kind] = pass_text(p, STR("balloon")),
        [C_mark_subject] = pass_text(p, h->procname),
        [C_mark_name] = pass_text(p, name),
        [C_mark_n1] = guest_bytes,
        [C_mark_n2] = balloon_bytes,
        [C_mark_n3] = before_bytes,
        [C_mark_pid] = h->pid,
        [C_mark_thread] = h->tid,
    };

    pass_record(p, TABLE_mark, cells);
}

static void on_target(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_balloon_target *ev = evp;

    (void)state;
    put(p, h, STR("the guest is to keep"), ev->bytes, bytes_of(ev->pages), STORE_NULL);
}

static void on_size(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qemu_balloon_size *ev = evp;

    (void)state;
    put(p, h, STR("the guest gave back"), STORE_NULL, bytes_of(ev->pages),
        bytes_of(ev->pages_before));
}

static void on_qmp(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    const struct ev_qmp_event *ev = evp;

    (void)state;
    if (str_is(ev_name_rest(EV_QMP_EVENT, h->name), "BALLOON_CHANGE"))
        put(p, h, STR("the guest has left"), ev->actual_bytes, STORE_NULL, STORE_NULL);
}

static const struct handler handlers[] = {
    { EV_QEMU_BALLOON_TARGET, on_target },
    { EV_QEMU_BALLOON_SIZE, on_size },
    { EV_QMP_EVENT, on_qmp },
    { EV_OTHER, NULL },
};

const struct analysis an_qemu_balloon = {
    .name = "qemu-balloon",
    .title = "Balloons: memory that guests give back",
    .layer = "virtualisation",
    .doc = "Keeps when a guest was asked to give memory back, and how much it gave.",
    .handlers = handlers,
};
