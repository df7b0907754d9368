/* SPDX-License-Identifier: Apache-2.0
 *
 * api_more.c -- /api/v1: arrows between rows, raw events, search. */
#include "serve/api_priv.h"
#include "serve/rows.h"

#include "model/schema.h"
#include "report/clocks.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

/* --- arrows -------------------------------------------------------------------------------- */

enum { ARROWS = 2000, ARROWS_MOST = 20000 };

struct told {
    struct serve *s;
    struct json *j;
};

static void put_arrow(void *ctx, const struct arrow *a)
{
    struct told *told = ctx;
    struct json *j = told->j;

    json_open(j, '{');
    json_kstr(j, "from", a->from->id);
    json_kstr(j, "to", a->to->id);
    json_ki64(j, "t_from", serve_rel(told->s, a->t0));
    json_ki64(j, "t_to", serve_rel(told->s, a->t1));
    emit_ns(j, "bound_ns", a->bound_ns);
    json_key(j, STR("order_known"));
    json_bool(j, a->order_known);
    json_kstr(j, "kind", str_of(a->kind));
    json_kstr(j, "label", a->label);
    json_close(j, '}');
}

void api_arrows(struct serve *s, const struct request *q, struct reply *r)
{
    ns_t length = s->all.t1 - s->all.t0;
    int64_t t0, t1, limit;
    struct err err;

    if (request_int(q, "t0", -length, 2 * length, 0, &t0, &err) < 0 ||
        request_int(q, "t1", -length, 2 * length, length, &t1, &err) < 0 ||
        request_int(q, "limit", 1, ARROWS_MOST, ARROWS, &limit, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    struct scope *c = scope_get(s, request_text(q, "scope"), &err);
    if (!c) {
        reply_fail(r, 404, "%s", err.text);
        return;
    }
    struct told told = { s, reply_json(r) };
    json_open(told.j, '{');
    json_kopen(told.j, "arrows", '[');
    bool whole = arrows_find(s, c, (struct span){ s->all.t0 + t0, s->all.t0 + t1 }, (size_t)limit,
                             put_arrow, &told);
    json_close(told.j, ']');
    json_key(told.j, STR("cut"));
    json_bool(told.j, !whole);
    json_close(told.j, '}');
    scope_release(s, c);
}

/* --- events -------------------------------------------------------------------------------- */

/* A cursor is "NS.NO": event number NO of those at NS, from 0. */
static bool parse_cursor(struct str text, ns_t *t, uint64_t *no)
{
    size_t dot = str_chr(text, '.', 0);

    return dot != STR_NONE && str_i64(str_first(text, dot), t) &&
           str_u64(str_from(text, dot + 1), no);
}

static int events_asked(struct serve *s, const struct request *q, struct serve_events *ret,
                        struct err *err)
{
    ns_t length = s->all.t1 - s->all.t0;
    int64_t t0, limit;
    struct str cursor;
    int rc;

    *ret = (struct serve_events){ .host = request_text(q, "host"),
                                  .filter = request_text(q, "filter") };
    if ((rc = request_int(q, "t0", -length, 2 * length, 0, &t0, err)) < 0 ||
        (rc = request_int(q, "limit", 1, 5000, 200, &limit, err)) < 0)
        return rc;
    ret->limit = (size_t)limit;
    ret->from = s->all.t0 + t0;
    if (request_arg(q, "before", &cursor))
        ret->back = true;
    else if (!request_arg(q, "after", &cursor))
        return 0;
    if (!parse_cursor(cursor, &ret->from, &ret->skip))
        return err_set(err, E_ARG, "a cursor is what 'after' or 'before' of an answer is");
    ret->skip += !ret->back;
    return 0;
}

static void put_cursor(struct json *j, const char *key, ns_t t, uint64_t no)
{
    char text[64];

    snprintf(text, sizeof text, "%" PRId64 ".%" PRIu64, t, no);
    json_kstr(j, key, str_of(text));
}

void api_events(struct serve *s, const struct request *q, struct reply *r)
{
    struct serve_page page = { 0 };
    struct serve_events asked;
    struct err err;

    if (events_asked(s, q, &asked, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    pthread_mutex_lock(&s->events_lock);
    int rc = s->source->events(s->source->ctx, &asked, &page, &err);
    pthread_mutex_unlock(&s->events_lock);
    if (rc < 0) {
        reply_err(r, &err);
    } else {
        struct json *j = reply_json(r);

        json_open(j, '{');
        json_key(j, STR("events"));
        FILE *f = json_raw(j);
        putc('[', f);
        fwrite(page.rows.p ? page.rows.p : "", 1, page.rows.n, f);
        putc(']', f);
        if (page.n) {
            put_cursor(j, "before", page.first, page.first_no);
            put_cursor(j, "after", page.last, page.last_no);
        }
        json_key(j, STR("more"));
        json_bool(j, page.more);
        json_ku64(j, "looked", page.looked);
        json_close(j, '}');
    }
    sbuf_free(&page.rows);
    arena_free(&page.mem);
}

/* --- search -------------------------------------------------------------------------------- */

struct search {
    struct serve *s;
    struct report_src src;
    struct str word; /* in lower case */
    size_t limit, n;
    struct json *j;
    struct strtab told;
};

static struct str lower(struct arena *mem, struct str s)
{
    struct str d = str_dup(mem, s);

    for (size_t i = 0; i < d.n; i++)
        ((char *)(uintptr_t)d.p)[i] = (char)tolower((unsigned char)d.p[i]);
    return d;
}

static bool has_word(struct search *x, struct str text)
{
    struct arena mem = { 0 };
    bool has = text.n && str_find(lower(&mem, str_first(text, 4096)), x->word, 0) != STR_NONE;

    arena_free(&mem);
    return has;
}

static void found(struct search *x, const char *kind, struct str id, struct str label,
                  const char *scope, struct str of)
{
    struct sbuf key = { 0 };
    size_t before = x->told.strs.n;

    sbuf_fmt(&key, "%s\t" STR_FMT, kind, STR_ARG(id));
    strtab_id(&x->told, sbuf_view(&key));
    bool again = x->told.strs.n == before;
    sbuf_free(&key);
    if (again || x->n == x->limit)
        return;
    x->n++;
    json_open(x->j, '{');
    json_kstr(x->j, "kind", str_of(kind));
    json_kstr(x->j, "id", id);
    json_kstr(x->j, "label", label);
    json_key(x->j, STR("scope"));
    if (scope)
        json_str(x->j, str_of(arena_printf(x->src.mem, "%s:" STR_FMT, scope, STR_ARG(of))));
    else
        json_none(x->j);
    json_close(x->j, '}');
}

static void search_vms(struct search *x)
{
    struct src_rows r = src_rows_global(&x->src, TABLE_vm);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str name = src_text(&r, row, C_vm_vm), uuid = src_text(&r, row, C_vm_uuid);
        struct str virt = src_text(&r, row, C_vm_libvirt_name), id = uuid.n ? uuid : name;

        if (has_word(x, name) || has_word(x, uuid) || has_word(x, virt))
            found(x, "vm", id, name.n ? name : id, "vm", id);
    }
}

static void search_owners(struct search *x)
{
    const struct whos *w = serve_whos(x->s);

    for (size_t i = 0; i < w->owners.n; i++) {
        const struct who_owner *o = &w->owners.at[i];

        if (o->kind == WHO_PROCESS || !has_word(x, o->name))
            continue;
        if (o->kind == WHO_VM)
            found(x, "vm", o->uuid.n ? o->uuid : o->name, o->name, "vm",
                  o->uuid.n ? o->uuid : o->name);
        else
            found(x, "service", o->name, o->name, "host", str_of(o->host));
    }
}

static void search_hosts(struct search *x)
{
    for (uint32_t i = 0; i < x->src.nhosts; i++) {
        struct str host = str_of(store_host(x->src.hosts[i]));

        if (has_word(x, host))
            found(x, "host", host, host, "host", host);
    }
}

static void search_requests(struct search *x)
{
    struct src_rows r = src_rows_global(&x->src, TABLE_request);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str id = src_text(&r, row, C_request_request);

        if (has_word(x, id) || has_word(x, src_text(&r, row, C_request_action)))
            found(x, "request", id,
                  str_of(arena_printf(x->src.mem, STR_FMT " " STR_FMT, STR_ARG(id),
                                      STR_ARG(src_text(&r, row, C_request_action)))),
                  "request", id);
    }
}

static void search_migrations(struct search *x)
{
    const struct migrations *ms = serve_diagnosis(x->s)->migrations;

    for (size_t i = 0; i < ms->list.n; i++) {
        const struct migration *m = &ms->list.at[i];

        if (has_word(x, m->id) || has_word(x, m->vm) || has_word(x, m->uuid))
            found(x, "migration", m->id, m->id, "migration", m->id);
    }
}

static void search_things(struct search *x)
{
    struct src_rows r = src_rows(&x->src, TABLE_thing_seen);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str id = src_text(&r, row, C_thing_seen_id),
                   name = src_text(&r, row, C_thing_seen_name);

        if (has_word(x, id) || has_word(x, name))
            found(x, str_dup(x->src.mem, src_text(&r, row, C_thing_seen_kind)).p, id,
                  name.n ? name : id, NULL, STR(""));
    }
}

static void search_services(struct search *x)
{
    struct src_rows r = src_rows(&x->src, TABLE_service_seen);
    const cell_t *row;

    while ((row = src_next(&r))) {
        struct str name = src_text(&r, row, C_service_seen_service);

        if (has_word(x, name))
            found(x, "service",
                  str_of(arena_printf(x->src.mem, STR_FMT "@%s", STR_ARG(name), r.host)),
                  str_of(arena_printf(x->src.mem, STR_FMT " on %s", STR_ARG(name), r.host)), "host",
                  str_of(r.host));
    }
}

static void search_threads(struct search *x)
{
    const struct whos *w = serve_whos(x->s);
    int64_t tid;

    if (!str_i64(x->word, &tid))
        tid = -1;
    for (size_t i = 0; i < w->threads.n && x->n < x->limit; i++) {
        const struct who_thread *th = &w->threads.at[i];
        const char *host = whos_host(w, th->host);
        char room[SCHEMA_PATH];

        if (th->tid == tid || has_word(x, th->comm))
            found(x, "thread",
                  str_of(arena_printf(x->src.mem, "%s/" STR_FMT, host,
                                      STR_ARG(schema_path_nr(ATTR_THREAD_STATE, th->tid, room)))),
                  str_of(arena_printf(x->src.mem, STR_FMT " (%" PRId64 ") on %s", STR_ARG(th->comm),
                                      th->tid, host)),
                  "host", str_of(host));
    }
}

void api_search(struct serve *s, const struct request *q, struct reply *r)
{
    struct search x = { .s = s, .src = s->src };
    int64_t limit;
    struct err err;

    if (request_int(q, "limit", 1, 1000, 50, &limit, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    x.limit = (size_t)limit;
    x.src.mem = q->mem;
    x.word = lower(q->mem, str_trim(request_text(q, "q")));
    x.j = reply_json(r);
    json_open(x.j, '[');
    if (x.word.n) {
        search_vms(&x);
        search_owners(&x);
        search_hosts(&x);
        search_migrations(&x);
        search_requests(&x);
        search_services(&x);
        search_things(&x);
        search_threads(&x);
    }
    json_close(x.j, ']');
    strtab_free(&x.told);
}
