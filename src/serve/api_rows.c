/* SPDX-License-Identifier: Apache-2.0
 *
 * api_rows.c -- /api/v1: time lines.  Times count from the experiment's begin.
 *
 * Strips are written without the JSON writer: what a hundred rows take is the time of a frame. */
#include "serve/api_priv.h"
#include "serve/rows.h"

#include "base/limits.h"
#include "model/schema.h"

#include <inttypes.h>
#include <stdlib.h>

/* --- rows ---------------------------------------------------------------------------------- */

static bool told(const struct scope *c, const bool *only, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if ((!only || only[k]) && str_eq(c->rows.at[k].legend, c->rows.at[i].legend))
            return true;
    return false;
}

static void put_legend(const struct row *r, struct json *j)
{
    json_key(j, r->legend);
    json_open(j, '[');
    for (uint32_t i = 0; r->values && i < r->nvalues; i++) {
        json_open(j, '{');
        json_kstr(j, "label", str_of(r->values[i].label));
        json_kstr(j, "colour", str_of(r->values[i].colour));
        json_key(j, STR("bad"));
        json_bool(j, r->values[i].bad);
        json_close(j, '}');
    }
    json_close(j, ']');
}

void rows_json(const struct scope *c, const bool *only, struct json *j)
{
    json_open(j, '{');
    json_kstr(j, "scope", sbuf_view(&c->key));
    json_key(j, STR("cut"));
    json_bool(j, c->cut);
    json_kopen(j, "rows", '[');
    for (size_t i = 0; i < c->rows.n; i++)
        if (!only || only[i])
            row_json(&c->rows.at[i], j);
    json_close(j, ']');
    json_kopen(j, "legends", '{');
    for (size_t i = 0; i < c->rows.n; i++)
        if ((!only || only[i]) && c->rows.at[i].legend.n && !told(c, only, i))
            put_legend(&c->rows.at[i], j);
    json_close(j, '}');
    json_close(j, '}');
}

void api_rows(struct serve *s, const struct request *q, struct reply *r)
{
    struct err err;
    struct scope *c = scope_get(s, request_text(q, "scope"), &err);

    if (!c) {
        reply_fail(r, 404, "%s", err.text);
        return;
    }
    rows_json(c, NULL, reply_json(r));
    scope_release(s, c);
}

/* --- windows ------------------------------------------------------------------------------- */

struct window {
    struct span span; /* absolute */
    size_t npx;
    struct str *ids;
    size_t nids;
};

static int take_window(struct serve *s, const struct request *q, struct window *ret,
                       struct err *err)
{
    ns_t length = s->all.t1 - s->all.t0;
    int64_t t0, t1, px;
    size_t n, more;
    int rc;

    if ((rc = request_int(q, "t0", -length, 2 * length, 0, &t0, err)) < 0 ||
        (rc = request_int(q, "t1", -length, 2 * length, length, &t1, err)) < 0 ||
        (rc = request_int(q, "px", 1, LIMIT_HTTP_PIXELS, SERVE_PX, &px, err)) < 0)
        return rc;
    if (t0 >= t1)
        return err_set(err, E_ARG, "the window ends before it begins");
    struct str *ids = request_all(q, "row", &n), *others = request_all(q, "rows", &more);
    if (n + more > LIMIT_HTTP_ROWS)
        return err_set(err, E_LIMIT, "more than %d rows", LIMIT_HTTP_ROWS);
    ret->ids = arena_array(q->mem, struct str, n + more + 1);
    for (size_t i = 0; i < n + more; i++)
        ret->ids[i] = i < n ? ids[i] : others[i - n];
    ret->nids = n + more;
    ret->span = (struct span){ s->all.t0 + t0, s->all.t0 + t1 };
    ret->npx = (size_t)px < (size_t)(t1 - t0) ? (size_t)px : (size_t)(t1 - t0);
    if (ret->nids * ret->npx > LIMIT_HTTP_CELLS)
        return err_set(err, E_LIMIT, "%zu rows of %zu columns are more than %u together", ret->nids,
                       ret->npx, LIMIT_HTTP_CELLS);
    return 0;
}

enum { SHARED_ROWS = 16, PIECE_ROWS = 2 };

/* --- strips -------------------------------------------------------------------------------- */

/* Writes before 'end', from right to left. */
static char *number_before(char *end, int64_t v)
{
    uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v;

    do
        *--end = (char)('0' + u % 10);
    while ((u /= 10) > 0);
    if (v < 0)
        *--end = '-';
    return end;
}

static void put_number(struct sbuf *b, int64_t v)
{
    char text[24], *end = text + sizeof text, *p = number_before(end, v);

    sbuf_add(b, p, (size_t)(end - p));
}

/* Most texts need no escapes. */
static void put_text(struct sbuf *b, struct str s)
{
    size_t i = 0;

    while (i < s.n && s.p[i] >= 0x20 && s.p[i] < 0x7f && s.p[i] != '"' && s.p[i] != '\\')
        i++;
    if (i == s.n) {
        sbuf_chr(b, '"');
        sbuf_str(b, s);
        sbuf_chr(b, '"');
        return;
    }
    struct reply r = { 0 };
    json_str(reply_json(&r), s);
    reply_json_end(&r);
    sbuf_str(b, sbuf_view(&r.body));
    reply_free(&r);
}

static void put_head(struct serve *s, const struct window *w, struct sbuf *b)
{
    sbuf_fmt(b, "{\"t0\":%" PRId64 ",\"t1\":%" PRId64 ",\"px\":%zu,\"rows\":[",
             w->span.t0 - s->all.t0, w->span.t1 - s->all.t0, w->npx);
}

/* 'label' is the number of the run's own text, or -1. */
static void put_run(struct sbuf *b, const struct run *r, bool first, int64_t label)
{
    char text[128], *end = text + sizeof text, *p = end;

    *--p = ']';
    if (label >= 0) {
        p = number_before(p, label);
        *--p = ',';
    }
    p = number_before(p, r->flags);
    *--p = ',';
    p = number_before(p, r->value == STORE_NULL ? -1 : r->value);
    *--p = ',';
    p = number_before(p, r->to);
    *--p = ',';
    p = number_before(p, r->from);
    *--p = '[';
    if (!first)
        *--p = ',';
    sbuf_add(b, p, (size_t)(end - p));
}

static void put_runs(struct serve *s, const struct row *row, const struct window *w,
                     struct runs *runs, struct sbuf *b, struct arena *mem)
{
    struct strtab labels = { 0 };

    row_runs(s, row, w->span, w->npx, runs);
    sbuf_z(b, ",\"runs\":[");
    for (size_t i = 0; i < runs->at.n; i++) {
        struct run *r = &runs->at.at[i];
        int64_t label = r->label.n ? (int64_t)strtab_id(&labels, r->label) - 1 : -1;

        put_run(b, r, i == 0, label);
    }
    sbuf_z(b, "],\"labels\":[");
    struct report_src src = s->src;
    src.mem = mem;
    for (uint32_t i = 1; i < labels.strs.n; i++) {
        if (i > 1)
            sbuf_chr(b, ',');
        put_text(b, src_mask(&src, strtab_get(&labels, i)));
    }
    sbuf_chr(b, ']');
    strtab_free(&labels);
}

/* A strip that several threads draw: each takes the next few rows. */
struct drawing {
    struct serve *s;
    const struct window *w;
    struct sbuf *pieces; /* of PIECE_ROWS rows each, in the order of the rows */
    size_t npieces;
    _Atomic size_t next;
};

static void put_row(struct drawing *d, size_t i, struct runs *runs, struct arena *mem,
                    struct sbuf *out)
{
    struct str id = d->w->ids[i];
    struct scope *scope;
    struct row row;
    struct err err;

    sbuf_z(out, i ? ",{\"id\":" : "{\"id\":");
    put_text(out, id);
    if (row_find(d->s, id, mem, &row, &scope, &err))
        put_runs(d->s, &row, d->w, runs, out, mem);
    else
        sbuf_z(out, ",\"runs\":[],\"labels\":[],\"missing\":true");
    sbuf_chr(out, '}');
    scope_release(d->s, scope);
}

static void *draw(void *arg)
{
    struct drawing *d = arg;
    struct runs runs = { 0 };
    struct arena mem = { 0 };

    for (size_t n; (n = atomic_fetch_add(&d->next, 1)) < d->npieces;) {
        struct sbuf out = { 0 }; /* not yet beside those that other threads write to */

        for (size_t i = n * PIECE_ROWS; i < (n + 1) * PIECE_ROWS && i < d->w->nids; i++)
            put_row(d, i, &runs, &mem, &out);
        d->pieces[n] = out;
    }
    runs_free(&runs);
    arena_free(&mem);
    return NULL;
}

/* Many rows are drawn by two threads: who looks waits half as long. */
void api_strip(struct serve *s, const struct request *q, struct reply *r)
{
    struct window w;
    pthread_t helper;
    struct err err;

    if (take_window(s, q, &w, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    struct drawing d = { .s = s, .w = &w, .npieces = (w.nids + PIECE_ROWS - 1) / PIECE_ROWS };
    d.pieces = xcalloc(d.npieces + 1, sizeof *d.pieces);
    bool helped = w.nids >= SHARED_ROWS && pthread_create(&helper, NULL, draw, &d) == 0;
    draw(&d);
    if (helped)
        pthread_join(helper, NULL);
    r->type = "application/json";
    size_t bytes = 0;
    for (size_t i = 0; i < d.npieces; i++)
        bytes += d.pieces[i].n;
    put_head(s, &w, &r->body);
    sbuf_room(&r->body, bytes + 2);
    for (size_t i = 0; i < d.npieces; i++) {
        sbuf_str(&r->body, sbuf_view(&d.pieces[i]));
        sbuf_free(&d.pieces[i]);
    }
    free(d.pieces);
    sbuf_z(&r->body, "]}");
}

/* --- curves -------------------------------------------------------------------------------- */

static void put_points(struct sbuf *b, const char *key, const struct store_point *p, size_t n,
                       size_t offset)
{
    sbuf_fmt(b, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        cell_t v;

        memcpy(&v, (const char *)&p[i] + offset, sizeof v);
        if (i)
            sbuf_chr(b, ',');
        if (p[i].min == STORE_NULL)
            sbuf_z(b, "null");
        else
            put_number(b, v);
    }
    sbuf_chr(b, ']');
}

static void put_curve(const struct row *row, const struct window *w, struct store_point *p,
                      struct sbuf *b)
{
    if (row->curve)
        row_points(row, w->span, w->npx, p);
    else
        for (size_t i = 0; i < w->npx; i++)
            p[i] = (struct store_point){ .min = STORE_NULL };
    sbuf_z(b, ",\"unit\":");
    put_text(b, str_of(row->unit));
    put_points(b, "min", p, w->npx, offsetof(struct store_point, min));
    put_points(b, "max", p, w->npx, offsetof(struct store_point, max));
    put_points(b, "last", p, w->npx, offsetof(struct store_point, last));
    sbuf_z(b, ",\"mean\":[");
    for (size_t i = 0; i < w->npx; i++) {
        if (p[i].min == STORE_NULL)
            sbuf_z(b, i ? ",null" : "null");
        else
            sbuf_fmt(b, i ? ",%.8g" : "%.8g", p[i].mean);
    }
    sbuf_chr(b, ']');
}

void api_curve(struct serve *s, const struct request *q, struct reply *r)
{
    struct window w;
    struct err err;

    if (take_window(s, q, &w, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    struct store_point *p = xcalloc(w.npx, sizeof *p);
    r->type = "application/json";
    put_head(s, &w, &r->body);
    for (size_t i = 0; i < w.nids; i++) {
        struct scope *scope;
        struct row row = { .unit = "" };
        bool is = row_find(s, w.ids[i], q->mem, &row, &scope, &err);

        sbuf_z(&r->body, i ? ",{\"id\":" : "{\"id\":");
        put_text(&r->body, w.ids[i]);
        put_curve(&row, &w, p, &r->body);
        sbuf_z(&r->body, is ? "}" : ",\"missing\":true}");
        scope_release(s, scope);
    }
    sbuf_z(&r->body, "]}");
    free(p);
}

/* --- an instant ---------------------------------------------------------------------------- */

/* Who took the CPU that the thread waits for, or woke it too late. */
static void put_wait(struct serve *s, const struct row *row, const struct item *it, struct json *j,
                     struct arena *mem)
{
    const struct whos *w = serve_whos(s);
    uint32_t host = src_host_named(&s->src, row->host);
    char took[TIME_TEXT];
    const cell_t *wait;
    table_t t;

    if (it->value != TS_WAIT && it->value != TS_PREEMPTED)
        return;
    if (!store_table_find(row->store, schema_tables[TABLE_cpu_wait].name, &t))
        return;
    struct store_rows rows = store_rows(row->store, t, (struct span){ it->t0, it->t0 + 1 });
    while ((wait = store_rows_next(&rows))) {
        if (wait[C_cpu_wait_tid] != row->tid)
            continue;
        const struct who_thread *by = whos_at(w, host, wait[C_cpu_wait_by], it->t0);
        const char *what = wait[C_cpu_wait_kind] == WAIT_PREEMPTED ? "taken by" : "woken by";
        struct str who = by                         ? by->comm
                         : wait[C_cpu_wait_by] == 0 ? STR("an idle CPU")
                                                    : STR("somebody");

        json_str(j,
                 str_of(arena_printf(
                     mem, "waited %s for CPU %" PRId64 ", %s " STR_FMT " (%" PRId64 ")",
                     time_human(wait[1] == STORE_NULL ? it->t1 - it->t0 : wait[1] - wait[0], took),
                     wait[C_cpu_wait_cpu], what, STR_ARG(who), wait[C_cpu_wait_by])));
        if (by && who_owner(w, by)->kind == WHO_VM)
            json_str(j, str_of(arena_printf(mem, "which belongs to instance " STR_FMT,
                                            STR_ARG(who_owner(w, by)->name))));
    }
}

/* Which thread a CPU runs. */
static void put_running(struct serve *s, const struct row *row, ns_t at, struct json *j,
                        struct arena *mem)
{
    char room[SCHEMA_PATH];
    struct interval v;
    attr_t a;
    struct str cpu = schema_hole(ATTR_CPU_STATE, store_attr_path(row->store, row->attr));

    if (!store_attr_find(row->store, schema_path(ATTR_CPU_THREAD, cpu, room), &a) ||
        !store_at(row->store, a, at, &v) || v.value <= 0)
        return;
    const struct who_thread *th =
        whos_at(serve_whos(s), src_host_named(&s->src, row->host), v.value, at);
    json_str(j, str_of(arena_printf(mem, "thread " STR_FMT " (%" PRId64 ")",
                                    STR_ARG(th ? th->comm : STR("?")), v.value)));
}

/* Which raw events belong to it: arguments of /api/v1/events. */
static void put_query(struct serve *s, const struct row *row, const struct item *it, struct json *j)
{
    struct sbuf b = { 0 };

    sbuf_fmt(&b, "t0=%" PRId64, serve_rel(s, it->t0));
    if (*row->host) {
        sbuf_z(&b, "&host=");
        for (const char *p = row->host; *p; p++)
            if ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                *p == '-' || *p == '_')
                sbuf_chr(&b, *p);
            else
                sbuf_fmt(&b, "%%%02X", (unsigned char)*p);
    }
    json_kstr(j, "events", sbuf_view(&b));
    sbuf_free(&b);
}

static void put_at(struct serve *s, const struct row *row, ns_t t, struct json *j,
                   struct arena *mem)
{
    struct item it;
    bool open, is = row_at(row, t, &it, &open);

    emit_ns(j, "t0", is ? serve_rel(s, it.t0) : STORE_NULL);
    emit_ns(j, "t1", is ? serve_rel(s, it.t1) : STORE_NULL);
    json_key(j, STR("open"));
    json_bool(j, is && open);
    emit_ns(j, "value", is ? it.value : STORE_NULL);
    struct str label = !is ? STR("") : it.label.n ? it.label : row_value(s, row, it.value, mem);
    emit_str(j, "label", label);
    json_key(j, STR("bad"));
    json_bool(j, is && row->values && it.value >= 0 && it.value < row->nvalues &&
                     row->values[it.value].bad);
    json_kopen(j, "evidence", '[');
    if (is && it.detail.n)
        json_str(j, it.detail);
    if (is && row->store && row->tid)
        put_wait(s, row, &it, j, mem);
    if (is && row->store && strcmp(row->kind, "cpu") == 0)
        put_running(s, row, t, j, mem);
    json_close(j, ']');
    if (!is)
        it.t0 = t;
    put_query(s, row, &it, j);
}

void api_at(struct serve *s, const struct request *q, struct reply *r)
{
    struct str id = request_text(q, "row");
    ns_t length = s->all.t1 - s->all.t0;
    struct scope *scope;
    struct row row;
    struct err err;
    int64_t t;

    if (request_int(q, "t", -length, 2 * length, 0, &t, &err) < 0) {
        reply_err(r, &err);
        return;
    }
    if (!row_find(s, id, q->mem, &row, &scope, &err)) {
        reply_fail(r, 404, "%s", err.text);
        return;
    }
    struct json *j = reply_json(r);
    json_open(j, '{');
    json_kstr(j, "row", id);
    json_ki64(j, "t", t);
    put_at(s, &row, s->all.t0 + t, j, q->mem);
    json_close(j, '}');
    scope_release(s, scope);
}
