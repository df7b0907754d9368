/* SPDX-License-Identifier: Apache-2.0
 *
 * critical.c -- the walk; see critical.h.
 *
 * A frame is a thread and the instant down to which its time is asked for; a sleep that a
 * thread ended pushes a frame for that one.  Time only decreases, and every stretch that is
 * passed is in one leaf of the frame that passed it: so the leaves add up to the window
 * whatever the history holds.  A message leads to the thread of another host that sent it; time
 * goes on there in the time that all hosts are shown in. */
#include "report/critical.h"

#include "report/clocks.h"
#include "report/critical_rows.h"
#include "report/sent.h"

#include <inttypes.h>
#include <stdlib.h>

const char *crit_what_name(enum crit_what w)
{
    static const char *const names[] = {
#define X(id, name) [id] = name,
        CRIT_WHATS(X)
#undef X
    };

    return names[w];
}

struct frame {
    uint32_t host;
    int64_t tid;
    attr_t attr; /* its state */
    bool known;  /* it has one */
    bool enters; /* it has not been seen to run yet: see entering() */
    ns_t down_to;
    uint32_t node;
};

/* One of the hosts that the path leads over. */
struct place {
    struct crit_rows rows;
    ns_t end; /* of the kernel's trace */
    bool used;
};

struct walk {
    const struct report_src *src;
    const struct whos *w;
    struct critical *c;
    struct place *places; /* by host */
    struct sent *sent;    /* NULL: there are no messages between hosts */
    bool sent_made;
    /* Of the frame that is walked. */
    uint32_t host;
    const struct store *s;
    struct crit_rows *rows;
    ns_t end;
    struct frame frames[CRIT_DEPTH + 1];
    uint32_t depth; /* frames in use */
    ns_t t;         /* everything from here on is passed */
    bool full;
};

/* --- nodes -------------------------------------------------------------------------------- */

static uint32_t add_node(struct walk *k, uint32_t parent, const struct crit_node *n)
{
    uint32_t at = (uint32_t)k->c->nodes.n;

    *vec_push(&k->c->nodes) = *n;
    struct crit_node *added = &k->c->nodes.at[at];
    added->first = added->next = CRIT_NONE;
    if (parent != CRIT_NONE) { /* time goes backward: it is the earliest */
        added->next = k->c->nodes.at[parent].first;
        k->c->nodes.at[parent].first = at;
    }
    return at;
}

/* The frame's thread did 'what' in ['from', k->t). */
static void leaf(struct walk *k, ns_t from, enum crit_what what, int64_t by, struct str detail)
{
    const struct frame *f = &k->frames[k->depth - 1];
    ns_t t0 = from > f->down_to ? from : f->down_to, t1 = k->t;

    k->t = t0;
    if (t1 > k->c->win.t1)
        t1 = k->c->win.t1;
    if (t0 >= t1)
        return;
    uint32_t earliest = k->c->nodes.at[f->node].first;
    if (earliest != CRIT_NONE) {
        struct crit_node *n = &k->c->nodes.at[earliest];

        if (n->what == what && n->by == by && n->t0 == t1 && str_eq(n->detail, detail)) {
            n->t0 = t0;
            return;
        }
    }
    if (k->c->nodes.n >= CRIT_NODES) {
        k->t = t1;
        k->full = true;
        return;
    }
    add_node(k, f->node,
             &(struct crit_node){ .what = (uint8_t)what,
                                  .host = f->host,
                                  .tid = f->tid,
                                  .by = by,
                                  .t0 = t0,
                                  .t1 = t1,
                                  .detail = detail });
}

static bool state_attr(const struct store *s, int64_t tid, attr_t *ret)
{
    char path[SCHEMA_PATH];

    return store_attr_find(s, schema_path_nr(ATTR_THREAD_STATE, tid, path), ret);
}

/* The walk is on that host from now on. */
static void enter_host(struct walk *k, uint32_t host)
{
    struct place *p = &k->places[host];

    k->host = host;
    k->s = k->src->hosts[host];
    k->rows = &p->rows;
    if (!p->used) {
        crit_rows_init(&p->rows, k->s);
        p->end = src_kernel_end(k->src, host);
        p->used = true;
    }
    k->end = p->end;
}

static void push(struct walk *k, uint32_t host, int64_t tid, ns_t down_to, uint32_t node,
                 bool enters)
{
    struct frame *f = &k->frames[k->depth++];

    *f = (struct frame){
        .host = host, .tid = tid, .down_to = down_to, .node = node, .enters = enters
    };
    enter_host(k, host);
    f->known = state_attr(k->s, tid, &f->attr);
}

static void pop(struct walk *k)
{
    if (--k->depth > 0)
        enter_host(k, k->frames[k->depth - 1].host);
}

/* From 'from' on, the frame's thread depended on 'by' of 'host'. */
static void follow_to(struct walk *k, ns_t from, uint32_t host, int64_t by, struct str detail)
{
    const struct frame *f = &k->frames[k->depth - 1];
    ns_t t0 = from > f->down_to ? from : f->down_to;
    ns_t t1 = k->t < k->c->win.t1 ? k->t : k->c->win.t1;

    if (t0 >= t1) { /* all of it is behind the window */
        k->t = t0;
    } else if (by == f->tid && host == f->host) {
        leaf(k, from, CRIT_UNKNOWN, STORE_NULL, STR("it is said to have woken itself"));
    } else if (k->depth > CRIT_DEPTH) {
        leaf(k, from, CRIT_DEEP, STORE_NULL, detail);
    } else if (k->c->nodes.n >= CRIT_NODES) {
        k->full = true;
    } else {
        uint32_t node = add_node(k, f->node,
                                 &(struct crit_node){ .what = CRIT_WOKEN,
                                                      .host = host,
                                                      .tid = by,
                                                      .by = STORE_NULL,
                                                      .t0 = t0,
                                                      .t1 = t1,
                                                      .detail = detail });
        push(k, host, by, t0, node, host == f->host);
    }
}

static void follow(struct walk *k, ns_t from, int64_t by, struct str detail)
{
    follow_to(k, from, k->host, by, detail);
}

/* --- what a stretch of a thread was -------------------------------------------------------- */

static bool runs(cell_t state)
{
    return state >= TS_USER && state <= TS_SOFTIRQ;
}

static struct str label(const char *before, struct walk *k, cell_t name)
{
    struct str text = store_text(k->s, name);

    return text.n ? str_of(arena_printf(k->src->mem, "%s" STR_FMT, before, STR_ARG(text)))
                  : STR("");
}

/* The system call in which the thread is just before k->t. */
static struct str call_of(struct walk *k, const char *before)
{
    const struct crit_row *r = crit_call(k->rows, k->frames[k->depth - 1].tid, k->t);

    return r ? label(before, k, r->name) : STR("");
}

/* The state may be of several interrupts one after the other; one whose exit is not in the trace
 * has no record. */
static void interrupted(struct walk *k, const struct interval *v)
{
    int64_t tid = k->frames[k->depth - 1].tid;
    bool soft = v->value == TS_SOFTIRQ;
    const struct crit_row *r = crit_irq(k->rows, tid, k->t, soft);
    ns_t from = r ? r->t0 : crit_irq_before(k->rows, tid, k->t, soft);

    leaf(k, from > v->t0 ? from : v->t0, CRIT_INTERRUPT, STORE_NULL,
         r ? label(soft ? "softirq " : "", k, r->name) : STR("its end is not in the trace"));
}

static void running(struct walk *k, const struct interval *v)
{
    int64_t tid = k->frames[k->depth - 1].tid;
    const struct crit_row *r = NULL;

    if (v->value == TS_SYSCALL)
        r = crit_call(k->rows, tid, k->t);
    leaf(k, r && r->t0 > v->t0 ? r->t0 : v->t0, CRIT_RUNNING, STORE_NULL,
         r ? label("syscall ", k, r->name) : str_of(thread_state_values.at[v->value].label));
}

/* Behind the end of the kernel's trace there are no states, while the history may go on. */
static bool goes_on(const struct walk *k, const struct interval *v)
{
    return v->open || v->t1 > k->end;
}

/* The value just before 't'.  A corrected clock can skip an instant: what is found one ns before
 * 't' may begin at 't', and nobody would get any further. */
static bool at_before(const struct walk *k, attr_t attr, ns_t t, struct interval *ret)
{
    enum { FAR = 64 };

    for (ns_t back = 1;; back *= 2) {
        bool has = store_at(k->s, attr, t - back, ret);

        if (ret->t0 < t)
            return has;
        if (back >= FAR) {
            ret->t0 = t - 1; /* whatever it is, the walk goes on */
            return has;
        }
    }
}

/* It could run and did not, in ['from', k->t): who had the CPU on which it then ran? */
static void waiting(struct walk *k, const struct interval *v)
{
    const struct frame *f = &k->frames[k->depth - 1];
    ns_t from = v->t0 > f->down_to ? v->t0 : f->down_to;
    const struct crit_row *r = goes_on(k, v) ? NULL : crit_wait_end(k->rows, f->tid, v->t1);
    struct interval had;
    char path[SCHEMA_PATH];
    attr_t a;

    if (!r || r->cpu < 0 ||
        !store_attr_find(k->s, schema_path_nr(ATTR_CPU_THREAD, r->cpu, path), &a)) {
        leaf(k, from, CRIT_CPU, -1, STR(""));
        return;
    }
    while (k->t > from && !k->full) {
        bool is = at_before(k, a, k->t, &had) && !had.lost && had.value >= 0;

        leaf(k, had.t0 > from ? had.t0 : from, CRIT_CPU, is ? had.value : -1, STR(""));
    }
}

static bool same_process(const struct walk *k, int64_t tid, int64_t other, ns_t t)
{
    const struct who_thread *x = whos_at(k->w, k->host, tid, t);
    const struct who_thread *y = whos_at(k->w, k->host, other, t);

    return x && y && x->process == y->process;
}

/* The sleep ['from', k->t) ended with a disk's interrupt.  The request is the last one of the
 * thread to complete in it, or else of its process. */
static void disk(struct walk *k, ns_t from)
{
    int64_t tid = k->frames[k->depth - 1].tid;
    cell_t found[block_columns];
    bool any = false, own = false;
    const cell_t *row;
    table_t t;

    if (store_table_find(k->s, schema_tables[TABLE_block].name, &t)) {
        struct store_rows r = store_rows(k->s, t, (struct span){ from, k->t + 1 });

        while ((row = store_rows_next(&r))) {
            bool mine = row[C_block_tid] == tid;

            if (row[1] == STORE_NULL || row[1] <= from || row[1] > k->t || (own && !mine) ||
                (!mine && !same_process(k, row[C_block_tid], tid, k->t)))
                continue;
            if (!any || (mine && !own) || row[1] >= found[1])
                memcpy(found, row, sizeof found);
            any = true;
            own |= mine;
        }
    }
    if (!any) {
        leaf(k, from, CRIT_DISK, STORE_NULL, STR("of which request is not known"));
        return;
    }
    struct str name = who_device(k->src, k->s, found[C_block_dev]);
    struct str text = str_of(arena_printf(k->src->mem, STR_FMT " " STR_FMT, STR_ARG(name),
                                          STR_ARG(store_text(k->s, found[C_block_op]))));
    ns_t issued = found[C_block_issued] == STORE_NULL ? found[1] : found[C_block_issued];
    leaf(k, found[1] > from ? found[1] : from, CRIT_DISK_AFTER, STORE_NULL, text);
    if (k->t > from)
        leaf(k, issued > from ? issued : from, CRIT_DISK_DEVICE, STORE_NULL, text);
    if (k->t > from)
        leaf(k, found[0] > from ? found[0] : from, CRIT_DISK_QUEUE, STORE_NULL, text);
    if (k->t > from)
        leaf(k, from, CRIT_DISK_BEFORE, STORE_NULL, text);
}

/* How sure it is that the message was on its way for so long. */
static struct str on_its_way(const struct walk *k, const struct sent_from *m)
{
    const char *from = store_host(k->src->hosts[m->host]);
    char before[TIME_TEXT], after[TIME_TEXT];
    struct clock_error a, b;

    if (!k->src->clocks)
        return str_of(arena_printf(k->src->mem, "from %s", from));
    a = clocks_error(k->src->clocks, m->host, m->sent);
    b = clocks_error(k->src->clocks, k->host, m->received);
    if (!clocks_order_known(k->src->clocks, m->host, m->sent, k->host, m->received) &&
        (a.after == NS_MAX || b.before == NS_MAX))
        return str_of(arena_printf(k->src->mem, "from %s, how long is not known", from));
    return str_of(arena_printf(k->src->mem, "from %s, known to -%s +%s", from,
                               time_human(a.after + b.before, before),
                               time_human(a.before + b.after, after)));
}

/* The sleep ['from', k->t) ended with a packet.  Which one, is the last that came before, at most
 * so long ago as a packet takes through the stack; who sent it is followed. */
static bool message(struct walk *k, ns_t from)
{
    enum { STACK_NS = 1000000 };
    ns_t since = k->t - STACK_NS > from ? k->t - STACK_NS : from;
    struct sent_from m;

    if (!k->sent_made)
        k->sent = sent_make(k->src);
    k->sent_made = true;
    if (!k->sent || !sent_find(k->sent, k->host, since, k->t, &m))
        return false;
    leaf(k, m.received > from ? m.received : from, CRIT_NETWORK, STORE_NULL,
         STR("through the stack"));
    if (k->t > from && !k->full)
        leaf(k, m.sent > from ? m.sent : from, CRIT_NETWORK, STORE_NULL, on_its_way(k, &m));
    if (k->t <= from || k->full)
        return true;
    if (m.tid > 0)
        follow_to(k, from, m.host, m.tid, STR("which sent a message"));
    else
        leaf(k, from, CRIT_NETWORK, STORE_NULL,
             str_of(arena_printf(k->src->mem, "sent by an interrupt of %s",
                                 store_host(k->src->hosts[m.host]))));
    return true;
}

static void network(struct walk *k, ns_t from)
{
    if (!message(k, from))
        leaf(k, from, CRIT_NETWORK, STORE_NULL, call_of(k, "in "));
}

/* What no thread ended tells the state; 'why' is CRIT_BLOCKED's. */
static void blocked_by_state(struct walk *k, const struct interval *v, ns_t from, struct str why)
{
    switch (v->value) {
    case TS_BLOCKED_DISK: disk(k, from); break;
    case TS_BLOCKED_NET: network(k, from); break;
    case TS_BLOCKED_TIMER: leaf(k, from, CRIT_TIMER, STORE_NULL, call_of(k, "in ")); break;
    default: leaf(k, from, CRIT_BLOCKED, STORE_NULL, why);
    }
}

static void blocked(struct walk *k, const struct interval *v)
{
    const struct frame *f = &k->frames[k->depth - 1];
    ns_t from = v->t0 > f->down_to ? v->t0 : f->down_to;
    const struct crit_row *r = goes_on(k, v) ? NULL : crit_woken(k->rows, f->tid, v->t1);
    int64_t by = r ? r->by : -1, why = r ? r->nr : -1;

    if (goes_on(k, v)) {
        struct str in = call_of(k, "in ");

        leaf(k, from, CRIT_BLOCKED, STORE_NULL,
             str_of(arena_printf(k->src->mem, STR_FMT "%snot woken within the trace", STR_ARG(in),
                                 in.n ? ", " : "")));
    } else if (!r) {
        k->c->no_wakeups = true;
        blocked_by_state(k, v, from, STR("its wake-up is not recorded"));
    } else if ((why == WAKE_THREAD || why == WAKE_FORK) && by > 0) {
        follow(k, from, by, call_of(k, "in "));
    } else if (why == WAKE_UNKNOWN || why == WAKE_THREAD || why == WAKE_FORK) {
        k->c->no_interrupts = true;
        blocked_by_state(k, v, from, STR("woken by what is not recorded"));
    } else {
        blocked_by_state(k, v, from, STR("woken in an interrupt"));
    }
}

/* Before its life began: its parent worked for it, if it was forked just then. */
static void before_life(struct walk *k, const struct interval *v)
{
    const struct frame *f = &k->frames[k->depth - 1];
    const struct crit_row *r = crit_woken(k->rows, f->tid, k->t);

    if (r && r->nr == WAKE_FORK && r->by > 0)
        follow(k, f->down_to, r->by, STR("which forked it"));
    else
        leaf(k, v->t0, CRIT_UNKNOWN, STORE_NULL, STR(""));
}

/* A thread wrote a wake-up while it ran, and the woken one became able to run a moment later,
 * perhaps by another CPU.  What the waker did since is not part of the path. */
static bool entering(struct walk *k, struct frame *f, const struct interval *v)
{
    struct interval now;

    if (!f->enters)
        return false;
    f->enters = false;
    if (runs(v->value) || v->value == STORE_NULL || v->value == TS_UNKNOWN ||
        (v->t1 == k->t && store_at(k->s, f->attr, k->t, &now) && runs(now.value)))
        return false;
    f->enters = true;
    leaf(k, v->t0, CRIT_WAKEUP, STORE_NULL, STR(""));
    return true;
}

static void step(struct walk *k)
{
    struct frame *f = &k->frames[k->depth - 1];
    struct interval v;

    if (!f->known) {
        leaf(k, f->down_to, CRIT_UNKNOWN, STORE_NULL, STR("no such thread"));
        return;
    }
    bool has = at_before(k, f->attr, k->t, &v);
    if (!has || v.lost)
        v.value = STORE_NULL;
    if (entering(k, f, &v))
        return;
    if (v.lost)
        leaf(k, v.t0, CRIT_UNKNOWN, STORE_NULL, STR("it cannot be read"));
    else if (!has)
        before_life(k, &v);
    else if (v.value == TS_IRQ || v.value == TS_SOFTIRQ)
        interrupted(k, &v);
    else if (runs(v.value))
        running(k, &v);
    else if (v.value == TS_WAIT || v.value == TS_PREEMPTED)
        waiting(k, &v);
    else if (v.value == TS_STOPPED)
        leaf(k, v.t0, CRIT_STOPPED, STORE_NULL, STR(""));
    else if (v.value >= TS_BLOCKED_DISK && v.value <= TS_BLOCKED_OTHER)
        blocked(k, &v);
    else
        leaf(k, v.t0, CRIT_UNKNOWN, STORE_NULL, STR(""));
}

/* What is left when there are too many nodes is one leaf of the whole. */
static void cut(struct walk *k)
{
    ns_t t = k->t < k->c->win.t1 ? k->t : k->c->win.t1;

    for (uint32_t i = 1; i < k->depth; i++)
        k->c->nodes.at[k->frames[i].node].t0 = t;
    if (t > k->c->win.t0)
        add_node(k, 0,
                 &(struct crit_node){ .what = CRIT_MANY,
                                      .host = k->c->host,
                                      .tid = k->c->tid,
                                      .by = STORE_NULL,
                                      .t0 = k->c->win.t0,
                                      .t1 = t,
                                      .detail = STR("") });
}

void critical_walk(const struct report_src *src, const struct whos *w, uint32_t host, int64_t tid,
                   struct span win, struct critical *ret)
{
    struct walk k = { .src = src, .w = w, .c = ret, .t = win.t1 };
    struct interval v;

    k.places = xcalloc(src->nhosts, sizeof *k.places);
    *ret = (struct critical){ .store = src->hosts[host], .host = host, .tid = tid, .win = win };
    uint32_t root = add_node(&k, CRIT_NONE,
                             &(struct crit_node){ .what = CRIT_WOKEN,
                                                  .host = host,
                                                  .tid = tid,
                                                  .by = STORE_NULL,
                                                  .t0 = win.t0,
                                                  .t1 = win.t1,
                                                  .detail = STR("") });
    push(&k, host, tid, win.t0, root, false);
    /* What it waits for when the window ends is known when that wait ends. */
    if (win.t0 < win.t1 && k.frames[0].known && store_at(k.s, k.frames[0].attr, win.t1 - 1, &v) &&
        !goes_on(&k, &v) && !v.lost && v.value >= TS_WAIT && v.value <= TS_BLOCKED_OTHER)
        k.t = v.t1;
    while (k.depth > 0 && !k.full) {
        if (k.t <= k.frames[k.depth - 1].down_to)
            pop(&k);
        else
            step(&k);
    }
    if (k.full)
        cut(&k);
    for (uint32_t i = 0; i < src->nhosts; i++)
        if (k.places[i].used)
            crit_rows_free(&k.places[i].rows);
    free(k.places);
    sent_free(k.sent);
}

void critical_free(struct critical *c)
{
    vec_free(&c->nodes);
}
