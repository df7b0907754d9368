/* SPDX-License-Identifier: Apache-2.0
 *
 * tsp_table.c -- findings and raw events as tables; see tsp_priv.h.
 *
 * A client asks for lines by their number.  Findings are few.  Events are read in order: the way to
 * line number n is remembered in steps, so that each stretch is passed over once. */
#include "diagnose/rule.h"
#include "serve/tsp_priv.h"

#include <inttypes.h>
#include <regex.h>
#include <stdlib.h>

enum { LINES_MOST = 3000, EXPRESSION_MOST = 128, SEARCH_LINES = 65536, SEARCH_PAGES = 16 };

/* By this name viewers know the column by which they select in time lines what is picked in the
 * table, and the reverse. */
#define TIMESTAMP "Timestamp ns"

_Static_assert(SEARCH_LINES *SEARCH_PAGES == 1048576, "GIVEN_UP says so");

static const char *const finding_titles[] = { "Rank", "Severity", "Finding", "Where",   "Begin",
                                              "Cost", "Rule",     "Remedy",  TIMESTAMP, NULL };
static const char *const event_columns[] = { "Time",     "Host",    "CPU", "Event",
                                             "Contents", TIMESTAMP, NULL };

static const char *const *columns_of(const struct tsp_output *o)
{
    return strcmp(o->id, "events") == 0 ? event_columns : finding_titles;
}

static size_t count(const char *const *names)
{
    size_t n = 0;

    while (names[n])
        n++;
    return n;
}

void tsp_post_columns(struct serve *s, const struct request *q, struct reply *r)
{

    const struct tsp_output *o = tsp_output_asked(s, q, r, NULL);
    if (!o)
        return;
    const char *const *names = columns_of(o);
    struct json *j = tsp_model(r);
    json_open(j, '[');
    for (size_t i = 0; names[i]; i++) {
        json_open(j, '{');
        json_ki64(j, "id", (int64_t)i);
        json_kstr(j, "name", str_of(names[i]));
        json_kstr(j, "description", STR(""));
        json_kstr(j, "type", strcmp(names[i], TIMESTAMP) == 0 ? STR("TIMESTAMP") : STR("STRING"));
        json_close(j, '}');
    }
    json_close(j, ']');
    tsp_model_end(j, s);
}

/* --- what is asked --------------------------------------------------------------------------- */

enum { COLUMNS_MOST = 9 };

struct asked {
    int64_t index, n;
    size_t columns[COLUMNS_MOST], ncolumns;
    bool searches;    /* lines that fit are marked */
    bool seeks, back; /* the first one is the next that fits, or the one before */
    regex_t search[COLUMNS_MOST];
    bool has[COLUMNS_MOST];
    bool by_time;
    ns_t time;
};

/* Counted repetitions and references back can take any time and memory. */
static bool take_expression(const char *text, regex_t *ret)
{
    if (strlen(text) > EXPRESSION_MOST || strchr(text, '{'))
        return false;
    for (const char *p = text; *p; p++)
        if (*p == '\\' && p[1] >= '0' && p[1] <= '9')
            return false;
    return regcomp(ret, text, REG_EXTENDED | REG_NOSUB | REG_ICASE) == 0;
}

static bool take_search(const json_t *p, size_t ncolumns, struct asked *a, struct reply *r)
{
    const char *direction = json_string_value(json_object_get(p, "table_search_direction"));
    json_t *map = json_object_get(p, "table_search_expressions"), *v;
    const char *key;

    a->seeks = direction != NULL;
    a->back = direction && strcmp(direction, "PREVIOUS") == 0;
    json_object_foreach(map, key, v)
    {
        uint64_t column;

        if (!str_u64(str_of(key), &column) || column >= ncolumns || !json_is_string(v) ||
            a->has[column] || !take_expression(json_string_value(v), &a->search[column])) {
            reply_fail(r, 400,
                       "table_search_expressions has a column or an expression that can't "
                       "be used");
            return false;
        }
        a->has[column] = a->searches = true;
    }
    a->seeks &= a->searches;
    return true;
}

static void asked_free(struct asked *a)
{
    for (size_t i = 0; i < COLUMNS_MOST; i++)
        if (a->has[i])
            regfree(&a->search[i]);
}

static bool take_lines(struct serve *s, const struct request *q, size_t ncolumns, struct asked *a,
                       struct reply *r)
{
    const json_t *p = tsp_parameters(q), *ids = json_object_get(p, "requested_table_column_ids"),
                 *v;
    const json_t *time = json_array_get(json_object_get(p, "requested_times"), 0);
    size_t i;

    *a = (struct asked){ .n = 100 };
    a->by_time = json_is_integer(time);
    a->time = a->by_time ? json_integer_value(time) : s->all.t0;
    tsp_int(p, "requested_table_count", &a->n);
    if (!tsp_int(p, "requested_table_index", &a->index) && !a->by_time) {
        reply_fail(r, 400, "parameters.requested_table_index or requested_times is needed");
        return false;
    }
    if (a->index < 0 || a->n < 0 || a->n > LINES_MOST) {
        reply_fail(r, 400, "requested_table_index is from 0 on, requested_table_count up to %d",
                   LINES_MOST);
        return false;
    }
    json_array_foreach(ids, i, v)
    {
        json_int_t id = json_integer_value(v);

        if (json_is_integer(v) && id >= 0 && (size_t)id < ncolumns && a->ncolumns < COLUMNS_MOST)
            a->columns[a->ncolumns++] = (size_t)id;
    }
    for (i = 0; a->ncolumns == 0 && i < ncolumns; i++)
        a->columns[i] = i;
    a->ncolumns = a->ncolumns ? a->ncolumns : ncolumns;
    return take_search(p, ncolumns, a, r);
}

/* Does a line have what is searched for? */
static bool fits(const struct asked *a, struct str cells[static COLUMNS_MOST])
{
    for (size_t i = 0; i < COLUMNS_MOST; i++) {
        char text[1024];

        if (!a->has[i])
            continue;
        snprintf(text, sizeof text, STR_FMT, STR_ARG(cells[i]));
        if (regexec(&a->search[i], text, 0, NULL, 0) != 0)
            return false;
    }
    return true;
}

/* --- lines ------------------------------------------------------------------------------------ */

static void put_head(struct json *j, const struct asked *a, uint64_t size, uint64_t low)
{
    json_open(j, '{');
    json_ku64(j, "size", size);
    json_ku64(j, "lowIndex", low);
    json_kopen(j, "columnIds", '[');
    for (size_t i = 0; i < a->ncolumns; i++)
        json_i64(j, (int64_t)a->columns[i]);
    json_close(j, ']');
    json_kopen(j, "lines", '[');
}

static void put_line(struct json *j, const struct asked *a, uint64_t index,
                     struct str cells[static COLUMNS_MOST], bool found)
{
    json_open(j, '{');
    json_ku64(j, "index", index);
    json_kopen(j, "cells", '[');
    for (size_t i = 0; i < a->ncolumns; i++) {
        json_open(j, '{');
        json_kstr(j, "content", cells[a->columns[i]]);
        json_close(j, '}');
    }
    json_close(j, ']');
    if (found)
        json_ki64(j, "tags", 8); /* highlighted */
    json_close(j, '}');
}

/* What is about all of the time begins with it. */
static void finding_cells(struct serve *s, const struct finding *f, struct arena *mem,
                          struct str ret[static COLUMNS_MOST])
{
    char text[TIME_TEXT];
    struct sbuf hosts = { 0 };

    for (size_t i = 0; i < f->hosts.n; i++)
        sbuf_fmt(&hosts, "%s" STR_FMT, i ? ", " : "", STR_ARG(f->hosts.at[i]));
    ret[0] = str_of(arena_printf(mem, "%zu", f->rank));
    ret[1] = str_of(severity_name(f->severity));
    ret[2] = f->title;
    ret[3] = str_dup(mem, sbuf_view(&hosts));
    ret[4] = f->t0 == STORE_NULL ? STR("") : str_of(arena_printf(mem, "%s", time_iso(f->t0, text)));
    ret[5] = f->cost_ns == STORE_NULL
                 ? STR("")
                 : str_of(arena_printf(mem, "%s", time_human(f->cost_ns, text)));
    ret[6] = str_of(f->rule->name);
    ret[7] = str_of(f->rule->remedy);
    ret[8] = str_of(arena_printf(mem, "%" PRId64, f->t0 == STORE_NULL ? s->all.t0 : f->t0));
    sbuf_free(&hosts);
}

/* The one that is asked for, or the next that fits. */
static size_t first_line(struct serve *s, const struct asked *a, const struct diagnosis *d,
                         struct arena *mem)
{
    int64_t i = a->index, n = (int64_t)d->list.n;
    struct str cells[COLUMNS_MOST];

    while (a->seeks && i >= 0 && i < n) {
        finding_cells(s, &d->list.at[i], mem, cells);
        if (fits(a, cells))
            break;
        i += a->back ? -1 : 1;
    }
    return i < 0 || i > n ? (size_t)n : (size_t)i;
}

/* The first one in time that begins at 't' or later. */
static size_t finding_after(const struct diagnosis *d, ns_t t)
{
    size_t best = d->list.n;

    for (size_t i = 0; i < d->list.n; i++) {
        ns_t t0 = d->list.at[i].t0;

        if (t0 != STORE_NULL && t0 >= t && (best == d->list.n || t0 < d->list.at[best].t0))
            best = i;
    }
    return best;
}

static void finding_lines(struct serve *s, const struct request *q, struct reply *r,
                          struct asked *a)
{
    const struct diagnosis *d = serve_diagnosis(s);
    struct str cells[COLUMNS_MOST];

    if (a->by_time)
        a->index = (int64_t)finding_after(d, a->time);
    size_t low = first_line(s, a, d, q->mem);
    struct json *j = tsp_model(r);
    put_head(j, a, d->list.n, low);
    for (size_t i = low; i < d->list.n && i - low < (size_t)a->n; i++) {
        finding_cells(s, &d->list.at[i], q->mem, cells);
        put_line(j, a, i, cells, a->searches && fits(a, cells));
    }
    json_close(j, ']');
    json_close(j, '}');
    tsp_model_end(j, s);
}

/* --- events ----------------------------------------------------------------------------------- */

static void event_cells(const struct serve_event *e, struct arena *mem,
                        struct str ret[static COLUMNS_MOST])
{
    char text[TIME_TEXT];

    ret[0] = str_of(arena_printf(mem, "%s", time_iso(e->t, text)));
    ret[1] = e->host;
    ret[2] = e->cpu == UINT32_MAX ? STR("") : str_of(arena_printf(mem, "%" PRIu32, e->cpu));
    ret[3] = e->name;
    ret[4] = e->fields;
    ret[5] = str_of(arena_printf(mem, "%" PRId64, e->t));
    for (size_t i = 6; i < COLUMNS_MOST; i++)
        ret[i] = STR("");
}

static int read_events(struct serve *s, const struct serve_events *asked, struct serve_page *ret,
                       struct err *err)
{
    pthread_mutex_lock(&s->events_lock);
    int rc = s->source->events(s->source->ctx, asked, ret, err);
    pthread_mutex_unlock(&s->events_lock);
    return rc;
}

static void page_free(struct serve_page *page)
{
    sbuf_free(&page->rows);
    arena_free(&page->mem);
}

enum { CONTENTS = 4 }; /* the column of the fields */

#define GIVEN_UP "There may be one that fits further away: 1,048,576 events were looked at."

/* The event from number 'from' on, of 'n', that fits: the first, or going back the last.  -1: none
 * does. */
static int64_t fitting(struct serve *s, const struct asked *a, int64_t from, size_t n)
{
    struct serve_events asked = { .from = s->all.t0,
                                  .numbered = true,
                                  .bare = !a->has[CONTENTS],
                                  .pass = (uint64_t)from,
                                  .limit = n };
    struct serve_page page = { 0 };
    struct str cells[COLUMNS_MOST];
    int64_t found = -1;
    struct err err;

    if (read_events(s, &asked, &page, &err) == 0)
        for (size_t i = 0; i < page.n && (found < 0 || a->back); i++) {
            event_cells(&page.at[i], &page.mem, cells);
            if (fits(a, cells))
                found = from + (int64_t)i;
        }
    page_free(&page);
    return found;
}

/* Goes on to the next event that has what is searched for; false: it was given up on before all
 * were looked at. */
static bool search_events(struct serve *s, struct asked *a)
{
    int64_t at = a->index, end = (int64_t)s->events;

    for (int i = 0; i < SEARCH_PAGES; i++) {
        int64_t from = a->back ? at - SEARCH_LINES + 1 : at;

        if (at < 0 || at >= end) {
            a->index = end; /* nothing */
            return true;
        }
        from = from < 0 ? 0 : from;
        int64_t found = fitting(s, a, from, a->back ? (size_t)(at - from + 1) : SEARCH_LINES);
        if (found >= 0) {
            a->index = found;
            return true;
        }
        at = a->back ? from - 1 : from + SEARCH_LINES;
    }
    a->index = end;
    return false;
}

static void event_lines(struct serve *s, const struct request *q, struct reply *r, struct asked *a)
{
    struct serve_page page = { 0 };
    struct str cells[COLUMNS_MOST];
    struct err err;

    bool whole = !a->seeks || search_events(s, a);
    struct serve_events asked = { .from = a->by_time ? a->time : s->all.t0,
                                  .numbered = true,
                                  .pass = a->by_time ? 0 : (uint64_t)a->index,
                                  .limit = a->n ? (size_t)a->n : 1 };
    if (read_events(s, &asked, &page, &err) < 0) {
        reply_err(r, &err);
    } else {
        struct json *j = tsp_model(r);

        put_head(j, a, s->events, page.number);
        for (size_t i = 0; i < page.n && i < (size_t)a->n; i++) {
            event_cells(&page.at[i], q->mem, cells);
            put_line(j, a, page.number + i, cells, a->searches && fits(a, cells));
        }
        json_close(j, ']');
        json_close(j, '}');
        if (whole)
            tsp_model_end(j, s);
        else
            tsp_model_say(j, s, GIVEN_UP);
    }
    page_free(&page);
}

/* Viewers want a table even while the histories are being made. */
static void no_lines(struct serve *s, struct reply *r, const struct asked *a)
{
    struct json *j = tsp_model(r);

    r->passing = true;
    put_head(j, a, 0, 0);
    json_close(j, ']');
    json_close(j, '}');
    tsp_model_end(j, s);
}

void tsp_post_lines(struct serve *s, const struct request *q, struct reply *r)
{
    struct asked a;

    const struct tsp_output *o = tsp_output_asked(s, q, r, NULL);
    if (!o)
        return;
    if (take_lines(s, q, count(columns_of(o)), &a, r)) {
        if (!tsp_is_ready(s))
            no_lines(s, r, &a);
        else if (strcmp(o->id, "events") == 0)
            event_lines(s, q, r, &a);
        else
            finding_lines(s, q, r, &a);
    }
    asked_free(&a);
}
