/* SPDX-License-Identifier: Apache-2.0
 *
 * hops.c -- see hops.h. */
#include "report/hops.h"

#include "report/breakdown.h"

#include <ctype.h>
#include <stdlib.h>

struct str hops_name(const struct report_src *src, struct str name)
{
    enum { MOST = 120 };
    char out[MOST];
    size_t n = 0;

    for (size_t i = 0; i < name.n && n < MOST;) {
        size_t k = i;
        bool digit = false;

        while (k < name.n && (isxdigit((unsigned char)name.p[k]) || (name.p[k] == '-' && digit))) {
            digit |= isdigit((unsigned char)name.p[k]) != 0;
            k++;
        }
        /* A run of hexadecimal digits: a number, an id, or just a word like "add". */
        if (k > i && digit) {
            if (n == 0 || out[n - 1] != '*')
                out[n++] = '*';
            i = k;
            continue;
        }
        for (k = k > i ? k : i + 1; i < k && n < MOST; i++)
            out[n++] = name.p[i];
    }
    return str_of(arena_strdup(src->mem, out, n));
}

typedef VEC(struct part) part_vec;

static void collect(const struct report_src *src, const struct src_row *task, part_vec *v)
{
    struct breakdown b;
    struct part whole = { .kind = STR("task"),
                          .name = row_text(task, C_task_task),
                          .t0 = task->row[0],
                          .t1 = task->row[1],
                          .service = row_text(task, C_task_service),
                          .host = task->host,
                          .pid = task->row[C_task_pid] };

    if (row_length(task->row) == STORE_NULL)
        return;
    breakdown_of(src, task, &b);
    *vec_push(v) = whole;
    for (size_t i = 0; i < b.nparts; i++)
        *vec_push(v) = b.parts[i];
}

/* Of two that begin together the shorter is inside. */
static int by_begin(const void *a, const void *b)
{
    const struct part *x = a, *y = b;

    if (x->t0 != y->t0)
        return x->t0 < y->t0 ? -1 : 1;
    return (y->t1 > x->t1) - (y->t1 < x->t1);
}

struct hopping {
    const struct report_src *src;
    struct hops *to;
    struct strtab keys; /* kind, name: the hop's position is one less */
    struct sbuf key;
};

static struct hop *hop_of(struct hopping *h, const struct part *p)
{
    struct str name = hops_name(h->src, p->name);

    sbuf_clear(&h->key);
    sbuf_fmt(&h->key, STR_FMT "\n" STR_FMT, STR_ARG(p->kind), STR_ARG(name));
    uint32_t id = strtab_id(&h->keys, sbuf_view(&h->key));
    if (id > h->to->at.n)
        *vec_push(&h->to->at) = (struct hop){ .kind = p->kind, .name = name };
    return &h->to->at.at[id - 1];
}

/* The instants of a part that are in no part inside of it. */
struct own {
    const struct part *p;
    ns_t ns;
};

static void take(struct hopping *h, const struct own *o)
{
    struct hop *hop = hop_of(h, o->p);

    hop->ns += o->ns;
    h->to->explained += o->ns;
    if (hop->t1 == 0 || o->ns > hop->piece_ns) {
        hop->t0 = o->p->t0;
        hop->t1 = o->p->t1;
        hop->piece_ns = o->ns;
        hop->whole = o->p->name;
        hop->service = o->p->service;
        hop->child = o->p->child;
        hop->host = o->p->host;
        hop->pid = o->p->pid;
    }
}

/* Gives the time up to 't' to those that were innermost in it; all but the last that began are
 * outside of that one until it ends. */
static ns_t run_to(struct hopping *h, struct own *open, size_t *nopen, ns_t now, ns_t t)
{
    while (*nopen && now < t) {
        struct own *top = &open[*nopen - 1];
        ns_t end = top->p->t1 < t ? top->p->t1 : t;

        if (end > now) {
            top->ns += end - now;
            now = end;
        }
        if (top->p->t1 > now)
            break;
        take(h, top);
        --*nopen;
    }
    return t;
}

/* Shares the time of all parts out to the hops. */
static void share(const struct report_src *src, part_vec *parts, struct hops *ret)
{
    struct hopping h = { .src = src, .to = ret };
    struct own *open = xcalloc(parts->n + 1, sizeof *open);
    size_t nopen = 0;
    ns_t now = NS_MIN, end = NS_MIN;

    *ret = (struct hops){ 0 };
    if (parts->n)
        qsort(parts->at, parts->n, sizeof *parts->at, by_begin);
    for (size_t i = 0; i < parts->n; i++) {
        now = run_to(&h, open, &nopen, now, parts->at[i].t0);
        open[nopen++] = (struct own){ &parts->at[i], 0 };
        end = parts->at[i].t1 > end ? parts->at[i].t1 : end;
    }
    run_to(&h, open, &nopen, now, NS_MAX);
    ret->total = parts->n ? end - parts->at[0].t0 : 0;
    free(open);
    strtab_free(&h.keys);
    sbuf_free(&h.key);
}

void hops_of(const struct report_src *src, const struct src_index *tasks, struct str request,
             struct hops *ret)
{
    const struct src_group *g = src_index_find(tasks, request);
    part_vec parts = { 0 };

    for (size_t i = 0; i < g->rows.n; i++)
        if (g->rows.at[i].row[C_task_depth] == 0)
            collect(src, &g->rows.at[i], &parts);
    share(src, &parts, ret);
    vec_free(&parts);
}

void hops_of_task(const struct report_src *src, const struct src_row *task, struct hops *ret)
{
    part_vec parts = { 0 };

    collect(src, task, &parts);
    share(src, &parts, ret);
    vec_free(&parts);
}

void hops_free(struct hops *h)
{
    vec_free(&h->at);
}

const struct hop *hops_find(const struct hops *h, struct str kind, struct str name)
{
    for (size_t i = 0; i < h->at.n; i++)
        if (str_eq(h->at.at[i].kind, kind) && str_eq(h->at.at[i].name, name))
            return &h->at.at[i];
    return NULL;
}
