/* SPDX-License-Identifier: Apache-2.0
 *
 * rows.c -- scopes that are kept, and how rows are found and told; see rows.h. */
#include "serve/rows.h"

#include "base/limits.h"
#include "model/schema.h"
#include "report/attrs.h"

#include <stdlib.h>

enum { SCOPES_MOST = 64 };

struct scopes {
    pthread_mutex_t lock; /* of the list */
    pthread_mutex_t making;
    struct scope *at[SCOPES_MOST];
    size_t n;
    uint64_t clock;
};

struct scopes *scopes_new(void)
{
    struct scopes *x = xcalloc(1, sizeof *x);

    pthread_mutex_init(&x->lock, NULL);
    pthread_mutex_init(&x->making, NULL);
    return x;
}

static void scope_free(struct scope *c)
{
    for (size_t i = 0; i < c->rows.n; i++)
        if (c->rows.at[i].track)
            free(c->rows.at[i].track->items.at);
    vec_free(&c->rows);
    vec_free(&c->arrows);
    strtab_free(&c->ids);
    sbuf_free(&c->key);
    arena_free(&c->mem);
    free(c);
}

void scopes_free(struct scopes *x)
{
    for (size_t i = 0; i < x->n; i++)
        scope_free(x->at[i]);
    free(x);
}

static struct scope *find_kept(struct scopes *x, struct str key)
{
    struct scope *found = NULL;

    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->n && !found; i++)
        if (str_eq(sbuf_view(&x->at[i]->key), key))
            found = x->at[i];
    if (found) {
        found->users++;
        found->used = ++x->clock;
    }
    pthread_mutex_unlock(&x->lock);
    return found;
}

/* Keeps the scope in place of the one that was not asked for longest; if all are in use, it is
 * freed by its last user. */
static void keep(struct scopes *x, struct scope *c)
{
    size_t oldest = SIZE_MAX;

    pthread_mutex_lock(&x->lock);
    c->users = 1;
    c->used = ++x->clock;
    for (size_t i = 0; x->n == SCOPES_MOST && i < x->n; i++)
        if (x->at[i]->users == 0 && (oldest == SIZE_MAX || x->at[i]->used < x->at[oldest]->used))
            oldest = i;
    if (x->n < SCOPES_MOST) {
        x->at[x->n++] = c;
    } else if (oldest != SIZE_MAX) {
        scope_free(x->at[oldest]);
        x->at[oldest] = c;
    }
    pthread_mutex_unlock(&x->lock);
}

void scope_release(struct serve *s, struct scope *c)
{
    struct scopes *x = s->scopes;
    bool kept = false;

    if (!c)
        return;
    pthread_mutex_lock(&x->lock);
    c->users--;
    for (size_t i = 0; i < x->n; i++)
        kept |= x->at[i] == c;
    bool gone = !kept && c->users == 0;
    pthread_mutex_unlock(&x->lock);
    if (gone)
        scope_free(c);
}

struct scope *scope_get(struct serve *s, struct str key, struct err *err)
{
    struct scopes *x = s->scopes;
    struct scope *c = find_kept(x, key);
    size_t colon = str_chr(key, ':', 0);

    if (c)
        return c;
    pthread_mutex_lock(&x->making); /* one is made at a time, and once */
    c = find_kept(x, key);
    if (!c) {
        c = xcalloc(1, sizeof *c);
        sbuf_str(&c->key, key);
        if (scope_fill(s, c, colon == STR_NONE ? key : str_first(key, colon),
                       colon == STR_NONE ? STR("") : str_from(key, colon + 1))) {
            scope_calls(s, c);
            keep(x, c);
        } else {
            scope_free(c);
            c = NULL;
        }
    }
    pthread_mutex_unlock(&x->making);
    if (!c)
        err_set(err, E_ARG, "nothing in these traces is '" STR_FMT "'",
                STR_ARG(str_first(key, 200)));
    return c;
}

/* --- rows ---------------------------------------------------------------------------------- */

bool scope_full(struct scope *c)
{
    c->cut |= c->rows.n >= LIMIT_HTTP_ROWS;
    return c->rows.n >= LIMIT_HTTP_ROWS;
}

struct row *scope_row(struct scope *c, struct str id)
{
    struct row *r = vec_push(&c->rows);

    *r = (struct row){ .id = str_dup(&c->mem, id), .host = "", .unit = "" };
    strtab_id(&c->ids, r->id);
    return r;
}

/* What an attribute is for a time line. */
static const struct attr_looks {
    enum schema_attr attr;
    const char *kind, *layer;
} attr_looks[] = {
    { ATTR_VM_STATE, "vm-state", "application" },
    { ATTR_VM_TASK, "vm-task", "application" },
    { ATTR_VM_HOST, "vm-host", "application" },
    { ATTR_VOLUME_STATE, "volume-state", "application" },
    { ATTR_SERVICE_LEVEL, "service-level", "application" },
    { ATTR_NODE_RAM_USED, "resource", "application" },
    { ATTR_NODE_RAM_TOTAL, "resource", "application" },
    { ATTR_NODE_VCPU_USED, "resource", "application" },
    { ATTR_NODE_VCPU_TOTAL, "resource", "application" },
    { ATTR_NODE_DISK_USED, "resource", "application" },
    { ATTR_THREAD_STATE, "thread", "kernel" },
    { ATTR_CPU_STATE, "cpu", "kernel" },
    { ATTR_CPU_THREAD, "cpu-thread", "kernel" },
    { ATTR_DISK_WAITING, "disk", "kernel" },
    { ATTR_DISK_DRIVER, "disk", "kernel" },
    { ATTR_PROCESS_RSS, "memory", "kernel" },
    { ATTR_PROCESS_PAGES, "memory", "kernel" },
    { ATTR_PROCESS_MAPPED, "memory", "kernel" },
};

static const struct attr_looks *looks_of(const struct store_family *f)
{
    static const struct attr_looks other = { SCHEMA_ATTRS, "attribute", "kernel" };

    for (size_t i = 0; i < ARRAY_SIZE(attr_looks); i++)
        if (strcmp(schema_attrs[attr_looks[i].attr].path, f->pattern) == 0)
            return &attr_looks[i];
    return &other;
}

/* Fills all of a row that its attribute tells. */
static void describe_attr(struct row *r, const struct store *st, attr_t a, struct arena *mem)
{
    const struct store_family *f = store_attr_family(st, a);
    const struct attr_looks *l = looks_of(f);
    struct str path = store_attr_path(st, a);
    int64_t number;

    r->store = st;
    r->attr = a;
    r->host = store_host(st);
    r->kind = l->kind;
    r->layer = l->layer;
    r->curve = f->type == STORE_INT;
    r->unit = f->unit;
    r->label = str_of(arena_printf(mem, "%s", f->title));
    if (f->type == STORE_STATE) {
        r->legend = str_of(f->pattern);
        r->values = f->values;
        r->nvalues = f->nvalues;
    } else if (f->type == STORE_STR) {
        r->legend = str_of(shade_values.name);
    }
    if (l->attr == SCHEMA_ATTRS)
        return;
    struct str hole = schema_hole(l->attr, path);
    if (l->attr == ATTR_CPU_STATE)
        r->label = str_of(arena_printf(mem, "CPU " STR_FMT, STR_ARG(hole)));
    else
        r->label = str_of(arena_printf(mem, STR_FMT ": %s", STR_ARG(hole), f->title));
    if (str_i64(hole, &number)) {
        r->tid = l->attr == ATTR_THREAD_STATE ? number : 0;
        r->pid = strcmp(l->kind, "memory") == 0 ? number : 0;
    }
    if (str_starts(str_of(l->kind), STR("vm-")))
        r->vm = hole;
}

struct row *scope_attr(struct serve *s, struct scope *c, const struct store *st, attr_t a,
                       struct str parent)
{
    struct sbuf id = { 0 };

    (void)s;
    sbuf_fmt(&id, "%s/" STR_FMT, store_host(st), STR_ARG(store_attr_path(st, a)));
    struct row *r = scope_row(c, sbuf_view(&id));
    sbuf_free(&id);
    r->parent = parent;
    describe_attr(r, st, a, &c->mem);
    return r;
}

struct row *scope_heading(struct scope *c, const char *name, struct str label, const char *layer)
{
    struct row *r = scope_row(
        c, str_of(arena_printf(&c->mem, STR_FMT "#%s", STR_ARG(sbuf_view(&c->key)), name)));

    r->label = str_dup(&c->mem, label);
    r->kind = "heading";
    r->layer = layer;
    return r;
}

/* "HOST/PATH" of a history. */
static bool find_attr(struct serve *s, struct str id, struct arena *mem, struct row *ret)
{
    for (uint32_t i = 0; i <= s->src.nhosts; i++) {
        const struct store *st = i < s->src.nhosts ? s->src.hosts[i] : s->src.global;
        struct str host = str_of(st ? store_host(st) : "");
        attr_t a;

        if (!st || !str_starts(id, host) || id.n <= host.n || id.p[host.n] != '/')
            continue;
        if (!store_attr_find(st, str_from(id, host.n + 1), &a))
            continue;
        *ret = (struct row){ .id = id };
        describe_attr(ret, st, a, mem);
        return true;
    }
    return false;
}

bool row_find(struct serve *s, struct str id, struct arena *mem, struct row *ret,
              struct scope **ret_scope, struct err *err)
{
    size_t hash = str_chr(id, '#', 0);
    uint32_t no;

    *ret_scope = NULL;
    if (find_attr(s, id, mem, ret))
        return true;
    while (hash != STR_NONE) { /* a name of a scope may hold a '#' as well */
        struct scope *c = scope_get(s, str_first(id, hash), err);

        if (c && strtab_find(&c->ids, id, &no) && no > 0) {
            *ret = c->rows.at[no - 1];
            *ret_scope = c;
            return true;
        }
        scope_release(s, c);
        hash = str_chr(id, '#', hash + 1);
    }
    err_set(err, E_ARG, "there is no row '" STR_FMT "'", STR_ARG(str_first(id, 200)));
    return false;
}

struct str row_value(struct serve *s, const struct row *r, cell_t value, struct arena *mem)
{
    struct report_src src = s->src;

    src.mem = mem;
    if (r->store) {
        struct attr_ref a = { r->store, r->host, r->attr, store_attr_path(r->store, r->attr),
                              store_attr_family(r->store, r->attr) };

        return attr_value(&src, &a, value);
    }
    if (r->values && value >= 0 && value < r->nvalues)
        return str_of(r->values[value].label);
    return STR("");
}

void row_json(const struct row *r, struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "id", r->id);
    json_key(j, STR("parent"));
    if (r->parent.n)
        json_str(j, r->parent);
    else
        json_none(j);
    json_kstr(j, "label", r->label);
    json_kstr(j, "kind", str_of(r->kind));
    json_kstr(j, "host", str_of(r->host));
    json_kstr(j, "layer", str_of(r->layer));
    json_kstr(j, "type",
              !r->store && !r->track ? STR("heading")
              : r->curve             ? STR("curve")
                                     : STR("state"));
    json_kstr(j, "unit", str_of(r->unit));
    json_key(j, STR("legend"));
    if (r->legend.n)
        json_str(j, r->legend);
    else
        json_none(j);
    if (r->vm.n)
        json_kstr(j, "vm", r->vm);
    if (r->request.n)
        json_kstr(j, "request", r->request);
    if (r->tid)
        json_ki64(j, "tid", r->tid);
    if (r->pid)
        json_ki64(j, "pid", r->pid);
    json_close(j, '}');
}

/* --- tracks -------------------------------------------------------------------------------- */

static int by_begin(const void *a, const void *b)
{
    const struct item *x = a, *y = b;

    return x->t0 != y->t0 ? (x->t0 < y->t0 ? -1 : 1) : (x->t1 < y->t1) - (x->t1 > y->t1);
}

void scope_tracks(struct scope *c, struct item *items, size_t n, const struct row *like,
                  const char *name)
{
    enum { LEVELS = 32 };
    struct track *levels[LEVELS];
    size_t used = 0;

    if (n)
        qsort(items, n, sizeof *items, by_begin);
    for (size_t i = 0; i < n; i++) {
        size_t at = 0;

        if (items[i].t1 <= items[i].t0)
            items[i].t1 = items[i].t0 + 1;
        while (at < used && levels[at]->items.at[levels[at]->items.n - 1].t1 > items[i].t0)
            at++;
        if (at == LEVELS || (at == used && scope_full(c))) {
            c->cut = true;
            continue;
        }
        if (at == used) {
            struct row *r =
                scope_row(c, str_of(arena_printf(&c->mem, STR_FMT "#%s.%zu",
                                                 STR_ARG(sbuf_view(&c->key)), name, used)));
            struct str id = r->id;

            *r = *like;
            r->id = id;
            if (used)
                r->label =
                    str_of(arena_printf(&c->mem, STR_FMT " (%zu)", STR_ARG(like->label), used + 1));
            r->track = levels[used++] = arena_new(&c->mem, struct track);
        }
        *vec_push(&levels[at]->items) = items[i];
    }
}
