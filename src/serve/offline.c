/* SPDX-License-Identifier: Apache-2.0
 *
 * offline.c -- a report in one file; see offline.h.
 *
 * The file holds answers of the routes, under the paths that the page would ask for.  Which ones is
 * decided here, finding by finding, the first ones first: a time line of those whom it is about,
 * what is known of the migration or the request, and the tables that its evidence names. */
#include "serve/offline.h"

#include "report/cell_text.h"
#include "serve/rows.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    FINDINGS_MOST = 200, /* told at all                       */
    CHARTED_MOST = 15,   /* with charts                       */
    ROWS_MOST = 24,      /* of a time line                    */
    TABLES_MOST = 3,     /* of a finding                      */
    TABLE_ROWS = 12,
    ANSWER_MOST = 700 * 1024,  /* bytes of one answer               */
    ALL_MOST = 4 * 1024 * 1024 /* bytes of all of them              */
};

struct offline {
    struct serve *s;
    struct arena mem;
    struct strtab done; /* paths whose answers are in the file */
    struct sbuf *out;
    size_t bytes;
    VEC(struct str) left_out; /* sentences */
    struct json *charts;      /* the list of them */
};

/* --- text that stays text ------------------------------------------------------------------- */

/* JSON as the content of a script element that is data.  Without a '<' nothing can end it; the two
 * separators of lines would end one in a script. */
static void put_data(struct sbuf *out, struct str json)
{
    size_t from = 0;

    for (size_t i = 0; i < json.n; i++) {
        const char *p = json.p + i;
        const char *as = NULL;
        size_t n = 1;

        if (*p == '<')
            as = "\\u003c";
        else if (json.n - i >= 3 && memcmp(p, "\xe2\x80\xa8", 3) == 0)
            as = "\\u2028", n = 3;
        else if (json.n - i >= 3 && memcmp(p, "\xe2\x80\xa9", 3) == 0)
            as = "\\u2029", n = 3;
        if (!as)
            continue;
        sbuf_add(out, json.p + from, i - from);
        sbuf_z(out, as);
        i += n - 1;
        from = i + 1;
    }
    sbuf_add(out, json.p + from, json.n - from);
}

static void put_html(struct sbuf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&': sbuf_z(out, "&amp;"); break;
        case '<': sbuf_z(out, "&lt;"); break;
        case '>': sbuf_z(out, "&gt;"); break;
        case '"': sbuf_z(out, "&quot;"); break;
        default: sbuf_chr(out, text.p[i]);
        }
    }
}

/* As a part of a path, or a value of a query. */
static void put_part(struct sbuf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];

        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
            c == '-' || c == '_' || c == '.')
            sbuf_chr(out, c);
        else
            sbuf_fmt(out, "%%%02X", (unsigned char)c);
    }
}

/* --- answers --------------------------------------------------------------------------------- */

static void leave_out(struct offline *o, struct str sentence)
{
    *vec_push(&o->left_out) = sentence;
}

/* Takes an answer into the file.  False: it has no room, which is said. */
static bool put_answer(struct offline *o, struct str path, struct str json, struct str what)
{
    if (json.n > ANSWER_MOST || o->bytes + json.n > ALL_MOST) {
        leave_out(o, str_of(arena_printf(
                         &o->mem, STR_FMT ": %zu kB, %s", STR_ARG(what), json.n / 1024,
                         json.n > ANSWER_MOST ? "too much for a report" : "the report is full")));
        return false;
    }
    sbuf_z(o->out, "<script type=\"application/json\" data-answer=\"");
    put_html(o->out, path);
    sbuf_z(o->out, "\">");
    put_data(o->out, json);
    sbuf_z(o->out, "</script>\n");
    o->bytes += json.n;
    strtab_id(&o->done, path);
    return true;
}

/* Asks as a client would; 'path' is below /api/v1/.  False: there is no such answer, or no room. */
static bool ask(struct offline *o, struct str path, struct str what)
{
    struct arena mem = { 0 };
    struct request q = { 0 };
    struct reply r = { 0 };
    bool wrong, is = false;
    uint32_t id;
    struct err err;

    if (strtab_find(&o->done, path, &id))
        return true;
    struct str target = str_of(arena_printf(&mem, "/api/v1/" STR_FMT, STR_ARG(path)));
    if (request_parse(&q, METHOD_GET, target, &mem, &err) == 0) {
        const struct route *route = route_find(&q, &wrong);

        if (route && route->answer) {
            route_answer(o->s, route, &q, &r);
            is = r.status == 200 && put_answer(o, path, sbuf_view(&r.body), what);
        }
    }
    reply_free(&r);
    request_free(&q);
    arena_free(&mem);
    return is;
}

static void chart(struct offline *o, const struct finding *f, const char *kind)
{
    json_open(o->charts, '{');
    json_ku64(o->charts, "rank", f->rank);
    json_kstr(o->charts, "kind", str_of(kind));
}

/* --- time lines ------------------------------------------------------------------------------ */

static const struct party *party_of(const struct finding *f, const char *kind)
{
    for (size_t i = 0; i < f->subjects.n; i++)
        if (strcmp(f->subjects.at[i].kind, kind) == 0)
            return &f->subjects.at[i];
    return NULL;
}

/* What the time line shows.  Several on one host are seen side by side there. */
static struct str scope_of(struct offline *o, const struct finding *f)
{
    static const char *const kinds[] = { "migration", "request", "vm", "host" };
    bool many = f->subjects.n > 1;

    for (size_t i = 1; i < f->subjects.n; i++)
        many = many && strcmp(f->subjects.at[i].kind, f->subjects.at[0].kind) == 0;
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && !(many && f->hosts.n == 1); i++) {
        const struct party *p = party_of(f, kinds[i]);

        if (p)
            return str_of(arena_printf(&o->mem, "%s:" STR_FMT, kinds[i], STR_ARG(p->name)));
    }
    return f->hosts.n ? str_of(arena_printf(&o->mem, "host:" STR_FMT, STR_ARG(f->hosts.at[0])))
                      : STR("");
}

static bool is_of(const struct row *r, struct str name)
{
    return name.n > 0 && (str_eq(r->vm, name) || str_eq(r->request, name) ||
                          str_find(r->label, name, 0) != STR_NONE);
}

/* How much a row has to do with the finding; 0: nothing. */
static int weight(const struct finding *f, const struct row *r)
{
    if (r->curve || (!r->store && !r->track))
        return 0;
    for (size_t i = 0; i < f->subjects.n; i++)
        if (is_of(r, f->subjects.at[i].name))
            return 4;
    for (size_t i = 0; i < f->culprits.n; i++)
        if (is_of(r, f->culprits.at[i].name))
            return 3;
    return strcmp(r->kind, "thread") == 0 ? 1 : 2;
}

/* Chooses the rows that have most to do with it, and their headings.  Returns how many. */
static size_t choose_rows(const struct finding *f, const struct scope *c, bool *only)
{
    size_t n = 0;

    for (int least = 4; least > 0; least--)
        for (size_t i = 0; i < c->rows.n && n < ROWS_MOST; i++)
            if (weight(f, &c->rows.at[i]) == least) {
                only[i] = true;
                n++;
            }
    for (size_t i = 0; i < c->rows.n; i++) {
        struct str up = only[i] ? c->rows.at[i].parent : STR("");
        uint32_t no;

        if (up.n && strtab_find(&c->ids, up, &no) && no)
            only[no - 1] = true;
    }
    return n;
}

/* The finding's time with some room around it; false: it has none. */
static bool window_of(const struct offline *o, const struct finding *f, struct span *ret)
{
    if (f->t0 == STORE_NULL || f->t1 == STORE_NULL || f->t1 < f->t0)
        return false;
    ns_t room = (f->t1 - f->t0) / 8 + 1000;
    ret->t0 = serve_rel(o->s, f->t0 - room);
    ret->t1 = serve_rel(o->s, f->t1 + room);
    return ret->t0 < ret->t1;
}

static struct str strip_path(struct offline *o, const struct scope *c, const bool *only,
                             struct span win)
{
    struct sbuf b = { 0 };

    sbuf_z(&b, "strip?");
    for (size_t i = 0; i < c->rows.n; i++) {
        const struct row *r = &c->rows.at[i];

        if (!only[i] || r->curve || (!r->store && !r->track))
            continue;
        sbuf_z(&b, "row=");
        put_part(&b, r->id);
        sbuf_chr(&b, '&');
    }
    sbuf_fmt(&b, "t0=%" PRId64 "&t1=%" PRId64 "&px=%d", win.t0, win.t1, SERVE_PX);
    struct str path = str_dup(&o->mem, sbuf_view(&b));
    sbuf_free(&b);
    return path;
}

static bool put_rows(struct offline *o, const struct scope *c, const bool *only, struct str path,
                     struct str what)
{
    struct reply r = { 0 };

    rows_json(c, only, reply_json(&r));
    reply_json_end(&r);
    bool is = put_answer(o, path, sbuf_view(&r.body), what);
    reply_free(&r);
    return is;
}

static void put_timeline(struct offline *o, const struct finding *f, struct str key)
{
    struct str what = str_of(arena_printf(&o->mem, "the time line of finding %zu", f->rank));
    struct span win;
    struct err err;

    if (!key.n || !window_of(o, f, &win))
        return;
    struct scope *c = scope_get(o->s, key, &err);
    if (!c)
        return;
    bool *only = xcalloc(c->rows.n + 1, sizeof *only);
    size_t n = choose_rows(f, c, only), all = 0;
    struct str rows =
        str_of(arena_printf(&o->mem, "rows?finding=%zu&n=%zu", f->rank, o->done.strs.n));
    struct str strip = strip_path(o, c, only, win);
    for (size_t i = 0; i < c->rows.n; i++)
        all += weight(f, &c->rows.at[i]) > 0;
    if (n && put_rows(o, c, only, rows, what) && ask(o, strip, what)) {
        chart(o, f, "time");
        json_kstr(o->charts, "scope", key);
        json_kstr(o->charts, "rows", rows);
        json_kstr(o->charts, "path", strip);
        json_ki64(o->charts, "t0", win.t0);
        json_ki64(o->charts, "t1", win.t1);
        json_ku64(o->charts, "more", all - n);
        json_close(o->charts, '}');
    }
    free(only);
    scope_release(o->s, c);
}

/* Those who suffer, and, where they are not seen beside each other, those who did it. */
static void put_timelines(struct offline *o, const struct finding *f)
{
    struct str key = scope_of(o, f);

    put_timeline(o, f, key);
    if (f->culprits.n && f->hosts.n && !str_starts(key, STR("host:")))
        put_timeline(o, f, str_of(arena_printf(&o->mem, "host:" STR_FMT, STR_ARG(f->hosts.at[0]))));
}

/* --- what is known of a migration or a request, and tables ------------------------------------ */

static void put_shows(struct offline *o, const struct finding *f)
{
    static const char *const kinds[] = { "migration", "request" };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const struct party *p = party_of(f, kinds[i]);
        struct sbuf b = { 0 };

        if (!p)
            continue;
        sbuf_fmt(&b, "show/%s/", kinds[i]);
        put_part(&b, p->name);
        struct str path = str_dup(&o->mem, sbuf_view(&b));
        sbuf_free(&b);
        struct str what =
            str_of(arena_printf(&o->mem, "%s " STR_FMT, kinds[i], STR_ARG(str_first(p->name, 80))));
        if (!ask(o, path, what))
            continue;
        chart(o, f, kinds[i]);
        json_kstr(o->charts, "path", path);
        json_close(o->charts, '}');
    }
}

/* Takes the next word of a command. */
static struct str next_word(struct str *rest)
{
    *rest = str_trim(*rest);
    size_t end = str_chr(*rest, ' ', 0);
    struct str word = end == STR_NONE ? *rest : str_first(*rest, end);

    *rest = str_from(*rest, word.n);
    return word;
}

/* "neph top MEASURE --host H" as the path of the same table, of the finding's time; empty: it is
 * another command, or has arguments that are not a query's. */
static struct str table_path(struct offline *o, const struct finding *f, struct str command,
                             struct str *ret_measure)
{
    static const char *const known[] = { "host", "vm", "by", "service", "thread" };
    struct str rest = command, word;
    struct sbuf b = { 0 };

    if (!str_is(next_word(&rest), "neph") || !str_is(next_word(&rest), "top") ||
        str_chr(command, '\'', 0) != STR_NONE || str_chr(command, '"', 0) != STR_NONE)
        return STR("");
    *ret_measure = next_word(&rest);
    sbuf_z(&b, "top/");
    put_part(&b, *ret_measure);
    sbuf_fmt(&b, "?limit=%d", TABLE_ROWS);
    if (f->t0 != STORE_NULL && f->t1 != STORE_NULL && f->t0 < f->t1)
        sbuf_fmt(&b, "&begin=%" PRId64 "&end=%" PRId64, f->t0, f->t1);
    while ((word = next_word(&rest)).n) {
        bool is = false;

        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
            is = is || (str_starts(word, STR("--")) && str_is(str_from(word, 2), known[i]));
        if (!is) {
            sbuf_free(&b);
            return STR("");
        }
        sbuf_fmt(&b, "&" STR_FMT "=", STR_ARG(str_from(word, 2)));
        put_part(&b, next_word(&rest));
    }
    struct str path = str_dup(&o->mem, sbuf_view(&b));
    sbuf_free(&b);
    return path;
}

static void put_tables(struct offline *o, const struct finding *f)
{
    struct strtab told = { 0 };
    size_t n = 0;

    for (size_t i = 0; i < f->evidence.n && n < TABLES_MOST; i++) {
        struct str where = f->evidence.at[i].where, measure = STR("");
        struct str path = table_path(o, f, where, &measure);
        uint32_t id;

        if (!path.n || strtab_find(&told, path, &id))
            continue;
        strtab_id(&told, path);
        if (!ask(o, path, where))
            continue;
        chart(o, f, "table");
        json_kstr(o->charts, "path", path);
        json_kstr(o->charts, "measure", measure);
        json_kstr(o->charts, "command", where);
        json_close(o->charts, '}');
        n++;
    }
    strtab_free(&told);
}

/* --- the file -------------------------------------------------------------------------------- */

static void put_findings(struct offline *o, const struct diagnosis *d)
{
    struct reply r = { 0 };

    diagnosis_json(d, reply_json(&r));
    reply_json_end(&r);
    put_answer(o, STR("findings"), sbuf_view(&r.body), STR("the findings"));
    reply_free(&r);
}

static void put_charts(struct offline *o, const struct diagnosis *d)
{
    struct reply r = { 0 };
    size_t n = d->list.n < CHARTED_MOST ? d->list.n : CHARTED_MOST;
    struct json *j = reply_json(&r);

    o->charts = j;
    json_open(j, '{');
    json_kopen(j, "charts", '[');
    for (size_t i = 0; i < n; i++) {
        put_timelines(o, &d->list.at[i]);
        put_shows(o, &d->list.at[i]);
        put_tables(o, &d->list.at[i]);
    }
    json_close(j, ']');
    if (n < d->list.n)
        leave_out(o, str_of(arena_printf(&o->mem, "charts of the findings after number %zu", n)));
    json_kopen(j, "left_out", '[');
    for (size_t i = 0; i < o->left_out.n; i++)
        json_str(j, o->left_out.at[i]);
    json_close(j, ']');
    json_ku64(j, "events", o->s->events);
    json_close(j, '}');
    reply_json_end(&r);
    o->bytes = 0; /* this one always has room */
    put_answer(o, STR("report"), sbuf_view(&r.body), STR("the list of charts"));
    reply_free(&r);
}

/* What makes the answers less sure.  The rest is about this machine: which cache was used. */
static struct notes notes_that_matter(const struct notes *all)
{
    struct notes kept = { 0 };

    for (size_t i = 0; all && i < all->list.n; i++)
        if (all->list.at[i].level != NOTE_INFO)
            *vec_push(&kept.list) = all->list.at[i];
    return kept;
}

static bool file_named(const char *path, struct web_file *ret)
{
    for (size_t i = 0; web_file(i, ret); i++)
        if (strcmp(ret->path, path) == 0)
            return true;
    return false;
}

static void put_head(struct sbuf *out, const struct web_file *css, const struct web_file *js)
{
    sbuf_fmt(
        out,
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "script-src '%s'; style-src '%s'; img-src data:; base-uri 'none'; form-action 'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<meta name=\"referrer\" content=\"no-referrer\">\n"
        "<meta name=\"generator\" content=\"neph " NEPH_VERSION "\">\n"
        "<title>Nephoscope report</title>\n<link rel=\"icon\" href=\"data:,\">\n<style>",
        js->hash, css->hash);
    sbuf_add(out, (const char *)css->p, css->n);
    sbuf_z(out, "</style>\n</head>\n<body class=\"report\">\n<div id=\"app\"></div>\n");
}

/* For those whose browser, or mail reader, runs no scripts. */
static void put_plain(struct sbuf *out, const struct diagnosis *d)
{
    struct sbuf raw = { 0 }, text = { 0 };

    diagnosis_text(d, &raw);
    cell_escape(&text, sbuf_view(&raw), "\n");
    sbuf_z(out, "<noscript><pre>");
    put_html(out, sbuf_view(&text));
    sbuf_z(out, "</pre></noscript>\n");
    sbuf_free(&text);
    sbuf_free(&raw);
}

int offline_write(const struct report_src *src, const struct serve_totals *totals,
                  const char *const *paths, size_t npaths, struct sbuf *out, struct err *err)
{
    struct serve_opts so = { .paths = paths, .npaths = npaths };
    struct web_file css, js;

    if (!file_named("/app.css", &css) || !file_named("/app.js", &js))
        return err_set(err, E_UNSUP, "this neph was built without its page");
    struct offline o = { .s = serve_new(&so, NULL), .out = out };
    struct notes notes = notes_that_matter(src->notes);
    struct report_src mine = *src;
    mine.notes = &notes;
    serve_ready(o.s, &mine, totals);
    struct diagnosis d = *serve_diagnosis(o.s); /* as much of it as is told */
    if (d.list.n > FINDINGS_MOST) {
        leave_out(&o, str_of(arena_printf(&o.mem, "%zu of %zu findings, all ranked lower",
                                          d.list.n - FINDINGS_MOST, d.list.n)));
        d.list.n = FINDINGS_MOST;
    }
    put_head(out, &css, &js);
    put_plain(out, &d);
    ask(&o, STR("experiment"), STR("what was traced"));
    put_findings(&o, &d);
    put_charts(&o, &d);
    sbuf_z(out, "<script type=\"module\">");
    sbuf_add(out, (const char *)js.p, js.n);
    sbuf_z(out, "</script>\n</body>\n</html>\n");
    vec_free(&o.left_out);
    strtab_free(&o.done);
    serve_free(o.s);
    vec_free(&notes.list); /* its texts are of 'src' */
    arena_free(&o.mem);
    return 0;
}
