/* SPDX-License-Identifier: Apache-2.0
 *
 * timeline.c -- see timeline.h.
 *
 * Letters stand for states with and without colours: not everybody sees those.
 * Good states have small letters, bad ones capitals; a letter means the same in all
 * strips of a family. */
#include "report/timeline.h"

#include "report/cell_text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

enum { NAME_MAX_COLUMNS = 44, TICK = 10, PALETTE = 6 };

#define NO_VALUE '.'
#define LOST '?'
#define BAD '!'
#define MANY '#' /* values for which no letter was left */

/* One value of a family, as it is drawn. */
struct mark {
    const struct store_family *family;
    struct str text;
    char letter;
    bool bad;
    unsigned red, green, blue;
};

struct drawing {
    const struct report_src *src;
    const struct timeline_opts *o;
    FILE *f;
    size_t name_columns;
    bool with_hosts;
    VEC(struct mark) marks;
    int brush; /* see draw() */
    bool saw_bad, saw_lost, saw_none, saw_many;
};

static bool several_hosts(const struct attr_list *list)
{
    for (size_t i = 1; i < list->n; i++)
        if (strcmp(list->at[i].host, list->at[0].host) != 0)
            return true;
    return false;
}

/* "web-1: vms/vm-7/state", "nodes/n1/ram_used MB" */
static struct str name_of(const struct attr_ref *a, bool with_host, struct sbuf *b)
{
    sbuf_clear(b);
    if (with_host && *a->host) {
        cell_escape(b, str_of(a->host), "");
        sbuf_z(b, ": ");
    }
    cell_escape(b, a->path, "");
    if (a->family->type == STORE_INT && *a->family->unit)
        sbuf_fmt(b, " %s", a->family->unit);
    return sbuf_view(b);
}

size_t timeline_names(const struct attr_list *list)
{
    bool with_hosts = several_hosts(list);
    struct sbuf b = { 0 };
    size_t most = 0;

    for (size_t i = 0; i < list->n; i++) {
        size_t n = cell_width(name_of(&list->at[i], with_hosts, &b));

        most = n > most ? n : most;
    }
    sbuf_free(&b);
    return most > NAME_MAX_COLUMNS ? NAME_MAX_COLUMNS : most;
}

bool timeline_span(const struct report_src *src, const struct attr_list *list, struct span *ret)
{
    struct span all = { NS_MAX, NS_MIN };

    for (size_t i = 0; i < list->n; i++) {
        struct store_coverage cov;

        store_coverage(list->at[i].store, &cov);
        all.t0 = cov.t0 < all.t0 ? cov.t0 : all.t0;
        all.t1 = cov.t1 > all.t1 ? cov.t1 : all.t1;
    }
    all.t0 = src->span.t0 > all.t0 ? src->span.t0 : all.t0;
    all.t1 = src->span.t1 < all.t1 ? src->span.t1 : all.t1;
    *ret = all;
    return all.t0 < all.t1;
}

/* --- letters and colours -------------------------------------------------------------- */

static char free_letter(const struct drawing *d, const struct store_family *f, struct str text,
                        bool bad)
{
    char tried[64];
    size_t n = 0;

    for (size_t i = 0; i < text.n && n < 32; i++) /* its own letters first */
        if (isalpha((unsigned char)text.p[i]))
            tried[n++] = text.p[i];
    for (int c = 'a'; c <= 'z'; c++)
        tried[n++] = (char)c;
    for (size_t i = 0; i < n; i++) {
        char c = (char)(bad ? toupper((unsigned char)tried[i]) : tolower((unsigned char)tried[i]));
        bool taken = false;

        for (size_t k = 0; k < d->marks.n; k++)
            taken |= d->marks.at[k].family == f && d->marks.at[k].letter == c;
        if (!taken)
            return c;
    }
    return MANY;
}

static bool same_family(const struct store_family *a, const struct store_family *b)
{
    return a == b || (a->type == b->type && !strcmp(a->pattern, b->pattern));
}

/* A colour for a text, of which no table tells: some that are far apart. */
static void colour_of_text(size_t number, struct mark *m)
{
    static const uint8_t rgb[PALETTE][3] = {
        { 68, 119, 170 }, { 204, 187, 68 },  { 34, 136, 51 },
        { 170, 51, 119 }, { 102, 204, 238 }, { 187, 187, 187 }
    };

    m->red = rgb[number % PALETTE][0];
    m->green = rgb[number % PALETTE][1];
    m->blue = rgb[number % PALETTE][2];
}

static void parse_colour(const char *colour, struct mark *m)
{
    unsigned long v = colour && colour[0] ? strtoul(colour + 1, NULL, 16) : 0xbbbbbb;

    m->red = v >> 16 & 0xff;
    m->green = v >> 8 & 0xff;
    m->blue = v & 0xff;
}

/* How a value of this attribute is drawn; made when it is seen first. */
static const struct mark *mark_of(struct drawing *d, const struct attr_ref *a, cell_t value)
{
    struct str text = attr_value(d->src, a, value);
    const struct store_family *f = a->family;
    size_t number = 0;

    for (size_t i = 0; i < d->marks.n; i++) {
        struct mark *m = &d->marks.at[i];

        if (!same_family(m->family, f))
            continue;
        if (str_eq(m->text, text))
            return m;
        f = m->family; /* of another history: one legend for both */
        number++;
    }
    struct mark m = { .family = f, .text = str_dup(d->src->mem, text) };
    if (a->family->type == STORE_STATE && value >= 0 && value < a->family->nvalues) {
        parse_colour(a->family->values[value].colour, &m);
        m.bad = a->family->values[value].bad;
    } else {
        colour_of_text(number, &m);
    }
    m.letter = free_letter(d, f, text, m.bad);
    *vec_push(&d->marks) = m;
    return &d->marks.at[d->marks.n - 1];
}

/* The nearest of the 6 x 6 x 6 colours that terminals number from 16 on. */
static unsigned cube(unsigned v)
{
    return v < 48 ? 0 : v < 115 ? 1 : (v - 35) / 40;
}

static void set_colour(const struct drawing *d, unsigned r, unsigned g, unsigned b)
{
    const char *ink = 299 * r + 587 * g + 114 * b > 127500 ? "30" : "97"; /* on light, on dark */

    if (d->o->colour == COLOUR_24BIT)
        fprintf(d->f, "\033[%s;48;2;%u;%u;%um", ink, r, g, b);
    else if (d->o->colour == COLOUR_256)
        fprintf(d->f, "\033[%s;48;5;%um", ink, 16 + 36 * cube(r) + 6 * cube(g) + cube(b));
}

/* Characters that look the same share one change of colours: 'd->brush' is what the
 * terminal is set to, a character or 0 for its own colours. */
static void draw(struct drawing *d, const struct mark *m, char c)
{
    bool alarm = c == BAD || c == LOST;
    int brush = m || alarm ? c : 0;

    if (d->o->colour != COLOUR_NONE && brush != d->brush) {
        if (d->brush)
            fputs("\033[0m", d->f);
        if (m)
            set_colour(d, m->red, m->green, m->blue);
        else if (alarm)
            set_colour(d, 204, 51, 17);
        d->brush = brush;
    }
    putc(c, d->f);
}

/* Back to the terminal's own colours. */
static void stop_drawing(struct drawing *d)
{
    if (d->brush)
        fputs("\033[0m", d->f);
    d->brush = 0;
}

/* --- strips --------------------------------------------------------------------------- */

static void draw_states(struct drawing *d, const struct attr_ref *a)
{
    size_t n = d->o->columns;
    struct store_pixel *px = xcalloc(n, sizeof *px);

    store_strip(a->store, a->attr, d->o->span, px, n);
    for (size_t i = 0; i < n; i++) {
        const struct mark *m = px[i].value == STORE_NULL ? NULL : mark_of(d, a, px[i].value);

        if (px[i].bad && !(m && m->bad)) {
            d->saw_bad = true;
            draw(d, NULL, BAD);
        } else if (px[i].lost) {
            d->saw_lost = true;
            draw(d, NULL, LOST);
        } else if (!m) {
            d->saw_none = true;
            draw(d, NULL, NO_VALUE);
        } else {
            d->saw_many |= m->letter == MANY;
            draw(d, m, m->letter);
        }
    }
    stop_drawing(d);
    free(px);
}

/* Heights 0 to 7; 3 where all are the same. */
static int height(double v, cell_t min, cell_t max)
{
    if (min == max)
        return 3;
    double part = (v - (double)min) / ((double)max - (double)min);

    return part <= 0 ? 0 : part >= 1 ? 7 : (int)(part * 8 + 1e-9); /* means are rounded */
}

static void put_block(struct drawing *d, int h)
{
    static const char *const blocks[] = { "\u2581", "\u2582", "\u2583", "\u2584",
                                          "\u2585", "\u2586", "\u2587", "\u2588" };

    stop_drawing(d);
    fputs(blocks[h], d->f);
}

static void draw_numbers(struct drawing *d, const struct attr_ref *a)
{
    size_t n = d->o->columns;
    struct store_point *p = xcalloc(n, sizeof *p);
    cell_t min = INT64_MAX, max = INT64_MIN;

    store_series(a->store, a->attr, d->o->span, p, n);
    for (size_t i = 0; i < n; i++) {
        if (p[i].min == STORE_NULL)
            continue;
        min = p[i].min < min ? p[i].min : min;
        max = p[i].max > max ? p[i].max : max;
    }
    for (size_t i = 0; i < n; i++) {
        int h = p[i].min == STORE_NULL ? 0 : height(p[i].mean, min, max);

        d->saw_lost |= p[i].lost;
        d->saw_none |= p[i].min == STORE_NULL && !p[i].lost;
        if (p[i].lost)
            draw(d, NULL, LOST);
        else if (p[i].min == STORE_NULL)
            draw(d, NULL, NO_VALUE);
        else if (d->o->ascii)
            draw(d, NULL, (char)('1' + h));
        else
            put_block(d, h);
    }
    stop_drawing(d);
    if (min == max)
        fprintf(d->f, "  %" PRId64, min);
    else if (min < max)
        fprintf(d->f, "  %" PRId64 "..%" PRId64, min, max);
    free(p);
}

static void pad(const struct drawing *d, size_t n)
{
    while (n-- > 0)
        putc(' ', d->f);
}

static void draw_name(const struct drawing *d, const struct attr_ref *a)
{
    struct sbuf b = { 0 };
    struct str name = name_of(a, d->with_hosts, &b), shown = name;

    if (cell_width(name) > d->name_columns) /* its end tells more than its beginning */
        while (cell_width(shown) > d->name_columns - 1)
            for (shown = str_from(shown, 1); shown.n && (shown.p[0] & 0xc0) == 0x80;)
                shown = str_from(shown, 1);
    if (shown.n < name.n)
        fputs(d->o->ascii ? "~" : "\u2026", d->f);
    fprintf(d->f, STR_FMT, STR_ARG(shown));
    pad(d, d->name_columns - cell_width(shown) - (shown.n < name.n) + 2);
    sbuf_free(&b);
}

/* --- around them ---------------------------------------------------------------------- */

/* Both ends above the strips, as far as there is room, and a ruler. */
static void draw_axis(const struct drawing *d)
{
    char t0[TIME_TEXT], t1[TIME_TEXT], width[TIME_TEXT];
    struct span s = d->o->span;
    size_t n = d->o->columns;

    time_iso(s.t0, t0);
    time_iso(s.t1, t1);
    fprintf(d->f, "%s to %s UTC, a column is %s\n", t0, t1,
            time_human((s.t1 - s.t0 + (ns_t)n / 2) / (ns_t)n, width));
    time_clock(s.t0, t0);
    time_clock(s.t1, t1);
    if (n >= strlen(t0) + strlen(t1) + 1) {
        pad(d, d->name_columns + 2);
        fputs(t0, d->f);
        pad(d, n - strlen(t0) - strlen(t1));
        fprintf(d->f, "%s\n", t1);
    }
    pad(d, d->name_columns + 2);
    for (size_t i = 0; i < n; i++)
        putc(i % TICK == 0 || i + 1 == n ? '|' : '-', d->f);
    putc('\n', d->f);
}

/* Letters, family by family in the order in which they were seen. */
static void draw_legend(struct drawing *d)
{
    struct sbuf b = { 0 };

    for (size_t i = 0; i < d->marks.n; i++) {
        const struct store_family *f = d->marks.at[i].family;
        bool seen = false;

        for (size_t k = 0; k < i; k++)
            seen |= d->marks.at[k].family == f;
        if (seen)
            continue;
        fprintf(d->f, "%s:", f->title);
        for (size_t k = i; k < d->marks.n; k++) {
            const struct mark *m = &d->marks.at[k];

            if (m->family != f)
                continue;
            fputs("  ", d->f);
            draw(d, m, m->letter);
            stop_drawing(d);
            sbuf_clear(&b);
            cell_escape(&b, str_first(m->text, 60), "");
            fprintf(d->f, " " STR_FMT "%s", STR_ARG(sbuf_view(&b)), m->bad ? " (bad)" : "");
        }
        putc('\n', d->f);
    }
    sbuf_free(&b);
    if (d->saw_none)
        fprintf(d->f, "%c no value\n", NO_VALUE);
    if (d->saw_bad)
        fprintf(d->f, "%c a bad state, shorter than the other\n", BAD);
    if (d->saw_many)
        fprintf(d->f, "%c one of more values than there are letters\n", MANY);
    if (d->saw_lost)
        fprintf(d->f, "%c cannot be read\n", LOST);
}

void timeline_print(const struct report_src *src, const struct attr_list *list,
                    const struct timeline_opts *o, FILE *f)
{
    struct drawing d = { .src = src,
                         .o = o,
                         .f = f,
                         .name_columns = timeline_names(list),
                         .with_hosts = several_hosts(list) };

    draw_axis(&d);
    for (size_t i = 0; i < list->n; i++) {
        draw_name(&d, &list->at[i]);
        if (list->at[i].family->type == STORE_INT)
            draw_numbers(&d, &list->at[i]);
        else
            draw_states(&d, &list->at[i]);
        putc('\n', f);
    }
    putc('\n', f);
    draw_legend(&d);
    vec_free(&d.marks);
}

/* --- the same for programs ------------------------------------------------------------ */

const struct column timeline_columns[] = {
    { "host", "HOST", COL_STR, 0, 0, 0 },
    { "attribute", "ATTRIBUTE", COL_STR, 0, 0, 0 },
    { "type", "TYPE", COL_STR, 0, 0, 0 },
    { "unit", "UNIT", COL_STR, 0, 0, 0 },
    { "begin_ns", "BEGIN", COL_INSTANT, 0, 0, 0 },
    { "end_ns", "END", COL_INSTANT, 0, 0, 0 },
    { "complete_until_ns", "COMPLETE UNTIL", COL_INSTANT, 0, 0, 0 },
    { "pixels", "PIXELS", COL_NESTED, 0, 0, 0 },
};
const size_t ntimeline_columns = ARRAY_SIZE(timeline_columns);

struct strip_arg {
    const struct report_src *src;
    struct attr_ref a;
    struct span span;
    size_t n;
};

static void emit_cell(struct json *j, const char *key, cell_t v)
{
    json_key(j, str_of(key));
    if (v == STORE_NULL)
        json_none(j);
    else
        json_i64(j, v);
}

static void emit_flag(struct json *j, const char *key, bool v)
{
    json_key(j, str_of(key));
    json_bool(j, v);
}

static void emit_begin(struct json *j, const struct strip_arg *s, size_t i)
{
    json_open(j, '{');
    json_ki64(j, "begin_ns", store_edge(s->span, s->n, i));
    json_ki64(j, "end_ns", store_edge(s->span, s->n, i + 1));
}

static void emit_states(struct json *j, const struct strip_arg *s)
{
    struct store_pixel *px = xcalloc(s->n, sizeof *px);

    store_strip(s->a.store, s->a.attr, s->span, px, s->n);
    for (size_t i = 0; i < s->n; i++) {
        emit_begin(j, s, i);
        json_key(j, STR("value"));
        if (px[i].value == STORE_NULL)
            json_none(j);
        else
            json_str(j, attr_value(s->src, &s->a, px[i].value));
        json_ki64(j, "duration_ns", px[i].ns);
        json_ku64(j, "changes", px[i].changes);
        emit_flag(j, "bad", px[i].bad);
        emit_flag(j, "lost", px[i].lost);
        emit_flag(j, "inexact", px[i].inexact);
        json_close(j, '}');
    }
    free(px);
}

static void emit_numbers(struct json *j, const struct strip_arg *s)
{
    struct store_point *p = xcalloc(s->n, sizeof *p);

    store_series(s->a.store, s->a.attr, s->span, p, s->n);
    for (size_t i = 0; i < s->n; i++) {
        emit_begin(j, s, i);
        emit_cell(j, "min", p[i].min);
        emit_cell(j, "max", p[i].max);
        emit_cell(j, "last", p[i].last);
        json_key(j, STR("mean"));
        if (p[i].min == STORE_NULL)
            json_none(j);
        else
            json_f64(j, p[i].mean);
        json_ki64(j, "duration_ns", p[i].ns);
        json_ku64(j, "changes", p[i].changes);
        emit_flag(j, "lost", p[i].lost);
        json_close(j, '}');
    }
    free(p);
}

static void emit_pixels(struct json *j, const void *arg)
{
    const struct strip_arg *s = arg;

    json_open(j, '[');
    if (s->a.family->type == STORE_INT)
        emit_numbers(j, s);
    else
        emit_states(j, s);
    json_close(j, ']');
}

void timeline_fill(const struct report_src *src, const struct attr_list *list,
                   const struct timeline_opts *o, struct table *t)
{
    for (size_t i = 0; i < list->n; i++) {
        struct strip_arg *s = arena_new(src->mem, struct strip_arg);
        struct store_coverage cov;

        store_coverage(list->at[i].store, &cov);
        *s = (struct strip_arg){ src, list->at[i], o->span, o->columns };
        table_row(t);
        cell_str(t, str_of(list->at[i].host));
        table_str(t, list->at[i].path);
        table_str(t, attr_type(list->at[i].family));
        cell_str(t, str_of(list->at[i].family->unit));
        table_ns(t, o->span.t0);
        table_ns(t, o->span.t1);
        if (cov.complete_until == NS_MIN || cov.complete_until == NS_MAX)
            table_null(t);
        else
            table_ns(t, cov.complete_until);
        table_nested(t, emit_pixels, s);
    }
}
