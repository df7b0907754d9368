/* SPDX-License-Identifier: Apache-2.0
 *
 * kernel_sockets.c -- which process answers at which service's port.
 *
 * Python hides a service's name from the kernel ("python3", "uwsgi"), its port does not: who sends
 * segments from it, in a system call of its own, is the service or stands in front of it.  Such a
 * pair is kept once; whose it is, cloud_mappings.c decides with all other evidence. */
#include "analysis/app_services.h"
#include "analysis/kernel.h"
#include "analysis/list.h"

#include <inttypes.h>
#include <stdio.h>

struct sockets {
    struct map64 known; /* process and port */
};

static void put(struct pass *p, ns_t t, int64_t pid, int64_t port)
{
    char a[24], b[24];
    cell_t cells[ident_columns] = { [C_ident_t0] = t, [C_ident_t1] = t };

    snprintf(a, sizeof a, "%" PRId64, pid);
    snprintf(b, sizeof b, "%" PRId64, port);
    cells[C_ident_akind] = pass_text(p, STR("pid"));
    cells[C_ident_a] = pass_text(p, str_of(a));
    cells[C_ident_bkind] = pass_text(p, STR("port"));
    cells[C_ident_b] = pass_text(p, str_of(b));
    cells[C_ident_evidence] = pass_text(p, STR("TCP segments that it sends"));
    pass_record(p, TABLE_ident, cells);
}

static void on_queue(void *state, struct pass *p, const struct ev_head *h, const void *evp)
{
    struct sockets *s = state;
    const struct ev_net_queue *ev = evp;
    const struct kcpu *c = h->cpu < CPU_LIMIT ? p->kernel->cpus[h->cpu] : NULL;
    const struct kthread *th = c && !c->nest ? kernel_current(c) : NULL;
    uint32_t seen;

    if (ev->doff <= 0 || !th || th->pid <= 0 || th->is_kernel == 1 ||
        app_service_of_port(ev->sport).n == 0)
        return;
    uint64_t key = (uint64_t)th->pid << 16 | (uint64_t)ev->sport;
    if (map64_get(&s->known, key, &seen))
        return;
    map64_set(&s->known, key, 0);
    put(p, h->t, th->pid, ev->sport);
}

static void finish(void *state, struct pass *p)
{
    struct sockets *s = state;

    (void)p;
    map64_free(&s->known);
}

static const struct handler handlers[] = {
    { EV_NET_QUEUE, on_queue },
    { EV_OTHER, NULL },
};

const struct analysis an_kernel_sockets = {
    .name = "kernel-sockets",
    .title = "Processes behind ports",
    .layer = "kernel",
    .doc = "Keeps which process sends from the port of which service.",
    .handlers = handlers,
    .finish = finish,
    .state_size = sizeof(struct sockets),
};
